//! `noisescope bench`: trials per second of the noise loop, on an untrained network.

use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::Refusal;
use super::say::say;
use crate::analysis::classification_images::ClassificationImages;
use crate::analysis::{Analysis, Lab, Place};
use crate::data;
use crate::engine::device::{self, Choice, Opened};
use crate::engine::workers::{Answer, Workers};
use crate::nets::Network;
use crate::session::config::{self, DatasetName, DatasetSource, NetworkKind};
use crate::session::record::{BlockSums, GammaTrials};
use crate::stimulus::Pool;

/// What to measure.
#[derive(Debug, Args)]
pub struct Bench {
    /// auto or flex
    #[arg(long, default_value = "auto")]
    device: String,
    /// cnn, mlp or logistic
    #[arg(long, default_value = "cnn", value_parser = network)]
    network: NetworkKind,
    /// Trials a block (repeatable)
    #[arg(long, value_name = "N", default_values_t = [64, 128, 256, 512])]
    batch: Vec<usize>,
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

fn network(name: &str) -> Result<NetworkKind, String> {
    let known = NetworkKind::ALL
        .into_iter()
        .find(|kind| kind.label() == name);
    known.ok_or_else(|| {
        let names: Vec<&str> = NetworkKind::ALL
            .into_iter()
            .map(NetworkKind::label)
            .collect();
        format!("there are {}", names.join(", "))
    })
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
    let opened = device::open(&Choice::from_str(&bench.device)?, bench.workers);
    let images = data::load(
        DatasetName::Mnist,
        &DatasetSource::Embedded,
        std::path::Path::new(""),
    )
    .map_err(Refusal::failed)?;
    let lab = Lab {
        network: Network::new(bench.network, 1, &opened.device),
        device: opened.device.clone(),
        kind: bench.network,
        pool: Pool::new(&images.train),
        dataset: Arc::new(images),
    };
    for &batch in &bench.batch {
        if batch == 0 || batch > config::MAX_BLOCK {
            return Err(Refusal::Usage(format!(
                "--batch {batch}: it must lie in 1 to {}",
                config::MAX_BLOCK
            )));
        }
        let rate = measure(&lab, &opened, batch, bench.trials.max(1))?;
        let line = Line {
            device: &opened.name,
            network: bench.network.label(),
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

/// Trials per second of the whole loop: noise, blending, network, sums, merging.
fn measure(lab: &Lab, opened: &Opened, batch: usize, trials: u64) -> Result<f64, Refusal> {
    // One extra block a worker to warm up on.
    let warm_up = (opened.workers * batch) as u64;
    let plan = config::ClassificationImages {
        gammas: vec![0.0],
        trials: trials + warm_up,
        block: batch,
        ..Default::default()
    };
    let place = Place {
        seed: 1,
        index: 0,
        images: None,
    };
    let mut record = GammaTrials::new(0.0, plan.min_trials, lab.pool.classes(), (28, 28));
    let analysis: Arc<dyn Analysis> = Arc::new(ClassificationImages::new(plan, place, lab));
    let workers = Workers::start(opened.workers, &analysis, lab).map_err(Refusal::failed)?;
    let total = analysis.parts()[0].blocks;
    let (mut dealt, mut began, mut counted) = (0, Instant::now(), 0);
    while record.blocks < total {
        while dealt < total
            && workers.offer(crate::analysis::Job {
                part: 0,
                block: dealt,
            })
        {
            dealt += 1;
        }
        match workers.answer(Duration::from_secs(1)) {
            Answer::Done(_, sums) => {
                if let Ok(sums) = sums.downcast::<BlockSums>() {
                    record.add(&sums);
                    counted += sums.trials;
                }
            }
            Answer::NotYet | Answer::AllBack => {}
            Answer::Failed(fault) => return Err(Refusal::failed(fault)),
        }
        if record.blocks <= opened.workers as u64 {
            (began, counted) = (Instant::now(), 0);
        }
    }
    Ok(counted as f64 / began.elapsed().as_secs_f64())
}
