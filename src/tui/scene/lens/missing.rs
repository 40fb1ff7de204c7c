//! Why a class has no map.

use super::{Lens, MapKind};
use crate::format::{count, gamma, thousands};
use crate::session::config::Response;
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
        if self.response == Response::Evidence && matches!(self.kind, MapKind::Image | MapKind::Z) {
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

    /// What to say above the maps where no class has one at this γ.
    pub fn nothing(&self) -> Option<String> {
        if (0..self.classes()).any(|class| self.values(class).is_some()) {
            return None;
        }
        let at = format!("γ {}", gamma(self.estimate.gamma));
        Some(match (self.estimate.trials, self.takes_all()) {
            (0, _) => format!("No trials yet at {at}."),
            (all, Some(class)) => format!(
                "Press ] for a stronger signal: at {at} every one of {} trials was called {}, \
                 so no class can be compared with another.",
                count(all as f64),
                self.name(class)
            ),
            (_, None) => format!("At {at} no class has enough trials yet."),
        })
    }
}
