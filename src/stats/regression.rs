//! Maps without the noise's smoothing: ridge regression of the network's response on the noise's
//! coefficients.
//!
//! Noise with correlated pixels is a sum of fixed images, each times a coefficient: z = μ + Σ aᵢ·vᵢ. Along the
//! axes vᵢ of its covariance C the coefficients are uncorrelated, with variance λᵢ. A map m = cov(y, z) of a
//! response y = w·z is then C·w, and its component along an axis is λᵢ·(vᵢ·w): divided by λᵢ it is the regression
//! coefficient, and the sum of the axes times their coefficients is w itself, within the span of the noise
//! (Theunissen et al., *Estimating spatio-temporal receptive fields of auditory and visual neurons from
//! their responses to natural stimuli*, Network 12:289, 2001).
//!
//! Along an axis of little variance the coefficient is mostly error. It is shrunk by λᵢ/(λᵢ + ρ) (ridge
//! regression; Hoerl & Kennard, Technometrics 12:55, 1970), where ρ is the variance of the errors over that of the
//! weights. The errors are estimated from the difference between the halves of the trials; the weights' variance is
//! the one that maximizes the likelihood of the measurement (Sahani & Linden, *Evidence optimization techniques for
//! estimating stimulus-response functions*, NIPS 15, 2003).

use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use super::correlation::{pearson, whole_reliability};

/// Penalties tried: ρ over the largest variance, eight per decade.
const TRIED: std::ops::RangeInclusive<i32> = -56..=24;

/// By how much the log-likelihood must exceed that of zero weights: if all weights are 0, it does so one time in
/// twenty (½·χ² with one degree of freedom).
const LEAST_GAIN: f64 = 1.92;

/// The axes of the noise's covariance, in units of its values. A axes, maps of P numbers.
#[derive(Debug, Clone, Copy)]
pub struct NoiseBasis<'a> {
    /// Variance along each, \[A\].
    pub variances: &'a [f32],
    /// The axes, of unit norm, \[A,P\].
    pub vectors: &'a [f32],
}

/// A map without the noise's smoothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// The map w, \[P\]. For decisions: in units of the noise's range, like the classification image under
    /// white noise of the same power. For evidence: units of the response per full range of a pixel.
    pub image: Vec<f32>,
    /// Spearman–Brown reliability from odd and even blocks, in \[−1,1\].
    pub reliability: Option<f64>,
    /// Effective number of axes: Σλ/(λ + ρ), in \[0,A\].
    pub axes: f64,
}

/// Input of a regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariances {
    /// cov(y, z) up to a factor, for all trials, the even blocks and the odd blocks, \[P\] each.
    pub maps: [Vec<f64>; 3],
    /// Variance of the errors for all trials over the sum of those of the halves: ¼ if the halves have equally many
    /// trials, and no means are fitted.
    pub error_share: f64,
    /// How many times as many trials all are as those of a half.
    pub length: f64,
}

impl NoiseBasis<'_> {
    /// Whether their sizes match maps of `pixels` numbers.
    fn fit(&self, pixels: usize) -> bool {
        !self.variances.is_empty() && self.vectors.len() == self.variances.len() * pixels
    }

    /// Solves C·w = m for each map m; `None` if the map is not significantly different from zero.
    pub fn regress(&self, maps: &[Covariances]) -> Vec<Option<Regression>> {
        let pixels = maps.first().map_or(0, |input| input.maps[0].len());
        if pixels == 0 || !self.fit(pixels) {
            return vec![None; maps.len()];
        }
        let axes = DMatrixView::from_slice(self.vectors, pixels, self.variances.len());
        // Scaled to a common size that 32-bit floats can hold.
        let size = |input: &Covariances| {
            let values = input.maps[0].iter();
            let most = values.fold(0.0_f64, |most, v| most.max(v.abs()));
            if most > 0.0 { most } else { 1.0 }
        };
        let sizes: Vec<f64> = maps.iter().map(size).collect();
        let columns = maps.iter().zip(&sizes).flat_map(|(input, size)| {
            let numbers = input.maps.iter().flatten();
            numbers.map(move |v| (v / size) as f32)
        });
        let columns = DMatrix::from_iterator(pixels, 3 * maps.len(), columns);
        let along = axes.transpose() * columns;
        let mut shrunk = along.clone();
        let penalties: Vec<Option<f64>> = (0..maps.len())
            .map(|map| {
                let parts = [0, 1, 2].map(|at| along.column(3 * map + at));
                let parts = parts.each_ref().map(|part| part.as_slice());
                self.penalty(parts, maps[map].error_share)
            })
            .collect();
        for (at, mut column) in shrunk.column_iter_mut().enumerate() {
            let penalty = penalties[at / 3].unwrap_or(1.0);
            for (value, &variance) in column.iter_mut().zip(self.variances) {
                *value /= (f64::from(variance) + penalty) as f32;
            }
        }
        let images = axes * shrunk;
        let regression = |(map, penalty): (usize, &Option<f64>)| {
            let penalty = (*penalty)?;
            let column = |at: usize| images.column(3 * map + at);
            let r = pearson(column(1).as_slice(), column(2).as_slice());
            let image = column(0);
            let shares = self.variances.iter().map(|&variance| f64::from(variance));
            Some(Regression {
                image: image
                    .iter()
                    .map(|&v| (f64::from(v) * sizes[map]) as f32)
                    .collect(),
                reliability: r.map(|r| whole_reliability(r, maps[map].length)),
                axes: shares.map(|variance| variance / (variance + penalty)).sum(),
            })
        };
        penalties.iter().enumerate().map(regression).collect()
    }

    /// The penalty ρ, estimated from the map and its halves along each axis; `None` if a signal is not
    /// significantly more likely than none.
    ///
    /// With errors of variance s² per unit of noise variance, the halves differ along an axis by a variance of λs²
    /// over the share: 4·λs² for halves of equally many trials. With weights of variance τ², the map along it is
    /// normal with variance λ·(λτ² + s²), and ρ = s²/τ².
    fn penalty(&self, [whole, even, odd]: [&[f32]; 3], error_share: f64) -> Option<f64> {
        let square =
            |(value, variance): (f32, &f32)| f64::from(value).powi(2) / f64::from(*variance);
        let differences = even.iter().zip(odd).map(|(even, odd)| even - odd);
        let differences: f64 = differences.zip(self.variances).map(square).sum();
        let count = self.variances.len() as f64;
        let error = error_share * differences / count;
        let squares: Vec<f64> = whole
            .iter()
            .copied()
            .zip(self.variances)
            .map(square)
            .collect();
        if error <= 0.0 {
            // Halves that do not differ have no error.
            return squares.iter().any(|square| *square > 0.0).then_some(0.0);
        }
        let likelihood = |share: &dyn Fn(f64) -> f64| -> f64 {
            let axes = self.variances.iter().zip(&squares);
            axes.map(|(&variance, square)| {
                let expected = error * (1.0 + share(f64::from(variance)));
                -0.5 * (expected.ln() + square / expected)
            })
            .sum()
        };
        let largest = f64::from(self.variances.iter().copied().fold(0.0, f32::max));
        let tried = TRIED.map(|step| largest * 10_f64.powf(f64::from(step) / 8.0));
        let tried = tried.map(|penalty| (likelihood(&|variance| variance / penalty), penalty));
        let (best, penalty) = tried.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        (best - likelihood(&|_| 0.0) > LEAST_GAIN).then_some(penalty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    const PIXELS: usize = 12;

    /// Cosine axes, which are orthogonal, with variances falling off by a factor of 1,000.
    fn axes() -> (Vec<f32>, Vec<f32>) {
        let variance = |i: usize| 10_f64.powf(-3.0 * i as f64 / (PIXELS - 1) as f64) as f32;
        let value = |i: usize, p: usize| {
            let norm = if i == 0 { 1.0 } else { 2.0 } / PIXELS as f64;
            let phase = std::f64::consts::PI * i as f64 * (p as f64 + 0.5) / PIXELS as f64;
            (norm.sqrt() * phase.cos()) as f32
        };
        let vectors = (0..PIXELS * PIXELS).map(|at| value(at / PIXELS, at % PIXELS));
        ((0..PIXELS).map(variance).collect(), vectors.collect())
    }

    fn view((variances, vectors): &(Vec<f32>, Vec<f32>)) -> NoiseBasis<'_> {
        NoiseBasis { variances, vectors }
    }

    /// cov(y, z) of a linear response with errors of standard deviation `error`, for all trials and by halves.
    fn measured(weights: &[f64], trials: usize, error: f64, seed: u64) -> Covariances {
        let (variances, vectors) = axes();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut halves = [vec![0.0; PIXELS], vec![0.0; PIXELS]];
        for trial in 0..trials {
            let mut z = [0.0; PIXELS];
            for (variance, axis) in variances.iter().zip(vectors.chunks(PIXELS)) {
                let a: f64 = StandardNormal.sample(&mut rng);
                let a = a * f64::from(*variance).sqrt();
                z.iter_mut()
                    .zip(axis)
                    .for_each(|(z, v)| *z += a * f64::from(*v));
            }
            let noise: f64 = StandardNormal.sample(&mut rng);
            let y: f64 = z.iter().zip(weights).map(|(z, w)| z * w).sum();
            let y = y + error * noise;
            let half = halves[trial % 2].iter_mut();
            half.zip(z)
                .for_each(|(sum, z)| *sum += y * z / (trials / 2) as f64);
        }
        let [even, odd] = halves;
        let whole = even.iter().zip(&odd).map(|(a, b)| (a + b) / 2.0);
        equal_halves([whole.collect(), even, odd])
    }

    /// Maps whose halves have equally many trials.
    fn equal_halves(maps: [Vec<f64>; 3]) -> Covariances {
        Covariances {
            maps,
            error_share: 0.25,
            length: 2.0,
        }
    }

    fn weights() -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        (0..PIXELS).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    fn correlation(image: &[f32], weights: &[f64]) -> f64 {
        let weights: Vec<f32> = weights.iter().map(|&w| w as f32).collect();
        pearson(image, &weights).unwrap()
    }

    #[test]
    fn a_linear_response_gives_its_weights_and_its_map_smoothed_ones() {
        let known = axes();
        let axes = view(&known);
        let weights = weights();
        let map = measured(&weights, 20_000, 0.0, 5);
        let narrow: Vec<f32> = map.maps[0].iter().map(|&v| v as f32).collect();
        assert!(correlation(&narrow, &weights) < 0.8, "the map is smoothed");
        let found = axes.regress(&[map]).remove(0).unwrap();
        assert!(correlation(&found.image, &weights) > 0.98);
        assert!(found.axes > 9.0 && found.axes <= 12.0, "{}", found.axes);
        assert!(found.reliability.unwrap() > 0.97);
        // In the units of the weights.
        let scale: f64 = found
            .image
            .iter()
            .zip(&weights)
            .map(|(a, b)| f64::from(*a) * b)
            .sum();
        let scale = scale / weights.iter().map(|w| w * w).sum::<f64>();
        assert!((scale - 1.0).abs() < 0.05, "{scale}");
    }

    #[test]
    fn more_error_leaves_fewer_axes_and_pure_error_has_no_regression() {
        let known = axes();
        let axes = view(&known);
        let weights = weights();
        let with = |error| {
            axes.regress(&[measured(&weights, 2_000, error, 7)])
                .remove(0)
        };
        let (clear, blurred) = (with(0.0).unwrap(), with(3.0).unwrap());
        assert!(
            clear.axes > blurred.axes + 1.0,
            "{} {}",
            clear.axes,
            blurred.axes
        );
        // Of responses independent of the noise, one in twenty has a regression.
        let nothing = vec![0.0; PIXELS];
        let all: Vec<_> = (0..60)
            .map(|seed| {
                axes.regress(&[measured(&nothing, 500, 1.0, seed)])
                    .remove(0)
            })
            .collect();
        let none = all.iter().filter(|regression| regression.is_none()).count();
        assert!(none >= 50, "{none}");
    }

    #[test]
    fn several_maps_are_each_regressed_as_if_alone_and_foreign_axes_give_none() {
        let known = axes();
        let axes = view(&known);
        let maps: Vec<_> = (0..3)
            .map(|seed| measured(&weights(), 2_000, 0.3, seed))
            .collect();
        let together = axes.regress(&maps);
        for (joint, map) in together.iter().zip(&maps) {
            let alone = axes.regress(std::slice::from_ref(map)).remove(0).unwrap();
            let joint = joint.as_ref().unwrap();
            assert_eq!(joint.axes, alone.axes);
            let pairs = joint.image.iter().zip(&alone.image);
            assert!(pairs.clone().all(|(a, b)| (a - b).abs() < 1e-5));
        }
        let foreign = NoiseBasis {
            vectors: &axes.vectors[..PIXELS],
            ..axes
        };
        assert_eq!(foreign.regress(&maps), vec![None; 3]);
        assert_eq!(axes.regress(&[]), vec![]);
    }

    /// Axes that are single pixels.
    fn pixel_axes(count: usize) -> Vec<f32> {
        let mut vectors = vec![0.0; count * count];
        vectors.iter_mut().step_by(count + 1).for_each(|v| *v = 1.0);
        vectors
    }

    /// A map along so many axes of variance 1, with this mean square along them and an error of 1, regressed.
    fn along_equal_axes(count: usize, square: f64) -> Option<Regression> {
        with_halves(count, square, (1.0, 0.25))
    }

    /// The same with halves that are this much more and less, and this share of their errors.
    fn with_halves(
        count: usize,
        square: f64,
        (half, error_share): (f64, f64),
    ) -> Option<Regression> {
        let sign = |at: usize| if at.is_multiple_of(2) { 1.0 } else { -1.0 };
        let whole: Vec<f64> = (0..count).map(|at| square.sqrt() * sign(at)).collect();
        let shifted = |by: f64| whole.iter().map(|v| v + by).collect::<Vec<f64>>();
        let basis = NoiseBasis {
            variances: &vec![1.0; count],
            vectors: &pixel_axes(count),
        };
        let maps = [whole.clone(), shifted(half), shifted(-half)];
        let input = Covariances {
            maps,
            error_share,
            length: 2.0,
        };
        basis.regress(&[input]).remove(0)
    }

    /// With a mean square of 2 and an error of 1, ρ = 1. The gain in likelihood is ½·A·(1 − ln 2): 1.99 for 13 axes,
    /// and too little for 12.
    #[test]
    fn the_penalty_is_the_error_over_the_signal_if_the_gain_is_enough() {
        assert_eq!(along_equal_axes(12, 2.0), None);
        let found = along_equal_axes(13, 2.0).unwrap();
        for (at, value) in found.image.iter().enumerate() {
            let expected = 0.5_f32.sqrt() * if at.is_multiple_of(2) { 1.0 } else { -1.0 };
            assert!((value - expected).abs() < 1e-5, "{at}: {value}");
        }
        assert!((found.axes - 6.5).abs() < 1e-9, "{}", found.axes);
        assert!((found.reliability.unwrap() - 1.0).abs() < 1e-5);
    }

    /// The error is the share of the mean squared difference of the halves: of 2², a quarter, and of 4², a sixteenth.
    #[test]
    fn the_error_is_the_share_of_what_the_halves_differ_by() {
        let axes = |halves| with_halves(20, 2.5, halves).unwrap().axes;
        assert_eq!(axes((2.0, 0.0625)), axes((1.0, 0.25)));
        assert!(axes((1.0, 0.2)) > axes((1.0, 0.25)));
    }

    /// A mean square of 1 + 1/ρ.
    #[test]
    fn the_penalty_is_known_to_an_eighth_of_a_decade() {
        for eighths in [-3_i32, -2, -1, 1, 2, 3] {
            let penalty = 10_f64.powf(f64::from(eighths) / 8.0);
            let found = along_equal_axes(100, 1.0 + 1.0 / penalty).unwrap();
            let expected = 100.0 / (1.0 + penalty);
            assert!((found.axes - expected).abs() < 1e-6, "{}", found.axes);
        }
    }

    #[test]
    fn a_map_of_zeros_has_no_regression() {
        let basis = NoiseBasis {
            variances: &[1.0, 0.5],
            vectors: &pixel_axes(2),
        };
        let zeros = || vec![0.0; 2];
        let input = equal_halves([zeros(), zeros(), zeros()]);
        assert_eq!(basis.regress(&[input]), [None]);
    }

    /// Halves that do not differ have no error, so that the map along an axis is divided by its variance alone.
    #[test]
    fn maps_in_units_beyond_the_range_of_32_bit_floats_are_regressed() {
        for (unit, variance) in [(1e-50, 1e-30_f32), (1e50, 1e30)] {
            let map = || [2.0, -1.0, 0.5].map(|v: f64| v * unit).to_vec();
            let basis = NoiseBasis {
                variances: &[variance; 3],
                vectors: &pixel_axes(3),
            };
            let input = equal_halves([map(), map(), map()]);
            let found = basis.regress(&[input]).remove(0).unwrap();
            for (value, covariance) in found.image.iter().zip(map()) {
                let ratio = f64::from(*value) * f64::from(variance) / covariance;
                assert!((ratio - 1.0).abs() < 1e-5, "{unit}: {ratio}");
            }
        }
    }
}
