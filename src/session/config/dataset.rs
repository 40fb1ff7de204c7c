//! The data set of a plan and where its files are found.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The data set and where its files are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dataset {
    /// The data set.
    pub name: DatasetName,
    /// Where its files are found.
    pub source: DatasetSource,
    /// Whether every image is transposed, as EMNIST's files require.
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

impl Dataset {
    /// The name in headers and reports: the set's or, where the plan leaves that at its default and gives a folder or
    /// file, theirs.
    pub fn label(&self) -> &str {
        let set = self.name.label();
        let given = match (&self.name, &self.source) {
            (DatasetName::Mnist, DatasetSource::Folder(folder)) => folder_name(folder),
            (DatasetName::Mnist, DatasetSource::File(file)) => file.file_stem(),
            _ => None,
        };
        let given = given.and_then(|name| name.to_str());
        // The user's own folder of MNIST is usually named after it.
        let given = given.filter(|name| !name.eq_ignore_ascii_case(set));
        given
            .filter(|name| !name.contains(char::is_control))
            .unwrap_or(set)
    }
}

/// The name of a folder of images. torchvision puts a set's files into `raw` below the set's folder.
fn folder_name(folder: &Path) -> Option<&OsStr> {
    let name = folder.file_name()?;
    match name == "raw" {
        true => folder.parent()?.file_name().or(Some(name)),
        false => Some(name),
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
    /// A user's own images, under this name.
    Own(String),
}

impl DatasetName {
    /// Class names of a built-in set, in label order.
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

    /// Class names in label order; numbers if the set has no names.
    pub fn class_names(&self, classes: usize) -> Vec<String> {
        match self.known_classes() {
            Some(names) if names.len() == classes => {
                names.iter().map(|&name| name.to_owned()).collect()
            }
            _ => (0..classes).map(|class| class.to_string()).collect(),
        }
    }

    /// The name as its authors spell it.
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
    /// The full set if present, otherwise the embedded subset.
    Auto,
    /// The first 10,000 training and 2,000 test images, embedded in the program.
    Embedded,
    /// The full set (60,000 + 10,000) in the data folder; an error if it is missing.
    Full,
    /// A user's folder.
    Folder(PathBuf),
    /// A user's file.
    File(PathBuf),
}

/// Serialization of an optional data set without `Some`: `dataset: None` or `dataset: (name: …)`.
pub(super) mod or_none {
    use std::fmt;

    use serde::de::value::MapAccessDeserializer;
    use serde::de::{Deserializer, Error, MapAccess, Visitor};
    use serde::{Deserialize, Serialize, Serializer};

    use super::Dataset;

    pub fn serialize<S: Serializer>(dataset: &Option<Dataset>, to: S) -> Result<S::Ok, S::Error> {
        match dataset {
            Some(dataset) if to.is_human_readable() => dataset.serialize(to),
            dataset => dataset.serialize(to),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Dataset>, D::Error> {
        if !from.is_human_readable() {
            return Option::deserialize(from);
        }
        from.deserialize_any(OptionalDatasetVisitor)
    }

    struct OptionalDatasetVisitor;

    impl<'de> Visitor<'de> for OptionalDatasetVisitor {
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

        /// A name without parentheses, `FashionMnist`, arrives here without the name, as `()` does.
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Err(E::custom(
                "a data set is written with its name in parentheses, for example (name: FashionMnist); None means noise alone",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_without_a_sets_name_are_called_after_their_folder_or_file() {
        let folder = |path: &str| DatasetSource::Folder(path.into());
        let file = |path: &str| DatasetSource::File(path.into());
        for (source, label) in [
            (folder("/home/ada/pets"), "pets"),
            (folder("photos.2024"), "photos.2024"),
            (folder("/data/letters/raw"), "letters"),
            (file("/home/ada/shapes.npz"), "shapes"),
            (folder("/data/mnist"), "MNIST"),
            (folder("/data/MNIST/raw"), "MNIST"),
            (file("mnist.npz"), "MNIST"),
            (folder("/"), "MNIST"),
            (folder("/data/a\u{1b}b"), "MNIST"),
            (DatasetSource::Auto, "MNIST"),
            (DatasetSource::Full, "MNIST"),
            (DatasetSource::Embedded, "MNIST"),
        ] {
            let dataset = Dataset {
                source,
                ..Dataset::default()
            };
            assert_eq!(dataset.label(), label, "{dataset:?}");
        }
        for (name, label) in [
            (DatasetName::FashionMnist, "Fashion-MNIST"),
            (DatasetName::Own("mine".into()), "mine"),
        ] {
            let dataset = Dataset {
                name,
                source: folder("/home/ada/pets"),
                ..Dataset::default()
            };
            assert_eq!(dataset.label(), label);
        }
    }

    #[test]
    fn classes_are_named_as_in_their_set_or_numbered_where_there_are_more_or_fewer() {
        let names = |name: DatasetName, classes: usize| name.class_names(classes);
        assert_eq!(
            names(DatasetName::Kmnist, 10),
            ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
        );
        assert_eq!(names(DatasetName::Kmnist, 3), ["0", "1", "2"]);
        assert_eq!(names(DatasetName::Cifar10, 11).last().unwrap(), "10");
        assert_eq!(names(DatasetName::Own("mine".into()), 2), ["0", "1"]);
    }

    /// The data set of a plan, alone.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Plan {
        #[serde(with = "or_none")]
        dataset: Option<Dataset>,
    }

    #[test]
    fn a_plan_names_its_data_set_without_some_or_says_none() {
        let kmnist = Some(Dataset {
            name: DatasetName::Kmnist,
            ..Dataset::default()
        });
        let write = |dataset: Option<Dataset>| ron::to_string(&Plan { dataset }).unwrap();
        assert_eq!(
            write(kmnist.clone()),
            "(dataset:(name:Kmnist,source:Auto,transpose:false))"
        );
        assert_eq!(write(None), "(dataset:None)");
        for (text, expected) in [
            ("(dataset: (name: Kmnist))", kmnist.clone()),
            ("(dataset: Some((name: Kmnist)))", kmnist),
            ("(dataset: None)", None),
        ] {
            assert_eq!(ron::from_str::<Plan>(text).unwrap().dataset, expected);
        }
        let error = ron::from_str::<Plan>("(dataset: 5)").unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("a data set such as (name: Mnist), or None"),
            "{error}"
        );
    }

    #[test]
    fn a_set_named_without_its_parentheses_is_refused_and_not_read_as_the_default_one() {
        for bare in ["FashionMnist", "Cifar10", "Fashion", "()"] {
            let text = format!("(\n  dataset: {bare},\n)");
            let error = ron::from_str::<Plan>(&text).unwrap_err();
            assert_eq!(error.span.start.line, 2, "{bare}");
            let error = error.to_string();
            assert!(error.contains("(name: FashionMnist)"), "{bare}: {error}");
        }
    }

    #[test]
    fn a_data_set_and_the_lack_of_one_are_sent_as_they_are() {
        for dataset in [None, Some(Dataset::default())] {
            let plan = Plan { dataset };
            let bytes = postcard::to_stdvec(&plan).unwrap();
            assert_eq!(postcard::from_bytes::<Plan>(&bytes).unwrap(), plan);
        }
    }
}
