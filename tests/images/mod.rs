//! Makes small sets of images in every supported file format, for the tests that read them.
#![allow(dead_code)]

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flate2::{Compression, write::GzEncoder};
use noisescope::data::{DataError, Dataset, DatasetRequest, idx, load};
use noisescope::session::config::{self, DatasetName, DatasetSource};

/// Loads the user's own images at a path.
pub fn load_own(path: &Path) -> Result<Dataset, DataError> {
    load_plan(&plan(path))
}

/// The plan of the user's own images at a path.
pub fn plan(path: &Path) -> config::Dataset {
    config::Dataset {
        name: DatasetName::Own("mine".to_owned()),
        source: DatasetSource::Folder(path.to_owned()),
        transpose: false,
    }
}

/// Loads the set of a plan that needs no folder of full sets.
pub fn load_plan(plan: &config::Dataset) -> Result<Dataset, DataError> {
    let request = DatasetRequest {
        config: plan,
        seed: 1,
        data: Path::new("unused"),
        cache: None,
    };
    load(&request, &mut |_, _| std::ops::ControlFlow::Continue(()))
}

/// The error message if a set cannot be loaded.
pub fn complaint(path: &Path) -> String {
    load_own(path).unwrap_err().to_string()
}

/// Whether one of a set's notes contains this text.
pub fn has_note(set: &Dataset, text: &str) -> bool {
    set.notes.iter().any(|note| note.contains(text))
}

/// Writes a file, and creates its folders.
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

/// An IDX file of `count` images of 2×3; image i is uniform, with grey level i.
pub fn idx_images(count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels: Vec<u8> = (0..count * 6).map(|index| (index / 6) as u8).collect();
    idx::write_images(&mut bytes, &pixels, 2, 3).unwrap();
    bytes
}

/// An IDX file of labels.
pub fn idx_labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    idx::write_labels(&mut bytes, labels).unwrap();
    bytes
}

/// Labels that repeat 0, 1, … `classes` − 1.
pub fn cycle(count: usize, classes: usize) -> Vec<u8> {
    (0..count).map(|index| (index % classes) as u8).collect()
}

/// Writes the four files of a set of three classes, each named as `name` maps the standard name.
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

/// Writes a uniform grey PNG.
pub fn put_png(path: &Path, height: u32, width: u32, level: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::GrayImage::from_pixel(width, height, image::Luma([level]))
        .save(path)
        .unwrap();
}

/// Writes a PNG or JPEG of one colour.
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

/// Numbers as little-endian bytes.
pub fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

/// Integers as little-endian bytes.
pub fn longs(values: impl IntoIterator<Item = i64>) -> Vec<u8> {
    values.into_iter().flat_map(i64::to_le_bytes).collect()
}

/// Writes an archive of arrays.
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
