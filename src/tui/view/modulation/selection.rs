//! [`ModulationSelection`]: a layer, and a push of it.

use crate::ids::ClassId;
use crate::session::Session;
use crate::session::record::{ModulatedLayer, Modulation};

/// A layer and a push of it, with every index within its range.
#[derive(Clone, Copy)]
pub struct ModulationSelection<'a> {
    /// The session.
    pub session: &'a Session,
    /// The record.
    pub modulation: &'a Modulation,
    /// The layer.
    pub layer: &'a ModulatedLayer,
    /// Index of the strength.
    pub strength: usize,
    /// Index of the strength 0.
    pub rest: usize,
    /// Index of γ = 1: the image alone.
    pub image: usize,
    /// The chosen class.
    pub class: ClassId,
    /// Number of classes.
    pub classes: usize,
}

impl ModulationSelection<'_> {
    /// The share of a class's stimuli that are called the class, pushed towards `target`.
    pub fn accuracy(
        &self,
        target: ClassId,
        strength: usize,
        gamma_index: usize,
        class: ClassId,
    ) -> Option<f64> {
        let (hits, of) = self.layer.accuracy(target, strength, gamma_index, class)?;
        Some(hits as f64 / of as f64)
    }

    /// The change of that share on test images from no push to the current one.
    pub fn change(&self, target: ClassId, class: ClassId) -> Option<f64> {
        let pushed = self.accuracy(target, self.strength, self.image, class)?;
        Some(pushed - self.accuracy(target, self.rest, self.image, class)?)
    }

    /// The share of pure noise that is called the target.
    pub fn noise(&self, target: ClassId, strength: usize) -> Option<f64> {
        let (called, of) = self.layer.share_called(target, strength, 0, target);
        (of > 0).then(|| called as f64 / of as f64)
    }

    /// The strength k at an index.
    pub fn k(&self, index: usize) -> i64 {
        self.modulation.strengths[index]
    }
}

/// Formats a strength: `+3`, `−3`, `0`.
pub fn signed(k: i64) -> String {
    match k {
        0 => "0".into(),
        1.. => format!("+{k}"),
        _ => format!("−{}", k.unsigned_abs()),
    }
}
