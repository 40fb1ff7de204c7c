//! The built-in kinds as graphs, sized to images and classes.
//!
//! Nodes are named after layers, and weights as in the kinds' modules: `conv1.weight`.

use super::op::{
    Conv, Pads, PoolWindow, RecurrentDirection, RecurrentOutput, RecurrentSpec, Unary,
};
use super::{Dim, Graph, GraphBuilder, GraphError, NodeId, NodeInput, Op};
use crate::nets::NetworkShape;
use crate::session::array::Array;
use crate::session::config::NetworkKind;
use crate::session::record::NetworkWeights;

/// ε of the normalizations.
const EPSILON: f64 = 1e-5;

/// Units of each LSTM layer of `rnn`.
const STATES: usize = 128;

/// The input scaling of `simple` and `complex`: \[0,1\] to \[−1,1\].
const CONTRAST: Unary = Unary::Affine {
    scale: 2.0,
    shift: -1.0,
};

impl Graph {
    /// A built-in kind for these images and classes, with these weights.
    ///
    /// # Errors
    /// If a weight is missing or has another shape, or the images are too small for the kind.
    pub fn for_kind(
        kind: NetworkKind,
        ports: NetworkShape,
        weights: &NetworkWeights,
    ) -> Result<Graph, GraphError> {
        let mut chain = Chain::new(ports, weights)?;
        match kind {
            NetworkKind::Cnn => chain.cnn()?,
            NetworkKind::Mlp => {
                chain.flatten()?;
                chain.dense("fc1")?;
                chain.relu("fc1")?;
            }
            NetworkKind::Logistic => chain.flatten()?,
            NetworkKind::Rnn => chain.rnn(ports, weights)?,
            // Fails below: it has no weights of the built-in names.
            NetworkKind::Onnx => {}
            NetworkKind::Simple => {
                chain.first_convolution()?;
                chain.convolution("conv2", SAME_SIZE)?;
                chain.pooled_dense()?;
            }
            NetworkKind::Complex => {
                chain.first_convolution()?;
                let parameters = ["gamma", "beta", "running_mean", "running_var"];
                let op = Op::BatchNorm { epsilon: EPSILON };
                chain.layer("norm1", op, &parameters)?;
                chain.convolution("conv2", SAME_SIZE)?;
                chain.convolution(
                    "conv3",
                    Conv {
                        groups: 64,
                        ..SAME_SIZE
                    },
                )?;
                chain.pooled_dense()?;
            }
        }
        chain.dense("logits")?;
        chain.builder.finish(chain.last)
    }
}

/// A 3×3 convolution that keeps the size.
const SAME_SIZE: Conv = Conv {
    stride: [1, 1],
    pads: Pads {
        top: 1,
        left: 1,
        bottom: 1,
        right: 1,
    },
    dilation: [1, 1],
    groups: 1,
};

/// A graph under construction in which each node follows the last.
struct Chain {
    builder: GraphBuilder,
    last: NodeId,
}

impl Chain {
    fn new(ports: NetworkShape, weights: &NetworkWeights) -> Result<Self, GraphError> {
        let mut builder = GraphBuilder::new(ports.image);
        for (name, values) in &weights.tensors {
            if !name.starts_with("lstm") {
                builder.weight(name, values.clone())?;
            }
        }
        let last = builder.add("images", Op::Input, &[])?;
        Ok(Self { builder, last })
    }

    fn then(&mut self, name: &str, op: Op, weights: &[NodeInput]) -> Result<(), GraphError> {
        let mut inputs = vec![NodeInput::Node(self.last)];
        inputs.extend_from_slice(weights);
        self.last = self.builder.add(name, op, &inputs)?;
        Ok(())
    }

    fn layer(&mut self, name: &str, op: Op, parameters: &[&str]) -> Result<(), GraphError> {
        let weight = |parameter: &&str| NodeInput::Weight(format!("{name}.{parameter}"));
        let weights: Vec<NodeInput> = parameters.iter().map(weight).collect();
        self.then(name, op, &weights)
    }

    fn convolution(&mut self, name: &str, conv: Conv) -> Result<(), GraphError> {
        self.layer(name, Op::Conv(conv), &["weight", "bias"])
    }

    fn dense(&mut self, name: &str) -> Result<(), GraphError> {
        self.layer(name, Op::Dense, &["weight", "bias"])
    }

    fn relu(&mut self, layer: &str) -> Result<(), GraphError> {
        self.then(&format!("{layer}.relu"), Op::Unary(Unary::Relu), &[])
    }

    fn pool(&mut self, name: &str, side: usize) -> Result<(), GraphError> {
        self.then(name, Op::MaxPool(PoolWindow::tiles([side, side])), &[])
    }

    fn flatten(&mut self) -> Result<(), GraphError> {
        let numbers = self.builder.shape(self.last)[1..].iter();
        let shape = vec![
            Dim::batch(1),
            Dim::fixed(numbers.map(|dim| dim.count).product()),
        ];
        self.then("flat", Op::Reshape { shape }, &[])
    }

    fn cnn(&mut self) -> Result<(), GraphError> {
        for (layer, pool) in [("conv1", "pool1"), ("conv2", "pool2")] {
            self.convolution(layer, Conv::default())?;
            self.relu(layer)?;
            self.pool(pool, 2)?;
        }
        self.flatten()?;
        self.dense("fc1")?;
        self.relu("fc1")
    }

    fn first_convolution(&mut self) -> Result<(), GraphError> {
        self.then("contrast", Op::Unary(CONTRAST), &[])?;
        self.convolution("conv1", SAME_SIZE)
    }

    /// Two 2×2 max-poolings, as one of 4×4, and a dense layer.
    fn pooled_dense(&mut self) -> Result<(), GraphError> {
        self.pool("pool", 4)?;
        self.flatten()?;
        self.dense("fc1")
    }

    /// Image rows as H time steps of C·W inputs, two LSTM layers, the last state.
    fn rnn(&mut self, ports: NetworkShape, weights: &NetworkWeights) -> Result<(), GraphError> {
        let [channels, height, width] = ports.image;
        let axes = vec![2, 0, 1, 3];
        self.then("rows first", Op::Transpose { axes }, &[])?;
        self.sequence("rows", height, channels * width)?;
        self.lstm("lstm1", RecurrentOutput::All, weights)?;
        self.sequence("lstm1.states", height, STATES)?;
        self.lstm("lstm2", RecurrentOutput::Last, weights)?;
        let shape = vec![Dim::batch(1), Dim::fixed(STATES)];
        self.then("lstm2.state", Op::Reshape { shape }, &[])
    }

    fn sequence(&mut self, name: &str, steps: usize, features: usize) -> Result<(), GraphError> {
        let shape = vec![Dim::fixed(steps), Dim::batch(1), Dim::fixed(features)];
        self.then(name, Op::Reshape { shape }, &[])
    }

    fn lstm(
        &mut self,
        name: &str,
        output: RecurrentOutput,
        weights: &NetworkWeights,
    ) -> Result<(), GraphError> {
        let mut inputs = Vec::new();
        for parameter in ["input", "hidden", "bias"] {
            let weight = format!("{name}.{parameter}");
            let found = weights.tensors.iter().find(|(tensor, _)| *tensor == weight);
            let (_, values) = found.ok_or_else(|| GraphError::MissingWeight {
                node: name.to_owned(),
                weight: weight.clone(),
            })?;
            inputs.push(self.builder.weight(&weight, gates(values))?);
        }
        let recurrent = RecurrentSpec {
            units: STATES,
            direction: RecurrentDirection::Forward,
            output,
        };
        self.then(name, Op::Lstm { recurrent }, &inputs)
    }
}

/// Converts an LSTM's weights \[4·units,…\] from PyTorch's order of gates, i, f, g, o, to ONNX's, i, o, f, c,
/// for one direction. A bias is followed by a second one of zeros.
fn gates(weights: &Array<f32>) -> Array<f32> {
    let values = weights.values();
    let gate = values.len() / 4;
    let order = [0, 3, 1, 2];
    let mut ordered: Vec<f32> = order
        .iter()
        .flat_map(|&index| &values[index * gate..][..gate])
        .copied()
        .collect();
    match *weights.shape() {
        [rows] => {
            ordered.resize(2 * rows, 0.0);
            Array::new(&[1, 2 * rows], ordered)
        }
        [rows, columns] => Array::new(&[1, rows, columns], ordered),
        // Adding the node rejects any other shape.
        ref shape => Array::new(shape, ordered),
    }
}
