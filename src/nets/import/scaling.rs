//! Finds the buffers with which a network scaled its images before the first layer, and compares them with
//! the config.

use super::WeightsFault;
use super::raw::RawTensor;
use crate::session::config::InputEncoding;

/// Usual names of such buffers: means, deviations.
const NAMES: [(&str, &str); 4] = [
    ("mean", "std"),
    ("pixel_mean", "pixel_std"),
    ("image_mean", "image_std"),
    ("input_mean", "input_std"),
];

/// Removes the buffers if the config sets how images are scaled.
///
/// # Errors
/// If it does not; with the setting to add.
pub fn without_checked_buffers(
    tensors: Vec<RawTensor>,
    channels: usize,
    input: &InputEncoding,
    notes: &mut Vec<String>,
) -> Result<Vec<RawTensor>, WeightsFault> {
    let Some((mean, std)) = pair(&tensors, channels) else {
        return Ok(tensors);
    };
    let (mean_name, std_name) = (tensors[mean].name.clone(), tensors[std].name.clone());
    let (mean, std) = (tensors[mean].values()?, tensors[std].values()?);
    if std.iter().any(|deviation| *deviation <= 0.0) {
        return Ok(tensors);
    }
    if *input == InputEncoding::default() {
        return Err(WeightsFault::Scaling {
            mean_name,
            mean,
            std_name,
            std,
        });
    }
    let alike = |values: &[f32], given: &[f64]| {
        let close = |(a, b): (&f32, &f64)| (f64::from(*a) - b).abs() <= 1e-4;
        values.len() == given.len() && values.iter().zip(given).all(close)
    };
    notes.push(match alike(&mean, &input.mean) && alike(&std, &input.std) {
        true => format!("`{mean_name}` and `{std_name}` match network.input"),
        false => format!(
            "`{mean_name}` {mean:?} and `{std_name}` {std:?} of the file are not used; network.input differs"
        ),
    });
    Ok(without(tensors, channels))
}

/// The tensors without such buffers.
pub fn without(mut tensors: Vec<RawTensor>, channels: usize) -> Vec<RawTensor> {
    if let Some((mean, std)) = pair(&tensors, channels) {
        let buffers = [mean, std].map(|index| tensors[index].name.clone());
        tensors.retain(|raw| !buffers.contains(&raw.name));
    }
    tensors
}

/// Indices of means and deviations in the same module, one number per channel or one for all.
fn pair(tensors: &[RawTensor], channels: usize) -> Option<(usize, usize)> {
    let fits = |raw: &RawTensor| {
        let long: Vec<usize> = raw
            .shape
            .iter()
            .copied()
            .filter(|&length| length != 1)
            .collect();
        raw.shape.len() <= 4 && (long.is_empty() || long == [channels])
    };
    let find = |name: &str| tensors.iter().position(|raw| raw.name == name && fits(raw));
    NAMES.into_iter().find_map(|(mean, std)| {
        tensors.iter().enumerate().find_map(|(index, raw)| {
            let module = raw.name.strip_suffix(mean)?;
            let whole = module.is_empty() || module.ends_with('.');
            let std = find(&format!("{module}{std}"))?;
            (whole && fits(raw)).then_some((index, std))
        })
    })
}
