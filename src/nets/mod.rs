//! The trainable networks, one file per architecture, and [`Network`], which dispatches to them.
//!
//! Every network takes images \[N,C,H,W\] in \[0,1\] and returns logits \[N,K\]; an architecture is sized
//! to these ([`network_shape`]). Weights are exchanged as named host arrays ([`weights`]); training is in
//! [`train`]. A network under study ([`subject`]) is a [`graph`], whatever its origin.

mod cnn;
pub mod coalesce;
mod complex;
mod composed;
pub mod graph;
pub mod import;
pub mod launch;
mod layout;
mod logistic;
mod mlp;
pub mod network_shape;
pub mod onnx_network;
pub mod plan;
mod pooled;
mod rnn;
mod scaling;
pub mod score;
mod simple;
pub mod softmax;
pub mod state_dict;
pub mod subject;
pub mod train;
pub mod weights;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::ids::ClassId;
use crate::session::config::NetworkKind;

pub use network_shape::NetworkShape;
pub use scaling::{ScalingError, graph_parameter_count};
pub use subject::Subject;

/// A network of a built-in kind, for training.
#[derive(Module, Debug)]
pub struct Network {
    /// The shape of its images and its number of classes.
    #[module(skip)]
    ports: NetworkShape,
    net: Net,
}

// Burn's modules cannot be boxed, and there is one network per worker.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
enum Net {
    Cnn(cnn::Cnn),
    Mlp(mlp::Mlp),
    Logistic(logistic::Logistic),
    Rnn(rnn::Rnn),
    Simple(simple::Simple),
    Complex(complex::Complex),
}

impl Network {
    /// The architecture with weights drawn from `seed`: uniform in ±1/√fan-in, as PyTorch does.
    pub fn new(kind: NetworkKind, ports: NetworkShape, seed: u64, device: &Device) -> Self {
        weights::draw(Self::bare(kind, ports, device), seed)
    }

    fn bare(kind: NetworkKind, ports: NetworkShape, device: &Device) -> Self {
        let net = match kind {
            NetworkKind::Cnn => Net::Cnn(cnn::Cnn::new(ports, device)),
            NetworkKind::Mlp => Net::Mlp(mlp::Mlp::new(ports, device)),
            NetworkKind::Logistic => Net::Logistic(logistic::Logistic::new(ports, device)),
            NetworkKind::Rnn => Net::Rnn(rnn::Rnn::new(ports, device)),
            NetworkKind::Simple => Net::Simple(simple::Simple::new(ports, device)),
            NetworkKind::Complex => Net::Complex(complex::Complex::new(ports, device)),
            // Config validation rejects sessions that would train one.
            NetworkKind::Onnx => unreachable!("the network of a file is not trained"),
        };
        Self { ports, net }
    }

    /// The shape of its images and its number of classes.
    pub fn network_shape(&self) -> NetworkShape {
        self.ports
    }

    /// Logits \[N,K\] of images \[N,C,H,W\] in \[0,1\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        match &self.net {
            Net::Cnn(net) => net.forward(images),
            Net::Mlp(net) => net.forward(images),
            Net::Logistic(net) => net.forward(images),
            Net::Rnn(net) => net.forward(images),
            Net::Simple(net) => net.forward(images),
            Net::Complex(net) => net.forward(images),
        }
    }

    /// The same while training: batch normalization uses the statistics of these images and updates
    /// the running ones, which [`Self::forward`] uses. Only on a device that records gradients.
    pub fn forward_training(&self, images: Tensor<4>) -> Tensor<2> {
        match &self.net {
            Net::Complex(net) => net.forward_training(images),
            _ => self.forward(images),
        }
    }

    /// Logits, row-major \[N,K\], of `pixels`, row-major \[N,C,H,W\] in \[0,1\].
    pub fn logits(&self, pixels: Vec<f32>, device: &Device) -> Vec<f32> {
        let [channels, height, width] = self.ports.image;
        let area = self.ports.pixels();
        launch::in_pieces(0..pixels.len() / area, &|rows| {
            let values = pixels[rows.start * area..rows.end * area].to_vec();
            let data = TensorData::new(values, [rows.len(), channels, height, width]);
            let logits = self.forward(Tensor::from_data(data, device));
            read_back(logits)
        })
    }

    /// Splits logits \[N,K\] into one row of K per image.
    pub fn rows<'a>(&self, logits: &'a [f32]) -> std::slice::ChunksExact<'a, f32> {
        logits.chunks_exact(self.ports.classes)
    }
}

/// The numbers of a tensor, row-major.
///
/// # Panics
/// If they cannot be read from the device: no substitute may enter the sums.
pub fn read_back<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor
        .try_into_data()
        .unwrap_or_else(|error| panic!("numbers could not be read back from the device: {error}"));
    data.try_into_vec()
        .unwrap_or_else(|error| panic!("numbers read back from the device: {error:?}"))
}

/// Whether logits decide for a class: none is NaN.
pub fn has_decision(logits: &[f32]) -> bool {
    !logits.iter().any(|logit| logit.is_nan())
}

/// The network's decision: the class of the largest logit, the lowest on a tie. See [`has_decision`].
pub fn decision(logits: &[f32]) -> ClassId {
    let mut best = 0;
    for (class, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = class;
        }
    }
    ClassId(best)
}
