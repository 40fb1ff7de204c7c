//! [`Dashboard`], the state of the dashboard's loop.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::Exit;
use crate::export;
use crate::figure::Figure;
use crate::link::Link;
use crate::session::Session;
use crate::session::record;
use crate::session::run::Phase;
use crate::tui::clipboard;
use crate::tui::clock::now;
use crate::tui::frame;
use crate::tui::frame_writer::FrameWriter;
use crate::tui::frames::FrameScheduler;
use crate::tui::options::DisplayOptions;
use crate::tui::shared::is_finished;
use crate::tui::size::Size;
use crate::tui::state::{DashboardState, Notice};
use crate::tui::terminal::{self, Terminal};
use crate::tui::theme::{Background, Theme};
use crate::tui::update::{self, Effect};
use crate::tui::views;

/// The loop's state between two events.
pub(super) struct Dashboard {
    pub session: Arc<Session>,
    pub state: DashboardState,
    pub theme: Theme,
    pub frames: FrameScheduler,
    /// Whether this user has asked the engine to stop.
    pub stopping: bool,
    /// The figure to show at full resolution, if requested.
    pub requested_figure: Option<Figure>,
    /// Bytes to send to the terminal with the next frame.
    pub besides: Vec<u8>,
    /// Where the results of background tasks are sent.
    pub notices: UnboundedSender<Notice>,
}

/// Maximum characters of copied text shown in the footer.
const SHOWN: usize = 60;

impl Dashboard {
    pub fn new(
        link: &Link,
        options: DisplayOptions,
        earlier: Option<DashboardState>,
        terminal: &Terminal,
        tell: UnboundedSender<Notice>,
    ) -> Self {
        let connection = link.connection.borrow().clone();
        let mut state = match earlier {
            Some(mut earlier) => {
                earlier.shared.connection = connection;
                earlier.shared.frozen = None;
                earlier
            }
            None => DashboardState::new(connection, views::of(&link.newest())),
        };
        state.shared.keys = options.keys;
        state.shared.program = options.program;
        state.shared.zone = jiff::tz::TimeZone::system();
        state.shared.saved_log = link.log_tail();
        state.shared.now = now();
        let mut dashboard = Self {
            session: link.newest(),
            state,
            theme: options.theme(),
            frames: FrameScheduler::new(options, Instant::now()),
            stopping: false,
            requested_figure: None,
            besides: Vec::new(),
            notices: tell,
        };
        dashboard.state.settle(&dashboard.session);
        dashboard.resize(terminal);
        dashboard
    }

    /// The terminal has reported its background.
    pub fn set_background(&mut self, background: Background) {
        terminal::has_background(background);
        if background != self.theme.background {
            self.theme = self.theme.clone().with_background(background);
            self.frames.request();
        }
    }

    /// Shows a notice, such as the result of an action.
    pub fn notify(&mut self, news: Notice) {
        self.state.notice = Some(news);
        self.frames.request();
    }

    /// Applies a key. A display that is frozen no longer shows the newest state: another may never arrive.
    pub fn key(&mut self, key: &KeyEvent) -> Effect {
        let was_frozen = self.state.shared.frozen.is_some();
        let effect = update::key(&mut self.state, key, &self.session, &self.theme);
        if was_frozen && self.state.shared.frozen.is_none() {
            self.frames.urgent();
        }
        effect
    }

    /// Writes a figure into the current folder, on its own thread.
    pub fn export(&mut self, figure: Figure) {
        let (session, tell) = (Arc::clone(&self.session), self.notices.clone());
        self.notify(Notice::writing());
        tokio::task::spawn_blocking(move || {
            let written = export::figure(&session, &figure, Path::new(""));
            // If the user has left, no notice is shown; the file is there.
            let _ = tell.send(Notice::of_file(written));
        });
    }

    /// Puts a text on the clipboard with the next frame.
    pub fn copy(&mut self, text: String) {
        if text.len() > clipboard::MOST {
            self.notify(Notice::failed("too long for a terminal's clipboard"));
            return;
        }
        let shown = match text.chars().count() {
            ..=SHOWN => text.clone(),
            _ => text.chars().take(SHOWN - 1).chain(['…']).collect(),
        };
        self.notify(Notice::done(format!("copied: {shown}")));
        self.besides.extend(clipboard::put(text));
    }

    pub fn resize(&mut self, terminal: &Terminal) {
        let (width, height) = terminal.size();
        self.state.shared.size = Size { width, height };
        self.frames.request();
    }

    /// Restores the screen after another program used the terminal.
    pub fn take_again(&mut self, terminal: &Terminal) {
        self.frames.forget();
        self.resize(terminal);
    }

    /// A newer state of the run has arrived.
    pub fn newer(&mut self, link: &Link) {
        // A change of phase is drawn without delay.
        let newest = link.sessions.borrow();
        let phase = |session: &Session| session.run.as_ref().map(|run| run.phase.clone());
        if phase(&newest) != phase(&self.session) {
            self.frames.urgent();
        } else {
            self.frames.newer();
        }
    }

    /// The connection to the engine was lost or restored.
    pub fn connection(&mut self, link: &Link) {
        update::connection(&mut self.state, link.connection.borrow().clone());
        self.state.shared.saved_log = link.log_tail();
        self.frames.request();
    }

    /// The clock advanced: displayed ages grow.
    pub fn tick(&mut self) {
        if self.session.run.is_some() {
            self.state.shared.now = now();
            self.frames.age();
        }
    }

    /// Why the dashboard should end, if the run is over.
    pub fn ended(&self, link: &Link, watching: bool) -> Option<Exit> {
        link.commands.as_ref()?;
        let newest = link.sessions.borrow();
        match newest.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Stopped | Phase::Failed(_)) => Some(Exit::Over),
            // The engine exited before its last state arrived; the file has it.
            None if self.stopping && newest.record.state == record::SavedState::Stopped => {
                Some(Exit::Over)
            }
            _ if watching || is_finished(&newest) => None,
            _ => Some(Exit::Over),
        }
    }

    /// Minimum time between two frames that show newer states: the shorter of the visible views' paces.
    pub fn pace(&self) -> Duration {
        let pace = self.state.view().pace;
        let other = self.state.second_view().map(|(entry, _)| entry.pace);
        other.map_or(pace, |other| other.min(pace))
    }

    /// When the next frame is due.
    pub fn due(&self) -> Option<Instant> {
        self.frames.due(self.pace())
    }

    pub fn draw_if_due(&mut self, link: &Link, pen: &FrameWriter) {
        let now = Instant::now();
        let Some(due) = self.frames.next(self.pace(), now) else {
            return;
        };
        if due.renews && self.state.shared.frozen.is_none() {
            self.session = link.newest();
            update::renewed(&mut self.state, &self.session);
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
            // Frames wait until they are written, so both go as one write.
            (false, _) => pen.write([besides, bytes].concat()),
            (true, false) => pen.write(besides),
        }
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::link::Connection;
    use crate::session::{Config, Run};

    /// Whether the frame that is due after all this time shows a newer state; draws it.
    fn draws_newer(dashboard: &mut Dashboard, at: Instant) -> bool {
        let Some(due) = dashboard.frames.next(Duration::ZERO, at) else {
            return false;
        };
        let palette = &dashboard.theme.palette;
        dashboard
            .frames
            .paint(due, (80, 24), palette, at, |_, _| {});
        dashboard.frames.written();
        due.renews
    }

    #[test]
    fn a_display_that_follows_again_shows_the_newest_state_even_if_no_other_arrives() {
        let mut session = Session::new("mine", Config::default());
        session.run = Some(Run {
            phase: Phase::Working(0),
            ..Run::default()
        });
        let began = Instant::now();
        let mut dashboard = Dashboard {
            session: Arc::new(session),
            state: DashboardState::new(Connection::Live, views::VIEWS),
            theme: Theme::plain(),
            frames: FrameScheduler::new(DisplayOptions::default(), began),
            stopping: false,
            requested_figure: None,
            besides: Vec::new(),
            notices: unbounded_channel().0,
        };
        let minutes = |count: u64| began + Duration::from_secs(60 * count);
        let space = KeyEvent::new(KeyCode::Char(' '), KeyModifiers::NONE);
        assert!(!draws_newer(&mut dashboard, minutes(1)));
        dashboard.key(&space);
        assert!(dashboard.state.shared.frozen.is_some());
        // The run's last state arrives, and is not shown.
        dashboard.frames.newer();
        draws_newer(&mut dashboard, minutes(2));
        assert!(!draws_newer(&mut dashboard, minutes(3)));
        dashboard.key(&space);
        assert!(dashboard.state.shared.frozen.is_none());
        assert!(draws_newer(&mut dashboard, minutes(4)));
    }
}
