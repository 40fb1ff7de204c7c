//! Measuring the speed of a device: runs the noise loop briefly, usually on an untrained network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::seat::Seat;
use crate::analysis::classification_images::ClassificationImages;
use crate::analysis::{AnalysisPlace, DeviceData, DynExperiment, Experiment, Lab};
use crate::data::{self, Dataset};
use crate::engine::answer::WorkerAnswer;
use crate::engine::fault::catch_panic;
use crate::engine::workers::Workers;
use crate::ids::{BlockIndex, Gamma};
use crate::nets::graph::GraphError;
use crate::nets::onnx_network::OnnxNetwork;
use crate::nets::{NetworkShape, Subject};
use crate::session::Config;
use crate::session::config::{self, DatasetName, NetworkKind, Response};
use crate::session::record::{self, BlockSums, Record};
use crate::stimulus::Pool;

/// How long `auto` tries each device.
pub const SHORT: Duration = Duration::from_millis(500);

/// Blocks per launch to try on a GPU; no more than the blocks between two checks of a target reliability.
const LAUNCHES: [usize; 4] = [4, 16, 32, 64];

/// How many times faster a larger launch must be to be chosen.
const MIN_SPEEDUP: f64 = 1.03;

/// Launches per job while a device is measured.
const LAUNCHES_A_JOB: u64 = 4;

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub enum MeasureLimit {
    /// For this many trials.
    Trials(u64),
    /// For this long.
    Time(Duration),
}

/// The noise loop to measure, at one γ.
#[derive(Debug, Clone, Copy)]
pub struct NoiseLoop {
    /// Trials per block.
    pub block: usize,
    /// The signal's strength.
    pub gamma: Gamma,
    /// Whether evidence is summed as well as decisions.
    pub evidence: bool,
    /// How long to measure.
    pub until: MeasureLimit,
}

/// Why a lab cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The images cannot be read.
    #[error(transparent)]
    Data(#[from] data::DataError),
    /// The network cannot be built.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// A lab with an untrained network and the built-in images.
///
/// # Errors
/// If the built-in images cannot be read.
pub fn untrained_lab(network: NetworkKind, seat: &Seat) -> Result<Lab, LabError> {
    let images = data::embedded::dataset(DatasetName::Mnist)?;
    // `cnn` represents networks from files.
    let network = match network {
        NetworkKind::Onnx => NetworkKind::Cnn,
        kind => kind,
    };
    let subject = Subject::untrained(network, NetworkShape::from(&images.form()), 1, &seat.device)?;
    Ok(set_up(network, subject, images, seat))
}

/// A lab with the network of a file, and the built-in images if they fit it.
///
/// # Errors
/// If the built-in images cannot be read, or the graph cannot be rewritten.
pub fn lab_for_file(network: &OnnxNetwork, seat: &Seat) -> Result<Lab, LabError> {
    let images = data::embedded::dataset(DatasetName::Mnist)?;
    let images = match network.check_fits(&images.form()) {
        Ok(()) => images,
        Err(_) => Dataset::none(network.form()),
    };
    let subject = Subject::new(network.graph.clone(), &seat.device)?;
    Ok(set_up(NetworkKind::Onnx, subject, images, seat))
}

fn set_up(kind: NetworkKind, network: Subject, images: Dataset, seat: &Seat) -> Lab {
    Lab {
        network,
        form: Arc::new(images.form()),
        device: seat.device.clone(),
        kind,
        pool: Pool::new(&images.train),
        dataset: Arc::new(images),
        resident: DeviceData::default(),
    }
}

/// Trials per second that these workers compute together.
///
/// # Errors
/// The device's message if it fails.
pub fn trials_per_second(
    seats: &[Seat],
    network: NetworkKind,
    time: Duration,
) -> Result<f64, String> {
    let Some(first) = seats.first() else {
        return Err("there is no worker".into());
    };
    let lab = catch_panic(|| untrained_lab(network, first))?.map_err(|error| error.to_string())?;
    let plan = NoiseLoop {
        block: config::ClassificationImages::default().block,
        gamma: Gamma::NOISE,
        evidence: true,
        until: MeasureLimit::Time(time),
    };
    measure(&lab, seats, plan)
}

/// Checks that these workers compute at all, by one launch each.
///
/// # Errors
/// The device's message.
pub fn check_computes(seats: &[Seat], network: NetworkKind) -> Result<(), String> {
    let mut seats = seats.to_vec();
    seats.iter_mut().for_each(|seat| seat.blocks = 2);
    trials_per_second(&seats, network, Duration::ZERO).map(|_| ())
}

/// The best number of blocks per launch, of `block` trials each, for the workers of a GPU on the network under study,
/// and its trials per second.
///
/// # Errors
/// The GPU's message if it fails even with the smallest launch.
pub fn best_launch(seats: &[Seat], lab: &Lab, block: usize) -> Result<(usize, f64), String> {
    let plan = NoiseLoop {
        block,
        gamma: Gamma::NOISE,
        evidence: true,
        until: MeasureLimit::Time(SHORT),
    };
    let mut best: Result<(usize, f64), String> = Err("it was not tried".into());
    for blocks in LAUNCHES {
        let mut seats = seats.to_vec();
        seats.iter_mut().for_each(|seat| seat.blocks = blocks);
        match (measure(lab, &seats, plan), &best) {
            // A larger one must be worth its memory.
            (Ok(rate), Ok((_, most))) if rate <= MIN_SPEEDUP * *most => {}
            (Ok(rate), _) => best = Ok((blocks, rate)),
            // A launch this large does not fit.
            (Err(_), Ok(_)) => break,
            (Err(message), Err(_)) => return Err(message),
        }
    }
    best
}

/// Trials per second of the whole loop: noise, blending, network, sums, merging.
///
/// # Errors
/// The device's message if it fails.
pub fn measure(lab: &Lab, seats: &[Seat], plan: NoiseLoop) -> Result<f64, String> {
    // To warm up, a block per worker; for a worker that feeds a device two jobs, since the first one waits for
    // libraries, images and memory.
    let each = match seats[0].is_fed() {
        true => LAUNCHES_A_JOB * seats[0].blocks as u64,
        false => 1,
    };
    let jobs = seats.len() as u64 * if seats[0].is_fed() { 2 } else { 1 };
    let warm_up = each * jobs;
    let trials = match plan.until {
        MeasureLimit::Trials(trials) => trials + warm_up * plan.block as u64,
        MeasureLimit::Time(_) => config::MAX_TRIALS >> 5,
    };
    let images = config::ClassificationImages {
        gammas: vec![plan.gamma],
        trials,
        block: plan.block,
        responses: match plan.evidence {
            true => Response::ALL.to_vec(),
            false => vec![Response::Decision],
        },
        ..Default::default()
    };
    let place = AnalysisPlace {
        seed: 1,
        index: 0,
        images: None,
        gammas: 0,
        evidence: false,
    };
    let mut analysis = ClassificationImages::new(images, place, lab);
    let mut record = record::ClassificationImages::default();
    // As a run does before its first block.
    let nothing = Record::new(&Config::default());
    Experiment::begin(&mut analysis, 0, lab, &nothing, &mut record)
        .map_err(|error| error.to_string())?;
    let mut record = record.gammas.swap_remove(0);
    let analysis: Arc<dyn DynExperiment> = Arc::new(analysis);
    let workers = Workers::start(seats, &analysis, lab).map_err(|error| error.to_string())?;
    let total = analysis.sequences()[0].blocks;
    let over = |began: Instant, blocks: u64| match plan.until {
        MeasureLimit::Trials(_) => blocks >= total,
        // The warm-up is always completed, however long it takes.
        MeasureLimit::Time(time) => blocks > warm_up && began.elapsed() >= time,
    };
    let mut dealt = BlockIndex(0);
    let (mut began, mut counted) = (Instant::now(), 0);
    while !over(began, record.blocks) {
        dealt = workers.offer_blocks(0, dealt, BlockIndex(total), each);
        match workers.poll(Duration::from_secs(1)) {
            WorkerAnswer::Done(_, sums, _) => {
                if let Ok(sums) = sums.downcast::<Vec<BlockSums>>() {
                    for sums in sums.iter() {
                        record.add(sums);
                        counted += sums.trials;
                    }
                }
                if record.blocks <= warm_up {
                    (began, counted) = (Instant::now(), 0);
                }
            }
            // A rate with fewer blocks would not be that of the requested launch.
            WorkerAnswer::FewerBlocks { .. } => {
                return Err("there is too little memory for this many blocks".into());
            }
            WorkerAnswer::NotYet | WorkerAnswer::Idle | WorkerAnswer::Note(_) => {}
            WorkerAnswer::Failed(fault) => return Err(fault.to_string()),
        }
    }
    Ok(counted as f64 / began.elapsed().as_secs_f64())
}
