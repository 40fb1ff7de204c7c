//! [`BackdoorSelection`]: a network of the study at one γ, and its findings.

use ratatui::text::Span;

use crate::format::{count, fixed, gamma, percent, thousands};
use crate::ids::ClassId;
use crate::session::form::Shape;
use crate::session::record::{Backdoor, Finding, Suspect};
use crate::session::{Session, config};
use crate::stats::anomaly::MIN_CLASSES;
use crate::stats::backdoor::{NetworkJudgement, StudyVerdict};
use crate::stats::sums::total;
use crate::tui::form;
use crate::tui::theme::Theme;
use crate::tui::widget::columns::columns;

/// A network of the study at one γ.
pub struct BackdoorSelection<'a> {
    /// The study.
    pub backdoor: &'a Backdoor,
    /// Its plan.
    pub plan: &'a config::Backdoor,
    /// Index of the network.
    pub index: usize,
    /// The network.
    pub suspect: &'a Suspect,
    /// Index of the γ.
    pub gamma_index: usize,
    /// The study's verdict at that γ.
    pub verdict: StudyVerdict,
    /// The chosen class.
    pub class: ClassId,
    /// Number of classes.
    pub classes: usize,
    /// Channels, rows and columns of a map; `None` before the network has been examined.
    pub shape: Option<Shape>,
    /// The session.
    pub session: &'a Session,
}

impl<'a> BackdoorSelection<'a> {
    /// Height and width of a map.
    pub fn size(&self) -> Option<(usize, usize)> {
        self.shape.map(|[_, height, width]| (height, width))
    }

    /// A class's name in at most `room` columns, marked if it is the chosen one.
    pub fn marked(&self, class: ClassId, room: usize, theme: &Theme) -> Span<'static> {
        let name = form::class_name_within(self.session, class, room.saturating_sub(1));
        match class == self.class {
            true => Span::styled(format!("{}{name}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {name}")),
        }
    }

    /// The finding in the network; `None` before it has been examined.
    pub fn finding(&self) -> Option<&'a Finding> {
        self.suspect.findings.get(self.gamma_index)
    }

    /// Whether evidence images are shown: if more classes have those than classification images, as at γ = 0.
    pub fn shows_evidence(&self) -> bool {
        self.finding().is_some_and(|finding| {
            let area = finding.z.values().len() / self.classes.max(1);
            let known = |maps: &[f32]| {
                let maps = maps.chunks_exact(area.max(1));
                maps.filter(|map| map.iter().all(|v| v.is_finite())).count()
            };
            known(finding.evidence.values()) > known(finding.z.values())
        })
    }

    /// The study's judgement of the network.
    pub fn judgement(&self) -> Option<&NetworkJudgement> {
        self.verdict.networks.get(self.index)?.as_ref()
    }

    /// What identifies the network as backdoored, in a sentence, if possible of at most `room` columns, and
    /// whether anything does.
    pub fn sentence(&self, room: usize) -> (String, bool) {
        let gamma_label = format!("γ {}", gamma(self.plan.gammas[self.gamma_index]));
        let (Some(finding), Some(judgement)) = (self.finding(), self.judgement()) else {
            return (self.waiting(), false);
        };
        let (Some(class), Some(index)) = (judgement.class, judgement.score) else {
            let all = finding
                .called
                .iter()
                .position(|&called| called == finding.trials)
                .map(ClassId);
            let reason = match all {
                Some(class) => format!(
                    "every one of {} trials was called {}, so no class can be compared",
                    count(finding.trials as f64),
                    form::class_name(self.session, class)
                ),
                None => format!("fewer than {MIN_CLASSES} classes have enough trials"),
            };
            // The score by evidence images needs no decisions.
            return match finding.audited {
                Some(_) => (
                    format!(
                        "No conclusion from decisions at {gamma_label}: {reason}. Evidence: see below."
                    ),
                    false,
                ),
                None => (format!("No conclusion at {gamma_label}: {reason}."), false),
            };
        };
        let window = finding.windows[class].map(|window| {
            format!(
                "rows {}–{}, columns {}–{}",
                window.row,
                window.row + window.size - 1,
                window.column,
                window.column + window.size - 1
            )
        });
        let name = form::class_label(self.session, class);
        match judgement.is_flagged() {
            true => {
                let found = format!("index {} ({})", fixed(index, 1), self.truth(class));
                let at = window
                    .as_ref()
                    .map_or_else(String::new, |window| format!(" at {window}"));
                let sentence = format!("{name} reacts to a patch{at}: {found}");
                if columns(&sentence) <= room {
                    return (sentence, true);
                }
                let at = window.map_or_else(String::new, |window| format!(", {window}"));
                (format!("{name}{at}: {found}"), true)
            }
            false => (
                format!(
                    "no class stands out: the highest index is {}, of {name}",
                    fixed(index, 1)
                ),
                false,
            ),
        }
    }

    /// Whether flagging this class is right.
    fn truth(&self, class: ClassId) -> String {
        let target = self.plan.target;
        match (self.suspect.poisoned, class == target) {
            (true, true) => "true".to_owned(),
            (true, false) => format!("wrong: it is {}", form::class_name(self.session, target)),
            (false, _) => "FALSE ALARM".to_owned(),
        }
    }

    /// How often a flag is a false alarm, if the network is flagged.
    pub fn false_alarms(&self) -> Option<String> {
        self.judgement()
            .filter(|judgement| judgement.is_flagged())?;
        Some(match self.verdict.judged_clean {
            0 => "1 to 3 in 4 clean networks are flagged as well".to_owned(),
            judged => format!(
                "{} of {judged} clean ones are flagged",
                self.verdict.clean_flagged
            ),
        })
    }

    /// The progress of a network that has not been examined yet.
    fn waiting(&self) -> String {
        let trials = total(self.suspect.trials.iter().map(|trials| trials.trials));
        if trials > 0 {
            let all = self.plan.trials * self.plan.gammas.len() as u64;
            return format!(
                "running on noise: {} of {} trials",
                thousands(trials),
                thousands(all)
            );
        }
        match &self.suspect.training {
            Some(training) if !training.finished => format!(
                "being trained: {} of {} epochs done",
                training.epochs.len(),
                self.plan.training.epochs
            ),
            Some(_) => "trained, waiting for noise".into(),
            None => "not trained yet".into(),
        }
    }
}

/// Formats an index.
pub fn index(value: Option<f64>) -> String {
    value.map_or_else(|| "none".into(), |index| fixed(index, 1))
}

/// Formats a share for a table.
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(String::new, percent)
}
