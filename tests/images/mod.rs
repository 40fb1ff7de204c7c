//! Small sets of images in every way of storing them, made by the tests that read them.
#![allow(dead_code)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use noisescope::data::{DataError, Dataset, DatasetRequest, idx, load};
use noisescope::session::config::{self, DatasetName, DatasetSource};

/// Loads what lies at a path as a set of one's own.
pub fn load_own(path: &Path) -> Result<Dataset, DataError> {
    load_plan(&plan(path))
}

/// What a plan says of a set of one's own at a path.
pub fn plan(path: &Path) -> config::Dataset {
    config::Dataset {
        name: DatasetName::Own("mine".to_owned()),
        source: DatasetSource::Folder(path.to_owned()),
        transpose: false,
    }
}

/// Loads a plan that needs no folder of full sets.
pub fn load_plan(plan: &config::Dataset) -> Result<Dataset, DataError> {
    let request = DatasetRequest {
        config: plan,
        seed: 1,
        data: Path::new("unused"),
        cache: None,
    };
    load(&request, &mut |_, _| std::ops::ControlFlow::Continue(()))
}

/// What is said when a set cannot be loaded.
pub fn complaint(path: &Path) -> String {
    load_own(path).unwrap_err().to_string()
}

/// Whether a set's notes say something.
pub fn says(set: &Dataset, words: &str) -> bool {
    set.notes.iter().any(|note| note.contains(words))
}

/// A file with its folders.
pub fn put(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Gzipped content.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of images of 2×3, `count` of them, each of one level.
pub fn idx_images(count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels: Vec<u8> = (0..count * 6).map(|at| (at / 6) as u8).collect();
    idx::write_images(&mut bytes, &pixels, 2, 3).unwrap();
    bytes
}

/// An IDX file of labels.
pub fn idx_labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    idx::write_labels(&mut bytes, labels).unwrap();
    bytes
}

/// Labels 0, 1, … `classes` − 1, again and again.
pub fn cycle(count: usize, classes: usize) -> Vec<u8> {
    (0..count).map(|index| (index % classes) as u8).collect()
}

/// The four files of a set of three classes under the names that `name` makes of the standard ones.
pub fn put_idx(folder: &Path, name: impl Fn(&str) -> String) {
    for (half, count) in [("train", 12), ("t10k", 6)] {
        put(
            &folder.join(name(&format!("{half}-images-idx3-ubyte"))),
            &idx_images(count),
        );
        put(
            &folder.join(name(&format!("{half}-labels-idx1-ubyte"))),
            &idx_labels(&cycle(count, 3)),
        );
    }
}

/// A grey PNG of one level.
pub fn put_png(path: &Path, height: u32, width: u32, level: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::GrayImage::from_pixel(width, height, image::Luma([level]))
        .save(path)
        .unwrap();
}

/// A colour PNG or JPEG of one colour.
pub fn put_colour(path: &Path, height: u32, width: u32, colour: [u8; 3]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(width, height, image::Rgb(colour))
        .save(path)
        .unwrap();
}

/// An array in NPY format.
pub fn npy(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let shape: Vec<String> = shape.iter().map(|length| format!("{length}, ")).collect();
    let header = format!(
        "{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}\n",
        shape.concat()
    );
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// Numbers as bytes, lowest first.
pub fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// Whole numbers as bytes, lowest first.
pub fn longs(values: impl IntoIterator<Item = i64>) -> Vec<u8> {
    values.into_iter().flat_map(i64::to_le_bytes).collect()
}

/// An archive of arrays.
pub fn put_npz(path: &Path, arrays: &[(&str, Vec<u8>)]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, bytes) in arrays {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(format!("{name}.npy"), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}
