//! The list of a folder's sessions, for `ls` and the browser.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::signals::runtime;
use crate::format;
use crate::link::client::{self, EngineAnswer};
use crate::link::shards::ShardWatcher;
use crate::report::SessionStatus;
use crate::report::session_status::SILENCE;
use crate::session::Session;
use crate::session::store::{Store, StoreError, now};
use crate::stats::sums::total;
use crate::tui::browser::{FileContents, SessionContents, SessionRow};

/// How long an engine may take to send its state, in the browser's refreshed list.
const PATIENCE: Duration = Duration::from_secs(1);
/// Querying engines takes at most about one part in this many of the time.
const SELDOM: u32 = 20;

/// One session of the folder.
#[derive(Debug, Clone)]
pub struct SessionEntry {
    /// Its name.
    pub name: String,
    /// Its standing.
    pub standing: SessionStatus,
    /// Trials done.
    pub done: u64,
    /// Trials planned.
    pub total: u64,
    /// When its file was last written, seconds since the Unix epoch.
    pub updated: Option<i64>,
    /// Process id of its engine.
    pub pid: Option<u32>,
    /// A summary: data set, network, accuracy, progress.
    pub headline: String,
    /// The stages still open once all trials are done.
    pub open: Option<String>,
    /// What keeps its running engine from saving it, and what to do.
    pub problem: Option<String>,
    /// Whether it is divided, so that this entry also depends on its shards' files.
    pub is_divided: bool,
}

impl SessionEntry {
    /// The entry of a session of which nothing but its standing is known.
    pub fn unread(name: &str, standing: SessionStatus) -> Self {
        Self {
            name: name.to_owned(),
            standing,
            done: 0,
            total: 0,
            updated: None,
            pid: None,
            headline: String::new(),
            open: None,
            problem: None,
            is_divided: false,
        }
    }
}

/// An engine's last reply.
#[derive(Debug)]
struct LastReply {
    /// When it was sent, in seconds since the Unix epoch.
    at: i64,
    /// When the engine was last queried.
    asked: i64,
    entry: SessionEntry,
}

/// A folder's list that can be refreshed: rereads a file only if it has changed.
#[derive(Debug)]
pub struct SessionList {
    store: Store,
    read: HashMap<String, (SystemTime, SessionEntry)>,
    /// The engines' last replies.
    replies: HashMap<String, LastReply>,
    /// When engines may be queried again.
    next_query: Instant,
}

impl SessionList {
    /// The list of a store's folder.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            read: HashMap::new(),
            replies: HashMap::new(),
            next_query: Instant::now(),
        }
    }

    /// Every session of the folder, by name, from the head of its file, if that can be read, and its engine's reply.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn entries(&mut self, patience: Duration) -> Result<Vec<SessionEntry>, StoreError> {
        let names = self.store.names()?;
        // Large files are read one at a time.
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
        let running = |entry: &&SessionEntry| entry.pid.is_some();
        let running: Vec<String> = entries
            .iter()
            .filter(running)
            .map(|entry| entry.name.clone())
            .collect();
        self.replies.retain(|name, _| running.contains(name));
        if Instant::now() >= self.next_query && !running.is_empty() {
            self.query(&running, patience);
        }
        for entry in &mut entries {
            self.apply_reply(entry);
        }
        Ok(entries)
    }

    /// A session's entry as read from its file, and when the file was written.
    fn entry(&self, name: &str, large: &Mutex<()>) -> (SystemTime, SessionEntry) {
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

    /// Queries the engines concurrently.
    fn query(&mut self, names: &[String], patience: Duration) {
        let Ok(runtime) = runtime() else { return };
        let began = Instant::now();
        let all = names
            .iter()
            .map(|name| client::query(&self.store, name, patience));
        let replies = runtime.block_on(join_all(all));
        self.next_query = Instant::now() + SELDOM * began.elapsed().saturating_sub(patience / 2);
        let asked = now();
        for (name, reply) in names.iter().zip(replies) {
            match reply {
                EngineAnswer::Session(session) => {
                    let sent = session.run.as_ref().map_or(0, |run| run.at);
                    let at = if sent > 0 { sent } else { asked };
                    let entry = session_entry(&session);
                    let reply = LastReply { at, asked, entry };
                    self.replies.insert(name.clone(), reply);
                }
                EngineAnswer::NoAnswer => {
                    if let Some(last) = self.replies.get_mut(name) {
                        last.asked = asked;
                    } else if let Some((_, entry)) = self.read.get(name) {
                        // An engine that has never replied was last active when it last wrote a file.
                        let at =
                            last_written(&self.store, name).min(asked - patience.as_secs() as i64);
                        let entry = entry.clone();
                        let reply = LastReply { at, asked, entry };
                        self.replies.insert(name.clone(), reply);
                    }
                }
                EngineAnswer::Unreachable => {
                    self.replies.remove(name);
                }
            }
        }
    }

    /// Updates an entry by its engine's last reply, if an engine runs the session.
    fn apply_reply(&self, entry: &mut SessionEntry) {
        if entry.pid.is_none() {
            return;
        }
        let Some(last) = self.replies.get(&entry.name) else {
            entry.standing = entry.standing.clone().with_engine(None, now());
            return;
        };
        let reply = &last.entry;
        if !reply.standing.is_unread() {
            (entry.done, entry.total) = (reply.done, reply.total);
            entry.headline.clone_from(&reply.headline);
            entry.open.clone_from(&reply.open);
        }
        entry.problem.clone_from(&reply.problem);
        let silent = last.asked - last.at >= SILENCE;
        entry.standing = match &reply.standing {
            // A paused engine sends nothing new, so it is not hung.
            SessionStatus::Paused => SessionStatus::Paused,
            standing if standing.has_engine() && !silent => standing.clone(),
            _ => entry
                .standing
                .clone()
                .with_engine(Some(last.at), last.asked),
        };
    }
}

/// A file longer than this many bytes is not read in parallel with another.
const LARGE: u64 = 1 << 20;

/// When a session's file or log was last written, in seconds since the Unix epoch.
pub fn last_written(store: &Store, name: &str) -> i64 {
    let written = [store.path(name), store.log_path(name)].map(|path| {
        let written = std::fs::metadata(path).and_then(|file| file.modified());
        let since = written
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        since.map_or(0, |since| since.as_secs() as i64)
    });
    written.into_iter().max().unwrap_or(0)
}

/// A session's entry from its file alone, without its engine.
fn read(store: &Store, name: &str) -> SessionEntry {
    match store.load_short_head(name) {
        Ok(session) if session.record.sharding.is_some() => divided_entry(store, &session),
        Ok(session) => session_entry(&session),
        Err(error) => SessionEntry::unread(name, SessionStatus::from_error(&error)),
    }
}

/// The entry of a divided session, from its shards' files.
fn divided_entry(store: &Store, session: &Session) -> SessionEntry {
    let looked = ShardWatcher::new(store.clone(), &session.name).poll();
    let Ok(Some(session)) = looked else {
        return session_entry(session);
    };
    let mut entry = session_entry(&session);
    entry.is_divided = true;
    let shards = session.run.as_ref().map_or(&[][..], |run| &run.shards);
    let done = shards.iter().map(|shard| shard.done);
    entry.done = total(done.chain([entry.done]));
    entry.headline = format!(
        "{} {}  {}",
        format::clean(session.config.dataset_label()),
        format::clean(&session.config.network.label()),
        session.shards_in_words()
    );
    entry
}

fn session_entry(session: &Session) -> SessionEntry {
    let (done, total) = session.trials();
    let record = &session.record;
    let problem = session.run.as_ref().and_then(|run| run.problem.as_deref());
    SessionEntry {
        name: session.name.clone(),
        standing: SessionStatus::from_session(session, Some(now())),
        done,
        total,
        updated: (record.updated > 0).then_some(record.updated),
        pid: None,
        headline: headline(session),
        open: session.open_after_trials(),
        problem: problem.map(format::clean),
        is_divided: false,
    }
}

/// Data set, network, test accuracy and, if unfinished, the current stage.
fn headline(session: &Session) -> String {
    let config = &session.config;
    let training = session.record.training.as_ref();
    let accuracy = training.and_then(|training| training.test_accuracy);
    let accuracy = accuracy.map_or_else(String::new, |share| {
        let chance = training.is_some_and(|training| training.at_chance);
        let chance = if chance { ", at chance" } else { "" };
        format!("  test {}{chance}", format::percent(share))
    });
    let stage = session.current_stage();
    let stage = stage.map_or_else(String::new, |stage| {
        let share = stage.done as f64 / stage.total.max(1) as f64;
        format!("  at {}, {:.0} %", stage.name, (100.0 * share).floor())
    });
    format!(
        "{} {}{accuracy}{stage}",
        format::clean(config.dataset_label()),
        format::clean(&config.network.label())
    )
}

/// A function that rereads the sessions for the browser's list.
pub fn rows(store: &Store) -> impl Fn() -> Vec<SessionRow> + Send + 'static {
    let listing = Mutex::new(SessionList::new(store.clone()));
    move || {
        let mut listing = listing.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = listing.entries(PATIENCE).unwrap_or_default();
        entries.into_iter().map(SessionRow::from).collect()
    }
}

/// A function that reads what a session's files contain.
pub fn contents(store: &Store) -> impl Fn(&str) -> SessionContents + Send + Sync + 'static {
    let store = store.clone();
    move |name| {
        let held = |read: Result<Session, StoreError>| {
            read.map(|session| FileContents::of(&session))
                .map_err(|error| error.to_string())
        };
        SessionContents {
            file: held(store.load(name)),
            previous: store.previous(name).transpose().map(held),
        }
    }
}
