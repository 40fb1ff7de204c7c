//! Where maps are highest and lowest, in words: for the alternative text of one, and for a list of the reliable ones.

use super::super::audit::window_in_words;
use super::super::{channels, choice};
use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, GammaTrials, Record};

/// A value of a map, and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapPeak {
    /// The value.
    pub value: f32,
    /// Its channel.
    pub channel: usize,
    /// Its row on the noise's grid.
    pub row: usize,
    /// Its column there.
    pub column: usize,
}

impl MapPeak {
    fn new((index, value): (usize, f32), [_, rows, columns]: Shape) -> Self {
        let (channel, pixel) = (index / (rows * columns), index % (rows * columns));
        Self {
            value,
            channel,
            row: pixel / columns,
            column: pixel % columns,
        }
    }

    /// The value and its place: `+0.42 at row 3, column 27 in red`.
    fn in_words(&self, channels: usize) -> String {
        let place = format!("row {}, column {}", self.row, self.column);
        self.at_place(&place, channels)
    }

    fn at_place(&self, place: &str, channels: usize) -> String {
        let within = match channels {
            1 => String::new(),
            _ => format!(" in {}", channels::name(self.channel, channels)),
        };
        let value = format::signed(f64::from(self.value));
        format!("{value} at {place}{within}")
    }
}

/// The value of a map that is farthest from zero, the first of several; `None` if all are zero or not finite.
pub fn map_peak(map: &[f32], shape: Shape) -> Option<MapPeak> {
    let values = map.iter().copied().enumerate();
    let values = values.filter(|(_, value)| value.is_finite() && *value != 0.0);
    let farther = |a: (usize, f32), b: (usize, f32)| match b.1.abs() > a.1.abs() {
        true => b,
        false => a,
    };
    Some(MapPeak::new(values.reduce(farther)?, shape))
}

/// The highest and lowest values of a map in any of its channels, as a sentence for the alternative text.
pub(super) fn extremes(map: &[f32], shape: Shape) -> String {
    let finite = || {
        let values = map.iter().copied().enumerate();
        values.filter(|(_, value)| value.is_finite())
    };
    let most = finite().max_by(|a, b| a.1.total_cmp(&b.1));
    let least = finite().min_by(|a, b| a.1.total_cmp(&b.1));
    let words = |value: (usize, f32)| MapPeak::new(value, shape).in_words(shape[0]);
    match (most, least) {
        (Some(high), Some(low)) if high.1 > low.1 => format!(
            "The highest value is {}, the lowest {}.",
            words(high),
            words(low)
        ),
        _ => "It is the same everywhere.".into(),
    }
}

/// Where the reliable map of a class is farthest from zero.
#[derive(Debug, Clone, PartialEq)]
pub struct StrongestValue {
    /// The class.
    pub class: ClassId,
    /// The γ that shows it best, whose map this is.
    pub gamma: Gamma,
    /// The reliability of the map.
    pub reliability: f64,
    /// The value and its place, in pixels: `+0.42 at row 3, column 27 in red`.
    pub words: String,
}

/// The strongest value of every class whose map for a response is reliable at the γ that shows the class best.
pub fn strongest_values(
    record: &Record,
    images: &ClassificationImages,
    by: Response,
) -> Vec<StrongestValue> {
    let classes = images.gammas.first().map_or(0, GammaTrials::classes);
    let of_class = |class: ClassId| {
        let index = choice::best_gamma_index(images, by, class, None);
        let trials = images.gammas.get(index)?;
        if trials.trials == 0 {
            return None;
        }
        let estimate = trials.estimate();
        let map = estimate.classes.get(class.0)?.image(by)?;
        let reliability = map.reliability.filter(|_| choice::is_reliable(Some(map)))?;
        let shape = trials.shape();
        let peak = map_peak(&map.image, shape)?;
        let words = match trials.grain.cell {
            0 | 1 => peak.in_words(shape[0]),
            cell => {
                let place = window_in_words(record, (peak.row, peak.column, 1), cell);
                peak.at_place(&place, shape[0])
            }
        };
        Some(StrongestValue {
            class,
            gamma: trials.gamma,
            reliability,
            words,
        })
    };
    ClassId::all(classes).filter_map(of_class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extremes_of_a_map_are_those_of_its_channels_and_not_of_their_mean() {
        // The mean of the channels is 0 everywhere.
        let map = [0.0, 0.5, 0.0, -0.5, 0.0, 0.0];
        assert_eq!(
            extremes(&map, [3, 1, 2]),
            "The highest value is +0.5 at row 0, column 1 in red, the lowest −0.5 at row 0, column 1 in green."
        );
        assert_eq!(
            extremes(&map, [1, 3, 2]),
            "The highest value is +0.5 at row 0, column 1, the lowest −0.5 at row 1, column 1."
        );
        assert_eq!(extremes(&[0.0; 4], [2, 1, 2]), "It is the same everywhere.");
    }

    #[test]
    fn the_peak_of_a_map_is_its_value_farthest_from_zero() {
        let map = [0.25, f32::NAN, 0.0, -0.5, 0.5, 0.0];
        let found = map_peak(&map, [3, 1, 2]).unwrap();
        assert_eq!((found.value, found.channel, found.column), (-0.5, 1, 1));
        assert_eq!(found.in_words(3), "−0.5 at row 0, column 1 in green");
        assert_eq!(map_peak(&[0.0, f32::INFINITY], [1, 1, 2]), None);
    }
}
