//! One kind of map at one γ, for every class: its values, its scale, or why there is none.

use std::sync::Arc;

use crate::session::record::{ClassificationImages, GammaTrials};
use crate::stats::classification::{ClassEstimate, Estimate};
use crate::tui::format::{count, gamma, thousands};
use crate::tui::state::{MapKind, Scale, State};
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale::round_up;

/// Reliability from which a class counts as reliable.
pub const RELIABLE: f64 = 0.95;

/// Reliability from which a map has a say in the common scale: below it, noise sets its range.
const TRUSTED: f64 = 0.5;

/// One kind of map at one γ.
#[derive(Debug, Clone)]
pub struct Lens<'a> {
    /// The sums at that γ.
    pub trials: &'a GammaTrials,
    /// What they say.
    pub estimate: Arc<Estimate>,
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
    /// The γ in sight, seen as the viewer wants it; `None` where the plan has none.
    pub fn new(images: &'a ClassificationImages, state: &State) -> Option<Self> {
        let trials = images.gammas.get(state.gamma_in(images))?;
        Some(Self {
            trials,
            estimate: trials.estimate(),
            kind: state.kind,
            scale: state.scale,
        })
    }

    /// The same, of another kind.
    pub fn of(self, kind: MapKind) -> Self {
        Self { kind, ..self }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.estimate.classes.len()
    }

    /// What the trials say of a class.
    pub fn class(&self, class: usize) -> Option<&ClassEstimate> {
        self.estimate.classes.get(class)
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
        Some((z, self.estimate.threshold as f32))
    }

    /// How the values of a class become colours.
    pub fn ramp(&self, class: usize) -> Ramp {
        match self.scale {
            Scale::Common => self.common_ramp(),
            Scale::Own => ramp_of(self.kind, self.values(class).into_iter()),
        }
    }

    /// The scale that all classes share. Maps below the trusted reliability follow it without a
    /// say in it, as long as there is one above.
    pub fn common_ramp(&self) -> Ramp {
        let maps = |least: f64| {
            let trusted = move |class: &&ClassEstimate| {
                least <= -1.0 || class.reliability.is_some_and(|r| r >= least)
            };
            let classes = self.estimate.classes.iter().enumerate();
            classes
                .filter(move |(_, class)| trusted(class))
                .filter_map(|(class, _)| self.values(class))
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
        let (all, least) = (self.estimate.trials, self.trials.min_trials);
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
        if self.estimate.gamma == 0.0 {
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
