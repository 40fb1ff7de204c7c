//! What a session was made from, so that it goes on with nothing else: fingerprints of its images and of the
//! weights that somebody else made, and the programs that worked on it.

use serde::{Deserialize, Serialize};

/// Images of one split, by what they are and not by where they lie.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// How many.
    pub images: u64,
    /// SHA-256 of their sizes, labels and pixels, in hexadecimal.
    pub sha256: String,
}

/// What a run is made from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Training images.
    pub train: Split,
    /// Test images.
    pub test: Split,
    /// SHA-256 of the file that the weights came from; `None` where the network is trained here.
    #[serde(default)]
    pub weights: Option<String>,
}

/// An input that is another than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The images of a split.
    Images(&'static str),
    /// The file of the weights.
    Weights,
}

impl Inputs {
    /// What differs from what a session began on, in words. Weights whose file is not there any more are in the
    /// session, and do not differ.
    pub fn differences(&self, began: &Self) -> Vec<(Difference, String)> {
        let splits = [
            ("training", &self.train, &began.train),
            ("test", &self.test, &began.test),
        ];
        let splits = splits.into_iter().filter(|(_, now, then)| now != then);
        let mut all: Vec<(Difference, String)> = splits
            .map(|(split, now, then)| {
                let words = format!(
                    "the {split} images are others: {} with SHA-256 {}…, where it began on {} with {}…",
                    now.images,
                    short(&now.sha256),
                    then.images,
                    short(&then.sha256)
                );
                (Difference::Images(split), words)
            })
            .collect();
        if let (Some(now), Some(then)) = (&self.weights, &began.weights)
            && now != then
        {
            let words = format!(
                "the file of the weights is another: SHA-256 {}…, where it took those with {}…",
                short(now),
                short(then)
            );
            all.push((Difference::Weights, words));
        }
        all
    }
}

/// As much of a checksum as a person compares.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// One start of an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// When, seconds since the Unix epoch.
    pub at: i64,
    /// The program: its version, and which build of it.
    pub program: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_and_weights_that_are_gone_do_not() {
        let split = |sum: &str| Split {
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
        assert_eq!(found[0].0, Difference::Images("training"));
        assert!(found[0].1.contains("000000000000…") && found[0].1.contains("abababababab…"));
        assert_eq!(found[1].0, Difference::Weights);
        assert_eq!(found.len(), 2);
    }
}
