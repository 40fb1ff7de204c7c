//! Files of `tests/fixtures/onnx` against what onnxruntime answered, and files with something wrong.

mod errors;
mod parity;

use std::path::{Path, PathBuf};

use super::{Imported, Options, read};

fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx");
    folder.join(name)
}

fn imported(name: &str) -> Imported {
    read(&fixture(&format!("{name}.onnx")), &Options::default()).unwrap()
}
