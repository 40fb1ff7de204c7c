//! Dispatch: computes each operator on its inputs.

use burn::tensor::Tensor;
use burn::tensor::module::linear;

use super::super::Op;
use super::super::op::{RecurrentOutput, ReducedAxes};
use super::value::{DynTensor, map, map_pair};
use super::{arrange, functions, recurrent, windows};

/// The next of a node's inputs.
pub fn next_input(inputs: &mut impl Iterator<Item = DynTensor>) -> DynTensor {
    // Shape inference has checked their number.
    inputs
        .next()
        .unwrap_or_else(|| unreachable!("a missing input"))
}

/// Computes a layer, with its bias passed separately from its other inputs.
pub fn layer(op: &Op, inputs: Vec<DynTensor>, bias: Option<Tensor<1>>) -> DynTensor {
    let mut inputs = inputs.into_iter();
    let x = next_input(&mut inputs);
    match op {
        Op::Conv(conv) => windows::convolve(
            conv,
            x.into_tensor(),
            next_input(&mut inputs).into_tensor(),
            bias,
        )
        .into(),
        Op::BatchNorm { epsilon } => {
            let scale: Tensor<1> = next_input(&mut inputs).into_tensor();
            let (mean, variance) = (
                next_input(&mut inputs).into_tensor(),
                next_input(&mut inputs).into_tensor(),
            );
            let bias = bias.unwrap_or_else(|| scale.zeros_like());
            functions::batch(x, [scale, bias, mean, variance], *epsilon)
        }
        _ => {
            let weight: Tensor<2> = next_input(&mut inputs).into_tensor();
            map!(x, x => linear(x, weight, bias))
        }
    }
}

/// Computes every other operator on its inputs; `shape` is that of the result.
pub fn compute(op: &Op, inputs: Vec<DynTensor>, shape: &[usize]) -> DynTensor {
    if let Op::Concat { axis } = op {
        return arrange::concat(inputs, *axis);
    }
    let mut inputs = inputs.into_iter();
    let x = next_input(&mut inputs);
    let axes = x.axes();
    match op {
        Op::MatMul => multiplied(x, next_input(&mut inputs), shape),
        Op::LayerNorm { axis, epsilon } => functions::scaled(
            functions::standardized(x, *axis, *epsilon),
            inputs.collect(),
        ),
        Op::GroupNorm { groups, epsilon } => {
            let weights = inputs.map(|weight| functions::by_channel(weight, axes));
            functions::scaled(functions::grouped(x, *groups, *epsilon), weights.collect())
        }
        Op::InstanceNorm { epsilon } => {
            let weights = inputs.map(|weight| functions::by_channel(weight, axes));
            let channels = x.dims()[1];
            functions::scaled(functions::grouped(x, channels, *epsilon), weights.collect())
        }
        Op::Lrn {
            size,
            alpha,
            beta,
            bias,
        } => functions::local_response(x.into_tensor(), *size, (*alpha, *beta, *bias)).into(),
        Op::Unary(function) => functions::unary(*function, x),
        Op::PRelu => functions::prelu(x, next_input(&mut inputs)),
        Op::Binary(function) => functions::binary(*function, x, next_input(&mut inputs)),
        Op::Softmax { axis } => functions::soft(x, *axis),
        Op::LogSoftmax { axis } => functions::log_soft(x, *axis),
        Op::MaxPool(window) => windows::max_pool(window, x.into_tensor()).into(),
        Op::AvgPool { window, divisor } => {
            windows::average_pool(window, *divisor, x.into_tensor()).into()
        }
        Op::Reduce {
            reduction,
            axes,
            axes_after,
        } => {
            let kept = functions::reduce(*reduction, x, axes);
            match axes_after {
                ReducedAxes::Kept => kept,
                ReducedAxes::Dropped => kept.reshaped(shape),
            }
        }
        Op::Slice(cuts) => arrange::slice(x, cuts),
        Op::Pad {
            before,
            after,
            fill: with,
        } => arrange::pad(x, before, after, *with),
        Op::Reshape { .. } => x.reshaped(shape),
        Op::Transpose { axes } => x.permuted(axes),
        Op::Gather { axis, indices, .. } => arrange::gather(x, *axis, indices).reshaped(shape),
        Op::Expand { .. } => arrange::expand(x, shape),
        Op::Resize(resize) => arrange::resize(x.into_tensor(), resize).into(),
        Op::DepthToSpace { block, order } => {
            arrange::depth_to_space(x.into_tensor(), *block, *order).into()
        }
        Op::Lstm { recurrent } => {
            let all = recurrent::lstm(recurrent, x.into_tensor(), &recurrent_weights(inputs));
            recurrent_output(all, recurrent.output, shape)
        }
        Op::Gru { recurrent, reset } => {
            let all = recurrent::gru(
                recurrent,
                *reset,
                x.into_tensor(),
                &recurrent_weights(inputs),
            );
            recurrent_output(all, recurrent.output, shape)
        }
        Op::Input | Op::Conv(_) | Op::Dense | Op::BatchNorm { .. } | Op::Concat { .. } => {
            unreachable!("{} is computed elsewhere", op.label())
        }
    }
}

/// The weights of a recurrent layer among its inputs.
pub fn recurrent_weights(
    mut inputs: impl Iterator<Item = DynTensor>,
) -> recurrent::RecurrentWeights {
    recurrent::RecurrentWeights {
        input: next_input(&mut inputs).into_tensor(),
        state: next_input(&mut inputs).into_tensor(),
        bias: inputs.next().map(DynTensor::into_tensor),
    }
}

pub fn recurrent_output(all: Tensor<4>, output: RecurrentOutput, shape: &[usize]) -> DynTensor {
    match output {
        RecurrentOutput::All => all.into(),
        RecurrentOutput::Last | RecurrentOutput::Cell => DynTensor::R4(all).reshaped(shape),
    }
}

/// NumPy's `matmul`: a vector is a row on the left and a column on the right.
fn multiplied(a: DynTensor, b: DynTensor, shape: &[usize]) -> DynTensor {
    let b = match b.axes() {
        1 => {
            let length = b.dims()[0];
            b.reshaped(&[length, 1])
        }
        _ => b,
    };
    let a = match a.axes() {
        1 => {
            let length = a.dims()[0];
            a.reshaped(&[1, length])
        }
        _ => a,
    };
    map_pair!(a, b, (a, b) => a.matmul(b)).reshaped(shape)
}
