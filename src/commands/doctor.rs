//! `noisescope doctor`: checks what works on this machine and suggests remedies. Checks of one session are in
//! [`checkup`].

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::checklist::{CheckStatus, Checklist};
use super::data::full_set;
use super::output::print_line;
use super::{CommandError, checkup, typed_names};
use crate::data::{catalog, data_dir};
use crate::engine::device::{self, DeviceKind, gpu, libtorch, speed};
use crate::files;
use crate::format::thousands;
use crate::nets::plan::Lanes;
use crate::session::config::NetworkKind;
use crate::session::store::Store;
use crate::tui::theme::{Background, Depth, Theme};

/// What to check.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Check this session's files completely instead, and say how to restore the previous generation
    name: Option<String>,
    /// The network for the speed test: cnn, mlp, logistic, rnn, simple or complex
    #[arg(
        long,
        value_name = "KIND",
        default_value = "cnn",
        conflicts_with = "name"
    )]
    network: String,
}

/// How long each device is measured.
const TRIAL: Duration = Duration::from_secs(1);

/// Smallest terminal for the dashboard: columns and rows.
const SMALLEST: (u16, u16) = (60, 18);

/// Checks everything; exit code 1 if something required does not work.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    doctor: &DoctorArgs,
) -> Result<ExitCode, CommandError> {
    if let Some(name) = &doctor.name {
        return checkup::run(store, name);
    }
    let network = typed_names::parse_network(&doctor.network)
        .map_err(|problem| CommandError::Usage(format!("--network: {problem}")))?;
    print_line(format_args!("noisescope {}", env!("CARGO_PKG_VERSION")));
    let mut report = Checklist::default();
    libraries(&mut report);
    devices(&mut report, network);
    terminal(&mut report);
    images(&mut report, data);
    sessions(&mut report, store);
    Ok(ExitCode::from(u8::from(report.is_broken())))
}

fn libraries(report: &mut Checklist) {
    report.title("Libraries");
    let lanes = Lanes::from_env_or_widest();
    let images = match lanes.count() {
        1 => "one image at a time".to_owned(),
        many => format!("{many} images per vector"),
    };
    let words = format!("built in, compiled for {}, {images}", lanes.label());
    report.add(CheckStatus::Pass, "cpu", words);
    report.add(
        CheckStatus::Pass,
        "flex",
        "built in, pure Rust, the reference",
    );
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
            report.add(CheckStatus::Pass, "libtorch", words);
        }
        None => report.add(
            CheckStatus::Absent,
            "libtorch",
            "not built in; for NVIDIA GPUs: scripts/with-libtorch cargo build --release --features libtorch",
        ),
    }
    if libtorch::BUILT {
        match gpu::driver() {
            Ok(driver) => {
                let (major, minor) = driver.cuda;
                let words = format!("{}, supports CUDA up to {major}.{minor}", driver.version);
                report.add(CheckStatus::Pass, "NVIDIA driver", words);
            }
            Err(problem) => report.add(CheckStatus::Absent, "NVIDIA driver", problem),
        }
    }
}

fn devices(report: &mut Checklist, network: NetworkKind) {
    report.title(&format!(
        "Devices, with the noise loop on `{}`",
        network.label()
    ));
    let mut kinds = device::available_devices();
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
                report.add(CheckStatus::Pass, &name, words);
            }
            Err(problem) => {
                report.add(
                    CheckStatus::Broken,
                    &name,
                    format!("{problem}{card}{remark}"),
                );
            }
        }
    }
    if let (true, Err(why)) = (libtorch::BUILT, gpu::count_for_libtorch()) {
        report.add(CheckStatus::Absent, "cuda:0", why);
    }
}

/// Trials per second, and the number of workers.
fn rate(kind: DeviceKind, network: NetworkKind) -> Result<(f64, usize), String> {
    let choice = device::DeviceChoice::Named(vec![kind]);
    let opened = device::open(device::DeviceRequest::new(&choice), network, None);
    let opened = opened.map_err(|error| error.to_string())?;
    let rate = speed::trials_per_second(&opened.seats, network, TRIAL)?;
    Ok((rate, opened.seats.len()))
}

fn terminal(report: &mut Checklist) {
    report.title("Terminal");
    if !std::io::stdout().is_terminal() {
        let words = "standard output is not one: `run` prints lines instead of drawing";
        report.add(CheckStatus::Absent, "terminal", words);
        return;
    }
    let kind = std::env::var("TERM").unwrap_or_else(|_| "TERM is not set".into());
    match crossterm::terminal::size() {
        Ok((columns, rows)) if columns < SMALLEST.0 || rows < SMALLEST.1 => {
            let words = format!(
                "{kind}, {columns}×{rows}: too small; make it at least {}×{}, better 120×40",
                SMALLEST.0, SMALLEST.1
            );
            report.add(CheckStatus::Broken, "size", words);
        }
        Ok((columns, rows)) => {
            report.add(
                CheckStatus::Pass,
                "size",
                format!("{kind}, {columns}×{rows}"),
            );
        }
        Err(error) => report.add(CheckStatus::Broken, "size", error),
    }
    let theme = Theme::from_env();
    let background = match theme.background {
        Background::Dark => "on dark",
        Background::Light => "on light",
    };
    let in_screen = std::env::var_os("STY").is_some_and(|name| !name.is_empty());
    let (verdict, colours) = match theme.depth {
        Depth::Indexed if in_screen => (CheckStatus::Pass, "256; GNU screen supports no more"),
        Depth::Sixteen if in_screen => (
            CheckStatus::Pass,
            "16; for more in GNU screen: screen -T screen-256color",
        ),
        Depth::True => (CheckStatus::Pass, "16 million"),
        Depth::Indexed => (
            CheckStatus::Pass,
            "256; if the terminal has more: export COLORTERM=truecolor",
        ),
        Depth::Sixteen => (
            CheckStatus::Pass,
            "16; if the terminal has more: export TERM=xterm-256color",
        ),
        Depth::Mono => (CheckStatus::Absent, "none: glyphs show sign and size"),
    };
    report.add(verdict, "colours", format!("{colours} ({background})"));
    if theme.glyphs.unicode {
        report.add(CheckStatus::Pass, "characters", "Unicode");
    } else {
        let words = "ASCII; if the terminal has Unicode: export LANG=C.UTF-8";
        report.add(CheckStatus::Absent, "characters", words);
    }
}

fn images(report: &mut Checklist, data: Option<&Path>) {
    report.title("Data");
    let folder = match data_dir(data) {
        Ok(folder) => folder,
        Err(error) => return report.add(CheckStatus::Broken, "folder", error),
    };
    report.add(CheckStatus::Pass, "folder", folder.display());
    for spec in catalog::SETS {
        let built_in = if spec.is_embedded {
            "built-in subset; "
        } else {
            ""
        };
        let (verdict, full) = full_set(spec, &folder);
        // Without the full set, the built-in subset is used.
        let verdict = match verdict {
            CheckStatus::Absent if spec.is_embedded => CheckStatus::Pass,
            other => other,
        };
        report.add(verdict, spec.slug, format!("{built_in}full set: {full}"));
    }
}

fn sessions(report: &mut Checklist, store: &Store) {
    report.title("Sessions");
    let folder = store.folder().display();
    let names = match store.names() {
        Ok(names) => names,
        Err(error) => return report.add(CheckStatus::Broken, "folder", error),
    };
    let plural = if names.len() == 1 { "" } else { "s" };
    let words = format!("{folder}, {} session{plural}", names.len());
    report.add(CheckStatus::Pass, "folder", words);
    match can_write(store.folder(), checkpoint_size(store, &names)) {
        Ok(()) => report.add(
            CheckStatus::Pass,
            "writing",
            "files can be created and replaced",
        ),
        Err(error) => {
            let room = files::room_remedy(&error);
            let words = format!(
                "{folder} is not writable ({error}{room}); name another folder with --sessions DIR or NOISESCOPE_SESSIONS"
            );
            report.add(CheckStatus::Broken, "writing", words);
        }
    }
}

/// The size in bytes of the largest session, which the next checkpoint may need, within reasonable limits.
fn checkpoint_size(store: &Store, names: &[String]) -> usize {
    const LEAST: u64 = 1 << 16;
    const MOST: u64 = 1 << 26;
    let sizes = names.iter().filter_map(|name| {
        let about = fs::metadata(store.path(name)).ok()?;
        Some(about.len())
    });
    sizes.max().unwrap_or(0).clamp(LEAST, MOST) as usize
}

/// How the name of a file begins that is created to see whether a folder can be written.
const TRIED: &str = ".doctor-";
/// One of this age was left behind.
const LEFT: Duration = Duration::from_secs(3600);

/// Creates a file of this size in the folder, as a checkpoint does, and removes it; if the folder does not exist, in the
/// one in which it would be created.
fn can_write(folder: &Path, bytes: usize) -> std::io::Result<()> {
    let folder = folder.ancestors().find(|folder| folder.exists());
    // The empty path around a relative one is the current folder.
    let folder = folder.unwrap_or(Path::new("."));
    sweep(folder);
    let file = folder.join(format!("{TRIED}{}", std::process::id()));
    files::replace(&file, &vec![0; bytes])?;
    fs::remove_file(&file)
}

/// Removes what an earlier check that was killed left in the folder. One at work on another machine is younger.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(TRIED));
        let process = process.map(|rest| rest.strip_suffix(".tmp").unwrap_or(rest));
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let is_tried = process.is_some_and(|process| process.chars().all(is_number));
        let written = entry.metadata().and_then(|about| about.modified());
        let age = written.ok().and_then(|then| then.elapsed().ok());
        if is_tried && age.is_some_and(|age| age > LEFT) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_created_to_see_whether_it_can_be_written() {
        let outer = tempfile::tempdir().unwrap();
        assert!(can_write(&outer.path().join("new/sessions"), 1).is_ok());
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 0);
        let file = outer.path().join("file");
        fs::write(&file, "no folder").unwrap();
        assert!(can_write(&file.join("sessions"), 1).is_err());
    }

    #[test]
    fn what_a_killed_check_left_is_removed_by_a_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let long_ago = std::time::SystemTime::now() - 2 * LEFT;
        for (name, is_old) in [
            (".doctor-12.12.tmp", true),
            (".doctor-13", true),
            (".doctor-14.14.tmp", false),
            (".doctor-notes", true),
        ] {
            let file = fs::File::create(at(name)).unwrap();
            if is_old {
                file.set_modified(long_ago).unwrap();
            }
        }
        can_write(folder.path(), 1).unwrap();
        let names = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".doctor-14.14.tmp", ".doctor-notes"]);
    }

    #[test]
    fn the_folder_is_tried_with_a_file_as_large_as_the_next_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        assert_eq!(checkpoint_size(&store, &[]), 1 << 16);
        fs::write(store.path("small"), [0_u8; 10]).unwrap();
        fs::write(store.path("large"), vec![0_u8; 100_000]).unwrap();
        assert_eq!(checkpoint_size(&store, &store.names().unwrap()), 100_000);
    }

    #[test]
    fn what_a_planted_link_leads_to_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("mine");
        fs::write(&mine, "my own").unwrap();
        let sessions = folder.path().join("sessions");
        fs::create_dir(&sessions).unwrap();
        let own = format!(".doctor-{}", std::process::id());
        for link in [
            ".doctor.tmp",
            ".doctor",
            &own,
            &format!("{own}.{}.tmp", std::process::id()),
        ] {
            std::os::unix::fs::symlink(&mine, sessions.join(link)).unwrap();
        }
        can_write(&sessions, 10).unwrap();
        assert_eq!(fs::read_to_string(&mine).unwrap(), "my own");
    }
}
