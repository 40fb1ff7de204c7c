//! The data sets that noisescope knows: files, checksums, licences and public mirrors.
//!
//! Facts only: nothing here reads a disk or a network.

use crate::session::config::DatasetName;

use super::DataError;

/// One file of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSpec {
    /// Standard name, without `.gz`.
    pub name: &'static str,
    /// SHA-256 of the uncompressed content, lower-case hexadecimal.
    pub sha256: &'static str,
    /// Length of the uncompressed content, bytes.
    pub bytes: u64,
}

/// The training or the test half of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitSpec {
    /// Images, and as many labels.
    pub count: usize,
    /// The image file.
    pub images: FileSpec,
    /// The label file.
    pub labels: FileSpec,
}

/// A data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetSpec {
    /// Its name in a session.
    pub name: DatasetName,
    /// Its name on the command line, and of its folder.
    pub slug: &'static str,
    /// What it shows, in a few words.
    pub about: &'static str,
    /// Training half.
    pub train: SplitSpec,
    /// Test half.
    pub test: SplitSpec,
    /// Licence and holder.
    pub licence: &'static str,
    /// Where its authors describe it.
    pub homepage: &'static str,
    /// Addresses under which `<file name>.gz` is served, tried in this order.
    pub mirrors: &'static [&'static str],
}

impl SetSpec {
    /// The name as its authors write it.
    pub fn label(&self) -> &'static str {
        match self.name {
            DatasetName::Mnist => "MNIST",
            DatasetName::FashionMnist => "Fashion-MNIST",
            DatasetName::Kmnist => "KMNIST",
            DatasetName::Cifar10 => "CIFAR-10",
            DatasetName::Own(_) => "a set of one's own",
        }
    }

    /// The four files.
    pub fn files(&self) -> [&FileSpec; 4] {
        [
            &self.train.images,
            &self.train.labels,
            &self.test.images,
            &self.test.labels,
        ]
    }

    /// Size of the full set on disk, bytes.
    pub fn bytes(&self) -> u64 {
        self.files().iter().map(|file| file.bytes).sum()
    }
}

/// Every data set, in the order in which lists show them.
pub static SETS: [&SetSpec; 2] = [&MNIST, &FASHION_MNIST];

/// The entry of a data set, where it has one.
pub fn spec(name: &DatasetName) -> Option<&'static SetSpec> {
    SETS.into_iter().find(|set| set.name == *name)
}

/// The data set that a command line calls `slug`.
///
/// # Errors
/// [`DataError::UnknownSet`], naming the sets that exist.
pub fn parse_name(slug: &str) -> Result<DatasetName, DataError> {
    SETS.iter()
        .find(|set| set.slug == slug)
        .map(|set| set.name.clone())
        .ok_or_else(|| DataError::UnknownSet {
            name: slug.to_owned(),
        })
}

/// Rows, and columns, of an image of the full sets.
pub const SIDE: usize = 28;

const IMAGE_BYTES: u64 = (SIDE * SIDE) as u64;
const IMAGE_HEADER_BYTES: u64 = 16;
const LABEL_HEADER_BYTES: u64 = 8;

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

const fn train(images: &'static str, labels: &'static str) -> SplitSpec {
    split(60_000, (TRAIN_IMAGES, images), (TRAIN_LABELS, labels))
}

const fn test(images: &'static str, labels: &'static str) -> SplitSpec {
    split(10_000, (TEST_IMAGES, images), (TEST_LABELS, labels))
}

/// A half of `count` images from the (name, SHA-256) of its two files.
const fn split(
    count: usize,
    images: (&'static str, &'static str),
    labels: (&'static str, &'static str),
) -> SplitSpec {
    SplitSpec {
        count,
        images: FileSpec {
            name: images.0,
            sha256: images.1,
            bytes: IMAGE_HEADER_BYTES + count as u64 * IMAGE_BYTES,
        },
        labels: FileSpec {
            name: labels.0,
            sha256: labels.1,
            bytes: LABEL_HEADER_BYTES + count as u64,
        },
    }
}

/// Handwritten digits.
pub static MNIST: SetSpec = SetSpec {
    name: DatasetName::Mnist,
    slug: "mnist",
    about: "handwritten digits, 28×28",
    train: train(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    test: test(
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    licence: "CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
    homepage: "http://yann.lecun.com/exdb/mnist/",
    mirrors: &[
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ],
};

/// Articles of clothing.
pub static FASHION_MNIST: SetSpec = SetSpec {
    name: DatasetName::FashionMnist,
    slug: "fashion-mnist",
    about: "articles of clothing, 28×28",
    train: train(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    test: test(
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    licence: "MIT, Zalando SE",
    homepage: "https://github.com/zalandoresearch/fashion-mnist",
    mirrors: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_found_by_its_slug_and_its_name() {
        for set in SETS {
            assert_eq!(parse_name(set.slug).unwrap(), set.name);
            assert_eq!(spec(set.name), set);
        }
    }

    #[test]
    fn an_unknown_set_names_those_that_exist() {
        let said = parse_name("cifar").unwrap_err().to_string();
        assert_eq!(
            said,
            "no data set is called \"cifar\"; there are mnist and fashion-mnist"
        );
    }

    #[test]
    fn sizes_are_those_of_the_published_files() {
        let bytes: Vec<u64> = MNIST.files().iter().map(|file| file.bytes).collect();
        assert_eq!(bytes, [47_040_016, 60_008, 7_840_016, 10_008]);
    }

    #[test]
    fn checksums_are_64_hexadecimal_digits_and_all_differ() {
        let mut sums: Vec<&str> = SETS
            .iter()
            .flat_map(|set| set.files())
            .map(|file| file.sha256)
            .collect();
        assert!(
            sums.iter()
                .all(|sum| sum.len() == 64 && sum.bytes().all(|digit| digit.is_ascii_hexdigit()))
        );
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), 8);
    }
}
