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
    finished(builder, last)
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

/// Numbers with a fraction of a half, both zeros, those from which on all are whole, and what is not a number.
#[test]
fn rounding_is_to_the_even_of_two_numbers_as_near() {
    let sizes = [
        0.0,
        f32::from_bits(1),
        0.25,
        0.499_999_97,
        0.5,
        0.500_000_06,
        1.5,
        2.5,
        3.499_999_8,
        4_194_303.5,
        4_194_304.5,
        8_388_607.5,
        8_388_608.0,
        8_388_609.0,
        16_777_215.0,
        1e30,
        f32::INFINITY,
    ];
    let mut values: Vec<f32> = sizes.iter().flat_map(|&size| [size, -size]).collect();
    values.push(f32::NAN);
    let rounded: Vec<f32> = values.iter().map(|value| value.round_ties_even()).collect();
    // The reciprocal tells the zeros apart.
    let reciprocal: Vec<f32> = rounded.iter().map(|value| value.recip()).collect();
    let [round, divide] = [Unary::Round, Unary::Reciprocal].map(Op::Unary);
    for (ops, wanted) in [
        (vec![round.clone()], rounded),
        (vec![round, divide], reciprocal),
    ] {
        let graph = of_values(values.len(), &ops);
        for lanes in Lanes::all() {
            let found = Plan::with_lanes(&graph, lanes, false)
                .unwrap()
                .logits(&values);
            for ((value, found), wanted) in values.iter().zip(found).zip(&wanted) {
                let same = found == *wanted || found.is_nan() && wanted.is_nan();
                assert!(same, "{lanes:?} {value}: {found} instead of {wanted}");
            }
        }
    }
}

/// Quotients that lie between two whole numbers: a multiplication by the reciprocal would give some of them another last
/// digit, and round them to the other number.
#[test]
fn what_is_divided_before_it_is_rounded_is_divided_exactly() {
    const COUNT: usize = 256;
    let device = Device::flex();
    for divisors in [
        vec![0.3_f32],
        (0..COUNT).map(|i| [0.3, 0.07][i % 2]).collect(),
    ] {
        let of = |channel: usize| divisors[channel % divisors.len()];
        let values: Vec<f32> = (0..COUNT).map(|i| (i as f32 - 99.5) * of(i)).collect();
        let wanted: Vec<f32> = (0..COUNT)
            .map(|i| (values[i] / of(i)).round_ties_even())
            .collect();
        let by_reciprocal = (0..COUNT).map(|i| (values[i] * (1.0 / of(i))).round_ties_even());
        assert!(by_reciprocal.zip(&wanted).any(|(a, b)| a != *b));
        // The rounding alone, and with the quotient used by something else as well.
        for twice in [false, true] {
            let mut builder = GraphBuilder::new([COUNT, 1, 1]);
            let input = builder.add("images", Op::Input, &[]).unwrap();
            let weight = Array::new(&[divisors.len(), 1, 1], divisors.clone());
            let weight = builder.weight("divisors", weight).unwrap();
            let inputs = [input.into(), weight];
            let quotient = builder
                .add("quotient", Op::Binary(Binary::Div), &inputs)
                .unwrap();
            let round = Op::Unary(Unary::Round);
            let mut last = builder.add("round", round, &[quotient.into()]).unwrap();
            if twice {
                let both = [last.into(), quotient.into()];
                last = builder.add("rest", Op::Binary(Binary::Sub), &both).unwrap();
            }
            let graph = finished(builder, last);
            let subject = Subject::new(graph.clone(), &device).unwrap();
            let reference = subject.logits(values.clone(), &device);
            for lanes in Lanes::all() {
                let plan = Plan::with_lanes(&graph, lanes, false).unwrap();
                let found = plan.logits(&values);
                assert_eq!(found, reference, "{lanes:?}");
                if !twice {
                    assert_eq!(found, wanted, "{lanes:?}");
                }
            }
        }
    }
}
