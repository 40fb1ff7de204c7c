//! `noisescope inspect`: shows what a network file contains and what can be done with it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::network_file::{is_weights, no_network_file};
use super::output::print_line;
use super::session_args::normalise_setting;
use super::typed_names::network_names;
use super::{CommandError, data_arg};
use crate::data::{self, Dataset, DatasetRequest};
use crate::engine::device::{self, DeviceChoice};
use crate::files::quoted;
use crate::inspect::Inspection;
use crate::inspect::contents::InspectionRequest;
use crate::inspect::presentations::ImageTransform;
use crate::session::Config;
use crate::session::config::{NetworkKind, WeightSource};
use crate::session::setting;

/// What to inspect.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// An ONNX file, or a file of weights (.pt, .pth, .safetensors)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Set how the network is used, as in a session's plan: --set 'network.input=(range: Byte)', network.output,
    /// network.image, network.kind, dataset (RON; repeatable)
    #[arg(long = "set", value_name = "PATH=VALUE")]
    settings: Vec<String>,
    /// Show it at most N test images, if --data names images
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    images: u64,
    /// Skip the pilot, which with --data estimates how many trials the maps take
    #[arg(long)]
    no_pilot: bool,
    /// auto, cpu, flex, libtorch or cuda:N
    #[arg(long, default_value = "auto")]
    device: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints the inspection. Exit code 0 if the network can be studied, 1 if there are problems.
pub fn run(inspect: &InspectArgs, data: Option<&Path>) -> Result<ExitCode, CommandError> {
    if !inspect.file.is_file() {
        return Err(CommandError::Usage(no_network_file(&inspect.file)));
    }
    let config = inspect.config(data)?;
    let images = inspect.dataset(&config, data)?;
    let kind = inspect.kind(&config);
    let choice: DeviceChoice = inspect.device.parse()?;
    let opened = device::open(
        device::DeviceRequest {
            workers: Some(1),
            ..device::DeviceRequest::new(&choice)
        },
        kind.unwrap_or(NetworkKind::Onnx),
        None,
    )?;
    let look = InspectionRequest {
        path: &inspect.file,
        weights_only: is_weights(&inspect.file),
        network: &config.network,
        kind,
        images: images.as_ref(),
        max_images: usize::try_from(inspect.images).unwrap_or(usize::MAX),
        pilot: images.is_some() && !inspect.no_pilot,
        device: &opened.device,
    };
    opened.seats[0].prepare_thread();
    let mut found = look.inspect();
    found.workers = opened.workers_of_all();
    found.next = inspect.next(&found, &config, data);
    if inspect.json {
        print_line(serde_json::to_string_pretty(&found).map_err(CommandError::failed)?);
    } else {
        print_line(found.text().trim_end());
    }
    Ok(match found.problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    })
}

impl InspectArgs {
    /// The config of a session on this network.
    fn config(&self, data: Option<&Path>) -> Result<Config, CommandError> {
        let mut config = Config::default();
        config.network.weights = WeightSource::File(self.file.clone());
        if !is_weights(&self.file) {
            config.network.kind = NetworkKind::Onnx;
        }
        if let Some(dataset) = data.map(data_arg::dataset_at).transpose()?.flatten() {
            config.dataset = Some(dataset);
        }
        for assignment in &self.settings {
            let known = ["network.", "dataset"];
            if !known
                .iter()
                .any(|prefix| assignment.trim_start().starts_with(prefix))
            {
                return Err(CommandError::Usage(format!(
                    "--set {assignment}: only network. and dataset can be set here"
                )));
            }
            config = setting::set(&config, &normalise_setting(assignment)?)?;
        }
        config.validate()?;
        config.network.check_image()?;
        self.check_file(config.network.kind)?;
        Ok(config)
    }

    /// Rejects settings that the given file decides: where the weights are, and whether it holds the network, too.
    fn check_file(&self, kind: NetworkKind) -> Result<(), CommandError> {
        let file = self.file.display();
        if self.sets("network.weights") {
            return Err(CommandError::Usage(format!(
                "--set network.weights: the weights are those of {file}; leave it out"
            )));
        }
        match (is_weights(&self.file), kind == NetworkKind::Onnx) {
            (true, true) => Err(CommandError::Usage(format!(
                "--set network.kind: {file} holds weights without a network, so it is for one of {}",
                network_names()
            ))),
            (false, false) => Err(CommandError::Usage(format!(
                "--set network.kind: {file} is read as an ONNX file, which contains the network; leave it out"
            ))),
            (true, false) | (false, true) => Ok(()),
        }
    }

    fn sets(&self, path: &str) -> bool {
        let mut settings = self.settings.iter();
        settings.any(|assignment| assignment.trim_start().starts_with(path))
    }

    /// The built-in kind given by `--set network.kind`.
    fn kind(&self, config: &Config) -> Option<NetworkKind> {
        self.sets("network.kind").then_some(config.network.kind)
    }

    /// The images given by `--data` or `--set dataset`.
    fn dataset(
        &self,
        config: &Config,
        data: Option<&Path>,
    ) -> Result<Option<Dataset>, CommandError> {
        if data.is_none() && !self.sets("dataset") {
            return Ok(None);
        }
        let Some(plan) = &config.dataset else {
            return Ok(None);
        };
        let request = DatasetRequest {
            config: plan,
            seed: config.seed,
            data: &data::data_dir(data).map_err(CommandError::failed)?,
            cache: None,
        };
        let loaded = data::load(&request, &mut |_, _| ControlFlow::Continue(()));
        loaded.map(Some).map_err(CommandError::failed)
    }

    /// The command that studies the network, if it can be studied with its classes in this order.
    fn next(&self, found: &Inspection, config: &Config, data: Option<&Path>) -> Option<String> {
        if !found.problems.is_empty() || found.network.is_none() {
            return None;
        }
        let trials = found.scaling.as_ref();
        if trials.is_some_and(|trials| trials.exchanged.is_some()) {
            return None;
        }
        let mut words = format!("noisescope run mine --network {}", quoted(&self.file));
        if let Some(path) = data {
            words += &format!(" --data {}", quoted(path));
        } else if !self.sets("dataset") {
            words += " --data IMAGES";
        }
        let better = trials.and_then(|trials| trials.better());
        let better = better.filter(|trial| trial.turned == ImageTransform::No);
        let kept = self.settings.iter().filter(|assignment| {
            better.is_none() || !assignment.trim_start().starts_with("network.input")
        });
        for assignment in kept {
            words += &format!(" --set {}", quoted_setting(assignment));
        }
        if let (Some(kind), false) = (found.kind, self.sets("network.kind")) {
            words += &format!(" --set network.kind={kind}");
        }
        if let Some(trial) = better {
            words += &format!(
                " --set {}",
                quoted_setting(&format!("network.input={}", trial.input.in_plan()))
            );
        }
        for assignment in found.advice(config).into_iter().flatten() {
            words += &format!(" --set {}", quoted_setting(&assignment));
        }
        Some(words)
    }
}

/// An assignment as a single shell word. Its `=` alone needs no quotes.
fn quoted_setting(assignment: &str) -> String {
    match quoted(assignment.replace('=', "")) == assignment.replace('=', "") {
        true => assignment.to_owned(),
        false => quoted(assignment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_one_word_of_a_shell() {
        for (setting, word) in [
            ("network.kind=mlp", "network.kind=mlp"),
            (
                "network.input=(range: Byte)",
                "'network.input=(range: Byte)'",
            ),
            (
                "network.output=Some(\"a|b\")",
                "'network.output=Some(\"a|b\")'",
            ),
            ("dataset.name=`x`", "'dataset.name=`x`'"),
        ] {
            assert_eq!(quoted_setting(setting), word);
        }
    }
}
