//! What goes over the socket: the handshake, what a viewer asks, what an engine tells.
//!
//! Length-delimited frames. A viewer begins with [`Ask::Hello`]; the engine answers
//! [`Tell::Welcome`] or says why not and hangs up. Then the viewer asks for the next state each
//! time it has taken the last, so an engine never has more than one on its way to anybody.
//!
//! A state is the session as the file has it, but for the weights, which no view shows, and the sums
//! of trials, in whose place stands what follows from them, computed once for all viewers: the parts
//! in postcard, then the numbers of each array as raw little-endian bytes. Arrays and estimates that
//! have not changed since the last state on the same connection are left out.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio_util::codec::LengthDelimitedCodec;

use super::Command;
use crate::session::array::{Arrays, Payload};
use crate::session::record::{Analysis, Estimated, Weights};
use crate::session::text::unfit;
use crate::session::{Array, Config, Record, Run, Session};

/// The protocol's version: both sides must speak the same.
pub const VERSION: u32 = 10;

/// How every conversation begins, so that a stranger on the socket is recognised.
const MAGIC: [u8; 10] = *b"noisescope";

/// Most bytes a frame to the engine may have; nothing that a viewer asks is longer. A note takes 800 of them for its
/// text at most, and the layer that it is on may have a long name.
const MOST_ASKED: usize = 1 << 12;
/// Most bytes a frame to a viewer may have: the sums of more γ than a plan can have.
const MOST_TOLD: usize = 1 << 31;

/// What a viewer says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// The first frame.
    Hello {
        /// the word that begins every conversation.
        magic: [u8; 10],
        /// The viewer's version.
        version: u32,
    },
    /// Send the next state, once there is one that was not sent yet.
    Next,
    /// Something for the engine.
    Say(Command),
}

impl Ask {
    /// The first frame of this program.
    pub fn hello() -> Self {
        Self::Hello {
            magic: MAGIC,
            version: VERSION,
        }
    }
}

/// What an engine says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Tell {
    /// The handshake succeeded.
    Welcome {
        /// The engine's process.
        pid: u32,
    },
    /// It did not: why, in words.
    Refused(String),
    /// The session: everything but its arrays, whose bytes follow.
    State(Box<Parts>),
}

/// The parts of a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parts {
    name: String,
    config: Config,
    record: Record,
    run: Option<Run>,
    /// For every array, whether it is that of the last state.
    kept: Vec<bool>,
    /// What follows from sums, in order; `None` where it is what the last state had.
    estimated: Vec<Option<Estimated>>,
}

/// A frame that is none of ours.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The connection broke, or a frame was longer than any of ours.
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    /// It does not decode.
    #[error("the other side does not speak noisescope's protocol ({0})")]
    Garbage(String),
    /// A viewer of another version.
    #[error(
        "the viewer speaks version {theirs} of the protocol, the engine version {VERSION}: look in with the program that started the run, or stop it and go on with this one"
    )]
    Version {
        /// The viewer's version.
        theirs: u32,
    },
    /// The engine said no.
    #[error("the engine refused: {0}")]
    Refused(String),
}

impl WireError {
    /// Whether the other side is there and what it says cannot be taken.
    pub fn is_misunderstanding(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() == std::io::ErrorKind::InvalidData,
            Self::Garbage(_) | Self::Version { .. } | Self::Refused(_) => true,
        }
    }
}

/// Frames as an engine reads them: short ones.
pub fn asked() -> LengthDelimitedCodec {
    codec(MOST_ASKED)
}

/// Frames as a viewer reads them.
pub fn told() -> LengthDelimitedCodec {
    codec(MOST_TOLD)
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
    // Plain data in memory: nothing in it can fail to serialise.
    postcard::to_stdvec(message).unwrap_or_default().into()
}

/// Decodes what a viewer asked.
///
/// # Errors
/// [`WireError::Garbage`].
pub fn decode_ask(frame: &[u8]) -> Result<Ask, WireError> {
    postcard::from_bytes(frame).map_err(garbage)
}

/// Checks the first frame that a viewer sent.
///
/// # Errors
/// Why it is refused.
pub fn check_hello(frame: &[u8]) -> Result<(), WireError> {
    match decode_ask(frame)? {
        Ask::Hello { magic, version } if magic == MAGIC => {
            if version == VERSION {
                Ok(())
            } else {
                Err(WireError::Version { theirs: version })
            }
        }
        _ => Err(garbage("the first frame is no greeting")),
    }
}

/// A session as viewers get it: without weights.
pub fn for_viewers(session: &Session) -> Session {
    let mut session = session.clone();
    let own = session.record.training.iter_mut();
    let analyses = session.record.analyses.iter_mut();
    let trained = analyses.flat_map(|analysis| match analysis {
        Analysis::Backdoor(it) => {
            let all = it.networks.iter_mut();
            all.filter_map(|it| it.training.as_mut()).collect()
        }
        Analysis::Audit(it) => {
            let all = it.networks.iter_mut();
            all.filter_map(|it| it.training.as_mut()).collect()
        }
        _ => Vec::new(),
    });
    for training in own.chain(trained) {
        training.best = Weights::default();
        training.current = Weights::default();
        training.optimizer = Array::default();
    }
    if let Some(model) = &mut session.record.model {
        model.file = Array::default();
    }
    session.record.drop_sums();
    session
}

/// Arrays by name.
/// What follows from the sums of a session, without what the last one had already.
fn newer(session: &Session, last: Option<&Session>) -> Vec<Option<Estimated>> {
    let before = last.map(|last| last.record.estimated()).unwrap_or_default();
    let mut before = before.into_iter();
    let all = session.record.estimated().into_iter();
    all.map(|own| match before.next() {
        Some(before) if own.is_shared_with(&before) => None,
        _ => Some(own),
    })
    .collect()
}

/// The same put together again.
fn completed(
    newer: Vec<Option<Estimated>>,
    last: Option<&Session>,
) -> Result<Vec<Estimated>, String> {
    let before = last.map(|last| last.record.estimated()).unwrap_or_default();
    let mut before = before.into_iter();
    let all = newer.into_iter().map(|own| {
        let before = before.next();
        own.or(before)
            .ok_or_else(|| "a state that builds on one that was not sent".to_owned())
    });
    all.collect()
}

fn by_name(session: Option<&Session>) -> BTreeMap<String, &dyn Payload> {
    let mut arrays = BTreeMap::new();
    if let Some(session) = session {
        session.record.arrays(&mut |name, payload| {
            arrays.insert(name, payload);
        });
    }
    arrays
}

/// Encodes a session [`for_viewers`] who have `last` already.
pub fn encode_session(session: &Session, last: Option<&Session>) -> Bytes {
    let estimated = newer(session, last);
    let last = by_name(last);
    let mut kept = Vec::new();
    let mut numbers = Vec::new();
    session.record.arrays(&mut |name, payload: &dyn Payload| {
        let same = last
            .get(&name)
            .is_some_and(|own| payload.is_shared_with(*own));
        kept.push(same);
        if !same {
            numbers.push(payload.bytes());
        }
    });
    let state = Tell::State(Box::new(Parts {
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

/// Encodes any other message for viewers, in the same shape.
pub fn encode_tell(message: &Tell) -> Bytes {
    let head = encode(message);
    let mut frame = Vec::with_capacity(8 + head.len());
    frame.extend_from_slice(&(head.len() as u64).to_le_bytes());
    frame.extend_from_slice(&head);
    frame.into()
}

/// What an engine told.
#[derive(Debug)]
pub enum Told {
    /// The handshake succeeded; the engine's process.
    Welcome(u32),
    /// The newest session.
    Session(Box<Session>),
}

/// Decodes what an engine told a viewer who has `last` already.
///
/// # Errors
/// Garbage, or the engine's refusal.
pub fn decode_tell(frame: &[u8], last: Option<&Session>) -> Result<Told, WireError> {
    let (length, rest) = frame
        .split_first_chunk::<8>()
        .ok_or_else(|| garbage("a frame of a few bytes"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(garbage)?;
    let (head, mut numbers) = rest
        .split_at_checked(length)
        .ok_or_else(|| garbage("a frame shorter than it says"))?;
    let parts = match postcard::from_bytes(head).map_err(garbage)? {
        Tell::Welcome { pid } => return Ok(Told::Welcome(pid)),
        Tell::Refused(words) => return Err(WireError::Refused(words)),
        Tell::State(parts) => parts,
    };
    let mut session = Session {
        name: parts.name,
        config: parts.config,
        record: parts.record,
        run: parts.run,
    };
    let estimated = completed(parts.estimated, last);
    let last = by_name(last);
    let mut problem = None;
    let mut kept = parts.kept.into_iter();
    session
        .record
        .arrays_mut(&mut |name, payload: &mut dyn Payload| {
            let taken = if kept.next().unwrap_or_default() {
                match last.get(&name) {
                    Some(own) => payload.share(*own),
                    None => Err("a state that builds on one that was not sent".into()),
                }
            } else {
                take(payload, &mut numbers)
            };
            if let (Err(error), None) = (taken, &problem) {
                problem = Some(error);
            }
        });
    // Last, since it is the sign that sums are not to be looked for.
    let taken = estimated.and_then(|all| session.record.take_estimated(all));
    let problem = problem.or(taken.err());
    match problem.or_else(|| unfit(&session.record, &session.config)) {
        Some(problem) => Err(garbage(problem)),
        None => Ok(Told::Session(Box::new(session))),
    }
}

/// Fills an array from the front of `numbers`.
fn take(payload: &mut dyn Payload, numbers: &mut &[u8]) -> Result<(), String> {
    let count = payload.byte_count()?;
    let (own, rest) = numbers
        .split_at_checked(count)
        .ok_or("a frame without its numbers")?;
    *numbers = rest;
    payload.fill_bytes(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::{self, Analysis};
    use crate::session::record::{self, BlockSums, ClassificationImages, Note, NoteOn, TrialKind};
    use crate::session::{Config, Form};
    use proptest::prelude::*;

    #[test]
    fn a_session_comes_over_the_wire_as_it_is_but_for_its_weights() {
        let mut session = Session::new("mine", Config::default());
        session.run = Some(Run::default());
        session.record.notes = vec![Note {
            written: 7,
            on: NoteOn::Session,
            text: "for the paper".into(),
        }];
        let record = session.record.training.get_or_insert_default();
        record.test_accuracy = Some(0.98);
        let Ok(Told::Session(back)) =
            decode_tell(&encode_session(&for_viewers(&session), None), None)
        else {
            panic!("it does not decode");
        };
        assert_eq!(*back, session);
        record_weights(&mut session);
        let Ok(Told::Session(back)) =
            decode_tell(&encode_session(&for_viewers(&session), None), None)
        else {
            panic!("it does not decode");
        };
        assert!(back.record.training.unwrap().best.is_empty());
    }

    fn record_weights(session: &mut Session) {
        let record = session.record.training.get_or_insert_default();
        record.best.tensors = vec![("w".into(), Array::new(&[2], vec![1.0, 2.0]))];
    }

    /// A session with trials at its first γ.
    fn measured() -> Session {
        let mut session = Session::new("mine", Config::default());
        let form = Form::numbered([3, 20, 17], 12);
        let Some(Analysis::ClassificationImages(plan)) = session.config.analyses.first_mut() else {
            panic!("the default plan has classification images");
        };
        plan.responses = vec![config::Response::Decision];
        let kind = TrialKind::plain(form.count(), form.shape());
        let mut begun = ClassificationImages::begun(plan, &kind);
        begun.gammas[0].add(&BlockSums {
            trials: plan.block as u64,
            counts: (0..144)
                .map(|cell| u64::from(cell == 5) * plan.block as u64)
                .collect(),
            noise: vec![(5, vec![7; 1020]), (12, vec![7; 1020])],
            ..BlockSums::default()
        });
        session.record.form = Some(form);
        session.record.analyses[0] = record::Analysis::ClassificationImages(begun);
        session
    }

    fn decoded(frame: &[u8], last: Option<&Session>) -> Session {
        let Ok(Told::Session(back)) = decode_tell(frame, last) else {
            panic!("it does not decode");
        };
        *back
    }

    /// Viewers get what follows from the sums, to the last bit, and not the sums.
    #[test]
    fn estimates_come_in_the_place_of_sums() {
        let session = measured();
        let back = decoded(&encode_session(&for_viewers(&session), None), None);
        let (ours, theirs) = (
            session.record.classification_images().unwrap(),
            back.record.classification_images().unwrap(),
        );
        for (ours, theirs) in ours.gammas.iter().zip(&theirs.gammas) {
            assert_eq!(ours.estimate(), theirs.estimate());
            assert_eq!(ours.counts, theirs.counts);
            assert!(theirs.noise.values().is_empty());
        }
    }

    #[test]
    fn what_has_not_changed_is_not_sent_again() {
        let session = measured();
        let first = for_viewers(&session);
        let whole = encode_session(&first, None);
        // Another state of the run, of which the sums are the same.
        let mut session = session.clone();
        session.record.updated = 77;
        let second = for_viewers(&session);
        let frame = encode_session(&second, Some(&first));
        assert!(frame.len() * 5 < whole.len(), "{} bytes", frame.len());
        let seen = decoded(&whole, None);
        let back = decoded(&frame, Some(&seen));
        assert_eq!(back.record.updated, 77);
        let estimates = |session: &Session| -> Vec<_> {
            let images = session.record.classification_images().unwrap();
            images.gammas.iter().map(|gamma| gamma.estimate()).collect()
        };
        assert_eq!(estimates(&back), estimates(&session));
        assert!(decode_tell(&frame, None).is_err(), "nothing to build on");
    }

    #[test]
    fn a_stranger_and_another_version_are_told_apart() {
        assert!(check_hello(&encode(&Ask::hello())).is_ok());
        let older = Ask::Hello {
            magic: MAGIC,
            version: VERSION - 1,
        };
        let error = check_hello(&encode(&older)).unwrap_err();
        assert!(matches!(error, WireError::Version { theirs } if theirs == VERSION - 1));
        let error = check_hello(b"GET / HTTP/1.1\r\n").unwrap_err();
        assert!(matches!(error, WireError::Garbage(_)), "{error}");
    }

    #[test]
    fn the_longest_note_fits_into_a_frame() {
        let said = Ask::Say(Command::Note(Note {
            written: i64::MIN,
            on: NoteOn::Unit {
                layer: "é".repeat(1000),
                unit: usize::MAX,
            },
            text: "\u{1d6fe}".repeat(Note::MOST),
        }));
        let frame = encode(&said);
        assert!(frame.len() <= MOST_ASKED, "{} bytes", frame.len());
        assert_eq!(decode_ask(&frame).unwrap(), said);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_ask(&bytes);
            let _ = check_hello(&bytes);
            let _ = decode_tell(&bytes, None);
        }

        #[test]
        fn a_state_cut_anywhere_is_an_error(cut in 0.0..1.0_f64) {
            let frame = encode_session(&Session::new("mine", Config::default()), None);
            let end = (frame.len() as f64 * cut) as usize;
            prop_assert!(decode_tell(&frame[..end], None).is_err());
        }
    }
}
