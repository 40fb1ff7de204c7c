//! The engine: owns the device and the loop, advances one session, publishes it, saves it.
//!
//! It computes on its own threads and never waits for a viewer. Commands are obeyed between two
//! blocks; however it ends, the last thing it does is write a checkpoint and the last thing it
//! publishes is a final phase.

mod active_run;
pub mod agreement_run;
mod answer;
mod conductor;
mod dealer;
pub mod device;
mod fault;
mod feeding;
pub mod forecast;
pub mod inputs;
pub mod originals;
mod pace;
pub mod replay;
pub mod workers;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::thread::JoinHandle;

use self::device::records::Convolutions;
use crate::link::{EngineEnd, Link};
use crate::nets::launch::panic_message;
use crate::session::store::{Lock, Store};
use crate::session::{Session, run::Phase};

/// What an engine needs besides the session.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Where the session is saved.
    pub store: Store,
    /// Where full data sets are.
    pub data: PathBuf,
    /// The device.
    pub device: device::DeviceChoice,
    /// Blocks computed at the same time; `None` for one per core. Results do not depend on it.
    pub workers: Option<usize>,
    /// Blocks per launch on a GPU; `None` for the session's previous number, or the best one in a short trial.
    pub launch: Option<usize>,
    /// How convolutions are computed on `cpu`; `None` for as the session was computed so far.
    pub convolutions: Option<Convolutions>,
    /// What to do if images or weights differ from those the session began with.
    pub inputs: inputs::OnChangedInputs,
    /// How far to advance the session.
    pub goal: Goal,
}

/// How far an engine advances a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// To the end of its plan.
    Finished,
    /// Until the network is ready, trained or loaded from its file.
    Trained,
}

/// A running engine.
///
/// # Examples
/// Runs a new session to its end:
/// ```no_run
/// use noisescope::engine::inputs::OnChangedInputs;
/// use noisescope::engine::{Engine, EngineOptions, Goal};
/// use noisescope::session::store::Store;
/// use noisescope::session::{Config, Session};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Store::new("sessions");
/// let session = Session::new("mine", Config::default());
/// let mut lock = store.lock(&session.name)?;
/// lock.save(&session)?;
/// let options = EngineOptions {
///     store: store.clone(),
///     data: "data".into(),
///     device: "auto".parse()?,
///     workers: None,
///     launch: None,
///     convolutions: None,
///     inputs: OnChangedInputs::Refuse,
///     goal: Goal::Finished,
/// };
/// let (engine, link) = Engine::start(session, lock, options)?;
/// engine.join();
/// println!("{:?}", link.newest().record.state);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Engine {
    thread: JoinHandle<()>,
}

impl Engine {
    /// Starts an engine on `session`, whose lock the caller holds, and returns the link to it.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub fn start(
        session: Session,
        lock: Lock,
        options: EngineOptions,
    ) -> std::io::Result<(Self, Link)> {
        let (link, end) = Link::local(session);
        let thread = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || run_guarded(end, lock, options))?;
        Ok((Self { thread }, link))
    }

    /// Waits until the engine has ended; returns at once if its phase is final.
    pub fn join(self) {
        // A panic has already become a failed phase.
        let _ = self.thread.join();
    }
}

/// Runs the session; a panic becomes a failed phase instead of a silent end.
fn run_guarded(end: EngineEnd, lock: Lock, options: EngineOptions) {
    let EngineEnd { sessions, commands } = end;
    let publish = sessions.clone();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        conductor::Conductor::new(sessions, commands, lock, options).conduct();
    }));
    if let Err(panic) = outcome {
        let message = format!(
            "the engine crashed: {}. The session file holds the last checkpoint; `run` resumes from there",
            panic_message(panic.as_ref())
        );
        publish.send_modify(|session| {
            let session = std::sync::Arc::make_mut(session);
            session.run.get_or_insert_default().phase = Phase::Failed(message);
        });
    }
}
