//! One kind of map for every class, at one γ or at the best of each: its values, its scale, what
//! stands in for it, or why there is none.

use std::sync::Arc;

use crate::format::{count, gamma, thousands};
use crate::session::record::{ClassificationImages, FedBack, GammaTrials};
use crate::stats::classification::{ClassEstimate, Estimate};
use crate::tui::shared::{Scale, Shared};
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale::round_up;

pub use crate::figure::choice::RELIABLE;

/// Reliability from which a map has a say in the common scale: below it, noise sets its range.
const TRUSTED: f64 = 0.5;
/// How many times smaller than the common scale a map must be to have one of its own.
const FAINT: f32 = 10.0;

/// What the maps show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapKind {
    /// The classification image.
    #[default]
    Image,
    /// It over its standard error.
    Z,
    /// Mean of the noise by decision.
    MeanNoise,
    /// Mean of the stimuli by decision.
    MeanStimulus,
}

impl MapKind {
    /// Every kind, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Image, Self::Z, Self::MeanNoise, Self::MeanStimulus];

    /// The kind's name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Image => "classification image",
            Self::Z => "z map",
            Self::MeanNoise => "mean noise",
            Self::MeanStimulus => "mean stimulus",
        }
    }

    /// The kind after this one.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|&kind| kind == self);
        Self::ALL[(at.unwrap_or(0) + 1) % Self::ALL.len()]
    }
}

/// One kind of map, for every class.
#[derive(Debug, Clone)]
pub struct Lens<'a> {
    /// The sums at the γ in sight.
    pub trials: &'a GammaTrials,
    /// What they say.
    pub estimate: Arc<Estimate>,
    /// The sums that each class is seen in, and what they say.
    each: Vec<(&'a GammaTrials, Arc<Estimate>)>,
    /// The kind of map.
    pub kind: MapKind,
    scale: Scale,
}

/// Why a class has no map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// In a few short lines, for a small place.
    pub lines: Vec<String>,
    /// In a sentence.
    pub sentence: String,
}

impl<'a> Lens<'a> {
    /// Every class at one γ, by its place in the plan; `None` where the plan has none.
    pub fn new(
        images: &'a ClassificationImages,
        shared: &Shared,
        kind: MapKind,
        gamma: usize,
    ) -> Option<Self> {
        Self::at(images, (gamma, |_| gamma), shared.scale, kind)
    }

    /// Each class at the γ that shows it best, unless the viewer has chosen one for all.
    pub fn best(images: &'a ClassificationImages, shared: &Shared, kind: MapKind) -> Option<Self> {
        let of_class = |class| shared.gamma_of(images, class);
        let in_sight = shared.gamma_of_all(images);
        Self::at(images, (in_sight, of_class), shared.scale, kind)
    }

    /// The γ in sight, and that of every class, by their places in the plan.
    fn at(
        images: &'a ClassificationImages,
        (in_sight, gamma): (usize, impl Fn(usize) -> usize),
        scale: Scale,
        kind: MapKind,
    ) -> Option<Self> {
        let trials = images.gammas.get(in_sight)?;
        let of_class = |class| {
            let trials = images.gammas.get(gamma(class)).unwrap_or(trials);
            (trials, trials.estimate())
        };
        let mut lens = Self {
            trials,
            estimate: trials.estimate(),
            each: (0..trials.classes()).map(of_class).collect(),
            kind,
            scale,
        };
        // Where all classes agree, that γ is the one in sight.
        if let Some((trials, estimate)) = lens.each.first().filter(|_| !lens.is_mixed()) {
            (lens.trials, lens.estimate) = (trials, Arc::clone(estimate));
        }
        Some(lens)
    }

    /// Whether classes are seen at different γ.
    pub fn is_mixed(&self) -> bool {
        let mut others = self.each.iter().map(|(trials, _)| trials.gamma);
        let first = others.next();
        others.any(|gamma| Some(gamma) != first)
    }

    /// Height and width of a map in pixels.
    pub fn size(&self) -> (usize, usize) {
        self.trials.size()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.each.len()
    }

    /// What the trials say of a class.
    pub fn class(&self, class: usize) -> Option<&ClassEstimate> {
        self.each.get(class)?.1.classes.get(class)
    }

    /// The γ that a class is seen at.
    pub fn gamma_of(&self, class: usize) -> Option<f64> {
        self.each.get(class).map(|(trials, _)| trials.gamma)
    }

    /// What the network calls the mean stimulus of a class.
    pub fn fed_back(&self, class: usize) -> Option<FedBack> {
        *self.each.get(class)?.0.fed_back.get(class)?
    }

    /// What is shown of a class that has too few trials for a classification image or its z map:
    /// its mean stimulus, which any trial gives, on a grey scale of its own.
    pub fn stand_in(&self, class: usize) -> Option<(&[f32], Ramp)> {
        let stands_in = matches!(self.kind, MapKind::Image | MapKind::Z);
        if !stands_in || self.values(class).is_some() {
            return None;
        }
        let values = self.class(class)?.mean_stimulus.as_deref()?;
        let ramp = ramp_of(MapKind::MeanStimulus, std::iter::once(values));
        Some((values, ramp))
    }

    /// The map of a class.
    pub fn values(&self, class: usize) -> Option<&[f32]> {
        let class = self.class(class)?;
        match self.kind {
            MapKind::Image => class.image.as_deref(),
            MapKind::Z => class.z.as_deref(),
            MapKind::MeanNoise => class.mean_noise.as_deref(),
            MapKind::MeanStimulus => class.mean_stimulus.as_deref(),
        }
    }

    /// z of every pixel of a class, and the bound past which it is significant.
    pub fn significance(&self, class: usize) -> Option<(&[f32], f32)> {
        let z = self.class(class)?.z.as_deref()?;
        Some((z, self.each[class].1.threshold as f32))
    }

    /// How the values of a class become colours.
    pub fn ramp(&self, class: usize) -> Ramp {
        let own = || ramp_of(self.kind, self.values(class).into_iter());
        match self.scale {
            Scale::Common if !self.is_faint(class) => self.common_ramp(),
            Scale::Common | Scale::Own => own(),
        }
    }

    /// Whether a class's map is to be trusted, and so faint that the common scale would hide it. It
    /// is that of a class that takes nearly all trials: hardly any noise tells it from the rest.
    fn is_faint(&self, class: usize) -> bool {
        let reliability = self.class(class).and_then(|own| own.reliability);
        let own = ramp_of(self.kind, self.values(class).into_iter());
        reliability.is_some_and(|r| r >= TRUSTED) && hides(self.common_ramp(), own)
    }

    /// The classes that have a scale of their own beside the common one, in words: `8 on its own`.
    pub fn exceptions(&self) -> Option<String> {
        if self.scale == Scale::Own {
            return None;
        }
        let faint = (0..self.classes()).filter(|&class| self.is_faint(class));
        let names: Vec<String> = faint.map(|class| class.to_string()).collect();
        let whose = if names.len() == 1 { "its" } else { "their" };
        (!names.is_empty()).then(|| format!("{} on {whose} own", names.join(" ")))
    }

    /// The scale that all classes share. Maps below the trusted reliability follow it without a
    /// say in it, as long as there is one above.
    pub fn common_ramp(&self) -> Ramp {
        let maps = |least: f64| {
            let trusted = move |class: &usize| {
                let reliability = self.class(*class).and_then(|own| own.reliability);
                least <= -1.0 || reliability.is_some_and(|r| r >= least)
            };
            (0..self.classes())
                .filter(trusted)
                .filter_map(|class| self.values(class))
        };
        if maps(TRUSTED).next().is_some() {
            ramp_of(self.kind, maps(TRUSTED))
        } else {
            ramp_of(self.kind, maps(-1.0))
        }
    }

    /// Why a class has no map; `None` where it has one.
    pub fn missing(&self, class: usize) -> Option<Missing> {
        if self.values(class).is_some() {
            return None;
        }
        let own = self.class(class)?;
        let (trials, estimate) = self.each.get(class)?;
        let (all, least) = (estimate.trials, trials.min_trials);
        if all == 0 {
            return Some(Missing {
                lines: vec!["no trials".into(), "yet".into()],
                sentence: "No trials yet at this γ.".into(),
            });
        }
        if own.called == 0 {
            return Some(Missing {
                lines: vec!["never".into(), format!("called {class}")],
                sentence: format!("None of {} trials was called {class}.", thousands(all)),
            });
        }
        let few = |have: u64, of_what: String| Missing {
            lines: vec!["too few".into(), format!("{have} of {least}")],
            sentence: format!("Too few: {have} of the {least} trials needed {of_what}."),
        };
        let [hits, calls, misses, rest] = own.cells;
        if own.called == all {
            return Some(Missing {
                lines: vec!["all trials".into(), format!("called {class}")],
                sentence: format!(
                    "Every trial was called {class}: there is nothing to compare it with."
                ),
            });
        }
        if estimate.gamma == 0.0 {
            return Some(if own.called < least {
                few(own.called, format!("were called {class}"))
            } else {
                few(misses + rest, format!("were called anything but {class}"))
            });
        }
        let cells = [
            (hits, format!("of class {class} were called {class}")),
            (calls, format!("of other classes were called {class}")),
            (
                misses,
                format!("of class {class} were called something else"),
            ),
            (rest, format!("of other classes were not called {class}")),
        ];
        let (have, what) = cells.into_iter().min_by_key(|(have, _)| *have)?;
        Some(few(have, what))
    }

    /// What to say above the maps where no class has one at this γ.
    pub fn nothing(&self) -> Option<String> {
        if (0..self.classes()).any(|class| self.values(class).is_some()) {
            return None;
        }
        let at = format!("γ {}", gamma(self.estimate.gamma));
        Some(match (self.estimate.trials, self.takes_all()) {
            (0, _) => format!("No trials yet at {at}."),
            (all, Some(class)) => format!(
                "Press ] for a stronger signal: at {at} every one of {} trials was called {class}, \
                 so no class can be compared with another.",
                count(all as f64)
            ),
            (_, None) => format!("At {at} no class has enough trials yet."),
        })
    }

    /// The class that every trial was called, if one was.
    pub fn takes_all(&self) -> Option<usize> {
        let all = self.estimate.trials;
        let classes = self.estimate.classes.iter();
        classes
            .map(|own| own.called)
            .position(|called| all > 0 && called == all)
    }

    /// Whether some value lies past the end of its scale.
    pub fn is_clipped(&self) -> bool {
        let past = |class| match (self.ramp(class), self.values(class)) {
            (Ramp::Diverging { centre, limit }, Some(values)) => {
                values.iter().any(|v| (v - centre).abs() > limit * 1.001)
            }
            _ => false,
        };
        self.scale == Scale::Common && (0..self.classes()).any(past)
    }
}

/// Whether a scale makes one grey of what has `own` for its scale.
fn hides(common: Ramp, own: Ramp) -> bool {
    match (common, own) {
        (Ramp::Diverging { limit: common, .. }, Ramp::Diverging { limit, .. }) => {
            limit > 0.0 && limit < common / FAINT
        }
        _ => false,
    }
}

fn ramp_of<'a>(kind: MapKind, maps: impl Iterator<Item = &'a [f32]>) -> Ramp {
    let values = maps.flatten().copied().filter(|v| v.is_finite());
    if kind == MapKind::MeanStimulus {
        let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        if low > high {
            return Ramp::Grey {
                low: 0.0,
                high: 1.0,
            };
        }
        // Ends on steps of 0.05, so that they stand still.
        return Ramp::Grey {
            low: ((low * 20.0).floor() / 20.0).max(0.0),
            high: ((high * 20.0).ceil() / 20.0).min(1.0),
        };
    }
    let centre = if kind == MapKind::MeanNoise { 0.5 } else { 0.0 };
    let most = values.fold(0.0_f32, |most, v| most.max((v - centre).abs()));
    Ramp::Diverging {
        centre,
        limit: round_up(most),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_hides_a_map_of_a_tenth_of_it_and_no_other() {
        let of = |values: &[f32]| ramp_of(MapKind::Image, std::iter::once(values));
        let common = of(&[-0.15, 0.1]);
        assert!(hides(common, of(&[0.0002, -0.0001])));
        assert!(!hides(common, of(&[0.05, 0.0])));
        assert!(!hides(common, common));
        // What is nothing has nothing to show on a scale of its own.
        assert!(!hides(common, of(&[0.0, 0.0])));
        let grey = Ramp::Grey {
            low: 0.0,
            high: 1.0,
        };
        assert!(!hides(common, grey));
    }
}
