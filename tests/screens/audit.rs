//! Tests of the audit view: with a finding, with none, and at its beginning.

use noisescope::session::config::{self, Analysis as Plan, Config, NetworkKind};
use noisescope::session::record::{self, Analysis, AuditRole, AuditedNetwork, PastedFinding};
use noisescope::session::{Array, Session};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::golden::{golden, without_pixels};
use super::synthetic::{self, CLASSES, SIDE, template};
use super::*;

/// The audit of a network whose class 9 reacts to a patch at the upper right, or of a clean network.
pub fn audited(poisoned: bool) -> Session {
    let plan = config::Audit::default();
    let config = Config {
        analyses: vec![Plan::Audit(plan.clone())],
        ..Config::default()
    };
    let mut session = Session::new("suspect", config);
    synthetic::begin(&mut session);
    session.record.training = Some(synthetic::training(15, 0, true));
    session.record.state = record::SavedState::Finished;
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut images = |patched: Option<(ClassId, usize, usize)>| {
        let mut values = Vec::new();
        for class in ClassId::all(CLASSES) {
            let mut image = template(class);
            image
                .iter_mut()
                .for_each(|v| *v += rng.random_range(-0.4..0.4_f32));
            if let Some((target, row, column)) = patched
                && target == class
            {
                let rows = row..row + 5;
                for pixel in rows.flat_map(|row| (column..column + 5).map(move |c| row * SIDE + c))
                {
                    image[pixel] += 1.5;
                }
            }
            values.extend(image);
        }
        Array::new(&[CLASSES, 1, SIDE, SIDE], values)
    };
    let mut network = |role: AuditRole, seed: u64, patched| AuditedNetwork {
        accuracy: (role != AuditRole::Suspect).then_some(0.981),
        called: vec![300; CLASSES],
        images: images(patched),
        ..AuditedNetwork::new(role, seed)
    };
    let mut networks: Vec<AuditedNetwork> = (0..5)
        .map(|seed| network(AuditRole::Reference, seed, None))
        .collect();
    let square = (SIDE - 5, 1, 4);
    let role = AuditRole::Poisoned {
        target: ClassId(0),
        square,
    };
    let mut power = network(role, 5, Some((ClassId(0), SIDE - 6, 1)));
    (power.attack_success, power.attacked) = (Some(0.997), 9020);
    networks.push(power);
    networks.push(network(
        AuditRole::Suspect,
        6,
        poisoned.then_some((ClassId(9), 1, SIDE - 7)),
    ));
    let mut audit = record::Audit {
        progress: record::BlockProgress {
            blocks: vec![1; 8],
            done: 1,
            total: 1,
        },
        networks,
        ..record::Audit::default()
    };
    audit.examine(&plan);
    audit.pasted = audit
        .findings()
        .into_iter()
        .map(|(class, window)| {
            let mut pasted = PastedFinding::new(class, window, CLASSES);
            pasted.shown = vec![100; CLASSES];
            let works = poisoned && class == ClassId(9);
            let called = |source: ClassId| match works {
                true => 60 + 5 * (source.0 as u64 % 8),
                false => source.0 as u64 % 4,
            };
            pasted.called = ClassId::all(CLASSES).map(called).collect();
            pasted.before = (0..CLASSES).map(|source| source as u64 % 2).collect();
            pasted
        })
        .collect();
    session.record.analyses = vec![Analysis::Audit(audit)];
    session
}

#[test]
fn the_audit_of_a_poisoned_network_finds_its_class() {
    for size in SIZES {
        let session = audited(true);
        let screen = screen(&session, &showing("Audit", size));
        assert!(screen.contains("9 reacts to a patch"), "{screen}");
        golden(
            &format!("audit-{}x{}", size.0, size.1),
            &without_pixels(&screen),
        );
    }
}

#[test]
fn a_clean_network_is_not_called_clean() {
    let screen = screen(&audited(false), &showing("Audit", (120, 40)));
    assert!(screen.contains("nothing found"), "{screen}");
    assert!(screen.contains("power: a network"), "{screen}");
    assert!(!screen.contains("is clean"), "{screen}");
    golden("audit-clean-120x40", &without_pixels(&screen));
}

#[test]
fn beside_references_of_another_kind_the_line_is_where_a_class_stands_out() {
    let mut session = audited(true);
    session.config.network.kind = NetworkKind::Onnx;
    let Analysis::Audit(audit) = &session.record.analyses[0] else {
        panic!();
    };
    let plan = config::Audit::default();
    let verdict = audit.verdict(&plan, NetworkKind::Onnx).unwrap();
    let words = format!("past {:.1}", verdict.bound().unwrap());
    for size in [(60, 18), (80, 24)] {
        let shown = screen(&session, &showing("Audit", size));
        assert!(shown.contains(&words), "{words}\n{shown}");
        assert!(!shown.contains("references 4.8"), "{shown}");
        assert!(!shown.contains("the references' largest,"), "{shown}");
    }
}

#[test]
fn a_new_audit_shows_the_progress_of_each_network() {
    let mut session = audited(true);
    if let Analysis::Audit(audit) = &mut session.record.analyses[0] {
        for network in &mut audit.networks {
            *network = AuditedNetwork::new(network.role, network.seed);
        }
        (audit.pasted, audit.deviation) = (Vec::new(), Array::default());
    }
    let mut unlike = session.clone();
    unlike.config.network.kind = NetworkKind::Onnx;
    let shown = screen(&unlike, &showing("Audit", (80, 24)));
    assert!(shown.contains("references=0"), "{shown}");
    let screen = screen(&session, &showing("Audit", (80, 24)));
    assert!(screen.contains("reference 5"), "{screen}");
    assert!(!screen.contains("references=0"), "{screen}");
    assert!(screen.contains("the suspect"), "{screen}");
}

#[test]
fn an_audit_that_could_compare_nothing_says_so_and_why() {
    let mut session = audited(false);
    if let Analysis::Audit(audit) = &mut session.record.analyses[0] {
        for network in &mut audit.networks {
            let none = vec![f32::NAN; CLASSES * SIDE * SIDE];
            network.images = Array::new(&[CLASSES, 1, SIDE, SIDE], none);
        }
        audit.examine(&config::Audit::default());
        audit.pasted.clear();
    }
    for size in SIZES {
        let screen = screen(&session, &showing("Audit", size));
        for words in ["nothing could be compared", "plan more", "reference 5"] {
            assert!(screen.contains(words), "{words}\n{screen}");
        }
        assert!(!screen.contains("highest score"), "{screen}");
    }
    let screen = screen(&session, &showing("Overview", (120, 40)));
    assert!(screen.contains("nothing could be compared"), "{screen}");
}

#[test]
fn a_sentence_that_does_not_fit_ends_in_a_mark() {
    let lines = |size| screen(&audited(true), &showing("Audit", size));
    let line = |screen: &str| {
        let mut lines = screen.lines().filter(|line| line.contains("without"));
        lines.next_back().map(str::trim_end).map(str::to_owned)
    };
    let short = line(&lines((60, 18))).unwrap();
    assert!(short.ends_with('…'), "{short}");
    let whole = line(&lines((80, 24))).unwrap();
    assert!(whole.ends_with("at most 1.4 %"), "{whole}");
}

#[test]
fn small_screens_show_the_chosen_class_beside_the_one_found() {
    let session = audited(true);
    for size in [(60, 18), (80, 24)] {
        let mut state = showing("Audit", size);
        for class in [0, 1, 5, 8] {
            state.shared.class = ClassId(class);
            let screen = screen(&session, &state);
            let label = format!("class {class}");
            assert!(
                screen
                    .lines()
                    .any(|line| line.contains("class 9") && line.contains(&label)),
                "{screen}"
            );
            assert!(screen.contains(&format!("▸{class}")), "{screen}");
            let scores = screen.lines().filter(|line| line.contains("29.3"));
            assert_eq!(
                scores.count(),
                2,
                "in the statement and in its row\n{screen}"
            );
        }
    }
}

/// Asserts that the footer has none of these words, and that none of these keys does anything.
fn offers_nothing(session: &Session, mut state: DashboardState, keys: &str, words: &[&str]) {
    let before = screen(session, &state);
    let footer = before.lines().last().unwrap_or_default();
    for word in words {
        assert!(!footer.contains(word), "{footer}");
    }
    for letter in keys.chars() {
        let key = match letter {
            '\n' => KeyCode::Enter,
            letter => KeyCode::Char(letter),
        };
        assert_eq!(press(session, &mut state, &[key]), [Effect::None]);
    }
    assert_eq!(screen(session, &state), before);
}

#[test]
fn a_view_whose_experiment_is_not_in_the_plan_offers_none_of_its_keys() {
    let session = audited(false);
    for (view, keys) in [
        ("Overview", "l\n"),
        ("Maps", "l\nmt"),
        ("Attack", "lt"),
        ("Filters", "\nn"),
        ("Modulation", "l"),
        ("Backdoor", "l\n"),
        ("Predictions", "lj"),
    ] {
        let words = ["class", "enlarge", "map", "one or all", "noise or images"];
        offers_nothing(&session, showing(view, (120, 40)), keys, &words);
    }
    let screen = screen(&session, &showing("Audit", (120, 40)));
    let footer = screen.lines().last().unwrap_or_default();
    assert!(footer.contains("class"), "{footer}");
}

#[test]
fn a_view_whose_experiment_has_not_begun_offers_none_of_its_keys() {
    let session = Session::new("mnist-paper", experiments::measured().config);
    for (view, keys) in [
        ("Overview", "l]\n"),
        ("Maps", "l]\nmtsx"),
        ("Attack", "l]jt"),
        ("Filters", "\nn"),
        ("Modulation", "l]"),
        ("Backdoor", "l\n"),
    ] {
        let words = ["enlarge", " map", "scale", "pattern", "strength"];
        offers_nothing(&session, showing(view, (200, 60)), keys, &words);
    }
}

#[test]
fn the_list_of_keys_has_no_key_of_an_experiment_that_has_not_begun() {
    let measured = everything::session();
    let planned = Session::new("mnist-paper", measured.config.clone());
    // From a view without any of these keys.
    let help = |session: &Session, key: &str| {
        let mut state = showing("Training", (120, 40));
        state.key_search.typed = key.into();
        state.overlay = Overlay::Help(0);
        screen(session, &state)
    };
    for key in [
        "the next kind of map",
        "less of the pattern",
        "a weaker push",
    ] {
        let listed = help(&planned, key);
        assert!(listed.contains("(not now)"), "{listed}");
        let listed = help(&measured, key);
        assert!(!listed.contains("(not now)"), "{listed}");
    }
}
