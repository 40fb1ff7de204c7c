//! Tests of what two sessions have in common: the trials that count, and how evidence is centred.

use super::*;
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::session::config::{self, Response};
use crate::session::record::{
    Analysis, BlockSums, ClassificationImages, Inputs, SplitFingerprint, TrialKind,
};
use crate::session::{Config, Form, Session};

/// A session with decisions at γ 0 and 0.5 on images of ten classes, of which so many have maps: two blocks of 40 trials
/// at each γ, in each of which so many do not count.
fn session(listed: usize, dropped: u64) -> Session {
    let plan = config::ClassificationImages {
        gammas: vec![Gamma::NOISE, Gamma(0.5)],
        trials: 80,
        responses: vec![Response::Decision],
        ..Default::default()
    };
    let kind = TrialKind {
        listed: ClassId::all(listed).collect(),
        ..TrialKind::plain(10, [1, 4, 4])
    };
    let mut images = ClassificationImages::with_trials(&plan, &kind);
    for trials in &mut images.gammas {
        for block in BlockIndex::first(2) {
            let mut counts = vec![0; 100];
            (counts[0], counts[1]) = (30, 10 - dropped);
            trials.add(&BlockSums {
                block,
                trials: 40,
                counts,
                dropped,
                ..BlockSums::default()
            });
        }
    }
    let config = Config {
        analyses: vec![config::Analysis::ClassificationImages(plan)],
        ..Config::default()
    };
    let mut session = Session::new("mine", config);
    session.record.analyses = vec![Analysis::ClassificationImages(images)];
    session
}

/// Each session drops the trials that its own network is not confident about: what is left need not be the same trials.
#[test]
fn agreement_on_the_same_trials_is_bounded_only_if_all_of_them_count() {
    for (dropped, is_bounded) in [([0, 0], true), ([1, 1], false), ([0, 4], false)] {
        let [a, b] = dropped.map(|dropped| session(10, dropped));
        let pair = SessionPair::new(&a, &b, &ComparisonRequest::default()).unwrap();
        for common in &pair.gammas {
            assert_eq!(common.overlap, TrialOverlap::Same);
            assert!(common.compare_counts().is_some());
            let bounds = common.agreement_bounds();
            assert_eq!(bounds.is_some(), is_bounded, "{dropped:?}");
        }
        for (response, per_block) in [
            (Response::Decision, dropped.map(|dropped| 40 - dropped)),
            (Response::Evidence, [40; 2]),
        ] {
            let compared = MapComparison::new(&pair, 0, response);
            assert_eq!(compared.trials, per_block.map(|trials| 2 * trials));
        }
    }
}

/// An extension leaves a short block where the plan ended, and moves those after it.
#[test]
fn trials_of_an_extended_session_are_not_exactly_those_of_one_planned_at_once() {
    // 500 trials in blocks of 100, planned at once or in parts; 5 or 6 blocks.
    let planned = |parts: &[u64], blocks: u64| {
        let mut session = session(10, 0);
        let config::Analysis::ClassificationImages(plan) = &mut session.config.analyses[0] else {
            unreachable!();
        };
        (plan.block, plan.trials) = (100, parts[0]);
        plan.extended = parts[1..]
            .iter()
            .map(|&trials| config::Extension {
                gamma: None,
                trials,
                target: None,
                class: None,
            })
            .collect();
        let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
            unreachable!();
        };
        for trials in &mut images.gammas {
            trials.blocks = blocks;
            trials.trials = plan.trials_before(trials.gamma, blocks);
        }
        session
    };
    let overlap = |a: &Session, b: &Session| {
        let pair = SessionPair::new(a, b, &ComparisonRequest::default()).unwrap();
        let common = pair.gammas[0];
        let is_bounded = common.agreement_bounds().is_some();
        assert_eq!(is_bounded, common.overlap == TrialOverlap::Same);
        common.overlap
    };
    let (once, extended) = (planned(&[500], 5), planned(&[250, 500], 6));
    assert_eq!(overlap(&once, &extended), TrialOverlap::Shared);
    assert_eq!(overlap(&extended, &once), TrialOverlap::Shared);
    assert_eq!(overlap(&extended, &extended), TrialOverlap::Same);
    // Full blocks alone before the extension.
    assert_eq!(overlap(&once, &planned(&[300, 500], 5)), TrialOverlap::Same);
    assert_eq!(overlap(&once, &planned(&[500], 3)), TrialOverlap::Shared);
    // No block is the same if the first is short.
    let moved = planned(&[50, 500], 6);
    assert_eq!(overlap(&once, &moved), TrialOverlap::Different);
    // The same again where parts of other lengths end together.
    let (a, b) = (planned(&[20, 140, 500], 5), planned(&[30, 140, 500], 5));
    assert_eq!(overlap(&a, &b), TrialOverlap::Shared);
}

/// Above γ = 0 evidence is centred within the classes that have maps; the others are one group, so a single one is as if
/// it had a map.
#[test]
fn evidence_of_plans_with_maps_of_other_classes_is_centred_differently_above_zero() {
    let all = session(10, 0);
    for listed in [10, 9, 3] {
        let other = session(listed, 0);
        let pair = SessionPair::new(&all, &other, &ComparisonRequest::default()).unwrap();
        let centring = [0, 1].map(|place| {
            let by = |response| MapComparison::new(&pair, place, response).same_centring;
            [by(Response::Decision), by(Response::Evidence)]
        });
        assert_eq!(centring, [[true, true], [true, listed >= 9]]);
    }
}

/// PCA noise is made from the training images, so that plans which name the same noise may have been shown another.
#[test]
fn pca_noise_is_the_same_only_if_the_training_images_are() {
    let shown = |noise: config::Noise, sum: &str| {
        let mut session = session(10, 0);
        if let config::Analysis::ClassificationImages(plan) = &mut session.config.analyses[0] {
            plan.noise = noise;
        }
        let train = SplitFingerprint {
            images: 60,
            sha256: sum.to_owned(),
        };
        session.record.inputs = vec![Inputs {
            train,
            ..Inputs::default()
        }];
        session
    };
    let compared = |a: &Session, b: &Session| {
        let pair = SessionPair::new(a, b, &ComparisonRequest::default()).unwrap();
        let compared = MapComparison::new(&pair, 0, Response::Decision);
        assert_eq!(
            compared.cautions().count(),
            usize::from(!compared.same_noise)
        );
        compared.same_noise
    };
    let (pca, uniform) = (config::Noise::Pca, config::Noise::Uniform);
    assert!(compared(&shown(pca, "a1"), &shown(pca, "a1")));
    assert!(!compared(&shown(pca, "a1"), &shown(pca, "b2")));
    assert!(compared(&shown(uniform, "a1"), &shown(uniform, "b2")));
    let mut old = shown(pca, "b2");
    old.record.inputs.clear();
    assert!(compared(&shown(pca, "a1"), &old));
}

#[test]
fn classes_in_another_order_are_not_the_same_though_they_differ_in_case_alone() {
    let named = |names: [&str; 3]| {
        let mut session = session(10, 0);
        session.record.form = Some(Form {
            classes: names.map(str::to_owned).to_vec(),
            ..Form::numbered([1, 4, 4], 3)
        });
        session
    };
    let letters = named(["A", "a", "B"]);
    let error = |other: [&str; 3]| {
        let other = named(other);
        SessionPair::new(&letters, &other, &ComparisonRequest::default()).err()
    };
    assert_eq!(error(["A", "a", "b"]), None);
    assert!(matches!(
        error(["a", "A", "B"]),
        Some(ComparisonError::Names { class, .. }) if class == ClassId(0)
    ));
}
