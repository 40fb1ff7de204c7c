//! A run from beginning to end: images, network, training ([`training`]), then the analyses one
//! after another ([`analysing`]).

mod analysing;
mod error;
mod images;
mod network;
mod origin;
mod portion;
#[cfg(test)]
mod tests;
mod training;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use self::analysing::Course;
use self::error::RunError;
use super::device::{self, Opened};
use super::fault::{Fault, guarded};
use super::forecast::Forecast;
use super::rounds::{Flow, Rounds};
use super::{Options, Until};
use crate::analysis::{Lab, Resident};
use crate::data::{DataError, Dataset};
use crate::link::Command;
use crate::nets::graph::Graph;
use crate::session::config::{Analysis, ClassificationImages, Config};
use crate::session::run::Phase;
use crate::session::store::{Lock, StoreError};
use crate::session::{Session, State};
use crate::stimulus::Pool;

/// Trials per block of a plan's first classification images, used to choose the launch size.
fn block_size(config: &Config) -> usize {
    let block = config.analyses.iter().find_map(|analysis| match analysis {
        Analysis::ClassificationImages(images) => Some(images.block),
        _ => None,
    });
    block.unwrap_or_else(|| ClassificationImages::default().block)
}

/// How a run that did not fail ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Finished,
    Stopped,
}

/// Runs a computation on the engine's own thread. A device failure there becomes a fault, as in a
/// worker: the results are saved, and the user is told what to do next.
fn on_device<T>(device: &str, compute: impl FnOnce() -> T) -> Result<T, Fault> {
    let compute = || {
        #[cfg(test)]
        tests::fail_if_due();
        compute()
    };
    guarded(compute).map_err(|message| Fault::of(device, &message))
}

/// Conducts a run on the engine's thread.
pub struct Conductor {
    rounds: Rounds,
    options: Options,
    /// The network of an ONNX file, once it has been read.
    foreign: Option<Graph>,
    /// When the whole plan will be done, once the images are known.
    forecast: Option<Forecast>,
}

impl Conductor {
    /// Takes over the session in the link.
    pub fn new(
        publish: watch::Sender<Arc<Session>>,
        commands: mpsc::UnboundedReceiver<Command>,
        lock: Lock,
        options: Options,
    ) -> Self {
        let rounds = Rounds::new(publish, commands, lock);
        Self {
            rounds,
            options,
            foreign: None,
            forecast: None,
        }
    }

    /// Runs the session until it is finished, stopped or failed.
    pub fn conduct(mut self) {
        let phase = match self.run().and_then(|end| self.close(end)) {
            Ok(End::Finished) => Phase::Finished,
            Ok(End::Stopped) => Phase::Stopped,
            Err(error) => {
                let mut message = error.to_string();
                // Viewers see it in the phase; this is for the log of a background engine.
                tracing::error!("{message}");
                let failed = State::Failed(message.clone());
                let saved = match error {
                    RunError::Save(_) => Ok(()),
                    // The device is gone in the middle of the work, whose results are kept.
                    RunError::Fault(_) => self.save(&failed),
                    _ => self.rounds.checkpoint(failed),
                };
                if let Err(worse) = saved {
                    message = format!(
                        "{}. The run had already failed: {message}",
                        RunError::Save(worse)
                    );
                }
                if self.rounds.is_ousted() {
                    message = format!("{message}. {}", self.rounds.rescue());
                    tracing::error!("{message}");
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

    /// Writes the last checkpoint. If that fails, the engine shows the problem and keeps trying until the user
    /// decides to discard the results.
    fn save(&mut self, state: &State) -> Result<(), StoreError> {
        loop {
            match self.rounds.checkpoint(state.clone()) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_ousted() => return Err(error),
                Err(_) if self.rounds.wait_for_checkpoint() => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn run(&mut self) -> Result<End, RunError> {
        self.rounds.session.record.state = State::Running;
        let config = self.rounds.session.config.clone();
        let mut opened = device::open(
            device::Wanted {
                choice: &self.options.device,
                workers: self.options.workers,
                launch: self.options.launch,
            },
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
        opened.seats[0].prepare_conductor();
        self.rounds.run.device = opened.label();
        self.rounds.watch(opened.gpus.clone());
        self.rounds.publish();
        let dataset = match self.images(&config) {
            Err(RunError::Data(DataError::Stopped)) => return Ok(End::Stopped),
            read => read?,
        };
        let form = dataset.form();
        self.forecast = Some(Forecast::new(
            &config,
            (dataset.train.len(), dataset.test.len()),
            form.count(),
            &self.rounds.run.stages,
        ));
        let network = self.untrained(&config, &form)?;
        self.check_memory(&config, &dataset, opened.seats.len(), &network)?;
        self.take_inputs(&config, &dataset)?;
        self.note_program();
        self.record_device(&opened);

        if !self.train(&config, &dataset, &opened)? {
            return Ok(End::Stopped);
        }
        if self.options.until == Until::Trained {
            return Ok(End::Stopped);
        }
        let lab = self.lab(&config, &dataset, &opened)?;
        if opened.untried {
            opened.choose_launch(&lab, block_size(&config))?;
            for note in &opened.notes {
                self.rounds.log(note.clone());
            }
            self.replace_device_record(&opened);
        }
        if opened.seats[0].kind == device::Kind::Cpu
            && let Err(unplanned) = lab.network.plan()
        {
            self.rounds.log(format!(
                "this network cannot be compiled into a plan and is computed as by flex: {unplanned}"
            ));
        }
        // The plan may be extended while it runs.
        let mut config = self.rounds.session.config.clone();
        let mut index = 0;
        while index < config.analyses.len() {
            match self.analyse(&config, index, &lab, &mut opened)? {
                Course::Done => index += 1,
                Course::Again => index = 0,
                Course::Stop => return Ok(End::Stopped),
            }
            // Commands received after the last block count too.
            if index == config.analyses.len() && self.rounds.listen() == Flow::Again {
                index = 0;
            }
            config = self.rounds.session.config.clone();
        }
        Ok(End::Finished)
    }

    /// Replaces the last device record, after its launch size has been chosen.
    fn replace_device_record(&mut self, opened: &Opened) {
        self.rounds.session.record.devices.pop();
        self.record_device(opened);
    }

    /// Records the device and how it computes, if that has changed.
    fn record_device(&mut self, opened: &Opened) {
        let devices = &mut self.rounds.session.record.devices;
        if devices.last() != Some(&opened.recorded()) {
            devices.push(opened.recorded());
        }
    }

    /// Updates the ETA of the whole plan from the current stage.
    fn update_eta(&mut self, stage: usize) {
        let run = &mut self.rounds.run;
        let forecast = self.forecast.as_ref();
        run.eta_s = forecast.and_then(|forecast| forecast.eta_s(&run.stages, stage));
    }

    fn lab(&self, config: &Config, dataset: &Dataset, opened: &Opened) -> Result<Lab, RunError> {
        let form = dataset.form();
        Ok(Lab {
            network: self.subject(config, &form, opened)?,
            kind: config.network.kind,
            device: opened.device.clone(),
            pool: Pool::new(&dataset.train),
            form: Arc::new(form),
            dataset: Arc::new(dataset.clone()),
            resident: Resident::default(),
        })
    }
}
