//! `noisescope config`: preferences as they ship, with comments, to be kept and changed; where they are looked for;
//! and whether those of a file will do.

use std::process::ExitCode;

use clap::Args;

use super::Refusal;
use super::look::Line;
use super::say::say;
use crate::tui::preferences::Preferences;

/// What is told of preferences.
#[derive(Debug, Args)]
pub struct Config {
    /// Say where the file is looked for
    #[arg(long, conflicts_with = "check")]
    path: bool,
    /// Say whether the file will do
    #[arg(long)]
    check: bool,
}

/// Prints it.
pub fn run(config: &Config, line: &Line) -> Result<ExitCode, Refusal> {
    if !config.path && !config.check {
        say(Preferences::shipped().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let Some(path) = line.path() else {
        return Err(Refusal::Usage(
            "there is no place for preferences on this machine; name a file with --config FILE"
                .into(),
        ));
    };
    if config.path {
        say(path.display());
        return Ok(ExitCode::SUCCESS);
    }
    line.options()?;
    match path.exists() {
        true => say(format_args!("{}: it will do", path.display())),
        false => say(format_args!(
            "{}: there is no such file, so everything is as it ships",
            path.display()
        )),
    }
    Ok(ExitCode::SUCCESS)
}
