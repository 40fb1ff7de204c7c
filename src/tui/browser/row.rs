//! The sessions of the list, where the person is in it, and what was chosen.

use crate::stats::grain::Foretold;

/// One session as the list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: RowState,
    /// Trials done.
    pub done: u64,
    /// Trials planned.
    pub total: u64,
    /// Its most telling numbers, in a few words.
    pub headline: String,
    /// When its file was last written, seconds since the Unix epoch.
    pub updated: Option<i64>,
    /// The process of its engine, where one runs.
    pub pid: Option<u32>,
}

impl Row {
    /// Whether an engine is at work on it.
    pub fn is_running(&self) -> bool {
        self.pid.is_some() || self.state == RowState::Running
    }

    /// Whether a new engine could go on with it.
    pub fn can_resume(&self) -> bool {
        let over = matches!(self.state, RowState::Finished | RowState::Damaged(_));
        !self.is_running() && !over
    }
}

/// How a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowState {
    /// No engine has run it yet.
    New,
    /// An engine is at work on it.
    Running,
    /// Its engine died at work.
    Interrupted,
    /// Stopped after a checkpoint.
    Stopped,
    /// Everything in its plan is done.
    Finished,
    /// It could not go on: the message.
    Failed(String),
    /// Its file cannot be read: the message.
    Damaged(String),
}

/// What the form for a new session asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// One of the presets that were offered.
    pub preset: String,
    /// The session's name: fit for a file, and no session of the list has it.
    pub name: String,
    /// A network's file, as typed.
    pub network: Option<String>,
    /// Images, as typed.
    pub images: Option<String>,
    /// The grain of noise and the trials that were chosen.
    pub grain: Option<Foretold>,
}

/// What the person wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// Look at this session.
    Open(String),
    /// Let an engine go on with this session, and look at it.
    Resume(String),
    /// See this session beside another.
    Compare(String),
    /// Make a session and run it.
    New(Asked),
    /// Delete this session: the person was asked, and no engine runs it as far as the list knows.
    Delete(String),
    /// Nothing: the person left.
    Leave,
    /// Nothing: there is no terminal any more.
    Gone,
}

/// Where the person is in the list, kept from one [`browse`](super::browse) to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// What went wrong with the last choice, said above the list until the next key.
    pub problem: Option<String>,
    /// The session for which another is chosen here to compare it with, where that is what the list is
    /// for.
    pub(super) against: Option<String>,
    /// The chosen session.
    pub(super) chosen: Option<String>,
    /// Its place among those shown, for when it is gone.
    pub(super) at: usize,
    /// Only sessions whose name has this are shown.
    pub(super) filter: String,
}

impl List {
    /// The list from which a session is chosen to compare `name` with it.
    pub fn against(name: &str) -> Self {
        Self {
            against: Some(name.to_owned()),
            ..Self::default()
        }
    }
}
