//! The loop behind the list: waits for keys, for the sessions as they are now, and for the clock.

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

/// How often the sessions are read.
const EVERY: Duration = Duration::from_secs(2);
/// How often ages in sight grow.
const TICK: Duration = Duration::from_secs(1);

/// What a network says to some noise: what each grain foretells and the workers that share the trials, or
/// why nothing is foretold.
pub type Said = Result<(Vec<Foretold>, usize), String>;

/// What shows the network of a plan some noise, until its flag is set.
pub type AskPilot = Arc<dyn Fn(&Asked, &AtomicBool) -> Said + Send + Sync>;

/// What does something to a session, and says what came of it.
pub type Act = Arc<dyn Fn(&Deed) -> Result<String, String> + Send + Sync>;

/// What measures the trials a second of a network.
pub type Pace = Arc<dyn Fn(&str) -> Result<f64, String> + Send + Sync>;

/// What the list asks and lets do. None of it is done by the screen itself.
pub struct Asks {
    /// Reads the sessions: at once and then every two seconds, on a thread of its own, so it may be slow.
    pub rows: Box<dyn Fn() -> Vec<Row> + Send>,
    /// Shows the network of a plan some noise, on a thread of its own, until its flag is set.
    pub pilot: AskPilot,
    /// Looks what is in the files of a session.
    pub weigh: Arc<dyn Fn(&str) -> Contents + Send + Sync>,
    /// Does something to a session, and says what came of it or why it was not done.
    pub act: Act,
    /// Measures the trials a second that a built-in network makes here.
    pub pace: Pace,
    /// The presets of the form for a new session; without any there is none.
    pub presets: Vec<Preset>,
}

/// Shows the sessions until the person has chosen. `list` keeps the place from one call to the next.
///
/// # Errors
/// Where the terminal cannot be taken.
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

    let (said, mut answers) = unbounded_channel();
    // The pilot that is under way; dropping it ends it.
    let mut under_way: Option<Pilot> = None;

    let (put, mut weighed) = unbounded_channel();
    let (tell, mut told) = unbounded_channel();
    // What is being done: it is done before this ends.
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
                        deeds.retain(|own| !own.is_finished());
                    }
                    Outcome::Copy(text) => {
                        pen.write(clipboard::put(text));
                    }
                    Outcome::Chosen(choice) => break choice,
                    Outcome::Pilot(asked) => {
                        under_way = Pilot::start(&pilot, asked, said.clone())
                            .inspect_err(|error| browser.foretold(Err(error.to_string())))
                            .ok();
                    }
                    Outcome::NoPilot => under_way = None,
                    Outcome::Weigh(name) => {
                        let (weigh, put) = (Arc::clone(&weigh), put.clone());
                        // Without a thread the question waits, and can be left.
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
            Some(said) = told.recv() => {
                browser.done(said);
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
            Some((number, answer)) = answers.recv() => {
                // An answer to what is not asked any more is dropped.
                if under_way.take_if(|own| own.number == number).is_some() {
                    browser.foretold(answer);
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
    let ended = move || deeds.into_iter().for_each(|own| drop(own.join()));
    let _ = tokio::task::spawn_blocking(ended).await;
    while let Ok(said) = told.try_recv() {
        browser.done(said);
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

/// Measures the pace of a network on a thread of its own.
fn measure(network: String, pace: &Pace, tell: &UnboundedSender<(String, Result<f64, String>)>) {
    let (pace, tell) = (Arc::clone(pace), tell.clone());
    on_thread("pace", move || {
        let rate = pace(&network);
        let _ = tell.send((network, rate));
    });
}

/// Does something slow; where no thread can be had, it is not done.
fn on_thread(name: &str, run: impl FnOnce() + Send + 'static) {
    let _ = thread::Builder::new().name(name.into()).spawn(run);
}

/// A network that is shown noise on a thread of its own.
struct Pilot {
    number: u64,
    over: Arc<AtomicBool>,
}

impl Pilot {
    /// Starts it; what it says goes to `said`, with its number.
    fn start(
        pilot: &AskPilot,
        asked: Asked,
        said: UnboundedSender<(u64, Said)>,
    ) -> std::io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let over = Arc::new(AtomicBool::new(false));
        let (pilot, flag) = (Arc::clone(pilot), Arc::clone(&over));
        thread::Builder::new().name("pilot".into()).spawn(move || {
            let _ = said.send((number, pilot(&asked, &flag)));
        })?;
        Ok(Self { number, over })
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Reads the sessions again and again on a thread of its own, which ends when the sender that is
/// given back is dropped.
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
