//! `noisescope run NAME --shard i/n`: runs one shard of a session, in a separate file.
//!
//! The first shard to start divides the session and trains its network, holding the session's lock; the others wait for
//! the network. From then on shards are independent.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::engine::{self, ForegroundEnd};
use super::output::print_line;
use super::run::RunArgs;
use super::scheduler;
use super::signals::{REQUEUED, SignalAction, SignalLoop};
use super::{CommandError, SessionArgs, holder};
use crate::data;
use crate::engine::device::records::Convolutions;
use crate::engine::inputs::program;
use crate::engine::{EngineOptions, Goal};
use crate::format::counted;
use crate::host::Machine;
use crate::session::record::shard::MAX_SHARDS;
use crate::session::store::{Lock, Store, StoreError, shard_name};
use crate::session::{SavedState, Session};

/// Interval between checks whether another shard has trained the network.
const POLL: Duration = Duration::from_secs(1);
/// A trained session is locked only briefly while another shard divides it; one that stays locked for longer is being
/// run as a whole.
const DIVISION_PATIENCE: Duration = Duration::from_secs(20);

/// Exit code of an engine that a viewer stopped while it trained the network.
const STOPPED: u8 = 0;

/// A shard's index, from 1, and the number of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardNumber {
    index: u32,
    count: u32,
}

impl ShardNumber {
    /// The name of this shard's session.
    pub fn session(self, whole: &str) -> String {
        shard_name(whole, self.index, self.count)
    }

    /// Parses `3/32`; with `auto`, asks the scheduler.
    ///
    /// # Errors
    /// If the text names no shard.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let (index, count) = match text {
            "auto" => scheduler::shard()?,
            _ => {
                let numbers = text.split_once('/');
                let numbers = numbers.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                numbers.ok_or_else(|| {
                    CommandError::Usage(format!(
                        "--shard {text}: must be a shard's number and their count, 1/4 to 4/4, or auto under a scheduler"
                    ))
                })?
            }
        };
        if count == 0 || count > MAX_SHARDS || index == 0 || index > count {
            return Err(CommandError::Usage(format!(
                "--shard {index}/{count}: no such shard; {count} shards are 1/{count} to {count}/{count}{}",
                if count > MAX_SHARDS {
                    format!(", and there are at most {MAX_SHARDS}")
                } else {
                    String::new()
                }
            )));
        }
        Ok(Self { index, count })
    }
}

/// Runs a shard with a line-by-line report.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &SessionArgs,
    which: ShardNumber,
    how: &RunArgs,
) -> Result<ExitCode, CommandError> {
    let mut machine = how.machine().clone();
    machine.check()?;
    machine.tell_unused()?;
    machine.workers = machine.workers.or_else(scheduler::cores);
    if how.is_detached() {
        return Err(CommandError::Usage(
            "--detach: a shard runs in the foreground, as schedulers expect; use the shell's & to run it in the background".into(),
        ));
    }
    if plan.is_given() {
        return Err(CommandError::Usage(format!(
            "--shard: the session must already exist; create it once, then run the shards without plan options: noisescope new {} …",
            plan.name
        )));
    }
    let mut ready = SignalLoop::start()?;
    let data = data::data_dir(data).map_err(CommandError::failed)?;
    let mut options = engine::options(store, data, &machine)?;
    let name = &plan.name;
    let shard_name = which.session(name);
    store.load_head(name).or_else(|_| store.load(name))?;
    let mut lock = holder::lock(store, &shard_name)?;
    if let Some(code) = prepare(store, name, which, &options, how, &mut ready)? {
        return Ok(ExitCode::from(code));
    }
    let whole = store.load(name)?;
    let mut session = open(store, &mut lock, &whole, &shard_name, which)?;
    if session.record.state == SavedState::Finished {
        print_line(format_args!(
            "shard {}/{} of {name} is already done; once all are: noisescope merge {name}",
            which.index, which.count
        ));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(shard) = &mut session.record.shard {
        shard.node = Machine::current().map_or_else(String::new, |machine| machine.name);
        shard.job = scheduler::job();
    }
    // As the shard was computed so far, else as the network was trained.
    let devices = [&session.record.devices, &whole.record.devices];
    let before = || {
        devices
            .iter()
            .find_map(|devices| Convolutions::recorded(devices))
    };
    options.convolutions = options.convolutions.or_else(before);
    let ended = engine::foreground(session, lock, options, how.foreground_options(), &mut ready)?;
    // A viewer may have stopped it; then the report has said how to resume it.
    let left = store.load_head(&shard_name).map(|left| left.record.state);
    if ended == ForegroundEnd::Completed && matches!(left, Ok(SavedState::Finished)) {
        print_line(format_args!(
            "shard {}/{} of {name} is done; once all are: noisescope merge {name}",
            which.index, which.count
        ));
    }
    Ok(ended.into())
}

/// Loads the shard's session, or creates and saves it.
fn open(
    store: &Store,
    lock: &mut Lock,
    whole: &Session,
    shard_name: &str,
    which: ShardNumber,
) -> Result<Session, CommandError> {
    let fresh = whole
        .new_shard(shard_name, which.index)
        .ok_or_else(|| CommandError::Failed(format!("{} has just been merged", whole.name)))?;
    if lock.session_exists()? {
        let session = lock.load()?;
        if !whole.has_merged(&session) {
            let checked = whole.check_shard(&session);
            checked.map_err(|error| store.foreign(&store.path(shard_name), &error))?;
            return Ok(session);
        }
    }
    lock.save(&fresh)?;
    Ok(fresh)
}

/// Ensures that the session is divided into this many shards and its network trained: does both if no other process has,
/// else waits for the one that does. Returns the exit code if a signal or a viewer stops it in the meantime.
fn prepare(
    store: &Store,
    name: &str,
    which: ShardNumber,
    options: &EngineOptions,
    how: &RunArgs,
    ready: &mut SignalLoop,
) -> Result<Option<u8>, CommandError> {
    let mut announced = false;
    let mut locked: Option<Instant> = None;
    loop {
        let session = store.load_head(name)?;
        if belongs_to_division(&session, which)? && session.is_trained() {
            return Ok(None);
        }
        match store.lock(name) {
            Ok(lock) => {
                locked = None;
                match divide_and_train(store, lock, which, options, how, ready)? {
                    Some(ForegroundEnd::Exited(code)) => return Ok(Some(code)),
                    Some(ForegroundEnd::Completed) if !store.load_head(name)?.is_trained() => {
                        return Ok(Some(STOPPED));
                    }
                    None | Some(ForegroundEnd::Completed) => {}
                }
            }
            Err(StoreError::Locked { by, .. }) => {
                let by = by.map_or_else(String::new, |by| format!(" ({by})"));
                let since = *locked.get_or_insert_with(Instant::now);
                if session.is_trained() && since.elapsed() > DIVISION_PATIENCE {
                    return Err(CommandError::Failed(format!(
                        "{name} is being run as a whole{by}; stop it first (noisescope stop {name}), or wait for it to end"
                    )));
                }
                if !announced && !session.is_trained() {
                    announced = true;
                    print_line(format_args!(
                        "shard {}/{} waits for the network of {name}, which another process is training{by}",
                        which.index, which.count
                    ));
                }
                if let Some(code) = wait(ready, how)? {
                    return Ok(Some(code));
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Divides the session and trains its network, unless already done.
fn divide_and_train(
    store: &Store,
    mut lock: Lock,
    which: ShardNumber,
    options: &EngineOptions,
    how: &RunArgs,
    ready: &mut SignalLoop,
) -> Result<Option<ForegroundEnd>, CommandError> {
    let mut session = lock.load()?;
    if !belongs_to_division(&session, which)? {
        session
            .divide(which.count, program())
            .map_err(|error| CommandError::Usage(format!("{}: {error}", session.name)))?;
        lock.save(&session)?;
    }
    if session.is_trained() {
        return Ok(None);
    }
    print_line(format_args!(
        "shard {}/{} is the first and prepares the network of {}",
        which.index, which.count, session.name
    ));
    let options = EngineOptions {
        store: store.clone(),
        goal: Goal::Trained,
        ..options.clone()
    };
    engine::foreground(session, lock, options, how.foreground_options(), ready).map(Some)
}

/// Whether a session is divided such that this shard belongs to it; false if it is not divided.
///
/// # Errors
/// If it is a shard itself, is finished, or was divided into another number or by another version.
pub fn belongs_to_division(session: &Session, which: ShardNumber) -> Result<bool, CommandError> {
    let name = &session.name;
    if session.record.shard.is_some() {
        return Err(CommandError::Usage(format!("{name} is a shard itself")));
    }
    if session.record.state == SavedState::Finished {
        let remedy = match session.record.classification_images() {
            Some(_) => {
                format!(
                    ". More trials: noisescope extend {name} --trials N --no-run, and then this again"
                )
            }
            None => String::new(),
        };
        return Err(CommandError::Usage(format!(
            "{name} is finished: there is nothing left to divide{remedy}"
        )));
    }
    let Some(sharding) = &session.record.sharding else {
        return Ok(false);
    };
    if sharding.count != which.count {
        return Err(CommandError::Usage(format!(
            "{name} is already divided into {}, not into {}. Run those, or discard their work and divide it again: noisescope merge {name} --abandon",
            counted(u64::from(sharding.count), "shard", "shards"),
            which.count
        )));
    }
    if sharding.program != program() {
        return Err(CommandError::Failed(format!(
            "{name} is divided among engines of noisescope {}, and this is {}: sums of two versions are not added. Use the same program on every node; the other shards continue",
            sharding.program,
            program()
        )));
    }
    Ok(true)
}

/// Waits for [`POLL`]; returns the exit code of a signal that ends the wait.
fn wait(ready: &mut SignalLoop, how: &RunArgs) -> Result<Option<u8>, CommandError> {
    let SignalLoop {
        runtime,
        signals: orders,
    } = ready;
    let order = runtime.block_on(async {
        tokio::select! {
            biased;
            order = orders.next() => Some(order),
            () = tokio::time::sleep(POLL) => None,
        }
    });
    match order {
        Some(SignalAction::Stop(code)) => Ok(Some(code)),
        Some(SignalAction::Checkpoint) if how.foreground_options().requeue => {
            scheduler::requeue()?;
            Ok(Some(REQUEUED))
        }
        Some(SignalAction::Checkpoint) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_named_by_its_number_and_how_many_there_are() {
        assert_eq!(
            ShardNumber::parse("4/4").unwrap(),
            ShardNumber { index: 4, count: 4 }
        );
        for (text, word) in [
            ("5/4", "1/4 to 4/4"),
            ("0/4", "1/4 to 4/4"),
            ("0/0", "no such shard"),
            ("1/100001", "at most 100000"),
            ("3", "1/4 to 4/4"),
            ("a/b", "their count"),
            ("-1/4", "their count"),
        ] {
            let message = ShardNumber::parse(text).unwrap_err().to_string();
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}
