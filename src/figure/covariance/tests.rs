//! Tests of the covariance figure.

use super::{caption, draw, is_available, units};
use crate::drawing::{Mark, Paint, Sheet, Stroke, layout_faults, test_sheets};
use crate::figure::FigureError;
use crate::ids::BlockIndex;
use crate::session::config::{self, Analysis};
use crate::session::form::Shape;
use crate::session::record::{
    self, BlockResponses, Covariance, FIXED_POINT, LayerResponses, SpikeTriggered,
};
use crate::session::{Array, Config, Session};

/// A unit of a layer whose eigenvalues rise from −1 in even steps, followed by `axes` of them that are 5 and more,
/// with chance from −2 to 2.
fn spikes(layer: &str, unit: usize, field: Shape, axes: usize) -> SpikeTriggered {
    let pixels: usize = field.iter().product();
    let mut covariance = Covariance::new(
        config::UnitId {
            layer: layer.into(),
            unit,
        },
        field,
    );
    covariance.fields = 12_345;
    covariance.outer = Array::default();
    let inside = (0..pixels - axes).map(|index| -1.0 + 2.0 * index as f64 / pixels as f64);
    let outside = (0..axes).map(|index| 5.0 + index as f64);
    covariance.eigenvalues = inside.chain(outside).collect();
    covariance.shuffled = Some((-2.0, 2.0));
    covariance.significant = (0..axes).rev().map(|index| 5.0 + index as f64).collect();
    let [c, h, w] = field;
    let values = (0..axes * pixels).map(|index| ((index % 9) as f32 - 4.0) / 10.0);
    covariance.axes = Array::new(&[axes, c, h, w], values.collect());
    let units = unit + 1;
    let mut responses = LayerResponses::new(layer, units, field, false, None);
    let fixed = FIXED_POINT as i64;
    responses.add_noise(
        BlockIndex(0),
        &BlockResponses {
            fields: 100,
            fired: vec![10; units],
            activation: vec![10 * fixed; units],
            magnitude: vec![10 * fixed; units],
            stimulus: vec![0; pixels],
            weighted: (0..(units * pixels) as i64)
                .map(|index| (index % 5 - 2) * fixed)
                .collect(),
        },
    );
    SpikeTriggered {
        layers: vec![responses],
        covariance: Some(covariance),
        ..SpikeTriggered::default()
    }
}

fn session(all: Vec<SpikeTriggered>) -> Session {
    let plan = Analysis::SpikeTriggered(config::SpikeTriggered::default());
    let config = Config {
        analyses: vec![plan; all.len()],
        ..Config::default()
    };
    let mut session = Session::new("axes", config);
    let all = all.into_iter().map(record::Analysis::SpikeTriggered);
    session.record.analyses = all.collect();
    session
}

#[test]
fn the_average_and_every_axis_outside_chance_are_drawn() {
    let session = session(vec![spikes("conv1", 2, [1, 5, 5], 3)]);
    assert!(is_available(&session, "conv1") && !is_available(&session, "conv2"));
    let drawing = draw(&session, "conv1", Sheet::DOUBLE).unwrap();
    let maps = drawing
        .marks
        .iter()
        .filter(|mark| matches!(mark, Mark::Pixels { paints, .. } if paints.len() == 25));
    assert_eq!(maps.count(), 4);
    let dots = drawing.marks.iter().filter_map(|mark| match mark {
        Mark::Line {
            points,
            stroke: Stroke::Points,
            paint: Paint::First,
            ..
        } => Some(points.len()),
        _ => None,
    });
    // Those of the legend, and the three.
    assert_eq!(dots.collect::<Vec<_>>(), [3, 3]);
    assert!(
        drawing
            .alt_text
            .contains("3 of 25 eigenvalues outside chance, −2 to +2")
    );
    assert!(
        drawing.alt_text.contains("+7, +6, +5"),
        "{}",
        drawing.alt_text
    );
    let caption = caption(&session, "conv1").unwrap();
    assert!(caption.contains("12,345 receptive fields"), "{caption}");
}

#[test]
fn the_unit_farthest_outside_chance_comes_first() {
    let all = [0, 1, 4, 2, 3].map(|axes| spikes("conv1", axes, [1, 4, 4], axes));
    let session = session(all.to_vec());
    let found = units(&session, "conv1");
    let found: Vec<usize> = found.iter().map(|unit| unit.covariance.unit.unit).collect();
    assert_eq!(found, [4, 3, 2, 1, 0]);
    let drawing = draw(&session, "conv1", Sheet::SINGLE).unwrap();
    assert_eq!(layout_faults(&drawing), [""; 0]);
    let words = |mark: &Mark| match mark {
        Mark::Text { label: words, .. } => words.text.starts_with("4 of 5 units"),
        _ => false,
    };
    assert!(drawing.marks.iter().any(words));
}

/// One figure has the axes of a layer's units of all experiments, which may have been shown different noise.
#[test]
fn units_that_were_shown_different_noise_are_named_with_it() {
    let one = || spikes("conv1", 2, [1, 5, 5], 3);
    let mut session = session(vec![one(), one()]);
    let text = caption(&session, "conv1").unwrap();
    assert!(text.contains("pixels of gaussian noise."), "{text}");
    assert!(text.contains(" Unit 2: "), "{text}");
    if let Analysis::SpikeTriggered(plan) = &mut session.config.analyses[1] {
        plan.noise = config::Noise::Binary;
    }
    let text = caption(&session, "conv1").unwrap();
    assert!(text.contains("pixels."), "{text}");
    for name in [" Unit 2, gaussian noise: ", " Unit 2, binary noise: "] {
        assert!(text.contains(name), "{text}");
    }
    let drawing = draw(&session, "conv1", Sheet::SINGLE).unwrap();
    assert_eq!(layout_faults(&drawing), [""; 0]);
}

#[test]
fn text_fits_and_colour_images_are_in_colour() {
    for (field, axes) in [
        ([1, 28, 28], 8),
        ([3, 5, 5], 8),
        ([2, 3, 9], 1),
        ([1, 5, 5], 0),
    ] {
        let session = session(vec![spikes(
            "a layer of a very long name/in a file",
            3,
            field,
            axes,
        )]);
        for sheet in test_sheets() {
            let layer = "a layer of a very long name/in a file";
            let drawing = draw(&session, layer, sheet).unwrap();
            assert_eq!(layout_faults(&drawing), [""; 0]);
            let is_coloured = |mark: &Mark| matches!(mark, Mark::Pixels { paints, .. } if matches!(paints[0], Paint::Rgb(_)));
            assert_eq!(drawing.marks.iter().any(is_coloured), field[0] == 3);
        }
    }
}

#[test]
fn errors_name_what_is_missing() {
    let mut open = spikes("conv1", 2, [1, 5, 5], 3);
    if let Some(covariance) = &mut open.covariance {
        covariance.eigenvalues.clear();
    }
    let session = session(vec![open]);
    let nothing = FigureError::Missing("spike-triggered covariances");
    assert_eq!(draw(&session, "conv1", Sheet::SINGLE), Err(nothing.clone()));
    let none = Session::new("none", Config::default());
    assert_eq!(draw(&none, "conv1", Sheet::SINGLE), Err(nothing));
    let unknown = draw(&session, "conv9", Sheet::SINGLE).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no layer `conv9`; there are conv1"
    );
    assert_eq!(caption(&session, "conv1"), None);
}
