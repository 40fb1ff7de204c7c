//! The role of a file or array, inferred from its name: which part of which set, and images or labels.

/// Images, or the labels of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FileContent {
    Images,
    Labels,
}

/// A part of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SetPart {
    Train,
    Test,
    Validation,
    /// A set that is not divided.
    Whole,
}

impl SetPart {
    /// The part that a word denotes, such as `train` or `val`.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "test" | "testing" | "t10k" => Some(Self::Test),
            "val" | "valid" | "validation" | "dev" => Some(Self::Validation),
            _ => None,
        }
    }
}

/// The role that a name denotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileRole {
    /// The rest of the name: the name of the set, often empty.
    pub set: String,
    /// The part; `Whole` if none is named.
    pub part: SetPart,
    /// Images or labels; `None` if the name does not say.
    pub content: Option<FileContent>,
}

/// Parses a name such as `emnist-letters-train-images-idx3-ubyte.gz`, `X_train` or `test_labels`.
pub(super) fn parse_role(name: &str) -> FileRole {
    let mut role = FileRole {
        set: String::new(),
        part: SetPart::Whole,
        content: None,
    };
    let mut rest = Vec::new();
    let lower = name.to_ascii_lowercase();
    for word in lower.split(|letter: char| !letter.is_alphanumeric()) {
        // `xtrain` as one word is common in notebooks.
        let joined = ["x", "y"].into_iter().find_map(|first| {
            let part = SetPart::named(word.strip_prefix(first)?)?;
            Some((
                if first == "x" {
                    FileContent::Images
                } else {
                    FileContent::Labels
                },
                part,
            ))
        });
        match word {
            _ if joined.is_some() => {
                if let Some((what, part)) = joined {
                    (role.content, role.part) = (Some(what), part);
                }
            }
            "x" | "image" | "images" | "img" | "imgs" | "data" | "pixels" | "features" => {
                role.content = role.content.or(Some(FileContent::Images));
            }
            "y" | "label" | "labels" | "target" | "targets" => {
                role.content = Some(FileContent::Labels);
            }
            "" | "idx" | "idx1" | "idx2" | "idx3" | "idx4" | "ubyte" | "gz" | "npy" | "npz" => {}
            _ => match SetPart::named(word) {
                Some(part) => role.part = part,
                None => rest.push(word),
            },
        }
    }
    if names_classes(name) {
        role.content = None;
    }
    role.set = rest.join("-");
    role
}

/// Whether a name is that of the names of classes, such as `label_names`, which label no image.
pub(super) fn names_classes(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .collect();
    words.windows(2).any(|pair| {
        matches!(
            pair,
            ["label" | "labels" | "target" | "targets", "name" | "names"]
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_naming_conventions_are_understood() {
        use FileContent::*;
        use SetPart::*;
        for (name, set, part, what) in [
            ("train-images-idx3-ubyte", "", Train, Some(Images)),
            ("t10k-labels.idx1-ubyte", "", Test, Some(Labels)),
            (
                "emnist-letters-test-images-idx3-ubyte.gz",
                "emnist-letters",
                Test,
                Some(Images),
            ),
            ("x_train", "", Train, Some(Images)),
            ("Y_TEST", "", Test, Some(Labels)),
            ("Xtrain.npy", "", Train, Some(Images)),
            ("val_labels", "", Validation, Some(Labels)),
            ("kmnist-train-imgs.npz", "kmnist", Train, Some(Images)),
            ("images", "", Whole, Some(Images)),
            ("y", "", Whole, Some(Labels)),
            ("label_names", "names", Whole, None),
            ("Target Names", "names", Whole, None),
            (
                "street-names-train-labels",
                "street-names",
                Train,
                Some(Labels),
            ),
            ("arr_0", "arr-0", Whole, None),
        ] {
            let expected = FileRole {
                set: set.to_owned(),
                part,
                content: what,
            };
            assert_eq!(parse_role(name), expected, "{name}");
        }
    }
}
