//! Golden screens of every view at every size class on every kind of terminal: characters and colours.
//!
//! Each file of `tests/screens/matrix/` holds one view at one size. First come its characters with Unicode,
//! without colour, and in ASCII; half blocks of maps are `#`. Colours follow for each depth and background:
//! the styles of text as letters with a legend, and one hash of the colours of all map pixels, which are
//! reviewed in pictures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::Cell;

use super::golden::without_pixels;
use super::*;

/// The kinds of terminal: name, colour depth, background, Unicode.
const KINDS: [(&str, Depth, Background, bool); 6] = [
    ("truecolor", Depth::True, Background::Dark, true),
    ("light", Depth::True, Background::Light, true),
    ("256", Depth::Indexed, Background::Dark, true),
    ("16", Depth::Sixteen, Background::Dark, true),
    ("none", Depth::Mono, Background::Dark, true),
    ("ascii", Depth::Indexed, Background::Dark, false),
];

/// Whether a cell holds map pixels: a half block, or a background colour.
fn is_pixel(cell: &Cell) -> bool {
    cell.symbol() == "▀" || cell.symbol() == "▄" || cell.bg != Color::Reset
}

/// The colours of a screen: runs of text styles as letters, and a hash of the pixels.
fn colours(buf: &Buffer) -> String {
    let mut letters: BTreeMap<String, char> = BTreeMap::new();
    let mut rows = String::new();
    // FNV-1a over the colours of all pixels in order.
    let mut pixels = 0xcbf2_9ce4_8422_2325_u64;
    for (y, row) in buf.content.chunks(usize::from(buf.area.width)).enumerate() {
        let mut runs: Vec<(char, usize)> = Vec::new();
        for cell in row {
            let letter = if is_pixel(cell) {
                for byte in format!("{} {}", cell.fg, cell.bg).bytes() {
                    pixels = (pixels ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
                '#'
            } else if cell.symbol() == " " {
                // Blanks belong to the words before them.
                runs.last().map_or('.', |(last, _)| match last {
                    '#' => '.',
                    last => *last,
                })
            } else if (cell.fg, cell.modifier) == (Color::Reset, Modifier::empty()) {
                '.'
            } else {
                let style = format!("{} {:?}", cell.fg, cell.modifier);
                let next = char::from(b'a' + letters.len() as u8);
                *letters.entry(style).or_insert(next)
            };
            match runs.last_mut() {
                Some((last, count)) if *last == letter => *count += 1,
                _ => runs.push((letter, 1)),
            }
        }
        if runs.iter().any(|(letter, _)| *letter != '.') {
            let _ = write!(rows, "{y:>3}");
            for (letter, count) in runs {
                let _ = write!(rows, " {count}{letter}");
            }
            rows.push('\n');
        }
    }
    let mut text = String::new();
    for (style, letter) in letters {
        let _ = writeln!(text, "{letter}: {style}");
    }
    format!("{text}pixels {pixels:016x}\n{rows}")
}

/// The characters and colours of a view on every kind of terminal.
fn screens(session: &Session, state: &DashboardState) -> String {
    on_every_terminal(|theme| draw(session, state, theme))
}

/// The characters and colours of a drawing on every kind of terminal.
fn on_every_terminal(drawn: impl Fn(&Theme) -> Buffer) -> String {
    let mut all = String::new();
    let mut first = String::new();
    for (name, depth, background, unicode) in KINDS {
        let buf = drawn(&Theme::new(depth, background, unicode));
        let characters = text(&buf);
        let shown = without_pixels(&characters);
        match (name, depth) {
            ("truecolor", _) => {
                let _ = writeln!(all, "== characters\n{shown}");
                first = characters;
            }
            (_, Depth::Mono) => {
                let _ = writeln!(all, "== without colour\n{shown}");
            }
            ("ascii", _) => {
                let _ = writeln!(all, "== ASCII\n{shown}");
            }
            // These differ from the first in colours only.
            _ => assert_eq!(characters, first, "the characters of {name} differ"),
        }
        if depth != Depth::Mono {
            let _ = writeln!(all, "== {name}\n{}", colours(&buf));
        }
    }
    all
}

/// Compares a text with `tests/screens/matrix/{name}.txt`, or writes that file if `UPDATE_SCREENS` is set.
fn golden(name: &str, actual: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens/matrix");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        std::fs::create_dir_all(&folder).expect("the folder can be created");
        std::fs::write(&path, actual).expect("the golden screen can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let differs = expected
        .lines()
        .zip(actual.lines())
        .position(|(a, b)| a != b);
    assert!(
        actual == expected,
        "{name} changed at line {}; run with UPDATE_SCREENS=1 and review the difference",
        differs.map_or(0, |line| line + 1)
    );
}

/// Every view, with a session that it has data of.
fn every_view(size: (u16, u16)) -> Vec<(&'static str, Session, DashboardState)> {
    let (all, evidence) = (everything::session(), evidence::with_evidence(100_000));
    let mut views: Vec<(&'static str, Session, DashboardState)> = vec![
        ("overview", accumulated(), showing("Overview", size)),
        (
            "training",
            synthetic::in_training(),
            showing("Training", size),
        ),
        ("maps", evidence.clone(), showing("Maps", size)),
        ("attack", all.clone(), showing("Attack", size)),
        ("filters", all.clone(), showing("Filters", size)),
        ("modulation", all.clone(), showing("Modulation", size)),
        ("backdoor", all.clone(), showing("Backdoor", size)),
        ("audit", audit::audited(true), showing("Audit", size)),
        (
            "predictions",
            experiments::measured(),
            showing("Predictions", size),
        ),
        ("shards", shards::divided(), shards::showing_shards(size)),
    ];
    let mut enlarged = showing("Maps", size);
    enlarge(&mut enlarged, true);
    views.push(("map", evidence.clone(), enlarged));
    let mut table = showing("Maps", size);
    view_state::<MapsView>(&mut table).table = true;
    views.push(("table", accumulated(), table));
    let mut unit = showing("Filters", size);
    enlarge(&mut unit, true);
    views.push(("unit", all.clone(), unit));
    let mut window = showing("Backdoor", size);
    enlarge(&mut window, true);
    window.shared.class = ClassId(9);
    views.push(("window", all, window));
    let mut two = showing("Overview", size);
    press(&evidence, &mut two, &[KeyCode::Char('w')]);
    views.push(("two", evidence, two));
    views
}

/// The overlays, and the list of sessions.
fn overlays_and_list(size: (u16, u16)) -> Vec<(&'static str, String)> {
    let session = evidence::with_evidence(100_000);
    let overlay = |keys: &str| {
        let mut state = showing("Maps", size);
        enlarge(&mut state, true);
        let keys: Vec<KeyCode> = keys.chars().map(KeyCode::Char).collect();
        press(&session, &mut state, &keys);
        screens(&session, &state)
    };
    let list = |keys: &[KeyCode]| {
        let list = browser::listing(keys);
        on_every_terminal(|theme| {
            let area = ratatui::layout::Rect::new(0, 0, size.0, size.1);
            let mut buf = Buffer::empty(area);
            noisescope::tui::browser::draw(&list, theme, area, &mut buf);
            buf
        })
    };
    vec![
        ("copy", overlay("y")),
        ("note", overlay("aodd")),
        ("jump", overlay("c4")),
        ("keys", overlay("?")),
        ("commands", overlay(":class")),
        ("stop", overlay("S")),
        ("sessions", list(&[])),
        ("form", list(&[KeyCode::Char('n')])),
    ]
}

#[test]
fn overlays_and_the_list_match_their_golden_screens_on_every_terminal() {
    for size in SIZES {
        for (name, screen) in overlays_and_list(size) {
            golden(&format!("{name}-{}x{}", size.0, size.1), &screen);
        }
    }
}

#[test]
fn every_view_at_every_size_on_every_terminal_matches_its_golden_screen() {
    for size in SIZES {
        for (name, session, state) in every_view(size) {
            let name = format!("{name}-{}x{}", size.0, size.1);
            golden(&name, &screens(&session, &state));
        }
    }
}
