//! Reading IDX files and CIFAR batches: names, nesting, compression, labels, and unreadable input.

mod images;

#[path = "readers/cifar.rs"]
mod cifar;
#[path = "readers/refusals.rs"]
mod refusals;

use std::fs;
use std::path::Path;

use images::*;
use noisescope::data::{SetFormat, holds_images, recognise};
use noisescope::session::config::{DatasetName, DatasetSource};
use proptest::prelude::*;
use tempfile::tempdir;

/// Asserts that the set of [`put_idx`] is at this path.
fn assert_set_at(path: &Path) {
    let set = load_own(path).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (12, 6));
    assert_eq!(set.form().shape(), [1, 2, 3]);
    assert_eq!(set.train.image(7), [7; 6]);
    assert_eq!(set.train.label(7), 1);
}

#[test]
fn idx_files_are_found_under_many_names_plain_and_packed() {
    let folder = tempdir().unwrap();
    for (layout, name) in [
        (
            "standard",
            (|name: &str| name.to_owned()) as fn(&str) -> String,
        ),
        ("dots", |name| name.replace("-idx", ".idx")),
        ("emnist", |name| {
            format!("emnist-letters-{}", name.replace("t10k", "test"))
        }),
        ("raw", |name| format!("raw/{name}")),
        ("torchvision", |name| format!("MNIST/raw/{name}")),
        ("folders", |name| {
            format!("{name}/{}", name.replace("-idx", ".idx"))
        }),
    ] {
        let path = folder.path().join(layout);
        put_idx(&path, name);
        assert_set_at(&path);
        assert!(holds_images(&path), "{layout}");
        assert_eq!(recognise(&path).unwrap().format(), SetFormat::Idx);
        for packed in ["gzip", "gzip-unnamed", "gzip-twice"] {
            let copy = folder.path().join(format!("{layout}-{packed}"));
            put_idx(&copy, |standard| match packed {
                "gzip-unnamed" => name(standard),
                _ => format!("{}.gz", name(standard)),
            });
            pack(&copy, if packed == "gzip-twice" { 2 } else { 1 });
            assert_set_at(&copy);
        }
    }
}

/// Compresses all files in a folder this many times with gzip.
fn pack(path: &Path, times: usize) {
    for entry in fs::read_dir(path).unwrap().flatten() {
        if entry.path().is_dir() {
            pack(&entry.path(), times);
            continue;
        }
        for _ in 0..times {
            let content = fs::read(entry.path()).unwrap();
            fs::write(entry.path(), gzip(&content)).unwrap();
        }
    }
}

#[test]
fn a_folder_one_level_too_high_or_too_low_is_resolved_with_a_note() {
    let folder = tempdir().unwrap();
    put_idx(&folder.path().join("high/deep/er"), str::to_owned);
    let set = load_own(&folder.path().join("high")).unwrap();
    assert!(
        has_note(&set, "the images are deeper, in deep/er"),
        "{:?}",
        set.notes
    );
    assert!(!holds_images(&folder.path().join("high")));

    let split = folder.path().join("split");
    put_idx(&split, |name| format!("{name}/{name}"));
    let set = load_own(&split.join("train-images-idx3-ubyte")).unwrap();
    assert_eq!(set.train.len(), 12);
    assert!(has_note(&set, "is part of the set in"), "{:?}", set.notes);
}

/// The neighbouring folders are unrelated.
#[test]
fn files_beside_a_folder_do_not_become_part_of_its_set() {
    let folder = tempdir().unwrap();
    let broken = folder.path().join("broken");
    put(
        &broken.join("train-labels-idx1-ubyte"),
        &idx_labels(&[0, 1]),
    );
    put_png(&folder.path().join("figures/1.png"), 2, 2, 0);
    put_png(&folder.path().join("screens/1.png"), 2, 2, 0);
    put(&folder.path().join("notes/a.txt"), b"");
    let error = complaint(&broken);
    assert!(error.contains("lacks train-images-idx3-ubyte"), "{error}");
    let error = complaint(&folder.path().join("figures"));
    assert!(error.contains("one folder per class"), "{error}");
    for other in ["x", "y"] {
        put(&folder.path().join(other).join("a.txt"), b"");
    }
    assert!(!holds_images(folder.path()));
}

#[test]
fn one_file_of_a_set_selects_the_whole_set() {
    let folder = tempdir().unwrap();
    for set in ["emnist-letters", "emnist-digits"] {
        put_idx(folder.path(), |name| format!("{set}-{name}"));
    }
    let error = complaint(folder.path());
    assert!(
        error.contains("several sets (emnist-digits, emnist-letters)"),
        "{error}"
    );
    let file = folder.path().join("emnist-letters-train-images-idx3-ubyte");
    let mut plan = plan(folder.path());
    plan.source = DatasetSource::File(file.clone());
    assert_eq!(load_plan(&plan).unwrap().train.len(), 12);
    assert!(holds_images(&file));
}

#[test]
fn emnist_is_named_and_transposed_on_request() {
    let folder = tempdir().unwrap();
    put_idx(folder.path(), |name| format!("emnist-letters-{name}"));
    put(
        &folder.path().join("emnist-letters-mapping.txt"),
        b"1 65 97\n2 66 98\n3 67 99\n",
    );
    put(
        &folder.path().join("emnist-letters-train-labels-idx1-ubyte"),
        &idx_labels(&[1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]),
    );
    put(
        &folder.path().join("emnist-letters-t10k-labels-idx1-ubyte"),
        &idx_labels(&[1, 2, 3, 1, 2, 3]),
    );
    let pixels: Vec<u8> = (0..72).collect();
    let mut file = Vec::new();
    noisescope::data::idx::write_images(&mut file, &pixels, 2, 3).unwrap();
    put(
        &folder.path().join("emnist-letters-train-images-idx3-ubyte"),
        &file,
    );

    let mut plan = plan(folder.path());
    let set = load_plan(&plan).unwrap();
    assert_eq!(set.classes, ["A", "B", "C"]);
    assert_eq!(set.train.label(0), 0);
    // As some editors write it.
    put(
        &folder.path().join("emnist-letters-mapping.txt"),
        b"\xef\xbb\xbf1 65 97\n2 66 98\n3 67 99\n",
    );
    assert_eq!(load_plan(&plan).unwrap().classes, ["A", "B", "C"]);
    assert!(
        has_note(&set, "set dataset.transpose to true"),
        "{:?}",
        set.notes
    );
    plan.transpose = true;
    let set = load_plan(&plan).unwrap();
    assert_eq!(set.form().shape(), [1, 3, 2]);
    assert_eq!(set.train.image(0), [0, 3, 1, 4, 2, 5]);
    assert!(!has_note(&set, "transpose"), "{:?}", set.notes);
}

#[test]
fn labels_from_one_are_shifted_and_keep_their_numbers_as_names() {
    let folder = tempdir().unwrap();
    put_idx(folder.path(), str::to_owned);
    for (half, count) in [("train", 12), ("t10k", 6)] {
        let labels: Vec<u8> = cycle(count, 3).iter().map(|label| label + 1).collect();
        put(
            &folder.path().join(format!("{half}-labels-idx1-ubyte")),
            &idx_labels(&labels),
        );
    }
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.classes, ["1", "2", "3"]);
    assert_eq!(set.train.label(0), 0);
    assert!(has_note(&set, "labels go from 1 to 3"), "{:?}", set.notes);
}

#[test]
fn class_names_come_from_the_file_beside_the_images() {
    let folder = tempdir().unwrap();
    put_idx(folder.path(), str::to_owned);
    let file = folder.path().join("classes.txt");
    put(
        &file,
        "\u{feff}ant\r\nbee\u{1b}[2J\r\n\r\ncow\r\n".as_bytes(),
    );
    assert_eq!(
        load_own(folder.path()).unwrap().classes,
        ["ant", "bee\u{fffd}[2J", "cow"]
    );
    put(&file, b"ant\nbee\n");
    let error = complaint(folder.path());
    assert!(
        error.contains("train-labels-idx1-ubyte gives image 2 the label 2, but "),
        "{error}"
    );
    assert!(error.ends_with("classes.txt names 2 classes"), "{error}");
    put(&file, b"ant\nbee\nant\n");
    assert!(complaint(folder.path()).contains("names the class ant twice"));
    let long = "a".repeat(60);
    put(&file, format!("{long}nt\n{long}pe\nbee\n").as_bytes());
    let error = complaint(folder.path());
    assert!(error.contains("names are cut after 60 letters"), "{error}");
    assert!(!error.contains("twice"), "{error}");
    // As EMNIST's letters do, names may differ in case alone.
    put(&file, b"A\na\nB\n");
    assert_eq!(load_own(folder.path()).unwrap().classes, ["A", "a", "B"]);
    put(&file, &[0xff, 0xfe, 0x00]);
    assert!(complaint(folder.path()).contains("is not UTF-8 text"));
}

#[test]
fn two_classes_are_fine_one_is_not_and_an_empty_one_is_named() {
    let folder = tempdir().unwrap();
    put_idx(folder.path(), str::to_owned);
    let label = |labels: &dyn Fn(usize) -> Vec<u8>| {
        put(
            &folder.path().join("train-labels-idx1-ubyte"),
            &idx_labels(&labels(12)),
        );
        put(
            &folder.path().join("t10k-labels-idx1-ubyte"),
            &idx_labels(&labels(6)),
        );
    };
    label(&|count| cycle(count, 2));
    assert_eq!(load_own(folder.path()).unwrap().classes, ["0", "1"]);
    let mut plan = plan(folder.path());
    plan.name = DatasetName::FashionMnist;
    let set = load_plan(&plan).unwrap();
    assert_eq!(set.classes, ["T-shirt/top", "Trouser"]);
    assert!(
        has_note(
            &set,
            "there are 2 classes instead of the 10 of Fashion-MNIST"
        ),
        "{:?}",
        set.notes
    );
    label(&|count| vec![0; count]);
    assert!(complaint(folder.path()).contains("all of one class"));
    label(&|count| cycle(count, 2).iter().map(|label| 2 * label).collect());
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.train.class_counts(), [6, 0, 6]);
    assert!(
        has_note(&set, "class 1 has no training image"),
        "{:?}",
        set.notes
    );
}

#[test]
fn a_set_without_test_images_is_split_by_the_seed() {
    let folder = tempdir().unwrap();
    put(&folder.path().join("images-idx3-ubyte"), &idx_images(60));
    put(
        &folder.path().join("labels-idx1-ubyte"),
        &idx_labels(&cycle(60, 3)),
    );
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.train.class_counts(), [16; 3]);
    assert_eq!(set.test.class_counts(), [4; 3]);
    assert!(has_note(&set, "12 of its 60 images"), "{:?}", set.notes);
    let mut levels: Vec<u8> = [&set.train, &set.test]
        .iter()
        .flat_map(|half| (0..half.len()).map(|index| half.image(index)[0]))
        .collect();
    levels.sort_unstable();
    assert_eq!(levels, (0..60).collect::<Vec<u8>>());
    assert_eq!(load_own(folder.path()).unwrap().test, set.test);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), start in 0usize..12, cut in 0usize..200) {
        let png = {
            let mut png = std::io::Cursor::new(Vec::new());
            image::GrayImage::new(4, 4).write_to(&mut png, image::ImageFormat::Png).unwrap();
            png.into_inner()
        };
        let starts: [&[u8]; 12] = [
            &[], &[0, 0, 8, 3], &[0, 0, 8, 1], &[0x1f, 0x8b, 8, 0], &[0x1f, 0x8b], b"\x93NUMPY\x01\x00\x20\x00",
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff", b"PK\x03\x04", b"PK\x05\x06", &png[..png.len().min(cut)],
            b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\x93NUMPY\x01\x00\x46\x00{'descr': '|u1', 'fortran_order': True, 'shape': (",
        ];
        let content = [starts[start], &bytes].concat();
        let folder = tempdir().unwrap();
        for name in [
            "idx/train-images-idx3-ubyte", "idx/train-labels-idx1-ubyte", "cifar/data_batch_1.bin", "fine/train.bin",
            "npz/mnist.npz", "npy/x_train.npy", "npy/y_train.npy", "pictures/a/1.png", "pictures/b/2.jpg",
            "names/classes.txt", "names/a/1.png",
        ] {
            let path = folder.path().join(name);
            put(&path, &content);
            let _ = load_own(path.parent().unwrap());
            let _ = load_own(&path);
            let _ = holds_images(&path);
        }
        let _ = load_own(&folder.path().join("pictures"));
        let _ = load_own(folder.path());
    }
}
