//! Ends of scales and axes, chosen so that they stay put while data grow; and the single rule, for screen and
//! figures, that decides which of several adjacent maps share a scale.

use crate::format::short;

/// Reliability from which a map influences the shared scale; below it, noise dominates its range.
const TRUSTED: f64 = 0.5;

/// How many times smaller than the shared scale a reliable map's own scale must be for it to get its own.
const FAINT: f32 = 6.0;

/// The extent of a map around zero, and its reliability if known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// Its largest absolute value.
    pub extent: f32,
    /// Its reliability.
    pub reliability: Option<f64>,
}

impl Reach {
    /// The reach of a map whose zero is at `centre`.
    pub fn of(map: &[f32], centre: f32, reliability: Option<f64>) -> Self {
        let sizes = map.iter().map(|value| (value - centre).abs());
        Self {
            extent: sizes.filter(|size| size.is_finite()).fold(0.0, f32::max),
            reliability,
        }
    }

    fn is_trusted(&self) -> bool {
        self.reliability.is_some_and(|r| r >= TRUSTED)
    }
}

/// The scales of maps shown side by side. They share one, whose end is set by the reliable maps alone if there
/// are any. A reliable map that would appear uniformly grey on it gets its own scale, which must be labelled on
/// the map. This happens to a class that nearly all trials are called, for example: noise hardly affects that
/// response.
#[derive(Debug, Clone, PartialEq)]
pub struct Scales {
    /// Where the shared scale ends, on both sides of zero.
    pub common: f32,
    /// Where the scale of each map alone would end.
    own_limits: Vec<f32>,
    have_own_scale: Vec<bool>,
}

impl Scales {
    /// The scales of these maps; `None` stands for a missing map.
    pub fn of(maps: impl IntoIterator<Item = Option<Reach>>) -> Self {
        let maps: Vec<Option<Reach>> = maps.into_iter().collect();
        let most = |reaches: &mut dyn Iterator<Item = &Reach>| {
            round_up(reaches.map(|reach| reach.extent).fold(0.0, f32::max))
        };
        let present = || maps.iter().flatten();
        let common = match present().any(Reach::is_trusted) {
            true => most(&mut present().filter(|reach| reach.is_trusted())),
            false => most(&mut present()),
        };
        let limits = maps.iter().map(|reach| most(&mut reach.iter()));
        // A map of zeros has nothing to show on its own scale.
        let is_faint = |reach: &Reach| reach.is_trusted() && reach.extent > 0.0;
        let is_faint = |reach: &Reach| is_faint(reach) && round_up(reach.extent) < common / FAINT;
        Self {
            common,
            own_limits: limits.collect(),
            have_own_scale: maps
                .iter()
                .map(|reach| reach.as_ref().is_some_and(is_faint))
                .collect(),
        }
    }

    /// Whether a map has its own scale.
    pub fn has_own_scale(&self, map: usize) -> bool {
        self.have_own_scale.get(map).copied().unwrap_or(false)
    }

    /// Where the scale of a map would end if it were shown alone.
    pub fn own_limit(&self, map: usize) -> f32 {
        self.own_limits.get(map).copied().unwrap_or(self.common)
    }

    /// Where the scale of a map ends.
    pub fn limit(&self, map: usize) -> f32 {
        match self.has_own_scale(map) {
            true => self.own_limit(map),
            false => self.common,
        }
    }
}

/// The label on a map with its own scale, giving its limit: `±0.0002`.
pub fn limit_label(limit: f32) -> String {
    format!("±{}", short(f64::from(limit)))
}

/// The round number at or above a value at which a scale ends, so that it stays put while its map grows: 1, 1.2,
/// 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten.
pub fn round_up(value: f32) -> f32 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    const STEPS: [f64; 11] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let value = f64::from(value);
    let decade = 10_f64.powi(value.log10().floor() as i32);
    let step = STEPS
        .into_iter()
        .find(|step| step * decade >= value * (1.0 - 1e-6))
        .unwrap_or(10.0);
    (step * decade) as f32
}

/// The ends of an axis, and the values on it to label, with their labels.
pub type LabelledAxis = ((f64, f64), Vec<(f64, String)>);

/// The logarithmic axis of a plot of losses.
pub fn loss_axis(losses: impl Iterator<Item = f64>) -> LabelledAxis {
    let positive = losses.filter(|loss| loss.is_finite() && *loss > 0.0);
    let (low, high) = positive.fold((f64::MAX, f64::MIN), |(low, high), loss| {
        (low.min(loss), high.max(loss))
    });
    let (low, high) = match low > high {
        true => (0.01, 3.0),
        false => (low, high.max(2.0 * low)),
    };
    let (ends, labelled) = log_axis(low, high);
    let label = |loss: f64| (loss, short(loss));
    (ends, labelled.into_iter().map(label).collect())
}

/// The axis of a plot of accuracies: from a round share below all of them to 1.
pub fn accuracy_axis(accuracies: impl Iterator<Item = f64>) -> LabelledAxis {
    let finite = accuracies.filter(|share| share.is_finite());
    let lowest = finite.fold(0.98_f64, f64::min);
    let step = if lowest >= 0.9 { 0.02 } else { 0.1 };
    let low = ((lowest / step).floor() * step).max(0.0);
    let tick = |i: i32| low + (1.0 - low) / 4.0 * f64::from(i);
    let label = |share: f64| (share, format!("{} %", short(share * 100.0)));
    ((low, 1.0), (0..=4).map(tick).map(label).collect())
}

/// An axis from just below `low` to just above `high`, whose ends are 1, 2 or 5 times a power of ten; and the
/// values to label: all such values if there are at most seven, otherwise the powers of ten alone.
fn log_axis(low: f64, high: f64) -> ((f64, f64), Vec<f64>) {
    let all: Vec<(f64, bool)> = (-9..=4)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|step| (step * 10_f64.powi(power), step == 1.0)))
        .collect();
    let last = all.len() - 1;
    let from = all.iter().rposition(|(t, _)| *t <= low).unwrap_or(0);
    let to = all.iter().position(|(t, _)| *t >= high).unwrap_or(last);
    let inside = &all[from..=to.max(from)];
    let ends = (inside[0].0, inside[inside.len() - 1].0);
    let few = inside.len() <= 7;
    let named = inside.iter().filter(|(_, whole)| few || *whole);
    (ends, named.map(|(t, _)| *t).collect())
}

/// At most nine round numbers from 0 to `last`, spaced by 1, 2 or 5 times a power of ten.
pub fn ticks(last: f64) -> Vec<f64> {
    let step = (-6..=9)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)))
        .find(|step| last / step <= 8.0)
        .unwrap_or(last);
    let count = (last / step + 1e-9).floor() as usize;
    (0..=count).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(most: f32, reliability: f64) -> Option<Reach> {
        Some(Reach::of(&[0.0, -most], 0.0, Some(reliability)))
    }

    #[test]
    fn a_reliable_map_too_faint_for_the_shared_scale_has_its_own() {
        let scales = Scales::of([
            reach(0.15, 0.9),
            reach(0.0002, 0.87),
            None,
            reach(0.05, 0.7),
        ]);
        assert_eq!((scales.common, scales.limit(0)), (0.15, 0.15));
        assert!(scales.has_own_scale(1) && (scales.limit(1) - 0.0002).abs() < 1e-8);
        assert_eq!(limit_label(scales.limit(1)), "±0.0002");
        assert!(!scales.has_own_scale(2) && !scales.has_own_scale(3));
        // A map of zeros has nothing to show.
        assert!(!Scales::of([reach(0.15, 0.9), reach(0.0, 0.9)]).has_own_scale(1));
    }

    #[test]
    fn unreliable_maps_follow_the_scale_of_reliable_ones_and_set_it_if_there_are_none() {
        let scales = Scales::of([reach(0.1, 0.8), reach(3.0, 0.1), reach(0.001, 0.2)]);
        assert_eq!(scales.common, 0.1);
        assert!((0..3).all(|map| !scales.has_own_scale(map)));
        assert_eq!(Scales::of([reach(0.1, 0.2), reach(3.0, 0.1)]).common, 3.0);
        assert_eq!(Scales::of([None]).common, 1.0);
    }

    #[test]
    fn scales_end_at_round_numbers_at_or_above_the_value() {
        for (value, end) in [
            (0.0173, 0.02),
            (0.02, 0.02),
            (0.9, 1.0),
            (11.3, 12.0),
            (6.1, 8.0),
        ] {
            assert!(
                (round_up(value) - end).abs() < 1e-5,
                "{value} {}",
                round_up(value)
            );
        }
        assert_eq!(round_up(0.0), 1.0);
        assert_eq!(round_up(f32::NAN), 1.0);
    }
}
