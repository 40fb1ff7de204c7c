//! `noisescope config`: prints or writes the default preferences, says where the file is looked for, and checks it.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::Refusal;
use super::look::Line;
use super::say::say;
use crate::tui::preferences::Preferences;

/// What to do with the preferences.
#[derive(Debug, Args)]
pub struct Config {
    /// Print the path of the preferences file
    #[arg(long, group = "about")]
    path: bool,
    /// Check the preferences file
    #[arg(long, group = "about")]
    check: bool,
    /// Write the defaults to that file, for editing; never overwrites one
    #[arg(long, group = "about")]
    write: bool,
}

/// Prints, writes or checks the preferences.
pub fn run(config: &Config, line: &Line) -> Result<ExitCode, Refusal> {
    if !config.path && !config.check && !config.write {
        say(Preferences::shipped().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let Some(path) = line.path() else {
        return Err(Refusal::Usage(
            "no default location for preferences on this machine; name a file with --config FILE"
                .into(),
        ));
    };
    if config.path {
        say(path.display());
        return Ok(ExitCode::SUCCESS);
    }
    if config.write {
        return write(&path);
    }
    line.options()?;
    match path.exists() {
        true => say(format_args!("{}: valid", path.display())),
        false => say(format_args!(
            "{}: no such file; the defaults apply",
            path.display()
        )),
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the defaults to a new file.
fn write(path: &Path) -> Result<ExitCode, Refusal> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => Refusal::Usage(format!(
            "{}: the file exists and was not changed; noisescope config prints the defaults",
            path.display()
        )),
        _ => Refusal::Failed(format!("{}: {error}", path.display())),
    };
    if let Some(folder) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::create_new(path).map_err(failed)?;
    let written = file.write_all(Preferences::shipped().as_bytes());
    written.map_err(failed)?;
    say(format_args!(
        "wrote {}; keep only the lines you change",
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
