//! Tests of outputs that are no logits, but decisions from them.

use super::{import, model, node, refusal_of};

#[test]
fn the_scores_that_a_decision_is_made_of_are_offered_instead() {
    let decided = |operator| node(operator, &["logits"], "decided", &[]);
    for operator in ["ArgMax", "ZipMap"] {
        for nodes in [
            vec![decided(operator)],
            vec![
                decided(operator),
                node("Squeeze", &["decided"], "answer", &[]),
            ],
        ] {
            let words = refusal_of(13, Vec::new(), nodes);
            assert!(
                words.contains(&format!("{operator} (at `decided`)")),
                "{words}"
            );
            assert!(words.contains("output=Some(\"logits\")"), "{words}");
        }
    }
    // Of another kind.
    let words = refusal_of(13, Vec::new(), vec![decided("Unheard")]);
    assert!(words.contains("output=Some(\"NODE\")"), "{words}");
}

#[test]
fn among_several_outputs_scores_are_offered_once() {
    let nodes = vec![
        node("Softmax", &["logits"], "shares", &[]),
        node("ZipMap", &["shares"], "named", &[]),
        node("ArgMax", &["shares"], "label", &[]),
    ];
    let mut model = model(13, Vec::new(), nodes);
    let graph = model.graph.mut_or_insert_default();
    let mut named = graph.output[0].clone();
    "named".clone_into(&mut named.name);
    graph.output.push(named);
    let words = import(&model).unwrap_err().to_string();
    assert!(words.ends_with("output=Some(\"shares\")'"), "{words}");
}

#[test]
fn a_single_number_is_refused_with_what_helps_and_no_layer_is_offered_instead() {
    for keep in [0, 1] {
        let shape = [("axes", 1), ("keepdims", keep)];
        let best = node("ReduceMax", &["logits"], "best", &shape);
        let words = refusal_of(13, Vec::new(), vec![best]);
        assert!(words.contains("`best` is one number per image"), "{words}");
        assert!(words.contains("torch.cat([0 * x, x], 1)"), "{words}");
        assert!(!words.contains("network.output"), "{words}");
    }
}
