//! The session that a command names and, where it is new, what it is to be.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Refusal, own, preset, words};
use crate::inspect;
use crate::nets::import;
use crate::session::Config;
use crate::session::config::{self, Dataset, NetworkKind};
use crate::session::form::DEFAULT_IMAGE;
use crate::session::setting;
use crate::session::store::{Store, check_name};
use crate::tui::browser::Asked;

/// How the names of files of weights end.
const WEIGHTS: [&str; 7] = ["pt", "pth", "safetensors", "ckpt", "bin", "pkl", "tar"];

/// How the name of a file ends that holds a network, and not weights alone.
const NETWORK: &str = "onnx";

/// A session's name and, where it is new, its plan.
#[derive(Debug, Clone, Default, Args)]
pub struct Plan {
    /// The session
    pub name: String,
    /// Begin from a preset (default: the one of the session's name, else all defaults)
    #[arg(long, value_name = "PRESET")]
    pub preset: Option<String>,
    /// cnn, mlp, logistic, rnn, simple or complex; a network's file (.onnx); or a file of weights (.pt, .pth, .safetensors),
    /// with --set network.kind=KIND
    #[arg(long, value_name = "KIND|FILE")]
    network: Option<String>,
    /// Change one value of the plan, for example --set network.kind=Mlp (RON; repeatable)
    #[arg(long = "set", value_name = "PATH=VALUE")]
    settings: Vec<String>,
    /// Images of one's own, which `--data` named.
    #[arg(skip)]
    dataset: Option<Dataset>,
}

impl Plan {
    /// A session of this name, from a preset where one is named.
    pub fn named(name: &str, preset: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            preset,
            ..Self::default()
        }
    }

    /// What the form for a new session asks for.
    ///
    /// # Errors
    /// Where there is no such preset.
    pub fn asked(asked: &Asked, store: &Store) -> Result<Self, Refusal> {
        let mut settings = Vec::new();
        // Weights alone are taken for those of the preset's network.
        if let Some(network) = &asked.network
            && is_weights(Path::new(network))
        {
            let kind = preset::load(&asked.preset, store)?.network.kind;
            settings.push(format!("network.kind={kind:?}"));
        }
        let fields = asked.grain.as_ref().and_then(inspect::fields);
        let fields = fields.into_iter().flatten();
        settings.extend(fields.map(|(field, value)| format!("analyses[0].{field}={value}")));
        Ok(Self {
            name: asked.name.clone(),
            preset: Some(asked.preset.clone()),
            network: asked.network.as_deref().map(home),
            settings,
            dataset: None,
        })
    }

    /// The words of the command line that say the same; `--data` is not among them.
    pub fn words(&self) -> Vec<String> {
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

    /// Whether anything is said of what the session is to be.
    pub fn is_given(&self) -> bool {
        let images = self.dataset.is_some();
        images || self.preset.is_some() || self.network.is_some() || !self.settings.is_empty()
    }

    /// What the person means: a slip in the name of a preset is asked about, and `--data` may name
    /// the session's own images, or the folder of full sets, which is given back.
    ///
    /// # Errors
    /// Where it cannot be known, with the remedy.
    pub fn settled<'a>(
        mut self,
        store: &Store,
        command: &str,
        data: Option<&'a Path>,
    ) -> Result<(Self, Option<&'a Path>), Refusal> {
        check_name(&self.name)?;
        if !store.exists(&self.name) {
            self.settle_preset(store, command)?;
        }
        let Some(path) = data else {
            return Ok((self, None));
        };
        let failed = store.exists(&self.name) && store.load(&self.name)?.failed_with_nothing();
        if store.exists(&self.name) && !(failed && own::is_images(path)) {
            return self.of_existing(store, path);
        }
        self.dataset = own::images(path)?;
        if self.dataset.is_none() {
            return Ok((self, data));
        }
        for (place, assignment) in self.places() {
            let is_source = |place: &str| place == "name" || place.starts_with("source");
            if place == "dataset" || place.strip_prefix("dataset.").is_some_and(is_source) {
                return Err(Refusal::Usage(format!(
                    "--data {} and --set {assignment} both say which images; leave out one of them",
                    path.display()
                )));
            }
        }
        Ok((self, None))
    }

    /// `--data` of a session that exists: the folder of full sets, or the images that it has.
    fn of_existing<'a>(
        self,
        store: &Store,
        path: &'a Path,
    ) -> Result<(Self, Option<&'a Path>), Refusal> {
        if !own::is_images(path) {
            return Ok((self, Some(path)));
        }
        let images = own::images(path)?;
        let session = store.load(&self.name)?;
        let source = |dataset: Option<Dataset>| dataset.map(|it| it.source);
        if source(session.config.dataset) == source(images) {
            return Ok((self, None));
        }
        Err(Refusal::Usage(format!(
            "session `{}` exists already with other images, and what a run is does not change under it; \
             leave out --data {}, or choose another name",
            self.name,
            path.display()
        )))
    }

    fn settle_preset(&mut self, store: &Store, command: &str) -> Result<(), Refusal> {
        let known = preset::names(store);
        let names = || known.iter().map(String::as_str);
        if let Some(typed) = &self.preset {
            if preset::find(typed, &known).is_none()
                && let Some(near) = words::nearest(typed, names())
                && words::ask(&format!("Did you mean the preset {near}?"))? == Some(true)
            {
                self.preset = Some(near.to_owned());
            }
            return Ok(());
        }
        if known.contains(&self.name) {
            return Ok(());
        }
        let Some(near) = words::nearest(&self.name, names()) else {
            return Ok(());
        };
        match words::ask(&format!("Did you mean the preset {near}?"))? {
            Some(true) => self.name = near.to_owned(),
            Some(false) => {}
            None => {
                return Err(Refusal::Usage(format!(
                    "there is no session `{0}`, and the name is near to that of the preset {near}. If that is \
                     meant: noisescope {command} {near}. For a session that is called {0}, say what it begins \
                     from: noisescope {command} {0} --preset {near}",
                    self.name
                )));
            }
        }
        Ok(())
    }

    /// The path of every `--set` and the whole of it.
    fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|assignment| {
            let place = assignment.split_once('=').map_or("", |(place, _)| place);
            (place.trim(), assignment.as_str())
        })
    }

    /// The plan of a new session.
    ///
    /// # Errors
    /// Where a word of it is not known, or the whole cannot be run.
    pub fn config(&self, store: &Store) -> Result<Config, Refusal> {
        let known = preset::names(store);
        let mut config = match &self.preset {
            Some(preset) => preset::load(preset, store)?,
            None if known.contains(&self.name) => preset::load(&self.name, store)?,
            None => Config::default(),
        };
        if let Some(dataset) = &self.dataset {
            config.dataset = Some(dataset.clone());
        }
        if let Some(typed) = &self.network {
            self.take_network(typed, &mut config.network)?;
        }
        for assignment in &self.settings {
            config = setting::set(&config, &spelt(assignment)?)?;
        }
        config.validate()?;
        config.check_new()?;
        Ok(config)
    }

    fn take_network(&self, typed: &str, network: &mut config::Network) -> Result<(), Refusal> {
        let set = |wanted: &[&str]| {
            let mut places = self.places();
            places.find(|(place, _)| wanted.iter().any(|it| place == it))
        };
        let both = |assignment: &str, what: &str| {
            Refusal::Usage(format!(
                "--network {typed} and --set {assignment} both say {what}; leave out one of them"
            ))
        };
        let is_network = is_network(Path::new(typed));
        if !is_network && !is_weights(Path::new(typed)) {
            network.kind = kind(typed).map_err(|problem| {
                Refusal::Usage(format!("--network: {problem}{}", hint(typed)))
            })?;
            return match set(&["network", "network.kind"]) {
                Some((_, assignment)) => Err(both(assignment, "which network")),
                None => Ok(()),
            };
        }
        if let Some((_, assignment)) = set(&["network", "network.weights"]) {
            return Err(both(assignment, "where the weights come from"));
        }
        if let (true, Some((_, assignment))) = (is_network, set(&["network.kind"])) {
            return Err(both(assignment, "which network"));
        }
        if is_network {
            network.kind = NetworkKind::Onnx;
        } else if set(&["network.kind"]).is_none() {
            return Err(Refusal::Usage(format!(
                "--network {typed}: a file of weights does not say which network they are for; add \
                 --set network.kind= and one of {}",
                words::networks()
            )));
        }
        network.weights = config::Weights::File(file(typed)?);
        Ok(())
    }
}

/// A path as typed, with the home folder where it begins with `~/`: no shell has seen it.
pub fn home(typed: &str) -> String {
    match (typed.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => typed.to_owned(),
    }
}

/// The kind of network that a person means: a built-in one, or that of a file.
fn kind(typed: &str) -> Result<NetworkKind, String> {
    let onnx = NetworkKind::Onnx;
    match typed.trim().eq_ignore_ascii_case(onnx.label()) {
        true => Ok(onnx),
        false => words::network(typed),
    }
}

/// Whether a file holds a network, and not weights alone, by the end of its name.
pub fn is_network(path: &Path) -> bool {
    ends_in(path, &[NETWORK])
}

/// Whether a file holds weights alone, by the end of its name.
pub fn is_weights(path: &Path) -> bool {
    ends_in(path, &WEIGHTS)
}

/// The whole path of a file of a network that is there.
///
/// # Errors
/// Where it is not.
pub fn file(typed: &str) -> Result<PathBuf, Refusal> {
    let path = std::path::absolute(typed).map_err(Refusal::failed)?;
    if path.is_file() {
        return Ok(path);
    }
    Err(Refusal::Usage(format!(
        "--network {typed}: there is no file {}",
        path.display()
    )))
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let own = path.extension().map(|it| it.to_ascii_lowercase());
    own.is_some_and(|own| endings.iter().any(|known| own == *known))
}

/// What would do, where a file was meant that is no file of weights.
fn hint(typed: &str) -> String {
    let path = Path::new(typed);
    if let Some(words) = import::foreign(path, DEFAULT_IMAGE) {
        return format!("; {words}");
    }
    let is_like_a_file = path.exists() || typed.contains(['/', '.']);
    match is_like_a_file {
        true => "; a network's file ends in .onnx, a file of weights in .pt, .pth or .safetensors"
            .into(),
        false => String::new(),
    }
}

/// A setting with the network's name spelt as the plan has it.
///
/// # Errors
/// Where it names no network.
pub fn spelt(assignment: &str) -> Result<Cow<'_, str>, Refusal> {
    let Some((place, value)) = assignment.split_once('=') else {
        return Ok(assignment.into());
    };
    let is_word = !value.trim().is_empty() && value.trim().chars().all(char::is_alphanumeric);
    if place.trim() != "network.kind" || !is_word {
        return Ok(assignment.into());
    }
    let kind: NetworkKind = kind(value.trim())
        .map_err(|problem| Refusal::Usage(format!("--set {assignment}: {problem}")))?;
    Ok(format!("network.kind={kind:?}").into())
}
