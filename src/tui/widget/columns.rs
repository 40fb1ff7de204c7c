//! Text measured and padded in columns of the terminal: a letter may take two, or none.

use ratatui::text::Span;

/// Columns that a text takes.
pub fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

/// A text with blanks after it, at least this many columns wide.
pub fn pad_end(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(blanks))
}

/// The same with the blanks before it.
pub fn pad_start(text: &str, width: usize) -> String {
    let blanks = width.saturating_sub(columns(text));
    format!("{}{text}", " ".repeat(blanks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_padded_to_columns_whatever_its_letters_take() {
        assert_eq!(pad_end("ab", 4), "ab  ");
        assert_eq!(pad_start("ab", 4), "  ab");
        assert_eq!((columns("猫"), columns("e\u{301}")), (2, 1));
        assert_eq!(pad_end("猫", 4), "猫  ");
        assert_eq!(pad_start("猫", 4), "  猫");
        assert_eq!(pad_start("猫犬", 3), "猫犬");
    }
}
