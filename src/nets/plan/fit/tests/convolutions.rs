//! Tests of whole convolutions in training against their definition in 64 bits: output, and gradients of bias, weights
//! and input.

use super::super::super::winograd::Variant;
use super::super::adam::Parameter;
use super::super::conv::{Convolution, Places, has_windows};
use super::super::kernel::Geometry;
use super::*;

/// A convolution with what follows it.
#[derive(Debug, Clone, Copy)]
struct Case {
    /// Channels, rows and columns of the input.
    inputs: [usize; 3],
    outputs: usize,
    taps: usize,
    pads: Pads,
    depthwise: bool,
    direct: bool,
    window: Option<[usize; 2]>,
    relu: bool,
}

/// Images of a batch of two groups, of which the last lane is empty.
struct Batch {
    memory: Memory,
    group_len: usize,
    lanes: Lanes,
}

impl Batch {
    fn frames(&mut self) -> BatchMemory {
        BatchMemory {
            pointer: self.memory.pointer(),
            group_len: self.group_len,
            groups: 2,
            images: self.images(),
        }
    }

    fn images(&self) -> usize {
        (2 * self.lanes.count() - 1).max(1)
    }

    /// Reads or writes all numbers of a tensor, image by image, without its border.
    fn each(&mut self, slot: &TensorSlot, mut visit: impl FnMut(usize, usize, &mut f32)) {
        let (images, lanes) = (self.images(), self.lanes.count());
        let frames = self.frames();
        for image in 0..images {
            let mut index = 0;
            for channel in 0..slot.channels {
                for row in 0..slot.rows {
                    for column in 0..slot.columns {
                        let offset = slot.origin + slot.offset(channel, row, column);
                        // SAFETY: the tensor lies in the frame of the group.
                        let number = unsafe {
                            &mut *frames.at(image / lanes, offset, lanes).add(image % lanes)
                        };
                        visit(image, index, number);
                        index += 1;
                    }
                }
            }
        }
    }

    fn read(&mut self, slot: &TensorSlot) -> Vec<f32> {
        let mut all = Vec::new();
        self.each(slot, |_, _, number| all.push(*number));
        all
    }
}

/// Output, and gradients of bias, weights and input.
type Results<T> = [Vec<T>; 4];

impl Case {
    fn geometry(&self) -> Geometry {
        Geometry {
            taps: self.taps,
            pads: self.pads,
            depthwise: self.depthwise,
            direct: self.direct,
        }
    }

    /// Shape of the sums and of the output.
    fn shapes(&self) -> [[usize; 3]; 2] {
        let [_, rows, columns] = self.inputs;
        let sums = [
            self.outputs,
            rows + self.pads.top + self.pads.bottom + 1 - self.taps,
            columns + self.pads.left + self.pads.right + 1 - self.taps,
        ];
        let [height, width] = self.window.unwrap_or([1, 1]);
        [sums, [sums[0], sums[1] / height, sums[2] / width]]
    }

    /// Input channels of a kernel.
    fn depth(&self) -> usize {
        if self.depthwise { 1 } else { self.inputs[0] }
    }

    /// Weights, bias, images and output gradients, in −½ to ½.
    fn drawn(&self, images: usize) -> [Vec<f32>; 4] {
        let counts = [
            self.outputs * self.depth() * self.taps * self.taps,
            self.outputs,
            images * self.inputs.iter().product::<usize>(),
            images * self.shapes()[1].iter().product::<usize>(),
        ];
        let all: Vec<f32> = numbers(counts.iter().sum())
            .iter()
            .map(|x| x - 0.5)
            .collect();
        let mut rest = &all[..];
        counts.map(|count| {
            let (first, after) = rest.split_at(count);
            rest = after;
            first.to_vec()
        })
    }

    fn computed(&self, lanes: Lanes) -> Results<f32> {
        let (geometry, [sums, output]) = (self.geometry(), self.shapes());
        let mut group_len = 0;
        let mut slot = |shape: [usize; 3], border: Pads| {
            let slot = TensorSlot::in_frame(group_len, shape, border);
            group_len += slot.padded_elements();
            slot
        };
        // A border around the output, as the next convolution may want one.
        let from = slot(self.inputs, geometry.input_border(self.inputs, sums));
        let before = slot(self.inputs, Pads::default());
        let windows = has_windows(geometry, self.window);
        let filtered = geometry.transform(self.inputs[0], sums).is_some();
        let stored = (!windows || !filtered)
            .then(|| slot(sums, geometry.gradient_border(self.inputs, sums)));
        let to = slot(output, Pads::all(1));
        let chosen = windows.then(|| slot(output, Pads::all(1)));
        let gradient = slot(output, Pads::default());
        let places = Places {
            from,
            shape: sums,
            sums: stored,
            to,
            chosen,
            gradient,
            before: Some(before),
        };
        let after = (self.window, self.relu);
        let mut layer = Convolution::new([0, 1], geometry, places, after, lanes.count()).unwrap();
        let mut memory = Memory::default();
        memory.reserve(group_len * lanes.count(), 2);
        let mut batch = Batch {
            memory,
            group_len,
            lanes,
        };
        let [weights, bias, images, gradients] = self.drawn(batch.images());
        let shape = [self.outputs, self.depth(), self.taps, self.taps];
        let mut parameters = [
            Parameter::new("weight", &Array::new(&shape, weights)),
            Parameter::new("bias", &Array::new(&[self.outputs], bias)),
        ];
        let of_image: usize = self.inputs.iter().product();
        let of_output: usize = output.iter().product();
        layer.prepare(&parameters, lanes);
        // Twice: earlier contents must not count.
        for _ in 0..2 {
            batch.each(&from, |image, index, x| {
                *x = images[image * of_image + index]
            });
            let frames = batch.frames();
            (0..2).for_each(|group| layer.forward(&frames, group, lanes));
            batch.each(&gradient, |image, index, d| {
                *d = gradients[image * of_output + index]
            });
            let frames = batch.frames();
            (0..2).for_each(|group| layer.backward(&frames, group, lanes));
            layer.weight_gradients(&frames, &mut parameters, lanes);
        }
        let [weight, bias] = parameters.map(|parameter| parameter.gradient);
        [batch.read(&to), bias, weight, batch.read(&before)]
    }

    fn defined(&self, images: usize) -> Results<f64> {
        let [weights, bias, pixels, gradients] = self.drawn(images);
        let ([sums, output], area) = (self.shapes(), self.taps * self.taps);
        let [channels, rows, columns] = self.inputs;
        let [height, width] = self.window.unwrap_or([1, 1]);
        let mut results = [
            Vec::new(),
            vec![0.0; self.outputs],
            vec![0.0; weights.len()],
            vec![0.0; pixels.len()],
        ];
        // Offsets of the weight and of the pixel that each term of a sum multiplies.
        let terms = |[channel, y, x]: [usize; 3]| {
            let mut terms = Vec::new();
            for of_kernel in 0..self.depth() {
                let input = if self.depthwise { channel } else { of_kernel };
                for tap in 0..area {
                    let row = (y + tap / self.taps).checked_sub(self.pads.top);
                    let column = (x + tap % self.taps).checked_sub(self.pads.left);
                    let (Some(row), Some(column)) = (row, column) else {
                        continue;
                    };
                    if row < rows && column < columns {
                        let weight = (channel * self.depth() + of_kernel) * area + tap;
                        terms.push((weight, (input * rows + row) * columns + column));
                    }
                }
            }
            terms
        };
        for image in 0..images {
            let first = image * channels * rows * columns;
            for channel in 0..output[0] {
                for (y, x) in (0..output[1]).flat_map(|y| (0..output[2]).map(move |x| (y, x))) {
                    let window = (0..height * width).map(|tap| {
                        let (y, x) = (y * height + tap / width, x * width + tap % width);
                        debug_assert!(y < sums[1] && x < sums[2]);
                        let terms = terms([channel, y, x]);
                        let products = terms.iter().map(|&(weight, pixel)| {
                            f64::from(weights[weight]) * f64::from(pixels[first + pixel])
                        });
                        (f64::from(bias[channel]) + products.sum::<f64>(), terms)
                    });
                    let (max, terms) = window
                        .reduce(|best, next| if next.0 > best.0 { next } else { best })
                        .unwrap();
                    let index = results[0].len();
                    let stopped = self.relu && max <= 0.0;
                    results[0].push(if stopped { 0.0 } else { max });
                    if stopped {
                        continue;
                    }
                    let gradient = f64::from(gradients[index]);
                    results[1][channel] += gradient;
                    for (weight, pixel) in terms {
                        results[2][weight] += gradient * f64::from(pixels[first + pixel]);
                        results[3][first + pixel] += gradient * f64::from(weights[weight]);
                    }
                }
            }
        }
        results
    }
}

#[test]
fn a_convolution_has_the_output_and_the_gradients_of_its_definition() {
    let none = Pads::default();
    let lopsided = Pads {
        top: 1,
        left: 0,
        bottom: 2,
        right: 1,
    };
    let shapes: [([usize; 3], usize, usize, Pads); 16] = [
        // Direct: several bands of rows, the last of one row; three columns left over, then two, then one.
        ([3, 17, 28], 7, 5, none),
        ([3, 12, 11], 7, 5, none),
        ([2, 6, 6], 3, 1, none),
        ([7, 6, 5], 8, 1, none),
        ([16, 7, 8], 9, 3, none),
        // With a border around the gradients of the sums, and rows of taps that meet no sum.
        ([3, 9, 8], 7, 3, Pads::all(1)),
        ([3, 8, 9], 10, 3, Pads::all(1)),
        ([3, 9, 7], 4, 5, lopsided),
        ([1, 9, 9], 6, 5, none),
        // Winograd with tiles past the last output, one and two vectors of outputs.
        ([18, 15, 13], 40, 3, Pads::all(1)),
        ([27, 15, 13], 9, 3, Pads::all(1)),
        ([20, 11, 10], 9, 5, none),
        ([18, 11, 13], 40, 5, none),
        ([3, 21, 26], 20, 5, none),
        // Winograd along rows, with tiles past the last output and an odd number of rows.
        ([1, 15, 16], 12, 5, none),
        ([1, 12, 15], 9, 5, Pads::all(2)),
    ];
    let (mut filtered, mut along_rows) = (0, 0);
    for (inputs, outputs, taps, pads) in shapes {
        for (window, relu, direct) in [
            (None, false, false),
            (Some([2, 2]), true, false),
            (Some([2, 2]), false, true),
            (None, true, true),
        ] {
            let case = Case {
                inputs,
                outputs,
                taps,
                pads,
                depthwise: false,
                direct,
                window,
                relu,
            };
            filtered += usize::from(
                case.geometry()
                    .transform(inputs[0], case.shapes()[0])
                    .is_some(),
            );
            let variant = case.geometry().forward_variant(inputs[0], case.shapes()[0]);
            along_rows += usize::from(matches!(variant, Some(Variant::Rows(_))));
            check(case);
        }
    }
    assert!(filtered >= 8, "{filtered} use Winograd");
    assert!(along_rows >= 4, "{along_rows} use Winograd along rows");
    for window in [None, Some([2, 2]), Some([3, 2])] {
        check(Case {
            inputs: [6, 9, 7],
            outputs: 6,
            taps: 3,
            pads: Pads::all(1),
            depthwise: true,
            direct: false,
            window,
            relu: true,
        });
    }
}

/// Compares with every vector width that this processor has.
fn check(case: Case) {
    for lanes in Lanes::all() {
        let images = (2 * lanes.count() - 1).max(1);
        let (computed, defined) = (case.computed(lanes), case.defined(images));
        let names = ["output", "bias", "weights", "input"];
        for ((computed, defined), name) in computed.iter().zip(&defined).zip(names) {
            assert_eq!(computed.len(), defined.len(), "{case:?} {lanes:?} {name}");
            let max = defined.iter().fold(1e-3_f64, |max, x| max.max(x.abs()));
            for (a, b) in computed.iter().zip(defined) {
                let difference = (f64::from(*a) - b).abs();
                assert!(
                    difference < 2e-5 * max,
                    "{case:?} {lanes:?} {name}: {a} {b}"
                );
            }
        }
    }
}
