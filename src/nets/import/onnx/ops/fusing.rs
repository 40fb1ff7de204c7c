//! Fuses operators that exporters write as several nodes: the graph gets smaller, and its
//! non-linearities and normalisations can be recognised.

use super::super::importer::Importer;
use crate::nets::graph::op::{Binary, ReducedAxes, Reduction, Unary};
use crate::nets::graph::{NodeInput, Op};

/// A fused operator with its inputs.
type Fusion = (Op, Vec<NodeInput>);

/// The operator that a binary operator on these inputs completes, if any.
pub fn fused(
    importer: &Importer,
    function: Binary,
    a: &NodeInput,
    b: &NodeInput,
) -> Option<Fusion> {
    let either = |matcher: &dyn Fn(&NodeInput, &NodeInput) -> Option<Fusion>| {
        let direct = matcher(a, b);
        direct.or_else(|| matcher(b, a))
    };
    match function {
        Binary::Mul => either(&|x, gate| gated(importer, x, gate))
            .or_else(|| gelu(importer, a, b))
            .or_else(|| either(&|layer, scale| scaled(importer, layer, scale))),
        Binary::Add => either(&|layer, bias| biased(importer, layer, bias)),
        Binary::Div => standardized(importer, a, b),
        Binary::Sub | Binary::Pow | Binary::Max | Binary::Min => None,
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-4
}

/// The number in a weight with a single one.
fn number(importer: &Importer, input: &NodeInput) -> Option<f64> {
    let NodeInput::Weight(name) = input else {
        return None;
    };
    match importer.graph.weight_values(name)?.values() {
        [number] => Some(f64::from(*number)),
        _ => None,
    }
}

/// A node's unary function and its argument.
fn unary<'a>(importer: &'a Importer, input: &NodeInput) -> Option<(Unary, &'a NodeInput)> {
    match importer.operator_of(input)? {
        (Op::Unary(function), [x]) => Some((*function, x)),
        _ => None,
    }
}

/// The arguments of a node's binary function, if it is the wanted one.
fn binary<'a>(
    importer: &'a Importer,
    input: &NodeInput,
    wanted: Binary,
) -> Option<(&'a NodeInput, &'a NodeInput)> {
    match importer.operator_of(input)? {
        (Op::Binary(function), [a, b]) if *function == wanted => Some((a, b)),
        _ => None,
    }
}

/// x·sigmoid(x), x·hard sigmoid(x), x·tanh(softplus(x)).
fn gated(importer: &Importer, x: &NodeInput, gate: &NodeInput) -> Option<Fusion> {
    let (function, inner) = unary(importer, gate)?;
    let whole = match function {
        Unary::Sigmoid if inner == x => Unary::Silu,
        Unary::HardSigmoid { alpha, beta }
            if inner == x && close(alpha, 1.0 / 6.0) && close(beta, 0.5) =>
        {
            Unary::HardSwish
        }
        Unary::Tanh if unary(importer, inner)? == (Unary::Softplus, x) => Unary::Mish,
        _ => return None,
    };
    Some((Op::Unary(whole), vec![x.clone()]))
}

/// x·½·(1 + erf(x/√2)), in any order.
fn gelu(importer: &Importer, a: &NodeInput, b: &NodeInput) -> Option<Fusion> {
    let mut factors: Vec<&NodeInput> = Vec::new();
    for input in [a, b] {
        match binary(importer, input, Binary::Mul) {
            Some((c, d)) if factors.len() < 2 => factors.extend([c, d]),
            _ => factors.push(input),
        }
    }
    let half = factors
        .iter()
        .position(|input| number(importer, input).is_some_and(|number| close(number, 0.5)))?;
    factors.remove(half);
    let [c, d] = factors[..] else { return None };
    let argument = |x: &NodeInput, rest: &NodeInput| {
        let (one, erf) = binary(importer, rest, Binary::Add)?;
        let is_one = |input| number(importer, input).is_some_and(|number| close(number, 1.0));
        let erf = match (is_one(one), is_one(erf)) {
            (true, _) => erf,
            (_, true) => one,
            _ => return None,
        };
        let (Unary::Erf, inner) = unary(importer, erf)? else {
            return None;
        };
        let root = std::f64::consts::SQRT_2;
        let divided = binary(importer, inner, Binary::Div)
            .filter(|(_, by)| number(importer, by).is_some_and(|by| close(by, root)))
            .map(|(y, _)| y);
        let multiplied = || {
            let (y, by) = binary(importer, inner, Binary::Mul)?;
            let by = number(importer, by)?;
            close(by, 1.0 / root).then_some(y)
        };
        (divided.or_else(multiplied)? == x).then(|| x.clone())
    };
    let x = argument(c, d).or_else(|| argument(d, c))?;
    Some((Op::Unary(Unary::Gelu), vec![x]))
}

/// (x − mean)/√(variance + ε) over the last axes.
fn standardized(importer: &Importer, a: &NodeInput, b: &NodeInput) -> Option<Fusion> {
    let (x, mean) = binary(importer, a, Binary::Sub)?;
    let axes = kept_mean(importer, mean, x)?;
    let (Unary::Sqrt, inner) = unary(importer, b)? else {
        return None;
    };
    let (c, d) = binary(importer, inner, Binary::Add)?;
    let (variance, epsilon) = match (number(importer, c), number(importer, d)) {
        (_, Some(epsilon)) => (c, epsilon),
        (Some(epsilon), _) => (d, epsilon),
        _ => return None,
    };
    let (Op::Reduce { .. }, [square]) = importer.operator_of(variance)? else {
        return None;
    };
    let same_axes = kept_mean(importer, variance, square)? == axes;
    if !same_axes || binary(importer, square, Binary::Mul)? != (a, a) {
        return None;
    }
    let NodeInput::Node(id) = x else { return None };
    let rank = importer.graph.shape(*id).len();
    let axis = *axes.first()?;
    let last = axes.iter().copied().eq(axis..rank);
    let op = Op::LayerNorm { axis, epsilon };
    last.then(|| (op, vec![x.clone()]))
}

/// The axes of a mean of x that keeps its axes.
fn kept_mean<'a>(importer: &'a Importer, mean: &NodeInput, x: &NodeInput) -> Option<&'a [usize]> {
    match importer.operator_of(mean)? {
        (
            Op::Reduce {
                reduction: Reduction::Mean,
                axes,
                axes_after: ReducedAxes::Kept,
            },
            [source],
        ) if source == x => Some(axes),
        _ => None,
    }
}

/// The lengths of the axes that a layer normalises over.
fn normalised_shape(importer: &Importer, layer: &NodeInput, axis: usize) -> Option<Vec<usize>> {
    let NodeInput::Node(id) = layer else {
        return None;
    };
    let axes = importer.graph.shape(*id).get(axis..)?;
    Some(axes.iter().map(|dim| dim.count).collect())
}

fn weight_shape<'a>(importer: &'a Importer, weight: &NodeInput) -> Option<&'a [usize]> {
    let NodeInput::Weight(name) = weight else {
        return None;
    };
    importer
        .graph
        .weight_values(name)
        .map(|array| array.shape())
}

/// A layer normalisation with a scale.
fn scaled(importer: &Importer, layer: &NodeInput, scale: &NodeInput) -> Option<Fusion> {
    let (op @ Op::LayerNorm { axis, .. }, [x]) = importer.operator_of(layer)? else {
        return None;
    };
    let fits = weight_shape(importer, scale)? == normalised_shape(importer, layer, *axis)?;
    fits.then(|| (op.clone(), vec![x.clone(), scale.clone()]))
}

/// A dense layer or layer normalisation without a bias, with this one added.
fn biased(importer: &Importer, layer: &NodeInput, bias: &NodeInput) -> Option<Fusion> {
    let (op, inputs @ [_, weight]) = importer.operator_of(layer)? else {
        return None;
    };
    let wanted = match op {
        Op::Dense => vec![*weight_shape(importer, weight)?.last()?],
        Op::LayerNorm { axis, .. } => normalised_shape(importer, layer, *axis)?,
        _ => return None,
    };
    let fits = weight_shape(importer, bias)? == wanted;
    let all = || [inputs, std::slice::from_ref(bias)].concat();
    fits.then(|| (op.clone(), all()))
}
