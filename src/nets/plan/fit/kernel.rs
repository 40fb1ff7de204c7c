//! The convolution kernels of training, for the forward pass and for the backward pass to the input.

mod direct;
mod geometry;

use std::cell::RefCell;
use std::sync::Arc;

use super::super::Lanes;
use super::super::layout::{MemoryAreas, TensorSlot};
use super::super::product::{Multiply, channel_tiles};
use super::super::windows::SumGradients;
use super::super::winograd::{self, Form, Rows, Squares, TILE_OUTPUTS, Variant, Winograd};
use super::BatchMemory;
use super::scattered::{self, Scattered};
use super::winograd_backward::{self, WinogradBackward};
use crate::nets::graph::NodeId;
use direct::Direct;
pub use geometry::{Geometry, SumsTarget};

/// A convolution with stride 1, of all channels or depthwise, computed by the fastest algorithm.
#[derive(Debug)]
pub struct Kernel {
    algorithm: Algorithm,
    /// Offset from a window's maximum to its index, in elements per lane, if indices are stored.
    chosen_offset: Option<usize>,
}

/// How a convolution is computed.
#[derive(Debug)]
enum Algorithm {
    Direct(Direct),
    Winograd(Box<Winograd>),
    WinogradBackward(Box<WinogradBackward>),
    Scattered(Box<Scattered>),
}

impl Kernel {
    /// The convolution that reads `from` and writes its sums to `target`.
    pub fn new(geometry: Geometry, from: TensorSlot, target: SumsTarget, lanes: usize) -> Self {
        let (to, size, chosen_offset) = (target.to(), target.size(), target.chosen_offset());
        let shape = [to.channels, size.0, size.1];
        let Some(variant) = geometry.forward_variant(from.channels, shape) else {
            let algorithm = Algorithm::Direct(Direct::new(geometry, from, target, (lanes, false)));
            return Self {
                algorithm,
                chosen_offset,
            };
        };
        let base = |row: usize, column: usize| geometry.base(&from, row, column) * lanes;
        let (transform, form) = match variant {
            Variant::Squares(transform) => {
                let tiles = channel_tiles(to.channels);
                (transform, Form::Squares(Squares::new(tiles, size, base)))
            }
            Variant::Rows(transform) => {
                let (kernel_rows, base) = (geometry.taps, base(0, 0));
                (transform, Form::Rows(Rows { kernel_rows, base }))
            }
        };
        let algorithm = Algorithm::Winograd(Box::new(Winograd {
            node: NodeId(0),
            from,
            to,
            transform,
            form,
            weights: Arc::new([]),
            bias: Arc::new([]),
            size,
            pooled: chosen_offset.is_some(),
            activation: target.activation(),
        }));
        Self {
            algorithm,
            chosen_offset,
        }
    }

    /// Computes the gradients of a convolution's input from those of its sums: by transposed Winograd if the
    /// convolution uses Winograd along both axes, by a convolution if it is depthwise, scattered if it has no padding,
    /// and otherwise by a convolution that skips the tap rows that meet no sum. `None` if it would have to read
    /// gradients of sums that are not stored.
    pub fn backward(
        geometry: Geometry,
        sums: SumGradients,
        input_gradient: TensorSlot,
        lanes: usize,
    ) -> Option<Self> {
        let transform = geometry.transform(input_gradient.channels, sums.shape());
        let algorithm = match (transform, geometry.depthwise, sums) {
            (Some(transform), ..) => {
                let winograd =
                    WinogradBackward::new(geometry.pads, transform, sums, input_gradient);
                Algorithm::WinogradBackward(Box::new(winograd))
            }
            (None, true, SumGradients::Each(sums)) => {
                return Some(Self::new(
                    geometry.backward(),
                    sums,
                    SumsTarget::Sums(input_gradient),
                    lanes,
                ));
            }
            (None, false, SumGradients::Each(sums)) if geometry.is_scattered() => {
                Algorithm::Scattered(Box::new(Scattered::new(
                    geometry.taps,
                    sums,
                    input_gradient,
                )))
            }
            (None, false, SumGradients::Each(sums)) => {
                let target = SumsTarget::Sums(input_gradient);
                Algorithm::Direct(Direct::new(
                    geometry.backward(),
                    sums,
                    target,
                    (lanes, true),
                ))
            }
            (None, _, SumGradients::Windows(_)) => return None,
        };
        Some(Self {
            algorithm,
            chosen_offset: None,
        })
    }

    /// Packs the weights of the convolution whose backward kernel this is, row-major
    /// \[outputs,inputs,taps,taps\]. If this kernel is itself a convolution, inputs and outputs are exchanged and every
    /// kernel is rotated by 180°.
    pub fn take_back(&mut self, kernels: &[f32], geometry: Geometry, lanes: Lanes) {
        let area = geometry.taps * geometry.taps;
        match &mut self.algorithm {
            Algorithm::WinogradBackward(winograd) => winograd.pack_weights(kernels, lanes),
            Algorithm::Scattered(scattered) => scattered.take(kernels),
            // A convolution that the kernels are rotated for is computed directly.
            Algorithm::Winograd(_) => {}
            Algorithm::Direct(direct) => {
                let (outputs, inputs) = direct.channels();
                let mut rotated = Vec::with_capacity(kernels.len());
                for input in 0..inputs {
                    for output in if geometry.depthwise { 0..1 } else { 0..outputs } {
                        let kernel = match geometry.depthwise {
                            true => input,
                            false => output * inputs + input,
                        };
                        rotated.extend(kernels[kernel * area..][..area].iter().rev());
                    }
                }
                direct.pack_weights(&rotated, vec![0.0; inputs]);
            }
        }
    }

    /// Floats of the packed weights, also before they are packed.
    pub fn packed_len(&self) -> usize {
        match &self.algorithm {
            Algorithm::Direct(direct) => direct.packed_len(),
            Algorithm::Winograd(winograd) => packed_len(winograd),
            Algorithm::WinogradBackward(winograd) => winograd.packed_len(),
            Algorithm::Scattered(scattered) => scattered.packed_len(),
        }
    }

    /// Packs the weights of a convolution, row-major \[outputs,inputs,taps,taps\].
    pub fn pack_weights(&mut self, kernels: &[f32], bias: Vec<f32>, lanes: Lanes) {
        match &mut self.algorithm {
            Algorithm::Direct(direct) => direct.pack_weights(kernels, bias),
            Algorithm::WinogradBackward(_) | Algorithm::Scattered(_) => {}
            Algorithm::Winograd(winograd) => {
                let (inputs, count) = (winograd.from.channels, packed_len(winograd));
                if winograd.weights.len() != count {
                    winograd.weights = vec![0.0; count].into();
                }
                // They are not shared, so `get_mut` succeeds.
                if let Some(weights) = Arc::get_mut(&mut winograd.weights) {
                    let transform = winograd.transform;
                    match &winograd.form {
                        Form::Squares(squares) => {
                            let area = (transform.points + 1 - TILE_OUTPUTS).pow(2);
                            let kernels = (kernels, [area, inputs * area]);
                            transform.pack_squares(kernels, inputs, &squares.tiles, lanes, weights);
                        }
                        Form::Rows(_) => transform.pack_rows(kernels, weights),
                    }
                }
                winograd.bias = bias.into();
            }
        }
    }

    /// Convolves a group of images.
    pub fn run(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        let chosen = self.chosen_offset;
        let scratch_len = match &self.algorithm {
            Algorithm::Direct(direct) => direct.products[0].scratch_len(lanes.count()),
            Algorithm::Winograd(winograd) => winograd.scratch_len(lanes.count()),
            Algorithm::WinogradBackward(winograd) => winograd.scratch_len(lanes.count()),
            Algorithm::Scattered(_) => 0,
        };
        let memory = frames.pointer.0;
        let areas = MemoryAreas {
            shared: 0,
            per_group: frames.group_len,
        };
        with_scratch(scratch_len, |scratch| match &self.algorithm {
            Algorithm::Direct(direct) => {
                for product in &direct.products {
                    lanes.arch().dispatch(Multiply {
                        product,
                        frames: areas,
                        group,
                        memory,
                        sums: scratch,
                        chosen,
                    });
                }
            }
            Algorithm::Scattered(scattered) => lanes.arch().dispatch(scattered::OnGroup {
                scattered,
                frames: *frames,
                group,
            }),
            Algorithm::WinogradBackward(turned) => {
                lanes.arch().dispatch(winograd_backward::BackwardOnGroup {
                    turned,
                    frames: areas,
                    group,
                    memory,
                    room: scratch,
                })
            }
            Algorithm::Winograd(winograd) => lanes.arch().dispatch(winograd::WinogradOnGroup {
                winograd,
                chosen,
                frames: areas,
                group,
                memory,
                scratch,
            }),
        });
    }
}

/// Floats of the packed weights of a Winograd convolution.
fn packed_len(winograd: &Winograd) -> usize {
    let (inputs, outputs) = (winograd.from.channels, winograd.to.channels);
    match &winograd.form {
        Form::Squares(_) => winograd.transform.squares_len(inputs, outputs),
        Form::Rows(rows) => winograd.transform.points * rows.kernel_rows * inputs * outputs,
    }
}

thread_local! {
    static SCRATCH: RefCell<Vec<[f32; 16]>> = const { RefCell::new(Vec::new()) };
}

/// Runs a function with scratch memory of `floats` floats, which this thread keeps for reuse.
pub fn with_scratch(floats: usize, run: impl FnOnce(*mut f32)) {
    SCRATCH.with_borrow_mut(|scratch| {
        // One extra line, for alignment.
        scratch.resize(scratch.len().max(floats.div_ceil(16) + 1), [0.0; 16]);
        let start = scratch.as_mut_ptr().cast::<f32>();
        run(start.wrapping_add(start.align_offset(64)));
    });
}
