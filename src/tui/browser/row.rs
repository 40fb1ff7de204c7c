//! The sessions of the list, where the person is in it, and what was chosen.

use crate::format::count;
use crate::report::Standing;
use crate::session::Session;
use crate::stats::grain::Foretold;

/// One session as the list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
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
    /// Whether an engine has it.
    pub fn is_running(&self) -> bool {
        self.pid.is_some() || self.standing.has_engine()
    }

    /// Whether more trials of it can be asked for.
    pub fn can_extend(&self) -> bool {
        self.done > 0 && !self.standing.is_unread()
    }

    /// Whether a new engine could go on with it.
    pub fn can_resume(&self) -> bool {
        let over = self.standing == Standing::Finished || self.standing.is_unread();
        !self.is_running() && !over
    }
}

/// What is in the files of a session that somebody wants to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// What its file holds, or why that is not known.
    pub file: Result<Held, String>,
    /// What the previous generation holds; `None` where there is none.
    pub previous: Option<Result<Held, String>>,
}

/// What a session's file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Trials that have been measured.
    pub trials: u64,
    /// Epochs of training, or whether weights were taken from a file: in words.
    pub network: Option<String>,
    /// When it was written, seconds since the Unix epoch.
    pub updated: Option<i64>,
}

impl Held {
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

/// A preset that is offered.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// What it does; `None` where that cannot be read.
    pub about: Option<About>,
}

impl From<&str> for Preset {
    /// One of which nothing is known.
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            about: None,
        }
    }
}

/// What a preset does.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// In words.
    pub words: String,
    /// The kind of its network, whose pace tells how long it takes.
    pub network: String,
    /// How much it is, in trials that take as long; `None` where that is not known beforehand.
    pub work: Option<f64>,
}

/// What is done to a session without leaving the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Let its run stand still.
    Pause(String),
    /// Let it go on.
    Continue(String),
    /// Stop it after a checkpoint.
    Stop(String),
    /// Write its figures.
    Export(String),
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
    /// Look at this session where a number of trials is to be typed.
    Extend(String),
    /// See this session beside another.
    Compare(String),
    /// Make a session and run it.
    New(Asked),
    /// Delete this session: the person was asked, was told what is in it, and no engine runs it as far
    /// as the list knows.
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
    /// What came of the last choice, said in the same place.
    pub news: Option<String>,
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
