//! Shape inference: the output shape of each operator, for any number of images.

mod rules;

use rules::{
    broadcast, by_channel, concatenated, convolved, cut, dense, fits_into, gathered, image,
    multiplied, padded, pooled, positive, product, recurrence, reduced, reshaped, resized, unmixed,
    within,
};

use super::dim::{Dim, MAX_AXES, shape_text};
use super::op::{Op, RecurrentOutput};

/// The most values that a node may give for an image: 4 GiB of them.
const MOST_VALUES: usize = 1 << 30;

/// The output shape of an operator on inputs of these shapes, or what does not fit.
pub(super) fn infer(op: &Op, inputs: &[Vec<Dim>]) -> Result<Vec<Dim>, String> {
    let (least, most) = arity(op);
    if inputs.len() < least || inputs.len() > most {
        return Err(match (least, most) {
            (least, usize::MAX) => format!("{} inputs instead of at least {least}", inputs.len()),
            (least, most) if least == most => {
                format!("{} inputs instead of {least}", inputs.len())
            }
            _ => format!("{} inputs instead of {least} to {most}", inputs.len()),
        });
    }
    if let Some(input) = inputs.iter().find(|input| input.len() > MAX_AXES) {
        let axes = input.len();
        return Err(format!(
            "an input of {axes} axes; at most {MAX_AXES} are supported"
        ));
    }
    let shape = of_inputs(op, inputs)?;
    if shape.len() > MAX_AXES {
        let axes = shape.len();
        return Err(format!(
            "a result of {axes} axes; at most {MAX_AXES} are supported"
        ));
    }
    if product(&shape).is_none_or(|values| values > MOST_VALUES) {
        return Err(format!(
            "the result is absurdly large: {}",
            shape_text(&shape)
        ));
    }
    if shape.iter().any(|dim| dim.count == 0) {
        return Err(format!("the result is empty: {}", shape_text(&shape)));
    }
    Ok(shape)
}

/// The minimum and maximum number of inputs of an operator.
fn arity(op: &Op) -> (usize, usize) {
    match op {
        Op::Input => (0, 0),
        Op::Conv(_) | Op::Dense => (2, 3),
        Op::MatMul | Op::PRelu | Op::Binary(_) => (2, 2),
        Op::BatchNorm { .. } => (5, 5),
        Op::LayerNorm { .. } | Op::GroupNorm { .. } | Op::InstanceNorm { .. } => (1, 3),
        Op::Concat { .. } => (1, usize::MAX),
        Op::Lstm { .. } | Op::Gru { .. } => (3, 4),
        _ => (1, 1),
    }
}

fn of_inputs(op: &Op, inputs: &[Vec<Dim>]) -> Result<Vec<Dim>, String> {
    let same = || inputs.first().cloned().unwrap_or_default();
    let x = inputs.first().map_or(&[][..], Vec::as_slice);
    match op {
        // The builder handles this case.
        Op::Input => Err("the image size is unknown".into()),
        Op::Conv(conv) => convolved(conv, x, &inputs[1], inputs.get(2)),
        Op::Dense => dense(x, &inputs[1], inputs.get(2)),
        Op::MatMul => multiplied(x, &inputs[1]),
        Op::BatchNorm { .. } => by_channel(x, &inputs[1..]),
        Op::LayerNorm { axis, .. } => {
            within(*axis, x)?;
            unmixed(x, *axis..x.len())?;
            for scale in &inputs[1..] {
                fits_into(scale, &x[*axis..])?;
            }
            Ok(same())
        }
        Op::GroupNorm { groups, .. } => {
            let channels = by_channel(x, &inputs[1..])?[1].count;
            match *groups > 0 && channels % groups == 0 {
                true => Ok(same()),
                false => Err(format!(
                    "{channels} channels cannot be split into {groups} groups"
                )),
            }
        }
        Op::InstanceNorm { .. } => by_channel(x, &inputs[1..]),
        Op::Lrn { size, .. } => {
            image(x)?;
            positive("size", *size)?;
            Ok(same())
        }
        Op::Unary(_) => Ok(same()),
        Op::PRelu => {
            fits_into(&inputs[1], x)?;
            Ok(same())
        }
        Op::Binary(_) => broadcast(x, &inputs[1]),
        Op::Softmax { axis } | Op::LogSoftmax { axis } => {
            within(*axis, x)?;
            unmixed(x, *axis..axis + 1)?;
            Ok(same())
        }
        Op::MaxPool(window) => pooled(window, x),
        Op::AvgPool { window, .. } => match window.dilation {
            [1, 1] => pooled(window, x),
            dilation => Err(format!(
                "averages over dilated windows ({dilation:?}) are not supported"
            )),
        },
        Op::Reduce {
            axes, axes_after, ..
        } => reduced(x, axes, *axes_after),
        Op::Concat { axis } => concatenated(inputs, *axis),
        Op::Slice(cuts) => cut(x, cuts),
        Op::Pad {
            before,
            after,
            fill: with,
        } => padded(x, before, after, *with),
        Op::Reshape { shape } => reshaped(x, shape),
        Op::Transpose { axes } => {
            let mut sorted = axes.clone();
            sorted.sort_unstable();
            match sorted.iter().copied().eq(0..x.len()) {
                true => Ok(axes.iter().map(|&axis| x[axis]).collect()),
                false => Err(format!(
                    "{axes:?} is not an order of the axes of {}",
                    shape_text(x)
                )),
            }
        }
        Op::Gather {
            axis,
            indices,
            shape,
        } => gathered(x, *axis, indices, shape),
        Op::Expand { shape } => broadcast(x, shape),
        Op::Resize(resize) => resized(resize, x),
        Op::DepthToSpace { block, .. } => {
            let (n, [channels, height, width]) = image(x)?;
            positive("block", *block)?;
            match block.checked_mul(*block) {
                Some(area) if channels % area == 0 => Ok(vec![
                    n,
                    Dim::fixed(channels / area),
                    Dim::fixed(height * block),
                    Dim::fixed(width * block),
                ]),
                _ => Err(format!(
                    "{channels} channels are not a multiple of {block}·{block}"
                )),
            }
        }
        Op::Lstm { recurrent } => recurrence(recurrent, 4, inputs),
        Op::Gru { recurrent, .. } => match recurrent.output {
            RecurrentOutput::Cell => Err("gated recurrent units have no cell".into()),
            _ => recurrence(recurrent, 3, inputs),
        },
    }
}
