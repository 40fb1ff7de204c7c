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
mod kernel;
mod lstm;
mod memory;
mod norm;
mod scattered;
mod taps;
mod transpose;
mod unit_gradients;
mod winograd_backward;
mod winograd_weights;

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::nets::graph::Graph;
use crate::nets::softmax::log_softmax;
use crate::session::array::Array;
use crate::session::record::NetworkWeights;

use super::Lanes;
use super::team::{self, run_tasks};
use adam::Parameter;
use chain::FitLayer;
use memory::{DisjointPointer, FloatPointer, Memory};
pub use unit_gradients::UnitGradients;

/// The magic bytes at the start of the serialized state of [`Fit`].
const MAGIC: &[u8] = b"noisescope fit 1";

/// A network in training.
#[derive(Debug)]
pub struct Fit {
    lanes: Lanes,
    /// Pixels of an image, over all channels.
    image_len: usize,
    classes: usize,
    layers: Vec<FitLayer>,
    parameters: Vec<Parameter>,
    /// Elements per lane of one group's frame.
    group_len: usize,
    memory: Memory,
    /// Number of Adam steps so far.
    time: u64,
    /// Weight decay, added to gradients.
    decay: f32,
}

/// Writes the pixels of the image with this index in the batch.
pub type WriteImage<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Bytes of batch data that stay in the caches.
const CACHE_BYTES: usize = 16 << 20;

/// The cost of one class in the loss, in multiplications.
const LOSS_COST: usize = 1000;

/// Runs of consecutive layers that agree in whether they work group by group.
fn layer_runs(layers: &[FitLayer]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, layer) in layers.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if layers[run.start].works_by_group() == layer.works_by_group() => {
                run.end = at + 1
            }
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// The loss and logits of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchLoss {
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
        weights: &NetworkWeights,
        state: &[u8],
        decay: f64,
    ) -> Result<Option<Self>, String> {
        let lanes = Lanes::from_env_or_widest();
        let Some(chain) = chain::training_chain(graph, weights, lanes.count()) else {
            return Ok(None);
        };
        let mut own = Self {
            lanes,
            image_len: graph.image().iter().product(),
            classes: graph.classes(),
            memory: Memory::default(),
            layers: chain.layers,
            group_len: chain.group_len,
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
    pub fn batch(&mut self, show: WriteImage, labels: &[usize], rate: f64) -> BatchLoss {
        team::with_team(|| {
            let said = self.gradients(show, labels);
            if said.loss.is_finite() {
                self.time += 1;
                adam::step(&mut self.parameters, self.time, rate, self.decay);
                for layer in &self.layers {
                    layer.update_statistics(&mut self.parameters);
                }
            }
            said
        })
    }

    /// Computes the gradients of the mean loss and stores them with the parameters. A batch that does not fit in the
    /// caches is processed in portions, whose gradients are added in order.
    fn gradients(&mut self, show: WriteImage, labels: &[usize]) -> BatchLoss {
        let portion = self.portion(labels.len());
        let mut all = BatchLoss {
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
            let said = self.portion_gradients(&show, own, labels.len());
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
                _ => adam::add_gradients(&mut sums, &mut self.parameters, last),
            }
        }
        all
    }

    /// Images processed together: all of them if the statistics of the batch are needed.
    fn portion(&self, images: usize) -> usize {
        let whole = self.layers.iter().any(|it| matches!(it, FitLayer::Norm(_)));
        let lanes = self.lanes.count();
        let fitting = CACHE_BYTES / (4 * self.group_len * lanes).max(1);
        match whole {
            true => images,
            false => (fitting / 4 * 4).max(4) * lanes,
        }
    }

    /// The gradients of a portion of a batch of `images` images.
    fn portion_gradients(
        &mut self,
        show: WriteImage,
        labels: &[usize],
        images: usize,
    ) -> BatchLoss {
        let lanes = self.lanes.count();
        let groups = labels.len().div_ceil(lanes).next_multiple_of(4);
        self.memory.reserve(self.group_len * lanes, groups);
        let frames = BatchMemory {
            pointer: self.memory.pointer(),
            group_len: self.group_len,
            groups,
            images: labels.len(),
        };
        // Layers that work group by group do not wait for other groups.
        let own = self.lanes;
        let numbers = self.image_len;
        let load = |group: usize| memory::load(&frames, group, lanes, show, numbers);
        let loaded = groups * lanes * numbers * memory::LOAD_COST;
        for run in layer_runs(&self.layers) {
            let layers = &mut self.layers[run.clone()];
            if layers[0].works_by_group() {
                run_tasks(groups, usize::MAX, |group| {
                    if run.start == 0 {
                        load(group);
                    }
                    let layers = layers.iter();
                    layers.for_each(|layer| layer.forward_group(&frames, group, own));
                });
                continue;
            }
            if run.start == 0 {
                run_tasks(groups, loaded, load);
            }
            for layer in layers {
                layer.forward(&frames, &self.parameters, own);
            }
        }
        let said = self.loss(&frames, labels, images);
        for run in layer_runs(&self.layers).into_iter().rev() {
            let layers = &mut self.layers[run];
            if layers[0].works_by_group() {
                run_tasks(groups, usize::MAX, |group| {
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
    fn loss(&self, frames: &BatchMemory, labels: &[usize], images: usize) -> BatchLoss {
        let lanes = self.lanes.count();
        let last = self.layers.last().and_then(FitLayer::output_offsets);
        // A chain ends with a dense layer.
        let Some((y, dy)) = last else {
            return BatchLoss {
                loss: f64::NAN,
                logits: Vec::new(),
            };
        };
        let share = 1.0 / images.max(1) as f64;
        let mut logits = vec![0.0; labels.len() * self.classes];
        let mut losses = vec![0.0; labels.len()];
        let rows = DisjointPointer(logits.as_mut_ptr());
        let own_losses = DisjointPointer(losses.as_mut_ptr());
        let groups = labels.len().div_ceil(lanes);
        run_tasks(groups, labels.len() * self.classes * LOSS_COST, |group| {
            let images = frames.images_of(group, lanes);
            let first = group * lanes;
            let rows = rows.slice(first * self.classes, images * self.classes);
            let losses = own_losses.slice(first, images);
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
        BatchLoss {
            loss: losses.iter().sum(),
            logits,
        }
    }

    /// Microseconds per image of each part of a training step on this batch, with all workers.
    pub fn times(&mut self, show: WriteImage, labels: &[usize]) -> Vec<(String, f64)> {
        team::with_team(|| self.times_of(show, labels))
    }

    fn times_of(&mut self, show: WriteImage, labels: &[usize]) -> Vec<(String, f64)> {
        let lanes = self.lanes.count();
        let labels = &labels[..labels.len().min(self.portion(labels.len()))];
        self.gradients(show, labels);
        let groups = labels.len().div_ceil(lanes).next_multiple_of(4);
        let frames = BatchMemory {
            pointer: self.memory.pointer(),
            group_len: self.group_len,
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
        let all = |run: &(dyn Fn(usize) + Sync)| run_tasks(groups, usize::MAX, run);
        time("images into lanes".into(), &mut || {
            all(&|group| memory::load(&frames, group, lanes, show, self.image_len));
        });
        let parameters = &mut self.parameters;
        for (at, layer) in self.layers.iter_mut().enumerate() {
            let name = format!("{at} {}", layer.label());
            time(format!("{name}: weights"), &mut || {
                layer.prepare(parameters, own);
            });
            time(
                format!("{name}: forward"),
                &mut || match layer.works_by_group() {
                    true => all(&|group| layer.forward_group(&frames, group, own)),
                    false => layer.forward(&frames, parameters, own),
                },
            );
            if let FitLayer::Convolution(it) = layer {
                time(format!("{name}: by sums"), &mut || {
                    all(&|group| it.preactivation_gradients(&frames, group, own));
                });
                time(format!("{name}: by inputs"), &mut || {
                    all(&|group| it.input_gradients(&frames, group, own));
                });
            }
            if let FitLayer::Dense(it) = layer {
                time(format!("{name}: by inputs"), &mut || {
                    it.input_gradients(&frames, parameters, own);
                });
                time(format!("{name}: by weights"), &mut || {
                    it.weight_gradients(&frames, parameters, own);
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
    pub fn weights(&self) -> NetworkWeights {
        let own = self.parameters.iter();
        NetworkWeights {
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
            let both = parameter
                .first_moment
                .iter()
                .chain(&parameter.second_moment);
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
            parameter.first_moment = numbers.by_ref().take(count).collect();
            parameter.second_moment = numbers.by_ref().take(count).collect();
        }
        Ok(())
    }
}

/// The frames of the groups of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchMemory {
    pointer: FloatPointer,
    /// Elements per lane of a frame.
    group_len: usize,
    groups: usize,
    /// Images in all groups; the last group may have fewer than lanes.
    images: usize,
}

impl BatchMemory {
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
        unsafe {
            self.pointer
                .0
                .add((group * self.group_len + number) * lanes)
        }
    }
}

#[cfg(test)]
mod tests;
