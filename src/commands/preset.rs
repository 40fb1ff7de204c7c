//! Presets: plans that ship with the program.

use std::fs;
use std::path::{Path, PathBuf};

use super::Refusal;
use crate::session::Config;
use crate::session::store::{Store, config_from_text};

/// Name and text of every preset that ships.
pub const SHIPPED: [(&str, &str); 4] = [
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
];

/// Whether a preset of this name ships.
pub fn exists(name: &str) -> bool {
    SHIPPED.iter().any(|(own, _)| *own == name)
}

/// A preset by name: from `presets/` in the sessions folder where it lies there, else as shipped.
pub fn load(name: &str, store: &Store) -> Result<Config, Refusal> {
    let own = store.folder().join("presets").join(format!("{name}.ron"));
    let plain = !name.contains(['/', '\\']);
    if plain && let Ok(text) = fs::read_to_string(&own) {
        return Ok(config_from_text(&text, &own)?);
    }
    let Some((_, text)) = SHIPPED.iter().find(|(own, _)| *own == name) else {
        let known: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        return Err(Refusal::Usage(format!(
            "there is no preset `{name}`; there are {}, and any NAME.ron in {}",
            known.join(", "),
            display(own.parent())
        )));
    };
    Ok(config_from_text(
        text,
        &PathBuf::from(format!("{name}.ron")),
    )?)
}

fn display(folder: Option<&Path>) -> String {
    folder.map_or_else(String::new, |folder| folder.display().to_string())
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
    }
}
