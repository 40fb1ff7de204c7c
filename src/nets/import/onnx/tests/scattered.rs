//! Tests of `ScatterND` and `ScatterElements`.

use super::{
    CLASSES, assert_near, integers, logits, node, output, reals, refusal_of, times, with_list,
};

#[test]
fn parts_of_an_array_are_replaced_at_import() {
    // As the regions of shifted windows are numbered.
    let mut places = integers("places", &[0, 1, 0, 2, 1, 0, 1, -1]);
    places.dims = vec![2, 2, 2];
    let arrays = vec![
        integers("shape", &[2, 5]),
        places,
        reals("regions", &[2, 2], &[1.5, 2.5, 3.5, 4.5]),
        integers("as row", &[10]),
    ];
    let nodes = vec![
        node("ConstantOfShape", &["shape"], "zeros", &[]),
        node("ScatterND", &["zeros", "places", "regions"], "map", &[]),
        node("Reshape", &["map", "as row"], "row", &[]),
        node("Mul", &["logits", "row"], "product", &[]),
    ];
    let row = [0.0, 1.5, 2.5, 0.0, 0.0, 3.5, 0.0, 0.0, 0.0, 4.5];
    assert_near(&output(13, arrays, nodes), &times(row));
}

#[test]
fn elements_of_an_array_are_replaced_at_import() {
    // As PyTorch's newer exporter writes x.select_scatter(…).
    let mut columns = integers("columns", &[-1, 2, 0, 1]);
    columns.dims = vec![2, 2];
    let arrays = vec![
        reals("map", &[2, 5], &[1.0; CLASSES]),
        columns,
        reals("parts", &[2, 2], &[1.5, 2.5, 3.5, 4.5]),
        integers("as row", &[10]),
    ];
    let inputs = ["map", "columns", "parts"];
    let nodes = vec![
        node("ScatterElements", &inputs, "written", &[("axis", 1)]),
        node("Reshape", &["written", "as row"], "row", &[]),
        node("Mul", &["logits", "row"], "product", &[]),
    ];
    let row = [1.0, 1.0, 2.5, 1.0, 1.5, 3.5, 4.5, 1.0, 1.0, 1.0];
    assert_near(&output(13, arrays, nodes), &times(row));
}

#[test]
fn parts_of_every_image_are_replaced() {
    // As x[:, 1, 4], x[:, 0, 0] = x[:, 0, 1], x[:, 1, 1] is exported.
    let turned = node("Transpose", &["matrix"], "turned", &[]);
    let back = node("Transpose", &["written"], "back", &[]);
    let nodes = |to: &'static str| {
        vec![
            node("Reshape", &["logits", "as matrix"], "matrix", &[]),
            with_list(turned.clone(), "perm", &[1, 2, 0]),
            node("GatherND", &["turned", "from"], "parts", &[]),
            node("ScatterND", &["turned", to, "parts"], "written", &[]),
            with_list(back.clone(), "perm", &[2, 0, 1]),
            node("Flatten", &["back"], "flat", &[("axis", 1)]),
        ]
    };
    let pairs = |name: &str, numbers: &[i64]| {
        let mut array = integers(name, numbers);
        array.dims = vec![2, 2];
        array
    };
    let arrays = || {
        vec![
            integers("as matrix", &[-1, 2, 5]),
            pairs("from", &[0, 1, 1, 1]),
            pairs("to", &[1, 4, 0, 0]),
            pairs("twice", &[1, 4, -1, -1]),
        ]
    };
    let mut wanted = logits();
    for image in wanted.chunks_mut(CLASSES) {
        (image[9], image[0]) = (image[1], image[6]);
    }
    assert_near(&output(13, arrays(), nodes("to")), &wanted);
    let words = refusal_of(13, arrays(), nodes("twice"));
    assert!(words.contains("writes to the same place twice"), "{words}");
}
