//! The socket protocol: the handshake, viewers' requests, engines' replies, and their encoding.
//!
//! Messages are length-delimited frames. A viewer begins with [`ViewerMessage::Hello`]; the engine answers
//! [`EngineMessage::Welcome`], or the reason for refusing and hangs up. After that, the viewer requests the next
//! state each time it has received one, so an engine never has more than one in flight per viewer.
//!
//! A state is the session as in its file, without the weights, which no view shows, and with the estimates
//! in place of the sums of trials, computed once for all viewers: first the parts in postcard, then the
//! values of each array as raw little-endian bytes. Arrays and estimates that have not changed since the
//! last state on the same connection are left out.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LengthDelimitedCodec;

use super::EngineCommand;
use crate::session::array::{Arrays, Payload};
use crate::session::record::{Analysis, NetworkWeights, SumsEstimate};
use crate::session::text::record_mismatch;
use crate::session::{Array, Config, Record, Run, Session};

/// The protocol's version; both sides must use the same.
pub const VERSION: u32 = 13;

/// First bytes of every conversation, to recognise foreign programs on the socket.
const MAGIC: [u8; 10] = *b"noisescope";

/// Most bytes in a frame to the engine; no request is longer. The longest is a note: its text takes at most 800, and the
/// name of its layer at most [`Note::MAX_LAYER_BYTES`](crate::session::record::Note::MAX_LAYER_BYTES).
const MAX_FRAME_TO_ENGINE: usize = 1 << 16;
/// Most bytes in a frame to a viewer: enough for the sums of more γ than a plan can have.
const MAX_FRAME_TO_VIEWER: usize = 1 << 31;

/// A message from a viewer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ViewerMessage {
    /// The first frame.
    Hello {
        /// The bytes that begin every conversation.
        magic: [u8; 10],
        /// The viewer's version.
        version: u32,
    },
    /// Send the next state as soon as there is one that has not been sent.
    Next,
    /// A command for the engine.
    Say(EngineCommand),
}

impl ViewerMessage {
    /// This program's first frame.
    pub fn hello() -> Self {
        Self::Hello {
            magic: MAGIC,
            version: VERSION,
        }
    }
}

/// A message from an engine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum EngineMessage {
    /// The handshake succeeded.
    Welcome {
        /// The engine's process.
        pid: u32,
    },
    /// It failed: why, in words.
    Refused(String),
    /// The session without its arrays, whose bytes follow.
    State(Box<SessionParts>),
}

/// A session without its arrays.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionParts {
    name: String,
    config: Config,
    record: Record,
    run: Option<Run>,
    /// For each array, whether it is unchanged since the last state.
    kept: Vec<bool>,
    /// The estimates computed from the sums, in order; `None` if unchanged since the last state.
    estimated: Vec<Option<SumsEstimate>>,
}

/// Why a message could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The connection broke, or a frame was too long.
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    /// The frame does not decode.
    #[error("the other side does not speak noisescope's protocol ({0})")]
    Garbage(String),
    /// A viewer with another version.
    #[error(
        "the viewer uses version {theirs} of the protocol, the engine version {VERSION}: attach with the program that started the run, or stop the run and resume it with this one"
    )]
    Version {
        /// The viewer's version.
        theirs: u32,
    },
    /// The engine refused.
    #[error("the engine refused: {0}")]
    Refused(String),
}

impl WireError {
    /// Whether the other side is there but its messages cannot be used.
    pub fn is_misunderstanding(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
            Self::Garbage(_) | Self::Version { .. } | Self::Refused(_) => true,
        }
    }
}

/// The codec of frames to an engine, which are short.
pub fn codec_to_engine() -> LengthDelimitedCodec {
    codec(MAX_FRAME_TO_ENGINE)
}

/// The codec of frames to a viewer.
pub fn codec_to_viewer() -> LengthDelimitedCodec {
    codec(MAX_FRAME_TO_VIEWER)
}

fn codec(most: usize) -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .little_endian()
        .max_frame_length(most)
        .new_codec()
}

fn garbage(error: impl ToString) -> WireError {
    WireError::Garbage(error.to_string())
}

/// Encodes a short message.
pub fn encode(message: &impl Serialize) -> Bytes {
    // Plain data in memory cannot fail to serialise.
    postcard::to_stdvec(message).unwrap_or_default().into()
}

/// Decodes a viewer's message.
///
/// # Errors
/// [`WireError::Garbage`].
pub fn decode_viewer_message(frame: &[u8]) -> Result<ViewerMessage, WireError> {
    postcard::from_bytes(frame).map_err(garbage)
}

/// Checks a viewer's first frame.
///
/// # Errors
/// Why it is refused.
pub fn check_greeting(frame: &[u8]) -> Result<(), WireError> {
    match decode_viewer_message(frame)? {
        ViewerMessage::Hello { magic, version } if magic == MAGIC => {
            if version == VERSION {
                Ok(())
            } else {
                Err(WireError::Version { theirs: version })
            }
        }
        _ => Err(garbage("the first frame is not a greeting")),
    }
}

/// The session as sent to viewers: without weights and sums.
pub fn for_viewers(session: &Session) -> Session {
    let mut session = session.clone();
    let subject = session.record.training.iter_mut();
    let analyses = session.record.analyses.iter_mut();
    let trained = analyses.flat_map(|analysis| match analysis {
        Analysis::Backdoor(backdoor) => {
            let networks = backdoor.networks.iter_mut();
            networks
                .filter_map(|network| network.training.as_mut())
                .collect()
        }
        Analysis::Audit(audit) => {
            let networks = audit.networks.iter_mut();
            networks
                .filter_map(|network| network.training.as_mut())
                .collect()
        }
        _ => Vec::new(),
    });
    for training in subject.chain(trained) {
        training.best = NetworkWeights::default();
        training.current = NetworkWeights::default();
        training.optimizer = Array::default();
    }
    if let Some(model) = &mut session.record.model {
        model.file = Array::default();
    }
    session.record.drop_sums();
    session
}

/// The estimates of a session; `None` for each that `last` already has.
fn changed_estimates(session: &Session, last: Option<&Session>) -> Vec<Option<SumsEstimate>> {
    let before = last.map(|last| last.record.estimates()).unwrap_or_default();
    let mut before = before.into_iter();
    let all = session.record.estimates().into_iter();
    all.map(|estimate| match before.next() {
        Some(before) if estimate.is_shared_with(&before) => None,
        _ => Some(estimate),
    })
    .collect()
}

/// All estimates: the changed ones, and those of `last` where unchanged.
fn complete_estimates(
    changed: Vec<Option<SumsEstimate>>,
    last: Option<&Session>,
) -> Result<Vec<SumsEstimate>, String> {
    let before = last.map(|last| last.record.estimates()).unwrap_or_default();
    let mut before = before.into_iter();
    let all = changed.into_iter().map(|estimate| {
        let before = before.next();
        estimate
            .or(before)
            .ok_or_else(|| "a state based on one that was not sent".to_owned())
    });
    all.collect()
}

/// A session's arrays by name.
fn arrays_by_name(session: Option<&Session>) -> BTreeMap<String, &dyn Payload> {
    let mut arrays = BTreeMap::new();
    if let Some(session) = session {
        session.record.arrays(&mut |name, payload| {
            arrays.insert(name, payload);
        });
    }
    arrays
}

/// Encodes a session, as from [`for_viewers`], for a viewer that already has `last`.
pub fn encode_session(session: &Session, last: Option<&Session>) -> Bytes {
    let estimated = changed_estimates(session, last);
    let last = arrays_by_name(last);
    let mut kept = Vec::new();
    let mut numbers = Vec::new();
    session.record.arrays(&mut |name, payload: &dyn Payload| {
        let same = last
            .get(&name)
            .is_some_and(|before| payload.is_shared_with(*before));
        kept.push(same);
        if !same {
            numbers.push(payload.bytes());
        }
    });
    let state = EngineMessage::State(Box::new(SessionParts {
        name: session.name.clone(),
        config: session.config.clone(),
        record: session.record.clone(),
        run: session.run.clone(),
        kept,
        estimated,
    }));
    let head = encode(&state);
    let length = numbers.iter().map(Vec::len).sum::<usize>();
    let mut frame = Vec::with_capacity(8 + head.len() + length);
    frame.extend_from_slice(&(head.len() as u64).to_le_bytes());
    frame.extend_from_slice(&head);
    numbers
        .iter()
        .for_each(|bytes| frame.extend_from_slice(bytes));
    frame.into()
}

/// Encodes any other message for viewers, in the same format.
pub fn encode_engine_message(message: &EngineMessage) -> Bytes {
    let head = encode(message);
    let mut frame = Vec::with_capacity(8 + head.len());
    frame.extend_from_slice(&(head.len() as u64).to_le_bytes());
    frame.extend_from_slice(&head);
    frame.into()
}

/// A decoded message from an engine.
#[derive(Debug)]
pub enum ReceivedMessage {
    /// The handshake succeeded; the engine's process ID.
    Welcome(u32),
    /// The newest session.
    Session(Box<Session>),
}

/// Decodes an engine's message to a viewer that already has `last`.
///
/// # Errors
/// Garbage, or the engine's refusal.
pub fn decode_engine_message(
    frame: &[u8],
    last: Option<&Session>,
) -> Result<ReceivedMessage, WireError> {
    let (length, rest) = frame
        .split_first_chunk::<8>()
        .ok_or_else(|| garbage("a frame of fewer than 8 bytes"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(garbage)?;
    let (head, mut numbers) = rest
        .split_at_checked(length)
        .ok_or_else(|| garbage("a frame shorter than it declares"))?;
    let parts = match postcard::from_bytes(head).map_err(garbage)? {
        EngineMessage::Welcome { pid } => return Ok(ReceivedMessage::Welcome(pid)),
        EngineMessage::Refused(words) => return Err(WireError::Refused(words)),
        EngineMessage::State(parts) => parts,
    };
    let mut session = Session {
        name: parts.name,
        config: parts.config,
        record: parts.record,
        run: parts.run,
    };
    let estimated = complete_estimates(parts.estimated, last);
    let last = arrays_by_name(last);
    let mut problem = None;
    let mut kept = parts.kept.into_iter();
    session
        .record
        .arrays_mut(&mut |name, payload: &mut dyn Payload| {
            let filled = if kept.next().unwrap_or_default() {
                match last.get(&name) {
                    Some(before) => payload.share(*before),
                    None => Err("a state based on one that was not sent".into()),
                }
            } else {
                fill_from(payload, &mut numbers)
            };
            if let (Err(error), None) = (filled, &problem) {
                problem = Some(error);
            }
        });
    // Last, since a record with estimates is not searched for sums.
    let taken = estimated.and_then(|all| session.record.set_estimates(all));
    let problem = problem.or(taken.err()).or_else(|| {
        // As of a file: what is computed from a record relies on a plan that makes sense.
        match session.config.validate() {
            Ok(()) => record_mismatch(&session.record, &session.config),
            Err(error) => Some(error.to_string()),
        }
    });
    match problem {
        Some(problem) => Err(garbage(problem)),
        None => Ok(ReceivedMessage::Session(Box::new(session))),
    }
}

/// Fills an array from the front of `numbers`.
fn fill_from(payload: &mut dyn Payload, numbers: &mut &[u8]) -> Result<(), String> {
    let count = payload.byte_count()?;
    let (bytes, rest) = numbers
        .split_at_checked(count)
        .ok_or("a frame without its array values")?;
    *numbers = rest;
    let filled = payload.fill_bytes(bytes);
    filled.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
