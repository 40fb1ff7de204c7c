//! Tests of what is said of a map that is missing.

use evidence::with_changed_blocks;
use noisescope::session::config::Response;

use super::*;

/// Trials of which none counts, since a confidence is required, and outputs that never change.
#[test]
fn a_missing_map_is_explained_by_what_is_missing() {
    let session = with_changed_blocks(1_600, |block| {
        block.dropped = block.trials;
        block.counts.fill(0);
        if let Some(evidence) = &mut block.evidence {
            evidence.squares.fill(0);
        }
    });
    let shown = |response: Response, enlarged: bool| {
        let mut state = showing("Maps", (200, 60));
        enlarge(&mut state, enlarged);
        (state.shared.gamma_index, state.shared.response) = (Some(0), Some(response));
        screen(&session, &state)
    };
    for enlarged in [false, true] {
        let evidence = shown(Response::Evidence, enlarged);
        assert!(evidence.contains("constant"), "{evidence}");
        let decisions = shown(Response::Decision, enlarged);
        assert!(decisions.contains("counts"), "{decisions}");
        for screen in [evidence, decisions] {
            assert!(!screen.contains("Too few"), "{screen}");
            assert!(!screen.contains("No trials yet"), "{screen}");
        }
    }
    let above = "At γ 0.0 no output of the network ever changes.";
    assert!(shown(Response::Evidence, false).contains(above));
    let beside = shown(Response::Decision, true);
    assert!(beside.contains("constant  evidence"), "{beside}");
    // Evidence is made of all trials.
    let mut state = showing("Overview", (200, 60));
    (state.shared.gamma_index, state.shared.response) = (Some(0), Some(Response::Evidence));
    let overview = screen(&session, &state);
    assert!(!overview.contains("γ 0.0  0 trials"), "{overview}");
}

#[test]
fn the_reliability_of_a_map_of_one_pixel_is_not_waited_for() {
    let session = coarse::sized(["left", "right"], (1, 1));
    for size in SIZES {
        for view in ["Overview", "Maps"] {
            let screen = screen(&session, &showing(view, size));
            assert!(!screen.contains("not yet"), "{screen}");
        }
    }
    let overview = screen(&session, &showing("Overview", (120, 40)));
    assert!(overview.contains("no R of 1 pixel"), "{overview}");
    let mut state = showing("Maps", (120, 40));
    press(&session, &mut state, &[KeyCode::Char('t')]);
    let table = screen(&session, &state);
    assert!(!table.contains("no map"), "{table}");
}

#[test]
fn how_many_trials_a_map_lacks_is_said_whole_or_not_at_all() {
    let session = synthetic::accumulating([0, 2_000, 0, 0]);
    let mut said = false;
    for width in (60..=130).step_by(5) {
        let screen = screen(&session, &showing("Maps", (width, 26)));
        for line in screen.lines() {
            for (at, words) in line.match_indices("too few ") {
                let rest = &line[at + words.len()..];
                let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                said |= after.len() < rest.len();
                let is_whole = after.len() == rest.len() || after.starts_with(" of 30");
                assert!(is_whole, "{line}\n{screen}");
            }
        }
    }
    assert!(said);
}
