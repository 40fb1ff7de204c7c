//! `noisescope bench`: trials per second of the noise loop, on an untrained network.

use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use serde::Serialize;

use super::say::say;
use super::{Refusal, words};
use crate::engine::device::trial::{self, Until};
use crate::engine::device::{self, Choice};
use crate::session::config;

/// What to measure.
#[derive(Debug, Args)]
pub struct Bench {
    /// auto, flex, libtorch, cuda:N or cubecl:N; several GPUs with commas
    #[arg(long, default_value = "auto")]
    device: String,
    /// cnn, mlp, logistic, rnn, simple or complex
    #[arg(long, value_name = "KIND", default_value = "cnn")]
    network: String,
    /// Trials a block (repeatable)
    #[arg(long, value_name = "N", default_values_t = [64, 128, 256, 512])]
    batch: Vec<usize>,
    /// Signal strength γ
    #[arg(long, default_value_t = 0.0)]
    gamma: f64,
    /// Trials to measure over
    #[arg(long, default_value_t = 50_000)]
    trials: u64,
    /// Blocks computed at the same time (default: one a core)
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// One JSON object a batch size
    #[arg(long)]
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

/// Measures every batch size and prints a line for each.
pub fn run(bench: &Bench) -> Result<ExitCode, Refusal> {
    let network = words::network(&bench.network)
        .map_err(|problem| Refusal::Usage(format!("--network: {problem}")))?;
    let choice = Choice::from_str(&bench.device)?;
    let opened = device::open(&choice, bench.workers, network, None)?;
    let lab = trial::lab(network, &opened.seats[0]).map_err(Refusal::failed)?;
    for &batch in &bench.batch {
        if batch == 0 || batch > config::MAX_BLOCK {
            return Err(Refusal::Usage(format!(
                "--batch {batch}: it must lie in 1 to {}",
                config::MAX_BLOCK
            )));
        }
        let plan = trial::Loop {
            block: batch,
            gamma: bench.gamma,
            until: Until::Trials(bench.trials.max(1)),
        };
        let rate = trial::measure(&lab, &opened.seats, plan).map_err(Refusal::failed)?;
        let line = Line {
            device: &opened.name,
            network: network.label(),
            batch,
            trials: bench.trials,
            trials_per_second: rate.round(),
        };
        if bench.json {
            say(serde_json::to_string(&line).map_err(Refusal::failed)?);
        } else {
            say(format_args!(
                "{}  {}  batch {batch:>5}  {rate:>9.0} trials/s",
                opened.label(),
                line.network
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}
