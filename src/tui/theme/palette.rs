//! Colours of maps: a diverging ramp from blue through grey to orange, and a grey ramp.
//!
//! Both sides of the diverging ramp have the same lightness and chroma at the same distance from zero (in
//! OKLCh), so neither sign looks stronger; blue and orange remain distinguishable with every common kind of
//! colour blindness.

use std::collections::HashMap;

use ratatui::style::Color;

use super::{Background, Depth};
use crate::drawing::colour::{Rgb, oklab, ramp};

/// Steps on each side of zero; few enough that a nearly unchanged map sends hardly any bytes.
pub const LEVELS: usize = 32;
/// The same for a slow line.
pub const FEW_LEVELS: usize = 16;

/// Colours of maps at one depth.
#[derive(Debug, Clone)]
pub struct MapPalette {
    /// An odd number of colours from −1 to +1.
    diverging: Vec<Color>,
    /// Greys from 0 to 1.
    sequential: Vec<Color>,
    depth: Depth,
    /// The index of each colour in its ramp.
    places: [HashMap<Color, usize>; 2],
}

impl MapPalette {
    /// The palette for this depth and background.
    pub fn new(depth: Depth, background: Background) -> Self {
        Self::with_levels(depth, background, LEVELS)
    }

    /// The same with this many steps on each side of zero, and as many greys.
    pub fn with_levels(depth: Depth, background: Background, levels: usize) -> Self {
        let share = |level: i32| f64::from(level) / levels as f64;
        let last = levels as i32;
        let indices = |ramp: &[Color]| {
            let pairs = ramp
                .iter()
                .enumerate()
                .map(|(index, colour)| (*colour, index));
            // Of repeated colours, the first index.
            pairs.rev().collect::<HashMap<Color, usize>>()
        };
        let diverging: Vec<Color> = (-last..=last)
            .map(|level| diverging(share(level), depth, background))
            .collect();
        let sequential: Vec<Color> = (0..=last)
            .map(|level| sequential(share(level), depth))
            .collect();
        Self {
            places: [indices(&diverging), indices(&sequential)],
            diverging,
            sequential,
            depth,
        }
    }

    /// Colour of `t` in \[−1,1\]: blue below zero, grey at zero, orange above.
    pub fn diverging(&self, t: f32) -> Color {
        let t = if t.is_finite() {
            t.clamp(-1.0, 1.0)
        } else {
            0.0
        };
        let levels = (self.diverging.len() / 2) as f32;
        self.diverging[(t * levels + levels).round() as usize]
    }

    /// Grey of `t` in \[0,1\]: black at 0, white at 1.
    pub fn sequential(&self, t: f32) -> Color {
        let t = if t.is_finite() {
            t.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let last = (self.sequential.len() - 1) as f32;
        self.sequential[(t * last).round() as usize]
    }

    /// The nearest available colour to red, green and blue in \[0,1\], quantised to as many steps as there
    /// are greys.
    pub fn mixed(&self, rgb: [f32; 3]) -> Color {
        let last = (self.sequential.len() - 1) as f32;
        let byte = |t: f32| {
            let t = if t.is_finite() { t } else { 0.0 };
            ((t.clamp(0.0, 1.0) * last).round() / last * 255.0).round() as u8
        };
        let [r, g, b] = rgb.map(byte);
        match self.depth {
            Depth::Mono => Color::Reset,
            Depth::Sixteen => nearest_of_sixteen((r, g, b)),
            Depth::Indexed => Color::Indexed(nearest_index((r, g, b))),
            Depth::True => Color::Rgb(r, g, b),
        }
    }

    /// Number of steps between two colours of the same ramp; `None` if they share none.
    pub fn steps(&self, a: Color, b: Color) -> Option<usize> {
        let between =
            |places: &HashMap<Color, usize>| Some(places.get(&a)?.abs_diff(*places.get(&b)?));
        self.places.iter().find_map(between)
    }
}

fn diverging(t: f64, depth: Depth, background: Background) -> Color {
    let magnitude = t.abs();
    match depth {
        Depth::Mono => Color::Reset,
        Depth::Sixteen => match (magnitude, t > 0.0) {
            (..0.12, _) => Color::DarkGray,
            (..0.5, true) => Color::Yellow,
            (_, true) => Color::LightYellow,
            (..0.5, false) => Color::Blue,
            (_, false) => Color::LightBlue,
        },
        Depth::Indexed => Color::Indexed(indexed_ramp(t, background)),
        Depth::True => {
            let (r, g, b) = ramp(t, background);
            Color::Rgb(r, g, b)
        }
    }
}

fn sequential(t: f64, depth: Depth) -> Color {
    let grey = (12.0 + t * 236.0).round() as u8;
    match depth {
        Depth::Mono => Color::Reset,
        Depth::Sixteen => match t {
            ..0.2 => Color::Black,
            ..0.5 => Color::DarkGray,
            ..0.8 => Color::Gray,
            _ => Color::White,
        },
        Depth::Indexed => Color::Indexed(232 + (t * 23.0).round() as u8),
        Depth::True => Color::Rgb(grey, grey, grey),
    }
}

/// The diverging ramp in xterm's 256 colours, without the first sixteen, which users redefine; picked by eye,
/// because the nearest colours would all be grey near zero.
fn indexed_ramp(t: f64, background: Background) -> u8 {
    let (zero, orange, blue): (u8, [u8; 5], [u8; 5]) = match background {
        Background::Dark => (237, [94, 130, 172, 215, 222], [24, 32, 75, 117, 153]),
        Background::Light => (254, [223, 215, 172, 130, 94], [153, 111, 68, 26, 24]),
    };
    // The first colours differ strongly from grey, so values near zero must not use them.
    let step = match t.abs() {
        ..0.12 => return zero,
        ..0.28 => 0,
        ..0.46 => 1,
        ..0.64 => 2,
        ..0.82 => 3,
        _ => 4,
    };
    if t > 0.0 { orange[step] } else { blue[step] }
}

/// Whether black text reads better on this colour than white.
pub(super) fn is_bright(colour: Color) -> bool {
    let rgb = match colour {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index) => indexed(index),
        Color::Black | Color::DarkGray | Color::Blue => (64, 64, 64),
        _ => (220, 220, 220),
    };
    oklab(rgb)[0] > 0.62
}

fn distance(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (oklab(a), oklab(b));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The nearest of the sixteen colours, as most terminals define them.
pub(super) fn nearest_of_sixteen(rgb: Rgb) -> Color {
    const SIXTEEN: [(Color, Rgb); 16] = [
        (Color::Black, (0, 0, 0)),
        (Color::Red, (205, 0, 0)),
        (Color::Green, (0, 205, 0)),
        (Color::Yellow, (205, 205, 0)),
        (Color::Blue, (0, 0, 238)),
        (Color::Magenta, (205, 0, 205)),
        (Color::Cyan, (0, 205, 205)),
        (Color::Gray, (229, 229, 229)),
        (Color::DarkGray, (127, 127, 127)),
        (Color::LightRed, (255, 0, 0)),
        (Color::LightGreen, (0, 255, 0)),
        (Color::LightYellow, (255, 255, 0)),
        (Color::LightBlue, (92, 92, 255)),
        (Color::LightMagenta, (255, 0, 255)),
        (Color::LightCyan, (0, 255, 255)),
        (Color::White, (255, 255, 255)),
    ];
    let to = |candidate: &&(Color, Rgb)| distance(candidate.1, rgb);
    let nearest = SIXTEEN.iter().min_by(|a, b| to(a).total_cmp(&to(b)));
    nearest.map_or(Color::Reset, |candidate| candidate.0)
}

/// The nearest colour in xterm's cube of 216 colours and its 24 greys.
pub(super) fn nearest_index(rgb: Rgb) -> u8 {
    let step = |value: u8| match value {
        ..48 => 0,
        48..115 => 1,
        _ => (value - 35) / 40,
    };
    let cube = 16 + 36 * step(rgb.0) + 6 * step(rgb.1) + step(rgb.2);
    let mean = (u16::from(rgb.0) + u16::from(rgb.1) + u16::from(rgb.2)) / 3;
    let grey = 232 + (mean.saturating_sub(3) / 10).min(23) as u8;
    match distance(indexed(grey), rgb) < distance(indexed(cube), rgb) {
        true => grey,
        false => cube,
    }
}

fn indexed(index: u8) -> (u8, u8, u8) {
    if index >= 232 {
        let grey = 8 + 10 * (index - 232);
        return (grey, grey, grey);
    }
    let index = index.saturating_sub(16);
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let step = |n: u8| STEPS[usize::from(n)];
    (step(index / 36), step(index / 6 % 6), step(index % 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(colour: Color) -> [f64; 3] {
        match colour {
            Color::Rgb(r, g, b) => oklab((r, g, b)),
            Color::Indexed(index) => oklab(indexed(index)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn zero_is_grey_on_dark_and_on_light() {
        for background in [Background::Dark, Background::Light] {
            for depth in [Depth::Indexed, Depth::True] {
                let [_, a, b] = lab(MapPalette::new(depth, background).diverging(0.0));
                assert!(a.hypot(b) < 0.01, "{depth:?} {background:?}");
            }
        }
    }

    #[test]
    fn near_zero_is_grey_where_colours_are_few() {
        for depth in [Depth::Sixteen, Depth::Indexed] {
            for background in [Background::Dark, Background::Light] {
                let palette = MapPalette::new(depth, background);
                for t in [-0.1, -0.05, 0.05, 0.1] {
                    assert_eq!(
                        palette.diverging(t),
                        palette.diverging(0.0),
                        "{depth:?} {t}"
                    );
                }
                for t in [-0.17, 0.17] {
                    assert_ne!(
                        palette.diverging(t),
                        palette.diverging(0.0),
                        "{depth:?} {t}"
                    );
                }
            }
        }
    }

    #[test]
    fn both_signs_are_equally_light_and_of_opposite_hue() {
        for background in [Background::Dark, Background::Light] {
            let palette = MapPalette::new(Depth::True, background);
            for level in 1..=LEVELS {
                let t = level as f32 / LEVELS as f32;
                let (plus, minus) = (lab(palette.diverging(t)), lab(palette.diverging(-t)));
                assert!((plus[0] - minus[0]).abs() < 0.01, "{t}: {plus:?} {minus:?}");
                // Red-green blindness leaves the blue-yellow axis intact.
                assert!(plus[2] > 0.0 && minus[2] < 0.0, "{t}: {plus:?} {minus:?}");
            }
        }
    }

    #[test]
    fn the_ends_are_far_from_zero_at_every_depth() {
        for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
            for background in [Background::Dark, Background::Light] {
                let palette = MapPalette::new(depth, background);
                let (low, zero, high) = (
                    palette.diverging(-1.0),
                    palette.diverging(0.0),
                    palette.diverging(1.0),
                );
                assert!(low != zero && zero != high && low != high, "{depth:?}");
            }
        }
    }

    #[test]
    fn a_mixed_colour_is_the_nearest_available_one() {
        let of = |depth, rgb| MapPalette::new(depth, Background::Dark).mixed(rgb);
        assert_eq!(of(Depth::True, [1.0, 0.5, 0.0]), Color::Rgb(255, 128, 0));
        assert_eq!(of(Depth::Indexed, [1.0, 0.0, 0.0]), Color::Indexed(196));
        assert_eq!(of(Depth::Indexed, [0.3, 0.3, 0.3]), Color::Indexed(239));
        assert_eq!(of(Depth::Sixteen, [0.0, 1.0, 0.0]), Color::LightGreen);
        assert_eq!(of(Depth::Sixteen, [0.0; 3]), Color::Black);
        assert_eq!(of(Depth::Mono, [1.0; 3]), Color::Reset);
        let nan = of(Depth::True, [f32::NAN, 7.0, -1.0]);
        assert_eq!(nan, Color::Rgb(0, 255, 0));
    }

    #[test]
    fn values_past_the_ends_take_the_ends_and_nan_takes_zero() {
        let palette = MapPalette::new(Depth::True, Background::Dark);
        assert_eq!(palette.diverging(7.0), palette.diverging(1.0));
        assert_eq!(palette.diverging(f32::NAN), palette.diverging(0.0));
        assert_eq!(palette.sequential(-1.0), palette.sequential(0.0));
    }
}
