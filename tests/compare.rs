//! `compare`: the maps and decisions of two sessions as text, JSON, files and a screen, and errors for sessions that
//! cannot be compared.

mod common;

#[path = "compare/screen.rs"]
mod screen;

use std::collections::BTreeSet;
use std::fs::{self, File};

use common::{Bench, small_set};
use serde_json::Value;

/// Runs a session to its end: a small network on images of `side`×`side`, and its maps.
fn run(bench: &Bench, name: &str, side: usize, seed: u64, maps: &str) {
    let folder = bench.path(&format!("bars-{side}"));
    if !folder.exists() {
        small_set(&folder, 200, 50, side);
    }
    let settings = [
        format!("dataset.source=Folder({folder:?})"),
        "network=(kind: Logistic, weights: Train((epochs: 1)))".into(),
        format!("seed={seed}"),
        format!("analyses=[ClassificationImages(({maps}))]"),
    ];
    let mut arguments = vec!["run", name, "--plain", "--device", "flex"];
    arguments.extend(
        settings
            .iter()
            .flat_map(|setting| ["--set", setting.as_str()]),
    );
    bench.succeed(&arguments);
}

const MAPS: &str = "gammas: [0.0, 0.4], trials: 4000";

/// A bench with two sessions that differ in their seed.
fn two_sessions() -> Bench {
    let bench = Bench::new();
    run(&bench, "a", 28, 1, MAPS);
    run(&bench, "b", 28, 2, MAPS);
    bench
}

fn json(bench: &Bench, arguments: &[&str]) -> Value {
    let all = [&["compare"], arguments, &["--json", "--device", "flex"]].concat();
    serde_json::from_str(&bench.succeed(&all)).unwrap()
}

#[test]
fn a_session_equals_itself_and_differs_from_another_seed() {
    let bench = two_sessions();
    let same = json(&bench, &["a", "a", "--trials", "500"]);
    for gamma in same["gammas"].as_array().unwrap() {
        let maps = &gamma["evidence"];
        assert_eq!(
            (&maps["maps"], &maps["share_of_all"]),
            (&10.into(), &0.0.into())
        );
        assert!((maps["correlation"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(
            (&gamma["same_trials"], &gamma["called_distance"]),
            (&"all".into(), &0.0.into())
        );
        assert_eq!(gamma["alike_between"][1], 1.0);
    }
    assert_eq!(same["agreement"]["alike"]["share"], 1.0);
    let page = bench.succeed(&["compare", "a", "a", "--plain", "--trials", "0"]);
    assert!(page.contains("give one another seed"), "{page}");
    assert_eq!(same["agreement"]["trials"], 500);

    // Networks trained from two seeds respond to the same bars, but not identically.
    let different = json(&bench, &["a", "b", "--trials", "0"]);
    let maps = &different["gammas"][0]["evidence"];
    assert!(maps["share_of_all"].as_f64().unwrap() > 0.01, "{maps}");
    assert_eq!(different["gammas"][0]["same_trials"], "none");
    assert_eq!(different["gammas"][0]["alike_between"], Value::Null);
    assert_eq!(different["agreement"], Value::Null);

    let page = bench.succeed(&[
        "compare", "a", "b", "--plain", "--trials", "300", "--device", "flex",
    ]);
    for text in [
        "A  a  ",
        "B  b  ",
        "pixels (",
        "over all 10 maps",
        "each was shown its own trials",
        "shown the same 300 trials, drawn as they were for A,",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    // The page is about the chosen γ and response.
    let page = bench.succeed(&[
        "compare",
        "a",
        "b",
        "--response",
        "decision",
        "--gamma",
        "0.4",
        "--trials",
        "0",
    ]);
    assert!(page.contains("classification images at γ 0.4"), "{page}");
}

#[test]
fn agreement_on_the_same_trials_is_that_of_the_decisions() {
    let bench = two_sessions();
    let all = json(&bench, &["a", "b", "--gamma", "0.4", "--trials", "4000"]);
    // The first session was shown exactly these trials, so its share equals that of its counts.
    let counted = &all["gammas"][0]["correct"][0];
    let shown = &all["agreement"]["correct"][0];
    assert_eq!(
        (&counted["hits"], &counted["of"]),
        (&shown["hits"], &shown["of"])
    );
    let alike = &all["agreement"]["alike"];
    let ends = ["low", "share", "high"].map(|end| alike[end].as_f64().unwrap());
    assert!(
        ends.is_sorted() && ends[0] > 0.0 && ends[2] <= 1.0,
        "{alike}"
    );
    let called = all["agreement"]["called"].as_array().unwrap();
    let diagonal = called
        .iter()
        .enumerate()
        .map(|(k, row)| row[k].as_u64().unwrap());
    assert_eq!(alike["hits"], diagonal.sum::<u64>());
    // The trials are divided among the workers; the counts do not depend on how.
    let one = json(
        &bench,
        &[
            "a",
            "b",
            "--gamma",
            "0.4",
            "--trials",
            "4000",
            "--workers",
            "1",
        ],
    );
    assert_eq!(one["agreement"], all["agreement"]);
}

/// The first session's blocks have 256, 44, 256 and 144 trials.
#[test]
fn trials_shown_again_are_the_first_ones_of_the_first_session() {
    let bench = Bench::new();
    let maps = "gammas: [0.4], trials: 300, extended: [(trials: 700)]";
    run(&bench, "a", 28, 1, maps);
    for count in ["100", "300", "500", "700"] {
        let listed = bench.succeed(&[
            "trials", "a", "--any", "--count", count, "--format", "json", "--device", "flex",
        ]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let mut called = vec![0; 10];
        for trial in listed.as_array().unwrap() {
            called[trial["called"].as_u64().unwrap() as usize] += 1;
        }
        let again = json(&bench, &["a", "a", "--trials", count]);
        let rows = again["agreement"]["called"].as_array().unwrap();
        let row = |row: &Value| -> u64 {
            let counts = row.as_array().unwrap().iter();
            counts.map(|count| count.as_u64().unwrap()).sum()
        };
        let shown: Vec<u64> = rows.iter().map(row).collect();
        assert_eq!(shown, called, "{count}");
    }
}

#[test]
fn no_more_workers_are_started_than_there_are_blocks() {
    let bench = two_sessions();
    let shown = |workers: &str| {
        let pair = ["a", "b", "--trials", "300", "--workers", workers];
        let listed = [
            "trials",
            "a",
            "--any",
            "--format",
            "json",
            "--workers",
            workers,
        ];
        let agreement = json(&bench, &pair)["agreement"].clone();
        (agreement, bench.succeed(&listed))
    };
    // More threads than a system has.
    assert_eq!(shown("1000000"), shown("1"));
}

#[test]
fn a_comparison_is_exported_as_maps_tables_and_figures() {
    let bench = two_sessions();
    let export = |format: &str| {
        let arguments = [
            "compare", "a", "b", "--trials", "100", "--device", "flex", "--format", format,
        ];
        bench.succeed(&arguments);
    };
    export("npz");
    let zip = zip::ZipArchive::new(File::open(bench.path("a-vs-b.npz")).unwrap()).unwrap();
    let names = zip.file_names().map(|name| name.unwrap().into_owned());
    let names: BTreeSet<String> = names.collect();
    for name in [
        "classes",
        "gamma",
        "a_counts",
        "b_counts",
        "ci_a",
        "ci_b",
        "ci_difference",
        "ci_se",
        "ci_z",
        "ci_correlation",
        "ev_a",
        "ev_b",
        "ev_difference",
        "ev_se",
        "ev_z",
        "ev_correlation",
        "agreement",
    ] {
        assert!(names.contains(&format!("{name}.npy")), "{name}: {names:?}");
    }
    export("csv");
    let table = |name: &str| fs::read_to_string(bench.path(&format!("a-vs-b-tables/{name}.csv")));
    // A header, then one row for each γ, response and class.
    assert_eq!(table("maps").unwrap().lines().count(), 1 + 2 * 2 * 10);
    assert_eq!(table("decisions").unwrap().lines().count(), 1 + 2);
    assert_eq!(table("called").unwrap().lines().count(), 1 + 2 * 2 * 10);
    assert_eq!(table("agreement").unwrap().lines().count(), 1 + 100);
    export("png");
    let picture = |name: &str| image::open(bench.path(&format!("a-vs-b-figures/{name}.png")));
    assert_eq!(picture("evidence-gamma-0.4").unwrap().width(), 2126);
    let all = picture("evidence-gamma-0.0").unwrap().height();
    let arguments = [
        "compare", "a", "b", "--trials", "0", "--format", "png", "--map", "3",
    ];
    bench.succeed(&arguments);
    assert!(picture("evidence-map-3-gamma-0.0").unwrap().height() < all / 4);
    // What was there is left alone.
    assert_eq!(picture("evidence-gamma-0.0").unwrap().height(), all);
    // Figures show no agreement, so no trials are shown for them.
    let arguments = ["compare", "a", "b", "--trials", "100", "--format", "svg"];
    let output = bench.output(&arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("--trials has no effect"), "{errors}");
    // Every remedy is an option that compare has.
    let arguments = ["compare", "a", "b", "--format", "svg", "--out", "both.svg"];
    let refused = bench.refuse(2, &arguments);
    assert!(refused.ends_with("name a folder with --out\n"), "{refused}");
}

#[test]
fn a_figure_of_classes_without_maps_says_that_no_class_has_one_in_both() {
    let bench = Bench::new();
    let maps = "gammas: [0.0], trials: 400, min_trials: 1000, responses: [Decision]";
    run(&bench, "a", 28, 1, maps);
    run(&bench, "b", 28, 2, maps);
    bench.succeed(&["compare", "a", "b", "--format", "svg", "--map", "3"]);
    let words = bench.path("a-vs-b-figures/decision-map-3-gamma-0.0.txt");
    let words = fs::read_to_string(words).unwrap();
    let none = words.matches(" No class has a map in both. ").count();
    assert!(
        none == 1 && words.trim_end().ends_with(" No class has a map in both."),
        "{words}"
    );
    assert!(
        words.contains(" A row of three maps: a, b, and") && !words.contains("5 %"),
        "{words}"
    );
}

#[test]
fn only_formats_that_a_comparison_has_are_offered() {
    let bench = Bench::new();
    for help in ["-h", "--help"] {
        let help = bench.succeed(&["compare", help]);
        assert!(
            help.contains("npz") && !help.contains("safetensors"),
            "{help}"
        );
    }
    let refused = bench.output(&["compare", "a", "b", "--format", "safetensors"]);
    assert_eq!(refused.status.code(), Some(2));
    // Text is not written into a file.
    let refused = bench.output(&["compare", "a", "b", "--plain", "--out", "text"]);
    assert_eq!(refused.status.code(), Some(2));
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("cannot be used with"), "{error}");
}

#[test]
fn incomparable_sessions_are_refused_with_the_difference_and_a_remedy() {
    let bench = Bench::new();
    run(&bench, "a", 28, 1, MAPS);
    run(&bench, "small", 14, 1, MAPS);
    run(&bench, "weak", 28, 1, "gammas: [0.2], trials: 500");
    run(
        &bench,
        "binary",
        28,
        1,
        "noise: Binary, gammas: [0.0], trials: 500",
    );
    run(
        &bench,
        "coarse",
        28,
        1,
        "cell: 2, gammas: [0.0], trials: 500",
    );
    run(
        &bench,
        "deaf",
        28,
        1,
        "responses: [Decision], gammas: [0.0], trials: 500",
    );
    bench.succeed(&["new", "planned", "--preset", "quickstart"]);
    bench.succeed(&["new", "without", "--set", "analyses=[]"]);
    for (code, arguments, expected) in [
        (
            1,
            "a planned",
            "planned has no maps yet; run it first: noisescope run planned",
        ),
        (
            2,
            "a without",
            "the plan of without has no classification images",
        ),
        (
            2,
            "a small",
            "the images of a are 28×28 grey and those of small 14×14 grey",
        ),
        (2, "a weak", "a has trials at γ 0.0, 0.4 and weak at γ 0.2"),
        (
            2,
            "a binary",
            "a was shown uniform noise, binary binary noise; run one of them again",
        ),
        (
            2,
            "coarse a",
            "coarse was shown uniform noise in cells of 2×2, a uniform noise",
        ),
        (
            2,
            "a deaf --response evidence",
            "deaf has no evidence images, only decisions",
        ),
        (
            2,
            "a a --gamma 0.1",
            "not both sessions have trials at γ 0.1; both have some at γ 0.0, 0.4",
        ),
        (
            2,
            "a a --noise pca",
            "not both sessions were shown pca noise",
        ),
        (
            2,
            "a a --map 10",
            "--map: there is no class `10`; there are 0 to 9",
        ),
        (2, "a a --map 3", "--map applies only to figures"),
        (2, "a nobody", "nobody"),
    ] {
        let all: Vec<&str> = std::iter::once("compare")
            .chain(arguments.split(' '))
            .collect();
        let error = bench.refuse(code, &all);
        assert!(error.contains(expected), "{arguments}: {error}");
    }
    // If one session has only decisions, decisions are compared.
    let page = bench.succeed(&["compare", "a", "deaf", "--trials", "0"]);
    assert!(page.contains("classification images at γ 0.0"), "{page}");
}
