//! Tests of navigation: locations, jumps, sorted units, the reliability table, two views, and long lists.

use noisescope::session::record::{Analysis, LayerResponses};
use noisescope::tui::Location;
use noisescope::tui::view::filters::UnitOrder;
use noisescope::tui::view::shards::ShardsView;

use super::*;

#[test]
fn a_copied_command_line_leads_back_to_the_same_screen() {
    let session = everything::session();
    for (view, keys) in [
        ("Overview", "l]"),
        ("Maps", "ll]\n"),
        ("Maps", "\n[d"),
        ("Filters", "jlll"),
        ("Filters", "jl\n"),
        ("Modulation", "kl"),
        ("Predictions", "ll"),
        ("Backdoor", "ll\n"),
    ] {
        let mut left = showing(view, (120, 40));
        press(&session, &mut left, &letters(keys));
        let mut reached = state((120, 40));
        reached
            .go_to(&left.location(&session), &session)
            .expect("the location exists");
        assert_eq!(
            screen(&session, &reached),
            screen(&session, &left),
            "{view} {keys}"
        );
    }
}

#[test]
fn an_unknown_location_is_refused_with_the_valid_ones() {
    let session = everything::session();
    let refused = |start: Location| state((120, 40)).open_at(start, &session).unwrap_err();
    let view = refused(Location {
        view: Some("mapz".into()),
        ..Location::default()
    });
    assert!(
        view.contains("`mapz`") && view.contains("overview, training, maps"),
        "{view}"
    );
    let layer = refused(Location {
        view: Some("filters".into()),
        layer: Some("conv9".into()),
        ..Location::default()
    });
    assert!(layer.contains("conv1, conv2, fc1, logits"), "{layer}");
    let unit = refused(Location {
        view: Some("filters".into()),
        layer: Some("conv1".into()),
        unit: Some(20),
        ..Location::default()
    });
    assert!(unit.contains("there are 20"), "{unit}");
    let gamma = refused(Location {
        gamma: Some(Gamma(0.77)),
        ..Location::default()
    });
    assert!(gamma.contains("0.0, 0.1, 0.2, 0.3"), "{gamma}");
}

#[test]
fn a_location_that_does_not_exist_yet_is_gone_to_as_soon_as_it_does() {
    let session = everything::session();
    let begun = Session::new("mnist-paper", session.config.clone());
    let start = Location {
        view: Some("filters".into()),
        layer: Some("fc1".into()),
        unit: Some(37),
        gamma: Some(Gamma(0.3)),
        typed_class: Some("7".into()),
        closer: true,
        ..Location::default()
    };
    let mut waiting = state((120, 40));
    waiting
        .open_at(start.clone(), &begun)
        .expect("it may exist later");
    let output = screen(&begun, &waiting);
    assert_eq!(waiting.view().name, "Filters");
    assert!(output.contains("goes there as soon as it can"), "{output}");
    let footer = output.lines().last().unwrap_or_default();
    assert!(footer.starts_with(" ·"), "no mark of success: {footer}");
    // Once the images have been read, the filters are still missing.
    let mut read = begun.clone();
    read.record.form = session.record.form.clone();
    waiting.go_to_awaited(&read);
    assert_eq!(waiting.shared.class, ClassId(7));
    assert!(waiting.awaited.is_some() && waiting.notice.is_some());
    waiting.go_to_awaited(&session);
    let output = screen(&session, &waiting);
    assert!(output.contains("unit 37 of 60, fc1"), "{output}");
    assert_eq!((waiting.awaited, waiting.notice), (None, None));
    assert!(waiting.shared.gamma_index.is_some());

    // Whoever presses a key stays where they are.
    let mut elsewhere = state((120, 40));
    elsewhere.open_at(start.clone(), &begun).unwrap();
    press(&begun, &mut elsewhere, &letters("1"));
    elsewhere.go_to_awaited(&session);
    assert!(!screen(&session, &elsewhere).contains("unit 37"));

    // A layer that the network turns out not to have is reported, not awaited for ever.
    let mut mistaken = state((120, 40));
    let layer = Some("conv9".to_owned());
    mistaken
        .open_at(Location { layer, ..start }, &begun)
        .unwrap();
    mistaken.go_to_awaited(&session);
    let output = screen(&session, &mistaken);
    let footer = output.lines().last().unwrap_or_default();
    assert!(footer.starts_with(" ▲"), "no mark of failure: {footer}");
    assert!(footer.contains("conv1, conv2, fc1, logits"), "{footer}");
    assert_eq!(mistaken.awaited, None);
}

#[test]
fn an_option_that_a_view_does_not_have_is_refused() {
    let session = everything::session();
    for (view, option) in [
        ("maps", "--unit"),
        ("maps", "--layer"),
        ("modulation", "--unit"),
        ("training", "--closer"),
    ] {
        let start = Location {
            view: Some(view.into()),
            layer: (option == "--layer").then(|| "conv1".into()),
            unit: (option == "--unit").then_some(3),
            closer: option == "--closer",
            ..Location::default()
        };
        let problem = state((120, 40)).open_at(start, &session).unwrap_err();
        assert!(
            problem.contains(view) && problem.contains(option),
            "{problem}"
        );
    }
}

#[test]
fn what_the_plan_does_not_have_is_refused_before_anything_is_measured() {
    let session = everything::session();
    let begun = Session::new("mnist-paper", session.config.clone());
    let refused =
        |session: &Session, start: Location| state((120, 40)).open_at(start, session).unwrap_err();
    let gamma = Location {
        gamma: Some(Gamma(0.77)),
        ..Location::default()
    };
    let problem = refused(&begun, gamma);
    assert!(problem.contains("0.0, 0.1, 0.2, 0.3"), "{problem}");
    let mut maps_alone = begun.clone();
    maps_alone.config.analyses.truncate(1);
    maps_alone.record.analyses.truncate(1);
    for (view, plan) in [("filters", "SpikeTriggered"), ("modulation", "Modulation")] {
        let start = Location {
            view: Some(view.into()),
            layer: Some("conv1".into()),
            ..Location::default()
        };
        let problem = refused(&maps_alone, start);
        assert!(problem.contains(plan), "{problem}");
    }
}

#[test]
fn jumps_go_to_the_ends_and_to_typed_names_and_numbers() {
    let session = everything::session();
    let mut state = showing("Maps", (120, 40));
    press(&session, &mut state, &letters("G"));
    assert_eq!(state.shared.class, ClassId(9));
    press(&session, &mut state, &[KeyCode::Home]);
    assert_eq!(state.shared.class, ClassId(0));
    press(&session, &mut state, &letters("/7\n"));
    assert_eq!(state.shared.class, ClassId(7));
    let mut state = showing("Filters", (120, 40));
    press(&session, &mut state, &letters("/fc1\nu37\n"));
    let view = view_state::<FiltersView>(&mut state);
    assert_eq!((view.layer, view.unit), (Some(2), 37));
    assert!(screen(&session, &state).contains("unit 37 of 60, fc1"));
    press(&session, &mut state, &letters("G"));
    assert_eq!(view_state::<FiltersView>(&mut state).unit, 59);
    press(&session, &mut state, &letters("g"));
    assert_eq!(view_state::<FiltersView>(&mut state).unit, 0);
    let mut state = showing("Backdoor", (120, 40));
    press(&session, &mut state, &letters("/3\n"));
    assert_eq!(view_state::<BackdoorView>(&mut state).suspect, 2);
    let mut state = showing("Attack", (120, 40));
    press(&session, &mut state, &letters("/random\n"));
    assert!(view_state::<AttackView>(&mut state).pattern > 0);
}

#[test]
fn units_can_be_sorted_by_reliability_and_silent_ones_hidden() {
    let session = everything::session();
    let mut state = showing("Filters", (120, 40));
    assert!(screen(&session, &state).contains("silent"));
    press(&session, &mut state, &letters("x"));
    let output = screen(&session, &state);
    assert!(output.contains("2 silent hidden"), "{output}");
    // Units 6 and 13 are silent: from 5 the next one is 7.
    view_state::<FiltersView>(&mut state).unit = 5;
    press(&session, &mut state, &letters("l"));
    assert_eq!(view_state::<FiltersView>(&mut state).unit, 7);
    press(&session, &mut state, &letters("s"));
    assert_eq!(
        view_state::<FiltersView>(&mut state).order,
        UnitOrder::Reliability
    );
    assert!(screen(&session, &state).contains("by reliability"));
    press(&session, &mut state, &letters("g"));
    let first = screen(&session, &state);
    assert!(first.contains("no. 1 by reliability"), "{first}");
    // A hidden silent unit can still be reached by its number.
    press(&session, &mut state, &letters("u6\n"));
    assert!(screen(&session, &state).contains("Silent: no noise"));
}

#[test]
fn layer_views_open_on_the_most_informative_layer() {
    let session = everything::session();
    let output = screen(&session, &showing("Modulation", (120, 40)));
    assert!(
        output.contains("▸conv2"),
        "pushes have the largest effect in conv2\n{output}"
    );
    // A layer without data is skipped.
    let mut session = session;
    for analysis in &mut session.record.analyses {
        if let Analysis::SpikeTriggered(record) = analysis {
            let empty = LayerResponses::new("conv0", 4, [1, 3, 3], false, None);
            record.layers.insert(0, empty);
        }
    }
    let output = screen(&session, &showing("Filters", (120, 40)));
    assert!(
        output.contains("▸conv1") && output.contains(" conv0"),
        "{output}"
    );
}

#[test]
fn the_reliability_table_marks_the_gamma_of_every_class() {
    let session = accumulated();
    let mut state = showing("Maps", (120, 40));
    press(&session, &mut state, &letters("t"));
    let output = screen(&session, &state);
    assert!(
        output.contains("R of the classification images"),
        "{output}"
    );
    let rows: Vec<&str> = output
        .lines()
        .filter(|line| line.contains("▸0.9") || line.contains("▸1.0"))
        .collect();
    assert_eq!(rows.len(), 10, "one mark per class\n{output}");
    assert!(output.contains("the most reliable of each class"));
    // In the table, up and down select the class, left and right γ.
    press(&session, &mut state, &[KeyCode::Down, KeyCode::Down]);
    assert_eq!(state.shared.class, ClassId(2));
    press(&session, &mut state, &[KeyCode::Right]);
    assert!(state.shared.gamma_index.is_some());
    assert!(screen(&session, &state).contains("for all classes, as chosen"));
    press(&session, &mut state, &letters("b"));
    assert_eq!(state.shared.gamma_index, None);
    press(&session, &mut state, &[KeyCode::Enter]);
    let view = view_state::<MapsView>(&mut state);
    assert!(view.enlarged && !view.table);
}

#[test]
fn two_views_share_the_screen_and_keys_go_to_one_of_them() {
    let session = everything::session();
    let mut state = showing("Maps", (200, 60));
    press(&session, &mut state, &letters("w"));
    let both = screen(&session, &state);
    assert!(
        both.contains("Maps ──") && both.contains("Attack ──"),
        "{both}"
    );
    // Keys go to the first view; after w to the second, which can be any view.
    press(&session, &mut state, &letters("l"));
    assert_eq!(
        (state.view().name, state.shared.class),
        ("Maps", ClassId(1))
    );
    press(&session, &mut state, &letters("w5"));
    assert_eq!(state.view().name, "Filters");
    let both = screen(&session, &state);
    let line = both.lines().find(|line| line.contains("Maps ──"));
    assert!(
        line.is_some_and(|line| line.contains("Filters ──")),
        "{both}"
    );
    press(&session, &mut state, &letters("l"));
    assert_eq!(view_state::<FiltersView>(&mut state).unit, 1);
    press(&session, &mut state, &letters("W"));
    assert!(!screen(&session, &state).contains("Filters ──"));
    // A narrow screen shows only one view.
    let mut small = showing("Maps", (120, 40));
    assert_eq!(last_effect(&session, &mut small, "w"), Effect::None);
    let mut state = showing("Maps", (200, 60));
    press(&session, &mut state, &letters("w"));
    state.shared.size.width = 100;
    assert!(!screen(&session, &state).contains("Maps ──"));
}

#[test]
fn of_two_views_the_one_beside_becomes_active_in_its_place_and_none_is_shown_twice() {
    let session = everything::session();
    let names = |state: &DashboardState| -> Vec<String> {
        let screen = screen(&session, state);
        let line = screen.lines().find(|line| line.contains(" ──"));
        let words = line.unwrap_or_default().split(['─', ' ']);
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut state = showing("Maps", (200, 60));
    press(&session, &mut state, &letters("w"));
    assert_eq!(names(&state), ["Maps", "Attack"]);
    for (keys, active) in [("4", "Attack"), ("3", "Maps")] {
        press(&session, &mut state, &letters(keys));
        assert_eq!(state.view().name, active);
        assert_eq!(names(&state), ["Maps", "Attack"]);
    }
    for (key, active) in [(KeyCode::Tab, "Attack"), (KeyCode::BackTab, "Maps")] {
        press(&session, &mut state, &[key]);
        assert_eq!(state.view().name, active);
        assert_eq!(names(&state), ["Maps", "Attack"]);
    }
    press(&session, &mut state, &letters("1"));
    assert_eq!(names(&state), ["Overview", "Attack"]);
}

#[test]
fn keys_can_be_searched_by_what_they_do() {
    let session = accumulated();
    let mut state = state((80, 24));
    press(&session, &mut state, &letters("?/layer"));
    let output = screen(&session, &state);
    assert!(
        output.contains("the layer above") && !output.contains("the class above"),
        "{output}"
    );
    press(&session, &mut state, &[KeyCode::Esc]);
    assert!(state.key_search.typed.is_empty());
    assert_eq!(state.overlay, Overlay::Help(0));
    // The ends of the list: a step back from an end scrolls at once.
    press(&session, &mut state, &letters("G"));
    let end = state.overlay;
    press(&session, &mut state, &letters("j"));
    assert_eq!(state.overlay, end);
    press(&session, &mut state, &letters("k"));
    assert_ne!(state.overlay, end);
    press(&session, &mut state, &letters("g"));
    assert_eq!(state.overlay, Overlay::Help(0));
}

#[test]
fn the_list_of_shards_scrolls_and_shows_its_position() {
    let session = shards::divided();
    let mut state = shards::showing_shards((80, 24));
    assert!(
        screen(&session, &state).contains("1–"),
        "{}",
        screen(&session, &state)
    );
    press(&session, &mut state, &letters("G"));
    let output = screen(&session, &state);
    assert!(output.contains("–32 of 32"), "{output}");
    // The last in order is the last of those that are done.
    let chosen = state.view_of::<ShardsView>().expect("a view").chosen;
    assert_eq!(chosen, Some(28));
    press(&session, &mut state, &letters("/17\n"));
    let output = screen(&session, &state);
    let selected = output
        .lines()
        .find(|line| line.trim_start().starts_with('▸'));
    assert!(
        selected.is_some_and(|line| line.contains(" 17 ")),
        "{output}"
    );
}
