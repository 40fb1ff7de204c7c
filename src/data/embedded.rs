//! The built-in subsets: the first images of MNIST and Fashion-MNIST, so that noisescope works offline.
//!
//! The gzipped IDX files are in `embedded/<set>/`, together with the set's licence.

use std::ops::ControlFlow;
use std::path::Path;

use crate::session::config::{self, DatasetName, DatasetSource};

use super::readers::raw::{RawPart, RawSet};
use super::{DataError, Dataset, DatasetRequest, idx};

/// Number of built-in training images of each set.
pub const TRAIN_COUNT: usize = 10_000;
/// Number of built-in test images of each set.
pub const TEST_COUNT: usize = 2_000;

struct Files {
    train_images: &'static [u8],
    train_labels: &'static [u8],
    test_images: &'static [u8],
    test_labels: &'static [u8],
}

macro_rules! files {
    ($folder:literal) => {
        Files {
            train_images: include_bytes!(concat!(
                "embedded/",
                $folder,
                "/train-images-idx3-ubyte.gz"
            )),
            train_labels: include_bytes!(concat!(
                "embedded/",
                $folder,
                "/train-labels-idx1-ubyte.gz"
            )),
            test_images: include_bytes!(concat!(
                "embedded/",
                $folder,
                "/t10k-images-idx3-ubyte.gz"
            )),
            test_labels: include_bytes!(concat!(
                "embedded/",
                $folder,
                "/t10k-labels-idx1-ubyte.gz"
            )),
        }
    };
}

static MNIST: Files = files!("mnist");
static FASHION_MNIST: Files = files!("fashion-mnist");

/// Training and test images of a set's built-in subset.
pub(super) fn read(name: &DatasetName) -> Result<RawSet, DataError> {
    let files = match name {
        DatasetName::Mnist => &MNIST,
        DatasetName::FashionMnist => &FASHION_MNIST,
        other => {
            return Err(DataError::NotEmbedded {
                name: other.label().to_owned(),
            });
        }
    };
    Ok(RawSet {
        train: half(files.train_images, files.train_labels)?,
        test: Some(half(files.test_images, files.test_labels)?),
        ..RawSet::default()
    })
}

fn half(images: &[u8], labels: &[u8]) -> Result<RawPart, DataError> {
    let (image_path, label_path) = (
        Path::new("the built-in images"),
        Path::new("the built-in labels"),
    );
    let images = idx::parse_images(images, image_path)?;
    let labels = idx::parse_labels(labels, label_path)?;
    RawPart::with_labels(
        (
            images.pixels,
            [1, images.height, images.width],
            image_path.to_owned(),
        ),
        (
            labels.into_iter().map(u16::from).collect(),
            label_path.to_owned(),
        ),
    )
}

/// Loads a set's built-in subset.
///
/// # Errors
/// [`DataError::NotEmbedded`] if the set has none.
pub fn dataset(name: DatasetName) -> Result<Dataset, DataError> {
    let plan = config::Dataset {
        name,
        source: DatasetSource::Embedded,
        ..config::Dataset::default()
    };
    let request = DatasetRequest {
        config: &plan,
        seed: 0,
        data: Path::new(""),
        cache: None,
    };
    super::load(&request, &mut |_, _| ControlFlow::Continue(()))
}
