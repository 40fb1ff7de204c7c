//! Interpretation of typed names: any capitalisation, suggestions for typing errors, and yes-or-no questions
//! on a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use super::CommandError;
use crate::session::config::NetworkKind;

/// Most single-letter edits that count as a typing error.
const MAX_TYPOS: usize = 2;

/// The name that was probably meant: one or two letters differ, or the same letters are in another order.
/// The nearest; the first of several equally near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.trim().to_lowercase();
    let slips = known.into_iter().filter_map(|name| {
        let lower = name.to_lowercase();
        let distance = strsim::osa_distance(&typed, &lower);
        // Short names are close to everything.
        let most = MAX_TYPOS.min(lower.chars().count().div_ceil(4));
        (distance <= most || letters(&typed) == letters(&lower)).then_some((distance, name))
    });
    slips
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}

/// `; did you mean …?`, or nothing.
pub fn suggestion<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(typed, known);
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// Parses the name of a built-in network, in any capitalisation.
///
/// # Errors
/// If there is none; lists the names and suggests the nearest.
pub fn parse_network(typed: &str) -> Result<NetworkKind, String> {
    let wanted = typed.trim().to_lowercase();
    let mut kinds = NetworkKind::ALL.into_iter();
    kinds.find(|kind| kind.label() == wanted).ok_or_else(|| {
        format!(
            "there is no network `{typed}`; the networks are {}{}",
            network_names(),
            suggestion(typed, NetworkKind::ALL.map(NetworkKind::label))
        )
    })
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
    fn a_mistyped_name_finds_the_nearest_known_one() {
        let known = ["quickstart", "mnist-paper", "fashion-paper", "backdoor"];
        for (typed, meant) in [
            ("quickstrat", Some("quickstart")),
            ("QuickStart", Some("quickstart")),
            ("quikstart", Some("quickstart")),
            ("trackquist", Some("quickstart")),
            ("mnist_paper", Some("mnist-paper")),
            ("mnist-paper-2", Some("mnist-paper")),
            ("backdoors", Some("backdoor")),
            ("quick", None),
            ("mine", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        // A slip in a short name is one letter.
        assert_eq!(nearest("a", ["b", "xyz"]), Some("b"));
        assert_eq!(nearest("axx", ["xyz"]), None);
    }

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
    }
}
