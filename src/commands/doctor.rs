//! `noisescope doctor`: checks what works on this machine and suggests remedies. Checks of one session are in
//! [`checkup`].

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::data::full_set;
use super::say::say;
use super::verdict::{Report, Verdict};
use super::{Refusal, checkup, words};
use crate::data::{catalog, data_dir};
use crate::engine::device::{self, Kind, cubecl, gpu, libtorch, trial};
use crate::format::thousands;
use crate::nets::plan::Lanes;
use crate::session::config::NetworkKind;
use crate::session::store::Store;
use crate::tui::theme::{Background, Depth, Theme};

/// What to check.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Check this session's files completely instead, and say how to restore the previous generation
    name: Option<String>,
    /// The network for the speed test: cnn, mlp, logistic, rnn, simple or complex
    #[arg(long, value_name = "KIND", default_value = "cnn")]
    network: String,
}

/// How long each device is measured.
const TRIAL: Duration = Duration::from_secs(1);

/// Smallest terminal for the dashboard: columns and rows.
const SMALLEST: (u16, u16) = (60, 18);

/// Checks everything; exit code 1 if something required does not work.
pub fn run(store: &Store, data: Option<&Path>, doctor: &Doctor) -> Result<ExitCode, Refusal> {
    if let Some(name) = &doctor.name {
        return checkup::run(store, name);
    }
    let network = words::network(&doctor.network)
        .map_err(|problem| Refusal::Usage(format!("--network: {problem}")))?;
    say(format_args!("noisescope {}", env!("CARGO_PKG_VERSION")));
    let mut report = Report::default();
    libraries(&mut report);
    devices(&mut report, network);
    terminal(&mut report);
    images(&mut report, data);
    sessions(&mut report, store);
    Ok(ExitCode::from(u8::from(report.is_broken())))
}

fn libraries(report: &mut Report) {
    report.title("Libraries");
    let lanes = Lanes::chosen();
    let images = match lanes.count() {
        1 => "one image at a time".to_owned(),
        many => format!("{many} images per vector"),
    };
    let words = format!("built in, compiled for {}, {images}", lanes.label());
    report.line(Verdict::Works, "cpu", words);
    report.line(Verdict::Works, "flex", "built in, pure Rust, the reference");
    match libtorch::folder() {
        Some(folder) => {
            let kind = match (libtorch::is_for_gpus(), libtorch::cuda()) {
                (true, Some((major, minor))) => {
                    format!("for NVIDIA GPUs (CUDA {major}.{minor}) and the processor")
                }
                (true, None) => "for NVIDIA GPUs and the processor".to_owned(),
                (false, _) => "for the processor only".to_owned(),
            };
            let other = libtorch::written_against().map_or_else(String::new, |version| {
                format!(" (this program was built for {version})")
            });
            let words = format!("{}{other} {kind}, in {folder}", libtorch::VERSION);
            report.line(Verdict::Works, "libtorch", words);
        }
        None => report.line(
            Verdict::Without,
            "libtorch",
            "not built in; for servers with GPUs, and faster on processors: scripts/with-libtorch cargo build --release --features libtorch",
        ),
    }
    if cubecl::BUILT {
        report.line(Verdict::Works, "CubeCL", "built in, CUDA without libtorch");
    } else {
        let words = "not built in; CUDA without libtorch: cargo build --release --features cuda";
        report.line(Verdict::Without, "CubeCL", words);
    }
    if libtorch::BUILT || cubecl::BUILT {
        match gpu::driver() {
            Ok(driver) => {
                let (major, minor) = driver.cuda;
                let words = format!("{}, supports CUDA up to {major}.{minor}", driver.version);
                report.line(Verdict::Works, "NVIDIA driver", words);
            }
            Err(problem) => report.line(Verdict::Without, "NVIDIA driver", problem),
        }
    }
}

fn devices(report: &mut Report, network: NetworkKind) {
    report.title(&format!(
        "Devices, with the noise loop on `{}`",
        network.label()
    ));
    let mut kinds = device::present();
    kinds.reverse();
    for kind in kinds {
        let name = kind.to_string();
        let card = kind.gpu().and_then(gpu::state);
        let card = card.map_or_else(String::new, |card| {
            let memory = card.memory.map_or_else(String::new, |(used, all)| {
                let (used, all) = (gpu::gigabytes(used), gpu::gigabytes(all));
                format!(", {used} of {all} in use")
            });
            format!("   {}{memory}", card.name)
        });
        let remark = kind.gpu().and_then(gpu::remark);
        let remark = remark.map_or_else(String::new, |remark| format!(" ({remark})"));
        match rate(kind, network) {
            Ok((rate, workers)) => {
                let plural = if workers == 1 { "" } else { "s" };
                let words = format!(
                    "{} trials/s, {workers} worker{plural}{card}{remark}",
                    thousands(rate as u64)
                );
                report.line(Verdict::Works, &name, words);
            }
            Err(problem) => {
                report.line(Verdict::Broken, &name, format!("{problem}{card}{remark}"));
            }
        }
    }
    for (built, family, gpus) in [
        (libtorch::BUILT, "cuda", gpu::of_libtorch()),
        (cubecl::BUILT, "cubecl", cubecl::gpus()),
    ] {
        if let (true, Err(why)) = (built, gpus) {
            report.line(Verdict::Without, &format!("{family}:0"), why);
        }
    }
}

/// Trials per second, and the number of workers.
fn rate(kind: Kind, network: NetworkKind) -> Result<(f64, usize), String> {
    let choice = device::Choice::Named(vec![kind]);
    let opened = device::open(device::Wanted::of(&choice), network, None);
    let opened = opened.map_err(|error| error.to_string())?;
    let rate = trial::trials_per_second(&opened.seats, network, TRIAL)?;
    Ok((rate, opened.seats.len()))
}

fn terminal(report: &mut Report) {
    report.title("Terminal");
    if !std::io::stdout().is_terminal() {
        let words = "standard output is not one: `run` prints lines instead of drawing";
        report.line(Verdict::Without, "terminal", words);
        return;
    }
    let kind = std::env::var("TERM").unwrap_or_else(|_| "TERM is not set".into());
    match crossterm::terminal::size() {
        Ok((columns, rows)) if columns < SMALLEST.0 || rows < SMALLEST.1 => {
            let words = format!(
                "{kind}, {columns}×{rows}: too small; make it at least {}×{}, better 120×40",
                SMALLEST.0, SMALLEST.1
            );
            report.line(Verdict::Broken, "size", words);
        }
        Ok((columns, rows)) => {
            report.line(Verdict::Works, "size", format!("{kind}, {columns}×{rows}"));
        }
        Err(error) => report.line(Verdict::Broken, "size", error),
    }
    let theme = Theme::from_env();
    let background = match theme.background {
        Background::Dark => "on dark",
        Background::Light => "on light",
    };
    let in_screen = std::env::var_os("STY").is_some_and(|name| !name.is_empty());
    let (verdict, colours) = match theme.depth {
        Depth::Indexed if in_screen => (Verdict::Works, "256; GNU screen supports no more"),
        Depth::Sixteen if in_screen => (
            Verdict::Works,
            "16; for more in GNU screen: screen -T screen-256color",
        ),
        Depth::True => (Verdict::Works, "16 million"),
        Depth::Indexed => (
            Verdict::Works,
            "256; if the terminal has more: export COLORTERM=truecolor",
        ),
        Depth::Sixteen => (
            Verdict::Works,
            "16; if the terminal has more: export TERM=xterm-256color",
        ),
        Depth::Mono => (Verdict::Without, "none: glyphs show sign and size"),
    };
    report.line(verdict, "colours", format!("{colours} ({background})"));
    if theme.glyphs.unicode {
        report.line(Verdict::Works, "characters", "Unicode");
    } else {
        let words = "ASCII; if the terminal has Unicode: export LANG=C.UTF-8";
        report.line(Verdict::Without, "characters", words);
    }
}

fn images(report: &mut Report, data: Option<&Path>) {
    report.title("Data");
    let folder = match data_dir(data) {
        Ok(folder) => folder,
        Err(error) => return report.line(Verdict::Broken, "folder", error),
    };
    report.line(Verdict::Works, "folder", folder.display());
    for spec in catalog::SETS {
        let built_in = if spec.is_embedded {
            "built-in subset; "
        } else {
            ""
        };
        let words = format!("{built_in}full set: {}", full_set(spec, &folder));
        report.line(Verdict::Works, spec.slug, words);
    }
}

fn sessions(report: &mut Report, store: &Store) {
    report.title("Sessions");
    let folder = store.folder().display();
    match store.names() {
        Ok(names) => {
            let plural = if names.len() == 1 { "" } else { "s" };
            let words = format!("{folder}, {} session{plural}", names.len());
            report.line(Verdict::Works, "folder", words);
        }
        Err(error) => return report.line(Verdict::Broken, "folder", error),
    }
    match can_write(store.folder()) {
        Ok(()) => report.line(
            Verdict::Works,
            "writing",
            "files can be created and replaced",
        ),
        Err(error) => {
            let words = format!(
                "{folder} is not writable ({error}); name another folder with --sessions DIR or NOISESCOPE_SESSIONS"
            );
            report.line(Verdict::Broken, "writing", words);
        }
    }
}

/// Creates and replaces a file in the folder, as a checkpoint does.
fn can_write(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let (new, old) = (folder.join(".doctor.tmp"), folder.join(".doctor"));
    let tried = fs::write(&new, "noisescope").and_then(|()| fs::rename(&new, &old));
    let removed = fs::remove_file(&old);
    let _ = fs::remove_file(&new);
    tried.and(removed)
}
