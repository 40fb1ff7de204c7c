//! `noisescope run NAME --shard i/n`: one shard of a session, in a file of its own.
//!
//! The first one that comes divides the session and trains its network, under the session's lock; the others wait for
//! the network. From then on no shard needs another.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::engine::{self, Ended};
use super::run::How;
use super::say::say;
use super::scheduler;
use super::signals::{Order, REQUEUED, Ready};
use super::{Plan, Refusal};
use crate::data;
use crate::engine::inputs::program;
use crate::engine::{Options, Until};
use crate::host::Machine;
use crate::session::shards::MOST;
use crate::session::store::{Lock, Store, StoreError, shard_name};
use crate::session::{Session, State};

/// Time between two looks whether another has trained the network.
const LOOK: Duration = Duration::from_secs(1);
/// A session whose network is there is locked for a moment where another shard divides it; one that is locked for
/// longer is run as a whole.
const DIVIDED_WITHIN: Duration = Duration::from_secs(20);

/// Which shard, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Which {
    index: u32,
    count: u32,
}

impl Which {
    /// Takes `3/32`, or what the scheduler says with `auto`.
    ///
    /// # Errors
    /// Words that name none.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (index, count) = match text {
            "auto" => scheduler::shard()?,
            _ => {
                let numbers = text.split_once('/');
                let numbers = numbers.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                numbers.ok_or_else(|| {
                    Refusal::Usage(format!(
                        "--shard {text}: say which and of how many, 1/4 to 4/4, or auto under a scheduler"
                    ))
                })?
            }
        };
        if count == 0 || count > MOST || index == 0 || index > count {
            return Err(Refusal::Usage(format!(
                "--shard {index}/{count}: there is no such shard; {count} shards are 1/{count} to {count}/{count}{}",
                if count > MOST {
                    format!(", and there are at most {MOST}")
                } else {
                    String::new()
                }
            )));
        }
        Ok(Self { index, count })
    }
}

/// Runs a shard, in lines.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &Plan,
    which: Which,
    how: &How,
) -> Result<ExitCode, Refusal> {
    let mut machine = how.machine().clone();
    machine.check()?;
    machine.workers = machine.workers.or_else(scheduler::cores);
    if how.is_left_alone() {
        return Err(Refusal::Usage(
            "--detach: a shard runs in the foreground, as schedulers want it; put it in the background with the shell's &".into(),
        ));
    }
    if plan.is_given() {
        return Err(Refusal::Usage(format!(
            "--shard: shards are of a session that is there; make it once, then run them without a plan: noisescope new {} …",
            plan.name
        )));
    }
    let mut ready = Ready::now()?;
    let data = data::data_dir(data).map_err(Refusal::failed)?;
    let options = engine::options(store, data, &machine)?;
    let name = &plan.name;
    let own = shard_name(name, which.index, which.count);
    store.head(name).or_else(|_| store.load(name))?;
    let mut lock = store.lock(&own)?;
    if let Some(code) = prepare(store, name, which, &options, how, &mut ready)? {
        return Ok(ExitCode::from(code));
    }
    let whole = store.load(name)?;
    let mut session = open(store, &mut lock, &whole, &own, which)?;
    if session.record.state == State::Finished {
        say(format_args!(
            "shard {}/{} of {name} is done already; once all are: noisescope merge {name}",
            which.index, which.count
        ));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(shard) = &mut session.record.shard {
        shard.node = Machine::this().map_or_else(String::new, |it| it.name);
        shard.job = scheduler::job();
    }
    let ended = engine::foreground(session, lock, options, how.manner(), &mut ready)?;
    if ended == Ended::Well {
        say(format_args!(
            "shard {}/{} of {name} is done; once all are: noisescope merge {name}",
            which.index, which.count
        ));
    }
    Ok(ended.into())
}

/// The shard's session where it was begun, else a new one, on the disk.
fn open(
    store: &Store,
    lock: &mut Lock,
    whole: &Session,
    own: &str,
    which: Which,
) -> Result<Session, Refusal> {
    let fresh = whole
        .shard(own, which.index)
        .ok_or_else(|| Refusal::Failed(format!("{} was merged in this moment", whole.name)))?;
    if lock.finds_session()? {
        let session = lock.load()?;
        if !whole.has_merged(&session) {
            let checked = whole.check_shard(&session);
            checked.map_err(|error| store.foreign(&store.path(own), &error))?;
            return Ok(session);
        }
    }
    lock.save(&fresh)?;
    Ok(fresh)
}

/// Sees that the session is divided as this shard has it, and that its network is there: divides and trains it where
/// nobody has, else waits for who does. Gives the exit code of a signal that came meanwhile.
fn prepare(
    store: &Store,
    name: &str,
    which: Which,
    options: &Options,
    how: &How,
    ready: &mut Ready,
) -> Result<Option<u8>, Refusal> {
    let mut told = false;
    let mut locked: Option<Instant> = None;
    loop {
        let session = store.head(name)?;
        if check(&session, which)? && session.is_trained() {
            return Ok(None);
        }
        match store.lock(name) {
            Ok(lock) => {
                locked = None;
                match take(store, lock, which, options, how, ready)? {
                    None | Some(Ended::Well) => {}
                    Some(Ended::With(code)) => return Ok(Some(code)),
                }
            }
            Err(StoreError::Locked { by, .. }) => {
                let by = by.map_or_else(String::new, |by| format!(" ({by})"));
                let since = *locked.get_or_insert_with(Instant::now);
                if session.is_trained() && since.elapsed() > DIVIDED_WITHIN {
                    return Err(Refusal::Failed(format!(
                        "{name} is being run as a whole{by}; stop that first (noisescope stop {name}), or wait until it has ended"
                    )));
                }
                if !told && !session.is_trained() {
                    told = true;
                    say(format_args!(
                        "shard {}/{} waits for the network of {name}, which another trains{by}",
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

/// Divides the session and trains its network, as far as neither has been done.
fn take(
    store: &Store,
    mut lock: Lock,
    which: Which,
    options: &Options,
    how: &How,
    ready: &mut Ready,
) -> Result<Option<Ended>, Refusal> {
    let mut session = lock.load()?;
    if !check(&session, which)? {
        session
            .divide(which.count, program())
            .map_err(|error| Refusal::Usage(format!("{}: {error}", session.name)))?;
        lock.save(&session)?;
    }
    if session.is_trained() {
        return Ok(None);
    }
    say(format_args!(
        "shard {}/{} comes first: it prepares the network of {}",
        which.index, which.count, session.name
    ));
    let options = Options {
        store: store.clone(),
        until: Until::Trained,
        ..options.clone()
    };
    engine::foreground(session, lock, options, how.manner(), ready).map(Some)
}

/// Whether a session is divided; whether this shard is one of it.
///
/// # Errors
/// Where it is divided otherwise, by another program, or all is done.
pub fn check(session: &Session, which: Which) -> Result<bool, Refusal> {
    let name = &session.name;
    if session.record.shard.is_some() {
        return Err(Refusal::Usage(format!("{name} is a shard itself")));
    }
    if session.record.state == State::Finished {
        return Err(Refusal::Usage(format!(
            "{name} is finished: there is nothing left to divide. More trials: noisescope extend {name} --trials N"
        )));
    }
    let Some(sharding) = &session.record.sharding else {
        return Ok(false);
    };
    if sharding.count != which.count {
        return Err(Refusal::Usage(format!(
            "--shard {}/{}: {name} is divided into {} shards already. Run those, or give up what they have done and divide it anew: noisescope merge {name} --abandon",
            which.index, which.count, sharding.count
        )));
    }
    if sharding.program != program() {
        return Err(Refusal::Failed(format!(
            "{name} is divided among engines of noisescope {}, and this is {}: sums of two programs are not added. Use the same program on every node; the other shards go on",
            sharding.program,
            program()
        )));
    }
    Ok(true)
}

/// Waits a moment; gives the exit code where a signal came that ends the wait.
fn wait(ready: &mut Ready, how: &How) -> Result<Option<u8>, Refusal> {
    let Ready { runtime, orders } = ready;
    let order = runtime.block_on(async {
        tokio::select! {
            biased;
            order = orders.next() => Some(order),
            () = tokio::time::sleep(LOOK) => None,
        }
    });
    match order {
        Some(Order::Stop(code)) => Ok(Some(code)),
        Some(Order::Checkpoint) if how.manner().requeue => {
            scheduler::requeue()?;
            Ok(Some(REQUEUED))
        }
        Some(Order::Checkpoint) | None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_named_by_its_number_and_how_many_there_are() {
        assert_eq!(Which::parse("4/4").unwrap(), Which { index: 4, count: 4 });
        for (text, word) in [
            ("5/4", "1/4 to 4/4"),
            ("0/4", "1/4 to 4/4"),
            ("0/0", "no such shard"),
            ("1/100001", "at most 100000"),
            ("3", "1/4 to 4/4"),
            ("a/b", "of how many"),
            ("-1/4", "of how many"),
        ] {
            let said = Which::parse(text).unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
        }
    }
}
