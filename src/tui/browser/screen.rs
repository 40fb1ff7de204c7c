//! The event loop of the list of sessions: waits for keys, fresh session states and the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::draw::draw;
use super::list::{Browser, BrowserEffect};
use super::row::{BrowserChoice, Preset, SessionContents, SessionRequest, SessionRow, SessionTask};
use super::state::ListState;
use crate::stats::grain::GrainForecast;
use crate::tui::clipboard;
use crate::tui::clock::{now, until};
use crate::tui::frames::FrameScheduler;
use crate::tui::input::TerminalEvent;
use crate::tui::open_screen::OpenScreen;
use crate::tui::options::{DisplayOptions, TuiError};
use crate::tui::size::Size;
use crate::tui::terminal::{self, Terminal};

/// How often the sessions are re-read.
const EVERY: Duration = Duration::from_secs(2);

/// The result of a pilot run: the prediction for each grain and the workers that share the trials, or why
/// there is none.
pub type PilotResult = Result<(Vec<GrainForecast>, usize), String>;

/// Runs a pilot of the requested network until the flag is set.
pub type RunPilot = Arc<dyn Fn(&SessionRequest, &AtomicBool) -> PilotResult + Send + Sync>;

/// Does something to a session and reports the result.
pub type PerformTask = Arc<dyn Fn(&SessionTask) -> Result<String, String> + Send + Sync>;

/// Measures a network's trials per second.
pub type MeasurePace = Arc<dyn Fn(&str) -> Result<f64, String> + Send + Sync>;

/// The callbacks and data that the list needs; the screen itself does none of this work.
pub struct BrowserCallbacks {
    /// Reads the sessions: at once and then every two seconds, on its own thread, so it may be slow.
    pub rows: Box<dyn Fn() -> Vec<SessionRow> + Send>,
    /// Runs a pilot of the requested network, on its own thread, until the flag is set.
    pub pilot: RunPilot,
    /// Reads the contents of a session's files.
    pub weigh: Arc<dyn Fn(&str) -> SessionContents + Send + Sync>,
    /// Does something to a session; reports the result, or why it was not done.
    pub act: PerformTask,
    /// Measures the trials per second of a built-in network on this machine.
    pub pace: MeasurePace,
    /// The presets of the form for a new session; if empty, there is no form.
    pub presets: Vec<Preset>,
}

/// Shows the sessions until the user has chosen. `list` keeps its state from one call to the next.
///
/// # Errors
/// If the terminal cannot be opened.
pub async fn browse(
    asks: BrowserCallbacks,
    options: &DisplayOptions,
    list: &mut ListState,
) -> Result<BrowserChoice, TuiError> {
    let BrowserCallbacks {
        rows,
        pilot,
        weigh,
        act,
        pace,
        presets,
    } = asks;
    let mut theme = options.theme();
    let (mut renewed, _reader) = read(rows)?;
    let OpenScreen {
        terminal,
        mut inbox,
        keys: _keys,
        pen,
        mut resized,
        mut continued,
        mut clock,
        ..
    } = OpenScreen::enter(options)?;

    let (pilot_results, mut answers) = unbounded_channel();
    // The running pilot; dropping it cancels it.
    let mut under_way: Option<PilotRun> = None;

    let (put, mut weighed) = unbounded_channel();
    let (tell, mut task_results) = unbounded_channel();
    // Tasks in progress; all are finished before this function returns.
    let mut deeds: Vec<thread::JoinHandle<()>> = Vec::new();
    let (clock_in, mut paced) = unbounded_channel();

    let mut browser = Browser::new(&presets, std::mem::take(list));
    browser.keys = options.keys;
    browser.program = options.program;
    browser.now = now();
    if let Some(network) = browser.next_pace_to_measure() {
        measure(network, &pace, &clock_in);
    }
    let mut frames = FrameScheduler::new(*options, Instant::now());
    let choice = loop {
        let at = Instant::now();
        browser.size = Size::from(terminal.size());
        if let Some(due) = frames.next(Duration::ZERO, at) {
            let paint = |area, buf: &mut _| draw(&browser, &theme, area, buf);
            let bytes = frames.paint(due, terminal.size(), &theme.palette, at, paint);
            if !bytes.is_empty() {
                pen.write(bytes);
            }
        }
        tokio::select! {
            biased;
            Some(input) = inbox.recv() => {
                if let TerminalEvent::Background(background) = input {
                    terminal::has_background(background);
                    theme = theme.with_background(background);
                    frames.request();
                    continue;
                }
                match take(input, &mut browser, &mut frames, &terminal) {
                    BrowserEffect::Do(deed) => {
                        let (act, tell) = (Arc::clone(&act), tell.clone());
                        let run = move || drop(tell.send(act(&deed)));
                        deeds.extend(thread::Builder::new().name("deed".into()).spawn(run));
                        deeds.retain(|task| !task.is_finished());
                    }
                    BrowserEffect::Copy(text) => {
                        pen.write(clipboard::put(text));
                    }
                    BrowserEffect::Chosen(choice) => break choice,
                    BrowserEffect::Pilot(asked) => {
                        under_way = PilotRun::start(&pilot, asked, pilot_results.clone())
                            .inspect_err(|error| browser.set_pilot_result(Err(error.to_string())))
                            .ok();
                    }
                    BrowserEffect::NoPilot => under_way = None,
                    BrowserEffect::Weigh(name) => {
                        let (weigh, put) = (Arc::clone(&weigh), put.clone());
                        // If no thread can be started the question keeps waiting; it can be left.
                        on_thread("weigh", move || {
                            let contents = weigh(&name);
                            let _ = put.send((name, contents));
                        });
                    }
                    _ => {}
                }
                if let Some(network) = browser.next_pace_to_measure() {
                    measure(network, &pace, &clock_in);
                }
            }
            Some(result) = task_results.recv() => {
                browser.set_result(result);
                frames.urgent();
            }
            Some((network, rate)) = paced.recv() => {
                browser.set_pace(network, rate);
                if let Some(network) = browser.next_pace_to_measure() {
                    measure(network, &pace, &clock_in);
                }
                frames.urgent();
            }
            Some((name, contents)) = weighed.recv() => {
                browser.set_contents(&name, contents);
                frames.urgent();
            }
            Some((number, result)) = answers.recv() => {
                // A result of a cancelled pilot is dropped.
                if under_way.take_if(|pilot| pilot.number == number).is_some() {
                    browser.set_pilot_result(result);
                    frames.urgent();
                }
            }
            Some(rows) = renewed.recv() => {
                browser.now = now();
                browser.set_rows(rows);
                frames.urgent();
            }
            _ = resized.recv() => frames.request(),
            _ = continued.recv() => {
                if terminal.take().is_err() {
                    break BrowserChoice::Gone;
                }
                frames.forget();
            }
            () = until(frames.due(Duration::ZERO)) => {}
            _ = clock.tick() => {
                if terminal.is_gone() {
                    break BrowserChoice::Gone;
                }
                browser.now = now();
                frames.age();
            }
        }
    };
    drop(pen);
    drop(terminal);
    let ended = move || deeds.into_iter().for_each(|task| drop(task.join()));
    let _ = tokio::task::spawn_blocking(ended).await;
    while let Ok(result) = task_results.try_recv() {
        browser.set_result(result);
    }
    *list = browser.state;
    Ok(choice)
}

fn take(
    input: TerminalEvent,
    browser: &mut Browser,
    frames: &mut FrameScheduler,
    terminal: &Terminal,
) -> BrowserEffect {
    let outcome = match input {
        TerminalEvent::Gone | TerminalEvent::Written(Err(_)) => {
            BrowserEffect::Chosen(BrowserChoice::Gone)
        }
        TerminalEvent::Written(Ok(())) => {
            frames.written();
            BrowserEffect::None
        }
        TerminalEvent::Key(key) => browser.key(&key),
        TerminalEvent::Pasted(text) => browser.paste(&text),
        TerminalEvent::Background(_) => BrowserEffect::None,
    };
    match outcome {
        BrowserEffect::None | BrowserEffect::Chosen(_) => {}
        BrowserEffect::Redraw
        | BrowserEffect::Pilot(_)
        | BrowserEffect::NoPilot
        | BrowserEffect::Weigh(_)
        | BrowserEffect::Do(_)
        | BrowserEffect::Copy(_) => frames.request(),
        BrowserEffect::Suspend => {
            terminal.suspend();
            if terminal.take().is_err() {
                return BrowserEffect::Chosen(BrowserChoice::Gone);
            }
            frames.forget();
        }
    }
    outcome
}

/// Measures the pace of a network on its own thread.
fn measure(
    network: String,
    pace: &MeasurePace,
    tell: &UnboundedSender<(String, Result<f64, String>)>,
) {
    let (pace, tell) = (Arc::clone(pace), tell.clone());
    on_thread("pace", move || {
        let rate = pace(&network);
        let _ = tell.send((network, rate));
    });
}

/// Runs something slow on a thread; if none can be started, it is not done.
fn on_thread(name: &str, run: impl FnOnce() + Send + 'static) {
    let _ = thread::Builder::new().name(name.into()).spawn(run);
}

/// A pilot running on its own thread.
struct PilotRun {
    number: u64,
    over: Arc<AtomicBool>,
}

impl PilotRun {
    /// Starts it; its result is sent to `results`, with its number.
    fn start(
        pilot: &RunPilot,
        request: SessionRequest,
        results: UnboundedSender<(u64, PilotResult)>,
    ) -> std::io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let over = Arc::new(AtomicBool::new(false));
        let (pilot, flag) = (Arc::clone(pilot), Arc::clone(&over));
        thread::Builder::new().name("pilot".into()).spawn(move || {
            let _ = results.send((number, pilot(&request, &flag)));
        })?;
        Ok(Self { number, over })
    }
}

impl Drop for PilotRun {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Reads the sessions repeatedly on its own thread, which ends when the returned sender is dropped.
fn read(
    rows: Box<dyn Fn() -> Vec<SessionRow> + Send>,
) -> std::io::Result<(UnboundedReceiver<Vec<SessionRow>>, Sender<()>)> {
    let (renew, renewed) = unbounded_channel();
    let (alive, over) = channel::<()>();
    thread::Builder::new()
        .name("sessions".into())
        .spawn(move || {
            loop {
                if renew.send(rows()).is_err() {
                    return;
                }
                match over.recv_timeout(EVERY) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
            }
        })?;
    Ok((renewed, alive))
}
