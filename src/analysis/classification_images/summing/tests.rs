//! Tests of the products of responses and noise against their definition.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::integers::{self, Kernel};
use super::multiply::{centred_products, in_floats};
use crate::stats::classification::{GRID_CENTRE, MAX_RESPONSE_STEPS};

/// Every kind of vectors that this processor has.
fn every_kind_of_vectors() -> Vec<pulp::Arch> {
    let all = [pulp::Arch::new(), pulp::Arch::Scalar].into_iter();
    #[cfg(target_arch = "x86_64")]
    let all = all.chain(pulp::x86::V3::try_new().map(pulp::Arch::V3));
    all.collect()
}

/// Σy·(z − centre), \[M,P\], of responses \[N,M\] and points \[N,P\].
fn by_definition(y: &[i32], z: &[u16], (m, points): (usize, usize)) -> Vec<i64> {
    let mut products = vec![0; m * points];
    for (y, z) in y.chunks_exact(m).zip(z.chunks_exact(points)) {
        for (y, products) in y.iter().zip(products.chunks_exact_mut(points)) {
            for (z, product) in z.iter().zip(products) {
                *product += i64::from(*y) * (i64::from(*z) - GRID_CENTRE);
            }
        }
    }
    products
}

/// Compares every way to compute the products with their definition.
fn check(y: &[i32], z: &[u16], (m, points): (usize, usize), case: &str) {
    let expected = by_definition(y, z, (m, points));
    for vectors in every_kind_of_vectors() {
        let same = |found: Vec<i64>, how: &str| {
            let n = z.len() / points;
            assert!(found == expected, "{case}, {n} {m} {points}: {how}");
        };
        let size = (m, points);
        same(centred_products(vectors, y, z, size), "chosen");
        same(in_floats(vectors, y, z, size), "floats");
        for kernel in Kernel::all(vectors).filter(|kernel| kernel.can_sum(points)) {
            let found = integers::centred_products((vectors, kernel), y, z, size);
            same(found, &format!("{kernel:?}"));
        }
    }
}

#[test]
fn products_of_responses_and_noise_follow_their_definition() {
    const MOST: i32 = MAX_RESPONSE_STEPS;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for m in 1..=13 {
        for (n, points) in [
            (1, 16),
            (2, 31),
            (63, 33),
            (64, 50),
            (65, 96),
            (131, 40),
            (66, 5),
        ] {
            let mut z: Vec<u16> = (0..n * points).map(|_| rng.random()).collect();
            let mut responses = |from: i32, to: i32| -> Vec<i32> {
                (0..n * m).map(|_| rng.random_range(from..=to)).collect()
            };
            let small = responses(-400, 400);
            let off_centre: Vec<i32> = small.iter().map(|y| y + 3000).collect();
            let any = responses(-MOST, MOST);
            let either = responses(0, 1).into_iter().map(|y| (2 * y - 1) * MOST);
            let either: Vec<i32> = either.collect();
            check(&small, &z, (m, points), "small");
            check(&off_centre, &z, (m, points), "off centre");
            check(&any, &z, (m, points), "any");
            check(&either, &z, (m, points), "extreme responses");
            // One class needs two digits.
            let mut mixed = small;
            let column = mixed.iter_mut().skip(m / 2).step_by(m);
            column.zip(&any).for_each(|(y, &any)| *y = any);
            check(&mixed, &z, (m, points), "mixed");
            for extreme in [0, u16::MAX] {
                z.fill(extreme);
                check(&either, &z, (m, points), "extremes");
                check(&vec![MOST; n * m], &z, (m, points), "most");
                check(&vec![-MOST; n * m], &z, (m, points), "least");
            }
        }
    }
}

/// Responses at the limit of what fits in 32 bits without digits, and just beyond.
#[test]
fn sums_at_the_limit_of_32_bits_are_exact() {
    for (one, other) in [
        (1023, 1024),
        (1024, 1024),
        (1024, 1025),
        (-1023, -1024),
        (-1024, -1025),
    ] {
        let points = 64;
        // Of the mean 0 over all trials, but of one sign over those summed together.
        let y: Vec<i32> = (0..128)
            .map(|trial| match trial {
                0..63 => one,
                63 => other,
                64..127 => -one,
                _ => -other,
            })
            .collect();
        for extreme in [0, u16::MAX] {
            check(&y, &vec![extreme; 128 * points], (1, points), "limit");
        }
    }
}
