//! Second moments of the receptive fields of one unit, weighted by its activation.

use burn::tensor::Tensor;
use rand::seq::SliceRandom;

use super::super::Lab;
use super::fields::Fields;
use super::stack;
use crate::nets::read_back;
use crate::session::record::BlockCovariance;
use crate::stats::numbers::fixed;
use crate::stimulus::BlockSeed;

/// Shows the network noise images, row-major \[N,C,H,W\], and sums the fields of the layer, weighted by
/// |a| of `unit`: once as they are, and once with the responses assigned to other images in an order
/// determined by `shuffle`.
///
/// Whole images are shuffled, so that neighbouring fields overlap, and neighbouring responses are
/// correlated, as in the original order.
pub fn sum(
    fields: &Fields,
    unit: usize,
    lab: &Lab,
    noise: &[f32],
    shuffle: BlockSeed,
) -> BlockCovariance {
    let pixels = fields.field_pixels();
    let (shape, area) = (fields.image(), fields.image_pixels());
    let images = noise.len() / area;
    let mut order: Vec<usize> = (0..images).collect();
    order.shuffle(&mut shuffle.generator());
    let mut totals = [Totals::new(pixels), Totals::new(pixels)];
    // Both the fields and the weighted fields are in memory.
    let at_once = (fields.images_at_once() / 2).max(1);
    let mut responses = Vec::with_capacity(images * fields.positions());
    for piece in noise.chunks(at_once * area) {
        if let Some(all) = lab.network.planned_activations(piece, &[fields.id]) {
            responses.extend(fields.unit_activations(&all[0], unit).map(f32::abs));
            continue;
        }
        let shown = stack(piece, shape, &lab.device);
        let all = lab.network.activations(shown, &[fields.id]).swap_remove(0);
        let response = fields.activations(all).narrow(1, unit, 1).abs();
        responses.extend(read_back(response));
    }
    let of_image = |image: usize| &responses[image * fields.positions()..][..fields.positions()];
    for (piece, first) in noise.chunks(at_once * area).zip((0..).step_by(at_once)) {
        let shown = fields.gather(stack(piece, shape, &lab.device) - 0.5);
        let here = first..first + piece.len() / area;
        let weights: Vec<f32> = here.clone().flat_map(of_image).copied().collect();
        totals[0].add(&shown, weights, lab);
        let others = here.map(|image| order[image]);
        let others = others.flat_map(of_image).copied().collect();
        totals[1].add(&shown, others, lab);
    }
    let both = |sums_of: fn(&Totals) -> &[f64]| {
        let sums = totals.iter().flat_map(sums_of);
        sums.map(|&sum| fixed(sum)).collect()
    };
    BlockCovariance {
        fields: (images * fields.positions()) as u64,
        activation: [0, 1].map(|i| fixed(totals[i].activation)),
        weighted: both(|sums| &sums.weighted),
        outer: both(|sums| &sums.outer),
    }
}

/// Sums over a block, in floating point.
struct Totals {
    activation: f64,
    weighted: Vec<f64>,
    outer: Vec<f64>,
}

impl Totals {
    fn new(pixels: usize) -> Self {
        Self {
            activation: 0.0,
            weighted: vec![0.0; pixels],
            outer: vec![0.0; pixels * pixels],
        }
    }

    /// Adds fields \[F,P\] with weights \[F\].
    fn add(&mut self, fields: &Tensor<2>, weights: Vec<f32>, lab: &Lab) {
        let count = weights.len();
        self.activation += weights.iter().map(|&w| f64::from(w)).sum::<f64>();
        let data = burn::tensor::TensorData::new(weights, [count, 1]);
        let weighted = fields.clone() * Tensor::<2>::from_data(data, &lab.device);
        add(&mut self.weighted, read_back(weighted.clone().sum_dim(0)));
        add(
            &mut self.outer,
            read_back(fields.clone().transpose().matmul(weighted)),
        );
    }
}

fn add(sums: &mut [f64], values: Vec<f32>) {
    let pairs = sums.iter_mut().zip(values);
    pairs.for_each(|(sum, value)| *sum += f64::from(value));
}
