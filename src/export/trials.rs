//! Trials that were made again, for other programs: a sheet of pictures, arrays, or a list.

use std::io::{Cursor, Seek, Write};
use std::path::{Path, PathBuf};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::npz::{Container, meta, whole};
use super::{ExportError, print, store, wrote};
use crate::engine::again::{Found, Search, Trial};
use crate::session::Session;

/// What trials are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TrialsFormat {
    /// The stimuli on one sheet.
    Png,
    /// Stimuli, noise and what the network said, for numpy.load.
    Npz,
    /// Block, place and classes of each, as one list.
    Json,
}

/// Most trials on one sheet.
pub const MOST_ON_A_SHEET: usize = 400;

/// Pixels of a stimulus on a sheet along its longer side, where it is magnified.
const SIDE: usize = 112;

/// Pixels between two stimuli.
const GAP: usize = 4;

/// The colour between them, which no grey stimulus is mistaken for.
const BETWEEN: Rgb<u8> = Rgb([32, 48, 80]);

/// Writes what was found. Without `out`, JSON goes to standard output, and into the current folder PNG to
/// `NAME-trials-true-8-called-3.png` and NPZ to the same with `.npz`, by what was looked for; the name of what was
/// written goes to standard error.
///
/// # Errors
/// Where it cannot be written.
pub fn write(
    session: &Session,
    search: &Search,
    found: &Found,
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
                return print(&bytes);
            }
            (bytes, "json")
        }
    };
    let default = || PathBuf::from(format!("{}.{ending}", stem(session, search)));
    let path = out.map_or_else(default, Path::to_path_buf);
    match store(&path, &bytes) {
        Ok(()) => wrote(&path),
        Err(error) => return Err(ExportError::File { path, error }),
    }
    Ok(())
}

/// `NAME-trials-true-8-called-3`, without what was not looked for.
fn stem(session: &Session, search: &Search) -> String {
    let part = |what: &str, class: Option<usize>| {
        class.map_or_else(String::new, |class| format!("-{what}-{class}"))
    };
    format!(
        "{}-trials{}{}",
        session.name,
        part("true", search.truth),
        part("called", search.called)
    )
}

/// One object a trial, in the order in which they were shown; the true class and the image are null at γ = 0.
pub fn list(found: &Found) -> Value {
    let trial = |it: &Trial| {
        json!({
            "block": it.block,
            "trial": it.place,
            "truth": it.truth,
            "image": it.image,
            "called": it.called,
            "confidence": it.confidence,
        })
    };
    found.trials.iter().map(trial).collect()
}

/// Writes, of n trials: `stimuli` \[n,H,W\], or \[n,C,H,W\] of several channels, what was shown; `noise`, the same of the
/// noise alone on its own grid; `block` and `trial`, its place in that; `truth`, `image` and `called`, the true class, the
/// training image and what the network calls it, the first two −1 at γ = 0; `confidence` and `outputs` \[n,K\], the
/// softmax probability of that and the logits; `gamma`, a number; `classes` \[K\]; and `meta`, as in the export of the
/// session, with what was looked for under `trials`.
///
/// # Errors
/// Where `out` cannot be written.
pub fn npz(
    session: &Session,
    search: &Search,
    found: &Found,
    out: impl Write + Seek,
) -> Result<(), ExportError> {
    let mut all = Container::new(out);
    arrays(session, found, &mut all)
        .and_then(|()| {
            let mut about = meta::of_session(session);
            about.insert("trials".into(), told(search, found));
            all.finish(about)
        })
        .map_err(ExportError::Encode)
}

/// What was looked for, and where.
fn told(search: &Search, found: &Found) -> Value {
    json!({
        "images": search.images + 1,
        "gamma": found.gamma,
        "truth": search.truth,
        "called": search.called,
        "device": found.device,
        "blocks": found.blocks,
        "blocks_done": found.of,
        "matching": found.matching,
        "recorded": found.recorded,
    })
}

fn arrays<W: Write + Seek>(
    session: &Session,
    found: &Found,
    out: &mut Container<W>,
) -> std::io::Result<()> {
    if let Some(form) = &session.record.form {
        out.texts("classes", "class", &form.classes)?;
    }
    out.array("gamma", &[], "signal strength, 0 to 1", [found.gamma])?;
    let (own, n) = (&found.trials, found.trials.len());
    let trials = [("trial", n)];
    let unit = "value of a pixel, 0 black to 1 white";
    let stimuli = own.iter().map(|it| Some(it.stimulus.as_slice()));
    out.maps("stimuli", &trials, found.images, unit, stimuli)?;
    let noise = own.iter().map(|it| Some(it.noise.as_slice()));
    out.maps("noise", &trials, found.grid, unit, noise)?;
    let number = |class: Option<usize>| class.map_or(-1, |class| whole(class as u64));
    out.array("block", &trials, "", own.iter().map(|it| whole(it.block)))?;
    let places = own.iter().map(|it| whole(it.place as u64));
    out.array("trial", &trials, "", places)?;
    let truths = own.iter().map(|it| number(it.truth));
    out.array("truth", &trials, "", truths)?;
    let images = own.iter().map(|it| number(it.image));
    out.array("image", &trials, "", images)?;
    let called = own.iter().map(|it| whole(it.called as u64));
    out.array("called", &trials, "", called)?;
    let confidences = own.iter().map(|it| it.confidence);
    out.array("confidence", &trials, "probability", confidences)?;
    let axes = [trials[0], ("class", found.classes)];
    let outputs = own.iter().flat_map(|it| &it.outputs);
    let outputs = outputs.map(|&logit| f64::from(logit));
    out.array("outputs", &axes, "logits", outputs)
}

/// The bytes of a sheet.
fn png(found: &Found) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Cursor::new(Vec::new());
    sheet(found)
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| ExportError::Encode(std::io::Error::other(error)))?;
    Ok(bytes.into_inner())
}

/// The stimuli beside and below each other, each magnified a whole number of times, without smoothing. Values past
/// black and white, which noise may have, are those; of other than three channels the mean is shown.
fn sheet(found: &Found) -> RgbImage {
    let [_, height, width] = found.images;
    let times = (SIDE / height.max(width).max(1)).max(1);
    let count = found.trials.len().max(1);
    let columns = (1..).find(|n| n * n >= count).unwrap_or(1);
    let (down, across) = (height * times + GAP, width * times + GAP);
    let size = [columns * across, count.div_ceil(columns) * down].map(|side| (side + GAP) as u32);
    let mut sheet = RgbImage::from_pixel(size[0], size[1], BETWEEN);
    for (at, trial) in found.trials.iter().enumerate() {
        let (top, left) = (GAP + at / columns * down, GAP + at % columns * across);
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

/// The colour of a pixel of a stimulus whose channels have so many numbers each.
fn colour(stimulus: &[f32], area: usize, pixel: usize) -> Rgb<u8> {
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let channels = stimulus.len() / area.max(1);
    let own = |channel: usize| stimulus[channel * area + pixel];
    match channels {
        3 => Rgb([0, 1, 2].map(|channel| byte(own(channel)))),
        _ => {
            let sum: f32 = (0..channels).map(own).sum();
            Rgb([byte(sum / channels.max(1) as f32); 3])
        }
    }
}
