//! Describes the layers of a graph's nodes, if they are a chain of supported layers.

use super::super::kernel::Geometry;
use super::super::norm::NormParameters;
use crate::nets::graph::op::{Conv, Pads, PoolWindow, RecurrentDirection, RecurrentOutput, Unary};
use crate::nets::graph::{Graph, NodeId, NodeInput, Op};
use crate::nets::launch;
use crate::session::record::NetworkWeights;

/// The description of a layer before it is laid out in memory.
pub(super) enum LayerSpec {
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

/// The layer descriptions of a graph's nodes up to `last`; `None` if the nodes are not a chain or one is not supported.
pub(super) fn layer_specs(
    graph: &Graph,
    weights: &NetworkWeights,
    last: NodeId,
) -> Option<Vec<LayerSpec>> {
    let nodes = graph.nodes().get(..=last.0)?;
    let parameter = |node: usize, input: usize| match nodes[node].inputs.get(input)? {
        NodeInput::Weight(name) => weights
            .tensors
            .iter()
            .position(|(tensor, _)| tensor == name),
        NodeInput::Node(_) => None,
    };
    let shape = |node: usize| -> Vec<usize> {
        let dims = nodes[node].shape.iter().filter(|dim| !dim.batched);
        dims.map(|dim| dim.count).collect()
    };
    let mut specs: Vec<LayerSpec> = Vec::new();
    for (index, node) in nodes.iter().enumerate().skip(1) {
        let first = node.inputs.first()?;
        if *first != NodeInput::Node(NodeId(index - 1)) {
            return None;
        }
        match &node.op {
            Op::Unary(Unary::Affine { scale, shift }) if specs.is_empty() => {
                specs.push(LayerSpec::Scale(*scale as f32, *shift as f32));
            }
            Op::Unary(Unary::Relu) => match specs.last_mut()? {
                LayerSpec::Convolution { relu, .. } | LayerSpec::Dense { relu, .. } if !*relu => {
                    *relu = true
                }
                _ => return None,
            },
            Op::MaxPool(window) => match specs.last_mut()? {
                LayerSpec::Convolution {
                    window: pooled @ None,
                    ..
                } if *window == PoolWindow::tiles(window.kernel) => *pooled = Some(window.kernel),
                _ => return None,
            },
            Op::BatchNorm { epsilon } => {
                if !matches!(specs.last()?, LayerSpec::Convolution { .. }) {
                    return None;
                }
                let parameters = NormParameters {
                    scale: parameter(index, 1)?,
                    shift: parameter(index, 2)?,
                    mean: parameter(index, 3)?,
                    variance: parameter(index, 4)?,
                };
                specs.push(LayerSpec::Norm(parameters, *epsilon));
            }
            // The rows of the images become the first axis.
            Op::Transpose { axes } if specs.is_empty() && *axes == [2, 0, 1, 3] => {
                if graph.image()[0] > 1 {
                    specs.push(LayerSpec::Rows);
                }
            }
            Op::Lstm { recurrent } => {
                let [steps, features] = shape(index - 1).try_into().ok()?;
                let last = match recurrent.output {
                    RecurrentOutput::All => false,
                    RecurrentOutput::Last => true,
                    RecurrentOutput::Cell => return None,
                };
                if recurrent.direction != RecurrentDirection::Forward {
                    return None;
                }
                specs.push(LayerSpec::Lstm {
                    parameters: [
                        parameter(index, 1)?,
                        parameter(index, 2)?,
                        parameter(index, 3)?,
                    ],
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
                let inputs: [usize; 3] = shape(index - 1).try_into().ok()?;
                let outputs: [usize; 3] = shape(index).try_into().ok()?;
                let parameters = [parameter(index, 1)?, parameter(index, 2)?];
                let &[.., height, width] = weights.tensors[parameters[0]].1.shape() else {
                    return None;
                };
                let pads = conv.pads;
                let fits = pads.top.max(pads.left).max(pads.bottom).max(pads.right) < height;
                let grouped = conv.groups > 1;
                let supported_groups = !grouped || [inputs[0], outputs[0]] == [conv.groups; 2];
                if *conv != plain || height != width || !fits || !supported_groups {
                    return None;
                }
                let geometry = Geometry {
                    taps: height,
                    pads,
                    depthwise: grouped,
                    direct: launch::is_winograd_disabled(),
                };
                // Images are loaded without a border, which padding needs, and tiles that extend past the last output.
                if specs.is_empty() && geometry.input_border(inputs, outputs) != Pads::default() {
                    specs.push(LayerSpec::Scale(1.0, 0.0));
                }
                specs.push(LayerSpec::Convolution {
                    parameters,
                    geometry,
                    inputs,
                    outputs,
                    window: None,
                    relu: false,
                });
            }
            Op::Reshape { .. } => {}
            Op::Dense => {
                let parameters = [parameter(index, 1)?, parameter(index, 2)?];
                let inputs = shape(index - 1).iter().product();
                let outputs = shape(index).iter().product();
                // Not applied to every vector of a larger tensor.
                if weights.tensors[parameters[0]].1.shape() != [inputs, outputs] {
                    return None;
                }
                specs.push(LayerSpec::Dense {
                    parameters,
                    inputs,
                    outputs,
                    relu: false,
                });
            }
            _ => return None,
        }
    }
    Some(specs)
}
