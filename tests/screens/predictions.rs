//! Tests of the predictions view, of stages without results, and of the headlines of finished ones.

use noisescope::session::config::{NetworkKind, WeightSource};
use noisescope::session::record;

use super::*;

#[test]
fn every_cell_of_the_confusion_matrix_is_shown() {
    let session = experiments::measured();
    let predictions: &record::Predictions =
        session.record.first().expect("the plan has predictions");
    let split = &predictions.splits[0];
    for size in SIZES {
        let screen = screen(&session, &showing("Predictions", size));
        for truth in 0..10 {
            let row: Vec<String> = (0..10)
                .map(|called| match split.counts[truth * 10 + called] {
                    0 => "·".into(),
                    count => count.to_string(),
                })
                .collect();
            let row = format!("{truth} {}", row.join(" "));
            let found = screen.lines().any(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                words.join(" ").contains(&row)
            });
            assert!(found, "{row} is missing from\n{screen}");
        }
        let right = split.correct() as f64 / split.total() as f64;
        assert!(
            screen.contains(&format!("{:.1} % (", 100.0 * right)),
            "{screen}"
        );
    }
}

#[test]
fn the_numbers_of_a_class_are_there_if_its_mean_image_is_too_large_for_its_place() {
    let mut session = experiments::measured();
    for [height, width] in [[4, 196], [784, 1]] {
        let predictions: &mut record::Predictions = experiments::record_of(&mut session);
        for split in &mut predictions.splits {
            let pixels = split.images.reshape(&[10, 1, height, width]);
            pixels.expect("as many pixels as before");
        }
        let screen = screen(&session, &showing("Predictions", (120, 40)));
        assert!(screen.contains("called 0"), "{height}×{width}\n{screen}");
        assert!(screen.contains("taken for"), "{height}×{width}\n{screen}");
    }
}

#[test]
fn only_a_whole_share_is_100_percent_and_no_share_is_left_out() {
    let mut session = experiments::measured();
    let predictions: &mut record::Predictions = experiments::record_of(&mut session);
    for split in &mut predictions.splits {
        split.counts.fill(0);
        for class in 0..10 {
            split.counts[class * 11] = 5_000;
        }
        // One mistake in five thousand: a 1 that is called 2.
        split.counts[12] = 1;
    }
    for size in SIZES {
        let screen = screen(&session, &showing("Predictions", size));
        let below = screen
            .lines()
            .find(|line| line.trim_start().starts_with("prec "));
        let shares: Vec<&str> = below.unwrap_or_default().split_whitespace().collect();
        let whole = |word: &&&str| ["100", "100.0"].contains(*word);
        assert_eq!(shares.iter().filter(whole).count(), 9, "{screen}");
        assert!(shares.contains(&"99.9"), "{screen}");
        let rows: Vec<&str> = screen
            .lines()
            .skip_while(|line| !line.contains("called"))
            .collect();
        let row = rows.iter().find(|row| {
            let mut words = row.split_whitespace();
            words.next() == Some("1") && words.any(|word| word == "5000")
        });
        let row = row.expect("a row of class 1");
        assert!(size.0 < 80 || row.contains("99.9"), "{screen}");
        assert!(!row.contains(" 100 ") && !row.contains("100.0"), "{screen}");
    }
}

#[test]
fn a_count_of_five_digits_is_shown_at_every_size() {
    let mut session = experiments::measured();
    let predictions: &mut record::Predictions = experiments::record_of(&mut session);
    for split in &mut predictions.splits {
        split.counts.fill(0);
        for class in 0..10 {
            split.counts[class * 11] = 13_861;
        }
    }
    for size in SIZES {
        let screen = screen(&session, &showing("Predictions", size));
        let words = screen.split_whitespace();
        let shown = words.filter(|word| ["13861", "14k"].contains(word));
        assert!(shown.count() >= 10, "{screen}");
    }
}

#[test]
fn the_numbers_beside_the_matrix_are_labelled_at_every_size() {
    let session = experiments::measured();
    for size in [(80, 24), (100, 30), (120, 40), (200, 60)] {
        let screen = screen(&session, &showing("Predictions", size));
        let words: Vec<&str> = screen.split_whitespace().collect();
        let count = words.iter().position(|word| *word == "962");
        let label = count.and_then(|count| count.checked_sub(1));
        assert_eq!(label.map(|label| words[label]), Some("images"), "{screen}");
    }
}

#[test]
fn correct_cells_stand_out_without_colour() {
    let session = experiments::measured();
    let theme = Theme::new(Depth::Mono, Background::Dark, true);
    let buf = draw(&session, &showing("Predictions", (80, 24)), &theme);
    let reversed = |y: u16| {
        let cells = (0..buf.area.width).filter(|x| {
            let cell = &buf[(*x, y)];
            cell.modifier.contains(Modifier::REVERSED)
        });
        cells.count()
    };
    let rows = (0..buf.area.height).filter(|y| reversed(*y) > 0);
    assert_eq!(rows.count(), 10, "one cell per row");
}

#[test]
fn a_key_cycles_through_the_splits() {
    let session = experiments::measured();
    let mut state = showing("Predictions", (120, 40));
    assert!(screen(&session, &state).contains("▸test"));
    press(&session, &mut state, &[KeyCode::Char('t'), KeyCode::Left]);
    assert_eq!(state.shared.class, ClassId(9));
    assert_eq!(view_state::<PredictionsView>(&mut state).split, 1);
    let train = screen(&session, &state);
    assert!(
        train.contains("▸train") && train.contains("mean of images called 9"),
        "{train}"
    );
    press(&session, &mut state, &[KeyCode::Char('t')]);
    assert_eq!(view_state::<PredictionsView>(&mut state).split, 0);
}

#[test]
fn a_view_without_its_analysis_says_how_to_create_a_session_with_it() {
    let session = accumulated();
    for size in SIZES {
        for (view, plan) in [
            ("Attack", "ClassificationImages(()), Attack(())"),
            ("Predictions", "Predictions(())"),
        ] {
            let screen = screen(&session, &showing(view, size));
            let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                words.contains("plan of an existing session cannot change"),
                "{screen}"
            );
            // A row of the command that goes on ends with a backslash.
            let command = words.replace(" \\ ", " ");
            let expected = format!("noisescope new mnist-paper-again --set 'analyses=[{plan}]'");
            assert!(command.contains(&expected), "{screen}");
        }
    }
}

#[test]
fn the_session_suggested_has_the_network_and_is_in_the_folder_of_the_one_shown() {
    let mut session = accumulated();
    session.config.network.kind = NetworkKind::Mlp;
    let mut state = showing("Audit", (120, 40));
    state.shared.program = "noisescope --sessions /s";
    let output = screen(&session, &state);
    let command =
        "noisescope --sessions /s new mnist-paper-again --network mlp --set 'analyses=[Audit(())]'";
    assert!(output.contains(command), "{output}");
    // A suggestion that would be refused is none.
    session.config.network.kind = NetworkKind::Onnx;
    session.config.network.weights = WeightSource::File("/a.onnx".into());
    let output = screen(&session, &showing("Backdoor", (120, 40)));
    assert!(!output.contains("noisescope new"), "{output}");
    assert!(output.contains("Audit(())"), "{output}");
}

#[test]
fn a_suggested_command_with_a_folder_longer_than_a_row_is_one_command_when_it_is_copied_by_rows() {
    let session = accumulated();
    let mut state = showing("Audit", (60, 18));
    state.shared.program =
        "noisescope --sessions /a/long/path/through/many/folders/to/the/one/of/the/sessions/here";
    let output = screen(&session, &state);
    let mut command = String::new();
    // A blank before the rest of a path would end the path.
    for row in output
        .lines()
        .skip_while(|row| !row.starts_with("noisescope"))
    {
        let Some(part) = row.trim_end().strip_suffix('\\') else {
            command += row.trim_end();
            break;
        };
        command += part;
    }
    let expected = format!("{} new mnist-paper-again ", state.shared.program);
    assert!(command.starts_with(&expected), "{output}");
    assert!(
        command.ends_with("--set 'analyses=[Audit(())]'"),
        "{output}"
    );
}

#[test]
fn an_analysis_that_has_not_begun_says_what_it_waits_for() {
    let mut session = experiments::measured();
    let fresh = session::Record::new(&session.config);
    session.record.analyses = fresh.analyses;
    session.run = Some(synthetic::run(Phase::Working(1)));
    let session = synthetic::with_stages(session);
    for (view, words) in [
        ("Attack", "attack must wait for classification images"),
        (
            "Predictions",
            "predictions must wait for classification images",
        ),
    ] {
        let screen = screen(&session, &showing(view, (80, 24)));
        assert!(screen.contains(words), "{screen}");
    }
    let overview = screen(&session, &showing("Overview", (120, 40)));
    let overview = overview.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "attack waits for classification images",
        "predictions waits for its turn",
    ] {
        assert!(
            overview.contains(words),
            "{words} is missing from\n{overview}"
        );
    }
}

#[test]
fn a_finished_stage_shows_its_headline() {
    let session = experiments::measured();
    let wide = screen(&session, &showing("Overview", (200, 60)));
    for words in [
        "classification image flips half the images at w 0.",
        "mean image flips half the images at w 0.48",
        "accuracy 27.8 % (26.9–28.7)   raw at γ 0.0",
        "test 98.5 % (98.2–98.7)",
        "classes have a reliable map, by decisions",
    ] {
        assert!(wide.contains(words), "{words} is missing from\n{wide}");
    }
    for size in SIZES {
        let screen = screen(&session, &showing("Overview", size));
        assert!(screen.contains("● spike-triggered"), "{screen}");
        assert!(!screen.contains('…'), "truncated text:\n{screen}");
    }
}

#[test]
fn every_noise_of_the_plan_has_its_own_maps() {
    let session = experiments::measured();
    let mut state = showing("Maps", (120, 40));
    assert!(screen(&session, &state).contains("uniform noise"));
    press(
        &session,
        &mut state,
        &[KeyCode::Char(']'), KeyCode::Char('n')],
    );
    let number = state.shared.images.number(&session);
    assert_eq!((number, state.shared.gamma_index), (1, None));
    let second = screen(&session, &state);
    assert!(second.contains("binary noise, 2 of 2"), "{second}");
    state.view = ViewId(0);
    assert!(screen(&session, &state).contains("binary noise"));
    press(&session, &mut state, &[KeyCode::Char('n')]);
    assert_eq!(state.shared.images.number(&session), 0);
    // With only one noise the key does nothing.
    assert_eq!(
        press(&accumulated(), &mut state, &[KeyCode::Char('n')]),
        [Effect::None]
    );
}

#[test]
fn an_enlarged_map_shows_its_clusters_and_the_trials_still_needed() {
    let session = experiments::measured();
    let images = session
        .record
        .classification_images()
        .expect("the plan has classification images");
    let estimate = &images.gammas[3].estimate().classes[0];
    let mut state = showing("Maps", (120, 40));
    state.shared.gamma_index = Some(3);
    enlarge(&mut state, true);
    let screen = screen(&session, &state);
    let clusters = estimate
        .decision
        .as_ref()
        .and_then(|map| map.clusters.as_ref())
        .expect("white noise")
        .len();
    for words in [
        format!("clusters      {clusters} cluster"),
        "for R 0.95".into(),
        "noise         uniform".into(),
    ] {
        assert!(screen.contains(&words), "{words} is missing from\n{screen}");
    }
}

#[test]
fn a_finished_run_has_a_headline_for_every_stage_that_has_a_row() {
    let session = experiments::finished();
    for size in SIZES {
        let screen = screen(&session, &showing("Overview", size));
        for words in ["poisoned", "class "] {
            assert!(screen.contains(words), "{words} is missing from\n{screen}");
        }
        assert!(
            !screen.contains("waits") && !screen.contains('…'),
            "{screen}"
        );
    }
}
