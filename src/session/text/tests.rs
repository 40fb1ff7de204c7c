//! Tests of what a file that cannot be read is, and of what differs between two plans.

use super::*;
use crate::session::array::Array;
use crate::session::config::{Analysis, Attack, ClassificationImages, Predictions, Split};
use crate::session::form::Form;
use crate::session::record::{self, TrainingRecord};

/// A change of a plan.
type Change = fn(&mut Config);

#[test]
fn what_a_file_is_instead_of_a_session_is_said() {
    let newer = format!("(version: {}, anything: [1])", VERSION + 1);
    for (text, words) in [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("hello", "it is not a session"),
        ("(version: 7, record: (", "it is truncated after 22 bytes"),
        (&newer, "written by a newer"),
        ("(version: 7, config: (sed: 1))", "it.ron:1:"),
        ("(version: 7, analyses: 1)", "it.ron:1:"),
        ("(config: (sed: 1))", "it.ron:1:"),
    ] {
        let error = from_text(text, Path::new("it.ron"), "it").unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_array_for_which_there_is_no_memory_is_not_called_damaged() {
    let error = |why: &FillError| unfilled(Path::new("it.ron"), "training.best.fc1", why);
    let full = error(&FillError::OutOfMemory(3_136_000));
    assert!(matches!(full, StoreError::TooLarge { .. }), "{full}");
    let words = "array `training.best.fc1` needs 3.1 MB, which the system cannot allocate";
    assert!(full.to_string().contains(words), "{full}");
    let damaged = error(&FillError::Damaged("its checksum is wrong".into()));
    assert!(matches!(damaged, StoreError::Damaged { .. }), "{damaged}");
}

#[test]
fn an_edited_place_of_a_plan_is_named_and_the_checkpoint_interval_may_change() {
    let plan = Config {
        analyses: vec![
            Analysis::ClassificationImages(ClassificationImages::default()),
            Analysis::Predictions(Predictions::default()),
        ],
        ..Config::default()
    };
    let ran = ron::to_string(&plan).unwrap();
    let cases: &[(Change, &str)] = &[
        (|it| it.checkpoint_s = 1.0, ""),
        (|it| it.seed = 2, "seed"),
        (|it| it.dataset = None, "dataset"),
        (|it| it.network.output = Some("a".into()), "network"),
        (
            |it| {
                it.analyses[1] = Analysis::Predictions(Predictions {
                    block: 1,
                    ..Predictions::default()
                })
            },
            "analyses[1]",
        ),
        (|it| it.analyses.truncate(1), "analyses"),
    ];
    for (change, place) in cases {
        let mut now = plan.clone();
        change(&mut now);
        assert_eq!(edited(&ran, &now).unwrap_or_default(), *place);
    }
    assert_eq!(edited("(seed: one)", &plan).as_deref(), Some("plan"));
}

#[test]
fn a_record_of_another_plan_is_refused_with_the_reason() {
    let config = Config::default();
    let mut record = Record::new(&config);
    let problem = |record: &Record| record_mismatch(record, &config).unwrap_or_default();
    record.training = Some(TrainingRecord {
        best_epoch: Some(1),
        ..TrainingRecord::default()
    });
    assert_eq!(problem(&record), "its best epoch does not exist");
    record.training = Some(TrainingRecord {
        best_epoch: Some(0),
        ..TrainingRecord::default()
    });
    assert_eq!(problem(&record), "");
    record.analyses.clear();
    assert_eq!(
        problem(&record),
        "its record has 0 analyses, but its plan has 1"
    );
}

/// The text of a session in which the plan is another one's.
fn with_plan_of(other: &Session, session: &Session) -> String {
    let (planned, text) = (to_text(other).unwrap(), to_text(session).unwrap());
    let (plan, _) = planned.split_once("\n  record:").unwrap();
    let (_, record) = text.split_once("\n  record:").unwrap();
    format!("{plan}\n  record:{record}")
}

#[test]
fn the_analyses_of_a_plan_may_be_edited_until_something_has_been_done() {
    let session = |analyses: &[Analysis]| {
        let config = Config {
            analyses: analyses.to_vec(),
            ..Config::default()
        };
        Session::new("it", config)
    };
    let images = Analysis::ClassificationImages(ClassificationImages::default());
    let attack = |weights: &[f64]| {
        Analysis::Attack(Attack {
            weights: weights.to_vec(),
            ..Attack::default()
        })
    };
    let mut planned = session(&[images.clone(), attack(&[0.0, 1.0])]);
    // An engine has opened the network's file, and failed then.
    planned.record.model = Some(record::Model {
        path: "net.onnx".into(),
        sha256: "a5".into(),
        file: Array::new(&[3], vec![7, 8, 9]),
    });
    planned.record.updated = 5;
    for analyses in [
        &[images.clone()][..],
        &[images.clone(), attack(&[0.0, 0.5, 1.0])],
        &[images.clone(), attack(&[0.0, 1.0]), attack(&[0.0, 1.0])],
        &[Analysis::Predictions(Predictions::default()), images],
    ] {
        let other = session(analyses);
        let text = with_plan_of(&other, &planned);
        let expected = Session {
            record: Record {
                analyses: other.record.analyses.clone(),
                ..planned.record.clone()
            },
            ..other.clone()
        };
        let read = from_text(&text, Path::new("it.ron"), "it").unwrap();
        assert!(read == expected);
        let (head, _) = text.split_once(ARRAYS).unwrap();
        let head = head_from_text(head, Path::new("it.ron"), "it").unwrap();
        assert!(head.record.analyses == expected.record.analyses);
        // From then on it cannot.
        let mut begun = planned.clone();
        begun.record.training = Some(TrainingRecord::default());
        let text = with_plan_of(&other, &begun);
        let error = from_text(&text, Path::new("it.ron"), "it").unwrap_err();
        assert!(error.to_string().contains("was edited"), "{error}");
    }
}

#[test]
fn a_later_schema_is_refused_even_if_all_of_it_is_understood() {
    let read = |version: u32| {
        let text = format!("(version: {version}, config: (seed: 9))");
        from_text(&text, Path::new("it.ron"), "it").map(|session| session.config.seed)
    };
    for version in 1..=VERSION {
        assert_eq!(read(version).unwrap(), 9, "version {version}");
    }
    let error = read(VERSION + 1).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found, .. } if found == VERSION + 1),
        "{error}"
    );
}

#[test]
fn a_configuration_alone_is_read_and_what_is_wrong_with_it_is_placed() {
    let read = |text: &str| config_from_text(text, Path::new("mine.ron"));
    let expected = Config {
        seed: 9,
        ..Config::default()
    };
    assert_eq!(read("(seed: 9)").unwrap(), expected);
    for (text, words) in [
        ("(sed: 9)", "mine.ron:1:"),
        ("(checkpoint_s: 0.0)", "mine.ron: checkpoint_s: 0 s"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
    }
}

/// The text of a session whose training has begun.
fn trained(best_epoch: Option<usize>) -> String {
    let mut session = Session::new("it", Config::default());
    session.record.training = Some(TrainingRecord {
        best_epoch,
        ..TrainingRecord::default()
    });
    to_text(&session).unwrap()
}

#[test]
fn an_impossible_record_is_refused_before_its_numbers_are_read() {
    let read = |best_epoch: Option<usize>| {
        let text = trained(best_epoch);
        let (head, _) = text.split_once(ARRAYS).unwrap();
        head_from_text(head, Path::new("it.ron"), "it")
    };
    assert!(read(None).unwrap().record.training.is_some());
    let error = read(Some(1)).unwrap_err().to_string();
    assert!(error.contains("its best epoch does not exist"), "{error}");
}

#[test]
fn a_record_of_the_first_schema_gets_the_form_that_its_images_had() {
    let text = trained(None);
    let form = |text: &str| {
        let session = from_text(text, Path::new("it.ron"), "it").unwrap();
        session.record.form
    };
    assert_eq!(form(&text), None);
    // That schema had no checksum of the record.
    let lines = text.lines().filter(|line| !line.starts_with("  checksum:"));
    let lines: Vec<&str> = lines.collect();
    let now = format!("version: {VERSION}");
    let old = lines.join("\n").replacen(&now, "version: 1", 1);
    assert_eq!(form(&old), Some(Form::numbered([1, 28, 28], 10)));
}

#[test]
fn an_array_that_a_schema_did_not_have_has_no_line_in_its_files() {
    let arrays = [".rest", ".course", ".evidence", ".noise"];
    let unknown = |version: u32| {
        let gamma = ".analyses[0].gammas[0]";
        arrays.map(|array| is_unknown(&format!("{gamma}{array}"), version))
    };
    assert_eq!(unknown(1), [true, true, true, false]);
    assert_eq!(unknown(2), [false, true, true, false]);
    assert_eq!(unknown(3), [false; 4]);
    assert_eq!(unknown(VERSION), [false; 4]);
}

/// A record with these sums of images.
fn of_images(arrays: impl IntoIterator<Item = Array<i64>>) -> Record {
    let split = |images: Array<i64>| record::SplitCounts {
        split: Split::Test,
        counts: Vec::new(),
        images,
    };
    let predictions = record::Predictions {
        splits: arrays.into_iter().map(split).collect(),
        ..record::Predictions::default()
    };
    Record {
        analyses: vec![record::Analysis::Predictions(predictions)],
        ..Record::new(&Config::default())
    }
}

/// Why the first array that cannot be filled in cannot be, as for a person.
fn unfillable(record: &mut Record, lines: &[String], version: u32) -> String {
    let (array, error) = fill(record, lines, version).unwrap_err();
    unfilled(Path::new("it.ron"), &array, &error).to_string()
}

/// An array of so many numbers as its header claims it, before they have been filled in.
fn claimed(size: usize) -> Array<i64> {
    ron::from_str(&format!("(shape: [{size}], dtype: I64, crc32: 0)")).unwrap()
}

#[test]
fn arrays_that_claim_more_memory_than_a_session_may_need_are_refused_unallocated() {
    let check = |arrays: &[Array<i64>]| {
        let record = of_images(arrays.to_vec());
        check_size(&record, VERSION, Path::new("it.ron"))
    };
    assert!(check(&[claimed(1), claimed(2)]).is_ok());
    // Four of 2³² bytes, one of which is in memory twice.
    let error = check(&[1 << 29; 4].map(claimed)).unwrap_err().to_string();
    assert!(error.contains("its arrays need 21.5 GB"), "{error}");
}

#[test]
fn the_first_array_that_cannot_be_filled_in_is_named() {
    let mut record = of_images([claimed(1), claimed(2)]);
    let lines = ["?".to_owned()];
    let problem = unfillable(&mut record, &lines, VERSION);
    assert!(
        problem.contains("array `.analyses[0].splits[0].images`: it is not base64"),
        "{problem}"
    );
    let mut record = of_images([Array::zeros(&[1]), claimed(2)]);
    let lines = [Array::<i64>::zeros(&[1]).encode()];
    let problem = unfillable(&mut record, &lines, VERSION);
    assert!(
        problem.contains("array `.analyses[0].splits[1].images`: its numbers are missing"),
        "{problem}"
    );
}

#[test]
fn an_array_of_the_first_schema_has_at_most_a_quarter_of_a_gibibyte() {
    let most = 1 << 25;
    let problem = |numbers: usize, version: u32| {
        let lines = [Array::new(&[2], vec![3_i64, 4]).encode()];
        unfillable(&mut of_images([claimed(numbers)]), &lines, version)
    };
    let problem_of_first = problem(most + 1, 1);
    assert!(
        problem_of_first.contains("its shape is absurd"),
        "{problem_of_first}"
    );
    for (numbers, version) in [(most, 1), (most + 1, 2), (most + 1, VERSION)] {
        let needs = format!("its shape needs {} bytes", 8 * numbers);
        let problem = problem(numbers, version);
        assert!(problem.contains(&needs), "{problem}");
    }
}
