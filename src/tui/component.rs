//! [`ColourComponent`]: which component of a map with several channels is shown: the luminance, an opponent colour or
//! one channel. The arithmetic is that of the figures.

use std::borrow::Cow;

use crate::figure::channels::{self, RGB};
use crate::session::form::Shape;

/// The component of a multi-channel map that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourComponent {
    /// The mean of the channels.
    #[default]
    Luminance,
    /// Red minus green.
    RedGreen,
    /// Blue minus yellow.
    BlueYellow,
    /// One channel.
    Channel(usize),
}

impl ColourComponent {
    /// Every component of maps with this many channels, in the order in which a key cycles through them.
    pub fn all(channels: usize) -> Vec<Self> {
        let opponents = match channels {
            RGB => &[Self::RedGreen, Self::BlueYellow][..],
            _ => &[],
        };
        let each = (0..channels).filter(|_| channels > 1).map(Self::Channel);
        [&[Self::Luminance], opponents]
            .concat()
            .into_iter()
            .chain(each)
            .collect()
    }

    /// The next component.
    pub fn next(self, channels: usize) -> Self {
        let all = Self::all(channels);
        let index = all.iter().position(|look| *look == self).unwrap_or(0);
        all[(index + 1) % all.len()]
    }

    /// This component, or luminance if maps with this many channels lack it.
    pub fn within(self, channels: usize) -> Self {
        match Self::all(channels).contains(&self) {
            true => self,
            false => Self::Luminance,
        }
    }

    /// Its name; `None` if there is only one channel.
    pub fn label(self, channels: usize) -> Option<String> {
        (channels > 1).then(|| match self.within(channels) {
            Self::Luminance => "luminance".into(),
            Self::RedGreen => "red–green".into(),
            Self::BlueYellow => "blue–yellow".into(),
            Self::Channel(channel) => channels::name(channel, channels),
        })
    }

    /// Whether zero means that channels agree, whatever their mean.
    pub fn is_opponent(self) -> bool {
        matches!(self, Self::RedGreen | Self::BlueYellow)
    }

    /// The component's values in a map, \[h·w\]; empty if the map is too short.
    pub fn values(self, map: &[f32], shape: Shape) -> Cow<'_, [f32]> {
        let [channels, height, width] = shape;
        if map.len() < channels * height * width || channels == 0 {
            return Cow::Borrowed(&[]);
        }
        if channels == 1 {
            return Cow::Borrowed(map);
        }
        let opponent =
            |index: usize| channels::opponent(map, shape).map(|[a, b]| [a, b][index].clone());
        let values = match self.within(channels) {
            Self::Channel(channel) => {
                return Cow::Borrowed(channels::channel(map, shape, channel));
            }
            Self::RedGreen => opponent(0),
            Self::BlueYellow => opponent(1),
            Self::Luminance => None,
        };
        Cow::Owned(values.unwrap_or_else(|| channels::luminance(map, shape)))
    }

    /// The component's z of every pixel, \[h·w\]: that of its channel, else the strongest among the pixel's
    /// channels.
    pub fn z_values(self, z: &[f32], shape: Shape) -> Cow<'_, [f32]> {
        let [channels, height, width] = shape;
        let pixels = height * width;
        match self.within(channels) {
            _ if channels <= 1 || z.len() < channels * pixels => Cow::Borrowed(z),
            Self::Channel(channel) => Cow::Borrowed(channels::channel(z, shape, channel)),
            _ => Cow::Owned(
                (0..pixels)
                    .map(|pixel| z[strongest(z, shape, pixel) * pixels + pixel])
                    .collect(),
            ),
        }
    }
}

/// The channel with the largest absolute z at a pixel.
pub fn strongest(z: &[f32], [channels, height, width]: Shape, pixel: usize) -> usize {
    let at = |channel: usize| z[channel * height * width + pixel].abs();
    (0..channels)
        .max_by(|&a, &b| at(a).total_cmp(&at(b)))
        .unwrap_or(0)
}

/// Red, green and blue of an image, \[h·w\] each; `None` unless it has three channels.
pub fn rgb_channels(image: &[f32], shape: Shape) -> Option<[&[f32]; RGB]> {
    let is_colour = shape[0] == RGB && image.len() >= shape.iter().product();
    is_colour.then(|| [0, 1, 2].map(|channel| channels::channel(image, shape, channel)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cycles_through_all_components() {
        for (channels, count) in [(1, 1), (2, 3), (3, 6), (5, 6)] {
            let mut look = ColourComponent::default();
            let mut seen = vec![look];
            for _ in 1..count {
                look = look.next(channels);
                assert!(!seen.contains(&look));
                seen.push(look);
            }
            assert_eq!(look.next(channels), ColourComponent::Luminance);
        }
        assert_eq!(
            ColourComponent::RedGreen.within(2),
            ColourComponent::Luminance
        );
        assert_eq!(ColourComponent::Luminance.label(1), None);
    }

    #[test]
    fn a_map_shows_the_selected_component() {
        let map = [1.0, 0.0, 0.0, 0.0, -1.0, 0.5];
        let shape = [3, 1, 2];
        assert_eq!(
            *ColourComponent::Luminance.values(&map, shape),
            [0.0, 0.5 / 3.0]
        );
        assert_eq!(*ColourComponent::RedGreen.values(&map, shape), [0.5, 0.0]);
        assert_eq!(
            *ColourComponent::Channel(2).values(&map, shape),
            [-1.0, 0.5]
        );
        assert_eq!(
            *ColourComponent::Luminance.z_values(&map, shape),
            [-1.0, 0.5]
        );
        assert_eq!(
            *ColourComponent::Luminance.values(&map[..2], [1, 1, 2]),
            map[..2]
        );
        assert!(
            ColourComponent::Luminance
                .values(&map[..2], shape)
                .is_empty()
        );
    }
}
