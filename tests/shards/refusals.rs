//! What a divided session refuses, and how to give up its shards.

use noisescope::session::store::shard_name;

use super::{IMAGES, assert_same, plan, run_plan, shard};
use crate::common::{Bench, both, with_plan};

#[test]
fn invalid_shards_and_merges_are_refused_and_nothing_is_lost() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    for (which, expected) in [
        ("5/4", "1/4 to 4/4"),
        ("0/4", "no such shard"),
        ("x", "their count"),
        ("auto", "no scheduler says"),
    ] {
        let error = bench.refuse(2, &["run", "many", "--shard", which, "--plain"]);
        assert!(error.contains(expected), "{which}: {error}");
    }
    let error = bench.refuse(2, &["run", "none", "--shard", "1/2", "--plain"]);
    assert!(error.contains("no session `none`"), "{error}");
    shard(&bench, "many", "1/2");
    // Another division, or a run of the whole session, while it is divided.
    let error = bench.refuse(2, &["run", "many", "--shard", "1/3", "--plain"]);
    let divided = "many is already divided into 2 shards, not into 3.";
    assert!(error.contains(divided), "{error}");
    let submit = ["submit", "many", "--slurm", "--print", "--shards", "3"];
    let error = bench.refuse(2, &submit);
    assert!(
        error.contains(divided) && !error.contains("--shard "),
        "{error}"
    );
    let refused = bench.output(&["submit", "many", "--slurm", "--print", "--shards", "100001"]);
    assert_eq!(refused.status.code(), Some(2));
    let error = both(&refused);
    assert!(
        error.contains("100001 is not in 1..=100000") && !error.contains("--shard "),
        "{error}"
    );
    let error = bench.refuse(2, &["run", "many", "--plain"]);
    assert!(
        error.contains("--shard 1/2 to 2/2") && error.contains("--abandon"),
        "{error}"
    );
    let shard_session = shard_name("many", 1, 2);
    let error = bench.refuse(2, &["run", &shard_session, "--plain"]);
    assert!(error.contains("run many --shard 1/2"), "{error}");
    // The plan cannot change, so that all shards have the same one.
    let error = bench.refuse(2, &["extend", "many", "--trials", "4000", "--plain"]);
    assert!(error.contains("divided into 2 shards"), "{error}");
    // A shard is not listed as a session.
    let listed = bench.succeed(&["ls"]);
    assert!(
        listed.contains("many") && !listed.contains(&shard_session),
        "{listed}"
    );
    shard(&bench, "many", "2/2");
    // A plan that was edited in one shard.
    let file = bench.store().path(&shard_session);
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, whole.replacen("trials: 2000", "trials: 2001", 1)).unwrap();
    let error = bench.refuse(1, &["merge", "many"]);
    assert!(error.contains("was edited"), "{error}");
    std::fs::write(&file, &whole).unwrap();
    // A shard computed by another version of the program.
    let mut foreign = bench.load(&shard_session);
    foreign.record.starts[0].program = "0.0.1 (build 00000000)".into();
    bench.store().save(&foreign).unwrap();
    let error = bench.refuse(1, &["merge", "many"]);
    assert!(
        error.contains("0.0.1") && error.contains("different programs"),
        "{error}"
    );
    std::fs::write(&file, &whole).unwrap();
    // A shard with another network.
    let mut foreign = bench.load(&shard_session);
    let training = foreign.record.training.as_mut().unwrap();
    training.best.tensors[0].1.values_mut()[0] += 1.0;
    bench.store().save(&foreign).unwrap();
    let error = bench.refuse(1, &["merge", "many"]);
    assert!(error.contains("different network"), "{error}");
    std::fs::write(&file, &whole).unwrap();
    // A shard that is done, while its engine ends.
    let lock = bench.store().lock(&shard_session).unwrap();
    let output = bench.output(&["merge", "many"]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(both(&output).contains("1 (ending)"), "{}", both(&output));
    drop(lock);
    bench.succeed(&["merge", "many"]);
    let merged = bench.load("many");
    assert!(merged.record.sharding.is_none());
    // The previous generation, which is offered if the file is damaged, has the shards' sums too: their files are gone.
    assert!(!bench.store().exists(&shard_session));
    assert!(bench.store().previous("many").unwrap() == Some(merged));
}

#[test]
fn deleting_a_session_deletes_its_shards() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    shard(&bench, "many", "1/2");
    let shard_session = shard_name("many", 1, 2);
    let lock = bench.store().lock(&shard_session).unwrap();
    assert!(
        bench.store().to_trash("many").is_err(),
        "a shard is running"
    );
    assert!(bench.store().exists("many"));
    drop(lock);
    let trash_folder = bench.store().to_trash("many").unwrap();
    assert_eq!(bench.store().names().unwrap(), Vec::<String>::new());
    assert!(
        trash_folder.join(format!("{shard_session}.ron")).exists()
            && trash_folder.join("many.ron").exists()
    );
}

#[test]
fn a_session_with_a_target_cannot_be_divided() {
    let bench = Bench::new();
    let plan = plan(
        &bench,
        &IMAGES.replace("block: 100", "block: 100, target: Some(0.9)"),
    );
    bench.succeed(&with_plan(&["new", "many"], &plan));
    let error = bench.refuse(2, &["run", "many", "--shard", "1/2", "--plain"]);
    assert!(
        error.contains("analyses[0].target") && error.contains("all shards"),
        "{error}"
    );
}

#[test]
fn the_results_of_shards_can_be_abandoned() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    shard(&bench, "many", "1/2");
    // While another is run, or waits, nothing is discarded.
    let lock = bench.store().lock(&shard_name("many", 2, 2)).unwrap();
    let error = bench.refuse(1, &["merge", "many", "--abandon"]);
    assert!(error.contains("nothing was discarded"), "{error}");
    assert!(bench.store().exists(&shard_name("many", 1, 2)));
    drop(lock);
    bench.succeed(&["merge", "many", "--abandon"]);
    run_plan(&bench, "one", &plan);
    bench.succeed(&["run", "many", "--plain", "--device", "cpu"]);
    assert_same(&bench.load("one"), &bench.load("many"));
}

#[test]
fn doctor_checks_the_shards_of_a_divided_session() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    shard(&bench, "many", "1/2");
    let printed = bench.succeed(&["doctor", "many"]);
    let words = "1 of 2 have files, of which 1 can be added";
    assert!(printed.contains(words), "{printed}");
    // One character of an array.
    let path = bench.store().path(&shard_name("many", 1, 2));
    let mut text = std::fs::read(&path).unwrap();
    let position = text.len() - 50;
    text[position] = if text[position] == b'A' { b'B' } else { b'A' };
    std::fs::write(&path, text).unwrap();
    let output = bench.output(&["doctor", "many"]);
    let printed = both(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("of which 0 can be added"), "{printed}");
    // The remedy is that of the shard's file.
    let previous = bench.store().backup_path(&shard_name("many", 1, 2));
    let remedy = format!("cp {}", previous.display());
    assert!(printed.contains(&remedy), "{printed}");
}
