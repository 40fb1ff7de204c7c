//! Operators that move values: transposing, concatenating, padding, exchanging depth and space.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::{Constant, affordable, strides};
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::axis;
use super::shape::{along_batch, integers};
use crate::nets::graph::op::{DepthOrder, PadFill};
use crate::nets::graph::{Dim, NodeInput, Op};
use crate::session::array::Array;

/// `Transpose`.
pub fn transpose(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let rank = importer.dims(value)?.len();
    let order: Vec<usize> = match call.attributes.ints("perm") {
        Some(order) => order
            .iter()
            .map(|&index| axis(index, rank))
            .collect::<Result<_, _>>()?,
        None => (0..rank).rev().collect(),
    };
    Ok(vec![transposed(importer, &call.name, value, &order)?])
}

/// A value with its axes in another order.
pub fn transposed(
    importer: &mut Importer,
    name: &str,
    value: &ImportValue,
    order: &[usize],
) -> Result<ImportValue, NodeProblem> {
    let rank = importer.dims(value)?.len();
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return NodeProblem::cannot(format!(
            "its axes {order:?} are not those of its input, 0 to {}, in another order",
            rank.saturating_sub(1)
        ));
    }
    let unchanged = order.iter().copied().eq(0..rank);
    if unchanged {
        return Ok(value.clone());
    }
    if let Some(constant) = value.constant() {
        let from = constant.shape();
        let shape: Vec<usize> = order.iter().map(|&axis| from[axis]).collect();
        let strides = strides(from);
        let strides: Vec<isize> = order.iter().map(|&axis| strides[axis]).collect();
        let same = constant.strided(&shape, &strides, 0);
        return Ok(match value {
            ImportValue::Weight(name, _) => ImportValue::Weight(name.clone(), same),
            _ => ImportValue::Known(same),
        });
    }
    if let Some((inner, both)) = importer.transposed_before(value, order) {
        return transposed(importer, name, &inner, &both);
    }
    let input = importer.operand(value, name)?;
    let axes = order.to_vec();
    importer.emit_value(name, Op::Transpose { axes }, &[input])
}

/// `Concat`.
pub fn concat(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let rank = importer.dims(call.input(0)?)?.len();
    let axis = axis(call.attributes.int("axis", 1), rank)?;
    let known: Option<Vec<&Constant>> = call
        .inputs
        .iter()
        .flatten()
        .map(ImportValue::constant)
        .collect();
    if let Some(parts) = known {
        return Ok(vec![ImportValue::Known(joined(&parts, axis)?)]);
    }
    let parts = along_batch(importer, call, axis)?;
    let parts: Vec<NodeInput> = parts
        .iter()
        .map(|part| importer.operand(part, &call.name))
        .collect::<Result<_, _>>()?;
    if let [only] = &parts[..]
        && let NodeInput::Node(id) = only
    {
        return Ok(vec![ImportValue::Node(*id)]);
    }
    Ok(vec![importer.emit_value(
        &call.name,
        Op::Concat { axis },
        &parts,
    )?])
}

/// Known arrays, concatenated.
pub fn joined(parts: &[&Constant], axis: usize) -> Result<Constant, NodeProblem> {
    let mut shape = parts[0].shape().to_vec();
    let alike = |part: &&Constant| {
        let lengths = part.shape();
        let others = |shape: &[usize]| [&shape[..axis], &shape[axis + 1..]].concat();
        lengths.len() == shape.len() && others(lengths) == others(&shape)
    };
    if !parts.iter().all(alike) {
        return NodeProblem::cannot("the shapes of its inputs do not match");
    }
    shape[axis] = parts.iter().map(|part| part.shape()[axis]).sum();
    let largest = parts.iter().map(|part| part.len()).max();
    affordable(&shape, largest.unwrap_or(0)).ok_or_else(NodeProblem::too_large)?;
    let outer: usize = shape[..axis].iter().product();
    let rows = |part: &Constant| part.len() / outer.max(1);
    if parts.iter().all(|part| matches!(part, Constant::Floats(_))) {
        let arrays: Vec<Array<f32>> = parts.iter().filter_map(|part| part.floats()).collect();
        let values = (0..outer).flat_map(|row| {
            let part = move |array: &'_ Array<f32>| {
                let length = array.values().len() / outer.max(1);
                array.values()[row * length..(row + 1) * length].to_vec()
            };
            arrays.iter().flat_map(part).collect::<Vec<_>>()
        });
        return Ok(Constant::Floats(Array::new(&shape, values.collect())));
    }
    let lists: Vec<(Vec<SymbolicInt>, usize)> = parts
        .iter()
        .map(|part| Ok((integers(part)?, rows(part))))
        .collect::<Result<_, NodeProblem>>()?;
    let row = |row: usize| {
        let part = move |(list, length): &(Vec<SymbolicInt>, usize)| {
            list[row * length..(row + 1) * length].to_vec()
        };
        lists.iter().flat_map(part).collect::<Vec<_>>()
    };
    Ok(Constant::Ints {
        shape,
        values: (0..outer).flat_map(row).collect(),
    })
}

/// `Pad`.
pub fn pad(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let rank = importer.dims(value)?.len();
    let name = if call.attributes.has("paddings") {
        "paddings"
    } else {
        "pads"
    };
    let given = call.ints(1, name)?.unwrap_or_default();
    let along = match call.optional(3) {
        Some(_) => call.ints(3, "axes")?.unwrap_or_default(),
        None => (0..rank)
            .map(|axis| i64::try_from(axis).unwrap_or(0))
            .collect(),
    };
    if given.len() != 2 * along.len() {
        return NodeProblem::cannot(format!("its pads are {given:?} for {} axes", along.len()));
    }
    let (mut before, mut after) = (vec![0; rank], vec![0; rank]);
    for (i, &given_axis) in along.iter().enumerate() {
        let axis = axis(given_axis, rank)?;
        before[axis] = isize::try_from(given[i]).unwrap_or(0);
        after[axis] = isize::try_from(given[i + along.len()]).unwrap_or(0);
    }
    if before.iter().chain(&after).all(|&added| added == 0) {
        return Ok(vec![value.clone()]);
    }
    let with = match call.attributes.text("mode").unwrap_or("constant") {
        "constant" => PadFill::Constant(match call.optional(2) {
            Some(_) => call.known(2, "constant value")?.only().unwrap_or(0.0),
            None => call.attributes.float("value", 0.0),
        }),
        "reflect" => PadFill::Reflect,
        "edge" => PadFill::Edge,
        other => return NodeProblem::cannot(format!("its mode is {other}")),
    };
    let input = importer.operand(value, &call.name)?;
    let op = Op::Pad {
        before,
        after,
        fill: with,
    };
    Ok(vec![importer.emit_value(&call.name, op, &[input])?])
}

/// `DepthToSpace`.
pub fn depth_to_space(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let input = importer.operand(call.input(0)?, &call.name)?;
    let op = Op::DepthToSpace {
        block: usize::try_from(call.attributes.int("blocksize", 1)).unwrap_or(1),
        order: match call.attributes.text("mode").unwrap_or("DCR") {
            "CRD" => DepthOrder::ChannelFirst,
            _ => DepthOrder::BlockFirst,
        },
    };
    Ok(vec![importer.emit_value(&call.name, op, &[input])?])
}

/// `SpaceToDepth`: blocks of pixels become channels, by two reshapes and a transpose.
pub fn space_to_depth(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let block = usize::try_from(call.attributes.int("blocksize", 1)).unwrap_or(0);
    let [batch, channels, height, width] = importer.dims(value)?[..] else {
        return NodeProblem::cannot("it works on images only");
    };
    if block == 0 || !height.count.is_multiple_of(block) || !width.count.is_multiple_of(block) {
        return NodeProblem::cannot(format!("blocks of {block} do not fit"));
    }
    let (rows, columns) = (height.count / block, width.count / block);
    let fixed = Dim::fixed;
    let apart = vec![
        batch,
        channels,
        fixed(rows),
        fixed(block),
        fixed(columns),
        fixed(block),
    ];
    let part = |role: &str| format!("{}.{role}", call.name);
    let input = importer.operand(value, &call.name)?;
    let blocks = importer.emit(&part("blocks"), Op::Reshape { shape: apart }, &[input])?;
    let axes = vec![0, 3, 5, 1, 2, 4];
    let moved = importer.emit(&part("moved"), Op::Transpose { axes }, &[blocks.into()])?;
    let shape = vec![
        batch,
        fixed(channels.count * block * block),
        fixed(rows),
        fixed(columns),
    ];
    let value = importer.emit_value(&call.name, Op::Reshape { shape }, &[moved.into()])?;
    Ok(vec![value])
}
