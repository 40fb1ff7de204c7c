//! Functions of every number, and numbers in another order.

use std::sync::Arc;

use super::draft::Draft;
use crate::nets::graph::op::{Binary, Cut, Padding, Pads, Unary};
use crate::nets::graph::{Input, NodeId, Op};
use crate::nets::plan::Unplanned;
use crate::nets::plan::each::{Each, Pair, Standard};
use crate::nets::plan::function::Function;
use crate::nets::plan::layout::Place;
use crate::nets::plan::steps::Step;
use crate::session::array::Array;

impl Draft<'_> {
    /// What is neither a layer nor a window.
    pub fn function(&mut self, id: NodeId) -> Result<(), Unplanned> {
        let op = &self.graph.node(id).op;
        match op {
            Op::Unary(unary) => match of_unary(*unary) {
                Some(function) => {
                    let from = self.place(self.source(id, 0)?);
                    let to = self.give(id)?;
                    self.step(Step::Each(Each::One(function, from, to)));
                    Ok(())
                }
                None => Err(self.unplanned(id, "this function is not planned")),
            },
            Op::Binary(binary) => self.binary(id, *binary),
            Op::BatchNorm { epsilon } => self.batch_norm(id, *epsilon),
            Op::Reshape { .. } => {
                let count = self.shape(id)?.iter().product();
                self.selected(id, (0..count).collect())
            }
            Op::Transpose { axes } => {
                let source = self.source(id, 0)?;
                let images = self.images(source);
                let shape = self.shape(source)?;
                // Without the axis of the images.
                let own = axes.iter().filter(|&&axis| axis != images);
                let order: Vec<usize> =
                    own.map(|&axis| axis - usize::from(axis > images)).collect();
                let strides = strides(&shape);
                let out: Vec<usize> = order.iter().map(|&axis| shape[axis]).collect();
                let table = table(&out, |at| {
                    let pairs = order.iter().zip(at);
                    pairs.map(|(&axis, at)| strides[axis] * at).sum()
                });
                self.selected(id, table)
            }
            Op::Slice(cuts) => {
                let (source, cuts) = (self.source(id, 0)?, cuts.clone());
                let images = self.images(source);
                if cuts.iter().any(|cut| cut.axis == images) {
                    return Err(self.unplanned(id, "it cuts the images"));
                }
                let strides = strides(&self.shape(source)?);
                let cut_of = |axis: usize| {
                    let own = |cut: &&Cut| cut.axis - usize::from(cut.axis > images) == axis;
                    cuts.iter().find(own)
                };
                let table = table(&self.shape(id)?, |at| {
                    let place = |(axis, &at): (usize, &usize)| match cut_of(axis) {
                        Some(cut) => (cut.start as isize + cut.step * at as isize) as usize,
                        None => at,
                    };
                    let places = at.iter().enumerate().map(place);
                    places.zip(&strides).map(|(at, stride)| at * stride).sum()
                });
                self.selected(id, table)
            }
            Op::Gather {
                axis,
                indices,
                shape,
            } => {
                let (source, axis, indices) = (self.source(id, 0)?, *axis, indices.clone());
                let (images, taken) = (self.images(source), shape.len());
                if axis == images || self.images(id) != images && taken != 1 {
                    return Err(self.unplanned(id, "it chooses among the images"));
                }
                let own = axis - usize::from(axis > images);
                let strides = strides(&self.shape(source)?);
                let lengths = shape.clone();
                let table = table(&self.shape(id)?, |at| {
                    let chosen = &at[own..own + taken];
                    let number = chosen
                        .iter()
                        .zip(&lengths)
                        .fold(0, |sum, (at, n)| sum * n + at);
                    let before = at[..own].iter().zip(&strides).map(|(at, s)| at * s);
                    let after = at[own + taken..].iter().zip(&strides[own + 1..]);
                    let after = after.map(|(at, s)| at * s);
                    before.sum::<usize>() + indices[number] * strides[own] + after.sum::<usize>()
                });
                self.selected(id, table)
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
                with,
            } => {
                let (before, after, with) = (before.clone(), after.clone(), *with);
                self.pad(id, &before, &after, with)
            }
            _ => Err(self.unplanned(id, "this operator is not planned")),
        }
    }

    /// A node that gives numbers of its input in another order, or some of them: for each, row-major, which
    /// one it is. Where the order is the same and no border is in the way, nothing is moved.
    fn selected(&mut self, id: NodeId, table: Vec<usize>) -> Result<(), Unplanned> {
        let from = self.place(self.source(id, 0)?);
        let same = table.len() == from.numbers() && table.iter().enumerate().all(|(a, &b)| a == b);
        if same && from.is_dense() && self.border(id) == Pads::default() {
            self.alias(id, from)?;
            return Ok(());
        }
        let to = self.give(id)?;
        let area = (from.rows * from.columns).max(1);
        let place = |number: usize| {
            let (channel, rest) = (number / area, number % area);
            from.offset(channel, rest / from.columns, rest % from.columns)
        };
        let table: Arc<[usize]> = table.into_iter().map(place).collect();
        self.step(Step::Each(Each::Select(table, from, to)));
        Ok(())
    }

    fn concat(&mut self, id: NodeId, axis: usize) -> Result<(), Unplanned> {
        let images = self.images(id);
        if axis == images || axis - usize::from(axis > images) != 0 {
            return Err(self.unplanned(id, "it joins other axes than channels"));
        }
        let to = self.give(id)?;
        let mut channel = 0;
        for input in 0..self.graph.node(id).inputs.len() {
            let from = self.place(self.source(id, input)?);
            // Vectors that were matrices have their numbers for channels.
            let channels = from.numbers() / (to.rows * to.columns).max(1);
            let from = Place {
                channels,
                rows: to.rows,
                columns: to.columns,
                ..from
            };
            let part = Place {
                skip: to.skip + channel * to.plane(),
                channels,
                ..to
            };
            self.step(Step::Each(Each::One(Function::Same, from, part)));
            channel += channels;
        }
        Ok(())
    }

    fn softmax(&mut self, id: NodeId, axis: usize, log: bool) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let images = self.images(source);
        let shape = self.shape(source)?;
        let first = axis != images && axis - usize::from(axis > images) == 0;
        if !(first && matches!(shape.len(), 1 | 3)) {
            return Err(self.unplanned(id, "it goes over other axes than channels"));
        }
        let from = self.place(source);
        let to = self.give(id)?;
        self.step(Step::Each(Each::Softmax(log, from, to)));
        Ok(())
    }

    /// Over groups of channels; `None`: every channel for itself.
    fn standardize(
        &mut self,
        id: NodeId,
        groups: Option<usize>,
        epsilon: f64,
    ) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        if self.images(source) != 0 || self.shape(source)?.len() != 3 {
            return Err(self.unplanned(id, "what it normalizes has no rows and columns"));
        }
        let from = self.place(source);
        let mut pairs = vec![(1.0, 0.0); from.channels];
        for (input, which) in [(1, 0), (2, 1)] {
            if self.graph.node(id).inputs.len() <= input {
                continue;
            }
            let Some(weight) = self.weight(id, input) else {
                return Err(self.unplanned(id, "its scale or bias is computed"));
            };
            for (pair, &value) in pairs.iter_mut().zip(weight.values()) {
                match which {
                    0 => pair.0 = value,
                    _ => pair.1 = value,
                }
            }
        }
        let own = Standard {
            groups: groups.unwrap_or(from.channels),
            epsilon: epsilon as f32,
            pairs: pairs.into(),
        };
        let to = self.give(id)?;
        self.step(Step::Each(Each::Standardize(own, from, to)));
        Ok(())
    }

    /// Over the axes from one on: of numbers that are side by side.
    fn layer_norm(&mut self, id: NodeId, axis: usize, epsilon: f64) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let (images, shape) = (self.images(source), self.shape(source)?);
        let from = self.place(source);
        if axis <= images || !from.is_dense() || self.border(id) != Pads::default() {
            return Err(self.unplanned(id, "its numbers are not side by side"));
        }
        let (numbers, many) = (from.numbers(), shape[axis - 1..].iter().product::<usize>());
        let mut own = vec![(1.0, 0.0); many];
        for input in 1..self.graph.node(id).inputs.len() {
            let weight = self.weight(id, input).map(Array::values);
            let Some(weight) = weight.filter(|it| it.len() == many) else {
                return Err(self.unplanned(id, "its scale or bias is computed"));
            };
            for (pair, &value) in own.iter_mut().zip(weight) {
                match input {
                    1 => pair.0 = value,
                    _ => pair.1 = value,
                }
            }
        }
        let own = Standard {
            groups: numbers / many.max(1),
            epsilon: epsilon as f32,
            pairs: (0..numbers).map(|number| own[number % many]).collect(),
        };
        let to = self.give(id)?;
        let [from, to] = [from.as_numbers(), to.as_numbers()];
        self.step(Step::Each(Each::Standardize(own, from, to)));
        Ok(())
    }

    /// A number around rows and columns.
    fn pad(
        &mut self,
        id: NodeId,
        before: &[isize],
        after: &[isize],
        with: Padding,
    ) -> Result<(), Unplanned> {
        let source = self.source(id, 0)?;
        let Padding::Constant(number) = with else {
            return Err(self.unplanned(id, "what it adds is no number"));
        };
        let plain = self.images(source) == 0
            && self.shape(source)?.len() == 3
            && [&before[..2], &after[..2]].concat() == [0; 4]
            && before.iter().chain(after).all(|&it| it >= 0);
        if !plain {
            return Err(self.unplanned(id, "it does more than add rows and columns"));
        }
        let from = self.place(source);
        let to = self.give(id)?;
        self.step(Step::Each(Each::Fill(number, to)));
        // What is inside, as a value with a wider border.
        let [top, left] = [before[2] as usize, before[3] as usize];
        let inside = Place {
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
        self.step(Step::Each(Each::One(Function::Same, from, inside)));
        Ok(())
    }

    fn batch_norm(&mut self, id: NodeId, epsilon: f64) -> Result<(), Unplanned> {
        let from = self.place(self.source(id, 0)?);
        let weights: Option<Vec<&[f32]>> = (1..5)
            .map(|input| Some(self.weight(id, input)?.values()))
            .collect();
        let Some([scale, bias, mean, variance]) = weights.as_deref() else {
            return Err(self.unplanned(id, "its statistics are computed"));
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

    fn binary(&mut self, id: NodeId, binary: Binary) -> Result<(), Unplanned> {
        let inputs = &self.graph.node(id).inputs;
        let pair = match binary {
            Binary::Add => Pair::Add,
            Binary::Sub => Pair::Sub,
            Binary::Mul => Pair::Mul,
            Binary::Div => Pair::Div,
            Binary::Max => Pair::Max,
            Binary::Min => Pair::Min,
            Binary::Pow => return Err(self.unplanned(id, "this function is not planned")),
        };
        match (&inputs[0], &inputs[1]) {
            (Input::Node(a), Input::Node(b)) => {
                let (a, b) = (*a, *b);
                if self.shape(a)? != self.shape(b)? {
                    return Err(self.unplanned(id, "its inputs have two shapes"));
                }
                let (last, function) = self.follow_relu(id);
                let places = [self.place(a), self.place(b)];
                let to = self.give(last)?;
                self.step(Step::Each(Each::Two(pair, function, places, to)));
                Ok(())
            }
            (Input::Node(node), Input::Weight(_)) => self.with_weight(id, *node, 1, pair),
            (Input::Weight(_), Input::Node(node)) => self.with_weight(id, *node, 0, pair),
            _ => Err(self.unplanned(id, "it computes on weights alone")),
        }
    }

    /// A number, or one a channel, and a value.
    fn with_weight(
        &mut self,
        id: NodeId,
        node: NodeId,
        which: usize,
        pair: Pair,
    ) -> Result<(), Unplanned> {
        let from = self.place(node);
        let Some(weight) = self.weight(id, which) else {
            return Err(self.unplanned(id, "its weight is not there"));
        };
        let values = weight.values();
        let Some(numbers) = self.spread(id, node, weight.shape())? else {
            return Err(self.unplanned(id, "its weight has more axes than what it meets"));
        };
        let of = |value: f32| match (pair, which) {
            (Pair::Add, _) => Some((1.0, value)),
            (Pair::Sub, 1) => Some((1.0, -value)),
            (Pair::Sub, _) => Some((-1.0, value)),
            (Pair::Mul, _) => Some((value, 0.0)),
            (Pair::Div, 1) => Some((1.0 / value, 0.0)),
            _ => None,
        };
        let pairs: Option<Vec<(f32, f32)>> =
            numbers.iter().map(|&number| of(values[number])).collect();
        match pairs {
            Some(pairs) => self.pairs(id, pairs, from),
            None => Err(self.unplanned(id, "this function of a weight is not planned")),
        }
    }

    /// For every number of what a node gives for an image, which number of a weight of this shape it meets;
    /// `None` where together they are of another shape than the node.
    fn spread(
        &self,
        id: NodeId,
        node: NodeId,
        weight: &[usize],
    ) -> Result<Option<Vec<usize>>, Unplanned> {
        let (images, shape) = (self.images(node), self.shape(node)?);
        let own = shape.len() + 1;
        if weight.len() > own || self.shape(id)? != shape || self.images(id) != images {
            return Ok(None);
        }
        let mut aligned = vec![1; own - weight.len()];
        aligned.extend(weight);
        if aligned.remove(images) != 1 {
            return Ok(None);
        }
        let strides = strides(&aligned);
        let place = |(at, (length, stride)): (&usize, (&usize, &usize))| match length {
            1 => 0,
            _ => at * stride,
        };
        Ok(Some(table(&shape, |at| {
            at.iter().zip(aligned.iter().zip(&strides)).map(place).sum()
        })))
    }

    /// scale·x + shift, a pair a number, and a rectifier that alone follows.
    fn pairs(&mut self, id: NodeId, pairs: Vec<(f32, f32)>, from: Place) -> Result<(), Unplanned> {
        let area = (from.rows * from.columns).max(1);
        let by_channel = pairs
            .chunks(area)
            .all(|own| own.iter().all(|it| *it == own[0]));
        let (last, function) = self.follow_relu(id);
        // Where they differ within a channel every number is taken for one.
        let side_by_side = from.is_dense() && self.border(last) == Pads::default();
        if !(by_channel || side_by_side) {
            return Err(self.unplanned(id, "its weight differs within a channel"));
        }
        let to = self.give(last)?;
        let [from, to] = [from, to].map(|place| match by_channel {
            true => place,
            false => place.as_numbers(),
        });
        let pairs = match by_channel {
            true => pairs.into_iter().step_by(area).collect(),
            false => pairs.into(),
        };
        self.step(Step::Each(Each::Channels(pairs, function, from, to)));
        Ok(())
    }
}

fn of_unary(unary: Unary) -> Option<Function> {
    Some(match unary {
        Unary::Relu => Function::Relu,
        Unary::LeakyRelu { slope } => Function::Leaky(slope as f32),
        Unary::Clip { min, max } => Function::Clip(min as f32, max as f32),
        Unary::Affine { scale, shift } => Function::Affine(scale as f32, shift as f32),
        Unary::Neg => Function::Affine(-1.0, 0.0),
        Unary::Sigmoid => Function::Sigmoid,
        Unary::Tanh => Function::Tanh,
        Unary::Silu => Function::Silu,
        Unary::HardSigmoid { alpha, beta } => Function::HardSigmoid(alpha as f32, beta as f32),
        Unary::HardSwish => Function::HardSwish(1.0 / 6.0, 0.5),
        Unary::Exp => Function::Exp,
        Unary::Abs => Function::Abs,
        Unary::Elu { alpha } => exponential(alpha, 1.0, 1.0),
        Unary::Selu { alpha, gamma } => exponential(alpha, 1.0, gamma),
        Unary::Celu { alpha } => exponential(alpha, alpha, 1.0),
        Unary::Gelu => Function::Gelu,
        Unary::GeluTanh => Function::GeluTanh,
        Unary::Mish => Function::Mish,
        Unary::Softplus => Function::Softplus,
        Unary::Softsign => Function::Softsign,
        Unary::Erf => Function::Erf,
        Unary::Sqrt => Function::Sqrt,
        Unary::Reciprocal => Function::Reciprocal,
        Unary::Log | Unary::Floor | Unary::Ceil | Unary::Round | Unary::Sign => return None,
    })
}

fn exponential(height: f64, width: f64, factor: f64) -> Function {
    Function::Exponential {
        height: height as f32,
        width: width as f32,
        factor: factor as f32,
    }
}

/// Numbers from one place along each axis to the next, row-major.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (0..shape.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1];
    }
    strides
}

/// A number for every place of a shape, row-major.
fn table(shape: &[usize], number: impl Fn(&[usize]) -> usize) -> Vec<usize> {
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
