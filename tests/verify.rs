//! `noisescope verify` compares a device with the reference, and says what it compared.

mod common;

use common::Bench;

#[test]
fn a_processor_computes_what_the_reference_computes() {
    let bench = Bench::new();
    let words = ["verify", "--device", "cpu", "--network", "logistic"];
    let told = bench.succeed(&words);
    let lines: Vec<&str> = told.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(lines.len(), 10, "{told}");
    assert!(lines.iter().all(|line| line.starts_with("  ok ")), "{told}");
    for what in [
        "noise gabor, γ 0.3",
        "logits of logistic",
        "the same bits twice",
    ] {
        assert!(told.contains(what), "{what}: {told}");
    }
    let told = bench.succeed(&[&words[..], &["--json"]].concat());
    let all: Vec<serde_json::Value> = told
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(all.len(), 10);
    assert!(
        all.iter()
            .all(|it| it["ok"] == true && it["words"].is_string())
    );
}

#[test]
fn a_launch_has_blocks_of_both_halves() {
    let bench = Bench::new();
    for launch in ["0", "1", "3", "1026"] {
        for words in [
            &["verify", "--launch", launch][..],
            &["bench", "--launch", launch],
            &["run", "none", "--plain", "--launch", launch],
        ] {
            let said = bench.refuse(2, words);
            assert!(said.contains(&format!("--launch {launch}")), "{said}");
            assert!(said.contains("an even number from 2 to 1024"), "{said}");
        }
    }
    assert!(!bench.store().exists("none"), "nothing was made");
}
