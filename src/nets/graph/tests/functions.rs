//! Tests of elementwise functions, joins, products and normalizations.

use super::super::op::{Binary, ReducedAxes, Reduction, Unary};
use super::*;

const IMAGE: Shape = [6, 3, 4];

type Formula = Box<dyn Fn(f64) -> f64>;
type Plain = fn(f64) -> f64;
type Pair = fn(f32, f32) -> f32;

/// The error function to 1e-7, by its series.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..60 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

#[test]
fn unary_functions_match_their_formulas() {
    let positive = |x: f64| x.abs() + 0.1;
    let selu = Unary::Selu {
        alpha: 1.67,
        gamma: 1.05,
    };
    let hard = Unary::HardSigmoid {
        alpha: 0.3,
        beta: 0.4,
    };
    let clip = Unary::Clip {
        min: -0.3,
        max: 0.2,
    };
    let affine = Unary::Affine {
        scale: 2.0,
        shift: -1.0,
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let elu = |alpha: f64| move |x: f64| if x > 0.0 { x } else { alpha * x.exp_m1() };
    let cases: Vec<(Unary, Formula)> = vec![
        (Unary::Relu, Box::new(|x| x.max(0.0))),
        (
            Unary::LeakyRelu { slope: 0.1 },
            Box::new(|x| if x > 0.0 { x } else { 0.1 * x }),
        ),
        (Unary::Elu { alpha: 0.7 }, Box::new(elu(0.7))),
        (selu, Box::new(move |x| 1.05 * elu(1.67)(x))),
        (
            Unary::Celu { alpha: 0.5 },
            Box::new(|x| x.max(0.0) + (0.5 * (x / 0.5).exp_m1()).min(0.0)),
        ),
        (Unary::Sigmoid, Box::new(sigmoid)),
        (Unary::Tanh, Box::new(f64::tanh)),
        (hard, Box::new(|x| (0.3 * x + 0.4).clamp(0.0, 1.0))),
        (
            Unary::HardSwish,
            Box::new(|x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        ),
        (Unary::Silu, Box::new(move |x| x * sigmoid(x))),
        (
            Unary::Gelu,
            Box::new(|x| 0.5 * x * (1.0 + erf(x / 2f64.sqrt()))),
        ),
        (
            Unary::GeluTanh,
            Box::new(|x| {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
                0.5 * x * (1.0 + inner.tanh())
            }),
        ),
        (Unary::Mish, Box::new(|x| x * x.exp().ln_1p().tanh())),
        (Unary::Softplus, Box::new(|x| x.exp().ln_1p())),
        (Unary::Softsign, Box::new(|x| x / (1.0 + x.abs()))),
        (Unary::Erf, Box::new(erf)),
        (Unary::Exp, Box::new(f64::exp)),
        (Unary::Neg, Box::new(|x| -x)),
        (Unary::Abs, Box::new(f64::abs)),
        (Unary::Floor, Box::new(f64::floor)),
        (Unary::Ceil, Box::new(f64::ceil)),
        (Unary::Round, Box::new(f64::round_ties_even)),
        (Unary::Sign, Box::new(|x| if x > 0.0 { 1.0 } else { -1.0 })),
        (clip, Box::new(|x| x.clamp(-0.3, 0.2))),
        (affine, Box::new(|x| 2.0 * x - 1.0)),
    ];
    for (function, formula) in cases {
        // Inputs in ±3.
        let mut bench = Bench::new(IMAGE);
        let wide = Unary::Affine {
            scale: 3.0,
            shift: 0.0,
        };
        let wide = bench.then(Op::Unary(wide), bench.input);
        let node = bench.then(Op::Unary(function), wide);
        let (_, found) = bench.run(node);
        let wanted = shown(IMAGE).into_iter();
        let wanted: Vec<f32> = wanted.map(|x| formula(f64::from(3.0 * x)) as f32).collect();
        assert_near(&found, &wanted, function.label());
    }
    let cases: [(Unary, Plain); 3] = [
        (Unary::Log, f64::ln),
        (Unary::Sqrt, f64::sqrt),
        (Unary::Reciprocal, f64::recip),
    ];
    for (function, formula) in cases {
        let mut bench = Bench::new(IMAGE);
        let size = bench.then(Op::Unary(Unary::Abs), bench.input);
        let shift = Unary::Affine {
            scale: 1.0,
            shift: 0.1,
        };
        let size = bench.then(Op::Unary(shift), size);
        let node = bench.then(Op::Unary(function), size);
        let (_, found) = bench.run(node);
        let wanted = shown(IMAGE).into_iter();
        let wanted: Vec<f32> = wanted
            .map(|x| formula(positive(f64::from(x))) as f32)
            .collect();
        assert_near(&found, &wanted, function.label());
    }
}

#[test]
fn joins_broadcast_as_in_numpy() {
    let cases: [(Binary, Pair); 6] = [
        (Binary::Add, |a, b| a + b),
        (Binary::Sub, |a, b| a - b),
        (Binary::Mul, |a, b| a * b),
        (Binary::Div, |a, b| a / b),
        (Binary::Max, f32::max),
        (Binary::Min, f32::min),
    ];
    for (function, formula) in cases {
        let mut bench = Bench::new(IMAGE);
        let by_channel = array(&[6, 1, 1], 5);
        let weight = bench.weight("w", by_channel.clone());
        let inputs = [bench.input.into(), weight.clone()];
        let node = bench.add("join", Op::Binary(function), &inputs);
        let (_, found) = bench.run(node);
        let channel = |i: usize| by_channel.values()[i / 12 % 6];
        let wanted = shown(IMAGE).into_iter().enumerate();
        let wanted: Vec<f32> = wanted.map(|(i, x)| formula(x, channel(i))).collect();
        assert_near(&found, &wanted, function.label());
    }
    // A weight with more axes than x has, on the left.
    let mut bench = Bench::new([1, 2, 3]);
    let weight = bench.weight("w", array(&[1, 1, 2, 3], 5));
    let flat = Op::Reshape {
        shape: vec![Dim::batch(1), Dim::fixed(2), Dim::fixed(3)],
    };
    let flat = bench.then(flat, bench.input);
    let node = bench.add("join", Op::Binary(Binary::Sub), &[weight, flat.into()]);
    let (shape, found) = bench.run(node);
    assert_eq!(shape, [1, 2, 2, 3]);
    let weight = numbers(6, 5);
    let wanted = shown([1, 2, 3]).into_iter().enumerate();
    let wanted: Vec<f32> = wanted.map(|(i, x)| weight[i % 6] - x).collect();
    assert_near(&found, &wanted, "axes before");
}

#[test]
fn powers_and_parametric_rectifiers_match_their_formulas() {
    let mut bench = Bench::new(IMAGE);
    let slope = bench.weight("slope", array(&[6, 1, 1], 4));
    let two = bench.weight("two", Array::new(&[], vec![2.0]));
    let inputs = [bench.input.into(), slope];
    let rectified = bench.add("prelu", Op::PRelu, &inputs);
    let power = bench.add("pow", Op::Binary(Binary::Pow), &[rectified.into(), two]);
    let (_, found) = bench.run(power);
    let slopes = numbers(6, 4);
    let wanted = shown(IMAGE).into_iter().enumerate().map(|(i, x)| {
        let y = if x > 0.0 { x } else { slopes[i / 12 % 6] * x };
        y * y
    });
    assert_near(&found, &wanted.collect::<Vec<f32>>(), "power");
}

#[test]
fn matrix_products_broadcast_and_take_vectors() {
    let product = |a: &[f32], b: &[f32], [rows, inner, columns]: [usize; 3]| -> Vec<f32> {
        let one = |row: usize, column: usize| -> f32 {
            let terms = (0..inner).map(|k| a[row * inner + k] * b[k * columns + column]);
            terms.sum()
        };
        let pairs = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        pairs.map(|(row, column)| one(row, column)).collect()
    };
    let x = shown(IMAGE);
    let mut bench = Bench::new(IMAGE);
    let b = bench.weight("b", array(&[4, 5], 3));
    let node = bench.add("product", Op::MatMul, &[bench.input.into(), b]);
    let (shape, found) = bench.run(node);
    assert_eq!(shape, [2, 6, 3, 5]);
    assert_near(&found, &product(&x, &numbers(20, 3), [36, 4, 5]), "matrix");

    let mut bench = Bench::new(IMAGE);
    let b = bench.weight("b", array(&[4], 3));
    let node = bench.add("product", Op::MatMul, &[bench.input.into(), b]);
    let (shape, found) = bench.run(node);
    assert_eq!(shape, [2, 6, 3]);
    assert_near(&found, &product(&x, &numbers(4, 3), [36, 4, 1]), "vector");

    // Of two nodes: x·xᵀ of every channel.
    let mut bench = Bench::new(IMAGE);
    let axes = vec![0, 1, 3, 2];
    let turned = bench.then(Op::Transpose { axes }, bench.input);
    let node = bench.add("product", Op::MatMul, &[bench.input.into(), turned.into()]);
    let (shape, found) = bench.run(node);
    assert_eq!(shape, [2, 6, 3, 3]);
    let wanted: Vec<f32> = x
        .chunks_exact(12)
        .flat_map(|x| {
            let turned: Vec<f32> = (0..12).map(|i| x[i % 3 * 4 + i / 3]).collect();
            product(x, &turned, [3, 4, 3])
        })
        .collect();
    assert_near(&found, &wanted, "two nodes");
}

#[test]
fn a_dense_layer_works_on_the_last_axis() {
    let mut bench = Bench::new(IMAGE);
    let weight = bench.weight("w", array(&[4, 5], 3));
    let bias = bench.weight("b", array(&[5], 4));
    let inputs = [bench.input.into(), weight, bias];
    let node = bench.add("dense", Op::Dense, &inputs);
    let (shape, found) = bench.run(node);
    assert_eq!(shape, [2, 6, 3, 5]);
    let (weight, bias) = (numbers(20, 3), numbers(5, 4));
    let x = shown(IMAGE);
    let rows = x.chunks_exact(4);
    let wanted: Vec<f32> = rows
        .flat_map(|row| {
            let unit = |unit: usize| {
                let terms = row.iter().enumerate();
                bias[unit] + terms.map(|(k, x)| x * weight[k * 5 + unit]).sum::<f32>()
            };
            (0..5).map(unit).collect::<Vec<f32>>()
        })
        .collect();
    assert_near(&found, &wanted, "dense");
}

/// Each group of `size` consecutive numbers standardized.
fn standardized(x: &[f32], size: usize, epsilon: f64) -> Vec<f32> {
    let one_group = |group: &[f32]| -> Vec<f32> {
        let values = || group.iter().map(|&x| f64::from(x));
        let mean = values().sum::<f64>() / size as f64;
        let variance = values().map(|x| (x - mean).powi(2)).sum::<f64>() / size as f64;
        let spread = (variance + epsilon).sqrt();
        values().map(|x| ((x - mean) / spread) as f32).collect()
    };
    x.chunks_exact(size).flat_map(one_group).collect()
}

#[test]
fn normalizations_match_their_formulas() {
    let x = shown(IMAGE);
    let (scale, bias) = (numbers(6, 2), numbers(6, 3));
    let by_channel = |y: Vec<f32>| -> Vec<f32> {
        let pairs = y.into_iter().enumerate();
        pairs
            .map(|(i, y)| y * scale[i / 12 % 6] + bias[i / 12 % 6])
            .collect()
    };
    let run = |op: Op| {
        let mut bench = Bench::new(IMAGE);
        let scale = bench.weight("scale", array(&[6], 2));
        let bias = bench.weight("bias", array(&[6], 3));
        let inputs = [bench.input.into(), scale, bias];
        let node = bench.add("norm", op, &inputs);
        bench.run(node).1
    };
    let epsilon = 1e-3;
    let group = run(Op::GroupNorm { groups: 3, epsilon });
    assert_near(&group, &by_channel(standardized(&x, 24, epsilon)), "group");
    let instance = run(Op::InstanceNorm { epsilon });
    let wanted = by_channel(standardized(&x, 12, epsilon));
    assert_near(&instance, &wanted, "instance");

    let mut bench = Bench::new(IMAGE);
    let weight = bench.weight("scale", array(&[3, 4], 2));
    let inputs = [bench.input.into(), weight];
    let op = Op::LayerNorm { axis: 2, epsilon };
    let node = bench.add("norm", op, &inputs);
    let wanted = standardized(&x, 12, epsilon).into_iter().enumerate();
    let scale_by_place = numbers(12, 2);
    let wanted: Vec<f32> = wanted.map(|(i, y)| y * scale_by_place[i % 12]).collect();
    assert_near(&bench.run(node).1, &wanted, "layer");

    let mut bench = Bench::new(IMAGE);
    let mut inputs = vec![bench.input.into()];
    for (name, seed) in [("scale", 2), ("bias", 3), ("mean", 4)] {
        inputs.push(bench.weight(name, array(&[6], seed)));
    }
    let variance: Vec<f32> = numbers(6, 5).iter().map(|x| x.abs() + 0.1).collect();
    inputs.push(bench.weight("variance", Array::new(&[6], variance.clone())));
    let node = bench.add("norm", Op::BatchNorm { epsilon }, &inputs);
    let mean = numbers(6, 4);
    let fixed = x.iter().enumerate().map(|(i, x)| {
        let channel = i / 12 % 6;
        (x - mean[channel]) / (variance[channel] + epsilon as f32).sqrt()
    });
    let wanted = by_channel(fixed.collect());
    assert_near(&bench.run(node).1, &wanted, "batch");
}

#[test]
fn local_response_normalization_sums_neighbouring_channels() {
    for size in [1, 2, 3, 5, 14, 1 << 40] {
        let mut bench = Bench::new(IMAGE);
        let op = Op::Lrn {
            size,
            alpha: 0.5,
            beta: 0.75,
            bias: 1.5,
        };
        let node = bench.then(op, bench.input);
        let x = shown(IMAGE);
        let wanted = (0..x.len()).map(|i| {
            let channel = (i / 12 % 6) as isize;
            let from = channel - (size as isize - 1) / 2;
            let channels = from.max(0)..(from + size as isize).min(6);
            let other = |c: isize| x[(i as isize + (c - channel) * 12) as usize];
            let sum: f32 = channels.map(|c| other(c) * other(c)).sum();
            x[i] / (1.5 + 0.5 / size as f32 * sum).powf(0.75)
        });
        assert_near(&bench.run(node).1, &wanted.collect::<Vec<_>>(), "lrn");
    }
}

#[test]
fn softmax_adds_up_to_one_along_its_axis() {
    let x = shown(IMAGE);
    for (axis, stride, length) in [(1, 12, 6), (2, 4, 3), (3, 1, 4)] {
        let wanted: Vec<f32> = (0..x.len())
            .map(|i| {
                let first = i - i / stride % length * stride;
                let all = (0..length).map(|k| x[first + k * stride].exp());
                x[i].exp() / all.sum::<f32>()
            })
            .collect();
        let mut bench = Bench::new(IMAGE);
        let node = bench.then(Op::Softmax { axis }, bench.input);
        assert_near(&bench.run(node).1, &wanted, "softmax");
        let mut bench = Bench::new(IMAGE);
        let node = bench.then(Op::LogSoftmax { axis }, bench.input);
        let logarithms: Vec<f32> = wanted.iter().map(|p| p.ln()).collect();
        assert_near(&bench.run(node).1, &logarithms, "log softmax");
    }
}

#[test]
fn reductions_match_their_formulas() {
    let x = shown(IMAGE);
    let channels: Vec<&[f32]> = x.chunks_exact(12).collect();
    let reduced = |reduction: Reduction, numbers: &[f32]| -> f32 {
        match reduction {
            Reduction::Sum => numbers.iter().sum(),
            Reduction::Mean => numbers.iter().sum::<f32>() / numbers.len() as f32,
            Reduction::Max => numbers.iter().copied().fold(f32::MIN, f32::max),
            Reduction::Min => numbers.iter().copied().fold(f32::MAX, f32::min),
        }
    };
    for reduction in [
        Reduction::Mean,
        Reduction::Sum,
        Reduction::Max,
        Reduction::Min,
    ] {
        let wanted: Vec<f32> = channels
            .iter()
            .map(|channel| reduced(reduction, channel))
            .collect();
        for (axes_after, shape) in [
            (ReducedAxes::Kept, vec![2, 6, 1, 1]),
            (ReducedAxes::Dropped, vec![2, 6]),
        ] {
            let mut bench = Bench::new(IMAGE);
            let op = Op::Reduce {
                reduction,
                axes: vec![2, 3],
                axes_after,
            };
            let node = bench.then(op, bench.input);
            let (found_shape, found) = bench.run(node);
            assert_eq!(found_shape, shape);
            assert_near(&found, &wanted, reduction.label());
        }
    }
}
