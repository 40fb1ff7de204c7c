//! `ScatterND` and `ScatterElements`: a value with some of its parts replaced, as an assignment to slices is exported.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::{affordable, unravelled_index};
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::axis;
use super::choosing::{MergedIndices, from_front, selected};
use super::moving::joined;
use super::shape::{expanded, lengths, reshaped, together};
use crate::nets::graph::Op;

/// `ScatterND`, with known indices along the first axes. These are merged; the new parts are put behind the old ones, and
/// each part of the result is selected among both.
pub fn scatter_nd(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    overwrites(call)?;
    let (value, updates) = (call.input(0)?, call.input(2)?);
    let from = importer.dims(value)?;
    let places = MergedIndices::of(call, &from)?;
    let old = lengths(importer, value)?;
    let new = lengths(importer, updates)?;
    let fixed = |&length: &usize| SymbolicInt::fixed(i64::try_from(length).unwrap_or(i64::MAX));
    let listed: Vec<SymbolicInt> = places.shape.iter().map(fixed).collect();
    let Some(rest) = new.strip_prefix(&listed[..]) else {
        return NodeProblem::cannot("its updates do not have one part for each index");
    };
    let merged: Vec<usize> = from[..places.depth].iter().map(|dim| dim.count).collect();
    let count = affordable(&[places.length], 0).ok_or_else(NodeProblem::too_large)?;
    let picks = picks(count, &places.indices)?;
    if places.indices.is_empty() {
        return Ok(vec![value.clone()]);
    }
    // In a file for one image, either may be an array for that image.
    let rest = together(&old[places.depth..], rest, importer.batch)?;
    let mut rows = |value: &ImportValue, role: &str, length: usize, part: &[SymbolicInt]| {
        let name = format!("{}.{role}", call.name);
        let flat = [&[fixed(&length)][..], part].concat();
        let flat = reshaped(importer, &name, value, &flat)?;
        let whole = [&[fixed(&length)][..], &rest].concat();
        expanded(importer, &name, &flat, &whole)
    };
    let kept = rows(value, "kept", count, &old[places.depth..])?;
    let written = rows(
        updates,
        "written",
        places.indices.len(),
        &new[places.shape.len()..],
    )?;
    let both = match (kept.constant(), written.constant()) {
        (Some(kept), Some(written)) => ImportValue::Known(joined(&[kept, written], 0)?),
        _ => {
            let inputs = [
                importer.operand(&kept, &format!("{}.kept", call.name))?,
                importer.operand(&written, &format!("{}.written", call.name))?,
            ];
            let name = format!("{}.both", call.name);
            importer.emit_value(&name, Op::Concat { axis: 0 }, &inputs)?
        }
    };
    let value = selected(importer, &call.name, &both, 0, picks, &merged)?;
    Ok(vec![value])
}

/// `ScatterElements` of known arrays.
pub fn scatter_elements(
    _: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    overwrites(call)?;
    let (old, new) = (call.known(0, "input")?, call.known(2, "updates")?);
    let table = call.known(1, "indices")?;
    let (shape, parts) = (old.shape(), table.shape());
    let axis = axis(call.attributes.int("axis", 0), shape.len())?;
    let inside = parts.iter().zip(shape).all(|(part, whole)| part <= whole);
    let (true, Some(indices)) = (new.shape() == parts && inside, table.ints()) else {
        return NodeProblem::cannot("its indices do not fit its input or its updates");
    };
    if parts.len() != shape.len() {
        return NodeProblem::cannot("its indices have other axes than its input");
    }
    let place = |(part, &index): (usize, &i64)| -> Result<usize, NodeProblem> {
        let mut at = unravelled_index(part, parts);
        at[axis] = from_front(index, shape[axis])?;
        let steps = at.iter().zip(shape);
        Ok(steps.fold(0, |place, (along, length)| place * length + along))
    };
    let places = indices.iter().enumerate().map(place);
    let places: Vec<usize> = places.collect::<Result<_, _>>()?;
    let (count, shape) = (old.len(), shape.to_vec());
    let picks = picks(count, &places)?;
    let both = joined(
        &[&old.reshaped(&[count]), &new.reshaped(&[places.len()])],
        0,
    )?;
    Ok(vec![ImportValue::Known(both.picked(&shape, &picks))])
}

/// Checks that a node replaces what it writes to, instead of adding to it.
fn overwrites(call: &OnnxCall) -> Result<(), NodeProblem> {
    match call.attributes.text("reduction").unwrap_or("none") {
        "none" => Ok(()),
        other => NodeProblem::cannot(format!("its reduction is {other}")),
    }
}

/// For each of `count` parts, its own index, or `count` and the number of what is written there.
fn picks(count: usize, places: &[usize]) -> Result<Vec<usize>, NodeProblem> {
    let mut picks: Vec<usize> = (0..count).collect();
    for (part, &place) in places.iter().enumerate() {
        if picks[place] != place {
            return NodeProblem::cannot("it writes to the same place twice");
        }
        picks[place] = count + part;
    }
    Ok(picks)
}
