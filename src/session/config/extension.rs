//! Extensions: more trials of classification images, without training again.

use serde::{Deserialize, Serialize};

use crate::ids::{BlockIndex, Gamma};

use super::ClassificationImages;
use crate::session::form::Form;

/// More trials of classification images, requested after the session was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The γ to extend; `None`: all.
    #[serde(default)]
    pub gamma: Option<Gamma>,
    /// Total number of trials at that γ.
    pub trials: u64,
    /// Reliability at which it is done early; `None`: run all trials.
    #[serde(default)]
    pub target: Option<f64>,
    /// The class whose map must reach the target, by name or number; `None`: every class.
    #[serde(default)]
    pub class: Option<String>,
}

impl Extension {
    /// Whether it applies to a γ.
    pub fn applies_to(&self, gamma: Gamma) -> bool {
        self.gamma.is_none_or(|extended| extended == gamma)
    }
}

/// The trials of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockTrials {
    /// Index of the first trial at its γ.
    pub first: u64,
    /// Number of trials.
    pub trials: usize,
}

impl ClassificationImages {
    /// Trial counts at which a γ stopped or will stop, ascending: the plan's, then each extension's. The
    /// last block before each may be short.
    fn ends(&self, gamma: Gamma) -> Vec<u64> {
        let mut ends = vec![self.trials];
        for extension in self
            .extended
            .iter()
            .filter(|extension| extension.applies_to(gamma))
        {
            if ends.last().is_some_and(|last| extension.trials > *last) {
                ends.push(extension.trials);
            }
        }
        ends
    }

    /// Total trials at a γ.
    pub fn trials_at(&self, gamma: Gamma) -> u64 {
        self.ends(gamma).last().copied().unwrap_or(self.trials)
    }

    /// Whether extension number `place`, from 0, changes a γ: it raises its trials; or it has just the
    /// number planned and either a target or no γ whose trials it raises, so that one that stopped at its target runs
    /// on.
    pub fn changes(&self, place: usize, gamma: Gamma) -> bool {
        let Some(extension) = self.extended.get(place) else {
            return false;
        };
        let planned = |gamma: Gamma| {
            let earlier = self.extended.iter().take(place);
            let applying = earlier.filter(|earlier| earlier.applies_to(gamma));
            applying.fold(self.trials, |most, earlier| most.max(earlier.trials))
        };
        let raises =
            |gamma: Gamma| extension.applies_to(gamma) && extension.trials > planned(gamma);
        let repeats = extension.applies_to(gamma) && extension.trials == planned(gamma);
        let changes_all = extension.target.is_some() || !self.gammas.iter().any(|&g| raises(g));
        raises(gamma) || (repeats && changes_all)
    }

    /// Total trials over all γ.
    pub fn trials_in_all(&self) -> u64 {
        let all = self.gammas.iter().map(|&gamma| self.trials_at(gamma));
        all.fold(0, u64::saturating_add)
    }

    /// Number of blocks up to each stop at a γ, ascending. All blocks are full, except for the last one before each.
    pub fn blocks_to_stops(&self, gamma: Gamma) -> Vec<u64> {
        let (mut blocks, mut before) = (0, 0);
        let mut stops = Vec::new();
        for end in self.ends(gamma) {
            blocks += (end - before).div_ceil(self.block as u64);
            before = end;
            stops.push(blocks);
        }
        stops
    }

    /// Number of blocks at a γ.
    pub fn blocks_at(&self, gamma: Gamma) -> u64 {
        self.blocks_to_stops(gamma).last().copied().unwrap_or(0)
    }

    /// The trials of block `block` at a γ: a full block, except for the last one before each stop.
    pub fn span(&self, gamma: Gamma, block: BlockIndex) -> BlockTrials {
        let (mut left, mut before) = (block.0, 0);
        for end in self.ends(gamma) {
            let blocks = (end - before).div_ceil(self.block as u64);
            if left < blocks {
                let first = before + left * self.block as u64;
                let trials = (end - first).min(self.block as u64) as usize;
                return BlockTrials { first, trials };
            }
            left -= blocks;
            before = end;
        }
        BlockTrials {
            first: before,
            trials: 0,
        }
    }

    /// Trials in the first `blocks` blocks of a γ.
    pub fn trials_before(&self, gamma: Gamma, blocks: u64) -> u64 {
        self.span(gamma, BlockIndex(blocks)).first
    }

    /// Checks that a class exists and has a map, so that it can reach a target.
    ///
    /// # Errors
    /// Why not, and the classes that exist or have maps.
    pub fn check_target_class(&self, class: &str, form: &Form) -> Result<(), String> {
        let found = form.find(class)?;
        match self.listed(form) {
            Ok(listed) if !listed.contains(&found) => Err(format!(
                "class {} has no map; the plan has maps of {}",
                form.name(found),
                self.classes.join(", ")
            )),
            _ => Ok(()),
        }
    }

    /// The reliability at which a γ is done early, and the class that must reach it; `None`: every
    /// class.
    pub fn target_at(&self, gamma: Gamma) -> Option<(f64, Option<&str>)> {
        let mut places = 0..self.extended.len();
        let last = places.rfind(|&place| self.changes(place, gamma));
        match last.and_then(|place| self.extended.get(place)) {
            Some(extension) => extension
                .target
                .map(|target| (target, extension.class.as_deref())),
            None => self.target.map(|target| (target, None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOISE: Gamma = Gamma::NOISE;
    const BLEND: Gamma = Gamma(0.3);

    fn plan(trials: u64, more: &[u64]) -> ClassificationImages {
        let extended = more.iter().map(|&trials| Extension {
            gamma: None,
            trials,
            target: None,
            class: None,
        });
        ClassificationImages {
            gammas: vec![NOISE, BLEND],
            trials,
            block: 100,
            extended: extended.collect(),
            ..Default::default()
        }
    }

    proptest! {
        /// An extension does not change earlier blocks, and blocks are contiguous.
        #[test]
        fn extended_blocks_are_contiguous_and_keep_earlier_ones(
            trials in 1..2000_u64,
            more in prop::collection::vec(1..4000_u64, 0..4),
        ) {
            let (before, after) = (plan(trials, &[]), plan(trials, &more));
            for block in BlockIndex::first(before.blocks_at(NOISE)) {
                prop_assert_eq!(before.span(NOISE, block), after.span(NOISE, block));
            }
            let mut next = 0;
            for block in BlockIndex::first(after.blocks_at(NOISE)) {
                let BlockTrials { first, trials } = after.span(NOISE, block);
                prop_assert_eq!(first, next);
                prop_assert!((1..=100).contains(&trials));
                next += trials as u64;
                prop_assert_eq!(after.trials_before(NOISE, block.0 + 1), next);
            }
            prop_assert_eq!(next, after.trials_at(NOISE));
            let most = more.iter().copied().max().unwrap_or(0);
            prop_assert_eq!(next, trials.max(most));
        }
    }

    #[test]
    fn one_gamma_can_be_extended_alone_and_to_its_own_target() {
        let mut plan = plan(250, &[]);
        plan.target = Some(0.9);
        plan.extended.push(Extension {
            gamma: Some(BLEND),
            trials: 700,
            target: Some(0.95),
            class: Some("7".into()),
        });
        assert_eq!((plan.trials_at(NOISE), plan.trials_at(BLEND)), (250, 700));
        assert_eq!((plan.blocks_at(NOISE), plan.blocks_at(BLEND)), (3, 8));
        assert_eq!(plan.trials_in_all(), 950);
        assert_eq!(plan.target_at(NOISE), Some((0.9, None)));
        assert_eq!(plan.target_at(BLEND), Some((0.95, Some("7"))));
    }

    #[test]
    fn a_gamma_that_is_not_raised_keeps_its_target() {
        let mut plan = plan(250, &[]);
        plan.target = Some(0.9);
        let towards = |gamma: Option<Gamma>, trials: u64, target: Option<f64>| Extension {
            gamma,
            trials,
            target,
            class: None,
        };
        plan.extended.push(towards(Some(BLEND), 700, Some(0.95)));
        plan.extended.push(towards(None, 400, None));
        assert_eq!((plan.trials_at(NOISE), plan.trials_at(BLEND)), (400, 700));
        assert_eq!(plan.target_at(NOISE), None);
        assert_eq!(plan.target_at(BLEND), Some((0.95, None)));
        // The number planned for the other γ raises this one alone.
        plan.extended.push(towards(None, 700, None));
        assert_eq!(plan.target_at(NOISE), None);
        assert_eq!(plan.target_at(BLEND), Some((0.95, None)));
        // Where it raises no γ, the same number takes the target away.
        plan.extended.push(towards(Some(BLEND), 700, None));
        assert_eq!(plan.target_at(BLEND), None);
        // A target is for every γ that is not planned to have more.
        plan.extended.push(towards(Some(NOISE), 900, None));
        plan.extended.push(towards(None, 700, Some(0.99)));
        assert_eq!(plan.target_at(NOISE), None);
        assert_eq!(plan.target_at(BLEND), Some((0.99, None)));
        plan.extended.push(towards(None, 900, Some(0.99)));
        assert_eq!(plan.target_at(NOISE), Some((0.99, None)));
        assert_eq!(plan.target_at(BLEND), Some((0.99, None)));
    }
}
