//! The run from its beginning to its end: images, network, training ([`training`]), then one
//! analysis after the other ([`analysing`]).

mod analysing;
#[cfg(test)]
mod tests;
mod training;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::Options;
use super::device::{self, DeviceError, Opened};
use super::rounds::Rounds;
use super::workers::{Fault, StartError, guarded};
use crate::analysis::{AnalysisError, Lab, Resident};
use crate::data::{self, DataError, Dataset, Origin, Request};
use crate::link::Command;
use crate::nets::import::ImportError;
use crate::nets::train::TrainError;
use crate::nets::weights::WeightsError;
use crate::nets::{CLASSES, Network, SIZE};
use crate::session::config::{Config, DatasetSource};
use crate::session::run::Phase;
use crate::session::store::StoreError;
use crate::session::{Session, State};
use crate::stimulus::Pool;

/// How a session records where its images came from.
const EMBEDDED: &str = "embedded subset";
const FULL: &str = "full set";

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("dataset: images of {height}×{width} pixels do not fit network.kind {network}, which takes {}×{}; choose other images", SIZE.0, SIZE.1)]
    Size {
        height: usize,
        width: usize,
        network: &'static str,
    },
    #[error(
        "dataset: class {0} has no training image, so its trials cannot be drawn; choose a set with every class"
    )]
    EmptyClass(usize),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("the results could not be saved: {0}")]
    Save(#[from] StoreError),
}

/// How a run ended, if it did not fail.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Finished,
    Stopped,
}

/// Computes on the engine's own thread. A device that fails there is a fault, as it is at a worker's
/// seat: what is measured is saved, and a person is told the next step.
fn on_device<T>(device: &str, compute: impl FnOnce() -> T) -> Result<T, Fault> {
    let compute = || {
        #[cfg(test)]
        tests::fail_where_wanted();
        compute()
    };
    guarded(compute).map_err(|said| Fault::of(device, &said))
}

/// The engine's one thread of control.
pub struct Conductor {
    rounds: Rounds,
    options: Options,
}

impl Conductor {
    /// Takes over the session that the link holds.
    pub fn new(
        publish: watch::Sender<Arc<Session>>,
        commands: mpsc::UnboundedReceiver<Command>,
        options: Options,
    ) -> Self {
        let rounds = Rounds::new(publish, commands, options.store.clone());
        Self { rounds, options }
    }

    /// Runs the session until it is finished, stopped or failed.
    pub fn conduct(mut self) {
        let phase = match self.run().and_then(|end| self.close(end)) {
            Ok(End::Finished) => Phase::Finished,
            Ok(End::Stopped) => Phase::Stopped,
            Err(error) => {
                let mut message = error.to_string();
                self.rounds.warn(message.clone());
                let failed = State::Failed(message.clone());
                let saved = match error {
                    RunError::Save(_) => Ok(()),
                    // The device is gone in the middle of the work, which is not given up.
                    RunError::Fault(_) => self.save(&failed),
                    _ => self.rounds.checkpoint(failed),
                };
                if let Err(worse) = saved {
                    message = format!(
                        "{}. The run had ended before: {message}",
                        RunError::Save(worse)
                    );
                }
                Phase::Failed(message)
            }
        };
        self.rounds.run.phase = phase;
        self.rounds.run.eta_s = None;
        self.rounds.publish();
    }

    fn close(&mut self, end: End) -> Result<End, RunError> {
        let state = match end {
            End::Finished => State::Finished,
            End::Stopped => State::Stopped,
        };
        self.save(&state)?;
        Ok(end)
    }

    /// The last checkpoint. Where it cannot be written, the engine keeps trying, with the problem
    /// on the screen, until it is told to stop (once more): what is measured is not given up.
    fn save(&mut self, state: &State) -> Result<(), StoreError> {
        loop {
            match self.rounds.checkpoint(state.clone()) {
                Ok(()) => return Ok(()),
                Err(_) if self.rounds.wait_for_checkpoint() => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn run(&mut self) -> Result<End, RunError> {
        self.rounds.session.record.state = State::Running;
        let config = self.rounds.session.config.clone();
        let opened = device::open(
            &self.options.device,
            self.options.workers,
            config.network.kind,
            self.rounds
                .session
                .record
                .devices
                .last()
                .map(String::as_str),
        )?;
        for note in &opened.notes {
            self.rounds.log(note.clone());
        }
        self.rounds.run.stages = self.rounds.session.stages();
        self.rounds.run.device = opened.label();
        self.rounds.watch(opened.gpus.clone());
        self.rounds.publish();
        let dataset = self.images(&config)?;
        let devices = &mut self.rounds.session.record.devices;
        if devices.last() != Some(&opened.recorded()) {
            devices.push(opened.recorded());
        }

        if !self.train(&config, &dataset, &opened)? {
            return Ok(End::Stopped);
        }
        let lab = self.lab(&config, &dataset, &opened)?;
        for index in 0..config.analyses.len() {
            if !self.analyse(&config, index, &lab, &opened)? {
                return Ok(End::Stopped);
            }
        }
        Ok(End::Finished)
    }

    fn images(&mut self, config: &Config) -> Result<Dataset, RunError> {
        // A run that began on one set of images goes on with it, whatever has been fetched since.
        let began_on = self.rounds.session.record.images.as_deref();
        let mut plan = config.dataset.clone().unwrap_or_default();
        plan.source = match (plan.source, began_on) {
            (DatasetSource::Auto, Some(EMBEDDED)) => DatasetSource::Embedded,
            (DatasetSource::Auto, Some(FULL)) => DatasetSource::Full,
            (source, _) => source,
        };
        let request = Request {
            plan: &plan,
            seed: config.seed,
            data: &self.options.data,
            cache: Some(self.options.store.folder()),
        };
        let dataset = data::load(&request, &mut |_, _| {})?;
        let (height, width) = (dataset.train.height, dataset.train.width);
        if (height, width) != SIZE {
            return Err(RunError::Size {
                height,
                width,
                network: config.network.kind.label(),
            });
        }
        if let Some(class) = Pool::new(&dataset.train).empty_class() {
            return Err(RunError::EmptyClass(class));
        }
        let images = match &dataset.origin {
            Origin::Embedded => EMBEDDED.to_owned(),
            Origin::Full(_) => FULL.to_owned(),
            Origin::Folder(folder) => folder.display().to_string(),
        };
        for note in &dataset.notes {
            self.rounds.warn(note.clone());
        }
        self.rounds.log(format!(
            "{}, {images}: {} training and {} test images",
            config.dataset_label(),
            dataset.train.len(),
            dataset.test.len()
        ));
        self.rounds.session.record.form = Some(dataset.form());
        self.rounds.session.record.images = Some(images.clone());
        self.rounds.run.images = images;
        self.rounds.publish();
        Ok(dataset)
    }

    fn lab(&self, config: &Config, dataset: &Dataset, opened: &Opened) -> Result<Lab, RunError> {
        let training = self
            .rounds
            .session
            .record
            .training
            .clone()
            .unwrap_or_default();
        let pool = Pool::new(&dataset.train);
        debug_assert_eq!(pool.classes(), CLASSES);
        let kind = config.network.kind;
        Ok(Lab {
            network: on_device(&opened.name, || {
                Network::with_weights(kind, &training.best, &opened.device)
            })??,
            kind,
            device: opened.device.clone(),
            pool,
            dataset: Arc::new(dataset.clone()),
            resident: Resident::default(),
        })
    }
}
