//! The `rnn` architecture: two LSTM layers that read an image row by row.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};

use super::network_shape::NetworkShape;

/// Units of each LSTM layer.
const UNITS: usize = 128;

/// Image rows as H time steps of C·W inputs, 2 × LSTM(128), last hidden state → fc 128→K.
///
/// 213,258 parameters on 28×28 grey pixels and ten classes. PyTorch counts 214,282 because it gives every gate
/// two bias vectors, of which only the sum matters; here there is only the sum.
#[derive(Module, Debug)]
pub struct Rnn {
    lstm1: Lstm,
    lstm2: Lstm,
    logits: Linear,
}

impl Rnn {
    /// The architecture; the caller sets the weights.
    pub fn new(ports: NetworkShape, device: &Device) -> Self {
        let [channels, _, width] = ports.image;
        Self {
            lstm1: Lstm::new(channels * width, device),
            lstm2: Lstm::new(UNITS, device),
            logits: LinearConfig::new(UNITS, ports.classes).init(device),
        }
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.logits.forward(self.state(images))
    }

    /// The state \[N,units\] of the second layer after the last row.
    fn state(&self, images: Tensor<4>) -> Tensor<2> {
        let [n, channels, rows, columns] = images.dims();
        // One column per image, so that each gate is contiguous. A row of the image consists of its
        // channels' rows, one after the other.
        let rows_first = images.permute([2, 1, 3, 0]);
        let device = rows_first.device();
        let mut first = State::zero(n, &device);
        let mut second = State::zero(n, &device);
        for row in 0..rows {
            let input = rows_first.clone().narrow(0, row, 1);
            let input = input.reshape([channels * columns, n]);
            first = self.lstm1.step(input, first);
            second = self.lstm2.step(first.hidden.clone(), second);
        }
        second.hidden.transpose()
    }
}

/// One LSTM layer (Hochreiter & Schmidhuber 1997; with the forget gate of Gers et al. 2000), in
/// PyTorch's layout: the gates i, f, g, o stacked.
#[derive(Module, Debug)]
struct Lstm {
    /// For the input: \[4·units,inputs\].
    input: Param<Tensor<2>>,
    /// For the previous hidden state: \[4·units,units\].
    hidden: Param<Tensor<2>>,
    /// \[4·units\].
    bias: Param<Tensor<1>>,
}

/// Both \[units,N\].
struct State {
    hidden: Tensor<2>,
    cell: Tensor<2>,
}

impl State {
    fn zero(n: usize, device: &Device) -> Self {
        Self {
            hidden: Tensor::zeros([UNITS, n], device),
            cell: Tensor::zeros([UNITS, n], device),
        }
    }
}

impl Lstm {
    fn new(inputs: usize, device: &Device) -> Self {
        Self {
            input: Param::from_tensor(Tensor::zeros([4 * UNITS, inputs], device)),
            hidden: Param::from_tensor(Tensor::zeros([4 * UNITS, UNITS], device)),
            bias: Param::from_tensor(Tensor::zeros([4 * UNITS], device)),
        }
    }

    /// i = σ(·), f = σ(·), g = tanh(·), o = σ(·) of input and state; c' = f·c + i·g,
    /// h' = o·tanh(c').
    fn step(&self, input: Tensor<2>, state: State) -> State {
        let gates = self.input.val().matmul(input)
            + self.hidden.val().matmul(state.hidden)
            + self.bias.val().unsqueeze_dim(1);
        let gate = |index: usize| gates.clone().narrow(0, index * UNITS, UNITS);
        let (i, f) = (sigmoid(gate(0)), sigmoid(gate(1)));
        let (g, o) = (gate(2).tanh(), sigmoid(gate(3)));
        let cell = f * state.cell + i * g;
        State {
            hidden: o * cell.clone().tanh(),
            cell,
        }
    }
}
