//! Every view at every size class on every kind of terminal: characters and colours, as reviewed.
//!
//! A file of `tests/screens/matrix/` has a view at one size. Its characters stand there as they are with
//! Unicode, without colour, and in ASCII; half blocks of maps are `#`. Colours stand below, for each depth and
//! background: the styles of text by letters, each explained once, and one number for the colours of all
//! pixels of maps, which are reviewed in pictures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::Cell;

use super::golden::without_pixels;
use super::*;

/// A kind of terminal.
const KINDS: [(&str, Depth, Background, bool); 6] = [
    ("truecolor", Depth::True, Background::Dark, true),
    ("light", Depth::True, Background::Light, true),
    ("256", Depth::Indexed, Background::Dark, true),
    ("16", Depth::Sixteen, Background::Dark, true),
    ("none", Depth::Mono, Background::Dark, true),
    ("ascii", Depth::Indexed, Background::Dark, false),
];

/// A cell that is a pixel of a map: a half block, or a colour behind a blank or a mark.
fn is_pixel(cell: &Cell) -> bool {
    cell.symbol() == "▀" || cell.symbol() == "▄" || cell.bg != Color::Reset
}

/// The colours of a screen: text by letters, run by run; pixels by a number.
fn colours(buf: &Buffer) -> String {
    let mut letters: BTreeMap<String, char> = BTreeMap::new();
    let mut rows = String::new();
    // FNV-1a over the colours of all pixels in their order.
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
                // Blanks go with the words before them.
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

/// What is compared of a view: characters, and colours below.
fn screens(session: &Session, state: &DashboardState) -> String {
    of_every_kind(|theme| draw(session, state, theme))
}

/// The same of whatever is drawn.
fn of_every_kind(drawn: impl Fn(&Theme) -> Buffer) -> String {
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
            // Colours alone tell these from the first.
            _ => assert_eq!(characters, first, "{name} has other characters"),
        }
        if depth != Depth::Mono {
            let _ = writeln!(all, "== {name}\n{}", colours(&buf));
        }
    }
    all
}

fn golden(name: &str, actual: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens/matrix");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::write(&path, actual).expect("the folder of golden screens can be written");
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
        "{name} changed at line {}; run with UPDATE_SCREENS=1 and look at the difference",
        differs.map_or(0, |line| line + 1)
    );
}

/// Every view with a session that it has something to show of.
fn every_view(size: (u16, u16)) -> Vec<(&'static str, Session, DashboardState)> {
    let (all, heard) = (everything::session(), evidence::heard(100_000));
    let mut views: Vec<(&'static str, Session, DashboardState)> = vec![
        ("overview", accumulated(), at("Overview", size)),
        ("training", synthetic::in_training(), at("Training", size)),
        ("maps", heard.clone(), at("Maps", size)),
        ("attack", all.clone(), at("Attack", size)),
        ("filters", all.clone(), at("Filters", size)),
        ("modulation", all.clone(), at("Modulation", size)),
        ("backdoor", all.clone(), at("Backdoor", size)),
        ("audit", audit::audited(true), at("Audit", size)),
        (
            "predictions",
            experiments::measured(),
            at("Predictions", size),
        ),
        ("shards", shards::divided(), shards::at_shards(size)),
    ];
    let mut closer = at("Maps", size);
    enlarge(&mut closer, true);
    views.push(("map", heard.clone(), closer));
    let mut table = at("Maps", size);
    of::<MapsView>(&mut table).table = true;
    views.push(("table", accumulated(), table));
    let mut unit = at("Filters", size);
    enlarge(&mut unit, true);
    views.push(("unit", all.clone(), unit));
    let mut window = at("Backdoor", size);
    enlarge(&mut window, true);
    window.shared.class = 9;
    views.push(("window", all, window));
    let mut two = at("Overview", size);
    press(&heard, &mut two, &[KeyCode::Char('w')]);
    views.push(("two", heard, two));
    views
}

/// What lies over a view, and the list of sessions.
fn everything_else(size: (u16, u16)) -> Vec<(&'static str, String)> {
    let session = evidence::heard(100_000);
    let over = |keys: &str| {
        let mut state = at("Maps", size);
        enlarge(&mut state, true);
        let keys: Vec<KeyCode> = keys.chars().map(KeyCode::Char).collect();
        press(&session, &mut state, &keys);
        screens(&session, &state)
    };
    let list = |keys: &[KeyCode]| {
        let list = browser::listing(keys);
        of_every_kind(|theme| {
            let area = ratatui::layout::Rect::new(0, 0, size.0, size.1);
            let mut buf = Buffer::empty(area);
            noisescope::tui::browser::draw(&list, theme, area, &mut buf);
            buf
        })
    };
    vec![
        ("copy", over("y")),
        ("note", over("aodd")),
        ("jump", over("c4")),
        ("keys", over("?")),
        ("commands", over(":class")),
        ("stop", over("S")),
        ("sessions", list(&[])),
        ("form", list(&[KeyCode::Char('n')])),
    ]
}

#[test]
fn what_lies_over_views_and_the_list_look_as_reviewed_on_every_terminal() {
    for size in SIZES {
        for (name, screen) in everything_else(size) {
            golden(&format!("{name}-{}x{}", size.0, size.1), &screen);
        }
    }
}

#[test]
fn every_view_at_every_size_on_every_terminal_looks_as_reviewed() {
    for size in SIZES {
        for (name, session, state) in every_view(size) {
            let name = format!("{name}-{}x{}", size.0, size.1);
            golden(&name, &screens(&session, &state));
        }
    }
}
