//! Tests of deleting sessions from the list, and of which sessions can be resumed or deleted.

use super::*;

#[test]
fn only_resumable_sessions_resume_and_only_idle_ones_are_deleted() {
    let mut list = browser();
    for row in rows() {
        let screen = list_text(&list);
        let unread = row.standing.is_unread();
        let over = row.standing == SessionStatus::Finished || unread;
        let running = row.standing == SessionStatus::Running;
        assert_eq!(screen.contains("r resume"), !over && !running, "{screen}");
        assert_eq!(screen.contains("d delete"), !running, "{screen}");
        let resumed = match over || running {
            true => BrowserEffect::None,
            false => BrowserEffect::Chosen(BrowserChoice::Resume(row.name.clone())),
        };
        assert_eq!(type_text(&mut list, "r"), resumed);
        if running {
            assert_eq!(type_text(&mut list, "d"), BrowserEffect::None);
        } else if !unread {
            let weigh = BrowserEffect::Weigh(row.name.clone());
            assert_eq!(type_text(&mut list, "d"), weigh);
            assert!(list_text(&list).contains(&format!("Delete {}?", row.name)));
            assert_eq!(
                press_keys(&mut list, &[KeyCode::Enter]),
                BrowserEffect::None,
                "Enter does not delete"
            );
            assert_eq!(
                type_text(&mut list, "y"),
                BrowserEffect::None,
                "its contents are not known yet"
            );
            list.set_contents(&row.name, contents());
            type_text(&mut list, "nd");
            list.set_contents(&row.name, contents());
            assert_eq!(
                type_text(&mut list, "y"),
                BrowserEffect::Chosen(BrowserChoice::Delete(row.name.clone()))
            );
            press_keys(&mut list, &[KeyCode::Esc]);
        }
        press_keys(&mut list, &[KeyCode::Down]);
    }
}

#[test]
fn deleting_shows_the_contents_of_the_file_and_its_previous_generation() {
    let mut list = browser();
    type_text(&mut list, "jd");
    assert!(list_text(&list).contains("reading its contents"));
    // The contents of another session are not shown.
    list.set_contents("try.1", truncated_contents());
    assert!(list_text(&list).contains("reading its contents"));
    list.set_contents("fashion-paper", contents());
    let screen = list_text(&list);
    for part in [
        "Its file: 4.00 M trials, a network trained for 15 epochs; saved 2 h ago.",
        "Its previous generation: 3.90 M trials, a network trained for 15 epochs",
        "Both go to the folder trash/",
    ] {
        assert!(screen.contains(part), "{part} is missing from\n{screen}");
    }
    let alone = SessionContents {
        previous: None,
        ..contents()
    };
    list.set_contents("fashion-paper", alone);
    let screen = list_text(&list);
    assert!(screen.contains("It goes to the folder trash/"), "{screen}");
}

#[test]
fn an_unreadable_session_is_deleted_only_after_typing_its_name() {
    for standing in [
        SessionStatus::Damaged("cut".into()),
        SessionStatus::Newer("schema 99".into()),
        SessionStatus::Unreadable("permission denied".into()),
    ] {
        let mut list = Browser::new(&presets(), ListState::default());
        list.now = NOW;
        list.set_rows(vec![row("yes", standing, 0.0, "", 5)]);
        assert_eq!(
            type_text(&mut list, "d"),
            BrowserEffect::Weigh("yes".into())
        );
        list.set_contents("yes", truncated_contents());
        let screen = list_text(&list);
        assert!(screen.contains("Its file cannot be read"), "{screen}");
        assert!(
            screen.contains("Its previous generation: 600 k trials"),
            "{screen}"
        );
        assert_eq!(
            press_keys(&mut list, &[KeyCode::Enter]),
            BrowserEffect::None
        );
        // Every letter is text here, even y.
        assert_eq!(type_text(&mut list, "y"), BrowserEffect::Redraw);
        assert_eq!(
            press_keys(&mut list, &[KeyCode::Enter]),
            BrowserEffect::None
        );
        type_text(&mut list, "ez");
        assert_eq!(
            press_keys(&mut list, &[KeyCode::Enter]),
            BrowserEffect::None
        );
        press_keys(&mut list, &[KeyCode::Backspace]);
        type_text(&mut list, "s");
        assert_eq!(
            press_keys(&mut list, &[KeyCode::Enter]),
            BrowserEffect::Chosen(BrowserChoice::Delete("yes".into()))
        );
    }
}

#[test]
fn a_session_that_starts_while_the_question_is_open_is_not_deleted() {
    let mut list = browser();
    type_text(&mut list, "jjd");
    list.set_contents("try.1", contents());
    let mut now = rows();
    now[2].pid = Some(7);
    list.set_rows(now);
    // The question is gone: y does nothing.
    let effect = type_text(&mut list, "y");
    assert!(!matches!(effect, BrowserEffect::Chosen(_)), "{effect:?}");
}

#[test]
fn the_question_and_the_filter_name_the_users_own_keys() {
    let mine = [
        ("delete-now", ["D".to_owned()]),
        ("keep", ["F2".to_owned()]),
        ("clear-filter", ["F3".to_owned()]),
    ];
    let mine = mine.iter().map(|(name, keys)| (*name, &keys[..]));
    let mut list = browser();
    list.keys = action::with_overrides(mine).expect("no key means two things");
    type_text(&mut list, "jd");
    list.set_contents("fashion-paper", contents());
    let screen = list_text(&list);
    assert!(screen.contains("    D  delete it"), "{screen}");
    assert!(screen.contains("   F2  keep it"), "{screen}");
    press_keys(&mut list, &[KeyCode::F(2)]);
    type_text(&mut list, "/zzz");
    let screen = list_text(&list);
    assert!(screen.contains("F3 shows all."), "{screen}");
}

#[test]
fn a_session_that_turns_out_to_be_unreadable_is_deleted_only_after_typing_its_name() {
    let mut list = browser();
    type_text(&mut list, "jd");
    list.set_contents("fashion-paper", truncated_contents());
    assert!(list_text(&list).contains("Type its name to delete it"));
    assert_eq!(type_text(&mut list, "y"), BrowserEffect::Redraw);
    assert_eq!(
        press_keys(&mut list, &[KeyCode::Enter]),
        BrowserEffect::None
    );
    press_keys(&mut list, &[KeyCode::Backspace]);
    type_text(&mut list, "fashion-paper");
    assert_eq!(
        press_keys(&mut list, &[KeyCode::Enter]),
        BrowserEffect::Chosen(BrowserChoice::Delete("fashion-paper".into()))
    );
}
