//! Readers of what the program also writes: what they accept is written and read again, and must be the same.

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use noisescope::data::idx;
use noisescope::export;
use noisescope::link::wire::{self, ReceivedMessage};
use noisescope::session::config::{Network, NetworkKind};
use noisescope::session::record::{NetworkWeights, TrainingRecord};
use noisescope::session::store::{StoreError, config_from_text};
use noisescope::session::text::{from_text, to_text};
use noisescope::session::{Config, Session};
use noisescope::tui::preferences::Preferences;
use tempfile::tempdir;

use crate::damage::networks::read_weights;
use crate::damage::{self, Reader, files_in};

fn parse(text: &str) -> Result<Session, StoreError> {
    from_text(text, Path::new("it.ron"), "it")
}

/// A session with results, as an earlier version wrote it.
fn earlier_session() -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sessions/schema-6.ron.gz");
    let file = std::fs::File::open(path).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

/// Session files.
pub fn session() -> Reader {
    let earlier = earlier_session();
    let newest = to_text(&parse(&earlier).unwrap()).unwrap();
    let new = to_text(&Session::new("it", Config::default())).unwrap();
    Reader {
        name: "session",
        valid: [newest, earlier, new].map(String::into_bytes).to_vec(),
        read: Box::new(|bytes| {
            let Ok(session) = parse(&String::from_utf8_lossy(bytes)) else {
                return false;
            };
            let written = to_text(&session).unwrap();
            let again = parse(&written).unwrap();
            assert!(to_text(&again).unwrap() == written, "it has changed");
            true
        }),
    }
}

/// Plans, as in presets.
pub fn config() -> Reader {
    let parse = |text: &str| config_from_text(text, Path::new("it.ron"));
    let mut valid = files_in("sessions/presets", |name| name.ends_with(".ron"));
    valid.push(ron::to_string(&Config::default()).unwrap().into_bytes());
    Reader {
        name: "config",
        valid,
        read: Box::new(move |bytes| {
            let Ok(config) = parse(&String::from_utf8_lossy(bytes)) else {
                return false;
            };
            let written = ron::to_string(&config).unwrap();
            let again = parse(&written).unwrap();
            assert_eq!(ron::to_string(&again).unwrap(), written);
            true
        }),
    }
}

/// Preferences files.
pub fn preferences() -> Reader {
    let light = "(background: Light, theme: (accent: \"#ff8000\"), keys: {\"pause\": [\"P\"]})";
    Reader {
        name: "preferences",
        valid: vec![Preferences::shipped().into_bytes(), light.into()],
        read: Box::new(|bytes| {
            let Ok(preferences) = Preferences::parse(&String::from_utf8_lossy(bytes)) else {
                return false;
            };
            let written = ron::to_string(&preferences).unwrap();
            assert_eq!(Preferences::parse(&written), Ok(preferences));
            true
        }),
    }
}

/// An engine's messages to viewers.
pub fn engine_state() -> Reader {
    let session = parse(&earlier_session()).unwrap();
    Reader {
        read: Box::new(|bytes| {
            let session = match wire::decode_engine_message(bytes, None) {
                Ok(ReceivedMessage::Session(session)) => session,
                Ok(ReceivedMessage::Welcome(_)) => return true,
                Err(_) => return false,
            };
            let written = wire::encode_session(&session, None);
            let again = wire::decode_engine_message(&written, None).unwrap();
            let ReceivedMessage::Session(again) = again else {
                panic!("a session became another message");
            };
            // As bytes, since NaN does not equal itself.
            assert!(
                wire::encode_session(&again, None) == written,
                "it has changed"
            );
            true
        }),
        ..damage::engine_state(&session)
    }
}

/// Viewers' messages to an engine.
pub fn viewer_frame() -> Reader {
    Reader {
        read: Box::new(|bytes| {
            let Ok(message) = wire::decode_viewer_message(bytes) else {
                return false;
            };
            let written = wire::encode(&message);
            let again = wire::decode_viewer_message(&written).unwrap();
            // As bytes, since NaN does not equal itself.
            assert_eq!(wire::encode(&again), written);
            true
        }),
        ..damage::viewer_frame()
    }
}

/// IDX files of images, plain or gzipped; read alone, and as part of a set.
pub fn idx_images() -> Reader {
    let Reader { name, valid, read } = damage::idx_images();
    Reader {
        name,
        valid,
        read: Box::new(move |bytes| {
            let path = Path::new("images");
            if let Ok(images) = idx::parse_images(bytes, path) {
                let mut written = Vec::new();
                idx::write_images(&mut written, &images.pixels, images.height, images.width)
                    .unwrap();
                let again = idx::parse_images(&written, path).unwrap();
                assert!(again == images, "the images have changed");
            }
            read(bytes)
        }),
    }
}

/// IDX files of labels, plain or gzipped; read alone, and as part of a set.
pub fn idx_labels() -> Reader {
    let Reader { name, valid, read } = damage::idx_labels();
    Reader {
        name,
        valid,
        read: Box::new(move |bytes| {
            let path = Path::new("labels");
            if let Ok(labels) = idx::parse_labels(bytes, path) {
                let mut written = Vec::new();
                idx::write_labels(&mut written, &labels).unwrap();
                let again = idx::parse_labels(&written, path).unwrap();
                assert!(again == labels, "the labels have changed");
            }
            read(bytes)
        }),
    }
}

/// The same reader of weights in a file named `file`; the weights are exported and imported again.
pub fn weights(reader: Reader, file: &'static str) -> Reader {
    let folder = tempdir().unwrap();
    let read = move |bytes: &[u8]| {
        let Ok(imported) = read_weights(&folder.path().join(file), bytes) else {
            return false;
        };
        let written = safetensors(imported.weights);
        let again = read_weights(&folder.path().join("again.safetensors"), &written).unwrap();
        assert!(
            safetensors(again.weights) == written,
            "the weights have changed"
        );
        true
    };
    Reader {
        read: Box::new(read),
        ..reader
    }
}

/// The weights of a logistic regression as a safetensors file.
fn safetensors(weights: NetworkWeights) -> Vec<u8> {
    let network = Network {
        kind: NetworkKind::Logistic,
        ..Network::default()
    };
    let config = Config {
        network,
        ..Config::default()
    };
    let mut session = Session::new("it", config);
    session.record.training = Some(TrainingRecord {
        finished: true,
        best: weights,
        ..TrainingRecord::default()
    });
    export::weights::weights(&session, Path::new("unused")).unwrap()
}
