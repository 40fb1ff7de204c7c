//! Plans normalizations.

use super::draft::Draft;
use crate::nets::graph::NodeId;
use crate::nets::graph::op::Pads;
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::elementwise::{Elementwise, Standardization};
use crate::nets::plan::steps::PlanStep;
use crate::session::array::Array;

impl Draft<'_> {
    /// Plans a normalization over groups of channels; with `None`, over each channel separately.
    pub(super) fn standardize(
        &mut self,
        id: NodeId,
        groups: Option<usize>,
        epsilon: f64,
    ) -> Result<(), UnsupportedNode> {
        let source = self.source(id, 0)?;
        if self.batch_axis(source) != 0 || self.shape(source)?.len() != 3 {
            return Err(self.unsupported(id, "its input has no rows and columns"));
        }
        let from = self.output(source);
        let mut pairs = vec![(1.0, 0.0); from.channels];
        for input in [1, 2] {
            if self.graph.node(id).inputs.len() <= input {
                continue;
            }
            let Some(weight) = self.weight(id, input) else {
                return Err(self.unsupported(id, "its scale or bias is not constant"));
            };
            for (pair, &value) in pairs.iter_mut().zip(weight.values()) {
                match input {
                    1 => pair.0 = value,
                    _ => pair.1 = value,
                }
            }
        }
        let standard = Standardization {
            groups: groups.unwrap_or(from.channels),
            epsilon: epsilon as f32,
            scale_shift: pairs.into(),
        };
        let to = self.add_output(id)?;
        self.add_step(PlanStep::Elementwise(Elementwise::Standardize(
            standard, from, to,
        )));
        Ok(())
    }

    /// Plans a layer normalization over all axes from `axis` on, whose elements must be contiguous.
    pub(super) fn layer_norm(
        &mut self,
        id: NodeId,
        axis: usize,
        epsilon: f64,
    ) -> Result<(), UnsupportedNode> {
        let source = self.source(id, 0)?;
        let (images, shape) = (self.batch_axis(source), self.shape(source)?);
        let from = self.output(source);
        if axis <= images || !from.has_no_border() || self.border(id) != Pads::default() {
            return Err(self.unsupported(id, "its elements are not contiguous"));
        }
        let (numbers, length) = (from.elements(), shape[axis - 1..].iter().product::<usize>());
        let mut pairs = vec![(1.0, 0.0); length];
        for input in 1..self.graph.node(id).inputs.len() {
            let weight = self.weight(id, input).map(Array::values);
            let Some(weight) = weight.filter(|weight| weight.len() == length) else {
                return Err(self.unsupported(id, "its scale or bias is not constant"));
            };
            for (pair, &value) in pairs.iter_mut().zip(weight) {
                match input {
                    1 => pair.0 = value,
                    _ => pair.1 = value,
                }
            }
        }
        let standard = Standardization {
            groups: numbers / length.max(1),
            epsilon: epsilon as f32,
            scale_shift: (0..numbers).map(|number| pairs[number % length]).collect(),
        };
        let to = self.add_output(id)?;
        let [from, to] = [from.flattened(), to.flattened()];
        self.add_step(PlanStep::Elementwise(Elementwise::Standardize(
            standard, from, to,
        )));
        Ok(())
    }

    pub(super) fn batch_norm(&mut self, id: NodeId, epsilon: f64) -> Result<(), UnsupportedNode> {
        let from = self.output(self.source(id, 0)?);
        let weights: Option<Vec<&[f32]>> = (1..5)
            .map(|input| Some(self.weight(id, input)?.values()))
            .collect();
        let Some([scale, bias, mean, variance]) = weights.as_deref() else {
            return Err(self.unsupported(id, "its statistics are not constant"));
        };
        let pair = |channel: usize| {
            let factor =
                f64::from(scale[channel]) / (f64::from(variance[channel]) + epsilon).sqrt();
            let shift = f64::from(bias[channel]) - f64::from(mean[channel]) * factor;
            (factor as f32, shift as f32)
        };
        // Without rows and columns, one channel is laid out per element.
        let positions = (from.elements() / scale.len().max(1)).max(1);
        let pairs = (0..from.elements()).map(|number| pair(number / positions));
        self.plan_affine(id, pairs.collect(), from)
    }
}
