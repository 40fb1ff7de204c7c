//! The maps as an NPZ, which `numpy.load` opens: counts as int64, names as text, all else as float64.
//!
//! NaN stands where a class had too few trials, or none, or where the plan asks for no maps of it, and
//! where a unit never fired. G signal strengths, K classes, images of H×W pixels. Maps of C channels
//! have an axis C in front of H and W; those of one channel have none. Maps are on the noise's grid,
//! so H, W and C are those of its cells where it is coarse or grey.

use std::io::{Cursor, Seek, Write};
use std::sync::Arc;

use npyz::WriterBuilder as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::ExportError;
use super::what::What;
use crate::comparison::Compared;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, LayerResponses, Predictions, SpikeTriggered};
use crate::stats::classification::{ClassEstimate, Estimate, ImageEstimate};
use crate::stats::comparison::Difference;

/// Writes, of what has been measured:
///
/// - `classes` \[K\], their names;
/// - `ci_gamma` \[G\], `ci_counts` \[G,K true,K predicted\], and `ci_mean_noise`, `ci_image`, `ci_z`
///   and `ci_mean_stimulus` \[G,K,H,W\]; of evidence `ev_image`, `ev_z` and `ev_se`, its standard
///   error, \[G,K,H,W\], in units of the response per full range of a pixel; under noise that smooths and has
///   coefficients `ci_regression` and `ev_regression`, the images without its smoothing; of the second classification images of a plan `ci2_gamma`,
///   `ev2_image` and so on;
/// - `sta_LAYER` \[units,h,w\], spike-triggered averages on noise, and `image_sta_LAYER`, on images;
///   of the second spike-triggered averages of a plan `sta2_LAYER` and so on;
/// - `mean_image` \[K,H,W\] by predicted class and `confusion` \[K true,K predicted\], of the first
///   split.
///
/// # Errors
/// Where nothing has been measured yet, or `out` cannot be written.
pub fn npz(session: &Session, out: impl Write + Seek) -> Result<(), ExportError> {
    let record = &session.record;
    let images: Vec<_> = record
        .all::<ClassificationImages>()
        .map(|(_, it)| it)
        .collect();
    let layers = record
        .all::<SpikeTriggered>()
        .enumerate()
        .flat_map(|(place, (_, it))| it.layers.iter().map(move |layer| (place, layer)));
    let layers: Vec<_> = layers.filter(|(_, it)| it.noise.fields != [0; 2]).collect();
    let predictions = record.first::<Predictions>();
    let predictions = predictions.filter(|it| it.progress.done > 0);
    let measured = images.iter().any(|it| it.trials() > 0);
    if !measured && layers.is_empty() && predictions.is_none() {
        return Err(ExportError::Nothing {
            name: session.name.clone(),
        });
    }
    let mut zip = ZipWriter::new(out);
    let mut write = || -> std::io::Result<()> {
        if let Some(form) = &record.form {
            text(&mut zip, "classes", &form.classes)?;
        }
        for (place, it) in images.iter().enumerate().filter(|(_, it)| it.trials() > 0) {
            classification_images(&numbered("ci", place), it, &mut zip)?;
        }
        for (place, layer) in &layers {
            spike_triggered(&numbered("sta", *place), layer, &mut zip)?;
        }
        predictions.map_or(Ok(()), |it| confusion(it, &mut zip))
    };
    write().map_err(ExportError::Encode)?;
    zip.finish()
        .map_err(|error| ExportError::Encode(error.into()))?;
    Ok(())
}

/// `ci`, `ci2`, …
fn numbered(name: &str, place: usize) -> String {
    match place {
        0 => name.to_owned(),
        _ => format!("{name}{}", place + 1),
    }
}

fn spike_triggered<W: Write + Seek>(
    prefix: &str,
    layer: &LayerResponses,
    zip: &mut ZipWriter<W>,
) -> std::io::Result<()> {
    let estimate = layer.estimate();
    let (units, field, name) = ([layer.units], layer.field(), &layer.name);
    let on_noise = estimate.sta.iter().map(Option::as_ref);
    maps(zip, &format!("{prefix}_{name}"), &units, field, on_noise)?;
    let on_images = estimate.image_sta.iter().map(Option::as_ref);
    maps(
        zip,
        &format!("image_{prefix}_{name}"),
        &units,
        field,
        on_images,
    )
}

fn confusion<W: Write + Seek>(it: &Predictions, zip: &mut ZipWriter<W>) -> std::io::Result<()> {
    let Some(split) = it.splits.first() else {
        return Ok(());
    };
    let k = split.classes();
    let means: Vec<_> = (0..k).map(|class| split.mean_image(class)).collect();
    let means = means.iter().map(Option::as_ref);
    maps(zip, "mean_image", &[k], split.shape(), means)?;
    let counts = split.counts.iter();
    let counts = counts.map(|&count| i64::try_from(count).unwrap_or(i64::MAX));
    array(zip, "confusion", &[k, k], counts)
}

/// Maps of a shape along the axes `before`; NaN where there is none. An axis of one channel is left
/// out.
fn maps<'a, W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    name: &str,
    before: &[usize],
    own: Shape,
    maps: impl Iterator<Item = Option<&'a Vec<f32>>>,
) -> std::io::Result<()> {
    let pixels: usize = own.iter().product();
    let own = if own[0] == 1 { &own[1..] } else { &own[..] };
    let shape = [before, own].concat();
    let mut values = Vec::with_capacity(shape.iter().product());
    for map in maps {
        match map {
            Some(map) => values.extend(map.iter().copied().map(f64::from)),
            None => values.extend(std::iter::repeat_n(f64::NAN, pixels)),
        }
    }
    array(zip, name, &shape, values)
}

fn classification_images<W: Write + Seek>(
    prefix: &str,
    it: &ClassificationImages,
    zip: &mut ZipWriter<W>,
) -> std::io::Result<()> {
    let Some(first) = it.gammas.first() else {
        return Ok(());
    };
    let (g, k) = (it.gammas.len(), first.classes());
    let estimates: Vec<Arc<Estimate>> = it.gammas.iter().map(|gamma| gamma.estimate()).collect();

    let gammas = it.gammas.iter().map(|gamma| gamma.gamma);
    array(zip, &format!("{prefix}_gamma"), &[g], gammas)?;
    let counts = estimates.iter().flat_map(|it| &it.counts);
    let counts = counts.map(|&count| i64::try_from(count).unwrap_or(i64::MAX));
    array(zip, &format!("{prefix}_counts"), &[g, k, k], counts)?;
    type Map = fn(&ClassEstimate) -> Option<&Vec<f32>>;
    let smoothed = first.kind.has_coefficients();
    let mut kinds: Vec<(&str, Map)> = vec![
        ("mean_noise", |class| class.mean_noise.as_ref()),
        ("image", |class| Some(&class.decision.as_ref()?.image)),
        ("z", |class| Some(&class.decision.as_ref()?.z)),
        ("mean_stimulus", |class| class.mean_stimulus.as_ref()),
    ];
    if smoothed {
        kinds.push(("regression", |class| regression(class.decision.as_ref())));
    }
    for (name, map) in kinds {
        let classes = estimates.iter().flat_map(|it| &it.classes).map(map);
        let name = format!("{prefix}_{name}");
        maps(zip, &name, &[g, k], first.shape(), classes)?;
    }
    if !it.has_evidence() {
        return Ok(());
    }
    let prefix = prefix.replacen("ci", "ev", 1);
    let mut kinds: Vec<(&str, Map)> = vec![
        ("image", |class| Some(&class.evidence.as_ref()?.image)),
        ("z", |class| Some(&class.evidence.as_ref()?.z)),
    ];
    if smoothed {
        kinds.push(("regression", |class| regression(class.evidence.as_ref())));
    }
    for (name, map) in kinds {
        let classes = estimates.iter().flat_map(|it| &it.classes).map(map);
        let name = format!("{prefix}_{name}");
        maps(zip, &name, &[g, k], first.shape(), classes)?;
    }
    let classes = estimates.iter().flat_map(|it| &it.classes);
    let errors = classes.map(|class| Some(class.evidence.as_ref()?.errors()));
    let errors: Vec<Option<Vec<f32>>> = errors.collect();
    let errors = errors.iter().map(Option::as_ref);
    maps(zip, &format!("{prefix}_se"), &[g, k], first.shape(), errors)
}

/// A map without the noise's smoothing.
fn regression(map: Option<&ImageEstimate>) -> Option<&Vec<f32>> {
    Some(&map?.regression.as_ref()?.image)
}

/// Writes two sessions compared: `classes` \[K\], `gamma` \[G\], `a_counts` and `b_counts` \[G,K true,K
/// predicted\]; by decisions `ci_a`, `ci_b`, `ci_difference`, `ci_se` and `ci_z` \[G,K,H,W\] and
/// `ci_correlation` \[G,K\]; the same of evidence, `ev_a` and so on; and, where both networks were shown
/// the same trials, `agreement` \[K called by a,K called by b\]. NaN where not both have a map.
///
/// # Errors
/// Where `out` cannot be written.
pub fn comparison(what: &What<'_>, out: impl Write + Seek) -> Result<(), ExportError> {
    let mut zip = ZipWriter::new(out);
    compared(what, &mut zip).map_err(ExportError::Encode)?;
    zip.finish()
        .map_err(|error| ExportError::Encode(error.into()))?;
    Ok(())
}

fn compared<W: Write + Seek>(what: &What<'_>, zip: &mut ZipWriter<W>) -> std::io::Result<()> {
    let own: Vec<_> = what.places.iter().map(|&at| what.pair.gammas[at]).collect();
    let Some(first) = own.first() else {
        return Ok(());
    };
    let (g, k, shape) = (
        own.len(),
        first.trials[0].classes(),
        first.trials[0].shape(),
    );
    let names: Vec<String> = (0..k).map(|class| what.pair.name(class)).collect();
    text(zip, "classes", &names)?;
    array(zip, "gamma", &[g], own.iter().map(|it| it.gamma))?;
    for (at, name) in ["a_counts", "b_counts"].into_iter().enumerate() {
        let estimates: Vec<_> = own.iter().map(|it| it.trials[at].estimate()).collect();
        let counts = estimates.iter().flat_map(|it| &it.counts);
        let counts = counts.map(|&count| i64::try_from(count).unwrap_or(i64::MAX));
        array(zip, name, &[g, k, k], counts)?;
    }
    for &response in &what.responses {
        let prefix = match response {
            Response::Decision => "ci",
            Response::Evidence => "ev",
        };
        let all: Vec<Compared> = what
            .places
            .iter()
            .map(|&place| Compared::new(what.pair, place, response))
            .collect();
        let classes = || {
            all.iter()
                .flat_map(|it| (0..k).map(move |class| (it, class)))
        };
        for (at, name) in ["a", "b"].into_iter().enumerate() {
            let images = classes().map(|(it, class)| Some(&it.map(at, class)?.image));
            maps(zip, &format!("{prefix}_{name}"), &[g, k], shape, images)?;
        }
        let own = |(it, class): (&'_ Compared, usize)| it.classes[class].clone();
        let differences: Vec<Option<Difference>> = classes().map(own).collect();
        let of = |map: fn(&Difference) -> &Vec<f32>| {
            differences.iter().map(move |own| own.as_ref().map(map))
        };
        let name = |what: &str| format!("{prefix}_{what}");
        maps(
            zip,
            &name("difference"),
            &[g, k],
            shape,
            of(|own| &own.difference),
        )?;
        maps(zip, &name("z"), &[g, k], shape, of(|own| &own.z))?;
        let errors = differences
            .iter()
            .map(|own| own.as_ref().map(Difference::errors));
        let errors: Vec<Option<Vec<f32>>> = errors.collect();
        let errors = errors.iter().map(Option::as_ref);
        maps(zip, &name("se"), &[g, k], shape, errors)?;
        let r = |own: &Option<Difference>| {
            let r = own.as_ref().and_then(|own| own.correlation);
            r.unwrap_or(f64::NAN)
        };
        array(
            zip,
            &name("correlation"),
            &[g, k],
            differences.iter().map(r),
        )?;
    }
    if let Some(Ok(shown)) = what.alike {
        let counts = shown.joint.counts.iter();
        let counts = counts.map(|&count| i64::try_from(count).unwrap_or(i64::MAX));
        array(zip, "agreement", &[k, k], counts)?;
    }
    Ok(())
}

/// One array of the container, row-major.
fn array<W: Write + Seek, T: npyz::AutoSerialize>(
    zip: &mut ZipWriter<W>,
    name: &str,
    shape: &[usize],
    values: impl IntoIterator<Item = T>,
) -> std::io::Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&length| length as u64).collect();
    let mut npy = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(Cursor::new(&mut npy))
        .begin_nd()?;
    writer.extend(values)?;
    writer.finish()?;
    entry(zip, name, &npy)
}

/// An array of texts, as long as the longest of them.
fn text<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    name: &str,
    texts: &[String],
) -> std::io::Result<()> {
    let longest = texts.iter().map(|text| text.chars().count()).max();
    let dtype: npyz::TypeStr = format!("<U{}", longest.unwrap_or(0).max(1))
        .parse()
        .map_err(std::io::Error::other)?;
    let mut npy = Vec::new();
    let mut writer = npyz::WriteOptions::new()
        .dtype(npyz::DType::Plain(dtype))
        .shape(&[texts.len() as u64])
        .writer(Cursor::new(&mut npy))
        .begin_nd()?;
    for text in texts {
        writer.push(text.as_str())?;
    }
    writer.finish()?;
    entry(zip, name, &npy)
}

fn entry<W: Write + Seek>(zip: &mut ZipWriter<W>, name: &str, npy: &[u8]) -> std::io::Result<()> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file(format!("{name}.npy"), options)?;
    zip.write_all(npy)
}
