//! A session's inputs and programs: recorded when it begins, checked when it resumes.

use super::{Conductor, RunError};
use crate::data::Dataset;
use crate::engine::inputs::{self, OnChangedInputs};
use crate::engine::originals;
use crate::session::config::{Config, NetworkKind, WeightSource};
use crate::session::record::{InputDifference, Inputs, Start};
use crate::session::store::now;

impl Conductor {
    /// Records the session's images and weights, or checks that they are unchanged.
    ///
    /// # Errors
    /// If they have changed, and the user has not accepted that.
    pub(super) fn check_inputs(
        &mut self,
        config: &Config,
        dataset: &Dataset,
    ) -> Result<(), RunError> {
        let found = inputs::fingerprints(dataset, self.weights(config)?);
        let has_begun = self.active.session.record.has_begun(config);
        let record = &mut self.active.session.record;
        match record.inputs.last_mut() {
            None => {
                record.inputs.push(found);
                if has_begun {
                    self.active.log(
                        "the session was started by a version that did not record its images and weights; they are recorded from now on",
                    );
                }
            }
            // Nothing has been computed from them yet.
            Some(noted) if !has_begun => *noted = found,
            Some(noted) => {
                let began = noted.clone();
                return self.accept_or_refuse(&began, found);
            }
        }
        Ok(())
    }

    /// Continues with the inputs found if they are those it began with or the user accepts the change.
    fn accept_or_refuse(&mut self, began: &Inputs, found: Inputs) -> Result<(), RunError> {
        let differences = found.differences(began);
        if differences.is_empty() {
            return Ok(());
        }
        let descriptions: Vec<&str> = differences
            .iter()
            .map(|(_, words)| words.as_str())
            .collect();
        let what = descriptions.join("; ");
        if self.options.inputs == OnChangedInputs::Refuse {
            return Err(RunError::InputsChanged {
                what,
                name: self.active.session.name.clone(),
            });
        }
        self.active.warn(format!(
            "{what}. The run continues because of --accept-inputs"
        ));
        if differences
            .iter()
            .any(|(difference, _)| matches!(difference, InputDifference::Images(_)))
        {
            // The session keeps the weights it has loaded.
            let weights = began.weights.clone();
            self.active
                .session
                .record
                .inputs
                .push(Inputs { weights, ..found });
        }
        Ok(())
    }

    /// The fingerprint of the weights' file, if there is one.
    fn weights(&self, config: &Config) -> Result<Option<String>, RunError> {
        let WeightSource::File(path) = &config.network.weights else {
            return Ok(None);
        };
        if config.network.kind == NetworkKind::Onnx {
            let model = self.active.session.record.model.as_ref();
            let folder = self.options.store.folder();
            return Ok(model.map(|model| originals::fingerprint(model, path, folder)));
        }
        if !path.exists() {
            // The session has the weights, or will report that it needs them.
            return Ok(None);
        }
        let sum = inputs::file_sha256(path).map_err(|error| RunError::Unreadable {
            path: path.display().to_string(),
            error,
        });
        sum.map(Some)
    }

    /// Records the program that runs the session from now on.
    pub(super) fn record_program(&mut self) {
        let program = inputs::program();
        let record = &mut self.active.session.record;
        let before = record.starts.last().map(|start| start.program.clone());
        record.starts.push(Start {
            at: now(),
            program: program.to_owned(),
        });
        if let Some(before) = before.filter(|before| before != program) {
            self.active
                .log(format!("resumed with noisescope {program}, after {before}"));
        }
    }
}
