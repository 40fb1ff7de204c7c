//! The noise loop in launches: noise, decisions, evidence and all sums stay on the device, launch after launch,
//! until they are read.
//!
//! Every sum is a sum of integers below 2⁵³, which 64-bit floats add and multiply exactly in any order. So one
//! matrix product gives all sums of the noise: of a matrix with a row for each trial and a column for each
//! summed quantity (called k, shown k, both, the response of k), and the noise itself. The blocks of each half
//! of the trials are contiguous, and each half has its own product.

use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};

use self::answers::counted;
use super::ClassificationImages;
use crate::analysis::{Job, Lab, Launches, Sums};
use crate::ids::BlockIndex;
use crate::session::config::{EvidenceMeasure, Weighting};
use crate::stimulus::launch::{LaunchSource, Slot};

/// Most trials whose sums stay on the device: the product of a response and a point has 30 bits.
pub const MAX_DEVICE_TRIALS: u64 = 1 << 22;

/// Number of classes that no longer fits a signed 16-bit integer.
const MOST_CLASSES: usize = i16::MAX as usize;

/// Even and odd blocks.
const HALVES: usize = 2;

/// Groups of columns that are multiplied by the noise, each used if the plan needs it. M classes have maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// Trials by called class, M.
    Called,
    /// All trials, if not all classes have maps: subtracting `Called` leaves those called none of the listed.
    All,
    /// Trials by true class, M.
    Shown,
    /// Correctly classified trials by class, M.
    Hit,
    /// Responses, M.
    Response,
    /// Whether a response is finite and not clipped, M.
    Kept,
    /// Trials by true class, regardless of weight, M.
    Stratum,
    /// All trials, regardless of weight.
    Every,
    /// Trials that are not dropped, each counted once.
    Counted,
}

/// Launches of the noise loop; see [`Experiment::launches`](crate::analysis::Experiment::launches).
pub(super) struct NoiseLaunches<'a> {
    analysis: &'a ClassificationImages,
    lab: &'a Lab,
    /// S, even.
    blocks: usize,
    /// Draws the trials of a launch.
    drawing: LaunchSource<'a>,
    /// The index of γ.
    part: usize,
    /// One-hot rows for all classes, and a row of zeros for padding, \[K+1,K\].
    ones: Tensor<2>,
    /// The classes with maps, if not all have one.
    listed: Option<Tensor<1, Int>>,
    columns: Vec<Column>,
    sums: Option<DeviceSums>,
}

/// Sums since the last reading.
struct DeviceSums {
    job: Job,
    /// Trials by half and true class, \[2,K\].
    shown: Vec<u64>,
    /// Blocks of each half.
    blocks: [u64; HALVES],
    /// Products of the columns with the noise, \[2,R,p\].
    noise: Tensor<3>,
    /// Products of answers with answers, \[2,L,C\]; see [`readback::AnswerProducts`].
    answers: Tensor<3>,
    /// The images' bytes by called class, \[M,P\].
    images: Option<Tensor<2>>,
    /// Sums of squared points over the trials that are not dropped, \[1,p\].
    squares: Option<Tensor<2>>,
    /// 0 if every logit is finite, \[1\]; `None` if the responses show that.
    finite_check: Option<Tensor<1>>,
}

impl<'a> NoiseLaunches<'a> {
    /// Launches of `blocks` blocks at one γ; `None` if `blocks` is odd, there are too many classes, or the evidence
    /// can only be computed on the host.
    pub fn new(
        analysis: &'a ClassificationImages,
        lab: &'a Lab,
        part: usize,
        blocks: usize,
    ) -> Option<Self> {
        let evidence = !analysis.readers.is_empty();
        if !blocks.is_multiple_of(HALVES)
            || lab.classes() >= MOST_CLASSES
            || evidence && analysis.config.evidence == EvidenceMeasure::LogOdds
        {
            return None;
        }
        let device = &lab.device;
        let rows = analysis.summer.rows();
        let (k, some) = (rows.classes(), rows.listed() < rows.classes());
        let listed = analysis.listed.as_ref().ok()?;
        let listed: Vec<i64> = listed.iter().map(|&class| class.0 as i64).collect();
        let listed = some.then(|| integers(listed, device));
        let mut ones = vec![0.0_f64; (k + 1) * k];
        (0..k).for_each(|class| ones[class * (k + 1)] = 1.0);
        let ones = TensorData::new(ones, [k + 1, k]);
        let ones = Tensor::from_data(ones, (device, DType::F64));
        let own_strata = analysis.summer.has_own_strata() && evidence;
        let columns = [
            (Column::Called, true),
            (Column::All, some),
            (Column::Shown, true),
            (Column::Hit, true),
            (Column::Response, evidence),
            (Column::Kept, evidence && Self::is_shared(analysis, some)),
            (Column::Stratum, own_strata),
            (Column::Every, own_strata && some),
            (Column::Counted, analysis.summer.has_moments()),
        ];
        let columns = columns.into_iter().filter(|(_, used)| *used);
        Some(Self {
            analysis,
            lab,
            blocks,
            drawing: LaunchSource::new(
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

    /// The blocks of a launch, even ones first, each half in ascending order; blocks that are not in the job are
    /// empty.
    fn slots(&self, job: Job) -> Vec<Slot> {
        let (config, each) = (&self.analysis.config, self.blocks as u64);
        let first = BlockIndex(job.block.0 / each * each);
        let slot = |block: BlockIndex| {
            let span = config.span(config.gammas[job.sequence], block);
            Slot {
                seed: self.analysis.place.noise_seed(job.sequence as u64, block),
                first: span.first,
                trials: match (job.block..job.end()).contains(&block) {
                    true => span.trials,
                    false => 0,
                },
            }
        };
        let end = first + each;
        let half = |odd: u64| (first + odd).until(end).step_by(HALVES).map(slot);
        half(0).chain(half(1)).collect()
    }

    /// Whether the columns multiplied by the noise also hold everything needed for the products of answers: if all
    /// trials count the same and all classes have maps.
    fn is_shared(analysis: &ClassificationImages, some: bool) -> bool {
        analysis.config.weighting == Weighting::Equal && !some
    }

    /// One-hot rows of these classes, \[N,K\].
    fn one_of(&self, classes: Tensor<1, Int>) -> Tensor<2> {
        self.ones.clone().select(0, classes)
    }

    /// Selects the columns of the classes with maps.
    fn of_listed(&self, columns: Tensor<2>) -> Tensor<2> {
        match &self.listed {
            Some(listed) => columns.select(1, listed.clone()),
            None => columns,
        }
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
            .all(|slot| slot.trials == self.analysis.config.block);
        let mask = (!is_whole).then(|| {
            let mask = truth.clone().lower_elem(k as i64).reshape([n, 1]);
            mask.cast(FloatDType::F64)
        });
        let hears = self.columns.contains(&Column::Response);
        let numbers = (!hears).then(|| (logits.clone() * 0.0).sum().cast(DType::F64));
        let answers = self.answers(logits, mask.as_ref());
        let truth = self.one_of(truth);
        let needs_all = [Column::All, Column::Every, Column::Counted];
        let all = match mask {
            Some(mask) => mask,
            None if self.columns.iter().any(|column| needs_all.contains(column)) => {
                Tensor::ones([n, 1], (&self.lab.device, DType::F64))
            }
            None => truth.clone().narrow(1, 0, 1),
        };

        let by_half = |tensor: Tensor<2>| {
            let [_, columns] = tensor.dims();
            tensor.reshape([HALVES, half, columns])
        };
        let points = drawn.noise.cast(FloatDType::F64);
        let summed = by_half(self.columns_of(&truth, &all, &answers));
        let noise = summed
            .clone()
            .swap_dims(1, 2)
            .matmul(by_half(points.clone()));

        let squares = self.columns.contains(&Column::Counted).then(|| {
            let counted = counted(&all, &answers);
            counted.swap_dims(0, 1).matmul(points.clone() * points)
        });
        let images = drawn.images.map(|images| {
            let called = self.of_listed(answers.called.clone());
            let called = match &answers.weight {
                Some(weight) => called * weight.clone(),
                None => called,
            };
            called.swap_dims(0, 1).matmul(images.cast(FloatDType::F64))
        });
        let products = match Self::is_shared(self.analysis, self.listed.is_some()) {
            true => summed.clone().swap_dims(1, 2).matmul(summed),
            false => {
                let (left, right) = self.product_factors(truth, answers);
                by_half(left).swap_dims(1, 2).matmul(by_half(right))
            }
        };

        let sums = self.sums.take();
        let mut sums = match sums {
            None => DeviceSums {
                job: Job { blocks: 0, ..job },
                shown: vec![0; HALVES * k],
                blocks: [0; HALVES],
                noise,
                answers: products,
                images,
                squares,
                finite_check: numbers,
            },
            Some(sums) => DeviceSums {
                noise: sums.noise + noise,
                answers: sums.answers + products,
                images: sums.images.zip(images).map(|(sum, more)| sum + more),
                squares: sums.squares.zip(squares).map(|(sum, more)| sum + more),
                finite_check: sums.finite_check.zip(numbers).map(|(sum, more)| sum + more),
                ..sums
            },
        };
        sums.job.blocks += job.blocks;
        for block in job.block.until(job.end()) {
            sums.blocks[(block.0 % 2) as usize] += 1;
        }
        for (trial, &class) in drawn.truth_on_host.iter().enumerate() {
            let class = class as usize;
            if class < k {
                sums.shown[trial / half * k + class] += 1;
            }
        }
        self.sums = Some(sums);
    }

    fn read(&mut self) -> Option<Sums> {
        let halves = match self.sums.take() {
            Some(sums) => self.read_back(sums)?,
            None => Vec::new(),
        };
        Some(Box::new(halves))
    }
}

fn integers(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), (device, DType::I64))
}

mod answers;
mod readback;

#[cfg(test)]
mod tests;
