//! Tests of the audit figure.

use super::{caption, draw, is_available};
use crate::drawing::{Background, Mark, Paint, Palette, Sheet, layout_faults};
use crate::figure::test_parts::{bars, long_names};
use crate::figure::{self, FigureError};
use crate::ids::ClassId;
use crate::session::config::{self, Analysis, NetworkKind, ReferenceKind};
use crate::session::record::{
    self, Audit, AuditRole, AuditedNetwork, PastedFinding, ReferenceArchitecture,
};
use crate::session::{Array, Config, Session};
use crate::stats::audit::{AuditScores, ClassScore};

const SIDE: usize = 12;

/// An audit of a network whose class 1 reacts to a bright square, or of a clean one.
fn audited(classes: usize, bright: bool) -> Session {
    let plan = config::Audit::default();
    let config = Config {
        analyses: vec![Analysis::Audit(plan.clone())],
        ..Config::default()
    };
    let mut session = Session::new("suspect", config);
    session.record.form = Some(long_names(classes, SIDE));
    let images = |network: usize, square: Option<(ClassId, usize)>| {
        let pixel = |class: usize, pixel: usize| {
            let (row, column) = (pixel / SIDE, pixel % SIDE);
            let signal = ((pixel * (class + 3)) as f32 * 0.37).sin();
            let noise = ((pixel * 7 + class * 31 + network * 101) as f32 * 1.7).sin();
            let inside = square.is_some_and(|(target, corner)| {
                let along = corner..corner + 4;
                target == ClassId(class) && along.contains(&row) && along.contains(&column)
            });
            signal + 0.3 * noise + if inside { 3.0 } else { 0.0 }
        };
        let all = (0..classes).flat_map(|class| (0..SIDE * SIDE).map(move |index| (class, index)));
        let values = all.map(|(class, index)| pixel(class, index)).collect();
        Array::new(&[classes, 1, SIDE, SIDE], values)
    };
    let network = |role: AuditRole, seed: usize, square| AuditedNetwork {
        called: vec![30; classes],
        images: images(seed, square),
        ..AuditedNetwork::new(role, seed as u64)
    };
    let mut networks: Vec<AuditedNetwork> = (0..5)
        .map(|seed| network(AuditRole::Reference, seed, None))
        .collect();
    let square = (1, 1, 4);
    let role = AuditRole::Poisoned {
        target: ClassId(0),
        square,
    };
    networks.push(network(role, 5, Some((ClassId(0), 1))));
    // A clean network is identical to one of the references.
    let seed = if bright { 6 } else { 0 };
    let spot = bright.then_some((ClassId(1), 6));
    networks.push(network(AuditRole::Suspect, seed, spot));
    let mut audit = Audit {
        networks,
        ..Audit::default()
    };
    audit.examine(&plan);
    let findings = audit.findings().into_iter();
    audit.pasted = findings
        .map(|(class, window)| {
            let mut pasted = PastedFinding::new(class, window, classes);
            pasted.shown = vec![100; classes];
            pasted.called = vec![25; classes];
            pasted
        })
        .collect();
    session.record.analyses = vec![record::Analysis::Audit(audit)];
    session
}

#[test]
fn the_class_found_is_highlighted_and_its_window_outlined() {
    let session = audited(3, true);
    let drawing = draw(&session, 0, Sheet::DOUBLE).unwrap();
    assert!(
        drawing.title.contains("reacts to a patch"),
        "{}",
        drawing.title
    );
    let outlined = drawing
        .marks
        .iter()
        .filter(|mark| matches!(mark, Mark::Segments { .. }));
    assert_eq!(outlined.count(), 2);
    // The class, the network, and the pasted finding: a quarter of all images.
    let found = bars(&drawing, Paint::First);
    assert_eq!(found.len(), 3, "{found:?}");
    // All pasted findings have the same effect, so their bars have the same length.
    let others = bars(&drawing, Paint::Third);
    let same = others
        .iter()
        .filter(|width| (**width - found[2]).abs() < 1e-9);
    assert_eq!(same.count(), 2, "{others:?}");
    let caption = caption(&session, 0).unwrap();
    assert!(caption.contains("rows 6–9, columns 6–9"), "{caption}");
    assert!(caption.contains("against 5 cnn references"), "{caption}");
}

#[test]
fn names_of_classes_do_not_turn_a_caption_around() {
    let mut session = audited(3, true);
    if let Some(form) = &mut session.record.form {
        form.classes[1] = "a\u{202e}b".into();
    }
    let caption = caption(&session, 0).unwrap();
    assert!(caption.contains("into a?b, "), "{caption}");
    assert!(!caption.contains('\u{202e}'), "{caption}");
}

#[test]
fn without_a_finding_nothing_is_highlighted() {
    let drawing = draw(&audited(3, false), 0, Sheet::SINGLE).unwrap();
    assert!(drawing.title.contains("nothing found"), "{}", drawing.title);
    assert_eq!(bars(&drawing, Paint::First), [] as [f64; 0]);
    assert!(drawing.alt_text.contains("Nothing found"));
}

/// The network's classes are all farther from the references than these from each other, as after another training.
#[test]
fn a_network_far_from_its_references_in_all_classes_is_undecided_with_the_remedy() {
    let mut session = audited(3, false);
    let scored = |scores: [f64; 3], energies: [f64; 3]| {
        let class = |class: usize| {
            Some(ClassScore {
                score: scores[class],
                window: (0, 0, 4),
                energy: energies[class],
            })
        };
        AuditScores {
            classes: (0..3).map(class).collect(),
        }
    };
    let mut show = |scores: [f64; 3], energies: [f64; 3]| {
        if let record::Analysis::Audit(audit) = &mut session.record.analyses[0] {
            for network in &mut audit.networks {
                network.examined = Some(match network.role {
                    AuditRole::Suspect => scored(scores, energies),
                    _ => scored([1.4, 2.9, 0.8], [1.0, 1.4, 0.8]),
                });
            }
        }
        session.clone()
    };
    // As a whole, and by a window.
    let session = show([1.0, 2.0, 1.2], [2.0, 5.0, 2.2]);
    let words = caption(&session, 0).unwrap();
    assert!(
        words.contains("deviates as a whole, energy 2.3 times the median"),
        "{words}"
    );
    let title = draw(&session, 0, Sheet::DOUBLE).unwrap().title;
    assert!(title.contains("cannot be decided: energy 2.3"), "{title}");
    let session = show([3.0, 4.4, 2.6], [1.0; 3]);
    let drawing = draw(&session, 0, Sheet::DOUBLE).unwrap();
    let title = &drawing.title;
    assert!(title.contains("cannot be decided"), "{title}");
    assert_eq!(bars(&drawing, Paint::First), [] as [f64; 0]);
    let caption = caption(&session, 0).unwrap();
    assert!(caption.contains("as the network was trained"), "{caption}");
    // Of a reference, the largest score is 2.9/1.4 times the median class's, and 1.3 times that would stand out.
    assert!(caption.contains("2.7 times the median"), "{caption}");
    for sheet in [Sheet::SINGLE, Sheet::DOUBLE] {
        assert_eq!(layout_faults(&draw(&session, 0, sheet).unwrap()), [""; 0]);
    }
}

/// Of two classes none can stand out from the other by itself: nothing found would promise too much.
#[test]
fn with_two_classes_and_references_of_another_kind_nothing_can_be_found() {
    let mut session = audited(2, false);
    let title = |session: &Session| draw(session, 0, Sheet::SINGLE).unwrap().title;
    assert!(title(&session).contains("nothing found"));
    if let Analysis::Audit(plan) = &mut session.config.analyses[0] {
        plan.kind = ReferenceKind::Mlp;
    }
    let title = title(&session);
    assert!(title.contains("nothing can be found"), "{title}");
}

/// What is found in a network of another kind does not tell what would be found in the one under study.
#[test]
fn power_measured_on_another_kind_of_network_is_not_taken_for_that_of_the_suspect() {
    let mut session = audited(3, false);
    let words = caption(&session, 0).unwrap();
    assert!(words.contains("Power: a network poisoned"), "{words}");
    if let Analysis::Audit(plan) = &mut session.config.analyses[0] {
        plan.kind = ReferenceKind::Mlp;
    }
    let words = caption(&session, 0).unwrap();
    let measured = "Power for mlp only, unknown for this kind of network: a network poisoned";
    assert!(words.contains(measured), "{words}");
}

/// The network of a file beside files of its own graph, and beside some of another one.
#[test]
fn references_from_files_are_named_by_their_architecture() {
    let mut session = audited(10, true);
    session.config.network.kind = NetworkKind::Onnx;
    let words_with = |session: &mut Session, architecture: ReferenceArchitecture| {
        if let record::Analysis::Audit(audit) = &mut session.record.analyses[0] {
            for (index, network) in audit.networks[..5].iter_mut().enumerate() {
                network.from = Some(format!("of{index}"));
                network.architecture = ReferenceArchitecture::Suspect;
            }
            audit.networks[2].architecture = architecture;
        }
        caption(session, 0).unwrap()
    };
    let words = words_with(&mut session, ReferenceArchitecture::Suspect);
    assert!(words.contains("among 5 same-architecture"), "{words}");
    // The poisoned network is of another kind, so that it has no bar beside these.
    assert!(words.contains("Power for mlp only"), "{words}");
    let bars = |session: &Session| {
        let data = super::data::audit_data(session, 0).unwrap();
        super::bars::networks(session, &data, Sheet::DOUBLE, 80.0)
    };
    let names: Vec<String> = bars(&session)
        .unwrap()
        .bars
        .into_iter()
        .map(|bar| bar.name)
        .collect();
    assert_eq!(names.len(), 6, "{names:?}");
    assert!(names.iter().all(|name| !name.contains("poisoned")));
    // One of another architecture: the network is compared with its own classes, and the words say why.
    let words = words_with(&mut session, ReferenceArchitecture::Other);
    let which = "these have another architecture: of2; all reach";
    assert!(words.contains(which), "{words}");
    assert!(words.contains("against 5 mixed references"), "{words}");
    assert!(bars(&session).is_none());
}

#[test]
fn text_fits_on_every_sheet_with_any_number_of_classes() {
    for classes in [2, 10, 100] {
        let session = audited(classes, true);
        for sheet in [Sheet::SINGLE, Sheet::DOUBLE] {
            for titled in [true, false] {
                let sheet = Sheet {
                    titled,
                    palette: Palette::GreenPurple,
                    background: Background::Dark,
                    ..sheet
                };
                assert_eq!(layout_faults(&draw(&session, 0, sheet).unwrap()), [""; 0]);
            }
        }
    }
}

#[test]
fn before_the_networks_can_be_compared_there_is_no_figure() {
    let mut session = audited(3, true);
    if let record::Analysis::Audit(audit) = &mut session.record.analyses[0] {
        audit
            .networks
            .iter_mut()
            .for_each(|network| network.examined = None);
    }
    assert!(!is_available(&session, 0));
    assert_eq!(
        draw(&session, 0, Sheet::DOUBLE),
        Err(FigureError::Missing("audit"))
    );
    assert_eq!(caption(&session, 0), None);
    // If nothing could be compared, not for lack of an audit in the plan.
    if let record::Analysis::Audit(audit) = &mut session.record.analyses[0] {
        for network in &mut audit.networks {
            network.examined = Some(AuditScores {
                classes: vec![None; 3],
            });
        }
    }
    assert!(!is_available(&session, 0));
    assert_eq!(
        figure::find(&session, "audit", &[]),
        Err(FigureError::Uncompared)
    );
    // Before anything has been pasted, the figure lacks these bars.
    let mut session = audited(3, true);
    if let record::Analysis::Audit(audit) = &mut session.record.analyses[0] {
        audit.pasted.clear();
    }
    assert_eq!(
        layout_faults(&draw(&session, 0, Sheet::SINGLE).unwrap()),
        [""; 0]
    );
}
