//! The shards of a divided session: how far each is, where it runs, and which need attention.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{JumpKind, JumpTargets, Log, Reply, View, ViewContext, ViewEntry};
use crate::figure::{self, Figure};
use crate::format::{clean, count, percent};
use crate::session::Session;
use crate::session::run::{ShardState, ShardStatus, shards_in_words};
use crate::tui::action::{Action, KeyContext};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::shared::SharedState;
use crate::tui::steps;
use crate::tui::theme::Theme;
use crate::tui::widget::bar::progress;
use crate::tui::widget::text::{below, beside, centre, cut, left};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Shards",
    pace: Duration::from_millis(500),
    log: Log::OnRequest,
    new: || Box::new(ShardsView::default()),
};

/// The view.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShardsView {
    /// Number of the chosen shard; that at the top of the list if `None`. The order of the list changes as
    /// shards progress, and the choice stays with its shard.
    pub chosen: Option<u32>,
}

impl ShardsView {
    /// The row of the chosen shard in the list.
    fn row(self, order: &[&ShardState]) -> usize {
        let row = order
            .iter()
            .position(|shard| Some(shard.index) == self.chosen);
        row.unwrap_or(0)
    }
}

impl View for ShardsView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let theme = scene.theme;
        let shards = scene.session.run.as_ref().map(|run| &run.shards[..]);
        let Some(shards) = shards.filter(|shards| !shards.is_empty()) else {
            let words = match scene.session.record.sharding {
                Some(_) => "Reading the shards' files …",
                None => "Its shards are merged.",
            };
            centre(buf, area, area.height / 2, Span::styled(words, theme.dim()));
            return;
        };
        summary(scene, shards, area, buf);
        let strips = strip(theme, shards, below(area, 2), buf);
        let order = in_order(scene.session);
        let chosen = self.row(&order);
        table(theme, &order, chosen, below(area, 3 + strips), buf);
    }

    fn contexts(&self) -> &'static [KeyContext] {
        &[KeyContext::Shards]
    }

    fn update(&mut self, action: Action, _: &mut SharedState, around: &ViewContext<'_>) -> Reply {
        let order = in_order(around.session);
        let page = isize::from(around.body.height.saturating_sub(6).max(1) as i16);
        let step = match action {
            Action::ShardAbove => -1,
            Action::ShardBelow => 1,
            Action::RowsAbove => -page,
            Action::RowsBelow => page,
            Action::FirstShard => isize::MIN,
            Action::LastShard => isize::MAX,
            _ => return Reply::Ignored,
        };
        let row = steps::along(self.row(&order), step, order.len());
        self.chosen = order.get(row).map(|shard| shard.index);
        Reply::Done
    }

    fn names(&self, kind: JumpKind, session: &Session) -> Option<JumpTargets> {
        let all = in_order(session);
        (kind == JumpKind::Item).then(|| JumpTargets {
            noun: "shard",
            all: all.iter().map(|shard| shard.index.to_string()).collect(),
            numbered: false,
            chosen: self.row(&all),
        })
    }

    fn choose(&mut self, _: JumpKind, index: usize, session: &Session) {
        self.chosen = in_order(session).get(index).map(|shard| shard.index);
    }

    fn figure(&self, _: &SharedState, session: &Session) -> Option<Figure> {
        figure::has(session, &Figure::Shards).then_some(Figure::Shards)
    }
}

/// The shards: those that need attention first, then those at work.
fn in_order(session: &Session) -> Vec<&ShardState> {
    let shards = session.run.as_ref().map(|run| &run.shards[..]);
    let mut order: Vec<&ShardState> = shards.unwrap_or_default().iter().collect();
    order.sort_by_key(|shard| (shard.standing, shard.index));
    order
}

/// Draws the summary of all shards in two lines.
fn summary(scene: &Scene<'_>, shards: &[ShardState], area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let run = scene.session.run.as_ref();
    let (done, total) = shards.iter().fold((0, 0), |(done, total), shard| {
        (done + shard.done, total + shard.total)
    });
    let begin = format!("{} shards   ", shards.len());
    let used = left(buf, area, 0, Span::styled(begin, theme.bright()));
    let words = cut(&shards_in_words(shards), usize::from(area.width - used));
    left(buf, beside(area, used), 0, Span::raw(words));
    let mut words = format!("{} trials", count(done as f64));
    if total > 0 {
        words += &format!(", {} of those started", percent(done as f64 / total as f64));
    }
    let rate: f64 = shards.iter().filter_map(|shard| shard.per_second).sum();
    if rate > 0.0 {
        words += &format!("   {} trials/s", theme.rate(rate));
    }
    if let Some(eta) = run.and_then(|run| run.eta_s) {
        words += &format!("   ETA {}", theme.duration(eta));
    }
    let words = cut(&words, usize::from(area.width));
    left(buf, area, 1, Span::styled(words, theme.dim()));
}

/// Draws one cell per shard, by number; returns the rows used.
fn strip(theme: &Theme, shards: &[ShardState], area: Rect, buf: &mut Buffer) -> u16 {
    let width = usize::from(area.width).max(1);
    // At most a third of the area: with very many shards, finished ones are not worth more.
    let rows = shards
        .len()
        .div_ceil(width)
        .min(usize::from(area.height / 3));
    for (row, all) in shards.chunks(width).take(rows).enumerate() {
        let cells = all
            .iter()
            .map(|shard| Span::styled(cell(theme, shard), style(theme, shard.standing)));
        left(buf, area, row as u16, Line::from(cells.collect::<Vec<_>>()));
    }
    rows as u16
}

/// A shard's progress, in one character.
fn cell(theme: &Theme, shard: &ShardState) -> &'static str {
    let glyphs = &theme.glyphs;
    match shard.standing {
        ShardStatus::Failed | ShardStatus::Died => glyphs.failed,
        ShardStatus::Stalled => glyphs.warning,
        ShardStatus::NotBegun | ShardStatus::Waiting => glyphs.waiting,
        ShardStatus::Done => glyphs.done,
        ShardStatus::Stopped | ShardStatus::Working => {
            let share = shard.done as f64 / shard.total.max(1) as f64;
            let steps = glyphs.spark.len();
            glyphs.spark[((share * steps as f64) as usize).min(steps - 1)]
        }
    }
}

fn style(theme: &Theme, standing: ShardStatus) -> Style {
    match standing {
        standing if standing.needs_attention() => theme.warning(),
        ShardStatus::Working => theme.accent(),
        ShardStatus::Done => theme.text(),
        _ => theme.dim(),
    }
}

/// Which parts of a shard's row are shown, as far as there is room.
#[derive(Debug, Clone, Copy)]
struct Columns {
    /// Columns of the progress bar.
    bar: u16,
    /// Whether the time left and the time since the last checkpoint are shown.
    times: bool,
    /// Whether node, device and job are shown.
    place: bool,
}

impl Columns {
    fn of(width: u16) -> Self {
        Self {
            bar: if width < 72 { 8 } else { 14 },
            times: width >= 72,
            place: width >= 100,
        }
    }

    /// Columns of a shard's number and state, before the bar.
    const STATE: u16 = 18;

    /// The headings of the columns.
    fn head(self) -> String {
        let done = usize::from(self.bar) + 7;
        let mut head = format!(
            "{:>5}  {:<9}  {:<done$}  {:>9}",
            "shard", "state", "done", "trials/s"
        );
        if self.times {
            head += &format!("  {:>12}  {:>12}", "left", "saved");
        }
        if self.place {
            head += "  node, device, job";
        }
        head
    }
}

/// Draws one row per shard; those around the chosen one if they do not all fit.
fn table(theme: &Theme, order: &[&ShardState], chosen: usize, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.height.saturating_sub(1));
    let chosen = chosen.min(order.len().saturating_sub(1));
    let all = order.len() <= room;
    let shown = match all {
        true => 0..order.len(),
        false => form::window(chosen, order.len(), room.saturating_sub(1)),
    };
    let columns = Columns::of(area.width.saturating_sub(2));
    let head = format!("  {}", columns.head());
    left(buf, area, 0, Span::styled(head, theme.dim()));
    for (row, index) in shown.clone().enumerate() {
        let area = below(area, row as u16 + 1);
        if index == chosen {
            left(
                buf,
                area,
                0,
                Span::styled(theme.glyphs.pointer, theme.chosen()),
            );
        }
        line(theme, columns, order[index], beside(area, 2), buf);
    }
    if !all {
        let rest = order[..shown.start].iter().chain(&order[shown.end..]);
        let rest: Vec<ShardState> = rest.map(|&shard| shard.clone()).collect();
        let words = format!(
            "{}–{} of {}; not shown: {}",
            shown.start + 1,
            shown.end,
            order.len(),
            shards_in_words(&rest)
        );
        let words = cut(&words, usize::from(area.width));
        let row = area.height.saturating_sub(1);
        left(buf, area, row, Span::styled(words, theme.dim()));
    }
}

fn line(theme: &Theme, columns: Columns, shard: &ShardState, area: Rect, buf: &mut Buffer) {
    let shard_style = style(theme, shard.standing);
    let begin = format!("{:>5}  {:<9}  ", shard.index, shard.standing.label());
    let used = left(buf, area, 0, Span::styled(begin, shard_style));
    let share = match shard.standing {
        ShardStatus::Done => 1.0,
        _ => shard.done as f64 / shard.total.max(1) as f64,
    };
    // A longer state takes its columns from the bar, so that the numbers stay below their headings.
    let bar = columns
        .bar
        .saturating_sub(used.saturating_sub(Columns::STATE));
    let mut spans = progress(share, bar, theme);
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let rate = or_none(shard.per_second.map(|rate| theme.rate(rate)));
    spans.push(Span::raw(format!(" {:>6}  {rate:>9}", percent(share))));
    if columns.times {
        let left = or_none(shard.eta_s.map(|seconds| theme.duration(seconds)));
        let saved = or_none(shard.saved_s.map(|seconds| theme.duration(seconds)));
        spans.push(Span::raw(format!("  {left:>12}  {saved:>12}")));
    }
    let location = [
        clean(&shard.node),
        clean(&shard.device),
        shard.job.as_deref().map(clean).unwrap_or_default(),
    ];
    let location: Vec<&str> = location
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    if columns.place {
        let (words, style) = match &shard.note {
            Some(note) => (clean(note), theme.warning()),
            None => (location.join(" · "), theme.text()),
        };
        let taken: usize = spans.iter().map(Span::width).sum();
        let room = usize::from(area.width - used).saturating_sub(taken + 2);
        spans.push(Span::styled(format!("  {}", cut(&words, room)), style));
    }
    left(buf, beside(area, used), 0, Line::from(spans));
}
