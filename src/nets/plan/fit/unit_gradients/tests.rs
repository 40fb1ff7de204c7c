//! Tests of gradients of units against automatic differentiation, and of the memory that they take.

use super::*;
use crate::ids::SiteId;
use crate::nets::Subject;
use crate::nets::graph::Op;
use crate::nets::network_shape::NetworkShape;
use crate::session::config::NetworkKind;
use burn::tensor::{Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The sum of a unit's gradients at some positions, by automatic differentiation.
fn by_burn(
    subject: &Subject,
    site: SiteId,
    (pixels, image): (&[f32], [usize; 3]),
    (unit, positions): (usize, &[usize]),
) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let subject = subject.on(&device);
    let area: usize = image.iter().product();
    let shape = [pixels.len() / area, image[0], image[1], image[2]];
    let images = TensorData::new(pixels.to_vec(), shape);
    let images = Tensor::<4>::from_data(images, &device).require_grad();
    let all = subject.activations(images.clone(), &[site]).remove(0);
    let unit_activations = all.narrow(1, unit, 1);
    let [n, _, rows, columns] = unit_activations.dims();
    let unit_activations = unit_activations.reshape([n, rows * columns]);
    let chosen = positions
        .iter()
        .map(|&position| unit_activations.clone().narrow(1, position, 1));
    let sum = Tensor::cat(chosen.collect(), 1).sum();
    let gradients = sum.backward();
    let by_pixel = images.grad(&gradients).unwrap();
    let values: Vec<f32> = by_pixel.into_data().try_into_vec().unwrap();
    let mut sums = vec![0.0; area];
    for image in values.chunks_exact(area) {
        let pairs = sums.iter_mut().zip(image);
        pairs.for_each(|(sum, v)| *sum += f64::from(*v));
    }
    sums
}

/// Networks that are chains, for grey and for colour images.
fn chains() -> impl Iterator<Item = (NetworkKind, NetworkShape, Subject)> {
    let kinds = [
        NetworkKind::Cnn,
        NetworkKind::Mlp,
        NetworkKind::Logistic,
        NetworkKind::Simple,
    ];
    let forms = kinds.map(|kind| [(kind, [1, 28, 28]), (kind, [3, 17, 19])]);
    forms.into_iter().flatten().map(|(kind, image)| {
        let ports = NetworkShape { image, classes: 5 };
        let subject = Subject::untrained(kind, ports, 5, &Device::flex()).unwrap();
        (kind, ports, subject)
    })
}

#[test]
fn gradients_of_units_are_those_of_automatic_differentiation() {
    for (kind, ports, subject) in chains() {
        let (image, area) = (ports.image, ports.pixels());
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let images = 37;
        let pixels: Vec<f32> = (0..images * area)
            .map(|_| rng.random_range(0.0..1.0))
            .collect();
        for (index, site) in subject.sites().iter().enumerate() {
            let mut gradients = UnitGradients::new(subject.graph(), site.node)
                .unwrap_or_else(|| panic!("{kind:?} {}", site.name));
            let (units, all) = subject.graph().activation_offsets(site);
            let chosen = [0, units.len() / 2, units.len() - 1];
            let positions: Vec<usize> = (0..all.len()).step_by(7).collect();
            let mut sums = vec![0.0; 3 * area];
            let chosen_units = chosen.map(|unit| units[unit]);
            let position_offsets: Vec<usize> =
                positions.iter().map(|&position| all[position]).collect();
            gradients.add(&pixels, &chosen_units, &position_offsets, &mut sums);
            for (&unit, found) in chosen.iter().zip(sums.chunks_exact(area)) {
                let site_id = SiteId(index);
                let expected = by_burn(&subject, site_id, (&pixels, image), (unit, &positions));
                let most = expected.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
                let worst = found.iter().zip(&expected);
                let worst = worst.fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs()));
                let name = &site.name;
                assert!(
                    worst <= 3e-5 * most.max(1e-3),
                    "{kind:?} {name} {unit}: {worst} of {most}"
                );
            }
        }
    }
}

/// Every layer of every kind: direct and Winograd convolutions, pooled and not, and dense layers.
#[test]
fn the_bytes_that_gradients_will_take_are_those_that_they_took() {
    for (kind, ports, subject) in chains() {
        let (graph, area) = (subject.graph(), ports.pixels());
        for site in subject.sites() {
            let mut gradients = UnitGradients::new(graph, site.node).unwrap();
            let (units, positions) = graph.activation_offsets(site);
            for images in [3, 14] {
                let mut sums = vec![0.0; area];
                let pixels = vec![0.5; images * area];
                gradients.add(&pixels, &units[..1], &positions[..1], &mut sums);
                assert_eq!(
                    UnitGradients::bytes_for(graph, site.node, images),
                    Some(gradients.bytes()),
                    "{kind:?} {}, {images} images",
                    site.name
                );
            }
        }
    }
}

#[test]
fn what_is_no_chain_has_none() {
    for kind in [NetworkKind::Complex, NetworkKind::Rnn] {
        let ports = NetworkShape {
            image: [1, 28, 28],
            classes: 10,
        };
        let subject = Subject::untrained(kind, ports, 5, &Device::flex()).unwrap();
        let last = subject.sites().last().unwrap();
        assert!(UnitGradients::new(subject.graph(), last.node).is_none());
        assert!(UnitGradients::bytes_for(subject.graph(), last.node, 1).is_none());
    }
    let subject = Subject::untrained(
        NetworkKind::Cnn,
        NetworkShape {
            image: [1, 28, 28],
            classes: 10,
        },
        5,
        &Device::flex(),
    )
    .unwrap();
    let input = subject
        .graph()
        .ids()
        .find(|id| subject.graph().node(*id).op == Op::Input);
    assert!(UnitGradients::new(subject.graph(), input.unwrap()).is_none());
}
