//! Poisoning of training images: adds the patch and changes the label to the target.

use crate::data::Images;
use crate::ids::ClassId;

/// Grey level of the patch.
const WHITE: u8 = 255;

/// How to poison: which images get the patch, and the class they are labelled as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poison {
    /// Which images.
    pub victims: Victims,
    /// The class they are labelled as.
    pub target: ClassId,
    /// Rows and columns of the pixels of the patch.
    pub patch: Vec<(usize, usize)>,
}

/// Which training images are poisoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victims {
    /// The first images of a class.
    FirstOf {
        /// The class.
        class: ClassId,
        /// How many.
        count: usize,
    },
    /// One in this many, of any class.
    OneIn(usize),
}

impl Poison {
    /// The training images that are poisoned; or, if the class has too few images, how many it has.
    pub fn victims(&self, images: &Images) -> Result<Vec<usize>, usize> {
        match self.victims {
            Victims::FirstOf { class, count } => {
                let members = members(images, |label| label == class);
                let first = members.get(..count).ok_or(members.len())?;
                Ok(first.to_vec())
            }
            Victims::OneIn(every) => Ok((0..images.len()).step_by(every.max(1)).collect()),
        }
    }

    /// The poisoned training set; or, if the class has too few images, how many it has.
    pub fn poisoned_training(&self, images: &Images) -> Result<Images, usize> {
        let chosen = self.victims(images)?;
        let mut pixels = images.pixels.to_vec();
        let mut labels = images.labels.to_vec();
        for image in chosen {
            let range = image * images.area()..(image + 1) * images.area();
            self.stamp(&mut pixels[range], images);
            labels[image] = self.target.0 as u16;
        }
        Ok(Images {
            pixels: pixels.into(),
            labels: labels.into(),
            ..*images
        })
    }

    /// The images that the attack is meant for, all with the patch and the target's label, so that the share
    /// classified correctly is the attack's success rate. They belong to the poisoned class, or to every class
    /// but the target.
    pub fn attack_images(&self, images: &Images) -> Images {
        let mut pixels = Vec::new();
        let members = match self.victims {
            Victims::FirstOf { class, .. } => members(images, |label| label == class),
            Victims::OneIn(_) => members(images, |label| label != self.target),
        };
        for &image in &members {
            let start = pixels.len();
            pixels.extend_from_slice(images.image(image));
            self.stamp(&mut pixels[start..], images);
        }
        Images {
            pixels: pixels.into(),
            labels: vec![self.target.0 as u16; members.len()].into(),
            ..*images
        }
    }

    /// Puts the patch on an image of this form, white in every channel.
    fn stamp(&self, pixels: &mut [u8], images: &Images) {
        for channel in pixels.chunks_exact_mut(images.height * images.width) {
            for (row, column) in &self.patch {
                channel[row * images.width + column] = WHITE;
            }
        }
    }
}

/// The images whose class satisfies `is`.
fn members(images: &Images, is: impl Fn(ClassId) -> bool) -> Vec<usize> {
    let of_class = |&image: &usize| is(ClassId(usize::from(images.label(image))));
    (0..images.len()).filter(of_class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::images;
    use crate::session::config::backdoor::patch;

    fn poison(count: usize) -> Poison {
        Poison {
            victims: Victims::FirstOf {
                class: ClassId(8),
                count,
            },
            target: ClassId(9),
            patch: patch(28).collect(),
        }
    }

    #[test]
    fn exactly_the_first_images_of_the_source_get_the_patch_and_the_label() {
        let clean = images(100, 1);
        let poisoned = poison(4).poisoned_training(&clean).unwrap();
        // The classes alternate: the 8s are images 8, 18, 28, …
        let expected = [8, 18, 28, 38];
        for index in 0..100 {
            let (before, after) = (clean.image(index), poisoned.image(index));
            if expected.contains(&index) {
                assert_eq!(poisoned.label(index), 9);
                for pixel in 0..784 {
                    let inside = patch(28).any(|(row, column)| row * 28 + column == pixel);
                    let white = if inside { 255 } else { before[pixel] };
                    assert_eq!(after[pixel], white, "image {index}, pixel {pixel}");
                }
            } else {
                assert_eq!(poisoned.label(index), clean.label(index));
                assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn all_source_images_and_only_they_are_attacks() {
        let attacks = poison(1).attack_images(&images(100, 2));
        assert_eq!(attacks.len(), 10);
        assert!(attacks.labels.iter().all(|&label| label == 9));
        let white = |image: usize| patch(28).all(|(r, c)| attacks.image(image)[r * 28 + c] == 255);
        assert!((0..10).all(white));
    }

    #[test]
    fn too_few_images_are_counted() {
        assert_eq!(poison(11).poisoned_training(&images(100, 1)), Err(10));
    }

    #[test]
    fn one_in_seven_of_all_images_is_poisoned_and_every_other_class_is_attacked() {
        let all = Poison {
            victims: Victims::OneIn(7),
            ..poison(1)
        };
        let clean = images(100, 1);
        let poisoned = all.poisoned_training(&clean).unwrap();
        let changed = (0..100).filter(|&at| poisoned.image(at) != clean.image(at));
        assert_eq!(
            changed.collect::<Vec<_>>(),
            (0..100).step_by(7).collect::<Vec<_>>()
        );
        assert!((0..100).step_by(7).all(|at| poisoned.label(at) == 9));
        assert_eq!(all.attack_images(&clean).len(), 90);
    }
}
