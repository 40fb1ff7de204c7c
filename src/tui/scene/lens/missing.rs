//! Why a class has no map.

use super::{Lens, MapKind};
use crate::format::{count, gamma, thousands};
use crate::session::config::Response;
use crate::session::record::{GammaTrials, NoiseAxes};
use crate::stats::classification::ClassEstimate;
use crate::tui::action::{Action, key_of};
use crate::tui::form;

/// Why a class has no map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// In a few short lines, for a small place.
    pub lines: Vec<String>,
    /// In a sentence.
    pub sentence: String,
}

impl Lens<'_> {
    /// Why a class has no map; `None` where it has one.
    pub fn missing(&self, class: usize) -> Option<Missing> {
        if self.values(class).is_some() {
            return None;
        }
        let own = self.class(class)?;
        let (trials, estimate) = self.each.get(class)?;
        let name = self.name(class);
        let long = form::of_class(self.session, class);
        let (all, least) = (estimate.trials, trials.min_trials);
        if all == 0 {
            return Some(Missing {
                lines: vec!["no trials".into(), "yet".into()],
                sentence: "No trials yet at this γ.".into(),
            });
        }
        if !own.listed {
            return Some(Missing {
                lines: vec!["not".into(), "listed".into()],
                sentence: format!("Not listed: the plan asks for no maps of {long}."),
            });
        }
        if self.kind == MapKind::Regression && self.image(class).is_some() {
            return Some(self.no_regression(trials));
        }
        if self.response == Response::Evidence && self.kind.is_of_response() {
            if self.versus == Some(class) {
                return Some(Missing {
                    lines: vec!["itself".into()],
                    sentence: format!("{long} itself: the others are told from it."),
                });
            }
            return Some(match all < least {
                true => Missing {
                    lines: vec!["too few".into(), format!("{all} of {least}")],
                    sentence: format!("Too few: {all} of the {least} trials needed."),
                },
                false => Missing {
                    lines: vec!["output".into(), "constant".into()],
                    sentence: format!(
                        "What the network's outputs say for {long} never changes: no noise moves it."
                    ),
                },
            });
        }
        if own.called == 0 {
            return Some(Missing {
                lines: vec!["never".into(), format!("called {name}")],
                sentence: format!("None of {} trials was called {name}.", thousands(all)),
            });
        }
        let few = |have: u64, of_what: String| Missing {
            lines: vec!["too few".into(), format!("{have} of {least}")],
            sentence: format!("Too few: {have} of the {least} trials needed {of_what}."),
        };
        let [hits, calls, misses, rest] = own.cells;
        if own.called == all {
            return Some(Missing {
                lines: vec!["all trials".into(), format!("called {name}")],
                sentence: format!(
                    "Every trial was called {name}: there is nothing to compare it with."
                ),
            });
        }
        if estimate.gamma == 0.0 {
            return Some(if own.called < least {
                few(own.called, format!("were called {name}"))
            } else {
                few(misses + rest, format!("were called anything but {name}"))
            });
        }
        let cells = [
            (hits, format!("of {long} were called {name}")),
            (calls, format!("of other classes were called {name}")),
            (misses, format!("of {long} were called something else")),
            (rest, format!("of other classes were not called {name}")),
        ];
        let (have, what) = cells.into_iter().min_by_key(|(have, _)| *have)?;
        Some(few(have, what))
    }

    /// Why a map has not been regressed on the noise's coefficients.
    fn no_regression(&self, trials: &GammaTrials) -> Missing {
        let missing = |lines: [&str; 2], sentence: &str| Missing {
            lines: lines.map(String::from).to_vec(),
            sentence: sentence.into(),
        };
        if self.versus.is_some() {
            return missing(
                ["not of", "pairs"],
                &format!(
                    "There is none of pairs: press {} for each class by itself.",
                    key_of(self.keys, Action::Versus)
                ),
            );
        }
        let regressed = |own: &ClassEstimate| {
            let images = [&own.decision, &own.evidence];
            images
                .into_iter()
                .flatten()
                .any(|it| it.regression.is_some())
        };
        if self
            .each
            .iter()
            .any(|(_, it)| it.classes.iter().any(regressed))
        {
            return missing(
                ["too few", "trials"],
                "The trials do not tell it from nothing yet: more will.",
            );
        }
        match trials.shape().iter().product::<usize>() > NoiseAxes::MOST {
            true => missing(
                ["too large", "an image"],
                &format!(
                    "The axes of the noise are kept of maps of up to {} numbers.",
                    thousands(NoiseAxes::MOST as u64)
                ),
            ),
            false => missing(
                ["no axes", "of the noise"],
                "The session has no axes of the noise: an earlier version ran it. A run of the plan by this \
                 version has them.",
            ),
        }
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
                "Press {} for a stronger signal: at {at} every one of {} trials was called {}, \
                 so no class can be compared with another.",
                key_of(self.keys, Action::StrongerGamma),
                count(all as f64),
                self.name(class)
            ),
            (_, None) => format!("At {at} no class has enough trials yet."),
        })
    }
}
