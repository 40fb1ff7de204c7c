//! The run from its beginning to its end: images, network, training ([`training`]), then one
//! analysis after the other ([`analysing`]).

mod analysing;
mod network;
mod origin;
mod portion;
#[cfg(test)]
mod tests;
mod training;

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use self::analysing::Course;
use super::device::{self, DeviceError, Opened};
use super::fault::{Fault, guarded};
use super::forecast::Forecast;
use super::kept::{self, EMBEDDED, FULL, KeptError};
use super::rounds::{Flow, Rounds};
use super::workers::StartError;
use super::{Options, Until};
use crate::analysis::memory::Memory;
use crate::analysis::{AnalysisError, Lab, Resident};
use crate::data::{self, DataError, Dataset, Origin, Request};
use crate::format::{bytes, thousands};
use crate::host::available_memory;
use crate::link::Command;
use crate::nets::foreign::{ForeignError, Misfit, MixesImages};
use crate::nets::graph::{Graph, GraphError};
use crate::nets::import::ImportError;
use crate::nets::import::onnx::OnnxError;
use crate::nets::launch;
use crate::nets::plan::Plan;
use crate::nets::ports::PortsError;
use crate::nets::train::TrainError;
use crate::nets::{Ports, ScalingError, parameters_of};
use crate::session::config::{Analysis, ClassificationImages, Config, Weights};
use crate::session::form::Form;
use crate::session::run::Phase;
use crate::session::store::{Lock, StoreError};
use crate::session::{Session, State};
use crate::stimulus::Pool;

/// How a session records that there are no images.
const NOISE: &str = "no images";

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("dataset: {0}")]
    Ports(#[from] PortsError),
    #[error(
        "dataset: the images are {found} of {found_classes} classes, and this session began on {began} of {began_classes}; put those back, or start a new session"
    )]
    OtherForm {
        found: String,
        found_classes: usize,
        began: String,
        began_classes: usize,
    },
    #[error(
        "{what}; put back what it began on, or start a new session. Where it is meant, this goes on and records it: noisescope run {name} --accept-inputs"
    )]
    OtherInputs { what: String, name: String },
    #[error("network.weights: {path} cannot be read: {error}")]
    Unreadable { path: String, error: std::io::Error },
    #[error(
        "network.weights: training takes images, and the plan has none (dataset: None); take weights from a file: network.weights=File(\"model.pt\")"
    )]
    NothingToTrainOn,
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Graph(#[from] GraphError),
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error(transparent)]
    Scaling(#[from] ScalingError),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    #[error("network: {0}")]
    Misfit(#[from] Misfit),
    #[error(transparent)]
    MixesImages(#[from] MixesImages),
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

/// Trials of a block of the first classification images of a plan, which launches are tried with.
fn block_of(config: &Config) -> usize {
    let images = config.analyses.iter().find_map(|it| match it {
        Analysis::ClassificationImages(it) => Some(it.block),
        _ => None,
    });
    images.unwrap_or_else(|| ClassificationImages::default().block)
}

/// How a run ended, if it did not fail.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Finished,
    Stopped,
}

/// Fewer pictures than these are read before anybody looks.
const MANY: usize = 1_000;

/// Says how many of how many pictures have been read, and hears whether to go on.
fn tell_reading(rounds: &mut Rounds, done: usize, of: usize) -> ControlFlow<()> {
    if of >= MANY {
        if rounds.run.reading.is_none() {
            rounds.log(format!("reading {} pictures …", thousands(of as u64)));
        }
        rounds.run.reading = Some((done as u64, of as u64));
        rounds.publish_if_due();
    }
    match rounds.listen() {
        Flow::Go(_) | Flow::Again => ControlFlow::Continue(()),
        Flow::Stop => ControlFlow::Break(()),
    }
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
    /// The network of an ONNX file, once it has been read.
    foreign: Option<Graph>,
    /// When the whole plan will be done, once the images are known.
    forecast: Option<Forecast>,
}

impl Conductor {
    /// Takes over the session that the link holds.
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
                // The phase says it on every face; the log of an engine of its own has it here.
                tracing::error!("{message}");
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

    /// The last checkpoint. Where it cannot be written, the engine keeps trying, with the problem
    /// on the screen, until somebody says that what was measured is given up.
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
            opened.choose_launch(&lab, block_of(&config))?;
            for note in &opened.notes {
                self.rounds.log(note.clone());
            }
            self.record_device_anew(&opened);
        }
        if opened.seats[0].kind == device::Kind::Cpu
            && let Err(unplanned) = lab.network.plan()
        {
            self.rounds.log(format!(
                "no plan is made for this network, which is computed as by flex: {unplanned}"
            ));
        }
        // The plan may be extended while it is worked on.
        let mut config = self.rounds.session.config.clone();
        let mut index = 0;
        while index < config.analyses.len() {
            match self.analyse(&config, index, &lab, &mut opened)? {
                Course::Done => index += 1,
                Course::Again => index = 0,
                Course::Stop => return Ok(End::Stopped),
            }
            // What was said after the last block counts too.
            if index == config.analyses.len() && self.rounds.listen() == Flow::Again {
                index = 0;
            }
            config = self.rounds.session.config.clone();
        }
        Ok(End::Finished)
    }

    /// Notes how it computes where that was chosen after it was noted where.
    fn record_device_anew(&mut self, opened: &Opened) {
        self.rounds.session.record.devices.pop();
        self.record_device(opened);
    }

    /// Notes where it computes, and how, where that is new.
    fn record_device(&mut self, opened: &Opened) {
        let devices = &mut self.rounds.session.record.devices;
        if devices.last() != Some(&opened.recorded()) {
            devices.push(opened.recorded());
        }
    }

    /// Foretells the end of the whole plan from the stage under way.
    fn foretell(&mut self, stage: usize) {
        let run = &mut self.rounds.run;
        let forecast = self.forecast.as_ref();
        run.eta_s = forecast.and_then(|it| it.eta_s(&run.stages, stage));
    }

    /// Tells how much memory the plan takes, and refuses what does not fit.
    fn check_memory(
        &mut self,
        config: &Config,
        dataset: &Dataset,
        workers: usize,
        network: &Graph,
    ) -> Result<(), RunError> {
        let images = dataset.train.len() + dataset.test.len();
        // What plans take beside that.
        let plan = match launch::is_by_plan() {
            true => network
                .fast()
                .ok()
                .and_then(|fast| Plan::new(&fast.graph).ok()),
            false => None,
        };
        let (packed, scratch) = plan.map_or((0, 0), |plan| plan.bytes());
        let network = (parameters_of(network), &network.sites()[..]);
        let mut memory = Memory::of(config, &dataset.form(), images, workers, network);
        memory.weights += packed as u64;
        memory.workers += (workers * scratch) as u64;
        let free = available_memory();
        self.rounds.run.memory = memory.total();
        let of = free.map_or_else(String::new, |free| format!(" of {} free", bytes(free)));
        self.rounds
            .log(format!("memory: about {}{of}", bytes(memory.total())));
        memory.check(free.unwrap_or(u64::MAX), config)?;
        Ok(())
    }

    /// Fixes the form of the run's images, or finds that it is still the same. Classes may get their
    /// names from the network.
    fn take_form(&mut self, config: &Config, form: Form) -> Result<Form, RunError> {
        Ports::from(&form).check(config.network.kind)?;
        let form = self.open_network(config, form)?;
        let record = &mut self.rounds.session.record;
        if let Some(began) = &record.form
            && (began.shape(), began.count()) != (form.shape(), form.count())
        {
            return Err(RunError::OtherForm {
                found: form.size_in_words(),
                found_classes: form.count(),
                began: began.size_in_words(),
                began_classes: began.count(),
            });
        }
        record.form = Some(form.clone());
        Ok(form)
    }

    /// Noise alone: no images, but a form.
    fn without_images(&mut self, config: &Config) -> Result<Dataset, RunError> {
        let Weights::File(path) = &config.network.weights else {
            return Err(RunError::NothingToTrainOn);
        };
        let form = match &self.rounds.session.record.form {
            Some(form) => form.clone(),
            None => self.form_of_network(config, path)?,
        };
        let form = self.take_form(config, form)?;
        self.rounds.log(format!(
            "noise alone, {}, {} classes",
            form.size_in_words(),
            form.count()
        ));
        self.rounds.session.record.images = Some(NOISE.to_owned());
        self.rounds.run.images = NOISE.to_owned();
        self.rounds.publish();
        Ok(Dataset::none(form))
    }

    fn images(&mut self, config: &Config) -> Result<Dataset, RunError> {
        let Some(plan) = &config.dataset else {
            return self.without_images(config);
        };
        let plan = kept::images(plan, self.rounds.session.record.images.as_deref());
        let request = Request {
            plan: &plan,
            seed: config.seed,
            data: &self.options.data,
            cache: Some(self.options.store.folder()),
        };
        let rounds = &mut self.rounds;
        let read = data::load(&request, &mut |done, of| tell_reading(rounds, done, of));
        self.rounds.run.reading = None;
        let mut dataset = read?;
        dataset.classes = self.take_form(config, dataset.form())?.classes;
        let images = match &dataset.origin {
            Origin::Embedded => EMBEDDED.to_owned(),
            Origin::Full(_) => FULL.to_owned(),
            Origin::Folder(folder) => folder.display().to_string(),
            Origin::None => NOISE.to_owned(),
        };
        for note in &dataset.notes {
            match note.warning {
                true => self.rounds.warn(note.text.clone()),
                false => self.rounds.note(note.text.clone()),
            }
        }
        self.rounds.log(format!(
            "{}, {images}: {} training and {} test images",
            config.dataset_label(),
            dataset.train.len(),
            dataset.test.len()
        ));
        self.rounds.session.record.images = Some(images.clone());
        self.rounds.run.images = images;
        self.rounds.publish();
        Ok(dataset)
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
