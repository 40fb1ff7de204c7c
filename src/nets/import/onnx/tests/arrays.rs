//! Tests of operators that work on known arrays only.

use super::{CLASSES, assert_near, integers, node, output, reals, refusal_of, times};

#[test]
fn positions_are_computed_at_import() {
    let numbers = [0.5, 1.0, -2.0, 4.0, 0.25, 3.0, -1.5, 2.0, 1.0, 0.75];
    let sums = |exclusive: bool, reverse: bool| {
        let mut sums = [0.0; CLASSES];
        let mut sum = 0.0;
        for step in 0..CLASSES {
            let place = if reverse { CLASSES - 1 - step } else { step };
            let next = sum + numbers[place];
            sums[place] = if exclusive { sum } else { next };
            sum = next;
        }
        sums
    };
    for (exclusive, reverse) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let attributes = [("exclusive", exclusive), ("reverse", reverse)];
        let wanted = sums(exclusive == 1, reverse == 1);
        for (wave, function) in [
            ("Sin", f32::sin as fn(f32) -> f32),
            ("Cos", f32::cos as fn(f32) -> f32),
        ] {
            let nodes = vec![
                node("CumSum", &["numbers", "axis"], "positions", &attributes),
                node(wave, &["positions"], "waves", &[]),
                node("Mul", &["logits", "waves"], "product", &[]),
            ];
            let arrays = vec![
                reals("numbers", &[1, 10], &numbers),
                integers("axis", &[-1]),
            ];
            assert_near(&output(13, arrays, nodes), &times(wanted.map(function)));
        }
    }
    let wave = vec![node("Sin", &["logits"], "waves", &[])];
    let words = refusal_of(13, Vec::new(), wave);
    assert!(words.contains("only arrays are supported"), "{words}");
}

#[test]
fn numbers_become_rows_that_are_on_at_their_index() {
    for (index, on) in [(3, Some(3)), (-1, Some(9)), (10, None)] {
        let arrays = vec![
            integers("index", &[index]),
            integers("depth", &[10]),
            reals("off and on", &[2], &[0.5, -2.0]),
        ];
        let nodes = vec![
            node("OneHot", &["index", "depth", "off and on"], "row", &[]),
            node("Mul", &["logits", "row"], "product", &[]),
        ];
        let mut row = [0.5; CLASSES];
        if let Some(on) = on {
            row[on] = -2.0;
        }
        assert_near(&output(13, arrays, nodes), &times(row));
    }
}

#[test]
fn weights_are_standardized_as_in_training() {
    // As weight standardization is exported: a normalisation of the kernels by output channel.
    let kernels = [0.5, -1.0, 2.0, 1.5, 0.25, 3.0, 1.0, -2.0, 0.0, 4.0];
    let arrays = vec![
        reals("kernels", &[1, 2, 5], &kernels),
        reals("gain", &[2], &[2.0, -0.5]),
        reals("shift", &[2], &[0.0, 0.25]),
        integers("as row", &[10]),
    ];
    let inputs = ["kernels", "gain", "shift", "shift", "gain"];
    let attributes = [("training_mode", 1)];
    let nodes = vec![
        node("BatchNormalization", &inputs, "standard", &attributes),
        node("Reshape", &["standard", "as row"], "row", &[]),
        node("Mul", &["logits", "row"], "product", &[]),
    ];
    let mut row = [0.0; CLASSES];
    for (channel, (gain, shift)) in [(2.0, 0.0), (-0.5, 0.25)].into_iter().enumerate() {
        let kernel = &kernels[5 * channel..][..5];
        let mean = kernel.iter().sum::<f32>() / 5.0;
        let variance = kernel.iter().map(|tap| (tap - mean).powi(2)).sum::<f32>() / 5.0;
        for (place, tap) in kernel.iter().enumerate() {
            row[5 * channel + place] = (tap - mean) / (variance + 1e-5).sqrt() * gain + shift;
        }
    }
    assert_near(&output(14, arrays, nodes), &times(row));
}

#[test]
fn what_depends_on_the_number_of_images_alone_is_refused_as_that() {
    let nodes = vec![
        node("Shape", &["logits"], "shape", &[]),
        node("ConstantOfShape", &["shape"], "zeros", &[]),
        node("Not", &["zeros"], "ones", &[]),
        node("Add", &["logits", "ones"], "sum", &[]),
    ];
    let words = refusal_of(13, Vec::new(), nodes);
    assert!(
        words.contains("for one image, without dynamic axes"),
        "{words}"
    );
    let nodes = vec![
        node("Not", &["logits"], "ones", &[]),
        node("Add", &["logits", "ones"], "sum", &[]),
    ];
    let words = refusal_of(13, Vec::new(), nodes);
    assert!(words.contains("computed from the images"), "{words}");
}
