//! A network's accuracy on images, under the configured scaling and under other usual ones.
//!
//! A weight file does not say which values its network expects for black and white. So the same images are
//! shown in every usual scaling, and also inverted and transposed, the most common errors in data sets.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use serde::Serialize;

use super::confusion::{ClassPermutation, ConfusionMatrix};
use super::presentations::{ImageTransform, presentations};
use crate::data::Images;
use crate::nets::graph::{Graph, GraphError};
use crate::nets::score::pixels;
use crate::nets::{ScalingError, Subject};
use crate::session::config::InputEncoding;

/// Approximate time limit for all scalings together.
const TIME: Duration = Duration::from_secs(60);

/// A network clearly knows the images if its accuracy is this far from chance towards 1.
const KNOWN_MARGIN: f64 = 0.25;

/// Number of images for measuring the speed, and the fewest that are shown.
const FEWEST: usize = 16;

/// The network's accuracy on images shown in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScalingResult {
    /// A description of the way.
    pub words: &'static str,
    /// How the images are scaled.
    pub input: InputEncoding,
    /// How they are transformed before scaling.
    pub turned: ImageTransform,
    /// The share of correct decisions.
    pub accuracy: f64,
    /// Wilson's 95 % interval of it, lower and upper end.
    pub between: (f64, f64),
}

/// The network's accuracy on the same images, shown in every usual way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScalingResults {
    /// Images shown, spread evenly over all test images.
    pub images: usize,
    /// Total test images.
    pub of: usize,
    /// The accuracy of always deciding for the most frequent class.
    pub chance: f64,
    /// Every way; the first is the requested one.
    pub trials: Vec<ScalingResult>,
    /// The permutation of classes, if the network distinguishes them well in the requested way but its outputs are
    /// in another order.
    pub exchanged: Option<ClassPermutation>,
}

/// Why the scalings could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum ScalingTestError {
    /// The requested scaling does not fit the images.
    #[error(transparent)]
    Scaling(#[from] ScalingError),
    /// The graph cannot be rewritten.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl ScalingResults {
    /// The requested way.
    pub fn requested(&self) -> Option<&ScalingResult> {
        self.trials.first()
    }

    /// The best other way, if it is significantly better: its interval lies above that of the requested way, and the
    /// network clearly knows the images shown in it.
    pub fn better(&self) -> Option<&ScalingResult> {
        let (asked, others) = self.trials.split_first()?;
        let knows = known_threshold(self.chance);
        let above = others
            .iter()
            .filter(|trial| trial.between.0 > asked.between.1 && trial.accuracy > knows);
        // `max_by` takes the last of equals; reversed, that is the first and simplest way.
        let above = above.rev();
        above.max_by(|a, b| a.accuracy.total_cmp(&b.accuracy))
    }

    /// The scaling that a session would take: the significantly better one, else the default if the network does better
    /// than chance with it. `None` if the user chose one, or if none is known to suit.
    pub fn taken(&self) -> Option<&ScalingResult> {
        match self.better() {
            Some(better) => (better.turned == ImageTransform::No).then_some(better),
            None => self
                .requested()
                .filter(|trial| trial.input == InputEncoding::default() && !self.is_at_chance()),
        }
    }

    /// The other scalings whose accuracy is no lower than the interval of `taken`: the images do not tell them apart.
    pub fn indistinct_from(&self, taken: &ScalingResult) -> Vec<&ScalingResult> {
        let others = self.trials.iter().filter(|trial| *trial != taken);
        let plain = others.filter(|trial| trial.turned == ImageTransform::No);
        plain
            .filter(|trial| trial.accuracy >= taken.between.0)
            .collect()
    }

    /// Whether the network, shown images in the requested way, is not significantly better than always deciding for
    /// the most frequent class.
    pub fn is_at_chance(&self) -> bool {
        self.requested()
            .is_some_and(|trial| trial.between.0 <= self.chance)
    }
}

/// Shows at most `most` of the test images in the requested way and in all usual ones; fewer if the network is
/// slow.
///
/// # Errors
/// If the requested scaling does not fit the images.
pub fn test_scalings(
    graph: &Graph,
    asked: &InputEncoding,
    train: &Images,
    test: &Images,
    most: usize,
    device: &Device,
) -> Result<ScalingResults, ScalingTestError> {
    let ways = presentations(asked, train);
    let first = Subject::new(graph.with_input_scaling(asked)?, device)?;
    let images = affordable_images(&first, test, most, ways.len());
    let chosen = spread(test, images);
    let largest = test.class_counts().into_iter().max().unwrap_or(0);
    let chance = largest as f64 / test.len().max(1) as f64;
    let (mut trials, mut exchanged) = (Vec::with_capacity(ways.len()), None);
    for way in ways {
        let is_asked = way.input == *asked;
        let subject = match is_asked {
            true => first.clone(),
            false => Subject::new(graph.with_input_scaling(&way.input)?, device)?,
        };
        let confusion = ConfusionMatrix::of(&subject, &way.turned.apply(test, &chosen));
        let share = confusion.accuracy();
        if trials.is_empty() {
            let least = share.high.max(known_threshold(chance));
            exchanged = confusion
                .permutation()
                .filter(|exchanged| exchanged.accuracy > least);
        }
        trials.push(ScalingResult {
            words: way.words,
            input: way.input,
            turned: way.turned,
            accuracy: share.estimate,
            between: (share.low, share.high),
        });
    }
    Ok(ScalingResults {
        images,
        of: test.len(),
        chance,
        trials,
        exchanged,
    })
}

/// The minimum accuracy of a network that clearly knows the images.
fn known_threshold(chance: f64) -> f64 {
    chance + KNOWN_MARGIN * (1.0 - chance)
}

/// The number of images that there is time for.
fn affordable_images(subject: &Subject, test: &Images, most: usize, ways: usize) -> usize {
    let few = FEWEST.min(test.len());
    let shown = spread(test, few);
    let time = || {
        let began = Instant::now();
        subject.logits(pixels(test, &shown), subject.device());
        began.elapsed()
    };
    // The first run includes one-time preparation.
    let cold = time();
    let warm = if cold > TIME / 20 { cold } else { time() };
    let each = warm.as_secs_f64().max(1e-9) / few.max(1) as f64;
    let time = (TIME.as_secs_f64() / (each * ways as f64)) as usize;
    time.clamp(few, most.max(few)).min(test.len())
}

/// Indices of `count` images, spread evenly over all.
fn spread(images: &Images, count: usize) -> Vec<usize> {
    (0..count).map(|i| i * images.len() / count).collect()
}
