//! Several blocks in one launch: noise, decisions and sums on the device; only sums come back.
//!
//! The sums are exact whatever precision a GPU multiplies in: a point of the 16-bit grid is taken as
//! two bytes, which even 8 bits of mantissa hold, and a product of a matrix of zeros and ones with
//! at most 8,192 rows of bytes stays below 2²⁴.

use burn::tensor::{DType, Int, Tensor, TensorData};

use super::{ClassificationImages, add, widen};
use crate::analysis::{Job, Lab};
use crate::nets::SIZE;
use crate::session::record::BlockSums;
use crate::stimulus::on_device::{self, Drawn, Wanted, indices};

/// Computes whole blocks of uniform noise whose trials all count the same.
pub fn steps(analysis: &ClassificationImages, lab: &Lab, jobs: &[Job]) -> Vec<BlockSums> {
    let trials = analysis.config.block;
    let wanted: Vec<Wanted> = jobs
        .iter()
        .map(|job| Wanted {
            seed: analysis.place.noise(job.part as u64, job.block),
            gamma: analysis.config.gammas[job.part],
            first: job.block * trials as u64,
        })
        .collect();
    let drawn = on_device::draw(
        &wanted,
        trials,
        analysis.config.noise.grid(),
        &lab.pool,
        || lab.resident.images(&lab.pool, &lab.device),
        &lab.device,
    );
    let (height, width) = SIZE;
    let all = jobs.len() * trials;
    let logits = lab
        .network
        .forward(drawn.stimuli.clone().reshape([all, height, width]));
    let decisions = logits.argmax(1).cast(DType::I64).reshape([all]);
    sums(jobs, trials, &drawn, decisions, lab)
}

fn sums(
    jobs: &[Job],
    trials: usize,
    drawn: &Drawn,
    decisions: Tensor<1, Int>,
    lab: &Lab,
) -> Vec<BlockSums> {
    let (classes, pixels) = (lab.pool.classes(), lab.pool.pixels());
    let cells = classes * classes;
    let (blocks, all) = (jobs.len(), jobs.len() * trials);
    let truth = indices(&drawn.truth, &lab.device);
    let cell = truth * classes as i64 + decisions.clone();
    let every = Tensor::<1, Int>::arange(0..cells as i64, (&lab.device, DType::I64));
    let belongs = every
        .reshape([1, cells])
        .expand([all, cells])
        .equal(cell.reshape([all, 1]).expand([all, cells]))
        .float()
        .reshape([blocks, trials, cells])
        .swap_dims(1, 2);
    let high = (drawn.noise.clone() / 256.0).floor();
    let low = drawn.noise.clone() - high.clone() * 256.0;
    let bytes = Tensor::cat(vec![low, high], 1).reshape([blocks, trials, 2 * pixels]);
    let sums = belongs.matmul(bytes).reshape([blocks * cells, 2 * pixels]);

    let decisions: Vec<i64> = decisions.into_data().try_into_vec().unwrap_or_default();
    let mut measured: Vec<BlockSums> = jobs
        .iter()
        .enumerate()
        .map(|(index, job)| {
            let own = index * trials..(index + 1) * trials;
            let truth = drawn.truth[own.clone()].iter().copied();
            let decisions = decisions[own.clone()].iter().map(|&class| class as usize);
            count(job.block, truth, decisions, &drawn.image[own], lab)
        })
        .collect();
    // Most cells of most blocks are empty: only those with trials cross the bus.
    let filled = measured.iter().enumerate().flat_map(|(index, block)| {
        let counts = block.counts.iter().enumerate();
        counts.filter_map(move |(cell, &count)| (count > 0).then_some((index, cell)))
    });
    let filled: Vec<(usize, usize)> = filled.collect();
    let rows: Vec<usize> = filled.iter().map(|(it, cell)| it * cells + cell).collect();
    let sums = sums.select(0, indices(&rows, &lab.device)).into_data();
    let sums: Vec<f32> = sums.try_into_vec().unwrap_or_default();
    for ((index, cell), row) in filled.into_iter().zip(sums.chunks_exact(2 * pixels)) {
        let (low, high) = row.split_at(pixels);
        let points = low.iter().zip(high);
        let points = points.map(|(&low, &high)| low as i64 + 256 * high as i64);
        measured[index].noise.push((cell, points.collect()));
    }
    measured
}

/// What of a block follows from the decisions alone: the counts, and the sums of the images.
fn count(
    block: u64,
    truth: impl ExactSizeIterator<Item = usize>,
    decisions: impl Iterator<Item = usize>,
    image: &[usize],
    lab: &Lab,
) -> BlockSums {
    let classes = lab.pool.classes();
    let trials = truth.len() as u64;
    let mut counts = vec![0; classes * classes];
    let mut images: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for ((truth, predicted), &image) in truth.zip(decisions).zip(image) {
        counts[truth * classes + predicted] += 1;
        let bytes = lab.pool.image(image);
        add(&mut images[predicted], bytes.iter().map(|&x| u32::from(x)));
    }
    BlockSums {
        block,
        trials,
        counts,
        noise: Vec::new(),
        image: widen(images),
        weights: (Vec::new(), Vec::new()),
        moments: Vec::new(),
        dropped: 0,
    }
}

/// The training images where the network computes, put there when first asked for.
#[derive(Debug, Clone, Default)]
pub struct Resident(std::sync::Arc<std::sync::OnceLock<Tensor<2>>>);

impl Resident {
    fn images(&self, pool: &crate::stimulus::Pool, device: &burn::tensor::Device) -> Tensor<2> {
        let put = || {
            let bytes: Vec<f32> = pool.bytes().iter().map(|&byte| f32::from(byte)).collect();
            let shape = [bytes.len() / pool.pixels(), pool.pixels()];
            Tensor::from_data(TensorData::new(bytes, shape), device)
        };
        self.0.get_or_init(put).clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::testing::template_lab;
    use crate::analysis::{Experiment, Job, Place};
    use crate::session::config;

    #[test]
    fn many_blocks_in_one_launch_measure_what_each_measures_alone() {
        let lab = template_lab();
        let place = Place {
            seed: 4,
            index: 1,
            images: None,
        };
        let plan = config::ClassificationImages {
            gammas: vec![0.0, 0.4],
            trials: 205,
            block: 50,
            ..Default::default()
        };
        let analysis = super::ClassificationImages::new(plan, place, &lab);
        let job = |part, block| Job { part, block };
        let whole = [job(0, 2), job(1, 2), job(0, 3)];
        // The last block is short, which a launch on the device does not take.
        for jobs in [&whole[..], &[job(1, 0), job(1, 4)]] {
            let together = analysis.steps(&lab, jobs).unwrap();
            let alone = jobs.iter().map(|&job| analysis.step(&lab, job).unwrap());
            assert_eq!(together, alone.collect::<Vec<_>>());
        }
    }
}
