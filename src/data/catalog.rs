//! The catalogue of known data sets: files, checksums, licences, mirrors, and instructions for sets that must be
//! downloaded by hand.
//!
//! Static facts only; nothing here accesses the disk or the network.

use crate::session::config::DatasetName;
use crate::session::form::Shape;

use super::DataError;

/// One file of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSpec {
    /// Standard name, without `.gz`.
    pub name: &'static str,
    /// SHA-256 of the uncompressed content, lower-case hexadecimal; `None` if not known for certain.
    pub sha256: Option<&'static str>,
    /// Length of the uncompressed content, bytes.
    pub bytes: u64,
}

/// A data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetSpec {
    /// Its name in a session.
    pub name: DatasetName,
    /// Its name on the command line, and the name of its folder.
    pub slug: &'static str,
    /// What it shows, in a few words.
    pub about: &'static str,
    /// Channels, rows and columns of an image.
    pub shape: Shape,
    /// Training images.
    pub train: usize,
    /// Test images.
    pub test: usize,
    /// The files of the full set.
    pub files: &'static [FileSpec],
    /// Licence and holder.
    pub licence: &'static str,
    /// The authors' web page.
    pub homepage: &'static str,
    /// Base URLs that serve `<file name>.gz`, tried in this order.
    pub mirrors: &'static [&'static str],
    /// Instructions for downloading the set by hand, if it cannot be fetched.
    pub by_hand: Option<&'static str>,
    /// Whether the first images of the set are built into the program.
    pub is_embedded: bool,
}

impl SetSpec {
    /// The name as the authors write it.
    pub fn label(&self) -> &'static str {
        match self.name {
            DatasetName::Mnist => "MNIST",
            DatasetName::FashionMnist => "Fashion-MNIST",
            DatasetName::Kmnist => "KMNIST",
            DatasetName::Cifar10 => "CIFAR-10",
            DatasetName::Own(_) => "a custom set",
        }
    }

    /// Names of the classes, in the order of their labels.
    pub fn classes(&self) -> &'static [&'static str] {
        self.name.known_classes().unwrap_or_default()
    }

    /// Size of the full set on disk, bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Every data set, in the order in which lists show them.
pub static SETS: [&SetSpec; 4] = [&MNIST, &FASHION_MNIST, &KMNIST, &CIFAR_10];

/// The entry of a data set, if it is in the catalogue.
pub fn spec(name: &DatasetName) -> Option<&'static SetSpec> {
    SETS.into_iter().find(|set| set.name == *name)
}

/// Parses the name that the command line uses for a data set.
///
/// # Errors
/// [`DataError::UnknownSet`], which lists the sets that exist.
pub fn parse_name(slug: &str) -> Result<DatasetName, DataError> {
    SETS.iter()
        .find(|set| set.slug == slug)
        .map(|set| set.name.clone())
        .ok_or_else(|| DataError::UnknownSet {
            name: slug.to_owned(),
        })
}

/// The four files of an MNIST-like set, given their checksums in the order training images, training labels, test
/// images, test labels.
const fn mnist_family(sums: [Option<&'static str>; 4]) -> [FileSpec; 4] {
    const IMAGE_BYTES: u64 = 28 * 28;
    const IMAGE_HEADER_BYTES: u64 = 16;
    const LABEL_HEADER_BYTES: u64 = 8;
    let [train_images, train_labels, test_images, test_labels] = sums;
    [
        FileSpec {
            name: "train-images-idx3-ubyte",
            sha256: train_images,
            bytes: IMAGE_HEADER_BYTES + 60_000 * IMAGE_BYTES,
        },
        FileSpec {
            name: "train-labels-idx1-ubyte",
            sha256: train_labels,
            bytes: LABEL_HEADER_BYTES + 60_000,
        },
        FileSpec {
            name: "t10k-images-idx3-ubyte",
            sha256: test_images,
            bytes: IMAGE_HEADER_BYTES + 10_000 * IMAGE_BYTES,
        },
        FileSpec {
            name: "t10k-labels-idx1-ubyte",
            sha256: test_labels,
            bytes: LABEL_HEADER_BYTES + 10_000,
        },
    ]
}

/// A CIFAR-10 file of 10,000 images: a label and 3×32×32 levels each.
const fn batch(name: &'static str) -> FileSpec {
    FileSpec {
        name,
        sha256: None,
        bytes: 10_000 * (1 + 3 * 32 * 32),
    }
}

/// Handwritten digits.
pub static MNIST: SetSpec = SetSpec {
    name: DatasetName::Mnist,
    slug: "mnist",
    about: "handwritten digits, 28×28",
    shape: [1, 28, 28],
    train: 60_000,
    test: 10_000,
    files: &mnist_family([
        Some("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        Some("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        Some("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        Some("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ]),
    licence: "CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
    homepage: "http://yann.lecun.com/exdb/mnist/",
    mirrors: &[
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ],
    by_hand: None,
    is_embedded: true,
};

/// Articles of clothing.
pub static FASHION_MNIST: SetSpec = SetSpec {
    name: DatasetName::FashionMnist,
    slug: "fashion-mnist",
    about: "articles of clothing, 28×28",
    shape: [1, 28, 28],
    train: 60_000,
    test: 10_000,
    files: &mnist_family([
        Some("c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        Some("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        Some("5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        Some("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ]),
    licence: "MIT, Zalando SE",
    homepage: "https://github.com/zalandoresearch/fashion-mnist",
    mirrors: &["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"],
    by_hand: None,
    is_embedded: true,
};

/// Cursive Japanese characters.
pub static KMNIST: SetSpec = SetSpec {
    name: DatasetName::Kmnist,
    slug: "kmnist",
    about: "cursive Japanese characters, 28×28",
    shape: [1, 28, 28],
    train: 60_000,
    test: 10_000,
    files: &mnist_family([None; 4]),
    licence: "CC BY-SA 4.0, ROIS-DS Center for Open Data in the Humanities",
    homepage: "http://codh.rois.ac.jp/kmnist/",
    mirrors: &[],
    by_hand: Some(
        "download train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and \
         t10k-labels-idx1-ubyte.gz of KMNIST from http://codh.rois.ac.jp/kmnist/",
    ),
    is_embedded: false,
};

/// Animals and vehicles, in colour.
pub static CIFAR_10: SetSpec = SetSpec {
    name: DatasetName::Cifar10,
    slug: "cifar-10",
    about: "animals and vehicles in colour, 32×32",
    shape: [3, 32, 32],
    train: 50_000,
    test: 10_000,
    files: &[
        batch("data_batch_1.bin"),
        batch("data_batch_2.bin"),
        batch("data_batch_3.bin"),
        batch("data_batch_4.bin"),
        batch("data_batch_5.bin"),
        batch("test_batch.bin"),
    ],
    licence: "none stated, Alex Krizhevsky, Vinod Nair and Geoffrey Hinton",
    homepage: "https://www.cs.toronto.edu/~kriz/cifar.html",
    mirrors: &[],
    by_hand: Some(
        "download the binary version, cifar-10-binary.tar.gz, from https://www.cs.toronto.edu/~kriz/cifar.html and \
         unpack it",
    ),
    is_embedded: false,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_found_by_its_slug_and_its_name() {
        for set in SETS {
            assert_eq!(parse_name(set.slug).unwrap(), set.name);
            assert_eq!(spec(&set.name), Some(set));
        }
    }

    #[test]
    fn an_unknown_set_names_those_that_exist() {
        let message = parse_name("cifar").unwrap_err().to_string();
        assert_eq!(
            message,
            "there is no data set \"cifar\"; there are mnist, fashion-mnist, kmnist and cifar-10"
        );
    }

    #[test]
    fn sizes_are_those_of_the_published_files() {
        let bytes: Vec<u64> = MNIST.files.iter().map(|file| file.bytes).collect();
        assert_eq!(bytes, [47_040_016, 60_008, 7_840_016, 10_008]);
        assert!(CIFAR_10.files.iter().all(|file| file.bytes == 30_730_000));
    }

    #[test]
    fn checksums_are_64_hexadecimal_digits_and_all_differ() {
        let mut sums: Vec<&str> = SETS
            .iter()
            .flat_map(|set| set.files)
            .filter_map(|file| file.sha256)
            .collect();
        assert!(
            sums.iter()
                .all(|sum| sum.len() == 64 && sum.bytes().all(|digit| digit.is_ascii_hexdigit()))
        );
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), 8);
    }

    #[test]
    fn every_set_has_mirrors_or_manual_instructions() {
        for set in SETS {
            assert_eq!(
                set.by_hand.is_none(),
                !set.mirrors.is_empty(),
                "{}",
                set.slug
            );
        }
    }
}
