//! Tests of the estimate against what is allocated.

use super::*;
use crate::ids::Gamma;
use crate::nets::plan::fit::UnitGradients;
use crate::nets::{NetworkShape, Subject};
use crate::session::record::{Analysis as Recorded, ClassificationImages, GammaTrials};
use burn::tensor::Device;

fn plan(classes: Vec<String>, cell: usize) -> Config {
    Config {
        analyses: vec![Analysis::ClassificationImages(
            config::ClassificationImages {
                gammas: vec![Gamma::NOISE],
                classes,
                cell,
                ..Default::default()
            },
        )],
        ..Config::default()
    }
}

#[test]
fn maps_of_a_hundred_colour_classes_take_the_estimated_memory() {
    let form = Form::numbered([3, 32, 32], 100);
    let all = MemoryEstimate::estimate(&plan(Vec::new(), 1), &form, 1000, 2, (0, &[]));
    // Two parities of three margins, the images and two parities of evidence, 100 classes, 3,072
    // numbers of 8 bytes, the joint counts, the trials of each class with their sums of responses; six
    // maps of 4 bytes.
    let sums = 9 * 100 * 3072 * 8 + 2 * 100 * 100 * 8 + 2 * 100 * 201 * 8;
    assert_eq!(all.analyses, [sums + 6 * 4 * 100 * 3072]);
    assert_eq!(all.images, 1000 * 3072);
    let coarse = MemoryEstimate::estimate(&plan(Vec::new(), 4), &form, 1000, 2, (0, &[]));
    assert!(coarse.analyses[0] * 12 < all.analyses[0]);
    let few = MemoryEstimate::estimate(
        &plan(vec!["7".into(), "9".into()], 1),
        &form,
        1000,
        2,
        (0, &[]),
    );
    assert!(few.analyses[0] * 30 < all.analyses[0]);
}

#[test]
fn a_networks_weights_and_largest_layer_count() {
    let form = Form::numbered([3, 32, 32], 10);
    let (kind, ports) = (config::NetworkKind::Cnn, NetworkShape::from(&form));
    let network = Subject::untrained(kind, ports, 1, &Device::flex()).unwrap();
    let sites = network.sites();
    let memory = |parameters, sites: &[Site]| {
        MemoryEstimate::estimate(&plan(Vec::new(), 1), &form, 0, 2, (parameters, sites))
    };
    let (bare, whole) = (memory(0, &[]), memory(1_000_000, sites));
    assert_eq!(whole.weights, 12_000_000);
    let largest = sites.iter().map(activations).max().unwrap() as u64;
    // Two workers, three layers of 64 images in 32 bits each.
    assert_eq!(whole.workers - bare.workers, 2 * 3 * 64 * 4 * largest);
    assert_eq!(
        whole.total() - bare.total(),
        12_000_000 + whole.workers - bare.workers
    );
}

#[test]
fn the_states_that_workers_differentiate_layers_with_count() {
    let form = Form::numbered([1, 28, 28], 10);
    let (kind, ports) = (config::NetworkKind::Cnn, NetworkShape::from(&form));
    let network = Subject::untrained(kind, ports, 1, &Device::flex()).unwrap();
    let graph = network.graph();
    // Without and with the gradients.
    let workers = |plan: config::SpikeTriggered| {
        let config = Config {
            analyses: vec![Analysis::SpikeTriggered(plan)],
            ..Config::default()
        };
        let sites = (0, network.sites());
        let mut memory = MemoryEstimate::estimate(&config, &form, 0, 3, sites);
        let before = memory.workers;
        memory.include_gradients(&config, graph, 3);
        (before, memory.workers)
    };
    let plan = |names: &[&str]| config::SpikeTriggered {
        layers: names.iter().map(|&name| name.to_owned()).collect(),
        gradient_trials: 20,
        block: 20,
        ..config::SpikeTriggered::default()
    };
    // Of a block of twenty images.
    let taken = |name: &str| {
        let site = network.sites().iter().find(|site| site.name == name);
        let site = site.unwrap();
        let mut gradients = UnitGradients::new(graph, site.node).unwrap();
        let (units, positions) = graph.activation_offsets(site);
        let pixels = vec![0.5; 20 * 784];
        gradients.add(&pixels, &units[..1], &positions[..1], &mut [0.0; 784]);
        gradients.bytes() as u64
    };
    for names in [&["fc1"][..], &["conv1", "conv2"]] {
        let (before, after) = workers(plan(names));
        let states: u64 = names.iter().map(|&name| taken(name)).sum();
        let worker = 20 * 10 * 784 + states;
        assert_eq!(after, before.max(3 * worker), "{names:?}");
    }
    let (before, after) = workers(plan(&["fc1"]));
    assert!(after > before, "{before}");
    let uniform = config::SpikeTriggered {
        noise: config::Noise::Uniform,
        ..plan(&["fc1"])
    };
    let none = config::SpikeTriggered {
        gradient_units: 0,
        ..plan(&["fc1"])
    };
    for plan in [uniform, none] {
        let (before, after) = workers(plan);
        assert_eq!(before, after);
    }
}

#[test]
fn a_plan_that_does_not_fit_is_refused_with_settings_that_would() {
    let form = Form::numbered([3, 224, 224], 1000);
    let config = plan(Vec::new(), 1);
    let memory = MemoryEstimate::estimate(&config, &form, 0, 2, (0, &[]));
    let error = memory
        .check(16_000_000_000, &config)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("analyses[0]: the plan needs about"),
        "{error}"
    );
    assert!(
        error.contains("cell: 2") && error.contains("classes:"),
        "{error}"
    );
    assert!(error.contains("16.0 GB is free"), "{error}");
    assert!(
        MemoryEstimate::estimate(&plan(Vec::new(), 16), &form, 0, 2, (0, &[]))
            .check(16_000_000_000, &config)
            .is_ok()
    );
}

#[test]
fn a_plan_that_does_not_fit_because_of_its_workers_is_refused_with_fewer_of_them() {
    let (form, config) = (Form::numbered([1, 28, 28], 10), plan(Vec::new(), 1));
    let refused = |workers| {
        let memory = MemoryEstimate::estimate(&config, &form, 0, workers, (0, &[]));
        memory.check(1 << 20, &config).unwrap_err().to_string()
    };
    let error = refused(1000);
    assert!(
        error.contains("--workers") && error.contains("block") && !error.contains("cell"),
        "{error}"
    );
    assert!(!refused(0).contains("--workers"));
}

#[test]
fn training_that_does_not_fit_is_refused_with_settings_that_would() {
    let (form, config) = (Form::numbered([1, 28, 28], 10), plan(Vec::new(), 1));
    let bare = MemoryEstimate::estimate(&config, &form, 0, 2, (0, &[]));
    let training = |parameters, batch| {
        let mut memory = bare.clone();
        memory.include_training(parameters, batch);
        memory
    };
    // The analyses come after it: the larger of the two counts.
    assert_eq!(training(10, 40).total(), bare.total());
    let large = training(100_000_000, 1_000_000_000);
    assert_eq!(large.training, 24 * 400_000_000 + 1_000_000_000);
    assert!((large.training..bare.total() + large.training).contains(&large.total()));
    let refused = large.check(10_000_000_000, &config).unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.starts_with("network.weights: the plan needs about 10.7 GB")
            && refused.contains("network.weights.batch"),
        "{refused}"
    );
    assert!(large.check(11_000_000_000, &config).is_ok());
}

#[test]
fn every_worker_trains_a_network_of_a_population() {
    let form = Form::numbered([1, 28, 28], 10);
    let audit = config::Audit {
        references: 3,
        power: 1,
        ..Default::default()
    };
    let config = Config {
        analyses: vec![Analysis::Audit(audit)],
        ..Config::default()
    };
    let population = Population::of(&config.analyses[0], NetworkKind::Onnx).unwrap();
    // References of a network of another kind are of a built-in one.
    assert_eq!(
        (population.networks, population.kind),
        (4, NetworkKind::Mlp)
    );
    let workers = |count| {
        let mut memory = MemoryEstimate::estimate(&config, &form, 0, count, (0, &[]));
        memory.include_population(0, population.networks, (1_000_000, 5_000), count);
        memory.workers
    };
    let each = 24 * 4_000_000 + 5_000;
    // Not more at a time than there are.
    assert_eq!([1, 3, 9].map(workers), [each, 3 * each, 4 * each]);
    assert!(Population::of(&plan(Vec::new(), 1).analyses[0], NetworkKind::Cnn).is_none());
}

#[test]
fn networks_in_training_that_do_not_fit_are_refused_with_settings_that_would() {
    let form = Form::numbered([1, 28, 28], 10);
    let mut config = plan(Vec::new(), 1);
    config
        .analyses
        .push(Analysis::Backdoor(config::Backdoor::default()));
    let mut memory = MemoryEstimate::estimate(&config, &form, 0, 2, (0, &[]));
    memory.include_population(1, 20, (1, 1), 2);
    // A block takes more than such small networks.
    assert_eq!(memory.population, None);
    memory.include_population(1, 20, (1_000_000_000, 5_000), 2);
    let refused = memory.check(1 << 30, &config).unwrap_err().to_string();
    assert!(
        refused.starts_with("analyses[1]")
            && refused.contains("for the networks that it trains")
            && refused.contains("--workers")
            && !refused.contains("block"),
        "{refused}"
    );
}

#[test]
fn an_analysis_that_could_not_be_read_again_is_refused_with_a_remedy() {
    let config = plan(Vec::new(), 1);
    let mut record = Record::new(&config);
    assert!(check_record(&record, &config, 0).is_ok());
    let kind = TrialKind::plain(2, [1, 1, 1]);
    let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
    // Sums that are claimed, but not allocated.
    trials.noise = ron::from_str("(shape: [600000000], dtype: I64, crc32: 0)").unwrap();
    record.analyses[0] = Recorded::ClassificationImages(ClassificationImages {
        gammas: vec![trials],
        axes: None,
    });
    let refused = check_record(&record, &config, 0).unwrap_err().to_string();
    let words = "analyses[0]: record.analyses[0].gammas[0].noise would be too large for a session's file; coarser";
    assert!(refused.starts_with(words), "{refused}");
}
