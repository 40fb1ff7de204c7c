//! The command line: parses each subcommand, runs it and returns its exit code. One file per subcommand.

mod attach;
mod background;
mod bench;
mod browse;
mod checklist;
mod checkup;
mod compare;
mod completion;
mod config;
mod control;
pub mod data;
mod data_arg;
mod division_check;
mod doctor;
mod engine;
mod error;
mod export;
mod extend;
mod extend_file;
mod holder;
mod inspect;
mod listing;
mod look;
mod ls;
mod machine;
mod merge;
mod network_file;
mod new;
mod note;
mod note_file;
mod output;
mod pilot;
mod preset;
mod preset_fit;
mod preset_info;
mod report;
mod rounding;
mod run;
mod scheduler;
mod session_actions;
mod session_args;
mod shard;
mod shells;
mod show;
mod signals;
mod standing;
mod stop_shards;
mod submit;
mod trials;
mod typed_names;
mod verdict;
mod verify;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use etcetera::BaseStrategy;

use crate::engine::device::{libtorch, numerics};
use crate::files::quoted;
use crate::link;
use crate::nets::plan::Lanes;
use crate::session::store::Store;
use crate::tui::theme::can_draw;

pub use error::CommandError;
use session_args::SessionArgs;

/// What has a neural network really learned? Millions of noise trials, averaged by its responses.
#[derive(Debug, Parser)]
#[command(name = "noisescope", version, about, max_term_width = 100)]
pub struct Cli {
    /// The sessions folder (default: NOISESCOPE_SESSIONS, else ./sessions if it exists, else in the platform's data
    /// folder)
    #[arg(long, global = true, value_name = "DIR", help_heading = "Folders")]
    sessions: Option<PathBuf>,
    /// The folder of full data sets (default: NOISESCOPE_DATA, else in the platform's data folder); for a new
    /// session, also your own images: a folder or a file
    #[arg(long, global = true, value_name = "PATH", help_heading = "Folders")]
    data: Option<PathBuf>,
    #[command(flatten)]
    screen: look::ScreenArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a session without running it
    New {
        #[command(flatten)]
        plan: SessionArgs,
    },
    /// Run a session: create it if it does not exist, else resume it
    Run {
        #[command(flatten)]
        plan: SessionArgs,
        /// Instead of running it, show the network a few trials at several grains of noise, and suggest a grain and a number of trials
        #[arg(long, conflicts_with_all = ["detach", "requeue", "workers", "exact", "launch", "accept_inputs"])]
        pilot: bool,
        /// Run one shard of it, in a separate file: 3/32, or auto to ask Slurm or Kubernetes. The sums of all shards equal
        /// those of a single engine to the last bit
        #[arg(long, value_name = "I/N|auto", conflicts_with = "pilot")]
        shard: Option<String>,
        /// When it is finished, end with what its audit found: 0 nothing, 4 something, 5 if nothing can be said; implies
        /// --plain
        #[arg(long, conflicts_with_all = ["pilot", "shard", "detach"])]
        exit_code: bool,
        #[command(flatten)]
        how: run::RunArgs,
    },
    /// Merge a session's shards into its own file
    Merge(merge::MergeArgs),
    /// Submit a session's shards as Slurm jobs, and another job that merges them
    Submit(submit::SubmitArgs),
    /// Add trials to a running, stopped or finished session
    Extend {
        /// The session
        name: String,
        #[command(flatten)]
        more: extend::ExtendArgs,
        #[command(flatten)]
        how: run::RunArgs,
    },
    /// Write a note on a session, a map or a unit of a layer, or list the notes
    // Else the usage beside an error has TEXT before NAME.
    #[command(override_usage = "noisescope note [OPTIONS] <NAME> [TEXT]")]
    Note(note::NoteArgs),
    /// View a session
    Attach {
        /// The session
        name: String,
        /// Print its summary instead of drawing it
        #[arg(long)]
        plain: bool,
        #[command(flatten)]
        start: attach::StartArgs,
    },
    /// Pause a running session
    Pause {
        /// The session
        name: String,
    },
    /// Resume a paused session
    Continue {
        /// The session
        name: String,
    },
    /// Stop a running session after a checkpoint
    Stop {
        /// The session
        name: String,
        /// If it cannot be saved, for example on a full disk: discard what was measured since the last checkpoint
        #[arg(long)]
        discard: bool,
    },
    /// The engine of a session, as a separate process; `run` starts it
    #[command(hide = true)]
    Engine {
        /// The session
        name: String,
        #[command(flatten)]
        machine: machine::MachineArgs,
    },
    /// List the sessions
    Ls {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Export a session's results for other programs, or as figures for papers
    Export(export::ExportArgs),
    /// Export the trials behind a cell of the counts, recreated from their seeds
    Trials(trials::TrialsArgs),
    /// Compare the maps and the decisions of two sessions
    Compare(compare::CompareArgs),
    /// Write a session as a single HTML page, for readers without a terminal
    Report(report::ReportArgs),
    /// Show one figure on the terminal, at full resolution
    Show(show::ShowArgs),
    /// Print shell completions: noisescope completions bash
    Completions(shells::Completions),
    /// Print what could come next on a command line; the completions of shells ask it
    #[command(hide = true)]
    Complete(completion::CompleteArgs),
    /// Print the manual as a man page
    Man(shells::Manual),
    /// Print the default preferences (colours and keys), with comments
    Config(config::ConfigArgs),
    /// Data sets: list, fetch, verify
    Data {
        #[command(subcommand)]
        command: data::DataCommand,
    },
    /// Show what a network file contains, which layers can be studied, and its accuracy on images (--data)
    Inspect(inspect::InspectArgs),
    /// Measure the noise loop: trials per second
    Bench(bench::BenchArgs),
    /// Check that a device computes the same as the reference: noise, logits, sums
    Verify(verify::VerifyArgs),
    /// Check this machine (devices, terminal, data, sessions) and suggest remedies; with NAME, check that session's files
    Doctor(doctor::DoctorArgs),
}

impl Command {
    /// Whether this process may compute on a device.
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

/// Runs the program: parses the command line, runs the command, returns the exit code. Errors go to
/// standard error as one paragraph.
pub fn main() -> ExitCode {
    let mut cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(end) => return output::checked(output::print_end_of_parsing(end)),
    };
    cli.sessions = cli
        .sessions
        .or_else(|| path_variable("NOISESCOPE_SESSIONS"));
    // Only a libtorch for GPUs supports TF32.
    if libtorch::is_for_gpus() && cli.command.as_ref().is_some_and(Command::computes) {
        numerics::choose(rounding::is_tf32(&cli));
    }
    let code = match dispatch(cli) {
        Ok(code) => code,
        Err(refusal) => {
            output::complain(&refusal);
            ExitCode::from(refusal.code())
        }
    };
    output::checked(code)
}

fn dispatch(cli: Cli) -> Result<ExitCode, CommandError> {
    // First of all, check the override of the vector type, which serves for comparisons.
    Lanes::from_env().map_err(CommandError::Usage)?;
    signals::handle_file_limit()?;
    let store = Store::new(sessions_folder(cli.sessions.as_deref())?);
    let mut line = cli.screen;
    if let Some(folder) = &cli.sessions {
        // Leaked once per process, for the command lines that screens show.
        let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
        let words = format!("noisescope --sessions {}", quoted(whole));
        line.program = Some(Box::leak(words.into_boxed_str()));
    }
    let data = cli.data.as_deref();
    match cli.command {
        None => browse::run(&store, data, &line),
        Some(Command::New { plan }) => {
            let (plan, sets) = plan.resolve(&store, "new", data)?;
            let code = new::run(&store, &plan)?;
            if let Some(folder) = sets {
                output::complain(format_args!(
                    "--data {}: a plan does not keep the folder of full data sets; give it to run as well",
                    folder.display()
                ));
            }
            Ok(code)
        }
        Some(Command::Submit(submit)) => submit::run(&store, data, &submit),
        Some(Command::Merge(merge)) => merge::run(&store, &merge),
        Some(Command::Run {
            plan,
            pilot,
            shard,
            exit_code,
            mut how,
        }) => {
            how.screen = line;
            how.exit_code = exit_code;
            let shard = shard
                .as_deref()
                .map(shard::ShardNumber::parse)
                .transpose()?;
            let (plan, data) = plan.resolve(&store, "run", data)?;
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
            how.screen = line;
            extend::run(&store, data, &name, &more, &how)
        }
        Some(Command::Note(leave)) => note::run(&store, &leave),
        Some(Command::Attach {
            name,
            plain,
            start: at,
        }) => {
            let data = crate::data::data_dir(data).map_err(CommandError::failed)?;
            let look = look::AttachView {
                store: &store,
                data: &data,
                machine: &machine::MachineArgs::default(),
                options: match plain || !can_draw() {
                    // Nothing is drawn, so the preferences are not read.
                    true => crate::tui::DisplayOptions::default(),
                    false => line.options()?,
                },
            };
            attach::run(&look, &name, plain, &at)
        }
        Some(Command::Pause { name }) => {
            stop_shards::run(&store, &name, link::EngineCommand::Pause)
        }
        Some(Command::Continue { name }) => {
            stop_shards::run(&store, &name, link::EngineCommand::Continue)
        }
        Some(Command::Stop { name, discard }) => match discard {
            true => stop_shards::run(&store, &name, link::EngineCommand::Discard),
            false => stop_shards::run(&store, &name, link::EngineCommand::Stop),
        },
        Some(Command::Engine { name, machine }) => {
            let data = crate::data::data_dir(data).map_err(CommandError::failed)?;
            engine::background(&store, data, &name, &machine)
        }
        Some(Command::Ls { json }) => ls::run(&store, json),
        Some(Command::Export(export)) => export::run(&store, &export),
        Some(Command::Trials(trials)) => trials::run(&store, data, &trials),
        Some(Command::Report(report)) => report::run(&store, &report),
        Some(Command::Completions(completions)) => shells::completions(&completions),
        Some(Command::Complete(words)) => completion::run(&store, &words),
        Some(Command::Man(manual)) => shells::manual(&manual),
        Some(Command::Compare(mut compare)) => {
            compare.screen = line;
            compare::run(&store, data, &compare)
        }
        Some(Command::Config(config)) => config::run(&config, &line),
        Some(Command::Show(show)) => show::run(&store, &show, &line),
        Some(Command::Data { command }) => data::run(command, data)
            .map(|()| ExitCode::SUCCESS)
            .map_err(CommandError::failed),
        Some(Command::Inspect(inspect)) => inspect::run(&inspect, data),
        Some(Command::Verify(verify)) => verify::run(&verify),
        Some(Command::Bench(bench)) => bench::run(&bench),
        Some(Command::Doctor(doctor)) => doctor::run(&store, data, &doctor),
    }
}

/// The path in an environment variable; `None` if it is not set or empty. It is not left to clap, which would name the
/// option in its usage lines as if it had been given.
fn path_variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name)?;
    (!value.is_empty()).then(|| PathBuf::from(value))
}

/// `--sessions` or its variable, else `./sessions` if it exists, else the platform's folder.
fn sessions_folder(asked: Option<&Path>) -> Result<PathBuf, CommandError> {
    if let Some(folder) = asked {
        return Ok(folder.to_owned());
    }
    let here = PathBuf::from("sessions");
    if here.is_dir() {
        return Ok(here);
    }
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        CommandError::Usage(format!(
            "no default folder for sessions ({error}); name one with --sessions DIR"
        ))
    })?;
    Ok(strategy.data_dir().join("noisescope").join("sessions"))
}
