//! The convolutions that training computes forward and, turned around, backward.

use std::cell::RefCell;
use std::sync::Arc;

use super::super::Lanes;
use super::super::layout::{self, Place};
use super::super::product::{
    Activation, Multiply, POSITIONS, Part, Positions, Product, packed, tiles,
};
use super::super::winograd::{self, OUTPUTS, Transform, Winograd};
use super::Frames;
use crate::nets::graph::NodeId;
use crate::nets::graph::op::Pads;

/// Numbers of k that are summed over all tiles before the next.
const BLOCK: usize = 256;

/// A square kernel and the zeros around what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub taps: usize,
    pub pads: Pads,
    /// Whether every channel is convolved for itself.
    pub apart: bool,
    /// Whether minimal filtering is not wanted.
    pub direct: bool,
}

impl Geometry {
    /// The border that inputs \[C,H,W\] need for outputs \[C,H,W\].
    pub fn border_of(self, inputs: [usize; 3], outputs: [usize; 3]) -> Pads {
        let Pads {
            top,
            left,
            bottom,
            right,
        } = self.pads;
        if self.transform(inputs[0], outputs).is_none() {
            return self.pads;
        }
        // Tiles of outputs may reach past the last one.
        let beyond = |before: usize, input: usize, output: usize| {
            (output.next_multiple_of(OUTPUTS) + self.taps - 1).saturating_sub(before + input)
        };
        Pads {
            top,
            left,
            bottom: bottom.max(beyond(top, inputs[1], outputs[1])),
            right: right.max(beyond(left, inputs[2], outputs[2])),
        }
    }

    /// The transforms of minimal filtering from so many channels to outputs \[C,H,W\], where it is worth it.
    pub fn transform(
        self,
        inputs: usize,
        [outputs, rows, columns]: [usize; 3],
    ) -> Option<Transform> {
        match self.apart || self.direct {
            true => None,
            false => Transform::worth(self.taps, inputs, outputs, [rows, columns]),
        }
    }

    /// The convolution that takes gradients by the outputs to those by the inputs.
    pub fn back(self) -> Self {
        let other = |pad: usize| self.taps - 1 - pad;
        Self {
            pads: Pads {
                top: other(self.pads.top),
                left: other(self.pads.left),
                bottom: other(self.pads.bottom),
                right: other(self.pads.right),
            },
            ..self
        }
    }
}

/// A convolution without strides, of all channels together or of each apart, by whichever kernel is faster.
#[derive(Debug)]
pub enum Kernel {
    Direct(Box<Product>),
    Winograd(Box<Winograd>),
}

impl Kernel {
    /// In these places.
    pub fn new(geometry: Geometry, from: Place, to: Place, lanes: usize) -> Self {
        let (inputs, outputs) = (from.channels, to.channels);
        let base = |row: usize, column: usize| {
            let row = row + from.border.top - geometry.pads.top;
            let column = column + from.border.left - geometry.pads.left;
            (row * from.width() + column) * lanes
        };
        // Channels of a part, which read as many: all of them, or one.
        let (many, inputs_of, outputs_of) = match geometry.apart {
            true => (outputs, 1, 1),
            false => (1, inputs, outputs),
        };
        let tiles = tiles(outputs_of);
        let shape = [outputs, to.rows, to.columns];
        if let Some(transform) = geometry.transform(inputs, shape) {
            let rows = (0..to.rows).step_by(OUTPUTS);
            let all: Vec<(usize, usize, usize)> = rows
                .flat_map(|row| {
                    let columns = (0..to.columns).step_by(OUTPUTS);
                    columns.map(move |column| (base(row, column), row, column))
                })
                .collect();
            let quads = all.chunks(POSITIONS);
            let places = quads.map(|quad| std::array::from_fn(|i| quad[i.min(quad.len() - 1)]));
            return Self::Winograd(Box::new(Winograd {
                node: NodeId(0),
                from,
                to,
                transform,
                tiles: tiles.into(),
                weights: Arc::new([]),
                bias: Arc::new([]),
                places: places.collect(),
                size: (to.rows, to.columns),
                pooled: false,
                activation: Activation::None,
            }));
        }
        let taps = geometry.taps;
        let area = taps * taps;
        let tap = |at: usize| {
            let (channel, row, column) = (at / area, at % area / taps, at % taps);
            (channel * from.plane() + row * from.width() + column) * lanes
        };
        let all: Vec<(usize, usize)> = (0..to.rows)
            .flat_map(|row| (0..to.columns).map(move |column| (row, column)))
            .collect();
        let quads = all.chunks(POSITIONS).map(|quad| {
            let at = |i: usize| quad[i.min(quad.len() - 1)];
            let bases = std::array::from_fn(|i| base(at(i).0, at(i).1));
            let places = std::array::from_fn(|i| to.offset(0, at(i).0, at(i).1) * lanes);
            (bases, places)
        });
        let step = (BLOCK / area).max(1);
        Self::Direct(Box::new(Product {
            node: NodeId(0),
            from,
            to,
            parts: (0..many)
                .map(|part| Part {
                    first: part * outputs_of,
                    shift: part * inputs_of * from.plane() * lanes,
                    weights: part * outputs_of * inputs_of * area,
                })
                .collect(),
            tiles,
            weights: Arc::new([]),
            bias: Arc::new([]),
            offsets: (0..inputs_of * area).map(tap).collect(),
            blocks: (0..inputs_of)
                .step_by(step)
                .map(|first| first * area..(first + step).min(inputs_of) * area)
                .collect(),
            positions: Positions::Each(quads.collect()),
            activation: Activation::None,
        }))
    }

    /// Takes weights: the kernel of an output and an input channel, row-major.
    pub fn take(&mut self, kernels: &[f32], bias: Vec<f32>, lanes: Lanes) {
        match self {
            Self::Direct(own) => {
                let k = own.offsets.len();
                let parts = own.parts.len();
                let of_part = own.to.channels / parts;
                let weight = |part: usize, channel: usize, at: usize| {
                    kernels[(part * of_part + channel) * k + at]
                };
                own.weights = packed(parts, &own.tiles, &own.blocks, weight).into();
                own.bias = bias.into();
            }
            Self::Winograd(own) => {
                let inputs = own.from.channels;
                let count = own.transform.packed(inputs, own.to.channels);
                if own.weights.len() != count {
                    own.weights = vec![0.0; count].into();
                }
                // Nobody else has them, so that they are there.
                if let Some(weights) = Arc::get_mut(&mut own.weights) {
                    let transform = own.transform;
                    transform.pack(kernels, inputs, &own.tiles, lanes, weights);
                }
                own.bias = bias.into();
            }
        }
    }

    /// Convolves a group.
    pub fn run(&self, frames: &Frames, group: usize, lanes: Lanes) {
        let room = match self {
            Self::Direct(own) => own.sums(lanes.count()),
            Self::Winograd(own) => own.room(lanes.count()),
        };
        let memory = frames.pointer.0;
        let layout = layout::Frames {
            local: 0,
            frame: frames.frame,
        };
        with_room(room, |room| match self {
            Self::Direct(product) => lanes.arch().dispatch(Multiply {
                product,
                frames: layout,
                group,
                memory,
                sums: room,
            }),
            Self::Winograd(winograd) => lanes.arch().dispatch(winograd::OnGroup {
                winograd,
                frames: layout,
                group,
                memory,
                room,
            }),
        });
    }
}

thread_local! {
    static ROOM: RefCell<Vec<[f32; 16]>> = const { RefCell::new(Vec::new()) };
}

/// Room for so many floats, which this thread keeps.
fn with_room(floats: usize, run: impl FnOnce(*mut f32)) {
    ROOM.with_borrow_mut(|room| {
        // One line more, so that vectors can begin where they should.
        room.resize(room.len().max(floats.div_ceil(16) + 1), [0.0; 16]);
        let start = room.as_mut_ptr().cast::<f32>();
        run(start.wrapping_add(start.align_offset(64)));
    });
}
