//! Tests of the heatmap widget.

use super::*;
use crate::tui::theme::Background;

const RAMP: Ramp = Ramp::Diverging {
    centre: 0.0,
    limit: 2.0,
};

fn map(values: &[f32], size: (usize, usize)) -> Heatmap<'_> {
    Heatmap::plain(values, size, RAMP)
}

fn theme(depth: Depth, unicode: bool) -> Theme {
    Theme::new(depth, Background::Dark, unicode)
}

#[test]
fn a_cell_shows_two_pixels_in_the_colours_of_their_values() {
    let theme = theme(Depth::True, true);
    let mut buf = Buffer::empty(Rect::new(0, 0, 2, 1));
    // The largest value above the smallest, then zero twice.
    map(&[2.0, 0.0, -2.0, 0.0], (2, 2)).draw(buf.area, &theme, &mut buf);
    let (left, right) = (&buf[(0, 0)], &buf[(1, 0)]);
    assert_eq!(left.symbol(), "▀");
    assert_eq!(left.fg, theme.palette.diverging(1.0));
    assert_eq!(left.bg, theme.palette.diverging(-1.0));
    assert_eq!(right.bg, theme.palette.diverging(0.0));
}

#[test]
fn a_smaller_area_shows_averages() {
    let theme = theme(Depth::True, true);
    let mut buf = Buffer::empty(Rect::new(0, 0, 1, 1));
    let values = [2.0, -2.0, 2.0, -2.0, 2.0, 2.0, 2.0, 2.0];
    map(&values, (4, 2)).draw(buf.area, &theme, &mut buf);
    assert_eq!(buf[(0, 0)].fg, theme.palette.diverging(0.0));
    assert_eq!(buf[(0, 0)].bg, theme.palette.diverging(1.0));
}

/// The colours of the half cells of a column, from the top.
fn halves(buf: &Buffer, x: u16) -> Vec<Color> {
    let cells = (0..buf.area.height).map(|y| &buf[(x, y)]);
    cells.flat_map(|cell| [cell.fg, cell.bg]).collect()
}

#[test]
fn pixels_of_an_odd_height_keep_their_own_colours() {
    let values = [2.0, -2.0, 1.0, -1.0, 0.5];
    for zoom in [1, 3] {
        let theme = theme(Depth::True, true);
        let (width, height) = cells((5, 1), zoom);
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        map(&values, (5, 1)).draw(buf.area, &theme, &mut buf);
        let pixels = values.iter().flat_map(|value| {
            let colour = theme.palette.diverging(RAMP.place(*value));
            std::iter::repeat_n(colour, usize::from(zoom))
        });
        // The rest of the last cell shows nothing.
        let whole: Vec<Color> = pixels.chain([Color::Reset]).collect();
        assert_eq!(halves(&buf, 0), whole, "zoom {zoom}");
    }
}

#[test]
fn one_cell_per_two_rows_of_an_odd_height_ends_with_a_single_row() {
    let theme = theme(Depth::True, false);
    let mut buf = Buffer::empty(Rect::new(0, 0, 1, 2));
    map(&[2.0, 0.0, -2.0], (3, 1)).draw(buf.area, &theme, &mut buf);
    assert_eq!(buf[(0, 0)].bg, theme.palette.diverging(0.5));
    assert_eq!(buf[(0, 1)].bg, theme.palette.diverging(-1.0));
}

#[test]
fn the_cursor_is_where_its_pixel_is_shown() {
    let values = [0.0; 35];
    // Five rows of seven pixels: one point each, and averaged to two columns in two cells.
    for (area, cursor, at) in [
        (Rect::new(0, 0, 7, 3), (3, 6), (6, 1, "▄")),
        (Rect::new(0, 0, 7, 3), (4, 2), (2, 2, "▀")),
        (Rect::new(0, 0, 2, 2), (4, 6), (1, 1, "▄")),
        (Rect::new(0, 0, 2, 2), (0, 0), (0, 0, "▀")),
    ] {
        let theme = theme(Depth::True, true);
        let mut buf = Buffer::empty(area);
        let plain = map(&values, (5, 7));
        plain.draw(area, &theme, &mut buf);
        let without = buf.clone();
        let cursor = Some(cursor);
        Heatmap { cursor, ..plain }.draw(area, &theme, &mut buf);
        let marked: Vec<(u16, u16, &str)> = without
            .diff(&buf)
            .into_iter()
            .map(|(x, y, cell)| (x, y, cell.symbol()))
            .collect();
        assert_eq!(marked, [at], "{cursor:?}");
    }
}

#[test]
fn a_map_too_large_for_its_room_is_averaged_in_proportion() {
    for (size, room, expected) in [
        ((28, 28), (60, 30), (56, 28)),
        ((28, 28), (27, 30), (27, 14)),
        ((224, 224), (48, 16), (32, 16)),
        ((224, 224), (30, 60), (30, 15)),
        ((1, 200), (98, 20), (98, 1)),
        // Eight times this many are 2¹⁶ and 2¹⁹.
        ((1, 8_192), (98, 20), (98, 1)),
        ((65_536, 1), (98, 20), (1, 20)),
        ((200, 1), (98, 20), (1, 20)),
        ((5, 5), (0, 0), (1, 1)),
    ] {
        assert_eq!(extent(size, room), expected, "{size:?} in {room:?}");
    }
}

#[test]
fn without_colour_sign_and_size_are_glyphs() {
    for unicode in [true, false] {
        let theme = theme(Depth::Mono, unicode);
        let mut buf = Buffer::empty(Rect::new(0, 0, 3, 1));
        map(&[2.0, 0.0, -2.0, 2.0, 0.0, -2.0], (2, 3)).draw(buf.area, &theme, &mut buf);
        let symbols: Vec<&str> = (0..3).map(|x| buf[(x, 0)].symbol()).collect();
        let (positive, negative) = (theme.glyphs.positive, theme.glyphs.negative);
        assert_eq!(symbols, [positive[4], " ", negative[4]]);
        assert!(
            buf.content
                .iter()
                .all(|c| (c.fg, c.bg) == (Color::Reset, Color::Reset))
        );
    }
}

#[test]
fn only_significant_pixels_are_painted_on_request() {
    let theme = theme(Depth::True, true);
    let mut buf = Buffer::empty(Rect::new(0, 0, 2, 1));
    let z = [9.0, 1.0, 9.0, 1.0];
    let map = Heatmap {
        significance: Some((&z, 4.0)),
        marks: SignificanceMarks::Only,
        ..map(&[2.0, 2.0, 2.0, 2.0], (2, 2))
    };
    map.draw(buf.area, &theme, &mut buf);
    assert_eq!(buf[(0, 0)].bg, theme.palette.diverging(1.0));
    assert_eq!(buf[(1, 0)].bg, theme.palette.diverging(0.0));
}

#[test]
fn significant_pixels_are_outlined_and_the_cursor_is_bracketed() {
    let theme = theme(Depth::True, true);
    let mut buf = Buffer::empty(Rect::new(0, 0, 6, 3));
    let mut z = [0.0; 9];
    z[4] = 5.0;
    let map = Heatmap {
        significance: Some((&z, 4.0)),
        marks: SignificanceMarks::Outline,
        cursor: Some((0, 2)),
        ..map(&[0.0; 9], (3, 3))
    };
    map.draw(buf.area, &theme, &mut buf);
    let row = |y| (0..6).map(|x| buf[(x, y)].symbol()).collect::<String>();
    assert_eq!([row(0), row(1), row(2)], ["▀▀▀▀[]", "▀▀▏▕▀▀", "▀▀▀▀▀▀"]);
}

#[test]
fn ranges_cover_every_pixel_once() {
    for (from, to) in [(28, 14), (28, 11), (28, 28), (28, 56), (28, 5), (3, 7)] {
        let mut covered = vec![0.0_f32; from];
        for (first, cover) in coverage(from, f64::from(to)) {
            for (i, c) in cover.iter().enumerate() {
                covered[first + i] += c;
            }
        }
        assert!(
            covered.iter().all(|c| (c - 1.0).abs() < 1e-3),
            "{from} {to} {covered:?}"
        );
    }
}
