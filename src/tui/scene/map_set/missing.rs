//! [`MissingMap`], the reason why a class has no map.

use super::{MapKind, MapSet};
use crate::figure::wording;
use crate::format::{count, gamma, thousands};
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;
use crate::session::record::{GammaTrials, NoiseAxes};
use crate::stats::classification::ClassEstimate;
use crate::tui::action::{Action, first_key_of};
use crate::tui::form;

/// Why a class has no map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingMap {
    /// In a few short lines, for a small area.
    pub lines: Vec<String>,
    /// In a sentence.
    pub sentence: String,
}

impl MapSet<'_> {
    /// Why a class has no map; `None` if it has one.
    pub fn missing(&self, class: ClassId) -> Option<MissingMap> {
        if self.values(class).is_some() {
            return None;
        }
        let class_estimate = self.class(class)?;
        let (trials, estimate) = self.by_class.get(class.0)?;
        let name = self.name(class);
        let long = form::class_label(self.session, class);
        let least = trials.min_trials;
        if trials.trials == 0 {
            return Some(MissingMap {
                lines: vec!["no trials".into(), "yet".into()],
                sentence: "No trials yet at this γ.".into(),
            });
        }
        if !class_estimate.listed {
            return Some(MissingMap {
                lines: vec!["not".into(), "listed".into()],
                sentence: format!("Not listed: the plan includes no maps of {long}."),
            });
        }
        if self.kind == MapKind::Regression && self.image(class).is_some() {
            return Some(self.no_regression(trials));
        }
        if self.response == Response::Evidence && self.kind.is_of_response() {
            if self.versus == Some(class) {
                return Some(MissingMap {
                    lines: vec!["itself".into()],
                    sentence: format!("{long} itself: the baseline of the others."),
                });
            }
            let shown = trials.trials_of(Response::Evidence);
            let (known, purpose) = match shown < least {
                true => (shown, ""),
                // Those that count measure the noise's deviation.
                false => (
                    trials.trials_of(Response::Decision),
                    " to measure the noise",
                ),
            };
            return Some(match trials.lacks_trials_for_evidence() {
                _ if shown >= least && trials.lacks_pairs() => MissingMap {
                    lines: vec!["too few".into(), "of a class".into()],
                    sentence: "Too few: no two trials are of the same true class.".into(),
                },
                true => MissingMap {
                    lines: vec!["too few".into(), format!("{known} of {least}")],
                    sentence: format!("Too few: {known} of the {least} trials needed{purpose}."),
                },
                false => MissingMap {
                    lines: vec!["output".into(), "constant".into()],
                    sentence: match wording::too_coarse(trials) {
                        Some(words) => format!("{}.", wording::capitalise(&words)),
                        None => {
                            format!("The evidence for {long} never changes: no noise affects it.")
                        }
                    },
                },
            });
        }
        let all = estimate.trials;
        if all == 0 {
            let shown = thousands(trials.trials);
            return Some(MissingMap {
                lines: vec!["none".into(), "counts".into()],
                sentence: format!(
                    "None of {shown} trials counts: the network was not sure enough of any."
                ),
            });
        }
        if class_estimate.called == 0 {
            return Some(MissingMap {
                lines: vec!["never".into(), format!("called {name}")],
                sentence: format!("None of {} trials was called {name}.", thousands(all)),
            });
        }
        let few = |count: u64, condition: String| MissingMap {
            lines: vec!["too few".into(), format!("{count} of {least}")],
            sentence: format!("Too few: {count} of the {least} trials needed {condition}."),
        };
        let [hits, calls, misses, rest] = class_estimate.cells;
        if class_estimate.called == all {
            return Some(MissingMap {
                lines: vec!["all trials".into(), format!("called {name}")],
                sentence: format!(
                    "Every trial was called {name}: there is nothing to compare it with."
                ),
            });
        }
        if estimate.gamma == Gamma::NOISE {
            return Some(if class_estimate.called < least {
                few(class_estimate.called, format!("were called {name}"))
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
        let (count, condition) = cells.into_iter().min_by_key(|(count, _)| *count)?;
        Some(few(count, condition))
    }

    /// Why there is no regression of a map on the noise's coefficients.
    fn no_regression(&self, trials: &GammaTrials) -> MissingMap {
        let missing = |lines: [&str; 2], sentence: &str| MissingMap {
            lines: lines.map(String::from).to_vec(),
            sentence: sentence.into(),
        };
        if self.versus.is_some() {
            return missing(
                ["not of", "pairs"],
                &format!(
                    "There is none for pairs: press {} for each class alone.",
                    first_key_of(self.keys, Action::Versus)
                ),
            );
        }
        let regressed = |class: &ClassEstimate| {
            let images = [&class.decision, &class.evidence];
            images
                .into_iter()
                .flatten()
                .any(|image| image.regression.is_some())
        };
        if self
            .by_class
            .iter()
            .any(|(_, estimate)| estimate.classes.iter().any(regressed))
        {
            return missing(
                ["too few", "trials"],
                "Not yet distinguishable from zero; needs more trials.",
            );
        }
        match trials.shape().iter().product::<usize>() > NoiseAxes::MAX_PIXELS {
            true => missing(
                ["too large", "an image"],
                &format!(
                    "Noise axes are kept only for maps of up to {} numbers.",
                    thousands(NoiseAxes::MAX_PIXELS as u64)
                ),
            ),
            false => missing(
                ["no axes", "of the noise"],
                "The session was run by an earlier version, which kept no noise axes. Run its plan again \
                 to get them.",
            ),
        }
    }

    /// The message above the maps if no class has one at this γ.
    pub fn no_maps_message(&self) -> Option<String> {
        if ClassId::all(self.classes()).any(|class| self.values(class).is_some()) {
            return None;
        }
        let strength = format!("γ {}", gamma(self.estimate.gamma));
        let by_evidence = self.response == Response::Evidence && self.kind.is_of_response();
        let has_image = |class: ClassId| self.image(class).is_some();
        let mut all_trials = self.by_class.iter().map(|(trials, _)| trials);
        if by_evidence
            && self.versus.is_none()
            && !all_trials.any(|trials| trials.lacks_trials_for_evidence())
            && !ClassId::all(self.classes()).any(has_image)
        {
            return Some(format!(
                "At {strength} no output of the network ever changes."
            ));
        }
        Some(
            match (self.estimate.trials, self.class_of_all_decisions()) {
                (0, _) if self.trials.trials == 0 => format!("No trials yet at {strength}."),
                (0, _) if !by_evidence => format!(
                    "None of {} trials at {strength} counts: the network was not sure enough of any.",
                    count(self.trials.trials as f64)
                ),
                (all, Some(class)) => format!(
                    "Press {} for a stronger signal: at {strength} every one of {} trials was called {}, \
                 so no class can be compared with another.",
                    first_key_of(self.keys, Action::StrongerGamma),
                    count(all as f64),
                    self.name(class)
                ),
                (_, None) => format!("At {strength} no class has enough trials yet."),
            },
        )
    }
}
