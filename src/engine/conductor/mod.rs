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

use burn::tensor::Device;
use tokio::sync::{mpsc, watch};

use self::analysing::AnalysisEnd;
use self::error::RunError;
use super::active_run::{ActiveRun, NextStep};
use super::device::records::Convolutions;
use super::device::{self, OpenDevices};
use super::fault::{ComputeFault, catch_panic};
use super::forecast::Forecast;
use super::{EngineOptions, Goal};
use crate::analysis::{self, AnalysisError, DeviceData, Lab};
use crate::data::{DataError, Dataset};
use crate::link::EngineCommand;
use crate::nets::Subject;
use crate::nets::graph::Graph;
use crate::session::config::{Analysis, ClassificationImages, Config, WeightSource};
use crate::session::run::Phase;
use crate::session::store::{Lock, StoreError};
use crate::session::{SavedState, Session};
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
enum RunEnd {
    Finished,
    Stopped,
}

/// Runs a computation on the engine's own thread. A device failure there becomes a fault, as in a
/// worker: the results are saved, and the user is told what to do next.
fn on_device<T>(device: &str, compute: impl FnOnce() -> T) -> Result<T, ComputeFault> {
    let compute = || {
        #[cfg(test)]
        tests::fail_if_due();
        compute()
    };
    catch_panic(compute).map_err(|message| ComputeFault::from_panic(device, &message))
}

/// Conducts a run on the engine's thread.
pub struct Conductor {
    active: ActiveRun,
    options: EngineOptions,
    /// The network of an ONNX file, once it has been read.
    foreign: Option<Graph>,
    /// When the whole plan will be done, once the images are known.
    forecast: Option<Forecast>,
}

impl Conductor {
    /// Takes over the session in the link.
    pub fn new(
        publish: watch::Sender<Arc<Session>>,
        commands: mpsc::UnboundedReceiver<EngineCommand>,
        lock: Lock,
        options: EngineOptions,
    ) -> Self {
        let rounds = ActiveRun::new(publish, commands, lock);
        Self {
            active: rounds,
            options,
            foreign: None,
            forecast: None,
        }
    }

    /// Runs the session until it is finished, stopped or failed.
    pub fn conduct(mut self) {
        let phase = match self.run().and_then(|end| self.close(end)) {
            Ok(RunEnd::Finished) => Phase::Finished,
            Ok(RunEnd::Stopped) => Phase::Stopped,
            Err(error) => {
                let mut message = error.to_string();
                // Viewers see it in the phase; this is for the log of a background engine.
                tracing::error!("{message}");
                let failed = SavedState::Failed(message.clone());
                let saved = match error {
                    RunError::Save(_) => Ok(()),
                    // The device is gone in the middle of the work, whose results are kept.
                    RunError::Fault(_) => self.save(&failed),
                    _ if self.has_worked() => self.save(&failed),
                    _ => self.active.checkpoint(failed),
                };
                if let Err(worse) = saved {
                    message = format!(
                        "{}. The run had already failed: {message}",
                        RunError::Save(worse)
                    );
                }
                if self.active.has_lost_lock() {
                    message = format!("{message}. {}", self.active.save_elsewhere());
                    tracing::error!("{message}");
                }
                Phase::Failed(message)
            }
        };
        self.active.run.phase = phase;
        self.active.run.eta_s = None;
        self.active.publish();
    }

    fn close(&mut self, end: RunEnd) -> Result<RunEnd, RunError> {
        let state = match end {
            RunEnd::Finished => SavedState::Finished,
            RunEnd::Stopped => SavedState::Stopped,
        };
        self.save(&state)?;
        Ok(match self.active.session.record.state {
            SavedState::Stopped => RunEnd::Stopped,
            _ => end,
        })
    }

    /// Whether there are results, and this engine was at work on more: some may not have been saved.
    fn has_worked(&self) -> bool {
        self.active.run.phase != Phase::Starting && self.active.session.has_results()
    }

    /// Writes the last checkpoint. If that fails, the engine shows the problem and keeps trying until the user
    /// decides to discard the results.
    fn save(&mut self, state: &SavedState) -> Result<(), StoreError> {
        loop {
            let state = match state {
                // The plan was extended while it waited here: the next engine does what is left.
                SavedState::Finished if self.active.was_extended() => SavedState::Stopped,
                _ => state.clone(),
            };
            match self.active.checkpoint(state) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_lock_lost() => return Err(error),
                Err(error) => {
                    // Nothing more is computed, and viewers that stop it must see that.
                    self.active.run.phase = Phase::Stopping;
                    if !self.active.wait_for_checkpoint() {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn run(&mut self) -> Result<RunEnd, RunError> {
        self.active.record_running();
        let config = self.active.session.config.clone();
        let recorded = self.active.session.record.devices.clone();
        Convolutions::apply(self.options.convolutions, &recorded);
        let mut opened = device::open(
            device::DeviceRequest {
                choice: &self.options.device,
                workers: self.options.workers,
                launch: self.options.launch,
            },
            config.network.kind,
            recorded.last().map(String::as_str),
        )?;
        for note in &opened.notes {
            self.active.log(note.clone());
        }
        for change in opened.changes(&recorded) {
            self.active.warn(change);
        }
        self.active.run.stages = self.active.session.stages();
        opened.seats[0].prepare_conductor();
        self.active.run.device = opened.label();
        self.active.watch_gpus(opened.gpus.clone());
        self.active.publish();
        let dataset = match self.images(&config) {
            Err(RunError::Data(DataError::Stopped)) => return Ok(RunEnd::Stopped),
            read => read?,
        };
        let form = dataset.form();
        self.forecast = Some(Forecast::new(
            &config,
            (dataset.train.len(), dataset.test.len()),
            form.class_count(),
            &self.active.run.stages,
        ));
        let network = self.untrained(&config, &form)?;
        self.check_memory(&config, &dataset, opened.seats.len(), &network)?;
        self.check_inputs(&config, &dataset)?;
        self.record_program();
        self.record_device(&opened);
        self.remark_on_audits(&config);
        let trains = matches!(config.network.weights, WeightSource::Train(_));
        let is_untrained = trains && !self.active.session.is_trained();
        if is_untrained {
            // Before time is spent on training.
            let like_it = Subject::new(network, &Device::flex())?;
            self.check_analyses(&config, &lab_of(like_it, &config, &dataset))?;
        }

        if !self.train(&config, &dataset, &opened)? {
            return Ok(RunEnd::Stopped);
        }
        if self.options.goal == Goal::Trained {
            return Ok(RunEnd::Stopped);
        }
        let lab = lab_of(self.subject(&config, &form, &opened)?, &config, &dataset);
        if !is_untrained {
            // Before time is spent on earlier analyses.
            on_device(&opened.name, || self.check_analyses(&config, &lab))??;
        }
        if opened.launch_unchosen {
            opened.choose_launch(&lab, block_size(&config))?;
            for note in &opened.notes {
                self.active.log(note.clone());
            }
            self.replace_device_record(&opened);
        }
        if opened.seats[0].kind == device::DeviceKind::Cpu
            && let Err(unplanned) = lab.network.plan()
        {
            self.active.log(format!(
                "this network cannot be compiled into a plan and is computed as by flex: {unplanned}"
            ));
        }
        // The plan may be extended while it runs.
        let mut config = self.current_plan(config, &dataset);
        let mut index = 0;
        while index < config.analyses.len() {
            match self.analyse(&config, index, &lab, &mut opened)? {
                AnalysisEnd::Done => index += 1,
                AnalysisEnd::Replan => index = 0,
                AnalysisEnd::Stop => return Ok(RunEnd::Stopped),
            }
            // Commands received after the last block count too.
            if index == config.analyses.len() && self.active.obey_commands() == NextStep::Replan {
                index = 0;
            }
            config = self.current_plan(config, &dataset);
        }
        Ok(RunEnd::Finished)
    }

    /// Replaces the last device record, after its launch size has been chosen.
    fn replace_device_record(&mut self, opened: &OpenDevices) {
        self.active.session.record.devices.pop();
        self.record_device(opened);
    }

    /// Records the device and how it computes, if that has changed.
    fn record_device(&mut self, opened: &OpenDevices) {
        let devices = &mut self.active.session.record.devices;
        if devices.last() != Some(&opened.record_label()) {
            devices.push(opened.record_label());
        }
    }

    /// The plan as it is now. If it was extended since it was `before`, the time left is forecast again.
    fn current_plan(&mut self, before: Config, dataset: &Dataset) -> Config {
        let config = self.active.session.config.clone();
        if config != before {
            let images = (dataset.train.len(), dataset.test.len());
            let classes = dataset.form().class_count();
            let stages = &self.active.run.stages;
            let forecast = self.forecast.as_ref();
            self.forecast =
                forecast.map(|forecast| forecast.replanned(&config, images, classes, stages));
        }
        config
    }

    /// Updates the ETA of the whole plan from the current stage.
    fn update_eta(&mut self, stage: usize) {
        let run = &mut self.active.run;
        let forecast = self.forecast.as_ref();
        run.eta_s = forecast.and_then(|forecast| forecast.eta_s(&run.stages, stage));
    }

    /// Says what is to be expected of audits that are not done, before time is spent on them.
    fn remark_on_audits(&mut self, config: &Config) {
        for (index, analysis) in config.analyses.iter().enumerate() {
            let Analysis::Audit(audit) = analysis else {
                continue;
            };
            if self.active.session.record.is_done(index, analysis) {
                continue;
            }
            if let Some(words) = audit.unlike_references(config.network.kind) {
                self.active.note(format!("audit: {words}"));
            }
            if let Some(words) = audit.undecided_noise() {
                self.active.warn(format!("analyses[{index}]: {words}"));
            }
        }
    }

    /// Refuses analyses that have not begun and could not: what their plan asks for does not exist. If the session has
    /// results, this is only a warning: the plan cannot change any more, and what comes before can still be computed.
    fn check_analyses(&mut self, config: &Config, lab: &Lab) -> Result<(), AnalysisError> {
        let record = &self.active.session.record;
        if record.shard.is_some() {
            // They were checked when the session was trained, and most of them are not a shard's work.
            return Ok(());
        }
        let begun = record.analyses.iter().map(|of| !of.blocks().is_empty());
        let mut open = begun.enumerate().filter(|(_, begun)| !begun);
        match open.try_for_each(|(index, _)| analysis::check(config, index, lab)) {
            Err(error) if self.active.session.has_results() => {
                self.active.warn(format!(
                    "this run will fail once what comes before is done: {error}"
                ));
                Ok(())
            }
            checked => checked,
        }
    }
}

/// What the analyses of a plan work with, around this network.
fn lab_of(network: Subject, config: &Config, dataset: &Dataset) -> Lab {
    Lab {
        kind: config.network.kind,
        device: network.device().clone(),
        network,
        pool: Pool::new(&dataset.train),
        form: Arc::new(dataset.form()),
        dataset: Arc::new(dataset.clone()),
        resident: DeviceData::default(),
    }
}
