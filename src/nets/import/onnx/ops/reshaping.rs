//! The target shape of a reshape. Files give shapes as numbers, with −1 for the remaining length and 0 for an
//! unchanged one; the batch may be a symbol, or a fixed number if the file was exported for that many images.

use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;

/// The shape of a reshape of `from` to `wanted`. `ahead` elements of an image are counted before the batch;
/// `batch` is the number of images that the file was exported for if that is fixed, else 1.
pub fn target(
    from: &[SymbolicInt],
    ahead: i64,
    wanted: &[SymbolicInt],
    batch: i64,
) -> Result<Vec<SymbolicInt>, NodeProblem> {
    symbolic(from, ahead, wanted)
        .or_else(|| numeric(from, ahead, wanted, batch))
        .ok_or_else(|| misfit(from, wanted))
}

/// The wanted shape, with its zeros replaced by the lengths of `from`.
pub fn zeros_filled(
    from: &[SymbolicInt],
    wanted: &[SymbolicInt],
) -> Result<Vec<SymbolicInt>, NodeProblem> {
    let filled = wanted.iter().enumerate().map(|(axis, &length)| {
        if length == SymbolicInt::fixed(0) {
            return from.get(axis).copied();
        }
        Some(length)
    });
    let filled: Option<Vec<SymbolicInt>> = filled.collect();
    filled.ok_or_else(|| misfit(from, wanted))
}

fn misfit(from: &[SymbolicInt], wanted: &[SymbolicInt]) -> NodeProblem {
    let words = |shape: &[SymbolicInt]| {
        let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
        format!("[{}]", axes.join(","))
    };
    NodeProblem::Cannot(format!(
        "values of the shape {} cannot be reshaped to {} for every number of images",
        words(from),
        words(wanted)
    ))
}

fn product<'a>(lengths: impl IntoIterator<Item = &'a SymbolicInt>) -> Option<SymbolicInt> {
    let one = SymbolicInt::fixed(1);
    lengths
        .into_iter()
        .try_fold(one, |all, &length| all.times(length))
}

/// Stands for the remaining length.
const REMAINING: SymbolicInt = SymbolicInt::fixed(-1);

/// The shape, if it holds as written for every number of images. An axis of the remaining length may hold the batch only
/// if the elements counted ahead of it were counted ahead of the batch before: \[2,−1\] in a file for two images means a
/// leading batch of two.
fn symbolic(from: &[SymbolicInt], ahead: i64, wanted: &[SymbolicInt]) -> Option<Vec<SymbolicInt>> {
    let all = product(from)?;
    let mut shape = wanted.to_vec();
    let mut open = (0..shape.len()).filter(|&axis| shape[axis] == REMAINING);
    if let Some(axis) = open.next() {
        if open.next().is_some() {
            return None;
        }
        let others = product(wanted.iter().filter(|&&length| length != REMAINING))?;
        shape[axis] = all.over(others)?;
        if axis > 0 && shape[axis].per_image != 0 {
            let in_front = product(&wanted[..axis])?.known()?;
            let was_ahead = in_front > 0 && ahead > 0 && ahead % in_front == 0;
            // [1,−1] in a file for one image means a leading batch of one.
            let leads = from.first().is_some_and(|length| length.per_image != 0);
            if !was_ahead || (leads && in_front == 1) {
                return None;
            }
        }
    }
    (product(&shape)? == all).then_some(shape)
}

/// The shape, if the file has its own batch as a number. As many elements as before must be counted ahead of
/// the batch. Of several axes that satisfy this, an axis that is the batch alone is preferred; then one that
/// the batch leads, as with attention's heads, except the last, which holds features; then one that it ends.
fn numeric(
    from: &[SymbolicInt],
    ahead: i64,
    wanted: &[SymbolicInt],
    batch: i64,
) -> Option<Vec<SymbolicInt>> {
    let at_batch = |length: &SymbolicInt| {
        length
            .fixed
            .checked_add(length.per_image.checked_mul(batch)?)
    };
    let before: Vec<i64> = from.iter().map(at_batch).collect::<Option<_>>()?;
    let mut after: Vec<i64> = wanted.iter().map(at_batch).collect::<Option<_>>()?;
    let all = before.iter().try_fold(1i64, |p, &n| p.checked_mul(n))?;
    if let Some(open) = after.iter().position(|&length| length == -1) {
        after[open] = 1;
        let others = after.iter().try_fold(1i64, |p, &n| p.checked_mul(n))?;
        after[open] = all.checked_div(others)?;
    }
    if after.iter().try_fold(1i64, |p, &n| p.checked_mul(n))? != all || batch == 0 || all == 0 {
        return None;
    }
    let batched = from.iter().position(|length| length.per_image != 0)?;
    let fit = |axis: usize| {
        let in_front: i64 = after[..axis].iter().product();
        let (inner, rest) = (ahead / in_front, ahead % in_front);
        let whole = rest == 0 && inner > 0 && after[axis] % (inner * batch) == 0;
        let behind = after[axis] / (inner * batch).max(1);
        let same = axis == batched && after.len() == before.len();
        let leads = inner == 1 && (behind == 1 || axis + 1 < after.len());
        whole.then_some((inner == 1 && behind == 1, leads, behind == 1, same))
    };
    let axes = (0..after.len()).rev();
    let (_, axis) = axes
        .filter_map(|axis| Some((fit(axis)?, axis)))
        .max_by_key(|&(fit, _)| fit)?;
    let mut shape: Vec<SymbolicInt> = after.iter().copied().map(SymbolicInt::fixed).collect();
    shape[axis] = SymbolicInt {
        fixed: 0,
        per_image: after[axis] / batch,
    };
    Some(shape)
}

/// Of `ahead` elements of one image counted before the batch, how many are within the batch's own axis; 1 if
/// the batch leads its axis.
pub fn ahead_within(shape: &[SymbolicInt], ahead: i64) -> i64 {
    let fixed = shape.iter().take_while(|length| length.per_image == 0);
    let in_front: i64 = fixed.map(|length| length.fixed).product();
    ahead.checked_div(in_front).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: SymbolicInt = SymbolicInt::BATCH;

    fn fixed(length: i64) -> SymbolicInt {
        SymbolicInt::fixed(length)
    }

    fn many(each: i64) -> SymbolicInt {
        SymbolicInt {
            fixed: 0,
            per_image: each,
        }
    }

    #[test]
    fn the_batch_finds_its_axis() {
        let image = [N, fixed(512), fixed(1), fixed(1)];
        for (from, wanted, shape) in [
            (&image[..], vec![N, fixed(-1)], vec![N, fixed(512)]),
            (&image, vec![fixed(-1), fixed(512)], vec![N, fixed(512)]),
            (&image, vec![fixed(1), fixed(-1)], vec![N, fixed(512)]),
            (&image, vec![fixed(1), fixed(512)], vec![N, fixed(512)]),
            (
                // Windows of a transformer, in a file exported for one image, and back.
                &[N, fixed(4), fixed(2), fixed(4), fixed(2), fixed(8)],
                vec![fixed(16), fixed(4), fixed(8)],
                vec![many(16), fixed(4), fixed(8)],
            ),
            (
                &[many(16), fixed(4), fixed(8)],
                vec![fixed(1), fixed(4), fixed(4), fixed(2), fixed(2), fixed(8)],
                vec![N, fixed(4), fixed(4), fixed(2), fixed(2), fixed(8)],
            ),
            (
                // A sequence: the batch stays after the steps.
                &[fixed(7), N, fixed(2), fixed(9)],
                vec![fixed(7), fixed(1), fixed(18)],
                vec![fixed(7), N, fixed(18)],
            ),
            (
                // Attention's images and heads in one axis.
                &[fixed(10), N, fixed(8)],
                vec![fixed(10), fixed(2), fixed(4)],
                vec![fixed(10), many(2), fixed(4)],
            ),
            (
                // Attention's steps and images in one axis, for a dense layer.
                &[fixed(10), N, fixed(2), fixed(4)],
                vec![fixed(10), fixed(8)],
                vec![many(10), fixed(8)],
            ),
        ] {
            let ahead = from.iter().take_while(|length| length.per_image == 0);
            let ahead = ahead.map(|length| length.fixed).product();
            assert_eq!(target(from, ahead, &wanted, 1).unwrap(), shape);
        }
    }

    #[test]
    fn a_joint_axis_of_steps_and_images_is_split_again() {
        let joined = [many(10), fixed(8)];
        assert_eq!(ahead_within(&joined, 10), 10);
        let apart = target(&joined, 10, &[fixed(10), fixed(1), fixed(8)], 1);
        assert_eq!(apart.unwrap(), [fixed(10), N, fixed(8)]);
        assert_eq!(ahead_within(&[fixed(10), N], 10), 1);
    }

    #[test]
    fn a_zero_keeps_the_size_of_its_axis() {
        let shape = zeros_filled(&[N, fixed(3)], &[fixed(0), fixed(-1)]).unwrap();
        assert_eq!(shape, [N, fixed(-1)]);
        assert!(zeros_filled(&[N], &[fixed(1), fixed(0)]).is_err());
    }

    #[test]
    fn a_file_for_several_images_runs_any_number() {
        let shape = target(&[N, fixed(3), fixed(4)], 1, &[fixed(8), fixed(12)], 8);
        assert_eq!(shape.unwrap(), [N, fixed(12)]);
        // Although the 294 numbers of an image could be halved.
        let image = [N, fixed(6), fixed(7), fixed(7)];
        for batch in [2, 3, 4] {
            let shape = target(&image, 1, &[fixed(batch), fixed(-1)], batch);
            assert_eq!(shape.unwrap(), [N, fixed(294)], "{batch}");
        }
    }

    #[test]
    fn a_remaining_length_never_takes_the_batch_from_its_place() {
        // Neighbouring channels of one image as a volume.
        let wanted = [fixed(1), fixed(1), fixed(3), fixed(16), fixed(-1)];
        let volume = target(&[N, fixed(3), fixed(16), fixed(16)], 1, &wanted, 1);
        let kept = [N, fixed(1), fixed(3), fixed(16), fixed(16)];
        assert_eq!(volume.unwrap(), kept);
        // Steps before the batch may stay there, all or a divisor of them.
        let steps = [fixed(10), N, fixed(8)];
        for (in_front, each) in [(10, many(2)), (5, many(4))] {
            let shape = target(&steps, 10, &[fixed(in_front), fixed(-1), fixed(4)], 1);
            assert_eq!(shape.unwrap(), [fixed(in_front), each, fixed(4)]);
        }
        let shape = target(&steps, 10, &[fixed(20), fixed(-1)], 1);
        assert_eq!(shape.unwrap(), [many(20), fixed(4)]);
    }

    #[test]
    fn a_shape_that_does_not_fit_is_reported() {
        let problem = target(&[N, fixed(3)], 1, &[N, fixed(4)], 1).unwrap_err();
        let NodeProblem::Cannot(words) = problem else {
            panic!("{problem:?}");
        };
        assert!(
            words.contains("[N,3]") && words.contains("[N,4]"),
            "{words}"
        );
    }
}
