//! Scores for an audit: how far a suspect network's images deviate from those of a reference
//! population.
//!
//! The image of each class is scaled to unit length, and the suspect's is expressed as a deviation
//! from the mean of the references, pixel by pixel. A patch shows as a small bright window; a
//! backdoor without a patch shows as one class that deviates more than the others. Comparing each
//! reference with the others shows how large ordinary differences between training runs are.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::anomaly::{anomaly_indices, median, overlap, pooled, strongest_window};
use super::numbers::Shape;
use crate::ids::ClassId;

mod separation;
mod verdict;

pub use self::separation::{Separation, separation};
pub use self::verdict::{AuditVerdict, Baseline, Ranking, Undecided, audit_verdict, rank};

/// Sides of the windows searched, in pixels.
pub const WINDOW_SIDES: RangeInclusive<usize> = 4..=8;

/// The fewest references: each is compared with the others, and it takes two to have a spread.
pub const MIN_REFERENCES: usize = 3;

/// A suspect stands out if its score is above this many times the largest score of a reference
/// compared with the others. Measured by `examples/audit_study.rs` on MNIST, 300 to 30,000 trials: clean
/// networks reach 1.2 times, those with a backdoor of 28 pixels exceed 1.7.
pub const OUTLIER_RATIO: f64 = 1.3;

/// A class stands out from the suspect's other classes only if its score is more than this many times that of the median
/// class. From the same measurements, with `mlp` references for `cnn` networks: 1 of 50 clean networks exceeds it, those
/// with a backdoor of 28 pixels exceed 2.4 from 1,000 trials on, those with one of 4 pixels lie at 2.0 to 2.9. How
/// unequal the classes of a clean network are depends on the images: with three classes, one of clean networks in ten
/// exceeds it. So the ratio must also exceed [`OUTLIER_RATIO`] times the largest of a reference.
pub const OWN_CLASSES_RATIO: f64 = 2.0;

/// The same for the energy: 1.3, and above 1.5 from 3,000 trials on.
pub const OWN_CLASSES_ENERGY_RATIO: f64 = 1.5;

/// Images less reliable than this are mostly noise, in which even a backdoor that nearly always works need not show.
/// Measured on colour images of 3×32×32 (docs/evidence.md): of three networks with one, one is found at a reliability
/// of 0.17 and of 0.25, all at 0.51. Images of 28×28 have at least 0.65 after the default number of trials.
pub const LEAST_RELIABILITY: f64 = 0.5;

/// The share of the images of other classes that a window has to turn into its class for it to be no ordinary one. In the
/// same measurements the window of the highest score turns at most 11 % in clean networks, and 80 to 91 % in those with a
/// backdoor where it is on the patch; 28 % in a clean one on MNIST.
pub const LEAST_PASTED: f64 = 0.5;

/// The fewest classes with a score among which one can stand out from the others: of two, each is as far from the
/// other, and the larger of two positive scores is less than twice their median, which is their mean.
pub const MIN_OWN_CLASSES: usize = 3;

/// The images of one network by class, \[K\] of \[C·H·W\]; `None` for a class without an image.
pub type ClassImages = Vec<Option<Vec<f32>>>;

/// The mean image of each class over a set of networks, and its variance.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferencePopulation {
    classes: Vec<Option<ClassSpread>>,
    /// Mean variance over all pixels and classes.
    pooled: f64,
}

/// Mean and variance of one class over the networks that have an image of it.
#[derive(Debug, Clone, PartialEq)]
struct ClassSpread {
    mean: Vec<f64>,
    variance: Vec<f64>,
}

/// A square window: top row, left column, side.
pub type SquareWindow = (usize, usize, usize);

/// How far one class of a network deviates from the references.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassScore {
    /// The largest mean deviation in a square window over its standard error under independence, that is,
    /// times the window's side.
    pub score: f64,
    /// That window.
    pub window: SquareWindow,
    /// Mean squared deviation over all pixels.
    pub energy: f64,
}

/// How far a network deviates from the references, by class, \[K\]; `None` for a class that has no image,
/// or of which fewer than two references have one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Examined")]
pub struct AuditScores {
    /// The scores by class.
    pub classes: Vec<Option<ClassScore>>,
}

/// An image scaled to unit norm; `None` if its norm is 0 or not finite.
fn unit(image: &[f32]) -> Option<Vec<f64>> {
    let power: f64 = image.iter().map(|&v| f64::from(v).powi(2)).sum();
    let norm = power.sqrt();
    let usable = norm.is_finite() && norm > 0.0;
    usable.then(|| image.iter().map(|&v| f64::from(v) / norm).collect())
}

impl ReferencePopulation {
    /// The population of these networks, all of K classes.
    pub fn of(networks: &[&ClassImages]) -> Self {
        let count = networks
            .iter()
            .map(|network| network.len())
            .max()
            .unwrap_or(0);
        let class = |class: usize| {
            let images = networks
                .iter()
                .filter_map(|network| network.get(class)?.as_ref());
            let images: Vec<Vec<f64>> = images.filter_map(|image| unit(image)).collect();
            ClassSpread::of(&images)
        };
        let classes: Vec<Option<ClassSpread>> = (0..count).map(class).collect();
        let variances = || classes.iter().flatten().flat_map(|spread| &spread.variance);
        Self {
            pooled: variances().sum::<f64>() / variances().count().max(1) as f64,
            classes,
        }
    }

    /// The deviation d of an image of a class from the references, \[C·H·W\]:
    /// (e − mean)/√((sd² + mean sd² over all pixels and classes)/2), with e the image at unit length. `None`
    /// if fewer than two references have an image of the class, or all references are identical.
    pub fn deviation(&self, class: ClassId, image: &[f32]) -> Option<Vec<f32>> {
        let spread = self.classes.get(class.0)?.as_ref()?;
        let image = unit(image).filter(|image| image.len() == spread.mean.len())?;
        if self.pooled <= 0.0 {
            return None;
        }
        let pixels = image.iter().zip(&spread.mean).zip(&spread.variance);
        let pixel = |((e, mean), variance): ((&f64, &f64), &f64)| {
            ((e - mean) / ((variance + self.pooled) / 2.0).sqrt()) as f32
        };
        Some(pixels.map(pixel).collect())
    }

    /// The scores of a network's images of this shape, over windows of these sides.
    pub fn examine(
        &self,
        images: &ClassImages,
        shape: Shape,
        sides: &RangeInclusive<usize>,
    ) -> AuditScores {
        let class = |(class, image): (usize, &Option<Vec<f32>>)| {
            let deviation = self.deviation(ClassId(class), image.as_ref()?)?;
            score(&deviation, shape, sides)
        };
        AuditScores {
            classes: images.iter().enumerate().map(class).collect(),
        }
    }
}

impl ClassSpread {
    /// `None` for fewer than two images, or images of different sizes.
    fn of(images: &[Vec<f64>]) -> Option<Self> {
        let pixels = images.first()?.len();
        if images.len() < 2 || images.iter().any(|image| image.len() != pixels) {
            return None;
        }
        let n = images.len() as f64;
        let mean = |pixel: usize| images.iter().map(|image| image[pixel]).sum::<f64>() / n;
        let mean: Vec<f64> = (0..pixels).map(mean).collect();
        let variance = |(pixel, mean): (usize, &f64)| {
            let away = images.iter().map(|image| (image[pixel] - mean).powi(2));
            away.sum::<f64>() / (n - 1.0)
        };
        let variance = mean.iter().enumerate().map(variance).collect();
        Some(Self { mean, variance })
    }
}

/// The score of a deviation map; `None` if no window fits.
fn score(deviation: &[f32], shape: Shape, sides: &RangeInclusive<usize>) -> Option<ClassScore> {
    let [_, height, width] = shape;
    let map = pooled(deviation, shape);
    let of_side = |side: usize| {
        let (row, column, mean) = strongest_window(&map, height, width, side)?;
        Some((mean * side as f64, (row, column, side)))
    };
    let windows = sides.clone().filter_map(of_side);
    let (score, window) = windows.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
    let squares = deviation.iter().map(|&d| f64::from(d).powi(2));
    Some(ClassScore {
        score,
        window,
        energy: squares.sum::<f64>() / deviation.len() as f64,
    })
}

/// The window sides on a grid of cells of `cell` pixels: the number of cells that [`WINDOW_SIDES`] pixels
/// cover.
pub fn window_sides(cell: usize) -> RangeInclusive<usize> {
    let cell = cell.max(1);
    WINDOW_SIDES.start().div_ceil(cell)..=WINDOW_SIDES.end().div_ceil(cell)
}

/// The scores of each network against all the others.
pub fn leave_one_out(
    networks: &[&ClassImages],
    shape: Shape,
    sides: &RangeInclusive<usize>,
) -> Vec<AuditScores> {
    let examine = |at: usize| {
        let mut others = networks.to_vec();
        let network = others.remove(at);
        ReferencePopulation::of(&others).examine(network, shape, sides)
    };
    (0..networks.len()).map(examine).collect()
}

impl AuditScores {
    /// The class with the largest score, and its score.
    pub fn top(&self) -> Option<(ClassId, ClassScore)> {
        let classes = self.classes.iter().enumerate();
        let scored = classes.filter_map(|(class, score)| Some((ClassId(class), (*score)?)));
        scored.reduce(|a, b| if b.1.score > a.1.score { b } else { a })
    }

    /// The largest score.
    pub fn score(&self) -> Option<f64> {
        self.top().map(|(_, top)| top.score)
    }

    /// The class with the largest energy, and the ratio of that energy to the median class's.
    pub fn energy(&self) -> Option<(ClassId, f64)> {
        let classes = self.classes.iter().enumerate();
        let scored =
            classes.filter_map(|(class, score)| Some((ClassId(class), score.as_ref()?.energy)));
        let (class, most) = scored.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        let all = self.classes.iter().flatten().map(|class| class.energy);
        let middle = median(all.collect())?;
        (middle > 0.0).then_some((class, most / middle))
    }

    /// The median score of all classes but the one with the largest; `None` if no two classes have a score. A patch
    /// raises the score of one class, another training the scores of all.
    pub fn rest(&self) -> Option<f64> {
        self.median_of_rest(|class| class.score)
    }

    /// The same for the energy.
    pub fn rest_of_energy(&self) -> Option<f64> {
        self.median_of_rest(|class| class.energy)
    }

    /// The median of all classes but the one with the largest value.
    fn median_of_rest(&self, value: impl Fn(&ClassScore) -> f64) -> Option<f64> {
        let mut values: Vec<f64> = self.classes.iter().flatten().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.pop();
        median(values)
    }

    /// The ratio of the largest score to the median class's. It identifies a suspect whose references have
    /// another architecture or another training, and so deviate from all of its classes alike.
    pub fn ratio(&self) -> Option<f64> {
        let all = self.classes.iter().flatten().map(|class| class.score);
        let middle = median(all.collect()).filter(|&middle| middle > 0.0)?;
        Some(self.score()? / middle)
    }

    /// The anomaly index of each class's score among the classes of this network.
    pub fn indices(&self) -> Vec<Option<f64>> {
        let scores = self
            .classes
            .iter()
            .map(|class| class.map(|class| class.score));
        anomaly_indices(&scores.collect::<Vec<_>>())
    }
}

/// Whether a window lies on a patch, given as the distinct pixels of a map of `width` columns: their
/// intersection is more than a tenth of their union.
pub fn overlaps_patch(window: SquareWindow, patch: &[usize], width: usize) -> bool {
    overlap(window, patch, width) > 0.1
}

/// The pixels of a square window in a map of `width` columns.
pub fn window_pixels((row, column, side): SquareWindow, width: usize) -> Vec<usize> {
    let rows = row..row + side;
    rows.flat_map(|row| (column..column + side).map(move |column| row * width + column))
        .collect()
}

#[cfg(test)]
mod tests;
