//! The plan of an audit: the network under study against a reference population.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::session::form::Form;
use crate::stats::audit::{LEAST_REFERENCES, Window};
use crate::stats::classification::MOST_TRIALS;
use crate::stats::numbers::Response;

use super::check::{self, invalid};
use super::network::{NetworkKind, Training};
use super::noise::Noise;
use super::{Grain, Invalid};

/// The network under study as it is, against clean networks that are trained on the plan's own
/// images: what it looks for and they do not. What is found is tried by pasting it on test images,
/// and what would be found is told by networks that are poisoned for the purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Clean networks to compare with.
    pub references: usize,
    /// Files of sessions whose networks, or whose audits' references, are references too: finished ones
    /// on the same images, with noise, γ and response as here.
    pub sessions: Vec<PathBuf>,
    /// Their architecture, and that of the poisoned ones.
    pub kind: ReferenceKind,
    /// How they are trained.
    pub training: Training,
    /// Poisoned networks, to tell what would be found: each has a white square of its own in a corner
    /// of one training image in twenty, which are labelled as a class of its own.
    pub power: usize,
    /// The noise.
    pub noise: Noise,
    /// Side of the squares of equal pixels that the noise consists of; 1: every pixel its own.
    pub cell: usize,
    /// Signal strength in \[0,1).
    pub gamma: f64,
    /// Which images are compared: evidence images, or those of decisions for a network that is a black
    /// box, which take more trials and γ above 0 (0.3).
    pub response: Response,
    /// Trials for each network.
    pub trials: u64,
    /// Fewer trials than this make a class insufficient.
    pub min_trials: u64,
    /// Test images on which what is found is pasted; the first ones.
    pub paste_images: usize,
    /// Trials a block.
    pub block: usize,
}

/// The architecture of the references.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferenceKind {
    /// That of the network under study where it is a built-in one; `Mlp`, which fits all images, for
    /// the network of an ONNX file.
    Same,
    /// See [`NetworkKind::Cnn`].
    Cnn,
    /// See [`NetworkKind::Mlp`].
    Mlp,
    /// See [`NetworkKind::Logistic`].
    Logistic,
    /// See [`NetworkKind::Rnn`].
    Rnn,
    /// See [`NetworkKind::Simple`].
    Simple,
    /// See [`NetworkKind::Complex`].
    Complex,
}

impl ReferenceKind {
    /// The architecture, where the network under study is of this one.
    pub fn of(self, suspect: NetworkKind) -> NetworkKind {
        match (self, suspect) {
            (Self::Same, NetworkKind::Onnx) | (Self::Mlp, _) => NetworkKind::Mlp,
            (Self::Same, kind) => kind,
            (Self::Cnn, _) => NetworkKind::Cnn,
            (Self::Logistic, _) => NetworkKind::Logistic,
            (Self::Rnn, _) => NetworkKind::Rnn,
            (Self::Simple, _) => NetworkKind::Simple,
            (Self::Complex, _) => NetworkKind::Complex,
        }
    }
}

/// Of so many training images one is poisoned.
pub const POISONED: usize = 20;

/// Side of the square that poisons them, in pixels.
const SIDE: usize = 4;

/// Most classes whose findings are pasted: those of the highest scores.
pub const MOST_PASTED: usize = 10;

/// The square that the poisoned network of index `nth` has in its images: its top row, left column
/// and side, a pixel from a corner, where the images are large enough.
pub fn square(form: &Form, nth: usize) -> Window {
    let side = SIDE.min(form.height).min(form.width);
    let far = |length: usize| length.saturating_sub(side + 1);
    let near = |length: usize| 1.min(length - side);
    let (top, left) = (near(form.height), near(form.width));
    let (bottom, right) = (far(form.height).max(top), far(form.width).max(left));
    let corners = [(bottom, left), (top, left), (bottom, right), (top, right)];
    let (row, column) = corners[nth % corners.len()];
    (row, column, side)
}

/// The class that the backdoor of the poisoned network of index `nth` leads to.
pub fn target(form: &Form, nth: usize) -> usize {
    nth % form.count().max(1)
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            references: 5,
            sessions: Vec::new(),
            kind: ReferenceKind::Same,
            training: Training {
                epochs: 2,
                ..Training::default()
            },
            power: 1,
            noise: Noise::Uniform,
            cell: 1,
            gamma: 0.0,
            response: Response::Evidence,
            trials: 3_000,
            min_trials: 30,
            paste_images: 1_000,
            block: 100,
        }
    }
}

impl Audit {
    /// Its name in views, reports and exports.
    pub const LABEL: &'static str = "audit";
    /// What its progress counts.
    pub const UNIT: &'static str = "images";

    /// Networks that are trained: the references, then the poisoned ones.
    pub fn trained(&self) -> usize {
        self.references + self.power
    }

    /// Networks in all, without those that are taken from sessions: those that are trained, and the
    /// suspect.
    pub fn networks(&self) -> usize {
        self.trained() + 1
    }

    /// How coarse its noise is.
    pub fn grain(&self) -> Grain {
        Grain {
            cell: self.cell,
            ..Grain::default()
        }
    }

    /// Refuses noise that images of `form` cannot show: the field, and why.
    ///
    /// # Errors
    /// In words.
    pub fn fits(&self, form: &Form) -> Result<(), (&'static str, String)> {
        self.noise
            .fits(form.shape())
            .map_err(|problem| ("noise", problem))
    }

    pub(super) fn validate(&self, path: &str) -> Result<(), Invalid> {
        if self.references < LEAST_REFERENCES && self.sessions.is_empty() {
            return invalid(
                format!("{path}.references"),
                format!(
                    "{} references; it takes {LEAST_REFERENCES} at least, since each is compared with the others, and 5 do well",
                    self.references
                ),
            );
        }
        if self.references.max(self.power) > 200 {
            return invalid(
                format!("{path}.references"),
                "more than 200 networks have no room in one session",
            );
        }
        self.training.validate(&format!("{path}.training"))?;
        self.noise.validate(&format!("{path}.noise"))?;
        self.noise.validate_grain(self.grain(), path)?;
        if !(0.0..1.0).contains(&self.gamma) {
            return invalid(
                format!("{path}.gamma"),
                format!("γ = {} is outside [0, 1)", self.gamma),
            );
        }
        check::trials(path, "trials", self.trials, MOST_TRIALS)?;
        check::enough_to_average(path, self.min_trials)?;
        check::block_size(path, self.block)?;
        check::at_least_one(path, &[("paste_images", self.paste_images)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_lie_a_pixel_inside_the_corners() {
        let form = Form::numbered([1, 28, 28], 10);
        let squares: Vec<Window> = (0..5).map(|nth| square(&form, nth)).collect();
        let corners = [(23, 1, 4), (1, 1, 4), (23, 23, 4), (1, 23, 4), (23, 1, 4)];
        assert_eq!(squares, corners);
        // On images without room they still lie inside.
        for size in 1..8 {
            let form = Form::numbered([1, size, size], 2);
            for nth in 0..4 {
                let (row, column, side) = square(&form, nth);
                assert!(row + side <= size && column + side <= size, "{size}");
            }
        }
    }

    #[test]
    fn references_of_the_same_kind_as_a_file_are_those_that_fit_all_images() {
        let of = |kind: ReferenceKind, suspect| kind.of(suspect);
        assert_eq!(of(ReferenceKind::Same, NetworkKind::Cnn), NetworkKind::Cnn);
        assert_eq!(of(ReferenceKind::Same, NetworkKind::Onnx), NetworkKind::Mlp);
        assert_eq!(of(ReferenceKind::Rnn, NetworkKind::Cnn), NetworkKind::Rnn);
    }

    #[test]
    fn too_few_references_are_refused_with_the_place() {
        let plan = Audit {
            references: 2,
            ..Audit::default()
        };
        let error = plan.validate("analyses[0]").unwrap_err().to_string();
        assert!(error.starts_with("analyses[0].references: 2"), "{error}");
        assert!(Audit::default().validate("analyses[0]").is_ok());
    }
}
