//! Tests of images whose outputs are not numbers: they are called no class, and none is made up for them.

use burn::tensor::Device;

use super::testing::{digits, lab_with, unbounded, with_images};
use super::{Job, Lab, build};
use crate::data::Images;
use crate::ids::{BlockIndex, Gamma};
use crate::nets::launch;
use crate::nets::score::evaluate;
use crate::session::config::{self, Analysis, NetworkKind, Split};
use crate::session::{Config, Session};

/// Grey images of class 0, of which every fourth is black in its first pixel.
fn images() -> Images {
    let mut pixels = vec![128; 40 * 784];
    let first = pixels.iter_mut().step_by(4 * 784);
    first.for_each(|pixel| *pixel = 0);
    digits(pixels, std::iter::repeat_n(0, 40))
}

fn lab() -> Lab {
    let network = unbounded(&Device::flex());
    lab_with(network, NetworkKind::Logistic, images(), images())
}

/// Why the first block of the first analysis cannot be computed.
fn problem(config: &Config, lab: &Lab) -> String {
    let session = Session::new("test", config.clone());
    let mut analysis = build(config, 0, lab);
    let mut record = session.record.clone();
    record.form = Some((*lab.form).clone());
    let whole = record.clone();
    let begun = analysis.begin(0, lab, &whole, &mut record.analyses[0]);
    begun.unwrap();
    let step = analysis.step(lab, Job::single_block(0, BlockIndex(0)));
    step.map(|_| ()).unwrap_err().to_string()
}

#[test]
fn an_analysis_ends_at_outputs_that_are_not_numbers() {
    let predictions = Analysis::Predictions(config::Predictions {
        splits: vec![Split::Test],
        block: 40,
    });
    let shown = with_images(&[Gamma(1.0)], 8192, predictions.clone());
    let predicted = Config {
        analyses: vec![predictions],
        ..Config::default()
    };
    for by_plan in [false, true] {
        launch::set_by_plan(by_plan);
        let lab = lab();
        let message = problem(&predicted, &lab);
        let expected =
            "analyses[0]: the network's outputs are not numbers (NaN) for 10 of 40 images";
        assert!(message.starts_with(expected), "{by_plan} {message}");
        let message = problem(&shown, &lab);
        assert!(message.contains("not numbers (NaN) for "), "{message}");
    }
    launch::set_by_plan(false);
}

#[test]
fn images_without_a_decision_are_not_classified_correctly() {
    // All are of class 0, the one that would be made up for them.
    let lab = lab();
    let all: Vec<usize> = (0..40).collect();
    let score = evaluate(&lab.network, &lab.dataset.test, &all, &mut || {});
    assert_eq!(score.accuracy, 0.75);
}
