//! Synthetic sessions: typical training curves, and classification images from sums of known
//! templates with sampling noise.

use noisescope::ids::{BlockIndex, ClassId, Gamma};
use noisescope::session::config::{self, ClassificationImages, Config};
use noisescope::session::record::{
    self, Analysis, BlockSums, Epoch, FedBack, GammaTrials, SplitCounts, TrainingRecord, TrialKind,
    TrialRows,
};
use noisescope::session::run::{Checkpoint, LogLine, Phase, Run, Stage};
use noisescope::session::{Form, Session};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub const CLASSES: usize = 10;
pub const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;

/// The seven-segment digit of a class on a 28×28 grid, from about −1 to 1.
pub fn template(class: ClassId) -> Vec<f32> {
    // Seven segments: top, upper left, upper right, middle, lower left, lower right, bottom.
    const SEGMENTS: [[u8; 7]; 10] = [
        [1, 1, 1, 0, 1, 1, 1],
        [0, 0, 1, 0, 0, 1, 0],
        [1, 0, 1, 1, 1, 0, 1],
        [1, 0, 1, 1, 0, 1, 1],
        [0, 1, 1, 1, 0, 1, 0],
        [1, 1, 0, 1, 0, 1, 1],
        [1, 1, 0, 1, 1, 1, 1],
        [1, 0, 1, 0, 0, 1, 0],
        [1, 1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 0, 1, 1],
    ];
    const ENDS: [[(f32, f32); 2]; 7] = [
        [(5.0, 9.0), (5.0, 19.0)],
        [(5.0, 9.0), (14.0, 9.0)],
        [(5.0, 19.0), (14.0, 19.0)],
        [(14.0, 9.0), (14.0, 19.0)],
        [(14.0, 9.0), (23.0, 9.0)],
        [(14.0, 19.0), (23.0, 19.0)],
        [(23.0, 9.0), (23.0, 19.0)],
    ];
    let mut map = vec![0.0; PIXELS];
    for (segment, [a, b]) in ENDS.iter().enumerate() {
        let sign = if SEGMENTS[class.0][segment] == 1 {
            1.0
        } else {
            -0.7
        };
        for row in 0..SIDE {
            for column in 0..SIDE {
                let (y, x) = (row as f32, column as f32);
                let (dy, dx) = (b.0 - a.0, b.1 - a.1);
                let along =
                    (((y - a.0) * dy + (x - a.1) * dx) / (dy * dy + dx * dx)).clamp(0.0, 1.0);
                let off = (y - a.0 - along * dy).powi(2) + (x - a.1 - along * dx).powi(2);
                map[row * SIDE + column] += sign * (-off / 3.0).exp();
            }
        }
    }
    map
}

/// The shares of trials of true class `t` called each class, at signal strength γ.
fn calls(gamma: Gamma, t: ClassId) -> [f64; CLASSES] {
    let mut shares = [0.0; CLASSES];
    // Without signal everything is called 8; with signal the true class gains.
    let truth = (gamma.0 * 3.2).min(0.97);
    for (k, share) in shares.iter_mut().enumerate() {
        *share = (1.0 - truth) * if k == 8 { 0.86 } else { 0.14 / 9.0 };
        if gamma == Gamma::NOISE {
            *share = if k == 8 { 1.0 } else { 0.0 };
        }
    }
    shares[t.0] += if gamma == Gamma::NOISE { 0.0 } else { truth };
    shares
}

/// A standard normal number (Box–Muller).
pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random_range(1e-12..1.0), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Adds `count` synthetic trials as one block.
pub fn accumulate(trials: &mut GammaTrials, count: u64, rng: &mut ChaCha8Rng) {
    let mut sums = BlockSums {
        block: BlockIndex(trials.blocks),
        trials: 0,
        counts: vec![0; CLASSES * CLASSES],
        noise: Vec::new(),
        image: Vec::new(),
        ..Default::default()
    };
    let templates: Vec<Vec<f32>> = ClassId::all(CLASSES).map(template).collect();
    let mut image = vec![vec![0_i64; PIXELS]; CLASSES];
    let rows = TrialRows::new(CLASSES, &trials.listed);
    let mut noise = vec![vec![0_i64; PIXELS]; rows.count()];
    for t in ClassId::all(CLASSES) {
        for (k, share) in ClassId::all(CLASSES).zip(calls(trials.gamma, t)) {
            let expected = count as f64 / CLASSES as f64 * share;
            let n = (expected + normal(rng) * expected.sqrt() * 0.3 + 0.5).max(0.0) as u64;
            if n == 0 {
                continue;
            }
            sums.trials += n;
            sums.counts[t.0 * CLASSES + k.0] = n;
            let spread = (n as f64).sqrt() * 65536.0 / 12_f64.sqrt();
            for (pixel, v) in templates[k].iter().enumerate() {
                let mean = n as f64 * (32767.5 + 3200.0 * f64::from(*v));
                let sum = (mean + spread * normal(rng)) as i64;
                rows.for_trial(t, k)
                    .for_each(|row| noise[row][pixel] += sum);
            }
            for (sum, v) in image[k].iter_mut().zip(&templates[t]) {
                *sum += n as i64 * (230.0 * v.clamp(0.0, 1.0)) as i64;
            }
        }
    }
    sums.image = image.into_iter().enumerate().collect();
    sums.noise = noise.into_iter().enumerate().collect();
    trials.add(&sums);
    for k in ClassId::all(CLASSES) {
        let called: u64 = (0..2 * CLASSES)
            .map(|row| trials.counts[row * CLASSES + k.0])
            .sum();
        let misread = k == ClassId(1) && trials.gamma < Gamma(0.2);
        trials.fed_back[k] = (called > 0).then_some(FedBack {
            class: if misread { ClassId(8) } else { k },
            confidence: 0.72 + 0.025 * k.0 as f64,
        });
    }
}

/// Adds `count` trials in ten blocks, so that both halves have some.
pub fn fill(trials: &mut GammaTrials, count: u64, rng: &mut ChaCha8Rng) {
    for _ in 0..10 {
        if count > 0 {
            accumulate(trials, count / 10, rng);
        }
    }
}

/// A session that has not begun.
pub fn new() -> Session {
    let config = Config {
        analyses: vec![config::Analysis::ClassificationImages(
            ClassificationImages {
                gammas: [0.0, 0.1, 0.2, 0.3].map(Gamma).to_vec(),
                trials: 1_000_000,
                ..ClassificationImages::default()
            },
        )],
        ..Config::default()
    };
    Session::new("mnist-paper", config)
}

/// The form of the images.
pub fn form() -> Form {
    Form::numbered([1, SIDE, SIDE], CLASSES)
}

/// Begins a session: sets the form of its images, and the records that depend on it.
pub fn begin(session: &mut Session) {
    session.record.form = Some(form());
    let plans = &session.config.analyses;
    for (plan, record) in plans.iter().zip(&mut session.record.analyses) {
        match (plan, record) {
            (
                config::Analysis::ClassificationImages(plan),
                Analysis::ClassificationImages(images),
            ) => {
                let kind = TrialKind {
                    noise: plan.noise,
                    ..TrialKind::plain(CLASSES, form().shape())
                };
                *images = record::ClassificationImages::with_trials(plan, &kind);
            }
            (config::Analysis::Predictions(plan), Analysis::Predictions(predictions)) => {
                let splits = plan.splits.iter();
                predictions.splits = splits
                    .map(|split| SplitCounts::new(*split, &form()))
                    .collect();
            }
            _ => {}
        }
    }
}

/// Typical figures of an epoch.
pub fn epoch(number: usize) -> Epoch {
    let n = number as f64;
    let wobble = ((number * 7919) % 13) as f64 / 13.0 - 0.5;
    Epoch {
        epoch: number,
        train_loss: 0.9 * (-0.75 * n).exp() + 0.06 / n + 0.002,
        train_accuracy: 1.0 - 0.25 * (-0.75 * n).exp() - 0.012 / n,
        valid_loss: 0.5 * (-0.7 * n).exp() + 0.045 + 0.006 * wobble,
        valid_accuracy: 0.9905 - 0.12 * (-0.7 * n).exp() + 0.0015 * wobble,
        lr: 1e-5 + 0.5 * (1e-3 - 1e-5) * (1.0 + (std::f64::consts::PI * n / 15.0).cos()),
    }
}

/// The training record after some epochs and some batches of the next.
pub fn training(epochs: usize, batches: usize, finished: bool) -> TrainingRecord {
    let mut training = TrainingRecord {
        parameters: 431_080,
        finished,
        ..TrainingRecord::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let epoch_batches = 188;
    for number in 1..=epochs + usize::from(batches > 0) {
        let figures = epoch(number);
        let from = if number == 1 {
            2.3
        } else {
            epoch(number - 1).train_loss
        };
        let count = if number > epochs {
            batches
        } else {
            epoch_batches
        };
        for batch in 0..count {
            let t = batch as f64 / epoch_batches as f64;
            let mean = from * (figures.train_loss / from).powf(t.sqrt());
            training
                .batch_loss
                .push(mean * (0.35 * normal(&mut rng)).exp());
        }
        if number <= epochs {
            training.epochs.push(figures);
        }
    }
    let best = training
        .epochs
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| a.valid_accuracy.total_cmp(&b.valid_accuracy));
    training.best_epoch = best.map(|(i, _)| i + 1);
    training.test_accuracy = finished.then_some(0.9912);
    if batches > 0 {
        let next = epoch(epochs + 1);
        training.partial.batches = batches;
        training.partial.of = epoch_batches;
        training.partial.images = batches * 256;
        training.partial.loss_sum = next.train_loss * 1.1 * (batches * 256) as f64;
        training.partial.correct = (next.train_accuracy * (batches * 256) as f64) as usize;
        training.partial.lr = next.lr;
    }
    training
}

/// The state that an engine publishes.
pub fn run(phase: Phase) -> Run {
    let now = 1_770_000_000;
    let line = |seconds: i64, text: &str, warning: bool| LogLine {
        at: now + seconds,
        text: text.into(),
        warning,
    };
    Run {
        shards: Vec::new(),
        phase,
        device: "flex · 2 workers".into(),
        gpu: None,
        images: "full set".into(),
        notes: Vec::new(),
        reading: None,
        parameters: 431_080,
        memory: 0,
        stages: Vec::new(),
        rates: (0..60)
            .map(|i| 9_800.0 + 700.0 * (i as f32 / 5.0).sin())
            .collect(),
        log: vec![
            line(-300, "full set of MNIST: 60,000 + 10,000 images", false),
            line(
                -240,
                "training: epoch 12 is the best so far, 99.1 % of the held-out images",
                false,
            ),
            line(
                -200,
                "training finished after 15 epochs, test accuracy 99.1 %",
                false,
            ),
            line(
                -60,
                "γ 0.2 reached reliability 0.95 in every class after 640 k trials",
                false,
            ),
            line(
                -12,
                "checkpoint sessions/mnist-paper.ron 6.1 MB 38 ms",
                false,
            ),
        ],
        checkpoint: Some(Checkpoint {
            at: now - 12,
            bytes: 6_100_000,
            millis: 38.0,
        }),
        problem: None,
        at: 0,
        up_s: 2467.0,
        eta_s: Some(661.0),
    }
}

/// The stages of a session, with the rates that an engine would measure.
pub fn stages(session: &Session) -> Vec<Stage> {
    let mut stages = session.stages();
    for (index, stage) in stages.iter_mut().enumerate() {
        let begun = stage.done > 0;
        let (rate, eta, seconds) = match index {
            0 => (2_140.0, 95.0, 130.0),
            _ => (9_860.0, 661.0, 300.0 / index as f64),
        };
        let measured = match index {
            0 => !stage.finished,
            _ => begun,
        };
        stage.per_second = measured.then_some(rate);
        stage.eta_s = measured.then_some(eta);
        stage.seconds = seconds;
    }
    stages
}

/// A session in training.
pub fn in_training() -> Session {
    let mut session = new();
    session.record.training = Some(training(7, 90, false));
    session.run = Some(run(Phase::Working(0)));
    with_stages(session)
}

/// A session whose maps are accumulating, with `trials` trials at each γ.
pub fn accumulating(trials: [u64; 4]) -> Session {
    let mut session = new();
    begin(&mut session);
    session.record.training = Some(training(15, 0, true));
    session.run = Some(run(Phase::Working(1)));
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
        unreachable!()
    };
    for (trials, count) in images.gammas.iter_mut().zip(trials) {
        fill(trials, count, &mut rng);
    }
    with_stages(session)
}

/// A session with its stages published by the engine.
pub fn with_stages(mut session: Session) -> Session {
    let stages = stages(&session);
    if let Some(run) = &mut session.run {
        run.stages = stages;
    }
    session
}
