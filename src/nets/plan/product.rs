//! Convolutions and dense layers: one micro-kernel over tables of places.
//!
//! For a tile of output channels and four positions, acc\[channel\]\[position\] += w\[k\]\[channel\] ·
//! x\[base\[position\] + offset\[k\]\]. Where the tables come from makes it a convolution of any kernel, stride,
//! dilation and groups, or a dense layer, whose four positions are four vectors of images. Six channels by
//! four positions fill 24 of 32 registers; with 16 registers positions are taken two by two.

use std::ops::Range;
use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::layout::{Frames, GROUPS, Place};
use super::windows;
use crate::nets::graph::NodeId;

/// Positions that are computed together: a window of 2×2 where a maximum is taken next.
pub const POSITIONS: usize = 4;

/// Most channels of a tile.
const TILE: usize = 6;

/// What is done to a sum before it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// Nothing.
    None,
    /// max(x,0).
    Relu,
    /// Kept within two bounds.
    Clip(f32, f32),
}

/// A convolution or a dense layer, with what is done to its sums.
#[derive(Debug, Clone)]
pub struct Product {
    /// The node whose bias this is.
    pub node: NodeId,
    /// What it reads.
    pub from: Place,
    /// What it writes.
    pub to: Place,
    /// The groups that channels fall into, each with the same tiles.
    pub parts: Vec<Part>,
    /// Tiles of the output channels of a part.
    pub tiles: Vec<Tile>,
    /// Weights, by part, block of k, tile, k and channel of the tile.
    pub weights: Arc<[f32]>,
    /// What each sum begins with, one an output channel.
    pub bias: Arc<[f32]>,
    /// Where the numbers of k stand from a base, in floats.
    pub offsets: Arc<[usize]>,
    /// Pieces of k, each of which is summed over all tiles before the next: its numbers stay in the cache.
    pub blocks: Vec<Range<usize>>,
    /// The positions.
    pub positions: Positions,
    /// What is done to the sums.
    pub activation: Activation,
}

/// Channels that are computed from the same channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its first output channel.
    pub first: usize,
    /// What is added to a base to read its channels, in floats.
    pub shift: usize,
    /// Where its weights begin.
    pub weights: usize,
}

/// Output channels that are computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// The first, from that of the part.
    pub first: usize,
    /// How many.
    pub count: usize,
}

/// Positions, four by four.
#[derive(Debug, Clone)]
pub enum Positions {
    /// The groups of images: a dense layer.
    Groups,
    /// Bases and places of the result, in floats. At the end of all a position may stand twice.
    Each(Vec<([usize; POSITIONS], [usize; POSITIONS])>),
    /// Bases, of which so many quads make a window each, and the place of its maximum.
    Windows(usize, Vec<[usize; POSITIONS]>, Vec<usize>),
}

impl Product {
    /// Whether it works on all groups at once.
    pub fn is_of_groups(&self) -> bool {
        matches!(self.positions, Positions::Groups)
    }

    /// Output channels of a part.
    fn channels(&self) -> usize {
        self.tiles.iter().map(|tile| tile.count).sum()
    }

    /// Floats that its sums take while they are made.
    pub fn sums(&self, lanes: usize) -> usize {
        self.channels() * POSITIONS * lanes
    }
}

/// Tiles for so many output channels: of six and five where they fit, so that no lane is wasted.
pub fn tiles(channels: usize) -> Vec<Tile> {
    let sixes = (0..=channels / TILE)
        .rev()
        .find(|sixes| (channels - sixes * TILE).is_multiple_of(TILE - 1));
    let mut counts = Vec::new();
    match sixes {
        Some(sixes) => {
            counts.extend(std::iter::repeat_n(TILE, sixes));
            counts.extend(std::iter::repeat_n(
                TILE - 1,
                (channels - sixes * TILE) / (TILE - 1),
            ));
        }
        None => {
            // As even as can be.
            let many = channels.div_ceil(TILE);
            counts.extend((0..many).map(|at| channels / many + usize::from(at < channels % many)));
        }
    }
    let mut first = 0;
    let place = |count| {
        let tile = Tile { first, count };
        first += count;
        tile
    };
    counts.into_iter().map(place).collect()
}

/// Weights as the kernel reads them. `weight` gives the one of an output channel and a k of a part; k is
/// cut at `blocks`.
pub fn packed(
    parts: usize,
    tiles: &[Tile],
    blocks: &[Range<usize>],
    weight: impl Fn(usize, usize, usize) -> f32,
) -> Vec<f32> {
    let mut packed = Vec::new();
    for part in 0..parts {
        for block in blocks {
            for tile in tiles {
                for k in block.clone() {
                    let channels = tile.first..tile.first + tile.count;
                    packed.extend(channels.map(|channel| weight(part, channel, k)));
                }
            }
        }
    }
    packed
}

/// One product on one group of images, or on all.
pub struct Multiply<'a> {
    pub product: &'a Product,
    pub frames: Frames,
    pub group: usize,
    /// The areas of values.
    pub memory: *mut f32,
    /// Room for [`Product::sums`].
    pub sums: *mut f32,
    /// Where training wants the number of the sum that is the maximum of a window, see [`windows::choose`]: so many
    /// numbers after the maximum.
    pub chosen: Option<usize>,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let product = self.product;
        let start = |place: &Place, group: usize| self.frames.start(place, group) * lanes;
        for part in &product.parts {
            match &product.positions {
                Positions::Groups => {
                    let bases = std::array::from_fn(|group| start(&product.from, group));
                    let to: [usize; GROUPS] =
                        std::array::from_fn(|group| start(&product.to, group));
                    // SAFETY: see `sum` and `write`; frames lie inside the memory.
                    unsafe {
                        self.sum(simd, part, bases);
                        self.write(simd, part, to);
                    }
                }
                Positions::Each(all) => {
                    let (from, to) = (
                        start(&product.from, self.group),
                        start(&product.to, self.group),
                    );
                    for (bases, places) in all {
                        // SAFETY: as above.
                        unsafe {
                            self.sum(simd, part, bases.map(|base| from + base));
                            self.write(simd, part, places.map(|place| to + place));
                        }
                    }
                }
                Positions::Windows(quads, bases, places) => {
                    let (from, to) = (
                        start(&product.from, self.group),
                        start(&product.to, self.group),
                    );
                    for (window, place) in bases.chunks_exact(*quads).zip(places) {
                        for (at, bases) in window.iter().enumerate() {
                            // SAFETY: as above.
                            unsafe {
                                self.sum(simd, part, bases.map(|base| from + base));
                                let last = at + 1 == *quads;
                                self.write_most(simd, part, to + place, at == 0, last);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Multiply<'_> {
    /// Sums of all channels of a part at four bases.
    ///
    /// # Safety
    /// Every base with every offset must lie inside the memory, a vector long.
    #[inline(always)]
    unsafe fn sum<S: Simd>(&self, simd: S, part: &Part, bases: [usize; POSITIONS]) {
        let product = self.product;
        let lanes = S::F32_LANES;
        // SAFETY: the caller's; weights and bias are as long as tiles, blocks and parts say.
        unsafe {
            let mut weights = product.weights.as_ptr().add(part.weights);
            for (at, block) in product.blocks.iter().enumerate() {
                let offsets = product.offsets.get_unchecked(block.clone());
                for tile in &product.tiles {
                    let bias = product.bias.as_ptr().add(part.first + tile.first);
                    let bias = (at == 0).then_some(bias);
                    let sums = self.sums.add(tile.first * POSITIONS * lanes);
                    let x = bases.map(|base| self.memory.add(base + part.shift).cast_const());
                    match tile.count {
                        6 => tile_of::<S, 6>(simd, x, offsets, weights, sums, bias),
                        5 => tile_of::<S, 5>(simd, x, offsets, weights, sums, bias),
                        4 => tile_of::<S, 4>(simd, x, offsets, weights, sums, bias),
                        3 => tile_of::<S, 3>(simd, x, offsets, weights, sums, bias),
                        2 => tile_of::<S, 2>(simd, x, offsets, weights, sums, bias),
                        _ => tile_of::<S, 1>(simd, x, offsets, weights, sums, bias),
                    }
                    weights = weights.add(tile.count * block.len());
                }
            }
        }
    }

    /// Writes the sums to four places.
    ///
    /// # Safety
    /// All channels at the places must lie inside the memory.
    #[inline(always)]
    unsafe fn write<S: Simd>(&self, simd: S, part: &Part, places: [usize; POSITIONS]) {
        let lanes = S::F32_LANES;
        let step = self.product.to.plane() * lanes;
        for channel in 0..self.product.channels() {
            for (position, place) in places.iter().enumerate() {
                // SAFETY: the caller's.
                unsafe {
                    let sum = load(
                        simd,
                        self.sums.add((channel * POSITIONS + position) * lanes),
                    );
                    let to = self.memory.add(place + (part.first + channel) * step);
                    store(simd, to, activated(simd, sum, self.product.activation));
                }
            }
        }
    }

    /// Writes the most of four sums, and of what stands there where it is not the first of a window.
    ///
    /// # Safety
    /// As for [`Self::write`].
    #[inline(always)]
    unsafe fn write_most<S: Simd>(
        &self,
        simd: S,
        part: &Part,
        place: usize,
        first: bool,
        last: bool,
    ) {
        let lanes = S::F32_LANES;
        let step = self.product.to.plane() * lanes;
        for channel in 0..self.product.channels() {
            // SAFETY: the caller's.
            unsafe {
                let sums = self.sums.add(channel * POSITIONS * lanes);
                let [a, b, c, d] = std::array::from_fn(|at| load(simd, sums.add(at * lanes)));
                let to = self.memory.add(place + (part.first + channel) * step);
                if let Some(apart) = self.chosen {
                    let relu = self.product.activation == Activation::Relu;
                    let [most, chosen] = windows::choose(simd, [a, b, c, d], relu);
                    store(simd, to, most);
                    store(simd, to.add(apart * lanes), chosen);
                    continue;
                }
                let mut most = simd.max_f32s(simd.max_f32s(a, b), simd.max_f32s(c, d));
                if !first {
                    most = simd.max_f32s(most, load(simd, to));
                }
                if last {
                    most = activated(simd, most, self.product.activation);
                }
                store(simd, to, most);
            }
        }
    }
}

/// The four positions of a tile, two by two where registers are few.
///
/// # Safety
/// As for [`Multiply::sum`].
#[inline(always)]
unsafe fn tile_of<S: Simd, const OC: usize>(
    simd: S,
    x: [*const f32; POSITIONS],
    offsets: &[usize],
    weights: *const f32,
    sums: *mut f32,
    bias: Option<*const f32>,
) {
    let lanes = S::F32_LANES;
    // SAFETY: the caller's.
    unsafe {
        if S::REGISTER_COUNT >= 32 {
            kernel::<S, OC, 4>(simd, x, offsets, weights, sums, bias);
        } else {
            let [a, b, c, d] = x;
            kernel::<S, OC, 2>(simd, [a, b], offsets, weights, sums, bias);
            kernel::<S, OC, 2>(simd, [c, d], offsets, weights, sums.add(2 * lanes), bias);
        }
    }
}

/// The micro-kernel. Sums begin with the bias or, without one, with what stands there.
///
/// # Safety
/// Every x with every offset must be readable, a vector long; weights \[offsets,OC\], bias \[OC\] and sums
/// \[OC,POSITIONS\] must be there.
#[inline(always)]
unsafe fn kernel<S: Simd, const OC: usize, const P: usize>(
    simd: S,
    x: [*const f32; P],
    offsets: &[usize],
    weights: *const f32,
    sums: *mut f32,
    bias: Option<*const f32>,
) {
    let lanes = S::F32_LANES;
    // SAFETY: the caller's.
    unsafe {
        let mut acc: [[S::f32s; P]; OC] = match bias {
            Some(bias) => std::array::from_fn(|oc| [simd.splat_f32s(*bias.add(oc)); P]),
            None => std::array::from_fn(|oc| {
                std::array::from_fn(|p| load(simd, sums.add((oc * POSITIONS + p) * lanes)))
            }),
        };
        let mut weights = weights;
        for &offset in offsets {
            let x: [S::f32s; P] = std::array::from_fn(|p| load(simd, x[p].add(offset)));
            for (oc, acc) in acc.iter_mut().enumerate() {
                let weight = simd.splat_f32s(*weights.add(oc));
                for p in 0..P {
                    acc[p] = simd.mul_add_f32s(weight, x[p], acc[p]);
                }
            }
            weights = weights.add(OC);
        }
        for (oc, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                store(simd, sums.add((oc * POSITIONS + p) * lanes), *sum);
            }
        }
    }
}

/// Sums of a tile of channels at four positions that stand side by side: x \[k,POSITIONS\], `step` floats from
/// one k to the next; weights \[k,count\]; sums \[count,POSITIONS\].
///
/// # Safety
/// All of these must be there.
#[inline(always)]
pub unsafe fn kernel_of<S: Simd>(
    simd: S,
    count: usize,
    x: (*const f32, usize, usize),
    weights: *const f32,
    sums: *mut f32,
) {
    // SAFETY: the caller's.
    unsafe {
        match count {
            6 => beside_of::<S, 6>(simd, x, weights, sums),
            5 => beside_of::<S, 5>(simd, x, weights, sums),
            4 => beside_of::<S, 4>(simd, x, weights, sums),
            3 => beside_of::<S, 3>(simd, x, weights, sums),
            2 => beside_of::<S, 2>(simd, x, weights, sums),
            _ => beside_of::<S, 1>(simd, x, weights, sums),
        }
    }
}

/// The four positions, two by two where registers are few.
///
/// # Safety
/// As for [`kernel_of`].
#[inline(always)]
unsafe fn beside_of<S: Simd, const OC: usize>(
    simd: S,
    (x, step, count): (*const f32, usize, usize),
    weights: *const f32,
    sums: *mut f32,
) {
    let lanes = S::F32_LANES;
    // SAFETY: the caller's.
    unsafe {
        if S::REGISTER_COUNT >= 32 {
            beside::<S, OC, 4>(simd, (x, step, count), weights, sums);
        } else {
            beside::<S, OC, 2>(simd, (x, step, count), weights, sums);
            let x = x.add(2 * lanes);
            beside::<S, OC, 2>(simd, (x, step, count), weights, sums.add(2 * lanes));
        }
    }
}

/// The micro-kernel for positions side by side.
///
/// # Safety
/// As for [`kernel_of`].
#[inline(always)]
unsafe fn beside<S: Simd, const OC: usize, const P: usize>(
    simd: S,
    (x, step, count): (*const f32, usize, usize),
    weights: *const f32,
    sums: *mut f32,
) {
    let lanes = S::F32_LANES;
    let mut acc = [[simd.splat_f32s(0.0); P]; OC];
    let (mut x, mut weights) = (x, weights);
    // SAFETY: the caller's.
    unsafe {
        for _ in 0..count {
            let own: [S::f32s; P] = std::array::from_fn(|p| load(simd, x.add(p * lanes)));
            for (oc, acc) in acc.iter_mut().enumerate() {
                let weight = simd.splat_f32s(*weights.add(oc));
                for p in 0..P {
                    acc[p] = simd.mul_add_f32s(weight, own[p], acc[p]);
                }
            }
            weights = weights.add(OC);
            x = x.wrapping_add(step);
        }
        for (oc, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                store(simd, sums.add((oc * POSITIONS + p) * lanes), *sum);
            }
        }
    }
}

/// A vector from memory.
///
/// # Safety
/// It must be readable.
#[inline(always)]
pub unsafe fn load<S: Simd>(_: S, from: *const f32) -> S::f32s {
    // SAFETY: the caller's; any bits are numbers.
    unsafe { from.cast::<S::f32s>().read_unaligned() }
}

/// A vector to memory.
///
/// # Safety
/// It must be writable.
#[inline(always)]
pub unsafe fn store<S: Simd>(_: S, to: *mut f32, value: S::f32s) {
    // SAFETY: the caller's.
    unsafe { to.cast::<S::f32s>().write_unaligned(value) }
}

/// A sum after its activation.
#[inline(always)]
pub fn activated<S: Simd>(simd: S, x: S::f32s, activation: Activation) -> S::f32s {
    match activation {
        Activation::None => x,
        Activation::Relu => simd.max_f32s(x, simd.splat_f32s(0.0)),
        Activation::Clip(min, max) => {
            let above = simd.max_f32s(x, simd.splat_f32s(min));
            simd.min_f32s(above, simd.splat_f32s(max))
        }
    }
}
