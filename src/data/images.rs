//! Labelled grey images in memory.

use std::sync::Arc;

/// Number of classes of every set that noisescope knows.
pub const CLASSES: usize = 10;

/// Labelled grey images of one size. Cloning shares the pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Grey levels 0..=255, `[n, height, width]`.
    pub pixels: Arc<[u8]>,
    /// Class of each image, `[n]`.
    pub labels: Arc<[u8]>,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
}

impl Images {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Pixels of one image: `height × width`.
    pub fn area(&self) -> usize {
        self.height * self.width
    }

    /// Pixels of image `index`, `[height, width]`, row by row.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.area()..(index + 1) * self.area()]
    }

    /// Class of image `index`.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }

    /// Indices of the images of each class, ascending: `[CLASSES]` lists, some perhaps empty.
    /// A label beyond the classes is in no list.
    pub fn by_class(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); CLASSES];
        for (index, &label) in self.labels.iter().enumerate() {
            if let Some(class) = members.get_mut(usize::from(label)) {
                class.push(index);
            }
        }
        members
    }

    /// Number of images of each class, `[CLASSES]`.
    pub fn class_counts(&self) -> [usize; CLASSES] {
        let mut counts = [0; CLASSES];
        for &label in self.labels.iter() {
            if let Some(count) = counts.get_mut(usize::from(label)) {
                *count += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Images {
        Images {
            pixels: (0..12).collect(),
            labels: Arc::from([2, 0, 2]),
            height: 1,
            width: 4,
        }
    }

    #[test]
    fn an_image_is_its_own_pixels() {
        assert_eq!(three().image(1), [4, 5, 6, 7]);
        assert_eq!(three().label(1), 0);
    }

    #[test]
    fn classes_list_their_images_in_order() {
        let members = three().by_class();
        assert_eq!(members.len(), CLASSES);
        assert_eq!(members[2], [0, 2]);
        assert_eq!(members[0], [1]);
        assert!(members[1].is_empty());
    }

    #[test]
    fn counts_are_the_lengths_of_the_lists() {
        let lengths: Vec<usize> = three().by_class().iter().map(Vec::len).collect();
        assert_eq!(three().class_counts().to_vec(), lengths);
    }
}
