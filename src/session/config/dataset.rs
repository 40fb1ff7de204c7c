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
    /// Names of the classes of a known set, in the order of their labels.
    pub const fn known_classes(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Mnist => Some(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]),
            Self::FashionMnist => Some(&[
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ]),
            Self::Kmnist => Some(&["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]),
            Self::Cifar10 => Some(&[
                "airplane",
                "automobile",
                "bird",
                "cat",
                "deer",
                "dog",
                "frog",
                "horse",
                "ship",
                "truck",
            ]),
            Self::Own(_) => None,
        }
    }

    /// Names of the classes, in the order of their labels; numbers where the set has no names.
    pub fn class_names(&self, classes: usize) -> Vec<String> {
        match self.known_classes() {
            Some(names) if names.len() == classes => {
                names.iter().map(|&name| name.to_owned()).collect()
            }
            _ => (0..classes).map(|class| class.to_string()).collect(),
        }
    }

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

/// A data set that may be missing, spelt without `Some`: `dataset: None` or `dataset: (name: …)`.
pub(super) mod or_none {
    use std::fmt;

    use serde::de::value::MapAccessDeserializer;
    use serde::de::{Deserializer, MapAccess, Visitor};
    use serde::{Deserialize, Serialize, Serializer};

    use super::Dataset;

    pub fn serialize<S: Serializer>(it: &Option<Dataset>, to: S) -> Result<S::Ok, S::Error> {
        match it {
            Some(dataset) if to.is_human_readable() => dataset.serialize(to),
            it => it.serialize(to),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Dataset>, D::Error> {
        if !from.is_human_readable() {
            return Option::deserialize(from);
        }
        from.deserialize_any(OrNone)
    }

    struct OrNone;

    impl<'de> Visitor<'de> for OrNone {
        type Value = Option<Dataset>;

        fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
            to.write_str("a data set such as (name: Mnist), or None")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
            Dataset::deserialize(from).map(Some)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Dataset::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        /// `()`: every field has its default.
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Some(Dataset::default()))
        }
    }
}
