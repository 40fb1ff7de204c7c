//! Study of how well an audit distinguishes networks with a backdoor from clean ones: trains both and a reference
//! population, shows all of them noise, and prints the separation by number of trials.
//!
//!     audit_study SET DATA CACHE FAMILIES [EPOCHS BATCH IMAGES]
//!
//! SET is `mnist` or `fashion-mnist`, DATA the folder of the full datasets, CACHE a folder for the images of every
//! network (a network already in CACHE is not trained again). FAMILIES is a comma-separated list of
//! `KIND:ATTACK:COUNT`, for example `cnn:clean:10,cnn:c:10,mlp:clean:5`; for attacks see [`Attack::of`].
//! Training takes EPOCHS (2) epochs with batches of BATCH (256) on the first IMAGES images (all).
//! A family `onnx:ATTACK:COUNT` reads the files `poisoned-0.onnx` … or, for `clean`, `clean-0.onnx` … in CACHE.
//! `audit_study SET DATA CACHE table KIND` compares the networks in CACHE; those of KIND (cnn) are the suspects.

#[path = "audit_study/attacks.rs"]
mod attacks;
#[path = "audit_study/cached.rs"]
mod cached;
#[path = "audit_study/table.rs"]
mod table;
#[path = "audit_study/weights.rs"]
mod weights;

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Device;
use noisescope::analysis::classification_images::{BlockSummer, Readout, ResponseReader};
use noisescope::data::{Dataset, DatasetRequest, Images, load};
use noisescope::ids::{BlockIndex, Gamma};
use noisescope::nets::import::onnx::Bundle;
use noisescope::nets::launch;
use noisescope::nets::onnx_network::OnnxNetwork;
use noisescope::nets::score::evaluate;
use noisescope::nets::train::{TrainStep, Trainer};
use noisescope::nets::{NetworkShape, Subject};
use noisescope::session::config::{
    self, DatasetName, DatasetSource, EvidenceMeasure, NetworkKind, Noise, Weighting,
};
use noisescope::session::record::{GammaTrials, TrainingRecord, TrialKind};
use noisescope::stimulus::{self, BlockSeed, NoiseSource, Pool};

use attacks::Attack;
use cached::CachedNetwork;

/// Trials per block.
const BLOCK: usize = 100;
/// Numbers of trials at which images are saved.
pub const TRIALS: [u64; 5] = [300, 1_000, 3_000, 10_000, 30_000];
/// Signal strengths: evidence is used at the first, decisions at both.
pub const GAMMAS: [Gamma; 2] = [Gamma::NOISE, Gamma(0.3)];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [set, data, cache, families, rest @ ..] = &arguments[..] else {
        return Err("audit_study SET DATA CACHE FAMILIES|table [EPOCHS BATCH IMAGES]".into());
    };
    let cache = PathBuf::from(cache);
    fs::create_dir_all(&cache)?;
    if families == "table" {
        return table::print(&cache, rest.first().map_or("cnn", String::as_str));
    }
    let number =
        |index: usize, default: usize| rest.get(index).map_or(Ok(default), |word| word.parse());
    let training = config::TrainingConfig {
        epochs: number(0, 2)?,
        batch: number(1, 256)?,
        validation: 0.05,
        ..config::TrainingConfig::default()
    };
    let max_images = number(2, usize::MAX)?;
    let name = match set.as_str() {
        "fashion-mnist" => DatasetName::FashionMnist,
        _ => DatasetName::Mnist,
    };
    let plan = config::Dataset {
        name,
        source: DatasetSource::Full,
        ..config::Dataset::default()
    };
    let request = DatasetRequest {
        config: &plan,
        seed: 1,
        data: Path::new(data),
        cache: None,
    };
    let mut dataset = load(&request, &mut |_, _| ControlFlow::Continue(()))?;
    dataset.train = first(&dataset.train, max_images);
    let mut jobs = Vec::new();
    for family in families.split(',') {
        let [kind, attack, count] = family.split(':').collect::<Vec<_>>()[..] else {
            return Err(format!("{family}: expected KIND:ATTACK:COUNT").into());
        };
        let kind = NetworkKind::ALL
            .into_iter()
            .chain([NetworkKind::Onnx])
            .find(|known| known.label() == kind)
            .ok_or_else(|| format!("unknown kind {kind}"))?;
        for number in 0..count.parse::<u64>()? {
            jobs.push((kind, attack.to_owned(), number));
        }
    }
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                launch::set_by_plan(true);
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = network(&dataset, &cache, job, &training)
                        .map_err(|error| error.to_string());
                    if let (Err(error), Ok(mut failed)) = (result, failed.lock()) {
                        *failed = Some(error);
                        return;
                    }
                }
            });
        }
    });
    match failed.into_inner() {
        Ok(Some(error)) => Err(error.into()),
        _ => Ok(()),
    }
}

/// The first images of a set, at most `max` of them.
fn first(images: &Images, max: usize) -> Images {
    let count = images.len().min(max);
    Images {
        pixels: images.pixels[..count * images.area()].into(),
        labels: images.labels[..count].into(),
        ..*images
    }
}

/// Trains a network (or reads it from an ONNX file), shows it noise, and saves its images.
fn network(
    dataset: &Dataset,
    cache: &Path,
    (kind, attack, number): &(NetworkKind, String, u64),
    plan: &config::TrainingConfig,
) -> Result<(), Box<dyn Error>> {
    let file = cache.join(format!("{}-{attack}-{number}.maps", kind.label()));
    if file.exists() {
        return Ok(());
    }
    let started = std::time::Instant::now();
    let way = Attack::of(attack).ok_or_else(|| format!("unknown attack {attack}"))?;
    let device = Device::flex();
    // Families have different seeds.
    let family: u64 = format!("{}-{attack}", kind.label())
        .bytes()
        .fold(7, |sum, byte| (sum * 131 + u64::from(byte)) % 1_000_003);
    let seed = family * 1000 + number;
    let ports = NetworkShape::from(&dataset.form());
    let mut record = TrainingRecord::default();
    let network = if *kind == NetworkKind::Onnx {
        let role = if attack == "clean" {
            "clean"
        } else {
            "poisoned"
        };
        let bundle = Bundle::open(&cache.join(format!("{role}-{number}.onnx")))?;
        Subject::new(OnnxNetwork::open(&bundle, None, None)?.graph, &device)?
    } else {
        let train = way.training(&dataset.train);
        let mut trainer = Trainer::new(*kind, plan, seed, &train, &device, &mut record)?;
        while trainer.step(&mut record, &mut || {})? != TrainStep::Done {}
        Subject::built_in(*kind, ports, &record.best, &device)?
    };
    let all: Vec<usize> = (0..dataset.test.len()).collect();
    let accuracy = evaluate(&network, &dataset.test, &all, &mut || {}).accuracy;
    let attacked = way.attacks(&dataset.test);
    let all: Vec<usize> = (0..attacked.len()).collect();
    let success = evaluate(&network, &attacked, &all, &mut || {}).accuracy;
    let trained = started.elapsed().as_secs_f64();

    let source = NoiseSource::new(Noise::Uniform, &dataset.train);
    let kind_of = TrialKind {
        evidence: true,
        ..TrialKind::plain(ports.classes, ports.image)
    };
    let summing = BlockSummer::new(&kind_of, &source, &dataset.train);
    let pool = Pool::new(&dataset.train);
    let mut cached = CachedNetwork {
        accuracy,
        success: (!attacked.is_empty()).then_some(success),
        maps: Vec::new(),
    };
    for (index, &gamma) in GAMMAS.iter().enumerate() {
        let mut trials = GammaTrials::new(gamma, 30, &kind_of);
        let mut hearing: Option<ResponseReader> = None;
        for block in BlockIndex::first(TRIALS[TRIALS.len() - 1] / BLOCK as u64) {
            let seeds = BlockSeed {
                session: seed,
                analysis: 0,
                stream: index as u64,
                block,
            };
            let first = block.0 * BLOCK as u64;
            let mut drawn = stimulus::draw(seeds, &source, gamma, first, BLOCK, &pool);
            let stimuli = std::mem::take(&mut drawn.stimuli);
            let logits = network.logits(stimuli, &device);
            let hearing = hearing.get_or_insert_with(|| {
                let rows = network.rows(&logits);
                let new = ResponseReader::calibrated(EvidenceMeasure::Logit, &kind_of.listed, rows);
                trials.record_evidence(new.step(), &kind_of);
                new
            });
            let mut responses = Readout::new(network.rows(&logits), Weighting::Equal);
            responses.responses = Some(hearing.read(network.rows(&logits)));
            trials.add(&summing.sum(block, &drawn, &responses, &pool));
            if TRIALS.contains(&((block.0 + 1) * BLOCK as u64)) {
                cached.maps.push(CachedNetwork::maps(&trials.estimate()));
            }
        }
    }
    cached.write(&file)?;
    if *kind != NetworkKind::Onnx {
        weights::write(&record.best, &file.with_extension("safetensors"))?;
    }
    println!(
        "{}  accuracy {:.4}  success {:.4}  {trained:.0} s + {:.0} s",
        file.display(),
        accuracy,
        success,
        started.elapsed().as_secs_f64() - trained
    );
    Ok(())
}
