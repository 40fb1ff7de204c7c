//! The noise that the networks of an audit are shown: references that share it with another network are refused.

use std::path::Path;

/// What determined the noise that a network was shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShownNoise {
    /// The session's seed.
    pub(super) seed: u64,
    /// Index of the analysis in its plan.
    pub(super) analysis: usize,
    /// The stream within the analysis.
    pub(super) stream: usize,
    /// Trials per block.
    pub(super) block: usize,
    /// Whether an audit trained the network, which the same numbers determined.
    pub(super) trained: bool,
}

impl ShownNoise {
    /// Whether another network was shown the same noise, or is the same network.
    pub(super) fn is_shared_with(self, other: Self) -> bool {
        let of = |noise: Self| (noise.seed, noise.analysis, noise.stream);
        let is_same_network = self.trained && other.trained;
        of(self) == of(other) && (self.block == other.block || is_same_network)
    }
}

/// Who was shown noise.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown<'a> {
    /// The network under study.
    Suspect,
    /// A reference that the audit trains.
    Trained,
    /// A reference of the session in this file.
    Listed(&'a Path),
}

/// What references that err alike lead to.
pub(super) const AMONG_REFERENCES: &str = "every other network stands out from them";

/// Why the references of a session cannot be used, some of which were shown the same noise as `other`.
pub(super) fn shared_noise(path: &Path, other: Shown<'_>, seed: u64) -> String {
    const ANOTHER_SEED: &str = "give this session another seed";
    let (other, effect, remedy) = match other {
        Shown::Listed(other) => (
            format!("those of {}", other.display()),
            AMONG_REFERENCES,
            "list one of the two, or run one of them again with another seed",
        ),
        Shown::Trained => (
            "those trained here".to_owned(),
            AMONG_REFERENCES,
            ANOTHER_SEED,
        ),
        Shown::Suspect => (
            "the network under study".to_owned(),
            "it would stand out from them less than it does",
            ANOTHER_SEED,
        ),
    };
    format!(
        "{}: its references were shown the same noise as {other}, since both sessions have seed {seed}: their maps err alike, and {effect}; {remedy} (--set seed={})",
        path.display(),
        seed.wrapping_add(1)
    )
}
