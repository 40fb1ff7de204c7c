//! Opening the images of a run, and checking their form and the memory that the plan takes.

use std::ops::ControlFlow;

use super::{Conductor, RunError};
use crate::analysis::memory::{MemoryEstimate, Population};
use crate::data::{self, Dataset, DatasetOrigin, DatasetRequest};
use crate::engine::active_run::{ActiveRun, NextStep};
use crate::engine::originals::{self, EMBEDDED, FULL};
use crate::format::{bytes, thousands};
use crate::host::available_memory;
use crate::nets::graph::Graph;
use crate::nets::launch;
use crate::nets::plan::Plan;
use crate::nets::plan::fit::Fit;
use crate::nets::{Network, NetworkShape, graph_parameter_count};
use crate::session::SavedState;
use crate::session::config::{Config, NetworkKind, WeightSource};
use crate::session::form::Form;

/// A session's record of its images if there are none.
const NO_IMAGES: &str = "no images";

/// Reading fewer pictures than this is too quick to show progress.
const MANY: usize = 1_000;

/// Shows the progress of reading pictures, and stops it if a command says so.
pub(super) fn report_reading(rounds: &mut ActiveRun, done: usize, total: usize) -> ControlFlow<()> {
    if total >= MANY {
        if rounds.run.reading.is_none() {
            rounds.log(format!("reading {} pictures …", thousands(total as u64)));
        }
        rounds.run.reading = Some((done as u64, total as u64));
        rounds.publish_if_due();
    }
    match rounds.obey_commands() {
        NextStep::Continue(_) | NextStep::Replan => {}
        NextStep::Stop => return ControlFlow::Break(()),
    }
    if rounds.checkpoint_is_requested() {
        // A failure is shown in the header, and the next checkpoint tries again.
        let _ = rounds.checkpoint(SavedState::Running);
    }
    ControlFlow::Continue(())
}

/// The bytes of a batch of `images` images while a network is trained on them, as far as they are known.
fn batch_bytes(network: &Graph, images: usize) -> usize {
    match launch::is_by_plan() {
        true => Fit::batch_bytes(network, images),
        false => 0,
    }
}

/// The parameters of a network that an experiment trains, and the bytes of a batch; `None` if it does not fit the images,
/// which the experiment reports.
fn size_of(population: Population<'_>, dataset: &Dataset) -> Option<(usize, usize)> {
    let (kind, ports) = (population.kind, NetworkShape::from(&dataset.form()));
    if kind == NetworkKind::Onnx || ports.check(kind).is_err() {
        return None;
    }
    let weights = Network::new(kind, ports, 0, &burn::tensor::Device::flex()).weights();
    let network = Graph::for_kind(kind, ports, &weights).ok()?;
    let batch = population.training.batch.min(dataset.train.len());
    Some((
        graph_parameter_count(&network),
        batch_bytes(&network, batch),
    ))
}

impl Conductor {
    /// Logs how much memory the plan takes, and refuses a plan that does not fit.
    pub(super) fn check_memory(
        &mut self,
        config: &Config,
        dataset: &Dataset,
        workers: usize,
        network: &Graph,
    ) -> Result<(), RunError> {
        let images = dataset.train.len() + dataset.test.len();
        // Memory of the compiled network.
        let plan = match launch::is_by_plan() {
            true => network
                .fast()
                .ok()
                .and_then(|fast| Plan::new(&fast.graph).ok()),
            false => None,
        };
        let (packed, scratch) = plan.map_or((0, 0), |plan| plan.bytes());
        let size = (graph_parameter_count(network), &network.sites()[..]);
        let mut memory = MemoryEstimate::estimate(config, &dataset.form(), images, workers, size);
        if launch::is_by_plan() {
            memory.include_gradients(config, network, workers);
        }
        let record = self.active.session.record.training.as_ref();
        let is_trained = record.is_some_and(|training| training.finished);
        if let WeightSource::Train(training) = &config.network.weights
            && !is_trained
        {
            let batch = training.batch.min(dataset.train.len());
            memory.include_training(size.0, batch_bytes(network, batch));
        }
        for (index, plan) in config.analyses.iter().enumerate() {
            let population = Population::of(plan, config.network.kind);
            let is_done = self.active.session.record.is_done(index, plan);
            if let Some(population) = population.filter(|_| !is_done)
                && let Some(size) = size_of(population, dataset)
            {
                memory.include_population(index, population.networks, size, workers);
            }
        }
        memory.weights += packed as u64;
        memory.workers += (workers * scratch) as u64;
        let free = available_memory();
        self.active.run.memory = memory.total();
        let of_free = free.map_or_else(String::new, |free| format!(" of {} free", bytes(free)));
        self.active
            .log(format!("memory: about {}{of_free}", bytes(memory.total())));
        memory.check(free.unwrap_or(u64::MAX), config)?;
        Ok(())
    }

    /// Records the form of the run's images, or checks that it is unchanged. Classes may get their names from the
    /// network.
    fn check_form(&mut self, config: &Config, form: Form) -> Result<Form, RunError> {
        NetworkShape::from(&form).check(config.network.kind)?;
        let form = self.open_network(config, form)?;
        let session = &self.active.session;
        let has_begun = session.record.has_begun(config);
        if !has_begun {
            session.config.check_form(&form)?;
        }
        let record = &mut self.active.session.record;
        // Until something has been done, other images may take the place of those that were opened.
        if let Some(began) = record.form.as_ref().filter(|_| has_begun)
            && (began.shape(), began.class_count()) != (form.shape(), form.class_count())
        {
            return Err(RunError::FormChanged {
                found: form.size_in_words(),
                found_classes: form.class_count(),
                began: began.size_in_words(),
                began_classes: began.class_count(),
            });
        }
        record.form = Some(form.clone());
        Ok(form)
    }

    /// A data set without images, for noise alone.
    fn noise_only_dataset(&mut self, config: &Config) -> Result<Dataset, RunError> {
        let WeightSource::File(path) = &config.network.weights else {
            return Err(RunError::NothingToTrainOn);
        };
        let record = &self.active.session.record;
        let form = match &record.form {
            Some(form) if record.has_begun(config) => form.clone(),
            _ => self.form_of_network(config, path)?,
        };
        let form = self.check_form(config, form)?;
        self.active.log(format!(
            "noise only, {}, {} classes",
            form.size_in_words(),
            form.class_count()
        ));
        self.active.session.record.images = Some(NO_IMAGES.to_owned());
        self.active.run.images = NO_IMAGES.to_owned();
        self.active.publish();
        Ok(Dataset::none(form))
    }

    /// Opens the images of the run, and records their form and origin.
    pub(super) fn images(&mut self, config: &Config) -> Result<Dataset, RunError> {
        let Some(plan) = &config.dataset else {
            return self.noise_only_dataset(config);
        };
        let record = &self.active.session.record;
        let began_on = record.images.as_deref();
        let plan = originals::images(plan, began_on.filter(|_| record.has_begun(config)));
        let request = DatasetRequest {
            config: &plan,
            seed: config.seed,
            data: &self.options.data,
            cache: Some(self.options.store.folder()),
        };
        let rounds = &mut self.active;
        let read = data::load(&request, &mut |done, total| {
            report_reading(rounds, done, total)
        });
        self.active.run.reading = None;
        let mut dataset = read?;
        dataset.classes = self.check_form(config, dataset.form())?.classes;
        let images = match &dataset.origin {
            DatasetOrigin::Embedded => EMBEDDED.to_owned(),
            DatasetOrigin::Full(_) => FULL.to_owned(),
            DatasetOrigin::Folder(folder) => folder.display().to_string(),
            DatasetOrigin::None => NO_IMAGES.to_owned(),
        };
        for note in &dataset.notes {
            match note.warning {
                true => self.active.warn(note.text.clone()),
                false => self.active.note(note.text.clone()),
            }
        }
        self.active.log(format!(
            "{}, {images}: {} training and {} test images",
            config.dataset_label(),
            dataset.train.len(),
            dataset.test.len()
        ));
        self.active.session.record.images = Some(images.clone());
        self.active.run.images = images;
        self.active.publish();
        Ok(dataset)
    }
}
