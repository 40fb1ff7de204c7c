//! Tests of the regression shown for maps under smoothing noise.

use std::sync::Arc;

use noisescope::session::config;
use noisescope::session::record::{self, SumsEstimate};
use noisescope::stats::regression::Regression;

use super::*;

/// A session of maps under smoothing noise, with regressions for all classes but 3.
fn under_gabor_noise() -> Session {
    let mut session = accumulated();
    let Some(config::Analysis::ClassificationImages(plan)) = session.config.analyses.first_mut()
    else {
        panic!("classification images come first");
    };
    plan.noise = config::Noise::Gabor;
    let mut all = session.record.estimates();
    for sums in &mut all {
        if let SumsEstimate::Trials(estimate) = sums {
            let mut changed = GammaEstimate::clone(estimate);
            for (class, maps) in changed.classes.iter_mut().enumerate() {
                let Some(map) = maps.decision.as_mut().filter(|_| class != 3) else {
                    continue;
                };
                map.regression = Some(Regression {
                    image: map.image.iter().rev().copied().collect(),
                    reliability: Some(0.42),
                    axes: 612.4,
                });
            }
            *estimate = Arc::new(changed);
        }
    }
    session.record.drop_sums();
    session.record.set_estimates(all).unwrap();
    let record::Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
        panic!("classification images come first");
    };
    images
        .gammas
        .iter_mut()
        .for_each(|trials| trials.kind = config::Noise::Gabor);
    session
}

#[test]
fn under_smoothing_noise_a_key_shows_the_regression_with_its_own_numbers() {
    let session = under_gabor_noise();
    for size in SIZES {
        let mut state = showing("Maps", size);
        let image = screen(&session, &state);
        press(&session, &mut state, &[KeyCode::Char('m'); 4]);
        let all = screen(&session, &state);
        assert!(
            all.contains("▸regression") && !all.contains("smoothed"),
            "{size:?}\n{all}"
        );
        assert!(
            image.contains("smoothed") || size.0 < 80,
            "{size:?}\n{image}"
        );
        assert!(all.matches("0.42").count() >= 9, "{size:?}\n{all}");
        assert!(
            all.contains("too few"),
            "class 3 does not say why it has none:\n{all}"
        );
        // Figures that hold for the image only are not shown for the regression.
        enlarge(&mut state, true);
        let enlarged = screen(&session, &state);
        assert!(enlarged.contains("612 axes"), "{size:?}\n{enlarged}");
        for word in ["|z| >", "cluster", "R 0.95"] {
            assert!(!enlarged.contains(word), "{word} {size:?}\n{enlarged}");
        }
        // Nor where there is no regression.
        state.shared.class = ClassId(3);
        let without = screen(&session, &state);
        assert!(!without.contains("|z| >"), "{size:?}\n{without}");
        assert!(!without.contains("pixels"), "{size:?}\n{without}");
        press(&session, &mut state, &[KeyCode::Char('m')]);
        assert!(!screen(&session, &state).contains("▸regression"));
    }
    // Under white noise there is no regression.
    let mut state = showing("Maps", (120, 40));
    press(&accumulated(), &mut state, &[KeyCode::Char('m'); 4]);
    assert!(!screen(&accumulated(), &state).contains("regression"));
}
