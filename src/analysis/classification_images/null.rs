//! Simulation of the null distribution for noise with correlated pixels.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::session::form::Shape;
use crate::session::record::NoiseNull;
use crate::stats::null::NullSimulation;
use crate::stimulus::NoiseSource;

/// Most noise images drawn.
const MOST: usize = 4096;

/// Noise images drawn at once; at least two batches are drawn.
const AT_ONCE: usize = 256;

/// Approximate total size of all of them, in numbers: fewer images are drawn if they are larger.
const NUMBERS: usize = 1 << 26;

/// Draws noise and sums it under random signs, for maps of this shape. Always uses the same noise: the
/// result is a property of the noise, not of a session. `None` if too few images vary some pixel, as for
/// squares with very many possible positions.
pub(super) fn simulate(source: &NoiseSource, shape: Shape) -> Option<NoiseNull> {
    let count = (NUMBERS / source.points().max(1)).clamp(2 * AT_ONCE, MOST);
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let mut simulation = NullSimulation::new(shape);
    for _ in 0..count / AT_ONCE {
        let points = source.draw(&mut rng, AT_ONCE);
        let noise: Vec<f32> = points.into_iter().map(f32::from).collect();
        simulation.add(&noise);
    }
    Some(NoiseNull::new(simulation.finish()?, shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::template_lab;
    use crate::session::config::Noise;
    use rand_distr::{Distribution, StandardNormal};

    /// Maps of responses independent of the noise exceed the bound, and have significant clusters, about
    /// once in twenty.
    #[test]
    fn responses_independent_of_the_noise_exceed_the_bound_once_in_twenty() {
        let lab = template_lab();
        for noise in [Noise::Patch, Noise::Gabor, Noise::Pca] {
            let source = NoiseSource::new(noise, &lab.dataset.train);
            let shape = lab.form.shape();
            let null = simulate(&source, shape).unwrap();
            let pixels = source.points();
            let mut rng = ChaCha8Rng::seed_from_u64(17);
            let (images, maps) = (3000, 200);
            let drawn: Vec<f64> = source
                .draw(&mut rng, images)
                .into_iter()
                .map(f64::from)
                .collect();
            let mut moments = vec![(0.0, 0.0); pixels];
            for image in drawn.chunks_exact(pixels) {
                let sums = moments.iter_mut().zip(image);
                sums.for_each(|((sum, squares), v)| {
                    (*sum, *squares) = (*sum + v, *squares + v * v)
                });
            }
            let n = images as f64;
            let (mut past, mut clustered) = (0, 0);
            for _ in 0..maps {
                let mut map = vec![0.0; pixels];
                let mut responses = 0.0;
                for image in drawn.chunks_exact(pixels) {
                    let y: f64 = StandardNormal.sample(&mut rng);
                    responses += y;
                    map.iter_mut().zip(image).for_each(|(sum, v)| *sum += y * v);
                }
                let z: Vec<f32> = map
                    .iter()
                    .zip(&moments)
                    .map(|(sum, (first, second))| {
                        let spread = second - first * first / n;
                        let covariance = sum - responses * first / n;
                        if spread > 0.0 {
                            (covariance / spread.sqrt()) as f32
                        } else {
                            0.0
                        }
                    })
                    .collect();
                past += usize::from(z.iter().any(|z| f64::from(z.abs()) > null.bound));
                clustered += usize::from(!null.view().clusters(&z, shape).is_empty());
            }
            // Ten are expected; the bound itself is known to within a fifth of that.
            assert!(past <= 22, "{noise:?}: {past}");
            assert!(clustered <= 22, "{noise:?}: {clustered}");
            assert!(past + clustered >= 2, "{noise:?}: {past} {clustered}");
        }
    }
}
