//! A finding of an audit, pasted on test images, and how many are then called its class.

use serde::{Deserialize, Serialize};

use crate::ids::ClassId;
use crate::stats::audit::SquareWindow;
use crate::stats::share::Share;
use crate::stats::sums::{add, total};

/// A finding for one class, pasted on test images: the pixels in its window that are bright in its image
/// are set to white.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Pasted")]
pub struct PastedFinding {
    /// The class.
    pub class: ClassId,
    /// Its window: top row, left column, side, on the noise's grid.
    pub window: SquareWindow,
    /// Images by true class, \[K\].
    pub shown: Vec<u64>,
    /// Those called the class before pasting, \[K\].
    pub before: Vec<u64>,
    /// Those called the class after pasting, \[K\].
    pub called: Vec<u64>,
}

impl PastedFinding {
    /// A record with nothing pasted yet, for K classes.
    pub fn new(class: ClassId, window: SquareWindow, classes: usize) -> Self {
        Self {
            class,
            window,
            shown: vec![0; classes],
            before: vec![0; classes],
            called: vec![0; classes],
        }
    }

    /// Adds the counts of more images.
    pub fn add(&mut self, more: &Self) {
        for (counts, more) in [
            (&mut self.shown, &more.shown),
            (&mut self.before, &more.before),
            (&mut self.called, &more.called),
        ] {
            add(counts, more);
        }
    }

    /// Images of class `source` that are called the pasted class.
    pub fn called_from(&self, source: ClassId) -> Share {
        Share {
            hits: self.called[source],
            total: self.shown[source],
        }
    }

    /// Images of all other classes in these counts.
    fn sum(&self, counts: &[u64]) -> Share {
        let others = || ClassId::all(self.shown.len()).filter(|&class| class != self.class);
        Share {
            hits: total(others().map(|class| counts[class])),
            total: total(others().map(|class| self.shown[class])),
        }
    }

    /// Images of all other classes that are called the pasted class.
    pub fn others(&self) -> Share {
        self.sum(&self.called)
    }

    /// The same before pasting.
    pub fn before_pasting(&self) -> Share {
        self.sum(&self.before)
    }

    /// The other classes whose images are most often called the pasted class, several if tied, and the
    /// rate.
    pub fn sources(&self) -> Option<(Vec<ClassId>, f64)> {
        let others = ClassId::all(self.shown.len()).filter(|&class| class != self.class);
        let rates = || {
            others
                .clone()
                .filter_map(|class| Some((class, self.called_from(class).rate()?)))
        };
        let most = rates().map(|pair| pair.1).reduce(f64::max)?;
        let equal = rates().filter(|pair| pair.1 == most).map(|pair| pair.0);
        Some((equal.collect(), most))
    }
}

/// What pasting the windows of the other classes does, beside that of the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OtherWindows {
    /// The largest share of images that one of them turns into its class.
    pub rate: f64,
    /// Whether one of them does about as much as the first: it adds at least as many images to its class as the lower
    /// end of the first one's 95 % interval does.
    pub as_effective: bool,
}

impl OtherWindows {
    /// Compares the first finding with the others; `None` if there are no others, or nothing has been pasted.
    pub fn beside_first(pasted: &[PastedFinding]) -> Option<Self> {
        let (first, others) = pasted.split_first()?;
        let least = first.others().interval()?.low - first.before_pasting().rate()?;
        let effect = |finding: &PastedFinding| {
            let rate = finding.others().rate()?;
            Some((rate, rate - finding.before_pasting().rate()?))
        };
        let effects: Vec<(f64, f64)> = others.iter().filter_map(effect).collect();
        Some(Self {
            rate: effects.iter().map(|(rate, _)| *rate).reduce(f64::max)?,
            as_effective: effects.iter().any(|(_, gain)| *gain >= least),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_window_is_as_effective_only_by_what_pasting_it_adds() {
        let finding = |class: usize, before: u64, called: u64| PastedFinding {
            shown: vec![100; 3],
            before: vec![before; 3],
            called: vec![called; 3],
            ..PastedFinding::new(ClassId(class), (0, 0, 4), 3)
        };
        let beside = |before, called| {
            let both = [finding(0, 0, 50), finding(1, before, called)];
            OtherWindows::beside_first(&both).unwrap()
        };
        let share = |rate, as_effective| OtherWindows { rate, as_effective };
        assert_eq!(beside(0, 2), share(0.02, false));
        assert_eq!(beside(0, 50), share(0.5, true));
        // Called the class without the window, too.
        assert_eq!(beside(60, 60), share(0.6, false));
        assert_eq!(OtherWindows::beside_first(&[finding(0, 0, 50)]), None);
        let fresh = PastedFinding::new(ClassId(0), (0, 0, 4), 3);
        assert_eq!(OtherWindows::beside_first(&[fresh.clone(), fresh]), None);
    }

    #[test]
    fn only_images_of_other_classes_show_an_effect_and_tied_sources_are_all_named() {
        let mut pasted = PastedFinding::new(ClassId(1), (0, 0, 4), 4);
        assert_eq!(pasted.sources(), None);
        let block = PastedFinding {
            shown: vec![5, 10, 2, 0],
            before: vec![1, 9, 0, 0],
            called: vec![3, 10, 1, 0],
            ..pasted.clone()
        };
        pasted.add(&block);
        let more = PastedFinding {
            called: vec![2, 10, 1, 0],
            ..block
        };
        pasted.add(&more);
        let share = |hits, total| Share { hits, total };
        assert_eq!(pasted.others(), share(7, 14));
        assert_eq!(pasted.before_pasting(), share(2, 14));
        assert_eq!(pasted.called_from(ClassId(0)), share(5, 10));
        let sources = vec![ClassId(0), ClassId(2)];
        assert_eq!(pasted.sources(), Some((sources, 0.5)));
        // A file may contain any counts.
        pasted.shown.fill(u64::MAX);
        assert_eq!(pasted.others(), share(7, u64::MAX));
    }
}
