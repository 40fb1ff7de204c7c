//! Mean gradients of units by their receptive field, on the noise of the averages.
//!
//! Under Gaussian noise Cov(a,s)/σ² = mean ∇a for every unit, however it comes about (Stein,
//! Bussgang): the one side is an average of stimuli, the other comes from differentiation.

use std::sync::{Arc, Mutex};

use burn::tensor::{Device, Tensor, TensorData};

use super::super::Lab;
use super::{fixed, stack};
use crate::nets::Subject;
use crate::nets::graph::site::{Place, Site};
use crate::nets::launch;
use crate::nets::plan::fit::Slopes;
use crate::nets::read_back;

/// Images differentiated at once.
const AT_ONCE: usize = 64;

/// Most bytes of what takes the gradients of a layer that are kept from block to block.
const KEPT: usize = 64 << 20;

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
    /// What took them by plan and may do so again, one for every worker that did.
    planned: Arc<Mutex<Vec<Slopes>>>,
}

impl Gradients {
    /// The units of each layer, by the layers' places in the network.
    pub fn new(lab: &Lab, units: Vec<(usize, Vec<usize>)>) -> Self {
        let all = lab.network.sites();
        let device = lab.device.clone().autodiff();
        let network = lab.network.on(&device);
        let taken = |(layer, units): (usize, Vec<usize>)| Taken {
            planned: Arc::default(),
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
            return (fields, sums.into_iter().map(fixed).collect());
        }
        let mask = self.mask(site, &tiles);
        for piece in noise.chunks(AT_ONCE * area) {
            for (&unit, sums) in taken.units.iter().zip(sums.chunks_exact_mut(pixels)) {
                let stimuli = stack(piece, site.image, &self.device).require_grad();
                let all = self.network.activations(stimuli.clone(), &[taken.layer]);
                let own = all.into_iter().next().map(|all| all.narrow(1, unit, 1));
                let Some(own) = own else {
                    continue;
                };
                let gradients = (own * mask.clone()).sum().backward();
                // A unit that is silent on all of them has none.
                let Some(by_pixel) = stimuli.grad(&gradients) else {
                    continue;
                };
                for image in read_back(by_pixel).chunks_exact(area) {
                    tiles.iter().for_each(|tile| add(sums, image, site, tile));
                }
            }
        }
        let sums = sums.into_iter().map(fixed).collect();
        (fields, sums)
    }

    /// Σ of the gradients by the images of each unit's sum over tiles, \[units,C·H·W\]; `None` where they are not
    /// taken by plan.
    fn by_plan(&self, taken: &Taken, tiles: &[Place], noise: &[f32]) -> Option<Vec<f64>> {
        if !launch::is_by_plan() {
            return None;
        }
        let graph = self.network.graph();
        let (units, positions) = graph.standing(&taken.site);
        let own: Vec<usize> = taken.units.iter().map(|&unit| units[unit]).collect();
        let columns = taken.site.positions.1;
        let positions = tiles
            .iter()
            .map(|it| positions[it.row * columns + it.column]);
        let positions: Vec<usize> = positions.collect();
        let mine = taken.planned.lock().ok()?.pop();
        let mut slopes = match mine {
            Some(it) => it,
            None => Slopes::new(graph, taken.site.node)?,
        };
        let area: usize = taken.site.image.iter().product();
        let mut sums = vec![0.0; own.len() * area];
        slopes.add(noise, &own, &positions, &mut sums);
        // Those of a large network are made anew rather than kept for every layer and worker.
        if slopes.bytes() <= KEPT {
            taken.planned.lock().ok()?.push(slopes);
        }
        Some(sums)
    }

    /// One at the positions of the tiles, zero at all others, \[1,1,rows,columns\].
    fn mask(&self, site: &Site, tiles: &[Place]) -> Tensor<4> {
        let (rows, columns) = site.positions;
        let mut mask = vec![0.0_f32; rows * columns];
        for tile in tiles {
            mask[tile.row * columns + tile.column] = 1.0;
        }
        let data = TensorData::new(mask, [1, 1, rows, columns]);
        Tensor::from_data(data, &self.device)
    }
}

/// Positions whose fields lie side by side in the image. No two of them see the same pixel, so that
/// the gradient of the sum of all is the gradient of each in its own field.
fn tiles(site: &Site) -> Vec<Place> {
    let (height, width) = site.field_size();
    let mut tiles: Vec<Place> = Vec::new();
    for place in site.inner() {
        let apart = |other: &Place| {
            other.top + height <= place.top
                || other.left + width <= place.left
                || place.left + width <= other.left
        };
        // Rows of tiles begin together.
        let in_row = tiles.iter().any(|it| it.top == place.top);
        let below = tiles.iter().all(|it| it.top + height <= place.top);
        if (in_row || below) && tiles.iter().all(apart) {
            tiles.push(place);
        }
    }
    tiles
}

/// Adds the field of a tile in the gradient of an image.
fn add<T: Copy + Into<f64>>(sums: &mut [f64], image: &[T], site: &Site, tile: &Place) {
    let (height, width) = site.field_size();
    let [_, rows, columns] = site.image;
    let lines = image.chunks_exact(rows * columns).flat_map(|channel| {
        (tile.top..tile.top + height).map(move |row| &channel[row * columns + tile.left..][..width])
    });
    let slopes = lines.flatten();
    let pairs = sums.iter_mut().zip(slopes);
    pairs.for_each(|(sum, &slope)| *sum += slope.into());
}

/// At most `most` of `all`, evenly spread.
pub fn spread_evenly(all: &[usize], most: usize) -> Vec<usize> {
    let count = most.min(all.len());
    let middle = |i: usize| all[(2 * i + 1) * all.len() / (2 * count)];
    (0..count).map(middle).collect()
}
