//! How often images blended with a pattern are called the target, against the weight of the pattern; and one
//! image as an example.

mod chart;
mod pictures;
mod selection;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use self::selection::AttackSelection;
use super::{JumpKind, JumpTargets, Log, Reply, View, ViewContext, ViewEntry};
use crate::figure::Figure;
use crate::figure::wording::pattern_origin;
use crate::format::{count, number};
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config::Analysis;
use crate::session::record;
use crate::tui::action::{Action, KeyContext};
use crate::tui::experiment::{ExperimentChoice, ShownExperiment, ViewedExperiment};
use crate::tui::scene::Scene;
use crate::tui::scene::pending;
use crate::tui::shared::SharedState;
use crate::tui::widget::text::{below, beside, left, start, top};
use crate::tui::{form, steps};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Attack",
    pace: Duration::from_millis(500),
    log: Log::OnRequest,
    new: || Box::new(AttackView::default()),
};

impl ViewedExperiment for record::Attack {
    const NAME: &'static str = "attack";
    const PRONOUN: &'static str = "one";
    const EXAMPLE: &'static str = "analyses=[ClassificationImages(()), Attack(())]";
}

/// The view.
#[derive(Debug, Clone)]
pub struct AttackView {
    /// Which attack is shown.
    pub shown: ShownExperiment<record::Attack>,
    /// Index of the pattern among those of the record.
    pub pattern: usize,
    /// Index of the pattern's weight w in the plan.
    pub weight: usize,
    /// Whether the mean over all targets is shown.
    pub target_mean: bool,
    /// What is attacked: 0 images, 1 noise.
    pub source: usize,
}

impl Default for AttackView {
    fn default() -> Self {
        Self {
            shown: ShownExperiment::default(),
            pattern: 0,
            // The middle of the plan's default weights.
            weight: 5,
            target_mean: false,
            source: 0,
        }
    }
}

impl View for AttackView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(attack) = pending::begun(scene, self.shown, area, buf) else {
            return;
        };
        let Some(sight) = self.selection(attack, scene.shared, scene.session) else {
            return;
        };
        choices(scene, &sight, self.shown, area, buf);
        let body = below(area, 1 + u16::from(area.height >= 22));
        let pictures = pictures::columns(sight.size(), (body.width, body.height));
        let chart = match pictures {
            0 => body,
            columns => {
                let area = beside(body, body.width - columns);
                pictures::draw(scene, &sight, area, buf);
                start(body, body.width - columns - 3)
            }
        };
        let legend = chart::legend_rows(&sight);
        let rows = legend + 1 + u16::from(pictures == 0);
        let height = chart.height.saturating_sub(rows);
        chart::curves(scene, &sight, top(chart, height), buf);
        let under = below(chart, height + 1);
        chart::legend(scene, &sight, under, buf);
        if pictures == 0 {
            pictures::sentence(scene, &sight, below(under, legend), buf);
        }
    }

    fn contexts(&self) -> &'static [KeyContext] {
        &[KeyContext::Classes, KeyContext::Attack]
    }

    fn update(&mut self, action: Action, _: &mut SharedState, around: &ViewContext<'_>) -> Reply {
        match action {
            Action::PatternAbove => self.step_pattern(around.session, -1),
            Action::PatternBelow => self.step_pattern(around.session, 1),
            Action::LessPattern => self.step_weight(around.session, -1),
            Action::MorePattern => self.step_weight(around.session, 1),
            Action::SwitchTargets => self.target_mean = !self.target_mean,
            Action::SwitchSource => {
                self.source = (self.source + 1) % sources(self.shown, around.session);
            }
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
        let attack = self.shown.record(session);
        match action {
            Action::SwitchSource => sources(self.shown, session) > 1,
            Action::PatternAbove | Action::PatternBelow => {
                attack.is_some_and(|attack| attack.kinds.len() > 1)
            }
            Action::LessPattern | Action::MorePattern => {
                attack.is_some_and(|attack| attack.weights.len() > 1)
            }
            _ => true,
        }
    }

    fn names(&self, kind: JumpKind, session: &Session) -> Option<JumpTargets> {
        let attack = self.shown.record(session)?;
        (kind == JumpKind::Item).then(|| JumpTargets {
            noun: "pattern",
            all: attack
                .kinds
                .iter()
                .map(|pattern| pattern.label().to_owned())
                .collect(),
            numbered: false,
            chosen: self.pattern,
        })
    }

    fn choose(&mut self, _: JumpKind, index: usize, _: &Session) {
        self.pattern = index;
    }

    fn number(&self, shared: &SharedState, session: &Session) -> Option<String> {
        let attack = self.shown.record(session)?;
        let sight = self.selection(attack, shared, session)?;
        let (rate, of) = sight.success(sight.pattern, sight.weight)?;
        Some(format!(
            "{} ({} to {}, {of} stimuli)",
            number(rate.estimate),
            number(rate.low),
            number(rate.high)
        ))
    }

    fn figure(&self, _: &SharedState, session: &Session) -> Option<Figure> {
        let nth = self.shown.number(session);
        let attack = self.shown.record(session);
        attack.map(|_| Figure::Attack { nth })
    }
}

impl AttackView {
    /// The current selection, with every index within its range.
    fn selection<'a>(
        &self,
        attack: &'a record::Attack,
        shared: &SharedState,
        session: &'a Session,
    ) -> Option<AttackSelection<'a>> {
        let weight = self.weight.min(attack.weights.len().checked_sub(1)?);
        let last = ClassId(form::classes(session).checked_sub(1)?);
        Some(AttackSelection {
            attack,
            target: shared.class.min(last),
            all: self.target_mean,
            source: self.source.min(sources(self.shown, session) - 1),
            pattern: self.pattern.min(attack.kinds.len().checked_sub(1)?),
            weight,
            w: attack.weights[weight],
            shape: form::picture(attack.patterns.shape())?,
            session,
        })
    }

    fn step_pattern(&mut self, session: &Session, step: isize) {
        let attack = self.shown.record(session);
        let patterns = attack.map_or(1, |attack| attack.kinds.len());
        self.pattern = steps::along(self.pattern, step, patterns);
    }

    fn step_weight(&mut self, session: &Session, step: isize) {
        let attack = self.shown.record(session);
        let weights = attack.map_or(&[][..], |attack| &attack.weights);
        self.weight = steps::by_size(self.weight, step, weights);
    }
}

/// How many kinds of stimuli are attacked: images, and noise if planned.
fn sources(shown: ShownExperiment<record::Attack>, session: &Session) -> usize {
    let noise =
        |plan: &Analysis| matches!(plan, Analysis::Attack(attack) if attack.noise_images > 0);
    let attack = shown.in_plan(session);
    let plan = attack.and_then(|(index, _)| session.config.analyses.get(index));
    1 + usize::from(plan.is_some_and(noise))
}

/// Draws the available choices, with the current ones marked.
fn choices(
    scene: &Scene<'_>,
    sight: &AttackSelection<'_>,
    shown: ShownExperiment<record::Attack>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let one = |chosen: bool, text: String| match chosen {
        true => Span::styled(format!("{}{text} ", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(format!(" {text} "), theme.dim()),
    };
    let mut spans = vec![
        one(
            !sight.all,
            format!("target {}", sight.name_within(sight.target, area.width / 3)),
        ),
        one(sight.all, "mean of all targets".into()),
        Span::raw("  "),
        one(sight.source == 0, "images".into()),
    ];
    if sources(shown, scene.session) > 1 {
        spans.push(one(sight.source == 1, "noise".into()));
    }
    spans.splice(0..0, shown.title(scene.session, scene.theme, area.width));
    let mut more = Vec::new();
    more.extend(pattern_origin(sight.attack, theme.glyphs.gamma));
    more.push(format!("{} queries", count(sight.attack.queries() as f64)));
    let used = left(buf, area, 0, Line::from(spans));
    let rest = beside(area, used + 2);
    while Span::raw(more.join("   ")).width() > usize::from(rest.width) {
        if more.pop().is_none() {
            return;
        }
    }
    left(buf, rest, 0, Span::styled(more.join("   "), theme.dim()));
}
