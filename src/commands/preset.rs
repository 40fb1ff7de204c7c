//! Presets: configs that ship with the program, and those in the sessions folder.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::CommandError;
use crate::files;
use crate::session::Config;
use crate::session::store::{Store, StoreError, config_from_text};
use crate::typing;

/// Name and text of every built-in preset.
pub const SHIPPED: [(&str, &str); 5] = [
    (
        "quickstart",
        include_str!("../../sessions/presets/quickstart.ron"),
    ),
    (
        "mnist-paper",
        include_str!("../../sessions/presets/mnist-paper.ron"),
    ),
    (
        "fashion-paper",
        include_str!("../../sessions/presets/fashion-paper.ron"),
    ),
    (
        "backdoor",
        include_str!("../../sessions/presets/backdoor.ron"),
    ),
    ("audit", include_str!("../../sessions/presets/audit.ron")),
];

/// Names of all presets: the built-in ones, and those in `presets/` in the sessions folder.
pub fn names(store: &Store) -> Vec<String> {
    let mut names: Vec<String> = SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect();
    let files = fs::read_dir(store.folder().join("presets"));
    let mut added: Vec<String> = files
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".ron").map(str::to_owned))
        .filter(|name| !names.contains(name))
        .collect();
    added.sort();
    names.extend(added);
    names
}

/// The preset among `names` that the user typed, in any capitalisation.
pub fn find<'a>(typed: &str, names: &'a [String]) -> Option<&'a str> {
    let exact = names.iter().find(|name| *name == typed);
    let wanted = typed.trim().to_lowercase();
    let named = exact.or_else(|| names.iter().find(|name| name.to_lowercase() == wanted));
    named.map(String::as_str)
}

/// Loads a preset by name: from `presets/` in the sessions folder if it is there, else the built-in one.
///
/// # Errors
/// If there is none of that name, or its file cannot be read or is no plan.
pub fn load(typed: &str, store: &Store) -> Result<Config, CommandError> {
    let folder = store.folder().join("presets");
    let names = names(store);
    let Some(name) = find(typed, &names) else {
        return Err(CommandError::Usage(format!(
            "there is no preset `{typed}`; the presets are {}, and any NAME.ron in {}{}",
            names.join(", "),
            folder.display(),
            typing::suggestion(typed, names.iter().map(String::as_str))
        )));
    };
    let path = folder.join(format!("{name}.ron"));
    let shipped = SHIPPED.iter().find(|(known, _)| *known == name);
    match (files::read(&path), shipped) {
        (Ok(content), _) => {
            let text = String::from_utf8(content).map_err(|_| {
                CommandError::Usage(format!(
                    "{}: it is not UTF-8 text; save it as UTF-8",
                    path.display()
                ))
            })?;
            Ok(config_from_text(&text, &path)?)
        }
        (Err(error), Some((_, text)))
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            Ok(config_from_text(
                text,
                &PathBuf::from(format!("{name}.ron")),
            )?)
        }
        (Err(source), _) => Err(CommandError::Store(StoreError::Io {
            path,
            action: "read",
            source,
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_that_ships_is_a_valid_plan() {
        let nowhere = Store::new("/nonexistent");
        for (name, _) in SHIPPED {
            load(name, &nowhere).unwrap();
        }
    }

    #[test]
    fn an_unknown_preset_names_the_known_ones() {
        let error = load("quikstart", &Store::new("/nonexistent")).unwrap_err();
        assert!(
            error.to_string().contains("quickstart, mnist-paper"),
            "{error}"
        );
        assert!(
            error.to_string().ends_with("; did you mean quickstart?"),
            "{error}"
        );
    }

    #[test]
    fn preset_names_ignore_case_and_user_presets_are_listed_last() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        fs::create_dir(folder.path().join("presets")).unwrap();
        fs::write(folder.path().join("presets/Faces.ron"), "(seed: 77)").unwrap();
        assert_eq!(load("faces", &store).unwrap().seed, 77);
        // As some editors write it.
        fs::write(
            folder.path().join("presets/Marked.ron"),
            "\u{feff}(seed: 78)",
        )
        .unwrap();
        assert_eq!(load("marked", &store).unwrap().seed, 78);
        fs::remove_file(folder.path().join("presets/Marked.ron")).unwrap();
        assert_eq!(
            load("QuickStart", &store).unwrap(),
            load("quickstart", &store).unwrap()
        );
        assert_eq!(names(&store).last().unwrap(), "Faces");
    }

    #[test]
    fn a_preset_that_cannot_be_read_is_refused_and_not_replaced_by_the_built_in_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let presets = folder.path().join("presets");
        fs::create_dir(&presets).unwrap();
        for name in ["audit", "mine"] {
            let file = presets.join(format!("{name}.ron"));
            fs::write(&file, b"(seed: 77) // caf\xe9").unwrap();
            let error = load(name, &store).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{name}.ron: it is not UTF-8 text")),
                "{error}"
            );
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
            let error = load(name, &store).unwrap_err().to_string();
            assert!(error.contains("it is a folder"), "{error}");
        }
    }
}
