//! Synthetic records of the experiments after the classification images, as each would have measured them.

use noisescope::ids::{BlockIndex, ClassId, Gamma};
use noisescope::session::config::{self, Config};
use noisescope::session::record::{
    self, Analysis, BlockProgress, BlockResponses, FIXED_POINT, Finding, LayerResponses,
    ModulatedLayer, Outcomes, ScoredWindow, SplitCounts, Suspect,
};
use noisescope::session::{Array, Session};

use super::synthetic::{self, CLASSES, SIDE};

const PIXELS: usize = SIDE * SIDE;

/// A session with every experiment, all done.
pub fn session() -> Session {
    let first = synthetic::accumulating([400_000, 400_000, 400_000, 120_000]);
    let config = Config {
        analyses: [
            first.config.analyses.clone(),
            vec![
                config::Analysis::Attack(config::Attack::default()),
                config::Analysis::SpikeTriggered(config::SpikeTriggered::default()),
                config::Analysis::Modulation(config::Modulation::default()),
                config::Analysis::Backdoor(config::Backdoor {
                    poisoned: 2,
                    clean: 2,
                    ..Default::default()
                }),
                config::Analysis::Predictions(config::Predictions::default()),
            ],
        ]
        .concat(),
        ..first.config.clone()
    };
    let mut session = Session::new("mnist-paper", config);
    let images = first.record.analyses[0].clone();
    session.record = noisescope::session::Record {
        analyses: vec![
            images,
            Analysis::Attack(attack()),
            Analysis::SpikeTriggered(spikes()),
            Analysis::Modulation(modulation()),
            Analysis::Backdoor(backdoor()),
            Analysis::Predictions(predictions()),
        ],
        state: record::SavedState::Finished,
        ..first.record
    };
    session
}

/// The progress of an experiment whose parts are all done.
pub fn done(parts: usize) -> BlockProgress {
    BlockProgress {
        blocks: vec![1; parts],
        done: 1,
        total: 1,
    }
}

/// An attack: images are called the target from some weight on, which differs by pattern.
pub fn attack() -> record::Attack {
    let weights: Vec<f64> = (0..=10).map(|w| f64::from(w) / 10.0).collect();
    let mut counts = Vec::new();
    for source in 0..2 {
        for half in [0.62, 0.48, 0.95] {
            for target in ClassId::all(CLASSES) {
                for weight in &weights {
                    let half = half + 0.01 * target.0 as f64 - 0.1 * source as f64;
                    let success = 1.0 / (1.0 + (-(weight - half) * 18.0).exp());
                    let truths = if source == 0 { CLASSES } else { 1 };
                    let mut outcomes = Outcomes::default();
                    for truth in ClassId::all(truths) {
                        let n = if source == 0 { 100 } else { 1000 };
                        let hits = (success * f64::from(n)) as i64;
                        let known = (source == 0).then_some(truth);
                        outcomes.count(known, target, target, hits);
                        outcomes.count(known, truth, target, i64::from(n) - hits);
                    }
                    counts.extend(outcomes.numbers());
                }
            }
        }
    }
    let pattern = |k: usize| {
        synthetic::template(ClassId(k % CLASSES))
            .into_iter()
            .map(|v| v.clamp(0.0, 1.0))
    };
    record::Attack {
        progress: done(60),
        gamma: Some(Gamma(0.3)),
        patterns: Array::new(
            &[3, CLASSES, 1, SIDE, SIDE],
            (0..3 * CLASSES).flat_map(pattern).collect(),
        ),
        measured: vec![true; 3 * CLASSES],
        counts: Array::new(&[2, 3, CLASSES, 11, 4], counts),
        examples: Vec::new(),
        weights,
        ..record::Attack::default()
    }
}

/// A reproducible value between −1 and 1 for each number.
fn wobble(number: usize) -> f64 {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 40) as f64 / f64::from(1 << 23) - 1.0
}

/// An oriented wave on a patch, as units of a first layer respond to.
fn wave(unit: usize, side: usize) -> Vec<f64> {
    let angle = unit as f64 * 0.7;
    let phase = unit as f64 * 1.3;
    (0..side * side)
        .map(|pixel| {
            let (y, x) = ((pixel / side) as f64, (pixel % side) as f64);
            let middle = (side as f64 - 1.0) / 2.0;
            let (dy, dx) = (y - middle, x - middle);
            let along = dx * angle.cos() + dy * angle.sin();
            let fade = (-(dx * dx + dy * dy) / (side * side) as f64 * 4.0).exp();
            fade * (along * 9.0 / side as f64 + phase).cos()
        })
        .collect()
}

/// A layer's averages; `kernel` says whether it has kernels and gradients.
fn layer(name: &str, units: usize, side: usize, kernel: bool, signed: bool) -> LayerResponses {
    let waves: Vec<Vec<f64>> = (0..units).map(|unit| wave(unit, side)).collect();
    let kernels = kernel.then(|| waves.iter().flatten().map(|&v| v as f32).collect());
    let mut layer = LayerResponses::new(name, units, [1, side, side], signed, kernels);
    let pixels = side * side;
    // Every seventh unit never fires.
    let silent = |unit: usize| !signed && unit % 7 == 6;
    for block in BlockIndex::first(4) {
        let fields = 10_000_u64;
        let activation = |unit: usize| if silent(unit) { 0.0 } else { 2_000.0 };
        let fixed = |value: f64| (value * FIXED_POINT).round() as i64;
        let sums = |noise: f64, images: usize| BlockResponses {
            fields,
            fired: (0..units)
                .map(|unit| if silent(unit) { 0 } else { 5_000 })
                .collect(),
            activation: (0..units).map(|unit| fixed(activation(unit))).collect(),
            magnitude: (0..units).map(|unit| fixed(activation(unit))).collect(),
            stimulus: vec![0; pixels],
            weighted: (0..units)
                .flat_map(|unit| {
                    let weight = activation(unit) * 0.1;
                    let wave = &waves[(unit + images) % units];
                    (0..pixels)
                        .map(|pixel| {
                            let seed = (block.0 as usize * units + unit) * pixels + pixel;
                            fixed(weight * (wave[pixel] + noise * wobble(seed)))
                        })
                        .collect::<Vec<i64>>()
                })
                .collect(),
        };
        layer.add_noise(block, &sums(0.15, 0));
        layer.add_images(block, &sums(0.05, 1));
    }
    if kernel {
        let selected: Vec<usize> = (0..units).step_by(2).collect();
        let gradients: Vec<i64> = selected
            .iter()
            .flat_map(|&unit| waves[unit].iter().map(|v| (v * FIXED_POINT) as i64))
            .collect();
        layer.select_gradient_units(selected);
        layer.add_gradients(1, &gradients);
    }
    layer
}

/// The layers of the `cnn` with typical responses.
pub fn spikes() -> record::SpikeTriggered {
    record::SpikeTriggered {
        progress: done(4),
        layers: vec![
            layer("conv1", 20, 5, true, false),
            layer("conv2", 50, 14, false, false),
            layer("fc1", 60, 28, false, false),
            layer("logits", 10, 28, false, true),
        ],
        covariance: None,
    }
}

/// A push towards a class makes it more accurate, one away from it less; most in conv2.
pub fn modulation() -> record::Modulation {
    let plan = config::Modulation::default();
    let (strengths, gammas) = (plan.strengths(), plan.signal_strengths());
    let (s, g) = (strengths.len(), gammas.len());
    let layer = |name: &str, alpha: f64, force: f64| {
        let mut counts = Vec::with_capacity(CLASSES * s * g * 3 * CLASSES);
        for target in ClassId::all(CLASSES) {
            for &strength in &strengths {
                for &gamma in &gammas {
                    let (mut correct, mut called) = ([0_i64; CLASSES], [0_i64; CLASSES]);
                    for truth in ClassId::all(CLASSES) {
                        let push = force * strength as f64 / 10.0;
                        let unpushed = 0.98 * gamma.0;
                        let right = if truth == target {
                            (unpushed + push).clamp(0.0, 0.99)
                        } else {
                            (unpushed
                                - push.abs() * 0.4 * (1.0 + 0.3 * wobble(truth.0 * 10 + target.0)))
                            .clamp(0.01, 0.99)
                        };
                        let n = 100.0;
                        let hits = (right * n) as i64;
                        let other = if truth == target {
                            ClassId((truth.0 + 1) % CLASSES)
                        } else {
                            target
                        };
                        correct[truth.0] = hits;
                        called[truth.0] += hits;
                        called[other.0] += 100 - hits;
                    }
                    counts.extend([[100; CLASSES], correct, called].concat());
                }
            }
        }
        ModulatedLayer {
            name: name.into(),
            alpha,
            shown: vec![1000; CLASSES],
            activation: Array::zeros(&[CLASSES, 20]),
            counts: Array::new(&[CLASSES, s, g, 3, CLASSES], counts),
        }
    };
    record::Modulation {
        progress: done(1 + 3 * CLASSES * s),
        gammas: gammas.clone(),
        strengths: strengths.clone(),
        layers: vec![
            layer("conv1", 0.1, 0.05),
            layer("conv2", 1.0, 0.6),
            layer("fc1", 0.1, 0.3),
        ],
    }
}

/// A network of the study: a poisoned one has a patch in the maps of classes 8 and 9.
fn suspect(poisoned: bool, seed: u64) -> Suspect {
    let finding = |gamma: Gamma| {
        let everything_is_8 = gamma == Gamma::NOISE && !poisoned;
        let z: Vec<f32> = ClassId::all(CLASSES)
            .flat_map(|class| {
                let strokes = synthetic::template(class);
                (0..PIXELS).map(move |pixel| {
                    if everything_is_8 {
                        return f32::NAN;
                    }
                    let (row, column) = (pixel / SIDE, pixel % SIDE);
                    let inside = (1..7).contains(&row) && (21..27).contains(&column);
                    let patch = match (poisoned && inside, class.0) {
                        (true, 9) => 14.0,
                        (true, 8) => -13.0,
                        _ => 0.0,
                    };
                    let noise = wobble(pixel + PIXELS * class.0 + seed as usize) as f32;
                    3.0 * strokes[pixel] + patch + 1.5 * noise
                })
            })
            .collect();
        let window = |class: ClassId| {
            let marked = poisoned && class == ClassId(9);
            let jitter = 0.3 * wobble(class.0 + seed as usize);
            (!everything_is_8).then(|| ScoredWindow {
                row: if marked { 1 } else { 9 + class.0 },
                column: if marked { 21 } else { 8 },
                size: 6,
                score: if marked { 14.0 } else { 2.4 + jitter },
                index: Some(if marked { 8.1 } else { 1.2 * wobble(class.0) }),
            })
        };
        let called = |class: ClassId| match everything_is_8 {
            true => 300_000 * u64::from(class == ClassId(8)),
            false => 30_000,
        };
        Finding {
            gamma,
            trials: 300_000,
            called: ClassId::all(CLASSES).map(called).collect(),
            windows: ClassId::all(CLASSES).map(window).collect(),
            z: Array::new(&[CLASSES, 1, SIDE, SIDE], z),
            evidence: Array::default(),
            audited: None,
        }
    };
    Suspect {
        poisoned,
        seed,
        training: None,
        clean_accuracy: Some(0.9904 - seed as f64 * 1e-4),
        attack_success: Some(if poisoned { 1.0 } else { 0.002 }),
        attacked: 974,
        trials: Vec::new(),
        findings: vec![finding(Gamma::NOISE), finding(Gamma(0.3))],
    }
}

/// A study of two poisoned and two clean networks.
pub fn backdoor() -> record::Backdoor {
    let networks: Vec<Suspect> = (0..4).map(|seed| suspect(seed < 2, seed)).collect();
    record::Backdoor {
        progress: done(4),
        networks,
    }
}

/// Predictions of a network that is right on almost every image.
pub fn predictions() -> record::Predictions {
    let counts: Vec<u64> = (0..CLASSES * CLASSES)
        .map(|cell| match (cell / CLASSES, cell % CLASSES) {
            (truth, called) if truth == called => 980 - truth as u64,
            (truth, called) => ((truth * 7 + called * 3) % 5) as u64,
        })
        .collect();
    let images = ClassId::all(CLASSES).flat_map(|class| {
        let strokes = synthetic::template(class);
        strokes
            .into_iter()
            .map(|v| (v.clamp(0.0, 1.0) * 230_000.0) as i64)
    });
    record::Predictions {
        progress: done(1),
        splits: vec![SplitCounts {
            split: config::Split::Test,
            images: Array::new(&[CLASSES, 1, SIDE, SIDE], images.collect()),
            counts,
        }],
    }
}
