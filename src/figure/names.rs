//! Classes and patterns by name, in the words of figures and reports.

use crate::format;
use crate::session::Record;
use crate::session::record::Attack;

/// A class in a sentence or a title: `Dress`; `class 3` where its name is a number.
pub fn of_class(record: &Record, class: usize) -> String {
    record.class_in_words(class)
}

/// A class where it is clear that a class is meant: `Dress`; `3` where its name is a number.
pub fn bare(record: &Record, class: usize) -> String {
    record.bare_class(class)
}

/// With a capital letter, as a sentence begins.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// A text of at most so many characters; what is cut off leaves an ellipsis.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The γ that the patterns are of, with this sign for it; `None` where there are none. Evidence images may
/// be of another γ than the others.
pub fn origin_of_patterns(attack: &Attack, sign: &str) -> Option<String> {
    let own = attack.gamma.map(format::gamma);
    let heard = attack.evidence_gamma.map(format::gamma);
    Some(match (own, heard) {
        (Some(own), Some(heard)) if own != heard => {
            format!("patterns of {sign} {own}, evidence of {sign} {heard}")
        }
        (Some(own), _) => format!("patterns of {sign} {own}"),
        (None, Some(heard)) => format!("evidence of {sign} {heard}"),
        (None, None) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Form};

    fn record(classes: &[&str]) -> Record {
        let mut record = Record::new(&Config::default());
        record.form = Some(Form {
            classes: classes.iter().map(|&name| name.to_owned()).collect(),
            ..Form::numbered([1, 2, 2], 0)
        });
        record
    }

    #[test]
    fn a_class_that_has_a_name_is_called_by_it() {
        let clothes = record(&["Dress", "7", "  ", "ねこ"]);
        assert_eq!(of_class(&clothes, 0), "Dress");
        assert_eq!(of_class(&clothes, 1), "class 7");
        assert_eq!(of_class(&clothes, 2), "class 2");
        assert_eq!(bare(&clothes, 1), "7");
        assert_eq!(bare(&clothes, 9), "9");
        assert_eq!(bare(&clothes, 3), "ねこ");
        assert_eq!(of_class(&Record::new(&Config::default()), 4), "class 4");
    }

    #[test]
    fn what_is_cut_off_leaves_an_ellipsis() {
        assert_eq!(cut("Sandal", 6), "Sandal");
        assert_eq!(cut("Ankle boot", 7), "Ankle…");
        assert_eq!(cut("Trouser", 4), "Tro…");
    }
}
