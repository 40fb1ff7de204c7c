//! Tests of the record of an audit: its maps, its findings, and what is checked in a file.

mod certainty;
mod references;

use super::network::by_class;
use super::*;
use crate::ids::Gamma;
use crate::session::config::{Grain, ReferenceKind, Response};
use crate::session::record::gamma_trials::tests::balanced;
use crate::session::record::{BlockSums, GammaTrials, TrainingRecord, TrialKind};
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
    fn shown(classes: usize, images: Shape, cell: usize) -> GammaTrials {
        let kind = TrialKind {
            grain: Grain { cell, grey: false },
            ..TrialKind::plain(classes, images)
        };
        GammaTrials::new(Gamma::NOISE, 30, &kind)
    }
    let allowed: &[fn(&mut Audit)] = &[
        |it| it.networks[0].trials = vec![shown(2, [1, 6, 6], 1)],
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
        |it| it.networks[0].trials = vec![shown(2, [1, 6, 6], 1); 2],
        |it| it.networks[0].trials = vec![shown(3, [1, 6, 6], 1)],
        |it| it.networks[0].trials = vec![shown(2, [1, 3, 12], 1)],
        |it| it.networks[0].trials = vec![shown(2, [1, 6, 6], 2)],
        |it| {
            it.networks[0].trials = vec![shown(2, [1, 6, 6], 1)];
            it.networks[0].trials[0].trials = 1;
        },
        |it| it.networks[0].images = Array::zeros(&[2, 1, 36]),
        |it| it.networks[0].called.truncate(1),
        |it| it.networks[0].role = AuditRole::Suspect,
        |it| it.networks[3].role = AuditRole::Reference,
        |it| it.networks[4].role = AuditRole::Reference,
        |it| it.networks[0].from = Some("other".into()),
        |it| it.networks[0].architecture = ReferenceArchitecture::Suspect,
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
    let findings_alone = Audit {
        pasted: whole.pasted.clone(),
        ..Audit::default()
    };
    assert!(!findings_alone.fits(&plan, Some(&form)));
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
    // From row 2, four pixels are two cells.
    poisoned.role = AuditRole::Poisoned {
        target: ClassId(1),
        square: (2, 4, 4),
    };
    assert!(right(&poisoned, 1, 9.0, (2, 2, 1)), "a quarter of it");
    assert!(!right(&poisoned, 1, 9.0, (3, 4, 1)), "beyond its corner");
    poisoned.role = AuditRole::Reference;
    assert!(!right(&poisoned, 1, 9.0, (1, 2, 3)));
}

#[test]
fn the_images_of_a_network_are_those_of_its_trials() {
    let plan = config::Audit {
        response: Response::Decision,
        ..config::Audit::default()
    };
    let mut concluded = AuditedNetwork::new(AuditRole::Suspect, 1);
    concluded.conclude(&plan);
    assert!(!concluded.is_concluded(), "there are no trials");
    concluded.trials = vec![balanced()];
    concluded.training = Some(TrainingRecord::default());
    concluded.conclude(&plan);
    assert!(concluded.is_concluded() && concluded.trials.is_empty());
    assert_eq!(concluded.training, None);
    assert_eq!(concluded.called, [2, 2]);
    let steps = [-10.0, -2.0, 10.0, 2.0].map(|steps: f32| steps / 65536.0);
    assert_eq!(concluded.images, Array::new(&[2, 1, 1, 2], steps.to_vec()));
    // A class that is never called has none.
    let mut shown = GammaTrials::new(Gamma::NOISE, 1, &TrialKind::plain(2, [1, 1, 2]));
    shown.add(&BlockSums {
        trials: 2,
        counts: vec![1, 0, 1, 0],
        ..BlockSums::default()
    });
    concluded.trials = vec![shown];
    concluded.conclude(&plan);
    assert_eq!(concluded.called, [2, 0]);
    let values = concluded.images.values();
    assert!(values.iter().all(|value| value.is_nan()));
}

/// Three references, a poisoned network and the suspect, with images of one class and two cells. At unit length, the
/// references are (3,4)/5, (4,3)/5 and (3,4)/5: of mean (10,11)/15 and of variance 1/75 in both cells.
fn of_two_cells() -> (config::Audit, Audit) {
    let plan = config::Audit {
        cell: 8,
        ..config::Audit::default()
    };
    let poisoned = AuditRole::Poisoned {
        target: ClassId(0),
        square: (0, 0, 4),
    };
    let networks = [
        (AuditRole::Reference, [3.0, 4.0]),
        (AuditRole::Reference, [8.0, 6.0]),
        (AuditRole::Reference, [3.0, 4.0]),
        (poisoned, [1.0, 0.0]),
        (AuditRole::Suspect, [0.0, 2.0]),
    ];
    let networks = networks.map(|(role, image)| AuditedNetwork {
        called: vec![9],
        images: Array::new(&[1, 1, 1, 2], image.to_vec()),
        ..AuditedNetwork::new(role, 1)
    });
    let networks = networks.to_vec();
    let audit = Audit {
        networks,
        ..Audit::default()
    };
    (plan, audit)
}

#[test]
fn networks_are_compared_with_the_references_and_these_with_each_other() {
    let (plan, mut audit) = of_two_cells();
    let root = 3_f64.sqrt();
    let kind = NetworkKind::Cnn;
    assert_eq!(audit.verdict(&plan, kind), None, "not compared yet");
    audit.examine(&plan);
    let close = |found: f64, expected: f64| (found - expected).abs() < 1e-5;
    let null = audit.null();
    assert_eq!(null.len(), 3);
    // The first and the last deviate by 1/10 from the mean of the other two, whose variance is 1/50.
    for reference in [&null[0], &null[2]] {
        let (class, top) = reference.top().unwrap();
        assert_eq!((class, top.window), (ClassId(0), (0, 1, 1)));
        assert!(close(top.score, 0.5_f64.sqrt()));
    }
    assert_eq!(null[1].score(), None, "the other two are equal");
    let verdict = audit.verdict(&plan, kind).unwrap();
    assert_eq!((verdict.class, verdict.top.window), (ClassId(0), (0, 1, 1)));
    assert!(close(verdict.top.score, 4.0 / root) && verdict.has_finding());
    assert_eq!((verdict.ranking.rank, verdict.ranking.total), (1, 3));
    let map = audit.map(ClassId(0)).unwrap();
    assert!(close(f64::from(map[0]), -10.0 / root) && close(f64::from(map[1]), 4.0 / root));
    assert_eq!(audit.deviation.shape(), [1, 1, 1, 2]);
    let power = audit.power(&plan);
    let [(network, Some(found), right)] = &power[..] else {
        panic!("{power:?}")
    };
    assert_eq!(network.role, audit.networks[3].role);
    assert!(close(found.top.score, 5.0 / root) && *right);
}

#[test]
fn networks_are_not_compared_before_all_have_been_shown_noise() {
    for waiting in 0..5 {
        let (plan, mut audit) = of_two_cells();
        audit.networks[waiting].called.clear();
        audit.examine(&plan);
        let mut networks = audit.networks.iter();
        assert!(networks.all(|network| network.examined.is_none()));
        assert_eq!(audit.shape(), None);
    }
}

#[test]
fn references_of_another_architecture_are_no_null_distribution() {
    let (_, audit) = of_two_cells();
    let baseline = |kind, suspect| {
        let plan = config::Audit {
            kind,
            ..config::Audit::default()
        };
        audit.baseline(&plan, suspect)
    };
    use ReferenceKind::{Mlp, Same};
    assert_eq!(baseline(Same, NetworkKind::Cnn), Baseline::References);
    assert_eq!(baseline(Same, NetworkKind::Onnx), Baseline::OwnClasses);
    assert_eq!(baseline(Mlp, NetworkKind::Cnn), Baseline::OwnClasses);
    assert_eq!(baseline(Mlp, NetworkKind::Mlp), Baseline::References);
}

/// A network of an ONNX file is compared with references if all of them are from files with the same graph; the poisoned
/// networks are of the planned kind, so that these references are no null distribution for them.
#[test]
fn references_with_the_graph_of_the_suspects_file_are_its_null_distribution() {
    use ReferenceArchitecture::{Other, Planned, Suspect};
    let verdict = |architectures: [ReferenceArchitecture; 3]| {
        let (plan, mut audit) = of_two_cells();
        for (network, architecture) in audit.networks.iter_mut().zip(architectures) {
            network.architecture = architecture;
        }
        audit.examine(&plan);
        let kind = NetworkKind::Onnx;
        let power = audit.power(&plan)[0].1.as_ref().map(|found| found.baseline);
        let verdict = audit.verdict(&plan, kind).unwrap();
        assert_eq!(verdict.baseline, audit.baseline(&plan, kind));
        (verdict.baseline, verdict.has_finding(), power)
    };
    let (references, own) = (Baseline::References, Baseline::OwnClasses);
    // What stands out from the references is a finding; its one class has no others to stand out from.
    assert_eq!(verdict([Suspect; 3]), (references, true, Some(own)));
    assert_eq!(verdict([Planned; 3]), (own, false, Some(references)));
    assert_eq!(verdict([Other; 3]), (own, false, Some(own)));
    assert_eq!(verdict([Suspect, Suspect, Other]), (own, false, Some(own)));
    assert_eq!(
        verdict([Planned, Suspect, Suspect]),
        (own, false, Some(own))
    );
}

/// An audit in a file of an earlier version has the verdict that it had.
#[test]
fn a_network_in_an_earlier_file_has_the_planned_architecture() {
    let text = ron::to_string(&network(AuditRole::Reference)).unwrap();
    let field = "architecture:Planned,";
    assert!(text.contains(field), "{text}");
    let earlier: AuditedNetwork = ron::from_str(&text.replace(field, "")).unwrap();
    assert_eq!(earlier.architecture, ReferenceArchitecture::Planned);
}
