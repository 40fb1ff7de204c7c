//! Receptive fields: which part of the image a position of a node looks at.
//!
//! A field is where a position looks on a grid that goes on beyond the border of the image. What
//! stands there is what paddings put there: zeros, or mirrored pixels. A position whose field lies
//! inside the image sees nothing but the field. Fields are rectangles that cover all that is seen;
//! dilated windows leave holes in them.

mod along;

pub use along::Along;

use super::op::{Coordinates, Op, Reduced, Resize};
use super::{Dim, Graph, Input, Node, NodeId};
use crate::session::form::Shape;

/// Where the positions of a node look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Along the rows of the image.
    pub rows: Along,
    /// Along its columns.
    pub columns: Along,
}

/// What a node sees of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Where its positions look.
    pub field: Field,
    /// The axes of what it gives along which its rows and columns lie; `None` where it has no
    /// places.
    pub places: Option<[usize; 2]>,
}

impl Field {
    /// The whole image.
    pub fn whole([_, height, width]: Shape) -> Self {
        Self {
            rows: Along::whole(height),
            columns: Along::whole(width),
        }
    }

    fn along(&mut self, direction: usize) -> &mut Along {
        match direction {
            0 => &mut self.rows,
            _ => &mut self.columns,
        }
    }

    fn with(self, other: Self, [_, height, width]: Shape) -> Self {
        Self {
            rows: self.rows.with(other.rows, height),
            columns: self.columns.with(other.columns, width),
        }
    }
}

impl Seen {
    /// The whole image, without places.
    fn everything(image: Shape) -> Self {
        Self {
            field: Field::whole(image),
            places: None,
        }
    }

    /// Changes the fields along one axis of the value, where its rows or columns lie along that.
    fn change(&mut self, axis: usize, change: impl Fn(Along) -> Along) {
        let Some(places) = self.places else { return };
        for (direction, place) in places.into_iter().enumerate() {
            if place == axis {
                let along = self.field.along(direction);
                *along = change(*along);
            }
        }
    }

    /// Places along an axis are taken near slope·p + shift.
    fn sampled(&mut self, axis: usize, slope: f64, shift: f64, image: Shape) {
        let Some(places) = self.places else { return };
        for (direction, place) in places.into_iter().enumerate() {
            if place == axis {
                let along = self.field.along(direction);
                let whole = Along::whole(image[direction + 1]);
                *along = along.sampled(slope, shift).unwrap_or(whole);
            }
        }
    }

    /// The numbers along an axis have met.
    fn mixed(&mut self, axis: usize, image: Shape) {
        let Some(places) = self.places else { return };
        for (direction, place) in places.into_iter().enumerate() {
            if place == axis {
                *self.field.along(direction) = Along::whole(image[direction + 1]);
            }
        }
    }

    /// Axes have moved to where `to` says; the value has no places where one of theirs is gone.
    fn moved(self, image: Shape, to: impl Fn(usize) -> Option<usize>) -> Self {
        let places = self
            .places
            .and_then(|[rows, columns]| Some([to(rows)?, to(columns)?]));
        match places {
            Some(_) => Self { places, ..self },
            None => Self::everything(image),
        }
    }
}

impl Graph {
    /// What every node sees of the image; `None` where it computes on weights alone.
    pub fn fields(&self) -> Vec<Option<Seen>> {
        let mut all: Vec<Option<Seen>> = Vec::with_capacity(self.nodes.len());
        for node in self.nodes() {
            let inputs = node.inputs.iter().filter_map(|input| match input {
                Input::Node(id) => Some(all[id.0].map(|seen| (*id, seen))),
                Input::Weight(_) => None,
            });
            let inputs: Vec<(NodeId, Seen)> = inputs.flatten().collect();
            let seen = match node.op {
                Op::Input => Some(Seen {
                    field: Field {
                        rows: PIXEL,
                        columns: PIXEL,
                    },
                    places: Some([2, 3]),
                }),
                _ if inputs.is_empty() => None,
                _ => Some(self.seen(node, &inputs)),
            };
            all.push(seen);
        }
        all
    }

    /// What a node sees, by its inputs that see the image.
    fn seen(&self, node: &Node, inputs: &[(NodeId, Seen)]) -> Seen {
        let image = self.image;
        let (id, mut seen) = inputs[0];
        let x = self.node(id).shape.as_slice();
        match &node.op {
            Op::Conv(conv) => {
                let kernel = match &node.inputs[1] {
                    Input::Weight(name) => {
                        let shape = self.weights[name].shape();
                        [shape[2], shape[3]]
                    }
                    // A kernel that itself depends on the image.
                    Input::Node(_) => return Seen::everything(image),
                };
                for (side, taps) in kernel.into_iter().enumerate() {
                    let before = conv.pads.along(side).0;
                    let (dilation, stride) = (conv.dilation[side], conv.stride[side]);
                    seen.change(side + 2, |it| it.windows(taps, dilation, stride, before));
                }
                seen
            }
            Op::MaxPool(window) | Op::AvgPool { window, .. } => {
                for side in 0..2 {
                    let before = window.pads.along(side).0;
                    let (dilation, stride) = (window.dilation[side], window.stride[side]);
                    let taps = window.kernel[side];
                    seen.change(side + 2, |it| it.windows(taps, dilation, stride, before));
                }
                seen
            }
            Op::Input | Op::Unary(_) | Op::BatchNorm { .. } | Op::Lrn { .. } => seen,
            Op::GroupNorm { .. } | Op::InstanceNorm { .. } => {
                (2..x.len()).for_each(|axis| seen.mixed(axis, image));
                seen
            }
            Op::LayerNorm { axis, .. } => {
                (*axis..x.len()).for_each(|axis| seen.mixed(axis, image));
                seen
            }
            Op::Softmax { axis } | Op::LogSoftmax { axis } => {
                seen.mixed(*axis, image);
                seen
            }
            Op::Dense => seen.moved(image, |axis| (axis + 1 < x.len()).then_some(axis)),
            Op::MatMul => match &node.inputs[1] {
                Input::Weight(name) if self.weights[name].shape().len() == 2 => {
                    seen.moved(image, |axis| (axis + 1 < x.len()).then_some(axis))
                }
                _ => Seen::everything(image),
            },
            Op::Binary(_) | Op::PRelu => self.joined(node, inputs),
            Op::Concat { axis } => {
                let mut seen = self.joined(node, inputs);
                seen.mixed(*axis, image);
                seen
            }
            Op::Expand { .. } => self.joined(node, inputs),
            Op::Reduce {
                axes, axes_after, ..
            } => {
                axes.iter().for_each(|&axis| seen.mixed(axis, image));
                match axes_after {
                    Reduced::Kept => seen,
                    Reduced::Dropped => seen.moved(image, |axis| {
                        let before = axes.iter().filter(|&&gone| gone < axis).count();
                        (!axes.contains(&axis)).then(|| axis - before)
                    }),
                }
            }
            Op::Slice(cuts) => {
                for cut in cuts {
                    match cut.step > 0 {
                        true => {
                            seen.change(cut.axis, |it| it.cut(cut.start as i64, cut.step as i64))
                        }
                        false => seen.mixed(cut.axis, image),
                    }
                }
                seen
            }
            Op::Pad { before, .. } => {
                for (axis, &before) in before.iter().enumerate() {
                    seen.change(axis, |it| it.cut(-before as i64, 1));
                }
                seen
            }
            Op::Reshape { shape } => match kept_places(x, shape, seen.places) {
                Some(places) => Seen {
                    places: Some(places),
                    ..seen
                },
                None => Seen::everything(image),
            },
            Op::Transpose { axes } => {
                seen.moved(image, |axis| axes.iter().position(|&from| from == axis))
            }
            Op::Gather {
                axis,
                indices,
                shape,
            } => {
                match evenly_spaced(indices) {
                    Some((start, step)) => seen.change(*axis, |it| it.cut(start, step)),
                    None => seen.mixed(*axis, image),
                }
                let chosen = shape.len();
                seen.moved(image, |place| match place.cmp(axis) {
                    std::cmp::Ordering::Less => Some(place),
                    std::cmp::Ordering::Equal => (chosen == 1).then_some(place),
                    std::cmp::Ordering::Greater => Some(place + chosen - 1),
                })
            }
            Op::Resize(resize) => {
                for side in 0..2 {
                    let (slope, shift) = sampling(resize, side, x[side + 2].count);
                    seen.sampled(side + 2, slope, shift, image);
                }
                seen
            }
            Op::DepthToSpace { block, .. } => {
                for axis in 2..4 {
                    seen.sampled(axis, 1.0 / *block as f64, 0.0, image);
                }
                seen
            }
            Op::Lstm { .. } | Op::Gru { .. } => Seen::everything(image),
        }
    }

    /// What covers all that the inputs of a join see.
    fn joined(&self, node: &Node, inputs: &[(NodeId, Seen)]) -> Seen {
        let axes = node.shape.len();
        let aligned = |&(id, seen): &(NodeId, Seen)| {
            let shape = &self.node(id).shape;
            let shift = axes - shape.len();
            let mut seen = seen.moved(self.image, |axis| Some(axis + shift));
            for (axis, dim) in shape.iter().enumerate() {
                if dim.count == 1 && node.shape[axis + shift].count != 1 {
                    seen.change(axis + shift, Along::repeated);
                }
            }
            seen
        };
        let seen: Vec<Seen> = inputs.iter().map(aligned).collect();
        let Some(places) = seen.iter().find_map(|seen| seen.places) else {
            return Seen::everything(self.image);
        };
        let whole = Field::whole(self.image);
        let fields = seen.iter().map(|seen| match seen.places == Some(places) {
            true => seen.field,
            false => whole,
        });
        let field = fields.reduce(|a, b| a.with(b, self.image)).unwrap_or(whole);
        Seen {
            field,
            places: Some(places),
        }
    }
}

/// A pixel of the image itself.
const PIXEL: Along = Along {
    start: 0,
    stride: 1,
    size: 1,
};

/// Where rows and columns lie after a reshape that leaves them next to each other as they are.
fn kept_places(x: &[Dim], shape: &[Dim], places: Option<[usize; 2]>) -> Option<[usize; 2]> {
    let [rows, columns] = places?;
    let (from, to) = (rows.min(columns), rows.max(columns) + 1);
    let block = &x[from..to];
    let numbers = |dims: &[Dim]| -> (usize, usize) {
        let batched = dims.iter().filter(|dim| dim.batched).count();
        (dims.iter().map(|dim| dim.count).product(), batched)
    };
    let starts = 0..=shape.len().checked_sub(block.len())?;
    let fits = |&at: &usize| {
        shape[at..at + block.len()] == *block && numbers(&shape[..at]) == numbers(&x[..from])
    };
    let at = starts.into_iter().find(fits)?;
    Some([rows + at - from, columns + at - from])
}

/// The first of indices that are equally far apart, in ascending order, and how far.
fn evenly_spaced(indices: &[usize]) -> Option<(i64, i64)> {
    let first = *indices.first()? as i64;
    let step = indices.get(1).map_or(1, |&second| second as i64 - first);
    let even = indices
        .windows(2)
        .all(|pair| pair[1] as i64 - pair[0] as i64 == step);
    (even && step > 0).then_some((first, step))
}

/// Slope and shift of the place in the input that a place of the result looks at.
fn sampling(resize: &Resize, side: usize, length: usize) -> (f64, f64) {
    let (size, scale) = (resize.size[side], resize.scale[side]);
    match resize.coordinates {
        Coordinates::HalfPixel => (1.0 / scale, 0.5 / scale - 0.5),
        Coordinates::PytorchHalfPixel if size == 1 => (1.0, 0.0),
        Coordinates::PytorchHalfPixel => (1.0 / scale, 0.5 / scale - 0.5),
        Coordinates::Asymmetric => (1.0 / scale, 0.0),
        Coordinates::AlignCorners if size == 1 => (1.0, 0.0),
        Coordinates::AlignCorners => ((length - 1) as f64 / (size - 1) as f64, 0.0),
    }
}
