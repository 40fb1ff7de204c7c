//! Text helpers for all chapters: lists, sentences, classes, times.

use maud::{Markup, html};

use crate::figure::wording;
pub(super) use crate::format::counted;
use crate::format::{self, thousands};
use crate::ids::{ClassId, Gamma};
use crate::session::Record;

/// Maximum number of classes named in a sentence.
const MOST: usize = 8;

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Signal strengths: `γ 0.0, 0.2 and 0.3`.
pub(super) fn gammas(gammas: &[Gamma]) -> String {
    let all: Vec<String> = gammas.iter().map(|&gamma| format::gamma(gamma)).collect();
    format!("γ {}", list(&all))
}

/// Class names, shortened if there are many: `Dress and Coat`, `classes 0, 3 and 12 more`.
pub(super) fn classes(record: &Record, classes: &[ClassId]) -> String {
    let shown = &classes[..classes.len().min(MOST)];
    let name = |&class: &ClassId| wording::bare_class_name(record, class);
    let mut all: Vec<String> = shown.iter().map(name).collect();
    let numbered = all.iter().all(|name| name.parse::<u64>().is_ok());
    let more = classes.len() - shown.len();
    if more > 0 {
        all.push(format!("{} more", thousands(more as u64)));
    }
    match (numbered, classes.len()) {
        (_, 0) => "none".into(),
        (false, _) => list(&all),
        (true, 1) => format!("class {}", list(&all)),
        (true, _) => format!("classes {}", list(&all)),
    }
}

/// A text with a capital first letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    first + letters.as_str()
}

/// A text as a sentence: capitalized and with a full stop.
pub(super) fn sentence(text: &str) -> String {
    let end = match text.ends_with(['.', '!', '?']) {
        true => "",
        false => ".",
    };
    capital(text) + end
}

/// A time, given in seconds since the Unix epoch, in UTC, since readers may be in any time zone.
pub(super) fn time(unix_s: i64) -> Markup {
    match jiff::Timestamp::from_second(unix_s) {
        Ok(moment) => {
            let shown = moment.strftime("%Y-%m-%d %H:%M UTC").to_string();
            html! { time datetime=(moment.to_string()) { (shown) } }
        }
        Err(_) => html! { (unix_s) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Form};

    #[test]
    fn lists_and_sentences_read_as_people_write_them() {
        let parts = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&parts), "a, b and c");
        assert_eq!(list(&parts[..2]), "a and b");
        assert_eq!(list(&[]), "");
        assert_eq!(gammas(&[Gamma(0.0), Gamma(0.25)]), "γ 0.0 and 0.25");
        assert_eq!(sentence("éa 1"), "Éa 1.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(counted(1, "trial", "trials"), "1 trial");
        assert_eq!(counted(60_000, "trial", "trials"), "60,000 trials");
    }

    #[test]
    fn classes_are_named_and_many_are_counted() {
        let mut record = Record::new(&Config::default());
        assert_eq!(classes(&record, &[ClassId(3)]), "class 3");
        assert_eq!(
            classes(&record, &[ClassId(3), ClassId(5)]),
            "classes 3 and 5"
        );
        let all: Vec<ClassId> = ClassId::all(10).collect();
        assert_eq!(
            classes(&record, &all),
            "classes 0, 1, 2, 3, 4, 5, 6, 7 and 2 more"
        );
        record.form = Some(Form {
            classes: vec!["Dress".into(), "Coat".into()],
            ..Form::numbered([1, 2, 2], 0)
        });
        assert_eq!(
            classes(&record, &[ClassId(0), ClassId(1)]),
            "Dress and Coat"
        );
        assert_eq!(classes(&record, &[]), "none");
    }

    #[test]
    fn times_are_given_in_universal_time() {
        let text = time(0).into_string();
        assert_eq!(
            text,
            "<time datetime=\"1970-01-01T00:00:00Z\">1970-01-01 00:00 UTC</time>"
        );
    }
}
