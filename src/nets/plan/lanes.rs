//! The vector instructions that a plan computes with, chosen at run time.

use std::fmt;
use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};

use super::steps::{MEASURING_TIME, Portion, Program, Scratch};

/// The environment variable that selects the vectors, for comparisons: `avx512`, `avx2`, `neon` or `plain`.
const SIMD_VARIABLE: &str = "NOISESCOPE_SIMD";

/// A vector width that this processor supports. Results are bit-identical at every width.
#[derive(Clone, Copy)]
pub struct Lanes(Arch);

impl Lanes {
    /// The widest vectors available.
    pub fn widest() -> Self {
        Self(Arch::new())
    }

    /// One image at a time, which works on every processor.
    pub fn plain() -> Self {
        Self(Arch::Scalar)
    }

    /// All vectors that this processor can run, widest first.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(pulp::x86::V4::try_new().map(|v4| Self(Arch::V4(v4))));
            all.extend(pulp::x86::V3::try_new().map(|v3| Self(Arch::V3(v3))));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(pulp::aarch64::Neon::try_new().map(|neon| Self(Arch::Neon(neon))));
        all.push(Self::plain());
        all
    }

    /// The vectors named by the environment if this processor has them, else the widest.
    pub fn from_env_or_widest() -> Self {
        Self::from_env().ok().flatten().unwrap_or_else(Self::widest)
    }

    /// The vectors named by the environment; `None` if it names none.
    ///
    /// # Errors
    /// Lists the available ones if it names any other.
    pub fn from_env() -> Result<Option<Self>, String> {
        let named = std::env::var(SIMD_VARIABLE)
            .unwrap_or_default()
            .to_lowercase();
        let all = Self::all();
        let found = all.iter().find(|lanes| lanes.label() == named);
        match found {
            _ if named.is_empty() => Ok(None),
            Some(found) => Ok(Some(*found)),
            None => {
                let available: Vec<&str> = all.iter().map(|lanes| lanes.label()).collect();
                Err(format!(
                    "{SIMD_VARIABLE}={named}: this processor has {}; unset it to use the widest",
                    available.join(", ")
                ))
            }
        }
    }

    /// The name: `avx512`, `avx2`, `neon` or `plain`.
    pub fn label(self) -> &'static str {
        match self.count() {
            16 => "avx512",
            8 => "avx2",
            4 => "neon",
            _ => "plain",
        }
    }

    /// The dispatcher for code that runs with these vectors.
    pub(super) fn arch(self) -> Arch {
        self.0
    }

    /// Images per vector.
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

    /// Runs a program with these vectors.
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
    /// Microseconds per image of every step of a program.
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

/// Independent sums in [`Lanes::peak`]: enough to hide the latency, few enough for sixteen registers.
const CHAINS: usize = 10;

impl Lanes {
    /// Peak floating-point operations per second of this thread with these vectors, measured briefly with fused
    /// multiply-adds in registers.
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
                while began.elapsed() < MEASURING_TIME {
                    let round = Instant::now();
                    for _ in 0..ROUNDS {
                        for sum in &mut sums {
                            *sum = simd.mul_add_f32s(*sum, by, plus);
                        }
                    }
                    let done = (2 * ROUNDS * CHAINS * S::F32_LANES) as f64;
                    best = best.max(done / round.elapsed().as_secs_f64());
                }
                let totals = sums.iter().map(|&sum| simd.reduce_sum_f32s(sum));
                black_box(totals.sum::<f32>());
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
