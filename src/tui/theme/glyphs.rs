//! The characters that are not letters: one set in Unicode, one in ASCII.

/// The characters that are not letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether the terminal shows Unicode: half blocks for maps, braille for curves.
    pub unicode: bool,
    /// Signal strength.
    pub gamma: &'static str,
    /// Done.
    pub done: &'static str,
    /// At work.
    pub working: &'static str,
    /// Standing still at a person's word.
    pub paused: &'static str,
    /// Waiting for its turn.
    pub waiting: &'static str,
    /// Ended before the plan was done.
    pub stopped: &'static str,
    /// Could not go on.
    pub failed: &'static str,
    /// Before something that needs a person.
    pub warning: &'static str,
    /// Before the chosen one among several.
    pub pointer: &'static str,
    /// Between parts of a line.
    pub dot: &'static str,
    /// The dim rule, and the empty part of a progress bar.
    pub rule: &'static str,
    /// The upright rule.
    pub upright: &'static str,
    /// At least.
    pub at_least: &'static str,
    /// Parts of a progress bar's last cell, from almost nothing to all of it.
    pub bar: &'static [&'static str],
    /// Heights of a spark, from lowest to highest.
    pub spark: &'static [&'static str],
    /// Growing positive values of a map without colour; the first is about zero.
    pub positive: &'static [&'static str],
    /// Growing negative values of a map without colour; the first is about zero.
    pub negative: &'static [&'static str],
    /// Growing greys of a map without colour.
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

    /// For terminals without.
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

/// The nearest ASCII character, one for one, so that nothing else reaches a terminal that shows
/// ASCII only, wherever the text came from.
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
