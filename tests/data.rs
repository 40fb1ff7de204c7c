//! Loading data sets through the library: the built-in subset, folders, and the data folder.

use std::fs;
use std::path::Path;

use noisescope::data::catalog;
use noisescope::data::embedded;
use noisescope::data::{
    DataError, Dataset, DatasetOrigin, DatasetRequest, Images, idx, set_dir, verify,
};
use noisescope::session::config::{self, DatasetName, DatasetSource};
use sha2::{Digest, Sha256};

const NAMES: [DatasetName; 2] = [DatasetName::Mnist, DatasetName::FashionMnist];

/// Classes of both embedded sets.
const CLASSES: usize = 10;

fn load(name: DatasetName, source: &DatasetSource, data: &Path) -> Result<Dataset, DataError> {
    let plan = config::Dataset {
        name,
        source: source.clone(),
        transpose: false,
    };
    let request = DatasetRequest {
        config: &plan,
        seed: 1,
        data,
        cache: None,
    };
    noisescope::data::load(&request, &mut |_, _| std::ops::ControlFlow::Continue(()))
}

fn embedded_set(name: DatasetName) -> Dataset {
    load(name, &DatasetSource::Embedded, Path::new("unused")).unwrap()
}

/// SHA-256 of images as a plain IDX file.
fn image_sum(images: &Images) -> String {
    let mut bytes = Vec::new();
    idx::write_images(&mut bytes, &images.pixels, images.height, images.width).unwrap();
    hexadecimal(&bytes)
}

/// SHA-256 of labels as a plain IDX file.
fn label_sum(images: &Images) -> String {
    let mut bytes = Vec::new();
    let labels: Vec<u8> = images.labels.iter().map(|&label| label as u8).collect();
    idx::write_labels(&mut bytes, &labels).unwrap();
    hexadecimal(&bytes)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a set of `train` and `test` blank images of 2×3 into `folder`.
fn write_set(folder: &Path, train: usize, test: usize) {
    fs::create_dir_all(folder).unwrap();
    for (half, count) in [("train", train), ("t10k", test)] {
        let labels: Vec<u8> = (0..count).map(|index| (index % CLASSES) as u8).collect();
        let images = fs::File::create(folder.join(format!("{half}-images-idx3-ubyte"))).unwrap();
        idx::write_images(images, &vec![0; count * 6], 2, 3).unwrap();
        let file = fs::File::create(folder.join(format!("{half}-labels-idx1-ubyte"))).unwrap();
        idx::write_labels(file, &labels).unwrap();
    }
}

fn load_own(folder: &Path) -> Result<Dataset, DataError> {
    let source = DatasetSource::Folder(folder.to_owned());
    load(DatasetName::Mnist, &source, Path::new("unused"))
}

#[test]
fn the_built_in_subset_has_the_documented_shape() {
    for name in NAMES {
        let set = embedded_set(name);
        assert_eq!(set.origin, DatasetOrigin::Embedded);
        assert_eq!(set.classes.len(), CLASSES);
        assert!(set.notes.is_empty(), "{:?}", set.notes);
        for (images, count) in [
            (&set.train, embedded::TRAIN_COUNT),
            (&set.test, embedded::TEST_COUNT),
        ] {
            assert_eq!(images.len(), count);
            assert_eq!((images.height, images.width), (28, 28));
            assert_eq!(images.pixels.len(), count * 28 * 28);
        }
    }
}

#[test]
fn the_built_in_subset_has_the_class_counts_of_the_first_published_images() {
    let counts = |name| {
        let set = embedded_set(name);
        (set.train.class_counts(), set.test.class_counts())
    };
    assert_eq!(
        counts(DatasetName::Mnist),
        (
            vec![1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978],
            vec![175, 234, 219, 207, 217, 179, 178, 205, 192, 194]
        )
    );
    assert_eq!(
        counts(DatasetName::FashionMnist),
        (
            vec![942, 1027, 1016, 1019, 974, 989, 1021, 1022, 990, 1000],
            vec![200, 203, 214, 190, 219, 195, 197, 200, 194, 188]
        )
    );
}

/// The checksums were computed from the published files, truncated to their first images.
#[test]
fn the_built_in_subset_is_the_first_published_images_byte_for_byte() {
    let sums = |name| {
        let set = embedded_set(name);
        [
            image_sum(&set.train),
            label_sum(&set.train),
            image_sum(&set.test),
            label_sum(&set.test),
        ]
    };
    assert_eq!(
        sums(DatasetName::Mnist),
        [
            "2889698e6bc3614913e76901316712919d1998fc2b44512451bfe65bc1e668b1",
            "651e38e2ac0632f5113ec18f1df4977117f953197819034009971a6675a0df78",
            "3f6bd66dee48df299584c67669bceee490faa25f931496bd7473b42106d7daed",
            "7b098e5f6a3065807cebeabf36fb1724a8aff19f2673ac08b4923e0e8c715bce",
        ]
    );
    assert_eq!(
        sums(DatasetName::FashionMnist),
        [
            "ed2e37ed5a3a57d212141a69fe0a0de5a7126ffba14ac3f7e76f5f52cc04b1f0",
            "a69f2dad024ca220a8c4d85f621fdf929042d40c444abde2868903e9220ad517",
            "862035b0a96959b614c9574f4c2b0ae9584ca234813e8d6d7adb7838b12ca46b",
            "aa3f574d30afaf0d4d9da084a6f8541771e20693d6a97fae6e9a4953fca8f078",
        ]
    );
}

#[test]
fn classes_have_the_names_that_their_authors_gave_them() {
    assert_eq!(DatasetName::Mnist.class_names(10)[7], "7");
    assert_eq!(DatasetName::FashionMnist.class_names(10)[0], "T-shirt/top");
    assert_eq!(DatasetName::FashionMnist.class_names(10)[9], "Ankle boot");
}

#[test]
fn auto_silently_uses_the_subset_if_nothing_was_fetched() {
    let data = tempfile::tempdir().unwrap();
    let set = load(DatasetName::Mnist, &DatasetSource::Auto, data.path()).unwrap();
    assert_eq!((set.origin, set.notes.len()), (DatasetOrigin::Embedded, 0));
}

#[test]
fn auto_says_why_it_uses_the_subset_if_the_full_set_is_incomplete() {
    let data = tempfile::tempdir().unwrap();
    let folder = set_dir(data.path(), &catalog::MNIST);
    write_set(&folder, 20, 10);
    fs::remove_file(folder.join("t10k-labels-idx1-ubyte")).unwrap();
    let set = load(DatasetName::Mnist, &DatasetSource::Auto, data.path()).unwrap();
    assert_eq!(set.origin, DatasetOrigin::Embedded);
    assert!(set.notes[0].contains("lacks t10k-labels-idx1-ubyte"));
}

#[test]
fn a_full_set_of_another_size_is_refused_with_the_remedy() {
    let data = tempfile::tempdir().unwrap();
    write_set(&set_dir(data.path(), &catalog::MNIST), 20, 10);
    let error = load(DatasetName::Mnist, &DatasetSource::Full, data.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(
            "holds 20 images of 2×3 grey, but the full MNIST set has 60000 images of 28×28 grey"
        ),
        "{error}"
    );
    assert!(
        error.ends_with("to replace it: noisescope data fetch mnist"),
        "{error}"
    );
}

#[test]
fn a_full_set_that_was_not_fetched_says_how_to_fetch_it() {
    let data = tempfile::tempdir().unwrap();
    let error = load(DatasetName::FashionMnist, &DatasetSource::Full, data.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("run `noisescope data fetch fashion-mnist`"),
        "{error}"
    );
}

#[test]
fn a_users_folder_may_hold_images_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), 20, 10);
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.origin, DatasetOrigin::Folder(folder.path().to_owned()));
    assert_eq!((set.train.height, set.train.width), (2, 3));
    assert_eq!((set.train.len(), set.test.len()), (20, 10));
}

#[test]
fn a_folder_with_missing_files_is_refused_with_their_names() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), 20, 10);
    fs::remove_file(folder.path().join("train-images-idx3-ubyte")).unwrap();
    let error = load_own(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("lacks train-images-idx3-ubyte (plain or with .gz)"),
        "{error}"
    );
}

/// A set downloaded by hand may be in the subfolder that its archive creates.
#[test]
fn a_set_that_cannot_be_fetched_is_found_where_the_user_put_it() {
    let data = tempfile::tempdir().unwrap();
    let spec = &catalog::CIFAR_10;
    let folder = set_dir(data.path(), spec);
    for source in [DatasetSource::Full, DatasetSource::Auto] {
        let error = load(DatasetName::Cifar10, &source, data.path())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("cannot be fetched from here: download the binary version"),
            "{error}"
        );
        assert!(error.contains(&folder.display().to_string()), "{error}");
    }
    let inside = folder.join("cifar-10-batches-bin");
    fs::create_dir_all(&inside).unwrap();
    let mut batch = vec![0; 30_730_000];
    for (index, record) in batch.chunks_exact_mut(3073).enumerate() {
        record[0] = (index % 10) as u8;
        record[1] = 200;
    }
    for file in spec.files {
        fs::write(inside.join(file.name), &batch).unwrap();
    }
    let set = load(DatasetName::Cifar10, &DatasetSource::Auto, data.path()).unwrap();
    assert_eq!(set.origin, DatasetOrigin::Full(inside.clone()));
    assert_eq!(set.classes[3], "cat");
    assert_eq!(set.form().shape(), [3, 32, 32]);
    let states = verify::verify_set(spec, data.path());
    assert!(
        states
            .iter()
            .all(|report| report.state == verify::FileState::Unverified)
    );
    fs::remove_file(inside.join("data_batch_3.bin")).unwrap();
    let error = load(DatasetName::Cifar10, &DatasetSource::Full, data.path())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("40000 images of 32×32 in colour, but the full CIFAR-10 set has 50000"),
        "{error}"
    );
}

#[test]
fn a_users_set_needs_a_path() {
    let name = DatasetName::Own("faces".to_owned());
    for source in [
        DatasetSource::Auto,
        DatasetSource::Full,
        DatasetSource::Embedded,
    ] {
        let error = load(name.clone(), &source, Path::new("unused"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("faces is") && error.contains("dataset.source"),
            "{error}"
        );
    }
}
