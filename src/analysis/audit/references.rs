//! References taken from existing sessions: those of another audit, or the network under study of a
//! session, with its evidence or classification images. And whether references of a kind can show anything.

use std::path::Path;

use super::Audit;
use super::file_network::{FileNetwork, graph_of};
use super::shown_noise::{AMONG_REFERENCES, Shown, ShownNoise, shared_noise};
use crate::analysis::{AnalysisError, Lab};
use crate::format::thousands;
use crate::session::array::Array;
use crate::session::config::{self, Analysis as Plan, DatasetName, NetworkKind, ReferenceKind};
use crate::session::form::Form;
use crate::session::record::{
    Analysis, AuditRole, AuditedNetwork, GammaTrials, ReferenceArchitecture,
};
use crate::session::store::{StoreError, read_at};
use crate::session::{Config, SavedState, Session};
use crate::stats::audit::{MIN_OWN_CLASSES, MIN_REFERENCES};
use crate::stats::sums::total;

/// Numbers of trials that differ by at most one in this many are comparable: scores grow with the root of the trials, or
/// less.
const CLOSE: u64 = 10;

/// What references must have in common with the audit that uses them.
#[derive(Debug, Clone, Copy)]
pub struct ReferenceRequirements<'a> {
    /// The configuration of the audit.
    pub plan: &'a config::Audit,
    /// The kind of its references.
    pub kind: NetworkKind,
    /// The network under study if it is from an ONNX file and the plan asks for references of its kind: networks from
    /// such files are references, too.
    pub file: Option<&'a FileNetwork>,
    /// The form of its images.
    pub form: &'a Form,
    /// Its data set.
    pub dataset: &'a DatasetName,
}

/// A reference from a session.
#[derive(Debug)]
struct Found {
    noise: ShownNoise,
    network: AuditedNetwork,
    /// The network of an ONNX file, if it is from one.
    file: Option<FileNetwork>,
}

/// The session in a file.
fn read(path: &Path) -> Result<Session, StoreError> {
    let name = path.file_stem().unwrap_or_default();
    read_at(path, &name.to_string_lossy())
}

/// Why a session cannot be read; for a relative path that leads nowhere also where it was followed from, since sessions
/// need not be kept there.
fn unread(path: &Path, error: &StoreError) -> String {
    let leads_nowhere = path.is_relative() && !path.exists();
    match std::env::current_dir() {
        Ok(folder) if leads_nowhere => format!(
            "{error}; it was looked for from {}, where the run was started: give whole paths",
            folder.display()
        ),
        _ => error.to_string(),
    }
}

/// The references in the session in a file.
///
/// # Errors
/// A message: what is wrong with the file, or in what its networks differ from the audit's.
fn load_references(path: &Path, wanted: ReferenceRequirements<'_>) -> Result<Vec<Found>, String> {
    let file = path.display();
    let session = read(path).map_err(|error| unread(path, &error))?;
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
    let asked = wanted.plan.trials;
    let shown = |network: &AuditedNetwork| total(network.called.iter().copied());
    let is_close = |network: &AuditedNetwork| shown(network).abs_diff(asked) <= asked / CLOSE;
    let mut found = of_audits(&session, wanted);
    if !found.iter().any(|found| is_close(&found.network)) {
        let of_images = of_images(path, &session, wanted);
        found.extend(of_images.map_err(|problem| format!("{file}: {problem}"))?);
    }
    let Some(shown) = found.first().map(|found| shown(&found.network)) else {
        let label = wanted.kind.label();
        let network = match wanted.file {
            Some(_) => format!("network of an ONNX file, or {label} network,"),
            None => format!("{label} network"),
        };
        return Err(format!(
            "{file}: it has neither an audit with {label} references nor a {network} with finished images from {} at γ {} and the same noise as this plan",
            wanted.plan.response.label(),
            wanted.plan.gamma,
        ));
    };
    found.retain(|found| is_close(&found.network));
    if found.is_empty() {
        return Err(format!(
            "{file}: its networks were shown {} trials each, but this plan shows {}, and scores of maps from other numbers of trials cannot be compared: set trials: {shown}, or list sessions with about {asked} trials",
            thousands(shown),
            thousands(asked),
        ));
    }
    Ok(found)
}

impl Audit {
    /// Whether no session with references is still to be run, which may happen while the network under study is trained.
    pub(super) fn references_are_run(&self) -> bool {
        let mut sessions = self.config.sessions.iter();
        sessions.all(|path| match read(path) {
            Ok(session) => session.record.state == SavedState::Finished,
            Err(_) => true,
        })
    }

    /// The references taken from other sessions.
    pub(super) fn session_references(
        &self,
        lab: &Lab,
    ) -> Result<Vec<AuditedNetwork>, AnalysisError> {
        let is_file = lab.kind == NetworkKind::Onnx && self.config.kind == ReferenceKind::Same;
        let file = is_file.then(|| FileNetwork::new(lab.network.graph(), None));
        let wanted = ReferenceRequirements {
            plan: &self.config,
            kind: self.config.kind.resolve(lab.kind),
            file: file.as_ref(),
            form: &lab.form,
            dataset: &lab.dataset.name,
        };
        let trained = (0..self.config.references).map(|stream| ShownNoise {
            seed: self.place.seed,
            analysis: self.place.index,
            stream,
            block: self.config.block,
            trained: true,
        });
        let suspect = ShownNoise {
            seed: self.place.seed,
            analysis: self.place.index,
            stream: self.suspect_part(),
            block: self.config.block,
            trained: false,
        };
        let trained = trained.map(|noise| (noise, Shown::Trained));
        let mut known: Vec<(ShownNoise, Shown<'_>)> =
            trained.chain([(suspect, Shown::Suspect)]).collect();
        let mut files: Vec<(FileNetwork, &Path)> = Vec::new();
        let mut all = Vec::new();
        for (at, path) in self.config.sessions.iter().enumerate() {
            let field = format!("sessions[{at}]");
            let refused = |problem: String| self.place.field_error(&field, problem);
            for found in load_references(path, wanted).map_err(refused)? {
                let noise = found.noise;
                let same = known.iter().find(|(other, _)| noise.is_shared_with(*other));
                if let Some((_, other)) = same {
                    return Err(refused(shared_noise(path, *other, noise.seed)));
                }
                known.push((noise, Shown::Listed(path)));
                if let Some(file) = found.file {
                    let same = files.iter().find(|(other, _)| file.is_same_as(other));
                    if let Some((_, other)) = same {
                        return Err(refused(format!(
                            "{}: its network is that of {}, and {AMONG_REFERENCES}; list one of the two",
                            path.display(),
                            other.display()
                        )));
                    }
                    files.push((file, path.as_path()));
                }
                all.push(found.network);
            }
        }
        let references = self.config.references + all.len();
        if references < MIN_REFERENCES {
            return Err(self.place.field_error(
                "sessions",
                format!(
                    "{references} references in total, but at least {MIN_REFERENCES} are needed: list more sessions, or train some (references: 5)"
                ),
            ));
        }
        Ok(all)
    }

    /// Rejects references of another kind than the network if there are too few classes for one of them to stand out
    /// from the others; `sessions` are those of other sessions.
    pub(super) fn check_classes(
        &self,
        lab: &Lab,
        sessions: &[AuditedNetwork],
    ) -> Result<(), AnalysisError> {
        let kind = self.config.kind.resolve(lab.kind);
        let is_alike = (self.config.references == 0 || kind == lab.kind)
            && sessions
                .iter()
                .all(|network| network.is_like_suspect(&self.config, lab.kind));
        if is_alike || lab.classes() >= MIN_OWN_CLASSES {
            return Ok(());
        }
        let trained = std::iter::repeat_n(ReferenceArchitecture::Planned, self.config.references);
        let all = trained.chain(sessions.iter().map(|network| network.architecture));
        let remedy = match lab.kind {
            NetworkKind::Onnx => {
                "list sessions of clean networks with the same graph (sessions, with references: 0), or use a network with more classes"
            }
            _ => "use references of the network's own kind (kind: Same)",
        };
        Err(self.place.field_error(
            "kind",
            format!(
                "the references ({}) are of another kind than the network ({}), so that a class must stand out from the network's other classes, and of {} classes none can: {remedy}",
                ReferenceArchitecture::label(all, kind),
                lab.kind.label(),
                lab.classes(),
            ),
        ))
    }
}

/// The references of the comparable audits of a session.
fn of_audits(session: &Session, wanted: ReferenceRequirements<'_>) -> Vec<Found> {
    let audits = session.config.analyses.iter().zip(&session.record.analyses);
    let mut all = Vec::new();
    for (analysis, (plan, record)) in audits.enumerate() {
        let (Plan::Audit(plan), Analysis::Audit(record)) = (plan, record) else {
            continue;
        };
        let alike = plan.response == wanted.plan.response
            && plan.gamma == wanted.plan.gamma
            && plan.noise == wanted.plan.noise
            && plan.cell == wanted.plan.cell
            && plan.kind.resolve(session.config.network.kind) == wanted.kind;
        let trained = record.references().filter(|network| network.from.is_none());
        let done = trained.enumerate();
        let done = done.filter(|(_, network)| alike && network.is_concluded());
        all.extend(done.map(|(stream, network)| {
            let noise = ShownNoise {
                seed: session.config.seed,
                analysis,
                stream,
                block: plan.block,
                trained: true,
            };
            let reference = AuditedNetwork {
                from: Some(session.name.clone()),
                examined: None,
                ..network.clone()
            };
            Found {
                noise,
                network: reference,
                file: None,
            }
        }));
    }
    all
}

/// The network under study of a session, with its images.
///
/// # Errors
/// Why the file of a network with such images is no reference.
fn of_images(
    path: &Path,
    session: &Session,
    wanted: ReferenceRequirements<'_>,
) -> Result<Option<Found>, String> {
    let kind = session.config.network.kind;
    let is_file = kind == NetworkKind::Onnx && wanted.file.is_some();
    if kind != wanted.kind && !is_file {
        return Ok(None);
    }
    let found = trials(&session.config, &session.record.analyses, wanted);
    let (Some((noise, trials)), Some(training)) = (found, &session.record.training) else {
        return Ok(None);
    };
    let mut reference = AuditedNetwork {
        from: Some(session.name.clone()),
        accuracy: training.test_accuracy,
        trials: vec![trials.clone()],
        ..AuditedNetwork::new(AuditRole::Reference, session.config.seed)
    };
    reference.conclude(wanted.plan);
    let images: &Array<f32> = &reference.images;
    if !images.values().iter().any(|v| v.is_finite()) {
        return Ok(None);
    }
    let mut file = None;
    if let Some(suspect) = wanted.file.filter(|_| is_file) {
        let graph = graph_of(path, session, wanted.form)?;
        let model = session.record.model.as_ref();
        let found = FileNetwork::new(&graph, model.map(|model| model.sha256.clone()));
        reference.architecture = suspect.architecture_of(&found).ok_or(
            "its network is the one under study, which is no reference for itself: leave this session out",
        )?;
        file = Some(found);
    }
    Ok(Some(Found {
        noise,
        network: reference,
        file,
    }))
}

/// Trials with the required noise, with maps of all classes and equal weights; of several, those whose number is closest.
fn trials<'a>(
    config: &Config,
    analyses: &'a [Analysis],
    wanted: ReferenceRequirements<'_>,
) -> Option<(ShownNoise, &'a GammaTrials)> {
    let images = config.analyses.iter().zip(analyses).enumerate();
    let images = images.filter_map(|(analysis, both)| match both {
        (Plan::ClassificationImages(plan), Analysis::ClassificationImages(record)) => {
            Some((analysis, plan, record))
        }
        _ => None,
    });
    let alike = images.filter(|(_, plan, _)| {
        plan.noise == wanted.plan.noise
            && plan.grain() == wanted.plan.grain()
            && plan.classes.is_empty()
            && plan.weighting == config::Weighting::Equal
            && plan.evidence == config::EvidenceMeasure::Logit
    });
    let gammas = alike.flat_map(|(analysis, plan, record)| {
        let (seed, block) = (config.seed, plan.block);
        let noise = move |stream| ShownNoise {
            seed,
            analysis,
            stream,
            block,
            trained: false,
        };
        let gammas = record.gammas.iter().enumerate();
        gammas.map(move |(stream, trials)| (noise(stream), trials))
    });
    let alike = gammas.filter(|(_, trials)| trials.gamma == wanted.plan.gamma && trials.trials > 0);
    alike.min_by_key(|(_, trials)| trials.trials.abs_diff(wanted.plan.trials))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_that_leads_nowhere_is_reported_with_the_folder_it_was_followed_from() {
        let problem = |path: &str| {
            let path = Path::new(path);
            unread(path, &read(path).unwrap_err())
        };
        let here = std::env::current_dir().unwrap();
        let relative = problem("sessions/nowhere.ron");
        assert!(relative.starts_with("sessions/nowhere.ron: "), "{relative}");
        assert!(relative.contains(&here.display().to_string()), "{relative}");
        let whole = problem("/nowhere/session.ron");
        assert!(!whole.contains("looked for from"), "{whole}");
    }
}
