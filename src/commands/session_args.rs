//! Command-line options that name a session and, if it is new, configure it.

use std::borrow::Cow;
use std::path::Path;

use clap::Args;

use super::network_file::{existing_file, expand_home, hint, is_network, is_weights};
use super::output::complain;
use super::{CommandError, data_arg, preset, preset_fit, typed_names};
use crate::inspect;
use crate::session::config::{self, Dataset, NetworkKind};
use crate::session::setting;
use crate::session::store::{Store, check_name};
use crate::session::{Config, Session};
use crate::tui::browser::SessionRequest;
use crate::typing;

mod file_name;
mod references;

/// A session's name and, if it is new, its configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct SessionArgs {
    /// The session
    pub name: String,
    /// Start from a preset (default: the preset with the session's name, else all defaults)
    #[arg(long, value_name = "PRESET")]
    pub preset: Option<String>,
    /// cnn, mlp, logistic, rnn, simple or complex; a network file (.onnx); or a weight file (.pt, .pth, .safetensors),
    /// with --set network.kind=KIND
    #[arg(long, value_name = "KIND|FILE")]
    network: Option<String>,
    /// Change one value of the plan, for example --set network.kind=Mlp (RON; repeatable)
    #[arg(long = "set", value_name = "PATH=VALUE")]
    settings: Vec<String>,
    /// The user's own images, if `--data` names some.
    #[arg(skip)]
    dataset: Option<Dataset>,
}

impl SessionArgs {
    /// A session of this name, from a preset if one is given.
    pub fn named(name: &str, preset: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            preset,
            ..Self::default()
        }
    }

    /// The session described by the new-session form.
    ///
    /// # Errors
    /// If there is no such preset.
    pub fn from_form(asked: &SessionRequest, store: &Store) -> Result<Self, CommandError> {
        let preset = preset::load(&asked.preset, store)?;
        let mut settings = Vec::new();
        // A weight file is assumed to be for the preset's kind of network.
        if let Some(network) = &asked.network
            && is_weights(Path::new(network))
        {
            settings.push(format!("network.kind={:?}", preset.network.kind));
        }
        let grain = asked.grain.as_ref();
        let advised = grain.and_then(|grain| inspect::advised_settings(grain, &preset));
        settings.extend(advised.into_iter().flatten());
        Ok(Self {
            name: asked.name.clone(),
            preset: Some(asked.preset.clone()),
            network: asked.network.as_deref().map(expand_home),
            settings,
            dataset: None,
        })
    }

    /// The equivalent command-line arguments, without `--data`.
    pub fn arguments(&self) -> Vec<String> {
        let mut words = vec![self.name.clone()];
        let mut option =
            |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        if let Some(preset) = &self.preset {
            option("--preset", preset);
        }
        if let Some(network) = &self.network {
            option("--network", network);
        }
        for setting in &self.settings {
            option("--set", setting);
        }
        words
    }

    /// Whether any option configures the session.
    pub fn is_given(&self) -> bool {
        let images = self.dataset.is_some();
        images || self.preset.is_some() || self.network.is_some() || !self.settings.is_empty()
    }

    /// Resolves what the user means: asks about a mistyped preset name, and interprets `--data` as the
    /// session's own images or as the folder of full sets, which is returned.
    ///
    /// # Errors
    /// If it is ambiguous, with the remedy.
    pub fn resolve<'a>(
        mut self,
        store: &Store,
        command: &str,
        data: Option<&'a Path>,
    ) -> Result<(Self, Option<&'a Path>), CommandError> {
        let typed = Path::new(&self.name);
        let is_file = is_network(typed) || is_weights(typed);
        let names_network =
            self.network.is_some() || self.places().any(|(place, _)| place.starts_with("network"));
        if is_file && !names_network && !store.exists(&self.name) {
            let is_weights = is_weights(typed);
            return Err(file_name::instead_of_session(
                &self.name,
                command,
                self.preset.as_deref(),
                is_weights,
            ));
        }
        check_name(&self.name)?;
        if !store.exists(&self.name) {
            self.settle_preset(store, command)?;
        }
        let Some(path) = data else {
            return Ok((self, None));
        };
        let failed = store.exists(&self.name) && store.load(&self.name)?.failed_with_nothing();
        if store.exists(&self.name) && !(failed && data_arg::has_images(path)) {
            return self.check_existing(store, path);
        }
        self.dataset = data_arg::dataset_at(path)?;
        if self.dataset.is_none() {
            return Ok((self, data));
        }
        for (place, assignment) in self.places() {
            let is_source = |place: &str| place == "name" || place.starts_with("source");
            if place == "dataset" || place.strip_prefix("dataset.").is_some_and(is_source) {
                return Err(CommandError::Usage(format!(
                    "--data {} and --set {assignment} both set the images; leave out one of them",
                    path.display()
                )));
            }
        }
        Ok((self, None))
    }

    /// Interprets `--data` of an existing session: the folder of full sets, or the images that it already has.
    fn check_existing<'a>(
        self,
        store: &Store,
        path: &'a Path,
    ) -> Result<(Self, Option<&'a Path>), CommandError> {
        if !data_arg::has_images(path) {
            return Ok((self, Some(path)));
        }
        let images = data_arg::dataset_at(path)?;
        let session = store.load(&self.name)?;
        let source = |dataset: Option<Dataset>| dataset.map(|dataset| dataset.source);
        if source(session.config.dataset) == source(images) {
            return Ok((self, None));
        }
        Err(CommandError::Usage(format!(
            "session `{}` already exists with other images, and its plan cannot change; \
             leave out --data {}, or choose another name",
            self.name,
            path.display()
        )))
    }

    fn settle_preset(&mut self, store: &Store, command: &str) -> Result<(), CommandError> {
        let known = preset::names(store);
        let names = || known.iter().map(String::as_str);
        if let Some(typed) = &self.preset {
            if preset::find(typed, &known).is_none()
                && let Some(near) = typing::nearest(typed, names())
                && typed_names::confirm(&format!("Did you mean the preset {near}?"))? == Some(true)
            {
                self.preset = Some(near.to_owned());
            }
            return Ok(());
        }
        if known.contains(&self.name) {
            return Ok(());
        }
        let Some(near) = typing::nearest(&self.name, names()) else {
            return Ok(());
        };
        match typed_names::confirm(&format!("Did you mean the preset {near}?"))? {
            Some(true) => self.name = near.to_owned(),
            Some(false) => {}
            None => {
                return Err(CommandError::Usage(format!(
                    "there is no session `{0}`, and the name is close to that of the preset {near}. If you meant \
                     the preset: noisescope {command} {near}. For a session called {0}, name its preset: \
                     noisescope {command} {0} --preset {near}",
                    self.name
                )));
            }
        }
        Ok(())
    }

    /// The path of every `--set`, and the whole assignment.
    fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|assignment| {
            let place = assignment.split_once('=').map_or("", |(place, _)| place);
            (place.trim(), assignment.as_str())
        })
    }

    /// A new session. What its preset loses because of the given network is reported.
    ///
    /// # Errors
    /// As [`Self::config`].
    pub fn new_session(&self, store: &Store) -> Result<Session, CommandError> {
        let (config, left_out) = self.config(store)?;
        if let Some(words) = left_out {
            complain(words);
        }
        Ok(Session::new(&self.name, config))
    }

    /// The new session, unless there is one of this name: made before its lock is taken, which creates the folder.
    ///
    /// # Errors
    /// As [`Self::config`].
    pub fn new_unless_exists(&self, store: &Store) -> Result<Option<Session>, CommandError> {
        let is_new = !store.exists(&self.name);
        is_new.then(|| self.new_session(store)).transpose()
    }

    /// The config of a new session, and a sentence about what its preset loses because of the given network.
    ///
    /// # Errors
    /// If a name or setting is unknown, or the config cannot be run.
    pub fn config(&self, store: &Store) -> Result<(Config, Option<String>), CommandError> {
        let (preset, mut config) = self.as_asked(store)?;
        let places: Vec<&str> = self.places().map(|(place, _)| place).collect();
        let left_out = preset_fit::fit_to_network(&mut config, &preset, &places);
        references::locate(&mut config, store);
        config.validate()?;
        config.check_new()?;
        Ok((config, left_out))
    }

    /// The preset, and the config as asked for, in which a `--set` finds its place: unchecked, and with what the preset
    /// loses because of the network.
    ///
    /// # Errors
    /// If a name or setting is unknown.
    pub fn as_asked(&self, store: &Store) -> Result<(Config, Config), CommandError> {
        let known = preset::names(store);
        let preset = match &self.preset {
            Some(preset) => preset::load(preset, store)?,
            None if known.contains(&self.name) => preset::load(&self.name, store)?,
            None => Config::default(),
        };
        let mut config = preset.clone();
        if let Some(dataset) = &self.dataset {
            config.dataset = Some(dataset.clone());
        }
        if let Some(typed) = &self.network {
            self.take_network(typed, &mut config.network)?;
        }
        for assignment in &self.settings {
            config = setting::set(&config, &normalise_setting(assignment)?)?;
        }
        Ok((preset, config))
    }

    fn take_network(&self, typed: &str, network: &mut config::Network) -> Result<(), CommandError> {
        let set = |paths: &[&str]| {
            let mut places = self.places();
            places.find(|(place, _)| paths.iter().any(|path| place == path))
        };
        let both = |assignment: &str, subject: &str| {
            CommandError::Usage(format!(
                "--network {typed} and --set {assignment} both set {subject}; leave out one of them"
            ))
        };
        let is_network = is_network(Path::new(typed));
        if !is_network && !is_weights(Path::new(typed)) {
            network.kind = typed_names::parse_kind(typed).map_err(|problem| {
                CommandError::Usage(format!("--network: {problem}{}", hint(typed)))
            })?;
            return match set(&["network", "network.kind"]) {
                Some((_, assignment)) => Err(both(assignment, "the network")),
                None => Ok(()),
            };
        }
        if let Some((_, assignment)) = set(&["network", "network.weights"]) {
            return Err(both(assignment, "the source of the weights"));
        }
        if let (true, Some((_, assignment))) = (is_network, set(&["network.kind"])) {
            return Err(both(assignment, "the network"));
        }
        if is_network {
            network.kind = NetworkKind::Onnx;
        } else if set(&["network.kind"]).is_none() {
            return Err(CommandError::Usage(format!(
                "--network {typed}: a weight file does not say which network it is for; add \
                 --set network.kind= and one of {}",
                typed_names::network_names()
            )));
        }
        network.weights = config::WeightSource::File(existing_file(typed)?);
        Ok(())
    }
}

/// A setting, with a network's name spelt as in the config.
///
/// # Errors
/// If it names no network.
pub fn normalise_setting(assignment: &str) -> Result<Cow<'_, str>, CommandError> {
    let Some((place, value)) = assignment.split_once('=') else {
        return Ok(assignment.into());
    };
    let is_word = !value.trim().is_empty() && value.trim().chars().all(char::is_alphanumeric);
    if place.trim() != "network.kind" || !is_word {
        return Ok(assignment.into());
    }
    let kind = typed_names::parse_kind(value.trim())
        .map_err(|problem| CommandError::Usage(format!("--set {assignment}: {problem}")))?;
    Ok(format!("network.kind={kind:?}").into())
}

#[cfg(test)]
mod tests;
