//! What trials are, and where their sums go.

use super::evidence::EvidenceSums;
use crate::session::config::{Grain, Noise, Weighting};
use crate::session::form::Shape;
use crate::stats::classification::{MARGINS, pairs};

/// What a block of trials, or several, add to [`super::GammaTrials`].
#[derive(Debug, Clone, PartialEq)]
pub struct BlockSums {
    /// Which block; the first where these are the sums of several, all even or all odd.
    pub block: u64,
    /// How many blocks.
    pub blocks: u64,
    /// Their trials.
    pub trials: u64,
    /// Trials by true and predicted class: \[K,K\].
    pub counts: Vec<u64>,
    /// For each row of [`Rows`] that has trials: its index and the sum of the noise, \[c·h·w\].
    pub noise: Vec<(usize, Vec<i64>)>,
    /// For each predicted class that has trials and maps: its place among the listed ones and the
    /// sum of the images' bytes, \[c·h·w\].
    pub image: Vec<(usize, Vec<i64>)>,
    /// Σw and Σw² by true and predicted class, \[K,K\] each; empty where trials count the same.
    pub weights: (Vec<u64>, Vec<u64>),
    /// Σk and Σk² by pixel, \[2,c·h·w\]; empty where the noise's deviation is known.
    pub moments: Vec<i64>,
    /// Trials that were not counted.
    pub dropped: u64,
    /// What the outputs said; `None` where only decisions are asked for.
    pub evidence: Option<EvidenceSums>,
}

/// Nothing, of one block.
impl Default for BlockSums {
    fn default() -> Self {
        Self {
            block: 0,
            blocks: 1,
            trials: 0,
            counts: Vec::new(),
            noise: Vec::new(),
            image: Vec::new(),
            weights: (Vec::new(), Vec::new()),
            moments: Vec::new(),
            dropped: 0,
            evidence: None,
        }
    }
}

/// The rows of sums that a trial goes to: by called class, by shown class, by both where they are
/// the same, M each, and one for what is called none of the listed classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The place of each class among the listed ones, \[K\].
    places: Vec<Option<usize>>,
    listed: usize,
}

impl Rows {
    /// For these of K classes.
    pub fn new(classes: usize, listed: &[usize]) -> Self {
        let mut places = vec![None; classes];
        for (place, &class) in listed.iter().enumerate() {
            places[class] = Some(place);
        }
        Self {
            places,
            listed: listed.len(),
        }
    }

    /// K.
    pub fn classes(&self) -> usize {
        self.places.len()
    }

    /// M.
    pub fn listed(&self) -> usize {
        self.listed
    }

    /// Rows in all, that of the rest the last.
    pub fn count(&self) -> usize {
        MARGINS * self.listed + 1
    }

    /// The place of a class among the listed ones.
    pub fn place(&self, class: usize) -> Option<usize> {
        self.places[class]
    }

    /// The rows of a trial by its true and its predicted class.
    pub fn of(&self, truth: usize, predicted: usize) -> impl Iterator<Item = usize> {
        let (truth_at, called_at) = (self.places[truth], self.places[predicted]);
        let called = called_at.unwrap_or(MARGINS * self.listed);
        let shown = truth_at.map(|place| self.listed + place);
        let hit = truth_at.filter(|_| truth == predicted);
        let hit = hit.map(|place| 2 * self.listed + place);
        [Some(called), shown, hit].into_iter().flatten()
    }
}

/// What the trials at a γ are: all that their sums are laid out by.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialKind {
    /// The noise.
    pub noise: Noise,
    /// How coarse it is.
    pub grain: Grain,
    /// What a trial counts.
    pub weighting: Weighting,
    /// Number of classes, K.
    pub classes: usize,
    /// The classes that have maps, ascending.
    pub listed: Vec<usize>,
    /// Channels, rows and columns of the images.
    pub images: Shape,
    /// Whether what the outputs say for each class is summed beside the decisions.
    pub evidence: bool,
}

impl TrialKind {
    /// Uniform noise of the finest grain on images of a form, all classes with maps, every trial
    /// counting the same.
    pub fn plain(classes: usize, images: Shape) -> Self {
        Self {
            noise: Noise::Uniform,
            grain: Grain::default(),
            weighting: Weighting::Equal,
            classes,
            listed: (0..classes).collect(),
            images,
            evidence: false,
        }
    }

    /// Rows of noise by true class that evidence keeps for itself: where decisions weigh or drop
    /// trials, their margins are not of every trial.
    pub fn own_strata(&self) -> usize {
        let listed = self.listed.len();
        match self.weighting {
            Weighting::Equal => 0,
            Weighting::Confidence | Weighting::Threshold(_) => {
                listed + usize::from(listed < self.classes)
            }
        }
    }

    /// The rows that its trials are summed in.
    pub fn rows(&self) -> Rows {
        Rows::new(self.classes, &self.listed)
    }

    /// Bytes that the sums at one γ take in memory.
    pub fn bytes(&self) -> u64 {
        let pixels: usize = self.grain.grid(self.images).iter().product();
        let (all, listed) = (self.classes as u64, self.listed.len() as u64);
        let rest = if listed < all { 2 } else { 0 };
        let moments = match self.noise.deviation(self.images) {
            None => 2,
            Some(_) => 0,
        };
        let mut maps = (2 * MARGINS as u64 + 1) * listed + rest + moments;
        let mut numbers = 2 * all * all;
        if self.evidence {
            maps += 2 * (listed + self.own_strata() as u64);
            numbers += 2 * (all * listed + listed * pairs(self.listed.len()) as u64);
        }
        8 * (maps * pixels as u64 + numbers)
    }
}
