//! Several blocks in one launch: noise, decisions and sums on the device; only sums come back.
//!
//! The sums are exact whatever precision a GPU multiplies in: a point of the 16-bit grid is taken as
//! two bytes, which even 8 bits of mantissa hold, and a product of a matrix of zeros and ones with
//! at most 8,192 rows of bytes stays below 2²⁴.

use burn::tensor::{DType, Int, Tensor, TensorData};

use super::ClassificationImages;
use super::summing::{add, responses, widen};
use crate::analysis::{Job, Lab};
use crate::session::record::{BlockSums, EvidenceSums, Rows};
use crate::stats::classification::CENTRE;
use crate::stimulus::on_device::{self, Drawn, Wanted, indices};

/// Products of two bytes whose sum a float holds exactly.
const SUMMED: usize = 256;

/// Computes whole blocks of uniform noise whose trials all count the same.
pub fn steps(analysis: &ClassificationImages, lab: &Lab, jobs: &[Job]) -> Vec<BlockSums> {
    let trials = analysis.config.block;
    let wanted: Vec<Wanted> = jobs
        .iter()
        .map(|job| Wanted {
            seed: analysis.place.noise(job.part as u64, job.block),
            gamma: analysis.config.gammas[job.part],
            first: analysis
                .config
                .span(analysis.config.gammas[job.part], job.block)
                .first,
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
    let [channels, height, width] = lab.form.shape();
    let all = jobs.len() * trials;
    let stimuli = drawn.stimuli.clone();
    let stimuli = stimuli.reshape([all, channels, height, width]);
    let logits = lab.network.forward(stimuli);
    let decisions = logits.clone().argmax(1).cast(DType::I64).reshape([all]);
    let rows = analysis.summing.rows();
    let mut measured = sums(rows, jobs, trials, &drawn, decisions, lab);
    if !analysis.hearing.is_empty() {
        let heard = evidence(analysis, jobs, &drawn, logits, lab);
        for (own, heard) in measured.iter_mut().zip(heard) {
            own.evidence = Some(heard);
        }
    }
    measured
}

/// The sums of what the outputs say, for every block. Responses are rounded here; the products are made
/// there, of two bytes of a response and two of a point: a sum of at most 256 such products at a time
/// stays within the 24 bits that a float keeps.
fn evidence(
    analysis: &ClassificationImages,
    jobs: &[Job],
    drawn: &Drawn,
    logits: Tensor<2>,
    lab: &Lab,
) -> Vec<EvidenceSums> {
    let (trials, blocks) = (analysis.config.block, jobs.len());
    let (classes, pixels) = (lab.classes(), lab.pool.pixels());
    let rows = analysis.summing.rows();
    let m = rows.listed();
    let logits: Vec<f32> = logits.into_data().try_into_vec().unwrap_or_default();
    let all = blocks * trials;
    assert_eq!(logits.len(), all * classes, "logits read back");
    let mut heard = Vec::with_capacity(blocks);
    for (job, logits) in jobs.iter().zip(logits.chunks_exact(trials * classes)) {
        heard.push(analysis.hearing[job.part].hear(lab.network.rows(logits)));
    }
    // y = low + 256·high with low in 0 … 255 and high in −128 … 128.
    let bytes = heard.iter().flat_map(|it| it.responses.chunks_exact(m));
    let bytes = bytes.flat_map(|said| {
        let low = said.iter().map(|y| y.rem_euclid(256) as f32);
        low.chain(said.iter().map(|y| y.div_euclid(256) as f32))
    });
    let said: Vec<f32> = bytes.collect();
    let groups = trials.div_ceil(SUMMED);
    let padded = |tensor: Tensor<2>, width: usize| {
        let tensor = tensor.reshape([blocks, trials, width]);
        let missing = groups * SUMMED - trials;
        let tensor = match missing {
            0 => tensor,
            _ => {
                let zeros = Tensor::zeros([blocks, missing, width], &lab.device);
                Tensor::cat(vec![tensor, zeros], 1)
            }
        };
        tensor.reshape([blocks * groups, SUMMED, width])
    };
    let said = Tensor::from_data(TensorData::new(said, [all, 2 * m]), &lab.device);
    let high = (drawn.noise.clone() / 256.0).floor();
    let low = drawn.noise.clone() - high.clone() * 256.0;
    let points = padded(Tensor::cat(vec![low, high], 1), 2 * pixels);
    let products = padded(said, 2 * m).swap_dims(1, 2).matmul(points);
    let products: Vec<f32> = products.into_data().try_into_vec().unwrap_or_default();
    let each = groups * 4 * m * pixels;
    assert_eq!(products.len(), blocks * each, "products read back");
    let mut measured = Vec::with_capacity(blocks);
    for (index, (heard, products)) in heard.iter().zip(products.chunks_exact(each)).enumerate() {
        let truth = &drawn.truth[index * trials..(index + 1) * trials];
        let mut sums = responses(rows, truth, heard);
        sums.products = vec![0; m * pixels];
        for (row, products) in products.chunks_exact(2 * pixels).enumerate() {
            // Rows are M low bytes and M high ones for every group.
            let (class, high) = (row % m, row / m % 2 == 1);
            let scale = if high { 256 } else { 1 };
            let (low, high) = products.split_at(pixels);
            let own = &mut sums.products[class * pixels..(class + 1) * pixels];
            for ((own, &low), &high) in own.iter_mut().zip(low).zip(high) {
                *own += scale * (low as i64 + 256 * high as i64);
            }
        }
        for (class, own) in sums.products.chunks_exact_mut(pixels).enumerate() {
            let said: i64 = sums.sums.iter().skip(class).step_by(m).sum();
            own.iter_mut().for_each(|sum| *sum -= CENTRE * said);
        }
        measured.push(sums);
    }
    measured
}

fn sums(
    rows: &Rows,
    jobs: &[Job],
    trials: usize,
    drawn: &Drawn,
    decisions: Tensor<1, Int>,
    lab: &Lab,
) -> Vec<BlockSums> {
    let (pixels, each) = (lab.pool.pixels(), rows.count());
    let (blocks, all) = (jobs.len(), jobs.len() * trials);
    let belongs = belonging(rows, &drawn.truth, decisions.clone(), lab)
        .reshape([blocks, trials, each])
        .swap_dims(1, 2);
    let high = (drawn.noise.clone() / 256.0).floor();
    let low = drawn.noise.clone() - high.clone() * 256.0;
    let bytes = Tensor::cat(vec![low, high], 1).reshape([blocks, trials, 2 * pixels]);
    let sums = belongs.matmul(bytes).reshape([blocks * each, 2 * pixels]);

    let decisions: Vec<i64> = decisions.into_data().try_into_vec().unwrap_or_default();
    assert_eq!(decisions.len(), all, "decisions read back from the device");
    // Most rows of most blocks are empty: only those with trials cross the bus.
    let mut filled: Vec<(usize, usize)> = Vec::new();
    let mut measured = Vec::with_capacity(blocks);
    for (index, job) in jobs.iter().enumerate() {
        let own = index * trials..(index + 1) * trials;
        let truth = &drawn.truth[own.clone()];
        let decisions: Vec<usize> = decisions[own.clone()]
            .iter()
            .map(|&it| it as usize)
            .collect();
        let mut there = vec![false; each];
        for (&truth, &called) in truth.iter().zip(&decisions) {
            rows.of(truth, called).for_each(|row| there[row] = true);
        }
        filled.extend((0..each).filter(|&row| there[row]).map(|row| (index, row)));
        let image = drawn.image.get(own).unwrap_or_default();
        measured.push(count(rows, job.block, truth, &decisions, image, lab));
    }
    let wanted: Vec<usize> = filled.iter().map(|(it, row)| it * each + row).collect();
    let sums = sums.select(0, indices(&wanted, &lab.device)).into_data();
    let sums: Vec<f32> = sums.try_into_vec().unwrap_or_default();
    assert_eq!(
        sums.len(),
        wanted.len() * 2 * pixels,
        "sums read back from the device"
    );
    for ((index, row), sums) in filled.into_iter().zip(sums.chunks_exact(2 * pixels)) {
        let (low, high) = sums.split_at(pixels);
        let points = low.iter().zip(high);
        let points = points.map(|(&low, &high)| low as i64 + 256 * high as i64);
        measured[index].noise.push((row, points.collect()));
    }
    measured
}

/// Which rows every trial goes to, as ones among zeros: \[trials,rows\].
fn belonging(rows: &Rows, truth: &[usize], decisions: Tensor<1, Int>, lab: &Lab) -> Tensor<2> {
    let (all, listed) = (truth.len(), rows.listed());
    // Classes without maps have the number of the rest, which no other row has.
    let places = |class: usize| rows.place(class).unwrap_or(listed);
    let of_class: Vec<usize> = (0..rows.classes()).map(places).collect();
    let called = indices(&of_class, &lab.device).select(0, decisions);
    let shown: Vec<usize> = truth.iter().map(|&class| places(class)).collect();
    let shown = indices(&shown, &lab.device);
    let every = Tensor::<1, Int>::arange(0..listed as i64 + 1, (&lab.device, DType::I64));
    let every = every.reshape([1, listed + 1]).expand([all, listed + 1]);
    let one_hot = |places: Tensor<1, Int>| {
        let places = places.reshape([all, 1]).expand([all, listed + 1]);
        every.clone().equal(places).float()
    };
    let (called, shown) = (one_hot(called), one_hot(shown));
    let classes = |it: &Tensor<2>| it.clone().narrow(1, 0, listed);
    let hit = classes(&called) * classes(&shown);
    let rest = called.clone().narrow(1, listed, 1);
    Tensor::cat(vec![classes(&called), classes(&shown), hit, rest], 1)
}

/// What of a block follows from the decisions alone: the counts, and the sums of the images.
fn count(
    rows: &Rows,
    block: u64,
    truth: &[usize],
    decisions: &[usize],
    image: &[usize],
    lab: &Lab,
) -> BlockSums {
    let classes = rows.classes();
    let mut counts = vec![0; classes * classes];
    let mut images: Vec<Vec<u32>> = vec![Vec::new(); rows.listed()];
    for (&truth, &predicted) in truth.iter().zip(decisions) {
        counts[truth * classes + predicted] += 1;
    }
    for (&predicted, &image) in decisions.iter().zip(image) {
        if let Some(place) = rows.place(predicted) {
            let bytes = lab.pool.image(image);
            add(&mut images[place], bytes.iter().map(|&x| u32::from(x)));
        }
    }
    BlockSums {
        block,
        trials: truth.len() as u64,
        counts,
        noise: Vec::new(),
        image: widen(images),
        weights: (Vec::new(), Vec::new()),
        moments: Vec::new(),
        dropped: 0,
        evidence: None,
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
    use crate::session::record::{self, Record};
    use crate::session::{Config, config};

    #[test]
    fn many_blocks_in_one_launch_measure_what_each_measures_alone() {
        let lab = template_lab();
        let place = Place {
            seed: 4,
            index: 1,
            images: None,
            gammas: 0,
            evidence: false,
        };
        let plan = config::ClassificationImages {
            gammas: vec![0.0, 0.4],
            trials: 205,
            block: 50,
            ..Default::default()
        };
        let mut analysis = super::ClassificationImages::new(plan, place, &lab);
        let nothing = Record::new(&Config::default());
        let mut record = record::ClassificationImages::default();
        Experiment::begin(&mut analysis, 0, &lab, &nothing, &mut record).unwrap();
        assert!(record.has_evidence());
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
