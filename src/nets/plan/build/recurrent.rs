//! Recurrent layers.

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

/// The weights of a direction as ONNX has them, all gates one below the other.
struct Weights<'a> {
    units: usize,
    features: usize,
    input: &'a [f32],
    state: &'a [f32],
    biases: Option<(&'a [f32], &'a [f32])>,
}

/// A row of a product: of the input and of the state the row of a gate, or zeros.
type Row = (Option<usize>, Option<usize>);

impl Weights<'_> {
    /// Rows of gates, each of input and state.
    fn both(&self, gates: std::ops::Range<usize>) -> Vec<Row> {
        let rows = gates.start * self.units..gates.end * self.units;
        rows.map(|row| (Some(row), Some(row))).collect()
    }

    /// The rows of the first product of a cell, and of the second where it needs one.
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

    /// A product of these rows; without its places.
    fn product(&self, node: NodeId, rows: &[Row]) -> Product {
        let (features, units) = (self.features, self.units);
        let k = features + units;
        let (tiles, blocks) = (tiles(rows.len()), pieces(k, DENSE));
        let number = |_, row: usize, at: usize| {
            let (input, state) = rows[row];
            match at.checked_sub(features) {
                None => input.map_or(0.0, |row| self.input[row * features + at]),
                Some(at) => state.map_or(0.0, |row| self.state[row * units + at]),
            }
        };
        let weights = packed(1, &tiles, &blocks, number).into();
        let bias = |&(input, state): &Row| {
            let (of_input, of_state) = self.biases?;
            let input = input.map_or(0.0, |row| of_input[row]);
            Some(input + state.map_or(0.0, |row| of_state[row]))
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
    /// A layer of such cells.
    pub fn recurrent(
        &mut self,
        id: NodeId,
        recurrent: Recurrent,
        cell: Cell,
    ) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let from = self.place(source);
        let [length, features] = *self.shape(source)? else {
            return Err(self.unplanned(id, "its input is no sequence of vectors"));
        };
        let (Some(input), Some(state)) = (self.weight(id, 1), self.weight(id, 2)) else {
            return Err(self.unplanned(id, "its weights are computed"));
        };
        if self.images(source) != 1 || !from.is_dense() {
            return Err(self.unplanned(id, "its input is no sequence of vectors"));
        }
        let bias = match (self.graph.node(id).inputs.len(), self.weight(id, 3)) {
            (..=3, _) => None,
            (_, Some(bias)) => Some(bias.values()),
            (_, None) => return Err(self.unplanned(id, "its bias is computed")),
        };
        let units = recurrent.units;
        let backwards: &[bool] = match recurrent.direction {
            Direction::Forward => &[false],
            Direction::Reverse => &[true],
            Direction::Bidirectional => &[false, true],
        };
        let many = backwards.len();
        let gates = match cell {
            Cell::Lstm => 4,
            Cell::GruAfter | Cell::GruBefore => 3,
        };
        let products: Vec<(Product, Option<Product>)> = (0..many)
            .map(|direction| {
                let own = Weights {
                    units,
                    features,
                    input: &input.values()[direction * gates * units * features..],
                    state: &state.values()[direction * gates * units * units..],
                    biases: bias.map(|all| {
                        let own = &all[direction * 2 * gates * units..][..2 * gates * units];
                        own.split_at(gates * units)
                    }),
                };
                let (first, second) = own.rows(cell);
                let second = second.map(|rows| own.product(id, &rows));
                (own.product(id, &first), second)
            })
            .collect();
        let computed = |(first, second): &(Product, Option<Product>)| {
            let rows = first.bias.len() + second.as_ref().map_or(0, |it| it.bias.len());
            2 * (length * rows * (features + units)) as u64
        };
        self.operations += products.iter().map(computed).sum::<u64>();
        // The states of all steps by position and direction, before them the first of each direction.
        let states = self.framed((length + 1) * many * units);
        let sums = self.framed(4 * units);
        let (memory, reset) = (self.framed(many * units), self.framed(units));
        // The last states side by side, where there are several.
        let ends = self.framed(many * units);
        // Where the state stands after the step at a position.
        let after =
            move |position: usize, direction: usize| ((1 + position) * many + direction) * units;
        let last = |direction: usize| match backwards[direction] {
            false => after(length - 1, direction),
            true => after(0, direction),
        };
        let (given, skip) = match recurrent.output {
            RecurrentOutput::All => (states, many * units),
            RecurrentOutput::Cell if cell == Cell::Lstm => (memory, 0),
            RecurrentOutput::Last | RecurrentOutput::Cell if many == 1 => (states, last(0)),
            RecurrentOutput::Last | RecurrentOutput::Cell => (ends, 0),
        };
        let is_apart = given == ends;
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
                let at = |step: usize| match backwards {
                    true => length - 1 - step,
                    false => step,
                };
                let step = |step: usize| {
                    let before = step.checked_sub(1).map(|it| after(at(it), direction));
                    let [before, after] = [before.unwrap_or(first), after(at(step), direction)];
                    let x = start(part(&from, from.skip + at(step) * features));
                    // The input, and the state or what the reset gate left of it.
                    let offsets = |state: Place| {
                        let state = start(state);
                        let all = (x..x + features).chain(state..state + units);
                        all.map(|at| at * lanes).collect()
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
                    end: is_apart.then(|| part(&ends, direction * units)),
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
        let for_now = layer(None);
        self.later(for_now, &used, Box::new(move |places| layer(Some(places))));
        Ok(())
    }
}
