//! Tests of exporting the figure shown, and of copying its caption, its number and a command line.

use noisescope::figure::Figure;
use noisescope::tui::state::Notice;

use super::*;

/// The class of an exported map.
fn exported_class(effect: &Effect) -> Option<ClassId> {
    match effect {
        Effect::Export(Figure::Map { class, .. }) => Some(*class),
        _ => None,
    }
}

#[test]
fn the_figure_shown_is_exported() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    state.shared.class = ClassId(3);
    assert!(matches!(
        last_effect(&session, &mut state, "e"),
        Effect::Export(Figure::Maps { .. })
    ));
    assert_eq!(
        exported_class(&last_effect(&session, &mut state, "\ne")),
        Some(ClassId(3))
    );
    let mut state = showing("Overview", (120, 40));
    assert!(matches!(
        last_effect(&session, &mut state, "e"),
        Effect::Export(Figure::Maps { .. })
    ));
    // The figure of all classes is the same for the next class: it is not written again.
    assert_eq!(last_effect(&session, &mut state, "."), Effect::Redraw);
    // A view without a figure says so.
    let mut state = showing("Backdoor", (120, 40));
    assert_eq!(last_effect(&session, &mut state, "e"), Effect::Redraw);
    assert!(screen(&session, &state).contains("no figure to write"));
}

#[test]
fn an_action_can_be_repeated_on_the_next_class_only_right_after_it() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    state.shared.class = ClassId(3);
    last_effect(&session, &mut state, "\ne");
    assert_eq!(
        exported_class(&last_effect(&session, &mut state, ".")),
        Some(ClassId(4))
    );
    assert_eq!(
        exported_class(&last_effect(&session, &mut state, ".")),
        Some(ClassId(5))
    );
    // After another key only the class changes.
    assert_eq!(last_effect(&session, &mut state, "m."), Effect::Redraw);
    assert_eq!(state.shared.class, ClassId(6));
}

#[test]
fn caption_command_and_number_are_copied() {
    let session = evidence::with_evidence(100_000);
    let mut state = showing("Maps", (120, 40));
    state.shared.class = ClassId(4);
    press(&session, &mut state, &letters("\ny"));
    let output = screen(&session, &state);
    for words in [
        "c caption",
        "l command line",
        "n number",
        "Evidence image of class 4",
    ] {
        assert!(output.contains(words), "{words}\n{output}");
    }
    let Effect::Copy(caption) = last_effect(&session, &mut state, "c") else {
        panic!("no caption is copied")
    };
    // n, γ, the threshold and the unit.
    for words in [
        "Evidence image of class 4 at γ = 0.0, from 100,000 trials",
        "Reliability R = ",
        "|z| > ",
        "Values in logits per full range of a pixel.",
        "mnist-paper",
    ] {
        assert!(caption.contains(words), "{words}\n{caption}");
    }
    let Effect::Copy(command) = last_effect(&session, &mut state, "yl") else {
        panic!("no command line is copied")
    };
    assert_eq!(
        command,
        "noisescope attach mnist-paper --view maps --class 4 --closer"
    );
    let Effect::Copy(number) = last_effect(&session, &mut state, "yn") else {
        panic!("no number is copied")
    };
    let output = screen(&session, &state);
    let value = output.lines().find(|line| line.contains(" value "));
    assert!(
        value.is_some_and(|line| line.replace('−', "-").contains(&number)),
        "{number}\n{output}"
    );
    // Repeating selects the next class and copies its number.
    assert!(matches!(
        last_effect(&session, &mut state, "."),
        Effect::Copy(_)
    ));
    assert_eq!(state.shared.class, ClassId(5));
    assert_eq!(last_effect(&session, &mut state, "y"), Effect::Redraw);
    press(&session, &mut state, &[KeyCode::Esc]);
    assert_eq!(state.overlay, Overlay::None);
}

#[test]
fn a_program_can_read_a_copied_value() {
    let session = evidence::with_evidence(100_000);
    let mut state = showing("Maps", (120, 40));
    press(&session, &mut state, &letters("\n"));
    let mut effect = last_effect(&session, &mut state, "yn");
    let mut copied = Vec::new();
    while copied.len() < synthetic::CLASSES {
        let Effect::Copy(number) = effect else {
            panic!("no number is copied after {copied:?}")
        };
        copied.push(number.parse::<f64>().unwrap());
        effect = last_effect(&session, &mut state, ".");
    }
    assert!(copied.iter().any(|value| *value < 0.0), "{copied:?}");
}

#[test]
fn the_number_under_the_cursor_is_copied() {
    let session = everything::session();
    for view in ["Predictions", "Attack"] {
        let mut state = showing(view, (120, 40));
        let Effect::Copy(number) = last_effect(&session, &mut state, "yn") else {
            panic!("{view} has no number")
        };
        assert!(
            number.starts_with(|c: char| c.is_ascii_digit()),
            "{view} {number}"
        );
        // A count is copied as it is shown on the screen.
        let output = screen(&session, &state);
        assert!(
            view != "Predictions" || output.contains(&number),
            "{number}\n{output}"
        );
    }
}

#[test]
fn a_figure_that_is_still_being_written_has_no_mark_of_success() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    state.notice = Some(Notice::writing());
    let screen = screen(&session, &state);
    assert!(screen.contains("· writing the figure"), "{screen}");
}
