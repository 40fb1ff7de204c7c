//! The noise loop on a device that is fed: noise, decisions, evidence and all sums stay there, launch after launch,
//! until they are read.
//!
//! Every sum is one of whole numbers below 2⁵³, which 64-bit floats add and multiply exactly in whatever order a
//! library does it. So one product of matrices gives all sums of the noise: of a matrix with a row for each trial
//! and a column for each thing that is summed (called k, shown k, both, the response of k), and the noise itself.
//! The blocks of either half of the trials lie together, and each half has a product of its own.

use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};

use super::ClassificationImages;
use crate::analysis::{Job, Lab, Launches, Sums};
use crate::session::config::{Evidence, Weighting};
use crate::session::record::CONFIDENCE_STEPS;
use crate::stats::classification::MOST;
use crate::stimulus::launch::{Launch, Slot};

/// Most trials whose sums stay on the device: products of a response and a point are of 30 bits.
pub const MOST_SUMMED: u64 = 1 << 22;

/// Classes that a number of 16 bits with a sign does not tell.
const MOST_CLASSES: usize = i16::MAX as usize;

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
    /// Whether a response has a number that is not cut, M.
    Kept,
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
    /// What draws the launches.
    drawing: Launch<'a>,
    /// The index of γ.
    part: usize,
    /// A row for each class with a one among zeros, and one of zeros for what is no trial, \[K+1,K\].
    ones: Tensor<2>,
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
    /// What was said by what was said, \[2,L,C\]; see [`Said`].
    said: Tensor<3>,
    /// The images' bytes by called class, \[M,P\].
    images: Option<Tensor<2>>,
    /// Squares of the points of the trials that count, \[1,p\].
    squares: Option<Tensor<2>>,
    /// 0, where every logit is a number, \[1\]; `None` where responses tell.
    numbers: Option<Tensor<1>>,
}

/// What the network said of a launch, in numbers that are summed: \[N,·\] each.
struct Answers {
    /// Called class, among all K: one among zeros, zero where the trial does not count.
    called: Tensor<2>,
    /// What a trial counts, \[N,1\]; `None` where all count the same.
    weight: Option<Tensor<2>>,
    /// Responses \[N,M\] and whether each has a number that is not cut.
    heard: Option<(Tensor<2>, Tensor<2>)>,
}

impl<'a> NoiseLaunches<'a> {
    /// Of `blocks` blocks at one γ; `None` where what is heard of the outputs is had on the host alone.
    pub fn new(
        analysis: &'a ClassificationImages,
        lab: &'a Lab,
        part: usize,
        blocks: usize,
    ) -> Option<Self> {
        let evidence = !analysis.hearing.is_empty();
        if !blocks.is_multiple_of(HALVES)
            || lab.classes() >= MOST_CLASSES
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
        let mut ones = vec![0.0_f64; (k + 1) * k];
        (0..k).for_each(|class| ones[class * (k + 1)] = 1.0);
        let ones = TensorData::new(ones, [k + 1, k]);
        let ones = Tensor::from_data(ones, (device, DType::F64));
        let own_strata = analysis.summing.has_own_strata() && evidence;
        let columns = [
            (Column::Called, true),
            (Column::All, some),
            (Column::Shown, true),
            (Column::Hit, true),
            (Column::Response, evidence),
            (Column::Kept, evidence && Self::is_shared(analysis, some)),
            (Column::Stratum, own_strata),
            (Column::Every, own_strata && some),
            (Column::Counted, analysis.summing.has_moments()),
        ];
        let columns = columns.into_iter().filter(|(_, there)| *there);
        Some(Self {
            analysis,
            lab,
            blocks,
            drawing: Launch::new(
                &analysis.source,
                analysis.config.gammas[part],
                analysis.config.block,
                &lab.pool,
                &lab.resident,
                device,
            ),
            part,
            ones,
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

    /// Whether what is summed with the noise is all that there is to know of what was said: where all trials count
    /// the same and all classes have maps.
    fn is_shared(analysis: &ClassificationImages, some: bool) -> bool {
        analysis.config.weighting == Weighting::Equal && !some
    }

    /// One among zeros for each of these classes: \[N,K\].
    fn one_of(&self, classes: Tensor<1, Int>) -> Tensor<2> {
        self.ones.clone().select(0, classes)
    }

    /// Of K columns those of the classes with maps.
    fn of_listed(&self, columns: Tensor<2>) -> Tensor<2> {
        match &self.listed {
            Some(listed) => columns.select(1, listed.clone()),
            None => columns,
        }
    }

    /// What logits, \[N,K\], say. `there` is 1 for trials and 0 for padding, \[N,1\], where there is padding.
    fn answers(&self, logits: Tensor<2>, there: Option<&Tensor<2>>) -> Answers {
        let [n, _] = logits.dims();
        let mut called = self.one_of(logits.clone().argmax(1).reshape([n]));
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
                Some(is_enough.cast(FloatDType::F64))
            }
        };
        let heard = self.analysis.hearing.get(self.part).map(|hearing| {
            let responses = match self.analysis.config.evidence {
                Evidence::Logit => logits.clone() - logits.mean_dim(1),
                Evidence::LogProbability => log_softmax(logits),
                Evidence::Probability | Evidence::LogOdds => log_softmax(logits).exp(),
            };
            let steps = (self.of_listed(responses) * (1.0 / hearing.step())).round();
            let most = f64::from(MOST);
            let clamped = steps.clone().clamp(-most, most);
            // What is no number differs from itself.
            let kept = clamped.clone().equal(steps).cast(FloatDType::F64);
            // What is no number makes a sum no number, which is seen when it is read.
            let mut own = (clamped, kept);
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
            Column::Kept => match &said.heard {
                Some((_, kept)) => kept.clone(),
                None => all.clone().narrow(1, 0, 0),
            },
            Column::Stratum => self.of_listed(shown.clone()),
            Column::Every => all.clone(),
            Column::Counted => counted(all, said),
        };
        Tensor::cat(self.columns.iter().map(column).collect(), 1)
    }
}

impl NoiseLaunches<'_> {
    /// True classes and responses, \[N,K+M\], and what is counted by them: called classes, what they weigh, what
    /// that is squared, responses, and whether they are kept; \[N,C\].
    fn apart(&self, truth: Tensor<2>, said: Answers) -> (Tensor<2>, Tensor<2>) {
        let (mut left, mut right) = (vec![truth], Vec::new());
        match &said.weight {
            None => right.push(said.called),
            Some(weight) => {
                let counts = weight.clone().greater_elem(0.0).cast(FloatDType::F64);
                right.push(said.called.clone() * counts);
                if self.analysis.config.weighting == Weighting::Confidence {
                    let weighed = said.called * weight.clone();
                    right.extend([weighed.clone(), weighed * weight.clone()]);
                }
            }
        }
        if let Some((responses, kept)) = said.heard {
            left.push(responses.clone());
            right.extend([responses, kept]);
        }
        (Tensor::cat(left, 1), Tensor::cat(right, 1))
    }
}

impl Launches for NoiseLaunches<'_> {
    fn launch(&mut self, job: Job) {
        let slots = self.slots(job);
        let drawn = self.drawing.draw(&slots);
        let n = slots.len() * self.analysis.config.block;
        let (k, half) = (self.lab.classes(), n / HALVES);
        let [channels, height, width] = self.lab.form.shape();
        let stimuli = drawn.stimuli.reshape([n, channels, height, width]);
        let logits = self.lab.network.forward(stimuli);

        let truth = drawn.truth;
        let is_whole = slots
            .iter()
            .all(|it| it.trials == self.analysis.config.block);
        let there = (!is_whole).then(|| {
            let there = truth.clone().lower_elem(k as i64).reshape([n, 1]);
            there.cast(FloatDType::F64)
        });
        let hears = self.columns.contains(&Column::Response);
        let numbers = (!hears).then(|| (logits.clone() * 0.0).sum().cast(DType::F64));
        let said = self.answers(logits, there.as_ref());
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
        let points = drawn.noise.cast(FloatDType::F64);
        let summed = by_half(self.summed(&truth, &all, &said));
        let noise = summed
            .clone()
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
            called.swap_dims(0, 1).matmul(images.cast(FloatDType::F64))
        });
        let said = match Self::is_shared(self.analysis, self.listed.is_some()) {
            true => summed.clone().swap_dims(1, 2).matmul(summed),
            false => {
                let (left, right) = self.apart(truth, said);
                by_half(left).swap_dims(1, 2).matmul(by_half(right))
            }
        };

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
                numbers,
            },
            Some(sums) => Summed {
                noise: sums.noise + noise,
                said: sums.said + said,
                images: sums.images.zip(images).map(|(sum, more)| sum + more),
                squares: sums.squares.zip(squares).map(|(sum, more)| sum + more),
                numbers: sums.numbers.zip(numbers).map(|(sum, more)| sum + more),
                ..sums
            },
        };
        sums.job.blocks += job.blocks;
        for block in job.block..job.end() {
            sums.blocks[(block % 2) as usize] += 1;
        }
        for (trial, &class) in drawn.shown.iter().enumerate() {
            let class = class as usize;
            if class < k {
                sums.shown[trial / half * k + class] += 1;
            }
        }
        self.sums = Some(sums);
    }

    fn read(&mut self) -> Option<Sums> {
        let halves = match self.sums.take() {
            Some(sums) => self.told(sums)?,
            None => Vec::new(),
        };
        Some(Box::new(halves))
    }
}

/// 1 for trials that count, \[N,1\].
fn counted(all: &Tensor<2>, said: &Answers) -> Tensor<2> {
    match &said.weight {
        Some(weight) => {
            let counts = weight.clone().greater_elem(0.0);
            counts.cast(FloatDType::F64) * all.clone()
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

mod told;

#[cfg(test)]
mod tests;
