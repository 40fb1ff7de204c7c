//! Training the network or loading its weights from a file, and testing it.

use std::ops::ControlFlow;
use std::path::Path;

use super::{Conductor, RunError, on_device};
use crate::data::{Dataset, Images};
use crate::engine::active_run::{ActiveRun, NextStep};
use crate::engine::device::OpenDevices;
use crate::engine::pace::Pace;
use crate::nets::NetworkShape;
use crate::nets::import;
use crate::nets::launch;
use crate::nets::score::evaluate_until;
use crate::nets::subject::PROBABILITIES_NOTE;
use crate::nets::train::{TrainStep, Trainer, finish};
use crate::nets::weights::parameters;
use crate::session::SavedState;
use crate::session::config::{Config, InputRange, NetworkKind, WeightSource};
use crate::session::record::{Epoch, TrainingRecord};
use crate::session::run::Phase;
use crate::stats::interval::wilson;

impl Conductor {
    /// Trains the network, or resumes its training. `false` if a command said to stop.
    pub(super) fn train(
        &mut self,
        config: &Config,
        dataset: &Dataset,
        opened: &OpenDevices,
    ) -> Result<bool, RunError> {
        let mut record = self
            .active
            .session
            .record
            .training
            .take()
            .unwrap_or_default();
        if record.finished {
            self.active.run.parameters = record.parameters;
            if record.at_chance {
                self.active.warn(format!(
                    "THE NETWORK IS NO BETTER THAN CHANCE on the test images{}: the maps of this session show the bias of \
                     a network that has not learned these images",
                    match record.test_accuracy {
                        Some(share) => format!(" ({:.1} % correct)", 100.0 * share),
                        None => String::new(),
                    }
                ));
            }
            self.active.session.record.training = Some(record);
            return Ok(true);
        }
        self.active.run.phase = Phase::Working(0);
        let plan = match &config.network.weights {
            WeightSource::Train(plan) => plan,
            WeightSource::File(path) => {
                match &self.foreign {
                    Some(graph) => self.take_graph(graph.clone()),
                    None => self.import(config, dataset, path)?,
                }
                let tested = self.test_network(config, dataset, opened);
                if !matches!(tested, Ok(true)) {
                    // Nothing has been computed from it yet, so it is loaded again.
                    self.active.session.record.training = None;
                    return tested;
                }
                self.end_training();
                return Ok(true);
            }
        };
        let before = record.clone();
        let trainer = on_device(&opened.name, || {
            Trainer::new(
                config.network.kind,
                plan,
                config.seed,
                &dataset.train,
                &opened.device,
                &mut record,
            )
        });
        // On failure, the record stays unchanged.
        let ready = matches!(trainer, Ok(Ok(_)));
        let mut kept = if ready { record } else { before };
        self.active.run.parameters = kept.parameters;
        self.active.session.record.training = Some(kept.clone());
        let mut trainer = trainer??;
        self.active.publish();
        let mut pace = Pace::new();
        let images = plan.epochs as u64 * (trainer.batches() * plan.batch) as u64;
        let mut worked = false;
        loop {
            let rounds = &mut self.active;
            // Taken out while it is updated; a copy is published during a long validation.
            let mut record = rounds.session.record.training.take().unwrap_or_default();
            let shown = record.clone();
            let step = on_device(&opened.name, || {
                trainer.step(&mut record, &mut || {
                    rounds.session.record.training = Some(shown.clone());
                    rounds.publish_if_due();
                })
            });
            // The record and the weights must match.
            let step = match step {
                Ok(Ok(step)) => {
                    rounds.session.record.training = Some(record);
                    step
                }
                Ok(Err(error)) => {
                    rounds.session.record.training = Some(record);
                    self.save_weights(&trainer)?;
                    return Err(error.into());
                }
                Err(fault) => {
                    // The current weights are lost with the device; the last saved ones are not.
                    rounds.session.record.training = Some(kept);
                    return Err(fault.into());
                }
            };
            match step {
                TrainStep::Batch(images) => pace.count(images as u64),
                TrainStep::Epoch(epoch) => self.epoch_is_over(epoch),
                TrainStep::Done => break,
            }
            worked = true;
            self.report_training(&pace, images, plan.batch);
            match self.active.obey_commands() {
                NextStep::Continue(pause) => pace.pause(pause),
                // The analyses have changed, and are looked at after the training.
                NextStep::Replan => {}
                NextStep::Stop => {
                    self.save_weights(&trainer)?;
                    return Ok(false);
                }
            }
            if self.active.checkpoint_is_due() {
                kept = self.save_weights(&trainer)?;
                // A failure is shown in the header, and the next checkpoint tries again.
                let _ = self.active.checkpoint(SavedState::Running);
            }
        }
        if worked {
            // The run may be stopped during the test.
            self.save_weights(&trainer)?;
        }
        if !self.test_network(config, dataset, opened)? {
            return Ok(false);
        }
        self.end_training();
        Ok(true)
    }

    /// Loads the weights from a file. The session keeps them, so it needs the file only once.
    fn import(&mut self, config: &Config, dataset: &Dataset, path: &Path) -> Result<(), RunError> {
        let ports = NetworkShape::from(&dataset.form());
        let network = &config.network;
        let imported = import::read(path, network.kind, ports, &network.input)?;
        let best = imported.weights;
        let parameters = parameters(&best);
        self.active.run.parameters = parameters;
        self.active.session.record.training = Some(TrainingRecord {
            parameters,
            best,
            ..TrainingRecord::default()
        });
        self.active
            .log(format!("weights loaded from {}", path.display()));
        for note in imported.notes {
            self.active.note(format!("network: {note}"));
        }
        Ok(())
    }

    fn end_training(&mut self) {
        let stage = &mut self.active.run.stages[0];
        stage.done = stage.done.max(1);
        stage.finished = true;
        stage.eta_s = None;
        // A failure is shown in the header, and the next checkpoint tries again.
        let _ = self.active.checkpoint(SavedState::Running);
    }

    /// Saves the weights in the record, and returns a copy of it.
    fn save_weights(&mut self, trainer: &Trainer) -> Result<TrainingRecord, RunError> {
        let record = self.active.session.record.training.get_or_insert_default();
        trainer.save(record)?;
        Ok(record.clone())
    }

    fn epoch_is_over(&mut self, epoch: Epoch) {
        self.active.log(format!(
            "epoch {}  loss {:.3}  validation {:.3}, {:.2} % correct",
            epoch.epoch,
            epoch.train_loss,
            epoch.valid_loss,
            100.0 * epoch.valid_accuracy
        ));
        self.active.publish();
    }

    fn report_training(&mut self, pace: &Pace, images: u64, batch: usize) {
        let record = self.active.session.record.training.as_ref();
        let Some(TrainingRecord {
            epochs, partial, ..
        }) = record
        else {
            return;
        };
        let batches = epochs.len().saturating_mul(partial.of);
        let batches = batches.saturating_add(partial.batches);
        let done = (batches as u64).saturating_mul(batch as u64);
        let stage = &mut self.active.run.stages[0];
        stage.done = epochs.len() as u64;
        stage.per_second = pace.per_second();
        stage.eta_s = pace.eta_s(images.saturating_sub(done));
        stage.seconds = pace.worked().as_secs_f64();
        let rate = stage.per_second;
        self.update_eta(0);
        self.active.note_rate(rate);
        self.active.publish_if_due();
    }

    /// Tests the best weights on the test images. `false` if a command said to stop.
    fn test_network(
        &mut self,
        config: &Config,
        dataset: &Dataset,
        opened: &OpenDevices,
    ) -> Result<bool, RunError> {
        let all: Vec<usize> = (0..dataset.test.len()).collect();
        let network = self.subject(config, &dataset.form(), opened)?;
        if let (Some(_), Some(seat)) = (&self.foreign, opened.seats.first()) {
            // A deep network needs much memory per image; its weights are not trained here, so
            // nothing else depends on how many images go through together.
            launch::set_max_rows(seat.max_images);
        }
        if self.foreign.is_some() {
            on_device(&opened.name, || network.check_outputs())??;
            if on_device(&opened.name, || network.gives_probabilities())? {
                self.active.note(format!("network: {PROBABILITIES_NOTE}"));
            }
        }
        let rounds = &mut self.active;
        let score = on_device(&opened.name, || {
            // A deep network takes long.
            let obey = &mut || {
                rounds.publish_if_due();
                match rounds.obey_commands() {
                    // What was added to the plan is looked at after the test.
                    NextStep::Continue(_) | NextStep::Replan => {}
                    NextStep::Stop => return ControlFlow::Break(()),
                }
                if rounds.checkpoint_is_due() {
                    checkpoint_untested(rounds, config);
                }
                ControlFlow::Continue(())
            };
            evaluate_until(&network, &dataset.test, &all, obey)
        })?;
        let Some(score) = score else {
            return Ok(false);
        };
        let record = rounds.session.record.training.get_or_insert_default();
        finish(record, score);
        if all.is_empty() {
            record.test_accuracy = None;
        }
        let source = match record.best_epoch {
            Some(epoch) => format!("training is finished, with the weights of epoch {epoch}"),
            None => "the network is loaded".into(),
        };
        if all.is_empty() {
            rounds.log(format!("{source}; there are no images to test it on"));
            return Ok(true);
        }
        rounds.log(format!(
            "{source}: {:.2} % of {} test images correct",
            100.0 * score.accuracy,
            all.len(),
        ));
        let causes = usual_causes(config);
        let chance = no_better_than_chance(score.accuracy, &dataset.test, causes);
        let record = rounds.session.record.training.get_or_insert_default();
        record.at_chance = chance.is_some();
        if let Some(words) = chance {
            rounds.warn(words);
        }
        Ok(true)
    }
}

/// Writes a checkpoint during the test of a network. One from a file is left out: nothing has been computed from it yet,
/// so it is loaded again.
fn checkpoint_untested(active: &mut ActiveRun, config: &Config) {
    let loaded = match &config.network.weights {
        WeightSource::File(_) => active.session.record.training.take(),
        WeightSource::Train(_) => None,
    };
    // A failure is shown in the header, and the next checkpoint tries again.
    let _ = active.checkpoint(SavedState::Running);
    if loaded.is_some() {
        active.session.record.training = loaded;
        active.publish();
    }
}

/// Why a network may fail on the test images.
fn usual_causes(config: &Config) -> &'static str {
    let input = &config.network.input;
    if input.range != InputRange::Byte && input.mean.iter().any(|mean| *mean > 1.0) {
        return "the mean in network.input is beyond white, as if levels were from 0 to 255: for those add range: Byte to it";
    }
    match (&config.network.weights, config.network.kind) {
        (WeightSource::Train(_), _) => {
            "the images are inverted (dark on light instead of light on dark); their size, padding or scale differs \
             from that of the training images; rows and columns are swapped (dataset.transpose) or the labels are \
             shifted. A network trained here may need more epochs"
        }
        (WeightSource::File(_), NetworkKind::Onnx) => {
            "it was trained on other data; its classes are in another order; it expects images on another scale \
             (network.input), inverted, or with rows and columns swapped (dataset.transpose). `noisescope inspect FILE \
             --data IMAGES` tries these"
        }
        (WeightSource::File(_), _) => {
            "it was trained on other data; its classes are in another order; it expects images on another scale \
             (network.input), inverted, or with rows and columns swapped (dataset.transpose); or its non-linearity or \
             pooling, which a weights file does not contain, differs from that of this kind (then export it as ONNX, \
             which does contain them). `noisescope inspect FILE --data IMAGES` tries the other orders, scales and forms"
        }
    }
}

/// A warning about a network that is not significantly more accurate on these test images than always naming
/// the largest class, with the usual causes.
fn no_better_than_chance(accuracy: f64, test: &Images, causes: &str) -> Option<String> {
    let images = test.len() as u64;
    let right = (accuracy * images as f64).round() as u64;
    let largest = test.class_counts().into_iter().max().unwrap_or(0) as f64 / images as f64;
    let share = wilson(right, images)?;
    (share.low <= largest).then(|| {
        format!(
            "THE NETWORK IS NO BETTER THAN CHANCE on the {images} test images: {:.1} % correct ({:.1} to {:.1} %), and \
             always choosing the most frequent class gives {:.1} %. The maps will show the bias of a network that has not \
             learned these images. The usual causes: {causes}",
            100.0 * share.estimate,
            100.0 * share.low,
            100.0 * share.high,
            100.0 * largest,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_classes(labels: Vec<u16>) -> Images {
        Images {
            pixels: vec![0; labels.len()].into(),
            labels: labels.into(),
            channels: 1,
            height: 1,
            width: 1,
            classes: 2,
        }
    }

    #[test]
    fn a_mean_of_bytes_without_their_range_is_the_cause() {
        let mut config = Config::default();
        for (mean, range, named) in [
            (123.7, InputRange::Unit, true),
            (123.7, InputRange::Byte, false),
            (0.485, InputRange::Unit, false),
        ] {
            config.network.input.mean = vec![mean];
            config.network.input.range = range;
            let causes = usual_causes(&config);
            assert_eq!(causes.contains("range: Byte"), named, "{mean}: {causes}");
        }
    }

    #[test]
    fn chance_is_the_share_of_the_largest_class() {
        // 80 of 100 are of one class: 85 % is not significantly better, 90 % is, 50 % is worse.
        let uneven = of_classes((0..100).map(|index| u16::from(index >= 80)).collect());
        for (accuracy, warned) in [(0.5, true), (0.85, true), (0.9, false), (1.0, false)] {
            let words = no_better_than_chance(accuracy, &uneven, "such");
            assert_eq!(words.is_some(), warned, "{accuracy}: {words:?}");
        }
        let even = of_classes((0..100).map(|index| index % 2).collect());
        assert!(no_better_than_chance(0.7, &even, "such").is_none());
        assert!(no_better_than_chance(0.5, &of_classes(Vec::new()), "such").is_none());
    }
}
