//! Stopping a divided session.

use std::process::Child;
use std::time::{Duration, Instant};

use noisescope::session::store::shard_name;

use super::{IMAGES, spawn};
use crate::common::{Bench, set_options, wait_until, with_plan};

#[test]
fn a_stop_ends_the_engine_that_trains_the_network_and_those_that_wait_for_it() {
    let bench = Bench::new();
    let plan = set_options([
        bench.bars(300, 50, 24),
        "network.kind=Mlp".into(),
        "network.weights.epochs=1000000".into(),
        "network.weights.patience=1000000".into(),
        IMAGES.to_owned(),
    ]);
    bench.succeed(&with_plan(&["new", "many"], &plan));
    let start = |which: &&str| {
        spawn(
            &bench,
            &[
                "run", "many", "--shard", *which, "--plain", "--device", "cpu",
            ],
        )
    };
    let mut engines: Vec<Child> = ["1/3", "2/3", "3/3"].iter().map(start).collect();
    let store = bench.store();
    let engine_of = |index| store.engine(&shard_name("many", index, 3));
    wait_until("three engines, of which one trains", || {
        let trainer = store.engine("many").and_then(|engine| engine.socket);
        trainer.is_some() && (1..=3).all(|index| engine_of(index).is_some())
    });
    let output = bench.output(&["stop", "many"]);
    let until = Instant::now() + Duration::from_secs(10);
    let mut codes: Vec<Option<i32>> = Vec::new();
    for engine in &mut engines {
        while engine.try_wait().unwrap().is_none() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        // One that goes on must not outlive the test.
        let _ = engine.kill();
        codes.push(engine.wait().unwrap().code());
    }
    assert_eq!(codes, [Some(143); 3]);
    assert!(output.status.success());
    assert!(store.engine("many").is_none());
    let training = bench.load("many").record.training.unwrap();
    assert!(!training.finished);
}
