//! [`AttackSelection`], the selection that the attack view shows.

use crate::ids::ClassId;
use crate::session::form::Shape;
use crate::session::{Session, record};
use crate::stats::interval::Interval;
use crate::tui::form;

/// The selection shown, with every index within its range.
#[derive(Clone, Copy)]
pub struct AttackSelection<'a> {
    /// The attack.
    pub attack: &'a record::Attack,
    /// The target.
    pub target: ClassId,
    /// Whether the mean over all targets is shown.
    pub all: bool,
    /// 0: images; 1: noise.
    pub source: usize,
    /// The chosen pattern.
    pub pattern: usize,
    /// Index of the chosen weight.
    pub weight: usize,
    /// The chosen weight.
    pub w: f64,
    /// Channels, rows and columns of its images.
    pub shape: Shape,
    /// The session.
    pub session: &'a Session,
}

impl AttackSelection<'_> {
    /// Height and width of its images.
    pub fn size(&self) -> (usize, usize) {
        (self.shape[1], self.shape[2])
    }

    /// The short name of a class.
    pub fn name(&self, class: ClassId) -> String {
        form::class_name(self.session, class)
    }

    /// The same in at most `room` columns.
    pub fn name_within(&self, class: ClassId, room: u16) -> String {
        form::class_name_within(self.session, class, usize::from(room))
    }

    /// The rate at which the target is called without any pattern; `None` if that was not planned.
    pub fn baseline(&self) -> Option<f64> {
        let nothing = self.attack.weights.iter().position(|&w| w == 0.0)?;
        let all = (0..self.attack.kinds.len()).filter_map(|pattern| self.success(pattern, nothing));
        all.map(|(interval, _)| interval.estimate).next()
    }

    /// Targeted success of a pattern at a weight: the rate with its interval, and the number of stimuli it is
    /// based on; `None` if there is no pattern or no data yet.
    pub fn success(&self, pattern: usize, weight: usize) -> Option<(Interval, u64)> {
        if self.all {
            let mean = self.attack.mean_targeted(self.source, pattern, weight)?;
            return Some((mean.interval, mean.total));
        }
        let target = self.target;
        let share = self.attack.targeted(self.source, pattern, target, weight)?;
        Some((share.interval()?, share.total))
    }
}
