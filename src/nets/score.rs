//! Loss and accuracy of a network over images.

use std::ops::ControlFlow;

use super::{Subject, decision, has_decision, softmax::log_softmax};
use crate::data::Images;

/// Images per forward pass while measuring accuracy: what fits the processor's caches.
const EVALUATION_BATCH: usize = 256;

/// Mean loss in nats and proportion classified correctly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Proportion in \[0,1\].
    pub accuracy: f64,
}

/// Anything that computes logits.
pub trait Classifier {
    /// Logits, row-major \[N,K\], of `pixels`, row-major \[N,C,H,W\] in \[0,1\].
    fn classify(&self, pixels: Vec<f32>) -> Vec<f32>;
    /// Classes: K.
    fn classes(&self) -> usize;
}

impl Classifier for Subject {
    fn classify(&self, pixels: Vec<f32>) -> Vec<f32> {
        self.logits(pixels, self.device())
    }

    fn classes(&self) -> usize {
        self.network_shape().classes
    }
}

/// Loss and accuracy over the chosen images. `after_batch` is called after every batch.
pub fn evaluate(
    network: &dyn Classifier,
    images: &Images,
    chosen: &[usize],
    after_batch: &mut dyn FnMut(),
) -> Score {
    let mut tally = Tally::default();
    for batch in chosen.chunks(EVALUATION_BATCH) {
        tally.add(network, images, batch);
        after_batch();
    }
    tally.score()
}

/// The same; `None` as soon as `after_batch` says to stop.
pub fn evaluate_until(
    network: &dyn Classifier,
    images: &Images,
    chosen: &[usize],
    after_batch: &mut dyn FnMut() -> ControlFlow<()>,
) -> Option<Score> {
    let mut tally = Tally::default();
    for batch in chosen.chunks(EVALUATION_BATCH) {
        tally.add(network, images, batch);
        if after_batch().is_break() {
            return None;
        }
    }
    Some(tally.score())
}

/// The sums over the images classified so far.
#[derive(Debug, Default)]
struct Tally {
    images: usize,
    loss: f64,
    right: usize,
}

impl Tally {
    fn add(&mut self, network: &dyn Classifier, images: &Images, batch: &[usize]) {
        let logits = network.classify(pixels(images, batch));
        let labels: Vec<usize> = batch
            .iter()
            .map(|&i| usize::from(images.label(i)))
            .collect();
        let rows = || logits.chunks_exact(network.classes());
        self.images += batch.len();
        self.right += count_correct(rows(), &labels);
        for (row, &label) in rows().zip(&labels) {
            self.loss -= log_softmax(row)[label];
        }
    }

    fn score(&self) -> Score {
        let n = self.images.max(1) as f64;
        Score {
            loss: self.loss / n,
            accuracy: self.right as f64 / n,
        }
    }
}

/// The chosen images as floats in \[0,1\], row-major.
pub fn pixels(images: &Images, chosen: &[usize]) -> Vec<f32> {
    let area = images.area();
    let mut floats = vec![0.0; chosen.len() * area];
    for (into, &index) in floats.chunks_exact_mut(area.max(1)).zip(chosen) {
        write_pixels(images, index, into);
    }
    floats
}

/// Writes an image into `into` as floats in \[0,1\], row-major.
pub fn write_pixels(images: &Images, index: usize, into: &mut [f32]) {
    let bytes = into.iter_mut().zip(images.image(index));
    bytes.for_each(|(x, &byte)| *x = f32::from(byte) / 255.0);
}

/// How many rows of logits decide for their label. One with NaN decides for none.
pub fn count_correct<'a>(rows: impl Iterator<Item = &'a [f32]>, labels: &[usize]) -> usize {
    rows.zip(labels)
        .filter(|(row, label)| has_decision(row) && decision(row).0 == **label)
        .count()
}
