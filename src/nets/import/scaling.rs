//! Buffers by which a network scaled its own images before the first layer.

use super::Fault;
use super::raw::Raw;
use crate::session::config::Input;

/// What such buffers are called: means, deviations.
const NAMES: [(&str, &str); 4] = [
    ("mean", "std"),
    ("pixel_mean", "pixel_std"),
    ("image_mean", "image_std"),
    ("input_mean", "input_std"),
];

/// Takes the buffers out, where the plan says how images are scaled.
///
/// # Errors
/// Where it does not; with what to say.
pub fn settled(
    tensors: Vec<Raw>,
    channels: usize,
    input: &Input,
    notes: &mut Vec<String>,
) -> Result<Vec<Raw>, Fault> {
    let Some((mean, std)) = pair(&tensors, channels) else {
        return Ok(tensors);
    };
    let (mean_name, std_name) = (tensors[mean].name.clone(), tensors[std].name.clone());
    let (mean, std) = (tensors[mean].values()?, tensors[std].values()?);
    if std.iter().any(|deviation| *deviation <= 0.0) {
        return Ok(tensors);
    }
    if *input == Input::default() {
        return Err(Fault::Scaling {
            mean_name,
            mean,
            std_name,
            std,
        });
    }
    let alike = |values: &[f32], said: &[f64]| {
        let close = |(a, b): (&f32, &f64)| (f64::from(*a) - b).abs() <= 1e-4;
        values.len() == said.len() && values.iter().zip(said).all(close)
    };
    notes.push(match alike(&mean, &input.mean) && alike(&std, &input.std) {
        true => format!("`{mean_name}` and `{std_name}` are those of network.input"),
        false => format!(
            "`{mean_name}` {mean:?} and `{std_name}` {std:?} of the file are not used; network.input says otherwise"
        ),
    });
    Ok(without(tensors, channels))
}

/// The tensors without such buffers.
pub fn without(mut tensors: Vec<Raw>, channels: usize) -> Vec<Raw> {
    if let Some((mean, std)) = pair(&tensors, channels) {
        let buffers = [mean, std].map(|at| tensors[at].name.clone());
        tensors.retain(|raw| !buffers.contains(&raw.name));
    }
    tensors
}

/// Places of means and deviations in the same module, one number a channel or one for all.
fn pair(tensors: &[Raw], channels: usize) -> Option<(usize, usize)> {
    let fits = |raw: &Raw| {
        let long: Vec<usize> = raw.shape.iter().copied().filter(|&it| it != 1).collect();
        raw.shape.len() <= 4 && (long.is_empty() || long == [channels])
    };
    let place = |name: &str| tensors.iter().position(|raw| raw.name == name && fits(raw));
    NAMES.into_iter().find_map(|(mean, std)| {
        tensors.iter().enumerate().find_map(|(at, raw)| {
            let module = raw.name.strip_suffix(mean)?;
            let whole = module.is_empty() || module.ends_with('.');
            let std = place(&format!("{module}{std}"))?;
            (whole && fits(raw)).then_some((at, std))
        })
    })
}
