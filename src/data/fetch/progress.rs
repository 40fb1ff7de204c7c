//! Progress display of a fetch: a bar on a terminal, plain lines elsewhere, always on stderr.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Receives the progress of a fetch.
pub trait FetchProgress {
    /// Shows a message.
    fn say(&self, line: &str);
    /// A file of `bytes` unpacked bytes begins to arrive.
    fn begin(&self, file: &str, bytes: u64);
    /// `bytes` more unpacked bytes have arrived.
    fn advance(&self, bytes: u64);
    /// The file is complete, or was aborted.
    fn end(&self);
}

/// The display suited to stderr: [`BarProgress`] on a terminal, else [`LineProgress`].
pub fn on_stderr() -> Box<dyn FetchProgress> {
    if io::stderr().is_terminal() {
        Box::new(BarProgress::default())
    } else {
        Box::new(LineProgress)
    }
}

/// One plain line for each event.
#[derive(Debug, Clone, Copy)]
pub struct LineProgress;

impl FetchProgress for LineProgress {
    fn say(&self, line: &str) {
        // A closed stderr is no reason to stop.
        let _ = writeln!(io::stderr(), "{line}");
    }

    fn begin(&self, file: &str, bytes: u64) {
        self.say(&format!("  {file}, {:.2} MB", bytes as f64 / 1e6));
    }

    fn advance(&self, _bytes: u64) {}

    fn end(&self) {}
}

/// A progress bar for the current file.
#[derive(Debug, Default)]
pub struct BarProgress {
    current: RefCell<Option<ProgressBar>>,
}

impl FetchProgress for BarProgress {
    fn say(&self, line: &str) {
        LineProgress.say(line);
    }

    fn begin(&self, file: &str, bytes: u64) {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let template = "  {msg:24} [{bar:24}] {decimal_bytes:>9} of {decimal_total_bytes}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(file.to_owned());
        self.current.replace(Some(bar));
    }

    fn advance(&self, bytes: u64) {
        if let Some(bar) = &*self.current.borrow() {
            bar.inc(bytes);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.current.take() {
            bar.finish_and_clear();
        }
    }
}

/// Shows nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoProgress;

impl FetchProgress for NoProgress {
    fn say(&self, _line: &str) {}
    fn begin(&self, _file: &str, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn end(&self) {}
}
