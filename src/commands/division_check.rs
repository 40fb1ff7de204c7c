//! The check that a session divided into shards, or one of its shards, is not run as a whole, and how it is run instead.

use super::CommandError;
use crate::format::counted;
use crate::session::Session;
use crate::session::store::{parse_shard_name, session_of_shard};

/// Refuses a session that is divided into shards or is itself a shard.
///
/// # Errors
/// If it is, with the command to use instead.
pub fn refuse_divided(session: &Session) -> Result<(), CommandError> {
    let name = &session.name;
    if let Some(shard) = &session.record.shard {
        return Err(CommandError::Usage(format!(
            "{name} is a shard; run it: noisescope run {} --shard {}/{}",
            session_of_shard(name),
            shard.index,
            shard.count
        )));
    }
    match &session.record.sharding {
        None => Ok(()),
        Some(sharding) => Err(CommandError::Usage(format!(
            "{name} is divided into {1}: run those (noisescope run {name} --shard 1/{0} to {0}/{0}), then merge them with `noisescope merge {name}`; to discard their work: noisescope merge {name} --abandon",
            sharding.count,
            counted(u64::from(sharding.count), "shard", "shards")
        ))),
    }
}

/// The command that resumes a session, or a shard of one.
pub fn resume_command(name: &str) -> String {
    match parse_shard_name(name) {
        Some((whole, index, count)) => format!("noisescope run {whole} --shard {index}/{count}"),
        None => format!("noisescope run {name}"),
    }
}
