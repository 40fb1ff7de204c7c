//! Transposed convolution: zeros are put between the pixels, and the kernel is turned around.

use super::super::super::call::{ImportValue, OnnxCall};
use super::super::super::constant::affordable;
use super::super::super::error::NodeProblem;
use super::super::super::importer::Importer;
use super::super::super::lengths::floats;
use super::{Axes, Flat, kernel_and_input, weight_name};
use crate::nets::graph::op::{
    Binary, Conv, Interpolation, NearestMode, PadFill, Pads, Resize, ResizeCoordinates,
};
use crate::nets::graph::{NodeInput, Op};
use crate::session::array::Array;

/// The largest length, stride or dilation.
const MOST: usize = 1 << 20;

/// `ConvTranspose`.
pub fn conv_transpose(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let (kernel, flat) = kernel_and_input(importer, call)?;
    let weight = call.known(1, "kernel")?;
    let [channels, each, rows, columns] = kernel;
    let attributes = call.attributes;
    let stride = flat.pair(attributes, "strides", 1)?;
    let dilation = flat.pair(attributes, "dilations", 1)?;
    let groups = usize::try_from(attributes.int("group", 1)).unwrap_or(0);
    let numbers = [stride, dilation, [rows, columns], flat.size].concat();
    let sound = numbers.iter().all(|number| (1..=MOST).contains(number));
    if !sound || groups == 0 || !channels.is_multiple_of(groups) {
        return NodeProblem::cannot(format!(
            "a kernel {kernel:?} with strides {stride:?}, dilations {dilation:?} and {groups} groups does not fit"
        ));
    }
    let reach = [dilation[0] * (rows - 1), dilation[1] * (columns - 1)];
    let added = added(&flat, call, stride, reach)?;
    let input = spaced(importer, call, &flat, stride)?;
    let crop = |sides: [isize; 2]| vec![0, 0, sides[0].min(0), sides[1].min(0)];
    let (before, after) = (
        crop(added.map(|sides| sides.0)),
        crop(added.map(|sides| sides.1)),
    );
    let input = match before.iter().chain(&after).any(|&side| side < 0) {
        true => {
            let fill = PadFill::Constant(0.0);
            let op = Op::Pad {
                before,
                after,
                fill,
            };
            let name = format!("{}.cropped", call.name);
            importer.emit(&name, op, &[input])?.into()
        }
        false => input,
    };
    let positive = |side: isize| side.max(0).unsigned_abs();
    let conv = Conv {
        stride: [1, 1],
        pads: Pads {
            top: positive(added[0].0),
            left: positive(added[1].0),
            bottom: positive(added[0].1),
            right: positive(added[1].1),
        },
        dilation,
        groups,
    };
    let turned = turned(&floats(weight)?, [channels, each, rows, columns], groups);
    let mut inputs = vec![
        input,
        importer.weight(&weight_name(call, 1, "weight"), &turned)?,
    ];
    if let Some(bias) = call.optional(2) {
        call.known(2, "bias")?;
        inputs.push(importer.operand(bias, &format!("{}.bias", call.name))?);
    }
    flat.leave(importer, call, Op::Conv(conv), &inputs)
}

/// What is added before and after the spaced pixels, along rows and columns; negative if it is cut off. Without `pads`
/// the output has the wanted size, or at most its stride times that of the input; of an odd number of pixels, ONNX
/// Runtime cuts the odd one off before, and with `SAME_UPPER` after.
fn added(
    flat: &Flat,
    call: &OnnxCall,
    stride: [usize; 2],
    reach: [usize; 2],
) -> Result<[(isize, isize); 2], NodeProblem> {
    let attributes = call.attributes;
    let auto = attributes.text("auto_pad").unwrap_or("NOTSET");
    let given = match auto {
        "NOTSET" | "" => flat.given_pads(attributes.ints("pads"))?,
        "VALID" | "SAME_UPPER" | "SAME_LOWER" => Pads::default(),
        other => return NodeProblem::cannot(format!("its auto_pad is {other}")),
    };
    let is_wanted = matches!(attributes.ints("output_shape"), Some([_, ..]));
    let size = match (is_wanted, auto) {
        (true, _) => Some(flat.pair(attributes, "output_shape", 1)?),
        (_, "SAME_UPPER" | "SAME_LOWER") => {
            Some([flat.size[0] * stride[0], flat.size[1] * stride[1]])
        }
        _ => None,
    };
    let mut more = flat.pair(attributes, "output_padding", 0)?;
    if flat.axes == Axes::Sequence {
        more[0] = 0;
    }
    if given_numbers(given, size, more).any(|number| number > MOST) {
        return Err(NodeProblem::too_large());
    }
    let along = |axis: usize| {
        let (reach, more) = (reach[axis].cast_signed(), more[axis].cast_signed());
        let step = stride[axis].cast_signed();
        let (head, tail) = match size {
            None => {
                let (head, tail) = given.along(axis);
                (head.cast_signed(), tail.cast_signed())
            }
            Some(size) => {
                let full = (flat.size[axis].cast_signed() - 1) * step + reach + 1 + more;
                let cut = full - size[axis].cast_signed();
                let cut = if is_wanted { cut } else { cut.max(0) };
                let half = cut.max(0) / 2;
                let head = match auto {
                    "SAME_UPPER" => half,
                    _ => cut.max(0) - half,
                };
                (head, cut - head)
            }
        };
        // The spaced pixels end with zeros after the last one.
        (reach - head, reach - tail + more - (step - 1))
    };
    Ok([along(0), along(1)])
}

/// The numbers of a node that must not be absurd.
fn given_numbers(
    pads: Pads,
    size: Option<[usize; 2]>,
    more: [usize; 2],
) -> impl Iterator<Item = usize> {
    let sides = [pads.top, pads.left, pads.bottom, pads.right];
    sides
        .into_iter()
        .chain(size.into_iter().flatten())
        .chain(more)
}

/// The image with zeros after each pixel, so that there is one in every `stride` pixels.
fn spaced(
    importer: &mut Importer,
    call: &OnnxCall,
    flat: &Flat,
    stride: [usize; 2],
) -> Result<NodeInput, NodeProblem> {
    if stride == [1, 1] {
        return Ok(flat.input.clone());
    }
    let size = [flat.size[0] * stride[0], flat.size[1] * stride[1]];
    let area = affordable(&size, 0).ok_or_else(NodeProblem::too_large)?;
    let is_pixel = |place: usize| {
        let (row, column) = (place / size[1], place % size[1]);
        row.is_multiple_of(stride[0]) && column.is_multiple_of(stride[1])
    };
    let mask = (0..area).map(|place| if is_pixel(place) { 1.0 } else { 0.0 });
    let mask = Array::new(&size, mask.collect());
    let op = Op::Resize(Resize {
        size,
        scale: stride.map(|step| step as f64),
        sampling: Interpolation::Nearest(NearestMode::Floor),
        coordinates: ResizeCoordinates::Asymmetric,
    });
    let part = |role: &str| format!("{}.{role}", call.name);
    let repeated = importer.emit(&part("repeated"), op, std::slice::from_ref(&flat.input))?;
    let mask = importer.weight(&part("pixels"), &mask)?;
    let inputs = [repeated.into(), mask];
    let spaced = importer.emit(&part("spaced"), Op::Binary(Binary::Mul), &inputs)?;
    Ok(spaced.into())
}

/// The kernel of the convolution \[out,C/groups,h,w\], from that of the transposed one \[C,out/groups,h,w\].
fn turned(
    kernel: &Array<f32>,
    [channels, each, rows, columns]: [usize; 4],
    groups: usize,
) -> Array<f32> {
    let (inputs, area) = (channels / groups, rows * columns);
    let mut values = Vec::with_capacity(kernel.values().len());
    for group in 0..groups {
        for output in 0..each {
            for input in 0..inputs {
                let start = ((group * inputs + input) * each + output) * area;
                let taps = &kernel.values()[start..start + area];
                values.extend(taps.iter().rev());
            }
        }
    }
    Array::new(&[groups * each, inputs, rows, columns], values)
}
