//! Where the values of a program stand.

use crate::nets::plan::layout::Frames;

/// Numbers of local values, for one lane, from which on they share memory: eight megabytes of sixteen lanes.
const SHARED: usize = 1 << 17;

/// Where every value stands and whether in the frames, the areas, and whether local values share memory:
/// those that are not needed at the same time do, where all of them would leave the caches. In the frames
/// they always do, but for those that must stay (`kept`).
pub fn placed(
    values: &[(usize, bool)],
    lives: &[(usize, usize)],
    kept: &[bool],
) -> (Vec<(usize, bool)>, Frames, bool) {
    let local = values.iter().filter(|(_, framed)| !framed);
    let shared = local.map(|(size, _)| size).sum::<usize>() > SHARED;
    let mut frames = Frames::default();
    let mut resolved: Vec<(usize, bool)> = Vec::new();
    for (value, &(size, framed)) in values.iter().enumerate() {
        let together = |other: usize| match framed {
            true => kept[value] || kept[other],
            false => !shared,
        };
        // The lowest place that is free as long as it is needed.
        let mut taken: Vec<(usize, usize)> = (0..value)
            .filter(|&other| values[other].1 == framed)
            .filter(|&other| {
                let alive = lives[other].0 <= lives[value].1 && lives[value].0 <= lives[other].1;
                alive || together(other)
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
            &mut frames.frame
        } else {
            &mut frames.local
        };
        *area = (*area).max(at + size);
        resolved.push((at, framed));
    }
    (resolved, frames, shared)
}
