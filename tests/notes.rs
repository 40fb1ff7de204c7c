//! The user's notes on sessions, maps and units: saved in the session file by engines and commands, listed and exported.

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;

use common::{Bench, both, endless, finished, wait_until, with_plan};
use flate2::read::GzDecoder;
use noisescope::ids::{ClassId, Gamma};
use noisescope::session::config::Response;
use noisescope::session::record::{Note, NoteTarget, SpikeTriggered};
use noisescope::session::store::{VERSION, from_text, shard_name, to_text};
use noisescope::session::{SavedState, Session};
use serde_json::{Value, json};

/// The evidence image of a class at γ 0.4.
fn map(class: ClassId) -> NoteTarget {
    NoteTarget::Map {
        images: 0,
        response: Response::Evidence,
        class,
        gamma: Gamma(0.4),
    }
}

/// The text of the note on this target.
fn text_on(session: &Session, on: &NoteTarget) -> Option<String> {
    session.record.note_on(on).map(|note| note.text.clone())
}

#[test]
fn a_note_on_a_finished_session_is_kept_listed_and_exported() {
    let bench = finished();
    let before = bench.load("done");
    let words = "a bar, \"as it should be\"";
    // By default γ and response are those that show the class best: the only γ, and evidence.
    let printed = bench.succeed(&["note", "done", words, "--class", "3"]);
    let place = "evidence image of class 3, γ 0.4";
    assert_eq!(printed, format!("done: note added to {place}\n"));
    let printed = bench.succeed(&["note", "done", "for the\npaper "]);
    assert_eq!(printed, "done: note added to the session\n");

    let session = bench.load("done");
    assert_eq!(text_on(&session, &map(ClassId(3))).as_deref(), Some(words));
    assert_eq!(session.record.state, SavedState::Finished);
    assert!(session.record.analyses == before.record.analyses);
    let listed = bench.succeed(&["note", "done"]);
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(lines[0].ends_with(&format!("  {place}: {words}")));
    assert!(lines[1].ends_with("  the session: for the paper"));
    let page = bench.succeed(&["attach", "done", "--plain"]);
    assert!(
        page.contains(&format!("\nnotes\n  {place}: a bar,")),
        "{page}"
    );

    let value = bench.succeed(&["export", "done", "--format", "json"]);
    let value: Value = serde_json::from_str(&value).unwrap();
    let notes = &value["notes"];
    assert_eq!(
        notes[0]["on"],
        json!({
            "what": "map",
            "images": 0,
            "response": "evidence",
            "class": 3,
            "name": "3",
            "gamma": 0.4,
        })
    );
    assert_eq!(notes[0]["place"], place);
    assert_eq!(notes[0]["text"], words);
    assert_eq!(notes[0]["written"], session.record.notes[0].written);
    assert_eq!(notes[1]["on"], json!({"what": "session"}));
    bench.succeed(&["export", "done", "--format", "csv", "--out", "tables"]);
    let table = fs::read_to_string(bench.path("tables/notes.csv")).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    let columns = "written,on,images,response,class,name,gamma,layer,unit,text";
    assert_eq!(rows[0], columns);
    let quoted = ",map,0,evidence,3,3,0.4,,,\"a bar, \"\"as it should be\"\"\"";
    assert!(rows[1].ends_with(quoted), "{table}");
    assert!(
        rows[2].ends_with(",session,,,,,,,,for the paper"),
        "{table}"
    );
}

#[test]
fn a_second_note_replaces_the_first_and_an_option_removes_it() {
    let bench = finished();
    let on = ["--class", "3", "--gamma", "0.4", "--response", "decision"];
    let note = |arguments: &[&str]| {
        let arguments: Vec<&str> = ["note", "done"]
            .iter()
            .chain(arguments)
            .chain(&on)
            .copied()
            .collect();
        bench.succeed(&arguments)
    };
    note(&["first"]);
    let printed = note(&["second"]);
    assert!(printed.contains("replacing: first"), "{printed}");
    assert_eq!(bench.load("done").record.notes.len(), 1);
    // Removing one where there is none names where there is one.
    let elsewhere = ["note", "done", "--class", "3", "--response", "evidence"];
    let printed = bench.succeed(&[&elsewhere[..], &["--remove"]].concat());
    let place = "there is one on classification image of class 3, γ 0.4";
    assert!(printed.contains(place), "{printed}");
    let printed = note(&["--remove"]);
    assert!(
        printed.contains("removed") && printed.contains("second"),
        "{printed}"
    );
    assert!(bench.load("done").record.notes.is_empty());
    let printed = note(&["--remove"]);
    assert!(printed.contains("has no note on classification image of class 3"));
    let printed = bench.succeed(&["note", "done"]);
    assert!(printed.contains("done has no notes"), "{printed}");
}

#[test]
fn an_invalid_note_is_refused_and_changes_nothing() {
    let bench = finished();
    let before = bench.load("done");
    let long = "x".repeat(201);
    for (arguments, expected) in [
        (&["a", "--class", "owl"][..], "owl"),
        (&["a", "--class", "10"], "there are 0 to 9"),
        (
            &["a", "--class", "3", "--gamma", "0.7"],
            "no γ = 0.7; it has 0.4",
        ),
        (
            &["a", "--class", "3", "--images", "2"],
            "there is no set 2 of classification images",
        ),
        (&["a", "--unit", "logits/3"], "no layer has been measured"),
        (&["a", "--unit", "logits"], "for example fc1/437"),
        (&[long.as_str()], "at most 200 characters; this one has 201"),
    ] {
        let all: Vec<&str> = ["note", "done"].iter().chain(arguments).copied().collect();
        let error = bench.refuse(2, &all);
        assert!(error.contains(expected), "{error}");
        assert!(bench.load("done") == before);
    }
    // What tells maps of a class apart says nothing about a unit.
    for option in [
        ["--gamma", "0.4"],
        ["--images", "1"],
        ["--response", "decision"],
    ] {
        let unit = ["note", "done", "a", "--unit", "logits/3"];
        let refused = bench.output(&[&unit[..], &option].concat());
        assert_eq!(refused.status.code(), Some(2));
        let error = both(&refused);
        assert!(error.contains("cannot be used with"), "{error}");
    }
    // The usage has the words in the order in which they are read.
    let refused = bench.output(&["note", "done", "--class", "3"]);
    assert_eq!(refused.status.code(), Some(2));
    let error = both(&refused);
    assert!(error.contains("<NAME> [TEXT]"), "{error}");
    let error = bench.refuse(2, &["note", "nobody", "a"]);
    assert!(error.contains("nobody"), "{error}");
    // The plan of a new session may still change, and its maps with it.
    bench.succeed(&["new", "fresh"]);
    let error = bench.refuse(2, &["note", "fresh", "a", "--class", "3"]);
    assert!(error.contains("nothing has been measured yet"), "{error}");
    bench.succeed(&["note", "fresh", "to be run at night"]);
    // An empty text, as of a variable that is not set, removes nothing.
    for empty in ["", " \n"] {
        let error = bench.refuse(2, &["note", "fresh", empty]);
        assert!(error.contains("--remove"), "{error}");
    }
    let fresh = bench.load("fresh");
    assert_eq!(
        text_on(&fresh, &NoteTarget::Session).as_deref(),
        Some("to be run at night")
    );
    assert_eq!(fresh.record.state, SavedState::New);
}

/// Starts an engine that has finished training and writes no checkpoint for an hour; returns its process id.
fn start_engine(bench: &Bench) -> u32 {
    let mut plan = endless(bench);
    for setting in &mut plan {
        if setting.starts_with("checkpoint_s=") {
            *setting = "checkpoint_s=3600".into();
        }
    }
    bench.succeed(&with_plan(&["run", "live", "--detach"], &plan));
    wait_until("the end of training", || {
        let session = bench.store().load("live");
        session.is_ok_and(|session| {
            session
                .record
                .training
                .is_some_and(|training| training.finished)
        })
    });
    bench.store().engine("live").expect("an engine runs").pid
}

#[test]
fn a_note_to_a_running_engine_survives_a_kill_and_a_stop() {
    let bench = Bench::new();
    let pid = start_engine(&bench);
    let printed = bench.succeed(&["note", "live", "speckles at the border"]);
    assert_eq!(printed, "live: note added to the session\n");
    // The note alone causes a checkpoint, and is reported after it.
    assert!(text_on(&bench.load("live"), &NoteTarget::Session).is_some());
    assert_eq!(
        bench.store().engine("live").map(|engine| engine.pid),
        Some(pid)
    );
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
    wait_until("the end of the engine", || {
        bench.store().engine("live").is_none()
    });
    let session = bench.load("live");
    assert_eq!(
        text_on(&session, &NoteTarget::Session).as_deref(),
        Some("speckles at the border")
    );

    bench.succeed(&["run", "live", "--detach"]);
    let note = ["note", "live", "a stripe", "--class", "2", "--gamma", "0.4"];
    let evidence = ["--response", "evidence"];
    bench.succeed(&[&note[..], &evidence].concat());
    let printed = bench.succeed(&["note", "live", "--remove"]);
    assert!(
        printed.contains("removed from the session: speckles"),
        "{printed}"
    );
    let listed = bench.succeed(&["note", "live"]);
    assert_eq!(listed.lines().count(), 1, "{listed}");
    bench.succeed(&["stop", "live"]);
    let session = bench.load("live");
    assert_eq!(
        text_on(&session, &map(ClassId(2))).as_deref(),
        Some("a stripe")
    );
    assert_eq!(session.record.notes.len(), 1);
    let log = fs::read_to_string(bench.store().log_path("live")).unwrap();
    for line in [
        "note added to evidence image of class 2, γ 0.4",
        "note removed from the session",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[test]
fn a_paused_session_takes_a_note_and_stays_paused() {
    let bench = Bench::new();
    start_engine(&bench);
    bench.succeed(&["pause", "live"]);
    bench.succeed(&["note", "live", "paused for the night"]);
    assert!(text_on(&bench.load("live"), &NoteTarget::Session).is_some());
    let listed = bench.succeed(&["ls"]);
    assert!(listed.contains("paused"), "{listed}");
    bench.succeed(&["stop", "live"]);
    assert_eq!(bench.load("live").record.notes.len(), 1);
}

#[test]
fn notes_of_a_divided_session_survive_the_merge() {
    let bench = Bench::new();
    let folder = bench.bars(200, 50, 12);
    bench.succeed(&[
        "new",
        "many",
        "--set",
        &folder,
        "--set",
        "network=(kind: Logistic, weights: Train((epochs: 1)))",
        "--set",
        "analyses=[ClassificationImages((gammas: [0.4], trials: 2000, block: 64)), \
         SpikeTriggered((trials: 512, images: 50, block: 64, gradient_units: 1, gradient_trials: 16))]",
    ]);
    let shard = |which: &str| {
        bench.succeed(&[
            "run", "many", "--shard", which, "--plain", "--device", "cpu",
        ]);
    };
    shard("1/2");
    let shard_session = shard_name("many", 1, 2);
    let error = bench.refuse(2, &["note", &shard_session, "a"]);
    assert!(error.contains("it is a shard"), "{error}");
    // Only shards know the layers before the merge.
    let layers = |session: &Session| -> Vec<String> {
        let units = session.record.first::<SpikeTriggered>();
        let layers = units.map_or(&[][..], |spikes| &spikes.layers).iter();
        layers.map(|layer| layer.name.clone()).collect()
    };
    assert!(layers(&bench.load("many")).is_empty());
    let whole = bench.store().load_whole("many").unwrap();
    let layer = layers(&whole).remove(0);
    let unit = format!("{layer}/7");
    bench.succeed(&["note", "many", "half a bar", "--unit", &unit]);
    bench.succeed(&["note", "many", "while it is divided", "--class", "3"]);
    let error = bench.refuse(2, &["note", "many", "a", "--unit", "conv9/0"]);
    assert!(error.contains("no layer `conv9`"), "{error}");
    shard("2/2");
    bench.succeed(&["merge", "many"]);
    let merged = bench.load("many");
    assert!(merged.record.sharding.is_none());
    let listed = bench.succeed(&["note", "many"]);
    assert!(
        listed.contains(&format!("  {layer}, unit 7: half a bar\n")),
        "{listed}"
    );
    let unit = NoteTarget::Unit { layer, unit: 7 };
    for (on, text) in [
        (unit, "half a bar"),
        (map(ClassId(3)), "while it is divided"),
    ] {
        assert_eq!(text_on(&merged, &on).as_deref(), Some(text));
    }
}

/// `schema-6.ron` is a finished session written by version 0.1.0 with its schema 6, which had no notes.
#[test]
fn a_session_from_before_notes_opens_and_takes_notes() {
    let file = File::open("tests/fixtures/sessions/schema-6.ron.gz").unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    assert!(text.contains("version: 6,") && !text.contains("notes"));
    let mut session = from_text(&text, Path::new("old.ron"), "old").unwrap();
    assert!(session.record.notes.is_empty());
    let unit = NoteTarget::Unit {
        layer: "logits".into(),
        unit: 9,
    };
    for on in [NoteTarget::Session, map(ClassId(3)), unit] {
        let note = Note {
            written: 1_795_785_662,
            on,
            text: "from a later program: \"縞\"\t\\".into(),
        };
        session.note(note).unwrap();
    }
    let written = to_text(&session).unwrap();
    assert!(written.contains(&format!("version: {VERSION},")));
    let again = from_text(&written, Path::new("old.ron"), "old").unwrap();
    assert!(to_text(&again).unwrap() == written);
    assert_eq!(again.record.notes, session.record.notes);
    assert_eq!(again.record.notes.len(), 3);
    let bench = Bench::new();
    bench.store().save(&session).unwrap();
    assert_eq!(bench.load("old").record.notes, session.record.notes);
    let error = bench.refuse(2, &["note", "old", "a", "--unit", "logits/10"]);
    assert!(error.contains("logits has units 0 to 9"), "{error}");
}

#[test]
fn notes_that_do_not_belong_to_a_session_are_refused_with_their_place() {
    let bench = finished();
    let mut session = bench.load("done");
    let note_on = |on: NoteTarget| Note {
        written: 7,
        on,
        text: "a".into(),
    };
    for (on, expected) in [
        (map(ClassId(10)), "notes[1]: there is no class 10"),
        (
            NoteTarget::Map {
                images: usize::MAX,
                response: Response::Evidence,
                class: ClassId(0),
                gamma: Gamma(f64::NAN),
            },
            "notes[1]: there is no set",
        ),
        (
            NoteTarget::Session,
            "notes[1]: there is already a note on the session",
        ),
    ] {
        session.record.notes = vec![note_on(NoteTarget::Session), note_on(on)];
        let text = to_text(&session).unwrap();
        let error = from_text(&text, Path::new("done.ron"), "done").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
