//! The readers of files and messages, each with valid input, and ways to damage that input.
//!
//! Shared by `tests/mutants.rs` and the fuzz targets in `tests/fuzz`.
#![allow(dead_code)] // each test program uses only a part

pub mod networks;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use noisescope::data::Dataset;
use noisescope::ids::Gamma;
use noisescope::link::{EngineCommand, wire};
use noisescope::session::Session;
use noisescope::session::config::Extension;
use noisescope::session::text::from_text;
use tempfile::tempdir;

pub use networks::{onnx, pytorch_archive, pytorch_pickle, safetensors};

use crate::images::{self, cycle, floats, load_own, longs, npy, put, put_idx, put_npz, put_png};

/// The most memory that reading one file may take, in MiB.
pub const MAX_MIB: usize = 1024;

/// The longest time that reading one file may take.
pub const MAX_TIME: Duration = Duration::from_secs(20);

/// Reads some bytes, and returns whether they were accepted.
pub type Read = Box<dyn Fn(&[u8]) -> bool>;

/// A reader of files or messages.
pub struct Reader {
    pub name: &'static str,
    /// Valid files or messages; at least the first of them is accepted.
    pub valid: Vec<Vec<u8>>,
    pub read: Read,
}

/// All readers. `session` is a finished session's file.
pub fn readers(session: Vec<u8>) -> Vec<Reader> {
    vec![
        engine_state(&parse_session(&session)),
        self::session(session),
        viewer_frame(),
        idx_images(),
        idx_labels(),
        gzip(),
        cifar_batch(),
        npz_archive(),
        npy_array(),
        png(),
        jpeg(),
        class_names(),
        pytorch_archive(),
        pytorch_pickle(),
        safetensors(),
        onnx(),
    ]
}

/// Damages a file in one to four ways: changes bytes, sets them to extreme values, removes or repeats them, inserts
/// random bytes or bytes of `other`, or truncates the file. `roll` chooses a number below its argument, or 0.
pub fn mutant(file: &[u8], other: &[u8], roll: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=roll(4) {
        let at = roll(bytes.len());
        let length = (1 + roll(16)).min(bytes.len() - at);
        match roll(9) {
            _ if bytes.is_empty() => bytes.push(roll(256) as u8),
            0 => bytes[at] = roll(256) as u8,
            1 => bytes[at] ^= 1 << roll(8),
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][roll(5)],
            3 => bytes[at..at + length].fill([0, 0xff][roll(2)]),
            4 => drop(bytes.drain(at..at + length)),
            5 => {
                let repeated = bytes[at..at + length].to_vec();
                bytes.splice(at..at, repeated);
            }
            6 => {
                let new: Vec<u8> = (0..length).map(|_| roll(256) as u8).collect();
                bytes.splice(at..at, new);
            }
            7 => {
                let from = roll(other.len());
                let inserted = &other[from..(from + length).min(other.len())];
                bytes.splice(at..at + length, inserted.iter().copied());
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// The most memory that this process has held, in MiB; 0 if the system does not report it.
pub fn peak_mib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.unwrap_or(0) >> 10
}

/// The files in a folder of the project, given by its path from there, whose names `matches` accepts.
pub fn files_in(folder: &str, matches: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| matches(&path.file_name().unwrap().to_string_lossy()))
        .collect();
    files.sort();
    assert!(files.len() > 3, "{files:?}");
    files
        .into_iter()
        .map(|path| fs::read(path).unwrap())
        .collect()
}

/// Parses a valid session file.
fn parse_session(file: &[u8]) -> Session {
    let text = str::from_utf8(file).unwrap();
    from_text(text, Path::new("it.ron"), "it").unwrap()
}

/// Session files. What is accepted may have another plan, but never other results: checksums protect those.
pub fn session(file: Vec<u8>) -> Reader {
    let measured = parse_session(&file).record;
    Reader {
        name: "session",
        valid: vec![file],
        read: Box::new(move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let read = from_text(&text, Path::new("it.ron"), "it");
            read.is_ok_and(|session| {
                assert!(session.record == measured, "the results have changed");
                true
            })
        }),
    }
}

/// An engine's messages to viewers.
pub fn engine_state(session: &Session) -> Reader {
    let refusal = wire::EngineMessage::Refused("no".into());
    Reader {
        name: "an engine's state",
        valid: vec![
            wire::encode_session(&wire::for_viewers(session), None).to_vec(),
            wire::encode_engine_message(&wire::EngineMessage::Welcome { pid: 7 }).to_vec(),
            wire::encode_engine_message(&refusal).to_vec(),
        ],
        read: Box::new(|bytes| wire::decode_engine_message(bytes, None).is_ok()),
    }
}

/// Viewers' messages to an engine.
pub fn viewer_frame() -> Reader {
    let extend = EngineCommand::Extend {
        images: 0,
        more: Extension {
            gamma: Some(Gamma(0.3)),
            trials: 20_000,
            target: Some(0.9),
            class: Some("shoe".into()),
        },
    };
    Reader {
        name: "a viewer's frame",
        valid: [
            wire::ViewerMessage::hello(),
            wire::ViewerMessage::Next,
            wire::ViewerMessage::Say(extend),
        ]
        .map(|message| wire::encode(&message).to_vec())
        .to_vec(),
        read: Box::new(|bytes| wire::decode_viewer_message(bytes).is_ok()),
    }
}

/// A reader of sets of images, of which one file is damaged: the one at the path `damaged`. `put_others` writes the
/// others into a folder.
fn image_set(
    name: &'static str,
    valid: Vec<Vec<u8>>,
    damaged: &'static str,
    put_others: impl Fn(&Path),
) -> Reader {
    let folder = tempdir().unwrap();
    put_others(folder.path());
    let read = move |bytes: &[u8]| {
        put(&folder.path().join(damaged), bytes);
        load_own(folder.path()).is_ok_and(|set| {
            assert_consistent(&set);
            true
        })
    };
    Reader {
        name,
        valid,
        read: Box::new(read),
    }
}

/// Checks that every image of a set has its pixels and one of its classes.
fn assert_consistent(set: &Dataset) {
    for images in [&set.train, &set.test] {
        let (count, classes) = (images.len(), set.classes.len());
        assert_eq!(images.pixels.len(), count * images.area());
        assert!(
            images
                .labels
                .iter()
                .all(|&label| usize::from(label) < classes)
        );
    }
}

/// Writes the four IDX files of a small set.
fn put_idx_files(folder: &Path) {
    put_idx(folder, str::to_owned);
}

/// IDX files of images.
pub fn idx_images() -> Reader {
    image_set(
        "IDX images",
        vec![images::idx_images(12), images::idx_images(3)],
        "train-images-idx3-ubyte",
        put_idx_files,
    )
}

/// IDX files of labels.
pub fn idx_labels() -> Reader {
    image_set(
        "IDX labels",
        vec![images::idx_labels(&cycle(12, 3))],
        "train-labels-idx1-ubyte",
        put_idx_files,
    )
}

/// Gzipped IDX files.
pub fn gzip() -> Reader {
    let once = images::gzip(&images::idx_images(12));
    let twice = images::gzip(&once);
    image_set(
        "gzip",
        vec![once, twice],
        "train-images-idx3-ubyte.gz",
        |folder| {
            put_idx_files(folder);
            fs::remove_file(folder.join("train-images-idx3-ubyte")).unwrap();
        },
    )
}

/// Batches of CIFAR-10.
pub fn cifar_batch() -> Reader {
    let record = |label: u8| [vec![label], vec![label; 3072]].concat();
    image_set(
        "CIFAR batch",
        vec![[record(0), record(1)].concat()],
        "data_batch_1.bin",
        |folder| {
            put(&folder.join("test_batch.bin"), &record(1));
            put(
                &folder.join("batches.meta.txt"),
                b"airplane\nautomobile\n\n",
            );
        },
    )
}

/// Grey levels of 16 images of 2×3.
fn grey_levels() -> Vec<u8> {
    (0..96).collect()
}

/// Labels of 16 images in four classes, as 64-bit integers.
fn four_classes() -> Vec<u8> {
    longs((0..16).map(|index| index % 4))
}

/// Archives of NumPy arrays.
pub fn npz_archive() -> Reader {
    let shares = floats((0..96).map(|index| index as f32 / 96.0));
    image_set(
        "NPZ archive",
        vec![
            archive(&[
                ("images", npy("|u1", &[16, 2, 3], &grey_levels())),
                ("labels", npy("<i8", &[16], &four_classes())),
            ]),
            archive(&[
                ("x_train", npy("<f4", &[16, 2, 3], &shares)),
                ("y_train", npy("|u1", &[16], &[0; 16])),
            ]),
        ],
        "it.npz",
        |_| (),
    )
}

fn archive(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let folder = tempdir().unwrap();
    put_npz(&folder.path().join("it.npz"), arrays);
    fs::read(folder.path().join("it.npz")).unwrap()
}

/// NumPy arrays.
pub fn npy_array() -> Reader {
    image_set(
        "NPY array",
        vec![
            npy("|u1", &[16, 2, 3], &grey_levels()),
            npy("<i8", &[16], &four_classes()),
        ],
        "x_train.npy",
        |folder| {
            let labels = npy("<i8", &[16], &four_classes());
            put(&folder.join("y_train.npy"), &labels);
        },
    )
}

fn picture(format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixel = |x, y| image::Rgb([x as u8 * 20, y as u8 * 30, 99]);
    let picture = image::RgbImage::from_fn(9, 7, pixel);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// PNG pictures.
pub fn png() -> Reader {
    let whole = picture(image::ImageFormat::Png);
    image_set("PNG", vec![whole.clone()], "a/0.png", |folder| {
        for path in ["a/1.png", "b/0.png"] {
            put(&folder.join(path), &whole);
        }
    })
}

/// JPEG pictures.
pub fn jpeg() -> Reader {
    let whole = picture(image::ImageFormat::Jpeg);
    image_set("JPEG", vec![whole.clone()], "a/0.jpg", |folder| {
        for path in ["a/1.jpg", "a/2.jpg", "b/0.jpg", "b/1.jpg", "b/2.jpg"] {
            put(&folder.join(path), &whole);
        }
    })
}

/// Lists of class names.
pub fn class_names() -> Reader {
    image_set(
        "class names",
        vec!["dog\ncat\n".into(), "cat\ndog\n\n".into()],
        "classes.txt",
        |folder| {
            for path in [
                "dog/0.png",
                "dog/1.png",
                "dog/2.png",
                "cat/0.png",
                "cat/1.png",
                "cat/2.png",
            ] {
                put_png(&folder.join(path), 3, 2, 9);
            }
        },
    )
}
