//! Tests of results from single decisions and activations.

use super::*;

#[test]
fn averages_by_activation_are_the_weights_in_colour() {
    let lab = all_templates();
    let settings = config::SpikeTriggered {
        trials: 40_960,
        images: 0,
        gradient_trials: 64,
        block: 512,
        ..Default::default()
    };
    let record = run(&plan(vec![Analysis::SpikeTriggered(settings)]), &lab);
    let found: &record::SpikeTriggered = record.first().unwrap();
    let layer = &found.layers[0];
    assert_eq!(layer.field(), SHAPE);
    let estimate = layer.estimate();
    for class in ClassId::all(CLASSES) {
        let r = pearson(estimate.sta[class].as_ref().unwrap(), &template(class)).unwrap();
        assert!(r > 0.99, "class {class}: {r}");
        assert_eq!(estimate.kernel_correlation[class], Some(r));
        assert!(estimate.stein_correlation[class].unwrap() > 0.99);
    }
}

/// Predictions, templates and attack by hand, image by image.
#[test]
fn decisions_on_colour_images_are_counted_where_they_belong() {
    let lab = all_templates();
    let images = config::ClassificationImages {
        gammas: vec![Gamma::NOISE],
        trials: 4096,
        ..Default::default()
    };
    let attack = config::Attack {
        weights: vec![0.0, 0.5],
        images: 70,
        noise_images: 10,
        ..Default::default()
    };
    let record = run(
        &plan(vec![
            Analysis::ClassificationImages(images),
            Analysis::Templates(config::Templates::default()),
            Analysis::Attack(attack),
            Analysis::Predictions(config::Predictions {
                splits: vec![Split::Test],
                block: 16,
            }),
        ]),
        &lab,
    );
    let logits = |x: &[f32]| -> Vec<f32> {
        let logit = |class: ClassId| {
            template(class)
                .iter()
                .zip(x)
                .map(|(t, x)| t * (x - 0.5))
                .sum()
        };
        ClassId::all(CLASSES).map(logit).collect()
    };
    let test = &lab.dataset.test;
    let shown: Vec<(ClassId, Vec<f32>)> = (0..70)
        .map(|i| {
            let bytes = test.image(i).iter();
            (
                ClassId(usize::from(test.label(i))),
                bytes.map(|&b| f32::from(b) / 255.0).collect(),
            )
        })
        .collect();
    let mut counts = vec![0; CLASSES * CLASSES];
    for (truth, x) in &shown {
        counts[truth.0 * CLASSES + decision(&logits(x)).0] += 1;
    }
    let predictions: &record::Predictions = record.first().unwrap();
    assert_eq!(predictions.splits[0].counts, counts);
    assert_eq!(predictions.splits[0].shape(), SHAPE);
    let attack: &record::Attack = record.first().unwrap();
    let mut attacked = 0;
    for target in ClassId::all(CLASSES) {
        for pattern in 0..3 {
            let Some(p) = attack.pattern(pattern, target) else {
                continue;
            };
            let hits = shown.iter().filter(|(truth, x)| {
                let blended: Vec<f32> = x.iter().zip(p).map(|(x, p)| 0.5 * x + 0.5 * p).collect();
                *truth != target && decision(&logits(&blended)) == target
            });
            let outcomes = attack.outcomes(0, pattern, target, 1);
            // A tie within the last digits may fall to either side.
            assert!(
                (outcomes.hits - hits.count() as i64).abs() <= 1,
                "{pattern} {target}"
            );
            assert_eq!((outcomes.others, outcomes.all), (60, 70));
            attacked += outcomes.hits;
        }
    }
    assert!(attacked > 100, "{attacked}");
    let templates: &record::Templates = record.first().unwrap();
    assert!(
        templates.gammas[0].correct[1] > 35,
        "{:?}",
        templates.gammas[0]
    );
}
