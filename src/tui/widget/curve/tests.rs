//! Tests of the curve widget.

use super::*;
use crate::tui::theme::{Background, Depth};

fn chart(points: &[(f64, f64)], stroke: Stroke) -> Chart {
    Chart {
        x: (0.0, 1.0),
        y: (0.0, 1.0),
        axis: Axis::Linear,
        y_labels: vec![(1.0, "1".into())],
        x_labels: vec![(0.0, "0".into()), (1.0, "1".into())],
        mark: None,
        series: vec![Series {
            points: points.to_vec(),
            style: Style::new(),
            stroke,
        }],
        gutter: 2,
    }
}

fn drawn(chart: &Chart, unicode: bool) -> Vec<String> {
    let theme = Theme::new(Depth::Mono, Background::Dark, unicode);
    let mut buf = Buffer::empty(Rect::new(0, 0, 8, 4));
    chart.draw(buf.area, &theme, &mut buf);
    (0..4)
        .map(|y| (0..8).map(|x| buf[(x, y)].symbol()).collect())
        .collect()
}

#[test]
fn a_rising_line_rises() {
    let rising = chart(&[(0.0, 0.0), (1.0, 1.0)], Stroke::Solid);
    assert_eq!(
        drawn(&rising, true),
        ["1 ·   ⡠⠊", "    ⡠⠊  ", "  ⡠⠊    ", "  0    1"]
    );
}

#[test]
fn nan_and_values_outside_do_no_harm() {
    for points in [
        vec![],
        vec![(0.0, f64::NAN)],
        vec![(f64::NAN, 0.5), (0.3, f64::INFINITY), (9.0, -9.0)],
    ] {
        drawn(&chart(&points, Stroke::Dotted), true);
        drawn(&chart(&points, Stroke::Points), false);
    }
    let mut flat = chart(&[(0.0, 1.0), (1.0, 1.0)], Stroke::Solid);
    flat.x = (0.0, 0.0);
    flat.y = (1.0, 1.0);
    drawn(&flat, true);
}

#[test]
fn a_band_is_filled_between_its_edges_and_its_curve_stays_visible() {
    let level = chart(&[(0.0, 0.5), (1.0, 0.5)], Stroke::Solid);
    let band = Band {
        points: vec![(0.0, 0.0, 1.0), (1.0, 0.5, 0.5)],
        style: Style::new(),
    };
    let theme = Theme::new(Depth::Mono, Background::Dark, false);
    let mut buf = Buffer::empty(Rect::new(0, 0, 13, 6));
    level.draw_over(&[band], buf.area, &theme, &mut buf);
    let rows: Vec<String> = (0..5)
        .map(|y| (2..13).map(|x| buf[(x, y)].symbol()).collect())
        .collect();
    assert_eq!(rows[2], "***********", "{rows:#?}");
    let filled = |row: &str| row.matches(':').count();
    assert!(filled(&rows[0]) > 0 && filled(&rows[4]) > 0, "{rows:#?}");
    assert!(filled(&rows[1]) > filled(&rows[0]), "{rows:#?}");
    assert!(rows.iter().all(|row| !row.ends_with(':')), "{rows:#?}");
}

#[test]
fn strokes_differ_without_colour() {
    let strokes = [
        Stroke::Solid,
        Stroke::Dashed,
        Stroke::DashDotted,
        Stroke::Dotted,
    ];
    for unicode in [true, false] {
        let drawn = strokes.map(|stroke| drawn(&chart(&[(0.0, 0.5), (1.0, 0.5)], stroke), unicode));
        for (index, one) in drawn.iter().enumerate() {
            assert!(drawn[..index].iter().all(|other| other != one));
        }
    }
}
