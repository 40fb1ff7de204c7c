//! Runs the engine and its socket in this process: in the foreground with a line-by-line report, or
//! in the background (the hidden command `engine`, which `run` starts).

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Mutex;
use std::thread::JoinHandle;

use tokio::task::JoinHandle as Task;
use tracing_subscriber::fmt::MakeWriter;

use super::background::open_log;
use super::control::RETRY_TIME;
use super::machine::MachineArgs;
use super::output::complain;
use super::scheduler;
use super::signals::{
    EngineSignals, HUNG_UP, INTERRUPTED, REQUEUED, SignalAction, SignalLoop, runtime,
};
use super::{CommandError, division_check, holder};
use crate::engine::device::DeviceChoice;
use crate::engine::{Engine, EngineOptions, Goal};
use crate::link::server::{ViewerListener, serve};
use crate::link::{EngineCommand, Link};
use crate::report::{self, ReportError, Style};
use crate::session::Session;
use crate::session::run::Phase;
use crate::session::store::{Lock, Store};

/// The engine's options.
pub fn options(
    store: &Store,
    data: PathBuf,
    machine: &MachineArgs,
) -> Result<EngineOptions, CommandError> {
    Ok(EngineOptions {
        store: store.clone(),
        data,
        device: DeviceChoice::from_str(&machine.device)?,
        workers: machine.workers,
        launch: machine.launch,
        convolutions: machine.exact.map(Into::into),
        inputs: machine.inputs(),
        goal: Goal::Finished,
    })
}

/// A running engine and the server for its viewers.
struct Running {
    engine: Engine,
    link: Link,
    server: Option<Task<()>>,
}

impl Running {
    /// Opens the socket and starts the engine. Needs a runtime. Without a socket it runs all the same,
    /// but no viewer can connect.
    fn start(session: Session, lock: Lock, options: EngineOptions) -> Result<Self, CommandError> {
        let (door, bound) =
            ViewerListener::open(options.store.clone(), &session.name, lock.heartbeat()?);
        if let Err(error) = bound {
            complain(format_args!(
                "{error}; the run continues without it, and `kill -TERM {}` stops it after a checkpoint",
                std::process::id()
            ));
        }
        let (engine, link) = Engine::start(session, lock, options)
            .map_err(|error| CommandError::Failed(format!("cannot start the engine: {error}")))?;
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
    async fn wait_until_over(&self) {
        let mut sessions = self.link.sessions.clone();
        let over = |session: &Session| session.run.as_ref().is_some_and(|run| run.phase.is_over());
        while !over(&sessions.borrow_and_update()) && sessions.changed().await.is_ok() {}
    }

    /// Resolves once the engine has tried for a moment to save before it ends, and cannot.
    async fn wait_until_stuck(&self) {
        let mut sessions = self.link.sessions.clone();
        loop {
            while !cannot_end(&sessions.borrow_and_update()) {
                if sessions.changed().await.is_err() {
                    return std::future::pending().await;
                }
            }
            tokio::time::sleep(RETRY_TIME).await;
            if cannot_end(&sessions.borrow()) {
                return;
            }
        }
    }

    /// Waits for the engine to end. Signals stop it after a checkpoint: HUP only with `hang_up_stops`, USR1
    /// only with `requeued` (otherwise USR1 just writes a checkpoint), the others always. A second INT exits
    /// immediately. Says once if it cannot be saved and so does not end. Returns the exit code for the signal that
    /// stopped it.
    async fn handle_signals(
        &self,
        orders: &mut EngineSignals,
        hang_up_stops: bool,
        requeued: bool,
    ) -> Option<u8> {
        let over = self.wait_until_over();
        let stuck = self.wait_until_stuck();
        tokio::pin!(over, stuck);
        let mut told = false;
        let mut stopped_by = None;
        let mut interrupts = 0;
        loop {
            tokio::select! {
                biased;
                order = orders.next() => {
                    let code = match order {
                        SignalAction::Stop(code) => code,
                        SignalAction::Checkpoint if requeued => REQUEUED,
                        SignalAction::Checkpoint => {
                            self.link.send(EngineCommand::Checkpoint);
                            continue;
                        }
                    };
                    if code == HUNG_UP && !hang_up_stops {
                        tracing::info!("a terminal hung up; the run continues");
                        continue;
                    }
                    interrupts += u32::from(code == INTERRUPTED);
                    if interrupts == 2 {
                        complain(match self.link.newest().record.updated {
                            0 => "aborted; there is no checkpoint yet",
                            _ => "aborted; the session file holds the last checkpoint",
                        });
                        std::process::exit(i32::from(INTERRUPTED));
                    }
                    stopped_by = stopped_by.or(Some(code));
                    self.link.send(EngineCommand::Stop);
                }
                () = &mut over => return stopped_by,
                () = &mut stuck, if stopped_by.is_some() && !told => {
                    told = true;
                    let session = self.link.newest();
                    let name = &session.name;
                    complain(format_args!(
                        "{name} cannot be saved, so it has not ended; it ends as soon as it can be saved. To discard what \
                         is not saved: noisescope stop {name} --discard"
                    ));
                }
            }
        }
    }

    /// Waits for the engine's threads and the viewers' server.
    ///
    /// # Errors
    /// Why the run failed.
    async fn finish(self) -> Result<(), CommandError> {
        let phase = self.link.newest().run.as_ref().map(|run| run.phase.clone());
        drop(self.link);
        self.engine.join();
        if let Some(server) = self.server {
            let _ = server.await;
        }
        match phase {
            Some(Phase::Failed(message)) => Err(CommandError::Failed(message)),
            _ => Ok(()),
        }
    }
}

/// Whether nothing is left to do but to save, and the last attempt failed.
fn cannot_end(session: &Session) -> bool {
    let run = session.run.as_ref();
    run.is_some_and(|run| run.phase == Phase::Stopping && run.problem.is_some())
}

/// Whether a run that has ended left something to do. One that a signal told to stop may have finished all the same.
fn is_unfinished(session: &Session) -> bool {
    let run = session.run.as_ref();
    run.is_none_or(|run| run.phase != Phase::Finished)
}

/// Prints the run's report on a separate thread: its reader may be slow or blocked, and the run, its
/// signals and its viewers must not wait for it.
fn report_lines(link: Link, style: Style, path: PathBuf) -> JoinHandle<Result<(), ReportError>> {
    std::thread::spawn(move || {
        let stop = link.clone();
        let result = runtime()
            .map_err(|refusal| ReportError::Write(std::io::Error::other(refusal.to_string())))
            .and_then(|runtime| {
                runtime.block_on(report::report_run(
                    link,
                    style,
                    &path,
                    &mut std::io::stdout(),
                ))
            });
        if result.is_err() {
            stop.send(EngineCommand::Stop);
        }
        result
    })
}

/// How a foreground engine reports its progress, and how it reacts to the scheduler's signal.
#[derive(Debug, Clone, Copy)]
pub struct ForegroundOptions {
    /// The style of its report.
    pub style: Style,
    /// Whether USR1 stops the run and requeues the job.
    pub requeue: bool,
}

/// How a foreground run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForegroundEnd {
    /// It completed.
    Completed,
    /// With this exit code: stopped by a signal, or failed after the report has already said why.
    Exited(u8),
}

impl From<ForegroundEnd> for ExitCode {
    fn from(ended: ForegroundEnd) -> Self {
        match ended {
            ForegroundEnd::Completed => Self::SUCCESS,
            ForegroundEnd::Exited(code) => Self::from(code),
        }
    }
}

/// Runs in the foreground with a line-by-line report; viewers can connect. Signals stop it after a
/// checkpoint; a second INT exits immediately.
pub fn foreground(
    session: Session,
    lock: Lock,
    options: EngineOptions,
    manner: ForegroundOptions,
    ready: &mut SignalLoop,
) -> Result<ForegroundEnd, CommandError> {
    let SignalLoop {
        runtime,
        signals: orders,
    } = ready;
    runtime.block_on(async {
        let path = options.store.path(&session.name);
        // Not being able to write the log does not stop the run.
        if let Ok(log) = open_log(&options.store.log_path(&session.name)) {
            keep_log(Mutex::new(log));
        }
        let running = Running::start(session, lock, options)?;
        let reporter = report_lines(running.link.clone(), manner.style, path);
        let stopped_by = running.handle_signals(orders, true, manner.requeue).await;
        let code = stopped_by.filter(|_| is_unfinished(&running.link.newest()));
        let ended = running.finish().await;
        if code == Some(REQUEUED) && ended.is_ok() {
            scheduler::requeue()?;
        }
        let ended = ended.map(|()| code.map_or(ForegroundEnd::Completed, ForegroundEnd::Exited));
        if stopped_by.is_some() && !reporter.is_finished() {
            // A blocked reader gets only a moment for the last lines.
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            if !reporter.is_finished() {
                return ended;
            }
        }
        let reported = reporter.join().unwrap_or(Ok(()));
        match (reported, stopped_by) {
            // The report has already said why.
            (Ok(()), _)
                if matches!(ended, Err(CommandError::Failed(_))) && errors_join_output() =>
            {
                Ok(ForegroundEnd::Exited(1))
            }
            (Err(ReportError::Gone), None) => Err(CommandError::Failed(
                "the report's reader is gone; the run was stopped after a checkpoint".into(),
            )),
            (Err(error), None) => Err(CommandError::failed(error)),
            _ => ended,
        }
    })
}

/// Whether standard error and standard output go to the same terminal or file.
fn errors_join_output() -> bool {
    let place =
        |stat: std::io::Result<rustix::fs::Stat>| stat.map(|stat| (stat.st_dev, stat.st_ino)).ok();
    let output = rustix::fs::fstat(std::io::stdout()).map_err(Into::into);
    let errors = rustix::fs::fstat(std::io::stderr()).map_err(Into::into);
    place(output).is_some_and(|output| place(errors) == Some(output))
}

/// Sends the engine's log messages to this log from now on. A failure does not stop the run.
fn keep_log(log: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
    let _ = tracing_subscriber::fmt()
        .with_writer(log)
        .with_ansi(false)
        .with_target(false)
        .log_internal_errors(false)
        .try_init();
}

/// Runs the engine as a background process, in its own process session so that closing a terminal does
/// not reach it; standard error is the log. HUP is ignored, other signals stop it after a checkpoint.
pub fn background(
    store: &Store,
    data: PathBuf,
    name: &str,
    machine: &MachineArgs,
) -> Result<ExitCode, CommandError> {
    let SignalLoop {
        runtime,
        signals: mut orders,
    } = SignalLoop::start()?;
    // Fails only if this process already leads a session, which is fine.
    let _ = rustix::process::setsid();
    keep_log(std::io::stderr);
    let options = options(store, data, machine)?;
    // A session that does not exist is refused before its lock, and perhaps its folder, is created.
    store.load_head(name).or_else(|_| store.load(name))?;
    let mut lock = holder::lock(store, name)?;
    let session = lock.load()?;
    division_check::refuse_divided(&session)?;
    runtime.block_on(async {
        let running = Running::start(session, lock, options)?;
        let stopped_by = running.handle_signals(&mut orders, false, false).await;
        let code = stopped_by.filter(|_| is_unfinished(&running.link.newest()));
        running.finish().await?;
        Ok(code.map_or(ExitCode::SUCCESS, ExitCode::from))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Run};

    #[test]
    fn a_run_that_finished_was_not_stopped_by_a_signal() {
        let mut session = Session::new("mine", Config::default());
        assert!(is_unfinished(&session));
        for (phase, unfinished) in [(Phase::Stopped, true), (Phase::Finished, false)] {
            session.run = Some(Run {
                phase,
                ..Run::default()
            });
            assert_eq!(is_unfinished(&session), unfinished);
        }
    }

    #[test]
    fn only_an_engine_that_should_end_and_failed_to_save_cannot_end() {
        let mut session = Session::new("mine", Config::default());
        assert!(!cannot_end(&session));
        for (phase, problem, stuck) in [
            (Phase::Stopping, Some("full"), true),
            (Phase::Stopping, None, false),
            (Phase::Working(1), Some("full"), false),
            (Phase::Stopped, Some("full"), false),
        ] {
            session.run = Some(Run {
                phase,
                problem: problem.map(str::to_owned),
                ..Run::default()
            });
            assert_eq!(cannot_end(&session), stuck);
        }
    }
}
