//! Plans elementwise operators and operators that reorder elements.

use std::sync::Arc;

use super::arithmetic::unary_function;
use super::draft::Draft;
use crate::nets::graph::op::{PadFill, Pads, SliceAxis};
use crate::nets::graph::{NodeId, Op};
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::elementwise::Elementwise;
use crate::nets::plan::function::UnaryFunction;
use crate::nets::plan::layout::TensorSlot;
use crate::nets::plan::steps::PlanStep;

impl Draft<'_> {
    /// Plans an operator that is neither a layer nor a pooling.
    pub fn plan_function(&mut self, id: NodeId) -> Result<(), UnsupportedNode> {
        let op = &self.graph.node(id).op;
        match op {
            Op::Unary(unary) => match unary_function(*unary) {
                Some(function) => {
                    let from = self.output(self.source(id, 0)?);
                    let to = self.add_output(id)?;
                    self.add_step(PlanStep::Elementwise(Elementwise::Unary(
                        function, from, to,
                    )));
                    Ok(())
                }
                None => Err(self.unsupported(id, "this function is not supported")),
            },
            Op::Binary(binary) => self.binary(id, *binary),
            Op::BatchNorm { epsilon } => self.batch_norm(id, *epsilon),
            Op::Reshape { .. } => {
                let count = self.shape(id)?.iter().product();
                self.plan_reordering(id, (0..count).collect())
            }
            Op::Transpose { axes } => {
                let source = self.source(id, 0)?;
                let images = self.batch_axis(source);
                let shape = self.shape(source)?;
                // Without the batch axis.
                let order: Vec<usize> = axes
                    .iter()
                    .filter(|&&axis| axis != images)
                    .map(|&axis| axis - usize::from(axis > images))
                    .collect();
                let strides = strides(&shape);
                let out: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
                let table = map_indices(&out, |at| {
                    let pairs = order.iter().zip(at);
                    pairs.map(|(&axis, at)| strides[axis] * at).sum()
                });
                self.plan_reordering(id, table)
            }
            Op::Slice(cuts) => {
                let (source, cuts) = (self.source(id, 0)?, cuts.clone());
                let images = self.batch_axis(source);
                if cuts.iter().any(|cut| cut.axis == images) {
                    return Err(self.unsupported(id, "it slices the batch axis"));
                }
                let strides = strides(&self.shape(source)?);
                let cut_of = |axis: usize| {
                    let is_on_axis =
                        |cut: &&SliceAxis| cut.axis - usize::from(cut.axis > images) == axis;
                    cuts.iter().find(is_on_axis)
                };
                let table = map_indices(&self.shape(id)?, |at| {
                    let place = |(axis, &at): (usize, &usize)| match cut_of(axis) {
                        Some(cut) => (cut.start as isize + cut.step * at as isize) as usize,
                        None => at,
                    };
                    let places = at.iter().enumerate().map(place);
                    places.zip(&strides).map(|(at, stride)| at * stride).sum()
                });
                self.plan_reordering(id, table)
            }
            Op::Gather {
                axis,
                indices,
                shape,
            } => {
                let (source, axis, indices) = (self.source(id, 0)?, *axis, indices.clone());
                let (images, rank) = (self.batch_axis(source), shape.len());
                if axis == images || self.batch_axis(id) != images && rank != 1 {
                    return Err(self.unsupported(id, "it gathers along the batch axis"));
                }
                let axis = axis - usize::from(axis > images);
                let strides = strides(&self.shape(source)?);
                let lengths = shape.clone();
                let table = map_indices(&self.shape(id)?, |at| {
                    let chosen = &at[axis..axis + rank];
                    let number = chosen
                        .iter()
                        .zip(&lengths)
                        .fold(0, |sum, (at, n)| sum * n + at);
                    let before = at[..axis].iter().zip(&strides).map(|(at, s)| at * s);
                    let after = at[axis + rank..].iter().zip(&strides[axis + 1..]);
                    let after = after.map(|(at, s)| at * s);
                    before.sum::<usize>() + indices[number] * strides[axis] + after.sum::<usize>()
                });
                self.plan_reordering(id, table)
            }
            Op::Concat { axis } => self.concat(id, *axis),
            Op::Softmax { axis } => self.softmax(id, *axis, false),
            Op::LogSoftmax { axis } => self.softmax(id, *axis, true),
            Op::GroupNorm { groups, epsilon } => self.standardize(id, Some(*groups), *epsilon),
            Op::InstanceNorm { epsilon } => self.standardize(id, None, *epsilon),
            Op::LayerNorm { axis, epsilon } => self.layer_norm(id, *axis, *epsilon),
            Op::Pad {
                before,
                after,
                fill: with,
            } => {
                let (before, after, with) = (before.clone(), after.clone(), *with);
                self.pad(id, &before, &after, with)
            }
            _ => Err(self.unsupported(id, "this operator is not supported")),
        }
    }

    /// Plans a node whose output is a reordering or selection of its input. `table` has the row-major input index of
    /// each output element. If the order is unchanged and there is no border, nothing is copied.
    fn plan_reordering(&mut self, id: NodeId, table: Vec<usize>) -> Result<(), UnsupportedNode> {
        let from = self.output(self.source(id, 0)?);
        let same = table.len() == from.elements() && table.iter().enumerate().all(|(a, &b)| a == b);
        if same && from.has_no_border() && self.border(id) == Pads::default() {
            self.alias(id, from)?;
            return Ok(());
        }
        let to = self.add_output(id)?;
        let area = (from.rows * from.columns).max(1);
        let place = |number: usize| {
            let (channel, rest) = (number / area, number % area);
            from.offset(channel, rest / from.columns, rest % from.columns)
        };
        let table: Arc<[usize]> = table.into_iter().map(place).collect();
        self.add_step(PlanStep::Elementwise(Elementwise::Select(table, from, to)));
        Ok(())
    }

    fn concat(&mut self, id: NodeId, axis: usize) -> Result<(), UnsupportedNode> {
        let images = self.batch_axis(id);
        if axis == images || axis - usize::from(axis > images) != 0 {
            return Err(self.unsupported(id, "it concatenates along an axis other than channels"));
        }
        let to = self.add_output(id)?;
        let mut channel = 0;
        for input in 0..self.graph.node(id).inputs.len() {
            let from = self.output(self.source(id, input)?);
            // A flattened input has one channel per element.
            let channels = from.elements() / (to.rows * to.columns).max(1);
            let from = TensorSlot {
                channels,
                rows: to.rows,
                columns: to.columns,
                ..from
            };
            let part = TensorSlot {
                skip: to.skip + channel * to.padded_plane(),
                channels,
                ..to
            };
            self.add_step(PlanStep::Elementwise(Elementwise::Unary(
                UnaryFunction::Identity,
                from,
                part,
            )));
            channel += channels;
        }
        Ok(())
    }

    fn softmax(&mut self, id: NodeId, axis: usize, log: bool) -> Result<(), UnsupportedNode> {
        let source = self.source(id, 0)?;
        let images = self.batch_axis(source);
        let shape = self.shape(source)?;
        let first = axis != images && axis - usize::from(axis > images) == 0;
        if !(first && matches!(shape.len(), 1 | 3)) {
            return Err(self.unsupported(id, "its axis is not channels"));
        }
        let from = self.output(source);
        let to = self.add_output(id)?;
        self.add_step(PlanStep::Elementwise(Elementwise::Softmax(log, from, to)));
        Ok(())
    }

    /// Plans padding of rows and columns with a constant.
    fn pad(
        &mut self,
        id: NodeId,
        before: &[isize],
        after: &[isize],
        with: PadFill,
    ) -> Result<(), UnsupportedNode> {
        let source = self.source(id, 0)?;
        let PadFill::Constant(number) = with else {
            return Err(self.unsupported(id, "it does not pad with a constant"));
        };
        let plain = self.batch_axis(source) == 0
            && self.shape(source)?.len() == 3
            && [&before[..2], &after[..2]].concat() == [0; 4]
            && before.iter().chain(after).all(|&count| count >= 0);
        if !plain {
            return Err(self.unsupported(id, "it pads axes other than rows and columns, or crops"));
        }
        let from = self.output(source);
        let to = self.add_output(id)?;
        self.add_step(PlanStep::Elementwise(Elementwise::Fill(number, to)));
        // The interior, as a tensor with a wider border.
        let [top, left] = [before[2] as usize, before[3] as usize];
        let inside = TensorSlot {
            rows: from.rows,
            columns: from.columns,
            border: Pads {
                top: to.border.top + top,
                left: to.border.left + left,
                bottom: to.border.bottom + to.rows - top - from.rows,
                right: to.border.right + to.columns - left - from.columns,
            },
            ..to
        };
        self.add_step(PlanStep::Elementwise(Elementwise::Unary(
            UnaryFunction::Identity,
            from,
            inside,
        )));
        Ok(())
    }
}

/// Row-major strides of a shape.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (0..shape.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1];
    }
    strides
}

/// Calls `number` with every multi-index of a shape, in row-major order.
pub(super) fn map_indices(shape: &[usize], number: impl Fn(&[usize]) -> usize) -> Vec<usize> {
    let mut at = vec![0; shape.len()];
    let count: usize = shape.iter().product();
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(number(&at));
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    all
}
