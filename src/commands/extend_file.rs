//! Extends the plan in the file of a session that no engine is running.

use super::output::print_line;
use super::{CommandError, division_check, holder};
use crate::format::{gamma, thousands};
use crate::session::Session;
use crate::session::config::{self, Extension};
use crate::session::store::Store;

/// Extends the plan in the file of a session that no engine is running.
pub fn extend_in_file(
    store: &Store,
    name: &str,
    images: usize,
    more: Extension,
) -> Result<(), CommandError> {
    let mut lock = holder::lock(store, name)?;
    let mut session = lock.load()?;
    division_check::refuse_divided(&session)?;
    let message = announcement(name, &session, images, &more);
    let forgotten = session
        .extend(images, more)
        .map_err(|error| CommandError::Usage(format!("{name}: {error}")))?;
    lock.save(&session)?;
    match forgotten.is_empty() {
        true => print_line(format_args!("{message}")),
        false => print_line(format_args!(
            "{message}; to be rerun with the new maps: {}",
            forgotten.join(", ")
        )),
    }
    Ok(())
}

/// The message that announces an extension of the plan's classification images number `images`, from 0.
pub fn announcement(name: &str, session: &Session, images: usize, more: &Extension) -> String {
    let plans = session.config.analyses.iter();
    let mut plans = plans.filter_map(|plan| match plan {
        config::Analysis::ClassificationImages(images) => Some(images),
        _ => None,
    });
    let before: Vec<u64> = plans.nth(images).map_or_else(Vec::new, |plan| {
        let gammas = plan.gammas.iter().filter(|g| more.applies_to(**g));
        let planned = gammas.map(|&g| plan.trials_at(g));
        // A γ that is planned to have more stays as it is.
        planned.filter(|&trials| trials <= more.trials).collect()
    });
    let least = before.iter().copied().min().unwrap_or(0);
    let most = before.iter().copied().max().unwrap_or(0);
    let from = match least == most {
        true => thousands(most),
        false => format!("{}–{}", thousands(least), thousands(most)),
    };
    let at = more
        .gamma
        .map_or_else(String::new, |g| format!(" at γ {}", gamma(g)));
    let trials = thousands(more.trials);
    match more.target {
        Some(target) if least == more.trials => {
            format!("{name} continues to R {target}, to at most the {trials} trials planned{at}")
        }
        _ => format!("{name} is extended to {trials} trials{at}, from {from}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Gamma;
    use crate::session::Config;

    fn images(trials: u64) -> config::ClassificationImages {
        config::ClassificationImages {
            gammas: vec![Gamma(0.0), Gamma(0.3)],
            trials,
            ..config::ClassificationImages::default()
        }
    }

    fn extension(gamma: Option<Gamma>, trials: u64) -> Extension {
        Extension {
            gamma,
            trials,
            target: None,
            class: None,
        }
    }

    #[test]
    fn an_extension_is_announced_with_the_trials_of_the_images_that_it_extends() {
        let mut first = images(60_000);
        let words = |first: &config::ClassificationImages, more: Extension| {
            let plans = [first.clone(), images(200_000)];
            let config = Config {
                analyses: plans.map(config::Analysis::ClassificationImages).to_vec(),
                ..Config::default()
            };
            announcement("mine", &Session::new("mine", config), 0, &more)
        };
        assert_eq!(
            words(&first, extension(None, 120_000)),
            "mine is extended to 120,000 trials, from 60,000"
        );
        // Where the γ have different numbers, all of them are said.
        first.extended.push(extension(Some(Gamma(0.3)), 90_000));
        assert_eq!(
            words(&first, extension(None, 120_000)),
            "mine is extended to 120,000 trials, from 60,000–90,000"
        );
        assert_eq!(
            words(&first, extension(Some(Gamma(0.3)), 120_000)),
            "mine is extended to 120,000 trials at γ 0.3, from 90,000"
        );
        let aimed = Extension {
            target: Some(0.97),
            ..extension(Some(Gamma(0.3)), 90_000)
        };
        assert_eq!(
            words(&first, aimed),
            "mine continues to R 0.97, to at most the 90,000 trials planned at γ 0.3"
        );
    }
}
