//! The maps as an NPZ, which `numpy.load` opens: counts as int64, all else as float64.
//!
//! NaN stands where a class had too few trials, or none. G signal strengths, K classes, images of
//! H×W pixels.

use std::io::{Cursor, Seek, Write};
use std::sync::Arc;

use npyz::WriterBuilder as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::ExportError;
use super::json::measured;
use crate::session::Session;
use crate::session::record::ClassificationImages;
use crate::stats::classification::{ClassEstimate, Estimate};

/// Writes `ci_gamma` \[G\], `ci_counts` \[G,K true,K predicted\], and `ci_mean_noise`, `ci_image`,
/// `ci_z` and `ci_mean_stimulus` \[G,K,H,W\].
///
/// # Errors
/// Where nothing has been measured yet, or `out` cannot be written.
pub fn npz(session: &Session, out: impl Write + Seek) -> Result<(), ExportError> {
    let images = measured(session).ok_or_else(|| ExportError::Nothing {
        name: session.name.clone(),
    })?;
    let mut zip = ZipWriter::new(out);
    classification_images(images, &mut zip).map_err(ExportError::Encode)?;
    zip.finish()
        .map_err(|error| ExportError::Encode(error.into()))?;
    Ok(())
}

fn classification_images<W: Write + Seek>(
    it: &ClassificationImages,
    zip: &mut ZipWriter<W>,
) -> std::io::Result<()> {
    let Some(first) = it.gammas.first() else {
        return Ok(());
    };
    let (g, k, (h, w)) = (it.gammas.len(), first.classes(), first.size());
    let estimates: Vec<Arc<Estimate>> = it.gammas.iter().map(|gamma| gamma.estimate()).collect();

    let gammas = it.gammas.iter().map(|gamma| gamma.gamma);
    array(zip, "ci_gamma", &[g], gammas)?;
    let counts = estimates.iter().flat_map(|it| &it.counts);
    let counts = counts.map(|&count| i64::try_from(count).unwrap_or(i64::MAX));
    array(zip, "ci_counts", &[g, k, k], counts)?;
    type Map = fn(&ClassEstimate) -> Option<&Vec<f32>>;
    let maps: [(&str, Map); 4] = [
        ("ci_mean_noise", |class| class.mean_noise.as_ref()),
        ("ci_image", |class| class.image.as_ref()),
        ("ci_z", |class| class.z.as_ref()),
        ("ci_mean_stimulus", |class| class.mean_stimulus.as_ref()),
    ];
    for (name, map) in maps {
        let mut values = Vec::with_capacity(g * k * h * w);
        for class in estimates.iter().flat_map(|it| &it.classes) {
            match map(class) {
                Some(map) => values.extend(map.iter().copied().map(f64::from)),
                None => values.extend(std::iter::repeat_n(f64::NAN, h * w)),
            }
        }
        array(zip, name, &[g, k, h, w], values)?;
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
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file(format!("{name}.npy"), options)?;
    zip.write_all(&npy)
}
