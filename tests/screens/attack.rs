//! Tests of the attack view: its curves, its pictures and its keys.

use noisescope::session::record;
use noisescope::stats::interval::wilson;

use super::*;

/// The words of a screen, one space between them.
fn words(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_rate_at_the_selected_weight_has_its_wilson_interval() {
    let session = experiments::measured();
    let attack: &record::Attack = session.record.first().expect("the plan has an attack");
    let mut state = showing("Attack", (120, 40));
    state.shared.class = ClassId(4);
    view_state::<AttackView>(&mut state).weight = 6;
    let screen = words(&screen(&session, &state));
    for pattern in 0..3 {
        let share = attack
            .targeted(0, pattern, ClassId(4), 6)
            .expect("a success rate");
        let interval = wilson(share.hits, share.total).expect("attacked images");
        let [rate, low, high] =
            [interval.estimate, interval.low, interval.high].map(|share| 100.0 * share);
        let line = format!("{rate:.1} % {low:.1}–{high:.1} % of 900");
        assert!(screen.contains(&line), "{line} is missing from\n{screen}");
    }
}

#[test]
fn keys_select_the_target_weight_pattern_source_and_mean_over_targets() {
    let session = experiments::measured();
    let mut state = showing("Attack", (120, 40));
    let keys = [
        KeyCode::Right,
        KeyCode::Right,
        KeyCode::Char(']'),
        KeyCode::Down,
    ];
    press(&session, &mut state, &keys);
    assert_eq!(state.shared.class, ClassId(2));
    let view = view_state::<AttackView>(&mut state);
    assert_eq!((view.weight, view.pattern), (6, 1));
    let target = screen(&session, &state);
    assert!(
        target.contains("▸target 2") && target.contains("called 2 at w 0.6"),
        "{target}"
    );
    assert!(target.contains("mean image of 2"), "{target}");
    press(
        &session,
        &mut state,
        &[KeyCode::Char('t'), KeyCode::Char('n')],
    );
    let all = screen(&session, &state);
    assert!(
        all.contains("▸mean of all targets") && all.contains("▸noise"),
        "{all}"
    );
    press(&session, &mut state, &[KeyCode::Char(']'); 30]);
    assert_eq!(
        view_state::<AttackView>(&mut state).weight,
        10,
        "the weight stops at the largest"
    );
    press(&session, &mut state, &[KeyCode::Char('['); 30]);
    assert_eq!(view_state::<AttackView>(&mut state).weight, 0);
}

#[test]
fn noise_images_can_be_selected_only_if_the_plan_has_some() {
    let mut session = experiments::measured();
    for plan in &mut session.config.analyses {
        if let session::config::Analysis::Attack(plan) = plan {
            plan.noise_images = 0;
        }
    }
    let mut state = showing("Attack", (120, 40));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('n')]),
        [Effect::None]
    );
    assert!(!screen(&session, &state).contains("images  noise"));
}

#[test]
fn a_class_without_a_classification_image_says_so_and_shows_only_the_image() {
    let session = experiments::measured();
    for size in SIZES {
        let mut state = showing("Attack", size);
        state.shared.class = ClassId(1);
        let screen = screen(&session, &state);
        assert!(screen.contains("too few trials for one"), "{screen}");
        assert!(!screen.contains("NaN"), "{screen}");
    }
}

#[test]
fn the_share_of_mistakes_says_of_which_targets_and_weight() {
    // Every target has the second pattern. The first has been tested on the first four, of which one has none.
    let classes = synthetic::CLASSES;
    for (session, pattern, targets) in [
        (experiments::measured(), 1, format!("all {classes} targets")),
        (
            experiments::attacking(4),
            0,
            format!("3 of {classes} targets"),
        ),
    ] {
        let mut state = showing("Attack", (120, 40));
        let view = view_state::<AttackView>(&mut state);
        (view.weight, view.pattern) = (5, pattern);
        let screen = screen(&session, &state);
        // The sentence is beside the picture.
        let beside: Vec<String> = screen.lines().map(|line| right_of(line, 91)).collect();
        let beside = words(&beside.join("\n"));
        assert!(beside.contains(&format!("Over {targets}, ")), "{screen}");
        assert!(beside.contains("misclassified at w 0.5."), "{screen}");
    }
}

/// The part of a line from this column on.
fn right_of(line: &str, column: usize) -> String {
    line.chars().skip(column).collect()
}

#[test]
fn rates_appear_as_the_attack_progresses() {
    // The first pattern has been tested on targets 0 to 3.
    let session = experiments::attacking(4);
    let mut state = showing("Attack", (120, 40));
    state.shared.class = ClassId(2);
    let tested = screen(&session, &state);
    assert_eq!(tested.matches("nothing yet").count(), 2, "{tested}");
    state.shared.class = ClassId(7);
    let untested = screen(&session, &state);
    assert_eq!(untested.matches("nothing yet").count(), 3, "{untested}");
    // The mean over targets covers only the targets done.
    view_state::<AttackView>(&mut state).target_mean = true;
    assert_eq!(screen(&session, &state).matches("nothing yet").count(), 2);
}

#[test]
fn the_picture_is_the_blend_at_the_selected_weight() {
    let session = experiments::measured();
    let attack: &record::Attack = session.record.first().expect("the plan has an attack");
    let theme = theme();
    let mut state = showing("Attack", (80, 24));
    state.shared.class = ClassId(3);
    let view = view_state::<AttackView>(&mut state);
    (view.weight, view.pattern) = (4, 1);
    let buf = draw(&session, &state, &theme);
    let (left, top) = (0..buf.area.height)
        .flat_map(|y| (0..buf.area.width).map(move |x| (x, y)))
        .find(|&(x, y)| buf[(x, y)].symbol() == "▀")
        .expect("a picture");
    let image = attack.examples[3].image.values();
    let pattern = attack.pattern(1, ClassId(3)).expect("a pattern");
    for (row, column) in [(0, 0), (5, 14), (14, 9), (20, 19)] {
        let pixel = row * 28 + column;
        let value = 0.6 * f32::from(image[pixel]) / 255.0 + 0.4 * pattern[pixel];
        let cell = &buf[(left + column as u16, top + row as u16 / 2)];
        let colour = if row % 2 == 0 { cell.fg } else { cell.bg };
        assert_eq!(colour, theme.palette.sequential(value), "{row} {column}");
    }
}

#[test]
fn curves_are_distinguishable_without_colour() {
    let session = experiments::measured();
    for unicode in [true, false] {
        let theme = Theme::new(Depth::Mono, Background::Dark, unicode);
        let screen = text(&draw(&session, &showing("Attack", (120, 40)), &theme));
        let samples = match unicode {
            true => ["⠒⠒ classification", "⠒⠂ mean image", "⠂⠂ random"],
            false => ["*  classification", "+  mean image", "o  random"],
        };
        for sample in samples {
            assert!(
                screen.contains(sample),
                "{sample} is missing from\n{screen}"
            );
        }
    }
}

#[test]
fn the_overview_counts_the_speed_in_the_unit_of_the_stage_at_work() {
    let session = experiments::attacking(3);
    let screen = screen(&session, &showing("Overview", (120, 40)));
    assert!(screen.contains("queries/s 9,315"), "{screen}");
    assert!(!screen.contains("trials/s"), "{screen}");
}

#[test]
fn the_decision_below_narrow_pictures_names_its_classes_in_full_or_by_number() {
    let session = coloured::session(7);
    for size in [(76, 24), (80, 24), (100, 30), (120, 40), (200, 60)] {
        for class in ClassId::all(7) {
            let mut state = showing("Attack", size);
            state.shared.class = class;
            let screen = screen(&session, &state);
            for line in screen.lines().map(str::trim_end) {
                for cut in ["called", "  the", "  what", "  what it"] {
                    assert!(!line.ends_with(cut), "{cut:?} at {size:?}\n{screen}");
                }
                let is_choice = line.contains("mean of all");
                if line.contains("target ") && !is_choice {
                    assert!(line.ends_with(['%', 't']), "{size:?}\n{screen}");
                }
            }
        }
    }
}
