//! Usual ways of scaling and transforming images for a network whose expected input is unknown.

use serde::Serialize;

use crate::data::Images;
use crate::session::config::{ChannelOrder, InputEncoding, InputRange};

/// The published mean and standard deviation of the sets that networks are most often trained on.
const IMAGENET: ([f64; 3], [f64; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
const CIFAR: ([f64; 3], [f64; 3]) = ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]);
const MNIST: (f64, f64) = (0.1307, 0.3081);

/// How images are transformed before they are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ImageTransform {
    /// Not at all.
    No,
    /// Light and dark are exchanged.
    Inverted,
    /// Rows and columns are exchanged.
    Transposed,
}

/// One way to show the images.
#[derive(Debug, Clone, PartialEq)]
pub struct Presentation {
    /// A description.
    pub words: &'static str,
    /// How the images are scaled.
    pub input: InputEncoding,
    /// How they are transformed before scaling.
    pub turned: ImageTransform,
}

impl ImageTransform {
    /// The chosen images, transformed.
    pub fn apply(self, images: &Images, chosen: &[usize]) -> Images {
        let [_, height, width] = images.shape();
        let area = height * width;
        let changed = |&index: &usize| -> Vec<u8> {
            let image = images.image(index);
            match self {
                ImageTransform::No => image.to_vec(),
                ImageTransform::Inverted => image.iter().map(|&level| 255 - level).collect(),
                ImageTransform::Transposed => {
                    let source = |index: usize| {
                        let (plane, within) = (index / area * area, index % area);
                        plane + within % height * width + within / height
                    };
                    (0..image.len()).map(|index| image[source(index)]).collect()
                }
            }
        };
        Images {
            pixels: chosen.iter().flat_map(changed).collect(),
            labels: chosen.iter().map(|&index| images.label(index)).collect(),
            ..images.clone()
        }
    }
}

/// The requested way, followed by every usual way that differs from it.
pub fn presentations(asked: &InputEncoding, train: &Images) -> Vec<Presentation> {
    let way = |words, input: &InputEncoding, turned| Presentation {
        words,
        input: input.clone(),
        turned,
    };
    let plain = InputEncoding::default();
    let words = match *asked == plain {
        true => "0 to 1, the default",
        false => "as configured",
    };
    let mut all = vec![
        way(words, asked, ImageTransform::No),
        way("0 to 1", &plain, ImageTransform::No),
    ];
    for (words, range) in [
        ("0 to 255", InputRange::Byte),
        ("−1 to 1", InputRange::Signed),
    ] {
        let input = InputEncoding {
            range,
            ..plain.clone()
        };
        all.push(way(words, &input, ImageTransform::No));
    }
    let standardized = |mean: &[f64], std: &[f64]| InputEncoding {
        mean: mean.to_vec(),
        std: std.to_vec(),
        ..plain.clone()
    };
    if let Some((mean, std)) = moments(train) {
        let words = "mean and deviation of these images";
        all.push(way(words, &standardized(&mean, &std), ImageTransform::No));
    }
    match train.channels {
        1 => {
            let input = standardized(&[MNIST.0], &[MNIST.1]);
            all.push(way(
                "mean and deviation of MNIST",
                &input,
                ImageTransform::No,
            ));
        }
        3 => {
            let sets = [
                ("mean and deviation of ImageNet", IMAGENET),
                ("mean and deviation of CIFAR-10", CIFAR),
            ];
            for (words, (mean, std)) in sets {
                all.push(way(words, &standardized(&mean, &std), ImageTransform::No));
            }
            for (words, range) in [
                ("0 to 1, blue first", InputRange::Unit),
                ("0 to 255, blue first", InputRange::Byte),
            ] {
                let input = InputEncoding {
                    range,
                    order: ChannelOrder::Bgr,
                    ..plain.clone()
                };
                all.push(way(words, &input, ImageTransform::No));
            }
        }
        _ => {}
    }
    all.push(way(
        "as the first, but inverted",
        asked,
        ImageTransform::Inverted,
    ));
    if train.height == train.width {
        all.push(way(
            "as the first, but transposed",
            asked,
            ImageTransform::Transposed,
        ));
    }
    let is_first = |way: &Presentation| way.input == *asked && way.turned == ImageTransform::No;
    let mut place = 0;
    all.retain(|way| {
        place += 1;
        place == 1 || !is_first(way)
    });
    all
}

/// Mean and standard deviation of every channel over all images, in \[0,1\], to four digits; `None`
/// where a channel is constant.
fn moments(images: &Images) -> Option<(Vec<f64>, Vec<f64>)> {
    let area = images.height * images.width;
    let count = images.len() * area;
    if count == 0 {
        return None;
    }
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    let (mut means, mut deviations) = (Vec::new(), Vec::new());
    for channel in 0..images.channels {
        let (mut sum, mut squares) = (0_u64, 0_u64);
        for image in images.pixels.chunks_exact(images.channels * area) {
            for &level in &image[channel * area..(channel + 1) * area] {
                sum += u64::from(level);
                squares += u64::from(level).pow(2);
            }
        }
        let mean = sum as f64 / count as f64;
        let deviation = (squares as f64 / count as f64 - mean.powi(2))
            .max(0.0)
            .sqrt();
        if rounded(deviation / 255.0) <= 0.0 {
            return None;
        }
        means.push(rounded(mean / 255.0));
        deviations.push(rounded(deviation / 255.0));
    }
    Some((means, deviations))
}
