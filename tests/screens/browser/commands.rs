//! Tests of commands on sessions of the list: pausing, stopping, exporting, copying, extending; its palette.

use noisescope::tui::browser::SessionTask;

use super::*;

#[test]
fn a_run_is_paused_continued_and_stopped_from_the_list() {
    let mut list = browser();
    // The first row runs.
    let pause = list.key(&KeyEvent::new(KeyCode::Char('p'), KeyModifiers::NONE));
    assert_eq!(
        pause,
        BrowserEffect::Do(SessionTask::Pause("mnist-paper".into()))
    );
    list.set_result(Ok("mnist-paper pauses after this block".into()));
    assert!(list_text(&list).contains("pauses after this block"));
    let mut paused = rows();
    paused[0].standing = SessionStatus::Paused;
    list.set_rows(paused);
    assert!(
        list_text(&list).contains("p resume"),
        "{}",
        list_text(&list)
    );
    let go_on = list.key(&KeyEvent::new(KeyCode::Char('p'), KeyModifiers::NONE));
    assert_eq!(
        go_on,
        BrowserEffect::Do(SessionTask::Continue("mnist-paper".into()))
    );
    // Stopping asks for confirmation.
    press_keys(&mut list, &[KeyCode::Char('S')]);
    assert!(
        list_text(&list).contains("Stop mnist-paper?"),
        "{}",
        list_text(&list)
    );
    press_keys(&mut list, &[KeyCode::Esc, KeyCode::Char('S')]);
    let stop = list.key(&KeyEvent::new(KeyCode::Char('s'), KeyModifiers::NONE));
    assert_eq!(
        stop,
        BrowserEffect::Do(SessionTask::Stop("mnist-paper".into()))
    );
    // A session that does not run is neither paused nor stopped.
    press_keys(&mut list, &[KeyCode::Down]);
    for key in ['p', 'S'] {
        let event = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        assert_eq!(list.key(&event), BrowserEffect::None, "{key}");
    }
}

#[test]
fn a_session_is_exported_extended_and_its_command_copied_from_the_list() {
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
    assert!(list_text(&list).contains(command));
    let more = BrowserEffect::Chosen(BrowserChoice::Extend("mnist-paper".into()));
    assert_eq!(press(&mut list, '+'), more);
    // Right after copying, the same for the session below; after another key the cursor only moves.
    assert!(matches!(press(&mut list, 'y'), BrowserEffect::Copy(_)));
    let below = "noisescope --sessions /s attach fashion-paper";
    assert_eq!(press(&mut list, '.'), BrowserEffect::Copy(below.into()));
    press_keys(&mut list, &[KeyCode::Up]);
    assert_eq!(press(&mut list, '.'), BrowserEffect::Redraw);
    press_keys(&mut list, &[KeyCode::Home]);
    // A frozen list does not change.
    press_keys(&mut list, &[KeyCode::Char(' ')]);
    list.set_rows(Vec::new());
    assert!(list_text(&list).contains("held") && list_text(&list).contains("mnist-paper"));
    press_keys(&mut list, &[KeyCode::Char(' ')]);
    // An error is shown until the next key.
    list.set_result(Err("no space left on device".into()));
    assert!(list_text(&list).contains("▲ no space left on device"));
    press_keys(&mut list, &[KeyCode::Down]);
    assert!(!list_text(&list).contains("no space left"));
    // A session without trials has nothing to export.
    press_keys(&mut list, &[KeyCode::End]);
    assert_eq!(press(&mut list, 'e'), BrowserEffect::None);
}

#[test]
fn the_list_has_its_own_palette() {
    let mut list = browser();
    type_text(&mut list, ":trashy");
    assert!(
        list_text(&list).contains("no command matches"),
        "{}",
        list_text(&list)
    );
    press_keys(&mut list, &[KeyCode::Esc]);
    type_text(&mut list, ":delete");
    let screen = list_text(&list);
    // The selected session is running, so it cannot be deleted.
    assert!(screen.contains("no command matches"), "{screen}");
    press_keys(&mut list, &[KeyCode::Esc, KeyCode::Down]);
    type_text(&mut list, ":delete");
    assert!(list_text(&list).contains("▸ delete the session; asks first"));
    press_keys(&mut list, &[KeyCode::Enter]);
    assert!(
        list_text(&list).contains("Delete fashion-paper"),
        "{}",
        list_text(&list)
    );
    // Commands are also found by the footer's words.
    press_keys(&mut list, &[KeyCode::Esc]);
    type_text(&mut list, ":export");
    assert!(list_text(&list).contains("▸ write this figure to a file"));
}

#[test]
fn the_list_of_keys_scrolls_to_its_end_on_a_screen_that_has_shrunk() {
    let mut list = browser();
    list.size = Size {
        width: 200,
        height: 60,
    };
    type_text(&mut list, "?");
    for (width, height) in [(60, 18), (80, 24)] {
        list.size = Size { width, height };
        press_keys(&mut list, &[KeyCode::End]);
        let end = draw_at(&list, (width, height), &theme());
        assert!(end.contains("suspend to the shell"), "{end}");
        assert!(!end.contains("more below"), "{end}");
        // A line of each column may be left free at the end.
        press_keys(&mut list, &[KeyCode::Up; 4]);
        let above = draw_at(&list, (width, height), &theme());
        assert!(above.contains("more below"), "{above}");
    }
}
