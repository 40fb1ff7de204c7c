//! Where scales and axes end, so that they stand still while what they measure grows; and the one rule
//! for which of several maps side by side share a scale, on screen and in pictures.

use crate::format::short;

/// Reliability from which a map has a say in the scale that it shares: below it, noise sets its range.
const TRUSTED: f64 = 0.5;

/// How many times shorter than the shared scale a trusted map's must be for it to have its own.
const FAINT: f32 = 6.0;

/// How far a map reaches from zero, and how reliable it is where that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reach {
    /// Its largest distance from zero.
    pub most: f32,
    /// Its reliability.
    pub reliability: Option<f64>,
}

impl Reach {
    /// Of a map whose zero is at `centre`.
    pub fn of(map: &[f32], centre: f32, reliability: Option<f64>) -> Self {
        let sizes = map.iter().map(|value| (value - centre).abs());
        Self {
            most: sizes.filter(|size| size.is_finite()).fold(0.0, f32::max),
            reliability,
        }
    }

    fn is_trusted(&self) -> bool {
        self.reliability.is_some_and(|r| r >= TRUSTED)
    }
}

/// The scales of maps that stand side by side. They share one. Where some are trusted, those alone say
/// where it ends. One that is trusted and would be one grey on it has a scale of its own, which must
/// be said on the map: it is that of a class that takes nearly all trials, for example, which hardly
/// any noise tells from the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Scales {
    /// Where the shared scale ends, on both sides of zero.
    pub common: f32,
    /// Where the scale of each map would end.
    own: Vec<f32>,
    apart: Vec<bool>,
}

impl Scales {
    /// Of these maps; `None` stands for a map that is not there.
    pub fn of(maps: impl IntoIterator<Item = Option<Reach>>) -> Self {
        let maps: Vec<Option<Reach>> = maps.into_iter().collect();
        let most = |reaches: &mut dyn Iterator<Item = &Reach>| {
            round_up(reaches.map(|it| it.most).fold(0.0, f32::max))
        };
        let there = || maps.iter().flatten();
        let common = match there().any(Reach::is_trusted) {
            true => most(&mut there().filter(|it| it.is_trusted())),
            false => most(&mut there()),
        };
        let own = maps.iter().map(|it| most(&mut it.iter()));
        // What is nothing has nothing to show on a scale of its own.
        let is_faint = |it: &Reach| it.is_trusted() && it.most > 0.0;
        let is_faint = |it: &Reach| is_faint(it) && round_up(it.most) < common / FAINT;
        Self {
            common,
            own: own.collect(),
            apart: maps
                .iter()
                .map(|it| it.as_ref().is_some_and(is_faint))
                .collect(),
        }
    }

    /// Whether a map has a scale of its own.
    pub fn is_apart(&self, map: usize) -> bool {
        self.apart.get(map).copied().unwrap_or(false)
    }

    /// Where the scale of a map would end by itself.
    pub fn own(&self, map: usize) -> f32 {
        self.own.get(map).copied().unwrap_or(self.common)
    }

    /// Where the scale of a map ends.
    pub fn limit(&self, map: usize) -> f32 {
        match self.is_apart(map) {
            true => self.own(map),
            false => self.common,
        }
    }
}

/// What a map with a scale of its own says on itself: where that ends, `±0.0002`.
pub fn said(limit: f32) -> String {
    format!("±{}", short(f64::from(limit)))
}

/// The round number at or above a value at which scales end, so that a scale stands still while
/// its map grows: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten.
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

/// An axis from just below `low` to just above `high`, its ends 1, 2 or 5 times a power of ten;
/// named are its ends, and all such values or the powers alone between them.
pub fn log_axis(low: f64, high: f64) -> ((f64, f64), Vec<f64>) {
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

/// Round numbers from 0 to `last`, at most nine of them: 1, 2 or 5 times a power of ten apart.
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
    fn a_trusted_map_that_the_shared_scale_would_hide_has_its_own() {
        let scales = Scales::of([
            reach(0.15, 0.9),
            reach(0.0002, 0.87),
            None,
            reach(0.05, 0.7),
        ]);
        assert_eq!((scales.common, scales.limit(0)), (0.15, 0.15));
        assert!(scales.is_apart(1) && (scales.limit(1) - 0.0002).abs() < 1e-8);
        assert_eq!(said(scales.limit(1)), "±0.0002");
        assert!(!scales.is_apart(2) && !scales.is_apart(3));
        // What is nothing has nothing to show.
        assert!(!Scales::of([reach(0.15, 0.9), reach(0.0, 0.9)]).is_apart(1));
    }

    #[test]
    fn noise_follows_the_scale_of_what_is_trusted_and_sets_one_where_nothing_is() {
        let scales = Scales::of([reach(0.1, 0.8), reach(3.0, 0.1), reach(0.001, 0.2)]);
        assert_eq!(scales.common, 0.1);
        assert!((0..3).all(|map| !scales.is_apart(map)));
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
