//! The small form for a new session: a preset and a name.

use super::row::Row;
use crate::session::store::check_name;

/// Most characters of a name.
const MOST: usize = 100;

/// What the form holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Which of the presets.
    pub preset: usize,
    /// The name as it stands.
    pub name: String,
    /// Whether the person typed it; until then it follows the preset.
    typed: bool,
}

impl Form {
    /// With the first preset and a name that is free.
    pub fn new(presets: &[String], rows: &[Row]) -> Self {
        let mut form = Self {
            preset: 0,
            name: String::new(),
            typed: false,
        };
        form.choose(0, presets, rows);
        form
    }

    /// Chooses a preset; a name that nobody typed follows.
    pub fn choose(&mut self, preset: usize, presets: &[String], rows: &[Row]) {
        self.preset = preset.min(presets.len().saturating_sub(1));
        if !self.typed {
            let own = presets.get(self.preset).map_or("", String::as_str);
            self.name = free(own, rows);
        }
    }

    /// A character typed: taken where a name can have it.
    pub fn typed(&mut self, c: char) {
        let fits = c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        if fits && self.name.chars().count() < MOST {
            self.name.push(c);
            self.typed = true;
        }
    }

    /// The last character away, or all of them.
    pub fn rub_out(&mut self, all: bool) {
        if all {
            self.name.clear();
        } else {
            self.name.pop();
        }
        self.typed = true;
    }

    /// What is wrong with the name, if anything.
    pub fn problem(&self, rows: &[Row]) -> Option<String> {
        if self.name.is_empty() {
            return Some("type a name".into());
        }
        if rows.iter().any(|row| row.name == self.name) {
            return Some("there is a session of that name".into());
        }
        let fits = check_name(&self.name).is_ok();
        (!fits).then(|| "a name starts with a letter or digit and does not end in .ron".into())
    }
}

/// What a preset that ships does, in a few words.
pub fn about(preset: &str) -> Option<&'static str> {
    Some(match preset {
        "quickstart" => "every experiment in small, on built-in images",
        "mnist-paper" => "the published sizes, on all of MNIST",
        "fashion-paper" => "the published sizes, on all of Fashion-MNIST",
        "backdoor" => "networks of its own with a backdoor and without; audit: one's own",
        "audit" => "the network that is given, beside clean ones trained for it",
        _ => return None,
    })
}

/// The preset's own name, with the first number that makes it free.
fn free(preset: &str, rows: &[Row]) -> String {
    let taken = |name: &str| rows.iter().any(|row| row.name == name);
    if !taken(preset) {
        return preset.into();
    }
    let numbered = (2..).map(|number| format!("{preset}-{number}"));
    numbered
        .into_iter()
        .find(|name| !taken(name))
        .unwrap_or_default()
}
