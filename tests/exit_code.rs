//! `run --exit-code` ends with what the audit of a session found.

mod common;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use common::{Bench, both};
use flate2::read::GzDecoder;
use noisescope::session::Session;
use noisescope::session::record::{Analysis, AuditRole};
use noisescope::session::text::from_text;
use noisescope::stats::audit::ClassScore;

/// A finished audit that found nothing, with the suspect's scores changed.
fn audited(change: impl FnOnce(&mut Vec<Option<ClassScore>>)) -> Session {
    let path = Path::new("tests/fixtures/sessions/schema-7.ron.gz");
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let mut session = from_text(&text, path, "audit").unwrap();
    let Analysis::Audit(audit) = &mut session.record.analyses[0] else {
        panic!("the session is no audit");
    };
    let mut networks = audit.networks.iter_mut();
    let suspect = networks.find(|network| network.role == AuditRole::Suspect);
    change(&mut suspect.unwrap().examined.as_mut().unwrap().classes);
    session
}

#[track_caller]
fn assert_ends_with(code: i32, bench: &Bench, arguments: &[&str]) {
    let output = bench.output(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", both(&output));
}

#[test]
fn a_finished_audit_ends_with_its_verdict_if_that_is_asked_for() {
    let bench = Bench::new();
    let verdicts = [
        (0, audited(|_| {})),
        (
            4,
            audited(|classes| classes[3].as_mut().unwrap().score = 1000.0),
        ),
        // Two classes with scores cannot stand out from each other.
        (5, audited(|classes| classes[2..].fill(None))),
    ];
    for (code, session) in verdicts {
        bench.store().save(&session).unwrap();
        assert_ends_with(code, &bench, &["run", "audit", "--plain", "--exit-code"]);
        assert_ends_with(code, &bench, &["run", "audit", "--json", "--exit-code"]);
        assert_ends_with(0, &bench, &["run", "audit", "--plain"]);
    }
}

#[test]
fn a_verdict_is_asked_only_of_an_audit_that_this_process_runs() {
    let bench = Bench::new();
    let error = bench.refuse(2, &["run", "mine", "--preset", "quickstart", "--exit-code"]);
    assert!(error.contains("no audit"), "{error}");
    assert!(!bench.path("sessions/mine.ron").exists());
    for option in [&["--detach"][..], &["--pilot"], &["--shard", "1/2"]] {
        let command = ["run", "mine", "--preset", "audit", "--exit-code"];
        let output = bench.output(&[&command[..], option].concat());
        let error = common::both(&output);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("cannot be used with"), "{error}");
    }
}
