//! References taken from existing sessions: those of another audit, or the network under study of a
//! session, with its evidence or classification images.

use std::path::Path;

use crate::session::array::Array;
use crate::session::config::{self, Analysis as Plan, DatasetName, NetworkKind};
use crate::session::form::Form;
use crate::session::record::{Analysis, AuditRole, AuditedNetwork, GammaTrials};
use crate::session::store::read_at;
use crate::session::{Config, Session};

/// What references must have in common with the audit that uses them.
#[derive(Debug, Clone, Copy)]
pub struct ReferenceRequirements<'a> {
    /// The configuration of the audit.
    pub plan: &'a config::Audit,
    /// The architecture of its references.
    pub kind: NetworkKind,
    /// The form of its images.
    pub form: &'a Form,
    /// Its data set.
    pub dataset: &'a DatasetName,
}

/// The references in the session in a file.
///
/// # Errors
/// A message: what is wrong with the file, or in what its networks differ from the audit's.
pub fn load_references(
    path: &Path,
    wanted: ReferenceRequirements<'_>,
) -> Result<Vec<AuditedNetwork>, String> {
    let file = path.display();
    let name = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let session = read_at(path, &name).map_err(|error| error.to_string())?;
    let form = session.record.form.as_ref();
    let dataset = session.config.dataset.as_ref();
    let dataset = dataset.map(|dataset| &dataset.name);
    if form != Some(wanted.form) || dataset != Some(wanted.dataset) {
        return Err(format!(
            "{file}: its data set is {}, but this plan's is {}: references must have the same images",
            dataset.map_or("noise alone", DatasetName::label),
            wanted.dataset.label()
        ));
    }
    let mut found = of_audits(&session, wanted);
    if found.is_empty() {
        found.extend(of_images(&session, wanted));
    }
    if found.is_empty() {
        return Err(format!(
            "{file}: it has neither an audit with {label} references nor a {label} network with finished images from {} at γ {} and the same noise as this plan",
            wanted.plan.response.label(),
            wanted.plan.gamma,
            label = wanted.kind.label(),
        ));
    }
    Ok(found)
}

/// The references of the comparable audits of a session.
fn of_audits(session: &Session, wanted: ReferenceRequirements<'_>) -> Vec<AuditedNetwork> {
    let audits = session.config.analyses.iter().zip(&session.record.analyses);
    let mut all = Vec::new();
    for (plan, record) in audits {
        let (Plan::Audit(plan), Analysis::Audit(record)) = (plan, record) else {
            continue;
        };
        let alike = plan.response == wanted.plan.response
            && plan.gamma == wanted.plan.gamma
            && plan.noise == wanted.plan.noise
            && plan.cell == wanted.plan.cell
            && plan.kind.resolve(session.config.network.kind) == wanted.kind;
        let trained = record.references().filter(|network| network.from.is_none());
        let done = trained.filter(|network| alike && network.is_concluded());
        all.extend(done.map(|network| AuditedNetwork {
            from: Some(session.name.clone()),
            examined: None,
            ..network.clone()
        }));
    }
    all
}

/// The network under study of a session, with its images.
fn of_images(session: &Session, wanted: ReferenceRequirements<'_>) -> Option<AuditedNetwork> {
    if session.config.network.kind != wanted.kind {
        return None;
    }
    let trials = trials(&session.config, &session.record.analyses, wanted)?;
    let mut reference = AuditedNetwork {
        from: Some(session.name.clone()),
        accuracy: session.record.training.as_ref()?.test_accuracy,
        trials: vec![trials.clone()],
        ..AuditedNetwork::new(AuditRole::Reference, session.config.seed)
    };
    reference.conclude(wanted.plan);
    let images: &Array<f32> = &reference.images;
    images
        .values()
        .iter()
        .any(|v| v.is_finite())
        .then_some(reference)
}

/// Trials with the required noise, with maps of all classes and equal weights.
fn trials<'a>(
    config: &Config,
    analyses: &'a [Analysis],
    wanted: ReferenceRequirements<'_>,
) -> Option<&'a GammaTrials> {
    let images = config.analyses.iter().zip(analyses);
    let images = images.filter_map(|(plan, record)| match (plan, record) {
        (Plan::ClassificationImages(plan), Analysis::ClassificationImages(record)) => {
            Some((plan, record))
        }
        _ => None,
    });
    let alike = images.filter(|(plan, _)| {
        plan.noise == wanted.plan.noise
            && plan.grain() == wanted.plan.grain()
            && plan.classes.is_empty()
            && plan.weighting == config::Weighting::Equal
            && plan.evidence == config::EvidenceMeasure::Logit
    });
    let mut gammas = alike.flat_map(|(_, record)| &record.gammas);
    gammas.find(|trials| trials.gamma == wanted.plan.gamma && trials.trials > 0)
}
