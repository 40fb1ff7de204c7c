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
        if let Some(suspect) = suspect {
            suspect.conclude(plan);
        }
        self.examine(plan);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::four;
    use super::*;
    use crate::session::array::Array;
    use crate::session::record::{Analysis, AuditedNetwork, Suspect};

    #[test]
    fn a_network_is_taken_from_the_engine_that_measured_it_and_never_twice() {
        let study = |seeds: [u64; 3], blocks: [u64; 3]| {
            let network = |seed| Suspect::untrained(false, seed);
            Analysis::Backdoor(Backdoor {
                progress: BlockProgress {
                    blocks: blocks.to_vec(),
                    done: 0,
                    total: 9,
                },
                networks: seeds.map(network).to_vec(),
            })
        };
        let mut whole = study([1, 2, 3], [1, 0, 0]);
        whole.absorb(&study([11, 12, 13], [1, 2, 0])).unwrap();
        assert!(whole == study([1, 12, 3], [2, 2, 0]));
    }

    #[test]
    fn a_suspects_trials_add_up_until_its_images_are_computed() {
        let audit = |seeds: [u64; 2], blocks: [u64; 2]| {
            let mut suspect = AuditedNetwork::new(AuditRole::Suspect, seeds[1]);
            suspect.trials = vec![four()];
            let reference = AuditedNetwork::new(AuditRole::Reference, seeds[0]);
            Audit {
                progress: BlockProgress {
                    blocks: blocks.to_vec(),
                    done: 0,
                    total: 9,
                },
                networks: vec![reference, suspect],
                ..Audit::default()
            }
        };
        let mut whole = audit([1, 2], [0, 0]);
        let mut other = audit([11, 12], [3, 1]);
        whole.absorb(&other).unwrap();
        assert_eq!(
            (whole.networks[0].seed, whole.networks[1].seed),
            (11, 2),
            "the reference is taken over, the suspect is not"
        );
        assert_eq!(whole.networks[1].trials[0].trials, 8);
        assert_eq!(whole.progress.blocks, [3, 1]);
        other.networks[1].called = vec![1, 1];
        other.networks[1].trials.clear();
        other.progress.blocks = vec![0, 0];
        whole.absorb(&other).unwrap();
        assert!(whole.networks[1] == other.networks[1]);
        // In a damaged file, a part without a network may have begun.
        let mut whole = audit([1, 2], [0, 0]);
        let mut damaged = whole.clone();
        whole.progress.blocks.push(0);
        damaged.progress.blocks.push(1);
        whole.absorb(&damaged).unwrap();
        assert_eq!(whole.progress.blocks, [0, 0, 1]);
    }

    #[test]
    fn a_suspect_is_judged_once_its_trials_are_merged() {
        let plan = config::Analysis::Audit(config::Audit::default());
        let reference = AuditedNetwork {
            called: vec![1, 1],
            images: Array::zeros(&[2, 1, 1, 1]),
            ..AuditedNetwork::new(AuditRole::Reference, 1)
        };
        let mut suspect = AuditedNetwork::new(AuditRole::Suspect, 2);
        suspect.trials = vec![four()];
        let shard = Analysis::Audit(Audit {
            networks: vec![reference, suspect],
            ..Audit::default()
        });
        let mut whole = shard.clone();
        whole.absorb(&shard).unwrap();
        whole.conclude(&plan);
        let Analysis::Audit(audit) = &mut whole else {
            unreachable!()
        };
        let networks = &mut audit.networks;
        assert!(networks.iter().all(|network| network.examined.is_some()));
        assert_eq!(networks[1].called, [4, 4]);
        assert!(networks[1].trials.is_empty());
        // Without trials there is nothing to judge.
        networks[1] = AuditedNetwork::new(AuditRole::Suspect, 2);
        networks[0].examined = None;
        whole.conclude(&plan);
        let Analysis::Audit(audit) = &whole else {
            unreachable!()
        };
        assert!(
            audit
                .networks
                .iter()
                .all(|network| network.examined.is_none())
        );
    }
}
