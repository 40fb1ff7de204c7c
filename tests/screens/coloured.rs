//! Synthetic sessions of small colour images with any number of classes and every experiment.

use noisescope::ids::{BlockIndex, ClassId, Gamma};
use noisescope::session::config::{self, Analysis as Plan, Config};
use noisescope::session::record::{
    self, Analysis, AttackExample, BlockSums, FedBack, Finding, GammaTrials, LayerResponses,
    ModulatedLayer, Outcomes, ScoredWindow, SplitCounts, Suspect, TrialKind, TrialRows,
};
use noisescope::session::{Array, Form, Session};

use super::everything::done;
use super::synthetic;

/// Channels, rows and columns.
pub const SHAPE: [usize; 3] = [3, 12, 10];
const AREA: usize = 120;
const PIXELS: usize = 3 * AREA;

/// Names of `classes` classes, of one or several words; letters if there are 26.
pub fn names(classes: usize) -> Vec<String> {
    const THINGS: [&str; 13] = [
        "apple",
        "ankle boot",
        "aquarium fish",
        "bear",
        "bicycle",
        "automobile",
        "chimpanzee",
        "T-shirt/top",
        "willow tree",
        "sea",
        "skyscraper",
        "rocket",
        "otter",
    ];
    const KINDS: [&str; 10] = [
        "old", "new", "red", "blue", "dark", "pale", "wild", "tame", "tall", "small",
    ];
    let name = |ClassId(class): ClassId| match classes {
        ..14 => THINGS[class % 13].to_string(),
        26 => char::from(b'A' + class as u8).to_string(),
        _ => format!("{} {}", KINDS[class / 10 % 10], THINGS[class % 10]),
    };
    ClassId::all(classes).map(name).collect()
}

/// A disc whose colour and position depend on the class, from 0 to 1: \[C·H·W\].
pub fn template(ClassId(class): ClassId) -> Vec<f32> {
    let (y, x) = ((class * 5 % 9) as f32 + 1.5, (class * 3 % 7) as f32 + 1.5);
    let strength = |channel: usize| if class % 3 == channel { 1.0 } else { 0.15 };
    let pixel = |index: usize| {
        let (channel, pixel) = (index / AREA, index % AREA);
        let (dy, dx) = ((pixel / 10) as f32 - y, (pixel % 10) as f32 - x);
        strength(channel) * (-(dy * dy + dx * dx) / 5.0).exp()
    };
    (0..PIXELS).map(pixel).collect()
}

/// A reproducible value between −1 and 1 for each number.
fn wobble(number: usize) -> f64 {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 40) as f64 / f64::from(1 << 23) - 1.0
}

/// Adds one block: most trials are called their true class, some the next one.
fn add(trials: &mut GammaTrials, classes: usize) {
    let rows = TrialRows::new(classes, &trials.listed);
    let mut sums = BlockSums {
        block: BlockIndex(trials.blocks),
        counts: vec![0; classes * classes],
        ..Default::default()
    };
    let mut noise = vec![vec![0_i64; PIXELS]; rows.count()];
    let mut image = vec![vec![0_i64; PIXELS]; classes];
    for truth in ClassId::all(classes) {
        let next = ClassId((truth.0 + 1) % classes);
        for (called, n) in [(truth, 3000_u64), (next, 700)] {
            sums.trials += n;
            sums.counts[truth.0 * classes + called.0] += n;
            let spread = (n as f64).sqrt() * 65536.0 / 12_f64.sqrt();
            for (pixel, v) in template(called).into_iter().enumerate() {
                let seed = ((trials.blocks as usize * 7 + truth.0) * 2 + called.0) * PIXELS + pixel;
                let mean = n as f64 * (32767.5 + 2600.0 * f64::from(v));
                let sum = (mean + spread * wobble(seed)) as i64;
                rows.for_trial(truth, called)
                    .for_each(|row| noise[row][pixel] += sum);
            }
            for (sum, v) in image[called].iter_mut().zip(template(truth)) {
                *sum += (n as f32 * 230.0 * v) as i64;
            }
        }
    }
    sums.noise = noise.into_iter().enumerate().collect();
    sums.image = image.into_iter().enumerate().collect();
    trials.add(&sums);
    trials.fed_back = ClassId::all(classes)
        .map(|class| {
            Some(FedBack {
                class: if class.0 % 5 == 1 {
                    ClassId((class.0 + 1) % classes)
                } else {
                    class
                },
                confidence: 0.8,
            })
        })
        .collect();
}

fn images(plan: &config::ClassificationImages, classes: usize) -> record::ClassificationImages {
    let kind = TrialKind {
        noise: plan.noise,
        ..TrialKind::plain(classes, SHAPE)
    };
    let mut images = record::ClassificationImages::with_trials(plan, &kind);
    for trials in &mut images.gammas {
        (0..4).for_each(|_| add(trials, classes));
    }
    images
}

fn attack(classes: usize) -> record::Attack {
    let weights: Vec<f64> = (0..=10).map(|w| f64::from(w) / 10.0).collect();
    let mut counts = Vec::new();
    for _ in 0..2 {
        for half in [0.6, 0.5, 0.95] {
            for target in ClassId::all(classes) {
                for weight in &weights {
                    let success = 1.0 / (1.0 + (-(weight - half) * 18.0).exp());
                    let mut outcomes = Outcomes::default();
                    let truth = ClassId((target.0 + 1) % classes);
                    let hits = (success * 100.0) as i64;
                    outcomes.count(Some(truth), target, target, hits);
                    outcomes.count(Some(truth), truth, target, 100 - hits);
                    counts.extend(outcomes.numbers());
                }
            }
        }
    }
    let example = |target: ClassId| {
        let truth = ClassId((target.0 + 1) % classes);
        let image = template(truth).into_iter().map(|v| (255.0 * v) as u8);
        AttackExample {
            target,
            truth,
            image: Array::new(&SHAPE, image.collect()),
            called: vec![target; 33],
            confidence: vec![0.7; 33],
        }
    };
    record::Attack {
        progress: done(60),
        gamma: Some(Gamma(0.3)),
        patterns: Array::new(
            &[3, classes, 3, 12, 10],
            (0..3 * classes)
                .flat_map(|index| template(ClassId(index % classes)))
                .collect(),
        ),
        measured: vec![true; 3 * classes],
        counts: Array::new(&[2, 3, classes, 11, 4], counts),
        examples: ClassId::all(classes).map(example).collect(),
        weights,
        ..record::Attack::default()
    }
}

fn spikes() -> record::SpikeTriggered {
    let mut layer = LayerResponses::new("conv1", 8, [3, 5, 5], false, None);
    for block in BlockIndex::first(2) {
        let weighted = (0..8 * 75).map(|index| (1e6 * wobble(index)) as i64);
        let sums = record::BlockResponses {
            fields: 1000,
            fired: vec![500; 8],
            activation: vec![1 << 30; 8],
            magnitude: vec![1 << 30; 8],
            stimulus: vec![0; 75],
            weighted: weighted.collect(),
        };
        layer.add_noise(block, &sums);
    }
    record::SpikeTriggered {
        progress: done(4),
        layers: vec![layer],
        covariance: None,
    }
}

fn modulation(classes: usize) -> record::Modulation {
    let (strengths, gammas) = (vec![-5, 0, 5], [0.0, 0.5, 1.0].map(Gamma).to_vec());
    let mut counts = Vec::new();
    for target in ClassId::all(classes) {
        for strength in &strengths {
            for gamma in &gammas {
                let right = |truth: ClassId| {
                    let push = if truth == target { 4 } else { -1 } * strength;
                    ((80.0 * gamma.0) as i64 + push).clamp(0, 100)
                };
                let correct: Vec<i64> = ClassId::all(classes).map(right).collect();
                let shown = vec![100; classes];
                counts.extend([shown, correct.clone(), correct].concat());
            }
        }
    }
    record::Modulation {
        progress: done(1 + classes * 3),
        layers: vec![ModulatedLayer {
            name: "fc1".into(),
            alpha: 0.2,
            shown: vec![1000; classes],
            activation: Array::zeros(&[classes, 4]),
            counts: Array::new(&[classes, 3, 3, 3, classes], counts),
        }],
        gammas,
        strengths,
    }
}

fn backdoor(classes: usize) -> record::Backdoor {
    let suspect = |seed: u64| {
        let poisoned = seed == 0;
        let is_target = move |class: ClassId| poisoned && class.0 == 3 % classes;
        let z = ClassId::all(classes).flat_map(|class| {
            let pixels = template(class).into_iter().enumerate();
            pixels.map(move |(pixel, v)| 6.0 * v + wobble(pixel + class.0 * PIXELS) as f32)
        });
        let window = |class: ClassId| {
            Some(ScoredWindow {
                row: 1,
                column: 2,
                size: 3,
                score: 4.0,
                index: Some(if is_target(class) {
                    7.5
                } else {
                    wobble(class.0)
                }),
            })
        };
        Suspect {
            poisoned,
            seed,
            training: None,
            clean_accuracy: Some(0.9),
            attack_success: Some(0.99),
            attacked: 100,
            trials: Vec::new(),
            findings: vec![Finding {
                gamma: Gamma(0.3),
                trials: 1000 * classes as u64,
                called: vec![1000; classes],
                windows: ClassId::all(classes).map(window).collect(),
                z: Array::new(&[classes, 3, 12, 10], z.collect()),
                evidence: Array::default(),
                audited: None,
            }],
        }
    };
    record::Backdoor {
        progress: done(2),
        networks: vec![suspect(0), suspect(1)],
    }
}

fn predictions(classes: usize) -> record::Predictions {
    let count = |cell: usize| match (cell / classes, cell % classes) {
        (truth, called) if truth == called => 90,
        (truth, called) if called == (truth + 1) % classes => 7,
        (truth, called) if (truth * 7 + called * 3) % 31 == 0 => 1,
        _ => 0,
    };
    let images = ClassId::all(classes).flat_map(template);
    record::Predictions {
        progress: done(1),
        splits: vec![SplitCounts {
            split: config::Split::Test,
            images: Array::new(
                &[classes, 3, 12, 10],
                images.map(|v| (v * 255.0 * 97.0) as i64).collect(),
            ),
            counts: (0..classes * classes).map(count).collect(),
        }],
    }
}

/// A session of `classes` classes with every experiment, all done.
pub fn session(classes: usize) -> Session {
    let plan = config::ClassificationImages {
        gammas: vec![Gamma(0.1), Gamma(0.3)],
        ..Default::default()
    };
    let config = Config {
        analyses: vec![
            Plan::ClassificationImages(plan.clone()),
            Plan::Attack(config::Attack::default()),
            Plan::SpikeTriggered(config::SpikeTriggered::default()),
            Plan::Modulation(config::Modulation::default()),
            Plan::Backdoor(config::Backdoor {
                gammas: vec![Gamma(0.3)],
                poisoned: 1,
                clean: 1,
                ..Default::default()
            }),
            Plan::Predictions(config::Predictions::default()),
        ],
        ..Config::default()
    };
    let mut session = Session::new("colours", config);
    session.record.form = Some(Form {
        classes: names(classes),
        ..Form::numbered(SHAPE, 0)
    });
    session.record.training = Some(synthetic::training(15, 0, true));
    session.record.analyses = vec![
        Analysis::ClassificationImages(images(&plan, classes)),
        Analysis::Attack(attack(classes)),
        Analysis::SpikeTriggered(spikes()),
        Analysis::Modulation(modulation(classes)),
        Analysis::Backdoor(backdoor(classes)),
        Analysis::Predictions(predictions(classes)),
    ];
    session.record.state = record::SavedState::Finished;
    session
}
