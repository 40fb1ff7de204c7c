//! Test support: a lab whose results are known in closed form, and a driver for experiments.
//!
//! The network consists of templates: logistic regression with the weights given here. Its
//! classification image, spike-triggered average and attack can be computed by hand.

use std::sync::Arc;

use burn::tensor::Device;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{BlockOrder, DeviceData, DynExperiment, Job, Lab, build};
use crate::data::{Dataset, DatasetOrigin, Images};
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::nets::{NetworkShape, Subject};
use crate::session::array::Array;
use crate::session::config::{self, DatasetName, NetworkKind};
use crate::session::record::{NetworkWeights, Record};
use crate::session::text::{from_text, to_text};
use crate::session::{Config, Form, Session};
use crate::stimulus::Pool;

/// A pattern of rings from −1 to 1, \[28·28\], different for every class.
pub fn template(class: ClassId) -> Vec<f32> {
    let pixel = |i: usize| {
        let (row, column) = ((i / 28) as f32 - 13.5, (i % 28) as f32 - 13.5);
        let angle = class.0 as f32 * 0.6;
        let along = row * angle.cos() + column * angle.sin();
        (along * (0.35 + 0.05 * class.0 as f32)).sin()
    };
    (0..784).map(pixel).collect()
}

/// The input and output shapes of the networks in these tests.
pub fn ports() -> NetworkShape {
    NetworkShape {
        image: [1, 28, 28],
        classes: 10,
    }
}

/// A plan of classification images at these γ, followed by another analysis.
pub fn with_images(gammas: &[Gamma], trials: u64, then: config::Analysis) -> Config {
    let images = config::ClassificationImages {
        gammas: gammas.to_vec(),
        trials,
        responses: vec![config::Response::Decision],
        ..Default::default()
    };
    Config {
        analyses: vec![config::Analysis::ClassificationImages(images), then],
        ..Config::default()
    }
}

/// Logistic regression with `weight[class]` (\[784\] each) and a bias that centres every logit on
/// mid-grey images.
pub fn linear(weights: &[Vec<f32>], device: &Device) -> Subject {
    let mut bias = vec![-1e6; 10];
    for (bias, row) in bias.iter_mut().zip(weights) {
        *bias = -0.5 * row.iter().sum::<f32>();
    }
    logistic(weights, bias, device)
}

/// Templates of which that of class 0 has an infinite weight at the first pixel. Its logit is infinite, and the decision,
/// unless that pixel is black: then it is NaN.
pub fn unbounded(device: &Device) -> Subject {
    let mut weights: Vec<Vec<f32>> = ClassId::all(10).map(template).collect();
    weights[0][0] = f32::INFINITY;
    logistic(&weights, vec![0.0; 10], device)
}

/// Logistic regression with `weight[class]` (\[784\] each) and this bias, \[10\].
fn logistic(weights: &[Vec<f32>], bias: Vec<f32>, device: &Device) -> Subject {
    let mut weight = vec![0.0; 784 * 10];
    for (class, row) in weights.iter().enumerate() {
        for (pixel, &value) in row.iter().enumerate() {
            weight[pixel * 10 + class] = value;
        }
    }
    let weights = NetworkWeights {
        tensors: vec![
            ("logits.weight".into(), Array::new(&[784, 10], weight)),
            ("logits.bias".into(), Array::new(&[10], bias)),
        ],
    };
    Subject::built_in(NetworkKind::Logistic, ports(), &weights, device).unwrap()
}

/// Grey images of 28×28 pixels in ten classes.
pub fn digits(pixels: Vec<u8>, labels: impl Iterator<Item = usize>) -> Images {
    Images {
        pixels: pixels.into(),
        labels: labels.map(|label| label as u16).collect(),
        channels: 1,
        height: 28,
        width: 28,
        classes: 10,
    }
}

/// `count` images that look like the templates of their classes plus some noise; the classes
/// alternate.
pub fn images(count: usize, seed: u64) -> Images {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let templates: Vec<Vec<f32>> = ClassId::all(10).map(template).collect();
    let mut pixels = Vec::with_capacity(count * 784);
    for i in 0..count {
        pixels.extend(templates[i % 10].iter().map(|t| {
            let value = 127.5 + 60.0 * t + rng.random_range(-40.0..40.0_f32);
            value.clamp(0.0, 255.0) as u8
        }));
    }
    digits(pixels, (0..count).map(|i| i % 10))
}

/// A lab around a network, with this many images.
pub fn lab(network: Subject, kind: NetworkKind, train: usize, test: usize) -> Lab {
    lab_with(network, kind, images(train, 1), images(test, 2))
}

/// A lab around a network, with these images.
pub fn lab_with(network: Subject, kind: NetworkKind, train: Images, test: Images) -> Lab {
    Lab {
        network,
        kind,
        form: Arc::new(Form::numbered([1, 28, 28], 10)),
        device: Device::flex(),
        pool: Pool::new(&train),
        dataset: Arc::new(Dataset {
            name: DatasetName::Mnist,
            origin: DatasetOrigin::Embedded,
            train,
            test,
            classes: (0..10).map(|class| class.to_string()).collect(),
            notes: Vec::new(),
        }),
        resident: DeviceData::default(),
    }
}

/// A lab around ten templates.
pub fn template_lab() -> Lab {
    let templates: Vec<Vec<f32>> = ClassId::all(10).map(template).collect();
    let network = linear(&templates, &Device::flex());
    lab(network, NetworkKind::Logistic, 200, 100)
}

/// A session whose images have been loaded.
fn session(config: &Config, lab: &Lab) -> Session {
    let mut session = Session::new("test", config.clone());
    session.record.form = Some(Form::clone(&lab.form));
    session
}

/// Runs every analysis of the plan from the beginning.
pub fn run(config: &Config, lab: &Lab) -> Record {
    let mut session = session(config, lab);
    while advance(&mut session, lab, u64::MAX, None) {}
    session.record
}

/// The same in pieces of `piece` blocks, each resumed from the text of a session file, with the blocks of
/// a piece computed in an order determined by `seed`: like a run on many workers that is stopped again
/// and again.
pub fn run_interrupted(config: &Config, lab: &Lab, piece: u64, seed: u64) -> Record {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut session = session(config, lab);
    while advance(&mut session, lab, piece, Some(&mut rng)) {
        let text = to_text(&session).unwrap();
        session = from_text(&text, std::path::Path::new("test.ron"), "test").unwrap();
    }
    session.record
}

/// Runs every analysis of the plan from the beginning, and again in pieces for each (piece, seed); see
/// [`run_interrupted`]. A resumed run must equal the uninterrupted one, which is returned, bit for bit.
pub fn run_whole_and_in_pieces(config: &Config, lab: &Lab, pieces: &[(u64, u64)]) -> Record {
    let whole = run(config, lab);
    // Maps contain NaN, which equals nothing, so the texts of the session files are compared.
    let text = |record: Record| {
        let mut session = Session::new("test", config.clone());
        session.record = record;
        to_text(&session).unwrap()
    };
    let expected = text(whole.clone());
    for &(piece, seed) in pieces {
        let resumed = text(run_interrupted(config, lab, piece, seed));
        assert!(resumed == expected, "pieces of {piece} blocks");
    }
    whole
}

/// Computes at most `blocks` more blocks; `false` when none are left.
fn advance(
    session: &mut Session,
    lab: &Lab,
    mut blocks: u64,
    mut shuffle: Option<&mut ChaCha8Rng>,
) -> bool {
    session.config.validate().unwrap();
    for index in 0..session.config.analyses.len() {
        for phase in 0.. {
            let mut analysis = build(&session.config, index, lab);
            let parts = analysis.sequences();
            if parts.iter().all(|part| part.phase < phase) {
                break;
            }
            let open = |analysis: &dyn DynExperiment, record: &Record| -> Vec<Job> {
                let results = &record.analyses[index];
                let done = analysis.done(results);
                let open = (0..parts.len()).filter(|&part| {
                    parts[part].phase == phase
                        && done[part] < parts[part].blocks
                        && !analysis.is_complete(results, part)
                });
                open.map(|part| Job::single_block(part, BlockIndex(done[part])))
                    .collect()
            };
            if open(analysis.as_ref(), &session.record).is_empty() {
                continue;
            }
            let whole = session.record.clone();
            let results = &mut session.record.analyses[index];
            analysis.begin(phase, lab, &whole, results).unwrap();
            loop {
                let first = open(analysis.as_ref(), &session.record);
                if first.is_empty() || blocks == 0 {
                    break;
                }
                // A few blocks of each part, computed in any order and merged in order.
                let mut jobs = Vec::new();
                for job in first {
                    let ahead = match parts[job.sequence].order {
                        BlockOrder::Parallel => 3.min(parts[job.sequence].blocks - job.block.0),
                        BlockOrder::Sequential => 1,
                    };
                    jobs.extend(
                        (0..ahead).map(|more| Job::single_block(job.sequence, job.block + more)),
                    );
                }
                jobs.truncate(blocks.min(usize::MAX as u64) as usize);
                blocks -= jobs.len() as u64;
                if let Some(rng) = &mut shuffle {
                    jobs.shuffle(rng);
                }
                let step = |&job: &Job| (job, analysis.step(lab, job).unwrap());
                let mut sums: Vec<_> = jobs.iter().map(step).collect();
                sums.sort_by_key(|(job, _)| (job.sequence, job.block));
                let results = &mut session.record.analyses[index];
                for (job, sums) in sums {
                    if !analysis.is_complete(results, job.sequence) {
                        analysis.merge(results, job, sums);
                    }
                }
            }
            analysis.refresh(lab, &mut session.record.analyses[index]);
            if blocks == 0 {
                return true;
            }
        }
    }
    false
}
