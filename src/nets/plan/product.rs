//! Convolutions and dense layers as one product over tables of offsets.
//!
//! For a tile of output channels and four positions, acc\[channel\]\[position\] += w\[k\]\[channel\] ·
//! x\[base\[position\] + offset\[k\]\]. Depending on its tables this is a convolution with any kernel, stride, dilation
//! and groups, or a dense layer, whose four positions are four groups of images. Six channels by four positions fill
//! 24 of 32 registers; with 16 registers, positions are taken two at a time.

mod kernel;

use std::ops::Range;
use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::layout::{GROUPS, MemoryAreas, TensorSlot};
pub use super::vectors::{load, store};
use super::{vectors, windows};
use crate::nets::graph::NodeId;
use kernel::tile_of;
pub use kernel::{activate, adjacent_sums};

/// Positions computed together: a 2×2 window if max pooling follows.
pub const POSITIONS: usize = 4;

/// Maximum channels per tile.
const TILE: usize = 6;

/// The activation applied to a sum before it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// No activation.
    None,
    /// max(x,0).
    Relu,
    /// Clamped to a minimum and a maximum.
    Clip(f32, f32),
}

/// A convolution or dense layer, with its fused activation and max pooling.
#[derive(Debug, Clone)]
pub struct Product {
    /// The node that the bias belongs to.
    pub node: NodeId,
    /// Input.
    pub from: TensorSlot,
    /// Output.
    pub to: TensorSlot,
    /// The channel groups, all with the same tiles.
    pub channel_groups: Vec<ChannelGroup>,
    /// Tiles of the output channels of one channel group.
    pub tiles: Vec<Tile>,
    /// Weights, ordered by channel group, block of k, tile, k, and channel of the tile.
    pub weights: Arc<[f32]>,
    /// The initial value of each sum, one per output channel.
    pub bias: Arc<[f32]>,
    /// Offset of each k from a base, in floats.
    pub offsets: Arc<[usize]>,
    /// Ranges of k. Each is summed over all tiles before the next, so that its inputs stay in the cache.
    pub blocks: Vec<Range<usize>>,
    /// The output positions.
    pub positions: Positions,
    /// The activation applied to the sums.
    pub activation: Activation,
}

/// A channel group: output channels computed from the same input channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelGroup {
    /// First output channel.
    pub first: usize,
    /// Added to a base to reach the group's input channels, in floats.
    pub shift: usize,
    /// Offset of its weights.
    pub weights: usize,
}

/// Output channels computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// First channel, relative to the channel group.
    pub first: usize,
    /// Number of channels.
    pub count: usize,
}

/// Positions, in quads of four.
#[derive(Debug, Clone)]
pub enum Positions {
    /// The groups of images: a dense layer.
    ImageGroups,
    /// Input bases and output offsets of each quad, in floats. The last quad may repeat a position.
    Quads(Vec<([usize; POSITIONS], [usize; POSITIONS])>),
    /// Max pooling: the number of quads per window, the input bases of all quads, and the output offset of each
    /// window.
    PooledQuads(usize, Vec<[usize; POSITIONS]>, Vec<usize>),
}

impl Product {
    /// Whether it works on all groups of images at once.
    pub fn spans_groups(&self) -> bool {
        matches!(self.positions, Positions::ImageGroups)
    }

    /// Output channels of one channel group.
    fn channels(&self) -> usize {
        self.tiles.iter().map(|tile| tile.count).sum()
    }

    /// Floats of scratch memory for its sums.
    pub fn scratch_len(&self, lanes: usize) -> usize {
        self.channels() * POSITIONS * lanes
    }
}

/// Splits output channels into tiles: sixes and fives if they fit exactly, else as evenly as possible.
pub fn channel_tiles(channels: usize) -> Vec<Tile> {
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
            let count = channels.div_ceil(TILE);
            let size = |tile: usize| channels / count + usize::from(tile < channels % count);
            counts.extend((0..count).map(size));
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

/// Weights in the order in which the kernel reads them. `weight` takes a channel group, an output channel in it, and
/// k; `blocks` are the ranges of k.
pub fn pack_weights(
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

/// A product on one group of images, or on all groups.
pub struct Multiply<'a> {
    pub product: &'a Product,
    pub frames: MemoryAreas,
    pub group: usize,
    /// The memory that holds the tensors.
    pub memory: *mut f32,
    /// Scratch memory of [`Product::scratch_len`] floats.
    pub sums: *mut f32,
    /// In training with pooling: where to write the index of each window's maximum (see [`windows::choose`]), as an offset
    /// from the maximum in elements per lane.
    pub chosen: Option<usize>,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let product = self.product;
        let start = |place: &TensorSlot, group: usize| self.frames.start(place, group) * lanes;
        for part in &product.channel_groups {
            match &product.positions {
                Positions::ImageGroups => {
                    let bases = std::array::from_fn(|group| start(&product.from, group));
                    let to: [usize; GROUPS] =
                        std::array::from_fn(|group| start(&product.to, group));
                    // SAFETY: see `sum` and `write`; frames lie inside the memory.
                    unsafe {
                        self.sum(simd, part, bases);
                        self.write(simd, part, to);
                    }
                }
                Positions::Quads(all) => {
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
                Positions::PooledQuads(quads, bases, places) => {
                    let (from, to) = (
                        start(&product.from, self.group),
                        start(&product.to, self.group),
                    );
                    for (window, place) in bases.chunks_exact(*quads).zip(places) {
                        for (quad, bases) in window.iter().enumerate() {
                            // SAFETY: as above.
                            unsafe {
                                self.sum(simd, part, bases.map(|base| from + base));
                                let last = quad + 1 == *quads;
                                self.write_max(simd, part, to + place, quad == 0, last);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Multiply<'_> {
    /// Sums all channels of a channel group at four bases.
    ///
    /// # Safety
    /// A vector at every base plus every offset must lie inside the memory.
    #[inline(always)]
    unsafe fn sum<S: Simd>(&self, simd: S, part: &ChannelGroup, bases: [usize; POSITIONS]) {
        let product = self.product;
        let lanes = S::F32_LANES;
        // SAFETY: see above; tiles, blocks and channel groups determine the lengths of weights and bias.
        unsafe {
            let mut weights = product.weights.as_ptr().add(part.weights);
            for (index, block) in product.blocks.iter().enumerate() {
                let offsets = product.offsets.get_unchecked(block.clone());
                for tile in &product.tiles {
                    let bias = product.bias.as_ptr().add(part.first + tile.first);
                    let bias = (index == 0).then_some(bias);
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

    /// Writes the sums to four output positions.
    ///
    /// # Safety
    /// All channels at these positions must lie inside the memory.
    #[inline(always)]
    unsafe fn write<S: Simd>(&self, simd: S, part: &ChannelGroup, places: [usize; POSITIONS]) {
        let lanes = S::F32_LANES;
        let step = self.product.to.padded_plane() * lanes;
        for channel in 0..self.product.channels() {
            for (position, place) in places.iter().enumerate() {
                // SAFETY: the caller's.
                unsafe {
                    let sum = load(
                        simd,
                        self.sums.add((channel * POSITIONS + position) * lanes),
                    );
                    let to = self.memory.add(place + (part.first + channel) * step);
                    store(simd, to, activate(simd, sum, self.product.activation));
                }
            }
        }
    }

    /// Writes the maximum of four sums and, except for the first quad of a window, the value already there.
    ///
    /// # Safety
    /// As for [`Self::write`].
    #[inline(always)]
    unsafe fn write_max<S: Simd>(
        &self,
        simd: S,
        part: &ChannelGroup,
        place: usize,
        first: bool,
        last: bool,
    ) {
        let lanes = S::F32_LANES;
        let step = self.product.to.padded_plane() * lanes;
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
                let halves = [vectors::max(simd, a, b), vectors::max(simd, c, d)];
                let mut most = vectors::max(simd, halves[0], halves[1]);
                if !first {
                    most = vectors::max(simd, most, load(simd, to));
                }
                if last {
                    most = activate(simd, most, self.product.activation);
                }
                store(simd, to, most);
            }
        }
    }
}
