//! The shape rules of convolutions and poolings.

use super::{bias, image, positive};
use crate::nets::graph::dim::{Dim, shape_text};
use crate::nets::graph::op::{Conv, PoolWindow, Rounding};

/// The number of windows along an axis of `length`.
fn windows(
    length: usize,
    (kernel, stride, dilation): (usize, usize, usize),
    (before, after): (usize, usize),
    rounding: Rounding,
) -> Result<usize, String> {
    positive("kernel", kernel)?;
    positive("stride", stride)?;
    positive("dilation", dilation)?;
    let span = (kernel - 1).saturating_mul(dilation).saturating_add(1);
    let padding = before.saturating_add(after);
    let Some(room) = length.saturating_add(padding).checked_sub(span) else {
        return Err(format!(
            "its windows are {span} long, which is more than {length} plus {padding} of padding"
        ));
    };
    let floor = room / stride + 1;
    // A window that would start beyond the far side would be empty.
    let next = floor.saturating_mul(stride);
    let one_more = !room.is_multiple_of(stride) && next < length.saturating_add(before);
    Ok(match rounding {
        Rounding::Ceil if one_more => floor + 1,
        _ => floor,
    })
}

pub fn convolved(
    conv: &Conv,
    x: &[Dim],
    weight: &[Dim],
    bias_shape: Option<&Vec<Dim>>,
) -> Result<Vec<Dim>, String> {
    let (n, [channels, height, width]) = image(x)?;
    positive("groups", conv.groups)?;
    let (out, [inputs, rows, columns]) = image(weight)?;
    let out = match out.batched {
        true => return Err("its weight depends on the number of images".into()),
        false => out.count,
    };
    if inputs.checked_mul(conv.groups) != Some(channels) || !out.is_multiple_of(conv.groups) {
        return Err(format!(
            "a weight {} with {} groups does not fit {channels} channels",
            shape_text(weight),
            conv.groups
        ));
    }
    bias(bias_shape, out)?;
    let along = |axis: usize, length, kernel| {
        let window = (kernel, conv.stride[axis], conv.dilation[axis]);
        windows(length, window, conv.pads.along(axis), Rounding::Floor)
    };
    Ok(vec![
        n,
        Dim::fixed(out),
        Dim::fixed(along(0, height, rows)?),
        Dim::fixed(along(1, width, columns)?),
    ])
}

pub fn pooled(window: &PoolWindow, x: &[Dim]) -> Result<Vec<Dim>, String> {
    let (n, [channels, height, width]) = image(x)?;
    let along = |axis: usize, length| {
        let kernel = window.kernel[axis];
        let (before, after) = window.pads.along(axis);
        let span = kernel
            .saturating_sub(1)
            .saturating_mul(window.dilation[axis]);
        let span = span.saturating_add(1);
        if before >= span || after >= span {
            return Err(format!(
                "windows of {kernel} would lie wholly in the padding of {before} and {after}"
            ));
        }
        let taps = (kernel, window.stride[axis], window.dilation[axis]);
        windows(length, taps, (before, after), window.rounding)
    };
    Ok(vec![
        n,
        Dim::fixed(channels),
        Dim::fixed(along(0, height)?),
        Dim::fixed(along(1, width)?),
    ])
}
