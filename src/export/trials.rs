//! Export of reproduced trials: a sheet of pictures, arrays, or a list.

use std::io::{Cursor, Seek, Write};
use std::path::{Path, PathBuf};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::npz::{Container, meta, to_i64};
use super::{ExportError, write_and_report, write_stdout};
use crate::engine::replay::{FoundTrials, ReplayedTrial, TrialSearch};
use crate::ids::{ClassId, Gamma};
use crate::session::Session;

/// The format of exported trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TrialsFormat {
    /// The stimuli on one sheet.
    Png,
    /// Stimuli, noise and the network's responses, for numpy.load.
    Npz,
    /// Block, index and classes of each trial, as one list.
    Json,
}

/// Maximum number of trials on one sheet.
pub const MOST_ON_A_SHEET: usize = 400;

/// Target length of a stimulus's longer side on the sheet, in pixels.
const SIDE: usize = 112;

/// Pixels between two stimuli.
const GAP: usize = 4;

/// The background colour; not grey, so that no grey stimulus blends into it.
const BETWEEN: Rgb<u8> = Rgb([32, 48, 80]);

/// Writes the trials found. Without `out`, JSON goes to standard output; into the current folder, PNG goes to
/// `NAME-trials-true-8-called-3-gamma-0.4.png`, depending on the search, and NPZ to the same name with `.npz`. The path
/// that was written is printed to standard error.
///
/// # Errors
/// If it cannot be written.
pub fn write(
    session: &Session,
    search: &TrialSearch,
    found: &FoundTrials,
    format: TrialsFormat,
    out: Option<&Path>,
) -> Result<(), ExportError> {
    let (bytes, ending) = match format {
        TrialsFormat::Png => (png(found)?, "png"),
        TrialsFormat::Npz => {
            let mut bytes = Cursor::new(Vec::new());
            npz(session, search, found, &mut bytes)?;
            (bytes.into_inner(), "npz")
        }
        TrialsFormat::Json => {
            let bytes = format!("{:#}\n", list(found)).into_bytes();
            if out.is_none() {
                return write_stdout(&bytes);
            }
            (bytes, "json")
        }
    };
    let default = || PathBuf::from(format!("{}.{ending}", stem(session, search, found.gamma)));
    let path = out.map_or_else(default, Path::to_path_buf);
    write_and_report(&path, &bytes)
}

/// `NAME-trials-true-8-called-3-images-2-gamma-0.4`, with only the criteria of the search, and without the number of the
/// first classification images: searches for different trials have different names.
fn stem(session: &Session, search: &TrialSearch, gamma: Gamma) -> String {
    let part = |key: &str, class: Option<ClassId>| {
        class.map_or_else(String::new, |class| format!("-{key}-{class}"))
    };
    let images = match search.images {
        0 => String::new(),
        more => format!("-images-{}", more.saturating_add(1)),
    };
    format!(
        "{}-trials{}{}{images}-gamma-{gamma}",
        session.name,
        part("true", search.truth),
        part("called", search.decision)
    )
}

/// One object per trial, in the order shown; the true class and the image are null at γ = 0.
pub fn list(found: &FoundTrials) -> Value {
    let object = |trial: &ReplayedTrial| {
        json!({
            "block": trial.block,
            "trial": trial.place,
            "truth": trial.truth,
            "image": trial.image,
            "called": trial.decision,
            "confidence": trial.confidence,
        })
    };
    found.trials.iter().map(object).collect()
}

/// Writes n trials: `stimuli` \[n,H,W\], or \[n,C,H,W\] with several channels; `noise`, the noise alone on its own
/// grid; `block` and `trial`, the index within the block; `truth`, `image` and `called`, the true class, the training
/// image and the predicted class, the first two −1 at γ = 0; `confidence` and `outputs` \[n,K\], the softmax
/// probability of the predicted class and the logits; `gamma`, a number; `classes` \[K\]; and `meta`, as in the
/// session's export, with the search under `trials`.
///
/// # Errors
/// If `out` cannot be written.
pub fn npz(
    session: &Session,
    search: &TrialSearch,
    found: &FoundTrials,
    out: impl Write + Seek,
) -> Result<(), ExportError> {
    let mut all = Container::new(out);
    arrays(session, found, &mut all)
        .and_then(|()| {
            let mut about = meta::of_session(session);
            about.insert("trials".into(), search_meta(search, found));
            all.finish(about)
        })
        .map_err(ExportError::Encode)
}

/// The search and the blocks it covered.
fn search_meta(search: &TrialSearch, found: &FoundTrials) -> Value {
    json!({
        "images": search.images + 1,
        "gamma": found.gamma,
        "truth": search.truth,
        "called": search.decision,
        "device": found.device,
        "blocks": found.searched_blocks,
        "blocks_done": found.finished_blocks,
        "matching": found.matching,
        "recorded": found.recorded,
    })
}

fn arrays<W: Write + Seek>(
    session: &Session,
    found: &FoundTrials,
    out: &mut Container<W>,
) -> std::io::Result<()> {
    if let Some(form) = &session.record.form {
        out.texts("classes", "class", &form.classes)?;
    }
    out.array("gamma", &[], "signal strength, 0 to 1", [found.gamma.0])?;
    let (found_trials, n) = (&found.trials, found.trials.len());
    let trials = [("trial", n)];
    let unit = "value of a pixel, 0 black to 1 white";
    let stimuli = found_trials
        .iter()
        .map(|trial| Some(trial.stimulus.as_slice()));
    out.maps("stimuli", &trials, found.images, unit, stimuli)?;
    let noise = found_trials
        .iter()
        .map(|trial| Some(trial.noise.as_slice()));
    out.maps("noise", &trials, found.grid, unit, noise)?;
    let number = |number: Option<usize>| number.map_or(-1, |number| to_i64(number as u64));
    out.array(
        "block",
        &trials,
        "",
        found_trials.iter().map(|trial| to_i64(trial.block.0)),
    )?;
    let places = found_trials.iter().map(|trial| to_i64(trial.place as u64));
    out.array("trial", &trials, "", places)?;
    let truths = found_trials
        .iter()
        .map(|trial| number(trial.truth.map(|truth| truth.0)));
    out.array("truth", &trials, "", truths)?;
    let images = found_trials.iter().map(|trial| number(trial.image));
    out.array("image", &trials, "", images)?;
    let called = found_trials
        .iter()
        .map(|trial| to_i64(trial.decision.0 as u64));
    out.array("called", &trials, "", called)?;
    let confidences = found_trials.iter().map(|trial| trial.confidence);
    out.array("confidence", &trials, "probability", confidences)?;
    let axes = [trials[0], ("class", found.classes)];
    let outputs = found_trials.iter().flat_map(|trial| &trial.outputs);
    let outputs = outputs.map(|&logit| f64::from(logit));
    out.array("outputs", &axes, "logits", outputs)
}

/// Encodes the sheet as PNG.
fn png(found: &FoundTrials) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Cursor::new(Vec::new());
    sheet(found)
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| ExportError::Encode(std::io::Error::other(error)))?;
    Ok(bytes.into_inner())
}

/// Arranges the stimuli in a grid, each magnified by a whole factor without smoothing. Values beyond black and white,
/// which noise can have, are clipped; with other than three channels their mean is shown.
fn sheet(found: &FoundTrials) -> RgbImage {
    let [_, height, width] = found.images;
    let times = (SIDE / height.max(width).max(1)).max(1);
    let count = found.trials.len().max(1);
    let columns = (1..).find(|n| n * n >= count).unwrap_or(1);
    let (down, across) = (height * times + GAP, width * times + GAP);
    let size = [columns * across, count.div_ceil(columns) * down].map(|side| (side + GAP) as u32);
    let mut sheet = RgbImage::from_pixel(size[0], size[1], BETWEEN);
    for (index, trial) in found.trials.iter().enumerate() {
        let (top, left) = (GAP + index / columns * down, GAP + index % columns * across);
        for row in 0..height * times {
            for column in 0..width * times {
                let pixel = row / times * width + column / times;
                let colour = colour(&trial.stimulus, height * width, pixel);
                sheet.put_pixel((left + column) as u32, (top + row) as u32, colour);
            }
        }
    }
    sheet
}

/// The colour of one pixel of a stimulus; each channel has `area` values.
fn colour(stimulus: &[f32], area: usize, pixel: usize) -> Rgb<u8> {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let channels = stimulus.len() / area.max(1);
    let value = |channel: usize| stimulus[channel * area + pixel];
    match channels {
        3 => Rgb([0, 1, 2].map(|channel| byte(value(channel)))),
        _ => {
            let sum: f32 = (0..channels).map(value).sum();
            Rgb([byte(sum / channels.max(1) as f32); 3])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;

    #[test]
    fn searches_for_different_trials_have_different_names() {
        let session = Session::new("mine", Config::default());
        let name = |images, truth, gamma| {
            let search = TrialSearch {
                images,
                gamma_index: 0,
                truth,
                decision: Some(ClassId(3)),
                count: 20,
            };
            stem(&session, &search, Gamma(gamma))
        };
        let of = |images, gamma| name(images, Some(ClassId(8)), gamma);
        assert_eq!(of(0, 0.4), "mine-trials-true-8-called-3-gamma-0.4");
        assert_eq!(of(0, 0.25), "mine-trials-true-8-called-3-gamma-0.25");
        assert_eq!(of(1, 0.4), "mine-trials-true-8-called-3-images-2-gamma-0.4");
        assert_eq!(name(0, None, 0.0), "mine-trials-called-3-gamma-0");
    }
}
