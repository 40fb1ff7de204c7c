//! Tests of operators on images that become larger: transposed convolutions, and resizing between pixels.

use super::super::messages::NodeProto;
use super::{
    CLASSES, assert_near, integers, logits, node, output, reals, uneven, with_list, with_text,
};

/// A transposed convolution's attributes along rows and columns, and its groups.
struct Spread {
    stride: [usize; 2],
    dilation: [usize; 2],
    pads: [usize; 4],
    more: [usize; 2],
    groups: usize,
}

impl Spread {
    /// Adds every pixel times the kernel, by the definition: an image \[C,h,w\], a kernel \[C,out/groups,3,2\].
    fn of(&self, image: &[f32], [channels, height, width]: [usize; 3], kernel: &[f32]) -> Vec<f32> {
        let taps = [3, 2];
        let each = kernel.len() / (channels * taps[0] * taps[1]);
        let size = |axis: usize, length: usize| {
            (length - 1) * self.stride[axis]
                + (taps[axis] - 1) * self.dilation[axis]
                + 1
                + self.more[axis]
                - self.pads[axis]
                - self.pads[axis + 2]
        };
        let (rows, columns) = (size(0, height), size(1, width));
        let mut sums = vec![0.0; self.groups * each * rows * columns];
        for (place, pixel) in image.iter().enumerate() {
            let (channel, row, column) = (
                place / (height * width),
                place / width % height,
                place % width,
            );
            let group = channel / (channels / self.groups);
            for (tap, weight) in kernel[channel * each * 6..][..each * 6].iter().enumerate() {
                let out = group * each + tap / 6;
                let down = row * self.stride[0] + tap / 2 % 3 * self.dilation[0];
                let across = column * self.stride[1] + tap % 2 * self.dilation[1];
                let inside = |at: usize, before: usize, length: usize| {
                    at.checked_sub(before).filter(|&at| at < length)
                };
                if let (Some(down), Some(across)) = (
                    inside(down, self.pads[0], rows),
                    inside(across, self.pads[1], columns),
                ) {
                    sums[(out * rows + down) * columns + across] += pixel * weight;
                }
            }
        }
        sums
    }
}

/// A transposed convolution between a reshape of the logits and a flat output.
fn spread(shape: &[i64], kernel: &[i64], taps: &[f32], conv: NodeProto) -> Vec<f32> {
    let nodes = vec![
        node("Reshape", &["logits", "as image"], "image", &[]),
        conv,
        node("Flatten", &["spread"], "flat", &[("axis", 1)]),
    ];
    let arrays = vec![integers("as image", shape), reals("kernel", kernel, taps)];
    output(13, arrays, nodes)
}

#[test]
fn a_transposed_convolution_adds_a_kernel_for_every_pixel() {
    let plain = || Spread {
        stride: [1, 1],
        dilation: [1, 1],
        pads: [0; 4],
        more: [0, 0],
        groups: 1,
    };
    let kernel = uneven(24);
    for case in [
        plain(),
        Spread {
            stride: [2, 3],
            ..plain()
        },
        Spread {
            stride: [3, 2],
            pads: [1, 1, 2, 0],
            more: [1, 1],
            ..plain()
        },
        Spread {
            dilation: [2, 3],
            pads: [3, 0, 1, 2],
            ..plain()
        },
        Spread {
            stride: [2, 1],
            dilation: [1, 2],
            pads: [4, 0, 0, 1],
            groups: 2,
            ..plain()
        },
    ] {
        let numbers =
            |given: &[usize]| -> Vec<i64> { given.iter().map(|&number| number as i64).collect() };
        let groups = [("group", case.groups as i64)];
        let mut conv = node("ConvTranspose", &["image", "kernel"], "spread", &groups);
        for (name, list) in [
            ("strides", numbers(&case.stride)),
            ("dilations", numbers(&case.dilation)),
            ("pads", numbers(&case.pads)),
            ("output_padding", numbers(&case.more)),
        ] {
            conv = with_list(conv, name, &list);
        }
        let found = spread(&[-1, 2, 5, 1], &[2, 2, 3, 2], &kernel, conv);
        let images = logits();
        let images = images.chunks(CLASSES);
        let wanted: Vec<f32> = images
            .flat_map(|image| case.of(image, [2, 5, 1], &kernel))
            .collect();
        assert_near(&found, &wanted);
    }
}

#[test]
fn an_odd_pixel_is_cut_off_where_onnx_runtime_does() {
    // With a stride of two and three taps, one pixel more than twice as many.
    let taps = [1.0, 10.0, 100.0];
    let columns = || {
        let conv = node("ConvTranspose", &["image", "kernel"], "spread", &[]);
        with_list(conv, "strides", &[2])
    };
    let whole = spread(&[-1, 1, 10], &[1, 1, 3], &taps, columns());
    assert_eq!(whole.len(), 2 * 21);
    let size = |length| with_list(columns(), "output_shape", &[length]);
    for (conv, from, length) in [
        (with_text(columns(), "auto_pad", "SAME_UPPER"), 0, 20),
        (with_text(columns(), "auto_pad", "SAME_LOWER"), 1, 20),
        (with_text(columns(), "auto_pad", "VALID"), 0, 21),
        (size(20), 1, 20),
        (size(21), 0, 21),
        (size(22), 0, 22),
    ] {
        let found = spread(&[-1, 1, 10], &[1, 1, 3], &taps, conv);
        let wanted = whole.chunks(21).flat_map(|row| {
            let all = row.iter().copied().chain([0.0]);
            all.skip(from).take(length)
        });
        assert_near(&found, &wanted.collect::<Vec<f32>>());
    }
    // One tap does not reach the pixel behind the last one.
    for auto_pad in ["SAME_UPPER", "SAME_LOWER"] {
        let conv = with_text(columns(), "auto_pad", auto_pad);
        let found = spread(&[-1, 1, 10], &[1, 1, 1], &[1.0], conv);
        assert_eq!(found.len(), 2 * 19, "{auto_pad}");
    }
}

#[test]
fn images_are_enlarged_by_cubic_interpolation() {
    let nodes = vec![
        node("Reshape", &["logits", "as image"], "image", &[]),
        with_text(
            node("Resize", &["image", "", "", "sizes"], "larger", &[]),
            "mode",
            "cubic",
        ),
        node("Flatten", &["larger"], "row", &[("axis", 1)]),
    ];
    let arrays = vec![
        integers("as image", &[-1, 1, 1, 10]),
        integers("sizes", &[1, 1, 1, 20]),
    ];
    // The weights of four neighbours at a distance of a quarter.
    let weights = [-0.035_156_25, 0.261_718_75, 0.878_906_25, -0.105_468_75];
    let mut wanted: Vec<f32> = Vec::new();
    for image in logits().chunks(CLASSES) {
        for place in 0..10 {
            for side in [1, -1] {
                let taps = (-2..=1).zip(weights);
                let terms = taps.map(|(tap, weight): (i32, f32)| {
                    let pixel = (place + side * tap).clamp(0, 9);
                    weight * image[pixel as usize]
                });
                wanted.push(terms.sum());
            }
        }
    }
    assert_near(&output(13, arrays, nodes), &wanted);
}
