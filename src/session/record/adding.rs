//! Adding what one engine measured to what others have: sums of whole numbers, whose order does not matter.

use super::spike_triggered::Responses;
use super::{
    Analysis, Audit, Backdoor, ClassificationImages, Evidence, GammaTrials, ModulatedLayer,
    Modulation, Predictions, Progress, SpikeTriggered, SplitCounts,
};
use crate::session::array::{Array, Element};
use crate::session::config;

/// Numbers whose sum is exact or none.
trait Exact: Copy {
    fn plus(self, more: Self) -> Option<Self>;
}

impl Exact for i64 {
    fn plus(self, more: Self) -> Option<Self> {
        self.checked_add(more)
    }
}

impl Exact for u64 {
    fn plus(self, more: Self) -> Option<Self> {
        self.checked_add(more)
    }
}

/// Adds numbers to as many.
fn add<T: Exact>(own: &mut [T], more: &[T]) -> Result<(), String> {
    if own.len() != more.len() {
        return Err(format!(
            "it has {} numbers, where {} belong",
            more.len(),
            own.len()
        ));
    }
    let sums = own.iter().zip(more).map(|(&own, &more)| own.plus(more));
    let sums: Option<Vec<T>> = sums.collect();
    let sums = sums.ok_or("a sum of all shards is larger than 64 bits hold")?;
    own.copy_from_slice(&sums);
    Ok(())
}

/// The same with arrays, which must have one shape.
fn add_array<T: Element + Exact>(own: &mut Array<T>, more: &Array<T>) -> Result<(), String> {
    if own.shape() != more.shape() {
        return Err(format!(
            "it has sums of the shape {:?}, where {:?} belongs",
            more.shape(),
            own.shape()
        ));
    }
    match more.values().is_empty() {
        true => Ok(()),
        false => add(own.values_mut(), more.values()),
    }
}

fn same<T: PartialEq>(what: &str, own: &T, more: &T) -> Result<(), String> {
    match own == more {
        true => Ok(()),
        false => Err(format!("its {what} is another")),
    }
}

impl Progress {
    fn add(&mut self, more: &Self) -> Result<(), String> {
        if self.blocks.is_empty() {
            self.blocks.resize(more.blocks.len(), 0);
        }
        add(&mut self.blocks, &more.blocks)?;
        self.done += more.done;
        self.total = self.total.max(more.total);
        Ok(())
    }
}

impl Analysis {
    /// Adds what another engine measured of the same plan: of blocks that are not in here.
    ///
    /// # Errors
    /// Where it was not measured in the same way; what is here may then be incomplete.
    pub fn absorb(&mut self, more: &Self) -> Result<(), String> {
        match (self, more) {
            (Self::ClassificationImages(own), Self::ClassificationImages(more)) => own.absorb(more),
            (Self::SpikeTriggered(own), Self::SpikeTriggered(more)) => own.absorb(more),
            (Self::Modulation(own), Self::Modulation(more)) => own.absorb(more),
            (Self::Backdoor(own), Self::Backdoor(more)) => own.absorb(more),
            (Self::Audit(own), Self::Audit(more)) => own.absorb(more),
            (Self::Predictions(own), Self::Predictions(more)) => own.absorb(more),
            // Made of what is merged: no shard does them.
            (Self::Templates(_), Self::Templates(_)) | (Self::Attack(_), Self::Attack(_)) => Ok(()),
            _ => Err("it is another experiment".into()),
        }
    }

    /// Concludes what can be, now that everything that was to be added is here.
    pub fn conclude(&mut self, plan: &config::Analysis) {
        match (self, plan) {
            (Self::Backdoor(own), _) => own.examine(),
            (Self::Audit(own), config::Analysis::Audit(plan)) => own.conclude(plan),
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
        for (own, more) in pairs {
            let gamma = more.gamma;
            own.absorb(more)
                .map_err(|problem| format!("γ = {gamma}: {problem}"))?;
        }
        Ok(())
    }
}

impl GammaTrials {
    /// The same kind of trials, none of which have been shown.
    fn emptied(&self) -> Self {
        let mut own = self.clone();
        let zero = |array: &mut Array<i64>| *array = Array::zeros(array.shape());
        let all = [
            &mut own.noise,
            &mut own.rest,
            &mut own.image,
            &mut own.moments,
        ];
        all.into_iter()
            .filter(|array| !array.values().is_empty())
            .for_each(zero);
        for counts in [&mut own.counts, &mut own.weights, &mut own.squared_weights] {
            counts.fill(0);
        }
        own.fed_back.fill(None);
        own.evidence_fed_back.fill(None);
        (own.first, own.blocks, own.trials, own.dropped) = (0, 0, 0, 0);
        own.noted = Vec::new();
        own.course = Array::zeros(&[0, 2, own.listed.len()]);
        own.on_the_way = Vec::new();
        own.reached = false;
        if let Some(evidence) = &mut own.evidence {
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
        own.changed();
        own
    }

    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        same("signal strength", &self.gamma, &more.gamma)?;
        same("noise", &(self.kind, self.grain), &(more.kind, more.grain))?;
        same("list of classes", &self.listed, &more.listed)?;
        same("image", &self.images, &more.images)?;
        if let (None, Some(null)) = (&self.null, &more.null) {
            self.take_null(null.clone());
        }
        // Where its blocks come right after those that are here, what one engine would have noted can be noted.
        let follows = more.first == self.first + self.blocks;
        if follows && self.blocks == 0 {
            // It noted on the way what one engine would have.
            self.noted.clone_from(&more.noted);
            self.course.clone_from(&more.course);
        }
        if follows {
            for point in &more.on_the_way {
                let mut here = self.clone();
                here.add_all(point)?;
                self.take_note(here.trials, &here.estimate());
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
            (Some(own), Some(more)) => own.absorb(more)?,
            (None, None) => {}
            _ => return Err("only one of them heard the network's outputs".into()),
        }
        self.blocks += more.blocks;
        self.trials += more.trials;
        self.dropped += more.dropped;
        self.changed();
        Ok(())
    }
}

impl Evidence {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if self.step != more.step {
            return Err(format!(
                "its responses are in units of {}, where they are in units of {} elsewhere: the devices differ in their last digits; run it again on a device like those of the others",
                more.step, self.step
            ));
        }
        self.clipped += more.clipped;
        add(&mut self.shown, &more.shown)?;
        add_array(&mut self.sums, &more.sums)?;
        add_array(&mut self.squares, &more.squares)?;
        add_array(&mut self.products, &more.products)?;
        add_array(&mut self.noise, &more.noise)
    }
}

impl SpikeTriggered {
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if is_settled(self, more, |it| it.layers.is_empty()) {
            return Ok(());
        }
        for (own, more) in self.layers.iter_mut().zip(&more.layers) {
            same("layer", &own.name, &more.name)?;
            own.noise.absorb(&more.noise)?;
            own.images.absorb(&more.images)?;
            own.changed();
        }
        self.progress.add(&more.progress)
    }
}

impl Responses {
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
        if is_settled(self, more, |it| it.layers.is_empty()) {
            return Ok(());
        }
        for (own, more) in self.layers.iter_mut().zip(&more.layers) {
            same("layer", &own.name, &more.name)?;
            own.absorb(more)?;
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
        if is_settled(self, more, |it| it.splits.is_empty()) {
            return Ok(());
        }
        for (own, more) in self.splits.iter_mut().zip(&more.splits) {
            own.absorb(more)?;
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

/// Whether nothing is left to add, since one of the two had not begun; the first then is the other.
fn is_settled<T: Clone>(own: &mut T, more: &T, is_empty: impl Fn(&T) -> bool) -> bool {
    if !is_empty(more) && is_empty(own) {
        own.clone_from(more);
        return true;
    }
    is_empty(more)
}

/// The parts, which are chains, that the other has and this has not.
fn new_chains<'a>(own: &Progress, more: &'a Progress) -> impl Iterator<Item = usize> + use<'a> {
    let own = own.blocks.clone();
    let begun = more
        .blocks
        .iter()
        .enumerate()
        .filter(|(_, done)| **done > 0);
    begun
        .map(|(part, _)| part)
        .filter(move |&part| own.get(part).is_none_or(|&done| done == 0))
}

impl Backdoor {
    /// A network is one engine's, whole.
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if is_settled(self, more, |it| it.networks.is_empty()) {
            return Ok(());
        }
        for part in new_chains(&self.progress, &more.progress) {
            self.networks[part].clone_from(&more.networks[part]);
        }
        self.progress.add(&more.progress)
    }
}

impl Audit {
    /// A network that was trained for it is one engine's, whole; the trials of the suspect add up.
    fn absorb(&mut self, more: &Self) -> Result<(), String> {
        if is_settled(self, more, |it| it.networks.is_empty()) {
            return Ok(());
        }
        let suspect = self
            .networks
            .iter()
            .position(|own| own.role == super::Role::Suspect);
        for part in new_chains(&self.progress, &more.progress) {
            if Some(part) != suspect {
                self.networks[part].clone_from(&more.networks[part]);
            }
        }
        if let Some(at) = suspect {
            let (own, more) = (&mut self.networks[at], &more.networks[at]);
            if more.is_concluded() {
                own.clone_from(more);
            }
            for (own, more) in own.trials.iter_mut().zip(&more.trials) {
                own.absorb(more)?;
            }
        }
        self.progress.add(&more.progress)
    }

    /// Concludes what the suspect's trials say, now that all are here.
    fn conclude(&mut self, plan: &config::Audit) {
        let suspect = self
            .networks
            .iter_mut()
            .find(|own| own.role == super::Role::Suspect);
        if let Some(suspect) = suspect.filter(|own| !own.is_concluded() && !own.trials.is_empty()) {
            suspect.conclude(plan);
        }
        self.examine(plan);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_has_no_number_is_refused_and_leaves_what_was_there() {
        let mut own = [1_i64, i64::MAX];
        assert!(add(&mut own, &[1, 1]).unwrap_err().contains("64 bits"));
        assert_eq!(own, [1, i64::MAX]);
        assert!(add(&mut own, &[1]).is_err());
        add(&mut own, &[1, -1]).unwrap();
        assert_eq!(own, [2, i64::MAX - 1]);
    }
}
