//! Tests of the record of a backdoor study.

use super::*;

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
        let score = crate::stats::audit::ClassScore {
            score: 1.0,
            window,
            energy: 1.0,
        };
        Some(Audited {
            classes: vec![Some(score); classes],
        })
    }
    let allowed: &[fn(&mut Backdoor)] = &[
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
    let (plan, mut whole) = study();
    assert_eq!(whole.representative_gamma_index(&plan), 0);
    assert_eq!(whole.audited_gamma_index(&plan), 1);
    // With windows of four classes there is no index.
    whole.networks[1].findings[0] = finding(4);
    assert_eq!(whole.representative_gamma_index(&plan), 1);
    whole.networks[1].findings[1] = finding(4);
    assert_eq!(whole.representative_gamma_index(&plan), 0);
}
