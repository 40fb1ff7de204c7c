//! Receptive fields: the part of the image that each position of a node depends on.
//!
//! A field lies on a pixel grid that extends beyond the border of the image, where padding supplies
//! zeros or mirrored pixels. A position whose field lies inside the image depends on nothing outside
//! the field. Fields are bounding rectangles; dilated windows leave holes in them.

mod along;

pub use along::AxisField;

use super::op::{Op, ReducedAxes, Resize, ResizeCoordinates};
use super::{Dim, Graph, Node, NodeId, NodeInput};
use crate::session::form::Shape;

/// The receptive fields of a node's positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Along the rows of the image.
    pub rows: AxisField,
    /// Along its columns.
    pub columns: AxisField,
}

/// A node's receptive fields, and its spatial axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeField {
    /// The fields of its positions.
    pub field: Field,
    /// The axes of its output that are rows and columns of the image; `None` if it has no spatial
    /// positions.
    pub spatial_axes: Option<[usize; 2]>,
}

impl Field {
    /// The whole image.
    pub fn whole([_, height, width]: Shape) -> Self {
        Self {
            rows: AxisField::whole(height),
            columns: AxisField::whole(width),
        }
    }

    fn along(&mut self, direction: usize) -> &mut AxisField {
        match direction {
            0 => &mut self.rows,
            _ => &mut self.columns,
        }
    }

    fn covering(self, other: Self, [_, height, width]: Shape) -> Self {
        Self {
            rows: self.rows.covering(other.rows, height),
            columns: self.columns.covering(other.columns, width),
        }
    }
}

impl NodeField {
    /// The whole image, without spatial axes.
    fn everything(image: Shape) -> Self {
        Self {
            field: Field::whole(image),
            spatial_axes: None,
        }
    }

    /// Applies `change` to the fields along one axis of the value, if that is a spatial axis.
    fn change(&mut self, axis: usize, change: impl Fn(AxisField) -> AxisField) {
        let Some(places) = self.spatial_axes else {
            return;
        };
        for (direction, place) in places.into_iter().enumerate() {
            if place == axis {
                let along = self.field.along(direction);
                *along = change(*along);
            }
        }
    }

    /// Position p along an axis now samples the input within `reach` of slope·p + shift.
    fn sampled(&mut self, axis: usize, (slope, shift): (f64, f64), reach: f64, image: Shape) {
        let Some(places) = self.spatial_axes else {
            return;
        };
        for (direction, place) in places.into_iter().enumerate() {
            if place == axis {
                let along = self.field.along(direction);
                let whole = AxisField::whole(image[direction + 1]);
                *along = along.sampled(slope, shift, reach).unwrap_or(whole);
            }
        }
    }

    /// The values along an axis have been combined.
    fn mixed(&mut self, axis: usize, image: Shape) {
        let Some(places) = self.spatial_axes else {
            return;
        };
        for (direction, place) in places.into_iter().enumerate() {
            if place == axis {
                *self.field.along(direction) = AxisField::whole(image[direction + 1]);
            }
        }
    }

    /// Whether rows or columns lie along the axis of channels, as after a transpose.
    fn lies_along_channels(&self) -> bool {
        self.spatial_axes.is_some_and(|places| places.contains(&1))
    }

    /// Axes have moved to where `to` maps them; without one of its spatial axes the value has none.
    fn moved(self, image: Shape, to: impl Fn(usize) -> Option<usize>) -> Self {
        let places = self
            .spatial_axes
            .and_then(|[rows, columns]| Some([to(rows)?, to(columns)?]));
        match places {
            Some(_) => Self {
                spatial_axes: places,
                ..self
            },
            None => Self::everything(image),
        }
    }
}

impl Graph {
    /// The receptive fields of every node; `None` for nodes that compute on weights alone.
    pub fn fields(&self) -> Vec<Option<NodeField>> {
        let mut all: Vec<Option<NodeField>> = Vec::with_capacity(self.nodes.len());
        for node in self.nodes() {
            let inputs = node.inputs.iter().filter_map(|input| match input {
                NodeInput::Node(id) => Some(all[id.0].map(|found| (*id, found))),
                NodeInput::Weight(_) => None,
            });
            let inputs: Vec<(NodeId, NodeField)> = inputs.flatten().collect();
            let found = match node.op {
                Op::Input => Some(NodeField {
                    field: Field {
                        rows: PIXEL,
                        columns: PIXEL,
                    },
                    spatial_axes: Some([2, 3]),
                }),
                _ if inputs.is_empty() => None,
                _ => Some(self.node_field(node, &inputs)),
            };
            all.push(found);
        }
        all
    }

    /// A node's fields, from those of its inputs that depend on the image.
    fn node_field(&self, node: &Node, inputs: &[(NodeId, NodeField)]) -> NodeField {
        let image = self.image;
        let (id, mut found) = inputs[0];
        let x = self.node(id).shape.as_slice();
        match &node.op {
            Op::Conv(_) | Op::DepthToSpace { .. } if found.lies_along_channels() => {
                NodeField::everything(image)
            }
            Op::Conv(conv) => {
                let kernel = match &node.inputs[1] {
                    NodeInput::Weight(name) => {
                        let shape = self.weights[name].shape();
                        [shape[2], shape[3]]
                    }
                    // The kernel itself depends on the image.
                    NodeInput::Node(_) => return NodeField::everything(image),
                };
                for (side, taps) in kernel.into_iter().enumerate() {
                    let before = conv.pads.along(side).0;
                    let (dilation, stride) = (conv.dilation[side], conv.stride[side]);
                    found.change(side + 2, |along| {
                        along.windows(taps, dilation, stride, before)
                    });
                }
                found
            }
            Op::MaxPool(window) | Op::AvgPool { window, .. } => {
                for side in 0..2 {
                    let before = window.pads.along(side).0;
                    let (dilation, stride) = (window.dilation[side], window.stride[side]);
                    let taps = window.kernel[side];
                    found.change(side + 2, |along| {
                        along.windows(taps, dilation, stride, before)
                    });
                }
                found
            }
            Op::Input | Op::Unary(_) | Op::BatchNorm { .. } => found,
            Op::Lrn { .. } => {
                found.mixed(1, image);
                found
            }
            Op::GroupNorm { .. } => {
                (1..x.len()).for_each(|axis| found.mixed(axis, image));
                found
            }
            Op::InstanceNorm { .. } => {
                (2..x.len()).for_each(|axis| found.mixed(axis, image));
                found
            }
            Op::LayerNorm { axis, .. } => {
                (*axis..x.len()).for_each(|axis| found.mixed(axis, image));
                found
            }
            Op::Softmax { axis } | Op::LogSoftmax { axis } => {
                found.mixed(*axis, image);
                found
            }
            Op::Dense => found.moved(image, |axis| (axis + 1 < x.len()).then_some(axis)),
            Op::MatMul => match &node.inputs[1] {
                NodeInput::Weight(name) if self.weights[name].shape().len() == 2 => {
                    found.moved(image, |axis| (axis + 1 < x.len()).then_some(axis))
                }
                _ => NodeField::everything(image),
            },
            Op::Binary(_) | Op::PRelu => self.joined(node, inputs),
            Op::Concat { axis } => {
                let mut found = self.joined(node, inputs);
                found.mixed(*axis, image);
                found
            }
            Op::Expand { .. } => self.joined(node, inputs),
            Op::Reduce {
                axes, axes_after, ..
            } => {
                axes.iter().for_each(|&axis| found.mixed(axis, image));
                match axes_after {
                    ReducedAxes::Kept => found,
                    ReducedAxes::Dropped => found.moved(image, |axis| {
                        let before = axes.iter().filter(|&&gone| gone < axis).count();
                        (!axes.contains(&axis)).then(|| axis - before)
                    }),
                }
            }
            Op::Slice(cuts) => {
                for cut in cuts {
                    match cut.step > 0 {
                        true => found.change(cut.axis, |along| {
                            along.cut(cut.start as i64, cut.step as i64)
                        }),
                        false => found.mixed(cut.axis, image),
                    }
                }
                found
            }
            Op::Pad { before, .. } => {
                for (axis, &before) in before.iter().enumerate() {
                    found.change(axis, |along| along.cut(-before as i64, 1));
                }
                found
            }
            Op::Reshape { shape } => match kept_places(x, shape, found.spatial_axes) {
                Some(places) => NodeField {
                    spatial_axes: Some(places),
                    ..found
                },
                None => NodeField::everything(image),
            },
            Op::Transpose { axes } => {
                found.moved(image, |axis| axes.iter().position(|&from| from == axis))
            }
            Op::Gather {
                axis,
                indices,
                shape,
            } => {
                match evenly_spaced(indices) {
                    Some((start, step)) => found.change(*axis, |along| along.cut(start, step)),
                    None => found.mixed(*axis, image),
                }
                let chosen = shape.len();
                found.moved(image, |place| match place.cmp(axis) {
                    std::cmp::Ordering::Less => Some(place),
                    std::cmp::Ordering::Equal => (chosen == 1).then_some(place),
                    std::cmp::Ordering::Greater => Some(place + chosen - 1),
                })
            }
            Op::Resize(resize) => {
                for side in 0..2 {
                    let line = sampling(resize, side, x[side + 2].count);
                    found.sampled(side + 2, line, resize.sampling.reach(), image);
                }
                found
            }
            Op::DepthToSpace { block, .. } => {
                for axis in 2..4 {
                    found.sampled(axis, (1.0 / *block as f64, 0.0), 1.0, image);
                }
                found
            }
            Op::Lstm { .. } | Op::Gru { .. } => NodeField::everything(image),
        }
    }

    /// The fields that cover those of all inputs of a join.
    fn joined(&self, node: &Node, inputs: &[(NodeId, NodeField)]) -> NodeField {
        let axes = node.shape.len();
        let aligned = |&(id, found): &(NodeId, NodeField)| {
            let shape = &self.node(id).shape;
            let shift = axes - shape.len();
            let mut found = found.moved(self.image, |axis| Some(axis + shift));
            for (axis, dim) in shape.iter().enumerate() {
                if dim.count == 1 && node.shape[axis + shift].count != 1 {
                    found.change(axis + shift, AxisField::repeated);
                }
            }
            found
        };
        let found: Vec<NodeField> = inputs.iter().map(aligned).collect();
        let Some(places) = found.iter().find_map(|found| found.spatial_axes) else {
            return NodeField::everything(self.image);
        };
        let whole = Field::whole(self.image);
        let fields = found
            .iter()
            .map(|found| match found.spatial_axes == Some(places) {
                true => found.field,
                false => whole,
            });
        let field = fields
            .reduce(|a, b| a.covering(b, self.image))
            .unwrap_or(whole);
        NodeField {
            field,
            spatial_axes: Some(places),
        }
    }
}

/// A single pixel of the image.
const PIXEL: AxisField = AxisField {
    start: 0,
    stride: 1,
    size: 1,
};

/// The axes of rows and columns after a reshape that keeps them adjacent and unchanged.
fn kept_places(x: &[Dim], shape: &[Dim], places: Option<[usize; 2]>) -> Option<[usize; 2]> {
    let [rows, columns] = places?;
    let (from, to) = (rows.min(columns), rows.max(columns) + 1);
    let block = &x[from..to];
    let numbers = |dims: &[Dim]| -> (usize, usize) {
        let batched = dims.iter().filter(|dim| dim.batched).count();
        (dims.iter().map(|dim| dim.count).product(), batched)
    };
    let starts = 0..=shape.len().checked_sub(block.len())?;
    let fits = |&start: &usize| {
        shape[start..start + block.len()] == *block
            && numbers(&shape[..start]) == numbers(&x[..from])
    };
    let start = starts.into_iter().find(fits)?;
    Some([rows + start - from, columns + start - from])
}

/// First index and step of ascending, evenly spaced indices.
fn evenly_spaced(indices: &[usize]) -> Option<(i64, i64)> {
    let first = *indices.first()? as i64;
    let step = indices.get(1).map_or(1, |&second| second as i64 - first);
    let even = indices
        .windows(2)
        .all(|pair| pair[1] as i64 - pair[0] as i64 == step);
    (even && step > 0).then_some((first, step))
}

/// Slope and shift of the input coordinate that an output coordinate samples.
fn sampling(resize: &Resize, side: usize, length: usize) -> (f64, f64) {
    let (size, scale) = (resize.size[side], resize.scale[side]);
    match resize.coordinates {
        ResizeCoordinates::HalfPixel => (1.0 / scale, 0.5 / scale - 0.5),
        ResizeCoordinates::PytorchHalfPixel if size == 1 => (1.0, 0.0),
        ResizeCoordinates::PytorchHalfPixel => (1.0 / scale, 0.5 / scale - 0.5),
        ResizeCoordinates::Asymmetric => (1.0 / scale, 0.0),
        ResizeCoordinates::AlignCorners if size == 1 => (1.0, 0.0),
        ResizeCoordinates::AlignCorners => ((length - 1) as f64 / (size - 1) as f64, 0.0),
    }
}
