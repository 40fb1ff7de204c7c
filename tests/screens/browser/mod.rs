//! Tests of the list of sessions.

mod commands;
mod deleting;
mod list;
mod new_session;

use noisescope::report::SessionStatus;
use noisescope::tui::browser::{
    self, Browser, BrowserChoice, BrowserEffect, FileContents, ListState, Preset, SessionContents,
    SessionRow,
};

use super::*;

/// A row of the list; `share` is the share done, `age` the seconds since its last update.
fn row(name: &str, standing: SessionStatus, share: f64, headline: &str, age: i64) -> SessionRow {
    let running = standing == SessionStatus::Running;
    SessionRow {
        name: name.into(),
        standing,
        done: (4_000_000.0 * share) as u64,
        total: 4_000_000,
        headline: headline.into(),
        open: None,
        problem: None,
        updated: Some(NOW - age),
        pid: running.then_some(4242),
    }
}

/// A session of every status.
fn rows() -> Vec<SessionRow> {
    let damaged = "sessions/old.ron: the file is damaged: array `training.best.fc1`: its checksum is 0x1, not 0x2. The previous generation sessions/old.ron.bak is whole.";
    let mut rows = vec![
        row(
            "mnist-paper",
            SessionStatus::Running,
            0.8,
            "test 99.1 %   22/40 maps reliable   9,860 trials/s",
            4,
        ),
        row(
            "fashion-paper",
            SessionStatus::Finished,
            1.0,
            "test 90.2 %   38/40 maps reliable",
            7_300,
        ),
        row(
            "try.1",
            SessionStatus::Interrupted,
            0.0301,
            "test 97.8 %   3/40 maps reliable",
            90_000,
        ),
        row(
            "try.2",
            SessionStatus::Stopped,
            0.5,
            "test 97.9 %   10/40 maps reliable",
            400_000,
        ),
        row(
            "gpu",
            SessionStatus::Failed("the device cuda:0 has no memory left".into()),
            0.2,
            "",
            600,
        ),
        row(
            "old",
            SessionStatus::Damaged(damaged.into()),
            0.0,
            "",
            9_000_000,
        ),
        row("next", SessionStatus::New, 0.0, "mnist · cnn", 30),
    ];
    rows[5].total = 0;
    rows
}

fn presets() -> Vec<Preset> {
    ["quickstart", "mnist-paper", "fashion-paper"]
        .map(Preset::from)
        .to_vec()
}

/// The list of sessions after some keys.
pub fn listing(pressed: &[KeyCode]) -> Browser {
    let mut list = browser();
    press_keys(&mut list, pressed);
    list
}

/// The list of [`rows`].
fn browser() -> Browser {
    let mut browser = Browser::new(&presets(), ListState::default());
    browser.now = NOW;
    browser.set_rows(rows());
    browser
}

fn draw_at(browser: &Browser, size: (u16, u16), theme: &Theme) -> String {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a backend");
    let frame = terminal.draw(|frame| {
        let area = frame.area();
        browser::draw(browser, theme, area, frame.buffer_mut());
    });
    text(frame.expect("the test backend cannot fail").buffer)
}

/// The list as text at 120×40.
fn list_text(browser: &Browser) -> String {
    draw_at(browser, (120, 40), &theme())
}

/// Presses keys; returns the effect of the last one.
fn press_keys(browser: &mut Browser, keys: &[KeyCode]) -> BrowserEffect {
    let press = |key: &KeyCode| browser.key(&KeyEvent::new(*key, KeyModifiers::NONE));
    keys.iter().map(press).last().unwrap_or(BrowserEffect::None)
}

/// Presses the keys of a text; returns the effect of the last one.
fn type_text(browser: &mut Browser, text: &str) -> BrowserEffect {
    let codes: Vec<KeyCode> = text.chars().map(KeyCode::Char).collect();
    press_keys(browser, &codes)
}

fn file_contents(trials: u64, network: Option<&str>, age: i64) -> FileContents {
    FileContents {
        trials,
        network: network.map(String::from),
        updated: Some(NOW - age),
    }
}

/// The contents of a sound session's files.
fn contents() -> SessionContents {
    SessionContents {
        file: Ok(file_contents(
            4_000_000,
            Some("a network trained for 15 epochs"),
            7_300,
        )),
        previous: Some(Ok(file_contents(
            3_900_000,
            Some("a network trained for 15 epochs"),
            7_400,
        ))),
    }
}

/// The contents of a truncated session, whose previous generation is intact.
fn truncated_contents() -> SessionContents {
    SessionContents {
        file: Err("sessions/old.ron: the file is damaged: it is cut off after 99 bytes.".into()),
        previous: Some(Ok(file_contents(
            600_000,
            Some("a network trained for 2 epochs"),
            90_000,
        ))),
    }
}

#[test]
fn the_list_matches_its_golden_screens() {
    for size in SIZES {
        let screen = draw_at(&browser(), size, &theme());
        golden::golden(&format!("browser-{}x{}", size.0, size.1), &screen);
    }
    let mut form = browser();
    type_text(&mut form, "n");
    golden::golden("browser-form-80x24", &draw_at(&form, (80, 24), &theme()));
    let mut question = browser();
    type_text(&mut question, "jd");
    question.set_contents("fashion-paper", contents());
    golden::golden(
        "browser-delete-80x24",
        &draw_at(&question, (80, 24), &theme()),
    );
    let mut named = browser();
    type_text(&mut named, "jjjjjd");
    named.set_contents("old", truncated_contents());
    type_text(&mut named, "ol");
    golden::golden(
        "browser-delete-damaged-80x24",
        &draw_at(&named, (80, 24), &theme()),
    );
    let mut help = browser();
    type_text(&mut help, "?");
    golden::golden("browser-help-80x24", &draw_at(&help, (80, 24), &theme()));
}
