//! The layout of activations: how \[N,units,rows,columns\] is taken from a node's value.

use burn::tensor::Tensor;

use super::Site;
use crate::nets::graph::op::{Op, RecurrentSpec};
use crate::nets::graph::run::DynTensor;
use crate::nets::graph::{Dim, Graph};

/// How activations \[N,units,rows,columns\] are taken from the node's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// The axes in this order, then joined.
    Axes(Vec<usize>),
    /// The state after the last step read of \[L,directions,N,units\].
    LastState(RecurrentSpec),
}

impl Site {
    /// Activations \[N,units,rows,columns\] from the node's value.
    pub fn activations(&self, value: DynTensor) -> Tensor<4> {
        let (rows, columns) = self.positions;
        match &self.layout {
            Layout::Axes(order) => {
                let value = value.permuted(order);
                let n = value.dims()[0];
                value
                    .reshaped(&[n, self.units, rows, columns])
                    .into_tensor()
            }
            Layout::LastState(recurrent) => {
                let all: Tensor<4> = value.into_tensor();
                let [steps, _, n, units] = all.dims();
                let last = |(direction, step): (usize, usize)| {
                    let state = all.clone().narrow(0, step, 1).narrow(1, direction, 1);
                    state.reshape([n, units])
                };
                let ends = recurrent.direction.ends(steps).into_iter().enumerate();
                let states: Vec<Tensor<2>> = ends.map(last).collect();
                Tensor::cat(states, 1).reshape([n, self.units, 1, 1])
            }
        }
    }
}

impl Graph {
    /// The locations of a site's activations in its node's value for one image: an offset for every unit and
    /// one for every position, which add up to the row-major index of the unit at the position.
    pub fn activation_offsets(&self, site: &Site) -> (Vec<usize>, Vec<usize>) {
        let shape = &self.node(site.node).shape;
        let length = |axis: usize| match shape[axis].batched {
            true => 1,
            false => shape[axis].count,
        };
        let stride = |axis: usize| (axis + 1..shape.len()).map(length).product::<usize>();
        match &site.layout {
            Layout::Axes(order) => {
                // After the batch come the axes of the units, then those of the positions.
                let (mut units, mut positions) = (vec![0], vec![0]);
                for &axis in &order[1..] {
                    let offsets = match units.len() < site.units {
                        true => &mut units,
                        false => &mut positions,
                    };
                    let along_axis = |start: &usize| {
                        let start = *start;
                        (0..length(axis)).map(move |index| start + index * stride(axis))
                    };
                    *offsets = offsets.iter().flat_map(along_axis).collect();
                }
                (units, positions)
            }
            Layout::LastState(recurrent) => {
                let ends = recurrent.direction.ends(length(0));
                let first = |(direction, step): (usize, usize)| {
                    let state = step * stride(0) + direction * stride(1);
                    (0..recurrent.units).map(move |unit| state + unit)
                };
                let units = ends.into_iter().enumerate().flat_map(first);
                (units.collect(), vec![0])
            }
        }
    }
}

/// The axes of a value by their role.
pub(super) struct Split {
    batch: usize,
    pub(super) units: Vec<usize>,
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl Split {
    /// The axes of a layer's value; `None` if its units cannot be told from the batch.
    pub(super) fn of(layer: &Op, shape: &[Dim], places: Option<[usize; 2]>) -> Option<Self> {
        let batch = shape.iter().position(|&dim| dim == Dim::batch(1))?;
        let others = |taken: &[usize]| -> Vec<usize> {
            let free = |axis: &usize| *axis != batch && !taken.contains(axis);
            (0..shape.len()).filter(free).collect()
        };
        if let Some([rows, columns]) = places {
            return Some(Self {
                batch,
                units: others(&[rows, columns]),
                rows: vec![rows],
                columns: vec![columns],
            });
        }
        let last = shape.len() - 1;
        let units = match layer {
            Op::Conv(_) | Op::BatchNorm { .. } | Op::GroupNorm { .. } => 1,
            Op::InstanceNorm { .. } => 1,
            _ if shape.len() == 4 && batch == 0 && !matches!(layer, Op::Dense) => 1,
            _ => last,
        };
        if units == batch || units > last {
            return None;
        }
        let rest = others(&[units]);
        let (rows, columns) = rest.split_at(rest.len().min(1));
        Some(Self {
            batch,
            units: vec![units],
            rows: rows.to_vec(),
            columns: columns.to_vec(),
        })
    }

    /// The axes in the order of activations: batch, units, rows, columns.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut order = vec![self.batch];
        order.extend(&self.units);
        order.extend(&self.rows);
        order.extend(&self.columns);
        order
    }

    /// Rows and columns of positions.
    pub(super) fn positions(&self, shape: &[Dim]) -> (usize, usize) {
        let all = |axes: &[usize]| axes.iter().map(|&axis| shape[axis].count).product();
        (all(&self.rows), all(&self.columns))
    }
}
