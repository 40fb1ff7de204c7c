//! Data kept on devices for drawing launches: the training images, how noise is drawn there, and counts of transfers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use crate::stimulus::Pool;
use crate::stimulus::kernels::Kernels;

/// How launches are drawn on a device.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoiseBackend {
    /// The GPU that libtorch computes on.
    pub gpu: Option<usize>,
    /// The kernels that draw the noise; `None` if the processor draws it.
    pub kernels: Option<&'static Kernels>,
}

/// Counts of transfers between the processor and a device for launches.
#[derive(Debug, Default)]
pub struct Traffic {
    uploads: AtomicU64,
    up: AtomicU64,
    readbacks: AtomicU64,
    down: AtomicU64,
}

impl Traffic {
    /// Counts an upload of this many bytes.
    pub(super) fn upload(&self, bytes: usize) {
        self.uploads.fetch_add(1, Ordering::Relaxed);
        self.up.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts a blocking readback of this many bytes.
    pub fn read_back(&self, bytes: usize) {
        self.readbacks.fetch_add(1, Ordering::Relaxed);
        self.down.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Uploads and their bytes, readbacks and their bytes.
    pub fn so_far(&self) -> [u64; 4] {
        let all = [&self.uploads, &self.up, &self.readbacks, &self.down];
        all.map(|count| count.load(Ordering::Relaxed))
    }
}

/// Data kept on devices: a run's training images, uploaded to each device when first needed there; and how noise is
/// drawn on a device.
#[derive(Debug, Clone, Default)]
pub struct DeviceData {
    images: Arc<Mutex<Vec<Copied>>>,
    pub(super) noise_backend: NoiseBackend,
    pub(super) traffic: Arc<Traffic>,
}

/// A device, and the bytes of the images on it.
type Copied = (Device, Tensor<2, Int>);

impl DeviceData {
    /// The same for a device on which launches are drawn like this.
    #[must_use]
    pub fn with_noise_backend(&self, drawing: NoiseBackend) -> Self {
        Self {
            noise_backend: drawing,
            ..self.clone()
        }
    }

    /// The transfers for launches so far.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The bytes of the images, \[images,P\]; `None` if there are none.
    pub(super) fn images(&self, pool: &Pool, device: &Device) -> Option<Tensor<2, Int>> {
        let upload = || {
            let bytes = pool.bytes().to_vec();
            let shape = [bytes.len() / pool.pixels(), pool.pixels()];
            Tensor::from_data(TensorData::new(bytes, shape), (device, DType::U8))
        };
        if pool.is_empty() {
            return None;
        }
        let mut uploaded = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, images)) = uploaded.iter().find(|(other, _)| other == device) {
            return Some(images.clone());
        }
        let images = upload();
        uploaded.push((device.clone(), images.clone()));
        Some(images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_on_a_device_is_shared_by_all_who_draw_there() {
        let images = crate::stimulus::tests::images();
        let (pool, device) = (Pool::new(&images), Device::flex());
        let data = DeviceData::default();
        let copies = || data.images.lock().unwrap().len();
        assert_eq!(data.images(&pool, &device).unwrap().dims(), [30, 784]);
        let other = data.with_noise_backend(NoiseBackend {
            gpu: Some(3),
            kernels: None,
        });
        assert_eq!(
            (other.noise_backend.gpu, data.noise_backend.gpu),
            (Some(3), None)
        );
        assert_eq!(other.images(&pool, &device).unwrap().dims(), [30, 784]);
        assert_eq!(copies(), 1);
        // They also count their transfers together.
        data.traffic().upload(100);
        other.traffic().upload(20);
        other.traffic().read_back(3);
        assert_eq!(data.traffic().so_far(), [2, 120, 1, 3]);
        // Noise alone needs none.
        let none = Pool::new(&crate::data::Images {
            pixels: [].into(),
            labels: [].into(),
            ..images
        });
        assert!(data.images(&none, &device).is_none());
        assert_eq!(copies(), 1);
    }
}
