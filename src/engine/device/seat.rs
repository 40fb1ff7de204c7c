//! A seat: a worker's place on a device.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;

use super::choice::DeviceKind;
use super::libtorch;
use crate::nets::launch;
use crate::stimulus::kernels::Kernels;
use crate::stimulus::launch::NoiseBackend;

/// If this environment variable is set, noise is drawn by the processor.
const WITHOUT_KERNELS: &str = "NOISESCOPE_WITHOUT_KERNELS";

/// A worker's place: the device it computes on, and how.
#[derive(Debug, Clone)]
pub struct Seat {
    /// Burn's handle.
    pub device: Device,
    /// The device's name, for example `cuda:0`.
    pub name: String,
    /// Which backend it is.
    pub kind: DeviceKind,
    /// Blocks per launch; one if the device takes no launches.
    pub blocks: usize,
    /// Threads of the worker, which draw noise if the device does not.
    pub threads: usize,
    /// Most images of a block that the network processes at once.
    pub max_images: usize,
}

impl Seat {
    /// Whether it is fed with launches of several blocks.
    pub fn is_fed(&self) -> bool {
        self.blocks > 1
    }

    /// How noise is drawn here, and if by the processor, a note with the reason, once per process.
    pub fn noise_backend(&self) -> (NoiseBackend, Option<String>) {
        let DeviceKind::Cuda(gpu) = self.kind else {
            return (NoiseBackend::default(), None);
        };
        let loaded = match std::env::var_os(WITHOUT_KERNELS) {
            Some(_) => Err(format!("{WITHOUT_KERNELS} is set")),
            None => Kernels::get(gpu, libtorch::folder().map(Path::new)),
        };
        let (kernels, why) = match loaded {
            Ok(kernels) => (Some(kernels), None),
            Err(why) => (None, Some(why)),
        };
        static REPORTED: AtomicBool = AtomicBool::new(false);
        let why = why.filter(|_| !REPORTED.swap(true, Ordering::Relaxed));
        let note = |why| {
            let threads = self.threads;
            let plural = if threads == 1 { "" } else { "s" };
            format!(
                "{}: noise is drawn by {threads} processor thread{plural}, since {why}",
                self.name
            )
        };
        let drawing = NoiseBackend {
            gpu: Some(gpu),
            kernels,
        };
        (drawing, why.map(note))
    }

    /// Makes the calling thread compute networks as this seat's workers do.
    pub fn prepare_conductor(&self) {
        launch::set_by_plan(self.kind == DeviceKind::Cpu);
    }

    /// Prepares the calling thread to compute here: a processor's operators stay on this thread, since the
    /// parallelism comes from computing several blocks at once, and within its caches.
    pub fn prepare_thread(&self) {
        launch::set_max_rows(self.max_images);
        self.prepare_conductor();
        match self.kind {
            DeviceKind::Libtorch if !self.is_fed() => libtorch::one_thread(),
            DeviceKind::Cuda(_) => libtorch::choose_algorithms_by_rules(),
            _ => {}
        }
    }
}
