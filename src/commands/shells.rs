//! Shell completions and manual pages, generated from the program's own options.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::output::print_text;
use super::{Cli, CommandError};
use crate::files;

/// Which shell to print completions for.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Where to write the manual.
#[derive(Debug, Args)]
pub struct Manual {
    /// Write a page for each command into this folder (default: the page of the program to standard output)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the completions of a shell. Those of bash, zsh and fish ask the program what could come next.
pub fn completions(args: &Completions) -> Result<ExitCode, CommandError> {
    match args.shell {
        Shell::Bash => print_text(include_str!("completion/noisescope.bash")),
        Shell::Zsh => print_text(include_str!("completion/noisescope.zsh")),
        Shell::Fish => print_text(include_str!("completion/noisescope.fish")),
        shell => {
            let mut text = Vec::new();
            let mut command = shown(&Cli::command());
            clap_complete::generate(shell, &mut command, "noisescope", &mut text);
            print_text(text);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The command line without its hidden commands, which completions would offer like the others.
pub fn shown(cli: &clap::Command) -> clap::Command {
    let commands = cli.get_subcommands();
    let commands = commands.filter(|command| !command.is_hide_set());
    clap::Command::new("noisescope")
        .version(env!("CARGO_PKG_VERSION"))
        .args(cli.get_arguments().cloned())
        .groups(cli.get_groups().cloned())
        .subcommands(commands.cloned())
}

/// Prints the manual, or writes all its pages.
pub fn manual(args: &Manual) -> Result<ExitCode, CommandError> {
    let mut command = Cli::command();
    command.build();
    match &args.out {
        None => print_text(page(&command).map_err(CommandError::failed)?),
        Some(folder) => {
            let failed = |path: &Path, error: io::Error| {
                CommandError::failed(format!(
                    "{} could not be written: {error}{}",
                    path.display(),
                    files::room_remedy(&error)
                ))
            };
            fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
            for (name, text) in pages(&command, "noisescope") {
                let path = folder.join(format!("{name}.1"));
                files::replace(&path, &text).map_err(|error| failed(&path, error))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The pages of a command and its subcommands, by name, except hidden ones.
fn pages(command: &clap::Command, name: &str) -> Vec<(String, Vec<u8>)> {
    // A page's title is its file name: `noisescope-run`.
    let named = command
        .clone()
        .name(name.to_owned())
        .display_name(name.to_owned());
    let mut all: Vec<(String, Vec<u8>)> = page(&named)
        .map(|text| (name.to_owned(), text))
        .into_iter()
        .collect();
    let below = command.get_subcommands();
    let shown = below.filter(|command| !command.is_hide_set() && command.get_name() != "help");
    for command in shown {
        all.extend(pages(command, &format!("{name}-{}", command.get_name())));
    }
    all
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    Ok(text)
}
