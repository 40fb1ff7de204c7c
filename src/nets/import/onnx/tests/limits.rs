//! Tests of files that no exporter writes: each is refused with its place, and computes nothing absurd before that.

use super::super::messages::{LengthProto, NodeProto, TensorProto};
use super::{import, integers, lengths, model, node, reals, refusal_of, with_list};

/// Checks that a node on arrays, added to the logits in version 13, is refused with all of these words.
fn refused(arrays: Vec<TensorProto>, odd: NodeProto, words: &[&str]) {
    let operator = odd.op_type.clone();
    let added = node("Add", &["logits", odd.output[0].as_str()], "sum", &[]);
    let refusal = refusal_of(13, arrays, vec![odd, added]);
    for needed in words {
        assert!(refusal.contains(needed), "{operator}: {needed}: {refusal}");
    }
}

#[test]
fn a_transposition_names_every_axis_once() {
    for axes in [&[0, 0][..], &[0], &[0, 1, 1]] {
        let mut turned = node("Transpose", &["matrix"], "turned", &[("perm", 0)]);
        turned.attribute[0].ints = axes.to_vec();
        let matrix = vec![reals("matrix", &[5, 1], &[1.0; 5])];
        refused(matrix, turned, &["Transpose at", "in another order"]);
    }
}

#[test]
fn a_slice_names_every_axis_once_and_completely() {
    let table = || reals("table", &[3, 3], &[0.0; 9]);
    let of = |starts: &[i64], axes: &[i64]| {
        vec![
            table(),
            integers("starts", starts),
            integers("ends", &[9, 9]),
            integers("axes", axes),
        ]
    };
    let slice = || node("Slice", &["table", "starts", "ends", "axes"], "cut", &[]);
    refused(of(&[2, 2], &[0, 0]), slice(), &["Slice at", "axis 0 twice"]);
    refused(of(&[2], &[0]), slice(), &["Slice at", "1 starts, 2 ends"]);
}

#[test]
fn lengths_of_windows_that_do_not_fit_are_named_with_their_numbers() {
    for (attribute, numbers, words) in [
        (
            "strides",
            &[2][..],
            "its attribute strides, [2], does not fit",
        ),
        (
            "dilations",
            &[1, -1],
            "its attribute dilations, [1, -1], does not fit",
        ),
        ("pads", &[1, 0, 1], "its pads are [1, 0, 1]"),
        ("pads", &[0, -1, 0, 0], "its pads are [0, -1, 0, 0]"),
    ] {
        let kernel = vec![reals("kernel", &[1, 1, 3, 3], &[0.0; 9])];
        let conv = node("Conv", &["images", "kernel"], "sums", &[]);
        refused(
            kernel,
            with_list(conv, attribute, numbers),
            &["Conv at", words],
        );
    }
}

#[test]
fn what_a_recurrent_layer_or_a_slice_does_that_is_not_supported_is_named() {
    let weights = || {
        vec![
            reals("w", &[1, 4, 10], &[0.0; 40]),
            reals("r", &[1, 4, 1], &[0.0; 4]),
        ]
    };
    for operator in ["LSTM", "GRU"] {
        let clipped = node(operator, &["logits", "w", "r"], "states", &[("clip", 1)]);
        refused(
            weights(),
            clipped,
            &["it clips the inputs of its activations"],
        );
    }
    let bounds = ["starts", "ends", "axes"]
        .map(|name| integers(name, &[if name == "axes" { 1 } else { 3 }]));
    let nothing = node("Slice", &["logits", "starts", "ends", "axes"], "cut", &[]);
    refused(
        bounds.to_vec(),
        nothing,
        &["Slice at", "it takes nothing of axis 1"],
    );
}

#[test]
fn parts_that_add_up_only_by_overflowing_are_refused() {
    let most = i64::MAX;
    let arrays = vec![
        reals("nine", &[9], &[0.0; 9]),
        integers("parts", &[most, most, 11]),
    ];
    let mut split = node("Split", &["nine", "parts"], "a", &[("axis", 0)]);
    split.output = ["a", "b", "c"].map(str::to_owned).to_vec();
    refused(arrays, split, &["Split at", "do not add up to 9"]);
}

#[test]
fn a_step_that_is_never_taken_may_have_any_size() {
    let arrays = vec![
        reals("ten", &[10], &[0.0; 10]),
        integers("start", &[9]),
        integers("end", &[-100]),
        integers("axis", &[0]),
        integers("step", &[i64::MIN]),
    ];
    let last = node(
        "Slice",
        &["ten", "start", "end", "axis", "step"],
        "last",
        &[],
    );
    refused(arrays, last, &["it was read"]);
}

#[test]
fn an_absurdly_large_array_is_refused_before_it_is_made() {
    const LONG: i64 = 200_000;
    let (long, zeros) = (vec![0.0; 200_000], vec![0; 200_000]);
    let arrays = || {
        vec![
            reals("column", &[LONG, 1], &long),
            reals("row", &[1, LONG], &long),
            integers("first", &zeros),
            integers("shape", &[LONG, LONG]),
        ]
    };
    let copies = vec!["row"; 1_000];
    for odd in [
        node("Mul", &["column", "row"], "made", &[]),
        node("Less", &["column", "row"], "made", &[]),
        node("Where", &["first", "column", "row"], "made", &[]),
        node("Gather", &["row", "first"], "made", &[("axis", 0)]),
        node("Concat", &copies, "made", &[("axis", 1)]),
        node("Expand", &["row", "shape"], "made", &[]),
        node("ConstantOfShape", &["shape"], "made", &[]),
    ] {
        refused(arrays(), odd, &["absurdly large array"]);
    }
}

/// The array is larger than an address, and its elements are only counted.
#[test]
fn indices_into_an_absurdly_large_array_are_refused() {
    let most = 1 << 40;
    let mut places = integers("places", &[-1, -1]);
    places.dims = vec![1, 2];
    for odd in [
        node("GatherND", &["turned", "places"], "made", &[]),
        node("ScatterND", &["turned", "places", "row"], "made", &[]),
    ] {
        let arrays = vec![
            reals("one", &[1, 1, 1], &[1.0]),
            integers("sides", &[most, most]),
            integers("zero", &[0]),
            integers("next", &[1]),
            places.clone(),
            reals("row", &[1, 1], &[1.0]),
        ];
        let nodes = vec![
            node("Shape", &["logits"], "shape", &[]),
            node("Slice", &["shape", "zero", "next"], "count", &[]),
            node("Concat", &["sides", "count"], "whole", &[("axis", 0)]),
            node("Expand", &["one", "whole"], "turned", &[]),
            odd,
        ];
        let refusal = refusal_of(13, arrays, nodes);
        assert!(refusal.contains("absurdly large"), "{refusal}");
    }
}

#[test]
fn functions_that_double_the_model_again_and_again_are_refused() {
    let call = |level: usize, input: &str, output: &str| {
        let mut call = node(&format!("F{level}"), &[input], output, &[]);
        "my".clone_into(&mut call.domain);
        call
    };
    let mut model = model(13, Vec::new(), vec![call(20, "logits", "last")]);
    for level in 0..=20 {
        model.functions.push(Default::default());
        let function = model.functions.last_mut().unwrap();
        function.name = format!("F{level}");
        "my".clone_into(&mut function.domain);
        function.input = vec!["x".to_owned()];
        function.output = vec!["z".to_owned()];
        function.node = match level {
            0 => vec![node("Relu", &["x"], "z", &[])],
            _ => vec![call(level - 1, "x", "y"), call(level - 1, "y", "z")],
        };
    }
    let Err(error) = import(&model) else {
        panic!("it was read");
    };
    let words = error.to_string();
    assert!(words.contains("more than 262144 operators"), "{words}");
}

#[test]
fn absurdly_long_rows_are_not_taken_as_images() {
    let mut model = model(13, Vec::new(), Vec::new());
    let axes = lengths(&mut model.graph.input[0]);
    axes.truncate(2);
    axes[1].value = Some(LengthProto::Fixed(1 << 60));
    let Err(error) = import(&model) else {
        panic!("it was read");
    };
    let words = error.to_string();
    assert!(words.contains("1152921504606846976 values"), "{words}");
}
