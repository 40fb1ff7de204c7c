//! Tests of the backward pass of convolutions against its definition.

use super::super::super::lanes::Lanes;
use super::super::super::windows::SumGradients;
use super::super::kernel::{Geometry, Kernel};
use super::*;

/// Channels, rows and columns of a convolution's input; its output channels, taps and padding.
type Case = ([usize; 3], usize, usize, Pads);

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
    let from = TensorSlot::in_frame(0, sums, geometry.gradient_border(inputs, sums));
    let to = TensorSlot::in_frame(from.padded_elements(), inputs, Pads::default());
    let frame = from.padded_elements() + to.padded_elements();
    let mut memory = Memory::default();
    memory.reserve(frame * lanes.count(), 1);
    let frames = BatchMemory {
        pointer: memory.pointer(),
        group_len: frame,
        groups: 1,
        images: lanes.count(),
    };
    let sum_count: usize = sums.iter().product();
    let random = numbers(sum_count + outputs * channels * taps * taps);
    let (gradient, kernels) = random.split_at(sum_count);
    let signed = |x: f32| x - 0.5;
    let index_of = |shape: [usize; 3], [channel, row, column]: [usize; 3]| {
        (channel * shape[1] + row) * shape[2] + column
    };
    for channel in 0..sums[0] {
        for row in 0..sums[1] {
            for column in 0..sums[2] {
                let value = signed(gradient[index_of(sums, [channel, row, column])]);
                let offset = from.offset(channel, row, column);
                // SAFETY: the tensor lies in the frame. Every lane holds a different multiple.
                unsafe {
                    let first = frames.at(0, offset, lanes.count());
                    (0..lanes.count())
                        .for_each(|lane| *first.add(lane) = value * (1 + lane) as f32);
                }
            }
        }
    }
    let kernel = Kernel::backward(geometry, SumGradients::Each(from), to, lanes.count());
    let mut kernel = kernel.unwrap();
    let area = taps * taps;
    let kernels: Vec<f32> = kernels.iter().copied().map(signed).collect();
    kernel.take_back(&kernels, geometry, lanes);
    // Twice: earlier values must be overwritten.
    kernel.run(&frames, 0, lanes);
    kernel.run(&frames, 0, lanes);
    let mut expected = vec![0.0; inputs.iter().product()];
    for output in 0..outputs {
        for (y, x) in (0..sums[1]).flat_map(|y| (0..sums[2]).map(move |x| (y, x))) {
            let d = f64::from(signed(gradient[index_of(sums, [output, y, x])]));
            for (channel, tap) in
                (0..channels).flat_map(|channel| (0..area).map(move |tap| (channel, tap)))
            {
                let row = (y + tap / taps)
                    .checked_sub(pads.top)
                    .filter(|row| *row < rows);
                let column = (x + tap % taps).checked_sub(pads.left);
                let column = column.filter(|column| *column < columns);
                if let (Some(row), Some(column)) = (row, column) {
                    let weight = kernels[(output * channels + channel) * area + tap];
                    expected[index_of(inputs, [channel, row, column])] += d * f64::from(weight);
                }
            }
        }
    }
    let last = lanes.count() - 1;
    let mut found = Vec::new();
    for offset in 0..expected.len() {
        // SAFETY: as above.
        found.push(unsafe { *frames.at(0, to.origin + offset, lanes.count()).add(last) });
    }
    let expected = expected.into_iter().map(|value| value * (1 + last) as f64);
    (found, expected.collect())
}

#[test]
fn the_backward_pass_of_a_convolution_matches_its_definition() {
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
    let mut winograd = 0;
    for (case, direct) in cases
        .into_iter()
        .flat_map(|case| [(case, true), (case, false)])
    {
        for lanes in Lanes::all() {
            let (found, expected) = both(case, direct, lanes);
            let most = expected
                .iter()
                .fold(0.0_f64, |most, value| most.max(value.abs()));
            for (a, b) in found.iter().zip(&expected) {
                let difference = (f64::from(*a) - b).abs();
                assert!(
                    difference < 1e-5 * most,
                    "{case:?} {direct} {lanes:?}: {a} {b}"
                );
            }
        }
        let (inputs, outputs, taps, pads) = case;
        let size = |axis: usize, pad: usize| inputs[axis] + pad + 1 - taps;
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
        winograd += usize::from(geometry.transform(inputs[0], sums).is_some());
    }
    assert!(winograd >= 3, "{winograd} of them by Winograd");
}
