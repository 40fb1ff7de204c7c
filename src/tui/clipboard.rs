//! The clipboard of the user's own machine, reached through the terminal: OSC 52, which works over ssh.
//!
//! A multiplexer in between keeps such a sequence unless told to pass it on. GNU screen passes on anything
//! wrapped in a DCS. tmux passes on anything wrapped in its own DCS if `allow-passthrough` is on; and
//! whatever `tmux load-buffer -w` loads always reaches the terminal, without any setting.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Maximum bytes of a text: terminals drop anything beyond some 74,000 bytes of base64.
pub const MOST: usize = 50_000;

/// Bytes of a DCS that GNU screen accepts at once.
const PIECE: usize = 700;

/// The multiplexer between this program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplexer {
    /// None.
    Nothing,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

impl Multiplexer {
    /// Detects it from the environment.
    pub fn from_env() -> Self {
        Self::decide(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
    }

    /// The same, given whether a variable is set.
    pub fn decide(is_set: impl Fn(&str) -> bool) -> Self {
        match (is_set("TMUX"), is_set("STY")) {
            (true, _) => Self::Tmux,
            (false, true) => Self::Screen,
            (false, false) => Self::Nothing,
        }
    }
}

/// Puts a text on the clipboard: returns the bytes to send to the terminal and, within tmux, loads its buffer
/// too.
pub fn put(text: String) -> Vec<u8> {
    let between = Multiplexer::from_env();
    let bytes = sequence(&text, between);
    if between == Multiplexer::Tmux {
        through_tmux(text);
    }
    bytes
}

/// The bytes that put a text on the clipboard.
fn sequence(text: &str, between: Multiplexer) -> Vec<u8> {
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    match between {
        Multiplexer::Nothing => plain.into_bytes(),
        // Both: for a tmux that handles it itself, and one that passes it on.
        Multiplexer::Tmux => {
            let doubled = plain.replace('\x1b', "\x1b\x1b");
            format!("{plain}\x1bPtmux;{doubled}\x1b\\").into_bytes()
        }
        Multiplexer::Screen => {
            let pieces = plain.as_bytes().chunks(PIECE);
            let wrapped = pieces.map(|piece| [b"\x1bP", piece, b"\x1b\\"].concat());
            wrapped.collect::<Vec<_>>().concat()
        }
    }
}

/// Has tmux pass a text to its terminal, on a separate thread. If that fails, the bytes of [`sequence`] may
/// still get through.
fn through_tmux(text: String) {
    let run = move || -> std::io::Result<()> {
        let mut child = Command::new("tmux")
            .args(["load-buffer", "-w", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(text.as_bytes())?;
        }
        child.wait().map(|_| ())
    };
    // The user is told that the text was sent to the terminal, which is true either way.
    let _ = thread::Builder::new()
        .name("tmux".into())
        .spawn(move || drop(run()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_to_the_clipboard_in_base64() {
        let bytes = sequence("γ = 0.2", Multiplexer::Nothing);
        assert_eq!(bytes, b"\x1b]52;c;zrMgPSAwLjI=\x07");
    }

    #[test]
    fn tmux_gets_the_text_plain_and_wrapped() {
        let bytes = sequence("a", Multiplexer::Tmux);
        assert_eq!(
            bytes,
            b"\x1b]52;c;YQ==\x07\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\"
        );
    }

    #[test]
    fn screen_gets_the_text_in_pieces_that_it_accepts() {
        let bytes = sequence(&"x".repeat(3000), Multiplexer::Screen);
        let text = String::from_utf8(bytes).unwrap();
        let pieces: Vec<&str> = text.split("\x1b\\").collect();
        assert!(pieces.len() > 5 && pieces.iter().all(|piece| piece.len() <= 2 + PIECE));
        let whole = text.replace("\x1bP", "").replace("\x1b\\", "");
        assert_eq!(
            whole.into_bytes(),
            sequence(&"x".repeat(3000), Multiplexer::Nothing)
        );
    }

    #[test]
    fn the_multiplexer_is_detected_from_the_environment() {
        let of = |set: &'static [&'static str]| Multiplexer::decide(|name| set.contains(&name));
        assert_eq!(of(&[]), Multiplexer::Nothing);
        assert_eq!(of(&["STY"]), Multiplexer::Screen);
        assert_eq!(of(&["STY", "TMUX"]), Multiplexer::Tmux);
    }
}
