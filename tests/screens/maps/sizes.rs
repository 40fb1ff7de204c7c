//! Tests of enlarged maps that are lower, wider, smaller or larger than most.

use super::*;

/// Whether a word is followed by another of this kind somewhere on a screen.
fn is_followed(screen: &str, word: &str, by: impl Fn(&str) -> bool) -> bool {
    screen.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut pairs = words.windows(2);
        pairs.any(|pair| pair[0] == word && by(pair[1]))
    })
}

#[test]
fn the_numbers_of_an_enlarged_map_are_in_sight_whatever_its_size() {
    for (height, width) in [
        (2, 2),
        (16, 16),
        (5, 60),
        (3, 100),
        (1, 300),
        (90, 2),
        (100, 100),
    ] {
        let session = coarse::sized(["left", "right"], (height, width));
        for size in SIZES {
            let mut state = showing("Maps", size);
            enlarge(&mut state, true);
            let screen = screen(&session, &state);
            let place = format!("{height}×{width} at {size:?}\n{screen}");
            let cursor = format!("row {}  column {}", height / 2, width / 2);
            assert!(screen.contains(&cursor), "{cursor}, {place}");
            for name in ["value", "z"] {
                let is_number = |word: &str| word.ends_with(|c: char| c.is_ascii_digit());
                assert!(is_followed(&screen, name, is_number), "{name}, {place}");
            }
            // Below a wide map, the lowest screen has no rows for the last numbers.
            if width < 60 || size.1 > 18 {
                for (one, other) in [("1,200", "280"), ("280", "1,200")] {
                    let found = is_followed(&screen, one, |word| word == other);
                    assert!(found, "{one} {other}, {place}");
                }
            }
            // The small maps of all classes are below.
            assert!(size.1 < 40 || screen.contains("right"), "{place}");
        }
    }
}

#[test]
fn an_enlarged_map_larger_than_the_screen_says_that_its_pixels_are_averaged_and_shows_the_cursor() {
    let session = coarse::sized(["left", "right"], (100, 100));
    for (size, words) in [
        ((60, 18), "averaged"),
        ((80, 24), "averaged from 100×100 pixels"),
    ] {
        let mut state = showing("Maps", size);
        enlarge(&mut state, true);
        let screen = text(&draw(&session, &state, &theme()));
        assert!(screen.contains(words), "{screen}");
    }
    let mut state = showing("Maps", (120, 40));
    enlarge(&mut state, true);
    let drawn = |state: &DashboardState| draw(&session, state, &theme());
    let before = drawn(&state);
    let screen = text(&before);
    assert!(screen.contains("averaged from 100×100 pixels"), "{screen}");
    // Square pixels: twice as many columns as rows.
    let in_map = |line: &&str| line.starts_with(" ▀▀▀▀");
    let rows = screen.lines().filter(in_map).count();
    let columns = screen.lines().find(in_map).map_or(0, |line| {
        let map = line.trim_start().chars();
        map.take_while(|c| "▀▄".contains(*c)).count()
    });
    assert!(
        rows > 20 && columns == 2 * rows,
        "{columns} × {rows}\n{screen}"
    );
    // Each step of the cursor is followed, and so visible.
    for _ in 0..4 {
        press(&session, &mut state, &[KeyCode::Left]);
    }
    let after = drawn(&state);
    let cells = before.diff(&after);
    let moved = |(x, y, _): &&(u16, u16, &ratatui::buffer::Cell)| *x <= 66 && *y >= 4 && *y < 38;
    assert!(cells.iter().filter(moved).count() >= 2, "{screen}");
}
