//! `Resize` and `Upsample`: resampling of rows and columns.

use super::super::call::{ImportValue, OnnxCall};
use super::super::error::NodeProblem;
use super::super::importer::Importer;
use super::super::lengths::{axis, floats};
use super::shape::integers;
use crate::nets::graph::Op;
use crate::nets::graph::op::{Interpolation, NearestMode, Resize, ResizeCoordinates};

/// `Resize`, and its predecessor `Upsample`.
pub fn resize(importer: &mut Importer, call: &OnnxCall) -> Result<Vec<ImportValue>, NodeProblem> {
    let value = call.input(0)?;
    let dims = importer.dims(value)?;
    let [_, channels, height, width] = dims[..] else {
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
            let count = if axis == 1 { channels.count } else { 1 };
            let kept = ratio.is_none_or(|ratio| (ratio - 1.0).abs() < 1e-6)
                && length.is_none_or(|&length| {
                    length.for_one_image() == i64::try_from(count).unwrap_or(0)
                });
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
    let op = Op::Resize(Resize {
        size,
        scale,
        sampling: sampling(call, old)?,
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

fn sampling(call: &OnnxCall, old: bool) -> Result<Interpolation, NodeProblem> {
    let mode = call.attributes.text("nearest_mode");
    let nearest = match mode.unwrap_or("round_prefer_floor") {
        _ if old => NearestMode::Floor,
        "round_prefer_floor" => NearestMode::RoundPreferFloor,
        "round_prefer_ceil" => NearestMode::RoundPreferCeil,
        "floor" => NearestMode::Floor,
        "ceil" => NearestMode::Ceil,
        other => return NodeProblem::cannot(format!("its nearest_mode is {other}")),
    };
    match call.attributes.text("mode").unwrap_or("nearest") {
        "nearest" => Ok(Interpolation::Nearest(nearest)),
        "linear" | "bilinear" => Ok(Interpolation::Bilinear),
        other => NodeProblem::cannot(format!(
            "its mode is {other}; only nearest and linear are supported"
        )),
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
