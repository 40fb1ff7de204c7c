//! The difference between the evidence images of two classes follows from the arrays of an NPZ file.

use noisescope::ids::ClassId;
use noisescope::session::Session;

use super::Npz;

/// Asserts that the formula in docs/exports.md gives the differences that figures and views show.
pub fn assert_differences_follow(npz: &Npz, session: &Session) {
    let images = session.record.classification_images().unwrap();
    let [maps, errors, covariances] =
        ["ev_image", "ev_se", "ev_covariance"].map(|name| npz.floats(name));
    let mut known = 0;
    for (gamma, trials) in images.gammas.iter().enumerate() {
        let (k, shape) = (trials.classes(), trials.shape());
        let pixels: usize = shape.iter().product();
        let estimate = trials.estimate();
        for (a, b) in [(0, 1), (7, 3)] {
            let ids = (ClassId(a), ClassId(b));
            let shown =
                estimate.class_difference(ids.0, ids.1, shape, trials.errors(), trials.trials);
            let shown = shown.unwrap();
            let covariance = |i: usize, j: usize| covariances[(gamma * k + i) * k + j];
            let [_, deviation] = estimate.classes[a].response.unwrap();
            let by_deviation = covariance(a, a) / deviation.powi(2);
            assert!((by_deviation - 1.0).abs() < 1e-5, "{by_deviation}");
            let variance = covariance(a, a) + covariance(b, b) - 2.0 * covariance(a, b);
            let ratio = (variance / covariance(a, a)).sqrt();
            for pixel in 0..pixels {
                let place = |class: usize| (gamma * k + class) * pixels + pixel;
                let difference = maps[place(a)] - maps[place(b)];
                let expected = f64::from(shown.image[pixel]);
                assert!(
                    (difference - expected).abs() < 1e-5 * expected.abs().max(1.0),
                    "{difference} {expected}"
                );
                let z = difference / (errors[place(a)] * ratio);
                if z.is_finite() {
                    known += 1;
                    let expected = f64::from(shown.z[pixel]);
                    assert!(
                        (z - expected).abs() < 1e-4 * z.abs().max(1.0),
                        "{z} {expected}"
                    );
                }
            }
        }
    }
    assert!(known > 0, "no pixel has an error");
}
