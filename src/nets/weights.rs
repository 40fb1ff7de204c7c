//! Weights as named host arrays: reading them from a network, setting them, and initialising them at random.
//!
//! A tensor's name is its path in the architecture, for example `conv1.weight`. Parameters get
//! identifiers by position, so that an optimizer's state finds its parameters again in another
//! process.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardUniform};

use super::{Network, NetworkShape, read_back};
use crate::session::array::Array;
use crate::session::config::NetworkKind;
use crate::session::record::NetworkWeights;

/// Why weights do not fit the architecture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// A tensor of the architecture is not among the weights.
    #[error("the weights have no tensor `{0}`, which the network needs")]
    Missing(String),
    /// A tensor has another shape.
    #[error("the tensor `{name}` has the shape {found:?}, but the network needs {needed:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape among the weights.
        found: Vec<usize>,
        /// The shape the network needs.
        needed: Vec<usize>,
    },
}

/// The parameter count of a named layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerParameters {
    /// For example `conv1`.
    pub name: String,
    /// Number of weights and biases.
    pub parameters: usize,
}

impl Network {
    /// The weights as host arrays.
    pub fn weights(&self) -> NetworkWeights {
        let mut reader = Reader::default();
        // Without `valid` the running statistics would lag a step behind.
        self.valid().visit(&mut reader);
        NetworkWeights {
            tensors: reader.tensors,
        }
    }

    /// The architecture with these weights.
    ///
    /// # Errors
    /// Names the first tensor that is missing or has the wrong shape.
    pub fn with_weights(
        kind: NetworkKind,
        ports: NetworkShape,
        weights: &NetworkWeights,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let mut setter = Setter {
            path: ModulePath::default(),
            weights,
            error: None,
        };
        let network = Self::bare(kind, ports, device).map(&mut setter);
        match setter.error {
            Some(error) => Err(error),
            None => Ok(network),
        }
    }

    /// Number of trainable parameters; see [`parameters`].
    pub fn parameter_count(&self) -> usize {
        parameters(&self.weights())
    }

    /// The parameter count by layer, in order. Running statistics are not parameters.
    pub fn layers(&self) -> Vec<LayerParameters> {
        let mut layers: Vec<LayerParameters> = Vec::new();
        let tensors = self.weights().tensors.into_iter();
        for (tensor, values) in tensors.filter(|(name, _)| is_parameter(name)) {
            let name = tensor
                .rsplit_once('.')
                .map_or(tensor.as_str(), |(layer, _)| layer);
            match layers.last_mut() {
                Some(last) if last.name == name => last.parameters += values.values().len(),
                _ => layers.push(LayerParameters {
                    name: name.to_owned(),
                    parameters: values.values().len(),
                }),
            }
        }
        layers
    }
}

/// Number of trainable parameters among the weights. Running statistics are weights but not parameters.
pub fn parameters(weights: &NetworkWeights) -> usize {
    let tensors = weights.tensors.iter();
    let parameters = tensors.filter(|(name, _)| is_parameter(name));
    parameters.map(|(_, values)| values.values().len()).sum()
}

fn is_parameter(name: &str) -> bool {
    !name.contains(".running_")
}

/// The same architecture with weights drawn from `seed`, uniform in ±1/√fan-in; normalizations start
/// as the identity.
pub(super) fn draw(network: Network, seed: u64) -> Network {
    network.map(&mut Drawer {
        path: ModulePath::default(),
        rng: ChaCha8Rng::seed_from_u64(seed),
        fan_in: 1,
    })
}

/// A visitor's position: the names of the enclosing modules, without the enum's.
#[derive(Default)]
pub(super) struct ModulePath {
    names: Vec<String>,
    parameters: u64,
}

impl ModulePath {
    pub(super) fn enter(&mut self, name: &str) {
        self.names.push(name.to_owned());
    }

    pub(super) fn leave(&mut self) {
        self.names.pop();
    }

    /// The current tensor's name: layer and parameter, the last two names.
    pub(super) fn name(&self) -> String {
        let from = self.names.len().saturating_sub(2);
        self.names[from..].join(".")
    }

    /// An identifier by position, from 1.
    fn next_id(&mut self) -> ParamId {
        self.parameters += 1;
        ParamId::from(self.parameters)
    }
}

#[derive(Default)]
struct Reader {
    path: ModulePath,
    tensors: Vec<(String, Array<f32>)>,
}

impl ModuleVisitor for Reader {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims();
        self.tensors
            .push((self.path.name(), Array::new(&shape, read_back(tensor))));
    }
}

/// Gradients by name.
#[cfg(test)]
struct Gradients<'a> {
    path: ModulePath,
    gradients: &'a burn::optim::GradientsParams,
    tensors: Vec<(String, Vec<f32>)>,
}

#[cfg(test)]
impl ModuleVisitor for Gradients<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.tensors.push((self.path.name(), read_back(gradient)));
        }
    }
}

#[cfg(test)]
impl Network {
    /// Gradients by the name of their tensor, in the order of [`Network::weights`].
    pub(super) fn gradients(
        &self,
        gradients: &burn::optim::GradientsParams,
    ) -> Vec<(String, Vec<f32>)> {
        let mut reader = Gradients {
            path: ModulePath::default(),
            gradients,
            tensors: Vec::new(),
        };
        self.visit(&mut reader);
        reader.tensors
    }
}

struct Setter<'a> {
    path: ModulePath,
    weights: &'a NetworkWeights,
    error: Option<WeightsError>,
}

impl ModuleMapper for Setter<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.name();
        let id = self.path.next_id();
        let needed = param.lazy_shape();
        let found = self
            .weights
            .tensors
            .iter()
            .find(|(tensor, _)| *tensor == name);
        let Some((_, values)) = found else {
            self.error.get_or_insert(WeightsError::Missing(name));
            return param;
        };
        if values.shape() != needed.as_slice() {
            self.error.get_or_insert(WeightsError::Shape {
                name,
                found: values.shape().to_vec(),
                needed: needed.as_slice().to_vec(),
            });
            return param;
        }
        let data = TensorData::new(values.values().to_vec(), needed);
        let device = param.lazy_device();
        parameter(id, data, &device)
    }
}

/// A parameter, trainable if the device records gradients.
pub(super) fn parameter<const D: usize>(
    id: ParamId,
    data: TensorData,
    device: &Device,
) -> Param<Tensor<D>> {
    let tensor = Tensor::from_data(data, device);
    Param::initialized(
        id,
        if device.is_autodiff() {
            tensor.require_grad()
        } else {
            tensor
        },
    )
}

struct Drawer {
    path: ModulePath,
    rng: ChaCha8Rng,
    fan_in: usize,
}

impl ModuleMapper for Drawer {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.leave();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = self.path.next_id();
        let name = self.path.name();
        let device = param.lazy_device();
        if name.starts_with("norm") {
            // A normalization starts as the identity: γ = 1, β = 0, and the statistics of
            // standardized inputs.
            return parameter(id, param.val().into_data(), &device);
        }
        let shape = param.lazy_shape();
        let dims = shape.as_slice();
        // A bias follows its weight and shares its fan-in. Linear weights are [in, out],
        // convolutions [out, in, height, width]. In an LSTM, [4·units, in], PyTorch uses the
        // number of units as fan-in throughout.
        match dims.len() {
            1 => {}
            2 if name.starts_with("lstm") => self.fan_in = dims[0] / 4,
            2 => self.fan_in = dims[0],
            _ => self.fan_in = dims[1..].iter().product(),
        }
        let bound = 1.0 / (self.fan_in as f32).sqrt();
        let count: usize = dims.iter().product();
        let uniform = StandardUniform.sample_iter(&mut self.rng).take(count);
        let values: Vec<f32> = uniform.map(|u: f32| bound * (2.0 * u - 1.0)).collect();
        parameter(id, TensorData::new(values, shape), &device)
    }
}
