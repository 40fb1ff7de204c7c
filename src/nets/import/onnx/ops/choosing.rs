//! Operators that select along axes: slices, splits, gathers.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::{affordable, strides};
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::{axis, count};
use super::shape::{integers, reshaped};
use crate::nets::graph::op::SliceAxis;
use crate::nets::graph::{Dim, Op};

/// `Slice`.
pub fn slice(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let from = importer.dims(value)?;
    let needed = |given: Option<Vec<i64>>, name: &str| {
        given.ok_or_else(|| NodeProblem::Cannot(format!("it has no {name}")))
    };
    let starts = needed(call.ints(1, "starts")?, "starts")?;
    let ends = needed(bounds(call, 2, "ends")?, "ends")?;
    let all = || (0..starts.len()).map(|axis| i64::try_from(axis).unwrap_or(i64::MAX));
    let along = call.ints(3, "axes")?.unwrap_or_else(|| all().collect());
    let steps = call.ints(4, "steps")?;
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [along.len(), ends.len(), steps.len()] != [starts.len(); 3] {
        return NodeProblem::cannot(format!(
            "it has {} starts, {} ends, {} axes and {} steps",
            starts.len(),
            ends.len(),
            along.len(),
            steps.len()
        ));
    }
    let (mut cuts, mut seen) = (Vec::new(), Vec::new());
    let each = along.iter().zip(&starts).zip(&ends).zip(&steps);
    for (((&along, &start), &end), &step) in each {
        let axis = axis(along, from.len())?;
        if seen.contains(&axis) {
            return NodeProblem::cannot(format!("it slices axis {axis} twice"));
        }
        seen.push(axis);
        let dim = from[axis];
        let cut = cut(axis, dim.count, start, end, step)?;
        let whole = cut.start == 0 && cut.count == dim.count && step == 1;
        if whole {
            continue;
        }
        if dim.batched {
            return NodeProblem::cannot(
                "it slices the batch; each image must be processed independently",
            );
        }
        cuts.push(cut);
    }
    Ok(vec![sliced(importer, &call.name, value, cuts)?])
}

/// The ends of slices; the batch itself counts as its end.
fn bounds(call: &OnnxCall, place: usize, name: &str) -> Result<Option<Vec<i64>>, NodeProblem> {
    if call.attributes.has(name) || call.optional(place).is_none() {
        return call.ints(place, name);
    }
    let ends = integers(call.known(place, name)?)?;
    let end = |end: SymbolicInt| end.known().unwrap_or(i64::MAX);
    Ok(Some(ends.into_iter().map(end).collect()))
}

fn cut(
    axis: usize,
    length: usize,
    start: i64,
    end: i64,
    step: i64,
) -> Result<SliceAxis, NodeProblem> {
    let whole = i64::try_from(length).unwrap_or(i64::MAX);
    let from_start = |i: i64| if i < 0 { i.saturating_add(whole) } else { i };
    let (low, high) = match step {
        0 => return NodeProblem::cannot("its step is zero"),
        _ if length == 0 => return NodeProblem::cannot("it slices an empty axis"),
        1.. => (0, whole),
        _ => (-1, whole - 1),
    };
    let start = from_start(start).clamp(0, if step > 0 { whole } else { whole - 1 });
    let end = if end == i64::MIN {
        low
    } else {
        from_start(end).clamp(low, high)
    };
    let span = if step > 0 { end - start } else { start - end };
    let count = span.max(0).unsigned_abs().div_ceil(step.unsigned_abs());
    let size = |number: i64| usize::try_from(number).unwrap_or(0);
    Ok(SliceAxis {
        axis,
        start: size(start),
        count: usize::try_from(count).unwrap_or(0),
        // The step from a single index to the next does not matter, and may be too large to compute with.
        step: match count {
            0 | 1 => 1,
            _ => isize::try_from(step).unwrap_or(1),
        },
    })
}

/// Slices a value.
pub fn sliced(
    importer: &mut Importer,
    name: &str,
    value: &ImportValue,
    cuts: Vec<SliceAxis>,
) -> Result<ImportValue, NodeProblem> {
    if cuts.is_empty() {
        return Ok(value.clone());
    }
    if let Some(constant) = value.constant() {
        let mut shape = constant.shape().to_vec();
        let mut strides = strides(&shape);
        let mut start = 0;
        for cut in &cuts {
            shape[cut.axis] = cut.count;
            start += cut.start * strides[cut.axis].unsigned_abs();
            strides[cut.axis] = strides[cut.axis].wrapping_mul(cut.step);
        }
        return Ok(ImportValue::Known(
            constant.strided(&shape, &strides, start),
        ));
    }
    let input = importer.operand(value, name)?;
    importer.emit_value(name, Op::Slice(cuts), &[input])
}

/// `Split`: one slice per part.
pub fn split(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let from = importer.dims(value)?;
    let axis = axis(call.attributes.int("axis", 0), from.len())?;
    let length = from[axis].count;
    if from[axis].batched {
        return NodeProblem::cannot(
            "it splits the batch; each image must be processed independently",
        );
    }
    let parts: Vec<usize> = match call.ints(1, "split")? {
        Some(parts) => parts
            .iter()
            .map(|&part| usize::try_from(part).unwrap_or(usize::MAX))
            .collect(),
        None => {
            let count = call.outputs.len().max(1);
            let each = length.div_ceil(count);
            let part = |i: usize| each.min(length.saturating_sub(i * each));
            (0..count).map(part).collect()
        }
    };
    let sum = parts
        .iter()
        .try_fold(0usize, |sum, &part| sum.checked_add(part));
    if sum != Some(length) {
        return NodeProblem::cannot(format!("its parts {parts:?} do not add up to {length}"));
    }
    let mut start = 0;
    let mut values = Vec::new();
    for (count, output) in parts.into_iter().zip(&call.outputs) {
        let cut = SliceAxis {
            axis,
            start,
            count,
            step: 1,
        };
        start += count;
        if output.is_empty() {
            values.push(value.clone());
            continue;
        }
        values.push(sliced(importer, &call.name, value, vec![cut])?);
    }
    Ok(values)
}

/// `Gather`, with known indices.
pub fn gather(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let from = importer.dims(value)?;
    let axis = axis(call.attributes.int("axis", 0), from.len())?;
    if let ImportValue::Places(places) = call.input(1)? {
        if from.len() != 1 || !places.are_all(count(from[0])) {
            return NodeProblem::cannot("it selects by the index of each image");
        }
        let lengths = places.lengths.clone();
        return Ok(vec![reshaped(importer, &call.name, value, &lengths)?]);
    }
    let places = call.known(1, "indices")?;
    let length = from[axis].count;
    let known = places.ints().unwrap_or_default();
    if known.len() != places.len() {
        return NodeProblem::cannot("its indices depend on the number of images");
    }
    let indices = known.iter().map(|&index| from_front(index, length));
    let indices: Vec<usize> = indices.collect::<Result<_, _>>()?;
    let value = selected(importer, &call.name, value, axis, indices, places.shape())?;
    Ok(vec![value])
}

/// An index counted from the front, from one that may be negative.
pub fn from_front(index: i64, length: usize) -> Result<usize, NodeProblem> {
    let front = if index < 0 {
        index.checked_add_unsigned(length as u64)
    } else {
        Some(index)
    };
    let front = front.and_then(|index| usize::try_from(index).ok());
    front
        .filter(|&index| index < length)
        .ok_or_else(|| NodeProblem::Cannot(format!("its indices exceed the length {length}")))
}

/// The elements of a value at indices along an axis, which the axes of the indices replace.
pub fn selected(
    importer: &mut Importer,
    name: &str,
    value: &ImportValue,
    axis: usize,
    indices: Vec<usize>,
    places_shape: &[usize],
) -> Result<ImportValue, NodeProblem> {
    if let Some(constant) = value.constant() {
        let shape = constant.shape();
        let (before, after) = (&shape[..axis], &shape[axis + 1..]);
        let (outer, length): (usize, usize) = (before.iter().product(), shape[axis]);
        let inner: usize = after.iter().product();
        let row = |row: usize| {
            let pick = move |&index: &usize| {
                let start = (row * length + index) * inner;
                start..start + inner
            };
            indices.iter().flat_map(pick).collect::<Vec<_>>()
        };
        let shape = [before, places_shape, after].concat();
        affordable(&shape, constant.len()).ok_or_else(NodeProblem::too_large)?;
        let picks: Vec<usize> = (0..outer).flat_map(row).collect();
        return Ok(ImportValue::Known(constant.picked(&shape, &picks)));
    }
    if importer.dims(value)?[axis].batched {
        return NodeProblem::cannot(
            "it selects from the batch; each image must be processed independently",
        );
    }
    let input = importer.operand(value, name)?;
    let op = Op::Gather {
        axis,
        indices,
        shape: places_shape.to_vec(),
    };
    importer.emit_value(name, op, &[input])
}

/// Known indices along the first axes of a value, for these axes merged into one.
pub struct MergedIndices {
    /// The indices, row-major.
    pub indices: Vec<usize>,
    /// The axes that the indices themselves have.
    pub shape: Vec<usize>,
    /// Number of the axes merged.
    pub depth: usize,
    /// Length of the merged axis.
    pub length: usize,
}

impl MergedIndices {
    /// The second input of a node, whose first one has the lengths `from`.
    pub fn of(call: &OnnxCall, from: &[Dim]) -> Result<Self, NodeProblem> {
        let table = call.known(1, "indices")?;
        let rows = table.ints().zip(table.shape().split_last());
        let Some((known, (&depth, shape))) = rows else {
            return NodeProblem::cannot("its indices are no list of fixed numbers");
        };
        if call.attributes.int("batch_dims", 0) != 0 || !(1..=from.len()).contains(&depth) {
            return NodeProblem::cannot(format!(
                "it selects along {depth} of {} axes, or differently for each image",
                from.len()
            ));
        }
        let merged = &from[..depth];
        if merged.iter().any(|dim| dim.batched) {
            return NodeProblem::cannot(
                "it selects from the batch; each image must be processed independently",
            );
        }
        let mut lengths = merged.iter();
        let length = lengths.try_fold(1usize, |all, dim| all.checked_mul(dim.count));
        let along = |row: &[i64]| -> Result<usize, NodeProblem> {
            let mut axes = row.iter().zip(merged);
            axes.try_fold(0, |index, (&along, dim)| {
                Ok(index * dim.count + from_front(along, dim.count)?)
            })
        };
        Ok(Self {
            length: length.ok_or_else(NodeProblem::too_large)?,
            indices: known
                .chunks_exact(depth)
                .map(along)
                .collect::<Result<_, _>>()?,
            shape: shape.to_vec(),
            depth,
        })
    }
}

/// `GatherND`, with known indices along the first axes. These are merged, and the indices with them.
pub fn gather_nd(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let from = importer.dims(value)?;
    let places = MergedIndices::of(call, &from)?;
    let lengths: Vec<SymbolicInt> = [Dim::fixed(places.length)]
        .iter()
        .chain(&from[places.depth..])
        .map(|&dim| count(dim))
        .collect();
    let joined = format!("{}.joined", call.name);
    let value = reshaped(importer, &joined, value, &lengths)?;
    let value = selected(
        importer,
        &call.name,
        &value,
        0,
        places.indices,
        &places.shape,
    )?;
    Ok(vec![value])
}
