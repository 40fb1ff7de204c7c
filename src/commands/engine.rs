//! The engine and its socket in one process: in the foreground of a terminal with its report, or
//! as a process of its own (the hidden command `engine`, which `run` starts).

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use super::Refusal;
use super::run::Machine;
use super::signals::{HUNG_UP, INTERRUPTED, Signals, TERMINATED, runtime};
use crate::engine::device::Choice;
use crate::engine::{Engine, Options};
use crate::link::server::serve;
use crate::link::socket::Bound;
use crate::link::{Command, Link};
use crate::report::{self, ReportError, Style};
use crate::session::Session;
use crate::session::run::Phase;
use crate::session::store::{Lock, Store};

/// What the engine needs.
pub fn options(store: &Store, data: PathBuf, machine: &Machine) -> Result<Options, Refusal> {
    Ok(Options {
        store: store.clone(),
        data,
        device: Choice::from_str(&machine.device)?,
        workers: machine.workers,
    })
}

/// Makes the socket for viewers. Without one the run goes on: only nobody can look in.
fn bind(store: &Store, lock: &mut Lock, name: &str) -> Option<Bound> {
    let bound = Bound::bind(store, name)
        .inspect_err(|error| eprintln!("noisescope: {error}; the run goes on without"))
        .ok()?;
    lock.tell_socket(bound.path())
        .inspect_err(|error| eprintln!("noisescope: {error}; nobody will find the socket"))
        .ok()?;
    Some(bound)
}

fn start(session: Session, lock: Lock, options: Options) -> Result<(Engine, Link), Refusal> {
    Engine::start(session, lock, options)
        .map_err(|error| Refusal::Failed(format!("cannot start the engine: {error}")))
}

/// Runs in the foreground and tells the run in lines; viewers may look in. INT, TERM and HUP stop
/// it after a checkpoint; a second INT ends the process at once.
pub fn foreground(
    session: Session,
    mut lock: Lock,
    options: Options,
    style: Style,
) -> Result<ExitCode, Refusal> {
    runtime()?.block_on(async {
        let store = options.store.clone();
        let path = store.path(&session.name);
        let mut signals = Signals::listen()?;
        let bound = bind(&store, &mut lock, &session.name);
        let (engine, link) = start(session, lock, options)?;
        let server = bound.zip(link.commands.clone()).map(|(bound, commands)| {
            tokio::spawn(serve(bound, link.sessions.clone(), commands))
        });
        let mut out = std::io::stdout();
        let told = report::run(link.clone(), style, &path, &mut out);
        tokio::pin!(told);
        let mut stopped_by = None;
        let told = loop {
            tokio::select! {
                biased;
                code = signals.next() => {
                    if code == INTERRUPTED && stopped_by == Some(INTERRUPTED) {
                        eprintln!("noisescope: aborted; the session file holds the last checkpoint");
                        std::process::exit(i32::from(INTERRUPTED));
                    }
                    stopped_by = stopped_by.or(Some(code));
                    link.say(Command::Stop);
                }
                told = &mut told => break told,
            }
        };
        if told.is_err() {
            link.say(Command::Stop);
        }
        until_over(&link).await;
        let end = link.newest();
        drop(link);
        engine.join();
        if let Some(server) = server {
            let _ = server.await;
        }
        if let Some(Phase::Failed(message)) = end.run.as_ref().map(|run| &run.phase) {
            return Err(Refusal::Failed(message.clone()));
        }
        match told {
            Err(ReportError::Gone) if stopped_by.is_none() => Err(Refusal::Failed(
                "nobody reads the report any more; the run was stopped after a checkpoint".into(),
            )),
            Err(ReportError::Write(error)) if stopped_by.is_none() => Err(Refusal::failed(error)),
            _ => Ok(stopped_by.map_or(ExitCode::SUCCESS, ExitCode::from)),
        }
    })
}

async fn until_over(link: &Link) {
    let mut sessions = link.sessions.clone();
    let over = |session: &Session| session.run.as_ref().is_some_and(|run| run.phase.is_over());
    while !over(&sessions.borrow_and_update()) && sessions.changed().await.is_ok() {}
}

/// The engine as a process of its own: in a session of its own, so that no terminal's end reaches
/// it; standard error is the log. HUP is ignored, INT and TERM stop it after a checkpoint.
pub fn background(
    store: &Store,
    data: PathBuf,
    name: &str,
    machine: &Machine,
) -> Result<ExitCode, Refusal> {
    // Fails only where it leads a session already, which is what is wanted.
    let _ = rustix::process::setsid();
    // Results of a long run must not depend on whether a log can be set up.
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .try_init();
    let options = options(store, data, machine)?;
    let mut lock = store.lock(name)?;
    let session = store.load(name)?;
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let bound = bind(store, &mut lock, name);
        let (engine, link) = start(session, lock, options)?;
        let server = bound
            .zip(link.commands.clone())
            .map(|(bound, commands)| tokio::spawn(serve(bound, link.sessions.clone(), commands)));
        let mut stopped_by = None;
        {
            let over = until_over(&link);
            tokio::pin!(over);
            loop {
                tokio::select! {
                    biased;
                    code = signals.next() => match code {
                        HUNG_UP => tracing::info!("a terminal hung up; the run goes on"),
                        code => {
                            debug_assert!(code == INTERRUPTED || code == TERMINATED);
                            stopped_by = Some(code);
                            link.say(Command::Stop);
                        }
                    },
                    () = &mut over => break,
                }
            }
        }
        let end = link.newest();
        drop(link);
        engine.join();
        if let Some(server) = server {
            let _ = server.await;
        }
        match end.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Failed(message)) => Err(Refusal::Failed(message.clone())),
            _ => Ok(stopped_by.map_or(ExitCode::SUCCESS, ExitCode::from)),
        }
    })
}
