//! The caption of a figure: what it shows, for how many trials, at which γ, and the threshold at which a pixel counts
//! as significant.

use super::channels;
use super::choice;
use super::maps::trials_of_class;
use super::provenance::provenance;
use super::wording::capitalise;
use super::wording::class_name;
use super::{Figure, images, nth};
use crate::format::{self, counted, gamma, percent, reliability, thousands};
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::{self, Analysis, Response, Split};
use crate::session::record::{
    Attack, ClassificationImages, GammaTrials, Predictions, SpikeTriggered,
};
use crate::stats::classification::ImageEstimate;

/// The caption of a figure, as one paragraph; `None` if the session does not have the figure.
pub fn caption(session: &Session, figure: &Figure) -> Option<String> {
    let text = match figure {
        Figure::Map {
            response,
            images,
            class,
            gamma,
        } => map(session, (*images, *response), *class, *gamma)?,
        Figure::Maps {
            response,
            images,
            gamma,
        } => {
            let words = maps(session, (*images, *response), *gamma, "mean")?;
            words + &unit(session, *images, *response)?
        }
        Figure::Significance {
            response,
            images,
            gamma,
        } => significance(session, (*images, *response), *gamma)?,
        Figure::Means { images, gamma } => means(session, *images, *gamma)?,
        Figure::Pair {
            images,
            class,
            versus,
            gamma,
        } => pair(session, *images, (*class, *versus), *gamma)?,
        Figure::Filters { nth, layer } => filters(session, *nth, layer)?,
        Figure::Covariance { layer } => super::covariance::caption(session, layer)?,
        Figure::Attack { nth } => attack(session, *nth)?,
        Figure::Modulation { nth } => super::modulation::caption(session, *nth)?,
        Figure::Audit { nth } => super::audit_scores::caption(session, *nth)?,
        Figure::Backdoor { nth } => super::backdoor::caption(session, *nth)?,
        Figure::Shards => super::shards::caption(session)?,
        Figure::Training => training(session)?,
        Figure::Confusion { nth, split } => confusion(session, *nth, *split)?,
    };
    let number = match figure.nth() {
        0 => String::new(),
        nth => format!(" Experiment {} of this kind in the plan.", nth + 1),
    };
    Some(format!("{text}{number} {}", provenance(session)))
}

/// The plan and the record of classification images.
fn planned(
    session: &Session,
    place: usize,
) -> Option<(&config::ClassificationImages, &ClassificationImages)> {
    let (index, record) = nth::<ClassificationImages>(session, place)?;
    let Analysis::ClassificationImages(plan) = session.config.analyses.get(index)? else {
        return None;
    };
    Some((plan, record))
}

/// The trials that maps are made of, in words: how many, which of them count, and their noise. Evidence takes them all.
fn made_of(
    session: &Session,
    (images, response): (usize, Response),
    trials: &[&GammaTrials],
) -> Option<String> {
    let (plan, _) = planned(session, images)?;
    let shown: u64 = trials.iter().map(|trials| trials.trials).sum();
    let counted: u64 = trials.iter().map(|trials| trials.trials_of(response)).sum();
    let number = match counted == shown {
        true => thousands(shown),
        false => format!("{} of {}", thousands(counted), thousands(shown)),
    };
    let weighting = match response {
        Response::Decision => plan.weighting.label(),
        Response::Evidence => None,
    };
    let weighting = weighting.map_or_else(String::new, |label| format!(" ({label})"));
    Some(format!("{number} trials of {}{weighting}", noise(plan)))
}

/// The noise of classification images, and whether it smooths the map, in words.
fn noise(plan: &config::ClassificationImages) -> String {
    let cells = match plan.cell {
        0 | 1 => String::new(),
        cell => format!(" in cells of {cell}×{cell} pixels"),
    };
    let grey = match plan.grey {
        true => ", the same in all channels",
        false => "",
    };
    let smoothed = match plan.noise.is_white() {
        true => "",
        false => ", which smooths the map",
    };
    format!("{} noise{cells}{grey}{smoothed}", plan.noise.label())
}

/// What the numbers of maps are in, as a sentence after others.
fn unit(session: &Session, place: usize, response: Option<Response>) -> Option<String> {
    let (plan, record) = planned(session, place)?;
    let unit = match response.unwrap_or_else(|| choice::best_response(record)) {
        Response::Decision => "full ranges of a pixel".to_owned(),
        Response::Evidence => plan.evidence.image_unit(),
    };
    Some(format!(" Values in {unit}."))
}

/// Which plane is drawn of maps of several channels, as a sentence after others; empty for one channel.
fn plane(trials: &GammaTrials, drawn: &str) -> String {
    match trials.shape()[0] {
        1 => String::new(),
        channels => format!(" Drawn: the {drawn} of {channels} channels."),
    }
}

/// The trials at a signal strength, or at each that has any.
fn shown_trials(
    images_record: &ClassificationImages,
    gamma_value: Option<Gamma>,
) -> Option<Vec<&GammaTrials>> {
    let all = images_record.gammas.iter();
    Some(match gamma_value {
        Some(gamma_value) => vec![super::at_gamma(images_record, gamma_value).ok()?],
        None => all.filter(|trials| trials.trials > 0).collect(),
    })
}

/// How many pixels of a map are outlined, as a sentence after others.
fn outlined(map: &ImageEstimate, threshold: f64) -> String {
    format!(
        " Outlined: {} of {} values with |z| > {threshold:.2} (two-sided, 5 % for the whole map).",
        thousands(map.significant as u64),
        thousands(map.z.len() as u64)
    )
}

fn map(
    session: &Session,
    (place, response): (usize, Option<Response>),
    class: ClassId,
    gamma_value: Option<Gamma>,
) -> Option<String> {
    let (trials, by) = trials_of_class(session, (place, response), class, gamma_value).ok()?;
    let estimate = trials.estimate();
    let class_estimate = estimate.classes.get(class.0)?;
    let map = class_estimate.image(by)?;
    let name = class_name(&session.record, class);
    let mut words = format!(
        "{} of {name} at γ = {}, from {}",
        capitalise(by.image_label()),
        gamma(trials.gamma),
        made_of(session, (place, by), &[trials])?
    );
    if by == Response::Decision {
        words += &format!(
            ", {} of them called {name}",
            thousands(class_estimate.called)
        );
    }
    words += ".";
    if let Some(r) = map.reliability {
        words += &format!(" Reliability R = {}", reliability(r));
        if let Some([low, high]) = map.reliability_interval {
            let (low, high) = (reliability(low), reliability(high));
            words += &format!(" (95 % {low} to {high})");
        }
        words += ", by Spearman–Brown from even and odd blocks.";
    }
    words += &outlined(map, estimate.threshold);
    Some(words + &unit(session, place, Some(by))?)
}

fn maps(
    session: &Session,
    (place, response): (usize, Option<Response>),
    gamma_value: Option<Gamma>,
    drawn: &str,
) -> Option<String> {
    let images_record = images(session, place).ok()?;
    let by = response.unwrap_or_else(|| choice::best_response(images_record));
    let shown = shown_trials(images_record, gamma_value)?;
    let reliable = |trials: &GammaTrials, class: ClassId| {
        let estimate = trials.estimate();
        let class_estimate = estimate.classes.get(class.0);
        choice::is_reliable(class_estimate.and_then(|class_estimate| class_estimate.image(by)))
    };
    let classes = shown.first()?.classes();
    let has_map = |trials: &GammaTrials, class: ClassId| {
        let estimate = trials.estimate();
        let class_estimate = estimate.classes.get(class.0);
        class_estimate.is_some_and(|class_estimate| class_estimate.image(by).is_some())
    };
    let with_map =
        ClassId::all(classes).filter(|&class| shown.iter().any(|trials| has_map(trials, class)));
    let with_map = with_map.count();
    let missing = match classes - with_map {
        0 => String::new(),
        1 => "; 1 class has none".to_owned(),
        missing => format!("; {missing} classes have none"),
    };
    let good =
        ClassId::all(classes).filter(|&class| shown.iter().any(|trials| reliable(trials, class)));
    let gammas = match gamma_value {
        Some(gamma_value) => format!("at γ = {}", gamma(gamma_value)),
        None => {
            let all: Vec<String> = shown.iter().map(|trials| gamma(trials.gamma)).collect();
            format!("each class at its best γ of {}", all.join(", "))
        }
    };
    Some(format!(
        "{}s, {gammas}, from {}; {} of {} R ≥ {}{missing}.{}",
        capitalise(by.image_label()),
        made_of(session, (place, by), &shown)?,
        good.count(),
        counted(with_map as u64, "map has", "maps have"),
        choice::RELIABLE,
        plane(shown.first()?, drawn)
    ))
}

fn significance(
    session: &Session,
    (place, response): (usize, Option<Response>),
    gamma_value: Option<Gamma>,
) -> Option<String> {
    let images_record = images(session, place).ok()?;
    let by = response.unwrap_or_else(|| choice::best_response(images_record));
    let strongest = "channel farthest from zero";
    let of_map = maps(session, (place, Some(by)), gamma_value, strongest)?;
    let shown = images_record
        .gammas
        .iter()
        .filter(|trials| trials.trials > 0);
    let mut thresholds: Vec<String> = shown
        .filter(|trials| {
            gamma_value.is_none_or(|gamma_value| (trials.gamma.0 - gamma_value.0).abs() < 1e-9)
        })
        .map(|trials| format!("{:.2}", trials.estimate().threshold))
        .collect();
    thresholds.dedup();
    Some(format!(
        "z: each pixel over its standard error. Outlined: |z| > {} (two-sided, 5 % for a whole map). {of_map}",
        thresholds.join(" or ")
    ))
}

fn means(session: &Session, place: usize, gamma_value: Option<Gamma>) -> Option<String> {
    let shown = shown_trials(images(session, place).ok()?, gamma_value)?;
    let gammas = match gamma_value {
        Some(gamma_value) => format!("at γ = {}", gamma(gamma_value)),
        None => "each class at its best γ".to_owned(),
    };
    let first = shown.first()?;
    let plane = match first.shape()[0] {
        channels::RGB => String::new(),
        _ => plane(first, "mean"),
    };
    Some(format!(
        "Mean stimulus of the trials called each class, {gammas}, from {}; all on one scale.{plane}",
        made_of(session, (place, Response::Decision), &shown)?
    ))
}

fn pair(
    session: &Session,
    place: usize,
    (class, versus): (ClassId, ClassId),
    gamma_value: Option<Gamma>,
) -> Option<String> {
    let shown = (place, Some(Response::Evidence));
    let (trials, _) = trials_of_class(session, shown, class, gamma_value).ok()?;
    let estimate = trials.estimate();
    let (shape, errors) = (trials.shape(), trials.errors());
    let map = estimate.class_difference(class, versus, shape, errors, trials.trials)?;
    let [name, other] = [class, versus].map(|class| class_name(&session.record, class));
    let mut words = format!(
        "Evidence images of {name} and of {other} and their difference, the evidence for {name} rather than \
         {other}, at γ = {}, from {}.",
        gamma(trials.gamma),
        made_of(session, (place, Response::Evidence), &[trials])?
    );
    if let Some(r) = map.reliability {
        words += &format!(" Reliability of the difference R = {}.", reliability(r));
    }
    words += &outlined(&map, estimate.threshold);
    words += &unit(session, place, Some(Response::Evidence))?;
    let strongest = "channel farthest from zero in each map, outlined where any is significant,";
    Some(words + &plane(trials, strongest))
}

fn filters(session: &Session, at: usize, name: &str) -> Option<String> {
    let (_, spikes) = nth::<SpikeTriggered>(session, at)?;
    let layer = spikes.layers.iter().find(|layer| layer.name == name)?;
    let estimate = layer.estimate();
    let (height, width) = layer.receptive_field;
    let silent = match estimate.silent.len() {
        0 => String::new(),
        silent => format!(", {silent} of all {} silent", layer.units),
    };
    let beside = match layer.kernel.values().is_empty() {
        true => " R: the reliability of an average.",
        false => " Beside each average: the weights of the unit; r: their correlation.",
    };
    Some(format!(
        "Spike-triggered averages of {} of {}{silent}, from {} receptive fields of {height}×{width} pixels of noise; each unit on its own scale.{beside}",
        super::filters::drawn_in_words(layer.units),
        format::layer(name),
        thousands(layer.noise.fields.iter().sum())
    ))
}

fn attack(session: &Session, at: usize) -> Option<String> {
    let (_, attack) = nth::<Attack>(session, at)?;
    let pattern_origin = super::wording::pattern_origin(attack, "γ =");
    let pattern_origin = pattern_origin.map_or_else(String::new, |words| format!(" ({words})"));
    Some(format!(
        "Targeted success of images blended with patterns{pattern_origin}, against the weight w of the pattern; {} queries. Curves: {}. Bands: their 95 % intervals (Wilson).",
        thousands(attack.queries()),
        super::attack::means_in_words(attack)
    ))
}

fn training(session: &Session) -> Option<String> {
    let training = session.record.training.as_ref()?;
    Some(format!(
        "Loss and accuracy over {} of training, {} parameters.",
        counted(training.epochs.len() as u64, "epoch", "epochs"),
        thousands(training.parameters as u64)
    ))
}

fn confusion(session: &Session, at: usize, split: Split) -> Option<String> {
    let (_, predictions) = nth::<Predictions>(session, at)?;
    let split_counts = predictions
        .splits
        .iter()
        .find(|split_counts| split_counts.split == split)?;
    let classes = split_counts.classes();
    let hits: u64 = (0..classes)
        .filter_map(|class| split_counts.counts.get(class * (classes + 1)))
        .sum();
    let total = split_counts.total();
    let share = (total > 0).then(|| percent(hits as f64 / total as f64))?;
    Some(format!(
        "Images of the {} set by true class (rows) and predicted class (columns): {} images, {share} classified correctly.",
        split.label(),
        thousands(total)
    ))
}
