//! The ETA of the whole plan: the rest of the current stage at its own pace, and later stages at the pace of
//! those already done.
//!
//! The work of a stage is counted in trials: forward passes of one stimulus. The factors were
//! measured with the built-in convolutional network on device `cpu`; elsewhere they are about right, and
//! the current stage has its own pace.

use crate::session::config::{Analysis, Config, Split, WeightSource};
use crate::session::record::WITH_EVIDENCE;
use crate::session::run::Stage;

/// Work of training on one image, in trials.
const TRAINING: f64 = 5.0;
/// Work of a trial with spike-triggered sums in every layer, in trials.
const SPIKES: f64 = 6.5;
/// Work of blending and classifying a stimulus without sums over its pixels, in trials.
const CLASSIFYING_WORK: f64 = 1.0;
/// Work of comparing an image with templates, without the network, in trials.
const COMPARING_WORK: f64 = 0.3;

/// The work of each stage of a plan, training first.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Work of each stage, in trials.
    work: Vec<f64>,
    /// The share of each stage that was done before this engine started.
    begun: Vec<f64>,
}

impl Forecast {
    /// The work of a plan with these numbers of images and classes. `stages` is the session's progress at the start.
    pub fn new(
        config: &Config,
        (train, test): (usize, usize),
        classes: usize,
        stages: &[Stage],
    ) -> Self {
        let images = DatasetSize {
            train: train as f64,
            test: test as f64,
            classes: classes as f64,
        };
        let training = match &config.network.weights {
            WeightSource::Train(plan) => plan.epochs as f64 * images.train * TRAINING,
            WeightSource::File(_) => 0.0,
        };
        let others = config.analyses.iter().map(|plan| images.work(plan, config));
        Self {
            work: std::iter::once(training).chain(others).collect(),
            begun: stages.iter().map(share).collect(),
        }
    }

    /// The forecast of the plan after an extension, with its progress then. The analyses begin anew, as when an engine
    /// starts; the network's training goes on.
    pub fn replanned(
        &self,
        config: &Config,
        images: (usize, usize),
        classes: usize,
        stages: &[Stage],
    ) -> Self {
        let mut replanned = Self::new(config, images, classes, stages);
        let training = replanned.begun.first_mut().zip(self.begun.first());
        if let Some((now, at_the_start)) = training {
            *now = *at_the_start;
        }
        replanned
    }

    /// The work of all stages, in trials.
    pub fn trials(&self) -> f64 {
        self.work.iter().sum()
    }

    /// Seconds until the plan is done, in the middle of stage `current`; `None` until a pace is known.
    pub fn eta_s(&self, stages: &[Stage], current: usize) -> Option<f64> {
        let current_stage = stages.get(current)?;
        let work = |index: usize| self.work.get(index).copied().unwrap_or(0.0);
        let (mut seconds, mut done) = (0.0, 0.0);
        for (index, stage) in stages.iter().enumerate().take(current + 1) {
            let begun = self.begun.get(index).copied().unwrap_or(0.0);
            let share = match (index == current, stage.eta_s) {
                (false, _) => (share(stage) - begun).max(0.0),
                (true, Some(left)) => {
                    (1.0 - begun) * stage.seconds / (stage.seconds + left).max(1e-9)
                }
                (true, None) => 0.0,
            };
            if stage.seconds > 0.0 && share > 0.0 {
                seconds += stage.seconds;
                done += share * work(index);
            }
        }
        let open = stages.iter().enumerate().skip(current);
        let left: Vec<f64> = open
            .map(|(index, stage)| match stage.finished {
                true => 0.0,
                false => work(index) * (1.0 - share(stage)),
            })
            .collect();
        let later: f64 = left[1..].iter().sum();
        let pace = (done > 0.0).then(|| seconds / done);
        match (current_stage.eta_s, pace) {
            (Some(eta), _) if later <= 0.0 => Some(eta),
            (Some(eta), pace) => Some(eta + later * pace?),
            // The current stage has no pace of its own yet.
            (None, pace) => Some((left[0] + later) * pace?),
        }
    }
}

/// The share of a stage that is done.
fn share(stage: &Stage) -> f64 {
    match stage.total {
        0 => 0.0,
        total => (stage.done as f64 / total as f64).min(1.0),
    }
}

/// Numbers of images and classes.
struct DatasetSize {
    train: f64,
    test: f64,
    classes: f64,
}

impl DatasetSize {
    /// The work of an analysis, in trials.
    fn work(&self, plan: &Analysis, config: &Config) -> f64 {
        let networks = |networks: usize, epochs: usize| {
            networks as f64 * epochs as f64 * self.train * TRAINING
        };
        match plan {
            Analysis::ClassificationImages(plan) => plan
                .gammas
                .iter()
                .map(|&gamma| plan.trials_at(gamma) as f64)
                .sum(),
            Analysis::Templates(plan) => {
                let gammas = config.analyses.iter().filter_map(|other| match other {
                    Analysis::ClassificationImages(images) => Some(images.gammas.len()),
                    _ => None,
                });
                let gammas = gammas.max().unwrap_or(1) as f64;
                (plan.images as f64).min(self.test) * gammas * COMPARING_WORK
            }
            Analysis::Attack(plan) => {
                let images = (plan.images as f64).min(self.test) + plan.noise_images as f64;
                let patterns = WITH_EVIDENCE.len() * plan.weights.len();
                images * patterns as f64 * self.classes * CLASSIFYING_WORK
            }
            Analysis::SpikeTriggered(plan) => {
                let images = (plan.images as f64).min(self.train);
                let covariance = plan
                    .covariance
                    .as_ref()
                    .map_or(0, |_| plan.covariance_trials);
                (plan.trials as f64 + images + covariance as f64) * SPIKES
            }
            Analysis::Modulation(plan) => {
                let layers = if plan.layers.is_empty() {
                    3
                } else {
                    plan.layers.len()
                };
                let pushes = (layers * plan.strengths().len()) as f64 * self.classes;
                let stimuli =
                    (plan.images as f64).min(self.test) * plan.signal_strengths().len() as f64;
                pushes * stimuli * CLASSIFYING_WORK
            }
            Analysis::Backdoor(plan) => {
                let all = plan.networks();
                let trials = plan.trials as f64 * plan.gammas.len() as f64;
                networks(all, plan.training.epochs) + all as f64 * trials
            }
            Analysis::Audit(plan) => {
                let trained = plan.references + plan.power;
                networks(trained, plan.training.epochs) + (trained + 1) as f64 * plan.trials as f64
            }
            Analysis::Predictions(plan) => {
                let splits = plan.splits.iter().map(|split| match split {
                    Split::Test => self.test,
                    Split::Train => self.train,
                });
                splits.sum::<f64>() * CLASSIFYING_WORK
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Gamma;
    use crate::session::config::{ClassificationImages, Predictions};

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
    fn later_stages_are_forecast_at_the_pace_of_earlier_ones() {
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
    fn a_stage_uses_its_own_pace_once_it_has_one() {
        let mut stages = [stage(5, 5, 10.0, None), stage(1, 10, 1.0, Some(9.0))];
        let forecast = forecast(&[1000.0, 500.0]);
        assert_eq!(forecast.eta_s(&stages, 1), Some(9.0));
        // Until then at the pace of earlier stages: nine tenths of 500 trials at 100 per second.
        stages[1].eta_s = None;
        let eta = forecast.eta_s(&stages, 1);
        assert!((eta.unwrap() - 4.5).abs() < 1e-9, "{eta:?}");
        assert_eq!(forecast.eta_s(&[stage(0, 5, 0.5, None)], 0), None);
    }

    #[test]
    fn training_that_stopped_early_counts_as_less_work() {
        let stages = [
            stage(5, 10, 5.0, None),
            stage(10, 100, 1.0, Some(9.0)),
            stage(0, 0, 0.0, None),
        ];
        let eta = forecast(&[1000.0, 1000.0, 1000.0]).eta_s(&stages, 1);
        assert!((eta.unwrap() - 19.0).abs() < 1e-9, "{eta:?}");
    }

    /// A plan of so many trials of noise, and then of decisions on the test images.
    fn plan(trials: u64) -> Config {
        let images = ClassificationImages {
            gammas: vec![Gamma::NOISE],
            trials,
            ..ClassificationImages::default()
        };
        let predictions = Predictions {
            splits: vec![Split::Test],
            ..Predictions::default()
        };
        Config {
            analyses: vec![
                Analysis::ClassificationImages(images),
                Analysis::Predictions(predictions),
            ],
            ..Config::default()
        }
    }

    #[test]
    fn later_stages_of_an_extended_plan_are_forecast_at_the_pace_since_then() {
        let (trained, open) = (stage(5, 5, 0.0, None), stage(0, 0, 0.0, None));
        let begun = [trained.clone(), stage(0, 1000, 0.0, None), open.clone()];
        let forecast = Forecast::new(&plan(1000), (0, 1000), 10, &begun);
        // After 500 trials there are to be 2,000.
        let extended = [trained.clone(), stage(500, 2000, 0.0, None), open.clone()];
        let forecast = forecast.replanned(&plan(2000), (0, 1000), 10, &extended);
        // A fifth of what was left then, 300 trials, took 3 s; 1,000 test images follow.
        let now = [trained, stage(800, 2000, 3.0, Some(12.0)), open];
        let eta = forecast.eta_s(&now, 1);
        assert!((eta.unwrap() - 22.0).abs() < 1e-9, "{eta:?}");
    }

    #[test]
    fn a_plan_extended_during_training_keeps_the_pace_of_the_training() {
        let (open, sizes) = (stage(0, 0, 0.0, None), (100, 0));
        let begun = [stage(0, 10, 0.0, None), open.clone(), open.clone()];
        let now = [stage(5, 10, 4.0, Some(4.0)), open.clone(), open];
        let extended =
            Forecast::new(&plan(1000), sizes, 10, &begun).replanned(&plan(2000), sizes, 10, &now);
        let planned = Forecast::new(&plan(2000), sizes, 10, &begun);
        assert_eq!(extended, planned);
        assert!(extended.eta_s(&now, 0) > Some(4.0));
    }

    #[test]
    fn a_resumed_run_counts_only_its_own_work() {
        let stages = [stage(90, 100, 4.0, Some(4.0)), stage(0, 0, 0.0, None)];
        let forecast = Forecast {
            work: vec![1000.0, 500.0],
            begun: vec![0.8, 0.0],
        };
        // A tenth of it, 100 trials, took 4 s.
        let eta = forecast.eta_s(&stages, 0);
        assert!((eta.unwrap() - 24.0).abs() < 1e-9, "{eta:?}");
    }
}
