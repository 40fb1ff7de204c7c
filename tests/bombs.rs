//! Files that claim to be larger than this machine's memory: listing stays fast, and refusals state the limit.

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Bench, both, finished};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use noisescope::session::record::{NetworkWeights, TrainingRecord};
use noisescope::session::store::to_text;
use noisescope::session::{Array, Config, Session};

/// The text of a session that claims `numbers` weights, but contains only `held` zeros, in one line.
fn bomb(numbers: usize, held: usize) -> String {
    let mut session = Session::new("bomb", Config::default());
    session.record.training = Some(TrainingRecord {
        best: NetworkWeights {
            tensors: vec![("w".into(), Array::new(&[3], vec![0.0_f32; 3]))],
        },
        ..TrainingRecord::default()
    });
    let text = to_text(&session).unwrap();
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    let piece = vec![0; 1 << 20];
    for _ in 0..(held * 4) >> 20 {
        packed.write_all(&piece).unwrap();
    }
    let line = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        packed.finish().unwrap(),
    );
    // Without a checksum of the readable part, as an older program wrote it.
    let head = text.find("\n  arrays: [").unwrap();
    let checksum = text.find("\n  checksum:").unwrap();
    let shaped = text[..checksum].replacen("shape: [3]", &format!("shape: [{numbers}]"), 1);
    let after = &text[text[checksum + 1..].find('\n').unwrap() + checksum + 1..head];
    format!("{shaped}\n  checksum: None,{after}\n  arrays: [\"{line}\"],\n)\n")
}

/// Writes `sessions` sessions to list, and ten files that are not sessions or are damaged.
fn minefield(bench: &Bench, sessions: usize) {
    let folder = bench.path("sessions");
    let whole = fs::read(bench.store().path("done")).unwrap();
    for number in 0..sessions {
        fs::write(folder.join(format!("s{number}.ron")), &whole).unwrap();
    }
    let put = |name: &str, content: &[u8]| fs::write(folder.join(name), content).unwrap();
    put("bomb-1.ron", bomb(1 << 29, 1 << 20).as_bytes());
    put("bomb-2.ron", bomb(1 << 40, 1 << 20).as_bytes());
    File::create(folder.join("bomb-3.ron"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    put("bomb-4.ron", "(".repeat(4 << 20).as_bytes());
    put(
        "bomb-5.ron",
        format!("(config: (), record: \"{}", "x".repeat(40 << 20)).as_bytes(),
    );
    put("bomb-6.ron", &whole[..whole.len() / 3]);
    put("bomb-7.ron", b"(version: 99, config: (), new: [1, 2])");
    put("bomb-8.ron", &vec![0xff; 3 << 20]);
    put(
        "bomb-9.ron",
        format!("(config: (analyses: [{}", "[".repeat(1 << 20)).as_bytes(),
    );
    let pipe = Command::new("mkfifo")
        .arg(folder.join("bomb-0.ron"))
        .status();
    assert!(pipe.unwrap().success());
}

/// Runs `ls`; returns its output, its duration in seconds and its peak memory in megabytes.
fn listed(bench: &Bench) -> (String, f64, f64) {
    let output = bench.path("listed");
    let began = Instant::now();
    let mut program = bench.program();
    program
        .args(["ls", "--json"])
        .stdout(File::create(&output).unwrap());
    let mut child = program.spawn().unwrap();
    let mut peak = 0.0_f64;
    let status = loop {
        let proc_status =
            fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = proc_status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"));
        let held =
            line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        peak = peak.max(held.unwrap_or(0.0) / 1e3);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    let ended = child.wait_with_output().unwrap();
    assert!(status.success(), "{}", both(&ended));
    (fs::read_to_string(output).unwrap(), seconds, peak)
}

#[test]
fn a_folder_of_huge_files_is_listed_quickly_in_little_memory() {
    let bench = finished();
    let requested = std::env::var("NOISESCOPE_LISTED").ok();
    let sessions = requested
        .and_then(|number| number.parse().ok())
        .unwrap_or(150);
    minefield(&bench, sessions);
    let (text, seconds, megabytes) = listed(&bench);
    let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = rows.as_array().unwrap();
    let program = if cfg!(debug_assertions) {
        "an unoptimised program"
    } else {
        "the optimised program"
    };
    println!(
        "ls of {} sessions and 10 bombs by {program}: {seconds:.2} s, {megabytes:.0} MB",
        sessions + 1
    );
    assert_eq!(
        rows.len(),
        sessions + 10,
        "all but the pipe, which is not a file"
    );
    let state = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name);
        row.unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state("s7"), "finished");
    assert_eq!(state("bomb-1"), "new", "its claim is not checked");
    for (name, expected) in [
        ("bomb-3", "damaged"),
        ("bomb-4", "damaged"),
        ("bomb-5", "unreadable"),
        ("bomb-6", "finished"),
        ("bomb-7", "newer"),
        ("bomb-8", "damaged"),
        ("bomb-9", "damaged"),
    ] {
        let found = state(name);
        // If a file is truncated within its numbers, its readable part is still intact.
        assert!(found == expected || name == "bomb-6", "{name}: {found}");
    }
    assert!(megabytes < 200.0, "{megabytes} MB");
    // An unoptimised program, on a machine that is also doing other things, gets more time.
    let limit = if cfg!(debug_assertions) { 20.0 } else { 1.0 };
    assert!(seconds < limit, "{seconds} s");
}

#[test]
fn a_session_claiming_too_much_is_refused_before_memory_is_allocated() {
    let bench = Bench::new();
    let path = bench.store().path("bomb");
    // More numbers than its line can hold.
    fs::write(&path, bomb(1 << 29, 1 << 20)).unwrap();
    let error = bench.refuse(1, &["attach", "bomb", "--plain"]);
    assert!(error.contains("its line holds at most"), "{error}");
    // More memory than any machine has.
    fs::write(&path, bomb(1 << 40, 1 << 20)).unwrap();
    let error = bench.refuse(1, &["attach", "bomb", "--plain"]);
    assert!(error.contains("absurd"), "{error}");
    // A file longer than the maximum that is read.
    File::create(&path).unwrap().set_len(1 << 42).unwrap();
    let error = bench.refuse(1, &["attach", "bomb", "--plain"]);
    assert!(
        error.contains("the limit is") && error.contains("GB"),
        "{error}"
    );
}

#[test]
fn a_gzip_bomb_is_refused_before_it_is_unpacked() {
    let bench = Bench::new();
    let folder = bench.path("bars");
    common::small_set(&folder, 40, 10, 28);
    let path = folder.join("train-images-idx3-ubyte.gz");
    fs::remove_file(folder.join("train-images-idx3-ubyte")).unwrap();
    let mut packed = GzEncoder::new(File::create(&path).unwrap(), Compression::best());
    let count = 3_000_000_u32;
    for number in [0x803, count, 28, 28] {
        packed.write_all(&number.to_be_bytes()).unwrap();
    }
    let piece = vec![0; 1 << 20];
    for _ in 0..600 {
        packed.write_all(&piece).unwrap();
    }
    packed.finish().unwrap();
    let from = format!("dataset.source=Folder({folder:?})");
    let error = bench.refuse(1, &["run", "mine", "--plain", "--set", &from]);
    assert!(error.contains("3000000×28×28"), "{error}");
    assert!(error.contains("at most"), "{error}");
}
