//! Labelled images in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::session::form::{Form, Shape};

/// Labelled images of the same size, with one or more channels. Cloning shares the pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Levels 0..=255, `[n, channels, height, width]`.
    pub pixels: Arc<[u8]>,
    /// Class of each image, `[n]`.
    pub labels: Arc<[u16]>,
    /// Channels of an image: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Number of classes; all labels are below it.
    pub classes: usize,
}

impl Images {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Levels per image: `channels × height × width`.
    pub fn area(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Channels, rows and columns of an image.
    pub fn shape(&self) -> Shape {
        [self.channels, self.height, self.width]
    }

    /// An empty set of images of the given form.
    pub fn none(form: &Form) -> Self {
        Self {
            pixels: Arc::from([]),
            labels: Arc::from([]),
            channels: form.channels,
            height: form.height,
            width: form.width,
            classes: form.class_count(),
        }
    }

    /// Pixels of image `index`, `[channels, height, width]`, row by row.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.area()..(index + 1) * self.area()]
    }

    /// Class of image `index`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Self::len).
    pub fn label(&self, index: usize) -> u16 {
        self.labels[index]
    }

    /// Indices of the images of each class, ascending: `[classes]` lists, some possibly empty.
    /// Images with a label beyond the classes are in no list.
    pub fn by_class(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.classes];
        for (index, &label) in self.labels.iter().enumerate() {
            if let Some(class) = members.get_mut(usize::from(label)) {
                class.push(index);
            }
        }
        members
    }

    /// Indices of at most `most` images, ascending: the first ones; but if the images of each class follow each other, as
    /// in folders of pictures, images evenly spread over all, since the first ones would be of the first classes alone.
    pub fn sample(&self, most: usize) -> Vec<usize> {
        let (all, count) = (self.len(), most.min(self.len()));
        match self.is_grouped() {
            true => (0..count).map(|at| at * all / count).collect(),
            false => (0..count).collect(),
        }
    }

    /// Whether there are several classes, and the images of each follow each other.
    fn is_grouped(&self) -> bool {
        let runs = self.labels.chunk_by(|a, b| a == b).count();
        let classes: BTreeSet<u16> = self.labels.iter().copied().collect();
        runs == classes.len() && (2..self.len()).contains(&runs)
    }

    /// Number of images of each class, `[classes]`.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
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
            channels: 1,
            height: 1,
            width: 4,
            classes: 3,
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
        assert_eq!(members[2], [0, 2]);
        assert_eq!(members[0], [1]);
        assert!(members[1].is_empty());
    }

    #[test]
    fn a_sample_is_the_first_images_or_spread_over_all_if_those_of_each_class_follow_each_other() {
        let sample = |labels: &[u16], most: usize| {
            let images = Images {
                labels: Arc::from(labels),
                ..three()
            };
            images.sample(most)
        };
        let grouped = [2, 2, 2, 2, 0, 0, 1, 1];
        assert_eq!(sample(&grouped, 4), [0, 2, 4, 6]);
        assert_eq!(sample(&grouped, 3), [0, 2, 5]);
        assert_eq!(sample(&grouped, 7), [0, 1, 2, 3, 4, 5, 6]);
        for most in [8, 9] {
            assert_eq!(sample(&grouped, most), [0, 1, 2, 3, 4, 5, 6, 7]);
        }
        // One image out of place; one class; one image of each class.
        assert_eq!(sample(&[2, 2, 2, 2, 0, 0, 1, 2], 4), [0, 1, 2, 3]);
        assert_eq!(sample(&[1, 1, 1, 1], 2), [0, 1]);
        assert_eq!(sample(&[1, 0, 2, 3], 2), [0, 1]);
        assert!(sample(&grouped, 0).is_empty() && sample(&[], 3).is_empty());
    }

    #[test]
    fn counts_are_the_lengths_of_the_lists() {
        let lengths: Vec<usize> = three().by_class().iter().map(Vec::len).collect();
        assert_eq!(three().class_counts().to_vec(), lengths);
    }
}
