//! Merging what different engines measured: sums of integers, whose order does not matter.

mod chained;

use super::spike_triggered::UnitResponses;
use super::{
    Analysis, BlockProgress, ClassificationImages, EvidenceRecord, GammaTrials, ModulatedLayer,
    Modulation, Predictions, SpikeTriggered, SplitCounts,
};
use crate::session::array::{Array, Element};
use crate::session::config;
use crate::stats::sums::Addend;

/// Adds a number, exactly or not at all.
fn add_number<T: Addend>(total: &mut T, more: T) -> Result<(), String> {
    let sum = total.checked_sum(more);
    *total = sum.ok_or("the sum over all shards does not fit in 64 bits")?;
    Ok(())
}

/// Adds numbers element by element, all of them exactly or none at all.
fn add<T: Addend>(total: &mut [T], more: &[T]) -> Result<(), String> {
    if total.len() != more.len() {
        return Err(format!(
            "it has {} numbers; expected {}",
            more.len(),
            total.len()
        ));
    }
    let mut sums = total.to_vec();
    let mut pairs = sums.iter_mut().zip(more);
    pairs.try_for_each(|(sum, &more)| add_number(sum, more))?;
    total.copy_from_slice(&sums);
    Ok(())
}

/// Adds arrays, which must have the same shape.
fn add_array<T: Element + Addend>(total: &mut Array<T>, more: &Array<T>) -> Result<(), String> {
    if total.shape() != more.shape() {
        return Err(format!(
            "it has sums of shape {:?}; expected {:?}",
            more.shape(),
            total.shape()
        ));
    }
    match more.values().is_empty() {
        true => Ok(()),
        false => add(total.values_mut(), more.values()),
    }
}

fn same<T: PartialEq>(name: &str, expected: &T, found: &T) -> Result<(), String> {
    match expected == found {
        true => Ok(()),
        false => Err(format!("its {name} differs")),
    }
}

impl BlockProgress {
    fn add(&mut self, more: &Self) -> Result<(), String> {
        let mut sum = self.clone();
        if sum.blocks.is_empty() {
            sum.blocks.resize(more.blocks.len(), 0);
        }
        add(&mut sum.blocks, &more.blocks)?;
        add_number(&mut sum.done, more.done)?;
        sum.total = sum.total.max(more.total);
        *self = sum;
        Ok(())
    }
}

impl Analysis {
    /// Adds what another engine measured for the same plan, in blocks that are not included yet.
    ///
    /// # Errors
    /// If it was measured differently, or a sum does not fit in 64 bits; this record then stays as it was.
    pub fn absorb(&mut self, more: &Self) -> Result<(), String> {
        let mut sum = self.clone();
        sum.add(more)?;
        *self = sum;
        Ok(())
    }

    /// The same, but after an error this record may be incomplete.
    fn add(&mut self, more: &Self) -> Result<(), String> {
        match (self, more) {
            (Self::ClassificationImages(record), Self::ClassificationImages(more)) => {
                record.absorb(more)
            }
            (Self::SpikeTriggered(record), Self::SpikeTriggered(more)) => record.absorb(more),
            (Self::Modulation(record), Self::Modulation(more)) => record.absorb(more),
            (Self::Backdoor(record), Self::Backdoor(more)) => record.absorb(more),
            (Self::Audit(record), Self::Audit(more)) => record.absorb(more),
            (Self::Predictions(record), Self::Predictions(more)) => record.absorb(more),
            // Computed after merging: no shard runs them.
            (Self::Templates(_), Self::Templates(_)) | (Self::Attack(_), Self::Attack(_)) => Ok(()),
            _ => Err("it is a different experiment".into()),
        }
    }

    /// Draws the conclusions that are possible once everything has been added.
    pub fn conclude(&mut self, plan: &config::Analysis) {
        match (self, plan) {
            (Self::Backdoor(record), _) => record.examine(),
            (Self::Audit(record), config::Analysis::Audit(plan)) => record.conclude(plan),
            _ => {}
        }
    }
}

impl ClassificationImages {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if more.gammas.is_empty() {
            return Ok(());
        }
        if self.gammas.is_empty() {
            self.gammas = more.gammas.iter().map(GammaTrials::emptied).collect();
        }
        if self.axes.is_none() && more.axes.is_some() {
            self.axes.clone_from(&more.axes);
            self.share_axes();
        }
        let pairs = self.gammas.iter_mut().zip(&more.gammas);
        for (trials, more) in pairs {
            let gamma = more.gamma;
            trials
                .absorb(more)
                .map_err(|problem| format!("γ = {gamma}: {problem}"))?;
        }
        Ok(())
    }
}

impl GammaTrials {
    /// A copy with the same settings and no trials.
    fn emptied(&self) -> Self {
        let mut emptied = self.clone();
        let zero = |array: &mut Array<i64>| *array = Array::zeros(array.shape());
        let all = [
            &mut emptied.noise,
            &mut emptied.rest,
            &mut emptied.image,
            &mut emptied.moments,
        ];
        all.into_iter()
            .filter(|array| !array.values().is_empty())
            .for_each(zero);
        for counts in [
            &mut emptied.counts,
            &mut emptied.weights,
            &mut emptied.squared_weights,
        ] {
            counts.fill(0);
        }
        emptied.fed_back.fill(None);
        emptied.evidence_fed_back.fill(None);
        (
            emptied.first,
            emptied.blocks,
            emptied.trials,
            emptied.dropped,
        ) = (0, 0, 0, 0);
        emptied.noted = Vec::new();
        emptied.course = Array::zeros(&[0, 2, emptied.listed.len()]);
        emptied.on_the_way = Vec::new();
        emptied.reached = false;
        if let Some(evidence) = &mut emptied.evidence {
            evidence.clipped = 0;
            evidence.shown.fill(0);
            let all = [
                &mut evidence.sums,
                &mut evidence.squares,
                &mut evidence.products,
                &mut evidence.noise,
            ];
            all.into_iter()
                .filter(|array| !array.values().is_empty())
                .for_each(zero);
        }
        emptied.invalidate_estimate();
        emptied
    }

    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        same("signal strength", &self.gamma, &more.gamma)?;
        same("noise", &(self.kind, self.grain), &(more.kind, more.grain))?;
        same("list of classes", &self.listed, &more.listed)?;
        same("image", &self.images, &more.images)?;
        if let (None, Some(null)) = (&self.null, &more.null) {
            self.set_null(null.clone());
        }
        // If these blocks directly follow those already here, the notes that a single engine would have
        // made can be made.
        let follows = self.first.checked_add(self.blocks) == Some(more.first);
        if follows && self.blocks == 0 {
            // Its own notes are those that a single engine would have made.
            self.noted.clone_from(&more.noted);
            self.course.clone_from(&more.course);
        }
        if follows {
            for point in &more.on_the_way {
                let mut sums = self.clone();
                sums.add_all(point)?;
                self.push_reliability(sums.trials, &sums.estimate());
            }
        }
        self.add_all(more)
    }

    fn add_all(&mut self, more: &Self) -> Result<(), String> {
        add(&mut self.counts, &more.counts)?;
        add(&mut self.weights, &more.weights)?;
        add(&mut self.squared_weights, &more.squared_weights)?;
        add_array(&mut self.noise, &more.noise)?;
        add_array(&mut self.rest, &more.rest)?;
        add_array(&mut self.image, &more.image)?;
        add_array(&mut self.moments, &more.moments)?;
        match (&mut self.evidence, &more.evidence) {
            (Some(evidence), Some(added)) => evidence.absorb(added)?,
            (None, None) => {}
            _ => return Err("only one of them recorded the network's outputs".into()),
        }
        add_number(&mut self.blocks, more.blocks)?;
        add_number(&mut self.trials, more.trials)?;
        add_number(&mut self.dropped, more.dropped)?;
        self.invalidate_estimate();
        Ok(())
    }
}

impl EvidenceRecord {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if self.step != more.step {
            return Err(format!(
                "its responses are in units of {}, but those of the others in units of {}: their devices round differently; run it again on a device like the others'",
                more.step, self.step
            ));
        }
        add_number(&mut self.clipped, more.clipped)?;
        add(&mut self.shown, &more.shown)?;
        add_array(&mut self.sums, &more.sums)?;
        add_array(&mut self.squares, &more.squares)?;
        add_array(&mut self.products, &more.products)?;
        add_array(&mut self.noise, &more.noise)
    }
}

impl SpikeTriggered {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if is_settled(self, more, |record| record.layers.is_empty()) {
            return Ok(());
        }
        for (layer, more) in self.layers.iter_mut().zip(&more.layers) {
            same("layer", &layer.name, &more.name)?;
            layer.noise.absorb(&more.noise)?;
            layer.images.absorb(&more.images)?;
            layer.invalidate_estimate();
        }
        self.progress.add(&more.progress)
    }
}

impl UnitResponses {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        add(&mut self.fields, &more.fields)?;
        add_array(&mut self.fired, &more.fired)?;
        add_array(&mut self.activation, &more.activation)?;
        add_array(&mut self.magnitude, &more.magnitude)?;
        add_array(&mut self.stimulus, &more.stimulus)?;
        add_array(&mut self.weighted, &more.weighted)
    }
}

impl Modulation {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if is_settled(self, more, |record| record.layers.is_empty()) {
            return Ok(());
        }
        for (layer, more) in self.layers.iter_mut().zip(&more.layers) {
            same("layer", &layer.name, &more.name)?;
            layer.absorb(more)?;
        }
        self.progress.add(&more.progress)
    }
}

impl ModulatedLayer {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        add(&mut self.shown, &more.shown)?;
        add_array(&mut self.activation, &more.activation)?;
        add_array(&mut self.counts, &more.counts)
    }
}

impl Predictions {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if is_settled(self, more, |record| record.splits.is_empty()) {
            return Ok(());
        }
        for (split, more) in self.splits.iter_mut().zip(&more.splits) {
            split.absorb(more)?;
        }
        self.progress.add(&more.progress)
    }
}

impl SplitCounts {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        same("split", &self.split, &more.split)?;
        add(&mut self.counts, &more.counts)?;
        add_array(&mut self.images, &more.images)
    }
}

/// Whether nothing is left to add, since one of the two had not begun; if only the other had, it is
/// copied.
fn is_settled<T: Clone>(record: &mut T, more: &T, is_empty: impl Fn(&T) -> bool) -> bool {
    if !is_empty(more) && is_empty(record) {
        record.clone_from(more);
        return true;
    }
    is_empty(more)
}

#[cfg(test)]
mod tests;
