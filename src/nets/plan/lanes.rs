//! The vectors that a plan computes with, chosen when the program runs.

use std::fmt;

use pulp::{Arch, Simd, WithSimd};

use super::steps::{Portion, Program, Scratch};

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
        let named = std::env::var(CHOSEN).unwrap_or_default().to_lowercase();
        let all = Self::all();
        let own = all.into_iter().find(|it| it.label() == named);
        own.unwrap_or_else(Self::widest)
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

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
