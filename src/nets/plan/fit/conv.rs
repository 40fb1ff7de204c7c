//! Convolutions in training, with the max pooling and ReLU that follow them.

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::super::product::{load, store};
use super::super::team::run_tasks;
use super::super::windows::{self, SumGradients, Windows};
use super::BatchMemory;
use super::adam::Parameter;
use super::kernel::{Geometry, Kernel, SumsTarget};
use super::memory::{DisjointPointer, FloatPointer};
use super::taps;
use super::winograd_weights::WinogradWeightGradient;

/// A convolution with the max pooling and ReLU that follow it.
#[derive(Debug)]
pub struct Convolution {
    weight: usize,
    bias: usize,
    geometry: Geometry,
    from: TensorSlot,
    /// Channels, rows and columns of its sums.
    shape: [usize; 3],
    /// Its sums, then the gradients by them, where these stand in memory.
    preactivations: Option<TensorSlot>,
    to: TensorSlot,
    /// The gradient of the output.
    gradient: TensorSlot,
    /// Where its windows keep which of their sums is the maximum.
    windows: Option<Windows>,
    window: [usize; 2],
    relu: bool,
    forward: Kernel,
    backward_kernel: Option<Kernel>,
    /// Computes the gradients of the weights if the convolution uses Winograd.
    filtering: Option<WinogradWeightGradient>,
}

/// The places of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// What it reads.
    pub from: TensorSlot,
    /// Channels, rows and columns of its sums.
    pub shape: [usize; 3],
    /// Its sums, then the gradients by them: `None` where [`has_windows`] and nothing reads them one by one.
    pub sums: Option<TensorSlot>,
    /// Its output.
    pub to: TensorSlot,
    /// The numbers of the maxima of its windows, with the border of the output: where [`has_windows`].
    pub chosen: Option<TensorSlot>,
    /// The gradient by the output.
    pub gradient: TensorSlot,
    /// The gradient by what it reads, where it is wanted.
    pub before: Option<TensorSlot>,
}

/// Whether a convolution keeps which sum of a window is the maximum instead of its sums.
pub fn has_windows(geometry: Geometry, window: Option<[usize; 2]>) -> bool {
    window == Some([windows::SIDE; 2]) && !geometry.depthwise
}

impl Convolution {
    /// In these places; `None` where one is missing that it needs.
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
        let goal = match places.chosen {
            Some(chosen) => SumsTarget::Windows {
                size: (shape[1], shape[2]),
                to,
                chosen,
                relu,
            },
            None => SumsTarget::Sums(sums?),
        };
        let by_sums = match windows {
            Some(windows) => SumGradients::Windows(windows),
            None => SumGradients::Each(sums?),
        };
        let back = match places.before {
            Some(before) => {
                let by_sums = sums.map_or(by_sums, SumGradients::Each);
                Some(Kernel::backward(geometry, by_sums, before, lanes)?)
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
            forward: Kernel::new(geometry, from, goal, lanes),
            filtering: WinogradWeightGradient::new(geometry, from, by_sums),
            backward_kernel: back,
        })
    }

    /// The gradients by its sums, as [`Self::weight_gradients`] reads them.
    pub(super) fn by_sums(&self) -> SumGradients {
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
        if let Some(back) = &mut self.backward_kernel {
            back.take_back(values, self.geometry, lanes);
        }
    }

    /// Where its sums stand that the gradients by them take the place of, and which these are made from.
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
            lanes.arch().dispatch(PoolForward {
                layer: self,
                sums,
                frames: *frames,
                group,
            });
        }
    }

    /// The backward pass of a group: gradients of the sums and of the input.
    pub fn backward(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        self.preactivation_gradients(frames, group, lanes);
        self.input_gradients(frames, group, lanes);
    }

    /// Gradients by its sums, where these stand in memory.
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
            (None, Some(sums)) => lanes.arch().dispatch(PoolBackward {
                layer: self,
                sums,
                frames,
                group,
            }),
        }
    }

    /// Gradients of the input, from those of the sums.
    pub fn input_gradients(&self, frames: &BatchMemory, group: usize, lanes: Lanes) {
        if let Some(back) = &self.backward_kernel {
            back.run(frames, group, lanes);
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
        let added = frames.groups
            * lanes.count()
            * self.to.elements()
            * self.window.iter().product::<usize>();
        run_tasks(outputs, added, |channel| {
            let frames = *frames;
            lanes.arch().dispatch(Bias {
                layer,
                frames,
                channel,
                bias,
            });
        });
        if let Some(filtering) = &mut self.filtering {
            filtering.weight_gradients(frames, &mut parameters[self.weight].gradient, lanes);
            return;
        }
        let layer = &*self;
        let weight = DisjointPointer(parameters[self.weight].gradient.as_mut_ptr());
        let inputs = self.from.channels;
        let together = taps::channels(self.geometry.taps);
        let pieces = inputs.div_ceil(taps::INPUTS);
        let tasks = match self.geometry.depthwise {
            true => outputs,
            false => outputs.div_ceil(together) * pieces,
        };
        run_tasks(tasks, usize::MAX, |task| {
            let frames = *frames;
            let (first, count, inputs) = match layer.geometry.depthwise {
                true => (task, 1, task..task + 1),
                false => {
                    let (first, piece) = (task / pieces * together, task % pieces);
                    let inputs = inputs * piece / pieces..inputs * (piece + 1) / pieces;
                    (first, together.min(outputs - first), inputs)
                }
            };
            lanes.arch().dispatch(taps::Weight {
                geometry: layer.geometry,
                from: layer.from,
                sums: layer.by_sums(),
                frames,
                outputs: (first, count),
                inputs,
                weight,
            });
        });
    }
}

/// Max pooling and ReLU.
struct PoolForward<'a> {
    layer: &'a Convolution,
    sums: TensorSlot,
    frames: BatchMemory,
    group: usize,
}

impl WithSimd for PoolForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let [high, wide] = own.window;
        // SAFETY: tensors lie in the frame of the group, which belongs to this task.
        let at = |number: usize| unsafe { self.frames.at(self.group, number, lanes) };
        for channel in 0..own.to.channels {
            for row in 0..own.to.rows {
                for column in 0..own.to.columns {
                    let mut most = simd.splat_f32s(f32::NEG_INFINITY);
                    for tap in 0..high * wide {
                        let (row, column) = (row * high + tap / wide, column * wide + tap % wide);
                        let place = self.sums.origin + self.sums.offset(channel, row, column);
                        // SAFETY: as above.
                        most = simd.max_f32s(most, unsafe { load(simd, at(place)) });
                    }
                    if own.relu {
                        most = simd.max_f32s(most, simd.splat_f32s(0.0));
                    }
                    let place = own.to.origin + own.to.offset(channel, row, column);
                    // SAFETY: as above.
                    unsafe { store(simd, at(place), most) };
                }
            }
        }
    }
}

/// The backward pass of max pooling and ReLU: routes the gradient of the output to the first maximum of every window, if
/// the ReLU passes it.
struct PoolBackward<'a> {
    layer: &'a Convolution,
    sums: TensorSlot,
    frames: BatchMemory,
    group: usize,
}

impl WithSimd for PoolBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let [high, wide] = own.window;
        let zero = simd.splat_f32s(0.0);
        // SAFETY: tensors lie in the frame of the group, which belongs to this task.
        let at = |number: usize| unsafe { self.frames.at(self.group, number, lanes) };
        // Sums that no window sees have no gradient.
        let sums = self.sums;
        let rows = own.to.rows * high..sums.rows;
        let columns = own.to.columns * wide..sums.columns;
        for channel in 0..own.to.channels {
            for row in 0..sums.rows {
                for column in 0..sums.columns {
                    if rows.contains(&row) || columns.contains(&column) {
                        let place = sums.origin + sums.offset(channel, row, column);
                        // SAFETY: as above.
                        unsafe { store(simd, at(place), zero) };
                    }
                }
            }
            for row in 0..own.to.rows {
                for column in 0..own.to.columns {
                    let place = |tap: usize| {
                        let (row, column) = (row * high + tap / wide, column * wide + tap % wide);
                        sums.origin + sums.offset(channel, row, column)
                    };
                    let given = own.gradient.origin + own.gradient.offset(channel, row, column);
                    // SAFETY: as above.
                    let mut gradient = unsafe { load(simd, at(given)) };
                    let mut most = simd.splat_f32s(f32::NEG_INFINITY);
                    for tap in 0..high * wide {
                        // SAFETY: as above.
                        most = simd.max_f32s(most, unsafe { load(simd, at(place(tap))) });
                    }
                    if own.relu {
                        let through = simd.less_than_f32s(zero, most);
                        gradient = simd.select_f32s(through, gradient, zero);
                    }
                    for tap in 0..high * wide {
                        // SAFETY: as above.
                        unsafe {
                            let own = at(place(tap));
                            let hit = simd.equal_f32s(load(simd, own), most);
                            store(simd, own, simd.select_f32s(hit, gradient, zero));
                            gradient = simd.select_f32s(hit, zero, gradient);
                        }
                    }
                }
            }
        }
    }
}

/// The gradients by the sums of windows, each in its place.
struct Unpool {
    windows: Windows,
    sums: TensorSlot,
    frames: BatchMemory,
    group: usize,
}

impl WithSimd for Unpool {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let sums = self.sums;
        let maxima = self.windows.gradient;
        // SAFETY: values stand in the frame of the group, which is this task's.
        let at = |number: usize| unsafe { self.frames.at(self.group, number, lanes) };
        let zero = simd.splat_f32s(0.0);
        for channel in 0..sums.channels {
            for row in 0..sums.rows {
                let inside = row / windows::SIDE < maxima.rows;
                let first = match inside {
                    true => maxima.columns * windows::SIDE,
                    false => 0,
                };
                for column in first..sums.columns {
                    let to = at(sums.origin + sums.offset(channel, row, column));
                    // SAFETY: as above. No window holds these sums.
                    unsafe { store(simd, to, zero) };
                }
            }
            for row in 0..maxima.rows {
                for column in 0..maxima.columns {
                    let place = |number| at(number).cast_const();
                    // SAFETY: as above.
                    let all = unsafe { self.windows.window(simd, place, [channel, row, column]) };
                    for (number, gradient) in all.into_iter().enumerate() {
                        let (y, x) = (number / windows::SIDE, number % windows::SIDE);
                        let (y, x) = (row * windows::SIDE + y, column * windows::SIDE + x);
                        // SAFETY: as above.
                        unsafe {
                            store(simd, at(sums.origin + sums.offset(channel, y, x)), gradient)
                        };
                    }
                }
            }
        }
    }
}

/// The gradient by the bias of a channel.
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
            // SAFETY: all of these stand in the frame; nobody writes them now.
            let at = |number: usize| unsafe { self.frames.at(group, number, lanes).cast_const() };
            match self.layer.by_sums() {
                SumGradients::Each(sums) => {
                    for row in 0..sums.rows {
                        let first = sums.origin + sums.offset(channel, row, 0);
                        for column in 0..sums.columns {
                            // SAFETY: as above.
                            sum = simd.add_f32s(sum, unsafe { load(simd, at(first + column)) });
                        }
                    }
                }
                SumGradients::Windows(windows) => {
                    let maxima = windows.gradient;
                    for row in 0..maxima.rows {
                        for column in 0..maxima.columns {
                            // SAFETY: as above.
                            let own = unsafe { windows.passed(simd, at, [channel, row, column]) };
                            sum = simd.add_f32s(sum, own);
                        }
                    }
                }
            }
        }
        // SAFETY: there is one bias per channel, and the channel belongs to this task.
        unsafe { *self.bias.0.add(self.channel) = simd.reduce_sum_f32s(sum) };
    }
}

/// scale·x + shift of a value of a group into another place.
pub fn scale(
    frames: &BatchMemory,
    (group, lanes): (usize, Lanes),
    (scale, shift): (f32, f32),
    from: &TensorSlot,
    to: &TensorSlot,
) {
    let count = lanes.count();
    for channel in 0..from.channels {
        for row in 0..from.rows {
            let (a, b) = (from.offset(channel, row, 0), to.offset(channel, row, 0));
            for i in 0..from.columns * count {
                // SAFETY: both tensors lie in the frame of the group, which belongs to the caller.
                unsafe {
                    let x = *frames.at(group, from.origin + a, count).add(i);
                    *frames.at(group, to.origin + b, count).add(i) = scale * x + shift;
                }
            }
        }
    }
}
