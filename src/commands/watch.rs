//! Runs the dashboard on a session, whichever process runs its engine, and prints a closing line.

use std::process::ExitCode;

use super::look::AttachView;
use super::output::{complain, print_line};
use super::signals::{HUNG_UP, Signals, runtime};
use super::{CommandError, background, compare, extend_file};
use crate::format::counted;
use crate::link::{Connection, Link, client, shards};
use crate::session::run::{Phase, shards_in_words};
use crate::session::store::timestamp;
use crate::session::{SavedState, Session};
use crate::tui::{self, Location};

impl AttachView<'_> {
    /// Draws the session until the user leaves or the run ends. `connection` says whether an engine is
    /// expected; `start` is where to open the views.
    pub fn open(
        &self,
        session: Session,
        connection: Connection,
        start: Option<Location>,
    ) -> Result<ExitCode, CommandError> {
        let state = start.map(|start| {
            let mut state = tui::DashboardState::new(connection.clone(), tui::views::of(&session));
            match state.open_at(start, &session) {
                Ok(()) => Ok(state),
                Err(problem) => Err(CommandError::Usage(format!("{}: {problem}", session.name))),
            }
        });
        let state = state.transpose()?;
        runtime()?.block_on(self.watch(session, connection, state))
    }

    async fn watch(
        &self,
        mut session: Session,
        mut connection: Connection,
        mut state: Option<tui::DashboardState>,
    ) -> Result<ExitCode, CommandError> {
        let mut signals = Signals::listen()?;
        let name = session.name.clone();
        loop {
            let link = match &session.record.sharding {
                Some(_) => shards::watch(self.store.clone(), session),
                None => client::follow(self.store.clone(), session, connection),
            };
            let shown = {
                let drawn = tui::run(link.clone(), self.options, state.take());
                tokio::pin!(drawn);
                tokio::select! {
                    biased;
                    // Dropping the dashboard restores the terminal; the run continues.
                    code = signals.next() => return Ok(ExitCode::from(code)),
                    drawn = &mut drawn => drawn.map_err(CommandError::failed)?,
                }
            };
            match shown {
                tui::Exit::Over | tui::Exit::Left => {
                    let newest = link.newest();
                    report_problem(link).await;
                    return self.farewell(&newest);
                }
                tui::Exit::Gone => {
                    report_problem(link).await;
                    return Ok(ExitCode::from(HUNG_UP));
                }
                tui::Exit::Extend(left, images, more) => {
                    // Wait for pending commands, which would otherwise meet the lock taken below.
                    report_problem(link).await;
                    extend_file::extend_in_file(self.store, &name, images, more)?;
                    background::start(self.store, self.data, &name, self.machine)?;
                    session = self.store.load(&name)?;
                    connection = Connection::Connecting;
                    state = Some(*left);
                }
                tui::Exit::Compare(left) => {
                    if let Some(code) = compare::with_another(self, &name, &mut signals).await? {
                        return Ok(ExitCode::from(code));
                    }
                    session = Session::clone(&link.newest());
                    report_problem(link).await;
                    connection = match self.store.engine(&name) {
                        Some(_) => Connection::Connecting,
                        None => Connection::ReadOnly,
                    };
                    state = Some(*left);
                }
                tui::Exit::Resume(left) => {
                    let newest = link.newest();
                    report_problem(link).await;
                    let started = background::start(self.store, self.data, &name, self.machine);
                    // Another process may have started an engine first; then view that one.
                    if self.store.engine(&name).is_none() {
                        started?;
                    }
                    session = Session::clone(&newest);
                    connection = Connection::Connecting;
                    state = Some(*left);
                }
            }
        }
    }

    /// Prints a line once the screen is restored.
    fn farewell(&self, session: &Session) -> Result<ExitCode, CommandError> {
        let name = &session.name;
        let phase = session.run.as_ref().map(|run| &run.phase);
        if let Some(Phase::Failed(message)) = phase {
            return Err(CommandError::Failed(message.clone()));
        }
        if let (Some(sharding), Some(run)) = (&session.record.sharding, &session.run) {
            print_line(format_args!(
                "{name}: {}, {}. View again: noisescope attach {name}   Once all are done: noisescope merge {name}",
                counted(u64::from(sharding.count), "shard", "shards"),
                shards_in_words(&run.shards)
            ));
            return Ok(ExitCode::SUCCESS);
        }
        let resume = format!("Resume: noisescope run {name}");
        print_line(
            match (self.store.engine(name), phase, &session.record.state) {
                (Some(engine), phase, _) if !phase.is_some_and(Phase::is_over) => format!(
                    "{name} keeps running, process {}. View again: noisescope attach {name}   Stop it: noisescope stop {name}",
                    engine.pid
                ),
                (_, Some(Phase::Finished), _) | (_, None, SavedState::Finished) => {
                    format!("{name} is finished. View again: noisescope attach {name}")
                }
                (_, Some(Phase::Stopped), _) | (_, None, SavedState::Stopped) => {
                    format!("{name} is stopped, and everything is saved. {resume}")
                }
                (_, _, SavedState::New) => {
                    format!("{name} has not been run yet. Run it: noisescope run {name}")
                }
                (_, _, SavedState::Failed(message)) => {
                    format!("{name} failed: {message}. {resume}")
                }
                _ => format!(
                    "{name} was interrupted; its file has the checkpoint of {}. {resume}",
                    timestamp(session.record.updated)
                ),
            },
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// Waits until pending commands have arrived, and reports what could not be done.
async fn report_problem(link: Link) {
    if let Some(problem) = link.close().await {
        complain(problem);
    }
}
