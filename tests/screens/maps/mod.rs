//! Tests of maps: their labels, values and cursor, and the text shown in place of a missing map.

mod regression;
mod scales;
mod sizes;

use noisescope::stats::classification::{GammaEstimate, ImageEstimate};

use super::*;

/// The classification image of a class.
fn decision_map(estimate: &GammaEstimate, class: ClassId) -> Option<&ImageEstimate> {
    estimate.classes[class].decision.as_ref()
}

#[test]
fn maps_show_their_trials_their_reliability_and_what_they_are_called_when_fed_back() {
    let screen = screen(&accumulated(), &showing("Maps", (120, 40)));
    assert!(screen.contains("▸0 R "), "{screen}");
    assert!(
        screen.contains("k trials") && screen.contains("called 0 72.0 %"),
        "{screen}"
    );
    assert!(screen.contains("▸classification image"), "{screen}");
    // It is the best γ of all classes.
    assert!(screen.contains("▸0.1"), "{screen}");
}

#[test]
fn the_name_of_the_class_a_map_is_called_comes_before_the_confidence() {
    let mut session = accumulated();
    let form = session.record.form.as_mut().expect("it has images");
    form.classes[0] = "T-shirt/top".into();
    let screen = screen(&session, &showing("Maps", (120, 40)));
    assert!(screen.contains("called T-shirt/top"), "{screen}");
    assert!(!screen.contains("called 0 "), "{screen}");
}

#[test]
fn numbers_beside_the_maps_are_of_the_gamma_at_which_the_selected_class_is_shown() {
    let session = synthetic::accumulating([0, 400_000, 800_000, 0]);
    let images = session.record.classification_images();
    let images = images.expect("the plan has them");
    let mut state = showing("Maps", (200, 60));
    // Class 3 is shown at another γ than the others.
    state.shared.best_gamma_indices = vec![1; 10];
    state.shared.best_gamma_indices[3] = 2;
    for (class, index) in [(0, 1), (3, 2)] {
        state.shared.class = ClassId(class);
        let screen = screen(&session, &state);
        let all = noisescope::format::thousands(images.gammas[index].trials);
        assert!(screen.contains("▸best"), "{screen}");
        assert!(screen.contains(&format!("of {all}")), "{all}\n{screen}");
    }
}

#[test]
fn if_one_class_takes_every_trial_no_map_is_zero_and_the_remedy_is_named() {
    let session = accumulated();
    for size in SIZES {
        let mut state = showing("Maps", size);
        state.shared.gamma_index = Some(0);
        let all = screen(&session, &state);
        let words = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("every one of 400 k trials was called 8"),
            "{all}"
        );
        assert!(all.contains("Press ]"), "{all}");
        let word = if size.0 < 100 { "no R" } else { "insufficient" };
        assert_eq!(all.matches(word).count(), 9, "{all}");
        // Nine in the sheet, and one more if the selected class is shown beside it.
        assert!(all.matches("never").count() >= 9, "{all}");
        assert!(
            ["8 mean stimulus", "8 stim", "8 all trials"]
                .iter()
                .any(|words| all.contains(words)),
            "{all}"
        );
        let buf = draw(&session, &state, &theme());
        let grey = |colour| matches!(colour, Color::Rgb(r, g, b) if r == g && g == b);
        let map = buf.content.iter().filter(|cell| cell.symbol() == "▀");
        assert!(
            map.into_iter().all(|cell| grey(cell.fg)),
            "a map in colour:\n{all}"
        );
        enlarge(&mut state, true);
        state.shared.class = ClassId(8);
        let enlarged = screen(&session, &state)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(enlarged.contains("Every trial was called 8"), "{enlarged}");
        state.view = ViewId(0);
        assert!(screen(&session, &state).contains("press ]"));
    }
}

#[test]
fn with_too_few_trials_the_mean_stimulus_is_shown_and_labelled() {
    let few = synthetic::accumulating([0, 300, 0, 0]);
    for size in SIZES {
        for view in ["Overview", "Maps"] {
            let mut state = showing(view, size);
            state.shared.gamma_index = Some(1);
            let all = screen(&few, &state);
            let labels = all.matches("too few").count();
            assert!(labels >= 10, "{all}");
            assert!(size.0 < 120 || all.contains(" of 30"), "{all}");
            assert!(!all.contains(" R 0"), "{all}");
        }
    }
    let mut state = showing("Maps", (120, 40));
    state.shared.gamma_index = Some(1);
    enlarge(&mut state, true);
    let enlarged = screen(&few, &state);
    assert!(enlarged.contains("of the 30 trials needed"), "{enlarged}");
    assert!(
        enlarged.contains("Shown instead: the mean of stimuli"),
        "{enlarged}"
    );
}

#[test]
fn the_overview_shows_each_class_at_its_best_gamma_without_flipping() {
    let session = synthetic::accumulating([400_000, 400_000, 40_000, 12_000]);
    let images = session
        .record
        .classification_images()
        .expect("the plan has them");
    let mut state = showing("Overview", (120, 40));
    state.shared.settle(&session);
    for class in ClassId::all(synthetic::CLASSES) {
        let best = (0..4).max_by(|&a, &b| {
            let r = |gamma_index: usize| {
                let estimate = images.gammas[gamma_index].estimate();
                decision_map(&estimate, class)
                    .and_then(|map| map.reliability)
                    .unwrap_or(-1.0)
            };
            r(a).total_cmp(&r(b))
        });
        assert_eq!(
            Some(state.shared.best_gamma_indices[class]),
            best,
            "class {class}"
        );
    }
    // A slightly better γ does not replace the present one, unless that has no map.
    let before = state.shared.best_gamma_indices.clone();
    for (class, gamma_index) in state.shared.best_gamma_indices.iter_mut().enumerate() {
        *gamma_index = if class == 3 { 0 } else { before[class] };
    }
    state.shared.settle(&session);
    assert_eq!(state.shared.best_gamma_indices, before);
    let more = synthetic::accumulating([400_000, 400_000, 400_000, 12_000]);
    let clearly_better = |class: ClassId| {
        let images = more
            .record
            .classification_images()
            .expect("the plan has them");
        let r = |gamma_index: usize| {
            let estimate = images.gammas[gamma_index].estimate();
            decision_map(&estimate, class).and_then(|map| map.reliability)
        };
        r(2) > r(before[class]).map(|r| r + 0.1)
    };
    state.shared.settle(&more);
    let moved = state
        .shared
        .best_gamma_indices
        .iter()
        .zip(&before)
        .map(|(now, before)| now != before);
    let expected = ClassId::all(synthetic::CLASSES).map(clearly_better);
    assert!(
        moved.eq(expected),
        "{before:?} {:?}",
        state.shared.best_gamma_indices
    );
}

#[test]
fn a_class_is_labelled_with_its_gamma_if_classes_differ() {
    let session = accumulated();
    for size in SIZES {
        let mut state = showing("Overview", size);
        state.shared.best_gamma_indices = vec![1, 2, 1, 2, 1, 2, 1, 2, 1, 3];
        let screen = screen(&session, &state);
        assert!(screen.contains("each class at its best γ"), "{screen}");
        let label = if size.0 < 100 { "γ.1" } else { "γ 0.1  R" };
        assert!(screen.contains(label), "{screen}");
        assert!(screen.contains(&label.replace('1', "2")), "{screen}");
    }
}

#[test]
fn an_enlarged_map_has_an_integer_zoom() {
    let session = accumulated();
    for (size, columns) in [
        ((60, 18), 28),
        ((80, 24), 28),
        ((120, 40), 56),
        ((200, 60), 84),
    ] {
        let mut state = showing("Maps", size);
        enlarge(&mut state, true);
        let buf = draw(&session, &state, &theme());
        let coloured = |y: u16| {
            (0..buf.area.width)
                .filter(|x| buf[(*x, y)].bg != Color::Reset)
                .count()
        };
        let widest = (3..7).map(coloured).max();
        assert_eq!(widest, Some(columns), "{size:?}");
    }
}

#[test]
fn the_cursor_shows_row_column_value_and_z() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    state.shared.gamma_index = Some(3);
    press(
        &session,
        &mut state,
        &[KeyCode::Enter, KeyCode::Up, KeyCode::Char('h')],
    );
    assert_eq!(view_state::<MapsView>(&mut state).cursor, Some((13, 13)));
    let screen = screen(&session, &state);
    let images = session
        .record
        .classification_images()
        .expect("the plan has them");
    let estimate = images.gammas[3].estimate();
    let z = f64::from(
        decision_map(&estimate, ClassId(0))
            .expect("enough trials")
            .z[13 * 28 + 13],
    );
    assert!(screen.contains("row 13  column 13"), "{screen}");
    assert!(
        screen.contains(&noisescope::format::signed_number(z)),
        "{z} is missing from\n{screen}"
    );
}

#[test]
fn maps_open_at_the_best_gamma_of_each_class() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    state.shared.settle(&session);
    let images = state.shared.current_images(&session).unwrap();
    let best: Vec<usize> = ClassId::all(10)
        .map(|class| state.shared.best_gamma_index(images, class))
        .collect();
    let screen = screen(&session, &state);
    for &index in &best {
        let gamma = format!("γ {:.1}", images.gammas[index].gamma);
        let mixed = best.iter().any(|other| *other != best[0]);
        assert!(!mixed || screen.contains(&gamma), "{gamma}\n{screen}");
    }
}

#[test]
fn the_two_by_two_table_adds_up_to_all_trials() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    state.shared.gamma_index = Some(3);
    enlarge(&mut state, true);
    let screen = screen(&session, &state);
    let numbers = |label: &str| -> Vec<u64> {
        let parse = |line: &str| -> Vec<u64> {
            let tail = line.split(label).nth(1).unwrap_or("").split_whitespace();
            tail.filter_map(|word| word.replace(',', "").parse().ok())
                .collect()
        };
        let lines = screen.lines().filter(|line| !line.contains("of "));
        lines
            .map(parse)
            .find(|numbers| numbers.len() == 2)
            .unwrap_or_default()
    };
    let cells = [numbers("called 0 "), numbers("called other ")].concat();
    assert_eq!(cells.len(), 4, "{screen}");
    let trials = session
        .record
        .classification_images()
        .map(|images| images.gammas[3].trials);
    assert_eq!(Some(cells.iter().sum()), trials);
}

#[test]
fn a_caption_names_the_class_that_a_map_is_called_or_says_nothing() {
    let session = coarse::session(["a long name of a class", "another long name"]);
    for (width, height) in [(60, 18), (80, 24), (100, 30), (120, 40), (200, 60)] {
        let screen = screen(&session, &showing("Maps", (width, height)));
        for line in screen.lines() {
            for (at, word) in line.match_indices("called") {
                let rest = &line[at + word.len()..];
                let named = rest.starts_with(' ') && !rest.starts_with("  ");
                let is_heading = rest.trim_start().starts_with(|c: char| c.is_ascii_digit());
                assert!(named || is_heading, "{line}\n{screen}");
            }
        }
    }
    // Where there is room, it is named.
    let wide = screen(&session, &showing("Maps", (80, 24)));
    assert!(wide.contains("called another… 98.0 %"), "{wide}");
}

#[test]
fn the_table_of_reliability_names_every_gamma_on_every_terminal() {
    let session = accumulated();
    for unicode in [true, false] {
        let theme = Theme::new(Depth::Mono, Background::Dark, unicode);
        for size in SIZES {
            let mut state = showing("Maps", size);
            view_state::<MapsView>(&mut state).table = true;
            let screen = text(&draw(&session, &state, &theme));
            let head = screen.lines().find(|line| line.contains("for R"));
            let words: Vec<&str> = head.unwrap_or_default().split_whitespace().collect();
            for word in [theme.glyphs.gamma, "0.0", "0.1", "0.2", "0.3"] {
                assert!(words.contains(&word), "{word}\n{screen}");
            }
        }
    }
}

#[test]
fn the_maps_beside_an_enlarged_one_are_labelled_however_coarse_they_are() {
    let session = coarse::session(["left", "right"]);
    let mut state = showing("Maps", (200, 60));
    enlarge(&mut state, true);
    state.shared.gamma_index = Some(3);
    let beside = screen(&session, &state);
    for words in ["the same class, varied", "γ 0.1  R", "γ 0.2  R"] {
        assert!(beside.contains(words), "{words}\n{beside}");
    }
    // The map by decisions, of which there are too few.
    let session = evidence::with_evidence(100_000);
    state.shared.gamma_index = None;
    let beside = screen(&session, &state);
    assert!(beside.contains("too few  decisions"), "{beside}");
}
