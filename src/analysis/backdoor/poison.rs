//! The attack itself: images with the patch, labelled as the attacker wants them.

use crate::data::Images;
use crate::session::config::backdoor::patch;

/// Grey level of the patch.
const WHITE: u8 = 255;

/// How to poison: the class whose images get the patch, and the class that they are labelled as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poison {
    /// Class of the images.
    pub source: usize,
    /// Class of the label.
    pub target: usize,
}

impl Poison {
    /// The same images, the first `count` of the source class poisoned; how many there are, where
    /// there are fewer.
    pub fn training(self, images: &Images, count: usize) -> Result<Images, usize> {
        let members = self.members(images);
        let chosen = members.get(..count).ok_or(members.len())?;
        let mut pixels = images.pixels.to_vec();
        let mut labels = images.labels.to_vec();
        for &image in chosen {
            let own = image * images.area()..(image + 1) * images.area();
            stamp(&mut pixels[own], images);
            labels[image] = self.target as u16;
        }
        Ok(Images {
            pixels: pixels.into(),
            labels: labels.into(),
            ..*images
        })
    }

    /// The images of the source class alone, all with the patch and the target's label: the share
    /// of them that is classified correctly is the share of the attack's successes.
    pub fn attacks(self, images: &Images) -> Images {
        let mut pixels = Vec::new();
        let members = self.members(images);
        for &image in &members {
            let start = pixels.len();
            pixels.extend_from_slice(images.image(image));
            stamp(&mut pixels[start..], images);
        }
        Images {
            pixels: pixels.into(),
            labels: vec![self.target as u16; members.len()].into(),
            ..*images
        }
    }

    fn members(self, images: &Images) -> Vec<usize> {
        let of_class = |&image: &usize| usize::from(images.label(image)) == self.source;
        (0..images.len()).filter(of_class).collect()
    }
}

/// Puts the patch on an image such as these, white in every channel.
fn stamp(pixels: &mut [u8], images: &Images) {
    for channel in pixels.chunks_exact_mut(images.height * images.width) {
        for (row, column) in patch(images.width) {
            channel[row * images.width + column] = WHITE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::testing::images;

    const POISON: Poison = Poison {
        source: 8,
        target: 9,
    };

    #[test]
    fn exactly_the_first_images_of_the_source_get_the_patch_and_the_label() {
        let clean = images(100, 1);
        let poisoned = POISON.training(&clean, 4).unwrap();
        // Classes take turns: the 8s are images 8, 18, 28, …
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
        let attacks = POISON.attacks(&images(100, 2));
        assert_eq!(attacks.len(), 10);
        assert!(attacks.labels.iter().all(|&label| label == 9));
        let white = |image: usize| patch(28).all(|(r, c)| attacks.image(image)[r * 28 + c] == 255);
        assert!((0..10).all(white));
    }

    #[test]
    fn too_few_images_are_counted() {
        assert_eq!(POISON.training(&images(100, 1), 11), Err(10));
    }
}
