//! Data sets as a user of the library meets them: the built-in subset, folders, the data folder.

use std::fs;
use std::path::Path;

use noisescope::data::embedded;
use noisescope::data::{
    CLASSES, DataError, Dataset, Images, Origin, class_names, idx, load, set_dir,
};
use noisescope::session::config::{DatasetName, DatasetSource};
use sha2::{Digest, Sha256};

const NAMES: [DatasetName; 2] = [DatasetName::Mnist, DatasetName::FashionMnist];

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
    idx::write_labels(&mut bytes, &images.labels).unwrap();
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
fn the_built_in_subset_has_its_announced_shape() {
    for name in NAMES {
        let set = embedded_set(name);
        assert_eq!(set.origin, Origin::Embedded);
        assert_eq!(set.classes, CLASSES);
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
            [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978],
            [175, 234, 219, 207, 217, 179, 178, 205, 192, 194]
        )
    );
    assert_eq!(
        counts(DatasetName::FashionMnist),
        (
            [942, 1027, 1016, 1019, 974, 989, 1021, 1022, 990, 1000],
            [200, 203, 214, 190, 219, 195, 197, 200, 194, 188]
        )
    );
}

/// The sums were computed from the published files, cut to their first images.
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
    assert_eq!(class_names(DatasetName::Mnist)[7], "7");
    assert_eq!(class_names(DatasetName::FashionMnist)[0], "T-shirt/top");
    assert_eq!(class_names(DatasetName::FashionMnist)[9], "Ankle boot");
}

#[test]
fn auto_takes_the_subset_without_a_word_where_nothing_was_fetched() {
    let data = tempfile::tempdir().unwrap();
    let set = load(DatasetName::Mnist, &DatasetSource::Auto, data.path()).unwrap();
    assert_eq!((set.origin, set.note), (Origin::Embedded, None));
}

#[test]
fn auto_says_why_it_takes_the_subset_where_the_full_set_is_not_whole() {
    let data = tempfile::tempdir().unwrap();
    let folder = set_dir(data.path(), DatasetName::Mnist);
    write_set(&folder, 20, 10);
    fs::remove_file(folder.join("t10k-labels-idx1-ubyte")).unwrap();
    let set = load(DatasetName::Mnist, &DatasetSource::Auto, data.path()).unwrap();
    assert_eq!(set.origin, Origin::Embedded);
    assert!(set.note.unwrap().contains("lacks t10k-labels-idx1-ubyte"));
}

#[test]
fn a_full_set_of_another_size_is_refused_with_the_remedy() {
    let data = tempfile::tempdir().unwrap();
    write_set(&set_dir(data.path(), DatasetName::Mnist), 20, 10);
    let said = load(DatasetName::Mnist, &DatasetSource::Full, data.path())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("holds 20 images of 2×3, where the full MNIST set has 60000 images of 28×28"),
        "{said}"
    );
    assert!(
        said.ends_with("`noisescope data fetch mnist` replaces it"),
        "{said}"
    );
}

#[test]
fn a_full_set_that_was_not_fetched_says_how_to_fetch_it() {
    let data = tempfile::tempdir().unwrap();
    let said = load(DatasetName::FashionMnist, &DatasetSource::Full, data.path())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("run `noisescope data fetch fashion-mnist`"),
        "{said}"
    );
}

#[test]
fn a_folder_of_ones_own_may_hold_images_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), 20, 10);
    let set = load_own(folder.path()).unwrap();
    assert_eq!(set.origin, Origin::Folder(folder.path().to_owned()));
    assert_eq!((set.train.height, set.train.width), (2, 3));
    assert_eq!((set.train.len(), set.test.len()), (20, 10));
}

#[test]
fn a_folder_that_lacks_files_is_told_which() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), 20, 10);
    fs::remove_file(folder.path().join("train-images-idx3-ubyte")).unwrap();
    let said = load_own(folder.path()).unwrap_err().to_string();
    assert!(
        said.contains("lacks train-images-idx3-ubyte (plain or with .gz)"),
        "{said}"
    );
}

#[test]
fn as_many_labels_as_images_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), 20, 10);
    let labels = fs::File::create(folder.path().join("train-labels-idx1-ubyte")).unwrap();
    idx::write_labels(labels, &[0; 19]).unwrap();
    let said = load_own(folder.path()).unwrap_err().to_string();
    assert!(
        said.contains("holds 20 images, but") && said.contains("holds 19 labels"),
        "{said}"
    );
}

#[test]
fn training_and_test_images_must_be_of_one_size() {
    let folder = tempfile::tempdir().unwrap();
    write_set(folder.path(), 20, 10);
    let images = fs::File::create(folder.path().join("t10k-images-idx3-ubyte")).unwrap();
    idx::write_images(images, &[0; 10 * 9], 3, 3).unwrap();
    let error = load_own(folder.path()).unwrap_err();
    assert!(
        matches!(
            error,
            DataError::SizesDiffer {
                train: (2, 3),
                test: (3, 3),
                ..
            }
        ),
        "{error}"
    );
}
