//! Operators that query shapes, evaluated at import, and operators that only change shapes.

use super::super::call::{ImportValue, OnnxCall};
use super::super::constant::{Constant, affordable};
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::{axes, axis, count, dims};
use super::super::strided_indices::StridedIndices;
use super::reshaping;
use crate::nets::graph::{Dim, Op};

/// The lengths of a value's axes.
pub fn lengths(importer: &Importer, value: &ImportValue) -> Result<Vec<SymbolicInt>, NodeProblem> {
    Ok(importer.dims(value)?.into_iter().map(count).collect())
}

/// `Shape`.
pub fn shape(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let lengths = lengths(importer, call.input(0)?)?;
    let rank = i64::try_from(lengths.len()).unwrap_or(i64::MAX);
    let bound = |name, default| {
        let given = call.attributes.int(name, default);
        let place = if given < 0 { given + rank } else { given };
        usize::try_from(place.clamp(0, rank)).unwrap_or(0)
    };
    let (start, end) = (bound("start", 0), bound("end", rank));
    let part = lengths[start..end.max(start)].to_vec();
    Ok(vec![ImportValue::Known(Constant::list(part))])
}

/// `Size`.
pub fn size(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let lengths = lengths(importer, call.input(0)?)?;
    let size = SymbolicInt::product(&lengths);
    let size = size.ok_or_else(|| NodeProblem::Cannot("its size is too large".into()))?;
    Ok(vec![ImportValue::Known(Constant::scalar(size))])
}

/// The lengths, if all are known and none is negative.
fn known_shape(shape: &[SymbolicInt]) -> Option<Vec<usize>> {
    shape
        .iter()
        .map(|length| usize::try_from(length.known()?).ok())
        .collect()
}

/// A value in another shape.
pub fn reshaped(
    importer: &mut Importer,
    name: &str,
    value: &ImportValue,
    shape: &[SymbolicInt],
) -> Result<ImportValue, NodeProblem> {
    if lengths(importer, value)? == shape {
        return Ok(value.clone());
    }
    if let ImportValue::Places(places) = value {
        return Ok(ImportValue::Places(places.reshaped(shape)?));
    }
    if let (Some(constant), Some(shape)) = (value.constant(), known_shape(shape)) {
        let same = constant.reshaped(&shape);
        return Ok(match value {
            ImportValue::Weight(name, _) => ImportValue::Weight(name.clone(), same),
            _ => ImportValue::Known(same),
        });
    }
    let input = importer.operand(value, name)?;
    let shape = dims(shape)?;
    importer.emit_value(name, Op::Reshape { shape }, &[input])
}

/// `Reshape`.
pub fn reshape(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let wanted = match call.attributes.ints("shape") {
        Some(shape) => shape.iter().copied().map(SymbolicInt::fixed).collect(),
        None => integers(call.known(1, "shape")?)?,
    };
    let from = lengths(importer, value)?;
    let wanted = match call.attributes.flag("allowzero", false) {
        true => wanted,
        false => reshaping::zeros_filled(&from, &wanted)?,
    };
    let ahead = importer.elements_before_batch(value, &from);
    let shape = reshaping::target(&from, ahead, &wanted, importer.batch)?;
    let value = reshaped(importer, &call.name, value, &shape)?;
    importer.set_elements_before_batch(&value, reshaping::ahead_within(&shape, ahead));
    Ok(vec![value])
}

/// The integers of an array.
pub fn integers(constant: &Constant) -> Result<Vec<SymbolicInt>, NodeProblem> {
    let words = "it needs integers, but has other numbers";
    constant.counts().ok_or(NodeProblem::Cannot(words.into()))
}

/// `Flatten`.
pub fn flatten(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let from = lengths(importer, value)?;
    let place = match call.attributes.int("axis", 1) {
        whole if usize::try_from(whole) == Ok(from.len()) => from.len(),
        other => axis(other, from.len())?,
    };
    let product = |lengths: &[SymbolicInt]| {
        let product = SymbolicInt::product(lengths);
        product.ok_or_else(|| NodeProblem::Cannot("the shape is too large".into()))
    };
    let shape = [product(&from[..place])?, product(&from[place..])?];
    let ahead = importer.elements_before_batch(value, &from);
    let value = reshaped(importer, &call.name, value, &shape)?;
    importer.set_elements_before_batch(&value, reshaping::ahead_within(&shape, ahead));
    Ok(vec![value])
}

/// `Squeeze`.
pub fn squeeze(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let from = lengths(importer, value)?;
    let one = SymbolicInt::fixed(1);
    let gone = match call.ints(1, "axes")? {
        Some(given) => axes(&given, from.len())?,
        None => (0..from.len()).filter(|&axis| from[axis] == one).collect(),
    };
    if let Some(&axis) = gone.iter().find(|&&axis| from[axis] != one) {
        return NodeProblem::cannot(format!(
            "it removes axis {axis}, which has the length {}",
            from[axis]
        ));
    }
    let kept = (0..from.len()).filter(|axis| !gone.contains(axis));
    let shape: Vec<SymbolicInt> = kept.map(|axis| from[axis]).collect();
    Ok(vec![reshaped(importer, &call.name, value, &shape)?])
}

/// `Unsqueeze`.
pub fn unsqueeze(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let from = lengths(importer, value)?;
    let given = call.ints(1, "axes")?.unwrap_or_default();
    let rank = from.len() + given.len();
    let new = axes(&given, rank)?;
    let mut old = from.into_iter();
    let length = |axis: usize| match new.contains(&axis) {
        true => Some(SymbolicInt::fixed(1)),
        false => old.next(),
    };
    let shape: Vec<SymbolicInt> = (0..rank).filter_map(length).collect();
    Ok(vec![reshaped(importer, &call.name, value, &shape)?])
}

/// `Expand`.
pub fn expand(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let from = lengths(importer, value)?;
    let wanted = integers(call.known(1, "shape")?)?;
    let shape = together(&from, &wanted, importer.batch)?;
    Ok(vec![expanded(importer, &call.name, value, &shape)?])
}

/// A value broadcast to a shape.
pub fn expanded(
    importer: &mut Importer,
    name: &str,
    value: &ImportValue,
    shape: &[SymbolicInt],
) -> Result<ImportValue, NodeProblem> {
    if lengths(importer, value)? == shape {
        return Ok(value.clone());
    }
    let Some(constant) = value.constant() else {
        let input = importer.operand(value, name)?;
        let shape = dims(shape)?;
        return importer.emit_value(name, Op::Expand { shape }, &[input]);
    };
    let known = known_shape(shape);
    if let Some(shape) = &known {
        affordable(shape, constant.len()).ok_or_else(NodeProblem::too_large)?;
    }
    Ok(match known {
        Some(shape) => ImportValue::Known(constant.broadcast_to(&shape)),
        None => ImportValue::Broadcast(constant.clone(), shape.to_vec()),
    })
}

/// The common shape of two under broadcasting. A length equal to the file's fixed batch size matches the
/// batch.
pub fn together(
    a: &[SymbolicInt],
    b: &[SymbolicInt],
    batch: i64,
) -> Result<Vec<SymbolicInt>, NodeProblem> {
    let rank = a.len().max(b.len());
    let one = SymbolicInt::fixed(1);
    let length = |shape: &[SymbolicInt], axis: usize| {
        let aligned = (axis + shape.len()).checked_sub(rank);
        aligned.map_or(one, |axis| shape[axis])
    };
    let both = |axis| match (length(a, axis), length(b, axis)) {
        (a, b) if a == b => Some(a),
        (a, other) | (other, a) if a == one => Some(other),
        (n, fixed) | (fixed, n)
            if n == SymbolicInt::BATCH && fixed == SymbolicInt::fixed(batch) =>
        {
            Some(n)
        }
        _ => None,
    };
    let shape: Option<Vec<SymbolicInt>> = (0..rank).map(both).collect();
    shape.ok_or_else(|| NodeProblem::Cannot("the shapes cannot be broadcast".into()))
}

/// `Tile`: repetition along existing axes, one after the other, so that no more than one axis is added on the way.
pub fn tile(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let mut value = call.input(0)?.clone();
    let mut from = lengths(importer, &value)?;
    let times = integers(call.known(1, "repeats")?)?;
    if times.len() != from.len() {
        return NodeProblem::cannot("it does not have one repeat per axis");
    }
    let one = SymbolicInt::fixed(1);
    let part = |role: &str| format!("{}.{role}", call.name);
    for (axis, &by) in times.iter().enumerate().filter(|(_, by)| **by != one) {
        // [a] as [1,a], repeated to [t,a], read as [t·a].
        let joined = from[axis].times(by);
        let joined = joined.ok_or_else(|| NodeProblem::Cannot("it repeats the batch".into()))?;
        let with = |first: SymbolicInt| [&from[..axis], &[first], &from[axis..]].concat();
        value = reshaped(importer, &part("apart"), &value, &with(one))?;
        value = expanded(importer, &part("repeated"), &value, &with(by))?;
        from[axis] = joined;
        value = reshaped(importer, &call.name, &value, &from)?;
    }
    Ok(vec![value])
}

/// `ConstantOfShape`.
pub fn constant_of_shape(
    importer: &mut Importer,
    call: &OnnxCall,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let wanted = integers(call.known(0, "shape")?)?;
    let number = match call.attributes.tensor("value") {
        Some(tensor) => importer.array(tensor)?,
        None => Constant::float(0.0),
    };
    let ones = vec![1; wanted.len()];
    let number = match number.len() {
        1 => ImportValue::Known(number.reshaped(&ones)),
        _ => return NodeProblem::cannot("its value is not a single number"),
    };
    Ok(vec![expanded(importer, &call.name, &number, &wanted)?])
}

/// `Range`.
pub fn range(_: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let all_images = call.known(1, "limit")?.counts().as_deref() == Some(&[SymbolicInt::BATCH]);
    let by_one = call.known(2, "step")?.only() == Some(1.0);
    if let (true, true, Some(&[start])) = (
        all_images,
        by_one,
        call.known(0, "start")?.ints().as_deref(),
    ) && start == 0
    {
        return Ok(vec![ImportValue::Places(StridedIndices::of_batch(start))]);
    }
    let bound = |place, role| -> Result<f64, NodeProblem> {
        let words = || NodeProblem::Cannot(format!("its {role} depends on the number of images"));
        let constant = call.known(place, role)?;
        Ok(f64::from(constant.only().ok_or_else(words)?))
    };
    let (start, limit, step) = (bound(0, "start")?, bound(1, "limit")?, bound(2, "step")?);
    let whole = matches!(call.known(0, "start")?, Constant::Ints { .. });
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = ((limit - start) / step).ceil().max(0.0) as usize;
    if step == 0.0 || affordable(&[count], 0).is_none() {
        return NodeProblem::cannot("its range is endless");
    }
    #[allow(clippy::cast_precision_loss)]
    let numbers = (0..count).map(|place| start + place as f64 * step);
    #[allow(clippy::cast_possible_truncation)]
    let constant = match whole {
        true => Constant::list(
            numbers
                .map(|number| SymbolicInt::fixed(number as i64))
                .collect(),
        ),
        false => Constant::Floats(crate::session::array::Array::new(
            &[count],
            numbers.map(|number| number as f32).collect(),
        )),
    };
    Ok(vec![ImportValue::Known(constant)])
}

/// The inputs matched along the batch: where others have the batch and one has length one, it is
/// broadcast, and so is an array that a file for several images repeats for each.
pub fn along_batch(
    importer: &mut Importer,
    call: &OnnxCall,
    axis: usize,
) -> Result<Vec<ImportValue>, NodeProblem> {
    let given = call.inputs.iter().flatten();
    let shapes: Vec<Vec<Dim>> = given
        .clone()
        .map(|value| importer.dims(value))
        .collect::<Result<_, _>>()?;
    let batched = |index: usize| {
        let mut lengths = shapes.iter().filter_map(|shape| shape.get(index));
        lengths.find(|length| length.batched).copied()
    };
    let batch = usize::try_from(importer.batch).unwrap_or(1);
    let mut alike = Vec::new();
    for (value, shape) in given.zip(&shapes) {
        let repeated = (0..shape.len()).find(|&index| {
            let as_many = batch > 1 && shape[index] == Dim::fixed(batch);
            as_many && index != axis && batched(index) == Some(Dim::batch(1))
        });
        let single =
            repeated.and_then(|index| Some((index, without_repeats(value.constant()?, index)?)));
        let (value, shape) = match single {
            Some((index, once)) => {
                let mut shape = shape.clone();
                shape[index] = Dim::fixed(1);
                (ImportValue::Known(once), shape)
            }
            None => (value.clone(), shape.clone()),
        };
        let wanted = shape.iter().enumerate().map(|(index, &length)| {
            let single = !length.batched && length.count == 1;
            let other = batched(index).filter(|_| index != axis && single);
            count(other.unwrap_or(length))
        });
        let wanted: Vec<SymbolicInt> = wanted.collect();
        alike.push(expanded(importer, &call.name, &value, &wanted)?);
    }
    Ok(alike)
}

/// An array that is the same at every place along an axis, for one of them; `None` if it is not.
fn without_repeats(constant: &Constant, axis: usize) -> Option<Constant> {
    let from = constant.shape();
    let (outer, length): (usize, usize) = (from[..axis].iter().product(), from[axis]);
    let inner: usize = from[axis + 1..].iter().product();
    let first = |row: usize| (0..inner).map(move |place| row * length * inner + place);
    let picks: Vec<usize> = (0..outer).flat_map(first).collect();
    let mut shape = from.to_vec();
    shape[axis] = 1;
    let once = constant.picked(&shape, &picks);
    (once.broadcast_to(from) == *constant).then_some(once)
}
