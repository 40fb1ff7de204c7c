//! Tests of every experiment on non-square colour images with a class count other than ten, against closed
//! forms.

mod decisions;
mod maps;
mod whole;

use std::sync::Arc;

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::testing::{run, run_whole_and_in_pieces};
use super::{DeviceData, Lab};
use crate::data::{Dataset, DatasetOrigin, Images};
use crate::ids::{ClassId, Gamma};
use crate::nets::{NetworkShape, Subject, decision};
use crate::session::array::Array;
use crate::session::config::{
    self, Analysis, Config, DatasetName, Gaussian, NetworkKind, Noise, Split, UnitId,
};
use crate::session::record::{self, GammaTrials, NetworkWeights, Record};
use crate::session::{Form, form};
use crate::stats::correlation::pearson;
use crate::stimulus::Pool;

const SHAPE: form::Shape = [3, 9, 14];
const PIXELS: usize = 3 * 9 * 14;
const CLASSES: usize = 7;

/// Stripes from −1 to 1, with a different direction and colour for every class.
fn template(class: ClassId) -> Vec<f32> {
    let pixel = |at: usize| {
        let (channel, row, column) = (at / 126, (at / 14 % 9) as f32, (at % 14) as f32);
        let angle = class.0 as f32 * 0.9;
        let along = row * angle.cos() + column * angle.sin();
        (along * (0.5 + 0.07 * class.0 as f32) + channel as f32 * (1.0 + class.0 as f32 * 0.4))
            .sin()
    };
    (0..PIXELS).map(pixel).collect()
}

fn images(form: &Form, count: usize, seed: u64, pattern: &dyn Fn(ClassId) -> Vec<f32>) -> Images {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels = Vec::with_capacity(count * form.pixels());
    for image in 0..count {
        pixels.extend(
            pattern(ClassId(image % form.class_count()))
                .iter()
                .map(|t| {
                    let value = 127.5 + 60.0 * t + rng.random_range(-40.0..40.0_f32);
                    value.clamp(0.0, 255.0) as u8
                }),
        );
    }
    Images {
        pixels: pixels.into(),
        labels: (0..count)
            .map(|i| (i % form.class_count()) as u16)
            .collect(),
        channels: form.channels,
        height: form.height,
        width: form.width,
        classes: form.class_count(),
    }
}

fn laboratory(network: Subject, form: Form, pattern: &dyn Fn(ClassId) -> Vec<f32>) -> Lab {
    let (train, test) = (
        images(&form, 140, 1, pattern),
        images(&form, 70, 2, pattern),
    );
    Lab {
        kind: NetworkKind::Cnn,
        network,
        device: Device::flex(),
        pool: Pool::new(&train),
        dataset: Arc::new(Dataset {
            name: DatasetName::Own("stripes".into()),
            origin: DatasetOrigin::Embedded,
            train,
            test,
            classes: form.classes.clone(),
            notes: Vec::new(),
        }),
        form: Arc::new(form),
        resident: DeviceData::default(),
    }
}

fn form() -> Form {
    let names = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu"];
    Form {
        classes: names.iter().map(|&name| name.to_owned()).collect(),
        ..Form::numbered(SHAPE, 0)
    }
}

/// Logistic regression with these weights and logits centred on mid-grey images.
fn linear(weights: &[Vec<f32>]) -> Subject {
    let ports = NetworkShape::from(&form());
    let mut weight = vec![0.0; PIXELS * CLASSES];
    let mut bias = vec![-1e6; CLASSES];
    for (class, row) in weights.iter().enumerate() {
        for (pixel, &value) in row.iter().enumerate() {
            weight[pixel * CLASSES + class] = value;
        }
        bias[class] = -0.5 * row.iter().sum::<f32>();
    }
    let weights = NetworkWeights {
        tensors: vec![
            (
                "logits.weight".into(),
                Array::new(&[PIXELS, CLASSES], weight),
            ),
            ("logits.bias".into(), Array::new(&[CLASSES], bias)),
        ],
    };
    Subject::built_in(NetworkKind::Logistic, ports, &weights, &Device::flex()).unwrap()
}

/// A lab in which two classes decide everything, and the difference of their weights.
fn duel() -> (Lab, Vec<f32>) {
    let weights = [template(ClassId(0)), template(ClassId(1))];
    let difference = weights[1]
        .iter()
        .zip(&weights[0])
        .map(|(b, a)| b - a)
        .collect();
    (laboratory(linear(&weights), form(), &template), difference)
}

fn all_templates() -> Lab {
    let weights: Vec<Vec<f32>> = ClassId::all(CLASSES).map(template).collect();
    laboratory(linear(&weights), form(), &template)
}

fn plan(analyses: Vec<Analysis>) -> Config {
    Config {
        analyses,
        ..Config::default()
    }
}

fn trials(record: &Record) -> &GammaTrials {
    &record.classification_images().unwrap().gammas[0]
}

fn shown(images: config::ClassificationImages, lab: &Lab) -> GammaTrials {
    trials(&run(
        &plan(vec![Analysis::ClassificationImages(images)]),
        lab,
    ))
    .clone()
}
