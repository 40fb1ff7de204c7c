//! `noisescope extend`: more trials than were planned, in a session that runs, has stopped or has
//! finished. Nothing is trained or shown again.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::extended::{in_file, told};
use super::say::say;
use super::{Refusal, control, divided, run};
use crate::format::trials_of;
use crate::link::Command;
use crate::session::Session;
use crate::session::config::Extension;
use crate::session::record::{self, GammaTrials};
use crate::session::store::Store;

/// By how much more than is foretold a target may take.
const ROOM: f64 = 1.25;

/// How far it shall go on.
#[derive(Debug, Args)]
pub struct More {
    /// Trials at each γ in all, those that are done among them: 4000000, 4M, 400k
    #[arg(long, value_name = "N", value_parser = trials, required_unless_present = "target")]
    trials: Option<u64>,
    /// Go on until the maps are so reliable, at most to --trials (default: what the maps so far foretell, and a quarter more)
    #[arg(long, value_name = "R")]
    target: Option<f64>,
    /// Only this signal strength (default: every one of the plan)
    #[arg(long, value_name = "G")]
    gamma: Option<f64>,
    /// The class whose map the target is about, by number or name (default: every class)
    #[arg(long, value_name = "CLASS", requires = "target")]
    class: Option<String>,
    /// Which of the plan's classification images, where it has several; from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    images: u64,
}

fn trials(text: &str) -> Result<u64, String> {
    trials_of(text).ok_or_else(|| "a number of trials: 4000000, 4M or 400k".into())
}

/// Raises what there is to do, and goes on.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    name: &str,
    more: &More,
    how: &run::How,
) -> Result<ExitCode, Refusal> {
    let session = store.load(name)?;
    divided::refuse_divided(&session)?;
    let images = more.images as usize - 1;
    let extension = extension(&session, images, more)?;
    // What is wrong with it is told before an engine hears of it.
    session
        .clone()
        .extend(images, extension.clone())
        .map_err(|error| Refusal::Usage(format!("{name}: {error}")))?;
    if store.engine(name).is_some() {
        let more = extension.clone();
        say(format_args!("{}", told(name, &session, &extension)));
        return control::run(store, name, Command::Extend { images, more });
    }
    in_file(store, name, images, extension)?;
    run::go_on(store, data, name, how)
}

/// What is asked for, the trials foretold where only a target is given.
fn extension(session: &Session, images: usize, more: &More) -> Result<Extension, Refusal> {
    let trials = match (more.trials, more.target) {
        (Some(trials), _) => trials,
        (None, Some(target)) => foretold(session, images, more, target)?,
        (None, None) => 0,
    };
    Ok(Extension {
        gamma: more.gamma,
        trials,
        target: more.target,
        class: more.class.clone(),
    })
}

/// The trials at which the least reliable map would reach a target, and a quarter more.
fn foretold(session: &Session, images: usize, more: &More, target: f64) -> Result<u64, Refusal> {
    let name = &session.name;
    if !(target > 0.0 && target < 1.0) {
        return Err(Refusal::Usage(format!(
            "--target {target}: a reliability lies between 0 and 1, for example 0.95"
        )));
    }
    let mut all = session.record.all::<record::ClassificationImages>();
    let class = match (&more.class, &session.record.form) {
        (Some(class), Some(form)) => Some(form.find(class).map_err(Refusal::Usage)?),
        _ => None,
    };
    let gammas = all.nth(images).map(|(_, own)| own.gammas.as_slice());
    let own = gammas.unwrap_or_default().iter();
    let own = own.filter(|own| more.gamma.is_none_or(|gamma| gamma == own.gamma));
    let needed = own
        .map(|own| needed(own, class, target))
        .collect::<Option<Vec<u64>>>();
    match needed.and_then(|all| all.into_iter().max()) {
        Some(most) => Ok((most as f64 * ROOM).ceil() as u64),
        None => Err(Refusal::Usage(format!(
            "{name}: the maps so far are too noisy to foretell how many trials R {target} takes; give --trials N too, and it stops as soon as the target is reached"
        ))),
    }
}

/// Trials that the maps at a γ need for a target; `None` where some map does not tell.
fn needed(own: &GammaTrials, class: Option<usize>, target: f64) -> Option<u64> {
    let estimate = own.estimate();
    let classes = estimate.classes.iter().enumerate();
    let maps = classes.filter(|(at, _)| class.is_none_or(|class| class == *at));
    let maps = maps.filter_map(|(_, it)| it.best_image());
    let needed = maps.map(|map| {
        crate::stats::correlation::trials_needed(estimate.trials, map.reliability?, target)
    });
    needed.collect::<Option<Vec<u64>>>()?.into_iter().max()
}
