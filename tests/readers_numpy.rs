//! Reading NumPy arrays: names, shapes, types, and errors.

mod images;

#[path = "readers/halves.rs"]
mod halves;

use std::path::Path;

use images::*;
use noisescope::data::holds_images;
use tempfile::tempdir;

/// Writes an archive with these arrays of images and labels.
fn put_plain(path: &Path, images: Vec<u8>, labels: Vec<u8>) {
    put_npz(path, &[("images", images), ("labels", labels)]);
}

/// The pixels of sixteen grey images of 2×3.
fn grey() -> Vec<u8> {
    (0..96).map(|level| level as u8).collect()
}

/// Labels of sixteen images, four for each of four classes.
fn four() -> Vec<u8> {
    longs((0..16).map(|index| index % 4))
}

#[test]
fn keras_and_plain_names_are_read_from_archives_and_single_arrays() {
    let folder = tempdir().unwrap();
    let arrays = || {
        [
            ("x_train", npy("|u1", &[16, 2, 3], &grey())),
            ("y_train", npy("<i8", &[16], &four())),
            ("x_test", npy("|u1", &[4, 2, 3], &grey()[..24])),
            ("y_test", npy("|u1", &[4], &[0, 1, 2, 3])),
        ]
    };
    put_npz(&folder.path().join("keras/mnist.npz"), &arrays());
    for (name, bytes) in arrays() {
        put(&folder.path().join(format!("single/{name}.npy")), &bytes);
    }
    for (place, pair) in [("train", 0), ("test", 2)] {
        put_npz(
            &folder.path().join(format!("halves/{place}.npz")),
            &[
                ("images", arrays()[pair].1.clone()),
                ("labels", arrays()[pair + 1].1.clone()),
            ],
        );
    }
    for (place, names) in [(
        "kmnist",
        [
            "kmnist-train-imgs",
            "kmnist-train-labels",
            "kmnist-test-imgs",
            "kmnist-test-labels",
        ],
    )] {
        for (name, (_, bytes)) in names.into_iter().zip(arrays()) {
            put_npz(
                &folder.path().join(format!("{place}/{name}.npz")),
                &[("arr_0", bytes)],
            );
        }
    }
    for place in [
        "keras",
        "keras/mnist.npz",
        "single",
        "single/x_train.npy",
        "halves",
        "kmnist",
    ] {
        let path = folder.path().join(place);
        let set = load_own(&path).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!((set.train.len(), set.test.len()), (16, 4), "{place}");
        assert_eq!(set.form().shape(), [1, 2, 3]);
        assert_eq!(set.train.image(1), [6, 7, 8, 9, 10, 11]);
        assert!(set.notes.is_empty(), "{place}: {:?}", set.notes);
        assert!(holds_images(&path));
    }
}

#[test]
fn channels_are_found_first_and_last() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let last: Vec<u8> = (0..16 * 5 * 6 * 3).map(|at| (at % 3) as u8).collect();
    put_plain(
        &path,
        npy("|u1", &[16, 5, 6, 3], &last),
        npy("<i8", &[16], &four()),
    );
    let set = load_own(&path).unwrap();
    assert_eq!(set.form().shape(), [3, 5, 6]);
    assert_eq!(set.train.image(0), [[0; 30], [1; 30], [2; 30]].concat());
    let first: Vec<u8> = (0..16 * 3 * 30).map(|at| (at / 30 % 3) as u8).collect();
    put_plain(
        &path,
        npy("|u1", &[16, 3, 5, 6], &first),
        npy("<i8", &[16], &four()),
    );
    assert_eq!(
        load_own(&path).unwrap().train.image(0),
        [[0; 30], [1; 30], [2; 30]].concat()
    );
    put_plain(
        &path,
        npy("|u1", &[16, 4, 6, 1], &[1; 384]),
        npy("<i8", &[16], &four()),
    );
    assert_eq!(load_own(&path).unwrap().form().shape(), [1, 4, 6]);
    put_plain(
        &path,
        npy("|u1", &[16, 49], &[1; 784]),
        npy("<i8", &[16], &four()),
    );
    let set = load_own(&path).unwrap();
    assert_eq!(set.form().shape(), [1, 7, 7]);
    assert!(
        has_note(&set, "rows of 49 numbers were read as images of 7×7"),
        "{:?}",
        set.notes
    );
}

#[test]
fn fortran_order_is_converted() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    // Element [n, y, x] is 6n + 3y + x, stored with n running fastest.
    let mut data = Vec::new();
    for x in 0..3u8 {
        for y in 0..2u8 {
            data.extend((0..16u8).map(|n| 6 * n + 3 * y + x));
        }
    }
    let mut bytes = npy("|u1", &[16, 2, 3], &data);
    let text = b"'fortran_order': False";
    let at = bytes
        .windows(text.len())
        .position(|window| window == text)
        .unwrap();
    bytes[at..at + text.len()].copy_from_slice(b"'fortran_order':  True");
    put_plain(&path, bytes, npy("<i8", &[16], &four()));
    let set = load_own(&path).unwrap();
    assert_eq!(set.train.image(0), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_damaged_header_is_refused_instead_of_being_taken_for_c_order_or_little_endian() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    for (descr, right, damaged, reason) in [
        ("|u1", "_order", "_or\0er", "(fortran_order)"),
        ("|u1", ": False", ": Valse", "(fortran_order)"),
        (">u2", "'>u2'", "'~u2'", "holds elements of an unusual type"),
    ] {
        let data = grey().repeat(if descr == "|u1" { 1 } else { 2 });
        let mut bytes = npy(descr, &[16, 2, 3], &data);
        let length = right.len();
        let mut windows = bytes.windows(length);
        let at = windows.position(|bytes| bytes == right.as_bytes());
        let at = at.unwrap();
        bytes[at..at + length].copy_from_slice(damaged.as_bytes());
        put_plain(&path, bytes, npy("<i8", &[16], &four()));
        let refused = complaint(&path);
        assert!(refused.contains(reason), "{refused}");
    }
}

#[test]
fn floats_become_bytes_and_the_loss_is_noted() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let load = |descr: &str, data: Vec<u8>| {
        put_plain(
            &path,
            npy(descr, &[16, 2, 3], &data),
            npy("<i8", &[16], &four()),
        );
        load_own(&path).map_err(|error| error.to_string())
    };
    let set = load("<f4", floats((0..96).map(|at| at as f32 / 255.0))).unwrap();
    assert_eq!(set.train.image(0), [0, 1, 2, 3, 4, 5]);
    assert!(
        has_note(
            &set,
            "float32 images from 0 to 1 were converted to bytes; nothing was lost"
        ),
        "{:?}",
        set.notes
    );
    let set = load("<f4", floats((0..96).map(|at| at as f32 / 200.0))).unwrap();
    assert!(
        has_note(&set, "rounding changed levels by up to"),
        "{:?}",
        set.notes
    );
    let set = load("<f4", floats((0..96).map(|at| at as f32 / 47.5 - 1.0))).unwrap();
    assert_eq!(set.train.image(0)[0], 0);
    assert!(has_note(&set, "from −1 to 1"), "{:?}", set.notes);
    let set = load("<f4", floats((0..96).map(|at| (at % 17) as f32))).unwrap();
    assert!(
        has_note(&set, "greatest level is 16, which is dark"),
        "{:?}",
        set.notes
    );
    let set = load("<i8", longs((0..96).map(|at| at + 100))).unwrap();
    assert_eq!(set.train.image(0)[0], 100);
    assert!(!has_note(&set, "bytes"), "{:?}", set.notes);
    let set = load(
        ">u2",
        (0..96u16).flat_map(|at| (at * 257).to_be_bytes()).collect(),
    )
    .unwrap();
    assert_eq!(set.train.image(0)[..3], [0, 1, 2]);
    let set = load("|b1", (0..96).map(|at| at % 2).collect()).unwrap();
    assert_eq!(set.train.image(0)[..2], [0, 255]);

    let error = load("<f4", floats((0..96).map(|at| at as f32 / 30.0 - 0.5))).unwrap_err();
    assert!(
        error.contains("set.npz/images holds float32 from -0.5 to 2.6"),
        "{error}"
    );
    assert!(error.contains("undo any normalisation"), "{error}");
    // Integers have not been normalised: these have ten bits.
    let error = load("<i8", longs((0..96).map(|at| at * 10))).unwrap_err();
    let says = |words: &str| error.contains(words);
    assert!(says("in uint16") && !says("normalisation"), "{error}");
    let error = load(
        "<f4",
        floats((0..96).map(|at| if at == 7 { f32::NAN } else { 0.5 })),
    )
    .unwrap_err();
    assert!(error.contains("has NaN as element 7"), "{error}");
}

#[test]
fn numbers_a_little_beyond_their_range_are_clipped_and_others_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let load = |least: f32, greatest: f32| {
        let numbers = (0..96).map(|at| match at {
            0 => least,
            1 => greatest,
            at => greatest * at as f32 / 96.0,
        });
        let images = npy("<f4", &[16, 2, 3], &floats(numbers));
        put_plain(&path, images, npy("<i8", &[16], &four()));
        load_own(&path).map_err(|error| error.to_string())
    };
    for (least, greatest) in [(0.0, 1.000_000_2), (-1e-7, 1.0), (-0.2, 255.4)] {
        let set = load(least, greatest).unwrap();
        let all = [&set.train, &set.test]
            .map(|part| part.pixels.to_vec())
            .concat();
        assert!(all.contains(&0) && all.contains(&255), "{least} {greatest}");
        assert!(!has_note(&set, "from −1 to 1"), "{:?}", set.notes);
        assert!(!has_note(&set, "is dark"), "{:?}", set.notes);
    }
    // As a sharpening resampling leaves them, or levels from −1 to 1 without dark ones.
    for (least, range) in [
        (-0.0625, "from -0.0625 to 1, "),
        (-0.375, "from -0.375 to 1, "),
    ] {
        let error = load(least, 1.0).unwrap_err();
        let both = "which may be levels from −1 to 1 of which none is dark, or";
        for words in [range, both, "save (x + 1)/2", "clip"] {
            assert!(error.contains(words), "{words}: {error}");
        }
    }
    let error = load(-2.1, 2.6).unwrap_err();
    assert!(error.contains("0 to 1, or −1 to 1: undo"), "{error}");
}

#[test]
fn images_that_are_nearly_black_are_noted() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let twelve_bits = (0..96u16).flat_map(|at| (at * 40).to_le_bytes()).collect();
    let binary = (0..96).map(|at| at % 2).collect();
    for (descr, data, note) in [
        (
            "<u2",
            twelve_bits,
            "3800 means white, multiply by 65535/3800",
        ),
        ("|u1", binary, "no level but 0 and 1"),
    ] {
        let data: Vec<u8> = data;
        let images = npy(descr, &[16, 2, 3], &data);
        put_plain(&path, images, npy("<i8", &[16], &four()));
        let set = load_own(&path).unwrap();
        assert!(has_note(&set, note), "{note}: {:?}", set.notes);
    }
}

#[test]
fn labels_may_be_columns_one_hot_or_floats() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let load = |labels: Vec<u8>| {
        put_npz(
            &path,
            &[("X", npy("|u1", &[16, 2, 3], &grey())), ("y", labels)],
        );
        load_own(&path).map_err(|error| error.to_string())
    };
    assert_eq!(
        load(npy("<i8", &[16, 1], &four())).unwrap().classes.len(),
        4
    );
    let hot = floats(
        (0..16).flat_map(|index| (0..4).map(move |class| f32::from(u8::from(index % 4 == class)))),
    );
    let set = load(npy("<f4", &[16, 4], &hot)).unwrap();
    assert_eq!(set.classes.len(), 4);
    assert!(has_note(&set, "one-hot"), "{:?}", set.notes);
    let error = load(npy("<f4", &[16, 4], &floats([0.5; 64]))).unwrap_err();
    assert!(error.contains("row 0 is not one-hot"), "{error}");
    let error = load(npy("<i8", &[16], &longs((0..16).map(|index| index - 1)))).unwrap_err();
    assert!(error.contains("labels from -1 to 14"), "{error}");
    let error = load(npy("<i8", &[16], &longs([60_000; 16]))).unwrap_err();
    assert!(
        error.contains("holds the label 60000; labels must be at most 999"),
        "{error}"
    );
    let error = load(npy("<U5", &[16], &[0; 320])).unwrap_err();
    let remedied = error.contains("holds text") && error.contains("return_inverse=True");
    assert!(remedied, "{error}");
    let error = load(npy("<i8", &[15], &four()[..120])).unwrap_err();
    assert!(
        error.contains("holds 16 images, but") && error.contains("holds 15 labels"),
        "{error}"
    );
}

#[test]
fn damaged_and_missing_arrays_are_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let images = npy("|u1", &[16, 2, 3], &grey());
    put_npz(&path, &[("x_train", images.clone())]);
    let without = complaint(&path);
    assert!(without.contains("x_train has no labels"), "{without}");
    assert!(without.contains("--set dataset=None"), "{without}");
    put_npz(
        &path,
        &[("a", images.clone()), ("b", npy("<i8", &[16], &four()))],
    );
    assert!(complaint(&path).contains("its arrays are called a, b"));
    put_npz(
        &path,
        &[
            ("x", images.clone()),
            ("images", images.clone()),
            ("y", npy("<i8", &[16], &four())),
        ],
    );
    assert!(
        complaint(&path).contains("x and images have the same role")
            || complaint(&path).contains("both images and x")
    );
    put_plain(
        &path,
        images[..images.len() - 5].to_vec(),
        npy("<i8", &[16], &four()),
    );
    assert!(complaint(&path).contains(
        "is cut short: its header declares 16×2×3 elements of 1 bytes, but it has 91 bytes"
    ));
    put_plain(
        &path,
        npy("|O", &[16, 2, 3], &[]),
        npy("<i8", &[16], &four()),
    );
    assert!(complaint(&path).contains("Python objects (a pickle inside)"));
    put_plain(
        &path,
        npy("|u1", &[16, 2, 3, 1, 1], &grey()),
        npy("<i8", &[16], &four()),
    );
    assert!(complaint(&path).contains("has the shape [16, 2, 3, 1, 1]; images are [n, H, W]"));
    put_plain(
        &path,
        npy("|u1", &[usize::MAX, usize::MAX], &grey()),
        npy("<i8", &[16], &four()),
    );
    assert!(complaint(&path).contains("is cut short"));
    put(&path, b"<!DOCTYPE html><html>");
    assert!(complaint(&path).contains("is a web page, not an archive of NumPy arrays"));
    put_plain(&path, images, npy("<i8", &[16], &four()));
    let whole = std::fs::read(&path).unwrap();
    put(&path, &whole[..whole.len() / 2]);
    assert!(complaint(&path).contains("is a damaged archive"));
}
