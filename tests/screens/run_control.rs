//! Tests of controlling a run: leaving, pausing, stopping, resuming, and a lost engine.

use super::*;

#[test]
fn leaving_takes_effect_at_once_and_the_run_continues() {
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
fn leaving_a_finished_run_takes_effect_at_once() {
    let mut session = accumulated();
    session.run.as_mut().expect("the session runs").phase = Phase::Finished;
    let mut state = state((120, 40));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('q')]),
        [Effect::Leave]
    );
}

#[test]
fn stopping_asks_for_confirmation() {
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
fn the_pause_key_continues_a_paused_run_and_the_footer_says_which() {
    let mut session = accumulated();
    let mut state = state((120, 40));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('p')]),
        [Effect::Send(EngineCommand::Pause)]
    );
    assert!(screen(&session, &state).contains("p pause"));
    session.run.as_mut().expect("the session runs").phase = Phase::Paused(1);
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('p')]),
        [Effect::Send(EngineCommand::Continue)]
    );
    let screen = screen(&session, &state);
    assert!(
        screen.contains("p resume") && screen.contains("paused in classification"),
        "{screen}"
    );
}

#[test]
fn a_lost_engine_is_reported_and_resuming_is_offered() {
    let mut session = accumulated();
    let mut state = state((120, 40));
    press(&session, &mut state, &[KeyCode::Char('S')]);
    session.run = None;
    session.record.state = session::SavedState::Running;
    update::connection(&mut state, Connection::Lost("the engine died".into()));
    assert_eq!(state.overlay, Overlay::None, "there is no engine to stop");
    let lost = screen(&session, &state);
    let line = lost.lines().nth(1).unwrap_or_default();
    assert!(
        line.contains("engine lost, reconnecting: the engine died"),
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
fn a_lost_engine_is_reported_on_every_screen_whatever_the_reason() {
    let mut session = accumulated();
    session.run = None;
    session.record.state = session::SavedState::Running;
    let reason = "the engine of session `mnist-paper` (process 4242) cannot be reached at \
                  /run/user/1000/noisescope/mnist-paper.sock: connection refused";
    for size in SIZES {
        let mut state = state(size);
        state.shared.connection = Connection::Lost(reason.into());
        let lost = screen(&session, &state);
        let line = lost.lines().nth(1).unwrap_or_default();
        assert!(
            line.starts_with(" ▲ engine lost, reconnecting: the engine of"),
            "{lost}"
        );
        let header = lost.lines().next().unwrap_or_default();
        assert!(header.contains("read-only"), "{lost}");
    }
}

#[test]
fn a_session_without_an_engine_can_be_resumed_unless_it_is_finished() {
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

/// The line below the header has room for the beginning of the message; the remedy is at its end.
#[test]
fn the_overview_of_a_run_that_failed_before_it_measured_anything_has_the_whole_reason() {
    let why = "network: it has 3 classes, but the images have 2; use the classes it was made for, or noise alone \
               (dataset: None)";
    let mut session = synthetic::new();
    session.record.state = session::SavedState::Failed(why.into());
    for size in SIZES {
        let mut state = showing("Overview", size);
        state.shared.connection = Connection::ReadOnly;
        let screen = screen(&session, &state);
        let words: Vec<&str> = screen.split_whitespace().collect();
        assert!(words.join(" ").contains(why), "{size:?}\n{screen}");
        assert!(!screen.contains("Run the session to begin"), "{screen}");
    }
}

#[test]
fn an_engine_that_ended_after_finishing_the_plan_is_not_lost() {
    let mut session = synthetic::accumulating([1_000_000; 4]);
    session.run.as_mut().expect("the session runs").phase = Phase::Finished;
    let mut state = state((120, 40));
    state.shared.connection = Connection::Lost("the engine has ended".into());
    let ended = screen(&session, &state);
    assert!(
        ended.contains("✓ finished") && ended.contains("read-only"),
        "{ended}"
    );
    assert!(!ended.contains("lost"), "{ended}");
    session.run = None;
    session.record.state = session::SavedState::Finished;
    let file = screen(&session, &state);
    assert!(
        file.contains("✓ finished") && !file.contains("lost"),
        "{file}"
    );
}

#[test]
fn ages_on_a_frozen_display_are_those_of_when_it_was_frozen() {
    let session = accumulated();
    for size in SIZES {
        let mut state = state(size);
        press(&session, &mut state, &[KeyCode::Char(' ')]);
        let tabs = |screen: &str| screen.lines().nth(2).map(str::to_owned);
        let frozen = tabs(&screen(&session, &state));
        // The engine writes checkpoints meanwhile, of which the display knows nothing.
        state.shared.now += 600;
        let later = screen(&session, &state);
        assert!(later.contains("frozen for 10 min"), "{later}");
        assert!(later.contains("12 s ago"), "{later}");
        assert_eq!(tabs(&later), frozen, "{later}");
    }
}

#[test]
fn the_question_whether_to_stop_goes_when_the_run_is_over() {
    let mut session = accumulated();
    let mut state = state((120, 40));
    press(&session, &mut state, &[KeyCode::Char('S')]);
    update::renewed(&mut state, &session);
    assert!(screen(&session, &state).contains("Stop mnist-paper?"));
    session.run.as_mut().expect("a run").phase = Phase::Finished;
    update::renewed(&mut state, &session);
    assert_eq!(state.overlay, Overlay::None);
    let over = screen(&session, &state);
    assert!(!over.contains("Stop mnist-paper?"), "{over}");
    // Other overlays stay.
    press(&session, &mut state, &[KeyCode::Char('?')]);
    update::renewed(&mut state, &session);
    assert_eq!(state.overlay, Overlay::Help(0));
}

#[test]
fn the_prompt_for_more_trials_names_what_starts_over_and_nothing_else() {
    let prompt = |session: &Session, keys: &[KeyCode]| {
        let mut state = showing("Maps", (120, 40));
        press(session, &mut state, keys);
        screen(session, &state)
    };
    let session = experiments::measured();
    let first = prompt(&session, &[KeyCode::Char('+')]);
    assert!(first.contains("Enter doubles them"), "{first}");
    assert!(!first.contains("rerun"), "{first}");
    // Templates and attack use the second set of maps.
    let second = prompt(&session, &['n', '+'].map(KeyCode::Char));
    assert!(
        second.contains("; templates and attack will be rerun"),
        "{second}"
    );
}
