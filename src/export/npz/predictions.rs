//! The network's predictions: mean images and confusion matrix.

use std::io::{self, Seek, Write};

use super::container::{Container, to_i64};
use super::numbered;
use crate::ids::ClassId;
use crate::session::record::Predictions;

/// Writes the mean images and the confusion matrix of the first split. The unit of the matrix names the split.
///
/// # Errors
/// If they cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    predictions: &Predictions,
    out: &mut Container<W>,
) -> io::Result<()> {
    let Some(split) = predictions.splits.first() else {
        return Ok(());
    };
    let k = split.classes();
    let means: Vec<_> = ClassId::all(k)
        .map(|class| split.mean_image(class))
        .collect();
    let means = means.iter().map(Option::as_deref);
    let unit = "value of a pixel, 0 black to 1 white";
    let name = numbered("mean_image", nth);
    out.maps(&name, &[("called", k)], split.shape(), unit, means)?;
    let counts = split.counts.iter().map(|&count| to_i64(count));
    let axes = [("true class", k), ("called", k)];
    let unit = format!("images of the {} set", split.split.label());
    out.array(&numbered("confusion", nth), &axes, &unit, counts)
}
