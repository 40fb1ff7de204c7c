//! Gradients of units with respect to the image: one forward pass, and one backward pass per unit.

use super::super::Lanes;
use super::super::layout::TensorSlot;
use super::super::team::run_tasks;
use super::adam::Parameter;
use super::chain;
use super::layer::FitLayer;
use super::memory::{self, Memory};
use super::{BatchMemory, CACHE_BYTES, layer_runs};
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

impl UnitGradients {
    /// The layers of a graph up to a node; `None` if they are not a chain of convolutions, max pooling, ReLUs and dense
    /// layers.
    pub fn new(graph: &Graph, node: NodeId) -> Option<Self> {
        let lanes = Lanes::from_env_or_widest();
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
        let mut layers = chain.layers;
        let mut factor = 1.0;
        for layer in &layers {
            match layer {
                FitLayer::Scale(scale, ..) => factor = *scale,
                FitLayer::Convolution(_) | FitLayer::Dense(_) => {}
                // Batch statistics do not belong to a single image; sequences are not supported here.
                FitLayer::Rows(..) | FitLayer::Norm(_) | FitLayer::Lstm(_) => return None,
            }
        }
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
        let weights: usize = self
            .parameters
            .iter()
            .map(|parameter| parameter.values.len())
            .sum();
        let packed = self.layers.iter().map(|layer| match layer {
            FitLayer::Convolution(convolution) => convolution.packed_len(),
            _ => 0,
        });
        let packed: usize = packed.sum();
        4 * (weights + packed + self.saved_sums.len()) + self.memory.bytes()
    }

    /// Adds to `sums`, \[units,C·H·W\], the gradients of each unit's sum over positions with respect to the images,
    /// row-major \[N,C,H,W\], image by image. Units and positions are offsets in the node's output for one image: their
    /// sum is the index of a unit at a position.
    pub fn add(&mut self, pixels: &[f32], units: &[usize], positions: &[usize], sums: &mut [f64]) {
        let image_len = self.image_gradient.elements();
        let lanes = self.lanes.count();
        let fitting = CACHE_BYTES / (4 * self.group_len * lanes).max(1);
        let portion = (fitting / 4 * 4).max(4) * lanes;
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
        let groups = images.div_ceil(lanes).next_multiple_of(4);
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

    /// The stored sums of the convolutions, which their gradients overwrite.
    fn stored_sums(&self) -> Vec<TensorSlot> {
        let convolutions = self.layers.iter().filter_map(|layer| match layer {
            FitLayer::Convolution(convolution) => convolution.kept(),
            _ => None,
        });
        convolutions.collect()
    }

    fn save_sums(&mut self, frames: &BatchMemory) {
        let lanes = self.lanes.count();
        self.saved_sums.clear();
        for slot in self.stored_sums() {
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
        for slot in self.stored_sums() {
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
mod tests {
    use super::*;
    use crate::ids::SiteId;
    use crate::nets::Subject;
    use crate::nets::graph::Op;
    use crate::nets::network_shape::NetworkShape;
    use crate::session::config::NetworkKind;
    use burn::tensor::{Device, Tensor, TensorData};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// The sum of a unit's gradients at some positions, by automatic differentiation.
    fn by_burn(
        subject: &Subject,
        site: SiteId,
        (pixels, image): (&[f32], [usize; 3]),
        (unit, positions): (usize, &[usize]),
    ) -> Vec<f64> {
        let device = Device::flex().autodiff();
        let subject = subject.on(&device);
        let area: usize = image.iter().product();
        let shape = [pixels.len() / area, image[0], image[1], image[2]];
        let images = TensorData::new(pixels.to_vec(), shape);
        let images = Tensor::<4>::from_data(images, &device).require_grad();
        let all = subject.activations(images.clone(), &[site]).remove(0);
        let unit_activations = all.narrow(1, unit, 1);
        let [n, _, rows, columns] = unit_activations.dims();
        let unit_activations = unit_activations.reshape([n, rows * columns]);
        let chosen = positions
            .iter()
            .map(|&position| unit_activations.clone().narrow(1, position, 1));
        let sum = Tensor::cat(chosen.collect(), 1).sum();
        let gradients = sum.backward();
        let by_pixel = images.grad(&gradients).unwrap();
        let values: Vec<f32> = by_pixel.into_data().try_into_vec().unwrap();
        let mut sums = vec![0.0; area];
        for image in values.chunks_exact(area) {
            let pairs = sums.iter_mut().zip(image);
            pairs.for_each(|(sum, v)| *sum += f64::from(*v));
        }
        sums
    }

    #[test]
    fn gradients_of_units_are_those_of_automatic_differentiation() {
        let kinds = [
            NetworkKind::Cnn,
            NetworkKind::Mlp,
            NetworkKind::Logistic,
            NetworkKind::Simple,
        ];
        for (kind, image) in kinds
            .into_iter()
            .flat_map(|kind| [(kind, [1, 28, 28]), (kind, [3, 17, 19])])
        {
            let ports = NetworkShape { image, classes: 5 };
            let subject = Subject::untrained(kind, ports, 5, &Device::flex()).unwrap();
            let area = ports.pixels();
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let images = 37;
            let pixels: Vec<f32> = (0..images * area)
                .map(|_| rng.random_range(0.0..1.0))
                .collect();
            for (index, site) in subject.sites().iter().enumerate() {
                let mut gradients = UnitGradients::new(subject.graph(), site.node)
                    .unwrap_or_else(|| panic!("{kind:?} {}", site.name));
                let (units, all) = subject.graph().activation_offsets(site);
                let chosen = [0, units.len() / 2, units.len() - 1];
                let positions: Vec<usize> = (0..all.len()).step_by(7).collect();
                let mut sums = vec![0.0; 3 * area];
                let chosen_units = chosen.map(|unit| units[unit]);
                let position_offsets: Vec<usize> =
                    positions.iter().map(|&position| all[position]).collect();
                gradients.add(&pixels, &chosen_units, &position_offsets, &mut sums);
                for (&unit, found) in chosen.iter().zip(sums.chunks_exact(area)) {
                    let site_id = SiteId(index);
                    let expected = by_burn(&subject, site_id, (&pixels, image), (unit, &positions));
                    let most = expected.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
                    let worst = found.iter().zip(&expected);
                    let worst = worst.fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs()));
                    let name = &site.name;
                    assert!(
                        worst <= 3e-5 * most.max(1e-3),
                        "{kind:?} {name} {unit}: {worst} of {most}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_no_chain_has_none() {
        for kind in [NetworkKind::Complex, NetworkKind::Rnn] {
            let ports = NetworkShape {
                image: [1, 28, 28],
                classes: 10,
            };
            let subject = Subject::untrained(kind, ports, 5, &Device::flex()).unwrap();
            let last = subject.sites().last().unwrap();
            assert!(UnitGradients::new(subject.graph(), last.node).is_none());
        }
        let subject = Subject::untrained(
            NetworkKind::Cnn,
            NetworkShape {
                image: [1, 28, 28],
                classes: 10,
            },
            5,
            &Device::flex(),
        )
        .unwrap();
        let input = subject
            .graph()
            .ids()
            .find(|id| subject.graph().node(*id).op == Op::Input);
        assert!(UnitGradients::new(subject.graph(), input.unwrap()).is_none());
    }
}
