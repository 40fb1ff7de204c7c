//! The dashboard's loop: waits for keys, newer states of the run and the clock, and draws when
//! something changed, at most so often.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::action;
use super::input::{Input, Keys};
use super::pen::{Painter, Pen};
use super::state::{Engine, State};
use super::terminal::Terminal;
use super::theme::{Background, Theme};
use super::update::{Effect, engine_ended, update};
use super::view::{self, Size};
use crate::link::Link;
use crate::session::Session;
use crate::session::run::Phase;

/// How the dashboard is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Most frames a second.
    pub fps: u32,
    /// What stands behind the text; `None`: what the environment says.
    pub background: Option<Background>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fps: 10,
            background: None,
        }
    }
}

/// Why the dashboard ended. The terminal has been given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The engine has stopped or failed; the session's phase says which.
    Over,
    /// The person left a session that nobody runs any more.
    Left,
    /// The person does not want to wait for the checkpoint of a stop.
    Abort,
    /// There is no terminal any more: the window closed or the connection dropped.
    Gone,
}

/// Why the dashboard could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal refused.
    #[error("the terminal cannot show the dashboard ({0}); `--plain` needs none")]
    Terminal(#[from] io::Error),
}

/// Shows a session until its run has ended or the person leaves.
///
/// Needs a tokio runtime with time and signals. It never waits for the terminal: keys and frames
/// have threads of their own.
///
/// # Errors
/// Where the terminal cannot be taken.
pub async fn run(mut link: Link, options: Options) -> Result<Exit, TuiError> {
    let mut theme = Theme::from_env();
    if let Some(background) = options.background {
        theme = Theme::new(theme.depth, background, theme.glyphs.unicode);
    }
    let terminal = Terminal::enter()?;
    let (events, mut inbox) = unbounded_channel();
    let _keys = Keys::start(terminal.keyboard().try_clone()?, events.clone())?;
    let pen = Pen::start(terminal.screen()?, events)?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;

    let mut dashboard = Dashboard::new(&link, theme, options, &terminal);
    let mut watching = link.commands.is_some();
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let exit = loop {
        if let Some(exit) = dashboard.ended(&link, watching) {
            break exit;
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
                    engine_ended(&mut dashboard.state);
                }
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
    drop(pen);
    drop(terminal);
    Ok(exit)
}

/// Takes one input and whatever else is there already, so that keys that came together are drawn
/// together.
fn take(
    dashboard: &mut Dashboard,
    first: Option<Input>,
    inbox: &mut UnboundedReceiver<Input>,
    link: &Link,
    terminal: &Terminal,
) -> Option<Exit> {
    let mut next = first;
    while let Some(input) = next {
        match input {
            Input::Gone | Input::Written(Err(_)) => return Some(Exit::Gone),
            Input::Written(Ok(())) => dashboard.writing = false,
            Input::Key(key) => {
                let Some(action) = action::of_key(&key, &dashboard.state) else {
                    next = inbox.try_recv().ok();
                    continue;
                };
                match update(
                    &mut dashboard.state,
                    action,
                    &dashboard.session,
                    &dashboard.theme,
                ) {
                    Effect::None => {}
                    Effect::Redraw => dashboard.changed = true,
                    Effect::Say(command) => {
                        link.say(command);
                        dashboard.changed = true;
                    }
                    Effect::Leave => return Some(Exit::Left),
                    Effect::Abort => return Some(Exit::Abort),
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

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

/// What the loop knows between two events.
struct Dashboard {
    session: Arc<Session>,
    state: State,
    theme: Theme,
    painter: Painter,
    /// Least time between two frames.
    frame: Duration,
    /// Whether what the viewer looks at changed since the last frame.
    changed: bool,
    /// Whether a newer state of the run waits to be drawn.
    stale: bool,
    /// Whether a frame is still on its way to the terminal.
    writing: bool,
    began: Instant,
    /// When the last frame was drawn, and the last that showed a newer state.
    drawn: Option<Instant>,
    renewed: Option<Instant>,
}

impl Dashboard {
    fn new(link: &Link, theme: Theme, options: Options, terminal: &Terminal) -> Self {
        let engine = match link.commands {
            Some(_) => Engine::Listens,
            None => Engine::None,
        };
        let mut state = State::new(engine);
        state.zone = jiff::tz::TimeZone::system();
        state.now = now();
        let mut dashboard = Self {
            session: link.newest(),
            state,
            theme,
            painter: Painter::default(),
            frame: Duration::from_secs(1) / options.fps.clamp(1, 60),
            changed: true,
            stale: false,
            writing: false,
            began: Instant::now(),
            drawn: None,
            renewed: None,
        };
        dashboard.resize(terminal);
        dashboard
    }

    fn resize(&mut self, terminal: &Terminal) {
        let (width, height) = terminal.size();
        self.state.size = Size { width, height };
        self.changed = true;
    }

    /// After somebody else had the terminal.
    fn take_again(&mut self, terminal: &Terminal) {
        self.painter.forget();
        self.resize(terminal);
    }

    /// A newer state of the run is there.
    fn newer(&mut self, link: &Link) {
        self.stale = true;
        // What the run is doing now is not held back.
        let newest = link.sessions.borrow();
        let phase = |session: &Session| session.run.as_ref().map(|run| run.phase.clone());
        if phase(&newest) != phase(&self.session) {
            self.renewed = None;
        }
    }

    /// The clock moved on: ages in sight grow.
    fn tick(&mut self) {
        if self.session.run.is_some() {
            self.state.now = now();
            self.changed = true;
        }
    }

    /// Whether the run is over in a way that ends the dashboard.
    fn ended(&self, link: &Link, watching: bool) -> Option<Exit> {
        link.commands.as_ref()?;
        let newest = link.sessions.borrow();
        match newest.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Stopped | Phase::Failed(_)) => Some(Exit::Over),
            Some(Phase::Finished) => None,
            _ if watching => None,
            _ => Some(Exit::Over),
        }
    }

    /// When the next frame is due; `None` while nothing changed or one is on its way.
    fn due(&self) -> Option<Instant> {
        if self.writing {
            return None;
        }
        let at = |last: Option<Instant>, pace: Duration| match last {
            Some(last) => last + pace,
            None => self.began,
        };
        let viewer = self.changed.then(|| at(self.drawn, self.frame));
        let run = self.stale.then(|| {
            let pace = self.state.view().pace;
            at(self.renewed, pace).max(at(self.drawn, self.frame))
        });
        [viewer, run].into_iter().flatten().min()
    }

    fn draw_if_due(&mut self, link: &Link, pen: &Pen) {
        let now = Instant::now();
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        let pace = self.state.view().pace;
        if self.stale && self.renewed.is_none_or(|last| last + pace <= now) {
            self.session = link.newest();
            self.stale = false;
            self.renewed = Some(now);
            self.state.now = self::now();
        }
        self.changed = false;
        self.drawn = Some(now);
        let size = (self.state.size.width, self.state.size.height);
        let (session, state, theme) = (&self.session, &self.state, &self.theme);
        let frame = self.painter.paint(size, |area, buf| {
            view::draw(session, state, theme, area, buf);
        });
        if !frame.is_empty() {
            self.writing = true;
            pen.write(frame);
        }
    }
}

/// Seconds since the Unix epoch.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() as i64)
}
