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
mod layer;
mod loss;
mod lstm;
mod memory;
mod norm;
mod scattered;
mod taps;
mod times;
mod transpose;
mod unit_gradients;
mod winograd_backward;
mod winograd_weights;

use std::ops::Range;

use crate::nets::graph::Graph;
use crate::session::array::Array;
use crate::session::record::NetworkWeights;

use super::Lanes;
use super::team::{self, run_tasks};
use adam::Parameter;
use layer::FitLayer;
pub use memory::BatchMemory;
use memory::Memory;
use times::{LayerPart, Part, StepClock};
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
    /// Times of the parts of steps, if they are measured.
    clock: StepClock,
}

/// Writes the pixels of the image with this index in the batch.
pub type WriteImage<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Bytes of batch data that stay in the caches.
const CACHE_BYTES: usize = 16 << 20;

/// Images processed together: as many as fit in the caches. `group_len` is the length of a frame per lane.
fn cached_images(group_len: usize, lanes: usize) -> usize {
    let fitting = CACHE_BYTES / (4 * group_len * lanes).max(1);
    (fitting / 4 * 4).max(4) * lanes
}

/// Images of a batch of `images` that are processed together: all of them if a layer needs the statistics of the batch.
fn portion(layers: &[FitLayer], group_len: usize, lanes: usize, images: usize) -> usize {
    let mut layers = layers.iter();
    match layers.any(|layer| matches!(layer, FitLayer::Norm(_))) {
        true => images,
        false => cached_images(group_len, lanes),
    }
}

/// Groups of images, a multiple of four.
fn groups(images: usize, lanes: usize) -> usize {
    images.div_ceil(lanes).next_multiple_of(4)
}

/// Runs of consecutive layers that agree in whether they work group by group.
fn layer_runs(layers: &[FitLayer]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if layers[run.start].works_by_group() == layer.works_by_group() => {
                run.end = index + 1
            }
            _ => runs.push(index..index + 1),
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
        let mut fit = Self {
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
            clock: StepClock::default(),
        };
        for index in chain.fixed {
            fit.parameters[index].fixed = true;
        }
        if !state.is_empty() {
            fit.read_state(state)?;
        }
        Ok(Some(fit))
    }

    /// Whether the state of an optimizer was written by [`Self::state`].
    pub fn is_state(state: &[u8]) -> bool {
        state.starts_with(MAGIC)
    }

    /// One training step on a batch of images, one per label: `write_image` writes the pixels of an image, row-major
    /// \[C,H,W\] in \[0,1\]. If the loss is not finite, nothing is changed.
    pub fn batch(&mut self, write_image: WriteImage, labels: &[usize], rate: f64) -> BatchLoss {
        team::with_team(|| {
            let batch_loss = self.gradients(write_image, labels);
            if batch_loss.loss.is_finite() {
                self.time += 1;
                let (parameters, time, decay) = (&mut self.parameters, self.time, self.decay);
                self.clock.time(Part::Adam, || {
                    adam::step(parameters, time, rate, decay);
                });
                for layer in &self.layers {
                    layer.update_statistics(&mut self.parameters);
                }
            }
            batch_loss
        })
    }

    /// Computes the gradients of the mean loss and stores them with the parameters. A batch that does not fit in the
    /// caches is processed in portions, whose gradients are added in order.
    fn gradients(&mut self, write_image: WriteImage, labels: &[usize]) -> BatchLoss {
        let portion = self.portion(labels.len());
        let mut total = BatchLoss {
            loss: 0.0,
            logits: Vec::with_capacity(labels.len() * self.classes),
        };
        let mut sums: Vec<Vec<f32>> = Vec::new();
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let part = Part::Layer(index, LayerPart::Pack);
            self.clock
                .time(part, || layer.prepare(&self.parameters, self.lanes));
        }
        for (index, chunk) in labels.chunks(portion.max(1)).enumerate() {
            let first = index * portion;
            let write_image = |image: usize, into: &mut [f32]| write_image(first + image, into);
            let chunk_loss = self.portion_gradients(&write_image, chunk, labels.len());
            total.loss += chunk_loss.loss;
            total.logits.extend(chunk_loss.logits);
            let last = first + chunk.len() == labels.len();
            match (index, last) {
                (0, true) => {}
                (0, false) => {
                    sums = self
                        .parameters
                        .iter()
                        .map(|parameter| parameter.gradient.clone())
                        .collect()
                }
                _ => self.clock.time(Part::Portions, || {
                    adam::add_gradients(&mut sums, &mut self.parameters, last);
                }),
            }
        }
        total
    }

    /// Images of a batch of `images` that are processed together.
    fn portion(&self, images: usize) -> usize {
        portion(&self.layers, self.group_len, self.lanes.count(), images)
    }

    /// Groups of images for this many of them.
    fn groups(&self, images: usize) -> usize {
        groups(images, self.lanes.count())
    }

    /// The bytes of a batch of `images` images while a graph is trained on them, without allocating them; 0 if it
    /// is not a chain of supported layers.
    pub fn batch_bytes(graph: &Graph, images: usize) -> usize {
        let lanes = Lanes::from_env_or_widest().count();
        let weights = graph.weights().iter();
        let weights = NetworkWeights {
            tensors: weights
                .map(|(name, values)| (name.clone(), values.clone()))
                .collect(),
        };
        let Some(chain) = chain::training_chain(graph, &weights, lanes) else {
            return 0;
        };
        let together = images.min(portion(&chain.layers, chain.group_len, lanes, images));
        Memory::bytes_for(chain.group_len * lanes, groups(together, lanes))
    }

    /// The gradients of a portion of a batch of `images` images.
    fn portion_gradients(
        &mut self,
        write_image: WriteImage,
        labels: &[usize],
        images: usize,
    ) -> BatchLoss {
        let lanes = self.lanes;
        let lane_count = lanes.count();
        let groups = self.groups(labels.len());
        self.memory.reserve(self.group_len * lane_count, groups);
        let frames = BatchMemory {
            pointer: self.memory.pointer(),
            group_len: self.group_len,
            groups,
            images: labels.len(),
        };
        // Layers that work group by group do not wait for other groups.
        let image_len = self.image_len;
        let clock = &self.clock;
        let load = |group: usize| {
            clock.time(Part::Images, || {
                memory::load(&frames, group, lane_count, write_image, image_len);
            });
        };
        let loaded = groups * lane_count * image_len * memory::LOAD_COST;
        for run in layer_runs(&self.layers) {
            let layers = &mut self.layers[run.clone()];
            if layers[0].works_by_group() {
                run_tasks(groups, usize::MAX, |group| {
                    if run.start == 0 {
                        load(group);
                    }
                    for (index, layer) in run.clone().zip(layers.iter()) {
                        let part = Part::Layer(index, LayerPart::Forward);
                        clock.time(part, || layer.forward_group(&frames, group, lanes));
                    }
                });
                continue;
            }
            if run.start == 0 {
                run_tasks(groups, loaded, load);
            }
            for (index, layer) in run.zip(layers) {
                let part = Part::Layer(index, LayerPart::Forward);
                clock.time(part, || layer.forward(&frames, &self.parameters, lanes));
            }
        }
        let batch_loss = clock.time(Part::Loss, || self.loss(&frames, labels, images));
        for run in layer_runs(&self.layers).into_iter().rev() {
            let layers = &mut self.layers[run.clone()];
            if layers[0].works_by_group() {
                run_tasks(groups, usize::MAX, |group| {
                    for (index, layer) in run.clone().zip(layers.iter()).rev() {
                        let part = Part::Layer(index, LayerPart::Inputs);
                        clock.time(part, || layer.backward_group(&frames, group, lanes));
                    }
                });
            }
            for (index, layer) in run.zip(layers).rev() {
                let parameters = &mut self.parameters;
                let [weights, inputs] =
                    [LayerPart::Weights, LayerPart::Inputs].map(|part| Part::Layer(index, part));
                let FitLayer::Dense(dense) = layer else {
                    clock.time(weights, || layer.backward(&frames, parameters, lanes));
                    continue;
                };
                clock.time(weights, || {
                    dense.weight_gradients(&frames, parameters, lanes);
                });
                clock.time(inputs, || dense.input_gradients(&frames, parameters, lanes));
            }
        }
        batch_loss
    }

    /// The current weights.
    pub fn weights(&self) -> NetworkWeights {
        let parameters = self.parameters.iter();
        NetworkWeights {
            tensors: parameters
                .map(|parameter| {
                    (
                        parameter.name.clone(),
                        Array::new(&parameter.shape, parameter.values.clone()),
                    )
                })
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

    fn read_state(&mut self, state: &[u8]) -> Result<(), String> {
        let numbers: usize = self
            .parameters
            .iter()
            .map(|parameter| 2 * parameter.values.len())
            .sum();
        let head = MAGIC.len() + 8;
        if !Self::is_state(state) || state.len() != head + 4 * numbers {
            return Err("it belongs to another network".into());
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

#[cfg(test)]
mod tests;
