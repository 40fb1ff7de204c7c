//! Tests of the socket protocol.

use super::*;
use crate::session::config::{self, Analysis};
use crate::session::record::{self, BlockSums, ClassificationImages, Note, NoteTarget, TrialKind};
use crate::session::{Config, Form};
use proptest::prelude::*;

#[test]
fn a_session_crosses_the_wire_unchanged_except_for_its_weights() {
    let mut session = Session::new("mine", Config::default());
    session.run = Some(Run::default());
    session.record.notes = vec![Note {
        written: 7,
        on: NoteTarget::Session,
        text: "for the paper".into(),
    }];
    let record = session.record.training.get_or_insert_default();
    record.test_accuracy = Some(0.98);
    let Ok(ReceivedMessage::Session(back)) =
        decode_engine_message(&encode_session(&for_viewers(&session), None), None)
    else {
        panic!("the message does not decode");
    };
    assert_eq!(*back, session);
    record_weights(&mut session);
    let Ok(ReceivedMessage::Session(back)) =
        decode_engine_message(&encode_session(&for_viewers(&session), None), None)
    else {
        panic!("the message does not decode");
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
    let kind = TrialKind::plain(form.class_count(), form.shape());
    let mut begun = ClassificationImages::with_trials(plan, &kind);
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
    let Ok(ReceivedMessage::Session(back)) = decode_engine_message(frame, last) else {
        panic!("the message does not decode");
    };
    *back
}

/// Viewers get the estimates, bit for bit, and not the sums.
/// Blocks are computed from the plan when it is compared with the record: an impossible one must not come so far.
#[test]
fn a_state_with_an_impossible_plan_is_refused() {
    let mut session = measured();
    let Some(Analysis::ClassificationImages(plan)) = session.config.analyses.first_mut() else {
        panic!("the default plan has classification images");
    };
    plan.block = 0;
    let error = decode_engine_message(&encode_session(&session, None), None).err();
    let words = error.unwrap().to_string();
    assert!(words.contains("analyses[0].block"), "{words}");
}

#[test]
fn estimates_are_sent_in_place_of_sums() {
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
fn unchanged_parts_are_not_sent_again() {
    let session = measured();
    let first = for_viewers(&session);
    let whole = encode_session(&first, None);
    // Another state of the run with the same sums.
    let mut session = session.clone();
    session.record.updated = 77;
    let second = for_viewers(&session);
    let frame = encode_session(&second, Some(&first));
    assert!(frame.len() * 5 < whole.len(), "{} bytes", frame.len());
    let before = decoded(&whole, None);
    let back = decoded(&frame, Some(&before));
    assert_eq!(back.record.updated, 77);
    let estimates = |session: &Session| -> Vec<_> {
        let images = session.record.classification_images().unwrap();
        images
            .gammas
            .iter()
            .map(|trials| trials.estimate())
            .collect()
    };
    assert_eq!(estimates(&back), estimates(&session));
    assert!(
        decode_engine_message(&frame, None).is_err(),
        "there is no base state"
    );
}

#[test]
fn a_foreign_program_and_another_version_are_distinguished() {
    assert!(check_greeting(&encode(&ViewerMessage::hello())).is_ok());
    let older = ViewerMessage::Hello {
        magic: MAGIC,
        version: VERSION - 1,
    };
    let error = check_greeting(&encode(&older)).unwrap_err();
    assert!(matches!(error, WireError::Version { theirs } if theirs == VERSION - 1));
    let error = check_greeting(b"GET / HTTP/1.1\r\n").unwrap_err();
    assert!(matches!(error, WireError::Garbage(_)), "{error}");
}

#[test]
fn the_longest_note_fits_into_a_frame() {
    let request = ViewerMessage::Say(EngineCommand::Note(Note {
        written: i64::MIN,
        on: NoteTarget::Unit {
            layer: "é".repeat(Note::MAX_LAYER_BYTES / 2),
            unit: usize::MAX,
        },
        text: "\u{1d6fe}".repeat(Note::MAX_CHARS),
    }));
    let frame = encode(&request);
    assert!(frame.len() <= MAX_FRAME_TO_ENGINE, "{} bytes", frame.len());
    assert_eq!(decode_viewer_message(&frame).unwrap(), request);
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_viewer_message(&bytes);
        let _ = check_greeting(&bytes);
        let _ = decode_engine_message(&bytes, None);
    }

    #[test]
    fn a_state_cut_anywhere_is_an_error(cut in 0.0..1.0_f64) {
        let frame = encode_session(&Session::new("mine", Config::default()), None);
        let end = (frame.len() as f64 * cut) as usize;
        prop_assert!(decode_engine_message(&frame[..end], None).is_err());
    }
}
