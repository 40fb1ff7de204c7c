//! The comparison of two sessions as one JSON object, without the maps, which are in the NPZ. A missing number is
//! `null`.

use serde_json::{Value, json};

use crate::comparison::{
    MapComparison, SessionPair, SharedGamma, SharedTrialDecisions, TrialOverlap,
};
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config::Response;
use crate::stats::comparison::MapDifference;
use crate::stats::interval::wilson;
use crate::stats::share::Share;

/// Compares two sessions at each of these indices into their common γ and by each of these responses. `alike`: the
/// agreement of the two networks on the same trials, or the reason why it is unknown.
pub fn comparison(
    pair: &SessionPair<'_>,
    places: &[usize],
    responses: &[Response],
    alike: Option<Result<&SharedTrialDecisions, &str>>,
) -> Value {
    let gammas = places.iter().map(|&place| {
        let mut all = gamma(&pair.gammas[place]);
        for &response in responses {
            all[response.key()] = maps(pair, &MapComparison::new(pair, place, response));
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
        "test_accuracy": training.and_then(|training| training.test_accuracy),
        "at_chance": training.is_some_and(|training| training.at_chance),
    })
}

fn gamma(common: &SharedGamma<'_>) -> Value {
    let called = common.compare_counts();
    let correct = |side: usize| called.map(|decisions| share(decisions.correct[side]));
    json!({
        "gamma": common.gamma,
        "trials": common.trials.map(|trials| trials.trials),
        "same_trials": match common.overlap {
            TrialOverlap::Same => "all",
            TrialOverlap::Shared => "some",
            TrialOverlap::Different => "none",
        },
        "correct": [correct(0), correct(1)],
        "called_distance": called.map(|decisions| decisions.distance),
        "called_distance_by_chance": called.map(|decisions| decisions.by_chance),
        "alike_between": common.agreement_bounds(),
    })
}

fn share(share: Share) -> Value {
    let interval = wilson(share.hits, share.total);
    json!({
        "share": interval.map(|interval| interval.estimate),
        "low": interval.map(|interval| interval.low),
        "high": interval.map(|interval| interval.high),
        "hits": share.hits,
        "of": share.total,
    })
}

fn maps(pair: &SessionPair<'_>, compared: &MapComparison) -> Value {
    let totals = compared.totals();
    let classes = ClassId::all(compared.classes.len()).zip(&compared.classes);
    let reliability =
        |side: usize, class: ClassId| compared.map(side, class).map(|map| map.reliability);
    let of_class = |(class, difference): (ClassId, &Option<MapDifference>)| {
        let clusters = difference
            .as_ref()
            .and_then(|difference| difference.clusters.as_ref());
        json!({
            "class": class,
            "name": pair.class_name(class),
            "compared": difference.is_some(),
            "reliability": [reliability(0, class), reliability(1, class)],
            "correlation": difference.as_ref().map(|difference| difference.correlation),
            "correlation_corrected": difference.as_ref().map(|difference| difference.corrected),
            "pixels": difference.as_ref().map(|difference| difference.tested),
            "significant_pixels": difference.as_ref().map(|difference| difference.significant),
            "significant_pixels_of_all": difference.as_ref().map(|difference| difference.significant_in_all),
            "clusters": clusters.map(|found| super::classification_images::clusters(Some(found))),
        })
    };
    json!({
        "unit": pair.unit(compared.response),
        "trials": compared.trials,
        "same_centring": compared.same_centring,
        "same_noise": compared.same_noise,
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

fn agreement(shown: &SharedTrialDecisions) -> Value {
    let joint = &shown.joint;
    let share_of = |hits| {
        share(Share {
            hits,
            total: joint.trials(),
        })
    };
    let rows = joint.counts.chunks(joint.classes.max(1));
    json!({
        "gamma": shown.gamma,
        "trials": joint.trials(),
        "alike": share(joint.agreement()),
        "kappa": joint.kappa(),
        "correct": [share_of(joint.correct[0]), share_of(joint.correct[1])],
        "called": rows.map(|row| json!(row)).collect::<Vec<Value>>(),
    })
}
