//! Profiling a trial: the time of each step of the noise loop, on one thread.

use std::time::{Duration, Instant};

use super::seat::Seat;
use super::speed::NoiseLoop;
use crate::analysis::Lab;
use crate::analysis::classification_images::{BlockSummer, Readout, ResponseReader};
use crate::ids::BlockIndex;
use crate::nets::train::{TrainError, TrainStep, Trainer};
use crate::session::config::{self, EvidenceMeasure, Noise, Weighting};
use crate::session::record::{GammaTrials, TrainingRecord, TrialKind};
use crate::stimulus::{self, BlockSeed, NoiseSource};

/// Names of the steps that are timed, in order.
pub const STEPS: [&str; 6] = ["noise", "stimuli", "network", "evidence", "sums", "merging"];

/// Index of the network among them.
pub const NETWORK: usize = 2;

/// Most epochs to measure, and first steps not measured.
const EPOCHS: usize = 1000;
const WARM_UP: usize = 3;

/// Images per second when training a built-in kind with this batch size; and if `apart` and trained by plan, the
/// microseconds per image of each part of a step.
///
/// # Errors
/// If training cannot begin or diverges.
pub fn training_speed(
    lab: &Lab,
    seat: &Seat,
    batch: usize,
    apart: bool,
) -> Result<(f64, Vec<(String, f64)>), TrainError> {
    seat.prepare_conductor();
    let images = &lab.dataset.train;
    let plan = config::TrainingConfig {
        epochs: EPOCHS,
        patience: EPOCHS,
        batch,
        ..config::TrainingConfig::default()
    };
    let mut record = TrainingRecord::default();
    let mut trainer = Trainer::new(lab.kind, &plan, 1, images, &seat.device, &mut record)?;
    // The first steps warm up; the end of an epoch is not counted.
    let (mut spent, mut images_done) = (Duration::ZERO, 0);
    for step in 0.. {
        let began = Instant::now();
        match trainer.step(&mut record, &mut || {})? {
            TrainStep::Batch(count) if step >= WARM_UP => {
                (spent, images_done) = (spent + began.elapsed(), images_done + count);
            }
            TrainStep::Batch(_) | TrainStep::Epoch(_) => {}
            TrainStep::Done => break,
        }
        if spent > Duration::from_secs(3) {
            break;
        }
    }
    let rate = images_done as f64 / spent.as_secs_f64();
    let chosen: Vec<usize> = (0..batch.min(images.len())).collect();
    let times = match apart {
        true => trainer.step_times(&chosen),
        false => Vec::new(),
    };
    Ok((rate, times))
}

/// Runs this many blocks and returns the microseconds per trial of each of [`STEPS`]; `evidence` is its computation
/// from the outputs, while its sums are part of `sums`.
pub fn step_times(lab: &Lab, seat: &Seat, plan: NoiseLoop, blocks: u64) -> [f64; STEPS.len()] {
    seat.prepare_thread();
    let source = NoiseSource::new(Noise::Uniform, &lab.dataset.train);
    let kind = TrialKind {
        evidence: plan.evidence,
        ..TrialKind::plain(lab.classes(), lab.form.shape())
    };
    let summing = BlockSummer::new(&kind, &source, &lab.dataset.train);
    let mut record = GammaTrials::new(plan.gamma, 30, &kind);
    let mut hearing: Option<ResponseReader> = None;
    let mut times = [0.0; STEPS.len()];
    // The first block warms up.
    for block in BlockIndex::first(blocks + 1) {
        let mut last = Instant::now();
        let mut lap = |piece: usize| {
            let now = Instant::now();
            if block > BlockIndex(0) {
                times[piece] += (now - last).as_secs_f64();
            }
            last = now;
        };
        let seed = BlockSeed {
            session: 1,
            analysis: 0,
            stream: 0,
            block,
        };
        let first = block.0 * plan.block as u64;
        let mut drawn = stimulus::draw_noise(seed, &source, first, plan.block, &lab.pool);
        lap(0);
        let stimuli = stimulus::blend(&drawn.noise, &source, &drawn.image, plan.gamma, &lab.pool);
        drawn.stimuli = Vec::new();
        lap(1);
        let logits = lab.network.logits(stimuli, &lab.device);
        lap(2);
        let rows = || lab.network.rows(&logits);
        let mut responses = Readout::new(rows(), Weighting::Equal);
        if plan.evidence {
            let hearing = hearing.get_or_insert_with(|| {
                let hearing =
                    ResponseReader::calibrated(EvidenceMeasure::Logit, &kind.listed, rows());
                record.record_evidence(hearing.step(), &kind);
                hearing
            });
            responses.responses = Some(hearing.read(rows()));
        }
        lap(3);
        let sums = summing.sum(block, &drawn, &responses, &lab.pool);
        lap(4);
        record.add(&sums);
        lap(5);
    }
    let trials = (blocks.max(1) * plan.block as u64) as f64;
    times.map(|seconds| seconds / trials * 1e6)
}
