//! When the whole plan will be done: what is left of the stage under way, at its own pace, and what comes
//! after it, at the pace of what has been done.
//!
//! What a stage takes is counted in trials: a network's way with one stimulus, forward. The factors were
//! measured with the built-in convolutional network on device `cpu`; on others they are about right, and
//! a stage that is under way goes by its own pace.

use crate::session::config::{Analysis, Config, Split, Weights};
use crate::session::record::WITH_EVIDENCE;
use crate::session::run::Stage;

/// Trials that training on an image takes as long as.
const TRAINING: f64 = 5.0;
/// The same of a trial whose spike-triggered sums are taken in every layer.
const SPIKES: f64 = 6.5;
/// The same of a stimulus that is blended and asked about, without sums over its pixels.
const ASKED: f64 = 1.0;
/// The same of an image beside templates, without the network.
const COMPARED: f64 = 0.3;

/// What the stages of a plan take, training first.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// In trials.
    work: Vec<f64>,
    /// How much of each had been done before this engine.
    begun: Vec<f64>,
}

impl Forecast {
    /// Of a plan on so many images and classes. `stages` are those of the session as it was found.
    pub fn new(
        config: &Config,
        (train, test): (usize, usize),
        classes: usize,
        stages: &[Stage],
    ) -> Self {
        let images = Images {
            train: train as f64,
            test: test as f64,
            classes: classes as f64,
        };
        let training = match &config.network.weights {
            Weights::Train(plan) => plan.epochs as f64 * images.train * TRAINING,
            Weights::File(_) => 0.0,
        };
        let others = config.analyses.iter().map(|plan| images.work(plan, config));
        Self {
            work: std::iter::once(training).chain(others).collect(),
            begun: stages.iter().map(share).collect(),
        }
    }

    /// What all of it takes, in trials.
    pub fn trials(&self) -> f64 {
        self.work.iter().sum()
    }

    /// Seconds until the plan is done, from the stage under way; `None` until something has a pace.
    pub fn eta_s(&self, stages: &[Stage], at: usize) -> Option<f64> {
        let under_way = stages.get(at)?;
        let work = |place: usize| self.work.get(place).copied().unwrap_or(0.0);
        let (mut seconds, mut done) = (0.0, 0.0);
        for (place, stage) in stages.iter().enumerate().take(at + 1) {
            let begun = self.begun.get(place).copied().unwrap_or(0.0);
            let share = match (place == at, stage.eta_s) {
                (false, _) => (share(stage) - begun).max(0.0),
                (true, Some(left)) => {
                    (1.0 - begun) * stage.seconds / (stage.seconds + left).max(1e-9)
                }
                (true, None) => 0.0,
            };
            if stage.seconds > 0.0 && share > 0.0 {
                seconds += stage.seconds;
                done += share * work(place);
            }
        }
        let open = stages.iter().enumerate().skip(at);
        let left: Vec<f64> = open
            .map(|(place, stage)| match stage.finished {
                true => 0.0,
                false => work(place) * (1.0 - share(stage)),
            })
            .collect();
        let later: f64 = left[1..].iter().sum();
        let pace = (done > 0.0).then(|| seconds / done);
        match (under_way.eta_s, pace) {
            (Some(own), _) if later <= 0.0 => Some(own),
            (Some(own), pace) => Some(own + later * pace?),
            // It has no pace of its own yet.
            (None, pace) => Some((left[0] + later) * pace?),
        }
    }
}

/// How much of a stage is done.
fn share(stage: &Stage) -> f64 {
    match stage.total {
        0 => 0.0,
        total => (stage.done as f64 / total as f64).min(1.0),
    }
}

/// How many images and classes there are.
struct Images {
    train: f64,
    test: f64,
    classes: f64,
}

impl Images {
    /// What an analysis takes, in trials.
    fn work(&self, plan: &Analysis, config: &Config) -> f64 {
        let networks = |networks: usize, epochs: usize| {
            networks as f64 * epochs as f64 * self.train * TRAINING
        };
        match plan {
            Analysis::ClassificationImages(it) => it
                .gammas
                .iter()
                .map(|&gamma| it.trials_at(gamma) as f64)
                .sum(),
            Analysis::Templates(it) => {
                let gammas = config.analyses.iter().filter_map(|plan| match plan {
                    Analysis::ClassificationImages(it) => Some(it.gammas.len()),
                    _ => None,
                });
                let gammas = gammas.max().unwrap_or(1) as f64;
                (it.images as f64).min(self.test) * gammas * COMPARED
            }
            Analysis::Attack(it) => {
                let images = (it.images as f64).min(self.test) + it.noise_images as f64;
                let patterns = WITH_EVIDENCE.len() * it.weights.len();
                images * patterns as f64 * self.classes * ASKED
            }
            Analysis::SpikeTriggered(it) => {
                let images = (it.images as f64).min(self.train);
                let covariance = it.covariance.as_ref().map_or(0, |_| it.covariance_trials);
                (it.trials as f64 + images + covariance as f64) * SPIKES
            }
            Analysis::Modulation(it) => {
                let layers = if it.layers.is_empty() {
                    3
                } else {
                    it.layers.len()
                };
                let pushes = (layers * it.strengths().len()) as f64 * self.classes;
                let stimuli =
                    (it.images as f64).min(self.test) * it.signal_strengths().len() as f64;
                pushes * stimuli * ASKED
            }
            Analysis::Backdoor(it) => {
                let all = it.networks();
                let trials = it.trials as f64 * it.gammas.len() as f64;
                networks(all, it.training.epochs) + all as f64 * trials
            }
            Analysis::Audit(it) => {
                let trained = it.references + it.power;
                networks(trained, it.training.epochs) + (trained + 1) as f64 * it.trials as f64
            }
            Analysis::Predictions(it) => {
                let splits = it.splits.iter().map(|split| match split {
                    Split::Test => self.test,
                    Split::Train => self.train,
                });
                splits.sum::<f64>() * ASKED
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(done: u64, total: u64, seconds: f64, eta_s: Option<f64>) -> Stage {
        Stage {
            done,
            total,
            finished: done == total && total > 0,
            seconds,
            eta_s,
            ..Stage::default()
        }
    }

    fn forecast(work: &[f64]) -> Forecast {
        Forecast {
            work: work.to_vec(),
            begun: vec![0.0; work.len()],
        }
    }

    #[test]
    fn what_comes_later_takes_as_long_as_what_was_done() {
        // 1,000 trials took 10 s; half of the second stage took as long as it should.
        let stages = [
            stage(5, 5, 10.0, None),
            stage(500, 1000, 5.0, Some(5.0)),
            stage(0, 0, 0.0, None),
        ];
        let eta = forecast(&[1000.0, 1000.0, 3000.0]).eta_s(&stages, 1);
        assert!((eta.unwrap() - 35.0).abs() < 1e-9, "{eta:?}");
    }

    #[test]
    fn a_stage_goes_by_its_own_pace_as_soon_as_it_has_one() {
        let mut stages = [stage(5, 5, 10.0, None), stage(1, 10, 1.0, Some(9.0))];
        let of = forecast(&[1000.0, 500.0]);
        assert_eq!(of.eta_s(&stages, 1), Some(9.0));
        // Until then by that of what was done before: nine tenths of 500 trials at 100 a second.
        stages[1].eta_s = None;
        let eta = of.eta_s(&stages, 1);
        assert!((eta.unwrap() - 4.5).abs() < 1e-9, "{eta:?}");
        assert_eq!(of.eta_s(&[stage(0, 5, 0.5, None)], 0), None);
    }

    #[test]
    fn training_that_ended_early_was_less_work() {
        let stages = [
            stage(5, 10, 5.0, None),
            stage(10, 100, 1.0, Some(9.0)),
            stage(0, 0, 0.0, None),
        ];
        let eta = forecast(&[1000.0, 1000.0, 1000.0]).eta_s(&stages, 1);
        assert!((eta.unwrap() - 19.0).abs() < 1e-9, "{eta:?}");
    }

    #[test]
    fn a_resumed_run_counts_only_what_it_did_itself() {
        let stages = [stage(90, 100, 4.0, Some(4.0)), stage(0, 0, 0.0, None)];
        let of = Forecast {
            work: vec![1000.0, 500.0],
            begun: vec![0.8, 0.0],
        };
        // A tenth of it, 100 trials, took 4 s.
        let eta = of.eta_s(&stages, 0);
        assert!((eta.unwrap() - 24.0).abs() < 1e-9, "{eta:?}");
    }
}
