//! Difference of two classes' evidence images: what makes the network prefer one class to the other.

use super::{ClassEstimate, GammaEstimate, ImageEstimate, TARGET_RELIABILITY};
use crate::ids::ClassId;
use crate::stats::null::ErrorModel;
use crate::stats::numbers::{Response, Shape};

impl GammaEstimate {
    /// The evidence image of class `a` minus that of class `b`, for maps of this shape, with its own z: the
    /// standard error is that of y_a − y_b, whose variance follows from the responses' covariance. The
    /// reliability is computed from its signal-to-noise ratio as SNR/(1 + SNR). `shown` trials were shown: all of
    /// them count for evidence, whatever the network's confidence.
    ///
    /// `None` if one of them has no evidence image, they are the same class, or there were too many classes
    /// to compute the covariances of their responses.
    pub fn class_difference(
        &self,
        a: ClassId,
        b: ClassId,
        shape: Shape,
        model: ErrorModel<'_>,
        shown: u64,
    ) -> Option<ImageEstimate> {
        let (class_a, class_b) = (self.classes.get(a.0)?, self.classes.get(b.0)?);
        let image = |class: &ClassEstimate| class.evidence.clone();
        let (first, second) = (image(class_a)?, image(class_b)?);
        let listed = || {
            self.classes
                .iter()
                .enumerate()
                .filter(|(_, class)| class.listed)
        };
        let place = |class: ClassId| listed().position(|(at, _)| at == class.0);
        let (i, j, count) = (place(a)?, place(b)?, listed().count());
        let spread = |i: usize, j: usize| self.spread.get(i * count + j).map(|&v| f64::from(v));
        let variance = spread(i, i)? + spread(j, j)? - 2.0 * spread(i, j)?;
        if a == b || variance <= 0.0 {
            return None;
        }
        // The errors of each image are those of the noise times the deviation of its response.
        let ratio = (variance / spread(i, i)?).sqrt();
        let errors: Vec<f64> = first
            .errors()
            .iter()
            .map(|&se| f64::from(se) * ratio)
            .collect();
        let pairs = first.image.iter().zip(&second.image);
        let difference: Vec<f32> = pairs.map(|(a, b)| a - b).collect();
        let known = |error: &f64| error.is_finite() && *error > 0.0;
        let z = difference
            .iter()
            .zip(&errors)
            .map(|(&c, error)| match known(error) {
                true => (f64::from(c) / error) as f32,
                false => 0.0,
            });
        let z: Vec<f32> = z.collect();
        let power: f64 = difference.iter().map(|&c| f64::from(c).powi(2)).sum();
        let noise: f64 = errors
            .iter()
            .filter(|error| known(error))
            .map(|error| error * error)
            .sum();
        let snr = (power - noise) / noise;
        let reliability = |snr: f64| snr.max(0.0) / (1.0 + snr.max(0.0));
        let wide: Vec<f64> = difference.iter().map(|&c| f64::from(c)).collect();
        let errors: Vec<f64> = errors
            .iter()
            .map(|error| if known(error) { *error } else { 0.0 })
            .collect();
        let ends = model.snr_interval(snr, &wide, &errors);
        let evidence = Response::Evidence;
        let needed = self.trials_needed(evidence, shown, reliability(snr), TARGET_RELIABILITY);
        Some(ImageEstimate {
            reliability: Some(reliability(snr)),
            reliability_interval: ends.map(|ends| ends.map(reliability)),
            snr,
            snr_interval: ends,
            needed,
            significant: z
                .iter()
                .filter(|z| f64::from(z.abs()) > self.threshold)
                .count(),
            clusters: model.clusters(&z, shape),
            image: difference,
            regression: None,
            z,
        })
    }
}
