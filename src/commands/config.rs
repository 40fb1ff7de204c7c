//! `noisescope config`: preferences as they ship, with comments, to be kept and changed; where they are looked for;
//! and whether those of a file will do.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
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
    #[arg(long, group = "about")]
    path: bool,
    /// Say whether the file will do
    #[arg(long, group = "about")]
    check: bool,
    /// Write them there, where no file is yet, to be changed
    #[arg(long, group = "about")]
    write: bool,
}

/// Prints it.
pub fn run(config: &Config, line: &Line) -> Result<ExitCode, Refusal> {
    if !config.path && !config.check && !config.write {
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
    if config.write {
        return write(&path);
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

/// Writes them into a new file.
fn write(path: &Path) -> Result<ExitCode, Refusal> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => Refusal::Usage(format!(
            "{}: there is a file already, which stays as it is; noisescope config prints what ships",
            path.display()
        )),
        _ => Refusal::Failed(format!("{}: {error}", path.display())),
    };
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::create_new(path).map_err(failed)?;
    let written = file.write_all(Preferences::shipped().as_bytes());
    written.map_err(failed)?;
    say(format_args!(
        "wrote {}: keep what you change",
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
