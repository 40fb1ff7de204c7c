//! What of an attack is in sight.

use crate::session::form::Shape;
use crate::session::{Session, record};
use crate::stats::interval::{Interval, wilson};
use crate::tui::form;

/// What of an attack is in sight, every place inside its axis.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The attack.
    pub attack: &'a record::Attack,
    /// The target.
    pub target: usize,
    /// Whether all targets are seen at once.
    pub all: bool,
    /// 0: images; 1: noise.
    pub source: usize,
    /// The chosen pattern.
    pub pattern: usize,
    /// The chosen weight, by its place.
    pub weight: usize,
    /// The chosen weight itself.
    pub w: f64,
    /// Channels, rows and columns of its images.
    pub shape: Shape,
    /// The run.
    pub session: &'a Session,
}

impl Sight<'_> {
    /// Height and width of its images.
    pub fn size(&self) -> (usize, usize) {
        (self.shape[1], self.shape[2])
    }

    /// What a class is called.
    pub fn name(&self, class: usize) -> String {
        form::name(self.session, class)
    }

    /// The same in so many columns.
    pub fn name_within(&self, class: usize, room: u16) -> String {
        form::within(self.session, class, usize::from(room))
    }

    /// The share of what is called the target without any pattern; `None` where that was not planned.
    pub fn without(&self) -> Option<f64> {
        let nothing = self.attack.weights.iter().position(|&w| w == 0.0)?;
        let all = (0..self.attack.kinds.len()).filter_map(|it| self.success(it, nothing));
        all.map(|(own, _)| own.estimate).next()
    }

    /// Targeted success of a pattern at a weight: the rate with its interval, and how many stimuli
    /// it was taken from; `None` where there is nothing yet or no pattern.
    pub fn success(&self, pattern: usize, weight: usize) -> Option<(Interval, u64)> {
        let (mean, share) = match self.all {
            true => self.attack.mean_targeted(self.source, pattern, weight)?,
            false => {
                let target = self.target;
                let share = self.attack.targeted(self.source, pattern, target, weight)?;
                (share.rate()?, share)
            }
        };
        let own = wilson(share.hits, share.of)?;
        // Around the mean over targets the interval of the pooled counts keeps its width.
        let off = mean - own.estimate;
        let interval = Interval {
            estimate: mean,
            low: (own.low + off).clamp(0.0, mean),
            high: (own.high + off).clamp(mean, 1.0),
        };
        Some((interval, share.of))
    }
}
