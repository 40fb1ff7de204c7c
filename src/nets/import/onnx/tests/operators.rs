//! Tests of operators in unusual uses, behind the logits of the plain network.

use onnx_ir::NodeProto;

use super::{CLASSES, integers, logits, node, output};

/// The mean of an image's logits, \[N,1\], in version 13.
fn mean() -> NodeProto {
    node(
        "ReduceMean",
        &["logits"],
        "mean",
        &[("axes", 1), ("keepdims", 1)],
    )
}

fn means(logits: &[f32]) -> Vec<f32> {
    let mean = |row: &[f32]| row.iter().sum::<f32>() / row.len() as f32;
    logits.chunks(CLASSES).map(mean).collect()
}

fn assert_near(found: &[f32], wanted: &[f32]) {
    assert_eq!(found.len(), wanted.len());
    for (place, (a, b)) in found.iter().zip(wanted).enumerate() {
        let near = (a - b).abs() <= 1e-5 * (1.0 + b.abs());
        assert!(near, "{place}: {a} instead of {b}");
    }
}

/// Each number as often as there are classes.
fn for_every_class(numbers: &[f32]) -> Vec<f32> {
    let row = |&number: &f32| [number; CLASSES];
    numbers.iter().flat_map(row).collect()
}

#[test]
fn a_choice_has_the_shape_of_all_its_inputs() {
    let wanted = for_every_class(&means(&logits()));
    let always = vec![integers("yes", &[1])];
    let choice = node("Where", &["yes", "mean", "logits"], "chosen", &[]);
    assert_near(&output(13, always, vec![mean(), choice]), &wanted);
    // Only the condition has a number for each class.
    let never = vec![integers("no", &[0; CLASSES])];
    let choice = node("Where", &["no", "yes", "mean"], "chosen", &[]);
    let arrays = [never, vec![integers("yes", &[1])]].concat();
    assert_near(&output(13, arrays, vec![mean(), choice]), &wanted);
}
