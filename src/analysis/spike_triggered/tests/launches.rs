//! Tests of launches against blocks computed one by one.

use super::*;
use crate::nets::coalesce;
use crate::stats::numbers::fixed;

/// Parts with a short launch at the end whose last block is also short, and jobs that begin in the middle of a
/// launch.
#[test]
fn launches_sum_the_same_as_single_blocks() {
    let lab = cnn_lab();
    let settings = Plan {
        trials: 7 * 5 + 2,
        images: 38,
        gradient_units: 0,
        block: 5,
        ..Plan::default()
    };
    let place = crate::analysis::AnalysisPlace {
        seed: 8,
        index: 0,
        images: None,
        gammas: 0,
        evidence: false,
    };
    let mut analysis = SpikeTriggered::new(settings, place, &lab);
    let nothing = Record::new(&Config::default());
    let mut record = Found::default();
    Experiment::begin(&mut analysis, 0, &lab, &nothing, &mut record).unwrap();
    assert!(Experiment::launches(&analysis, &lab, GRADIENTS, 4).is_none());
    for part in [NOISE, IMAGES] {
        let mut both = [record.clone(), record.clone()];
        let mut launches = Experiment::launches(&analysis, &lab, part, 4).unwrap();
        for jobs in [&[(0, 3)][..], &[(3, 4), (4, 8)]] {
            for &(first, end) in jobs {
                launches.launch(Job {
                    sequence: part,
                    block: BlockIndex(first),
                    blocks: end - first,
                });
            }
            let (first, end) = (jobs[0].0, jobs[jobs.len() - 1].1);
            let sums: Box<SpikeTriggeredSums> = launches.read().unwrap().downcast().unwrap();
            let job = Job {
                sequence: part,
                block: BlockIndex(first),
                blocks: end - first,
            };
            Experiment::merge(&analysis, &mut both[0], job, *sums);
            for job in job.split() {
                let sums = Experiment::step(&analysis, &lab, job).unwrap();
                Experiment::merge(&analysis, &mut both[1], job, sums);
            }
        }
        assert_eq!(both[0].progress, both[1].progress);
        // The result does not depend on what is read together.
        let read = |each: u64| {
            let mut results = record.clone();
            for first in BlockIndex::first(8).step_by(each as usize) {
                for block in first.until(first + each).step_by(4) {
                    launches.launch(Job {
                        sequence: part,
                        block,
                        blocks: 4,
                    });
                }
                let sums: Box<SpikeTriggeredSums> = launches.read().unwrap().downcast().unwrap();
                let job = Job {
                    sequence: part,
                    block: first,
                    blocks: each,
                };
                Experiment::merge(&analysis, &mut results, job, *sums);
            }
            results
        };
        let mut read = read;
        assert!(read(4) == read(8));
        for (launched, other) in both[0].layers.iter().zip(&both[1].layers) {
            let responses = |layer: &LayerResponses| match part {
                NOISE => layer.noise.clone(),
                _ => layer.images.clone(),
            };
            let (launched, other) = (responses(launched), responses(other));
            assert!(launched.fields.iter().sum::<u64>() > 0);
            assert_eq!(launched.fields, other.fields);
            assert_eq!(launched.fired, other.fired);
            for (launched, other) in [
                (&launched.activation, &other.activation),
                (&launched.magnitude, &other.magnitude),
                (&launched.stimulus, &other.stimulus),
                (&launched.weighted, &other.weighted),
            ] {
                let most = other.values().iter().map(|v| v.abs()).max().unwrap_or(0);
                let pairs = launched.values().iter().zip(other.values());
                let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
                assert!(
                    worst as f64 <= 1e-5 * most as f64 + 20.0,
                    "{worst} of {most}"
                );
            }
        }
    }
}

/// On a device that takes launches all images of a block are differentiated at once, elsewhere some at a time.
#[test]
fn gradients_do_not_depend_on_how_many_images_are_differentiated_at_once() {
    let lab = template_lab();
    let gradients = Gradients::new(&lab, vec![(SiteId(0), vec![0, 7])]);
    let noise: Vec<f32> = (0..70 * 784)
        .map(|i| ((i * 7919) % 251) as f32 / 250.0)
        .collect();
    let few = gradients.sum(&noise);
    let all = coalesce::run_alone(4, || gradients.sum(&noise));
    assert!(few == all);
    assert_eq!(few[0].0, 70);
    // The gradient of a logit is its weights, whatever the image.
    let expected = fixed(70.0 * f64::from(template(ClassId(7))[300]));
    let found = few[0].1[784 + 300];
    assert!(found.abs_diff(expected) <= 70, "{found} {expected}");
}
