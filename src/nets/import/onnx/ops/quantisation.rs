//! Quantisation: `QuantizeLinear` rounds reals to integers, `DequantizeLinear` makes reals of them. Those of weights are
//! computed at import; those of activations in 32-bit floats, which hold the integers exactly.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::Constant;
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::file::type_name;
use super::super::importer::Importer;
use super::super::lengths::{axis, floats};
use super::super::types;
use crate::nets::graph::op::{Binary, Unary};
use crate::nets::graph::{NodeInput, Op};
use crate::session::array::Array;

/// The numbers of a node for each index along an axis, or one for all.
struct Scaling {
    /// Reals per step.
    scales: Vec<f32>,
    /// The integers that stand for zero.
    zeros: Vec<f32>,
    /// The axis, if there are several.
    axis: Option<usize>,
}

impl Scaling {
    /// The second and third input of a node, whose first one has axes of these lengths.
    fn of(call: &OnnxCall, shape: &[usize]) -> Result<Self, NodeProblem> {
        if call.attributes.int("block_size", 0) != 0 {
            return NodeProblem::cannot("it has a scale for every block of values");
        }
        let scales = floats(call.known(1, "scale")?)?.values().to_vec();
        let zeros = match call.optional(2) {
            Some(_) => floats(call.known(2, "zero point")?)?.values().to_vec(),
            None => vec![0.0; scales.len()],
        };
        let axis = match scales.len() {
            1 => None,
            _ => Some(axis(call.attributes.int("axis", 1), shape.len())?),
        };
        let length = axis.map_or(1, |axis| shape[axis]);
        if scales.len() != length || zeros.len() != length {
            return NodeProblem::cannot(format!(
                "it has {} scales and {} zero points for {length} values",
                scales.len(),
                zeros.len()
            ));
        }
        Ok(Self {
            scales,
            zeros,
            axis,
        })
    }

    /// An array, computed from each of its elements with its scale and zero point.
    fn map(&self, array: &Array<f32>, function: impl Fn(f32, f32, f32) -> f32) -> Vec<f32> {
        let shape = array.shape();
        let inner = match self.axis {
            Some(axis) => shape[axis + 1..].iter().product::<usize>(),
            None => array.values().len(),
        };
        let each = array.values().iter().enumerate();
        each.map(|(place, &value)| {
            let index = place / inner % self.scales.len();
            function(value, self.scales[index], self.zeros[index])
        })
        .collect()
    }

    /// Numbers as a weight that broadcasts along their axis of a value with `rank` axes.
    fn weight(
        &self,
        importer: &mut Importer,
        name: &str,
        numbers: &[f32],
        rank: usize,
    ) -> Result<NodeInput, NodeProblem> {
        let behind = self.axis.map_or(0, |axis| rank - axis - 1);
        let shape = match self.axis {
            Some(_) => [vec![numbers.len()], vec![1; behind]].concat(),
            None => Vec::new(),
        };
        importer.weight(name, &Array::new(&shape, numbers.to_vec()))
    }
}

/// The array with these values; it keeps its name, without the ending that ONNX Runtime gives it.
fn named(value: &ImportValue, constant: Constant) -> ImportValue {
    match value {
        ImportValue::Weight(name, _) => {
            let plain = name.strip_suffix("_quantized").unwrap_or(name);
            ImportValue::Weight(plain.to_owned(), constant)
        }
        _ => ImportValue::Known(constant),
    }
}

fn lengths(importer: &Importer, value: &ImportValue) -> Result<Vec<usize>, NodeProblem> {
    Ok(importer.dims(value)?.iter().map(|dim| dim.count).collect())
}

/// `QuantizeLinear`.
pub fn quantize(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let shape = lengths(importer, value)?;
    let scaling = Scaling::of(call, &shape)?;
    let code = types::of_outputs(call.operator, call.attributes, &call.types);
    let (least, most) = match code {
        types::UINT8 => (0.0, 255.0),
        types::INT8 => (-128.0, 127.0),
        types::UINT16 => (0.0, 65_535.0),
        types::INT16 => (-32_768.0, 32_767.0),
        other => {
            let words = format!("it quantises to the type {}", type_name(other));
            return NodeProblem::cannot(words);
        }
    };
    if let Some(constant) = value.constant() {
        let steps = scaling.map(&floats(constant)?, |value, scale, zero| {
            ((value / scale).round_ties_even() + zero).clamp(least, most)
        });
        let values = steps.iter().map(|&step| SymbolicInt::fixed(step as i64));
        let values = values.collect();
        return Ok(vec![named(value, Constant::Ints { shape, values })]);
    }
    let note = "it is quantised: its activations are rounded as the file says, and their gradients are zero";
    if !importer.notes.iter().any(|other| other == note) {
        importer.notes.push(note.to_owned());
    }
    let Some((first, rest)) = scaling.zeros.split_first() else {
        return NodeProblem::cannot("it has no scale");
    };
    if rest.iter().any(|zero| zero != first) {
        return NodeProblem::cannot("its zero points differ along an axis of the activations");
    }
    let part = |role: &str| format!("{}.{role}", call.name);
    let input = importer.operand(value, &call.name)?;
    let scales = scaling.weight(importer, &part("scale"), &scaling.scales, shape.len())?;
    let steps = [input, scales];
    let steps = importer.emit(&part("steps"), Op::Binary(Binary::Div), &steps)?;
    let rounded = importer.emit(&part("rounded"), Op::Unary(Unary::Round), &[steps.into()])?;
    let clip = Unary::Clip {
        min: f64::from(least - first),
        max: f64::from(most - first),
    };
    let clipped = importer.emit(&part("clipped"), Op::Unary(clip), &[rounded.into()])?;
    if *first == 0.0 {
        return Ok(vec![ImportValue::Node(clipped)]);
    }
    let zero = importer.weight(&part("zero_point"), &Array::new(&[], vec![*first]))?;
    let op = Op::Binary(Binary::Add);
    let value = importer.emit_value(&call.name, op, &[clipped.into(), zero])?;
    Ok(vec![value])
}

/// `DequantizeLinear`.
pub fn dequantize(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let shape = lengths(importer, value)?;
    let scaling = Scaling::of(call, &shape)?;
    if let Some(constant) = value.constant() {
        let reals = scaling.map(&floats(constant)?, |value, scale, zero| {
            (value - zero) * scale
        });
        let reals = Array::new(&shape, reals);
        return Ok(vec![named(value, Constant::Floats(reals))]);
    }
    let part = |role: &str| format!("{}.{role}", call.name);
    let input = importer.operand(value, &call.name)?;
    let rank = shape.len();
    let from_zero = match before_zero_point(importer, &input, &scaling) {
        Some(before) => before,
        None => {
            let zeros = scaling.weight(importer, &part("zero_point"), &scaling.zeros, rank)?;
            let op = Op::Binary(Binary::Sub);
            importer
                .emit(&part("from_zero"), op, &[input, zeros])?
                .into()
        }
    };
    let scales = scaling.weight(importer, &part("scale"), &scaling.scales, rank)?;
    let op = Op::Binary(Binary::Mul);
    Ok(vec![importer.emit_value(
        &call.name,
        op,
        &[from_zero, scales],
    )?])
}

/// The steps from zero: the input itself if that is zero, or what the zero point was added to.
fn before_zero_point(
    importer: &Importer,
    input: &NodeInput,
    scaling: &Scaling,
) -> Option<NodeInput> {
    let (first, rest) = scaling.zeros.split_first()?;
    if rest.iter().any(|zero| zero != first) {
        return None;
    }
    if *first == 0.0 {
        return Some(input.clone());
    }
    match importer.operator_of(input)? {
        (Op::Binary(Binary::Add), [before, NodeInput::Weight(name)]) => {
            let added = importer.graph.weight_values(name)?.values();
            (added == [*first]).then(|| before.clone())
        }
        _ => None,
    }
}
