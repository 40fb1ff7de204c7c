//! How a session was computed so far, by its records of devices, and what a run computes otherwise.

use super::{DeviceKind, OpenDevices, is_recorded_direct, numerics};
use crate::nets::launch;

/// Whether a session's last run on `cpu` computed every convolution directly; `None` if none was on `cpu`.
pub fn was_direct(recorded: &[String]) -> Option<bool> {
    let is_cpu = |record: &&String| record.split(", ").next() == Some("cpu");
    let last = recorded.iter().rev().find(is_cpu);
    last.map(|record| is_recorded_direct(record))
}

impl OpenDevices {
    /// What this run computes otherwise than the session so far, in sentences for the log.
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
        if self.name == "cpu"
            && launch::is_winograd_disabled()
            && was_direct(recorded) == Some(false)
        {
            changes.push(
                "every convolution is computed directly from here on; so far the session was computed with Winograd's \
                 algorithm. Both are recorded"
                    .to_owned(),
            );
        }
        changes
    }
}
