//! Steps along an axis of given length, never leaving it.

use std::cmp::Ordering;

/// One step along an axis of `length` positions, stopping at its ends.
pub fn along(at: usize, step: isize, length: usize) -> usize {
    let last = length.saturating_sub(1);
    at.min(last).saturating_add_signed(step).min(last)
}

/// One step among `values` by their size, whatever their order, stopping at the smallest and largest.
pub fn by_size<T: PartialOrd>(at: usize, step: isize, values: &[T]) -> usize {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| {
        let by_value = values[a].partial_cmp(&values[b]);
        by_value.unwrap_or(Ordering::Equal)
    });
    let at = at.min(values.len().saturating_sub(1));
    let now = order.iter().position(|&index| index == at).unwrap_or(0);
    order
        .get(along(now, step, order.len()))
        .copied()
        .unwrap_or(0)
}

/// One step around a ring of `length` positions: the first follows the last.
pub fn around(at: usize, step: isize, length: usize) -> usize {
    match length {
        0 => at,
        _ => (at as isize + step).rem_euclid(length as isize) as usize,
    }
}

/// A step to the row above or below in a grid, if there is one: `step` is the number of columns, positive or
/// negative.
pub fn row(at: usize, step: isize, length: usize) -> usize {
    let next = at as isize + step;
    match (0..length as isize).contains(&next) {
        true => next as usize,
        false => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_never_leaves_its_axis() {
        assert_eq!((along(0, -1, 4), along(3, 1, 4), along(9, 1, 4)), (0, 3, 3));
        assert_eq!((along(5, 1, 0), by_size::<f64>(5, 1, &[])), (0, 0));
        assert_eq!(
            (around(0, -1, 4), around(3, 1, 4), around(7, 1, 0)),
            (3, 0, 7)
        );
        assert_eq!((row(1, 5, 10), row(6, 5, 10), row(1, -5, 10)), (6, 6, 1));
    }

    #[test]
    fn values_are_stepped_through_by_size() {
        let values = [0.3, 0.1, 0.2];
        assert_eq!((by_size(1, 1, &values), by_size(2, 1, &values)), (2, 0));
        assert_eq!(by_size(usize::MAX, -1, &values), 1);
    }
}
