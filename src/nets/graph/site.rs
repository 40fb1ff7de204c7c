//! Sites: the nodes of a graph whose activations can be observed or pushed.
//!
//! A site is the output of a layer, after the non-linearity that follows it if there is one. A
//! non-linearity after a join of several branches is also a site, and so are the logits.

mod layout;

use std::collections::HashSet;

use burn::tensor::Tensor;

use layout::{Layout, Split};

use super::field::{AxisField, Field, NodeField};
use super::op::RecurrentOutput;
use super::run::{LoadedGraph, PushError};
use super::{Graph, NodeId, NodeInput, Op};
use crate::session::form::Shape;

/// A node of a network whose activations can be observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The name of its layer in the file, for example `layer2.0.conv1`; for a join's non-linearity, that
    /// node's name.
    pub name: String,
    /// The node that is observed.
    pub node: NodeId,
    /// The node that offsets are added to, before the non-linearity, and the axis of its units; `None` if
    /// its units do not lie along one axis.
    pub push: Option<(NodeId, usize)>,
    /// Number of units: for a convolution, its channels.
    pub units: usize,
    /// Rows and columns of positions; (1,1) where there are none.
    pub positions: (usize, usize),
    /// The receptive fields of the positions.
    pub field: Field,
    /// Channels, rows and columns of the image.
    pub image: Shape,
    /// Whether activations may be negative.
    pub signed: bool,
    /// Whether these are the logits.
    pub is_logits: bool,
    layout: Layout,
}

/// One position and the top and left pixel of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SitePosition {
    /// Row among the positions.
    pub row: usize,
    /// Column among the positions.
    pub column: usize,
    /// First row of its field in the image.
    pub top: usize,
    /// First column of its field in the image.
    pub left: usize,
}

impl Site {
    /// Rows and columns of a field. Along an axis where no position has its field inside the image, this
    /// is the size of the image.
    pub fn field_size(&self) -> (usize, usize) {
        let (rows, columns) = self.inner_along();
        (rows.0, columns.0)
    }

    /// Channels, rows and columns of a field.
    pub fn field_shape(&self) -> Shape {
        let (rows, columns) = self.field_size();
        [self.image[0], rows, columns]
    }

    /// Number of values in a field: channels·rows·columns.
    pub fn field_pixels(&self) -> usize {
        self.field_shape().iter().product()
    }

    /// Whether a field is the whole image.
    pub fn sees_whole_image(&self) -> bool {
        self.field_shape() == self.image
    }

    /// The positions whose field lies inside the image. If there are none along an axis, the middle one
    /// is used: it sees most of the image.
    pub fn inner_positions(&self) -> Vec<SitePosition> {
        let (rows, columns) = self.inner_along();
        let row = |&(row, top): &(usize, usize)| {
            let columns = columns.1.iter();
            columns.map(move |&(column, left)| SitePosition {
                row,
                column,
                top,
                left,
            })
        };
        rows.1.iter().flat_map(row).collect()
    }

    /// The position in the middle of [`Self::inner_positions`].
    pub fn middle_position(&self) -> SitePosition {
        let (rows, columns) = self.inner_along();
        let (row, top) = rows.1[rows.1.len() / 2];
        let (column, left) = columns.1[columns.1.len() / 2];
        SitePosition {
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
}

/// Pixels of a field along one axis, and the chosen positions with the first pixel of their field.
type Inner = (usize, Vec<(usize, usize)>);

fn inner(along: &AxisField, positions: usize, pixels: usize) -> Inner {
    let inside = |position: usize| {
        let (start, end) = along.pixels_at(position);
        (start >= 0 && end <= pixels as i64).then_some((position, start as usize))
    };
    let found: Vec<(usize, usize)> = (0..positions).filter_map(inside).collect();
    match found.is_empty() {
        true => (pixels, vec![(positions / 2, 0)]),
        false => (along.size as usize, found),
    }
}

impl Graph {
    /// The sites in order from the image; the logits come last.
    pub fn sites(&self) -> Vec<Site> {
        let users = self.users();
        let fields = self.fields();
        let mut sites = Vec::new();
        let mut observed = HashSet::new();
        for id in self.ids() {
            let (layer, node) = match () {
                () if self.node(id).op.is_layer() => match users[id.0].as_slice() {
                    [next] if self.is_non_linear(*next, id) && id != self.output => (id, *next),
                    _ => (id, id),
                },
                () => match self.joined_before(id) {
                    Some(join) if !observed.contains(&id) => (join, id),
                    _ => continue,
                },
            };
            let Some(field) = fields[node.0] else {
                continue;
            };
            if let Some(site) = self.site(layer, node, field) {
                observed.insert(node);
                sites.push(site);
            }
        }
        sites.sort_by_key(|site| (site.node == self.output, site.node));
        if sites.last().is_none_or(|site| site.node != self.output)
            && let Some(field) = fields[self.output.0]
            && let Some(site) = self.site(self.output, self.output, field)
        {
            sites.push(Site {
                name: "logits".into(),
                ..site
            });
        }
        make_names_unique(&mut sites);
        sites
    }

    /// Whether a node is a non-linearity applied to `source`.
    fn is_non_linear(&self, id: NodeId, source: NodeId) -> bool {
        let node = self.node(id);
        node.op.is_non_linearity() && node.inputs[0] == NodeInput::Node(source)
    }

    /// The join of several branches to which a node applies a non-linearity.
    fn joined_before(&self, id: NodeId) -> Option<NodeId> {
        let node = self.node(id);
        let NodeInput::Node(join) = node.inputs.first()? else {
            return None;
        };
        let joins = matches!(self.node(*join).op, Op::Binary(_) | Op::Concat { .. });
        (joins && node.op.is_non_linearity()).then_some(*join)
    }

    /// The site that observes node `id` for the layer or join `layer`; `None` if its activations do not
    /// belong to individual images.
    fn site(&self, layer: NodeId, id: NodeId, node_field: NodeField) -> Option<Site> {
        let node = self.node(id);
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
                let split = Split::of(&self.node(layer).op, shape, node_field.spatial_axes)?;
                let units = split.units.iter().map(|&axis| shape[axis].count).product();
                let axis = match split.units[..] {
                    [axis] => Some(axis),
                    _ => None,
                };
                let positions = split.positions(shape);
                (Layout::Axes(split.order()), units, positions, axis)
            }
        };
        // A push before the non-linearity needs the same shape there.
        let same_shape = self.node(layer).shape == node.shape;
        Some(Site {
            name: self.layer_name(layer, id),
            node: id,
            push: axis.filter(|_| same_shape).map(|axis| (layer, axis)),
            units,
            positions,
            field: node_field.field,
            image: self.image,
            signed: !node.op.is_never_negative(),
            is_logits: id == self.output,
            layout,
        })
    }

    /// The layer's name in the file, taken from its weight, else from the node.
    fn layer_name(&self, layer: NodeId, id: NodeId) -> String {
        let node = self.node(layer);
        if !node.op.is_layer() {
            return self.node(id).name.clone();
        }
        let weight = match node.inputs.get(1) {
            Some(NodeInput::Weight(name)) => name.strip_suffix(".weight"),
            _ => None,
        };
        weight.unwrap_or(&node.name).to_owned()
    }
}

/// Makes names unique by appending numbers.
fn make_names_unique(sites: &mut [Site]) {
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

impl LoadedGraph {
    /// Activations \[N,units,rows,columns\] at sites, on images \[N,C,H,W\].
    pub fn activations(&self, images: Tensor<4>, sites: &[Site]) -> Vec<Tensor<4>> {
        let nodes: Vec<NodeId> = sites.iter().map(|site| site.node).collect();
        let values = self.values(images, &nodes);
        let pairs = sites.iter().zip(values);
        pairs.map(|(site, value)| site.activations(value)).collect()
    }

    /// The same graph with `delta`, one number per unit, added at a site, before its non-linearity.
    ///
    /// # Errors
    /// If `delta` does not have one number per unit, or the site cannot be pushed.
    pub fn pushed_at(&self, site: &Site, delta: &[f32]) -> Result<Self, PushError> {
        match site.push {
            Some((node, axis)) => self.pushed(node, axis, delta),
            None => Err(PushError::Site {
                site: site.name.clone(),
            }),
        }
    }
}
