//! Tests of experiments that show some of a set's images, where the images of each class follow each other.

use super::Lab;
use super::testing::{lab_with, run, template_lab, with_images};
use crate::data::Images;
use crate::ids::Gamma;
use crate::session::config::{self, Analysis};
use crate::session::text::to_text;
use crate::session::{Config, Session};

/// These images of a set, in this order.
fn select(images: &Images, order: &[usize]) -> Images {
    let pixels = order
        .iter()
        .flat_map(|&at| images.image(at).iter().copied());
    Images {
        pixels: pixels.collect(),
        labels: order.iter().map(|&at| images.label(at)).collect(),
        ..*images
    }
}

/// The images class by class, as in folders of pictures, and every fifth of those.
fn grouped(images: &Images) -> [Images; 2] {
    let order = images.by_class().concat();
    let fifth: Vec<usize> = order.iter().copied().step_by(5).collect();
    [select(images, &order), select(images, &fifth)]
}

/// Asserts that a plan measures the same in both labs, to the bit.
fn assert_equal(config: &Config, labs: [&Lab; 2]) {
    let text = |lab: &Lab| {
        let mut session = Session::new("test", config.clone());
        session.record = run(config, lab);
        to_text(&session).unwrap()
    };
    let [all, fifth] = labs.map(text);
    assert!(all == fifth);
}

#[test]
fn templates_attack_and_modulation_show_test_images_of_every_class() {
    let lab = template_lab();
    let [all, fifth] = grouped(&lab.dataset.test).map(|test| {
        let train = lab.dataset.train.clone();
        lab_with(lab.network.clone(), lab.kind, train, test)
    });
    let (images, block) = (20, 6);
    let shown = [
        Analysis::Templates(config::Templates { images, block }),
        Analysis::Attack(config::Attack {
            weights: vec![0.0, 0.5],
            images,
            noise_images: 0,
            block,
            ..Default::default()
        }),
        Analysis::Modulation(config::Modulation {
            steps: vec![1],
            gammas: vec![Gamma(0.5)],
            images,
            images_per_class: 5,
            block,
            ..Default::default()
        }),
    ];
    for then in shown {
        let plan = with_images(&[Gamma::NOISE], 1000, then);
        assert_equal(&plan, [&all, &fifth]);
    }
}

#[test]
fn averages_on_images_are_of_training_images_of_every_class() {
    let lab = template_lab();
    let [all, fifth] = grouped(&lab.dataset.train).map(|train| {
        let test = lab.dataset.test.clone();
        lab_with(lab.network.clone(), lab.kind, train, test)
    });
    let settings = config::SpikeTriggered {
        trials: 8,
        images: 40,
        gradient_units: 0,
        block: 7,
        ..Default::default()
    };
    let plan = Config {
        analyses: vec![Analysis::SpikeTriggered(settings)],
        ..Config::default()
    };
    assert_equal(&plan, [&all, &fifth]);
}
