//! Reading pictures as cameras and other programs leave them.

use std::fs;

use tempfile::tempdir;

use crate::images::*;

#[test]
fn a_jpeg_that_is_cut_short_is_not_filled_with_grey() {
    let folder = tempdir().unwrap();
    for (name, class) in [("a", 0), ("b", 1)] {
        for index in 0..5 {
            let path = folder.path().join(format!("{name}/{index}.jpg"));
            put_colour(&path, 40, 40, [index, 100 * class, 7]);
        }
    }
    assert_eq!(load_own(folder.path()).unwrap().form().shape(), [3, 40, 40]);
    // What follows the end marker, as some cameras write it, does not matter.
    let path = folder.path().join("b/3.jpg");
    let whole = fs::read(&path).unwrap();
    put(&path, &[&whole[..], b"\xff and more"].concat());
    assert!(load_own(folder.path()).is_ok());
    // A thumbnail within a segment has an end marker of its own.
    let segment = &b"\xff\xe1\x00\x08Exif\xff\xd9"[..];
    let thumbnail = [&whole[..2], segment, &whole[2..]].concat();
    for cut in [1, 2, 100, whole.len() / 2] {
        for file in [&whole, &thumbnail] {
            put(&path, &file[..file.len() - cut]);
            let error = complaint(folder.path());
            assert!(error.contains("b/3.jpg (is cut short"), "{cut}: {error}");
        }
    }
    put(&path, &thumbnail);
    assert!(load_own(folder.path()).is_ok());
}
