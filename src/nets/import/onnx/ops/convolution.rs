//! Convolution and pooling. Those along one axis become two-dimensional with a single row; those over
//! three axes are supported if their windows extend along the first only.

pub mod transposed;

use super::super::attributes::Attributes;
use super::super::call::{ImportValue, OnnxCall};
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::floats;
use crate::nets::graph::op::{Conv, Divisor, Pads, PoolWindow, ReducedAxes, Reduction, Rounding};
use crate::nets::graph::{Dim, NodeInput, Op};
use crate::session::array::Array;

/// `Conv`.
pub fn conv(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let (kernel, flat) = kernel_and_input(importer, call)?;
    let weight = call.known(1, "kernel")?;
    let [_, _, rows, columns] = kernel;
    let taps = [rows, columns];
    let attributes = call.attributes;
    let stride = flat.pair(attributes, "strides", 1)?;
    let dilation = flat.pair(attributes, "dilations", 1)?;
    let pads = flat.pads(attributes, taps, stride, dilation)?;
    let groups = attributes.int("group", 1);
    let conv = Conv {
        stride,
        pads,
        dilation,
        groups: usize::try_from(groups).unwrap_or(0),
    };
    let mut array = floats(weight)?;
    if array.shape() != kernel {
        array = Array::new(&kernel, array.values().to_vec());
    }
    let mut inputs = vec![
        flat.input.clone(),
        importer.weight(&weight_name(call, 1, "weight"), &array)?,
    ];
    if let Some(bias) = call.optional(2) {
        call.known(2, "bias")?;
        inputs.push(importer.operand(bias, &format!("{}.bias", call.name))?);
    }
    flat.leave(importer, call, Op::Conv(conv), &inputs)
}

/// The lengths of a convolution's kernel, which has one row over sequences, and its input.
fn kernel_and_input(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<([usize; 4], Flat), NodeProblem> {
    let mut kernel = call.known(1, "kernel")?.shape().to_vec();
    if kernel.len() < 3 {
        return NodeProblem::cannot(format!("its kernel has the shape {kernel:?}"));
    }
    let flat = Flat::enter(importer, call)?;
    match flat.axes {
        Axes::Image => {}
        Axes::Sequence => kernel.insert(2, 1),
        Axes::FirstOfThree => {
            return NodeProblem::cannot("it works on volumes; only images are supported");
        }
    }
    match <[usize; 4]>::try_from(kernel) {
        Ok(kernel) => Ok((kernel, flat)),
        Err(kernel) => NodeProblem::cannot(format!("its kernel has the shape {kernel:?}")),
    }
}

/// The name of a node's weight: as in the file, else from its role.
pub fn weight_name(call: &OnnxCall, place: usize, role: &str) -> String {
    match call.optional(place) {
        Some(ImportValue::Weight(name, _)) => name.clone(),
        _ => format!("{}.{role}", call.name),
    }
}

/// `MaxPool`.
pub fn max_pool(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    if call.outputs.get(1).is_some_and(|name| !name.is_empty()) {
        return NodeProblem::cannot("its output of indices is used");
    }
    let flat = Flat::enter(importer, call)?;
    let op = Op::MaxPool(flat.window(call.attributes)?);
    let input = flat.input.clone();
    flat.leave(importer, call, op, &[input])
}

/// `AveragePool`.
pub fn average_pool(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let flat = Flat::enter(importer, call)?;
    let op = Op::AvgPool {
        window: flat.window(call.attributes)?,
        divisor: match call.attributes.flag("count_include_pad", false) {
            true => Divisor::WithPadding,
            false => Divisor::Inside,
        },
    };
    let input = flat.input.clone();
    flat.leave(importer, call, op, &[input])
}

/// `GlobalAveragePool` and `GlobalMaxPool`.
pub fn global_pool(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let input = importer.operand(call.input(0)?, &call.name)?;
    let rank = importer.dims(call.input(0)?)?.len();
    let op = Op::Reduce {
        reduction: match call.operator {
            "GlobalMaxPool" => Reduction::Max,
            _ => Reduction::Mean,
        },
        axes: (2..rank).collect(),
        axes_after: ReducedAxes::Kept,
    };
    Ok(vec![importer.emit_value(&call.name, op, &[input])?])
}

/// The axes that a node's windows slide over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Axes {
    /// Rows and columns.
    Image,
    /// One axis, which becomes the columns of a single row.
    Sequence,
    /// Three axes, the last two with windows of one: these are merged into columns.
    FirstOfThree,
}

/// A node's input as two-dimensional images.
struct Flat {
    input: NodeInput,
    axes: Axes,
    /// The original axes after batch and channels.
    behind: Vec<Dim>,
    size: [usize; 2],
}

impl Flat {
    fn enter(importer: &mut Importer, call: &OnnxCall) -> Result<Self, NodeProblem> {
        let value = call.input(0)?;
        let dims = importer.dims(value)?;
        let input = importer.operand(value, &call.name)?;
        let fixed = Dim::fixed;
        let (axes, size) = match dims[..] {
            [_, _, rows, columns] => (Axes::Image, [rows, columns]),
            [_, _, length] => (Axes::Sequence, [fixed(1), length]),
            [_, _, first, second, third] => {
                let together = fixed(second.count * third.count);
                (Axes::FirstOfThree, [first, together])
            }
            _ => {
                return NodeProblem::cannot(format!(
                    "it works on {} axes; only images and sequences are supported",
                    dims.len()
                ));
            }
        };
        let input = match axes {
            Axes::Image => input,
            Axes::Sequence | Axes::FirstOfThree => {
                let shape = vec![dims[0], dims[1], size[0], size[1]];
                let name = format!("{}.rows", call.name);
                let op = Op::Reshape { shape };
                importer.emit(&name, op, &[input])?.into()
            }
        };
        Ok(Self {
            input,
            axes,
            behind: dims[2..].to_vec(),
            size: size.map(|dim| dim.count),
        })
    }

    /// Adds the operator, and restores the original axes.
    fn leave(
        self,
        importer: &mut Importer,
        call: &OnnxCall,
        op: Op,
        inputs: &[NodeInput],
    ) -> Result<Vec<ImportValue>, NodeProblem> {
        let id = importer.emit(&call.name, op, inputs)?;
        let dims = importer.graph.shape(id).to_vec();
        let shape = match self.axes {
            Axes::Image => return Ok(vec![ImportValue::Node(id)]),
            Axes::Sequence => vec![dims[0], dims[1], dims[3]],
            Axes::FirstOfThree => [&dims[..3], &self.behind[1..]].concat(),
        };
        let name = format!("{}.axes", call.name);
        let value = importer.emit_value(&name, Op::Reshape { shape }, &[id.into()])?;
        Ok(vec![value])
    }

    /// An attribute's values for rows and columns.
    fn pair(
        &self,
        attributes: Attributes,
        name: &str,
        default: usize,
    ) -> Result<[usize; 2], NodeProblem> {
        let number = |number: i64| usize::try_from(number).ok();
        let given = attributes.ints(name).unwrap_or_default();
        let pair = match (given, self.axes) {
            ([], _) => Some([default, default]),
            (&[columns], Axes::Sequence) => number(columns).map(|columns| [1, columns]),
            (&[rows, columns], Axes::Image) => number(rows).zip(number(columns)).map(Into::into),
            (&[first, 1, 1], Axes::FirstOfThree) => number(first).map(|first| [first, 1]),
            _ => None,
        };
        let misfit = || format!("its attribute {name}, {given:?}, does not fit");
        pair.ok_or_else(|| NodeProblem::Cannot(misfit()))
    }

    fn window(&self, attributes: Attributes) -> Result<PoolWindow, NodeProblem> {
        let kernel = self.pair(attributes, "kernel_shape", 1)?;
        let stride = self.pair(attributes, "strides", 1)?;
        let dilation = self.pair(attributes, "dilations", 1)?;
        Ok(PoolWindow {
            kernel,
            stride,
            pads: self.pads(attributes, kernel, stride, dilation)?,
            dilation,
            rounding: match attributes.flag("ceil_mode", false) {
                true => Rounding::Ceil,
                false => Rounding::Floor,
            },
        })
    }

    /// The padding, given or computed to keep the size.
    fn pads(
        &self,
        attributes: Attributes,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<Pads, NodeProblem> {
        let upper = match attributes.text("auto_pad").unwrap_or("NOTSET") {
            "NOTSET" | "" => return self.given_pads(attributes.ints("pads")),
            "VALID" => return Ok(Pads::default()),
            "SAME_UPPER" => true,
            "SAME_LOWER" => false,
            other => return NodeProblem::cannot(format!("its auto_pad is {other}")),
        };
        let around = |axis: usize| {
            let step = stride[axis].max(1);
            let steps = self.size[axis].div_ceil(step).max(1);
            let reach = dilation[axis]
                .saturating_mul(kernel[axis].saturating_sub(1))
                .saturating_add(1);
            let all = (steps - 1)
                .saturating_mul(step)
                .saturating_add(reach)
                .saturating_sub(self.size[axis]);
            match upper {
                true => (all / 2, all.div_ceil(2)),
                false => (all.div_ceil(2), all / 2),
            }
        };
        let ((top, bottom), (left, right)) = (around(0), around(1));
        Ok(Pads {
            top,
            left,
            bottom,
            right,
        })
    }

    fn given_pads(&self, given: Option<&[i64]>) -> Result<Pads, NodeProblem> {
        let given = given.unwrap_or_default();
        let misfit = || NodeProblem::Cannot(format!("its pads are {given:?}"));
        let number = |number: i64| usize::try_from(number).map_err(|_| misfit());
        let [top, left, bottom, right] = match (given, self.axes) {
            ([], _) => [0; 4],
            (&[left, right], Axes::Sequence) => [0, left, 0, right],
            (&[top, left, bottom, right], Axes::Image) => [top, left, bottom, right],
            (&[top, 0, 0, bottom, 0, 0], Axes::FirstOfThree) => [top, 0, bottom, 0],
            _ => return Err(misfit()),
        };
        Ok(Pads {
            top: number(top)?,
            left: number(left)?,
            bottom: number(bottom)?,
            right: number(right)?,
        })
    }
}
