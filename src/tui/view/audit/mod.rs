//! The network under study against its references: what was found and where, the score of every class beside
//! those of the references, and the effect of pasting the finding.

mod bars;
mod maps;
mod table;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Log, View, ViewEntry};
use crate::figure::audit::{AuditSummary, summary};
use crate::figure::{self, Figure};
use crate::format::{gamma, thousands};
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config::{self, Analysis};
use crate::session::record::{self, AuditRole, AuditedNetwork};
use crate::stats::audit::AuditVerdict;
use crate::tui::action::KeyContext;
use crate::tui::experiment::{ExperimentChoice, ShownExperiment, ViewedExperiment};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::pending;
use crate::tui::shared::SharedState;
use crate::tui::widget::columns::pad_end;
use crate::tui::widget::text::{below, beside, cut, left, start, top, wrap};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Audit",
    pace: Duration::from_millis(500),
    log: Log::OnRequest,
    new: || Box::new(AuditView::default()),
};

impl ViewedExperiment for record::Audit {
    const NAME: &'static str = "audit";
    const PRONOUN: &'static str = "one";
    const EXAMPLE: &'static str = "analyses=[Audit(())]";
}

/// The view.
#[derive(Debug, Clone, Default)]
pub struct AuditView {
    /// Which audit is shown.
    pub shown: ShownExperiment<record::Audit>,
}

/// The selection shown.
struct AuditSelection<'a> {
    audit: &'a record::Audit,
    plan: &'a config::Audit,
    verdict: Option<AuditVerdict>,
    statement: Option<AuditSummary>,
    /// The chosen class.
    class: ClassId,
    /// Number of classes.
    classes: usize,
}

impl AuditSelection<'_> {
    /// The class that was found, or that scores highest; the chosen one until that is known.
    fn found(&self) -> ClassId {
        self.verdict
            .as_ref()
            .map_or(self.class, |verdict| verdict.class)
    }

    /// The window of a class on the noise's grid.
    fn window(&self, class: ClassId) -> Option<(usize, usize, usize)> {
        let examined = self.audit.suspect()?.examined.as_ref()?;
        Some(examined.classes.get(class.0)?.as_ref()?.window)
    }
}

impl View for AuditView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(audit) = pending::begun(scene, self.shown, area, buf) else {
            return;
        };
        let Some(plan) = self.plan(scene.session) else {
            return;
        };
        let kind = scene.session.config.network.kind;
        let classes = form::classes(scene.session);
        let sight = AuditSelection {
            audit,
            plan,
            verdict: audit.verdict(plan, kind),
            statement: summary(&scene.session.record, audit, plan, kind),
            class: scene.shared.class.min(ClassId(classes.saturating_sub(1))),
            classes,
        };
        title(scene, &sight, self.shown, area, buf);
        let body = below(area, 1);
        let Some(statement) = &sight.statement else {
            networks(scene, &sight, below(body, 1), buf);
            return;
        };
        // Why nothing could be compared is said at any size.
        let roomy = body.height >= 24 || sight.verdict.is_none();
        let used = sentences(scene, statement, roomy, body, buf);
        let body = below(body, used + u16::from(area.height >= 22));
        match sight.verdict {
            Some(_) => draw(scene, &sight, body, buf),
            None => networks(scene, &sight, body, buf),
        }
    }

    fn contexts(&self) -> &'static [KeyContext] {
        &[KeyContext::Classes]
    }

    fn experiment(&self) -> Option<&dyn ExperimentChoice> {
        Some(&self.shown)
    }

    fn experiment_mut(&mut self) -> Option<&mut dyn ExperimentChoice> {
        Some(&mut self.shown)
    }

    fn figure(&self, _: &SharedState, session: &Session) -> Option<Figure> {
        let nth = self.shown.number(session);
        let figure = Figure::Audit { nth };
        figure::has(session, &figure).then_some(figure)
    }
}

impl AuditView {
    /// The plan of the audit shown.
    fn plan<'a>(&self, session: &'a Session) -> Option<&'a config::Audit> {
        let (index, _) = self.shown.in_plan(session)?;
        match session.config.analyses.get(index)? {
            Analysis::Audit(plan) => Some(plan),
            _ => None,
        }
    }
}

/// Draws the maps, the scores and the effect of pasting.
fn draw(scene: &Scene<'_>, sight: &AuditSelection<'_>, area: Rect, buf: &mut Buffer) {
    let rows = table::rows(sight, area.height);
    let upper = top(area, area.height.saturating_sub(rows + u16::from(rows > 0)));
    let columns = (area.width / 3).clamp(25, 50);
    let part = start(upper, area.width.saturating_sub(columns + 2));
    maps::draw(scene, sight, part, buf);
    let part = beside(upper, area.width.saturating_sub(columns));
    bars::draw(scene, sight, part, buf);
    let part = below(area, area.height.saturating_sub(rows));
    table::draw(scene, sight, part, buf);
}

/// Draws the title: what is audited, and against what.
fn title(
    scene: &Scene<'_>,
    sight: &AuditSelection<'_>,
    shown: ShownExperiment<record::Audit>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let plan = sight.plan;
    let network = &scene.session.config.network;
    let place = shown.title(scene.session, scene.theme, area.width);
    let least = 1 + usize::from(place.is_some());
    let mut spans = vec![
        Span::styled(network.label(), theme.chosen()),
        Span::styled(
            format!(
                " beside {} {} references",
                sight.audit.references().count(),
                sight.audit.reference_label(plan, network.kind)
            ),
            theme.dim(),
        ),
        Span::styled(
            format!(
                "   {} trials each, {} at {} {}",
                thousands(plan.trials),
                plan.response.label(),
                theme.glyphs.gamma,
                gamma(plan.gamma)
            ),
            theme.dim(),
        ),
    ];
    spans.splice(0..0, place);
    while Line::from(spans.clone()).width() > usize::from(area.width) && spans.len() > least {
        spans.pop();
    }
    left(buf, area, 0, Line::from(spans));
}

/// A sentence in at most `limit` lines of `width` columns, with a mark if it goes on.
fn in_lines(text: &str, width: u16, limit: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > limit {
        let rest = lines.split_off(limit.saturating_sub(1)).join(" ");
        lines.extend((limit > 0).then(|| cut(&rest, usize::from(width))));
    }
    lines
}

/// Draws the finding, what could have been found and, if there is room, the finding's standing; returns the rows used.
fn sentences(
    scene: &Scene<'_>,
    statement: &AuditSummary,
    roomy: bool,
    area: Rect,
    buf: &mut Buffer,
) -> u16 {
    let theme = scene.theme;
    let style = if statement.found {
        theme.warning()
    } else {
        theme.text()
    };
    let mark = if statement.found {
        theme.glyphs.warning
    } else {
        " "
    };
    let mut row = 0;
    let mut put = |text: &str, style, limit: usize| {
        for line in in_lines(text, area.width, limit) {
            left(buf, area, row, Span::styled(line, style));
            row += 1;
        }
    };
    put(&format!("{mark} {}", statement.finding), style, 2);
    if roomy {
        put(&format!("  {}", statement.standing), theme.dim(), 2);
    }
    // A negative result means little without the power to detect.
    if (roomy || !statement.found)
        && let Some(power) = &statement.power
    {
        put(&format!("  {power}"), theme.dim(), 2);
    }
    row
}

/// Draws the progress of each network, before they are compared and if none of their classes can be, and what to know of
/// them.
fn networks(scene: &Scene<'_>, sight: &AuditSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let networks = sight.audit.networks.iter().enumerate();
    for (index, network) in networks.take(usize::from(area.height)) {
        let name = match network.role {
            AuditRole::Reference => match &network.from {
                Some(session) => format!("of {}", crate::format::clean(session)),
                None => format!("reference {}", index + 1),
            },
            AuditRole::Poisoned { target, .. } => {
                let name = form::class_name(scene.session, target);
                format!("poisoned, to {name}")
            }
            AuditRole::Suspect => "the suspect".to_owned(),
        };
        let line = Line::from(vec![
            Span::raw(format!("  {} ", pad_end(&name, 16))),
            Span::styled(progress(network, sight.plan), theme.dim()),
        ]);
        left(buf, area, index as u16, line);
    }
    let used = u16::try_from(sight.audit.networks.len()).unwrap_or(u16::MAX);
    let rest = below(area, used.saturating_add(1));
    let kind = scene.session.config.network.kind;
    let remark = sight.plan.unlike_references(kind).unwrap_or_default();
    let lines = wrap(&remark, rest.width.saturating_sub(2)).into_iter();
    for (row, line) in lines.take(usize::from(rest.height)).enumerate() {
        let line = Span::styled(format!("  {line}"), scene.theme.dim());
        left(buf, rest, row as u16, line);
    }
}

/// The progress of a network.
fn progress(network: &AuditedNetwork, plan: &config::Audit) -> String {
    let trials: u64 = network.trials.iter().map(|trials| trials.trials).sum();
    match (&network.training, network.is_concluded()) {
        (_, true) => match network.accuracy {
            Some(share) => format!("done, {} on test images", crate::format::percent(share)),
            None => "done".into(),
        },
        _ if trials > 0 => format!(
            "running on noise: {} of {} trials",
            thousands(trials),
            thousands(plan.trials)
        ),
        (Some(training), _) if !training.finished => format!(
            "being trained: {} of {} epochs done",
            training.epochs.len(),
            plan.training.epochs
        ),
        (Some(_), _) => "trained, waiting for noise".into(),
        (None, _) if network.role == AuditRole::Suspect => "waiting for noise".into(),
        (None, _) => "not trained yet".into(),
    }
}
