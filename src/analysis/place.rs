//! The place of an experiment in the plan, for its errors, its noise seeds and the images it uses.

use super::AnalysisError;
use crate::ids::BlockIndex;
use crate::session::record::{self, Record};
use crate::session::{Config, config};

/// The place of an experiment in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnalysisPlace {
    /// The session's seed.
    pub seed: u64,
    /// Its index in the plan.
    pub index: usize,
    /// The index of the classification images it uses, if there are any before it.
    pub images: Option<usize>,
    /// The number of γ of those.
    pub gammas: usize,
    /// Whether they include evidence images.
    pub evidence: bool,
}

impl AnalysisPlace {
    pub(super) fn for_analysis(config: &Config, index: usize) -> Self {
        Self {
            seed: config.seed,
            index,
            images: config.images_before(index),
            gammas: config
                .images_of(index)
                .map_or(0, |images| images.gammas.len()),
            evidence: config
                .images_of(index)
                .is_some_and(|images| images.has(config::Response::Evidence)),
        }
    }

    /// An error at a field of this analysis, for example `layers[0]`.
    pub fn field_error(self, field: &str, problem: impl std::fmt::Display) -> AnalysisError {
        AnalysisError(format!("analyses[{}].{field}: {problem}", self.index))
    }

    /// An error about this analysis as a whole.
    pub fn analysis_error(self, problem: impl std::fmt::Display) -> AnalysisError {
        AnalysisError(format!("analyses[{}]: {problem}", self.index))
    }

    /// The error that the data set has no test images.
    pub fn no_test_images_error(self) -> AnalysisError {
        let index = self.index;
        AnalysisError(format!(
            "analyses[{index}]: the data set has no test images; choose one that has"
        ))
    }

    /// The classification images it uses, from the session's record.
    ///
    /// # Errors
    /// If the plan has none before it.
    pub fn classification_images(
        self,
        whole: &Record,
    ) -> Result<&record::ClassificationImages, AnalysisError> {
        let images = self.images.and_then(|index| whole.analyses.get(index));
        images
            .and_then(<record::ClassificationImages as record::ExperimentRecord>::from_analysis)
            .ok_or_else(|| {
                AnalysisError(format!(
                    "analyses[{}]: the plan has no classification images before it",
                    self.index
                ))
            })
    }

    /// The seed of a block of noise; `stream` distinguishes the noise streams of one experiment.
    pub fn noise_seed(self, stream: u64, block: BlockIndex) -> crate::stimulus::BlockSeed {
        crate::stimulus::BlockSeed {
            session: self.seed,
            analysis: self.index as u64,
            stream,
            block,
        }
    }
}

/// The error that an analysis has no test images to show the network.
pub fn no_test_images_error(config: &Config, index: usize) -> AnalysisError {
    AnalysisPlace::for_analysis(config, index).no_test_images_error()
}
