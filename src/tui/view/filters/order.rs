//! The order of a layer's units, and which layer is shown first.

use crate::session::record::SpikeTriggered;
use crate::stats::spike_triggered::LayerEstimate;

/// The order of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnitOrder {
    /// By their numbers.
    #[default]
    Number,
    /// The most reliable average first.
    Reliability,
}

impl UnitOrder {
    /// The other order.
    pub fn other(self) -> Self {
        match self {
            Self::Number => Self::Reliability,
            Self::Reliability => Self::Number,
        }
    }

    /// The units of a layer in this order, without the silent ones if those are hidden.
    pub fn of(self, units: usize, estimate: &LayerEstimate, hides_silent: bool) -> Vec<usize> {
        let is_silent = |unit: usize| estimate.silent.binary_search(&unit).is_ok();
        let mut all: Vec<usize> = (0..units)
            .filter(|&unit| !hides_silent || !is_silent(unit))
            .collect();
        if self == Self::Reliability {
            let r = |unit: usize| estimate.reliability.get(unit).copied().flatten();
            let key = |unit: usize| r(unit).unwrap_or(f64::NEG_INFINITY);
            all.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
        }
        all
    }
}

/// The position of a unit among those shown; if it is hidden, that of the nearest number.
pub fn place(shown: &[usize], unit: usize) -> usize {
    let nearest = shown.iter().enumerate();
    let nearest = nearest.min_by_key(|(_, other)| other.abs_diff(unit));
    nearest.map_or(0, |(index, _)| index)
}

/// In a layer with structure, at least half the firing units are this reliable.
const STRUCTURE: f64 = 0.5;

/// The index of the first layer with structure; if none has any, of the closest.
pub fn first_with_structure(spikes: &SpikeTriggered) -> usize {
    let median = |estimate: &LayerEstimate| {
        let mut all: Vec<f64> = estimate.reliability.iter().copied().flatten().collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    };
    let all = spikes.layers.iter().map(|layer| median(&layer.estimate()));
    let all: Vec<Option<f64>> = all.collect();
    let first = all
        .iter()
        .position(|median| median.is_some_and(|r| r >= STRUCTURE));
    let best = || {
        let known = all.iter().enumerate();
        let known = known.filter_map(|(index, median)| Some((index, (*median)?)));
        known.reduce(|a, b| if b.1 > a.1 { b } else { a })
    };
    first
        .or_else(|| best().map(|(index, _)| index))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate() -> LayerEstimate {
        LayerEstimate {
            silent: vec![1],
            reliability: vec![Some(0.2), None, Some(0.9), Some(0.5)],
            ..LayerEstimate::default()
        }
    }

    #[test]
    fn the_most_reliable_units_come_first_and_silent_ones_last_or_not_at_all() {
        let estimate = estimate();
        assert_eq!(UnitOrder::Number.of(4, &estimate, false), [0, 1, 2, 3]);
        assert_eq!(UnitOrder::Number.of(4, &estimate, true), [0, 2, 3]);
        assert_eq!(UnitOrder::Reliability.of(4, &estimate, false), [2, 3, 0, 1]);
        assert_eq!(UnitOrder::Reliability.of(4, &estimate, true), [2, 3, 0]);
    }

    #[test]
    fn a_hidden_unit_is_replaced_by_its_neighbour() {
        assert_eq!(place(&[0, 2, 3], 1), 0);
        assert_eq!(place(&[2, 3, 0], 3), 1);
        assert_eq!(place(&[], 3), 0);
    }
}
