//! Classification images.

use super::*;
use crate::stats::classification::{ClassEstimate, Estimate};

/// At γ = 0 the image of a class that wins by a difference of weights is that difference.
#[test]
fn colour_images_show_the_weights_that_decide_in_every_channel() {
    let (lab, difference) = duel();
    let it = config::ClassificationImages {
        gammas: vec![0.0],
        trials: 40_960,
        ..Default::default()
    };
    let found = shown(it, &lab);
    assert_eq!((found.shape(), found.classes()), (SHAPE, CLASSES));
    let estimate = found.estimate();
    let image = &estimate.classes[1].decision.as_ref().unwrap().image;
    for channel in 0..3 {
        let own = channel * 126..(channel + 1) * 126;
        let r = pearson(&image[own.clone()], &difference[own]).unwrap();
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
    // Fed back, the mean stimulus is called what it was the mean of.
    assert!(estimate.classes[5].decision.is_none());
    assert_eq!(found.fed_back[1].unwrap().class, 1);
}

/// A cell sees the weights of all its pixels at once.
#[test]
fn coarse_noise_shows_the_sum_of_the_weights_under_each_cell() {
    let (lab, difference) = duel();
    for (cell, grey, noise) in [
        (2, false, Noise::Uniform),
        (3, true, Noise::Gaussian(Gaussian::default())),
        (4, false, Noise::Binary),
    ] {
        let it = config::ClassificationImages {
            noise,
            cell,
            grey,
            gammas: vec![0.0],
            trials: 8192,
            ..Default::default()
        };
        let grain = it.grain();
        let found = shown(it, &lab);
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
        assert_eq!(found.fed_back[1].unwrap().class, 1);
    }
}

#[test]
fn a_list_of_classes_leaves_their_maps_as_they_are() {
    let lab = all_templates();
    let it = |classes: &[&str]| config::ClassificationImages {
        gammas: vec![0.3],
        trials: 2048,
        classes: classes.iter().map(|&name| name.to_owned()).collect(),
        ..Default::default()
    };
    let (all, some) = (shown(it(&[]), &lab), shown(it(&["Fox", "1"]), &lab));
    assert_eq!(some.listed, [1, 5]);
    let (all_said, said) = (all.estimate(), some.estimate());
    for class in 0..CLASSES {
        match some.listed.contains(&class) {
            // Evidence is taken within the classes that have maps and the rest together, which leaves
            // more of what the images say in it.
            true => {
                let decided = |it: &Estimate| ClassEstimate {
                    evidence: None,
                    response: None,
                    ..it.classes[class].clone()
                };
                assert_eq!(decided(&said), decided(&all_said));
                let image = |it: &Estimate| it.classes[class].evidence.clone().unwrap().image;
                let r = pearson(&image(&said), &image(&all_said)).unwrap();
                assert!(r > 0.9, "class {class}: {r}");
            }
            false => assert!(!said.classes[class].listed && said.classes[class].decision.is_none()),
        }
        assert_eq!(said.classes[class].called, all_said.classes[class].called);
    }
    let bad = plan(vec![Analysis::ClassificationImages(it(&["bee", "owl"]))]);
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
