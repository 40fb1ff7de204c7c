use burn::tensor::Device;

use super::*;
use crate::nets::{Ports, Subject};
use crate::session::config::NetworkKind;

/// Images that have nothing in common, in \[0,1\].
fn images(count: usize, numbers: usize) -> Vec<f32> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..count * numbers).map(|_| next()).collect()
}

fn kinds() -> Vec<NetworkKind> {
    let all = NetworkKind::ALL.into_iter();
    all.filter(|kind| *kind != NetworkKind::Onnx).collect()
}

fn subject(kind: NetworkKind, image: [usize; 3], classes: usize) -> Subject {
    let ports = Ports { image, classes };
    Subject::untrained(kind, ports, 5, &Device::flex()).unwrap()
}

/// The greatest difference relative to the greatest logit.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let most = a.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    let pairs = a.iter().zip(b);
    pairs.fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs())) / most
}

#[test]
fn every_kind_gives_the_logits_that_burn_gives() {
    for kind in kinds() {
        for (image, classes) in [([1, 28, 28], 10), ([3, 32, 32], 7)] {
            let subject = subject(kind, image, classes);
            let graph = subject.graph().fast().unwrap().graph;
            let pixels = images(70, image.iter().product());
            let reference = subject.logits(pixels.clone(), &Device::flex());
            for direct in [true, false] {
                let plan = Plan::with(&graph, Lanes::widest(), direct).unwrap();
                let worst = difference(&reference, &plan.logits(&pixels));
                assert!(worst < 1e-5, "{kind:?} {image:?} direct {direct}: {worst}");
            }
        }
    }
}

#[test]
fn an_image_has_the_same_bits_in_any_batch_and_with_any_vectors() {
    for kind in kinds() {
        let subject = subject(kind, [1, 28, 28], 10);
        let graph = subject.graph().fast().unwrap().graph;
        let pixels = images(9, 784);
        let whole = Plan::with(&graph, Lanes::widest(), false)
            .unwrap()
            .logits(&pixels);
        for lanes in Lanes::all() {
            let plan = Plan::with(&graph, lanes, false).unwrap();
            // One image at a time is slow where vectors hold one.
            let count = if lanes.count() == 1 { 2 } else { 9 };
            for image in 0..count {
                let alone = plan.logits(&pixels[image * 784..(image + 1) * 784]);
                assert_eq!(
                    alone,
                    whole[image * 10..(image + 1) * 10],
                    "{kind:?} {lanes:?}"
                );
            }
        }
    }
}
