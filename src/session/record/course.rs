//! How reliable the maps at a γ have become on the way.

use super::GammaTrials;
use crate::session::array::Array;
use crate::session::config::Response;
use crate::stats::classification::Estimate;

impl GammaTrials {
    /// Notes how reliable the maps are now, where it is time: after 2, 3, 4, 6, 8, 12, … pairs of blocks,
    /// so that it is noted at the same trials whoever computes them. A shard in the middle keeps its sums instead.
    pub fn note(&mut self) {
        let blocks = self.first + self.blocks;
        let pairs = blocks / 2;
        let is_time = blocks.is_multiple_of(2)
            && pairs > 1
            && (pairs.is_power_of_two()
                || (pairs.is_multiple_of(3) && (pairs / 3).is_power_of_two()));
        if !is_time {
            return;
        }
        if self.first > 0 {
            let mut here = self.clone();
            here.on_the_way = Vec::new();
            // Every shard has the same.
            here.null = None;
            self.on_the_way.push(here);
            return;
        }
        let now = self.estimate();
        self.take_note(self.trials, &now);
    }

    /// Notes how reliable the maps of trials are that include these.
    pub(super) fn take_note(&mut self, trials: u64, estimate: &Estimate) {
        let mut course = self.course.values().to_vec();
        for response in Response::ALL {
            course.extend(self.listed.iter().map(|&class| {
                let map = estimate.classes[class].image(response);
                map.and_then(|map| map.reliability)
                    .map_or(f32::NAN, |r| r as f32)
            }));
        }
        self.noted.push(trials);
        self.course = Array::new(&[self.noted.len(), 2, self.listed.len()], course);
    }

    /// How reliable the map of a class was on the way: (trials, R), ascending.
    pub fn course_of(&self, response: Response, class: usize) -> Vec<(u64, f64)> {
        let m = self.listed.len();
        let Ok(place) = self.listed.binary_search(&class) else {
            return Vec::new();
        };
        let row = Response::ALL
            .iter()
            .position(|&it| it == response)
            .unwrap_or(0);
        let noted = self
            .noted
            .iter()
            .zip(self.course.values().chunks_exact((2 * m).max(1)));
        noted
            .map(|(&trials, all)| (trials, f64::from(all[row * m + place])))
            .filter(|(_, r)| r.is_finite())
            .collect()
    }
}

/// Whether numbers are the same, also those that are none.
pub(super) fn same(a: &[f32], b: &[f32]) -> bool {
    let pairs = a.iter().zip(b);
    a.len() == b.len() && pairs.into_iter().all(|(a, b)| a.to_bits() == b.to_bits())
}
