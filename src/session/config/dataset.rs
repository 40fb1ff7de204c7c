//! Which images, and where they come from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which images, and where they come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dataset {
    /// The data set.
    pub name: DatasetName,
    /// Where its files are looked for.
    pub source: DatasetSource,
    /// Whether rows and columns of every image change places, as EMNIST's files need it.
    pub transpose: bool,
}

impl Default for Dataset {
    fn default() -> Self {
        Self {
            name: DatasetName::Mnist,
            source: DatasetSource::Auto,
            transpose: false,
        }
    }
}

/// A data set by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DatasetName {
    /// Handwritten digits.
    Mnist,
    /// Articles of clothing.
    FashionMnist,
    /// Cursive Japanese characters.
    Kmnist,
    /// Animals and vehicles, in colour.
    Cifar10,
    /// Images of one's own, under this name.
    Own(String),
}

impl DatasetName {
    /// The name as its authors write it.
    pub fn label(&self) -> &str {
        match self {
            Self::Mnist => "MNIST",
            Self::FashionMnist => "Fashion-MNIST",
            Self::Kmnist => "KMNIST",
            Self::Cifar10 => "CIFAR-10",
            Self::Own(name) => name,
        }
    }
}

/// Where the images come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DatasetSource {
    /// The full set where it is present, else the embedded subset.
    Auto,
    /// The first 10,000 training and 2,000 test images, which the program carries.
    Embedded,
    /// The full set (60,000 + 10,000) in the data folder; an error where it is not there.
    Full,
    /// A folder of one's own.
    Folder(PathBuf),
    /// A file of one's own.
    File(PathBuf),
}
