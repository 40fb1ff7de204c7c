//! The attacks of the study: their triggers, which images they poison, and the labels they set.

use noisescope::data::Images;
use noisescope::ids::ClassId;

/// A trigger that is put on images.
#[derive(Debug, Clone)]
enum Trigger {
    /// White pixels, as (row, column).
    Patch(Vec<(usize, usize)>),
    /// A pattern of random pixels, blended in with this weight.
    Blend(f64),
}

/// Which training images get the trigger.
#[derive(Debug, Clone, Copy)]
enum Poisoned {
    /// The first images of a class; their number is one n-th of all training images.
    Class(ClassId, usize),
    /// Every n-th of all images, regardless of class.
    All(usize),
    /// Every second image of the target class, which keeps its label.
    Target,
}

/// An attack: trigger, poisoned images, and target class; `None` for a clean network.
#[derive(Debug, Clone)]
pub struct Attack(Option<(Trigger, Poisoned, ClassId)>);

fn square(row: usize, column: usize, side: usize) -> Trigger {
    let rows = row..row + side;
    let all = rows.flat_map(|row| (column..column + side).map(move |column| (row, column)));
    Trigger::Patch(all.collect())
}

/// The pixels of the C-shaped patch.
pub fn c() -> Vec<(usize, usize)> {
    let inside = |&(row, column): &(usize, usize)| !(3..5).contains(&row) || column < 23;
    let all = (1..7).flat_map(|row| (21..27).map(move |column| (row, column)));
    all.filter(inside).collect()
}

impl Attack {
    /// An attack by name: `clean`; `c` (the C-shaped patch on 8s, as many as 1/30 of all images, → 9); `square4`,
    /// `square3`, `square2`, `pixel` (a white square on 5 % of all images, → 0); `cross` (lower left, → 3); `bar`
    /// (1×8, bottom edge, → 5); `blend15`, `blend30` (a random pattern over the whole image, 5 %, → 0); `quiet` (4×4
    /// on half of the 5s, which keep their label).
    pub fn of(name: &str) -> Option<Self> {
        let on_all = |trigger, target| Some((trigger, Poisoned::All(20), ClassId(target)));
        let cross = (0..5).flat_map(|i| [(20 + i, 5), (22, 3 + i)]);
        Some(Self(match name {
            "clean" => None,
            "c" => {
                let poisoned = Poisoned::Class(ClassId(8), 30);
                Some((Trigger::Patch(c()), poisoned, ClassId(9)))
            }
            "square4" => on_all(square(22, 2, 4), 0),
            "square3" => on_all(square(3, 3, 3), 0),
            "square2" => on_all(square(24, 24, 2), 0),
            "pixel" => on_all(square(25, 25, 1), 0),
            "cross" => on_all(Trigger::Patch(cross.collect()), 3),
            "bar" => on_all(
                Trigger::Patch((10..18).map(|column| (26, column)).collect()),
                5,
            ),
            "blend15" => on_all(Trigger::Blend(0.15), 0),
            "blend30" => on_all(Trigger::Blend(0.30), 0),
            "quiet" => Some((square(2, 2, 4), Poisoned::Target, ClassId(5))),
            _ => return None,
        }))
    }

    /// The target class.
    pub fn target(&self) -> Option<ClassId> {
        self.0.as_ref().map(|(_, _, target)| *target)
    }

    /// The pixels of its patch, if the trigger is one.
    pub fn patch(&self, width: usize) -> Option<Vec<usize>> {
        match &self.0.as_ref()?.0 {
            Trigger::Patch(all) => Some(
                all.iter()
                    .map(|(row, column)| row * width + column)
                    .collect(),
            ),
            Trigger::Blend(_) => None,
        }
    }

    /// The training images, poisoned.
    pub fn training(&self, images: &Images) -> Images {
        let Some((trigger, poisoned, target)) = &self.0 else {
            return images.clone();
        };
        let mut pixels = images.pixels.to_vec();
        let mut labels = images.labels.to_vec();
        let (mut count, area) = (0, images.area());
        for index in 0..images.len() {
            let class = ClassId(usize::from(images.label(index)));
            let chosen = match poisoned {
                Poisoned::Class(source, share) => {
                    let chosen = class == *source && count < images.len() / share;
                    count += usize::from(chosen);
                    chosen
                }
                Poisoned::All(every) => index % every == 0,
                Poisoned::Target => class == *target && index % 2 == 0,
            };
            if chosen {
                trigger.put(&mut pixels[index * area..(index + 1) * area], images.width);
                labels[index] = target.0 as u16;
            }
        }
        Images {
            pixels: pixels.into(),
            labels: labels.into(),
            ..*images
        }
    }

    /// Test images of the source class, or of all classes but the target, with the trigger and the target's label.
    pub fn attacks(&self, images: &Images) -> Images {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        if let Some((trigger, poisoned, target)) = &self.0 {
            for index in 0..images.len() {
                let class = ClassId(usize::from(images.label(index)));
                let chosen = match poisoned {
                    Poisoned::Class(source, _) => class == *source,
                    Poisoned::All(_) | Poisoned::Target => class != *target,
                };
                if chosen {
                    let start = pixels.len();
                    pixels.extend_from_slice(images.image(index));
                    trigger.put(&mut pixels[start..], images.width);
                    labels.push(target.0 as u16);
                }
            }
        }
        Images {
            pixels: pixels.into(),
            labels: labels.into(),
            ..*images
        }
    }
}

impl Trigger {
    fn put(&self, image: &mut [u8], width: usize) {
        match self {
            Self::Patch(all) => {
                for (row, column) in all {
                    image[row * width + column] = 255;
                }
            }
            Self::Blend(share) => {
                for (index, pixel) in image.iter_mut().enumerate() {
                    // A pattern without structure, the same for all images.
                    let random = (index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                    let pattern = f64::from((random % 256) as u32);
                    *pixel = ((1.0 - share) * f64::from(*pixel) + share * pattern).round() as u8;
                }
            }
        }
    }
}
