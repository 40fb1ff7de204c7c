//! What launches have summed, read back and brought into the form of the record.

use burn::tensor::Tensor;

use super::{Column, HALVES, NoiseLaunches, Summed};
use crate::session::config::Weighting;
use crate::session::record::{BlockSums, EvidenceSums};
use crate::stats::classification::{CENTRE, PAIRED, pairs};

/// Where everything stands in the products of what was said with what was said. Called classes, and what they weigh,
/// are the first columns.
#[derive(Debug, Clone, Copy)]
struct Layout {
    /// The first row of true classes, K.
    truth: usize,
    /// The first row of responses, M.
    answers: usize,
    /// The first column of responses, M.
    responses: usize,
    /// The first column of whether they are kept, M.
    kept: usize,
}

/// The products of what was said with what was said, of one half: \[L,C\].
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    numbers: &'a [i64],
    columns: usize,
    layout: Layout,
}

impl<'a> Said<'a> {
    /// The counts by true and called class, \[K,K\], or another table of that kind.
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
    /// Where everything stands in what was said by what was said.
    fn layout(&self) -> Layout {
        let rows = self.analysis.summing.rows();
        let (k, m) = (rows.classes(), rows.listed());
        if Self::is_shared(self.analysis, self.listed.is_some()) {
            return Layout {
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
        Layout {
            truth: 0,
            answers: k,
            responses: tables * k,
            kept: tables * k + m,
        }
    }
}

impl NoiseLaunches<'_> {
    /// What was summed, read back at once, as the record takes it: the even blocks and the odd ones. `None` where
    /// an answer was no number.
    pub(super) fn told(&self, sums: Summed) -> Option<Vec<BlockSums>> {
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
        let tells = sums.numbers.is_some();
        all.extend(sums.numbers);
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
        let [_, left, columns] = said_shape;
        let (noise, rest) = read.split_at(HALVES * rows * points);
        let (said, rest) = rest.split_at(HALVES * left * columns);
        let layout = self.layout();
        let said: Vec<Said<'_>> = said
            .chunks_exact(left * columns)
            .map(|numbers| Said {
                numbers,
                columns,
                layout,
            })
            .collect();
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
                said[half],
            );
            // The first of its blocks.
            own.block = job.block + u64::from(job.block % 2 != half as u64);
            own.blocks = sums.blocks[half];
            told.push(own);
        }
        // What does not tell the halves apart goes with one of them.
        if let Some(first) = told.first_mut() {
            if pixels > 0 {
                first.image = self.image_sums(&said, images, pixels);
            }
            if !squares.is_empty() {
                let at = self.columns.iter().take_while(|it| **it != Column::Counted);
                let at: usize = at.map(|it| self.width(*it)).sum();
                let of_half = |half: usize| &noise[(half * rows + at) * points..][..points];
                let counted: i64 = said.iter().flat_map(|it| it.table(k, 0)).sum();
                let centred = of_half(0).iter().zip(of_half(1)).map(|(a, b)| a + b);
                let sum: Vec<i64> = centred.map(|sum| sum + CENTRE * counted).collect();
                // Σk² = Σ(k−c)² + 2c·Σk − c²·n
                let square = squares.iter().zip(&sum);
                let square =
                    square.map(|(own, sum)| own + 2 * CENTRE * sum - CENTRE * CENTRE * counted);
                first.moments = sum.iter().copied().chain(square).collect();
            }
        }
        Some(told)
    }

    /// Numbers of a column.
    fn width(&self, column: Column) -> usize {
        match column {
            Column::All | Column::Every | Column::Counted => 1,
            _ => self.analysis.summing.rows().listed(),
        }
    }

    /// Sums of one half: of trials by true class, of the noise \[R,p\], and of what was said.
    fn half(&self, shown: &[u64], (noise, points): (&[i64], usize), said: Said<'_>) -> BlockSums {
        let rows = self.analysis.summing.rows();
        let (k, m) = (rows.classes(), rows.listed());
        let weighted = self.analysis.config.weighting == Weighting::Confidence;
        let table = |at: usize| -> Vec<u64> {
            let counts = said.table(k, at).map(|count| count as u64);
            counts.collect()
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
                Column::Counted | Column::Kept => {}
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
                .then(|| self.heard(evidence, shown, said)),
            counts,
            weights,
            ..BlockSums::default()
        }
    }

    /// What of the evidence of a half follows from the responses alone.
    fn heard(&self, mut own: EvidenceSums, shown: &[u64], said: Said<'_>) -> EvidenceSums {
        let rows = self.analysis.summing.rows();
        let (k, m) = (rows.classes(), rows.listed());
        let Layout {
            truth,
            answers,
            responses,
            kept,
        } = said.layout;
        own.shown = shown.to_vec();
        let by_truth =
            |first: usize| (0..k * m).map(move |at| said.at(truth + at / m, first + at % m));
        own.sums = by_truth(responses).collect();
        let heard = m as u64 * shown.iter().sum::<u64>();
        own.clipped = heard - by_truth(kept).sum::<i64>() as u64;
        let product = |a: usize, b: usize| said.at(answers + a, responses + b);
        own.squares = match m <= PAIRED {
            true => (0..m * pairs(m))
                .map(|at| product(at / m, at % m))
                .collect(),
            false => (0..m).map(|class| product(class, class)).collect(),
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
        said: &[Said<'_>],
        images: &[i64],
        pixels: usize,
    ) -> Vec<(usize, Vec<i64>)> {
        let rows = self.analysis.summing.rows();
        let k = rows.classes();
        let mut is_called = vec![false; k];
        for table in said.iter().map(|half| half.table(k, 0)) {
            for (cell, count) in table.enumerate() {
                is_called[cell % k] |= count > 0;
            }
        }
        let mut all = Vec::new();
        for class in (0..k).filter(|&class| is_called[class]) {
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
