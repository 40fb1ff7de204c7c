//! A layer, and a push of it.

use crate::session::Session;
use crate::session::record::{ModulatedLayer, Modulation};

/// A layer and a push of it, every place inside its axis.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The run.
    pub session: &'a Session,
    /// The record.
    pub modulation: &'a Modulation,
    /// The layer.
    pub layer: &'a ModulatedLayer,
    /// Place of the strength.
    pub strength: usize,
    /// Place of the strength 0.
    pub rest: usize,
    /// Place of γ = 1: the image alone.
    pub image: usize,
    /// The chosen class.
    pub class: usize,
    /// How many classes there are.
    pub classes: usize,
}

impl Sight<'_> {
    /// Share of a class's stimuli that are called it, pushed towards `target`.
    pub fn accuracy(
        &self,
        target: usize,
        strength: usize,
        gamma: usize,
        class: usize,
    ) -> Option<f64> {
        let (hits, of) = self.layer.accuracy(target, strength, gamma, class)?;
        Some(hits as f64 / of as f64)
    }

    /// By how much that changes on test images between no push and the one in sight.
    pub fn change(&self, target: usize, class: usize) -> Option<f64> {
        let pushed = self.accuracy(target, self.strength, self.image, class)?;
        Some(pushed - self.accuracy(target, self.rest, self.image, class)?)
    }

    /// Share of pure noise that is called the target.
    pub fn noise(&self, target: usize, strength: usize) -> Option<f64> {
        let (called, of) = self.layer.share_called(target, strength, 0, target);
        (of > 0).then(|| called as f64 / of as f64)
    }

    /// The strength k of a place.
    pub fn k(&self, place: usize) -> i64 {
        self.modulation.strengths[place]
    }
}

/// A strength as it is written: `+3`, `−3`, `0`.
pub fn signed(k: i64) -> String {
    match k {
        0 => "0".into(),
        1.. => format!("+{k}"),
        _ => format!("−{}", k.unsigned_abs()),
    }
}
