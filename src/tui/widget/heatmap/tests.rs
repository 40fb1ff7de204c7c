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
        for (first, cover) in coverage(from, to) {
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
