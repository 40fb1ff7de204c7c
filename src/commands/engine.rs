//! The engine and its socket in one process: in the foreground of a terminal with its report, or
//! as a process of its own (the hidden command `engine`, which `run` starts).

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Mutex;
use std::thread::JoinHandle;

use tokio::task::JoinHandle as Task;
use tracing_subscriber::fmt::MakeWriter;

use super::background::open_log;
use super::machine::{Exact, Machine};
use super::say::complain;
use super::scheduler;
use super::signals::{HUNG_UP, INTERRUPTED, Order, Orders, REQUEUED, Ready, runtime};
use super::{Refusal, divided};
use crate::engine::device::Choice;
use crate::engine::{Engine, Options, Until};
use crate::link::server::{Door, serve};
use crate::link::{Command, Link};
use crate::report::{self, ReportError, Style};
use crate::session::Session;
use crate::session::run::Phase;
use crate::session::store::{Lock, Store};

/// What the engine needs.
pub fn options(store: &Store, data: PathBuf, machine: &Machine) -> Result<Options, Refusal> {
    Exact::set(machine.exact);
    Ok(Options {
        store: store.clone(),
        data,
        device: Choice::from_str(&machine.device)?,
        workers: machine.workers,
        launch: machine.launch,
        inputs: machine.inputs(),
        until: Until::Finished,
    })
}

/// An engine at work and the server of its viewers.
struct Running {
    engine: Engine,
    link: Link,
    server: Option<Task<()>>,
}

impl Running {
    /// Makes the socket and starts the engine. Needs a runtime. Without a socket the run goes on:
    /// only nobody can look in.
    fn start(session: Session, lock: Lock, options: Options) -> Result<Self, Refusal> {
        let (door, bound) = Door::open(options.store.clone(), &session.name, lock.voice()?);
        if let Err(error) = bound {
            complain(format_args!(
                "{error}; the run goes on without, and `kill -TERM {}` stops it after a checkpoint",
                std::process::id()
            ));
        }
        let (engine, link) = Engine::start(session, lock, options)
            .map_err(|error| Refusal::Failed(format!("cannot start the engine: {error}")))?;
        let commands = link.commands.clone();
        let server =
            commands.map(|commands| tokio::spawn(serve(door, link.sessions.clone(), commands)));
        Ok(Self {
            engine,
            link,
            server,
        })
    }

    /// Resolves once the engine's phase is over.
    async fn over(&self) {
        let mut sessions = self.link.sessions.clone();
        let over = |session: &Session| session.run.as_ref().is_some_and(|run| run.phase.is_over());
        while !over(&sessions.borrow_and_update()) && sessions.changed().await.is_ok() {}
    }

    /// Waits for the engine's end while signals stop it after a checkpoint: HUP only where
    /// `hang_up_stops`, the others always; USR1 only asks for the checkpoint. A second INT ends the
    /// process at once. Gives the exit code of the signal that stopped it. Where the run is `requeued`, USR1 stops it
    /// too.
    async fn obey(&self, orders: &mut Orders, hang_up_stops: bool, requeued: bool) -> Option<u8> {
        let over = self.over();
        tokio::pin!(over);
        let mut stopped_by = None;
        let mut interrupts = 0;
        loop {
            tokio::select! {
                biased;
                order = orders.next() => {
                    let code = match order {
                        Order::Stop(code) => code,
                        Order::Checkpoint if requeued => REQUEUED,
                        Order::Checkpoint => {
                            self.link.say(Command::Checkpoint);
                            continue;
                        }
                    };
                    if code == HUNG_UP && !hang_up_stops {
                        tracing::info!("a terminal hung up; the run goes on");
                        continue;
                    }
                    interrupts += u32::from(code == INTERRUPTED);
                    if interrupts == 2 {
                        complain("aborted; the session file holds the last checkpoint");
                        std::process::exit(i32::from(INTERRUPTED));
                    }
                    stopped_by = stopped_by.or(Some(code));
                    self.link.say(Command::Stop);
                }
                () = &mut over => return stopped_by,
            }
        }
    }

    /// Waits for threads and viewers.
    ///
    /// # Errors
    /// Why the run failed.
    async fn end(self) -> Result<(), Refusal> {
        let phase = self.link.newest().run.as_ref().map(|run| run.phase.clone());
        drop(self.link);
        self.engine.join();
        if let Some(server) = self.server {
            let _ = server.await;
        }
        match phase {
            Some(Phase::Failed(message)) => Err(Refusal::Failed(message)),
            _ => Ok(()),
        }
    }
}

/// Tells the run in lines, on a thread of its own: whoever reads them may be slow or stand still,
/// and the run, its signals and its viewers do not wait for him.
fn tell(link: Link, style: Style, path: PathBuf) -> JoinHandle<Result<(), ReportError>> {
    std::thread::spawn(move || {
        let stop = link.clone();
        let told = runtime()
            .map_err(|refusal| ReportError::Write(std::io::Error::other(refusal.to_string())))
            .and_then(|runtime| {
                runtime.block_on(report::run(link, style, &path, &mut std::io::stdout()))
            });
        if told.is_err() {
            stop.say(Command::Stop);
        }
        told
    })
}

/// How an engine of this process is told, and what it does on the scheduler's word.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How it is told in lines.
    pub style: Style,
    /// Whether USR1 asks for a place in the queue again.
    pub requeue: bool,
}

/// How a run of this process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Well,
    /// By a signal, with this exit code; or it failed, and whoever reads the report has read why.
    With(u8),
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Well => Self::SUCCESS,
            Ended::With(code) => Self::from(code),
        }
    }
}

/// Runs in the foreground and tells the run in lines; viewers may look in. Signals stop it after a
/// checkpoint; a second INT ends the process at once.
pub fn foreground(
    session: Session,
    lock: Lock,
    options: Options,
    manner: Manner,
    ready: &mut Ready,
) -> Result<Ended, Refusal> {
    let Ready { runtime, orders } = ready;
    runtime.block_on(async {
        let path = options.store.path(&session.name);
        // The log lies on the same disk as the session: where it cannot be written, the run goes on.
        if let Ok(log) = open_log(&options.store.log_path(&session.name)) {
            keep_log(Mutex::new(log));
        }
        let running = Running::start(session, lock, options)?;
        let told = tell(running.link.clone(), manner.style, path);
        let stopped_by = running.obey(orders, true, manner.requeue).await;
        let ended = running.end().await;
        if stopped_by == Some(REQUEUED) && ended.is_ok() {
            scheduler::requeue()?;
        }
        let ended = ended.map(|()| stopped_by.map_or(Ended::Well, Ended::With));
        if stopped_by.is_some() && !told.is_finished() {
            // A reader that stands still gets a moment for the last lines, and no more.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            if !told.is_finished() {
                return ended;
            }
        }
        let told = told.join().unwrap_or(Ok(()));
        match (told, stopped_by) {
            // Whoever reads the report has read why.
            (Ok(()), _) if matches!(ended, Err(Refusal::Failed(_))) && errors_join_output() => {
                Ok(Ended::With(1))
            }
            (Err(ReportError::Gone), None) => Err(Refusal::Failed(
                "nobody reads the report any more; the run was stopped after a checkpoint".into(),
            )),
            (Err(error), None) => Err(Refusal::failed(error)),
            _ => ended,
        }
    })
}

/// Whether standard error goes where standard output goes: a terminal, or one log of both.
fn errors_join_output() -> bool {
    let place =
        |file: std::io::Result<rustix::fs::Stat>| file.map(|it| (it.st_dev, it.st_ino)).ok();
    let output = rustix::fs::fstat(std::io::stdout()).map_err(Into::into);
    let errors = rustix::fs::fstat(std::io::stderr()).map_err(Into::into);
    place(output).is_some_and(|output| place(errors) == Some(output))
}

/// Writes what an engine reports to this log from now on. Where that fails, the run goes on.
fn keep_log(log: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
    let _ = tracing_subscriber::fmt()
        .with_writer(log)
        .with_ansi(false)
        .with_target(false)
        .log_internal_errors(false)
        .try_init();
}

/// The engine as a process of its own: in a session of its own, so that no terminal's end reaches
/// it; standard error is the log. HUP is ignored, other signals stop it after a checkpoint.
pub fn background(
    store: &Store,
    data: PathBuf,
    name: &str,
    machine: &Machine,
) -> Result<ExitCode, Refusal> {
    let Ready {
        runtime,
        mut orders,
    } = Ready::now()?;
    // Fails only where it leads a session already, which is what is wanted.
    let _ = rustix::process::setsid();
    keep_log(std::io::stderr);
    let options = options(store, data, machine)?;
    let mut lock = store.lock(name)?;
    let session = lock.load()?;
    divided::refuse_divided(&session)?;
    runtime.block_on(async {
        let running = Running::start(session, lock, options)?;
        let stopped_by = running.obey(&mut orders, false, false).await;
        running.end().await?;
        Ok(stopped_by.map_or(ExitCode::SUCCESS, ExitCode::from))
    })
}
