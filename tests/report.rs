//! The page of a session: whole in itself, well formed, and true to its session.

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
use html::{Tag, between, chapter, check, words};
use noisescope::comparison::{ComparisonRequest, SessionPair};
use noisescope::export;
use noisescope::report::SessionStatus;
use noisescope::report::page::{self, Page};
use noisescope::session::record::SavedState;
use noisescope::session::store::from_text;
use noisescope::session::{Form, Session};
use numbers::{Numbers, numbers};

/// The page of a session, as the program makes it.
fn page_of(session: &Session, other: Option<&Session>) -> String {
    let tables = export::tables(session);
    let tables: Vec<(&str, &str)> = tables
        .iter()
        .map(|(name, it)| (&**name, it.text()))
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

/// `everything.ron` was written by the first version: every experiment in small.
fn old() -> Session {
    let file = File::open("tests/fixtures/sessions/everything.ron.gz").unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    from_text(&text, Path::new("everything.ron"), "everything").unwrap()
}

#[test]
fn the_program_writes_a_page_that_is_whole_in_itself() {
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
    let tags = check(&page);
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
        "a finished session warns of nothing else"
    );
}

#[test]
fn a_page_is_replaced_in_one_step_and_goes_where_it_is_asked_to() {
    let bench = finished();
    let folder = bench.path("out");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("page.html");
    fs::write(&path, "old").unwrap();
    bench.succeed(&["report", "done", "--out", "out/page.html"]);
    check(&fs::read_to_string(&path).unwrap());
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        1,
        "nothing is left beside it"
    );
    let told = bench.refuse(1, &["report", "done", "--out", "nowhere/page.html"]);
    assert!(told.contains("nowhere/page.html"), "{told}");
}

#[test]
fn a_session_without_a_number_is_refused_with_the_remedy() {
    let bench = Bench::new();
    bench.succeed(&["new", "fresh"]);
    bench.succeed(&["note", "fresh", "to be run at night"]);
    let told = bench.refuse(1, &["report", "fresh"]);
    assert!(
        told.contains("fresh has no results to report yet"),
        "{told}"
    );
    assert!(told.contains("noisescope run fresh"), "{told}");
    assert!(!bench.path("fresh-report.html").exists());
    let told = bench.refuse(2, &["report", "nobody"]);
    assert!(told.contains("nobody"), "{told}");
}

#[test]
fn the_command_on_the_page_makes_the_same_plan() {
    let bench = finished();
    bench.succeed(&["report", "done"]);
    let page = fs::read_to_string(bench.path("done-report.html")).unwrap();
    let command = words(between(chapter(&page, "repeat"), "<code>", "</code>"));
    assert!(
        command.starts_with("noisescope run done-again \\\n  --set"),
        "{command}"
    );
    // The same words, without running it.
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
fn names_of_classes_stay_text_wherever_they_stand() {
    let mut session = everything::session();
    let name = "<b>&\"犬";
    session.record.form = Some(Form {
        classes: (0..10).map(|class| format!("{name}{class}")).collect(),
        ..Form::numbered([1, 28, 28], 10)
    });
    let page = page_of(&session, None);
    check(&page);
    assert!(!page.contains("<b>&"), "a name became an element");
    let escaped = "&lt;b&gt;&amp;&quot;犬";
    for id in ["asked", "found", "figures", "tables"] {
        assert!(chapter(&page, id).contains(escaped), "{id}");
    }
}

#[test]
fn every_experiment_is_on_the_page_of_a_session_of_everything() {
    for session in [everything::session(), old()] {
        let page = page_of(&session, None);
        check(&page);
        let found = words(chapter(&page, "found"));
        for plan in &session.config.analyses {
            let label = plan.label();
            let title = label[..1].to_uppercase() + &label[1..];
            assert!(found.contains(&title), "{title}\n{found}");
        }
    }
}

#[test]
fn a_page_of_every_experiment_has_dark_figures_too() {
    let page = page_of(&everything::session(), None);
    let of = |class: &str| page.matches(&format!("class=\"{class}\"")).count();
    assert!(
        of("light") > 5 && of("light") == of("dark"),
        "{} {}",
        of("light"),
        of("dark")
    );
}

#[test]
fn what_is_not_finished_or_no_better_than_chance_is_said_before_everything_else() {
    let bench = finished();
    let mut session = bench.load("done");
    session.record.state = SavedState::Stopped;
    let page = page_of(&session, None);
    let alert = words(between(&page, "role=\"note\"", "</div>"));
    assert!(
        alert.contains("The run is not finished (stopped)"),
        "{alert}"
    );
    let at = |text: &str| page.find(text).unwrap();
    assert!(at("role=\"note\"") < at("<section id=\"asked\""));
    session.record.state = SavedState::Finished;
    session.record.training.as_mut().unwrap().at_chance = true;
    let page = page_of(&session, None);
    let alert = words(between(&page, "role=\"note\"", "</div>"));
    assert!(alert.contains("NO BETTER THAN CHANCE"), "{alert}");
}

#[test]
fn a_chapter_beside_another_session_tells_what_differs() {
    let bench = finished();
    let session = bench.load("done");
    let mut other = session.clone();
    other.name = "other".into();
    bench.store().save(&other).unwrap();
    bench.succeed(&["report", "done", "--compare", "other", "--out", "two.html"]);
    let page = fs::read_to_string(bench.path("two.html")).unwrap();
    check(&page);
    let told = words(chapter(&page, "compared"));
    assert!(told.contains("Compared with other"), "{told}");
    assert!(told.contains("0 of 7,840 pixels (0.0 %) differ"), "{told}");
    assert!(
        told.contains("both were shown exactly the same trials"),
        "{told}"
    );
    assert!(chapter(&page, "compared").contains("<svg"));
    // What cannot be compared says why.
    bench.succeed(&["new", "fresh"]);
    let told = bench.refuse(1, &["report", "done", "--compare", "fresh"]);
    assert!(told.contains("fresh has no maps yet"), "{told}");
}

#[test]
fn every_number_in_what_was_found_is_one_of_the_session() {
    let bench = finished();
    for session in [bench.load("done"), old()] {
        let known = Numbers::of(&session);
        let page = page_of(&session, None);
        let found = words(chapter(&page, "found"));
        for sentence in found.lines().filter(|line| line.ends_with('.')) {
            let all = numbers(sentence);
            assert!(!all.is_empty(), "no number: {sentence}");
            for own in all {
                assert!(known.has(&own), "{own} in: {sentence}");
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
