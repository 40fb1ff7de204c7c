//! Spike-triggered sums over one portion of images.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{SummedSite, TriggeredSums, append_activations};
use crate::nets::plan::layout::GROUPS;
use crate::nets::plan::product::{load, store};
use crate::nets::plan::steps::Portion;
use crate::session::form::Shape;

/// Units summed together.
const UNITS: usize = 5;

/// Adjacent pixels summed together.
const PIXELS: usize = 5;

/// Positions summed before the next ones: their activations, for one tile of units and sixteen lanes, fill half of
/// an L1 cache.
const POSITION_BLOCK: usize = 72;

/// The images of a portion minus one half, without borders; lanes without an image are zero.
pub(super) struct CentredImages {
    /// \[groups,C,H,W,lanes\].
    values: Vec<f32>,
    shape: Shape,
    /// Images in each group.
    counts: Vec<usize>,
    lanes: usize,
}

impl CentredImages {
    pub(super) fn new(portion: &Portion) -> Self {
        let lanes = portion.lanes();
        let place = *portion.slot(0);
        let mut values = Vec::with_capacity(GROUPS * place.elements() * lanes);
        let mut counts = Vec::new();
        for group in 0..portion.images.div_ceil(lanes) {
            let count = lanes.min(portion.images - group * lanes);
            let shown = portion.value(0, group);
            for channel in 0..place.channels {
                for row in 0..place.rows {
                    let first = place.offset(channel, row, 0) * lanes;
                    let row = &shown[first..first + place.columns * lanes];
                    if count == lanes {
                        values.extend(row.iter().map(|x| x - 0.5));
                        continue;
                    }
                    for pixel in row.chunks_exact(lanes) {
                        values.extend(pixel[..count].iter().map(|x| x - 0.5));
                        values.extend(std::iter::repeat_n(0.0, lanes - count));
                    }
                }
            }
            counts.push(count);
        }
        Self {
            values,
            shape: [place.channels, place.rows, place.columns],
            counts,
            lanes,
        }
    }

    fn numbers(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The sums of a portion at one site.
pub(super) struct PortionSum<'a> {
    pub images: &'a CentredImages,
    /// Output of the site's node, by group.
    pub activations: Vec<&'a [f32]>,
    /// Offsets of the units in it.
    pub units: &'a [usize],
    /// Offsets of the positions in it.
    pub positions: &'a [usize],
    pub site: &'a SummedSite,
    pub sums: &'a mut TriggeredSums,
}

impl WithSimd for PortionSum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.count_activations(simd);
        if self.site.is_matrix_product() {
            for (answers, count) in self.activations.iter().zip(&self.images.counts) {
                for lane in 0..*count {
                    let all = &mut self.sums.unsummed;
                    let offsets = (self.units, self.positions);
                    append_activations(&answers[lane..], S::F32_LANES, offsets, all);
                }
            }
            return;
        }
        // For the positions of all groups: pointers to the field and to the activation at unit offset zero.
        let lanes = S::F32_LANES;
        let [_, _, columns] = self.images.shape;
        let numbers = self.images.numbers();
        let mut all = Vec::with_capacity(self.activations.len() * self.positions.len());
        for (group, answers) in self.activations.iter().enumerate() {
            let image = &self.images.values[group * numbers * lanes..][..numbers * lanes];
            for (&(top, left), position) in self.site.corners.iter().zip(self.positions) {
                let shown = image[(top * columns + left) * lanes..].as_ptr();
                all.push((shown, answers[position * lanes..].as_ptr()));
            }
        }
        self.check(lanes);
        let [channels, high, wide] = self.site.field;
        let pixels = channels * high * wide;
        let mut kept = vec![0.0_f32; UNITS * pixels * lanes];
        for first in (0..self.units.len()).step_by(UNITS) {
            let units = UNITS.min(self.units.len() - first);
            kept.fill(0.0);
            for places in all.chunks(POSITION_BLOCK) {
                let line_start = |line: usize| {
                    let (channel, row) = (line / high, line % high);
                    (channel * self.images.shape[1] + row) * columns
                };
                for line in 0..channels * high {
                    for left in (0..wide).step_by(PIXELS) {
                        let count = PIXELS.min(wide - left);
                        let tile = Tile {
                            places,
                            shift: (line_start(line) + left) * lanes,
                            units: first..first + units,
                            pixel: line * wide + left,
                            pixels,
                        };
                        self.tile(simd, &tile, count, &mut kept);
                    }
                }
            }
            for (unit, sums) in self.sums.weighted[first * pixels..]
                .chunks_exact_mut(pixels)
                .take(units)
                .enumerate()
            {
                let kept = kept[unit * pixels * lanes..].chunks_exact(lanes);
                for (sum, lanes) in sums.iter_mut().zip(kept) {
                    *sum += lanes.iter().map(|&x| f64::from(x)).sum::<f64>();
                }
            }
        }
    }
}

/// A few pixels of a few units, over a few positions.
struct Tile<'a> {
    places: &'a [(*const f32, *const f32)],
    /// Offset from the first pixel of a field to the tile's first pixel.
    shift: usize,
    units: Range<usize>,
    /// Index of the tile's first pixel in a field.
    pixel: usize,
    /// Pixels of a field.
    pixels: usize,
}

impl PortionSum<'_> {
    /// Adds up `nonzero`, `activation` and `magnitude` of every unit.
    #[inline(always)]
    fn count_activations<S: Simd>(&mut self, simd: S) {
        let lanes = S::F32_LANES;
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        for (unit, offset) in self.units.iter().enumerate() {
            for (answers, count) in self.activations.iter().zip(&self.images.counts) {
                let mut sums = [zero; 3];
                for position in self.positions {
                    let activations = &answers[(offset + position) * lanes..][..lanes];
                    let a = simd.partial_load_f32s(activations);
                    let silent = simd.equal_f32s(a, zero);
                    sums[0] = simd.add_f32s(sums[0], simd.select_f32s(silent, zero, one));
                    sums[1] = simd.add_f32s(sums[1], a);
                    sums[2] = simd.add_f32s(sums[2], simd.abs_f32s(a));
                }
                let totals = [
                    &mut self.sums.nonzero[unit],
                    &mut self.sums.activation[unit],
                    &mut self.sums.magnitude[unit],
                ];
                for (total, sum) in totals.into_iter().zip(sums) {
                    let mut numbers = [0.0_f32; 16];
                    simd.partial_store_f32s(&mut numbers[..lanes], sum);
                    let numbers = numbers[..*count].iter().map(|&x| f64::from(x));
                    *total += numbers.sum::<f64>();
                }
            }
        }
    }

    /// Checks that every field lies inside the image and every activation inside its tensor.
    ///
    /// # Panics
    /// If any does not.
    fn check(&self, lanes: usize) {
        let [channels, high, wide] = self.site.field;
        let [image_channels, rows, columns] = self.images.shape;
        assert_eq!((channels, lanes), (image_channels, self.images.lanes));
        for &(top, left) in &self.site.corners {
            assert!(
                top + high <= rows && left + wide <= columns,
                "a field outside the image"
            );
        }
        let max = |all: &[usize]| all.iter().copied().max().unwrap_or(0);
        let last = (max(self.units) + max(self.positions) + 1) * lanes;
        assert!(
            self.activations.iter().all(|values| last <= values.len()),
            "an activation outside its tensor"
        );
        assert_eq!(self.positions.len(), self.site.corners.len());
    }

    #[inline(always)]
    fn tile<S: Simd>(&self, simd: S, tile: &Tile, count: usize, kept: &mut [f32]) {
        match (tile.units.len(), count) {
            (UNITS, 5) => self.tile_of::<S, UNITS, 5>(simd, tile, kept),
            (UNITS, 4) => self.tile_of::<S, UNITS, 4>(simd, tile, kept),
            (UNITS, 3) => self.tile_of::<S, UNITS, 3>(simd, tile, kept),
            (UNITS, 2) => self.tile_of::<S, UNITS, 2>(simd, tile, kept),
            (UNITS, _) => self.tile_of::<S, UNITS, 1>(simd, tile, kept),
            _ => {
                for unit in tile.units.clone() {
                    let kept = &mut kept[(unit - tile.units.start) * tile.pixels * S::F32_LANES..];
                    let tile = Tile {
                        units: unit..unit + 1,
                        ..*tile
                    };
                    match count {
                        5 => self.tile_of::<S, 1, 5>(simd, &tile, kept),
                        4 => self.tile_of::<S, 1, 4>(simd, &tile, kept),
                        3 => self.tile_of::<S, 1, 3>(simd, &tile, kept),
                        2 => self.tile_of::<S, 1, 2>(simd, &tile, kept),
                        _ => self.tile_of::<S, 1, 1>(simd, &tile, kept),
                    }
                }
            }
        }
    }

    /// Sums U units and T pixels; with few registers, two pixels at a time.
    #[inline(always)]
    fn tile_of<S: Simd, const U: usize, const T: usize>(
        &self,
        simd: S,
        tile: &Tile,
        kept: &mut [f32],
    ) {
        if S::REGISTER_COUNT >= 32 {
            self.pixels_of::<S, U, T>(simd, tile, 0, kept);
            return;
        }
        for pair in 0..T / 2 {
            self.pixels_of::<S, U, 2>(simd, tile, 2 * pair, kept);
        }
        if T % 2 == 1 {
            self.pixels_of::<S, U, 1>(simd, tile, T - 1, kept);
        }
    }

    #[inline(always)]
    fn pixels_of<S: Simd, const U: usize, const T: usize>(
        &self,
        simd: S,
        tile: &Tile,
        from: usize,
        kept: &mut [f32],
    ) {
        let lanes = S::F32_LANES;
        let at = |u: usize, t: usize| (u * tile.pixels + tile.pixel + from + t) * lanes;
        let mut acc = [[simd.splat_f32s(0.0); T]; U];
        assert!(at(U - 1, T - 1) + lanes <= kept.len());
        let units: [usize; U] = std::array::from_fn(|u| self.units[tile.units.start + u] * lanes);
        // SAFETY: `kept` is long enough, as asserted; `check` has verified that fields and activations lie inside
        // their tensors.
        unsafe {
            for (u, acc) in acc.iter_mut().enumerate() {
                for (t, acc) in acc.iter_mut().enumerate() {
                    *acc = load(simd, kept.as_ptr().add(at(u, t)));
                }
            }
            for &(shown, answers) in tile.places {
                let shown = shown.add(tile.shift + from * lanes);
                let mut s = [simd.splat_f32s(0.0); T];
                for (t, s) in s.iter_mut().enumerate() {
                    *s = load(simd, shown.add(t * lanes));
                }
                for (u, acc) in acc.iter_mut().enumerate() {
                    let a = load(simd, answers.add(units[u]));
                    for t in 0..T {
                        acc[t] = simd.mul_add_f32s(a, s[t], acc[t]);
                    }
                }
            }
            for (u, acc) in acc.iter().enumerate() {
                for (t, acc) in acc.iter().enumerate() {
                    store(simd, kept.as_mut_ptr().add(at(u, t)), *acc);
                }
            }
        }
    }
}
