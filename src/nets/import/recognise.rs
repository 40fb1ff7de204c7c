//! What a file is that holds no weights, told by how it begins, and what to do with it.

use std::path::Path;

use crate::session::form::Shape;

/// A kind of file with its article, and what to do about it.
pub type Foreign = (String, Remedy);

/// What to do with a file that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Fetch it again.
    Fetch,
    /// Fetch what a Git-LFS pointer stands for.
    Pull,
    /// Unpack it.
    Unpack,
    /// Give a file of weights.
    Weights,
    /// Save a state dict, or export the network.
    StateDict,
    /// Export the module of a TorchScript archive.
    TorchScript,
    /// Export the model of Keras.
    Keras,
    /// Convert the graph of TensorFlow.
    TensorFlow(&'static str),
    /// Give an ONNX file as what it is.
    Onnx,
}

impl Remedy {
    /// In words, for a file that is to be a network of images \[C,H,W\].
    pub fn words(self, path: &Path, image: Shape) -> String {
        let file = path.display();
        match self {
            Self::Fetch => "fetch the file itself again".to_owned(),
            Self::Pull => {
                "run `git lfs pull` in its repository to get the weights that it stands for"
                    .to_owned()
            }
            Self::Unpack => "unpack it, and give the file of weights that comes out".to_owned(),
            Self::Weights => {
                "needed is a PyTorch state dict (.pt, .pth) or a safetensors file".to_owned()
            }
            Self::StateDict => format!(
                "save the weights with torch.save(model.state_dict(), \"model.pt\"), or {}",
                from_torch("…  # your module with its weights", image)
            ),
            Self::TorchScript => from_torch(&format!("torch.jit.load(\"{file}\")"), image),
            Self::Keras => exported(&[
                "import keras, tf2onnx  # pip install tf2onnx".to_owned(),
                format!("model = keras.models.load_model(\"{file}\")"),
                "tf2onnx.convert.from_keras(model, output_path=\"model.onnx\")".to_owned(),
            ]),
            Self::TensorFlow(option) => format!(
                "make an ONNX file of it (pip install tf2onnx): python -m tf2onnx.convert {option} {file} --output model.onnx\nand give that: {RUN}"
            ),
            Self::Onnx => format!(
                "it holds the network too, so leave network.kind out: noisescope run mine --network {file}"
            ),
        }
    }
}

const RUN: &str = "noisescope run mine --network model.onnx";

/// Three lines of Python that make an ONNX file of a PyTorch module.
pub fn from_torch(model: &str, [channels, height, width]: Shape) -> String {
    exported(&[
        "import torch".to_owned(),
        format!("model = {model}"),
        format!(
            "torch.onnx.export(model.eval(), torch.zeros(1, {channels}, {height}, {width}), \"model.onnx\")"
        ),
    ])
}

fn exported(lines: &[String; 3]) -> String {
    format!(
        "make an ONNX file of the network in Python:\n    {}\nand give that: {RUN}",
        lines.join("\n    ")
    )
}

/// What a file is that holds no weights; `None` where it may hold some.
pub fn foreign(head: &[u8], path: &Path) -> Option<Foreign> {
    let begins = |bytes: &[u8]| head.starts_with(bytes);
    let ends = |ending: &str| {
        path.extension()
            .is_some_and(|own| own.eq_ignore_ascii_case(ending))
    };
    let lower: Vec<u8> = head.iter().map(u8::to_ascii_lowercase).collect();
    let first = lower.iter().position(|byte| !byte.is_ascii_whitespace());
    let page = |tag: &[u8]| first.is_some_and(|at| lower[at..].starts_with(tag));
    let text = std::str::from_utf8(head).is_ok_and(|words| {
        words
            .chars()
            .all(|it| !it.is_control() || it.is_ascii_whitespace())
    });
    // The first field of an ONNX model is its version, and a name or a graph follows.
    let onnx = matches!(
        head,
        [
            8,
            3..=20,
            0x12 | 0x1a | 0x22 | 0x28 | 0x32 | 0x3a | 0x42,
            ..
        ]
    );
    let (what, remedy) = match head {
        [] => ("an empty file", Remedy::Fetch),
        _ if begins(b"version https://git-lfs") => ("a Git-LFS pointer", Remedy::Pull),
        _ if page(b"<!doctype") || page(b"<html") || page(b"<?xml") => {
            ("a web page", Remedy::Fetch)
        }
        _ if begins(b"\x1f\x8b") => ("a gzip-compressed file", Remedy::Unpack),
        _ if begins(b"\x89HDF") => ("an HDF5 file, as Keras writes them", Remedy::Keras),
        _ if begins(b"\x93NUMPY") => ("a NumPy array", Remedy::Weights),
        _ if begins(b"\x89PNG") || begins(b"\xff\xd8\xff") => ("a picture", Remedy::Weights),
        _ if begins(b"\x08\x01\x12") => (
            "a TensorFlow SavedModel",
            Remedy::TensorFlow("--saved-model"),
        ),
        _ if head.get(4..8) == Some(b"TFL3") => {
            ("a TensorFlow Lite model", Remedy::TensorFlow("--tflite"))
        }
        _ if ends("onnx") || onnx => ("an ONNX file", Remedy::Onnx),
        _ if ends("pb") => ("a TensorFlow graph", Remedy::TensorFlow("--graphdef")),
        _ if head.get(257..262) == Some(b"ustar") => (
            "a tar archive, as PyTorch before 0.1.10 or a packer writes them",
            Remedy::Unpack,
        ),
        _ if begins(b"(session") || begins(b"(\n") => {
            ("a RON file, perhaps a session", Remedy::Weights)
        }
        _ if text => ("a text file", Remedy::Weights),
        _ => return None,
    };
    Some((what.to_owned(), remedy))
}

/// What a folder is that holds no weights.
pub fn folder(path: &Path) -> Option<Foreign> {
    let saved = path.join("saved_model.pb").is_file();
    saved.then(|| {
        (
            "a TensorFlow SavedModel".to_owned(),
            Remedy::TensorFlow("--saved-model"),
        )
    })
}

/// What a zip archive with these entries is, where that is no checkpoint.
pub fn archive<T: AsRef<str>>(names: &[T]) -> Option<Foreign> {
    let has = |fits: &dyn Fn(&str) -> bool| names.iter().any(|name| fits(name.as_ref()));
    let called = |name: &str, file: &str| name.rsplit('/').next() == Some(file);
    let (what, remedy) = if has(&|name| called(name, "constants.pkl")) {
        (
            "a TorchScript archive, which holds code",
            Remedy::TorchScript,
        )
    } else if has(&|name| called(name, "model.weights.h5") || called(name, "model.weights.npz")) {
        ("a Keras model", Remedy::Keras)
    } else if has(&|name| name.ends_with(".npy")) {
        ("an archive of NumPy arrays", Remedy::Weights)
    } else if has(&|name| name.ends_with(".onnx")) {
        ("a zip archive with an ONNX file in it", Remedy::Unpack)
    } else {
        return None;
    };
    Some((what.to_owned(), remedy))
}
