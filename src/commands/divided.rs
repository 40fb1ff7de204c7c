//! A session that is divided among shards is not run as a whole.

use super::Refusal;
use crate::session::Session;
use crate::session::store::whole_of;

/// Refuses to run a session as a whole that is divided.
///
/// # Errors
/// With what can be done instead.
pub fn refuse_divided(session: &Session) -> Result<(), Refusal> {
    let name = &session.name;
    if let Some(shard) = &session.record.shard {
        return Err(Refusal::Usage(format!(
            "{name} is a shard; run it as one: noisescope run {} --shard {}/{}",
            whole_of(name),
            shard.index,
            shard.count
        )));
    }
    match &session.record.sharding {
        None => Ok(()),
        Some(sharding) => Err(Refusal::Usage(format!(
            "{name} is divided into {0} shards: run those (noisescope run {name} --shard 1/{0} to {0}/{0}), then `noisescope merge {name}` makes it whole; to give up what they have done: noisescope merge {name} --abandon",
            sharding.count
        ))),
    }
}
