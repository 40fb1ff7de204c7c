//! A synthetic session with every experiment, computed in closed form.

use noisescope::session::config::{self, Analysis as Plan, Config, Noise};
use noisescope::session::record::{
    self, Analysis, Attack, AttackExample, ExperimentRecord, GammaTemplates, Outcomes, Predictions,
    Templates,
};
use noisescope::session::{Array, Session};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::synthetic::{self, CLASSES, SIDE, template};
use super::*;

/// Number of attacked images of each class.
pub const EACH: i64 = 100;

/// A plan with every experiment.
fn plan() -> Config {
    let images = |noise, gammas: Vec<Gamma>| {
        Plan::ClassificationImages(config::ClassificationImages {
            noise,
            gammas,
            trials: 400_000,
            ..Default::default()
        })
    };
    let splits = vec![config::Split::Test, config::Split::Train];
    Config {
        analyses: vec![
            images(Noise::Uniform, [0.0, 0.1, 0.2, 0.3].map(Gamma).to_vec()),
            images(Noise::Binary, vec![Gamma::NOISE, Gamma(0.3)]),
            Plan::Templates(config::Templates::default()),
            Plan::Attack(config::Attack {
                images: 10 * EACH as usize,
                noise_images: 10 * EACH as usize,
                ..Default::default()
            }),
            Plan::Predictions(config::Predictions {
                splits,
                ..Default::default()
            }),
            Plan::SpikeTriggered(config::SpikeTriggered::default()),
            Plan::Modulation(config::Modulation::default()),
            Plan::Backdoor(config::Backdoor::default()),
        ],
        ..Config::default()
    }
}

/// The record of one experiment.
pub fn record_of<T: ExperimentRecord>(session: &mut Session) -> &mut T {
    let mut all = session.record.analyses.iter_mut();
    all.find_map(T::from_analysis_mut)
        .expect("the plan has this experiment")
}

/// A session whose classification images, templates, attack and predictions are done; the rest has not
/// begun.
pub fn measured() -> Session {
    let mut session = Session::new("mnist-paper", plan());
    synthetic::begin(&mut session);
    session.record.training = Some(synthetic::training(15, 0, true));
    session.run = Some(synthetic::run(Phase::Working(6)));
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for analysis in &mut session.record.analyses {
        if let Analysis::ClassificationImages(images) = analysis {
            for trials in &mut images.gammas {
                synthetic::fill(trials, 400_000, &mut rng);
                trials.reached = true;
            }
        }
    }
    *record_of::<Templates>(&mut session) = templates();
    *record_of::<Attack>(&mut session) = attack();
    predict(record_of::<Predictions>(&mut session));
    synthetic::with_stages(session)
}

/// The same session with all experiments done, the rest taken from [`everything`].
pub fn finished() -> Session {
    let mut session = measured();
    let rest = everything::session();
    let kinds = rest.config.analyses.iter().zip(&rest.record.analyses);
    for (plan, record) in kinds {
        let same = |other: &Plan| other.variant() == plan.variant();
        let indices: Vec<usize> = (5..8)
            .filter(|index| same(&session.config.analyses[*index]))
            .collect();
        for index in indices {
            session.config.analyses[index] = plan.clone();
            session.record.analyses[index] = record.clone();
        }
    }
    let mut run = synthetic::run(Phase::Finished);
    run.eta_s = None;
    session.run = Some(run);
    session.record.state = session::SavedState::Finished;
    synthetic::with_stages(session)
}

/// The same session with the attack under way: only its first `parts` parts are done.
pub fn attacking(parts: usize) -> Session {
    let mut session = measured();
    let attack = record_of::<Attack>(&mut session);
    let each = attack.counts.values().len() / attack.progress.blocks.len();
    attack.counts.values_mut()[parts * each..].fill(0);
    attack.progress.blocks[parts..].fill(0);
    attack.progress.done = attack.progress.total * parts as u64 / 60;
    session.run = Some(synthetic::run(Phase::Working(4)));
    synthetic::with_stages(session)
}

fn progress(parts: usize, total: u64) -> record::BlockProgress {
    record::BlockProgress {
        blocks: vec![1; parts],
        done: total,
        total,
    }
}

fn templates() -> Templates {
    let at_gamma = |(gamma, right): (Gamma, u64)| GammaTemplates {
        response: noisescope::session::config::Response::Decision,
        gamma,
        classes: ClassId::all(CLASSES).collect(),
        images: 10_000,
        correct: [right, right, right - 110, right - 100],
    };
    let gammas = [(Gamma::NOISE, 2_780), (Gamma(0.3), 3_420)];
    Templates {
        progress: progress(2, 20_000),
        gammas: gammas.into_iter().map(at_gamma).collect(),
    }
}

/// The share of images that a pattern of weight `w` turns into the target.
fn share(pattern: usize, target: ClassId, w: f64) -> f64 {
    let middle = match pattern {
        0 => 0.6 + 0.012 * target.0 as f64,
        1 => 0.48,
        _ => return 0.01 * w,
    };
    1.0 / (1.0 + ((middle - w) / 0.06).exp())
}

/// A finished attack; class 1 has no classification image.
pub fn attack() -> Attack {
    let weights = config::Attack::default().weights;
    let mut patterns = Vec::new();
    for pattern in 0..3 {
        for target in ClassId::all(CLASSES) {
            let pixels = template(target).into_iter().enumerate();
            patterns.extend(pixels.map(|(pixel, v)| match pattern {
                0 => 0.5 + 0.5 * v.clamp(-1.0, 1.0),
                1 => v.clamp(0.0, 1.0),
                _ => ((pixel * 7919 + target.0 * 104_729) % 1000) as f32 / 1000.0,
            }));
        }
    }
    let present: Vec<bool> = (0..3 * CLASSES).map(|index| index != 1).collect();
    let mut counts = Vec::new();
    for source in 0..2 {
        for pattern in 0..3 {
            for target in ClassId::all(CLASSES) {
                for &w in &weights {
                    let mut outcomes = Outcomes::default();
                    for truth in ClassId::all(CLASSES) {
                        let mut row = vec![0_i64; CLASSES];
                        let shown = match (source, truth.0) {
                            (0, _) => EACH,
                            (_, 0) => CLASSES as i64 * EACH,
                            _ => 0,
                        };
                        let present = present[pattern * CLASSES + target.0];
                        let hits = (shown as f64 * share(pattern, target, w)).round() as i64;
                        // A twentieth of the rest is called the next class.
                        let lost = (shown - hits) / 20;
                        row[target] += hits;
                        row[(truth.0 + 1) % CLASSES] += lost;
                        row[truth] += shown - hits - lost;
                        let known = (source == 0).then_some(truth);
                        for (called, n) in ClassId::all(CLASSES).zip(row).filter(|_| present) {
                            outcomes.count(known, called, target, n);
                        }
                    }
                    counts.extend(outcomes.numbers());
                }
            }
        }
    }
    let example = |target: ClassId| {
        let truth = ClassId((target.0 + 3) % CLASSES);
        let image = template(truth).into_iter();
        let confidence = |pattern, &w: &f64| match (present[pattern * CLASSES + target.0], w) {
            (true, w) => share(pattern, target, w),
            (false, _) => share(2, target, 0.0),
        };
        let confidences =
            (0..3).flat_map(|pattern| weights.iter().map(move |w| confidence(pattern, w)));
        let confidences: Vec<f64> = confidences.collect();
        let called = |&confidence: &f64| match confidence {
            ..0.25 => truth,
            0.25..0.5 => ClassId(8),
            _ => target,
        };
        AttackExample {
            target,
            truth,
            image: Array::new(
                &[1, SIDE, SIDE],
                image.map(|v| (255.0 * v.clamp(0.0, 1.0)) as u8).collect(),
            ),
            called: confidences.iter().map(called).collect(),
            confidence: confidences,
        }
    };
    let shape = [2, 3, CLASSES, weights.len(), 4];
    Attack {
        progress: progress(60, 660_000),
        gamma: Some(Gamma(0.3)),
        patterns: Array::new(&[3, CLASSES, 1, SIDE, SIDE], patterns),
        measured: present.clone(),
        counts: Array::new(&shape, counts),
        examples: ClassId::all(CLASSES).map(example).collect(),
        weights: weights.clone(),
        ..Attack::default()
    }
}

/// Fills in the predictions of a network that confuses some classes.
fn predict(predictions: &mut Predictions) {
    for (times, split) in [1, 6].into_iter().zip(&mut predictions.splits) {
        let mut images = vec![0_i64; CLASSES * SIDE * SIDE];
        for truth in ClassId::all(CLASSES) {
            let shape = template(truth);
            for called in ClassId::all(CLASSES) {
                let count = match (truth.0 * 7 + called.0 * 5) % 11 {
                    _ if truth == called => 950 + 17 * truth.0 as u64,
                    rest @ 0..5 => 2 * rest as u64,
                    _ => 0,
                } * times;
                split.counts[truth.0 * CLASSES + called.0] = count;
                let sums = &mut images[called.0 * SIDE * SIDE..][..SIDE * SIDE];
                for (sum, v) in sums.iter_mut().zip(&shape) {
                    *sum += count as i64 * (255.0 * v.clamp(0.0, 1.0)) as i64;
                }
            }
        }
        split.images = Array::new(&[CLASSES, 1, SIDE, SIDE], images);
    }
    let total = predictions.splits.iter().map(|split| split.total()).sum();
    predictions.progress = progress(2, total);
}
