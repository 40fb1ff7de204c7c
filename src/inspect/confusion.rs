//! A network's confusion matrix on labelled images, and whether its classes are merely permuted.

use std::collections::HashSet;

use serde::Serialize;

use crate::data::Images;
use crate::ids::ClassId;
use crate::nets::score::pixels;
use crate::nets::{Subject, decision, has_decision};
use crate::stats::interval::{Interval, wilson};

/// Images per batch.
const BATCH: usize = 256;

/// A permutation of the classes under which a network's outputs make sense.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassPermutation {
    /// For every class of the images, the output that stands for it, \[K\].
    pub outputs: Vec<ClassId>,
    /// The accuracy under this permutation.
    pub accuracy: f64,
}

/// A confusion matrix: for every class, how often each output was decided, \[K,K\].
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<u64>,
    /// Images whose outputs were not numbers.
    undecided: u64,
}

impl ConfusionMatrix {
    /// Shows the network images whose labels number its outputs.
    pub fn of(subject: &Subject, images: &Images) -> Self {
        let classes = subject.network_shape().classes;
        let mut counts = vec![0; classes * classes];
        let mut undecided = 0;
        let all: Vec<usize> = (0..images.len()).collect();
        for batch in all.chunks(BATCH) {
            let logits = subject.logits(pixels(images, batch), subject.device());
            for (row, &index) in subject.rows(&logits).zip(batch) {
                if !has_decision(row) {
                    undecided += 1;
                    continue;
                }
                let label = usize::from(images.label(index));
                counts[label * classes + decision(row).0] += 1;
            }
        }
        Self {
            classes,
            counts,
            undecided,
        }
    }

    fn images(&self) -> u64 {
        self.counts.iter().sum::<u64>() + self.undecided
    }

    /// The accuracy with its interval; the interval is \[0,1\] if there are no images.
    pub fn accuracy(&self) -> Interval {
        let correct = (0..self.classes).map(|class| self.counts[class * self.classes + class]);
        wilson(correct.sum(), self.images()).unwrap_or(Interval {
            estimate: 0.0,
            low: 0.0,
            high: 1.0,
        })
    }

    /// For every class, its most frequent output, provided that these are all different and not simply the
    /// classes themselves.
    pub fn permutation(&self) -> Option<ClassPermutation> {
        let rows = self.counts.chunks_exact(self.classes);
        let most = |row: &[u64]| {
            ClassId::all(row.len()).max_by_key(|&class| (row[class], usize::MAX - class.0))
        };
        let outputs: Vec<ClassId> = rows.clone().map(most).collect::<Option<_>>()?;
        let different: HashSet<ClassId> = outputs.iter().copied().collect();
        if different.len() < self.classes || outputs.iter().copied().eq(ClassId::all(outputs.len()))
        {
            return None;
        }
        let correct = rows.zip(&outputs).map(|(row, &output)| row[output]);
        Some(ClassPermutation {
            accuracy: correct.sum::<u64>() as f64 / self.images().max(1) as f64,
            outputs,
        })
    }
}
