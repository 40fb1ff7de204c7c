//! Convolution and pooling. Those along one axis become two-dimensional ones of one row.

use super::super::attributes::Attributes;
use super::super::call::{Call, Value};
use super::super::error::Problem;
use super::super::importer::Importer;
use super::super::lengths::floats;
use crate::nets::graph::op::{Conv, Divisor, Pads, Reduced, Reduction, Rounding, Window};
use crate::nets::graph::{Dim, Input, Op};
use crate::session::array::Array;

/// `Conv`.
pub fn conv(importer: &mut Importer, call: &Call) -> Result<Vec<Value>, Problem> {
    let weight = call.known(1, "kernel")?;
    let mut kernel = weight.shape().to_vec();
    if kernel.len() < 3 {
        return Problem::cannot(format!("its kernel has the shape {kernel:?}"));
    }
    let flat = Flat::enter(importer, call)?;
    if flat.lifted {
        kernel.insert(2, 1);
    }
    let taps = [kernel[2], kernel[3]];
    let attributes = call.attributes;
    let stride = flat.pair(attributes.ints("strides"), 1)?;
    let dilation = flat.pair(attributes.ints("dilations"), 1)?;
    let pads = flat.pads(attributes, taps, stride, dilation)?;
    let groups = attributes.int("group", 1);
    let conv = Conv {
        stride,
        pads,
        dilation,
        groups: usize::try_from(groups).unwrap_or(0),
    };
    let mut array = floats(weight)?;
    if flat.lifted {
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

/// What a weight of a node is called: as in the file, else by its role.
pub fn weight_name(call: &Call, place: usize, role: &str) -> String {
    match call.optional(place) {
        Some(Value::Weight(name, _)) => name.clone(),
        _ => format!("{}.{role}", call.name),
    }
}

/// `MaxPool`.
pub fn max_pool(importer: &mut Importer, call: &Call) -> Result<Vec<Value>, Problem> {
    if call.outputs.get(1).is_some_and(|name| !name.is_empty()) {
        return Problem::cannot("it gives the places of the greatest numbers too");
    }
    let flat = Flat::enter(importer, call)?;
    let op = Op::MaxPool(flat.window(call.attributes)?);
    let input = flat.input.clone();
    flat.leave(importer, call, op, &[input])
}

/// `AveragePool`.
pub fn average_pool(importer: &mut Importer, call: &Call) -> Result<Vec<Value>, Problem> {
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
pub fn global_pool(importer: &mut Importer, call: &Call) -> Result<Vec<Value>, Problem> {
    let input = importer.operand(call.input(0)?, &call.name)?;
    let rank = importer.dims(call.input(0)?)?.len();
    let op = Op::Reduce {
        reduction: match call.operator {
            "GlobalMaxPool" => Reduction::Max,
            _ => Reduction::Mean,
        },
        axes: (2..rank).collect(),
        axes_after: Reduced::Kept,
    };
    Ok(vec![importer.give(&call.name, op, &[input])?])
}

/// What a node slides over, as images: with one row put in where it has one axis.
struct Flat {
    input: Input,
    lifted: bool,
    size: [usize; 2],
}

impl Flat {
    fn enter(importer: &mut Importer, call: &Call) -> Result<Self, Problem> {
        let value = call.input(0)?;
        let mut dims = importer.dims(value)?;
        let mut input = importer.operand(value, &call.name)?;
        let lifted = dims.len() == 3;
        if lifted {
            dims.insert(2, Dim::fixed(1));
            let shape = dims.clone();
            let name = format!("{}.rows", call.name);
            input = importer
                .emit(&name, Op::Reshape { shape }, &[input])?
                .into();
        }
        let [_, _, height, width] = dims[..] else {
            return Problem::cannot(format!(
                "it works on {} axes; known are images and sequences",
                dims.len()
            ));
        };
        Ok(Self {
            input,
            lifted,
            size: [height.count, width.count],
        })
    }

    /// Adds the operator, and takes the row out again.
    fn leave(
        self,
        importer: &mut Importer,
        call: &Call,
        op: Op,
        inputs: &[Input],
    ) -> Result<Vec<Value>, Problem> {
        let id = importer.emit(&call.name, op, inputs)?;
        if !self.lifted {
            return Ok(vec![Value::Node(id)]);
        }
        let mut shape = importer.graph.shape(id).to_vec();
        shape.remove(2);
        let name = format!("{}.sequence", call.name);
        let value = importer.give(&name, Op::Reshape { shape }, &[id.into()])?;
        Ok(vec![value])
    }

    /// Numbers for rows and columns.
    fn pair(&self, given: Option<&[i64]>, default: usize) -> Result<[usize; 2], Problem> {
        let number = |number: i64| usize::try_from(number).ok();
        let pair = match (given, self.lifted) {
            (None | Some([]), _) => Some([default, default]),
            (Some(&[columns]), true) => number(columns).map(|columns| [default, columns]),
            (Some(&[rows, columns]), false) => number(rows).zip(number(columns)).map(Into::into),
            _ => None,
        };
        pair.ok_or_else(|| Problem::Cannot(format!("its attribute {given:?} does not fit")))
    }

    fn window(&self, attributes: Attributes) -> Result<Window, Problem> {
        let kernel = self.pair(attributes.ints("kernel_shape"), 1)?;
        let stride = self.pair(attributes.ints("strides"), 1)?;
        let dilation = self.pair(attributes.ints("dilations"), 1)?;
        Ok(Window {
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

    /// What is added around, given or computed so that the size is kept.
    fn pads(
        &self,
        attributes: Attributes,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
    ) -> Result<Pads, Problem> {
        let upper = match attributes.text("auto_pad").unwrap_or("NOTSET") {
            "NOTSET" | "" => return self.given_pads(attributes.ints("pads")),
            "VALID" => return Ok(Pads::default()),
            "SAME_UPPER" => true,
            "SAME_LOWER" => false,
            other => return Problem::cannot(format!("its auto_pad is {other}")),
        };
        let around = |axis: usize| {
            let step = stride[axis].max(1);
            let steps = self.size[axis].div_ceil(step).max(1);
            let reach = dilation[axis] * kernel[axis].saturating_sub(1) + 1;
            let all = ((steps - 1) * step + reach).saturating_sub(self.size[axis]);
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

    fn given_pads(&self, given: Option<&[i64]>) -> Result<Pads, Problem> {
        let number = |number: i64| {
            usize::try_from(number).map_err(|_| Problem::Cannot(format!("its pads are {given:?}")))
        };
        let [top, left, bottom, right] = match (given, self.lifted) {
            (None | Some([]), _) => [0; 4],
            (Some(&[left, right]), true) => [0, left, 0, right],
            (Some(&[top, left, bottom, right]), false) => [top, left, bottom, right],
            _ => return Problem::cannot(format!("its pads are {given:?}")),
        };
        Ok(Pads {
            top: number(top)?,
            left: number(left)?,
            bottom: number(bottom)?,
            right: number(right)?,
        })
    }
}
