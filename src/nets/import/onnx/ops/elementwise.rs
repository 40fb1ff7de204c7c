//! Elementwise operators of one input, and of two with broadcasting.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::Constant;
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::{axis, count};
use super::super::strided_indices::StridedIndices;
use super::{casting, folding, fusing, shape};
use crate::nets::graph::op::{Binary, Unary};
use crate::nets::graph::{Dim, NodeInput, Op};

/// Operators that return their input unchanged: `Identity`, `Dropout`.
pub fn unchanged(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    if call.outputs.get(1).is_some_and(|name| !name.is_empty()) {
        return NodeProblem::cannot("its mask is used");
    }
    // A dropout's third input says whether the network is being trained.
    let trained = call
        .optional(2)
        .map(|mode| mode.constant().and_then(Constant::only));
    if trained.is_some_and(|mode| mode != Some(0.0)) {
        let note = "it was exported as in training, when its dropout discards values at random; here it discards none";
        if !importer.notes.iter().any(|other| other == note) {
            importer.notes.push(note.to_owned());
        }
    }
    Ok(vec![call.input(0)?.clone()])
}

/// `Constant`.
pub fn constant(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    use crate::session::array::Array;
    let attributes = call.attributes;
    let constant = if let Some(tensor) = attributes.tensor("value") {
        importer.array(tensor)?
    } else if attributes.has("value_float") {
        Constant::float(attributes.float("value_float", 0.0))
    } else if attributes.has("value_int") {
        Constant::scalar(SymbolicInt::fixed(attributes.int("value_int", 0)))
    } else if let Some(numbers) = attributes.floats("value_floats") {
        Constant::Floats(Array::new(&[numbers.len()], numbers.to_vec()))
    } else if let Some(numbers) = attributes.ints("value_ints") {
        Constant::list(numbers.iter().copied().map(SymbolicInt::fixed).collect())
    } else {
        return NodeProblem::cannot("it holds strings or a sparse array");
    };
    Ok(vec![ImportValue::Known(constant)])
}

/// The elementwise function of an operator with one input.
fn function(call: &OnnxCall) -> Result<Unary, NodeProblem> {
    let float = |name, default| f64::from(call.attributes.float(name, default));
    Ok(match call.operator {
        "Relu" => Unary::Relu,
        "LeakyRelu" => Unary::LeakyRelu {
            slope: float("alpha", 0.01),
        },
        "Elu" => Unary::Elu {
            alpha: float("alpha", 1.0),
        },
        "Selu" => Unary::Selu {
            alpha: float("alpha", 1.673_263_2),
            gamma: float("gamma", 1.050_701),
        },
        "Celu" => Unary::Celu {
            alpha: float("alpha", 1.0),
        },
        "Sigmoid" => Unary::Sigmoid,
        "Tanh" => Unary::Tanh,
        "HardSigmoid" => Unary::HardSigmoid {
            alpha: float("alpha", 0.2),
            beta: float("beta", 0.5),
        },
        "HardSwish" => Unary::HardSwish,
        "Gelu" => match call.attributes.text("approximate") {
            Some("tanh") => Unary::GeluTanh,
            _ => Unary::Gelu,
        },
        "Swish" if (float("alpha", 1.0) - 1.0).abs() < f64::EPSILON => Unary::Silu,
        "Mish" => Unary::Mish,
        "Softplus" => Unary::Softplus,
        "Softsign" => Unary::Softsign,
        "Erf" => Unary::Erf,
        "Exp" => Unary::Exp,
        "Log" => Unary::Log,
        "Sqrt" => Unary::Sqrt,
        "Neg" => Unary::Neg,
        "Abs" => Unary::Abs,
        "Reciprocal" => Unary::Reciprocal,
        "Floor" => Unary::Floor,
        "Ceil" => Unary::Ceil,
        "Round" => Unary::Round,
        "Sign" => Unary::Sign,
        "Sin" | "Cos" => {
            return NodeProblem::cannot(
                "its input is computed from the images; only arrays are supported",
            );
        }
        other => {
            return NodeProblem::cannot(format!("{other} with these attributes is not supported"));
        }
    })
}

/// Elementwise operators of one input.
pub fn unary(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    if let Some(known) = value
        .constant()
        .and_then(|constant| folding::unary(call.operator, constant))
    {
        return Ok(vec![ImportValue::Known(known)]);
    }
    let function = function(call)?;
    let input = importer.operand(value, &call.name)?;
    Ok(vec![importer.emit_value(
        &call.name,
        Op::Unary(function),
        &[input],
    )?])
}

/// `PRelu`. Before version 7 it has a slope for each channel, whatever axes follow.
pub fn parametric_relu(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let input = importer.operand(call.input(0)?, &call.name)?;
    let mut slope = call.input(1)?.clone();
    let axes = importer.dims(call.input(0)?)?.len();
    if call.opset < 7 && importer.dims(&slope)?.len() == 1 {
        slope = with_axes_behind(importer, call, &slope, axes.saturating_sub(2))?;
    }
    let slope = importer.operand(&slope, &format!("{}.slope", call.name))?;
    Ok(vec![importer.emit_value(
        &call.name,
        Op::PRelu,
        &[input, slope],
    )?])
}

/// `Clip`; its bounds were attributes in older files. If they are exchanged, every value becomes the upper one.
pub fn clip(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let given = |place, name: &str| -> Result<Option<f32>, NodeProblem> {
        if call.attributes.has(name) {
            return Ok(Some(call.attributes.float(name, 0.0)));
        }
        if call.optional(place).is_none() {
            return Ok(None);
        }
        let words = || NodeProblem::Cannot(format!("its {name} is not a single number"));
        call.known(place, name)?.only().ok_or_else(words).map(Some)
    };
    let bound = |place, name: &str, none: f64| -> Result<f64, NodeProblem> {
        let number = given(place, name)?.filter(|number| !number.is_nan());
        Ok(number.map_or(none, f64::from))
    };
    let (min, max) = (
        bound(1, "min", f64::NEG_INFINITY)?,
        bound(2, "max", f64::INFINITY)?,
    );
    let min = min.min(max);
    let input = importer.operand(call.input(0)?, &call.name)?;
    // PyTorch exports ReLU6 and similar functions as `Clip`.
    let function = match (min, max) {
        (0.0, f64::INFINITY) => Unary::Relu,
        _ => Unary::Clip { min, max },
    };
    Ok(vec![importer.emit_value(
        &call.name,
        Op::Unary(function),
        &[input],
    )?])
}

/// Elementwise operators of two inputs, and those of any number: `Sum`, `Max`, `Min`, `Mean`.
pub fn binary(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let function = match call.operator {
        "Add" | "Sum" | "Mean" => Binary::Add,
        "Sub" => Binary::Sub,
        "Mul" => Binary::Mul,
        "Div" => Binary::Div,
        "Pow" => Binary::Pow,
        "Max" => Binary::Max,
        "Min" => Binary::Min,
        other => return NodeProblem::cannot(format!("{other} is not supported")),
    };
    let mut values = call.inputs.iter().flatten();
    let mut result = call.input(0)?.clone();
    values.next();
    for value in values {
        let aligned = begun_at_axis(importer, call, &result, value)?;
        let value = aligned.as_ref().unwrap_or(value);
        result = of_two(importer, call, function, &result, value)?;
    }
    // Integers are divided towards zero.
    if let ("Div", true, ImportValue::Node(id)) = (call.operator, call.is_whole(0), &result) {
        let quotient: NodeInput = (*id).into();
        if matches!(
            importer.operator_of(&quotient),
            Some((Op::Binary(Binary::Div), _))
        ) {
            return Ok(vec![casting::truncated(importer, &call.name, &quotient)?]);
        }
    }
    if call.operator == "Mean" {
        #[allow(clippy::cast_precision_loss)]
        let count = ImportValue::Known(Constant::float(call.inputs.len() as f32));
        result = of_two(importer, call, Binary::Div, &result, &count)?;
    }
    Ok(vec![result])
}

/// The second input of an operator before version 7, if its attribute `axis` names the axis of the first that it begins
/// at; without that it ends where the first one does.
fn begun_at_axis(
    importer: &mut Importer,
    call: &OnnxCall,
    first: &ImportValue,
    second: &ImportValue,
) -> Result<Option<ImportValue>, NodeProblem> {
    if call.opset >= 7 || !call.attributes.has("axis") {
        return Ok(None);
    }
    let (axes, lengths) = (importer.dims(first)?.len(), importer.dims(second)?);
    if lengths.iter().all(|&length| length == Dim::fixed(1)) {
        return Ok(None);
    }
    let ends = axis(call.attributes.int("axis", 0), axes)? + lengths.len();
    with_axes_behind(importer, call, second, axes.saturating_sub(ends)).map(Some)
}

/// An input with this many axes of length one after its others.
fn with_axes_behind(
    importer: &mut Importer,
    call: &OnnxCall,
    value: &ImportValue,
    behind: usize,
) -> Result<ImportValue, NodeProblem> {
    let lengths = importer.dims(value)?.into_iter().map(count);
    let ones = std::iter::repeat_n(SymbolicInt::fixed(1), behind);
    let all: Vec<SymbolicInt> = lengths.chain(ones).collect();
    shape::reshaped(importer, &format!("{}.aligned", call.name), value, &all)
}

fn of_two(
    importer: &mut Importer,
    call: &OnnxCall,
    function: Binary,
    a: &ImportValue,
    b: &ImportValue,
) -> Result<ImportValue, NodeProblem> {
    if let (Some(a), Some(b)) = (a.constant(), b.constant()) {
        return Ok(ImportValue::Known(folding::binary(function, a, b)?));
    }
    match (function, a, b) {
        (Binary::Add, ImportValue::Places(_), _) | (Binary::Add, _, ImportValue::Places(_)) => {
            return Ok(ImportValue::Places(StridedIndices::plus(
                a.places(),
                b.places(),
            )?));
        }
        (
            Binary::Mul,
            ImportValue::Places(places),
            ImportValue::Known(factor) | ImportValue::Weight(_, factor),
        )
        | (
            Binary::Mul,
            ImportValue::Known(factor) | ImportValue::Weight(_, factor),
            ImportValue::Places(places),
        ) => {
            return Ok(ImportValue::Places(places.times(factor)?));
        }
        _ => {}
    }
    if let Some(same) = without_effect(importer, function, a, b)? {
        return Ok(same);
    }
    let (left, right) = (
        importer.operand(a, &call.name)?,
        importer.operand(b, &call.name)?,
    );
    let power = b.constant().and_then(Constant::only);
    if function == Binary::Pow && power == Some(0.5) {
        return importer.emit_value(&call.name, Op::Unary(Unary::Sqrt), &[left]);
    }
    if function == Binary::Pow && power == Some(2.0) {
        let twice = [left.clone(), left];
        return importer.emit_value(&call.name, Op::Binary(Binary::Mul), &twice);
    }
    if let Some((op, inputs)) = fusing::fused(importer, function, &left, &right) {
        return importer.emit_value(&call.name, op, &inputs);
    }
    importer.emit_value(&call.name, Op::Binary(function), &[left, right])
}

/// x for x·1, x/1, x¹, x + 0 and x − 0, if that keeps the shape.
fn without_effect(
    importer: &Importer,
    function: Binary,
    a: &ImportValue,
    b: &ImportValue,
) -> Result<Option<ImportValue>, NodeProblem> {
    let neutral = match function {
        Binary::Mul | Binary::Div | Binary::Pow => 1.0,
        Binary::Add | Binary::Sub => 0.0,
        Binary::Max | Binary::Min => return Ok(None),
    };
    let is_one_number =
        |value: &ImportValue| value.constant().and_then(Constant::only) == Some(neutral);
    let rank = |value: &ImportValue| importer.dims(value).map(|dims| dims.len());
    if is_one_number(b) && rank(b)? <= rank(a)? {
        return Ok(Some(a.clone()));
    }
    let symmetric = matches!(function, Binary::Mul | Binary::Add);
    Ok((symmetric && is_one_number(a) && rank(a)? <= rank(b)?).then(|| b.clone()))
}
