//! The networks under study: one file an architecture, and [`Network`], which dispatches.
//!
//! Every network takes images \[N,28,28\] in \[0,1\] and gives logits \[N,10\]. Weights come and go
//! as named host arrays ([`weights`]); training lives in [`train`], what single layers see and say in
//! [`layers`].

mod cnn;
mod complex;
mod composed;
pub mod import;
pub mod launch;
pub mod layers;
mod layout;
mod logistic;
mod mlp;
mod rnn;
mod simple;
pub mod train;
pub mod weights;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::session::config::NetworkKind;

/// Classes that every network tells apart.
pub const CLASSES: usize = 10;

/// Height and width of the images that every network takes.
pub const SIZE: (usize, usize) = (28, 28);

/// A network under study.
// Burn's modules cannot be boxed, and there is one network a worker.
#[allow(clippy::large_enum_variant)]
#[derive(Module, Debug)]
pub enum Network {
    /// See [`NetworkKind::Cnn`].
    Cnn(cnn::Cnn),
    /// See [`NetworkKind::Mlp`].
    Mlp(mlp::Mlp),
    /// See [`NetworkKind::Logistic`].
    Logistic(logistic::Logistic),
    /// See [`NetworkKind::Rnn`].
    Rnn(rnn::Rnn),
    /// See [`NetworkKind::Simple`].
    Simple(simple::Simple),
    /// See [`NetworkKind::Complex`].
    Complex(complex::Complex),
}

impl Network {
    /// The architecture with weights drawn from `seed`: uniform in ±1/√fan-in, as PyTorch does.
    pub fn new(kind: NetworkKind, seed: u64, device: &Device) -> Self {
        weights::draw(Self::bare(kind, device), seed)
    }

    fn bare(kind: NetworkKind, device: &Device) -> Self {
        match kind {
            NetworkKind::Cnn => Self::Cnn(cnn::Cnn::new(device)),
            NetworkKind::Mlp => Self::Mlp(mlp::Mlp::new(device)),
            NetworkKind::Logistic => Self::Logistic(logistic::Logistic::new(device)),
            NetworkKind::Rnn => Self::Rnn(rnn::Rnn::new(device)),
            NetworkKind::Simple => Self::Simple(simple::Simple::new(device)),
            NetworkKind::Complex => Self::Complex(complex::Complex::new(device)),
        }
    }

    /// Logits \[N,10\] of images \[N,28,28\] in \[0,1\].
    pub fn forward(&self, images: Tensor<3>) -> Tensor<2> {
        match self {
            Self::Cnn(net) => net.forward(images),
            Self::Mlp(net) => net.forward(images),
            Self::Logistic(net) => net.forward(images),
            Self::Rnn(net) => net.forward(images),
            Self::Simple(net) => net.forward(images),
            Self::Complex(net) => net.forward(images),
        }
    }

    /// The same while training: batch normalization takes the statistics of these images and keeps
    /// a running mean of them, which [`Self::forward`] uses. Only on a device that records gradients.
    pub fn forward_training(&self, images: Tensor<3>) -> Tensor<2> {
        match self {
            Self::Complex(net) => net.forward_training(images),
            _ => self.forward(images),
        }
    }

    /// Logits, row-major \[N,10\], of `pixels`, row-major \[N,28,28\] in \[0,1\].
    pub fn logits(&self, pixels: Vec<f32>, device: &Device) -> Vec<f32> {
        let (height, width) = SIZE;
        let images = pixels.len() / (height * width);
        let area = height * width;
        launch::in_pieces(0..images, &|rows| {
            let own = pixels[rows.start * area..rows.end * area].to_vec();
            let data = TensorData::new(own, [rows.len(), height, width]);
            let logits = self.forward(Tensor::from_data(data, device));
            logits.into_data().try_into_vec().unwrap_or_default()
        })
    }
}

/// Index of the largest logit, the lowest on a tie: the network's decision.
pub fn decision(logits: &[f32]) -> usize {
    let mut best = 0;
    for (class, &logit) in logits.iter().enumerate() {
        if logit > logits[best] {
            best = class;
        }
    }
    best
}
