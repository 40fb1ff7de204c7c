//! Tests of the attack record: success rates, and which counts are rejected.

use std::path::Path;

use super::*;
use crate::session::text::{from_text, to_text};
use crate::session::{Config, Session};

const CLASSES: usize = 10;

/// An attack record in which targets 0 and 1 have the first pattern, with one weight. Stimuli are
/// (source, target, true, called, count).
fn with(stimuli: &[(usize, usize, usize, usize, i64)]) -> Attack {
    let mut outcomes = [Outcomes::default(); 2 * 3 * CLASSES];
    for &(source, target, truth, called, count) in stimuli {
        let truth = (source == 0).then_some(ClassId(truth));
        let [called, target] = [called, target].map(ClassId);
        outcomes[source * 3 * CLASSES + target.0].count(truth, called, target, count);
    }
    let counts = outcomes
        .iter()
        .flat_map(|outcomes| outcomes.numbers())
        .collect();
    let mut exists = vec![false; 3 * CLASSES];
    exists[..2].fill(true);
    Attack {
        gamma: Some(Gamma::NOISE),
        weights: vec![0.5],
        patterns: Array::zeros(&[3, CLASSES, 1, 28, 28]),
        measured: exists,
        counts: Array::new(&[2, 3, CLASSES, 1, OUTCOMES], counts),
        ..Attack::default()
    }
}

const IMAGES: [(usize, usize, usize, usize, i64); 6] = [
    (0, 0, 0, 0, 70),
    (0, 0, 3, 0, 2),
    (0, 0, 3, 3, 5),
    (0, 0, 4, 7, 1),
    (0, 1, 0, 1, 1),
    (0, 1, 0, 0, 1),
];

fn share(hits: u64, of: u64) -> Option<Share> {
    Some(Share { hits, total: of })
}

#[test]
fn images_of_the_target_itself_do_not_count_as_successes() {
    let attack = with(&IMAGES);
    assert_eq!(attack.targeted(0, 0, ClassId(0), 0), share(2, 8));
    assert_eq!(attack.targeted(0, 0, ClassId(1), 0), share(1, 2));
    let shares = [(2, 8), (1, 2)].map(|(hits, total)| Share { hits, total });
    let mean = attack.mean_targeted(0, 0, 0);
    assert_eq!(mean, MeanShare::of(shares));
    assert_eq!(mean.unwrap().interval.estimate, 0.375);
}

#[test]
fn an_image_called_another_class_is_an_untargeted_error_whatever_the_target() {
    let attack = with(&IMAGES);
    assert_eq!(attack.untargeted(0, 0), share(4, 80));
    // A file may claim more correct stimuli than were shown.
    let mut more = attack.clone();
    more.counts.values_mut()[3] = 90;
    assert_eq!(more.untargeted(0, 0), share(1, 80));
}

#[test]
fn a_count_that_does_not_fit_is_held_at_the_last_number_that_does() {
    let mut outcomes = Outcomes::default();
    for _ in 0..2 {
        outcomes.count(Some(ClassId(1)), ClassId(1), ClassId(0), i64::MAX);
    }
    assert_eq!(outcomes.numbers(), [i64::MAX, 0, i64::MAX, i64::MAX]);
}

#[test]
fn every_noise_image_called_the_target_is_a_success() {
    let attack = with(&[(1, 0, 0, 0, 3), (1, 0, 0, 5, 1)]);
    assert_eq!(attack.targeted(1, 0, ClassId(0), 0), share(3, 4));
    // Nothing was shown for the other target yet, so it is not in the mean.
    let only = MeanShare::of([Share { hits: 3, total: 4 }]);
    assert_eq!(attack.mean_targeted(1, 0, 0), only);
}

#[test]
fn without_a_pattern_there_is_no_success_rate() {
    let attack = with(&[]);
    assert_eq!(attack.targeted(0, 0, ClassId(0), 0), share(0, 0));
    assert_eq!(attack.targeted(0, 0, ClassId(2), 0), None);
    assert_eq!(attack.mean_targeted(0, 0, 0), None);
    assert_eq!(attack.untargeted(1, 0), None);
    assert_eq!(Attack::default().targeted(0, 0, ClassId(0), 0), None);
    assert_eq!(Attack::default().untargeted(0, 0), None);
}

#[test]
fn a_record_with_negative_or_overflowing_counts_is_refused() {
    let plan = config::Attack {
        weights: vec![0.5],
        ..config::Attack::default()
    };
    let mut attack = with(&[(0, 0, 0, 0, 1)]);
    attack.progress.blocks = vec![0; 60];
    let form = Form::numbered([1, 28, 28], CLASSES);
    assert!(attack.fits(&plan, Some(&form)));
    assert!(!attack.fits(&plan, None));
    attack.counts.values_mut()[7] = -1;
    assert!(!attack.fits(&plan, Some(&form)));
    let config = Config {
        analyses: vec![
            config::Analysis::ClassificationImages(Default::default()),
            config::Analysis::Attack(plan.clone()),
        ],
        ..Config::default()
    };
    let mut session = Session::new("negative", config);
    session.record.form = Some(form.clone());
    session.record.analyses[1] = super::super::Analysis::Attack(attack.clone());
    let file = to_text(&session).unwrap();
    let read = from_text(&file, Path::new("negative.ron"), "negative");
    let error = read.unwrap_err().to_string();
    assert!(error.contains("analyses[1]"), "{error}");
    attack.counts.values_mut()[7..10].fill(i64::MAX);
    assert!(!attack.fits(&plan, Some(&form)));
}

/// Two classes and two weights; every count and every number of a pattern is its own place.
fn numbered() -> Attack {
    Attack {
        gamma: Some(Gamma::NOISE),
        weights: vec![0.0, 1.0],
        patterns: Array::new(&[3, 2, 1, 1, 2], (0_u8..12).map(f32::from).collect()),
        measured: vec![true, false, true, true, true, true],
        counts: Array::new(&[2, 3, 2, 2, OUTCOMES], (0..96).collect()),
        progress: BlockProgress {
            blocks: vec![0; 12],
            ..BlockProgress::default()
        },
        examples: vec![AttackExample {
            target: ClassId(1),
            truth: ClassId(0),
            image: Array::zeros(&[1, 1, 2]),
            called: vec![ClassId(1); 6],
            confidence: vec![0.5; 6],
        }],
        ..Attack::default()
    }
}

#[test]
fn outcomes_and_patterns_are_found_by_their_indices() {
    let attack = numbered();
    let outcomes = |source, pattern, target, weight| {
        attack
            .outcomes(source, pattern, ClassId(target), weight)
            .numbers()
    };
    assert_eq!(outcomes(1, 2, 1, 1), [92, 93, 94, 95]);
    assert_eq!(outcomes(1, 0, 1, 0), [56, 57, 58, 59]);
    assert_eq!(outcomes(0, 1, 0, 1), [20, 21, 22, 23]);
    // 2, 6, … 94.
    assert_eq!(attack.queries(), 24 * 48);
    assert_eq!(attack.classes(), 2);
    assert_eq!(attack.pattern(1, ClassId(1)), Some(&[6.0, 7.0][..]));
    assert_eq!(attack.pattern(0, ClassId(1)), None);
    assert_eq!(attack.pattern(0, ClassId(2)), None);
}

#[test]
fn an_attack_fits_a_plan_of_its_weights_and_a_form_of_its_shape() {
    let plan = config::Attack {
        weights: vec![0.0, 1.0],
        ..config::Attack::default()
    };
    let form = Form::numbered([1, 1, 2], 2);
    assert!(numbered().fits(&plan, Some(&form)));
    assert!(Attack::new(&plan).fits(&plan, None));
    let changes: &[fn(&mut Attack)] = &[
        |it| it.kinds = vec![Pattern::Random; 3],
        |it| it.weights[0] = 0.5,
        |it| it.patterns = Array::zeros(&[12]),
        |it| it.measured.push(true),
        |it| it.progress.blocks.push(0),
        |it| it.counts = Array::zeros(&[96]),
        |it| it.examples[0].target = ClassId(2),
        |it| it.examples[0].truth = ClassId(2),
        |it| it.examples[0].called[5] = ClassId(2),
        |it| it.examples[0].called.truncate(5),
        |it| it.examples[0].confidence.truncate(5),
        |it| it.examples[0].image = Array::zeros(&[1, 2, 1]),
    ];
    for (place, change) in changes.iter().enumerate() {
        let mut other = numbered();
        change(&mut other);
        assert!(!other.fits(&plan, Some(&form)), "change {place}");
    }
}

#[test]
fn every_pattern_has_a_description_and_a_key_of_its_own() {
    assert_eq!(
        WITH_EVIDENCE.map(Pattern::label),
        [
            "classification image",
            "evidence image",
            "mean image",
            "random control"
        ]
    );
    assert_eq!(
        WITH_EVIDENCE.map(Pattern::key),
        [
            "classification_image",
            "evidence_image",
            "mean_image",
            "random"
        ]
    );
}
