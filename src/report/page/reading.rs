//! How the figures are read, for somebody who sees such ones for the first time.

use maud::{Markup, html};

use crate::figure::choice::RELIABLE;
use crate::session::Session;
use crate::session::record::{Attack, Audit, ClassificationImages, Modulation, SpikeTriggered};

/// The chapter: what is in every session, and what of the others is in this one.
pub(super) fn chapter(session: &Session) -> Markup {
    let record = &session.record;
    let images: Vec<&ClassificationImages> = record.all().map(|(_, it)| it).collect();
    html! {
        p {
            "The method is reverse correlation: a network is shown many images of noise, and the noise is averaged by what \
             the network answers. What is left in the average is what the network looks for."
        }
        ul.reading {
            @if !images.is_empty() {
                li { b { "Evidence image." } " Which pixels speak for a class. " (swatch("above")) " orange: the class gains \
                    when the pixel is brighter; " (swatch("below")) " blue: it gains when the pixel is darker; grey: the \
                    pixel does not matter." }
                li { b { "Classification image." } " The same by decisions alone: the mean noise that was called the class, \
                    against the other noise. A class that is seldom called has none, however long it runs; it is \
                    insufficient, which is not the same as zero." }
                li { b { "γ" } " is how much of a real image is mixed into the noise: none at γ 0, all of it at γ 1." }
                li { b { "R" } ", the reliability, is how well two halves of the trials agree, up to 1. From "
                    (RELIABLE) " on a map counts as reliable; near 0 it shows chance." }
                li { b { "Outlined" } " pixels are significant: were there nothing to see, 5 % of maps would have one at \
                    all. What is not outlined may still be chance." }
            }
            li { b { "Numbers in parentheses" } " after a share are its 95 % interval." }
            @if record.first::<Attack>().is_some() {
                li { b { "Attack." } " How many images are called another class when a pattern is blended into them with \
                    weight w. The random control tells what any pattern does." }
            }
            @if record.first::<SpikeTriggered>().is_some() {
                li { b { "Spike-triggered averages." } " The noise on which a unit responds, for each unit; each on a scale \
                    of its own." }
            }
            @if record.first::<Modulation>().is_some() {
                li { b { "Modulation." } " What happens to a class when a layer is pushed towards it (above 0) or away from \
                    it (below 0)." }
            }
            @if record.first::<Audit>().is_some() {
                li { b { "Audit." } " A score tells how far a class of this network is from the same class of clean ones, in \
                    the window where it is farthest. Only a score far beyond those of the clean ones means something." }
            }
        }
    }
}

/// A patch of the colour on one side of zero.
fn swatch(side: &str) -> Markup {
    html! { span class={ "swatch " (side) } aria-hidden="true" {} }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::planned;

    #[test]
    fn only_what_is_in_the_session_is_explained() {
        let told = chapter(&planned()).into_string();
        assert!(
            told.contains("<b>Evidence image.</b>") && told.contains("From 0.95 on"),
            "{told}"
        );
        assert!(!told.contains("<b>Attack.</b>") && !told.contains("<b>Audit.</b>"));
    }
}
