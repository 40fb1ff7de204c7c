//! Tests of `Einsum`.

use std::collections::BTreeMap;

use super::{
    assert_near, extended, integers, logits, node, reals, refusal_of, run, uneven, with_text,
};

/// The sum of products that an equation of single letters describes, by its definition.
fn summed(equation: &str, inputs: &[(&[usize], &[f32])]) -> Vec<f32> {
    let (left, right) = equation.split_once("->").unwrap();
    let terms: Vec<&str> = left.split(',').collect();
    let mut lengths: BTreeMap<char, usize> = BTreeMap::new();
    for (term, (shape, _)) in terms.iter().zip(inputs) {
        lengths.extend(term.chars().zip(shape.iter().copied()));
    }
    let index = |term: &str, at: &BTreeMap<char, usize>| {
        let axes = term.chars();
        axes.fold(0, |index, axis| index * lengths[&axis] + at[&axis])
    };
    let outputs: usize = right.chars().map(|axis| lengths[&axis]).product();
    let products: usize = lengths.values().product();
    let mut sums = vec![0.0; outputs];
    for mut place in 0..products {
        let at = lengths.iter().map(|(&axis, &length)| {
            let along: usize = place % length;
            place /= length;
            (axis, along)
        });
        let at: BTreeMap<char, usize> = at.collect();
        let factors = terms.iter().zip(inputs);
        let factors = factors.map(|(term, (_, numbers))| numbers[index(term, &at)]);
        sums[index(right, &at)] += factors.product::<f32>();
    }
    sums
}

/// The output of an equation of the logits as matrices \[N,2,5\] and these arrays, and the operators of the network.
fn of_equation(equation: &'static str, arrays: &[&[usize]]) -> (Vec<f32>, Vec<&'static str>) {
    let names = ["first", "second"];
    let shapes = arrays.iter().zip(names);
    let tensors = shapes.map(|(shape, name)| {
        let lengths: Vec<i64> = shape.iter().map(|&length| length as i64).collect();
        reals(name, &lengths, &uneven(shape.iter().product()))
    });
    let mut tensors: Vec<_> = tensors.collect();
    tensors.push(integers("as matrix", &[-1, 2, 5]));
    let twice = equation.split(',').count() == 2 && arrays.is_empty();
    let mut inputs = vec!["matrix"; if twice { 2 } else { 1 }];
    inputs.extend(&names[..arrays.len()]);
    let nodes = vec![
        node("Reshape", &["logits", "as matrix"], "matrix", &[]),
        with_text(node("Einsum", &inputs, "sums", &[]), "equation", equation),
        node("Flatten", &["sums"], "flat", &[("axis", 1)]),
    ];
    let network = extended(13, tensors, nodes).unwrap();
    let nodes = network.graph.nodes().iter();
    (run(&network), nodes.map(|node| node.op.label()).collect())
}

/// An equation, and the shapes of the arrays behind the matrices.
type Case = (&'static str, &'static [&'static [usize]]);

#[test]
fn sums_of_products_follow_their_equation() {
    let matrices = logits();
    let matrices: (&[usize], &[f32]) = (&[2, 2, 5], &matrices);
    let cases: [Case; 11] = [
        ("bij,jk->bik", &[&[5, 3]]),
        ("bij,kj->bki", &[&[3, 5]]),
        ("bij,bkj->bik", &[]),
        ("bij,bij->bi", &[]),
        ("bij,bij->bj", &[]),
        ("bij,ik->bijk", &[&[2, 3]]),
        ("bij,ikj->bik", &[&[2, 4, 5]]),
        ("bij,ikl->bj", &[&[2, 4, 3]]),
        ("bij,jk,kl->bli", &[&[5, 3], &[3, 4]]),
        ("bij->bj", &[]),
        ("bij->bji", &[]),
    ];
    for (equation, arrays) in cases {
        let numbers: Vec<Vec<f32>> = arrays
            .iter()
            .map(|shape| uneven(shape.iter().product()))
            .collect();
        let mut inputs = vec![matrices];
        if equation.split(',').count() == 2 && arrays.is_empty() {
            inputs.push(matrices);
        }
        let others = arrays.iter().zip(&numbers);
        inputs.extend(others.map(|(&shape, numbers)| (shape, &numbers[..])));
        let (found, _) = of_equation(equation, arrays);
        assert_near(&found, &summed(equation, &inputs));
    }
    // The same with open axes, with spaces, and without an output.
    let cases: [(&'static str, Case); 3] = [
        ("...ij, jk -> ...ik", ("bij,jk->bik", &[&[5, 3]])),
        ("b...j,...kj->b...k", ("bij,ikj->bik", &[&[2, 4, 5]])),
        ("bij,jk", ("bij,jk->bik", &[&[5, 3]])),
    ];
    for (short, (long, arrays)) in cases {
        assert_near(&of_equation(short, arrays).0, &of_equation(long, arrays).0);
    }
}

#[test]
fn an_axis_of_length_one_is_repeated_along_that_of_another_input() {
    let cases: [[Case; 2]; 4] = [
        [("bij,ij->bij", &[&[1, 5]]), ("bij,j->bij", &[&[5]])],
        [("bij,ij->bj", &[&[1, 5]]), ("bij,j->bj", &[&[5]])],
        [("bij,ij->bj", &[&[2, 1]]), ("bij,i->bj", &[&[2]])],
        [("...j,...j->...", &[&[1, 1, 5]]), ("bij,j->bi", &[&[5]])],
    ];
    for [(short, arrays), (long, once)] in cases {
        let (found, wanted) = (of_equation(short, arrays).0, of_equation(long, once).0);
        assert_near(&found, &wanted);
    }
}

#[test]
fn a_sum_with_a_matrix_of_weights_is_a_dense_layer() {
    for equation in ["bij,jk->bik", "bij,jk->bki"] {
        let (_, labels) = of_equation(equation, &[&[5, 3]]);
        assert!(labels.contains(&"Dense") && !labels.contains(&"MatMul"));
    }
}

#[test]
fn an_equation_that_does_not_fit_is_refused() {
    for (equation, words) in [
        ("b", "does not fit its inputs"),
        ("bi,bi->b", "does not fit its inputs"),
        ("bi->bk", "does not fit its inputs"),
        ("bb->b", "takes a diagonal"),
        ("bi->bii", "names an axis twice"),
        ("bi->i", "must not be mixed"),
    ] {
        let einsum = node("Einsum", &["logits"], "sums", &[]);
        let einsum = with_text(einsum, "equation", equation);
        let refusal = refusal_of(13, Vec::new(), vec![einsum]);
        assert!(
            refusal.contains("Einsum at") && refusal.contains(words),
            "{equation}: {refusal}"
        );
    }
}
