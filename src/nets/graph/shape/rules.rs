//! The shape rules of individual operators.

mod windows;

use std::ops::Range;

pub use windows::{convolved, pooled};

use super::super::op::{PadFill, RecurrentOutput, RecurrentSpec, ReducedAxes, Resize, SliceAxis};
use super::{Dim, shape_text};

/// Splits \[N,C,H,W\]; only the first axis may be batched.
pub fn image(x: &[Dim]) -> Result<(Dim, [usize; 3]), String> {
    match *x {
        [n, c, h, w] if !(c.batched || h.batched || w.batched) => {
            Ok((n, [c.count, h.count, w.count]))
        }
        _ => Err(format!(
            "images [N,C,H,W] are needed, but {} is given",
            shape_text(x)
        )),
    }
}

/// The number of values for one image; `None` if it cannot be counted.
pub fn product(shape: &[Dim]) -> Option<usize> {
    let mut lengths = shape.iter().map(|dim| dim.count);
    lengths.try_fold(1usize, |all, length| all.checked_mul(length))
}

/// Checks that an attribute is not zero.
pub fn positive(name: &str, value: usize) -> Result<(), String> {
    match value {
        0 => Err(format!("its {name} is 0")),
        _ => Ok(()),
    }
}

/// Checks that x has an axis.
pub fn within(axis: usize, x: &[Dim]) -> Result<(), String> {
    match axis < x.len() {
        true => Ok(()),
        false => Err(format!("there is no axis {axis} in {}", shape_text(x))),
    }
}

/// Checks that none of these axes, along which values are combined, is batched.
pub fn unmixed(x: &[Dim], mut axes: Range<usize>) -> Result<(), String> {
    match axes.find(|&axis| x[axis].batched) {
        None => Ok(()),
        Some(axis) => Err(format!(
            "axis {axis} of {} runs over images, which must not be mixed",
            shape_text(x)
        )),
    }
}

/// Checks that a weight has one axis of this length.
fn vector(name: &str, weight: &[Dim], length: usize) -> Result<(), String> {
    match weight == [Dim::fixed(length)] {
        true => Ok(()),
        false => Err(format!(
            "its {name} has the shape {}; [{length}] is needed",
            shape_text(weight)
        )),
    }
}

/// Checks the length of a bias, if there is one.
fn bias(bias: Option<&Vec<Dim>>, length: usize) -> Result<(), String> {
    bias.map_or(Ok(()), |bias| vector("bias", bias, length))
}

pub fn dense(x: &[Dim], weight: &[Dim], bias_shape: Option<&Vec<Dim>>) -> Result<Vec<Dim>, String> {
    let (Some((last, before)), [inputs, units]) = (x.split_last(), weight) else {
        return Err(format!(
            "a weight [in,out] is needed, but {} is given",
            shape_text(weight)
        ));
    };
    if inputs != last || inputs.batched || units.batched {
        return Err(format!(
            "a weight {} does not fit {}",
            shape_text(weight),
            shape_text(x)
        ));
    }
    bias(bias_shape, units.count)?;
    Ok(before.iter().copied().chain([*units]).collect())
}

pub fn multiplied(a: &[Dim], b: &[Dim]) -> Result<Vec<Dim>, String> {
    let misfit = || format!("{} does not fit {}", shape_text(a), shape_text(b));
    let (before_a, rows, inner_a) = match a {
        [] => return Err(misfit()),
        [inner] => (&[][..], None, inner),
        [before @ .., rows, inner] => (before, Some(*rows), inner),
    };
    let (before_b, inner_b, columns) = match b {
        [] => return Err(misfit()),
        [inner] => (&[][..], inner, None),
        [before @ .., inner, columns] => (before, inner, Some(*columns)),
    };
    if inner_a != inner_b || inner_a.batched {
        return Err(misfit());
    }
    let mut shape = broadcast(before_a, before_b)?;
    shape.extend(rows);
    shape.extend(columns);
    Ok(shape)
}

/// x \[N,C,…\] with weights \[C\].
pub fn by_channel(x: &[Dim], weights: &[Vec<Dim>]) -> Result<Vec<Dim>, String> {
    match x {
        [_, channels, ..] if !x[1..].iter().any(|dim| dim.batched) => {
            for weight in weights {
                vector("weight", weight, channels.count)?;
            }
            Ok(x.to_vec())
        }
        _ => Err(format!(
            "images [N,C,…] are needed, but {} is given",
            shape_text(x)
        )),
    }
}

/// NumPy's broadcasting.
pub fn broadcast(a: &[Dim], b: &[Dim]) -> Result<Vec<Dim>, String> {
    const ONE: Dim = Dim::fixed(1);
    let axes = a.len().max(b.len());
    let dim = |shape: &[Dim], axis: usize| {
        let from = axes - shape.len();
        axis.checked_sub(from).map_or(ONE, |axis| shape[axis])
    };
    let together = |axis| match (dim(a, axis), dim(b, axis)) {
        (a, b) if a == b => Some(a),
        (ONE, b) => Some(b),
        (a, ONE) => Some(a),
        _ => None,
    };
    let shape: Option<Vec<Dim>> = (0..axes).map(together).collect();
    shape.ok_or_else(|| format!("{} does not fit {}", shape_text(a), shape_text(b)))
}

/// Checks that a weight broadcasts to x without enlarging it.
pub fn fits_into(weight: &[Dim], x: &[Dim]) -> Result<(), String> {
    match broadcast(weight, x)? == x {
        true => Ok(()),
        false => Err(format!(
            "{} does not broadcast to {}",
            shape_text(weight),
            shape_text(x)
        )),
    }
}

pub fn reduced(x: &[Dim], axes: &[usize], after: ReducedAxes) -> Result<Vec<Dim>, String> {
    for &axis in axes {
        within(axis, x)?;
        unmixed(x, axis..axis + 1)?;
    }
    if axes.is_empty() || !axes.is_sorted_by(|a, b| a < b) {
        return Err(format!("its axes {axes:?} are not ascending"));
    }
    let of_axis = |(axis, &dim): (usize, &Dim)| match (axes.contains(&axis), after) {
        (false, _) => Some(dim),
        (true, ReducedAxes::Kept) => Some(Dim::fixed(1)),
        (true, ReducedAxes::Dropped) => None,
    };
    Ok(x.iter().enumerate().filter_map(of_axis).collect())
}

pub fn concatenated(inputs: &[Vec<Dim>], axis: usize) -> Result<Vec<Dim>, String> {
    let mut all = inputs[0].clone();
    within(axis, &all)?;
    unmixed(&all, axis..axis + 1)?;
    for input in &inputs[1..] {
        let same = |(i, (a, b)): (usize, (&Dim, &Dim))| i == axis || a == b;
        let fits = input.len() == all.len() && all.iter().zip(input).enumerate().all(same);
        if !fits || input[axis].batched {
            return Err(format!(
                "{} does not fit {} along axis {axis}",
                shape_text(input),
                shape_text(&inputs[0])
            ));
        }
        all[axis].count += input[axis].count;
    }
    Ok(all)
}

pub fn cut(x: &[Dim], cuts: &[SliceAxis]) -> Result<Vec<Dim>, String> {
    let mut shape = x.to_vec();
    for (i, cut) in cuts.iter().enumerate() {
        within(cut.axis, x)?;
        unmixed(x, cut.axis..cut.axis + 1)?;
        if cuts[..i].iter().any(|other| other.axis == cut.axis) {
            return Err(format!("axis {} is sliced twice", cut.axis));
        }
        if cut.count == 0 {
            return Err(format!("it takes nothing of axis {}", cut.axis));
        }
        let length = x[cut.axis].count;
        let last = || {
            let steps = isize::try_from(cut.count).ok()? - 1;
            let span = cut.step.checked_mul(steps)?;
            cut.start.checked_add_signed(span)
        };
        let inside = cut.start < length && last().is_some_and(|last| last < length);
        if cut.step == 0 || !inside {
            return Err(format!(
                "{} indices from {} on, {} apart, exceed an axis of {length}",
                cut.count, cut.start, cut.step
            ));
        }
        shape[cut.axis].count = cut.count;
    }
    Ok(shape)
}

pub fn padded(
    x: &[Dim],
    before: &[isize],
    after: &[isize],
    with: PadFill,
) -> Result<Vec<Dim>, String> {
    if before.len() != x.len() || after.len() != x.len() {
        return Err(format!(
            "its padding does not fit the axes of {}",
            shape_text(x)
        ));
    }
    let along = |(&dim, (&before, &after)): (&Dim, (&isize, &isize))| {
        if before == 0 && after == 0 {
            return Some(dim);
        }
        let length = isize::try_from(dim.count).ok()?;
        let kept = length.checked_add(before.min(0))?;
        let kept = kept.checked_add(after.min(0))?;
        let reflected = with != PadFill::Reflect || before.max(after) < kept;
        let padded = length.checked_add(before)?.checked_add(after)?;
        let padded = usize::try_from(padded).ok()?;
        (!dim.batched && kept > 0 && reflected).then(|| Dim::fixed(padded))
    };
    let shape: Option<Vec<Dim>> = x.iter().zip(before.iter().zip(after)).map(along).collect();
    shape.ok_or_else(|| {
        format!(
            "{} cannot be padded by {before:?} before and {after:?} after",
            shape_text(x)
        )
    })
}

pub fn reshaped(x: &[Dim], shape: &[Dim]) -> Result<Vec<Dim>, String> {
    let batched = |shape: &[Dim]| shape.iter().filter(|dim| dim.batched).count();
    match product(shape).is_some() && product(x) == product(shape) && batched(x) == batched(shape) {
        true => Ok(shape.to_vec()),
        false => Err(format!(
            "{} does not have as many values as {}",
            shape_text(shape),
            shape_text(x)
        )),
    }
}

pub fn gathered(
    x: &[Dim],
    axis: usize,
    indices: &[usize],
    shape: &[usize],
) -> Result<Vec<Dim>, String> {
    within(axis, x)?;
    unmixed(x, axis..axis + 1)?;
    let length = x[axis].count;
    if let Some(index) = indices.iter().find(|&&index| index >= length) {
        return Err(format!(
            "there is no index {index} along an axis of {length}"
        ));
    }
    if shape.iter().product::<usize>() != indices.len() {
        return Err(format!(
            "{} indices do not fill the shape {shape:?}",
            indices.len()
        ));
    }
    let chosen = shape.iter().map(|&length| Dim::fixed(length));
    let before = x[..axis].iter().copied();
    Ok(before
        .chain(chosen)
        .chain(x[axis + 1..].iter().copied())
        .collect())
}

pub fn resized(resize: &Resize, x: &[Dim]) -> Result<Vec<Dim>, String> {
    let (n, [channels, ..]) = image(x)?;
    if !resize
        .scale
        .iter()
        .all(|scale| *scale > 0.0 && scale.is_finite())
    {
        return Err(format!("its scale is {:?}", resize.scale));
    }
    let [height, width] = resize.size.map(Dim::fixed);
    Ok(vec![n, Dim::fixed(channels), height, width])
}

pub fn recurrence(
    recurrent: &RecurrentSpec,
    gates: usize,
    inputs: &[Vec<Dim>],
) -> Result<Vec<Dim>, String> {
    let x = &inputs[0];
    let [steps, n, features] = x[..] else {
        return Err(format!(
            "a sequence [L,N,in] is needed, but {} is given",
            shape_text(x)
        ));
    };
    if steps.batched || features.batched {
        return Err(format!(
            "a sequence [L,N,in] is needed, but {} is given",
            shape_text(x)
        ));
    }
    let units = recurrent.units;
    let directions = Dim::fixed(recurrent.direction.count());
    let rows = Dim::fixed(gates * units);
    let needed = [
        vec![directions, rows, features],
        vec![directions, rows, Dim::fixed(units)],
        vec![directions, Dim::fixed(2 * gates * units)],
    ];
    for (weight, needed) in inputs[1..].iter().zip(&needed) {
        if weight != needed {
            return Err(format!(
                "a weight has the shape {}; {} is needed",
                shape_text(weight),
                shape_text(needed)
            ));
        }
    }
    let units = Dim::fixed(units);
    Ok(match recurrent.output {
        RecurrentOutput::All => vec![steps, directions, n, units],
        RecurrentOutput::Last | RecurrentOutput::Cell => vec![directions, n, units],
    })
}
