//! The inputs of a session, so that it resumes with the same ones: fingerprints of its images and of
//! weights from a file, and the programs that ran it.

use serde::{Deserialize, Serialize};

/// Images of one split, identified by content and not by path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Split")]
pub struct SplitFingerprint {
    /// Number of images.
    pub images: u64,
    /// SHA-256 of their sizes, labels and pixels, in hexadecimal.
    pub sha256: String,
}

/// The inputs of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Training images.
    pub train: SplitFingerprint,
    /// Test images.
    pub test: SplitFingerprint,
    /// SHA-256 of the weights file; `None` if the network is trained here.
    #[serde(default)]
    pub weights: Option<String>,
}

/// An input that differs from the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputDifference {
    /// The images of a split.
    Images(&'static str),
    /// The weights file.
    Weights,
}

impl Inputs {
    /// Differences from the original inputs, with a description of each. A weights file that no longer
    /// exists is no difference, since the session contains the weights.
    pub fn differences(&self, began: &Self) -> Vec<(InputDifference, String)> {
        let splits = [
            ("training", &self.train, &began.train),
            ("test", &self.test, &began.test),
        ];
        let splits = splits.into_iter().filter(|(_, now, then)| now != then);
        let mut all: Vec<(InputDifference, String)> = splits
            .map(|(split, now, then)| {
                let words = format!(
                    "the {split} images differ: {} with SHA-256 {}…; it began with {} with SHA-256 {}…",
                    now.images,
                    short(&now.sha256),
                    then.images,
                    short(&then.sha256)
                );
                (InputDifference::Images(split), words)
            })
            .collect();
        if let (Some(now), Some(then)) = (&self.weights, &began.weights)
            && now != then
        {
            let words = format!(
                "the weights file differs: its SHA-256 is {}…; the session used {}…",
                short(now),
                short(then)
            );
            all.push((InputDifference::Weights, words));
        }
        all
    }
}

/// The part of a checksum that a person compares.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// One start of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// When it started, in seconds since the Unix epoch.
    pub at: i64,
    /// The program: its version and build.
    pub program: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_inputs_are_named_and_missing_weights_do_not_count() {
        let split = |sum: &str| SplitFingerprint {
            images: 3,
            sha256: sum.repeat(32),
        };
        let began = Inputs {
            train: split("ab"),
            test: split("cd"),
            weights: Some("ef".repeat(32)),
        };
        assert!(began.differences(&began).is_empty());
        let gone = Inputs {
            weights: None,
            ..began.clone()
        };
        assert!(gone.differences(&began).is_empty());
        let other = Inputs {
            train: split("00"),
            test: split("cd"),
            weights: Some("11".repeat(32)),
        };
        let found = other.differences(&began);
        assert_eq!(found[0].0, InputDifference::Images("training"));
        assert!(found[0].1.contains("000000000000…") && found[0].1.contains("abababababab…"));
        assert_eq!(found[1].0, InputDifference::Weights);
        assert_eq!(found.len(), 2);
    }
}
