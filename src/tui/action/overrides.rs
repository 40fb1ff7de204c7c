//! The table of actions with the user's own keys, checked so that no key means two things in one place.

use super::binding::{Action, Binding, KeyBindings};
use super::context::KeyContext;
use super::key::Key;
use super::table::TABLE;

/// The table with these keys for these actions; all others keep their defaults.
///
/// # Errors
/// An unknown action, an invalid key, or a key that would mean two things in one place, with the place.
pub fn with_overrides<'a>(
    overrides: impl IntoIterator<Item = (&'a str, &'a [String])>,
) -> Result<KeyBindings, String> {
    let mut table: Vec<Binding> = TABLE.to_vec();
    let mut changed = false;
    for (name, keys) in overrides {
        let known = |row: &&mut Binding| row.action.name() == name;
        let Some(row) = table.iter_mut().find(known) else {
            return Err(unknown(name));
        };
        if row.action == Action::View(0) {
            return Err("keys.view: the views are always on the digits".into());
        }
        let parsed: Result<Vec<Key>, String> = keys.iter().map(|key| Key::parse(key)).collect();
        let parsed = parsed.map_err(|problem| format!("keys.{name}: {problem}"))?;
        if parsed.is_empty() {
            return Err(format!(
                "keys.{name}: it needs a key; leave the line out for the default keys"
            ));
        }
        // What works everywhere also works where text is typed.
        let typed = |place: &&KeyContext| place.is_typed() || **place == KeyContext::Everywhere;
        let typed = row.contexts.iter().find(typed);
        if let (Some(place), Some(key)) = (typed, parsed.iter().find(|key| key.types())) {
            return Err(format!(
                "keys.{name}: `{}` is typed in {}, so it cannot do anything else there",
                key.name(),
                place.label()
            ));
        }
        if row.keys != parsed {
            // Leaked for the life of the process: a few bytes each time preferences are read.
            row.keys = Box::leak(parsed.into_boxed_slice());
            changed = true;
        }
    }
    if !changed {
        return Ok(TABLE);
    }
    match conflict(&table) {
        Some(problem) => Err(problem),
        None => Ok(Box::leak(table.into_boxed_slice())),
    }
}

/// Describes the first key that means two things in one place.
pub fn conflict(table: &[Binding]) -> Option<String> {
    for together in KeyContext::TOGETHER {
        let here = |row: &&Binding| {
            let mut places = row.contexts.iter();
            places.any(|place| *place == KeyContext::Everywhere || together.contains(place))
        };
        let rows: Vec<&Binding> = table.iter().filter(here).collect();
        for (index, row) in rows.iter().enumerate() {
            for other in &rows[index + 1..] {
                let both = row.keys.iter().find(|key| is_in(**key, other.keys));
                if let Some(key) = both {
                    // The more specific of the two places says more.
                    let place = row.contexts.iter().chain(other.contexts);
                    let place =
                        place
                            .filter(|place| together.contains(place))
                            .min_by_key(|place| {
                                matches!(place, KeyContext::Views | KeyContext::Everywhere)
                            });
                    return Some(format!(
                        "keys.{} and keys.{}: `{}` would mean both in {}",
                        row.action.name(),
                        other.action.name(),
                        key.name(),
                        place.unwrap_or(&KeyContext::Everywhere).label()
                    ));
                }
            }
        }
    }
    None
}

/// Whether a key is one of these; digits overlap `Key::Digit`.
fn is_in(key: Key, keys: &[Key]) -> bool {
    let digit = |key: Key| matches!(key, Key::Char(c) if c.is_ascii_digit());
    keys.iter().any(|&other| {
        other == key || other == Key::Digit && digit(key) || key == Key::Digit && digit(other)
    })
}

fn unknown(name: &str) -> String {
    let far = |known: &str| strsim::damerau_levenshtein(known, name);
    let names = TABLE.iter().map(|row| row.action.name());
    let nearest = names.min_by_key(|known| far(known));
    let hint = nearest.filter(|known| far(known) <= 3);
    let hint = hint.map_or_else(|| ";".into(), |known| format!("; did you mean `{known}`?"));
    format!("keys.{name}: there is no such action{hint} `noisescope config` lists them all")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pairs: &[(&str, &[&str])]) -> Result<KeyBindings, String> {
        let overrides: Vec<(&str, Vec<String>)> = pairs
            .iter()
            .map(|(name, keys)| (*name, keys.iter().map(|&key| key.to_owned()).collect()))
            .collect();
        with_overrides(overrides.iter().map(|(name, keys)| (*name, &keys[..])))
    }

    #[test]
    fn the_default_keys_do_not_conflict() {
        assert_eq!(conflict(TABLE), None);
    }

    #[test]
    fn a_user_key_replaces_the_default_keys() {
        let table = keys(&[("export-figure", &["E", "F2"])]).unwrap();
        let row = table.iter().find(|row| row.action == Action::ExportFigure);
        let names: Vec<String> = row.unwrap().keys.iter().map(|key| key.name()).collect();
        assert_eq!(names, ["E", "F2"]);
        assert_eq!(keys(&[]).unwrap(), TABLE);
    }

    #[test]
    fn two_actions_may_swap_keys() {
        assert!(
            keys(&[("pause", &["e"]), ("export-figure", &["p"])]).is_err(),
            "p pauses a row too"
        );
        assert!(keys(&[("freeze", &["y"]), ("open-copy", &["Space"])]).is_ok());
    }

    #[test]
    fn conflicts_are_reported_with_both_actions_the_key_and_the_context() {
        let problem = keys(&[("export-figure", &["d"])]).unwrap_err();
        assert!(
            problem.contains("keys.switch-response and keys.export-figure"),
            "{problem}"
        );
        assert!(
            problem.contains("`d`") && problem.contains("maps side by side"),
            "{problem}"
        );
        let problem = keys(&[("freeze", &["3"])]).unwrap_err();
        assert!(problem.contains("keys.view"), "{problem}");
    }

    #[test]
    fn keys_that_terminals_send_as_others_are_refused_with_these() {
        for (key, sent) in [("Ctrl-i", "Tab"), ("ctrl-M", "Enter")] {
            let problem = keys(&[("leave", &[key])]).unwrap_err();
            assert!(
                problem.contains(&format!("`{key}` as `{sent}`")),
                "{problem}"
            );
        }
        assert!(keys(&[("leave", &["Ctrl-j", "Ctrl-h"])]).is_ok());
    }

    #[test]
    fn unknown_actions_and_keys_are_refused_with_the_valid_ones() {
        let problem = keys(&[("export-figur", &["E"])]).unwrap_err();
        assert!(
            problem.contains("did you mean `export-figure`?"),
            "{problem}"
        );
        let problem = keys(&[("export-figure", &["Hyper-x"])]).unwrap_err();
        assert!(
            problem.contains("keys.export-figure: `Hyper-x` is not a key"),
            "{problem}"
        );
        assert!(
            keys(&[("jump", &["j"])])
                .unwrap_err()
                .contains("is typed in jump")
        );
        assert!(keys(&[("suspend", &["z"])]).is_err());
        assert!(keys(&[("pause", &[])]).unwrap_err().contains("needs a key"));
        assert!(keys(&[("view", &["v"])]).unwrap_err().contains("digits"));
    }
}
