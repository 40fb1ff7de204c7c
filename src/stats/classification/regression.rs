//! Regression of maps on the noise's coefficients: converts measured maps to covariances and regresses them.

use super::image::MeasuredMap;
use crate::stats::regression::{Covariances, NoiseBasis};

/// Regresses each class's measured decision and evidence images on the noise's coefficients, given the deviations of
/// the noise that each is measured with.
pub(super) fn regress<'a>(
    axes: NoiseBasis<'_>,
    measured: impl Iterator<Item = &'a mut [Option<MeasuredMap>; 2]>,
    deviations: [&[f64]; 2],
) {
    let variances =
        deviations.map(|all| all.iter().map(|sigma| sigma * sigma).collect::<Vec<f64>>());
    let mean = variances[0].iter().sum::<f64>() / variances[0].len().max(1) as f64;
    // An evidence image is a covariance divided by each pixel's variance. A classification image, a difference
    // of means, is a covariance up to a factor, and keeps its unit.
    let covariance = |map: &[f64], response: usize| -> Vec<f64> {
        let pixels = map.iter().zip(&variances[response]);
        match response {
            0 => pixels.map(|(c, _)| c * mean).collect(),
            _ => pixels.map(|(c, variance)| c * variance).collect(),
        }
    };
    let maps = measured.flat_map(|maps| maps.iter_mut().enumerate());
    let (mut targets, mut covariances): (Vec<_>, Vec<Covariances>) = (Vec::new(), Vec::new());
    for (response, map) in maps {
        if let Some(map) = map
            && let Some(halves) = &map.halves
        {
            let [even, odd] = &halves.maps;
            covariances.push(Covariances {
                maps: [&map.image, even, odd].map(|map| covariance(map, response)),
                error_share: halves.error_share,
                length: halves.length,
            });
            targets.push(&mut map.regression);
        }
    }
    for (target, found) in targets.into_iter().zip(axes.regress(&covariances)) {
        *target = found;
    }
}
