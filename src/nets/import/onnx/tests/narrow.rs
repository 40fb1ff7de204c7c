//! Tests of types of 16 bits.

use super::{CLASSES, assert_near, extended, integers, logits, node, reals, refusal_of, run};

/// The types by their ONNX codes, with the digits behind the first one.
const TYPES: [(i64, i32); 2] = [(10, 10), (16, 7)];

/// The nearest number with so many digits behind the first one, of two as near the even one; not for tiny numbers.
fn nearest(number: f32, digits: i32) -> f32 {
    let exponent = number.abs().log2().floor() as i32;
    let step = 2.0_f32.powi(exponent - digits);
    (number / step).round_ties_even() * step
}

/// Weights converted in the file, as PyTorch's automatic mixed precision writes them.
#[test]
fn weights_are_rounded_and_keep_the_name_of_their_layer() {
    let numbers: Vec<f32> = (0..30).map(|i| (i * 37 % 31) as f32 / 31.0 - 0.4).collect();
    for (code, digits) in TYPES {
        let arrays = vec![reals("head.weight", &[10, 3], &numbers)];
        let nodes = vec![
            node("Cast", &["head.weight"], "narrow", &[("to", code)]),
            node("Cast", &["logits"], "features", &[("to", code)]),
            node("Gemm", &["features", "narrow"], "sums", &[]),
            node("Cast", &["sums"], "answer", &[("to", 1)]),
        ];
        let network = extended(13, arrays, nodes).unwrap();
        let sites = network.graph.sites();
        assert_eq!(sites.last().unwrap().name, "head");
        let mut wanted = Vec::new();
        for image in logits().chunks(CLASSES) {
            for column in 0..3 {
                let weights = numbers.iter().skip(column).step_by(3);
                let terms = image.iter().zip(weights);
                wanted.push(terms.map(|(x, &w)| x * nearest(w, digits)).sum::<f32>());
            }
        }
        assert_near(&run(&network), &wanted);
    }
}

#[test]
fn numbers_beyond_the_range_of_16_bits_stay_in_arrays() {
    let arrays = vec![reals("mask", &[], &[-1e9])];
    let nodes = vec![
        node("Cast", &["mask"], "narrow", &[("to", 10)]),
        node("Add", &["logits", "narrow"], "answer", &[]),
    ];
    let words = refusal_of(13, arrays, nodes);
    assert_eq!(words, "it was read");
}

#[test]
fn logits_are_not_rounded_and_remain_those_of_their_layer() {
    let plain = extended(13, Vec::new(), Vec::new()).unwrap();
    let nodes = vec![
        node("Cast", &["logits"], "narrow", &[("to", 10)]),
        node("Reshape", &["narrow", "shape"], "same", &[]),
        node("Cast", &["same"], "answer", &[("to", 1)]),
    ];
    let network = extended(13, vec![integers("shape", &[0, 10])], nodes).unwrap();
    assert_eq!(run(&network), logits());
    assert_eq!(network.graph.sites(), plain.graph.sites());
}
