//! The comparison screen, and choosing the session to compare with.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use noisescope::comparison::{ComparisonError, ComparisonRequest, SessionPair};
use noisescope::drawing::Sheet;
use noisescope::export;
use noisescope::figure;
use noisescope::ids::{ClassId, Gamma};
use noisescope::report::SessionStatus;
use noisescope::session::Session;
use noisescope::session::config::Response;
use noisescope::tui::action::{Action, KeyContext};
use noisescope::tui::browser::{Browser, BrowserChoice, BrowserEffect, ListState, SessionRow};
use noisescope::tui::compare::{ComparisonContent, ComparisonScene, ComparisonState, draw};
use noisescope::tui::theme::{Background, Depth, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Bench, run, two_sessions};

/// The comparison screen of two sessions, as text.
fn screen(
    content: &ComparisonContent,
    state: &ComparisonState,
    sessions: [&Session; 2],
    size: (u16, u16),
) -> String {
    screen_of(Ok(content), state, sessions, size)
}

/// The same, also of sessions that cannot be compared.
fn screen_of(
    content: Result<&ComparisonContent, &ComparisonError>,
    state: &ComparisonState,
    sessions: [&Session; 2],
    (width, height): (u16, u16),
) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    let theme = Theme::new(Depth::True, Background::Dark, true);
    let scene = ComparisonScene {
        sessions,
        state,
        content,
        agreement: None,
        contexts: vec![KeyContext::Comparison, KeyContext::Everywhere],
        keys: noisescope::tui::action::TABLE,
    };
    draw(&scene, &theme, area, &mut buffer);
    let rows = buffer.content.chunks(usize::from(width));
    let rows = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    rows.collect::<Vec<String>>().join("\n")
}

#[test]
fn the_screen_shows_a_b_and_their_difference_at_every_size() {
    let bench = two_sessions();
    let (a, b) = (bench.load("a"), bench.load("b"));
    let mut state = ComparisonState::new(ComparisonRequest::default());
    let content = ComparisonContent::new([&a, &b], &state).unwrap();
    let shown_at = |state: &ComparisonState, content: &ComparisonContent, size| {
        screen(content, state, [&a, &b], size)
    };
    for size in [(60, 18), (80, 24), (120, 40), (200, 60)] {
        let shown = shown_at(&state, &content, size);
        for text in [
            "A a",
            "B b",
            "A minus B",
            "pixels",
            "evidence image",
            "▀",
            "q back",
            "class 0",
        ] {
            assert!(shown.contains(text), "{size:?} {text}\n{shown}");
        }
    }
    // If pixels are large enough, those that differ are outlined.
    assert!(shown_at(&state, &content, (200, 60)).contains(['▏', '▕', '▔', '▁']));
    assert!(shown_at(&state, &content, (40, 10)).contains("q goes back"));
    // Only the keys for γ and response need new content; the others change what is shown of it.
    assert!(!state.update(Action::Again, &content));
    assert!(!state.update(Action::NextKind, &content));
    let shown = shown_at(&state, &content, (120, 40));
    assert!(
        shown.contains("class 1") && shown.contains("z of A minus B"),
        "{shown}"
    );
    // The difference has a scale of its own.
    for size in [(60, 18), (80, 24), (120, 40), (200, 60)] {
        let shown = shown_at(&state, &content, size);
        let scales = shown.lines().find(|line| line.contains("A minus B −"));
        let ends = scales.map_or(0, |line| line.matches('+').count());
        assert_eq!(ends, 2, "{size:?}\n{shown}");
    }
    state.update(Action::PreviousClass, &content);
    state.update(Action::PreviousClass, &content);
    assert_eq!(state.class, ClassId(9));
    assert!(state.update(Action::SwitchResponse, &content));
    let content = ComparisonContent::new([&a, &b], &state).unwrap();
    assert_eq!(content.compared.response, Response::Decision);
    let weaker = content.gamma_index;
    state.update(Action::WeakerGamma, &content);
    state.update(Action::WeakerGamma, &content);
    let content = ComparisonContent::new([&a, &b], &state).unwrap();
    assert_eq!(content.gamma_index, weaker.saturating_sub(1));
    // Another noise may lack this γ and response.
    let mut other = state.clone();
    assert!(other.update(Action::NextImages, &content));
    assert_eq!((other.request.gamma, other.request.response), (None, None));
    // What cannot be compared offers no key but the one that goes back.
    other.request.gamma = Some(Gamma(0.123));
    let misfit = ComparisonContent::new([&a, &b], &other).unwrap_err();
    let refused = screen_of(Err(&misfit), &other, [&a, &b], (120, 40));
    let footer = refused.lines().last().unwrap();
    assert!(footer.contains("q back"), "{refused}");
    assert!(
        !footer.contains("class") && !footer.contains("help"),
        "{refused}"
    );
    state.update(Action::Help, &content);
    let help = shown_at(&state, &content, (120, 40));
    assert!(
        help.contains("two sessions compared") && help.contains("a weaker signal"),
        "{help}"
    );
    // On a small screen q would only close the list of keys.
    let small = shown_at(&state, &content, (59, 17));
    assert!(small.contains("Ctrl-C goes back"), "{small}");
}

#[test]
fn choosing_a_session_to_compare_disables_other_actions() {
    let row = |name: &str| SessionRow {
        name: name.to_owned(),
        standing: SessionStatus::Stopped,
        done: 5,
        total: 10,
        headline: String::new(),
        open: None,
        problem: None,
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
    // In the ordinary list of sessions, the same key starts the choice of the other session.
    let mut list = Browser::new(&[], ListState::default());
    list.set_rows(rows);
    let chosen = list.key(&key(KeyCode::Char('=')));
    assert_eq!(
        chosen,
        BrowserEffect::Chosen(BrowserChoice::Compare("a".into()))
    );
}

#[test]
fn the_comparison_jumps_to_a_class_and_exports_its_maps() {
    let bench = two_sessions();
    let (a, b) = (bench.load("a"), bench.load("b"));
    let mut state = ComparisonState::new(ComparisonRequest::default());
    let content = ComparisonContent::new([&a, &b], &state).unwrap();
    state.update(Action::LastClass, &content);
    assert_eq!(state.class, ClassId(content.classes.len() - 1));
    state.update(Action::FirstClass, &content);
    state.update(Action::OpenFind, &content);
    state.jump.as_mut().expect("a line to type in").typed = "3".into();
    let shown = screen(&content, &state, [&a, &b], (80, 24));
    assert!(shown.contains("class 3"), "{shown}");
    state.update(Action::Jump, &content);
    assert_eq!((state.class, state.jump.is_none()), (ClassId(3), true));
    let pair = SessionPair::new(&a, &b, &state.request).unwrap();
    let written =
        export::comparison::write_one(&pair, &content.compared, ClassId(3), bench.folder.path())
            .unwrap();
    let name = written.file_name().unwrap().to_string_lossy().into_owned();
    let gamma = noisescope::format::gamma(content.compared.gamma);
    assert_eq!(name, format!("a-vs-b-evidence-map-3-gamma-{gamma}.png"));
    assert!(std::fs::read(written).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn evidence_that_is_centred_differently_is_told_on_the_screen_and_in_the_caption() {
    let bench = Bench::new();
    let maps = "gammas: [0.0, 0.4], trials: 400";
    run(&bench, "a", 28, 1, maps);
    run(
        &bench,
        "b",
        28,
        2,
        &format!("{maps}, classes: [\"0\", \"1\"]"),
    );
    let (a, b) = (bench.load("a"), bench.load("b"));
    for (gamma, differs) in [(0.0, false), (0.4, true)] {
        let state = ComparisonState::new(ComparisonRequest {
            gamma: Some(Gamma(gamma)),
            response: Some(Response::Evidence),
            ..ComparisonRequest::default()
        });
        let content = ComparisonContent::new([&a, &b], &state).unwrap();
        for size in [(60, 18), (200, 60)] {
            let shown = screen(&content, &state, [&a, &b], size);
            let told = shown.contains("the plans have maps of other classes");
            assert_eq!(told, differs, "{shown}");
        }
        let pair = SessionPair::new(&a, &b, &state.request).unwrap();
        let drawing = figure::comparison(&pair, &content.compared, &[ClassId(0)], Sheet::DOUBLE);
        let told = drawing
            .caption
            .contains("The plans have maps of other classes");
        assert_eq!(told, differs, "{}", drawing.caption);
    }
}

#[test]
fn of_many_gammas_the_chosen_one_is_named() {
    let bench = Bench::new();
    let steps = 0..12;
    let gammas: Vec<String> = steps
        .map(|step| format!("{:.2}", f64::from(step) / 20.0))
        .collect();
    let maps = format!("gammas: [{}], trials: 400", gammas.join(", "));
    run(&bench, "a", 28, 1, &maps);
    run(&bench, "b", 28, 2, &maps);
    let (a, b) = (bench.load("a"), bench.load("b"));
    for gamma in [0.0, 0.3, 0.55].map(Gamma) {
        let state = ComparisonState::new(ComparisonRequest {
            gamma: Some(gamma),
            ..ComparisonRequest::default()
        });
        let content = ComparisonContent::new([&a, &b], &state).unwrap();
        let chosen = format!("▸{}", noisescope::format::gamma(gamma));
        for size in [(60, 18), (80, 24), (200, 60)] {
            let shown = screen(&content, &state, [&a, &b], size);
            assert!(
                shown.split_whitespace().any(|word| word == chosen),
                "{chosen} at {size:?}\n{shown}"
            );
        }
    }
}
