//! The event loop of the list of sessions: waits for keys, fresh session states and the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::draw::draw;
use super::list::{Browser, Outcome};
use super::row::{Asked, Choice, Contents, Deed, List, Preset, Row};
use crate::stats::grain::Foretold;
use crate::tui::clipboard;
use crate::tui::clock::{now, until};
use crate::tui::frames::Frames;
use crate::tui::input::{Input, Keys};
use crate::tui::options::{Options, TuiError};
use crate::tui::pen::Pen;
use crate::tui::size::Size;
use crate::tui::terminal::{self, Terminal};

/// How often the sessions are re-read.
const EVERY: Duration = Duration::from_secs(2);
/// How often the displayed ages are updated.
const TICK: Duration = Duration::from_secs(1);

/// The result of a pilot run: the prediction for each grain and the workers that share the trials, or why
/// there is none.
pub type Said = Result<(Vec<Foretold>, usize), String>;

/// Runs a pilot of the requested network until the flag is set.
pub type AskPilot = Arc<dyn Fn(&Asked, &AtomicBool) -> Said + Send + Sync>;

/// Does something to a session and reports the result.
pub type Act = Arc<dyn Fn(&Deed) -> Result<String, String> + Send + Sync>;

/// Measures a network's trials per second.
pub type Pace = Arc<dyn Fn(&str) -> Result<f64, String> + Send + Sync>;

/// The callbacks and data that the list needs; the screen itself does none of this work.
pub struct Asks {
    /// Reads the sessions: at once and then every two seconds, on its own thread, so it may be slow.
    pub rows: Box<dyn Fn() -> Vec<Row> + Send>,
    /// Runs a pilot of the requested network, on its own thread, until the flag is set.
    pub pilot: AskPilot,
    /// Reads the contents of a session's files.
    pub weigh: Arc<dyn Fn(&str) -> Contents + Send + Sync>,
    /// Does something to a session; reports the result, or why it was not done.
    pub act: Act,
    /// Measures the trials per second of a built-in network on this machine.
    pub pace: Pace,
    /// The presets of the form for a new session; if empty, there is no form.
    pub presets: Vec<Preset>,
}

/// Shows the sessions until the user has chosen. `list` keeps its state from one call to the next.
///
/// # Errors
/// If the terminal cannot be opened.
pub async fn browse(asks: Asks, options: &Options, list: &mut List) -> Result<Choice, TuiError> {
    let Asks {
        rows,
        pilot,
        weigh,
        act,
        pace,
        presets,
    } = asks;
    let mut theme = options.theme();
    let (mut renewed, _reader) = read(rows)?;
    let terminal = Terminal::enter()?;
    let (events, mut inbox) = unbounded_channel();
    let _keys = Keys::start(terminal.keyboard().try_clone()?, events.clone())?;
    let pen = Pen::start(terminal.screen()?, events)?;
    if options.asks_background() {
        terminal.ask_background();
    }
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);

    let (pilot_results, mut answers) = unbounded_channel();
    // The running pilot; dropping it cancels it.
    let mut under_way: Option<Pilot> = None;

    let (put, mut weighed) = unbounded_channel();
    let (tell, mut task_results) = unbounded_channel();
    // Tasks in progress; all are finished before this function returns.
    let mut deeds: Vec<thread::JoinHandle<()>> = Vec::new();
    let (clock_in, mut paced) = unbounded_channel();

    let mut browser = Browser::new(&presets, std::mem::take(list));
    browser.keys = options.keys;
    browser.program = options.program;
    browser.now = now();
    let mut frames = Frames::new(*options, Instant::now());
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
                if let Input::Background(background) = input {
                    terminal::has_background(background);
                    theme = theme.on(background);
                    frames.ask();
                    continue;
                }
                match take(input, &mut browser, &mut frames, &terminal) {
                    Outcome::Do(deed) => {
                        let (act, tell) = (Arc::clone(&act), tell.clone());
                        let run = move || drop(tell.send(act(&deed)));
                        deeds.extend(thread::Builder::new().name("deed".into()).spawn(run));
                        deeds.retain(|task| !task.is_finished());
                    }
                    Outcome::Copy(text) => {
                        pen.write(clipboard::put(text));
                    }
                    Outcome::Chosen(choice) => break choice,
                    Outcome::Pilot(asked) => {
                        under_way = Pilot::start(&pilot, asked, pilot_results.clone())
                            .inspect_err(|error| browser.foretold(Err(error.to_string())))
                            .ok();
                    }
                    Outcome::NoPilot => under_way = None,
                    Outcome::Weigh(name) => {
                        let (weigh, put) = (Arc::clone(&weigh), put.clone());
                        // If no thread can be started the question keeps waiting; it can be left.
                        on_thread("weigh", move || {
                            let contents = weigh(&name);
                            let _ = put.send((name, contents));
                        });
                    }
                    _ => {}
                }
                if let Some(network) = browser.wants_pace() {
                    measure(network, &pace, &clock_in);
                }
            }
            Some(result) = task_results.recv() => {
                browser.done(result);
                frames.urgent();
            }
            Some((network, rate)) = paced.recv() => {
                browser.paced(network, rate);
                if let Some(network) = browser.wants_pace() {
                    measure(network, &pace, &clock_in);
                }
                frames.urgent();
            }
            Some((name, contents)) = weighed.recv() => {
                browser.weighed(&name, contents);
                frames.urgent();
            }
            Some((number, result)) = answers.recv() => {
                // A result of a cancelled pilot is dropped.
                if under_way.take_if(|pilot| pilot.number == number).is_some() {
                    browser.foretold(result);
                    frames.urgent();
                }
            }
            Some(rows) = renewed.recv() => {
                browser.now = now();
                browser.renew(rows);
                frames.urgent();
            }
            _ = resized.recv() => frames.ask(),
            _ = continued.recv() => {
                if terminal.take().is_err() {
                    break Choice::Gone;
                }
                frames.forget();
            }
            () = until(frames.due(Duration::ZERO)) => {}
            _ = clock.tick() => {
                if terminal.is_gone() {
                    break Choice::Gone;
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
        browser.done(result);
    }
    *list = browser.list;
    Ok(choice)
}

fn take(input: Input, browser: &mut Browser, frames: &mut Frames, terminal: &Terminal) -> Outcome {
    let outcome = match input {
        Input::Gone | Input::Written(Err(_)) => Outcome::Chosen(Choice::Gone),
        Input::Written(Ok(())) => {
            frames.written();
            Outcome::None
        }
        Input::Key(key) => browser.key(&key),
        Input::Pasted(text) => browser.paste(&text),
        Input::Background(_) => Outcome::None,
    };
    match outcome {
        Outcome::None | Outcome::Chosen(_) => {}
        Outcome::Redraw
        | Outcome::Pilot(_)
        | Outcome::NoPilot
        | Outcome::Weigh(_)
        | Outcome::Do(_)
        | Outcome::Copy(_) => frames.ask(),
        Outcome::Suspend => {
            terminal.suspend();
            if terminal.take().is_err() {
                return Outcome::Chosen(Choice::Gone);
            }
            frames.forget();
        }
    }
    outcome
}

/// Measures the pace of a network on its own thread.
fn measure(network: String, pace: &Pace, tell: &UnboundedSender<(String, Result<f64, String>)>) {
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
struct Pilot {
    number: u64,
    over: Arc<AtomicBool>,
}

impl Pilot {
    /// Starts it; its result is sent to `results`, with its number.
    fn start(
        pilot: &AskPilot,
        request: Asked,
        results: UnboundedSender<(u64, Said)>,
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

impl Drop for Pilot {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Reads the sessions repeatedly on its own thread, which ends when the returned sender is dropped.
fn read(
    rows: Box<dyn Fn() -> Vec<Row> + Send>,
) -> std::io::Result<(UnboundedReceiver<Vec<Row>>, Sender<()>)> {
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
