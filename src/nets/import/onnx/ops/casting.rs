//! Conversions of number types. Values computed from the images are always 32-bit floats.

use std::slice::from_ref;

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::Constant;
use super::super::error::NodeProblem;
use super::super::file::type_name;
use super::super::importer::Importer;
use super::super::types::{self, FLOAT, INT32, INT64};
use super::folding;
use crate::nets::graph::op::{Binary, Unary};
use crate::nets::graph::{NodeInput, Op};

/// `Cast` and `CastLike`.
pub fn cast(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let to = target(call)?;
    match value {
        // Layers have the names of their weights, in whatever type these are.
        ImportValue::Weight(name, constant @ Constant::Floats(_)) if types::is_real(to) => {
            let other = folding::cast(constant, to)?;
            Ok(vec![ImportValue::Weight(name.clone(), other)])
        }
        ImportValue::Known(constant) | ImportValue::Weight(_, constant) => {
            let other = folding::cast(constant, to)?;
            let same = other == *constant;
            Ok(vec![if same {
                value.clone()
            } else {
                ImportValue::Known(other)
            }])
        }
        ImportValue::Broadcast(constant, lengths) => {
            let other = folding::cast(constant, to)?;
            Ok(vec![ImportValue::Broadcast(other, lengths.clone())])
        }
        ImportValue::GreaterThan(..) | ImportValue::Places(_) => Ok(vec![value.clone()]),
        ImportValue::Node(_) if types::is_real(to) => Ok(vec![value.clone()]),
        ImportValue::Node(_) => {
            let input = importer.operand(value, &call.name)?;
            let rounded = matches!(
                importer.operator_of(&input),
                Some((Op::Unary(Unary::Floor | Unary::Ceil | Unary::Round), _))
            );
            let wide = matches!(to, INT32 | INT64);
            if rounded && types::is_integer(to)
                || call.types.first() == Some(&to)
                || (call.is_whole(0) && wide)
            {
                return Ok(vec![value.clone()]);
            }
            if wide {
                return Ok(vec![truncated(importer, &call.name, &input)?]);
            }
            NodeProblem::cannot(format!(
                "it converts values computed from the images to {}",
                type_name(to)
            ))
        }
    }
}

/// The ONNX code of the type that a `Cast` or `CastLike` converts to.
fn target(call: &OnnxCall) -> Result<i32, NodeProblem> {
    if call.operator == "CastLike" {
        let like = call.input(1)?;
        return Ok(match (call.types.get(1), like.constant()) {
            (Some(&code), _) if code != types::UNKNOWN => code,
            (_, Some(Constant::Ints { .. })) => INT64,
            _ => FLOAT,
        });
    }
    let name = call.attributes.text("to").unwrap_or_default();
    let words = || NodeProblem::Cannot(format!("it converts to the unknown type `{name}`"));
    types::cast_target(call.attributes).ok_or_else(words)
}

/// A value rounded towards zero: its sign times its magnitude rounded down.
pub fn truncated(
    importer: &mut Importer,
    name: &str,
    input: &NodeInput,
) -> Result<ImportValue, NodeProblem> {
    let part = |role: &str| format!("{name}.{role}");
    let sign = importer.emit(&part("sign"), Op::Unary(Unary::Sign), from_ref(input))?;
    let size = importer.emit(&part("magnitude"), Op::Unary(Unary::Abs), from_ref(input))?;
    let whole = importer.emit(&part("whole"), Op::Unary(Unary::Floor), &[size.into()])?;
    let both = [sign.into(), whole.into()];
    importer.emit_value(name, Op::Binary(Binary::Mul), &both)
}
