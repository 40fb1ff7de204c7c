//! What could come next on a command line. The scripts that `noisescope completions` prints ask the program itself, so that
//! they offer what there is: sessions, presets, classes, layers.

mod live;
mod offer;
mod typed;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, CommandFactory};

use super::network_file::expand_home;
use super::output::print_text;
use super::shells::shown;
use super::{Cli, CommandError};
use crate::session::store::Store;
use live::Live;
use offer::Offer;
use typed::Typed;

/// A command line that is being typed.
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// The program's name and the words after it, up to the cursor; the last one is the word at the cursor
    #[arg(last = true, value_name = "WORD")]
    words: Vec<OsString>,
}

/// Prints what could be at the place of the last word.
pub fn run(store: &Store, args: &CompleteArgs) -> Result<ExitCode, CommandError> {
    let words = args.words.iter();
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    print_text(possible(store, &words).lines());
    Ok(ExitCode::SUCCESS)
}

/// What could be at the place of the last of these words, the first of which is the program's name. `store` is the sessions
/// folder unless the words name another.
fn possible(store: &Store, words: &[String]) -> Offer {
    let [_, before @ .., current] = words else {
        return Offer::default();
    };
    let mut command = shown(&Cli::command());
    command.build();
    let typed = Typed::read(&command, before);
    let named = typed.sessions.map(|folder| Store::new(expand_home(folder)));
    let live = Live {
        store: named.as_ref().unwrap_or(store),
        command: typed.command.get_name(),
        session: typed.positionals.first().copied(),
    };
    typed.offer(current, &live)
}

#[cfg(test)]
mod tests;
