//! A network of the study at one γ, and what gives it away.

use ratatui::text::Span;

use crate::format::{count, gamma, percent, thousands};
use crate::session::form::Shape;
use crate::session::record::{Backdoor, Finding, Suspect};
use crate::session::{Session, config};
use crate::stats::anomaly::LEAST_CLASSES;
use crate::stats::backdoor::{Judgement, Verdict};
use crate::tui::form;
use crate::tui::theme::Theme;

/// A network of the study at one γ.
pub struct Sight<'a> {
    /// The study.
    pub backdoor: &'a Backdoor,
    /// Its plan.
    pub plan: &'a config::Backdoor,
    /// Place of the network.
    pub at: usize,
    /// The network itself.
    pub suspect: &'a Suspect,
    /// Place of the γ.
    pub gamma: usize,
    /// What the study says at that γ.
    pub verdict: Verdict,
    /// The chosen class.
    pub class: usize,
    /// How many classes there are.
    pub classes: usize,
    /// Channels, rows and columns of a map; `None` before the network has been examined.
    pub shape: Option<Shape>,
    /// The run.
    pub session: &'a Session,
}

impl<'a> Sight<'a> {
    /// Height and width of a map.
    pub fn size(&self) -> Option<(usize, usize)> {
        self.shape.map(|[_, height, width]| (height, width))
    }

    /// A class's name, marked where it is the chosen one, in so many columns.
    pub fn marked(&self, class: usize, room: usize, theme: &Theme) -> Span<'static> {
        let name = form::within(self.session, class, room.saturating_sub(1));
        match class == self.class {
            true => Span::styled(format!("{}{name}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {name}")),
        }
    }

    /// What was found in the network; `None` before it has been examined.
    pub fn finding(&self) -> Option<&'a Finding> {
        self.suspect.findings.get(self.gamma)
    }

    /// Whether its evidence images are shown: of more classes than have classification images, as at γ = 0.
    pub fn shows_evidence(&self) -> bool {
        self.finding().is_some_and(|it| {
            let area = it.z.values().len() / self.classes.max(1);
            let known = |maps: &[f32]| {
                let maps = maps.chunks_exact(area.max(1));
                maps.filter(|map| map.iter().all(|v| v.is_finite())).count()
            };
            known(it.evidence.values()) > known(it.z.values())
        })
    }

    /// What the study says of the network.
    pub fn judgement(&self) -> Option<&Judgement> {
        self.verdict.networks.get(self.at)?.as_ref()
    }

    /// What gives the network away, in a sentence, and whether something does.
    pub fn sentence(&self) -> (String, bool) {
        let at = format!("γ {}", gamma(self.plan.gammas[self.gamma]));
        let (Some(finding), Some(judgement)) = (self.finding(), self.judgement()) else {
            return (self.waiting(), false);
        };
        let (Some(class), Some(index)) = (judgement.class, judgement.score) else {
            let all = finding.called.iter().position(|&own| own == finding.trials);
            let why = match all {
                Some(class) => format!(
                    "every one of {} trials was called {}, so no class can be compared",
                    count(finding.trials as f64),
                    form::name(self.session, class)
                ),
                None => format!("fewer than {LEAST_CLASSES} classes have enough trials"),
            };
            // The score by evidence images needs no decisions.
            return match finding.audited {
                Some(_) => (
                    format!(
                        "By decisions nothing can be said at {at}: {why}. Evidence: see below."
                    ),
                    false,
                ),
                None => (format!("Nothing can be said at {at}: {why}."), false),
            };
        };
        let window = finding.windows[class].map_or_else(String::new, |it| {
            format!(
                "rows {}–{}, columns {}–{}",
                it.row,
                it.row + it.size - 1,
                it.column,
                it.column + it.size - 1
            )
        });
        let named = form::of_class(self.session, class);
        match judgement.is_flagged() {
            true => (
                format!(
                    "{named} reacts to a patch at {window}: index {index:.1} ({})",
                    self.truth(class)
                ),
                true,
            ),
            false => (
                format!("no class stands out: the highest index is {index:.1}, of {named}"),
                false,
            ),
        }
    }

    /// What is true of a network of which this class is flagged.
    fn truth(&self, class: usize) -> String {
        let target = self.plan.target;
        match (self.suspect.poisoned, class == target) {
            (true, true) => "true".to_owned(),
            (true, false) => format!("wrong: it is {}", form::name(self.session, target)),
            (false, _) => "FALSE ALARM".to_owned(),
        }
    }

    /// How often a flag is a false alarm, where one is there.
    pub fn false_alarms(&self) -> Option<String> {
        self.judgement().filter(|it| it.is_flagged())?;
        Some(match self.verdict.judged_clean {
            0 => "of clean networks 1 to 3 in 4 are flagged as well".to_owned(),
            judged => format!(
                "{} of {judged} clean ones are flagged",
                self.verdict.accused
            ),
        })
    }

    /// How far a network is that has not been examined yet.
    fn waiting(&self) -> String {
        let trials: u64 = self.suspect.trials.iter().map(|it| it.trials).sum();
        if trials > 0 {
            let all = self.plan.trials * self.plan.gammas.len() as u64;
            return format!(
                "it is shown noise: {} of {} trials",
                thousands(trials),
                thousands(all)
            );
        }
        match &self.suspect.training {
            Some(training) if !training.finished => format!(
                "it is being trained: {} of {} epochs done",
                training.epochs.len(),
                self.plan.training.epochs
            ),
            Some(_) => "it is trained, and waits for noise".into(),
            None => "it has not been trained yet".into(),
        }
    }
}

/// An index as it is written.
pub fn index(value: Option<f64>) -> String {
    value.map_or_else(
        || "none".into(),
        |index| format!("{index:.1}").replace('-', "−"),
    )
}

/// A share as a table has it.
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(String::new, percent)
}
