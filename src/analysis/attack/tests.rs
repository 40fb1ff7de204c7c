//! Tests of the attack on a linear network, whose decisions follow by hand.

use burn::tensor::Device;

use super::super::testing::{
    digits, lab_with, run, run_whole_and_in_pieces, template, template_lab, unbounded, with_images,
};
use super::*;
use crate::session::Config;
use crate::session::config::{Analysis, NetworkKind};

const CLASSES: usize = 10;
const AREA: usize = 784;

const WEIGHTS: [f64; 4] = [0.0, 0.35, 0.6, 1.0];

fn few() -> config::Attack {
    config::Attack {
        weights: WEIGHTS.to_vec(),
        images: 40,
        noise_images: 25,
        block: 16,
        ..Default::default()
    }
}

fn plan(gammas: &[Gamma], trials: u64, attack: config::Attack) -> Config {
    with_images(gammas, trials, Analysis::Attack(attack))
}

fn measured(record: &Record) -> &record::Attack {
    record.first().unwrap()
}

/// Logits of the network of templates in closed form: ⟨t_k, x − ½⟩.
fn logits(x: &[f64]) -> Vec<f64> {
    let of_class = |class: ClassId| {
        let pixels = template(class).into_iter().zip(x);
        pixels.map(|(t, x)| f64::from(t) * (x - 0.5)).sum()
    };
    ClassId::all(CLASSES).map(of_class).collect()
}

/// The weights w between which an image of logits `a`, blended with a pattern of logits `b`, is
/// called `class`. The logits are affine, so at w they are (1−w)·a + w·b, and the image flips
/// between two classes where the lines of their logits cross.
fn called_between(class: ClassId, a: &[f64], b: &[f64]) -> (f64, f64) {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for other in ClassId::all(CLASSES).filter(|&other| other != class) {
        let (ahead, behind) = (a[class] - a[other], b[class] - b[other]);
        let slope = behind - ahead;
        let flip = -ahead / slope;
        if slope > 0.0 {
            low = low.max(flip);
        } else {
            high = high.min(flip);
        }
    }
    (low, high)
}

fn expected(a: &[f64], b: &[f64], w: f64) -> ClassId {
    // Closer to a flip than this, the network's 32-bit floats may decide differently.
    const MARGIN: f64 = 1e-6;
    let inside = |&class: &ClassId| {
        let (low, high) = called_between(class, a, b);
        low + MARGIN < w && w < high - MARGIN
    };
    ClassId::all(CLASSES).find(inside).unwrap()
}

fn wide(pixels: &[f32]) -> Vec<f64> {
    pixels.iter().map(|&v| f64::from(v)).collect()
}

/// Logits and true classes of the stimuli of both sources.
fn sources(config: &Config, lab: &Lab) -> [Vec<(Option<ClassId>, Vec<f64>)>; 2] {
    let test = &lab.dataset.test;
    let image = |i: usize| {
        let bytes = test.image(i).iter();
        let x: Vec<f64> = bytes.map(|&b| f64::from(b) / 255.0).collect();
        (Some(ClassId(usize::from(test.label(i)))), logits(&x))
    };
    let place = super::super::AnalysisPlace::for_analysis(config, 1);
    let source = NoiseSource::new(Noise::Uniform, &lab.dataset.train);
    let mut noise = Vec::new();
    for (block, images) in [(BlockIndex(0), 16), (BlockIndex(1), 9)] {
        let points = source.draw(&mut place.noise_seed(0, block).generator(), images);
        let value = |&k: &u16| (f64::from(k) + 0.5) / 65536.0;
        let pixels: Vec<f64> = points.iter().map(value).collect();
        noise.extend(pixels.chunks_exact(AREA).map(|z| (None, logits(z))));
    }
    [(0..40).map(image).collect(), noise]
}

#[test]
fn every_stimulus_flips_at_the_weight_computed_by_hand() {
    let (config, lab) = (plan(&[Gamma::NOISE], 3000, few()), template_lab());
    let record = run(&config, &lab);
    let results = measured(&record);
    let mut flipped = [0; 3];
    for (source, stimuli) in sources(&config, &lab).iter().enumerate() {
        for (pattern, flipped) in flipped.iter_mut().enumerate() {
            for target in ClassId::all(CLASSES) {
                let Some(p) = results.pattern(pattern, target) else {
                    continue;
                };
                let of_pattern = logits(&wide(p));
                for (at, &w) in WEIGHTS.iter().enumerate() {
                    let mut outcomes = Outcomes::default();
                    for (truth, logits) in stimuli {
                        let called = expected(logits, &of_pattern, w);
                        outcomes.count(*truth, called, target, 1);
                        *flipped += usize::from(called != expected(logits, &of_pattern, 0.0));
                    }
                    assert_eq!(results.outcomes(source, pattern, target, at), outcomes);
                }
            }
        }
    }
    assert!(flipped.iter().all(|&n| n > 300), "{flipped:?}");
}

#[test]
fn the_patterns_show_the_classes_on_one_scale() {
    let lab = template_lab();
    let record = run(&plan(&[Gamma::NOISE], 3000, few()), &lab);
    let results = measured(&record);
    let estimate = record.classification_images().unwrap().gammas[0].estimate();
    let train = &lab.dataset.train;
    let scale = |map: Vec<f64>| -> Vec<f64> {
        let least = map.iter().copied().fold(f64::MAX, f64::min);
        let most = map.iter().copied().fold(f64::MIN, f64::max);
        map.iter().map(|v| (v - least) / (most - least)).collect()
    };
    let agree = |pattern: usize, target: ClassId, map: Vec<f64>| {
        let actual = wide(results.pattern(pattern, target).unwrap());
        let worst = actual.iter().zip(scale(map)).map(|(a, b)| (a - b).abs());
        assert!(worst.fold(0.0, f64::max) < 1e-6);
    };
    for target in ClassId::all(CLASSES) {
        let image = estimate.classes[target].decision.as_ref();
        assert_eq!(results.pattern(0, target).is_some(), image.is_some());
        if let Some(image) = image {
            agree(0, target, wide(&image.image));
        }
        // The classes alternate among the 200 training images.
        let members = (0..20).map(|turn| train.image(turn * 10 + target.0));
        let mut mean = vec![0.0; AREA];
        for image in members {
            for (mean, &byte) in mean.iter_mut().zip(image) {
                *mean += f64::from(byte) / 255.0 / 20.0;
            }
        }
        agree(1, target, mean);
        // Noise fills its range evenly: its deviation is √(1/12).
        let noise = wide(results.pattern(2, target).unwrap());
        let mean = noise.iter().sum::<f64>() / AREA as f64;
        let power = noise.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / AREA as f64;
        assert!((mean - 0.5).abs() < 0.05 && (power.sqrt() - 0.2887).abs() < 0.02);
    }
    assert_ne!(
        results.pattern(2, ClassId(0)),
        results.pattern(2, ClassId(1))
    );
}

#[test]
fn at_weight_0_patterns_agree_and_at_weight_1_the_pattern_alone_decides() {
    let record = run(&plan(&[Gamma::NOISE], 3000, few()), &template_lab());
    let results = measured(&record);
    for source in 0..2 {
        for pattern in 0..3 {
            for target in ClassId::all(CLASSES) {
                if results.pattern(pattern, target).is_none() {
                    continue;
                }
                // The same images and the same noise, with any pattern blended in.
                let first = results.outcomes(source, 1, target, 0);
                assert_eq!(results.outcomes(source, pattern, target, 0), first);
                // With the pattern alone all are called the same class: the target or another one.
                let last = results.outcomes(source, pattern, target, 3);
                assert!(last.hits == 0 || last.hits == last.others, "{last:?}");
                assert_eq!(last.all, [40, 25][source]);
            }
        }
    }
    // The mean image of a class is called that class.
    let mean = results.mean_targeted(0, 1, 3).unwrap();
    assert_eq!(mean.interval.estimate, 1.0);
}

#[test]
fn the_examples_are_the_first_correct_images_of_other_classes_with_their_decisions() {
    let lab = template_lab();
    let record = run(&plan(&[Gamma::NOISE], 3000, few()), &lab);
    let results = measured(&record);
    assert_eq!(results.examples.len(), CLASSES);
    let test = &lab.dataset.test;
    for (target, example) in ClassId::all(CLASSES).zip(&results.examples) {
        let known = |i: usize| {
            let x: Vec<f64> = test
                .image(i)
                .iter()
                .map(|&b| f64::from(b) / 255.0)
                .collect();
            let logits = logits(&x);
            let best = ClassId::all(CLASSES)
                .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
                .unwrap();
            (best == ClassId(usize::from(test.label(i))) && best != target).then_some(logits)
        };
        let (index, a) = (0..40).find_map(|i| Some((i, known(i)?))).unwrap();
        assert_eq!(example.target, target);
        assert_eq!(example.truth, ClassId(usize::from(test.label(index))));
        assert_eq!(example.image.values(), test.image(index));
        for pattern in 0..3 {
            let b = match results.pattern(pattern, target) {
                Some(p) => logits(&wide(p)),
                None => a.clone(),
            };
            for (at, &w) in WEIGHTS.iter().enumerate() {
                let blended: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a + w * (b - a)).collect();
                let all: f64 = blended.iter().map(|l| (l - blended[target]).exp()).sum();
                let (called, confidence) = (
                    example.called[pattern * 4 + at],
                    example.confidence[pattern * 4 + at],
                );
                assert_eq!(
                    called,
                    ClassId::all(CLASSES)
                        .max_by(|&x, &y| blended[x].total_cmp(&blended[y]))
                        .unwrap()
                );
                assert!(
                    (confidence - 1.0 / all).abs() < 1e-4,
                    "{confidence} {}",
                    1.0 / all
                );
            }
        }
    }
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let (plan, lab) = (
        plan(&[Gamma::NOISE, Gamma(0.3)], 600, few()),
        template_lab(),
    );
    let whole = run_whole_and_in_pieces(&plan, &lab, &[(17, 9)]);
    let results = measured(&whole);
    assert_eq!(results.progress.done, results.progress.total);
    assert_eq!(results.queries(), results.progress.total);
    assert!(whole.analyses[1].is_finished(&plan.analyses[1]));
}

#[test]
fn more_images_than_exist_means_all_of_them() {
    let attack = config::Attack {
        images: 1_000_000,
        noise_images: 0,
        weights: vec![0.5],
        ..Default::default()
    };
    let record = run(&plan(&[Gamma::NOISE], 600, attack), &template_lab());
    let results = measured(&record);
    assert_eq!(results.outcomes(0, 1, ClassId(3), 0).all, 100);
    let patterns = results
        .measured
        .iter()
        .filter(|&&is_measured| is_measured)
        .count() as u64;
    assert_eq!(
        (results.queries(), results.progress.done),
        (100 * patterns, 100 * patterns)
    );
}

#[test]
fn without_classification_images_the_other_patterns_are_still_shown() {
    let plan = plan(&[Gamma(0.3), Gamma(0.1)], 20, few());
    let record = run(&plan, &template_lab());
    let results = measured(&record);
    assert_eq!(results.gamma, Some(Gamma(0.1)));
    assert_eq!(results.targeted(0, 0, ClassId(4), 1), None);
    assert_eq!(results.mean_targeted(1, 0, 1), None);
    assert_eq!(results.targeted(0, 1, ClassId(4), 1).unwrap().total, 36);
    assert_eq!(results.targeted(1, 2, ClassId(4), 1).unwrap().total, 25);
    assert_eq!(results.queries(), 20 * 65 * 4);
    assert!(record.analyses[1].is_finished(&plan.analyses[1]));
}

/// Classification images at these γ, with `sufficient` classes that have one at each.
fn trials(gammas: &[Gamma], sufficient: &[usize]) -> record::ClassificationImages {
    let of_gamma = |(&gamma, &classes): (&Gamma, &usize)| {
        let kind = record::TrialKind::plain(CLASSES, [1, 28, 28]);
        let mut trials = GammaTrials::new(gamma, 30, &kind);
        for truth in 0..2 {
            trials.counts[truth * CLASSES..][..classes].fill(40);
        }
        for class in 0..classes {
            trials.counts[class * CLASSES + class] = 40;
            trials.counts[class * CLASSES + (class + 1) % classes] = 40;
        }
        trials
    };
    record::ClassificationImages {
        gammas: gammas.iter().zip(sufficient).map(of_gamma).collect(),
        axes: None,
    }
}

#[test]
fn the_weakest_gamma_at_which_most_classes_have_an_image_is_chosen() {
    let choose = |gammas: &[Gamma], sufficient: &[usize], asked| {
        let attack = config::Attack {
            gamma: asked,
            ..few()
        };
        let config = plan(&[Gamma::NOISE], 600, attack.clone());
        let place = super::super::AnalysisPlace::for_analysis(&config, 1);
        let chosen = Attack::new(attack, place, &template_lab());
        let images = trials(gammas, sufficient);
        let counted: Vec<usize> = images
            .gammas
            .iter()
            .map(|trials| {
                trials
                    .estimate()
                    .classes
                    .iter()
                    .filter(|class| class.decision.is_some())
                    .count()
            })
            .collect();
        assert_eq!(counted, sufficient);
        chosen
            .choose(&images, Response::Decision)
            .map(|trials| trials.gamma)
    };
    let all = [0.3, 0.0, 0.2, 0.1].map(Gamma);
    assert_eq!(choose(&all, &[5, 2, 5, 4], None), Ok(Gamma(0.2)));
    let asked = choose(&all, &[5, 2, 5, 4], Some(Gamma(0.1)));
    assert_eq!(asked, Ok(Gamma(0.1)));
    let error = choose(&all[..2], &[5, 2], Some(Gamma(0.7))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "analyses[1].gamma: the classification images before it have no γ = 0.7; they have 0.3, 0"
    );
}

#[test]
fn a_data_set_without_test_images_cannot_be_attacked() {
    let mut lab = template_lab();
    let set = std::sync::Arc::make_mut(&mut lab.dataset);
    set.test.pixels = std::sync::Arc::from([]);
    set.test.labels = std::sync::Arc::from([]);
    let config = plan(&[Gamma::NOISE], 600, few());
    let mut record = Record::new(&config);
    let whole = record.clone();
    let mut analysis = super::super::build(&config, 1, &lab);
    let error = analysis.begin(0, &lab, &whole, &mut record.analyses[1]);
    assert!(error.unwrap_err().to_string().contains("no test image"));
}

/// All images are of class 0. The first is black in its first pixel, where the network's outputs are NaN.
#[test]
fn an_image_without_a_decision_is_no_example() {
    let mut pixels = vec![128; 40 * AREA];
    pixels[0] = 0;
    let images = || digits(pixels.clone(), std::iter::repeat_n(0, 40));
    let network = unbounded(&Device::flex());
    let lab = lab_with(network, NetworkKind::Logistic, images(), images());
    let config = plan(&[Gamma::NOISE], 600, few());
    let place = super::super::AnalysisPlace::for_analysis(&config, 1);
    let attack = Attack::new(few(), place, &lab);
    let measured = trials(&[Gamma::NOISE], &[2]);
    let record = attack.begun((&measured.gammas[0], None), &lab);
    let examples = attack.examples(&lab, &record);
    assert_eq!(examples.len(), CLASSES - 1);
    for example in examples {
        assert_eq!(example.image.values()[0], 128);
    }
}
