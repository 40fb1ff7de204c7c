//! Tests of a layer with several positions, each of which sees the whole image.

use super::super::covariance::sum as sum_covariance;
use super::*;
use crate::nets::graph::op::{Conv, ReducedAxes, Reduction};
use crate::nets::graph::{GraphBuilder, Op};
use crate::nets::launch;
use crate::session::array::Array;
use crate::stimulus::BlockSeed;

/// A network whose layer `norm` standardizes 3 channels of 2×2 positions, so that each of them depends on every pixel.
fn normalized() -> Subject {
    let mut builder = GraphBuilder::new([1, 28, 28]);
    let weight = |builder: &mut GraphBuilder, name: &str, shape: &[usize]| {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|i| ((i * 7919) % 251) as f32 / 250.0 - 0.4);
        let values = Array::new(shape, values.collect());
        builder.weight(name, values).unwrap()
    };
    let input = builder.add("images", Op::Input, &[]).unwrap();
    let kernel = weight(&mut builder, "kernel", &[3, 1, 14, 14]);
    let conv = Op::Conv(Conv {
        stride: [14, 14],
        ..Conv::default()
    });
    let conv = builder.add("conv", conv, &[input.into(), kernel]).unwrap();
    let scale = weight(&mut builder, "scale", &[3]);
    let shift = weight(&mut builder, "shift", &[3]);
    let norm = Op::GroupNorm {
        groups: 1,
        epsilon: 1e-5,
    };
    let norm = builder
        .add("norm", norm, &[conv.into(), scale, shift])
        .unwrap();
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Dropped,
    };
    let mean = builder.add("mean", mean, &[norm.into()]).unwrap();
    let dense = weight(&mut builder, "dense", &[3, 10]);
    let logits = builder
        .add("logits", Op::Dense, &[mean.into(), dense])
        .unwrap();
    let graph = builder.finish(logits).unwrap();
    Subject::new(graph, &Device::flex()).unwrap()
}

#[test]
fn positions_that_see_the_whole_image_are_summed_one_by_one() {
    let lab = lab(normalized(), NetworkKind::Onnx, 40, 10);
    let sites = lab.network.sites();
    let id = SiteId(sites.iter().position(|site| site.name == "norm").unwrap());
    let site = sites[id].clone();
    assert!(site.sees_whole_image());
    assert_eq!((site.units, site.positions), (3, (2, 2)));
    let pixels: Vec<f32> = (0..5)
        .flat_map(|i| lab.dataset.train.image(i))
        .map(|&x| f32::from(x) / 255.0)
        .collect();
    let shown = stack(&pixels, [1, 28, 28], &lab.device);
    let layers = [Fields::new(id, &site, &lab.device)];
    assert_eq!(layers[0].gather(shown.clone()).dims(), [5 * 4, 784]);
    let activations = read_back(lab.network.activations(shown, &[id]).remove(0));
    let mut expected = vec![0.0; 3 * 784];
    for (map, activations) in activations.chunks_exact(4).enumerate() {
        let (image, unit) = (map / 3, map % 3);
        let response: f64 = activations.iter().map(|&a| f64::from(a)).sum();
        let shown = &pixels[image * 784..][..784];
        for (sum, s) in expected[unit * 784..].iter_mut().zip(shown) {
            *sum += response * (f64::from(*s) - 0.5);
        }
    }
    for by_plan in [false, true] {
        launch::set_by_plan(by_plan);
        let sums = fields::sum(&layers, &lab.network, &pixels, &lab.device).remove(0);
        assert_eq!(sums.fields, 5 * 4);
        let pairs = sums.weighted.iter().zip(&expected);
        let worst = pairs.map(|(&sum, expected)| (sum as f64 / FIXED_POINT - expected).abs());
        assert!(worst.fold(0.0, f64::max) < 1e-4, "by plan: {by_plan}");
    }
    launch::set_by_plan(false);
}

/// As many as of a layer with one position: only one field is gathered for all positions.
#[test]
fn images_are_shown_together_where_positions_see_the_whole_image() {
    let lab = lab(normalized(), NetworkKind::Onnx, 40, 10);
    let sites = lab.network.sites();
    let together = |name: &str| {
        let id = SiteId(sites.iter().position(|site| site.name == name).unwrap());
        assert!(sites[id].sees_whole_image());
        fields::images_at_once_for(&[Fields::new(id, &sites[id], &lab.device)])
    };
    assert_eq!(together("norm"), together("logits"));
}

#[test]
fn the_covariance_of_a_unit_has_its_fields_at_every_position() {
    let lab = lab(normalized(), NetworkKind::Onnx, 40, 10);
    let sites = lab.network.sites();
    let id = SiteId(sites.iter().position(|site| site.name == "norm").unwrap());
    let layer = Fields::new(id, &sites[id], &lab.device);
    let pixels: Vec<f32> = (0..3 * 784)
        .map(|i| ((i * 7919) % 251) as f32 / 250.0)
        .collect();
    let shuffle = BlockSeed {
        session: 1,
        analysis: 0,
        stream: 1,
        block: BlockIndex(0),
    };
    let sums = sum_covariance(&layer, 2, &lab, &pixels, shuffle);
    assert_eq!(sums.fields, 3 * 4);
    let shown = stack(&pixels, [1, 28, 28], &lab.device);
    let activations = read_back(lab.network.activations(shown, &[id]).remove(0));
    let expected: f64 = (0..3)
        .map(|image| {
            let unit = activations[(3 * image + 2) * 4..][..4].iter();
            let weight: f64 = unit.map(|&a| f64::from(a.abs())).sum();
            weight * (f64::from(pixels[image * 784 + 300]) - 0.5)
        })
        .sum();
    let found = sums.weighted[300] as f64 / FIXED_POINT;
    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
}

#[test]
fn averages_and_gradients_are_measured_where_positions_see_the_whole_image() {
    let settings = Plan {
        trials: 16,
        images: 8,
        layers: vec!["norm".into()],
        gradient_units: 1,
        gradient_trials: 8,
        block: 8,
        ..Plan::default()
    };
    let found = found(settings, &lab(normalized(), NetworkKind::Onnx, 40, 10));
    assert!(found.progress.is_finished());
    assert_eq!(found.layers[0].noise.fields, [8 * 4; 2]);
    assert_eq!(found.layers[0].gradients.fields, 8);
}
