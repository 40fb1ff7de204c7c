//! The deviation of noise that is measured, where a required confidence drops trials of another deviation.

use super::*;

const TWO_VALUES: NoiseGrid = NoiseGrid {
    offset: 0.0,
    step: 1.0,
};

/// 16 trials with noise of two values: responses of 1 to eight white pixels and of −1 to eight black ones.
fn of_two_values(moments: &[i64; 2]) -> TrialSums<'_> {
    TrialSums {
        grid: TWO_VALUES,
        noise: &[0; 12],
        image: &[0; 2],
        moments,
        evidence: Some(ResponseSums {
            step: 1.0,
            shown: &[4; 4],
            sums: &[0; 8],
            squares: &[8, -8, -8, 8, 8, -8, -8, 8],
            products: &[4, -4, 4, -4],
            noise: &[2; 4],
        }),
        counts: &[8, 0, 0, 0, 0, 0, 0, 0],
        dropped: 8,
        deviation: None,
        ..NO_TRIALS
    }
}

/// The first map by evidence of 16 trials, half of which a required confidence dropped.
fn evidence_of(trials: &TrialSums<'_>) -> ImageEstimate {
    let result = estimate(&TrialSums {
        counts: &[8, 0, 0, 0, 0, 0, 0, 0],
        dropped: 8,
        deviation: None,
        ..*trials
    });
    result.classes[0].evidence.clone().unwrap()
}

/// A slope of 2 and a deviation of ½. Two of the eight trials that count are white, which have another.
#[test]
fn noise_of_two_values_is_measured_over_all_trials_for_evidence() {
    let map = evidence_of(&of_two_values(&[2, 2]));
    assert_eq!((map.image, map.z), (vec![2.0], vec![4.0]));
}

/// That the trials which count are all black says nothing of the others, whose noise may have any values.
#[test]
fn noise_that_never_varies_in_the_trials_that_count_is_not_taken_for_two_values() {
    let trials = of_two_values(&[0, 0]);
    let input = trials.evidence.unwrap();
    assert_eq!(trials.shown_deviations(&input, &[0.0]), [0.0]);
    let varied = of_two_values(&[2, 2]);
    assert_eq!(varied.shown_deviations(&input, &[0.0]), [0.5]);
    // Axes of other images cannot be used.
    let along = |variances: &'static [f32], vectors: &'static [f32]| {
        let trials = TrialSums {
            axes: Some(NoiseBasis { variances, vectors }),
            ..trials
        };
        trials.shown_deviations(&input, &[0.125])[0]
    };
    assert_eq!(along(&[0.25], &[2.0]), 1.0);
    assert_eq!(along(&[0.25], &[1.0, 0.0]), 0.125);
    assert_eq!(along(&[0.25], &[]), 0.125);
    // As small as rounding is 2⁻²³ of the largest variance, here twice that and half of it.
    let small = along(&[0.25], &[4.883e-4]);
    assert!((small - 0.5 * 4.883e-4).abs() < 1e-9, "{small}");
    assert_eq!(along(&[0.25], &[2.44e-4]), 0.125);
    assert_eq!(along(&[0.0], &[1.0]), 0.125);
}

/// A first pixel at ¼ more or less than the grid's centre, with responses of 1 and −1: a slope of 4. Of the trials that
/// count two are brighter and six darker. The second never varies, and has hardly a part in the axis.
#[test]
fn noise_with_axes_has_the_deviation_along_them_for_evidence() {
    const QUARTER: i64 = 1 << 14;
    let (bright, dark) = (GRID_CENTRE + QUARTER, GRID_CENTRE - QUARTER);
    let still = GRID_CENTRE + 5;
    let moments = [
        2 * bright + 6 * dark,
        8 * still,
        2 * bright * bright + 6 * dark * dark,
        8 * still * still,
    ];
    let products = [8 * QUARTER, 0, -8 * QUARTER, 0].repeat(2);
    let noise = [4 * GRID_CENTRE, 4 * still].repeat(4);
    let trials = TrialSums {
        shape: [1, 1, 2],
        cover: &[1, 1],
        noise: &[0; 24],
        image: &[0; 4],
        moments: &moments,
        evidence: Some(ResponseSums {
            step: 1.0,
            shown: &[4; 4],
            sums: &[0; 8],
            squares: &[8, -8, -8, 8, 8, -8, -8, 8],
            products: &products,
            noise: &noise,
        }),
        ..NO_TRIALS
    };
    let map = evidence_of(&TrialSums {
        axes: Some(NoiseBasis {
            variances: &[0.0625],
            vectors: &[1.0, 1e-9],
        }),
        ..trials
    });
    assert_eq!((map.image, map.z), (vec![4.0, 0.0], vec![4.0, 0.0]));
    let regressed = map.regression.unwrap().image;
    assert!((regressed[0] - 4.0).abs() < 1e-5, "{regressed:?}");
    // Without axes, the trials that count: a variance of 3/64.
    let counted = evidence_of(&trials).image[0];
    assert!((counted - 16.0 / 3.0).abs() < 1e-5, "{counted}");
}
