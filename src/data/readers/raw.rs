//! The output of a reader: images and labels as stored, before classes and the test split are determined.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::super::DataError;
use super::super::file::{FileError, most_bytes};
use crate::session::form::Shape;

/// Labelled images of one part of a set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::data) struct RawPart {
    /// Levels 0..=255, `[n, C, H, W]`.
    #[serde(skip)]
    pub pixels: Vec<u8>,
    /// Labels as stored, `[n]`.
    pub labels: Vec<u16>,
    /// `[C, H, W]`.
    pub shape: Shape,
    /// The file or folder of the labels, for messages.
    pub place: PathBuf,
}

impl RawPart {
    /// Combines images with their labels.
    ///
    /// # Errors
    /// [`DataError::CountsDiffer`].
    pub(in crate::data) fn with_labels(
        (pixels, shape, images): (Vec<u8>, Shape, PathBuf),
        (labels, place): (Vec<u16>, PathBuf),
    ) -> Result<Self, DataError> {
        let image_count = pixels.len() / shape.iter().product::<usize>().max(1);
        if image_count != labels.len() {
            return Err(DataError::CountsDiffer {
                images,
                image_count,
                labels: place,
                label_count: labels.len(),
            });
        }
        Ok(Self {
            pixels,
            labels,
            shape,
            place,
        })
    }

    /// Levels per image.
    pub(in crate::data) fn area(&self) -> usize {
        self.shape.iter().product()
    }

    /// The images at `indices`, in that order.
    pub(in crate::data) fn select(&self, indices: &[usize]) -> Self {
        let area = self.area();
        let mut pixels = Vec::with_capacity(indices.len() * area);
        for &index in indices {
            pixels.extend_from_slice(&self.pixels[index * area..(index + 1) * area]);
        }
        Self {
            pixels,
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
            shape: self.shape,
            place: self.place.clone(),
        }
    }
}

/// Names of classes, in the order of their labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::data) struct ClassNameList {
    /// The names.
    pub names: Vec<String>,
    /// Their file or folder, for messages.
    pub place: PathBuf,
}

/// A set as read by a reader.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::data) struct RawSet {
    /// Training images, or all images if the set is not divided.
    pub train: RawPart,
    /// Test images, if the set has some.
    pub test: Option<RawPart>,
    /// Names of the classes, if the set gives them.
    pub names: Option<ClassNameList>,
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// Remarks on what may be wrong; only of formats that are not cached.
    #[serde(skip)]
    pub warnings: Vec<String>,
    /// Whether sets of this name are known to be transposed.
    pub perhaps_transposed: bool,
}

/// Number of levels in `count` images of `shape`, after checking that they fit in memory.
///
/// # Errors
/// [`FileError::TooLarge`] for the path `place`.
pub(super) fn checked_size(
    place: &std::path::Path,
    count: usize,
    shape: Shape,
) -> Result<usize, FileError> {
    let total = shape.iter().try_fold(count as u64, |product, &size| {
        product.checked_mul(size as u64)
    });
    let limit = most_bytes();
    match total {
        Some(total) if total <= limit => Ok(total as usize),
        _ => Err(FileError::TooLarge {
            path: place.to_owned(),
            limit,
            what: format!("{count} images of {}", describe_shape(shape)),
        }),
    }
}

/// A description of an image's size and channels: `28×28 grey`.
pub(in crate::data) fn describe_shape([channels, height, width]: Shape) -> String {
    let size = format!("{height}×{width}");
    match channels {
        1 => format!("{size} grey"),
        3 => format!("{size} in colour"),
        channels => format!("{size} of {channels} channels"),
    }
}

/// Converts interleaved pixels `[n, H, W, C]` to planar ones `[n, C, H, W]`.
pub(super) fn to_planar(pixels: &[u8], channels: usize, plane: usize) -> Vec<u8> {
    let mut planes = vec![0; pixels.len()];
    let one = channels * plane;
    for (from, to) in pixels.chunks_exact(one).zip(planes.chunks_exact_mut(one)) {
        for (place, pixel) in from.chunks_exact(channels).enumerate() {
            for (channel, &level) in pixel.iter().enumerate() {
                to[channel * plane + place] = level;
            }
        }
    }
    planes
}
