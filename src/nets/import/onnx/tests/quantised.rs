//! Tests of quantised networks.

use std::path::Path;

use super::super::call::ImportValue;
use super::super::file::ArrayReader;
use super::super::importer::Importer;
use super::super::messages::{GraphProto, NodeProto, TensorProto};
use super::{CLASSES, assert_near, extended, logits, node, output, reals, run, times, two_images};
use crate::nets::graph::{GraphBuilder, Op};
use crate::nets::graph_parameter_count;
use crate::nets::plan::Plan;

/// An array of integers of this ONNX type, of at most 32 bits.
fn small(name: &str, data_type: i32, shape: &[i64], numbers: &[i32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: shape.to_vec(),
        data_type,
        int32_data: numbers.to_vec(),
        ..TensorProto::default()
    }
}

#[test]
fn activations_are_rounded_to_steps_and_bounded() {
    let inputs = |value| [value, "scale", "zero"];
    let nodes = || {
        vec![
            node("QuantizeLinear", &inputs("logits"), "steps", &[]),
            node("DequantizeLinear", &inputs("steps"), "reals", &[]),
        ]
    };
    // Small steps leave the range of the type.
    for scale in [0.07_f32, 0.0005] {
        for (data_type, zero, least, most) in [(2, 130, 0.0, 255.0), (3, -5, -128.0, 127.0)] {
            let arrays = vec![
                reals("scale", &[], &[scale]),
                small("zero", data_type, &[], &[zero]),
            ];
            let network = extended(13, arrays, nodes()).unwrap();
            let zero = zero as f32;
            let rounded = |logit: &f32| {
                let step = (logit / scale).round_ties_even() + zero;
                (step.clamp(least, most) - zero) * scale
            };
            let wanted: Vec<f32> = logits().iter().map(rounded).collect();
            assert_near(&run(&network), &wanted);
            let notes = &network.notes;
            assert!(
                notes.len() == 1 && notes[0].contains("quantised"),
                "{notes:?}"
            );
            // What the zero point adds is not computed.
            let labels = network.graph.nodes().iter().map(|node| node.op.label());
            let labels: Vec<&str> = labels.collect();
            assert_eq!(labels[labels.len() - 4..], ["Div", "Round", "Clip", "Mul"]);
        }
    }
}

#[test]
fn the_integers_between_are_those_of_the_type() {
    let nodes = vec![
        node("QuantizeLinear", &["logits", "scale"], "steps", &[]),
        node("Cast", &["steps"], "numbers", &[("to", 1)]),
    ];
    // Without a zero point they are bytes.
    let arrays = vec![reals("scale", &[], &[0.01])];
    let logits = logits();
    let steps = logits.iter().map(|logit| (logit / 0.01).round_ties_even());
    let steps: Vec<f32> = steps.map(|step| step.clamp(0.0, 255.0)).collect();
    assert_near(&output(13, arrays, nodes), &steps);
    let zero = vec![reals("scale", &[], &[0.01]), small("zero", 3, &[], &[100])];
    let nodes = vec![
        node("QuantizeLinear", &["logits", "scale", "zero"], "steps", &[]),
        node("Cast", &["steps"], "numbers", &[("to", 1)]),
    ];
    let steps = logits
        .iter()
        .map(|logit| (logit / 0.01).round_ties_even() + 100.0);
    let steps: Vec<f32> = steps.map(|step| step.clamp(-128.0, 127.0)).collect();
    assert_near(&output(13, zero, nodes), &steps);
}

#[test]
fn quantised_weights_become_reals_at_import() {
    let (scales, zeros) = ([0.01_f32, 0.02, 0.005], [1, -2, 0]);
    let whole: Vec<i32> = (0..30).map(|i| i * 37 % 255 - 127).collect();
    let arrays = vec![
        small("head.weight_quantized", 3, &[10, 3], &whole),
        reals("head.weight_scale", &[3], &scales),
        small("head.weight_zero_point", 3, &[3], &zeros),
        small("head.bias_quantized", 6, &[3], &[100_000, -7, 3]),
        reals("head.bias_scale", &[3], &[0.001, 0.5, 0.25]),
    ];
    let weight = [
        "head.weight_quantized",
        "head.weight_scale",
        "head.weight_zero_point",
    ];
    let bias = ["head.bias_quantized", "head.bias_scale"];
    let nodes = vec![
        node("DequantizeLinear", &weight, "weight", &[("axis", -1)]),
        node("DequantizeLinear", &bias, "bias", &[("axis", 0)]),
        node("Gemm", &["logits", "weight", "bias"], "answer", &[]),
    ];
    let network = extended(13, arrays, nodes).unwrap();
    let real = |row: usize, column: usize| {
        (whole[3 * row + column] - zeros[column]) as f32 * scales[column]
    };
    let mut wanted = Vec::new();
    for image in logits().chunks(CLASSES) {
        for (column, bias) in [100.0_f32, -3.5, 0.75].into_iter().enumerate() {
            let terms = image.iter().enumerate();
            let sum: f32 = terms.map(|(row, logit)| logit * real(row, column)).sum();
            wanted.push(sum + bias);
        }
    }
    assert_near(&run(&network), &wanted);
    assert!(network.graph.weights().contains_key("head.weight"));
    assert!(network.notes.is_empty(), "{:?}", network.notes);
    let mut labels = network.graph.nodes().iter().map(|node| node.op.label());
    assert!(labels.all(|label| label != "Mul"));
}

#[test]
fn weights_may_be_quantised_within_the_file() {
    let factors = [
        2.5_f32, 3.5, -0.5, -1.5, 0.25, 0.75, 500.0, -500.0, 1.0, 0.0,
    ];
    let arrays = vec![
        reals("factors", &[10], &factors),
        reals("scale", &[], &[0.5]),
        small("zero", 3, &[], &[4]),
    ];
    let nodes = vec![
        node(
            "QuantizeLinear",
            &["factors", "scale", "zero"],
            "steps",
            &[],
        ),
        node("DequantizeLinear", &["steps", "scale", "zero"], "near", &[]),
        node("Mul", &["logits", "near"], "product", &[]),
    ];
    // Steps of a half from −132 to 123 halves; ties to even.
    let near = [2.5, 3.5, -0.5, -1.5, 0.0, 1.0, 61.5, -66.0, 1.0, 0.0];
    assert_near(&output(13, arrays, nodes), &times(near));
}

/// Together they take several times the memory of the weights.
#[test]
fn arrays_are_dropped_after_their_last_use() {
    let file = GraphProto {
        initializer: vec![
            small("whole", 3, &[4], &[1, -2, 3, 4]),
            reals("step", &[], &[0.5]),
        ],
        ..GraphProto::default()
    };
    let nodes = [
        node("DequantizeLinear", &["whole", "step"], "weight", &[]),
        node("Mul", &["images", "weight"], "product", &[]),
        node("Add", &["product", "step"], "moved", &[]),
        node("Add", &["moved", "weight"], "sum", &[]),
    ];
    let reader = ArrayReader::of(Path::new("model.onnx"));
    let mut importer = Importer::new(GraphBuilder::new([1, 4, 4]), &reader, 13, 1);
    importer.add_arrays(&file);
    let images = importer.emit_value("images", Op::Input, &[]).unwrap();
    importer.set("images", images);
    let nodes: Vec<&NodeProto> = nodes.iter().collect();
    importer.walk(&nodes).unwrap();
    let values = importer.values.values();
    let arrays = values.filter(|value| value.constant().is_some());
    assert_eq!(arrays.count(), 0);
    assert!(matches!(
        importer.value("sum").unwrap(),
        ImportValue::Node(_)
    ));
}

/// As ONNX Runtime quantises a network: activations and weights pass through integers.
#[test]
fn a_quantised_network_runs_by_plan() {
    let whole: Vec<i32> = (0..30).map(|i| i * 37 % 255 - 127).collect();
    let arrays = vec![
        reals("step", &[], &[0.07]),
        small("zero", 2, &[], &[130]),
        small("head", 3, &[10, 3], &whole),
        reals("head.step", &[3], &[0.01, 0.02, 0.005]),
        reals("last.step", &[], &[0.3]),
        small("last.zero", 3, &[], &[-5]),
    ];
    let nodes = vec![
        node("QuantizeLinear", &["logits", "step", "zero"], "steps", &[]),
        node("DequantizeLinear", &["steps", "step", "zero"], "near", &[]),
        node("DequantizeLinear", &["head", "head.step"], "weight", &[]),
        node("Gemm", &["near", "weight"], "sums", &[]),
        node(
            "QuantizeLinear",
            &["sums", "last.step", "last.zero"],
            "last",
            &[],
        ),
        node(
            "DequantizeLinear",
            &["last", "last.step", "last.zero"],
            "answer",
            &[],
        ),
    ];
    let network = extended(13, arrays, nodes).unwrap();
    // Scales and zero points are no parameters.
    let reals_only = extended(
        13,
        vec![reals("head", &[10, 3], &[0.5; 30])],
        vec![node("Gemm", &["logits", "head"], "sums", &[])],
    );
    assert_eq!(
        graph_parameter_count(&network.graph),
        graph_parameter_count(&reals_only.unwrap().graph)
    );
    let labels = network.graph.nodes().iter().map(|node| node.op.label());
    assert_eq!(labels.filter(|&label| label == "Round").count(), 2);
    let plan = Plan::new(&network.graph.fast().unwrap().graph).unwrap();
    let found = plan.logits(&two_images());
    assert_near(&found, &run(&network));
    // Multiples of a step, of which some differ.
    assert!(found.iter().any(|&sum| (sum - found[0]).abs() > 0.2));
}
