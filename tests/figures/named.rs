//! Figures by name: of two classes by the names of these, and at one γ.

use noisescope::figure::{self, Figure};
use noisescope::ids::{ClassId, Gamma};
use noisescope::session::Session;

use super::common::{Bench, set_options};

/// A bench with a session of evidence images at two γ, and that session with names of classes, of which one contains
/// two others.
fn named() -> (Bench, Session) {
    let bench = Bench::new();
    let plan = set_options([
        bench.bars(200, 50, 12),
        "network=(kind: Logistic, weights: Train((epochs: 1)))".into(),
        "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 2000))]".into(),
    ]);
    let mut session = bench.run("two", &plan, &[]);
    let form = session.record.form.as_mut().unwrap();
    for (name, new) in form.classes.iter_mut().zip(["cap", "hat", "hat-not-cap"]) {
        *name = new.to_owned();
    }
    (bench, session)
}

fn pair(class: usize, versus: usize, gamma: Option<f64>) -> Figure {
    Figure::Pair {
        images: 0,
        class: ClassId(class),
        versus: ClassId(versus),
        gamma: gamma.map(Gamma),
    }
}

fn names(figures: &[Figure]) -> Vec<String> {
    figures.iter().map(Figure::name).collect()
}

#[test]
fn a_pair_is_found_by_the_numbers_and_by_the_names_of_its_classes() {
    let (_, session) = named();
    for (name, expected) in [
        ("pair-1-not-0", pair(1, 0, None)),
        ("pair-hat-not-cap", pair(1, 0, None)),
        ("pair-hat-not-cap-not-cap", pair(2, 0, None)),
        ("pair-cap-not-hat-not-cap", pair(0, 2, None)),
        ("pair-HAT-not-0-gamma-0.4", pair(1, 0, Some(0.4))),
        ("pair-1-not-cap-gamma-0", pair(1, 0, Some(0.0))),
    ] {
        let found = figure::find(&session, name, &[]);
        assert_eq!(found, Ok(vec![expected]), "{name}");
    }
    let refused = |name: &str| {
        let refusal = figure::find(&session, name, &[]);
        refusal.unwrap_err().to_string()
    };
    let dog = refused("pair-hat-not-dog");
    assert!(
        dog.starts_with("there is no class `dog`; there are cap, hat"),
        "{dog}"
    );
    let same = refused("pair-hat-not-1");
    assert!(same.contains("are the same"), "{same}");
    let none = refused("pair");
    assert!(none.ends_with("for example pair-cap-not-hat"), "{none}");
    let unknown = refused("histogram");
    assert!(unknown.ends_with(", pair-CLASS-not-CLASS"), "{unknown}");
}

#[test]
fn figures_are_selected_by_their_gamma_however_it_is_written() {
    let (bench, session) = named();
    let found = figure::find(&session, "evidence-maps-gamma-0", &[]).unwrap();
    assert_eq!(names(&found), ["evidence-maps-gamma-0.0"]);
    let at = |figures: &[Figure], gamma| figure::at_one_gamma(&session, figures, Gamma(gamma));
    // Instead of each class at its best γ.
    let best = figure::find(&session, "evidence-maps", &[]).unwrap();
    assert_eq!(names(&at(&best, 0.4).unwrap()), ["evidence-maps-gamma-0.4"]);
    let two = at(&[pair(1, 0, None), pair(1, 0, Some(0.0))], 0.0);
    assert_eq!(two, Ok(vec![pair(1, 0, Some(0.0))]), "each once");
    let all = names(&at(&figure::list(&session), 0.4).unwrap());
    assert!(all.contains(&"evidence-map-1-gamma-0.4".to_owned()));
    for name in &all {
        assert!(name == "training" || name.ends_with("-gamma-0.4"), "{name}");
    }
    let refused = |figures: &[Figure], gamma| at(figures, gamma).unwrap_err().to_string();
    for figures in [&best, &figure::list(&session)] {
        let error = refused(figures, 0.7);
        assert!(error.contains("there are some at γ 0.0, 0.4"), "{error}");
    }
    let error = refused(&found, 0.4);
    assert!(error.contains("at another γ than 0.4"), "{error}");
    bench.succeed(&[
        "export",
        "two",
        "--format",
        "svg",
        "--figure",
        "evidence-map",
        "--class",
        "1",
        "--gamma",
        "0.4",
    ]);
    assert!(bench.path("two-evidence-map-1-gamma-0.4.svg").exists());
    let error = bench.refuse(2, &["export", "two", "--format", "csv", "--gamma", "0.4"]);
    assert!(error.contains("--gamma applies only to figures"), "{error}");
}
