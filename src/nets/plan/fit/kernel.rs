//! The convolution kernels of training, for the forward pass and for the backward pass to the input.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::super::Lanes;
use super::super::layout::{self, TensorSlot};
use super::super::product::{
    Activation, ChannelGroup, Multiply, POSITIONS, Positions, Product, channel_tiles, pack_weights,
};
use super::super::windows::{SIDE, SumGradients};
use super::super::winograd::{self, TILE_OUTPUTS, Transform, Winograd};
use super::BatchMemory;
use super::scattered::{self, Scattered};
use super::winograd_backward::{self, WinogradBackward};
use crate::nets::graph::NodeId;
use crate::nets::graph::op::Pads;

/// Length of a range of k that is summed over all tiles before the next.
const BLOCK: usize = 256;

/// The size of a square kernel, its padding, and how it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub taps: usize,
    pub pads: Pads,
    /// Whether every channel is convolved separately (depthwise).
    pub depthwise: bool,
    /// Whether Winograd is disabled.
    pub direct: bool,
}

impl Geometry {
    /// Offset of the first input of an output, in elements from the start of the tensor.
    fn base(self, from: &TensorSlot, row: usize, column: usize) -> usize {
        let row = row + from.border.top - self.pads.top;
        let column = column + from.border.left - self.pads.left;
        row * from.padded_width() + column
    }

    /// The border that inputs \[C,H,W\] need for outputs \[C,H,W\].
    pub fn input_border(self, inputs: [usize; 3], outputs: [usize; 3]) -> Pads {
        let Pads {
            top,
            left,
            bottom,
            right,
        } = self.pads;
        if self.transform(inputs[0], outputs).is_none() {
            return self.pads;
        }
        // Tiles may extend past the last output.
        let beyond = |before: usize, input: usize, output: usize| {
            (output.next_multiple_of(TILE_OUTPUTS) + self.taps - 1).saturating_sub(before + input)
        };
        Pads {
            top,
            left,
            bottom: bottom.max(beyond(top, inputs[1], outputs[1])),
            right: right.max(beyond(left, inputs[2], outputs[2])),
        }
    }

    /// The Winograd transforms from `inputs` channels to outputs \[C,H,W\], if they are worth it.
    pub fn transform(
        self,
        inputs: usize,
        [outputs, rows, columns]: [usize; 3],
    ) -> Option<Transform> {
        match self.depthwise || self.direct {
            true => None,
            false => Transform::if_cheaper(self.taps, inputs, outputs, [rows, columns]),
        }
    }

    /// The border that the gradients of outputs \[C,H,W\] need to compute those of inputs \[C,H,W\]: see
    /// [`Kernel::back`].
    pub fn gradient_border(self, inputs: [usize; 3], outputs: [usize; 3]) -> Pads {
        let back = self.backward();
        match (self.transform(inputs[0], outputs), self.depthwise) {
            (Some(_), _) => Pads::default(),
            (None, false) if self.is_scattered() => Pads::default(),
            (None, true) => back.input_border(outputs, inputs),
            (None, false) => Pads {
                top: 0,
                bottom: 0,
                ..back.pads
            },
        }
    }

    /// Whether gradients by the inputs are scattered from those by the sums where the convolution is not filtered.
    fn is_scattered(self) -> bool {
        !self.depthwise && self.pads == Pads::default()
    }

    /// The convolution that takes gradients by the outputs to those by the inputs.
    pub fn backward(self) -> Self {
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

/// Where the sums of a convolution go.
#[derive(Debug, Clone, Copy)]
pub enum SumsTarget {
    /// Each to its place.
    Sums(TensorSlot),
    /// Of every window of 2×2 the maximum, and its number, of sums with so many rows and columns.
    Windows {
        size: (usize, usize),
        to: TensorSlot,
        chosen: TensorSlot,
        relu: bool,
    },
}

impl SumsTarget {
    /// What is written.
    fn to(&self) -> TensorSlot {
        match *self {
            Self::Sums(to) | Self::Windows { to, .. } => to,
        }
    }

    /// Rows and columns of the sums.
    fn size(&self) -> (usize, usize) {
        match *self {
            Self::Sums(to) => (to.rows, to.columns),
            Self::Windows { size, .. } => size,
        }
    }

    /// Numbers from a maximum to its number: both places have the same border.
    fn apart(&self) -> Option<usize> {
        match self {
            Self::Sums(_) => None,
            Self::Windows { to, chosen, .. } => Some(chosen.origin - to.origin),
        }
    }

    fn activation(&self) -> Activation {
        match self {
            Self::Windows { relu: true, .. } => Activation::Relu,
            _ => Activation::None,
        }
    }
}

/// A convolution without strides, of all channels together or of each apart, by whichever kernel is faster.
#[derive(Debug)]
pub struct Kernel {
    way: Way,
    /// Numbers from the maximum of a window to its number, where these are written.
    chosen: Option<usize>,
}

/// How it is computed.
#[derive(Debug)]
enum Way {
    Direct(Direct),
    Winograd(Box<Winograd>),
    WinogradBackward(Box<WinogradBackward>),
    Scattered(Box<Scattered>),
}

impl Kernel {
    /// In these places.
    pub fn new(geometry: Geometry, from: TensorSlot, goal: SumsTarget, lanes: usize) -> Self {
        let (to, size, chosen) = (goal.to(), goal.size(), goal.apart());
        let shape = [to.channels, size.0, size.1];
        let Some(transform) = geometry.transform(from.channels, shape) else {
            let way = Way::Direct(Direct::new(geometry, from, goal, (lanes, false)));
            return Self { way, chosen };
        };
        let rows = (0..size.0).step_by(TILE_OUTPUTS);
        let all: Vec<(usize, usize, usize)> = rows
            .flat_map(|row| {
                let columns = (0..size.1).step_by(TILE_OUTPUTS);
                columns.map(move |column| (geometry.base(&from, row, column) * lanes, row, column))
            })
            .collect();
        let quads = all.chunks(POSITIONS);
        let places = quads.map(|quad| std::array::from_fn(|i| quad[i.min(quad.len() - 1)]));
        let way = Way::Winograd(Box::new(Winograd {
            node: NodeId(0),
            from,
            to,
            transform,
            tiles: channel_tiles(to.channels).into(),
            weights: Arc::new([]),
            bias: Arc::new([]),
            quads: places.collect(),
            size,
            pooled: chosen.is_some(),
            activation: goal.activation(),
        }));
        Self { way, chosen }
    }

    /// From the gradients by the sums of a convolution to those by what it reads: by minimal filtering turned
    /// around where the convolution is filtered, else scattered, or without the rows of taps that meet no sum where
    /// the convolution is padded.
    /// `None` where it would have to read sums that do not stand in memory.
    pub fn backward(
        geometry: Geometry,
        sums: SumGradients,
        before: TensorSlot,
        lanes: usize,
    ) -> Option<Self> {
        let way = match (
            geometry.transform(before.channels, sums.shape()),
            geometry.depthwise,
            sums,
        ) {
            (Some(transform), ..) => Way::WinogradBackward(Box::new(WinogradBackward::new(
                geometry.pads,
                transform,
                sums,
                before,
            ))),
            (None, true, SumGradients::Each(sums)) => {
                return Some(Self::new(
                    geometry.backward(),
                    sums,
                    SumsTarget::Sums(before),
                    lanes,
                ));
            }
            (None, false, SumGradients::Each(sums)) if geometry.is_scattered() => {
                Way::Scattered(Box::new(Scattered::new(geometry.taps, sums, before)))
            }
            (None, false, SumGradients::Each(sums)) => {
                let goal = SumsTarget::Sums(before);
                Way::Direct(Direct::new(geometry.backward(), sums, goal, (lanes, true)))
            }
            (None, _, SumGradients::Windows(_)) => return None,
        };
        Some(Self { way, chosen: None })
    }

    /// Takes the weights of the convolution whose way back this is, the kernel of an output and an input channel,
    /// row-major: inputs and outputs exchanged and, where it is a convolution itself, turned by 180°.
    pub fn take_back(&mut self, kernels: &[f32], geometry: Geometry, lanes: Lanes) {
        let area = geometry.taps * geometry.taps;
        match &mut self.way {
            Way::WinogradBackward(own) => own.pack_weights(kernels, lanes),
            Way::Scattered(own) => own.take(kernels),
            Way::Direct(_) | Way::Winograd(_) => {
                let (outputs, inputs) = self.channels();
                let mut turned = Vec::with_capacity(kernels.len());
                for input in 0..inputs {
                    for output in if geometry.depthwise { 0..1 } else { 0..outputs } {
                        let kernel = match geometry.depthwise {
                            true => input,
                            false => output * inputs + input,
                        };
                        turned.extend(kernels[kernel * area..][..area].iter().rev());
                    }
                }
                self.pack_weights(&turned, vec![0.0; inputs], lanes);
            }
        }
    }

    /// Channels of what it reads and of what it writes.
    fn channels(&self) -> (usize, usize) {
        match &self.way {
            Way::Direct(own) => {
                let first = &own.products[0];
                (first.from.channels, first.to.channels)
            }
            Way::Winograd(own) => (own.from.channels, own.to.channels),
            Way::WinogradBackward(own) => own.channels(),
            Way::Scattered(own) => own.channels(),
        }
    }

    /// Takes the weights of a convolution: the kernel of an output and an input channel, row-major.
    pub fn pack_weights(&mut self, kernels: &[f32], bias: Vec<f32>, lanes: Lanes) {
        match &mut self.way {
            Way::Direct(own) => own.take(kernels, bias),
            Way::WinogradBackward(_) | Way::Scattered(_) => {}
            Way::Winograd(own) => {
                let inputs = own.from.channels;
                let count = own.transform.packed_len(inputs, own.to.channels);
                if own.weights.len() != count {
                    own.weights = vec![0.0; count].into();
                }
                // They are not shared, so `get_mut` succeeds.
                if let Some(weights) = Arc::get_mut(&mut own.weights) {
                    let transform = own.transform;
                    let area = (transform.points + 1 - TILE_OUTPUTS).pow(2);
                    let strides = [area, inputs * area];
                    transform.pack(kernels, (inputs, strides), &own.tiles, lanes, weights);
                }
                own.bias = bias.into();
            }
        }
    }

    /// Convolves a group of images.
    pub fn run(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        let chosen = self.chosen;
        let room = match &self.way {
            Way::Direct(own) => own.products[0].scratch_len(lanes.count()),
            Way::Winograd(own) => own.scratch_len(lanes.count()),
            Way::WinogradBackward(own) => own.scratch_len(lanes.count()),
            Way::Scattered(_) => 0,
        };
        let memory = frames.pointer.0;
        let layout = layout::MemoryAreas {
            shared: 0,
            per_group: frames.group_len,
        };
        with_scratch(room, |room| match &self.way {
            Way::Direct(own) => {
                for product in &own.products {
                    lanes.arch().dispatch(Multiply {
                        product,
                        frames: layout,
                        group,
                        memory,
                        sums: room,
                        chosen,
                    });
                }
            }
            Way::Scattered(scattered) => lanes.arch().dispatch(scattered::OnGroup {
                scattered,
                frames: *frames,
                group,
            }),
            Way::WinogradBackward(turned) => {
                lanes.arch().dispatch(winograd_backward::BackwardOnGroup {
                    turned,
                    frames: layout,
                    group,
                    memory,
                    room,
                })
            }
            Way::Winograd(winograd) => lanes.arch().dispatch(winograd::WinogradOnGroup {
                winograd,
                chosen,
                frames: layout,
                group,
                memory,
                scratch: room,
            }),
        });
    }
}

/// A direct convolution.
#[derive(Debug)]
pub struct Direct {
    /// One product for each set of output rows that use the same tap rows.
    products: Vec<Product>,
    /// Ranges of k; each product uses consecutive ones.
    blocks: Vec<Range<usize>>,
    /// For every k, its index in a kernel of all channels.
    order: Vec<usize>,
}

impl Direct {
    /// In these places. `skips`: rows of taps that meet no row of what is read are left out, which is then
    /// without a border above and below.
    fn new(
        geometry: Geometry,
        from: TensorSlot,
        goal: SumsTarget,
        (lanes, skips): (usize, bool),
    ) -> Self {
        let to = goal.to();
        // Channels of a part, which read as many: all of them, or one.
        let (many, inputs, outputs) = match geometry.depthwise {
            true => (to.channels, 1, 1),
            false => (1, from.channels, to.channels),
        };
        let (taps, area) = (geometry.taps, geometry.taps * geometry.taps);
        let place =
            |channel: usize, row: usize, column: usize| (channel * taps + row) * taps + column;
        let columns = |channel: usize, row: usize| (0..taps).map(move |it| place(channel, row, it));
        // Channel by channel, or tap row by tap row.
        let order: Vec<usize> = match skips {
            false => (0..inputs * area).collect(),
            true => (0..taps)
                .flat_map(|row| (0..inputs).flat_map(move |channel| columns(channel, row)))
                .collect(),
        };
        let (pieces, length) = match skips {
            false => (1, inputs * area),
            true => (taps, inputs * taps),
        };
        let step = match skips {
            false => (BLOCK / area).max(1) * area,
            true => (BLOCK / taps).max(1) * taps,
        };
        let blocks: Vec<Range<usize>> = (0..pieces)
            .flat_map(|piece| {
                let whole = piece * length..(piece + 1) * length;
                let firsts = whole.clone().step_by(step);
                firsts.map(move |first| first..(first + step).min(whole.end))
            })
            .collect();
        // The tap rows that lie inside the input for a row of the output.
        let met = |row: usize| match skips {
            false => 0..pieces,
            true => {
                let pad = geometry.pads.top;
                pad.saturating_sub(row)..taps.min((from.rows + pad).saturating_sub(row))
            }
        };
        let mut rows: Vec<(Range<usize>, Vec<usize>)> = Vec::new();
        for row in 0..to.rows {
            match rows.iter_mut().find(|(own, _)| *own == met(row)) {
                Some((_, all)) => all.push(row),
                None => rows.push((met(row), vec![row])),
            }
        }
        let each = blocks.len() / pieces;
        let product = |(met, rows): &(Range<usize>, Vec<usize>)| {
            // Relative to the first tap row that is used.
            let offset = |&at: &usize| {
                let (channel, row, column) = (at / area, at % area / taps, at % taps);
                let row = row.saturating_sub(if skips { met.start } else { 0 });
                (channel * from.padded_plane() + row * from.padded_width() + column) * lanes
            };
            let base = |(row, column): (usize, usize)| {
                let row = if skips { row + met.start } else { row };
                geometry.base(&from, row, column) * lanes
            };
            let all: Vec<(usize, usize)> = rows
                .iter()
                .flat_map(|&row| (0..to.columns).map(move |column| (row, column)))
                .collect();
            let place = |(row, column): (usize, usize)| to.offset(0, row, column) * lanes;
            let positions = match goal {
                SumsTarget::Sums(_) => {
                    let quads = all.chunks(POSITIONS).map(|quad| {
                        let at = |i: usize| quad[i.min(quad.len() - 1)];
                        let bases = std::array::from_fn(|i| base(at(i)));
                        (bases, std::array::from_fn(|i| place(at(i))))
                    });
                    Positions::Quads(quads.collect())
                }
                SumsTarget::Windows { .. } => {
                    let bases = all.iter().map(|&(row, column)| {
                        let sum = |i: usize| (SIDE * row + i / SIDE, SIDE * column + i % SIDE);
                        std::array::from_fn(|i| base(sum(i)))
                    });
                    let places = all.iter().map(|&it| place(it)).collect();
                    Positions::PooledQuads(1, bases.collect(), places)
                }
            };
            let before: usize = blocks[..met.start * each].iter().map(Range::len).sum();
            Product {
                node: NodeId(0),
                from,
                to,
                channel_groups: (0..many)
                    .map(|part| ChannelGroup {
                        first: part * outputs,
                        shift: part * inputs * from.padded_plane() * lanes,
                        weights: part * outputs * inputs * area + before * outputs,
                    })
                    .collect(),
                tiles: channel_tiles(outputs),
                weights: Arc::new([]),
                bias: Arc::new([]),
                offsets: order.iter().map(offset).collect(),
                blocks: blocks[met.start * each..met.end * each].to_vec(),
                positions,
                activation: goal.activation(),
            }
        };
        Self {
            products: rows.iter().map(product).collect(),
            blocks: blocks.clone(),
            order,
        }
    }

    fn take(&mut self, kernels: &[f32], bias: Vec<f32>) {
        let first = &self.products[0];
        let parts = first.channel_groups.len();
        let (k, of_part) = (self.order.len(), first.to.channels / parts);
        let weight = |part: usize, channel: usize, at: usize| {
            kernels[(part * of_part + channel) * k + self.order[at]]
        };
        let weights: Arc<[f32]> = pack_weights(parts, &first.tiles, &self.blocks, weight).into();
        let bias: Arc<[f32]> = bias.into();
        for product in &mut self.products {
            product.weights = Arc::clone(&weights);
            product.bias = Arc::clone(&bias);
        }
    }
}

thread_local! {
    static ROOM: RefCell<Vec<[f32; 16]>> = const { RefCell::new(Vec::new()) };
}

/// Runs a function with scratch memory for `floats` floats, which this thread keeps.
pub fn with_scratch(floats: usize, run: impl FnOnce(*mut f32)) {
    ROOM.with_borrow_mut(|room| {
        // One line more, for alignment.
        room.resize(room.len().max(floats.div_ceil(16) + 1), [0.0; 16]);
        let start = room.as_mut_ptr().cast::<f32>();
        run(start.wrapping_add(start.align_offset(64)));
    });
}
