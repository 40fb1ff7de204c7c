//! The sessions of a folder as a list: for `ls` and for the browser.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

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
    /// Its state, in one word: new, running, paused, interrupted, stopped, finished, failed or
    /// damaged.
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

    /// Every session of the folder, by name. A file that cannot be read is listed as damaged.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn entries(&mut self) -> Result<Vec<Entry>, StoreError> {
        let names = self.store.names()?;
        self.read.retain(|name, _| names.contains(name));
        Ok(names.into_iter().map(|name| self.entry(name)).collect())
    }

    fn entry(&mut self, name: String) -> Entry {
        let written = std::fs::metadata(self.store.path(&name)).and_then(|file| file.modified());
        let written = written.unwrap_or(SystemTime::UNIX_EPOCH);
        let known = self.read.get(&name).filter(|(then, _)| *then == written);
        let mut entry = known.map_or_else(|| read(&self.store, &name), |(_, entry)| entry.clone());
        self.read.insert(name, (written, entry.clone()));
        entry.pid = self.store.engine(&entry.name).map(|engine| engine.pid);
        entry.state = match (entry.state, entry.pid) {
            ("damaged", _) => "damaged",
            (_, Some(_)) => "running",
            (state, None) => state,
        };
        entry
    }
}

impl Entry {
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
    match store.load(name) {
        Ok(session) => sound(&session),
        Err(error) => Entry {
            name: name.to_owned(),
            state: "damaged",
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
