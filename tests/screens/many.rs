//! Any number of classes, with names, of images in colour.

use super::golden::{golden, without_pixels};
use super::*;

const COUNTS: [usize; 4] = [7, 13, 26, 100];

/// The views that show something of the chosen class.
const OF_CLASSES: [&str; 6] = [
    "Overview",
    "Maps",
    "Attack",
    "Modulation",
    "Backdoor",
    "Predictions",
];

fn looking_at(view: &str, size: (u16, u16), class: usize) -> DashboardState {
    let mut state = at(view, size);
    state.shared.class = class;
    state
}

/// Whether a screen names a class, by its name, by as much of it as has room, or by its number.
fn names(screen: &str, names: &[String], class: usize) -> bool {
    let name = &names[class];
    let words: Vec<&str> = name.split(' ').collect();
    let mut cut = (1..words.len()).map(|n| format!("{}…", words[..n].join(" ")));
    let marked = format!("▸{class}");
    let numbered = screen.match_indices(&marked).any(|(at, _)| {
        let next = screen[at + marked.len()..].chars().next();
        !next.is_some_and(|c| c.is_ascii_digit())
    });
    let target = format!("target {class} ");
    screen.contains(name.as_str())
        || cut.any(|cut| screen.contains(&cut))
        || numbered
        || screen.contains(&target)
}

#[test]
fn the_chosen_class_is_in_sight_in_every_view_at_every_size() {
    for classes in COUNTS {
        let session = coloured::session(classes);
        let all = coloured::names(classes);
        for size in SIZES {
            for view in OF_CLASSES {
                for class in [0, classes / 2, classes - 1] {
                    for closer in [false, true] {
                        let mut state = looking_at(view, size, class);
                        enlarge(&mut state, closer);
                        of::<PredictionsView>(&mut state).closer = closer;
                        let screen = screen(&session, &state);
                        assert!(
                            names(&screen, &all, class),
                            "{view} {size:?} class {class} of {classes}, closer {closer}\n{screen}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn which_of_many_classes_are_in_sight_is_told() {
    let session = coloured::session(100);
    for size in SIZES {
        for view in ["Overview", "Maps", "Modulation", "Backdoor"] {
            let screen = screen(&session, &looking_at(view, size, 40));
            let told = screen.contains("of 100");
            assert!(told, "{view} {size:?}\n{screen}");
        }
    }
}

#[test]
fn a_sheet_of_many_classes_has_more_than_one_column() {
    for classes in COUNTS {
        let session = coloured::session(classes);
        for size in SIZES {
            for view in ["Overview", "Maps"] {
                let mut state = looking_at(view, size, 0);
                press(&session, &mut state, &[KeyCode::Down]);
                let columns = state.shared.class;
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
fn every_kind_of_terminal_shows_colour_sessions() {
    let session = coloured::session(13);
    for depth in [Depth::Mono, Depth::Sixteen, Depth::Indexed, Depth::True] {
        for unicode in [false, true] {
            let theme = Theme::new(depth, Background::Dark, unicode);
            for entry in VIEWS {
                for kind in [MapKind::Image, MapKind::MeanStimulus] {
                    let mut state = looking_at(entry.name, (120, 40), 12);
                    of::<MapsView>(&mut state).kind = kind;
                    let buf = draw(&session, &state, &theme);
                    let foreign = buf.content.iter().any(|cell| !cell.symbol().is_ascii());
                    assert!(unicode || !foreign, "{}", entry.name);
                }
            }
        }
    }
}

#[test]
fn a_mean_stimulus_is_seen_in_its_colours() {
    let session = coloured::session(13);
    let mut state = looking_at("Maps", (120, 40), 0);
    of::<MapsView>(&mut state).kind = MapKind::MeanStimulus;
    let buf = draw(&session, &state, &theme());
    assert!(text(&buf).contains("in colour"));
    let strong = |wanted: usize| {
        buf.content.iter().any(|cell| match cell.fg {
            Color::Rgb(r, g, b) if cell.symbol() == "▀" => {
                let rgb = [r, g, b];
                let other = (0..3).filter(|&at| at != wanted).map(|at| rgb[at]).max();
                rgb[wanted] > 120 && other.is_some_and(|other| other < rgb[wanted] / 2)
            }
            _ => false,
        })
    };
    assert!(strong(0) && strong(1) && strong(2));
}

#[test]
fn a_key_goes_through_what_signed_maps_of_several_channels_show() {
    let session = coloured::session(13);
    let mut state = looking_at("Maps", (120, 40), 0);
    let mut seen = Vec::new();
    for words in [
        "luminance",
        "red less green",
        "blue less yellow",
        "  red",
        "  green",
        "  blue",
        "luminance",
    ] {
        let buf = draw(&session, &state, &theme());
        assert!(text(&buf).contains(words), "{words}\n{}", text(&buf));
        seen.push(styles(&buf));
        press(&session, &mut state, &[KeyCode::Char('o')]);
    }
    assert!(seen[0] == seen[6] && seen[0] != seen[1] && seen[3] != seen[4]);
    // Grey images have one channel, and the key does nothing.
    let mut state = at("Maps", (120, 40));
    let effects = press(&accumulated(), &mut state, &[KeyCode::Char('o')]);
    assert_eq!(effects, [Effect::None]);
}

fn type_in(session: &Session, state: &mut DashboardState, text: &str) {
    let keys: Vec<KeyCode> = text.chars().map(KeyCode::Char).collect();
    press(session, state, &keys);
}

#[test]
fn a_class_is_jumped_to_by_its_number_and_by_its_name() {
    let session = coloured::session(100);
    let mut state = looking_at("Overview", (80, 24), 3);
    type_in(&session, &mut state, "c57");
    assert!(screen(&session, &state).contains("▸57 "));
    press(&session, &mut state, &[KeyCode::Enter]);
    assert_eq!((state.shared.class, state.overlay), (57, Overlay::None));
    // What several names begin with is completed as far as they agree, then to the chosen one.
    type_in(&session, &mut state, "cBLU");
    press(&session, &mut state, &[KeyCode::Tab]);
    assert_eq!(state.jump.typed, "blue ");
    press(&session, &mut state, &[KeyCode::Down, KeyCode::Tab]);
    assert_eq!(state.jump.typed, "blue ankle boot");
    press(&session, &mut state, &[KeyCode::Enter]);
    assert_eq!(state.shared.class, 31);
    // What no class is called goes nowhere; the line closes without a jump.
    type_in(&session, &mut state, "cxyz");
    assert!(screen(&session, &state).contains("no class of that name"));
    press(&session, &mut state, &[KeyCode::Enter]);
    assert_eq!(state.overlay, Overlay::Jump(JumpKind::Class));
    press(&session, &mut state, &[KeyCode::Esc]);
    assert_eq!((state.shared.class, state.overlay), (31, Overlay::None));
}

#[test]
fn a_large_confusion_matrix_has_a_cursor_and_numbers_around_it() {
    let session = coloured::session(100);
    let mut state = looking_at("Predictions", (120, 40), 41);
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
fn many_classes_in_colour_look_as_reviewed() {
    for (classes, size) in [(13, (120, 40)), (100, (80, 24))] {
        let session = coloured::session(classes);
        for view in ["Overview", "Maps", "Predictions"] {
            let screen = screen(&session, &looking_at(view, size, classes / 2));
            let name = format!("{}-{classes}-{}x{}", view.to_lowercase(), size.0, size.1);
            golden(&name, &without_pixels(&screen));
        }
    }
}
