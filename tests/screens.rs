//! What the dashboard shows, at every size class and on every kind of terminal.
//!
//! Screens are drawn into ratatui's test backend and read back as text and as styles. Golden
//! screens stand in `tests/screens/`; `UPDATE_SCREENS=1 cargo test --test screens` writes them
//! anew, to be looked at before they are committed.

#[path = "screens/synthetic.rs"]
#[allow(
    dead_code,
    reason = "shared with whatever else needs a session made up"
)]
mod synthetic;

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use noisescope::link::Command;
use noisescope::session::run::{LogLine, Phase};
use noisescope::session::{self, Session};
use noisescope::tui::action::{self, Action, TABLE};
use noisescope::tui::state::{Engine, MapKind, Overlay, Scale, State};
use noisescope::tui::theme::{Background, Depth, Theme};
use noisescope::tui::update::{Effect, update};
use noisescope::tui::view::{self, Size, VIEWS};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

const SIZES: [(u16, u16); 4] = [(60, 18), (80, 24), (120, 40), (200, 60)];
const NOW: i64 = 1_770_000_000;

fn theme() -> Theme {
    Theme::new(Depth::True, Background::Dark, true)
}

fn state(size: (u16, u16)) -> State {
    let mut state = State::new(Engine::Listens);
    state.now = NOW;
    state.size = Size {
        width: size.0,
        height: size.1,
    };
    state
}

fn at(view: &str, size: (u16, u16)) -> State {
    let mut state = state(size);
    state.view = VIEWS
        .iter()
        .position(|it| it.name == view)
        .expect("a view of that name");
    state
}

fn draw(session: &Session, state: &State, theme: &Theme) -> Buffer {
    let size = state.size;
    let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).expect("a backend");
    let frame = terminal.draw(|frame| {
        let area = frame.area();
        view::draw(session, state, theme, area, frame.buffer_mut());
    });
    frame.expect("it cannot fail").buffer.clone()
}

fn text(buf: &Buffer) -> String {
    let width = usize::from(buf.area.width).max(1);
    let mut text = String::new();
    for row in buf.content.chunks(width) {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn screen(session: &Session, state: &State) -> String {
    text(&draw(session, state, &theme()))
}

/// Every stretch of one style on a row, as `row:from-to fg/bg+modifiers`, default styles left out.
fn styles(buf: &Buffer) -> String {
    let mut dump = String::new();
    for y in 0..buf.area.height {
        let mut x = 0;
        while x < buf.area.width {
            let style = buf[(x, y)].style();
            let from = x;
            while x < buf.area.width && buf[(x, y)].style() == style {
                x += 1;
            }
            let cell = &buf[(from, y)];
            if (cell.fg, cell.bg, cell.modifier) != (Color::Reset, Color::Reset, Modifier::empty())
            {
                dump.push_str(&format!(
                    "{y}:{from}-{} {}/{}{:?}\n",
                    x - 1,
                    cell.fg,
                    cell.bg,
                    cell.modifier
                ));
            }
        }
    }
    dump
}

fn press(session: &Session, state: &mut State, keys: &[KeyCode]) -> Vec<Effect> {
    let press = |key: &KeyCode| {
        let event = KeyEvent::new(*key, KeyModifiers::NONE);
        match action::of_key(&event, state) {
            Some(action) => update(state, action, session, &theme()),
            None => Effect::None,
        }
    };
    keys.iter().map(press).collect()
}

fn accumulated() -> Session {
    synthetic::accumulating([400_000, 400_000, 400_000, 120_000])
}

// ---------------------------------------------------------------------------------------------
// Golden screens

fn golden(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/screens/{name}.txt"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        std::fs::write(&path, actual).expect("the folder of golden screens can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        actual == expected,
        "{name} changed; run with UPDATE_SCREENS=1 and look at the difference. Now:\n{actual}"
    );
}

/// A map's pixels have no place in a golden text: half blocks become one letter.
fn without_pixels(screen: &str) -> String {
    screen.replace('▀', "#")
}

#[test]
fn every_view_at_every_size_looks_as_reviewed() {
    let (training, maps) = (synthetic::in_training(), accumulated());
    for size in SIZES {
        for (name, session) in [
            ("Overview", &maps),
            ("Training", &training),
            ("Maps", &maps),
        ] {
            let screen = without_pixels(&screen(session, &at(name, size)));
            let name = name.to_lowercase();
            golden(&format!("{name}-{}x{}", size.0, size.1), &screen);
        }
        let mut enlarged = at("Maps", size);
        enlarged.enlarged = true;
        let screen = without_pixels(&screen(&maps, &enlarged));
        golden(&format!("enlarged-{}x{}", size.0, size.1), &screen);
    }
}

#[test]
fn help_and_question_look_as_reviewed() {
    let session = accumulated();
    let mut state = state((120, 40));
    state.overlay = Overlay::Help(0);
    golden("help-120x40", &screen(&session, &state));
    state.overlay = Overlay::Leave;
    golden("leave-120x40", &screen(&session, &state));
}

// ---------------------------------------------------------------------------------------------
// What every screen says

#[test]
fn every_size_names_the_run_its_phase_and_its_eta() {
    let session = accumulated();
    for size in SIZES {
        for view in VIEWS {
            let screen = screen(&session, &at(view.name, size));
            let head = screen.lines().next().unwrap_or_default();
            assert!(head.contains("mnist"), "{head}");
            assert!(head.contains("classification images"), "{head}");
            assert!(head.contains("ETA 11 min"), "{head}");
            assert!(screen.lines().nth(1).is_some_and(|l| l.contains(view.name)));
            let foot = screen.lines().last().unwrap_or_default();
            assert!(
                foot.contains("q leave") && foot.contains("? help"),
                "{foot}"
            );
        }
    }
}

#[test]
fn overview_shows_stages_rate_eta_reliability_accuracy_and_the_checkpoints_age() {
    let screen = screen(&accumulated(), &at("Overview", (120, 40)));
    for part in [
        "✓ training",
        "15 epochs",
        "test 99.1 %",
        "best epoch",
        "● classification images  1.32 M / 4.00 M trials",
        "9,860 trials/s   11 min left",
        "reliable, R ≥ 0.95",
        "γ 0.0 0/10 of 400 k",
        "train loss",
        "valid accuracy 99.",
        "flex · 2 workers",
        "checkpoint 12 s ago",
        "up 00:41:07",
        "02:39:48  checkpoint sessions/mnist-paper.ron",
    ] {
        assert!(screen.contains(part), "{part} is not on\n{screen}");
    }
}

#[test]
fn overview_starts_with_the_strongest_signal_that_shows_most_classes() {
    let session = accumulated();
    assert!(screen(&session, &at("Overview", (80, 24))).contains("γ 0.3  120 k trials"));
    // Only γ = 0.1 has trials for every class.
    let early = synthetic::accumulating([400_000, 400_000, 0, 0]);
    assert!(screen(&early, &at("Overview", (80, 24))).contains("γ 0.1  400 k trials"));
}

#[test]
fn overview_shows_the_curves_while_there_are_no_maps() {
    let screen = screen(&synthetic::in_training(), &at("Overview", (120, 40)));
    assert!(
        screen.contains("loss") && screen.contains("best"),
        "{screen}"
    );
    assert!(
        screen.contains("waits for its turn: 4.00 M trials"),
        "{screen}"
    );
    assert!(screen.contains("7 / 15 epochs") && screen.contains("2,140 images/s"));
}

#[test]
fn training_marks_the_best_epoch_and_counts_the_current_one() {
    for size in SIZES {
        let session = synthetic::in_training();
        let screen = screen(&session, &at("Training", size));
        let best = session.record.training.as_ref().and_then(|t| t.best_epoch);
        let best = best.expect("there is one");
        let mark = match size.0 {
            60 => format!("best epoch {best}"),
            _ => format!("best {best}: "),
        };
        for part in [mark.clone(), "8 of 15".into(), "90 of 188".into()] {
            assert!(screen.contains(&part), "{part} is not on\n{screen}");
        }
        assert!(screen.contains("learning rate 0.000453"), "{screen}");
    }
}

#[test]
fn a_session_of_nothing_says_so_everywhere() {
    let mut starting = synthetic::new();
    starting.run = Some(noisescope::session::Run::default());
    for session in [synthetic::new(), starting] {
        for size in SIZES {
            let overview = screen(&session, &at("Overview", size));
            let live = session.run.is_some();
            let says = if live {
                "Reading images"
            } else {
                "Nothing has been measured"
            };
            assert!(overview.contains(says), "{overview}");
            assert!(screen(&session, &at("Training", size)).contains("Training has not begun"));
            let maps = screen(&session, &at("Maps", size));
            assert!(maps.contains("No trials yet"), "{maps}");
            assert!(!maps.contains("R 0"), "{maps}");
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Maps

#[test]
fn maps_tell_count_reliability_and_what_each_is_called_when_fed_back() {
    let screen = screen(&accumulated(), &at("Maps", (120, 40)));
    assert!(screen.contains("▸0 R "), "{screen}");
    assert!(
        screen.contains("k trials") && screen.contains("called 0 72.0 %"),
        "{screen}"
    );
    assert!(screen.contains("▸classification image"), "{screen}");
    assert!(screen.contains("▸0.3"), "{screen}");
}

#[test]
fn where_one_class_takes_every_trial_nothing_is_zero_and_the_way_out_is_named() {
    let session = accumulated();
    for size in SIZES {
        let mut state = at("Maps", size);
        state.gamma = Some(0);
        let all = screen(&session, &state);
        let words = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("every one of 400 k trials was called 8"),
            "{all}"
        );
        assert!(all.contains("Press ]"), "{all}");
        let word = if size.0 < 100 { "no R" } else { "insufficient" };
        assert_eq!(all.matches(word).count(), 10, "{all}");
        // Nine in the sheet, and one more where the chosen class stands beside it.
        assert!(all.matches("never").count() >= 9, "{all}");
        assert!(!all.contains('▀'), "a map is drawn:\n{all}");
        state.enlarged = true;
        state.class = 8;
        let one = screen(&session, &state)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(one.contains("Every trial was called 8"), "{one}");
        state.view = 0;
        assert!(screen(&session, &state).contains("press ]"));
    }
}

#[test]
fn too_few_trials_say_how_many_of_how_many() {
    let few = synthetic::accumulating([0, 300, 0, 0]);
    let mut state = at("Maps", (120, 40));
    state.gamma = Some(1);
    let all = screen(&few, &state);
    assert!(all.contains("too few") && all.contains(" of 30"), "{all}");
    state.enlarged = true;
    let one = screen(&few, &state);
    assert!(one.contains("of the 30 trials needed"), "{one}");
}

#[test]
fn an_enlarged_map_is_a_whole_zoom_of_its_pixels() {
    let session = accumulated();
    for (size, columns) in [
        ((60, 18), 28),
        ((80, 24), 28),
        ((120, 40), 56),
        ((200, 60), 84),
    ] {
        let mut state = at("Maps", size);
        state.enlarged = true;
        let buf = draw(&session, &state, &theme());
        let coloured = |y: u16| {
            (0..buf.area.width)
                .filter(|x| buf[(*x, y)].bg != Color::Reset)
                .count()
        };
        let widest = (3..7).map(coloured).max();
        assert_eq!(widest, Some(columns), "{size:?}");
    }
}

#[test]
fn the_cursor_reads_row_column_value_and_z() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    press(
        &session,
        &mut state,
        &[KeyCode::Enter, KeyCode::Up, KeyCode::Char('h')],
    );
    assert_eq!(state.cursor, (13, 13));
    let screen = screen(&session, &state);
    let images = session
        .record
        .classification_images()
        .expect("they are planned");
    let estimate = images.gammas[3].estimate();
    let z = f64::from(estimate.classes[0].z.as_ref().expect("enough trials")[13 * 28 + 13]);
    assert!(screen.contains("row 13  column 13"), "{screen}");
    assert!(
        screen.contains(&noisescope::tui::format::reading(z)),
        "{z} is not on\n{screen}"
    );
}

#[test]
fn a_pixel_has_the_colour_of_its_value() {
    let session = accumulated();
    let theme = theme();
    let mut state = at("Maps", (80, 24));
    state.enlarged = true;
    state.scale = Scale::Own;
    // Away from the pixels that are looked at.
    state.cursor = (27, 27);
    let buf = draw(&session, &state, &theme);
    let images = session
        .record
        .classification_images()
        .expect("they are planned");
    let estimate = images.gammas[3].estimate();
    let map = estimate.classes[0].image.as_ref().expect("enough trials");
    let most = map.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    let limit = noisescope::tui::widget::scale::round_up(most);
    let top = (0..buf.area.height)
        .find(|y| buf[(1, *y)].symbol() == "▀")
        .expect("the map begins");
    for row in [0_usize, 7, 12] {
        for column in [0_usize, 9, 27] {
            let cell = &buf[(1 + column as u16, top + row as u16 / 2)];
            let colour = if row % 2 == 0 { cell.fg } else { cell.bg };
            assert_eq!(
                colour,
                theme.palette.diverging(map[row * 28 + column] / limit)
            );
        }
    }
}

#[test]
fn classes_share_one_scale_unless_asked() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    assert!(screen(&session, &state).contains("one scale"));
    press(&session, &mut state, &[KeyCode::Char('s')]);
    assert!(screen(&session, &state).contains("each its own scale"));
}

#[test]
fn a_two_by_two_table_adds_up_to_all_trials() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    state.enlarged = true;
    let screen = screen(&session, &state);
    let numbers = |label: &str| -> Vec<u64> {
        let of = |line: &str| -> Vec<u64> {
            let tail = line.split(label).nth(1).unwrap_or("").split_whitespace();
            tail.filter_map(|word| word.replace(',', "").parse().ok())
                .collect()
        };
        let lines = screen.lines().filter(|line| !line.contains("of "));
        lines
            .map(of)
            .find(|numbers| numbers.len() == 2)
            .unwrap_or_default()
    };
    let cells = [numbers("called 0 "), numbers("called other ")].concat();
    assert_eq!(cells.len(), 4, "{screen}");
    let trials = session
        .record
        .classification_images()
        .map(|it| it.gammas[3].trials);
    assert_eq!(Some(cells.iter().sum()), trials);
}

// ---------------------------------------------------------------------------------------------
// Terminals

#[test]
fn without_colour_no_cell_has_one_and_the_sign_still_shows() {
    let session = accumulated();
    for unicode in [true, false] {
        let theme = Theme::new(Depth::Mono, Background::Dark, unicode);
        for view in VIEWS {
            let buf = draw(&session, &at(view.name, (120, 40)), &theme);
            let plain = buf
                .content
                .iter()
                .all(|c| (c.fg, c.bg) == (Color::Reset, Color::Reset));
            assert!(plain, "{}", styles(&buf));
        }
        let maps = text(&draw(&session, &at("Maps", (120, 40)), &theme));
        assert!(maps.contains(theme.glyphs.positive[1]) && maps.contains(theme.glyphs.negative[1]));
    }
}

#[test]
fn without_unicode_every_character_is_ascii() {
    let theme = Theme::new(Depth::Indexed, Background::Dark, false);
    let mut session = accumulated();
    session.name = "müller–π".into();
    for size in SIZES {
        for view in VIEWS {
            for enlarged in [false, true] {
                let mut state = at(view.name, size);
                state.enlarged = enlarged;
                let screen = text(&draw(&session, &state, &theme));
                assert!(screen.is_ascii(), "{screen}");
            }
        }
    }
    let training = draw(&synthetic::in_training(), &at("Training", (80, 24)), &theme);
    assert!(text(&training).is_ascii());
}

#[test]
fn each_depth_uses_its_own_colours_only() {
    let session = accumulated();
    let of_depth = |depth: Depth, colour: Color| match colour {
        Color::Reset => true,
        Color::Rgb(..) => depth == Depth::True,
        Color::Indexed(_) => depth == Depth::Indexed,
        _ => depth == Depth::Sixteen,
    };
    for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
        for background in [Background::Dark, Background::Light] {
            let theme = Theme::new(depth, background, true);
            for view in VIEWS {
                let buf = draw(&session, &at(view.name, (120, 40)), &theme);
                let own =
                    |c: &ratatui::buffer::Cell| of_depth(depth, c.fg) && of_depth(depth, c.bg);
                assert!(buf.content.iter().all(own), "{depth:?}\n{}", styles(&buf));
            }
        }
    }
}

#[test]
fn nothing_blinks_and_only_one_accent_and_one_warning_colour_stand_outside_maps() {
    let mut session = accumulated();
    session.run.as_mut().expect("it runs").problem = Some("no space left on device".into());
    for size in SIZES {
        let buf = draw(&session, &at("Training", size), &theme());
        let dump = styles(&buf);
        assert!(!dump.contains("BLINK"), "{dump}");
        let mut colours: Vec<Color> = buf.content.iter().map(|c| c.fg).collect();
        colours.sort_by_key(|c| c.to_string());
        colours.dedup();
        // Default, dim, accent, warning.
        assert!(colours.len() <= 4, "{colours:?}");
    }
}

#[test]
fn a_problem_stands_in_the_header_of_every_view() {
    let mut session = accumulated();
    let problem = "checkpoint not written: No space left on device";
    session.run.as_mut().expect("it runs").problem = Some(problem.into());
    for size in SIZES {
        for view in VIEWS {
            let screen = screen(&session, &at(view.name, size));
            assert!(
                screen
                    .lines()
                    .nth(1)
                    .is_some_and(|l| l.contains("▲ checkpoint not")),
                "{screen}"
            );
        }
    }
}

#[test]
fn text_from_outside_cannot_steer_the_terminal() {
    let mut session = accumulated();
    session.name = "evil\x1b[2J\u{202e}name\r\n".into();
    let run = session.run.as_mut().expect("it runs");
    run.device = "gpu\x07\x1b]0;title\x07".into();
    run.problem = Some("a\x1b[31mb".into());
    run.log.push(LogLine {
        at: i64::MAX,
        text: "x\x1b[?1049ly\u{200b}\n".into(),
        warning: true,
    });
    for size in SIZES {
        let screen = screen(&session, &at("Overview", size));
        let bad = |c: char| {
            c != '\n'
                && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200b}')
        };
        assert!(!screen.contains(bad), "{screen:?}");
    }
}

#[test]
fn too_small_a_screen_asks_for_more_and_still_leaves() {
    let mut session = accumulated();
    session.run = None;
    for size in [(59, 17), (59, 40), (200, 17), (30, 5)] {
        let mut state = at("Maps", size);
        state.engine = Engine::None;
        let screen = screen(&session, &state);
        assert!(
            screen.contains("60×18") && screen.contains("q leave"),
            "{screen}"
        );
        assert_eq!(
            press(&session, &mut state, &[KeyCode::Char('q')]),
            [Effect::Leave]
        );
    }
}

#[test]
fn no_size_and_no_session_makes_it_panic() {
    let mut failed = accumulated();
    failed.run.as_mut().expect("it runs").phase = Phase::Failed("the device is gone".into());
    let mut bare = synthetic::new();
    bare.config.analyses.clear();
    bare.record.analyses.clear();
    let sessions = [
        synthetic::new(),
        synthetic::in_training(),
        accumulated(),
        failed,
        bare,
    ];
    let sizes = [
        (0, 0),
        (1, 1),
        (59, 17),
        (60, 18),
        (61, 300),
        (400, 19),
        (500, 200),
        (0, 40),
        (40, 0),
    ];
    for session in &sessions {
        for size in sizes {
            for view in VIEWS {
                for overlay in [Overlay::None, Overlay::Help(3), Overlay::Leave] {
                    for enlarged in [false, true] {
                        let mut state = at(view.name, size);
                        (state.overlay, state.enlarged) = (overlay, enlarged);
                        state.class = 99;
                        draw(session, &state, &theme());
                    }
                }
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Keys

#[test]
fn no_key_means_two_things_in_one_place() {
    let session = accumulated();
    for view in VIEWS {
        for enlarged in [false, true] {
            for overlay in [
                Overlay::None,
                Overlay::Help(0),
                Overlay::Leave,
                Overlay::Stop,
            ] {
                let mut state = at(view.name, (80, 24));
                (state.enlarged, state.overlay) = (enlarged, overlay);
                let mut seen = std::collections::HashMap::new();
                for row in action::available(&state) {
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
    let table = action::key_table();
    let mut actions = std::collections::HashSet::new();
    for row in TABLE {
        assert!(actions.insert(row.action), "{:?} stands twice", row.action);
        assert!(!row.keys.is_empty() && !row.help.is_empty() && !row.places.is_empty());
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
    press(
        &session,
        &mut state,
        &[KeyCode::Char('9'), KeyCode::Char('0')],
    );
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
                (state.enlarged, state.class) = (enlarged, 4);
            }
            press(&session, &mut a, &[arrow]);
            press(&session, &mut b, &[KeyCode::Char(letter)]);
            assert_eq!((a.class, a.cursor), (b.class, b.cursor));
        }
    }
}

#[test]
fn classes_and_gammas_are_chosen_in_a_sheet_and_in_an_enlarged_map() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    press(&session, &mut state, &[KeyCode::Left]);
    assert_eq!(state.class, 9);
    press(&session, &mut state, &[KeyCode::Up]);
    assert_eq!(state.class, 4, "five maps stand in a row");
    press(
        &session,
        &mut state,
        &[KeyCode::Enter, KeyCode::Char('.'), KeyCode::Char('[')],
    );
    assert!(state.enlarged);
    assert_eq!((state.class, state.gamma), (5, Some(2)));
    press(&session, &mut state, &[KeyCode::Char(']'); 5]);
    assert_eq!(state.gamma, Some(3), "it ends at the strongest");
    press(&session, &mut state, &[KeyCode::Esc]);
    assert!(!state.enlarged);
    press(&session, &mut state, &[KeyCode::Char('m')]);
    assert_eq!(state.kind, MapKind::Z);
}

#[test]
fn enter_in_the_overview_looks_closer_at_the_class() {
    let session = accumulated();
    let mut state = state((80, 24));
    press(&session, &mut state, &[KeyCode::Right, KeyCode::Enter]);
    assert_eq!(
        (state.view().name, state.enlarged, state.class),
        ("Maps", true, 1)
    );
}

#[test]
fn leaving_a_run_asks_and_stops_or_stays() {
    let session = accumulated();
    let mut state = state((80, 24));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('q')]),
        [Effect::Redraw]
    );
    assert!(screen(&session, &state).contains("Leave mnist-paper?"));
    press(&session, &mut state, &[KeyCode::Esc]);
    assert_eq!(state.overlay, Overlay::None);
    let effects = press(
        &session,
        &mut state,
        &[KeyCode::Char('S'), KeyCode::Char('s')],
    );
    assert_eq!(effects[1], Effect::Say(Command::Stop));
    assert!(state.stop_asked);
}

#[test]
fn a_second_interrupt_does_not_wait_for_the_checkpoint() {
    let session = accumulated();
    let mut state = state((80, 24));
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    state.overlay = Overlay::Help(0);
    let mut press = || {
        let action = action::of_key(&interrupt, &state).expect("it is bound everywhere");
        update(&mut state, action, &session, &theme())
    };
    assert_eq!(press(), Effect::Say(Command::Stop));
    assert_eq!(press(), Effect::Abort);
}

#[test]
fn pause_and_stop_need_an_engine_and_leaving_does_not() {
    let mut session = accumulated();
    session.run = None;
    session.record.state = session::State::Finished;
    let mut state = state((120, 40));
    state.engine = Engine::None;
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
        [Effect::Say(Command::Pause)]
    );
    assert!(screen(&session, &state).contains("p pause"));
    session.run.as_mut().expect("it runs").phase = Phase::Paused(1);
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('p')]),
        [Effect::Say(Command::Continue)]
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

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let named = prop::sample::select(vec![
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::F(5),
    ]);
    let bound: Vec<KeyCode> = "hjkl,.[]msxLpSqn?123c".chars().map(KeyCode::Char).collect();
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
        which in 0_usize..3,
        depth in prop::sample::select(vec![Depth::Mono, Depth::Sixteen, Depth::True]),
        unicode: bool,
    ) {
        thread_local! {
            static SESSIONS: [Session; 3] =
                [synthetic::new(), synthetic::in_training(), synthetic::accumulating([300, 20_000, 0, 600])];
        }
        SESSIONS.with(|sessions| {
            let session = &sessions[which];
            let theme = Theme::new(depth, Background::Dark, unicode);
            let mut state = state((80, 24));
            for (key, width, height) in keys {
                if let Some(action) = action::of_key(&key, &state) {
                    update(&mut state, action, session, &theme);
                }
                state.size = Size { width, height };
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
        Overlay::Leave,
        Overlay::Stop,
    ] {
        let mut state = state((80, 24));
        state.overlay = overlay;
        for (letter, action) in [('c', Action::Interrupt), ('z', Action::Suspend)] {
            let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
            assert_eq!(action::of_key(&key, &state), Some(action));
        }
    }
}
