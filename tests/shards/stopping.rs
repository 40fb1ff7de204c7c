//! Stopping a divided session.

use std::process::Child;
use std::time::{Duration, Instant};

use noisescope::link::EngineCommand;
use noisescope::link::client::Conversation;
use noisescope::session::store::shard_name;

use super::{IMAGES, spawn};
use crate::common::{Bench, both, endless, set_options, wait_until, with_plan};

/// A session whose network is trained for ever.
fn training(bench: &Bench) {
    let plan = set_options([
        bench.bars(300, 50, 24),
        "network.kind=Mlp".into(),
        "network.weights.epochs=1000000".into(),
        "network.weights.patience=1000000".into(),
        IMAGES.to_owned(),
    ]);
    bench.succeed(&with_plan(&["new", "many"], &plan));
}

/// Starts a shard of the session.
fn start(bench: &Bench, which: &str) -> Child {
    let run = ["run", "many", "--shard", which];
    spawn(bench, &[&run[..], &["--plain", "--device", "cpu"]].concat())
}

#[test]
fn a_stop_ends_the_engine_that_trains_the_network_and_those_that_wait_for_it() {
    let bench = Bench::new();
    training(&bench);
    let start = |which: &&str| start(&bench, which);
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

#[test]
fn a_shard_that_a_viewer_stops_is_not_done() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "many"], &endless(&bench)));
    let shard = start(&bench, "1/2");
    let name = shard_name("many", 1, 2);
    bench.wait_for_trials(&name, 0);
    bench.succeed(&["stop", &name]);
    let printed = both(&shard.wait_with_output().unwrap());
    assert!(printed.contains("stopped"), "{printed}");
    assert!(!printed.contains("is done"), "{printed}");
}

#[test]
fn a_viewer_that_stops_the_training_ends_the_engine() {
    let bench = Bench::new();
    training(&bench);
    let mut shard = start(&bench, "1/2");
    let store = bench.store();
    wait_until("an engine that trains", || {
        store.engine("many").is_some_and(|it| it.socket.is_some())
    });
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(async {
        let connected = Conversation::connect_with_retry(&store, "many").await;
        let mut engine = connected.unwrap();
        engine.send_command(EngineCommand::Stop).await.unwrap();
        // It has received the command when it answers or has ended.
        let _ = engine.request_state().await;
        let _ = engine.receive_state().await;
    });
    let until = Instant::now() + Duration::from_secs(10);
    while shard.try_wait().unwrap().is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    // One that trains on must not outlive the test.
    let ended = shard.try_wait().unwrap();
    let _ = shard.kill();
    assert_eq!(ended.and_then(|status| status.code()), Some(0));
}
