//! Input that cannot be read.

use std::fs;
use std::path::Path;

use noisescope::data::{DataError, recognise};
use noisescope::session::config::DatasetName;
use tempfile::tempdir;

use crate::images::*;

#[test]
fn labels_beyond_a_known_set_are_refused() {
    let folder = tempdir().unwrap();
    put_idx(folder.path(), str::to_owned);
    put(
        &folder.path().join("t10k-labels-idx1-ubyte"),
        &idx_labels(&[0, 1, 2, 3, 4, 10]),
    );
    let mut plan = plan(folder.path());
    plan.name = DatasetName::Mnist;
    let error = load_plan(&plan).unwrap_err().to_string();
    assert!(
        error.contains("gives image 5 the label 10, but MNIST has 10 classes"),
        "{error}"
    );
}

#[test]
fn unreadable_input_is_named_for_what_it_is() {
    let folder = tempdir().unwrap();
    let case = |name: &str, files: &[(&str, &[u8])]| {
        let path = folder.path().join(name);
        fs::create_dir_all(&path).unwrap();
        for (file, content) in files {
            put(&path.join(file), content);
        }
        complaint(&path)
    };
    assert!(case("nothing", &[]).ends_with("nothing is empty"));
    let error = case(
        "csv",
        &[
            ("train.csv", b"label,pixel0\n5,0\n"),
            ("test.csv", b"pixel0\n0\n"),
        ],
    );
    assert!(
        error.contains("(test.csv, train.csv); text tables are not supported"),
        "{error}"
    );
    let error = case(
        "python",
        &[("data_batch_1", b"\x80\x02"), ("batches.meta", b"\x80\x02")],
    );
    assert!(error.contains("use the binary version"), "{error}");
    let error = case("archive", &[("cifar-10-binary.tar.gz", &gzip(b"x"))]);
    assert!(error.contains("unpack the archive first"), "{error}");
    let error = complaint(&folder.path().join("archive/cifar-10-binary.tar.gz"));
    assert!(error.contains("cifar-10-binary.tar.gz"), "{error}");
    let error = complaint(&folder.path().join("absent"));
    assert!(error.contains("there is no folder or file"), "{error}");
    let error = complaint(Path::new("/dev/null"));
    assert!(error.contains("is a device"), "{error}");
    for (name, file) in [
        ("flat", "a.webp"),
        ("classes", "cat/a.bmp"),
        ("halves", "train/cat/a.tiff"),
    ] {
        let error = case(name, &[(file, b"x")]);
        assert!(error.contains("; convert the pictures to PNG"), "{error}");
    }
    let error = case("arrays", &[("a.npy", &npy("|u1", &[1, 2, 3], &[0; 6]))]);
    assert!(error.contains("(a.npy); name arrays images.npy"), "{error}");
    let error = complaint(&folder.path().join("arrays/a.npy"));
    assert!(
        error.contains("does not say what it holds); name arrays images.npy"),
        "{error}"
    );
    let error = case("half", &[("train-images-idx3-ubyte", &idx_images(3))]);
    assert!(error.contains("lacks train-labels-idx1-ubyte"), "{error}");
    assert!(recognise(&folder.path().join("csv")).is_none());
}

#[test]
fn a_named_pipe_is_refused_and_not_waited_for() {
    let folder = tempdir().unwrap();
    put_idx(folder.path(), str::to_owned);
    let path = folder.path().join("train-images-idx3-ubyte");
    fs::remove_file(&path).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    assert!(complaint(folder.path()).contains("is a named pipe"));
    assert!(complaint(&path).contains("is a named pipe"));
}

#[test]
fn mismatched_counts_and_sizes_are_refused() {
    let folder = tempdir().unwrap();
    put_idx(folder.path(), str::to_owned);
    put(
        &folder.path().join("t10k-labels-idx1-ubyte"),
        &idx_labels(&[0; 5]),
    );
    assert!(complaint(folder.path()).contains("holds 6 images, but"));
    put_idx(folder.path(), str::to_owned);
    let mut other = Vec::new();
    noisescope::data::idx::write_images(&mut other, &[0; 54], 3, 3).unwrap();
    put(&folder.path().join("t10k-images-idx3-ubyte"), &other);
    let error = load_own(folder.path()).unwrap_err();
    assert!(matches!(error, DataError::SizesDiffer { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("are 2×3 grey, but the test images are 3×3 grey")
    );
}
