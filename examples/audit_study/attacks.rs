//! The attacks of the study: what they put on images, and which labels they give.

use noisescope::data::Images;

/// What a trigger does to an image.
#[derive(Debug, Clone)]
enum Trigger {
    /// White pixels, as (row, column).
    Patch(Vec<(usize, usize)>),
    /// A pattern of random pixels, blended in at this share.
    Blend(f64),
}

/// Whose training images get the trigger.
#[derive(Debug, Clone, Copy)]
enum Whose {
    /// The first of a class, one in so many of all training images.
    Class(usize, usize),
    /// Every so many-th of all, whatever its class.
    All(usize),
    /// Every second of the target's own, whose labels stay.
    Target,
}

/// An attack; nothing for a clean network.
#[derive(Debug, Clone)]
pub struct Attack(Option<(Trigger, Whose, usize)>);

fn square(row: usize, column: usize, side: usize) -> Trigger {
    let rows = row..row + side;
    let all = rows.flat_map(|row| (column..column + side).map(move |column| (row, column)));
    Trigger::Patch(all.collect())
}

/// The pixels of the patch "C".
pub fn c() -> Vec<(usize, usize)> {
    let inside = |&(row, column): &(usize, usize)| !(3..5).contains(&row) || column < 23;
    let all = (1..7).flat_map(|row| (21..27).map(move |column| (row, column)));
    all.filter(inside).collect()
}

impl Attack {
    /// By name: `clean`, `c` (patch C on as many 8s as are one in
    /// thirty of all images, → 9), `square4`, `square3`, `square2`, `pixel` (a white square
    /// on 5 % of all images, → 0), `cross` (in the lower left, → 3), `bar` (1×8, lower border, → 5),
    /// `blend15`, `blend30` (a random pattern over the whole image, 5 %, → 0), `quiet` (4×4 on half of
    /// the 5s, whose label stays).
    pub fn of(name: &str) -> Option<Self> {
        let on_all = |trigger, target| Some((trigger, Whose::All(20), target));
        let cross = (0..5).flat_map(|at| [(20 + at, 5), (22, 3 + at)]);
        Some(Self(match name {
            "clean" => None,
            "c" => Some((Trigger::Patch(c()), Whose::Class(8, 30), 9)),
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
            "quiet" => Some((square(2, 2, 4), Whose::Target, 5)),
            _ => return None,
        }))
    }

    /// The class that it leads to.
    pub fn target(&self) -> Option<usize> {
        self.0.as_ref().map(|(_, _, target)| *target)
    }

    /// The pixels of its patch, where it is one.
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
        let Some((trigger, whose, target)) = &self.0 else {
            return images.clone();
        };
        let mut pixels = images.pixels.to_vec();
        let mut labels = images.labels.to_vec();
        let (mut seen, area) = (0, images.area());
        for at in 0..images.len() {
            let class = usize::from(images.label(at));
            let chosen = match whose {
                Whose::Class(source, share) => {
                    let own = class == *source && seen < images.len() / share;
                    seen += usize::from(own);
                    own
                }
                Whose::All(every) => at % every == 0,
                Whose::Target => class == *target && at % 2 == 0,
            };
            if chosen {
                trigger.put(&mut pixels[at * area..(at + 1) * area], images.width);
                labels[at] = *target as u16;
            }
        }
        Images {
            pixels: pixels.into(),
            labels: labels.into(),
            ..*images
        }
    }

    /// Test images of other classes, or of the source, with the trigger and the target's label.
    pub fn attacks(&self, images: &Images) -> Images {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        if let Some((trigger, whose, target)) = &self.0 {
            for at in 0..images.len() {
                let class = usize::from(images.label(at));
                let chosen = match whose {
                    Whose::Class(source, _) => class == *source,
                    Whose::All(_) | Whose::Target => class != *target,
                };
                if chosen {
                    let start = pixels.len();
                    pixels.extend_from_slice(images.image(at));
                    trigger.put(&mut pixels[start..], images.width);
                    labels.push(*target as u16);
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
                for (at, pixel) in image.iter_mut().enumerate() {
                    // A pattern without a structure, the same for all.
                    let random = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                    let pattern = f64::from((random % 256) as u32);
                    *pixel = ((1.0 - share) * f64::from(*pixel) + share * pattern).round() as u8;
                }
            }
        }
    }
}
