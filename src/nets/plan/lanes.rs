//! The vectors that a plan computes with, chosen when the program runs.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};

use super::steps::{MOMENT, Portion, Program, Scratch};

/// The environment variable that names vectors, for comparisons: `avx512`, `avx2`, `neon` or `plain`.
const CHOSEN: &str = "NOISESCOPE_SIMD";

/// Vectors of this processor. The bits of a result do not depend on them.
#[derive(Clone, Copy)]
pub struct Lanes(Arch);

impl Lanes {
    /// The widest that there are.
    pub fn widest() -> Self {
        Self(Arch::new())
    }

    /// One image at a time: what every processor can do.
    pub fn plain() -> Self {
        Self(Arch::Scalar)
    }

    /// All that this processor can run, the widest first.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V4::try_new().map(|it| Self(Arch::V4(it))));
            all.extend(pulp::x86::V3::try_new().map(|it| Self(Arch::V3(it))));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(pulp::aarch64::Neon::try_new().map(|it| Self(Arch::Neon(it))));
        all.push(Self::plain());
        all
    }

    /// Those that the environment names, where this processor has them, else the widest.
    pub fn chosen() -> Self {
        Self::named().ok().flatten().unwrap_or_else(Self::widest)
    }

    /// Those that the environment names; `None` where it names none.
    ///
    /// # Errors
    /// Says which there are where it names others.
    pub fn named() -> Result<Option<Self>, String> {
        let named = std::env::var(CHOSEN).unwrap_or_default().to_lowercase();
        let all = Self::all();
        let own = all.iter().find(|it| it.label() == named);
        match own {
            _ if named.is_empty() => Ok(None),
            Some(own) => Ok(Some(*own)),
            None => {
                let here: Vec<&str> = all.iter().map(|it| it.label()).collect();
                Err(format!(
                    "{CHOSEN}={named}: this processor has {}; leave it out for the widest",
                    here.join(", ")
                ))
            }
        }
    }

    /// Their name: `avx512`, `avx2`, `neon` or `plain`.
    pub fn label(self) -> &'static str {
        match self.count() {
            16 => "avx512",
            8 => "avx2",
            4 => "neon",
            _ => "plain",
        }
    }

    /// For what is run with them.
    pub(super) fn arch(self) -> Arch {
        self.0
    }

    /// Images that a vector holds.
    pub fn count(self) -> usize {
        struct Count;
        impl WithSimd for Count {
            type Output = usize;
            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> usize {
                S::F32_LANES
            }
        }
        self.0.dispatch(Count)
    }

    /// Runs a program with them.
    pub(super) fn run(
        self,
        program: &Program,
        scratch: &mut Scratch,
        pixels: &[f32],
        take: &mut dyn FnMut(Portion),
    ) {
        struct Run<'a>(
            &'a Program,
            &'a mut Scratch,
            &'a [f32],
            &'a mut dyn FnMut(Portion),
        );
        impl WithSimd for Run<'_> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                self.0.run(simd, self.1, self.2, self.3);
            }
        }
        self.0.dispatch(Run(program, scratch, pixels, take));
    }
}

impl Lanes {
    /// Microseconds an image of every step of a program.
    pub(super) fn times(self, program: &Program, scratch: &mut Scratch) -> Vec<f64> {
        struct Times<'a>(&'a Program, &'a mut Scratch);
        impl WithSimd for Times<'_> {
            type Output = Vec<f64>;
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
                self.0.times(simd, self.1)
            }
        }
        self.0.dispatch(Times(program, scratch))
    }
}

/// Sums that [`Lanes::peak`] keeps going: enough that none waits for itself, few enough for sixteen registers.
const CHAINS: usize = 10;

impl Lanes {
    /// Floating-point operations a second that this thread does at most with them: fused multiplications and
    /// additions of numbers in registers, for a moment.
    pub fn peak(self) -> f64 {
        struct Peak;
        impl WithSimd for Peak {
            type Output = f64;
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> f64 {
                const ROUNDS: usize = 1 << 16;
                let by = simd.splat_f32s(black_box(0.999_9));
                let plus = simd.splat_f32s(black_box(1e-4));
                let mut sums = [simd.splat_f32s(black_box(1.0)); CHAINS];
                let mut best = 0.0_f64;
                let began = Instant::now();
                while began.elapsed() < MOMENT {
                    let round = Instant::now();
                    for _ in 0..ROUNDS {
                        for sum in &mut sums {
                            *sum = simd.mul_add_f32s(*sum, by, plus);
                        }
                    }
                    let done = (2 * ROUNDS * CHAINS * S::F32_LANES) as f64;
                    best = best.max(done / round.elapsed().as_secs_f64());
                }
                let kept = sums.iter().map(|&sum| simd.reduce_sum_f32s(sum));
                black_box(kept.sum::<f32>());
                best
            }
        }
        self.0.dispatch(Peak)
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
