//! Reproducing past trials of a session's classification images.
//!
//! A session keeps counts and sums, not trials. But its seed determines a block of trials, and the network is kept:
//! so the trials behind a cell of the counts are found by drawing them again and showing them to the network again.
//! Only finished blocks are searched, and the result does not depend on which worker computes them.

mod search;

use super::agreement_run::{self, ReplaySetup, SameTrialsError};
use super::device::records::Convolutions;
use super::device::{self, DeviceError, DeviceKind, numerics};
use super::inputs;
use super::originals::{self, OriginalsError};
use crate::data::Dataset;
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::nets::graph::GraphError;
use crate::session::Session;
use crate::session::config;
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, GammaTrials, InputDifference};
use crate::stimulus::{BlockSeed, NoiseSource, Pool};

use search::BlockSearch;

/// Which trials to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialSearch {
    /// Index among the plan's classification images only, from 0.
    pub images: usize,
    /// Index of γ among theirs.
    pub gamma_index: usize,
    /// True class; `None` for any.
    pub truth: Option<ClassId>,
    /// Class the network decided on; `None` for any.
    pub decision: Option<ClassId>,
    /// Maximum number of trials to return.
    pub count: usize,
}

impl TrialSearch {
    fn matches(&self, truth: ClassId, called: ClassId) -> bool {
        let is_any_or =
            |class: Option<ClassId>, found: ClassId| class.is_none_or(|class| class == found);
        is_any_or(self.truth, truth) && is_any_or(self.decision, called)
    }

    /// Number of matching trials by the session's counts.
    fn recorded(&self, trials: &GammaTrials) -> u64 {
        let k = trials.classes().max(1);
        let cells = trials.counts.iter().enumerate();
        // Even blocks, then odd ones.
        let matching =
            cells.filter(|(cell, _)| self.matches(ClassId(cell / k % k), ClassId(cell % k)));
        matching.map(|(_, count)| count).sum()
    }
}

/// One reproduced trial.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedTrial {
    /// Its block.
    pub block: BlockIndex,
    /// Its place in the block, from 0.
    pub place: usize,
    /// Its true class; `None` at γ = 0, where no image is visible.
    pub truth: Option<ClassId>,
    /// Index of its image among the training images; `None` at γ = 0.
    pub image: Option<usize>,
    /// The class the network decided on.
    pub decision: ClassId,
    /// The softmax probability of that class, in \[0,1\].
    pub confidence: f64,
    /// The stimulus, row-major \[C,H,W\].
    pub stimulus: Vec<f32>,
    /// The noise on its own grid, row-major \[c,h,w\].
    pub noise: Vec<f32>,
    /// The network's logits, \[K\].
    pub outputs: Vec<f32>,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundTrials {
    /// The signal strength.
    pub gamma: Gamma,
    /// Channels, rows and columns of a stimulus.
    pub images: Shape,
    /// Channels, rows and columns of the noise.
    pub grid: Shape,
    /// Number of classes, K.
    pub classes: usize,
    /// The first matching trials, in the order in which they were shown.
    pub trials: Vec<ReplayedTrial>,
    /// Number of matches in the searched blocks.
    pub matching: u64,
    /// Number of matches by the session's counts.
    pub recorded: u64,
    /// Number of blocks searched, from the first on.
    pub searched_blocks: u64,
    /// Number of finished blocks.
    pub finished_blocks: u64,
    /// The device that the network ran on.
    pub device: String,
    /// Notes on how the network ran, a sentence each.
    pub notes: Vec<String>,
}

impl FoundTrials {
    /// Whether all blocks were searched and the number of matches differs from the session's counts, so that the
    /// network now decides differently.
    pub fn differs(&self) -> bool {
        self.searched_blocks == self.finished_blocks && self.matching != self.recorded
    }
}

/// Why trials cannot be reproduced.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// None of them has been shown yet.
    #[error("{0} has no such trials yet; run it first: noisescope run {0}")]
    NoTrials(String),
    /// The images are not those that were blended with the noise.
    #[error("{words}; restore the images that {name} ran with")]
    OtherImages {
        /// The session.
        name: String,
        /// The differences.
        words: String,
    },
    /// The images, the network or the device cannot be opened.
    #[error(transparent)]
    Open(#[from] SameTrialsError),
    /// The device failed.
    #[error("the trials could not be shown again: {0}")]
    Failed(String),
}

impl From<OriginalsError> for ReplayError {
    fn from(error: OriginalsError) -> Self {
        Self::Open(error.into())
    }
}

impl From<GraphError> for ReplayError {
    fn from(error: GraphError) -> Self {
        Self::Open(error.into())
    }
}

impl From<DeviceError> for ReplayError {
    fn from(error: DeviceError) -> Self {
        Self::Open(error.into())
    }
}

/// Reproduces the trials of a session that match the search, on the session's last device and in the same way unless
/// another device is chosen.
///
/// # Errors
/// If there are no such trials, or the network, the images or the device cannot be opened.
pub fn find_trials(
    session: &Session,
    search: &TrialSearch,
    bench: ReplaySetup<'_>,
) -> Result<FoundTrials, ReplayError> {
    let nothing = || ReplayError::NoTrials(session.name.clone());
    let mut all = session.record.all::<ClassificationImages>();
    let (place, record) = all.nth(search.images).ok_or_else(nothing)?;
    let Some(config::Analysis::ClassificationImages(plan)) = session.config.analyses.get(place)
    else {
        return Err(nothing());
    };
    let trials = record.gammas.get(search.gamma_index).ok_or_else(nothing)?;
    let form = session.record.form.clone().ok_or_else(nothing)?;
    // A shard's file does not begin at the first block.
    if trials.blocks == 0 || trials.first != 0 {
        return Err(nothing());
    }
    let images = agreement_run::images(session, &form, bench)?;
    check_images(session, &images)?;
    let graph = originals::graph(session, &form, bench.store.folder())?;
    let before = session.record.devices.last().map(String::as_str);
    Convolutions::apply(bench.convolutions, &session.record.devices);
    let wanted = bench.request(trials.blocks);
    let opened = device::open(wanted, session.config.network.kind, before)?;
    let pool = Pool::new(&images.train);
    let looking = BlockSearch {
        seed: BlockSeed {
            session: session.config.seed,
            analysis: place as u64,
            stream: search.gamma_index as u64,
            block: BlockIndex(0),
        },
        source: NoiseSource::with_grain(plan.noise, plan.grain(), &images.train),
        gamma: trials.gamma,
        plan,
        pool: &pool,
        search,
    };
    let blocks = trials.blocks;
    let gathered = looking.run(&graph, &opened.seats, blocks)?;
    Ok(FoundTrials {
        gamma: trials.gamma,
        images: form.shape(),
        grid: looking.source.grid(),
        classes: form.class_count(),
        trials: gathered.trials,
        matching: gathered.matching,
        recorded: search.recorded(trials),
        searched_blocks: gathered.next,
        finished_blocks: blocks,
        notes: notes(before, opened.seats[0].kind),
        device: opened.record_label(),
    })
}

/// Checks that the images are those of the session's last recorded inputs.
fn check_images(session: &Session, images: &Dataset) -> Result<(), ReplayError> {
    let Some(began) = session.record.inputs.last() else {
        return Ok(());
    };
    let differences = inputs::fingerprints(images, None)
        .differences(began)
        .into_iter();
    let is_training =
        |difference: &InputDifference| *difference == InputDifference::Images("training");
    let mut training = differences.filter(|(difference, _)| is_training(difference));
    match training.next() {
        None => Ok(()),
        Some((_, words)) => Err(ReplayError::OtherImages {
            name: session.name.clone(),
            words,
        }),
    }
}

/// Avoidable differences from how the session was computed.
fn notes(before: Option<&str>, kind: DeviceKind) -> Vec<String> {
    const ROUNDED: &str =
        "the session was computed in TF32; use --tf32 to run the network the same way";
    let was = before.is_some_and(numerics::is_recorded_tf32);
    match kind {
        DeviceKind::Cuda(_) if was && !numerics::is_tf32() => vec![ROUNDED.to_owned()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::TrialKind;

    #[test]
    fn matching_trials_are_counted_over_both_halves_of_the_blocks() {
        let kind = TrialKind::plain(3, [1, 1, 1]);
        let mut trials = GammaTrials::new(Gamma(0.5), 1, &kind);
        trials.counts = (1..=18).collect();
        let search = |truth, called| TrialSearch {
            images: 0,
            gamma_index: 0,
            truth,
            decision: called,
            count: 1,
        };
        let recorded = |truth, called| search(truth, called).recorded(&trials);
        // True class 1, called 2: the numbers 6 and 15.
        assert_eq!(recorded(Some(ClassId(1)), Some(ClassId(2))), 21);
        assert_eq!(recorded(Some(ClassId(1)), None), 4 + 5 + 6 + 13 + 14 + 15);
        assert_eq!(recorded(None, Some(ClassId(0))), 1 + 4 + 7 + 10 + 13 + 16);
        assert_eq!(recorded(None, None), (1..=18).sum::<u64>());
    }
}
