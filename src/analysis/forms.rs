//! Every experiment on colour images that are no squares and of other than ten classes, against closed
//! forms.

use std::sync::Arc;

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::testing::{run, run_interrupted};
use super::{Lab, Resident};
use crate::data::{Dataset, Images, Origin};
use crate::nets::{Network, Ports, decision};
use crate::session::array::Array;
use crate::session::config::{
    self, Analysis, Config, DatasetName, Gaussian, NetworkKind, Noise, Split, Unit,
};
use crate::session::record::{self, GammaTrials, Record, Weights};
use crate::session::{Form, form};
use crate::stats::correlation::pearson;
use crate::stimulus::Pool;

const SHAPE: form::Shape = [3, 9, 14];
const PIXELS: usize = 3 * 9 * 14;
const CLASSES: usize = 7;

/// Stripes of a direction and a colour, different for every class, from −1 to 1.
fn template(class: usize) -> Vec<f32> {
    let pixel = |at: usize| {
        let (channel, row, column) = (at / 126, (at / 14 % 9) as f32, (at % 14) as f32);
        let angle = class as f32 * 0.9;
        let along = row * angle.cos() + column * angle.sin();
        (along * (0.5 + 0.07 * class as f32) + channel as f32 * (1.0 + class as f32 * 0.4)).sin()
    };
    (0..PIXELS).map(pixel).collect()
}

fn images(form: &Form, count: usize, seed: u64, of: &dyn Fn(usize) -> Vec<f32>) -> Images {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels = Vec::with_capacity(count * form.pixels());
    for image in 0..count {
        pixels.extend(of(image % form.count()).iter().map(|t| {
            let value = 127.5 + 60.0 * t + rng.random_range(-40.0..40.0_f32);
            value.clamp(0.0, 255.0) as u8
        }));
    }
    Images {
        pixels: pixels.into(),
        labels: (0..count).map(|i| (i % form.count()) as u16).collect(),
        channels: form.channels,
        height: form.height,
        width: form.width,
        classes: form.count(),
    }
}

fn laboratory(network: Network, form: Form, of: &dyn Fn(usize) -> Vec<f32>) -> Lab {
    let (train, test) = (images(&form, 140, 1, of), images(&form, 70, 2, of));
    Lab {
        kind: network.kind(),
        network,
        device: Device::flex(),
        pool: Pool::new(&train),
        dataset: Arc::new(Dataset {
            name: DatasetName::Own("stripes".into()),
            origin: Origin::Embedded,
            train,
            test,
            classes: form.classes.clone(),
            notes: Vec::new(),
        }),
        form: Arc::new(form),
        resident: Resident::default(),
    }
}

fn form() -> Form {
    let names = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu"];
    Form {
        classes: names.iter().map(|&name| name.to_owned()).collect(),
        ..Form::numbered(SHAPE, 0)
    }
}

/// Logistic regression with these weights, its logits centred on mid-grey images.
fn linear(weights: &[Vec<f32>]) -> Network {
    let ports = Ports::from(&form());
    let mut weight = vec![0.0; PIXELS * CLASSES];
    let mut bias = vec![-1e6; CLASSES];
    for (class, own) in weights.iter().enumerate() {
        for (pixel, &value) in own.iter().enumerate() {
            weight[pixel * CLASSES + class] = value;
        }
        bias[class] = -0.5 * own.iter().sum::<f32>();
    }
    let weights = Weights {
        tensors: vec![
            (
                "logits.weight".into(),
                Array::new(&[PIXELS, CLASSES], weight),
            ),
            ("logits.bias".into(), Array::new(&[CLASSES], bias)),
        ],
    };
    Network::with_weights(NetworkKind::Logistic, ports, &weights, &Device::flex()).unwrap()
}

/// Two classes decide everything, by their difference.
fn duel() -> (Lab, Vec<f32>) {
    let weights = [template(0), template(1)];
    let difference = weights[1]
        .iter()
        .zip(&weights[0])
        .map(|(b, a)| b - a)
        .collect();
    (laboratory(linear(&weights), form(), &template), difference)
}

fn all_templates() -> Lab {
    let weights: Vec<Vec<f32>> = (0..CLASSES).map(template).collect();
    laboratory(linear(&weights), form(), &template)
}

fn plan(analyses: Vec<Analysis>) -> Config {
    Config {
        analyses,
        ..Config::default()
    }
}

fn trials(record: &Record) -> &GammaTrials {
    &record.classification_images().unwrap().gammas[0]
}

fn shown(it: config::ClassificationImages, lab: &Lab) -> GammaTrials {
    trials(&run(&plan(vec![Analysis::ClassificationImages(it)]), lab)).clone()
}

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
    let image = estimate.classes[1].image.as_ref().unwrap();
    for channel in 0..3 {
        let own = channel * 126..(channel + 1) * 126;
        let r = pearson(&image[own.clone()], &difference[own]).unwrap();
        assert!(r > 0.98, "channel {channel}: {r}");
    }
    assert!(estimate.classes[1].reliability.unwrap() > 0.97);
    // Fed back, the mean stimulus is called what it was the mean of.
    assert!(estimate.classes[5].image.is_none());
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
        let r = pearson(class.image.as_ref().unwrap(), &sums).unwrap();
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
            true => assert_eq!(said.classes[class], all_said.classes[class]),
            false => assert!(!said.classes[class].listed && said.classes[class].image.is_none()),
        }
        assert_eq!(said.classes[class].called, all_said.classes[class].called);
    }
    let bad = plan(vec![Analysis::ClassificationImages(it(&["bee", "owl"]))]);
    let mut analysis = super::build(&bad, 0, &lab);
    let mut record = Record::new(&bad);
    let whole = record.clone();
    let error = analysis.begin(0, &lab, &whole, &mut record.analyses[0]);
    let error = error.unwrap_err().to_string();
    assert!(
        error.starts_with("analyses[0].classes[1]: there is no class `owl`"),
        "{error}"
    );
}

#[test]
fn averages_by_activation_are_the_weights_in_colour() {
    let lab = all_templates();
    let it = config::SpikeTriggered {
        trials: 40_960,
        images: 0,
        gradient_trials: 64,
        block: 512,
        ..Default::default()
    };
    let record = run(&plan(vec![Analysis::SpikeTriggered(it)]), &lab);
    let found: &record::SpikeTriggered = record.first().unwrap();
    let layer = &found.layers[0];
    assert_eq!(layer.field(), SHAPE);
    let estimate = layer.estimate();
    for class in 0..CLASSES {
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
        gammas: vec![0.0],
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
        let of = |class: usize| {
            template(class)
                .iter()
                .zip(x)
                .map(|(t, x)| t * (x - 0.5))
                .sum()
        };
        (0..CLASSES).map(of).collect()
    };
    let test = &lab.dataset.test;
    let shown: Vec<(usize, Vec<f32>)> = (0..70)
        .map(|i| {
            let bytes = test.image(i).iter();
            (
                usize::from(test.label(i)),
                bytes.map(|&b| f32::from(b) / 255.0).collect(),
            )
        })
        .collect();
    let mut counts = vec![0; CLASSES * CLASSES];
    for (truth, x) in &shown {
        counts[truth * CLASSES + decision(&logits(x))] += 1;
    }
    let predictions: &record::Predictions = record.first().unwrap();
    assert_eq!(predictions.splits[0].counts, counts);
    assert_eq!(predictions.splits[0].shape(), SHAPE);
    let attack: &record::Attack = record.first().unwrap();
    let mut attacked = 0;
    for target in 0..CLASSES {
        for pattern in 0..3 {
            let Some(p) = attack.pattern(pattern, target) else {
                continue;
            };
            let hits = shown.iter().filter(|(truth, x)| {
                let blended: Vec<f32> = x.iter().zip(p).map(|(x, p)| 0.5 * x + 0.5 * p).collect();
                *truth != target && decision(&logits(&blended)) == target
            });
            let own = attack.outcomes(0, pattern, target, 1);
            // A tie within the last digits may fall to either side.
            assert!(
                (own.hits - hits.count() as i64).abs() <= 1,
                "{pattern} {target}"
            );
            assert_eq!((own.others, own.all), (60, 70));
            attacked += own.hits;
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

/// All experiments at once, stopped again and again, on a convolutional network and K = 7.
#[test]
fn a_resumed_run_of_everything_equals_an_uninterrupted_one() {
    let form = Form::numbered([3, 17, 20], CLASSES);
    let ports = Ports::from(&form);
    let network = Network::new(NetworkKind::Cnn, ports, 5, &Device::flex());
    let of = |class: usize| {
        (0..3 * 17 * 20)
            .map(|i| ((i * (class + 3)) as f32).sin())
            .collect()
    };
    let lab = laboratory(network, form, &of);
    let config = plan(vec![
        Analysis::ClassificationImages(config::ClassificationImages {
            gammas: vec![0.0, 0.4],
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
            covariance: Some(Unit {
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
            source: 1,
            target: 6,
            images: 10,
            training: config::Training {
                epochs: 1,
                batch: 50,
                ..Default::default()
            },
            gammas: vec![0.3],
            trials: 64,
            min_trials: 2,
            block: 32,
            ..Default::default()
        }),
        Analysis::Predictions(config::Predictions::default()),
    ]);
    let whole = run(&config, &lab);
    for (own, plan) in whole.analyses.iter().zip(&config.analyses) {
        assert!(own.is_finished(plan), "{}", plan.label());
        assert!(own.fits(plan, Some(&lab.form)), "{}", plan.label());
    }
    let text = |record: Record| {
        let mut session = crate::session::Session::new("test", config.clone());
        session.record = record;
        crate::session::text::to_text(&session).unwrap()
    };
    let pieces = run_interrupted(&config, &lab, 9, 3);
    // Maps have NaN, which equals nothing: the text has the bits.
    assert!(text(pieces) == text(whole));
}

/// A class without an image is never shown, and every experiment copes.
#[test]
fn a_class_without_images_is_never_shown_and_nothing_divides_by_it() {
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
    assert_eq!(lab.pool.empty_classes(), [3]);
    let config = plan(vec![
        Analysis::ClassificationImages(config::ClassificationImages {
            gammas: vec![0.0, 0.4],
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
    for gamma in &images.gammas {
        assert!(
            gamma
                .counts
                .chunks(CLASSES)
                .skip(3)
                .step_by(CLASSES)
                .flatten()
                .all(|&n| n == 0)
        );
        let estimate = gamma.estimate();
        for class in &estimate.classes {
            let maps = [&class.image, &class.z, &class.mean_stimulus];
            assert!(maps.into_iter().flatten().flatten().all(|v| v.is_finite()));
        }
    }
    assert!(!images.gammas[1].estimate().classes[3].sufficient);
    let attack: &record::Attack = record.first().unwrap();
    assert!(attack.pattern(1, 3).is_none(), "no mean image of nothing");
    let modulation: &record::Modulation = record.first().unwrap();
    assert_eq!(modulation.layers[0].mean_activation(3), None);
}

/// Noise alone: no images at all, γ = 0.
#[test]
fn noise_alone_needs_no_images_and_says_what_does() {
    let (mut lab, difference) = duel();
    let dataset = Dataset::none(Form::clone(&lab.form));
    lab.pool = Pool::new(&dataset.train);
    lab.dataset = Arc::new(dataset);
    let it = config::ClassificationImages {
        gammas: vec![0.0],
        trials: 8192,
        ..Default::default()
    };
    let found = shown(it.clone(), &lab);
    let estimate = found.estimate();
    let r = pearson(estimate.classes[1].image.as_ref().unwrap(), &difference).unwrap();
    assert!(r > 0.94, "{r}");
    let refused = |analyses: Vec<Analysis>| {
        let config = plan(analyses);
        let last = config.analyses.len() - 1;
        let mut record = Record::new(&config);
        let whole = record.clone();
        let mut analysis = super::build(&config, last, &lab);
        let error = analysis.begin(0, &lab, &whole, &mut record.analyses[last]);
        error.unwrap_err().to_string()
    };
    let with_signal = config::ClassificationImages {
        gammas: vec![0.0, 0.3],
        ..it.clone()
    };
    let words = refused(vec![Analysis::ClassificationImages(with_signal)]);
    assert!(
        words.starts_with("analyses[0].gammas[1]: γ = 0.3 shows images"),
        "{words}"
    );
    let first = Analysis::ClassificationImages(it);
    let words = refused(vec![first.clone(), Analysis::Templates(Default::default())]);
    assert!(words.contains("no test image"), "{words}");
    let backdoor = config::Backdoor {
        source: 1,
        target: 2,
        ..Default::default()
    };
    let words = refused(vec![Analysis::Backdoor(backdoor)]);
    assert!(
        words.starts_with("analyses[0].") && words.contains("dataset: None"),
        "{words}"
    );
}
