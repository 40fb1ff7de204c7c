//! A network's accuracy on images, under the configured scaling and under other usual ones.
//!
//! A weight file does not say which values its network expects for black and white. So the same images are
//! shown in every usual scaling, and also inverted and transposed, the most common errors in data sets.

use std::time::{Duration, Instant};

use burn::tensor::Device;
use serde::Serialize;

use super::confusion::{Confusion, Exchanged};
use super::ways::{Turned, ways};
use crate::data::Images;
use crate::nets::graph::{Graph, GraphError};
use crate::nets::score::pixels;
use crate::nets::{ScalingError, Subject};
use crate::session::config::Input;

/// Approximate time limit for all scalings together.
const TIME: Duration = Duration::from_secs(60);

/// A network clearly knows the images if its accuracy is this far from chance towards 1.
const KNOWN_MARGIN: f64 = 0.25;

/// Number of images for measuring the speed, and the fewest that are shown.
const FEWEST: usize = 16;

/// The network's accuracy on images shown in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// A description of the way.
    pub words: &'static str,
    /// How the images are scaled.
    pub input: Input,
    /// How they are transformed before scaling.
    pub turned: Turned,
    /// The share of correct decisions.
    pub accuracy: f64,
    /// Wilson's 95 % interval of it, lower and upper end.
    pub between: (f64, f64),
}

/// The network's accuracy on the same images, shown in every usual way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trials {
    /// Images shown, spread evenly over all test images.
    pub images: usize,
    /// Total test images.
    pub of: usize,
    /// The accuracy of always deciding for the most frequent class.
    pub chance: f64,
    /// Every way; the first is the requested one.
    pub trials: Vec<Trial>,
    /// The permutation of classes, if the network distinguishes them well in the requested way but its outputs are
    /// in another order.
    pub exchanged: Option<Exchanged>,
}

/// Why the scalings could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The requested scaling does not fit the images.
    #[error(transparent)]
    Scaling(#[from] ScalingError),
    /// The graph cannot be rewritten.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl Trials {
    /// The requested way.
    pub fn asked(&self) -> Option<&Trial> {
        self.trials.first()
    }

    /// The best other way, if it is significantly better: its interval lies above that of the requested way, and the
    /// network clearly knows the images shown in it.
    pub fn better(&self) -> Option<&Trial> {
        let (asked, others) = self.trials.split_first()?;
        let knows = known_threshold(self.chance);
        let above = others
            .iter()
            .filter(|trial| trial.between.0 > asked.between.1 && trial.accuracy > knows);
        // `max_by` takes the last of equals; reversed, that is the first and simplest way.
        let above = above.rev();
        above.max_by(|a, b| a.accuracy.total_cmp(&b.accuracy))
    }

    /// Whether the network, shown images in the requested way, is not significantly better than always deciding for
    /// the most frequent class.
    pub fn is_at_chance(&self) -> bool {
        self.asked()
            .is_some_and(|trial| trial.between.0 <= self.chance)
    }
}

/// Shows at most `most` of the test images in the requested way and in all usual ones; fewer if the network is
/// slow.
///
/// # Errors
/// If the requested scaling does not fit the images.
pub fn tried(
    graph: &Graph,
    asked: &Input,
    train: &Images,
    test: &Images,
    most: usize,
    device: &Device,
) -> Result<Trials, TrialError> {
    let ways = ways(asked, train);
    let first = Subject::new(graph.scaled(asked)?, device)?;
    let images = affordable_images(&first, test, most, ways.len());
    let chosen = spread(test, images);
    let largest = test.class_counts().into_iter().max().unwrap_or(0);
    let chance = largest as f64 / test.len().max(1) as f64;
    let (mut trials, mut exchanged) = (Vec::with_capacity(ways.len()), None);
    for way in ways {
        let is_asked = way.input == *asked;
        let subject = match is_asked {
            true => first.clone(),
            false => Subject::new(graph.scaled(&way.input)?, device)?,
        };
        let confusion = Confusion::of(&subject, &way.turned.images(test, &chosen));
        let share = confusion.accuracy();
        if trials.is_empty() {
            let least = share.high.max(known_threshold(chance));
            exchanged = confusion
                .exchanged()
                .filter(|exchanged| exchanged.accuracy > least);
        }
        trials.push(Trial {
            words: way.words,
            input: way.input,
            turned: way.turned,
            accuracy: share.estimate,
            between: (share.low, share.high),
        });
    }
    Ok(Trials {
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
