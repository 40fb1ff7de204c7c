//! The course of reliability: how reliable the maps at a γ became as trials were added.

use super::GammaTrials;
use crate::ids::ClassId;
use crate::session::array::Array;
use crate::session::config::Response;
use crate::stats::classification::GammaEstimate;

/// The number of blocks after which reliability is next noted, once `blocks` are done.
pub fn next_noted_block(blocks: u64) -> u64 {
    let mut pairs = 2_u64;
    loop {
        for noted in [pairs, pairs.saturating_add(pairs / 2)] {
            let next = noted.saturating_mul(2);
            if next > blocks || next == u64::MAX {
                return next;
            }
        }
        pairs = pairs.saturating_mul(2);
    }
}

impl GammaTrials {
    /// Notes the reliability of the maps when due: after 2, 3, 4, 6, 8, 12, … pairs of blocks, so that
    /// it is noted at the same trials on any machine. A shard that does not start at block 0 keeps its
    /// sums instead.
    pub fn note_reliability(&mut self) {
        let blocks = self.first.saturating_add(self.blocks);
        if blocks == 0 || next_noted_block(blocks - 1) != blocks {
            return;
        }
        if self.first > 0 {
            let mut sums = self.clone();
            sums.on_the_way = Vec::new();
            // Every shard has the same one.
            sums.null = None;
            self.on_the_way.push(sums);
            return;
        }
        let now = self.estimate();
        self.push_reliability(self.trials, &now);
    }

    /// Notes the reliability in an estimate over `trials` trials, which include these.
    pub(super) fn push_reliability(&mut self, trials: u64, estimate: &GammaEstimate) {
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

    /// The reliability of a class's map over time: (trials, R), ascending.
    pub fn course_of(&self, response: Response, class: ClassId) -> Vec<(u64, f64)> {
        let m = self.listed.len();
        let Ok(place) = self.listed.binary_search(&class) else {
            return Vec::new();
        };
        let row = Response::ALL
            .iter()
            .position(|&candidate| candidate == response)
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

/// Whether numbers are equal bit for bit, including NaN.
pub(super) fn equal_bits(a: &[f32], b: &[f32]) -> bool {
    let pairs = a.iter().zip(b);
    a.len() == b.len() && pairs.into_iter().all(|(a, b)| a.to_bits() == b.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BlockIndex, Gamma};
    use crate::session::record::gamma_trials::tests::null;
    use crate::session::record::{BlockSums, TrialKind};

    #[test]
    fn noted_blocks_are_about_a_factor_of_root_two_apart() {
        let mut noted = vec![next_noted_block(0)];
        while noted.len() < 9 {
            noted.push(next_noted_block(noted[noted.len() - 1]));
        }
        assert_eq!(noted, [4, 6, 8, 12, 16, 24, 32, 48, 64]);
        assert_eq!(next_noted_block(33), 48);
        assert_eq!(next_noted_block(u64::MAX), u64::MAX);
    }

    #[test]
    fn reliability_is_noted_after_the_same_blocks_on_any_machine() {
        let run = |first: u64, blocks: u64| {
            let kind = TrialKind::plain(2, [1, 1, 1]);
            let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
            trials.set_null(null());
            trials.first = first;
            for block in BlockIndex(first).until(BlockIndex(first + blocks)) {
                trials.add(&BlockSums {
                    block,
                    trials: 4,
                    counts: vec![1; 4],
                    ..BlockSums::default()
                });
                trials.note_reliability();
            }
            trials
        };
        let whole = run(0, 9);
        assert_eq!(whole.noted, [16, 24, 32]);
        assert_eq!(whole.course.shape(), [3, 2, 2]);
        assert!(whole.on_the_way.is_empty());
        // Later blocks, 5 to 13, note their own sums instead: after 6, 8 and 12 blocks of all.
        let shard = run(4, 9);
        let sums = shard.on_the_way.iter();
        assert_eq!(
            sums.map(|sums| sums.trials).collect::<Vec<_>>(),
            [8, 16, 32]
        );
        let mut sums = shard.on_the_way.iter();
        assert!(sums.all(|sums| sums.null.is_none() && sums.on_the_way.is_empty()));
        assert!(shard.noted.is_empty() && shard.null == Some(null()));
        let mut none = run(0, 0);
        none.note_reliability();
        assert!(none.noted.is_empty());
    }

    #[test]
    fn a_classs_course_has_its_own_numbers_and_leaves_out_what_was_unknown() {
        let kind = TrialKind {
            listed: vec![ClassId(1), ClassId(3)],
            ..TrialKind::plain(4, [1, 1, 1])
        };
        let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
        trials.noted = vec![10, 20];
        let numbers = vec![0.125, 0.25, 0.375, f32::NAN, 0.5, 0.625, 0.75, 0.875];
        trials.course = Array::new(&[2, 2, 2], numbers);
        let of = |response, class| trials.course_of(response, ClassId(class));
        assert_eq!(of(Response::Decision, 1), [(10, 0.125), (20, 0.5)]);
        assert_eq!(of(Response::Decision, 3), [(10, 0.25), (20, 0.625)]);
        assert_eq!(of(Response::Evidence, 1), [(10, 0.375), (20, 0.75)]);
        assert_eq!(of(Response::Evidence, 3), [(20, 0.875)]);
        assert_eq!(of(Response::Evidence, 2), []);
        assert!(!equal_bits(&[0.5, 0.25], &[0.5]) && !equal_bits(&[0.0], &[-0.0]));
        trials.listed = vec![ClassId(1)];
        trials.course = Array::new(&[2, 2, 1], vec![0.125, 0.25, 0.5, 0.75]);
        let of = |response| trials.course_of(response, ClassId(1));
        assert_eq!(of(Response::Decision), [(10, 0.125), (20, 0.5)]);
        assert_eq!(of(Response::Evidence), [(10, 0.25), (20, 0.75)]);
    }
}
