//! Tests of the backdoor study figure.

use super::{caption, draw, is_available, number, ticks_between};
use crate::drawing::{Drawing, Mark, Paint, Point, Sheet, layout_faults, test_sheets};
use crate::figure::FigureError;
use crate::figure::test_parts::{bars, long_names};
use crate::ids::{ClassId, Gamma};
use crate::session::config::{self, Analysis};
use crate::session::record::{self, Backdoor, Finding, ScoredWindow, Suspect};
use crate::session::{Array, Config, Session};
use crate::stats::audit::{AuditScores, ClassScore};

const SIDE: usize = 10;
const TARGET: ClassId = ClassId(1);

/// A network whose target class has this score, among `classes` classes; with an anomaly index if there are enough
/// classes.
fn suspect(poisoned: bool, classes: usize, score: f64, audited: bool) -> Suspect {
    let score_of = |class: ClassId| if class == TARGET { score } else { 1.0 };
    let window = |class: ClassId| {
        Some(ScoredWindow {
            row: 1,
            column: 3,
            size: 6,
            score: score_of(class),
            index: (classes > 4).then(|| score_of(class) - 1.5),
        })
    };
    let class_score = |class: ClassId| {
        Some(ClassScore {
            score: score_of(class),
            window: (1, 3, 6),
            energy: 1.0,
        })
    };
    let z = (0..classes * SIDE * SIDE).map(|index| (index % 7) as f32 - 3.0);
    let finding = Finding {
        gamma: Gamma(0.3),
        trials: 1000,
        called: vec![10; classes],
        windows: ClassId::all(classes).map(window).collect(),
        z: Array::new(&[classes, 1, SIDE, SIDE], z.collect()),
        evidence: Array::default(),
        audited: audited.then(|| AuditScores {
            classes: ClassId::all(classes).map(class_score).collect(),
        }),
    };
    Suspect {
        poisoned,
        seed: 0,
        training: None,
        clean_accuracy: Some(0.99),
        attack_success: Some(1.0),
        attacked: 100,
        trials: Vec::new(),
        findings: vec![finding],
    }
}

fn session(classes: usize, networks: Vec<Suspect>) -> Session {
    let plan = config::Backdoor {
        poisoned: networks.iter().filter(|network| network.poisoned).count(),
        clean: networks.iter().filter(|network| !network.poisoned).count(),
        source: ClassId(0),
        target: TARGET,
        gammas: vec![Gamma(0.3)],
        ..config::Backdoor::default()
    };
    let config = Config {
        analyses: vec![Analysis::Backdoor(plan)],
        ..Config::default()
    };
    let mut session = Session::new("study", config);
    session.record.form = Some(long_names(classes, SIDE));
    session.record.analyses = vec![record::Analysis::Backdoor(Backdoor {
        networks,
        ..Backdoor::default()
    })];
    session
}

/// `each` networks of each kind, the poisoned ones all scoring higher than the clean ones.
fn apart(each: usize, classes: usize, audited: bool) -> Session {
    let poisoned = (0..each).map(|index| suspect(true, classes, 20.0 + index as f64, audited));
    let clean = (0..each).map(|index| suspect(false, classes, 2.0 + 0.1 * index as f64, audited));
    session(classes, poisoned.chain(clean).collect())
}

fn curve(drawing: &Drawing) -> Vec<Point> {
    let points = drawing.marks.iter().rev().find_map(|mark| match mark {
        Mark::Line {
            points,
            paint: Paint::First,
            ..
        } if points.len() > 2 => Some(points.clone()),
        _ => None,
    });
    points.unwrap()
}

#[test]
fn the_curve_of_networks_without_overlap_runs_through_the_upper_left_corner() {
    for audited in [true, false] {
        let session = apart(3, 6, audited);
        let drawing = draw(&session, 0, Sheet::DOUBLE).unwrap();
        let points = curve(&drawing);
        let left = points.iter().map(|point| point.0).fold(f64::MAX, f64::min);
        let top = points.iter().map(|point| point.1).fold(f64::MAX, f64::min);
        let corner = |point: &&Point| (point.0 - left).abs() < 1e-9 && (point.1 - top).abs() < 1e-9;
        assert_eq!(points.iter().filter(corner).count(), 1, "{points:?}");
        assert!(drawing.alt_text.contains("area is 1.00"));
        assert!(drawing.alt_text.contains("100.0 % of the poisoned"));
        let caption = caption(&session, 0).unwrap();
        assert!(caption.contains("dashed diagonal: chance"), "{caption}");
    }
}

#[test]
fn bars_show_scores_and_kinds_are_distinguishable() {
    let drawing = draw(&apart(2, 6, true), 0, Sheet::SINGLE).unwrap();
    let (poisoned, clean) = (bars(&drawing, Paint::First), bars(&drawing, Paint::Third));
    assert_eq!((poisoned.len(), clean.len()), (2, 2));
    assert!((poisoned[0] / poisoned[1] - 21.0 / 20.0).abs() < 1e-9);
    assert!((clean[1] / poisoned[1] - 2.0 / 20.0).abs() < 1e-9);
}

#[test]
fn many_networks_are_drawn_as_discs_and_rings() {
    let drawing = draw(&apart(30, 6, true), 0, Sheet::DOUBLE).unwrap();
    let dots = |full: bool| -> usize {
        let count = |mark: &Mark| match mark {
            Mark::Dots { points, filled, .. } if *filled == full => points.len(),
            _ => 0,
        };
        drawing.marks.iter().map(count).sum()
    };
    assert_eq!((dots(true), dots(false)), (30, 30));
}

#[test]
fn one_poisoned_network_has_bars_of_its_classes() {
    let networks = vec![suspect(true, 6, 9.5, false), suspect(false, 6, 1.0, false)];
    let session = session(6, networks);
    let drawing = draw(&session, 0, Sheet::DOUBLE).unwrap();
    assert_eq!(bars(&drawing, Paint::First).len(), 1);
    assert!(
        drawing
            .alt_text
            .contains("the highest anomaly index is 8.0")
    );
    assert!(drawing.title.contains("1 of 1 poisoned flagged"));
    let outlined = drawing.marks.iter();
    let outlined = outlined.filter(|mark| matches!(mark, Mark::Segments { .. }));
    assert_eq!(outlined.count(), 1);
    let caption = caption(&session, 0).unwrap();
    assert!(
        caption.contains("network 1 poisoned and of network 2 clean"),
        "{caption}"
    );
}

#[test]
fn text_fits_on_every_sheet() {
    let mut waiting = suspect(false, 10, 1.0, false);
    waiting.findings.clear();
    let mut all = vec![
        session(10, vec![suspect(true, 10, 9.0, false), waiting]),
        session(100, vec![suspect(true, 100, 9.0, true)]),
    ];
    all.extend([2, 6, 100].map(|classes| apart(3, classes, true)));
    all.extend([12, 40].map(|each| apart(each, 6, true)));
    for session in &all {
        for sheet in test_sheets() {
            assert_eq!(layout_faults(&draw(session, 0, sheet).unwrap()), [""; 0]);
        }
    }
}

#[test]
fn before_any_network_is_shown_noise_there_is_no_figure() {
    let mut waiting = suspect(true, 6, 9.0, false);
    waiting.findings.clear();
    let session = session(6, vec![waiting]);
    assert!(!is_available(&session, 0));
    let nothing = Err(FigureError::Missing("backdoor study"));
    assert_eq!(draw(&session, 0, Sheet::SINGLE), nothing);
    assert_eq!(caption(&session, 0), None);
}

#[test]
fn ticks_are_round_and_few() {
    assert_eq!(ticks_between(0.0, 21.0), [0.0, 5.0, 10.0, 15.0, 20.0]);
    assert_eq!(ticks_between(-1.2, 2.2), [-1.0, 0.0, 1.0, 2.0]);
    assert_eq!(ticks_between(3.0, 3.0), [3.0]);
    assert_eq!(number(-0.5), "−0.5");
}
