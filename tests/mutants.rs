//! Files that are damaged in places of chance, a reader each: what is not refused is read, nothing panics, and little
//! memory is taken. And digits of a real session that change: none goes unseen.
//!
//! A bounded part of a study: `scripts/durability mutants flips` asks for more with the variables named here.

mod common;
mod images;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::dice::{Dice, count};
use images::*;
use noisescope::export::json;
use noisescope::link::wire;
use noisescope::nets::NetworkShape;
use noisescope::nets::import::{self, onnx};
use noisescope::session::config::{InputEncoding, NetworkKind};
use noisescope::session::text::from_text;
use tempfile::{TempDir, tempdir};

/// A place below `below`, or 0.
fn roll(dice: &mut Dice, below: usize) -> usize {
    dice.roll(below as u64) as usize
}

/// A file damaged in one to four ways: bytes changed, set to extremes, lost, doubled, put in, swapped with those of
/// another file, or all that follows a place lost.
fn mutant(whole: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for _ in 0..=roll(dice, 4) {
        let at = roll(dice, bytes.len());
        let length = (1 + roll(dice, 16)).min(bytes.len() - at);
        match roll(dice, 9) {
            _ if bytes.is_empty() => bytes.push(roll(dice, 256) as u8),
            0 => bytes[at] = roll(dice, 256) as u8,
            1 => bytes[at] ^= 1 << roll(dice, 8),
            2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][roll(dice, 5)],
            3 => bytes[at..at + length].fill([0, 0xff][roll(dice, 2)]),
            4 => drop(bytes.drain(at..at + length)),
            5 => {
                let doubled = bytes[at..at + length].to_vec();
                bytes.splice(at..at, doubled);
            }
            6 => {
                let new: Vec<u8> = (0..length).map(|_| roll(dice, 256) as u8).collect();
                bytes.splice(at..at, new);
            }
            7 => {
                let from = roll(dice, other.len());
                let theirs = &other[from..(from + length).min(other.len())];
                bytes.splice(at..at + length, theirs.iter().copied());
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Most memory that this process has held, in MiB; 0 where it is not told.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.unwrap_or(0) >> 10
}

/// Reads a file, and says whether it was taken.
type Read = Box<dyn Fn(&[u8]) -> bool>;

/// A reader: whole files of its kind, and what reads one.
struct Reader {
    name: &'static str,
    whole: Vec<Vec<u8>>,
    read: Read,
}

fn fixtures(folder: &str, of: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    let files = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| of(&path.file_name().unwrap().to_string_lossy()))
        .collect();
    files.sort();
    assert!(files.len() > 3, "{files:?}");
    files
        .into_iter()
        .map(|path| fs::read(path).unwrap())
        .collect()
}

/// A set of images of which one file is damaged: `put` writes the others, `at` is its place.
fn of_images(
    name: &'static str,
    whole: Vec<Vec<u8>>,
    at: &'static str,
    put_others: impl Fn(&Path),
) -> Reader {
    let folder = tempdir().unwrap();
    put_others(folder.path());
    let read = move |bytes: &[u8]| {
        put(&folder.path().join(at), bytes);
        load_own(folder.path()).is_ok()
    };
    Reader {
        name,
        whole,
        read: Box::new(read),
    }
}

fn picture(format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixel = |x, y| image::Rgb([x as u8 * 20, y as u8 * 30, 99]);
    let picture = image::RgbImage::from_fn(9, 7, pixel);
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn archive(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let folder = tempdir().unwrap();
    put_npz(&folder.path().join("it.npz"), arrays);
    fs::read(folder.path().join("it.npz")).unwrap()
}

/// What reads weights from a file of this name.
fn of_weights(file: &'static str) -> Read {
    let folder = tempdir().unwrap();
    Box::new(move |bytes| {
        let path = folder.path().join(file);
        fs::write(&path, bytes).unwrap();
        let ports = NetworkShape {
            image: [1, 2, 3],
            classes: 4,
        };
        import::read(
            &path,
            NetworkKind::Logistic,
            ports,
            &InputEncoding::default(),
        )
        .is_ok()
    })
}

fn safetensors() -> Vec<u8> {
    let head = br#"{"__metadata__":{"format":"pt"},"0.bias":{"dtype":"F32","shape":[4],"data_offsets":[96,112]},"0.weight":{"dtype":"F32","shape":[4,6],"data_offsets":[0,96]}}"#;
    let mut bytes = (head.len() as u64).to_le_bytes().to_vec();
    bytes.extend(head);
    bytes.extend(floats((0..28).map(|at| at as f32 / 7.0)));
    bytes
}

fn readers(session: Vec<u8>) -> Vec<Reader> {
    let others = |folder: &Path| put_idx(folder, str::to_owned);
    let grey = || (0..96).map(|at| at as u8).collect::<Vec<u8>>();
    let four = || longs((0..16).map(|index| index % 4));
    let scratch = |file: &str| -> (TempDir, PathBuf) {
        let folder = tempdir().unwrap();
        let path = folder.path().join(file);
        (folder, path)
    };
    let (onnx_folder, onnx_path) = scratch("it.onnx");
    let text = String::from_utf8(session.clone()).unwrap();
    let parsed = from_text(&text, Path::new("it.ron"), "it").unwrap();
    let measured = parsed.record.clone();
    let record = |label: u8| [vec![label], vec![label; 3072]].concat();
    vec![
        Reader {
            name: "session",
            whole: vec![session],
            read: Box::new(move |bytes| {
                let text = String::from_utf8_lossy(bytes);
                let read = from_text(&text, Path::new("it.ron"), "it");
                // What is taken is another plan at most: what was measured is watched over.
                read.is_ok_and(|it| {
                    assert!(it.record == measured, "it holds other numbers");
                    true
                })
            }),
        },
        Reader {
            name: "an engine's state",
            whole: vec![wire::encode_session(&wire::for_viewers(&parsed), None).to_vec()],
            read: Box::new(|bytes| wire::decode_engine_message(bytes, None).is_ok()),
        },
        Reader {
            name: "a viewer's frame",
            whole: [wire::ViewerMessage::hello(), wire::ViewerMessage::Next]
                .map(|ask| wire::encode(&ask).to_vec())
                .to_vec(),
            read: Box::new(|bytes| wire::decode_viewer_message(bytes).is_ok()),
        },
        of_images(
            "IDX images",
            vec![idx_images(12), idx_images(3)],
            "train-images-idx3-ubyte",
            others,
        ),
        of_images(
            "IDX labels",
            vec![idx_labels(&cycle(12, 3))],
            "train-labels-idx1-ubyte",
            others,
        ),
        of_images(
            "gzip",
            vec![gzip(&idx_images(12)), gzip(&gzip(&idx_images(12)))],
            "train-images-idx3-ubyte.gz",
            |folder| {
                others(folder);
                fs::remove_file(folder.join("train-images-idx3-ubyte")).unwrap();
            },
        ),
        of_images(
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
        ),
        of_images(
            "NPZ archive",
            vec![
                archive(&[
                    ("images", npy("|u1", &[16, 2, 3], &grey())),
                    ("labels", npy("<i8", &[16], &four())),
                ]),
                archive(&[
                    (
                        "x_train",
                        npy(
                            "<f4",
                            &[16, 2, 3],
                            &floats((0..96).map(|at| at as f32 / 96.0)),
                        ),
                    ),
                    ("y_train", npy("|u1", &[16], &[0; 16])),
                ]),
            ],
            "it.npz",
            |_| (),
        ),
        of_images(
            "NPY array",
            vec![npy("|u1", &[16, 2, 3], &grey()), npy("<i8", &[16], &four())],
            "x_train.npy",
            |folder| {
                put(&folder.join("y_train.npy"), &npy("<i8", &[16], &four()));
            },
        ),
        of_images(
            "PNG",
            vec![picture(image::ImageFormat::Png)],
            "a/0.png",
            |folder| {
                put(&folder.join("a/1.png"), &picture(image::ImageFormat::Png));
                put(&folder.join("b/0.png"), &picture(image::ImageFormat::Png));
            },
        ),
        of_images(
            "JPEG",
            vec![picture(image::ImageFormat::Jpeg)],
            "a/0.jpg",
            |folder| {
                for place in ["a/1.jpg", "a/2.jpg", "b/0.jpg", "b/1.jpg", "b/2.jpg"] {
                    put(&folder.join(place), &picture(image::ImageFormat::Jpeg));
                }
            },
        ),
        of_images(
            "class names",
            vec!["dog\ncat\n".into(), "cat\ndog\n\n".into()],
            "classes.txt",
            |folder| {
                for place in [
                    "dog/0.png",
                    "dog/1.png",
                    "dog/2.png",
                    "cat/0.png",
                    "cat/1.png",
                    "cat/2.png",
                ] {
                    put_png(&folder.join(place), 3, 2, 9);
                }
            },
        ),
        Reader {
            name: "PyTorch archive",
            whole: fixtures("weights", |name| {
                name.ends_with(".pt") && !name.contains("legacy")
            }),
            read: of_weights("it.pt"),
        },
        Reader {
            name: "PyTorch pickle",
            whole: fixtures("weights", |name| {
                name.contains("legacy") || name.ends_with(".pkl")
            }),
            read: of_weights("it.pt"),
        },
        Reader {
            name: "safetensors",
            whole: vec![safetensors()],
            read: of_weights("it.safetensors"),
        },
        Reader {
            name: "ONNX",
            whole: fixtures("onnx", |name| {
                name.ends_with(".onnx") && name != "side-file.onnx"
            }),
            read: Box::new(move |bytes| {
                let _here = &onnx_folder;
                fs::write(&onnx_path, bytes).unwrap();
                onnx::read(&onnx_path, &onnx::OnnxOptions::default()).is_ok()
            }),
        },
    ]
}

/// A finished session's file.
fn session() -> String {
    let bench = common::finished();
    fs::read_to_string(bench.store().path("done")).unwrap()
}

#[test]
fn no_mutant_of_a_file_makes_its_reader_panic_or_takes_much_memory() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {
        PANICS.fetch_add(1, Ordering::Relaxed);
    }));
    let all = count("NOISESCOPE_MUTANTS", 150) as usize;
    let mut faults = Vec::new();
    for reader in readers(session().into_bytes()) {
        let name = reader.name;
        let takes = (reader.read)(&reader.whole[0]);
        if !takes {
            faults.push(format!("{name}: the whole file is refused"));
        }
        let (mut dice, mut taken, mut slowest) = (Dice(29), 0, Duration::ZERO);
        let before = PANICS.load(Ordering::Relaxed);
        for number in 0..all {
            let whole = &reader.whole[number % reader.whole.len()];
            let other = &reader.whole[roll(&mut dice, reader.whole.len())];
            let bytes = mutant(whole, other, &mut dice);
            let began = Instant::now();
            match catch_unwind(AssertUnwindSafe(|| (reader.read)(&bytes))) {
                Ok(it) => taken += usize::from(it),
                Err(_) => faults.push(format!("{name}: mutant {number} makes it panic")),
            }
            slowest = slowest.max(began.elapsed());
            if peak() > 1024 {
                faults.push(format!("{name}: mutant {number} takes {} MiB", peak()));
                break;
            }
        }
        // A library's own panic that its caller turned into words is none of the program.
        let caught = PANICS.load(Ordering::Relaxed) - before;
        println!(
            "{all} mutants of {name}: {taken} taken, {caught} panics, the slowest {} ms",
            slowest.as_millis()
        );
        if slowest > Duration::from_secs(20) {
            faults.push(format!("{name}: one took {slowest:?}"));
        }
    }
    std::panic::set_hook(usual);
    println!("mutants: at most {} MiB", peak());
    faults.truncate(20);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_digit_of_a_finished_session_changes_unseen() {
    let whole = session();
    let path = Path::new("it.ron");
    let said = json(&from_text(&whole, path, "it").unwrap());
    let recorded = whole.find("\n  record:").unwrap();
    let head = whole[recorded..].find("\n  checksum:").unwrap();
    let mut dice = Dice(31);
    let all = count("NOISESCOPE_FLIPS", 100);
    let (mut noticed, mut harmless) = (0, 0);
    while noticed + harmless < all {
        // Half of them in what a person can read, half in arrays.
        let room = [head, whole.len() - recorded][roll(&mut dice, 2)];
        let at = recorded + roll(&mut dice, room);
        let digit = whole.as_bytes()[at];
        if !digit.is_ascii_digit() {
            continue;
        }
        let mut changed = whole.clone().into_bytes();
        changed[at] = b'0' + (digit - b'0' + 1 + roll(&mut dice, 9) as u8) % 10;
        let changed = String::from_utf8(changed).unwrap();
        match from_text(&changed, path, "it") {
            Err(_) => noticed += 1,
            // The last letter of base64 may have bits that stand for nothing.
            Ok(session) => {
                assert!(json(&session) == said, "a digit at {at} changes a number");
                harmless += 1;
            }
        }
    }
    println!("{all} digits flipped: {noticed} noticed, {harmless} without effect, 0 silent");
}
