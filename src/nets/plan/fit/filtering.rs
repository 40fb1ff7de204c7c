//! Gradients by the weights of a convolution by minimal filtering: F(r×r, 4×4), whose kernel is a tile of the
//! gradients by the sums. Its inputs are transformed as those of the convolution itself, F(4×4, r×r): both have
//! the same points.

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::layout::Place;
use super::super::product::{load, store};
use super::super::team::each;
use super::super::winograd::{OUTPUTS, Transform, transform_inputs};
use super::Frames;
use super::kernel::Geometry;
use super::memory::{Memory, Part, Pointer};

/// Bytes of the transformed tiles that are multiplied before the next are made.
const AT_ONCE: usize = 5 << 20;

/// Most points along an axis.
const MOST: usize = 8;

/// Output and input channels that are multiplied together.
const TILE: (usize, usize) = (5, 4);

/// How the gradients of a convolution's weights are computed.
#[derive(Debug)]
pub struct Filtering {
    transform: Transform,
    taps: usize,
    from: Place,
    sums: Place,
    /// Where the inputs of every tile begin, in numbers, and its first row and column of the sums.
    tiles: Vec<(usize, usize, usize)>,
    room: Memory,
    /// Sums by point, output and input channel.
    sums_of: Vec<f32>,
}

impl Filtering {
    /// Of a convolution that reads and sums in these places; `None` where it is not one for minimal filtering.
    pub fn new(geometry: Geometry, from: Place, sums: Place) -> Option<Self> {
        let shape = [sums.channels, sums.rows, sums.columns];
        let transform = geometry.transform(from.channels, shape)?;
        let tile = |row: usize, column: usize| {
            let first = (row + from.border.top - geometry.pads.top) * from.width();
            let first = first + column + from.border.left - geometry.pads.left;
            (first, row, column)
        };
        let rows = (0..sums.rows).step_by(OUTPUTS);
        let tiles = rows.flat_map(|row| {
            let columns = (0..sums.columns).step_by(OUTPUTS);
            columns.map(move |column| tile(row, column))
        });
        Some(Self {
            transform,
            taps: geometry.taps,
            from,
            sums,
            tiles: tiles.collect(),
            room: Memory::default(),
            sums_of: Vec::new(),
        })
    }

    /// The gradients, a kernel an output and an input channel, row-major.
    pub fn by_weights(&mut self, frames: &Frames, gradient: &mut [f32], lanes: Lanes) {
        let points = self.transform.points.pow(2);
        let (inputs, outputs) = (self.from.channels, self.sums.channels);
        let count = lanes.count();
        let pair = points * (inputs + outputs) * count;
        let at_once = (AT_ONCE / (4 * pair)).max(4);
        let pairs: Vec<(usize, usize)> = (0..frames.groups)
            .flat_map(|group| (0..self.tiles.len()).map(move |tile| (group, tile)))
            .collect();
        let at_once = at_once.min(pairs.len());
        let spare = 2 * points * count;
        self.room.reserve(pair * at_once + spare, 1);
        let room = self.room.pointer();
        let mut sums = std::mem::take(&mut self.sums_of);
        sums.resize(points * inputs * outputs, 0.0);
        let layer = &*self;
        let mut first = true;
        for pairs in pairs.chunks(at_once) {
            let block = Block {
                layer,
                frames: *frames,
                room,
                pairs,
            };
            each(pairs.len(), usize::MAX, |at| {
                lanes.arch().dispatch(Transformed { block, at });
            });
            let all = Part(sums.as_mut_ptr());
            each(points, usize::MAX, |point| {
                let sums = all.part(point * inputs * outputs, inputs * outputs);
                if first {
                    sums.fill(0.0);
                }
                lanes.arch().dispatch(Multiplied { block, point, sums });
            });
            first = false;
        }
        lanes.arch().dispatch(
            #[inline(always)]
            || layer.back(&sums, gradient),
        );
        self.sums_of = sums;
    }

    /// From sums \[points,outputs,inputs\] to kernels.
    #[inline(always)]
    fn back(&self, sums: &[f32], gradient: &mut [f32]) {
        let (n, r) = (self.transform.points, self.taps);
        let kernels = self.from.channels * self.sums.channels;
        let rows: Vec<Vec<f32>> = (0..r).map(|k| self.transform.output_row(k, r)).collect();
        let mut half = vec![0.0; n * kernels];
        let mut whole = vec![0.0; kernels];
        for (k, by_row) in rows.iter().enumerate() {
            half.fill(0.0);
            for (j, &by) in by_row.iter().enumerate().filter(|(_, by)| **by != 0.0) {
                let own = &sums[j * n * kernels..(j + 1) * n * kernels];
                half.iter_mut()
                    .zip(own)
                    .for_each(|(half, sum)| *half += by * sum);
            }
            for (l, by_column) in rows.iter().enumerate() {
                whole.fill(0.0);
                for (by, half) in by_column.iter().zip(half.chunks_exact(kernels)) {
                    whole
                        .iter_mut()
                        .zip(half)
                        .for_each(|(whole, half)| *whole += by * half);
                }
                let into = gradient.iter_mut().skip(k * r + l).step_by(r * r);
                into.zip(&whole).for_each(|(into, value)| *into = *value);
            }
        }
    }
}

/// Tiles that are in the room together: pairs of a group and a tile. There stand, by point, channel and pair,
/// the transformed inputs and then the transformed gradients.
#[derive(Clone, Copy)]
struct Block<'a> {
    layer: &'a Filtering,
    frames: Frames,
    room: Pointer,
    pairs: &'a [(usize, usize)],
}

impl Block<'_> {
    /// Numbers between the same channel and pair of two points, of inputs and of gradients. A vector more, so that
    /// points do not fall into the same few sets of the cache.
    #[inline(always)]
    fn apart(&self, lanes: usize) -> (usize, usize) {
        let of = |channels: usize| (channels * self.pairs.len() + 1) * lanes;
        (of(self.layer.from.channels), of(self.layer.sums.channels))
    }

    /// Where the gradients begin.
    #[inline(always)]
    fn gradients(&self, lanes: usize) -> usize {
        self.layer.transform.points.pow(2) * self.apart(lanes).0
    }
}

/// A tile of all channels, transformed.
struct Transformed<'a> {
    block: Block<'a>,
    at: usize,
}

impl WithSimd for Transformed<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.block.layer.transform.points {
            MOST => self.transform::<S, 8>(simd),
            _ => self.transform::<S, 6>(simd),
        }
    }
}

impl Transformed<'_> {
    #[expect(clippy::needless_range_loop, reason = "rows become columns")]
    #[inline(always)]
    fn transform<S: Simd, const N: usize>(&self, simd: S) {
        let lanes = S::F32_LANES;
        let block = &self.block;
        let layer = block.layer;
        let (group, tile) = block.pairs[self.at];
        let (base, row, column) = layer.tiles[tile];
        let (from, sums) = (&layer.from, &layer.sums);
        let (apart, by_apart) = block.apart(lanes);
        let many = block.pairs.len();
        for channel in 0..from.channels {
            let number = from.at + channel * from.plane() + base;
            // SAFETY: tiles lie inside the value and its border; this pair of the room is this task's.
            unsafe {
                let x = block.frames.at(group, number, lanes).cast_const();
                let to = block.room.0.add((channel * many + self.at) * lanes);
                transform_inputs::<S, N>(simd, x, from.width() * lanes, (to, apart));
            }
        }
        let mut by = [[0.0_f32; OUTPUTS]; N];
        for (j, by) in by.iter_mut().enumerate() {
            let row = layer.transform.kernel_row(j, OUTPUTS);
            for x in 0..OUTPUTS {
                by[x] = row[x] as f32;
            }
        }
        let zero = simd.splat_f32s(0.0);
        for channel in 0..sums.channels {
            let mut d = [[zero; OUTPUTS]; OUTPUTS];
            for y in 0..OUTPUTS.min(sums.rows - row) {
                for x in 0..OUTPUTS.min(sums.columns - column) {
                    let number = sums.at + sums.offset(channel, row + y, column + x);
                    // SAFETY: as above.
                    d[y][x] = unsafe { load(simd, block.frames.at(group, number, lanes)) };
                }
            }
            let first = block.gradients(lanes) + (channel * many + self.at) * lanes;
            for j in 0..N {
                let mut half = [zero; OUTPUTS];
                for x in 0..OUTPUTS {
                    for y in 0..OUTPUTS {
                        half[x] = simd.mul_add_f32s(simd.splat_f32s(by[j][y]), d[y][x], half[x]);
                    }
                }
                for l in 0..N {
                    let mut whole = zero;
                    for x in 0..OUTPUTS {
                        whole = simd.mul_add_f32s(simd.splat_f32s(by[l][x]), half[x], whole);
                    }
                    // SAFETY: as above.
                    unsafe {
                        store(
                            simd,
                            block.room.0.add(first + (j * N + l) * by_apart),
                            whole,
                        );
                    }
                }
            }
        }
    }
}

/// The sums of a point: of every output channel times every input channel.
struct Multiplied<'a> {
    block: Block<'a>,
    point: usize,
    /// \[outputs,inputs\].
    sums: &'a mut [f32],
}

impl WithSimd for Multiplied<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (inputs, outputs) = (
            self.block.layer.from.channels,
            self.block.layer.sums.channels,
        );
        let (tall, wide) = TILE;
        for output in (0..outputs).step_by(tall) {
            for input in (0..inputs).step_by(wide) {
                let at = (output, input);
                let whole = (outputs - output >= tall, inputs - input >= wide);
                match whole {
                    (true, true) => self.tile::<S, 5, 4>(simd, at),
                    _ => {
                        for output in output..outputs.min(output + tall) {
                            for input in input..inputs.min(input + wide) {
                                self.tile::<S, 1, 1>(simd, (output, input));
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Multiplied<'_> {
    #[inline(always)]
    fn tile<S: Simd, const O: usize, const I: usize>(
        &mut self,
        simd: S,
        (output, input): (usize, usize),
    ) {
        let lanes = S::F32_LANES;
        let block = &self.block;
        let many = block.pairs.len() * lanes;
        let (apart, by_apart) = block.apart(lanes);
        let mut acc = [[simd.splat_f32s(0.0); I]; O];
        // SAFETY: the room is as long as points, channels and pairs say; nobody writes it now.
        unsafe {
            let room = block.room.0.cast_const();
            let mut x = room.add(self.point * apart + input * many);
            let first = block.gradients(lanes) + self.point * by_apart + output * many;
            let mut d = room.add(first);
            for _ in 0..block.pairs.len() {
                let mut shown = [simd.splat_f32s(0.0); I];
                for (i, shown) in shown.iter_mut().enumerate() {
                    *shown = load(simd, x.add(i * many));
                }
                for (o, acc) in acc.iter_mut().enumerate() {
                    let d = load(simd, d.add(o * many));
                    for i in 0..I {
                        acc[i] = simd.mul_add_f32s(d, shown[i], acc[i]);
                    }
                }
                x = x.add(lanes);
                d = d.add(lanes);
            }
        }
        let inputs = block.layer.from.channels;
        for (o, acc) in acc.iter().enumerate() {
            for (i, acc) in acc.iter().enumerate() {
                self.sums[(output + o) * inputs + input + i] += simd.reduce_sum_f32s(*acc);
            }
        }
    }
}
