//! `noisescope run`: make or resume a session and run it. Drawn, the engine is a process of its
//! own and this one only looks; told in lines, the engine is in this process.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::background::{self, Started};
use super::machine::Machine;
use super::say::say;
use super::signals::{Ready, runtime};
use super::{Plan, Refusal, attach, control, divided, engine, look};
use crate::data;
use crate::link::Link;
use crate::report::{self, ReportError, Style};
use crate::session::store::{Lock, Store, check_name};
use crate::session::{Session, State};
use crate::tui::theme::can_draw;

/// How to run it.
#[derive(Debug, Default, Args)]
pub struct How {
    #[command(flatten)]
    machine: Machine,
    /// Tell the run in lines instead of drawing it, and keep the engine in the foreground
    #[arg(long, conflicts_with = "json")]
    plain: bool,
    /// The same as one JSON object a line
    #[arg(long)]
    json: bool,
    /// Start the engine and return
    #[arg(long, conflicts_with_all = ["plain", "json"])]
    detach: bool,
    /// Under Slurm: on USR1, which a job gets before its time is over, write a checkpoint and ask for its place in the
    /// queue again; told in lines. Without it USR1 writes a checkpoint and the run goes on
    #[arg(long, conflicts_with = "detach")]
    requeue: bool,
    /// How it is drawn: words that every command takes.
    #[arg(skip)]
    pub line: look::Line,
}

impl How {
    /// Whether it is told as JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// How a run of this process is told, where it is told in lines.
    pub fn manner(&self) -> engine::Manner {
        engine::Manner {
            style: if self.json { Style::Json } else { Style::Plain },
            requeue: self.requeue,
        }
    }

    /// What the engine computes on.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Whether the person asks for something that only a drawn or a left run has.
    pub fn is_left_alone(&self) -> bool {
        self.detach
    }

    /// What it is to compute on.
    pub fn device(&self) -> &str {
        &self.machine.device
    }
}

/// How the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Drawn,
    Told(Style),
    None,
}

/// Goes on with a session that exists.
pub fn go_on(
    store: &Store,
    data: Option<&Path>,
    name: &str,
    how: &How,
) -> Result<ExitCode, Refusal> {
    run(store, data, &Plan::named(name, None), how)
}

/// Makes or resumes the session, runs it, and gives the exit code.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &Plan,
    how: &How,
) -> Result<ExitCode, Refusal> {
    how.machine.check()?;
    let face = match (how.plain || how.requeue, how.json, how.detach) {
        (_, true, _) => Face::Told(Style::Json),
        (_, _, true) => Face::None,
        (false, _, _) if can_draw() => Face::Drawn,
        _ => Face::Told(Style::Plain),
    };
    // An engine in this process hears signals from before it writes anything.
    let ready = match face {
        Face::Told(_) => Some(Ready::now()?),
        Face::Drawn | Face::None => None,
    };
    let data = data::data_dir(data).map_err(Refusal::failed)?;
    check_name(&plan.name)?;
    // Held while the session is made, so that nobody else makes or runs it.
    let mut lock = store.lock(&plan.name)?;
    let session = open(store, &mut lock, plan)?;
    divided::refuse_divided(&session)?;
    if session.record.state == State::Finished {
        drop(lock);
        return show_finished(session, face, store, &data, how);
    }
    let started = |lock| {
        drop(lock);
        background::start(store, &data, &session.name, &how.machine)
    };
    match (face, ready) {
        (_, Some(mut ready)) => {
            let options = engine::options(store, data, &how.machine)?;
            let ended = engine::foreground(session, lock, options, how.manner(), &mut ready)?;
            Ok(ended.into())
        }
        (Face::None, None) => {
            let Started { pid } = started(lock)?;
            control::at_work(store, &session.name)?;
            say(format_args!(
                "{0} runs in the background, process {pid}. Look in: noisescope attach {0}",
                session.name
            ));
            Ok(ExitCode::SUCCESS)
        }
        (_, None) => {
            // What is wrong with the preferences is told before anything is started.
            let options = how.line.options()?;
            let Started { .. } = started(lock)?;
            let look = look::Look {
                store,
                data: &data,
                machine: &how.machine,
                options,
            };
            look.at(session, crate::link::Connection::Connecting, None)
        }
    }
}

/// The session that exists, or a new one; a new one is on the disk before the run begins.
fn open(store: &Store, lock: &mut Lock, plan: &Plan) -> Result<Session, Refusal> {
    if lock.finds_session()? {
        if plan.is_given() {
            let session = lock.load()?;
            if session.failed_with_nothing() {
                let mut anew = Session::new(&plan.name, plan.config(store)?);
                // Before anything has been measured, notes are on the session as a whole.
                anew.record.notes = session.record.notes;
                lock.save(&anew)?;
                say(format_args!(
                    "{} had failed before anything was measured; it begins anew with this plan",
                    plan.name
                ));
                return Ok(anew);
            }
            return Err(Refusal::Usage(format!(
                "session `{}` exists already, and what a run is does not change under it; leave out --preset, --network and --set, or choose another name",
                plan.name
            )));
        }
        return Ok(lock.load()?);
    }
    let session = Session::new(&plan.name, plan.config(store)?);
    lock.save(&session)?;
    Ok(session)
}

fn show_finished(
    session: Session,
    face: Face,
    store: &Store,
    data: &Path,
    how: &How,
) -> Result<ExitCode, Refusal> {
    match face {
        Face::Drawn => {
            let look = look::Look {
                store,
                data,
                machine: &how.machine,
                options: how.line.options()?,
            };
            look.at(session, crate::link::Connection::ReadOnly, None)
        }
        Face::Told(Style::Plain) => attach::summary(&session, &report::Standing::Finished),
        Face::Told(Style::Json) => {
            let path = store.path(&session.name);
            let link = Link::read_only(session);
            let mut out = std::io::stdout();
            match runtime()?.block_on(report::run(link, Style::Json, &path, &mut out)) {
                Ok(()) | Err(ReportError::Gone) => Ok(ExitCode::SUCCESS),
                Err(error) => Err(Refusal::failed(error)),
            }
        }
        Face::None => {
            say(format_args!(
                "{0} is finished. Look at it: noisescope attach {0}",
                session.name
            ));
            Ok(ExitCode::SUCCESS)
        }
    }
}
