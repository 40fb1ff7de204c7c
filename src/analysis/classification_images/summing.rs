//! Counts and sums of the trials of a block, by the margins of the table of true and predicted classes.

mod integers;
mod multiply;
#[cfg(test)]
mod tests;

use std::ops::AddAssign;

use self::multiply::{centred_products, multiply};
use super::Readout;
use super::responses::TrialResponses;
use crate::data::Images;
use crate::ids::{BlockIndex, ClassId};
use crate::session::config::Weighting;
use crate::session::record::{BlockEvidence, BlockSums, TrialKind, TrialRows};
use crate::stats::classification::{MAX_PAIRED_CLASSES, sums_per_class};
use crate::stimulus::{DrawnBlock, NoiseSource, Pool};

/// Most classes for which the joint table is small compared with a block.
const MOST_BY_CELL: usize = 32;

/// Trials whose noise is multiplied at a time: this many fit in a processor's cache.
const AT_A_TIME: usize = 64;

/// How the trials of a block are summed.
#[derive(Debug, Clone)]
pub struct BlockSummer {
    rows: TrialRows,
    /// Points of a noise image.
    points: usize,
    /// For every number of an image, the grid cell it belongs to; `None` if every number is its own cell.
    cells: Option<Vec<usize>>,
    /// Whether the deviation of the noise must be measured.
    moments: bool,
    /// Whether evidence needs its own sums of the noise by true class.
    own_strata: bool,
    /// Whether trials are weighted.
    weighted: bool,
    /// This processor's SIMD.
    vectors: pulp::Arch,
}

impl BlockSummer {
    /// For trials of this kind, with noise from `source` and images like `images`.
    pub fn new(kind: &TrialKind, source: &NoiseSource, images: &Images) -> Self {
        Self {
            rows: kind.rows(),
            points: source.points(),
            cells: kind.grain.cells(images.shape()),
            moments: source.noise().deviation(images.shape()).is_none(),
            own_strata: kind.evidence_rows() > 0,
            weighted: kind.weighting == Weighting::Confidence,
            vectors: pulp::Arch::new(),
        }
    }

    /// The rows of the sums.
    pub fn rows(&self) -> &TrialRows {
        &self.rows
    }

    /// Whether evidence needs its own sums of the noise by true class.
    pub(super) fn has_own_strata(&self) -> bool {
        self.own_strata
    }

    /// Whether the deviation of the noise must be measured.
    pub(super) fn has_moments(&self) -> bool {
        self.moments
    }

    /// Image sums, \[P\], pooled over the cells of the noise's grid, \[points\].
    pub(super) fn on_grid(&self, pixels: &[i64]) -> Vec<i64> {
        let Some(cells) = &self.cells else {
            return pixels.to_vec();
        };
        let mut sums = vec![0; self.points];
        for (&sum, &cell) in pixels.iter().zip(cells) {
            sums[cell] += sum;
        }
        sums
    }

    /// Adds the bytes of an image times a weight to their grid cells, \[points\].
    fn add_to_grid(&self, sums: &mut Vec<i64>, cells: &[usize], bytes: &[u8], weight: u64) {
        sums.resize(self.points, 0);
        for (&byte, &cell) in bytes.iter().zip(cells) {
            sums[cell] += weight as i64 * i64::from(byte);
        }
    }

    /// Whether trials are first summed by cell of the joint table: every trial is then added once instead of two
    /// or three times, which pays off with few classes.
    fn by_cell(&self) -> bool {
        self.rows.classes() <= MOST_BY_CELL
    }

    /// Number of intermediate sums of a block.
    fn sums(&self) -> usize {
        match self.by_cell() {
            true => self.rows.classes().pow(2),
            false => self.rows.count(),
        }
    }

    /// The intermediate sums that a trial is added to.
    fn sums_of(&self, truth: ClassId, predicted: ClassId) -> impl Iterator<Item = usize> {
        let cell = self
            .by_cell()
            .then(|| truth.0 * self.rows.classes() + predicted.0);
        let rows = self.rows.for_trial(truth, predicted);
        cell.into_iter().chain(rows.filter(move |_| cell.is_none()))
    }

    /// Combines intermediate sums into the rows they belong to.
    fn by_row<T: Copy + AddAssign>(&self, sums: Vec<Vec<T>>) -> Vec<Vec<T>> {
        if !self.by_cell() {
            return sums;
        }
        let classes = self.rows.classes();
        let mut all = vec![Vec::new(); self.rows.count()];
        for (cell, sum) in sums.iter().enumerate().filter(|(_, sum)| !sum.is_empty()) {
            let mut rows = self
                .rows
                .for_trial(ClassId(cell / classes), ClassId(cell % classes));
            while let Some(first) = rows.next() {
                match rows.next() {
                    Some(second) => {
                        let mut taken = std::mem::take(&mut all[first]);
                        self.vectors
                            .dispatch(|| add_to_both(&mut taken, &mut all[second], sum));
                        all[first] = taken;
                    }
                    None => add(&mut all[first], sum.iter().copied()),
                }
            }
        }
        all
    }

    /// Counts and exact sums of one block.
    pub fn sum(
        &self,
        index: BlockIndex,
        block: &DrawnBlock,
        readout: &Readout,
        pool: &Pool,
    ) -> BlockSums {
        let (rows, points) = (&self.rows, self.points);
        let classes = rows.classes();
        let mut counts = vec![0; classes * classes];
        let mut weights = (Vec::new(), Vec::new());
        let weighted = self.weighted && readout.weights.is_some();
        if weighted {
            weights = (counts.clone(), counts.clone());
        }
        // 8,192 trials of 65,535 fit 32 bits: half the memory traffic of the final 64. With ten-bit
        // weights they do not.
        let mut noise: Vec<Vec<u32>> = vec![Vec::new(); self.sums()];
        let mut heavy: Vec<Vec<i64>> = vec![Vec::new(); self.sums()];
        // Weighted bytes also fit, unless a grid cell covers several.
        let mut image: Vec<Vec<u32>> = vec![Vec::new(); rows.listed()];
        let mut grid: Vec<Vec<i64>> = vec![Vec::new(); rows.listed()];
        let mut moments = vec![0_i64; if self.moments { 2 * points } else { 0 }];
        let mut dropped = 0;
        for (trial, (&truth, &predicted)) in block.truth.iter().zip(&readout.decisions).enumerate()
        {
            let weight = readout.weights.as_ref().map_or(1, |all| all[trial]);
            if weight == 0 {
                dropped += 1;
                continue;
            }
            let cell = truth.0 * classes + predicted.0;
            counts[cell] += 1;
            let weight = u64::from(weight);
            let noise_image = &block.noise[trial * points..(trial + 1) * points];
            if weighted {
                weights.0[cell] += weight;
                weights.1[cell] += weight * weight;
                for sum in self.sums_of(truth, predicted) {
                    let values = noise_image.iter().map(|&k| weight as i64 * i64::from(k));
                    add(&mut heavy[sum], values);
                }
            } else {
                for sum in self.sums_of(truth, predicted) {
                    let sums = &mut noise[sum];
                    self.vectors.dispatch(|| add_points(sums, noise_image));
                }
            }
            if let (Some(place), Some(&index_in_pool)) =
                (rows.place(predicted), block.image.get(trial))
            {
                let bytes = pool.image(index_in_pool);
                match &self.cells {
                    Some(cells) => self.add_to_grid(&mut grid[place], cells, bytes, weight),
                    None => {
                        let sums = &mut image[place];
                        self.vectors
                            .dispatch(|| add_bytes(sums, bytes, weight as u32));
                    }
                }
            }
            if !moments.is_empty() {
                let (first, second) = moments.split_at_mut(points);
                for ((first, second), &k) in first.iter_mut().zip(second).zip(noise_image) {
                    *first += i64::from(k);
                    *second += i64::from(k).pow(2);
                }
            }
        }
        BlockSums {
            block: index,
            blocks: 1,
            trials: block.truth.len() as u64,
            counts,
            noise: if weighted {
                filled(self.by_row(heavy))
            } else {
                widen(self.by_row(noise))
            },
            image: match self.cells {
                Some(_) => filled(grid),
                None => widen(image),
            },
            weights,
            moments,
            dropped,
            evidence: readout
                .responses
                .as_ref()
                .map(|responses| self.evidence(block, responses)),
        }
    }

    /// Exact sums of the responses of one block: over every trial, regardless of its weight.
    fn evidence(&self, block: &DrawnBlock, responses: &TrialResponses) -> BlockEvidence {
        let (m, points) = (self.rows.listed(), self.points);
        let mut sums = response_sums(&self.rows, &block.truth, responses);
        let size = (m, points);
        sums.products = centred_products(self.vectors, &responses.responses, &block.noise, size);
        if self.own_strata {
            let mut strata: Vec<Vec<u32>> = vec![Vec::new(); m + 1];
            for (&truth, noise) in block.truth.iter().zip(block.noise.chunks_exact(points)) {
                let sums = &mut strata[self.rows.place(truth).unwrap_or(m)];
                self.vectors.dispatch(|| add_points(sums, noise));
            }
            sums.noise = widen(strata);
        }
        sums
    }
}

/// The part of a block's evidence sums that follows from the responses alone; products and noise are empty.
/// Sums of products of 16-bit responses over 8,192 trials are exact too.
fn response_sums(rows: &TrialRows, truth: &[ClassId], responses: &TrialResponses) -> BlockEvidence {
    let (k, m) = (rows.classes(), rows.listed());
    let mut evidence = BlockEvidence {
        clipped: responses.clipped,
        shown: vec![0; k],
        sums: vec![0; k * m],
        squares: vec![0; m * sums_per_class(m)],
        ..BlockEvidence::default()
    };
    for (&truth, row) in truth.iter().zip(responses.responses.chunks_exact(m.max(1))) {
        evidence.shown[truth] += 1;
        let sums = evidence.sums[truth.0 * m..(truth.0 + 1) * m].iter_mut();
        sums.zip(row).for_each(|(sum, &y)| *sum += i64::from(y));
        if m > MAX_PAIRED_CLASSES {
            let squares = evidence.squares.iter_mut().zip(row);
            squares.for_each(|(square, &y)| *square += i64::from(y).pow(2));
        }
    }
    if m <= MAX_PAIRED_CLASSES {
        let y: Vec<f64> = responses.responses.iter().map(|&y| f64::from(y)).collect();
        let mut squares = vec![0.0; m * m];
        multiply(pulp::Arch::new(), &y, &y, &mut squares, (m, m));
        evidence.squares = squares.into_iter().map(|sum| sum as i64).collect();
    }
    evidence
}

/// Adds to sums, which are empty at first.
#[inline]
fn add<T: AddAssign>(sums: &mut Vec<T>, values: impl ExactSizeIterator<Item = T>) {
    if sums.is_empty() {
        sums.extend(values);
    } else {
        sums.iter_mut()
            .zip(values)
            .for_each(|(sum, value)| *sum += value);
    }
}

/// Adds noise points to sums, which are empty at first.
#[inline(always)]
fn add_points(sums: &mut Vec<u32>, points: &[u16]) {
    add(sums, points.iter().map(|&k| u32::from(k)));
}

/// Adds bytes of an image times a weight to sums, which are empty at first.
#[inline(always)]
fn add_bytes(sums: &mut Vec<u32>, bytes: &[u8], weight: u32) {
    add(sums, bytes.iter().map(|&x| weight * u32::from(x)));
}

/// Adds to two sums in one pass.
#[inline(always)]
fn add_to_both<T: Copy + AddAssign>(one: &mut Vec<T>, other: &mut Vec<T>, values: &[T]) {
    if one.len() != values.len() || other.len() != values.len() {
        add(one, values.iter().copied());
        add(other, values.iter().copied());
        return;
    }
    let sums = one.iter_mut().zip(other.iter_mut());
    for ((one, other), &value) in sums.zip(values) {
        *one += value;
        *other += value;
    }
}

fn filled<T>(cells: Vec<Vec<T>>) -> Vec<(usize, Vec<T>)> {
    let cells = cells.into_iter().enumerate();
    cells.filter(|(_, sums)| !sums.is_empty()).collect()
}

/// The sums that are not empty, with their indices, widened to 64 bits.
fn widen(cells: Vec<Vec<u32>>) -> Vec<(usize, Vec<i64>)> {
    let filled = filled(cells).into_iter();
    filled
        .map(|(cell, sums)| (cell, sums.into_iter().map(i64::from).collect()))
        .collect()
}
