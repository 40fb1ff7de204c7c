//! `Einsum`: sums of products over named axes, as matrix products between reshapes and transposes.

use super::super::call::{ImportValue, OnnxCall};
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::floats;
use super::moving::transposed;
use super::shape::{lengths, reshaped};
use crate::nets::graph::op::{Binary, ReducedAxes, Reduction};
use crate::nets::graph::{NodeInput, Op};

/// The name of an axis: a letter of the equation, or one of [`ELLIPSIS`].
type Axis = char;

/// Stands for the last axis of an ellipsis; those after it for the axes before that.
const ELLIPSIS: u32 = 0xE000;

/// A value with the names of its axes.
struct Term {
    value: ImportValue,
    axes: Vec<Axis>,
}

/// `Einsum`: its inputs are multiplied one after the other.
pub fn einsum(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let equation = call.attributes.text("equation").unwrap_or_default();
    let words =
        || NodeProblem::Cannot(format!("its equation `{equation}` does not fit its inputs"));
    let written = equation.replace(' ', "");
    let (left, right) = match written.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (written.as_str(), None),
    };
    let parts: Vec<&str> = left.split(',').collect();
    if parts.len() != call.inputs.len() {
        return Err(words());
    }
    let mut terms = Vec::new();
    for (place, part) in parts.into_iter().enumerate() {
        let value = call.input(place)?.clone();
        let rank = importer.dims(&value)?.len();
        let axes = named(part, rank).ok_or_else(words)?;
        if (1..axes.len()).any(|place| axes[..place].contains(&axes[place])) {
            return NodeProblem::cannot(format!("its equation `{equation}` takes a diagonal"));
        }
        terms.push(Term { value, axes });
    }
    let result = match right {
        Some(right) => output(right, &terms),
        None => implicit(&terms),
    };
    let is_input = |axis: &Axis| terms.iter().any(|term| term.axes.contains(axis));
    if !result.iter().all(is_input) {
        return Err(words());
    }
    let mut terms = repeated(importer, call, terms)?.into_iter();
    let mut all = terms.next().ok_or_else(words)?;
    while let Some(next) = terms.next() {
        let later = terms.as_slice().iter().flat_map(|term| &term.axes);
        let kept: Vec<Axis> = result.iter().chain(later).copied().collect();
        all = product(importer, call, all, next, &kept)?;
    }
    let all = summed(importer, call, all, &result)?;
    Ok(vec![ordered(importer, &call.name, &all, &result)?])
}

/// The names of an input's axes; `None` if they do not fit its number of axes.
fn named(part: &str, rank: usize) -> Option<Vec<Axis>> {
    let (before, after) = match part.split_once("...") {
        Some(around) => around,
        None => (part, ""),
    };
    let letters = || before.chars().chain(after.chars());
    let (count, known) = (
        letters().count(),
        letters().all(|letter| letter.is_ascii_alphabetic()),
    );
    let open = rank.checked_sub(count)?;
    (known && (open == 0 || part.contains("..."))).then(|| {
        let open = (0..open).rev().filter_map(of_ellipsis);
        before.chars().chain(open).chain(after.chars()).collect()
    })
}

/// The name of an axis of an ellipsis, counted from its end.
fn of_ellipsis(from_end: usize) -> Option<Axis> {
    let from_end = u32::try_from(from_end).ok()?;
    char::from_u32(ELLIPSIS.checked_add(from_end)?)
}

/// The axes of the longest ellipsis, in order.
fn ellipsis(terms: &[Term]) -> Vec<Axis> {
    let all = terms.iter().flat_map(|term| &term.axes);
    let mut open: Vec<Axis> = all
        .copied()
        .filter(|&axis| axis as u32 >= ELLIPSIS)
        .collect();
    open.sort_unstable_by_key(|&axis| std::cmp::Reverse(axis));
    open.dedup();
    open
}

/// The axes of the output that an equation names.
fn output(right: &str, terms: &[Term]) -> Vec<Axis> {
    match right.split_once("...") {
        Some((before, after)) => before
            .chars()
            .chain(ellipsis(terms))
            .chain(after.chars())
            .collect(),
        None => right.chars().collect(),
    }
}

/// The axes of the output of an equation without one: the letters that occur once, in alphabetical order.
fn implicit(terms: &[Term]) -> Vec<Axis> {
    let all = || terms.iter().flat_map(|term| term.axes.iter().copied());
    let once = |axis: &Axis| all().filter(|other| other == axis).count() == 1;
    let mut letters: Vec<Axis> = all().filter(|&axis| (axis as u32) < ELLIPSIS).collect();
    letters.retain(once);
    letters.sort_unstable();
    ellipsis(terms).into_iter().chain(letters).collect()
}

/// The terms without axes of length one that are longer in another term: along these they are repeated.
fn repeated(
    importer: &mut Importer,
    call: &OnnxCall,
    terms: Vec<Term>,
) -> Result<Vec<Term>, NodeProblem> {
    let one = SymbolicInt::fixed(1);
    let mut long = Vec::new();
    for term in &terms {
        let axes = term.axes.iter().zip(lengths(importer, &term.value)?);
        let axes = axes.filter(|(_, length)| *length != one);
        long.extend(axes.map(|(&axis, _)| axis));
    }
    let mut found = Vec::new();
    for term in terms {
        let all = lengths(importer, &term.value)?;
        let is_kept = |place: &usize| all[*place] != one || !long.contains(&term.axes[*place]);
        let kept: Vec<usize> = (0..all.len()).filter(is_kept).collect();
        let shape: Vec<SymbolicInt> = kept.iter().map(|&place| all[place]).collect();
        let name = format!("{}.once", call.name);
        found.push(Term {
            value: reshaped(importer, &name, &term.value, &shape)?,
            axes: kept.iter().map(|&place| term.axes[place]).collect(),
        });
    }
    Ok(found)
}

/// A term summed over its axes that are not kept.
fn summed(
    importer: &mut Importer,
    call: &OnnxCall,
    term: Term,
    kept: &[Axis],
) -> Result<Term, NodeProblem> {
    let gone = |place: &usize| !kept.contains(&term.axes[*place]);
    let over: Vec<usize> = (0..term.axes.len()).filter(gone).collect();
    if over.is_empty() {
        return Ok(term);
    }
    let name = format!("{}.sum", call.name);
    let input = importer.operand(&term.value, &name)?;
    let op = Op::Reduce {
        reduction: Reduction::Sum,
        axes: over,
        axes_after: ReducedAxes::Dropped,
    };
    Ok(Term {
        value: importer.emit_value(&name, op, &[input])?,
        axes: term
            .axes
            .into_iter()
            .filter(|axis| kept.contains(axis))
            .collect(),
    })
}

/// A term's value with its axes in this order.
fn ordered(
    importer: &mut Importer,
    name: &str,
    term: &Term,
    axes: &[Axis],
) -> Result<ImportValue, NodeProblem> {
    let place = |axis: &Axis| term.axes.iter().position(|other| other == axis);
    let order: Option<Vec<usize>> = axes.iter().map(place).collect();
    let words = || NodeProblem::Cannot("its output names an axis twice".into());
    let order = order.filter(|order| order.len() == term.axes.len());
    transposed(importer, name, &term.value, &order.ok_or_else(words)?)
}

/// The lengths of these axes of a term.
fn lengths_of(
    importer: &Importer,
    term: &Term,
    axes: &[Axis],
) -> Result<Vec<SymbolicInt>, NodeProblem> {
    let all = lengths(importer, &term.value)?;
    let length = |axis: &Axis| term.axes.iter().position(|other| other == axis);
    Ok(axes
        .iter()
        .filter_map(length)
        .map(|place| all[place])
        .collect())
}

/// The product of two terms, summed over all axes but those that are kept.
fn product(
    importer: &mut Importer,
    call: &OnnxCall,
    a: Term,
    b: Term,
    kept: &[Axis],
) -> Result<Term, NodeProblem> {
    let wanted = |other: &Term| [kept, &other.axes[..]].concat();
    let (for_a, for_b) = (wanted(&b), wanted(&a));
    let a = summed(importer, call, a, &for_a)?;
    let b = summed(importer, call, b, &for_b)?;
    // A matrix of weights is on the right, as in a dense layer.
    let shares = |axis: &Axis| a.axes.contains(axis) && b.axes.contains(axis);
    let alone = !a
        .axes
        .iter()
        .any(|axis| shares(axis) && kept.contains(axis));
    let (a, b) = match a.value.constant().is_some() && alone {
        true => (b, a),
        false => (a, b),
    };
    let (both, left): (Vec<Axis>, Vec<Axis>) =
        a.axes.iter().partition(|axis| b.axes.contains(axis));
    let (shared, inner): (Vec<Axis>, Vec<Axis>) =
        both.into_iter().partition(|axis| kept.contains(axis));
    let right = b.axes.iter().filter(|axis| !a.axes.contains(axis));
    let right: Vec<Axis> = right.copied().collect();
    let common = [&shared[..], &inner].concat();
    if lengths_of(importer, &a, &common)? != lengths_of(importer, &b, &common)? {
        return NodeProblem::cannot("its inputs differ in the length of an axis");
    }
    let of_shared = lengths_of(importer, &a, &shared)?;
    let of_left = lengths_of(importer, &a, &left)?;
    let of_right = lengths_of(importer, &b, &right)?;
    let part = |role: &str| format!("{}.{role}", call.name);
    let axes = [&shared[..], &left, &right].concat();
    let rows = ordered(
        importer,
        &part("left"),
        &a,
        &[&shared[..], &left, &inner].concat(),
    )?;
    let columns = [&shared[..], &inner, &right].concat();
    let columns = ordered(importer, &part("right"), &b, &columns)?;
    let one = SymbolicInt::fixed(1);
    if inner.is_empty() {
        let ones = |count: usize| vec![one; count];
        let rows_shape = [&of_shared[..], &of_left, &ones(right.len())].concat();
        let columns_shape = [&of_shared[..], &ones(left.len()), &of_right].concat();
        let rows = reshaped(importer, &part("left"), &rows, &rows_shape)?;
        let columns = reshaped(importer, &part("right"), &columns, &columns_shape)?;
        let inputs = [
            importer.operand(&rows, &part("left"))?,
            importer.operand(&columns, &part("right"))?,
        ];
        let value = importer.emit_value(&call.name, Op::Binary(Binary::Mul), &inputs)?;
        return Ok(Term { value, axes });
    }
    let joined = |lengths: &[SymbolicInt]| {
        let words = || NodeProblem::Cannot("its axes cannot be merged".into());
        SymbolicInt::product(lengths).ok_or_else(words)
    };
    let sum = joined(&lengths_of(importer, &a, &inner)?)?;
    let width = joined(&of_right)?;
    let columns_shape = [&of_shared[..], &[sum, width]].concat();
    let columns = reshaped(importer, &part("right"), &columns, &columns_shape)?;
    // A dense layer takes any number of axes before the last one.
    let dense = shared.is_empty() && columns.constant().is_some();
    let of_rows = match dense {
        true => of_left.clone(),
        false => vec![joined(&of_left)?],
    };
    let rows_shape = [&of_shared[..], &of_rows, &[sum]].concat();
    let rows = reshaped(importer, &part("left"), &rows, &rows_shape)?;
    let rows = importer.operand(&rows, &part("left"))?;
    let matrix = columns
        .constant()
        .filter(|_| dense && matches!(rows, NodeInput::Node(_)));
    let (op, columns) = match (matrix, &columns) {
        (Some(matrix), ImportValue::Weight(name, _)) => {
            (Op::Dense, importer.weight(name, &floats(matrix)?)?)
        }
        (Some(matrix), _) => {
            let name = part("weight");
            (Op::Dense, importer.weight(&name, &floats(matrix)?)?)
        }
        (None, value) => (Op::MatMul, importer.operand(value, &part("right"))?),
    };
    let value = importer.emit_value(&call.name, op, &[rows, columns])?;
    let shape = [of_shared, of_left, of_right].concat();
    Ok(Term {
        value: reshaped(importer, &part("axes"), &value, &shape)?,
        axes,
    })
}
