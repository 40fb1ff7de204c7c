//! The product of responses and noise in integers of 16 and 32 bits: several times as many at once as in 64-bit floats.
//!
//! While the magnitudes of a class's responses add up to at most 65,535, sums of their products with points from
//! −32,768 to 32,767 fit in 32 bits. Those of a few dozen trials usually do if the class's mean is subtracted first;
//! otherwise they are split into digits to the base 256, which are summed separately.

use super::AT_A_TIME;
use crate::stats::classification::{GRID_CENTRE, MAX_RESPONSE_STEPS};

#[cfg(target_arch = "x86_64")]
mod x86;

/// Digits' magnitudes may add up to this: 65,535 · 2¹⁵ < 2³¹.
const MOST: u32 = u16::MAX as u32;

// The lower digits of all trials fit.
const _: () = assert!(AT_A_TIME as u32 * 255 <= MOST);

/// Points are multiplied minus [`GRID_CENTRE`], which flips their sign bit.
const SIGN: i16 = i16::MIN;
const _: () = assert!(GRID_CENTRE == -(SIGN as i64));

/// Rows that are summed together, descending.
const TOGETHER: [usize; 5] = [11, 6, 5, 2, 1];

/// A way to multiply pairs of 16-bit integers and add the two products, which this processor has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel(Instructions);

#[derive(Debug, Clone, Copy)]
enum Instructions {
    /// AVX-512 with VNNI, which also adds the products to the sum.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Kernel {
    /// Every kernel with these vectors, fastest first.
    pub(super) fn all(vectors: pulp::Arch) -> impl Iterator<Item = Self> {
        let kernels = match vectors {
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V4(_) => {
                let vnni = std::arch::is_x86_feature_detected!("avx512vnni");
                let vnni = vnni.then_some(Instructions::Avx512Vnni);
                [vnni, Some(Instructions::Avx512)]
            }
            #[cfg(target_arch = "x86_64")]
            pulp::Arch::V3(_) => [Some(Instructions::Avx2), None],
            _ => [None, None],
        };
        kernels.into_iter().flatten().map(Self)
    }

    /// Whether images of noise have enough points.
    pub(super) fn can_sum(self, points: usize) -> bool {
        points >= self.width()
    }

    /// Points that are summed together.
    fn width(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni | Instructions::Avx512 => x86::WIDTH_512,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => x86::WIDTH_256,
        }
    }

    /// Most rows whose sums fit in the registers.
    fn most_rows(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512Vnni | Instructions::Avx512 => 11,
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => 6,
        }
    }

    /// Replaces the first rows of `sums`, \[rows,points\], by those over the trials of noise `z`, \[N,points\]. For every
    /// pair of trials and row, `words` has the two digits, \[⌈N/2⌉,rows\].
    #[cfg(target_arch = "x86_64")]
    fn sum(self, words: &[u32], rows: usize, (z, points): (&[u16], usize), sums: &mut [i32]) {
        use Instructions::{Avx2, Avx512, Avx512Vnni};
        macro_rules! run {
            ($($kernel:ident $function:ident $($rows:literal)*;)*) => {
                match (self.0, rows) {
                    $($(
                        // SAFETY: `Self::all`, which alone makes a kernel, checks its instructions.
                        ($kernel, $rows) => unsafe { x86::$function::<$rows>(words, z, points, sums) },
                    )*)*
                    _ => unreachable!("{rows} rows are not summed together"),
                }
            };
        }
        run! {
            Avx512Vnni vnni 11 6 5 2 1;
            Avx512 avx512 11 6 5 2 1;
            Avx2 avx2 6 5 2 1;
        }
    }

    /// There is no kernel for other processors.
    #[cfg(not(target_arch = "x86_64"))]
    fn sum(self, _: &[u32], _: usize, _: (&[u16], usize), _: &mut [i32]) {
        match self.0 {}
    }
}

/// Σy·(z − [`GRID_CENTRE`]) over the trials, \[M,points\]: y, at most [`MAX_RESPONSE_STEPS`], is \[N,M\], z
/// \[N,points\] with enough points for the kernel.
pub(super) fn centred_products(
    (vectors, kernel): (pulp::Arch, Kernel),
    y: &[i32],
    z: &[u16],
    (m, points): (usize, usize),
) -> Vec<i64> {
    let n = y.len() / m.max(1);
    assert_eq!((y.len(), z.len()), (n * m, n * points));
    assert!(kernel.can_sum(points));
    debug_assert!(y.iter().all(|y| y.abs() <= MAX_RESPONSE_STEPS));
    let (y, means) = vectors.dispatch(
        #[inline(always)]
        || without_means(y, m),
    );
    let mut products = vec![0; (m + 1) * points];
    let mut sums = vec![0; kernel.most_rows() * points];
    let noise = z.chunks(AT_A_TIME * points);
    for (y, z) in y.chunks(AT_A_TIME * (m + 1)).zip(noise) {
        let digits = vectors.dispatch(
            #[inline(always)]
            || Digits::of(y, m + 1, kernel.most_rows()),
        );
        let mut words = digits.words.as_slice();
        let mut rows = digits.rows.as_slice();
        for together in groups(rows.len(), kernel.most_rows()) {
            let (these, others) = words.split_at(z.len().div_ceil(2 * points) * together);
            kernel.sum(these, together, (z, points), &mut sums);
            words = others;
            let (these, others) = rows.split_at(together);
            rows = others;
            vectors.dispatch(
                #[inline(always)]
                || {
                    for (row, sums) in these.iter().zip(sums.chunks_exact(points)) {
                        let products = &mut products[row.class * points..][..points];
                        for (product, &sum) in products.iter_mut().zip(sums) {
                            *product += i64::from(sum) << row.shift;
                        }
                    }
                },
            );
        }
    }
    // Σy·z = Σ(y − c)·z + c·Σz.
    let noise = products.split_off(m * points);
    vectors.dispatch(
        #[inline(always)]
        || {
            for (products, mean) in products.chunks_exact_mut(points).zip(means) {
                let products = products.iter_mut().zip(&noise);
                products.for_each(|(product, z)| *product += mean * z);
            }
        },
    );
    products
}

/// Responses minus their class's mean, and a one for every trial, \[N,M+1\]; and the means, rounded.
#[inline(always)]
fn without_means(y: &[i32], m: usize) -> (Vec<i32>, Vec<i64>) {
    let mut means = vec![0_i64; m];
    let rows = || y.chunks_exact(m.max(1));
    for row in rows() {
        let means = means.iter_mut().zip(row);
        means.for_each(|(mean, &y)| *mean += i64::from(y));
    }
    let n = rows().len().max(1) as i64;
    means.iter_mut().for_each(|mean| *mean /= n);
    let whole: Vec<i32> = means.iter().map(|&mean| mean as i32).collect();
    let mut centred = Vec::with_capacity(y.len() + rows().len());
    for row in rows() {
        centred.extend(row.iter().zip(&whole).map(|(y, mean)| y - mean));
        centred.push(1);
    }
    (centred, means)
}

/// One digit of the responses for a class.
#[derive(Debug, Clone, Copy)]
struct Row {
    class: usize,
    /// Digits are multiples of two to this power.
    shift: u32,
}

/// Responses of some trials as digits whose products can be summed in 32 bits.
struct Digits {
    rows: Vec<Row>,
    /// For every group of rows, pair of trials and row, the two digits as 16-bit numbers.
    words: Vec<u32>,
}

impl Digits {
    /// Of responses y, \[N,M\], for groups of at most this many rows.
    #[inline(always)]
    fn of(y: &[i32], m: usize, most_rows: usize) -> Self {
        assert!(y.len() <= AT_A_TIME * m);
        let magnitudes = magnitudes(y, m);
        if magnitudes.iter().all(|&magnitude| magnitude <= MOST) {
            let rows = (0..m).map(|class| Row { class, shift: 0 }).collect();
            return Self::new(rows, y, most_rows);
        }
        let mut rows = Vec::new();
        let mut columns = Vec::new();
        for (class, mut magnitude) in magnitudes.into_iter().enumerate() {
            let mut rest: Vec<i32> = y.iter().skip(class).step_by(m).copied().collect();
            let mut shift = 0;
            while magnitude > MOST {
                rows.push(Row { class, shift });
                columns.push(rest.iter().map(|y| y & 0xff).collect());
                rest.iter_mut().for_each(|y| *y >>= 8);
                shift += 8;
                magnitude = magnitudes_of_one(&rest);
            }
            rows.push(Row { class, shift });
            columns.push(rest);
        }
        let trials = 0..y.len() / m;
        let digits = trials.flat_map(|trial| columns.iter().map(move |column| column[trial]));
        Self::new(rows, &digits.collect::<Vec<i32>>(), most_rows)
    }

    /// Of digits, \[N,rows\].
    #[inline(always)]
    fn new(rows: Vec<Row>, digits: &[i32], most_rows: usize) -> Self {
        let count = rows.len();
        let mut words = Vec::with_capacity(digits.len().div_ceil(2) + count);
        let mut first = 0;
        for together in groups(count, most_rows) {
            for pair in digits.chunks(2 * count) {
                let low = pair[first..][..together].iter().map(|&y| y as u32 & 0xffff);
                match pair.get(count + first..count + first + together) {
                    Some(high) => {
                        words.extend(low.zip(high).map(|(low, &y)| low | (y as u32) << 16))
                    }
                    // Without a second trial.
                    None => words.extend(low),
                }
            }
            first += together;
        }
        Self { rows, words }
    }
}

/// Sizes of the groups in which this many rows are summed.
fn groups(rows: usize, most: usize) -> impl Iterator<Item = usize> {
    let mut left = rows;
    let sizes = TOGETHER.into_iter().filter(move |&size| size <= most);
    sizes.flat_map(move |size| {
        let count = left / size;
        left %= size;
        std::iter::repeat_n(size, count)
    })
}

/// Σ|y| by class of y, \[N,M\]; more than [`MOST`] if a y does not fit in 16 bits.
#[inline(always)]
fn magnitudes(y: &[i32], m: usize) -> Vec<u32> {
    let mut sums = vec![0_u32; m];
    for row in y.chunks_exact(m) {
        for (sum, &y) in sums.iter_mut().zip(row) {
            let beyond = u32::from(y != i32::from(y as i16)) << 16;
            *sum += y.unsigned_abs() | beyond;
        }
    }
    sums
}

/// [`magnitudes`] of a single class.
fn magnitudes_of_one(y: &[i32]) -> u32 {
    magnitudes(y, 1).into_iter().sum()
}
