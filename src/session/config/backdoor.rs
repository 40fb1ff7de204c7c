//! Configuration of the backdoor study, and the patch that poisons an image.

use serde::{Deserialize, Serialize};

use crate::ids::{ClassId, Gamma};
use crate::session::form::Form;
use crate::stats::classification::MAX_RESPONSE_TRIALS;

use super::ConfigError;
use super::check::{self, invalid};
use super::network::TrainingConfig;
use super::noise::Noise;

/// Networks trained with and without a backdoor, and how well the backdoor is detected: from decisions
/// alone, and by comparing evidence images with those of the clean networks. The study trains its own
/// networks of the same kind as the plan's network, which itself is not examined;
/// [`Audit`](super::Audit) does that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backdoor {
    /// Networks to train on poisoned images.
    pub poisoned: usize,
    /// Networks to train on clean images, for comparison.
    pub clean: usize,
    /// Class whose images get the patch.
    pub source: ClassId,
    /// Class that those images are labelled as.
    pub target: ClassId,
    /// Number of training images of the source class to poison; the first ones are used.
    pub images: usize,
    /// How these networks are trained; they have the session's architecture.
    pub training: TrainingConfig,
    /// The noise shown to the suspects.
    pub noise: Noise,
    /// Signal strengths of a suspect's classification images.
    pub gammas: Vec<Gamma>,
    /// Trials per γ and network.
    pub trials: u64,
    /// A class with fewer trials than this is insufficient.
    pub min_trials: u64,
    /// Side of the search window in pixels.
    pub window: usize,
    /// Trials per block.
    pub block: usize,
}

/// Rows and columns that the patch needs: six, plus one between it and the border.
pub const PATCH_ROOM: usize = 7;

/// The bounding box of the patch, \[rows, columns\], on images of `width` columns.
pub fn patch_box(width: usize) -> [std::ops::Range<usize>; 2] {
    let left = width.saturating_sub(PATCH_ROOM);
    [1..PATCH_ROOM, left..left + PATCH_ROOM - 1]
}

/// Rows and columns of the patch's pixels: a "C" in the upper right corner of images of `width` columns.
pub fn patch(width: usize) -> impl Iterator<Item = (usize, usize)> {
    let [rows, columns] = patch_box(width);
    let stroke = columns.start + 2;
    let inside = move |&(row, column): &(usize, usize)| !(3..5).contains(&row) || column < stroke;
    let all = rows.flat_map(move |row| columns.clone().map(move |column| (row, column)));
    all.filter(inside)
}

impl Default for Backdoor {
    fn default() -> Self {
        Self {
            poisoned: 1,
            clean: 1,
            source: ClassId(8),
            target: ClassId(9),
            images: 2_000,
            training: TrainingConfig {
                epochs: 5,
                ..TrainingConfig::default()
            },
            noise: Noise::Uniform,
            gammas: vec![Gamma::NOISE, Gamma(0.3)],
            trials: 300_000,
            min_trials: 30,
            window: 6,
            block: 256,
        }
    }
}

impl Backdoor {
    /// The name in views, reports and exports.
    pub const LABEL: &'static str = "backdoor";
    /// The unit that its progress counts.
    pub const UNIT: &'static str = "images";

    /// Rejects classes and windows that images of this form do not have.
    ///
    /// # Errors
    /// The field and a description of the problem.
    pub fn fits(&self, form: &Form) -> Result<(), (&'static str, String)> {
        for (field, class) in [("source", self.source), ("target", self.target)] {
            if class.0 >= form.class_count() {
                let problem = format!("there is no class {class}; {}", form.classes_in_words());
                return Err((field, problem));
            }
        }
        let least = form.height.min(form.width);
        if least < PATCH_ROOM {
            let size = form.size_in_words();
            let problem = format!(
                "images of {size} are too small for the patch, which needs {PATCH_ROOM} rows and columns"
            );
            return Err(("images", problem));
        }
        if self.window > least {
            let problem = format!(
                "a window of {} pixels; it must be from 2 to {least}, since the images are {}",
                self.window,
                form.size_in_words()
            );
            return Err(("window", problem));
        }
        self.noise
            .fits(form.shape())
            .map_err(|problem| ("noise", problem))
    }

    /// Networks in total; the poisoned ones come first.
    pub fn networks(&self) -> usize {
        self.poisoned + self.clean
    }

    /// Rejects a γ without noise, which earlier versions accepted.
    pub(super) fn check_noise(&self, path: &str) -> Result<(), ConfigError> {
        match self.gammas.iter().position(|gamma| gamma.0 >= 1.0) {
            None => Ok(()),
            Some(place) => invalid(
                format!("{path}.gammas[{place}]"),
                "at γ 1 there is no noise, so no verdict is possible; use a smaller γ",
            ),
        }
    }

    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
        for (field, networks) in [("poisoned", self.poisoned), ("clean", self.clean)] {
            check::networks(path, field, networks)?;
        }
        if self.networks() == 0 {
            return invalid(
                format!("{path}.poisoned"),
                "no network to study; give at least one poisoned or clean one",
            );
        }
        if self.source == self.target {
            return invalid(
                format!("{path}.target"),
                "it equals the source class; a backdoor leads to a different class",
            );
        }
        self.training.validate(&format!("{path}.training"))?;
        self.noise.validate(&format!("{path}.noise"))?;
        check::gammas(path, &self.gammas)?;
        if self.window < 2 {
            return invalid(
                format!("{path}.window"),
                format!("a window of {} pixels; it must be at least 2", self.window),
            );
        }
        let most = self.noise.most_trials().min(MAX_RESPONSE_TRIALS);
        check::trials(path, "trials", self.trials, most)?;
        check::enough_to_average(path, self.min_trials)?;
        check::block_size(path, self.block)?;
        check::at_least_one(path, &[("images", self.images)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_is_a_c() {
        let picture: Vec<String> = (0..8)
            .map(|row| {
                let pixel = |column| patch(28).any(|pixel| pixel == (row, column));
                (20..28)
                    .map(|column| if pixel(column) { '#' } else { '.' })
                    .collect()
            })
            .collect();
        assert_eq!(
            picture,
            [
                "........", ".######.", ".######.", ".##.....", ".##.....", ".######.", ".######.",
                "........",
            ]
        );
        assert_eq!(patch(28).count(), 28);
        // On wider images the patch keeps its distance from the right border.
        assert!(patch(32).eq(patch(28).map(|(row, column)| (row, column + 4))));
    }

    #[test]
    fn a_study_needs_its_classes_and_room_for_the_patch_and_the_window() {
        let small = |size: &str| {
            format!(
                "images of {size} grey are too small for the patch, which needs 7 rows and columns"
            )
        };
        let (low, narrow) = (small("6×28"), small("28×6"));
        for (window, [height, width], classes, expected) in [
            (6, [28, 28], 10, None),
            (
                6,
                [28, 28],
                9,
                Some(("target", "there is no class 9; there are 0 to 8")),
            ),
            (
                6,
                [28, 28],
                8,
                Some(("source", "there is no class 8; there are 0 to 7")),
            ),
            (6, [7, 7], 10, None),
            (2, [6, 28], 10, Some(("images", low.as_str()))),
            (2, [28, 6], 10, Some(("images", narrow.as_str()))),
            (8, [8, 9], 10, None),
            (
                9,
                [8, 9],
                10,
                Some((
                    "window",
                    "a window of 9 pixels; it must be from 2 to 8, since the images are 8×9 grey",
                )),
            ),
        ] {
            let plan = Backdoor {
                window,
                ..Backdoor::default()
            };
            let refusal = plan.fits(&Form::numbered([1, height, width], classes));
            let refusal = refusal.err();
            let refusal = refusal.as_ref().map(|(field, why)| (*field, why.as_str()));
            assert_eq!(refusal, expected, "window {window} on {height}×{width}");
        }
    }

    #[test]
    fn a_gamma_without_noise_is_read_from_a_session_and_refused_in_a_new_plan() {
        let plan = |gamma| Backdoor {
            gammas: vec![Gamma::NOISE, Gamma(gamma)],
            ..Backdoor::default()
        };
        assert_eq!(plan(0.99).check_noise("it"), Ok(()));
        assert_eq!(plan(1.0).validate("it"), Ok(()));
        let error = plan(1.0).check_noise("it").unwrap_err();
        assert_eq!(error.path, "it.gammas[1]");
    }
}
