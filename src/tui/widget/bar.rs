//! Progress bars and sparklines, as text.

use ratatui::text::Span;

use crate::tui::theme::Theme;

/// A bar of `width` columns, filled to the fraction `share`.
pub fn progress(share: f64, width: u16, theme: &Theme) -> Vec<Span<'static>> {
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let parts = theme.glyphs.bar;
    let full = theme.glyphs.bar[parts.len() - 1];
    let steps = (share * f64::from(width) * parts.len() as f64).floor() as usize;
    let (whole, rest) = (steps / parts.len(), steps % parts.len());
    let mut filled = full.repeat(whole);
    let mut used = whole;
    if rest > 0 {
        filled.push_str(parts[rest - 1]);
        used += 1;
    }
    let empty = theme.glyphs.rule.repeat(usize::from(width) - used);
    vec![
        Span::styled(filled, theme.accent()),
        Span::styled(empty, theme.dim()),
    ]
}

/// The last `width` values as heights between zero and the largest.
pub fn spark(values: &[f32], width: u16, theme: &Theme) -> String {
    let start = values.len().saturating_sub(usize::from(width));
    let values = &values[start..];
    let largest = values.iter().copied().fold(0.0_f32, f32::max);
    between(values, 0.0, largest, theme)
}

/// Values as heights between `low` and `high`.
pub fn between(values: &[f32], low: f32, high: f32, theme: &Theme) -> String {
    let glyphs = theme.glyphs.spark;
    let top = glyphs.len() - 1;
    values
        .iter()
        .map(|value| {
            let share = (value - low) / (high - low);
            let share = if share.is_finite() {
                share.clamp(0.0, 1.0)
            } else {
                0.0
            };
            glyphs[(share * top as f32).round() as usize]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Background, Depth};

    #[test]
    fn a_bar_fills_from_nothing_to_all_of_its_width() {
        let theme = Theme::new(Depth::Mono, Background::Dark, true);
        let text = |share| {
            let spans = progress(share, 4, &theme);
            spans.iter().map(|s| s.content.as_ref()).collect::<String>()
        };
        assert_eq!(text(0.0), "────");
        assert_eq!(text(0.5), "██──");
        assert_eq!(text(0.54), "██▏─");
        assert_eq!(text(1.0), "████");
        assert_eq!(text(f64::NAN), "────");
        assert_eq!(text(7.0), "████");
    }

    #[test]
    fn a_spark_rises_from_zero() {
        let theme = Theme::new(Depth::Mono, Background::Dark, true);
        assert_eq!(spark(&[9.0, 0.0, 5.0, 10.0], 3, &theme), "▁▅█");
        assert_eq!(spark(&[], 3, &theme), "");
        assert_eq!(spark(&[0.0, 0.0], 3, &theme), "▁▁");
    }
}
