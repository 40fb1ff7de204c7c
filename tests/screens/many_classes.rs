//! Tests of sessions with any number of named classes and colour images.

use super::golden::{golden, without_pixels};
use super::*;

const COUNTS: [usize; 4] = [7, 13, 26, 100];

/// The views that show the selected class.
const CLASS_VIEWS: [&str; 6] = [
    "Overview",
    "Maps",
    "Attack",
    "Modulation",
    "Backdoor",
    "Predictions",
];

/// The dashboard with a view open and a class selected.
fn showing_class(view: &str, size: (u16, u16), class: ClassId) -> DashboardState {
    let mut state = showing(view, size);
    state.shared.class = class;
    state
}

/// Whether a screen names a class by its name, by the first words of it, or by its number.
fn names(screen: &str, names: &[String], class: ClassId) -> bool {
    let name = &names[class];
    let words: Vec<&str> = name.split(' ').collect();
    let mut cut = (1..words.len()).map(|n| format!("{}…", words[..n].join(" ")));
    let marked = format!("▸{class}");
    let numbered = screen.match_indices(&marked).any(|(index, _)| {
        let next = screen[index + marked.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_digit())
    });
    let target = format!("target {class} ");
    screen.contains(name.as_str())
        || cut.any(|cut| screen.contains(&cut))
        || numbered
        || screen.contains(&target)
}

#[test]
fn the_selected_class_is_visible_in_every_view_at_every_size() {
    for classes in COUNTS {
        let session = coloured::session(classes);
        let all = coloured::names(classes);
        for size in SIZES {
            for view in CLASS_VIEWS {
                for class in [0, classes / 2, classes - 1].map(ClassId) {
                    for enlarged in [false, true] {
                        let mut state = showing_class(view, size, class);
                        enlarge(&mut state, enlarged);
                        view_state::<PredictionsView>(&mut state).closer = enlarged;
                        let screen = screen(&session, &state);
                        assert!(
                            names(&screen, &all, class),
                            "{view} {size:?} class {class} of {classes}, enlarged {enlarged}\n{screen}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_view_of_many_classes_says_which_are_visible() {
    let session = coloured::session(100);
    for size in SIZES {
        for view in ["Overview", "Maps", "Modulation", "Backdoor"] {
            let screen = screen(&session, &showing_class(view, size, ClassId(40)));
            let counted = screen.contains("of 100");
            assert!(counted, "{view} {size:?}\n{screen}");
        }
    }
}

#[test]
fn a_sheet_of_many_classes_has_more_than_one_column() {
    for classes in COUNTS {
        let session = coloured::session(classes);
        for size in SIZES {
            for view in ["Overview", "Maps"] {
                let mut state = showing_class(view, size, ClassId(0));
                press(&session, &mut state, &[KeyCode::Down]);
                let columns = state.shared.class.0;
                let one_row = columns == 0;
                assert!(
                    columns > 1 || one_row,
                    "{view} {size:?} {classes}: {columns}"
                );
            }
        }
    }
}

#[test]
fn a_colour_session_is_drawn_on_every_kind_of_terminal() {
    let session = coloured::session(13);
    for depth in [Depth::Mono, Depth::Sixteen, Depth::Indexed, Depth::True] {
        for unicode in [false, true] {
            let theme = Theme::new(depth, Background::Dark, unicode);
            for entry in VIEWS {
                for kind in [MapKind::Image, MapKind::MeanStimulus] {
                    let mut state = showing_class(entry.name, (120, 40), ClassId(12));
                    view_state::<MapsView>(&mut state).kind = kind;
                    let buf = draw(&session, &state, &theme);
                    let foreign = buf.content.iter().any(|cell| !cell.symbol().is_ascii());
                    assert!(unicode || !foreign, "{}", entry.name);
                }
            }
        }
    }
}

#[test]
fn a_mean_stimulus_is_shown_in_colour() {
    let session = coloured::session(13);
    let mut state = showing_class("Maps", (120, 40), ClassId(0));
    view_state::<MapsView>(&mut state).kind = MapKind::MeanStimulus;
    let buf = draw(&session, &state, &theme());
    assert!(text(&buf).contains("in colour"));
    let dominates = |channel: usize| {
        buf.content.iter().any(|cell| match cell.fg {
            Color::Rgb(r, g, b) if cell.symbol() == "▀" => {
                let rgb = [r, g, b];
                let other = (0..3).filter(|&c| c != channel).map(|c| rgb[c]).max();
                rgb[channel] > 120 && other.is_some_and(|other| other < rgb[channel] / 2)
            }
            _ => false,
        })
    };
    assert!(dominates(0) && dominates(1) && dominates(2));
}

/// A cue in one colour is hardly seen in the luminance that is shown first.
#[test]
fn the_footer_of_maps_in_colour_offers_the_other_colours() {
    let session = coloured::session(13);
    for enlarged in [false, true] {
        let mut state = showing_class("Maps", (120, 40), ClassId(0));
        enlarge(&mut state, enlarged);
        let screen = screen(&session, &state);
        let footer = screen.lines().last().unwrap_or_default();
        assert!(footer.contains("o colours"), "{footer}");
    }
}

#[test]
fn a_key_cycles_through_the_channels_of_signed_maps() {
    let session = coloured::session(13);
    let mut state = showing_class("Maps", (120, 40), ClassId(0));
    let mut screens = Vec::new();
    for words in [
        "luminance",
        "red–green",
        "blue–yellow",
        "  red",
        "  green",
        "  blue",
        "luminance",
    ] {
        let buf = draw(&session, &state, &theme());
        assert!(text(&buf).contains(words), "{words}\n{}", text(&buf));
        screens.push(styles(&buf));
        press(&session, &mut state, &[KeyCode::Char('o')]);
    }
    assert!(screens[0] == screens[6] && screens[0] != screens[1] && screens[3] != screens[4]);
    // Grey images have one channel: the key does nothing.
    let mut state = showing("Maps", (120, 40));
    let effects = press(&accumulated(), &mut state, &[KeyCode::Char('o')]);
    assert_eq!(effects, [Effect::None]);
}

/// Presses the keys of a text.
fn type_in(session: &Session, state: &mut DashboardState, text: &str) {
    let keys: Vec<KeyCode> = text.chars().map(KeyCode::Char).collect();
    press(session, state, &keys);
}

#[test]
fn jumps_reach_a_class_by_number_and_by_name() {
    let session = coloured::session(100);
    let mut state = showing_class("Overview", (80, 24), ClassId(3));
    type_in(&session, &mut state, "c57");
    assert!(screen(&session, &state).contains("▸57 "));
    press(&session, &mut state, &[KeyCode::Enter]);
    assert_eq!(
        (state.shared.class, state.overlay),
        (ClassId(57), Overlay::None)
    );
    // A prefix of several names is completed as far as they agree, then to the selected name.
    type_in(&session, &mut state, "cBLU");
    press(&session, &mut state, &[KeyCode::Tab]);
    assert_eq!(state.jump.typed, "blue ");
    press(&session, &mut state, &[KeyCode::Down, KeyCode::Tab]);
    assert_eq!(state.jump.typed, "blue ankle boot");
    press(&session, &mut state, &[KeyCode::Enter]);
    assert_eq!(state.shared.class, ClassId(31));
    // A name that no class has leads nowhere; Esc closes the line without a jump.
    type_in(&session, &mut state, "cxyz");
    assert!(screen(&session, &state).contains("no class of that name"));
    press(&session, &mut state, &[KeyCode::Enter]);
    assert_eq!(state.overlay, Overlay::Jump(JumpKind::Class));
    press(&session, &mut state, &[KeyCode::Esc]);
    assert_eq!(
        (state.shared.class, state.overlay),
        (ClassId(31), Overlay::None)
    );
}

#[test]
fn a_large_confusion_matrix_has_a_cursor_and_numbers_around_it() {
    let session = coloured::session(100);
    let mut state = showing_class("Predictions", (120, 40), ClassId(41));
    press(&session, &mut state, &[KeyCode::Up]);
    let whole = screen(&session, &state);
    assert!(whole.contains("true    dark apple"), "{whole}");
    assert!(whole.contains("called  dark ankle boot"), "{whole}");
    assert!(whole.contains("images  7 of 99 (7.1 %)"), "{whole}");
    press(&session, &mut state, &[KeyCode::Enter]);
    let part = screen(&session, &state);
    assert!(part.contains("of 100") && part.contains(" 90 "), "{part}");
    press(&session, &mut state, &[KeyCode::Esc]);
    assert_eq!(screen(&session, &state), whole);
}

#[test]
fn the_part_of_a_confusion_matrix_is_named_by_the_numbers_of_its_classes() {
    let session = coloured::session(100);
    let part = |class: usize| {
        let mut state = showing_class("Predictions", (120, 40), ClassId(class));
        press(&session, &mut state, &[KeyCode::Enter]);
        screen(&session, &state)
    };
    let first = part(0);
    assert!(first.contains("called: classes 0–"), "{first}");
    assert!(first.contains("(true: 0–"), "{first}");
    let last = part(99);
    assert!(last.contains("–99 of 100 (true: "), "{last}");
    assert!(last.contains("–99)"), "{last}");
    // On a narrow screen too, in fewer words: no number is left out of the middle.
    for (classes, names) in [(26, "true"), (100, "true 0–")] {
        let session = coloured::session(classes);
        let mut state = showing_class("Predictions", (80, 24), ClassId(0));
        press(&session, &mut state, &[KeyCode::Enter]);
        let narrow = screen(&session, &state);
        let head = narrow.lines().find(|line| line.contains("recall"));
        let head = head.unwrap_or_default();
        assert!(head.contains("called 0–"), "{narrow}");
        assert!(head.contains(&format!(" of {classes} ")), "{narrow}");
        assert!(head.trim_start().starts_with(names), "{narrow}");
    }
}

#[test]
fn many_colour_classes_match_their_golden_screens() {
    for (classes, size) in [(13, (120, 40)), (100, (80, 24))] {
        let session = coloured::session(classes);
        for view in ["Overview", "Maps", "Predictions"] {
            let screen = screen(&session, &showing_class(view, size, ClassId(classes / 2)));
            let name = format!("{}-{classes}-{}x{}", view.to_lowercase(), size.0, size.1);
            golden(&name, &without_pixels(&screen));
        }
    }
}
