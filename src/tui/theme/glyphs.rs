//! The non-letter characters: one set in Unicode, one in ASCII.

/// The characters that are not letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether the terminal shows Unicode: half blocks for maps, braille for curves.
    pub unicode: bool,
    /// Signal strength γ.
    pub gamma: &'static str,
    /// Done.
    pub done: &'static str,
    /// Working.
    pub working: &'static str,
    /// Paused by the user.
    pub paused: &'static str,
    /// Waiting for its turn.
    pub waiting: &'static str,
    /// Stopped before the plan was done.
    pub stopped: &'static str,
    /// Failed.
    pub failed: &'static str,
    /// Marks something that needs the user's attention.
    pub warning: &'static str,
    /// Marks the chosen item.
    pub pointer: &'static str,
    /// Separates parts of a line.
    pub dot: &'static str,
    /// The dim horizontal rule, and the empty part of a progress bar.
    pub rule: &'static str,
    /// The vertical rule.
    pub upright: &'static str,
    /// Greater than or equal.
    pub at_least: &'static str,
    /// Partial fills of a progress bar's last cell, from almost empty to full.
    pub bar: &'static [&'static str],
    /// Heights of a sparkline, from lowest to highest.
    pub spark: &'static [&'static str],
    /// Increasing positive values of a map without colour; the first is near zero.
    pub positive: &'static [&'static str],
    /// Increasing negative values of a map without colour; the first is near zero.
    pub negative: &'static [&'static str],
    /// Increasing brightness of a map without colour.
    pub shades: &'static [&'static str],
}

impl Glyphs {
    /// For terminals with Unicode.
    pub const UNICODE: Self = Self {
        unicode: true,
        gamma: "γ",
        done: "✓",
        working: "●",
        paused: "‖",
        waiting: "·",
        stopped: "■",
        failed: "✗",
        warning: "▲",
        pointer: "▸",
        dot: "·",
        rule: "─",
        upright: "│",
        at_least: "≥",
        bar: &["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
        spark: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
        positive: &[" ", "░", "▒", "▓", "█"],
        negative: &[" ", "-", "=", "≡", "≣"],
        shades: &[" ", "░", "▒", "▓", "█"],
    };

    /// For terminals without Unicode.
    pub const ASCII: Self = Self {
        unicode: false,
        gamma: "gamma",
        done: "v",
        working: "*",
        paused: "=",
        waiting: ".",
        stopped: "#",
        failed: "x",
        warning: "!",
        pointer: ">",
        dot: "-",
        rule: "-",
        upright: "|",
        at_least: ">=",
        bar: &["#"],
        spark: &["_", ".", "-", "=", "+", "*", "#"],
        positive: &[" ", "+", "*", "#", "@"],
        negative: &[" ", "-", "=", "o", "O"],
        shades: &[" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"],
    };
}

/// The nearest ASCII character, one for one, so that an ASCII-only terminal receives nothing else, whatever
/// the text's origin.
pub fn plain_ascii(symbol: &str) -> &'static str {
    match symbol {
        "γ" => "g",
        "…" | "⋯" => ".",
        "·" | "−" | "–" | "—" | "─" => "-",
        "×" => "x",
        "≥" | "→" | "▸" | "▶" | "›" => ">",
        "≤" | "←" | "‹" => "<",
        "↑" => "^",
        "↓" => "v",
        "✓" | "✔" => "v",
        "“" | "”" | "„" => "\"",
        "‘" | "’" => "'",
        "│" => "|",
        "±" => "~",
        _ => "?",
    }
}
