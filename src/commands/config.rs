//! `noisescope config`: prints or writes the default preferences, says where the file is looked for, and checks it.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::CommandError;
use super::look::ScreenArgs;
use super::output::print_line;
use crate::tui::preferences::Preferences;

/// What to do with the preferences.
#[derive(Debug, Args)]
pub struct ConfigArgs {
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
pub fn run(config: &ConfigArgs, line: &ScreenArgs) -> Result<ExitCode, CommandError> {
    if !config.path && !config.check && !config.write {
        print_line(Preferences::shipped().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let Some(path) = line.path() else {
        return Err(CommandError::Usage(
            "no default location for preferences on this machine; name a file with --config FILE"
                .into(),
        ));
    };
    if config.path {
        print_line(path.display());
        return Ok(ExitCode::SUCCESS);
    }
    if config.write {
        return write(&path);
    }
    line.options()?;
    match path.exists() {
        true => print_line(format_args!("{}: valid", path.display())),
        false => print_line(format_args!(
            "{}: no such file; the defaults apply",
            path.display()
        )),
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the defaults to a new file.
fn write(path: &Path) -> Result<ExitCode, CommandError> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => CommandError::Usage(format!(
            "{}: the file exists and was not changed; noisescope config prints the defaults",
            path.display()
        )),
        _ => CommandError::Failed(format!("{}: {error}", path.display())),
    };
    if let Some(folder) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::create_new(path).map_err(failed)?;
    let written = file.write_all(Preferences::shipped().as_bytes());
    if let Err(error) = written {
        // Half of it would be invalid, and refused as an existing file the next time. The first error is reported.
        let _ = std::fs::remove_file(path);
        return Err(failed(error));
    }
    print_line(format_args!(
        "wrote {}; keep only the lines you change",
        path.display()
    ));
    Ok(ExitCode::SUCCESS)
}
