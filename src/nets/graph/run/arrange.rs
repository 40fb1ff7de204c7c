//! Operators that rearrange values: slicing, padding, gathering, resizing.

use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Int, Slice, Tensor, TensorData};

use super::super::op::{
    DepthOrder, Interpolation, NearestMode, PadFill, Resize, ResizeCoordinates, SliceAxis,
};
use super::value::{DynTensor, map};

pub fn concat(inputs: Vec<DynTensor>, axis: usize) -> DynTensor {
    fn joined<const D: usize>(inputs: Vec<DynTensor>, axis: usize) -> Tensor<D>
    where
        DynTensor: super::value::IntoTensor<D>,
    {
        Tensor::cat(
            inputs.into_iter().map(DynTensor::into_tensor).collect(),
            axis,
        )
    }
    match inputs[0].axes() {
        1 => joined::<1>(inputs, axis).into(),
        2 => joined::<2>(inputs, axis).into(),
        3 => joined::<3>(inputs, axis).into(),
        4 => joined::<4>(inputs, axis).into(),
        5 => joined::<5>(inputs, axis).into(),
        _ => joined::<6>(inputs, axis).into(),
    }
}

pub fn slice(x: DynTensor, cuts: &[SliceAxis]) -> DynTensor {
    cuts.iter().fold(x, one_cut)
}

fn one_cut(x: DynTensor, cut: &SliceAxis) -> DynTensor {
    let length = x.dims()[cut.axis];
    let stride = cut.step.unsigned_abs();
    // Counted from the end if the step is negative.
    let start = match cut.step > 0 {
        true => cut.start,
        false => length - 1 - cut.start,
    };
    let span = (cut.count - 1) * stride + 1;
    fn taken<const D: usize>(x: Tensor<D>, cut: &SliceAxis, from: usize, span: usize) -> Tensor<D> {
        let x = match cut.step > 0 {
            true => x,
            false => x.flip([cut.axis]),
        };
        match cut.step.unsigned_abs() {
            1 => x.narrow(cut.axis, from, span),
            stride => {
                let range =
                    Slice::new(from as isize, Some((from + span) as isize), stride as isize);
                x.slice_dim(cut.axis, range)
            }
        }
    }
    map!(x, x => taken(x, cut, start, span))
}

pub fn pad(x: DynTensor, before: &[isize], after: &[isize], with: PadFill) -> DynTensor {
    let cut = |(axis, length): (usize, usize)| SliceAxis {
        axis,
        start: (-before[axis]).max(0) as usize,
        count: (length as isize + before[axis].min(0) + after[axis].min(0)) as usize,
        step: 1,
    };
    let lengths: Vec<(usize, usize)> = x.dims().into_iter().enumerate().collect();
    let cuts: Vec<SliceAxis> = lengths
        .iter()
        .filter(|&&(axis, _)| before[axis] < 0 || after[axis] < 0)
        .map(|&axis| cut(axis))
        .collect();
    let x = slice(x, &cuts);
    let pairs: Vec<(usize, usize)> = before
        .iter()
        .zip(after)
        .map(|(&before, &after)| (before.max(0) as usize, after.max(0) as usize))
        .collect();
    if pairs.iter().all(|&pair| pair == (0, 0)) {
        return x;
    }
    let mode = match with {
        PadFill::Constant(value) => PadMode::Constant(value),
        PadFill::Reflect => PadMode::Reflect,
        PadFill::Edge => PadMode::Edge,
    };
    map!(x, x => x.pad(pairs.as_slice(), mode))
}

fn places(indices: &[usize], device: &Device) -> Tensor<1, Int> {
    let indices: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
    let count = indices.len();
    Tensor::from_data(TensorData::new(indices, [count]), device)
}

/// Selected indices along an axis, which is kept.
pub fn gather(x: DynTensor, axis: usize, indices: &[usize]) -> DynTensor {
    let consecutive = indices.windows(2).all(|pair| pair[1] == pair[0] + 1);
    if consecutive && !indices.is_empty() {
        return map!(x, x => x.narrow(axis, indices[0], indices.len()));
    }
    let indices = places(indices, &x.device());
    map!(x, x => x.select(axis, indices))
}

/// x broadcast to a shape.
pub fn expand(x: DynTensor, shape: &[usize]) -> DynTensor {
    let mut raised = vec![1; shape.len() - x.dims().len().min(shape.len())];
    raised.extend(x.dims());
    let x = x.reshaped(&raised);
    fn expanded<const D: usize>(x: Tensor<D>, shape: &[usize]) -> Tensor<D> {
        let mut target = [0; D];
        target.copy_from_slice(shape);
        x.expand(target)
    }
    map!(x, x => expanded(x, shape))
}

pub fn depth_to_space(x: Tensor<4>, block: usize, order: DepthOrder) -> Tensor<4> {
    let [n, channels, height, width] = x.dims();
    let out = channels / (block * block);
    let (split, axes) = match order {
        DepthOrder::BlockFirst => ([n, block, block, out, height, width], [0, 3, 4, 1, 5, 2]),
        DepthOrder::ChannelFirst => ([n, out, block, block, height, width], [0, 1, 4, 2, 5, 3]),
    };
    let places = x.reshape(split).permute(axes);
    places.reshape([n, out, height * block, width * block])
}

pub fn resize(x: Tensor<4>, resize: &Resize) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let x = along(x, 2, height, resize);
    along(x, 3, width, resize)
}

/// Resamples rows (axis 2) or columns (3).
fn along(x: Tensor<4>, axis: usize, length: usize, resize: &Resize) -> Tensor<4> {
    let size = resize.size[axis - 2];
    let coordinates: Vec<f64> = (0..size)
        .map(|place| {
            source(
                place,
                length,
                size,
                resize.scale[axis - 2],
                resize.coordinates,
            )
        })
        .collect();
    if size == length && coordinates.iter().enumerate().all(|(i, &x)| x == i as f64) {
        return x;
    }
    let device = x.device();
    let last = (length - 1) as f64;
    let inside = |coordinate: f64| coordinate.clamp(0.0, last) as usize;
    let chosen = |indices: Vec<usize>| places(&indices, &device);
    match resize.sampling {
        Interpolation::Nearest(nearest) => {
            let nearest = coordinates
                .iter()
                .map(|&coordinate| inside(nearest.round(coordinate)));
            x.select(axis, chosen(nearest.collect()))
        }
        Interpolation::Bilinear => {
            let before = coordinates.iter().map(|x| inside(x.floor())).collect();
            let after = coordinates
                .iter()
                .map(|x| inside(x.floor() + 1.0))
                .collect();
            let share: Vec<f32> = coordinates.iter().map(|x| (x - x.floor()) as f32).collect();
            let mut shape = [1; 4];
            shape[axis] = size;
            let share = Tensor::<4>::from_data(TensorData::new(share, shape), &device);
            let before = x.clone().select(axis, chosen(before));
            let after = x.select(axis, chosen(after));
            before.clone() + (after - before) * share
        }
        Interpolation::Bicubic { slope } => {
            let tap = |tap: i32| {
                let pixels = coordinates.iter();
                let pixels = pixels.map(|x| inside(x.floor() + f64::from(tap)));
                let weights = coordinates.iter();
                let weights =
                    weights.map(|x| bicubic((x.floor() + f64::from(tap) - x).abs(), slope));
                let mut shape = [1; 4];
                shape[axis] = size;
                let weights = TensorData::new(weights.collect::<Vec<f32>>(), shape);
                let weights = Tensor::<4>::from_data(weights, &device);
                x.clone().select(axis, chosen(pixels.collect())) * weights
            };
            tap(-1) + tap(0) + tap(1) + tap(2)
        }
    }
}

/// The weight of a pixel at a distance of at most two in bicubic interpolation.
fn bicubic(distance: f64, slope: f64) -> f32 {
    let (x, a) = (distance, slope);
    let weight = match x <= 1.0 {
        true => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        false => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
    };
    weight as f32
}

/// The input coordinate that an output index samples. It is computed in 32 bits, as PyTorch and ONNX Runtime do: in 64, the
/// 17th of 1.7 as many pixels would lie just before the tenth, and have the ninth as the nearest one before it.
pub fn source(
    place: usize,
    length: usize,
    size: usize,
    scale: f64,
    coordinates: ResizeCoordinates,
) -> f64 {
    let (x, scale) = (place as f32, scale as f32);
    f64::from(match coordinates {
        ResizeCoordinates::HalfPixel => (x + 0.5) / scale - 0.5,
        ResizeCoordinates::PytorchHalfPixel if size == 1 => 0.0,
        ResizeCoordinates::PytorchHalfPixel => (x + 0.5) / scale - 0.5,
        ResizeCoordinates::Asymmetric => x / scale,
        ResizeCoordinates::AlignCorners if size == 1 => 0.0,
        ResizeCoordinates::AlignCorners => x * (length - 1) as f32 / (size - 1) as f32,
    })
}

impl NearestMode {
    /// The nearest integer.
    fn round(self, x: f64) -> f64 {
        match self {
            NearestMode::Floor => x.floor(),
            NearestMode::Ceil => x.ceil(),
            NearestMode::RoundPreferFloor => (x - 0.5).ceil(),
            NearestMode::RoundPreferCeil => (x + 0.5).floor(),
        }
    }
}
