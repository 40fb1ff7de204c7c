//! Tests of predictions.

use super::super::testing::{run, run_whole_and_in_pieces, template, template_lab};
use super::*;
use crate::ids::ClassId;
use crate::session::Config;
use crate::session::config::Analysis;

const CLASSES: usize = 10;

fn plan(splits: &[Split], block: usize) -> Config {
    let predictions = config::Predictions {
        splits: splits.to_vec(),
        block,
    };
    Config {
        analyses: vec![Analysis::Predictions(predictions)],
        ..Config::default()
    }
}

/// The template network's decision on an image: the template that matches it best after mid-grey is
/// subtracted.
fn called(bytes: &[u8]) -> ClassId {
    let score = |class: ClassId| -> f64 {
        let pixels = template(class).into_iter().zip(bytes);
        let agree = |(t, &x): (f32, &u8)| f64::from(t) * (f64::from(x) / 255.0 - 0.5);
        pixels.map(agree).sum()
    };
    ClassId::all(CLASSES)
        .max_by(|&a, &b| score(a).total_cmp(&score(b)))
        .unwrap()
}

#[test]
fn every_image_is_counted_and_summed_under_its_decision() {
    let lab = template_lab();
    let record = run(&plan(&[Split::Train, Split::Test], 64), &lab);
    let results: &record::Predictions = record.first().unwrap();
    for (split, images) in results
        .splits
        .iter()
        .zip([&lab.dataset.train, &lab.dataset.test])
    {
        let mut counts = vec![0; CLASSES * CLASSES];
        let mut sums = vec![0; CLASSES * 784];
        for index in 0..images.len() {
            let class = called(images.image(index));
            counts[usize::from(images.label(index)) * CLASSES + class.0] += 1;
            for (pixel, &byte) in images.image(index).iter().enumerate() {
                sums[class.0 * 784 + pixel] += i64::from(byte);
            }
        }
        assert_eq!(split.counts, counts);
        assert_eq!(split.images.values(), sums);
        assert_eq!(split.total(), images.len() as u64);
    }
    // All 200 training images, including those held out for validation.
    assert_eq!(results.splits[0].split, Split::Train);
    assert_eq!(results.splits[0].total(), 200);
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let (plan, lab) = (plan(&[Split::Test, Split::Train], 17), template_lab());
    let whole = run_whole_and_in_pieces(&plan, &lab, &[(4, 5)]);
    let results: &record::Predictions = whole.first().unwrap();
    assert_eq!(results.progress.blocks, [6, 12]);
    assert_eq!((results.progress.done, results.progress.total), (300, 300));
}

#[test]
fn a_split_without_images_is_refused_by_name() {
    let mut lab = template_lab();
    let set = std::sync::Arc::make_mut(&mut lab.dataset);
    set.test.pixels = std::sync::Arc::from([]);
    set.test.labels = std::sync::Arc::from([]);
    let config = plan(&[Split::Train, Split::Test], 17);
    let mut record = Record::new(&config);
    let whole = record.clone();
    let mut analysis = super::super::build(&config, 0, &lab);
    let error = analysis
        .begin(0, &lab, &whole, &mut record.analyses[0])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "analyses[0].splits[1]: the data set has no test images; leave this split out"
    );
}
