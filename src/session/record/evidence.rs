//! Sums of the evidence in the network's outputs for each class, over the noise trials at one γ.

use serde::{Deserialize, Serialize};

use super::{TrialKind, arrays, has_shape};
use crate::session::array::Array;
use crate::session::form::Shape;
use crate::stats::classification::{ResponseSums, sums_per_class};
use crate::stats::sums::{Addend, add};

/// Sums of products of response and noise, with the counts behind them. K classes, M of which have maps;
/// maps of c channels, h rows and w columns. y is a response as an integer multiple of `step`, z the
/// noise on its grid. Integer sums are exact, so the order of blocks does not matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Evidence")]
pub struct EvidenceRecord {
    /// The unit of y: a power of two, chosen from the responses in the first block so that rounding is
    /// far below their variation.
    pub step: f64,
    /// Responses beyond [`MAX_RESPONSE_STEPS`](crate::stats::classification::MAX_RESPONSE_STEPS) steps or not finite,
    /// which were clipped.
    pub clipped: u64,
    /// Trials by parity of the block and true class, \[2,K\], even blocks first.
    pub shown: Vec<u64>,
    /// Σy by parity, true class and class with a map: \[2,K,M\].
    pub sums: Array<i64>,
    /// Σy·y′ by parity and pair of classes with maps, \[2,M,M\]; with more than
    /// [`MAX_PAIRED_CLASSES`](crate::stats::classification::MAX_PAIRED_CLASSES) classes only Σy², \[2,M,1\].
    pub squares: Array<i64>,
    /// Σy·(z − [`GRID_CENTRE`](crate::stats::classification::GRID_CENTRE)) by parity and class with a map: \[2,M,c,h,w\].
    pub products: Array<i64>,
    /// Σz by parity over the trials of each class with a map and, if some have none, of the others:
    /// \[2,M or M+1,c,h,w\]. Empty if decisions weight every trial equally, since their margins are then
    /// the same sums.
    pub noise: Array<i64>,
}

/// The sums of one block of trials.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockEvidence {
    /// Responses clipped to [`MAX_RESPONSE_STEPS`](crate::stats::classification::MAX_RESPONSE_STEPS).
    pub clipped: u64,
    /// Trials by true class, \[K\].
    pub shown: Vec<u64>,
    /// Σy, \[K,M\].
    pub sums: Vec<i64>,
    /// Σy·y′, \[M,M\]; with very many classes only Σy², \[M\].
    pub squares: Vec<i64>,
    /// Σy·(z − [`GRID_CENTRE`](crate::stats::classification::GRID_CENTRE)), \[M,c·h·w\].
    pub products: Vec<i64>,
    /// For each row that has trials: its index and Σz, \[c·h·w\]. Empty if the decisions' margins
    /// contain them.
    pub noise: Vec<(usize, Vec<i64>)>,
}

impl EvidenceRecord {
    /// A record without trials, with responses in units of `step`.
    pub fn new(step: f64, kind: &TrialKind) -> Self {
        let (k, m) = (kind.classes, kind.listed.len());
        let [c, h, w] = kind.grain.grid(kind.images);
        Self {
            step,
            clipped: 0,
            shown: vec![0; 2 * k],
            sums: Array::zeros(&[2, k, m]),
            squares: Array::zeros(&[2, m, sums_per_class(m)]),
            products: Array::zeros(&[2, m, c, h, w]),
            noise: match kind.evidence_rows() {
                0 => Array::default(),
                rows => Array::zeros(&[2, rows, c, h, w]),
            },
        }
    }

    /// Whether its numbers are consistent, for K classes, M of them with maps, and maps of this shape.
    /// Its arrays may have been dropped.
    pub(super) fn is_consistent(
        &self,
        (k, m): (usize, usize),
        [c, h, w]: Shape,
        dropped: bool,
    ) -> bool {
        let noise = || {
            let rows = m + usize::from(m < k);
            has_shape(&self.noise, &[0]) || has_shape(&self.noise, &[2, rows, c, h, w])
        };
        let arrays = || {
            has_shape(&self.sums, &[2, k, m])
                && has_shape(&self.squares, &[2, m, sums_per_class(m)])
                && has_shape(&self.products, &[2, m, c, h, w])
                && noise()
        };
        self.step.is_finite()
            && self.step > 0.0
            && self.shown.len() == 2 * k
            && (dropped || arrays())
    }

    /// Trials in total; `None` on overflow.
    pub(super) fn trials(&self) -> Option<u64> {
        let mut shown = self.shown.iter();
        shown.try_fold(0_u64, |sum, &n| sum.checked_add(n))
    }

    /// Adds the sums of a block of this parity.
    pub(super) fn add(&mut self, parity: usize, block: &BlockEvidence) {
        fn add_half<T: Addend>(sums: &mut [T], parity: usize, more: &[T]) {
            add(&mut sums[parity * more.len()..], more);
        }
        self.clipped = self.clipped.saturating_add(block.clipped);
        add_half(&mut self.shown, parity, &block.shown);
        add_half(self.sums.values_mut(), parity, &block.sums);
        add_half(self.squares.values_mut(), parity, &block.squares);
        add_half(self.products.values_mut(), parity, &block.products);
        if let [_, rows, ..] = *self.noise.shape() {
            let noise = self.noise.values_mut();
            for (row, sums) in &block.noise {
                add(&mut noise[(parity * rows + row) * sums.len()..], sums);
            }
        }
    }

    /// Drops its arrays.
    pub(super) fn drop_arrays(&mut self) {
        let all = [
            &mut self.sums,
            &mut self.squares,
            &mut self.products,
            &mut self.noise,
        ];
        for sums in all {
            *sums = Array::default();
        }
    }

    /// A view for the estimate.
    pub(super) fn responses(&self) -> ResponseSums<'_> {
        ResponseSums {
            step: self.step,
            shown: &self.shown,
            sums: self.sums.values(),
            squares: self.squares.values(),
            products: self.products.values(),
            noise: self.noise.values(),
        }
    }
}

arrays!(EvidenceRecord: sums, squares, products, noise);
