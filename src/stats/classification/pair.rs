//! What makes the network say one class rather than another: the difference of their evidence images.

use super::{ClassEstimate, Estimate, ImageEstimate, TARGET};
use crate::stats::correlation::trials_needed;
use crate::stats::null::Errors;
use crate::stats::numbers::Shape;

impl Estimate {
    /// The evidence image of class `a` less that of class `b`, of maps of a shape, with its own z: the
    /// standard error is that of y_a − y_b, whose variance follows from the responses' covariance. The
    /// reliability is that of its signal-to-noise ratio, SNR/(1 + SNR). `among`: how the errors of pixels go
    /// together.
    ///
    /// `None` where one of them has no evidence image, they are the same class, or the responses of so
    /// many classes were not multiplied with each other.
    pub fn pair(
        &self,
        a: usize,
        b: usize,
        shape: Shape,
        among: Errors<'_>,
    ) -> Option<ImageEstimate> {
        let (own, other) = (self.classes.get(a)?, self.classes.get(b)?);
        let image = |it: &ClassEstimate| it.evidence.clone();
        let (first, second) = (image(own)?, image(other)?);
        let listed = || self.classes.iter().enumerate().filter(|(_, it)| it.listed);
        let place = |class: usize| listed().position(|(at, _)| at == class);
        let (at, to, all) = (place(a)?, place(b)?, listed().count());
        let spread = |i: usize, j: usize| self.spread.get(i * all + j).map(|&v| f64::from(v));
        let variance = spread(at, at)? + spread(to, to)? - 2.0 * spread(at, to)?;
        if a == b || variance <= 0.0 {
            return None;
        }
        // Both images have the errors of the noise, each times the deviation of its response.
        let ratio = (variance / spread(at, at)?).sqrt();
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
        let noise: f64 = errors.iter().filter(|it| known(it)).map(|it| it * it).sum();
        let snr = (power - noise) / noise;
        let of = |snr: f64| snr.max(0.0) / (1.0 + snr.max(0.0));
        let wide: Vec<f64> = difference.iter().map(|&c| f64::from(c)).collect();
        let errors: Vec<f64> = errors
            .iter()
            .map(|error| if known(error) { *error } else { 0.0 })
            .collect();
        let ends = among.snr_interval(snr, &wide, &errors);
        Some(ImageEstimate {
            reliability: Some(of(snr)),
            reliability_interval: ends.map(|ends| ends.map(of)),
            snr,
            snr_interval: ends,
            needed: trials_needed(self.trials, of(snr), TARGET),
            significant: z
                .iter()
                .filter(|z| f64::from(z.abs()) > self.threshold)
                .count(),
            clusters: among.clusters(&z, shape),
            image: difference,
            regression: None,
            z,
        })
    }
}
