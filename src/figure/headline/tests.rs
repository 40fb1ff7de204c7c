//! Tests of headlines.

use super::*;
use crate::ids::Gamma;
use crate::session::Array;
use crate::session::record::Attack;

#[test]
fn a_headline_drops_its_last_parts_first() {
    let headline = Headline::with_short(
        vec!["a long first part".into(), "rest".into()],
        "brief".into(),
    );
    assert_eq!(headline.fit(40), "a long first part   rest");
    assert_eq!(headline.fit(20), "a long first part");
    assert_eq!(headline.fit(10), "brief");
    assert_eq!(headline.min_width(), 5);
}

/// An attack on images of two classes: of every thousand images of the other class, this many were called the
/// target, by weight.
fn attacked(weights: &[f64], hits: &[i64]) -> Attack {
    let mut counts = Vec::new();
    for source in 0..2 {
        for _ in 0..3 * 2 {
            for &hits in hits {
                let hits = if source == 0 { hits } else { 0 };
                counts.extend([1000, hits, 2000, 1000]);
            }
        }
    }
    Attack {
        gamma: Some(Gamma::NOISE),
        weights: weights.to_vec(),
        counts: Array::new(&[2, 3, 2, weights.len(), 4], counts),
        measured: vec![true; 6],
        patterns: Array::new(&[3, 2, 1, 2, 2], vec![0.0; 24]),
        ..Attack::default()
    }
}

#[test]
fn an_attack_is_reported_against_its_baseline() {
    let first = |hits: &[i64]| attack(&attacked(&[0.0, 0.5, 1.0], hits)).parts[0].clone();
    // A network that calls a tenth of everything the target.
    assert!(
        first(&[100, 101, 99]).ends_with("flips no more than without it, 10.0 %"),
        "{}",
        first(&[100, 101, 99])
    );
    // Half of everything is called the target already: nothing flips, and there is no short form.
    let always = attack(&attacked(&[0.0, 0.5, 1.0], &[500, 505, 500]));
    assert!(always.parts[0].contains("no more than"), "{always:?}");
    assert_eq!(always.short, None);
    assert!(first(&[100, 150, 300]).ends_with("flips 30.0 % at most, at w 1 (10.0 % without)"));
    assert!(first(&[2, 100, 900]).ends_with("flips half the images at w 0.75"));
    // Without a weight of 0 in the plan, there is no baseline to compare with.
    let planned = attack(&attacked(&[0.5, 1.0], &[100, 300]));
    assert!(planned.parts[0].ends_with("flips 30.0 % at most, at w 1"));
}

#[test]
fn half_of_the_images_flip_at_no_weight_that_flips_more() {
    let report = |weights: &[f64], hits: &[i64]| attack(&attacked(weights, hits));
    // More than half are called the target without any pattern.
    let always = report(&[0.0, 0.5, 1.0], &[600, 900, 990]);
    let most = "flips 99.0 % at most, at w 1 (60.0 % without)";
    assert!(always.parts[0].ends_with(most), "{always:?}");
    assert_eq!(always.short, None);
    // Below the smallest weight nothing was shown.
    for (weights, hits) in [([0.3, 0.6], [900, 950]), ([0.6, 0.3], [950, 900])] {
        let early = report(&weights, &hits);
        let half = "flips half the images at w 0.30 or less";
        assert!(early.parts[0].ends_with(half), "{early:?}");
        let short = "half flip at w 0.30 or less, w 0.30 or less";
        assert_eq!(early.short.as_deref(), Some(short));
    }
    let exact = report(&[0.3, 0.6], &[500, 950]);
    assert!(exact.parts[0].ends_with("at w 0.30"), "{exact:?}");
}
