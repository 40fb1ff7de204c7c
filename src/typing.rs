//! Suggestions for mistyped names.

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
}
