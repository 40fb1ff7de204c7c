//! Refuses activations whose sums a record does not hold: such a session's file could not be read again.

use super::{COVARIANCE, GRADIENTS, SpikeTriggered, StaMeasurement};
use crate::analysis::{AnalysisError, Experiment};
use crate::session::record::{BlockCovariance, BlockResponses};
use crate::stats::sums::fit_blocks;

/// What to do about it.
const REMEDY: &str = "name other layers in `layers`, or let the network scale its activations";

impl SpikeTriggered {
    /// The measurements of one block of a part.
    ///
    /// # Errors
    /// If some are not finite, or those of all its blocks might be too large; with the layer.
    pub(super) fn bounded(
        &self,
        part: usize,
        measured: StaMeasurement,
    ) -> Result<StaMeasurement, AnalysisError> {
        let blocks = Experiment::sequences(self)[part].blocks;
        let layer = match &measured {
            StaMeasurement::Responses(halves) => halves.iter().find_map(|(_, layers)| {
                layers.iter().position(|sums| !responses_fit(sums, blocks))
            }),
            StaMeasurement::Gradients(layers) => layers
                .iter()
                .position(|(_, sums)| !fit_blocks(sums, blocks)),
            StaMeasurement::Covariance(sums) if covariance_fits(sums, blocks) => None,
            StaMeasurement::Covariance(_) => Some(0),
        };
        let Some(layer) = layer else {
            return Ok(measured);
        };
        let name = match (part, &self.config.covariance) {
            (COVARIANCE, Some(unit)) => unit.layer.clone(),
            _ => self.sites[self.chosen()?[layer]].name.clone(),
        };
        let what = match part {
            GRADIENTS => "gradients",
            _ => "activations",
        };
        Err(self.place.analysis_error(format!(
            "the {what} of `{name}` are not finite or too large to be summed over {blocks} blocks; {REMEDY}"
        )))
    }
}

/// Whether as many blocks as these fit the record.
pub(super) fn responses_fit(sums: &BlockResponses, blocks: u64) -> bool {
    let all = [
        &sums.activation,
        &sums.magnitude,
        &sums.stimulus,
        &sums.weighted,
    ];
    all.into_iter().all(|sums| fit_blocks(sums, blocks))
}

fn covariance_fits(sums: &BlockCovariance, blocks: u64) -> bool {
    let all = [&sums.activation[..], &sums.weighted, &sums.outer];
    all.into_iter().all(|sums| fit_blocks(sums, blocks))
}
