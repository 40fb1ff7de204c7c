//! `noisescope data`: which data sets there are, fetching the full ones, verifying them.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use clap::Subcommand;
use thiserror::Error;

use crate::data::catalog::{self, SetSpec};
use crate::data::fetch::{self, FetchError, Progress, Source};
use crate::data::verify::{self, FileReport, FileState};
use crate::data::{self, DataError, Request, data_dir, embedded, set_dir};
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

/// Why a `data` command failed, as one paragraph a set.
#[derive(Debug, Error)]
pub enum DataCommandError {
    /// There is no data folder.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Some sets could not be fetched.
    #[error("{}", .0.iter().map(FetchError::to_string).collect::<Vec<_>>().join("\n\n"))]
    Fetch(Vec<FetchError>),
    /// A set that no source offers.
    #[error("{set} cannot be fetched from here: {how} into {}", folder.display())]
    ByHand {
        /// Name of the set.
        set: &'static str,
        /// What to get, and from where.
        how: &'static str,
        /// The folder where it belongs.
        folder: std::path::PathBuf,
    },
    /// Some files are not the published ones.
    #[error(
        "{} damaged: {}. {}",
        if .files.len() == 1 { "a file is" } else { "some files are" },
        .files.join("; "), replacing(.sets, .files.len())
    )]
    Damaged {
        /// Each file and what is wrong with it.
        files: Vec<String>,
        /// Names of their sets on the command line.
        sets: Vec<&'static str>,
    },
    /// The answer cannot be printed.
    #[error("cannot print the answer: {0}")]
    Print(#[from] io::Error),
}

fn replacing(sets: &[&str], files: usize) -> String {
    let them = if files == 1 { "it" } else { "them" };
    match sets.is_empty() {
        true => format!("Replace {them} with a good copy."),
        false => format!(
            "Run `noisescope data fetch {}` to replace {them}.",
            sets.join(" ")
        ),
    }
}

/// Runs a `data` command; `data_flag` is `--data`.
///
/// # Errors
/// A [`DataCommandError`].
pub fn run(command: DataCommand, data_flag: Option<&Path>) -> color_eyre::Result<()> {
    match execute(command, data_flag, &mut io::stdout().lock()) {
        // Whoever closed the pipe has read enough.
        Err(DataCommandError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

fn execute(
    command: DataCommand,
    data_flag: Option<&Path>,
    to: &mut impl Write,
) -> Result<(), DataCommandError> {
    let folder = data_dir(data_flag)?;
    match command {
        DataCommand::List => list(&folder, to),
        DataCommand::Fetch { sets } => fetch_sets(
            &chosen(&sets),
            &folder,
            fetch::sources_for,
            &*fetch::on_stderr(),
            to,
        ),
        DataCommand::Verify => verify_sets(&catalog::SETS, &folder, to),
    }
}

/// The sets asked for, each once, in the catalogue's order; all that can be fetched when none is named.
fn chosen(sets: &[DatasetName]) -> Vec<&'static SetSpec> {
    catalog::SETS
        .into_iter()
        .filter(|spec| match sets.is_empty() {
            true => spec.by_hand.is_none(),
            false => sets.contains(&spec.name),
        })
        .collect()
}

fn list(folder: &Path, to: &mut impl Write) -> Result<(), DataCommandError> {
    writeln!(to, "Data folder: {}", folder.display())?;
    for spec in catalog::SETS {
        let built_in = match spec.is_embedded {
            true => counts(embedded::TRAIN_COUNT, embedded::TEST_COUNT),
            false => "no".to_owned(),
        };
        let rows = [
            ("built in", built_in),
            ("full set", full_set(spec, folder)),
            ("licence", spec.licence.to_owned()),
            ("homepage", spec.homepage.to_owned()),
        ];
        writeln!(to, "\n{:<14} {}, {}", spec.slug, spec.label(), spec.about)?;
        for (title, text) in rows {
            writeln!(to, "  {title:<12} {text}")?;
        }
    }
    writeln!(
        to,
        "\nImages of your own, a folder or a file, need no entry here: noisescope run NAME --data PATH"
    )?;
    Ok(())
}

/// Where the full set is, how to get it, or why it cannot be used. Loads it, so that nothing is claimed of a damaged
/// file.
pub(super) fn full_set(spec: &SetSpec, folder: &Path) -> String {
    let plan = config::Dataset {
        name: spec.name.clone(),
        source: DatasetSource::Full,
        ..config::Dataset::default()
    };
    let request = Request {
        plan: &plan,
        seed: 0,
        data: folder,
        cache: None,
    };
    match data::load(&request, &mut |_, _| ControlFlow::Continue(())) {
        Ok(full) => {
            let counts = counts(full.train.len(), full.test.len());
            let checked = spec.files.iter().any(|file| file.sha256.is_some());
            let unverified = if checked { "" } else { " (not verified)" };
            format!("{counts}, {}{unverified}", full.origin)
        }
        Err(DataError::NotFetched { slug, .. }) => {
            let megabytes = spec.bytes().div_ceil(1_000_000);
            format!("not here; `noisescope data fetch {slug}` brings it ({megabytes} MB)")
        }
        Err(DataError::NotBrought { how, folder, .. }) => {
            format!("not here; {how} into {}", folder.display())
        }
        Err(error) => format!("not usable: {error}"),
    }
}

fn counts(train: usize, test: usize) -> String {
    format!(
        "{} training + {} test images",
        grouped(train),
        grouped(test)
    )
}

/// A number with a comma after each three digits: `60,000`.
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

/// Fetches each set; one that fails does not keep the next from being tried.
fn fetch_sets(
    sets: &[&SetSpec],
    folder: &Path,
    sources_for: impl Fn(&SetSpec) -> Vec<Box<dyn Source>>,
    progress: &dyn Progress,
    to: &mut impl Write,
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
            Ok(fetched) if fetched.brought.is_empty() => {
                let place = fetched.folder.display();
                writeln!(to, "{set}: whole and sound in {place}, nothing to fetch")?;
            }
            Ok(fetched) => {
                let place = fetched.folder.display();
                writeln!(to, "{set}: fetched into {place}, checksums verified")?;
                writeln!(to, "{set}: licence {}", spec.licence)?;
            }
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(DataCommandError::Fetch(failures))
    }
}

fn verify_sets(
    sets: &[&SetSpec],
    folder: &Path,
    to: &mut impl Write,
) -> Result<(), DataCommandError> {
    let mut files = Vec::new();
    let mut damaged_sets = Vec::new();
    for spec in sets {
        let reports = verify::verify_set(spec, folder);
        let place = set_dir(folder, spec);
        if reports
            .iter()
            .all(|report| report.state == FileState::Missing)
        {
            writeln!(
                to,
                "{}: the full set is not in {}",
                spec.slug,
                place.display()
            )?;
            continue;
        }
        writeln!(to, "{}: {}", spec.slug, place.display())?;
        for FileReport { file, path, state } in reports {
            let verdict = match state {
                FileState::Sound => "sound".to_owned(),
                FileState::Unverified => {
                    "of the right length; not verified: no checksum is known".to_owned()
                }
                FileState::Missing if spec.by_hand.is_some() => "missing".to_owned(),
                FileState::Missing => format!("missing; run `noisescope data fetch {}`", spec.slug),
                FileState::Damaged(why) => {
                    files.push(format!("{} {why}", path.display()));
                    if spec.by_hand.is_none() {
                        damaged_sets.push(spec.slug);
                    }
                    format!("damaged: {why}")
                }
            };
            writeln!(to, "  {:<24} {verdict}", file.name)?;
        }
    }
    damaged_sets.dedup();
    if files.is_empty() {
        Ok(())
    } else {
        Err(DataCommandError::Damaged {
            files,
            sets: damaged_sets,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: DataCommand,
    }

    fn parse(words: &[&str]) -> Result<DataCommand, clap::Error> {
        Line::try_parse_from([&["data"], words].concat()).map(|line| line.command)
    }

    fn printed(command: DataCommand, folder: &Path) -> (String, Result<(), DataCommandError>) {
        let mut text = Vec::new();
        let outcome = execute(command, Some(folder), &mut text);
        (String::from_utf8(text).unwrap(), outcome)
    }

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
        assert!(
            Line::from_arg_matches(&Line::command().get_matches_from(["data", "list"])).is_ok()
        );
    }

    #[test]
    fn sets_are_named_by_their_slugs() {
        let sets = vec![DatasetName::FashionMnist, DatasetName::Mnist];
        assert_eq!(
            parse(&["fetch", "fashion-mnist", "mnist"]).unwrap(),
            DataCommand::Fetch { sets }
        );
    }

    #[test]
    fn an_unknown_set_is_refused_with_the_names_that_exist() {
        let said = parse(&["fetch", "cifar"]).unwrap_err().to_string();
        assert!(
            said.contains("there are mnist, fashion-mnist, kmnist and cifar-10"),
            "{said}"
        );
    }

    #[test]
    fn naming_no_set_means_all_and_naming_one_twice_means_once() {
        assert_eq!(chosen(&[]).len(), 2);
        assert_eq!(chosen(&[DatasetName::Mnist, DatasetName::Mnist]).len(), 1);
    }

    #[test]
    fn numbers_are_grouped_in_threes() {
        let numbers = [0, 999, 1_000, 60_000, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "60,000", "1,234,567"]);
    }

    #[test]
    fn the_list_shows_what_is_built_in_and_how_to_get_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (text, outcome) = printed(DataCommand::List, folder.path());
        outcome.unwrap();
        assert!(
            text.contains("10,000 training + 2,000 test images"),
            "{text}"
        );
        assert!(
            text.contains("not here; `noisescope data fetch fashion-mnist` brings it (55 MB)"),
            "{text}"
        );
    }

    #[test]
    fn a_set_that_cannot_be_fetched_is_listed_with_the_way_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let (text, _) = printed(DataCommand::List, folder.path());
        assert!(text.contains("cifar-10       CIFAR-10, "), "{text}");
        let place = folder.path().join("cifar-10");
        let way = format!("and unpack it into {}", place.display());
        assert!(
            text.contains("cifar-10-binary.tar.gz") && text.contains(&way),
            "{text}"
        );
        let sets = vec![DatasetName::Cifar10];
        let (_, outcome) = printed(DataCommand::Fetch { sets }, folder.path());
        let said = outcome.unwrap_err().to_string();
        assert!(
            said.starts_with("CIFAR-10 cannot be fetched from here: ") && said.ends_with(&way),
            "{said}"
        );
    }

    #[test]
    fn the_list_claims_nothing_of_a_damaged_set() {
        let folder = tempfile::tempdir().unwrap();
        let place = set_dir(folder.path(), &catalog::MNIST);
        std::fs::create_dir_all(&place).unwrap();
        for file in catalog::MNIST.files {
            std::fs::write(place.join(file.name), "half").unwrap();
        }
        let (text, _) = printed(DataCommand::List, folder.path());
        assert!(text.contains("full set     not usable: "), "{text}");
        assert!(!text.contains("60,000"), "{text}");
    }

    #[test]
    fn verifying_an_empty_folder_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let (text, outcome) = printed(DataCommand::Verify, folder.path());
        outcome.unwrap();
        assert!(text.contains("mnist: the full set is not in"), "{text}");
    }

    #[test]
    fn verifying_a_damaged_file_fails_with_its_name_and_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let place = set_dir(folder.path(), &catalog::MNIST);
        std::fs::create_dir_all(&place).unwrap();
        let path = place.join("train-labels-idx1-ubyte");
        std::fs::write(&path, "half").unwrap();
        let (text, outcome) = printed(DataCommand::Verify, folder.path());
        assert!(text.contains("train-images-idx3-ubyte  missing"), "{text}");
        assert_eq!(
            outcome.unwrap_err().to_string(),
            format!(
                "a file is damaged: {} has 4 bytes, not 60008. Run `noisescope data fetch mnist` to replace it.",
                path.display()
            )
        );
    }

    #[test]
    fn a_set_that_fails_does_not_keep_the_next_from_being_tried() {
        let folder = tempfile::tempdir().unwrap();
        let error = fetch_sets(
            &chosen(&[]),
            folder.path(),
            |_| Vec::new(),
            &fetch::Silent,
            &mut Vec::new(),
        )
        .unwrap_err();
        assert!(matches!(&error, DataCommandError::Fetch(failures) if failures.len() == 2));
    }
}
