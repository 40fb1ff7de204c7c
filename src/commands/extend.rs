//! `noisescope extend`: adds trials beyond the plan to a running, stopped or finished session. The network is not trained
//! again, and no trial is repeated.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::extend_file::{announcement, extend_in_file};
use super::output::print_line;
use super::standing::load_with_standing;
use super::{CommandError, control, division_check, holder, run};
use crate::format::{AskedTrials, fixed, thousands};
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::{self, Analysis, Extension};
use crate::session::record::{self, GammaTrials};
use crate::session::store::Store;

/// Trials allowed for a target, relative to the estimate.
const TARGET_MARGIN: f64 = 1.25;

/// How far to extend the session.
#[derive(Debug, Args)]
pub struct ExtendArgs {
    /// Total trials at each γ, including those already done: 4000000, 4M, 400k; or, with a +, how many more than are
    /// planned: +20k
    #[arg(long, value_name = "N", value_parser = trials)]
    trials: Option<AskedTrials>,
    /// Continue until the maps reach this reliability, but not beyond --trials (default: 1.25 times the estimate)
    #[arg(long, value_name = "R")]
    target: Option<f64>,
    /// Only this signal strength (default: all in the plan)
    #[arg(long, value_name = "G")]
    gamma: Option<Gamma>,
    /// The class whose map must reach the target, by number or name (default: every class)
    #[arg(long, value_name = "CLASS", requires = "target")]
    class: Option<String>,
    /// Which of the plan's classification images, if it has several; from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    images: u64,
    /// Only extend the plan, and start no engine; a running one follows. Then run it, or submit its shards
    #[arg(long, conflicts_with_all = ["plain", "json", "detach", "requeue", "device", "workers", "exact", "launch", "tf32", "accept_inputs"])]
    no_run: bool,
}

fn trials(text: &str) -> Result<AskedTrials, String> {
    let known = AskedTrials::parse(text);
    known.ok_or_else(|| "a number of trials: 4000000, 4M or 400k in all, or +400k more".into())
}

/// Extends the session's plan and resumes it.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    name: &str,
    more: &ExtendArgs,
    how: &run::RunArgs,
) -> Result<ExitCode, CommandError> {
    if more.trials.is_none() && more.target.is_none() {
        return Err(CommandError::Usage(format!(
            "{name}: say how far: --trials N, --target R or both"
        )));
    }
    let head = store.load_head(name).or_else(|_| store.load(name))?;
    division_check::refuse_divided(&head)?;
    // An engine may have extended it, or measured more, since it wrote the file.
    let (session, _) = load_with_standing(store, name)?;
    let images = more.images as usize - 1;
    let extension = extension(&session, images, more)?;
    // Report errors before anything is sent to an engine.
    session
        .clone()
        .extend(images, extension.clone())
        .map_err(|error| CommandError::Usage(format!("{name}: {error}")))?;
    let by_engine = holder::change(store, name, |is_run| {
        if !is_run {
            if !more.no_run {
                how.check()?;
            }
            extend_in_file(store, name, images, extension.clone())?;
            return Ok(None);
        }
        if let Some(option) = how.engine_option() {
            return Err(CommandError::Usage(format!(
                "{option}: {name} is running already, and its engine continues as it was started; leave the option out, or first stop it: noisescope stop {name}"
            )));
        }
        let done = announcement(name, &session, images, &extension);
        control::extend(store, name, (images, extension.clone()), &done).map(Some)
    })?;
    match by_engine {
        Some(code) => Ok(code),
        None if more.no_run => {
            print_line(format_args!(
                "Run it: noisescope run {name}, or as Slurm jobs: noisescope submit {name} --slurm"
            ));
            Ok(ExitCode::SUCCESS)
        }
        None => run::resume(store, data, name, how),
    }
}

/// The requested extension; its trials are estimated if only a target is given.
fn extension(
    session: &Session,
    images: usize,
    more: &ExtendArgs,
) -> Result<Extension, CommandError> {
    let trials = match (more.trials, more.target) {
        (Some(AskedTrials::Total(trials)), _) => trials,
        (Some(AskedTrials::More(added)), _) => with_added(session, images, more.gamma, added)?,
        (None, Some(target)) => estimated_trials(session, images, more, target)?,
        // Refused before.
        (None, None) => 0,
    };
    Ok(Extension {
        gamma: more.gamma,
        trials,
        target: more.target,
        class: more.class.clone(),
    })
}

/// The total that has this many trials more than are planned at a γ, or at all.
fn with_added(
    session: &Session,
    images: usize,
    gamma: Option<Gamma>,
    added: u64,
) -> Result<u64, CommandError> {
    let (least, most) = planned(session, images, gamma);
    if least == most {
        return Ok(most.saturating_add(added));
    }
    // An extension has one total for all.
    Err(CommandError::Usage(format!(
        "{}: --trials +{added}: from {} to {} trials are planned, depending on γ; give one of them with --gamma, or the total \
         without +",
        session.name,
        thousands(least),
        thousands(most)
    )))
}

/// Estimated trials at which the least reliable map reaches a target, times [`TARGET_MARGIN`]; or those planned, if they
/// are more: then a γ that has ended at a lower target continues.
fn estimated_trials(
    session: &Session,
    images: usize,
    more: &ExtendArgs,
    target: f64,
) -> Result<u64, CommandError> {
    let name = &session.name;
    if !(target > 0.0 && target < 1.0) {
        return Err(CommandError::Usage(format!(
            "--target {target}: must be between 0 and 1, for example 0.95"
        )));
    }
    refuse_absent(session, images, more)?;
    let mut all = session.record.all::<record::ClassificationImages>();
    let (_, planned) = planned(session, images, more.gamma);
    let class = match (&more.class, &session.record.form) {
        (Some(class), Some(form)) => Some(form.find(class).map_err(CommandError::Usage)?),
        _ => None,
    };
    let gammas = all.nth(images).map(|(_, record)| record.gammas.as_slice());
    let gammas = gammas.unwrap_or_default().iter();
    let gammas = gammas.filter(|trials| more.gamma.is_none_or(|gamma| gamma == trials.gamma));
    let least = gammas
        .clone()
        .map(|trials| least_reliability(trials, class));
    let least = least.collect::<Option<Vec<f64>>>();
    if let Some(least) = least.and_then(|all| all.into_iter().reduce(f64::min))
        && least >= target
    {
        return Err(CommandError::Usage(format!(
            "{name}: the target R {target} is already reached; the least reliable map has R {}; give a higher target",
            fixed(least, 3)
        )));
    }
    let problem = match gammas.clone().any(|trials| trials.trials > 0) {
        true => "the maps so far are too noisy to estimate",
        false => "there are no maps yet from which to estimate",
    };
    let needed = gammas
        .map(|trials| needed(trials, class, target))
        .collect::<Option<Vec<u64>>>();
    match needed.and_then(|all| all.into_iter().max()) {
        Some(most) => Ok(((most as f64 * TARGET_MARGIN).ceil() as u64).max(planned)),
        None => Err(CommandError::Usage(format!(
            "{name}: {problem} the trials for R {target}; add --trials N, and the run stops as soon as the target is reached"
        ))),
    }
}

/// The fewest and the most trials planned at a γ, or at all.
fn planned(session: &Session, images: usize, gamma: Option<Gamma>) -> (u64, u64) {
    let mut plans = session.config.analyses.iter().filter_map(images_plan);
    let plan = plans.nth(images);
    let gammas = plan.map_or(&[][..], |plan| plan.gammas.as_slice()).iter();
    let gammas = gammas.filter(|other| gamma.is_none_or(|gamma| gamma == **other));
    let trials = gammas.filter_map(|&gamma| Some(plan?.trials_at(gamma)));
    let all: Vec<u64> = trials.collect();
    let least = all.iter().copied().min().unwrap_or(0);
    (least, all.iter().copied().max().unwrap_or(0))
}

/// The plan of classification images, if it is one.
fn images_plan(plan: &Analysis) -> Option<&config::ClassificationImages> {
    match plan {
        Analysis::ClassificationImages(plan) => Some(plan),
        _ => None,
    }
}

/// Refuses images or a γ that the plan does not have, from which nothing could be estimated.
fn refuse_absent(session: &Session, images: usize, more: &ExtendArgs) -> Result<(), CommandError> {
    let mut plans = session.config.analyses.iter().filter_map(images_plan);
    let is_known = plans.nth(images).is_some_and(|plan| {
        let mut gammas = plan.gammas.iter();
        more.gamma.is_none() || gammas.any(|gamma| more.gamma == Some(*gamma))
    });
    if is_known {
        return Ok(());
    }
    // Any number of trials is refused for the same reason.
    let any = Extension {
        gamma: more.gamma,
        trials: 0,
        target: None,
        class: None,
    };
    match session.clone().extend(images, any) {
        Ok(_) => Ok(()),
        Err(error) => Err(CommandError::Usage(format!("{}: {error}", session.name))),
    }
}

/// The reliability of the least reliable map at a γ; `None` if there is no map or one's is unknown.
fn least_reliability(trials: &GammaTrials, class: Option<ClassId>) -> Option<f64> {
    let estimate = trials.estimate();
    let classes = ClassId::all(estimate.classes.len()).zip(&estimate.classes);
    let maps = classes.filter(|(id, _)| class.is_none_or(|class| class == *id));
    let maps = maps.filter_map(|(_, estimate)| estimate.best_image());
    let known = maps.map(|map| map.reliability);
    let known = known.collect::<Option<Vec<f64>>>()?;
    known.into_iter().reduce(f64::min)
}

/// Trials that the maps at a γ need for a target; `None` if some map gives no estimate.
fn needed(trials: &GammaTrials, class: Option<ClassId>, target: f64) -> Option<u64> {
    let estimate = trials.estimate();
    let classes = ClassId::all(estimate.classes.len()).zip(&estimate.classes);
    let maps = classes.filter(|(id, _)| class.is_none_or(|class| class == *id));
    let maps = maps.filter_map(|(_, map)| Some((map.best_response()?, map.best_image()?)));
    let needed = maps.map(|(response, map)| {
        estimate.trials_needed(response, trials.trials, map.reliability?, target)
    });
    needed.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BlockIndex;
    use crate::session::Config;
    use crate::session::record::{BlockSums, TrialKind};
    use crate::stats::correlation::trials_needed;

    /// Half of the trials shown did not count: as many of those to come will not.
    #[test]
    fn the_trials_needed_include_those_that_will_not_count() {
        let kind = TrialKind::plain(2, [1, 1, 3]);
        let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
        // Sums of the noise called the first class, and of that called the second, in an even and an odd block.
        let blocks = [[[9, 6, 2], [1, 4, 8]], [[8, 7, 3], [2, 3, 7]]];
        for (block, [first, second]) in (0..).zip(blocks) {
            let sums = |pixels: [i64; 3]| pixels.map(|sum| 100_000 * sum).to_vec();
            trials.add(&BlockSums {
                block: BlockIndex(block),
                trials: 160,
                dropped: 80,
                counts: vec![40, 0, 0, 40],
                noise: vec![(0, sums(first)), (1, sums(second))],
                ..BlockSums::default()
            });
        }
        let estimate = trials.estimate();
        let map = estimate.classes[0].best_image().unwrap();
        let expected = trials_needed(320, map.reliability.unwrap(), 0.95);
        assert!(expected.is_some());
        assert_eq!(map.needed, expected);
        assert_eq!(needed(&trials, Some(ClassId(0)), 0.95), expected);
        // The other class is not asked about.
        let least = least_reliability(&trials, Some(ClassId(0)));
        assert_eq!(least, map.reliability);
    }

    #[test]
    fn images_or_a_gamma_that_the_plan_lacks_are_not_taken_for_noisy_maps() {
        let session = Session::new("mine", Config::default());
        let refused = |gamma: Option<Gamma>, images: u64| {
            let more = ExtendArgs {
                trials: None,
                target: Some(0.9),
                gamma,
                class: None,
                images,
                no_run: false,
            };
            let refusal = extension(&session, images as usize - 1, &more);
            refusal.unwrap_err().to_string()
        };
        let third = refused(None, 3);
        assert!(third.contains("there is no set 3 of"), "{third}");
        let other = refused(Some(Gamma(0.77)), 1);
        assert!(other.contains("the plan has no γ = 0.77"), "{other}");
        let early = refused(None, 1);
        assert!(early.contains("there are no maps yet"), "{early}");
        assert!(early.contains("add --trials N"), "{early}");
    }
}
