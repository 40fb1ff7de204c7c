//! Reads back the sums of launches and converts them to the form of the record.

use burn::tensor::Tensor;

use super::{Column, DeviceSums, HALVES, NoiseLaunches};
use crate::ids::ClassId;
use crate::session::config::Weighting;
use crate::session::record::{BlockEvidence, BlockSums};
use crate::stats::classification::{GRID_CENTRE, MAX_PAIRED_CLASSES, sums_per_class};

/// Positions in the products of answers with answers. Called classes and their weights are the first columns.
#[derive(Debug, Clone, Copy)]
struct ProductLayout {
    /// First of the K rows of true classes.
    truth: usize,
    /// First of the M rows of responses.
    answers: usize,
    /// First of the M columns of responses.
    responses: usize,
    /// First of the M columns of whether they are kept.
    kept: usize,
}

/// The products of answers with answers of one half, \[L,C\].
#[derive(Debug, Clone, Copy)]
struct AnswerProducts<'a> {
    numbers: &'a [i64],
    columns: usize,
    layout: ProductLayout,
}

impl<'a> AnswerProducts<'a> {
    /// The `at`-th table by true and called class, \[K,K\]: counts, weights or squared weights.
    fn table(self, k: usize, at: usize) -> impl Iterator<Item = i64> + 'a {
        let rows = self.numbers.chunks_exact(self.columns);
        let rows = rows.skip(self.layout.truth).take(k);
        rows.flat_map(move |row| row[at * k..(at + 1) * k].iter().copied())
    }

    fn at(self, row: usize, column: usize) -> i64 {
        self.numbers[row * self.columns + column]
    }
}

impl NoiseLaunches<'_> {
    /// Positions in the products of answers with answers.
    fn layout(&self) -> ProductLayout {
        let rows = self.analysis.summer.rows();
        let (k, m) = (rows.classes(), rows.listed());
        if Self::is_shared(self.analysis, self.listed.is_some()) {
            return ProductLayout {
                truth: k,
                answers: 3 * k,
                responses: 3 * k,
                kept: 3 * k + m,
            };
        }
        let tables = match self.analysis.config.weighting {
            Weighting::Confidence => 3,
            Weighting::Equal | Weighting::Threshold(_) => 1,
        };
        ProductLayout {
            truth: 0,
            answers: k,
            responses: tables * k,
            kept: tables * k + m,
        }
    }
}

impl NoiseLaunches<'_> {
    /// Reads all sums back at once and converts them for the record: the even blocks and the odd ones. `None` if
    /// an output was not finite.
    pub(super) fn read_back(&self, sums: DeviceSums) -> Option<Vec<BlockSums>> {
        let (noise_shape, products_shape) = (sums.noise.dims(), sums.answers.dims());
        let flat = |tensor: Tensor<3>| {
            let length = tensor.dims().iter().product::<usize>();
            tensor.reshape([length])
        };
        let mut all = vec![flat(sums.noise), flat(sums.answers)];
        let pixels = sums.images.as_ref().map_or(0, |images| images.dims()[1]);
        all.extend(
            [sums.images, sums.squares]
                .into_iter()
                .flatten()
                .map(|tensor| {
                    let length = tensor.dims().iter().product::<usize>();
                    tensor.reshape([length])
                }),
        );
        let tells = sums.finite_check.is_some();
        all.extend(sums.finite_check);
        let mut read: Vec<f64> = Tensor::cat(all, 0)
            .into_data()
            .try_into_vec()
            .unwrap_or_else(|error| panic!("sums read back from the device: {error:?}"));
        self.drawing.check();
        let traffic = self.lab.resident.traffic();
        traffic.read_back(size_of_val(&read[..]));
        if !read.iter().all(|sum| sum.is_finite()) {
            return None;
        }
        if tells {
            read.pop();
        }
        let read: Vec<i64> = read.into_iter().map(|sum| sum as i64).collect();
        let [_, rows, points] = noise_shape;
        let [_, left, columns] = products_shape;
        let (noise, rest) = read.split_at(HALVES * rows * points);
        let (products, rest) = rest.split_at(HALVES * left * columns);
        let layout = self.layout();
        let products: Vec<AnswerProducts<'_>> = products
            .chunks_exact(left * columns)
            .map(|numbers| AnswerProducts {
                numbers,
                columns,
                layout,
            })
            .collect();
        let m = self.analysis.summer.rows().listed();
        let (images, squares) = rest.split_at(m * pixels);

        let k = self.lab.classes();
        let job = sums.job;
        let mut halves = Vec::new();
        for half in 0..HALVES {
            if sums.blocks[half] == 0 {
                continue;
            }
            let mut block_sums = self.half(
                &sums.shown[half * k..(half + 1) * k],
                (&noise[half * rows * points..][..rows * points], points),
                products[half],
            );
            // The first block of this half.
            block_sums.block = job.block + u64::from(job.block.0 % 2 != half as u64);
            block_sums.blocks = sums.blocks[half];
            halves.push(block_sums);
        }
        // Sums that are not split by half go with the first.
        if let Some(first) = halves.first_mut() {
            if pixels > 0 {
                first.image = self.image_sums(&products, images, pixels);
            }
            if !squares.is_empty() {
                let offset = self
                    .columns
                    .iter()
                    .take_while(|column| **column != Column::Counted);
                let offset: usize = offset.map(|column| self.width(*column)).sum();
                let of_half = |half: usize| &noise[(half * rows + offset) * points..][..points];
                let counted: i64 = products.iter().flat_map(|half| half.table(k, 0)).sum();
                let centred = of_half(0).iter().zip(of_half(1)).map(|(a, b)| a + b);
                let sum: Vec<i64> = centred.map(|sum| sum + GRID_CENTRE * counted).collect();
                // Σk² = Σ(k−c)² + 2c·Σk − c²·n
                let square = squares.iter().zip(&sum);
                let square = square.map(|(square, sum)| {
                    square + 2 * GRID_CENTRE * sum - GRID_CENTRE * GRID_CENTRE * counted
                });
                first.moments = sum.iter().copied().chain(square).collect();
            }
        }
        Some(halves)
    }

    /// Number of columns in a group.
    fn width(&self, column: Column) -> usize {
        match column {
            Column::All | Column::Every | Column::Counted => 1,
            _ => self.analysis.summer.rows().listed(),
        }
    }

    /// The sums of one half, from its trials by true class, its noise \[R,p\], and its products of answers.
    fn half(
        &self,
        shown: &[u64],
        (noise, points): (&[i64], usize),
        products: AnswerProducts<'_>,
    ) -> BlockSums {
        let rows = self.analysis.summer.rows();
        let (k, m) = (rows.classes(), rows.listed());
        let weighted = self.analysis.config.weighting == Weighting::Confidence;
        let table = |at: usize| -> Vec<u64> {
            let counts = products.table(k, at).map(|count| count as u64);
            counts.collect()
        };
        let counts = table(0);
        let weights = match weighted {
            true => (table(1), table(2)),
            false => (Vec::new(), Vec::new()),
        };
        // The number of trials and the total weight of each row of sums; the weight multiplies the noise's centre.
        let weigh = if weighted { &weights.0 } else { &counts };
        let mut totals = vec![(0_u64, 0_u64); rows.count()];
        for (cell, (&count, &weight)) in counts.iter().zip(weigh).enumerate() {
            for row in rows.for_trial(ClassId(cell / k), ClassId(cell % k)) {
                totals[row].0 += count;
                totals[row].1 += weight;
            }
        }
        let mut sums: Vec<Vec<i64>> = vec![vec![0; points]; rows.count()];
        let mut evidence = BlockEvidence::default();
        let mut offset = 0;
        for column in &self.columns {
            let width = self.width(*column);
            let taken = &noise[offset * points..(offset + width) * points];
            offset += width;
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
                Column::Counted | Column::Kept => {}
            }
        }
        // Trials called none of the classes with maps are all trials minus the others.
        if m < k {
            let (listed, rest) = sums.split_at_mut(rows.count() - 1);
            for called in &listed[..m] {
                rest[0]
                    .iter_mut()
                    .zip(called)
                    .for_each(|(rest, sum)| *rest -= sum);
            }
        }
        let filled = sums.into_iter().zip(&totals).enumerate();
        let noise = filled
            .filter(|(_, (_, total))| total.0 > 0)
            .map(|(row, (mut sums, total))| {
                sums.iter_mut()
                    .for_each(|sum| *sum += GRID_CENTRE * total.1 as i64);
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
                .then(|| self.complete_evidence(evidence, shown, products)),
            counts,
            weights,
            ..BlockSums::default()
        }
    }

    /// Completes the evidence of a half with the sums that follow from the responses alone.
    fn complete_evidence(
        &self,
        mut evidence: BlockEvidence,
        shown: &[u64],
        products: AnswerProducts<'_>,
    ) -> BlockEvidence {
        let rows = self.analysis.summer.rows();
        let (k, m) = (rows.classes(), rows.listed());
        let ProductLayout {
            truth,
            answers,
            responses,
            kept,
        } = products.layout;
        evidence.shown = shown.to_vec();
        let by_truth =
            |first: usize| (0..k * m).map(move |at| products.at(truth + at / m, first + at % m));
        evidence.sums = by_truth(responses).collect();
        let count = m as u64 * shown.iter().sum::<u64>();
        evidence.clipped = count - by_truth(kept).sum::<i64>() as u64;
        let product = |a: usize, b: usize| products.at(answers + a, responses + b);
        evidence.squares = match m <= MAX_PAIRED_CLASSES {
            true => (0..m * sums_per_class(m))
                .map(|at| product(at / m, at % m))
                .collect(),
            false => (0..m).map(|class| product(class, class)).collect(),
        };
        // The noise was centred: its centre is added back.
        let all: u64 = shown.iter().sum();
        let listed: Vec<u64> = ClassId::all(k)
            .filter(|&class| rows.place(class).is_some())
            .map(|class| shown[class])
            .collect();
        let others = all - listed.iter().sum::<u64>();
        let strata: Vec<Vec<i64>> = evidence
            .noise
            .iter()
            .map(|(_, sums)| sums.clone())
            .collect();
        evidence.noise.retain_mut(|(row, sums)| {
            let count = listed.get(*row).copied().unwrap_or(others);
            if *row == m {
                // All trials minus the other strata.
                for stratum in &strata[..m] {
                    sums.iter_mut()
                        .zip(stratum)
                        .for_each(|(sum, value)| *sum -= value);
                }
            }
            sums.iter_mut()
                .for_each(|sum| *sum += GRID_CENTRE * count as i64);
            count > 0
        });
        evidence
    }

    /// Sums of the images' bytes on the noise's grid, by called class, for classes that have trials.
    fn image_sums(
        &self,
        products: &[AnswerProducts<'_>],
        images: &[i64],
        pixels: usize,
    ) -> Vec<(usize, Vec<i64>)> {
        let rows = self.analysis.summer.rows();
        let k = rows.classes();
        let mut is_called = vec![false; k];
        for table in products.iter().map(|half| half.table(k, 0)) {
            for (cell, count) in table.enumerate() {
                is_called[cell % k] |= count > 0;
            }
        }
        let mut all = Vec::new();
        for class in ClassId::all(k).filter(|&class| is_called[class]) {
            if let Some(place) = rows.place(class) {
                let pixel_sums = &images[place * pixels..(place + 1) * pixels];
                all.push((place, self.analysis.summer.on_grid(pixel_sums)));
            }
        }
        all
    }
}

/// The row of a stratum in the evidence sums; the trials of classes without maps come last.
fn evidence_row(column: Column, row: usize, listed: usize) -> usize {
    match column {
        Column::Every => listed,
        _ => row,
    }
}
