//! The network's predictions: mean images and confusion matrix.

use std::io::{self, Seek, Write};

use super::container::{Container, to_i64};
use crate::ids::ClassId;
use crate::session::record::Predictions;

/// Writes the mean images and the confusion matrix of the first split.
///
/// # Errors
/// If they cannot be written.
pub fn write<W: Write + Seek>(predictions: &Predictions, out: &mut Container<W>) -> io::Result<()> {
    let Some(split) = predictions.splits.first() else {
        return Ok(());
    };
    let k = split.classes();
    let means: Vec<_> = ClassId::all(k)
        .map(|class| split.mean_image(class))
        .collect();
    let means = means.iter().map(Option::as_deref);
    let unit = "value of a pixel, 0 black to 1 white";
    out.maps("mean_image", &[("called", k)], split.shape(), unit, means)?;
    let counts = split.counts.iter().map(|&count| to_i64(count));
    let axes = [("true class", k), ("called", k)];
    out.array("confusion", &axes, "images", counts)
}
