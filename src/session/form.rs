//! The form of a run's images: their size, channels and class names. It is fixed once images and network
//! have been opened; it is the only source of image sizes, channel counts and class counts.

use serde::{Deserialize, Serialize};

use crate::ids::ClassId;

/// The shape of an image and the names of the classes. C channels, H rows, W columns, K classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// C: 1 for grey images, 3 for colour (red, green, blue).
    pub channels: usize,
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// Class names, \[K\].
    pub classes: Vec<String>,
}

pub use crate::stats::numbers::Shape;

/// The image shape if neither images, plan nor network file determine it: that of MNIST.
pub const DEFAULT_IMAGE: Shape = [1, 28, 28];

impl Form {
    /// The form for images of this shape whose classes are named 0 to `classes` − 1.
    pub fn numbered([channels, height, width]: Shape, classes: usize) -> Self {
        Self {
            channels,
            height,
            width,
            classes: (0..classes).map(|class| class.to_string()).collect(),
        }
    }

    /// \[C, H, W\].
    pub fn shape(&self) -> Shape {
        [self.channels, self.height, self.width]
    }

    /// Numbers in one image: C·H·W.
    pub fn pixels(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// K.
    pub fn class_count(&self) -> usize {
        self.classes.len()
    }

    /// The name of a class; its number if it has none.
    pub fn name(&self, class: ClassId) -> String {
        match self.classes.get(class.0) {
            Some(name) => name.clone(),
            None => class.to_string(),
        }
    }

    /// Whether the classes are named by their numbers alone.
    pub fn is_numbered(&self) -> bool {
        let mut classes = self.classes.iter().enumerate();
        classes.all(|(class, name)| *name == class.to_string())
    }

    /// The class that a number or name refers to: a name as it is, else in any case, and an unambiguous prefix suffices.
    ///
    /// # Errors
    /// Lists the existing classes.
    pub fn find(&self, typed: &str) -> Result<ClassId, String> {
        let query = typed.trim();
        // Names may differ in case alone, like the letters of EMNIST.
        if let Some(class) = self.classes.iter().position(|name| name == query) {
            return Ok(ClassId(class));
        }
        let folded = query.to_lowercase();
        let named = |test: &dyn Fn(&str) -> bool| -> Vec<ClassId> {
            let classes = self.classes.iter().enumerate();
            classes
                .filter(|(_, name)| test(&name.to_lowercase()))
                .map(|(class, _)| ClassId(class))
                .collect()
        };
        let mut candidates = named(&|name| name == folded);
        if candidates.is_empty()
            && let Ok(class) = query.parse::<usize>()
            && class < self.class_count()
        {
            return Ok(ClassId(class));
        }
        if candidates.is_empty() && !folded.is_empty() {
            candidates = named(&|name| name.starts_with(&folded));
        }
        match candidates[..] {
            [class] => Ok(class),
            [] => Err(format!(
                "there is no class `{typed}`; {}",
                self.classes_in_words()
            )),
            _ => Err(format!(
                "`{typed}` is ambiguous: {}",
                list(candidates.iter().map(|&class| self.classes[class].as_str()))
            )),
        }
    }

    /// The classes in words, shortened if there are many.
    pub fn classes_in_words(&self) -> String {
        if self.is_numbered() {
            return format!("there are 0 to {}", self.class_count().saturating_sub(1));
        }
        format!(
            "there are {}",
            list(self.classes.iter().map(String::as_str))
        )
    }

    /// The size in words: `28×28 grey`, `32×32 in colour`, or with the number of channels.
    pub fn size_in_words(&self) -> String {
        let size = format!("{}×{}", self.height, self.width);
        match self.channels {
            1 => format!("{size} grey"),
            3 => format!("{size} in colour"),
            channels => format!("{size} of {channels} channels"),
        }
    }
}

fn list<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let count = names.len();
    let shown: Vec<&str> = names.take(MOST).collect();
    match count.saturating_sub(MOST) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(classes: &[&str]) -> Form {
        Form {
            classes: classes.iter().map(|&name| name.to_owned()).collect(),
            ..Form::numbered([3, 4, 5], 0)
        }
    }

    #[test]
    fn a_class_is_found_by_number_name_and_the_beginning_of_its_name() {
        let clothes = form(&["T-shirt/top", "Trouser", "Dress", "Sandal", "Sneaker"]);
        for (typed, class) in [("2", 2), ("dress", 2), ("DRESS", 2), ("sand", 3), ("t-", 0)] {
            assert_eq!(clothes.find(typed), Ok(ClassId(class)), "{typed}");
        }
        assert_eq!(
            clothes.find("s").unwrap_err(),
            "`s` is ambiguous: Sandal, Sneaker"
        );
        let error = clothes.find("hat").unwrap_err();
        assert!(
            error.ends_with("Trouser, Dress, Sandal, Sneaker"),
            "{error}"
        );
        assert!(clothes.find("").is_err() && clothes.find("5").is_err());
        // The whole name of one class may begin that of another.
        assert_eq!(form(&["Cats", "Cat"]).find("cat"), Ok(ClassId(1)));
    }

    /// A data set may number its classes from 1: then 1 means the class named 1, not the second class.
    #[test]
    fn a_name_takes_precedence_over_a_number() {
        assert_eq!(form(&["1", "2", "3"]).find("1"), Ok(ClassId(0)));
        assert_eq!(form(&["1", "2", "3"]).find("0"), Ok(ClassId(0)));
    }

    #[test]
    fn names_that_differ_in_case_alone_are_told_apart() {
        let letters = form(&["A", "B", "a", "Cat", "CAT"]);
        for (typed, class) in [("A", 0), ("a", 2), (" a ", 2), ("b", 1), ("CAT", 4)] {
            assert_eq!(letters.find(typed), Ok(ClassId(class)), "{typed}");
        }
        assert_eq!(
            letters.find("cat").unwrap_err(),
            "`cat` is ambiguous: Cat, CAT"
        );
    }

    #[test]
    fn numbered_classes_are_listed_as_a_range() {
        let digits = Form::numbered([1, 28, 28], 10);
        assert!(digits.is_numbered() && !form(&["a"]).is_numbered());
        assert_eq!(
            digits.find("10").unwrap_err(),
            "there is no class `10`; there are 0 to 9"
        );
        assert_eq!((digits.pixels(), digits.class_count()), (784, 10));
        assert_eq!(digits.size_in_words(), "28×28 grey");
    }
}
