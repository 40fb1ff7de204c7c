//! `trials`: the trials behind a cell of the counts.

use noisescope::session::Session;
use noisescope::session::record::ClassificationImages;
use serde_json::Value;

use super::{MAPS, Npz, TRAINED, assert_self_describing, plan, run};
use crate::common::{Bench, small_set, with_plan};

/// Trials by true and called class at the γ of this index, \[K,K\].
fn counts(session: &Session, gamma_index: usize) -> Vec<u64> {
    let images: &ClassificationImages = session.record.first().unwrap();
    let (even, odd) = images.gammas[gamma_index].counts.split_at(100);
    even.iter().zip(odd).map(|(even, odd)| even + odd).collect()
}

/// The output of `trials` for the session `mine`.
fn listed(bench: &Bench, arguments: &[&str]) -> Vec<Value> {
    let all = [&["trials", "mine", "--format", "json"], arguments].concat();
    serde_json::from_str(&bench.succeed(&all)).unwrap()
}

#[test]
fn the_trials_behind_a_cell_are_as_many_as_it_counts() {
    let bench = Bench::new();
    run(&bench, "mine", TRAINED, MAPS);
    let counts_at = [0, 1].map(|gamma_index| counts(&bench.load("mine"), gamma_index));
    // The cell with the most errors.
    let errors = (0..100).filter(|cell| cell / 10 != cell % 10);
    let cell = errors.max_by_key(|&cell| counts_at[1][cell]).unwrap();
    let (truth, called, count) = (cell / 10, cell % 10, counts_at[1][cell]);
    assert!(count > 1, "the network makes mistakes");
    let (true_class, called_class) = (truth.to_string(), called.to_string());
    let out = bench.path("cell.npz");
    let out = out.to_str().unwrap();
    let cell = ["--true", &true_class, "--called", &called_class];
    let more = ["--count", "100000", "--format", "npz", "--out", out];
    let output = bench.output(&[&["trials", "mine"], &cell[..], &more].concat());
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{printed}");
    assert!(
        !printed.contains("but now the network gives"),
        "the same device: {printed}"
    );
    let npz = Npz::read(&bench.path("cell.npz"));
    let meta = assert_self_describing(&npz);
    assert_eq!(meta["trials"]["recorded"], count);
    assert_eq!(meta["trials"]["matching"], count);
    let n = usize::try_from(count).unwrap();
    assert_eq!(npz.shape("stimuli"), [count, 24, 24]);
    assert_eq!(npz.integers("truth"), vec![truth as i64; n]);
    assert_eq!(npz.integers("called"), vec![called as i64; n]);
    // The stimulus is a blend of the noise and a training image.
    let images = npz.integers("image");
    assert!(images.iter().all(|&image| image % 10 == truth as i64));
    for (shown, noise) in npz.floats("stimuli").iter().zip(npz.floats("noise")) {
        let image = (shown - 0.6 * noise) / 0.4;
        assert!((-1e-4..1.0 + 1e-4).contains(&image), "{image}");
    }
    // The called class has the largest output.
    for outputs in npz.floats("outputs").chunks(10) {
        assert!(outputs.iter().all(|&output| output <= outputs[called]));
    }
    // A smaller count gives the first of all trials, and no trial is repeated.
    let all = listed(&bench, &[&cell[..], &["--count", "100000"]].concat());
    assert_eq!(all.len(), n);
    let places = |list: &[Value]| -> Vec<(i64, i64)> {
        let place = |trial: &Value| {
            (
                trial["block"].as_i64().unwrap(),
                trial["trial"].as_i64().unwrap(),
            )
        };
        list.iter().map(place).collect()
    };
    assert!(places(&all).is_sorted_by(|a, b| a < b));
    let first = listed(
        &bench,
        &[&cell[..], &["--count", "2", "--workers", "3"]].concat(),
    );
    assert_eq!(places(&first), places(&all)[..2]);
    assert_eq!(first[0]["truth"], truth);
    // Trials of any class, and by called class only.
    let whole = listed(&bench, &["--any", "--count", "100000"]);
    assert_eq!(whole.len(), 1500);
    let column: u64 = (0..10).map(|truth| counts_at[0][truth * 10 + called]).sum();
    let arguments = [
        "--called",
        &called_class,
        "--gamma",
        "0",
        "--count",
        "100000",
    ];
    let at_nothing = listed(&bench, &arguments);
    assert_eq!(at_nothing.len() as u64, column);
    assert!(at_nothing.iter().all(|trial| trial["truth"].is_null()));
    // The default format is a picture.
    bench.succeed(&[&["trials", "mine"], &cell[..]].concat());
    let name = format!("mine-trials-true-{truth}-called-{called}-gamma-0.4.png");
    let sheet = image::open(bench.path(&name)).unwrap();
    // Stimuli of 24×24 are magnified four times, with 4 pixels between them.
    assert_eq!((sheet.width() - 4) % 100, 0);
}

#[test]
fn trials_that_cannot_be_found_are_refused_with_the_reason() {
    let bench = Bench::new();
    run(&bench, "mine", TRAINED, MAPS);
    for (code, arguments, expected) in [
        (2, &["mine"][..], "choose trials: --called CLASS"),
        (2, &["mine", "--called", "ten"], "there is no class `ten`"),
        (2, &["mine", "--any", "--gamma", "0.3"], "only at 0, 0.4"),
        (2, &["mine", "--any", "--images", "2"], "its plan has 1"),
        (
            2,
            &["mine", "--true", "3", "--gamma", "0"],
            "no image is blended with the noise, so trials have no true class; leave out --true, or choose another γ: --gamma 0.4",
        ),
        (2, &["mine", "--any", "--count", "401"], "--format npz"),
        (2, &["none", "--any"], "It holds: mine"),
    ] {
        let error = bench.refuse(code, &[&["trials"], arguments].concat());
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
    bench.succeed(&["new", "fresh"]);
    let error = bench.refuse(1, &["trials", "fresh", "--any"]);
    assert!(error.contains("noisescope run fresh"), "{error}");
    // The trials of a divided session are in several files.
    let settings = plan(&bench, TRAINED, MAPS);
    bench.succeed(&with_plan(&["new", "divided"], &settings));
    let shard = [
        "run", "divided", "--shard", "1/2", "--plain", "--device", "cpu",
    ];
    bench.succeed(&shard);
    let error = bench.refuse(2, &["trials", "divided", "--any"]);
    assert!(error.contains("noisescope merge divided"), "{error}");
    // Other images would give other trials.
    small_set(&bench.path("bars"), 210, 50, 24);
    let error = bench.refuse(1, &["trials", "mine", "--any"]);
    assert!(error.contains("the training images differ"), "{error}");
}
