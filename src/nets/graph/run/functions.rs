//! Elementwise functions, reductions and normalizations.

use burn::tensor::Tensor;
use burn::tensor::activation::{
    gelu, gelu_approximate, hard_sigmoid, hard_swish, leaky_relu, log_softmax, mish, relu, sigmoid,
    silu, softmax, softplus, softsign,
};
use burn::tensor::module::batch_norm;

use super::super::op::{Binary, Reduction, Unary};
use super::value::{DynTensor, map, map_pair};

pub fn unary(function: Unary, x: DynTensor) -> DynTensor {
    map!(x, x => unary_tensor(function, x))
}

fn unary_tensor<const D: usize>(function: Unary, x: Tensor<D>) -> Tensor<D> {
    match function {
        Unary::Relu => relu(x),
        Unary::LeakyRelu { slope } => leaky_relu(x, slope),
        Unary::Elu { alpha } => exponential_linear(x, alpha, 1.0),
        Unary::Selu { alpha, gamma } => exponential_linear(x, alpha, 1.0) * gamma,
        Unary::Celu { alpha } => exponential_linear(x, alpha, alpha),
        Unary::Sigmoid => sigmoid(x),
        Unary::Tanh => x.tanh(),
        Unary::HardSigmoid { alpha, beta } => hard_sigmoid(x, alpha, beta),
        Unary::HardSwish => hard_swish(x),
        Unary::Silu => silu(x),
        Unary::Gelu => gelu(x),
        Unary::GeluTanh => gelu_approximate(x),
        Unary::Mish => mish(x),
        Unary::Softplus => softplus(x, 1.0),
        Unary::Softsign => softsign(x),
        Unary::Erf => x.erf(),
        Unary::Exp => x.exp(),
        Unary::Log => x.log(),
        Unary::Sqrt => x.sqrt(),
        Unary::Neg => x.neg(),
        Unary::Abs => x.abs(),
        Unary::Reciprocal => x.recip(),
        Unary::Floor => x.floor(),
        Unary::Ceil => x.ceil(),
        Unary::Round => x.round(),
        Unary::Sign => x.sign(),
        Unary::Clip { min, max } => match (min.is_finite(), max.is_finite()) {
            (true, true) => x.clamp(min, max),
            (true, false) => x.clamp_min(min),
            (false, true) => x.clamp_max(max),
            (false, false) => x,
        },
        Unary::Affine { scale, shift } => x * scale + shift,
    }
}

/// x where positive, else alpha·(exp(x/width) − 1). The exponential only gets non-positive values: if
/// it overflowed, the gradient would be NaN.
fn exponential_linear<const D: usize>(x: Tensor<D>, alpha: f64, width: f64) -> Tensor<D> {
    let below = x.clone().clamp_max(0.0) / width;
    relu(x) + (below.exp() - 1.0) * alpha
}

pub fn prelu(x: DynTensor, slope: DynTensor) -> DynTensor {
    map_pair!(x, slope, (x, slope) => relu(x.clone()) - slope * relu(x.neg()))
}

pub fn binary(function: Binary, a: DynTensor, b: DynTensor) -> DynTensor {
    match function {
        Binary::Add => map_pair!(a, b, (a, b) => a + b),
        Binary::Sub => map_pair!(a, b, (a, b) => a - b),
        Binary::Mul => map_pair!(a, b, (a, b) => a * b),
        Binary::Div => map_pair!(a, b, (a, b) => a / b),
        Binary::Pow => map_pair!(a, b, (a, b) => a.powf(b)),
        Binary::Max => map_pair!(a, b, (a, b) => a.max_pair(b)),
        Binary::Min => map_pair!(a, b, (a, b) => a.min_pair(b)),
    }
}

pub fn soft(x: DynTensor, axis: usize) -> DynTensor {
    map!(x, x => softmax(x, axis))
}

pub fn log_soft(x: DynTensor, axis: usize) -> DynTensor {
    map!(x, x => log_softmax(x, axis))
}

/// Reduction over axes, which are kept.
pub fn reduce(reduction: Reduction, x: DynTensor, axes: &[usize]) -> DynTensor {
    match reduction {
        Reduction::Mean => map!(x, x => x.mean_dims(axes)),
        Reduction::Sum => map!(x, x => x.sum_dims(axes)),
        Reduction::Max => map!(x, x => x.max_dims(axes)),
        Reduction::Min => map!(x, x => x.min_dims(axes)),
    }
}

/// Normalized by fixed statistics: scale, bias, mean, variance \[C\].
pub fn batch(
    x: DynTensor,
    [scale, bias, mean, variance]: [Tensor<1>; 4],
    epsilon: f64,
) -> DynTensor {
    map!(x, x => batch_norm(x, scale, bias, mean, variance, epsilon))
}

/// Standardized over the axes from `axis` on.
pub fn standardized(x: DynTensor, axis: usize, epsilon: f64) -> DynTensor {
    fn standardized<const D: usize>(x: Tensor<D>, axis: usize, epsilon: f64) -> Tensor<D> {
        let axes: Vec<usize> = (axis..D).collect();
        let centred = x.clone() - x.mean_dims(&axes);
        let variance = centred.clone().square().mean_dims(&axes);
        centred / (variance + epsilon).sqrt()
    }
    map!(x, x => standardized(x, axis, epsilon))
}

/// x·scale + bias, each if given.
pub fn scaled(x: DynTensor, scale_and_bias: Vec<DynTensor>) -> DynTensor {
    let mut given = scale_and_bias.into_iter();
    let x = match given.next() {
        Some(scale) => binary(Binary::Mul, x, scale),
        None => x,
    };
    match given.next() {
        Some(bias) => binary(Binary::Add, x, bias),
        None => x,
    }
}

/// Standardized over groups of channels and their positions.
pub fn grouped(x: DynTensor, groups: usize, epsilon: f64) -> DynTensor {
    let shape = x.dims();
    let n = shape[0];
    let in_groups = x.reshaped(&[n, groups, shape[1..].iter().product::<usize>() / groups]);
    standardized(in_groups, 2, epsilon).reshaped(&shape)
}

/// Weights \[C\] as \[C,1,…\], so that they broadcast to x \[N,C,…\] with `axes` axes.
pub fn by_channel(weight: DynTensor, axes: usize) -> DynTensor {
    let channels = weight.dims()[0];
    let mut shape = vec![1; axes - 1];
    shape[0] = channels;
    weight.reshaped(&shape)
}

/// x/(bias + alpha/size·Σx²)^beta over neighbouring channels.
pub fn local_response(
    x: Tensor<4>,
    size: usize,
    (alpha, beta, bias): (f64, f64, f64),
) -> Tensor<4> {
    let channels = x.dims()[1];
    // Channels that are farther away do not exist, however large the size is.
    let before = ((size - 1) / 2).min(channels - 1);
    let after = (size / 2).min(channels - 1);
    let squares = x.clone().square();
    let padded = squares.pad([(before, after), (0, 0), (0, 0)], 0.0);
    let shifted = (0..=before + after).map(|shift| padded.clone().narrow(1, shift, channels));
    let sum = shifted.reduce(|a, b| a + b).unwrap_or_else(|| x.clone());
    x / (sum * (alpha / size as f64) + bias).powf_scalar(beta)
}
