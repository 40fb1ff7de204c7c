//! Tests of evidence images against closed forms.

use super::*;
use crate::session::config::Response;
use crate::stats::classification::{GRID_CENTRE, MAX_RESPONSE_STEPS};

const SIDE: usize = 6;
const PIXELS: usize = SIDE * SIDE;
const CLASSES: usize = 3;
const EVERY_CLASS: [ClassId; CLASSES] = [ClassId(0), ClassId(1), ClassId(2)];

/// Images of 6×6 pixels, 100 for each of three classes, each class brighter in its own columns.
fn small() -> Images {
    let image = |i: usize| (0..PIXELS).map(move |p| if p % SIDE == i % CLASSES { 200 } else { 20 });
    Images {
        pixels: (0..300).flat_map(image).collect::<Vec<u8>>().into(),
        labels: (0..300)
            .map(|i| (i % CLASSES) as u16)
            .collect::<Vec<_>>()
            .into(),
        channels: 1,
        height: SIDE,
        width: SIDE,
        classes: CLASSES,
    }
}

fn evidence_kind(listed: &[ClassId], weighting: Weighting) -> TrialKind {
    TrialKind {
        weighting,
        listed: listed.to_vec(),
        evidence: true,
        ..TrialKind::plain(CLASSES, [1, SIDE, SIDE])
    }
}

/// Weights of the linear network: of either sign, and different for each class.
fn weight(class: ClassId, pixel: usize) -> f64 {
    ((pixel * (class.0 + 2) + 3 * class.0) % 7) as f64 - 3.0
}

/// Logits of a linear network on the stimuli of a block.
fn linear(block: &DrawnBlock) -> Vec<f32> {
    let logit = |x: &[f32], class: ClassId| -> f32 {
        let terms = x.iter().enumerate();
        terms.map(|(p, &x)| weight(class, p) as f32 * x).sum()
    };
    let rows = block.stimuli.chunks_exact(PIXELS);
    rows.flat_map(|x| ClassId::all(CLASSES).map(move |class| logit(x, class)))
        .collect()
}

/// Trials at γ whose outputs are given by `logits`.
fn trials_of(
    kind: &TrialKind,
    gamma: Gamma,
    blocks: impl IntoIterator<Item = BlockIndex>,
    logits: impl Fn(BlockIndex, &DrawnBlock) -> Vec<f32>,
) -> GammaTrials {
    let images = small();
    let (source, pool) = (
        NoiseSource::new(Noise::Uniform, &images),
        stimulus::Pool::new(&images),
    );
    let summing = BlockSummer::new(kind, &source, &images);
    let reader = ResponseReader::new(config::EvidenceMeasure::Logit, &kind.listed, 1.0 / 256.0);
    let mut trials = GammaTrials::new(gamma, 30, kind);
    trials.record_evidence(reader.step(), kind);
    for index in blocks {
        let seed = BlockSeed {
            session: 9,
            analysis: 0,
            stream: (gamma.0 * 10.0) as u64,
            block: index,
        };
        let block = stimulus::draw(seed, &source, gamma, index.0 * 256, 256, &pool);
        let logits = logits(index, &block);
        let rows = || logits.chunks_exact(CLASSES);
        let mut readout = Readout::new(rows(), kind.weighting);
        readout.responses = Some(reader.read(rows()));
        trials.add(&summing.sum(index, &block, &readout, &pool));
    }
    assert!(trials.is_consistent());
    trials
}

fn all() -> TrialKind {
    evidence_kind(&EVERY_CLASS, Weighting::Equal)
}

/// A linear network's evidence image is its weights minus their mean over the classes, times the noise's
/// share of the stimulus, in logits per full range of a pixel.
#[test]
fn a_linear_network_gives_its_weights_in_logits_per_pixel() {
    for gamma in [Gamma::NOISE, Gamma(0.3)] {
        let trials = trials_of(&all(), gamma, BlockIndex::first(160), |_, block| {
            linear(block)
        });
        let estimate = trials.estimate();
        for class in ClassId::all(CLASSES) {
            let mean = |pixel: usize| {
                let weights = ClassId::all(CLASSES).map(|k| weight(k, pixel));
                weights.sum::<f64>() / 3.0
            };
            let expected: Vec<f32> = (0..PIXELS)
                .map(|pixel| ((1.0 - gamma.0) * (weight(class, pixel) - mean(pixel))) as f32)
                .collect();
            let map = estimate.classes[class].evidence.as_ref().unwrap();
            let r = pearson(&map.image, &expected).unwrap();
            assert!(r >= 0.999, "γ {gamma}, class {class}: {r}");
            let scale = |map: &[f32]| map.iter().map(|v| v * v).sum::<f32>().sqrt();
            let ratio = scale(&map.image) / scale(&expected);
            assert!(
                (ratio - 1.0).abs() < 0.02,
                "γ {gamma}, class {class}: {ratio}"
            );
            assert!(map.reliability.unwrap() > 0.99);
            let worst = map.image.iter().zip(&expected).zip(map.errors());
            let worst = worst
                .map(|((c, e), se)| ((c - e) / se).abs())
                .fold(0.0, f32::max);
            assert!(
                worst < 5.0,
                "γ {gamma}, class {class}: {worst} standard errors"
            );
        }
    }
}

/// Outputs independent of the noise: z is standard normal, by the Kolmogorov–Smirnov test.
#[test]
fn for_outputs_independent_of_the_noise_every_z_is_standard_normal() {
    let shuffled = |index: BlockIndex, block: &DrawnBlock| {
        // The outputs for other noise.
        let other = trials_block(index + 10_000, block.truth.len());
        linear(&other)
    };
    let mut z = Vec::new();
    let cases = [(0.0, 0), (0.0, 50), (0.3, 100), (0.3, 150)];
    for (gamma, first) in cases.map(|(gamma, first)| (Gamma(gamma), BlockIndex(first))) {
        let trials = trials_of(&all(), gamma, first.until(first + 30), shuffled);
        for class in &trials.estimate().classes {
            let map = class.evidence.as_ref().unwrap();
            z.extend(map.z.iter().map(|&z| f64::from(z)));
            assert!(map.significant <= 1);
        }
    }
    // The three classes' responses add up to 0, so one in three is redundant.
    let independent = z.len() as f64 * 2.0 / 3.0;
    z.sort_by(f64::total_cmp);
    let n = z.len() as f64;
    let distance = z.iter().enumerate().map(|(i, &z)| {
        let expected = normal_share(z);
        (expected - i as f64 / n)
            .abs()
            .max((expected - (i + 1) as f64 / n).abs())
    });
    let distance = distance.fold(0.0, f64::max);
    // 1.63/√n is exceeded once in a hundred.
    assert!(distance < 1.63 / independent.sqrt(), "{distance} of {n}");
}

fn trials_block(index: BlockIndex, trials: usize) -> DrawnBlock {
    let images = small();
    let seed = BlockSeed {
        session: 10,
        analysis: 0,
        stream: 0,
        block: index,
    };
    let source = NoiseSource::new(Noise::Uniform, &images);
    let pool = stimulus::Pool::new(&images);
    stimulus::draw(seed, &source, Gamma::NOISE, 0, trials, &pool)
}

/// Φ(z), by Abramowitz and Stegun 26.2.17: within 7.5e-8.
fn normal_share(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.2316419 * z.abs());
    let poly = t
        * (0.319381530
            + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    let upper = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly;
    if z >= 0.0 { 1.0 - upper } else { upper }
}

/// Evidence that is 1 if the network decides for a class and 0 otherwise gives its classification image
/// up to a factor: Cov(1_k, z) = p_k·(m_k − m).
#[test]
fn decisions_used_as_evidence_give_the_classification_image() {
    let kind = all();
    let mut trials = trials_of(&kind, Gamma::NOISE, BlockIndex::first(20), |_, block| {
        linear(block)
    });
    let images = small();
    let (source, pool) = (
        NoiseSource::new(Noise::Uniform, &images),
        stimulus::Pool::new(&images),
    );
    let summing = BlockSummer::new(&kind, &source, &images);
    let mut decided = GammaTrials::new(Gamma::NOISE, 30, &kind);
    decided.record_evidence(1.0, &kind);
    for index in BlockIndex::first(20) {
        let seed = BlockSeed {
            session: 9,
            analysis: 0,
            stream: 0,
            block: index,
        };
        let block = stimulus::draw(seed, &source, Gamma::NOISE, index.0 * 256, 256, &pool);
        let logits = linear(&block);
        let mut readout = Readout::new(logits.chunks_exact(CLASSES), Weighting::Equal);
        let called = readout.decisions.iter();
        let responses =
            called.flat_map(|&called| ClassId::all(CLASSES).map(move |k| i32::from(k == called)));
        readout.responses = Some(TrialResponses {
            responses: responses.collect(),
            clipped: 0,
        });
        decided.add(&summing.sum(index, &block, &readout, &pool));
    }
    // The same decisions with other responses.
    trials.evidence = decided.evidence.clone();
    assert_eq!(
        trials.estimate().classes[0].called,
        decided.estimate().classes[0].called
    );
    let estimate = decided.estimate();
    for class in estimate
        .classes
        .iter()
        .filter(|class| class.decision.is_some())
    {
        let share = class.called as f64 / estimate.trials as f64;
        let (image, evidence) = (
            class.decision.as_ref().unwrap(),
            class.evidence.as_ref().unwrap(),
        );
        for (c, e) in image.image.iter().zip(&evidence.image) {
            let expected = share * f64::from(*c) * 12.0;
            assert!((f64::from(*e) - expected).abs() < 1e-5, "{e} {expected}");
        }
    }
}

/// Sums of integers by definition, one trial at a time.
#[test]
fn sums_match_their_definition() {
    let images = small();
    let (source, pool) = (
        NoiseSource::new(Noise::Uniform, &images),
        stimulus::Pool::new(&images),
    );
    for (listed, weighting) in [
        (EVERY_CLASS.to_vec(), Weighting::Equal),
        (vec![ClassId(1)], Weighting::Equal),
        (vec![ClassId(0), ClassId(2)], Weighting::Threshold(0.9)),
    ] {
        let kind = evidence_kind(&listed, weighting);
        let summing = BlockSummer::new(&kind, &source, &images);
        let reader = ResponseReader::new(config::EvidenceMeasure::Logit, &listed, 1.0 / 64.0);
        let block = trials_block(BlockIndex(3), 100);
        let logits = linear(&block);
        let rows = || logits.chunks_exact(CLASSES);
        let mut readout = Readout::new(rows(), weighting);
        readout.responses = Some(reader.read(rows()));
        let all_responses = readout.responses.clone().unwrap().responses;
        assert!(all_responses.iter().all(|y| y.abs() < MAX_RESPONSE_STEPS));
        let found = summing
            .sum(BlockIndex(3), &block, &readout, &pool)
            .evidence
            .unwrap();
        let m = listed.len();
        for place in 0..m {
            let responses = || {
                all_responses
                    .iter()
                    .skip(place)
                    .step_by(m)
                    .map(|&y| i64::from(y))
            };
            for other in 0..m {
                let theirs = all_responses.iter().skip(other).step_by(m);
                let products = responses()
                    .zip(theirs)
                    .map(|(y, &other)| y * i64::from(other));
                assert_eq!(found.squares[place * m + other], products.sum::<i64>());
            }
            for pixel in 0..PIXELS {
                let noise = block.noise.iter().skip(pixel).step_by(PIXELS);
                let products = responses()
                    .zip(noise)
                    .map(|(y, &k)| y * (i64::from(k) - GRID_CENTRE));
                assert_eq!(
                    found.products[place * PIXELS + pixel],
                    products.sum::<i64>()
                );
            }
            for truth in ClassId::all(CLASSES) {
                let shown = block.truth.iter().zip(responses());
                let sum: i64 = shown.filter(|(t, _)| **t == truth).map(|(_, y)| y).sum();
                assert_eq!(found.sums[truth.0 * m + place], sum);
            }
        }
        assert_eq!(found.shown.iter().sum::<u64>(), 100);
        assert_eq!(found.noise.is_empty(), weighting == Weighting::Equal);
    }
}

/// Even if decisions weight the trials, evidence counts each trial once.
#[test]
fn the_weight_of_a_decision_does_not_change_the_evidence() {
    for gamma in [Gamma::NOISE, Gamma(0.3)] {
        let image = |weighting| {
            let kind = evidence_kind(&EVERY_CLASS, weighting);
            let trials = trials_of(&kind, gamma, BlockIndex::first(20), |_, block| {
                linear(block)
            });
            trials.estimate().classes[1].evidence.clone().unwrap()
        };
        let equal = image(Weighting::Equal);
        assert_eq!(equal, image(Weighting::Confidence));
        assert_eq!(equal, image(Weighting::Threshold(0.9)));
    }
}

#[test]
fn without_signal_a_map_does_not_depend_on_which_classes_are_listed() {
    let image = |listed: &[ClassId]| {
        let kind = evidence_kind(listed, Weighting::Equal);
        let trials = trials_of(&kind, Gamma::NOISE, BlockIndex::first(10), |_, block| {
            linear(block)
        });
        trials.estimate().classes[2].evidence.clone().unwrap()
    };
    assert_eq!(image(&EVERY_CLASS), image(&[ClassId(2)]));
}

#[test]
fn an_output_that_never_changes_has_no_image_and_no_nan() {
    let constant = |_: BlockIndex, block: &DrawnBlock| [4.0, -1.0, 0.5].repeat(block.truth.len());
    let trials = trials_of(&all(), Gamma(0.3), BlockIndex::first(4), constant);
    for class in &trials.estimate().classes {
        assert!(class.evidence.is_none() && class.response.is_none());
    }
}

#[test]
fn too_few_trials_have_no_image() {
    let mut few = trials_of(&all(), Gamma::NOISE, BlockIndex::first(1), |_, block| {
        linear(block)
    });
    few.min_trials = 300;
    assert!(few.estimate().classes[0].evidence.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn blocks_of_evidence_merge_to_the_same_bits_in_any_order(
        order in Just(BlockIndex::first(10).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let merged = trials_of(&all(), Gamma(0.3), order, |_, block| linear(block));
        let sorted = trials_of(&all(), Gamma(0.3), BlockIndex::first(10), |_, block| linear(block));
        prop_assert_eq!(&merged, &sorted);
        prop_assert_eq!(merged.estimate(), sorted.estimate());
    }
}

/// The experiment itself, with and without evidence.
#[test]
fn a_run_records_the_evidence_that_its_plan_requests() {
    let lab = testing::template_lab();
    let run = |responses: Vec<Response>| {
        let images = config::ClassificationImages {
            gammas: vec![Gamma::NOISE],
            trials: 1000,
            responses,
            ..Default::default()
        };
        let plan = Config {
            analyses: vec![Analysis::ClassificationImages(images)],
            ..Config::default()
        };
        testing::run(&plan, &lab)
            .classification_images()
            .unwrap()
            .clone()
    };
    let both = run(vec![Response::Decision, Response::Evidence]);
    let alone = run(vec![Response::Decision]);
    assert!(both.has_evidence() && !alone.has_evidence());
    let classes = both.gammas[0].estimate().classes.clone();
    assert!(classes.iter().all(|class| class.evidence.is_some()));
    assert!(both.gammas[0].evidence_fed_back.iter().all(Option::is_some));
    // Decisions are unchanged.
    assert_eq!(both.gammas[0].counts, alone.gammas[0].counts);
    assert_eq!(both.gammas[0].noise, alone.gammas[0].noise);
}
