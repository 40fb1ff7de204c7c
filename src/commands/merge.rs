//! `noisescope merge`: adds all shards into the session's own file.

use std::process::ExitCode;

use clap::Args;

use super::output::{complain, print_line};
use super::{CommandError, holder};
use crate::files::quoted;
use crate::format::{counted, percent, thousands};
use crate::session::Session;
use crate::session::record::shard::is_divided;
use crate::session::store::{ShardFile, Store, StoreError, shard_name};

/// Exit code if shards are missing and nothing was merged.
const PROVISIONAL: u8 = 3;

/// Which session to merge, and what happens to its shards.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The session
    name: String,
    /// Keep the shards' files
    #[arg(long, conflicts_with = "abandon")]
    keep: bool,
    /// Discard the shards' work: restore the session as it was before it was divided
    #[arg(long)]
    abandon: bool,
}

/// Adds the shards. If one is missing, writes nothing and returns [`PROVISIONAL`].
pub fn run(store: &Store, merge: &MergeArgs) -> Result<ExitCode, CommandError> {
    let name = &merge.name;
    store.load_head(name).or_else(|_| store.load(name))?;
    let mut lock = holder::lock(store, name)?;
    let mut session = lock.load()?;
    let Some(sharding) = session.record.sharding.clone() else {
        print_line(format_args!(
            "{name} is not divided: there is nothing to merge"
        ));
        return Ok(ExitCode::SUCCESS);
    };
    let count = sharding.count;
    let files = store.shards(name, count)?;
    if merge.abandon {
        // Before anything is discarded.
        refuse_running(store, name, count)?;
        for file in &files {
            // Holding its lock ensures that no engine writes it or starts to.
            let _ended = store.lock(&file.name)?;
            store.remove_shard(file)?;
        }
        session.record.sharding = None;
        lock.save(&session)?;
        print_line(format_args!(
            "{name} is no longer divided; the work of its {} was discarded",
            counted(u64::from(count), "shard", "shards")
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let missing = add(store, &mut session, &files, count)?;
    let (done, all) = session.trials();
    if !missing.is_empty() {
        let shown: Vec<String> = missing.iter().take(MOST_SHOWN).cloned().collect();
        let more = missing.len().saturating_sub(shown.len());
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        print_line(format_args!(
            "provisional: {} of {} done, {} of {} trials. Missing: {}{more}. Views and exports of {name} show the sum so far; merge again once all are done",
            count as usize - missing.len(),
            counted(u64::from(count), "shard is", "shards are"),
            thousands(done),
            thousands(all),
            shown.join(", ")
        ));
        return Ok(ExitCode::from(PROVISIONAL));
    }
    session.end_division();
    lock.save(&session)?;
    // So that the previous generation has the sums too, before the only other files that have them are deleted.
    if !merge.keep && is_kept_twice(lock.save(&session), store, name, count)? {
        for file in &files {
            store.remove_shard(file)?;
        }
    }
    print_line(format_args!(
        "{name}: {} merged, {} trials. Run the remaining analyses: noisescope run {name}",
        counted(u64::from(count), "shard", "shards"),
        thousands(done)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Whether the sums have been saved a second time, so that the shards' files are of no more use. If the disk is full, they
/// stay, and what was merged is as good.
///
/// # Errors
/// If another process has the session.
fn is_kept_twice(
    saved: Result<u64, StoreError>,
    store: &Store,
    name: &str,
    count: u32,
) -> Result<bool, StoreError> {
    match saved {
        Ok(_) => Ok(true),
        Err(error) if error.is_lock_lost() => Err(error),
        Err(error) => {
            let shards = quoted(store.folder().join(format!("{name}.shard-")));
            complain(format_args!(
                "{name}: the shards are merged, but their files stay, since the sums could not be saved a second time: {error}. Once noisescope run {name} has saved them, remove the files: rm {shards}*-of-{count}.ron*"
            ));
            Ok(false)
        }
    }
}

/// Refuses to discard the work of shards while engines run some of them, or wait to.
fn refuse_running(store: &Store, name: &str, count: u32) -> Result<(), CommandError> {
    let mut shards = (1..=count).map(|index| shard_name(name, index, count));
    let running = shards.find_map(|shard| Some((store.engine(&shard)?, shard)));
    match running {
        None => Ok(()),
        Some((engine, shard)) => Err(CommandError::Failed(format!(
            "{shard} is being run by {}, so nothing was discarded; first stop all shards: noisescope stop {name}",
            engine.words()
        ))),
    }
}

/// Most missing shards that are listed individually.
const MOST_SHOWN: usize = 8;

/// Adds the existing shards; returns those that are not done or still have an engine, with their progress.
fn add(
    store: &Store,
    session: &mut Session,
    files: &[ShardFile],
    count: u32,
) -> Result<Vec<String>, CommandError> {
    let mut missing = Vec::new();
    let mut files = files.iter().peekable();
    for index in 1..=count {
        let Some(file) = files.next_if(|file| file.index == index) else {
            missing.push(format!("{index} (pending)"));
            continue;
        };
        let shard = store.load(&file.name)?;
        if session.has_merged(&shard) {
            missing.push(format!("{index} (pending)"));
            continue;
        }
        session
            .absorb(&shard)
            .map_err(|error| store.foreign(&file.path, &error))?;
        let plans = shard.config.analyses.iter().enumerate();
        let mut open =
            plans.filter(|(i, plan)| is_divided(plan) && !shard.record.is_done(*i, plan));
        if open.next().is_some() {
            let (done, all) = shard.trials();
            let share = percent(done as f64 / all.max(1) as f64);
            missing.push(format!("{index} ({share})"));
        } else if store.engine(&file.name).is_some() {
            // It writes its last checkpoint, for which its file must be there.
            missing.push(format!("{index} (ending)"));
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_removed_only_once_their_sums_are_saved_twice() {
        let store = Store::new("sessions");
        let judged = |saved| is_kept_twice(saved, &store, "mine", 2);
        assert!(matches!(judged(Ok(100)), Ok(true)));
        let full = StoreError::Io {
            path: "mine.ron".into(),
            action: "write the session",
            source: std::io::ErrorKind::StorageFull.into(),
        };
        // They are merged, so what follows a merge may follow.
        assert!(matches!(judged(Err(full)), Ok(false)));
        let lost = StoreError::LockLost {
            name: "mine".into(),
            path: "mine.ron".into(),
            what: "its file was removed".into(),
        };
        assert!(judged(Err(lost)).is_err());
    }
}
