//! `noisescope bench`: measures trials per second of the noise loop, on an untrained network or one from a file.

use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;

use super::machine::{self, ConvolutionArg, DeviceOptions};
use super::network_file::{existing_file, is_network};
use super::output::print_line;
use super::{CommandError, typed_names};
use crate::engine::device::profile::{self, NETWORK};
use crate::engine::device::records::Convolutions;
use crate::engine::device::speed::{self, MeasureLimit};
use crate::engine::device::{self, DeviceChoice, DeviceKind};
use crate::ids::Gamma;
use crate::nets::import::onnx::Bundle;
use crate::nets::onnx_network::OnnxNetwork;
use crate::session::config::{self, NetworkKind};

/// What to measure.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// auto, cpu, flex, libtorch or cuda:N; several GPUs with commas
    #[arg(long, default_value = "auto")]
    device: String,
    /// cnn, mlp, logistic, rnn, simple or complex; or a network's file (.onnx)
    #[arg(long, value_name = "KIND|FILE", default_value = "cnn")]
    network: String,
    /// Trials per block (repeatable)
    #[arg(long, value_name = "N", default_values_t = [64, 128, 256, 512])]
    batch: Vec<usize>,
    /// Signal strength γ
    #[arg(long, default_value_t = Gamma::NOISE, conflicts_with = "training")]
    gamma: Gamma,
    /// Trials to measure over
    #[arg(long, default_value_t = 50_000, conflicts_with = "training")]
    trials: u64,
    /// Blocks computed at the same time (default: one per core)
    #[arg(long, value_name = "N", conflicts_with = "pieces")]
    workers: Option<usize>,
    /// Blocks per launch on a GPU, even (default: chosen by a short test)
    #[arg(long, value_name = "N")]
    launch: Option<usize>,
    /// Decisions only, without the evidence for every class
    #[arg(long, conflicts_with = "training")]
    decisions: bool,
    /// Break down the time of a trial, on one core
    #[arg(long)]
    pieces: bool,
    /// Measure training instead, in images per second at these batch sizes; with --pieces, the time of each part of a step
    #[arg(long)]
    training: bool,
    /// On cpu: compute every convolution directly
    #[arg(long, value_name = "HOW")]
    exact: Option<ConvolutionArg>,
    /// Print one JSON object per batch size
    #[arg(long, conflicts_with = "pieces")]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    device: &'a str,
    network: &'a str,
    batch: usize,
    trials: u64,
    trials_per_second: f64,
}

/// The network that is measured.
enum Measured {
    /// A built-in kind, untrained.
    BuiltIn(NetworkKind),
    /// A network from a file, with its file name.
    File(String, Box<OnnxNetwork>),
}

impl Measured {
    fn kind(&self) -> NetworkKind {
        match self {
            Self::BuiltIn(kind) => *kind,
            Self::File(..) => NetworkKind::Onnx,
        }
    }

    fn label(&self) -> &str {
        match self {
            Self::BuiltIn(kind) => kind.label(),
            Self::File(name, _) => name,
        }
    }
}

/// The network that the user named: a built-in kind or a file.
fn network(typed: &str) -> Result<Measured, CommandError> {
    if !is_network(Path::new(typed)) {
        let kind = typed_names::parse_network(typed);
        let kind = kind.map_err(|problem| {
            CommandError::Usage(format!("--network: {problem}; or a network's file (.onnx)"))
        })?;
        return Ok(Measured::BuiltIn(kind));
    }
    let path = existing_file(typed)?;
    let bundle = Bundle::open(&path).map_err(CommandError::failed)?;
    let network = OnnxNetwork::open(&bundle, None, None).map_err(CommandError::failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(Measured::File(name.into_owned(), Box::new(network)))
}

/// Measures every batch size and prints a line for each.
pub fn run(bench: &BenchArgs) -> Result<ExitCode, CommandError> {
    if !(0.0..=1.0).contains(&bench.gamma.0) {
        return Err(CommandError::Usage(format!(
            "--gamma {}: must be from 0 to 1",
            bench.gamma
        )));
    }
    if bench.trials == 0 || bench.trials > config::MAX_TRIALS {
        return Err(CommandError::Usage(format!(
            "--trials {}: must be from 1 to {}",
            bench.trials,
            config::MAX_TRIALS
        )));
    }
    machine::check_workers(bench.workers)?;
    Convolutions::apply(bench.exact.map(Into::into), &[]);
    let network = network(&bench.network)?;
    let choice = DeviceChoice::from_str(&bench.device)?;
    machine::check_launch(bench.launch)?;
    let given = DeviceOptions {
        exact: bench.exact == Some(ConvolutionArg::Direct),
        launch: bench.launch.is_some(),
        tf32: false,
    };
    given.tell_unused(&choice);
    let wanted = device::DeviceRequest {
        choice: &choice,
        workers: bench.workers,
        launch: bench.launch,
    };
    let mut opened = device::open(wanted, network.kind(), None)?;
    let lab = match &network {
        Measured::BuiltIn(kind) => speed::untrained_lab(*kind, &opened.seats[0]),
        Measured::File(_, network) => speed::lab_for_file(network, &opened.seats[0]),
    };
    let lab = lab.map_err(CommandError::failed)?;
    opened.choose_launch(&lab, bench.batch.first().copied().unwrap_or(1))?;
    let seat = &opened.seats[0];
    if bench.gamma > Gamma::NOISE && lab.pool.is_empty() {
        return Err(CommandError::Usage(format!(
            "--gamma {}: there are no images for {}, which takes {}; leave it at 0 (noise only)",
            bench.gamma,
            network.label(),
            lab.form.size_in_words()
        )));
    }
    for &batch in &bench.batch {
        if batch == 0 || batch > config::MAX_BLOCK {
            return Err(CommandError::Usage(format!(
                "--batch {batch}: must be from 1 to {}",
                config::MAX_BLOCK
            )));
        }
        let plan = speed::NoiseLoop {
            evidence: !bench.decisions,
            block: batch,
            gamma: bench.gamma,
            until: MeasureLimit::Trials(bench.trials),
        };
        if bench.training {
            let measured = profile::training_speed(&lab, seat, batch, bench.pieces);
            let (rate, parts) = measured.map_err(CommandError::failed)?;
            if bench.json {
                let line = serde_json::json!({
                    "device": opened.name, "network": network.label(), "batch": batch,
                    "images_per_second": rate.round(),
                });
                print_line(line);
            } else {
                print_line(format_args!(
                    "{}  {}  batch {batch:>5}  {rate:>9.0} images/s of training",
                    opened.name,
                    network.label()
                ));
            }
            for (label, us) in &parts {
                print_line(format_args!("  {us:>8.2} µs  {label}"));
            }
            continue;
        }
        if bench.pieces {
            let blocks = (bench.trials / batch as u64).max(1);
            let times = profile::step_times(&lab, seat, plan, blocks);
            let parts = profile::STEPS.iter().zip(times);
            let parts: Vec<String> = parts.map(|(name, us)| format!("{name} {us:.2}")).collect();
            print_line(format_args!(
                "{}  {}  batch {batch:>5}  µs per trial on one core: {}  total {:.2}",
                opened.name,
                network.label(),
                parts.join("  "),
                times.iter().sum::<f64>()
            ));
            if let (Ok(plan), DeviceKind::Cpu) = (lab.network.plan(), seat.kind) {
                let rate = plan.operations() as f64 / times[NETWORK] / 1e3;
                let peak = plan.lanes().peak() / 1e9;
                print_line(format_args!(
                    "  network: {rate:.0} GFLOP/s with convolutions counted as direct, {:.0} % of this core's peak of {peak:.0} GFLOP/s",
                    100.0 * rate / peak
                ));
                for (label, us) in plan.step_times() {
                    print_line(format_args!("  {us:>8.2} µs  {label}"));
                }
            }
            continue;
        }
        let rate = speed::measure(&lab, &opened.seats, plan).map_err(CommandError::failed)?;
        let line = Line {
            device: &opened.name,
            network: network.label(),
            batch,
            trials: bench.trials,
            trials_per_second: rate.round(),
        };
        if bench.json {
            print_line(serde_json::to_string(&line).map_err(CommandError::failed)?);
        } else {
            print_line(format_args!(
                "{}  {}  batch {batch:>5}  {rate:>9.0} trials/s",
                opened.label(),
                line.network
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}
