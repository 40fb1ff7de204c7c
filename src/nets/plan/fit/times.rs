//! Times of the parts of training steps, for benches.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::layer::FitLayer;
use super::{Fit, WriteImage};

/// How long steps are measured, at least.
const MEASURED: Duration = Duration::from_millis(500);

/// A part of a training step, in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Writing images into lanes.
    Images,
    /// A part of the layer with this index.
    Layer(usize, LayerPart),
    /// The loss and its gradients.
    Loss,
    /// Adding the gradients of portions of the batch.
    Portions,
    /// The optimizer's step.
    Adam,
}

/// A part of a layer's work in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LayerPart {
    Pack,
    Forward,
    Inputs,
    Weights,
}

impl LayerPart {
    /// What it is called in a layer; only convolutions and dense layers compute their two gradients apart.
    fn label(self, layer: &FitLayer) -> &'static str {
        match (self, layer) {
            (Self::Pack, _) => "weights packed",
            (Self::Forward, _) => "forward",
            (Self::Inputs, _) => "gradients of inputs",
            (Self::Weights, FitLayer::Convolution(_) | FitLayer::Dense(_)) => {
                "gradients of weights"
            }
            (Self::Weights, _) => "backward",
        }
    }
}

/// Sums of the time that each part took, while they are being measured.
#[derive(Debug, Default)]
pub(super) struct StepClock(Option<Mutex<BTreeMap<Part, Duration>>>);

impl StepClock {
    /// Runs a part, with all workers or on one of them.
    pub(super) fn time<T>(&self, part: Part, run: impl FnOnce() -> T) -> T {
        let Some(times) = &self.0 else {
            return run();
        };
        let began = Instant::now();
        let result = run();
        let took = began.elapsed();
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
        *times.entry(part).or_default() += took;
        result
    }
}

impl Fit {
    /// Microseconds per image of each part of training steps on this batch, with all workers. Steps follow one another as
    /// in training, so that data are in the caches or not as they are there. The last part is what workers wait for each
    /// other.
    pub fn times(&mut self, write_image: WriteImage, labels: &[usize]) -> Vec<(String, f64)> {
        // The first step allocates memory.
        self.batch(write_image, labels, 0.0);
        self.clock = StepClock(Some(Mutex::default()));
        let began = Instant::now();
        let mut steps = 0;
        while steps < 2 || began.elapsed() < MEASURED {
            self.batch(write_image, labels, 0.0);
            steps += 1;
        }
        let whole = began.elapsed().as_secs_f64();
        let times = std::mem::take(&mut self.clock).0.unwrap_or_default();
        let times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
        let images = (steps * labels.len().max(1)) as f64;
        let mut parts = Vec::new();
        let mut waiting = whole;
        for (part, took) in times {
            let (name, workers) = self.part(part, labels.len());
            let seconds = took.as_secs_f64() / workers as f64;
            waiting -= seconds;
            let us = seconds * 1e6 / images;
            if us >= 0.005 {
                parts.push((name, us));
            }
        }
        parts.push(("waiting".into(), waiting * 1e6 / images));
        parts
    }

    /// The name of a part, and the number of workers that it ran on at the same time and that each measured it.
    fn part(&self, part: Part, images: usize) -> (String, usize) {
        let groups = self.groups(images.min(self.portion(images)));
        let by_group = rayon::current_num_threads().min(groups);
        match part {
            Part::Images => ("images into lanes".into(), by_group),
            Part::Layer(index, part) => {
                let layer = &self.layers[index];
                let is_by_group = layer.works_by_group()
                    && matches!(part, LayerPart::Forward | LayerPart::Inputs);
                let name = format!("{index} {}: {}", layer.label(), part.label(layer));
                (name, if is_by_group { by_group } else { 1 })
            }
            Part::Loss => ("loss".into(), 1),
            Part::Portions => ("sums of portions".into(), 1),
            Part::Adam => ("Adam".into(), 1),
        }
    }
}
