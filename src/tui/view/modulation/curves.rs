//! The curves of the chosen class: the effect of a push towards it by strength, and how visible an image must
//! be for the class to be recognised.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::selection::{ModulationSelection, signed};
use crate::format::short;
use crate::ids::{ClassId, Gamma};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::widget::columns::columns;
use crate::tui::widget::curve::{Chart, LineEnd, Series, Stroke, VerticalLine};
use crate::tui::widget::text::{below, left};

/// Accuracy of the class on test images, mean accuracy of the others, and the share of noise called the
/// class, by the strength of a push towards it.
pub fn by_strength(
    scene: &Scene<'_>,
    sight: &ModulationSelection<'_>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let class = sight.class;
    let strengths = &sight.modulation.strengths;
    let curve = |value: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
        let all = strengths.iter().enumerate();
        all.filter_map(|(index, &k)| Some((k as f64, value(index)?)))
            .collect()
    };
    let others = |strength: usize| {
        let others = ClassId::all(sight.classes).filter(|&other| other != class);
        let rates = others.filter_map(|other| sight.accuracy(class, strength, sight.image, other));
        let rates: Vec<f64> = rates.collect();
        (!rates.is_empty()).then(|| rates.iter().sum::<f64>() / rates.len() as f64)
    };
    let series = vec![
        Series {
            points: curve(&|strength| sight.noise(class, strength)),
            style: theme.dim(),
            stroke: Stroke::Dotted,
        },
        Series {
            points: curve(&others),
            style: theme.text(),
            stroke: Stroke::Dashed,
        },
        Series {
            points: curve(&|strength| sight.accuracy(class, strength, sight.image, class)),
            style: theme.chosen(),
            stroke: Stroke::Solid,
        },
    ];
    let room = usize::from(area.width).saturating_sub("pushed towards ".len() + 2);
    let of_class = form::class_label(sight.session, class);
    let names = ["noise".into(), "others".into(), of_class];
    let title = format!(
        "pushed towards {}",
        form::class_name_within(sight.session, class, room)
    );
    legend(scene, &title, &series, &names, area, buf);
    let (first, last) = (
        strengths.first().copied().unwrap_or(0),
        strengths.last().copied().unwrap_or(1),
    );
    let label = |k: i64| (k as f64, signed(k));
    let k = sight.k(sight.strength);
    Chart {
        x: (first as f64, last as f64),
        x_labels: [first, first / 2, 0, last / 2, last].map(label).to_vec(),
        mark: Some(VerticalLine {
            x: k as f64,
            words: vec![format!("k {}", signed(k))],
            at: LineEnd::Top,
        }),
        ..Chart::of_shares(series, area)
    }
    .draw(below(area, 1), theme, buf);
}

/// Accuracy of the class by γ: with the chosen push, with the opposite one, and with none.
pub fn psychometric(
    scene: &Scene<'_>,
    sight: &ModulationSelection<'_>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let class = sight.class;
    let curve = |strength: usize| -> Vec<(f64, f64)> {
        let gammas = sight.modulation.gammas.iter().enumerate();
        let point = |(index, &gamma): (usize, &Gamma)| {
            Some((gamma.0, sight.accuracy(class, strength, index, class)?))
        };
        gammas.filter_map(point).collect()
    };
    let series_for = |strength: usize, style: Style, stroke: Stroke| Series {
        points: curve(strength),
        style,
        stroke,
    };
    let k = sight.k(sight.strength);
    let mut series = vec![series_for(sight.rest, theme.dim(), Stroke::Dotted)];
    let mut names = vec!["k 0".to_string()];
    let opposite = sight
        .modulation
        .strengths
        .iter()
        .position(|&strength| strength == -k);
    if let (Some(opposite), true) = (opposite, k != 0) {
        series.push(series_for(opposite, theme.text(), Stroke::Dashed));
        names.push(format!("k {}", signed(-k)));
        series.push(series_for(sight.strength, theme.chosen(), Stroke::Solid));
        names.push(format!("k {}", signed(k)));
    }
    let by = format!("by {}", theme.glyphs.gamma);
    let long = format!(
        "accuracy of {} {by}",
        form::class_label(sight.session, class)
    );
    let title = match columns(&long) <= usize::from(area.width) {
        true => long,
        false => format!("accuracy of class {class} {by}"),
    };
    legend(scene, &title, &series, &names, area, buf);
    Chart {
        x: (0.0, 1.0),
        x_labels: [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
            .map(|x| (x, short(x)))
            .to_vec(),
        mark: None,
        ..Chart::of_shares(series, area)
    }
    .draw(below(area, 1), theme, buf);
}

/// Draws the legend, last curve first, as far as it fits.
fn legend(
    scene: &Scene<'_>,
    title: &str,
    series: &[Series],
    names: &[String],
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let mut line = Line::from(Span::styled(format!("{title}  "), theme.bright()));
    for (series, name) in series.iter().zip(names).rev() {
        let sample = Span::styled(format!("{} ", series.stroke.sample(theme)), series.style);
        let name = Span::styled(format!("{name}  "), theme.dim());
        if line.width() + sample.width() + name.width() <= usize::from(area.width) + 2 {
            line.spans.extend([sample, name]);
        }
    }
    left(buf, area, 0, line);
}
