//! Networks with and without a backdoor, and what their decisions reveal: the z maps of the chosen network,
//! the anomaly index of every class, and how well it separates the poisoned networks from the clean ones.

mod bars;
mod maps;
mod selection;
mod study;

use std::ops::Range;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use self::selection::BackdoorSelection;
use super::{JumpKind, JumpTargets, Log, Reply, View, ViewContext, ViewEntry};
use crate::figure::{self, Figure};
use crate::format::gamma;
use crate::ids::ClassId;
use crate::session::config::{self, Analysis};
use crate::session::{Session, record};
use crate::tui::action::{Action, KeyContext};
use crate::tui::experiment::{ExperimentChoice, ShownExperiment, ViewedExperiment};
use crate::tui::location::{Location, LocationError};
use crate::tui::scene::Scene;
use crate::tui::scene::pending;
use crate::tui::shared::SharedState;
use crate::tui::widget::columns::columns;
use crate::tui::widget::text::{below, beside, cut, left, start, top, wrap};
use crate::tui::{form, steps};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Backdoor",
    pace: Duration::from_millis(500),
    log: Log::OnRequest,
    new: || Box::new(BackdoorView::default()),
};

impl ViewedExperiment for record::Backdoor {
    const NAME: &'static str = "backdoor study";
    const NOUN: &'static str = "study";
    const PRONOUN: &'static str = "one";
    const EXAMPLE: &'static str = "analyses=[Backdoor(())]";
}

/// The view.
#[derive(Debug, Clone)]
pub struct BackdoorView {
    /// Which study is shown.
    pub shown: ShownExperiment<record::Backdoor>,
    /// Index of the network.
    pub suspect: usize,
    /// Index of the finding's γ in the plan; past the end, that of the γ that represents the study, as in the overview
    /// and in exports.
    pub finding: usize,
    /// Whether the chosen class fills the view.
    pub enlarged: bool,
}

impl Default for BackdoorView {
    fn default() -> Self {
        Self {
            shown: ShownExperiment::default(),
            suspect: 0,
            finding: usize::MAX,
            enlarged: false,
        }
    }
}

impl View for BackdoorView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(backdoor) = pending::begun(scene, self.shown, area, buf) else {
            return;
        };
        let Some(sight) = self.selection(backdoor, scene) else {
            return;
        };
        title(scene, &sight, self.shown, area, buf);
        let (sentence, flagged) = sight.sentence(usize::from(area.width).saturating_sub(2));
        let theme = scene.theme;
        let style = if flagged {
            theme.warning()
        } else {
            theme.text()
        };
        let mark = if flagged { theme.glyphs.warning } else { " " };
        let mut text = format!("{mark} {sentence}");
        // Appended whole or not at all.
        let more = sight.false_alarms().map(|alarms| format!("; {alarms}"));
        let more = more.unwrap_or_default();
        if columns(&text) + columns(&more) <= usize::from(area.width) {
            text.push_str(&more);
        }
        let is_tall = area.height >= 22;
        let lines = match wrap(&text, area.width) {
            lines if lines.len() <= 1 + usize::from(is_tall) => lines,
            _ => vec![cut(text.trim_start(), usize::from(area.width))],
        };
        for (row, line) in lines.into_iter().enumerate() {
            left(buf, area, 1 + row as u16, Span::styled(line, style));
        }
        let body = below(area, 2 + u16::from(is_tall));
        if self.enlarged {
            let used = maps::enlarged(scene, &sight, body, buf);
            bars::draw(scene, &sight, beside(body, used + 3), buf);
            return;
        }
        let table = study::rows(&sight, body.height);
        let upper = top(body, body.height.saturating_sub(table + 1));
        // The bars need no more than these columns; the maps take the rest.
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

    fn contexts(&self) -> &'static [KeyContext] {
        match self.enlarged {
            true => &[
                KeyContext::OneFigure,
                KeyContext::Classes,
                KeyContext::Suspects,
            ],
            false => &[
                KeyContext::Classes,
                KeyContext::Suspects,
                KeyContext::Figure,
            ],
        }
    }

    fn update(&mut self, action: Action, _: &mut SharedState, around: &ViewContext<'_>) -> Reply {
        let session = around.session;
        match action {
            Action::SuspectAbove => self.step_suspect(session, -1),
            Action::SuspectBelow => self.step_suspect(session, 1),
            Action::WeakerFinding => self.step_finding(session, -1),
            Action::StrongerFinding => self.step_finding(session, 1),
            Action::Enlarge => self.enlarged = true,
            Action::ShrinkFigure => self.enlarged = false,
            _ => return Reply::Ignored,
        }
        Reply::Done
    }

    fn experiment(&self) -> Option<&dyn ExperimentChoice> {
        Some(&self.shown)
    }

    fn experiment_mut(&mut self) -> Option<&mut dyn ExperimentChoice> {
        Some(&mut self.shown)
    }

    fn is_possible(&self, action: Action, _: &SharedState, session: &Session) -> bool {
        let backdoor = self.shown.record(session);
        match action {
            Action::SuspectAbove | Action::SuspectBelow => {
                backdoor.is_some_and(|backdoor| backdoor.networks.len() > 1)
            }
            Action::WeakerFinding | Action::StrongerFinding => {
                self.plan(session).is_some_and(|plan| plan.gammas.len() > 1)
            }
            _ => true,
        }
    }

    fn names(&self, kind: JumpKind, session: &Session) -> Option<JumpTargets> {
        let backdoor = self.shown.record(session)?;
        let name = |(index, suspect): (usize, &record::Suspect)| {
            let label = if suspect.poisoned {
                "poisoned"
            } else {
                "clean"
            };
            format!("{} {label}", index + 1)
        };
        (kind == JumpKind::Item).then(|| JumpTargets {
            noun: "network",
            all: backdoor.networks.iter().enumerate().map(name).collect(),
            numbered: false,
            chosen: self.suspect,
        })
    }

    fn choose(&mut self, _: JumpKind, index: usize, _: &Session) {
        self.suspect = index;
    }

    fn location(&self, shared: &SharedState, _: &Session) -> Location {
        Location {
            class: Some(shared.class),
            closer: self.enlarged,
            ..Location::default()
        }
    }

    fn go_to(&mut self, start: &Location, _: &Session) -> Result<(), LocationError> {
        self.enlarged = start.closer;
        Ok(())
    }

    fn figure(&self, _: &SharedState, session: &Session) -> Option<Figure> {
        let nth = self.shown.number(session);
        let figure = Figure::Backdoor { nth };
        figure::has(session, &figure).then_some(figure)
    }
}

impl BackdoorView {
    /// The current selection, with every index within its range.
    fn selection<'a>(
        &self,
        backdoor: &'a record::Backdoor,
        scene: &Scene<'a>,
    ) -> Option<BackdoorSelection<'a>> {
        let plan = self.plan(scene.session)?;
        let at = self.suspect.min(backdoor.networks.len().checked_sub(1)?);
        let gamma_index = self.gamma_index(backdoor, plan);
        plan.gammas.get(gamma_index)?;
        let classes = form::classes(scene.session);
        let suspect = &backdoor.networks[at];
        let finding = suspect.findings.get(gamma_index);
        Some(BackdoorSelection {
            backdoor,
            plan,
            index: at,
            suspect,
            gamma_index,
            verdict: backdoor.verdict(plan, gamma_index),
            class: scene.shared.class.min(ClassId(classes.saturating_sub(1))),
            classes,
            shape: finding.and_then(|finding| form::picture(finding.z.shape())),
            session: scene.session,
        })
    }

    fn step_suspect(&mut self, session: &Session, step: isize) {
        let backdoor = self.shown.record(session);
        let networks = backdoor.map_or(0, |backdoor| backdoor.networks.len());
        self.suspect = steps::along(self.suspect, step, networks);
    }

    fn step_finding(&mut self, session: &Session, step: isize) {
        if let (Some(backdoor), Some(plan)) = (self.shown.record(session), self.plan(session)) {
            let at = self.gamma_index(backdoor, plan);
            self.finding = steps::by_size(at, step, &plan.gammas);
        }
    }

    /// The index in the plan of the γ shown.
    fn gamma_index(&self, backdoor: &record::Backdoor, plan: &config::Backdoor) -> usize {
        match self.finding < plan.gammas.len() {
            true => self.finding,
            false => backdoor.representative_gamma_index(plan),
        }
    }

    /// The plan of the study shown.
    fn plan<'a>(&self, session: &'a Session) -> Option<&'a config::Backdoor> {
        let (index, _) = self.shown.in_plan(session)?;
        match session.config.analyses.get(index)? {
            Analysis::Backdoor(plan) => Some(plan),
            _ => None,
        }
    }
}

/// Draws the title: the network and the γ shown.
fn title(
    scene: &Scene<'_>,
    sight: &BackdoorSelection<'_>,
    shown: ShownExperiment<record::Backdoor>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let kind = if sight.suspect.poisoned {
        "poisoned"
    } else {
        "clean"
    };
    let mut spans = vec![
        Span::styled(format!("network {}", sight.index + 1), theme.chosen()),
        Span::styled(
            format!(" of {}, ", sight.backdoor.networks.len()),
            theme.dim(),
        ),
        Span::styled(kind, theme.bright()),
        Span::styled(format!("   {}", theme.glyphs.gamma), theme.dim()),
    ];
    spans.splice(0..0, shown.title(scene.session, scene.theme, area.width));
    // Of many γ, those around the chosen one.
    let gammas = &sight.plan.gammas;
    let values = |shown: &Range<usize>| -> Vec<Span<'static>> {
        let more = |left_out: bool| left_out.then(|| Span::styled("   …", theme.dim()));
        let value = |index: usize| match index == sight.gamma_index {
            true => Span::styled(
                format!("  {}{}", theme.glyphs.pointer, gamma(gammas[index])),
                theme.chosen(),
            ),
            false => Span::styled(format!("   {}", gamma(gammas[index])), theme.dim()),
        };
        let values = shown.clone().map(value);
        let before = more(shown.start > 0).into_iter();
        before
            .chain(values)
            .chain(more(shown.end < gammas.len()))
            .collect()
    };
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let room = usize::from(area.width).saturating_sub(width(&spans));
    let shown = form::most_around(sight.gamma_index, gammas.len(), |shown| {
        width(&values(shown)) <= room
    });
    spans.extend(values(&shown));
    let least = spans.len();
    let plan = sight.plan;
    let name = |class| form::class_name(scene.session, class);
    let (source, target) = (name(plan.source), name(plan.target));
    let patch = format!("   patched {source} are labelled {target}");
    spans.push(Span::styled(patch, theme.dim()));
    let hint = "   the study's own networks; Audit examines the planned one";
    spans.push(Span::styled(hint, theme.dim()));
    while width(&spans) > usize::from(area.width) && spans.len() > least {
        spans.pop();
    }
    left(buf, area, 0, Line::from(spans));
}
