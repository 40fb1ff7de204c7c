//! The event loop of the comparison: waits for keys and newer states of the two runs, and redraws when
//! something changed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot::Receiver;
use tokio::time::Instant;

use super::content::{ComparisonContent, ComparisonState};
use super::draw::draw;
use super::scene::ComparisonScene;
use crate::comparison::{
    ComparisonError, ComparisonRequest, MapComparison, SessionPair, SharedTrialDecisions,
};
use crate::export::comparison::write_one;
use crate::link::Link;
use crate::session::Session;
use crate::tui::action::{self, Action, KeyContext};
use crate::tui::clock::until;
use crate::tui::frames::FrameScheduler;
use crate::tui::input::TerminalEvent;
use crate::tui::open_screen::OpenScreen;
use crate::tui::options::{DisplayOptions, TuiError};
use crate::tui::overlay::help;
use crate::tui::size::Size;
use crate::tui::state::Notice;
use crate::tui::terminal;

/// Minimum time between two comparisons while runs continue.
const PACE: Duration = Duration::from_millis(700);

/// Why the screen ended. The terminal has been restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonExit {
    /// The user went back.
    Back,
    /// The terminal is gone.
    Gone,
}

/// The pending result of presenting the same trials to both networks.
pub type PendingAgreement = Receiver<Result<SharedTrialDecisions, String>>;

/// Shows two sessions side by side until the user goes back. `alike`: the pending result, if both networks
/// are being presented with the same trials.
///
/// # Errors
/// If the terminal cannot be opened.
pub async fn compare(
    mut links: [Link; 2],
    wish: ComparisonRequest,
    mut alike: Option<PendingAgreement>,
    options: DisplayOptions,
) -> Result<ComparisonExit, TuiError> {
    let mut theme = options.theme();
    let OpenScreen {
        terminal,
        mut inbox,
        keys: _keys,
        pen,
        mut resized,
        mut continued,
        mut clock,
        ..
    } = OpenScreen::enter(&options)?;
    let (tell, mut written) = unbounded_channel();

    let mut state = ComparisonLoop::new(
        links.each_ref().map(Link::newest),
        ComparisonState::new(wish),
        options.keys,
    );
    let mut watching = [true; 2];
    let mut frames = FrameScheduler::new(options, Instant::now());
    let end = loop {
        let at = Instant::now();
        let size = Size::from(terminal.size());
        state.look.last_help = help::furthest_of_comparison(options.keys, size);
        if let Some(due) = frames.next(PACE, at) {
            if due.renews {
                state.renew(links.each_ref().map(Link::newest));
            }
            let drawn = state.drawn();
            let paint = |area, buf: &mut _| draw(&drawn, &theme, area, buf);
            let bytes = frames.paint(due, terminal.size(), &theme.palette, at, paint);
            if !bytes.is_empty() {
                pen.write(bytes);
            }
        }
        let [a, b] = &mut links;
        tokio::select! {
            biased;
            Some(input) = inbox.recv() => match input {
                TerminalEvent::Gone | TerminalEvent::Written(Err(_)) => break ComparisonExit::Gone,
                TerminalEvent::Written(Ok(())) => frames.written(),
                TerminalEvent::Pasted(text) => {
                    if state.paste(&text) {
                        frames.request();
                    }
                }
                TerminalEvent::Background(background) => {
                    terminal::has_background(background);
                    theme = theme.with_background(background);
                    frames.request();
                }
                TerminalEvent::Key(key) => match state.action(&key) {
                    Some(Action::ExportFigure) => {
                        state.export(&tell);
                        frames.request();
                    }
                    Some(Action::EndComparison | Action::Interrupt) => break ComparisonExit::Back,
                    Some(Action::Suspend) => {
                        terminal.suspend();
                        if terminal.take().is_err() {
                            break ComparisonExit::Gone;
                        }
                        frames.forget();
                    }
                    Some(action) => {
                        state.update(action);
                        frames.request();
                    }
                    None => {
                        if state.typed(&key) {
                            frames.request();
                        }
                    }
                },
            },
            Some(news) = written.recv() => {
                state.look.notice = Some(news);
                frames.request();
            }
            _ = resized.recv() => frames.request(),
            _ = continued.recv() => {
                if terminal.take().is_err() {
                    break ComparisonExit::Gone;
                }
                frames.forget();
            }
            changed = a.sessions.changed(), if watching[0] => {
                watching[0] = changed.is_ok();
                frames.newer();
            }
            changed = b.sessions.changed(), if watching[1] => {
                watching[1] = changed.is_ok();
                frames.newer();
            }
            result = pending(&mut alike) => {
                alike = None;
                state.alike = Some(result);
                frames.request();
            }
            () = until(frames.due(PACE)) => {}
            _ = clock.tick() => {
                if terminal.is_gone() {
                    break ComparisonExit::Gone;
                }
            }
        }
    };
    drop(pen);
    drop(terminal);
    Ok(end)
}

/// Waits for the result; forever if none is pending.
async fn pending(alike: &mut Option<PendingAgreement>) -> Result<SharedTrialDecisions, String> {
    match alike {
        Some(alike) => {
            let result = alike.await;
            result.unwrap_or_else(|_| Err("the task ended without a result".into()))
        }
        None => std::future::pending().await,
    }
}

/// The loop's state between two events.
struct ComparisonLoop {
    sessions: [Arc<Session>; 2],
    look: ComparisonState,
    sight: Result<ComparisonContent, ComparisonError>,
    alike: Option<Result<SharedTrialDecisions, String>>,
    keys: action::KeyBindings,
}

impl ComparisonLoop {
    fn new(sessions: [Arc<Session>; 2], look: ComparisonState, keys: action::KeyBindings) -> Self {
        Self {
            keys,
            sight: ComparisonContent::new([&sessions[0], &sessions[1]], &look),
            sessions,
            look,
            alike: None,
        }
    }

    /// Takes the sessions, if they are newer.
    fn renew(&mut self, sessions: [Arc<Session>; 2]) {
        let mut pairs = self.sessions.iter().zip(&sessions);
        if pairs.all(|(a, b)| Arc::ptr_eq(a, b)) {
            return;
        }
        self.sessions = sessions;
        self.compare();
    }

    fn compare(&mut self) {
        self.sight = ComparisonContent::new([&self.sessions[0], &self.sessions[1]], &self.look);
        if self.sight.is_err() {
            // Without content only the key that goes back has a meaning, and there is nothing to cover.
            (self.look.help, self.look.jump) = (None, None);
        }
    }

    /// The action of a key; also clears the last notice.
    fn action(&mut self, key: &KeyEvent) -> Option<Action> {
        self.look.notice = None;
        action::action_for_key(key, self.keys, self.places())
    }

    /// Takes a typed character if text is being typed; returns whether it was.
    fn typed(&mut self, key: &KeyEvent) -> bool {
        match (&mut self.look.jump, action::typed(key)) {
            (Some(jump), Some(c)) => {
                jump.typed.push(c);
                jump.chosen = 0;
                true
            }
            _ => false,
        }
    }

    /// The same for pasted text.
    fn paste(&mut self, text: &str) -> bool {
        let Some(jump) = &mut self.look.jump else {
            return false;
        };
        jump.typed.extend(text.chars().filter(|c| !c.is_control()));
        jump.chosen = 0;
        true
    }

    /// Writes the maps of the chosen class into the current folder, on its own thread.
    fn export(&mut self, tell: &UnboundedSender<Notice>) {
        let Ok(sight) = &self.sight else { return };
        let (gamma_index, response) = (sight.gamma_index, sight.compared.response);
        let sessions = self.sessions.clone();
        let (wish, class, tell) = (self.look.request.clone(), self.look.class, tell.clone());
        self.look.notice = Some(Notice::writing());
        tokio::task::spawn_blocking(move || {
            let written = match SessionPair::new(&sessions[0], &sessions[1], &wish) {
                Ok(pair) => {
                    let compared = MapComparison::new(&pair, gamma_index, response);
                    write_one(&pair, &compared, class, Path::new(""))
                        .map_err(|error| error.to_string())
                }
                Err(misfit) => Err(misfit.to_string()),
            };
            let _ = tell.send(Notice::of_file(written));
        });
    }

    fn update(&mut self, action: Action) {
        let Ok(sight) = &self.sight else { return };
        if sight.is_possible(action) && self.look.update(action, sight) {
            self.compare();
        }
    }

    fn places(&self) -> Vec<KeyContext> {
        let place = match (self.look.help, &self.look.jump) {
            (Some(_), _) => KeyContext::Help,
            (None, Some(_)) => KeyContext::Jump,
            (None, None) => KeyContext::Comparison,
        };
        vec![place, KeyContext::Everywhere]
    }

    fn drawn(&self) -> ComparisonScene<'_> {
        ComparisonScene {
            sessions: [&self.sessions[0], &self.sessions[1]],
            state: &self.look,
            content: self.sight.as_ref(),
            agreement: self
                .alike
                .as_ref()
                .map(|result| result.as_ref().map_err(String::as_str)),
            contexts: self.places(),
            keys: self.keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;
    use crate::tui::state::PickerState;

    #[test]
    fn nothing_covers_the_message_that_two_sessions_cannot_be_compared() {
        let session = || Arc::new(Session::new("mine", Config::default()));
        let look = ComparisonState::new(ComparisonRequest::default());
        let mut state = ComparisonLoop::new([session(), session()], look, action::TABLE);
        state.look.help = Some(0);
        state.look.jump = Some(PickerState::default());
        state.renew([session(), session()]);
        assert!(state.sight.is_err());
        assert_eq!(
            state.places(),
            [KeyContext::Comparison, KeyContext::Everywhere]
        );
    }
}
