//! Tests of the text of the overview, the maps and the training view.

use super::*;

#[test]
fn every_size_shows_the_session_its_phase_and_its_eta() {
    let session = accumulated();
    for size in SIZES {
        for view in VIEWS {
            let screen = screen(&session, &showing(view.name, size));
            let header = screen.lines().next().unwrap_or_default();
            assert!(header.contains("mnist"), "{header}");
            assert!(header.contains("classification images"), "{header}");
            assert!(header.contains("ETA 11 min"), "{header}");
            assert!(screen.lines().nth(1).is_some_and(|l| l.contains(view.name)));
            let footer = screen.lines().last().unwrap_or_default();
            assert!(
                footer.contains("q leave") && footer.contains("? help"),
                "{footer}"
            );
        }
    }
}

#[test]
fn overview_shows_stages_rate_eta_reliability_accuracy_and_the_checkpoints_age() {
    let screen = screen(&accumulated(), &showing("Overview", (120, 40)));
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
        assert!(screen.contains(part), "{part} is missing from\n{screen}");
    }
}

#[test]
fn lines_of_the_log_of_another_day_are_dated() {
    let mut session = accumulated();
    let mut state = showing("Overview", (120, 40));
    let log = &mut session.run.as_mut().expect("a run").log;
    let before = log.len() - 2;
    log[before].at -= 86_400;
    let mixed = screen(&session, &state);
    for part in [
        " 2 Feb 02:39  checkpoint sessions",
        " 1 Feb 02:39  γ 0.2 reached reliability",
    ] {
        assert!(mixed.contains(part), "{part} is missing from\n{mixed}");
    }
    state.shared.now += 400 * 86_400;
    let old = screen(&session, &state);
    assert!(old.contains(" 2 Feb 2026   checkpoint sessions"), "{old}");
}

#[test]
fn maps_start_at_the_best_gamma() {
    let session = accumulated();
    assert!(screen(&session, &showing("Maps", (80, 24))).contains("▸0.1"));
    // Only γ = 0.1 has trials for every class.
    let early = synthetic::accumulating([400_000, 400_000, 0, 0]);
    assert!(screen(&early, &showing("Maps", (80, 24))).contains("▸0.1"));
    // It is the best γ of all classes, so the overview names it once.
    assert!(screen(&early, &showing("Overview", (80, 24))).contains("γ 0.1  400 k trials"));
}

#[test]
fn overview_shows_training_curves_until_there_are_maps() {
    let screen = screen(&synthetic::in_training(), &showing("Overview", (120, 40)));
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
        let screen = screen(&session, &showing("Training", size));
        let best = session.record.training.as_ref().and_then(|t| t.best_epoch);
        let best = best.expect("a best epoch");
        let mark = match size.0 {
            60 => format!("best epoch {best}"),
            _ => format!("best {best}: "),
        };
        for part in [mark.clone(), "8 of 15".into(), "90 of 188".into()] {
            assert!(screen.contains(&part), "{part} is missing from\n{screen}");
        }
        assert!(screen.contains("learning rate 0.000453"), "{screen}");
    }
}

#[test]
fn an_empty_session_says_so_in_every_view() {
    let mut starting = synthetic::new();
    starting.run = Some(noisescope::session::Run::default());
    let mut stopped = starting.clone();
    if let Some(run) = &mut stopped.run {
        run.phase = Phase::Stopped;
    }
    for size in SIZES {
        let maps = screen(&stopped, &showing("Maps", size));
        assert!(
            maps.contains("No trials yet: training comes first."),
            "{maps}"
        );
    }
    // Weights from a file are not trained.
    let mut from_file = starting.clone();
    from_file.config.network.weights =
        session::config::WeightSource::File(PathBuf::from("net.onnx"));
    let overview = screen(&from_file, &showing("Overview", SIZES[2]));
    assert!(overview.contains("Reading images and building the network."));
    assert!(!overview.to_lowercase().contains("training comes"));
    for session in [synthetic::new(), starting] {
        for size in SIZES {
            let overview = screen(&session, &showing("Overview", size));
            let live = session.run.is_some();
            let text = if live {
                "Reading images"
            } else {
                "Nothing has been measured"
            };
            assert!(overview.contains(text), "{overview}");
            assert!(
                screen(&session, &showing("Training", size)).contains("Training has not started")
            );
            let maps = screen(&session, &showing("Maps", size));
            let reason = if live {
                "No trials yet: the maps wait for training."
            } else {
                "No trials yet: training comes first."
            };
            assert!(maps.contains(reason), "{maps}");
            assert!(!maps.contains("R 0"), "{maps}");
        }
    }
}

#[test]
fn a_bar_shows_progress_while_pictures_are_read() {
    let mut session = accumulated();
    session.record.training = None;
    session.record.analyses.clear();
    let run = session.run.as_mut().unwrap();
    run.phase = Phase::Starting;
    run.reading = Some((12_000, 60_000));
    for size in SIZES {
        let screen = screen(&session, &showing("Overview", size));
        assert!(
            screen.contains("reading pictures: 12,000 of 60,000"),
            "{screen}"
        );
        let header = screen.lines().next().unwrap_or_default();
        assert!(header.contains("reading images"), "{header}");
        let bar = screen.lines().find(|line| line.contains("█████"));
        assert!(bar.is_some_and(|bar| bar.contains("────")), "{screen}");
    }
}

#[test]
fn a_network_at_chance_is_flagged_wherever_its_accuracy_is_shown() {
    let mut session = accumulated();
    let training = session.record.training.as_mut().unwrap();
    (training.at_chance, training.test_accuracy) = (true, Some(0.098));
    for size in SIZES {
        let overview = screen(&session, &showing("Overview", size));
        let line = overview.lines().find(|line| line.contains("✓ training"));
        let line = line.unwrap_or_default();
        assert!(
            line.contains("test 9.8 %, NO BETTER THAN CHANCE") || line.contains("9.8 %, at chance"),
            "{overview}"
        );
        let training = screen(&session, &showing("Training", size));
        assert!(training.contains("no better than"), "{training}");
        assert!(training.contains("CHANCE"), "{training}");
    }
}

#[test]
fn a_network_from_a_file_is_described_in_place_of_its_training() {
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
        let screen = screen(&session, &showing("Training", size));
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

#[test]
fn training_that_stopped_early_shows_how_many_of_its_epochs_it_took() {
    let mut session = accumulated();
    session.record.training = Some(synthetic::training(7, 0, true));
    for size in SIZES {
        let screen = screen(&session, &showing("Training", size));
        let words: Vec<&str> = screen.split_whitespace().collect();
        for wanted in [&["7", "of", "15"][..], &["stopped", "early"]] {
            let found = words.windows(wanted.len()).any(|some| some == wanted);
            assert!(found, "{wanted:?} at {size:?}\n{screen}");
        }
    }
}
