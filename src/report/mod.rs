//! Reports: a run as text lines or JSON lines, the summary of a session, and its HTML page. Everything
//! reported is in the session: nothing is computed here.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use crate::link::Link;

pub mod comparison;
pub mod event;
pub mod page;
mod plain;
pub mod session_status;
pub mod status;
mod summary;
pub mod tracker;

pub use event::Event;
pub use session_status::SessionStatus;
pub use summary::{summary, summary_with_status};
pub use tracker::EventTracker;

/// The format of a run's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Text lines for a person.
    Plain,
    /// One JSON object per line, for a program.
    Json,
}

impl Style {
    /// Minimum seconds between two progress lines of a stage.
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
    /// The reader has closed the output. The run may continue.
    #[error("the reader of the report has closed it")]
    Gone,
    /// The lines could not be written.
    #[error("standard output could not be written: {0}")]
    Write(io::Error),
}

/// Reports a run until it is over or its engine has ended. `path` is the session's file, which
/// checkpoint lines name. Each line is flushed.
///
/// What an engine did before this call is not reported, unless the engine has already ended: then
/// everything in the session is reported, as if the run had taken no time.
///
/// # Errors
/// [`ReportError::Gone`] if the reader has closed the output; the run itself may continue.
pub async fn report_run(
    mut link: Link,
    style: Style,
    path: &Path,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let began = Instant::now();
    let mut differ = match link.sessions.has_changed() {
        Ok(_) => EventTracker::new(style, path),
        Err(_) => EventTracker::for_file(style, path),
    };
    loop {
        let session = Arc::clone(&link.sessions.borrow_and_update());
        write_events(
            &differ.lines(&session, began.elapsed().as_secs_f64()),
            style,
            out,
        )?;
        if differ.is_over() {
            return Ok(());
        }
        if link.sessions.changed().await.is_err() {
            let now_s = began.elapsed().as_secs_f64();
            return write_events(&differ.final_events(&session, now_s), style, out);
        }
    }
}

fn write_events(events: &[Event], style: Style, out: &mut impl Write) -> Result<(), ReportError> {
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
