//! Tests of the list itself: its rows, its cursor, its filter, its messages and its keys.

use noisescope::tui::action::KeyContext;

use super::*;

#[test]
fn every_size_shows_each_sessions_name_state_and_progress() {
    for size in SIZES {
        let screen = draw_at(&browser(), size, &theme());
        for part in [
            "mnist-paper",
            "● running",
            "80.0 %",
            "✓ finished",
            "‖ interrupted",
            "■ stopped",
            "✗ failed",
            "▲ damaged",
            "· new",
            "7 sessions, 1 running",
            "q leave",
            "? help",
            "2 h ago",
        ] {
            assert!(screen.contains(part), "{part} is missing from\n{screen}");
        }
    }
}

#[test]
fn a_session_whose_trials_are_done_says_which_stages_are_open() {
    let headline = "test 97.9 %   at attack, 30 %";
    let mut stopped = row("try.3", SessionStatus::Stopped, 1.0, headline, 60);
    stopped.open = Some("attack, modulation".into());
    let mut list = Browser::new(&presets(), ListState::default());
    list.now = NOW;
    list.set_rows(vec![stopped]);
    for size in SIZES {
        let screen = draw_at(&list, size, &theme());
        let line = screen.lines().find(|line| line.contains("■ stopped"));
        assert!(
            line.is_some_and(|line| line.contains(" open") && !line.contains('%')),
            "{screen}"
        );
        assert!(screen.contains("open: attack, modulation"), "{screen}");
        assert!(screen.contains("at attack, 30 %"), "{screen}");
    }
}

#[test]
fn a_session_that_cannot_be_saved_says_so_while_it_runs() {
    let problem = "no checkpoint: the disk is full; free some space";
    for (standing, shown) in [
        (SessionStatus::Running, problem),
        (SessionStatus::Hung(NOW - 9), "engine silent for 9 s"),
        (SessionStatus::Stopped, "test 97.8 %"),
    ] {
        let mut full = row("full", standing, 0.5, "test 97.8 %", 60);
        full.problem = Some(problem.into());
        let mut list = Browser::new(&presets(), ListState::default());
        list.now = NOW;
        list.set_rows(vec![full]);
        // The last lines are the details of the session.
        let screen = list_text(&list);
        let details: Vec<&str> = screen.lines().skip(20).collect();
        let details = details.join("\n");
        assert!(details.contains(shown), "{screen}");
    }
}

#[test]
fn enter_opens_a_session_and_letters_move_like_arrows() {
    let mut list = browser();
    let opened = press_keys(
        &mut list,
        &[
            KeyCode::Down,
            KeyCode::Char('j'),
            KeyCode::Up,
            KeyCode::Enter,
        ],
    );
    assert_eq!(
        opened,
        BrowserEffect::Chosen(BrowserChoice::Open("fashion-paper".into()))
    );
    assert_eq!(
        press_keys(&mut list, &[KeyCode::Char('G'), KeyCode::Enter]),
        BrowserEffect::Chosen(BrowserChoice::Open("next".into()))
    );
    assert_eq!(
        type_text(&mut list, "q"),
        BrowserEffect::Chosen(BrowserChoice::Leave)
    );
}

#[test]
fn the_cursor_keeps_its_place_as_sessions_come_and_go() {
    let mut list = browser();
    type_text(&mut list, "jjj");
    // The caller deletes the session and opens the list again.
    let mut again = Browser::new(&presets(), list.state);
    let mut left = rows();
    left.remove(3);
    again.set_rows(left.clone());
    assert!(list_text(&again).contains("▸ gpu"), "{}", list_text(&again));
    left.insert(0, row("aaa", SessionStatus::New, 0.0, "", 1));
    again.set_rows(left);
    assert!(list_text(&again).contains("▸ gpu"), "{}", list_text(&again));
}

#[test]
fn a_filter_is_typed_kept_and_cleared() {
    let mut list = browser();
    type_text(&mut list, "/Try");
    let screen = list_text(&list);
    assert!(
        screen.contains("/Try") && screen.contains("try.2"),
        "{screen}"
    );
    assert!(!screen.contains("fashion"), "{screen}");
    // Letters are text in the filter and commands in the list.
    assert_eq!(
        press_keys(
            &mut list,
            &[KeyCode::Enter, KeyCode::Char('j'), KeyCode::Enter]
        ),
        BrowserEffect::Chosen(BrowserChoice::Open("try.2".into()))
    );
    type_text(&mut list, "/zzz");
    let empty = list_text(&list);
    assert!(
        empty.contains("No session name contains \"Tryzzz\""),
        "{empty}"
    );
    press_keys(&mut list, &[KeyCode::Esc]);
    let all = list_text(&list);
    assert!(
        all.contains("fashion-paper") && all.contains("▸ try.2"),
        "{all}"
    );
}

#[test]
fn an_empty_list_says_how_to_create_a_session() {
    let mut list = Browser::new(&presets(), ListState::default());
    assert!(list_text(&list).contains("reading the sessions"));
    list.set_rows(Vec::new());
    let screen = list_text(&list);
    assert!(
        screen.contains("There is no session yet. Press n"),
        "{screen}"
    );
    for key in ["r", "d", "/", "k"] {
        assert_eq!(type_text(&mut list, key), BrowserEffect::None, "{key}");
    }
    assert_eq!(
        press_keys(&mut list, &[KeyCode::Enter]),
        BrowserEffect::None
    );
}

#[test]
fn a_problem_is_shown_until_the_next_key() {
    let mut list = ListState::default();
    list.problem = Some("gpu could not be started:\n\x1b[2Jno memory".into());
    let mut list = Browser::new(&presets(), list);
    list.set_rows(rows());
    let screen = list_text(&list);
    assert!(
        screen.contains("▲ gpu could not be started: ?[2Jno memory"),
        "{screen}"
    );
    press_keys(&mut list, &[KeyCode::Down]);
    assert!(!list_text(&list).contains("could not"));
}

#[test]
fn no_key_has_two_meanings_in_one_context_of_the_list() {
    for context in [
        KeyContext::Sessions,
        KeyContext::Filter,
        KeyContext::Form,
        KeyContext::Deleting,
    ] {
        let mut bound = std::collections::HashMap::new();
        for row in action::available_at(TABLE, vec![context, KeyContext::Everywhere]) {
            for key in row.keys {
                let other = bound.insert(*key, row.action);
                assert!(other.is_none(), "{key:?}: {other:?} and {:?}", row.action);
            }
        }
    }
}

#[test]
fn a_list_that_is_too_small_names_a_key_that_leaves_it_whatever_is_open() {
    let mut list = browser();
    let small = |list: &Browser| draw_at(list, (59, 17), &theme());
    assert!(small(&list).contains("; q leaves"), "{}", small(&list));
    // In the form q is typed.
    type_text(&mut list, "n");
    assert!(small(&list).contains("; Ctrl-C leaves"), "{}", small(&list));
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(
        list.key(&interrupt),
        BrowserEffect::Chosen(BrowserChoice::Leave)
    );
}

#[test]
fn without_unicode_the_list_is_ascii() {
    let theme = Theme::new(Depth::Mono, Background::Dark, false);
    let mut list = browser();
    for keys in ["", "/m", "\u{1}"] {
        type_text(&mut list, keys);
        let screen = draw_at(&list, (100, 30), &theme);
        assert!(screen.is_ascii(), "{screen}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_keys_at_any_size_make_the_list_panic(
        pressed in prop::collection::vec((keys::any_key(), 0_u16..220, 0_u16..70), 1..40),
        count in 0_usize..8,
    ) {
        let mut list = browser();
        for (index, (key, width, height)) in pressed.into_iter().enumerate() {
            if index % 7 == count {
                list.set_rows(rows().into_iter().take(count).collect());
            }
            list.key(&key);
            draw_at(&list, (width, height), &theme());
        }
    }
}
