//! What is needed to look at a session, and how it is drawn.

use std::path::Path;

use clap::Args;

use super::machine::Machine;
use crate::session::store::Store;
use crate::tui;

/// The line between this program and the person's eyes.
#[derive(Debug, Clone, Args)]
pub struct Line {
    /// Frames a second at most
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// For slow lines: one frame a second, fewer colours, no decoration
    #[arg(long)]
    low_bandwidth: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            fps: 10,
            low_bandwidth: false,
        }
    }
}

impl Line {
    /// The dashboard's options.
    pub fn options(&self) -> tui::Options {
        tui::Options {
            fps: self.fps,
            low_bandwidth: self.low_bandwidth,
            ..tui::Options::default()
        }
    }
}

/// Everything needed to look at a session and to resume it.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Where the sessions are.
    pub store: &'a Store,
    /// Where full data sets are.
    pub data: &'a Path,
    /// What a resumed engine computes on.
    pub machine: &'a Machine,
    /// How it is drawn.
    pub line: &'a Line,
}
