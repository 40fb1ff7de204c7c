//! The layers of a network: where their units look, what they answer, and how they are pushed.
//!
//! Activations are taken after a layer's non-linearity and before pooling. Each architecture says
//! in its own file how its layers follow upon each other; what holds for all stands here.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

use super::ports::Ports;
use super::weights::{Path, host, parameter};
use super::{Net, Network, cnn, complex, logistic, mlp, rnn, simple};
use crate::session::config::NetworkKind;
use crate::session::form::Shape;

/// Where a layer's units look, in pixels of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// For example `conv1`.
    pub name: &'static str,
    /// Units; of a convolution, its channels.
    pub units: usize,
    /// Channels, rows and columns of the image.
    pub image: Shape,
    /// Receptive field, rows and columns; of a fully connected layer, the whole image.
    pub field: (usize, usize),
    /// Image pixels between the fields of neighbouring positions.
    pub stride: usize,
    /// Image pixels by which the field of position (0,0) starts above and left of the image.
    pub padding: usize,
    /// Rows and columns of positions; (1,1) where fully connected.
    pub positions: (usize, usize),
    /// No rectifier follows: activations may be negative.
    pub signed: bool,
}

impl Geometry {
    /// A layer whose units look at the whole image.
    pub(super) fn whole(name: &'static str, units: usize, signed: bool, ports: Ports) -> Self {
        Self {
            name,
            units,
            image: ports.image,
            field: ports.size(),
            stride: 1,
            padding: 0,
            positions: (1, 1),
            signed,
        }
    }

    /// Whether the field is the whole image.
    pub fn is_whole(&self) -> bool {
        let [_, height, width] = self.image;
        self.field == (height, width)
    }

    /// Channels, rows and columns of a receptive field.
    pub fn field_shape(&self) -> Shape {
        [self.image[0], self.field.0, self.field.1]
    }

    /// Numbers of a receptive field.
    pub fn field_pixels(&self) -> usize {
        self.field_shape().iter().product()
    }

    /// The positions whose field lies inside the image: row, column, and the top and left pixel of
    /// the field.
    pub fn inner(&self) -> Vec<(usize, usize, usize, usize)> {
        let start = |position: usize, field: usize, image: usize| {
            let start = (position * self.stride).checked_sub(self.padding)?;
            (start + field <= image).then_some(start)
        };
        let mut inner = Vec::new();
        for row in 0..self.positions.0 {
            let Some(top) = start(row, self.field.0, self.image[1]) else {
                continue;
            };
            for column in 0..self.positions.1 {
                if let Some(left) = start(column, self.field.1, self.image[2]) {
                    inner.push((row, column, top, left));
                }
            }
        }
        inner
    }
}

/// A layer that cannot be pushed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayerError {
    /// There is no such layer, or it has no bias for each unit.
    #[error("the layer `{name}` cannot be pushed; these can: {}", .can.join(", "))]
    Unpushable {
        /// What was asked for.
        name: String,
        /// The layers with one bias a unit.
        can: Vec<&'static str>,
    },
    /// Another number of values than units.
    #[error("{found} values for the {units} units of the layer `{name}`")]
    Units {
        /// The layer.
        name: String,
        /// Values given.
        found: usize,
        /// Units of the layer.
        units: usize,
    },
}

/// Every layer of an architecture, from the input on.
pub fn geometry(kind: NetworkKind, ports: Ports) -> Vec<Geometry> {
    match kind {
        NetworkKind::Cnn => cnn::geometry(ports),
        NetworkKind::Mlp => mlp::geometry(ports),
        NetworkKind::Logistic => logistic::geometry(ports),
        NetworkKind::Rnn => rnn::geometry(ports),
        NetworkKind::Simple => simple::geometry(ports),
        NetworkKind::Complex => complex::geometry(ports),
        NetworkKind::Onnx => Vec::new(),
    }
}

impl Network {
    /// Which architecture it is.
    pub fn kind(&self) -> NetworkKind {
        match &self.net {
            Net::Cnn(_) => NetworkKind::Cnn,
            Net::Mlp(_) => NetworkKind::Mlp,
            Net::Logistic(_) => NetworkKind::Logistic,
            Net::Rnn(_) => NetworkKind::Rnn,
            Net::Simple(_) => NetworkKind::Simple,
            Net::Complex(_) => NetworkKind::Complex,
        }
    }

    /// Its layers, from the input on.
    pub fn geometry(&self) -> Vec<Geometry> {
        geometry(self.kind(), self.ports)
    }

    /// Activations of every layer after its non-linearity and before pooling, in the order of
    /// [`geometry`]: \[N,units,rows,columns\] each. Images \[N,C,H,W\] in \[0,1\].
    pub fn activations(&self, images: Tensor<4>) -> Vec<Tensor<4>> {
        match &self.net {
            Net::Cnn(net) => net.activations(images),
            Net::Mlp(net) => net.activations(images),
            Net::Logistic(net) => net.activations(images),
            Net::Rnn(net) => net.activations(images),
            Net::Simple(net) => net.activations(images),
            Net::Complex(net) => net.activations(images),
        }
    }

    /// Activations \[N,units\] of one layer on patches of exactly its receptive field \[N,C,h,w\]: the
    /// network cut out around one position in the middle of the image, where no padding is seen.
    /// Where the layer looks at the whole image, the patch is the image. Differentiable by the
    /// patches where they live on a device that records gradients.
    ///
    /// # Panics
    /// Where there is no such layer, or the patches have another size than its field.
    pub fn patch_activations(&self, layer: usize, patches: Tensor<4>) -> Tensor<2> {
        let seen = self.geometry()[layer];
        let [n, channels, height, width] = patches.dims();
        let field = [channels, height, width];
        assert_eq!(field, seen.field_shape(), "patches for {}", seen.name);
        let answers = match &self.net {
            Net::Cnn(net) if !seen.is_whole() => net.cut_out(layer, patches),
            Net::Simple(net) if !seen.is_whole() => net.cut_out(layer, patches),
            Net::Complex(net) if !seen.is_whole() => net.cut_out(layer, patches),
            _ => self.activations(patches).swap_remove(layer),
        };
        answers.reshape([n, seen.units])
    }

    /// Weights of the layer that sees the image itself as maps over its receptive field, row-major
    /// \[units,C,h,w\], by a change of one in a pixel; `None` for the others, and for an LSTM.
    pub fn kernel(&self, layer: usize) -> Option<Vec<f32>> {
        let seen = self.geometry()[layer];
        if layer > 0 {
            return None;
        }
        let name = format!("{}.weight", seen.name);
        let weights = self.weights();
        let (_, weight) = weights.tensors.iter().find(|(own, _)| *own == name)?;
        let values = weight.values();
        if weight.shape().len() == 4 {
            let by_pixel = match &self.net {
                Net::Simple(_) | Net::Complex(_) => simple::CONTRAST,
                _ => 1.0,
            };
            return Some(values.iter().map(|weight| weight * by_pixel).collect());
        }
        // Fully connected: [pixels, units].
        let pixels = values.len() / seen.units;
        let map = |unit| (0..pixels).map(move |pixel| values[pixel * seen.units + unit]);
        Some((0..seen.units).flat_map(map).collect())
    }

    /// The same network with `delta`, one value a unit, added to the bias of the named layer.
    ///
    /// # Errors
    /// [`LayerError`] where the layer has no bias for each unit (an LSTM has four) or does not
    /// exist, and where `delta` has another length.
    pub fn pushed(&self, layer: &str, delta: &[f32]) -> Result<Self, LayerError> {
        let layers = self.geometry();
        let pushable = |seen: &&Geometry| !seen.name.starts_with("lstm");
        let found = layers
            .iter()
            .filter(pushable)
            .find(|seen| seen.name == layer);
        let Some(found) = found else {
            return Err(LayerError::Unpushable {
                name: layer.to_owned(),
                can: layers.iter().filter(pushable).map(|it| it.name).collect(),
            });
        };
        if delta.len() != found.units {
            return Err(LayerError::Units {
                name: layer.to_owned(),
                found: delta.len(),
                units: found.units,
            });
        }
        let mut pusher = Pusher {
            path: Path::default(),
            biases: [format!("{layer}.bias"), format!("{layer}.beta")],
            delta,
        };
        Ok(self.clone().map(&mut pusher))
    }
}

/// Adds to one bias and leaves everything else as it is.
struct Pusher<'a> {
    path: Path,
    /// What the parameter may be called: a normalization has a β.
    biases: [String; 2],
    delta: &'a [f32],
}

impl ModuleMapper for Pusher<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.biases.contains(&self.path.name()) {
            return param;
        }
        let mut values = host(param.val());
        for (value, delta) in values.iter_mut().zip(self.delta) {
            *value += delta;
        }
        let data = TensorData::new(values, param.lazy_shape());
        parameter(param.id, data, &param.lazy_device())
    }
}

/// Units without a place, \[N,units\], as activations at one position.
pub(super) fn at_one_position(units: Tensor<2>) -> Tensor<4> {
    let [n, count] = units.dims();
    units.reshape([n, count, 1, 1])
}

#[cfg(test)]
mod tests;
