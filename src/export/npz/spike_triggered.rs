//! Spike-triggered averages, the weights they are compared with, and the axes of a covariance.

use std::io::{self, Seek, Write};

use super::container::{Container, or_nan, to_i64};
use super::numbered;
use crate::session::record::{Covariance, LayerResponses, SpikeTriggered};

/// Unit of the averages: stimuli less their mean.
const UNIT: &str = "full ranges of a pixel";

/// Writes the averages of every layer that was shown noise under `sta` and `image_sta`, and the covariance under
/// `stc`.
///
/// # Errors
/// If they cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    spikes: &SpikeTriggered,
    out: &mut Container<W>,
) -> io::Result<()> {
    let prefix = numbered("sta", nth);
    let layers = spikes.layers.iter();
    let shown: Vec<&LayerResponses> = layers
        .filter(|layer| layer.noise.fields != [0; 2])
        .collect();
    for layer in &shown {
        averages(&prefix, layer, out)?;
    }
    // After all averages: a layer's name may collide with another layer's statistics.
    for layer in &shown {
        quality(&prefix, layer, out)?;
    }
    match &spikes.covariance {
        Some(estimate) => covariance(&numbered("stc", nth), estimate, out),
        None => Ok(()),
    }
}

fn averages<W: Write + Seek>(
    prefix: &str,
    layer: &LayerResponses,
    out: &mut Container<W>,
) -> io::Result<()> {
    let estimate = layer.estimate();
    let (units, field) = ([("unit", layer.units)], layer.field());
    let name = format!("{prefix}_{}", layer.name);
    let on_noise = estimate.sta.iter().map(Option::as_deref);
    out.maps(&name, &units, field, UNIT, on_noise)?;
    let on_images = estimate.image_sta.iter().map(Option::as_deref);
    out.maps(&format!("image_{name}"), &units, field, UNIT, on_images)
}

/// Writes the reliability of the averages, and the layer's weights if its input is the image.
fn quality<W: Write + Seek>(
    prefix: &str,
    layer: &LayerResponses,
    out: &mut Container<W>,
) -> io::Result<()> {
    let estimate = layer.estimate();
    let (units, field) = ([("unit", layer.units)], layer.field());
    let name = |suffix: &str| format!("{prefix}_{}_{suffix}", layer.name);
    let reliability = estimate.reliability.iter().map(|&r| or_nan(r));
    out.array(&name("reliability"), &units, "", reliability)?;
    let kernel = layer.kernel.values();
    if kernel.is_empty() {
        return Ok(());
    }
    let pixels: usize = field.iter().product();
    let kernels = kernel.chunks_exact(pixels.max(1)).map(Some);
    out.maps(&name("kernel"), &units, field, "", kernels)?;
    let r = estimate.kernel_correlation.iter().map(|&r| or_nan(r));
    out.array(&name("kernel_r"), &units, "", r)
}

/// Writes the covariance of one unit, once it is complete.
fn covariance<W: Write + Seek>(
    prefix: &str,
    covariance: &Covariance,
    out: &mut Container<W>,
) -> io::Result<()> {
    let Some((low, high)) = covariance.shuffled else {
        return Ok(());
    };
    let name = |suffix: &str| format!("{prefix}_{}_{suffix}", covariance.unit.layer);
    let (unit, field) = (("unit", 1), covariance.field());
    let variance = "squared full ranges of a pixel";
    let number = [to_i64(covariance.unit.unit as u64)];
    out.array(&name("units"), &[unit], "", number)?;
    let axes = [unit, ("axis", covariance.significant.len())];
    let pixels: usize = field.iter().product();
    let maps = covariance
        .axes
        .values()
        .chunks_exact(pixels.max(1))
        .map(Some);
    out.maps(&name("axes"), &axes, field, "", maps)?;
    let eigenvalues = covariance.significant.iter().copied();
    out.array(&name("eigenvalues"), &axes, variance, eigenvalues)?;
    let ends = [unit, ("bound", 2)];
    out.array(&name("bounds"), &ends, variance, [low, high])?;
    let all = [unit, ("eigenvalue", covariance.eigenvalues.len())];
    let values = covariance.eigenvalues.iter().copied();
    out.array(&name("spectrum"), &all, variance, values)
}
