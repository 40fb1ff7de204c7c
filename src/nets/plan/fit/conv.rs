//! Convolutions in training, with the max pooling and ReLU that follow them.

mod pooling;

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::super::product::load;
use super::super::team::run_tasks;
use super::super::windows::{self, SumGradients, Windows};
use super::BatchMemory;
use super::adam::Parameter;
use super::kernel::{Geometry, Kernel, SumsTarget};
use super::memory::{DisjointPointer, FloatPointer};
use super::taps;
use super::winograd_weights::WinogradWeightGradient;
use pooling::{GroupSums, PoolBackward, PoolForward, Unpool};

/// A convolution with the max pooling and ReLU that follow it.
#[derive(Debug)]
pub struct Convolution {
    weight: usize,
    bias: usize,
    geometry: Geometry,
    from: TensorSlot,
    /// Channels, rows and columns of its sums.
    shape: [usize; 3],
    /// Its sums, later overwritten by their gradients, if they are stored.
    preactivations: Option<TensorSlot>,
    to: TensorSlot,
    /// The gradient of the output.
    gradient: TensorSlot,
    /// Its pooling windows, if the index of each maximum is stored instead of the sums.
    windows: Option<Windows>,
    window: [usize; 2],
    relu: bool,
    forward: Kernel,
    backward_kernel: Option<Kernel>,
    /// Computes the gradients of the weights if the convolution uses Winograd along both axes.
    winograd_weight_gradient: Option<WinogradWeightGradient>,
}

/// The tensors of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// Its input.
    pub from: TensorSlot,
    /// Channels, rows and columns of its sums.
    pub shape: [usize; 3],
    /// Its sums, later overwritten by their gradients; `None` if [`has_windows`] and nothing reads them one by one.
    pub sums: Option<TensorSlot>,
    /// Its output.
    pub to: TensorSlot,
    /// The index of each window's maximum, with the same border as the output, if [`has_windows`].
    pub chosen: Option<TensorSlot>,
    /// The gradient of the output.
    pub gradient: TensorSlot,
    /// The gradient of the input, if needed.
    pub before: Option<TensorSlot>,
}

/// Whether a convolution stores the index of each window's maximum instead of its sums.
pub fn has_windows(geometry: Geometry, window: Option<[usize; 2]>) -> bool {
    window == Some([windows::SIDE; 2]) && !geometry.depthwise
}

impl Convolution {
    /// A convolution with these tensors; `None` if a tensor that it needs is missing.
    pub fn new(
        [weight, bias]: [usize; 2],
        geometry: Geometry,
        places: Places,
        (window, relu): (Option<[usize; 2]>, bool),
        lanes: usize,
    ) -> Option<Self> {
        let Places {
            from,
            shape,
            sums,
            to,
            gradient,
            ..
        } = places;
        let windows = places.chosen.map(|chosen| Windows {
            shape,
            gradient,
            chosen,
        });
        let target = match places.chosen {
            Some(chosen) => SumsTarget::Windows {
                size: (shape[1], shape[2]),
                to,
                chosen,
                relu,
            },
            None => SumsTarget::Sums(sums?),
        };
        let sum_gradients = match windows {
            Some(windows) => SumGradients::Windows(windows),
            None => SumGradients::Each(sums?),
        };
        let backward_kernel = match places.before {
            Some(input_gradient) => {
                let sum_gradients = sums.map_or(sum_gradients, SumGradients::Each);
                Some(Kernel::backward(
                    geometry,
                    sum_gradients,
                    input_gradient,
                    lanes,
                )?)
            }
            None => None,
        };
        Some(Self {
            weight,
            bias,
            geometry,
            from,
            shape,
            preactivations: sums,
            to,
            gradient,
            windows,
            window: window.unwrap_or([1, 1]),
            relu,
            forward: Kernel::new(geometry, from, target, lanes),
            winograd_weight_gradient: WinogradWeightGradient::new(geometry, from, sum_gradients),
            backward_kernel,
        })
    }

    /// Floats of the packed weights of the forward and the backward pass, also before they are packed.
    pub fn packed_len(&self) -> usize {
        let backward = self.backward_kernel.as_ref();
        self.forward.packed_len() + backward.map_or(0, Kernel::packed_len)
    }

    /// The gradients of its sums, in the form that [`Self::weight_gradients`] reads.
    pub(super) fn sum_gradients(&self) -> SumGradients {
        match (self.windows, self.preactivations) {
            (Some(windows), _) => SumGradients::Windows(windows),
            (None, sums) => SumGradients::Each(sums.unwrap_or(self.to)),
        }
    }

    /// Packs the weights for the kernels.
    pub fn prepare(&mut self, parameters: &[Parameter], lanes: Lanes) {
        let values = &parameters[self.weight].values;
        let bias = parameters[self.bias].values.clone();
        self.forward.pack_weights(values, bias, lanes);
        if let Some(kernel) = &mut self.backward_kernel {
            kernel.take_back(values, self.geometry, lanes);
        }
    }

    /// The stored sums, if the gradients are computed from them and overwrite them.
    pub fn kept(&self) -> Option<TensorSlot> {
        match self.windows {
            Some(_) => None,
            None => self.preactivations,
        }
    }

    /// The forward pass of a group: sums, pooling and ReLU.
    pub fn forward(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        self.forward.run(frames, group, lanes);
        if let (None, Some(sums)) = (self.windows, self.preactivations) {
            lanes.arch().dispatch(PoolForward(GroupSums {
                layer: self,
                sums,
                frames: *frames,
                group,
            }));
        }
    }

    /// The backward pass of a group: gradients of the sums and of the input.
    pub fn backward(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        self.preactivation_gradients(frames, group, lanes);
        self.input_gradients(frames, group, lanes);
    }

    /// Gradients of its sums, if these are stored.
    pub fn preactivation_gradients(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        let frames = *frames;
        match (self.windows, self.preactivations) {
            (_, None) => {}
            (Some(windows), Some(sums)) => lanes.arch().dispatch(Unpool {
                windows,
                sums,
                frames,
                group,
            }),
            (None, Some(sums)) => lanes.arch().dispatch(PoolBackward(GroupSums {
                layer: self,
                sums,
                frames,
                group,
            })),
        }
    }

    /// Gradients of the input, from those of the sums.
    pub fn input_gradients(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        if let Some(kernel) = &self.backward_kernel {
            kernel.run(frames, group, lanes);
        }
    }

    /// Gradients of the weights, from those of the sums.
    pub fn weight_gradients(
        &mut self,
        frames: &BatchMemory,
        parameters: &mut [Parameter],
        lanes: Lanes,
    ) {
        let outputs = self.shape[0];
        let bias = DisjointPointer(parameters[self.bias].gradient.as_mut_ptr());
        let layer = &*self;
        let additions = frames.groups
            * lanes.count()
            * self.to.elements()
            * self.window.iter().product::<usize>();
        run_tasks(outputs, additions, |channel| {
            let frames = *frames;
            lanes.arch().dispatch(Bias {
                layer,
                frames,
                channel,
                bias,
            });
        });
        if let Some(winograd) = &mut self.winograd_weight_gradient {
            winograd.weight_gradients(frames, &mut parameters[self.weight].gradient, lanes);
            return;
        }
        let layer = &*self;
        let weight = DisjointPointer(parameters[self.weight].gradient.as_mut_ptr());
        let inputs = self.from.channels;
        let outputs_per_task = taps::channels(self.geometry.taps);
        let input_pieces = inputs.div_ceil(taps::INPUTS);
        let tasks = match self.geometry.depthwise {
            true => outputs,
            false => outputs.div_ceil(outputs_per_task) * input_pieces,
        };
        run_tasks(tasks, usize::MAX, |task| {
            let frames = *frames;
            let (first, count, inputs) = match layer.geometry.depthwise {
                true => (task, 1, task..task + 1),
                false => {
                    let (first, piece) =
                        (task / input_pieces * outputs_per_task, task % input_pieces);
                    let inputs = inputs * piece / input_pieces..inputs * (piece + 1) / input_pieces;
                    (first, outputs_per_task.min(outputs - first), inputs)
                }
            };
            lanes.arch().dispatch(taps::Weight {
                geometry: layer.geometry,
                from: layer.from,
                sums: layer.sum_gradients(),
                frames,
                outputs: (first, count),
                inputs,
                weight,
            });
        });
    }
}

/// The gradient of the bias of a channel.
struct Bias<'a> {
    layer: &'a Convolution,
    frames: BatchMemory,
    channel: usize,
    bias: FloatPointer,
}

impl WithSimd for Bias<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let mut sum = simd.splat_f32s(0.0);
        let channel = self.channel;
        for group in 0..self.frames.groups {
            // SAFETY: all of these lie in the frame; nobody writes them now.
            let pointer =
                |number: usize| unsafe { self.frames.at(group, number, lanes).cast_const() };
            match self.layer.sum_gradients() {
                SumGradients::Each(sums) => {
                    for row in 0..sums.rows {
                        let first = sums.origin + sums.offset(channel, row, 0);
                        for column in 0..sums.columns {
                            // SAFETY: as above.
                            sum =
                                simd.add_f32s(sum, unsafe { load(simd, pointer(first + column)) });
                        }
                    }
                }
                SumGradients::Windows(windows) => {
                    let maxima = windows.gradient;
                    for row in 0..maxima.rows {
                        for column in 0..maxima.columns {
                            // SAFETY: as above.
                            let gradient =
                                unsafe { windows.passed(simd, pointer, [channel, row, column]) };
                            sum = simd.add_f32s(sum, gradient);
                        }
                    }
                }
            }
        }
        // SAFETY: there is one bias per channel, and the channel belongs to this task.
        unsafe { *self.bias.0.add(self.channel) = simd.reduce_sum_f32s(sum) };
    }
}
