//! Mean gradients of units by their receptive field, on the noise of the averages.
//!
//! Under Gaussian noise Cov(a,s)/σ² = mean ∇a for every unit, however it comes about (Stein,
//! Bussgang): the one side is an average of stimuli, the other comes from differentiation.

use burn::tensor::Device;

use super::super::Lab;
use super::{fixed, host, stack};
use crate::nets::Subject;
use crate::nets::graph::site::Site;

/// Receptive fields differentiated at once.
const AT_ONCE: usize = 256;

/// What takes the gradients: the network on a device that records them.
#[derive(Debug, Clone)]
pub struct Gradients {
    network: Subject,
    device: Device,
    layers: Vec<Taken>,
}

/// The units of one layer whose gradients are taken.
#[derive(Debug, Clone)]
struct Taken {
    layer: usize,
    site: Site,
    units: Vec<usize>,
}

impl Gradients {
    /// The units of each layer, by the layers' places in the network.
    pub fn new(lab: &Lab, units: Vec<(usize, Vec<usize>)>) -> Self {
        let all = lab.network.sites();
        let device = lab.device.clone().autodiff();
        let network = lab.network.on(&device);
        let taken = |(layer, units): (usize, Vec<usize>)| Taken {
            site: all[layer].clone(),
            layer,
            units,
        };
        Self {
            network,
            device,
            layers: units.into_iter().map(taken).collect(),
        }
    }

    /// Receptive fields seen and Σ∇a \[units,C·h·w\] in fixed point, for every layer, over noise
    /// images, row-major \[N,C,H,W\].
    pub fn sum(&self, noise: &[f32]) -> Vec<(u64, Vec<i64>)> {
        let of_layer = |it: &Taken| self.of_layer(it, noise);
        self.layers.iter().map(of_layer).collect()
    }

    fn of_layer(&self, taken: &Taken, noise: &[f32]) -> (u64, Vec<i64>) {
        let field = taken.site.field_shape();
        let pixels = taken.site.field_pixels();
        let fields = tiles(noise, &taken.site);
        let mut sums = vec![0.0; taken.units.len() * pixels];
        for piece in fields.chunks(AT_ONCE * pixels) {
            for (&unit, sums) in taken.units.iter().zip(sums.chunks_exact_mut(pixels)) {
                let stimuli = stack(piece, field, &self.device).require_grad();
                let answers = self.network.patch_activations(taken.layer, stimuli.clone());
                let gradients = answers.narrow(1, unit, 1).sum().backward();
                // A unit that is silent on all of them has none.
                let Some(by_pixel) = stimuli.grad(&gradients) else {
                    continue;
                };
                for field in host(by_pixel).chunks_exact(pixels) {
                    let pairs = sums.iter_mut().zip(field);
                    pairs.for_each(|(sum, &slope)| *sum += f64::from(slope));
                }
            }
        }
        let sums = sums.into_iter().map(fixed).collect();
        ((fields.len() / pixels) as u64, sums)
    }
}

/// Images \[N,C,H,W\] cut into as many fields of a layer as lie side by side: \[N·tiles,C,h,w\].
fn tiles(images: &[f32], layer: &Site) -> Vec<f32> {
    if layer.is_whole() {
        return images.to_vec();
    }
    let (height, width) = layer.field_size();
    let [channels, rows, columns] = layer.image;
    let tops = (0..=rows - height).step_by(height);
    let corners = tops.flat_map(|top| {
        let lefts = (0..=columns - width).step_by(width);
        lefts.map(move |left| (top, left))
    });
    let corners: Vec<(usize, usize)> = corners.collect();
    let mut fields = Vec::with_capacity(images.len());
    for image in images.chunks_exact(channels * rows * columns) {
        for &(top, left) in &corners {
            for channel in image.chunks_exact(rows * columns) {
                for row in top..top + height {
                    fields.extend_from_slice(&channel[row * columns + left..][..width]);
                }
            }
        }
    }
    fields
}

/// At most `most` of `all`, evenly spread.
pub fn spread_evenly(all: &[usize], most: usize) -> Vec<usize> {
    let count = most.min(all.len());
    let middle = |i: usize| all[(2 * i + 1) * all.len() / (2 * count)];
    (0..count).map(middle).collect()
}
