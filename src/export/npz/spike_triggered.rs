//! Spike-triggered averages, the weights that they are held to, and the axes of a covariance.

use std::io::{self, Seek, Write};

use super::container::{Container, or_nan, whole};
use super::numbered;
use crate::session::record::{Covariance, LayerResponses, SpikeTriggered};

/// What averages are in: stimuli less their mean.
const UNIT: &str = "full ranges of a pixel";

/// Writes the averages of every layer that was shown noise under `sta` and `image_sta`, and the covariance
/// under `stc`.
///
/// # Errors
/// Where they cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    it: &SpikeTriggered,
    out: &mut Container<W>,
) -> io::Result<()> {
    let prefix = numbered("sta", nth);
    let layers = it.layers.iter();
    let shown: Vec<&LayerResponses> = layers.filter(|it| it.noise.fields != [0; 2]).collect();
    for layer in &shown {
        averages(&prefix, layer, out)?;
    }
    // After all averages: a layer may be called as what is said of another.
    for layer in &shown {
        worth(&prefix, layer, out)?;
    }
    match &it.covariance {
        Some(it) => covariance(&numbered("stc", nth), it, out),
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

/// How reliable the averages are, and the weights where the layer sees the image itself.
fn worth<W: Write + Seek>(
    prefix: &str,
    layer: &LayerResponses,
    out: &mut Container<W>,
) -> io::Result<()> {
    let estimate = layer.estimate();
    let (units, field) = ([("unit", layer.units)], layer.field());
    let name = |what: &str| format!("{prefix}_{}_{what}", layer.name);
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

/// What was found of one unit, once its sums are whole.
fn covariance<W: Write + Seek>(
    prefix: &str,
    it: &Covariance,
    out: &mut Container<W>,
) -> io::Result<()> {
    let Some((low, high)) = it.shuffled else {
        return Ok(());
    };
    let name = |what: &str| format!("{prefix}_{}_{what}", it.unit.layer);
    let (unit, field) = (("unit", 1), it.field());
    let variance = "squared full ranges of a pixel";
    let number = [whole(it.unit.unit as u64)];
    out.array(&name("units"), &[unit], "", number)?;
    let axes = [unit, ("axis", it.significant.len())];
    let pixels: usize = field.iter().product();
    let maps = it.axes.values().chunks_exact(pixels.max(1)).map(Some);
    out.maps(&name("axes"), &axes, field, "", maps)?;
    let own = it.significant.iter().copied();
    out.array(&name("eigenvalues"), &axes, variance, own)?;
    let ends = [unit, ("bound", 2)];
    out.array(&name("bounds"), &ends, variance, [low, high])?;
    let all = [unit, ("eigenvalue", it.eigenvalues.len())];
    let values = it.eigenvalues.iter().copied();
    out.array(&name("spectrum"), &all, variance, values)
}
