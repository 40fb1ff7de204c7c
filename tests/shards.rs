//! Sessions divided into shards: merged, they equal the results of one engine bit for bit, even if some shards are
//! interrupted.

mod common;

#[path = "shards/refusals.rs"]
mod refusals;
#[path = "shards/slurm.rs"]
mod slurm;
#[path = "shards/stopping.rs"]
mod stopping;
#[path = "shards/watching.rs"]
mod watching;

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Child, Stdio};

use common::{Bench, both, set_options, wait_until, with_plan};
use noisescope::link::shards::ShardWatcher;
use noisescope::session::run::ShardStatus;
use noisescope::session::store::{shard_name, to_text};
use noisescope::session::{SavedState, Session};

/// Every experiment with few trials, with numbers of blocks that the shards do not divide evenly.
const EVERYTHING: &str = "analyses=[
    ClassificationImages((gammas: [0.0, 0.4], trials: 5000, block: 50)),
    Templates((images: 50)),
    Attack((weights: [0.0, 0.5, 1.0], images: 20, noise_images: 10)),
    ClassificationImages((noise: Gaussian((sigma: 0.2)), weighting: Confidence, gammas: [0.2], trials: 700, block: 64)),
    SpikeTriggered((trials: 900, images: 150, block: 64, gradient_units: 3, gradient_trials: 100)),
    Modulation((steps: [2], gammas: [0.3], images: 30, images_per_class: 20, block: 16)),
    Backdoor((poisoned: 1, clean: 5, images: 10, training: (epochs: 1, batch: 16), gammas: [0.0], trials: 300, block: 64)),
    Audit((training: (epochs: 1, batch: 16), trials: 500, block: 64)),
    Predictions((splits: [Test, Train], block: 32)),
]";

/// Options for a plan on small images.
fn plan(bench: &Bench, analyses: &str) -> Vec<String> {
    set_options([
        bench.bars(300, 50, 24),
        "network.kind=Mlp".into(),
        "network.weights.epochs=1".into(),
        analyses.to_owned(),
    ])
}

/// Runs a session of this plan to its end.
fn run_plan(bench: &Bench, name: &str, plan: &[String]) -> String {
    bench.succeed(&with_plan(
        &["run", name, "--plain", "--device", "cpu"],
        plan,
    ))
}

/// Runs one shard to its end.
fn shard(bench: &Bench, name: &str, which: &str) -> String {
    bench.succeed(&["run", name, "--shard", which, "--plain", "--device", "cpu"])
}

/// Starts the program in the background.
fn spawn(bench: &Bench, arguments: &[&str]) -> Child {
    let mut program = bench.program();
    program
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program.spawn().unwrap()
}

/// The arrays of an export, except the metadata, which names the session and its starts.
fn npz(bench: &Bench, name: &str) -> BTreeMap<String, Vec<u8>> {
    let file = bench.path(&format!("{name}.npz"));
    let out = file.display().to_string();
    bench.succeed(&["export", name, "--format", "npz", "--out", &out]);
    let mut zip = zip::ZipArchive::new(std::fs::File::open(file).unwrap()).unwrap();
    let names = zip.file_names().map(|name| name.unwrap().into_owned());
    let names: Vec<String> = names.filter(|name| name != "meta.npy").collect();
    let mut all = BTreeMap::new();
    for name in names {
        let mut array = Vec::new();
        zip.by_name(&name).unwrap().read_to_end(&mut array).unwrap();
        all.insert(name, array);
    }
    all
}

/// A session's file without what differs between runs: its name, times, and the starts of engines.
fn reproducible_text(session: &Session) -> String {
    let mut session = session.clone();
    "any".clone_into(&mut session.name);
    let record = &mut session.record;
    (record.updated, record.elapsed_s) = (0, 0.0);
    record.starts.clear();
    to_text(&session).unwrap()
}

/// Asserts that two sessions have the same results, bit for bit.
fn assert_same(one: &Session, other: &Session) {
    let (one, other) = (reproducible_text(one), reproducible_text(other));
    let mut lines = one.lines().zip(other.lines());
    let differs = lines.find(|(line_a, line_b)| line_a != line_b);
    let short = |line: &str| line.chars().take(200).collect::<String>();
    assert_eq!(
        differs.map(|(line_a, line_b)| (short(line_a), short(line_b))),
        None
    );
    assert!(one == other);
}

#[test]
fn merged_shards_equal_the_results_of_one_engine() {
    let bench = Bench::new();
    let plan = plan(&bench, EVERYTHING);
    run_plan(&bench, "one", &plan);
    bench.succeed(&with_plan(&["new", "many"], &plan));
    // In any order; the first one trains the network.
    for which in ["3/3", "1/3"] {
        shard(&bench, "many", which);
    }
    let output = bench.output(&["merge", "many"]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(
        both(&output).contains("2 of 3 shards are done"),
        "{}",
        both(&output)
    );
    assert!(both(&output).contains("2 (pending)"), "{}", both(&output));
    shard(&bench, "many", "2/3");
    bench.succeed(&["merge", "many"]);
    // Another run computes what depends on the merged sums.
    bench.succeed(&["run", "many", "--plain", "--device", "cpu"]);
    let (one, many) = (bench.load("one"), bench.load("many"));
    assert!(
        one.record.training == many.record.training,
        "the same training"
    );
    assert_eq!(many.record.state, SavedState::Finished);
    assert_same(&one, &many);
    assert!(npz(&bench, "one") == npz(&bench, "many"));
    let left = std::fs::read_dir(bench.store().folder()).unwrap();
    let left = left.filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".shard-1-of-3.ron")
    });
    assert_eq!(left.count(), 0, "merging removes the shards' files");
}

const IMAGES: &str = "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 80000, block: 100)), Templates((images: 50))]";

#[test]
fn a_killed_shard_resumes_alone_and_each_index_has_one_engine() {
    let bench = Bench::new();
    let plan = plan(&bench, IMAGES);
    run_plan(&bench, "one", &plan);
    bench.succeed(&with_plan(
        &["new", "many", "--set", "checkpoint_s=0.2"],
        &plan,
    ));
    let arguments = |which: &'static str| {
        [
            "run",
            "many",
            "--shard",
            which,
            "--plain",
            "--device",
            "cpu",
            "--workers",
            "1",
        ]
    };
    // Both at once: one of them trains, the other waits.
    let mut first = spawn(&bench, &arguments("1/2"));
    let second = spawn(&bench, &arguments("2/2"));
    let shard_session = shard_name("many", 1, 2);
    let done = || {
        bench
            .store()
            .load_head(&shard_session)
            .map_or(0, |session| session.trials().0)
    };
    wait_until("the first shard has saved something", || done() > 0);
    let error = bench.refuse(1, &arguments("1/2"));
    assert!(error.contains("already being run"), "{error}");
    first.kill().unwrap();
    first.wait().unwrap();
    let saved = bench.load(&shard_session).trials();
    assert!(saved.0 < saved.1, "it was killed in the middle: {saved:?}");
    let output = second.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    shard(&bench, "many", "1/2");
    bench.succeed(&["merge", "many"]);
    bench.succeed(&["run", "many", "--plain", "--device", "cpu"]);
    let mut many = bench.load("many");
    many.config.checkpoint_s = bench.load("one").config.checkpoint_s;
    assert_same(&bench.load("one"), &many);
    // After a second merge nothing is counted twice.
    assert!(bench.succeed(&["merge", "many"]).contains("not divided"));
}

#[test]
fn shards_compute_convolutions_as_the_network_was_trained() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    bench.succeed(&[
        "run", "many", "--shard", "1/3", "--plain", "--device", "cpu", "--exact", "direct",
    ]);
    shard(&bench, "many", "2/3");
    bench.succeed(&[
        "run", "many", "--shard", "3/3", "--plain", "--device", "cpu", "--exact", "off",
    ]);
    let devices = |index| bench.load(&shard_name("many", index, 3)).record.devices;
    let direct = ["cpu, convolutions direct"];
    assert_eq!(bench.load("many").record.devices, direct);
    assert_eq!(devices(1), direct);
    assert_eq!(devices(2), direct);
    assert_eq!(devices(3), ["cpu"]);
}

#[test]
fn an_extended_session_is_divided_from_where_it_stopped() {
    let bench = Bench::new();
    let small = plan(&bench, &IMAGES.replace("80000", "1030"));
    run_plan(&bench, "many", &small);
    let more = "analyses[0].extended=[(trials: 5000)]";
    let extended = [small, set_options([more.to_owned()])].concat();
    run_plan(&bench, "one", &extended);
    let error = bench.refuse(2, &["run", "many", "--shard", "1/3", "--plain"]);
    assert!(
        error.contains("finished") && error.contains("extend many --trials N --no-run"),
        "{error}"
    );
    bench.succeed(&["new", "aside", "--preset", "quickstart"]);
    let done = bench.load("many").trials().0;
    let printed = bench.succeed(&["extend", "many", "--trials", "5000", "--no-run"]);
    assert!(printed.contains("submit many --slurm"), "{printed}");
    // Nothing is computed here, in this process or in another.
    assert_eq!(bench.load("many").trials().0, done);
    assert!(bench.store().engine("many").is_none());
    for which in ["1/3", "2/3", "3/3"] {
        shard(&bench, "many", which);
    }
    bench.succeed(&["merge", "many", "--keep"]);
    bench.succeed(&["run", "many", "--plain", "--device", "cpu"]);
    assert_same(&bench.load("one"), &bench.load("many"));
    // In a second division, the kept files of the first one count as pending, since they are already merged.
    let mut further = bench.load("many");
    further
        .extend(0, ron::from_str("(trials: 9000)").unwrap())
        .unwrap();
    bench.store().save(&further).unwrap();
    shard(&bench, "many", "2/3");
    let output = bench.output(&["merge", "many"]);
    assert!(
        both(&output).contains("1 (pending), 3 (pending)"),
        "{}",
        both(&output)
    );
    let printed =
        both(&bench.output(&["export", "many", "--format", "json", "--out", "/dev/null"]));
    assert!(printed.contains("not merged"), "{printed}");
    let printed = bench.succeed(&["submit", "many", "--slurm", "--print"]);
    assert!(printed.contains("--array=1,3\n"), "{printed}");
    let watched = ShardWatcher::new(bench.store(), "many")
        .poll()
        .unwrap()
        .unwrap();
    let statuses: Vec<_> = watched
        .run
        .unwrap()
        .shards
        .iter()
        .map(|shard| shard.standing)
        .collect();
    assert_eq!(
        statuses,
        [
            ShardStatus::NotBegun,
            ShardStatus::Done,
            ShardStatus::NotBegun
        ]
    );
    shard(&bench, "many", "1/3");
    shard(&bench, "many", "3/3");
    bench.succeed(&["merge", "many"]);
    let trials = bench.load("many").trials();
    assert_eq!(trials, (18_000, 18_000));
}
