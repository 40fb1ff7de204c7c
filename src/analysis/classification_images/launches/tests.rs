//! Tests of launches against blocks computed one by one.

use super::*;
use crate::analysis::testing::{lab, linear, template, template_lab};
use crate::analysis::{AnalysisPlace, Experiment};
use crate::ids::{ClassId, Gamma};
use crate::session::config::{self, Grain, NetworkKind, Noise, Response};
use crate::session::record::{self, BlockSums, GammaTrials, Record};
use crate::session::{Config, Form};
use std::sync::Arc;

const PLACE: AnalysisPlace = AnalysisPlace {
    seed: 4,
    index: 1,
    images: None,
    gammas: 0,
    evidence: false,
};

fn plan() -> config::ClassificationImages {
    config::ClassificationImages {
        gammas: vec![Gamma::NOISE, Gamma(0.4)],
        trials: 20 * 50 + 5,
        block: 50,
        ..Default::default()
    }
}

fn begun(
    plan: config::ClassificationImages,
    lab: &Lab,
) -> (ClassificationImages, record::ClassificationImages) {
    let mut analysis = ClassificationImages::new(plan, PLACE, lab);
    let nothing = Record::new(&Config::default());
    let mut record = record::ClassificationImages::default();
    Experiment::begin(&mut analysis, 0, lab, &nothing, &mut record).unwrap();
    (analysis, record)
}

/// The sums of blocks computed in launches of four, read after every job, and computed one by one. They must be
/// bit-identical.
fn together_and_apart(
    plan: config::ClassificationImages,
    lab: &Lab,
    jobs: &[(u64, u64)],
) -> [GammaTrials; 2] {
    let (analysis, record) = begun(plan, lab);
    let part = analysis.config.gammas.len() - 1;
    let mut both = [record.gammas[part].clone(), record.gammas[part].clone()];
    let mut launches =
        Experiment::launches(&analysis, lab, part, 4).expect("the device computes in launches");
    for &(first, end) in jobs {
        let (first, end) = (BlockIndex(first), BlockIndex(end));
        let mut block = first;
        while block < end {
            let next = BlockIndex((block.0 / 4 + 1) * 4).min(end);
            launches.launch(Job {
                sequence: part,
                block,
                blocks: next - block,
            });
            block = next;
        }
        let sums: Box<Vec<BlockSums>> = launches.read().unwrap().downcast().unwrap();
        sums.iter().for_each(|sums| both[0].add(sums));
        for block in first.until(end) {
            let sums = Experiment::step(&analysis, lab, Job::single_block(part, block)).unwrap();
            sums.iter().for_each(|sums| both[1].add(sums));
        }
    }
    both
}

/// Asserts that two ways of summing gave the same result; names the difference.
fn assert_same([together, apart]: &[GammaTrials; 2], context: &str) {
    assert_eq!(together.counts, apart.counts, "{context}: counts");
    assert_eq!(together.weights, apart.weights, "{context}: weights");
    assert!(together.noise == apart.noise, "{context}: noise");
    assert!(together.rest == apart.rest, "{context}: rest");
    assert!(together.image == apart.image, "{context}: images");
    assert!(together.moments == apart.moments, "{context}: moments");
    if let (Some(one), Some(other)) = (&together.evidence, &apart.evidence) {
        assert_eq!(one.shown, other.shown, "{context}: shown");
        assert_eq!(one.clipped, other.clipped, "{context}: clipped");
        assert!(one.sums == other.sums, "{context}: responses");
        assert!(one.squares == other.squares, "{context}: squares");
        assert!(one.products == other.products, "{context}: products");
        assert!(one.noise == other.noise, "{context}: strata");
    }
    assert!(together == apart, "{context}");
}

/// A lab whose logits are exact in any order of summation: noise of zeros and ones is shown to templates with
/// few bits.
fn exact_lab(scale: f32) -> Lab {
    let few_bits = |class| {
        let values = template(class).into_iter();
        values.map(|t| (t * 8.0).round() / 8.0 * scale).collect()
    };
    let templates: Vec<Vec<f32>> = ClassId::all(10).map(few_bits).collect();
    lab(
        linear(&templates, &Device::flex()),
        NetworkKind::Logistic,
        200,
        100,
    )
}

fn exact_plan() -> config::ClassificationImages {
    config::ClassificationImages {
        gammas: vec![Gamma::NOISE],
        noise: Noise::Binary,
        ..plan()
    }
}

/// Jobs that begin and end within a launch; the last block of the plan is short.
const JOBS: [(u64, u64); 4] = [(0, 3), (3, 8), (8, 9), (9, 21)];

#[test]
fn launches_measure_the_same_as_single_blocks() {
    let lab = exact_lab(1.0);
    let some = config::ClassificationImages {
        classes: ["2", "5", "7"].map(String::from).to_vec(),
        ..exact_plan()
    };
    for plan in [exact_plan(), some] {
        let both = together_and_apart(plan, &lab, &JOBS);
        assert_eq!(both[0].trials, 1005);
        assert!(both[0].evidence.is_some());
        assert_same(&both, "plain");
    }
}

#[test]
fn weighted_and_dropped_trials_are_summed_as_on_the_host() {
    // A network that is not sure of everything.
    let lab = exact_lab(1.0 / 64.0);
    let some = ["0", "4"].map(String::from).to_vec();
    for weighting in [Weighting::Confidence, Weighting::Threshold(0.13)] {
        for classes in [Vec::new(), some.clone()] {
            let plan = config::ClassificationImages {
                weighting,
                classes,
                ..exact_plan()
            };
            let both = together_and_apart(plan, &lab, &JOBS);
            let dropped = matches!(weighting, Weighting::Threshold(_));
            assert_eq!(both[0].dropped > 0, dropped, "{}", both[0].dropped);
            assert_same(&both, &format!("{weighting:?}"));
        }
    }
}

#[test]
fn every_kind_of_noise_and_grain_is_summed_as_on_the_host() {
    let lab = template_lab();
    for noise in [
        Noise::Gaussian(config::Gaussian::default()),
        Noise::Binary,
        Noise::Gabor,
    ] {
        for cell in [1, 2] {
            let plan = config::ClassificationImages {
                noise,
                cell,
                // With other noise, logits may differ in their last digits, and responses by a step.
                responses: vec![Response::Decision],
                ..plan()
            };
            assert_eq!(plan.grain(), Grain { cell, grey: false });
            let both = together_and_apart(plan, &lab, &[(0, 6)]);
            assert_same(&both, &format!("{noise:?} {cell}"));
        }
    }
}

#[test]
fn evidence_is_summed_as_on_the_host_or_left_to_it() {
    let lab = template_lab();
    for evidence in [
        EvidenceMeasure::LogProbability,
        EvidenceMeasure::Probability,
    ] {
        let plan = config::ClassificationImages { evidence, ..plan() };
        let [together, apart] = together_and_apart(plan, &lab, &[(0, 6)]);
        assert_eq!(together.counts, apart.counts);
        // Exponentials may differ in their last bit, and responses then by a step.
        let sums = |trials: &GammaTrials| trials.evidence.as_ref().unwrap().sums.values().to_vec();
        let pairs = sums(&together).into_iter().zip(sums(&apart));
        assert!(
            pairs.into_iter().all(|(a, b)| a.abs_diff(b) <= 3),
            "{evidence:?}"
        );
    }
    let plan = config::ClassificationImages {
        evidence: EvidenceMeasure::LogOdds,
        ..plan()
    };
    let (analysis, _) = begun(plan, &lab);
    assert!(Experiment::launches(&analysis, &lab, 0, 4).is_none());
    let decisions = config::ClassificationImages {
        responses: vec![Response::Decision],
        ..self::plan()
    };
    let [together, apart] = together_and_apart(decisions, &lab, &JOBS);
    assert!(together.evidence.is_none() && together == apart);
}

#[test]
fn noise_alone_is_summed_as_on_the_host() {
    let mut lab = exact_lab(1.0);
    let none = crate::data::Dataset::none(Form::numbered([1, 28, 28], 10));
    lab.pool = crate::stimulus::Pool::new(&none.train);
    lab.dataset = Arc::new(none);
    assert_same(
        &together_and_apart(exact_plan(), &lab, &JOBS),
        "noise alone",
    );
}

/// Such blocks are left to the host.
#[test]
fn outputs_that_are_not_numbers_are_found_when_sums_are_read() {
    let mut templates: Vec<Vec<f32>> = ClassId::all(10).map(template).collect();
    templates[3][100] = f32::NAN;
    let network = linear(&templates, &Device::flex());
    let lab = lab(network, NetworkKind::Logistic, 200, 100);
    let decisions = config::ClassificationImages {
        responses: vec![Response::Decision],
        ..plan()
    };
    for plan in [plan(), decisions] {
        // Such a network would be refused as an experiment begins.
        let (analysis, _) = begun(plan, &template_lab());
        let mut launches = Experiment::launches(&analysis, &lab, 0, 4).unwrap();
        launches.launch(Job {
            sequence: 0,
            block: BlockIndex(0),
            blocks: 4,
        });
        assert!(launches.read().is_none());
    }
}

/// Always one upload per launch and one reading per job, whose size does not depend on the trials.
#[test]
fn there_is_one_upload_per_launch_and_one_reading_per_job() {
    let lab = template_lab();
    let (analysis, _) = begun(plan(), &lab);
    let mut launches = Experiment::launches(&analysis, &lab, 1, 4).unwrap();
    let mut down = Vec::new();
    for (first, end) in [(0, 4), (4, 20)] {
        let before = lab.resident.traffic().so_far();
        for block in (first..end).step_by(4) {
            launches.launch(Job {
                sequence: 1,
                block: BlockIndex(block),
                blocks: 4,
            });
        }
        launches.read().unwrap();
        let after = lab.resident.traffic().so_far();
        let [uploads, up, readbacks, bytes] = std::array::from_fn(|at| after[at] - before[at]);
        let count = (end - first) / 4;
        assert_eq!((uploads, readbacks), (count, 1));
        // If the CPU draws: 16-bit points, and three 16-bit numbers per trial.
        assert_eq!(up, count * 4 * 50 * 2 * (784 + 3));
        down.push(bytes);
    }
    assert_eq!(down[0], down[1]);
}

#[test]
fn jobs_end_where_reliability_is_noted_and_the_target_is_checked() {
    let lab = template_lab();
    let (plain, _) = begun(plan(), &lab);
    let next = |analysis: &ClassificationImages, block: u64| {
        Experiment::milestone(analysis, 0, BlockIndex(block)).0
    };
    assert_eq!(
        [0, 3, 4, 12, 100].map(|block| next(&plain, block)),
        [4, 4, 6, 16, 128]
    );
    let (target, _) = begun(
        config::ClassificationImages {
            target: Some(0.9),
            ..plan()
        },
        &lab,
    );
    assert_eq!(
        [100, 128, 200].map(|block| next(&target, block)),
        [128, 192, 256]
    );
}
