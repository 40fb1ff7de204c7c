//! Recognises files without weights by their first bytes, with advice on what to do.

use std::path::Path;

use crate::session::form::Shape;

/// A kind of file, with its article, and what to do with it.
pub type NonWeightsFile = (String, Remedy);

/// What to do with a file that cannot be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Download it again.
    Fetch,
    /// Pull the file behind a Git-LFS pointer.
    Pull,
    /// Unpack it.
    Unpack,
    /// Use a weights file instead.
    Weights,
    /// Save a state dict, or export the network.
    StateDict,
    /// Export the module of a TorchScript archive.
    TorchScript,
    /// Export the model of Keras.
    Keras,
    /// Convert the TensorFlow graph.
    TensorFlow(&'static str),
    /// Use the ONNX file as a network.
    Onnx,
}

impl Remedy {
    /// The advice, for a network that should take images \[C,H,W\].
    pub fn advice(self, path: &Path, image: Shape) -> String {
        let file = path.display();
        match self {
            Self::Fetch => "download the file itself again".to_owned(),
            Self::Pull => {
                "run `git lfs pull` in its repository to get the weights that it stands for"
                    .to_owned()
            }
            Self::Unpack => "unpack it, and give the weights file in it".to_owned(),
            Self::Weights => {
                "a PyTorch state dict (.pt, .pth) or a safetensors file is needed".to_owned()
            }
            Self::StateDict => format!(
                "save the weights with torch.save(model.state_dict(), \"model.pt\"), or {}",
                from_torch(image)
            ),
            Self::TorchScript => {
                exported(&torch_lines(&format!("torch.jit.load(\"{file}\")"), image))
            }
            Self::Keras => exported(&[
                "import keras, tf2onnx  # pip install tf2onnx".to_owned(),
                format!("model = keras.models.load_model(\"{file}\")"),
                "tf2onnx.convert.from_keras(model, output_path=\"model.onnx\")".to_owned(),
            ]),
            Self::TensorFlow(option) => format!(
                "make an ONNX file of it (pip install tf2onnx): python -m tf2onnx.convert {option} {file} --output model.onnx\nand give that: {RUN}"
            ),
            Self::Onnx => format!(
                "it contains the network too, so leave network.kind out: noisescope run mine --network {file}"
            ),
        }
    }
}

const RUN: &str = "noisescope run mine --network model.onnx";

/// A placeholder for the user's module.
const MODULE: &str = "…  # your module with its weights";

/// Three lines of Python that export a PyTorch module as an ONNX file.
pub fn from_torch(image: Shape) -> String {
    exported(&torch_lines(MODULE, image))
}

/// With the exporter that needs no further package: the newer one, PyTorch's default from 2.9 on, needs onnxscript.
fn torch_lines(model: &str, [channels, height, width]: Shape) -> [String; 3] {
    [
        "import torch".to_owned(),
        format!("model = {model}"),
        format!(
            "torch.onnx.export(model.eval(), torch.zeros(1, {channels}, {height}, {width}), \"model.onnx\", dynamo=False)"
        ),
    ]
}

fn exported(lines: &[String; 3]) -> String {
    format!(
        "make an ONNX file of the network in Python:\n    {}\nand give that: {RUN}",
        lines.join("\n    ")
    )
}

/// What a file without weights is; `None` if it may hold weights.
pub fn foreign(head: &[u8], path: &Path) -> Option<NonWeightsFile> {
    let begins = |bytes: &[u8]| head.starts_with(bytes);
    let ends = |ending: &str| {
        path.extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
    };
    let lower: Vec<u8> = head.iter().map(u8::to_ascii_lowercase).collect();
    let first = lower.iter().position(|byte| !byte.is_ascii_whitespace());
    let page = |tag: &[u8]| first.is_some_and(|at| lower[at..].starts_with(tag));
    let text = std::str::from_utf8(head).is_ok_and(|text| {
        text.chars()
            .all(|c| !c.is_control() || c.is_ascii_whitespace())
    });
    // An ONNX model starts with its version, followed by a name or a graph.
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
            "a tar archive, as PyTorch before 0.1.10 or an archiver writes them",
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

/// What a folder without weights is, if recognised.
pub fn folder(path: &Path) -> Option<NonWeightsFile> {
    let saved = path.join("saved_model.pb").is_file();
    saved.then(|| {
        (
            "a TensorFlow SavedModel".to_owned(),
            Remedy::TensorFlow("--saved-model"),
        )
    })
}

/// What a zip archive with these entries is, unless it may be a checkpoint.
pub fn archive<T: AsRef<str>>(names: &[T]) -> Option<NonWeightsFile> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn what(head: &[u8], name: &str) -> String {
        foreign(head, Path::new(name)).map_or("nothing known".into(), |(what, _)| what)
    }

    #[test]
    fn files_are_recognised_by_their_first_bytes() {
        for (head, name, expected) in [
            (&b""[..], "it.pt", "empty"),
            (
                b"version https://git-lfs.github.com/spec/v1\n",
                "it.pt",
                "Git-LFS",
            ),
            (b" <!DOCTYPE html><html>", "it.pt", "web page"),
            (b"\x89HDF\r\n\x1a\n", "it.h5", "Keras"),
            (b"\x08\x01\x12\x05", "saved_model.pb", "SavedModel"),
            (b"\x0a\x20\x0a", "frozen.pb", "TensorFlow graph"),
            (b"\x1c\0\0\0TFL3\0\0", "it.tflite", "Lite"),
            (b"\x08\x0a\x12\x07pytorch", "it.pt", "ONNX"),
            (b"\x80\x02}q\0", "it.pt", "nothing known"),
            (b"PK\x03\x04", "it.pt", "nothing known"),
        ] {
            let found = what(head, name);
            assert!(found.contains(expected), "{name}: {found}");
        }
    }

    #[test]
    fn archives_are_recognised_by_their_entries() {
        for (entry, expected) in [
            ("it/constants.pkl", "TorchScript"),
            ("model.weights.h5", "Keras"),
            ("x_train.npy", "NumPy"),
            ("model.onnx", "ONNX"),
        ] {
            let (found, _) = archive(&["it/data.pkl", entry]).unwrap();
            assert!(found.contains(expected), "{entry}: {found}");
        }
        assert_eq!(archive(&["it/data.pkl", "it/byteorder"]), None);
    }

    #[test]
    fn exportable_formats_are_answered_with_three_lines_of_python() {
        let saved = Remedy::TensorFlow("--saved-model").advice(Path::new("there"), [3, 32, 16]);
        assert!(
            saved.contains("--saved-model there --output model.onnx"),
            "{saved}"
        );
        for (remedy, line) in [
            (
                Remedy::StateDict,
                "torch.zeros(1, 3, 32, 16), \"model.onnx\", dynamo=False)",
            ),
            (Remedy::TorchScript, "model = torch.jit.load(\"it.pt\")"),
            (Remedy::Keras, "model = keras.models.load_model(\"it.pt\")"),
        ] {
            let words = remedy.advice(Path::new("it.pt"), [3, 32, 16]);
            let python = words.lines().filter(|line| line.starts_with("    "));
            assert_eq!(python.count(), 3, "{words}");
            assert!(words.contains(line) && words.ends_with(RUN), "{words}");
        }
    }
}
