//! Reading pictures as cameras and other programs leave them.

use std::fs;
use std::path::Path;

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

/// Writes ten pictures of 3×2 to the classes a and b, these grey and the others in a colour.
fn put_mixed(folder: &Path, grey: &[usize]) {
    for index in 0..10 {
        let class = ["a", "b"][index % 2];
        let path = folder.join(format!("{class}/{index}.png"));
        match grey.contains(&index) {
            true => put_png(&path, 3, 2, 7),
            false => put_colour(&path, 3, 2, [10, 20, 30]),
        }
    }
}

#[test]
fn grey_pictures_among_mostly_coloured_ones_get_three_equal_channels() {
    // One later picture; half of them, the first one too.
    for grey in [&[1][..], &[0, 1, 2, 3, 4]] {
        let folder = tempdir().unwrap();
        put_mixed(folder.path(), grey);
        let set = load_own(folder.path()).unwrap();
        assert_eq!(set.form().shape(), [3, 3, 2]);
        let note = format!("{} of 10 pictures are grey", grey.len());
        assert!(has_note(&set, &note), "{:?}", set.notes);
        let images = [&set.train, &set.test]
            .into_iter()
            .flat_map(|part| (0..part.len()).map(move |index| part.image(index)));
        let (sevens, others): (Vec<&[u8]>, Vec<&[u8]>) = images.partition(|image| image[0] == 7);
        assert_eq!(sevens, vec![&[7; 18][..]; grey.len()]);
        let colour = [[10; 6], [20; 6], [30; 6]].concat();
        assert!(others.iter().all(|image| **image == colour[..]));
    }
}

#[test]
fn coloured_pictures_among_mostly_grey_ones_are_refused() {
    for grey in [&[1, 2, 3, 4, 5, 6, 7, 8, 9][..], &[0, 1, 2, 3, 4, 5]] {
        let folder = tempdir().unwrap();
        put_mixed(folder.path(), grey);
        let error = complaint(folder.path());
        assert!(
            error.contains("do not all have the same size and channels"),
            "{error}"
        );
    }
}

#[test]
fn a_cameras_note_on_orientation_is_told_and_the_pixels_are_used_as_stored() {
    let folder = tempdir().unwrap();
    put_mixed(folder.path(), &[]);
    for index in 0..10 {
        let class = ["a", "b"][index % 2];
        let path = folder.path().join(format!("{class}/{index}.jpg"));
        put_colour(&path, 3, 2, [10, 20, 30]);
    }
    let pixels = |path: &Path| load_own(path).unwrap().train.pixels;
    let stored = pixels(folder.path());
    // Big-endian EXIF with one entry: orientation (0x112), a 16-bit number: 6, a quarter turn.
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let path = folder.path().join("b/3.jpg");
    let whole = fs::read(&path).unwrap();
    let segment = [&b"\xff\xe1"[..], &length, exif].concat();
    put(&path, &[&whole[..2], &segment, &whole[2..]].concat());
    let set = load_own(folder.path()).unwrap();
    assert!(
        has_note(&set, "1 of 20 pictures have an EXIF orientation"),
        "{:?}",
        set.notes
    );
    assert_eq!(pixels(folder.path()), stored);
}

#[test]
fn a_link_that_leads_nowhere_is_named_as_such() {
    let folder = tempdir().unwrap();
    put_mixed(folder.path(), &[]);
    let link = folder.path().join("a/gone.png");
    std::os::unix::fs::symlink("/no/such/picture.png", &link).unwrap();
    let words = "is a link to /no/such/picture.png, which does not exist: remove the link";
    let refusal = complaint(folder.path());
    assert!(refusal.contains(words), "{refusal}");
    let whole = folder.path().join("set.npz");
    std::os::unix::fs::symlink("/no/such/picture.png", &whole).unwrap();
    let refusal = complaint(&whole);
    assert!(refusal.contains(words), "{refusal}");
}
