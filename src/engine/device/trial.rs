//! How fast a device is: the noise loop itself, run for a moment on an untrained network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::seat::Seat;
use crate::analysis::classification_images::ClassificationImages;
use crate::analysis::{Analysis, Experiment, Lab, Place, Resident};
use crate::data::{self, Dataset};
use crate::engine::answer::Answer;
use crate::engine::fault::guarded;
use crate::engine::workers::Workers;
use crate::nets::foreign::Foreign;
use crate::nets::graph::GraphError;
use crate::nets::{Ports, Subject};
use crate::session::Config;
use crate::session::config::{self, DatasetName, NetworkKind, Response};
use crate::session::record::{self, BlockSums, Record};
use crate::stimulus::Pool;

/// How long `auto` tries each device.
pub const SHORT: Duration = Duration::from_millis(500);

/// Blocks a launch that a GPU is tried with; no more than those after which a target reliability is looked at.
const LAUNCHES: [usize; 4] = [4, 16, 32, 64];

/// How much faster a larger launch must be to be taken.
const WORTH: f64 = 1.03;

/// Launches whose sums are read together while a device is tried.
const LAUNCHES_A_JOB: u64 = 4;

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// So many trials.
    Trials(u64),
    /// So long.
    Time(Duration),
}

/// What is measured: the noise loop at one γ.
#[derive(Debug, Clone, Copy)]
pub struct Loop {
    /// Trials a block.
    pub block: usize,
    /// The signal's strength.
    pub gamma: f64,
    /// Whether evidence is summed beside decisions.
    pub evidence: bool,
    /// How long.
    pub until: Until,
}

/// A laboratory that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// No images.
    #[error(transparent)]
    Data(#[from] data::DataError),
    /// No network.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// A laboratory with an untrained network and the built-in images.
///
/// # Errors
/// Where the built-in images cannot be read.
pub fn lab(network: NetworkKind, seat: &Seat) -> Result<Lab, LabError> {
    let images = data::embedded::dataset(DatasetName::Mnist)?;
    // What a file brings is stood in for by `cnn`.
    let network = match network {
        NetworkKind::Onnx => NetworkKind::Cnn,
        kind => kind,
    };
    let subject = Subject::untrained(network, Ports::from(&images.form()), 1, &seat.device)?;
    Ok(set_up(network, subject, images, seat))
}

/// A laboratory with the network of a file: with the built-in images where these fit it, else with
/// none.
///
/// # Errors
/// Where the built-in images cannot be read, or the graph cannot be rewritten.
pub fn lab_of(network: &Foreign, seat: &Seat) -> Result<Lab, LabError> {
    let images = data::embedded::dataset(DatasetName::Mnist)?;
    let images = match network.fits(&images.form()) {
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
        resident: Resident::default(),
    }
}

/// Trials per second that these workers make together.
///
/// # Errors
/// What the device said where it does not compute.
pub fn trials_per_second(
    seats: &[Seat],
    network: NetworkKind,
    time: Duration,
) -> Result<f64, String> {
    let Some(first) = seats.first() else {
        return Err("there is no worker".into());
    };
    let lab = guarded(|| lab(network, first))?.map_err(|error| error.to_string())?;
    let plan = Loop {
        block: config::ClassificationImages::default().block,
        gamma: 0.0,
        evidence: true,
        until: Until::Time(time),
    };
    measure(&lab, seats, plan)
}

/// Whether these workers compute at all: one launch each.
///
/// # Errors
/// What the device said.
pub fn check(seats: &[Seat], network: NetworkKind) -> Result<(), String> {
    let mut seats = seats.to_vec();
    seats.iter_mut().for_each(|seat| seat.blocks = 2);
    trials_per_second(&seats, network, Duration::ZERO).map(|_| ())
}

/// The best number of blocks a launch for the workers of a GPU on the network under study, of so many trials each,
/// and the trials per second that it makes.
///
/// # Errors
/// What the GPU said where it does not compute at all.
pub fn best_launch(seats: &[Seat], lab: &Lab, block: usize) -> Result<(usize, f64), String> {
    let plan = Loop {
        block,
        gamma: 0.0,
        evidence: true,
        until: Until::Time(SHORT),
    };
    let mut best: Result<(usize, f64), String> = Err("it was not tried".into());
    for blocks in LAUNCHES {
        let mut seats = seats.to_vec();
        seats.iter_mut().for_each(|seat| seat.blocks = blocks);
        match (measure(lab, &seats, plan), &best) {
            // A larger one must be worth its memory.
            (Ok(rate), Ok((_, most))) if rate <= WORTH * *most => {}
            (Ok(rate), _) => best = Ok((blocks, rate)),
            // More than this has no room.
            (Err(_), Ok(_)) => break,
            (Err(said), Err(_)) => return Err(said),
        }
    }
    best
}

/// Trials per second of the whole loop: noise, blending, network, sums, merging.
///
/// # Errors
/// What the device said where it does not compute.
pub fn measure(lab: &Lab, seats: &[Seat], plan: Loop) -> Result<f64, String> {
    // A launch a worker to warm up on; of one that is fed, a job and one more, since what comes first there waits
    // for libraries, images and memory.
    let each = match seats[0].is_fed() {
        true => LAUNCHES_A_JOB * seats[0].blocks as u64,
        false => 1,
    };
    let jobs = seats.len() as u64 * if seats[0].is_fed() { 2 } else { 1 };
    let warm_up = each * jobs;
    let trials = match plan.until {
        Until::Trials(trials) => trials + warm_up * plan.block as u64,
        Until::Time(_) => config::MAX_TRIALS >> 5,
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
    let place = Place {
        seed: 1,
        index: 0,
        images: None,
        gammas: 0,
        evidence: false,
    };
    let mut analysis = ClassificationImages::new(images, place, lab);
    let mut record = record::ClassificationImages::default();
    // What a run does before its first block.
    let nothing = Record::new(&Config::default());
    Experiment::begin(&mut analysis, 0, lab, &nothing, &mut record)
        .map_err(|error| error.to_string())?;
    let mut record = record.gammas.swap_remove(0);
    let analysis: Arc<dyn Analysis> = Arc::new(analysis);
    let workers = Workers::start(seats, &analysis, lab).map_err(|error| error.to_string())?;
    let total = analysis.parts()[0].blocks;
    let over = |began: Instant, blocks: u64| match plan.until {
        Until::Trials(_) => blocks >= total,
        // Where not even the warm-up is done, it takes as long as it takes.
        Until::Time(time) => blocks > warm_up && began.elapsed() >= time,
    };
    let mut dealt = 0;
    let (mut began, mut counted) = (Instant::now(), 0);
    while !over(began, record.blocks) {
        dealt = workers.hand_out(0, dealt, total, each);
        match workers.answer(Duration::from_secs(1)) {
            Answer::Done(_, sums, _) => {
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
            // A rate with fewer blocks than were asked for is none of theirs.
            Answer::Fewer { .. } => return Err("it has not the memory for so many blocks".into()),
            Answer::NotYet | Answer::AllBack | Answer::Note(_) => {}
            Answer::Failed(fault) => return Err(fault.to_string()),
        }
    }
    Ok(counted as f64 / began.elapsed().as_secs_f64())
}
