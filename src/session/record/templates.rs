//! The record of templates: test images classified by classification images or evidence images alone.

use serde::{Deserialize, Serialize};

use super::BlockProgress;
use crate::ids::{ClassId, Gamma};
use crate::session::array::{Arrays, Payload};
use crate::session::config::{self, Response};
use crate::session::form::Form;
use crate::stats::share::Share;
use crate::stats::templates::SCORES;

/// How often classification is correct with the images of each γ as templates.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// Progress; a part is a γ.
    pub progress: BlockProgress,
    /// In the order of the classification images' γ, evidence images after those from decisions. Empty
    /// before it has begun.
    pub gammas: Vec<GammaTemplates>,
}

/// The templates of one γ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaTemplates {
    /// Signal strength of the images.
    pub gamma: Gamma,
    /// The response that the images are of.
    #[serde(default = "decision")]
    pub response: Response,
    /// The classes that have a template, ascending. Images of the others always count as wrong.
    pub classes: Vec<ClassId>,
    /// Images classified; stays 0 if fewer than two classes have a template, since there is then nothing
    /// to choose from.
    pub images: u64,
    /// Number classified correctly, by score: raw, centred, cosine, Pearson.
    pub correct: [u64; SCORES],
}

fn decision() -> Response {
    Response::Decision
}

impl GammaTemplates {
    /// The names of the scores, in the order of [`Self::correct`].
    pub const SCORES: [&'static str; SCORES] = ["raw", "centred", "cosine", "pearson"];

    /// Whether there are templates to choose from: at least two classes.
    pub fn is_meaningful(&self) -> bool {
        self.classes.len() > 1
    }

    /// Images classified correctly by a score.
    ///
    /// # Panics
    /// If `score` is not an index into [`Self::SCORES`].
    pub fn accuracy(&self, score: usize) -> Share {
        Share {
            hits: self.correct[score],
            total: self.images,
        }
    }
}

impl Templates {
    /// The γ that represents all: γ = 0 if it is meaningful, otherwise the first that is, otherwise the
    /// first. `None` if there are none for this response, and before it has begun. Not the best one,
    /// which would be chosen on the test images themselves.
    pub fn headline(&self, response: Response) -> Option<&GammaTemplates> {
        let matching = || {
            self.gammas
                .iter()
                .filter(|templates| templates.response == response)
        };
        let meaningful = || matching().filter(|templates| templates.is_meaningful());
        let without_signal = meaningful().find(|templates| templates.gamma == Gamma::NOISE);
        without_signal
            .or_else(|| meaningful().next())
            .or_else(|| matching().next())
    }

    pub(super) fn new(_: &config::Templates) -> Self {
        Self::default()
    }

    /// Work done and work in total, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Templates) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, _: &config::Templates, form: Option<&Form>) -> bool {
        let k = form.map_or(0, Form::class_count);
        let of_gamma = |templates: &GammaTemplates| {
            templates.classes.iter().all(|class| class.0 < k)
                && templates.classes.is_sorted_by(|a, b| a < b)
                && templates
                    .correct
                    .iter()
                    .all(|&correct| correct <= templates.images)
        };
        let parts = self.progress.blocks.len();
        parts == self.gammas.len() && self.gammas.iter().all(of_gamma)
    }
}

impl Arrays for Templates {
    fn arrays<'a>(&'a self, _: &mut dyn FnMut(String, &'a dyn Payload)) {}

    fn arrays_mut<'a>(&'a mut self, _: &mut dyn FnMut(String, &'a mut dyn Payload)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_is_noise_alone_if_there_is_anything_to_choose_from() {
        let of = |gamma, response, classes: usize| GammaTemplates {
            gamma: Gamma(gamma),
            response,
            classes: ClassId::all(classes).collect(),
            images: 10,
            correct: [1, 2, 3, 4],
        };
        let headline = |gammas: &[GammaTemplates]| {
            let all = Templates {
                gammas: gammas.to_vec(),
                ..Templates::default()
            };
            all.headline(Response::Decision).map(|it| it.gamma)
        };
        let [low, noise, high] = [0.2, 0.0, 0.5].map(|gamma| of(gamma, Response::Decision, 2));
        let (one, other) = (
            of(0.0, Response::Decision, 1),
            of(0.4, Response::Evidence, 2),
        );
        assert_eq!(headline(&[low.clone(), noise.clone()]), Some(Gamma(0.0)));
        assert_eq!(headline(&[one.clone(), high, low]), Some(Gamma(0.5)));
        assert_eq!(headline(&[other.clone(), one]), Some(Gamma(0.0)));
        assert_eq!(headline(&[other]), None);
        let hits = noise.accuracy(2);
        assert_eq!((hits.hits, hits.total), (3, 10));
    }

    #[test]
    fn templates_of_a_file_have_existing_classes_and_possible_numbers() {
        let plan = config::Templates::default();
        let form = Form::numbered([1, 1, 1], 2);
        let whole = Templates {
            progress: BlockProgress {
                blocks: vec![1],
                done: 3,
                total: 4,
            },
            gammas: vec![GammaTemplates {
                gamma: Gamma::NOISE,
                response: Response::Decision,
                classes: ClassId::all(2).collect(),
                images: 10,
                correct: [10; SCORES],
            }],
        };
        assert!(whole.fits(&plan, Some(&form)) && !whole.fits(&plan, None));
        assert_eq!(whole.progress(&plan), (3, 4));
        let changes: &[fn(&mut Templates)] = &[
            |it| it.progress.blocks.clear(),
            |it| it.gammas[0].classes[1] = ClassId(2),
            |it| it.gammas[0].classes[1] = ClassId(0),
            |it| it.gammas[0].correct[3] = 11,
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut other = whole.clone();
            change(&mut other);
            assert!(!other.fits(&plan, Some(&form)), "change {place}");
        }
    }
}
