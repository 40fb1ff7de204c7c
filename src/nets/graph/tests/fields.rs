//! Tests of receptive fields by brute force: change one pixel and find the positions that change.

use proptest::prelude::*;

use super::super::field::{AxisField, Field, NodeField};
use super::super::op::{
    Binary, Conv, Interpolation, PadFill, Pads, ReducedAxes, Reduction, Resize, ResizeCoordinates,
    Unary,
};
use super::random::{Kinds, graph};
use super::*;

/// For every node with spatial axes: its fields, its rows and columns, and for every pixel whether each
/// position changes with it: \[pixels\]\[rows·columns\].
fn moves(graph: &Graph) -> Vec<(NodeField, [usize; 2], Vec<Vec<bool>>)> {
    let device = Device::flex();
    let [channels, height, width] = graph.image();
    let pixels = height * width;
    // The original image, and one for every pixel, with that pixel changed in all channels.
    let base = numbers(channels * pixels, 1);
    let mut all = Vec::with_capacity((pixels + 1) * base.len());
    all.extend_from_slice(&base);
    for pixel in 0..pixels {
        let mut changed = base.clone();
        changed
            .iter_mut()
            .skip(pixel)
            .step_by(pixels)
            .for_each(|value| *value += 1e4);
        all.extend(changed);
    }
    let shape = [pixels + 1, channels, height, width];
    let stimuli = Tensor::from_data(TensorData::new(all, shape), &device);
    let ids: Vec<NodeId> = graph.ids().collect();
    let values = graph.load(&device).values(stimuli, &ids);
    let mut found = Vec::new();
    for ((node, value), field) in graph.nodes().iter().zip(values).zip(graph.fields()) {
        let Some(field) = field else { continue };
        let Some(places @ [rows, columns]) = field.spatial_axes else {
            continue;
        };
        let mut order = vec![0];
        order.extend((1..node.shape.len()).filter(|axis| !places.contains(axis)));
        order.extend([rows, columns]);
        let size = [node.shape[rows].count, node.shape[columns].count];
        let values = host_of(value.permuted(&order));
        let by_image = values.len() / (pixels + 1);
        let positions = size[0] * size[1];
        let before = &values[..by_image];
        let moved = |after: &[f32]| {
            let mut moved = vec![false; positions];
            for (i, (a, b)) in before.iter().zip(after).enumerate() {
                moved[i % positions] |= (a - b).abs() > 1e-4 * (1.0 + a.abs());
            }
            moved
        };
        let moved = values[by_image..].chunks_exact(by_image).map(moved);
        found.push((field, size, moved.collect()));
    }
    found
}

fn contains(field: &Field, position: [usize; 2], pixel: [usize; 2]) -> bool {
    let along = |along: &AxisField, position: usize, pixel: usize| {
        let (start, end) = along.pixels_at(position);
        (start..end).contains(&(pixel as i64))
    };
    along(&field.rows, position[0], pixel[0]) && along(&field.columns, position[1], pixel[1])
}

fn assert_covered(graph: &Graph) {
    let width = graph.image()[2];
    for (found, size, moves) in moves(graph) {
        for (pixel, moved) in moves.iter().enumerate() {
            for (position, _) in moved.iter().enumerate().filter(|(_, moved)| **moved) {
                let place = [position / size[1], position % size[1]];
                let inside = contains(&found.field, place, [pixel / width, pixel % width]);
                assert!(inside, "{found:?}: pixel {pixel} moves {place:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_field_covers_every_pixel_that_changes_its_position(seed in any::<u64>()) {
        assert_covered(&graph(seed, Kinds::All));
        assert_covered(&graph(seed, Kinds::Smooth));
    }

    #[test]
    fn a_field_of_convolutions_is_exact_inside_the_image(seed in any::<u64>()) {
        let graph = graph(seed, Kinds::Convolutions);
        assert_covered(&graph);
        let [_, height, width] = graph.image();
        for (found, size, moves) in moves(&graph) {
            let moved_by = |pixel: usize, position: usize| -> bool { moves[pixel][position] };
            for position in 0..size[0] * size[1] {
                let rows = found.field.rows.pixels_at(position / size[1]);
                let columns = found.field.columns.pixels_at(position % size[1]);
                let inside = |(from, to): (i64, i64), pixels: usize| from >= 0 && to <= pixels as i64;
                if !inside(rows, height) || !inside(columns, width) {
                    continue;
                }
                let moving = (0..height * width).filter(|&pixel| moved_by(pixel, position));
                let positions: Vec<(i64, i64)> = moving
                    .map(|pixel| ((pixel / width) as i64, (pixel % width) as i64))
                    .collect();
                let span = |coordinate: fn(&(i64, i64)) -> i64| {
                    let all = || positions.iter().map(coordinate);
                    (all().min().unwrap(), all().max().unwrap() + 1)
                };
                prop_assert_eq!(span(|pixel| pixel.0), rows);
                prop_assert_eq!(span(|pixel| pixel.1), columns);
            }
        }
    }
}

fn conv(bench: &mut Bench, x: NodeId, conv: Conv, shape: &[usize]) -> NodeId {
    let name = format!("conv {}", bench.builder.nodes.len());
    let weight = bench.weight(&format!("{name}.weight"), array(shape, 3));
    bench.add(&name, Op::Conv(conv), &[x.into(), weight])
}

#[test]
fn mirrored_borders_leave_fields_inside_the_image_exact() {
    let mut bench = Bench::new([1, 9, 11]);
    let pad = Op::Pad {
        before: vec![0, 0, 2, 2],
        after: vec![0, 0, 2, 2],
        fill: PadFill::Reflect,
    };
    let padded = bench.then(pad, bench.input);
    conv(&mut bench, padded, Conv::default(), &[2, 1, 5, 5]);
    let graph = bench.finish();
    let (found, size, moves) = moves(&graph).into_iter().nth(2).unwrap();
    assert_eq!(size, [9, 11]);
    assert_eq!(found.field.rows.pixels_at(2), (0, 5));
    let mut moving = (0..99).filter(|&pixel| moves[pixel][2 * 11 + 2]);
    assert!(moving.all(|pixel| pixel / 11 < 5 && pixel % 11 < 5));
}

#[test]
fn cubic_interpolation_reaches_two_pixels_far() {
    let mut bench = Bench::new([1, 13, 15]);
    let strided = Conv {
        stride: [2, 2],
        ..Conv::default()
    };
    let input = bench.input;
    let half = conv(&mut bench, input, strided, &[2, 1, 3, 3]);
    let resize = Resize {
        size: [12, 14],
        scale: [2.0, 2.0],
        sampling: Interpolation::Bicubic { slope: -0.75 },
        coordinates: ResizeCoordinates::HalfPixel,
    };
    let whole = bench.then(Op::Resize(resize), half);
    let graph = bench.finish();
    assert_eq!(graph.fields()[whole.0].unwrap().field.rows.stride, 1);
    assert_covered(&graph);
}

#[test]
fn positions_are_tracked_through_transposes_and_reshapes() {
    // As in a network with channels last.
    let mut bench = Bench::new([4, 9, 11]);
    let strided = Conv {
        stride: [2, 3],
        pads: Pads::all(1),
        ..Conv::default()
    };
    let input = bench.input;
    let first = conv(&mut bench, input, strided, &[6, 4, 3, 3]);
    let axes = vec![0, 2, 3, 1];
    let inner = bench.then(Op::Transpose { axes }, first);
    let shape = [5, 4, 2, 3].map(Dim::fixed);
    let shape = [vec![Dim::batch(1)], shape.to_vec()].concat();
    let grouped = bench.then(Op::Reshape { shape }, inner);
    let weight = bench.weight("dense.weight", array(&[3, 7], 3));
    let dense = bench.add("dense", Op::Dense, &[grouped.into(), weight]);
    let graph = bench.finish();
    let found = graph.fields()[dense.0].unwrap();
    assert_eq!(found.spatial_axes, Some([1, 2]));
    let along = |stride| AxisField {
        start: -1,
        stride,
        size: 3,
    };
    assert_eq!(
        (found.field.rows, found.field.columns),
        (along(2), along(3))
    );
    assert_covered(&graph);
}

#[test]
fn a_gate_from_the_whole_image_widens_fields_to_it_and_keeps_positions() {
    let mut bench = Bench::new([2, 9, 11]);
    let input = bench.input;
    let first = conv(&mut bench, input, Conv::default(), &[3, 2, 3, 3]);
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Kept,
    };
    let mean = bench.then(mean, first);
    let gate = conv(&mut bench, mean, Conv::default(), &[3, 3, 1, 1]);
    let gate = bench.then(Op::Unary(Unary::Sigmoid), gate);
    let inputs = [first.into(), gate.into()];
    let gated = bench.add("gated", Op::Binary(Binary::Mul), &inputs);
    let graph = bench.finish();
    let found = graph.fields()[gated.0].unwrap();
    assert_eq!(found.field, Field::whole([2, 9, 11]));
    assert_eq!(found.spatial_axes, Some([2, 3]));
    assert_covered(&graph);
}

#[test]
fn operators_that_mix_channels_mix_the_rows_that_lie_along_them() {
    let mut bench = Bench::new([2, 6, 7]);
    let axes = vec![0, 2, 1, 3];
    let turned = bench.then(Op::Transpose { axes }, bench.input);
    let lrn = Op::Lrn {
        size: 3,
        alpha: 1.0,
        beta: 0.75,
        bias: 1.0,
    };
    let neighbours = bench.then(lrn, turned);
    let epsilon = 1e-5;
    let norm = Op::GroupNorm { groups: 2, epsilon };
    let grouped = bench.then(norm, turned);
    let mixed = conv(&mut bench, turned, Conv::default(), &[6, 6, 1, 1]);
    let graph = bench.finish();
    for node in [neighbours, grouped, mixed] {
        let rows = graph.fields()[node.0].unwrap().field.rows;
        assert_eq!(rows, Field::whole([2, 6, 7]).rows);
    }
    assert_covered(&graph);
}
