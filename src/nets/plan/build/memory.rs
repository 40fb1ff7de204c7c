//! Assigns memory to the tensors of a program.

use crate::nets::plan::layout::MemoryAreas;

/// Total size of local tensors, in elements per lane, above which they share memory: eight megabytes with sixteen
/// lanes.
const MIN_SHARED_LEN: usize = 1 << 17;

/// Assigns memory to tensors. `values` has the size of each and whether it lies in the frames; `lives` the first and
/// last step that uses it; `kept` whether its memory must not be reused.
///
/// Returns the offset of each tensor (and whether it lies in the frames), the size of the memory areas, and whether
/// local tensors share memory. Local tensors that are not needed at the same time share memory if all of them
/// together would not fit in the caches; in the frames they always do, except `kept` ones.
pub fn assign_memory(
    values: &[(usize, bool)],
    lives: &[(usize, usize)],
    kept: &[bool],
) -> (Vec<(usize, bool)>, MemoryAreas, bool) {
    let local = values.iter().filter(|(_, framed)| !framed);
    let shared = local.map(|(size, _)| size).sum::<usize>() > MIN_SHARED_LEN;
    let mut frames = MemoryAreas::default();
    let mut resolved: Vec<(usize, bool)> = Vec::new();
    for (value, &(size, framed)) in values.iter().enumerate() {
        let must_not_overlap = |other: usize| match framed {
            true => kept[value] || kept[other],
            false => !shared,
        };
        // The lowest offset that is free for as long as the tensor is needed.
        let mut taken: Vec<(usize, usize)> = (0..value)
            .filter(|&other| values[other].1 == framed)
            .filter(|&other| {
                let alive = lives[other].0 <= lives[value].1 && lives[value].0 <= lives[other].1;
                alive || must_not_overlap(other)
            })
            .map(|other| (resolved[other].0, resolved[other].0 + values[other].0))
            .collect();
        taken.sort_unstable();
        let at = taken
            .iter()
            .fold(0, |at, &(from, to)| match at + size <= from {
                true => at,
                false => at.max(to),
            });
        let area = if framed {
            &mut frames.per_group
        } else {
            &mut frames.shared
        };
        *area = (*area).max(at + size);
        resolved.push((at, framed));
    }
    (resolved, frames, shared)
}
