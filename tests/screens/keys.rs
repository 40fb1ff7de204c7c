//! What keys do.

use super::*;

#[test]
fn no_key_means_two_things_in_one_place() {
    let session = accumulated();
    for view in VIEWS {
        for enlarged in [false, true] {
            for overlay in [
                Overlay::None,
                Overlay::Help(0),
                Overlay::Palette,
                Overlay::Stop,
            ] {
                let mut state = at(view.name, (80, 24));
                enlarge(&mut state, enlarged);
                state.overlay = overlay;
                let mut seen = std::collections::HashMap::new();
                for row in possible::available(&state) {
                    for key in row.keys {
                        let other = seen.insert(*key, row.action);
                        assert!(other.is_none(), "{key:?}: {other:?} and {:?}", row.action);
                    }
                }
            }
        }
    }
    drop(session);
}

#[test]
fn every_action_is_bound_once_explained_and_listed() {
    let table = noisescope::tui::key_table();
    let mut actions = std::collections::HashSet::new();
    for row in TABLE {
        assert!(actions.insert(row.action), "{:?} stands twice", row.action);
        assert!(!row.keys.is_empty() && !row.help.is_empty() && !row.contexts.is_empty());
        assert!(table.contains(row.help));
        assert!(
            row.help.chars().count() <= 43,
            "help has no room for {:?}",
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
fn letters_and_arrows_move_alike() {
    let session = accumulated();
    for (arrow, letter) in [
        (KeyCode::Left, 'h'),
        (KeyCode::Down, 'j'),
        (KeyCode::Up, 'k'),
        (KeyCode::Right, 'l'),
    ] {
        for enlarged in [false, true] {
            let (mut a, mut b) = (at("Maps", (120, 40)), at("Maps", (120, 40)));
            for state in [&mut a, &mut b] {
                enlarge(state, enlarged);
                state.shared.class = 4;
            }
            press(&session, &mut a, &[arrow]);
            press(&session, &mut b, &[KeyCode::Char(letter)]);
            assert_eq!(a.shared.class, b.shared.class);
            assert_eq!(of::<MapsView>(&mut a).cursor, of::<MapsView>(&mut b).cursor);
        }
    }
}

#[test]
fn classes_and_gammas_are_chosen_in_a_sheet_and_in_an_enlarged_map() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    state.shared.gamma = Some(3);
    press(&session, &mut state, &[KeyCode::Left]);
    assert_eq!(state.shared.class, 9);
    press(&session, &mut state, &[KeyCode::Up]);
    assert_eq!(state.shared.class, 4, "five maps stand in a row");
    press(
        &session,
        &mut state,
        &[KeyCode::Enter, KeyCode::Char('.'), KeyCode::Char('[')],
    );
    assert!(of::<MapsView>(&mut state).enlarged);
    assert_eq!((state.shared.class, state.shared.gamma), (5, Some(2)));
    press(&session, &mut state, &[KeyCode::Char(']'); 5]);
    assert_eq!(state.shared.gamma, Some(3), "it ends at the strongest");
    press(&session, &mut state, &[KeyCode::Char('b')]);
    assert_eq!(state.shared.gamma, None, "each class at its best again");
    press(&session, &mut state, &[KeyCode::Esc]);
    assert!(!of::<MapsView>(&mut state).enlarged);
    press(&session, &mut state, &[KeyCode::Char('m')]);
    assert_eq!(of::<MapsView>(&mut state).kind, MapKind::Z);
}

#[test]
fn enter_in_the_overview_looks_closer_at_the_class() {
    let session = accumulated();
    let mut state = state((80, 24));
    press(&session, &mut state, &[KeyCode::Right, KeyCode::Enter]);
    assert_eq!((state.view().name, state.shared.class), ("Maps", 1));
    assert!(of::<MapsView>(&mut state).enlarged);
}

#[test]
fn a_view_is_as_one_left_it_when_one_comes_back() {
    let session = everything::session();
    let mut state = at("Filters", (120, 40));
    let right = [KeyCode::Right, KeyCode::Right, KeyCode::Enter];
    press(&session, &mut state, &right);
    let left = screen(&session, &state);
    let elsewhere = [KeyCode::Tab, KeyCode::Down, KeyCode::Tab, KeyCode::Down];
    press(&session, &mut state, &elsewhere);
    assert_eq!(of::<ModulationView>(&mut state).layer, Some(2));
    assert_eq!(of::<BackdoorView>(&mut state).suspect, 1);
    assert!(!of::<MapsView>(&mut state).enlarged && !of::<BackdoorView>(&mut state).enlarged);
    press(&session, &mut state, &[KeyCode::BackTab, KeyCode::BackTab]);
    assert_eq!(screen(&session, &state), left);
}

#[test]
fn leaving_leaves_at_once_and_the_run_goes_on() {
    let session = accumulated();
    let mut state = state((120, 40));
    assert!(screen(&session, &state).contains("q leave (run continues)"));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('q')]),
        [Effect::Leave]
    );
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    for overlay in [
        Overlay::None,
        Overlay::Help(0),
        Overlay::Stop,
        Overlay::Palette,
    ] {
        state.overlay = overlay;
        assert_eq!(
            update::key(&mut state, &interrupt, &session, &theme()),
            Effect::Leave
        );
    }
}

#[test]
fn stopping_asks_first() {
    let session = accumulated();
    let mut state = state((80, 24));
    press(&session, &mut state, &[KeyCode::Char('S')]);
    assert!(screen(&session, &state).contains("Stop mnist-paper?"));
    press(&session, &mut state, &[KeyCode::Esc]);
    assert_eq!(state.overlay, Overlay::None);
    let keys = [KeyCode::Char('S'), KeyCode::Char('s')];
    let effects = press(&session, &mut state, &keys);
    assert_eq!(effects[1], Effect::Send(EngineCommand::Stop));
}

#[test]
fn a_lost_engine_is_said_and_offered_again() {
    let mut session = accumulated();
    let mut state = state((120, 40));
    press(&session, &mut state, &[KeyCode::Char('S')]);
    session.run = None;
    session.record.state = session::SavedState::Running;
    update::connection(&mut state, Connection::Lost("the engine died".into()));
    assert_eq!(state.overlay, Overlay::None, "nobody is left to stop");
    let lost = screen(&session, &state);
    let line = lost.lines().nth(1).unwrap_or_default();
    assert!(
        line.contains("engine lost: the engine died. Read-only; looking for it"),
        "{lost}"
    );
    assert!(
        lost.contains("r resume") && !lost.contains("S stop"),
        "{lost}"
    );
    let keys = [KeyCode::Char('p'), KeyCode::Char('S'), KeyCode::Char('r')];
    assert_eq!(
        press(&session, &mut state, &keys),
        [Effect::None, Effect::None, Effect::Resume]
    );
    update::connection(&mut state, Connection::Live);
    let back = screen(&accumulated(), &state);
    assert!(
        !back.contains("lost") && !back.contains("r resume"),
        "{back}"
    );
}

#[test]
fn what_nobody_runs_can_be_resumed_unless_it_is_finished() {
    let mut session = accumulated();
    session.run = None;
    let mut state = state((120, 40));
    for (record, offered) in [
        (session::SavedState::New, true),
        (session::SavedState::Running, true),
        (session::SavedState::Stopped, true),
        (session::SavedState::Failed("no memory".into()), true),
        (session::SavedState::Finished, false),
    ] {
        session.record.state = record;
        for connection in [Connection::ReadOnly, Connection::Lost("gone".into())] {
            state.shared.connection = connection;
            assert_eq!(screen(&session, &state).contains("r resume"), offered);
        }
        state.shared.connection = Connection::Connecting;
        let screen = screen(&session, &state);
        assert!(!screen.contains("r resume"), "{screen}");
        assert!(
            screen
                .lines()
                .next()
                .is_some_and(|l| l.contains("· starting"))
        );
    }
}

#[test]
fn an_engine_that_ended_with_the_plan_done_is_not_lost() {
    let mut session = synthetic::accumulating([1_000_000; 4]);
    session.run.as_mut().expect("it runs").phase = Phase::Finished;
    let mut state = state((120, 40));
    state.shared.connection = Connection::Lost("the engine has ended".into());
    let live = screen(&session, &state);
    assert!(
        live.contains("✓ finished") && live.contains("read-only"),
        "{live}"
    );
    assert!(!live.contains("lost"), "{live}");
    session.run = None;
    session.record.state = session::SavedState::Finished;
    let file = screen(&session, &state);
    assert!(
        file.contains("✓ finished") && !file.contains("lost"),
        "{file}"
    );
}

#[test]
fn the_palette_finds_a_command_by_its_name_and_does_it() {
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
fn pause_and_stop_need_an_engine_and_leaving_does_not() {
    let mut session = accumulated();
    session.run = None;
    session.record.state = session::SavedState::Finished;
    let mut state = state((120, 40));
    state.shared.connection = Connection::ReadOnly;
    let keys = [KeyCode::Char('p'), KeyCode::Char('S'), KeyCode::Char('q')];
    assert_eq!(
        press(&session, &mut state, &keys),
        [Effect::None, Effect::None, Effect::Leave]
    );
    let screen = screen(&session, &state);
    assert!(screen.contains("✓ finished   read-only"), "{screen}");
    assert!(
        !screen.contains("p pause") && !screen.contains("S stop"),
        "{screen}"
    );
}

#[test]
fn pause_goes_on_again_and_the_footer_says_which() {
    let mut session = accumulated();
    let mut state = state((120, 40));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('p')]),
        [Effect::Send(EngineCommand::Pause)]
    );
    assert!(screen(&session, &state).contains("p pause"));
    session.run.as_mut().expect("it runs").phase = Phase::Paused(1);
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('p')]),
        [Effect::Send(EngineCommand::Continue)]
    );
    let screen = screen(&session, &state);
    assert!(
        screen.contains("p go on") && screen.contains("paused in classification"),
        "{screen}"
    );
}

#[test]
fn a_finished_run_is_left_at_once() {
    let mut session = accumulated();
    session.run.as_mut().expect("it runs").phase = Phase::Finished;
    let mut state = state((120, 40));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('q')]),
        [Effect::Leave]
    );
}

#[test]
fn the_log_comes_and_goes() {
    let session = accumulated();
    let mut state = at("Maps", (80, 24));
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
    fn no_keys_on_no_size_make_it_panic(
        keys in prop::collection::vec((any_key(), 0_u16..220, 0_u16..70), 1..40),
        which in 0_usize..4,
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
            let session = &sessions[which];
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
fn interrupt_and_suspend_work_in_front_of_a_question_and_in_help() {
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
