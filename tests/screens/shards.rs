//! Tests of the view of a divided session's shards.

use noisescope::session::run::{Phase, Run, ShardState, ShardStatus};
use noisescope::session::{SavedState, Session};
use noisescope::tui::views::VIEWS_OF_SHARDS;

use super::golden::golden;
use super::synthetic;
use super::*;

/// A session divided into 32 shards: two need attention, the others are done, running or pending.
pub fn divided() -> Session {
    let mut session = synthetic::accumulating([40_000, 30_000, 20_000, 10_000]);
    session.divide(32, "0.1.0").unwrap();
    let shard = |index: u32| {
        let standing = match index {
            3 => ShardStatus::Died,
            7 => ShardStatus::Stalled,
            9 => ShardStatus::Working,
            30.. => ShardStatus::NotBegun,
            index if index % 4 == 0 => ShardStatus::Done,
            _ => ShardStatus::Working,
        };
        let begun = standing != ShardStatus::NotBegun;
        let at_work = standing.is_at_work();
        ShardState {
            index,
            standing,
            done: match standing {
                ShardStatus::Done => 31_250_000,
                _ if begun => u64::from(index) * 900_000,
                _ => 0,
            },
            total: if begun { 31_250_000 } else { 0 },
            per_second: at_work.then_some(211_000.0 + f64::from(index)),
            eta_s: at_work.then_some(140.0 - f64::from(index)),
            node: format!("gpu{:02}", index / 4),
            device: "cuda:0".into(),
            job: Some(format!("1234_{index}")),
            saved_s: begun.then_some(if index == 7 { 912.0 } else { 12.0 }),
            note: (index == 9).then(|| "gpu02's clock is 3 h ahead of the file system's".into()),
            ..ShardState::default()
        }
    };
    let run = session.run.get_or_insert_default();
    run.shards = (1..=32).map(shard).collect();
    run.device = "32 shards".into();
    session
}

/// The dashboard of a divided session with the view of shards open.
pub fn showing_shards(size: (u16, u16)) -> DashboardState {
    let mut state = DashboardState::new(Connection::Watched, VIEWS_OF_SHARDS);
    state.shared.now = NOW;
    state.shared.size = Size {
        width: size.0,
        height: size.1,
    };
    let key = KeyEvent::new(KeyCode::Char('0'), KeyModifiers::NONE);
    update::key(&mut state, &key, &divided(), &theme());
    state
}

#[test]
fn shards_that_need_attention_come_first() {
    for size in SIZES {
        let screen = screen(&divided(), &showing_shards(size));
        assert!(screen.contains("32 shards"), "{screen}");
        let line = |word: &str| screen.lines().position(|line| line.contains(word));
        assert!(line("3  died") < line("7  stalled"), "{screen}");
        assert!(line("7  stalled") < line("1  running"), "{screen}");
        golden(&format!("shards-{}x{}", size.0, size.1), &screen);
    }
}

#[test]
fn a_divided_session_has_no_engine_that_is_up() {
    for size in SIZES {
        let screen = screen(&divided(), &showing_shards(size));
        assert!(!screen.contains("up 0"), "{screen}");
    }
}

#[test]
fn keys_send_no_commands_to_a_divided_session() {
    let (session, mut state) = (divided(), showing_shards((120, 40)));
    for key in ['p', 's', '+', 'r'] {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        let effect = update::key(&mut state, &key, &session, &theme());
        assert!(
            !matches!(
                effect,
                Effect::Send(_) | Effect::Resume | Effect::Extend(..)
            ),
            "{effect:?}"
        );
        assert_eq!(state.overlay, Overlay::None, "{key:?}");
    }
}

#[test]
fn the_numbers_of_a_shard_that_has_not_started_stand_below_their_headings() {
    for size in [(60, 18), (80, 24), (120, 40)] {
        let (session, mut state) = (divided(), showing_shards(size));
        for key in "/30\n".chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                key => KeyCode::Char(key),
            };
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            update::key(&mut state, &key, &session, &theme());
        }
        let screen = screen(&session, &state);
        let column = |row: &str, word: &str| {
            let line = screen.lines().find(|line| line.contains(row));
            let line = line.unwrap_or_else(|| panic!("{row}: {screen}"));
            let at = line.rfind(word);
            line[..at.unwrap_or_else(|| panic!("{word}: {screen}"))]
                .chars()
                .count()
        };
        let running = column("29  running", "%");
        assert_eq!(column("30  not started", "%"), running, "{screen}");
    }
}

#[test]
fn the_choice_stays_with_its_shard_when_the_order_changes() {
    let (mut session, mut state) = (divided(), showing_shards((120, 40)));
    for code in [KeyCode::Down, KeyCode::Down] {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        update::key(&mut state, &key, &session, &theme());
    }
    let chosen = |session: &Session, state: &DashboardState| {
        let screen = screen(session, state);
        let line = screen.lines().find(|line| line.contains('▸'));
        line.map(str::to_owned).unwrap_or(screen)
    };
    let before = chosen(&session, &state);
    assert!(before.contains(" 1  running"), "{before}");
    let shards = &mut session.run.as_mut().expect("a run").shards;
    shards[19].standing = ShardStatus::Failed;
    shards[0].standing = ShardStatus::Done;
    let after = chosen(&session, &state);
    assert!(after.contains(" 1  done"), "{after}");
}

#[test]
fn the_overview_of_a_divided_session_that_nothing_runs_says_what_is_next_or_why_it_failed() {
    let mut session = synthetic::new();
    session.divide(2, "0.1.0").unwrap();
    session.run = Some(Run {
        phase: Phase::Stopped,
        shards: vec![ShardState::default(); 2],
        ..Run::default()
    });
    let mut state = showing("Overview", (120, 40));
    state.shared.connection = Connection::Watched;
    let overview = screen(&session, &state);
    assert!(overview.contains("Run its shards to begin."), "{overview}");
    let why = "there is no file /data";
    session.record.state = SavedState::Failed(why.into());
    let overview = screen(&session, &state);
    assert!(!overview.contains("Reading images"), "{overview}");
    // Also below the header.
    assert_eq!(overview.matches(why).count(), 2, "{overview}");
}
