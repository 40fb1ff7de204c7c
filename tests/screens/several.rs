//! Tests of sessions with several experiments of one kind: the key that steps through them, their titles, their
//! figures and locations, and following the run.

use noisescope::figure::Figure;
use noisescope::session::record::{Analysis, Record, SavedState};
use noisescope::tui::Location;
use noisescope::tui::copying::figure_in;

use super::*;

/// The views of one kind of experiment, each with its title's name for it.
const KINDS: [(&str, &str); 6] = [
    ("Attack", "attack"),
    ("Filters", "analysis"),
    ("Modulation", "modulation"),
    ("Backdoor", "study"),
    ("Audit", "audit"),
    ("Predictions", "predictions"),
];

/// The stage of the second attack: training and seven analyses come before it.
const SECOND_ATTACK: usize = 8;

/// A session with two experiments of each kind after the classification images. The second ones differ from the first.
fn doubled() -> Session {
    let (once, audited) = (everything::session(), audit::audited(true));
    let mut config = once.config.clone();
    config.analyses.extend(audited.config.analyses.clone());
    let mut analyses = once.record.analyses.clone();
    analyses.extend(audited.record.analyses.clone());
    for index in 1..analyses.len() {
        config.analyses.push(config.analyses[index].clone());
        analyses.push(changed(analyses[index].clone()));
    }
    let mut session = Session::new("mnist-paper", config);
    session.record = Record {
        analyses,
        ..once.record
    };
    session
}

/// The same experiment with other results.
fn changed(mut analysis: Analysis) -> Analysis {
    match &mut analysis {
        Analysis::Attack(attack) => attack.gamma = Some(Gamma(0.1)),
        Analysis::SpikeTriggered(spikes) => drop(spikes.layers.remove(0)),
        Analysis::Modulation(modulation) => drop(modulation.layers.remove(0)),
        Analysis::Backdoor(backdoor) => backdoor.networks.reverse(),
        Analysis::Audit(audit) => audit.pasted.truncate(1),
        Analysis::Predictions(predictions) => predictions.splits[0].counts[0] += 17,
        Analysis::ClassificationImages(_) | Analysis::Templates(_) => {}
    }
    analysis
}

/// The same session with a run at this stage.
fn working(stage: usize) -> Session {
    let mut session = doubled();
    session.run = Some(synthetic::run(Phase::Working(stage)));
    synthetic::with_stages(session)
}

#[test]
fn a_key_steps_through_the_experiments_of_a_kind_and_the_title_says_which_is_shown() {
    let session = doubled();
    for (view, noun) in KINDS {
        let mut state = showing(view, (120, 40));
        let first = screen(&session, &state);
        assert!(first.contains(&format!("{noun} 1 of 2")), "{first}");
        assert!(first.contains("N experiment"), "{first}");
        press(&session, &mut state, &[KeyCode::Char('N')]);
        let second = screen(&session, &state);
        assert!(second.contains(&format!("{noun} 2 of 2")), "{second}");
        let others = |screen: &str| screen.replace("1 of 2", "2 of 2");
        assert_ne!(others(&first), second, "{view} shows other results");
        press(&session, &mut state, &[KeyCode::Char('N')]);
        assert_eq!(screen(&session, &state), first);
    }
}

#[test]
fn the_place_among_several_experiments_fits_on_every_screen() {
    let session = doubled();
    for size in SIZES {
        for (view, _) in KINDS {
            let mut state = showing(view, size);
            press(&session, &mut state, &[KeyCode::Char('N')]);
            let screen = screen(&session, &state);
            assert!(screen.contains("2 of 2 "), "{view}\n{screen}");
        }
    }
}

#[test]
fn with_one_experiment_of_a_kind_the_key_does_nothing() {
    let session = everything::session();
    for (view, noun) in KINDS {
        let mut state = showing(view, (120, 40));
        let before = screen(&session, &state);
        assert!(!before.contains(&format!("{noun} 1 of")), "{before}");
        let effects = press(&session, &mut state, &[KeyCode::Char('N')]);
        assert_eq!(effects, [Effect::None], "{view}");
        assert_eq!(screen(&session, &state), before);
    }
}

#[test]
fn the_list_of_keys_has_the_key_for_several_experiments() {
    let help = |session: &Session, view: &str| {
        let mut state = showing(view, (120, 40));
        state.key_search.typed = "next experiment".into();
        state.overlay = Overlay::Help(0);
        screen(session, &state)
    };
    let words = "N  the next experiment of this kind";
    for view in ["Overview", "Attack"] {
        let several = help(&doubled(), view);
        assert!(
            several.contains(words) && !several.contains("not now"),
            "{several}"
        );
        let single = help(&everything::session(), view);
        assert!(single.contains(&format!("{words} (not now)")), "{single}");
    }
}

#[test]
fn figure_and_command_line_are_those_of_the_experiment_shown() {
    let session = doubled();
    for (view, _) in KINDS {
        let mut state = showing(view, (120, 40));
        press(&session, &mut state, &[KeyCode::Char('N')]);
        let figure = figure_in(&state, &session);
        assert_eq!(figure.as_ref().map(Figure::nth), Some(1), "{view}");
        let location = state.location(&session);
        assert_eq!(location.experiment, Some(1), "{view}");
        let command = location.command("noisescope", "mine");
        assert!(command.contains("--experiment 2"), "{command}");
        let mut reached = self::state((120, 40));
        reached.go_to(&location, &session).unwrap();
        assert_eq!(screen(&session, &reached), screen(&session, &state));
    }
    let alone = showing("Attack", (120, 40)).location(&everything::session());
    assert_eq!(alone.experiment, None);
}

#[test]
fn an_experiment_that_the_plan_lacks_is_refused_with_how_many_there_are() {
    let session = doubled();
    let refused = |view: &str| {
        let start = Location {
            view: Some(view.into()),
            experiment: Some(2),
            ..Location::default()
        };
        state((120, 40)).open_at(start, &session).unwrap_err()
    };
    assert_eq!(refused("attack"), "there is no attack 3; the plan has 2");
    let overview = refused("overview");
    assert!(overview.contains("leave out --experiment"), "{overview}");
}

#[test]
fn a_view_follows_the_experiment_that_runs_until_another_is_chosen() {
    let mut state = showing("Attack", (120, 40));
    update::renewed(&mut state, &working(2));
    assert!(screen(&working(2), &state).contains("attack 1 of 2"));
    let second = working(SECOND_ATTACK);
    update::renewed(&mut state, &second);
    assert!(screen(&second, &state).contains("attack 2 of 2"));
    // A stage of another kind leaves it where it is.
    update::renewed(&mut state, &working(SECOND_ATTACK + 1));
    assert!(screen(&second, &state).contains("attack 2 of 2"));
    press(&second, &mut state, &[KeyCode::Char('N')]);
    update::renewed(&mut state, &second);
    assert!(screen(&second, &state).contains("attack 1 of 2"));
    // Without a run the first is shown.
    let mut later = showing("Attack", (120, 40));
    update::renewed(&mut later, &doubled());
    assert!(screen(&doubled(), &later).contains("attack 1 of 2"));
}

#[test]
fn a_choice_within_an_experiment_keeps_it_while_the_next_one_runs() {
    let (first, second) = (working(2), working(SECOND_ATTACK));
    let mut state = showing("Attack", (120, 40));
    update::renewed(&mut state, &first);
    press(&first, &mut state, &[KeyCode::Char(']')]);
    update::renewed(&mut state, &second);
    let kept = screen(&second, &state);
    assert!(kept.contains("attack 1 of 2"), "{kept}");
}

#[test]
fn maps_follow_the_noise_that_runs_until_another_or_a_gamma_is_chosen() {
    let at = |stage: usize| {
        let mut session = experiments::measured();
        session.run.as_mut().expect("a run").phase = Phase::Working(stage);
        session
    };
    let mut state = showing("Maps", (120, 40));
    update::renewed(&mut state, &at(2));
    assert!(screen(&at(2), &state).contains("binary noise, 2 of 2"));
    press(&at(2), &mut state, &[KeyCode::Char('N')]);
    update::renewed(&mut state, &at(2));
    assert!(screen(&at(2), &state).contains("uniform noise, 1 of 2"));
    let mut chosen = showing("Maps", (120, 40));
    press(&at(1), &mut chosen, &[KeyCode::Char(']')]);
    update::renewed(&mut chosen, &at(2));
    assert!(screen(&at(2), &chosen).contains("uniform noise, 1 of 2"));
}

#[test]
fn an_experiment_of_several_that_has_not_begun_says_which_it_is() {
    let mut session = doubled();
    let index = SECOND_ATTACK - 1;
    session.record.analyses[index] = Analysis::new(&session.config.analyses[index]);
    session.record.state = SavedState::Stopped;
    let mut state = showing("Attack", (120, 40));
    press(&session, &mut state, &[KeyCode::Char('N')]);
    let screen = screen(&session, &state);
    assert!(
        screen.contains("attack 2 of 2") && screen.contains("Nothing yet"),
        "{screen}"
    );
}

#[test]
fn an_experiment_that_had_nothing_to_measure_does_not_wait_for_its_turn() {
    let mut session = everything::session();
    let plans = session.config.analyses.iter();
    for (plan, analysis) in plans.zip(&mut session.record.analyses) {
        if matches!(analysis, Analysis::Attack(_)) {
            *analysis = Analysis::new(plan);
        }
    }
    for view in ["Attack", "Overview"] {
        let screen = screen(&session, &showing(view, (200, 60)));
        assert!(screen.contains("had nothing to measure"), "{screen}");
        let waits = screen.contains("its turn") || screen.contains("Run the session");
        assert!(!waits, "{screen}");
    }
}
