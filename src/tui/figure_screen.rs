//! Shows one figure at full resolution: the dashboard leaves the alternate screen, the picture is written on
//! the main screen, and a key brings the dashboard back.

use std::io::{self, Write};
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::action::{self, Action, KeyContext};
use super::input::{KeyReader, TerminalEvent};
use super::picture::{self, Protocol, TerminalDisplay};
use super::terminal::Terminal;
use super::theme::Theme;
use crate::figure::Figure;
use crate::session::Session;

/// Shows the figure until Enter is pressed, or until the program continues after Ctrl-Z: the shell has then written
/// below it. Returns true if the terminal is gone.
///
/// # Errors
/// If the thread that reads keys cannot be started.
pub async fn show_figure(
    terminal: &Terminal,
    session: Arc<Session>,
    figure: Figure,
    theme: Theme,
    events: &UnboundedSender<TerminalEvent>,
    inbox: &mut UnboundedReceiver<TerminalEvent>,
) -> io::Result<bool> {
    terminal.step_aside();
    // On its own thread: a slow terminal must not delay signals.
    let written = tokio::task::spawn_blocking(move || write(&session, &figure, &theme)).await;
    let message = match written {
        Ok(Ok(())) => "Enter: back".to_string(),
        Ok(Err(message)) => format!("{message}   Enter: back"),
        Err(_) => "the picture could not be drawn   Enter: back".into(),
    };
    // Written only once keys are read, so that a key pressed at the prompt is not misread.
    let raw = Raw::enter();
    let _keys = KeyReader::start(terminal.keyboard().try_clone()?, events.clone())?;
    let _ = write!(io::stdout(), "{message}\r\n").and_then(|()| io::stdout().flush());
    loop {
        match inbox.recv().await {
            None | Some(TerminalEvent::Gone) => return Ok(true),
            Some(TerminalEvent::Key(key)) if is_enough(&key) => return Ok(false),
            Some(TerminalEvent::Key(key)) if suspends(&key) => {
                drop(raw);
                terminal.suspend();
                return Ok(false);
            }
            Some(_) => {}
        }
    }
}

fn write(session: &Session, figure: &Figure, theme: &Theme) -> Result<(), String> {
    let screen = TerminalDisplay::find(Protocol::Auto, theme);
    picture::show(session, figure, &screen, None).map_err(|error| error.to_string())
}

fn is_enough(key: &KeyEvent) -> bool {
    matches!(
        key.code,
        KeyCode::Enter | KeyCode::Esc | KeyCode::Char('q' | 'i' | 'c')
    )
}

/// Whether a key suspends the program, as in every place of the dashboard.
fn suspends(key: &KeyEvent) -> bool {
    let action = action::action_for_key(key, action::TABLE, vec![KeyContext::Everywhere]);
    action == Some(Action::Suspend)
}

/// Raw mode, without echo, until dropped.
struct Raw;

impl Raw {
    fn enter() -> Option<Self> {
        enable_raw_mode().ok().map(|()| Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = disable_raw_mode();
    }
}
