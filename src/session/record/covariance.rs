//! The record of a unit's spike-triggered covariance.

use serde::{Deserialize, Serialize};

use super::spike_triggered::{add_at, one};
use super::{arrays, has_shape};
use crate::session::array::Array;
use crate::session::config;
use crate::session::form::Shape;
use crate::stats::spike_triggered::{self, SecondMoments};
use crate::stats::sums::add;

/// Spike-triggered covariance of one unit. P numbers in its receptive field. Every receptive field is
/// weighted by |a|, which equals a if activations are never negative. In the shuffled sums, the
/// responses to one image are paired with another image of the block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covariance {
    /// The unit that is measured.
    pub unit: config::UnitId,
    /// Rows and columns of its receptive field.
    pub receptive_field: (usize, usize),
    /// Channels of the images.
    #[serde(default = "one")]
    pub channels: usize,
    /// Receptive fields counted.
    pub fields: u64,
    /// Σ|a|, and that of the shuffled responses, in units of 1/[`super::FIXED_POINT`].
    pub activation: [i64; 2],
    /// Σ|a|·(s−½), and that of the shuffled responses, in the same units: \[2,P\].
    pub weighted: Array<i64>,
    /// Σ|a|·(s−½)(s−½)ᵀ, and that of the shuffled responses: \[2,P,P\]. Emptied at the end.
    pub outer: Array<i64>,
    /// Eigenvalues of the spike-triggered minus the prior covariance, ascending: \[P\]. Empty before the
    /// end, and if the unit never fired.
    pub eigenvalues: Vec<f64>,
    /// Smallest and largest eigenvalue expected by chance: the range of the shuffled responses, slightly
    /// widened (see [`crate::stats::spike_triggered::stc_axes`]).
    pub shuffled: Option<(f64, f64)>,
    /// The axes of the eigenvalues outside that range, largest magnitude first, at most 8:
    /// \[axes,C,h,w\].
    pub axes: Array<f32>,
    /// The eigenvalues of the axes.
    pub significant: Vec<f64>,
}

/// A block's contribution to [`Covariance`], in the same units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockCovariance {
    /// Receptive fields counted.
    pub fields: u64,
    /// Σ|a| and that of the shuffled responses.
    pub activation: [i64; 2],
    /// \[2,P\].
    pub weighted: Vec<i64>,
    /// \[2,P,P\].
    pub outer: Vec<i64>,
}

impl Covariance {
    /// A record without trials.
    pub fn new(unit: config::UnitId, [channels, height, width]: Shape) -> Self {
        let pixels = channels * height * width;
        Self {
            unit,
            receptive_field: (height, width),
            channels,
            fields: 0,
            activation: [0; 2],
            weighted: Array::zeros(&[2, pixels]),
            outer: Array::zeros(&[2, pixels, pixels]),
            eigenvalues: Vec::new(),
            shuffled: None,
            axes: Array::default(),
            significant: Vec::new(),
        }
    }

    /// Adds a block's sums. Integers, so the order of blocks does not matter.
    pub fn add(&mut self, sums: &BlockCovariance) {
        self.fields = self.fields.saturating_add(sums.fields);
        add(&mut self.activation, &sums.activation);
        add_at(&mut self.weighted, 0, &sums.weighted);
        add_at(&mut self.outer, 0, &sums.outer);
    }

    /// Channels, rows and columns of its receptive field.
    pub fn field(&self) -> Shape {
        let (height, width) = self.receptive_field;
        [self.channels, height, width]
    }

    /// Computes the axes once every block is in, and drops the sums that only they need. `variance` is
    /// that of a noise pixel.
    pub fn finish(&mut self, variance: f64) {
        let pixels: usize = self.field().iter().product();
        let sums = |shuffled: usize| SecondMoments {
            activation: self.activation[shuffled],
            weighted: &self.weighted.values()[shuffled * pixels..][..pixels],
            outer: &self.outer.values()[shuffled * pixels * pixels..][..pixels * pixels],
        };
        if let Some(spread) = spike_triggered::stc_axes(&sums(0), &sums(1), variance) {
            let [c, h, w] = self.field();
            let axes = spread.axes.iter().flat_map(|(_, axis)| axis);
            let axes = axes.map(|&value| value as f32).collect();
            self.axes = Array::new(&[spread.axes.len(), c, h, w], axes);
            self.significant = spread.axes.iter().map(|(value, _)| *value).collect();
            self.eigenvalues = spread.eigenvalues;
            self.shuffled = Some(spread.chance);
        }
        self.outer = Array::default();
    }

    pub(super) fn fits(&self, plan: &config::UnitId) -> bool {
        let [c, h, w] = self.field();
        let pixels = self.field().into_iter().fold(1, usize::saturating_mul);
        let axes = self.significant.len();
        self.unit == *plan
            && has_shape(&self.weighted, &[2, pixels])
            && (has_shape(&self.outer, &[0]) || has_shape(&self.outer, &[2, pixels, pixels]))
            && (self.eigenvalues.is_empty() || self.eigenvalues.len() == pixels)
            && (axes == 0 || has_shape(&self.axes, &[axes, c, h, w]))
    }
}

arrays!(Covariance: weighted, outer, axes);

#[cfg(test)]
mod tests {
    use super::*;

    /// With means (1,0,0) and (0,0,0) and a variance of 4, the covariances of spikes and of shuffled responses exceed the prior
    /// by diag(6,1,−3) and diag(0,1,2).
    #[test]
    fn the_axes_are_those_beyond_the_range_of_the_shuffled_responses() {
        let unit = config::UnitId {
            layer: "fc1".into(),
            unit: 3,
        };
        let mut all = Covariance::new(unit.clone(), [1, 1, 3]);
        all.add(&BlockCovariance {
            fields: 9,
            activation: [10, 20],
            weighted: vec![10, 0, 0, 0, 0, 0],
            outer: vec![
                110, 0, 0, 0, 50, 0, 0, 0, 10, 80, 0, 0, 0, 100, 0, 0, 0, 120,
            ],
        });
        all.finish(4.0);
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-6;
        let (low, high) = all.shuffled.unwrap();
        let margin = 5.0 * 3_f64.powf(-2.0 / 3.0);
        assert!(close(low, -margin) && close(high, 2.0 + margin));
        let values = all.eigenvalues.iter().zip([-3.0, 1.0, 6.0]);
        assert_eq!(all.eigenvalues.len(), 3);
        assert!(
            values
                .into_iter()
                .all(|(&found, expected)| close(found, expected))
        );
        assert_eq!(all.significant.len(), 2);
        assert!(close(all.significant[0], 6.0) && close(all.significant[1], -3.0));
        assert_eq!(all.axes.shape(), [2, 1, 1, 3]);
        let axes = all.axes.values().iter().zip([1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert!(
            axes.into_iter()
                .all(|(&found, expected)| close(f64::from(found), expected))
        );
        assert!(all.outer == Array::default() && all.fits(&unit));
        // A unit that never fired has none.
        let mut silent = Covariance::new(unit, [1, 1, 3]);
        silent.finish(4.0);
        assert!(silent.eigenvalues.is_empty() && silent.shuffled.is_none());
    }

    #[test]
    fn images_of_the_first_version_have_one_channel() {
        let unit = config::UnitId {
            layer: "fc1".into(),
            unit: 0,
        };
        let text = ron::to_string(&Covariance::new(unit, [1, 4, 5])).unwrap();
        let old = text.replace("channels:1,", "");
        assert!(old.len() < text.len());
        let read: Covariance = ron::from_str(&old).unwrap();
        assert_eq!(read.field(), [1, 4, 5]);
    }

    #[test]
    fn blocks_add_to_a_covariance_whose_arrays_match_its_field() {
        let unit = config::UnitId {
            layer: "fc1".into(),
            unit: 3,
        };
        let mut all = Covariance::new(unit.clone(), [1, 1, 2]);
        let block = BlockCovariance {
            fields: 3,
            activation: [5, 7],
            weighted: vec![1, 2, 3, 4],
            outer: (10..18).collect(),
        };
        all.add(&block);
        all.add(&block);
        assert_eq!((all.fields, all.activation), (6, [10, 14]));
        assert_eq!(all.weighted.values(), [2, 4, 6, 8]);
        assert_eq!(all.outer.values(), [20, 22, 24, 26, 28, 30, 32, 34]);
        assert!(all.fits(&unit));
        let changes: &[fn(&mut Covariance)] = &[
            |it| it.unit.unit = 4,
            |it| it.weighted = Array::zeros(&[4]),
            |it| it.receptive_field = (usize::MAX, 2),
            |it| it.outer = Array::zeros(&[8]),
            |it| it.eigenvalues = vec![1.0],
            |it| it.significant = vec![1.0],
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut other = all.clone();
            change(&mut other);
            assert!(!other.fits(&unit), "change {place}");
        }
        // As it is at the end.
        all.outer = Array::default();
        all.eigenvalues = vec![1.0, 2.0];
        all.significant = vec![2.0];
        all.axes = Array::zeros(&[1, 1, 1, 2]);
        assert!(all.fits(&unit));
    }
}
