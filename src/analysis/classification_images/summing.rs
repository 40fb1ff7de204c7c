//! Trials of a block, counted and summed by the margins of the table of true and predicted classes.

use std::ops::AddAssign;

use pulp::{Simd, WithSimd};

use super::Said;
use super::hearing::Heard;
use crate::data::Images;
use crate::session::config::Weighting;
use crate::session::record::{BlockSums, EvidenceSums, Rows, TrialKind};
use crate::stats::classification::{CENTRE, PAIRED, pairs};
use crate::stimulus::{Block, Pool, Source};

/// Most classes whose joint table is small against a block.
const MOST_BY_CELL: usize = 32;

/// Trials whose noise is multiplied at a time: so many stay in a processor's cache.
const AT_A_TIME: usize = 64;

/// How the trials of a block are summed.
#[derive(Debug, Clone)]
pub struct Summing {
    rows: Rows,
    /// Points of a noise image.
    points: usize,
    /// For every number of an image the number of the grid that it counts in; `None` where each
    /// counts in its own.
    cells: Option<Vec<usize>>,
    /// Whether the deviation of the noise has to be measured.
    moments: bool,
    /// Whether evidence sums the noise by true class for itself.
    own_strata: bool,
    /// Whether a trial may count more than once.
    weighted: bool,
    /// The vectors of this processor.
    vectors: pulp::Arch,
}

impl Summing {
    /// Of trials of a kind, of noise from `source`, on images such as `images`.
    pub fn new(kind: &TrialKind, source: &Source, images: &Images) -> Self {
        Self {
            rows: kind.rows(),
            points: source.points(),
            cells: kind.grain.cells(images.shape()),
            moments: source.noise().deviation(images.shape()).is_none(),
            own_strata: kind.own_strata() > 0,
            weighted: kind.weighting == Weighting::Confidence,
            vectors: pulp::Arch::new(),
        }
    }

    /// The rows.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Whether evidence sums the noise by true class for itself.
    pub(super) fn has_own_strata(&self) -> bool {
        self.own_strata
    }

    /// Whether the deviation of the noise has to be measured.
    pub(super) fn has_moments(&self) -> bool {
        self.moments
    }

    /// Sums of the numbers of images, \[P\], by the numbers of the noise's grid, \[points\].
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

    /// Adds the bytes of an image times a weight, each to its number of the grid, \[points\].
    fn add_to_grid(&self, sums: &mut Vec<i64>, cells: &[usize], bytes: &[u8], weight: u64) {
        sums.resize(self.points, 0);
        for (&byte, &cell) in bytes.iter().zip(cells) {
            sums[cell] += weight as i64 * i64::from(byte);
        }
    }

    /// Whether trials are summed by the joint table first: a row of a few classes takes many cells,
    /// and every trial is added once instead of two or three times.
    fn by_cell(&self) -> bool {
        self.rows.classes() <= MOST_BY_CELL
    }

    /// Sums that a block takes on its way.
    fn sums(&self) -> usize {
        match self.by_cell() {
            true => self.rows.classes().pow(2),
            false => self.rows.count(),
        }
    }

    /// The sums that a trial goes to on its way.
    fn sums_of(&self, truth: usize, predicted: usize) -> impl Iterator<Item = usize> {
        let cell = self
            .by_cell()
            .then(|| truth * self.rows.classes() + predicted);
        let rows = self.rows.of(truth, predicted);
        cell.into_iter().chain(rows.filter(move |_| cell.is_none()))
    }

    /// These sums by the rows that they belong to.
    fn by_row<T: Copy + AddAssign>(&self, sums: Vec<Vec<T>>) -> Vec<Vec<T>> {
        if !self.by_cell() {
            return sums;
        }
        let classes = self.rows.classes();
        let mut all = vec![Vec::new(); self.rows.count()];
        for (cell, sum) in sums.iter().enumerate().filter(|(_, sum)| !sum.is_empty()) {
            let mut rows = self.rows.of(cell / classes, cell % classes);
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

    /// Counts and exact sums of one block, given the network's decisions.
    pub fn sum(&self, index: u64, block: &Block, said: &Said, pool: &Pool) -> BlockSums {
        let (rows, points) = (&self.rows, self.points);
        let classes = rows.classes();
        let mut counts = vec![0; classes * classes];
        let mut weights = (Vec::new(), Vec::new());
        let weighted = self.weighted && said.weights.is_some();
        if weighted {
            weights = (counts.clone(), counts.clone());
        }
        // 8,192 trials of 65,535 fit 32 bits: half the memory traffic of the final 64. Weights of
        // ten bits more do not.
        let mut noise: Vec<Vec<u32>> = vec![Vec::new(); self.sums()];
        let mut heavy: Vec<Vec<i64>> = vec![Vec::new(); self.sums()];
        // So do bytes with any weight, unless a number of the grid takes several.
        let mut image: Vec<Vec<u32>> = vec![Vec::new(); rows.listed()];
        let mut grid: Vec<Vec<i64>> = vec![Vec::new(); rows.listed()];
        let mut moments = vec![0_i64; if self.moments { 2 * points } else { 0 }];
        let mut dropped = 0;
        for (trial, (&truth, &predicted)) in block.truth.iter().zip(&said.decisions).enumerate() {
            let weight = said.weights.as_ref().map_or(1, |all| all[trial]);
            if weight == 0 {
                dropped += 1;
                continue;
            }
            let cell = truth * classes + predicted;
            counts[cell] += 1;
            let weight = u64::from(weight);
            let shown = &block.noise[trial * points..(trial + 1) * points];
            if weighted {
                weights.0[cell] += weight;
                weights.1[cell] += weight * weight;
                for sum in self.sums_of(truth, predicted) {
                    let values = shown.iter().map(|&k| weight as i64 * i64::from(k));
                    add(&mut heavy[sum], values);
                }
            } else {
                for sum in self.sums_of(truth, predicted) {
                    let sums = &mut noise[sum];
                    self.vectors.dispatch(|| add_points(sums, shown));
                }
            }
            if let (Some(place), Some(&shown)) = (rows.place(predicted), block.image.get(trial)) {
                let bytes = pool.image(shown);
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
                for ((first, second), &k) in first.iter_mut().zip(second).zip(shown) {
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
            evidence: said.heard.as_ref().map(|heard| self.hear(block, heard)),
        }
    }

    /// Exact sums of what the outputs said of one block: of every trial, whatever its decision counts.
    fn hear(&self, block: &Block, heard: &Heard) -> EvidenceSums {
        let (m, points) = (self.rows.listed(), self.points);
        let mut sums = responses(&self.rows, &block.truth, heard);
        let mut products = vec![0.0_f64; m * points];
        let shown = block.noise.chunks(AT_A_TIME * points);
        let said: Vec<f64> = heard.responses.iter().map(|&y| f64::from(y)).collect();
        for (shown, said) in shown.zip(said.chunks(AT_A_TIME * m)) {
            multiply(self.vectors, said, shown, &mut products, (m, points));
        }
        // The points as they are drawn were multiplied: Σy·(z − c) = Σy·z − c·Σy.
        sums.products.reserve_exact(m * points);
        for (class, products) in products.chunks_exact(points.max(1)).enumerate() {
            let said = sums.sums.iter().skip(class).step_by(m);
            let centre = said.sum::<i64>() * CENTRE;
            let whole = products.iter().map(|&sum| sum as i64 - centre);
            let all = &mut sums.products;
            self.vectors.dispatch(
                #[inline(always)]
                || all.extend(whole),
            );
        }
        if self.own_strata {
            let mut strata: Vec<Vec<u32>> = vec![Vec::new(); m + 1];
            for (&truth, shown) in block.truth.iter().zip(block.noise.chunks_exact(points)) {
                let sums = &mut strata[self.rows.place(truth).unwrap_or(m)];
                self.vectors.dispatch(|| add_points(sums, shown));
            }
            sums.noise = widen(strata);
        }
        sums
    }
}

/// Adds yᵀ·z to `products`, \[M,P\]: y is \[N,M\], z \[N,P\]. Whole numbers of 16 bits over 8,192 trials at
/// most stay below 2⁵³, so every sum is exact in whatever order it is made.
fn multiply<Z: Copy>(
    vectors: pulp::Arch,
    y: &[f64],
    z: &[Z],
    products: &mut [f64],
    (m, points): (usize, usize),
) where
    f64: From<Z>,
{
    let n = y.len() / m.max(1);
    assert_eq!((y.len(), z.len()), (n * m, n * points));
    assert_eq!(products.len(), m * points);
    vectors.dispatch(Products {
        y,
        z,
        products,
        m,
        points,
    });
}

/// Classes that are summed together: with two vectors of points each they fill twenty of 32 registers, or
/// ten of sixteen.
const CLASSES_AT_ONCE: [usize; 2] = [10, 5];

/// Numbers of two vectors of 64 bits, of the widest that there are.
const MOST_LANES: usize = 16;

/// [`multiply`], with the vectors of this processor.
struct Products<'a, Z> {
    y: &'a [f64],
    z: &'a [Z],
    products: &'a mut [f64],
    m: usize,
    points: usize,
}

impl<Z: Copy> WithSimd for Products<'_, Z>
where
    f64: From<Z>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let [many, few] = CLASSES_AT_ONCE;
        let at_once = if S::REGISTER_COUNT >= 32 { many } else { few };
        let wide = 2 * S::F64_LANES;
        let whole = self.points / wide * wide;
        let mut first = 0;
        while first < self.m {
            let classes = at_once.min(self.m - first);
            for point in (0..whole).step_by(wide) {
                match classes {
                    10 => self.tile::<S, 10>(simd, first, point),
                    5..10 => {
                        self.tile::<S, 5>(simd, first, point);
                        for class in 5..classes {
                            self.tile::<S, 1>(simd, first + class, point);
                        }
                    }
                    _ => {
                        for class in 0..classes {
                            self.tile::<S, 1>(simd, first + class, point);
                        }
                    }
                }
            }
            first += classes;
        }
        // What is left of the points.
        for (y, z) in self
            .y
            .chunks_exact(self.m)
            .zip(self.z.chunks_exact(self.points))
        {
            for (class, y) in y.iter().enumerate() {
                let sums = &mut self.products[class * self.points + whole..][..self.points - whole];
                sums.iter_mut()
                    .zip(&z[whole..])
                    .for_each(|(sum, &z)| *sum += y * f64::from(z));
            }
        }
    }
}

impl<Z: Copy> Products<'_, Z>
where
    f64: From<Z>,
{
    /// The sums of some classes at two vectors of points.
    #[inline(always)]
    fn tile<S: Simd, const M: usize>(&mut self, simd: S, first: usize, point: usize) {
        let lanes = S::F64_LANES;
        let at = |class: usize| (first + class) * self.points + point;
        let mut sums = [[simd.splat_f64s(0.0); 2]; M];
        for (class, own) in sums.iter_mut().enumerate() {
            let before = &self.products[at(class)..][..2 * lanes];
            own[0] = simd.partial_load_f64s(&before[..lanes]);
            own[1] = simd.partial_load_f64s(&before[lanes..]);
        }
        let rows = self
            .y
            .chunks_exact(self.m)
            .zip(self.z.chunks_exact(self.points));
        for (y, z) in rows {
            // On its way, in registers: a copy of the noise in 64 bits would not stay in a cache.
            let mut wide = [0.0; MOST_LANES];
            let wide = &mut wide[..2 * lanes];
            let shown = wide.iter_mut().zip(&z[point..][..2 * lanes]);
            shown.for_each(|(wide, &z)| *wide = f64::from(z));
            let (low, high) = S::as_simd_f64s(wide).0.split_at(1);
            let y = &y[first..][..M];
            for (own, y) in sums.iter_mut().zip(y) {
                let y = simd.splat_f64s(*y);
                own[0] = simd.mul_add_f64s(y, low[0], own[0]);
                own[1] = simd.mul_add_f64s(y, high[0], own[1]);
            }
        }
        for (class, own) in sums.iter().enumerate() {
            let after = &mut self.products[at(class)..][..2 * lanes];
            simd.partial_store_f64s(&mut after[..lanes], own[0]);
            simd.partial_store_f64s(&mut after[lanes..], own[1]);
        }
    }
}

/// What of the evidence of a block follows from the responses alone; products and noise are empty.
/// Responses of 16 bits multiplied over 8,192 trials are exact too.
fn responses(rows: &Rows, truth: &[usize], heard: &Heard) -> EvidenceSums {
    let (k, m) = (rows.classes(), rows.listed());
    let mut own = EvidenceSums {
        clipped: heard.clipped,
        shown: vec![0; k],
        sums: vec![0; k * m],
        squares: vec![0; m * pairs(m)],
        ..EvidenceSums::default()
    };
    for (&truth, said) in truth.iter().zip(heard.responses.chunks_exact(m.max(1))) {
        own.shown[truth] += 1;
        let sums = own.sums[truth * m..(truth + 1) * m].iter_mut();
        sums.zip(said).for_each(|(sum, &y)| *sum += i64::from(y));
        if m > PAIRED {
            let squares = own.squares.iter_mut().zip(said);
            squares.for_each(|(square, &y)| *square += i64::from(y).pow(2));
        }
    }
    if m <= PAIRED {
        let said: Vec<f64> = heard.responses.iter().map(|&y| f64::from(y)).collect();
        let mut squares = vec![0.0; m * m];
        multiply(pulp::Arch::new(), &said, &said, &mut squares, (m, m));
        own.squares = squares.into_iter().map(|sum| sum as i64).collect();
    }
    own
}

/// Adds to sums, which begin empty.
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

/// Adds points of the noise to sums, which begin empty.
#[inline(always)]
fn add_points(sums: &mut Vec<u32>, points: &[u16]) {
    add(sums, points.iter().map(|&k| u32::from(k)));
}

/// Adds bytes of an image times a weight to sums, which begin empty.
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

/// The sums that have something in them, by their places.
fn widen(cells: Vec<Vec<u32>>) -> Vec<(usize, Vec<i64>)> {
    let filled = filled(cells).into_iter();
    filled
        .map(|(cell, sums)| (cell, sums.into_iter().map(i64::from).collect()))
        .collect()
}
