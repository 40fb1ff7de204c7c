//! The noise loop on a device that is fed: noise, decisions, evidence and all sums stay there, launch after launch,
//! until they are read.
//!
//! Every sum is one of whole numbers below 2⁵³, which 64-bit floats add and multiply exactly in whatever order a
//! library does it. So one product of matrices gives all sums of the noise: of a matrix with a row for each trial
//! and a column for each thing that is summed (called k, shown k, both, the response of k), and the noise itself.
//! The blocks of either half of the trials lie together, and each half has a product of its own.

use std::cell::RefCell;
use std::collections::HashMap;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::ClassificationImages;
use crate::analysis::{Job, Lab, Launches, Sums};
use crate::session::config::{Evidence, Weighting};
use crate::session::record::{BlockSums, CONFIDENCE_STEPS, EvidenceSums};
use crate::stats::classification::{CENTRE, MOST, PAIRED, pairs};
use crate::stimulus::launch::{Drawn, Launch, Slot};

/// Most trials whose sums stay on the device: products of a response and a point are of 30 bits.
pub const MOST_SUMMED: u64 = 1 << 22;

/// Even and odd blocks.
const HALVES: usize = 2;

/// The columns of what is summed with the noise, each group where the plan has it; M classes have maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// Trials by called class, M.
    Called,
    /// All trials, where not all classes have maps: what is called none of them is what is left.
    All,
    /// Trials by true class, M.
    Shown,
    /// Trials by true class that are called so, M.
    Hit,
    /// Responses, M.
    Response,
    /// Trials by true class, whatever they count, M.
    Stratum,
    /// All trials, whatever they count.
    Every,
    /// Trials that count, each once.
    Counted,
}

/// Launches of the noise loop; see [`super::ClassificationImages::launches`].
pub(super) struct NoiseLaunches<'a> {
    analysis: &'a ClassificationImages,
    lab: &'a Lab,
    /// S, even.
    blocks: usize,
    /// What draws the launches of each γ.
    drawing: RefCell<HashMap<usize, Launch<'a>>>,
    /// 0 … K−1, \[1,K\].
    classes: Tensor<2, Int>,
    /// The classes with maps, where not all have one.
    listed: Option<Tensor<1, Int>>,
    columns: Vec<Column>,
    sums: Option<Summed>,
}

/// What was summed since the last reading.
struct Summed {
    job: Job,
    /// Trials by half and true class, \[2,K\].
    shown: Vec<u64>,
    /// Blocks of each half.
    blocks: [u64; HALVES],
    /// What is summed with the noise, \[2,R,p\].
    noise: Tensor<3>,
    /// True classes and responses with what was said, \[2,K+M,C\].
    said: Tensor<3>,
    /// The images' bytes by called class, \[M,P\].
    images: Option<Tensor<2>>,
    /// Squares of the points of the trials that count, \[1,p\].
    squares: Option<Tensor<2>>,
}

/// What the network said of a launch, in numbers that are summed: \[N,·\] each.
struct Answers {
    /// Called class, among all K: one among zeros, zero where the trial does not count.
    called: Tensor<2>,
    /// What a trial counts, \[N,1\]; `None` where all count the same.
    weight: Option<Tensor<2>>,
    /// Responses \[N,M\] and whether each was cut.
    heard: Option<(Tensor<2>, Tensor<2>)>,
}

impl<'a> NoiseLaunches<'a> {
    /// Of `blocks` blocks; `None` where what is heard of the outputs is had on the host alone.
    pub fn new(analysis: &'a ClassificationImages, lab: &'a Lab, blocks: usize) -> Option<Self> {
        let evidence = !analysis.hearing.is_empty();
        if !blocks.is_multiple_of(HALVES)
            || evidence && analysis.config.evidence == Evidence::LogOdds
        {
            return None;
        }
        let device = &lab.device;
        let rows = analysis.summing.rows();
        let (k, some) = (rows.classes(), rows.listed() < rows.classes());
        let listed = analysis.listed.as_ref().ok()?;
        let listed: Vec<i64> = listed.iter().map(|&class| class as i64).collect();
        let listed = some.then(|| integers(listed, device));
        let classes = integers((0..k as i64).collect(), device).reshape([1, k]);
        let own_strata = analysis.summing.has_own_strata() && evidence;
        let columns = [
            (Column::Called, true),
            (Column::All, some),
            (Column::Shown, true),
            (Column::Hit, true),
            (Column::Response, evidence),
            (Column::Stratum, own_strata),
            (Column::Every, own_strata && some),
            (Column::Counted, analysis.summing.has_moments()),
        ];
        let columns = columns.into_iter().filter(|(_, there)| *there);
        Some(Self {
            analysis,
            lab,
            blocks,
            drawing: RefCell::default(),
            classes,
            listed,
            columns: columns.map(|(column, _)| column).collect(),
            sums: None,
        })
    }

    /// The blocks of a launch, even ones first, each half in ascending order; empty where the job does not have
    /// them.
    fn slots(&self, job: Job) -> Vec<Slot> {
        let (config, each) = (&self.analysis.config, self.blocks as u64);
        let first = job.block / each * each;
        let slot = |block: u64| {
            let span = config.span(config.gammas[job.part], block);
            Slot {
                seed: self.analysis.place.noise(job.part as u64, block),
                first: span.first,
                trials: match (job.block..job.end()).contains(&block) {
                    true => span.trials,
                    false => 0,
                },
            }
        };
        let half = |odd: u64| (first + odd..first + each).step_by(HALVES).map(slot);
        half(0).chain(half(1)).collect()
    }

    fn draw(&self, job: Job, slots: &[Slot]) -> Drawn {
        let mut all = self.drawing.borrow_mut();
        let launch = all.entry(job.part).or_insert_with(|| {
            Launch::new(
                &self.analysis.source,
                self.analysis.config.gammas[job.part],
                self.analysis.config.block,
                &self.lab.pool,
                &self.lab.resident,
                &self.lab.device,
            )
        });
        launch.draw(slots)
    }

    /// One among zeros for each of these classes: \[N,K\].
    fn one_of(&self, classes: Tensor<2, Int>) -> Tensor<2> {
        let [n, _] = classes.dims();
        let k = self.lab.classes();
        let all = self.classes.clone().expand([n, k]);
        classes.expand([n, k]).equal(all).float().cast(DType::F64)
    }

    /// Of K columns those of the classes with maps.
    fn of_listed(&self, columns: Tensor<2>) -> Tensor<2> {
        match &self.listed {
            Some(listed) => columns.select(1, listed.clone()),
            None => columns,
        }
    }

    /// What logits, \[N,K\], say. `there` is 1 for trials and 0 for padding, \[N,1\], where there is padding.
    fn answers(&self, part: usize, logits: Tensor<2>, there: Option<&Tensor<2>>) -> Answers {
        let mut called = self.one_of(logits.clone().argmax(1).cast(DType::I64));
        if let Some(there) = there {
            called = called * there.clone();
        }
        let logits = logits.cast(DType::F64);
        let weight = match self.analysis.config.weighting {
            Weighting::Equal => None,
            // As on the host: a confidence in whole steps, 1 at least.
            Weighting::Confidence => {
                let steps = (confidence(logits.clone()) * CONFIDENCE_STEPS + 0.5).floor();
                Some(steps.clamp_min(1.0))
            }
            Weighting::Threshold(least) => {
                let is_enough = confidence(logits.clone()).greater_equal_elem(least);
                Some(is_enough.float().cast(DType::F64))
            }
        };
        let heard = self.analysis.hearing.get(part).map(|hearing| {
            let responses = match self.analysis.config.evidence {
                Evidence::Logit => logits.clone() - logits.mean_dim(1),
                Evidence::LogProbability => log_softmax(logits),
                Evidence::Probability | Evidence::LogOdds => log_softmax(logits).exp(),
            };
            let steps = (self.of_listed(responses) * (1.0 / hearing.step())).round();
            let most = f64::from(MOST);
            let clamped = steps.clone().clamp(-most, most);
            // What is no number differs from itself.
            let cut = clamped.clone().not_equal(steps).float().cast(DType::F64);
            let numbers = clamped.clone().is_nan();
            let mut own = (clamped.mask_fill(numbers, 0.0), cut);
            if let Some(there) = there {
                own = (own.0 * there.clone(), own.1 * there.clone());
            }
            own
        });
        Answers {
            called,
            weight,
            heard,
        }
    }

    /// What is summed with the noise, \[N,R\].
    fn summed(&self, truth: &Tensor<2>, all: &Tensor<2>, said: &Answers) -> Tensor<2> {
        let weighed = |column: Tensor<2>| match &said.weight {
            Some(weight) => column * weight.clone(),
            None => column,
        };
        let (shown, called) = (truth.clone(), said.called.clone());
        let column = |column: &Column| match column {
            Column::Called => weighed(self.of_listed(called.clone())),
            Column::All => weighed(all.clone()),
            Column::Shown => weighed(self.of_listed(shown.clone())),
            Column::Hit => weighed(self.of_listed(shown.clone() * called.clone())),
            Column::Response => match &said.heard {
                Some((responses, _)) => responses.clone(),
                None => all.clone().narrow(1, 0, 0),
            },
            Column::Stratum => self.of_listed(shown.clone()),
            Column::Every => all.clone(),
            Column::Counted => counted(all, said),
        };
        Tensor::cat(self.columns.iter().map(column).collect(), 1)
    }
}

impl Launches for NoiseLaunches<'_> {
    fn launch(&mut self, job: Job) {
        let slots = self.slots(job);
        let drawn = self.draw(job, &slots);
        let n = slots.len() * self.analysis.config.block;
        let (k, half) = (self.lab.classes(), n / HALVES);
        let [channels, height, width] = self.lab.form.shape();
        let stimuli = drawn.stimuli.reshape([n, channels, height, width]);
        let logits = self.lab.network.forward(stimuli);

        let truth = drawn.truth.cast(DType::I64).reshape([n, 1]);
        let is_whole = slots
            .iter()
            .all(|it| it.trials == self.analysis.config.block);
        let there = (!is_whole).then(|| {
            let there = truth.clone().greater_equal_elem(0);
            there.float().cast(DType::F64)
        });
        let said = self.answers(job.part, logits, there.as_ref());
        let truth = self.one_of(truth);
        let needs_all = [Column::All, Column::Every, Column::Counted];
        let all = match there {
            Some(there) => there,
            None if self.columns.iter().any(|it| needs_all.contains(it)) => {
                Tensor::ones([n, 1], (&self.lab.device, DType::F64))
            }
            None => truth.clone().narrow(1, 0, 1),
        };

        let by_half = |it: Tensor<2>| {
            let [_, columns] = it.dims();
            it.reshape([HALVES, half, columns])
        };
        let points = drawn.noise.float().cast(DType::F64);
        let summed = self.summed(&truth, &all, &said);
        let noise = by_half(summed)
            .swap_dims(1, 2)
            .matmul(by_half(points.clone()));

        let squares = self.columns.contains(&Column::Counted).then(|| {
            let counted = counted(&all, &said);
            counted.swap_dims(0, 1).matmul(points.clone() * points)
        });
        let images = drawn.images.map(|images| {
            let called = self.of_listed(said.called.clone());
            let called = match &said.weight {
                Some(weight) => called * weight.clone(),
                None => called,
            };
            called.swap_dims(0, 1).matmul(images.cast(DType::F64))
        });
        // Counts by true and called class, what they weigh, and what the responses are by true class and by each
        // other.
        let (mut left, mut right) = (vec![truth], Vec::new());
        match &said.weight {
            None => right.push(said.called),
            Some(weight) => {
                right.push(
                    said.called.clone() * weight.clone().greater_elem(0.0).float().cast(DType::F64),
                );
                if self.analysis.config.weighting == Weighting::Confidence {
                    let weighed = said.called * weight.clone();
                    right.extend([weighed.clone(), weighed * weight.clone()]);
                }
            }
        }
        if let Some((responses, cut)) = said.heard {
            left.push(responses.clone());
            right.extend([responses, cut]);
        }
        let said = by_half(Tensor::cat(left, 1))
            .swap_dims(1, 2)
            .matmul(by_half(Tensor::cat(right, 1)));

        let sums = self.sums.take();
        let mut sums = match sums {
            None => Summed {
                job: Job { blocks: 0, ..job },
                shown: vec![0; HALVES * k],
                blocks: [0; HALVES],
                noise,
                said,
                images,
                squares,
            },
            Some(sums) => Summed {
                noise: sums.noise + noise,
                said: sums.said + said,
                images: sums.images.zip(images).map(|(sum, more)| sum + more),
                squares: sums.squares.zip(squares).map(|(sum, more)| sum + more),
                ..sums
            },
        };
        sums.job.blocks += job.blocks;
        for block in job.block..job.end() {
            sums.blocks[(block % 2) as usize] += 1;
        }
        for (trial, &class) in drawn.shown.iter().enumerate() {
            if let Ok(class) = usize::try_from(class) {
                sums.shown[trial / half * k + class] += 1;
            }
        }
        self.sums = Some(sums);
    }

    fn read(&mut self) -> Sums {
        let halves: Vec<BlockSums> = self
            .sums
            .take()
            .map_or_else(Vec::new, |sums| self.told(sums));
        Box::new(halves)
    }
}

impl NoiseLaunches<'_> {
    /// What was summed, read back at once, as the record takes it: the even blocks and the odd ones.
    fn told(&self, sums: Summed) -> Vec<BlockSums> {
        let (noise_shape, said_shape) = (sums.noise.dims(), sums.said.dims());
        let flat = |it: Tensor<3>| {
            let length = it.dims().iter().product::<usize>();
            it.reshape([length])
        };
        let mut all = vec![flat(sums.noise), flat(sums.said)];
        let pixels = sums.images.as_ref().map_or(0, |it| it.dims()[1]);
        all.extend([sums.images, sums.squares].into_iter().flatten().map(|it| {
            let length = it.dims().iter().product::<usize>();
            it.reshape([length])
        }));
        let read: Vec<f64> = Tensor::cat(all, 0)
            .into_data()
            .try_into_vec()
            .unwrap_or_else(|error| panic!("sums read back from the device: {error:?}"));
        if let Some(launch) = self.drawing.borrow().get(&sums.job.part) {
            launch.check();
        }
        let read: Vec<i64> = read.into_iter().map(|sum| sum as i64).collect();
        let [_, rows, points] = noise_shape;
        let [_, left, right] = said_shape;
        let (noise, rest) = read.split_at(HALVES * rows * points);
        let (said, rest) = rest.split_at(HALVES * left * right);
        let m = self.analysis.summing.rows().listed();
        let (images, squares) = rest.split_at(m * pixels);

        let k = self.lab.classes();
        let job = sums.job;
        let mut told = Vec::new();
        for half in 0..HALVES {
            if sums.blocks[half] == 0 {
                continue;
            }
            let mut own = self.half(
                &sums.shown[half * k..(half + 1) * k],
                (&noise[half * rows * points..][..rows * points], points),
                (&said[half * left * right..][..left * right], right),
            );
            // The first of its blocks.
            own.block = job.block + u64::from(job.block % 2 != half as u64);
            own.blocks = sums.blocks[half];
            told.push(own);
        }
        // What does not tell the halves apart goes with one of them.
        if let Some(first) = told.first_mut() {
            if pixels > 0 {
                first.image = self.image_sums(said, (left, right), images, pixels);
            }
            if !squares.is_empty() {
                let at = self.columns.iter().take_while(|it| **it != Column::Counted);
                let at: usize = at.map(|it| self.width(*it)).sum();
                let of_half = |half: usize| &noise[(half * rows + at) * points..][..points];
                let counted: i64 = (0..HALVES)
                    .flat_map(|half| said[half * left * right..].chunks_exact(right).take(k))
                    .flat_map(|row| &row[..k])
                    .sum();
                let centred = of_half(0).iter().zip(of_half(1)).map(|(a, b)| a + b);
                let sum: Vec<i64> = centred.map(|sum| sum + CENTRE * counted).collect();
                // Σk² = Σ(k−c)² + 2c·Σk − c²·n
                let square = squares.iter().zip(&sum);
                let square =
                    square.map(|(own, sum)| own + 2 * CENTRE * sum - CENTRE * CENTRE * counted);
                first.moments = sum.iter().copied().chain(square).collect();
            }
        }
        told
    }

    /// Numbers of a column.
    fn width(&self, column: Column) -> usize {
        match column {
            Column::All | Column::Every | Column::Counted => 1,
            _ => self.analysis.summing.rows().listed(),
        }
    }

    /// Sums of one half: of trials by true class, of the noise \[R,p\], and of what was said \[K+M,C\].
    fn half(
        &self,
        shown: &[u64],
        (noise, points): (&[i64], usize),
        (said, right): (&[i64], usize),
    ) -> BlockSums {
        let rows = self.analysis.summing.rows();
        let (k, m) = (rows.classes(), rows.listed());
        let weighted = self.analysis.config.weighting == Weighting::Confidence;
        let table = |at: usize| -> Vec<u64> {
            let of_truth = said.chunks_exact(right).take(k);
            let own = of_truth.flat_map(|row| &row[at * k..(at + 1) * k]);
            own.map(|&count| count as u64).collect()
        };
        let counts = table(0);
        let weights = match weighted {
            true => (table(1), table(2)),
            false => (Vec::new(), Vec::new()),
        };
        // What the trials of a row of sums weigh together, which the middle of the noise is multiplied by.
        let weigh = if weighted { &weights.0 } else { &counts };
        let mut own = vec![(0_u64, 0_u64); rows.count()];
        for (cell, (&count, &weight)) in counts.iter().zip(weigh).enumerate() {
            for row in rows.of(cell / k, cell % k) {
                own[row].0 += count;
                own[row].1 += weight;
            }
        }
        let mut sums: Vec<Vec<i64>> = vec![vec![0; points]; rows.count()];
        let mut evidence = EvidenceSums::default();
        let mut at = 0;
        for column in &self.columns {
            let width = self.width(*column);
            let taken = &noise[at * points..(at + width) * points];
            at += width;
            let mut put = |first: usize| {
                for (sum, taken) in sums[first..].iter_mut().zip(taken.chunks_exact(points)) {
                    sum.copy_from_slice(taken);
                }
            };
            match column {
                Column::Called => put(0),
                Column::Shown => put(m),
                Column::Hit => put(2 * m),
                Column::All => put(rows.count() - 1),
                Column::Response => evidence.products = taken.to_vec(),
                Column::Stratum | Column::Every => {
                    for (row, taken) in taken.chunks_exact(points).enumerate() {
                        evidence
                            .noise
                            .push((evidence_row(*column, row, m), taken.to_vec()));
                    }
                }
                Column::Counted => {}
            }
        }
        // What is called none of the classes with maps is what is left of all.
        if m < k {
            let (own, rest) = sums.split_at_mut(rows.count() - 1);
            for called in &own[..m] {
                rest[0]
                    .iter_mut()
                    .zip(called)
                    .for_each(|(rest, sum)| *rest -= sum);
            }
        }
        let filled = sums.into_iter().zip(&own).enumerate();
        let noise = filled
            .filter(|(_, (_, own))| own.0 > 0)
            .map(|(row, (mut sums, own))| {
                sums.iter_mut()
                    .for_each(|sum| *sum += CENTRE * own.1 as i64);
                (row, sums)
            });
        let trials: u64 = shown.iter().sum();
        BlockSums {
            trials,
            noise: noise.collect(),
            dropped: trials - counts.iter().sum::<u64>(),
            evidence: self
                .columns
                .contains(&Column::Response)
                .then(|| self.heard(evidence, shown, (said, right))),
            counts,
            weights,
            ..BlockSums::default()
        }
    }

    /// What of the evidence of a half follows from the responses alone.
    fn heard(
        &self,
        mut own: EvidenceSums,
        shown: &[u64],
        (said, right): (&[i64], usize),
    ) -> EvidenceSums {
        let rows = self.analysis.summing.rows();
        let (k, m) = (rows.classes(), rows.listed());
        let tables = match self.analysis.config.weighting {
            Weighting::Confidence => 3,
            Weighting::Equal | Weighting::Threshold(_) => 1,
        };
        let first = tables * k;
        let of = |row: usize, at: usize| said[row * right + first + at];
        own.shown = shown.to_vec();
        own.sums = (0..k * m).map(|at| of(at / m, at % m)).collect();
        own.clipped = (0..k * m).map(|at| of(at / m, m + at % m) as u64).sum();
        own.squares = match m <= PAIRED {
            true => (0..m * pairs(m)).map(|at| of(k + at / m, at % m)).collect(),
            false => (0..m).map(|class| of(k + class, class)).collect(),
        };
        // The middle of the noise was taken off.
        let all: u64 = shown.iter().sum();
        let listed: Vec<u64> = (0..k)
            .filter(|&class| rows.place(class).is_some())
            .map(|class| shown[class])
            .collect();
        let others = all - listed.iter().sum::<u64>();
        let strata: Vec<Vec<i64>> = own.noise.iter().map(|(_, sums)| sums.clone()).collect();
        own.noise.retain_mut(|(row, sums)| {
            let count = listed.get(*row).copied().unwrap_or(others);
            if *row == m {
                // What is left of all.
                for stratum in &strata[..m] {
                    sums.iter_mut()
                        .zip(stratum)
                        .for_each(|(sum, own)| *sum -= own);
                }
            }
            sums.iter_mut()
                .for_each(|sum| *sum += CENTRE * count as i64);
            count > 0
        });
        own
    }

    /// Sums of the images' bytes by called class, for those that have trials, on the noise's grid.
    fn image_sums(
        &self,
        said: &[i64],
        (left, right): (usize, usize),
        images: &[i64],
        pixels: usize,
    ) -> Vec<(usize, Vec<i64>)> {
        let rows = self.analysis.summing.rows();
        let k = rows.classes();
        let is_called = |class: usize| {
            let of_half = |half: usize| said[half * left * right..].chunks_exact(right).take(k);
            (0..HALVES).flat_map(of_half).any(|row| row[class] > 0)
        };
        let mut all = Vec::new();
        for class in (0..k).filter(|&class| is_called(class)) {
            if let Some(place) = rows.place(class) {
                let own = &images[place * pixels..(place + 1) * pixels];
                all.push((place, self.analysis.summing.on_grid(own)));
            }
        }
        all
    }
}

/// The row of a stratum among those of the evidence: the trials of classes without maps come last.
fn evidence_row(column: Column, row: usize, listed: usize) -> usize {
    match column {
        Column::Every => listed,
        _ => row,
    }
}

/// 1 for trials that count, \[N,1\].
fn counted(all: &Tensor<2>, said: &Answers) -> Tensor<2> {
    match &said.weight {
        Some(weight) => {
            let counts = weight.clone().greater_elem(0.0);
            counts.float().cast(DType::F64) * all.clone()
        }
        None => all.clone(),
    }
}

/// Logarithms of the softmax probabilities of logits \[N,K\], as [`crate::nets::softmax`] has them.
fn log_softmax(logits: Tensor<2>) -> Tensor<2> {
    let shifted = logits.clone() - logits.max_dim(1);
    let total = shifted.clone().exp().sum_dim(1).log();
    shifted - total
}

/// Softmax probability of what is decided, \[N,1\].
fn confidence(logits: Tensor<2>) -> Tensor<2> {
    log_softmax(logits).max_dim(1).exp()
}

fn integers(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), (device, DType::I64))
}

#[cfg(test)]
mod tests;
