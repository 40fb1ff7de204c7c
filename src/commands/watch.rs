//! The dashboard on a session, whoever runs it, and what is said once it is left.

use std::process::ExitCode;

use super::look::Look;
use super::say::{complain, say};
use super::signals::{HUNG_UP, Signals, runtime};
use super::{Refusal, background, compare, extended};
use crate::link::{Connection, Link, client, shards};
use crate::session::run::{Phase, shards_in_words};
use crate::session::store::timestamp;
use crate::session::{Session, State};
use crate::tui::{self, Start};

impl Look<'_> {
    /// Draws the session until the person leaves or the run ends. `connection` says whether an
    /// engine is expected; `start`, where to begin.
    pub fn at(
        &self,
        session: Session,
        connection: Connection,
        start: Option<Start>,
    ) -> Result<ExitCode, Refusal> {
        let state = start.map(|start| {
            let mut state = tui::State::new(connection.clone(), tui::views::of(&session));
            match state.go_to(&start, &session) {
                Ok(()) => Ok(state),
                Err(problem) => Err(Refusal::Usage(format!("{}: {problem}", session.name))),
            }
        });
        let state = state.transpose()?;
        runtime()?.block_on(self.watch(session, connection, state))
    }

    async fn watch(
        &self,
        mut session: Session,
        mut connection: Connection,
        mut state: Option<tui::State>,
    ) -> Result<ExitCode, Refusal> {
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
                    // The terminal is given back as the dashboard is dropped; the run goes on.
                    code = signals.next() => return Ok(ExitCode::from(code)),
                    drawn = &mut drawn => drawn.map_err(Refusal::failed)?,
                }
            };
            match shown {
                tui::Exit::Over | tui::Exit::Left => {
                    let newest = link.newest();
                    told(link).await;
                    return self.farewell(&newest);
                }
                tui::Exit::Gone => {
                    told(link).await;
                    return Ok(ExitCode::from(HUNG_UP));
                }
                tui::Exit::Extend(left, images, more) => {
                    // What was said first must not meet the lock of what follows.
                    told(link).await;
                    extended::in_file(self.store, &name, images, more)?;
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
                    told(link).await;
                    connection = match self.store.engine(&name) {
                        Some(_) => Connection::Connecting,
                        None => Connection::ReadOnly,
                    };
                    state = Some(*left);
                }
                tui::Exit::Resume(left) => {
                    let newest = link.newest();
                    told(link).await;
                    let started = background::start(self.store, self.data, &name, self.machine);
                    // Somebody else may have been quicker: then there is an engine to look at.
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

    /// One line after the screen is restored.
    fn farewell(&self, session: &Session) -> Result<ExitCode, Refusal> {
        let name = &session.name;
        let phase = session.run.as_ref().map(|run| &run.phase);
        if let Some(Phase::Failed(message)) = phase {
            return Err(Refusal::Failed(message.clone()));
        }
        if let (Some(sharding), Some(run)) = (&session.record.sharding, &session.run) {
            say(format_args!(
                "{name}: {} shards, {}. Look in again: noisescope attach {name}   Once all are done: noisescope merge {name}",
                sharding.count,
                shards_in_words(&run.shards)
            ));
            return Ok(ExitCode::SUCCESS);
        }
        let again = format!("Go on: noisescope run {name}");
        say(
            match (self.store.engine(name), phase, &session.record.state) {
                (Some(engine), phase, _) if !phase.is_some_and(Phase::is_over) => format!(
                    "{name} runs on, process {}. Look in again: noisescope attach {name}   Stop it: noisescope stop {name}",
                    engine.pid
                ),
                (_, Some(Phase::Finished), _) | (_, None, State::Finished) => {
                    format!("{name} is finished. Look again: noisescope attach {name}")
                }
                (_, Some(Phase::Stopped), _) | (_, None, State::Stopped) => {
                    format!("{name} is stopped, all it has done is saved. {again}")
                }
                (_, _, State::New) => format!("{name} has not been run yet. {again}"),
                (_, _, State::Failed(message)) => format!("{name} failed: {message}. {again}"),
                _ => format!(
                    "{name} was interrupted; its file has what was saved at {}. {again}",
                    timestamp(session.record.updated)
                ),
            },
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// Lets what was said arrive, and tells what could not be done.
async fn told(link: Link) {
    if let Some(problem) = link.ended().await {
        complain(problem);
    }
}
