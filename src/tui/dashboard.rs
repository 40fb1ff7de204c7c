//! The dashboard's loop: waits for keys, newer states of the run and the clock, and draws when
//! something changed, at most so often.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::aside;
use super::clipboard;
use super::clock::{now, until};
use super::frame;
use super::frames::Frames;
use super::input::{Input, Keys};
use super::options::{Options, TuiError};
use super::pen::Pen;
use super::shared::is_finished;
use super::size::Size;
use super::state::{News, State};
use super::takeaway::figure_in;
use super::terminal::{self, Terminal};
use super::theme::{Background, Theme};
use super::update::{self, Effect};
use super::views;
use crate::export;
use crate::figure::Figure;
use crate::link::{Command, Connection, Link};
use crate::session::Session;
use crate::session::config::Extension;
use crate::session::record;
use crate::session::run::Phase;

/// Why the dashboard ended. The terminal has been given back.
#[derive(Debug, Clone)]
pub enum Exit {
    /// The engine has stopped or failed; the session's phase says which.
    Over,
    /// The person left. The run, if there is one, goes on.
    Left,
    /// The person wants a new engine to go on with the session. Start one, and [`run`] again with
    /// this state: then the dashboard looks at what it looked at.
    Resume(Box<State>),
    /// The same, with more trials of the plan's classification images of this number.
    Extend(Box<State>, usize, Extension),
    /// The person wants to see the session beside another. [`run`] again with this state afterwards.
    Compare(Box<State>),
    /// There is no terminal any more: the window closed or the connection dropped.
    Gone,
}

/// Shows a session until its run has been stopped or has failed, or the person leaves. `earlier` is
/// what an earlier dashboard looked at when it ended with [`Exit::Resume`].
///
/// Needs a tokio runtime with time and signals. It never waits for the terminal: keys and frames
/// have threads of their own.
///
/// # Errors
/// Where the terminal cannot be taken.
pub async fn run(
    mut link: Link,
    options: Options,
    earlier: Option<State>,
) -> Result<Exit, TuiError> {
    let terminal = Terminal::enter()?;
    let (events, mut inbox) = unbounded_channel();
    let mut keys = Keys::start(terminal.keyboard().try_clone()?, events.clone())?;
    let mut pen = Pen::start(terminal.screen()?, events.clone())?;
    if options.asks_background() {
        terminal.ask_background();
    }
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;

    let (tell, mut told) = unbounded_channel();
    let mut dashboard = Dashboard::new(&link, options, earlier, &terminal, tell);
    let is_watched = *link.connection.borrow() == Connection::Watched;
    let (mut watching, mut connected) = (link.commands.is_some() || is_watched, true);
    let mut answered = true;
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let exit = loop {
        if let Some(exit) = dashboard.ended(&link, watching) {
            break exit;
        }
        if let Some(figure) = dashboard.wanted.take() {
            // Nobody else reads or writes while the terminal is asked what it can show.
            drop((keys, pen));
            let session = Arc::clone(&dashboard.session);
            let left = aside::look(&terminal, session, figure, &events, &mut inbox).await?;
            if left || terminal.take().is_err() {
                return Ok(Exit::Gone);
            }
            keys = Keys::start(terminal.keyboard().try_clone()?, events.clone())?;
            pen = Pen::start(terminal.screen()?, events.clone())?;
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
            Some(news) = told.recv() => dashboard.told(news),
            changed = link.refused.changed(), if answered => match changed {
                Ok(()) => {
                    let words = link.refused.borrow_and_update().clone();
                    dashboard.told(News::failed(words));
                }
                // Nobody is there who could refuse anything.
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
            Input::Written(Ok(())) => dashboard.frames.written(),
            Input::Background(background) => dashboard.on(background),
            Input::Pasted(text) => {
                if update::paste(&mut dashboard.state, &text) {
                    dashboard.frames.ask();
                }
            }
            Input::Key(key) => {
                let effect = update::key(
                    &mut dashboard.state,
                    &key,
                    &dashboard.session,
                    &dashboard.theme,
                );
                match effect {
                    Effect::None => {}
                    Effect::Redraw => dashboard.frames.ask(),
                    Effect::Say(mut command) => {
                        if let Command::Note(note) = &mut command {
                            // The clock in sight stands still where no engine runs.
                            note.written = now();
                        }
                        dashboard.stopping |= command == Command::Stop;
                        link.say(command);
                        dashboard.frames.ask();
                    }
                    Effect::Show => {
                        dashboard.wanted = figure_in(&dashboard.state, &dashboard.session);
                        // What was typed after it is for the picture.
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

/// What the loop knows between two events.
struct Dashboard {
    session: Arc<Session>,
    state: State,
    theme: Theme,
    frames: Frames,
    /// Whether the person here has asked the engine to stop.
    stopping: bool,
    /// The figure that the person wants to see at full resolution.
    wanted: Option<Figure>,
    /// What is for the terminal beside the next frame.
    besides: Vec<u8>,
    /// Where what came of something is told.
    tell: UnboundedSender<News>,
}

/// Characters of what was copied that are told.
const TOLD: usize = 60;

impl Dashboard {
    fn new(
        link: &Link,
        options: Options,
        earlier: Option<State>,
        terminal: &Terminal,
        tell: UnboundedSender<News>,
    ) -> Self {
        let connection = link.connection.borrow().clone();
        let mut state = match earlier {
            Some(mut earlier) => {
                earlier.shared.connection = connection;
                earlier.shared.frozen = None;
                earlier
            }
            None => State::new(connection, views::of(&link.newest())),
        };
        state.shared.keys = options.keys;
        state.program = options.program;
        state.shared.zone = jiff::tz::TimeZone::system();
        state.shared.past = link.past();
        state.shared.now = now();
        let mut dashboard = Self {
            session: link.newest(),
            state,
            theme: options.theme(),
            frames: Frames::new(options, Instant::now()),
            stopping: false,
            wanted: None,
            besides: Vec::new(),
            tell,
        };
        dashboard.state.shared.settle(&dashboard.session);
        dashboard.resize(terminal);
        dashboard
    }

    /// The terminal has said what stands behind the text.
    fn on(&mut self, background: Background) {
        terminal::has_background(background);
        if background != self.theme.background {
            self.theme = self.theme.clone().on(background);
            self.frames.ask();
        }
    }

    /// What came of something that was done.
    fn told(&mut self, news: News) {
        self.state.news = Some(news);
        self.frames.ask();
    }

    /// Writes a figure into the current folder, on a thread of its own.
    fn export(&mut self, figure: Figure) {
        let (session, tell) = (Arc::clone(&self.session), self.tell.clone());
        self.told(News::done("writing the figure"));
        tokio::task::spawn_blocking(move || {
            let written = export::figure(&session, &figure, Path::new(""));
            // Whoever has left is told nothing; the file is there.
            let _ = tell.send(News::of_file(written));
        });
    }

    /// Puts a text on the clipboard, with the next frame.
    fn copy(&mut self, text: String) {
        if text.len() > clipboard::MOST {
            self.told(News::failed("it is too long for a terminal's clipboard"));
            return;
        }
        let told = match text.chars().count() {
            ..=TOLD => text.clone(),
            _ => text.chars().take(TOLD - 1).chain(['…']).collect(),
        };
        self.told(News::done(format!("copied: {told}")));
        self.besides.extend(clipboard::put(text));
    }

    fn resize(&mut self, terminal: &Terminal) {
        let (width, height) = terminal.size();
        self.state.shared.size = Size { width, height };
        self.frames.ask();
    }

    /// After somebody else had the terminal.
    fn take_again(&mut self, terminal: &Terminal) {
        self.frames.forget();
        self.resize(terminal);
    }

    /// A newer state of the run is there.
    fn newer(&mut self, link: &Link) {
        // What the run is doing now is not held back.
        let newest = link.sessions.borrow();
        let phase = |session: &Session| session.run.as_ref().map(|run| run.phase.clone());
        if phase(&newest) != phase(&self.session) {
            self.frames.urgent();
        } else {
            self.frames.newer();
        }
    }

    /// The engine was lost, or found.
    fn connection(&mut self, link: &Link) {
        update::connection(&mut self.state, link.connection.borrow().clone());
        self.state.shared.past = link.past();
        self.frames.ask();
    }

    /// The clock moved on: ages in sight grow.
    fn tick(&mut self) {
        if self.session.run.is_some() {
            self.state.shared.now = now();
            self.frames.age();
        }
    }

    /// Whether the run is over in a way that ends the dashboard.
    fn ended(&self, link: &Link, watching: bool) -> Option<Exit> {
        link.commands.as_ref()?;
        let newest = link.sessions.borrow();
        match newest.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Stopped | Phase::Failed(_)) => Some(Exit::Over),
            // The engine was gone before its last word arrived; the file has it.
            None if self.stopping && newest.record.state == record::State::Stopped => {
                Some(Exit::Over)
            }
            _ if watching || is_finished(&newest) => None,
            _ => Some(Exit::Over),
        }
    }

    /// Least time between two frames that show newer states: that of the quicker of the views in sight.
    fn pace(&self) -> Duration {
        let own = self.state.view().pace;
        let other = self.state.other().map(|(entry, _)| entry.pace);
        other.map_or(own, |other| other.min(own))
    }

    /// When the next frame is due.
    fn due(&self) -> Option<Instant> {
        self.frames.due(self.pace())
    }

    fn draw_if_due(&mut self, link: &Link, pen: &Pen) {
        let now = Instant::now();
        let Some(due) = self.frames.next(self.pace(), now) else {
            return;
        };
        if due.renews && self.state.shared.frozen.is_none() {
            self.session = link.newest();
            self.state.shared.settle(&self.session);
            self.state.shared.now = self::now();
        }
        let size = (self.state.shared.size.width, self.state.shared.size.height);
        let (session, state, theme) = (&self.session, &self.state, &self.theme);
        let bytes = self
            .frames
            .paint(due, size, &theme.palette, now, |area, buf| {
                frame::draw(session, state, theme, area, buf);
            });
        let besides = std::mem::take(&mut self.besides);
        match (bytes.is_empty(), besides.is_empty()) {
            (true, true) => {}
            // The frames wait for what is written, so both go as one.
            (false, _) => pen.write([besides, bytes].concat()),
            (true, false) => pen.write(besides),
        }
    }
}
