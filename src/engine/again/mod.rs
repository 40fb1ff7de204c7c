//! Trials of classification images that a session was shown, made again.
//!
//! A session keeps counts and sums, not trials. But a block of trials follows from its seed, and the network is kept:
//! so the trials behind a cell of the counts are drawn once more, the network is asked once more, and those that are
//! of the cell are given. Only blocks that are done are looked through, in their order, whoever computes them.

mod looking;

use super::device::{self, DeviceError, Kind, numerics};
use super::inputs;
use super::kept::{self, KeptError};
use super::side_by_side::{self, Bench, SideError};
use crate::data::Dataset;
use crate::nets::graph::GraphError;
use crate::nets::launch;
use crate::session::Session;
use crate::session::config;
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, Difference, GammaTrials};
use crate::stimulus::{BlockSeed, Pool, Source};

use looking::Looking;

/// Which trials are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Which of the plan's classification images, among these alone, from 0.
    pub images: usize,
    /// The place of the signal strength among theirs.
    pub gamma: usize,
    /// Those of this true class; `None`: of any.
    pub truth: Option<usize>,
    /// Those called this class; `None`: any.
    pub called: Option<usize>,
    /// Most trials.
    pub count: usize,
}

impl Search {
    fn is_met_by(&self, truth: usize, called: usize) -> bool {
        self.truth.is_none_or(|own| own == truth) && self.called.is_none_or(|own| own == called)
    }

    /// Trials that are looked for, by the counts of a session.
    fn recorded(&self, trials: &GammaTrials) -> u64 {
        let k = trials.classes().max(1);
        let cells = trials.counts.iter().enumerate();
        // Even blocks, then odd ones.
        let own = cells.filter(|(at, _)| self.is_met_by(at / k % k, at % k));
        own.map(|(_, count)| count).sum()
    }
}

/// One trial, as it was shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Its block.
    pub block: u64,
    /// Its place in the block, from 0.
    pub place: usize,
    /// Its true class; `None` at γ = 0, where no image is to be seen.
    pub truth: Option<usize>,
    /// The training image in it, by its place among them; `None` at γ = 0.
    pub image: Option<usize>,
    /// What the network calls it.
    pub called: usize,
    /// The softmax probability of that, in \[0,1\].
    pub confidence: f64,
    /// What it was shown, row-major \[C,H,W\].
    pub stimulus: Vec<f32>,
    /// The noise alone on its own grid, row-major \[c,h,w\].
    pub noise: Vec<f32>,
    /// The network's logits, \[K\].
    pub outputs: Vec<f32>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The signal strength.
    pub gamma: f64,
    /// Channels, rows and columns of a stimulus.
    pub images: Shape,
    /// Channels, rows and columns of the noise.
    pub grid: Shape,
    /// Number of classes, K.
    pub classes: usize,
    /// The first trials that were looked for, in the order in which they were shown.
    pub trials: Vec<Trial>,
    /// How many there are in the blocks that were looked through.
    pub matching: u64,
    /// How many there are by the counts of the session.
    pub recorded: u64,
    /// Blocks that were looked through, the first ones.
    pub blocks: u64,
    /// Blocks that are done.
    pub of: u64,
    /// What the network was asked on.
    pub device: String,
    /// What somebody should know of how it was asked, a sentence each.
    pub notes: Vec<String>,
}

impl Found {
    /// Whether every block was looked through, and there were others than the session has counted: the network says
    /// something else now.
    pub fn differs(&self) -> bool {
        self.blocks == self.of && self.matching != self.recorded
    }
}

/// Why trials cannot be made again.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// None of them was shown yet.
    #[error("{0} has no such trials yet; run it first: noisescope run {0}")]
    NoTrials(String),
    /// The images are not those that were blended with the noise.
    #[error("{words}; put back those that {name} was shown")]
    OtherImages {
        /// The session.
        name: String,
        /// What differs.
        words: String,
    },
    /// The images, the network or the device cannot be had.
    #[error(transparent)]
    Side(#[from] SideError),
    /// The device failed.
    #[error("the trials could not be shown again: {0}")]
    Failed(String),
}

impl From<KeptError> for AgainError {
    fn from(error: KeptError) -> Self {
        Self::Side(error.into())
    }
}

impl From<GraphError> for AgainError {
    fn from(error: GraphError) -> Self {
        Self::Side(error.into())
    }
}

impl From<DeviceError> for AgainError {
    fn from(error: DeviceError) -> Self {
        Self::Side(error.into())
    }
}

/// Makes trials of a session again that are of the classes looked for, and asks its network of them: where it was
/// asked before, and as it was then, unless another device is wanted.
///
/// # Errors
/// Where there are no such trials, or the network, the images or the device cannot be had.
pub fn again(session: &Session, search: &Search, bench: Bench<'_>) -> Result<Found, AgainError> {
    let nothing = || AgainError::NoTrials(session.name.clone());
    let mut all = session.record.all::<ClassificationImages>();
    let (place, own) = all.nth(search.images).ok_or_else(nothing)?;
    let Some(config::Analysis::ClassificationImages(plan)) = session.config.analyses.get(place)
    else {
        return Err(nothing());
    };
    let trials = own.gammas.get(search.gamma).ok_or_else(nothing)?;
    let form = session.record.form.clone().ok_or_else(nothing)?;
    // A shard's file does not begin at the first block.
    if trials.blocks == 0 || trials.first != 0 {
        return Err(nothing());
    }
    let images = side_by_side::images(session, &form, bench)?;
    check_images(session, &images)?;
    let graph = kept::graph(session, &form, bench.store.folder())?;
    let before = session.record.devices.last().map(String::as_str);
    if before.is_some_and(device::was_direct) {
        launch::compute_directly();
    }
    let wanted = device::Wanted {
        workers: bench.workers,
        ..device::Wanted::of(bench.device)
    };
    let opened = device::open(wanted, session.config.network.kind, before)?;
    let pool = Pool::new(&images.train);
    let looking = Looking {
        seed: BlockSeed {
            session: session.config.seed,
            analysis: place as u64,
            gamma: search.gamma as u64,
            block: 0,
        },
        source: Source::of(plan.noise, plan.grain(), &images.train),
        gamma: trials.gamma,
        plan,
        pool: &pool,
        search,
    };
    let blocks = trials.blocks;
    let gathered = looking.through(&graph, &opened.seats, blocks)?;
    Ok(Found {
        gamma: trials.gamma,
        images: form.shape(),
        grid: looking.source.grid(),
        classes: form.count(),
        trials: gathered.trials,
        matching: gathered.matching,
        recorded: search.recorded(trials),
        blocks: gathered.next,
        of: blocks,
        notes: notes(before, opened.seats[0].kind),
        device: opened.recorded(),
    })
}

/// Whether the images that are blended with noise are those of the last start of a session.
fn check_images(session: &Session, images: &Dataset) -> Result<(), AgainError> {
    let Some(began) = session.record.inputs.last() else {
        return Ok(());
    };
    let differences = inputs::of(images, None).differences(began).into_iter();
    let mut training = differences.filter(|(what, _)| *what == Difference::Images("training"));
    match training.next() {
        None => Ok(()),
        Some((_, words)) => Err(AgainError::OtherImages {
            name: session.name.clone(),
            words,
        }),
    }
}

/// What is not as it was when the session was computed, though it could be.
fn notes(before: Option<&str>, kind: Kind) -> Vec<String> {
    const ROUNDED: &str =
        "the session was computed in TF32; with --tf32 the network is asked as it was";
    let was = before.is_some_and(numerics::was_tf32);
    match kind {
        Kind::Cuda(_) if was && !numerics::is_tf32() => vec![ROUNDED.to_owned()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::TrialKind;

    #[test]
    fn what_is_looked_for_is_counted_over_both_halves_of_the_blocks() {
        let kind = TrialKind::plain(3, [1, 1, 1]);
        let mut trials = GammaTrials::new(0.5, 1, &kind);
        trials.counts = (1..=18).collect();
        let search = |truth, called| Search {
            images: 0,
            gamma: 0,
            truth,
            called,
            count: 1,
        };
        let recorded = |truth, called| search(truth, called).recorded(&trials);
        // True class 1, called 2: the numbers 6 and 15.
        assert_eq!(recorded(Some(1), Some(2)), 21);
        assert_eq!(recorded(Some(1), None), 4 + 5 + 6 + 13 + 14 + 15);
        assert_eq!(recorded(None, Some(0)), 1 + 4 + 7 + 10 + 13 + 16);
        assert_eq!(recorded(None, None), (1..=18).sum::<u64>());
    }
}
