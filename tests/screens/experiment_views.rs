//! Tests of the views of filters, modulation and backdoors, and of the picture that a key shows.

use noisescope::ids::BlockIndex;
use noisescope::session::record;

use super::golden::{golden, without_pixels};
use super::*;

fn session() -> Session {
    everything::session()
}

/// A view after a change of its state.
fn screen_after(view: &str, size: (u16, u16), change: impl FnOnce(&mut DashboardState)) -> String {
    let mut state = showing(view, size);
    change(&mut state);
    screen(&session(), &state)
}

#[test]
fn filters_modulation_and_backdoor_match_their_golden_screens_at_every_size() {
    let session = session();
    for size in SIZES {
        for (name, view, class) in [
            ("filters", "Filters", ClassId(0)),
            ("modulation", "Modulation", ClassId(3)),
            ("backdoor", "Backdoor", ClassId(9)),
        ] {
            let mut state = showing(view, size);
            state.shared.class = class;
            let screen = without_pixels(&screen(&session, &state));
            golden(&format!("{name}-{}x{}", size.0, size.1), &screen);
        }
    }
}

#[test]
fn an_enlarged_unit_and_z_map_match_their_golden_screens() {
    let session = session();
    for (name, view) in [("unit", "Filters"), ("window", "Backdoor")] {
        let mut state = showing(view, (120, 40));
        enlarge(&mut state, true);
        state.shared.class = ClassId(9);
        view_state::<FiltersView>(&mut state).unit = 3;
        golden(
            &format!("{name}-120x40"),
            &without_pixels(&screen(&session, &state)),
        );
    }
}

#[test]
fn an_enlarged_z_map_says_if_its_pixels_are_averaged() {
    for (size, is_averaged) in [((100, 18), true), ((120, 40), false)] {
        let screen = screen_after("Backdoor", size, |state| {
            enlarge(state, true);
            state.shared.class = ClassId(9);
        });
        assert_eq!(screen.contains("averaged"), is_averaged, "{screen}");
    }
}

#[test]
fn an_average_over_wide_fields_keeps_their_proportions() {
    let mut session = session();
    let spikes: &mut record::SpikeTriggered = experiments::record_of(&mut session);
    spikes.layers[2].receptive_field = (1, 784);
    let mut state = showing("Filters", (120, 40));
    enlarge(&mut state, true);
    let view = view_state::<FiltersView>(&mut state);
    (view.layer, view.unit) = (Some(2), 3);
    let screen = screen(&session, &state);
    let rows = screen.lines().filter(|line| line.contains("▀▀▀▀▀▀▀▀"));
    assert_eq!(rows.count(), 1, "{screen}");
}

#[test]
fn a_unit_that_fires_is_not_called_silent_because_its_kernel_is_constant() {
    let mut session = session();
    let spikes: &mut record::SpikeTriggered = experiments::record_of(&mut session);
    spikes.layers[0].kernel.values_mut().fill(0.5);
    let mut state = showing("Filters", (120, 40));
    enlarge(&mut state, true);
    let view = view_state::<FiltersView>(&mut state);
    (view.layer, view.unit) = (Some(0), 3);
    let screen = screen(&session, &state);
    assert!(screen.contains("kernel r     none"), "{screen}");
    assert!(screen.contains("one of them is constant"), "{screen}");
    assert!(!screen.contains("it is silent"), "{screen}");
}

#[test]
fn a_change_of_100_points_is_apart_from_the_name_of_its_class() {
    let mut session = session();
    let modulation: &mut record::Modulation = experiments::record_of(&mut session);
    let (strengths, gammas) = (modulation.strengths.len(), modulation.gammas.len());
    for layer in &mut modulation.layers {
        // Shown, correct and called, of ten classes each.
        let counts = layer.counts.values_mut().chunks_exact_mut(30);
        for (index, counts) in counts.enumerate() {
            let is_pushed = modulation.strengths[index / gammas % strengths] != 0;
            let (shown, others) = counts.split_at_mut(10);
            for (correct, shown) in others.iter_mut().zip(shown) {
                *correct = if is_pushed { 0 } else { *shown };
            }
        }
    }
    let mut state = showing("Modulation", (60, 18));
    // All strengths have the same effect but that of none.
    view_state::<ModulationView>(&mut state).strength = Some(0);
    let screen = screen(&session, &state);
    for class in 0..10 {
        let row = format!("class {class} −100 −100");
        assert!(screen.contains(&row), "{row}\n{screen}");
    }
    let row = screen.lines().find(|line| line.contains("class 9"));
    assert_eq!(row.map(|row| row.matches("−100").count()), Some(10));
}

#[test]
fn without_colour_no_cell_has_one_and_without_unicode_all_are_ascii() {
    let session = session();
    for view in ["Filters", "Modulation", "Backdoor"] {
        for unicode in [true, false] {
            let mono = Theme::new(Depth::Mono, Background::Dark, unicode);
            let buf = draw(&session, &showing(view, (120, 40)), &mono);
            for cell in &buf.content {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{view}");
                assert!(
                    unicode || cell.symbol().is_ascii(),
                    "{view} {:?}",
                    cell.symbol()
                );
            }
        }
    }
}

#[test]
fn a_silent_unit_is_labelled() {
    let screen = screen_after("Filters", (120, 40), |state| {
        view_state::<FiltersView>(state).unit = 6
    });
    assert!(
        screen.contains("Silent: no noise ever made it fire"),
        "{screen}"
    );
    assert!(screen.contains("2 silent"), "{screen}");
}

/// What is said of silence is about the stimuli whose average is shown, or should be.
#[test]
fn a_unit_that_noise_leaves_silent_may_have_an_average_on_images() {
    let mut session = session();
    let spikes: &mut record::SpikeTriggered = experiments::record_of(&mut session);
    let mut driven = record::LayerResponses::new("conv1", 2, [1, 3, 3], false, None);
    let responses = |fired: [i64; 2]| record::BlockResponses {
        fields: 100,
        fired: fired.to_vec(),
        activation: fired.map(|count| 1000 * count).to_vec(),
        magnitude: fired.map(|count| 1000 * count).to_vec(),
        stimulus: vec![0; 9],
        weighted: fired.iter().flat_map(|count| [100 * count; 9]).collect(),
    };
    for block in BlockIndex::first(2) {
        driven.add_noise(block, &responses([0, 0]));
        driven.add_images(block, &responses([50, 0]));
    }
    spikes.layers[0] = driven;
    let mut state = showing("Filters", (120, 40));
    for (unit, stimuli, wanted) in [
        (0, Stimuli::Noise, "Silent: no noise ever made it fire"),
        (
            0,
            Stimuli::Images,
            "No noise ever made it fire, but images do.",
        ),
        (1, Stimuli::Images, "Silent: no image ever made it fire"),
    ] {
        let view = view_state::<FiltersView>(&mut state);
        (view.layer, view.unit, view.stimuli) = (Some(0), unit, stimuli);
        let screen = screen(&session, &state);
        assert!(screen.contains(wanted), "{wanted}\n{screen}");
    }
}

#[test]
fn a_unit_shows_its_average_its_kernel_and_their_correlation() {
    let screen = screen_after("Filters", (120, 40), |state| {
        view_state::<FiltersView>(state).unit = 2
    });
    for part in [
        "unit 2 of 20, conv1",
        "average on noise",
        "kernel r",
        "gradient r",
        "reliability",
    ] {
        assert!(screen.contains(part), "{part} is missing from\n{screen}");
    }
    let images = screen_after("Filters", (120, 40), |state| {
        view_state::<FiltersView>(state).stimuli = Stimuli::Images;
    });
    assert!(images.contains("not whitened") && images.contains("average on images"));
    // Beside an average on images, the numbers about that on noise say so.
    let reliability = images.lines().find(|line| line.contains("reliability"));
    assert!(
        reliability.is_some_and(|line| line.ends_with("on noise")),
        "{images}"
    );
}

#[test]
fn the_title_above_averages_on_images_has_no_comma_without_a_number() {
    for width in (60..=100).step_by(8) {
        let screen = screen_after("Filters", (width, 18), |state| {
            view_state::<FiltersView>(state).stimuli = Stimuli::Images;
        });
        let mut lines = screen.lines();
        let title = lines.find(|line| line.contains("▸training images"));
        let title = title.unwrap_or_default();
        assert!(title.contains("images") && !title.contains(" ,"), "{title}");
    }
}

#[test]
fn the_selected_unit_stays_visible_among_many() {
    for unit in [0, 30, 59] {
        let screen = screen_after("Filters", (80, 24), |state| {
            let view = view_state::<FiltersView>(state);
            (view.layer, view.unit) = (Some(2), unit);
        });
        assert!(screen.contains(&format!("▸{unit}")), "{unit}\n{screen}");
    }
}

#[test]
fn keys_select_units_layers_and_stimuli() {
    let session = session();
    let mut state = showing("Filters", (120, 40));
    press(
        &session,
        &mut state,
        &[KeyCode::Right, KeyCode::Right, KeyCode::Down],
    );
    let view = view_state::<FiltersView>(&mut state);
    assert_eq!((view.layer, view.unit), (Some(1), 0));
    press(
        &session,
        &mut state,
        &[KeyCode::Right, KeyCode::PageDown, KeyCode::Char('n')],
    );
    assert!(view_state::<FiltersView>(&mut state).unit > 1);
    assert!(screen(&session, &state).contains("▸training images"));
    press(&session, &mut state, &[KeyCode::Enter]);
    assert!(view_state::<FiltersView>(&mut state).enlarged);
    assert!(screen(&session, &state).contains("of 50, conv2"));
}

#[test]
fn modulation_shows_the_effect_of_a_push_on_every_class() {
    let strongest = screen_after("Modulation", (120, 40), |state| {
        state.shared.class = ClassId(3);
        view_state::<ModulationView>(state).layer = Some(1);
    });
    assert!(strongest.contains("strength −10") && strongest.contains("▸class 3"));
    let none = screen_after("Modulation", (120, 40), |state| {
        let view = view_state::<ModulationView>(state);
        (view.layer, view.strength) = (Some(1), Some(10));
    });
    assert!(none.contains("no push"), "{none}");
    let row = none
        .lines()
        .find(|line| line.contains("class 3 "))
        .unwrap_or_default();
    assert!(!row.contains('+') && !row.contains('−'), "{row}");
}

#[test]
fn a_backdoor_is_reported_with_its_window_and_index() {
    let show = |suspect, finding| {
        screen_after("Backdoor", (120, 40), |state| {
            state.shared.class = ClassId(9);
            let view = view_state::<BackdoorView>(state);
            (view.suspect, view.finding) = (suspect, finding);
        })
    };
    let poisoned = show(0, 1);
    let sentence = "class 9 reacts to a patch at rows 1–6, columns 21–26: index 8.1";
    assert!(poisoned.contains(sentence), "{poisoned}");
    let clean = show(2, 1);
    assert!(clean.contains("no class stands out"), "{clean}");
    let inconclusive = show(2, 0);
    assert!(
        inconclusive.contains("No conclusion at γ 0.0: every one of 300 k trials was called 8"),
        "{inconclusive}"
    );
    assert!(
        poisoned.contains("area under the ROC curve 1.00"),
        "{poisoned}"
    );
}

#[test]
fn the_backdoor_opens_at_the_gamma_that_represents_the_study() {
    let mut session = session();
    for analysis in &mut session.record.analyses {
        if let record::Analysis::Backdoor(study) = analysis {
            for network in &mut study.networks {
                // At the larger γ every network calls everything one class.
                let finding = &mut network.findings[1];
                finding.windows.fill(None);
                for (class, called) in finding.called.iter_mut().enumerate() {
                    *called = 300_000 * u64::from(class == 8);
                }
            }
        }
    }
    let mut state = showing("Backdoor", (120, 40));
    let opened = screen(&session, &state);
    assert!(
        opened.contains("▸0.0") && opened.contains("index 8.1"),
        "{opened}"
    );
    press(&session, &mut state, &[KeyCode::Char(']')]);
    let stronger = screen(&session, &state);
    assert!(stronger.contains("No conclusion at γ 0.3"), "{stronger}");
}

#[test]
fn on_a_narrow_screen_the_backdoor_keeps_its_index_and_what_is_left_out_is_marked() {
    let show = |suspect, finding, size| {
        screen_after("Backdoor", size, |state| {
            state.shared.class = ClassId(9);
            let view = view_state::<BackdoorView>(state);
            (view.suspect, view.finding) = (suspect, finding);
        })
    };
    let poisoned = show(0, 1, (60, 18));
    let sentence = "class 9, rows 1–6, columns 21–26: index 8.1 (true)";
    assert!(poisoned.contains(sentence), "{poisoned}");
    for size in [(60, 18), (80, 24)] {
        let inconclusive = show(2, 0, size);
        let line = inconclusive
            .lines()
            .find(|line| line.contains("No conclusion"));
        assert!(
            line.is_some_and(|line| line.trim_end().ends_with('…')),
            "{inconclusive}"
        );
    }
    // A higher screen has a second line for it.
    let higher = show(2, 0, (80, 40));
    assert!(
        higher.contains("300 k trials was called 8") && higher.contains("be compared."),
        "{higher}"
    );
}

#[test]
fn the_picture_is_offered_if_the_session_has_one() {
    let session = session();
    for view in [
        "Overview",
        "Training",
        "Maps",
        "Attack",
        "Filters",
        "Modulation",
        "Backdoor",
        "Predictions",
    ] {
        let mut state = showing(view, (120, 40));
        let effect = press(&session, &mut state, &[KeyCode::Char('i')]);
        assert_eq!(effect, [Effect::Show], "{view}");
        // A wide footer has room for every key; the palette lists it at any size.
        let wide = showing(view, (200, 60));
        assert!(screen(&session, &wide).contains("i picture"), "{view}");
        let commands = possible::fitting("picture at full", &state, &session);
        assert!(!commands.is_empty(), "{view}");
        let mut state = showing(view, (120, 40));
        let effect = press(&synthetic::new(), &mut state, &[KeyCode::Char('i')]);
        assert_eq!(effect, [Effect::None], "{view}");
    }
}
