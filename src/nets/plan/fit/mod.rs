//! Training by plan: forward pass, backward pass and Adam in the layout of a plan, for chains of convolutions, max
//! pooling, ReLUs, batch normalizations, dense layers and LSTMs.
//!
//! Every number of a batch is computed by one task in a fixed order, so weights do not depend on the number of workers.
//! Gradients of weights are sums over lanes, images and positions: convolutions keep tiles of channels × taps in
//! registers and add the lanes last; dense layers sum image by image.

mod adam;
mod chain;
mod conv;
mod dense;
mod filtering;
mod kernel;
mod lstm;
mod memory;
mod norm;
mod scattered;
mod slopes;
mod taps;
mod transpose;
mod turned;

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::nets::graph::Graph;
use crate::nets::softmax::log_softmax;
use crate::session::array::Array;
use crate::session::record::Weights;

use super::Lanes;
use super::team::{self, each};
use adam::Parameter;
use chain::Layer;
use memory::{Memory, Part, Pointer};
pub use slopes::Slopes;

/// The magic bytes at the start of the serialized state of [`Fit`].
const MAGIC: &[u8] = b"noisescope fit 1";

/// A network in training.
#[derive(Debug)]
pub struct Fit {
    lanes: Lanes,
    /// Pixels of an image, over all channels.
    numbers: usize,
    classes: usize,
    layers: Vec<Layer>,
    parameters: Vec<Parameter>,
    /// Elements per lane of one group's frame.
    frame: usize,
    memory: Memory,
    /// Number of Adam steps so far.
    time: u64,
    /// Weight decay, added to gradients.
    decay: f32,
}

/// Writes the pixels of the image with this index in the batch.
pub type Show<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Bytes of batch data that stay in the caches.
const KEPT: usize = 16 << 20;

/// The cost of one class in the loss, in multiplications.
const LOSS: usize = 1000;

/// Runs of consecutive layers that agree in whether they work group by group.
fn runs(layers: &[Layer]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if layers[run.start].is_by_group() == layer.is_by_group() => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// The loss and logits of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Sum of the cross-entropy over its images.
    pub loss: f64,
    /// Logits, row-major \[N,K\].
    pub logits: Vec<f32>,
}

impl Fit {
    /// A graph in training; `None` if it is not a chain of supported layers. `state` is the state of the optimizer,
    /// empty at the beginning.
    ///
    /// # Errors
    /// If the state belongs to another network or cannot be read.
    pub fn new(
        graph: &Graph,
        weights: &Weights,
        state: &[u8],
        decay: f64,
    ) -> Result<Option<Self>, String> {
        let lanes = Lanes::chosen();
        let Some(chain) = chain::chain(graph, weights, lanes.count()) else {
            return Ok(None);
        };
        let mut own = Self {
            lanes,
            numbers: graph.image().iter().product(),
            classes: graph.classes(),
            memory: Memory::default(),
            layers: chain.layers,
            frame: chain.frame,
            parameters: weights
                .tensors
                .iter()
                .map(|(name, values)| Parameter::new(name, values))
                .collect(),
            time: 0,
            decay: decay as f32,
        };
        for at in chain.fixed {
            own.parameters[at].fixed = true;
        }
        if !state.is_empty() {
            own.take_state(state)?;
        }
        Ok(Some(own))
    }

    /// Whether the state of an optimizer was written by [`Self::state`].
    pub fn is_state(state: &[u8]) -> bool {
        state.starts_with(MAGIC)
    }

    /// One training step on a batch of images, one per label: `show` writes the pixels of an image, row-major \[C,H,W\]
    /// in \[0,1\]. If the loss is not finite, nothing is changed.
    pub fn batch(&mut self, show: Show, labels: &[usize], rate: f64) -> Said {
        team::together(|| {
            let said = self.gradients(show, labels);
            if said.loss.is_finite() {
                self.time += 1;
                adam::step(&mut self.parameters, self.time, rate, self.decay);
                for layer in &self.layers {
                    layer.keep(&mut self.parameters);
                }
            }
            said
        })
    }

    /// Computes the gradients of the mean loss and stores them with the parameters. A batch that does not fit in the
    /// caches is processed in portions, whose gradients are added in order.
    fn gradients(&mut self, show: Show, labels: &[usize]) -> Said {
        let portion = self.portion(labels.len());
        let mut all = Said {
            loss: 0.0,
            logits: Vec::with_capacity(labels.len() * self.classes),
        };
        let mut sums: Vec<Vec<f32>> = Vec::new();
        for layer in &mut self.layers {
            layer.prepare(&self.parameters, self.lanes);
        }
        for (at, own) in labels.chunks(portion.max(1)).enumerate() {
            let first = at * portion;
            let show = |image: usize, into: &mut [f32]| show(first + image, into);
            let said = self.portion_of(&show, own, labels.len());
            all.loss += said.loss;
            all.logits.extend(said.logits);
            let last = first + own.len() == labels.len();
            match (at, last) {
                (0, true) => {}
                (0, false) => {
                    sums = self
                        .parameters
                        .iter()
                        .map(|it| it.gradient.clone())
                        .collect()
                }
                _ => adam::add(&mut sums, &mut self.parameters, last),
            }
        }
        all
    }

    /// Images processed together: all of them if the statistics of the batch are needed.
    fn portion(&self, images: usize) -> usize {
        let whole = self.layers.iter().any(|it| matches!(it, Layer::Norm(_)));
        let lanes = self.lanes.count();
        let fitting = KEPT / (4 * self.frame * lanes).max(1);
        match whole {
            true => images,
            false => (fitting / 4 * 4).max(4) * lanes,
        }
    }

    /// The gradients of a portion of a batch of `images` images.
    fn portion_of(&mut self, show: Show, labels: &[usize], images: usize) -> Said {
        let lanes = self.lanes.count();
        let groups = labels.len().div_ceil(lanes).next_multiple_of(4);
        self.memory.reserve(self.frame * lanes, groups);
        let frames = Frames {
            pointer: self.memory.pointer(),
            frame: self.frame,
            groups,
            images: labels.len(),
        };
        // Layers that work group by group do not wait for other groups.
        let own = self.lanes;
        let numbers = self.numbers;
        let load = |group: usize| memory::load(&frames, group, lanes, show, numbers);
        let loaded = groups * lanes * numbers * memory::LOADED;
        for run in runs(&self.layers) {
            let layers = &mut self.layers[run.clone()];
            if layers[0].is_by_group() {
                each(groups, usize::MAX, |group| {
                    if run.start == 0 {
                        load(group);
                    }
                    let layers = layers.iter();
                    layers.for_each(|layer| layer.forward_group(&frames, group, own));
                });
                continue;
            }
            if run.start == 0 {
                each(groups, loaded, load);
            }
            for layer in layers {
                layer.forward(&frames, &self.parameters, own);
            }
        }
        let said = self.loss(&frames, labels, images);
        for run in runs(&self.layers).into_iter().rev() {
            let layers = &mut self.layers[run];
            if layers[0].is_by_group() {
                each(groups, usize::MAX, |group| {
                    let layers = layers.iter().rev();
                    layers.for_each(|layer| layer.backward_group(&frames, group, own));
                });
            }
            for layer in layers.iter_mut().rev() {
                layer.backward(&frames, &mut self.parameters, own);
            }
        }
        said
    }

    /// Cross-entropy of the logits, and its gradient with respect to them divided by the number of images of the batch.
    fn loss(&self, frames: &Frames, labels: &[usize], images: usize) -> Said {
        let lanes = self.lanes.count();
        let last = self.layers.last().and_then(Layer::ends);
        // A chain ends with a dense layer.
        let Some((y, dy)) = last else {
            return Said {
                loss: f64::NAN,
                logits: Vec::new(),
            };
        };
        let share = 1.0 / images.max(1) as f64;
        let mut logits = vec![0.0; labels.len() * self.classes];
        let mut losses = vec![0.0; labels.len()];
        let rows = Part(logits.as_mut_ptr());
        let own_losses = Part(losses.as_mut_ptr());
        let groups = labels.len().div_ceil(lanes);
        each(groups, labels.len() * self.classes * LOSS, |group| {
            let images = frames.images_of(group, lanes);
            let first = group * lanes;
            let rows = rows.part(first * self.classes, images * self.classes);
            let losses = own_losses.part(first, images);
            // SAFETY: both tensors lie in the frame of the group, which belongs to this task.
            let at = |place: usize, class: usize, lane: usize| unsafe {
                frames.at(group, place + class, lanes).add(lane)
            };
            let own = rows.chunks_exact_mut(self.classes).zip(losses);
            for (lane, (row, loss)) in own.enumerate() {
                let label = labels[group * lanes + lane];
                for (class, logit) in row.iter_mut().enumerate() {
                    // SAFETY: as above.
                    *logit = unsafe { *at(y, class, lane) };
                }
                let logs = log_softmax(row);
                *loss = -logs[label];
                for (class, log) in logs.iter().enumerate() {
                    let wanted = f64::from(u8::from(class == label));
                    // SAFETY: as above.
                    unsafe { *at(dy, class, lane) = ((log.exp() - wanted) * share) as f32 };
                }
            }
        });
        for image in labels.len()..frames.groups * lanes {
            for class in 0..self.classes {
                // SAFETY: as above.
                unsafe {
                    *frames
                        .at(image / lanes, dy + class, lanes)
                        .add(image % lanes) = 0.0
                };
            }
        }
        Said {
            loss: losses.iter().sum(),
            logits,
        }
    }

    /// Microseconds per image of each part of a training step on this batch, with all workers.
    pub fn times(&mut self, show: Show, labels: &[usize]) -> Vec<(String, f64)> {
        team::together(|| self.times_of(show, labels))
    }

    fn times_of(&mut self, show: Show, labels: &[usize]) -> Vec<(String, f64)> {
        let lanes = self.lanes.count();
        let labels = &labels[..labels.len().min(self.portion(labels.len()))];
        self.gradients(show, labels);
        let groups = labels.len().div_ceil(lanes).next_multiple_of(4);
        let frames = Frames {
            pointer: self.memory.pointer(),
            frame: self.frame,
            groups,
            images: labels.len(),
        };
        let mut times = Vec::new();
        let mut time = |name: String, run: &mut dyn FnMut()| {
            let began = Instant::now();
            let mut runs = 0;
            while runs < 2 || began.elapsed() < Duration::from_millis(60) {
                run();
                runs += 1;
            }
            let seconds = began.elapsed().as_secs_f64() / f64::from(runs);
            times.push((name, seconds * 1e6 / labels.len().max(1) as f64));
        };
        let own = self.lanes;
        let all = |run: &(dyn Fn(usize) + Sync)| each(groups, usize::MAX, run);
        time("images into lanes".into(), &mut || {
            all(&|group| memory::load(&frames, group, lanes, show, self.numbers));
        });
        let parameters = &mut self.parameters;
        for (at, layer) in self.layers.iter_mut().enumerate() {
            let name = format!("{at} {}", layer.label());
            time(format!("{name}: weights"), &mut || {
                layer.prepare(parameters, own);
            });
            time(
                format!("{name}: forward"),
                &mut || match layer.is_by_group() {
                    true => all(&|group| layer.forward_group(&frames, group, own)),
                    false => layer.forward(&frames, parameters, own),
                },
            );
            if let Layer::Convolution(it) = layer {
                time(format!("{name}: by sums"), &mut || {
                    all(&|group| it.grow(&frames, group, own));
                });
                time(format!("{name}: by inputs"), &mut || {
                    all(&|group| it.by_inputs(&frames, group, own));
                });
            }
            if let Layer::Dense(it) = layer {
                time(format!("{name}: by inputs"), &mut || {
                    it.by_inputs(&frames, parameters, own);
                });
                time(format!("{name}: by weights"), &mut || {
                    it.by_weights(&frames, parameters, own);
                });
                continue;
            }
            time(format!("{name}: backward, by weights"), &mut || {
                layer.backward(&frames, parameters, own);
            });
        }
        time("Adam".into(), &mut || {
            adam::step(&mut self.parameters, 1, 0.0, 0.0);
        });
        times
    }

    /// The current weights.
    pub fn weights(&self) -> Weights {
        let own = self.parameters.iter();
        Weights {
            tensors: own
                .map(|it| (it.name.clone(), Array::new(&it.shape, it.values.clone())))
                .collect(),
        }
    }

    /// The state of the optimizer, with which [`Fit::new`] resumes exactly here.
    pub fn state(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.time.to_le_bytes());
        for parameter in &self.parameters {
            let both = parameter.first.iter().chain(&parameter.second);
            bytes.extend(both.flat_map(|value| value.to_le_bytes()));
        }
        bytes
    }

    fn take_state(&mut self, state: &[u8]) -> Result<(), String> {
        let numbers: usize = self.parameters.iter().map(|it| 2 * it.values.len()).sum();
        let head = MAGIC.len() + 8;
        if !Self::is_state(state) || state.len() != head + 4 * numbers {
            return Err("it is of another network".into());
        }
        let mut time = [0; 8];
        time.copy_from_slice(&state[MAGIC.len()..head]);
        self.time = u64::from_le_bytes(time);
        let mut numbers = state[head..]
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        for parameter in &mut self.parameters {
            let count = parameter.values.len();
            parameter.first = numbers.by_ref().take(count).collect();
            parameter.second = numbers.by_ref().take(count).collect();
        }
        Ok(())
    }
}

/// The frames of the groups of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Frames {
    pointer: Pointer,
    /// Elements per lane of a frame.
    frame: usize,
    groups: usize,
    /// Images in all groups; the last group may have fewer than lanes.
    images: usize,
}

impl Frames {
    /// Images of a group.
    #[inline(always)]
    fn images_of(&self, group: usize, lanes: usize) -> usize {
        self.images.saturating_sub(group * lanes).min(lanes)
    }

    /// Address of an element of a group.
    ///
    /// # Safety
    /// It must lie inside the frame.
    #[inline(always)]
    unsafe fn at(&self, group: usize, number: usize, lanes: usize) -> *mut f32 {
        // SAFETY: the caller's.
        unsafe { self.pointer.0.add((group * self.frame + number) * lanes) }
    }
}

#[cfg(test)]
mod tests;
