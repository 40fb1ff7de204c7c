//! Normalisations: batch, layer, group, instance, local response, and by vector norm.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::{Constant, broadcast};
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::{axis, floats};
use super::convolution::weight_name;
use super::reduction::{each_alone, reduced_axes};
use crate::nets::graph::op::{Binary, ReducedAxes, Reduction, Unary};
use crate::nets::graph::{NodeInput, Op};
use crate::session::array::Array;

/// `BatchNormalization`. Before version 14 it has more than one output in training, and only then.
pub fn batch(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let attributes = call.attributes;
    let by_outputs = call.opset < 14 && call.declared > 1 && !attributes.flag("is_test", false);
    if attributes.flag("training_mode", false) || by_outputs {
        if let Some(x) = call.input(0)?.constant() {
            return of_weights(call, &floats(x)?);
        }
        return NodeProblem::cannot(
            "it uses the statistics of the current batch, as in training; export the network after model.eval()",
        );
    }
    if !call.attributes.flag("spatial", true) {
        return NodeProblem::cannot("it has statistics for every position (spatial = 0)");
    }
    let mut inputs = vec![importer.operand(call.input(0)?, &call.name)?];
    let roles = ["weight", "bias", "running_mean", "running_var"];
    for (place, role) in (1..).zip(roles) {
        let numbers = floats(call.known(place, role)?)?;
        inputs.push(importer.weight(&weight_name(call, place, role), &numbers)?);
    }
    let epsilon = f64::from(call.attributes.float("epsilon", 1e-5));
    let value = importer.emit_value(&call.name, Op::BatchNorm { epsilon }, &inputs)?;
    Ok(vec![value])
}

/// Weights \[N,C,…\] standardized by channel, then scaled and shifted: weight standardization, which is exported as a
/// normalisation in training.
fn of_weights(call: &OnnxCall, x: &Array<f32>) -> Result<Vec<ImportValue>, NodeProblem> {
    if call.outputs.iter().skip(1).any(|name| !name.is_empty()) {
        return NodeProblem::cannot("its output of statistics is used");
    }
    let scale = floats(call.known(1, "weight")?)?;
    let bias = floats(call.known(2, "bias")?)?;
    let (rows, channels, area) = match x.shape() {
        [rows, channels, rest @ ..] => (*rows, *channels, rest.iter().product::<usize>()),
        shape => return NodeProblem::cannot(format!("its input has the shape {shape:?}")),
    };
    if [scale.shape(), bias.shape()] != [&[channels][..]; 2] {
        return NodeProblem::cannot(format!("its weights do not fit {channels} channels"));
    }
    let epsilon = f64::from(call.attributes.float("epsilon", 1e-5));
    let mut values = x.values().to_vec();
    let parameters = scale.values().iter().zip(bias.values()).enumerate();
    for (channel, (&scale, &bias)) in parameters {
        let runs = (0..rows).map(|row| (row * channels + channel) * area);
        let places: Vec<usize> = runs.flat_map(|start| start..start + area).collect();
        let count = places.len() as f64;
        let sum = places.iter().map(|&place| f64::from(values[place]));
        let mean = sum.sum::<f64>() / count;
        let squares = places
            .iter()
            .map(|&place| (f64::from(values[place]) - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count + epsilon).sqrt();
        for place in places {
            let unit = (f64::from(values[place]) - mean) / deviation;
            values[place] = (unit * f64::from(scale) + f64::from(bias)) as f32;
        }
    }
    let standardized = Array::new(x.shape(), values);
    Ok(vec![ImportValue::Known(Constant::Floats(standardized))])
}

/// `LayerNormalization`.
pub fn layer(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    if call.outputs.iter().skip(1).any(|name| !name.is_empty()) {
        return NodeProblem::cannot("its output of means or deviations is used");
    }
    let dims = importer.dims(call.input(0)?)?;
    let axis = axis(call.attributes.int("axis", -1), dims.len())?;
    let lengths: Vec<usize> = dims[axis..].iter().map(|dim| dim.count).collect();
    let mut inputs = vec![importer.operand(call.input(0)?, &call.name)?];
    for (place, role) in [(1, "weight"), (2, "bias")] {
        if call.optional(place).is_some() {
            let numbers = spread(call.known(place, role)?, &lengths)?;
            inputs.push(importer.weight(&weight_name(call, place, role), &numbers)?);
        }
    }
    let epsilon = f64::from(call.attributes.float("epsilon", 1e-5));
    let op = Op::LayerNorm { axis, epsilon };
    Ok(vec![importer.emit_value(&call.name, op, &inputs)?])
}

/// A constant broadcast to a shape.
fn spread(constant: &Constant, shape: &[usize]) -> Result<Array<f32>, NodeProblem> {
    if broadcast(constant.shape(), shape).as_deref() != Some(shape) {
        let found = constant.shape();
        return NodeProblem::cannot(format!("its weights {found:?} do not fit {shape:?}"));
    }
    floats(&constant.broadcast_to(shape))
}

/// `GroupNormalization`. Before version 21 its scale is per group, since then per channel.
pub fn group(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let dims = importer.dims(call.input(0)?)?;
    let channels = dims.get(1).map_or(0, |dim| dim.count);
    let groups = usize::try_from(call.attributes.int("num_groups", 1)).unwrap_or(0);
    if groups == 0 || !channels.is_multiple_of(groups) {
        return NodeProblem::cannot(format!(
            "{channels} channels cannot be split into {groups} groups"
        ));
    }
    let mut inputs = vec![importer.operand(call.input(0)?, &call.name)?];
    for (place, role) in [(1, "weight"), (2, "bias")] {
        let mut numbers = floats(call.known(place, role)?)?;
        if numbers.shape() == [groups] && groups != channels {
            let each = numbers
                .values()
                .iter()
                .flat_map(|&number| std::iter::repeat_n(number, channels / groups));
            numbers = Array::new(&[channels], each.collect());
        }
        inputs.push(importer.weight(&weight_name(call, place, role), &numbers)?);
    }
    let epsilon = f64::from(call.attributes.float("epsilon", 1e-5));
    let op = Op::GroupNorm { groups, epsilon };
    Ok(vec![importer.emit_value(&call.name, op, &inputs)?])
}

/// `InstanceNormalization`.
pub fn instance(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let mut inputs = vec![importer.operand(call.input(0)?, &call.name)?];
    for (place, role) in [(1, "weight"), (2, "bias")] {
        let numbers = floats(call.known(place, role)?)?;
        inputs.push(importer.weight(&weight_name(call, place, role), &numbers)?);
    }
    let epsilon = f64::from(call.attributes.float("epsilon", 1e-5));
    let value = importer.emit_value(&call.name, Op::InstanceNorm { epsilon }, &inputs)?;
    Ok(vec![value])
}

/// `LRN`.
pub fn local_response(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let input = importer.operand(call.input(0)?, &call.name)?;
    let size = call.attributes.int("size", 1);
    let op = Op::Lrn {
        size: usize::try_from(size).unwrap_or(1),
        alpha: f64::from(call.attributes.float("alpha", 1e-4)),
        beta: f64::from(call.attributes.float("beta", 0.75)),
        bias: f64::from(call.attributes.float("bias", 1.0)),
    };
    Ok(vec![importer.emit_value(&call.name, op, &[input])?])
}

/// `LpNormalization`: division by the vector norm along an axis. As in ONNX Runtime, zeros stay zeros.
pub fn length(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let rank = importer.dims(call.input(0)?)?.len();
    let axis = axis(call.attributes.int("axis", -1), rank)?;
    let input = importer.operand(call.input(0)?, &call.name)?;
    let length = norm(
        importer,
        call,
        &input,
        call.attributes.int("p", 2),
        &[axis],
        ReducedAxes::Kept,
        Some(f64::from(f32::MIN_POSITIVE)),
    )?;
    let op = Op::Binary(Binary::Div);
    Ok(vec![importer.emit_value(
        &call.name,
        op,
        &[input, length],
    )?])
}

/// `RMSNormalization`: division by the root mean square, then a scale.
pub fn root_mean_square(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let rank = importer.dims(call.input(0)?)?.len();
    let first = axis(call.attributes.int("axis", -1), rank)?;
    let input = importer.operand(call.input(0)?, &call.name)?;
    let part = |role: &str| format!("{}.{role}", call.name);
    let epsilon = call.attributes.float("epsilon", 1e-5);
    let epsilon = importer.weight(&part("epsilon"), &Array::new(&[], vec![epsilon]))?;
    let squares = [input.clone(), input.clone()];
    let squares = importer.emit(&part("square"), Op::Binary(Binary::Mul), &squares)?;
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: (first..rank).collect(),
        axes_after: ReducedAxes::Kept,
    };
    let mean = importer.emit(&part("mean"), mean, &[squares.into()])?;
    let mean = importer.emit(
        &part("mean"),
        Op::Binary(Binary::Add),
        &[mean.into(), epsilon],
    )?;
    let root = importer.emit(&part("root"), Op::Unary(Unary::Sqrt), &[mean.into()])?;
    let unit = importer.emit(
        &part("unit"),
        Op::Binary(Binary::Div),
        &[input, root.into()],
    )?;
    let scale = importer.operand(call.input(1)?, &call.name)?;
    let op = Op::Binary(Binary::Mul);
    Ok(vec![importer.emit_value(
        &call.name,
        op,
        &[unit.into(), scale],
    )?])
}

/// `ReduceL1` and `ReduceL2`; their axes are given as in other reductions.
pub fn reduced_norm(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let rank = importer.dims(call.input(0)?)?.len();
    let Some(axes) = reduced_axes(call, rank)? else {
        return each_alone(importer, call);
    };
    let input = importer.operand(call.input(0)?, &call.name)?;
    let after = match call.attributes.flag("keepdims", true) {
        true => ReducedAxes::Kept,
        false => ReducedAxes::Dropped,
    };
    let power = if call.operator == "ReduceL1" { 1 } else { 2 };
    let NodeInput::Node(id) = norm(importer, call, &input, power, &axes, after, None)? else {
        return NodeProblem::cannot("it works on weights only");
    };
    Ok(vec![ImportValue::Node(id)])
}

/// The norm of vectors along axes: Σ|x| or √Σx², with a sum of at least `least`.
fn norm(
    importer: &mut Importer,
    call: &OnnxCall,
    input: &NodeInput,
    power: i64,
    axes: &[usize],
    axes_after: ReducedAxes,
    least: Option<f64>,
) -> Result<NodeInput, NodeProblem> {
    let part = |role: &str| format!("{}.{role}", call.name);
    let each = match power {
        1 => importer.emit(
            &part("absolute"),
            Op::Unary(Unary::Abs),
            std::slice::from_ref(input),
        )?,
        2 => importer.emit(
            &part("square"),
            Op::Binary(Binary::Mul),
            &[input.clone(), input.clone()],
        )?,
        other => {
            return NodeProblem::cannot(format!(
                "its norm has the power {other}; only 1 and 2 are supported"
            ));
        }
    };
    let sum = Op::Reduce {
        reduction: Reduction::Sum,
        axes: axes.to_vec(),
        axes_after,
    };
    let mut sum = importer.emit(&part("sum"), sum, &[each.into()])?;
    if let Some(min) = least {
        let max = f64::INFINITY;
        let op = Op::Unary(Unary::Clip { min, max });
        sum = importer.emit(&part("least"), op, &[sum.into()])?;
    }
    match power {
        1 => Ok(sum.into()),
        _ => Ok(importer
            .emit(&part("length"), Op::Unary(Unary::Sqrt), &[sum.into()])?
            .into()),
    }
}
