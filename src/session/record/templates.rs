//! Test images classified by the classification images, or the evidence images, alone.

use serde::{Deserialize, Serialize};

use super::Progress;
use crate::session::array::{Arrays, Payload};
use crate::session::config::{self, Response};
use crate::session::form::Form;
use crate::stats::share::Share;
use crate::stats::templates::SCORES;

/// How often the images of each γ, used as templates, are right.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// How far it is; a part is a γ.
    pub progress: Progress,
    /// In the order of the classification images' γ, those of evidence images after those of decisions.
    /// Empty before it has begun.
    pub gammas: Vec<GammaTemplates>,
}

/// The templates of one γ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaTemplates {
    /// Signal strength of the images.
    pub gamma: f64,
    /// What trials are taken to say in them.
    #[serde(default = "decision")]
    pub response: Response,
    /// The classes that have a template, ascending. Images of the others are always wrong.
    pub classes: Vec<usize>,
    /// Images classified; stays 0 where fewer than two classes have a template, since then there is
    /// nothing to choose from.
    pub images: u64,
    /// How many were right, by score: raw, centred, cosine, Pearson.
    pub correct: [u64; SCORES],
}

fn decision() -> Response {
    Response::Decision
}

impl GammaTemplates {
    /// The names of the scores, in the order of [`Self::correct`].
    pub const SCORES: [&'static str; SCORES] = ["raw", "centred", "cosine", "pearson"];

    /// Whether there are templates to choose from: of two classes at least.
    pub fn is_meaningful(&self) -> bool {
        self.classes.len() > 1
    }

    /// Images that a score is right about.
    ///
    /// # Panics
    /// Where `score` is not a place in [`Self::SCORES`].
    pub fn accuracy(&self, score: usize) -> Share {
        Share {
            hits: self.correct[score],
            of: self.images,
        }
    }
}

impl Templates {
    /// The γ that stands for all: without signal where that says anything, else the first that
    /// does; the first of all where none does. `None` where there are none of this response, and before it has begun. Not the best one, which
    /// the test images themselves would have chosen.
    pub fn headline(&self, response: Response) -> Option<&GammaTemplates> {
        let own = || self.gammas.iter().filter(|it| it.response == response);
        let telling = || own().filter(|it| it.is_meaningful());
        let without_signal = telling().find(|it| it.gamma == 0.0);
        without_signal
            .or_else(|| telling().next())
            .or_else(|| own().next())
    }

    pub(super) fn new(_: &config::Templates) -> Self {
        Self::default()
    }

    /// What is done and what there is to do, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Templates) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, _: &config::Templates, form: Option<&Form>) -> bool {
        let k = form.map_or(0, Form::count);
        let of_gamma = |it: &GammaTemplates| {
            it.classes.iter().all(|&class| class < k)
                && it.classes.is_sorted_by(|a, b| a < b)
                && it.correct.iter().all(|&correct| correct <= it.images)
        };
        let parts = self.progress.blocks.len();
        parts == self.gammas.len() && self.gammas.iter().all(of_gamma)
    }
}

impl Arrays for Templates {
    fn arrays<'a>(&'a self, _: &mut dyn FnMut(String, &'a dyn Payload)) {}

    fn arrays_mut<'a>(&'a mut self, _: &mut dyn FnMut(String, &'a mut dyn Payload)) {}
}
