//! What is needed to look at a session, and how it is drawn.

use std::path::{Path, PathBuf};

use clap::Args;
use etcetera::BaseStrategy;

use super::Refusal;
use super::machine::Machine;
use crate::session::store::Store;
use crate::tui;
use crate::tui::preferences::{Background, Color, Preferences};

/// The line between this program and the person's eyes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Screen")]
pub struct Line {
    /// For a light background (default: what the environment or the terminal says)
    #[arg(long, global = true, conflicts_with = "dark")]
    light: bool,
    /// For a dark background
    #[arg(long, global = true)]
    dark: bool,
    /// How many colours (default: what the environment says)
    #[arg(long, global = true, value_enum, value_name = "HOW")]
    color: Option<Color>,
    /// Nothing but ASCII
    #[arg(long, global = true)]
    ascii: bool,
    /// Frames a second at most (default: 10)
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: Option<u32>,
    /// For slow lines: one frame a second, fewer colours, no decoration
    #[arg(long, global = true)]
    low_bandwidth: bool,
    /// A file of preferences, as `noisescope config` prints them (default: config.ron in noisescope's folder of the
    /// platform's)
    #[arg(long, global = true, value_name = "FILE", env = "NOISESCOPE_CONFIG")]
    config: Option<PathBuf>,
    /// How a shell calls this program for these sessions.
    #[arg(skip)]
    pub program: Option<&'static str>,
}

impl Line {
    /// Where preferences are looked for; `None` on a machine without a place for them.
    pub fn path(&self) -> Option<PathBuf> {
        let named = self
            .config
            .clone()
            .filter(|path| !path.as_os_str().is_empty());
        named.or_else(|| {
            let strategy = etcetera::choose_base_strategy().ok()?;
            Some(strategy.config_dir().join("noisescope").join("config.ron"))
        })
    }

    /// How a screen is shown: by the words of the command line, else by the file.
    ///
    /// # Errors
    /// What is wrong with the file, and where in it; a file that was named and is not there.
    pub fn options(&self) -> Result<tui::Options, Refusal> {
        let path = self.path();
        let read = path.as_deref().map(Preferences::read).transpose();
        let read = read.map_err(Refusal::Usage)?.flatten();
        if let (None, Some(named)) = (&read, &self.config)
            && !named.as_os_str().is_empty()
        {
            return Err(Refusal::Usage(format!(
                "{}: there is no such file; noisescope config prints one",
                named.display()
            )));
        }
        let mut own = read.unwrap_or_default();
        match (self.light, self.dark) {
            (true, _) => own.background = Background::Light,
            (_, true) => own.background = Background::Dark,
            _ => {}
        }
        own.color = self.color.unwrap_or(own.color);
        own.fps = self.fps.unwrap_or(own.fps);
        own.ascii |= self.ascii;
        own.low_bandwidth |= self.low_bandwidth;
        let options = own.options().map_err(Refusal::Usage)?;
        Ok(tui::Options {
            program: self.program.unwrap_or(options.program),
            ..options
        })
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
    pub options: tui::Options,
}
