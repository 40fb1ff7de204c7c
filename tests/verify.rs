//! `noisescope verify` compares a device with the reference and reports each check; and valid launch sizes.

mod common;

use common::Bench;

#[test]
fn the_cpu_device_agrees_with_the_reference() {
    let bench = Bench::new();
    let arguments = ["verify", "--device", "cpu", "--network", "logistic"];
    let printed = bench.succeed(&arguments);
    let lines: Vec<&str> = printed
        .lines()
        .filter(|line| line.starts_with("  "))
        .collect();
    assert_eq!(lines.len(), 14, "{printed}");
    assert!(
        lines.iter().all(|line| line.starts_with("  ok ")),
        "{printed}"
    );
    for check in [
        "noise gabor, γ 0.3",
        "noise pca, γ 0",
        "logits of logistic",
        "the same bits twice",
    ] {
        assert!(printed.contains(check), "{check}: {printed}");
    }
    let printed = bench.succeed(&[&arguments[..], &["--json"]].concat());
    let all: Vec<serde_json::Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(all.len(), 14);
    assert!(
        all.iter()
            .all(|line| line["ok"] == true && line["words"].is_string())
    );
}

#[test]
fn a_launch_must_have_an_even_number_of_blocks() {
    let bench = Bench::new();
    for launch in ["0", "1", "3", "1026"] {
        for arguments in [
            &["verify", "--launch", launch][..],
            &["bench", "--launch", launch],
            &["run", "none", "--plain", "--launch", launch],
        ] {
            let error = bench.refuse(2, arguments);
            assert!(error.contains(&format!("--launch {launch}")), "{error}");
            assert!(error.contains("an even number from 2 to 1024"), "{error}");
        }
    }
    assert!(!bench.store().exists("none"), "no session was created");
}

#[test]
fn an_option_that_changes_nothing_on_the_named_device_is_told() {
    let bench = Bench::new();
    let output = bench.output(&[
        "bench",
        "--device",
        "flex",
        "--network",
        "logistic",
        "--batch",
        "64",
        "--trials",
        "64",
        "--exact",
        "direct",
        "--launch",
        "4",
    ]);
    assert!(output.status.success());
    let told = String::from_utf8(output.stderr).unwrap();
    for words in [
        "--exact is for cpu and changes nothing on flex",
        "--launch is for GPUs and changes nothing on flex",
    ] {
        assert!(told.contains(words), "{told}");
    }
    // Told before the session is looked for.
    let error = bench.refuse(2, &["trials", "none", "--any", "--device", "cpu", "--tf32"]);
    assert!(
        error.starts_with("noisescope: --tf32 is for GPUs and changes nothing on cpu\n"),
        "{error}"
    );
}
