//! A session divided among engines: the sum of its shards is what one engine measures, to the last bit, whatever
//! becomes of some of them.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use common::{Bench, both, signal, small_set, wait_until};
use noisescope::link::shards::ShardWatcher;
use noisescope::session::run::{ShardState, ShardStatus};
use noisescope::session::store::{Lock, Store, now, shard_name, to_text};
use noisescope::session::{SavedState, Session};

/// Every experiment in small, of blocks that no number of shards divides evenly.
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

fn plan(bench: &Bench, analyses: &str) -> Vec<String> {
    if !bench.path("bars").exists() {
        small_set(&bench.path("bars"), 300, 50, 24);
    }
    let settings = [
        format!("dataset.source=Folder({:?})", bench.path("bars")),
        "network.kind=Mlp".into(),
        "network.weights.epochs=1".into(),
        analyses.to_owned(),
    ];
    let pairs = settings.into_iter();
    pairs
        .flat_map(|setting| ["--set".to_owned(), setting])
        .collect()
}

fn with(words: &[&str], plan: &[String]) -> Vec<String> {
    let words = words.iter().map(|&word| word.to_owned());
    words.chain(plan.iter().cloned()).collect()
}

fn succeed(bench: &Bench, words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    bench.succeed(&words)
}

fn shard(bench: &Bench, name: &str, which: &str) -> String {
    bench.succeed(&["run", name, "--shard", which, "--plain", "--device", "cpu"])
}

fn begin(bench: &Bench, words: &[&str]) -> Child {
    let mut program = bench.program();
    program
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    program.spawn().unwrap()
}

/// The arrays of an export, but for the one that names the session and its starts.
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

/// A session's file without what differs from one run to the next: times, and the starts of engines.
fn essence(session: &Session) -> String {
    let mut session = session.clone();
    "essence".clone_into(&mut session.name);
    let record = &mut session.record;
    (record.updated, record.elapsed_s) = (0, 0.0);
    record.starts.clear();
    to_text(&session).unwrap()
}

/// That two sessions have measured the same, to the last bit.
fn assert_same(one: &Session, other: &Session) {
    let (one, other) = (essence(one), essence(other));
    let mut lines = one.lines().zip(other.lines());
    let differs = lines.find(|(own, others)| own != others);
    let short = |line: &str| line.chars().take(200).collect::<String>();
    assert_eq!(
        differs.map(|(own, others)| (short(own), short(others))),
        None
    );
    assert!(one == other);
}

#[test]
fn the_sum_of_all_shards_is_what_one_engine_measures() {
    let bench = Bench::new();
    let plan = plan(&bench, EVERYTHING);
    succeed(
        &bench,
        &with(&["run", "one", "--plain", "--device", "cpu"], &plan),
    );
    succeed(&bench, &with(&["new", "many"], &plan));
    // In any order; the first that comes trains.
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
    assert!(both(&output).contains("2 (not begun)"), "{}", both(&output));
    shard(&bench, "many", "2/3");
    bench.succeed(&["merge", "many"]);
    // What is made of the sums is made once.
    bench.succeed(&["run", "many", "--plain", "--device", "cpu"]);
    let (one, many) = (bench.load("one"), bench.load("many"));
    assert!(
        one.record.training == many.record.training,
        "trained once, the same"
    );
    assert_eq!(many.record.state, SavedState::Finished);
    assert_same(&one, &many);
    assert!(npz(&bench, "one") == npz(&bench, "many"));
    let left = std::fs::read_dir(bench.store().folder()).unwrap();
    let left = left.filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".shard-1-of-3.ron")
    });
    assert_eq!(left.count(), 0, "the shards' files are in the session");
}

const IMAGES: &str = "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 200000, block: 100)), Templates((images: 50))]";

#[test]
fn a_shard_that_is_killed_goes_on_alone_and_one_index_has_one_engine() {
    let bench = Bench::new();
    let plan = plan(&bench, IMAGES);
    succeed(
        &bench,
        &with(&["run", "one", "--plain", "--device", "cpu"], &plan),
    );
    succeed(
        &bench,
        &with(&["new", "many", "--set", "checkpoint_s=0.2"], &plan),
    );
    let words = |which: &'static str| {
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
    // All at once: one of them trains, the others wait.
    let mut first = begin(&bench, &words("1/2"));
    let second = begin(&bench, &words("2/2"));
    let own = shard_name("many", 1, 2);
    let done = || bench.store().load_head(&own).map_or(0, |it| it.trials().0);
    wait_until("the first shard has saved something", || done() > 0);
    let said = bench.refuse(1, &words("1/2"));
    assert!(said.contains("already being run"), "{said}");
    first.kill().unwrap();
    first.wait().unwrap();
    let saved = bench.load(&own).trials();
    assert!(saved.0 < saved.1, "it was killed in the middle: {saved:?}");
    let output = second.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    shard(&bench, "many", "1/2");
    bench.succeed(&["merge", "many"]);
    bench.succeed(&["run", "many", "--plain", "--device", "cpu"]);
    let mut many = bench.load("many");
    many.config.checkpoint_s = bench.load("one").config.checkpoint_s;
    assert_same(&bench.load("one"), &many);
    // Merged once more: nothing is counted twice.
    assert!(bench.succeed(&["merge", "many"]).contains("not divided"));
}

#[test]
fn a_session_that_was_extended_is_divided_from_where_it_stands() {
    let bench = Bench::new();
    let small = plan(&bench, &IMAGES.replace("200000", "1030"));
    succeed(
        &bench,
        &with(&["run", "many", "--plain", "--device", "cpu"], &small),
    );
    let more = "analyses[0].extended=[(trials: 5000)]";
    let all = with(&["run", "one", "--plain", "--device", "cpu"], &small);
    succeed(
        &bench,
        &with(&[], &[all, vec!["--set".into(), more.into()]].concat()),
    );
    let said = bench.refuse(2, &["run", "many", "--shard", "1/3", "--plain"]);
    assert!(
        said.contains("finished") && said.contains("extend"),
        "{said}"
    );
    bench.succeed(&["new", "aside", "--preset", "quickstart"]);
    let extended = {
        let mut session = bench.load("many");
        let more = ron::from_str("(trials: 5000)").unwrap();
        session.extend(0, more).unwrap();
        session
    };
    bench.store().save(&extended).unwrap();
    for which in ["1/3", "2/3", "3/3"] {
        shard(&bench, "many", which);
    }
    bench.succeed(&["merge", "many", "--keep"]);
    bench.succeed(&["run", "many", "--plain", "--device", "cpu"]);
    assert_same(&bench.load("one"), &bench.load("many"));
    // Divided once more, files of the first time count as not begun: they are in the session.
    let mut further = bench.load("many");
    further
        .extend(0, ron::from_str("(trials: 9000)").unwrap())
        .unwrap();
    bench.store().save(&further).unwrap();
    shard(&bench, "many", "2/3");
    let output = bench.output(&["merge", "many"]);
    assert!(
        both(&output).contains("1 (not begun), 3 (not begun)"),
        "{}",
        both(&output)
    );
    let told = both(&bench.output(&["export", "many", "--format", "json", "--out", "/dev/null"]));
    assert!(told.contains("not merged"), "{told}");
    let printed = bench.succeed(&["submit", "many", "--slurm", "--print"]);
    assert!(printed.contains("--array=1,3\n"), "{printed}");
    let looked = ShardWatcher::new(bench.store(), "many")
        .poll()
        .unwrap()
        .unwrap();
    let standing: Vec<_> = looked
        .run
        .unwrap()
        .shards
        .iter()
        .map(|it| it.standing)
        .collect();
    assert_eq!(
        standing,
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

#[test]
fn what_cannot_be_is_refused_in_words_and_nothing_is_lost() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("200000", "2000"));
    succeed(&bench, &with(&["new", "many"], &plan));
    for (which, word) in [
        ("5/4", "1/4 to 4/4"),
        ("0/4", "no such shard"),
        ("x", "of how many"),
        ("auto", "no scheduler says"),
    ] {
        let said = bench.refuse(2, &["run", "many", "--shard", which, "--plain"]);
        assert!(said.contains(word), "{which}: {said}");
    }
    let said = bench.refuse(2, &["run", "none", "--shard", "1/2", "--plain"]);
    assert!(said.contains("no session `none`"), "{said}");
    shard(&bench, "many", "1/2");
    // Another division, or the whole, while it is divided.
    let said = bench.refuse(2, &["run", "many", "--shard", "1/3", "--plain"]);
    assert!(said.contains("divided into 2 shards already"), "{said}");
    let said = bench.refuse(2, &["run", "many", "--plain"]);
    assert!(
        said.contains("--shard 1/2 to 2/2") && said.contains("--abandon"),
        "{said}"
    );
    let own = shard_name("many", 1, 2);
    let said = bench.refuse(2, &["run", &own, "--plain"]);
    assert!(said.contains("run many --shard 1/2"), "{said}");
    // Its plan stays, so that all shards have the same.
    let said = bench.refuse(2, &["extend", "many", "--trials", "4000", "--plain"]);
    assert!(said.contains("divided into 2 shards"), "{said}");
    // It is told with the session that it is of.
    let listed = bench.succeed(&["ls"]);
    assert!(
        listed.contains("many") && !listed.contains(&own),
        "{listed}"
    );
    shard(&bench, "many", "2/2");
    // A plan that is edited between shards.
    let file = bench.store().path(&own);
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, whole.replacen("trials: 2000", "trials: 2001", 1)).unwrap();
    let said = bench.refuse(1, &["merge", "many"]);
    assert!(said.contains("was edited"), "{said}");
    std::fs::write(&file, &whole).unwrap();
    // A shard of another program.
    let mut foreign = bench.load(&own);
    foreign.record.starts[0].program = "0.0.1 (build 00000000)".into();
    bench.store().save(&foreign).unwrap();
    let said = bench.refuse(1, &["merge", "many"]);
    assert!(
        said.contains("0.0.1") && said.contains("different programs"),
        "{said}"
    );
    std::fs::write(&file, &whole).unwrap();
    // Another network.
    let mut foreign = bench.load(&own);
    let training = foreign.record.training.as_mut().unwrap();
    training.best.tensors[0].1.values_mut()[0] += 1.0;
    bench.store().save(&foreign).unwrap();
    let said = bench.refuse(1, &["merge", "many"]);
    assert!(said.contains("different network"), "{said}");
    std::fs::write(&file, &whole).unwrap();
    bench.succeed(&["merge", "many"]);
    assert!(bench.load("many").record.sharding.is_none());
}

#[test]
fn a_session_that_is_deleted_takes_its_shards_with_it() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("200000", "2000"));
    succeed(&bench, &with(&["new", "many"], &plan));
    shard(&bench, "many", "1/2");
    let own = shard_name("many", 1, 2);
    let lock = bench.store().lock(&own).unwrap();
    assert!(
        bench.store().to_trash("many").is_err(),
        "a shard is being run"
    );
    assert!(bench.store().exists("many"));
    drop(lock);
    let place = bench.store().to_trash("many").unwrap();
    assert_eq!(bench.store().names().unwrap(), Vec::<String>::new());
    assert!(place.join(format!("{own}.ron")).exists() && place.join("many.ron").exists());
}

#[test]
fn what_is_submitted_can_be_read_and_without_a_scheduler_nothing_is_divided() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("200000", "2000"));
    succeed(&bench, &with(&["new", "many"], &plan));
    let printed = bench.succeed(&[
        "submit",
        "many",
        "--slurm",
        "--shards",
        "4",
        "--gpus",
        "1",
        "--time",
        "4:00:00",
        "--print",
        "--",
        "--account=a",
    ]);
    for line in [
        "#SBATCH --array=1-4",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --open-mode=append",
        "#SBATCH --time=4:00:00",
        "#SBATCH --gpus=1",
        "#SBATCH --account=a",
    ] {
        assert!(printed.lines().any(|own| own == line), "{line}: {printed}");
    }
    assert!(
        printed.contains("run many --shard \"$SLURM_ARRAY_TASK_ID/4\" --plain --requeue"),
        "{printed}"
    );
    assert!(printed.contains("merge many && exec "), "{printed}");
    let mut program = bench.program();
    program.env("PATH", bench.path("nothing"));
    let output = program
        .args(["submit", "many", "--slurm"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    assert!(
        both(&output).contains("there is no sbatch here"),
        "{}",
        both(&output)
    );
    assert!(bench.load("many").record.sharding.is_none());
    assert!(
        bench
            .succeed(&["run", "many", "--plain", "--device", "cpu"])
            .contains("finished")
    );
}

#[test]
fn a_target_is_a_question_to_all_trials_and_no_shard_has_them() {
    let bench = Bench::new();
    let plan = plan(
        &bench,
        &IMAGES.replace("block: 100", "block: 100, target: Some(0.9)"),
    );
    succeed(&bench, &with(&["new", "many"], &plan));
    let said = bench.refuse(2, &["run", "many", "--shard", "1/2", "--plain"]);
    assert!(
        said.contains("analyses[0].target") && said.contains("all shards"),
        "{said}"
    );
}

#[test]
fn what_shards_have_done_can_be_given_up() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("200000", "2000"));
    succeed(&bench, &with(&["new", "many"], &plan));
    shard(&bench, "many", "1/2");
    bench.succeed(&["merge", "many", "--abandon"]);
    succeed(
        &bench,
        &with(&["run", "one", "--plain", "--device", "cpu"], &plan),
    );
    bench.succeed(&["run", "many", "--plain", "--device", "cpu"]);
    assert_same(&bench.load("one"), &bench.load("many"));
}

#[test]
fn usr1_asks_slurm_for_the_place_of_this_task_alone() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("200000", "2000000000"));
    succeed(&bench, &with(&["new", "many"], &plan));
    // What scontrol is told.
    let told = bench.path("told");
    let folder = bench.path("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let script = format!("#!/bin/sh\necho \"$@\" > {}\n", told.display());
    std::fs::write(folder.join("scontrol"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.join("scontrol"), mode).unwrap();
    let mut program = bench.program();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    program.env("PATH", path).env("SLURM_JOB_ID", "12");
    program
        .env("SLURM_ARRAY_JOB_ID", "12")
        .env("SLURM_ARRAY_TASK_ID", "3");
    program
        .env("SLURM_ARRAY_TASK_COUNT", "4")
        .env("SLURM_ARRAY_TASK_MIN", "1");
    program.args([
        "run",
        "many",
        "--shard",
        "auto",
        "--requeue",
        "--device",
        "cpu",
    ]);
    let child = program
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let own = shard_name("many", 3, 4);
    wait_until("the shard is at work", || {
        bench
            .store()
            .load_head(&own)
            .is_ok_and(|it| it.record.state == SavedState::Running)
    });
    signal(&child, "USR1");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(138), "{}", both(&output));
    assert_eq!(
        std::fs::read_to_string(told).unwrap().trim(),
        "requeue 12_3"
    );
    let session = bench.load(&own);
    assert_eq!(session.record.state, SavedState::Stopped);
    assert_eq!(session.record.shard.unwrap().job.as_deref(), Some("12_3"));
}

/// How long the file system of the test keeps back what was written.
const CACHE: Duration = Duration::from_secs(2);

/// Shows each state of the files of one folder in another, as late as the cache of a network's file system may.
fn mirror(from: &Path, to: &Path, over: &AtomicBool) {
    let mut shown: HashMap<OsString, SystemTime> = HashMap::new();
    let mut due: Vec<(Instant, OsString, Option<Vec<u8>>)> = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let mut there = Vec::new();
        for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            let name = file.file_name();
            if name.to_string_lossy().ends_with(".tmp") {
                continue;
            }
            there.push(name.clone());
            // It may be replaced at this moment: then it comes next time.
            let (Ok(about), Ok(bytes)) = (file.metadata(), std::fs::read(file.path())) else {
                continue;
            };
            let written = about.modified().unwrap();
            if shown.get(&name) != Some(&written) {
                shown.insert(name.clone(), written);
                due.push((Instant::now() + CACHE, name, Some(bytes)));
            }
        }
        let gone: Vec<OsString> = shown
            .keys()
            .filter(|name| !there.contains(name))
            .cloned()
            .collect();
        for name in gone {
            shown.remove(&name);
            due.push((Instant::now() + CACHE, name, None));
        }
        let now = Instant::now();
        for (_, name, bytes) in due.extract_if(.., |(at, ..)| *at <= now) {
            let path = to.join(&name);
            match bytes {
                Some(bytes) => {
                    let aside = to.join("aside.tmp");
                    std::fs::write(&aside, bytes).unwrap();
                    std::fs::rename(aside, path).unwrap();
                }
                None => std::fs::remove_file(path).unwrap(),
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_watches_64_shards_through_a_slow_cache_is_right_within_5_seconds() {
    use ShardStatus::{Died, Done, Failed, NotBegun, Stopped, Waiting, Working};
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("200000", "64000"));
    succeed(&bench, &with(&["new", "many"], &plan));
    shard(&bench, "many", "64/64");
    let store = bench.store();
    let whole = bench.load("many");
    let seen = bench.path("seen");
    std::fs::create_dir(&seen).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| mirror(store.folder(), &seen, &over));
        let mut watch = ShardWatcher::new(Store::new(&seen), "many");
        // What is said of each, once it is as wanted, within five seconds of the last write.
        let mut right = |wanted: &dyn Fn(u32) -> ShardStatus| {
            let began = Instant::now();
            loop {
                let run = watch.poll().ok().flatten().and_then(|it| it.run);
                let shards = run.map(|run| run.shards).unwrap_or_default();
                let is = |it: &ShardState| it.standing == wanted(it.index);
                if shards.len() == 64 && shards.iter().all(is) {
                    return shards;
                }
                let wrong: Vec<_> = shards
                    .iter()
                    .filter(|it| !is(it))
                    .map(|it| (it.index, it.standing))
                    .collect();
                assert!(began.elapsed() < Duration::from_secs(5), "{wrong:?}");
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        right(&|index| if index == 64 { Done } else { NotBegun });
        // A third of them begins; of those some are at work.
        let mut locks: HashMap<u32, Lock> = HashMap::new();
        let set = |index: u32, state: SavedState, lock: &mut Lock| {
            let mut session = whole
                .new_shard(&shard_name("many", index, 64), index)
                .unwrap();
            session.record.state = state;
            session.record.updated = now();
            lock.save(&session).unwrap();
        };
        for index in 1..=20 {
            let mut lock = store.lock(&shard_name("many", index, 64)).unwrap();
            lock.session_exists().unwrap();
            let state = if index <= 10 {
                SavedState::Running
            } else {
                SavedState::New
            };
            set(index, state, &mut lock);
            locks.insert(index, lock);
        }
        right(&|index| match index {
            ..=10 => Working,
            11..=20 => Waiting,
            64 => Done,
            _ => NotBegun,
        });
        // One is stopped, one fails, one dies: its lock is gone and its file says that it works.
        set(1, SavedState::Stopped, locks.get_mut(&1).unwrap());
        set(
            2,
            SavedState::Failed("no room".into()),
            locks.get_mut(&2).unwrap(),
        );
        for index in 1..=3 {
            locks.remove(&index);
        }
        let shards = right(&|index| match index {
            1 => Stopped,
            2 => Failed,
            3 => Died,
            4..=10 => Working,
            11..=20 => Waiting,
            64 => Done,
            _ => NotBegun,
        });
        assert_eq!(shards[1].note.as_deref(), Some("no room"));
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_clock_that_is_hours_off_is_told_and_changes_nothing() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("200000", "2000"));
    succeed(&bench, &with(&["new", "many"], &plan));
    shard(&bench, "many", "1/2");
    let mut session = bench.load(&shard_name("many", 1, 2));
    session.record.updated -= 3 * 3600;
    bench.store().save(&session).unwrap();
    let looked = ShardWatcher::new(bench.store(), "many")
        .poll()
        .unwrap()
        .unwrap();
    let shards = looked.run.unwrap().shards;
    assert_eq!(shards[0].standing, ShardStatus::Done);
    let note = shards[0].note.as_deref().unwrap_or_default();
    assert!(note.contains("clock") && note.contains("behind"), "{note}");
    shard(&bench, "many", "2/2");
    bench.succeed(&["merge", "many"]);
}
