//! Tests of the exact bounds of every range of a plan, and of the places that errors name.

use super::check::{block_size, enough_to_average, trials, unit_interval_list};
use super::*;
use crate::ids::ClassId;
use crate::stats::classification::MAX_RESPONSE_TRIALS;

/// A change of a valid plan.
type Change<T> = fn(&mut T);

/// The place that an error names; empty without one.
fn place(result: Result<(), ConfigError>) -> String {
    result.err().map_or_else(String::new, |error| error.path)
}

/// Asserts what each change makes of a valid experiment: the field that is refused, or nothing.
fn assert_bounds<T: Clone>(
    valid: &T,
    validate: impl Fn(&T, &str) -> Result<(), ConfigError>,
    changes: &[(Change<T>, &str)],
) {
    assert_eq!(place(validate(valid, "it")), "");
    for (index, (change, field)) in changes.iter().enumerate() {
        let mut plan = valid.clone();
        change(&mut plan);
        let expected = match *field {
            "" => String::new(),
            field => format!("it.{field}"),
        };
        assert_eq!(place(validate(&plan, "it")), expected, "change {index}");
    }
}

#[test]
fn counts_and_lists_are_accepted_up_to_their_exact_bounds() {
    for (block, refused) in [(0, true), (1, false), (8192, false), (8193, true)] {
        assert_eq!(block_size("it", block).is_err(), refused, "{block}");
    }
    for (number, refused) in [(0, true), (1, false), (7, false), (8, true)] {
        assert_eq!(trials("it", "trials", number, 7).is_err(), refused);
    }
    assert!(enough_to_average("it", 1).is_err() && enough_to_average("it", 2).is_ok());
    let list = |values: &[f64]| place(unit_interval_list("it", "weights", "w", values));
    let many: Vec<f64> = (0..65_u8).map(|n| f64::from(n) / 64.0).collect();
    assert_eq!(list(&many[..64]), "");
    assert_eq!(list(&many), "it.weights");
    assert_eq!(list(&[]), "it.weights");
    assert_eq!(list(&[0.0, 1.0]), "");
    assert_eq!(list(&[0.0, 1.1]), "it.weights[1]");
    assert_eq!(list(&[-0.1]), "it.weights[0]");
    assert_eq!(list(&[0.5, f64::NAN]), "it.weights[1]");
    assert_eq!(list(&[0.5, 0.25, 0.5]), "it.weights[2]");
}

#[test]
fn classification_images_are_accepted_up_to_their_exact_bounds() {
    let valid = ClassificationImages {
        responses: vec![Response::Decision],
        ..ClassificationImages::default()
    };
    fn extend(plan: &mut ClassificationImages, trials: u64, target: Option<f64>) {
        plan.extended.push(Extension {
            gamma: None,
            trials,
            target,
            class: None,
        });
    }
    assert_bounds(
        &valid,
        ClassificationImages::validate,
        &[
            (|it| it.trials = MAX_TRIALS, ""),
            (|it| it.trials = MAX_TRIALS + 1, "trials"),
            (
                |it| (it.weighting, it.trials) = (Weighting::Confidence, 1 << 35),
                "",
            ),
            (
                |it| (it.weighting, it.trials) = (Weighting::Confidence, (1 << 35) + 1),
                "trials",
            ),
            (|it| (it.noise, it.trials) = (Noise::Gabor, 1 << 30), ""),
            (
                |it| (it.noise, it.trials) = (Noise::Gabor, (1 << 30) + 1),
                "trials",
            ),
            (|it| (it.noise, it.trials) = (Noise::Patch, MAX_TRIALS), ""),
            (|it| extend(it, 0, None), "extended[0].trials"),
            (|it| extend(it, 5, Some(1.0)), "extended[0].target"),
            (
                |it| (it.responses, it.trials) = (Response::ALL.to_vec(), MAX_RESPONSE_TRIALS),
                "",
            ),
            (
                |it| {
                    it.responses = Response::ALL.to_vec();
                    extend(it, MAX_RESPONSE_TRIALS + 1, None);
                },
                "trials",
            ),
            (|it| it.responses = vec![Response::Evidence], "responses"),
            (|it| it.responses.push(Response::Decision), "responses[1]"),
            (|it| it.weighting = Weighting::Threshold(0.0), ""),
            (|it| it.weighting = Weighting::Threshold(1.0), "weighting"),
            (|it| it.target = Some(0.0), "target"),
            (|it| it.target = Some(0.5), ""),
            (|it| it.target = Some(1.0), "target"),
            (|it| it.min_trials = 1, "min_trials"),
            (|it| it.block = 0, "block"),
            (|it| it.gammas[1] = Gamma(0.0), "gammas[1]"),
            (|it| it.classes = vec!["1".into(), "1".into()], "classes[1]"),
            (
                |it| it.noise = Noise::Gaussian(Gaussian { sigma: 0.01 }),
                "",
            ),
            (
                |it| it.noise = Noise::Gaussian(Gaussian { sigma: 1.1 }),
                "noise.sigma",
            ),
            (|it| it.cell = 0, "cell"),
            (|it| it.cell = 1024, ""),
            (|it| it.cell = 1025, "cell"),
            (|it| (it.noise, it.cell) = (Noise::Gabor, 2), "cell"),
            (|it| (it.noise, it.grey) = (Noise::Gabor, true), ""),
            (|it| (it.noise, it.grey) = (Noise::Pca, true), "grey"),
        ],
    );
}

#[test]
fn the_other_experiments_are_accepted_up_to_their_exact_bounds() {
    assert_bounds(
        &Audit::default(),
        Audit::validate,
        &[
            (|it| it.references = 3, ""),
            (|it| it.references = 2, "references"),
            (
                |it| (it.references, it.sessions) = (0, vec!["a.ron".into()]),
                "",
            ),
            (|it| it.references = 200, ""),
            (|it| it.references = 201, "references"),
            (|it| it.power = 200, ""),
            (|it| it.power = 201, "power"),
            (|it| it.power = usize::MAX, "power"),
            (|it| it.training.epochs = 0, "training.epochs"),
            (|it| it.cell = 1024, ""),
            (|it| it.cell = 1025, "cell"),
            (|it| it.gamma = Gamma(1.0), "gamma"),
            (|it| it.trials = MAX_RESPONSE_TRIALS, ""),
            (|it| it.trials = MAX_RESPONSE_TRIALS + 1, "trials"),
            (|it| (it.noise, it.trials) = (Noise::Pca, 1 << 30), ""),
            (
                |it| (it.noise, it.trials) = (Noise::Pca, (1 << 30) + 1),
                "trials",
            ),
            (|it| it.paste_images = 0, "paste_images"),
        ],
    );
    assert_bounds(
        &Backdoor::default(),
        Backdoor::validate,
        &[
            (|it| it.poisoned = 0, ""),
            (|it| (it.poisoned, it.clean) = (0, 0), "poisoned"),
            (|it| it.clean = 200, ""),
            (|it| it.clean = 201, "clean"),
            (|it| it.clean = usize::MAX, "clean"),
            (|it| it.poisoned = 201, "poisoned"),
            (|it| it.target = ClassId(8), "target"),
            (|it| it.window = 2, ""),
            (|it| it.window = 1, "window"),
            (|it| it.trials = MAX_RESPONSE_TRIALS, ""),
            (|it| it.trials = MAX_RESPONSE_TRIALS + 1, "trials"),
            (
                |it| (it.noise, it.trials) = (Noise::Gabor, (1 << 30) + 1),
                "trials",
            ),
            (|it| it.images = 0, "images"),
        ],
    );
    fn layer(plan: &mut Modulation, alpha: f64) {
        plan.layers.push(ModulatedLayer {
            layer: "fc1".into(),
            alpha,
        });
    }
    assert_bounds(
        &Modulation::default(),
        Modulation::validate,
        &[
            (|it| it.gammas.clear(), ""),
            (|it| it.gammas[1] = Gamma(1.1), "gammas[1]"),
            (|it| it.steps = (937..=1000).collect(), ""),
            (|it| it.steps = (936..=1000).collect(), "steps"),
            (|it| it.steps[0] = 1001, "steps"),
            (|it| layer(it, 1000.0), ""),
            (|it| layer(it, 1000.1), "layers[0].alpha"),
            (|it| layer(it, 0.0), "layers[0].alpha"),
            (|it| (0..2).for_each(|_| layer(it, 1.0)), "layers[1]"),
            (|it| it.images = 0, "images"),
            (|it| it.images_per_class = 0, "images_per_class"),
        ],
    );
    assert_bounds(
        &SpikeTriggered::default(),
        SpikeTriggered::validate,
        &[
            (|it| it.noise = Noise::Pca, "noise"),
            (|it| it.gradient_trials = 0, "gradient_trials"),
            (
                |it| it.covariance_trials = MAX_TRIALS + 1,
                "covariance_trials",
            ),
        ],
    );
    assert_bounds(
        &Attack::default(),
        Attack::validate,
        &[
            (|it| it.gamma = Some(Gamma(1.1)), "gamma"),
            (|it| it.noise_images = MAX_TRIALS as usize, ""),
            (
                |it| it.noise_images = MAX_TRIALS as usize + 1,
                "noise_images",
            ),
            (|it| it.images = 0, "images"),
        ],
    );
    assert_bounds(
        &Predictions::default(),
        Predictions::validate,
        &[
            (|it| it.splits.clear(), "splits"),
            (|it| it.splits.push(Split::Test), "splits[1]"),
            (|it| it.splits.push(Split::Train), ""),
        ],
    );
    assert_bounds(
        &Templates::default(),
        Templates::validate,
        &[
            (|it| it.images = 1, ""),
            (|it| it.images = 0, "images"),
            (|it| it.block = 0, "block"),
        ],
    );
    let strengths = Modulation {
        steps: vec![2, 1, 2],
        gammas: [0.4, 0.0, 0.2].map(Gamma).to_vec(),
        ..Modulation::default()
    };
    assert_eq!(strengths.strengths(), [-2, -1, 0, 1, 2]);
    assert_eq!(
        strengths.signal_strengths(),
        [0.0, 0.2, 0.4, 1.0].map(Gamma)
    );
}

#[test]
fn training_and_weights_from_a_file_are_accepted_up_to_their_exact_bounds() {
    assert_bounds(
        &TrainingConfig::default(),
        TrainingConfig::validate,
        &[
            (|it| it.epochs = MAX_TRAINING, ""),
            (|it| it.epochs = MAX_TRAINING + 1, "epochs"),
            (|it| it.patience = 0, "patience"),
            (|it| it.batch = 0, "batch"),
            (|it| it.lr_max = 1.0, ""),
            (|it| it.lr_max = 1.1, "lr_max"),
            (|it| it.lr_min = 0.0, "lr_min"),
            (|it| it.lr_min = it.lr_max, ""),
            (|it| it.lr_min = 2.0 * it.lr_max, "lr_min"),
            (|it| it.weight_decay = 1.0, ""),
            (|it| it.weight_decay = 1.1, "weight_decay"),
            (|it| it.weight_decay = -0.1, "weight_decay"),
            (|it| it.validation = 0.0, "validation"),
            (|it| it.validation = 0.9, "validation"),
        ],
    );
    let file = Network {
        weights: WeightSource::File("folder/net.onnx".into()),
        ..Network::default()
    };
    assert_eq!(file.label(), "cnn");
    let onnx = Network {
        kind: NetworkKind::Onnx,
        ..file.clone()
    };
    assert_eq!(onnx.label(), "net.onnx");
    let place_of = |network: &Network, change: fn(&mut Network)| {
        let mut network = network.clone();
        change(&mut network);
        place(network.validate())
    };
    let trained = Network::default();
    assert_eq!(
        place_of(&trained, |it| it.kind = NetworkKind::Onnx),
        "network.weights"
    );
    assert_eq!(
        place_of(&trained, |it| it.input.mean = vec![0.5]),
        "network.input"
    );
    assert_eq!(
        place_of(&trained, |it| it.output = Some("a".into())),
        "network.output"
    );
    assert_eq!(place_of(&onnx, |it| it.output = Some("a".into())), "");
    assert_eq!(place_of(&file, |it| it.input.mean = vec![0.0, -1.0]), "");
    assert_eq!(
        place_of(&file, |it| it.input.mean = vec![f64::NAN]),
        "network.input.mean[0]"
    );
    assert_eq!(
        place_of(&file, |it| it.input.std = vec![1.0, 0.0]),
        "network.input.std[1]"
    );
    let input = InputEncoding {
        range: InputRange::Byte,
        mean: vec![0.5],
        std: Vec::new(),
        order: ChannelOrder::Bgr,
    };
    assert_eq!(input.in_plan(), "(range: Byte, mean: [0.5], order: Bgr)");
    assert_eq!(InputEncoding::default().in_plan(), "()");
}

#[test]
fn an_experiment_uses_the_last_images_before_it_and_needs_a_data_set_except_for_noise() {
    let images = || Analysis::ClassificationImages(ClassificationImages::default());
    let mut config = Config {
        analyses: vec![
            images(),
            Analysis::SpikeTriggered(SpikeTriggered::default()),
            images(),
            Analysis::Templates(Templates::default()),
        ],
        ..Config::default()
    };
    let used = [0, 1, 2, 3, 9].map(|index| config.images_before(index));
    assert_eq!(used, [None, Some(0), Some(0), Some(2), Some(2)]);
    config.checkpoint_s = 0.1;
    assert_eq!(place(config.validate()), "");
    config.checkpoint_s = 0.09;
    assert_eq!(place(config.validate()), "checkpoint_s");
    config.checkpoint_s = f64::INFINITY;
    assert_eq!(place(config.validate()), "checkpoint_s");
    config.checkpoint_s = 1.0;
    config.analyses.swap(0, 3);
    assert_eq!(place(config.validate()), "analyses[0]");
    config.analyses = vec![images(), Analysis::Backdoor(Backdoor::default())];
    assert_eq!(place(config.validate()), "");
    config.network.kind = NetworkKind::Onnx;
    config.network.weights = WeightSource::File("net.onnx".into());
    assert_eq!(place(config.validate()), "analyses[1]");
    assert_eq!(config.dataset_label(), "MNIST");
    // Noise alone.
    config.dataset = None;
    assert_eq!(config.dataset_label(), "noise alone");
    assert_eq!(place(config.check_new()), "analyses[0].gammas[1]");
    let noise = Analysis::ClassificationImages(ClassificationImages {
        gammas: vec![Gamma::NOISE],
        ..ClassificationImages::default()
    });
    let spikes = Analysis::SpikeTriggered(SpikeTriggered::default());
    config.analyses = vec![noise, spikes];
    assert_eq!(place(config.check_new()), "");
    let predictions = Analysis::Predictions(Predictions::default());
    config.analyses.push(predictions);
    assert_eq!(place(config.check_new()), "analyses[2]");
    config.network = Network::default();
    assert_eq!(place(config.check_new()), "network.weights");
}
