//! A layer in training: dispatches the forward and backward passes to the layer's kind.

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::adam::Parameter;
use super::conv::Convolution;
use super::dense::Dense;
use super::lstm::Lstm;
use super::norm::Norm;
use super::{BatchMemory, memory};

/// A layer in training.
#[derive(Debug)]
pub enum FitLayer {
    /// scale·x + shift of the images.
    Scale(f32, f32, TensorSlot, TensorSlot),
    /// Reorders images from \[C,H,W\] to \[H,C,W\].
    Rows(TensorSlot, TensorSlot),
    /// A convolution with the max pooling and ReLU that follow it.
    Convolution(Box<Convolution>),
    /// A dense layer with the ReLU that follows it.
    Dense(Dense),
    /// A batch normalization.
    Norm(Box<Norm>),
    /// An LSTM.
    Lstm(Box<Lstm>),
}

impl FitLayer {
    /// The kind of layer.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Scale(..) => "scale",
            Self::Rows(..) => "rows",
            Self::Convolution(_) => "convolution",
            Self::Dense(_) => "dense",
            Self::Norm(_) => "normalization",
            Self::Lstm(_) => "lstm",
        }
    }

    /// Packs the weights for the kernels.
    pub fn prepare(&mut self, parameters: &[Parameter], lanes: Lanes) {
        if let Self::Convolution(layer) = self {
            layer.prepare(parameters, lanes);
        }
    }

    /// Whether it works on one group of images at a time.
    pub fn works_by_group(&self) -> bool {
        matches!(
            self,
            Self::Scale(..) | Self::Rows(..) | Self::Convolution(_)
        )
    }

    /// Forward pass of one group, for layers that work group by group.
    pub fn forward_group(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        match self {
            Self::Scale(scale, shift, from, to) => {
                memory::scale(frames, (group, lanes), (*scale, *shift), from, to);
            }
            Self::Rows(from, to) => {
                memory::rows_first(frames, group, lanes.count(), from, to);
            }
            Self::Convolution(layer) => layer.forward(frames, group, lanes),
            Self::Dense(_) | Self::Norm(_) | Self::Lstm(_) => {}
        }
    }

    /// Forward pass of all groups, for layers that work on them together.
    pub fn forward(&mut self, frames: &BatchMemory, parameters: &[Parameter], lanes: Lanes) {
        match self {
            Self::Dense(layer) => layer.forward(frames, parameters, lanes),
            Self::Norm(layer) => layer.forward(frames, parameters, lanes),
            Self::Lstm(layer) => layer.forward(frames, parameters, lanes),
            Self::Scale(..) | Self::Rows(..) | Self::Convolution(_) => {}
        }
    }

    /// Updates the running statistics from the last batch.
    pub fn update_statistics(&self, parameters: &mut [Parameter]) {
        if let Self::Norm(layer) = self {
            layer.update_statistics(parameters);
        }
    }

    /// Backward pass of one group to the layer's inputs, for layers that work group by group.
    pub fn backward_group(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        if let Self::Convolution(layer) = self {
            layer.backward(frames, group, lanes);
        }
    }

    /// The rest of the backward pass: gradients of the weights and, for layers that work on all groups together, of the
    /// inputs; but for dense layers, whose two steps are apart.
    pub fn backward(&mut self, frames: &BatchMemory, parameters: &mut [Parameter], lanes: Lanes) {
        match self {
            Self::Scale(..) | Self::Rows(..) | Self::Dense(_) => {}
            Self::Convolution(layer) => layer.weight_gradients(frames, parameters, lanes),
            Self::Norm(layer) => layer.backward(frames, parameters, lanes),
            Self::Lstm(layer) => layer.backward(frames, parameters, lanes),
        }
    }

    /// Offsets of the output and of its gradient, for a dense layer, which may be the last.
    pub fn output_offsets(&self) -> Option<(usize, usize)> {
        match self {
            Self::Dense(layer) => Some((layer.to, layer.gradient)),
            _ => None,
        }
    }
}
