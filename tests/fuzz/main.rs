//! Two fuzz targets for every reader of files or messages: `bytes` reads arbitrary bytes, `damaged` reads damaged
//! copies of valid files. A reader must not panic, take long or use much memory, and what it accepts must be the
//! same after it has been written and read again, if the program writes such files.
//!
//! `cargo test` runs each target for half a second on random input; `scripts/fuzz` runs them with libFuzzer. An input
//! in the folder `__fuzz__/READER__TARGET/crashes` beside this file is tried again by every `cargo test`.

#[path = "../damage/mod.rs"]
mod damage;
#[path = "../images/mod.rs"]
mod images;
mod round_trips;

use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use damage::{MAX_MIB, MAX_TIME, Reader, mutant, peak_mib};

/// How long `cargo test` runs a target.
const TEST_TIME: Duration = Duration::from_millis(500);

/// Adds valid files to the corpus in the folder `NOISESCOPE_CORPUS`, which `scripts/fuzz` sets.
fn seed_corpus(valid: &[Vec<u8>]) {
    let Some(folder) = std::env::var_os("NOISESCOPE_CORPUS") else {
        return;
    };
    for (index, file) in valid.iter().enumerate() {
        fs::write(Path::new(&folder).join(format!("valid-{index}")), file).unwrap();
    }
}

/// Reads some bytes within the limits on time and memory.
fn check(reader: &Reader, bytes: &[u8]) {
    let (before, begun) = (peak_mib(), Instant::now());
    (reader.read)(bytes);
    let elapsed = begun.elapsed();
    assert!(elapsed <= MAX_TIME, "{} took {elapsed:?}", reader.name);
    let used = peak_mib().saturating_sub(before);
    assert!(used <= MAX_MIB, "{} used {used} MiB", reader.name);
}

/// A damaged copy of one of the files; `choices` decide which file is damaged, and how.
fn damaged(valid: &[Vec<u8>], choices: &[u8]) -> Vec<u8> {
    let mut choices = choices.iter();
    // Takes as many bytes as the number needs; zeros once they are used up.
    let mut roll = |below: usize| {
        let (mut number, mut range) = (0, 1);
        while range < below {
            let byte = choices.next().copied().unwrap_or_default();
            number = (number << 8) | usize::from(byte);
            range <<= 8;
        }
        number % below.max(1)
    };
    let file = &valid[roll(valid.len())];
    let other = &valid[roll(valid.len())];
    mutant(file, other, &mut roll)
}

macro_rules! targets {
    ($($name:ident: $reader:expr,)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn bytes() {
                let reader = AssertUnwindSafe($reader);
                seed_corpus(&reader.valid);
                bolero::check!()
                    .with_test_time(TEST_TIME)
                    .for_each(move |bytes: &[u8]| check(&reader, bytes));
            }

            #[test]
            fn damaged() {
                let reader = AssertUnwindSafe($reader);
                assert!((reader.read)(&reader.valid[0]), "a valid file is refused");
                bolero::check!()
                    .with_test_time(TEST_TIME)
                    .for_each(move |choices: &[u8]| {
                        check(&reader, &super::damaged(&reader.valid, choices));
                    });
            }
        }
    )+};
}

targets! {
    session: round_trips::session(),
    config: round_trips::config(),
    preferences: round_trips::preferences(),
    engine_state: round_trips::engine_state(),
    viewer_frame: round_trips::viewer_frame(),
    idx_images: round_trips::idx_images(),
    idx_labels: round_trips::idx_labels(),
    gzip: damage::gzip(),
    cifar_batch: damage::cifar_batch(),
    npz_archive: damage::npz_archive(),
    npy_array: damage::npy_array(),
    png_picture: damage::png(),
    jpeg_picture: damage::jpeg(),
    class_names: damage::class_names(),
    pytorch_archive: round_trips::weights(damage::pytorch_archive(), "it.pt"),
    pytorch_pickle: round_trips::weights(damage::pytorch_pickle(), "it.pt"),
    safetensors: round_trips::weights(damage::safetensors(), "it.safetensors"),
    onnx: damage::onnx(),
}
