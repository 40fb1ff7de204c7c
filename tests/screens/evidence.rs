//! Evidence images: what is shown of them, what tells one class from another, and the picture that is
//! held.

use noisescope::link::EngineCommand;
use noisescope::session::config::{Extension, Response};
use noisescope::session::record::{self, BlockEvidence, BlockSums, GammaTrials, TrialKind};
use noisescope::tui::update::Effect;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use synthetic::{CLASSES, SIDE, template};

use noisescope::stats::null::ErrorModel;

use super::*;

const PIXELS: usize = SIDE * SIDE;

/// Trials at γ = 0 that are all called 8, whose outputs speak of every class's template.
pub fn heard(trials: u64) -> Session {
    let mut session = synthetic::accumulating([0, 0, 0, 0]);
    let kind = TrialKind {
        evidence: true,
        ..TrialKind::plain(CLASSES, [1, SIDE, SIDE])
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut gamma = GammaTrials::new(0.0, 30, &kind);
    gamma.record_evidence(1.0 / 256.0, &kind);
    for block in 0..16_u64 {
        gamma.add(&sums(block, trials / 16, &mut rng));
        gamma.note_reliability();
    }
    let record::Analysis::ClassificationImages(own) = &mut session.record.analyses[0] else {
        unreachable!()
    };
    own.gammas[0] = gamma;
    synthetic::with_stages(session)
}

/// n trials of responses with a deviation of 512 steps, 0.2 logits a pixel where a template is 1.
fn sums(block: u64, n: u64, rng: &mut ChaCha8Rng) -> BlockSums {
    let count = n as f64;
    let slope = 0.2 / 12.0 * 256.0 * 65536.0;
    let spread = count.sqrt() * 512.0 * 65536.0 / 12_f64.sqrt();
    let products = (0..CLASSES).flat_map(|class| {
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
    let squares = (0..CLASSES * CLASSES).map(|at| match at / CLASSES == at % CLASSES {
        true => square,
        false => 0,
    });
    let middle = all as i64 * 32768;
    BlockSums {
        block,
        trials: all,
        counts,
        // All are called 8, and each class is shown to a tenth.
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
fn every_class_has_a_map_where_all_trials_are_called_one() {
    let session = heard(100_000);
    for view in ["Overview", "Maps"] {
        let screen = screen(&session, &at(view, (120, 40)));
        assert!(screen.contains("evidence image"), "{screen}");
        assert!(
            !screen.contains("insufficient") && !screen.contains("stands in"),
            "{screen}"
        );
        // How long each takes to be reliable: below its name, or beside it.
        let told = screen.matches("R 0.95 at").count() + screen.matches("  in ").count();
        assert!(told >= CLASSES - 2, "{told}\n{screen}");
    }
}

#[test]
fn a_key_goes_from_evidence_to_decisions_and_back() {
    let session = heard(100_000);
    let mut state = at("Maps", (120, 40));
    press(&session, &mut state, &[KeyCode::Char('d')]);
    assert_eq!(state.shared.response, Some(Response::Decision));
    let decisions = screen(&session, &state);
    assert!(decisions.contains("▸classification image"), "{decisions}");
    assert!(decisions.contains("was called 8"), "{decisions}");
    press(&session, &mut state, &[KeyCode::Char('d')]);
    assert!(screen(&session, &state).contains("▸evidence image"));
    // Without outputs there is nothing to switch to.
    let without = accumulated();
    let mut state = at("Maps", (120, 40));
    press(&without, &mut state, &[KeyCode::Char('d')]);
    assert_eq!(state.shared.response, None);
}

#[test]
fn an_enlarged_map_tells_its_interval_and_its_course() {
    let session = heard(20_000);
    let mut state = at("Maps", (160, 48));
    press(&session, &mut state, &[KeyCode::Enter]);
    let screen = screen(&session, &state);
    for words in ["reliability by trials", "SNR", "–", "response", "logits"] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
}

#[test]
fn a_class_is_told_from_another() {
    let session = heard(100_000);
    let mut state = at("Maps", (120, 40));
    let keys = [KeyCode::Char('.'), KeyCode::Char('v'), KeyCode::Char(',')];
    press(&session, &mut state, &keys);
    assert_eq!((state.shared.versus, state.shared.class), (Some(1), 0));
    let shown = screen(&session, &state);
    assert!(
        shown.contains("rather than 1") && shown.contains("itself"),
        "{shown}"
    );
    press(&session, &mut state, &[KeyCode::Char('v')]);
    assert!(!screen(&session, &state).contains("rather than"));
    // The difference of two templates, with the error of both.
    let images = session.record.classification_images().unwrap();
    let estimate = images.gammas[0].estimate();
    let pair = estimate
        .class_difference(3, 8, [1, SIDE, SIDE], ErrorModel::Independent)
        .unwrap();
    let own = |class: usize| estimate.classes[class].evidence.clone().unwrap();
    let (a, b) = (own(3), own(8));
    for pixel in 0..PIXELS {
        assert_eq!(pair.image[pixel], a.image[pixel] - b.image[pixel]);
        let error = (a.errors()[pixel].powi(2) + b.errors()[pixel].powi(2)).sqrt();
        let expected = pair.image[pixel] / error;
        assert!((pair.z[pixel] - expected).abs() <= 1e-3 * expected.abs() + 1e-3);
    }
    assert_eq!(
        estimate.class_difference(3, 3, [1, SIDE, SIDE], ErrorModel::Independent),
        None
    );
}

#[test]
fn why_a_true_class_is_called_another_is_asked_in_the_matrix() {
    let mut session = experiments::measured();
    let images = heard(50_000).record.analyses[0].clone();
    let place = session
        .record
        .analyses
        .iter()
        .position(|it| matches!(it, record::Analysis::ClassificationImages(_)));
    session.record.analyses[place.unwrap()] = images;
    let mut state = at("Predictions", (120, 40));
    state.shared.class = 4;
    press(&session, &mut state, &[KeyCode::Down, KeyCode::Char('v')]);
    assert_eq!((state.shared.versus, state.shared.class), (Some(5), 4));
    let shown = screen(&session, &state);
    assert!(shown.contains("rather than 5"), "{shown}");
}

#[test]
fn more_trials_are_typed_and_go_to_the_engine() {
    let session = heard(20_000);
    let mut state = at("Overview", (120, 40));
    press(&session, &mut state, &[KeyCode::Char('+')]);
    let asked = screen(&session, &state);
    assert!(
        asked.contains("trials in all") && asked.contains("Enter doubles them"),
        "{asked}"
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
    // What is no more than planned is not asked.
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

#[test]
fn the_picture_is_held_and_says_so() {
    let session = heard(20_000);
    let mut state = at("Overview", (120, 40));
    press(&session, &mut state, &[KeyCode::Char(' ')]);
    assert!(state.shared.frozen.is_some());
    let held = screen(&session, &state);
    assert!(
        held.contains("display frozen") && held.contains("Space"),
        "{held}"
    );
    press(&session, &mut state, &[KeyCode::Char(' ')]);
    assert!(state.shared.frozen.is_none());
}
