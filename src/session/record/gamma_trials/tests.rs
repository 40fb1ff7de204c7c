//! Tests of the trials at one γ: where a block's sums go, and what is checked and compared.

use super::*;
use crate::ids::BlockIndex;
use crate::session::record::BlockEvidence;

/// A block of four trials at γ 0, two called each of two classes. Relative to all noise, that of class 0 is (−10,−2) steps of
/// the grid and that of class 1 (10,2).
fn balanced_block() -> BlockSums {
    BlockSums {
        trials: 4,
        counts: vec![2, 0, 0, 2],
        noise: vec![(0, vec![20, 60]), (1, vec![60, 68])],
        ..BlockSums::default()
    }
}

/// The record of that block, with maps of two pixels.
pub(in crate::session::record) fn balanced() -> GammaTrials {
    let mut trials = GammaTrials::new(Gamma::NOISE, 1, &TrialKind::plain(2, [1, 1, 2]));
    trials.add(&balanced_block());
    trials
}

/// Three classes, of which 0 and 2 have maps of two pixels, with everything that can be summed.
pub(in crate::session::record) fn kind() -> TrialKind {
    TrialKind {
        noise: Noise::Gabor,
        grain: Grain::default(),
        weighting: Weighting::Confidence,
        classes: 3,
        listed: vec![ClassId(0), ClassId(2)],
        images: [1, 1, 2],
        evidence: true,
    }
}

/// An odd block of seven trials, four of them dropped, and an even one of three.
pub(in crate::session::record) fn blocks() -> [BlockSums; 2] {
    let odd = BlockSums {
        block: BlockIndex(1),
        trials: 7,
        counts: vec![1, 0, 0, 0, 0, 2, 0, 0, 0],
        noise: vec![(4, vec![5, 6]), (6, vec![7, 8])],
        image: vec![(1, vec![9, 10])],
        weights: (
            vec![0, 11, 0, 0, 0, 0, 0, 0, 0],
            vec![0, 121, 0, 0, 0, 0, 0, 0, 0],
        ),
        moments: vec![1, 2, 3, 4],
        dropped: 4,
        evidence: Some(BlockEvidence {
            clipped: 3,
            shown: vec![1, 0, 6],
            sums: vec![0, 0, 0, 0, 0, 13],
            squares: vec![0, 14, 0, 0],
            products: vec![0, 0, 15, 16],
            noise: vec![(2, vec![17, 18])],
        }),
        ..BlockSums::default()
    };
    let even = BlockSums {
        block: BlockIndex(2),
        trials: 3,
        counts: vec![0, 0, 3, 0, 0, 0, 0, 0, 0],
        noise: vec![(6, vec![19, 20])],
        evidence: Some(BlockEvidence {
            shown: vec![0, 3, 0],
            ..BlockEvidence::default()
        }),
        ..BlockSums::default()
    };
    [odd, even]
}

/// A record without trials.
pub(in crate::session::record) fn fresh() -> GammaTrials {
    let mut trials = GammaTrials::new(Gamma(0.3), 30, &kind());
    trials.record_evidence(0.25, &kind());
    trials
}

/// The record of these blocks.
pub(in crate::session::record) fn trials() -> GammaTrials {
    let mut trials = fresh();
    blocks().iter().for_each(|block| trials.add(block));
    trials
}

/// A null distribution for its maps.
pub(in crate::session::record) fn null() -> NoiseNull {
    NoiseNull {
        bound: 4.0,
        deviations: Array::zeros(&[1, 1, 2]),
        largest: Array::zeros(&[3]),
        maps: Array::zeros(&[5, 1, 1, 2]),
    }
}

/// The numbers that are not zero, with their places.
fn nonzero<T: Copy + Default + PartialEq>(numbers: &[T]) -> Vec<(usize, T)> {
    let numbers = numbers.iter().copied().enumerate();
    numbers
        .filter(|(_, number)| *number != T::default())
        .collect()
}

const ANSWER: Option<FedBack> = Some(FedBack {
    class: ClassId(3),
    confidence: 0.5,
});

#[test]
fn the_sums_of_a_block_are_added_at_its_parity_and_row() {
    let trials = trials();
    assert_eq!(
        (trials.blocks, trials.trials, trials.dropped),
        (2, 10, 4),
        "blocks, trials and dropped ones"
    );
    assert_eq!(nonzero(&trials.counts), [(2, 3), (9, 1), (14, 2)]);
    assert_eq!(nonzero(trials.noise.values()), [(20, 5), (21, 6)]);
    assert_eq!(trials.rest.values(), [19, 20, 7, 8]);
    assert_eq!(trials.image.values(), [0, 0, 9, 10]);
    assert_eq!(nonzero(&trials.weights), [(10, 11)]);
    assert_eq!(nonzero(&trials.squared_weights), [(10, 121)]);
    assert_eq!(trials.moments.values(), [1, 2, 3, 4]);
    let evidence = trials.evidence.as_ref().unwrap();
    assert_eq!(evidence.clipped, 3);
    assert_eq!(evidence.shown, [0, 3, 0, 1, 0, 6]);
    assert_eq!(nonzero(evidence.sums.values()), [(11, 13)]);
    assert_eq!(nonzero(evidence.squares.values()), [(5, 14)]);
    assert_eq!(nonzero(evidence.products.values()), [(6, 15), (7, 16)]);
    assert_eq!(nonzero(evidence.noise.values()), [(10, 17), (11, 18)]);
}

#[test]
fn records_that_differ_in_any_one_field_are_not_equal() {
    let mut whole = trials();
    whole.noted = vec![5];
    whole.course = Array::new(&[1, 2, 2], vec![0.5, f32::NAN, 0.25, f32::NAN]);
    assert!(whole == whole.clone(), "no number equals no number");
    let changes: &[fn(&mut GammaTrials)] = &[
        |t| t.gamma = Gamma(0.2),
        |t| t.first = 1,
        |t| t.blocks = 3,
        |t| t.trials = 11,
        |t| t.min_trials = 31,
        |t| t.fed_back[0] = ANSWER,
        |t| t.counts[0] = 1,
        |t| t.listed[0] = ClassId(1),
        |t| t.images = [1, 2, 1],
        |t| t.grain.grey = true,
        |t| t.noise.values_mut()[0] = 1,
        |t| t.rest.values_mut()[0] = 1,
        |t| t.image.values_mut()[0] = 1,
        |t| t.kind = Noise::Pca,
        |t| t.grid = Noise::Binary.grid(),
        |t| t.deviation = Some(0.5),
        |t| t.moments.values_mut()[0] = 7,
        |t| t.weights[0] = 1,
        |t| t.squared_weights[0] = 1,
        |t| t.dropped = 5,
        |t| t.evidence = None,
        |t| t.noted = vec![6],
        |t| t.course.values_mut()[0] = 0.75,
        |t| t.evidence_fed_back[0] = ANSWER,
        |t| t.null = Some(null()),
        |t| t.reached = true,
        |t| t.on_the_way = vec![fresh()],
    ];
    for (place, change) in changes.iter().enumerate() {
        let mut other = whole.clone();
        change(&mut other);
        assert!(whole != other, "change {place}");
    }
}

#[test]
fn trials_of_another_kind_are_recognized_by_any_one_difference() {
    let mut whole = trials();
    whole.on_the_way = vec![fresh()];
    assert!(whole.is_of_kind(&kind()));
    let changes: &[fn(&mut GammaTrials)] = &[
        |t| t.kind = Noise::Pca,
        |t| t.grid = Noise::Binary.grid(),
        |t| t.deviation = Some(0.5),
        |t| t.grain.grey = true,
        |t| t.images = [1, 2, 1],
        |t| t.fed_back.push(None),
        |t| t.listed[0] = ClassId(1),
        |t| t.weights.clear(),
        |t| t.evidence = None,
        |t| t.evidence.as_mut().unwrap().noise = Array::default(),
        |t| t.on_the_way[0].kind = Noise::Pca,
    ];
    for (place, change) in changes.iter().enumerate() {
        let mut other = whole.clone();
        change(&mut other);
        assert!(!other.is_of_kind(&kind()), "change {place}");
    }
}

#[test]
fn numbers_that_contradict_each_other_are_not_consistent() {
    let mut whole = trials();
    whole.noted = vec![5, 9];
    whole.course = Array::zeros(&[2, 2, 2]);
    whole.null = Some(null());
    whole.on_the_way = vec![fresh()];
    assert!(whole.is_consistent());
    let changes: &[fn(&mut GammaTrials)] = &[
        |t| t.counts[0] = 1,
        |t| t.counts.push(0),
        |t| t.dropped = 5,
        |t| t.trials = 11,
        |t| t.weights.truncate(9),
        |t| {
            t.weights.truncate(9);
            t.squared_weights.truncate(9);
        },
        |t| t.noted = vec![5],
        |t| t.noted = vec![5, 5],
        |t| t.noted = Vec::new(),
        |t| t.fed_back[0] = ANSWER,
        |t| t.evidence_fed_back[0] = ANSWER,
        |t| t.evidence_fed_back.clear(),
        |t| t.listed = vec![ClassId(2), ClassId(0)],
        |t| t.listed = vec![ClassId(0), ClassId(0)],
        |t| t.listed[1] = ClassId(3),
        |t| t.noise = Array::default(),
        |t| t.rest = Array::default(),
        |t| t.image = Array::default(),
        |t| t.moments = Array::default(),
        |t| t.on_the_way[0].trials = 1,
        |t| t.null.as_mut().unwrap().bound = 0.0,
        |t| t.null.as_mut().unwrap().bound = f64::INFINITY,
        |t| t.null.as_mut().unwrap().deviations = Array::zeros(&[1, 2, 1]),
        |t| t.null.as_mut().unwrap().largest = Array::zeros(&[3, 1]),
        |t| t.null.as_mut().unwrap().maps = Array::zeros(&[5, 1, 2, 1]),
        |t| t.evidence.as_mut().unwrap().step = 0.0,
        |t| t.evidence.as_mut().unwrap().step = f64::INFINITY,
        |t| t.evidence.as_mut().unwrap().shown.push(0),
        |t| t.evidence.as_mut().unwrap().shown[0] = 1,
        |t| t.evidence.as_mut().unwrap().sums = Array::default(),
        |t| t.evidence.as_mut().unwrap().squares = Array::default(),
        |t| t.evidence.as_mut().unwrap().products = Array::default(),
        |t| t.evidence.as_mut().unwrap().noise = Array::zeros(&[2, 2, 1, 1, 2]),
    ];
    for (place, change) in changes.iter().enumerate() {
        let mut other = whole.clone();
        change(&mut other);
        assert!(!other.is_consistent(), "change {place}");
    }
    // Every class can be the answer, also one without maps.
    for class in [0, 1, 2] {
        let answer = Some(FedBack {
            class: ClassId(class),
            confidence: 0.5,
        });
        (whole.fed_back[0], whole.evidence_fed_back[0]) = (answer, answer);
        assert!(whole.is_consistent(), "class {class}");
    }
    // Evidence may take its sums of the noise from the decisions.
    whole.evidence.as_mut().unwrap().noise = Array::default();
    assert!(whole.is_consistent());
}

#[test]
fn evidence_keeps_the_noise_of_each_class_unless_decisions_do() {
    for (weighting, shape) in [
        (Weighting::Equal, &[0_usize][..]),
        (Weighting::Confidence, &[2, 2, 1, 1, 2][..]),
    ] {
        let kind = TrialKind {
            weighting,
            evidence: true,
            ..TrialKind::plain(2, [1, 1, 2])
        };
        let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
        trials.record_evidence(0.5, &kind);
        assert_eq!(trials.evidence.as_ref().unwrap().noise.shape(), shape);
        assert!(trials.is_consistent() && trials.is_of_kind(&kind));
    }
}

#[test]
fn an_estimate_is_that_of_the_sums_even_after_these_are_dropped() {
    let mut more = balanced();
    assert_eq!(more.estimate().trials, 4);
    more.add(&balanced_block());
    assert_eq!(more.estimate().trials, 8);
    let mut light = balanced();
    light.drop_sums();
    assert_eq!(light.noise, Array::default());
    let step = light.grid.step as f32;
    let estimate = light.estimate();
    let map = |class: usize| &estimate.classes[class].decision.as_ref().unwrap().image;
    assert_eq!(*map(0), [-10.0 * step, -2.0 * step]);
    assert_eq!(*map(1), [10.0 * step, 2.0 * step]);
    let mut evidence = trials();
    evidence.discard_sums();
    let evidence = evidence.evidence.unwrap();
    let all = [
        evidence.sums,
        evidence.squares,
        evidence.products,
        evidence.noise,
    ];
    assert!(all.iter().all(|sums| *sums == Array::default()));
}

#[test]
fn errors_are_independent_under_white_noise_and_otherwise_as_simulated() {
    let mut dependent = fresh();
    assert!(matches!(dependent.errors(), ErrorModel::Unknown));
    dependent.set_null(null());
    assert!(matches!(dependent.errors(), ErrorModel::Simulated(_)));
    let mut white = balanced();
    assert!(matches!(white.errors(), ErrorModel::Independent));
    white.set_null(null());
    assert!(matches!(white.errors(), ErrorModel::Independent));
}

#[test]
fn the_size_of_a_map_is_its_rows_and_columns() {
    let kind = TrialKind::plain(2, [3, 4, 5]);
    assert_eq!(GammaTrials::new(Gamma::NOISE, 30, &kind).size(), (4, 5));
}

#[test]
fn trials_of_a_version_with_one_kind_of_noise_are_uniform() {
    let text = ron::to_string(&balanced()).unwrap();
    let (before, noise) = text.split_once("kind:").unwrap();
    let (_, after) = noise.split_once("moments:").unwrap();
    let old: GammaTrials = ron::from_str(&format!("{before}moments:{after}")).unwrap();
    assert!(old.is_of_kind(&TrialKind::plain(2, [1, 1, 2])));
}

/// Ten trials, of which four do not count.
#[test]
fn a_confidence_that_is_required_drops_trials_of_decisions_and_not_of_evidence() {
    let mut trials = trials();
    assert_eq!(Response::ALL.map(|by| trials.trials_of(by)), [6, 10]);
    for (least, deviation, lacks) in [
        (6, None, false),
        (7, None, true),
        (10, Some(0.2), false),
        (11, Some(0.2), true),
    ] {
        (trials.min_trials, trials.deviation) = (least, deviation);
        let found = trials.lacks_trials_for_evidence();
        assert_eq!(found, lacks, "{least} {deviation:?}");
    }
}

/// Evidence is compared within true classes, of which those without maps are one.
#[test]
fn a_single_trial_of_each_class_is_too_few_for_evidence_unless_no_image_is_shown() {
    for (gamma, shown, lacks) in [
        (Gamma(0.3), [1, 0, 0, 0, 0, 1], true),
        (Gamma(0.3), [1, 1, 0, 0, 0, 1], true),
        (Gamma(0.3), [1, 1, 0, 0, 1, 1], false),
        (Gamma(0.3), [1, 0, 0, 1, 0, 0], false),
        (Gamma::NOISE, [1, 1, 1, 0, 0, 0], false),
    ] {
        let mut trials = fresh();
        trials.gamma = gamma;
        trials.evidence.as_mut().unwrap().shown = shown.to_vec();
        assert_eq!(trials.lacks_pairs(), lacks, "{shown:?} at {gamma}");
    }
    assert!(!GammaTrials::new(Gamma(0.3), 30, &kind()).lacks_pairs());
}
