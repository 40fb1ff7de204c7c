//! The HTML report of a session: self-contained, well formed, and consistent with the session.

mod common;

#[path = "screens/everything.rs"]
mod everything;
#[path = "report/html.rs"]
mod html;
#[path = "report/numbers.rs"]
mod numbers;
#[path = "screens/synthetic.rs"]
#[allow(dead_code, reason = "shared with the tests of screens")]
mod synthetic;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use common::{Bench, both, finished};
use flate2::read::GzDecoder;
use html::{Tag, between, chapter, check_page, text_of};
use noisescope::comparison::{ComparisonRequest, SessionPair};
use noisescope::export;
use noisescope::report::SessionStatus;
use noisescope::report::page::{self, Page};
use noisescope::session::record::SavedState;
use noisescope::session::store::from_text;
use noisescope::session::{Form, Session};
use numbers::{Numbers, numbers};

/// The report of a session.
fn page_of(session: &Session, other: Option<&Session>) -> String {
    let tables: Vec<(String, String)> = export::tables(session)
        .into_iter()
        .map(|(name, table)| (name, table.into_text()))
        .collect();
    let tables: Vec<(&str, &str)> = tables
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let pair =
        other.map(|other| SessionPair::new(session, other, &ComparisonRequest::default()).unwrap());
    page::page(&Page {
        session,
        status: &SessionStatus::from_session(session, None),
        tables: &tables,
        comparison: pair.as_ref(),
        made: 1_795_785_662,
    })
}

/// The session of `everything.ron`, written by the first version: every experiment with few trials.
fn first_version_session() -> Session {
    let file = File::open("tests/fixtures/sessions/everything.ron.gz").unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    from_text(&text, Path::new("everything.ron"), "everything").unwrap()
}

#[test]
fn the_program_writes_a_self_contained_page() {
    let bench = finished();
    bench.succeed(&["note", "done", "a <b>bar</b> & no more"]);
    let output = bench.output(&["report", "done"]);
    assert!(output.status.success(), "{}", both(&output));
    assert!(
        both(&output).contains("wrote done-report.html"),
        "{}",
        both(&output)
    );
    let page = fs::read_to_string(bench.path("done-report.html")).unwrap();
    let tags = check_page(&page);
    for id in [
        "asked",
        "found",
        "reading",
        "figures",
        "tables",
        "plan",
        "provenance",
        "repeat",
    ] {
        let is_chapter = |tag: &Tag| tag.name == "section" && tag.get("id") == Some(id);
        assert!(tags.iter().any(is_chapter), "{id}");
    }
    assert!(tags.iter().any(|tag| tag.name == "svg"));
    assert!(chapter(&page, "provenance").contains("a &lt;b&gt;bar&lt;/b&gt; &amp; no more"));
    let session = bench.load("done");
    let inputs = &session.record.inputs[0];
    assert!(chapter(&page, "provenance").contains(&inputs.test.sha256));
    let training = session.record.training.as_ref().unwrap();
    let warns = page.contains("role=\"note\"");
    assert_eq!(
        warns, training.at_chance,
        "the page of a finished session has no other warning"
    );
}

#[test]
fn a_page_is_replaced_atomically_at_the_given_path() {
    let bench = finished();
    let folder = bench.path("out");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("page.html");
    fs::write(&path, "old").unwrap();
    bench.succeed(&["report", "done", "--out", "out/page.html"]);
    check_page(&fs::read_to_string(&path).unwrap());
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        1,
        "no temporary file is left"
    );
    let error = bench.refuse(1, &["report", "done", "--out", "nowhere/page.html"]);
    assert!(error.contains("nowhere/page.html"), "{error}");
    // A link stays, also one to a file that is not there yet.
    fs::remove_file(&path).unwrap();
    let link = bench.path("link.html");
    std::os::unix::fs::symlink("out/page.html", &link).unwrap();
    bench.succeed(&["report", "done", "--out", "link.html"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    check_page(&fs::read_to_string(&path).unwrap());
}

#[test]
fn a_session_without_results_is_refused_with_the_remedy() {
    let bench = Bench::new();
    bench.succeed(&["new", "fresh"]);
    bench.succeed(&["note", "fresh", "to be run at night"]);
    let error = bench.refuse(1, &["report", "fresh"]);
    assert!(
        error.contains("fresh has no results to report yet"),
        "{error}"
    );
    assert!(error.contains("noisescope run fresh"), "{error}");
    assert!(!bench.path("fresh-report.html").exists());
    let error = bench.refuse(2, &["report", "nobody"]);
    assert!(error.contains("nobody"), "{error}");
}

#[test]
fn the_command_on_the_page_makes_the_same_plan() {
    let bench = finished();
    bench.succeed(&["report", "done"]);
    let page = fs::read_to_string(bench.path("done-report.html")).unwrap();
    let command = text_of(between(chapter(&page, "repeat"), "<code>", "</code>"));
    assert!(
        command.starts_with("noisescope run done-again \\\n  --set"),
        "{command}"
    );
    // The same command with `new` instead of `run`.
    let script = format!("noisescope() {{ shift; \"$PROGRAM\" new \"$@\"; }}\n{command}");
    let mut shell = std::process::Command::new("bash");
    let output = shell
        .args(["-ec", &script])
        .env("PROGRAM", env!("CARGO_BIN_EXE_noisescope"))
        .env("NOISESCOPE_SESSIONS", bench.path("sessions"))
        .env("NOISESCOPE_DATA", bench.path("data"))
        .current_dir(bench.folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", both(&output));
    assert_eq!(bench.load("done-again").config, bench.load("done").config);
}

#[test]
fn class_names_are_escaped_everywhere() {
    let mut session = everything::session();
    let name = "<b>&\"犬";
    session.record.form = Some(Form {
        classes: (0..10).map(|class| format!("{name}{class}")).collect(),
        ..Form::numbered([1, 28, 28], 10)
    });
    let page = page_of(&session, None);
    check_page(&page);
    assert!(!page.contains("<b>&"), "a name was not escaped");
    let escaped = "&lt;b&gt;&amp;&quot;犬";
    for id in ["asked", "found", "figures", "tables"] {
        assert!(chapter(&page, id).contains(escaped), "{id}");
    }
}

#[test]
fn every_experiment_of_the_plan_appears_on_the_page() {
    for session in [everything::session(), first_version_session()] {
        let page = page_of(&session, None);
        check_page(&page);
        let found = text_of(chapter(&page, "found"));
        for plan in &session.config.analyses {
            let label = plan.label();
            let title = label[..1].to_uppercase() + &label[1..];
            assert!(found.contains(&title), "{title}\n{found}");
        }
    }
}

#[test]
fn every_figure_has_a_light_and_a_dark_version() {
    let page = page_of(&everything::session(), None);
    let count = |class: &str| page.matches(&format!("class=\"{class}\"")).count();
    assert!(
        count("light") > 5 && count("light") == count("dark"),
        "{} {}",
        count("light"),
        count("dark")
    );
}

#[test]
fn warnings_come_before_everything_else() {
    let bench = finished();
    let mut session = bench.load("done");
    session.record.state = SavedState::Stopped;
    let page = page_of(&session, None);
    let alert = text_of(between(&page, "role=\"note\"", "</div>"));
    assert!(
        alert.contains("The run is not finished (stopped)"),
        "{alert}"
    );
    let position = |text: &str| page.find(text).unwrap();
    assert!(position("role=\"note\"") < position("<section id=\"asked\""));
    session.record.state = SavedState::Finished;
    session.record.training.as_mut().unwrap().at_chance = true;
    let page = page_of(&session, None);
    let alert = text_of(between(&page, "role=\"note\"", "</div>"));
    assert!(alert.contains("NO BETTER THAN CHANCE"), "{alert}");
}

#[test]
fn the_comparison_chapter_reports_what_differs() {
    let bench = finished();
    let session = bench.load("done");
    let mut other = session.clone();
    other.name = "other".into();
    bench.store().save(&other).unwrap();
    bench.succeed(&["report", "done", "--compare", "other", "--out", "two.html"]);
    let page = fs::read_to_string(bench.path("two.html")).unwrap();
    check_page(&page);
    let text = text_of(chapter(&page, "compared"));
    assert!(text.contains("Compared with other"), "{text}");
    assert!(text.contains("0 of 7,840 pixels (0.0 %) differ"), "{text}");
    assert!(
        text.contains("both were shown exactly the same trials"),
        "{text}"
    );
    assert!(chapter(&page, "compared").contains("<svg"));
    // A session that cannot be compared is refused with the reason.
    bench.succeed(&["new", "fresh"]);
    let error = bench.refuse(1, &["report", "done", "--compare", "fresh"]);
    assert!(error.contains("fresh has no maps yet"), "{error}");
}

#[test]
fn every_number_in_the_findings_comes_from_the_session() {
    let bench = finished();
    for session in [bench.load("done"), first_version_session()] {
        let known = Numbers::from_session(&session);
        let page = page_of(&session, None);
        let found = text_of(chapter(&page, "found"));
        for sentence in found.lines().filter(|line| line.ends_with('.')) {
            let all = numbers(sentence);
            assert!(!all.is_empty(), "no number: {sentence}");
            for number in all {
                assert!(known.has(&number), "{number} in: {sentence}");
            }
        }
    }
}

#[test]
fn numbers_are_found_in_sentences() {
    let all = numbers("At γ 0.3, 12,034 of 60,000 (20.1–20.9 %) in conv2 at +8: 28×28.");
    assert_eq!(
        all,
        ["0.3", "12,034", "60,000", "20.1", "20.9", "8", "28", "28"]
    );
}
