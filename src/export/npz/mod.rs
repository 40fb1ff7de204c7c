//! A session's measurements as an NPZ file, for `numpy.load`: counts as int64, names as text, everything else as
//! float64.
//!
//! NaN stands for a class with too few trials or none, a class whose maps are not in the plan, and a unit that never
//! fired. G signal strengths, K classes, images of H×W pixels. Maps with C channels have an axis C before H and W;
//! single-channel maps have none. Maps are on the noise grid, so H, W and C are those of its cells if it is coarse or
//! grey.
//!
//! The file describes itself in `meta`, a text without axes that holds JSON: `json.loads(str(file["meta"]))`. Its keys
//! are `format`, 1; `program`; `session`, its name; `axes`, the names of each array's axes; `units`, the unit of each
//! array that has one; `plan` and `notes`, as in the JSON export; and `provenance`: `seed`, `devices`, `starts` (the
//! programs that worked on it), `inputs` (fingerprints of images and weights), `network`, `dataset`, `images`,
//! `elapsed_s` and `dates`. The file of a comparison has `sessions` in place of `session`, `plan`, `provenance` and
//! `notes`: a list of two objects that contain these.
//!
//! This module writes a session's file. Each experiment has a submodule, [`mod@comparison`] writes the file of two
//! sessions, and all of them use the [`Container`] and [`meta`].

mod attack;
mod audit;
mod backdoor;
mod classification_images;
mod comparison;
mod container;
pub(super) mod meta;
mod modulation;
mod predictions;
mod spike_triggered;

use std::io::{self, Seek, Write};

pub use comparison::comparison;
pub(super) use container::{Container, to_i64};

use super::ExportError;
use crate::session::Session;
use crate::session::config::Analysis as Plan;
use crate::session::record::{
    Attack, Audit, Backdoor, ClassificationImages, ExperimentRecord, Modulation, Predictions,
    SpikeTriggered,
};

/// Writes what has been measured:
///
/// - `meta`, the file's description of itself, and `classes` \[K\], their names;
/// - `ci_gamma` \[G\], `ci_counts` \[G,K true,K predicted\], and `ci_mean_noise`, `ci_image`, `ci_z`, `ci_se`
///   and `ci_mean_stimulus` \[G,K,H,W\]: the image is z standard errors from zero, and the error is NaN where z is
///   0; for noise that smooths and has coefficients also `ci_regression`, the images without its smoothing;
/// - the statistics of these images, \[G,K\]: `ci_reliability`, the ends of its 95 % interval,
///   `ci_reliability_low` and `ci_reliability_high`, `ci_snr`, and `ci_significant`, the number of pixels past
///   `ci_threshold` \[G\]; `ci_called` \[G,K\], the trials called each class; and what the network calls the mean
///   stimulus of each class when it is fed back to it, `ci_fed_back_class` \[G,K\], −1 if none was, and
///   `ci_fed_back_confidence`;
/// - for evidence `ev_image`, `ev_z`, `ev_se` and `ev_regression`, in units of the response per full range of a
///   pixel, and `ev_reliability` and so on, as for decisions; `ev_fed_back_class` is what the network calls the
///   evidence image; `ev_covariance` \[G,K,K\], the covariance of the responses of two classes within true classes, from
///   which the error of the difference of their images follows; for the second classification images of a plan
///   `ci2_gamma`, `ev2_image` and so on;
/// - `sta_LAYER` \[units,h,w\], spike-triggered averages on noise, and `image_sta_LAYER`, on images; the
///   reliability of those on noise, `sta_LAYER_reliability` \[units\]; for a layer whose input is the image its
///   weights, `sta_LAYER_kernel` \[units,h,w\], and Pearson's r between average and weights, `sta_LAYER_kernel_r`
///   \[units\]; for the second spike-triggered averages of a plan `sta2_LAYER` and so on;
/// - for the unit whose spike-triggered covariance was taken, along a unit axis of length 1: its number
///   `stc_LAYER_units` \[1\], the axes beyond chance `stc_LAYER_axes` \[1,axes,h,w\], their
///   `stc_LAYER_eigenvalues` \[1,axes\], the smallest and largest eigenvalue that chance explains
///   `stc_LAYER_bounds` \[1,2\], and all eigenvalues, ascending, `stc_LAYER_spectrum` \[1,h·w\];
/// - for the attack, with Q patterns and V weights: `attack_weights` \[V\], `attack_pattern` \[Q\] and
///   `attack_source` \[2\], their names; by source, pattern, target and weight \[2,Q,K,V\] `attack_of`, the number of
///   stimuli of classes other than the target, `attack_hits`, those among them that were called the target,
///   `attack_shown`, all stimuli, and `attack_correct`, those called correctly; `attack_images` \[Q,K,H,W\], the
///   patterns; `attack_gamma` and `attack_evidence_gamma`, numbers;
/// - for modulation, with L layers, S strengths and G γ: `modulation_layer` \[L\], their names, `modulation_alpha`
///   \[L\], `modulation_strengths` \[S\], `modulation_gammas` \[G\], and by layer, target, strength, γ and class
///   \[L,K,S,G,K\] `modulation_shown`, `modulation_correct`, `modulation_called`, and `modulation_accuracy`, correct
///   over shown;
/// - for the backdoor study, with N networks: `backdoor_poisoned` \[N\], 1 or 0, `backdoor_clean_accuracy`,
///   `backdoor_attack_success` and `backdoor_attacked` \[N\], `backdoor_gamma` \[G\], `backdoor_trials` \[N,G\], and
///   by network, γ and class `backdoor_called`, `backdoor_score`, `backdoor_index` \[N,G,K\] and
///   `backdoor_window` \[N,G,K,3\], its row, column and side;
/// - for the audit, with N networks: `audit_role` \[N\], `audit_accuracy` and `audit_attack_success` \[N\],
///   `audit_score` and `audit_energy` \[N,K\], `audit_window` \[N,K,3\], row, column and side in pixels (in cells
///   that do not divide the image a window may reach beyond its lower or right edge),
///   `audit_deviation` \[K,H,W\], how far the suspect's images are from the references', and, for F pasted
///   findings, `audit_pasted_class` \[F\], `audit_pasted_window` \[F,3\], and by true class
///   `audit_pasted_images`, `audit_pasted_called` and `audit_pasted_called_without` \[F,K\];
/// - `mean_image` \[K,H,W\] by predicted class and `confusion` \[K true,K predicted\], of the first split, which the
///   unit of `confusion` names.
///
/// The second attack of a plan is `attack2_weights` and so on, and likewise for every kind of experiment.
///
/// # Errors
/// If nothing has been measured yet, or `out` cannot be written.
pub fn npz(session: &Session, out: impl Write + Seek) -> Result<(), ExportError> {
    let mut all = Container::new(out);
    match write(session, &mut all) {
        Ok(true) => {}
        Ok(false) => {
            return Err(ExportError::Nothing {
                name: session.name.clone(),
            });
        }
        Err(error) => return Err(ExportError::Encode(error)),
    }
    all.finish(meta::of_session(session))
        .map_err(ExportError::Encode)
}

/// Writes the arrays; returns `false` if nothing has been measured yet, no epoch of training either.
fn write<W: Write + Seek>(session: &Session, out: &mut Container<W>) -> io::Result<bool> {
    if let Some(form) = &session.record.form {
        out.texts("classes", "class", &form.classes)?;
    }
    let before = out.count();
    for (nth, plan, images) in each::<ClassificationImages>(session) {
        if images.trials() > 0 {
            let plan = match plan {
                Some(Plan::ClassificationImages(plan)) => Some(plan),
                _ => None,
            };
            classification_images::write(nth, plan, images, out)?;
        }
    }
    for (nth, _, spikes) in each::<SpikeTriggered>(session) {
        spike_triggered::write(nth, spikes, out)?;
    }
    for (nth, _, attack) in each::<Attack>(session) {
        if attack.gamma.is_some() {
            attack::write(nth, attack, session.record.form.as_ref(), out)?;
        }
    }
    for (nth, _, modulation) in each::<Modulation>(session) {
        modulation::write(nth, modulation, out)?;
    }
    for (nth, plan, study) in each::<Backdoor>(session) {
        if let Some(Plan::Backdoor(plan)) = plan {
            backdoor::write(nth, plan, study, out)?;
        }
    }
    for (nth, plan, audit) in each::<Audit>(session) {
        if let Some(Plan::Audit(plan)) = plan {
            audit::write(nth, plan, audit, out)?;
        }
    }
    for (nth, _, predictions) in each::<Predictions>(session) {
        if predictions.progress.done > 0 {
            predictions::write(nth, predictions, out)?;
        }
    }
    let training = session.record.training.as_ref();
    // The other formats have its course: a file without arrays of results still has the classes and `meta`.
    let is_trained = training.is_some_and(|training| !training.epochs.is_empty());
    Ok(is_trained || out.count() > before)
}

/// The experiments of one kind, each with its number among them and its plan.
fn each<T: ExperimentRecord>(
    session: &Session,
) -> impl Iterator<Item = (usize, Option<&Plan>, &T)> {
    let all = session.record.all::<T>().enumerate();
    all.map(move |(nth, (index, experiment))| (nth, session.config.analyses.get(index), experiment))
}

/// `ci`, `ci2`, …
fn numbered(name: &str, nth: usize) -> String {
    match nth {
        0 => name.to_owned(),
        _ => format!("{name}{}", nth + 1),
    }
}
