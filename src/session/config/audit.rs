//! Configuration of an audit: the network under study compared with reference networks.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ids::{ClassId, Gamma};
use crate::session::form::Form;
use crate::stats::audit::{MIN_REFERENCES, SquareWindow};
use crate::stats::classification::MAX_RESPONSE_TRIALS;
use crate::stats::numbers::Response;

use super::check::{self, invalid};
use super::network::{NetworkKind, TrainingConfig};
use super::noise::Noise;
use super::{ConfigError, Grain};

/// Compares the network under study, unmodified, with clean networks trained on the plan's images, to
/// find what it responds to and they do not. Findings are tested by pasting them on test images.
/// Networks poisoned on purpose measure the detection power.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Clean networks to train for comparison.
    pub references: usize,
    /// Session files whose networks, or whose audits' references, are added as references. The sessions
    /// must be finished, use the same images, kind of noise, γ and response, and about as many trials, and
    /// each have another seed. Their networks must be of the references' kind; with `kind: Same`, for an
    /// ONNX network, they may also be from ONNX files.
    pub sessions: Vec<PathBuf>,
    /// Architecture of the references and of the poisoned networks.
    pub kind: ReferenceKind,
    /// How they are trained.
    pub training: TrainingConfig,
    /// Networks to poison, to measure the detection power: each sees a white square in a corner of one
    /// training image in twenty, which is labelled as the target class. Every network has its own square
    /// and target.
    pub power: usize,
    /// The noise.
    pub noise: Noise,
    /// Side of a noise cell in pixels; 1: every pixel is independent.
    pub cell: usize,
    /// Signal strength in \[0,1).
    pub gamma: Gamma,
    /// Which images are compared: evidence images, or, for a black box, classification images from
    /// decisions, which need more trials and γ above 0 (0.3).
    pub response: Response,
    /// Trials per network.
    pub trials: u64,
    /// A class with fewer trials than this is insufficient.
    pub min_trials: u64,
    /// Test images that findings are pasted on: the first ones, or, if the set has them class by class, evenly spread
    /// ones.
    pub paste_images: usize,
    /// Trials per block.
    pub block: usize,
}

/// Architecture of the reference networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReferenceKind {
    /// The same as the network under study if that is built in. For an ONNX network, `Mlp`, which fits
    /// images of any size, for those trained here; those of other sessions may be of ONNX files, too.
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
    /// The architecture to use for the given network under study.
    pub fn resolve(self, suspect: NetworkKind) -> NetworkKind {
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

/// One in this many training images is poisoned.
pub const POISON_INTERVAL: usize = 20;

/// Side of the poisoning square in pixels.
const SIDE: usize = 4;

/// Maximum number of classes whose findings are pasted: those with the highest scores.
pub const MAX_PASTED: usize = 10;

/// The square in the images of poisoned network `nth`: top row, left column, side. It lies one pixel
/// from a corner where the images are large enough.
pub fn square(form: &Form, nth: usize) -> SquareWindow {
    let side = SIDE.min(form.height).min(form.width);
    let far = |length: usize| length.saturating_sub(side + 1);
    let near = |length: usize| 1.min(length - side);
    let (top, left) = (near(form.height), near(form.width));
    let (bottom, right) = (far(form.height).max(top), far(form.width).max(left));
    let corners = [(bottom, left), (top, left), (bottom, right), (top, right)];
    let (row, column) = corners[nth % corners.len()];
    (row, column, side)
}

/// The target class of poisoned network `nth`.
pub fn target(form: &Form, nth: usize) -> ClassId {
    ClassId(nth % form.class_count().max(1))
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            references: 5,
            sessions: Vec::new(),
            kind: ReferenceKind::Same,
            training: TrainingConfig {
                epochs: 2,
                ..TrainingConfig::default()
            },
            power: 1,
            noise: Noise::Uniform,
            cell: 1,
            gamma: Gamma::NOISE,
            response: Response::Evidence,
            trials: 3_000,
            min_trials: 30,
            paste_images: 1_000,
            block: 100,
        }
    }
}

impl Audit {
    /// The name in views, reports and exports.
    pub const LABEL: &'static str = "audit";
    /// The unit that its progress counts.
    pub const UNIT: &'static str = "images";

    /// Networks to train: the references, then the poisoned ones.
    pub fn trained(&self) -> usize {
        self.references + self.power
    }

    /// Networks in total, not counting those taken from sessions: the trained ones and the suspect.
    pub fn networks(&self) -> usize {
        self.trained() + 1
    }

    /// The grain of its noise.
    pub fn grain(&self) -> Grain {
        Grain {
            cell: self.cell,
            ..Grain::default()
        }
    }

    /// Rejects noise that does not fit images of this form.
    ///
    /// # Errors
    /// The field and a description of the problem.
    pub fn fits(&self, form: &Form) -> Result<(), (&'static str, String)> {
        self.noise
            .fits(form.shape())
            .map_err(|problem| ("noise", problem))
    }

    /// What to know at the beginning if references are trained that are of another kind than the network under study.
    pub fn unlike_references(&self, suspect: NetworkKind) -> Option<String> {
        let kind = self.kind.resolve(suspect);
        if self.references == 0 || kind == suspect {
            return None;
        }
        let remedy = match suspect {
            NetworkKind::Onnx => {
                "run clean networks of its own architecture, a session each, and list them instead: references=0, sessions=[\"sessions/clean1.ron\", …] (README, \"Is there a backdoor in it?\")"
            }
            _ => "train references of its own kind instead (kind: Same)",
        };
        let kind = kind.label();
        let references = match self.references {
            1 => format!("the {kind} reference that it trains is"),
            count => format!("the {count} {kind} references that it trains are"),
        };
        Some(format!(
            "{references} of another kind than the network ({}), and such references miss much: {remedy}",
            suspect.label()
        ))
    }

    /// What to know at the beginning if few classes can have an image, so that there may be nothing to compare.
    pub fn undecided_noise(&self) -> Option<&'static str> {
        let is_hopeless = self.response == Response::Decision && self.gamma == Gamma::NOISE;
        is_hopeless.then_some(
            "response: Decision at γ 0 compares only classes that noise alone is called often, by this network and by the references; usually there are few or none, and the run ends without a comparison. Set gamma: 0.3 and more trials, or response: Evidence",
        )
    }

    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
        if self.references < MIN_REFERENCES && self.sessions.is_empty() {
            return invalid(
                format!("{path}.references"),
                format!(
                    "{} references; at least {MIN_REFERENCES} are needed, since each is compared with the others; 5 work well",
                    self.references
                ),
            );
        }
        for (field, networks) in [("references", self.references), ("power", self.power)] {
            check::networks(path, field, networks)?;
        }
        self.training.validate(&format!("{path}.training"))?;
        self.noise.validate(&format!("{path}.noise"))?;
        self.noise.validate_grain(self.grain(), path)?;
        if !(0.0..1.0).contains(&self.gamma.0) {
            return invalid(
                format!("{path}.gamma"),
                format!("γ = {} is outside [0, 1)", self.gamma),
            );
        }
        let most = self.noise.most_trials().min(MAX_RESPONSE_TRIALS);
        check::trials(path, "trials", self.trials, most)?;
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
        let squares: Vec<SquareWindow> = (0..5).map(|nth| square(&form, nth)).collect();
        let corners = [(23, 1, 4), (1, 1, 4), (23, 23, 4), (1, 23, 4), (23, 1, 4)];
        assert_eq!(squares, corners);
        // On images that are too small they still lie inside.
        for size in 1..8 {
            let form = Form::numbered([1, size, size], 2);
            for nth in 0..4 {
                let (row, column, side) = square(&form, nth);
                assert!(row + side <= size && column + side <= size, "{size}");
            }
        }
    }

    #[test]
    fn references_for_a_network_from_a_file_are_of_the_kind_that_fits_all_images() {
        let of = |kind: ReferenceKind, suspect| kind.resolve(suspect);
        assert_eq!(of(ReferenceKind::Same, NetworkKind::Cnn), NetworkKind::Cnn);
        assert_eq!(of(ReferenceKind::Same, NetworkKind::Onnx), NetworkKind::Mlp);
        assert_eq!(of(ReferenceKind::Rnn, NetworkKind::Cnn), NetworkKind::Rnn);
    }

    #[test]
    fn references_of_another_kind_and_decisions_on_noise_alone_are_remarked_on() {
        let plan = Audit::default();
        let remark = plan.unlike_references(NetworkKind::Onnx).unwrap();
        assert!(remark.contains("5 mlp references"), "{remark}");
        assert!(remark.contains("references=0"), "{remark}");
        assert_eq!(plan.unlike_references(NetworkKind::Cnn), None);
        // Beside those of sessions.
        let single = Audit {
            references: 1,
            ..Audit::default()
        };
        let remark = single.unlike_references(NetworkKind::Onnx).unwrap();
        let words = "the mlp reference that it trains is of another kind";
        assert!(remark.starts_with(words), "{remark}");
        assert_eq!(plan.undecided_noise(), None);
        let listed = Audit {
            references: 0,
            response: Response::Decision,
            ..Audit::default()
        };
        assert_eq!(listed.unlike_references(NetworkKind::Onnx), None);
        assert!(listed.undecided_noise().unwrap().contains("gamma: 0.3"));
        let blended = Audit {
            gamma: Gamma(0.3),
            ..listed
        };
        assert_eq!(blended.undecided_noise(), None);
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

    #[test]
    fn the_targets_of_poisoned_networks_go_round_the_classes() {
        let form = Form::numbered([1, 28, 28], 3);
        let targets: Vec<ClassId> = (0..4).map(|nth| target(&form, nth)).collect();
        assert_eq!(targets, [0, 1, 2, 0].map(ClassId));
    }

    #[test]
    fn noise_that_does_not_fit_the_images_is_refused_with_its_field() {
        let plan = Audit {
            noise: Noise::Patch,
            ..Audit::default()
        };
        assert_eq!(plan.fits(&Form::numbered([1, 4, 4], 2)), Ok(()));
        let (field, problem) = plan.fits(&Form::numbered([1, 4, 3], 2)).unwrap_err();
        assert_eq!(field, "noise");
        assert!(
            problem.starts_with("images of 4×3 are too small"),
            "{problem}"
        );
    }
}
