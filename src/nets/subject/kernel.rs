//! The weights of a layer that reads the image directly, as maps over its receptive field.

use super::Subject;
use crate::ids::SiteId;
use crate::nets::graph::op::{Binary, Op, Unary};
use crate::nets::graph::{NodeId, NodeInput};

impl Subject {
    /// The weights of a site that reads the image directly, as maps over its receptive field, row-major
    /// \[units,C,h,w\], per unit change of a pixel; `None` for all other sites.
    pub fn kernel(&self, site: SiteId) -> Option<Vec<f32>> {
        let site = &self.sites[site];
        let layer = self.graph.node(site.push?.0);
        let Some(NodeInput::Weight(weight)) = layer.inputs.get(1) else {
            return None;
        };
        let weight = self.graph.weights().get(weight)?;
        let NodeInput::Node(before) = layer.inputs[0] else {
            return None;
        };
        let sources = self.channels_of(before)?;
        let shape = site.field_shape();
        let [channels, height, width] = shape;
        let area = height * width;
        // The index in the kernel of a number of the weight, and its scale.
        let target = |pixel: usize| {
            let (channel, scale) = sources[pixel / area];
            (channel * area + pixel % area, scale)
        };
        let values = weight.values();
        let pixels = channels * area;
        let mut kernel = vec![0.0; site.units * pixels];
        let (unit_stride, pixel_stride) = match &layer.op {
            Op::Conv(conv) if conv.groups == 1 && conv.dilation == [1, 1] => {
                let whole = weight.shape() == [site.units, channels, height, width];
                whole.then_some((pixels, 1))?
            }
            Op::Dense if weight.shape() == [pixels, site.units] => (1, site.units),
            _ => return None,
        };
        for (unit, kernel) in kernel.chunks_exact_mut(pixels).enumerate() {
            for pixel in 0..pixels {
                let (to, scale) = target(pixel);
                kernel[to] = values[unit * unit_stride + pixel * pixel_stride] * scale;
            }
        }
        Some(kernel)
    }

    /// For every channel of a node's output, the image channel that it comes from and its slope with
    /// respect to that; `None` if the node does more to the image than scale it, flatten it and
    /// reorder its channels.
    fn channels_of(&self, node: NodeId) -> Option<Vec<(usize, f32)>> {
        let channels = self.graph.image()[0];
        let node = self.graph.node(node);
        if node.op == Op::Input {
            return Some((0..channels).map(|channel| (channel, 1.0)).collect());
        }
        let Some(NodeInput::Node(before)) = node.inputs.first() else {
            return None;
        };
        let mut sources = self.channels_of(*before)?;
        match (&node.op, node.inputs.get(1)) {
            (Op::Unary(Unary::Affine { scale, .. }), _) => {
                sources
                    .iter_mut()
                    .for_each(|(_, slope)| *slope *= *scale as f32);
            }
            (Op::Reshape { .. }, _)
            | (Op::Binary(Binary::Add | Binary::Sub), Some(NodeInput::Weight(_))) => {}
            (
                Op::Gather {
                    axis: 1, indices, ..
                },
                _,
            ) if indices.len() == channels => {
                sources = indices.iter().map(|&channel| sources[channel]).collect();
            }
            (Op::Binary(operation @ (Binary::Mul | Binary::Div)), Some(NodeInput::Weight(by))) => {
                let by = self.graph.weights().get(by)?.values();
                if by.len() != 1 && by.len() != channels {
                    return None;
                }
                for (channel, (_, slope)) in sources.iter_mut().enumerate() {
                    let by = by[channel % by.len()];
                    *slope = match operation {
                        Binary::Mul => *slope * by,
                        _ => *slope / by,
                    };
                }
            }
            _ => return None,
        }
        Some(sources)
    }
}
