//! The subcommands: parse, call, exit code. One file each.

mod attach;
mod background;
mod bench;
mod browse;
mod checkup;
mod compare;
mod config;
mod control;
pub mod data;
mod deed;
mod divided;
mod doctor;
mod engine;
mod export;
mod extend;
mod extended;
mod foresee;
mod inspect;
mod listing;
mod look;
mod ls;
mod machine;
mod merge;
mod new;
mod note;
mod noted;
mod own;
mod pilot;
mod plan;
mod preset;
mod report;
mod run;
mod say;
mod scheduler;
mod shard;
mod shells;
mod show;
mod signals;
mod stop_shards;
mod submit;
mod trials;
mod verdict;
mod verify;
mod watch;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use etcetera::BaseStrategy;

use crate::engine::device::{libtorch, numerics};
use crate::files::quoted;
use crate::link;
use crate::nets::plan::Lanes;
use crate::session::config as plans;
use crate::session::setting::SettingError;
use crate::session::store::{Store, StoreError};
use crate::tui::theme::can_draw;

use plan::Plan;

/// What has a neural network really learned? Millions of noise trials, averaged by what it says.
#[derive(Debug, Parser)]
#[command(name = "noisescope", version, about, max_term_width = 100)]
pub struct Cli {
    /// The folder of sessions (default: ./sessions where it exists, else the platform's data folder)
    #[arg(long, global = true, value_name = "DIR", env = "NOISESCOPE_SESSIONS")]
    sessions: Option<PathBuf>,
    /// The folder of full data sets (default: the platform's data folder); of a new session, also
    /// images of your own: a folder or a file
    #[arg(long, global = true, value_name = "PATH")]
    data: Option<PathBuf>,
    #[command(flatten)]
    line: look::Line,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a new session without running it
    New {
        #[command(flatten)]
        plan: Plan,
    },
    /// Run a session: make it if it is not there, else go on where it stands
    Run {
        #[command(flatten)]
        plan: Plan,
        /// Begin nothing; show the network a few trials at several grains of noise, and say which grain and how many trials would do
        #[arg(long)]
        pilot: bool,
        /// Do one shard of it, in a file of its own: 3/32, or auto, as Slurm or Kubernetes say. The sums of all shards
        /// are those of one engine, to the last bit
        #[arg(long, value_name = "I/N|auto", conflicts_with = "pilot")]
        shard: Option<String>,
        #[command(flatten)]
        how: run::How,
    },
    /// Make a session whole whose shards are done: their sum, in its own file
    Merge(merge::Merge),
    /// Do a session's shards as jobs of Slurm, and merge them in one more
    Submit(submit::Submit),
    /// Go on past what was planned: more trials of a session that runs, has stopped or has finished
    Extend {
        /// The session
        name: String,
        #[command(flatten)]
        more: extend::More,
        #[command(flatten)]
        how: run::How,
    },
    /// Leave a line on a session, a map or a unit of a layer, or list those that there are
    Note(note::Leave),
    /// Look at a session
    Attach {
        /// The session
        name: String,
        /// Print its summary instead of drawing it
        #[arg(long)]
        plain: bool,
        #[command(flatten)]
        at: attach::At,
    },
    /// Let a running session stand still
    Pause {
        /// The session
        name: String,
    },
    /// Let a session that stands still go on
    Continue {
        /// The session
        name: String,
    },
    /// Stop a running session after a checkpoint
    Stop {
        /// The session
        name: String,
        /// Where it cannot be saved, for example on a full disk: give up what was measured since the last checkpoint
        #[arg(long)]
        discard: bool,
    },
    /// The engine of a session, as a process of its own; `run` starts it
    #[command(hide = true)]
    Engine {
        /// The session
        name: String,
        #[command(flatten)]
        machine: machine::Machine,
    },
    /// List the sessions
    Ls {
        /// As a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Write what a session has measured: for other programs, and figures for papers
    Export(export::Export),
    /// Show the trials behind a cell of the counts again: they are made from their seeds
    Trials(trials::Trials),
    /// Compare the maps and the decisions of two sessions
    Compare(compare::Compare),
    /// Write a session as one page of HTML, for somebody who has no terminal
    Report(report::Report),
    /// Show one figure on the terminal, at full resolution
    Show(show::Show),
    /// Print what a shell completes: noisescope completions bash
    Completions(shells::Completions),
    /// Print the manual as a man page
    Man(shells::Manual),
    /// Preferences as they ship, with comments: colours and keys
    Config(config::Config),
    /// Data sets: list, fetch, verify
    Data {
        #[command(subcommand)]
        command: data::DataCommand,
    },
    /// What a network's file holds, what can be looked at in it, and how good it is on images (--data)
    Inspect(inspect::Inspect),
    /// Measure the noise loop: trials per second
    Bench(bench::Bench),
    /// Whether a device computes what the reference computes: noise, logits, sums
    Verify(verify::Verify),
    /// What of this machine works: devices, terminal, data, sessions; and what to do about the rest. With NAME: whether that session's files are whole
    Doctor(doctor::Doctor),
}

impl Command {
    /// Whether this process computes on a device, as it may.
    fn computes(&self) -> bool {
        matches!(
            self,
            Self::Run { .. }
                | Self::Extend { .. }
                | Self::Engine { .. }
                | Self::Compare(_)
                | Self::Trials(_)
                | Self::Inspect(_)
                | Self::Bench(_)
                | Self::Verify(_)
                | Self::Doctor(_)
        )
    }
}

/// Why a command could not be carried out, for the exit code and the words.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A session file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A `--set`.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A plan that cannot be run.
    #[error("{0}")]
    Invalid(#[from] plans::Invalid),
    /// A device that cannot be had.
    #[error(transparent)]
    Device(#[from] crate::engine::device::DeviceError),
    /// Words that do not go together; what to do instead.
    #[error("{0}")]
    Usage(String),
    /// Something that failed while it was done.
    #[error("{0}")]
    Failed(String),
}

impl Refusal {
    /// 2 for a mistake in the words or the plan, 1 for what failed.
    fn code(&self) -> u8 {
        match self {
            Self::Setting(_) | Self::Invalid(_) | Self::Device(_) | Self::Usage(_) => 2,
            Self::Store(
                StoreError::Syntax { .. }
                | StoreError::Invalid { .. }
                | StoreError::Name(_)
                | StoreError::Missing { .. }
                | StoreError::Newer { .. },
            ) => 2,
            Self::Store(_) | Self::Failed(_) => 1,
        }
    }

    fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs the program: parses the command line, does what it says, gives the exit code. Errors go to
/// standard error as one paragraph.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Only a libtorch for GPUs multiplies so.
    if libtorch::is_for_gpus() && cli.command.as_ref().is_some_and(Command::computes) {
        numerics::choose(std::env::args_os().any(|word| word == "--tf32"));
    }
    match dispatch(cli) {
        Ok(code) => code,
        Err(refusal) => {
            say::complain(&refusal);
            ExitCode::from(refusal.code())
        }
    }
}

fn dispatch(cli: Cli) -> Result<ExitCode, Refusal> {
    // Before anything is begun: what asks for other vectors means to compare them.
    Lanes::named().map_err(Refusal::Usage)?;
    let store = Store::new(sessions_folder(cli.sessions.as_deref())?);
    let mut line = cli.line;
    if let Some(folder) = &cli.sessions {
        // Made once, for the command lines that a screen offers.
        let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        let words = format!("noisescope --sessions {}", quoted(whole));
        line.program = Some(Box::leak(words.into_boxed_str()));
    }
    let data = cli.data.as_deref();
    match cli.command {
        None => browse::run(&store, data, &line),
        Some(Command::New { plan }) => {
            let (plan, _) = plan.settled(&store, "new", data)?;
            new::run(&store, &plan)
        }
        Some(Command::Submit(submit)) => submit::run(&store, data, &submit),
        Some(Command::Merge(merge)) => merge::run(&store, &merge),
        Some(Command::Run {
            plan,
            pilot,
            shard,
            mut how,
        }) => {
            how.line = line;
            let shard = shard.as_deref().map(shard::Which::parse).transpose()?;
            let (plan, data) = plan.settled(&store, "run", data)?;
            match (pilot, shard) {
                (true, _) => pilot::run(&store, data, &plan, how.device(), how.json()),
                (false, Some(which)) => shard::run(&store, data, &plan, which, &how),
                (false, None) => run::run(&store, data, &plan, &how),
            }
        }
        Some(Command::Extend {
            name,
            more,
            mut how,
        }) => {
            how.line = line;
            extend::run(&store, data, &name, &more, &how)
        }
        Some(Command::Note(leave)) => note::run(&store, &leave),
        Some(Command::Attach { name, plain, at }) => {
            let data = crate::data::data_dir(data).map_err(Refusal::failed)?;
            let look = look::Look {
                store: &store,
                data: &data,
                machine: &machine::Machine::default(),
                options: match plain || !can_draw() {
                    // Nothing is drawn.
                    true => crate::tui::Options::default(),
                    false => line.options()?,
                },
            };
            attach::run(&look, &name, plain, &at)
        }
        Some(Command::Pause { name }) => stop_shards::run(&store, &name, link::Command::Pause),
        Some(Command::Continue { name }) => {
            stop_shards::run(&store, &name, link::Command::Continue)
        }
        Some(Command::Stop { name, discard }) => match discard {
            true => stop_shards::run(&store, &name, link::Command::Discard),
            false => stop_shards::run(&store, &name, link::Command::Stop),
        },
        Some(Command::Engine { name, machine }) => {
            let data = crate::data::data_dir(data).map_err(Refusal::failed)?;
            engine::background(&store, data, &name, &machine)
        }
        Some(Command::Ls { json }) => ls::run(&store, json),
        Some(Command::Export(export)) => export::run(&store, &export),
        Some(Command::Trials(trials)) => trials::run(&store, data, &trials),
        Some(Command::Report(report)) => report::run(&store, &report),
        Some(Command::Completions(completions)) => shells::completions(&completions),
        Some(Command::Man(manual)) => shells::manual(&manual),
        Some(Command::Compare(mut compare)) => {
            compare.line = line;
            compare::run(&store, data, &compare)
        }
        Some(Command::Config(config)) => config::run(&config, &line),
        Some(Command::Show(show)) => show::run(&store, &show),
        Some(Command::Data { command }) => data::run(command, data)
            .map(|()| ExitCode::SUCCESS)
            .map_err(Refusal::failed),
        Some(Command::Inspect(inspect)) => inspect::run(&inspect, data),
        Some(Command::Verify(verify)) => verify::run(&verify),
        Some(Command::Bench(bench)) => bench::run(&bench),
        Some(Command::Doctor(doctor)) => doctor::run(&store, data, &doctor),
    }
}

/// `--sessions` or its variable, else `./sessions` where it exists, else the platform's folder.
fn sessions_folder(asked: Option<&Path>) -> Result<PathBuf, Refusal> {
    if let Some(folder) = asked {
        return Ok(folder.to_owned());
    }
    let here = PathBuf::from("sessions");
    if here.is_dir() {
        return Ok(here);
    }
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        Refusal::Usage(format!(
            "there is no place for sessions ({error}); name a folder with --sessions DIR"
        ))
    })?;
    Ok(strategy.data_dir().join("noisescope").join("sessions"))
}
