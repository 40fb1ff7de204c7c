//! `noisescope run`: make or resume a session and run it, drawn or told in lines.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Plan, Refusal, attach};
use crate::data;
use crate::engine::device::Choice;
use crate::engine::{Engine, Options};
use crate::link::{Command, Link};
use crate::report::{self, ReportError, Style};
use crate::session::run::Phase;
use crate::session::store::{Store, check_name};
use crate::session::{Session, State};
use crate::tui;

/// How to run it.
#[derive(Debug, Args)]
pub struct How {
    /// auto or flex
    #[arg(long, default_value = "auto")]
    device: String,
    /// Blocks computed at the same time (default: one a core); results do not depend on it
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Tell the run in lines instead of drawing it
    #[arg(long, conflicts_with = "json")]
    plain: bool,
    /// Tell the run as one JSON object a line
    #[arg(long)]
    json: bool,
    /// Frames a second at most
    #[arg(long, value_name = "N", default_value_t = 10)]
    fps: u32,
}

/// How the run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    Drawn { fps: u32 },
    Told(Style),
}

/// The quickstart preset: what `noisescope` alone does.
pub fn quickstart(store: &Store, data: Option<&Path>) -> Result<ExitCode, Refusal> {
    let plan = Plan {
        name: "quickstart".into(),
        preset: None,
        settings: Vec::new(),
    };
    let how = How {
        device: "auto".into(),
        workers: None,
        plain: false,
        json: false,
        fps: 10,
    };
    run(store, data, &plan, &how)
}

/// Makes or resumes the session, runs it to its end, and gives the exit code.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    plan: &Plan,
    how: &How,
) -> Result<ExitCode, Refusal> {
    let device = Choice::from_str(&how.device)?;
    if how.workers == Some(0) {
        return Err(Refusal::Usage("--workers 0: give at least 1".into()));
    }
    let face = match (how.plain, how.json) {
        (_, true) => Face::Told(Style::Json),
        (false, false) if std::io::stdout().is_terminal() => Face::Drawn { fps: how.fps },
        _ => Face::Told(Style::Plain),
    };
    let data = data::data_dir(data).map_err(Refusal::failed)?;
    check_name(&plan.name)?;
    let lock = store.lock(&plan.name)?;
    let session = open(store, plan)?;
    if session.record.state == State::Finished {
        drop(lock);
        return show_finished(session, face, store);
    }
    let path = store.path(&session.name);
    let options = Options {
        store: store.clone(),
        data,
        device,
        workers: how.workers,
    };
    let (engine, link) = Engine::start(session, lock, options)
        .map_err(|error| Refusal::Failed(format!("cannot start the engine: {error}")))?;
    let code = runtime()?.block_on(watch(link, face, &path));
    engine.join();
    code
}

/// The session that exists, or a new one; a new one is on the disk before the run begins.
fn open(store: &Store, plan: &Plan) -> Result<Session, Refusal> {
    if store.exists(&plan.name) {
        if plan.is_given() {
            return Err(Refusal::Usage(format!(
                "session `{}` exists already, and what a run is does not change under it; leave out --preset and --set, or choose another name",
                plan.name
            )));
        }
        return Ok(store.load(&plan.name)?);
    }
    let session = Session::new(&plan.name, plan.config(store)?);
    store.save(&session)?;
    Ok(session)
}

fn show_finished(session: Session, face: Face, store: &Store) -> Result<ExitCode, Refusal> {
    match face {
        Face::Drawn { .. } => draw(Link::read_only(session)),
        Face::Told(Style::Plain) => attach::summary(&session),
        Face::Told(Style::Json) => {
            let path = store.path(&session.name);
            let link = Link::read_only(session);
            let mut out = std::io::stdout();
            match runtime()?.block_on(report::run(link, Style::Json, &path, &mut out)) {
                Ok(()) | Err(ReportError::Gone) => Ok(ExitCode::SUCCESS),
                Err(error) => Err(Refusal::failed(error)),
            }
        }
    }
}

/// Draws a session that no engine runs.
pub fn draw(link: Link) -> Result<ExitCode, Refusal> {
    runtime()?.block_on(async {
        tui::run(link, tui::Options::default())
            .await
            .map_err(Refusal::failed)?;
        Ok(ExitCode::SUCCESS)
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Refusal> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::Failed(format!("cannot start the event loop: {error}")))
}

/// The signals that end a run after a checkpoint, and the exit codes they mean.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;
const HUNG_UP: u8 = 129;

impl Signals {
    fn listen() -> Result<Self, String> {
        let listen =
            |kind| signal(kind).map_err(|error| format!("cannot listen to signals: {error}"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// The exit code of the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
            _ = self.hang_up.recv() => HUNG_UP,
        }
    }
}

/// Why nobody is shown the run any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// It is over, or the person left.
    ToTheEnd,
    /// A signal, or a terminal that is gone: the exit code.
    UntilSignal(u8),
    /// At once, without waiting for a checkpoint.
    Aborted,
}

/// Shows the run until it is over. INT, TERM and HUP stop it after a checkpoint; a second INT
/// ends the process at once.
async fn watch(link: Link, face: Face, path: &Path) -> Result<ExitCode, Refusal> {
    let shown = show_until_signal(&link, face, path).await;
    if shown == Ok(Shown::Aborted) {
        eprintln!("noisescope: aborted; the session file holds the last checkpoint");
        std::process::exit(i32::from(INTERRUPTED));
    }
    // Whatever became of the face, the engine ends with a checkpoint.
    if shown != Ok(Shown::ToTheEnd) {
        link.say(Command::Stop);
    }
    let mut sessions = link.sessions.clone();
    while !is_over(&sessions.borrow_and_update()) && sessions.changed().await.is_ok() {}
    let end = link.newest();
    let phase = end.run.as_ref().map(|run| &run.phase);
    if let Some(Phase::Failed(message)) = phase {
        return Err(Refusal::Failed(message.clone()));
    }
    match shown.map_err(Refusal::Failed)? {
        Shown::UntilSignal(code) => Ok(ExitCode::from(code)),
        _ => {
            if matches!(face, Face::Drawn { .. }) {
                farewell(&end, phase);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn show_until_signal(link: &Link, face: Face, path: &Path) -> Result<Shown, String> {
    let mut signals = Signals::listen()?;
    let shown = show(link.clone(), face, path);
    tokio::pin!(shown);
    let mut stopped_by = None;
    loop {
        tokio::select! {
            biased;
            code = signals.next() => {
                if code == INTERRUPTED && stopped_by == Some(INTERRUPTED) {
                    return Ok(Shown::Aborted);
                }
                stopped_by = stopped_by.or(Some(code));
                link.say(Command::Stop);
            }
            shown = &mut shown => {
                return shown.map(|shown| stopped_by.map_or(shown, Shown::UntilSignal));
            }
        }
    }
}

fn is_over(session: &Session) -> bool {
    session.run.as_ref().is_some_and(|run| run.phase.is_over())
}

/// One line after the screen is restored.
fn farewell(session: &Session, phase: Option<&Phase>) {
    let name = &session.name;
    if phase == Some(&Phase::Finished) {
        println!("{name} is finished. Look again: noisescope attach {name}");
    } else {
        println!("{name} is stopped, all it has done is saved. Go on: noisescope run {name}");
    }
}

async fn show(link: Link, face: Face, path: &Path) -> Result<Shown, String> {
    match face {
        Face::Drawn { fps } => {
            let options = tui::Options {
                fps,
                ..tui::Options::default()
            };
            match tui::run(link, options).await {
                Ok(tui::Exit::Over | tui::Exit::Left) => Ok(Shown::ToTheEnd),
                Ok(tui::Exit::Gone) => Ok(Shown::UntilSignal(HUNG_UP)),
                Ok(tui::Exit::Abort) => Ok(Shown::Aborted),
                Err(error) => Err(error.to_string()),
            }
        }
        Face::Told(style) => match report::run(link, style, path, &mut std::io::stdout()).await {
            Ok(()) => Ok(Shown::ToTheEnd),
            Err(ReportError::Gone) => Err(
                "nobody reads the report any more; the run was stopped after a checkpoint".into(),
            ),
            Err(error) => Err(error.to_string()),
        },
    }
}
