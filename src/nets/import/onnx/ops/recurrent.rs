//! Recurrent layers: `LSTM` and `GRU`.

use super::super::call::{ImportValue, OnnxCall};
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::floats;
use super::convolution::weight_name;
use super::moving::transposed;
use crate::nets::graph::Op;
use crate::nets::graph::op::{GruReset, RecurrentDirection, RecurrentOutput, RecurrentSpec};

/// `LSTM`; its outputs are all states, the last state and the last cell.
pub fn lstm(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    if call.optional(7).is_some() && importer.uniform(call.input(7)?) != Some(0.0) {
        return NodeProblem::cannot("it has peepholes");
    }
    if call.attributes.flag("input_forget", false) {
        return NodeProblem::cannot("its input and forget gates are coupled");
    }
    let usual = ["Sigmoid", "Tanh", "Tanh"];
    layer(importer, call, &usual, &[5, 6], |recurrent| Op::Lstm {
        recurrent,
    })
}

/// `GRU`; its outputs are all states and the last state.
pub fn gru(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let reset = match call.attributes.flag("linear_before_reset", false) {
        true => GruReset::AfterMatrix,
        false => GruReset::BeforeMatrix,
    };
    let usual = ["Sigmoid", "Tanh"];
    layer(importer, call, &usual, &[5], |recurrent| Op::Gru {
        recurrent,
        reset,
    })
}

/// A recurrent layer: one node for each used output.
fn layer(
    importer: &mut Importer,
    call: &OnnxCall,
    functions: &[&str],
    states: &[usize],
    op: impl Fn(RecurrentSpec) -> Op,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let attributes = call.attributes;
    let given = attributes.texts("activations");
    let usual = given
        .iter()
        .zip(functions.iter().cycle())
        .all(|(a, b)| a == b);
    if attributes.has("clip") {
        return NodeProblem::cannot("it clips the inputs of its activations (clip)");
    }
    if !usual {
        return NodeProblem::cannot(format!(
            "its activations are {}; only {} are supported",
            given.join(", "),
            functions.join(", ")
        ));
    }
    for &place in states {
        let zero = call.optional(place).map(|state| importer.uniform(state));
        if zero.is_some_and(|number| number != Some(0.0)) {
            return NodeProblem::cannot("its initial state is not zero");
        }
    }
    let batch_first = attributes.flag("layout", false);
    let mut value = call.input(0)?.clone();
    if batch_first {
        let name = format!("{}.steps", call.name);
        value = transposed(importer, &name, &value, &[1, 0, 2])?;
    }
    let steps = importer.dims(&value)?.first().map_or(0, |dim| dim.count);
    #[allow(clippy::cast_precision_loss)]
    let whole = |value: &ImportValue| importer.uniform(value) == Some(steps as f32);
    if call.optional(4).is_some_and(|lengths| !whole(lengths)) {
        return NodeProblem::cannot("its sequences differ in length");
    }
    let mut inputs = vec![importer.operand(&value, &call.name)?];
    for (place, role) in [(1, "weight_ih"), (2, "weight_hh"), (3, "bias")] {
        if call.optional(place).is_some() {
            let numbers = floats(call.known(place, role)?)?;
            inputs.push(importer.weight(&weight_name(call, place, role), &numbers)?);
        }
    }
    let units = call.known(2, "weight_hh")?.shape().last().copied();
    let direction = match attributes.text("direction").unwrap_or("forward") {
        "reverse" => RecurrentDirection::Reverse,
        "bidirectional" => RecurrentDirection::Bidirectional,
        _ => RecurrentDirection::Forward,
    };
    let mut values = Vec::new();
    let outputs = [
        RecurrentOutput::All,
        RecurrentOutput::Last,
        RecurrentOutput::Cell,
    ];
    for (output, name) in outputs.into_iter().zip(&call.outputs) {
        if name.is_empty() {
            values.push(call.input(0)?.clone());
            continue;
        }
        let recurrent = RecurrentSpec {
            units: units.unwrap_or(0),
            direction,
            output,
        };
        let value = importer.emit_value(&call.name, op(recurrent), &inputs)?;
        let value = match (batch_first, output) {
            (true, RecurrentOutput::All) => {
                let name = format!("{}.images", call.name);
                transposed(importer, &name, &value, &[2, 0, 1, 3])?
            }
            (true, _) => {
                let name = format!("{}.images", call.name);
                transposed(importer, &name, &value, &[1, 0, 2])?
            }
            (false, _) => value,
        };
        values.push(value);
    }
    Ok(values)
}
