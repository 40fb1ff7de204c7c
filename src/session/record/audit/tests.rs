//! Tests of the record of an audit: its maps, its findings, and what is checked in a file.

use super::*;
use crate::stats::audit::ClassScore;

fn scored(score: f64, window: SquareWindow) -> Option<ClassScore> {
    Some(ClassScore {
        score,
        window,
        energy: 1.0,
    })
}

fn network(role: AuditRole) -> AuditedNetwork {
    AuditedNetwork {
        called: vec![1; 2],
        images: Array::zeros(&[2, 1, 6, 6]),
        ..AuditedNetwork::new(role, 1)
    }
}

/// Three references, a poisoned network and the suspect, on images of 6×6 with two classes.
fn audit() -> (config::Audit, Audit) {
    let plan = config::Audit {
        references: 3,
        power: 1,
        ..config::Audit::default()
    };
    let poisoned = AuditRole::Poisoned {
        target: ClassId(1),
        square: (2, 1, 4),
    };
    let roles = [
        AuditRole::Reference,
        AuditRole::Reference,
        AuditRole::Reference,
        poisoned,
        AuditRole::Suspect,
    ];
    let mut audit = Audit {
        networks: roles.map(network).to_vec(),
        deviation: Array::zeros(&[2, 1, 6, 6]),
        pasted: vec![PastedFinding::new(ClassId(1), (2, 2, 4), 2)],
        ..Audit::default()
    };
    audit.progress.blocks = vec![1; 6];
    audit.networks[4].examined = Some(AuditScores {
        classes: vec![scored(1.0, (2, 2, 4)), None],
    });
    (plan, audit)
}

#[test]
fn an_audit_fits_its_plan_and_its_windows_lie_inside_the_images() {
    let form = Form::numbered([1, 6, 6], 2);
    let (plan, whole) = audit();
    assert!(whole.fits(&plan, Some(&form)) && !whole.fits(&plan, None));
    assert!(Audit::default().fits(&plan, Some(&form)));
    fn examined(audit: &mut Audit, window: SquareWindow) {
        let scores = audit.networks[4].examined.as_mut().unwrap();
        scores.classes[0] = scored(1.0, window);
    }
    fn poison(audit: &mut Audit, target: usize, square: SquareWindow) {
        audit.networks[3].role = AuditRole::Poisoned {
            target: ClassId(target),
            square,
        };
    }
    let allowed: &[fn(&mut Audit)] = &[
        |it| poison(it, 0, (0, 0, 6)),
        |it| examined(it, (6, 6, 0)),
        |it| it.deviation = Array::default(),
        |it| it.networks[0].images = Array::default(),
    ];
    let refused: &[fn(&mut Audit)] = &[
        |it| poison(it, 2, (0, 0, 6)),
        |it| poison(it, 0, (3, 0, 4)),
        |it| poison(it, 0, (0, 3, 4)),
        |it| examined(it, (3, 2, 4)),
        |it| examined(it, (2, 3, 4)),
        |it| examined(it, (7, 0, 0)),
        |it| {
            it.networks[4]
                .examined
                .as_mut()
                .unwrap()
                .classes
                .truncate(1)
        },
        |it| it.networks[0].images = Array::zeros(&[2, 1, 36]),
        |it| it.networks[0].called.truncate(1),
        |it| it.networks[0].role = AuditRole::Suspect,
        |it| it.networks[3].role = AuditRole::Reference,
        |it| it.networks[4].role = AuditRole::Reference,
        |it| it.networks[0].from = Some("other".into()),
        |it| it.networks.push(network(AuditRole::Suspect)),
        |it| it.networks.truncate(4),
        |it| it.progress.blocks.truncate(5),
        |it| it.deviation = Array::zeros(&[2, 1, 36]),
        |it| it.pasted[0].class = ClassId(2),
        |it| it.pasted[0].shown.truncate(1),
        |it| it.pasted[0].before.truncate(1),
        |it| it.pasted[0].called.truncate(1),
        |it| it.pasted[0].window = (3, 2, 4),
        |it| it.pasted[0].window = (2, 3, 4),
        |it| it.pasted[0].window = (7, 2, 0),
    ];
    for (changes, fits) in [(allowed, true), (refused, false)] {
        for (place, change) in changes.iter().enumerate() {
            let mut other = whole.clone();
            change(&mut other);
            assert_eq!(other.fits(&plan, Some(&form)), fits, "change {place}");
        }
    }
    // A reference from another session comes last, and only if the plan names sessions.
    let mut more = whole;
    more.networks.push(network(AuditRole::Reference));
    more.networks[5].from = Some("other".into());
    assert!(!more.fits(&plan, Some(&form)));
    let named = config::Audit {
        sessions: vec!["other.ron".into()],
        ..plan
    };
    assert!(more.fits(&named, Some(&form)));
}

#[test]
fn the_highest_scores_are_pasted_first_and_ties_go_to_the_first_class() {
    let (_, mut audit) = audit();
    let scores = [2.0, 5.0, 2.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    let classes = scores.iter().enumerate();
    let mut classes: Vec<Option<ClassScore>> = classes
        .map(|(class, &score)| scored(score, (class, 0, 4)))
        .collect();
    classes[4] = None;
    audit.networks[4].examined = Some(AuditScores { classes });
    let found: Vec<usize> = audit.findings().iter().map(|found| found.0.0).collect();
    assert_eq!(found, [3, 1, 0, 2, 5, 6, 7, 8, 9, 10]);
    assert_eq!(audit.findings()[1], (ClassId(1), (1, 0, 4)));
}

#[test]
fn a_map_is_that_of_its_class_and_missing_if_it_has_no_numbers() {
    let mut audit = Audit::default();
    assert_eq!((audit.shape(), audit.map(ClassId(0))), (None, None));
    let numbers = vec![1.0, 2.0, 3.0, 4.0, f32::NAN, 6.0];
    audit.deviation = Array::new(&[3, 1, 1, 2], numbers);
    assert_eq!(audit.shape(), Some([1, 1, 2]));
    assert_eq!(audit.map(ClassId(1)), Some(&[3.0, 4.0][..]));
    assert_eq!((audit.map(ClassId(2)), audit.map(ClassId(3))), (None, None));
    assert_eq!(
        by_class(&audit.deviation),
        [Some(vec![1.0, 2.0]), Some(vec![3.0, 4.0]), None]
    );
    assert!(by_class(&Array::default()).is_empty());
}

#[test]
fn a_poisoned_network_is_recognized_by_its_class_and_by_the_cells_of_its_square() {
    let role = AuditRole::Poisoned {
        target: ClassId(1),
        square: (3, 5, 4),
    };
    let mut poisoned = network(role);
    let verdict = |class: usize, score: f64, window| {
        let mut classes = vec![scored(0.5, (0, 0, 2)), scored(0.5, (0, 0, 2))];
        classes[class] = scored(score, window);
        let reference = AuditScores {
            classes: vec![scored(2.0, (0, 0, 2)); 2],
        };
        let examined = AuditScores { classes };
        audit_verdict(&examined, &[reference], Baseline::References).unwrap()
    };
    // In cells of two pixels, rows 3 to 6 are rows 1 to 3, and columns 5 to 8 are columns 2 to 4.
    let right = |network: &AuditedNetwork, class, score, window| {
        is_right(network, &verdict(class, score, window), 2)
    };
    assert!(right(&poisoned, 1, 9.0, (1, 2, 3)));
    assert!(right(&poisoned, 1, 9.0, (3, 4, 1)), "a ninth of it");
    assert!(!right(&poisoned, 1, 9.0, (4, 4, 1)), "below it");
    assert!(!right(&poisoned, 1, 9.0, (3, 5, 1)), "right of it");
    assert!(!right(&poisoned, 1, 9.0, (0, 2, 1)), "above it");
    assert!(!right(&poisoned, 0, 9.0, (1, 2, 3)), "another class");
    assert!(!right(&poisoned, 1, 2.1, (1, 2, 3)), "no finding");
    poisoned.role = AuditRole::Reference;
    assert!(!right(&poisoned, 1, 9.0, (1, 2, 3)));
}
