//! Plans recurrent layers.

use std::sync::Arc;

use super::draft::{Draft, flat};
use super::spatial::{DENSE, pieces, whole_part};
use crate::nets::graph::NodeId;
use crate::nets::graph::op::{Direction, Recurrent, RecurrentOutput};
use crate::nets::plan::Unplanned;
use crate::nets::plan::layout::Place;
use crate::nets::plan::product::{Activation, Positions, Product, packed, tiles};
use crate::nets::plan::recurrent::{self, Cell, Move, Pass};
use crate::nets::plan::steps::Step;

/// The weights of one direction in ONNX order, with the gates stacked as rows.
struct Weights<'a> {
    units: usize,
    features: usize,
    input: &'a [f32],
    state: &'a [f32],
    biases: Option<(&'a [f32], &'a [f32])>,
}

/// A row of a product: a row of the input weights and one of the state weights; `None` stands for zeros.
type Row = (Option<usize>, Option<usize>);

impl Weights<'_> {
    /// The rows of some gates, with both input and state weights.
    fn both(&self, gates: std::ops::Range<usize>) -> Vec<Row> {
        let rows = gates.start * self.units..gates.end * self.units;
        rows.map(|row| (Some(row), Some(row))).collect()
    }

    /// The rows of a cell's first product, and of its second if it needs one.
    fn rows(&self, cell: Cell) -> (Vec<Row>, Option<Vec<Row>>) {
        match cell {
            Cell::Lstm => (self.both(0..4), None),
            Cell::GruAfter => {
                let mut rows = self.both(0..2);
                let last = 2 * self.units..3 * self.units;
                rows.extend(last.clone().map(|row| (Some(row), None)));
                rows.extend(last.map(|row| (None, Some(row))));
                (rows, None)
            }
            Cell::GruBefore => (self.both(0..2), Some(self.both(2..3))),
        }
    }

    /// A product of these rows, with its memory still unassigned.
    fn product(&self, node: NodeId, rows: &[Row]) -> Product {
        let (features, units) = (self.features, self.units);
        let k = features + units;
        let (tiles, blocks) = (tiles(rows.len()), pieces(k, DENSE));
        let number = |_, row: usize, column: usize| {
            let (input, state) = rows[row];
            match column.checked_sub(features) {
                None => input.map_or(0.0, |row| self.input[row * features + column]),
                Some(unit) => state.map_or(0.0, |row| self.state[row * units + unit]),
            }
        };
        let weights = packed(1, &tiles, &blocks, number).into();
        let bias = |&(input, state): &Row| {
            let (input_bias, state_bias) = self.biases?;
            let input = input.map_or(0.0, |row| input_bias[row]);
            Some(input + state.map_or(0.0, |row| state_bias[row]))
        };
        Product {
            node,
            from: Place {
                framed: true,
                ..flat(0)
            },
            to: flat(rows.len()),
            parts: vec![whole_part()],
            tiles,
            weights,
            bias: rows.iter().map(|row| bias(row).unwrap_or(0.0)).collect(),
            offsets: Arc::new([]),
            blocks,
            positions: Positions::Groups,
            activation: Activation::None,
        }
    }
}

impl Draft<'_> {
    /// Plans a recurrent layer.
    pub fn recurrent(
        &mut self,
        id: NodeId,
        recurrent: Recurrent,
        cell: Cell,
    ) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let from = self.place(source);
        let [length, features] = *self.shape(source)? else {
            return Err(self.unplanned(id, "its input is not a sequence of vectors"));
        };
        let (Some(input), Some(state)) = (self.weight(id, 1), self.weight(id, 2)) else {
            return Err(self.unplanned(id, "its weights are not constant"));
        };
        if self.images(source) != 1 || !from.is_dense() {
            return Err(self.unplanned(id, "its input is not a sequence of vectors"));
        }
        let bias = match (self.graph.node(id).inputs.len(), self.weight(id, 3)) {
            (..=3, _) => None,
            (_, Some(bias)) => Some(bias.values()),
            (_, None) => return Err(self.unplanned(id, "its bias is not constant")),
        };
        let units = recurrent.units;
        let backwards: &[bool] = match recurrent.direction {
            Direction::Forward => &[false],
            Direction::Reverse => &[true],
            Direction::Bidirectional => &[false, true],
        };
        let directions = backwards.len();
        let gates = match cell {
            Cell::Lstm => 4,
            Cell::GruAfter | Cell::GruBefore => 3,
        };
        let products: Vec<(Product, Option<Product>)> = (0..directions)
            .map(|direction| {
                let weights = Weights {
                    units,
                    features,
                    input: &input.values()[direction * gates * units * features..],
                    state: &state.values()[direction * gates * units * units..],
                    biases: bias.map(|all| {
                        let both = &all[direction * 2 * gates * units..][..2 * gates * units];
                        both.split_at(gates * units)
                    }),
                };
                let (first, second) = weights.rows(cell);
                let second = second.map(|rows| weights.product(id, &rows));
                (weights.product(id, &first), second)
            })
            .collect();
        let computed = |(first, second): &(Product, Option<Product>)| {
            let rows = first.bias.len() + second.as_ref().map_or(0, |second| second.bias.len());
            2 * (length * rows * (features + units)) as u64
        };
        self.operations += products.iter().map(computed).sum::<u64>();
        // The initial state of each direction, then the states of all steps by position and direction.
        let states = self.framed((length + 1) * directions * units);
        let sums = self.framed(4 * units);
        let (memory, reset) = (self.framed(directions * units), self.framed(units));
        // The last states of all directions, contiguous.
        let ends = self.framed(directions * units);
        // Offset of the state after the step at a position.
        let after = move |position: usize, direction: usize| {
            ((1 + position) * directions + direction) * units
        };
        let last = |direction: usize| match backwards[direction] {
            false => after(length - 1, direction),
            true => after(0, direction),
        };
        let (given, skip) = match recurrent.output {
            RecurrentOutput::All => (states, directions * units),
            RecurrentOutput::Cell if cell == Cell::Lstm => (memory, 0),
            RecurrentOutput::Last | RecurrentOutput::Cell if directions == 1 => (states, last(0)),
            RecurrentOutput::Last | RecurrentOutput::Cell => (ends, 0),
        };
        let copies_end = given == ends;
        self.alias(id, Place { skip, ..given })?;
        let lanes = self.lanes;
        let used = [from.at, states.at, sums.at, memory.at, reset.at, ends.at];
        let layer = move |places: Option<&[Place]>| {
            let part = |value: &Place, skip: usize| {
                let place = places.map_or(*value, |all| all[value.at]);
                Place {
                    skip,
                    channels: units,
                    ..place
                }
            };
            let start = |place: Place| place.at + place.skip;
            let pass = |(direction, &backwards): (usize, &bool)| {
                let (gates, second) = &products[direction];
                let first = direction * units;
                let position = |step: usize| match backwards {
                    true => length - 1 - step,
                    false => step,
                };
                let step = |step: usize| {
                    let before = step
                        .checked_sub(1)
                        .map(|previous| after(position(previous), direction));
                    let before = before.unwrap_or(first);
                    let after = after(position(step), direction);
                    let x = start(part(&from, from.skip + position(step) * features));
                    // The input, followed by the state or by the state times the reset gate.
                    let offsets = |state: Place| {
                        let state = start(state);
                        let all = (x..x + features).chain(state..state + units);
                        all.map(|offset| offset * lanes).collect()
                    };
                    let states = [part(&states, before), part(&states, after)];
                    Move {
                        gates: Product {
                            to: part(&sums, 0),
                            offsets: offsets(states[0]),
                            ..gates.clone()
                        },
                        second: second.as_ref().map(|second| Product {
                            to: part(&sums, 2 * units),
                            offsets: offsets(part(&reset, 0)),
                            ..second.clone()
                        }),
                        states,
                    }
                };
                Pass {
                    first: part(&states, first),
                    memory: part(&memory, direction * units),
                    steps: match places {
                        Some(_) => (0..length).map(step).collect(),
                        None => Vec::new(),
                    },
                    end: copies_end.then(|| part(&ends, direction * units)),
                }
            };
            Step::Recurrent(recurrent::Recurrent {
                units,
                cell,
                passes: backwards.iter().enumerate().map(pass).collect(),
                gates: part(&sums, 0),
                reset: part(&reset, 0),
            })
        };
        let placeholder = layer(None);
        let build = Box::new(move |places: &[Place]| layer(Some(places)));
        self.later(placeholder, &used, build);
        Ok(())
    }
}
