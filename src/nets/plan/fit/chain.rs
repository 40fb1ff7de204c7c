//! Builds the chain of trainable layers from a graph.

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::BatchMemory;
use super::adam::Parameter;
use super::conv::{self, Convolution, Places};
use super::dense::Dense;
use super::kernel::Geometry;
use super::lstm::Lstm;
use super::norm::{Norm, NormParameters};
use crate::nets::graph::op::{Conv, Pads, PoolWindow, RecurrentDirection, RecurrentOutput, Unary};
use crate::nets::graph::{Graph, NodeId, NodeInput, Op};
use crate::nets::launch;
use crate::session::record::NetworkWeights;

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
        if let Self::Convolution(own) = self {
            own.prepare(parameters, lanes);
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
                conv::scale(frames, (group, lanes), (*scale, *shift), from, to);
            }
            Self::Rows(from, to) => {
                super::memory::rows_first(frames, group, lanes.count(), from, to);
            }
            Self::Convolution(own) => own.forward(frames, group, lanes),
            Self::Dense(_) | Self::Norm(_) | Self::Lstm(_) => {}
        }
    }

    /// Forward pass of all groups, for layers that work on them together.
    pub fn forward(&mut self, frames: &BatchMemory, parameters: &[Parameter], lanes: Lanes) {
        match self {
            Self::Dense(own) => own.forward(frames, parameters, lanes),
            Self::Norm(own) => own.forward(frames, parameters, lanes),
            Self::Lstm(own) => own.forward(frames, parameters, lanes),
            Self::Scale(..) | Self::Rows(..) | Self::Convolution(_) => {}
        }
    }

    /// Updates the running statistics from the last batch.
    pub fn update_statistics(&self, parameters: &mut [Parameter]) {
        if let Self::Norm(own) = self {
            own.update_statistics(parameters);
        }
    }

    /// Backward pass of one group to the layer's inputs, for layers that work group by group.
    pub fn backward_group(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        if let Self::Convolution(own) = self {
            own.backward(frames, group, lanes);
        }
    }

    /// The rest of the backward pass: gradients of the weights and, for layers that work on all groups together, of the
    /// inputs.
    pub fn backward(&mut self, frames: &BatchMemory, parameters: &mut [Parameter], lanes: Lanes) {
        match self {
            Self::Scale(..) | Self::Rows(..) => {}
            Self::Convolution(own) => own.weight_gradients(frames, parameters, lanes),
            Self::Dense(own) => own.backward(frames, parameters, lanes),
            Self::Norm(own) => own.backward(frames, parameters, lanes),
            Self::Lstm(own) => own.backward(frames, parameters, lanes),
        }
    }

    /// Offsets of the output and of its gradient, for a dense layer, which may be the last.
    pub fn output_offsets(&self) -> Option<(usize, usize)> {
        match self {
            Self::Dense(own) => Some((own.to, own.gradient)),
            _ => None,
        }
    }
}

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

/// The description of a layer before it is laid out in memory.
enum LayerSpec {
    Scale(f32, f32),
    /// Reorders images from \[C,H,W\] to \[H,C,W\].
    Rows,
    Convolution {
        parameters: [usize; 2],
        geometry: Geometry,
        inputs: [usize; 3],
        outputs: [usize; 3],
        window: Option<[usize; 2]>,
        relu: bool,
    },
    Dense {
        parameters: [usize; 2],
        inputs: usize,
        outputs: usize,
        relu: bool,
    },
    Norm(NormParameters, f64),
    Lstm {
        parameters: [usize; 3],
        steps: usize,
        features: usize,
        units: usize,
        last: bool,
    },
}

/// The layers of a graph, if it is a single chain that ends with a dense layer without ReLU.
pub fn training_chain(graph: &Graph, weights: &NetworkWeights, lanes: usize) -> Option<Chain> {
    if graph.output().0 + 1 != graph.nodes().len() {
        return None;
    }
    let kinds = layer_specs(graph, weights, graph.output())?;
    let chain = lay_out(graph, &kinds, lanes, false)?;
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

/// Lays out layers in memory; with `by_images`, including a gradient of the images.
fn lay_out(graph: &Graph, kinds: &[LayerSpec], lanes: usize, by_images: bool) -> Option<Chain> {
    let mut chain = Chain {
        layers: Vec::new(),
        group_len: graph.image().iter().product(),
        fixed: Vec::new(),
        output_gradient: None,
        image_gradient: None,
    };
    let [channels, rows, columns] = graph.image();
    let mut value = TensorSlot {
        origin: 0,
        skip: 0,
        per_group: true,
        channels,
        rows,
        columns,
        border: Pads::default(),
    };
    // The gradient of the current tensor; in training, images have none.
    if by_images {
        chain.image_gradient = Some(chain.place(graph.image(), Pads::default()));
    }
    let mut gradient = chain.image_gradient;
    for (at, kind) in kinds.iter().enumerate() {
        let border = match kinds.get(at + 1) {
            Some(LayerSpec::Convolution {
                geometry,
                inputs,
                outputs,
                ..
            }) => geometry.input_border(*inputs, *outputs),
            _ => Pads::default(),
        };
        match *kind {
            LayerSpec::Scale(scale, shift) => {
                let to = chain.place([value.channels, value.rows, value.columns], border);
                chain.layers.push(FitLayer::Scale(scale, shift, value, to));
                value = to;
            }
            LayerSpec::Rows => {
                // One channel that has the rows of all channels.
                let to = chain.place(
                    [1, value.rows * value.channels, value.columns],
                    Pads::default(),
                );
                chain.layers.push(FitLayer::Rows(value, to));
                value = to;
            }
            LayerSpec::Norm(own, epsilon) => {
                let before = gradient?;
                let shape = [value.channels, value.rows, value.columns];
                let to = chain.place(shape, border);
                let given = chain.place(shape, Pads::default());
                let places = [value, to, given, before];
                chain
                    .layers
                    .push(FitLayer::Norm(Box::new(Norm::new(own, epsilon, places))));
                chain.fixed.extend([own.mean, own.variance]);
                (value, gradient) = (to, Some(given));
            }
            LayerSpec::Lstm {
                parameters,
                steps,
                features,
                units,
                last,
            } => {
                let mut numbers = |count: usize| chain.place([count, 1, 1], Pads::default());
                let gates = numbers(steps * 4 * units).origin;
                let cells = numbers((steps + 1) * units).origin;
                let states = numbers((steps + 1) * units);
                let own = numbers(steps * units);
                let by_cell = numbers(units).origin;
                let layer = Lstm {
                    parameters,
                    steps,
                    features,
                    units,
                    from: value.origin,
                    gates,
                    cells,
                    states: states.origin,
                    gradient: own.origin,
                    last,
                    cell_gradient: by_cell,
                    input_gradient: gradient.map(|it| it.origin),
                    rows: Vec::new(),
                };
                let (given, by) = match last {
                    true => layer.end(),
                    false => (states.origin + units, own.origin),
                };
                let count = if last { units } else { steps * units };
                let of = |at: usize| TensorSlot {
                    origin: at,
                    channels: count,
                    ..states
                };
                (value, gradient) = (of(given), Some(of(by)));
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
                // The backward kernel reads the gradients of the sums, so these need a border of their own.
                let behind = match gradient {
                    Some(_) => geometry.gradient_border(inputs, outputs),
                    None => Pads::default(),
                };
                let windows = conv::has_windows(geometry, window);
                let filtered = geometry.transform(inputs[0], outputs).is_some();
                // With windows, only a direct way back reads the gradients by the sums one by one.
                let sums = !windows || (gradient.is_some() && !filtered);
                let sums = sums.then(|| chain.place(outputs, behind));
                let [high, wide] = window.unwrap_or([1, 1]);
                let given = [outputs[0], outputs[1] / high, outputs[2] / wide];
                let to = chain.place(given, border);
                let chosen = windows.then(|| chain.place(given, border));
                let own = chain.place(given, Pads::default());
                let places = Places {
                    from: value,
                    shape: outputs,
                    sums,
                    to,
                    chosen,
                    gradient: own,
                    before: gradient,
                };
                let convolution =
                    Convolution::new(parameters, geometry, places, (window, relu), lanes)?;
                chain
                    .layers
                    .push(FitLayer::Convolution(Box::new(convolution)));
                (value, gradient) = (to, Some(own));
            }
            LayerSpec::Dense {
                parameters: [weight, bias],
                inputs,
                outputs,
                relu,
            } => {
                let to = chain.place([outputs, 1, 1], Pads::default());
                let own = chain.place([outputs, 1, 1], Pads::default());
                chain.layers.push(FitLayer::Dense(Dense {
                    weight,
                    bias,
                    from: value.origin,
                    inputs,
                    to: to.origin,
                    gradient: own.origin,
                    outputs,
                    relu,
                    input_gradient: gradient.map(|it| it.origin),
                    rows: Vec::new(),
                }));
                (value, gradient) = (to, Some(own));
            }
        }
    }
    chain.output_gradient = gradient;
    (!chain.layers.is_empty()).then_some(chain)
}

impl Chain {
    fn place(&mut self, [channels, rows, columns]: [usize; 3], border: Pads) -> TensorSlot {
        let place = TensorSlot {
            origin: self.group_len,
            skip: 0,
            per_group: true,
            channels,
            rows,
            columns,
            border,
        };
        self.group_len += place.padded_elements();
        place
    }
}

/// The layer descriptions of a graph's nodes up to `last`; `None` if the nodes are not a chain or one is not supported.
fn layer_specs(graph: &Graph, weights: &NetworkWeights, last: NodeId) -> Option<Vec<LayerSpec>> {
    let nodes = graph.nodes().get(..=last.0)?;
    let index = |at: usize, input: usize| match nodes[at].inputs.get(input)? {
        NodeInput::Weight(name) => weights.tensors.iter().position(|(own, _)| own == name),
        NodeInput::Node(_) => None,
    };
    let counts = |at: usize| -> Vec<usize> {
        let dims = nodes[at].shape.iter().filter(|it| !it.batched);
        dims.map(|it| it.count).collect()
    };
    let mut kinds: Vec<LayerSpec> = Vec::new();
    for (at, node) in nodes.iter().enumerate().skip(1) {
        let first = node.inputs.first()?;
        if *first != NodeInput::Node(NodeId(at - 1)) {
            return None;
        }
        match &node.op {
            Op::Unary(Unary::Affine { scale, shift }) if kinds.is_empty() => {
                kinds.push(LayerSpec::Scale(*scale as f32, *shift as f32));
            }
            Op::Unary(Unary::Relu) => match kinds.last_mut()? {
                LayerSpec::Convolution { relu, .. } | LayerSpec::Dense { relu, .. } if !*relu => {
                    *relu = true
                }
                _ => return None,
            },
            Op::MaxPool(window) => match kinds.last_mut()? {
                LayerSpec::Convolution {
                    window: own @ None, ..
                } if *window == PoolWindow::tiles(window.kernel) => *own = Some(window.kernel),
                _ => return None,
            },
            Op::BatchNorm { epsilon } => {
                if !matches!(kinds.last()?, LayerSpec::Convolution { .. }) {
                    return None;
                }
                let own = NormParameters {
                    scale: index(at, 1)?,
                    shift: index(at, 2)?,
                    mean: index(at, 3)?,
                    variance: index(at, 4)?,
                };
                kinds.push(LayerSpec::Norm(own, *epsilon));
            }
            // The rows of the images become the first axis.
            Op::Transpose { axes } if kinds.is_empty() && *axes == [2, 0, 1, 3] => {
                if graph.image()[0] > 1 {
                    kinds.push(LayerSpec::Rows);
                }
            }
            Op::Lstm { recurrent } => {
                let [steps, features] = counts(at - 1).try_into().ok()?;
                let last = match recurrent.output {
                    RecurrentOutput::All => false,
                    RecurrentOutput::Last => true,
                    RecurrentOutput::Cell => return None,
                };
                if recurrent.direction != RecurrentDirection::Forward {
                    return None;
                }
                kinds.push(LayerSpec::Lstm {
                    parameters: [index(at, 1)?, index(at, 2)?, index(at, 3)?],
                    steps,
                    features,
                    units: recurrent.units,
                    last,
                });
            }
            Op::Conv(conv) => {
                let plain = Conv {
                    pads: conv.pads,
                    groups: conv.groups,
                    ..Conv::default()
                };
                let inputs: [usize; 3] = counts(at - 1).try_into().ok()?;
                let outputs: [usize; 3] = counts(at).try_into().ok()?;
                let parameters = [index(at, 1)?, index(at, 2)?];
                let &[.., high, wide] = weights.tensors[parameters[0]].1.shape() else {
                    return None;
                };
                let pads = conv.pads;
                let fits = pads.top.max(pads.left).max(pads.bottom).max(pads.right) < high;
                let apart = conv.groups > 1;
                let whole = !apart || [inputs[0], outputs[0]] == [conv.groups; 2];
                if *conv != plain || high != wide || !fits || !whole {
                    return None;
                }
                // Images are loaded without a border.
                if kinds.is_empty() && pads != Pads::default() {
                    kinds.push(LayerSpec::Scale(1.0, 0.0));
                }
                kinds.push(LayerSpec::Convolution {
                    parameters,
                    geometry: Geometry {
                        taps: high,
                        pads,
                        depthwise: apart,
                        direct: launch::is_winograd_disabled(),
                    },
                    inputs,
                    outputs,
                    window: None,
                    relu: false,
                });
            }
            Op::Reshape { .. } => {}
            Op::Dense => kinds.push(LayerSpec::Dense {
                parameters: [index(at, 1)?, index(at, 2)?],
                inputs: counts(at - 1).iter().product(),
                outputs: counts(at).iter().product(),
                relu: false,
            }),
            _ => return None,
        }
    }
    Some(kinds)
}
