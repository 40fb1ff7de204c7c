//! Tests of merging: the sum of two records, and what is not added.

use super::*;
use crate::ids::{BlockIndex, Gamma};
use crate::session::config::{Noise, Split};
use crate::session::form::Form;
use crate::session::record::gamma_trials::tests::{blocks, fresh, kind, null, trials};
use crate::session::record::{
    BlockResponses, BlockSums, FedBack, LayerResponses, NoiseAxes, TrialKind,
};
use crate::session::{Config, Session};

/// A change of one of two records.
type Change = fn(&mut GammaTrials);

#[test]
fn a_sum_that_overflows_is_refused_and_changes_nothing() {
    let mut sums = [1_i64, i64::MAX];
    assert!(add(&mut sums, &[1, 1]).unwrap_err().contains("64 bits"));
    assert_eq!(sums, [1, i64::MAX]);
    assert!(add(&mut sums, &[1]).is_err());
    add(&mut sums, &[1, -1]).unwrap();
    assert_eq!(sums, [2, i64::MAX - 1]);
}

#[test]
fn the_merge_of_two_records_equals_the_record_of_all_trials() {
    let (mut merged, mut other) = (trials(), trials());
    other.set_null(null());
    merged.absorb(&other).unwrap();
    let mut all = trials();
    blocks().iter().for_each(|block| all.add(block));
    all.set_null(null());
    assert!(merged == all);
    assert_eq!((all.blocks, all.trials, all.dropped), (4, 20, 8));
}

#[test]
fn trials_measured_differently_are_refused_with_the_difference() {
    let cases: &[(Change, &str)] = &[
        (|t| t.gamma = Gamma(0.2), "its signal strength differs"),
        (|t| t.kind = Noise::Pca, "its noise differs"),
        (|t| t.grain.grey = true, "its noise differs"),
        (|t| t.listed.truncate(1), "its list of classes differs"),
        (|t| t.images = [1, 2, 1], "its image differs"),
        (|t| t.evidence = None, "only one of them recorded"),
        (
            |t| t.evidence.as_mut().unwrap().step = 0.5,
            "in units of 0.5, but those of the others in units of 0.25",
        ),
        (|t| t.counts.push(0), "it has 19 numbers; expected 18"),
        (
            |t| t.rest = Array::zeros(&[4]),
            "it has sums of shape [4]; expected [2, 1, 1, 2]",
        ),
    ];
    for (change, words) in cases {
        let mut other = trials();
        change(&mut other);
        let error = trials().absorb(&other).unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_merge_whose_sums_do_not_fit_is_refused_and_changes_nothing() {
    let changes: &[Change] = &[
        |t| t.blocks = u64::MAX,
        |t| t.trials = u64::MAX,
        |t| t.dropped = u64::MAX,
        |t| t.counts[14] = u64::MAX,
        |t| t.evidence.as_mut().unwrap().clipped = u64::MAX,
        |t| t.evidence.as_mut().unwrap().shown[5] = u64::MAX,
    ];
    let of = |trials: GammaTrials| {
        Analysis::ClassificationImages(ClassificationImages {
            gammas: vec![trials],
            axes: None,
        })
    };
    for (place, change) in changes.iter().enumerate() {
        let mut other = trials();
        other.set_null(null());
        change(&mut other);
        let mut whole = of(trials());
        let error = whole.absorb(&of(other)).unwrap_err();
        assert!(error.contains("64 bits"), "change {place}: {error}");
        assert!(whole == of(trials()), "change {place}");
    }
}

#[test]
fn a_shard_that_cannot_be_added_leaves_the_session_as_it_was() {
    let plan = config::Analysis::Predictions(config::Predictions::default());
    let config = Config {
        analyses: vec![plan.clone(), plan],
        ..Config::default()
    };
    let mut whole = Session::new("mine", config);
    whole.divide(1, "any").unwrap();
    let mut shard = whole.new_shard("mine.shard-1-of-1", 1).unwrap();
    let begun = |done: u64| {
        Analysis::Predictions(Predictions {
            progress: BlockProgress {
                blocks: vec![1],
                done,
                total: 9,
            },
            splits: vec![SplitCounts::new(Split::Test, &Form::numbered([1, 1, 1], 2))],
        })
    };
    whole.record.analyses = vec![begun(1), begun(1)];
    shard.record.analyses = vec![begun(1), begun(u64::MAX)];
    let before = whole.clone();
    let error = whole.absorb(&shard).unwrap_err().to_string();
    let words = "mine.shard-1-of-1: analyses[1]: the sum over all shards does not fit";
    assert!(error.starts_with(words), "{error}");
    assert!(whole == before);
}

#[test]
fn an_emptied_record_is_one_without_trials_of_the_same_kind() {
    let mut full = trials();
    (full.first, full.reached) = (4, true);
    (full.noted, full.course) = (vec![5], Array::zeros(&[1, 2, 2]));
    full.on_the_way = vec![trials()];
    let answer = Some(FedBack {
        class: crate::ids::ClassId(1),
        confidence: 0.5,
    });
    (full.fed_back[0], full.evidence_fed_back[0]) = (answer, answer);
    assert!(full.emptied() == fresh());
    assert!(full.emptied().is_of_kind(&kind()));
}

/// A block of four trials.
pub(super) fn four() -> GammaTrials {
    let mut trials = GammaTrials::new(Gamma::NOISE, 30, &TrialKind::plain(2, [1, 1, 1]));
    trials.add(&BlockSums {
        trials: 4,
        counts: vec![1, 1, 1, 1],
        noise: vec![(0, vec![90]), (1, vec![110])],
        image: vec![(0, vec![1]), (1, vec![2])],
        ..BlockSums::default()
    });
    trials
}

#[test]
fn reliability_on_the_way_is_noted_only_for_blocks_that_follow_directly() {
    let merged = |first: u64| {
        let (mut whole, mut later) = (four(), four());
        later.first = first;
        later.on_the_way = vec![four()];
        whole.absorb(&later).unwrap();
        assert_eq!((whole.blocks, whole.trials), (2, 8));
        (whole.noted.clone(), whole.course.shape().to_vec())
    };
    assert_eq!(merged(1), (vec![8], vec![1, 2, 2]));
    assert_eq!(merged(2), (vec![], vec![0, 2, 2]));
    // The notes of the first blocks are those of a single engine.
    let mut first = four();
    (first.noted, first.course) = (vec![4], Array::zeros(&[1, 2, 2]));
    let mut whole = first.emptied();
    whole.absorb(&first).unwrap();
    assert!(whole == first);
    let mut whole = four();
    whole.absorb(&first).unwrap();
    assert_eq!(whole.noted, [] as [u64; 0]);
    // They stay when later blocks follow.
    let mut later = four();
    (later.first, later.on_the_way) = (1, vec![four()]);
    first.absorb(&later).unwrap();
    assert_eq!(first.noted, [4, 8]);
    assert_eq!(first.course.shape(), [2, 2, 2]);
}

#[test]
fn classification_images_that_have_not_begun_take_over_trials_and_axes() {
    let axes = |variance: f32| {
        Some(NoiseAxes {
            variances: Array::new(&[1], vec![variance]),
            vectors: Array::zeros(&[1, 1, 1, 1]),
        })
    };
    let of = |gammas: Vec<GammaTrials>, axes: Option<NoiseAxes>| {
        Analysis::ClassificationImages(ClassificationImages { gammas, axes })
    };
    let (nothing, begun) = (of(Vec::new(), None), of(vec![four()], axes(1.0)));
    let mut whole = nothing.clone();
    whole.absorb(&begun).unwrap();
    assert!(whole == begun);
    whole.absorb(&nothing).unwrap();
    assert!(whole == begun);
    whole.absorb(&of(vec![four()], axes(2.0))).unwrap();
    let Analysis::ClassificationImages(sum) = &whole else {
        unreachable!()
    };
    assert_eq!(sum.gammas[0].trials, 8);
    assert!(sum.axes == axes(1.0), "those that are there stay");
}

#[test]
fn the_averages_after_a_merge_are_those_of_all_responses() {
    let block = |weighted: i64| BlockResponses {
        fields: 1,
        fired: vec![1],
        activation: vec![4],
        magnitude: vec![4],
        stimulus: vec![2],
        weighted: vec![weighted],
    };
    let of = |noise: &[i64], images: &[i64]| {
        let mut layer = LayerResponses::new("fc1", 1, [1, 1, 1], false, None);
        for &weighted in noise {
            layer.add_noise(BlockIndex(0), &block(weighted));
        }
        for &weighted in images {
            layer.add_images(BlockIndex(1), &block(weighted));
        }
        layer.estimate();
        Analysis::SpikeTriggered(SpikeTriggered {
            layers: vec![layer],
            ..SpikeTriggered::default()
        })
    };
    let mut whole = of(&[8], &[24]);
    whole.absorb(&of(&[16], &[40])).unwrap();
    let all = of(&[8, 16], &[24, 40]);
    assert!(whole == all);
    let averages = |record: &Analysis| {
        let Analysis::SpikeTriggered(record) = record else {
            unreachable!()
        };
        let estimate = record.layers[0].estimate();
        (estimate.sta.clone(), estimate.image_sta.clone())
    };
    assert_eq!(averages(&whole), averages(&all));
}

#[test]
fn what_runs_after_merging_has_nothing_to_add() {
    for plan in [
        config::Analysis::Templates(config::Templates::default()),
        config::Analysis::Attack(config::Attack::default()),
    ] {
        let empty = Analysis::new(&plan);
        let mut record = empty.clone();
        record.absorb(&empty).unwrap();
        assert!(record == empty);
    }
}

#[test]
fn progress_adds_up_and_its_total_is_the_larger_one() {
    let progress = |blocks: &[u64], done, total| BlockProgress {
        blocks: blocks.to_vec(),
        done,
        total,
    };
    let mut all = BlockProgress::default();
    all.add(&progress(&[2, 3], 5, 9)).unwrap();
    assert_eq!(all, progress(&[2, 3], 5, 9));
    all.add(&progress(&[1, 0], 2, 7)).unwrap();
    assert_eq!(all, progress(&[3, 3], 7, 9));
    assert!(all.add(&progress(&[1], 1, 1)).is_err());
    assert!(all.add(&progress(&[1, 1], u64::MAX, 9)).is_err());
    assert_eq!(all, progress(&[3, 3], 7, 9));
    let finished = |done, total| progress(&[], done, total).is_finished();
    assert_eq!(
        [
            finished(0, 0),
            finished(1, 2),
            finished(2, 2),
            finished(3, 2)
        ],
        [false, false, true, true]
    );
}

#[test]
fn records_of_other_layers_splits_or_experiments_are_refused() {
    let spikes = |name: &str| {
        Analysis::SpikeTriggered(SpikeTriggered {
            layers: vec![LayerResponses::new(name, 1, [1, 1, 1], false, None)],
            ..SpikeTriggered::default()
        })
    };
    let modulated = |name: &str| {
        let layer = ModulatedLayer {
            name: name.into(),
            alpha: 0.1,
            shown: vec![3],
            activation: Array::new(&[1, 1], vec![4]),
            counts: Array::new(&[1, 1, 1, 3, 1], vec![5, 6, 7]),
        };
        Analysis::Modulation(Modulation {
            layers: vec![layer],
            ..Modulation::default()
        })
    };
    let predictions = |split| {
        Analysis::Predictions(Predictions {
            splits: vec![SplitCounts::new(split, &Form::numbered([1, 1, 1], 2))],
            ..Predictions::default()
        })
    };
    let absorbed = |mut one: Analysis, other: &Analysis| one.absorb(other).err();
    let refused = |words: &str| Some(words.to_owned());
    let layers = refused("its layer differs");
    assert_eq!(absorbed(spikes("fc1"), &spikes("fc2")), layers);
    assert_eq!(absorbed(modulated("fc1"), &modulated("fc2")), layers);
    let (test, train) = (predictions(Split::Test), predictions(Split::Train));
    assert_eq!(absorbed(test.clone(), &train), refused("its split differs"));
    assert_eq!(absorbed(test.clone(), &test), None);
    assert_eq!(
        absorbed(test, &spikes("fc1")),
        refused("it is a different experiment")
    );
    // A record that has not begun adds nothing, and takes over one that has.
    let mut one = modulated("fc1");
    let nothing = Analysis::Modulation(Modulation::default());
    one.absorb(&nothing).unwrap();
    assert!(one == modulated("fc1"));
    let mut empty = nothing;
    empty.absorb(&one).unwrap();
    assert!(empty == one);
    one.absorb(&modulated("fc1")).unwrap();
    let Analysis::Modulation(sum) = &one else {
        unreachable!()
    };
    assert_eq!(sum.layers[0].shown, [6]);
    assert_eq!(sum.layers[0].activation.values(), [8]);
    assert_eq!(sum.layers[0].counts.values(), [10, 12, 14]);
}
