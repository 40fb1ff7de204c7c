//! Builds the chain of trainable layers of a graph, laid out in memory.

mod specs;

use super::super::layout::TensorSlot;
use super::conv::{self, Convolution, Places};
use super::dense::Dense;
use super::layer::FitLayer;
use super::lstm::Lstm;
use super::norm::Norm;
use crate::nets::graph::op::Pads;
use crate::nets::graph::{Graph, NodeId};
use crate::session::record::NetworkWeights;
use specs::{LayerSpec, layer_specs};

/// The layers of a chain and their memory.
pub struct Chain {
    pub layers: Vec<FitLayer>,
    pub group_len: usize,
    /// Parameters that gradients do not update.
    pub fixed: Vec<usize>,
    /// The gradient of the last layer's output.
    pub output_gradient: Option<TensorSlot>,
    /// The gradient of the images, if requested.
    pub image_gradient: Option<TensorSlot>,
}

/// The layers of a graph, if it is a single chain that ends with a dense layer without ReLU.
pub fn training_chain(graph: &Graph, weights: &NetworkWeights, lanes: usize) -> Option<Chain> {
    if graph.output().0 + 1 != graph.nodes().len() {
        return None;
    }
    let specs = layer_specs(graph, weights, graph.output())?;
    let chain = lay_out(graph, &specs, lanes, false)?;
    matches!(chain.layers.last(), Some(FitLayer::Dense(last)) if !last.relu).then_some(chain)
}

/// The layers of a graph up to a node, if they are a single chain, with memory for the gradient of the images.
pub fn chain_up_to(
    graph: &Graph,
    weights: &NetworkWeights,
    node: NodeId,
    lanes: usize,
) -> Option<Chain> {
    lay_out(graph, &layer_specs(graph, weights, node)?, lanes, true)
}

/// Lays out layers in memory; with `with_image_gradient`, including a gradient of the images.
fn lay_out(
    graph: &Graph,
    specs: &[LayerSpec],
    lanes: usize,
    with_image_gradient: bool,
) -> Option<Chain> {
    let mut chain = Chain {
        layers: Vec::new(),
        group_len: graph.image().iter().product(),
        fixed: Vec::new(),
        output_gradient: None,
        image_gradient: None,
    };
    let mut value = TensorSlot::in_frame(0, graph.image(), Pads::default());
    // The gradient of the current tensor; in training, images have none.
    if with_image_gradient {
        chain.image_gradient = Some(chain.add_tensor(graph.image(), Pads::default()));
    }
    let mut gradient = chain.image_gradient;
    for (index, spec) in specs.iter().enumerate() {
        let border = match specs.get(index + 1) {
            Some(LayerSpec::Convolution {
                geometry,
                inputs,
                outputs,
                ..
            }) => geometry.input_border(*inputs, *outputs),
            _ => Pads::default(),
        };
        match *spec {
            LayerSpec::Scale(scale, shift) => {
                let to = chain.add_tensor([value.channels, value.rows, value.columns], border);
                chain.layers.push(FitLayer::Scale(scale, shift, value, to));
                value = to;
            }
            LayerSpec::Rows => {
                // One channel that has the rows of all channels.
                let to = chain.add_tensor(
                    [1, value.rows * value.channels, value.columns],
                    Pads::default(),
                );
                chain.layers.push(FitLayer::Rows(value, to));
                value = to;
            }
            LayerSpec::Norm(parameters, epsilon) => {
                let input_gradient = gradient?;
                let shape = [value.channels, value.rows, value.columns];
                let to = chain.add_tensor(shape, border);
                let output_gradient = chain.add_tensor(shape, Pads::default());
                let slots = [value, to, output_gradient, input_gradient];
                chain.layers.push(FitLayer::Norm(Box::new(Norm::new(
                    parameters, epsilon, slots,
                ))));
                chain.fixed.extend([parameters.mean, parameters.variance]);
                (value, gradient) = (to, Some(output_gradient));
            }
            LayerSpec::Lstm {
                parameters,
                steps,
                features,
                units,
                last,
            } => {
                if value.elements() != steps * features || !value.has_no_border() {
                    return None;
                }
                let mut vector = |count: usize| chain.add_tensor([count, 1, 1], Pads::default());
                let gates = vector(steps * 4 * units).origin;
                let cells = vector((steps + 1) * units).origin;
                let states = vector((steps + 1) * units);
                let state_gradients = vector(steps * units);
                let cell_gradient = vector(units).origin;
                let layer = Lstm {
                    parameters,
                    steps,
                    features,
                    units,
                    from: value.origin,
                    gates,
                    cells,
                    states: states.origin,
                    gradient: state_gradients.origin,
                    last,
                    cell_gradient,
                    input_gradient: gradient.map(|slot| slot.origin),
                    rows: Vec::new(),
                };
                let (output, output_gradient) = match last {
                    true => layer.end(),
                    false => (states.origin + units, state_gradients.origin),
                };
                let count = if last { units } else { steps * units };
                let slot = |origin: usize| TensorSlot {
                    origin,
                    channels: count,
                    ..states
                };
                (value, gradient) = (slot(output), Some(slot(output_gradient)));
                chain.layers.push(FitLayer::Lstm(Box::new(layer)));
            }
            LayerSpec::Convolution {
                parameters,
                geometry,
                inputs,
                outputs,
                window,
                relu,
            } => {
                let needed = geometry.input_border(inputs, outputs);
                if [value.channels, value.rows, value.columns] != inputs
                    || !covers(value.border, needed)
                {
                    return None;
                }
                // The backward kernel reads the gradients of the sums, so these may need a border.
                let sum_border = match gradient {
                    Some(_) => geometry.gradient_border(inputs, outputs),
                    None => Pads::default(),
                };
                let windows = conv::has_windows(geometry, window);
                let is_winograd = geometry.transform(inputs[0], outputs).is_some();
                // With windows, only a direct backward pass reads the gradients of the sums one by one.
                let needs_sums = !windows || (gradient.is_some() && !is_winograd);
                let sums = needs_sums.then(|| chain.add_tensor(outputs, sum_border));
                let [height, width] = window.unwrap_or([1, 1]);
                let shape = [outputs[0], outputs[1] / height, outputs[2] / width];
                let to = chain.add_tensor(shape, border);
                let chosen = windows.then(|| chain.add_tensor(shape, border));
                let output_gradient = chain.add_tensor(shape, Pads::default());
                let places = Places {
                    from: value,
                    shape: outputs,
                    sums,
                    to,
                    chosen,
                    gradient: output_gradient,
                    before: gradient,
                };
                let convolution =
                    Convolution::new(parameters, geometry, places, (window, relu), lanes)?;
                chain
                    .layers
                    .push(FitLayer::Convolution(Box::new(convolution)));
                (value, gradient) = (to, Some(output_gradient));
            }
            LayerSpec::Dense {
                parameters: [weight, bias],
                inputs,
                outputs,
                relu,
            } => {
                if value.elements() != inputs || !value.has_no_border() {
                    return None;
                }
                let to = chain.add_tensor([outputs, 1, 1], Pads::default());
                let output_gradient = chain.add_tensor([outputs, 1, 1], Pads::default());
                chain.layers.push(FitLayer::Dense(Dense {
                    weight,
                    bias,
                    from: value.origin,
                    inputs,
                    to: to.origin,
                    gradient: output_gradient.origin,
                    outputs,
                    relu,
                    input_gradient: gradient.map(|slot| slot.origin),
                    rows: Vec::new(),
                }));
                (value, gradient) = (to, Some(output_gradient));
            }
        }
    }
    chain.output_gradient = gradient;
    (!chain.layers.is_empty()).then_some(chain)
}

/// Whether a border is at least as wide as another on every side.
fn covers(border: Pads, needed: Pads) -> bool {
    border.top >= needed.top
        && border.left >= needed.left
        && border.bottom >= needed.bottom
        && border.right >= needed.right
}

impl Chain {
    /// Adds a tensor to the group's frame.
    fn add_tensor(&mut self, shape: [usize; 3], border: Pads) -> TensorSlot {
        let slot = TensorSlot::in_frame(self.group_len, shape, border);
        self.group_len += slot.padded_elements();
        slot
    }
}
