//! Tests with the files of `tests/fixtures/onnx`: results against onnxruntime's, and broken files.

mod errors;
mod parity;
mod versions;

use std::path::{Path, PathBuf};

use super::{OnnxImport, OnnxOptions, read};

fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx");
    folder.join(name)
}

fn imported(name: &str) -> OnnxImport {
    read(&fixture(&format!("{name}.onnx")), &OnnxOptions::default()).unwrap()
}
