//! The transforms of a tile of inputs, and of the sums at its points, along one axis.

use pulp::Simd;

use super::transform::{MAX_POINTS, TILE_OUTPUTS};

/// Bᵀ applied to six or eight numbers: E ± a·O for the points ±a, where E and O are the even and odd halves of
/// Π(x² − b²) over the other pairs.
#[inline(always)]
pub(super) fn inputs<S: Simd, const N: usize>(simd: S, d: [S::f32s; N]) -> [S::f32s; N] {
    let fma = |by: f32, x: S::f32s, to: S::f32s| simd.mul_add_f32s(simd.splat_f32s(by), x, to);
    let (add, sub) = (
        |a: S::f32s, b: S::f32s| simd.add_f32s(a, b),
        |a: S::f32s, b: S::f32s| simd.sub_f32s(a, b),
    );
    let mut out = d;
    if N == MAX_POINTS {
        let (d0, d1, d2, d3, d4, d5) = (d[0], d[1], d[2], d[3], d[4], d[5]);
        let (d6, d7) = (d[N - 2], d[N - 1]);
        out[0] = sub(fma(5.25, sub(d2, d4), d6), d0);
        out[N - 1] = sub(fma(5.25, sub(d3, d5), d7), d1);
        let (e, o) = (fma(-4.25, d4, add(d6, d2)), fma(-4.25, d3, add(d5, d1)));
        (out[1], out[2]) = (add(e, o), sub(e, o));
        let e = fma(0.25, d2, fma(-1.25, d4, d6));
        let o = fma(0.25, d1, fma(-1.25, d3, d5));
        (out[3], out[4]) = (fma(2.0, o, e), fma(-2.0, o, e));
        let (e, o) = (
            fma(4.0, d2, fma(-5.0, d4, d6)),
            fma(4.0, d1, fma(-5.0, d3, d5)),
        );
        (out[5], out[N - 2]) = (fma(0.5, o, e), fma(-0.5, o, e));
    } else {
        let (d0, d1, d2, d3, d4, d5) = (d[0], d[1], d[2], d[3], d[4], d[5]);
        out[0] = fma(4.0, d0, fma(-5.0, d2, d4));
        out[5] = fma(4.0, d1, fma(-5.0, d3, d5));
        let (e, o) = (fma(-4.0, d2, d4), fma(-4.0, d1, d3));
        (out[1], out[2]) = (add(e, o), sub(e, o));
        let (e, o) = (sub(d4, d2), sub(d3, d1));
        (out[3], out[4]) = (fma(2.0, o, e), fma(-2.0, o, e));
    }
    out
}

/// Aᵀ applied to six or eight numbers: even powers of a multiply the sum of each pair, odd powers its difference.
#[inline(always)]
pub(super) fn outputs<S: Simd, const N: usize>(
    simd: S,
    m: [S::f32s; N],
) -> [S::f32s; TILE_OUTPUTS] {
    let fma = |by: f32, x: S::f32s, to: S::f32s| simd.mul_add_f32s(simd.splat_f32s(by), x, to);
    let (add, sub) = (
        |a: S::f32s, b: S::f32s| simd.add_f32s(a, b),
        |a: S::f32s, b: S::f32s| simd.sub_f32s(a, b),
    );
    let (s1, t1) = (add(m[1], m[2]), sub(m[1], m[2]));
    let (s2, t2) = (add(m[3], m[4]), sub(m[3], m[4]));
    if N == MAX_POINTS {
        let (s3, t3) = (add(m[5], m[N - 2]), sub(m[5], m[N - 2]));
        [
            add(add(m[0], s1), add(s2, s3)),
            fma(0.5, t3, fma(2.0, t2, t1)),
            fma(0.25, s3, fma(4.0, s2, s1)),
            fma(0.125, t3, fma(8.0, t2, add(t1, m[N - 1]))),
        ]
    } else {
        [
            add(add(m[0], s1), s2),
            fma(2.0, t2, t1),
            fma(4.0, s2, s1),
            fma(8.0, t2, add(t1, m[N - 1])),
        ]
    }
}
