//! Tests of functions where they are large or small.

use super::*;

/// A function of each of the image's values, which are its channels.
fn of_values(count: usize, ops: &[Op]) -> Graph {
    let mut builder = GraphBuilder::new([count, 1, 1]);
    let mut last = builder.add("images", Op::Input, &[]).unwrap();
    for (index, op) in ops.iter().enumerate() {
        let name = format!("op{index}");
        last = builder.add(&name, op.clone(), &[last.into()]).unwrap();
    }
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Dropped,
    };
    let mean = builder.add("mean", mean, &[last.into()]).unwrap();
    builder.finish(mean).unwrap()
}

/// From zero over the smallest numbers to the largest, and infinity.
#[test]
fn the_exponential_covers_the_range_of_floats() {
    let values: Vec<f32> = (-120..=100).map(|x| x as f32).collect();
    let graph = of_values(values.len(), &[Op::Unary(Unary::Exp)]);
    for lanes in Lanes::all() {
        let plan = Plan::with_lanes(&graph, lanes, false).unwrap();
        for (x, found) in values.iter().zip(plan.logits(&values)) {
            let expected = f64::from(*x).exp() as f32;
            let least = f32::from_bits(1);
            let close = (found - expected).abs() <= 1e-6 * expected + least;
            assert!(found == expected || close, "{lanes:?} {x}: {found}");
        }
    }
}
