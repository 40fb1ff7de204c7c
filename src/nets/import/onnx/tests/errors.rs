//! Tests of error messages: what is wrong with a file, where, and what to do.

use std::fs;
use std::path::Path;

use prost::Message;
use tempfile::TempDir;

use super::super::messages::{LengthProto, ModelProto, NodeProto};
use super::super::{Bundle, OnnxOptions, read};
use super::{fixture, lengths};

/// The plain network, with something changed.
fn changed(change: impl FnOnce(&mut ModelProto)) -> ModelProto {
    let bytes = fs::read(fixture("cnn-7.onnx")).unwrap();
    let mut model = ModelProto::decode(bytes.as_slice()).unwrap();
    change(&mut model);
    model
}

fn words_with(model: &ModelProto, options: &OnnxOptions) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.onnx");
    fs::write(&path, model.encode_to_vec()).unwrap();
    refusal(&path, options)
}

fn words(model: &ModelProto) -> String {
    words_with(model, &OnnxOptions::default())
}

fn refusal(path: &Path, options: &OnnxOptions) -> String {
    match read(path, options) {
        Err(error) => error.to_string(),
        Ok(_) => "it was read".to_owned(),
    }
}

/// Checks that a message contains all of these.
fn tells(words: &str, needed: &[&str]) {
    for needed in needed {
        assert!(words.contains(needed), "{needed}: {words}");
    }
}

fn node(operator: &str, name: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        name: name.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: outputs.iter().map(|&name| name.to_owned()).collect(),
        ..NodeProto::default()
    }
}

/// Appends a node after the output, and makes it the output.
fn behind(model: &mut ModelProto, node: NodeProto) {
    let graph = &mut model.graph;
    graph.output[0].name.clone_from(&node.output[0]);
    graph.node.push(node);
}

#[test]
fn a_missing_operator_is_named_with_its_place_and_number() {
    let model = changed(|model| {
        behind(model, node("Det", "first", &["logits"], &["a"]));
        behind(model, node("Det", "second", &["a"], &["b"]));
        let mut custom = node("Fancy", "third", &["b"], &["c"]);
        custom.domain = "com.example".into();
        behind(model, custom);
    });
    let words = words(&model);
    tells(
        &words,
        &[
            "Det (2 times, first at `first`)",
            "com.example.Fancy (at `third`)",
            "network.output=Some(",
        ],
    );
    let before = OnnxOptions {
        output: Some("logits".into()),
        size: None,
    };
    assert_eq!(words_with(&model, &before), "it was read");
}

#[test]
fn an_operator_used_in_an_unknown_way_is_named_with_its_place() {
    let model = changed(|model| {
        behind(
            model,
            node("Range", "ends", &["logits", "logits", "logits"], &["a"]),
        );
    });
    tells(
        &words(&model),
        &["Range at `ends`", "computed from the images"],
    );
}

#[test]
fn two_inputs_are_named() {
    let model = changed(|model| {
        let graph = &mut model.graph;
        let mut second = graph.input[0].clone();
        second.name = "mask".into();
        graph.input.push(second);
        behind(model, node("Add", "add", &["logits", "mask"], &["a"]));
    });
    tells(&words(&model), &["several inputs", "`images`", "`mask`"]);
}

#[test]
fn an_input_that_is_not_an_image_is_named_with_its_shape() {
    let model = changed(|model| {
        let graph = &mut model.graph;
        let axes = lengths(&mut graph.input[0]);
        axes.truncate(2);
        axes[1].value = Some(LengthProto::Fixed(77));
    });
    tells(&words(&model), &["`images` [batch,77]", "[N,C,H,W]"]);
}

#[test]
fn an_open_size_is_requested_and_can_be_given() {
    let model = changed(|model| {
        let graph = &mut model.graph;
        let axes = lengths(&mut graph.input[0]);
        axes[2].value = Some(LengthProto::Named("height".into()));
        axes[3].value = Some(LengthProto::Named("width".into()));
    });
    tells(
        &words(&model),
        &["[batch,1,height,width]", "network.image=Some("],
    );
    let size = |rows, columns| OnnxOptions {
        output: None,
        size: Some((rows, columns)),
    };
    assert_eq!(words_with(&model, &size(28, 28)), "it was read");
    // 20 rows leave 2×4 positions instead of 4×4 before the dense layer.
    tells(
        &words_with(&model, &size(20, 28)),
        &["Gemm at `/fc1/Gemm`", "[64,12]"],
    );
}

#[test]
fn a_size_other_than_the_files_is_refused() {
    let options = OnnxOptions {
        output: None,
        size: Some((32, 32)),
    };
    let words = refusal(&fixture("cnn-7.onnx"), &options);
    tells(&words, &["28×28", "32×32"]);
}

#[test]
fn an_output_that_is_not_a_class_vector_is_named_with_alternatives() {
    let model = changed(|model| {
        let unsqueezed = node("Relu", "relu", &["logits"], &["a"]);
        behind(model, unsqueezed);
        let mut transpose = node("Transpose", "turn", &["a"], &["turned"]);
        transpose.name = "turn".into();
        behind(model, transpose);
    });
    let words = words(&model);
    tells(
        &words,
        &["`turned`", "[10,N]", "Some(\"a\")", "Some(\"logits\")"],
    );
}

#[test]
fn several_outputs_are_offered() {
    let model = changed(|model| {
        let graph = &mut model.graph;
        let mut second = graph.output[0].clone();
        second.name = "boxes".into();
        let axes = lengths(&mut second);
        let axis = axes[1].clone();
        axes.push(axis);
        graph.output.push(second);
        graph
            .node
            .push(node("Relu", "relu", &["logits"], &["boxes"]));
    });
    let words = words(&model);
    tells(
        &words,
        &[
            "several outputs",
            "`boxes` [batch,10,10]",
            "Some(\"logits\")",
        ],
    );
    assert!(!words.contains("Some(\"boxes\")"), "{words}");
}

#[test]
fn a_missing_output_suggests_similar_names() {
    let options = OnnxOptions {
        output: Some("logit".into()),
        size: None,
    };
    let words = refusal(&fixture("cnn-7.onnx"), &options);
    tells(&words, &["`logit`", "Some(\"logits\")"]);
}

#[test]
fn an_unused_mask_is_ignored() {
    let model = changed(|model| {
        behind(
            model,
            node("Dropout", "drop", &["logits"], &["kept", "mask"]),
        );
    });
    assert_eq!(words(&model), "it was read");
    let model = changed(|model| {
        behind(
            model,
            node("Dropout", "drop", &["logits"], &["kept", "mask"]),
        );
        behind(model, node("Mul", "mul", &["kept", "mask"], &["a"]));
    });
    tells(&words(&model), &["Dropout at `drop`", "mask is used"]);
}

#[test]
fn rows_of_numbers_are_taken_as_square_images() {
    let model = changed(|model| {
        let graph = &mut model.graph;
        // A vector input, reshaped to the original shape.
        let axes = lengths(&mut graph.input[0]);
        axes.truncate(2);
        axes[1].value = Some(LengthProto::Fixed(784));
        graph.input[0].name = "row".into();
        let mut reshape = node("Reshape", "image", &["row", "shape"], &["images"]);
        reshape.name = "image".into();
        graph.node.insert(0, reshape);
        let mut array = graph.initializer[0].clone();
        array.name = "shape".into();
        array.dims = vec![4];
        array.data_type = 7;
        let lengths = [-1i64, 1, 28, 28].map(i64::to_le_bytes);
        array.raw_data = lengths.concat().into();
        graph.initializer.push(array);
    });
    assert_eq!(words(&model), "it was read");
}

#[test]
fn weights_that_are_not_numbers_are_named() {
    let model = changed(|model| {
        let graph = &mut model.graph;
        let array = &mut graph.initializer;
        let weight = array
            .iter_mut()
            .find(|tensor| tensor.name == "fc1.bias")
            .unwrap();
        let mut bytes = weight.raw_data.to_vec();
        bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
        weight.raw_data = bytes.into();
    });
    tells(&words(&model), &["`fc1.bias`", "not numbers"]);
}

#[test]
fn weights_of_the_wrong_length_are_named() {
    let model = changed(|model| {
        let graph = &mut model.graph;
        graph.initializer[0].dims[0] += 1;
    });
    tells(&words(&model), &["damaged", "bytes"]);
}

#[test]
fn a_missing_side_file_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("side-file.onnx");
    fs::copy(fixture("side-file.onnx"), &path).unwrap();
    let words = refusal(&path, &OnnxOptions::default());
    tells(&words, &["side-file.onnx.data", "beside the model"]);
    // The array named is one of the file's.
    let model = ModelProto::decode(&*fs::read(&path).unwrap()).unwrap();
    let mut arrays = model.graph.initializer.iter();
    let outside = arrays.find(|array| !array.external_data.is_empty());
    let name = &outside.expect("an array in the side file").name;
    let Err(error) = Bundle::open(&path) else {
        panic!("it was read");
    };
    tells(
        &error.to_string(),
        &[&format!("the weights `{name}` are in")],
    );
}

/// The model with a side file, with another value in each array's reference to it.
fn with_side_entry(key: &str, value: &str) -> ModelProto {
    let bytes = fs::read(fixture("side-file.onnx")).unwrap();
    let mut model = ModelProto::decode(bytes.as_slice()).unwrap();
    let graph = &mut model.graph;
    for array in &mut graph.initializer {
        for entry in &mut array.external_data {
            if entry.key == key {
                entry.value = value.into();
            }
        }
    }
    model
}

#[test]
fn a_side_file_elsewhere_is_not_read() {
    tells(
        &words(&with_side_entry("location", "../secret")),
        &["`../secret`", "not in the model's folder"],
    );
}

#[test]
fn a_place_in_a_side_file_that_is_no_number_or_too_short_is_damage() {
    tells(
        &words(&with_side_entry("offset", "-8")),
        &["damaged", "the offset of", "`-8`, not a number of bytes"],
    );
    tells(
        &words(&with_side_entry("length", "4")),
        &["damaged", "has 4 bytes in its side file"],
    );
}

#[test]
fn files_that_are_not_models_are_identified() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.onnx");
    for (bytes, needed) in [
        (&b"<!DOCTYPE html>"[..], "HTML page"),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "git lfs pull",
        ),
        (b"PK\x03\x04 model/constants.pkl", "torch.onnx.export"),
        (b"\x89HDF\r\n\x1a\n\0", "keras"),
        (b"\x08\x07\x12\x07pytorch\x1a", "damaged"),
        (b"", "empty"),
    ] {
        fs::write(&path, bytes).unwrap();
        tells(
            &refusal(&path, &OnnxOptions::default()),
            &["model.onnx", needed],
        );
    }
    let nowhere = folder.path().join("nowhere.onnx");
    tells(
        &refusal(&nowhere, &OnnxOptions::default()),
        &["cannot be read"],
    );
}

#[test]
fn damaged_files_are_refused_or_read_and_never_panic() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.onnx");
    for name in [
        "cnn-7.onnx",
        "transformer-14.onnx",
        "normalised-13.onnx",
        "mobile-newest.onnx",
    ] {
        let bytes = fs::read(fixture(name)).unwrap();
        for step in 0..600 {
            let mut bytes = bytes.clone();
            let index = step * 7919 % bytes.len();
            bytes[index] = bytes[index].wrapping_add(1 + u8::try_from(step % 251).unwrap());
            if step % 5 == 0 {
                bytes.truncate(index);
            }
            fs::write(&path, &bytes).unwrap();
            let _ = read(&path, &OnnxOptions::default());
        }
    }
}
