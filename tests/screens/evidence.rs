//! Tests of evidence images, of the comparison of two classes, of more trials, and of the frozen display.

use noisescope::figure::Figure;
use noisescope::ids::BlockIndex;
use noisescope::link::EngineCommand;
use noisescope::session::config::{self, Extension, Response};
use noisescope::session::record::{self, BlockEvidence, BlockSums, GammaTrials, TrialKind};
use noisescope::tui::update::Effect;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use synthetic::{CLASSES, SIDE, template};

use noisescope::stats::null::ErrorModel;

use super::*;

const PIXELS: usize = SIDE * SIDE;

/// A session of trials at γ = 0, all called 8, whose outputs hold evidence of every class's template.
pub fn with_evidence(count: u64) -> Session {
    with_changed_blocks(count, |_| {})
}

/// The same with every block changed.
pub fn with_changed_blocks(count: u64, change: impl Fn(&mut BlockSums)) -> Session {
    let mut session = synthetic::accumulating([0, 0, 0, 0]);
    let kind = TrialKind {
        evidence: true,
        ..TrialKind::plain(CLASSES, [1, SIDE, SIDE])
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
    trials.record_evidence(1.0 / 256.0, &kind);
    for block in BlockIndex::first(16) {
        let mut block = sums(block, count / 16, &mut rng);
        change(&mut block);
        trials.add(&block);
        trials.note_reliability();
    }
    let record::Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
        unreachable!()
    };
    images.gammas[0] = trials;
    synthetic::with_stages(session)
}

/// The sums of n trials, whose responses deviate by 512 steps and change by 0.2 logits per pixel where a template
/// is 1.
fn sums(block: BlockIndex, n: u64, rng: &mut ChaCha8Rng) -> BlockSums {
    let count = n as f64;
    let slope = 0.2 / 12.0 * 256.0 * 65536.0;
    let spread = count.sqrt() * 512.0 * 65536.0 / 12_f64.sqrt();
    let products = ClassId::all(CLASSES).flat_map(|class| {
        let map = template(class);
        map.into_iter()
            .map(|v| count * slope * f64::from(v))
            .collect::<Vec<f64>>()
    });
    let products = products.map(|mean| (mean + spread * synthetic::normal(rng)) as i64);
    let products: Vec<i64> = products.collect();
    let mut counts = vec![0; CLASSES * CLASSES];
    (0..CLASSES).for_each(|truth| counts[truth * CLASSES + 8] = n / 10);
    let all: u64 = counts.iter().sum();
    let square = (all * 512 * 512) as i64;
    let squares = (0..CLASSES * CLASSES).map(|cell| match cell / CLASSES == cell % CLASSES {
        true => square,
        false => 0,
    });
    let middle = all as i64 * 32768;
    BlockSums {
        block,
        trials: all,
        counts,
        // All trials are called 8; each class is shown in a tenth of them.
        noise: std::iter::once((8, vec![middle; PIXELS]))
            .chain((0..CLASSES).map(|k| (CLASSES + k, vec![middle / 10; PIXELS])))
            .chain([(2 * CLASSES + 8, vec![middle / 10; PIXELS])])
            .collect(),
        evidence: Some(BlockEvidence {
            clipped: 0,
            shown: vec![all / 10; CLASSES],
            sums: vec![0; CLASSES * CLASSES],
            squares: squares.collect(),
            products,
            noise: Vec::new(),
        }),
        ..Default::default()
    }
}

#[test]
fn every_class_has_a_map_even_if_all_trials_are_called_one() {
    let session = with_evidence(100_000);
    for view in ["Overview", "Maps"] {
        let screen = screen(&session, &showing(view, (120, 40)));
        assert!(screen.contains("evidence image"), "{screen}");
        assert!(
            !screen.contains("insufficient") && !screen.contains("stands in"),
            "{screen}"
        );
        // When each becomes reliable: below its name, or beside it.
        let forecasts = screen.matches("R 0.95 at").count() + screen.matches("  in ").count();
        assert!(forecasts >= CLASSES - 2, "{forecasts}\n{screen}");
    }
}

#[test]
fn a_key_toggles_evidence_and_decisions() {
    let session = with_evidence(100_000);
    let mut state = showing("Maps", (120, 40));
    press(&session, &mut state, &[KeyCode::Char('d')]);
    assert_eq!(state.shared.response, Some(Response::Decision));
    let decisions = screen(&session, &state);
    assert!(decisions.contains("▸classification image"), "{decisions}");
    assert!(decisions.contains("was called 8"), "{decisions}");
    press(&session, &mut state, &[KeyCode::Char('d')]);
    assert!(screen(&session, &state).contains("▸evidence image"));
    // Without recorded outputs there are decisions only.
    let without = accumulated();
    let mut state = showing("Maps", (120, 40));
    press(&without, &mut state, &[KeyCode::Char('d')]);
    assert_eq!(state.shared.response, None);
}

#[test]
fn an_enlarged_map_shows_its_interval_and_its_reliability_curve() {
    let session = with_evidence(20_000);
    let mut state = showing("Maps", (160, 48));
    press(&session, &mut state, &[KeyCode::Enter]);
    let screen = screen(&session, &state);
    for words in ["reliability by trials", "SNR", "–", "response", "logits"] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
}

#[test]
fn one_class_is_compared_with_another() {
    let session = with_evidence(100_000);
    let mut state = showing("Maps", (120, 40));
    let keys = [KeyCode::Char('.'), KeyCode::Char('v'), KeyCode::Char(',')];
    press(&session, &mut state, &keys);
    assert_eq!(
        (state.shared.versus, state.shared.class),
        (Some(ClassId(1)), ClassId(0))
    );
    let output = screen(&session, &state);
    assert!(
        output.contains("rather than 1") && output.contains("itself"),
        "{output}"
    );
    press(&session, &mut state, &[KeyCode::Char('v')]);
    assert!(!screen(&session, &state).contains("rather than"));
    // The difference of two maps, with the errors of both.
    let images = session.record.classification_images().unwrap();
    let estimate = images.gammas[0].estimate();
    let pair = estimate
        .class_difference(
            ClassId(3),
            ClassId(8),
            [1, SIDE, SIDE],
            ErrorModel::Independent,
            images.gammas[0].trials,
        )
        .unwrap();
    let evidence = |class: ClassId| estimate.classes[class].evidence.clone().unwrap();
    let (a, b) = (evidence(ClassId(3)), evidence(ClassId(8)));
    for pixel in 0..PIXELS {
        assert_eq!(pair.image[pixel], a.image[pixel] - b.image[pixel]);
        let error = (a.errors()[pixel].powi(2) + b.errors()[pixel].powi(2)).sqrt();
        let expected = pair.image[pixel] / error;
        assert!((pair.z[pixel] - expected).abs() <= 1e-3 * expected.abs() + 1e-3);
    }
    assert_eq!(
        estimate.class_difference(
            ClassId(3),
            ClassId(3),
            [1, SIDE, SIDE],
            ErrorModel::Independent,
            images.gammas[0].trials
        ),
        None
    );
}

#[test]
fn a_map_enlarged_for_the_comparison_with_its_own_class_says_how_to_go_on() {
    let session = with_evidence(100_000);
    let mut state = showing("Maps", (100, 30));
    press(&session, &mut state, &[KeyCode::Enter, KeyCode::Char('v')]);
    let words = "Press . for the next class";
    let alone = screen(&session, &state);
    assert!(alone.contains(words), "{alone}");
    press(&session, &mut state, &[KeyCode::Char('.')]);
    let pair = screen(&session, &state);
    assert!(!pair.contains(words), "{pair}");
}

#[test]
fn maps_by_decisions_are_not_written_as_the_comparison_of_two_classes() {
    let session = with_evidence(100_000);
    let mut state = showing("Maps", (120, 40));
    let is_pair =
        |effect: Option<Effect>| matches!(effect, Some(Effect::Export(Figure::Pair { .. })));
    let keys = ['.', 'v', ',', 'e'].map(KeyCode::Char);
    assert!(is_pair(press(&session, &mut state, &keys).pop()));
    // The screen shows each class alone, and so does what is written of it.
    press(&session, &mut state, &[KeyCode::Char('d')]);
    assert!(!screen(&session, &state).contains("rather than"));
    let effect = press(&session, &mut state, &[KeyCode::Char('e')]).pop();
    assert!(!is_pair(effect));
    let keys = ['d', 'e'].map(KeyCode::Char);
    assert!(is_pair(press(&session, &mut state, &keys).pop()));
}

#[test]
fn keys_that_change_an_enlarged_map_outrank_those_that_move_on_it() {
    let session = with_evidence(100_000);
    for keys in ["", "v"] {
        let mut state = showing("Maps", (100, 30));
        let keys = keys.chars().map(KeyCode::Char);
        let keys: Vec<KeyCode> = [KeyCode::Enter].into_iter().chain(keys).collect();
        press(&session, &mut state, &keys);
        let output = screen(&session, &state);
        let footer = output.lines().last().unwrap_or_default();
        for hint in [
            "Esc all classes",
            "d decisions",
            "v versus",
            "m map",
            "? help",
        ] {
            assert!(footer.contains(hint), "{footer}");
        }
    }
}

#[test]
fn the_confusion_matrix_opens_the_comparison_of_its_two_classes() {
    let mut session = experiments::measured();
    let images = with_evidence(50_000).record.analyses[0].clone();
    let index = session
        .record
        .analyses
        .iter()
        .position(|analysis| matches!(analysis, record::Analysis::ClassificationImages(_)));
    session.record.analyses[index.unwrap()] = images;
    let mut state = showing("Predictions", (120, 40));
    state.shared.class = ClassId(4);
    // A right decision has no other class to be compared with.
    let right = screen(&session, &state);
    assert!(!right.contains("v versus"), "{right}");
    let effects = press(&session, &mut state, &[KeyCode::Char('v')]);
    assert_eq!(effects, [Effect::None]);
    press(&session, &mut state, &[KeyCode::Down]);
    let wrong = screen(&session, &state);
    assert!(wrong.contains("v versus"), "{wrong}");
    press(&session, &mut state, &[KeyCode::Char('v')]);
    assert_eq!(
        (state.shared.versus, state.shared.class),
        (Some(ClassId(5)), ClassId(4))
    );
    let output = screen(&session, &state);
    assert!(output.contains("rather than 5"), "{output}");
}

#[test]
fn a_typed_trial_count_is_sent_to_the_engine() {
    let session = with_evidence(20_000);
    let mut state = showing("Overview", (120, 40));
    press(&session, &mut state, &[KeyCode::Char('+')]);
    let prompt = screen(&session, &state);
    assert!(
        prompt.contains("total trials") && prompt.contains("Enter doubles them"),
        "{prompt}"
    );
    let typed = ['5', 'M'].map(KeyCode::Char);
    press(&session, &mut state, &typed);
    assert!(
        screen(&session, &state).contains("more, about"),
        "{}",
        screen(&session, &state)
    );
    let effect = press(&session, &mut state, &[KeyCode::Enter])
        .pop()
        .unwrap();
    let more = Extension {
        gamma: None,
        trials: 5_000_000,
        target: None,
        class: None,
    };
    assert_eq!(
        effect,
        Effect::Send(EngineCommand::Extend { images: 0, more })
    );
    // A number not above the plan is refused.
    press(
        &session,
        &mut state,
        &[KeyCode::Char('+'), KeyCode::Char('7')],
    );
    assert!(screen(&session, &state).contains("a number above"));
    assert_eq!(
        press(&session, &mut state, &[KeyCode::Enter]),
        [Effect::None]
    );
}

/// The same session while a later stage, which counts trials too, is at work, at another pace.
fn in_a_later_stage(mut session: Session) -> Session {
    let run = session.run.as_mut().expect("the session runs");
    let mut later = run.stages[1].clone();
    later.name = "spike-triggered".into();
    later.per_second = Some(250.0);
    run.stages.push(later);
    run.phase = Phase::Working(2);
    session
}

#[test]
fn times_of_maps_are_at_the_pace_of_their_own_stage() {
    let timed = |session: &Session| {
        let screen = screen(session, &showing("Maps", (200, 60)));
        let timed = |line: &str| {
            let mut forecasts = line.match_indices("R 0.95 at");
            forecasts.any(|(at, _)| line[at..].chars().take(24).any(|c| c == ','))
        };
        screen.lines().any(timed)
    };
    let session = with_evidence(20_000);
    assert!(timed(&session));
    // These maps get no more trials.
    let later = in_a_later_stage(session);
    assert!(!timed(&later));
    let mut state = showing("Overview", (120, 40));
    press(&later, &mut state, &['+', '5', 'M'].map(KeyCode::Char));
    let prompt = screen(&later, &state);
    assert!(prompt.contains("at 9,900 trials/s"), "{prompt}");
    assert!(!prompt.contains("at 250 trials/s"), "{prompt}");
}

#[test]
fn every_gamma_below_the_typed_trial_count_is_extended() {
    let mut session = with_evidence(20_000);
    let config::Analysis::ClassificationImages(plan) = &mut session.config.analyses[0] else {
        unreachable!()
    };
    let more = |gamma: Option<f64>, trials: u64| Extension {
        gamma: gamma.map(Gamma),
        trials,
        target: None,
        class: None,
    };
    // One of four γ has more trials than the others.
    plan.extended.push(more(Some(0.3), 4_000_000));
    let mut state = showing("Overview", (120, 40));
    press(&session, &mut state, &[KeyCode::Char('+')]);
    let prompt = screen(&session, &state);
    assert!(prompt.contains("1,000,000–4,000,000 now"), "{prompt}");
    press(&session, &mut state, &['2', 'M'].map(KeyCode::Char));
    let prompt = screen(&session, &state);
    assert!(prompt.contains("3.00 M more"), "{prompt}");
    let effect = press(&session, &mut state, &[KeyCode::Enter]).pop();
    let command = EngineCommand::Extend {
        images: 0,
        more: more(None, 2_000_000),
    };
    assert_eq!(effect, Some(Effect::Send(command)));
}

#[test]
fn a_frozen_display_says_so() {
    let session = with_evidence(20_000);
    let mut state = showing("Overview", (120, 40));
    press(&session, &mut state, &[KeyCode::Char(' ')]);
    assert!(state.shared.frozen.is_some());
    let frozen = screen(&session, &state);
    assert!(
        frozen.contains("display frozen") && frozen.contains("Space"),
        "{frozen}"
    );
    press(&session, &mut state, &[KeyCode::Char(' ')]);
    assert!(state.shared.frozen.is_none());
    // By the user's own key, if there is one.
    let own = action::with_overrides([("freeze", &["F5".to_owned()][..])]);
    state.shared.keys = own.expect("no key means two things");
    press(&session, &mut state, &[KeyCode::F(5)]);
    let frozen = screen(&session, &state);
    assert!(frozen.contains("F5 unfreezes it"), "{frozen}");
}
