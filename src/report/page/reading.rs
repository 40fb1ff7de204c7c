//! The chapter that explains how to read the figures, for readers who have not seen such figures before.

use maud::{Markup, html};

use crate::figure::choice::RELIABLE;
use crate::session::Session;
use crate::session::record::{Attack, Audit, ClassificationImages, Modulation, SpikeTriggered};

/// The chapter: general explanations, and those for the experiments in this session.
pub(super) fn chapter(session: &Session) -> Markup {
    let record = &session.record;
    let images: Vec<&ClassificationImages> = record.all().map(|(_, images)| images).collect();
    html! {
        p {
            "The method is reverse correlation: a network is shown many noise images, and the noise is averaged by the \
             network's responses. What remains in the average is what the network responds to."
        }
        ul.reading {
            @if !images.is_empty() {
                li { b { "Evidence image." } " Which pixels speak for a class. " (swatch("above")) " orange: the class gains \
                    when the pixel is brighter; " (swatch("below")) " blue: it gains when the pixel is darker; grey: the \
                    pixel alone makes no difference on average." }
                li { b { "Classification image." } " The same from decisions alone: the mean noise that was called the class, \
                    minus the mean of all noise; with images blended in, the noise of trials called the class \
                    minus that of the others. A class that is hardly ever called has none; it is marked \
                    insufficient, which is not the same as zero." }
                li { b { "γ" } " is how much of a real image is mixed into the noise: none at γ 0, all of it at γ 1." }
                li { b { "R" } ", the reliability, is how well the map would agree with a second one from as many new \
                    trials: 1 is perfect agreement, near 0 the map shows chance. A map with R of at least "
                    (RELIABLE) " counts as reliable." }
                li { b { "Outlined" } " pixels are significant: if there were nothing to see, 5 % of maps would \
                    have one. Anything not outlined may be chance." }
            }
            li { b { "Numbers in parentheses" } " after a share are its 95 % interval." }
            @if record.first::<Attack>().is_some() {
                li { b { "Attack." } " How many images of other classes are called the target class when its pattern is \
                    blended into them with weight w. The random control shows the effect of an arbitrary pattern." }
            }
            @if record.first::<SpikeTriggered>().is_some() {
                li { b { "Spike-triggered averages." } " The average noise that a unit responds to, for each unit; each on its \
                    own scale." }
            }
            @if record.first::<Modulation>().is_some() {
                li { b { "Modulation." } " The effect on a class when a layer is pushed towards it (above 0) or away from \
                    it (below 0)." }
            }
            @if record.first::<Audit>().is_some() {
                li { b { "Audit." } " A score shows how far a class of this network is from the same class of clean ones, in \
                    the window where it is farthest. Only a score far beyond those of the clean ones means something." }
            }
        }
    }
}

/// A patch of the colour used on one side of zero.
fn swatch(side: &str) -> Markup {
    html! { span class={ "swatch " (side) } aria-hidden="true" {} }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::planned;

    #[test]
    fn only_what_the_session_contains_is_explained() {
        let text = chapter(&planned()).into_string();
        assert!(
            text.contains("<b>Evidence image.</b>") && text.contains("R of at least 0.95"),
            "{text}"
        );
        assert!(!text.contains("<b>Attack.</b>") && !text.contains("<b>Audit.</b>"));
    }
}
