//! What single units say, in the layout of a plan: activations of sites, and the receptive fields of a site
//! summed by them.
//!
//! A sum over images and positions stays in vectors, a lane an image, as long as a portion of images lasts;
//! then its lanes are added in 64 bits. Five units by five neighbouring pixels of a field are summed at a time,
//! over some positions whose activations stay in the first cache.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::Plan;
use super::layout::{GROUPS, Place};
use super::product::{load, store};
use super::steps::Portion;
use crate::session::form::Shape;

/// Units, and pixels side by side, that are summed together.
const UNITS: usize = 5;
const PIXELS: usize = 5;

/// Fewest positions that fields are summed here of: with fewer the lanes of many sums would be added up for a
/// few products each.
const FEWEST: usize = 8;

/// Positions of a few groups that are summed before the next: their activations of a tile of units, of
/// sixteen lanes, fill half of a first cache.
const AT_ONCE: usize = 72;

/// Where the activations of a site stand in what its node gives for an image: the sum of the numbers of a
/// unit and of a position is the row-major place of the unit at the position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// A number for every unit.
    pub units: Vec<usize>,
    /// A number for every position.
    pub positions: Vec<usize>,
}

impl Answers {
    /// The same in a place, with its border.
    fn standing(&self, place: &Place) -> (Vec<usize>, Vec<usize>) {
        let area = (place.rows * place.columns).max(1);
        let at = |number: usize| {
            let (channel, rest) = (number / area, number % area);
            place.offset(channel, rest / place.columns, rest % place.columns)
        };
        // Numbers along an axis are as far apart at every place of the others.
        let units = self.units.iter().map(|&number| at(number) - at(0));
        let positions = self.positions.iter().map(|&number| at(number));
        (units.collect(), positions.collect())
    }
}

/// A site whose receptive fields are summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// Where the activations stand, of the positions that are looked at.
    pub answers: Answers,
    /// Top and left pixel of the field of each of these positions.
    pub corners: Vec<(usize, usize)>,
    /// Channels, rows and columns of a field.
    pub field: Shape,
}

impl Looked {
    /// Whether its fields are summed elsewhere, as a product of two matrices.
    fn is_apart(&self) -> bool {
        self.corners.len() < FEWEST
    }
}

/// Sums over images and positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    /// Answers other than zero, \[U\].
    pub fired: Vec<f64>,
    /// Σa, \[U\].
    pub activation: Vec<f64>,
    /// Σ\|a\|, \[U\].
    pub magnitude: Vec<f64>,
    /// Σa·(s−½) over the pixels of a field, row-major \[U,C,h,w\].
    pub weighted: Vec<f64>,
    /// Activations, row-major \[N,U,M\], which are still to be multiplied with fields: of a site that is looked
    /// at in few positions.
    pub apart: Vec<f32>,
}

impl Sums {
    /// Nothing yet, for so many units and pixels of a field.
    pub fn new(units: usize, pixels: usize) -> Self {
        Self {
            fired: vec![0.0; units],
            activation: vec![0.0; units],
            magnitude: vec![0.0; units],
            weighted: vec![0.0; units * pixels],
            apart: Vec::new(),
        }
    }
}

impl Plan {
    /// Adds to `sums` what images, row-major \[N,C,H,W\], evoke at sites. The plan's first output is the
    /// image, and then come the nodes of the sites.
    pub fn triggered(&self, pixels: &[f32], looked: &[Looked], sums: &mut [Sums]) {
        self.run(pixels, &mut |portion| {
            let images = Centred::of(&portion);
            for (site, (looked, sums)) in looked.iter().zip(sums.iter_mut()).enumerate() {
                let place = portion.place(site + 1);
                let (units, positions) = looked.answers.standing(place);
                let lanes = portion.lanes();
                let groups = portion.images.div_ceil(lanes);
                self.lanes.arch().dispatch(OnPortion {
                    images: &images,
                    answers: (0..groups)
                        .map(|group| portion.value(site + 1, group))
                        .collect(),
                    units: &units,
                    positions: &positions,
                    looked,
                    sums,
                });
            }
        });
    }

    /// Activations of images, row-major \[N,C,H,W\], at the sites of the outputs after the first, each
    /// row-major \[N,U,M\].
    pub fn activations(&self, pixels: &[f32], answers: &[Answers]) -> Vec<Vec<f32>> {
        let mut all = vec![Vec::new(); answers.len()];
        self.run(pixels, &mut |portion| {
            let lanes = portion.lanes();
            for (site, (answers, all)) in answers.iter().zip(&mut all).enumerate() {
                let (units, positions) = answers.standing(portion.place(site + 1));
                for image in 0..portion.images {
                    let value = &portion.value(site + 1, image / lanes)[image % lanes..];
                    all_of(value, lanes, (&units, &positions), all);
                }
            }
        });
        all
    }
}

/// Adds the answers of an image, unit by unit; `value` begins with its lane.
fn all_of(
    value: &[f32],
    lanes: usize,
    (units, positions): (&[usize], &[usize]),
    all: &mut Vec<f32>,
) {
    for unit in units {
        let own = positions.iter();
        all.extend(own.map(|position| value[(unit + position) * lanes]));
    }
}

/// The images of a portion less one half, without borders; zero where there is no image.
struct Centred {
    /// \[groups,C,H,W,lanes\].
    values: Vec<f32>,
    shape: Shape,
    /// Images in each group.
    counts: Vec<usize>,
    lanes: usize,
}

impl Centred {
    fn of(portion: &Portion) -> Self {
        let lanes = portion.lanes();
        let place = *portion.place(0);
        let mut values = Vec::with_capacity(GROUPS * place.numbers() * lanes);
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
                    for own in row.chunks_exact(lanes) {
                        values.extend(own[..count].iter().map(|x| x - 0.5));
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
struct OnPortion<'a> {
    images: &'a Centred,
    /// What its node gave, by group.
    answers: Vec<&'a [f32]>,
    /// Where units and positions stand there.
    units: &'a [usize],
    positions: &'a [usize],
    looked: &'a Looked,
    sums: &'a mut Sums,
}

impl WithSimd for OnPortion<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.answers(simd);
        if self.looked.is_apart() {
            for (answers, count) in self.answers.iter().zip(&self.images.counts) {
                for lane in 0..*count {
                    let all = &mut self.sums.apart;
                    let own = (self.units, self.positions);
                    all_of(&answers[lane..], S::F32_LANES, own, all);
                }
            }
            return;
        }
        // Positions of all groups: where the field and the activation of the first unit stand.
        let lanes = S::F32_LANES;
        let [_, _, columns] = self.images.shape;
        let numbers = self.images.numbers();
        let mut all = Vec::with_capacity(self.answers.len() * self.positions.len());
        for (group, answers) in self.answers.iter().enumerate() {
            let image = &self.images.values[group * numbers * lanes..][..numbers * lanes];
            for (&(top, left), at) in self.looked.corners.iter().zip(self.positions) {
                let shown = image[(top * columns + left) * lanes..].as_ptr();
                all.push((shown, answers[at * lanes..].as_ptr()));
            }
        }
        self.check(lanes);
        let [channels, high, wide] = self.looked.field;
        let pixels = channels * high * wide;
        let mut kept = vec![0.0_f32; UNITS * pixels * lanes];
        for first in (0..self.units.len()).step_by(UNITS) {
            let units = UNITS.min(self.units.len() - first);
            kept.fill(0.0);
            for places in all.chunks(AT_ONCE) {
                let line_of = |line: usize| {
                    let (channel, row) = (line / high, line % high);
                    (channel * self.images.shape[1] + row) * columns
                };
                for line in 0..channels * high {
                    for left in (0..wide).step_by(PIXELS) {
                        let count = PIXELS.min(wide - left);
                        let tile = Tile {
                            places,
                            shift: (line_of(line) + left) * lanes,
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
                    *sum += lanes.iter().map(|&it| f64::from(it)).sum::<f64>();
                }
            }
        }
    }
}

/// Some pixels of some units, over some positions.
struct Tile<'a> {
    places: &'a [(*const f32, *const f32)],
    /// From the first pixel of a field to the first of these.
    shift: usize,
    units: Range<usize>,
    /// The first pixel's number in a field of so many.
    pixel: usize,
    pixels: usize,
}

impl OnPortion<'_> {
    /// Fired, activation and magnitude of every unit.
    #[inline(always)]
    fn answers<S: Simd>(&mut self, simd: S) {
        let lanes = S::F32_LANES;
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        for (unit, at) in self.units.iter().enumerate() {
            for (answers, count) in self.answers.iter().zip(&self.images.counts) {
                let mut sums = [zero; 3];
                for position in self.positions {
                    let own = &answers[(at + position) * lanes..][..lanes];
                    let a = simd.partial_load_f32s(own);
                    let silent = simd.equal_f32s(a, zero);
                    sums[0] = simd.add_f32s(sums[0], simd.select_f32s(silent, zero, one));
                    sums[1] = simd.add_f32s(sums[1], a);
                    sums[2] = simd.add_f32s(sums[2], simd.abs_f32s(a));
                }
                let totals = [
                    &mut self.sums.fired[unit],
                    &mut self.sums.activation[unit],
                    &mut self.sums.magnitude[unit],
                ];
                for (total, sum) in totals.into_iter().zip(sums) {
                    let mut own = [0.0_f32; 16];
                    simd.partial_store_f32s(&mut own[..lanes], sum);
                    let own = own[..*count].iter().map(|&it| f64::from(it));
                    *total += own.sum::<f64>();
                }
            }
        }
    }

    /// Whether every field lies inside the image and every activation inside its value.
    ///
    /// # Panics
    /// Where not.
    fn check(&self, lanes: usize) {
        let [channels, high, wide] = self.looked.field;
        let [own, rows, columns] = self.images.shape;
        assert_eq!((channels, lanes), (own, self.images.lanes));
        for &(top, left) in &self.looked.corners {
            assert!(top + high <= rows && left + wide <= columns, "a field");
        }
        let most = |all: &[usize]| all.iter().copied().max().unwrap_or(0);
        let last = (most(self.units) + most(self.positions) + 1) * lanes;
        assert!(self.answers.iter().all(|it| last <= it.len()), "an answer");
        assert_eq!(self.positions.len(), self.looked.corners.len());
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

    /// The sums of U units and T pixels; where registers are few, pixels one by one.
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
        let halves = T / 2;
        for half in 0..halves {
            self.pixels_of::<S, U, 2>(simd, tile, 2 * half, kept);
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
        // SAFETY: `kept` is long enough, as asserted; that fields and activations lie inside their values was
        // checked.
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
