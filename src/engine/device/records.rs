//! How a session was computed so far, by its records of devices, how it is computed from now on, and what differs.

use super::{DeviceKind, OpenDevices, is_recorded_direct, numerics};
use crate::nets::launch;

/// Whether a session's last run on `cpu` computed every convolution directly; `None` if none was on `cpu`.
pub fn was_direct(recorded: &[String]) -> Option<bool> {
    let is_cpu = |record: &&String| record.split(", ").next() == Some("cpu");
    let last = recorded.iter().rev().find(is_cpu);
    last.map(|record| is_recorded_direct(record))
}

/// How convolutions are computed on `cpu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convolutions {
    /// All of them directly.
    Direct,
    /// With Winograd's algorithm where that is faster.
    Fastest,
}

impl Convolutions {
    /// How a session computed them on `cpu` last; `None` if it never ran there.
    pub fn recorded(recorded: &[String]) -> Option<Self> {
        was_direct(recorded).map(|direct| match direct {
            true => Self::Direct,
            false => Self::Fastest,
        })
    }

    /// Makes plans compiled from now on compute them as chosen, or without a choice as the session did so far.
    pub fn apply(chosen: Option<Self>, recorded: &[String]) {
        if chosen.or_else(|| Self::recorded(recorded)) == Some(Self::Direct) {
            launch::disable_winograd();
        }
    }

    /// How a run on `cpu` that computes them in this way differs from the session so far, in a sentence.
    pub(super) fn change(self, recorded: &[String]) -> Option<&'static str> {
        let before = Self::recorded(recorded).filter(|before| *before != self)?;
        Some(match before {
            Self::Fastest => {
                "every convolution is computed directly from here on; so far the session was computed with Winograd's \
                 algorithm. Both are recorded"
            }
            Self::Direct => {
                "convolutions are computed with Winograd's algorithm from here on, where that is faster; so far every one \
                 was computed directly. Both are recorded"
            }
        })
    }
}

impl OpenDevices {
    /// What this run computes differently from the session so far, in sentences for the log.
    pub fn changes(&self, recorded: &[String]) -> Vec<String> {
        let mut changes = Vec::new();
        let tf32 = numerics::is_tf32();
        if matches!(self.seats[0].kind, DeviceKind::Cuda(_))
            && let Some(before) = numerics::recorded(recorded)
            && before != tf32
        {
            changes.push(format!(
                "{} multiplies in {} from here on; so far the session was computed in {}. Both are recorded",
                self.name,
                numerics::name(tf32),
                numerics::name(before)
            ));
        }
        let now = match launch::is_winograd_disabled() {
            true => Convolutions::Direct,
            false => Convolutions::Fastest,
        };
        if self.name == "cpu" {
            changes.extend(now.change(recorded).map(str::to_owned));
        }
        changes
    }
}
