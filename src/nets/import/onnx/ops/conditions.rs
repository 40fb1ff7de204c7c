//! Comparisons, logic, and the choice between values by a condition.

use super::super::call::{ImportValue, OnnxCall};
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::folding::{self, RemainderSign};
use super::shape;
use crate::nets::graph::Op;
use crate::nets::graph::op::Unary;

/// Comparisons and logic on known values. A comparison with a value computed from the images is kept for
/// the `Where` that uses it.
pub fn compare(_: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    if let ("Greater", ImportValue::Node(id), Some(bound)) = (
        call.operator,
        call.input(0)?,
        call.optional(1).and_then(ImportValue::constant),
    ) && let Some(bound) = bound.only()
    {
        return Ok(vec![ImportValue::GreaterThan(*id, bound)]);
    }
    let first = call.known(0, "input")?;
    let known = match call.operator {
        "Not" => folding::not(first)?,
        "Mod" => {
            let sign = match call.attributes.flag("fmod", false) {
                true => RemainderSign::Dividend,
                false => RemainderSign::Divisor,
            };
            folding::modulo(first, call.known(1, "divisor")?, sign)?
        }
        operator => folding::compare(operator, first, call.known(1, "input")?)?,
    };
    Ok(vec![ImportValue::Known(known)])
}

/// Above this, softplus(x) equals x in 32 bits.
const SOFTPLUS_LINEAR: f32 = 15.0;

/// `Where` with a known condition: between known arrays, or between any if the condition is the same
/// everywhere. The result has the common shape of all three inputs, also if only one of them is in it.
pub fn choose(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let (yes, no) = (call.input(1)?, call.input(2)?);
    // PyTorch's softplus: x above a bound, else log(1 + eˣ).
    if let (
        ImportValue::GreaterThan(x, bound),
        ImportValue::Node(yes_id),
        ImportValue::Node(no_id),
    ) = (call.input(0)?, yes, no)
    {
        let softplus = importer.operator_of(&(*no_id).into());
        let softplus = softplus.is_some_and(|(op, inputs)| {
            *op == Op::Unary(Unary::Softplus) && inputs == [(*x).into()]
        });
        if softplus && yes_id == x && *bound >= SOFTPLUS_LINEAR {
            return Ok(vec![no.clone()]);
        }
    }
    let condition = call.known(0, "condition")?;
    if let (Some(yes), Some(no)) = (yes.constant(), no.constant()) {
        return Ok(vec![ImportValue::Known(folding::choose(
            condition, yes, no,
        )?)]);
    }
    let truth = condition
        .ints()
        .filter(|truth| truth.windows(2).all(|pair| pair[0] == pair[1]));
    let Some(truth) = truth else {
        return NodeProblem::cannot("it selects elementwise among values computed from the images");
    };
    let (chosen, other) = match truth.first() {
        Some(0) => (no, yes),
        _ => (yes, no),
    };
    let mut lengths = shape::lengths(importer, chosen)?;
    for input in [other, call.input(0)?] {
        let more = shape::lengths(importer, input)?;
        lengths = shape::together(&lengths, &more, importer.batch)?;
    }
    let value = shape::expanded(importer, &call.name, chosen, &lengths)?;
    Ok(vec![value])
}
