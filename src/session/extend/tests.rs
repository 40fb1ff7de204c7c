//! Tests of extensions.

use super::*;
use crate::session::config::{ClassificationImages, Templates};
use crate::session::form::Form;
use crate::session::record::{ClassificationImages as Images, TrialKind};

/// Two sets of classification images at two γ, each followed by templates that are done.
fn finished() -> Session {
    let plan = ClassificationImages {
        gammas: vec![Gamma::NOISE, Gamma(0.3)],
        trials: 100,
        ..Default::default()
    };
    let images = Plan::ClassificationImages(plan.clone());
    let templates = Plan::Templates(Templates::default());
    let config = Config {
        analyses: vec![images.clone(), templates.clone(), images, templates],
        ..Config::default()
    };
    let mut session = Session::new("mine", config);
    session.record.state = SavedState::Finished;
    let kind = TrialKind::plain(2, [1, 1, 1]);
    session.record.analyses[0] = Analysis::ClassificationImages(Images::with_trials(&plan, &kind));
    for index in [1, 3] {
        if let Analysis::Templates(templates) = &mut session.record.analyses[index] {
            templates.progress.done = 7;
        }
    }
    session
}

fn more(gamma: Option<f64>, trials: u64) -> Extension {
    Extension {
        gamma: gamma.map(Gamma),
        trials,
        target: None,
        class: None,
    }
}

#[test]
fn an_extension_resets_only_what_used_its_images() {
    let mut session = finished();
    let mut second = session.clone();
    assert_eq!(session.starts_over(0), ["templates"]);
    assert_eq!(session.extend(0, more(None, 101)), Ok(vec!["templates"]));
    assert_eq!(session.starts_over(0), [""; 0], "it has not begun again");
    assert_eq!(session.starts_over(2), [""; 0], "there are only two sets");
    assert_eq!(session.record.state, SavedState::Stopped);
    let done = |session: &Session| {
        let pairs = session.record.analyses.iter().zip(&session.config.analyses);
        pairs
            .map(|(record, plan)| record.progress(plan).0)
            .collect::<Vec<u64>>()
    };
    assert_eq!(done(&session), [0, 0, 0, 7]);
    assert!(session.config.is_extended());
    assert_eq!(second.extend(1, more(None, 101)), Ok(vec!["templates"]));
    assert_eq!(done(&second), [0, 7, 0, 0]);
    let before = finished();
    assert!(!before.config.is_extended());
    let mut same = before.clone();
    let missing = ExtendError::NoImages {
        requested: 3,
        available: 2,
    };
    assert_eq!(same.extend(2, more(None, 101)), Err(missing));
    assert!(same.extend(usize::MAX, more(None, 101)).is_err());
    assert!(same.extend(0, more(Some(0.5), 101)).is_err());
    assert!(same.extend(0, more(None, u64::MAX)).is_err());
    assert!(same == before);
}

#[test]
fn a_plan_without_classification_images_has_nothing_to_extend() {
    let config = Config {
        analyses: vec![Plan::Templates(Templates::default())],
        ..Config::default()
    };
    let mut session = Session::new("mine", config);
    let refused = session.extend(0, more(None, 101));
    assert_eq!(refused, Err(ExtendError::NoneToExtend));
}

#[test]
fn a_gamma_that_has_not_come_to_its_planned_end_can_be_given_another_target() {
    let mut session = finished();
    let place = |session: &mut Session, gamma: usize, trials: u64, reached: bool| {
        let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
            unreachable!()
        };
        let kind = TrialKind::plain(2, [1, 1, 1]);
        let gammas = [Gamma::NOISE, Gamma(0.3)];
        images.gammas = gammas
            .map(|gamma| GammaTrials::new(gamma, 1, &kind))
            .to_vec();
        images.gammas.iter_mut().for_each(|all| all.trials = 100);
        (images.gammas[gamma].trials, images.gammas[gamma].reached) = (trials, reached);
    };
    let towards = |target: Option<f64>| Extension {
        target,
        ..more(None, 100)
    };
    // Both have all their trials.
    place(&mut session, 1, 100, false);
    assert!(session.clone().extend(0, towards(Some(0.9))).is_err());
    // One was stopped before its end, without a target.
    place(&mut session, 1, 60, false);
    assert!(session.clone().extend(0, towards(None)).is_err());
    assert!(session.clone().extend(0, towards(Some(0.9))).is_ok());
    // One ended at its target: it goes on, to another one or to its end.
    place(&mut session, 1, 60, true);
    for target in [Some(0.9), None] {
        let mut session = session.clone();
        session.extend(0, towards(target)).unwrap();
        let Analysis::ClassificationImages(images) = &session.record.analyses[0] else {
            unreachable!()
        };
        assert!(!images.gammas[1].reached);
    }
}

#[test]
fn what_has_not_begun_is_not_reset() {
    let mut session = finished();
    if let Analysis::Templates(templates) = &mut session.record.analyses[3] {
        templates.progress.done = 0;
    }
    assert_eq!(session.extend(1, more(None, 101)), Ok(vec![]));
    assert_eq!(session.extend(0, more(None, 101)), Ok(vec!["templates"]));
    assert_eq!(session.extend(0, more(None, 102)), Ok(vec![]));
}

#[test]
fn what_has_begun_with_the_maps_is_reset_even_if_none_of_it_is_done() {
    let mut session = finished();
    let Analysis::Templates(templates) = &mut session.record.analyses[1] else {
        unreachable!()
    };
    (templates.progress.done, templates.progress.total) = (0, 90);
    assert_eq!(session.extend(0, more(None, 101)), Ok(vec!["templates"]));
    let unbegun = Analysis::new(&session.config.analyses[1]);
    assert!(session.record.analyses[1] == unbegun);
}

#[test]
fn the_class_that_must_reach_a_target_has_a_map() {
    let mut session = finished();
    if let Plan::ClassificationImages(plan) = &mut session.config.analyses[0] {
        plan.classes = vec!["1".into()];
    }
    let towards = |class: &str| Extension {
        target: Some(0.9),
        class: Some(class.into()),
        ..more(None, 101)
    };
    let extended = |session: &Session, class: &str| {
        let extended = session.clone().extend(0, towards(class));
        extended.map_err(|error| error.to_string())
    };
    let form = Form::numbered([1, 1, 1], 3);
    let place = |class: &str| {
        let mut session = session.clone();
        session.extend(0, towards(class)).unwrap();
        let checked = session.config.check_form(&form);
        checked.map_err(|error| error.path)
    };
    // Unknown until the images have been read, and checked then.
    let refused = Err("analyses[0].extended[0].class".to_owned());
    assert_eq!(place("owl"), refused);
    assert_eq!(place("2"), refused);
    assert_eq!(place("1"), Ok(()));
    session.record.form = Some(form);
    let without = "class 2 has no map; the plan has maps of 1";
    assert_eq!(extended(&session, "2"), Err(without.to_owned()));
    assert!(extended(&session, "owl").unwrap_err().contains("owl"));
    assert!(extended(&session, "1").is_ok());
}

#[test]
fn the_plan_of_a_divided_session_and_of_its_shards_is_not_extended() {
    let mut whole = finished();
    whole.divide(2, "any").unwrap();
    let shard = whole.new_shard("mine.shard-1-of-2", 1).unwrap();
    for mut session in [whole, shard] {
        let before = session.clone();
        let refused = session.extend(0, more(None, 101)).unwrap_err();
        assert_eq!(refused, ExtendError::Divided("mine".into()));
        assert!(session == before);
    }
}

#[test]
fn a_gamma_that_ended_at_its_target_does_not_run_on_if_only_others_are_raised() {
    let mut session = finished();
    session.extend(0, more(Some(0.3), 300)).unwrap();
    let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
        unreachable!()
    };
    let all = images.gammas.iter_mut();
    all.for_each(|trials| trials.reached = true);
    let reached = |trials: u64| {
        let mut session = session.clone();
        let extended = session.extend(0, more(None, trials));
        let images = session.record.classification_images().unwrap();
        let reached = images.gammas.iter().map(|trials| trials.reached);
        (extended.is_ok(), reached.collect::<Vec<bool>>())
    };
    assert_eq!(reached(99), (false, vec![true, true]));
    assert_eq!(reached(100), (true, vec![false, true]));
    assert_eq!(reached(200), (true, vec![false, true]));
    assert_eq!(reached(300), (true, vec![false, true]));
    assert_eq!(reached(301), (true, vec![false, false]));
}

#[test]
fn an_extension_must_add_trials_unless_a_gamma_stopped_at_its_target() {
    let mut session = finished();
    let refused = |session: &mut Session, more: Extension| match session.extend(0, more) {
        Err(ExtendError::NoMore {
            requested,
            available,
            ..
        }) => Some((requested, available)),
        _ => None,
    };
    session.extend(0, more(Some(0.3), 300)).unwrap();
    assert_eq!(refused(&mut session, more(None, 100)), Some((100, 300)));
    assert_eq!(
        refused(&mut session, more(Some(0.3), 300)),
        Some((300, 300))
    );
    assert_eq!(refused(&mut session.clone(), more(None, 101)), None);
    let reached = |session: &Session| -> Vec<bool> {
        let images = session.record.classification_images().unwrap();
        images.gammas.iter().map(|trials| trials.reached).collect()
    };
    let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
        unreachable!()
    };
    images
        .gammas
        .iter_mut()
        .for_each(|trials| trials.reached = true);
    assert_eq!(
        refused(&mut session, more(Some(0.3), 299)),
        Some((299, 300))
    );
    assert_eq!(reached(&session), [true, true]);
    let message = session
        .extend(0, more(Some(0.3), 50))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("give --gamma 0.3 --trials 300 "),
        "{message}"
    );
    // One that reached it with its very last trial has none left to run.
    let mut all_done = session.clone();
    if let Analysis::ClassificationImages(images) = &mut all_done.record.analyses[0] {
        images.gammas[0].trials = 100;
    }
    let message = all_done.extend(0, more(Some(0.0), 50)).unwrap_err();
    assert!(!message.to_string().contains("give --gamma"), "{message}");
    assert_eq!(refused(&mut session, more(Some(0.3), 300)), None);
    assert_eq!(reached(&session), [true, false]);
    // It runs on now, so the same total adds nothing any more.
    assert_eq!(
        refused(&mut session, more(Some(0.3), 300)),
        Some((300, 300))
    );
}

#[test]
fn a_plan_has_the_extensions_that_were_made_and_no_others() {
    let mut session = finished();
    let added = more(Some(0.0), 200);
    assert!(!session.has_extension(0, &added));
    session.extend(0, added.clone()).unwrap();
    assert!(session.has_extension(0, &added));
    assert!(
        !session.has_extension(1, &added),
        "there are no such images"
    );
    assert!(!session.has_extension(0, &more(Some(0.0), 201)));
}
