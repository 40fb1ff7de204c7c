//! A look at one figure at full resolution: the dashboard steps aside, the picture is written on
//! the main screen, and a key brings the dashboard back.

use std::io::{self, Write};
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::input::{Input, Keys};
use super::picture::{self, Protocol, Screen};
use super::terminal::Terminal;
use crate::figure::Figure;
use crate::session::Session;

/// Shows the figure until Enter is pressed. True: the terminal is gone.
///
/// # Errors
/// Where no thread for the keys can be had.
pub async fn look(
    terminal: &Terminal,
    session: Arc<Session>,
    figure: Figure,
    events: &UnboundedSender<Input>,
    inbox: &mut UnboundedReceiver<Input>,
) -> io::Result<bool> {
    terminal.step_aside();
    // On a thread of its own: a slow line must not keep a signal waiting.
    let written = tokio::task::spawn_blocking(move || write(&session, &figure)).await;
    let words = match written {
        Ok(Ok(())) => "Enter: back".to_string(),
        Ok(Err(words)) => format!("{words}   Enter: back"),
        Err(_) => "the picture could not be drawn   Enter: back".into(),
    };
    // Said only once keys are read: what is pressed at the word must not arrive as something else.
    let _raw = Raw::enter();
    let _keys = Keys::start(terminal.keyboard().try_clone()?, events.clone())?;
    let _ = write!(io::stdout(), "{words}\r\n").and_then(|()| io::stdout().flush());
    loop {
        match inbox.recv().await {
            None | Some(Input::Gone) => return Ok(true),
            Some(Input::Key(key)) if is_enough(&key) => return Ok(false),
            Some(_) => {}
        }
    }
}

fn write(session: &Session, figure: &Figure) -> Result<(), String> {
    let screen = Screen::find(Protocol::Auto);
    picture::show(session, figure, &screen, None).map_err(|error| error.to_string())
}

fn is_enough(key: &KeyEvent) -> bool {
    matches!(
        key.code,
        KeyCode::Enter | KeyCode::Esc | KeyCode::Char('q' | 'i' | 'c')
    )
}

/// Keys as they are pressed and without echo, until this is dropped.
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
