//! A run that is killed, stopped or split over workers gives the same bits as one that is not.

mod common;

use std::fs;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use common::{Bench, endless, signal, small_set, wait_until};
use noisescope::session::{SavedState, Session};

/// A small but whole plan: a convolutional network, two epochs, two γ.
fn plan(bench: &Bench) -> Vec<String> {
    small_set(&bench.path("bars"), 400, 100, 28);
    [
        format!("dataset.source=Folder({:?})", bench.path("bars")),
        "network.weights.epochs=3".into(),
        "network.weights.batch=32".into(),
        "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 3000, block: 64))]".into(),
        "checkpoint_s=0.1".into(),
    ]
    .into_iter()
    .flat_map(|setting| ["--set".to_owned(), setting])
    .collect()
}

fn run(bench: &Bench, name: &str, more: &[&str]) -> Session {
    let plan = plan(bench);
    let mut arguments: Vec<&str> = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend(more);
    bench.succeed(&arguments);
    bench.load(name)
}

fn assert_same_bits(a: &Session, b: &Session) {
    let (first, second) = (a.record.training.as_ref(), b.record.training.as_ref());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.epochs, second.epochs, "the course of training");
    assert!(first.best == second.best, "the weights");
    assert!(a.record.analyses == b.record.analyses, "counts and sums");
    assert_eq!(b.record.state, SavedState::Finished);
}

/// Starts a run, kills it without warning once `ready` holds for the session on the disk.
fn kill_when(bench: &Bench, name: &str, first: bool, ready: impl Fn(&Session) -> bool) {
    let mut arguments = vec!["run".to_owned(), name.to_owned(), "--plain".to_owned()];
    if first {
        arguments.extend(plan(bench));
    }
    let mut child = bench.program().args(&arguments).spawn().unwrap();
    wait_until("the moment to kill", || {
        assert_eq!(
            child.try_wait().unwrap(),
            None,
            "ended before it could be killed"
        );
        bench
            .store()
            .load(name)
            .is_ok_and(|session| ready(&session))
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_killed_in_training_and_in_its_trials_equals_an_uninterrupted_one() {
    let bench = Bench::new();
    let whole = run(&bench, "whole", &[]);
    kill_when(&bench, "killed", true, |session| {
        let training = session.record.training.as_ref();
        training.is_some_and(|it| it.epochs.len() == 1 && it.partial.batches > 0)
    });
    kill_when(&bench, "killed", false, |session| session.trials().0 > 0);
    let left = bench.load("killed");
    assert!(left.trials().0 < 6000, "nothing was left to resume");
    bench.succeed(&["run", "killed", "--plain"]);
    assert_same_bits(&whole, &bench.load("killed"));
}

#[test]
fn one_worker_and_several_give_the_same_bits() {
    let bench = Bench::new();
    let one = run(&bench, "one", &["--workers", "1"]);
    let three = run(&bench, "three", &["--workers", "3"]);
    assert_same_bits(&one, &three);
}

#[test]
fn training_does_not_depend_on_the_number_of_cores() {
    let bench = Bench::new();
    let plan = plan(&bench);
    let train = |name: &str, threads: &str| {
        let mut arguments = vec!["run", name, "--plain"];
        arguments.extend(plan.iter().map(String::as_str));
        arguments.extend(["--set", "analyses=[]"]);
        let mut program = bench.program();
        program.env("RAYON_NUM_THREADS", threads).args(&arguments);
        assert!(program.output().unwrap().status.success());
        bench.load(name)
    };
    assert_same_bits(&train("one", "1"), &train("four", "4"));
}

fn start(bench: &Bench, name: &str) -> Child {
    let plan = plan(bench);
    let mut arguments: Vec<&str> = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend([
        "--set",
        "analyses=[ClassificationImages((gammas: [0.4], trials: 100000000, block: 64))]",
    ]);
    bench.program().args(arguments).spawn().unwrap()
}

#[test]
fn int_term_and_hup_checkpoint_and_give_their_exit_codes() {
    let bench = Bench::new();
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let mut child = start(&bench, name);
        wait_until("the first trials", || {
            bench
                .store()
                .load(name)
                .is_ok_and(|session| session.trials().0 > 0)
        });
        let before = bench.load(name).trials().0;
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        let session = bench.load(name);
        assert_eq!(session.record.state, SavedState::Stopped, "{name}");
        assert!(session.trials().0 >= before, "{name}: trials were lost");
    }
}

#[test]
fn a_session_that_is_being_run_cannot_be_run_again() {
    let bench = Bench::new();
    let mut child = start(&bench, "busy");
    wait_until("the lock and the file", || {
        bench.store().engine("busy").is_some() && bench.store().path("busy").exists()
    });
    let words = bench.refuse(1, &["run", "busy", "--plain"]);
    assert!(words.contains("being run already by process"), "{words}");
    assert!(words.contains(&child.id().to_string()), "{words}");
    let listed = bench.succeed(&["ls", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["state"], "running");
    assert_eq!(listed[0]["pid"], child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    // The lock went with the process.
    let listed: serde_json::Value =
        serde_json::from_str(&bench.succeed(&["ls", "--json"])).unwrap();
    assert_eq!(listed[0]["pid"], serde_json::Value::Null);
}

/// Nothing that a process writes may be longer than so many bytes: a checkpoint then fails as on a full disk.
fn limit_files(child: &Child, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    let pid = Pid::from_raw(child.id() as i32);
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// Starts a run that trains in a moment and never ends, saved as often as `checkpoint` says, for its first trials.
fn start_quick(bench: &Bench, name: &str, checkpoint: &str) -> Child {
    let plan = endless(bench);
    let mut arguments: Vec<&str> = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend(["--set", checkpoint]);
    bench.program().args(arguments).spawn().unwrap()
}

/// Starts a run and lets it meet a full disk after its first trials; the trials that are on the disk.
fn full(bench: &Bench, name: &str) -> (Child, u64) {
    let child = start_quick(bench, name, "checkpoint_s=0.1");
    bench.wait_for_trials(name, 0);
    limit_files(&child, Some(1000));
    wait_until("a checkpoint that fails", || {
        bench
            .succeed(&["attach", name, "--plain"])
            .contains("File too large")
    });
    (child, bench.load(name).trials().0)
}

#[test]
fn a_full_disk_does_not_stop_the_run_and_the_next_checkpoint_tries_again() {
    let bench = Bench::new();
    let (mut child, before) = full(&bench, "full");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None, "the run goes on");
    assert_eq!(bench.load("full").trials().0, before);
    limit_files(&child, None);
    bench.wait_for_trials("full", before);
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("File too large"), "{told}");
    assert_eq!(
        told.matches("File too large").count(),
        1,
        "said once: {told}"
    );
    let temporary = fs::read_dir(bench.path("sessions")).unwrap();
    let left =
        temporary.filter(|it| it.as_ref().unwrap().path().extension() == Some("tmp".as_ref()));
    assert_eq!(left.count(), 0, "half files are not left");
}

#[test]
fn what_a_full_disk_would_lose_is_told_and_given_up_only_by_word() {
    let bench = Bench::new();
    let (mut child, before) = full(&bench, "full");
    for _ in 0..2 {
        let words = bench.refuse(1, &["stop", "full"]);
        assert!(words.contains("trials since the checkpoint of"), "{words}");
        assert!(words.contains("would be lost"), "{words}");
        assert!(words.contains("--discard"), "{words}");
        assert_eq!(child.try_wait().unwrap(), None, "it still tries to save");
    }
    // Signals give nothing up either.
    signal(&child, "TERM");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None);
    let words = bench.succeed(&["stop", "full", "--discard"]);
    assert!(words.contains("last checkpoint"), "{words}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(bench.load("full").trials().0, before);
}

#[test]
fn an_engine_that_waits_for_room_ends_by_itself_once_there_is_some() {
    let bench = Bench::new();
    let (mut child, before) = full(&bench, "full");
    bench.refuse(1, &["stop", "full"]);
    limit_files(&child, None);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let session = bench.load("full");
    assert_eq!(session.record.state, SavedState::Stopped);
    assert!(
        session.trials().0 > before,
        "what was measured meanwhile is saved"
    );
}

#[test]
fn usr1_writes_a_checkpoint_and_other_signals_stop_after_one() {
    let bench = Bench::new();
    let mut child = start_quick(&bench, "asked", "checkpoint_s=0.1");
    bench.wait_for_trials("asked", 0);
    for (name, code) in [("USR2", 140), ("QUIT", 131), ("ALRM", 142), ("XCPU", 152)] {
        let before = bench.load("asked").trials().0;
        signal(&child, "USR1");
        bench.wait_for_trials("asked", before);
        assert_eq!(child.try_wait().unwrap(), None, "USR1 goes on");
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        let session = bench.load("asked");
        assert_eq!(session.record.state, SavedState::Stopped, "{name}");
        child = bench
            .program()
            .args(["run", "asked", "--plain"])
            .spawn()
            .unwrap();
        bench.wait_for_trials("asked", session.trials().0);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A checkpoint only when it is asked for, also while the run stands still.
#[test]
fn a_checkpoint_comes_when_it_is_asked_for_and_not_before() {
    let bench = Bench::new();
    let mut child = start_quick(&bench, "rare", "checkpoint_s=3600");
    wait_until("the socket", || {
        bench
            .store()
            .engine("rare")
            .is_some_and(|it| it.socket.is_some())
    });
    let trained = || {
        bench
            .load("rare")
            .record
            .training
            .is_some_and(|it| it.finished)
    };
    wait_until("the checkpoint after the training", trained);
    assert_eq!(bench.load("rare").trials().0, 0);
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "USR1");
    bench.wait_for_trials("rare", 0);
    let saved = bench.load("rare").trials().0;
    bench.succeed(&["pause", "rare"]);
    assert_eq!(bench.load("rare").trials().0, saved);
    signal(&child, "USR1");
    bench.wait_for_trials("rare", saved);
    let words = bench.succeed(&["attach", "rare", "--plain"]);
    wait_until("the pause to go on", || {
        bench
            .succeed(&["attach", "rare", "--plain"])
            .contains("paused")
    });
    assert!(words.contains("rare"), "{words}");
    bench.succeed(&["continue", "rare"]);
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(bench.load("rare").trials().0 > saved);
}

/// Signals are heard from before anything is written.
#[test]
fn a_signal_in_the_first_moments_leaves_a_whole_session_or_none() {
    let bench = Bench::new();
    for moment in 0..16_u64 {
        let name = format!("early-{moment}");
        let mut child = start_quick(&bench, &name, "checkpoint_s=0.1");
        std::thread::sleep(Duration::from_millis(6 * moment));
        signal(&child, "TERM");
        let code = child.wait().unwrap().code();
        match bench.store().path(&name).exists() {
            true => {
                assert_eq!(code, Some(143), "{name}");
                bench.load(&name);
            }
            false => assert!(matches!(code, None | Some(143)), "{name}: {code:?}"),
        }
    }
}

#[test]
fn the_previous_generation_is_kept_and_offered_when_the_file_is_cut() {
    let bench = Bench::new();
    run(&bench, "cut", &[]);
    let path = bench.store().path("cut");
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let words = bench.refuse(1, &["run", "cut", "--plain"]);
    assert!(words.contains("truncated"), "{words}");
    assert!(words.contains("cut.ron.bak"), "the way out: {words}");
    assert_eq!(
        fs::read(&path).unwrap().len(),
        text.len() / 2,
        "nothing is overwritten"
    );
    // What the words say to do works.
    fs::copy(bench.store().backup_path("cut"), &path).unwrap();
    bench.succeed(&["run", "cut", "--plain"]);
    assert_eq!(bench.load("cut").record.state, SavedState::Finished);
}

/// Also where a shell would take the path for something else.
#[test]
fn a_session_is_looked_at_through_and_through() {
    let bench = Bench::new();
    let folder = bench.path("it's $HOME here");
    let plan = plan(&bench);
    let program = |arguments: &[&str]| {
        let mut program = bench.program();
        let output = program
            .env("NOISESCOPE_SESSIONS", &folder)
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), common::both(&output))
    };
    let mut arguments: Vec<&str> = vec!["run", "mine", "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    let (code, words) = program(&arguments);
    assert_eq!(code, Some(0), "{words}");
    let (code, words) = program(&["doctor", "mine"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        words.contains("intact") && words.contains("6,000 of 6,000 trials"),
        "{words}"
    );
    assert!(
        words.contains("400 training and 100 test images"),
        "{words}"
    );
    // One character of an array's numbers, far behind what a list reads.
    let path = folder.join("mine.ron");
    let mut text = fs::read(&path).unwrap();
    let place = text.len() - 50;
    text[place] = if text[place] == b'A' { b'B' } else { b'A' };
    fs::write(&path, text).unwrap();
    let (code, words) = program(&["doctor", "mine"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("damaged") && words.contains("The previous generation, from"),
        "{words}"
    );
    let way = words.lines().find(|line| line.contains("; cp ")).unwrap();
    let done = std::process::Command::new("sh").args(["-c", way]).status();
    assert!(done.unwrap().success(), "{way}");
    let (code, words) = program(&["doctor", "mine"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(folder.join("mine.ron.damaged").exists());
    let (code, words) = program(&["doctor", "nobody"]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("It holds: mine"), "{words}");
}

#[test]
fn an_emptied_file_offers_the_previous_generation_too() {
    let bench = Bench::new();
    run(&bench, "empty", &["--set", "analyses=[]"]);
    fs::write(bench.store().path("empty"), "").unwrap();
    let words = bench.refuse(1, &["run", "empty", "--plain"]);
    assert!(words.contains("empty.ron.bak"), "{words}");
}

#[test]
fn a_plan_that_was_edited_after_it_was_run_is_refused() {
    let bench = Bench::new();
    run(&bench, "edited", &[]);
    let path = bench.store().path("edited");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to, place) in [
        ("trials: 3000", "trials: 2000", "analyses[0]"),
        ("block: 64", "block: 32", "analyses[0]"),
        ("seed: 1,", "seed: 2,", "seed"),
        ("epochs: 3", "epochs: 4", "network"),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let words = bench.refuse(1, &["run", "edited", "--plain"]);
        assert!(words.contains(&format!("{place} was edited")), "{words}");
        assert!(words.contains("does not belong to its plan"), "{words}");
    }
    // How often it is saved is nothing that was measured.
    let rarely = text.replacen("checkpoint_s: 0.1", "checkpoint_s: 60.0", 1);
    assert_ne!(rarely, text);
    fs::write(&path, rarely).unwrap();
    bench.succeed(&["run", "edited", "--plain"]);
}

/// What a training cannot go on from must stay in the file.
#[test]
fn a_training_that_cannot_go_on_loses_nothing() {
    let bench = Bench::new();
    kill_when(&bench, "old", true, |session| {
        let training = session.record.training.as_ref();
        training.is_some_and(|it| it.epochs.len() == 1 && !it.current.is_empty())
    });
    let mut session = bench.load("old");
    let training = session.record.training.as_mut().unwrap();
    training.optimizer = noisescope::session::Array::new(&[3], vec![1_u8, 2, 3]);
    bench.store().save(&session).unwrap();
    let words = bench.refuse(1, &["run", "old", "--plain"]);
    assert!(words.contains("optimizer"), "{words}");
    let after = bench.load("old").record.training.unwrap();
    assert_eq!(after, session.record.training.unwrap());
}

#[test]
fn a_reader_that_stands_still_does_not_hold_up_a_signal() {
    let bench = Bench::new();
    let mut child = start(&bench, "slow");
    wait_until("the first trials", || {
        bench
            .store()
            .load("slow")
            .is_ok_and(|session| session.trials().0 > 0)
    });
    // Nobody has read a line so far; checkpoints every tenth of a second fill the pipe in time.
    signal(&child, "TERM");
    let began = std::time::Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
}

/// What failed before it had done anything can be mended where it stands.
#[test]
fn a_plan_of_which_nothing_has_been_done_can_be_edited() {
    let bench = Bench::new();
    let plan = plan(&bench);
    let mut arguments: Vec<&str> = vec!["run", "mended", "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    arguments.extend(["--set", "dataset.source=Folder(\"nowhere\")"]);
    let words = bench.refuse(1, &arguments);
    assert!(words.contains("nowhere"), "{words}");
    let path = bench.store().path("mended");
    let text = fs::read_to_string(&path).unwrap();
    let bars = bench.path("bars").display().to_string();
    fs::write(&path, text.replacen("nowhere", &bars, 1)).unwrap();
    bench.succeed(&["run", "mended", "--plain"]);
    assert_eq!(bench.load("mended").record.state, SavedState::Finished);
}
