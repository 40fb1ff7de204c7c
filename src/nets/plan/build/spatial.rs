//! Convolutions, dense and recurrent layers, and windows.

use std::ops::Range;
use std::sync::Arc;

use super::draft::{Draft, flat, winograd_taps};
use crate::nets::graph::op::{
    Conv, Direction, Divisor, Recurrent, RecurrentOutput, Reduction, Window,
};
use crate::nets::graph::{NodeId, Op};
use crate::nets::plan::Unplanned;
use crate::nets::plan::layout::Place;
use crate::nets::plan::pool::Pool;
use crate::nets::plan::product::{Activation, POSITIONS, Part, Positions, Product, packed, tiles};
use crate::nets::plan::recurrent::Lstm;
use crate::nets::plan::steps::Step;
use crate::nets::plan::winograd::{OUTPUTS, Transform, Winograd};
use crate::session::array::Array;

/// Numbers of k that are summed over all tiles before the next: what four positions read of them stays in
/// the first cache.
const BLOCK: usize = 256;

/// The same of dense layers, whose four positions stand far apart.
const DENSE: usize = 128;

impl Draft<'_> {
    /// A node in its place.
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
                self.lstm(id, recurrent)
            }
            _ => self.function(id),
        }
    }

    fn convolution(&mut self, id: NodeId, conv: Conv) -> Result<(), Unplanned> {
        let from = self.place(self.source(id, 0)?);
        let Some(weight) = self.weight(id, 1) else {
            return Err(self.unplanned(id, "its kernel is computed"));
        };
        let [channels, own_channels, height, width] = *weight.shape() else {
            return Err(self.unplanned(id, "its kernel has no rows and columns"));
        };
        let shape = self.shape(id)?;
        let [_, rows, columns] = *shape else {
            return Err(self.unplanned(id, "it gives no rows and columns"));
        };
        let bias = self.bias(id, channels)?;
        let lanes = self.lanes;
        let filtered = winograd_taps(&conv, Some(weight), [rows, columns]);
        if let Some((taps, transform)) = filtered.filter(|_| !self.direct) {
            return self.winograd(id, conv, (taps, transform), weight, bias);
        }
        let (last, window, activation) = self.follow(id, |_| true);
        let to = self.give(last)?;
        let of_part = channels / conv.groups;
        let tiles = tiles(of_part);
        let area = height * width;
        let blocks = blocks(own_channels, area);
        let values = weight.values();
        let k = own_channels * area;
        let weights = packed(conv.groups, &tiles, &blocks, |part, channel, at| {
            values[(part * of_part + channel) * k + at]
        });
        let tap = |at: usize| {
            let (channel, row, column) = (at / area, at % area / width, at % width);
            let row = row * conv.dilation[0] * from.width();
            (channel * from.plane() + row + column * conv.dilation[1]) * lanes
        };
        // The border is at least the padding, so that no base lies before the value.
        let base = |row: usize, column: usize| {
            let row = row * conv.stride[0] + from.border.top - conv.pads.top;
            let column = column * conv.stride[1] + from.border.left - conv.pads.left;
            (row * from.width() + column) * lanes
        };
        let parts = (0..conv.groups).map(|part| Part {
            first: part * of_part,
            shift: part * own_channels * from.plane() * lanes,
            weights: part * of_part * k,
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
                                let at = (quad * POSITIONS + i).min(high * wide - 1);
                                base(row * high + at / wide, column * wide + at % wide)
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
            weights: weights.into(),
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
        // What the direct convolution would take: the same work by fewer operations.
        self.operations += 2 * (size.0 * size.1 * channels * inputs * area) as u64;
        let step = Winograd {
            node: id,
            from,
            to,
            transform,
            tiles: tiles.into(),
            weights: weights.into(),
            bias,
            places: places.collect(),
            size,
            pooled: window.is_some(),
            activation,
        };
        self.step(Step::Winograd(step));
        Ok(())
    }

    /// The bias of a layer of so many units: zeros where it has none.
    fn bias(&self, id: NodeId, units: usize) -> Result<Arc<[f32]>, Unplanned> {
        if self.graph.node(id).inputs.len() < 3 {
            return Ok(vec![0.0; units].into());
        }
        match self.weight(id, 2) {
            Some(bias) if bias.values().len() == units => Ok(bias.values().into()),
            _ => Err(self.unplanned(id, "its bias is computed")),
        }
    }

    fn dense(&mut self, id: NodeId) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let from = self.place(source);
        let Some(weight) = self.weight(id, 1) else {
            return Err(self.unplanned(id, "both of its factors are computed"));
        };
        let [k, units] = *weight.shape() else {
            return Err(self.unplanned(id, "its weight is no matrix"));
        };
        if self.shape(source)? != [k] || !from.is_dense() {
            return Err(self.unplanned(id, "it computes on more than one vector an image"));
        }
        let bias = self.bias(id, units)?;
        let (last, _, activation) = self.follow(id, |_| false);
        let to = self.give(last)?;
        let tiles = tiles(units);
        let values = weight.values();
        let blocks = pieces(k, DENSE);
        let weights = packed(1, &tiles, &blocks, |_, unit, at| values[at * units + unit]);
        self.operations += 2 * (units * k) as u64;
        self.step(Step::Product(Product {
            node: id,
            from,
            to,
            parts: vec![whole_part()],
            tiles,
            weights: weights.into(),
            bias,
            offsets: (0..k).map(|at| at * self.lanes).collect(),
            blocks,
            positions: Positions::Groups,
            activation,
        }));
        Ok(())
    }

    fn pool(
        &mut self,
        id: NodeId,
        window: Window,
        divisor: Option<Divisor>,
    ) -> Result<(), Unplanned> {
        let from = self.place(self.source(id, 0)?);
        let to = self.give(id)?;
        let (mut windows, mut taps) = (Vec::new(), Vec::new());
        // Places along an axis that a window reads, inside the image, and inside image and padding.
        let along = |axis: usize, at: usize, length: usize| {
            let (before, after) = window.pads.along(axis);
            let first = at * window.stride[axis];
            let places = (0..window.kernel[axis]).map(|tap| first + tap * window.dilation[axis]);
            let padded = places
                .clone()
                .filter(|&it| it < before + length + after)
                .count();
            let inside = places.filter(|&it| it >= before && it < before + length);
            let inside: Vec<usize> = inside.map(|it| it - before).collect();
            (inside, padded)
        };
        for row in 0..to.rows {
            let (rows, padded_rows) = along(0, row, from.rows);
            for column in 0..to.columns {
                let (columns, padded_columns) = along(1, column, from.columns);
                let first = taps.len();
                for row in &rows {
                    taps.extend(columns.iter().map(|&column| from.offset(0, *row, column)));
                }
                let count = match divisor {
                    Some(Divisor::WithPadding) => padded_rows * padded_columns,
                    _ => rows.len() * columns.len(),
                };
                windows.push((first..taps.len(), 1.0 / count.max(1) as f32));
            }
        }
        if windows.iter().any(|(own, _)| own.is_empty()) {
            return Err(self.unplanned(id, "a window lies outside of the image"));
        }
        self.step(Step::Pool(Pool {
            from,
            to,
            most: divisor.is_none(),
            windows: windows.into(),
            taps: taps.into(),
        }));
        Ok(())
    }

    /// One number a channel.
    fn reduce(
        &mut self,
        id: NodeId,
        reduction: Reduction,
        axes: &[usize],
    ) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let from = self.place(source);
        let whole = axes == [2, 3] && self.images(source) == 0 && self.shape(source)?.len() == 3;
        let (most, factor) = match reduction {
            Reduction::Mean => (false, 1.0 / (from.rows * from.columns) as f32),
            Reduction::Sum => (false, 1.0),
            Reduction::Max => (true, 1.0),
            _ => return Err(self.unplanned(id, "what it reduces to is not known")),
        };
        if !whole {
            return Err(self.unplanned(id, "it reduces other axes than rows and columns"));
        }
        let to = self.give(id)?;
        // With or without its axes, a number a channel.
        let to = Place {
            channels: from.channels,
            rows: 1,
            columns: 1,
            ..to
        };
        let taps: Vec<usize> = (0..from.rows)
            .flat_map(|row| (0..from.columns).map(move |column| from.offset(0, row, column)))
            .collect();
        self.step(Step::Pool(Pool {
            from,
            to,
            most,
            windows: vec![(0..taps.len(), factor)].into(),
            taps: taps.into(),
        }));
        Ok(())
    }

    fn lstm(&mut self, id: NodeId, recurrent: Recurrent) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let from = self.place(source);
        let [length, features] = *self.shape(source)? else {
            return Err(self.unplanned(id, "its input is no sequence of vectors"));
        };
        let (Some(input), Some(state)) = (self.weight(id, 1), self.weight(id, 2)) else {
            return Err(self.unplanned(id, "its weights are computed"));
        };
        let forward = recurrent.direction == Direction::Forward;
        if !forward || self.images(source) != 1 || !from.is_dense() {
            return Err(self.unplanned(id, "it does not read a sequence forward"));
        }
        let units = recurrent.units;
        let rows = 4 * units;
        let bias: Arc<[f32]> = match self.weight(id, 3) {
            Some(bias) => {
                let (input, state) = bias.values().split_at(rows);
                input.iter().zip(state).map(|(a, b)| a + b).collect()
            }
            None => vec![0.0; rows].into(),
        };
        let tiles = tiles(rows);
        let (input, state) = (input.values(), state.values());
        let k = features + units;
        let blocks = pieces(k, DENSE);
        let weights: Arc<[f32]> = packed(1, &tiles, &blocks, |_, row, at| match at {
            at if at < features => input[row * features + at],
            at => state[row * units + at - features],
        })
        .into();
        // All states one after the other, before them the first, which is zero.
        let states = self.framed((length + 1) * units);
        let (gates, cell) = (self.framed(rows), self.framed(units));
        let shape = self.shape(id)?;
        let skip = match recurrent.output {
            RecurrentOutput::All => units,
            RecurrentOutput::Last => length * units,
            RecurrentOutput::Cell => 0,
        };
        let given = match recurrent.output {
            RecurrentOutput::Cell => cell,
            _ => states,
        };
        self.alias(
            id,
            Place {
                skip,
                channels: shape.iter().product(),
                ..given
            },
        );
        self.operations += 2 * (length * rows * k) as u64;
        let lanes = self.lanes;
        let (from_value, skipped) = (from.at, from.skip);
        let used = [from.at, states.at, gates.at, cell.at];
        let for_now = Step::Lstm(Lstm {
            units,
            steps: Arc::new([]),
            gates,
            cell,
            states: Arc::new([]),
        });
        let make = move |places: &[Place]| {
            let at = |value: usize| places[value].at;
            let step = |step: usize| {
                let x = at(from_value) + skipped + step * features;
                let h = at(states.at) + step * units;
                let tap = |k: usize| match k {
                    k if k < features => (x + k) * lanes,
                    k => (h + k - features) * lanes,
                };
                Product {
                    node: id,
                    // The frame from its beginning.
                    from: Place {
                        framed: true,
                        ..flat(0)
                    },
                    to: places[gates.at],
                    parts: vec![whole_part()],
                    tiles: tiles.clone(),
                    weights: Arc::clone(&weights),
                    bias: Arc::clone(&bias),
                    offsets: (0..k).map(tap).collect(),
                    blocks: blocks.clone(),
                    positions: Positions::Groups,
                    activation: Activation::None,
                }
            };
            Step::Lstm(Lstm {
                units,
                steps: (0..length).map(step).collect(),
                gates: places[gates.at],
                cell: places[cell.at],
                states: (0..=length)
                    .map(|step| Place {
                        skip: step * units,
                        channels: units,
                        ..places[states.at]
                    })
                    .collect(),
            })
        };
        self.later(for_now, &used, Box::new(make));
        Ok(())
    }
}

/// All channels of a layer without groups.
fn whole_part() -> Part {
    Part {
        first: 0,
        shift: 0,
        weights: 0,
    }
}

/// Pieces of k as even as can be, of at most so many.
fn pieces(k: usize, most: usize) -> Vec<Range<usize>> {
    let many = k.div_ceil(most).max(1);
    (0..many)
        .map(|at| k * at / many..k * (at + 1) / many)
        .collect()
}

/// Pieces of k, of whole channels.
fn blocks(channels: usize, area: usize) -> Vec<Range<usize>> {
    let many = (channels * area).div_ceil(BLOCK + BLOCK / 4).max(1);
    let step = channels.div_ceil(many).max(1);
    (0..channels)
        .step_by(step)
        .map(|first| first * area..(first + step).min(channels) * area)
        .collect()
}
