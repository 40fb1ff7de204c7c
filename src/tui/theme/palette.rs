//! Colours of maps: a diverging ramp from blue over grey to orange, and a grey ramp.
//!
//! Both sides of the diverging ramp have the same lightness and chroma at the same distance from
//! zero (in OKLCh), so neither sign looks stronger; blue and orange stay apart for every common
//! kind of colour blindness.

use std::collections::HashMap;

use ratatui::style::Color;

use super::{Background, Depth};
use crate::figure::colour::{oklab, ramp};

/// Steps on each side of zero. Few enough that a map which hardly changes sends hardly a byte.
pub const LEVELS: usize = 32;
/// The same for a slow line.
pub const FEW_LEVELS: usize = 16;

/// Colours of maps at one depth.
#[derive(Debug, Clone)]
pub struct Palette {
    /// An odd number of colours from −1 to +1.
    diverging: Vec<Color>,
    /// Greys from 0 to 1.
    sequential: Vec<Color>,
    /// Where each colour stands in its ramp.
    places: [HashMap<Color, usize>; 2],
}

impl Palette {
    /// The palette for this depth and background.
    pub fn new(depth: Depth, background: Background) -> Self {
        Self::with_levels(depth, background, LEVELS)
    }

    /// The same with so many steps on each side of zero, and as many greys.
    pub fn with_levels(depth: Depth, background: Background, levels: usize) -> Self {
        let share = |level: i32| f64::from(level) / levels as f64;
        let last = levels as i32;
        let of = |ramp: &[Color]| {
            let places = ramp
                .iter()
                .enumerate()
                .map(|(place, colour)| (*colour, place));
            // The first of several places of one colour.
            places.rev().collect::<HashMap<Color, usize>>()
        };
        let diverging: Vec<Color> = (-last..=last)
            .map(|level| diverging(share(level), depth, background))
            .collect();
        let sequential: Vec<Color> = (0..=last)
            .map(|level| sequential(share(level), depth))
            .collect();
        Self {
            places: [of(&diverging), of(&sequential)],
            diverging,
            sequential,
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

    /// How many steps lie between two colours of the same ramp.
    pub fn steps(&self, a: Color, b: Color) -> Option<usize> {
        let between =
            |places: &HashMap<Color, usize>| Some(places.get(&a)?.abs_diff(*places.get(&b)?));
        self.places.iter().find_map(between)
    }
}

fn diverging(t: f64, depth: Depth, background: Background) -> Color {
    let size = t.abs();
    match depth {
        Depth::Mono => Color::Reset,
        Depth::Sixteen => match (size, t > 0.0) {
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

/// The same among xterm's 256, without its first sixteen, which people redefine: picked by eye,
/// because the nearest colours would all be grey near zero.
fn indexed_ramp(t: f64, background: Background) -> u8 {
    let (zero, orange, blue): (u8, [u8; 5], [u8; 5]) = match background {
        Background::Dark => (237, [94, 130, 172, 215, 222], [24, 32, 75, 117, 153]),
        Background::Light => (254, [223, 215, 172, 130, 94], [153, 111, 68, 26, 24]),
    };
    let step = match t.abs() {
        ..0.06 => return zero,
        ..0.2 => 0,
        ..0.4 => 1,
        ..0.6 => 2,
        ..0.8 => 3,
        _ => 4,
    };
    if t > 0.0 { orange[step] } else { blue[step] }
}

/// Whether black or white text reads better on this colour.
pub(super) fn is_bright(colour: Color) -> bool {
    let rgb = match colour {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index) => indexed(index),
        Color::Black | Color::DarkGray | Color::Blue => (64, 64, 64),
        _ => (220, 220, 220),
    };
    oklab(rgb)[0] > 0.62
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
                let [_, a, b] = lab(Palette::new(depth, background).diverging(0.0));
                assert!(a.hypot(b) < 0.01, "{depth:?} {background:?}");
            }
        }
    }

    #[test]
    fn both_signs_are_equally_light_and_of_opposite_hue() {
        for background in [Background::Dark, Background::Light] {
            let palette = Palette::new(Depth::True, background);
            for level in 1..=LEVELS {
                let t = level as f32 / LEVELS as f32;
                let (plus, minus) = (lab(palette.diverging(t)), lab(palette.diverging(-t)));
                assert!((plus[0] - minus[0]).abs() < 0.01, "{t}: {plus:?} {minus:?}");
                // Blue to yellow is the axis that red-green blindness leaves.
                assert!(plus[2] > 0.0 && minus[2] < 0.0, "{t}: {plus:?} {minus:?}");
            }
        }
    }

    #[test]
    fn the_ends_are_far_from_zero_at_every_depth() {
        for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
            for background in [Background::Dark, Background::Light] {
                let palette = Palette::new(depth, background);
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
    fn values_past_the_ends_take_the_ends_and_what_is_no_number_takes_zero() {
        let palette = Palette::new(Depth::True, Background::Dark);
        assert_eq!(palette.diverging(7.0), palette.diverging(1.0));
        assert_eq!(palette.diverging(f32::NAN), palette.diverging(0.0));
        assert_eq!(palette.sequential(-1.0), palette.sequential(0.0));
    }
}
