//! Interpretation of typed names in any capitalisation, and yes-or-no questions on a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use super::CommandError;
use crate::session::config::NetworkKind;
use crate::typing::suggestion;

/// Parses the name of a built-in network, in any capitalisation.
///
/// # Errors
/// If there is none; lists the names and suggests the nearest.
pub fn parse_network(typed: &str) -> Result<NetworkKind, String> {
    let wanted = typed.trim().to_lowercase();
    let mut kinds = NetworkKind::ALL.into_iter();
    let found = kinds.find(|kind| kind.label() == wanted);
    found.ok_or_else(|| unknown_network(typed, ""))
}

/// Parses a kind of network: a built-in one, or `onnx` for one from a file.
///
/// # Errors
/// If there is none; lists the kinds and suggests the nearest.
pub fn parse_kind(typed: &str) -> Result<NetworkKind, String> {
    let onnx = NetworkKind::Onnx;
    match typed.trim().eq_ignore_ascii_case(onnx.label()) {
        true => Ok(onnx),
        false => parse_network(typed).map_err(|_| unknown_network(typed, ", onnx (from a file)")),
    }
}

/// An error that lists the built-in networks, and `more`, and suggests the nearest.
fn unknown_network(typed: &str, more: &str) -> String {
    format!(
        "there is no network `{typed}`; the networks are {}{more}{}",
        network_names(),
        suggestion(typed, NetworkKind::ALL.map(NetworkKind::label))
    )
}

/// The names of all built-in networks.
pub fn network_names() -> String {
    NetworkKind::ALL.map(NetworkKind::label).join(", ")
}

/// Asks a question, yes by default; `None` if there is no terminal.
///
/// # Errors
/// If input ends before an answer.
pub fn confirm(question: &str) -> Result<Option<bool>, CommandError> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Ok(None);
    }
    let mut out = io::stdout().lock();
    let mut input = io::stdin().lock();
    loop {
        write!(out, "{question} [Y/n] ").map_err(CommandError::failed)?;
        out.flush().map_err(CommandError::failed)?;
        let mut answer = String::new();
        if input.read_line(&mut answer).map_err(CommandError::failed)? == 0 {
            return Err(CommandError::Usage("no answer; nothing was created".into()));
        }
        match answer.trim().to_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(Some(true)),
            "n" | "no" => return Ok(Some(false)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_names_ignore_case() {
        for typed in ["logistic", "Logistic", " LOGISTIC "] {
            assert_eq!(parse_network(typed), Ok(NetworkKind::Logistic));
        }
        assert_eq!(
            parse_network("logisitc").unwrap_err(),
            "there is no network `logisitc`; the networks are cnn, mlp, logistic, rnn, simple, complex; \
             did you mean logistic?"
        );
        assert!(parse_network("resnet50").unwrap_err().ends_with("complex"));
        // Where a network may come from a file, that is one of the kinds.
        assert_eq!(parse_kind("ONNX"), Ok(NetworkKind::Onnx));
        assert_eq!(parse_kind("mlp"), Ok(NetworkKind::Mlp));
        let error = parse_kind("resnet50").unwrap_err();
        assert!(error.ends_with("complex, onnx (from a file)"), "{error}");
    }
}
