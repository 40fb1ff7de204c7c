//! The plan of the backdoor study, and the patch that poisons an image.

use serde::{Deserialize, Serialize};

use crate::session::form::Form;

use super::check::{self, invalid};
use super::network::Training;
use super::noise::Noise;
use super::{Invalid, MAX_TRIALS};

/// Networks trained with and without a backdoor, and how well it is detected: from decisions alone, and
/// by evidence images against the clean networks. The networks are the study's own, of the kind of the
/// plan's network; that network itself is not looked at. [`Audit`](super::Audit) does that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backdoor {
    /// Networks trained on poisoned images.
    pub poisoned: usize,
    /// Networks trained on clean images, to tell what an innocent one looks like.
    pub clean: usize,
    /// Class whose images get the patch.
    pub source: usize,
    /// Class that they are labelled as.
    pub target: usize,
    /// How many training images of the source class are poisoned; the first ones.
    pub images: usize,
    /// How these networks are trained; of the session's own architecture.
    pub training: Training,
    /// The noise that suspects are shown.
    pub noise: Noise,
    /// Signal strengths of the classification images of a suspect.
    pub gammas: Vec<f64>,
    /// Trials at each γ for each network.
    pub trials: u64,
    /// Fewer trials than this make a class insufficient.
    pub min_trials: u64,
    /// Side of the window that is searched for, in pixels.
    pub window: usize,
    /// Trials a block.
    pub block: usize,
}

/// Rows and columns that the patch needs: six, and one between it and the border.
pub const PATCH_ROOM: usize = 7;

/// Rows and columns, \[rows, columns\], that the patch spans on images of `width` columns.
pub fn patch_box(width: usize) -> [std::ops::Range<usize>; 2] {
    let left = width.saturating_sub(PATCH_ROOM);
    [1..PATCH_ROOM, left..left + PATCH_ROOM - 1]
}

/// Rows and columns of the pixels of the patch: a "C" in the upper right corner of images of
/// `width` columns.
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
            source: 8,
            target: 9,
            images: 2_000,
            training: Training {
                epochs: 5,
                ..Training::default()
            },
            noise: Noise::Uniform,
            gammas: vec![0.0, 0.3],
            trials: 300_000,
            min_trials: 30,
            window: 6,
            block: 256,
        }
    }
}

impl Backdoor {
    /// Its name in views, reports and exports.
    pub const LABEL: &'static str = "backdoor";
    /// What its progress counts.
    pub const UNIT: &'static str = "images";

    /// Refuses classes and windows that images of `form` do not have: the field, and why.
    ///
    /// # Errors
    /// In words.
    pub fn fits(&self, form: &Form) -> Result<(), (&'static str, String)> {
        for (field, class) in [("source", self.source), ("target", self.target)] {
            if class >= form.count() {
                let problem = format!("there is no class {class}; {}", form.listed());
                return Err((field, problem));
            }
        }
        let least = form.height.min(form.width);
        if least < PATCH_ROOM {
            let size = form.size_in_words();
            let problem = format!(
                "images of {size} have no room for the patch, which takes {PATCH_ROOM} rows and columns"
            );
            return Err(("images", problem));
        }
        if self.window > least {
            let problem = format!(
                "a window of {} pixels; it must lie in 2 to {least}, since the images are {}",
                self.window,
                form.size_in_words()
            );
            return Err(("window", problem));
        }
        self.noise
            .fits(form.shape())
            .map_err(|problem| ("noise", problem))
    }

    /// Networks in all: the poisoned ones first.
    pub fn networks(&self) -> usize {
        self.poisoned + self.clean
    }

    /// Refuses a γ without noise, which earlier versions took.
    pub(super) fn check_noise(&self, path: &str) -> Result<(), Invalid> {
        match self.gammas.iter().position(|&gamma| gamma >= 1.0) {
            None => Ok(()),
            Some(place) => invalid(
                format!("{path}.gammas[{place}]"),
                "at γ 1 there is no noise, and nothing that a verdict could be made of; take less",
            ),
        }
    }

    pub(super) fn validate(&self, path: &str) -> Result<(), Invalid> {
        if self.poisoned + self.clean == 0 {
            return invalid(
                format!("{path}.poisoned"),
                "no network to study; give at least one poisoned or clean one",
            );
        }
        if self.poisoned.max(self.clean) > 200 {
            return invalid(
                format!("{path}.poisoned"),
                "more than 200 networks of a kind have no room in one session",
            );
        }
        if self.source == self.target {
            return invalid(
                format!("{path}.target"),
                "it is the source class itself; a backdoor leads to another one",
            );
        }
        self.training.validate(&format!("{path}.training"))?;
        self.noise.validate(&format!("{path}.noise"))?;
        check::shares(path, "gammas", "γ", &self.gammas)?;
        if self.window < 2 {
            return invalid(
                format!("{path}.window"),
                format!("a window of {} pixels; it must be at least 2", self.window),
            );
        }
        check::trials(path, "trials", self.trials, MAX_TRIALS)?;
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
                let pixel = |column| patch(28).any(|it| it == (row, column));
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
        // On other images it keeps its distance from the right border.
        assert!(patch(32).eq(patch(28).map(|(row, column)| (row, column + 4))));
    }
}
