//! Gradients of units with respect to the image: one forward pass, and one backward pass per unit.

use super::super::Lanes;
use super::super::layout::Place;
use super::super::team::each;
use super::adam::Parameter;
use super::chain::{self, Layer};
use super::memory::{self, Memory};
use super::{Frames, KEPT, runs};
use crate::nets::graph::{Graph, Input, NodeId};
use crate::session::record::Weights;

/// Computes the gradients of one node's units, with the layers up to that node.
#[derive(Debug)]
pub struct Slopes {
    lanes: Lanes,
    layers: Vec<Layer>,
    parameters: Vec<Parameter>,
    /// Elements per lane of one group's frame.
    frame: usize,
    memory: Memory,
    /// The gradient of the node's output.
    end: Place,
    /// The gradient of the scaled images.
    image: Place,
    /// The factor by which images are scaled first.
    factor: f32,
    /// Copy of the convolutions' sums, because gradients overwrite them.
    kept: Vec<f32>,
}

impl Slopes {
    /// The layers of a graph up to a node; `None` if they are not a chain of convolutions, max pooling, ReLUs and dense
    /// layers.
    pub fn new(graph: &Graph, node: NodeId) -> Option<Self> {
        let lanes = Lanes::chosen();
        let nodes = graph.nodes().get(..=node.0)?;
        let names = nodes.iter().flat_map(|it| &it.inputs);
        let names = names.filter_map(|input| match input {
            Input::Weight(name) => Some(name),
            Input::Node(_) => None,
        });
        let tensors = names.map(|name| Some((name.clone(), graph.weights().get(name)?.clone())));
        let weights = Weights {
            tensors: tensors.collect::<Option<_>>()?,
        };
        let chain = chain::up_to(graph, &weights, node, lanes.count())?;
        let mut layers = chain.layers;
        let mut factor = 1.0;
        for layer in &layers {
            match layer {
                Layer::Scale(scale, ..) => factor = *scale,
                Layer::Convolution(_) | Layer::Dense(_) => {}
                // Batch statistics do not belong to a single image; sequences are not supported here.
                Layer::Rows(..) | Layer::Norm(_) | Layer::Lstm(_) => return None,
            }
        }
        let of = |(name, values): &(String, _)| Parameter::resting(name, values);
        let parameters: Vec<Parameter> = weights.tensors.iter().map(of).collect();
        for layer in &mut layers {
            layer.prepare(&parameters, lanes);
        }
        Some(Self {
            lanes,
            layers,
            parameters,
            frame: chain.frame,
            memory: Memory::default(),
            end: chain.end?,
            image: chain.image?,
            factor,
            kept: Vec::new(),
        })
    }

    /// Bytes of the weights (as stored, and packed for the forward and backward passes) and of the current images' data.
    pub fn bytes(&self) -> usize {
        let weights: usize = self.parameters.iter().map(|it| it.values.len()).sum();
        4 * (3 * weights + self.kept.len()) + self.memory.bytes()
    }

    /// Adds to `sums`, \[units,C·H·W\], the gradients of each unit's sum over positions with respect to the images,
    /// row-major \[N,C,H,W\], image by image. Units and positions are offsets in the node's output for one image: their
    /// sum is the index of a unit at a position.
    pub fn add(&mut self, pixels: &[f32], units: &[usize], positions: &[usize], sums: &mut [f64]) {
        let numbers = self.image.numbers();
        let lanes = self.lanes.count();
        let fitting = KEPT / (4 * self.frame * lanes).max(1);
        let portion = (fitting / 4 * 4).max(4) * lanes;
        for pixels in pixels.chunks(portion * numbers) {
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
        let (lanes, numbers) = (self.lanes.count(), self.image.numbers());
        let images = pixels.len() / numbers;
        let groups = images.div_ceil(lanes).next_multiple_of(4);
        self.memory.reserve(self.frame * lanes, groups);
        let frames = Frames {
            pointer: self.memory.pointer(),
            frame: self.frame,
            groups,
            images,
        };
        self.forward(&frames, pixels);
        self.keep(&frames);
        for (at, (&unit, sums)) in units.iter().zip(sums.chunks_exact_mut(numbers)).enumerate() {
            if at > 0 {
                self.restore(&frames);
            }
            self.seed(&frames, unit, positions);
            self.backward(&frames);
            self.sum(&frames, sums);
        }
    }

    fn forward(&mut self, frames: &Frames, pixels: &[f32]) {
        let (own, lanes, numbers) = (self.lanes, self.lanes.count(), self.image.numbers());
        let show = |image: usize, into: &mut [f32]| {
            into.copy_from_slice(&pixels[image * numbers..][..numbers]);
        };
        for run in runs(&self.layers) {
            let layers = &mut self.layers[run.clone()];
            let by_group = layers[0].is_by_group();
            each(frames.groups, usize::MAX, |group| {
                if run.start == 0 {
                    memory::load(frames, group, lanes, &show, numbers);
                }
                if by_group {
                    let layers = layers.iter();
                    layers.for_each(|layer| layer.forward_group(frames, group, own));
                }
            });
            if !by_group {
                for layer in layers {
                    layer.forward(frames, &self.parameters, own);
                }
            }
        }
    }

    /// The backward pass from the seeded gradients to the images. The convolutions' sums must be intact.
    fn backward(&mut self, frames: &Frames) {
        let own = self.lanes;
        for run in runs(&self.layers).into_iter().rev() {
            let layers = &mut self.layers[run];
            if layers[0].is_by_group() {
                each(frames.groups, usize::MAX, |group| {
                    let layers = layers.iter().rev();
                    layers.for_each(|layer| layer.backward_group(frames, group, own));
                });
                continue;
            }
            for layer in layers.iter_mut().rev() {
                if let Layer::Dense(dense) = layer {
                    dense.rectify(frames, own);
                    dense.by_inputs(frames, &self.parameters, own);
                }
            }
        }
    }

    /// The places of the sums of the convolutions that their gradients take the place of.
    fn sums(&self) -> Vec<Place> {
        let convolutions = self.layers.iter().filter_map(|layer| match layer {
            Layer::Convolution(own) => own.kept(),
            _ => None,
        });
        convolutions.collect()
    }

    fn keep(&mut self, frames: &Frames) {
        let lanes = self.lanes.count();
        self.kept.clear();
        for place in self.sums() {
            for group in 0..frames.groups {
                // SAFETY: the tensor lies in the frame of the group, and no task is running.
                let own = unsafe {
                    let first = frames.at(group, place.at, lanes).cast_const();
                    std::slice::from_raw_parts(first, place.size() * lanes)
                };
                self.kept.extend_from_slice(own);
            }
        }
    }

    fn restore(&mut self, frames: &Frames) {
        let lanes = self.lanes.count();
        let mut kept = self.kept.as_slice();
        for place in self.sums() {
            for group in 0..frames.groups {
                let (own, rest) = kept.split_at(place.size() * lanes);
                kept = rest;
                // SAFETY: as in `keep`.
                unsafe {
                    let first = frames.at(group, place.at, lanes);
                    std::slice::from_raw_parts_mut(first, own.len()).copy_from_slice(own);
                }
            }
        }
    }

    /// Sets the gradient of the node's output to one at a unit's positions, and to zero elsewhere.
    fn seed(&self, frames: &Frames, unit: usize, positions: &[usize]) {
        let (lanes, end) = (self.lanes.count(), self.end);
        let area = end.rows * end.columns;
        for group in 0..frames.groups {
            // SAFETY: the tensor lies in the frame of the group, and no task is running.
            let own = unsafe {
                let first = frames.at(group, end.at, lanes);
                std::slice::from_raw_parts_mut(first, end.size() * lanes)
            };
            own.fill(0.0);
            for position in positions {
                let number = unit + position;
                let (row, column) = (number % area / end.columns, number % end.columns);
                let at = end.offset(number / area, row, column);
                own[at * lanes..][..lanes].fill(1.0);
            }
        }
    }

    /// Adds up the gradients of the images, one after the other.
    fn sum(&self, frames: &Frames, sums: &mut [f64]) {
        let lanes = self.lanes.count();
        for image in 0..frames.images {
            let (group, lane) = (image / lanes, image % lanes);
            for (number, sum) in sums.iter_mut().enumerate() {
                // SAFETY: the tensor, which has no border, lies in the frame of the group, and no task is running.
                let slope = unsafe { *frames.at(group, self.image.at + number, lanes).add(lane) };
                *sum += f64::from(slope * self.factor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::Subject;
    use crate::nets::graph::Op;
    use crate::nets::ports::Ports;
    use crate::session::config::NetworkKind;
    use burn::tensor::{Device, Tensor, TensorData};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// The sum of a unit's gradients at some positions, by automatic differentiation.
    fn by_burn(
        subject: &Subject,
        site: usize,
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
        let own = all.narrow(1, unit, 1);
        let [n, _, rows, columns] = own.dims();
        let own = own.reshape([n, rows * columns]);
        let chosen = positions.iter().map(|&at| own.clone().narrow(1, at, 1));
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
            let ports = Ports { image, classes: 5 };
            let subject = Subject::untrained(kind, ports, 5, &Device::flex()).unwrap();
            let area = ports.pixels();
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let images = 37;
            let pixels: Vec<f32> = (0..images * area)
                .map(|_| rng.random_range(0.0..1.0))
                .collect();
            for (at, site) in subject.sites().iter().enumerate() {
                let mut slopes = Slopes::new(subject.graph(), site.node)
                    .unwrap_or_else(|| panic!("{kind:?} {}", site.name));
                let (units, all) = subject.graph().standing(site);
                let chosen = [0, units.len() / 2, units.len() - 1];
                let positions: Vec<usize> = (0..all.len()).step_by(7).collect();
                let mut sums = vec![0.0; 3 * area];
                let own = chosen.map(|unit| units[unit]);
                let standing: Vec<usize> = positions.iter().map(|&at| all[at]).collect();
                slopes.add(&pixels, &own, &standing, &mut sums);
                for (&unit, found) in chosen.iter().zip(sums.chunks_exact(area)) {
                    let wanted = by_burn(&subject, at, (&pixels, image), (unit, &positions));
                    let most = wanted.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
                    let worst = found.iter().zip(&wanted);
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
            let ports = Ports {
                image: [1, 28, 28],
                classes: 10,
            };
            let subject = Subject::untrained(kind, ports, 5, &Device::flex()).unwrap();
            let last = subject.sites().last().unwrap();
            assert!(Slopes::new(subject.graph(), last.node).is_none());
        }
        let subject = Subject::untrained(
            NetworkKind::Cnn,
            Ports {
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
        assert!(Slopes::new(subject.graph(), input.unwrap()).is_none());
    }
}
