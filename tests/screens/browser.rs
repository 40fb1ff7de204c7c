//! The list of sessions.

use noisescope::report::SessionStatus;
use noisescope::stats::grain::{self, GrainForecast};
use noisescope::tui::action::KeyContext;
use noisescope::tui::browser::{
    self, Browser, BrowserChoice, BrowserEffect, FileContents, ListState, Preset, PresetInfo,
    SessionContents, SessionRequest, SessionRow, SessionTask,
};

use super::*;

fn row(name: &str, standing: SessionStatus, share: f64, headline: &str, age: i64) -> SessionRow {
    let running = standing == SessionStatus::Running;
    SessionRow {
        name: name.into(),
        standing,
        done: (4_000_000.0 * share) as u64,
        total: 4_000_000,
        headline: headline.into(),
        updated: Some(NOW - age),
        pid: running.then_some(4242),
    }
}

fn rows() -> Vec<SessionRow> {
    let damaged = "sessions/old.ron: the file is damaged: array `training.best.fc1`: its checksum is 0x1, not 0x2. The previous generation sessions/old.ron.bak is whole.";
    let mut rows = vec![
        row(
            "mnist-paper",
            SessionStatus::Running,
            0.8,
            "test 99.1 %   22/40 maps reliable   9,860 trials/s",
            4,
        ),
        row(
            "fashion-paper",
            SessionStatus::Finished,
            1.0,
            "test 90.2 %   38/40 maps reliable",
            7_300,
        ),
        row(
            "try.1",
            SessionStatus::Interrupted,
            0.0301,
            "test 97.8 %   3/40 maps reliable",
            90_000,
        ),
        row(
            "try.2",
            SessionStatus::Stopped,
            0.5,
            "test 97.9 %   10/40 maps reliable",
            400_000,
        ),
        row(
            "gpu",
            SessionStatus::Failed("the device cuda:0 has no memory left".into()),
            0.2,
            "",
            600,
        ),
        row(
            "old",
            SessionStatus::Damaged(damaged.into()),
            0.0,
            "",
            9_000_000,
        ),
        row("next", SessionStatus::New, 0.0, "mnist · cnn", 30),
    ];
    rows[5].total = 0;
    rows
}

fn presets() -> Vec<Preset> {
    ["quickstart", "mnist-paper", "fashion-paper"]
        .map(Preset::from)
        .to_vec()
}

/// The list after these keys.
pub fn listing(pressed: &[KeyCode]) -> Browser {
    let mut list = browser();
    keys(&mut list, pressed);
    list
}

fn browser() -> Browser {
    let mut browser = Browser::new(&presets(), ListState::default());
    browser.now = NOW;
    browser.set_rows(rows());
    browser
}

fn drawn(browser: &Browser, size: (u16, u16), theme: &Theme) -> String {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a backend");
    let frame = terminal.draw(|frame| {
        let area = frame.area();
        browser::draw(browser, theme, area, frame.buffer_mut());
    });
    text(frame.expect("it cannot fail").buffer)
}

fn shown(browser: &Browser) -> String {
    drawn(browser, (120, 40), &theme())
}

fn keys(browser: &mut Browser, keys: &[KeyCode]) -> BrowserEffect {
    let press = |key: &KeyCode| browser.key(&KeyEvent::new(*key, KeyModifiers::NONE));
    keys.iter().map(press).last().unwrap_or(BrowserEffect::None)
}

fn typing(browser: &mut Browser, text: &str) -> BrowserEffect {
    let codes: Vec<KeyCode> = text.chars().map(KeyCode::Char).collect();
    keys(browser, &codes)
}

#[test]
fn the_list_looks_as_reviewed() {
    for size in SIZES {
        let screen = drawn(&browser(), size, &theme());
        golden::golden(&format!("browser-{}x{}", size.0, size.1), &screen);
    }
    let mut form = browser();
    typing(&mut form, "n");
    golden::golden("browser-form-80x24", &drawn(&form, (80, 24), &theme()));
    let mut question = browser();
    typing(&mut question, "jd");
    question.set_contents("fashion-paper", contents());
    golden::golden(
        "browser-delete-80x24",
        &drawn(&question, (80, 24), &theme()),
    );
    let mut named = browser();
    typing(&mut named, "jjjjjd");
    named.set_contents("old", cut_file());
    typing(&mut named, "ol");
    golden::golden(
        "browser-delete-damaged-80x24",
        &drawn(&named, (80, 24), &theme()),
    );
    let mut help = browser();
    typing(&mut help, "?");
    golden::golden("browser-help-80x24", &drawn(&help, (80, 24), &theme()));
}

#[test]
fn every_size_tells_name_state_and_share_of_every_session() {
    for size in SIZES {
        let screen = drawn(&browser(), size, &theme());
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
            assert!(screen.contains(part), "{part} is not on\n{screen}");
        }
    }
}

#[test]
fn enter_opens_and_letters_move_like_arrows() {
    let mut list = browser();
    let opened = keys(
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
        keys(&mut list, &[KeyCode::Char('G'), KeyCode::Enter]),
        BrowserEffect::Chosen(BrowserChoice::Open("next".into()))
    );
    assert_eq!(
        typing(&mut list, "q"),
        BrowserEffect::Chosen(BrowserChoice::Leave)
    );
}

fn held(trials: u64, epochs: Option<&str>, age: i64) -> FileContents {
    FileContents {
        trials,
        network: epochs.map(String::from),
        updated: Some(NOW - age),
    }
}

/// What is in the files of a sound session.
fn contents() -> SessionContents {
    SessionContents {
        file: Ok(held(
            4_000_000,
            Some("a network trained for 15 epochs"),
            7_300,
        )),
        previous: Some(Ok(held(
            3_900_000,
            Some("a network trained for 15 epochs"),
            7_400,
        ))),
    }
}

/// The same of one that was cut, whose previous generation is whole.
fn cut_file() -> SessionContents {
    SessionContents {
        file: Err("sessions/old.ron: the file is damaged: it is cut off after 99 bytes.".into()),
        previous: Some(Ok(held(
            600_000,
            Some("a network trained for 2 epochs"),
            90_000,
        ))),
    }
}

#[test]
fn only_what_can_go_on_is_resumed_and_only_what_does_not_run_is_deleted() {
    let mut list = browser();
    for own in rows() {
        let screen = shown(&list);
        let unread = own.standing.is_unread();
        let over = own.standing == SessionStatus::Finished || unread;
        let running = own.standing == SessionStatus::Running;
        assert_eq!(screen.contains("r resume"), !over && !running, "{screen}");
        assert_eq!(screen.contains("d delete"), !running, "{screen}");
        let resumed = match over || running {
            true => BrowserEffect::None,
            false => BrowserEffect::Chosen(BrowserChoice::Resume(own.name.clone())),
        };
        assert_eq!(typing(&mut list, "r"), resumed);
        if running {
            assert_eq!(typing(&mut list, "d"), BrowserEffect::None);
        } else if !unread {
            let asked = BrowserEffect::Weigh(own.name.clone());
            assert_eq!(typing(&mut list, "d"), asked);
            assert!(shown(&list).contains(&format!("Delete {}?", own.name)));
            assert_eq!(
                keys(&mut list, &[KeyCode::Enter]),
                BrowserEffect::None,
                "no accident"
            );
            assert_eq!(
                typing(&mut list, "y"),
                BrowserEffect::None,
                "not told what is in it"
            );
            list.set_contents(&own.name, contents());
            typing(&mut list, "nd");
            list.set_contents(&own.name, contents());
            assert_eq!(
                typing(&mut list, "y"),
                BrowserEffect::Chosen(BrowserChoice::Delete(own.name.clone()))
            );
            keys(&mut list, &[KeyCode::Esc]);
        }
        keys(&mut list, &[KeyCode::Down]);
    }
}

#[test]
fn deleting_says_what_is_in_the_file_and_in_its_previous_generation() {
    let mut list = browser();
    typing(&mut list, "jd");
    assert!(shown(&list).contains("reading its contents"));
    // What another session holds is not said of this one.
    list.set_contents("try.1", cut_file());
    assert!(shown(&list).contains("reading its contents"));
    list.set_contents("fashion-paper", contents());
    let screen = shown(&list);
    for part in [
        "Its file: 4.00 M trials, a network trained for 15 epochs; saved 2 h ago.",
        "Its previous generation: 3.90 M trials, a network trained for 15 epochs",
        "Both go to the folder trash/",
    ] {
        assert!(screen.contains(part), "{part} is not on\n{screen}");
    }
}

#[test]
fn what_cannot_be_read_is_deleted_only_after_its_name_is_typed() {
    for standing in [
        SessionStatus::Damaged("cut".into()),
        SessionStatus::Newer("schema 99".into()),
        SessionStatus::Unreadable("permission denied".into()),
    ] {
        let mut list = Browser::new(&presets(), ListState::default());
        list.now = NOW;
        list.set_rows(vec![row("yes", standing, 0.0, "", 5)]);
        assert_eq!(typing(&mut list, "d"), BrowserEffect::Weigh("yes".into()));
        list.set_contents("yes", cut_file());
        let screen = shown(&list);
        assert!(screen.contains("Its file cannot be read"), "{screen}");
        assert!(
            screen.contains("Its previous generation: 600 k trials"),
            "{screen}"
        );
        assert_eq!(keys(&mut list, &[KeyCode::Enter]), BrowserEffect::None);
        // A letter is a letter here, also the one that says yes elsewhere.
        assert_eq!(typing(&mut list, "y"), BrowserEffect::Redraw);
        assert_eq!(keys(&mut list, &[KeyCode::Enter]), BrowserEffect::None);
        typing(&mut list, "ez");
        assert_eq!(keys(&mut list, &[KeyCode::Enter]), BrowserEffect::None);
        keys(&mut list, &[KeyCode::Backspace]);
        typing(&mut list, "s");
        assert_eq!(
            keys(&mut list, &[KeyCode::Enter]),
            BrowserEffect::Chosen(BrowserChoice::Delete("yes".into()))
        );
    }
}

#[test]
fn a_session_that_starts_to_run_under_the_question_is_not_deleted() {
    let mut list = browser();
    typing(&mut list, "jjd");
    list.set_contents("try.1", contents());
    let mut now = rows();
    now[2].pid = Some(7);
    list.set_rows(now);
    // The question has gone, and its answer with it.
    let said = typing(&mut list, "y");
    assert!(!matches!(said, BrowserEffect::Chosen(_)), "{said:?}");
}

#[test]
fn the_cursor_stays_where_it_was_when_sessions_come_and_go() {
    let mut list = browser();
    typing(&mut list, "jjj");
    // The caller deletes and asks again.
    let mut again = Browser::new(&presets(), list.state);
    let mut left = rows();
    left.remove(3);
    again.set_rows(left.clone());
    assert!(shown(&again).contains("▸ gpu"), "{}", shown(&again));
    left.insert(0, row("aaa", SessionStatus::New, 0.0, "", 1));
    again.set_rows(left);
    assert!(shown(&again).contains("▸ gpu"), "{}", shown(&again));
}

#[test]
fn a_filter_is_typed_kept_and_cleared() {
    let mut list = browser();
    typing(&mut list, "/Try");
    let screen = shown(&list);
    assert!(
        screen.contains("/Try") && screen.contains("try.2"),
        "{screen}"
    );
    assert!(!screen.contains("fashion"), "{screen}");
    // Letters are text here; in the list they are commands again.
    assert_eq!(
        keys(
            &mut list,
            &[KeyCode::Enter, KeyCode::Char('j'), KeyCode::Enter]
        ),
        BrowserEffect::Chosen(BrowserChoice::Open("try.2".into()))
    );
    typing(&mut list, "/zzz");
    let none = shown(&list);
    assert!(
        none.contains("No session has \"Tryzzz\" in its name"),
        "{none}"
    );
    keys(&mut list, &[KeyCode::Esc]);
    let all = shown(&list);
    assert!(
        all.contains("fashion-paper") && all.contains("▸ try.2"),
        "{all}"
    );
}

#[test]
fn an_empty_list_says_how_to_fill_it() {
    let mut list = Browser::new(&presets(), ListState::default());
    assert!(shown(&list).contains("reading the sessions"));
    list.set_rows(Vec::new());
    let screen = shown(&list);
    assert!(
        screen.contains("There is no session yet. Press n"),
        "{screen}"
    );
    for key in ["r", "d", "/", "k"] {
        assert_eq!(typing(&mut list, key), BrowserEffect::None, "{key}");
    }
    assert_eq!(keys(&mut list, &[KeyCode::Enter]), BrowserEffect::None);
}

#[test]
fn a_new_session_has_a_preset_and_a_free_name() {
    let mut list = browser();
    let made = keys(&mut list, &[KeyCode::Char('n'), KeyCode::Enter]);
    let new = |preset: &str, name: &str| {
        BrowserEffect::Chosen(BrowserChoice::New(SessionRequest {
            preset: preset.into(),
            name: name.into(),
            network: None,
            images: None,
            grain: None,
        }))
    };
    assert_eq!(made, new("quickstart", "quickstart"));
    // A name that is taken gets a number.
    assert_eq!(
        keys(&mut list, &[KeyCode::Down, KeyCode::Enter]),
        new("mnist-paper", "mnist-paper-2")
    );
    // A name of one's own stays when the preset changes; what a name cannot have is not taken.
    keys(&mut list, &[KeyCode::Backspace]);
    typing(&mut list, "x/ y\u{202e}Z_");
    assert_eq!(
        keys(&mut list, &[KeyCode::Down, KeyCode::Enter]),
        new("fashion-paper", "mnist-paper-xyZ_")
    );
    let mut taken = browser();
    typing(&mut taken, "n");
    taken.key(&KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
    assert!(shown(&taken).contains("type a name"));
    assert_eq!(keys(&mut taken, &[KeyCode::Enter]), BrowserEffect::None);
    typing(&mut taken, "next");
    assert!(shown(&taken).contains("a session of that name exists"));
    assert_eq!(keys(&mut taken, &[KeyCode::Enter]), BrowserEffect::None);
    typing(&mut taken, &"n".repeat(200));
    assert!(matches!(keys(&mut taken, &[KeyCode::Enter]),
        BrowserEffect::Chosen(BrowserChoice::New(asked)) if asked.name.len() == 100));
}

/// What a few trials at one grain foretell, at 1,000 trials a second.
fn foretold(cell: usize, ratio: f64) -> GrainForecast {
    let points = 784 / (cell * cell);
    grain::forecast((cell, points), 1000, &[ratio; 10], 0.95, 1000.0).unwrap()
}

#[test]
fn a_network_of_ones_own_is_shown_noise_before_a_session_is_made_of_it() {
    let mut list = browser();
    keys(&mut list, &[KeyCode::Char('n'), KeyCode::Tab]);
    typing(&mut list, "~/my net.onnx");
    keys(&mut list, &[KeyCode::Tab]);
    typing(&mut list, "/data/own");
    let screen = shown(&list);
    assert!(screen.contains("look at it first"), "{screen}");
    let asked = SessionRequest {
        preset: "quickstart".into(),
        name: "quickstart".into(),
        network: Some("~/my net.onnx".into()),
        images: Some("/data/own".into()),
        grain: None,
    };
    let outcome = keys(&mut list, &[KeyCode::Enter]);
    assert_eq!(outcome, BrowserEffect::Pilot(asked.clone()));
    assert!(shown(&list).contains("run on noise"), "{}", shown(&list));
    // Nothing is made while it is asked.
    assert_eq!(keys(&mut list, &[KeyCode::Enter]), BrowserEffect::None);
    // What fails is said, and can be tried again.
    list.set_pilot_result(Err("there is no file my net.onnx".into()));
    assert!(
        shown(&list).contains("▲ there is no file"),
        "{}",
        shown(&list)
    );
    let outcome = keys(&mut list, &[KeyCode::Enter]);
    assert_eq!(outcome, BrowserEffect::Pilot(asked.clone()));
    let all = vec![foretold(1, 0.01), foretold(2, 0.1), foretold(4, 1.0)];
    list.set_pilot_result(Ok((all.clone(), 2)));
    golden::golden("browser-pilot-80x24", &drawn(&list, (80, 24), &theme()));
    // The finest grain that is done within ten minutes is chosen; another may be.
    let made = |grain: &GrainForecast| {
        BrowserEffect::Chosen(BrowserChoice::New(SessionRequest {
            grain: Some(grain.clone()),
            ..asked.clone()
        }))
    };
    let mut other = list.clone();
    assert_eq!(keys(&mut other, &[KeyCode::Enter]), made(&all[1]));
    assert_eq!(
        keys(&mut list, &[KeyCode::Down, KeyCode::Down, KeyCode::Enter]),
        made(&all[2])
    );
    // Another network has to be asked anew; an answer that comes too late is not taken for its own.
    keys(&mut other, &[KeyCode::BackTab, KeyCode::Backspace]);
    other.set_pilot_result(Ok((all, 2)));
    assert!(matches!(
        keys(&mut other, &[KeyCode::Enter]),
        BrowserEffect::Pilot(_)
    ));
    assert_eq!(keys(&mut other, &[KeyCode::Esc]), BrowserEffect::NoPilot);
    // A kind is trained first: there is nothing to ask.
    let mut kind = browser();
    keys(&mut kind, &[KeyCode::Char('n'), KeyCode::Tab]);
    typing(&mut kind, "MLP");
    assert!(matches!(
        keys(&mut kind, &[KeyCode::Enter]),
        BrowserEffect::Chosen(BrowserChoice::New(_))
    ));
}

#[test]
fn a_problem_is_said_until_the_next_key() {
    let mut list = ListState::default();
    list.problem = Some("gpu could not be started:\n\x1b[2Jno memory".into());
    let mut list = Browser::new(&presets(), list);
    list.set_rows(rows());
    let screen = shown(&list);
    assert!(
        screen.contains("▲ gpu could not be started: ?[2Jno memory"),
        "{screen}"
    );
    keys(&mut list, &[KeyCode::Down]);
    assert!(!shown(&list).contains("could not"));
}

#[test]
fn no_key_means_two_things_in_one_place_of_the_list() {
    for place in [
        KeyContext::Sessions,
        KeyContext::Filter,
        KeyContext::Form,
        KeyContext::Deleting,
    ] {
        let mut seen = std::collections::HashMap::new();
        for row in action::available_at(TABLE, vec![place, KeyContext::Everywhere]) {
            for key in row.keys {
                let other = seen.insert(*key, row.action);
                assert!(other.is_none(), "{key:?}: {other:?} and {:?}", row.action);
            }
        }
    }
}

#[test]
fn without_unicode_the_list_is_ascii() {
    let theme = Theme::new(Depth::Mono, Background::Dark, false);
    let mut list = browser();
    for keys in ["", "/m", "\u{1}"] {
        typing(&mut list, keys);
        let screen = drawn(&list, (100, 30), &theme);
        assert!(screen.is_ascii(), "{screen}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_keys_on_no_size_make_the_list_panic(
        pressed in prop::collection::vec((keys::any_key(), 0_u16..220, 0_u16..70), 1..40),
        some in 0_usize..8,
    ) {
        let mut list = browser();
        for (at, (key, width, height)) in pressed.into_iter().enumerate() {
            if at % 7 == some {
                list.set_rows(rows().into_iter().take(some).collect());
            }
            list.key(&key);
            drawn(&list, (width, height), &theme());
        }
    }
}

#[test]
fn a_run_is_paused_goes_on_and_is_stopped_from_the_list() {
    let mut list = browser();
    // The first row runs.
    let pause = list.key(&KeyEvent::new(KeyCode::Char('p'), KeyModifiers::NONE));
    assert_eq!(
        pause,
        BrowserEffect::Do(SessionTask::Pause("mnist-paper".into()))
    );
    list.set_result(Ok("mnist-paper pauses after this block".into()));
    assert!(shown(&list).contains("pauses after this block"));
    let mut paused = rows();
    paused[0].standing = SessionStatus::Paused;
    list.set_rows(paused);
    assert!(shown(&list).contains("p go on"), "{}", shown(&list));
    let on = list.key(&KeyEvent::new(KeyCode::Char('p'), KeyModifiers::NONE));
    assert_eq!(
        on,
        BrowserEffect::Do(SessionTask::Continue("mnist-paper".into()))
    );
    // Stopping asks first.
    keys(&mut list, &[KeyCode::Char('S')]);
    assert!(
        shown(&list).contains("Stop mnist-paper?"),
        "{}",
        shown(&list)
    );
    keys(&mut list, &[KeyCode::Esc, KeyCode::Char('S')]);
    let stop = list.key(&KeyEvent::new(KeyCode::Char('s'), KeyModifiers::NONE));
    assert_eq!(
        stop,
        BrowserEffect::Do(SessionTask::Stop("mnist-paper".into()))
    );
    // What does not run is neither paused nor stopped.
    keys(&mut list, &[KeyCode::Down]);
    for key in ['p', 'S'] {
        let event = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        assert_eq!(list.key(&event), BrowserEffect::None, "{key}");
    }
}

#[test]
fn a_session_is_exported_copied_and_extended_from_the_list() {
    let mut list = browser();
    let press =
        |list: &mut Browser, c| list.key(&KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
    assert_eq!(
        press(&mut list, 'e'),
        BrowserEffect::Do(SessionTask::Export("mnist-paper".into()))
    );
    list.program = "noisescope --sessions /s";
    let command = "noisescope --sessions /s attach mnist-paper";
    assert_eq!(press(&mut list, 'y'), BrowserEffect::Copy(command.into()));
    assert!(shown(&list).contains(command));
    let more = BrowserEffect::Chosen(BrowserChoice::Extend("mnist-paper".into()));
    assert_eq!(press(&mut list, '+'), more);
    // Right after, the same of the session below; after another key that session alone.
    assert!(matches!(press(&mut list, 'y'), BrowserEffect::Copy(_)));
    let below = "noisescope --sessions /s attach fashion-paper";
    assert_eq!(press(&mut list, '.'), BrowserEffect::Copy(below.into()));
    keys(&mut list, &[KeyCode::Up]);
    assert_eq!(press(&mut list, '.'), BrowserEffect::Redraw);
    keys(&mut list, &[KeyCode::Home]);
    // A held list stays as it is.
    keys(&mut list, &[KeyCode::Char(' ')]);
    list.set_rows(Vec::new());
    assert!(shown(&list).contains("held") && shown(&list).contains("mnist-paper"));
    keys(&mut list, &[KeyCode::Char(' ')]);
    // What went wrong is told until the next key.
    list.set_result(Err("no space left on device".into()));
    assert!(shown(&list).contains("▲ no space left on device"));
    keys(&mut list, &[KeyCode::Down]);
    assert!(!shown(&list).contains("no space left"));
    // Of a session that has measured nothing there is nothing to write.
    keys(&mut list, &[KeyCode::End]);
    assert_eq!(press(&mut list, 'e'), BrowserEffect::None);
}

#[test]
fn the_list_has_a_palette_of_its_own() {
    let mut list = browser();
    typing(&mut list, ":trashy");
    assert!(
        shown(&list).contains("no command has that"),
        "{}",
        shown(&list)
    );
    keys(&mut list, &[KeyCode::Esc]);
    typing(&mut list, ":delete");
    let screen = shown(&list);
    // A run is at work on the chosen one, so it cannot go.
    assert!(screen.contains("no command has that"), "{screen}");
    keys(&mut list, &[KeyCode::Esc, KeyCode::Down]);
    typing(&mut list, ":delete");
    assert!(shown(&list).contains("▸ delete the session; asks first"));
    keys(&mut list, &[KeyCode::Enter]);
    assert!(
        shown(&list).contains("Delete fashion-paper"),
        "{}",
        shown(&list)
    );
    // By the word of the footer too.
    keys(&mut list, &[KeyCode::Esc]);
    typing(&mut list, ":export");
    assert!(shown(&list).contains("▸ write this figure to a file"));
}

#[test]
fn the_form_says_what_a_preset_does_and_how_long_it_takes_here() {
    let preset = |name: &str, work| Preset {
        name: name.into(),
        about: Some(PresetInfo {
            words: format!("trains cnn for {} epochs on MNIST; attack", name.len()),
            network: "cnn".into(),
            work,
        }),
    };
    let presets = [preset("quickstart", Some(600_000.0)), preset("own", None)];
    let mut list = Browser::new(&presets, ListState::default());
    list.now = NOW;
    list.set_rows(rows());
    assert_eq!(list.next_pace_to_measure(), None, "nobody asks yet");
    keys(&mut list, &[KeyCode::Char('n')]);
    let screen = shown(&list);
    assert!(
        screen.contains("trains cnn for 10 epochs on MNIST; attack"),
        "{screen}"
    );
    assert_eq!(list.next_pace_to_measure().as_deref(), Some("cnn"));
    assert_eq!(list.next_pace_to_measure(), None, "it is measured once");
    assert!(shown(&list).contains("measuring how long"));
    list.set_pace("cnn".into(), Ok(5_000.0));
    let screen = shown(&list);
    assert!(
        screen.contains("work of 600 k trials: about 2 min here"),
        "{screen}"
    );
    // What cannot be known beforehand is not foretold.
    keys(&mut list, &[KeyCode::Down]);
    let screen = shown(&list);
    assert!(
        screen.contains("trains cnn for 3 epochs") && !screen.contains("here"),
        "{screen}"
    );
}
