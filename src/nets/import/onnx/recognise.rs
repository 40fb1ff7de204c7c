//! Recognises files that are not ONNX models by their first bytes, with advice on what to do.

/// Three lines of Python that export a PyTorch module as an ONNX file.
const FROM_TORCH: &str = "make an ONNX file of the network in Python:\n    import torch\n    model = …  # your module with its weights; for a TorchScript file torch.jit.load(\"FILE\")\n    torch.onnx.export(model.eval(), torch.zeros(1, CHANNELS, HEIGHT, WIDTH), \"model.onnx\", dynamo=False)";

/// The same for Keras and TensorFlow.
const FROM_KERAS: &str = "make an ONNX file of the network in Python (pip install tf2onnx):\n    import keras\n    model = keras.models.load_model(\"FILE\")\n    model.export(\"model.onnx\", format=\"onnx\")";

/// A kind of file that is not an ONNX model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonOnnxFile {
    /// The kind, with its article.
    pub what: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// What a file that begins with `head` is; `None` if it may be an ONNX model. Zip archives are told apart by
/// the file names that appear in `head`.
pub fn foreign(head: &[u8]) -> Option<NonOnnxFile> {
    let begins = |bytes: &[u8]| head.starts_with(bytes);
    let has = |bytes: &[u8]| head.windows(bytes.len()).any(|window| window == bytes);
    let lower: Vec<u8> = head.iter().map(u8::to_ascii_lowercase).collect();
    let first = lower.iter().position(|byte| !byte.is_ascii_whitespace());
    let page = |tag: &[u8]| first.is_some_and(|at| lower[at..].starts_with(tag));
    let text = head
        .iter()
        .all(|byte| matches!(byte, 9..=13 | 32..=126 | 128..));
    let (what, remedy) = match head {
        [] => ("an empty file", "download or export it again"),
        _ if begins(b"version https://git-lfs") => (
            "a Git-LFS pointer",
            "run `git lfs pull` in its repository to get the model that it stands for",
        ),
        _ if page(b"<!doctype html") || page(b"<html") => (
            "an HTML page",
            "download the file itself: the address led to a page about it",
        ),
        _ if begins(b"PK\x03\x04") && (has(b"constants.pkl") || has(b"/code/")) => {
            ("a TorchScript archive", FROM_TORCH)
        }
        _ if begins(b"PK\x03\x04") && has(b"data.pkl") => (
            "a PyTorch checkpoint, which holds weights without the network",
            FROM_TORCH,
        ),
        _ if begins(b"PK\x03\x04") && has(b"model.weights.h5") => ("a Keras model", FROM_KERAS),
        _ if begins(b"PK\x03\x04") => ("a zip archive", "unpack it, and give the .onnx file in it"),
        _ if begins(b"\x89HDF") => ("an HDF5 file, as Keras writes them", FROM_KERAS),
        _ if begins(b"\x80") && head.get(1).is_some_and(|version| *version <= 5) => (
            "a Python pickle, as older PyTorch writes checkpoints",
            FROM_TORCH,
        ),
        _ if begins(b"\x1f\x8b") => ("a gzip-compressed file", "unpack it with gunzip"),
        _ if begins(b"\x93NUMPY") => ("a NumPy array", "give the file of the network"),
        _ if begins(b"\x89PNG") || begins(b"\xff\xd8\xff") => {
            ("a picture", "give the file of the network")
        }
        _ if head.get(8) == Some(&b'{') && head[4..8] == [0; 4] => (
            "a safetensors file, which holds weights without the network",
            FROM_TORCH,
        ),
        _ if head.get(4..8) == Some(b"TFL3") => (
            "a TensorFlow Lite model",
            "make an ONNX file of it: pip install tf2onnx; python -m tf2onnx.convert --tflite FILE --output model.onnx",
        ),
        _ if text => ("a text file", "give the .onnx file of the network"),
        _ => return None,
    };
    Some(NonOnnxFile { what, remedy })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(head: &[u8]) -> &'static str {
        foreign(head).map_or("nothing known", |foreign| foreign.what)
    }

    #[test]
    fn files_are_recognised_by_their_first_bytes() {
        for (head, name) in [
            (&b""[..], "empty"),
            (b"version https://git-lfs.github.com/spec/v1\n", "Git-LFS"),
            (b"\n <!DOCTYPE html><html>", "HTML"),
            (b"PK\x03\x04\0\0model/constants.pkl", "TorchScript"),
            (b"PK\x03\x04\0\0model/data.pkl", "checkpoint"),
            (b"PK\x03\x04\0\0model.weights.h5", "Keras"),
            (b"PK\x03\x04\0\0model.onnx", "zip"),
            (b"\x89HDF\r\n\x1a\n", "Keras"),
            (b"\x80\x02}q\0", "pickle"),
            (b"\x10\0\0\0\0\0\0\0{\"a\":1}", "safetensors"),
            (b"\x1c\0\0\0TFL3\0\0", "Lite"),
            (b"hello", "text"),
        ] {
            assert!(what(head).contains(name), "{name}: {}", what(head));
        }
        assert_eq!(what(b"\x08\x07\x12\x07pytorch"), "nothing known");
    }
}
