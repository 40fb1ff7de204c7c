//! Tests of operators whose meaning depends on the version of the operator set, and of those that have grown inputs.

use super::super::messages::{AttributeProto, NodeProto};
use super::{CLASSES, extended, imported, logits, node, output, reals};

/// The plain network's logits, and what `node` from `column` to `changed` makes of them as columns \[N,10,1\].
fn of_columns(changed: NodeProto) -> (Vec<f32>, Vec<f32>) {
    let nodes = vec![
        node("Unsqueeze", &["logits"], "column", &[("axes", 2)]),
        changed,
        node("Squeeze", &["changed"], "flat", &[("axes", 2)]),
    ];
    (logits(), output(6, Vec::new(), nodes))
}

fn last_bias() -> Vec<f32> {
    imported("cnn-7").graph.weights()["fc2.bias"]
        .values()
        .to_vec()
}

#[test]
fn before_version_7_an_attribute_names_the_axis_of_broadcasting() {
    let attributes = [("broadcast", 1), ("axis", 1)];
    let add = node("Add", &["column", "fc2.bias"], "changed", &attributes);
    let (logits, sums) = of_columns(add);
    let bias = last_bias();
    assert_eq!(sums.len(), 2 * CLASSES);
    for (place, (sum, logit)) in sums.iter().zip(&logits).enumerate() {
        let wanted = logit + bias[place % CLASSES];
        assert!((sum - wanted).abs() < 1e-5, "{place}: {sum} {wanted}");
    }
}

#[test]
fn before_version_7_slopes_belong_to_channels() {
    let relu = node("PRelu", &["column", "fc2.bias"], "changed", &[]);
    let (logits, sloped) = of_columns(relu);
    let slopes = last_bias();
    assert_eq!(sloped.len(), 2 * CLASSES);
    for (place, (found, &logit)) in sloped.iter().zip(&logits).enumerate() {
        let slope = if logit > 0.0 {
            1.0
        } else {
            slopes[place % CLASSES]
        };
        let wanted = slope * logit;
        assert!((found - wanted).abs() < 1e-5, "{place}: {found} {wanted}");
    }
}

#[test]
fn a_log_of_summed_exponentials_does_not_overflow() {
    for keep in [0, 1] {
        let attributes = [("axes", 1), ("keepdims", keep)];
        let mut nodes = vec![
            node("Constant", &[], "factor", &[("value_int", 100_000)]),
            node("Mul", &["logits", "factor"], "large", &[]),
            node("ReduceLogSumExp", &["large"], "sum", &attributes),
        ];
        let sum = if keep == 1 { "sum" } else { "column" };
        if keep == 0 {
            nodes.push(node("Unsqueeze", &["sum"], "column", &[("axes", 1)]));
        }
        nodes.push(node("Sub", &["large", sum], "logs", &[]));
        let logs = output(6, Vec::new(), nodes);
        let logits = logits();
        for (logs, logits) in logs.chunks(CLASSES).zip(logits.chunks(CLASSES)) {
            let large: Vec<f64> = logits.iter().map(|&x| f64::from(x) * 1e5).collect();
            let most = large.iter().copied().fold(f64::MIN, f64::max);
            let sum: f64 = large.iter().map(|x| (x - most).exp()).sum();
            for (log, x) in logs.iter().zip(&large) {
                let wanted = x - most - sum.ln();
                let close = (f64::from(*log) - wanted).abs() <= 1e-5 * (1.0 + most.abs() + x.abs());
                assert!(close, "{log} {wanted}");
            }
        }
    }
}

#[test]
fn a_ratio_that_is_not_exact_gives_the_size_that_was_meant() {
    let mut resize = node("Upsample", &["image"], "less", &[]);
    resize.attribute.push(AttributeProto {
        name: "scales".into(),
        floats: vec![1.0, 1.0, 1.0, 0.9],
        ..AttributeProto::default()
    });
    let nodes = vec![
        node("Unsqueeze", &["logits"], "row", &[("axes", 1)]),
        node("Unsqueeze", &["row"], "image", &[("axes", 1)]),
        resize,
        node("Squeeze", &["less"], "row of less", &[("axes", 1)]),
        node("Squeeze", &["row of less"], "fewer", &[("axes", 1)]),
    ];
    assert_eq!(output(6, Vec::new(), nodes).len(), 2 * 9);
}

#[test]
fn before_version_11_a_shrunk_axis_takes_the_pixel_after() {
    for (ratio, wanted) in [
        (0.6, &[0, 2, 4, 5, 7, 9][..]),
        (1.5, &[0, 0, 1, 2, 2, 3, 4, 4]),
    ] {
        let scales = vec![reals("scales", &[4], &[1.0, 1.0, 1.0, ratio])];
        let nodes = vec![
            node("Unsqueeze", &["logits"], "row", &[("axes", 1)]),
            node("Unsqueeze", &["row"], "image", &[("axes", 1)]),
            node("Resize", &["image", "scales"], "other", &[]),
            node("Squeeze", &["other"], "row of other", &[("axes", 1)]),
            node("Squeeze", &["row of other"], "resized", &[("axes", 1)]),
        ];
        let found = output(10, scales, nodes);
        let all = logits();
        let each = found.len() / 2;
        for (row, logits) in found.chunks(each).zip(all.chunks(CLASSES)) {
            let chosen: Vec<f32> = wanted.iter().map(|&place: &usize| logits[place]).collect();
            assert_eq!(row[..wanted.len()], chosen, "{ratio}");
        }
    }
}

#[test]
fn attention_with_lengths_of_sequences_is_refused() {
    let inputs = ["logits", "logits", "logits", "", "", "", "fc2.bias"];
    let attention = node("Attention", &inputs, "seen", &[]);
    let Err(error) = extended(6, Vec::new(), vec![attention]) else {
        panic!("it was read");
    };
    let words = error.to_string();
    assert!(words.contains("lengths of sequences"), "{words}");
}
