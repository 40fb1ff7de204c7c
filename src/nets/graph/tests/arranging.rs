//! Tests of operators that rearrange values.

use super::super::op::{
    DepthOrder, Interpolation, NearestMode, PadFill, Resize, ResizeCoordinates, SliceAxis,
};
use super::*;

const IMAGE: Shape = [4, 3, 5];

/// The numbers that a rule picks from x \[2,4,3,5\], for every element of a shape.
fn chosen(shape: &[usize], rule: impl Fn(&[usize]) -> f32) -> Vec<f32> {
    let place = |mut i: usize| {
        let mut place = vec![0; shape.len()];
        for (index, &length) in place.iter_mut().zip(shape).rev() {
            *index = i % length;
            i /= length;
        }
        place
    };
    let count = shape.iter().product();
    (0..count).map(|i| rule(&place(i))).collect()
}

fn x_at(place: [usize; 4]) -> f32 {
    let [n, c, h, w] = place;
    shown(IMAGE)[((n * 4 + c) * 3 + h) * 5 + w]
}

fn check(op: Op, shape: &[usize], rule: impl Fn(&[usize]) -> [usize; 4]) {
    let mut bench = Bench::new(IMAGE);
    let label = op.label();
    let node = bench.then(op, bench.input);
    let (found_shape, found) = bench.run(node);
    assert_eq!(found_shape, shape, "{label}");
    assert_eq!(found, chosen(shape, |place| x_at(rule(place))), "{label}");
}

#[test]
fn slices_step_forwards_and_backwards() {
    let cut = |axis, start, count, step| SliceAxis {
        axis,
        start,
        count,
        step,
    };
    check(
        Op::Slice(vec![cut(1, 1, 2, 2), cut(3, 4, 3, -2)]),
        &[2, 2, 3, 3],
        |p| [p[0], 1 + 2 * p[1], p[2], 4 - 2 * p[3]],
    );
    check(Op::Slice(vec![cut(2, 2, 3, -1)]), &[2, 4, 3, 5], |p| {
        [p[0], p[1], 2 - p[2], p[3]]
    });
    check(Op::Slice(vec![cut(3, 1, 3, 1)]), &[2, 4, 3, 3], |p| {
        [p[0], p[1], p[2], p[3] + 1]
    });
}

#[test]
fn transposes_and_gathers_select_elements() {
    let axes = vec![2, 0, 3, 1];
    check(Op::Transpose { axes }, &[3, 2, 5, 4], |p| {
        [p[1], p[3], p[0], p[2]]
    });
    let gather = |axis, indices: &[usize], shape: &[usize]| Op::Gather {
        axis,
        indices: indices.to_vec(),
        shape: shape.to_vec(),
    };
    check(gather(1, &[3, 0, 0], &[3]), &[2, 3, 3, 5], |p| {
        [p[0], [3, 0, 0][p[1]], p[2], p[3]]
    });
    check(gather(2, &[1], &[]), &[2, 4, 5], |p| [p[0], p[1], 1, p[2]]);
    check(gather(3, &[4, 2, 0, 1], &[2, 2]), &[2, 4, 3, 2, 2], |p| {
        [p[0], p[1], p[2], [4, 2, 0, 1][2 * p[3] + p[4]]]
    });
}

#[test]
fn pads_add_and_crop() {
    let pad = |before: [isize; 4], after: [isize; 4], with| Op::Pad {
        before: before.to_vec(),
        after: after.to_vec(),
        fill: with,
    };
    check(
        pad([0, 0, 1, -2], [0, -1, 2, 2], PadFill::Edge),
        &[2, 3, 6, 5],
        |p| [p[0], p[1], p[2].saturating_sub(1).min(2), (p[3] + 2).min(4)],
    );
    check(
        pad([0, 0, 2, 0], [0, 0, 0, 3], PadFill::Reflect),
        &[2, 4, 5, 8],
        |p| {
            let row = (p[2] as isize - 2).unsigned_abs();
            [p[0], p[1], row, if p[3] < 5 { p[3] } else { 8 - p[3] }]
        },
    );
    let mut bench = Bench::new(IMAGE);
    let op = pad([0, 0, 1, 0], [0, 0, 0, 1], PadFill::Constant(0.25));
    let node = bench.then(op, bench.input);
    let (shape, found) = bench.run(node);
    let wanted = chosen(&shape, |p| match p[2] == 0 || p[3] == 5 {
        true => 0.25,
        false => x_at([p[0], p[1], p[2] - 1, p[3]]),
    });
    assert_eq!(found, wanted);
}

#[test]
fn concatenation_and_expansion_repeat() {
    let mut bench = Bench::new(IMAGE);
    let weight = bench.weight("token", array(&[1, 1, 3, 1], 6));
    let shape = vec![Dim::batch(1), Dim::fixed(2), Dim::fixed(3), Dim::fixed(5)];
    let token = bench.add("token", Op::Expand { shape }, &[weight]);
    let inputs = [bench.input.into(), token.into(), bench.input.into()];
    let node = bench.add("concat", Op::Concat { axis: 1 }, &inputs);
    let (shape, found) = bench.run(node);
    assert_eq!(shape, [2, 10, 3, 5]);
    let token = numbers(3, 6);
    let wanted = chosen(&shape, |p| match p[1] {
        channel @ 0..4 => x_at([p[0], channel, p[2], p[3]]),
        4 | 5 => token[p[2]],
        channel => x_at([p[0], channel - 6, p[2], p[3]]),
    });
    assert_eq!(found, wanted);
}

#[test]
fn the_batch_need_not_be_the_first_axis() {
    // As in attention: [L,N·heads,d].
    let mut bench = Bench::new(IMAGE);
    let rows = bench.then(
        Op::Transpose {
            axes: vec![2, 0, 1, 3],
        },
        bench.input,
    );
    let shape = vec![Dim::fixed(3), Dim::batch(4), Dim::fixed(5)];
    let node = bench.then(Op::Reshape { shape }, rows);
    let (shape, found) = bench.run(node);
    assert_eq!(shape, [3, 8, 5]);
    let wanted = chosen(&shape, |p| x_at([p[1] / 4, p[1] % 4, p[0], p[2]]));
    assert_eq!(found, wanted);
}

#[test]
fn depth_becomes_space_in_either_order() {
    let op = |order| Op::DepthToSpace { block: 2, order };
    check(op(DepthOrder::BlockFirst), &[2, 1, 6, 10], |p| {
        let channel = p[2] % 2 * 2 + p[3] % 2;
        [p[0], channel, p[2] / 2, p[3] / 2]
    });
    // With one output channel both orders are the same.
    check(op(DepthOrder::ChannelFirst), &[2, 1, 6, 10], |p| {
        let channel = p[2] % 2 * 2 + p[3] % 2;
        [p[0], channel, p[2] / 2, p[3] / 2]
    });
    let image = [8, 1, 1];
    let mut bench = Bench::new(image);
    let node = bench.then(op(DepthOrder::ChannelFirst), bench.input);
    assert_eq!(bench.run(node).1, shown(image));
    let mut bench = Bench::new(image);
    let node = bench.then(op(DepthOrder::BlockFirst), bench.input);
    let x = shown(image);
    let order = [0, 2, 4, 6, 1, 3, 5, 7];
    let wanted: Vec<f32> = x
        .chunks_exact(8)
        .flat_map(|x| order.map(|i| x[i]))
        .collect();
    assert_eq!(bench.run(node).1, wanted);
}

#[test]
fn resizing_samples_at_the_given_coordinates() {
    let row = |values: &[f32], size: usize, scale: f64, sampling, coordinates| {
        let mut bench = Bench::new([1, 1, values.len()]);
        let weight = bench.weight("row", Array::new(&[1, 1, 1, values.len()], values.to_vec()));
        let resize = Resize {
            size: [1, size],
            scale: [1.0, scale],
            sampling,
            coordinates,
        };
        let node = bench.add("resize", Op::Resize(resize), &[weight]);
        let (shape, found) = bench.run(node);
        assert_eq!(shape, [1, 1, 1, size]);
        found
    };
    let nearest = Interpolation::Nearest;
    // 17/1.7 is 10, but in 64 bits less, since 1.7 is stored in 32.
    let twenty: Vec<f32> = (0..20).map(|i| i as f32).collect();
    let wanted: Vec<f32> = (0..34).map(|i| (i * 10 / 17) as f32).collect();
    let (floor, ratio) = (nearest(NearestMode::Floor), f64::from(1.7_f32));
    let found = row(&twenty, 34, ratio, floor, ResizeCoordinates::Asymmetric);
    assert_eq!(found, wanted);
    // Values from the ONNX specification's examples and PyTorch's interpolate.
    assert_near(
        &row(
            &[1., 2.],
            4,
            2.0,
            Interpolation::Bilinear,
            ResizeCoordinates::HalfPixel,
        ),
        &[1.0, 1.25, 1.75, 2.0],
        "half pixel",
    );
    assert_near(
        &row(
            &[1., 2.],
            4,
            2.0,
            Interpolation::Bilinear,
            ResizeCoordinates::AlignCorners,
        ),
        &[1.0, 4.0 / 3.0, 5.0 / 3.0, 2.0],
        "corners",
    );
    assert_near(
        &row(
            &[1., 2.],
            4,
            2.0,
            Interpolation::Bilinear,
            ResizeCoordinates::Asymmetric,
        ),
        &[1.0, 1.5, 2.0, 2.0],
        "asymmetric",
    );
    let four = [1., 2., 3., 4.];
    assert_near(
        &row(
            &four,
            2,
            0.6,
            Interpolation::Bilinear,
            ResizeCoordinates::HalfPixel,
        ),
        &[1.0 + 1.0 / 3.0, 3.0],
        "the given scale, not the ratio of sizes",
    );
    assert_near(
        &row(
            &four,
            1,
            0.25,
            Interpolation::Bilinear,
            ResizeCoordinates::PytorchHalfPixel,
        ),
        &[1.0],
        "one place",
    );
    assert_eq!(
        row(
            &four,
            6,
            1.5,
            nearest(NearestMode::Floor),
            ResizeCoordinates::Asymmetric
        ),
        [1., 1., 2., 3., 3., 4.]
    );
    assert_eq!(
        row(
            &four,
            8,
            2.0,
            nearest(NearestMode::RoundPreferFloor),
            ResizeCoordinates::HalfPixel
        ),
        [1., 1., 2., 2., 3., 3., 4., 4.]
    );
    assert_eq!(
        row(
            &four,
            2,
            0.5,
            nearest(NearestMode::RoundPreferFloor),
            ResizeCoordinates::HalfPixel
        ),
        [1., 3.]
    );
    assert_eq!(
        row(
            &four,
            2,
            0.5,
            nearest(NearestMode::RoundPreferCeil),
            ResizeCoordinates::HalfPixel
        ),
        [2., 4.]
    );
    assert_eq!(
        row(
            &four,
            2,
            0.5,
            nearest(NearestMode::Ceil),
            ResizeCoordinates::HalfPixel
        ),
        [2., 4.]
    );
    // Values of ONNX Runtime.
    let squares: Vec<f32> = (0..10).map(|i| (i * i) as f32).collect();
    let cubic = |slope, coordinates| {
        let sampling = Interpolation::Bicubic { slope };
        row(&squares, 15, 1.5, sampling, coordinates)
    };
    let wanted = [
        -0.086_805_58,
        0.218_75,
        1.430_559_4,
        3.152_779_6,
        6.125,
        10.282_406,
        14.300_928,
        20.125,
        27.134_277,
        33.449_08,
        42.125,
        51.986_14,
        60.597_206,
        73.906_25,
        82.475_71,
    ];
    assert_near(
        &cubic(-0.75, ResizeCoordinates::HalfPixel),
        &wanted,
        "cubic",
    );
    let wanted = [
        -0.057_870_15,
        0.312_5,
        1.361_109,
        3.361_110_7,
        6.25,
        10.027_773,
        14.694_445,
        20.25,
        26.694_445,
        34.027_78,
        42.25,
        51.361_11,
        61.361_115,
        73.437_5,
        81.983_8,
    ];
    assert_near(&cubic(-0.5, ResizeCoordinates::HalfPixel), &wanted, "slope");
    let wanted = [
        0.0,
        0.327_169_24,
        1.682_220_9,
        3.600_945_2,
        6.402_334,
        10.584_169,
        14.510_198,
        20.125,
        26.868_805,
        32.861_153,
        41.431_454,
        50.398_37,
        58.752_193,
        71.453_094,
        81.0,
    ];
    assert_near(
        &cubic(-0.75, ResizeCoordinates::AlignCorners),
        &wanted,
        "cubic corners",
    );
}
