//! Multi-channel images and maps in viewable form: in true colour, channel by channel, as luminance, or along the two
//! opponent axes of colour vision. Plain arithmetic on numbers \[C,h,w\], for files and terminals alike.

use crate::format;
use crate::session::form::Shape;

/// The number of channels of a colour image: red, green and blue.
pub const RGB: usize = 3;

/// Red, green and blue of a pixel.
pub type Colour = [u8; 3];

/// One channel of a map, \[h·w\].
///
/// # Panics
/// If the map does not have this channel.
pub fn channel(map: &[f32], [_, height, width]: Shape, channel: usize) -> &[f32] {
    &map[channel * height * width..(channel + 1) * height * width]
}

/// The name of a channel: its colour if there are three, otherwise its number; empty if it is the only one.
pub fn name(channel: usize, channels: usize) -> String {
    const COLOURS: [&str; RGB] = ["red", "green", "blue"];
    match channels {
        1 => String::new(),
        RGB => COLOURS[channel].to_owned(),
        _ => format!("channel {channel}"),
    }
}

/// Some numbers of maps with this many channels, counted in words: of several channels each is a value of its own, and
/// a pixel has several.
pub fn counted(count: usize, channels: usize) -> String {
    let count = count as u64;
    match channels {
        0 | 1 => format::counted(count, "pixel", "pixels"),
        _ => format::counted(count, "value", "values"),
    }
}

/// The mean of the channels, \[h·w\]: a map's content in terms of bright and dark.
pub fn luminance(map: &[f32], [channels, height, width]: Shape) -> Vec<f32> {
    let area = height * width;
    let mean = |pixel: usize| {
        let values = (0..channels).map(|channel| map[channel * area + pixel]);
        values.sum::<f32>() / channels as f32
    };
    (0..area).map(mean).collect()
}

/// What is drawn of a map with this many channels if it is drawn in one plane, after other words: `, mean of 3 channels`;
/// empty for one channel.
pub fn mean_in_words(channels: usize) -> String {
    match channels {
        0 | 1 => String::new(),
        channels => format!(", mean of {channels} channels"),
    }
}

/// The same if the channel farthest from zero is drawn: `, strongest of 3 channels`.
pub fn strongest_in_words(channels: usize) -> String {
    match channels {
        0 | 1 => String::new(),
        channels => format!(", strongest of {channels} channels"),
    }
}

/// For every pixel, the value of the channel that is farthest from zero, \[h·w\].
pub fn strongest(map: &[f32], [channels, height, width]: Shape) -> Vec<f32> {
    let area = height * width;
    let most = |pixel: usize| {
        let values = (0..channels).map(|channel| map[channel * area + pixel]);
        values.fold(0.0, |most: f32, value| match value.abs() > most.abs() {
            true => value,
            false => most,
        })
    };
    (0..area).map(most).collect()
}

/// The opponent colours of a map, \[h·w\] each: red minus green, and blue minus yellow (the mean of red and green).
/// Both are halved, so that they never exceed the map itself and fit its scale. `None` unless there are three
/// channels.
pub fn opponent(map: &[f32], shape: Shape) -> Option<[Vec<f32>; 2]> {
    let [red, green, blue] = three(map, shape)?;
    let pixels = || red.iter().zip(green).zip(blue);
    Some([
        pixels().map(|((r, g), _)| (r - g) / 2.0).collect(),
        pixels()
            .map(|((r, g), b)| (b - (r + g) / 2.0) / 2.0)
            .collect(),
    ])
}

/// An image in \[0,1\] in its own colours, \[h·w\]; a single channel in grey. `None` unless there are one or three
/// channels.
pub fn to_rgb(image: &[f32], shape: Shape) -> Option<Vec<Colour>> {
    if shape[0] == 1 {
        return Some(image.iter().map(|&value| [byte(value); RGB]).collect());
    }
    let [red, green, blue] = three(image, shape)?;
    let pixels = red.iter().zip(green).zip(blue);
    Some(
        pixels
            .map(|((&r, &g), &b)| [byte(r), byte(g), byte(b)])
            .collect(),
    )
}

/// A signed map as the colours it adds to mid-grey, where `limit` saturates a channel and −`limit` empties it;
/// \[h·w\]. `None` unless there are three channels.
pub fn around_grey(map: &[f32], shape: Shape, limit: f32) -> Option<Vec<Colour>> {
    let place = |&value: &f32| 0.5 + 0.5 * value / limit.max(f32::MIN_POSITIVE);
    let image: Vec<f32> = map.iter().map(place).collect();
    (shape[0] == RGB).then(|| to_rgb(&image, shape)).flatten()
}

/// Red, green and blue of a map, \[h·w\] each.
fn three(map: &[f32], shape: Shape) -> Option<[&[f32]; RGB]> {
    (shape[0] == RGB).then(|| [0, 1, 2].map(|index| channel(map, shape, index)))
}

/// A value in \[0,1\] as a byte; 0 if it is NaN.
fn byte(share: f32) -> u8 {
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red, black and a mid-grey pixel, on one row.
    const SHAPE: Shape = [3, 1, 3];
    const MAP: [f32; 9] = [1.0, 0.0, 0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 0.5];

    #[test]
    fn an_image_is_drawn_in_its_own_colours() {
        let colours = to_rgb(&MAP, SHAPE).unwrap();
        assert_eq!(colours, [[255, 0, 0], [0, 0, 0], [128, 128, 128]]);
        assert_eq!(to_rgb(&[0.0, 2.0], [1, 1, 2]).unwrap(), [[0; 3], [255; 3]]);
        assert_eq!(to_rgb(&[0.0, 1.0], [2, 1, 1]), None);
        assert_eq!(to_rgb(&[f32::NAN], [1, 1, 1]).unwrap(), [[0; 3]]);
    }

    #[test]
    fn numbers_of_several_channels_are_not_called_pixels() {
        let words = [(1, 1), (2, 1), (1, 3), (15_360, 3)];
        assert_eq!(
            words.map(|(count, channels)| counted(count, channels)),
            ["1 pixel", "2 pixels", "1 value", "15,360 values"]
        );
    }

    #[test]
    fn luminance_is_the_mean_and_opponents_vanish_on_grey() {
        let luminance = luminance(&MAP, SHAPE);
        assert_eq!(luminance, [1.0 / 3.0, 0.0, 0.5]);
        let [red_green, blue_yellow] = opponent(&MAP, SHAPE).unwrap();
        assert_eq!(red_green, [0.5, 0.0, 0.0]);
        assert_eq!(blue_yellow, [-0.25, 0.0, 0.0]);
        assert_eq!(opponent(&MAP[..2], [2, 1, 1]), None);
        assert_eq!(strongest(&[1.0, -2.0, -3.0, 1.0], [2, 1, 2]), [-3.0, -2.0]);
    }

    #[test]
    fn an_opponent_channel_stays_within_the_range_of_its_map() {
        let most = [-1.0, -1.0, 1.0];
        let [red_green, blue_yellow] = opponent(&most, [3, 1, 1]).unwrap();
        assert_eq!((red_green, blue_yellow), (vec![0.0], vec![1.0]));
        let [red_green, _] = opponent(&[1.0, -1.0, 0.0], [3, 1, 1]).unwrap();
        assert_eq!(red_green, [1.0]);
    }

    #[test]
    fn a_signed_map_is_grey_where_it_is_zero_and_full_at_its_limit() {
        let colours = around_grey(&[0.0, 2.0, 0.0, -2.0, 0.0, 0.0], [3, 1, 2], 2.0);
        assert_eq!(colours.unwrap(), [[128; 3], [255, 0, 128]]);
        assert!(around_grey(&[0.0], [1, 1, 1], 1.0).is_none());
        assert!(around_grey(&[0.0; 3], [3, 1, 1], 0.0).is_some());
    }

    #[test]
    fn three_channels_are_colours() {
        assert_eq!(name(2, 3), "blue");
        assert_eq!(name(1, 2), "channel 1");
        assert_eq!(name(0, 1), "");
        assert_eq!(channel(&MAP, SHAPE, 1), [0.0, 0.0, 0.5]);
        assert_eq!(mean_in_words(3), ", mean of 3 channels");
        assert_eq!(mean_in_words(1), "");
        assert_eq!(strongest_in_words(3), ", strongest of 3 channels");
        assert_eq!(strongest_in_words(1), "");
    }
}
