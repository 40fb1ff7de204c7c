//! Tests of all experiments in one run: interrupted, without images of one class, and without any images.

use super::*;

/// All experiments in one run, stopped again and again, on a convolutional network and K = 7.
#[test]
fn a_resumed_run_of_everything_equals_an_uninterrupted_one() {
    let form = Form::numbered([3, 17, 20], CLASSES);
    let ports = NetworkShape::from(&form);
    let network = Subject::untrained(NetworkKind::Cnn, ports, 5, &Device::flex()).unwrap();
    let template = |class: ClassId| {
        (0..3 * 17 * 20)
            .map(|i| ((i * (class.0 + 3)) as f32).sin())
            .collect()
    };
    let lab = laboratory(network, form, &template);
    let config = plan(vec![
        Analysis::ClassificationImages(config::ClassificationImages {
            gammas: vec![Gamma::NOISE, Gamma(0.4)],
            trials: 96,
            cell: 2,
            min_trials: 2,
            block: 32,
            classes: vec!["2".into(), "5".into()],
            ..Default::default()
        }),
        Analysis::Templates(config::Templates::default()),
        Analysis::Attack(config::Attack {
            weights: vec![0.5],
            images: 14,
            noise_images: 4,
            block: 7,
            ..Default::default()
        }),
        Analysis::SpikeTriggered(config::SpikeTriggered {
            trials: 16,
            images: 8,
            layers: vec!["conv1".into(), "logits".into()],
            gradient_units: 1,
            gradient_trials: 8,
            covariance: Some(UnitId {
                layer: "conv1".into(),
                unit: 1,
            }),
            covariance_trials: 16,
            block: 8,
            ..Default::default()
        }),
        Analysis::Modulation(config::Modulation {
            layers: vec![config::ModulatedLayer {
                layer: "conv2".into(),
                alpha: 1.0,
            }],
            steps: vec![1],
            gammas: Vec::new(),
            images: 7,
            images_per_class: 2,
            block: 7,
        }),
        Analysis::Backdoor(config::Backdoor {
            source: ClassId(1),
            target: ClassId(6),
            images: 10,
            training: config::TrainingConfig {
                epochs: 1,
                batch: 50,
                ..Default::default()
            },
            gammas: vec![Gamma(0.3)],
            trials: 64,
            min_trials: 2,
            block: 32,
            ..Default::default()
        }),
        Analysis::Predictions(config::Predictions::default()),
    ]);
    let whole = run_whole_and_in_pieces(&config, &lab, &[(9, 3)]);
    for (results, plan) in whole.analyses.iter().zip(&config.analyses) {
        assert!(results.is_finished(plan), "{}", plan.label());
        assert!(results.fits(plan, Some(&lab.form)), "{}", plan.label());
    }
}

/// A class without an image is never shown, and every experiment handles it.
#[test]
fn a_class_without_images_is_never_shown_and_causes_no_division_by_zero() {
    let mut lab = all_templates();
    let dataset = Arc::make_mut(&mut lab.dataset);
    for images in [&mut dataset.train, &mut dataset.test] {
        images.labels = images
            .labels
            .iter()
            .map(|&label| if label == 3 { 2 } else { label })
            .collect();
    }
    lab.pool = Pool::new(&lab.dataset.train);
    assert_eq!(lab.pool.empty_classes(), [ClassId(3)]);
    let config = plan(vec![
        Analysis::ClassificationImages(config::ClassificationImages {
            gammas: vec![Gamma::NOISE, Gamma(0.4)],
            trials: 1024,
            min_trials: 5,
            ..Default::default()
        }),
        Analysis::Templates(config::Templates::default()),
        Analysis::Attack(config::Attack {
            weights: vec![0.5],
            images: 20,
            noise_images: 4,
            ..Default::default()
        }),
        Analysis::Modulation(config::Modulation {
            steps: vec![1],
            gammas: Vec::new(),
            images: 20,
            images_per_class: 2,
            ..Default::default()
        }),
        Analysis::Predictions(config::Predictions::default()),
    ]);
    let record = run(&config, &lab);
    let images = record.classification_images().unwrap();
    for trials in &images.gammas {
        assert!(
            trials
                .counts
                .chunks(CLASSES)
                .skip(3)
                .step_by(CLASSES)
                .flatten()
                .all(|&n| n == 0)
        );
        let estimate = trials.estimate();
        for class in &estimate.classes {
            let images = [&class.decision, &class.evidence].into_iter().flatten();
            let maps = images.flat_map(|image| [&image.image, &image.z]);
            let mut maps = maps.chain(&class.mean_stimulus);
            assert!(maps.all(|map| map.iter().all(|v| v.is_finite())));
        }
    }
    assert!(images.gammas[1].estimate().classes[3].decision.is_none());
    let attack: &record::Attack = record.first().unwrap();
    assert!(
        attack.pattern(2, ClassId(3)).is_none(),
        "no mean image of nothing"
    );
    let modulation: &record::Modulation = record.first().unwrap();
    assert_eq!(modulation.layers[0].mean_activation(ClassId(3)), None);
}

/// Noise only: no images, γ = 0.
#[test]
fn pure_noise_needs_no_images_and_errors_name_what_does() {
    let (mut lab, difference) = duel();
    let dataset = Dataset::none(Form::clone(&lab.form));
    lab.pool = Pool::new(&dataset.train);
    lab.dataset = Arc::new(dataset);
    let images = config::ClassificationImages {
        gammas: vec![Gamma::NOISE],
        trials: 8192,
        ..Default::default()
    };
    let found = shown(images.clone(), &lab);
    let estimate = found.estimate();
    let r = pearson(
        &estimate.classes[1].decision.as_ref().unwrap().image,
        &difference,
    )
    .unwrap();
    assert!(r > 0.94, "{r}");
    let refused = |analyses: Vec<Analysis>| {
        let config = plan(analyses);
        let last = config.analyses.len() - 1;
        let mut record = Record::new(&config);
        let whole = record.clone();
        let mut analysis = crate::analysis::build(&config, last, &lab);
        let error = analysis.begin(0, &lab, &whole, &mut record.analyses[last]);
        error.unwrap_err().to_string()
    };
    let with_signal = config::ClassificationImages {
        gammas: vec![Gamma::NOISE, Gamma(0.3)],
        ..images.clone()
    };
    let words = refused(vec![Analysis::ClassificationImages(with_signal)]);
    assert!(
        words.starts_with("analyses[0].gammas[1]: γ = 0.3 needs images"),
        "{words}"
    );
    let first = Analysis::ClassificationImages(images);
    let words = refused(vec![first.clone(), Analysis::Templates(Default::default())]);
    assert!(words.contains("no test image"), "{words}");
    let backdoor = config::Backdoor {
        source: ClassId(1),
        target: ClassId(2),
        ..Default::default()
    };
    let words = refused(vec![Analysis::Backdoor(backdoor)]);
    assert!(
        words.starts_with("analyses[0].") && words.contains("dataset: None"),
        "{words}"
    );
}
