//! Plans normalizations.

use super::draft::Draft;
use crate::nets::graph::NodeId;
use crate::nets::graph::op::Pads;
use crate::nets::plan::Unplanned;
use crate::nets::plan::each::{Each, Standard};
use crate::nets::plan::steps::Step;
use crate::session::array::Array;

impl Draft<'_> {
    /// Plans a normalization over groups of channels; with `None`, over each channel separately.
    pub(super) fn standardize(
        &mut self,
        id: NodeId,
        groups: Option<usize>,
        epsilon: f64,
    ) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        if self.images(source) != 0 || self.shape(source)?.len() != 3 {
            return Err(self.unplanned(id, "its input has no rows and columns"));
        }
        let from = self.place(source);
        let mut pairs = vec![(1.0, 0.0); from.channels];
        for input in [1, 2] {
            if self.graph.node(id).inputs.len() <= input {
                continue;
            }
            let Some(weight) = self.weight(id, input) else {
                return Err(self.unplanned(id, "its scale or bias is not constant"));
            };
            for (pair, &value) in pairs.iter_mut().zip(weight.values()) {
                match input {
                    1 => pair.0 = value,
                    _ => pair.1 = value,
                }
            }
        }
        let standard = Standard {
            groups: groups.unwrap_or(from.channels),
            epsilon: epsilon as f32,
            pairs: pairs.into(),
        };
        let to = self.give(id)?;
        self.step(Step::Each(Each::Standardize(standard, from, to)));
        Ok(())
    }

    /// Plans a layer normalization over all axes from `axis` on, whose elements must be contiguous.
    pub(super) fn layer_norm(
        &mut self,
        id: NodeId,
        axis: usize,
        epsilon: f64,
    ) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let (images, shape) = (self.images(source), self.shape(source)?);
        let from = self.place(source);
        if axis <= images || !from.is_dense() || self.border(id) != Pads::default() {
            return Err(self.unplanned(id, "its elements are not contiguous"));
        }
        let (numbers, length) = (from.numbers(), shape[axis - 1..].iter().product::<usize>());
        let mut pairs = vec![(1.0, 0.0); length];
        for input in 1..self.graph.node(id).inputs.len() {
            let weight = self.weight(id, input).map(Array::values);
            let Some(weight) = weight.filter(|weight| weight.len() == length) else {
                return Err(self.unplanned(id, "its scale or bias is not constant"));
            };
            for (pair, &value) in pairs.iter_mut().zip(weight) {
                match input {
                    1 => pair.0 = value,
                    _ => pair.1 = value,
                }
            }
        }
        let standard = Standard {
            groups: numbers / length.max(1),
            epsilon: epsilon as f32,
            pairs: (0..numbers).map(|number| pairs[number % length]).collect(),
        };
        let to = self.give(id)?;
        let [from, to] = [from.as_numbers(), to.as_numbers()];
        self.step(Step::Each(Each::Standardize(standard, from, to)));
        Ok(())
    }

    pub(super) fn batch_norm(&mut self, id: NodeId, epsilon: f64) -> Result<(), Unplanned> {
        let from = self.place(self.source(id, 0)?);
        let weights: Option<Vec<&[f32]>> = (1..5)
            .map(|input| Some(self.weight(id, input)?.values()))
            .collect();
        let Some([scale, bias, mean, variance]) = weights.as_deref() else {
            return Err(self.unplanned(id, "its statistics are not constant"));
        };
        let pair = |channel: usize| {
            let factor =
                f64::from(scale[channel]) / (f64::from(variance[channel]) + epsilon).sqrt();
            let shift = f64::from(bias[channel]) - f64::from(mean[channel]) * factor;
            (factor as f32, shift as f32)
        };
        let area = from.rows * from.columns;
        let pairs = (0..from.numbers()).map(|number| pair(number / area.max(1)));
        self.pairs(id, pairs.collect(), from)
    }
}
