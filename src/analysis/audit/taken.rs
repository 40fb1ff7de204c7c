//! References taken from sessions that exist: those of another audit, or the network that a session
//! is about, by its evidence or classification images.

use std::path::Path;

use crate::session::array::Array;
use crate::session::config::{self, Analysis as Plan, NetworkKind};
use crate::session::form::Form;
use crate::session::record::{Analysis, Examinee, GammaTrials, Role};
use crate::session::store::read_at;
use crate::session::{Config, Session};

/// What references must have in common with the audit that takes them.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The audit.
    pub plan: &'a config::Audit,
    /// The architecture of its references.
    pub kind: NetworkKind,
    /// Its images.
    pub form: &'a Form,
    /// What these are called.
    pub dataset: &'a str,
}

/// The references that the session in a file has.
///
/// # Errors
/// In words: what is wrong with the file, or what its networks and the audit's do not share.
pub fn taken(path: &Path, wanted: Wanted<'_>) -> Result<Vec<Examinee>, String> {
    let file = path.display();
    let name = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let session = read_at(path, &name).map_err(|error| error.to_string())?;
    let form = session.record.form.as_ref();
    if form != Some(wanted.form) || session.config.dataset_label() != wanted.dataset {
        return Err(format!(
            "{file}: it is of {}, and this plan of {}: references have the same images",
            session.config.dataset_label(),
            wanted.dataset
        ));
    }
    let mut found = of_audits(&session, wanted);
    if found.is_empty() {
        found.extend(of_images(&session, wanted));
    }
    if found.is_empty() {
        return Err(format!(
            "{file}: it has neither an audit with {label} references nor a {label} network with finished images by {} at γ {}, with noise as in this plan",
            wanted.plan.response.label(),
            wanted.plan.gamma,
            label = wanted.kind.label(),
        ));
    }
    Ok(found)
}

/// The references of the audits of a session that are comparable.
fn of_audits(session: &Session, wanted: Wanted<'_>) -> Vec<Examinee> {
    let audits = session.config.analyses.iter().zip(&session.record.analyses);
    let mut all = Vec::new();
    for (plan, own) in audits {
        let (Plan::Audit(plan), Analysis::Audit(own)) = (plan, own) else {
            continue;
        };
        let alike = plan.response == wanted.plan.response
            && plan.gamma == wanted.plan.gamma
            && plan.noise == wanted.plan.noise
            && plan.cell == wanted.plan.cell
            && plan.kind.of(session.config.network.kind) == wanted.kind;
        let trained = own.references().filter(|own| own.from.is_none());
        let done = trained.filter(|own| alike && own.is_concluded());
        all.extend(done.map(|own| Examinee {
            from: Some(session.name.clone()),
            examined: None,
            ..own.clone()
        }));
    }
    all
}

/// The network of a session, by its images.
fn of_images(session: &Session, wanted: Wanted<'_>) -> Option<Examinee> {
    if session.config.network.kind != wanted.kind {
        return None;
    }
    let trials = trials(&session.config, &session.record.analyses, wanted)?;
    let mut own = Examinee {
        from: Some(session.name.clone()),
        accuracy: session.record.training.as_ref()?.test_accuracy,
        trials: vec![trials.clone()],
        ..Examinee::new(Role::Reference, session.config.seed)
    };
    own.conclude(wanted.plan);
    let images: &Array<f32> = &own.images;
    images.values().iter().any(|v| v.is_finite()).then_some(own)
}

/// Trials with noise as it is wanted, of all classes, each counting the same.
fn trials<'a>(
    config: &Config,
    analyses: &'a [Analysis],
    wanted: Wanted<'_>,
) -> Option<&'a GammaTrials> {
    let images = config.analyses.iter().zip(analyses);
    let images = images.filter_map(|(plan, own)| match (plan, own) {
        (Plan::ClassificationImages(plan), Analysis::ClassificationImages(own)) => {
            Some((plan, own))
        }
        _ => None,
    });
    let alike = images.filter(|(plan, _)| {
        plan.noise == wanted.plan.noise
            && plan.grain() == wanted.plan.grain()
            && plan.classes.is_empty()
            && plan.weighting == config::Weighting::Equal
            && plan.evidence == config::Evidence::Logit
    });
    let mut gammas = alike.flat_map(|(_, own)| &own.gammas);
    gammas.find(|own| own.gamma == wanted.plan.gamma && own.trials > 0)
}
