//! `Resize` and `Upsample`: resampling of rows and columns.

use super::super::call::{ImportValue, OnnxCall};
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::{axis, count, floats};
use super::shape::integers;
use crate::nets::graph::Op;
use crate::nets::graph::op::{Interpolation, NearestMode, Resize, ResizeCoordinates};

/// `Resize`, and its predecessor `Upsample`.
pub fn resize(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let dims = importer.dims(value)?;
    let [_, _, height, width] = dims[..] else {
        return NodeProblem::cannot("it works on images only");
    };
    let sides = [height.count, width.count];
    let attributes = call.attributes;
    let policy = attributes.text("keep_aspect_ratio_policy");
    if attributes.flag("antialias", false) || policy.is_some_and(|policy| policy != "stretch") {
        return NodeProblem::cannot("it uses antialiasing, or keeps the aspect ratio");
    }
    let along: Vec<usize> = match attributes.ints("axes") {
        Some(axes) => axes
            .iter()
            .map(|&index| axis(index, 4))
            .collect::<Result<_, _>>()?,
        None => (0..4).collect(),
    };
    let old = call.opset < 11 || call.operator == "Upsample";
    let scales = scales(call, old)?;
    let sizes = match call.optional(3) {
        Some(_) if !old => integers(call.known(3, "sizes")?)?,
        _ => Vec::new(),
    };
    let (mut size, mut scale) = (sides, [1.0; 2]);
    for (i, &axis) in along.iter().enumerate() {
        let ratio = scales.get(i).copied();
        let length = sizes.get(i);
        if axis < 2 {
            let from = count(dims[axis]);
            // The file may have been exported for a fixed number of images.
            let at_batch = from.fixed + from.per_image.saturating_mul(importer.batch);
            let kept = ratio.is_none_or(|ratio| (ratio - 1.0).abs() < 1e-6)
                && length
                    .is_none_or(|&length| length == from || length == SymbolicInt::fixed(at_batch));
            if !kept {
                return NodeProblem::cannot("it resizes channels or the batch");
            }
            continue;
        }
        let side = sides[axis - 2];
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let (result, by) = match (length.and_then(|length| length.known()), ratio) {
            (Some(length), _) => {
                let length = usize::try_from(length).unwrap_or(0);
                (length, length as f64 / side as f64)
            }
            // In 32 bits, as the ratio is given: 0.9 of 10 is 9, not 8.99….
            (None, Some(ratio)) => ((side as f32 * ratio as f32).floor() as usize, ratio),
            (None, None) => return NodeProblem::cannot("it has neither scales nor sizes"),
        };
        (size[axis - 2], scale[axis - 2]) = (result, by);
    }
    if size == sides {
        return Ok(vec![value.clone()]);
    }
    let op = Op::Resize(Resize {
        size,
        scale,
        sampling: sampling(call, old, scale)?,
        coordinates: coordinates(call, old)?,
    });
    let input = importer.operand(value, &call.name)?;
    Ok(vec![importer.emit_value(&call.name, op, &[input])?])
}

fn scales(call: &OnnxCall, old: bool) -> Result<Vec<f64>, NodeProblem> {
    if let Some(scales) = call.attributes.floats("scales") {
        return Ok(scales.iter().copied().map(f64::from).collect());
    }
    let place = if old { 1 } else { 2 };
    if call.optional(place).is_none() {
        return Ok(Vec::new());
    }
    let scales = floats(call.known(place, "scales")?)?;
    Ok(scales.values().iter().copied().map(f64::from).collect())
}

fn sampling(call: &OnnxCall, old: bool, scale: [f64; 2]) -> Result<Interpolation, NodeProblem> {
    match call.attributes.text("mode").unwrap_or("nearest") {
        "nearest" if old => nearest_before_version_11(scale).map(Interpolation::Nearest),
        "nearest" => nearest(call).map(Interpolation::Nearest),
        "linear" | "bilinear" => Ok(Interpolation::Bilinear),
        "cubic" if call.attributes.flag("exclude_outside", false) => {
            NodeProblem::cannot("it leaves pixels beyond the border out (exclude_outside = 1)")
        }
        "cubic" => Ok(Interpolation::Bicubic {
            slope: f64::from(call.attributes.float("cubic_coeff_a", -0.75)),
        }),
        other => NodeProblem::cannot(format!(
            "its mode is {other}; only nearest, linear and cubic are supported"
        )),
    }
}

fn nearest(call: &OnnxCall) -> Result<NearestMode, NodeProblem> {
    let mode = call.attributes.text("nearest_mode");
    Ok(match mode.unwrap_or("round_prefer_floor") {
        "round_prefer_floor" => NearestMode::RoundPreferFloor,
        "round_prefer_ceil" => NearestMode::RoundPreferCeil,
        "floor" => NearestMode::Floor,
        "ceil" => NearestMode::Ceil,
        other => return NodeProblem::cannot(format!("its nearest_mode is {other}")),
    })
}

/// The pixel before where an axis is enlarged, and the one after where it shrinks, as in the examples of version 10.
fn nearest_before_version_11(scale: [f64; 2]) -> Result<NearestMode, NodeProblem> {
    let shrinks = scale.iter().any(|&by| by < 1.0);
    match shrinks && scale.iter().any(|&by| by > 1.0) {
        true => NodeProblem::cannot(
            "it enlarges one axis and shrinks the other; export the network with version 11 of the operators or a later one",
        ),
        false if shrinks => Ok(NearestMode::Ceil),
        false => Ok(NearestMode::Floor),
    }
}

fn coordinates(call: &OnnxCall, old: bool) -> Result<ResizeCoordinates, NodeProblem> {
    let mode = call.attributes.text("coordinate_transformation_mode");
    Ok(match mode.unwrap_or("half_pixel") {
        _ if old => ResizeCoordinates::Asymmetric,
        "half_pixel" => ResizeCoordinates::HalfPixel,
        "pytorch_half_pixel" => ResizeCoordinates::PytorchHalfPixel,
        "asymmetric" => ResizeCoordinates::Asymmetric,
        "align_corners" => ResizeCoordinates::AlignCorners,
        other => return NodeProblem::cannot(format!("its coordinates are {other}")),
    })
}
