//! Gradients of units with respect to the image: one forward pass, and one backward pass per unit.

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::super::team::run_tasks;
use super::adam::Parameter;
use super::chain::{self, Chain};
use super::layer::FitLayer;
use super::memory::{self, Memory};
use super::{BatchMemory, cached_images, groups, layer_runs};
use crate::nets::graph::{Graph, NodeId, NodeInput};
use crate::session::record::NetworkWeights;

/// Computes the gradients of one node's units, with the layers up to that node.
#[derive(Debug)]
pub struct UnitGradients {
    lanes: Lanes,
    layers: Vec<FitLayer>,
    parameters: Vec<Parameter>,
    /// Elements per lane of one group's frame.
    group_len: usize,
    memory: Memory,
    /// The gradient of the node's output.
    output_gradient: TensorSlot,
    /// The gradient of the scaled images.
    image_gradient: TensorSlot,
    /// The factor by which images are scaled first.
    factor: f32,
    /// Copy of the convolutions' sums, because gradients overwrite them.
    saved_sums: Vec<f32>,
}

/// The layers of a graph up to a node, and their weights; `None` as for [`UnitGradients::new`].
fn chain_and_weights(graph: &Graph, node: NodeId, lanes: Lanes) -> Option<(Chain, NetworkWeights)> {
    let nodes = graph.nodes().get(..=node.0)?;
    let names = nodes.iter().flat_map(|node| &node.inputs);
    let names = names.filter_map(|input| match input {
        NodeInput::Weight(name) => Some(name),
        NodeInput::Node(_) => None,
    });
    let tensors = names.map(|name| Some((name.clone(), graph.weights().get(name)?.clone())));
    let weights = NetworkWeights {
        tensors: tensors.collect::<Option<_>>()?,
    };
    let chain = chain::chain_up_to(graph, &weights, node, lanes.count())?;
    let is_supported = |layer: &FitLayer| match layer {
        FitLayer::Scale(..) | FitLayer::Convolution(_) | FitLayer::Dense(_) => true,
        // Batch statistics do not belong to a single image; sequences are not supported here.
        FitLayer::Rows(..) | FitLayer::Norm(_) | FitLayer::Lstm(_) => false,
    };
    let all = chain.layers.iter().all(is_supported);
    all.then_some((chain, weights))
}

/// Floats of the packed weights of the convolutions.
fn packed_len(layers: &[FitLayer]) -> usize {
    let packed = layers.iter().map(|layer| match layer {
        FitLayer::Convolution(convolution) => convolution.packed_len(),
        _ => 0,
    });
    packed.sum()
}

/// The stored sums of the convolutions, which their gradients overwrite.
fn stored_sums(layers: &[FitLayer]) -> Vec<TensorSlot> {
    let convolutions = layers.iter().filter_map(|layer| match layer {
        FitLayer::Convolution(convolution) => convolution.kept(),
        _ => None,
    });
    convolutions.collect()
}

impl UnitGradients {
    /// The layers of a graph up to a node; `None` if they are not a chain of convolutions, max pooling, ReLUs and dense
    /// layers.
    pub fn new(graph: &Graph, node: NodeId) -> Option<Self> {
        let lanes = Lanes::from_env_or_widest();
        let (chain, weights) = chain_and_weights(graph, node, lanes)?;
        let mut layers = chain.layers;
        let factor = layers.iter().fold(1.0, |factor, layer| match layer {
            FitLayer::Scale(scale, ..) => *scale,
            _ => factor,
        });
        let untrained = |(name, values): &(String, _)| Parameter::untrained(name, values);
        let parameters: Vec<Parameter> = weights.tensors.iter().map(untrained).collect();
        for layer in &mut layers {
            layer.prepare(&parameters, lanes);
        }
        Some(Self {
            lanes,
            layers,
            parameters,
            group_len: chain.group_len,
            memory: Memory::default(),
            output_gradient: chain.output_gradient?,
            image_gradient: chain.image_gradient?,
            factor,
            saved_sums: Vec::new(),
        })
    }

    /// Bytes of the weights (as stored, and packed for the forward and backward passes) and of the current images' data.
    pub fn bytes(&self) -> usize {
        let weights = self.parameters.iter();
        let weights: usize = weights.map(|parameter| parameter.values.len()).sum();
        let packed = packed_len(&self.layers);
        4 * (weights + packed + self.saved_sums.len()) + self.memory.bytes()
    }

    /// The bytes of the gradients of a node's units once they have been computed for `images` images, without
    /// allocating them; `None` as for [`Self::new`].
    pub fn bytes_for(graph: &Graph, node: NodeId, images: usize) -> Option<usize> {
        let lanes = Lanes::from_env_or_widest();
        let (chain, weights) = chain_and_weights(graph, node, lanes)?;
        let lanes = lanes.count();
        let groups = groups(images.min(cached_images(chain.group_len, lanes)), lanes);
        let weights = weights.tensors.iter();
        let weights: usize = weights.map(|(_, values)| values.values().len()).sum();
        let sums = stored_sums(&chain.layers);
        let sums: usize = sums.iter().map(TensorSlot::padded_elements).sum();
        let floats = weights + packed_len(&chain.layers) + sums * lanes * groups;
        Some(4 * floats + Memory::bytes_for(chain.group_len * lanes, groups))
    }

    /// Adds to `sums`, \[units,C·H·W\], the gradients of each unit's sum over positions with respect to the images,
    /// row-major \[N,C,H,W\], image by image. Units and positions are offsets in the node's output for one image: their
    /// sum is the index of a unit at a position.
    pub fn add(&mut self, pixels: &[f32], units: &[usize], positions: &[usize], sums: &mut [f64]) {
        let image_len = self.image_gradient.elements();
        let portion = cached_images(self.group_len, self.lanes.count());
        for pixels in pixels.chunks(portion * image_len) {
            self.add_portion(pixels, units, positions, sums);
        }
    }

    fn add_portion(
        &mut self,
        pixels: &[f32],
        units: &[usize],
        positions: &[usize],
        sums: &mut [f64],
    ) {
        let (lanes, image_len) = (self.lanes.count(), self.image_gradient.elements());
        let images = pixels.len() / image_len;
        let groups = groups(images, lanes);
        self.memory.reserve(self.group_len * lanes, groups);
        let frames = BatchMemory {
            pointer: self.memory.pointer(),
            group_len: self.group_len,
            groups,
            images,
        };
        self.forward(&frames, pixels);
        self.save_sums(&frames);
        for (index, (&unit, sums)) in units
            .iter()
            .zip(sums.chunks_exact_mut(image_len))
            .enumerate()
        {
            if index > 0 {
                self.restore_sums(&frames);
            }
            self.seed(&frames, unit, positions);
            self.backward(&frames);
            self.sum(&frames, sums);
        }
    }

    fn forward(&mut self, frames: &BatchMemory, pixels: &[f32]) {
        let (lanes, lane_count, image_len) = (
            self.lanes,
            self.lanes.count(),
            self.image_gradient.elements(),
        );
        let write_image = |image: usize, into: &mut [f32]| {
            into.copy_from_slice(&pixels[image * image_len..][..image_len]);
        };
        for run in layer_runs(&self.layers) {
            let layers = &mut self.layers[run.clone()];
            let by_group = layers[0].works_by_group();
            run_tasks(frames.groups, usize::MAX, |group| {
                if run.start == 0 {
                    memory::load(frames, group, lane_count, &write_image, image_len);
                }
                if by_group {
                    let layers = layers.iter();
                    layers.for_each(|layer| layer.forward_group(frames, group, lanes));
                }
            });
            if !by_group {
                for layer in layers {
                    layer.forward(frames, &self.parameters, lanes);
                }
            }
        }
    }

    /// The backward pass from the seeded gradients to the images. The convolutions' sums must be intact.
    fn backward(&mut self, frames: &BatchMemory) {
        let lanes = self.lanes;
        for run in layer_runs(&self.layers).into_iter().rev() {
            let layers = &mut self.layers[run];
            if layers[0].works_by_group() {
                run_tasks(frames.groups, usize::MAX, |group| {
                    let layers = layers.iter().rev();
                    layers.for_each(|layer| layer.backward_group(frames, group, lanes));
                });
                continue;
            }
            for layer in layers.iter_mut().rev() {
                if let FitLayer::Dense(dense) = layer {
                    dense.rectify(frames, lanes);
                    dense.input_gradients(frames, &self.parameters, lanes);
                }
            }
        }
    }

    fn save_sums(&mut self, frames: &BatchMemory) {
        let lanes = self.lanes.count();
        self.saved_sums.clear();
        for slot in stored_sums(&self.layers) {
            for group in 0..frames.groups {
                // SAFETY: the tensor lies in the frame of the group, and no task is running.
                let tensor = unsafe {
                    let first = frames.at(group, slot.origin, lanes).cast_const();
                    std::slice::from_raw_parts(first, slot.padded_elements() * lanes)
                };
                self.saved_sums.extend_from_slice(tensor);
            }
        }
    }

    fn restore_sums(&mut self, frames: &BatchMemory) {
        let lanes = self.lanes.count();
        let mut saved = self.saved_sums.as_slice();
        for slot in stored_sums(&self.layers) {
            for group in 0..frames.groups {
                let (tensor, rest) = saved.split_at(slot.padded_elements() * lanes);
                saved = rest;
                // SAFETY: as in `save_sums`.
                unsafe {
                    let first = frames.at(group, slot.origin, lanes);
                    std::slice::from_raw_parts_mut(first, tensor.len()).copy_from_slice(tensor);
                }
            }
        }
    }

    /// Sets the gradient of the node's output to one at a unit's positions, and to zero elsewhere.
    fn seed(&self, frames: &BatchMemory, unit: usize, positions: &[usize]) {
        let (lanes, slot) = (self.lanes.count(), self.output_gradient);
        let area = slot.rows * slot.columns;
        for group in 0..frames.groups {
            // SAFETY: the tensor lies in the frame of the group, and no task is running.
            let gradient = unsafe {
                let first = frames.at(group, slot.origin, lanes);
                std::slice::from_raw_parts_mut(first, slot.padded_elements() * lanes)
            };
            gradient.fill(0.0);
            for position in positions {
                let element = unit + position;
                let (row, column) = (element % area / slot.columns, element % slot.columns);
                let offset = slot.offset(element / area, row, column);
                gradient[offset * lanes..][..lanes].fill(1.0);
            }
        }
    }

    /// Adds up the gradients of the images, one after the other.
    fn sum(&self, frames: &BatchMemory, sums: &mut [f64]) {
        let lanes = self.lanes.count();
        for image in 0..frames.images {
            let (group, lane) = (image / lanes, image % lanes);
            for (index, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the tensor, which has no border, lies in the frame of the group, and no task is running.
                let gradient = unsafe {
                    *frames
                        .at(group, self.image_gradient.origin + index, lanes)
                        .add(lane)
                };
                *sum += f64::from(gradient * self.factor);
            }
        }
    }
}

#[cfg(test)]
mod tests;
