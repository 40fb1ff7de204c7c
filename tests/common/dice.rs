//! The number of random cases in a test, and a reproducible random generator.

/// How many cases to try: the environment variable's value, which `scripts/durability` sets, or `usual`.
pub fn count(variable: &str, usual: u64) -> u64 {
    let requested = std::env::var(variable).ok();
    requested
        .and_then(|number| number.parse().ok())
        .unwrap_or(usual)
}

/// A small random generator that gives the same numbers in every run of a test.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `below`, or 0.
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below.max(1)
    }
}
