//! Arrays beside one another: names of classes, and halves with other levels.

use tempfile::tempdir;

use super::{four, grey};
use crate::images::*;

/// Many archives name their classes beside the labels, or number their images.
#[test]
fn other_arrays_are_taken_neither_for_labels_nor_for_images() {
    for (file, names) in [
        ("set.npz", "label_names"),
        ("other.npz", "target_names"),
        ("train-labels.npz", "label_names"),
        ("images.npz", "class_names"),
        ("labels.npz", "ids"),
    ] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(file);
        put_npz(
            &path,
            &[
                ("images", npy("|u1", &[16, 2, 3], &grey())),
                ("labels", npy("<i8", &[16], &four())),
                (names, npy("<U1", &[4], &[0; 16])),
            ],
        );
        let set = load_own(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(set.train.len() + set.test.len(), 16, "{file}");
    }
}

#[test]
fn halves_that_were_taken_for_different_levels_are_a_warning() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("set.npz");
    let words = |factor: u16| {
        let numbers = (0..96).flat_map(|at: u16| (at * factor).to_le_bytes());
        npy("<u2", &[16, 2, 3], &numbers.collect::<Vec<u8>>())
    };
    let warns = |train: Vec<u8>, test: Vec<u8>| {
        let labels = npy("<i8", &[16], &four());
        put_npz(
            &path,
            &[
                ("x_train", train),
                ("y_train", labels.clone()),
                ("x_test", test),
                ("y_test", labels),
            ],
        );
        let set = load_own(&path).unwrap();
        let mut warnings = set.notes.iter().filter(|note| note.warning);
        warnings.next().map(|note| note.text.clone())
    };
    assert_eq!(warns(words(2), words(2)), None);
    let warning = warns(words(3), words(2)).unwrap();
    assert!(
        warning.contains(
            "0 for black and 65535 for white was taken, in the test images 0 for black and 255"
        ),
        "{warning}"
    );
    let unit = floats((0..96).map(|at| at as f32 / 95.0));
    let unit = npy("<f4", &[16, 2, 3], &unit);
    assert_eq!(warns(unit.clone(), unit.clone()), None);
    // Numbers from 0 to 1 with some beyond are read as levels that are nearly black.
    let beyond = floats((0..96).map(|at| at as f32 / 80.0));
    let beyond = npy("<f4", &[16, 2, 3], &beyond);
    let warning = warns(beyond.clone(), beyond).unwrap();
    assert!(
        warning.contains("greatest level is 1.1875, which is dark")
            && warning.contains("if 1 does, by 255"),
        "{warning}"
    );
    assert!(warns(words(2), unit).is_some());
}
