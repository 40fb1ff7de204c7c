//! Networks with and without a backdoor, and what their decisions give away: the z maps of the
//! chosen network, the anomaly index of every class, and how well that tells the poisoned ones
//! from the clean ones.

mod bars;
mod maps;
mod study;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Log, Scene, View, awaited};
use crate::format::{count, gamma, percent, thousands};
use crate::session::config::{self, Analysis, CLASSES};
use crate::session::record::{Backdoor, Finding, Suspect};
use crate::stats::backdoor::{Judgement, Verdict};
use crate::tui::action::Place;
use crate::tui::state::State;
use crate::tui::widget::text::{below, beside, left, start, top, wrap};

/// The view.
pub const VIEW: View = View {
    name: "Backdoor",
    draw,
    places,
    columns: |_, _| 1,
    figure: |_, _| None,
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
};

fn places(state: &State) -> &'static [Place] {
    match state.enlarged {
        true => &[Place::OneFigure, Place::Classes, Place::Suspects],
        false => &[Place::Classes, Place::Suspects, Place::Figure],
    }
}

/// A network of the study at one γ.
struct Sight<'a> {
    backdoor: &'a Backdoor,
    plan: &'a config::Backdoor,
    /// Place of the network, and itself.
    at: usize,
    suspect: &'a Suspect,
    /// Place of the γ.
    gamma: usize,
    verdict: Verdict,
    class: usize,
}

impl<'a> Sight<'a> {
    fn new(scene: &Scene<'a>, backdoor: &'a Backdoor) -> Option<Self> {
        let session = scene.session;
        let (index, _) = session.record.all::<Backdoor>().next()?;
        let Some(Analysis::Backdoor(plan)) = session.config.analyses.get(index) else {
            return None;
        };
        let at = scene
            .state
            .suspect
            .min(backdoor.networks.len().checked_sub(1)?);
        let gamma = scene.state.finding.min(plan.gammas.len().checked_sub(1)?);
        Some(Self {
            backdoor,
            plan,
            at,
            suspect: &backdoor.networks[at],
            gamma,
            verdict: backdoor.verdict(plan, gamma),
            class: scene.state.class.min(CLASSES - 1),
        })
    }

    /// What was found in the network; `None` before it has been examined.
    fn finding(&self) -> Option<&'a Finding> {
        self.suspect.findings.get(self.gamma)
    }

    fn judgement(&self) -> Option<&Judgement> {
        self.verdict.networks.get(self.at)?.as_ref()
    }

    /// What gives the network away, in a sentence, and whether something does.
    fn sentence(&self) -> (String, bool) {
        let at = format!("γ {}", gamma(self.plan.gammas[self.gamma]));
        let (Some(finding), Some(judgement)) = (self.finding(), self.judgement()) else {
            return (self.waiting(), false);
        };
        let (Some(class), Some(index)) = (judgement.class, judgement.score) else {
            let all = finding.called.iter().position(|&own| own == finding.trials);
            let why = match all {
                Some(class) => format!(
                    "every one of {} trials was called {class}, so no class can be compared",
                    count(finding.trials as f64)
                ),
                None => "fewer than three classes have enough trials".into(),
            };
            return (format!("Nothing can be said at {at}: {why}."), false);
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
        match judgement.is_flagged() {
            true => (
                format!("class {class} reacts to a patch at {window}: index {index:.1}"),
                true,
            ),
            false => (
                format!("no class stands out: the highest index is {index:.1}, of class {class}"),
                false,
            ),
        }
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

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(backdoor) = awaited::begun::<Backdoor>(scene, area, buf) else {
        return;
    };
    let Some(sight) = Sight::new(scene, backdoor) else {
        return;
    };
    title(scene, &sight, area, buf);
    let (sentence, flagged) = sight.sentence();
    let theme = scene.theme;
    let style = if flagged {
        theme.warning()
    } else {
        theme.text()
    };
    let mark = if flagged { theme.glyphs.warning } else { " " };
    let lines = wrap(&format!("{mark} {sentence}"), area.width);
    left(buf, area, 1, Span::styled(lines[0].clone(), style));
    let body = below(area, 2 + u16::from(area.height >= 22));
    if scene.state.enlarged {
        let used = maps::enlarged(scene, &sight, body, buf);
        bars::draw(scene, &sight, beside(body, used + 3), buf);
        return;
    }
    let table = study::rows(&sight, body.height);
    let upper = top(body, body.height.saturating_sub(table + 1));
    // The bars are told well enough on this many columns; the maps take all others.
    let columns = (body.width / 3).clamp(25, 44);
    maps::draw(scene, &sight, start(upper, body.width - columns - 2), buf);
    bars::draw(scene, &sight, beside(upper, body.width - columns), buf);
    study::draw(
        scene,
        &sight,
        below(body, body.height.saturating_sub(table)),
        buf,
    );
}

/// The network in sight, and the γ.
fn title(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let kind = if sight.suspect.poisoned {
        "poisoned"
    } else {
        "clean"
    };
    let mut spans = vec![
        Span::styled(format!("network {}", sight.at + 1), theme.chosen()),
        Span::styled(
            format!(" of {}, ", sight.backdoor.networks.len()),
            theme.dim(),
        ),
        Span::styled(kind, theme.bright()),
        Span::styled(format!("   {}", theme.glyphs.gamma), theme.dim()),
    ];
    for (place, &own) in sight.plan.gammas.iter().enumerate() {
        spans.push(match place == sight.gamma {
            true => Span::styled(
                format!("  {}{}", theme.glyphs.pointer, gamma(own)),
                theme.chosen(),
            ),
            false => Span::styled(format!("   {}", gamma(own)), theme.dim()),
        });
    }
    let plan = sight.plan;
    let patch = format!("   patched {} are taught as {}", plan.source, plan.target);
    spans.push(Span::styled(patch, theme.dim()));
    while Line::from(spans.clone()).width() > usize::from(area.width) && spans.len() > 3 {
        spans.pop();
    }
    left(buf, area, 0, Line::from(spans));
}

/// An index as it is written.
fn index(value: Option<f64>) -> String {
    value.map_or_else(
        || "none".into(),
        |index| format!("{index:.1}").replace('-', "−"),
    )
}

/// A share as a table has it.
fn share(value: Option<f64>) -> String {
    value.map_or_else(String::new, percent)
}
