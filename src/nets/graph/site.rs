//! Sites: the nodes of a graph worth looking at or pushing.
//!
//! A site is what a layer gives after the non-linearity that follows it, or without one what it
//! gives itself. A non-linearity after a join of several branches is a site of its own, and so are
//! the logits.

use std::collections::HashSet;

use burn::tensor::Tensor;

use super::field::{Along, Field, Seen};
use super::op::{Recurrent, RecurrentOutput};
use super::run::{Loaded, PushError, Value};
use super::{Dim, Graph, Input, NodeId, Op};
use crate::session::form::Shape;

/// A place in a network that can be looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The name of its layer in the file, for example `layer2.0.conv1`; of a join's non-linearity,
    /// its own.
    pub name: String,
    /// The node that is looked at.
    pub node: NodeId,
    /// The node that offsets are added to, before the non-linearity, and the axis of its units;
    /// `None` where its units do not lie along one axis.
    pub push: Option<(NodeId, usize)>,
    /// Units: channels of a convolution.
    pub units: usize,
    /// Rows and columns of positions; (1,1) where there are none.
    pub positions: (usize, usize),
    /// Where the positions look.
    pub field: Field,
    /// Channels, rows and columns of the image.
    pub image: Shape,
    /// Activations may be negative.
    pub signed: bool,
    /// These are the logits.
    pub is_logits: bool,
    layout: Layout,
}

/// How activations \[N,units,rows,columns\] are had from what the node gives.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Layout {
    /// The axes in this order, then joined.
    Axes(Vec<usize>),
    /// The state after the last step read of \[L,directions,N,units\].
    LastState(Recurrent),
}

/// One position and the top and left pixel of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Row among the positions.
    pub row: usize,
    /// Column among the positions.
    pub column: usize,
    /// First row of the image that it looks at.
    pub top: usize,
    /// First column of the image that it looks at.
    pub left: usize,
}

impl Site {
    /// Rows and columns of a field. Along an axis where no position has its field inside the image,
    /// the field is all of the image.
    pub fn field_size(&self) -> (usize, usize) {
        let (rows, columns) = self.inner_along();
        (rows.0, columns.0)
    }

    /// Channels, rows and columns of a field.
    pub fn field_shape(&self) -> Shape {
        let (rows, columns) = self.field_size();
        [self.image[0], rows, columns]
    }

    /// Numbers of a field.
    pub fn field_pixels(&self) -> usize {
        self.field_shape().iter().product()
    }

    /// Whether a field is the whole image.
    pub fn is_whole(&self) -> bool {
        self.field_shape() == self.image
    }

    /// The positions whose field lies inside the image. Where there are none along an axis, the
    /// middle one stands for all: it sees most of the image.
    pub fn inner(&self) -> Vec<Place> {
        let (rows, columns) = self.inner_along();
        let row = |&(row, top): &(usize, usize)| {
            let columns = columns.1.iter();
            columns.map(move |&(column, left)| Place {
                row,
                column,
                top,
                left,
            })
        };
        rows.1.iter().flat_map(row).collect()
    }

    /// The position in the middle of [`Self::inner`].
    pub fn middle(&self) -> Place {
        let (rows, columns) = self.inner_along();
        let (row, top) = rows.1[rows.1.len() / 2];
        let (column, left) = columns.1[columns.1.len() / 2];
        Place {
            row,
            column,
            top,
            left,
        }
    }

    fn inner_along(&self) -> (Inner, Inner) {
        let [_, height, width] = self.image;
        (
            inner(&self.field.rows, self.positions.0, height),
            inner(&self.field.columns, self.positions.1, width),
        )
    }

    /// Activations \[N,units,rows,columns\] of what the node gives.
    pub fn activations(&self, value: Value) -> Tensor<4> {
        let (rows, columns) = self.positions;
        match &self.layout {
            Layout::Axes(order) => {
                let value = value.permuted(order);
                let n = value.dims()[0];
                value.reshaped(&[n, self.units, rows, columns]).raised()
            }
            Layout::LastState(recurrent) => {
                let all: Tensor<4> = value.raised();
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
    /// Where the activations of a site stand in what its node gives for one image: a number for every unit
    /// and one for every position, whose sum is the row-major place of the unit at the position.
    pub fn standing(&self, site: &Site) -> (Vec<usize>, Vec<usize>) {
        let shape = &self.node(site.node).shape;
        let length = |axis: usize| match shape[axis].batched {
            true => 1,
            false => shape[axis].count,
        };
        let stride = |axis: usize| (axis + 1..shape.len()).map(length).product::<usize>();
        match &site.layout {
            Layout::Axes(order) => {
                // After the images come the axes of the units, and then those of the positions.
                let (mut units, mut positions) = (vec![0], vec![0]);
                for &axis in &order[1..] {
                    let own = match units.len() < site.units {
                        true => &mut units,
                        false => &mut positions,
                    };
                    let many = |number: &usize| {
                        let number = *number;
                        (0..length(axis)).map(move |at| number + at * stride(axis))
                    };
                    *own = own.iter().flat_map(many).collect();
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

/// Pixels of a field along one axis, and the positions to look at with their first pixel.
type Inner = (usize, Vec<(usize, usize)>);

fn inner(along: &Along, positions: usize, pixels: usize) -> Inner {
    let inside = |position: usize| {
        let (start, end) = along.at(position);
        (start >= 0 && end <= pixels as i64).then_some((position, start as usize))
    };
    let found: Vec<(usize, usize)> = (0..positions).filter_map(inside).collect();
    match found.is_empty() {
        true => (pixels, vec![(positions / 2, 0)]),
        false => (along.size as usize, found),
    }
}

impl Graph {
    /// The sites from the image on; the logits come last.
    pub fn sites(&self) -> Vec<Site> {
        let users = self.users();
        let fields = self.fields();
        let mut sites = Vec::new();
        let mut looked_at = HashSet::new();
        for id in self.ids() {
            let (layer, looked) = match () {
                () if self.node(id).op.is_layer() => match users[id.0].as_slice() {
                    [next] if self.is_non_linear(*next, id) && id != self.output => (id, *next),
                    _ => (id, id),
                },
                () => match self.joined_before(id) {
                    Some(join) if !looked_at.contains(&id) => (join, id),
                    _ => continue,
                },
            };
            let Some(seen) = fields[looked.0] else {
                continue;
            };
            if let Some(site) = self.site(layer, looked, seen) {
                looked_at.insert(looked);
                sites.push(site);
            }
        }
        sites.sort_by_key(|site| (site.node == self.output, site.node));
        if sites.last().is_none_or(|site| site.node != self.output)
            && let Some(seen) = fields[self.output.0]
            && let Some(site) = self.site(self.output, self.output, seen)
        {
            sites.push(Site {
                name: "logits".into(),
                ..site
            });
        }
        named_apart(&mut sites);
        sites
    }

    /// Whether a node is a non-linearity of what another gives.
    fn is_non_linear(&self, id: NodeId, of: NodeId) -> bool {
        let node = self.node(id);
        node.op.is_non_linearity() && node.inputs[0] == Input::Node(of)
    }

    /// The join of several branches that a node is the non-linearity of.
    fn joined_before(&self, id: NodeId) -> Option<NodeId> {
        let node = self.node(id);
        let Input::Node(join) = node.inputs.first()? else {
            return None;
        };
        let joins = matches!(self.node(*join).op, Op::Binary(_) | Op::Concat { .. });
        (joins && node.op.is_non_linearity()).then_some(*join)
    }

    /// The site where `looked` is what is looked at of the layer or join `layer`; `None` where its
    /// activations are not those of single images.
    fn site(&self, layer: NodeId, looked: NodeId, seen: Seen) -> Option<Site> {
        let node = self.node(looked);
        let shape = node.shape.as_slice();
        let recurrent = match node.op {
            Op::Lstm { recurrent } | Op::Gru { recurrent, .. } => Some(recurrent),
            _ => None,
        };
        let (layout, units, positions, axis) = match recurrent {
            Some(recurrent) if recurrent.output == RecurrentOutput::All => {
                let directions = recurrent.direction.count();
                let units = directions * recurrent.units;
                let axis = (directions == 1).then_some(3);
                (Layout::LastState(recurrent), units, (1, 1), axis)
            }
            _ => {
                let split = Split::of(&self.node(layer).op, shape, seen.places)?;
                let units = split.units.iter().map(|&axis| shape[axis].count).product();
                let axis = match split.units[..] {
                    [axis] => Some(axis),
                    _ => None,
                };
                let positions = split.positions(shape);
                (Layout::Axes(split.order()), units, positions, axis)
            }
        };
        // What stands before a non-linearity has the same shape.
        let same_shape = self.node(layer).shape == node.shape;
        Some(Site {
            name: self.layer_name(layer, looked),
            node: looked,
            push: axis.filter(|_| same_shape).map(|axis| (layer, axis)),
            units,
            positions,
            field: seen.field,
            image: self.image,
            signed: !node.op.is_never_negative(),
            is_logits: looked == self.output,
            layout,
        })
    }

    /// The layer's name in the file: what its weight is called there, or the node.
    fn layer_name(&self, layer: NodeId, looked: NodeId) -> String {
        let node = self.node(layer);
        if !node.op.is_layer() {
            return self.node(looked).name.clone();
        }
        let weight = match node.inputs.get(1) {
            Some(Input::Weight(name)) => name.strip_suffix(".weight"),
            _ => None,
        };
        weight.unwrap_or(&node.name).to_owned()
    }
}

/// The axes of a value by what lies along them.
struct Split {
    batch: usize,
    units: Vec<usize>,
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl Split {
    fn of(layer: &Op, shape: &[Dim], places: Option<[usize; 2]>) -> Option<Self> {
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

    fn order(&self) -> Vec<usize> {
        let mut order = vec![self.batch];
        order.extend(&self.units);
        order.extend(&self.rows);
        order.extend(&self.columns);
        order
    }

    fn positions(&self, shape: &[Dim]) -> (usize, usize) {
        let all = |axes: &[usize]| axes.iter().map(|&axis| shape[axis].count).product();
        (all(&self.rows), all(&self.columns))
    }
}

/// Layers of one name are told apart by a number.
fn named_apart(sites: &mut [Site]) {
    let mut taken: HashSet<String> = HashSet::new();
    for site in sites {
        let name = site.name.clone();
        let mut number = 2;
        while !taken.insert(site.name.clone()) {
            site.name = format!("{name}#{number}");
            number += 1;
        }
    }
}

impl Loaded {
    /// Activations \[N,units,rows,columns\] at sites, on images \[N,C,H,W\].
    pub fn activations(&self, images: Tensor<4>, sites: &[Site]) -> Vec<Tensor<4>> {
        let nodes: Vec<NodeId> = sites.iter().map(|site| site.node).collect();
        let values = self.values(images, &nodes);
        let pairs = sites.iter().zip(values);
        pairs.map(|(site, value)| site.activations(value)).collect()
    }

    /// The same graph with `delta`, one number a unit, added at a site, before its non-linearity.
    ///
    /// # Errors
    /// Where `delta` has another length than the site has units, or the site cannot be pushed.
    pub fn pushed_at(&self, site: &Site, delta: &[f32]) -> Result<Self, PushError> {
        match site.push {
            Some((node, axis)) => self.pushed(node, axis, delta),
            None => Err(PushError::Site {
                site: site.name.clone(),
            }),
        }
    }
}
