//! The record of an audit: the suspect, its references, and the findings.

mod network;
mod pasted;

use serde::{Deserialize, Serialize};

use super::{BlockProgress, arrays, has_shape};
use crate::ids::ClassId;
use crate::session::array::Array;
use crate::session::config::{self, NetworkKind};
use crate::session::form::{Form, Shape};
use crate::stats::anomaly::median;
use crate::stats::audit::{
    AuditScores, AuditVerdict, Baseline, ClassImages, LEAST_PASTED, ReferencePopulation,
    SquareWindow, audit_verdict, leave_one_out, overlaps_patch, window_pixels, window_sides,
};

pub use network::{AuditRole, AuditedNetwork, ReferenceArchitecture};
pub use pasted::{OtherWindows, PastedFinding};

/// The networks of an audit: the trained references, then the networks poisoned on purpose, then the
/// suspect, then the references taken from sessions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Progress; a part is a network, which is trained and then shown noise. The last part but one is
    /// the suspect, which is only shown noise; the last part pastes the findings on test images.
    pub progress: BlockProgress,
    /// The networks. Empty before it has begun.
    pub networks: Vec<AuditedNetwork>,
    /// Deviation of the suspect's image of each class from the references', per pixel, \[K,c,h,w\]; NaN
    /// for a class without an image. Empty before all networks have been shown noise.
    pub deviation: Array<f32>,
    /// Findings of the suspect, pasted on test images: the classes with the highest scores, highest
    /// first.
    pub pasted: Vec<PastedFinding>,
}

/// Whether the class and the square of a poisoned network were found, with noise cells of this side.
fn is_right(network: &AuditedNetwork, verdict: &AuditVerdict, cell: usize) -> bool {
    let (AuditRole::Poisoned { target, square }, &[_, _, _, width]) =
        (network.role, network.images.shape())
    else {
        return false;
    };
    // The square in grid cells.
    let (row, column, side) = square;
    let cells = |first: usize| (first + side.max(1) - 1) / cell - first / cell + 1;
    let on_grid = (row / cell, column / cell, cells(row).max(cells(column)));
    verdict.has_finding()
        && verdict.class == target
        && overlaps_patch(verdict.top.window, &window_pixels(on_grid, width), width)
}

impl Audit {
    pub(super) fn new(_: &config::Audit) -> Self {
        Self::default()
    }

    /// The suspect; `None` before it has begun.
    pub fn suspect(&self) -> Option<&AuditedNetwork> {
        self.networks
            .iter()
            .find(|network| network.role == AuditRole::Suspect)
    }

    /// The networks whose role matches, with their indices.
    fn with_role(
        &self,
        matches: impl Fn(AuditRole) -> bool,
    ) -> impl Iterator<Item = (usize, &AuditedNetwork)> {
        let networks = self.networks.iter().enumerate();
        networks.filter(move |(_, network)| matches(network.role))
    }

    /// The references.
    pub fn references(&self) -> impl Iterator<Item = &AuditedNetwork> {
        self.with_role(|role| role == AuditRole::Reference)
            .map(|pair| pair.1)
    }

    /// The references' results, each compared with the others; empty before all networks have been shown
    /// noise.
    pub fn null(&self) -> Vec<AuditScores> {
        self.references()
            .filter_map(|network| network.examined.clone())
            .collect()
    }

    /// Compares all networks once all have been shown noise; does nothing before that.
    pub fn examine(&mut self, plan: &config::Audit) {
        if self.networks.is_empty() || !self.networks.iter().all(AuditedNetwork::is_concluded) {
            return;
        }
        let images: Vec<ClassImages> = self.networks.iter().map(AuditedNetwork::by_class).collect();
        let references: Vec<&ClassImages> = self
            .with_role(|role| role == AuditRole::Reference)
            .map(|(index, _)| &images[index])
            .collect();
        let shape = match self.suspect().map(|network| network.images.shape()) {
            Some(&[_, channels, height, width]) => [channels, height, width],
            _ => return,
        };
        let sides = window_sides(plan.cell);
        let population = ReferencePopulation::of(&references);
        let mut null = leave_one_out(&references, shape, &sides).into_iter();
        let examined: Vec<AuditScores> = self
            .networks
            .iter()
            .zip(&images)
            .map(|(network, images)| match network.role {
                AuditRole::Reference => null.next().unwrap_or_default(),
                _ => population.examine(images, shape, &sides),
            })
            .collect();
        for (network, examined) in self.networks.iter_mut().zip(examined) {
            network.examined = Some(examined);
        }
        let suspects = self.with_role(|role| role == AuditRole::Suspect);
        let suspect = suspects
            .map(|(index, network)| (&images[index], network))
            .next();
        if let Some((images, suspect)) = suspect {
            let pixels: usize = shape.iter().product();
            let map = |(class, image): (usize, &Option<Vec<f32>>)| {
                population.deviation(ClassId(class), image.as_ref()?)
            };
            let maps = images.iter().enumerate().map(map);
            let maps = maps.flat_map(|map| map.unwrap_or_else(|| vec![f32::NAN; pixels]));
            let deviation = Array::new(suspect.images.shape(), maps.collect());
            self.deviation = deviation;
        }
    }

    /// The suspect's classes with the highest scores, highest first, and their windows: the findings to
    /// paste.
    pub fn findings(&self) -> Vec<(ClassId, SquareWindow)> {
        let examined = self.suspect().and_then(|suspect| suspect.examined.as_ref());
        let classes = examined.map_or(&[][..], |it| &it.classes).iter();
        let mut scored: Vec<(ClassId, f64, SquareWindow)> = classes
            .enumerate()
            .filter_map(|(class, result)| {
                let result = result.as_ref()?;
                Some((ClassId(class), result.score, result.window))
            })
            .collect();
        // The sort is stable: ties go to the first class.
        scored.sort_by(|a, b| b.1.total_cmp(&a.1));
        scored.truncate(config::audit::MAX_PASTED);
        let found = scored.into_iter();
        found.map(|(class, _, window)| (class, window)).collect()
    }

    /// What the suspect's scores are compared with: the references if all of them have its architecture.
    pub fn baseline(&self, plan: &config::Audit, suspect: NetworkKind) -> Baseline {
        let alike = |network: &AuditedNetwork| network.is_like_suspect(plan, suspect);
        match self.references().all(alike) {
            true => Baseline::References,
            false => Baseline::OwnClasses,
        }
    }

    /// What its references are called: their kind, or how they relate to the suspect, a network of this kind.
    pub fn reference_label(&self, plan: &config::Audit, suspect: NetworkKind) -> &'static str {
        let all = self.references().map(|network| network.architecture);
        ReferenceArchitecture::label(all, plan.kind.resolve(suspect))
    }

    /// What the scores of the networks poisoned on purpose, which are of the planned kind, are compared with.
    fn baseline_of_poisoned(&self) -> Baseline {
        let planned =
            |network: &AuditedNetwork| network.architecture == ReferenceArchitecture::Planned;
        match self.references().all(planned) {
            true => Baseline::References,
            false => Baseline::OwnClasses,
        }
    }

    /// The verdict on the suspect, a network of this kind; `None` before all networks have been shown
    /// noise, and if nothing could be compared.
    pub fn verdict(&self, plan: &config::Audit, suspect: NetworkKind) -> Option<AuditVerdict> {
        let examined = self.suspect()?.examined.as_ref()?;
        let verdict = audit_verdict(examined, &self.null(), self.baseline(plan, suspect))?;
        Some(AuditVerdict {
            reliability: self.reliability(),
            pasting_works: self.pasting_works(),
            ..verdict
        })
    }

    /// Whether pasting the first finding works, and those of other classes do not do as much.
    fn pasting_works(&self) -> bool {
        let first = self.pasted.first();
        let interval = first.and_then(|finding| finding.others().interval());
        let others = OtherWindows::beside_first(&self.pasted);
        interval.is_some_and(|interval| interval.low >= LEAST_PASTED)
            && !others.is_some_and(|others| others.as_effective)
    }

    /// Reliability of the images: the suspect's or the median reference's, whichever is smaller; `None` if neither is
    /// known.
    fn reliability(&self) -> Option<f64> {
        let suspect = self.suspect().and_then(|network| network.reliability);
        let references = self.references().filter_map(|network| network.reliability);
        let known = [suspect, median(references.collect())];
        known.into_iter().flatten().reduce(f64::min)
    }

    /// The verdicts on the networks poisoned on purpose, which are of the planned kind: each with its verdict, and
    /// whether class and window are right.
    pub fn power(
        &self,
        plan: &config::Audit,
    ) -> Vec<(&AuditedNetwork, Option<AuditVerdict>, bool)> {
        let null = self.null();
        let baseline = self.baseline_of_poisoned();
        let poisoned = self.with_role(|role| matches!(role, AuditRole::Poisoned { .. }));
        poisoned
            .map(|(_, network)| {
                let examined = network.examined.as_ref();
                let found = examined.and_then(|examined| audit_verdict(examined, &null, baseline));
                let right = found
                    .as_ref()
                    .is_some_and(|found| is_right(network, found, plan.cell));
                (network, found, right)
            })
            .collect()
    }

    /// Channels, rows and columns of its maps; `None` before all networks have been shown noise.
    pub fn shape(&self) -> Option<Shape> {
        match *self.deviation.shape() {
            [_, channels, height, width] => Some([channels, height, width]),
            _ => None,
        }
    }

    /// The suspect's map of a class, \[c·h·w\]; `None` if it is missing.
    pub fn map(&self, ClassId(class): ClassId) -> Option<&[f32]> {
        let pixels: usize = self.shape()?.iter().product();
        let map = self
            .deviation
            .values()
            .get(class * pixels..(class + 1) * pixels)?;
        map.iter().all(|v| v.is_finite()).then_some(map)
    }

    /// Work done and work in total, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Audit) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, plan: &config::Audit, form: Option<&Form>) -> bool {
        let Some(form) = form.filter(|_| !self.networks.is_empty()) else {
            return self.networks.is_empty() && self.pasted.is_empty();
        };
        let k = form.class_count();
        let [c, h, w] = plan.grain().grid(form.shape());
        let role = |(index, network): (usize, &AuditedNetwork)| match network.role {
            AuditRole::Reference if network.from.is_some() => index >= plan.networks(),
            AuditRole::Reference => index < plan.references,
            AuditRole::Poisoned { .. } => (plan.references..plan.trained()).contains(&index),
            AuditRole::Suspect => index == plan.trained(),
        };
        let pasted_fits = |pasted: &PastedFinding| {
            let (row, column, side) = pasted.window;
            let inside = |first: usize, all: usize| first <= all && side <= all - first;
            pasted.class.0 < k
                && [&pasted.shown, &pasted.before, &pasted.called]
                    .iter()
                    .all(|counts| counts.len() == k)
                && inside(row, h)
                && inside(column, w)
        };
        self.networks.len() >= plan.networks()
            && (self.networks.len() == plan.networks() || !plan.sessions.is_empty())
            && self.progress.blocks.len() == plan.networks() + 1
            && self.networks.iter().enumerate().all(role)
            && self.networks.iter().all(|network| network.fits(plan, form))
            && (has_shape(&self.deviation, &[0]) || has_shape(&self.deviation, &[k, c, h, w]))
            && self.pasted.iter().all(pasted_fits)
    }
}

arrays!(Audit: networks, deviation);

#[cfg(test)]
mod tests;
