//! Folders of classes: too many, alike, and in one another.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use tempfile::tempdir;

use crate::images::*;

#[test]
fn more_than_a_thousand_folders_of_classes_are_refused_with_a_remedy() {
    let folder = tempdir().unwrap();
    for class in 0..=1000 {
        put(&folder.path().join(format!("train/{class}/0.png")), b"");
    }
    let error = complaint(folder.path());
    assert!(
        error.contains("has 1001 folders of classes; at most 1000 classes")
            && error.contains("into a folder of their own"),
        "{error}"
    );
}

#[test]
fn folders_that_would_be_classes_of_the_same_name_are_named() {
    let long = "x".repeat(60);
    let (first, second) = (format!("{long}1"), format!("{long}2"));
    for [one, other, shown] in [
        // Neither is UTF-8.
        [&b"a\xfe"[..], b"a\xff", "a\u{fffd}".as_bytes()],
        [&b"cat"[..], b"cat ", b"cat"],
        [first.as_bytes(), second.as_bytes(), long.as_bytes()],
    ] {
        let folder = tempdir().unwrap();
        for (class, name) in [one, other, b"b"].into_iter().enumerate() {
            for index in 0..3 {
                let class_folder = folder.path().join(OsStr::from_bytes(name));
                put_png(
                    &class_folder.join(format!("{index}.png")),
                    3,
                    2,
                    class as u8,
                );
            }
        }
        let error = complaint(folder.path());
        let shown = String::from_utf8_lossy(shown);
        assert!(
            error.contains(&format!("would both be the class {shown:?}")),
            "{error}"
        );
    }
}

/// As EMNIST's letters do, classes may have names that differ in case alone: each folder is one of them, and none is two.
#[test]
fn listed_names_that_differ_in_case_alone_have_a_folder_each() {
    let folder = tempdir().unwrap();
    for (class, name) in ["A", "a", "b"].into_iter().enumerate() {
        for index in 0..5 {
            let path = folder.path().join(name).join(format!("{index}.png"));
            put_png(&path, 3, 2, 50 * class as u8 + index);
        }
    }
    let file = folder.path().join("classes.txt");
    put(&file, b"a\nA\nB\n");
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["a", "A", "B"]);
    for index in 0..set.train.len() {
        let folder = usize::from(set.train.image(index)[0] / 50);
        assert_eq!(usize::from(set.train.label(index)), [1, 0, 2][folder]);
    }
    std::fs::rename(folder.path().join("A"), folder.path().join("c")).unwrap();
    let error = complaint(folder.path());
    assert!(
        error.contains("names some of the folders, but not c"),
        "{error}"
    );
}

#[test]
fn pictures_in_folders_within_a_class_are_reported() {
    let folder = tempdir().unwrap();
    let put = |place: &str| {
        for index in 0..5 {
            let path = folder.path().join(place).join(format!("{index}.png"));
            put_png(&path, 3, 2, index);
        }
    };
    for place in ["a", "b", "b/images"] {
        put(place);
    }
    for (place, note) in [
        ("b/more", "the pictures in a folder within"),
        ("a/others", "the pictures in 2 folders within"),
    ] {
        put(place);
        let set = load_own(folder.path()).unwrap();
        assert_eq!(set.train.len() + set.test.len(), 15);
        assert!(has_note(&set, note), "{note}: {:?}", set.notes);
    }
}
