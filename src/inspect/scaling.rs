//! Whether a network is good on images, and whether it would be better were they scaled otherwise.
//!
//! A file of weights does not say what its network takes for black and white. The same images are
//! shown in every usual scaling, and turned in the two ways in which sets are most often wrong.

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

/// How long all trials may take together, more or less.
const TIME: Duration = Duration::from_secs(60);

/// How far from chance to always right a network is that clearly knows the images.
const CLEARLY: f64 = 0.25;

/// Images that the speed is measured on, and the fewest that are shown.
const FEWEST: usize = 16;

/// How good the network is on images shown in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// The way in words.
    pub words: &'static str,
    /// What the images are scaled by.
    pub input: Input,
    /// How they are changed before.
    pub turned: Turned,
    /// The share that is named rightly.
    pub accuracy: f64,
    /// Wilson's 95 % interval of it, lower and upper end.
    pub between: (f64, f64),
}

/// The network on the same images, shown in every usual way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trials {
    /// Images shown, spread evenly over all test images.
    pub images: usize,
    /// Test images that there are.
    pub of: usize,
    /// The share that always naming the most frequent class would make.
    pub chance: f64,
    /// Every way; the first is the one that was asked for.
    pub trials: Vec<Trial>,
    /// What the network calls every class of the images, where it tells them apart well in the way
    /// asked for but calls them by each other's names: \[K\].
    pub exchanged: Option<Exchanged>,
}

/// Trials that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// What was asked for does not fit the images.
    #[error(transparent)]
    Scaling(#[from] ScalingError),
    /// The graph cannot be rewritten.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl Trials {
    /// The way that was asked for.
    pub fn asked(&self) -> Option<&Trial> {
        self.trials.first()
    }

    /// The best other way, where it is surely better: its interval lies above that of the one asked
    /// for, and it shows that the network knows the images.
    pub fn better(&self) -> Option<&Trial> {
        let (asked, others) = self.trials.split_first()?;
        let knows = clearly(self.chance);
        let above = others
            .iter()
            .filter(|trial| trial.between.0 > asked.between.1 && trial.accuracy > knows);
        // Of equals the last is taken, and the first is the simplest.
        let above = above.rev();
        above.max_by(|a, b| a.accuracy.total_cmp(&b.accuracy))
    }

    /// Whether the network asked for is no better than always naming the most frequent class, as
    /// far as these images can tell.
    pub fn is_at_chance(&self) -> bool {
        self.asked()
            .is_some_and(|trial| trial.between.0 <= self.chance)
    }
}

/// Shows at most `most` of the test images in the way asked for and in all usual ones, fewer where
/// the network is slow.
///
/// # Errors
/// Where what is asked for does not fit the images.
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
    let images = fitting(&first, test, most, ways.len());
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
        let said = Confusion::of(&subject, &way.turned.images(test, &chosen));
        let share = said.accuracy();
        if trials.is_empty() {
            let least = share.high.max(clearly(chance));
            exchanged = said.exchanged().filter(|it| it.accuracy > least);
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

/// The least accuracy of a network that clearly knows the images.
fn clearly(chance: f64) -> f64 {
    chance + CLEARLY * (1.0 - chance)
}

/// How many images there is time for.
fn fitting(subject: &Subject, test: &Images, most: usize, ways: usize) -> usize {
    let few = FEWEST.min(test.len());
    let shown = spread(test, few);
    let time = || {
        let began = Instant::now();
        subject.logits(pixels(test, &shown), subject.device());
        began.elapsed()
    };
    // The first run prepares what later ones find ready.
    let cold = time();
    let warm = if cold > TIME / 20 { cold } else { time() };
    let each = warm.as_secs_f64().max(1e-9) / few.max(1) as f64;
    let time = (TIME.as_secs_f64() / (each * ways as f64)) as usize;
    time.clamp(few, most.max(few)).min(test.len())
}

/// So many images, evenly over all.
fn spread(images: &Images, count: usize) -> Vec<usize> {
    (0..count).map(|i| i * images.len() / count).collect()
}
