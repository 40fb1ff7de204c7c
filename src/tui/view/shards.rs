//! The shards of a session that is divided: how far each is, where it runs, and which need somebody.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Entry, Log, View};
use crate::format::{clean, count, percent};
use crate::session::run::{ShardStanding, ShardState, shards_in_words};
use crate::tui::action::Place;
use crate::tui::scene::Scene;
use crate::tui::theme::Theme;
use crate::tui::widget::bar::progress;
use crate::tui::widget::text::{below, beside, centre, cut, left};

/// Its line of the table.
pub const VIEW: Entry = Entry {
    name: "Shards",
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
    new: || Box::new(Shards),
};

/// The view: there is nothing to choose in it.
#[derive(Debug, Clone, Copy)]
pub struct Shards;

impl View for Shards {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let theme = scene.theme;
        let shards = scene.session.run.as_ref().map(|run| &run.shards[..]);
        let Some(shards) = shards.filter(|it| !it.is_empty()) else {
            let words = match scene.session.record.sharding {
                Some(_) => "Looking at the files of the shards …",
                None => "Its shards are merged.",
            };
            centre(buf, area, area.height / 2, Span::styled(words, theme.dim()));
            return;
        };
        summary(scene, shards, area, buf);
        let strips = strip(theme, shards, below(area, 2), buf);
        table(theme, shards, below(area, 3 + strips), buf);
    }

    fn places(&self) -> &'static [Place] {
        &[]
    }
}

/// All of them in one line.
fn summary(scene: &Scene<'_>, shards: &[ShardState], area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let run = scene.session.run.as_ref();
    let (done, total) = shards.iter().fold((0, 0), |(done, total), it| {
        (done + it.done, total + it.total)
    });
    let begin = format!("{} shards   ", shards.len());
    let used = left(buf, area, 0, Span::styled(begin, theme.bright()));
    let words = cut(&shards_in_words(shards), usize::from(area.width - used));
    left(buf, beside(area, used), 0, Span::raw(words));
    let mut words = format!("{} trials", count(done as f64));
    if total > 0 {
        words += &format!(", {} of those begun", percent(done as f64 / total as f64));
    }
    let rate: f64 = shards.iter().filter_map(|it| it.per_second).sum();
    if rate > 0.0 {
        words += &format!("   {} trials/s", theme.rate(rate));
    }
    if let Some(eta) = run.and_then(|run| run.eta_s) {
        words += &format!("   ETA {}", theme.duration(eta));
    }
    let words = cut(&words, usize::from(area.width));
    left(buf, area, 1, Span::styled(words, theme.dim()));
}

/// A cell a shard, by number; gives the rows it took.
fn strip(theme: &Theme, shards: &[ShardState], area: Rect, buf: &mut Buffer) -> u16 {
    let width = usize::from(area.width).max(1);
    // No more than a third of the place: with very many shards, those that are done alike say little.
    let rows = shards
        .len()
        .div_ceil(width)
        .min(usize::from(area.height / 3));
    for (row, all) in shards.chunks(width).take(rows).enumerate() {
        let cells = all
            .iter()
            .map(|it| Span::styled(cell(theme, it), style(theme, it.standing)));
        left(buf, area, row as u16, Line::from(cells.collect::<Vec<_>>()));
    }
    rows as u16
}

/// How far a shard is, in one character.
fn cell(theme: &Theme, shard: &ShardState) -> &'static str {
    let glyphs = &theme.glyphs;
    match shard.standing {
        ShardStanding::Failed | ShardStanding::Died => glyphs.failed,
        ShardStanding::Stalled => glyphs.warning,
        ShardStanding::NotBegun | ShardStanding::Waiting => glyphs.waiting,
        ShardStanding::Done => glyphs.done,
        ShardStanding::Stopped | ShardStanding::Working => {
            let share = shard.done as f64 / shard.total.max(1) as f64;
            let steps = glyphs.spark.len();
            glyphs.spark[((share * steps as f64) as usize).min(steps - 1)]
        }
    }
}

fn style(theme: &Theme, standing: ShardStanding) -> Style {
    match standing {
        it if it.needs_a_person() => theme.warning(),
        ShardStanding::Working => theme.accent(),
        ShardStanding::Done => theme.text(),
        _ => theme.dim(),
    }
}

/// What a line says of a shard, as far as there is room.
#[derive(Debug, Clone, Copy)]
struct Columns {
    /// Columns of its progress.
    bar: u16,
    /// Whether the seconds left and those since the last checkpoint have room.
    times: bool,
    /// Whether the place has.
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

    /// Their names.
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

/// One line a shard, those that need somebody first, then those at work.
fn table(theme: &Theme, shards: &[ShardState], area: Rect, buf: &mut Buffer) {
    let mut order: Vec<&ShardState> = shards.iter().collect();
    order.sort_by_key(|it| (it.standing, it.index));
    let room = usize::from(area.height.saturating_sub(1));
    let shown = match order.len() <= room {
        true => order.len(),
        false => room.saturating_sub(1),
    };
    let columns = Columns::of(area.width);
    left(buf, area, 0, Span::styled(columns.head(), theme.dim()));
    for (row, shard) in order.iter().take(shown).enumerate() {
        line(theme, columns, shard, below(area, row as u16 + 1), buf);
    }
    if shown < order.len() {
        let rest = &order[shown..];
        let rest: Vec<ShardState> = rest.iter().map(|&it| it.clone()).collect();
        let words = format!("… and {} more: {}", rest.len(), shards_in_words(&rest));
        let words = cut(&words, usize::from(area.width));
        left(
            buf,
            area,
            shown as u16 + 1,
            Span::styled(words, theme.dim()),
        );
    }
}

fn line(theme: &Theme, columns: Columns, shard: &ShardState, area: Rect, buf: &mut Buffer) {
    let own = style(theme, shard.standing);
    let begin = format!("{:>5}  {:<9}  ", shard.index, shard.standing.label());
    let used = left(buf, area, 0, Span::styled(begin, own));
    let share = match shard.standing {
        ShardStanding::Done => 1.0,
        _ => shard.done as f64 / shard.total.max(1) as f64,
    };
    let mut spans = progress(share, columns.bar, theme);
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let rate = or_none(shard.per_second.map(|it| theme.rate(it)));
    spans.push(Span::raw(format!(" {:>6}  {rate:>9}", percent(share))));
    if columns.times {
        let left = or_none(shard.eta_s.map(|it| theme.duration(it)));
        let saved = or_none(shard.saved_s.map(|it| theme.duration(it)));
        spans.push(Span::raw(format!("  {left:>12}  {saved:>12}")));
    }
    let place = [
        clean(&shard.node),
        clean(&shard.device),
        shard.job.as_deref().map(clean).unwrap_or_default(),
    ];
    let place: Vec<&str> = place
        .iter()
        .map(String::as_str)
        .filter(|it| !it.is_empty())
        .collect();
    if columns.place {
        let (words, style) = match &shard.note {
            Some(note) => (clean(note), theme.warning()),
            None => (place.join(" · "), theme.text()),
        };
        let taken: usize = spans.iter().map(Span::width).sum();
        let room = usize::from(area.width - used).saturating_sub(taken + 2);
        spans.push(Span::styled(format!("  {}", cut(&words, room)), style));
    }
    left(buf, beside(area, used), 0, Line::from(spans));
}
