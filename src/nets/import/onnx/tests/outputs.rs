//! Tests of outputs that are no logits, but decisions from them.

use super::{extended, import, model, node, refusal_of};

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
    let graph = &mut model.graph;
    let mut named = graph.output[0].clone();
    "named".clone_into(&mut named.name);
    graph.output.push(named);
    let words = import(&model).unwrap_err().to_string();
    assert!(words.ends_with("output=Some(\"shares\")'"), "{words}");
}

/// Each class has its own sigmoid, so that it cannot be removed like a softmax: decisions between saturated classes are
/// among the network's.
#[test]
fn a_sigmoid_at_the_end_is_noted_with_what_comes_before_it() {
    let shares = |operator| node(operator, &["logits"], "shares", &[]);
    for (nodes, noted) in [
        (vec![shares("Sigmoid")], true),
        (
            vec![
                shares("Sigmoid"),
                node("Identity", &["shares"], "same", &[]),
            ],
            true,
        ),
        (
            vec![
                shares("Sigmoid"),
                node("Mul", &["shares", "logits"], "gated", &[]),
            ],
            false,
        ),
        (vec![shares("Softmax")], false),
    ] {
        let notes = extended(13, Vec::new(), nodes).unwrap().notes;
        let note = notes.iter().find(|note| note.contains("sigmoid"));
        assert_eq!(note.is_some(), noted, "{notes:?}");
        let remedy = "network.output=Some(\"logits\")";
        assert!(note.is_none_or(|note| note.contains(remedy)), "{notes:?}");
    }
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
