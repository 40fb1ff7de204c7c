//! Recurrent layers, as defined by ONNX.
//!
//! Images are columns, so that each gate is contiguous.

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::super::op::{GruReset, RecurrentDirection, RecurrentOutput, RecurrentSpec};

/// The weights of all directions: W \[directions,gates·units,in\], R \[directions,gates·units,units\],
/// B \[directions,2·gates·units\].
pub struct RecurrentWeights {
    pub input: Tensor<3>,
    pub state: Tensor<3>,
    pub bias: Option<Tensor<2>>,
}

/// One direction's weights: \[gates·units,in\], \[gates·units,units\] and the two biases
/// \[gates·units,1\], if any.
struct DirectionWeights {
    input: Tensor<2>,
    state: Tensor<2>,
    biases: Option<[Tensor<2>; 2]>,
}

impl RecurrentWeights {
    fn direction(&self, direction: usize) -> DirectionWeights {
        let matrix = |weights: &Tensor<3>| {
            let [_, rows, columns] = weights.dims();
            weights
                .clone()
                .narrow(0, direction, 1)
                .reshape([rows, columns])
        };
        let biases = self.bias.as_ref().map(|bias| {
            let rows = bias.dims()[1] / 2;
            let half = |index: usize| {
                let bias = bias.clone().narrow(0, direction, 1);
                bias.narrow(1, index * rows, rows).reshape([rows, 1])
            };
            [half(0), half(1)]
        });
        DirectionWeights {
            input: matrix(&self.input),
            state: matrix(&self.state),
            biases,
        }
    }
}

impl DirectionWeights {
    /// The contribution of the input \[in,N\] to the gates.
    fn by_input(&self, x: Tensor<2>) -> Tensor<2> {
        self.input.clone().matmul(x)
    }

    /// The contribution of the state to the gates.
    fn by_state(&self, state: Tensor<2>) -> Tensor<2> {
        self.state.clone().matmul(state)
    }
}

/// The state of one direction, \[units,N\] each.
struct State {
    hidden: Tensor<2>,
    cell: Tensor<2>,
}

/// Advances a state by one step, given the input's contribution to the gates \[gates·units,N\].
trait Cell {
    fn weights(&self) -> &DirectionWeights;
    fn step(&self, by_input: Tensor<2>, state: State) -> State;
}

struct LstmCell {
    weights: DirectionWeights,
    bias: Option<Tensor<2>>,
    units: usize,
}

impl Cell for LstmCell {
    fn weights(&self) -> &DirectionWeights {
        &self.weights
    }

    /// i = σ(·), o = σ(·), f = σ(·), c = tanh(·) of input and state; C' = f·C + i·c, H' = o·tanh(C').
    fn step(&self, by_input: Tensor<2>, state: State) -> State {
        let gates = by_input + self.weights.by_state(state.hidden);
        let gates = match &self.bias {
            Some(bias) => gates + bias.clone(),
            None => gates,
        };
        let gate = |index: usize| gates.clone().narrow(0, index * self.units, self.units);
        let (i, o, f) = (sigmoid(gate(0)), sigmoid(gate(1)), sigmoid(gate(2)));
        let cell = f * state.cell + i * gate(3).tanh();
        State {
            hidden: o * cell.clone().tanh(),
            cell,
        }
    }
}

struct GruCell {
    weights: DirectionWeights,
    units: usize,
    reset: GruReset,
}

impl Cell for GruCell {
    fn weights(&self) -> &DirectionWeights {
        &self.weights
    }

    /// z = σ(·), r = σ(·), h = tanh(·); H' = (1 − z)·h + z·H.
    fn step(&self, mut by_input: Tensor<2>, state: State) -> State {
        let units = self.units;
        let mut by_state = self.weights.by_state(state.hidden.clone());
        if let Some([input, state]) = &self.weights.biases {
            by_input = by_input + input.clone();
            by_state = by_state + state.clone();
        }
        let part = |gates: &Tensor<2>, index: usize| gates.clone().narrow(0, index * units, units);
        let z = sigmoid(part(&by_input, 0) + part(&by_state, 0));
        let r = sigmoid(part(&by_input, 1) + part(&by_state, 1));
        let through = match self.reset {
            GruReset::AfterMatrix => r * part(&by_state, 2),
            GruReset::BeforeMatrix => {
                let rows = part(&self.weights.state, 2);
                let product = rows.matmul(r * state.hidden.clone());
                match &self.weights.biases {
                    Some([_, bias]) => product + part(bias, 2),
                    None => product,
                }
            }
        };
        let h = (part(&by_input, 2) + through).tanh();
        let hidden = (h.clone() * (z.clone().neg() + 1.0)) + z * state.hidden;
        State {
            cell: hidden.clone(),
            hidden,
        }
    }
}

impl LstmCell {
    fn new(recurrent: &RecurrentSpec, weights: &RecurrentWeights, direction: usize) -> Self {
        let weights = weights.direction(direction);
        let bias = weights.biases.clone().map(|[input, state]| input + state);
        Self {
            weights,
            bias,
            units: recurrent.units,
        }
    }
}

/// An LSTM on x \[L,N,in\].
pub fn lstm(recurrent: &RecurrentSpec, x: Tensor<3>, weights: &RecurrentWeights) -> Tensor<4> {
    let cell = |direction| LstmCell::new(recurrent, weights, direction);
    directions(recurrent, x, &cell)
}

/// Two LSTMs, forward in time, the second on all states of the first. They step together, so those
/// states are never joined into a sequence and split again.
pub fn stacked(
    [first, second]: [RecurrentSpec; 2],
    x: &Tensor<3>,
    [before, after]: &[RecurrentWeights; 2],
) -> Tensor<4> {
    let [steps, n, _] = x.dims();
    let device = x.device();
    let cells = [
        LstmCell::new(&first, before, 0),
        LstmCell::new(&second, after, 0),
    ];
    let mut inner = zero_state(first.units, n, &device);
    let mut outer = zero_state(second.units, n, &device);
    let mut all = Vec::new();
    for step in 0..steps {
        inner = cells[0].step(cells[0].weights.by_input(columns(x, step)), inner);
        let input = cells[1].weights.by_input(inner.hidden.clone());
        outer = cells[1].step(input, outer);
        if second.output == RecurrentOutput::All {
            all.push(as_output(outer.hidden.clone()));
        }
    }
    match second.output {
        RecurrentOutput::All => Tensor::cat(all, 0),
        RecurrentOutput::Last => as_output(outer.hidden),
        RecurrentOutput::Cell => as_output(outer.cell),
    }
}

/// One step of x \[L,N,in\], one column per image: \[in,N\].
fn columns(x: &Tensor<3>, step: usize) -> Tensor<2> {
    let [_, n, features] = x.dims();
    x.clone()
        .narrow(0, step, 1)
        .reshape([n, features])
        .transpose()
}

/// A GRU on x \[L,N,in\].
pub fn gru(
    recurrent: &RecurrentSpec,
    reset: GruReset,
    x: Tensor<3>,
    weights: &RecurrentWeights,
) -> Tensor<4> {
    let cell = |direction| GruCell {
        weights: weights.direction(direction),
        units: recurrent.units,
        reset,
    };
    directions(recurrent, x, &cell)
}

/// All directions of a layer: \[L,directions,N,units\], or with L = 1 for the last state alone.
fn directions<C: Cell>(
    recurrent: &RecurrentSpec,
    x: Tensor<3>,
    cell: &dyn Fn(usize) -> C,
) -> Tensor<4> {
    let backwards = match recurrent.direction {
        RecurrentDirection::Forward => vec![false],
        RecurrentDirection::Reverse => vec![true],
        RecurrentDirection::Bidirectional => vec![false, true],
    };
    let read = backwards.into_iter().enumerate();
    let read =
        read.map(|(index, backwards)| direction(recurrent, x.clone(), &cell(index), backwards));
    Tensor::cat(read.collect(), 1)
}

/// One direction: \[L,1,N,units\], or \[1,1,N,units\] for the last state alone.
fn direction<C: Cell>(
    recurrent: &RecurrentSpec,
    x: Tensor<3>,
    cell: &C,
    backwards: bool,
) -> Tensor<4> {
    let [steps, n, _] = x.dims();
    let mut state = zero_state(recurrent.units, n, &x.device());
    let mut all = Vec::with_capacity(steps);
    for step in 0..steps {
        let time = if backwards { steps - 1 - step } else { step };
        let input = cell.weights().by_input(columns(&x, time));
        state = cell.step(input, state);
        if recurrent.output == RecurrentOutput::All {
            all.push(as_output(state.hidden.clone()));
        }
    }
    match recurrent.output {
        RecurrentOutput::All if backwards => {
            all.reverse();
            Tensor::cat(all, 0)
        }
        RecurrentOutput::All => Tensor::cat(all, 0),
        RecurrentOutput::Last => as_output(state.hidden),
        RecurrentOutput::Cell => as_output(state.cell),
    }
}

fn zero_state(units: usize, n: usize, device: &Device) -> State {
    State {
        hidden: Tensor::zeros([units, n], device),
        cell: Tensor::zeros([units, n], device),
    }
}

/// \[units,N\] as \[1,1,N,units\].
fn as_output(state: Tensor<2>) -> Tensor<4> {
    state.transpose().unsqueeze()
}
