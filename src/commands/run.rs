//! `noisescope run`: creates or resumes a session and runs it. With the dashboard, the engine is a separate
//! process that this one views; with a line-by-line report, the engine is in this process.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::background::{self, SpawnedEngine};
use super::machine::MachineArgs;
use super::output::print_line;
use super::signals::{SignalLoop, runtime};
use super::{
    CommandError, SessionArgs, attach, control, division_check, engine, holder, look, verdict,
};
use crate::data;
use crate::link::Link;
use crate::report::{self, ReportError, Style};
use crate::session::store::{Lock, Store, check_name};
use crate::session::{SavedState, Session};
use crate::tui::theme::can_draw;

/// How to run it.
#[derive(Debug, Default, Args)]
pub struct RunArgs {
    #[command(flatten)]
    machine: MachineArgs,
    /// Print progress in lines instead of drawing, and run the engine in the foreground
    #[arg(long, conflicts_with = "json")]
    plain: bool,
    /// Like --plain, but with one JSON object per line
    #[arg(long)]
    json: bool,
    /// Start the engine and return
    #[arg(long, conflicts_with_all = ["plain", "json"])]
    detach: bool,
    /// Under Slurm: on USR1, sent before a job's time is up, write a checkpoint and requeue the job; implies --plain.
    /// Without this option, USR1 writes a checkpoint and the run continues
    #[arg(long, conflicts_with = "detach")]
    requeue: bool,
    /// Screen options, which every command takes.
    #[arg(skip)]
    pub screen: look::ScreenArgs,
    /// Whether `run` ends with the verdict of the session's audit.
    #[arg(skip)]
    pub exit_code: bool,
}

impl RunArgs {
    /// Whether to report as JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// How a foreground run reports its progress.
    pub fn foreground_options(&self) -> engine::ForegroundOptions {
        engine::ForegroundOptions {
            style: if self.json { Style::Json } else { Style::Plain },
            requeue: self.requeue,
        }
    }

    /// The engine's machine options.
    pub fn machine(&self) -> &MachineArgs {
        &self.machine
    }

    /// The first option given, if any, that only an engine which this command starts can follow.
    pub fn engine_option(&self) -> Option<&'static str> {
        let report = [(self.json, "--json"), (self.requeue, "--requeue")];
        let mut report = report.into_iter().filter(|(given, _)| *given);
        let machine = self.machine.given();
        machine.or_else(|| report.next().map(|(_, name)| name))
    }

    /// Whether to start the engine in the background and return.
    pub fn is_detached(&self) -> bool {
        self.detach
    }

    /// How the run is shown.
    fn display(&self) -> Display {
        let in_lines = self.plain || self.requeue || self.exit_code;
        match (in_lines, self.json, self.detach) {
            (_, true, _) => Display::Lines(Style::Json),
            (_, _, true) => Display::None,
            (false, _, _) if can_draw() => Display::Dashboard,
            _ => Display::Lines(Style::Plain),
        }
    }

    /// Checks the options, and the preferences if they are used: before a session is created or changed.
    ///
    /// # Errors
    /// If they are invalid.
    pub fn check(&self) -> Result<(), CommandError> {
        self.machine.check()?;
        match self.display() {
            Display::Dashboard => self.screen.options().map(|_| ()),
            Display::Lines(_) | Display::None => Ok(()),
        }
    }

    /// The device to compute on.
    pub fn device(&self) -> &str {
        &self.machine.device
    }
}

/// How the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Display {
    Dashboard,
    Lines(Style),
    None,
}

/// Resumes an existing session.
pub fn resume(
    store: &Store,
    data: Option<&Path>,
    name: &str,
    how: &RunArgs,
) -> Result<ExitCode, CommandError> {
    run(store, data, &SessionArgs::named(name, None), how)
}

/// Creates or resumes the session, runs it, and returns the exit code: that of its audit's verdict, if asked for.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &SessionArgs,
    how: &RunArgs,
) -> Result<ExitCode, CommandError> {
    let code = run_to_end(store, data, plan, how)?;
    match how.exit_code && code == ExitCode::SUCCESS {
        true => verdict::exit_code(store, &plan.name),
        false => Ok(code),
    }
}

fn run_to_end(
    store: &Store,
    data: Option<&Path>,
    plan: &SessionArgs,
    how: &RunArgs,
) -> Result<ExitCode, CommandError> {
    how.check()?;
    how.machine.tell_unused()?;
    let display = how.display();
    // An engine in this process handles signals before it writes anything.
    let ready = match display {
        Display::Lines(_) => Some(SignalLoop::start()?),
        Display::Dashboard | Display::None => None,
    };
    let data = data::data_dir(data).map_err(CommandError::failed)?;
    check_name(&plan.name)?;
    let planned = plan.new_unless_exists(store)?;
    if let (true, Some(session)) = (how.exit_code, &planned) {
        verdict::check(session)?;
    }
    // Held while the session is created, so that no other process creates or runs it.
    let lock = holder::lock(store, &plan.name);
    if let Err(error) = &lock
        && error.is_unwritable()
        && !plan.is_given()
        && let Ok(session) = store.load(&plan.name)
        && session.record.state == SavedState::Finished
    {
        // It only opens, for which it need not be locked.
        return show_finished(session, display, store, &data, how);
    }
    let mut lock = lock?;
    let session = open(store, &mut lock, plan, planned)?;
    division_check::refuse_divided(&session)?;
    if how.exit_code {
        verdict::check(&session)?;
    }
    if session.record.state == SavedState::Finished {
        drop(lock);
        return show_finished(session, display, store, &data, how);
    }
    let started = |lock| {
        drop(lock);
        background::start(store, &data, &session.name, &how.machine)
    };
    match (display, ready) {
        (_, Some(mut ready)) => {
            let options = engine::options(store, data, &how.machine)?;
            let ended =
                engine::foreground(session, lock, options, how.foreground_options(), &mut ready)?;
            Ok(ended.into())
        }
        (Display::None, None) => {
            let SpawnedEngine { pid } = started(lock)?;
            control::wait_until_working(store, &session.name, pid)?;
            print_line(format_args!(
                "{0} runs in the background, process {pid}. View it: noisescope attach {0}",
                session.name
            ));
            Ok(ExitCode::SUCCESS)
        }
        (_, None) => {
            let options = how.screen.options()?;
            let SpawnedEngine { .. } = started(lock)?;
            let look = look::AttachView {
                store,
                data: &data,
                machine: &how.machine,
                options,
            };
            look.open(session, crate::link::Connection::Connecting, None)
        }
    }
}

/// Loads the session or creates it, as `planned`; a new one is saved before the run begins.
fn open(
    store: &Store,
    lock: &mut Lock,
    plan: &SessionArgs,
    planned: Option<Session>,
) -> Result<Session, CommandError> {
    if lock.session_exists()? {
        if plan.is_given() {
            let session = lock.load()?;
            if session.failed_with_nothing() {
                let mut fresh = plan.new_session(store)?;
                // Before anything has been measured, all notes are on the session as a whole.
                fresh.record.notes = session.record.notes;
                lock.save(&fresh)?;
                print_line(format_args!(
                    "{} had failed before anything was measured; it starts again with this plan",
                    plan.name
                ));
                return Ok(fresh);
            }
            return Err(CommandError::Usage(format!(
                "session `{}` already exists, and its plan cannot change; leave out --preset, --network and --set, or choose another name",
                plan.name
            )));
        }
        return Ok(lock.load()?);
    }
    let session = match planned {
        Some(session) => session,
        None => plan.new_session(store)?,
    };
    lock.save(&session)?;
    Ok(session)
}

fn show_finished(
    session: Session,
    display: Display,
    store: &Store,
    data: &Path,
    how: &RunArgs,
) -> Result<ExitCode, CommandError> {
    match display {
        Display::Dashboard => {
            let look = look::AttachView {
                store,
                data,
                machine: &how.machine,
                options: how.screen.options()?,
            };
            look.open(session, crate::link::Connection::ReadOnly, None)
        }
        Display::Lines(Style::Plain) => attach::summary(&session, &report::SessionStatus::Finished),
        Display::Lines(Style::Json) => {
            let path = store.path(&session.name);
            let link = Link::read_only(session);
            let mut out = std::io::stdout();
            match runtime()?.block_on(report::report_run(link, Style::Json, &path, &mut out)) {
                Ok(()) | Err(ReportError::Gone) => Ok(ExitCode::SUCCESS),
                Err(error) => Err(CommandError::failed(error)),
            }
        }
        Display::None => {
            print_line(format_args!(
                "{0} is finished. View it: noisescope attach {0}",
                session.name
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}
