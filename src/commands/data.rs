//! `noisescope data`: lists the data sets, fetches the full ones, verifies them.

use std::fmt::Arguments;
use std::ops::ControlFlow;
use std::path::Path;

use clap::Subcommand;
use thiserror::Error;

use super::checklist::CheckStatus;
use super::output::print_line;
use crate::data::catalog::{self, SetSpec};
use crate::data::fetch::{self, FetchError, FetchProgress, Source};
use crate::data::verify::{self, FileReport, FileState};
use crate::data::{self, DataError, DatasetOrigin, DatasetRequest, data_dir, embedded, set_dir};
use crate::session::config::{self, DatasetName, DatasetSource};

/// What to do with the data sets.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum DataCommand {
    /// List the data sets, their licences and where they are
    List,
    /// Fetch full sets into the data folder
    Fetch {
        /// Sets to fetch: mnist, fashion-mnist (default: both)
        #[arg(value_name = "SET", value_parser = catalog::parse_name)]
        sets: Vec<DatasetName>,
    },
    /// Check the full sets in the data folder against their published checksums
    Verify,
}

/// Why a `data` command failed, as one paragraph per set.
#[derive(Debug, Error)]
pub enum DataCommandError {
    /// There is no data folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Some sets could not be fetched.
    #[error("{}", .0.iter().map(FetchError::to_string).collect::<Vec<_>>().join("\n\n"))]
    Fetch(Vec<FetchError>),
    /// A set that can only be downloaded by hand.
    #[error("{set} cannot be fetched from here: {how} into {}", folder.display())]
    ByHand {
        /// Name of the set.
        set: &'static str,
        /// What to get, and from where.
        how: &'static str,
        /// The folder where it belongs.
        folder: std::path::PathBuf,
    },
    /// Some files differ from the published ones, or are missing: sentences with the remedies.
    #[error("{}", .0.join("; "))]
    Unsound(Vec<String>),
}

/// What is wrong with damaged files, and how to replace them, given the sets of those that can be fetched and of those that
/// cannot.
fn damage(files: &[String], sets: &[&str], by_hand: &[&str]) -> String {
    let some = if files.len() == 1 {
        "a file is"
    } else {
        "some files are"
    };
    format!(
        "{some} damaged: {}. {}",
        files.join("; "),
        replacing(sets, by_hand, files.len())
    )
}

fn replacing(sets: &[&str], by_hand: &[&str], files: usize) -> String {
    let them = if files == 1 { "it" } else { "them" };
    if sets.is_empty() {
        return format!("Replace {them} with a good copy");
    }
    let others = match by_hand.is_empty() {
        true => String::new(),
        false => format!(
            "; replace those of {} with a good copy",
            by_hand.join(" and ")
        ),
    };
    format!(
        "To replace {them}: noisescope data fetch {}{others}",
        sets.join(" ")
    )
}

/// What a set lacks, and how to get it.
fn lacks(spec: &SetSpec, place: &Path, missing: &[&str]) -> String {
    let remedy = match spec.by_hand {
        Some(how) => how.to_owned(),
        None => format!(
            "to fetch what is missing: noisescope data fetch {}",
            spec.slug
        ),
    };
    format!(
        "the full {} set in {} lacks {}; {remedy}",
        spec.label(),
        place.display(),
        missing.join(", ")
    )
}

/// Runs a `data` command; `data_flag` is `--data`.
///
/// # Errors
/// A [`DataCommandError`].
pub fn run(command: DataCommand, data_flag: Option<&Path>) -> color_eyre::Result<()> {
    Ok(execute(command, data_flag, &mut |line| {
        print_line(line);
    })?)
}

/// Receives the lines of the output. A reader that has seen enough must not keep sets from being fetched or checked, so
/// it cannot fail.
type Lines<'a> = &'a mut dyn FnMut(Arguments<'_>);

fn execute(
    command: DataCommand,
    data_flag: Option<&Path>,
    line: Lines<'_>,
) -> Result<(), DataCommandError> {
    let folder = data_dir(data_flag)?;
    match command {
        DataCommand::List => {
            list(&folder, line);
            Ok(())
        }
        DataCommand::Fetch { sets } => fetch_sets(
            &chosen(&sets),
            &folder,
            fetch::sources_for,
            &*fetch::on_stderr(),
            line,
        ),
        DataCommand::Verify => verify_sets(&catalog::SETS, &folder, line),
    }
}

/// The requested sets, each once, in the catalogue's order; all fetchable sets if none is named.
fn chosen(sets: &[DatasetName]) -> Vec<&'static SetSpec> {
    catalog::SETS
        .into_iter()
        .filter(|spec| match sets.is_empty() {
            true => spec.by_hand.is_none(),
            false => sets.contains(&spec.name),
        })
        .collect()
}

fn list(folder: &Path, line: Lines<'_>) {
    line(format_args!("Data folder: {}", folder.display()));
    for spec in catalog::SETS {
        let built_in = match spec.is_embedded {
            true => counts(embedded::TRAIN_COUNT, embedded::TEST_COUNT),
            false => "no".to_owned(),
        };
        let rows = [
            ("built in", built_in),
            ("full set", full_set(spec, folder).1),
            ("licence", spec.licence.to_owned()),
            ("homepage", spec.homepage.to_owned()),
        ];
        line(format_args!(
            "\n{:<14} {}, {}",
            spec.slug,
            spec.label(),
            spec.about
        ));
        for (title, text) in rows {
            line(format_args!("  {title:<12} {text}"));
        }
    }
    line(format_args!(
        "\nTo use your own images, a folder or a file: noisescope run NAME --data PATH"
    ));
}

/// Whether the full set is here, and in words where it is, how to get it, or why it cannot be used. Loads it, so a damaged
/// file is not reported as usable.
pub(super) fn full_set(spec: &SetSpec, folder: &Path) -> (CheckStatus, String) {
    let plan = config::Dataset {
        name: spec.name.clone(),
        source: DatasetSource::Full,
        ..config::Dataset::default()
    };
    let request = DatasetRequest {
        config: &plan,
        seed: 0,
        data: folder,
        cache: None,
    };
    match data::load(&request, &mut |_, _| ControlFlow::Continue(())) {
        Ok(full) => {
            let counts = counts(full.train.len(), full.test.len());
            let checked = spec.files.iter().any(|file| file.sha256.is_some());
            let unverified = if checked { "" } else { " (not verified)" };
            let place = match &full.origin {
                DatasetOrigin::Full(folder) => format!("in {}", folder.display()),
                other => other.to_string(),
            };
            (CheckStatus::Pass, format!("{counts}, {place}{unverified}"))
        }
        Err(DataError::NotFetched { slug, .. }) => {
            let megabytes = spec.bytes().div_ceil(1_000_000);
            let words =
                format!("not here; to fetch it ({megabytes} MB): noisescope data fetch {slug}");
            (CheckStatus::Absent, words)
        }
        Err(DataError::NotDownloaded { how, folder, .. }) => {
            let words = format!("not here; {how} into {}", folder.display());
            (CheckStatus::Absent, words)
        }
        Err(error) => (CheckStatus::Broken, format!("unusable: {error}")),
    }
}

fn counts(train: usize, test: usize) -> String {
    format!(
        "{} training + {} test images",
        grouped(train),
        grouped(test)
    )
}

/// A number with commas between thousands: `60,000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Fetches each set; continues with the next if one fails.
fn fetch_sets(
    sets: &[&SetSpec],
    folder: &Path,
    sources_for: impl Fn(&SetSpec) -> Vec<Box<dyn Source>>,
    progress: &dyn FetchProgress,
    line: Lines<'_>,
) -> Result<(), DataCommandError> {
    let mut failures = Vec::new();
    if let Some((spec, how)) = sets.iter().find_map(|spec| Some((spec, spec.by_hand?))) {
        return Err(DataCommandError::ByHand {
            set: spec.label(),
            how,
            folder: set_dir(folder, spec),
        });
    }
    for spec in sets {
        let set = spec.label();
        match fetch::fetch_set(spec, folder, &sources_for(spec), progress) {
            Err(error) => failures.push(error),
            Ok(fetched) if fetched.fetched.is_empty() => {
                let place = fetched.folder.display();
                line(format_args!(
                    "{set}: complete and verified in {place}, nothing to fetch"
                ));
            }
            Ok(fetched) => {
                let place = fetched.folder.display();
                line(format_args!(
                    "{set}: fetched into {place}, checksums verified"
                ));
                line(format_args!("{set}: licence {}", spec.licence));
            }
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(DataCommandError::Fetch(failures))
    }
}

fn verify_sets(sets: &[&SetSpec], folder: &Path, line: Lines<'_>) -> Result<(), DataCommandError> {
    let mut files = Vec::new();
    let (mut damaged, mut damaged_by_hand) = (Vec::new(), Vec::new());
    let mut incomplete = Vec::new();
    for spec in sets {
        let reports = verify::verify_set(spec, folder);
        let place = set_dir(folder, spec);
        if reports
            .iter()
            .all(|report| report.state == FileState::Missing)
        {
            line(format_args!(
                "{}: the full set is not in {}",
                spec.slug,
                place.display()
            ));
            continue;
        }
        line(format_args!("{}: {}", spec.slug, place.display()));
        let mut missing = Vec::new();
        for FileReport { file, path, state } in reports {
            let verdict = match state {
                FileState::Sound => "sound".to_owned(),
                FileState::Unverified => {
                    "of the right length; not verified, since no checksum is known".to_owned()
                }
                FileState::Missing => {
                    missing.push(file.name);
                    match spec.by_hand {
                        Some(_) => "missing".to_owned(),
                        None => format!("missing; run `noisescope data fetch {}`", spec.slug),
                    }
                }
                FileState::Damaged(why) => {
                    files.push(format!("{} {why}", path.display()));
                    match spec.by_hand {
                        Some(_) => damaged_by_hand.push(spec.slug),
                        None => damaged.push(spec.slug),
                    }
                    format!("damaged: {why}")
                }
            };
            line(format_args!("  {:<24} {verdict}", file.name));
        }
        // Fetching a damaged set brings what it lacks as well.
        if !missing.is_empty() && !damaged.contains(&spec.slug) {
            incomplete.push(lacks(spec, &place, &missing));
        }
    }
    damaged.dedup();
    damaged_by_hand.dedup();
    let mut problems = Vec::new();
    if !files.is_empty() {
        problems.push(damage(&files, &damaged, &damaged_by_hand));
    }
    problems.append(&mut incomplete);
    match problems.is_empty() {
        true => Ok(()),
        false => Err(DataCommandError::Unsound(problems)),
    }
}

#[cfg(test)]
mod tests;
