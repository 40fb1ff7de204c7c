//! Numbers that name something, each with a type of its own, so that none is taken for another: a class, a block, a
//! site of a network, and γ, which is also no index of a list of γ.

use std::cmp::Ordering;
use std::fmt;
use std::num::ParseFloatError;
use std::ops::{Add, Index, IndexMut, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A category that the network can name: its place among the outputs, from 0.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ClassId(pub usize);

impl ClassId {
    /// The classes of a network with `count` outputs, in order.
    pub fn all(count: usize) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator + Clone {
        (0..count).map(Self)
    }
}

/// A place in a network's graph whose activations are observed or pushed: its place among [`Subject::sites`], from 0.
///
/// [`Subject::sites`]: crate::nets::Subject::sites
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SiteId(pub usize);

/// A block of a sequence: its number, from 0. Numbers of blocks, as in "the first 20 blocks", are plain `u64`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BlockIndex(pub u64);

impl BlockIndex {
    /// The blocks from this one up to, not including, `end`.
    pub fn until(self, end: Self) -> impl DoubleEndedIterator<Item = Self> + Clone {
        (self.0..end.0).map(Self)
    }

    /// The first `count` blocks.
    pub fn first(count: u64) -> impl DoubleEndedIterator<Item = Self> + Clone {
        Self(0).until(Self(count))
    }
}

/// The block that many after this one.
impl Add<u64> for BlockIndex {
    type Output = Self;

    fn add(self, blocks: u64) -> Self {
        Self(self.0 + blocks)
    }
}

/// The number of blocks from the other one up to it.
impl Sub for BlockIndex {
    type Output = u64;

    fn sub(self, other: Self) -> u64 {
        self.0 - other.0
    }
}

/// The share of a data image in a stimulus, in \[0,1\]: 0 is noise alone, 1 the image alone.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gamma(pub f64);

impl Gamma {
    /// Noise alone.
    pub const NOISE: Self = Self(0.0);

    /// The order of all γ, as of `f64`.
    pub fn total_cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl FromStr for Gamma {
    type Err = ParseFloatError;

    fn from_str(text: &str) -> Result<Self, ParseFloatError> {
        text.parse().map(Self)
    }
}

macro_rules! number {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )+};
}

number!(ClassId, SiteId, BlockIndex, Gamma);

macro_rules! place {
    ($($name:ident),+) => {$(
        impl<T> Index<$name> for [T] {
            type Output = T;

            fn index(&self, place: $name) -> &T {
                &self[place.0]
            }
        }

        impl<T> IndexMut<$name> for [T] {
            fn index_mut(&mut self, place: $name) -> &mut T {
                &mut self[place.0]
            }
        }

        impl<T> Index<$name> for Vec<T> {
            type Output = T;

            fn index(&self, place: $name) -> &T {
                &self[place.0]
            }
        }

        impl<T> IndexMut<$name> for Vec<T> {
            fn index_mut(&mut self, place: $name) -> &mut T {
                &mut self[place.0]
            }
        }
    )+};
}

place!(ClassId, SiteId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_blocks_are_counted_like_their_numbers() {
        let classes = ClassId::all(3);
        assert_eq!(classes.len(), 3);
        assert!(classes.eq([ClassId(0), ClassId(1), ClassId(2)]));
        assert_eq!(ClassId::all(0).next(), None);
        let blocks = BlockIndex(5).until(BlockIndex(7));
        assert!(blocks.eq([BlockIndex(5), BlockIndex(6)]));
        assert_eq!(BlockIndex(5).until(BlockIndex(5)).next(), None);
        assert!(BlockIndex::first(2).eq([BlockIndex(0), BlockIndex(1)]));
        assert_eq!(BlockIndex(5) + 3, BlockIndex(8));
        assert_eq!(BlockIndex(8) - BlockIndex(5), 3);
        assert!(BlockIndex(9) < BlockIndex(10) && ClassId(9) < ClassId(10));
    }

    #[test]
    fn gammas_are_ordered_and_written_like_their_numbers() {
        assert_eq!(Gamma(0.1).total_cmp(&Gamma(0.2)), Ordering::Less);
        assert_eq!(Gamma(0.2).total_cmp(&Gamma(0.1)), Ordering::Greater);
        assert_eq!(Gamma(0.2).total_cmp(&Gamma(0.2)), Ordering::Equal);
        assert_eq!(Gamma(1.0).total_cmp(&Gamma(f64::NAN)), Ordering::Less);
        assert_eq!("0.25".parse::<Gamma>(), Ok(Gamma(0.25)));
        assert!("a quarter".parse::<Gamma>().is_err());
        assert_eq!(format!("{:.2} {}", Gamma(0.3), Gamma::NOISE), "0.30 0");
        assert_eq!(format!("{:>3} {:03}", SiteId(7), ClassId(7)), "  7 007");
    }
}
