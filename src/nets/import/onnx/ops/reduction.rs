//! Operators over whole axes: reductions and softmax.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::Constant;
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::{axes, axis, count};
use super::{folding, shape};
use crate::nets::graph::op::{Binary, ReducedAxes, Reduction, Unary};
use crate::nets::graph::{Dim, Op};

/// The reductions. Their axes are an attribute or, in newer files, an input.
pub fn reduce(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let rank = importer.dims(value)?.len();
    let keep = call.attributes.flag("keepdims", true);
    let Some(axes) = reduced_axes(call, rank)? else {
        return each_alone(importer, call);
    };
    if let Some(constant) = value.constant().filter(|_| axes.len() == rank)
        && let Some(number) = folding::reduce(call.operator, constant)
    {
        let number = Constant::scalar(number);
        let ones = vec![1; if keep { rank } else { 0 }];
        return Ok(vec![ImportValue::Known(number.reshaped(&ones))]);
    }
    let reduction = match call.operator {
        "ReduceMean" => Reduction::Mean,
        "ReduceSum" | "ReduceSumSquare" | "ReduceLogSumExp" => Reduction::Sum,
        "ReduceMax" => Reduction::Max,
        "ReduceMin" => Reduction::Min,
        other => {
            return NodeProblem::cannot(format!(
                "{other} of values computed from the images is not supported"
            ));
        }
    };
    let part = |role: &str| format!("{}.{role}", call.name);
    let mut input = importer.operand(value, &call.name)?;
    if call.operator == "ReduceSumSquare" {
        let twice = [input.clone(), input];
        let op = Op::Binary(Binary::Mul);
        input = importer.emit(&part("square"), op, &twice)?.into();
    }
    let after = match keep {
        true => ReducedAxes::Kept,
        false => ReducedAxes::Dropped,
    };
    let over = |reduction, axes_after| Op::Reduce {
        reduction,
        axes: axes.clone(),
        axes_after,
    };
    if call.operator == "ReduceLogSumExp" {
        // The greatest is subtracted before and added after: exponentials do not overflow.
        let most = over(Reduction::Max, ReducedAxes::Kept);
        let most = importer.emit(&part("max"), most, std::slice::from_ref(&input))?;
        let added = over(Reduction::Max, after);
        let added = importer.emit(&part("max"), added, std::slice::from_ref(&input))?;
        let below = [input, most.into()];
        let below = importer.emit(&part("below"), Op::Binary(Binary::Sub), &below)?;
        let each = importer.emit(&part("exp"), Op::Unary(Unary::Exp), &[below.into()])?;
        let sum = importer.emit(&call.name, over(Reduction::Sum, after), &[each.into()])?;
        let log = importer.emit(&part("log"), Op::Unary(Unary::Log), &[sum.into()])?;
        let both = [log.into(), added.into()];
        let value = importer.emit_value(&part("whole"), Op::Binary(Binary::Add), &both)?;
        return Ok(vec![value]);
    }
    let reduced = importer.emit(&call.name, over(reduction, after), &[input])?;
    Ok(vec![ImportValue::Node(reduced)])
}

/// The axes of a reduction: all if it names none, or `None` if each value then stays alone.
pub fn reduced_axes(call: &OnnxCall, rank: usize) -> Result<Option<Vec<usize>>, NodeProblem> {
    match call.ints(1, "axes")?.as_deref() {
        None | Some([]) => {
            let none = call.attributes.flag("noop_with_empty_axes", false);
            Ok((!none).then(|| (0..rank).collect()))
        }
        Some(given) => axes(given, rank).map(Some),
    }
}

/// A reduction of each value alone: its magnitude, its square, or the value itself.
pub fn each_alone(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let input = match call.operator {
        "ReduceL1" | "ReduceL2" | "ReduceSumSquare" => importer.operand(value, &call.name)?,
        _ => return Ok(vec![value.clone()]),
    };
    let (op, inputs) = match call.operator {
        "ReduceSumSquare" => (Op::Binary(Binary::Mul), vec![input.clone(), input]),
        _ => (Op::Unary(Unary::Abs), vec![input]),
    };
    Ok(vec![importer.emit_value(&call.name, op, &inputs)?])
}

/// `Softmax` and `LogSoftmax`. Before version 13 they treat all axes from theirs on as one. One that gives
/// the network's output over all classes is removed: logits are needed.
pub fn softmax(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let dims = importer.dims(value)?;
    let old = call.opset < 13;
    let default = if old { 1 } else { -1 };
    let axis = axis(call.attributes.int("axis", default), dims.len())?;
    let image: usize = dims.iter().map(|dim| dim.count).product();
    let along: usize = match old {
        true => dims[axis..].iter().map(|dim| dim.count).product(),
        false => dims[axis].count,
    };
    if call.is_final_softmax && along == image && !dims[axis].batched {
        let operator = call.operator.to_lowercase();
        let note = format!(
            "the {operator} at the end, `{}`, is removed: logits are needed",
            call.name
        );
        importer.notes.push(note);
        return Ok(vec![value.clone()]);
    }
    let op = |axis| match call.operator {
        "LogSoftmax" => Op::LogSoftmax { axis },
        _ => Op::Softmax { axis },
    };
    let alone = |dims: &[Dim]| dims.iter().all(|&dim| dim == Dim::fixed(1));
    if !old || alone(&dims[axis + 1..]) {
        let input = importer.operand(value, &call.name)?;
        return Ok(vec![importer.emit_value(&call.name, op(axis), &[input])?]);
    }
    let from: Vec<SymbolicInt> = dims.iter().copied().map(count).collect();
    let joined = SymbolicInt::product(&from[axis..]);
    let words = "its axes cannot be merged";
    let joined = joined.ok_or(NodeProblem::Cannot(words.into()))?;
    let wide = [&from[..axis], &[joined]].concat();
    let wide = shape::reshaped(importer, &format!("{}.joined", call.name), value, &wide)?;
    let input = importer.operand(&wide, &call.name)?;
    let value = importer.emit_value(&call.name, op(axis), &[input])?;
    let apart = format!("{}.apart", call.name);
    Ok(vec![shape::reshaped(importer, &apart, &value, &from)?])
}
