//! The attack: what its curves, its pictures and its keys say.

use noisescope::session::record;
use noisescope::stats::interval::wilson;

use super::*;

fn words(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_rate_at_the_chosen_weight_stands_with_its_wilson_interval() {
    let session = experiments::measured();
    let attack: &record::Attack = session.record.first().expect("it is planned");
    let mut state = at("Attack", (120, 40));
    state.shared.class = 4;
    of::<AttackView>(&mut state).weight = 6;
    let screen = words(&screen(&session, &state));
    for pattern in 0..3 {
        let share = attack.targeted(0, pattern, 4, 6).expect("it is there");
        let own = wilson(share.hits, share.total).expect("there are images");
        let [rate, low, high] = [own.estimate, own.low, own.high].map(|share| 100.0 * share);
        let line = format!("{rate:.1} % {low:.1}–{high:.1} % of 900");
        assert!(screen.contains(&line), "{line} is not on\n{screen}");
    }
}

#[test]
fn keys_choose_target_weight_pattern_source_and_all_targets() {
    let session = experiments::measured();
    let mut state = at("Attack", (120, 40));
    let keys = [
        KeyCode::Right,
        KeyCode::Right,
        KeyCode::Char(']'),
        KeyCode::Down,
    ];
    press(&session, &mut state, &keys);
    assert_eq!(state.shared.class, 2);
    let own = of::<AttackView>(&mut state);
    assert_eq!((own.weight, own.pattern), (6, 1));
    let one = screen(&session, &state);
    assert!(
        one.contains("▸target 2") && one.contains("called 2 at w 0.6"),
        "{one}"
    );
    assert!(one.contains("mean image of 2"), "{one}");
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
        of::<AttackView>(&mut state).weight,
        10,
        "it ends at the largest"
    );
    press(&session, &mut state, &[KeyCode::Char('['); 30]);
    assert_eq!(of::<AttackView>(&mut state).weight, 0);
}

#[test]
fn noise_can_be_attacked_only_where_the_plan_has_some() {
    let mut session = experiments::measured();
    for plan in &mut session.config.analyses {
        if let session::config::Analysis::Attack(plan) = plan {
            plan.noise_images = 0;
        }
    }
    let mut state = at("Attack", (120, 40));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Char('n')]),
        [Effect::None]
    );
    assert!(!screen(&session, &state).contains("images  noise"));
}

#[test]
fn a_class_without_a_classification_image_says_so_and_shows_the_image_alone() {
    let session = experiments::measured();
    for size in SIZES {
        let mut state = at("Attack", size);
        state.shared.class = 1;
        let screen = screen(&session, &state);
        assert!(screen.contains("too few trials for one"), "{screen}");
        assert!(!screen.contains("NaN"), "{screen}");
    }
}

#[test]
fn counts_fill_while_the_attack_runs() {
    // The first pattern has been tried on targets 0 to 3.
    let session = experiments::attacking(4);
    let mut state = at("Attack", (120, 40));
    state.shared.class = 2;
    let begun = screen(&session, &state);
    assert_eq!(begun.matches("nothing yet").count(), 2, "{begun}");
    state.shared.class = 7;
    let later = screen(&session, &state);
    assert_eq!(later.matches("nothing yet").count(), 3, "{later}");
    // The mean over targets is that of the targets done.
    of::<AttackView>(&mut state).target_mean = true;
    assert_eq!(screen(&session, &state).matches("nothing yet").count(), 2);
}

#[test]
fn the_picture_is_the_blend_at_the_chosen_weight() {
    let session = experiments::measured();
    let attack: &record::Attack = session.record.first().expect("it is planned");
    let theme = theme();
    let mut state = at("Attack", (80, 24));
    state.shared.class = 3;
    let own = of::<AttackView>(&mut state);
    (own.weight, own.pattern) = (4, 1);
    let buf = draw(&session, &state, &theme);
    let (left, top) = (0..buf.area.height)
        .flat_map(|y| (0..buf.area.width).map(move |x| (x, y)))
        .find(|&(x, y)| buf[(x, y)].symbol() == "▀")
        .expect("there is a picture");
    let image = attack.examples[3].image.values();
    let pattern = attack.pattern(1, 3).expect("there is one");
    for (row, column) in [(0, 0), (5, 14), (14, 9), (20, 19)] {
        let pixel = row * 28 + column;
        let value = 0.6 * f32::from(image[pixel]) / 255.0 + 0.4 * pattern[pixel];
        let cell = &buf[(left + column as u16, top + row as u16 / 2)];
        let colour = if row % 2 == 0 { cell.fg } else { cell.bg };
        assert_eq!(colour, theme.palette.sequential(value), "{row} {column}");
    }
}

#[test]
fn curves_are_told_apart_without_colour() {
    let session = experiments::measured();
    for unicode in [true, false] {
        let theme = Theme::new(Depth::Mono, Background::Dark, unicode);
        let screen = text(&draw(&session, &at("Attack", (120, 40)), &theme));
        let samples = match unicode {
            true => ["⠒⠒ classification", "⠒⠂ mean image", "⠂⠂ random"],
            false => ["*  classification", "+  mean image", "o  random"],
        };
        for sample in samples {
            assert!(screen.contains(sample), "{sample} is not on\n{screen}");
        }
    }
}
