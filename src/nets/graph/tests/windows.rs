//! Tests of convolutions and poolings against loops over every tap.

use proptest::prelude::*;

use super::super::op::{Conv, Divisor, Pads, PoolWindow, Rounding};
use super::*;

/// Finds the index in x of each output position and tap.
struct Taps {
    channels: usize,
    size: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    pads: Pads,
}

impl Taps {
    /// The index of a tap in x, if it lies inside the image.
    fn index(
        &self,
        image: usize,
        channel: usize,
        place: [usize; 2],
        tap: [usize; 2],
    ) -> Option<usize> {
        let along = |axis: usize| {
            let padded = place[axis] * self.stride[axis] + tap[axis] * self.dilation[axis];
            padded
                .checked_sub(self.pads.along(axis).0)
                .filter(|&index| index < self.size[axis])
        };
        let (row, column) = (along(0)?, along(1)?);
        Some(((image * self.channels + channel) * self.size[0] + row) * self.size[1] + column)
    }
}

fn pads() -> impl Strategy<Value = Pads> {
    [0..2usize, 0..2, 0..2, 0..2].prop_map(|[top, left, bottom, right]| Pads {
        top,
        left,
        bottom,
        right,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_convolution_is_a_sum_over_taps(
        kernel in [1..4usize, 1..4],
        stride in [1..3usize, 1..3],
        dilation in [1..3usize, 1..3],
        pads in pads(),
        (groups, inputs, outputs) in (1..3usize, 1..3usize, 1..3usize),
    ) {
        let image = [groups * inputs, 7, 9];
        let mut bench = Bench::new(image);
        let outs = groups * outputs;
        let shape = [outs, inputs, kernel[0], kernel[1]];
        let weight = bench.weight("w", array(&shape, 2));
        let bias = bench.weight("b", array(&[outs], 3));
        let op = Op::Conv(Conv { stride, pads, dilation, groups });
        let node = bench.add("conv", op, &[bench.input.into(), weight, bias]);
        let (dims, found) = bench.run(node);
        let taps = Taps { channels: image[0], size: [7, 9], stride, dilation, pads };
        let (x, weight, bias) = (shown(image), array(&shape, 2), numbers(outs, 3));
        let mut wanted = Vec::new();
        for n in 0..2 {
            for (out, &bias) in bias.iter().enumerate() {
                for row in 0..dims[2] {
                    for column in 0..dims[3] {
                        let mut sum = bias;
                        let area = inputs * kernel[0] * kernel[1];
                        let kernel_values = &weight.values()[out * area..][..area];
                        for (tap, w) in kernel_values.iter().enumerate() {
                            let input = tap / (kernel[0] * kernel[1]);
                            let channel = out / outputs * inputs + input;
                            let tap = [tap / kernel[1] % kernel[0], tap % kernel[1]];
                            if let Some(index) = taps.index(n, channel, [row, column], tap) {
                                sum += w * x[index];
                            }
                        }
                        wanted.push(sum);
                    }
                }
            }
        }
        assert_near(&found, &wanted, "convolution");
    }

    #[test]
    fn poolings_reduce_their_windows(
        kernel in [2..4usize, 2..4],
        stride in [1..4usize, 1..4],
        dilation in 1..3usize,
        pads in pads(),
        ceil in any::<bool>(),
        with_padding in any::<bool>(),
    ) {
        let image = [2, 8, 11];
        let rounding = if ceil { Rounding::Ceil } else { Rounding::Floor };
        let x = shown(image);
        for average in [false, true] {
            let dilation = if average { [1, 1] } else { [dilation; 2] };
            let window = PoolWindow { kernel, stride, pads, dilation, rounding };
            let divisor = if with_padding { Divisor::WithPadding } else { Divisor::Inside };
            let op = match average {
                true => Op::AvgPool { window, divisor },
                false => Op::MaxPool(window),
            };
            let mut bench = Bench::new(image);
            let node = bench.then(op, bench.input);
            let (dims, found) = bench.run(node);
            let taps = Taps { channels: 2, size: [8, 11], stride, dilation, pads };
            let mut wanted = Vec::new();
            for output in 0..dims.iter().product::<usize>() {
                let column = output % dims[3];
                let row = output / dims[3] % dims[2];
                let channel = output / dims[3] / dims[2];
                let (mut most, mut sum, mut inside, mut padded) = (f32::MIN, 0.0, 0, 0);
                for tap in 0..kernel[0] * kernel[1] {
                    let tap = [tap / kernel[1], tap % kernel[1]];
                    let in_padding = |axis: usize, place: usize| {
                        let (before, after) = pads.along(axis);
                        let index = place * stride[axis] + tap[axis] * dilation[axis];
                        index < [8, 11][axis] + before + after
                    };
                    padded += usize::from(in_padding(0, row) && in_padding(1, column));
                    if let Some(index) = taps.index(channel / 2, channel % 2, [row, column], tap) {
                        most = most.max(x[index]);
                        sum += x[index];
                        inside += 1;
                    }
                }
                wanted.push(match (average, divisor) {
                    (false, _) => most,
                    (true, Divisor::Inside) => sum / inside as f32,
                    (true, Divisor::WithPadding) => sum / padded as f32,
                });
            }
            assert_near(&found, &wanted, if average { "average" } else { "maximum" });
        }
    }
}

#[test]
fn a_large_convolution_fused_with_its_pooling_gives_the_same() {
    let image = [3, 17, 20];
    let mut bench = Bench::new(image);
    let weight = bench.weight("w", array(&[4, 3, 5, 6], 2));
    let bias = bench.weight("b", array(&[4], 3));
    let conv = Op::Conv(Conv::default());
    let conv = bench.add("conv", conv, &[bench.input.into(), weight, bias]);
    let pool = bench.then(Op::MaxPool(PoolWindow::tiles([2, 2])), conv);
    let graph = bench.finish();
    let device = Device::flex();
    let loaded = graph.load(&device);
    let run = |wanted: &[NodeId]| loaded.values(images(2, image, 1, &device), wanted);
    // If the convolution is wanted too, the two are computed separately.
    let together = host_of(run(&[pool]).remove(0));
    let apart = host_of(run(&[conv, pool]).remove(1));
    assert_near(&together, &apart, "pooled");
}

#[test]
fn two_fused_convolutions_give_the_same() {
    let image = [2, 7, 9];
    let mut bench = Bench::new(image);
    let kept = Op::Conv(Conv {
        pads: Pads::all(1),
        ..Conv::default()
    });
    let weight = bench.weight("w1", array(&[8, 2, 3, 3], 2));
    let bias = bench.weight("b1", array(&[8], 3));
    let inputs = [bench.input.into(), weight, bias];
    let first = bench.add("first", kept.clone(), &inputs);
    let weight = bench.weight("w2", array(&[4, 8, 3, 3], 4));
    let second = bench.add("second", kept, &[first.into(), weight]);
    let graph = bench.finish();
    let device = Device::flex();
    let loaded = graph.load(&device);
    let delta = numbers(4, 5);
    for loaded in [loaded.clone(), loaded.pushed(second, 1, &delta).unwrap()] {
        let run = |wanted: &[NodeId]| loaded.values(images(2, image, 1, &device), wanted);
        let together = host_of(run(&[second]).remove(0));
        let apart = host_of(run(&[first, second]).remove(1));
        assert_near(&together, &apart, "composed");
    }
    // A push that differs from row to row goes between the two.
    let rows = numbers(7, 5);
    let loaded = loaded.pushed(first, 2, &rows).unwrap();
    let run = |wanted: &[NodeId]| loaded.values(images(2, image, 1, &device), wanted);
    let together = host_of(run(&[second]).remove(0));
    let apart = host_of(run(&[first, second]).remove(1));
    assert_near(&together, &apart, "pushed between");
}
