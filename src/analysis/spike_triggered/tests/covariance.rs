//! Test of the covariance of a rectified unit.

use super::*;

#[test]
fn a_rectified_unit_has_one_axis_which_is_the_kernel() {
    let unit = 0;
    let settings = Plan {
        trials: 8,
        images: 0,
        layers: vec!["fc1".into()],
        gradient_units: 0,
        covariance: Some(UnitId {
            layer: "conv1".into(),
            unit,
        }),
        covariance_trials: 512,
        ..Plan::default()
    };
    let lab = cnn_lab();
    let found = found(settings, &lab);
    let covariance = found.covariance.unwrap();
    assert_eq!(
        (covariance.fields, covariance.eigenvalues.len()),
        (512 * 576, 25)
    );
    assert_eq!(covariance.significant.len(), 1, "{covariance:?}");
    let kernel = &lab.network.kernel(SiteId(0)).unwrap()[unit * 25..][..25];
    let along = |axis: &[f32]| -> f32 {
        let norm = kernel.iter().map(|w| w * w).sum::<f32>().sqrt();
        axis.iter().zip(kernel).map(|(a, w)| a * w).sum::<f32>() / norm
    };
    let along = along(covariance.axes.values()).abs();
    assert!(along > 0.98, "{along}");
    assert!(covariance.outer.values().is_empty());
}
