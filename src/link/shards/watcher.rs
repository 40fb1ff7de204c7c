//! Reading the state of a sharded session from its shards' files.
//!
//! File metadata may be seconds old, and machines' clocks may differ by hours. So ages are differences between two
//! times of the file system, and an engine on another machine counts as alive while its heartbeat advances.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant, SystemTime};

use super::head::{FileVersion, KnownHead, version_of};
use crate::format::counted;
use crate::session::record::shard::is_divided;
use crate::session::run::{Checkpoint, Phase, RATES, ShardState, ShardStatus};
use crate::session::store::{BEAT, LifeSign, Store, StoreError, now, shard_name};
use crate::session::{Run, SavedState, Session};

/// A remote engine whose heartbeat has stopped for longer than this is gone: several beats, plus file system delay.
const SILENCE: Duration = Duration::from_secs(5 * BEAT.as_secs() + 5);
/// A remote engine seen for the first time counts as alive if its lock was written this recently.
const FRESH_LOCK: Duration = Duration::from_secs(30);
/// Checkpoints an engine may miss before it counts as stalled, and how many seconds one may take.
const MISSED: f64 = 3.0;
const SLACK_S: f64 = 30.0;
/// A node's clock further than this from the file system's is reported.
const CLOCK_S: i64 = 300;

/// A shard's file as last read.
#[derive(Debug)]
struct CachedShard {
    version: FileVersion,
    written: Option<SystemTime>,
    head: Result<Session, String>,
}

/// An engine's heartbeat, and since when it has not advanced.
#[derive(Debug)]
struct Beat {
    beat: u64,
    since: Instant,
    /// Whether it has been seen to advance.
    advances: bool,
}

/// Watches a sharded session, and keeps what it has read so far.
#[derive(Debug)]
pub struct ShardWatcher {
    store: Store,
    name: String,
    head: KnownHead,
    files: HashMap<u32, CachedShard>,
    beats: HashMap<u32, Beat>,
    /// The newest time seen on the file system, and when it was seen.
    newest: Option<(SystemTime, Instant)>,
    rates: Vec<f32>,
    began: Instant,
}

impl ShardWatcher {
    /// Watches the named session.
    pub fn new(store: Store, name: &str) -> Self {
        Self {
            store,
            name: name.to_owned(),
            head: KnownHead::default(),
            files: HashMap::new(),
            beats: HashMap::new(),
            newest: None,
            rates: Vec::new(),
            began: Instant::now(),
        }
    }

    /// Reads all files once: gives the session without its arrays, with the state of its run; `None` if it is no
    /// longer sharded.
    ///
    /// # Errors
    /// If the session's own file cannot be read.
    pub fn poll(&mut self) -> Result<Option<Session>, StoreError> {
        let mut session = self.head.read(&self.store, &self.name)?.clone();
        let Some(sharding) = session.record.sharding.clone() else {
            return Ok(None);
        };
        let mut signs = HashMap::new();
        for index in 1..=sharding.count {
            let name = shard_name(&self.name, index, sharding.count);
            if let Some(sign) = self.read(index, &name) {
                signs.insert(index, sign);
            }
        }
        let mut shards: Vec<ShardState> = (1..=sharding.count)
            .map(|index| self.state(&session, index, signs.get(&index)))
            .collect();
        let any_at_work = shards.iter().any(|shard| shard.standing.is_at_work());
        for shard in &mut shards {
            let file = self.files.get(&shard.index);
            shard.saved_s = file
                .filter(|_| shard.saved_s.is_some())
                .and_then(|file| self.saved_s(file.written, any_at_work));
        }
        session.run = Some(self.run(&session, shards));
        Ok(Some(session))
    }

    /// Reads a shard's file if it has changed, and gives its engine's sign of life.
    fn read(&mut self, index: u32, name: &str) -> Option<LifeSign> {
        match fs::metadata(self.store.path(name)) {
            Err(_) => {
                self.files.remove(&index);
            }
            Ok(metadata) => {
                let version = version_of(&metadata);
                let written = metadata.modified().ok();
                self.tick(written);
                if self
                    .files
                    .get(&index)
                    .is_none_or(|file| file.version != version)
                {
                    let head = self
                        .store
                        .load_head(name)
                        .map_err(|error| error.to_string());
                    let file = CachedShard {
                        version,
                        written,
                        head,
                    };
                    self.files.insert(index, file);
                }
            }
        }
        let sign = self.store.life_sign(name)?;
        self.tick(sign.written);
        let fresh = Beat {
            beat: sign.beat,
            since: Instant::now(),
            advances: false,
        };
        let known = self.beats.entry(index).or_insert(Beat { ..fresh });
        if known.beat != sign.beat {
            *known = Beat {
                beat: sign.beat,
                since: Instant::now(),
                advances: true,
            };
        }
        Some(sign)
    }

    /// Remembers the newest time seen on the file system.
    fn tick(&mut self, time: Option<SystemTime>) {
        if let Some(time) = time
            && self.newest.is_none_or(|(newest, _)| time > newest)
        {
            self.newest = Some((time, Instant::now()));
        }
    }

    /// Time since something was written, by the file system's clock.
    fn age_s(&self, written: Option<SystemTime>) -> Option<f64> {
        let (newest, seen_at) = self.newest?;
        let before = newest.duration_since(written?).ok()?;
        Some((before + seen_at.elapsed()).as_secs_f64())
    }

    /// The same, but by this machine's clock if no shard is at work, since the file system's then does not advance.
    fn saved_s(&self, written: Option<SystemTime>, any_at_work: bool) -> Option<f64> {
        let age = self.age_s(written);
        let local = local_age(written).map(|age| age.as_secs_f64());
        match (any_at_work, age, local) {
            (false, Some(age), Some(local)) => Some(age.max(local)),
            _ => age,
        }
    }

    /// Whether an engine is alive, as far as can be seen from here.
    fn is_alive(&self, index: u32, sign: Option<&LifeSign>) -> bool {
        let Some(sign) = sign else { return false };
        let beats = || {
            let Some(beat) = self.beats.get(&index) else {
                return false;
            };
            // An engine seen for the first time may be long dead: until its heartbeat advances, this machine's
            // clock decides.
            let fresh = || local_age(sign.written).is_some_and(|age| age < FRESH_LOCK);
            beat.since.elapsed() < SILENCE && (beat.advances || fresh())
        };
        sign.lives.unwrap_or_else(beats)
    }

    fn state(&self, whole: &Session, index: u32, sign: Option<&LifeSign>) -> ShardState {
        let lives = self.is_alive(index, sign);
        let mut state = ShardState {
            index,
            ..ShardState::default()
        };
        let Some(file) = self.files.get(&index) else {
            state.standing = match lives {
                true => ShardStatus::Waiting,
                false => ShardStatus::NotBegun,
            };
            return state;
        };
        state.saved_s = self.age_s(file.written);
        let head = match &file.head {
            Ok(head) => head,
            Err(problem) => {
                state.standing = ShardStatus::Failed;
                state.note = Some(problem.clone());
                return state;
            }
        };
        if whole.has_merged(head) {
            state.saved_s = None;
            return state;
        }
        (state.done, state.total) = head.trials();
        state.stages = head
            .config
            .analyses
            .iter()
            .zip(&head.record.analyses)
            .map(|(plan, record)| record.progress(plan))
            .collect();
        state.device = head.record.devices.last().cloned().unwrap_or_default();
        if let Some(shard) = &head.record.shard {
            state.node.clone_from(&shard.node);
            state.job.clone_from(&shard.job);
            state.per_second = shard.per_second.filter(|_| lives);
            state.eta_s = shard.eta_s.filter(|_| lives);
        }
        let patience = MISSED * head.config.checkpoint_s + SLACK_S;
        let late = state.saved_s.is_some_and(|age| age > patience);
        state.standing = match (&head.record.state, lives) {
            (SavedState::Finished, _) => ShardStatus::Done,
            (SavedState::Failed(problem), false) => {
                state.note = Some(problem.clone());
                ShardStatus::Failed
            }
            (_, true) if late => ShardStatus::Stalled,
            (SavedState::New, true) => ShardStatus::Waiting,
            (_, true) => ShardStatus::Working,
            (SavedState::New, false) => ShardStatus::NotBegun,
            (SavedState::Running, false) => ShardStatus::Died,
            (SavedState::Stopped, false) => ShardStatus::Stopped,
        };
        if let Err(error) = whole.check_shard(head) {
            // A head has no weights; those are compared when shards are merged.
            if !error.is_of_weights() {
                state.standing = ShardStatus::Failed;
                state.note = Some(error.to_string());
            }
        }
        let ahead = self.clock_ahead_s(file.written, head.record.updated);
        if state.note.is_none() && ahead.abs() > CLOCK_S {
            state.note = Some(format!(
                "{}'s clock is {} {} the file system's",
                state.node,
                crate::format::duration(ahead.unsigned_abs() as f64),
                if ahead > 0 { "ahead of" } else { "behind" }
            ));
        }
        state
    }

    /// Seconds by which a node's clock is ahead of the file system's.
    fn clock_ahead_s(&self, written: Option<SystemTime>, updated: i64) -> i64 {
        let written = written.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        match written {
            Some(written) if updated > 0 => updated - written.as_secs() as i64,
            _ => 0,
        }
    }

    /// The state of the run, from all shards together.
    fn run(&mut self, session: &Session, shards: Vec<ShardState>) -> Run {
        let mut stages = session.stages();
        for (index, plan) in session.config.analyses.iter().enumerate() {
            let Some(stage) = stages.get_mut(index + 1) else {
                continue;
            };
            let shares = shards.iter().filter_map(|shard| shard.stages.get(index));
            for (done, total) in shares {
                stage.done = stage.done.saturating_add(*done);
                stage.total = stage.total.max(*total);
            }
            stage.finished = is_divided(plan) && stage.total > 0 && stage.done >= stage.total;
        }
        let rate: f64 = shards.iter().filter_map(|shard| shard.per_second).sum();
        if self.rates.len() == RATES {
            self.rates.remove(0);
        }
        self.rates.push(rate as f32);
        // The slowest one decides when all are done.
        let eta = shards
            .iter()
            .filter_map(|shard| shard.eta_s)
            .reduce(f64::max);
        let saved = shards.iter().filter_map(|shard| shard.saved_s);
        let checkpoint = saved.reduce(f64::min).map(|age| Checkpoint {
            at: now() - age as i64,
            bytes: 0,
            millis: 0.0,
        });
        let at_work = |shard: &&ShardState| shard.standing.is_at_work();
        let working = shards.iter().filter(at_work).count();
        let open = stages.iter().position(|stage| !stage.finished);
        let current = open.unwrap_or(stages.len().saturating_sub(1));
        if let Some(stage) = stages.get_mut(current) {
            stage.per_second = (rate > 0.0).then_some(rate);
            stage.eta_s = eta;
        }
        Run {
            phase: match working {
                0 => Phase::Stopped,
                _ => Phase::Working(current),
            },
            device: counted(shards.len() as u64, "shard", "shards"),
            stages,
            rates: self.rates.clone(),
            up_s: self.began.elapsed().as_secs_f64(),
            eta_s: eta,
            at: now(),
            checkpoint,
            shards,
            ..Run::default()
        }
    }
}

/// Time since something was written, by this machine's clock.
fn local_age(written: Option<SystemTime>) -> Option<Duration> {
    SystemTime::now().duration_since(written?).ok()
}
