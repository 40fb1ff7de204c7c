//! Checks that two sessions are comparable: same images, same noise, same way of counting trials.

use super::ComparisonError;
use crate::ids::ClassId;
use crate::session::config::{self, Response};
use crate::session::record::{ClassificationImages, ExperimentRecord as _};
use crate::session::{Form, Session};

/// Classification images of a session: their index in the config, their config and their record.
pub(super) type SessionImages<'a> = (
    usize,
    &'a config::ClassificationImages,
    &'a ClassificationImages,
);

/// The names of the sessions.
pub(super) fn names(sessions: [&Session; 2]) -> [String; 2] {
    sessions.map(|session| session.name.clone())
}

/// The classification images of a session that have trials.
pub(super) fn with_trials(session: &Session) -> Result<Vec<SessionImages<'_>>, ComparisonError> {
    let plans = session.config.analyses.iter().enumerate();
    let planned: Vec<SessionImages<'_>> = plans
        .zip(&session.record.analyses)
        .filter_map(|((index, plan), record)| match plan {
            config::Analysis::ClassificationImages(plan) => {
                Some((index, plan, ClassificationImages::from_analysis(record)?))
            }
            _ => None,
        })
        .collect();
    let name = || session.name.clone();
    if planned.is_empty() {
        return Err(ComparisonError::NoPlan { name: name() });
    }
    let has_trials = |(.., record): &SessionImages<'_>| record.trials() > 0;
    let begun: Vec<SessionImages<'_>> = planned.into_iter().filter(has_trials).collect();
    match begun.is_empty() {
        true => Err(ComparisonError::NoMaps { name: name() }),
        false => Ok(begun),
    }
}

/// Checks that both have images of the same size and the same classes.
pub(super) fn check_form(sessions: [&Session; 2]) -> Result<(), ComparisonError> {
    let [Some(a), Some(b)] = sessions.map(|session| session.record.form.as_ref()) else {
        // Sessions of earlier versions have no form; the shapes of their sums are checked later.
        return Ok(());
    };
    let names = names(sessions);
    if a.shape() != b.shape() {
        let sizes = [a, b].map(Form::size_in_words);
        return Err(ComparisonError::Size { names, sizes });
    }
    if a.class_count() != b.class_count() {
        let classes = [a, b].map(Form::class_count);
        return Err(ComparisonError::Classes { names, classes });
    }
    if a.is_numbered() || b.is_numbered() {
        return Ok(());
    }
    let mut pairs = a.classes.iter().zip(&b.classes);
    // The case of a name does not matter, unless another class has it in this case.
    let is_other = |(name, called): (&String, &String)| {
        name != called && (name.to_lowercase() != called.to_lowercase() || b.classes.contains(name))
    };
    let other_name = pairs.position(is_other);
    match other_name.map(ClassId) {
        None => Ok(()),
        Some(class) => Err(ComparisonError::Names {
            names,
            class,
            called: [a.name(class), b.name(class)],
        }),
    }
}

/// Whether two configs show the same noise.
pub(super) fn same_noise(
    a: &config::ClassificationImages,
    b: &config::ClassificationImages,
) -> bool {
    a.noise == b.noise && a.grain() == b.grain()
}

/// `uniform noise`, `gaussian noise of σ 0.25 in cells of 2×2`.
pub(super) fn describe_noise(plan: &config::ClassificationImages) -> String {
    let mut words = format!("{} noise", plan.noise.label());
    if let config::Noise::Gaussian(gaussian) = plan.noise {
        words += &format!(" of σ {}", gaussian.sigma);
    }
    if plan.cell > 1 {
        words += &format!(" in cells of {0}×{0}", plan.cell);
    }
    if plan.grey {
        words += ", grey";
    }
    words
}

/// The responses for which both have maps of the same quantity.
pub(super) fn responses(
    sessions: [&Session; 2],
    [first, second]: [SessionImages<'_>; 2],
) -> Result<Vec<Response>, ComparisonError> {
    let evidence = first.2.has_evidence() && second.2.has_evidence();
    let evidence = evidence && first.1.evidence == second.1.evidence;
    let decision = first.1.weighting == second.1.weighting;
    let shared: Vec<Response> = [
        (Response::Evidence, evidence),
        (Response::Decision, decision),
    ]
    .into_iter()
    .filter(|(_, shared)| *shared)
    .map(|(response, _)| response)
    .collect();
    if shared.is_empty() {
        let words = |plan: &config::ClassificationImages| {
            let usual = || "every trial equally".to_owned();
            plan.weighting.label().unwrap_or_else(usual)
        };
        return Err(ComparisonError::Response {
            problem: format!(
                "the decisions of {} count {}, but those of {} {}; and {}",
                sessions[0].name,
                words(first.1),
                sessions[1].name,
                words(second.1),
                evidence_mismatch(sessions, [first.1, second.1])
            ),
        });
    }
    Ok(shared)
}

/// Why the two do not have evidence images of the same quantity.
pub(super) fn evidence_mismatch(
    sessions: [&Session; 2],
    plans: [&config::ClassificationImages; 2],
) -> String {
    let lacks = |index: usize| !plans[index].has(Response::Evidence);
    match (0..2).find(|&index| lacks(index)) {
        Some(index) => format!(
            "{} has no evidence images, only decisions (responses: [Decision])",
            sessions[index].name
        ),
        None => format!(
            "the evidence of {} is {}, that of {} {}",
            sessions[0].name,
            plans[0].evidence.unit(),
            sessions[1].name,
            plans[1].evidence.unit()
        ),
    }
}
