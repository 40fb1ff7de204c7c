//! The loss of a batch, and its gradient with respect to the logits.

use super::super::team::run_tasks;
use super::layer::FitLayer;
use super::memory::DisjointPointer;
use super::{BatchLoss, BatchMemory, Fit};
use crate::nets::softmax::log_softmax;

/// The cost of one class in the loss, in multiplications.
const LOSS_COST: usize = 1000;

impl Fit {
    /// Cross-entropy of the logits, and its gradient with respect to them divided by the number of images of the batch.
    pub(super) fn loss(&self, frames: &BatchMemory, labels: &[usize], images: usize) -> BatchLoss {
        let lanes = self.lanes.count();
        let last = self.layers.last().and_then(FitLayer::output_offsets);
        // A chain ends with a dense layer.
        let Some((y, dy)) = last else {
            return BatchLoss {
                loss: f64::NAN,
                logits: Vec::new(),
            };
        };
        let share = 1.0 / images.max(1) as f64;
        let mut logits = vec![0.0; labels.len() * self.classes];
        let mut losses = vec![0.0; labels.len()];
        let rows = DisjointPointer(logits.as_mut_ptr());
        let all_losses = DisjointPointer(losses.as_mut_ptr());
        let groups = labels.len().div_ceil(lanes);
        run_tasks(groups, labels.len() * self.classes * LOSS_COST, |group| {
            let images = frames.images_of(group, lanes);
            let first = group * lanes;
            let rows = rows.slice(first * self.classes, images * self.classes);
            let losses = all_losses.slice(first, images);
            // SAFETY: both tensors lie in the frame of the group, which belongs to this task.
            let address = |offset: usize, class: usize, lane: usize| unsafe {
                frames.at(group, offset + class, lanes).add(lane)
            };
            let images = rows.chunks_exact_mut(self.classes).zip(losses);
            for (lane, (row, loss)) in images.enumerate() {
                let label = labels[group * lanes + lane];
                for (class, logit) in row.iter_mut().enumerate() {
                    // SAFETY: as above.
                    *logit = unsafe { *address(y, class, lane) };
                }
                let logs = log_softmax(row);
                *loss = -logs[label];
                for (class, log) in logs.iter().enumerate() {
                    let target = f64::from(u8::from(class == label));
                    // SAFETY: as above.
                    unsafe { *address(dy, class, lane) = ((log.exp() - target) * share) as f32 };
                }
            }
        });
        for image in labels.len()..frames.groups * lanes {
            for class in 0..self.classes {
                // SAFETY: as above.
                unsafe {
                    *frames
                        .at(image / lanes, dy + class, lanes)
                        .add(image % lanes) = 0.0
                };
            }
        }
        BatchLoss {
            loss: losses.iter().sum(),
            logits,
        }
    }
}
