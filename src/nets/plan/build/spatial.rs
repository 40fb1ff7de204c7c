//! Plans convolutions and dense layers.

use std::ops::Range;
use std::sync::Arc;

use super::draft::{Draft, winograd_taps};
use crate::nets::graph::op::{Conv, Pads, Reset};
use crate::nets::graph::{NodeId, Op};
use crate::nets::plan::Unplanned;
use crate::nets::plan::product::{POSITIONS, Part, Positions, Product, packed, tiles};
use crate::nets::plan::recurrent::Cell;
use crate::nets::plan::steps::Step;
use crate::nets::plan::winograd::{OUTPUTS, Transform, Winograd};
use crate::session::array::Array;

/// Length of a range of k that is summed over all tiles before the next: its inputs at four positions fit in the L1
/// cache.
const BLOCK: usize = 256;

/// The same for dense layers, whose four positions lie far apart.
pub const DENSE: usize = 128;

impl Draft<'_> {
    /// Plans a node.
    pub fn node(&mut self, id: NodeId) -> Result<(), Unplanned> {
        match &self.graph.node(id).op {
            Op::Input => {
                let to = self.give(id)?;
                self.step(Step::Load(to));
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
                self.recurrent(id, recurrent, Cell::Lstm)
            }
            Op::Gru { recurrent, reset } => {
                let recurrent = *recurrent;
                let cell = match reset {
                    Reset::AfterMatrix => Cell::GruAfter,
                    Reset::BeforeMatrix => Cell::GruBefore,
                };
                self.recurrent(id, recurrent, cell)
            }
            _ => self.function(id),
        }
    }

    fn convolution(&mut self, id: NodeId, conv: Conv) -> Result<(), Unplanned> {
        let from = self.place(self.source(id, 0)?);
        let Some(weight) = self.weight(id, 1) else {
            return Err(self.unplanned(id, "its kernel is not constant"));
        };
        let [channels, group_inputs, height, width] = *weight.shape() else {
            return Err(self.unplanned(id, "its kernel has no rows and columns"));
        };
        let shape = self.shape(id)?;
        let [_, rows, columns] = *shape else {
            return Err(self.unplanned(id, "its output has no rows and columns"));
        };
        let bias = self.bias(id, channels)?;
        let lanes = self.lanes;
        let winograd = winograd_taps(&conv, Some(weight), [rows, columns]);
        if let Some((taps, transform)) = winograd.filter(|_| !self.direct) {
            return self.winograd(id, conv, (taps, transform), weight, bias);
        }
        let (last, window, activation) = self.follow(id, |_| true);
        let to = self.give(last)?;
        let group_outputs = channels / conv.groups;
        let tiles = tiles(group_outputs);
        let area = height * width;
        let blocks = blocks(group_inputs, area);
        let values = weight.values();
        let k = group_inputs * area;
        let weights = self.packed(id, 1, || {
            packed(conv.groups, &tiles, &blocks, |part, channel, tap| {
                values[(part * group_outputs + channel) * k + tap]
            })
        });
        let tap = |index: usize| {
            let (channel, row, column) = (index / area, index % area / width, index % width);
            let row = row * conv.dilation[0] * from.width();
            (channel * from.plane() + row + column * conv.dilation[1]) * lanes
        };
        // The border is at least the padding, so no base lies before the tensor.
        let base = |row: usize, column: usize| {
            let row = row * conv.stride[0] + from.border.top - conv.pads.top;
            let column = column * conv.stride[1] + from.border.left - conv.pads.left;
            (row * from.width() + column) * lanes
        };
        let parts = (0..conv.groups).map(|part| Part {
            first: part * group_outputs,
            shift: part * group_inputs * from.plane() * lanes,
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
                Positions::Each(quads.collect())
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
                Positions::Windows(quads, bases, places)
            }
        };
        let computed = match &positions {
            Positions::Windows(_, bases, _) => bases.len() * POSITIONS,
            _ => rows * columns,
        };
        self.operations += 2 * (computed * channels * k) as u64;
        self.step(Step::Product(Product {
            node: id,
            from,
            to,
            parts: parts.collect(),
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

    fn winograd(
        &mut self,
        id: NodeId,
        conv: Conv,
        (taps, transform): (usize, Transform),
        weight: &Array<f32>,
        bias: Arc<[f32]>,
    ) -> Result<(), Unplanned> {
        let from = self.place(self.source(id, 0)?);
        let shape = self.shape(id)?;
        let (size, lanes) = ((shape[1], shape[2]), self.lanes);
        let (last, window, activation) = self.follow(id, |window| window.kernel == [2, 2]);
        let to = self.give(last)?;
        let (channels, inputs) = (weight.shape()[0], weight.shape()[1]);
        let (tiles, points) = (tiles(channels), transform.points.pow(2));
        let area = taps * taps;
        let weights = self.packed(id, 1, || {
            let kernels: Vec<Vec<f32>> = weight
                .values()
                .chunks_exact(area)
                .map(|kernel| transform.kernel(kernel, taps))
                .collect();
            let number =
                |output: usize, input: usize, point: usize| kernels[output * inputs + input][point];
            let mut weights = Vec::with_capacity(points * kernels.len());
            for tile in &tiles {
                for point in 0..points {
                    for input in 0..inputs {
                        let outputs = tile.first..tile.first + tile.count;
                        weights.extend(outputs.map(|output| number(output, input, point)));
                    }
                }
            }
            weights
        });
        let place = |row: usize, column: usize| {
            let from_row = row + from.border.top - conv.pads.top;
            let from_column = column + from.border.left - conv.pads.left;
            ((from_row * from.width() + from_column) * lanes, row, column)
        };
        let rows = (0..size.0).step_by(OUTPUTS);
        let all: Vec<(usize, usize, usize)> = rows
            .flat_map(|row| {
                (0..size.1)
                    .step_by(OUTPUTS)
                    .map(move |column| (row, column))
            })
            .map(|(row, column)| place(row, column))
            .collect();
        let quads = all.chunks(POSITIONS);
        let places = quads.map(|quad| std::array::from_fn(|i| quad[i.min(quad.len() - 1)]));
        // Counts the operations of the direct convolution: the same work, done with fewer operations.
        self.operations += 2 * (size.0 * size.1 * channels * inputs * area) as u64;
        let step = Winograd {
            node: id,
            from,
            to,
            transform,
            tiles: tiles.into(),
            weights,
            bias,
            places: places.collect(),
            size,
            pooled: window.is_some(),
            activation,
        };
        self.step(Step::Winograd(step));
        Ok(())
    }

    /// The bias of a layer with this many units: zeros if it has none.
    fn bias(&self, id: NodeId, units: usize) -> Result<Arc<[f32]>, Unplanned> {
        if self.graph.node(id).inputs.len() < 3 {
            return Ok(vec![0.0; units].into());
        }
        match self.weight(id, 2) {
            Some(bias) if bias.values().len() == units => Ok(bias.values().into()),
            _ => Err(self.unplanned(id, "its bias is not constant")),
        }
    }

    fn dense(&mut self, id: NodeId) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let from = self.place(source);
        let Some(weight) = self.weight(id, 1) else {
            return Err(self.unplanned(id, "its weight is not constant"));
        };
        let [k, units] = *weight.shape() else {
            return Err(self.unplanned(id, "its weight is not a matrix"));
        };
        let shape = self.shape(source)?;
        if shape.last() != Some(&k) || self.images(source) == shape.len() || !from.is_dense() {
            return Err(self.unplanned(id, "its input is not a sequence of vectors"));
        }
        let vectors = from.numbers() / k.max(1);
        let bias = self.bias(id, units)?;
        let (last, _, activation) = self.follow(id, |_| false);
        if vectors > 1 && self.border(last) != Pads::default() {
            return Err(self.unplanned(id, "its output needs a border"));
        }
        let to = self.give(last)?;
        let (tiles, lanes) = (tiles(units), self.lanes);
        let values = weight.values();
        let blocks = pieces(k, DENSE);
        let weights = self.packed(id, 1, || {
            packed(1, &tiles, &blocks, |_, unit, input| {
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
            1 => (from, to, Positions::Groups),
            _ => (
                from.as_numbers(),
                to.as_numbers(),
                Positions::Each(quads.collect()),
            ),
        };
        self.step(Step::Product(Product {
            node: id,
            from,
            to,
            parts: vec![whole_part()],
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
pub fn whole_part() -> Part {
    Part {
        first: 0,
        shift: 0,
        weights: 0,
    }
}

/// Splits k into ranges of at most `max`, as evenly as possible.
pub fn pieces(k: usize, max: usize) -> Vec<Range<usize>> {
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
