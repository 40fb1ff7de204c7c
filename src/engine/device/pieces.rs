//! Where the time of a trial goes: the noise loop taken apart, on one thread.

use std::time::{Duration, Instant};

use super::seat::Seat;
use super::trial::Loop;
use crate::analysis::Lab;
use crate::analysis::classification_images::{Hearing, Said, Summing};
use crate::nets::train::{Step, TrainError, Trainer};
use crate::session::config::{self, Evidence, Noise, Weighting};
use crate::session::record::{GammaTrials, Training, TrialKind};
use crate::stimulus::{self, BlockSeed, Source};

/// Microseconds a trial that each piece takes, in their order: noise, stimuli, network, evidence, sums, merging.
pub const NAMES: [&str; 6] = ["noise", "stimuli", "network", "evidence", "sums", "merging"];

/// The place of the network among them.
pub const NETWORK: usize = 2;

/// Most epochs that are measured, and steps that are not.
const EPOCHS: usize = 1000;
const WARM_UP: usize = 3;

/// Images a second of training a built-in kind with such batches; where `apart`, and where it is by plan, what
/// each part of a step takes, in microseconds an image.
///
/// # Errors
/// Where training cannot begin or diverges.
pub fn training(
    lab: &Lab,
    seat: &Seat,
    batch: usize,
    apart: bool,
) -> Result<(f64, Vec<(String, f64)>), TrainError> {
    seat.prepare_conductor();
    let images = &lab.dataset.train;
    let plan = config::Training {
        epochs: EPOCHS,
        patience: EPOCHS,
        batch,
        ..config::Training::default()
    };
    let mut record = Training::default();
    let mut trainer = Trainer::new(lab.kind, &plan, 1, images, &seat.device, &mut record)?;
    // The first steps warm up; what an epoch ends with is not counted.
    let (mut spent, mut seen) = (Duration::ZERO, 0);
    for step in 0.. {
        let began = Instant::now();
        match trainer.step(&mut record, &mut || {})? {
            Step::Batch(count) if step >= WARM_UP => {
                (spent, seen) = (spent + began.elapsed(), seen + count);
            }
            Step::Batch(_) | Step::Epoch(_) => {}
            Step::Over => break,
        }
        if spent > Duration::from_secs(3) {
            break;
        }
    }
    let rate = seen as f64 / spent.as_secs_f64();
    let chosen: Vec<usize> = (0..batch.min(images.len())).collect();
    let times = match apart {
        true => trainer.times(&chosen),
        false => Vec::new(),
    };
    Ok((rate, times))
}

/// Runs so many blocks and tells the microseconds a trial of each of [`NAMES`]; evidence is what is heard of
/// the outputs, its sums are among the sums.
pub fn pieces(lab: &Lab, seat: &Seat, plan: Loop, blocks: u64) -> [f64; NAMES.len()] {
    seat.prepare_thread();
    let source = Source::new(Noise::Uniform, &lab.dataset.train);
    let kind = TrialKind {
        evidence: plan.evidence,
        ..TrialKind::plain(lab.classes(), lab.form.shape())
    };
    let summing = Summing::new(&kind, &source, &lab.dataset.train);
    let mut record = GammaTrials::new(plan.gamma, 30, &kind);
    let mut hearing: Option<Hearing> = None;
    let mut times = [0.0; NAMES.len()];
    // The first block warms up.
    for block in 0..=blocks {
        let mut at = Instant::now();
        let mut lap = |piece: usize| {
            let now = Instant::now();
            if block > 0 {
                times[piece] += (now - at).as_secs_f64();
            }
            at = now;
        };
        let seed = BlockSeed {
            session: 1,
            analysis: 0,
            gamma: 0,
            block,
        };
        let first = block * plan.block as u64;
        let mut drawn = stimulus::unshown(seed, &source, first, plan.block, &lab.pool);
        lap(0);
        let stimuli = stimulus::blend(&drawn.noise, &source, &drawn.image, plan.gamma, &lab.pool);
        drawn.stimuli = Vec::new();
        lap(1);
        let logits = lab.network.logits(stimuli, &lab.device);
        lap(2);
        let rows = || lab.network.rows(&logits);
        let mut said = Said::new(rows(), Weighting::Equal);
        if plan.evidence {
            let own = hearing.get_or_insert_with(|| {
                let own = Hearing::of(Evidence::Logit, &kind.listed, rows());
                record.hear(own.step(), &kind);
                own
            });
            said.heard = Some(own.hear(rows()));
        }
        lap(3);
        let sums = summing.sum(block, &drawn, &said, &lab.pool);
        lap(4);
        record.add(&sums);
        lap(5);
    }
    let trials = (blocks.max(1) * plan.block as u64) as f64;
    times.map(|seconds| seconds / trials * 1e6)
}
