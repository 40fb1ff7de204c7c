//! A session to show, and its standing: from its engine, else from its files.

use std::time::Duration;

use super::listing::last_written;
use super::signals::runtime;
use crate::link::client::{self, EngineAnswer};
use crate::link::shards::ShardWatcher;
use crate::report::SessionStatus;
use crate::report::session_status::SILENCE;
use crate::session::run::Phase;
use crate::session::store::{EngineProcess, Store, StoreError, now, timestamp};
use crate::session::{Run, Session};

/// A session and its standing, from its engine or, if none replies, from its file.
///
/// # Errors
/// If its file cannot be read and no engine replies.
pub fn load_with_standing(
    store: &Store,
    name: &str,
) -> Result<(Session, SessionStatus), StoreError> {
    if store.engine(name).is_none() {
        // With many classes the head alone takes as long as all the rest.
        let session = store.load(name)?;
        if session.record.sharding.is_some() {
            return divided(store, name);
        }
        let standing = SessionStatus::from_session(&session, None);
        return Ok((session, standing));
    }
    let head = store.load_head(name);
    if head.is_ok_and(|head| head.record.sharding.is_some()) {
        return divided(store, name);
    }
    let patience = Duration::from_secs(SILENCE as u64);
    let heard = match runtime() {
        Ok(runtime) => runtime.block_on(client::query(store, name, patience)),
        Err(_) => EngineAnswer::Unreachable,
    };
    let since = match heard {
        EngineAnswer::Session(session) => {
            let standing = SessionStatus::from_session(&session, Some(now()));
            return Ok((*session, standing));
        }
        EngineAnswer::NoAnswer => Some(last_written(store, name).min(now() - SILENCE)),
        EngineAnswer::Unreachable => None,
    };
    let mut session = store.load(name)?;
    let standing = match store.engine(name) {
        Some(engine) => {
            let standing = SessionStatus::from_session(&session, None).with_engine(since, now());
            session.run = Some(unreachable_run(&engine, session.record.updated));
            standing
        }
        // It has ended in the meantime.
        None => SessionStatus::from_session(&session, None),
    };
    Ok((session, standing))
}

/// A divided session with what its shards have measured, and its standing.
fn divided(store: &Store, name: &str) -> Result<(Session, SessionStatus), StoreError> {
    let mut session = store.load_whole(name)?;
    if let Some(looked) = ShardWatcher::new(store.clone(), name).poll()? {
        session.run = looked.run;
    }
    let standing = SessionStatus::from_session(&session, Some(now()));
    Ok((session, standing))
}

/// The run state shown for an engine that does not answer.
fn unreachable_run(engine: &EngineProcess, updated: i64) -> Run {
    let shown = match updated {
        1.. => format!("this is its checkpoint of {}", timestamp(updated)),
        _ => "there is no checkpoint yet".to_owned(),
    };
    Run {
        phase: Phase::Working(0),
        problem: Some(format!(
            "{} runs it but cannot be reached from here: {shown}; {}",
            engine.words(),
            client::by_signals(engine.pid, engine.remote_machine.as_deref())
        )),
        ..Run::default()
    }
}
