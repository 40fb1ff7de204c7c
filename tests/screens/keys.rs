//! Tests of keys: their table, and moving through views, classes and the palette.

use noisescope::tui::action::KeyContext;

use super::*;

#[test]
fn no_key_has_two_meanings_in_one_context() {
    for view in VIEWS {
        for enlarged in [false, true] {
            for overlay in [
                Overlay::None,
                Overlay::Help(0),
                Overlay::Palette,
                Overlay::Stop,
            ] {
                let mut state = showing(view.name, (80, 24));
                enlarge(&mut state, enlarged);
                state.overlay = overlay;
                let mut bound = std::collections::HashMap::new();
                for row in possible::available(&state) {
                    for key in row.keys {
                        let other = bound.insert(*key, row.action);
                        assert!(other.is_none(), "{key:?}: {other:?} and {:?}", row.action);
                    }
                }
            }
        }
    }
}

#[test]
fn every_context_of_a_view_is_checked_for_key_conflicts() {
    let size = (80, 24);
    for view in VIEWS {
        for enlarged in [false, true] {
            let mut state = showing(view.name, size);
            enlarge(&mut state, enlarged);
            let mut contexts = possible::contexts(&state);
            contexts.retain(|context| *context != KeyContext::Everywhere);
            let checked = KeyContext::TOGETHER
                .iter()
                .any(|together| contexts.iter().all(|context| together.contains(context)));
            assert!(checked, "{} {contexts:?}", view.name);
        }
    }
}

#[test]
fn every_action_has_one_row_with_keys_and_help() {
    let table = noisescope::tui::key_table();
    let mut actions = std::collections::HashSet::new();
    for row in TABLE {
        assert!(actions.insert(row.action), "{:?} has two rows", row.action);
        assert!(!row.keys.is_empty() && !row.help.is_empty() && !row.contexts.is_empty());
        assert!(table.contains(row.help));
        assert!(
            row.help.chars().count() <= 43,
            "the help text does not fit: {:?}",
            row.help
        );
    }
    assert_eq!(table.lines().count(), TABLE.len() + 2);
}

#[test]
fn views_are_reached_by_tab_and_by_number() {
    let session = accumulated();
    let mut state = state((80, 24));
    press(&session, &mut state, &[KeyCode::Tab]);
    assert_eq!(state.view().name, "Training");
    press(&session, &mut state, &[KeyCode::BackTab, KeyCode::BackTab]);
    assert_eq!(state.view().name, VIEWS[VIEWS.len() - 1].name);
    press(&session, &mut state, &[KeyCode::Char('1')]);
    assert_eq!(state.view().name, "Overview");
    let before = state.view;
    press(&session, &mut state, &[KeyCode::Char('0')]);
    assert_eq!(state.view, before);
}

#[test]
fn letters_move_like_arrows() {
    let session = accumulated();
    for (arrow, letter) in [
        (KeyCode::Left, 'h'),
        (KeyCode::Down, 'j'),
        (KeyCode::Up, 'k'),
        (KeyCode::Right, 'l'),
    ] {
        for enlarged in [false, true] {
            let (mut a, mut b) = (showing("Maps", (120, 40)), showing("Maps", (120, 40)));
            for state in [&mut a, &mut b] {
                enlarge(state, enlarged);
                state.shared.class = ClassId(4);
            }
            press(&session, &mut a, &[arrow]);
            press(&session, &mut b, &[KeyCode::Char(letter)]);
            assert_eq!(a.shared.class, b.shared.class);
            assert_eq!(
                view_state::<MapsView>(&mut a).cursor,
                view_state::<MapsView>(&mut b).cursor
            );
        }
    }
}

#[test]
fn keys_select_class_and_gamma_in_the_sheet_and_in_an_enlarged_map() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    state.shared.gamma_index = Some(3);
    press(&session, &mut state, &[KeyCode::Left]);
    assert_eq!(state.shared.class, ClassId(9));
    press(&session, &mut state, &[KeyCode::Up]);
    assert_eq!(state.shared.class, ClassId(4), "a row has five maps");
    press(
        &session,
        &mut state,
        &[KeyCode::Enter, KeyCode::Char('.'), KeyCode::Char('[')],
    );
    assert!(view_state::<MapsView>(&mut state).enlarged);
    assert_eq!(
        (state.shared.class, state.shared.gamma_index),
        (ClassId(5), Some(2))
    );
    press(&session, &mut state, &[KeyCode::Char(']'); 5]);
    assert_eq!(
        state.shared.gamma_index,
        Some(3),
        "γ stops at the strongest"
    );
    press(&session, &mut state, &[KeyCode::Char('b')]);
    assert_eq!(
        state.shared.gamma_index, None,
        "each class is at its best γ again"
    );
    press(&session, &mut state, &[KeyCode::Esc]);
    assert!(!view_state::<MapsView>(&mut state).enlarged);
    press(&session, &mut state, &[KeyCode::Char('m')]);
    assert_eq!(view_state::<MapsView>(&mut state).kind, MapKind::Z);
}

#[test]
fn enter_in_the_overview_enlarges_the_selected_class() {
    let session = accumulated();
    let mut state = state((80, 24));
    press(&session, &mut state, &[KeyCode::Right, KeyCode::Enter]);
    assert_eq!(
        (state.view().name, state.shared.class),
        ("Maps", ClassId(1))
    );
    assert!(view_state::<MapsView>(&mut state).enlarged);
}

#[test]
fn a_view_keeps_its_state_while_another_is_open() {
    let session = everything::session();
    let mut state = showing("Filters", (120, 40));
    let right = [KeyCode::Right, KeyCode::Right, KeyCode::Enter];
    press(&session, &mut state, &right);
    let left = screen(&session, &state);
    let elsewhere = [KeyCode::Tab, KeyCode::Down, KeyCode::Tab, KeyCode::Down];
    press(&session, &mut state, &elsewhere);
    assert_eq!(view_state::<ModulationView>(&mut state).layer, Some(2));
    assert_eq!(view_state::<BackdoorView>(&mut state).suspect, 1);
    assert!(
        !view_state::<MapsView>(&mut state).enlarged
            && !view_state::<BackdoorView>(&mut state).enlarged
    );
    press(&session, &mut state, &[KeyCode::BackTab, KeyCode::BackTab]);
    assert_eq!(screen(&session, &state), left);
}

#[test]
fn the_palette_finds_a_command_by_name_and_runs_it() {
    let session = accumulated();
    let mut state = state((80, 24));
    press(&session, &mut state, &[KeyCode::Char(':')]);
    assert!(screen(&session, &state).contains("pause or resume the run"));
    let typed: Vec<KeyCode> = "show log".chars().map(KeyCode::Char).collect();
    press(&session, &mut state, &typed);
    let found = screen(&session, &state);
    assert!(found.contains(":show log"), "{found}");
    assert!(
        found.contains("▸ show or hide the log") && !found.contains("pause or resume the run"),
        "{found}"
    );
    press(&session, &mut state, &[KeyCode::Enter]);
    assert_eq!((state.overlay, state.log), (Overlay::None, Some(true)));
    let typed: Vec<KeyCode> = ":train".chars().map(KeyCode::Char).collect();
    press(&session, &mut state, &typed);
    press(&session, &mut state, &[KeyCode::Enter]);
    assert_eq!(state.view().name, "Training");
    press(
        &session,
        &mut state,
        &[KeyCode::Char(':'), KeyCode::Char('~')],
    );
    assert!(screen(&session, &state).contains("no command"));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Enter, KeyCode::Esc]),
        [Effect::None, Effect::Redraw]
    );
}

#[test]
fn a_key_shows_and_hides_the_log() {
    let session = accumulated();
    let mut state = showing("Maps", (80, 24));
    assert!(!screen(&session, &state).contains("02:39:48"));
    press(&session, &mut state, &[KeyCode::Char('L')]);
    assert!(screen(&session, &state).contains("02:39:48"));
    press(&session, &mut state, &[KeyCode::Char('L')]);
    assert!(!screen(&session, &state).contains("02:39:48"));
}

pub fn any_key() -> impl Strategy<Value = KeyEvent> {
    let named = prop::sample::select(vec![
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::F(5),
    ]);
    let bound: Vec<KeyCode> = "hjkl,.[]bmsxLpSqrn?:12345678cat"
        .chars()
        .map(KeyCode::Char)
        .collect();
    let code = prop_oneof![
        named,
        prop::sample::select(bound),
        any::<char>().prop_map(KeyCode::Char)
    ];
    let modifiers = prop_oneof![
        8 => Just(KeyModifiers::NONE),
        1 => Just(KeyModifiers::CONTROL),
        1 => Just(KeyModifiers::ALT),
    ];
    (code, modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_keys_at_any_size_make_a_view_panic(
        keys in prop::collection::vec((any_key(), 0_u16..220, 0_u16..70), 1..40),
        index in 0_usize..4,
        depth in prop::sample::select(vec![Depth::Mono, Depth::Sixteen, Depth::True]),
        unicode: bool,
    ) {
        thread_local! {
            static SESSIONS: [Session; 4] = [
                synthetic::new(),
                synthetic::in_training(),
                synthetic::accumulating([300, 20_000, 0, 600]),
                experiments::measured(),
            ];
        }
        SESSIONS.with(|sessions| {
            let session = &sessions[index];
            let theme = Theme::new(depth, Background::Dark, unicode);
            let mut state = state((80, 24));
            for (key, width, height) in keys {
                update::key(&mut state, &key, session, &theme);
                state.shared.size = Size { width, height };
                draw(session, &state, &theme);
            }
        });
    }
}

#[test]
fn interrupt_and_suspend_work_under_every_overlay() {
    for overlay in [
        Overlay::None,
        Overlay::Help(0),
        Overlay::Palette,
        Overlay::Stop,
    ] {
        let mut state = state((80, 24));
        state.overlay = overlay;
        for (letter, action) in [('c', Action::Interrupt), ('z', Action::Suspend)] {
            let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
            assert_eq!(possible::action_for_key(&key, &state), Some(action));
        }
    }
}
