//! Where a worker computes.

use burn::tensor::Device;

use super::choice::Kind;
use super::libtorch;
use crate::nets::launch;

/// A worker's place: the device that it computes on, and how.
#[derive(Debug, Clone)]
pub struct Seat {
    /// Burn's handle.
    pub device: Device,
    /// The device's name, for example `cuda:0`.
    pub name: String,
    /// Which backend it is.
    pub kind: Kind,
    /// Most blocks taken at once. More than one only where the device is better off so.
    pub blocks: usize,
    /// Most images of a block that the network takes at once.
    pub images: usize,
}

impl Seat {
    /// Lets the thread that this is called on compute networks as the workers here do.
    pub fn prepare_conductor(&self) {
        launch::compute_by_plan(self.kind == Kind::Cpu);
    }

    /// Prepares the thread that this is called on to compute here: a processor's operators keep to
    /// this one thread, since the parallelism lies in computing several blocks at once, and to its
    /// caches.
    pub fn prepare_thread(&self) {
        launch::take_at_most(self.images);
        self.prepare_conductor();
        if matches!(self.kind, Kind::Libtorch) {
            libtorch::one_thread();
        }
    }
}
