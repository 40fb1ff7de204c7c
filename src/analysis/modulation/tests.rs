//! Tests of modulation on networks whose activations follow by hand.

use super::*;
use crate::analysis::build;
use crate::analysis::testing::{
    lab, linear, ports, run, run_whole_and_in_pieces, template, template_lab,
};
use crate::nets::Subject;
use crate::session::Config;
use crate::session::config::{ModulatedLayer, Modulation as Plan, NetworkKind};
use crate::session::record::Modulation as Found;
use burn::tensor::Device;

const CLASSES: usize = 10;

fn plan(settings: Plan) -> Config {
    Config {
        analyses: vec![config::Analysis::Modulation(settings)],
        ..Config::default()
    }
}

fn small() -> Plan {
    Plan {
        steps: vec![1, 3],
        gammas: vec![Gamma(0.5)],
        images: 30,
        images_per_class: 5,
        block: 8,
        ..Plan::default()
    }
}

fn layer(name: &str, alpha: f64) -> ModulatedLayer {
    ModulatedLayer {
        layer: name.into(),
        alpha,
    }
}

fn found(plan: Plan, lab: &Lab) -> Found {
    let record = run(&self::plan(plan), lab);
    record.first::<Found>().unwrap().clone()
}

fn bytes(pixels: &[u8]) -> Vec<f32> {
    pixels.iter().map(|&x| f32::from(x) / 255.0).collect()
}

#[test]
fn mean_activations_equal_those_computed_by_hand() {
    let lab = template_lab();
    let found = found(small(), &lab);
    let first = &found.layers[0];
    assert_eq!((first.name.as_str(), first.alpha), ("logits", 0.1));
    assert_eq!(first.shown, [5; 10]);
    // The classes alternate among the training images.
    for class in [ClassId(2), ClassId(9)] {
        let mut mean = [0.0; CLASSES];
        for i in 0..5 {
            let image = bytes(lab.dataset.train.image(class.0 + 10 * i));
            let logits = lab.network.logits(image, &lab.device);
            let pairs = mean.iter_mut().zip(logits);
            pairs.for_each(|(mean, a)| *mean += f64::from(a) / 5.0);
        }
        let most = mean.iter().copied().fold(0.0, f64::max);
        let (own_mean, push) = (first.mean_activation(class).unwrap(), first.push(class));
        for unit in 0..CLASSES {
            assert!((own_mean[unit] - mean[unit]).abs() < 1e-4);
            assert!((push[unit] - 0.1 * mean[unit] / most).abs() < 1e-6);
        }
    }
}

#[test]
fn strength_zero_leaves_the_network_unchanged() {
    let lab = template_lab();
    let found = found(small(), &lab);
    assert_eq!(
        (&found.strengths[..], found.gammas[2]),
        (&[-3, -1, 0, 1, 3][..], Gamma(1.0))
    );
    let (mut shown, mut correct, mut called) = ([0; CLASSES], [0; CLASSES], [0; CLASSES]);
    for i in 0..30 {
        let test = &lab.dataset.test;
        let logits = lab.network.logits(bytes(test.image(i)), &lab.device);
        let truth = ClassId(usize::from(test.label(i)));
        let decided = decision(&logits);
        shown[truth] += 1;
        correct[truth] += i64::from(truth == decided);
        called[decided] += 1;
    }
    let expected = record::ClassCounts {
        shown: &shown,
        correct: &correct,
        called: &called,
    };
    for target in ClassId::all(CLASSES) {
        assert_eq!(found.layers[0].class_counts(target, 2, 2), expected);
        assert_eq!(
            found.layers[0].class_counts(target, 2, 0),
            found.layers[0].class_counts(ClassId(0), 2, 0)
        );
    }
}

/// Two classes look at one pixel each: the logit of class 0 is x₀, that of class 1 is x₁, the others are never called.
fn two_pixels() -> Lab {
    let one = |pixel: usize| {
        let mut weights = vec![0.0; 784];
        weights[pixel] = 1.0;
        weights
    };
    let network = linear(&[one(0), one(1)], &Device::flex());
    lab(network, NetworkKind::Logistic, 200, 100)
}

#[test]
fn a_push_flips_exactly_the_images_whose_margin_is_smaller() {
    let lab = two_pixels();
    let settings = Plan {
        layers: vec![layer("logits", 0.02)],
        steps: vec![1, 4],
        gammas: Vec::new(),
        images: 100,
        images_per_class: 20,
        ..Plan::default()
    };
    let found = found(settings, &lab);
    let first = &found.layers[0];
    let mut flipped = 0;
    for target in ClassId::all(CLASSES) {
        let push = first.push(target);
        for (s, &strength) in found.strengths.iter().enumerate() {
            let mut called = [0; CLASSES];
            for i in 0..100 {
                let image = bytes(lab.dataset.test.image(i));
                // Logits are x − ½ and the pushes move the margin between the two.
                let margin = f64::from(image[0]) - f64::from(image[1]);
                let pushed = margin + strength as f64 * (push[0] - push[1]);
                called[usize::from(pushed < 0.0)] += 1;
                flipped += u64::from((pushed < 0.0) != (margin < 0.0));
            }
            let shares: Vec<u64> = ClassId::all(CLASSES)
                .map(|class| first.share_called(target, s, 1, class).0)
                .collect();
            assert_eq!(shares, called, "target {target}, strength {strength}");
        }
    }
    assert!(flipped > 100, "{flipped}");
}

/// The file of a session with such sums could not be read again.
#[test]
fn activations_too_large_to_be_summed_end_the_analysis() {
    let row = |class| template(class).into_iter().map(|w| w * 1e13).collect();
    let weights: Vec<Vec<f32>> = ClassId::all(CLASSES).map(row).collect();
    let network = linear(&weights, &Device::flex());
    let lab = lab(network, NetworkKind::Logistic, 200, 100);
    let config = plan(small());
    let mut analysis = build(&config, 0, &lab);
    let mut record = Record::new(&config);
    let whole = record.clone();
    analysis
        .begin(0, &lab, &whole, &mut record.analyses[0])
        .unwrap();
    let step = analysis.step(&lab, Job::single_block(0, BlockIndex(0)));
    let words = step.map(|_| ()).unwrap_err().to_string();
    let expected = "analyses[0].layers[0].layer: the activations of `logits` are not finite or too large to be summed";
    assert!(words.starts_with(expected), "{words}");
}

#[test]
fn a_class_that_activates_no_unit_changes_nothing() {
    let weights: Vec<Vec<f32>> = (0..10).map(|_| vec![0.0; 784]).collect();
    let lab = lab(
        linear(&weights, &Device::flex()),
        NetworkKind::Logistic,
        20,
        10,
    );
    let found = found(small(), &lab);
    for target in ClassId::all(CLASSES) {
        assert_eq!(found.layers[0].push(target), [0.0; CLASSES]);
    }
}

#[test]
fn accuracies_and_shares_count_the_right_cells() {
    let found = found(small(), &template_lab());
    let first = &found.layers[0];
    let cells = first.class_counts(ClassId(4), 1, 0);
    assert_eq!(
        first.accuracy(ClassId(4), 1, 0, ClassId(3)),
        Some((cells.correct[3] as u64, 3))
    );
    assert_eq!(
        first.share_called(ClassId(4), 1, 0, ClassId(6)),
        (cells.called[6] as u64, 30)
    );
    assert_eq!(cells.called.iter().sum::<i64>(), 30);
    // Excitation calls more noise the target than inhibition does.
    let pushed = Plan {
        layers: vec![layer("logits", 2.0)],
        ..small()
    };
    let pushed = self::found(pushed, &template_lab());
    let (layer, target) = (&pushed.layers[0], ClassId(8));
    let noise = |strength| layer.share_called(target, strength, 0, target).0;
    assert!(noise(0) < noise(4), "{} {}", noise(0), noise(4));
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let lab = lab(
        Subject::untrained(NetworkKind::Cnn, ports(), 2, &Device::flex()).unwrap(),
        NetworkKind::Cnn,
        40,
        12,
    );
    let settings = Plan {
        layers: vec![layer("conv2", 1.0)],
        steps: vec![2],
        gammas: Vec::new(),
        images: 6,
        images_per_class: 2,
        block: 4,
    };
    let config = plan(settings);
    let whole = run_whole_and_in_pieces(&config, &lab, &[(11, 1), (25, 2)]);
    let results = &whole.analyses[0];
    assert!(
        results.fits(&config.analyses[0], Some(&lab.form))
            && results.is_finished(&config.analyses[0])
    );
    // 20 training images, then 10 targets, 3 strengths, 2 γ and 6 images.
    assert_eq!(results.progress(&config.analyses[0]), (380, 380));
}

#[test]
fn a_plan_without_layers_uses_the_networks_layers() {
    let named = |kind| {
        let lab = lab(
            Subject::untrained(kind, ports(), 1, &Device::flex()).unwrap(),
            kind,
            10,
            10,
        );
        let all = pushed_layers(&Plan::default(), lab.network.sites());
        all.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(named(NetworkKind::Cnn), ["conv1", "conv2", "fc1"]);
    assert_eq!(named(NetworkKind::Mlp), ["fc1"]);
    assert_eq!(named(NetworkKind::Logistic), ["logits"]);
    // The layers of an LSTM have more than one bias per unit.
    assert_eq!(named(NetworkKind::Rnn), ["logits"]);
}

#[test]
fn an_error_names_the_layers_that_can_be_pushed() {
    let settings = Plan {
        layers: vec![layer("logits", 0.1), layer("conv7", 0.1)],
        ..small()
    };
    let (config, lab) = (plan(settings), template_lab());
    let mut analysis = build(&config, 0, &lab);
    let mut record = Record::new(&config);
    let whole = record.clone();
    let results = &mut record.analyses[0];
    let complaint = analysis.begin(0, &lab, &whole, results).unwrap_err().0;
    assert_eq!(
        complaint,
        "analyses[0].layers[1].layer: the site `conv7` cannot be pushed; these can: logits"
    );
}
