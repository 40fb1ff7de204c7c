//! Tests of operators in unusual uses, behind the logits of the plain network.

use super::super::messages::{LengthProto, ModelProto, NodeProto};
use super::{
    CLASSES, assert_near, extended, import, integers, lengths, logits, model, node, output, reals,
    refusal_of, run, times, with_list, with_text,
};

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

#[test]
fn a_normalization_exported_as_in_training_is_refused() {
    let vectors = ["fc2.bias"; 4];
    let batch = |outputs: &[&str]| {
        let mut batch = node(
            "BatchNormalization",
            &[&["logits"][..], &vectors].concat(),
            "normal",
            &[],
        );
        batch.output = outputs.iter().map(|&name| name.to_owned()).collect();
        batch
    };
    let training = ["normal", "mean", "variance", "", ""];
    for version in [7, 9, 13] {
        let words = refusal_of(version, Vec::new(), vec![batch(&training)]);
        assert!(
            words.contains("as in training") && words.contains("model.eval()"),
            "{version}: {words}"
        );
    }
    for outputs in [&["normal"][..], &["normal", ""]] {
        assert_eq!(
            refusal_of(9, Vec::new(), vec![batch(outputs)]),
            "it was read"
        );
    }
}

#[test]
fn a_dropout_exported_as_in_training_is_noted_and_discards_nothing() {
    let arrays = || vec![integers("never", &[0]), integers("always", &[1])];
    let dropout = |mode| vec![node("Dropout", &["logits", "", mode], "kept", &[])];
    let training = extended(13, arrays(), dropout("always")).unwrap();
    assert!(
        training.notes[0].contains("dropout"),
        "{:?}",
        training.notes
    );
    assert_near(&run(&training), &logits());
    let plain = extended(13, arrays(), dropout("never")).unwrap();
    assert!(plain.notes.is_empty(), "{:?}", plain.notes);
}

const STEPS: [f32; CLASSES] = [0.5, -1.5, 2.5, 3.5, -4.5, 5.5, 6.5, 7.5, 8.5, 9.5];

#[test]
fn before_version_6_a_type_is_a_name() {
    for (name, wanted) in [("FLOAT", STEPS), ("INT64", STEPS.map(f32::trunc))] {
        let cast = with_text(node("Cast", &["steps"], "cast", &[]), "to", name);
        let product = node("Mul", &["logits", "cast"], "product", &[]);
        let steps = vec![reals("steps", &[10], &STEPS)];
        assert_near(&output(5, steps, vec![cast, product]), &times(wanted));
    }
    let cast = with_text(node("Cast", &["logits"], "cast", &[]), "to", "FLOATS");
    let words = refusal_of(5, Vec::new(), vec![cast]);
    assert!(
        words.contains("Cast at `cast`") && words.contains("`FLOATS`"),
        "{words}"
    );
}

#[test]
fn a_narrow_integer_keeps_the_lowest_bits() {
    let wide = [-1i64, 300, 127, 128, -129, 65_535, 65_536, 0, 1, -2];
    for (to, narrow) in [
        (2, wide.map(|number| f32::from(number as u8))),
        (3, wide.map(|number| f32::from(number as i8))),
        (5, wide.map(|number| f32::from(number as i16))),
    ] {
        let nodes = vec![
            node("Cast", &["wide"], "narrow", &[("to", to)]),
            node("Cast", &["narrow"], "factors", &[("to", 1)]),
            node("Mul", &["logits", "factors"], "product", &[]),
        ];
        let arrays = vec![integers("wide", &wide)];
        assert_near(&output(13, arrays, nodes), &times(narrow));
    }
}

#[test]
fn a_remainder_has_the_sign_that_its_file_asks_for() {
    let (sevens, threes) = (
        [7i64, -7, 7, -7, 6, -6, 0, 2, -2, 1],
        [3i64, 3, -3, -3, 3, 3, 3, 3, 3, 3],
    );
    let python = [1.0, 2.0, -2.0, -1.0, 0.0, 0.0, 0.0, 2.0, 1.0, 1.0];
    let c = [1.0, -1.0, 1.0, -1.0, 0.0, 0.0, 0.0, 2.0, -2.0, 1.0];
    for (fmod, wanted) in [(0, python), (1, c)] {
        let nodes = vec![
            node("Mod", &["sevens", "threes"], "rest", &[("fmod", fmod)]),
            node("Cast", &["rest"], "factors", &[("to", 1)]),
            node("Mul", &["logits", "factors"], "product", &[]),
        ];
        let arrays = vec![integers("sevens", &sevens), integers("threes", &threes)];
        assert_near(&output(13, arrays, nodes), &times(wanted));
    }
    let nodes = vec![
        node("Mod", &["steps", "three"], "rest", &[("fmod", 1)]),
        node("Mul", &["logits", "rest"], "product", &[]),
    ];
    let arrays = vec![reals("steps", &[10], &STEPS), reals("three", &[], &[3.0])];
    assert_near(
        &output(13, arrays, nodes),
        &times(STEPS.map(|step| step % 3.0)),
    );
}

#[test]
fn a_reduction_over_no_axes_takes_each_value_alone() {
    let logits = logits();
    let magnitudes: Vec<f32> = logits.iter().map(|logit| logit.abs()).collect();
    let squares: Vec<f32> = logits.iter().map(|logit| logit * logit).collect();
    for (operator, wanted) in [
        ("ReduceMean", &logits),
        ("ReduceLogSumExp", &logits),
        ("ReduceL1", &magnitudes),
        ("ReduceL2", &magnitudes),
        ("ReduceSumSquare", &squares),
    ] {
        for inputs in [&["logits"][..], &["logits", "none"]] {
            let arrays = vec![integers("none", &[])];
            let attributes = [("noop_with_empty_axes", 1)];
            let reduced = node(operator, inputs, "reduced", &attributes);
            assert_near(&output(18, arrays, vec![reduced]), wanted);
        }
    }
}

#[test]
fn exchanged_bounds_leave_the_upper_one_alone() {
    let clip = node("Clip", &["logits", "most", "least"], "clipped", &[]);
    let arrays = vec![reals("most", &[], &[0.7]), reals("least", &[], &[0.3])];
    assert_near(&output(13, arrays, vec![clip]), &[0.3; 2 * CLASSES]);
}

/// The model as it is exported for a fixed batch of four images.
fn for_four_images(mut model: ModelProto) -> ModelProto {
    let axes = lengths(&mut model.graph.input[0]);
    axes[0].value = Some(LengthProto::Fixed(4));
    model
}

#[test]
fn an_array_repeated_for_each_of_several_images_is_joined_to_any_number() {
    // As a vision transformer joins its class token.
    let token = [0.5, -1.5, 2.5, 3.5, -4.5];
    let joined = |tokens: &[f32]| {
        let nodes = vec![
            node("Reshape", &["logits", "as patches"], "patches", &[]),
            node("Concat", &["tokens", "patches"], "both", &[("axis", 1)]),
            node("Flatten", &["both"], "row", &[("axis", 1)]),
        ];
        let arrays = vec![
            integers("as patches", &[4, 2, 5]),
            reals("tokens", &[4, 1, 5], tokens),
        ];
        import(&for_four_images(model(13, arrays, nodes)))
    };
    let mut tokens = token.repeat(4);
    let found = run(&joined(&tokens).unwrap());
    let logits = logits();
    let rows = logits.chunks(CLASSES);
    let wanted: Vec<f32> = rows.flat_map(|row| [&token[..], row].concat()).collect();
    assert_near(&found, &wanted);
    // Another token for the last image.
    tokens[19] = 0.0;
    let error = joined(&tokens).unwrap_err().to_string();
    assert!(
        error.contains("Concat at") && error.contains("does not fit [4,1,5]"),
        "{error}"
    );
}

#[test]
fn a_file_for_several_images_resizes_any_number() {
    let nodes = vec![
        node("Reshape", &["logits", "as image"], "image", &[]),
        node("Resize", &["image", "", "", "sizes"], "larger", &[]),
        node("Reshape", &["larger", "as row"], "row", &[]),
    ];
    let arrays = vec![
        integers("as image", &[4, 1, 1, 10]),
        integers("sizes", &[4, 1, 1, 20]),
        integers("as row", &[4, 20]),
    ];
    let found = run(&import(&for_four_images(model(13, arrays, nodes))).unwrap());
    let twice: Vec<f32> = logits().iter().flat_map(|&logit| [logit; 2]).collect();
    assert_near(&found, &twice);
}

#[test]
fn images_are_repeated_along_several_axes() {
    let nodes = vec![
        node("Reshape", &["logits", "as images"], "images of two", &[]),
        node("Tile", &["images of two", "times"], "tiled", &[]),
        node("Flatten", &["tiled"], "row", &[("axis", 1)]),
    ];
    let arrays = vec![
        integers("as images", &[-1, 2, 1, 5]),
        integers("times", &[1, 2, 3, 2]),
    ];
    let logits = logits();
    let mut wanted = Vec::new();
    for image in logits.chunks(CLASSES) {
        for channel in [0, 1, 0, 1] {
            for column in [0, 1, 2, 3, 4].repeat(6) {
                wanted.push(image[5 * channel + column]);
            }
        }
    }
    assert_near(&output(13, arrays, nodes), &wanted);
}

#[test]
fn a_kernel_may_be_computed_from_weights() {
    // As weight normalization does it: the direction of each kernel apart from its length.
    let directions = [0.5, -1.0, 2.0, 1.5, 0.25, -0.75];
    let length = node("ReduceL2", &["directions"], "length", &[]);
    let length = with_list(length, "axes", &[1, 2, 3]);
    let nodes = vec![
        node("Reshape", &["logits", "as row"], "row", &[]),
        length,
        node("Div", &["directions", "length"], "kernels", &[]),
        node("Conv", &["row", "kernels"], "sums", &[]),
        node("Flatten", &["sums"], "flat", &[("axis", 1)]),
    ];
    let arrays = vec![
        integers("as row", &[-1, 1, 1, 10]),
        reals("directions", &[2, 1, 1, 3], &directions),
    ];
    let network = extended(13, arrays, nodes).unwrap();
    let mut wanted = Vec::new();
    for image in logits().chunks(CLASSES) {
        for direction in directions.chunks(3) {
            let length = direction.iter().map(|tap| tap * tap).sum::<f32>().sqrt();
            wanted.extend(image.windows(3).map(|window| {
                let taps = window.iter().zip(direction);
                taps.map(|(logit, tap)| logit * tap / length).sum::<f32>()
            }));
        }
    }
    assert_near(&run(&network), &wanted);
    let labels = network.graph.nodes().iter().map(|node| node.op.label());
    let labels: Vec<&str> = labels.collect();
    assert!(
        !labels.contains(&"ReduceSum") && !labels.contains(&"Div"),
        "{labels:?}"
    );
}

#[test]
fn elements_are_selected_along_several_axes_at_once() {
    // As PyTorch's newer exporter writes x[:, [1, 0, 1], [4, 0, 2]].
    let nodes = vec![
        node("Reshape", &["logits", "as matrix"], "matrix", &[]),
        with_list(
            node("Transpose", &["matrix"], "turned", &[]),
            "perm",
            &[1, 2, 0],
        ),
        node("GatherND", &["turned", "places"], "chosen", &[]),
        with_list(node("Transpose", &["chosen"], "back", &[]), "perm", &[1, 0]),
    ];
    let mut places = integers("places", &[1, 4, 0, 0, -1, -3]);
    places.dims = vec![3, 2];
    let arrays = vec![integers("as matrix", &[-1, 2, 5]), places];
    let logits = logits();
    let rows = logits.chunks(CLASSES);
    let wanted: Vec<f32> = rows.flat_map(|row| [row[9], row[0], row[7]]).collect();
    assert_near(&output(13, arrays, nodes), &wanted);
    let mut beyond = integers("places", &[10]);
    beyond.dims = vec![1, 1];
    let turn = |from, to| with_list(node("Transpose", &[from], to, &[]), "perm", &[1, 0]);
    let nodes = vec![
        turn("logits", "turned"),
        node("GatherND", &["turned", "places"], "chosen", &[]),
        turn("chosen", "back"),
    ];
    let words = refusal_of(13, vec![beyond], nodes);
    assert!(
        words.contains("its indices exceed the length 10"),
        "{words}"
    );
}

#[test]
fn a_vector_of_zeros_keeps_its_length() {
    for power in [1, 2] {
        let attributes = [("axis", 2), ("p", power)];
        let nodes = vec![
            node("Reshape", &["logits", "as rows"], "rows", &[]),
            node("Mul", &["rows", "mask"], "masked", &[]),
            node("LpNormalization", &["masked"], "unit", &attributes),
            node("Flatten", &["unit"], "flat", &[("axis", 1)]),
        ];
        let arrays = vec![
            integers("as rows", &[-1, 2, 5]),
            reals("mask", &[2, 1], &[1.0, 0.0]),
        ];
        let mut wanted = Vec::new();
        for image in logits().chunks(CLASSES) {
            let row = &image[..5];
            let length: f32 = match power {
                1 => row.iter().map(|logit| logit.abs()).sum(),
                _ => row.iter().map(|logit| logit * logit).sum::<f32>().sqrt(),
            };
            wanted.extend(row.iter().map(|logit| logit / length));
            wanted.extend([0.0; 5]);
        }
        assert_near(&output(13, arrays, nodes), &wanted);
    }
}
