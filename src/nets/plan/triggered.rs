//! Activations of individual units, computed in the layout of a plan, and receptive-field pixels summed with the
//! activations as weights (spike-triggered sums).
//!
//! Sums over images and positions stay in vectors, one lane per image, for a whole portion of images; then the lanes
//! are added in 64 bits. Five units by five adjacent field pixels are summed at a time, over a few positions whose
//! activations fit in the L1 cache.

mod portion;

use super::Plan;
use super::layout::TensorSlot;
use crate::session::form::Shape;
use portion::{CentredImages, PortionSum};

/// Minimum number of positions for summing fields here: with fewer, adding up the lanes would cost too much for the
/// few products in each sum.
const MIN_POSITIONS: usize = 8;

/// Where the activations of a site lie in the output of its node for one image: the offset of a unit plus the offset
/// of a position is the row-major index of that unit at that position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationOffsets {
    /// Offset of each unit.
    pub units: Vec<usize>,
    /// Offset of each position.
    pub positions: Vec<usize>,
}

impl ActivationOffsets {
    /// The same offsets in the memory layout of a tensor, with its border.
    fn in_slot(&self, place: &TensorSlot) -> (Vec<usize>, Vec<usize>) {
        let area = (place.rows * place.columns).max(1);
        let at = |number: usize| {
            let (channel, rest) = (number / area, number % area);
            place.offset(channel, rest / place.columns, rest % place.columns)
        };
        // The stride along an axis does not depend on the other axes.
        let units = self.units.iter().map(|&number| at(number) - at(0));
        let positions = self.positions.iter().map(|&number| at(number));
        (units.collect(), positions.collect())
    }
}

/// A site whose receptive fields are summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummedSite {
    /// Where the activations lie, at the positions to be summed.
    pub activations: ActivationOffsets,
    /// Top row and left column of the field at each of these positions.
    pub corners: Vec<(usize, usize)>,
    /// Channels, rows and columns of a field.
    pub field: Shape,
}

impl SummedSite {
    /// Whether its fields are summed elsewhere, as a matrix product: also if all are the same one, which is then
    /// multiplied once, and not at every position.
    fn is_matrix_product(&self) -> bool {
        let first = self.corners.first();
        self.corners.len() < MIN_POSITIONS
            || self.corners.iter().all(|corner| Some(corner) == first)
    }
}

/// Sums over images and positions.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggeredSums {
    /// Number of non-zero activations, \[U\].
    pub nonzero: Vec<f64>,
    /// Σa, \[U\].
    pub activation: Vec<f64>,
    /// Σ\|a\|, \[U\].
    pub magnitude: Vec<f64>,
    /// Σa·(s−½) for the pixels of a field, row-major \[U,C,h,w\].
    pub weighted: Vec<f64>,
    /// Activations, row-major \[N,U,M\], that are still to be multiplied with fields: for sites with few positions, or
    /// with one field for all.
    pub unsummed: Vec<f32>,
}

impl TriggeredSums {
    /// Empty sums for a number of units and of pixels per field.
    pub fn new(units: usize, pixels: usize) -> Self {
        Self {
            nonzero: vec![0.0; units],
            activation: vec![0.0; units],
            magnitude: vec![0.0; units],
            weighted: vec![0.0; units * pixels],
            unsummed: Vec::new(),
        }
    }
}

impl Plan {
    /// Adds to `sums` the responses of sites to images, row-major \[N,C,H,W\]. The plan's first output must be the
    /// image, followed by the nodes of the sites.
    pub fn triggered(&self, pixels: &[f32], looked: &[SummedSite], sums: &mut [TriggeredSums]) {
        self.run(pixels, &mut |portion| {
            let images = CentredImages::new(&portion);
            for (site, (looked, sums)) in looked.iter().zip(sums.iter_mut()).enumerate() {
                let place = portion.slot(site + 1);
                let (units, positions) = looked.activations.in_slot(place);
                let lanes = portion.lanes();
                let groups = portion.images.div_ceil(lanes);
                self.lanes.arch().dispatch(PortionSum {
                    images: &images,
                    activations: (0..groups)
                        .map(|group| portion.value(site + 1, group))
                        .collect(),
                    units: &units,
                    positions: &positions,
                    site: looked,
                    sums,
                });
            }
        });
    }

    /// Activations for images, row-major \[N,C,H,W\], at the sites of all outputs after the first; each row-major
    /// \[N,U,M\].
    pub fn activations(&self, pixels: &[f32], answers: &[ActivationOffsets]) -> Vec<Vec<f32>> {
        let mut all = vec![Vec::new(); answers.len()];
        self.run(pixels, &mut |portion| {
            let lanes = portion.lanes();
            for (site, (answers, all)) in answers.iter().zip(&mut all).enumerate() {
                let (units, positions) = answers.in_slot(portion.slot(site + 1));
                for image in 0..portion.images {
                    let value = &portion.value(site + 1, image / lanes)[image % lanes..];
                    append_activations(value, lanes, (&units, &positions), all);
                }
            }
        });
        all
    }
}

/// Appends the activations of an image, unit by unit; `value` starts at its lane.
fn append_activations(
    value: &[f32],
    lanes: usize,
    (units, positions): (&[usize], &[usize]),
    all: &mut Vec<f32>,
) {
    for unit in units {
        let positions = positions.iter();
        all.extend(positions.map(|position| value[(unit + position) * lanes]));
    }
}
