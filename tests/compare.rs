//! `compare`: the maps and the decisions of two sessions, as text, JSON and files, and what it says
//! where two sessions cannot be compared.

mod common;

use std::collections::BTreeSet;
use std::fs::{self, File};

use common::{Bench, small_set};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use noisescope::comparison::{ComparisonRequest, SessionPair};
use noisescope::export;
use noisescope::report::SessionStatus;
use noisescope::session::Session;
use noisescope::session::config::Response;
use noisescope::tui::action::{Action, KeyContext};
use noisescope::tui::browser::{Browser, BrowserChoice, BrowserEffect, ListState, SessionRow};
use noisescope::tui::compare::{ComparisonContent, ComparisonScene, ComparisonState, draw};
use noisescope::tui::theme::{Background, Depth, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;

/// A finished session: a small network on images of a side, and its maps.
fn run(bench: &Bench, name: &str, side: usize, seed: u64, maps: &str) {
    let folder = bench.path(&format!("bars-{side}"));
    if !folder.exists() {
        small_set(&folder, 200, 50, side);
    }
    let settings = [
        format!("dataset.source=Folder({folder:?})"),
        "network=(kind: Logistic, weights: Train((epochs: 1)))".into(),
        format!("seed={seed}"),
        format!("analyses=[ClassificationImages(({maps}))]"),
    ];
    let mut words = vec!["run", name, "--plain", "--device", "flex"];
    words.extend(settings.iter().flat_map(|it| ["--set", it.as_str()]));
    bench.succeed(&words);
}

const MAPS: &str = "gammas: [0.0, 0.4], trials: 4000";

fn two() -> Bench {
    let bench = Bench::new();
    run(&bench, "a", 28, 1, MAPS);
    run(&bench, "b", 28, 2, MAPS);
    bench
}

fn json(bench: &Bench, words: &[&str]) -> Value {
    let all = [&["compare"], words, &["--json", "--device", "flex"]].concat();
    serde_json::from_str(&bench.succeed(&all)).unwrap()
}

#[test]
fn a_session_does_not_differ_from_itself_and_two_seeds_are_told_apart() {
    let bench = two();
    let own = json(&bench, &["a", "a", "--trials", "500"]);
    for gamma in own["gammas"].as_array().unwrap() {
        let maps = &gamma["evidence"];
        assert_eq!(
            (&maps["maps"], &maps["share_of_all"]),
            (&10.into(), &0.0.into())
        );
        assert!((maps["correlation"].as_f64().unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(
            (&gamma["same_trials"], &gamma["called_distance"]),
            (&"all".into(), &0.0.into())
        );
        assert_eq!(gamma["alike_between"][1], 1.0);
    }
    assert_eq!(own["agreement"]["alike"]["share"], 1.0);
    assert_eq!(own["agreement"]["trials"], 500);

    // Networks trained from two seeds look for the same bars, but not in the same words.
    let two = json(&bench, &["a", "b", "--trials", "0"]);
    let maps = &two["gammas"][0]["evidence"];
    assert!(maps["share_of_all"].as_f64().unwrap() > 0.01, "{maps}");
    assert_eq!(two["gammas"][0]["same_trials"], "none");
    assert_eq!(two["gammas"][0]["alike_between"], Value::Null);
    assert_eq!(two["agreement"], Value::Null);

    let page = bench.succeed(&[
        "compare", "a", "b", "--plain", "--trials", "300", "--device", "flex",
    ]);
    for words in [
        "A  a  ",
        "B  b  ",
        "pixels (",
        "over all 10 maps",
        "each was shown its own trials",
        "shown the same 300 trials, drawn as they were for A,",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
    // What was chosen is what is told.
    let page = bench.succeed(&[
        "compare",
        "a",
        "b",
        "--response",
        "decision",
        "--gamma",
        "0.4",
        "--trials",
        "0",
    ]);
    assert!(page.contains("classification images at γ 0.4"), "{page}");
}

#[test]
fn the_agreement_on_the_same_trials_is_that_of_their_decisions() {
    let bench = two();
    let all = json(&bench, &["a", "b", "--gamma", "0.4", "--trials", "4000"]);
    // The first session was shown these very trials, so its share is that of its counts.
    let counted = &all["gammas"][0]["correct"][0];
    let shown = &all["agreement"]["correct"][0];
    assert_eq!(
        (&counted["hits"], &counted["of"]),
        (&shown["hits"], &shown["of"])
    );
    let alike = &all["agreement"]["alike"];
    let ends = ["low", "share", "high"].map(|end| alike[end].as_f64().unwrap());
    assert!(
        ends.is_sorted() && ends[0] > 0.0 && ends[2] <= 1.0,
        "{alike}"
    );
    let called = all["agreement"]["called"].as_array().unwrap();
    let diagonal = called
        .iter()
        .enumerate()
        .map(|(k, row)| row[k].as_u64().unwrap());
    assert_eq!(alike["hits"], diagonal.sum::<u64>());
    // Workers share the trials out; what they count does not depend on it.
    let one = json(
        &bench,
        &[
            "a",
            "b",
            "--gamma",
            "0.4",
            "--trials",
            "4000",
            "--workers",
            "1",
        ],
    );
    assert_eq!(one["agreement"], all["agreement"]);
}

#[test]
fn a_comparison_is_exported_as_maps_tables_and_figures() {
    let bench = two();
    let export = |format: &str| {
        let words = [
            "compare", "a", "b", "--trials", "100", "--device", "flex", "--format", format,
        ];
        bench.succeed(&words);
    };
    export("npz");
    let zip = zip::ZipArchive::new(File::open(bench.path("a-vs-b.npz")).unwrap()).unwrap();
    let names = zip.file_names().map(|name| name.unwrap().into_owned());
    let names: BTreeSet<String> = names.collect();
    for name in [
        "classes",
        "gamma",
        "a_counts",
        "b_counts",
        "ci_a",
        "ci_b",
        "ci_difference",
        "ci_se",
        "ci_z",
        "ci_correlation",
        "ev_a",
        "ev_b",
        "ev_difference",
        "ev_se",
        "ev_z",
        "ev_correlation",
        "agreement",
    ] {
        assert!(names.contains(&format!("{name}.npy")), "{name}: {names:?}");
    }
    export("csv");
    let table = |name: &str| fs::read_to_string(bench.path(&format!("a-vs-b-tables/{name}.csv")));
    // A row for the names, then one for each γ, response and class.
    assert_eq!(table("maps").unwrap().lines().count(), 1 + 2 * 2 * 10);
    assert_eq!(table("decisions").unwrap().lines().count(), 1 + 2);
    assert_eq!(table("called").unwrap().lines().count(), 1 + 2 * 2 * 10);
    assert_eq!(table("agreement").unwrap().lines().count(), 1 + 100);
    export("png");
    let picture = |name: &str| image::open(bench.path(&format!("a-vs-b-figures/{name}.png")));
    assert_eq!(picture("evidence-gamma-0.4").unwrap().width(), 2126);
    let all = picture("evidence-gamma-0.0").unwrap().height();
    let words = [
        "compare", "a", "b", "--trials", "0", "--format", "png", "--map", "3",
    ];
    bench.succeed(&words);
    assert!(picture("evidence-gamma-0.0").unwrap().height() < all / 4);
}

#[test]
fn what_cannot_be_compared_says_what_differs_and_what_to_do() {
    let bench = Bench::new();
    run(&bench, "a", 28, 1, MAPS);
    run(&bench, "small", 14, 1, MAPS);
    run(&bench, "weak", 28, 1, "gammas: [0.2], trials: 500");
    run(
        &bench,
        "binary",
        28,
        1,
        "noise: Binary, gammas: [0.0], trials: 500",
    );
    run(
        &bench,
        "coarse",
        28,
        1,
        "cell: 2, gammas: [0.0], trials: 500",
    );
    run(
        &bench,
        "deaf",
        28,
        1,
        "responses: [Decision], gammas: [0.0], trials: 500",
    );
    bench.succeed(&["new", "planned", "--preset", "quickstart"]);
    bench.succeed(&["new", "without", "--set", "analyses=[]"]);
    for (code, words, said) in [
        (
            1,
            "a planned",
            "planned has no maps yet; run it first: noisescope run planned",
        ),
        (
            2,
            "a without",
            "the plan of without has no classification images",
        ),
        (
            2,
            "a small",
            "the images of a are 28×28 grey, those of small 14×14 grey",
        ),
        (2, "a weak", "a has trials at γ 0.0, 0.4, weak at γ 0.2"),
        (
            2,
            "a binary",
            "a was shown uniform noise, binary binary noise; run one of them again",
        ),
        (
            2,
            "coarse a",
            "coarse was shown uniform noise in cells of 2×2, a uniform noise",
        ),
        (
            2,
            "a deaf --response evidence",
            "deaf has no evidence images, only decisions",
        ),
        (
            2,
            "a a --gamma 0.1",
            "not both sessions have trials at γ 0.1; both have some at γ 0.0, 0.4",
        ),
        (
            2,
            "a a --noise pca",
            "pca is no noise that both sessions were shown",
        ),
        (
            2,
            "a a --map 10",
            "--map: there is no class `10`; there are 0 to 9",
        ),
        (2, "a nobody", "nobody"),
    ] {
        let all: Vec<&str> = std::iter::once("compare").chain(words.split(' ')).collect();
        let told = bench.refuse(code, &all);
        assert!(told.contains(said), "{words}: {told}");
    }
    // Where only decisions are kept, these are compared.
    let page = bench.succeed(&["compare", "a", "deaf", "--trials", "0"]);
    assert!(page.contains("classification images at γ 0.0"), "{page}");
}

/// The screen on two sessions, as text.
fn screen(
    sight: &ComparisonContent,
    look: &ComparisonState,
    sessions: [&Session; 2],
    (width, height): (u16, u16),
) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let theme = Theme::new(Depth::True, Background::Dark, true);
    let drawn = ComparisonScene {
        sessions,
        state: look,
        content: Ok(sight),
        agreement: None,
        contexts: vec![KeyContext::Comparison, KeyContext::Everywhere],
        keys: noisescope::tui::action::TABLE,
    };
    draw(&drawn, &theme, area, &mut buffer);
    let rows = buffer.content.chunks(usize::from(width));
    let rows = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    rows.collect::<Vec<String>>().join("\n")
}

#[test]
fn the_screen_shows_a_b_and_their_difference_at_every_size() {
    let bench = two();
    let (a, b) = (bench.load("a"), bench.load("b"));
    let mut look = ComparisonState::new(ComparisonRequest::default());
    let sight = ComparisonContent::new([&a, &b], &look).unwrap();
    let at = |look: &ComparisonState, sight: &ComparisonContent, size| {
        screen(sight, look, [&a, &b], size)
    };
    for size in [(60, 18), (80, 24), (120, 40), (200, 60)] {
        let shown = at(&look, &sight, size);
        for words in [
            "A a",
            "B b",
            "A less B",
            "pixels",
            "evidence image",
            "▀",
            "q back",
            "class 0",
        ] {
            assert!(shown.contains(words), "{size:?} {words}\n{shown}");
        }
    }
    // Where a pixel has room for it, those that differ are outlined.
    assert!(at(&look, &sight, (200, 60)).contains(['▏', '▕', '▔', '▁']));
    assert!(at(&look, &sight, (40, 10)).contains("q goes back"));
    // Every key but those of γ and response only turns what is there.
    assert!(!look.update(Action::Again, &sight));
    assert!(!look.update(Action::NextKind, &sight));
    let shown = at(&look, &sight, (120, 40));
    assert!(
        shown.contains("class 1") && shown.contains("z of A less B"),
        "{shown}"
    );
    look.update(Action::PreviousClass, &sight);
    look.update(Action::PreviousClass, &sight);
    assert_eq!(look.class, 9);
    assert!(look.update(Action::SwitchResponse, &sight));
    let sight = ComparisonContent::new([&a, &b], &look).unwrap();
    assert_eq!(sight.compared.response, Response::Decision);
    let weaker = sight.gamma;
    look.update(Action::WeakerGamma, &sight);
    look.update(Action::WeakerGamma, &sight);
    let sight = ComparisonContent::new([&a, &b], &look).unwrap();
    assert_eq!(sight.gamma, weaker.saturating_sub(1));
    look.update(Action::Help, &sight);
    let help = at(&look, &sight, (120, 40));
    assert!(
        help.contains("two sessions compared") && help.contains("a weaker signal"),
        "{help}"
    );
}

#[test]
fn where_another_session_is_chosen_nothing_else_can_be_done_to_one() {
    let row = |name: &str| SessionRow {
        name: name.to_owned(),
        standing: SessionStatus::Stopped,
        done: 5,
        total: 10,
        headline: String::new(),
        updated: None,
        pid: None,
    };
    let rows = vec![row("a"), row("b")];
    let key = |c| KeyEvent::new(c, KeyModifiers::NONE);
    let mut list = Browser::new(&["quickstart".into()], ListState::against("a"));
    list.set_rows(rows.clone());
    for c in ['d', 'r', 'n', '='] {
        assert_eq!(list.key(&key(KeyCode::Char(c))), BrowserEffect::None, "{c}");
    }
    assert_eq!(list.key(&key(KeyCode::Down)), BrowserEffect::Redraw);
    let chosen = list.key(&key(KeyCode::Enter));
    assert_eq!(
        chosen,
        BrowserEffect::Chosen(BrowserChoice::Open("b".into()))
    );
    // In the list of sessions itself the same key asks for the other session.
    let mut list = Browser::new(&[], ListState::default());
    list.set_rows(rows);
    let chosen = list.key(&key(KeyCode::Char('=')));
    assert_eq!(
        chosen,
        BrowserEffect::Chosen(BrowserChoice::Compare("a".into()))
    );
}

#[test]
fn a_class_is_jumped_to_in_the_comparison_and_its_maps_are_a_figure() {
    let bench = two();
    let (a, b) = (bench.load("a"), bench.load("b"));
    let mut look = ComparisonState::new(ComparisonRequest::default());
    let sight = ComparisonContent::new([&a, &b], &look).unwrap();
    look.update(Action::LastClass, &sight);
    assert_eq!(look.class, sight.classes.len() - 1);
    look.update(Action::FirstClass, &sight);
    look.update(Action::OpenFind, &sight);
    look.jump.as_mut().expect("a line to type in").typed = "3".into();
    let shown = screen(&sight, &look, [&a, &b], (80, 24));
    assert!(shown.contains("class 3"), "{shown}");
    look.update(Action::Jump, &sight);
    assert_eq!((look.class, look.jump.is_none()), (3, true));
    let pair = SessionPair::new(&a, &b, &look.request).unwrap();
    let written =
        export::comparison::write_one(&pair, &sight.compared, 3, bench.folder.path()).unwrap();
    let name = written.file_name().unwrap().to_string_lossy().into_owned();
    let gamma = noisescope::format::gamma(sight.compared.gamma);
    assert_eq!(name, format!("a-vs-b-evidence-map-3-gamma-{gamma}.png"));
    assert!(std::fs::read(written).unwrap().starts_with(b"\x89PNG"));
}
