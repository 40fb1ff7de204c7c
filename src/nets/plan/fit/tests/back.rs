//! Tests of the backward pass of convolutions against its definition.

use super::super::super::lanes::Lanes;
use super::super::super::windows::SumGradients;
use super::super::kernel::{Geometry, Kernel};
use super::*;

/// Channels, rows and columns of a convolution's input; its output channels, taps and padding.
type Case = ([usize; 3], usize, usize, Pads);

/// A tensor with a shape and a border.
fn place(at: usize, [channels, rows, columns]: [usize; 3], border: Pads) -> TensorSlot {
    TensorSlot {
        origin: at,
        skip: 0,
        per_group: true,
        channels,
        rows,
        columns,
        border,
    }
}

/// The gradients of the input, computed by the kernel and by their definition in 64 bits.
fn both((inputs, outputs, taps, pads): Case, direct: bool, lanes: Lanes) -> (Vec<f32>, Vec<f64>) {
    let geometry = Geometry {
        taps,
        pads,
        depthwise: false,
        direct,
    };
    let [channels, rows, columns] = inputs;
    let sums = [
        outputs,
        rows + pads.top + pads.bottom + 1 - taps,
        columns + pads.left + pads.right + 1 - taps,
    ];
    let from = place(0, sums, geometry.gradient_border(inputs, sums));
    let to = place(from.padded_elements(), inputs, Pads::default());
    let frame = from.padded_elements() + to.padded_elements();
    let mut memory = Memory::default();
    memory.reserve(frame * lanes.count(), 1);
    let frames = BatchMemory {
        pointer: memory.pointer(),
        group_len: frame,
        groups: 1,
        images: lanes.count(),
    };
    let given: usize = sums.iter().product();
    let drawn = numbers(given + outputs * channels * taps * taps);
    let (gradient, kernels) = drawn.split_at(given);
    let signed = |x: f32| x - 0.5;
    let number = |of: [usize; 3], [channel, row, column]: [usize; 3]| {
        (channel * of[1] + row) * of[2] + column
    };
    for channel in 0..sums[0] {
        for row in 0..sums[1] {
            for column in 0..sums[2] {
                let value = signed(gradient[number(sums, [channel, row, column])]);
                let at = from.offset(channel, row, column);
                // SAFETY: the tensor lies in the frame. Every lane holds a different multiple.
                unsafe {
                    let first = frames.at(0, at, lanes.count());
                    (0..lanes.count())
                        .for_each(|lane| *first.add(lane) = value * (1 + lane) as f32);
                }
            }
        }
    }
    let back = Kernel::backward(geometry, SumGradients::Each(from), to, lanes.count());
    let mut back = back.unwrap();
    let area = taps * taps;
    let kernels: Vec<f32> = kernels.iter().copied().map(signed).collect();
    back.take_back(&kernels, geometry, lanes);
    // Twice: what stood there before does not count.
    back.run(&frames, 0, lanes);
    back.run(&frames, 0, lanes);
    let mut expected = vec![0.0; inputs.iter().product()];
    for output in 0..outputs {
        for (y, x) in (0..sums[1]).flat_map(|y| (0..sums[2]).map(move |x| (y, x))) {
            let d = f64::from(signed(gradient[number(sums, [output, y, x])]));
            for (channel, tap) in (0..channels).flat_map(|it| (0..area).map(move |tap| (it, tap))) {
                let row = (y + tap / taps)
                    .checked_sub(pads.top)
                    .filter(|it| *it < rows);
                let column = (x + tap % taps).checked_sub(pads.left);
                let column = column.filter(|it| *it < columns);
                if let (Some(row), Some(column)) = (row, column) {
                    let kernel = kernels[(output * channels + channel) * area + tap];
                    expected[number(inputs, [channel, row, column])] += d * f64::from(kernel);
                }
            }
        }
    }
    let last = lanes.count() - 1;
    let mut found = Vec::new();
    for at in 0..expected.len() {
        // SAFETY: as above.
        found.push(unsafe { *frames.at(0, to.origin + at, lanes.count()).add(last) });
    }
    let expected = expected.into_iter().map(|it| it * (1 + last) as f64);
    (found, expected.collect())
}

#[test]
fn the_way_back_of_a_convolution_is_that_of_its_definition() {
    let lopsided = Pads {
        top: 1,
        left: 0,
        bottom: 2,
        right: 1,
    };
    let cases: [Case; 6] = [
        ([20, 12, 12], 50, 5, Pads::default()),
        ([16, 13, 18], 17, 5, Pads::all(2)),
        ([24, 14, 14], 32, 3, Pads::all(1)),
        ([17, 15, 11], 24, 3, lopsided),
        ([3, 9, 7], 4, 5, lopsided),
        ([2, 6, 5], 3, 1, Pads::default()),
    ];
    let mut filtered = 0;
    for (case, direct) in cases
        .into_iter()
        .flat_map(|case| [(case, true), (case, false)])
    {
        for lanes in Lanes::all() {
            let (found, expected) = both(case, direct, lanes);
            let most = expected.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
            for (a, b) in found.iter().zip(&expected) {
                let apart = (f64::from(*a) - b).abs();
                assert!(apart < 1e-5 * most, "{case:?} {direct} {lanes:?}: {a} {b}");
            }
        }
        let (inputs, outputs, taps, pads) = case;
        let size = |at: usize, pad: usize| inputs[at] + pad + 1 - taps;
        let sums = [
            outputs,
            size(1, pads.top + pads.bottom),
            size(2, pads.left + pads.right),
        ];
        let geometry = Geometry {
            taps,
            pads,
            depthwise: false,
            direct,
        };
        filtered += usize::from(geometry.transform(inputs[0], sums).is_some());
    }
    assert!(filtered >= 3, "{filtered} of them by minimal filtering");
}
