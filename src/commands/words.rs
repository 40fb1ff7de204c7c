//! Words that a person types for something that has a name: any capitalisation, the name that was
//! likely meant, and a question where somebody can answer it.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Refusal;
use crate::session::config::NetworkKind;

/// Changes of one letter that a slip may have, at most.
const SLIPS: usize = 2;

/// The name that was likely meant: a letter or two are other ones, or the same letters stand in
/// another order. The nearest, and of those the first.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.trim().to_lowercase();
    let slips = known.into_iter().filter_map(|name| {
        let own = name.to_lowercase();
        let distance = strsim::osa_distance(&typed, &own);
        // Short names are near to everything.
        let most = SLIPS.min(own.chars().count().div_ceil(4));
        (distance <= most || letters(&typed) == letters(&own)).then_some((distance, name))
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
pub fn perhaps<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(typed, known);
    near.map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

/// The built-in network that a person means, in any capitalisation.
///
/// # Errors
/// What there is and the nearest, in words.
pub fn network(typed: &str) -> Result<NetworkKind, String> {
    let wanted = typed.trim().to_lowercase();
    let mut kinds = NetworkKind::ALL.into_iter();
    kinds.find(|kind| kind.label() == wanted).ok_or_else(|| {
        format!(
            "there is no network `{typed}`; there are {}{}",
            networks(),
            perhaps(typed, NetworkKind::ALL.map(NetworkKind::label))
        )
    })
}

/// All networks by name.
pub fn networks() -> String {
    NetworkKind::ALL.map(NetworkKind::label).join(", ")
}

/// Asks a question whose usual answer is yes; `None` where nobody can answer.
///
/// # Errors
/// Where the terminal ends before an answer.
pub fn ask(question: &str) -> Result<Option<bool>, Refusal> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Ok(None);
    }
    let mut out = io::stdout().lock();
    let mut input = io::stdin().lock();
    loop {
        write!(out, "{question} [Y/n] ").map_err(Refusal::failed)?;
        out.flush().map_err(Refusal::failed)?;
        let mut answer = String::new();
        if input.read_line(&mut answer).map_err(Refusal::failed)? == 0 {
            return Err(Refusal::Usage("no answer; nothing was made".into()));
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
    fn the_name_that_was_meant_is_found() {
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
    fn networks_are_found_in_any_capitalisation() {
        for typed in ["logistic", "Logistic", " LOGISTIC "] {
            assert_eq!(network(typed), Ok(NetworkKind::Logistic));
        }
        assert_eq!(
            network("logisitc").unwrap_err(),
            "there is no network `logisitc`; there are cnn, mlp, logistic, rnn, simple, complex; \
             did you mean logistic?"
        );
        assert!(network("resnet50").unwrap_err().ends_with("complex"));
    }
}
