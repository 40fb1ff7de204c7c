//! Screen options of the command line, and the context for viewing a session.

use std::path::{Path, PathBuf};

use clap::Args;
use etcetera::BaseStrategy;

use super::machine::MachineArgs;
use super::{CommandError, path_variable};
use crate::session::store::Store;
use crate::tui;
use crate::tui::preferences::{BackgroundPreference, ColourPreference, Preferences};

/// Screen options.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Screen")]
pub struct ScreenArgs {
    /// Colours for a light background (default: as the environment or the terminal says)
    #[arg(long, global = true, conflicts_with = "dark")]
    light: bool,
    /// Colours for a dark background
    #[arg(long, global = true)]
    dark: bool,
    /// How many colours (default: as the environment says)
    #[arg(long, global = true, value_enum, value_name = "HOW")]
    color: Option<ColourPreference>,
    /// Use only ASCII
    #[arg(long, global = true)]
    ascii: bool,
    /// At most this many frames per second (default: 10)
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: Option<u32>,
    /// For slow connections: one frame per second, fewer colours, no decoration
    #[arg(long, global = true)]
    low_bandwidth: bool,
    /// A preferences file, in the format that `noisescope config` prints (default: NOISESCOPE_CONFIG, else
    /// noisescope/config.ron in the platform's config folder)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The command that calls this program for these sessions, for display.
    #[arg(skip)]
    pub program: Option<&'static str>,
}

impl ScreenArgs {
    /// Path of the preferences file; `None` if the platform has no config folder.
    pub fn path(&self) -> Option<PathBuf> {
        self.named().or_else(|| {
            let strategy = etcetera::choose_base_strategy().ok()?;
            Some(strategy.config_dir().join("noisescope").join("config.ron"))
        })
    }

    /// The preferences file that the option or its variable names.
    fn named(&self) -> Option<PathBuf> {
        let named = self.config.clone();
        named.or_else(|| path_variable("NOISESCOPE_CONFIG"))
    }

    /// Screen options: those of the command line, else those of the preferences file.
    ///
    /// # Errors
    /// If the file is invalid (says where), or was named and does not exist.
    pub fn options(&self) -> Result<tui::DisplayOptions, CommandError> {
        let path = self.path();
        let read = path.as_deref().map(Preferences::read).transpose();
        let read = read.map_err(CommandError::Usage)?.flatten();
        if let (None, Some(named)) = (&read, self.named()) {
            return Err(CommandError::Usage(format!(
                "{}: no such file; noisescope config prints one",
                named.display()
            )));
        }
        let mut preferences = read.unwrap_or_default();
        match (self.light, self.dark) {
            (true, _) => preferences.background = BackgroundPreference::Light,
            (_, true) => preferences.background = BackgroundPreference::Dark,
            _ => {}
        }
        preferences.color = self.color.unwrap_or(preferences.color);
        preferences.fps = self.fps.unwrap_or(preferences.fps);
        preferences.ascii |= self.ascii;
        preferences.low_bandwidth |= self.low_bandwidth;
        let options = preferences.options().map_err(CommandError::Usage)?;
        Ok(tui::DisplayOptions {
            program: self.program.unwrap_or(options.program),
            ..options
        })
    }
}

/// Everything needed to view a session and to resume it.
#[derive(Debug, Clone, Copy)]
pub struct AttachView<'a> {
    /// The sessions folder.
    pub store: &'a Store,
    /// The folder of full data sets.
    pub data: &'a Path,
    /// The machine options of a resumed engine.
    pub machine: &'a MachineArgs,
    /// Screen options.
    pub options: tui::DisplayOptions,
}
