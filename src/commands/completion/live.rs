//! The values of options and words that depend on what there is: sessions, presets, networks, data sets, and the classes,
//! layers and signal strengths of a session.

use std::time::Duration;

use super::offer::{Candidate, Offer, Paths};
use crate::commands::listing::SessionList;
use crate::commands::preset;
use crate::data::catalog;
use crate::figure::Figure;
use crate::format::counted;
use crate::session::Session;
use crate::session::config::{Analysis, NetworkKind};
use crate::session::record::SpikeTriggered;
use crate::session::store::Store;
use crate::tui::views::VIEWS_OF_SHARDS;

/// How long engines may take to send their states. A hung one must not hold up the shell.
const PATIENCE: Duration = Duration::from_millis(200);
/// Most sessions whose files are read: more would hold up the shell.
const MOST_DESCRIBED: usize = 100;

/// Where values are looked up.
pub struct Live<'a> {
    /// The sessions folder.
    pub store: &'a Store,
    /// The command.
    pub command: &'a str,
    /// The session that it is about, if it has been typed.
    pub session: Option<&'a str>,
}

impl Live<'_> {
    /// The values of an option, or of a word, with this identifier.
    pub fn values(&self, id: &str) -> Offer {
        let of_words = |words: Vec<Candidate>| Offer { words, paths: None };
        let of_paths = |paths: Paths| Offer {
            words: Vec::new(),
            paths: Some(paths),
        };
        match (self.command, id) {
            ("new", "name") => of_words(self.presets()),
            ("run", "name") => of_words(self.sessions_and_presets()),
            (_, "name" | "a" | "b") | ("report", "compare") => of_words(self.sessions()),
            (_, "preset") => of_words(self.presets()),
            (command, "network") => Offer {
                words: networks(),
                paths: (!matches!(command, "verify" | "doctor")).then_some(Paths::Files),
            },
            (_, "sets") => of_words(sets()),
            (_, "device") => of_words(devices()),
            (_, "shard") => of_words(vec![Candidate::new("auto", "ask Slurm or Kubernetes")]),
            (_, "view") => of_words(views()),
            (_, "figure") => of_words(figures()),
            (_, "map" | "class" | "called" | "truth") => of_words(self.of_session(classes)),
            (_, "filters" | "layer") => of_words(self.of_session(layers)),
            ("note", "unit") => of_words(self.of_session(layers_of_units)),
            (_, "gamma") => of_words(self.of_session(gammas)),
            (_, "sessions") | ("man", "out") => of_paths(Paths::Folders),
            (_, "data" | "out" | "config" | "file") => of_paths(Paths::Files),
            _ => Offer::default(),
        }
    }

    /// What the head of the session's file says; nothing if it cannot be read.
    fn of_session(&self, read: fn(&Session) -> Vec<Candidate>) -> Vec<Candidate> {
        let head = self.session.map(|name| self.store.load_short_head(name));
        match head {
            Some(Ok(session)) => read(&session),
            _ => Vec::new(),
        }
    }

    fn sessions(&self) -> Vec<Candidate> {
        let names = self.store.names().unwrap_or_default();
        if names.len() > MOST_DESCRIBED {
            let words = names.into_iter();
            return words.map(|name| Candidate::new(name, "")).collect();
        }
        let entries = SessionList::new(self.store.clone()).entries(PATIENCE);
        let entries = entries.unwrap_or_default().into_iter();
        entries
            .map(|entry| {
                let about = format!("{}: {}", entry.standing.label(), entry.headline);
                Candidate::new(entry.name, about.trim_end_matches(": "))
            })
            .collect()
    }

    fn presets(&self) -> Vec<Candidate> {
        let names = preset::names(self.store).into_iter();
        names
            .map(|name| {
                let about = preset::load(&name, self.store).map(|config| {
                    let count = config.analyses.len() as u64;
                    format!(
                        "preset: {} {}, {}",
                        config.dataset_label(),
                        config.network.label(),
                        counted(count, "experiment", "experiments")
                    )
                });
                Candidate::new(name, about.unwrap_or_default())
            })
            .collect()
    }

    /// The sessions, and the presets of whose name there is no session.
    fn sessions_and_presets(&self) -> Vec<Candidate> {
        let mut all = self.sessions();
        let presets = self.presets().into_iter();
        all.extend(presets.filter(|preset| !self.store.exists(&preset.word)));
        all
    }
}

fn networks() -> Vec<Candidate> {
    let kinds = NetworkKind::ALL.into_iter();
    kinds.map(|kind| Candidate::new(kind.label(), "")).collect()
}

fn sets() -> Vec<Candidate> {
    let sets = catalog::SETS.into_iter();
    sets.map(|set| Candidate::new(set.slug, set.about))
        .collect()
}

fn devices() -> Vec<Candidate> {
    let words = ["auto", "cpu", "flex", "libtorch", "cuda:0"].into_iter();
    words.map(|word| Candidate::new(word, "")).collect()
}

fn views() -> Vec<Candidate> {
    let views = VIEWS_OF_SHARDS.iter();
    views
        .map(|view| Candidate::new(view.name.to_lowercase(), ""))
        .collect()
}

fn figures() -> Vec<Candidate> {
    Figure::kinds()
        .map(|kind| Candidate::new(kind, ""))
        .collect()
}

/// The classes by name, each with its number.
fn classes(session: &Session) -> Vec<Candidate> {
    let dataset = session.config.dataset.as_ref();
    let known = dataset.and_then(|dataset| dataset.name.known_classes());
    let names: Vec<String> = match &session.record.form {
        Some(form) => form.classes.clone(),
        None => {
            let known = known.unwrap_or_default().iter();
            known.map(|&name| name.to_owned()).collect()
        }
    };
    let names = names.into_iter().enumerate();
    names
        .map(|(class, name)| {
            let is_number = name == class.to_string();
            let about = (!is_number).then(|| format!("class {class}"));
            Candidate::new(name, about.unwrap_or_default())
        })
        .collect()
}

/// The layers that have been measured.
fn layers(session: &Session) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    for (_, spikes) in session.record.all::<SpikeTriggered>() {
        for layer in &spikes.layers {
            if all.iter().all(|known| known.word != layer.name) {
                let about = counted(layer.units as u64, "unit", "units");
                all.push(Candidate::new(layer.name.as_str(), about));
            }
        }
    }
    all
}

/// The same before the slash that separates a unit from its layer.
fn layers_of_units(session: &Session) -> Vec<Candidate> {
    let mut all = layers(session);
    for layer in &mut all {
        layer.word.push('/');
    }
    all
}

/// The signal strengths of the plan's classification images.
fn gammas(session: &Session) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    for plan in &session.config.analyses {
        let Analysis::ClassificationImages(images) = plan else {
            continue;
        };
        for gamma in &images.gammas {
            let word = gamma.to_string();
            if all.iter().all(|known| known.word != word) {
                all.push(Candidate::new(word, ""));
            }
        }
    }
    all
}
