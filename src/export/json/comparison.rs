//! Two sessions compared as one JSON object, without the maps: those are in the NPZ. A number that
//! does not exist is `null`.

use serde_json::{Value, json};

use crate::comparison::{Common, Compared, Pair, Shown, Trials};
use crate::session::Session;
use crate::session::config::Response;
use crate::stats::comparison::Difference;
use crate::stats::interval::wilson;
use crate::stats::share::Share;

/// The comparison at each of these places among the γ in common, by each of these responses. `alike`:
/// what was found when both networks were shown the same trials, or why they were not.
pub fn comparison(
    pair: &Pair<'_>,
    places: &[usize],
    responses: &[Response],
    alike: Option<Result<&Shown, &str>>,
) -> Value {
    let gammas = places.iter().map(|&place| {
        let mut all = gamma(&pair.gammas[place]);
        for &response in responses {
            all[response.key()] = maps(pair, &Compared::new(pair, place, response));
        }
        all
    });
    let (shown, problem) = match alike {
        Some(Ok(shown)) => (agreement(shown), Value::Null),
        Some(Err(why)) => (Value::Null, json!(why)),
        None => (Value::Null, Value::Null),
    };
    json!({
        "a": session(pair.sessions[0]),
        "b": session(pair.sessions[1]),
        "noise": pair.plans[0].noise.label(),
        "form": pair.form(),
        "gammas": gammas.collect::<Vec<Value>>(),
        "agreement": shown,
        "agreement_problem": problem,
    })
}

fn session(session: &Session) -> Value {
    let training = session.record.training.as_ref();
    json!({
        "name": session.name,
        "seed": session.config.seed,
        "dataset": session.config.dataset_label(),
        "network": session.config.network.label(),
        "test_accuracy": training.and_then(|it| it.test_accuracy),
        "at_chance": training.is_some_and(|it| it.at_chance),
    })
}

fn gamma(own: &Common<'_>) -> Value {
    let called = own.called();
    let correct = |at: usize| called.map(|it| share(it.correct[at]));
    let same = own.shown == Trials::Same;
    json!({
        "gamma": own.gamma,
        "trials": own.trials.map(|it| it.trials),
        "same_trials": match own.shown {
            Trials::Same => "all",
            Trials::Shared => "some",
            Trials::Others => "none",
        },
        "correct": [correct(0), correct(1)],
        "called_distance": called.map(|it| it.distance),
        "called_distance_by_chance": called.map(|it| it.by_chance),
        "alike_between": called.filter(|_| same).map(|it| it.alike),
    })
}

fn share(share: Share) -> Value {
    let interval = wilson(share.hits, share.of);
    json!({
        "share": interval.map(|it| it.estimate),
        "low": interval.map(|it| it.low),
        "high": interval.map(|it| it.high),
        "hits": share.hits,
        "of": share.of,
    })
}

fn maps(pair: &Pair<'_>, compared: &Compared) -> Value {
    let totals = compared.totals();
    let classes = compared.classes.iter().enumerate();
    let reliability = |at: usize, class: usize| compared.map(at, class).map(|map| map.reliability);
    let of_class = |(class, own): (usize, &Option<Difference>)| {
        let clusters = own.as_ref().and_then(|own| own.clusters.as_ref());
        json!({
            "class": class,
            "name": pair.name(class),
            "compared": own.is_some(),
            "reliability": [reliability(0, class), reliability(1, class)],
            "correlation": own.as_ref().map(|own| own.correlation),
            "correlation_corrected": own.as_ref().map(|own| own.corrected),
            "pixels": own.as_ref().map(|own| own.tested),
            "significant_pixels": own.as_ref().map(|own| own.significant),
            "significant_pixels_of_all": own.as_ref().map(|own| own.beyond),
            "clusters": clusters.map(|found| super::classification_images::clusters(Some(found))),
        })
    };
    json!({
        "unit": pair.unit(compared.response),
        "threshold": compared.bounds.map,
        "threshold_of_all": compared.bounds.all,
        "maps": totals.maps,
        "pixels": totals.tested,
        "significant_pixels": totals.significant,
        "significant_pixels_of_all": totals.beyond,
        "share_of_all": totals.share(),
        "correlation": totals.correlation,
        "classes": classes.map(of_class).collect::<Vec<Value>>(),
    })
}

fn agreement(shown: &Shown) -> Value {
    let joint = &shown.joint;
    let of = |hits| {
        share(Share {
            hits,
            of: joint.trials(),
        })
    };
    let rows = joint.counts.chunks(joint.classes.max(1));
    json!({
        "gamma": shown.gamma,
        "trials": joint.trials(),
        "alike": share(joint.alike()),
        "kappa": joint.kappa(),
        "correct": [of(joint.correct[0]), of(joint.correct[1])],
        "called": rows.map(|row| json!(row)).collect::<Vec<Value>>(),
    })
}
