//! Pictures without colour or without half blocks: a character per cell, chosen by brightness.

use image::RgbImage;

use super::TerminalDisplay;
use crate::drawing::colour::Background;
use crate::tui::theme::Glyphs;

/// The image as text, one character for each pair of pixels, one above the other.
pub fn written(image: &RgbImage, screen: &TerminalDisplay) -> Vec<u8> {
    let glyphs = match screen.unicode {
        true => Glyphs::UNICODE.shades,
        false => Glyphs::ASCII.shades,
    };
    let mut text = String::new();
    for y in (0..image.height()).step_by(2) {
        let mut line = String::new();
        for x in 0..image.width() {
            let below = (y + 1).min(image.height() - 1);
            let light = (brightness(image, x, y) + brightness(image, x, below)) / 2.0;
            let weight = match screen.background {
                Background::Dark => light,
                Background::Light => 1.0 - light,
            };
            let level = (weight * glyphs.len() as f32) as usize;
            line.push_str(glyphs[level.min(glyphs.len() - 1)]);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.into_bytes()
}

fn brightness(image: &RgbImage, x: u32, y: u32) -> f32 {
    let sum: u32 = image.get_pixel(x, y).0.iter().map(|&c| u32::from(c)).sum();
    sum as f32 / 765.0
}
