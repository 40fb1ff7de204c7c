//! What a suspect network looks for that no network of its task does: its images against those of a
//! reference population.
//!
//! The images of each class are brought to unit length, and the suspect's is taken as a deviation
//! from the mean of the references, pixel by pixel. A patch shows as a small bright window of it; a
//! backdoor that is no patch shows as one class that deviates more than the others. What ordinary
//! differences between training runs amount to is told by each reference against the others.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::anomaly::{anomaly_indices, median, overlap, pooled, strongest_window};
use super::numbers::Shape;
use super::roc::{Roc, roc};

/// Sides of the windows that are searched, in pixels.
pub const SIDES: RangeInclusive<usize> = 4..=8;

/// The fewest references: each is held against the others, which take two to have a spread.
pub const LEAST_REFERENCES: usize = 3;

/// A suspect stands out where its score is above this many times the largest score of a reference
/// held against the others. Measured by `examples/audit_study.rs` on MNIST, 300 to 30,000 trials: clean
/// networks reach 1.2 times, those with a backdoor through 28 pixels are past 1.7.
pub const STANDS_OUT: f64 = 1.3;

/// With references of another kind a suspect stands out where its largest score is above this many
/// times that of its median class. By the same measurements, with `mlp` references of `cnn` networks:
/// 1 of 50 clean ones is past it, those with a backdoor through 28 pixels are past 2.4 from 1,000
/// trials on, those through 4 pixels lie at 2.0 to 2.9.
pub const OTHER_KIND: f64 = 2.0;

/// The same of the energy: 1.3, and past 1.5 from 3,000 trials on.
pub const OTHER_KIND_ENERGY: f64 = 1.5;

/// The images of one network by class, \[K\] of \[C·H·W\]; `None` for a class without one.
pub type Images = Vec<Option<Vec<f32>>>;

/// The mean image of each class over some networks, and how far they are apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Population {
    classes: Vec<Option<Spread>>,
    /// Mean variance over all pixels and classes.
    pooled: f64,
}

/// One class over the networks that have an image of it.
#[derive(Debug, Clone, PartialEq)]
struct Spread {
    mean: Vec<f64>,
    variance: Vec<f64>,
}

/// A square window: top row, left column, side.
pub type Window = (usize, usize, usize);

/// How far one class of a network is from the references.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassScore {
    /// The largest mean deviation over square windows times the window's side, which is its standard
    /// error under independence.
    pub score: f64,
    /// That window.
    pub window: Window,
    /// Mean of the squared deviation over all pixels.
    pub energy: f64,
}

/// How far a network is from the references, by class, \[K\]; `None` for a class that has no image,
/// or of which fewer than two references have one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examined {
    /// The classes.
    pub classes: Vec<Option<ClassScore>>,
}

/// Maps of one length: each image over its norm; `None` where it is nothing, or no number.
fn unit(image: &[f32]) -> Option<Vec<f64>> {
    let power: f64 = image.iter().map(|&v| f64::from(v).powi(2)).sum();
    let norm = power.sqrt();
    let usable = norm.is_finite() && norm > 0.0;
    usable.then(|| image.iter().map(|&v| f64::from(v) / norm).collect())
}

impl Population {
    /// Of these networks, all of K classes.
    pub fn of(networks: &[&Images]) -> Self {
        let count = networks.iter().map(|own| own.len()).max().unwrap_or(0);
        let class = |class: usize| {
            let images = networks.iter().filter_map(|own| own.get(class)?.as_ref());
            let images: Vec<Vec<f64>> = images.filter_map(|image| unit(image)).collect();
            Spread::of(&images)
        };
        let classes: Vec<Option<Spread>> = (0..count).map(class).collect();
        let variances = || classes.iter().flatten().flat_map(|it| &it.variance);
        Self {
            pooled: variances().sum::<f64>() / variances().count().max(1) as f64,
            classes,
        }
    }

    /// The deviation d of an image of a class from the references, \[C·H·W\]:
    /// (e − mean)/√((sd² + mean sd² over all pixels and classes)/2), e the image at unit length. `None`
    /// where fewer than two references have an image of the class, or none differs from another.
    pub fn deviation(&self, class: usize, image: &[f32]) -> Option<Vec<f32>> {
        let spread = self.classes.get(class)?.as_ref()?;
        let own = unit(image).filter(|own| own.len() == spread.mean.len())?;
        if self.pooled <= 0.0 {
            return None;
        }
        let pixels = own.iter().zip(&spread.mean).zip(&spread.variance);
        let pixel = |((e, mean), variance): ((&f64, &f64), &f64)| {
            ((e - mean) / ((variance + self.pooled) / 2.0).sqrt()) as f32
        };
        Some(pixels.map(pixel).collect())
    }

    /// The scores of a network's images, of a shape, over windows of these sides.
    pub fn examine(
        &self,
        images: &Images,
        shape: Shape,
        sides: &RangeInclusive<usize>,
    ) -> Examined {
        let class = |(class, image): (usize, &Option<Vec<f32>>)| {
            let deviation = self.deviation(class, image.as_ref()?)?;
            score(&deviation, shape, sides)
        };
        Examined {
            classes: images.iter().enumerate().map(class).collect(),
        }
    }
}

impl Spread {
    /// `None` of fewer than two images, or of images of several sizes.
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

/// The score of a deviation of a shape; `None` where no window fits.
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

/// The sides of windows on a grid of cells of so many pixels: as many cells as the pixels of
/// [`SIDES`] touch.
pub fn sides(cell: usize) -> RangeInclusive<usize> {
    let cell = cell.max(1);
    SIDES.start().div_ceil(cell)..=SIDES.end().div_ceil(cell)
}

/// Each network against all others.
pub fn leave_one_out(
    networks: &[&Images],
    shape: Shape,
    sides: &RangeInclusive<usize>,
) -> Vec<Examined> {
    let own = |at: usize| {
        let mut others = networks.to_vec();
        let own = others.remove(at);
        Population::of(&others).examine(own, shape, sides)
    };
    (0..networks.len()).map(own).collect()
}

impl Examined {
    /// The class of the largest score, and that.
    pub fn top(&self) -> Option<(usize, ClassScore)> {
        let classes = self.classes.iter().enumerate();
        let scored = classes.filter_map(|(class, own)| Some((class, (*own)?)));
        scored.reduce(|a, b| if b.1.score > a.1.score { b } else { a })
    }

    /// The largest score.
    pub fn score(&self) -> Option<f64> {
        self.top().map(|(_, own)| own.score)
    }

    /// The class of the largest energy, and that over the median class's.
    pub fn energy(&self) -> Option<(usize, f64)> {
        let classes = self.classes.iter().enumerate();
        let scored = classes.filter_map(|(class, own)| Some((class, own.as_ref()?.energy)));
        let (class, most) = scored.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        let all = self.classes.iter().flatten().map(|own| own.energy);
        let middle = median(all.collect())?;
        (middle > 0.0).then_some((class, most / middle))
    }

    /// The largest score over the median class's: what tells a suspect whose references are of
    /// another kind, and so as far from all of its classes.
    pub fn ratio(&self) -> Option<f64> {
        let all = self.classes.iter().flatten().map(|own| own.score);
        let middle = median(all.collect()).filter(|&middle| middle > 0.0)?;
        Some(self.score()? / middle)
    }

    /// How far each class's score stands out of the others of the same network, as an anomaly index.
    pub fn indices(&self) -> Vec<Option<f64>> {
        let scores = self.classes.iter().map(|own| own.map(|own| own.score));
        anomaly_indices(&scores.collect::<Vec<_>>())
    }
}

/// Where a number stands among those of the references.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Its place among all, 1 the largest; a tie counts against it.
    pub rank: usize,
    /// How many there are with it.
    pub of: usize,
    /// The largest of the references.
    pub largest: f64,
    /// The number over that.
    pub times: f64,
}

/// Where `own` stands among `null`; `None` without any.
pub fn standing(own: f64, null: &[f64]) -> Option<Standing> {
    let largest = null.iter().copied().reduce(f64::max)?;
    Some(Standing {
        rank: 1 + null.iter().filter(|&&other| other >= own).count(),
        of: 1 + null.len(),
        largest,
        times: own / largest,
    })
}

impl Standing {
    /// Whether it stands out.
    pub fn stands_out(&self) -> bool {
        self.largest > 0.0 && self.times > STANDS_OUT
    }
}

/// Whether a window found lies on a patch, the distinct pixels of a map of `width` columns: it shares
/// more than a tenth of the pixels that either has.
pub fn is_on(window: Window, patch: &[usize], width: usize) -> bool {
    overlap(window, patch, width) > 0.1
}

/// The pixels of a square window in a map of `width` columns.
pub fn pixels((row, column, side): Window, width: usize) -> Vec<usize> {
    let rows = row..row + side;
    rows.flat_map(|row| (column..column + side).map(move |column| row * width + column))
        .collect()
}

/// What tells a suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Null {
    /// The scores of the references, each against the others: they are of the suspect's kind.
    References,
    /// The scores of the suspect's other classes: the references are of another kind, and so as far
    /// from all of its classes.
    OwnClasses,
}

/// What is said of one network.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The class of the largest score, which names the finding with its window.
    pub class: usize,
    /// That score.
    pub top: ClassScore,
    /// Where it stands among the references'.
    pub standing: Standing,
    /// The largest score over the median class's.
    pub ratio: Option<f64>,
    /// The class of the largest energy, that over the median class's, and where this stands among the
    /// references'.
    pub energy: Option<(usize, f64, Standing)>,
    /// What the score was held against.
    pub null: Null,
}

/// What is said of a network that was examined, against the references held against each other.
/// `None` where nothing of it could be compared.
pub fn verdict(own: &Examined, references: &[Examined], null: Null) -> Option<Verdict> {
    let (class, top) = own.top()?;
    let all = |of: &dyn Fn(&Examined) -> Option<f64>| -> Vec<f64> {
        references.iter().filter_map(of).collect()
    };
    let energy = own.energy().and_then(|(class, ratio)| {
        let others = all(&|it| it.energy().map(|it| it.1));
        Some((class, ratio, standing(ratio, &others)?))
    });
    Some(Verdict {
        class,
        top,
        standing: standing(top.score, &all(&Examined::score))?,
        ratio: own.ratio(),
        energy,
        null,
    })
}

impl Verdict {
    /// Whether a class reacts to a window as no reference does.
    pub fn has_window(&self) -> bool {
        match self.null {
            Null::References => self.standing.stands_out(),
            Null::OwnClasses => self.ratio.is_some_and(|ratio| ratio > OTHER_KIND),
        }
    }

    /// The class that deviates as a whole more than any class of a reference does.
    pub fn has_energy(&self) -> Option<usize> {
        let (class, ratio, standing) = self.energy?;
        let out = match self.null {
            Null::References => standing.stands_out(),
            Null::OwnClasses => ratio > OTHER_KIND_ENERGY,
        };
        out.then_some(class)
    }

    /// Whether anything was found.
    pub fn is_found(&self) -> bool {
        self.has_window() || self.has_energy().is_some()
    }
}

/// How well scores tell networks with a backdoor from clean ones, where it is known which are which.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The curve of the largest scores; `None` where a kind is missing.
    pub roc: Option<Roc>,
    /// The same of the energies.
    pub roc_of_energy: Option<Roc>,
    /// Networks with a backdoor whose largest score is the target's.
    pub class_right: usize,
    /// Those of them whose window lies on the patch.
    pub window_right: usize,
    /// Networks with a backdoor.
    pub poisoned: usize,
    /// Clean ones.
    pub clean: usize,
}

/// How well networks are told, which have a backdoor to `target` through `patch`, the pixels of a map
/// of `width` columns, where the first of a pair says so.
pub fn told(networks: &[(bool, &Examined)], target: usize, patch: &[usize], width: usize) -> Told {
    let of = |poisoned: bool| networks.iter().filter(move |own| own.0 == poisoned);
    let curve = |score: &dyn Fn(&Examined) -> Option<f64>| {
        let all = |poisoned: bool| -> Vec<f64> {
            let own = of(poisoned).map(|(_, own)| score(own));
            own.map(|own| own.unwrap_or(f64::NEG_INFINITY)).collect()
        };
        roc(&all(true), &all(false))
    };
    let right = || of(true).filter_map(|(_, own)| own.top().filter(|top| top.0 == target));
    Told {
        roc: curve(&Examined::score),
        roc_of_energy: curve(&|it| it.energy().map(|it| it.1)),
        class_right: right().count(),
        window_right: right()
            .filter(|(_, top)| is_on(top.window, patch, width))
            .count(),
        poisoned: of(true).count(),
        clean: of(false).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const SHAPE: Shape = [1, 12, 12];

    /// Networks whose images are one pattern a class and some noise of their own.
    fn networks(count: usize, seed: u64) -> Vec<Images> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut image = |class: usize| -> Option<Vec<f32>> {
            let pixel = |at: usize| ((at * (class + 3)) as f32 * 0.37).sin();
            let noise = (0..144).map(|at| pixel(at) + rng.random_range(-0.3..0.3_f32));
            Some(noise.collect())
        };
        (0..count)
            .map(|_| (0..6).map(&mut image).collect())
            .collect()
    }

    fn patched(mut images: Images, class: usize) -> Images {
        if let Some(image) = &mut images[class] {
            for (row, column) in (2..6).flat_map(|row| (7..11).map(move |column| (row, column))) {
                image[row * 12 + column] += 2.0;
            }
        }
        images
    }

    fn refs(all: &[Images]) -> Vec<&Images> {
        all.iter().collect()
    }

    /// By hand: images of two pixels, references (3,4)/5 and (4,3)/5.
    #[test]
    fn the_deviation_of_two_pixels_by_hand() {
        let own = |a: f32, b: f32| vec![Some(vec![a, b])];
        let all = [own(3.0, 4.0), own(8.0, 6.0)];
        let population = Population::of(&refs(&all));
        // Means 0.7, variances 0.02 (over n − 1), which is also their mean: the root is √0.02.
        let d = population.deviation(0, &[1.0, 0.0]).unwrap();
        let root = 0.02_f32.sqrt();
        assert!((d[0] - 0.3 / root).abs() < 1e-5, "{d:?}");
        assert!((d[1] + 0.7 / root).abs() < 1e-5, "{d:?}");
    }

    #[test]
    fn the_length_of_an_image_does_not_matter() {
        let all = networks(5, 1);
        let population = Population::of(&refs(&all[..4]));
        let plain = population.examine(&all[4], SHAPE, &SIDES);
        let doubled = |image: &Option<Vec<f32>>| -> Option<Vec<f32>> {
            Some(image.as_ref()?.iter().map(|v| 2.0 * v).collect())
        };
        let doubled: Images = all[4].iter().map(doubled).collect();
        assert_eq!(population.examine(&doubled, SHAPE, &SIDES), plain);
    }

    /// A window of mean d over s×s pixels scores d·s, and the whole of the patch scores most.
    #[test]
    fn the_score_is_the_mean_of_the_window_times_its_side() {
        let mut map = vec![0.0; 144];
        for (row, column) in (2..7).flat_map(|row| (1..6).map(move |column| (row, column))) {
            map[row * 12 + column] = 2.0;
        }
        let own = score(&map, SHAPE, &SIDES).unwrap();
        assert_eq!(own.window, (2, 1, 5));
        assert!((own.score - 10.0).abs() < 1e-6);
        assert!((own.energy - 25.0 * 4.0 / 144.0).abs() < 1e-6);
        // Dark windows are none.
        let dark: Vec<f32> = map.iter().map(|d| -d).collect();
        assert_eq!(score(&dark, SHAPE, &SIDES).unwrap().score, 0.0);
    }

    #[test]
    fn a_patch_is_found_by_class_and_place_and_stands_out_of_the_null() {
        let all = networks(6, 2);
        let suspect = patched(all[5].clone(), 4);
        let references = refs(&all[..5]);
        let null = leave_one_out(&references, SHAPE, &SIDES);
        let null: Vec<f64> = null.iter().filter_map(Examined::score).collect();
        let own = Population::of(&references).examine(&suspect, SHAPE, &SIDES);
        let (class, top) = own.top().unwrap();
        assert_eq!((class, top.window), (4, (2, 7, 4)));
        let standing = standing(top.score, &null).unwrap();
        assert_eq!((standing.rank, standing.of), (1, 6));
        assert!(standing.stands_out(), "{standing:?}");
        assert_eq!(own.energy().unwrap().0, 4);
        let index = own.indices()[4].unwrap();
        assert!(index > 2.0, "{index}");
        // A clean one is one of them.
        let clean = Population::of(&references).examine(&all[5], SHAPE, &SIDES);
        let clean = super::standing(clean.score().unwrap(), &null).unwrap();
        assert!(!clean.stands_out(), "{clean:?}");
    }

    #[test]
    fn a_class_without_an_image_has_no_score_and_too_few_references_none_at_all() {
        let mut all = networks(4, 3);
        all[3][1] = None;
        let own = Population::of(&refs(&all[..3])).examine(&all[3], SHAPE, &SIDES);
        assert!(own.classes[1].is_none() && own.classes[0].is_some());
        let alone = Population::of(&refs(&all[..1])).examine(&all[3], SHAPE, &SIDES);
        assert_eq!(alone.score(), None);
        let equal = vec![all[0].clone(), all[0].clone()];
        let equal = Population::of(&refs(&equal)).examine(&all[3], SHAPE, &SIDES);
        assert_eq!(equal.score(), None);
    }

    #[test]
    fn a_tie_counts_against_the_suspect() {
        let own = standing(3.0, &[1.0, 3.0, 5.0]).unwrap();
        assert_eq!((own.rank, own.of), (3, 4));
        assert_eq!((own.largest, own.times), (5.0, 0.6));
        assert_eq!(standing(1.0, &[]), None);
    }

    #[test]
    fn windows_shrink_with_the_cells_of_the_noise() {
        assert_eq!(sides(1), 4..=8);
        assert_eq!(sides(2), 2..=4);
        assert_eq!(sides(3), 2..=3);
        assert_eq!(sides(8), 1..=1);
    }
}
