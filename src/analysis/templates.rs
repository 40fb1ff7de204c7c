//! Template matching: test images classified by the classification images alone, without the network.
//!
//! For every γ, the classification image of each class that has one is a template; the evidence images,
//! if there are any, form a second set. The scores are described in [`crate::stats::templates`].

use super::{AnalysisError, AnalysisPlace, BlockSequence, Experiment, Job, Lab, block_range};
use crate::ids::ClassId;
use crate::session::config::{self, Response};
use crate::session::record::{self, BlockProgress, GammaTemplates, GammaTrials, Record};
use crate::stats::sums::add;
use crate::stats::templates::{SCORES, Template, TemplateClassifier};

/// The experiment, configured by the plan.
#[derive(Debug, Clone)]
pub struct Templates {
    config: config::Templates,
    place: AnalysisPlace,
    /// Number of parts: the γ of the classification images, counted twice if they have evidence.
    parts: usize,
    /// Number of test images to classify.
    images: u64,
    /// Those images.
    shown: Vec<usize>,
    /// One per part; empty before the experiment has begun.
    classifiers: Vec<TemplateClassifier>,
}

impl Templates {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::Templates, place: AnalysisPlace, lab: &Lab) -> Self {
        let shown = lab.dataset.test.sample(config.images);
        Self {
            images: shown.len() as u64,
            shown,
            config,
            parts: place.gammas * (1 + usize::from(place.evidence)),
            place,
            classifiers: Vec::new(),
        }
    }

    /// The trials and the response of each part.
    fn sources<'a>(
        &self,
        images: &'a record::ClassificationImages,
    ) -> impl Iterator<Item = (&'a GammaTrials, Response)> {
        let responses = match self.place.evidence {
            true => &Response::ALL[..],
            false => &[Response::Decision],
        };
        let with_response =
            |&response: &Response| images.gammas.iter().map(move |trials| (trials, response));
        responses.iter().flat_map(with_response)
    }

    /// The record with nothing classified yet. Parts without templates to choose between count as done.
    fn begun(&self, images: &record::ClassificationImages) -> record::Templates {
        let of_part =
            |((trials, response), classifier): ((&GammaTrials, _), &TemplateClassifier)| {
                GammaTemplates {
                    gamma: trials.gamma,
                    response,
                    classes: classifier.classes().to_vec(),
                    images: 0,
                    correct: [0; SCORES],
                }
            };
        let gammas = self.sources(images).zip(&self.classifiers);
        let gammas: Vec<GammaTemplates> = gammas.map(of_part).collect();
        let idle = gammas
            .iter()
            .filter(|templates| !templates.is_meaningful())
            .count();
        record::Templates {
            progress: BlockProgress {
                blocks: vec![0; gammas.len()],
                done: idle as u64 * self.images,
                total: gammas.len() as u64 * self.images,
            },
            gammas,
        }
    }
}

/// The templates of one γ: of every class that has an image for this response. An evidence image has no
/// mean noise, so it takes its place.
fn classifier((trials, response): (&GammaTrials, Response)) -> TemplateClassifier {
    let estimate = trials.estimate();
    let spread = |map: &Vec<f32>| trials.grain.spread(map, trials.images);
    let maps = ClassId::all(estimate.classes.len()).zip(&estimate.classes);
    let maps: Vec<(ClassId, Vec<f32>, Vec<f32>)> = maps
        .filter_map(|(class, class_estimate)| {
            let image = &class_estimate.image(response)?.image;
            let mean_noise = match response {
                Response::Decision => class_estimate.mean_noise.as_ref()?,
                Response::Evidence => image,
            };
            Some((class, spread(mean_noise), spread(image)))
        })
        .collect();
    let templates: Vec<Template<'_>> = maps
        .iter()
        .map(|(class, mean_noise, image)| Template {
            class: *class,
            mean_noise,
            image,
        })
        .collect();
    TemplateClassifier::new(&templates)
}

impl Experiment for Templates {
    type Record = record::Templates;
    /// Images classified, and how many of them each score classified correctly.
    type AnySums = (u64, [u64; SCORES]);

    fn sequences(&self) -> Vec<BlockSequence> {
        let part = BlockSequence::parallel(0, self.images, self.config.block);
        vec![part; self.parts]
    }

    fn done(&self, record: &record::Templates) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn check(&self, _: &Lab) -> Result<(), AnalysisError> {
        match self.images {
            0 => Err(self.place.no_test_images_error()),
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        _: usize,
        lab: &Lab,
        whole: &Record,
        record: &mut record::Templates,
    ) -> Result<(), AnalysisError> {
        Experiment::check(self, lab)?;
        let images = self.place.classification_images(whole)?;
        self.classifiers = self.sources(images).map(classifier).collect();
        if record.gammas.len() != self.parts {
            *record = self.begun(images);
        }
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<(u64, [u64; SCORES]), AnalysisError> {
        let test = &lab.dataset.test;
        let block = block_range(self.images, self.config.block, job.block);
        let images = block.len() as u64;
        let mut correct = [0; SCORES];
        for &index in &self.shown[block] {
            let called = self.classifiers[job.sequence].classify(test.image(index));
            let truth = ClassId(usize::from(test.label(index)));
            for (correct, called) in correct.iter_mut().zip(called.into_iter().flatten()) {
                *correct += u64::from(called == truth);
            }
        }
        Ok((images, correct))
    }

    fn merge(
        &self,
        record: &mut record::Templates,
        job: Job,
        (images, correct): (u64, [u64; SCORES]),
    ) {
        let templates = &mut record.gammas[job.sequence];
        templates.images = templates.images.saturating_add(images);
        add(&mut templates.correct, &correct);
        record.progress.blocks[job.sequence] += 1;
        record.progress.add_work(images);
    }

    fn is_complete(&self, record: &record::Templates, part: usize) -> bool {
        let begun = record.gammas.get(part);
        begun.is_some_and(|templates| !templates.is_meaningful())
    }
}

#[cfg(test)]
mod tests;
