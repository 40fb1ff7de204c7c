//! Tests of the IDX format.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;

fn here() -> &'static Path {
    Path::new("some/train-images-idx3-ubyte")
}

fn images(pixels: &[u8], height: usize, width: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_images(&mut bytes, pixels, height, width).unwrap();
    bytes
}

fn labels(labels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_labels(&mut bytes, labels).unwrap();
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn header(magic: u32, dimensions: &[u32]) -> Vec<u8> {
    let mut bytes = magic.to_be_bytes().to_vec();
    for dimension in dimensions {
        bytes.extend(dimension.to_be_bytes());
    }
    bytes
}

fn complaint<T: std::fmt::Debug>(result: Result<T, IdxError>) -> String {
    result.unwrap_err().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn written_images_read_back(count in 1usize..5, height in 1usize..6, width in 1usize..6, packed: bool, seed: u8) {
        let pixels: Vec<u8> = (0..count * height * width).map(|at| (at as u8).wrapping_mul(37) ^ seed).collect();
        let plain = images(&pixels, height, width);
        let bytes = if packed { gzip(&plain) } else { plain };
        let read = parse_images(&bytes, here()).unwrap();
        prop_assert_eq!(read, IdxImages { pixels, count, height, width });
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), start in 0usize..4) {
        let starts: [&[u8]; 4] = [&[], &[0, 0, 8, 3], &[0, 0, 8, 1], &[0x1f, 0x8b, 8, 0]];
        let mut file = starts[start].to_vec();
        file.extend(bytes);
        let _ = parse_images(&file, here());
        let _ = parse_labels(&file, here());
    }
}

#[test]
fn written_labels_read_back() {
    assert_eq!(
        parse_labels(&labels(&[0, 9, 3]), here()).unwrap(),
        [0, 9, 3]
    );
}

#[test]
fn a_truncated_file_says_what_was_expected_and_found() {
    let bytes = images(&[7; 12], 2, 2);
    let message = complaint(parse_images(&bytes[..20], here()));
    assert_eq!(
        message,
        "some/train-images-idx3-ubyte is cut short: its header declares 12 bytes of data, but it has 4"
    );
}

#[test]
fn a_truncated_gzip_is_damaged() {
    let bytes = gzip(&images(&[7; 1200], 2, 2));
    let error = parse_images(&bytes[..bytes.len() - 6], here()).unwrap_err();
    assert!(
        matches!(error, IdxError::File(FileError::Gzip { .. })),
        "{error}"
    );
}

#[test]
fn trailing_bytes_are_refused_plain_and_gzipped() {
    let mut bytes = images(&[7; 12], 2, 2);
    bytes.push(0);
    for bytes in [gzip(&bytes), bytes] {
        let error = parse_images(&bytes, here()).unwrap_err();
        assert!(
            matches!(error, IdxError::Trailing { expected: 12, .. }),
            "{error}"
        );
    }
}

#[test]
fn a_label_file_is_not_an_image_file() {
    let message = complaint(parse_images(&labels(&[1; 20]), here()));
    assert_eq!(
        message,
        "some/train-images-idx3-ubyte is not an IDX image file: it holds unsigned bytes, 1 dimension (a label file), \
         but unsigned bytes, 3 dimensions are expected; were two files swapped?"
    );
}

#[test]
fn a_short_label_file_is_still_reported_as_a_label_file() {
    let error = parse_images(&labels(&[1]), here()).unwrap_err();
    assert!(matches!(error, IdxError::Magic { .. }), "{error}");
}

#[test]
fn a_file_that_ends_in_its_header_is_refused() {
    for length in 1..16 {
        let error = parse_images(&images(&[7; 4], 2, 2)[..length], here()).unwrap_err();
        assert!(
            matches!(error, IdxError::Header { expected: 16, found, .. } if found == length),
            "{error}"
        );
    }
}

#[test]
fn dimensions_that_overflow_are_refused() {
    let bytes = header(IMAGE_MAGIC, &[u32::MAX, u32::MAX, u32::MAX]);
    let error = parse_images(&bytes, here()).unwrap_err();
    assert!(
        matches!(error, IdxError::ImpossibleHeader { .. }),
        "{error}"
    );
}

#[test]
fn a_lying_header_allocates_nothing() {
    let bytes = header(IMAGE_MAGIC, &[u32::MAX, 30_000, 30_000]);
    let error = parse_images(&bytes, here()).unwrap_err();
    assert!(
        matches!(error, IdxError::Truncated { found: 0, .. }),
        "{error}"
    );
    let error = parse_images(&gzip(&bytes), here()).unwrap_err();
    assert!(
        matches!(error, IdxError::ImpossibleHeader { .. }),
        "{error}"
    );
}

#[test]
fn a_file_of_no_images_is_empty() {
    let error = parse_images(&header(IMAGE_MAGIC, &[0, 28, 28]), here()).unwrap_err();
    assert!(matches!(error, IdxError::Empty { .. }), "{error}");
}

#[test]
fn other_types_and_dimensions_are_named_in_the_error() {
    let message = complaint(parse_images(&header(0x0d03, &[2, 2, 2]), here()));
    assert!(
        message.contains(
            "it holds float32, 3 dimensions, but unsigned bytes, 3 dimensions are expected"
        ),
        "{message}"
    );
    let message = complaint(parse_images(&header(0x0804, &[2, 2, 2, 3]), here()));
    assert!(
        message.contains("it holds unsigned bytes, 4 dimensions"),
        "{message}"
    );
    let message = complaint(parse_labels(&header(0x0c01, &[2]), here()));
    assert!(
        message.contains("it holds int32, 1 dimension,"),
        "{message}"
    );
    let message = complaint(parse_images(&header(0xdead_beef, &[2, 2, 2]), here()));
    assert!(message.contains("it starts with 0xdeadbeef"), "{message}");
}

#[test]
fn a_file_transferred_in_text_mode_is_recognised() {
    let pixels: Vec<u8> = (0..=255).cycle().take(1024).collect();
    let mut damaged = Vec::new();
    for byte in images(&pixels, 16, 16) {
        if byte == b'\n' {
            damaged.push(b'\r');
        }
        damaged.push(byte);
    }
    let error = parse_images(&damaged, here()).unwrap_err();
    assert!(matches!(error, IdxError::TextMode { .. }), "{error}");
}

#[test]
fn web_pages_lfs_pointers_and_tables_are_recognised() {
    for (content, what) in [
        (
            &b"<!DOCTYPE html><html><head><title>403 Forbidden</title></head></html>"[..],
            "a web page",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 47040016\n",
            "a Git-LFS pointer",
        ),
        (b"label,pixel0,pixel1\n5,0,0\n", "a text table (CSV)"),
        (b"", "empty"),
    ] {
        for bytes in [content.to_vec(), gzip(content)] {
            let message = complaint(parse_images(&bytes, here()));
            assert!(
                message.contains(&format!("is {what}, not an IDX file; ")),
                "{message}"
            );
        }
    }
}

#[test]
fn gzip_in_gzip_is_unpacked() {
    let bytes = gzip(&gzip(&images(&[7; 12], 2, 2)));
    assert_eq!(parse_images(&bytes, here()).unwrap().count, 3);
}

#[test]
fn a_folder_in_place_of_a_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = read_images(folder.path()).unwrap_err();
    assert!(
        matches!(error, IdxError::File(FileError::NotAFile { .. })),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent");
    assert!(complaint(read_labels(&path)).contains(&path.display().to_string()));
}

#[test]
fn partial_images_are_not_written() {
    assert!(write_images(Vec::new(), &[0; 7], 2, 2).is_err());
    assert!(write_images(Vec::new(), &[0; 7], 0, 2).is_err());
}
