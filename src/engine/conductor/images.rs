//! Opening the images of a run, and checking their form and the memory that the plan takes.

use std::ops::ControlFlow;

use super::{Conductor, RunError};
use crate::analysis::memory::Memory;
use crate::data::{self, Dataset, Origin, Request};
use crate::engine::kept::{self, EMBEDDED, FULL};
use crate::engine::rounds::{Flow, Rounds};
use crate::format::{bytes, thousands};
use crate::host::available_memory;
use crate::nets::graph::Graph;
use crate::nets::launch;
use crate::nets::plan::Plan;
use crate::nets::{Ports, parameters_of};
use crate::session::config::{Config, Weights};
use crate::session::form::Form;

/// A session's record of its images if there are none.
const NO_IMAGES: &str = "no images";

/// Reading fewer pictures than this is too quick to show progress.
const MANY: usize = 1_000;

/// Shows the progress of reading pictures, and stops it if a command says so.
fn report_reading(rounds: &mut Rounds, done: usize, total: usize) -> ControlFlow<()> {
    if total >= MANY {
        if rounds.run.reading.is_none() {
            rounds.log(format!("reading {} pictures …", thousands(total as u64)));
        }
        rounds.run.reading = Some((done as u64, total as u64));
        rounds.publish_if_due();
    }
    match rounds.listen() {
        Flow::Go(_) | Flow::Again => ControlFlow::Continue(()),
        Flow::Stop => ControlFlow::Break(()),
    }
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
        let network = (parameters_of(network), &network.sites()[..]);
        let mut memory = Memory::of(config, &dataset.form(), images, workers, network);
        memory.weights += packed as u64;
        memory.workers += (workers * scratch) as u64;
        let free = available_memory();
        self.rounds.run.memory = memory.total();
        let of_free = free.map_or_else(String::new, |free| format!(" of {} free", bytes(free)));
        self.rounds
            .log(format!("memory: about {}{of_free}", bytes(memory.total())));
        memory.check(free.unwrap_or(u64::MAX), config)?;
        Ok(())
    }

    /// Records the form of the run's images, or checks that it is unchanged. Classes may get their names from the
    /// network.
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

    /// A data set without images, for noise alone.
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
            "noise only, {}, {} classes",
            form.size_in_words(),
            form.count()
        ));
        self.rounds.session.record.images = Some(NO_IMAGES.to_owned());
        self.rounds.run.images = NO_IMAGES.to_owned();
        self.rounds.publish();
        Ok(Dataset::none(form))
    }

    /// Opens the images of the run, and records their form and origin.
    pub(super) fn images(&mut self, config: &Config) -> Result<Dataset, RunError> {
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
        let read = data::load(&request, &mut |done, total| {
            report_reading(rounds, done, total)
        });
        self.rounds.run.reading = None;
        let mut dataset = read?;
        dataset.classes = self.take_form(config, dataset.form())?.classes;
        let images = match &dataset.origin {
            Origin::Embedded => EMBEDDED.to_owned(),
            Origin::Full(_) => FULL.to_owned(),
            Origin::Folder(folder) => folder.display().to_string(),
            Origin::None => NO_IMAGES.to_owned(),
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
}
