//! What a network calls images, class by class, and whether it only knows them under each other's
//! names.

use std::collections::HashSet;

use serde::Serialize;

use crate::data::Images;
use crate::nets::score::pixels;
use crate::nets::{Subject, decision};
use crate::stats::interval::{Interval, wilson};

/// Images shown at once.
const BATCH: usize = 256;

/// Classes that a network knows under each other's names.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Exchanged {
    /// For every class of the images the output that stands for it, \[K\].
    pub outputs: Vec<usize>,
    /// The share that is named rightly, were they so named.
    pub accuracy: f64,
}

/// What the network said of images: for every class how often it gave every output, \[K,K\].
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

impl Confusion {
    /// Of images whose labels are outputs of the network.
    pub fn of(subject: &Subject, images: &Images) -> Self {
        let classes = subject.ports().classes;
        let mut counts = vec![0; classes * classes];
        let all: Vec<usize> = (0..images.len()).collect();
        for batch in all.chunks(BATCH) {
            let logits = subject.logits(pixels(images, batch), subject.device());
            for (row, &index) in subject.rows(&logits).zip(batch) {
                let label = usize::from(images.label(index));
                counts[label * classes + decision(row)] += 1;
            }
        }
        Self { classes, counts }
    }

    fn images(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share that is named rightly, with its interval; all that can be where there are no images.
    pub fn accuracy(&self) -> Interval {
        let right = (0..self.classes).map(|class| self.counts[class * self.classes + class]);
        wilson(right.sum(), self.images()).unwrap_or(Interval {
            estimate: 0.0,
            low: 0.0,
            high: 1.0,
        })
    }

    /// For every class the output that it gets most often, where these are all different and not
    /// simply the classes themselves.
    pub fn exchanged(&self) -> Option<Exchanged> {
        let rows = self.counts.chunks_exact(self.classes);
        let most = |row: &[u64]| (0..row.len()).max_by_key(|&at| (row[at], usize::MAX - at));
        let outputs: Vec<usize> = rows.clone().map(most).collect::<Option<_>>()?;
        let different: HashSet<usize> = outputs.iter().copied().collect();
        if different.len() < self.classes || outputs.iter().enumerate().all(|(a, &b)| a == b) {
            return None;
        }
        let right = rows.zip(&outputs).map(|(row, &output)| row[output]);
        Some(Exchanged {
            accuracy: right.sum::<u64>() as f64 / self.images().max(1) as f64,
            outputs,
        })
    }
}
