//! Tests of which nodes are sites, and of pushing them.

use super::super::op::{Binary, Conv, Pads, ReducedAxes, Reduction, Unary};
use super::*;

/// conv–norm–relu–conv–norm, added to the images, relu, mean, dense.
fn residual() -> Graph {
    let mut bench = Bench::new([4, 9, 11]);
    let mut last = bench.input;
    for block in ["block.0", "block.3"] {
        let weight = bench.weight(&format!("{block}.weight"), array(&[4, 4, 3, 3], 2));
        let conv = Op::Conv(Conv {
            pads: Pads::all(1),
            ..Conv::default()
        });
        last = bench.add(&format!("/{block}/Conv"), conv, &[last.into(), weight]);
        let mut inputs = vec![last.into()];
        for (parameter, seed) in [("weight", 3), ("bias", 4), ("mean", 5), ("variance", 6)] {
            let values = array(&[4], seed);
            let values = values.values().iter().map(|x| x.abs() + 0.5);
            let values = Array::new(&[4], values.collect());
            inputs.push(bench.weight(&format!("{block}.norm.{parameter}"), values));
        }
        let norm = Op::BatchNorm { epsilon: 1e-5 };
        last = bench.add(&format!("/{block}/Norm"), norm, &inputs);
        if block == "block.0" {
            last = bench.then(Op::Unary(Unary::Relu), last);
        }
    }
    let sum = [last.into(), bench.input.into()];
    let sum = bench.add("/block/Add", Op::Binary(Binary::Add), &sum);
    let relu = [sum.into()];
    let relu = bench.add("/block/Relu", Op::Unary(Unary::Relu), &relu);
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Dropped,
    };
    let mean = bench.then(mean, relu);
    let weight = bench.weight("fc.weight", array(&[4, 3], 7));
    let fc = bench.add("/fc/Gemm", Op::Dense, &[mean.into(), weight]);
    bench.builder.finish(fc).unwrap()
}

#[test]
fn layers_their_non_linearities_and_joins_are_sites() {
    let sites = residual().sites();
    let found: Vec<_> = sites
        .iter()
        .map(|site| {
            let name = site.name.as_str();
            (name, site.positions, site.field_size(), site.signed)
        })
        .collect();
    let all = (9, 11);
    assert_eq!(
        found,
        [
            ("block.0", all, (3, 3), true),
            ("block.0.norm", all, (3, 3), false),
            ("block.3", all, (5, 5), true),
            ("block.3.norm", all, (5, 5), true),
            ("/block/Relu", all, (5, 5), false),
            ("fc", (1, 1), (9, 11), true),
        ]
    );
    assert!(
        sites
            .iter()
            .all(|site| site.units == if site.name == "fc" { 3 } else { 4 })
    );
    assert!(sites.last().unwrap().is_logits);
}

#[test]
fn a_push_moves_its_site_by_its_amount_and_a_rectified_one_by_at_most_that() {
    let graph = residual();
    let device = Device::flex();
    let pictures = images(2, graph.image(), 1, &device);
    let loaded = graph.load(&device);
    for site in graph.sites() {
        let delta = vec![0.25; site.units];
        let pushed = loaded.pushed_at(&site, &delta).unwrap();
        let activations = |loaded: &run::LoadedGraph| {
            let sites = std::slice::from_ref(&site);
            host(loaded.activations(pictures.clone(), sites).remove(0))
        };
        for (before, after) in activations(&loaded).iter().zip(activations(&pushed)) {
            let moved = after - before;
            match site.signed {
                true => assert!((moved - 0.25).abs() < 1e-4, "{}: {moved}", site.name),
                false => assert!((-1e-4..0.2501).contains(&moved), "{}", site.name),
            }
        }
        // Pushes add up.
        let back = pushed.pushed_at(&site, &vec![-0.25; site.units]).unwrap();
        assert_near(&activations(&back), &activations(&loaded), "back");
    }
    let words = loaded.pushed_at(&graph.sites()[0], &[0.0]).unwrap_err();
    assert_eq!(
        words.to_string(),
        "1 values for the 4 units of `/block.0/Conv`"
    );
}

#[test]
fn a_site_without_a_position_inside_the_image_is_read_at_its_middle() {
    let mut bench = Bench::new([1, 6, 7]);
    let mut last = bench.input;
    for layer in 0..4 {
        let weight = bench.weight(&format!("conv{layer}.weight"), array(&[1, 1, 3, 3], layer));
        let conv = Op::Conv(Conv {
            pads: Pads::all(1),
            ..Conv::default()
        });
        last = bench.add(&format!("conv{layer}"), conv, &[last.into(), weight]);
    }
    let sites = bench.finish().sites();
    let site = sites.iter().find(|site| site.name == "conv3").unwrap();
    assert_eq!(site.field.rows.size, 9);
    assert_eq!(site.field_size(), (6, 7));
    let middle = site::SitePosition {
        row: 3,
        column: 3,
        top: 0,
        left: 0,
    };
    assert_eq!(site.inner_positions(), [middle]);
}

#[test]
fn tokens_are_positions_whichever_axis_is_the_batch() {
    let mut bench = Bench::new([4, 3, 5]);
    let axes = vec![2, 0, 1, 3];
    let rows = bench.then(Op::Transpose { axes }, bench.input);
    let shape = vec![Dim::fixed(3), Dim::batch(1), Dim::fixed(20)];
    let tokens = bench.then(Op::Reshape { shape }, rows);
    let weight = bench.weight("mlp.weight", array(&[20, 6], 2));
    let dense = bench.add("mlp", Op::Dense, &[tokens.into(), weight]);
    let gelu = bench.then(Op::Unary(Unary::Gelu), dense);
    let graph = bench.finish();
    let sites = graph.sites();
    let site = &sites[0];
    assert_eq!((site.node, site.push), (gelu, Some((dense, 2))));
    assert_eq!((site.units, site.positions), (6, (3, 1)));
    let device = Device::flex();
    let pictures = images(2, graph.image(), 1, &device);
    let loaded = graph.load(&device);
    let activations = loaded.activations(pictures.clone(), &sites[..1]).remove(0);
    assert_eq!(activations.dims(), [2, 6, 3, 1]);
    let raw = host_of(loaded.values(pictures, &[gelu]).remove(0));
    let (n, unit, token) = (1, 4, 2);
    let found = host(activations)[(n * 6 + unit) * 3 + token];
    assert_eq!(found, raw[(token * 2 + n) * 6 + unit]);
}
