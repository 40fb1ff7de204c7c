//! Direct convolutions in training: products whose weights change with every batch.

use std::ops::Range;
use std::sync::Arc;

use super::super::super::layout::TensorSlot;
use super::super::super::product::{
    ChannelGroup, POSITIONS, Positions, Product, channel_tiles, pack_weights,
};
use super::super::super::windows::SIDE;
use super::{Geometry, SumsTarget};
use crate::nets::graph::NodeId;

/// Length of a range of k that is summed over all tiles before the next.
const BLOCK: usize = 256;

/// A direct convolution.
#[derive(Debug)]
pub struct Direct {
    /// One product for each set of output rows that use the same tap rows.
    pub(super) products: Vec<Product>,
    /// Ranges of k; each product uses consecutive ones.
    blocks: Vec<Range<usize>>,
    /// For every k, its index in a kernel of all channels.
    order: Vec<usize>,
}

impl Direct {
    /// The convolution that reads `from` and writes its sums to `target`. With `skips_tap_rows`, tap rows that lie outside
    /// the input are skipped, and the input needs no border above and below.
    pub(super) fn new(
        geometry: Geometry,
        from: TensorSlot,
        target: SumsTarget,
        (lanes, skips_tap_rows): (usize, bool),
    ) -> Self {
        let to = target.to();
        // Groups of channels, with the inputs and outputs of each: one of all channels, or one per channel.
        let (groups, inputs, outputs) = match geometry.depthwise {
            true => (to.channels, 1, 1),
            false => (1, from.channels, to.channels),
        };
        let (taps, area) = (geometry.taps, geometry.taps * geometry.taps);
        let tap_index =
            |channel: usize, row: usize, column: usize| (channel * taps + row) * taps + column;
        let columns = |channel: usize, row: usize| {
            (0..taps).map(move |column| tap_index(channel, row, column))
        };
        // Channel by channel, or tap row by tap row.
        let order: Vec<usize> = match skips_tap_rows {
            false => (0..inputs * area).collect(),
            true => (0..taps)
                .flat_map(|row| (0..inputs).flat_map(move |channel| columns(channel, row)))
                .collect(),
        };
        let (pieces, length) = match skips_tap_rows {
            false => (1, inputs * area),
            true => (taps, inputs * taps),
        };
        let step = match skips_tap_rows {
            false => (BLOCK / area).max(1) * area,
            true => (BLOCK / taps).max(1) * taps,
        };
        let blocks: Vec<Range<usize>> = (0..pieces)
            .flat_map(|piece| {
                let whole = piece * length..(piece + 1) * length;
                let firsts = whole.clone().step_by(step);
                firsts.map(move |first| first..(first + step).min(whole.end))
            })
            .collect();
        // The tap rows that lie inside the input, for a row of the output.
        let tap_rows = |row: usize| match skips_tap_rows {
            false => 0..pieces,
            true => {
                let pad = geometry.pads.top;
                pad.saturating_sub(row)..taps.min((from.rows + pad).saturating_sub(row))
            }
        };
        let mut rows: Vec<(Range<usize>, Vec<usize>)> = Vec::new();
        for row in 0..to.rows {
            match rows
                .iter_mut()
                .find(|(known_rows, _)| *known_rows == tap_rows(row))
            {
                Some((_, output_rows)) => output_rows.push(row),
                None => rows.push((tap_rows(row), vec![row])),
            }
        }
        let blocks_per_piece = blocks.len() / pieces;
        let product = |(tap_rows, rows): &(Range<usize>, Vec<usize>)| {
            // Relative to the first tap row in use.
            let offset = |&index: &usize| {
                let (channel, row, column) = (index / area, index % area / taps, index % taps);
                let row = row.saturating_sub(if skips_tap_rows { tap_rows.start } else { 0 });
                (channel * from.padded_plane() + row * from.padded_width() + column) * lanes
            };
            let base = |(row, column): (usize, usize)| {
                let row = if skips_tap_rows {
                    row + tap_rows.start
                } else {
                    row
                };
                geometry.base(&from, row, column) * lanes
            };
            let output_positions: Vec<(usize, usize)> = rows
                .iter()
                .flat_map(|&row| (0..to.columns).map(move |column| (row, column)))
                .collect();
            let output_offset = |(row, column): (usize, usize)| to.offset(0, row, column) * lanes;
            let positions = match target {
                SumsTarget::Sums(_) => {
                    let quads = output_positions.chunks(POSITIONS).map(|quad| {
                        let position = |i: usize| quad[i.min(quad.len() - 1)];
                        let bases = std::array::from_fn(|i| base(position(i)));
                        (bases, std::array::from_fn(|i| output_offset(position(i))))
                    });
                    Positions::Quads(quads.collect())
                }
                SumsTarget::Windows { .. } => {
                    let bases = output_positions.iter().map(|&(row, column)| {
                        let sum = |i: usize| (SIDE * row + i / SIDE, SIDE * column + i % SIDE);
                        std::array::from_fn(|i| base(sum(i)))
                    });
                    let offsets = output_positions
                        .iter()
                        .map(|&position| output_offset(position));
                    Positions::PooledQuads(1, bases.collect(), offsets.collect())
                }
            };
            let weights_before: usize = blocks[..tap_rows.start * blocks_per_piece]
                .iter()
                .map(Range::len)
                .sum();
            Product {
                node: NodeId(0),
                from,
                to,
                channel_groups: (0..groups)
                    .map(|group| ChannelGroup {
                        first: group * outputs,
                        shift: group * inputs * from.padded_plane() * lanes,
                        weights: group * outputs * inputs * area + weights_before * outputs,
                    })
                    .collect(),
                tiles: channel_tiles(outputs),
                weights: Arc::new([]),
                bias: Arc::new([]),
                offsets: order.iter().map(offset).collect(),
                blocks: blocks[tap_rows.start * blocks_per_piece..tap_rows.end * blocks_per_piece]
                    .to_vec(),
                positions,
                activation: target.activation(),
            }
        };
        Self {
            products: rows.iter().map(product).collect(),
            blocks: blocks.clone(),
            order,
        }
    }

    /// Channels of the input and of the output.
    pub(super) fn channels(&self) -> (usize, usize) {
        let first = &self.products[0];
        (first.from.channels, first.to.channels)
    }

    /// Floats of the packed weights, which the products share; also before they are packed.
    pub(super) fn packed_len(&self) -> usize {
        let (_, outputs) = self.channels();
        outputs * self.order.len()
    }

    /// Packs the weights and sets the bias, as [`Kernel::pack_weights`](super::Kernel::pack_weights).
    pub(super) fn pack_weights(&mut self, kernels: &[f32], bias: Vec<f32>) {
        let first = &self.products[0];
        let groups = first.channel_groups.len();
        let (kernel_len, group_outputs) = (self.order.len(), first.to.channels / groups);
        let weight = |group: usize, channel: usize, k: usize| {
            kernels[(group * group_outputs + channel) * kernel_len + self.order[k]]
        };
        let weights: Arc<[f32]> = pack_weights(groups, &first.tiles, &self.blocks, weight).into();
        debug_assert_eq!(weights.len(), self.packed_len());
        let bias: Arc<[f32]> = bias.into();
        for product in &mut self.products {
            product.weights = Arc::clone(&weights);
            product.bias = Arc::clone(&bias);
        }
    }
}
