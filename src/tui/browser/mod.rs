//! The list of sessions: what there is, how far it is, and what to do with it.

use super::dashboard::{Options, TuiError};

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

/// What the person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Look at this session.
    Open(String),
    /// Let an engine go on with this session, and look at it.
    Resume(String),
    /// Make a session and run it.
    New {
        /// One of the presets that were offered.
        preset: String,
        /// Its name; no session of the list has it.
        name: String,
    },
    /// Delete this session: the person was asked, and no engine runs it as far as the list knows.
    Delete(String),
    /// Nothing: the person left.
    Leave,
}

/// Where the person is in the list, kept from one [`browse`] to the next.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// Something that went wrong with the last choice, to be said above the list.
    pub problem: Option<String>,
}

/// Shows the sessions until the person has chosen. `rows` is called again every two seconds on a
/// thread of its own. `list` keeps the place between two calls.
///
/// # Errors
/// Where the terminal cannot be taken.
pub async fn browse(
    rows: impl Fn() -> Vec<Row> + Send + 'static,
    presets: &[String],
    options: &Options,
    list: &mut List,
) -> Result<Choice, TuiError> {
    let _ = (rows, presets, options, list);
    Ok(Choice::Leave)
}
