//! The views of filters, modulation and backdoors, and the picture that a key shows.

use super::golden::{golden, without_pixels};
use super::*;

fn session() -> Session {
    everything::session()
}

fn seen(view: &str, size: (u16, u16), change: impl FnOnce(&mut DashboardState)) -> String {
    let mut state = at(view, size);
    change(&mut state);
    screen(&session(), &state)
}

#[test]
fn filters_modulation_and_backdoor_look_as_reviewed_at_every_size() {
    let session = session();
    for size in SIZES {
        for (name, view, class) in [
            ("filters", "Filters", 0),
            ("modulation", "Modulation", 3),
            ("backdoor", "Backdoor", 9),
        ] {
            let mut state = at(view, size);
            state.shared.class = class;
            let screen = without_pixels(&screen(&session, &state));
            golden(&format!("{name}-{}x{}", size.0, size.1), &screen);
        }
    }
}

#[test]
fn one_unit_and_one_z_map_fill_the_view_as_reviewed() {
    let session = session();
    for (name, view) in [("unit", "Filters"), ("window", "Backdoor")] {
        let mut state = at(view, (120, 40));
        enlarge(&mut state, true);
        state.shared.class = 9;
        of::<FiltersView>(&mut state).unit = 3;
        golden(
            &format!("{name}-120x40"),
            &without_pixels(&screen(&session, &state)),
        );
    }
}

#[test]
fn nothing_is_lost_without_colour_and_without_unicode() {
    let session = session();
    for view in ["Filters", "Modulation", "Backdoor"] {
        for unicode in [true, false] {
            let mono = Theme::new(Depth::Mono, Background::Dark, unicode);
            let buf = draw(&session, &at(view, (120, 40)), &mono);
            for cell in &buf.content {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{view}");
                assert!(
                    unicode || cell.symbol().is_ascii(),
                    "{view} {:?}",
                    cell.symbol()
                );
            }
        }
    }
}

#[test]
fn a_silent_unit_says_so() {
    let screen = seen("Filters", (120, 40), |state| {
        of::<FiltersView>(state).unit = 6
    });
    assert!(
        screen.contains("Silent: no noise ever made it fire"),
        "{screen}"
    );
    assert!(screen.contains("2 silent"), "{screen}");
}

#[test]
fn a_unit_shows_its_average_its_kernel_and_how_they_agree() {
    let screen = seen("Filters", (120, 40), |state| {
        of::<FiltersView>(state).unit = 2
    });
    for part in [
        "unit 2 of 20, conv1",
        "average on noise",
        "kernel r",
        "gradient r",
        "reliability",
    ] {
        assert!(screen.contains(part), "{part} is not on\n{screen}");
    }
    let images = seen("Filters", (120, 40), |state| {
        of::<FiltersView>(state).stimuli = Stimuli::Images;
    });
    assert!(images.contains("not whitened") && images.contains("average on images"));
}

#[test]
fn filters_of_many_units_keep_the_chosen_one_in_sight() {
    for unit in [0, 30, 59] {
        let screen = seen("Filters", (80, 24), |state| {
            let own = of::<FiltersView>(state);
            (own.layer, own.unit) = (Some(2), unit);
        });
        assert!(screen.contains(&format!("▸{unit}")), "{unit}\n{screen}");
    }
}

#[test]
fn keys_go_through_units_layers_and_stimuli() {
    let session = session();
    let mut state = at("Filters", (120, 40));
    press(
        &session,
        &mut state,
        &[KeyCode::Right, KeyCode::Right, KeyCode::Down],
    );
    let own = of::<FiltersView>(&mut state);
    assert_eq!((own.layer, own.unit), (Some(1), 0));
    press(
        &session,
        &mut state,
        &[KeyCode::Right, KeyCode::PageDown, KeyCode::Char('n')],
    );
    assert!(of::<FiltersView>(&mut state).unit > 1);
    assert!(screen(&session, &state).contains("▸training images"));
    press(&session, &mut state, &[KeyCode::Enter]);
    assert!(of::<FiltersView>(&mut state).enlarged);
    assert!(screen(&session, &state).contains("of 50, conv2"));
}

#[test]
fn modulation_says_by_how_much_a_push_changes_every_class() {
    let strongest = seen("Modulation", (120, 40), |state| {
        state.shared.class = 3;
        of::<ModulationView>(state).layer = Some(1);
    });
    assert!(strongest.contains("strength −10") && strongest.contains("▸class 3"));
    let none = seen("Modulation", (120, 40), |state| {
        let own = of::<ModulationView>(state);
        (own.layer, own.strength) = (Some(1), Some(10));
    });
    assert!(none.contains("no push"), "{none}");
    let row = none
        .lines()
        .find(|line| line.contains("class 3 "))
        .unwrap_or_default();
    assert!(!row.contains('+') && !row.contains('−'), "{row}");
}

#[test]
fn a_backdoor_is_named_with_its_window_and_its_index() {
    let seen = |suspect, finding| {
        seen("Backdoor", (120, 40), |state| {
            state.shared.class = 9;
            let own = of::<BackdoorView>(state);
            (own.suspect, own.finding) = (suspect, finding);
        })
    };
    let poisoned = seen(0, 1);
    let sentence = "class 9 reacts to a patch at rows 1–6, columns 21–26: index 8.1";
    assert!(poisoned.contains(sentence), "{poisoned}");
    let clean = seen(2, 1);
    assert!(clean.contains("no class stands out"), "{clean}");
    let blind = seen(2, 0);
    assert!(
        blind.contains("No conclusion at γ 0.0: every one of 300 k trials was called 8"),
        "{blind}"
    );
    assert!(
        poisoned.contains("area under the ROC curve 1.00"),
        "{poisoned}"
    );
}

#[test]
fn the_picture_is_offered_where_the_session_has_one() {
    let session = session();
    for (view, there) in [
        ("Overview", true),
        ("Training", true),
        ("Maps", true),
        ("Attack", true),
        ("Filters", true),
        ("Modulation", true),
        ("Backdoor", true),
        ("Predictions", true),
    ] {
        let mut state = at(view, (120, 40));
        let effect = press(&session, &mut state, &[KeyCode::Char('i')]);
        let expected = if there { Effect::Show } else { Effect::None };
        assert_eq!(effect, [expected], "{view}");
        // The footer has room for all that it says, and the palette says it anywhere.
        let wide = at(view, (200, 60));
        let offered = screen(&session, &wide).contains("i picture");
        assert_eq!(offered, there, "{view}");
        let commands = possible::fitting("picture at full", &state, &session);
        assert_eq!(!commands.is_empty(), there, "{view}");
        let mut state = at(view, (120, 40));
        let effect = press(&synthetic::new(), &mut state, &[KeyCode::Char('i')]);
        assert_eq!(effect, [Effect::None], "{view}");
    }
}
