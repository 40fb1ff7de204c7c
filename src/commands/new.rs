//! `noisescope new`: creates a session without running it.

use std::process::ExitCode;

use super::output::print_line;
use super::{CommandError, SessionArgs, holder};
use crate::session::store::{Store, check_name};

/// Writes the session's file and prints its path.
pub fn run(store: &Store, plan: &SessionArgs) -> Result<ExitCode, CommandError> {
    check_name(&plan.name)?;
    let planned = plan.new_unless_exists(store)?;
    let mut lock = holder::lock(store, &plan.name)?;
    let (Some(session), false) = (planned, lock.session_exists()?) else {
        return Err(CommandError::Usage(format!(
            "session `{}` already exists ({}); choose another name, or resume it: noisescope run {}",
            plan.name,
            store.path(&plan.name).display(),
            plan.name
        )));
    };
    lock.save(&session)?;
    print_line(store.path(&plan.name).display());
    Ok(ExitCode::SUCCESS)
}
