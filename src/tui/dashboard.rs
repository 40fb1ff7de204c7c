//! The dashboard's event loop: waits for keys, newer states of the run and the clock, and redraws at a
//! limited rate when something changed.

mod live;

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use self::live::Dashboard;
use super::clock::{now, until};
use super::copying::figure_in;
use super::figure_screen;
use super::input::TerminalEvent;
use super::open_screen::{OpenScreen, start_threads};
use super::options::{DisplayOptions, TuiError};
use super::state::{DashboardState, Notice};
use super::terminal::Terminal;
use super::update::{self, Effect};
use crate::link::{Connection, EngineCommand, Link};
use crate::session::config::Extension;

/// Why the dashboard ended. The terminal has been restored.
#[derive(Debug, Clone)]
pub enum Exit {
    /// The engine has stopped or failed; the session's phase tells which.
    Over,
    /// The user left. The run, if there is one, continues.
    Left,
    /// The user wants to resume the session with a new engine. Start one, then call [`run`] with this state
    /// to restore the view.
    Resume(Box<DashboardState>),
    /// The same, with more trials for the classification images at this index in the plan.
    Extend(Box<DashboardState>, usize, Extension),
    /// The user wants to compare the session with another. Call [`run`] with this state afterwards.
    Compare(Box<DashboardState>),
    /// The terminal is gone: the window closed or the connection dropped.
    Gone,
}

/// Shows a session until its run has stopped or failed, or the user leaves. `earlier` is the state of an
/// earlier dashboard that ended with [`Exit::Resume`].
///
/// Needs a tokio runtime with time and signals. It never waits for the terminal: keys and frames have their
/// own threads.
///
/// # Errors
/// If the terminal cannot be opened.
pub async fn run(
    mut link: Link,
    options: DisplayOptions,
    earlier: Option<DashboardState>,
) -> Result<Exit, TuiError> {
    let OpenScreen {
        terminal,
        events,
        mut inbox,
        mut keys,
        mut pen,
        mut resized,
        mut continued,
        mut clock,
    } = OpenScreen::enter(&options)?;

    let (tell, mut notices) = unbounded_channel();
    let mut dashboard = Dashboard::new(&link, options, earlier, &terminal, tell);
    let is_watched = *link.connection.borrow() == Connection::Watched;
    let (mut watching, mut connected) = (link.commands.is_some() || is_watched, true);
    let mut answered = true;
    let exit = loop {
        if let Some(exit) = dashboard.ended(&link, watching) {
            break exit;
        }
        if let Some(figure) = dashboard.requested_figure.take() {
            // Nothing else may read or write while the terminal's capabilities are queried.
            drop((keys, pen));
            let (session, theme) = (Arc::clone(&dashboard.session), dashboard.theme.clone());
            let shown =
                figure_screen::show_figure(&terminal, session, figure, theme, &events, &mut inbox);
            let is_gone = shown.await?;
            if is_gone || terminal.take().is_err() {
                return Ok(Exit::Gone);
            }
            (keys, pen) = start_threads(&terminal, &events)?;
            dashboard.frames.written();
            dashboard.take_again(&terminal);
        }
        dashboard.draw_if_due(&link, &pen);
        let due = dashboard.due();
        tokio::select! {
            biased;
            input = inbox.recv() => {
                if let Some(exit) = take(&mut dashboard, input, &mut inbox, &link, &terminal) {
                    break exit;
                }
            }
            _ = resized.recv() => dashboard.resize(&terminal),
            _ = continued.recv() => {
                if terminal.take().is_err() {
                    break Exit::Gone;
                }
                dashboard.take_again(&terminal);
            }
            changed = link.sessions.changed(), if watching => match changed {
                Ok(()) => dashboard.newer(&link),
                Err(_) => {
                    watching = false;
                    dashboard.newer(&link);
                }
            },
            Some(news) = notices.recv() => dashboard.notify(news),
            changed = link.rejection.changed(), if answered => match changed {
                Ok(()) => {
                    let words = link.rejection.borrow_and_update().clone();
                    dashboard.notify(Notice::failed(words));
                }
                // No engine is left to refuse anything.
                Err(_) => answered = false,
            },
            changed = link.connection.changed(), if connected => match changed {
                Ok(()) => dashboard.connection(&link),
                Err(_) => connected = false,
            },
            () = until(due) => {}
            _ = clock.tick() => {
                if terminal.is_gone() {
                    break Exit::Gone;
                }
                dashboard.tick();
            }
        }
    };
    drop((keys, pen));
    drop(terminal);
    Ok(exit)
}

/// Handles one input and any others already waiting, so that keys pressed together are drawn together.
fn take(
    dashboard: &mut Dashboard,
    first: Option<TerminalEvent>,
    inbox: &mut UnboundedReceiver<TerminalEvent>,
    link: &Link,
    terminal: &Terminal,
) -> Option<Exit> {
    let mut next = first;
    while let Some(input) = next {
        match input {
            TerminalEvent::Gone | TerminalEvent::Written(Err(_)) => return Some(Exit::Gone),
            TerminalEvent::Written(Ok(())) => dashboard.frames.written(),
            TerminalEvent::Background(background) => dashboard.set_background(background),
            TerminalEvent::Pasted(text) => {
                if update::paste(&mut dashboard.state, &text) {
                    dashboard.frames.request();
                }
            }
            TerminalEvent::Key(key) => {
                match dashboard.key(&key) {
                    Effect::None => {}
                    Effect::Redraw => dashboard.frames.request(),
                    Effect::Send(mut command) => {
                        if let EngineCommand::Note(note) = &mut command {
                            // The displayed clock does not advance when no engine runs.
                            note.written = now();
                        }
                        dashboard.stopping |= command == EngineCommand::Stop;
                        link.send(command);
                        dashboard.frames.request();
                    }
                    Effect::Show => {
                        dashboard.requested_figure =
                            figure_in(&dashboard.state, &dashboard.session);
                        // Keys typed after it are for the picture.
                        return None;
                    }
                    Effect::Export(figure) => dashboard.export(figure),
                    Effect::Copy(text) => dashboard.copy(text),
                    Effect::Leave => return Some(Exit::Left),
                    Effect::Resume => {
                        let state = Box::new(dashboard.state.clone());
                        return Some(Exit::Resume(state));
                    }
                    Effect::Extend(images, more) => {
                        let state = Box::new(dashboard.state.clone());
                        return Some(Exit::Extend(state, images, more));
                    }
                    Effect::Compare => {
                        let state = Box::new(dashboard.state.clone());
                        return Some(Exit::Compare(state));
                    }
                    Effect::Suspend => {
                        terminal.suspend();
                        if terminal.take().is_err() {
                            return Some(Exit::Gone);
                        }
                        dashboard.take_again(terminal);
                    }
                }
            }
        }
        next = inbox.try_recv().ok();
    }
    None
}
