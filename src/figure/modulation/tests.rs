//! Tests of the modulation figure.

use super::{caption, draw, is_available};
use crate::drawing::{Drawing, Mark, Paint, Sheet, layout_faults, test_sheets};
use crate::figure::FigureError;
use crate::ids::Gamma;
use crate::session::config::{self, Analysis};
use crate::session::record::{self, COUNTS_PER_CLASS, ModulatedLayer, Modulation};
use crate::session::{Array, Config, Form, Session};

/// A layer of `classes` classes, pushed by −1, 0 and 1: images of the class pushed towards are classified correctly in
/// half of all cases, plus `by` tenths at strength 1; all others in eight of ten.
fn layer(name: &str, classes: usize, by: i64) -> ModulatedLayer {
    let mut counts = Vec::new();
    for target in 0..classes {
        for strength in -1..=1_i64 {
            let own_rate = 5 + by * strength;
            let right = (0..classes).map(|class| if class == target { own_rate } else { 8 });
            let right: Vec<i64> = right.collect();
            for called in [vec![2; classes], right.clone()] {
                counts.extend(vec![10; classes]);
                counts.extend(&right);
                counts.extend(called);
            }
        }
    }
    ModulatedLayer {
        name: name.into(),
        alpha: 0.1,
        shown: vec![100; classes],
        activation: Array::zeros(&[classes, 2]),
        counts: Array::new(&[classes, 3, 2, COUNTS_PER_CLASS, classes], counts),
    }
}

fn session(classes: usize, layers: Vec<ModulatedLayer>) -> Session {
    let config = Config {
        analyses: vec![Analysis::Modulation(config::Modulation::default())],
        ..Config::default()
    };
    let mut session = Session::new("pushed", config);
    let names = (0..classes).map(|class| match class {
        0 => "a class whose name has no end that anybody has seen".to_owned(),
        _ => class.to_string(),
    });
    session.record.form = Some(Form {
        classes: names.collect(),
        ..Form::numbered([1, 2, 2], 0)
    });
    session.record.analyses = vec![record::Analysis::Modulation(Modulation {
        gammas: vec![Gamma(0.0), Gamma(1.0)],
        strengths: vec![-1, 0, 1],
        layers,
        ..Modulation::default()
    })];
    session
}

fn texts(drawing: &Drawing) -> Vec<String> {
    let text = |mark: &Mark| match mark {
        Mark::Text { label: words, .. } => Some(words.text.clone()),
        _ => None,
    };
    drawing.marks.iter().filter_map(text).collect()
}

#[test]
fn the_layer_most_affected_by_pushes_comes_first() {
    let session = session(3, vec![layer("still", 3, 0), layer("moving", 3, 5)]);
    let drawing = draw(&session, 0, Sheet::DOUBLE).unwrap();
    let texts = texts(&drawing);
    let index_of = |begin: &str| texts.iter().position(|text| text.starts_with(begin));
    assert!(index_of("moving").unwrap() < index_of("still").unwrap());
    assert!(drawing.alt_text.contains("In moving at strength −1"));
    assert!(drawing.alt_text.contains("0.0 % (50.0 % without)"));
}

/// 0, 50 and 100 % at even distances lie on a straight line.
#[test]
fn a_curve_passes_through_its_shares() {
    let session = session(3, vec![layer("moving", 3, 5)]);
    let drawing = draw(&session, 0, Sheet::SINGLE).unwrap();
    let curve = drawing.marks.iter().rev().find_map(|mark| match mark {
        Mark::Line {
            points,
            paint: Paint::First,
            ..
        } => Some(points),
        _ => None,
    });
    let curve = curve.unwrap();
    assert_eq!(curve.len(), 3);
    let step = |index: usize| {
        (
            curve[index + 1].0 - curve[index].0,
            curve[index].1 - curve[index + 1].1,
        )
    };
    let (first, second) = (step(0), step(1));
    assert!((first.0 - second.0).abs() < 1e-9 && (first.1 - second.1).abs() < 1e-9);
    assert!(first.0 > 0.0 && first.1 > 0.0);
}

#[test]
fn text_fits_on_every_sheet_with_any_number_of_classes() {
    for classes in [2, 10, 100] {
        let layers = ["one", "a layer whose name is longer than any plot is wide"];
        let layers = layers.map(|name| layer(name, classes, 3));
        let session = session(classes, layers.to_vec());
        for sheet in test_sheets() {
            assert_eq!(layout_faults(&draw(&session, 0, sheet).unwrap()), [""; 0]);
        }
    }
}

#[test]
fn the_caption_says_what_is_only_partly_measured() {
    let mut first = layer("first", 3, 2);
    let cells = first.counts.values().len() / 3;
    first.counts.values_mut()[cells..].fill(0);
    let mut second = layer("second", 3, 0);
    second.counts.values_mut().fill(0);
    let session = session(3, vec![first, second.clone()]);
    assert!(is_available(&session, 0));
    let drawing = draw(&session, 0, Sheet::SINGLE).unwrap();
    assert_eq!(layout_faults(&drawing), [""; 0]);
    let caption = caption(&session, 0).unwrap();
    assert!(caption.contains("1 of 2 layers have not been pushed yet"));
    assert!(caption.contains("first is pushed towards 1 of its classes"));
    assert!(caption.contains("30 test images"), "{caption}");
    let nothing = super::tests::session(3, vec![second]);
    assert_eq!(
        draw(&nothing, 0, Sheet::SINGLE),
        Err(FigureError::Missing("modulation"))
    );
    assert_eq!(super::caption(&nothing, 0), None);
}
