//! What every screen says.

use super::*;

#[test]
fn every_size_names_the_run_its_phase_and_its_eta() {
    let session = accumulated();
    for size in SIZES {
        for view in VIEWS {
            let screen = screen(&session, &at(view.name, size));
            let head = screen.lines().next().unwrap_or_default();
            assert!(head.contains("mnist"), "{head}");
            assert!(head.contains("classification images"), "{head}");
            assert!(head.contains("ETA 11 min"), "{head}");
            assert!(screen.lines().nth(1).is_some_and(|l| l.contains(view.name)));
            let foot = screen.lines().last().unwrap_or_default();
            assert!(
                foot.contains("q leave") && foot.contains("? help"),
                "{foot}"
            );
        }
    }
}

#[test]
fn overview_shows_stages_rate_eta_reliability_accuracy_and_the_checkpoints_age() {
    let screen = screen(&accumulated(), &at("Overview", (120, 40)));
    for part in [
        "✓ training",
        "15 epochs",
        "test 99.1 %",
        "best epoch",
        "● classification images  1.32 M / 4.00 M trials",
        "9,860 trials/s   11 min left",
        "reliable, R ≥ 0.95",
        "γ 0.0 0/10 of 400 k",
        "train loss",
        "valid accuracy 99.",
        "flex · 2 workers",
        "saved 12 s ago",
        "up 00:41:07",
        "02:39:48  checkpoint sessions/mnist-paper.ron",
    ] {
        assert!(screen.contains(part), "{part} is not on\n{screen}");
    }
}

#[test]
fn maps_start_where_each_class_is_seen_best() {
    let session = accumulated();
    assert!(screen(&session, &at("Maps", (80, 24))).contains("▸0.1"));
    // Only γ = 0.1 has trials for every class.
    let early = synthetic::accumulating([400_000, 400_000, 0, 0]);
    assert!(screen(&early, &at("Maps", (80, 24))).contains("▸0.1"));
    // All classes are best there, so the overview names it once.
    assert!(screen(&early, &at("Overview", (80, 24))).contains("γ 0.1  400 k trials"));
}

#[test]
fn overview_shows_the_curves_while_there_are_no_maps() {
    let screen = screen(&synthetic::in_training(), &at("Overview", (120, 40)));
    assert!(
        screen.contains("loss") && screen.contains("best"),
        "{screen}"
    );
    assert!(
        screen.contains("waits for its turn: 4.00 M trials"),
        "{screen}"
    );
    assert!(screen.contains("7 / 15 epochs") && screen.contains("2,140 images/s"));
}

#[test]
fn training_marks_the_best_epoch_and_counts_the_current_one() {
    for size in SIZES {
        let session = synthetic::in_training();
        let screen = screen(&session, &at("Training", size));
        let best = session.record.training.as_ref().and_then(|t| t.best_epoch);
        let best = best.expect("there is one");
        let mark = match size.0 {
            60 => format!("best epoch {best}"),
            _ => format!("best {best}: "),
        };
        for part in [mark.clone(), "8 of 15".into(), "90 of 188".into()] {
            assert!(screen.contains(&part), "{part} is not on\n{screen}");
        }
        assert!(screen.contains("learning rate 0.000453"), "{screen}");
    }
}

#[test]
fn a_session_of_nothing_says_so_everywhere() {
    let mut starting = synthetic::new();
    starting.run = Some(noisescope::session::Run::default());
    for session in [synthetic::new(), starting] {
        for size in SIZES {
            let overview = screen(&session, &at("Overview", size));
            let live = session.run.is_some();
            let says = if live {
                "Reading images"
            } else {
                "Nothing has been measured"
            };
            assert!(overview.contains(says), "{overview}");
            assert!(screen(&session, &at("Training", size)).contains("Training has not begun"));
            let maps = screen(&session, &at("Maps", size));
            assert!(maps.contains("No trials yet"), "{maps}");
            assert!(!maps.contains("R 0"), "{maps}");
        }
    }
}

#[test]
fn while_pictures_are_read_a_bar_says_how_many_there_are() {
    let mut session = accumulated();
    session.record.training = None;
    session.record.analyses.clear();
    let run = session.run.as_mut().unwrap();
    run.phase = Phase::Starting;
    run.reading = Some((12_000, 60_000));
    for size in SIZES {
        let screen = screen(&session, &at("Overview", size));
        assert!(
            screen.contains("reading pictures: 12,000 of 60,000"),
            "{screen}"
        );
        let head = screen.lines().next().unwrap_or_default();
        assert!(head.contains("reading images"), "{head}");
        let bar = screen.lines().find(|line| line.contains("█████"));
        assert!(bar.is_some_and(|bar| bar.contains("────")), "{screen}");
    }
}

#[test]
fn a_network_at_chance_is_called_so_wherever_its_accuracy_stands() {
    let mut session = accumulated();
    let training = session.record.training.as_mut().unwrap();
    (training.at_chance, training.test_accuracy) = (true, Some(0.098));
    for size in SIZES {
        let overview = screen(&session, &at("Overview", size));
        let line = overview.lines().find(|line| line.contains("✓ training"));
        let line = line.unwrap_or_default();
        assert!(
            line.contains("test 9.8 %, NO BETTER THAN CHANCE") || line.contains("9.8 %, at chance"),
            "{overview}"
        );
        let training = screen(&session, &at("Training", size));
        assert!(training.contains("no better than"), "{training}");
        assert!(training.contains("CHANCE"), "{training}");
    }
}

#[test]
fn the_network_of_a_file_is_described_instead_of_a_training_that_never_was() {
    use noisescope::session::config::{InputEncoding, InputRange, NetworkKind, WeightSource};
    use noisescope::session::record::{Model, TrainingRecord};
    let mut session = accumulated();
    session.config.network.kind = NetworkKind::Onnx;
    session.config.network.weights = WeightSource::File("photos/rnet.onnx".into());
    session.config.network.output = Some("face".into());
    session.config.network.input = InputEncoding {
        range: InputRange::Signed,
        ..InputEncoding::default()
    };
    session.record.model = Some(Model {
        path: "photos/rnet.onnx".into(),
        sha256: "5d210fd5e6110aaf".repeat(4),
        file: Default::default(),
    });
    session.record.training = Some(TrainingRecord {
        parameters: 99_662,
        test_accuracy: Some(0.117),
        at_chance: true,
        finished: true,
        ..TrainingRecord::default()
    });
    for size in SIZES {
        let screen = screen(&session, &at("Training", size));
        for part in [
            "not trained here, loaded from",
            "photos/rnet.onnx",
            "5d210fd5e6110aaf…",
            "(range: Signed)",
            "face",
            "99,662",
            "11.7 %",
            "CHANCE",
        ] {
            assert!(screen.contains(part), "{part}\n{screen}");
        }
        assert!(!screen.contains("epochs"), "{screen}");
        assert!(!screen.contains("loss"), "{screen}");
    }
}
