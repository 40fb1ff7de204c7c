//! How often images blended with a pattern are called what the attacker wants, against the weight
//! of the pattern; and one image on its way.

mod chart;
mod pictures;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Log, Scene, View, awaited};
use crate::format::{count, gamma};
use crate::session::config::CLASSES;
use crate::session::record::{Attack, PATTERNS};
use crate::stats::interval::{Interval, wilson};
use crate::tui::action::Place;
use crate::tui::state::State;
use crate::tui::widget::text::{below, beside, left, start, top};

/// The view.
pub const VIEW: View = View {
    name: "Attack",
    draw,
    places,
    columns: |_, _| 1,
    figure: super::pictured::attack,
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
};

fn places(_: &State) -> &'static [Place] {
    &[Place::Classes, Place::Attack]
}

/// What of an attack is in sight, every place inside its axis.
#[derive(Debug, Clone, Copy)]
struct Sight<'a> {
    attack: &'a Attack,
    /// The target; whether all of them are seen at once.
    target: usize,
    all: bool,
    /// 0: images; 1: noise.
    source: usize,
    /// The chosen pattern.
    pattern: usize,
    /// The chosen weight, by its place, and itself.
    weight: usize,
    w: f64,
}

impl<'a> Sight<'a> {
    fn new(attack: &'a Attack, state: &State) -> Option<Self> {
        let weight = state.weight.min(attack.weights.len().checked_sub(1)?);
        Some(Self {
            attack,
            target: state.class.min(CLASSES - 1),
            all: state.target_mean,
            source: state.source.min(1),
            pattern: state.pattern.min(PATTERNS.len() - 1),
            weight,
            w: attack.weights[weight],
        })
    }

    /// Targeted success of a pattern at a weight: the rate with its interval, and how many stimuli
    /// it was taken from; `None` where there is nothing yet or no pattern.
    fn success(&self, pattern: usize, weight: usize) -> Option<(Interval, u64)> {
        let (mean, share) = match self.all {
            true => self.attack.mean_targeted(self.source, pattern, weight)?,
            false => {
                let target = self.target;
                let share = self.attack.targeted(self.source, pattern, target, weight)?;
                (share.rate()?, share)
            }
        };
        let own = wilson(share.hits, share.of)?;
        // Around the mean over targets the interval of the pooled counts keeps its width.
        let off = mean - own.estimate;
        let interval = Interval {
            estimate: mean,
            low: (own.low + off).clamp(0.0, mean),
            high: (own.high + off).clamp(mean, 1.0),
        };
        Some((interval, share.of))
    }
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(attack) = awaited::begun::<Attack>(scene, area, buf) else {
        return;
    };
    let Some(sight) = Sight::new(attack, scene.state) else {
        return;
    };
    choices(scene, &sight, area, buf);
    let body = below(area, 1 + u16::from(area.height >= 22));
    let pictures = pictures::columns((body.width, body.height));
    let chart = match pictures {
        0 => body,
        columns => {
            let place = beside(body, body.width - columns);
            pictures::draw(scene, &sight, place, buf);
            start(body, body.width - columns - 3)
        }
    };
    let rows = chart::LEGEND + 1 + u16::from(pictures == 0);
    let height = chart.height.saturating_sub(rows);
    chart::curves(scene, &sight, top(chart, height), buf);
    let under = below(chart, height + 1);
    chart::legend(scene, &sight, under, buf);
    if pictures == 0 {
        pictures::sentence(scene, &sight, below(under, chart::LEGEND), buf);
    }
}

/// What is shown, among what could be.
fn choices(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let one = |chosen: bool, text: String| match chosen {
        true => Span::styled(format!("{}{text} ", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(format!(" {text} "), theme.dim()),
    };
    let mut spans = vec![
        one(!sight.all, format!("target {}", sight.target)),
        one(sight.all, "mean of all targets".into()),
        Span::raw("  "),
        one(sight.source == 0, "images".into()),
    ];
    if crate::tui::steps::sources(scene.session) > 1 {
        spans.push(one(sight.source == 1, "noise".into()));
    }
    let mut more = Vec::new();
    if let Some(own) = sight.attack.gamma {
        more.push(format!("patterns of {} {}", theme.glyphs.gamma, gamma(own)));
    }
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
