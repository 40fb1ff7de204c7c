//! Merging records of networks that are each measured entirely by one engine.

use super::is_settled;
use crate::session::config;
use crate::session::record::{Audit, AuditRole, Backdoor, BlockProgress};

/// The parts, each a chain of blocks, that the other has begun and this one has not.
fn new_chains<'a>(
    progress: &BlockProgress,
    more: &'a BlockProgress,
) -> impl Iterator<Item = usize> + use<'a> {
    let done = progress.blocks.clone();
    let begun = more
        .blocks
        .iter()
        .enumerate()
        .filter(|(_, done)| **done > 0);
    begun
        .map(|(part, _)| part)
        .filter(move |&part| done.get(part).is_none_or(|&blocks| blocks == 0))
}

/// Takes over a network that another engine has measured. In a damaged file, a part may have none.
fn replace<T: Clone>(networks: &mut [T], measured: &[T], part: usize) {
    if let (Some(network), Some(measured)) = (networks.get_mut(part), measured.get(part)) {
        network.clone_from(measured);
    }
}

impl Backdoor {
    /// Each network is measured entirely by one engine.
    pub(super) fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if is_settled(self, more, |record| record.networks.is_empty()) {
            return Ok(());
        }
        for part in new_chains(&self.progress, &more.progress) {
            replace(&mut self.networks, &more.networks, part);
        }
        self.progress.add(&more.progress)
    }
}

impl Audit {
    /// Each network trained for the audit is measured entirely by one engine; the suspect's trials add
    /// up.
    pub(super) fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if is_settled(self, more, |record| record.networks.is_empty()) {
            return Ok(());
        }
        let suspect = self
            .networks
            .iter()
            .position(|network| network.role == AuditRole::Suspect);
        for part in new_chains(&self.progress, &more.progress) {
            if Some(part) != suspect {
                replace(&mut self.networks, &more.networks, part);
            }
        }
        if let Some(index) = suspect
            && let Some(more) = more.networks.get(index)
        {
            let network = &mut self.networks[index];
            if more.is_concluded() {
                network.clone_from(more);
            }
            for (trials, more) in network.trials.iter_mut().zip(&more.trials) {
                trials.absorb(more)?;
            }
        }
        self.progress.add(&more.progress)
    }

    /// Draws the conclusions about the suspect, now that all its trials are here.
    pub(super) fn conclude(&mut self, plan: &config::Audit) {
        let suspect = self
            .networks
            .iter_mut()
            .find(|network| network.role == AuditRole::Suspect);
        if let Some(suspect) =
            suspect.filter(|network| !network.is_concluded() && !network.trials.is_empty())
        {
            suspect.conclude(plan);
        }
        self.examine(plan);
    }
}
