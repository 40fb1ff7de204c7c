//! Tests of template matching.

use super::super::testing::{
    images, run, run_whole_and_in_pieces, template, template_lab, with_images,
};
use super::*;
use crate::ids::Gamma;
use crate::session::Config;
use crate::session::config::Analysis;
use crate::stats::correlation::pearson;
use crate::stats::share::Share;

fn plan(gammas: &[Gamma], trials: u64, templates: config::Templates) -> Config {
    with_images(gammas, trials, Analysis::Templates(templates))
}

fn in_blocks_of(block: usize) -> config::Templates {
    config::Templates {
        block,
        ..Default::default()
    }
}

fn measured(record: &Record) -> &record::Templates {
    record.first().unwrap()
}

#[test]
fn true_templates_recognize_nearly_every_image_of_their_class() {
    let maps: Vec<Vec<f32>> = ClassId::all(10).map(template).collect();
    let template = |class: ClassId| Template {
        class,
        mean_noise: &maps[class],
        image: &maps[class],
    };
    let classifier = TemplateClassifier::new(&ClassId::all(10).map(template).collect::<Vec<_>>());
    let images = images(200, 7);
    for score in 0..SCORES {
        let right = (0..200)
            .filter(|&i| {
                let truth = ClassId(usize::from(images.label(i)));
                classifier.classify(images.image(i)).unwrap()[score] == truth
            })
            .count();
        assert!(right >= 190, "score {score}: {right} of 200");
    }
}

/// Scores of one image, computed directly: raw, centred, cosine, Pearson.
fn scores(mean_noise: &[f32], image: &[f32], bytes: &[u8]) -> [f64; SCORES] {
    let x: Vec<f32> = bytes.iter().map(|&b| f32::from(b) / 255.0).collect();
    let dot = |map: &[f32]| -> f64 {
        (0..784)
            .map(|i| f64::from(map[i]) * f64::from(bytes[i]) / 255.0)
            .sum()
    };
    let norm = image
        .iter()
        .map(|&c| f64::from(c).powi(2))
        .sum::<f64>()
        .sqrt();
    [
        dot(mean_noise),
        dot(image),
        dot(image) / norm,
        pearson(image, &x).unwrap(),
    ]
}

#[test]
fn images_go_to_the_template_that_agrees_with_them_most() {
    let lab = template_lab();
    let record = run(
        &plan(&[Gamma::NOISE, Gamma(0.05)], 3000, in_blocks_of(30)),
        &lab,
    );
    let gammas = &record.classification_images().unwrap().gammas;
    for (trials, result) in gammas.iter().zip(&measured(&record).gammas) {
        let estimate = trials.estimate();
        let present: Vec<ClassId> = ClassId::all(10)
            .filter(|&k| estimate.classes[k].decision.is_some())
            .collect();
        assert!(present.len() > 1, "γ {}: {present:?}", trials.gamma);
        assert_eq!(result.classes, present);
        let test = &lab.dataset.test;
        let mut correct = [0; SCORES];
        for i in 0..100 {
            let of_class = |&k: &ClassId| {
                let class = &estimate.classes[k];
                let image = &class.decision.as_ref().unwrap().image;
                scores(class.mean_noise.as_ref().unwrap(), image, test.image(i))
            };
            let all: Vec<[f64; SCORES]> = present.iter().map(of_class).collect();
            for score in 0..SCORES {
                let best =
                    (0..present.len()).max_by(|&a, &b| all[a][score].total_cmp(&all[b][score]));
                let truth = ClassId(usize::from(test.label(i)));
                correct[score] += u64::from(present[best.unwrap()] == truth);
            }
        }
        assert_eq!(result.correct, correct);
        assert_eq!(result.images, 100);
    }
    // Without signal every template is close to the network's own, and chance is 10.
    let centred = measured(&record).gammas[0].correct[1];
    assert!(centred >= 60, "{centred}");
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let (plan, lab) = (
        plan(&[Gamma::NOISE, Gamma(0.05)], 1000, in_blocks_of(7)),
        template_lab(),
    );
    let whole = run_whole_and_in_pieces(&plan, &lab, &[(5, 3)]);
    assert_eq!(measured(&whole).progress.blocks, [15, 15]);
    assert_eq!(measured(&whole).progress.done, 200);
    assert!(whole.analyses[1].is_finished(&plan.analyses[1]));
}

#[test]
fn only_the_first_images_are_shown_if_fewer_are_requested() {
    let few = config::Templates {
        images: 13,
        block: 5,
    };
    let record = run(&plan(&[Gamma::NOISE], 1000, few), &template_lab());
    let results = measured(&record);
    assert_eq!(results.gammas[0].images, 13);
    assert_eq!((results.progress.done, results.progress.total), (13, 13));
}

#[test]
fn a_gamma_without_two_templates_has_no_accuracy_and_is_done_at_once() {
    // At γ = 1 there is no noise and the network is never wrong, so no class has all four cells.
    let plan = plan(&[Gamma(1.0), Gamma::NOISE], 1000, in_blocks_of(30));
    let record = run_whole_and_in_pieces(&plan, &template_lab(), &[(3, 1)]);
    let results = measured(&record);
    assert!(results.gammas[0].classes.is_empty());
    assert_eq!(results.gammas[0].accuracy(0), Share::default());
    assert_eq!(results.gammas[1].accuracy(0).total, 100);
    assert_eq!(results.progress.blocks, [0, 4]);
    assert_eq!((results.progress.done, results.progress.total), (200, 200));
}

#[test]
fn with_too_few_trials_everywhere_nothing_is_left_to_do() {
    let plan = plan(&[Gamma::NOISE, Gamma(0.3)], 20, in_blocks_of(30));
    let record = run(&plan, &template_lab());
    assert!(
        measured(&record)
            .gammas
            .iter()
            .all(|templates| templates.images == 0)
    );
    assert!(record.analyses[1].is_finished(&plan.analyses[1]));
}
