//! `noisescope new`: creates a session without running it.

use std::process::ExitCode;

use super::say::say;
use super::{Plan, Refusal};
use crate::session::Session;
use crate::session::store::{Store, check_name};

/// Writes the session's file and prints its path.
pub fn run(store: &Store, plan: &Plan) -> Result<ExitCode, Refusal> {
    check_name(&plan.name)?;
    let mut lock = store.lock(&plan.name)?;
    if lock.finds_session()? {
        return Err(Refusal::Usage(format!(
            "session `{}` already exists ({}); choose another name, or resume it: noisescope run {}",
            plan.name,
            store.path(&plan.name).display(),
            plan.name
        )));
    }
    let config = plan.config(store)?;
    lock.save(&Session::new(&plan.name, config))?;
    say(store.path(&plan.name).display());
    Ok(ExitCode::SUCCESS)
}
