//! `noisescope merge`: the sum of all shards, in the session's own file.

use std::process::ExitCode;

use clap::Args;

use super::Refusal;
use super::say::say;
use crate::format::{percent, thousands};
use crate::session::Session;
use crate::session::record::shard::is_divided;
use crate::session::store::{ShardFile, Store};

/// Exit code where shards are missing: nothing is merged yet.
const PROVISIONAL: u8 = 3;

/// What is merged, and what becomes of the shards.
#[derive(Debug, Args)]
pub struct Merge {
    /// The session
    name: String,
    /// Leave the files of the shards where they are
    #[arg(long, conflicts_with = "abandon")]
    keep: bool,
    /// Give up what the shards have done: the session is as it was before it was divided
    #[arg(long)]
    abandon: bool,
}

/// Adds the shards. As long as one is missing nothing is written, and the code is another.
pub fn run(store: &Store, merge: &Merge) -> Result<ExitCode, Refusal> {
    let name = &merge.name;
    store.head(name).or_else(|_| store.load(name))?;
    let mut lock = store.lock(name)?;
    let mut session = lock.load()?;
    let Some(sharding) = session.record.sharding.clone() else {
        say(format_args!("{name} is whole: there is nothing to merge"));
        return Ok(ExitCode::SUCCESS);
    };
    let count = sharding.count;
    let files = store.shards(name, count)?;
    if merge.abandon {
        for file in &files {
            // Nobody writes it any more, and nobody begins to.
            let _ended = store.lock(&file.name)?;
            store.remove_shard(file)?;
        }
        session.record.sharding = None;
        lock.save(&session)?;
        say(format_args!(
            "{name} is whole again, without what its {count} shards had done"
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
        say(format_args!(
            "provisional: {} of {count} shards are done, {} of {} trials. Missing: {}{more}. Views and exports of {name} show the sum of what there is; merge again once all are done",
            count as usize - missing.len(),
            thousands(done),
            thousands(all),
            shown.join(", ")
        ));
        return Ok(ExitCode::from(PROVISIONAL));
    }
    session.undivide();
    lock.save(&session)?;
    if !merge.keep {
        for file in &files {
            store.remove_shard(file)?;
        }
    }
    say(format_args!(
        "{name}: {count} shards merged, {} trials. Go on with what is made of them: noisescope run {name}",
        thousands(done)
    ));
    Ok(ExitCode::SUCCESS)
}

/// Most shards that are named one by one.
const MOST_SHOWN: usize = 8;

/// Adds the shards that are there; gives those that are not done, with what is known of them.
fn add(
    store: &Store,
    session: &mut Session,
    files: &[ShardFile],
    count: u32,
) -> Result<Vec<String>, Refusal> {
    let mut missing = Vec::new();
    let mut files = files.iter().peekable();
    for index in 1..=count {
        let Some(file) = files.next_if(|file| file.index == index) else {
            missing.push(format!("{index} (not begun)"));
            continue;
        };
        let shard = store.load(&file.name)?;
        if session.has_merged(&shard) {
            missing.push(format!("{index} (not begun)"));
            continue;
        }
        session
            .absorb(&shard)
            .map_err(|error| store.foreign(&file.path, &error))?;
        let plans = shard.config.analyses.iter().enumerate();
        let mut open =
            plans.filter(|(at, plan)| is_divided(plan) && !shard.record.is_done(*at, plan));
        if open.next().is_some() {
            let (done, all) = shard.trials();
            let share = percent(done as f64 / all.max(1) as f64);
            missing.push(format!("{index} ({share})"));
        }
    }
    Ok(missing)
}
