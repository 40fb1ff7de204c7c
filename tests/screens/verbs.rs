//! What one does with what one sees: export, copy, note, again on the next class; jumps; two views.

use noisescope::figure::Figure;
use noisescope::session::config::Response;
use noisescope::session::record::{Analysis, LayerResponses, Note, NoteTarget};
use noisescope::tui::Location;
use noisescope::tui::view::filters::UnitOrder;
use noisescope::tui::view::shards::ShardsView;

use super::*;

fn letters(text: &str) -> Vec<KeyCode> {
    let key = |c| match c {
        '\n' => KeyCode::Enter,
        c => KeyCode::Char(c),
    };
    text.chars().map(key).collect()
}

/// What the last of these keys does.
fn last(session: &Session, state: &mut DashboardState, keys: &str) -> Effect {
    press(session, state, &letters(keys)).pop().expect("a key")
}

fn class_of(effect: &Effect) -> Option<usize> {
    match effect {
        Effect::Export(Figure::Map { class, .. }) => Some(*class),
        _ => None,
    }
}

#[test]
fn the_figure_in_sight_is_exported() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    state.shared.class = 3;
    assert!(matches!(
        last(&session, &mut state, "e"),
        Effect::Export(Figure::Maps { .. })
    ));
    assert_eq!(class_of(&last(&session, &mut state, "\ne")), Some(3));
    let mut state = at("Overview", (120, 40));
    assert!(matches!(
        last(&session, &mut state, "e"),
        Effect::Export(Figure::Maps { .. })
    ));
    // The figure of all classes is the same for the next one: that is not written again.
    assert_eq!(last(&session, &mut state, "."), Effect::Redraw);
    // A view without a figure says so.
    let mut state = at("Backdoor", (120, 40));
    assert_eq!(last(&session, &mut state, "e"), Effect::Redraw);
    assert!(screen(&session, &state).contains("no figure to write"));
}

#[test]
fn what_was_done_is_done_again_on_the_next_class_and_only_right_after() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    state.shared.class = 3;
    last(&session, &mut state, "\ne");
    assert_eq!(class_of(&last(&session, &mut state, ".")), Some(4));
    assert_eq!(class_of(&last(&session, &mut state, ".")), Some(5));
    // Another key in between, and it is the next class alone.
    assert_eq!(last(&session, &mut state, "m."), Effect::Redraw);
    assert_eq!(state.shared.class, 6);
}

#[test]
fn caption_command_and_number_are_copied() {
    let session = evidence::heard(100_000);
    let mut state = at("Maps", (120, 40));
    state.shared.class = 4;
    press(&session, &mut state, &letters("\ny"));
    let shown = screen(&session, &state);
    for words in [
        "c caption",
        "l command line",
        "n number",
        "Evidence image of class 4",
    ] {
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    let Effect::Copy(caption) = last(&session, &mut state, "c") else {
        panic!("a caption is copied")
    };
    // n, γ and the threshold.
    for words in [
        "Evidence image of class 4 at γ = 0.0, from 100,000 trials",
        "Reliability R = ",
        "|z| > ",
        "mnist-paper",
    ] {
        assert!(caption.contains(words), "{words}\n{caption}");
    }
    let Effect::Copy(command) = last(&session, &mut state, "yl") else {
        panic!("a command line is copied")
    };
    assert_eq!(
        command,
        "noisescope attach mnist-paper --view maps --class 4 --closer"
    );
    let Effect::Copy(number) = last(&session, &mut state, "yn") else {
        panic!("a number is copied")
    };
    let shown = screen(&session, &state);
    let value = shown.lines().find(|line| line.contains(" value "));
    assert!(
        value.is_some_and(|line| line.contains(&number)),
        "{number}\n{shown}"
    );
    // The next class, and its number again.
    assert!(matches!(last(&session, &mut state, "."), Effect::Copy(_)));
    assert_eq!(state.shared.class, 5);
    assert_eq!(last(&session, &mut state, "y"), Effect::Redraw);
    press(&session, &mut state, &[KeyCode::Esc]);
    assert_eq!(state.overlay, Overlay::None);
}

#[test]
fn the_number_of_the_cell_that_is_pointed_at_is_copied() {
    let session = everything::session();
    for view in ["Predictions", "Attack"] {
        let mut state = at(view, (120, 40));
        let Effect::Copy(number) = last(&session, &mut state, "yn") else {
            panic!("{view} has a number")
        };
        assert!(
            number.starts_with(|c: char| c.is_ascii_digit()),
            "{view} {number}"
        );
        // The same as it stands on the screen, where it is a count.
        let shown = screen(&session, &state);
        assert!(
            view != "Predictions" || shown.contains(&number),
            "{number}\n{shown}"
        );
    }
}

#[test]
fn a_copied_command_line_comes_back_to_the_same_screen() {
    let session = everything::session();
    for (view, keys) in [
        ("Overview", "l]"),
        ("Maps", "ll]\n"),
        ("Maps", "\n[d"),
        ("Filters", "jlll"),
        ("Filters", "jl\n"),
        ("Modulation", "kl"),
        ("Predictions", "ll"),
    ] {
        let mut there = at(view, (120, 40));
        press(&session, &mut there, &letters(keys));
        let mut here = state((120, 40));
        here.go_to(&there.location(&session), &session)
            .expect("such a place");
        assert_eq!(
            screen(&session, &here),
            screen(&session, &there),
            "{view} {keys}"
        );
    }
}

#[test]
fn a_place_that_is_not_there_is_refused_with_those_that_are() {
    let session = everything::session();
    let refused = |start: Location| state((120, 40)).go_to(&start, &session).unwrap_err();
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
        gamma: Some(0.77),
        ..Location::default()
    });
    assert!(gamma.contains("0.0, 0.1, 0.2, 0.3"), "{gamma}");
}

#[test]
fn a_note_is_typed_kept_shown_and_removed() {
    let mut session = accumulated();
    let mut state = at("Maps", (120, 40));
    state.shared.class = 2;
    press(&session, &mut state, &letters("\na"));
    assert!(screen(&session, &state).contains("on classification image of class 2"));
    let Effect::Send(EngineCommand::Note(note)) = last(&session, &mut state, "odd bar\n") else {
        panic!("the engine is told")
    };
    assert_eq!((note.text.as_str(), note.written), ("odd bar", NOW));
    assert!(matches!(
        note.on,
        NoteTarget::Map {
            class: 2,
            response: Response::Decision,
            ..
        }
    ));
    assert!(screen(&session, &state).contains("noted: classification image of class 2"));
    session.note(note).expect("it fits");
    let shown = screen(&session, &state);
    assert!(shown.contains("note: odd bar"), "{shown}");
    // It is there to be changed; without a change nothing is said.
    press(&session, &mut state, &letters("a"));
    assert_eq!(state.note.typed, "odd bar");
    assert_eq!(last(&session, &mut state, "\n"), Effect::Redraw);
    press(&session, &mut state, &letters("a"));
    for _ in 0..7 {
        press(&session, &mut state, &[KeyCode::Backspace]);
    }
    let Effect::Send(EngineCommand::Note(note)) = last(&session, &mut state, "\n") else {
        panic!("the engine is told")
    };
    assert_eq!(note.text, "");
    session.note(note).expect("it is there");
    assert!(session.record.notes.is_empty());
    // What cannot be kept is told, and stays to be changed.
    let mut fresh = synthetic::new();
    fresh.run = None;
    let mut unbegun = at("Overview", (120, 40));
    press(&fresh, &mut unbegun, &letters("aplan"));
    unbegun.note_subject = NoteTarget::Unit {
        layer: "conv1".into(),
        unit: 0,
    };
    assert_eq!(last(&fresh, &mut unbegun, "\n"), Effect::Redraw);
    assert_eq!(unbegun.overlay, Overlay::Note);
    assert!(screen(&fresh, &unbegun).contains("not noted"));
    // It stays about what it was begun on, whatever the run shows best meanwhile.
    let mut begun = at("Maps", (120, 40));
    press(&session, &mut begun, &letters("\naone"));
    begun.shared.class = 7;
    let Effect::Send(EngineCommand::Note(note)) = last(&session, &mut begun, "\n") else {
        panic!("the engine is told")
    };
    assert!(
        matches!(note.on, NoteTarget::Map { class: 0, .. }),
        "{note:?}"
    );
    // Pasted text is typed where something is typed.
    assert!(!update::paste(&mut begun, "q"));
    press(&session, &mut begun, &letters("a"));
    assert!(update::paste(&mut begun, "two\nlines"));
    assert!(begun.note.typed.ends_with("two lines"));
    // No more is typed than is kept.
    press(&session, &mut state, &letters("a"));
    press(&session, &mut state, &letters(&"x".repeat(300)));
    assert_eq!(state.note.typed.chars().count(), Note::MAX_CHARS);
}

#[test]
fn a_note_is_about_what_is_in_sight() {
    let session = everything::session();
    let on = |view: &str, keys: &str| {
        let mut state = at(view, (120, 40));
        press(&session, &mut state, &letters(keys));
        match last(&session, &mut state, "ax\n") {
            Effect::Send(EngineCommand::Note(note)) => note.on,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(on("Overview", "ll"), NoteTarget::Session);
    let unit = NoteTarget::Unit {
        layer: "conv2".into(),
        unit: 3,
    };
    assert_eq!(on("Filters", "jlll"), unit);
}

#[test]
fn where_no_engine_and_no_file_can_be_told_there_is_no_note() {
    let session = accumulated();
    for connection in [Connection::Connecting, Connection::Watched] {
        let mut state = at("Maps", (120, 40));
        state.shared.connection = connection;
        assert_eq!(last(&session, &mut state, "a"), Effect::None);
    }
}

#[test]
fn jumps_go_to_the_ends_and_to_what_is_typed() {
    let session = everything::session();
    let mut state = at("Maps", (120, 40));
    press(&session, &mut state, &letters("G"));
    assert_eq!(state.shared.class, 9);
    press(&session, &mut state, &[KeyCode::Home]);
    assert_eq!(state.shared.class, 0);
    press(&session, &mut state, &letters("/7\n"));
    assert_eq!(state.shared.class, 7);
    let mut state = at("Filters", (120, 40));
    press(&session, &mut state, &letters("/fc1\nu37\n"));
    let own = of::<FiltersView>(&mut state);
    assert_eq!((own.layer, own.unit), (Some(2), 37));
    assert!(screen(&session, &state).contains("unit 37 of 60, fc1"));
    press(&session, &mut state, &letters("G"));
    assert_eq!(of::<FiltersView>(&mut state).unit, 59);
    press(&session, &mut state, &letters("g"));
    assert_eq!(of::<FiltersView>(&mut state).unit, 0);
    let mut state = at("Backdoor", (120, 40));
    press(&session, &mut state, &letters("/3\n"));
    assert_eq!(of::<BackdoorView>(&mut state).suspect, 2);
    let mut state = at("Attack", (120, 40));
    press(&session, &mut state, &letters("/random\n"));
    assert!(of::<AttackView>(&mut state).pattern > 0);
}

#[test]
fn units_are_sorted_by_reliability_and_silent_ones_hidden() {
    let session = everything::session();
    let mut state = at("Filters", (120, 40));
    assert!(screen(&session, &state).contains("silent"));
    press(&session, &mut state, &letters("x"));
    let shown = screen(&session, &state);
    assert!(shown.contains("2 silent hidden"), "{shown}");
    // Units 6 and 13 are silent: from 5 the next one is 7.
    of::<FiltersView>(&mut state).unit = 5;
    press(&session, &mut state, &letters("l"));
    assert_eq!(of::<FiltersView>(&mut state).unit, 7);
    press(&session, &mut state, &letters("s"));
    assert_eq!(of::<FiltersView>(&mut state).order, UnitOrder::Reliability);
    assert!(screen(&session, &state).contains("by reliability"));
    press(&session, &mut state, &letters("g"));
    let first = screen(&session, &state);
    assert!(first.contains("no. 1 by reliability"), "{first}");
    // Asked for by its number, a silent unit is seen.
    press(&session, &mut state, &letters("u6\n"));
    assert!(screen(&session, &state).contains("Silent: no noise"));
}

#[test]
fn views_open_on_what_shows_most() {
    let session = everything::session();
    let shown = screen(&session, &at("Modulation", (120, 40)));
    assert!(shown.contains("▸conv2"), "its pushes do most\n{shown}");
    // A layer of which nothing is known yet is passed over.
    let mut session = session;
    for analysis in &mut session.record.analyses {
        if let Analysis::SpikeTriggered(own) = analysis {
            let bare = LayerResponses::new("conv0", 4, [1, 3, 3], false, None);
            own.layers.insert(0, bare);
        }
    }
    let shown = screen(&session, &at("Filters", (120, 40)));
    assert!(
        shown.contains("▸conv1") && shown.contains(" conv0"),
        "{shown}"
    );
}

#[test]
fn the_table_of_r_marks_the_gamma_of_every_class() {
    let session = accumulated();
    let mut state = at("Maps", (120, 40));
    press(&session, &mut state, &letters("t"));
    let shown = screen(&session, &state);
    assert!(shown.contains("R of the classification images"), "{shown}");
    let rows: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("▸0.9") || line.contains("▸1.0"))
        .collect();
    assert_eq!(rows.len(), 10, "a mark for every class\n{shown}");
    assert!(shown.contains("the most reliable of each class"));
    // Up and down are classes there, left and right γ.
    press(&session, &mut state, &[KeyCode::Down, KeyCode::Down]);
    assert_eq!(state.shared.class, 2);
    press(&session, &mut state, &[KeyCode::Right]);
    assert!(state.shared.gamma.is_some());
    assert!(screen(&session, &state).contains("for all classes, as chosen"));
    press(&session, &mut state, &letters("b"));
    assert_eq!(state.shared.gamma, None);
    press(&session, &mut state, &[KeyCode::Enter]);
    let own = of::<MapsView>(&mut state);
    assert!(own.enlarged && !own.table);
}

#[test]
fn two_views_stand_side_by_side_and_keys_are_for_one_of_them() {
    let session = everything::session();
    let mut state = at("Maps", (200, 60));
    press(&session, &mut state, &letters("w"));
    let both = screen(&session, &state);
    assert!(
        both.contains("Maps ──") && both.contains("Attack ──"),
        "{both}"
    );
    // Keys are for the first; then for the second, which can be any view.
    press(&session, &mut state, &letters("l"));
    assert_eq!((state.view().name, state.shared.class), ("Maps", 1));
    press(&session, &mut state, &letters("w5"));
    assert_eq!(state.view().name, "Filters");
    let both = screen(&session, &state);
    let line = both.lines().find(|line| line.contains("Maps ──"));
    assert!(
        line.is_some_and(|line| line.contains("Filters ──")),
        "{both}"
    );
    press(&session, &mut state, &letters("l"));
    assert_eq!(of::<FiltersView>(&mut state).unit, 1);
    press(&session, &mut state, &letters("W"));
    assert!(!screen(&session, &state).contains("Filters ──"));
    // Where there is no room for two, there is one.
    let mut small = at("Maps", (120, 40));
    assert_eq!(last(&session, &mut small, "w"), Effect::None);
    let mut state = at("Maps", (200, 60));
    press(&session, &mut state, &letters("w"));
    state.shared.size.width = 100;
    assert!(!screen(&session, &state).contains("Maps ──"));
}

#[test]
fn keys_are_found_by_what_they_do() {
    let session = accumulated();
    let mut state = state((80, 24));
    press(&session, &mut state, &letters("?/layer"));
    let shown = screen(&session, &state);
    assert!(
        shown.contains("the layer above") && !shown.contains("the class above"),
        "{shown}"
    );
    press(&session, &mut state, &[KeyCode::Esc]);
    assert!(state.key_search.typed.is_empty());
    assert_eq!(state.overlay, Overlay::Help(0));
    // The ends of the list, from which one step goes back at once.
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
fn the_list_of_shards_scrolls_and_tells_where_it_is() {
    let session = shards::divided();
    let mut state = shards::at_shards((80, 24));
    assert!(
        screen(&session, &state).contains("1–"),
        "{}",
        screen(&session, &state)
    );
    press(&session, &mut state, &letters("G"));
    let shown = screen(&session, &state);
    assert!(shown.contains("–32 of 32"), "{shown}");
    let at = state.view_of::<ShardsView>().expect("a view").index;
    assert_eq!(at, 31);
    press(&session, &mut state, &letters("/17\n"));
    let shown = screen(&session, &state);
    let chosen = shown
        .lines()
        .find(|line| line.trim_start().starts_with('▸'));
    assert!(chosen.is_some_and(|line| line.contains(" 17 ")), "{shown}");
}

#[test]
fn every_places_of_a_view_are_among_those_where_conflicts_are_looked_for() {
    use noisescope::tui::action::KeyContext;
    let size = (80, 24);
    for view in VIEWS {
        for enlarged in [false, true] {
            let mut state = at(view.name, size);
            enlarge(&mut state, enlarged);
            let mut places = possible::contexts(&state);
            places.retain(|place| *place != KeyContext::Everywhere);
            let covered = KeyContext::TOGETHER
                .iter()
                .any(|together| places.iter().all(|place| together.contains(place)));
            assert!(covered, "{} {places:?}", view.name);
        }
    }
}
