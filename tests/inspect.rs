//! `inspect`: the content of a file, and how its network expects its images to be scaled.

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

/// Writes grey images of two classes: dark ones (levels 60 to 79) and bright ones (160 to 179).
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

/// Writes a `logistic` network of two classes: the second logit is `sign` times the sum of all pixels, the first is its
/// opposite, without a bias. So it classifies correctly only if black is below zero and white above.
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
fn the_scaling_a_network_needs_is_found_and_given_as_an_option() {
    let bench = Bench::new();
    let (data, file) = (
        dark_and_bright(&bench),
        logistic(&bench, "tones.safetensors", 1.0),
    );
    let printed = bench.succeed(&["inspect", &file, "--data", &data, "--device", "flex"]);
    for text in [
        "weights of logistic",
        "2: 0-dark, 1-bright",
        "parameters 74",
        "Correct on all 80 test images",
        "--set 'network.input=(range: Signed)'",
        "--set network.kind=logistic",
        "CANNOT BE TOLD APART by these images: \"−1 to 1\", which is taken",
    ] {
        assert!(printed.contains(text), "{text}\n{printed}");
    }
    let found = json(&bench, &[&file, "--data", &data]);
    let share = |label: &str| {
        let trials = found["scaling"]["trials"].as_array().unwrap();
        let trial = trials.iter().find(|trial| trial["words"] == label);
        trial.unwrap_or_else(|| panic!("{label}"))["accuracy"]
            .as_f64()
            .unwrap()
    };
    assert_eq!(share("0 to 1, the default"), 0.5);
    assert_eq!(share("−1 to 1"), 1.0);
    assert_eq!(share("mean and deviation of these images"), 1.0);
    // The suggested option works.
    let mended = ["--set", "network.input=(range: Signed)"];
    let found = json(&bench, &[&[&*file, "--data", &data], &mended[..]].concat());
    assert_eq!(found["scaling"]["trials"][0]["accuracy"], 1.0);
    assert!(found["scaling"]["exchanged"].is_null());
    assert!(!found["next"].as_str().unwrap().contains("Unit"));
}

#[test]
fn notes_on_the_images_are_given_with_those_on_the_network() {
    let bench = Bench::new();
    let (data, file) = (
        dark_and_bright(&bench),
        logistic(&bench, "tones.safetensors", 1.0),
    );
    let class = format!("{data}/test/0-dark");
    let found = json(&bench, &[&file, "--data", &class, "--no-pilot"]);
    let notes = found["notes"].as_array().unwrap().iter();
    let mut notes = notes.filter_map(|note| note.as_str());
    assert!(
        notes.any(|note| note.contains("0-dark is part of the set in")),
        "{found}"
    );
}

#[test]
fn reordered_classes_are_distinguished_from_chance() {
    let bench = Bench::new();
    let (data, file) = (
        dark_and_bright(&bench),
        logistic(&bench, "tones.safetensors", -1.0),
    );
    let signed = ["--data", &data, "--set", "network.input=(range: Signed)"];
    let printed = bench.succeed(&[&["inspect", &*file, "--device", "flex"], &signed[..]].concat());
    assert!(
        printed.contains(
            "THE CLASSES ARE IN ANOTHER ORDER: class 0-dark is its output 1, 1-bright is its output 0"
        ),
        "{printed}"
    );
    assert!(
        printed.contains("its accuracy would be 100.0 %"),
        "{printed}"
    );
    // A run with this order would study the wrong classes.
    assert!(!printed.contains("Next"), "{printed}");
    // The remedy works.
    fs::write(bench.path("tones/classes.txt"), "1-bright\n0-dark\n").unwrap();
    let printed = bench.succeed(&[&["inspect", &*file, "--device", "flex"], &signed[..]].concat());
    assert!(!printed.contains("ANOTHER ORDER"), "{printed}");
    assert!(printed.contains("Next"), "{printed}");
    fs::remove_file(bench.path("tones/classes.txt")).unwrap();
    // A network that gives the same answer for every image is at chance.
    let flat = logistic(&bench, "flat.safetensors", 0.0);
    let printed = bench.succeed(&["inspect", &flat, "--data", &data, "--device", "flex"]);
    assert!(printed.contains("NO BETTER THAN CHANCE"), "{printed}");
    assert!(!printed.contains("significantly better"), "{printed}");
}

#[test]
fn a_network_file_is_described_from_its_images_to_its_classes() {
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
    let printed = bench.succeed(&["inspect", &file, "--device", "flex"]);
    assert!(
        printed.contains("noisescope run mine --network"),
        "{printed}"
    );
    for site in sites {
        assert!(
            printed.contains(site["name"].as_str().unwrap()),
            "{printed}"
        );
    }
}

#[test]
fn the_command_suggested_is_quoted_for_a_shell() {
    let bench = Bench::new();
    let file = bench.path("a>b`c.onnx");
    fs::copy(fixture("residual-13.onnx"), &file).unwrap();
    let file = file.display().to_string();
    let found = json(&bench, &[&file]);
    let next = found["next"].as_str().unwrap();
    assert!(next.contains(&format!("--network '{file}'")), "{next}");
}

#[test]
fn missing_operators_are_marked_and_no_run_is_suggested() {
    let bench = Bench::new();
    let mut bytes = fs::read(fixture("residual-13.onnx")).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 6)
        .filter(|&place| &bytes[place..place + 6] == b"\x22\x04Relu")
        .collect();
    places
        .iter()
        .for_each(|&place| bytes[place + 2..place + 6].copy_from_slice(b"Rolu"));
    assert!(!places.is_empty());
    let file = bench.path("strange.onnx");
    fs::write(&file, bytes).unwrap();
    let output = bench.output(&["inspect", &file.display().to_string(), "--device", "flex"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = both(&output);
    let times = places.len();
    assert!(
        printed.contains(&format!("{times} Rolu (MISSING)")),
        "{printed}"
    );
    assert!(printed.contains("unsupported operators: Rolu"), "{printed}");
    assert!(!printed.contains("Next"), "{printed}");
}

#[test]
fn weights_and_images_that_do_not_fit_are_explained() {
    let bench = Bench::new();
    let file = logistic(&bench, "tones.safetensors", 1.0);
    // The images are 6×6, but no option says so.
    let output = bench.output(&["inspect", &file, "--device", "flex"]);
    assert_eq!(output.status.code(), Some(1));
    let printed = both(&output);
    for text in ["logistic: ", "[2, 36]", "network.image=Some(", "--data"] {
        assert!(printed.contains(text), "{text}\n{printed}");
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
fn the_layers_of_a_file_that_fits_no_network_are_listed_once() {
    let bench = Bench::new();
    let tensor = |layer: usize| {
        let (from, to) = (16 * layer, 16 * layer + 16);
        format!(
            r#""own{layer}.weight":{{"dtype":"F32","shape":[2,2],"data_offsets":[{from},{to}]}}"#
        )
    };
    let tensors: Vec<String> = (0..5).map(tensor).collect();
    let header = format!("{{{}}}", tensors.join(","));
    let length = (header.len() as u64).to_le_bytes();
    let bytes = [&length[..], header.as_bytes(), &[0; 80]].concat();
    let file = bench.path("other.safetensors");
    fs::write(&file, bytes).unwrap();
    let output = bench.output(&["inspect", file.to_str().unwrap(), "--device", "flex"]);
    let printed = both(&output);
    assert_eq!(printed.matches("`own2`").count(), 1, "{printed}");
    for kind in ["cnn", "mlp", "logistic", "rnn"] {
        assert!(printed.contains(&format!("{kind}: needs `")), "{printed}");
    }
}

#[test]
fn settings_are_spelt_and_checked_as_for_a_run() {
    let bench = Bench::new();
    let file = logistic(&bench, "tones.safetensors", 1.0);
    let sized = "network.image=Some((1, 6, 6))";
    let kind = "network.kind=LOGISTIC";
    let found = json(&bench, &[&file, "--set", sized, "--set", kind]);
    assert_eq!(found["kind"], "logistic");
    let next = found["next"].as_str().unwrap();
    assert!(next.contains(kind) && next.contains(sized), "{next}");
    for (set, expected) in [
        ("network.input=(std: [0.0])", "a deviation must be above 0"),
        (
            "network.output=Some(\"a\")",
            "only an ONNX network has outputs",
        ),
        ("network.kind=Tree", "there is no network"),
        ("network.kind=Onnx", "holds weights without a network"),
        ("network.weights=File(\"b.pt\")", "leave it out"),
        (
            "network.image=Some((1, 1000000, 1000000))",
            "network.image: (1, 1000000, 1000000): channels",
        ),
    ] {
        let output = bench.output(&["inspect", &file, "--set", set]);
        assert_eq!(output.status.code(), Some(2), "{}", both(&output));
        assert!(both(&output).contains(expected), "{}", both(&output));
    }
    // A file that contains the network has no other kind.
    let whole = fixture("residual-13.onnx").display().to_string();
    let output = bench.output(&["inspect", &whole, "--set", "network.kind=cnn"]);
    assert_eq!(output.status.code(), Some(2), "{}", both(&output));
    assert!(
        both(&output).contains("contains the network"),
        "{}",
        both(&output)
    );
}

#[test]
fn bench_measures_the_network_of_a_file() {
    let bench = Bench::new();
    let file = fixture("residual-13.onnx").display().to_string();
    let measured = ["bench", "--network", &file, "--device", "flex"];
    let printed = bench.succeed(
        &[
            &measured[..],
            &["--trials", "64", "--batch", "32", "--json"],
        ]
        .concat(),
    );
    let line: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(line["network"], "residual-13.onnx");
    assert!(
        line["trials_per_second"].as_f64().unwrap() > 0.0,
        "{printed}"
    );
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

/// A terminal or a log shows both streams, so the error must not appear twice.
#[test]
fn a_failure_is_reported_once_if_output_and_errors_share_a_file() {
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
    let printed = fs::read_to_string(bench.path("log")).unwrap();
    assert_eq!(
        printed.matches("but the network `logistic` needs").count(),
        1,
        "{printed}"
    );
    // If they are separate, each contains the reason.
    let output = bench.output(&["run", "mine", "--plain", "--device", "flex"]);
    for stream in [&output.stdout, &output.stderr] {
        let printed = String::from_utf8_lossy(stream);
        assert_eq!(
            printed.matches("but the network `logistic` needs").count(),
            1,
            "{printed}"
        );
    }
}
