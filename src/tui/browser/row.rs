//! The sessions of the list, and the choices that the user can make in it.

use crate::format::count;
use crate::report::SessionStatus;
use crate::session::Session;
use crate::stats::grain::GrainForecast;

/// A session as the list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Its name.
    pub name: String,
    /// Its status.
    pub standing: SessionStatus,
    /// Trials done.
    pub done: u64,
    /// Trials planned.
    pub total: u64,
    /// Its key results, in a few words.
    pub headline: String,
    /// The stages still open once all trials are done; `None` before that, and if there are none.
    pub open: Option<String>,
    /// What keeps its running engine from saving it, and what to do.
    pub problem: Option<String>,
    /// When its file was last written, seconds since the Unix epoch.
    pub updated: Option<i64>,
    /// The process of its engine, if one is running.
    pub pid: Option<u32>,
}

impl SessionRow {
    /// Whether an engine is running it.
    pub fn is_running(&self) -> bool {
        self.pid.is_some() || self.standing.has_engine()
    }

    /// What is wrong with it, as reported by whoever found it.
    pub fn problem(&self) -> Option<&str> {
        let unsaved = self.problem.as_deref().filter(|_| self.is_running());
        self.standing.problem().or(unsaved)
    }

    /// Whether it can be extended with more trials.
    pub fn can_extend(&self) -> bool {
        self.done > 0 && !self.standing.is_unread()
    }

    /// Whether a new engine could resume it.
    pub fn can_resume(&self) -> bool {
        let over = self.standing == SessionStatus::Finished || self.standing.is_unread();
        !self.is_running() && !over
    }
}

/// The contents of the files of a session that is about to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionContents {
    /// The session file's contents, or why they are unknown.
    pub file: Result<FileContents, String>,
    /// The previous generation's contents; `None` if there is none.
    pub previous: Option<Result<FileContents, String>>,
}

/// The contents of one session file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContents {
    /// Trials that have been measured.
    pub trials: u64,
    /// The network, in words: its epochs of training, or that its weights came from a file.
    pub network: Option<String>,
    /// When it was written, seconds since the Unix epoch.
    pub updated: Option<i64>,
}

impl FileContents {
    /// Of a session.
    pub fn of(session: &Session) -> Self {
        let training = session.record.training.as_ref();
        let network = training.map(|training| match training.epochs.len() {
            0 => "a network".to_owned(),
            1 => "a network trained for 1 epoch".to_owned(),
            many => format!("a network trained for {many} epochs"),
        });
        let updated = session.record.updated;
        Self {
            trials: session.trials().0,
            network,
            updated: (updated > 0).then_some(updated),
        }
    }

    /// In words: `600 k trials, a network trained for 2 epochs`.
    pub fn in_words(&self) -> String {
        let trials = match self.trials {
            0 => None,
            trials => Some(format!("{} trials", count(trials as f64))),
        };
        let parts: Vec<String> = trials.into_iter().chain(self.network.clone()).collect();
        match parts.is_empty() {
            true => "nothing has been measured".to_owned(),
            false => parts.join(", "),
        }
    }
}

/// A preset on offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// What it does; `None` if that cannot be read.
    pub about: Option<PresetInfo>,
}

impl From<&str> for Preset {
    /// A preset without details.
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            about: None,
        }
    }
}

/// What a preset does.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetInfo {
    /// In words.
    pub words: String,
    /// The kind of its network, whose pace gives the duration.
    pub network: String,
    /// The amount of work, as a number of trials; `None` if unknown beforehand.
    pub work: Option<f64>,
}

/// Something done to a session without leaving the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionTask {
    /// Pause its run.
    Pause(String),
    /// Resume its run.
    Continue(String),
    /// Stop its run after a checkpoint.
    Stop(String),
    /// Write its figures.
    Export(String),
}

/// What the form for a new session requests.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRequest {
    /// One of the presets on offer.
    pub preset: String,
    /// The session's name: a valid file name that no listed session has.
    pub name: String,
    /// A network's file, as typed.
    pub network: Option<String>,
    /// Images, as typed.
    pub images: Option<String>,
    /// The grain of noise and the trials that were chosen.
    pub grain: Option<GrainForecast>,
}

/// What the user chose to do.
#[derive(Debug, Clone, PartialEq)]
pub enum BrowserChoice {
    /// Open this session.
    Open(String),
    /// Resume this session with an engine, and open it.
    Resume(String),
    /// Open this session with the prompt for a number of trials.
    Extend(String),
    /// Compare this session with another.
    Compare(String),
    /// Create a session and run it.
    New(SessionRequest),
    /// Delete this session: the user has seen its contents and confirmed, and as far as the list knows no
    /// engine is running it.
    Delete(String),
    /// Nothing: the person left.
    Leave,
    /// Nothing: there is no terminal any more.
    Gone,
}
