//! Migration of sessions from earlier versions.
//!
//! Version 8 did not keep how reliable the images of an audit are: its audits keep their verdict. Version 7 had no audits with references of an ONNX network's own architecture: those in its audits are of the kind that
//! the plan names. Version 6 had no notes: its sessions get none. Version 3 did not record the inputs of a session; they
//! are recorded when it resumes. Version 2 recorded decisions only: classification images already begun
//! continue without evidence. Version 1: images of one channel and 28×28 pixels, ten classes, and sums
//! by the joint table of true and predicted class. The sums kept now follow from those by addition, so a
//! session resumes bit for bit.

use super::array::{Array, Element, Payload};
use super::config::{self, Config, Grain, Response};
use super::form::{Form, Shape};
use super::record::{
    Analysis, Attack, Backdoor, ClassificationImages, GammaTrials, ModulatedLayer, Modulation,
    Outcomes, Predictions, Record, SpikeTriggered, UnitResponses,
};
use crate::ids::ClassId;
use crate::stats::classification::margins;

/// The image shape of version 1.
const IMAGE: Shape = [1, 28, 28];
const CLASSES: usize = 10;

/// Maximum bytes of an array in a session of version 1, with room to spare.
const MOST_BYTES: usize = 1 << 28;

/// Whether this array, by its path in the record, did not exist in version 1.
pub fn is_absent_in_v1(path: &str) -> bool {
    path.ends_with(".rest") || is_absent_in_v2(path)
}

/// Whether this array, by its path in the record, did not exist in version 2.
pub fn is_absent_in_v2(path: &str) -> bool {
    path.ends_with(".course") || path.ends_with(".evidence")
}

/// Whether the size of an array of version 1 is plausible.
pub fn is_plausible_size(array: &dyn Payload) -> bool {
    array.byte_count().is_ok_and(|bytes| bytes <= MOST_BYTES)
}

/// Makes classification images begun before evidence existed continue with decisions alone.
pub fn keep_decisions_only(record: &Record, config: &mut Config) {
    for (recorded, plan) in record.analyses.iter().zip(&mut config.analyses) {
        if let (
            Analysis::ClassificationImages(recorded),
            config::Analysis::ClassificationImages(plan),
        ) = (recorded, plan)
            && !recorded.gammas.is_empty()
        {
            plan.responses = vec![Response::Decision];
        }
    }
}

/// Converts a record of version 1 to the current layout.
///
/// # Errors
/// A description of what does not match version 1.
pub fn migrate_v1(record: &mut Record, config: &Config) -> Result<(), String> {
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
    for (place, (recorded, plan)) in record.analyses.iter_mut().zip(&config.analyses).enumerate() {
        if recorded.progress(plan).0 == 0 && !matches!(recorded, Analysis::Backdoor(_)) {
            // It is empty; what it needs is created when it begins.
            *recorded = Analysis::new(plan);
            continue;
        }
        let migrated = match recorded {
            Analysis::ClassificationImages(record) => images(record),
            Analysis::Templates(_) => Ok(()),
            Analysis::Attack(record) => attack(record),
            Analysis::SpikeTriggered(record) => spike_triggered(record),
            Analysis::Modulation(record) => modulation(record),
            Analysis::Backdoor(record) => backdoor(record),
            // Versions without channels had no audits.
            Analysis::Audit(_) => Ok(()),
            Analysis::Predictions(record) => predictions(record),
        };
        migrated.map_err(|problem| format!("the record of analyses[{place}]: {problem}"))?;
    }
    Ok(())
}

/// Inserts the channel axis, of length 1, before the rows and columns of an array of images.
fn with_channel<T: Element>(array: &mut Array<T>) -> Result<(), String> {
    let mut shape = array.shape().to_vec();
    let Some(rows) = shape.len().checked_sub(2) else {
        // An absent array.
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
        "an array has the shape {:?}; expected {shape:?}",
        array.shape()
    ))
}

fn images(record: &mut ClassificationImages) -> Result<(), String> {
    record.gammas.iter_mut().try_for_each(trials)
}

fn trials(record: &mut GammaTrials) -> Result<(), String> {
    let [channels, height, width] = IMAGE;
    has_shape(&record.noise, &[2, CLASSES, CLASSES, height, width])?;
    let sums = margins(record.noise.values(), CLASSES, height * width);
    record.noise = Array::new(&[2, 3, CLASSES, channels, height, width], sums);
    record.listed = ClassId::all(CLASSES).collect();
    record.images = IMAGE;
    record.grain = Grain::default();
    with_channel(&mut record.image)?;
    with_channel(&mut record.moments)
}

fn predictions(record: &mut Predictions) -> Result<(), String> {
    record
        .splits
        .iter_mut()
        .try_for_each(|split| with_channel(&mut split.images))
}

fn attack(record: &mut Attack) -> Result<(), String> {
    let weights = record.weights.len();
    let k = CLASSES;
    has_shape(&record.counts, &[2, 3, k, weights, k, k])?;
    with_channel(&mut record.patterns)?;
    for example in &mut record.examples {
        with_channel(&mut example.image)?;
    }
    let mut counts = Vec::with_capacity(2 * 3 * k * weights * 4);
    for (row, table) in record.counts.values().chunks_exact(k * k).enumerate() {
        let (source, target) = (row / (weights * k * 3), ClassId(row / weights % k));
        let mut outcomes = Outcomes::default();
        for (cell, &n) in table.iter().enumerate() {
            let (truth, called) = (ClassId(cell / k), ClassId(cell % k));
            // Noise was filed under class 0, since it has no true class.
            let truth = (source == 0).then_some(truth);
            outcomes.count(truth, called, target, n);
        }
        counts.extend(outcomes.numbers());
    }
    record.counts = Array::new(&[2, 3, k, weights, 4], counts);
    Ok(())
}

fn modulation(record: &mut Modulation) -> Result<(), String> {
    let (strengths, gammas) = (record.strengths.len(), record.gammas.len());
    record
        .layers
        .iter_mut()
        .try_for_each(|layer| modulated(layer, strengths, gammas))
}

fn modulated(layer: &mut ModulatedLayer, strengths: usize, gammas: usize) -> Result<(), String> {
    let k = CLASSES;
    has_shape(&layer.counts, &[k, strengths, gammas, k, k])?;
    let mut counts = Vec::with_capacity(k * strengths * gammas * 3 * k);
    for table in layer.counts.values().chunks_exact(k * k) {
        let rows = table.chunks_exact(k);
        counts.extend(rows.map(|row| sum(row.iter().copied())));
        counts.extend((0..k).map(|class| table[class * k + class]));
        let column = |class| sum(table.iter().copied().skip(class).step_by(k));
        counts.extend((0..k).map(column));
    }
    layer.counts = Array::new(&[k, strengths, gammas, 3, k], counts);
    Ok(())
}

/// The sum of counts. One that does not fit is refused when the record is checked.
fn sum(counts: impl Iterator<Item = i64>) -> i64 {
    counts.fold(0, i64::saturating_add)
}

fn backdoor(record: &mut Backdoor) -> Result<(), String> {
    for suspect in &mut record.networks {
        suspect.trials.iter_mut().try_for_each(trials)?;
        for finding in &mut suspect.findings {
            with_channel(&mut finding.z)?;
        }
    }
    Ok(())
}

fn spike_triggered(record: &mut SpikeTriggered) -> Result<(), String> {
    for layer in &mut record.layers {
        with_channel(&mut layer.kernel)?;
        responses(&mut layer.noise)?;
        responses(&mut layer.images)?;
        with_channel(&mut layer.gradients.sum)?;
    }
    match &mut record.covariance {
        Some(covariance) => with_channel(&mut covariance.axes),
        None => Ok(()),
    }
}

fn responses(record: &mut UnitResponses) -> Result<(), String> {
    with_channel(&mut record.stimulus)?;
    with_channel(&mut record.weighted)
}

#[cfg(test)]
mod tests;
