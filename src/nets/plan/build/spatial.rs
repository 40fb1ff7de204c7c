//! Plans convolutions and dense layers.

use std::ops::Range;
use std::sync::Arc;

use super::draft::{Draft, winograd_for};
use crate::nets::graph::op::{Conv, GruReset, Pads};
use crate::nets::graph::{NodeId, Op};
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::product::{
    ChannelGroup, POSITIONS, Positions, Product, channel_tiles, pack_weights,
};
use crate::nets::plan::recurrent::CellKind;
use crate::nets::plan::steps::PlanStep;

/// Length of a range of k that is summed over all tiles before the next: its inputs at four positions fit in the L1
/// cache.
const BLOCK: usize = 256;

/// The same for dense layers, whose four positions lie far apart.
pub const DENSE_BLOCK: usize = 128;

impl Draft<'_> {
    /// Plans a node.
    pub fn plan_node(&mut self, id: NodeId) -> Result<(), UnsupportedNode> {
        match &self.graph.node(id).op {
            Op::Input => {
                let to = self.add_output(id)?;
                self.add_step(PlanStep::Load(to));
                Ok(())
            }
            Op::Conv(conv) => self.convolution(id, *conv),
            Op::Dense | Op::MatMul => self.dense(id),
            Op::MaxPool(window) => {
                let window = *window;
                self.pool(id, window, None)
            }
            Op::AvgPool { window, divisor } => {
                let (window, divisor) = (*window, *divisor);
                self.pool(id, window, Some(divisor))
            }
            Op::Reduce {
                reduction, axes, ..
            } => {
                let (reduction, axes) = (*reduction, axes.clone());
                self.reduce(id, reduction, &axes)
            }
            Op::Lstm { recurrent } => {
                let recurrent = *recurrent;
                self.recurrent(id, recurrent, CellKind::Lstm)
            }
            Op::Gru { recurrent, reset } => {
                let recurrent = *recurrent;
                let cell = match reset {
                    GruReset::AfterMatrix => CellKind::GruAfter,
                    GruReset::BeforeMatrix => CellKind::GruBefore,
                };
                self.recurrent(id, recurrent, cell)
            }
            _ => self.plan_function(id),
        }
    }

    fn convolution(&mut self, id: NodeId, conv: Conv) -> Result<(), UnsupportedNode> {
        let from = self.output(self.source(id, 0)?);
        let Some(weight) = self.weight(id, 1) else {
            return Err(self.unsupported(id, "its kernel is not constant"));
        };
        let [channels, group_inputs, height, width] = *weight.shape() else {
            return Err(self.unsupported(id, "its kernel has no rows and columns"));
        };
        let shape = self.shape(id)?;
        let [_, rows, columns] = *shape else {
            return Err(self.unsupported(id, "its output has no rows and columns"));
        };
        let bias = self.bias(id, channels)?;
        let lanes = self.lanes;
        let winograd = winograd_for(&conv, Some(weight), [rows, columns]);
        if let Some(variant) = winograd.filter(|_| !self.direct) {
            return self.winograd(id, conv, variant, weight, bias);
        }
        let (last, window, activation) = self.fuse_followers(id, |_| true);
        let to = self.add_output(last)?;
        let group_outputs = channels / conv.groups;
        let tiles = channel_tiles(group_outputs);
        let area = height * width;
        let blocks = blocks(group_inputs, area);
        let values = weight.values();
        let k = group_inputs * area;
        let weights = self.packed(id, 1, "direct", || {
            pack_weights(conv.groups, &tiles, &blocks, |part, channel, tap| {
                values[(part * group_outputs + channel) * k + tap]
            })
        });
        let tap = |index: usize| {
            let (channel, row, column) = (index / area, index % area / width, index % width);
            let row = row * conv.dilation[0] * from.padded_width();
            (channel * from.padded_plane() + row + column * conv.dilation[1]) * lanes
        };
        // The border is at least the padding, so no base lies before the tensor.
        let base = |row: usize, column: usize| {
            let row = row * conv.stride[0] + from.border.top - conv.pads.top;
            let column = column * conv.stride[1] + from.border.left - conv.pads.left;
            (row * from.padded_width() + column) * lanes
        };
        let parts = (0..conv.groups).map(|part| ChannelGroup {
            first: part * group_outputs,
            shift: part * group_inputs * from.padded_plane() * lanes,
            weights: part * group_outputs * k,
        });
        let positions = match window {
            None => {
                let all: Vec<(usize, usize)> = (0..rows)
                    .flat_map(|row| (0..columns).map(move |column| (row, column)))
                    .collect();
                let quads = all.chunks(POSITIONS).map(|quad| {
                    let at = |i: usize| quad[i.min(quad.len() - 1)];
                    let from = std::array::from_fn(|i| base(at(i).0, at(i).1));
                    let into = std::array::from_fn(|i| to.offset(0, at(i).0, at(i).1) * lanes);
                    (from, into)
                });
                Positions::Quads(quads.collect())
            }
            Some(window) => {
                let [high, wide] = window.kernel;
                let quads = (high * wide).div_ceil(POSITIONS);
                let mut bases = Vec::new();
                let mut places = Vec::new();
                for row in 0..to.rows {
                    for column in 0..to.columns {
                        places.push(to.offset(0, row, column) * lanes);
                        bases.extend((0..quads).map(|quad| {
                            std::array::from_fn(|i| {
                                let tap = (quad * POSITIONS + i).min(high * wide - 1);
                                base(row * high + tap / wide, column * wide + tap % wide)
                            })
                        }));
                    }
                }
                Positions::PooledQuads(quads, bases, places)
            }
        };
        // A position that is computed twice to fill a quad counts once.
        let computed = match window {
            Some(window) => to.rows * to.columns * window.kernel[0] * window.kernel[1],
            None => rows * columns,
        };
        self.operations += 2 * (computed * channels * k) as u64;
        self.add_step(PlanStep::Product(Product {
            node: id,
            from,
            to,
            channel_groups: parts.collect(),
            tiles,
            weights,
            bias,
            offsets: (0..k).map(tap).collect(),
            blocks,
            positions,
            activation,
        }));
        Ok(())
    }

    /// The bias of a layer with this many units: zeros if it has none.
    fn bias(&self, id: NodeId, units: usize) -> Result<Arc<[f32]>, UnsupportedNode> {
        if self.graph.node(id).inputs.len() < 3 {
            return Ok(vec![0.0; units].into());
        }
        match self.weight(id, 2) {
            Some(bias) if bias.values().len() == units => Ok(bias.values().into()),
            _ => Err(self.unsupported(id, "its bias is not constant")),
        }
    }

    fn dense(&mut self, id: NodeId) -> Result<(), UnsupportedNode> {
        let source = self.source(id, 0)?;
        let from = self.output(source);
        let Some(weight) = self.weight(id, 1) else {
            return Err(self.unsupported(id, "its weight is not constant"));
        };
        let [k, units] = *weight.shape() else {
            return Err(self.unsupported(id, "its weight is not a matrix"));
        };
        let shape = self.shape(source)?;
        if shape.last() != Some(&k)
            || self.batch_axis(source) == shape.len()
            || !from.has_no_border()
        {
            return Err(self.unsupported(id, "its input is not a sequence of vectors"));
        }
        let vectors = from.elements() / k.max(1);
        let bias = self.bias(id, units)?;
        let (last, _, activation) = self.fuse_followers(id, |_| false);
        if vectors > 1 && self.border(last) != Pads::default() {
            return Err(self.unsupported(id, "its output needs a border"));
        }
        let to = self.add_output(last)?;
        let (tiles, lanes) = (channel_tiles(units), self.lanes);
        let values = weight.values();
        let blocks = split_evenly(k, DENSE_BLOCK);
        let weights = self.packed(id, 1, "direct", || {
            pack_weights(1, &tiles, &blocks, |_, unit, input| {
                values[input * units + unit]
            })
        });
        self.operations += 2 * (vectors * units * k) as u64;
        // With several vectors per image, each vector is a position, and its elements are contiguous.
        let all: Vec<usize> = (0..vectors).collect();
        let quads = all.chunks(POSITIONS).map(|quad| {
            let at = |i: usize, step: usize| quad[i.min(quad.len() - 1)] * step * lanes;
            let from = std::array::from_fn(|i| at(i, k));
            (from, std::array::from_fn(|i| at(i, units)))
        });
        let (from, to, positions) = match vectors {
            1 => (from, to, Positions::ImageGroups),
            _ => (
                from.flattened(),
                to.flattened(),
                Positions::Quads(quads.collect()),
            ),
        };
        self.add_step(PlanStep::Product(Product {
            node: id,
            from,
            to,
            channel_groups: vec![single_channel_group()],
            tiles,
            weights,
            bias,
            offsets: (0..k).map(|input| input * lanes).collect(),
            blocks,
            positions,
            activation,
        }));
        Ok(())
    }
}

/// The single channel group of a layer without groups.
pub fn single_channel_group() -> ChannelGroup {
    ChannelGroup {
        first: 0,
        shift: 0,
        weights: 0,
    }
}

/// Splits k into ranges of at most `max`, as evenly as possible.
pub fn split_evenly(k: usize, max: usize) -> Vec<Range<usize>> {
    let count = k.div_ceil(max).max(1);
    (0..count)
        .map(|piece| k * piece / count..k * (piece + 1) / count)
        .collect()
}

/// Splits k into ranges of whole channels.
fn blocks(channels: usize, area: usize) -> Vec<Range<usize>> {
    let count = (channels * area).div_ceil(BLOCK + BLOCK / 4).max(1);
    let step = channels.div_ceil(count).max(1);
    (0..channels)
        .step_by(step)
        .map(|first| first * area..(first + step).min(channels) * area)
        .collect()
}
