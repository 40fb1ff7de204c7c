//! From a graph to layers in training.

use super::super::Lanes;
use super::super::layout::Place;
use super::Frames;
use super::adam::Parameter;
use super::conv::{Convolution, Geometry};
use super::dense::Dense;
use crate::nets::graph::op::{Conv, Pads, Unary, Window};
use crate::nets::graph::{Graph, Input, Op};
use crate::session::record::Weights;

/// One layer.
#[derive(Debug)]
pub enum Layer {
    /// scale·x + shift of the images.
    Scale(f32, f32, Place, Place),
    /// A convolution, with the windows and the rectifier that follow it.
    Convolution(Box<Convolution>),
    /// A dense layer, with the rectifier that follows it.
    Dense(Dense),
}

impl Layer {
    /// What it is.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Scale(..) => "scale",
            Self::Convolution(_) => "convolution",
            Self::Dense(_) => "dense",
        }
    }

    /// Brings the weights into the order in which they are read.
    pub fn prepare(&mut self, parameters: &[Parameter], lanes: Lanes) {
        if let Self::Convolution(own) = self {
            own.prepare(parameters, lanes);
        }
    }

    /// What it gives.
    pub fn forward(&self, frames: &Frames, parameters: &[Parameter], lanes: Lanes) {
        match self {
            Self::Scale(scale, shift, from, to) => {
                super::conv::scale(frames, lanes, (*scale, *shift), from, to);
            }
            Self::Convolution(own) => own.forward(frames, lanes),
            Self::Dense(own) => own.forward(frames, parameters, lanes),
        }
    }

    /// Gradients by its weights and by what it reads, from those by what it gives.
    pub fn backward(&self, frames: &Frames, parameters: &mut [Parameter], lanes: Lanes) {
        match self {
            Self::Scale(..) => {}
            Self::Convolution(own) => own.backward(frames, parameters, lanes),
            Self::Dense(own) => own.backward(frames, parameters, lanes),
        }
    }

    /// Where what it gives stands, and the gradient by it, where it is dense and may be the last.
    pub fn ends(&self) -> Option<(usize, usize)> {
        match self {
            Self::Dense(own) => Some((own.to, own.gradient)),
            _ => None,
        }
    }
}

/// Layers, and the numbers of a frame.
pub struct Chain {
    pub layers: Vec<Layer>,
    pub frame: usize,
}

/// What a layer is, before it has its place.
enum Kind {
    Scale(f32, f32),
    Convolution {
        parameters: [usize; 2],
        taps: usize,
        pads: Pads,
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
}

/// The layers of a graph that is one chain of them.
pub fn chain(graph: &Graph, weights: &Weights, lanes: usize) -> Option<Chain> {
    let kinds = kinds(graph, weights)?;
    let mut chain = Chain {
        layers: Vec::new(),
        frame: graph.image().iter().product(),
    };
    let [channels, rows, columns] = graph.image();
    let mut value = Place {
        at: 0,
        skip: 0,
        framed: true,
        channels,
        rows,
        columns,
        border: Pads::default(),
    };
    // The gradient by what a layer gives; images have none.
    let mut gradient: Option<Place> = None;
    for (at, kind) in kinds.iter().enumerate() {
        let border = match kinds.get(at + 1) {
            Some(Kind::Convolution {
                taps,
                pads,
                inputs,
                outputs,
                ..
            }) => Geometry::border(*taps, *pads, *inputs, *outputs),
            _ => Pads::default(),
        };
        match *kind {
            Kind::Scale(scale, shift) => {
                let to = chain.place([value.channels, value.rows, value.columns], border);
                chain.layers.push(Layer::Scale(scale, shift, value, to));
                value = to;
            }
            Kind::Convolution {
                parameters,
                taps,
                pads,
                inputs,
                outputs,
                window,
                relu,
            } => {
                let geometry = Geometry { taps, pads };
                // As what backward data reads, the sums have a border of their own.
                let behind = match gradient {
                    Some(_) => geometry.back().border_of(outputs, inputs),
                    None => Pads::default(),
                };
                let sums = chain.place(outputs, behind);
                let [high, wide] = window.unwrap_or([1, 1]);
                let given = [outputs[0], outputs[1] / high, outputs[2] / wide];
                let to = chain.place(given, border);
                let own = chain.place(given, Pads::default());
                chain
                    .layers
                    .push(Layer::Convolution(Box::new(Convolution::new(
                        parameters,
                        geometry,
                        [value, sums, to, own],
                        gradient,
                        (window, relu),
                        lanes,
                    ))));
                (value, gradient) = (to, Some(own));
            }
            Kind::Dense {
                parameters: [weight, bias],
                inputs,
                outputs,
                relu,
            } => {
                let to = chain.place([outputs, 1, 1], Pads::default());
                let own = chain.place([outputs, 1, 1], Pads::default());
                chain.layers.push(Layer::Dense(Dense {
                    weight,
                    bias,
                    from: value.at,
                    inputs,
                    to: to.at,
                    gradient: own.at,
                    outputs,
                    relu,
                    before: gradient.map(|it| it.at),
                }));
                (value, gradient) = (to, Some(own));
            }
        }
    }
    matches!(chain.layers.last(), Some(Layer::Dense(last)) if !last.relu).then_some(chain)
}

impl Chain {
    fn place(&mut self, [channels, rows, columns]: [usize; 3], border: Pads) -> Place {
        let place = Place {
            at: self.frame,
            skip: 0,
            framed: true,
            channels,
            rows,
            columns,
            border,
        };
        self.frame += place.size();
        place
    }
}

/// What the nodes of a graph are, one after the other; `None` where it is no chain or has a node that is
/// not known here.
fn kinds(graph: &Graph, weights: &Weights) -> Option<Vec<Kind>> {
    let nodes = graph.nodes();
    if graph.output().0 + 1 != nodes.len() {
        return None;
    }
    let index = |at: usize, input: usize| match nodes[at].inputs.get(input)? {
        Input::Weight(name) => weights.tensors.iter().position(|(own, _)| own == name),
        Input::Node(_) => None,
    };
    let counts = |at: usize| -> Vec<usize> {
        let dims = nodes[at].shape.iter().filter(|it| !it.batched);
        dims.map(|it| it.count).collect()
    };
    let mut kinds: Vec<Kind> = Vec::new();
    for (at, node) in nodes.iter().enumerate().skip(1) {
        let first = node.inputs.first()?;
        if *first != Input::Node(crate::nets::graph::NodeId(at - 1)) {
            return None;
        }
        match &node.op {
            Op::Unary(Unary::Affine { scale, shift }) if kinds.is_empty() => {
                kinds.push(Kind::Scale(*scale as f32, *shift as f32));
            }
            Op::Unary(Unary::Relu) => match kinds.last_mut()? {
                Kind::Convolution { relu, .. } | Kind::Dense { relu, .. } if !*relu => *relu = true,
                _ => return None,
            },
            Op::MaxPool(window) => match kinds.last_mut()? {
                Kind::Convolution {
                    window: own @ None, ..
                } if *window == Window::tiles(window.kernel) => *own = Some(window.kernel),
                _ => return None,
            },
            Op::Conv(conv) => {
                let plain = Conv {
                    pads: conv.pads,
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
                if *conv != plain || high != wide || !fits {
                    return None;
                }
                // Images stand without a border.
                if kinds.is_empty() && pads != Pads::default() {
                    kinds.push(Kind::Scale(1.0, 0.0));
                }
                kinds.push(Kind::Convolution {
                    parameters,
                    taps: high,
                    pads,
                    inputs,
                    outputs,
                    window: None,
                    relu: false,
                });
            }
            Op::Reshape { .. } => {}
            Op::Dense => kinds.push(Kind::Dense {
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
