//! A run as lines, where there is no terminal to draw on or a program reads along; and the summary
//! of a session. Everything told is in the session: nothing is computed here.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::link::Link;

pub mod comparison;
pub mod differ;
pub mod event;
pub mod page;
mod plain;
pub mod standing;
pub mod status;
mod summary;

pub use differ::Differ;
pub use event::Event;
pub use standing::Standing;
pub use summary::{summary, summary_of};

/// How a run is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Lines for a person.
    Plain,
    /// One JSON object a line, for a program.
    Json,
}

impl Style {
    /// Least seconds between two lines on the progress of a stage.
    fn interval_s(self) -> f64 {
        match self {
            Self::Plain => 5.0,
            Self::Json => 1.0,
        }
    }
}

/// Why a report ended before the run did.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Whoever read the lines has gone. The run may well go on.
    #[error("nobody reads the report any more")]
    Gone,
    /// The lines could not be written.
    #[error("the report could not be written: {0}")]
    Write(io::Error),
}

/// Tells a run until it is over or its engine has gone. `path` is the session's file, named where
/// a checkpoint is told. Each line is flushed.
///
/// What an engine had done before this call is not told again, unless the engine has already gone:
/// then all that the session holds is told, as of a run that took no time.
///
/// # Errors
/// [`ReportError::Gone`] where the reader has gone: the run itself may go on.
pub async fn run(
    mut link: Link,
    style: Style,
    path: &Path,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let began = Instant::now();
    let mut differ = match link.sessions.has_changed() {
        Ok(_) => Differ::new(style, path),
        Err(_) => Differ::of_a_document(style, path),
    };
    loop {
        let session = Arc::clone(&link.sessions.borrow_and_update());
        tell(
            &differ.lines(&session, began.elapsed().as_secs_f64()),
            style,
            out,
        )?;
        if differ.is_over() {
            return Ok(());
        }
        if link.sessions.changed().await.is_err() {
            let now_s = began.elapsed().as_secs_f64();
            return tell(&differ.last(&session, now_s), style, out);
        }
    }
}

fn tell(events: &[Event], style: Style, out: &mut impl Write) -> Result<(), ReportError> {
    for event in events {
        let mut line = match style {
            Style::Plain => plain::line(event),
            Style::Json => {
                serde_json::to_string(event).map_err(|error| ReportError::Write(error.into()))?
            }
        };
        line.push('\n');
        out.write_all(line.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| match error.kind() {
                io::ErrorKind::BrokenPipe => ReportError::Gone,
                _ => ReportError::Write(error),
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
