//! Tests of integers among values that are computed as reals.

use super::{
    CLASSES, assert_near, import, integers, logits, model, node, output, reals, refusal_of, times,
};

/// The logits times a number, as integers rounded by `rounding` if it is not empty.
fn of_logits(rounding: &str) -> Vec<super::super::messages::NodeProto> {
    let mut nodes = vec![node("Mul", &["logits", "many"], "large", &[])];
    let mut last = "large";
    if !rounding.is_empty() {
        nodes.push(node(rounding, &["large"], "rounded", &[]));
        last = "rounded";
    }
    nodes.push(node("Cast", &[last], "whole", &[("to", 7)]));
    nodes
}

#[test]
fn integers_are_divided_towards_zero() {
    let many = || reals("many", &[], &[100.0]);
    let large: Vec<f32> = logits().iter().map(|logit| 100.0 * logit).collect();
    let mut nodes = of_logits("Floor");
    nodes.push(node("Div", &["whole", "seven"], "quotient", &[]));
    nodes.push(node("Cast", &["quotient"], "answer", &[("to", 1)]));
    let found = output(13, vec![many(), integers("seven", &[7])], nodes);
    let wanted = large.iter().map(|large| (large.floor() / 7.0).trunc());
    let wanted: Vec<f32> = wanted.collect();
    assert_near(&found, &wanted);
    assert!(wanted.iter().any(|&quotient| quotient < 0.0), "{wanted:?}");
    // A conversion rounds towards zero, too.
    let mut nodes = of_logits("");
    nodes.push(node("Cast", &["whole"], "answer", &[("to", 1)]));
    let whole: Vec<f32> = large.iter().map(|large| large.trunc()).collect();
    assert_near(&output(13, vec![many()], nodes), &whole);
    // What is not zero would be true.
    let mut nodes = of_logits("Floor");
    nodes[2] = node("Cast", &["rounded"], "truth", &[("to", 9)]);
    let words = refusal_of(13, vec![many()], nodes);
    assert!(words.contains("from the images to bool"), "{words}");
    // To a byte it depends on the machine, below zero.
    let narrow = vec![node("Cast", &["logits"], "byte", &[("to", 2)])];
    let words = refusal_of(13, Vec::new(), narrow);
    assert!(words.contains("from the images to uint8"), "{words}");
}

#[test]
fn integers_of_the_file_stay_integers_behind_every_operator() {
    let arrays = vec![
        integers("wide", &[7, -7, 9, -9, 5, -5, 1, -1, 0, 3]),
        integers("least", &[-8]),
        integers("most", &[8]),
        integers("two", &[2]),
    ];
    let nodes = vec![
        node("Clip", &["wide", "least", "most"], "clipped", &[]),
        node("Div", &["clipped", "two"], "half", &[]),
        node("Cast", &["half"], "factors", &[("to", 1)]),
        node("Mul", &["logits", "factors"], "product", &[]),
    ];
    let halves: [f32; CLASSES] = [3.0, -3.0, 4.0, -4.0, 2.0, -2.0, 0.0, 0.0, 0.0, 1.0];
    assert_near(&output(13, arrays, nodes), &times(halves));
}

/// Images from 0 to 1, as networks are shown by default, would be almost black.
#[test]
fn the_range_to_show_is_noted_for_an_input_of_integers() {
    let byte = "images from 0 to 255 with --set 'network.input=(range: Byte)'";
    let signed = "images from −128 to 127 with --set 'network.input=(range: Byte, mean: [128])'";
    for (code, type_name, range) in [
        (2, "uint8", byte),
        (3, "int8", signed),
        (6, "int32", byte),
        (1, "", ""),
    ] {
        let mut model = model(7, Vec::new(), Vec::new());
        let graph = &mut model.graph;
        let kind = graph.input[0].value_type.get_or_insert_default();
        kind.tensor_type.get_or_insert_default().elem_type = code;
        let notes = import(&model).unwrap().notes;
        let noted = notes.iter().find(|note| note.contains("range: Byte"));
        assert_eq!(noted.is_some(), !type_name.is_empty(), "{notes:?}");
        assert!(noted.is_none_or(|note| note.contains(type_name) && note.contains(range)));
    }
}
