//! The event loop of the comparison: waits for keys and newer states of the two runs, and redraws when
//! something changed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::draw::draw;
use super::drawn::Drawn;
use super::sight::{Look, Sight};
use crate::comparison::{Compared, Misfit, Pair, Shown, Wish};
use crate::export::comparison::one;
use crate::link::Link;
use crate::session::Session;
use crate::tui::action::{self, Action, Place};
use crate::tui::clock::until;
use crate::tui::frames::Frames;
use crate::tui::input::{Input, Keys};
use crate::tui::options::{Options, TuiError};
use crate::tui::overlay::help;
use crate::tui::pen::Pen;
use crate::tui::size::Size;
use crate::tui::state::News;
use crate::tui::terminal::{self, Terminal};

/// Minimum time between two comparisons while runs continue.
const PACE: Duration = Duration::from_millis(700);

/// How often the loop checks that the terminal still exists.
const TICK: Duration = Duration::from_secs(1);

/// Why the screen ended. The terminal has been restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The user went back.
    Back,
    /// The terminal is gone.
    Gone,
}

/// The pending result of presenting the same trials to both networks.
pub type Alike = Receiver<Result<Shown, String>>;

/// Shows two sessions side by side until the user goes back. `alike`: the pending result, if both networks
/// are being presented with the same trials.
///
/// # Errors
/// If the terminal cannot be opened.
pub async fn compare(
    mut links: [Link; 2],
    wish: Wish,
    mut alike: Option<Alike>,
    options: Options,
) -> Result<End, TuiError> {
    let mut theme = options.theme();
    let terminal = Terminal::enter()?;
    let (events, mut inbox) = unbounded_channel();
    let _keys = Keys::start(terminal.keyboard().try_clone()?, events.clone())?;
    let pen = Pen::start(terminal.screen()?, events)?;
    if options.asks_background() {
        terminal.ask_background();
    }
    let (tell, mut written) = unbounded_channel();
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);

    let mut state = Seen::new(
        links.each_ref().map(Link::newest),
        Look::new(wish),
        options.keys,
    );
    let mut watching = [true; 2];
    let mut frames = Frames::new(options, Instant::now());
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
                Input::Gone | Input::Written(Err(_)) => break End::Gone,
                Input::Written(Ok(())) => frames.written(),
                Input::Pasted(text) => {
                    if state.paste(&text) {
                        frames.ask();
                    }
                }
                Input::Background(background) => {
                    terminal::has_background(background);
                    theme = theme.on(background);
                    frames.ask();
                }
                Input::Key(key) => match state.action(&key) {
                    Some(Action::ExportFigure) => {
                        state.export(&tell);
                        frames.ask();
                    }
                    Some(Action::EndComparison | Action::Interrupt) => break End::Back,
                    Some(Action::Suspend) => {
                        terminal.suspend();
                        if terminal.take().is_err() {
                            break End::Gone;
                        }
                        frames.forget();
                    }
                    Some(action) => {
                        state.update(action);
                        frames.ask();
                    }
                    None => {
                        if state.typed(&key) {
                            frames.ask();
                        }
                    }
                },
            },
            Some(news) = written.recv() => {
                state.look.news = Some(news);
                frames.ask();
            }
            _ = resized.recv() => frames.ask(),
            _ = continued.recv() => {
                if terminal.take().is_err() {
                    break End::Gone;
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
                frames.ask();
            }
            () = until(frames.due(PACE)) => {}
            _ = clock.tick() => {
                if terminal.is_gone() {
                    break End::Gone;
                }
            }
        }
    };
    drop(pen);
    drop(terminal);
    Ok(end)
}

/// Waits for the result; forever if none is pending.
async fn pending(alike: &mut Option<Alike>) -> Result<Shown, String> {
    match alike {
        Some(alike) => {
            let result = alike.await;
            result.unwrap_or_else(|_| Err("the task ended without a result".into()))
        }
        None => std::future::pending().await,
    }
}

/// The loop's state between two events.
struct Seen {
    sessions: [Arc<Session>; 2],
    look: Look,
    sight: Result<Sight, Misfit>,
    alike: Option<Result<Shown, String>>,
    keys: action::Keys,
}

impl Seen {
    fn new(sessions: [Arc<Session>; 2], look: Look, keys: action::Keys) -> Self {
        Self {
            keys,
            sight: Sight::new([&sessions[0], &sessions[1]], &look),
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
        self.sight = Sight::new([&self.sessions[0], &self.sessions[1]], &self.look);
    }

    /// The action of a key; also clears the last notice.
    fn action(&mut self, key: &KeyEvent) -> Option<Action> {
        self.look.news = None;
        action::of_key_at(key, self.keys, self.places())
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
    fn export(&mut self, tell: &UnboundedSender<News>) {
        let Ok(sight) = &self.sight else { return };
        let (gamma, response) = (sight.gamma, sight.compared.response);
        let sessions = self.sessions.clone();
        let (wish, class, tell) = (self.look.wish.clone(), self.look.class, tell.clone());
        self.look.news = Some(News::done("writing the figure"));
        tokio::task::spawn_blocking(move || {
            let written = match Pair::new(&sessions[0], &sessions[1], &wish) {
                Ok(pair) => {
                    let compared = Compared::new(&pair, gamma, response);
                    one(&pair, &compared, class, Path::new("")).map_err(|error| error.to_string())
                }
                Err(misfit) => Err(misfit.to_string()),
            };
            let _ = tell.send(News::of_file(written));
        });
    }

    fn update(&mut self, action: Action) {
        let Ok(sight) = &self.sight else { return };
        if sight.is_possible(action) && self.look.update(action, sight) {
            self.compare();
        }
    }

    fn places(&self) -> Vec<Place> {
        let place = match (self.look.help, &self.look.jump) {
            (Some(_), _) => Place::Help,
            (None, Some(_)) => Place::Jump,
            (None, None) => Place::Comparison,
        };
        vec![place, Place::Everywhere]
    }

    fn drawn(&self) -> Drawn<'_> {
        Drawn {
            sessions: [&self.sessions[0], &self.sessions[1]],
            look: &self.look,
            sight: self.sight.as_ref(),
            alike: self
                .alike
                .as_ref()
                .map(|result| result.as_ref().map_err(String::as_str)),
            places: self.places(),
            keys: self.keys,
        }
    }
}
