//! How many classes the images of a session may belong to, and how large pictures are. Nothing
//! else here knows: views ask this file, and it asks the session's form, or what has been measured
//! where a session has no form.

use crate::session::record::{
    Attack, Backdoor, ClassificationImages, Finding, Modulation, PATTERNS, Predictions,
};
use crate::session::{Form, Session};

/// Number of classes; 0 while nothing in the session says it.
pub fn classes(session: &Session) -> usize {
    let record = &session.record;
    let mut images = record.all::<ClassificationImages>();
    let of_images = images.find_map(|(_, own)| Some(own.gammas.first()?.classes()));
    let of_predictions = || {
        let split = record.first::<Predictions>()?.splits.first()?;
        Some(split.counts.len().isqrt())
    };
    let of_attack = || Some(record.first::<Attack>()?.there.len() / PATTERNS.len());
    let of_modulation = || Some(record.first::<Modulation>()?.layers.first()?.shown.len());
    let of_backdoor = || Some(finding(session)?.windows.len());
    let known = |count: &usize| *count > 0;
    let form = record.form.as_ref().map(Form::count);
    form.or(of_images)
        .filter(known)
        .or_else(|| of_predictions().filter(known))
        .or_else(|| of_attack().filter(known))
        .or_else(|| of_modulation().filter(known))
        .or_else(of_backdoor)
        .unwrap_or(0)
}

/// Any finding of the study of backdoors.
fn finding(session: &Session) -> Option<&Finding> {
    let study = session.record.first::<Backdoor>()?;
    let mut networks = study.networks.iter();
    networks.find_map(|network| network.findings.first())
}

/// Rows and columns of the pictures in an array of this shape, whose last axes they are; `None`
/// where it has none.
pub fn plane(shape: &[usize]) -> Option<(usize, usize)> {
    match shape {
        [.., height, width] if height * width > 0 => Some((*height, *width)),
        _ => None,
    }
}
