//! Sessions of earlier versions.
//!
//! Version 6 knew no notes: its sessions have none.
//! Version 3 did not note what a session was made from; it is noted when the session goes on.
//! Version 2 knew decisions alone: classification images that had begun go on without evidence.
//! Version 1: images of one channel and 28×28 pixels, ten classes, and sums by the joint
//! table of true and predicted classes. What is kept of them now follows by addition, so a session
//! goes on to the same bits.

use super::array::{Array, Element, Payload};
use super::config::{self, Config, Grain, Response};
use super::form::{Form, Shape};
use super::record::{
    Analysis, Attack, Backdoor, ClassificationImages, GammaTrials, ModulatedLayer, Modulation,
    Outcomes, Predictions, Record, Responses, SpikeTriggered,
};
use crate::stats::classification::margins;

/// What every image was.
const IMAGE: Shape = [1, 28, 28];
const CLASSES: usize = 10;

/// Bytes of the largest array that a session of version 1 could have, with room to spare.
const MOST_BYTES: usize = 1 << 28;

/// Whether version 1 had no such array, by its path in the record.
pub fn is_new(path: &str) -> bool {
    path.ends_with(".rest") || is_newer(path)
}

/// Whether version 2 had no such array, by its path in the record.
pub fn is_newer(path: &str) -> bool {
    path.ends_with(".course") || path.ends_with(".evidence")
}

/// Whether an array of version 1 may be as large as it says.
pub fn may_be(array: &dyn Payload) -> bool {
    array.byte_count().is_ok_and(|bytes| bytes <= MOST_BYTES)
}

/// Lets classification images that had begun before there was evidence go on by decisions alone.
pub fn before_evidence(record: &Record, config: &mut Config) {
    for (own, plan) in record.analyses.iter().zip(&mut config.analyses) {
        if let (Analysis::ClassificationImages(own), config::Analysis::ClassificationImages(plan)) =
            (own, plan)
            && !own.gammas.is_empty()
        {
            plan.responses = vec![Response::Decision];
        }
    }
}

/// Gives a record of version 1 the layout of this version.
///
/// # Errors
/// What in it is not as version 1 wrote it.
pub fn first_version(record: &mut Record, config: &Config) -> Result<(), String> {
    let name = match &config.dataset {
        Some(dataset) => dataset.name.clone(),
        None => config::DatasetName::Mnist,
    };
    if record.training.is_some() || record.images.is_some() {
        record.form = Some(Form {
            classes: name.class_names(CLASSES),
            ..Form::numbered(IMAGE, CLASSES)
        });
    }
    for (place, (own, plan)) in record.analyses.iter_mut().zip(&config.analyses).enumerate() {
        if own.progress(plan).0 == 0 && !matches!(own, Analysis::Backdoor(_)) {
            // Nothing is in it; what it needs is made when it begins.
            *own = Analysis::new(plan);
            continue;
        }
        let migrated = match own {
            Analysis::ClassificationImages(it) => images(it),
            Analysis::Templates(_) => Ok(()),
            Analysis::Attack(it) => attack(it),
            Analysis::SpikeTriggered(it) => spike_triggered(it),
            Analysis::Modulation(it) => modulation(it),
            Analysis::Backdoor(it) => backdoor(it),
            // Versions that had no channels had no audits.
            Analysis::Audit(_) => Ok(()),
            Analysis::Predictions(it) => predictions(it),
        };
        migrated.map_err(|problem| format!("what it records of analyses[{place}]: {problem}"))?;
    }
    Ok(())
}

/// Gives an array whose images had rows and columns alone their one channel, in front of these.
fn with_channel<T: Element>(array: &mut Array<T>) -> Result<(), String> {
    let mut shape = array.shape().to_vec();
    let Some(rows) = shape.len().checked_sub(2) else {
        // An array that is not there.
        return Ok(());
    };
    shape.insert(rows, 1);
    array.reshape(&shape)
}

fn has_shape(array: &Array<i64>, shape: &[usize]) -> Result<(), String> {
    if array.shape() == shape {
        return Ok(());
    }
    Err(format!(
        "an array has the shape {:?}, where {shape:?} belongs",
        array.shape()
    ))
}

fn images(it: &mut ClassificationImages) -> Result<(), String> {
    it.gammas.iter_mut().try_for_each(trials)
}

fn trials(it: &mut GammaTrials) -> Result<(), String> {
    let [channels, height, width] = IMAGE;
    has_shape(&it.noise, &[2, CLASSES, CLASSES, height, width])?;
    let sums = margins(it.noise.values(), CLASSES, height * width);
    it.noise = Array::new(&[2, 3, CLASSES, channels, height, width], sums);
    it.listed = (0..CLASSES).collect();
    it.images = IMAGE;
    it.grain = Grain::default();
    with_channel(&mut it.image)?;
    with_channel(&mut it.moments)
}

fn predictions(it: &mut Predictions) -> Result<(), String> {
    it.splits
        .iter_mut()
        .try_for_each(|split| with_channel(&mut split.images))
}

fn attack(it: &mut Attack) -> Result<(), String> {
    let weights = it.weights.len();
    let k = CLASSES;
    has_shape(&it.counts, &[2, 3, k, weights, k, k])?;
    with_channel(&mut it.patterns)?;
    for example in &mut it.examples {
        with_channel(&mut example.image)?;
    }
    let mut counts = Vec::with_capacity(2 * 3 * k * weights * 4);
    for (row, table) in it.counts.values().chunks_exact(k * k).enumerate() {
        let (source, target) = (row / (weights * k * 3), row / weights % k);
        let mut outcomes = Outcomes::default();
        for (cell, &n) in table.iter().enumerate() {
            let (truth, called) = (cell / k, cell % k);
            // Noise had class 0 for want of a true one.
            let truth = (source == 0).then_some(truth);
            outcomes.count(truth, called, target, n);
        }
        counts.extend(outcomes.numbers());
    }
    it.counts = Array::new(&[2, 3, k, weights, 4], counts);
    Ok(())
}

fn modulation(it: &mut Modulation) -> Result<(), String> {
    let (strengths, gammas) = (it.strengths.len(), it.gammas.len());
    it.layers
        .iter_mut()
        .try_for_each(|layer| modulated(layer, strengths, gammas))
}

fn modulated(it: &mut ModulatedLayer, strengths: usize, gammas: usize) -> Result<(), String> {
    let k = CLASSES;
    has_shape(&it.counts, &[k, strengths, gammas, k, k])?;
    let mut counts = Vec::with_capacity(k * strengths * gammas * 3 * k);
    for table in it.counts.values().chunks_exact(k * k) {
        counts.extend(table.chunks_exact(k).map(|row| row.iter().sum::<i64>()));
        counts.extend((0..k).map(|class| table[class * k + class]));
        let column = |class| table.iter().skip(class).step_by(k).sum::<i64>();
        counts.extend((0..k).map(column));
    }
    it.counts = Array::new(&[k, strengths, gammas, 3, k], counts);
    Ok(())
}

fn backdoor(it: &mut Backdoor) -> Result<(), String> {
    for suspect in &mut it.networks {
        suspect.trials.iter_mut().try_for_each(trials)?;
        for finding in &mut suspect.findings {
            with_channel(&mut finding.z)?;
        }
    }
    Ok(())
}

fn spike_triggered(it: &mut SpikeTriggered) -> Result<(), String> {
    for layer in &mut it.layers {
        with_channel(&mut layer.kernel)?;
        responses(&mut layer.noise)?;
        responses(&mut layer.images)?;
        with_channel(&mut layer.gradients.sum)?;
    }
    match &mut it.covariance {
        Some(covariance) => with_channel(&mut covariance.axes),
        None => Ok(()),
    }
}

fn responses(it: &mut Responses) -> Result<(), String> {
    with_channel(&mut it.stimulus)?;
    with_channel(&mut it.weighted)
}
