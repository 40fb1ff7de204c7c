//! What the network says with the biases of a layer pushed: by how much every class is recognised
//! better or worse, and the curves behind it.

mod curves;
mod table;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Log, Scene, View, awaited};
use crate::format::short;
use crate::session::config::CLASSES;
use crate::session::record::{ModulatedLayer, Modulation};
use crate::tui::action::Place;
use crate::tui::state::State;
use crate::tui::widget::text::{below, beside, left, start, top};

/// The view.
pub const VIEW: View = View {
    name: "Modulation",
    draw,
    places,
    columns: |_, _| 1,
    figure: |_, _| None,
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
};

fn places(_: &State) -> &'static [Place] {
    &[Place::Classes, Place::Layers, Place::Strengths]
}

/// A layer and a push of it, every place inside its axis.
#[derive(Clone, Copy)]
struct Sight<'a> {
    modulation: &'a Modulation,
    layer: &'a ModulatedLayer,
    /// Place of the strength.
    strength: usize,
    /// Place of the strength 0.
    rest: usize,
    /// Place of γ = 1: the image alone.
    image: usize,
    /// The chosen class.
    class: usize,
}

impl<'a> Sight<'a> {
    fn new(modulation: &'a Modulation, state: &State) -> Option<Self> {
        let last = modulation.layers.len().checked_sub(1)?;
        let strengths = &modulation.strengths;
        Some(Self {
            modulation,
            layer: &modulation.layers[state.layer.min(last)],
            strength: state.strength.min(strengths.len().checked_sub(1)?),
            rest: strengths.iter().position(|&k| k == 0)?,
            image: modulation.gammas.len().checked_sub(1)?,
            class: state.class.min(CLASSES - 1),
        })
    }

    /// Share of a class's stimuli that are called it, pushed towards `target`.
    fn accuracy(&self, target: usize, strength: usize, gamma: usize, class: usize) -> Option<f64> {
        let (hits, of) = self.layer.accuracy(target, strength, gamma, class)?;
        Some(hits as f64 / of as f64)
    }

    /// By how much that changes on test images between no push and the one in sight.
    fn change(&self, target: usize, class: usize) -> Option<f64> {
        let pushed = self.accuracy(target, self.strength, self.image, class)?;
        Some(pushed - self.accuracy(target, self.rest, self.image, class)?)
    }

    /// Share of pure noise that is called the target.
    fn noise(&self, target: usize, strength: usize) -> Option<f64> {
        let (called, of) = self.layer.share_called(target, strength, 0, target);
        (of > 0).then(|| called as f64 / of as f64)
    }

    /// The strength k of a place.
    fn k(&self, place: usize) -> i64 {
        self.modulation.strengths[place]
    }
}

/// A strength as it is written: `+3`, `−3`, `0`.
fn signed(k: i64) -> String {
    match k {
        0 => "0".into(),
        1.. => format!("+{k}"),
        _ => format!("−{}", k.unsigned_abs()),
    }
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(modulation) = awaited::begun::<Modulation>(scene, area, buf) else {
        return;
    };
    let Some(sight) = Sight::new(modulation, scene.state) else {
        return;
    };
    choices(scene, &sight, area, buf);
    let body = below(area, 1 + u16::from(area.height >= 22));
    let (width, height) = table::size(body.width);
    if body.width >= width + 40 {
        table::draw(scene, &sight, start(body, width), buf);
        let rest = beside(body, width + 3);
        let half = rest.height.min(36) / 2;
        curves::by_strength(scene, &sight, top(rest, half.saturating_sub(1)), buf);
        curves::psychometric(scene, &sight, top(below(rest, half), half), buf);
    } else {
        table::draw(scene, &sight, top(body, height), buf);
        let rest = below(body, height);
        if rest.height < 5 {
            return;
        }
        let half = rest.width / 2;
        curves::by_strength(scene, &sight, start(rest, half.saturating_sub(1)), buf);
        curves::psychometric(scene, &sight, beside(rest, half + 1), buf);
    }
}

/// The layers, and the strength of the push.
fn choices(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let mut spans = Vec::new();
    for layer in &sight.modulation.layers {
        spans.push(match layer.name == sight.layer.name {
            true => Span::styled(
                format!("{}{}  ", theme.glyphs.pointer, layer.name),
                theme.chosen(),
            ),
            false => Span::styled(format!(" {}  ", layer.name), theme.dim()),
        });
    }
    let k = sight.k(sight.strength);
    let bias = short((k as f64 * sight.layer.alpha).abs());
    spans.push(Span::styled("   strength ", theme.dim()));
    spans.push(Span::styled(signed(k), theme.chosen()));
    let (first, last) = (
        sight.modulation.strengths.first(),
        sight.modulation.strengths.last(),
    );
    if let (Some(&first), Some(&last)) = (first, last) {
        let range = format!(" of {} to {}", signed(first), signed(last));
        spans.push(Span::styled(range, theme.dim()));
    }
    let what = match k {
        0 => "   no push".to_string(),
        1.. => format!("   biases raised by up to {bias}"),
        _ => format!("   biases lowered by up to {bias}"),
    };
    spans.push(Span::styled(what, theme.dim()));
    while Line::from(spans.clone()).width() > usize::from(area.width) && spans.len() > 2 {
        spans.pop();
    }
    left(buf, area, 0, Line::from(spans));
}
