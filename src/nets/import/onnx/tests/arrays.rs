//! Tests of operators that work on known arrays only.

use super::{CLASSES, assert_near, integers, node, output, reals, times};

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
