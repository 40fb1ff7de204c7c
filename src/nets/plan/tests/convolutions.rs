//! Tests of the ways to compute a convolution.

use super::super::winograd::{KernelShape, Variant};
use super::*;
use crate::nets::graph::Dim;

/// Winograd is chosen where it costs less: cases measured on both sides of the break-even point.
#[test]
fn convolutions_are_computed_the_cheaper_way() {
    let variant = |taps: usize, [inputs, outputs]: [usize; 2], size| {
        let (rows, columns) = (taps, taps);
        let kernel = KernelShape {
            rows,
            columns,
            inputs,
            outputs,
        };
        match kernel.cheapest([size; 2]) {
            Some(Variant::Squares(_)) => "squares",
            Some(Variant::Rows(_)) => "rows",
            None => "direct",
        }
    };
    for (taps, channels, size) in [(5, [20, 50], 8), (3, [16, 16], 14), (3, [64, 64], 28)] {
        assert_eq!(variant(taps, channels, size), "squares");
    }
    // Five taps and few input channels.
    for (taps, channels, size) in [(5, [1, 20], 24), (5, [1, 6], 28), (5, [2, 20], 24)] {
        assert_eq!(variant(taps, channels, size), "rows");
    }
    // A single tile, so few outputs that most of a tile is unused, one tap, seven taps, or few terms in each sum.
    assert_eq!(variant(3, [1, 32], 28), "direct");
    for (taps, size) in [(3, 4), (3, 2), (1, 28), (7, 28)] {
        assert_eq!(variant(taps, [64, 64], size), "direct");
    }
}

/// Kernels that are not square, padding on some sides, an odd number of rows, tiles past the last output, and each way
/// in which the sums are written.
#[test]
fn convolutions_along_rows_give_what_burn_gives() {
    let lopsided = Pads {
        top: 1,
        left: 0,
        bottom: 2,
        right: 3,
    };
    let cases = [
        ([1, 28, 28], 20, [5, 5], Pads::default()),
        ([1, 15, 16], 6, [5, 5], Pads::all(2)),
        ([2, 13, 19], 9, [5, 5], lopsided),
        ([1, 10, 21], 7, [7, 5], lopsided),
        ([2, 17, 28], 5, [9, 5], Pads::default()),
        ([1, 40, 12], 16, [10, 3], Pads::all(1)),
    ];
    let device = Device::flex();
    let (relu, pool) = (
        Op::Unary(Unary::Relu),
        Op::MaxPool(PoolWindow::tiles([2, 2])),
    );
    let clip = Op::Unary(Unary::Clip {
        min: -0.3,
        max: 0.5,
    });
    for (image, outputs, kernel, pads) in cases {
        let size = [
            image[1] + pads.top + pads.bottom + 1 - kernel[0],
            image[2] + pads.left + pads.right + 1 - kernel[1],
        ];
        let of_kernel = KernelShape {
            rows: kernel[0],
            columns: kernel[1],
            inputs: image[0],
            outputs,
        };
        let variant = of_kernel.cheapest(size);
        assert!(matches!(variant, Some(Variant::Rows(_))), "{of_kernel:?}");
        for after in [vec![], vec![clip.clone()], vec![relu.clone(), pool.clone()]] {
            let mut builder = GraphBuilder::new(image);
            let mut drawn = images(1, outputs * (image[0] * kernel[0] * kernel[1] + 1)).into_iter();
            let mut weight = |builder: &mut GraphBuilder, name: &str, shape: &[usize]| {
                let values = drawn.by_ref().take(shape.iter().product());
                let values = values.map(|v| v - 0.5).collect();
                builder.weight(name, Array::new(shape, values)).unwrap()
            };
            let input = builder.add("images", Op::Input, &[]).unwrap();
            let w = weight(
                &mut builder,
                "w",
                &[outputs, image[0], kernel[0], kernel[1]],
            );
            let b = weight(&mut builder, "b", &[outputs]);
            let conv = Op::Conv(Conv {
                pads,
                ..Conv::default()
            });
            let mut last = builder.add("conv", conv, &[input.into(), w, b]).unwrap();
            for (index, op) in after.iter().enumerate() {
                let name = format!("after{index}");
                last = builder.add(&name, op.clone(), &[last.into()]).unwrap();
            }
            let values = builder.shape(last)[1..].iter().map(|dim| dim.count);
            let shape = vec![Dim::batch(1), Dim::fixed(values.product())];
            let flat = Op::Reshape { shape };
            let flat = builder.add("flat", flat, &[last.into()]).unwrap();
            let graph = builder.finish(flat).unwrap();
            let pixels = images(21, image.iter().product());
            let reference = Subject::new(graph.clone(), &device).unwrap();
            let reference = reference.logits(pixels.clone(), &device);
            let widest = Plan::with_lanes(&graph, Lanes::widest(), false).unwrap();
            let widest = widest.logits(&pixels);
            for lanes in Lanes::all() {
                let plan = Plan::with_lanes(&graph, lanes, false).unwrap();
                let found = plan.logits(&pixels);
                let worst = difference(&reference, &found);
                assert!(worst < 1e-5, "{of_kernel:?} {after:?} {lanes:?}: {worst}");
                assert_eq!(found, widest, "{of_kernel:?} {after:?} {lanes:?}");
            }
        }
    }
}

/// One weight for two convolutions, of which only the one with the larger output is worth Winograd.
#[test]
fn a_shared_weight_is_packed_for_each_kernel_that_uses_it() {
    let kernel = KernelShape {
        rows: 3,
        columns: 3,
        inputs: 16,
        outputs: 16,
    };
    let worth = |size| kernel.cheapest([size; 2]).is_some();
    assert!(worth(28) && !worth(4));
    let mut builder = GraphBuilder::new([16, 28, 28]);
    let input = builder.add("images", Op::Input, &[]).unwrap();
    let values = images(1, 16 * 16 * 9).iter().map(|v| v - 0.5).collect();
    let weight = Array::new(&[16, 16, 3, 3], values);
    let weight = builder.weight("w", weight).unwrap();
    let conv = Op::Conv(Conv {
        pads: Pads::all(1),
        ..Conv::default()
    });
    let large = [input.into(), weight.clone()];
    let large = builder.add("large", conv.clone(), &large).unwrap();
    let pool = Op::MaxPool(PoolWindow::tiles([7, 7]));
    let pool = builder.add("pool", pool, &[large.into()]).unwrap();
    let small = [pool.into(), weight];
    let small = builder.add("small", conv, &small).unwrap();
    let mean = Op::Reduce {
        reduction: Reduction::Mean,
        axes: vec![2, 3],
        axes_after: ReducedAxes::Dropped,
    };
    let mean = builder.add("mean", mean, &[small.into()]).unwrap();
    let graph = builder.finish(mean).unwrap();
    let pixels = images(5, 16 * 28 * 28);
    let device = Device::flex();
    let subject = Subject::new(graph.clone(), &device).unwrap();
    let reference = subject.logits(pixels.clone(), &device);
    let plan = Plan::with_lanes(&graph, Lanes::widest(), false).unwrap();
    let worst = difference(&reference, &plan.logits(&pixels));
    assert!(worst < 1e-5, "{worst}");
}

/// Windows of nine or two sums are computed in quads of four, in which some sums are repeated.
#[test]
fn the_sums_of_pooled_windows_are_counted_once() {
    for (kernel, positions) in [([3, 3], 36), ([1, 2], 36), ([2, 2], 36), ([4, 4], 16)] {
        let mut builder = GraphBuilder::new([1, 6, 6]);
        let input = builder.add("images", Op::Input, &[]).unwrap();
        let weight = builder
            .weight("w", Array::new(&[2, 1, 1, 1], vec![1.0, 2.0]))
            .unwrap();
        let conv = Op::Conv(Conv::default());
        let conv = builder.add("conv", conv, &[input.into(), weight]).unwrap();
        let pool = Op::MaxPool(PoolWindow::tiles(kernel));
        let pool = builder.add("pool", pool, &[conv.into()]).unwrap();
        let mean = Op::Reduce {
            reduction: Reduction::Mean,
            axes: vec![2, 3],
            axes_after: ReducedAxes::Dropped,
        };
        let mean = builder.add("mean", mean, &[pool.into()]).unwrap();
        let plan = Plan::new(&builder.finish(mean).unwrap()).unwrap();
        // A multiplication and an addition for each of two channels.
        assert_eq!(plan.operations(), 2 * 2 * positions, "{kernel:?}");
    }
}
