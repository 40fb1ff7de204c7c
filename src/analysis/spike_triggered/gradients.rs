//! Mean gradients of units with respect to their receptive fields, on the noise of the averages.
//!
//! Under Gaussian noise Cov(a,s)/σ² = mean ∇a for every unit, however a is computed (Stein,
//! Bussgang): one side is an average of stimuli, the other comes from differentiation.

use std::sync::{Arc, Mutex};

use burn::tensor::{Device, Tensor, TensorData};

use super::super::Lab;
use super::stack;
use crate::ids::SiteId;
use crate::nets::Subject;
use crate::nets::coalesce;
use crate::nets::graph::Graph;
use crate::nets::graph::site::{Site, SitePosition};
use crate::nets::launch;
use crate::nets::plan::fit::UnitGradients;
use crate::nets::read_back;
use crate::stats::numbers::fixed;

/// Images differentiated at once, except on a device that takes launches: there all of a block.
const AT_ONCE: usize = 64;

/// Largest gradient state of a layer, in bytes, that is kept from block to block.
const MAX_KEPT_BYTES: usize = 64 << 20;

/// Computes the gradients: the network on a device that records them.
#[derive(Debug, Clone)]
pub struct Gradients {
    network: Subject,
    device: Device,
    layers: Vec<LayerGradients>,
}

/// The units of one layer whose gradients are computed.
#[derive(Debug, Clone)]
struct LayerGradients {
    id: SiteId,
    site: Site,
    units: Vec<usize>,
    /// Reusable states for computing them by plan, one for every worker that did.
    planned: Arc<Mutex<Vec<UnitGradients>>>,
}

/// Bytes of the states with which a worker computes gradients of these layers of a graph by plan, in blocks of `images`
/// images: of those that it keeps from block to block, and of the largest one that it does not keep.
pub fn state_bytes(graph: &Graph, layers: &[&Site], images: usize) -> u64 {
    let layers = layers.iter();
    let states = layers.filter_map(|site| UnitGradients::bytes_for(graph, site.node, images));
    let (kept, others): (Vec<usize>, Vec<usize>) =
        states.partition(|&bytes| bytes <= MAX_KEPT_BYTES);
    let largest = others.into_iter().max().unwrap_or(0);
    (kept.iter().sum::<usize>() + largest) as u64
}

impl Gradients {
    /// Gradients of the given units of each layer.
    pub fn new(lab: &Lab, units: Vec<(SiteId, Vec<usize>)>) -> Self {
        let all = lab.network.sites();
        let device = lab.device.clone().autodiff();
        let network = lab.network.on(&device);
        let taken = |(id, units): (SiteId, Vec<usize>)| LayerGradients {
            planned: Arc::default(),
            site: all[id].clone(),
            id,
            units,
        };
        Self {
            network,
            device,
            layers: units.into_iter().map(taken).collect(),
        }
    }

    /// Number of receptive fields and Σ∇a \[units,C·h·w\] in fixed point, for every layer, over noise
    /// images, row-major \[N,C,H,W\].
    pub fn sum(&self, noise: &[f32]) -> Vec<(u64, Vec<i64>)> {
        let of_layer = |layer: &LayerGradients| self.of_layer(layer, noise);
        self.layers.iter().map(of_layer).collect()
    }

    fn of_layer(&self, taken: &LayerGradients, noise: &[f32]) -> (u64, Vec<i64>) {
        let site = &taken.site;
        let tiles = tiles(site);
        let pixels = site.field_pixels();
        let area: usize = site.image.iter().product();
        let mut sums = vec![0.0; taken.units.len() * pixels];
        let fields = (noise.len() / area * tiles.len()) as u64;
        if let Some(by_image) = self.by_plan(taken, &tiles, noise) {
            let units = by_image
                .chunks_exact(area)
                .zip(sums.chunks_exact_mut(pixels));
            for (image, sums) in units {
                tiles.iter().for_each(|tile| add(sums, image, site, tile));
            }
            return (fields, finite(&sums, pixels));
        }
        let mask = self.mask(site, &tiles);
        let at_once = match coalesce::blocks_per_launch() {
            1 => AT_ONCE * area,
            _ => noise.len().max(1),
        };
        for piece in noise.chunks(at_once) {
            for (&unit, sums) in taken.units.iter().zip(sums.chunks_exact_mut(pixels)) {
                let stimuli = stack(piece, site.image, &self.device).require_grad();
                let all = self.network.activations(stimuli.clone(), &[taken.id]);
                let activation = all.into_iter().next().map(|all| all.narrow(1, unit, 1));
                let Some(activation) = activation else {
                    continue;
                };
                let gradients = (activation * mask.clone()).sum().backward();
                // A unit that is silent on all images has no gradient.
                let Some(by_pixel) = stimuli.grad(&gradients) else {
                    continue;
                };
                for image in read_back(by_pixel).chunks_exact(area) {
                    tiles.iter().for_each(|tile| add(sums, image, site, tile));
                }
            }
        }
        (fields, finite(&sums, pixels))
    }

    /// Sum over images of the gradient of each unit's sum over tiles, \[units,C·H·W\]; `None` if gradients are
    /// not computed by plan.
    fn by_plan(
        &self,
        taken: &LayerGradients,
        tiles: &[SitePosition],
        noise: &[f32],
    ) -> Option<Vec<f64>> {
        if !launch::is_by_plan() {
            return None;
        }
        let graph = self.network.graph();
        let (units, positions) = graph.activation_offsets(&taken.site);
        let indices: Vec<usize> = taken.units.iter().map(|&unit| units[unit]).collect();
        let columns = taken.site.positions.1;
        let positions = tiles
            .iter()
            .map(|tile| positions[tile.row * columns + tile.column]);
        let positions: Vec<usize> = positions.collect();
        let mine = taken.planned.lock().ok()?.pop();
        let mut slopes = match mine {
            Some(slopes) => slopes,
            None => UnitGradients::new(graph, taken.site.node)?,
        };
        let area: usize = taken.site.image.iter().product();
        let mut sums = vec![0.0; indices.len() * area];
        slopes.add(noise, &indices, &positions, &mut sums);
        // For a large network they are rebuilt rather than kept for every layer and worker.
        if slopes.bytes() <= MAX_KEPT_BYTES {
            taken.planned.lock().ok()?.push(slopes);
        }
        Some(sums)
    }

    /// 1 at the positions of the tiles, 0 elsewhere, \[1,1,rows,columns\].
    fn mask(&self, site: &Site, tiles: &[SitePosition]) -> Tensor<4> {
        let (rows, columns) = site.positions;
        let mut mask = vec![0.0_f32; rows * columns];
        for tile in tiles {
            mask[tile.row * columns + tile.column] = 1.0;
        }
        let data = TensorData::new(mask, [1, 1, rows, columns]);
        Tensor::from_data(data, &self.device)
    }
}

/// Positions whose fields do not overlap in the image, so that the gradient of the sum over all of them is,
/// within each field, the gradient at its position.
fn tiles(site: &Site) -> Vec<SitePosition> {
    let (height, width) = site.field_size();
    let mut tiles: Vec<SitePosition> = Vec::new();
    for place in site.inner_positions() {
        let apart = |other: &SitePosition| {
            other.top + height <= place.top
                || other.left + width <= place.left
                || place.left + width <= other.left
        };
        // Tiles in a row share their top edge.
        let in_row = tiles.iter().any(|tile| tile.top == place.top);
        let below = tiles.iter().all(|tile| tile.top + height <= place.top);
        if (in_row || below) && tiles.iter().all(apart) {
            tiles.push(place);
        }
    }
    tiles
}

/// Adds the part of an image's gradient that lies in the field of a tile.
fn add<T: Copy + Into<f64>>(sums: &mut [f64], image: &[T], site: &Site, tile: &SitePosition) {
    let (height, width) = site.field_size();
    let [_, rows, columns] = site.image;
    let lines = image.chunks_exact(rows * columns).flat_map(|channel| {
        (tile.top..tile.top + height).map(move |row| &channel[row * columns + tile.left..][..width])
    });
    let slopes = lines.flatten();
    let pairs = sums.iter_mut().zip(slopes);
    pairs.for_each(|(sum, &slope)| *sum += slope.into());
}

/// The sums of each unit in fixed point; 0 for a unit with gradients that are not finite, as those of a root are at 0.
pub(super) fn finite(sums: &[f64], pixels: usize) -> Vec<i64> {
    let of_unit = |sums: &[f64]| -> Vec<i64> {
        match sums.iter().all(|sum| sum.is_finite()) {
            true => sums.iter().map(|&sum| fixed(sum)).collect(),
            false => vec![0; sums.len()],
        }
    };
    sums.chunks_exact(pixels).flat_map(of_unit).collect()
}

/// At most `most` of `all`, evenly spread.
pub fn spread_evenly(all: &[usize], most: usize) -> Vec<usize> {
    let count = most.min(all.len());
    let middle = |i: usize| all[(2 * i + 1) * all.len() / (2 * count)];
    (0..count).map(middle).collect()
}
