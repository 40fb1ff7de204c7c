//! Receptive fields of a layer: gathers them and sums them weighted by the activations they evoke.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::stack;
use crate::ids::SiteId;
use crate::nets::Subject;
use crate::nets::graph::site::{Site, SitePosition};
use crate::nets::plan::triggered::TriggeredSums;
use crate::nets::read_back;
use crate::session::form::Shape;
use crate::session::record::BlockResponses;
use crate::stats::numbers::fixed;

/// Largest tensor while a block is computed, in numbers: 64 MB. Larger blocks are processed in pieces.
const MOST_NUMBERS: usize = 16 << 20;

/// The inner positions of a layer and the locations of their receptive fields. U units, M positions,
/// P numbers per field, channel by channel.
pub struct Fields {
    /// The layer.
    pub id: SiteId,
    site: Site,
    /// Top row and left column of every inner position's field, \[M\].
    corners: Vec<(usize, usize)>,
    /// Indices of the numbers of all fields, \[M·P\]; `None` if every field is the whole image.
    pixels: Option<Tensor<1, Int>>,
    /// Indices of the inner positions among all positions, \[M\].
    inner: Vec<usize>,
    /// The same on the device; `None` if all positions are inner.
    positions: Option<Tensor<1, Int>>,
}

impl Fields {
    /// The fields of a layer of the network.
    pub fn new(id: SiteId, site: &Site, device: &Device) -> Self {
        let inner = site.inner_positions();
        let (height, width) = site.field_size();
        let indices = |values: Vec<i32>| {
            let count = values.len();
            Tensor::<1, Int>::from_data(TensorData::new(values, [count]), device)
        };
        let [channels, rows, columns] = site.image;
        let pixels = inner.iter().flat_map(|&SitePosition { top, left, .. }| {
            let lines = (0..channels)
                .flat_map(move |channel| (top..top + height).map(move |row| channel * rows + row));
            lines.flat_map(move |line| (left..left + width).map(move |at| line * columns + at))
        });
        let pixels = pixels.map(|at| at as i32);
        let of_position = |place: &SitePosition| place.row * site.positions.1 + place.column;
        let places: Vec<usize> = inner.iter().map(of_position).collect();
        let positions: Vec<i32> = places.iter().map(|&at| at as i32).collect();
        let all = site.positions.0 * site.positions.1;
        Self {
            id,
            site: site.clone(),
            corners: inner.iter().map(|place| (place.top, place.left)).collect(),
            pixels: (!site.sees_whole_image()).then(|| indices(pixels.collect())),
            positions: (positions.len() != all).then(|| indices(positions)),
            inner: places,
        }
    }

    /// Numbers in a field.
    pub fn field_pixels(&self) -> usize {
        self.site.field_pixels()
    }

    /// Numbers in an image.
    pub fn image_pixels(&self) -> usize {
        self.site.image.iter().product()
    }

    /// Channels, rows and columns of an image.
    pub fn image(&self) -> Shape {
        self.site.image
    }

    /// Number of inner positions.
    pub fn positions(&self) -> usize {
        self.corners.len()
    }

    /// Images whose fields, all of which are gathered, and activations may be in memory at once.
    pub fn images_at_once(&self) -> usize {
        let fields = self.positions() * self.field_pixels();
        images_of(fields.max(activations(&self.site)).max(self.image_pixels()))
    }

    /// The fields of images \[N,C,H,W\], image by image: \[N·M,P\].
    pub fn gather(&self, images: Tensor<4>) -> Tensor<2> {
        let n = images.dims()[0];
        let images = images.flatten::<2>(1, 3);
        let fields = match &self.pixels {
            Some(pixels) => images.select(1, pixels.clone()),
            None if self.positions() == 1 => return images,
            None => images.repeat_dim(1, self.positions()),
        };
        fields.reshape([n * self.positions(), self.field_pixels()])
    }

    /// Σa·s from activations \[N,U,M\] and the images \[N,C,H,W\] that evoked them: \[U,P\].
    fn weighted(&self, activations: Tensor<3>, images: Tensor<4>) -> Tensor<2> {
        let (activations, fields) = match &self.pixels {
            // Of positions with the same field only the sum of the activations counts.
            None if self.positions() > 1 => (activations.sum_dim(2), images.flatten::<2>(1, 3)),
            _ => (activations, self.gather(images)),
        };
        let [n, units, positions] = activations.dims();
        let by_unit = activations.swap_dims(0, 1).reshape([units, n * positions]);
        by_unit.matmul(fields)
    }

    /// The layer's activations at its inner positions, selected from those at all positions: \[N,U,M\].
    pub fn activations(&self, all: Tensor<4>) -> Tensor<3> {
        let flat = all.flatten::<3>(2, 3);
        match &self.positions {
            Some(positions) => flat.select(2, positions.clone()),
            None => flat,
        }
    }

    /// The activations of one unit at the inner positions, image by image, from those of all units and positions,
    /// row-major \[N,U,rows,columns\].
    pub fn unit_activations<'a>(
        &'a self,
        all: &'a [f32],
        unit: usize,
    ) -> impl Iterator<Item = f32> + 'a {
        let (rows, columns) = self.site.positions;
        let images = all.chunks_exact(self.site.units * rows * columns);
        images.flat_map(move |image| {
            let unit_map = &image[unit * rows * columns..];
            self.inner.iter().map(move |&at| unit_map[at])
        })
    }

    /// Σ(s−½) over the fields, given the sum over the images, \[C·H·W\]: \[P\].
    pub fn stimulus(&self, images: &[f64]) -> Vec<f64> {
        let (height, width) = self.site.field_size();
        let [_, rows, columns] = self.site.image;
        let mut sums = vec![0.0; self.field_pixels()];
        for &(top, left) in &self.corners {
            for (line, sums) in sums.chunks_exact_mut(width).enumerate() {
                let (channel, row) = (line / height, line % height);
                let shown = &images[(channel * rows + top + row) * columns + left..][..width];
                sums.iter_mut().zip(shown).for_each(|(sum, s)| *sum += s);
            }
        }
        sums
    }
}

/// Number of activations of a layer for one image.
pub fn activations(layer: &Site) -> usize {
    let (rows, columns) = layer.positions;
    rows * columns * layer.units
}

/// Numbers in the fields of a layer that [`Fields::weighted`] gathers for one image.
fn fields(layer: &Site) -> usize {
    match layer.sees_whole_image() {
        true => layer.field_pixels(),
        false => layer.inner_positions().len() * layer.field_pixels(),
    }
}

/// How many images of `numbers` numbers each may be in memory at once.
fn images_of(numbers: usize) -> usize {
    (MOST_NUMBERS / numbers.max(1)).max(1)
}

/// Images whose fields and activations may be in memory at once, for each of these layers.
fn images_at_once(layers: &[&Site]) -> usize {
    let numbers = |layer: &&Site| {
        let image: usize = layer.image.iter().product();
        fields(layer).max(activations(layer)).max(image)
    };
    images_of(layers.iter().map(numbers).max().unwrap_or(1))
}

/// Images whose fields and activations may be in memory at once, for each of these layers.
pub fn images_at_once_for(layers: &[Fields]) -> usize {
    let sites: Vec<&Site> = layers.iter().map(|layer| &layer.site).collect();
    images_at_once(&sites)
}

/// Numbers in memory while a block of images is summed: the images, the activations of all layers,
/// and the fields and activations of the layer being processed.
pub fn working_set(layers: &[&Site], block: usize) -> usize {
    let images = images_at_once(layers).min(block);
    let image: usize = layers
        .first()
        .map_or(0, |layer| layer.image.iter().product());
    let all: usize = layers.iter().map(|layer| activations(layer)).sum();
    let in_progress = |layer: &&Site| fields(layer) + 2 * activations(layer);
    images * (2 * image + all + layers.iter().map(in_progress).max().unwrap_or(0))
}

impl Fields {
    /// Empty sums.
    fn sums(&self) -> TriggeredSums {
        TriggeredSums::new(self.site.units, self.field_pixels())
    }

    /// Number of units, U.
    pub fn units(&self) -> usize {
        self.site.units
    }

    /// Sums over images on the device, in 64 bits, from their activations \[N,U,M\] and their values minus ½,
    /// \[N,C,H,W\]: how often each unit fired, Σa, Σ|a| and Σa·(s−½); \[U,3+P\].
    pub fn device_sums(&self, activations: Tensor<3>, centred: Tensor<4>) -> Tensor<2> {
        let [n, units, positions] = activations.dims();
        let weighted = self.weighted(activations.clone(), centred);
        let by_unit = activations.swap_dims(0, 1).reshape([units, n * positions]);
        let whole = by_unit.clone().cast(DType::F64);
        let sum = |tensor: Tensor<2>| tensor.sum_dim(1);
        let (fired, magnitude) = match self.site.signed {
            true => (by_unit.clone().not_equal_elem(0.0), whole.clone().abs()),
            false => (by_unit.clone().greater_elem(0.0), whole.clone()),
        };
        let fired = fired.float().cast(DType::F64);
        let weighted = weighted.cast(DType::F64);
        Tensor::cat(vec![sum(fired), sum(whole), sum(magnitude), weighted], 1)
    }

    /// Adds images, given their activations \[N,U,M\] and their values minus ½, \[N,C,H,W\].
    fn add(&self, sums: &mut TriggeredSums, activations: Tensor<3>, centred: Tensor<4>) {
        // Sums over positions are short; sums over images continue in 64 bits.
        let over_images = |tensor: Tensor<3>, sums: &mut Vec<f64>| {
            for row in read_back(tensor.sum_dim(2)).chunks_exact(self.site.units) {
                add(sums, row);
            }
        };
        over_images(activations.clone(), &mut sums.activation);
        if self.site.signed {
            over_images(activations.clone().abs(), &mut sums.magnitude);
            let fired = activations.clone().not_equal_elem(0.0).float();
            over_images(fired, &mut sums.nonzero);
        } else {
            let fired = activations.clone().greater_elem(0.0).float();
            over_images(fired, &mut sums.nonzero);
            sums.magnitude.clone_from(&sums.activation);
        }
        self.weigh(sums, activations, centred);
    }

    /// Adds the fields of images, given as their values minus ½, \[N,C,H,W\], times activations \[N,U,M\].
    fn weigh(&self, sums: &mut TriggeredSums, activations: Tensor<3>, centred: Tensor<4>) {
        let weighted = self.weighted(activations, centred);
        add(&mut sums.weighted, &read_back(weighted));
    }
}

fn add(sums: &mut [f64], values: &[f32]) {
    sums.iter_mut()
        .zip(values)
        .for_each(|(sum, &value)| *sum += f64::from(value));
}

/// Shows the network `pixels`, row-major \[N,C,H,W\] in \[0,1\], and sums the receptive fields of
/// every layer, weighted by activation.
pub fn sum(
    layers: &[Fields],
    network: &Subject,
    pixels: &[f32],
    device: &Device,
) -> Vec<BlockResponses> {
    let sites: Vec<&Site> = layers.iter().map(|layer| &layer.site).collect();
    let ids: Vec<SiteId> = layers.iter().map(|layer| layer.id).collect();
    let at_once = images_at_once(&sites);
    let mut totals: Vec<TriggeredSums> = layers.iter().map(Fields::sums).collect();
    let shape = network.network_shape().image;
    let area = network.network_shape().pixels();
    for piece in pixels.chunks(at_once * area) {
        let images = stack(piece, shape, device);
        let by_plan = network.add_triggered(piece, &ids, &mut totals);
        let layers = layers.iter().zip(&mut totals);
        if by_plan {
            let n = piece.len() / area;
            for (layer, totals) in layers {
                let apart = std::mem::take(&mut totals.unsummed);
                if apart.is_empty() {
                    continue;
                }
                let shape = [n, layer.site.units, layer.positions()];
                let apart = Tensor::from_data(TensorData::new(apart, shape), device);
                layer.weigh(totals, apart, images.clone() - 0.5);
            }
            continue;
        }
        let all = network.activations(images.clone(), &ids);
        let centred = images - 0.5;
        for ((layer, totals), output) in layers.zip(all) {
            let activations = layer.activations(output);
            layer.add(totals, activations, centred.clone());
        }
    }
    let mut shown = vec![0.0; area];
    for image in pixels.chunks_exact(area) {
        shown
            .iter_mut()
            .zip(image)
            .for_each(|(sum, &s)| *sum += f64::from(s) - 0.5);
    }
    let images = pixels.len() / area;
    let round = |sums: &[f64]| sums.iter().map(|&sum| fixed(sum)).collect();
    let whole = layers.iter().zip(&totals);
    whole
        .map(|(layer, totals)| BlockResponses {
            fields: (images * layer.positions()) as u64,
            fired: totals.nonzero.iter().map(|&count| count as i64).collect(),
            activation: round(&totals.activation),
            magnitude: round(&totals.magnitude),
            stimulus: round(&layer.stimulus(&shown)),
            weighted: round(&totals.weighted),
        })
        .collect()
}
