//! Tests of the `data` command.

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
    let mut text = String::new();
    let outcome = execute(command, Some(folder), &mut |line| {
        text += &format!("{line}\n");
    });
    (text, outcome)
}

#[test]
fn the_command_line_is_consistent() {
    Line::command().debug_assert();
    assert!(Line::from_arg_matches(&Line::command().get_matches_from(["data", "list"])).is_ok());
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
    let message = parse(&["fetch", "cifar"]).unwrap_err().to_string();
    assert!(
        message.contains("there are mnist, fashion-mnist, kmnist and cifar-10"),
        "{message}"
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
        text.contains("not here; to fetch it (55 MB): noisescope data fetch fashion-mnist"),
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
    let message = outcome.unwrap_err().to_string();
    assert!(
        message.starts_with("CIFAR-10 cannot be fetched from here: ") && message.ends_with(&way),
        "{message}"
    );
}

#[test]
fn the_list_gives_no_counts_for_a_damaged_set() {
    let folder = tempfile::tempdir().unwrap();
    let place = set_dir(folder.path(), &catalog::MNIST);
    std::fs::create_dir_all(&place).unwrap();
    for file in catalog::MNIST.files {
        std::fs::write(place.join(file.name), "half").unwrap();
    }
    let (text, _) = printed(DataCommand::List, folder.path());
    assert!(text.contains("full set     unusable: "), "{text}");
    assert!(!text.contains("60,000"), "{text}");
}

#[test]
fn verifying_an_empty_folder_is_not_an_error() {
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
            "a file is damaged: {} has 4 bytes, not 60008. To replace it: noisescope data fetch mnist",
            path.display()
        )
    );
}

#[test]
fn a_remedy_for_damaged_files_does_not_fetch_what_cannot_be_fetched() {
    let folder = tempfile::tempdir().unwrap();
    for set in [&catalog::MNIST, &catalog::KMNIST] {
        let place = set_dir(folder.path(), set);
        std::fs::create_dir_all(&place).unwrap();
        std::fs::write(place.join("train-labels-idx1-ubyte"), "half").unwrap();
    }
    let (_, outcome) = printed(DataCommand::Verify, folder.path());
    let message = outcome.unwrap_err().to_string();
    let remedy = "noisescope data fetch mnist; replace those of kmnist with a good copy; the full KMNIST set in ";
    assert!(message.contains(remedy), "{message}");
    // The rest of the other set comes with its damaged file.
    assert!(!message.contains("the full MNIST set"), "{message}");
}

#[test]
fn verifying_a_set_that_lacks_files_fails_with_their_names_and_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let place = set_dir(folder.path(), &catalog::KMNIST);
    std::fs::create_dir_all(&place).unwrap();
    // No checksum is known of this set.
    std::fs::write(place.join("train-labels-idx1-ubyte"), [0; 60_008]).unwrap();
    let (text, outcome) = printed(DataCommand::Verify, folder.path());
    assert!(text.contains("of the right length"), "{text}");
    let message = outcome.unwrap_err().to_string();
    let words = format!(
        "the full KMNIST set in {} lacks train-images-idx3-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; download ",
        place.display()
    );
    assert!(message.starts_with(&words), "{message}");
}

#[test]
fn a_failing_set_does_not_prevent_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let error = fetch_sets(
        &chosen(&[]),
        folder.path(),
        |_| Vec::new(),
        &fetch::NoProgress,
        &mut |_| {},
    )
    .unwrap_err();
    assert!(matches!(&error, DataCommandError::Fetch(failures) if failures.len() == 2));
}
