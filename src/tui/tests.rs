//! Tests of what every screen guarantees at any size.

use std::io::Read;
use std::path::Path;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::frame;
use super::size::Size;
use super::state::{DashboardState, Overlay, SecondView, ViewId};
use super::theme::{Background, Depth, Theme};
use super::view::JumpKind;
use super::view::backdoor::BackdoorView;
use super::view::filters::{FiltersView, UnitOrder};
use super::view::maps::MapsView;
use super::views::VIEWS;
use super::widget::text::witness::{self, Written};
use crate::ids::ClassId;
use crate::link::Connection;
use crate::session::config::Response;
use crate::session::record::{Note, NoteTarget};
use crate::session::run::Phase;
use crate::session::store::from_text;
use crate::session::{Run, Session};

fn fixture(name: &str) -> Session {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sessions");
    let file = std::fs::File::open(path.join(format!("{name}.ron.gz"))).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    from_text(&text, Path::new("fixture.ron"), name).unwrap()
}

/// The same session with an engine working on its third stage.
fn at_work(mut session: Session) -> Session {
    let mut stages = session.stages();
    for stage in &mut stages {
        stage.per_second = Some(12_345.6);
        stage.eta_s = Some(754.0);
    }
    session.run = Some(Run {
        phase: Phase::Working(2.min(stages.len() - 1)),
        device: "cpu · 2 workers".into(),
        gpu: Some("71 % 38 GB 64 °C".into()),
        parameters: 431_080,
        stages,
        rates: vec![12_345.6; 40],
        up_s: 2467.0,
        eta_s: Some(4271.0),
        at: 1_000,
        ..Run::default()
    });
    session
}

/// The cells of the buffer where a line was written.
fn found(buf: &Buffer, ((x, y), text): &Written) -> Vec<String> {
    let width = ratatui::text::Span::raw(text.as_str()).width() as u16;
    (*x..x + width)
        .map(|x| buf[(x, *y)].symbol().to_owned())
        .collect()
}

/// A word or number that is partly overwritten, or that touches another.
fn broken(buf: &Buffer, written: &[Written]) -> Option<String> {
    for entry in written {
        let ((x, y), text) = entry;
        let cells = found(buf, entry);
        let letters: Vec<char> = text.chars().collect();
        // Wide letters take two cells; none are in these sessions.
        if letters.len() != cells.len() {
            continue;
        }
        let mut at = 0;
        while at < letters.len() {
            if !letters[at].is_alphanumeric() {
                at += 1;
                continue;
            }
            let end = (at..letters.len())
                .find(|&at| !letters[at].is_alphanumeric())
                .unwrap_or(letters.len());
            let same = |at: usize| cells[at] == letters[at].to_string();
            let kept = (at..end).filter(|&at| same(at)).count();
            let word: String = letters[at..end].iter().collect();
            let alike = |x: u16| {
                let symbol = buf[(x, *y)].symbol();
                symbol.chars().all(char::is_alphanumeric) && !symbol.trim().is_empty()
            };
            if kept == end - at {
                let before = (at == 0 && *x > 0).then(|| x - 1);
                let after = x + end as u16;
                let after = (end == letters.len() && after < buf.area.width).then_some(after);
                if before.into_iter().chain(after).any(alike) {
                    return Some(format!("`{word}` of `{text}` runs into another at row {y}"));
                }
            } else if end - at > 2 && kept > 0 && 2 * kept >= end - at {
                return Some(format!("`{word}` of `{text}` is cut at row {y}"));
            }
            at = end;
        }
    }
    None
}

fn drawn(session: &Session, state: &DashboardState, theme: &Theme) -> (Buffer, Vec<Written>) {
    let size = state.shared.size;
    let area = Rect::new(0, 0, size.width, size.height);
    let mut buf = Buffer::empty(area);
    witness::take();
    frame::draw(session, state, theme, area, &mut buf);
    (buf, in_sight(witness::take(), area.width))
}

/// Drops text that has been overwritten since: an overlay first blanks whole rows.
fn in_sight(written: Vec<Written>, width: u16) -> Vec<Written> {
    let mut wiped = std::collections::HashSet::new();
    let mut kept: Vec<Written> = Vec::new();
    for entry in written.into_iter().rev() {
        let ((_, row), text) = &entry;
        if wiped.contains(row) {
            continue;
        }
        if text.trim().is_empty() && text.chars().count() + 2 >= usize::from(width) {
            wiped.insert(*row);
        }
        kept.push(entry);
    }
    kept.reverse();
    kept
}

fn text(buf: &Buffer) -> String {
    let rows = buf.content.chunks(usize::from(buf.area.width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>() + "\n")
        .collect()
}

/// Checks every view of these sessions at many sizes.
fn everywhere(mut check: impl FnMut(&Session, &DashboardState, &Buffer, &[Written])) {
    let theme = Theme::new(Depth::True, Background::Dark, true);
    let sessions = [
        at_work(fixture("everything")),
        fixture("half-finished"),
        at_work(fixture("half-way")),
    ];
    for session in &sessions {
        for view in 0..VIEWS.len() {
            for closer in [false, true] {
                let mut state = DashboardState::new(Connection::Live, VIEWS);
                state.view = ViewId(view);
                state.shared.now = 1_002;
                state.log = Some(closer);
                if let Some(maps) = state.view_of_mut::<MapsView>() {
                    maps.enlarged = closer;
                }
                for width in (60..=240).step_by(if closer { 11 } else { 5 }) {
                    for height in [18, 24, 40, 60, 80] {
                        state.shared.size = Size { width, height };
                        let (buf, written) = drawn(session, &state, &theme);
                        check(session, &state, &buf, &written);
                    }
                }
            }
        }
    }
}

#[test]
fn no_word_or_number_is_cut_into_another_at_any_size() {
    let mut wrong = Vec::new();
    everywhere(|session, state, buf, written| {
        if let Some(broken) = broken(buf, written) {
            let size = state.shared.size;
            let view = state.view().name;
            let place = format!("{} {view} {}×{}", session.name, size.width, size.height);
            wrong.push((format!("{place}: {broken}"), text(buf)));
        }
    });
    let all: Vec<&str> = wrong.iter().map(|(words, _)| words.as_str()).collect();
    assert!(
        wrong.is_empty(),
        "{} screens, for example\n{}\n{}",
        wrong.len(),
        wrong[0].1,
        all[..all.len().min(40)].join("\n")
    );
}

/// The sessions that the screens show, read once.
fn drawn_sessions() -> &'static [Session] {
    static ALL: std::sync::OnceLock<Vec<Session>> = std::sync::OnceLock::new();
    ALL.get_or_init(|| {
        let mut noted = fixture("everything");
        let note = |on| Note {
            written: 1_000,
            on,
            text: "looks like the stroke of a seven, and like nothing else; ask about it".into(),
        };
        noted.note(note(NoteTarget::Session)).unwrap();
        let form = noted.record.form.as_ref().unwrap();
        for class in ClassId::all(form.class_count()) {
            let images = noted.record.classification_images().unwrap();
            let on = NoteTarget::Map {
                images: 0,
                response: Response::Decision,
                class,
                gamma: images.gammas[0].gamma,
            };
            noted.note(note(on)).unwrap();
        }
        vec![
            at_work(fixture("everything")),
            fixture("half-finished"),
            at_work(fixture("half-way")),
            noted,
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Any state, on any screen from 60×18 to 240×80, with any overlay.
    #[test]
    fn no_text_is_cut_in_any_view_at_any_size(
        session in 0_usize..4,
        view in 0..VIEWS.len(),
        beside in prop::option::of((0..VIEWS.len(), any::<bool>())),
        width in 60_u16..=240,
        height in 18_u16..=80,
        class in 0_usize..10,
        unit in 0_usize..12,
        (closer, table, sorted, log) in any::<(bool, bool, bool, bool)>(),
        over in 0_usize..9,
        ascii in any::<bool>(),
    ) {
        let session = &drawn_sessions()[session];
        let theme = Theme::new(Depth::True, Background::Dark, !ascii);
        let mut state = DashboardState::new(Connection::Live, VIEWS);
        state.view = ViewId(view);
        state.beside = beside.map(|(view, left)| SecondView { view: ViewId(view), left });
        state.shared.now = 1_002;
        state.shared.class = ClassId(class);
        state.shared.size = Size { width, height };
        state.log = Some(log);
        if let Some(maps) = state.view_of_mut::<MapsView>() {
            (maps.enlarged, maps.table) = (closer, table);
        }
        if let Some(filters) = state.view_of_mut::<FiltersView>() {
            (filters.enlarged, filters.unit) = (closer, unit);
            filters.hides_silent = table;
            filters.order = if sorted { UnitOrder::Reliability } else { UnitOrder::Number };
        }
        if let Some(backdoor) = state.view_of_mut::<BackdoorView>() {
            backdoor.enlarged = closer;
        }
        state.overlay = match over {
            0 => Overlay::Help(unit),
            1 => Overlay::Palette,
            2 => Overlay::Stop,
            3 => Overlay::Jump(JumpKind::Class),
            4 => Overlay::Copy,
            5 => Overlay::Note,
            6 => Overlay::Extend,
            _ => Overlay::None,
        };
        state.note.typed = "a stroke".into();
        state.shared.settle(session);
        let (buf, written) = drawn(session, &state, &theme);
        // In ASCII, other characters replace the ones that were written.
        if !ascii && let Some(broken) = broken(&buf, &written) {
            prop_assert!(false, "{broken}\n{}", text(&buf));
        }
        if ascii {
            prop_assert!(text(&buf).is_ascii(), "{}", text(&buf));
        }
    }
}

#[test]
fn the_time_left_of_the_whole_plan_is_in_every_view_at_every_size() {
    everywhere(|session, state, buf, _| {
        let screen = text(buf);
        let first = screen.lines().next().unwrap_or_default();
        assert_eq!(
            first.contains("ETA 1 h 11 min"),
            session.run.is_some(),
            "{} at {:?}\n{screen}",
            state.view().name,
            state.shared.size
        );
    });
}

#[test]
fn a_waiting_or_silent_run_shows_no_rate_and_no_time() {
    let theme = Theme::new(Depth::True, Background::Dark, true);
    let mut session = at_work(fixture("half-way"));
    let shown = |session: &Session, now: i64| {
        (0..VIEWS.len())
            .map(|view| {
                let mut state = DashboardState::new(Connection::Live, VIEWS);
                state.view = ViewId(view);
                state.shared.now = now;
                state.shared.size = Size {
                    width: 120,
                    height: 40,
                };
                text(&drawn(session, &state, &theme).0)
            })
            .collect::<String>()
    };
    let moves = |screens: &str| screens.contains("ETA") || screens.contains("/s ");
    assert!(moves(&shown(&session, 1_004)));
    let silent = shown(&session, 1_012);
    assert!(!moves(&silent), "{silent}");
    assert!(silent.contains("hung, silent for 12 s"), "{silent}");
    session.run.as_mut().unwrap().phase = Phase::Paused(2);
    let paused = shown(&session, 1_012);
    assert!(!moves(&paused), "{paused}");
    assert!(paused.contains("paused in"), "{paused}");
}
