//! The sessions of a folder as a list: for `ls` and for the browser.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::format;
use crate::report::status;
use crate::session::store::{Store, StoreError};
use crate::session::{Session, State};
use crate::tui::browser::Row;

/// One session of the folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its state, in one word: new, running, paused, interrupted, stopped, finished, failed, damaged,
    /// unreadable, or newer than this program.
    pub state: &'static str,
    /// Why it failed or is damaged.
    pub problem: Option<String>,
    /// Trials done.
    pub done: u64,
    /// Trials planned.
    pub total: u64,
    /// When its file was last written, seconds since the Unix epoch.
    pub updated: Option<i64>,
    /// The engine that runs it.
    pub pid: Option<u32>,
    /// Its most telling numbers.
    pub headline: String,
}

/// A folder's list that is asked for again and again: a file is read once for each of its states.
#[derive(Debug)]
pub struct Listing {
    store: Store,
    read: HashMap<String, (SystemTime, Entry)>,
}

impl Listing {
    /// Of this folder.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            read: HashMap::new(),
        }
    }

    /// Every session of the folder, by name, from its readable part alone. A file that cannot be read is listed as
    /// what it is.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn entries(&mut self) -> Result<Vec<Entry>, StoreError> {
        let names = self.store.names()?;
        // Files that claim to be large are read one at a time.
        let large = Mutex::new(());
        let read: Vec<_> = names
            .into_par_iter()
            .map(|name| {
                let (written, entry) = self.entry(&name, &large);
                (name, written, entry)
            })
            .collect();
        self.read.clear();
        let mut entries = Vec::with_capacity(read.len());
        for (name, written, entry) in read {
            self.read.insert(name, (written, entry.clone()));
            entries.push(self.with_engine(entry));
        }
        Ok(entries)
    }

    /// What the file says, and when it was written.
    fn entry(&self, name: &str, large: &Mutex<()>) -> (SystemTime, Entry) {
        let about = std::fs::metadata(self.store.path(name));
        let written = about.as_ref().ok().and_then(|file| file.modified().ok());
        let written = written.unwrap_or(SystemTime::UNIX_EPOCH);
        if let Some((then, entry)) = self.read.get(name)
            && *then == written
        {
            return (written, entry.clone());
        }
        let _alone = about
            .is_ok_and(|file| file.len() > LARGE)
            .then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
        (written, read(&self.store, name))
    }

    fn with_engine(&self, mut entry: Entry) -> Entry {
        entry.pid = self.store.engine(&entry.name).map(|engine| engine.pid);
        if entry.pid.is_some() && !entry.is_broken() {
            entry.state = "running";
        }
        entry
    }
}

/// A file longer than this is not read beside another.
const LARGE: u64 = 1 << 20;

impl Entry {
    /// Whether its file cannot be read as a session.
    fn is_broken(&self) -> bool {
        matches!(self.state, "damaged" | "unreadable" | "newer")
    }

    /// The same with what the engine says, which is newer than the file.
    pub fn of_engine(self, session: &Session) -> Self {
        Self {
            pid: self.pid,
            updated: self.updated,
            ..sound(session)
        }
    }
}

/// What the file says; whether an engine runs it is not in there.
fn read(store: &Store, name: &str) -> Entry {
    match store.head(name) {
        Ok(session) => sound(&session),
        Err(error) => Entry {
            name: name.to_owned(),
            state: match error {
                StoreError::Newer { .. } => "newer",
                StoreError::Io { .. } | StoreError::TooLarge { .. } => "unreadable",
                _ => "damaged",
            },
            problem: Some(error.to_string()),
            done: 0,
            total: 0,
            updated: None,
            pid: None,
            headline: String::new(),
        },
    }
}

fn sound(session: &Session) -> Entry {
    let (done, total) = session.trials();
    let record = &session.record;
    Entry {
        name: session.name.clone(),
        state: status::word(session),
        problem: match &record.state {
            State::Failed(message) => Some(message.clone()),
            _ => None,
        },
        done,
        total,
        updated: (record.updated > 0).then_some(record.updated),
        pid: None,
        headline: headline(session),
    }
}

/// Data set, network, test accuracy, and where it stands where that is not the end.
fn headline(session: &Session) -> String {
    let config = &session.config;
    let training = session.record.training.as_ref();
    let accuracy = training.and_then(|it| it.test_accuracy);
    let accuracy = accuracy.map_or_else(String::new, |share| {
        let chance = training.is_some_and(|it| it.at_chance);
        let chance = if chance { ", at chance" } else { "" };
        format!("  test {}{chance}", format::percent(share))
    });
    let stages = session.stages();
    let at = stages.iter().find(|stage| !stage.finished);
    let at = at.filter(|_| session.record.state != State::New);
    let at = at.map_or_else(String::new, |stage| {
        let share = stage.done as f64 / stage.total.max(1) as f64;
        format!("  at {}, {:.0} %", stage.name, (100.0 * share).floor())
    });
    format!(
        "{} {}{accuracy}{at}",
        config.dataset_label(),
        format::clean(&config.network.label())
    )
}

/// Reads the sessions again and again, for the list.
pub fn rows(store: &Store) -> impl Fn() -> Vec<Row> + Send + 'static {
    let listing = Mutex::new(Listing::new(store.clone()));
    move || {
        let mut listing = listing.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = listing.entries().unwrap_or_default();
        entries.into_iter().map(Row::from).collect()
    }
}
