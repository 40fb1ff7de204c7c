//! What a session was made from, and by which programs: noted when it begins, seen to when it goes on.

use super::{Conductor, RunError};
use crate::data::Dataset;
use crate::engine::inputs::{self, Changed};
use crate::engine::kept;
use crate::session::config::{Config, NetworkKind, Weights};
use crate::session::record::{Difference, Inputs, Start};
use crate::session::store::now;

impl Conductor {
    /// Notes what the session is made from, or sees that it still is.
    ///
    /// # Errors
    /// Where it is something else, and nobody has said that this is meant.
    pub(super) fn take_inputs(
        &mut self,
        config: &Config,
        dataset: &Dataset,
    ) -> Result<(), RunError> {
        let found = inputs::of(dataset, self.weights(config)?);
        let has_begun = self.rounds.session.record.has_begun(config);
        let record = &mut self.rounds.session.record;
        match record.inputs.last_mut() {
            None => {
                record.inputs.push(found);
                if has_begun {
                    self.rounds.log(
                        "the session was begun by a version that did not note its images and weights; from now on they are noted",
                    );
                }
            }
            // Nothing has been made from them yet.
            Some(noted) if !has_begun => *noted = found,
            Some(noted) => {
                let began = noted.clone();
                return self.go_on_with(&began, found);
            }
        }
        Ok(())
    }

    /// Goes on with what was found, where that is what it began on or a person says so.
    fn go_on_with(&mut self, began: &Inputs, found: Inputs) -> Result<(), RunError> {
        let differences = found.differences(began);
        if differences.is_empty() {
            return Ok(());
        }
        let words: Vec<&str> = differences
            .iter()
            .map(|(_, words)| words.as_str())
            .collect();
        let what = words.join("; ");
        if self.options.inputs == Changed::Refuse {
            return Err(RunError::OtherInputs {
                what,
                name: self.rounds.session.name.clone(),
            });
        }
        self.rounds.warn(format!(
            "{what}. It goes on, as a person has asked for with --accept-inputs"
        ));
        if differences
            .iter()
            .any(|(it, _)| matches!(it, Difference::Images(_)))
        {
            // The weights that it took stay those of the session.
            let weights = began.weights.clone();
            self.rounds
                .session
                .record
                .inputs
                .push(Inputs { weights, ..found });
        }
        Ok(())
    }

    /// The fingerprint of the file that the weights come from, where there is one.
    fn weights(&self, config: &Config) -> Result<Option<String>, RunError> {
        let Weights::File(path) = &config.network.weights else {
            return Ok(None);
        };
        if config.network.kind == NetworkKind::Onnx {
            let model = self.rounds.session.record.model.as_ref();
            let folder = self.options.store.folder();
            return Ok(model.map(|model| kept::fingerprint(model, path, folder)));
        }
        if !path.exists() {
            // The session has them, or says that it needs them.
            return Ok(None);
        }
        let sum = inputs::of_file(path).map_err(|error| RunError::Unreadable {
            path: path.display().to_string(),
            error,
        });
        sum.map(Some)
    }

    /// Notes the program that works on the session from now on.
    pub(super) fn note_program(&mut self) {
        let program = inputs::program();
        let record = &mut self.rounds.session.record;
        let before = record.starts.last().map(|it| it.program.clone());
        record.starts.push(Start {
            at: now(),
            program: program.to_owned(),
        });
        if let Some(before) = before.filter(|before| before != program) {
            self.rounds
                .log(format!("goes on with noisescope {program}, after {before}"));
        }
    }
}
