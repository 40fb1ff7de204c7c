//! A divided session, watched from the files of its shards alone, so from any machine that sees them.
//!
//! What a file system tells may be seconds old, and the clocks of machines hours apart: how old something is, is the
//! difference of two times of the file system, and an engine elsewhere lives while its beat goes on.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use super::{Connection, Link};
use crate::session::record::shard::is_divided;
use crate::session::run::{Checkpoint, Phase, RATES, ShardStanding, ShardState};
use crate::session::store::{BEAT, Sign, Store, StoreError, now, shard_name};
use crate::session::{Run, Session, State};

/// Time between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);
/// An engine elsewhere whose beat stands still for longer is gone: some beats, and what a file system may keep back.
const SILENCE: Duration = Duration::from_secs(5 * BEAT.as_secs() + 5);
/// An engine elsewhere that is seen for the first time lives where its lock was written so lately.
const HEARD: Duration = Duration::from_secs(30);
/// Checkpoints that an engine may miss before it counts as stalled, and what one may take in seconds.
const MISSED: f64 = 3.0;
const SLACK_S: f64 = 30.0;
/// Adding all shards takes no more than one part in so many of the time.
const SELDOM: u32 = 8;
/// A node's clock that is farther from that of the file system is told.
const CLOCK_S: i64 = 300;

/// A file as it was read last.
#[derive(Debug)]
struct Seen {
    /// What tells one state of the file from another.
    state: (u64, i64, i64),
    written: Option<SystemTime>,
    head: Result<Session, String>,
}

/// An engine's beat, and since when it stands.
#[derive(Debug)]
struct Beat {
    beat: u64,
    since: Instant,
    /// Whether it was seen to go on.
    goes_on: bool,
}

/// Who watches, and what it has seen so far.
#[derive(Debug)]
pub struct Watch {
    store: Store,
    name: String,
    seen: HashMap<u32, Seen>,
    beats: HashMap<u32, Beat>,
    /// The newest time of the file system, and when it was seen.
    newest: Option<(SystemTime, Instant)>,
    rates: Vec<f32>,
    began: Instant,
}

impl Watch {
    /// Of this session.
    pub fn new(store: Store, name: &str) -> Self {
        Self {
            store,
            name: name.to_owned(),
            seen: HashMap::new(),
            beats: HashMap::new(),
            newest: None,
            rates: Vec::new(),
            began: Instant::now(),
        }
    }

    /// Looks at all files once: the session's own, without its numbers, with what is said of the run; `None` where it
    /// is not divided any more.
    ///
    /// # Errors
    /// Where the session's own file cannot be read.
    pub fn look(&mut self) -> Result<Option<Session>, StoreError> {
        let mut session = self.store.head(&self.name)?;
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
        let somebody = shards.iter().any(|it| it.standing.is_at_work());
        for shard in &mut shards {
            let seen = self.seen.get(&shard.index);
            shard.saved_s = seen
                .filter(|_| shard.saved_s.is_some())
                .and_then(|seen| self.saved_s(seen.written, somebody));
        }
        session.run = Some(self.run(&session, shards));
        Ok(Some(session))
    }

    /// Reads a shard's file where it has changed, and gives the sign of its engine.
    fn read(&mut self, index: u32, name: &str) -> Option<Sign> {
        match fs::metadata(self.store.path(name)) {
            Err(_) => {
                self.seen.remove(&index);
            }
            Ok(about) => {
                let state = (about.ino(), about.mtime(), about.mtime_nsec());
                let written = about.modified().ok();
                self.tick(written);
                if self.seen.get(&index).is_none_or(|seen| seen.state != state) {
                    let head = self.store.head(name).map_err(|error| error.to_string());
                    let seen = Seen {
                        state,
                        written,
                        head,
                    };
                    self.seen.insert(index, seen);
                }
            }
        }
        let sign = self.store.sign(name)?;
        self.tick(sign.written);
        let fresh = Beat {
            beat: sign.beat,
            since: Instant::now(),
            goes_on: false,
        };
        let known = self.beats.entry(index).or_insert(Beat { ..fresh });
        if known.beat != sign.beat {
            *known = Beat {
                beat: sign.beat,
                since: Instant::now(),
                goes_on: true,
            };
        }
        Some(sign)
    }

    fn tick(&mut self, time: Option<SystemTime>) {
        if let Some(time) = time
            && self.newest.is_none_or(|(newest, _)| time > newest)
        {
            self.newest = Some((time, Instant::now()));
        }
    }

    /// How long ago something was written, by the clock of the file system.
    fn age_s(&self, written: Option<SystemTime>) -> Option<f64> {
        let (newest, seen) = self.newest?;
        let before = newest.duration_since(written?).ok()?;
        Some((before + seen.elapsed()).as_secs_f64())
    }

    /// The same, by this machine's clock where nobody writes any more, so that the file system's stands still.
    fn saved_s(&self, written: Option<SystemTime>, somebody: bool) -> Option<f64> {
        let own = self.age_s(written);
        let local = local_age(written).map(|age| age.as_secs_f64());
        match (somebody, own, local) {
            (false, Some(own), Some(local)) => Some(own.max(local)),
            _ => own,
        }
    }

    /// Whether an engine lives, as far as can be seen from here.
    fn lives(&self, index: u32, sign: Option<&Sign>) -> bool {
        let Some(sign) = sign else { return false };
        let beats = || {
            let Some(beat) = self.beats.get(&index) else {
                return false;
            };
            // What is seen for the first time may be long dead: until it goes on, this machine's clock judges it.
            let fresh = || local_age(sign.written).is_some_and(|age| age < HEARD);
            beat.since.elapsed() < SILENCE && (beat.goes_on || fresh())
        };
        sign.lives.unwrap_or_else(beats)
    }

    fn state(&self, whole: &Session, index: u32, sign: Option<&Sign>) -> ShardState {
        let lives = self.lives(index, sign);
        let mut state = ShardState {
            index,
            ..ShardState::default()
        };
        let Some(seen) = self.seen.get(&index) else {
            state.standing = match lives {
                true => ShardStanding::Waiting,
                false => ShardStanding::NotBegun,
            };
            return state;
        };
        state.saved_s = self.age_s(seen.written);
        let head = match &seen.head {
            Ok(head) => head,
            Err(problem) => {
                state.standing = ShardStanding::Failed;
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
            .map(|(plan, own)| own.progress(plan))
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
            (State::Finished, _) => ShardStanding::Done,
            (State::Failed(problem), false) => {
                state.note = Some(problem.clone());
                ShardStanding::Failed
            }
            (_, true) if late => ShardStanding::Stalled,
            (State::New, true) => ShardStanding::Waiting,
            (_, true) => ShardStanding::Working,
            (State::New, false) => ShardStanding::NotBegun,
            (State::Running, false) => ShardStanding::Died,
            (State::Stopped, false) => ShardStanding::Stopped,
        };
        if let Err(error) = whole.check_shard(head) {
            // The weights are not read with a head: they are compared when shards are merged.
            if !error.is_of_weights() {
                state.standing = ShardStanding::Failed;
                state.note = Some(error.to_string());
            }
        }
        let ahead = self.clock_ahead_s(seen.written, head.record.updated);
        if state.note.is_none() && ahead.abs() > CLOCK_S {
            state.note = Some(format!(
                "the clock of {} is {} {} the file system's",
                state.node,
                crate::format::duration(ahead.unsigned_abs() as f64),
                if ahead > 0 { "before" } else { "behind" }
            ));
        }
        state
    }

    /// Seconds by which a node's clock is before the file system's.
    fn clock_ahead_s(&self, written: Option<SystemTime>, updated: i64) -> i64 {
        let written = written.and_then(|it| it.duration_since(SystemTime::UNIX_EPOCH).ok());
        match written {
            Some(written) if updated > 0 => updated - written.as_secs() as i64,
            _ => 0,
        }
    }

    /// What is said of the run, from all shards together.
    fn run(&mut self, session: &Session, shards: Vec<ShardState>) -> Run {
        let mut stages = session.stages();
        for (index, plan) in session.config.analyses.iter().enumerate() {
            let Some(stage) = stages.get_mut(index + 1) else {
                continue;
            };
            let own = shards.iter().filter_map(|shard| shard.stages.get(index));
            for (done, total) in own {
                stage.done += done;
                stage.total = stage.total.max(*total);
            }
            stage.finished = is_divided(plan) && stage.total > 0 && stage.done >= stage.total;
        }
        let rate: f64 = shards.iter().filter_map(|it| it.per_second).sum();
        if self.rates.len() == RATES {
            self.rates.remove(0);
        }
        self.rates.push(rate as f32);
        // The last one decides when all are done.
        let eta = shards.iter().filter_map(|it| it.eta_s).reduce(f64::max);
        let saved = shards.iter().filter_map(|it| it.saved_s);
        let checkpoint = saved.reduce(f64::min).map(|age| Checkpoint {
            at: now() - age as i64,
            bytes: 0,
            millis: 0.0,
        });
        let at_work = |it: &&ShardState| it.standing.is_at_work();
        let working = shards.iter().filter(at_work).count();
        let open = stages.iter().position(|stage| !stage.finished);
        let here = open.unwrap_or(stages.len().saturating_sub(1));
        if let Some(stage) = stages.get_mut(here) {
            stage.per_second = (rate > 0.0).then_some(rate);
            stage.eta_s = eta;
        }
        Run {
            phase: match working {
                0 => Phase::Stopped,
                _ => Phase::Working(here),
            },
            device: format!("{} shards", shards.len()),
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

/// How long ago something was written, by the clock of this machine.
fn local_age(written: Option<SystemTime>) -> Option<Duration> {
    SystemTime::now().duration_since(written?).ok()
}

/// Follows a divided session. Ends when the link is dropped, or when it is whole again.
pub fn watch(store: Store, session: Session) -> Link {
    let name = session.name.clone();
    let log = Some(store.log_path(&name));
    let (publish, sessions) = watch::channel(Arc::new(session));
    let (connected, connection) = watch::channel(Connection::Watched);
    std::thread::spawn(move || follow(&store, &name, &publish, &connected));
    Link {
        sessions,
        commands: None,
        connection,
        refused: watch::channel(String::new()).1,
        log,
    }
}

fn follow(
    store: &Store,
    name: &str,
    publish: &watch::Sender<Arc<Session>>,
    connected: &watch::Sender<Connection>,
) {
    let mut looks = Watch::new(store.clone(), name);
    let sum: Arc<Mutex<Option<Session>>> = Arc::default();
    // It ends by itself once nobody wants the sum.
    let (adds, of, wanted) = (store.clone(), name.to_owned(), Arc::downgrade(&sum));
    std::thread::spawn(move || add_again_and_again(&adds, &of, &wanted));
    while !publish.is_closed() {
        match looks.look() {
            Ok(None) => {
                if let Ok(session) = store.load(name) {
                    publish.send_replace(Arc::new(session));
                }
                connected.send_replace(Connection::ReadOnly);
                break;
            }
            Ok(Some(seen)) => {
                let added = sum.lock().unwrap_or_else(PoisonError::into_inner).take();
                let mut session = added.unwrap_or_else(|| Session::clone(&publish.borrow()));
                session.run = seen.run;
                session.record.sharding = seen.record.sharding;
                publish.send_replace(Arc::new(session));
            }
            // A file system that is away for a moment: what is known stays in sight.
            Err(_) => {}
        }
        std::thread::sleep(LOOK);
    }
}

/// Adds all shards whenever one has changed, for as long as somebody wants it.
fn add_again_and_again(
    store: &Store,
    name: &str,
    wanted: &std::sync::Weak<Mutex<Option<Session>>>,
) {
    let mut before = Vec::new();
    let mut pause = LOOK;
    while let Some(place) = wanted.upgrade() {
        let state = files(store, name);
        if state != before {
            let began = Instant::now();
            if let Ok(session) = store.load_whole(name) {
                before = state;
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
            }
            pause = LOOK.max(began.elapsed() * SELDOM);
        }
        drop(place);
        let until = Instant::now() + pause;
        while Instant::now() < until && wanted.strong_count() > 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The states of a session's files.
fn files(store: &Store, name: &str) -> Vec<(u64, i64, i64)> {
    let of = |path: &std::path::Path| {
        fs::metadata(path).map_or((0, 0, 0), |it| (it.ino(), it.mtime(), it.mtime_nsec()))
    };
    let mut all = vec![of(&store.path(name))];
    let count = store.head(name).ok().and_then(|it| it.record.sharding);
    let shards = count.and_then(|it| store.shards(name, it.count).ok());
    all.extend(shards.unwrap_or_default().iter().map(|it| of(&it.path)));
    all
}
