//! Tests of sessions with more γ than fit in a line.

use noisescope::format::gamma;
use noisescope::session::config;

use super::*;

/// The strengths in a line, as words: without the mark of the chosen one.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace()
        .map(|word| word.trim_start_matches('▸'))
        .collect()
}

#[test]
fn the_chosen_gamma_is_named_wherever_its_maps_are_shown() {
    let session = coarse::session(["left", "right"]);
    for size in SIZES {
        for enlarged in [false, true] {
            for index in 0..coarse::GAMMAS {
                let mut state = showing("Maps", size);
                enlarge(&mut state, enlarged);
                state.shared.gamma_index = Some(index);
                let screen = screen(&session, &state);
                let chosen = format!("▸{}", gamma(coarse::gamma(index)));
                let line = screen.lines().find(|line| line.contains(" γ "));
                let line = line.unwrap_or_default();
                assert!(
                    line.split_whitespace().any(|word| word == chosen),
                    "{chosen} at {size:?}, enlarged {enlarged}\n{screen}"
                );
                // What is left out is marked.
                let first = words(line).contains(&"0.0");
                let last = words(line).contains(&"0.75");
                assert!(first && last || line.contains('…'), "{screen}");
            }
        }
    }
}

#[test]
fn the_overview_names_the_gamma_of_its_maps_or_marks_what_it_leaves_out() {
    let session = coarse::session(["left", "right"]);
    for size in [(60, 18), (80, 24)] {
        for index in [0, 7, coarse::GAMMAS - 1] {
            let mut state = showing("Overview", size);
            state.shared.gamma_index = Some(index);
            let screen = screen(&session, &state);
            let mut lines = screen.lines();
            let line = lines.find(|line| line.trim_start().starts_with("reliable "));
            let line = line.unwrap_or_default();
            let chosen = gamma(coarse::gamma(index));
            assert!(words(line).contains(&chosen.as_str()), "{chosen}\n{screen}");
            assert!(line.contains('…'), "{screen}");
        }
    }
}

#[test]
fn a_backdoor_study_of_many_gammas_names_the_chosen_one() {
    let mut session = everything::session();
    let plans = session.config.analyses.iter_mut();
    for plan in plans {
        if let config::Analysis::Backdoor(study) = plan {
            study.gammas = (0..coarse::GAMMAS).map(coarse::gamma).collect();
        }
    }
    for size in SIZES {
        for index in [0, 9, coarse::GAMMAS - 1] {
            let mut state = showing("Backdoor", size);
            view_state::<BackdoorView>(&mut state).finding = index;
            let screen = screen(&session, &state);
            let chosen = format!("▸{}", gamma(coarse::gamma(index)));
            let line = screen.lines().find(|line| line.contains("network 1 of"));
            let line = line.unwrap_or_default();
            assert!(
                line.split_whitespace().any(|word| word == chosen),
                "{chosen} at {size:?}\n{screen}"
            );
        }
    }
}
