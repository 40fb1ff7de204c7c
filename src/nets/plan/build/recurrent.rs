//! Plans recurrent layers.

use std::sync::Arc;

use super::draft::{Draft, flat_slot};
use super::spatial::{DENSE_BLOCK, single_channel_group, split_evenly};
use crate::nets::graph::NodeId;
use crate::nets::graph::op::{RecurrentDirection, RecurrentOutput, RecurrentSpec};
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::layout::TensorSlot;
use crate::nets::plan::product::{Activation, Positions, Product, channel_tiles, pack_weights};
use crate::nets::plan::recurrent::{self, CellKind, DirectionPass, TimeStep};
use crate::nets::plan::steps::PlanStep;

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
    fn rows(&self, cell: CellKind) -> (Vec<Row>, Option<Vec<Row>>) {
        match cell {
            CellKind::Lstm => (self.both(0..4), None),
            CellKind::GruAfter => {
                let mut rows = self.both(0..2);
                let last = 2 * self.units..3 * self.units;
                rows.extend(last.clone().map(|row| (Some(row), None)));
                rows.extend(last.map(|row| (None, Some(row))));
                (rows, None)
            }
            CellKind::GruBefore => (self.both(0..2), Some(self.both(2..3))),
        }
    }

    /// A product of these rows, with its memory still unassigned.
    fn product(&self, node: NodeId, rows: &[Row]) -> Product {
        let (features, units) = (self.features, self.units);
        let k = features + units;
        let (tiles, blocks) = (channel_tiles(rows.len()), split_evenly(k, DENSE_BLOCK));
        let number = |_, row: usize, column: usize| {
            let (input, state) = rows[row];
            match column.checked_sub(features) {
                None => input.map_or(0.0, |row| self.input[row * features + column]),
                Some(unit) => state.map_or(0.0, |row| self.state[row * units + unit]),
            }
        };
        let weights = pack_weights(1, &tiles, &blocks, number).into();
        let bias = |&(input, state): &Row| {
            let (input_bias, state_bias) = self.biases?;
            let input = input.map_or(0.0, |row| input_bias[row]);
            Some(input + state.map_or(0.0, |row| state_bias[row]))
        };
        Product {
            node,
            from: TensorSlot {
                per_group: true,
                ..flat_slot(0)
            },
            to: flat_slot(rows.len()),
            channel_groups: vec![single_channel_group()],
            tiles,
            weights,
            bias: rows.iter().map(|row| bias(row).unwrap_or(0.0)).collect(),
            offsets: Arc::new([]),
            blocks,
            positions: Positions::ImageGroups,
            activation: Activation::None,
        }
    }
}

impl Draft<'_> {
    /// Plans a recurrent layer.
    pub fn recurrent(
        &mut self,
        id: NodeId,
        recurrent: RecurrentSpec,
        cell: CellKind,
    ) -> Result<(), UnsupportedNode> {
        let source = self.source(id, 0)?;
        let from = self.output(source);
        let [length, features] = *self.shape(source)? else {
            return Err(self.unsupported(id, "its input is not a sequence of vectors"));
        };
        let (Some(input), Some(state)) = (self.weight(id, 1), self.weight(id, 2)) else {
            return Err(self.unsupported(id, "its weights are not constant"));
        };
        if self.batch_axis(source) != 1 || !from.has_no_border() {
            return Err(self.unsupported(id, "its input is not a sequence of vectors"));
        }
        let bias = match (self.graph.node(id).inputs.len(), self.weight(id, 3)) {
            (..=3, _) => None,
            (_, Some(bias)) => Some(bias.values()),
            (_, None) => return Err(self.unsupported(id, "its bias is not constant")),
        };
        let units = recurrent.units;
        let backwards: &[bool] = match recurrent.direction {
            RecurrentDirection::Forward => &[false],
            RecurrentDirection::Reverse => &[true],
            RecurrentDirection::Bidirectional => &[false, true],
        };
        let directions = backwards.len();
        let gates = match cell {
            CellKind::Lstm => 4,
            CellKind::GruAfter | CellKind::GruBefore => 3,
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
        let states = self.add_group_tensor((length + 1) * directions * units);
        let sums = self.add_group_tensor(4 * units);
        let (memory, reset) = (
            self.add_group_tensor(directions * units),
            self.add_group_tensor(units),
        );
        // The last states of all directions, contiguous.
        let ends = self.add_group_tensor(directions * units);
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
            RecurrentOutput::Cell if cell == CellKind::Lstm => (memory, 0),
            RecurrentOutput::Last | RecurrentOutput::Cell if directions == 1 => (states, last(0)),
            RecurrentOutput::Last | RecurrentOutput::Cell => (ends, 0),
        };
        let copies_end = given == ends;
        self.alias(id, TensorSlot { skip, ..given })?;
        let lanes = self.lanes;
        let used = [
            from.origin,
            states.origin,
            sums.origin,
            memory.origin,
            reset.origin,
            ends.origin,
        ];
        let layer = move |places: Option<&[TensorSlot]>| {
            let part = |value: &TensorSlot, skip: usize| {
                let place = places.map_or(*value, |all| all[value.origin]);
                TensorSlot {
                    skip,
                    channels: units,
                    ..place
                }
            };
            let start = |place: TensorSlot| place.origin + place.skip;
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
                    let offsets = |state: TensorSlot| {
                        let state = start(state);
                        let all = (x..x + features).chain(state..state + units);
                        all.map(|offset| offset * lanes).collect()
                    };
                    let states = [part(&states, before), part(&states, after)];
                    TimeStep {
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
                DirectionPass {
                    initial: part(&states, first),
                    cell_state: part(&memory, direction * units),
                    steps: match places {
                        Some(_) => (0..length).map(step).collect(),
                        None => Vec::new(),
                    },
                    end: copies_end.then(|| part(&ends, direction * units)),
                }
            };
            PlanStep::Recurrent(recurrent::RecurrentLayer {
                units,
                cell,
                passes: backwards.iter().enumerate().map(pass).collect(),
                gates: part(&sums, 0),
                reset: part(&reset, 0),
            })
        };
        let placeholder = layer(None);
        let build = Box::new(move |places: &[TensorSlot]| layer(Some(places)));
        self.defer_step(placeholder, &used, build);
        Ok(())
    }
}
