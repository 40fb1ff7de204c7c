//! Tests with the files of `tests/fixtures/onnx`: results against onnxruntime's, operators behind a plain network, and
//! broken files.

mod arrays;
mod einsum;
mod errors;
mod images;
mod limits;
mod narrow;
mod operators;
mod outputs;
mod parity;
mod quantised;
mod scattered;
mod versions;
mod wholes;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use prost::Message;
use tempfile::TempDir;

use super::messages::{
    AttributeProto, DimensionProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
};
use super::{OnnxError, OnnxImport, OnnxOptions, read};

/// Logits of an image in the plain network.
const CLASSES: usize = 10;

fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx");
    folder.join(name)
}

fn imported(name: &str) -> OnnxImport {
    read(&fixture(&format!("{name}.onnx")), &OnnxOptions::default()).unwrap()
}

/// Numbers that are not symmetric.
fn uneven(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| (i * 7 % 11) as f32 / 4.0 - 1.0)
        .collect()
}

/// A node whose attributes are integers.
fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, i64)]) -> NodeProto {
    let attribute = |&(name, number): &(&str, i64)| AttributeProto {
        name: name.to_owned(),
        i: number,
        ints: vec![number],
        ..AttributeProto::default()
    };
    NodeProto {
        op_type: operator.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute: attributes.iter().map(attribute).collect(),
        ..NodeProto::default()
    }
}

/// The node with another attribute, a string.
fn with_text(mut node: NodeProto, name: &str, text: &'static str) -> NodeProto {
    node.attribute.push(AttributeProto {
        name: name.to_owned(),
        s: text.into(),
        ..AttributeProto::default()
    });
    node
}

/// A node with an attribute of several integers.
fn with_list(mut node: NodeProto, name: &str, numbers: &[i64]) -> NodeProto {
    node.attribute.push(AttributeProto {
        name: name.to_owned(),
        ints: numbers.to_vec(),
        ..AttributeProto::default()
    });
    node
}

/// An array of real numbers.
fn reals(name: &str, shape: &[i64], numbers: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: shape.to_vec(),
        data_type: 1,
        float_data: numbers.to_vec(),
        ..TensorProto::default()
    }
}

/// A list of integers.
fn integers(name: &str, numbers: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![i64::try_from(numbers.len()).unwrap()],
        data_type: 7,
        int64_data: numbers.to_vec(),
        ..TensorProto::default()
    }
}

/// The lengths of the axes of an input or output.
fn lengths(value: &mut ValueInfoProto) -> &mut Vec<DimensionProto> {
    let kind = value.value_type.get_or_insert_default();
    let array = kind.tensor_type.get_or_insert_default();
    &mut array.shape.get_or_insert_default().dim
}

/// The plain network in this version of the operators, with more arrays, and with these nodes behind its logits.
fn model(version: i64, arrays: Vec<TensorProto>, nodes: Vec<NodeProto>) -> ModelProto {
    let bytes = fs::read(fixture("cnn-7.onnx")).unwrap();
    let mut model = ModelProto::decode(bytes.as_slice()).unwrap();
    model.opset_import[0].version = version;
    let graph = &mut model.graph;
    if let Some(last) = nodes.last() {
        graph.output[0].name.clone_from(&last.output[0]);
    }
    graph.initializer.extend(arrays);
    graph.node.extend(nodes);
    model
}

/// That network as it is read.
fn extended(
    version: i64,
    arrays: Vec<TensorProto>,
    nodes: Vec<NodeProto>,
) -> Result<OnnxImport, OnnxError> {
    import(&model(version, arrays, nodes))
}

/// A model, written to a file and read from it.
fn import(model: &ModelProto) -> Result<OnnxImport, OnnxError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.onnx");
    fs::write(&path, model.encode_to_vec()).unwrap();
    read(&path, &OnnxOptions::default())
}

/// Why that network is refused.
fn refusal_of(version: i64, arrays: Vec<TensorProto>, nodes: Vec<NodeProto>) -> String {
    match extended(version, arrays, nodes) {
        Err(error) => error.to_string(),
        Ok(_) => "it was read".to_owned(),
    }
}

/// Two images.
fn two_images() -> Vec<f32> {
    (0..2 * 784u16).map(|i| f32::from(i % 19) / 19.0).collect()
}

/// The output of a network for these images.
fn run(network: &OnnxImport) -> Vec<f32> {
    let device = Device::flex();
    let data = TensorData::new(two_images(), [2, 1, 28, 28]);
    let images = Tensor::from_data(data, &device);
    let answer = network.graph.load(&device).forward(images);
    answer.into_data().try_into_vec().unwrap()
}

/// The output of the plain network with these nodes, for two images.
fn output(version: i64, arrays: Vec<TensorProto>, nodes: Vec<NodeProto>) -> Vec<f32> {
    run(&extended(version, arrays, nodes).unwrap())
}

/// The plain network's logits for these images.
fn logits() -> Vec<f32> {
    output(7, Vec::new(), Vec::new())
}

/// The plain network's logits, each times the number of its class.
fn times(factors: [f32; CLASSES]) -> Vec<f32> {
    let logits = logits();
    let factors = factors.iter().cycle();
    logits.iter().zip(factors).map(|(a, b)| a * b).collect()
}

fn assert_near(found: &[f32], wanted: &[f32]) {
    assert_eq!(found.len(), wanted.len());
    for (place, (a, b)) in found.iter().zip(wanted).enumerate() {
        let near = (a - b).abs() <= 1e-5 * (1.0 + b.abs());
        assert!(near, "{place}: {a} instead of {b}");
    }
}
