//! References taken from existing sessions: those of another audit, or the network under study of a
//! session, with its evidence or classification images. And whether references of a kind can show anything.

use std::path::Path;

use super::Audit;
use crate::analysis::{AnalysisError, Lab};
use crate::format::thousands;
use crate::session::array::Array;
use crate::session::config::{self, Analysis as Plan, DatasetName, NetworkKind};
use crate::session::form::Form;
use crate::session::record::{self, Analysis, AuditRole, AuditedNetwork, GammaTrials};
use crate::session::store::{StoreError, read_at};
use crate::session::{Config, SavedState, Session};
use crate::stats::audit::{Baseline, MIN_OWN_CLASSES, MIN_REFERENCES};
use crate::stats::sums::total;

/// Numbers of trials that differ by at most one in this many are comparable: scores grow with the root of the trials, or
/// less.
const CLOSE: u64 = 10;

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

/// What determined the noise that a network was shown.
#[derive(Debug, Clone, Copy)]
struct ShownNoise {
    /// The session's seed.
    seed: u64,
    /// Index of the analysis in its plan.
    analysis: usize,
    /// The stream within the analysis.
    stream: usize,
    /// Trials per block.
    block: usize,
    /// Whether an audit trained the network, which the same numbers determined.
    trained: bool,
}

impl ShownNoise {
    /// Whether another network was shown the same noise, or is the same network.
    fn is_shared_with(self, other: Self) -> bool {
        let of = |noise: Self| (noise.seed, noise.analysis, noise.stream);
        let is_same_network = self.trained && other.trained;
        of(self) == of(other) && (self.block == other.block || is_same_network)
    }
}

/// Who was shown noise.
#[derive(Debug, Clone, Copy)]
enum Shown<'a> {
    /// The network under study.
    Suspect,
    /// A reference that the audit trains.
    Trained,
    /// A reference of the session in this file.
    Listed(&'a Path),
}

/// Why the references of a session cannot be used, some of which were shown the same noise as `other`.
fn shared_noise(path: &Path, other: Shown<'_>, seed: u64) -> String {
    const AMONG_REFERENCES: &str = "every other network stands out from them";
    const ANOTHER_SEED: &str = "give this session another seed";
    let (other, effect, remedy) = match other {
        Shown::Listed(other) => (
            format!("those of {}", other.display()),
            AMONG_REFERENCES,
            "list one of the two, or run one of them again with another seed",
        ),
        Shown::Trained => (
            "those trained here".to_owned(),
            AMONG_REFERENCES,
            ANOTHER_SEED,
        ),
        Shown::Suspect => (
            "the network under study".to_owned(),
            "it would stand out from them less than it does",
            ANOTHER_SEED,
        ),
    };
    format!(
        "{}: its references were shown the same noise as {other}, since both sessions have seed {seed}: their maps err alike, and {effect}; {remedy} (--set seed={})",
        path.display(),
        seed.wrapping_add(1)
    )
}

/// The session in a file.
fn read(path: &Path) -> Result<Session, StoreError> {
    let name = path.file_stem().unwrap_or_default();
    read_at(path, &name.to_string_lossy())
}

/// The references in the session in a file, and the noise that each was shown.
///
/// # Errors
/// A message: what is wrong with the file, or in what its networks differ from the audit's.
fn load_references(
    path: &Path,
    wanted: ReferenceRequirements<'_>,
) -> Result<Vec<(ShownNoise, AuditedNetwork)>, String> {
    let file = path.display();
    let session = read(path).map_err(|error| error.to_string())?;
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
    if !found.iter().any(|(_, network)| is_close(network)) {
        found.extend(of_images(&session, wanted));
    }
    let Some(shown) = found.first().map(|(_, network)| shown(network)) else {
        return Err(format!(
            "{file}: it has neither an audit with {label} references nor a {label} network with finished images from {} at γ {} and the same noise as this plan",
            wanted.plan.response.label(),
            wanted.plan.gamma,
            label = wanted.kind.label(),
        ));
    };
    found.retain(|(_, network)| is_close(network));
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
        let wanted = ReferenceRequirements {
            plan: &self.config,
            kind: self.config.kind.resolve(lab.kind),
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
        let mut all = Vec::new();
        for (at, path) in self.config.sessions.iter().enumerate() {
            let field = format!("sessions[{at}]");
            let refused = |problem: String| self.place.field_error(&field, problem);
            for (noise, reference) in load_references(path, wanted).map_err(refused)? {
                let same = known.iter().find(|(other, _)| noise.is_shared_with(*other));
                if let Some((_, other)) = same {
                    return Err(refused(shared_noise(path, *other, noise.seed)));
                }
                known.push((noise, Shown::Listed(path)));
                all.push(reference);
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
    /// from the others.
    pub(super) fn check_classes(&self, lab: &Lab) -> Result<(), AnalysisError> {
        let baseline = record::Audit::null_for(&self.config, lab.kind);
        if baseline == Baseline::References || lab.classes() >= MIN_OWN_CLASSES {
            return Ok(());
        }
        let remedy = match lab.kind {
            NetworkKind::Onnx => {
                "no reference is of the kind of an ONNX file, so that such an audit needs more classes"
            }
            _ => "use references of the network's own kind (kind: Same)",
        };
        Err(self.place.field_error(
            "kind",
            format!(
                "the references ({}) are of another kind than the network ({}), so that a class must stand out from the network's other classes, and of {} classes none can: {remedy}",
                self.config.kind.resolve(lab.kind).label(),
                lab.kind.label(),
                lab.classes(),
            ),
        ))
    }
}

/// The references of the comparable audits of a session.
fn of_audits(
    session: &Session,
    wanted: ReferenceRequirements<'_>,
) -> Vec<(ShownNoise, AuditedNetwork)> {
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
            (noise, reference)
        }));
    }
    all
}

/// The network under study of a session, with its images.
fn of_images(
    session: &Session,
    wanted: ReferenceRequirements<'_>,
) -> Option<(ShownNoise, AuditedNetwork)> {
    if session.config.network.kind != wanted.kind {
        return None;
    }
    let (noise, trials) = trials(&session.config, &session.record.analyses, wanted)?;
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
        .then_some((noise, reference))
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
