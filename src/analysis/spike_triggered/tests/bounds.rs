//! Tests of activations and gradients that a record does not hold.

use super::*;
use crate::analysis::testing::{linear, unbounded};
use crate::session::Form;

/// Templates of which each is `scale` times as large.
fn scaled(scale: f32) -> Lab {
    let row = |class| template(class).into_iter().map(|w| w * scale).collect();
    let weights: Vec<Vec<f32>> = ClassId::all(10).map(row).collect();
    let network = linear(&weights, &Device::flex());
    lab(network, NetworkKind::Logistic, 40, 10)
}

/// Why the first block of a part cannot be computed; for gradients after one of noise.
fn problem(lab: &Lab, part: usize) -> Option<String> {
    let config = plan(Plan {
        trials: 16,
        images: 16,
        gradient_trials: 8 << 20,
        covariance: Some(UnitId {
            layer: "logits".into(),
            unit: 3,
        }),
        covariance_trials: 16,
        block: 8,
        ..Plan::default()
    });
    let mut analysis = build(&config, 0, lab);
    let mut record = Record::new(&config);
    record.form = Some(Form::clone(&lab.form));
    let whole = record.clone();
    let results = &mut record.analyses[0];
    analysis.begin(0, lab, &whole, results).unwrap();
    if part == GRADIENTS {
        let job = Job::single_block(NOISE, BlockIndex(0));
        let sums = analysis.step(lab, job).unwrap();
        analysis.merge(results, job, sums);
        analysis.begin(1, lab, &whole, results).unwrap();
    }
    let step = analysis.step(lab, Job::single_block(part, BlockIndex(0)));
    step.err().map(|error| error.to_string())
}

/// The file of a session with such sums could not be read again.
#[test]
fn sums_beyond_those_of_a_record_end_the_analysis() {
    for (part, scale, what) in [
        (NOISE, 1e13, "activations"),
        (IMAGES, 1e13, "activations"),
        (COVARIANCE, 1e13, "activations"),
        // Over a million blocks.
        (GRADIENTS, 1e6, "gradients"),
    ] {
        assert_eq!(problem(&scaled(1e3), part), None);
        let words = problem(&scaled(scale), part).unwrap();
        let expected =
            format!("analyses[0]: the {what} of `logits` are not finite or too large to be summed");
        assert!(words.starts_with(&expected), "{words}");
    }
}

#[test]
fn activations_that_are_not_finite_end_the_analysis() {
    let network = unbounded(&Device::flex());
    let lab = lab(network, NetworkKind::Logistic, 40, 10);
    for part in [NOISE, IMAGES, COVARIANCE] {
        // The logit of class 0 alone is infinite.
        let expected = part != COVARIANCE;
        assert_eq!(problem(&lab, part).is_some(), expected, "part {part}");
    }
}

#[test]
fn a_unit_with_gradients_that_are_not_finite_has_none() {
    let sums = [1.0, -2.0, f64::NAN, 1.0, 3.0, f64::INFINITY];
    let unit = 1 << 20;
    let expected = [unit, -2 * unit, 0, 0, 0, 0];
    assert_eq!(gradients::finite(&sums, 2), expected);
}
