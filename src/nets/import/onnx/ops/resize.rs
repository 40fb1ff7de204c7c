//! `Resize` and `Upsample`: resampling of rows and columns.

use super::super::call::{Call, Value};
use super::super::error::Problem;
use super::super::importer::Importer;
use super::super::lengths::{axis, floats};
use super::shape::whole;
use crate::nets::graph::Op;
use crate::nets::graph::op::{Coordinates, Nearest, Resize, Sampling};

/// `Resize`, and its predecessor `Upsample`.
pub fn resize(importer: &mut Importer, call: &Call) -> Result<Vec<Value>, Problem> {
    let value = call.input(0)?;
    let dims = importer.dims(value)?;
    let [_, channels, height, width] = dims[..] else {
        return Problem::cannot("it works on images only");
    };
    let sides = [height.count, width.count];
    let attributes = call.attributes;
    let policy = attributes.text("keep_aspect_ratio_policy");
    if attributes.flag("antialias", false) || policy.is_some_and(|policy| policy != "stretch") {
        return Problem::cannot("it uses antialiasing, or keeps the aspect ratio");
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
        Some(_) if !old => whole(call.known(3, "sizes")?)?,
        _ => Vec::new(),
    };
    let (mut size, mut scale) = (sides, [1.0; 2]);
    for (i, &axis) in along.iter().enumerate() {
        let ratio = scales.get(i).copied();
        let length = sizes.get(i);
        if axis < 2 {
            let count = if axis == 1 { channels.count } else { 1 };
            let kept = ratio.is_none_or(|ratio| (ratio - 1.0).abs() < 1e-6)
                && length
                    .is_none_or(|&length| length.of_one() == i64::try_from(count).unwrap_or(0));
            if !kept {
                return Problem::cannot("it resizes channels or the batch");
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
            (None, Some(ratio)) => ((side as f64 * ratio).floor() as usize, ratio),
            (None, None) => return Problem::cannot("it has neither scales nor sizes"),
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
    Ok(vec![importer.give(&call.name, op, &[input])?])
}

fn scales(call: &Call, old: bool) -> Result<Vec<f64>, Problem> {
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

fn sampling(call: &Call, old: bool) -> Result<Sampling, Problem> {
    let mode = call.attributes.text("nearest_mode");
    let nearest = match mode.unwrap_or("round_prefer_floor") {
        _ if old => Nearest::Floor,
        "round_prefer_floor" => Nearest::RoundPreferFloor,
        "round_prefer_ceil" => Nearest::RoundPreferCeil,
        "floor" => Nearest::Floor,
        "ceil" => Nearest::Ceil,
        other => return Problem::cannot(format!("its nearest_mode is {other}")),
    };
    match call.attributes.text("mode").unwrap_or("nearest") {
        "nearest" => Ok(Sampling::Nearest(nearest)),
        "linear" | "bilinear" => Ok(Sampling::Bilinear),
        other => Problem::cannot(format!(
            "its mode is {other}; only nearest and linear are supported"
        )),
    }
}

fn coordinates(call: &Call, old: bool) -> Result<Coordinates, Problem> {
    let mode = call.attributes.text("coordinate_transformation_mode");
    Ok(match mode.unwrap_or("half_pixel") {
        _ if old => Coordinates::Asymmetric,
        "half_pixel" => Coordinates::HalfPixel,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "asymmetric" => Coordinates::Asymmetric,
        "align_corners" => Coordinates::AlignCorners,
        other => return Problem::cannot(format!("its coordinates are {other}")),
    })
}
