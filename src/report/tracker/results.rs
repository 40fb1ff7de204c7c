//! What a session contains that can be reported: finished γ and analyses, epochs, log lines.

use crate::figure::wording;
use crate::ids::ClassId;
use crate::report::event::{EpochEvent, StageResult};
use crate::session::Session;
use crate::session::config::Analysis as Plan;
use crate::session::config::Response;
use crate::session::record::{self, Analysis, GammaTrials};
use crate::session::run::{LogLine, Stage};

pub(super) fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// Every γ whose trials are all done, with its index in the plan.
pub(super) fn complete(session: &Session) -> impl Iterator<Item = ((usize, usize), &GammaTrials)> {
    let pairs = session.config.analyses.iter().zip(&session.record.analyses);
    pairs.enumerate().flat_map(|(i, pair)| {
        let (plan, gammas) = match pair {
            (Plan::ClassificationImages(plan), Analysis::ClassificationImages(images)) => {
                (Some(plan), images.gammas.as_slice())
            }
            _ => (None, [].as_slice()),
        };
        let done = move |trials: &GammaTrials| {
            let planned = plan.map_or(0, |plan| plan.trials_at(trials.gamma));
            trials.reached || trials.trials >= planned
        };
        let places = gammas.iter().enumerate();
        places.filter_map(move |(g, trials)| done(trials).then_some(((i, g), trials)))
    })
}

/// Indices of all finished analyses other than classification images.
pub(super) fn others_done(session: &Session) -> impl Iterator<Item = usize> {
    let pairs = session.config.analyses.iter().zip(&session.record.analyses);
    let done = pairs.enumerate().filter(|(_, (plan, record))| {
        !matches!(plan, Plan::ClassificationImages(_)) && record.is_finished(plan)
    });
    done.map(|(index, _)| index)
}

pub(super) fn outcome(session: &Session, trials: &GammaTrials) -> StageResult {
    let classes = &trials.estimate().classes;
    let name = |class| wording::class_name(&session.record, class);
    let reliability = |response| -> Vec<Option<f64>> {
        let maps = classes.iter().map(|class| class.image(response));
        maps.map(|map| map?.reliability).collect()
    };
    StageResult::ClassificationImages {
        gamma: trials.gamma,
        trials: trials.trials,
        predicted: classes.iter().map(|class| class.called).collect(),
        sufficient: classes
            .iter()
            .map(|class| class.decision.is_some())
            .collect(),
        reliability: reliability(Response::Decision),
        evidence_reliability: trials
            .evidence
            .as_ref()
            .map(|_| reliability(Response::Evidence)),
        listed: classes.iter().filter(|class| class.listed).count(),
        names: ClassId::all(classes.len()).map(name).collect(),
    }
}

pub(super) fn epoch_event(epoch: &record::Epoch, stage: Option<&Stage>) -> EpochEvent {
    EpochEvent {
        epoch: epoch.epoch,
        train_loss: epoch.train_loss,
        train_accuracy: epoch.train_accuracy,
        valid_loss: epoch.valid_loss,
        valid_accuracy: epoch.valid_accuracy,
        lr: epoch.lr,
        of: stage.map(|stage| stage.total as usize),
        per_second: stage.and_then(|stage| finite(stage.per_second)),
    }
}

/// How many lines at the start of `new` are already in `old`: a log drops its oldest lines as it grows.
pub(super) fn known(old: &[LogLine], new: &[LogLine]) -> usize {
    (0..=old.len())
        .map(|dropped| &old[dropped..])
        .find(|kept| new.starts_with(kept))
        .map_or(0, <[LogLine]>::len)
}
