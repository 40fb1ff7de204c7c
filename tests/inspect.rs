//! `inspect`: what a file holds, and how the network in it wants its images.

mod common;
mod images;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Bench, both};
use images::put_png;
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/onnx")
        .join(name)
}

fn json(bench: &Bench, arguments: &[&str]) -> Value {
    let output = bench.output(&[&["inspect", "--json", "--device", "flex"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", both(&output)))
}

const SIDE: usize = 6;

/// Grey images of two classes, dark ones (levels 60 to 79) and bright ones (160 to 179).
fn dark_and_bright(bench: &Bench) -> String {
    for split in ["train", "test"] {
        for (class, level) in [("0-dark", 60), ("1-bright", 160)] {
            for image in 0..40_u8 {
                let name = format!("tones/{split}/{class}/{image}.png");
                put_png(
                    &bench.path(&name),
                    SIDE as u32,
                    SIDE as u32,
                    level + image / 2,
                );
            }
        }
    }
    bench.path("tones").display().to_string()
}

/// A `logistic` of two classes: the second answers to `sign` times all light, the first to the
/// opposite, without a threshold. So black must be below zero and white above for it to be right.
fn logistic(bench: &Bench, name: &str, sign: f32) -> String {
    let pixels = SIDE * SIDE;
    let rows = [-sign, sign].map(|value| vec![value; pixels]).concat();
    let values: Vec<f32> = rows.into_iter().chain([0.0, 0.0]).collect();
    let data: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let weight = 8 * pixels;
    let header = format!(
        r#"{{"logits.weight":{{"dtype":"F32","shape":[2,{pixels}],"data_offsets":[0,{weight}]}},"logits.bias":{{"dtype":"F32","shape":[2],"data_offsets":[{weight},{}]}}}}"#,
        weight + 8
    );
    let file = bench.path(name);
    let length = (header.len() as u64).to_le_bytes();
    fs::write(&file, [&length[..], header.as_bytes(), &data].concat()).unwrap();
    file.display().to_string()
}

#[test]
fn a_scaling_that_the_network_wants_is_found_and_told_as_it_is_typed() {
    let bench = Bench::new();
    let (data, file) = (
        dark_and_bright(&bench),
        logistic(&bench, "tones.safetensors", 1.0),
    );
    let said = bench.succeed(&["inspect", &file, "--data", &data, "--device", "flex"]);
    for words in [
        "weights of logistic",
        "2: 0-dark, 1-bright",
        "parameters 74",
        "Correct on all 80 test images",
        "--set 'network.input=(range: Signed)'",
        "--set network.kind=logistic",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let found = json(&bench, &[&file, "--data", &data]);
    let share = |words: &str| {
        let trials = found["scaling"]["trials"].as_array().unwrap();
        let trial = trials.iter().find(|trial| trial["words"] == words);
        trial.unwrap_or_else(|| panic!("{words}"))["accuracy"]
            .as_f64()
            .unwrap()
    };
    assert_eq!(share("0 to 1, the default"), 0.5);
    assert_eq!(share("−1 to 1"), 1.0);
    assert_eq!(share("mean and deviation of these images"), 1.0);
    // What is advised does what it says.
    let mended = ["--set", "network.input=(range: Signed)"];
    let found = json(&bench, &[&[&*file, "--data", &data], &mended[..]].concat());
    assert_eq!(found["scaling"]["trials"][0]["accuracy"], 1.0);
    assert!(found["scaling"]["exchanged"].is_null());
    assert!(!found["next"].as_str().unwrap().contains("Unit"));
}

#[test]
fn classes_in_another_order_are_told_from_a_network_that_knows_nothing() {
    let bench = Bench::new();
    let (data, file) = (
        dark_and_bright(&bench),
        logistic(&bench, "tones.safetensors", -1.0),
    );
    let signed = ["--data", &data, "--set", "network.input=(range: Signed)"];
    let said = bench.succeed(&[&["inspect", &*file, "--device", "flex"], &signed[..]].concat());
    assert!(
        said.contains(
            "THE CLASSES ARE IN ANOTHER ORDER: class 0 is its output 1, 1 is its output 0"
        ),
        "{said}"
    );
    assert!(said.contains("would make 100.0 %"), "{said}");
    // One that says the same whatever it sees knows nothing.
    let flat = logistic(&bench, "flat.safetensors", 0.0);
    let said = bench.succeed(&["inspect", &flat, "--data", &data, "--device", "flex"]);
    assert!(said.contains("NO BETTER THAN CHANCE"), "{said}");
    assert!(!said.contains("significantly better"), "{said}");
}

#[test]
fn a_network_of_a_file_is_described_from_its_images_to_its_classes() {
    let bench = Bench::new();
    let file = fixture("residual-13.onnx").display().to_string();
    let found = json(&bench, &[&file]);
    assert_eq!(found["onnx"]["opset"], 13);
    assert_eq!(found["sha256"].as_str().unwrap().len(), 64);
    let sites = found["network"]["sites"].as_array().unwrap();
    assert!(sites.iter().all(|site| site["pushed"] == true), "{sites:?}");
    let [first, .., last] = &sites[..] else {
        panic!("{sites:?}");
    };
    assert_eq!(first["whole_image"], false);
    assert_eq!(
        last["units"].as_u64().unwrap() as usize,
        found["network"]["classes"].as_array().unwrap().len()
    );
    let said = bench.succeed(&["inspect", &file, "--device", "flex"]);
    assert!(said.contains("noisescope run mine --network"), "{said}");
    for site in sites {
        assert!(said.contains(site["name"].as_str().unwrap()), "{said}");
    }
}

#[test]
fn operators_that_are_missing_are_marked_and_nothing_is_advised_to_run() {
    let bench = Bench::new();
    let mut bytes = fs::read(fixture("residual-13.onnx")).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 6)
        .filter(|&at| &bytes[at..at + 6] == b"\x22\x04Relu")
        .collect();
    places
        .iter()
        .for_each(|&at| bytes[at + 2..at + 6].copy_from_slice(b"Rolu"));
    assert!(!places.is_empty());
    let file = bench.path("strange.onnx");
    fs::write(&file, bytes).unwrap();
    let output = bench.output(&["inspect", &file.display().to_string(), "--device", "flex"]);
    assert_eq!(output.status.code(), Some(1));
    let said = both(&output);
    let times = places.len();
    assert!(said.contains(&format!("{times} Rolu (MISSING)")), "{said}");
    assert!(said.contains("unsupported operators: Rolu"), "{said}");
    assert!(!said.contains("Next"), "{said}");
}

#[test]
fn weights_that_fit_nothing_are_told_kind_by_kind_and_other_images_are_a_problem() {
    let bench = Bench::new();
    let file = logistic(&bench, "tones.safetensors", 1.0);
    // Six by six pixels, and nobody says so.
    let output = bench.output(&["inspect", &file, "--device", "flex"]);
    assert_eq!(output.status.code(), Some(1));
    let said = both(&output);
    for words in ["logistic: ", "[2, 36]", "network.image=Some(", "--data"] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let sized = ["--set", "network.image=Some((1, 6, 6))"];
    let found = json(&bench, &[&[&*file], &sized[..]].concat());
    assert_eq!(found["kind"], "logistic");
    let network = fixture("residual-13.onnx").display().to_string();
    let output = bench.output(&[
        "inspect",
        &network,
        "--data",
        &dark_and_bright(&bench),
        "--device",
        "flex",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        both(&output).contains("the images do not fit: it takes images of"),
        "{}",
        both(&output)
    );
    let output = bench.output(&["inspect", &network, "--set", "seed=3"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        both(&output).contains("only network. and dataset"),
        "{}",
        both(&output)
    );
}

#[test]
fn what_is_set_is_spelt_and_checked_as_for_a_run() {
    let bench = Bench::new();
    let file = logistic(&bench, "tones.safetensors", 1.0);
    let sized = "network.image=Some((1, 6, 6))";
    let kind = "network.kind=LOGISTIC";
    let found = json(&bench, &[&file, "--set", sized, "--set", kind]);
    assert_eq!(found["kind"], "logistic");
    let next = found["next"].as_str().unwrap();
    assert!(next.contains(kind) && next.contains(sized), "{next}");
    for (set, words) in [
        ("network.input=(std: [0.0])", "a deviation must be above 0"),
        (
            "network.output=Some(\"a\")",
            "only an ONNX network has outputs",
        ),
        ("network.kind=Tree", "there is no network"),
    ] {
        let output = bench.output(&["inspect", &file, "--set", set]);
        assert_eq!(output.status.code(), Some(2), "{}", both(&output));
        assert!(both(&output).contains(words), "{}", both(&output));
    }
}

#[test]
fn a_bench_measures_the_network_of_a_file() {
    let bench = Bench::new();
    let file = fixture("residual-13.onnx").display().to_string();
    let measured = ["bench", "--network", &file, "--device", "flex"];
    let said = bench.succeed(
        &[
            &measured[..],
            &["--trials", "64", "--batch", "32", "--json"],
        ]
        .concat(),
    );
    let line: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(line["network"], "residual-13.onnx");
    assert!(line["trials_per_second"].as_f64().unwrap() > 0.0, "{said}");
    let output = bench.output(&[&measured[..], &["--gamma", "0.3"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(
        both(&output).contains("there are no images for residual-13.onnx"),
        "{}",
        both(&output)
    );
    let output = bench.output(&["bench", "--network", "nowhere.onnx"]);
    assert!(
        both(&output).contains("there is no file"),
        "{}",
        both(&output)
    );
}

/// A terminal and a log show both streams.
#[test]
fn a_failure_is_said_once_where_output_and_errors_go_to_one_place() {
    let bench = Bench::new();
    let file = logistic(&bench, "tones.safetensors", 1.0);
    let plan = [
        "run",
        "mine",
        "--plain",
        "--device",
        "flex",
        "--set",
        "dataset=None",
    ];
    let weights = [
        "--network",
        &file,
        "--set",
        "network.kind=Logistic",
        "--set",
        "analyses=[]",
    ];
    let log = fs::File::create(bench.path("log")).unwrap();
    let mut program = bench.program();
    program.args(plan).args(weights);
    program.stdout(log.try_clone().unwrap()).stderr(log);
    assert_eq!(program.status().unwrap().code(), Some(1));
    let said = fs::read_to_string(bench.path("log")).unwrap();
    assert_eq!(
        said.matches("but the network `logistic` needs").count(),
        1,
        "{said}"
    );
    // Apart, whoever reads either of them reads why.
    let output = bench.output(&["run", "mine", "--plain", "--device", "flex"]);
    for stream in [&output.stdout, &output.stderr] {
        let said = String::from_utf8_lossy(stream);
        assert_eq!(
            said.matches("but the network `logistic` needs").count(),
            1,
            "{said}"
        );
    }
}
