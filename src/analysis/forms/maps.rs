//! Tests of classification images.

use super::*;
use crate::stats::classification::{ClassEstimate, GammaEstimate};

/// At γ = 0 the image of a class that wins by a difference of weights equals that difference.
#[test]
fn colour_images_show_the_weights_that_decide_in_every_channel() {
    let (lab, difference) = duel();
    let images = config::ClassificationImages {
        gammas: vec![Gamma::NOISE],
        trials: 40_960,
        ..Default::default()
    };
    let found = shown(images, &lab);
    assert_eq!((found.shape(), found.classes()), (SHAPE, CLASSES));
    let estimate = found.estimate();
    let image = &estimate.classes[1].decision.as_ref().unwrap().image;
    for channel in 0..3 {
        let range = channel * 126..(channel + 1) * 126;
        let r = pearson(&image[range.clone()], &difference[range]).unwrap();
        assert!(r > 0.98, "channel {channel}: {r}");
    }
    assert!(
        estimate.classes[1]
            .decision
            .as_ref()
            .unwrap()
            .reliability
            .unwrap()
            > 0.97
    );
    // Fed back, the mean stimulus is called the class it is the mean of.
    assert!(estimate.classes[5].decision.is_none());
    assert_eq!(found.fed_back[1].unwrap().class, ClassId(1));
}

/// A cell's value is proportional to the sum of the weights of its pixels.
#[test]
fn coarse_noise_shows_the_sum_of_the_weights_under_each_cell() {
    let (lab, difference) = duel();
    for (cell, grey, noise) in [
        (2, false, Noise::Uniform),
        (3, true, Noise::Gaussian(Gaussian::default())),
        (4, false, Noise::Binary),
    ] {
        let images = config::ClassificationImages {
            noise,
            cell,
            grey,
            gammas: vec![Gamma::NOISE],
            trials: 8192,
            ..Default::default()
        };
        let grain = images.grain();
        let found = shown(images, &lab);
        assert_eq!(found.shape(), grain.grid(SHAPE));
        let mut sums = vec![0.0; found.shape().iter().product()];
        let cells = grain.cells(SHAPE).unwrap();
        cells
            .iter()
            .zip(&difference)
            .for_each(|(&cell, d)| sums[cell] += d);
        let estimate = found.estimate();
        let class = &estimate.classes[1];
        let r = pearson(&class.decision.as_ref().unwrap().image, &sums).unwrap();
        assert!(r > 0.98, "{noise:?} of {cell}: {r}");
        // The mean stimulus at γ = 0 is the mean noise, and so is what is fed back.
        assert_eq!(class.mean_stimulus, class.mean_noise);
        assert_eq!(found.fed_back[1].unwrap().class, ClassId(1));
    }
}

#[test]
fn listing_some_classes_does_not_change_their_maps() {
    let lab = all_templates();
    let listing = |classes: &[&str]| config::ClassificationImages {
        gammas: vec![Gamma(0.3)],
        trials: 2048,
        classes: classes.iter().map(|&name| name.to_owned()).collect(),
        ..Default::default()
    };
    let (all, some) = (
        shown(listing(&[]), &lab),
        shown(listing(&["Fox", "1"]), &lab),
    );
    assert_eq!(some.listed, [ClassId(1), ClassId(5)]);
    let (all_estimate, some_estimate) = (all.estimate(), some.estimate());
    for class in ClassId::all(CLASSES) {
        match some.listed.contains(&class) {
            // Evidence is computed within the classes that have maps and the pooled rest, which leaves
            // more of the images' influence in it.
            true => {
                let decided = |estimate: &GammaEstimate| ClassEstimate {
                    evidence: None,
                    response: None,
                    ..estimate.classes[class].clone()
                };
                assert_eq!(decided(&some_estimate), decided(&all_estimate));
                let image = |estimate: &GammaEstimate| {
                    estimate.classes[class].evidence.clone().unwrap().image
                };
                let r = pearson(&image(&some_estimate), &image(&all_estimate)).unwrap();
                assert!(r > 0.9, "class {class}: {r}");
            }
            false => assert!(
                !some_estimate.classes[class].listed
                    && some_estimate.classes[class].decision.is_none()
            ),
        }
        assert_eq!(
            some_estimate.classes[class].called,
            all_estimate.classes[class].called
        );
    }
    let bad = plan(vec![Analysis::ClassificationImages(listing(&[
        "bee", "owl",
    ]))]);
    let mut analysis = crate::analysis::build(&bad, 0, &lab);
    let mut record = Record::new(&bad);
    let whole = record.clone();
    let error = analysis.begin(0, &lab, &whole, &mut record.analyses[0]);
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("analyses[0].classes[1]: there is no class `owl`"),
        "{error}"
    );
}
