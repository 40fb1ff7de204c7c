//! Tests of the form for a new session: its preset, its name, the pilot of a user network, and the estimate.

use noisescope::stats::grain::{self, GrainForecast};
use noisescope::tui::browser::{PresetInfo, SessionRequest};

use super::*;

#[test]
fn a_new_session_gets_a_preset_and_an_unused_name() {
    let mut list = browser();
    let made = press_keys(&mut list, &[KeyCode::Char('n'), KeyCode::Enter]);
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
    // If the name is in use, a number is added.
    assert_eq!(
        press_keys(&mut list, &[KeyCode::Down, KeyCode::Enter]),
        new("mnist-paper", "mnist-paper-2")
    );
    // A typed name stays when the preset changes; characters that a name cannot have are dropped.
    press_keys(&mut list, &[KeyCode::Backspace]);
    type_text(&mut list, "x/ y\u{202e}Z_");
    assert_eq!(
        press_keys(&mut list, &[KeyCode::Down, KeyCode::Enter]),
        new("fashion-paper", "mnist-paper-xyZ_")
    );
    let mut used = browser();
    type_text(&mut used, "n");
    used.key(&KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
    assert!(list_text(&used).contains("type a name"));
    assert_eq!(
        press_keys(&mut used, &[KeyCode::Enter]),
        BrowserEffect::None
    );
    type_text(&mut used, "next");
    assert!(list_text(&used).contains("a session of that name exists"));
    assert_eq!(
        press_keys(&mut used, &[KeyCode::Enter]),
        BrowserEffect::None
    );
    type_text(&mut used, &"n".repeat(200));
    assert!(matches!(press_keys(&mut used, &[KeyCode::Enter]),
        BrowserEffect::Chosen(BrowserChoice::New(request)) if request.name.len() == 100));
    // As many letters, but twice as many bytes.
    used.key(&KeyEvent::new(KeyCode::Char('n'), KeyModifiers::NONE));
    used.key(&KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL));
    type_text(&mut used, &"é".repeat(100));
    assert!(list_text(&used).contains("a name has at most 100 bytes"));
}

#[test]
fn the_end_of_a_long_path_is_visible_even_if_its_letters_are_wide() {
    let mut list = browser();
    press_keys(&mut list, &[KeyCode::Char('n'), KeyCode::Tab]);
    type_text(&mut list, &format!("/{}/end.onnx", "網".repeat(60)));
    for size in SIZES {
        let screen = draw_at(&list, size, &theme());
        assert!(screen.contains("/end.onnx▏"), "{screen}");
    }
}

/// The forecast of a few trials at one grain, at 1,000 trials per second.
fn forecast(cell: usize, ratio: f64) -> GrainForecast {
    let points = 784 / (cell * cell);
    grain::forecast((cell, points), (1000, 0), &[ratio; 10], 0.95, 1000.0).unwrap()
}

#[test]
fn a_user_network_is_piloted_on_noise_before_its_session_is_created() {
    let mut list = browser();
    press_keys(&mut list, &[KeyCode::Char('n'), KeyCode::Tab]);
    type_text(&mut list, "~/my net.onnx");
    press_keys(&mut list, &[KeyCode::Tab]);
    type_text(&mut list, "/data/own");
    let screen = list_text(&list);
    assert!(screen.contains("try it first"), "{screen}");
    let request = SessionRequest {
        preset: "quickstart".into(),
        name: "quickstart".into(),
        network: Some("~/my net.onnx".into()),
        images: Some("/data/own".into()),
        grain: None,
    };
    let outcome = press_keys(&mut list, &[KeyCode::Enter]);
    assert_eq!(outcome, BrowserEffect::Pilot(request.clone()));
    assert!(
        list_text(&list).contains("run on noise"),
        "{}",
        list_text(&list)
    );
    // No session is created while the pilot runs.
    assert_eq!(
        press_keys(&mut list, &[KeyCode::Enter]),
        BrowserEffect::None
    );
    // A failure is shown, and the pilot can be repeated.
    list.set_pilot_result(Err("there is no file my net.onnx".into()));
    assert!(
        list_text(&list).contains("▲ there is no file"),
        "{}",
        list_text(&list)
    );
    let outcome = press_keys(&mut list, &[KeyCode::Enter]);
    assert_eq!(outcome, BrowserEffect::Pilot(request.clone()));
    let all = vec![forecast(1, 0.01), forecast(2, 0.1), forecast(4, 1.0)];
    list.set_pilot_result(Ok((all.clone(), 2)));
    golden::golden("browser-pilot-80x24", &draw_at(&list, (80, 24), &theme()));
    // The finest grain done within ten minutes is preselected; another can be selected.
    let made = |grain: &GrainForecast| {
        BrowserEffect::Chosen(BrowserChoice::New(SessionRequest {
            grain: Some(grain.clone()),
            ..request.clone()
        }))
    };
    let mut other = list.clone();
    assert_eq!(press_keys(&mut other, &[KeyCode::Enter]), made(&all[1]));
    assert_eq!(
        press_keys(&mut list, &[KeyCode::Down, KeyCode::Down, KeyCode::Enter]),
        made(&all[2])
    );
    // Another network needs its own pilot; a late result of the first one is ignored.
    press_keys(&mut other, &[KeyCode::BackTab, KeyCode::Backspace]);
    other.set_pilot_result(Ok((all, 2)));
    assert!(matches!(
        press_keys(&mut other, &[KeyCode::Enter]),
        BrowserEffect::Pilot(_)
    ));
    assert_eq!(
        press_keys(&mut other, &[KeyCode::Esc]),
        BrowserEffect::NoPilot
    );
    // A network of a built-in kind is trained first: it has no pilot.
    let mut kind = browser();
    press_keys(&mut kind, &[KeyCode::Char('n'), KeyCode::Tab]);
    type_text(&mut kind, "MLP");
    assert!(matches!(
        press_keys(&mut kind, &[KeyCode::Enter]),
        BrowserEffect::Chosen(BrowserChoice::New(_))
    ));
}

#[test]
fn the_form_describes_a_preset_and_estimates_its_duration() {
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
    assert_eq!(list.next_pace_to_measure(), None, "no form is open");
    press_keys(&mut list, &[KeyCode::Char('n')]);
    let screen = list_text(&list);
    assert!(
        screen.contains("trains cnn for 10 epochs on MNIST; attack"),
        "{screen}"
    );
    assert_eq!(list.next_pace_to_measure().as_deref(), Some("cnn"));
    assert_eq!(
        list.next_pace_to_measure(),
        None,
        "each pace is measured once"
    );
    assert!(list_text(&list).contains("measuring how long"));
    list.set_pace("cnn".into(), Ok(5_000.0));
    let screen = list_text(&list);
    assert!(
        screen.contains("600 k trials: about 2 min here"),
        "{screen}"
    );
    // Without a known amount of work there is no estimate.
    press_keys(&mut list, &[KeyCode::Down]);
    let screen = list_text(&list);
    assert!(
        screen.contains("trains cnn for 3 epochs") && !screen.contains("here"),
        "{screen}"
    );
}

#[test]
fn a_session_that_could_not_be_created_leaves_the_form_as_it_was_filled_in() {
    let mut list = browser();
    press_keys(&mut list, &[KeyCode::Char('n'), KeyCode::Down]);
    type_text(&mut list, "x");
    press_keys(&mut list, &[KeyCode::Tab, KeyCode::Tab]);
    type_text(&mut list, "/data/own");
    let requested = press_keys(&mut list, &[KeyCode::Enter]);
    assert!(matches!(
        requested,
        BrowserEffect::Chosen(BrowserChoice::New(_))
    ));
    let shown_again = |state: ListState| {
        let mut again = Browser::new(&presets(), state);
        again.now = NOW;
        again.set_rows(rows());
        again
    };
    let mut refused = list.state.clone();
    refused.problem = Some("there is no folder /data/own".into());
    let mut form = shown_again(refused.clone());
    for size in SIZES {
        let screen = draw_at(&form, size, &theme());
        for words in ["▲ there is no folder", "mnist-paper-2x", "/data/own▏"] {
            assert!(screen.contains(words), "{words} is missing from\n{screen}");
        }
    }
    assert_eq!(press_keys(&mut form, &[KeyCode::Enter]), requested);
    // It goes to the list if the session was created, whether or not it ran.
    refused.close_form();
    let failed = list_text(&shown_again(refused));
    assert!(
        failed.contains("there is no folder") && !failed.contains("A new session"),
        "{failed}"
    );
    let made = list_text(&shown_again(list.state.clone()));
    assert!(!made.contains("A new session"), "{made}");
}
