//! What was measured as an NPZ, which `numpy.load` opens: counts as int64, names as text, all else as float64.
//!
//! NaN stands where a class had too few trials, or none, or where the plan asks for no maps of it, and
//! where a unit never fired. G signal strengths, K classes, images of H×W pixels. Maps of C channels
//! have an axis C in front of H and W; those of one channel have none. Maps are on the noise's grid,
//! so H, W and C are those of its cells where it is coarse or grey.
//!
//! A file tells of itself in `meta`, a text without axes that is JSON: `json.loads(str(file["meta"]))`. Its keys are
//! `format`, 1; `program`; `session`, its name; `axes`, for every array the names of its axes; `units`, what the
//! numbers of an array count, where that is anything; `plan` and `notes`, as the JSON export has them; and
//! `provenance`: `seed`, `devices`, `starts` (the programs that worked on it), `inputs` (fingerprints of images and
//! weights), `network`, `dataset`, `images`, `elapsed_s` and `dates`. The file of two sessions has `sessions` in the place
//! of `session`, `plan`, `provenance` and `notes`: a list of two objects that have these.
//!
//! Here: what a session's file holds. Beside it a file for each experiment, [`comparison`] for two sessions, and what
//! all of them are written with: the [`Container`], and [`meta`] for what is said of them.

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
pub(super) use container::{Container, whole};

use super::ExportError;
use crate::session::Session;
use crate::session::config::Analysis as Plan;
use crate::session::record::{
    Attack, Audit, Backdoor, ClassificationImages, Experiment, Modulation, Predictions,
    SpikeTriggered,
};

/// Writes, of what has been measured:
///
/// - `meta`, what the file says of itself, and `classes` \[K\], their names;
/// - `ci_gamma` \[G\], `ci_counts` \[G,K true,K predicted\], and `ci_mean_noise`, `ci_image`, `ci_z`, `ci_se`
///   and `ci_mean_stimulus` \[G,K,H,W\]: the image is z standard errors from nothing, and where z is 0 the error
///   is NaN; under noise that smooths and has coefficients also `ci_regression`, the images without its smoothing;
/// - what each of these images is worth, \[G,K\]: `ci_reliability`, the ends of its 95 % interval,
///   `ci_reliability_low` and `ci_reliability_high`, `ci_snr`, and `ci_significant`, its pixels past
///   `ci_threshold` \[G\]; `ci_called` \[G,K\], trials called each class; and what the network calls the mean
///   stimulus of each class when it is fed back to it, `ci_fed_back_class` \[G,K\], −1 where none was, and
///   `ci_fed_back_confidence`;
/// - of evidence `ev_image`, `ev_z`, `ev_se` and `ev_regression`, in units of the response per full range of a
///   pixel, and `ev_reliability` and so on, as of decisions; `ev_fed_back_class` is what the network calls the
///   evidence image; of the second classification images of a plan `ci2_gamma`, `ev2_image` and so on;
/// - `sta_LAYER` \[units,h,w\], spike-triggered averages on noise, and `image_sta_LAYER`, on images; how
///   reliable those on noise are, `sta_LAYER_reliability` \[units\]; of a layer that sees the image itself its
///   weights, `sta_LAYER_kernel` \[units,h,w\], and Pearson's r of average and weights, `sta_LAYER_kernel_r`
///   \[units\]; of the second spike-triggered averages of a plan `sta2_LAYER` and so on;
/// - of the unit whose spike-triggered covariance was taken, so that there is one along the axis of units: its
///   number `stc_LAYER_units` \[1\], the axes outside what chance explains `stc_LAYER_axes` \[1,axes,h,w\], their
///   `stc_LAYER_eigenvalues` \[1,axes\], the least and the largest eigenvalue that chance explains
///   `stc_LAYER_bounds` \[1,2\], and all eigenvalues, ascending, `stc_LAYER_spectrum` \[1,h·w\];
/// - of the attack, with Q patterns and V weights: `attack_weights` \[V\], `attack_pattern` \[Q\] and
///   `attack_source` \[2\], their names; by source, pattern, target and weight \[2,Q,K,V\] `attack_of`, stimuli of other
///   classes than the target, `attack_hits`, those among them that were called it, `attack_shown`, all, and
///   `attack_correct`, those called what they are; `attack_images` \[Q,K,H,W\], the patterns; `attack_gamma`, a number;
/// - of modulation, with L layers, S strengths and G γ: `modulation_layer` \[L\], their names, `modulation_alpha` \[L\],
///   `modulation_strengths` \[S\], `modulation_gammas` \[G\], and by layer, target, strength, γ and class
///   \[L,K,S,G,K\] `modulation_shown`, `modulation_correct`, `modulation_called`, and `modulation_accuracy`, correct over
///   shown;
/// - of the study of backdoors, with N networks: `backdoor_poisoned` \[N\], 1 or 0, `backdoor_clean_accuracy`,
///   `backdoor_attack_success` and `backdoor_attacked` \[N\], `backdoor_gamma` \[G\], `backdoor_trials` \[N,G\], and
///   by network, γ and class `backdoor_called`, `backdoor_score`, `backdoor_index` \[N,G,K\] and
///   `backdoor_window` \[N,G,K,3\], its row, column and side;
/// - of the audit, with N networks: `audit_role` \[N\], `audit_accuracy` and `audit_attack_success` \[N\],
///   `audit_score` and `audit_energy` \[N,K\], `audit_window` \[N,K,3\], row, column and side in pixels,
///   `audit_deviation` \[K,H,W\], how far the suspect's images are from the references', and, of F findings that
///   were pasted, `audit_pasted_class` \[F\], `audit_pasted_window` \[F,3\], and by true class
///   `audit_pasted_images`, `audit_pasted_called` and `audit_pasted_called_without` \[F,K\];
/// - `mean_image` \[K,H,W\] by predicted class and `confusion` \[K true,K predicted\], of the first
///   split.
///
/// The second attack of a plan is `attack2_weights` and so on, as the second of every kind.
///
/// # Errors
/// Where nothing has been measured yet, or `out` cannot be written.
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

/// Writes the arrays; `false` where there are none yet.
fn write<W: Write + Seek>(session: &Session, out: &mut Container<W>) -> io::Result<bool> {
    if let Some(form) = &session.record.form {
        out.texts("classes", "class", &form.classes)?;
    }
    let before = out.count();
    for (nth, plan, it) in each::<ClassificationImages>(session) {
        if it.trials() > 0 {
            let plan = match plan {
                Some(Plan::ClassificationImages(plan)) => Some(plan),
                _ => None,
            };
            classification_images::write(nth, plan, it, out)?;
        }
    }
    for (nth, _, it) in each::<SpikeTriggered>(session) {
        spike_triggered::write(nth, it, out)?;
    }
    for (nth, _, it) in each::<Attack>(session) {
        if it.gamma.is_some() {
            attack::write(nth, it, session.record.form.as_ref(), out)?;
        }
    }
    for (nth, _, it) in each::<Modulation>(session) {
        modulation::write(nth, it, out)?;
    }
    for (nth, plan, it) in each::<Backdoor>(session) {
        if let Some(Plan::Backdoor(plan)) = plan {
            backdoor::write(nth, plan, it, out)?;
        }
    }
    for (nth, plan, it) in each::<Audit>(session) {
        if let Some(Plan::Audit(plan)) = plan {
            audit::write(nth, plan, it, out)?;
        }
    }
    let first = session.record.first::<Predictions>();
    if let Some(it) = first.filter(|it| it.progress.done > 0) {
        predictions::write(it, out)?;
    }
    Ok(out.count() > before)
}

/// The experiments of one kind, each with its number among them and its plan.
fn each<T: Experiment>(session: &Session) -> impl Iterator<Item = (usize, Option<&Plan>, &T)> {
    let all = session.record.all::<T>().enumerate();
    all.map(move |(nth, (at, it))| (nth, session.config.analyses.get(at), it))
}

/// `ci`, `ci2`, …
fn numbered(name: &str, nth: usize) -> String {
    match nth {
        0 => name.to_owned(),
        _ => format!("{name}{}", nth + 1),
    }
}
