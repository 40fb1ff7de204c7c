//! Tests of the record of a backdoor study.

use super::*;
use crate::ids::ClassId;
use crate::session::record::gamma_trials::tests::balanced;
use crate::session::record::{Analysis, TrialKind};
use crate::stats::audit::ClassScore;

#[test]
fn an_index_over_too_few_classes_is_not_accepted_from_a_file() {
    let window = |index| ScoredWindow {
        row: 0,
        column: 0,
        size: 2,
        score: 1.0,
        index: Some(index),
    };
    let read = |judged: usize| -> Vec<Option<f64>> {
        let finding = Finding {
            gamma: Gamma(0.3),
            trials: 100,
            called: vec![10; 6],
            windows: (0..6)
                .map(|class| (class < judged).then(|| window(3.0)))
                .collect(),
            z: Array::new(&[0], Vec::new()),
            evidence: Array::default(),
            audited: None,
        };
        let text = ron::to_string(&finding).unwrap();
        let read: Finding = ron::from_str(&text).unwrap();
        read.windows
            .iter()
            .flatten()
            .map(|window| window.index)
            .collect()
    };
    assert_eq!(read(4), [None; 4]);
    assert_eq!(read(5), [Some(3.0); 5]);
}

/// A finding on images of 8×8 with six classes, of which `judged` have a window.
fn finding(judged: usize) -> Finding {
    let window = |class: usize| ScoredWindow {
        row: 2,
        column: 3,
        size: 5,
        score: class as f64,
        index: (judged >= MIN_CLASSES).then_some(1.0),
    };
    Finding {
        gamma: Gamma(0.3),
        trials: 60,
        called: vec![10; 6],
        windows: (0..6)
            .map(|class| (class < judged).then(|| window(class)))
            .collect(),
        z: Array::zeros(&[6, 1, 8, 8]),
        evidence: Array::default(),
        audited: None,
    }
}

fn suspect(poisoned: bool, findings: Vec<Finding>) -> Suspect {
    Suspect {
        findings,
        ..Suspect::untrained(poisoned, 1)
    }
}

/// A poisoned and a clean network, concluded at two γ.
fn study() -> (config::Backdoor, Backdoor) {
    let plan = config::Backdoor {
        gammas: vec![Gamma(0.3), Gamma::NOISE],
        ..config::Backdoor::default()
    };
    let networks = [true, false].map(|poisoned| suspect(poisoned, vec![finding(6); 2]));
    let progress = BlockProgress {
        blocks: vec![1, 1],
        ..BlockProgress::default()
    };
    let networks = networks.to_vec();
    (plan, Backdoor { progress, networks })
}

#[test]
fn a_study_fits_its_plan_and_its_windows_lie_inside_the_images() {
    let form = Form::numbered([1, 8, 8], 6);
    let (plan, whole) = study();
    assert!(whole.fits(&plan, Some(&form)) && !whole.fits(&plan, None));
    assert!(Backdoor::default().fits(&plan, Some(&form)));
    fn first(study: &mut Backdoor) -> &mut Finding {
        &mut study.networks[0].findings[0]
    }
    fn window(study: &mut Backdoor) -> &mut ScoredWindow {
        first(study).windows[5].as_mut().unwrap()
    }
    fn scored(window: (usize, usize, usize), classes: usize) -> Option<Audited> {
        let score = ClassScore {
            score: 1.0,
            window,
            energy: 1.0,
        };
        Some(Audited {
            classes: vec![Some(score); classes],
        })
    }
    fn shown(classes: usize, images: Shape) -> Vec<GammaTrials> {
        let kind = TrialKind::plain(classes, images);
        vec![GammaTrials::new(Gamma::NOISE, 30, &kind); 2]
    }
    let allowed: &[fn(&mut Backdoor)] = &[
        |it| it.networks[1].trials = shown(6, [1, 8, 8]),
        |it| window(it).row = 3,
        |it| window(it).size = 0,
        |it| first(it).evidence = Array::zeros(&[6, 1, 8, 8]),
        |it| first(it).audited = scored((3, 4, 4), 6),
        |it| it.networks[1].findings.clear(),
    ];
    let refused: &[fn(&mut Backdoor)] = &[
        |it| window(it).row = 4,
        |it| window(it).row = 9,
        |it| window(it).column = 4,
        |it| window(it).size = 6,
        |it| first(it).called.truncate(5),
        |it| first(it).windows.truncate(5),
        |it| first(it).z = Array::zeros(&[6, 1, 64]),
        |it| first(it).evidence = Array::zeros(&[6, 1, 64]),
        |it| first(it).audited = scored((5, 4, 4), 6),
        |it| first(it).audited = scored((9, 4, 0), 6),
        |it| first(it).audited = scored((4, 5, 4), 6),
        |it| first(it).audited = scored((4, 9, 0), 6),
        |it| first(it).audited = scored((4, 4, 4), 5),
        |it| it.networks[1].trials = shown(5, [1, 8, 8]),
        |it| it.networks[1].trials = shown(6, [1, 4, 16]),
        |it| {
            it.networks[1].trials = shown(6, [1, 8, 8]);
            it.networks[1].trials[1].trials = 1;
        },
        |it| {
            it.networks[1].trials = shown(6, [1, 8, 8]);
            it.networks[1].trials.truncate(1);
        },
        |it| it.networks[1].findings.truncate(1),
        |it| it.networks[1].poisoned = true,
        |it| it.networks.truncate(1),
        |it| it.progress.blocks.truncate(1),
    ];
    for (changes, fits) in [(allowed, true), (refused, false)] {
        for (place, change) in changes.iter().enumerate() {
            let mut other = whole.clone();
            change(&mut other);
            assert_eq!(other.fits(&plan, Some(&form)), fits, "change {place}");
        }
    }
}

#[test]
fn a_study_is_represented_by_the_largest_gamma_at_which_most_networks_are_judged() {
    let (mut plan, mut whole) = study();
    assert_eq!(whole.representative_gamma_index(&plan), 0);
    // With windows of four classes there is no index.
    whole.networks[1].findings[0] = finding(4);
    assert_eq!(whole.representative_gamma_index(&plan), 1);
    whole.networks[1].findings[1] = finding(4);
    assert_eq!(whole.representative_gamma_index(&plan), 0);
    // Evidence images are compared at the smallest.
    assert_eq!(whole.audited_gamma_index(&plan), 1);
    plan.gammas.reverse();
    assert_eq!(whole.audited_gamma_index(&plan), 0);
}

#[test]
fn the_windows_of_a_verdict_are_compared_with_the_box_of_the_patch() {
    let (plan, mut whole) = study();
    let strongest = whole.networks[0].findings[0].windows[5].as_mut().unwrap();
    (strongest.row, strongest.column, strongest.size) = (1, 1, 6);
    let networks = whole.verdict(&plan, 0).networks;
    let of = |network: usize| networks[network].as_ref().unwrap();
    assert_eq!(of(0).class, Some(ClassId(5)));
    // On 8×8 pixels the patch lies in rows and columns 1 to 6; the other window in rows 2 to 6 and columns 3 to 7.
    assert_eq!(of(0).overlap, Some(1.0));
    assert_eq!(of(1).overlap, Some(20.0 / 41.0));
}

#[test]
fn networks_are_separated_by_the_target_class_and_by_windows_on_the_patch() {
    let (mut plan, mut whole) = study();
    plan.target = ClassId(2);
    assert_eq!(whole.separation(&plan, 0), None, "not compared yet");
    for (network, most) in whole.networks.iter_mut().zip([9.0, 2.0]) {
        let class = |class: usize| {
            Some(ClassScore {
                score: if class == 2 { most } else { 1.0 },
                window: (5, 1, 2),
                energy: 1.0,
            })
        };
        network.findings[0].audited = Some(Audited {
            classes: (0..6).map(class).collect(),
        });
    }
    let found = whole.separation(&plan, 0).unwrap();
    assert_eq!((found.poisoned, found.clean), (1, 1));
    assert_eq!((found.class_correct, found.window_correct), (1, 1));
    // Between the strokes of the patch, inside its box.
    let audited = whole.networks[0].findings[0].audited.as_mut().unwrap();
    audited.classes[2].as_mut().unwrap().window = (3, 4, 2);
    let found = whole.separation(&plan, 0).unwrap();
    assert_eq!((found.class_correct, found.window_correct), (1, 0));
    assert_eq!(whole.separation(&plan, 1), None, "another γ");
    assert_eq!(Backdoor::default().separation(&plan, 0), None);
}

#[test]
fn the_findings_about_a_network_are_those_of_its_trials() {
    let mut network = suspect(true, Vec::new());
    network.trials = vec![balanced()];
    network.training = Some(TrainingRecord::default());
    assert!(!network.is_concluded());
    network.conclude(1);
    assert!(network.is_concluded() && network.trials.is_empty());
    assert_eq!(network.training, None);
    let [finding] = &network.findings[..] else {
        panic!("one for each γ")
    };
    assert_eq!((finding.gamma, finding.trials), (Gamma::NOISE, 4));
    assert_eq!(finding.called, [2, 2]);
    assert_eq!(finding.z.shape(), [2, 1, 1, 2]);
    assert_eq!(finding.evidence, Array::default());
    // Maps of (−10,−2) and (10,2) steps, with an error of half the noise's deviation of √((65536² − 1)/12) steps.
    let error = (4_294_967_295.0_f64 / 12.0).sqrt() / 2.0;
    for (class, (column, steps)) in [(1, -2.0), (0, 10.0)].into_iter().enumerate() {
        let window = finding.windows[class].unwrap();
        assert_eq!((window.row, window.column, window.size), (0, column, 1));
        assert!((window.score - steps / error).abs() < 1e-9);
        assert_eq!(window.index, None, "two classes have none");
    }
}

/// Evidence images of 8×8 pixels for six classes, others for every `seed`.
fn evidence(seed: usize) -> Array<f32> {
    let value = |at: usize| ((at * at + seed * (3 * at + 1)) % 17) as f32 - 8.0;
    Array::new(&[6, 1, 8, 8], (0..6 * 64).map(value).collect())
}

#[test]
fn the_images_of_a_finding_are_those_of_its_classes() {
    let mut found = finding(6);
    assert!(found.images().is_empty());
    found.z = Array::zeros(&[2, 2, 3, 4]);
    let mut numbers: Vec<f32> = (0_u8..48).map(f32::from).collect();
    numbers[47] = f32::NAN;
    let first = numbers[..24].to_vec();
    found.evidence = Array::new(&[2, 2, 3, 4], numbers);
    assert_eq!(found.images(), [Some(first), None]);
}

#[test]
fn poisoned_networks_are_compared_with_the_clean_ones_and_these_with_each_other() {
    let with = |poisoned: bool, seed: usize| {
        let mut found = finding(6);
        found.evidence = evidence(seed);
        suspect(poisoned, vec![found])
    };
    let networks = [
        with(true, 1),
        with(false, 2),
        with(false, 3),
        with(false, 4),
    ];
    let compared = |networks: &[Suspect]| -> Vec<Option<Audited>> {
        let mut study = Analysis::Backdoor(Backdoor {
            networks: networks.to_vec(),
            ..Backdoor::default()
        });
        study.conclude(&config::Analysis::Backdoor(config::Backdoor::default()));
        let Analysis::Backdoor(study) = study else {
            unreachable!()
        };
        let networks = study.networks.iter();
        networks
            .map(|network| network.findings.first()?.audited.clone())
            .collect()
    };
    let images = |network: usize| networks[network].findings[0].images();
    let against = |network: usize, others: &[usize]| -> Option<Audited> {
        let others: Vec<ClassImages> = others.iter().map(|&other| images(other)).collect();
        let others: Vec<&ClassImages> = others.iter().collect();
        let population = ReferencePopulation::of(&others);
        Some(population.examine(&images(network), [1, 8, 8], &WINDOW_SIDES))
    };
    assert_eq!(
        compared(&networks),
        [
            against(0, &[1, 2, 3]),
            against(1, &[2, 3]),
            against(2, &[1, 3]),
            against(3, &[1, 2]),
        ]
    );
    assert_eq!(
        compared(&networks[..3]),
        [None, None, None],
        "two clean ones"
    );
    let mut waiting = networks.to_vec();
    waiting[3].findings.clear();
    assert_eq!(compared(&waiting), [None, None, None, None]);
}
