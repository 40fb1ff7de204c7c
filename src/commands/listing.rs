//! The sessions of a folder as a list: for `ls` and for the browser.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::signals::runtime;
use crate::format;
use crate::link::client::{self, Heard};
use crate::link::shards::Watch;
use crate::report::Standing;
use crate::report::standing::SILENCE;
use crate::session::run::{Phase, shards_in_words};
use crate::session::store::{EngineOf, Store, StoreError, now, timestamp};
use crate::session::{Run, Session, State};
use crate::tui::browser::{Contents, Held, Row};

/// How long an engine may take to say how it is, in the list that is read again and again.
const PATIENCE: Duration = Duration::from_secs(1);
/// Asking takes no more than one part in so many of the time.
const SELDOM: u32 = 20;

/// One session of the folder.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
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
    /// Whether it is divided: then it says what the files of its shards say.
    pub is_divided: bool,
}

/// What an engine said last.
#[derive(Debug)]
struct Last {
    /// When, in seconds since the Unix epoch.
    at: i64,
    /// When it was last asked.
    asked: i64,
    entry: Entry,
}

/// A folder's list that is asked for again and again: a file is read once for each of its states.
#[derive(Debug)]
pub struct Listing {
    store: Store,
    read: HashMap<String, (SystemTime, Entry)>,
    /// What engines said last.
    heard: HashMap<String, Last>,
    /// When engines may be asked again.
    ask_from: Instant,
}

impl Listing {
    /// Of this folder.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            read: HashMap::new(),
            heard: HashMap::new(),
            ask_from: Instant::now(),
        }
    }

    /// Every session of the folder, by name, from its readable part alone, each engine asked how it is. A file
    /// that cannot be read is listed as what it is.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn entries(&mut self, patience: Duration) -> Result<Vec<Entry>, StoreError> {
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
        for (name, written, mut entry) in read {
            self.read.insert(name, (written, entry.clone()));
            entry.pid = self.store.engine(&entry.name).map(|engine| engine.pid);
            entries.push(entry);
        }
        let running = |entry: &&Entry| entry.pid.is_some();
        let running: Vec<String> = entries
            .iter()
            .filter(running)
            .map(|entry| entry.name.clone())
            .collect();
        self.heard.retain(|name, _| running.contains(name));
        if Instant::now() >= self.ask_from && !running.is_empty() {
            self.ask(&running, patience);
        }
        for entry in &mut entries {
            self.beside_engine(entry);
        }
        Ok(entries)
    }

    /// What the file says, and when it was written.
    fn entry(&self, name: &str, large: &Mutex<()>) -> (SystemTime, Entry) {
        let about = std::fs::metadata(self.store.path(name));
        let written = about.as_ref().ok().and_then(|file| file.modified().ok());
        let written = written.unwrap_or(UNIX_EPOCH);
        if let Some((then, entry)) = self.read.get(name)
            && *then == written
            && !entry.is_divided
        {
            return (written, entry.clone());
        }
        let _alone = about
            .is_ok_and(|file| file.len() > LARGE)
            .then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
        (written, read(&self.store, name))
    }

    /// Asks engines how they are, all at once.
    fn ask(&mut self, names: &[String], patience: Duration) {
        let Ok(runtime) = runtime() else { return };
        let began = Instant::now();
        let all = names
            .iter()
            .map(|name| client::now(&self.store, name, patience));
        let told = runtime.block_on(join_all(all));
        self.ask_from = Instant::now() + SELDOM * began.elapsed().saturating_sub(patience / 2);
        let asked = now();
        for (name, heard) in names.iter().zip(told) {
            match heard {
                Heard::Session(session) => {
                    let told = session.run.as_ref().map_or(0, |run| run.at);
                    let at = if told > 0 { told } else { asked };
                    let entry = sound(&session);
                    self.heard.insert(name.clone(), Last { at, asked, entry });
                }
                Heard::Nothing => {
                    if let Some(last) = self.heard.get_mut(name) {
                        last.asked = asked;
                    } else if let Some((_, entry)) = self.read.get(name) {
                        // One that was never heard said something when it last wrote something.
                        let at =
                            last_sign(&self.store, name).min(asked - patience.as_secs() as i64);
                        let entry = entry.clone();
                        self.heard.insert(name.clone(), Last { at, asked, entry });
                    }
                }
                Heard::Unreachable => {
                    self.heard.remove(name);
                }
            }
        }
    }

    /// Judges a session beside its engine, if one runs it.
    fn beside_engine(&self, entry: &mut Entry) {
        if entry.pid.is_none() {
            return;
        }
        let Some(last) = self.heard.get(&entry.name) else {
            entry.standing = entry.standing.clone().beside_engine(None, now());
            return;
        };
        let told = &last.entry;
        if !told.standing.is_unread() {
            (entry.done, entry.total) = (told.done, told.total);
            entry.headline.clone_from(&told.headline);
        }
        let silent = last.asked - last.at >= SILENCE;
        entry.standing = match &told.standing {
            // One that waits has nothing to say.
            Standing::Paused => Standing::Paused,
            standing if standing.has_engine() && !silent => standing.clone(),
            _ => entry
                .standing
                .clone()
                .beside_engine(Some(last.at), last.asked),
        };
    }
}

/// A file longer than this is not read beside another.
const LARGE: u64 = 1 << 20;

/// When anything was last written for a session, seconds since the Unix epoch.
fn last_sign(store: &Store, name: &str) -> i64 {
    let written = [store.path(name), store.log_path(name)].map(|path| {
        let written = std::fs::metadata(path).and_then(|file| file.modified());
        let since = written
            .ok()
            .and_then(|it| it.duration_since(UNIX_EPOCH).ok());
        since.map_or(0, |since| since.as_secs() as i64)
    });
    written.into_iter().max().unwrap_or(0)
}

/// What the file says; whether an engine runs it is not in there.
fn read(store: &Store, name: &str) -> Entry {
    match store.head(name) {
        Ok(session) if session.record.sharding.is_some() => divided(store, &session),
        Ok(session) => sound(&session),
        Err(error) => Entry {
            name: name.to_owned(),
            standing: Standing::of_error(&error),
            done: 0,
            total: 0,
            updated: None,
            pid: None,
            headline: String::new(),
            is_divided: false,
        },
    }
}

/// What the files of its shards say together.
fn divided(store: &Store, session: &Session) -> Entry {
    let looked = Watch::new(store.clone(), &session.name).look();
    let Ok(Some(session)) = looked else {
        return sound(session);
    };
    let mut entry = sound(&session);
    entry.is_divided = true;
    let shards = session.run.as_ref().map_or(&[][..], |run| &run.shards);
    entry.done += shards.iter().map(|it| it.done).sum::<u64>();
    entry.headline = format!(
        "{} {}  {} shards: {}",
        session.config.dataset_label(),
        format::clean(&session.config.network.label()),
        shards.len(),
        shards_in_words(shards)
    );
    entry
}

fn sound(session: &Session) -> Entry {
    let (done, total) = session.trials();
    let record = &session.record;
    Entry {
        name: session.name.clone(),
        standing: Standing::of(session, Some(now())),
        done,
        total,
        updated: (record.updated > 0).then_some(record.updated),
        pid: None,
        headline: headline(session),
        is_divided: false,
    }
}

/// A session as its engine tells it, or as its file has it where none answers; and how it stands.
///
/// # Errors
/// Where its file cannot be read and no engine tells it.
pub fn judged(store: &Store, name: &str) -> Result<(Session, Standing), StoreError> {
    if store
        .head(name)
        .is_ok_and(|it| it.record.sharding.is_some())
    {
        let mut session = store.load_whole(name)?;
        if let Some(looked) = Watch::new(store.clone(), name).look()? {
            session.run = looked.run;
        }
        let standing = Standing::of(&session, Some(now()));
        return Ok((session, standing));
    }
    if store.engine(name).is_none() {
        let session = store.load(name)?;
        let standing = Standing::of(&session, None);
        return Ok((session, standing));
    }
    let patience = Duration::from_secs(SILENCE as u64);
    let heard = match runtime() {
        Ok(runtime) => runtime.block_on(client::now(store, name, patience)),
        Err(_) => Heard::Unreachable,
    };
    let since = match heard {
        Heard::Session(session) => {
            let standing = Standing::of(&session, Some(now()));
            return Ok((*session, standing));
        }
        Heard::Nothing => Some(last_sign(store, name).min(now() - SILENCE)),
        Heard::Unreachable => None,
    };
    let mut session = store.load(name)?;
    let standing = match store.engine(name) {
        Some(engine) => {
            let standing = Standing::of(&session, None).beside_engine(since, now());
            session.run = Some(unheard(&engine, session.record.updated));
            standing
        }
        // It has ended meanwhile.
        None => Standing::of(&session, None),
    };
    Ok((session, standing))
}

/// What is known of a run whose engine does not answer: that it runs.
fn unheard(engine: &EngineOf, updated: i64) -> Run {
    Run {
        phase: Phase::Working(0),
        problem: Some(format!(
            "{} runs it and cannot be reached from here: this is its checkpoint of {}. `kill -TERM {}` stops it after one more",
            engine.words(),
            timestamp(updated),
            engine.pid
        )),
        ..Run::default()
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
        let entries = listing.entries(PATIENCE).unwrap_or_default();
        entries.into_iter().map(Row::from).collect()
    }
}

/// Looks what is in the files of a session.
pub fn contents(store: &Store) -> impl Fn(&str) -> Contents + Send + Sync + 'static {
    let store = store.clone();
    move |name| {
        let held = |read: Result<Session, StoreError>| {
            read.map(|session| Held::of(&session))
                .map_err(|error| error.to_string())
        };
        Contents {
            file: held(store.load(name)),
            previous: store.previous(name).transpose().map(held),
        }
    }
}
