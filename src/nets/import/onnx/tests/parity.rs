//! Tests that logits equal onnxruntime's, for several exporters, versions and batch sizes.

use std::fs::File;

use burn::tensor::{Device, Tensor, TensorData};

use super::super::{ImageLayout, OnnxImport};
use super::{fixture, imported};
use crate::nets::graph::op::Unary;
use crate::nets::graph::{Dim, Op};

fn array(name: &str, entry: &str) -> Vec<f32> {
    let file = File::open(fixture(&format!("{name}.npz"))).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let entry = archive.by_name(&format!("{entry}.npy")).unwrap();
    npyz::NpyFile::new(entry).unwrap().into_vec().unwrap()
}

fn logits(network: &OnnxImport, images: &[f32]) -> Vec<f32> {
    let device = Device::flex();
    let [channels, height, width] = network.graph.image();
    let count = images.len() / (channels * height * width);
    let data = TensorData::new(images.to_vec(), [count, channels, height, width]);
    let answer = network
        .graph
        .load(&device)
        .forward(Tensor::from_data(data, &device));
    answer.into_data().try_into_vec().unwrap()
}

/// The largest difference of a logit from onnxruntime's, relative to the standard deviation of its logits.
fn difference(name: &str) -> f32 {
    let network = imported(name);
    let (ours, theirs) = (
        logits(&network, &array(name, "images")),
        array(name, "logits"),
    );
    assert_eq!(ours.len(), theirs.len());
    far(&ours, &theirs)
}

#[allow(clippy::cast_precision_loss)]
fn far(ours: &[f32], theirs: &[f32]) -> f32 {
    let mean = theirs.iter().sum::<f32>() / theirs.len() as f32;
    let square = |number: &f32| (number - mean).powi(2);
    let spread = (theirs.iter().map(square).sum::<f32>() / theirs.len() as f32).sqrt();
    let differences = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max) / spread
}

macro_rules! agrees {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                let difference = difference($name);
                assert!(difference < 1e-5, "{difference}");
            }
        )*
    };
}

agrees! {
    plain_network_of_version_7_agrees: "cnn-7",
    plain_network_of_the_newest_version_agrees: "cnn-newest",
    weights_in_a_side_file_agree: "side-file",
    residual_network_with_batch_normalization_agrees: "residual-13",
    residual_network_of_the_newer_exporter_agrees: "residual-newest",
    residual_network_for_one_image_agrees_on_three: "residual-fixed",
    depthwise_squeeze_and_shuffle_agree: "mobile-11",
    depthwise_squeeze_and_shuffle_for_one_image_agree_on_three: "mobile-fixed",
    depthwise_squeeze_and_shuffle_of_the_newer_exporter_agree: "mobile-newest",
    transformer_agrees: "transformer-14",
    transformer_for_one_image_agrees_on_three: "transformer-fixed",
    transformer_of_the_newer_exporter_agrees: "transformer-newest",
    lstm_agrees: "lstm-13",
    lstm_for_one_image_agrees_on_three: "lstm-fixed",
    gru_agrees: "gru-13",
    normalizations_and_resizes_agree: "normalised-13",
    normalizations_and_resizes_of_the_newer_exporter_agree: "normalised-newest",
}

#[test]
fn channels_last_agree_without_the_softmax_and_keep_class_names() {
    let network = imported("keras");
    assert_eq!(network.layout, ImageLayout::ChannelsLast);
    assert!(network.notes[0].contains("softmax"), "{:?}", network.notes);
    let names = network.class_names.as_deref();
    let expected = ["ant", "bee", "cat", "dog", "eel"].map(str::to_owned);
    assert_eq!(names, Some(&expected[..]));
    assert_eq!(network.graph.image(), [3, 9, 9]);
    let logits = logits(&network, &array("keras", "images"));
    let probabilities: Vec<f32> = logits
        .chunks(5)
        .flat_map(|row| {
            let sum: f32 = row.iter().map(|logit| logit.exp()).sum();
            row.iter().map(move |logit| logit.exp() / sum)
        })
        .collect();
    let difference = far(&probabilities, &array("keras", "logits"));
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn opposite_transposes_leave_no_nodes() {
    let network = imported("keras");
    let turned = |op: &Op| matches!(op, Op::Transpose { .. });
    let nodes = network.graph.nodes().iter();
    // Only the one before the dense layer, which has channels last.
    assert_eq!(nodes.filter(|node| turned(&node.op)).count(), 1);
}

#[test]
fn nodes_and_weights_keep_their_names() {
    for name in ["residual-13", "residual-newest", "residual-fixed"] {
        let network = imported(name);
        for node in ["conv1", "layer1.1.conv2", "layer1.0.downsample.0", "fc"] {
            assert!(network.graph.find(node).is_some(), "{name}: {node}");
        }
    }
    let network = imported("residual-13");
    let weights = network.graph.weights();
    assert!(weights.contains_key("layer1.0.bn1.running_mean"));
    assert!(weights.contains_key("fc.weight"));
}

#[test]
fn no_node_is_unused() {
    for name in ["transformer-14", "normalised-13", "lstm-13"] {
        let network = imported(name);
        let users = network.graph.users();
        for id in network.graph.ids() {
            let used = !users[id.0].is_empty() || id == network.graph.output();
            assert!(used, "{name}: {}", network.graph.node(id).name);
        }
    }
}

#[test]
fn shape_arithmetic_leaves_no_nodes() {
    let network = imported("transformer-14");
    let nodes = network.graph.nodes();
    // Of the file's 275 nodes, only those that compute on images are left.
    assert!(nodes.len() < 70, "{}", nodes.len());
    let last = nodes.last().unwrap();
    assert_eq!(last.shape, [Dim::batch(1), Dim::fixed(3)]);
}

#[test]
fn operators_exported_as_several_nodes_become_one() {
    let counted = |name: &str, is: &dyn Fn(&Op) -> bool| {
        let network = imported(name);
        let nodes = network.graph.nodes().iter();
        nodes.filter(|node| is(&node.op)).count()
    };
    // In version 14, layer normalization is nine nodes and GELU five.
    let normalised = |op: &Op| matches!(op, Op::LayerNorm { .. });
    assert_eq!(counted("transformer-14", &normalised), 2);
    let gelu = |op: &Op| *op == Op::Unary(Unary::Gelu);
    assert_eq!(counted("transformer-14", &gelu), 1);
    // In version 11: hard sigmoid times x, sigmoid times x.
    let gated = |op: &Op| matches!(op, Op::Unary(Unary::HardSwish | Unary::Silu));
    assert_eq!(counted("mobile-11", &gated), 2);
    let softplus = |op: &Op| *op == Op::Unary(Unary::Softplus);
    assert_eq!(counted("normalised-newest", &softplus), 1);
}
