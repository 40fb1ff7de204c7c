//! One map of a class with its statistics: z values, reliability and signal-to-noise ratio, for either
//! response of the network.

use serde::{Deserialize, Serialize};

use super::TARGET_RELIABILITY;
use crate::stats::cluster::Cluster;
use crate::stats::correlation::{
    correlation_interval, pearson, trials_needed_beyond, whole_reliability,
};
use crate::stats::null::ErrorModel;
use crate::stats::numbers::Shape;
use crate::stats::regression::Regression;

/// A map of P numbers, with its statistics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageEstimate {
    /// The map c, \[P\]. For decisions: a difference of mean noise, in units of the noise's range. For
    /// evidence: units of the response (logits) per full range of a pixel.
    pub image: Vec<f32>,
    /// c over its standard error, \[P\]. A pixel whose noise never varies has z = 0.
    pub z: Vec<f32>,
    /// Spearman–Brown reliability from odd and even blocks, in \[−1,1\].
    pub reliability: Option<f64>,
    /// The ends of its 95 % interval; `None` if the correlation of errors is unknown.
    pub reliability_interval: Option<[f64; 2]>,
    /// Signal-to-noise ratio (‖c‖² − ΣSE²)/ΣSE²; grows in proportion to the trials.
    pub snr: f64,
    /// The ends of its 95 % interval; `None` if the correlation of errors is unknown.
    pub snr_interval: Option<[f64; 2]>,
    /// Total trials shown at which the reliability would be [`TARGET_RELIABILITY`]: the signal-to-noise ratio grows in
    /// proportion to the trials, but for those that fit the means of true classes. `None` if the reliability is not above 0.
    pub needed: Option<u64>,
    /// Pixels beyond the threshold.
    pub significant: usize,
    /// The significant clusters of the smoothed z map; `None` if the correlation of errors is unknown.
    pub clusters: Option<Vec<Cluster>>,
    /// The map without the noise's smoothing; `None` if the noise does not smooth, its axes are not known,
    /// or the map is not significantly different from zero.
    pub regression: Option<Regression>,
}

/// A map as measured.
pub(super) struct MeasuredMap {
    /// c, \[P\].
    pub image: Vec<f64>,
    /// Its standard error, \[P\]; 0 where the noise never varies.
    pub errors: Vec<f64>,
    /// Sum of the squared errors.
    pub noise: f64,
    /// The same map from the even and from the odd blocks alone.
    pub halves: Option<MapHalves>,
    /// The map without the noise's smoothing.
    pub regression: Option<Regression>,
}

/// A map from the even and from the odd blocks alone.
pub(super) struct MapHalves {
    /// The maps, \[P\] each.
    pub maps: [Vec<f64>; 2],
    /// Variance of the whole map's errors over the sum of those of the halves.
    pub error_share: f64,
    /// How many times as many trials the whole map has as a half: 2, and more if the halves are unequal or their means
    /// take up more of their trials.
    pub length: f64,
}

/// What the statistics of all maps have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct MapContext<'a> {
    /// Channels, rows and columns.
    pub shape: Shape,
    /// Trials shown, counted or not.
    pub trials: u64,
    /// How many of them fit means, and so do not make the map.
    pub fitted: u64,
    /// |z| above which a pixel is significant.
    pub threshold: f64,
    /// How the errors of pixels are correlated.
    pub error_model: ErrorModel<'a>,
}

impl ImageEstimate {
    /// Computes the statistics of a measured map.
    pub(super) fn new(measured: MeasuredMap, setting: MapContext<'_>) -> Self {
        let MeasuredMap {
            image,
            errors,
            noise,
            halves,
            regression,
        } = measured;
        let z = |(c, error): (&f64, &f64)| if *error > 0.0 { c / error } else { 0.0 };
        let z: Vec<f64> = image.iter().zip(&errors).map(z).collect();
        let power: f64 = image.iter().map(|c| c * c).sum();
        let snr = (power - noise) / noise;
        let correlated = halves.as_ref().and_then(|halves| {
            let [even, odd] = &halves.maps;
            Some((halves, pearson(&narrow(even), &narrow(odd))?))
        });
        let reliability = correlated.map(|(halves, r)| whole_reliability(r, halves.length));
        let interval = |(halves, r): (&MapHalves, f64)| {
            let [even, odd] = &halves.maps;
            let ends = match setting.error_model {
                ErrorModel::Independent => correlation_interval(r, image.len()),
                ErrorModel::Simulated(null) => {
                    null.correlation_interval([even, odd], r, &errors, halves.length)
                }
                ErrorModel::Unknown => None,
            };
            Some(ends?.map(|r| whole_reliability(r, halves.length)))
        };
        let needed = |reliability: f64| {
            let MapContext { fitted, trials, .. } = setting;
            trials_needed_beyond(fitted, trials, reliability, TARGET_RELIABILITY)
        };
        Self {
            reliability,
            reliability_interval: correlated.and_then(interval),
            snr,
            snr_interval: setting.error_model.snr_interval(snr, &image, &errors),
            needed: reliability.and_then(needed),
            significant: z.iter().filter(|z| z.abs() > setting.threshold).count(),
            clusters: setting.error_model.clusters(&narrow(&z), setting.shape),
            z: narrow(&z),
            image: narrow(&image),
            regression,
        }
    }

    /// Whether its sizes match maps of `pixels` pixels.
    pub fn fits(&self, pixels: usize) -> bool {
        let inside = |cluster: &Cluster| cluster.pixels.iter().all(|&pixel| pixel < pixels);
        let regression = self.regression.as_ref();
        self.image.len() == pixels
            && regression.is_none_or(|regression| regression.image.len() == pixels)
            && self.z.len() == pixels
            && self.clusters.iter().flatten().all(inside)
    }

    /// The standard error of every pixel, in the units of the map, \[P\]; NaN where z is 0, since it cannot be
    /// recovered there.
    pub fn errors(&self) -> Vec<f32> {
        let pixels = self.image.iter().zip(&self.z);
        pixels
            .map(|(c, z)| if *z == 0.0 { f32::NAN } else { c / z })
            .collect()
    }
}

pub(super) fn narrow(map: &[f64]) -> Vec<f32> {
    map.iter().map(|&v| v as f32).collect()
}
