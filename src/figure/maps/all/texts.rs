//! The words of a sheet of maps: heading, foot, labels of tiles and alternative text.

use super::super::super::{channels, choice, wording};
use super::super::grain;
use super::super::tile::gap;
use super::{ClassMap, MapContent};
use crate::drawing::Sheet;
use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;
use crate::session::record::{GammaTrials, Record};

pub(super) fn heading(
    trials: &GammaTrials,
    (response, shows): (Response, MapContent),
    mixed: bool,
) -> String {
    let subject = match shows {
        MapContent::Maps => format!("{}s", response.image_label()),
        MapContent::Significance => format!("z of {}s", response.image_label()),
        MapContent::Means => "mean stimuli by decision".to_owned(),
    };
    let mean = match (trials.shape()[0], shows) {
        (1, _) | (channels::RGB, MapContent::Means) => String::new(),
        (channels, MapContent::Significance) => channels::strongest_in_words(channels),
        (channels, _) => channels::mean_in_words(channels),
    };
    let grain = grain(trials).map_or_else(String::new, |words| format!(", {words}"));
    let gamma_note = match mixed {
        true => ", each class at its best γ".to_owned(),
        false => format!(" at γ {}", format::gamma(trials.gamma)),
    };
    format!("{subject}{gamma_note}{mean}{grain}")
}

/// The line below the maps: the number of trials, how many maps have their own scale, what labels that are numbers mean,
/// and which classes are not in the plan.
pub(super) fn foot_words(
    record: &Record,
    trials: &GammaTrials,
    all: Option<u64>,
    apart: usize,
    numbers: Option<&str>,
) -> String {
    let mut parts = Vec::new();
    parts.extend(all.map(|all| format!("{} trials", format::thousands(all))));
    parts.extend(match apart {
        0 => None,
        1 => Some("the map marked ± has its own scale".to_owned()),
        _ => Some("maps marked ± have their own scales".to_owned()),
    });
    parts.extend(numbers.map(str::to_owned));
    let others: Vec<ClassId> = ClassId::all(trials.classes())
        .filter(|class| !trials.listed.contains(class))
        .collect();
    parts.extend(match others[..] {
        [] => None,
        [class] => Some(format!(
            "no map of {} in the plan",
            wording::class_name(record, class)
        )),
        _ => Some(format!(
            "no maps of {} other classes in the plan",
            others.len()
        )),
    });
    parts.join(", ")
}

/// Millimetres for the label of a tile `across` millimetres wide.
pub(super) fn name_room(across: f64, sheet: &Sheet) -> f64 {
    across + 0.5 * gap(sheet)
}

/// The label of a tile: the class's name, which fits, and its statistics, in one or two lines.
pub(super) fn captions(
    name: &str,
    (shown, response, own_gamma, shows): (&ClassMap<'_>, Response, Option<Gamma>, MapContent),
    across: f64,
    sheet: &Sheet,
) -> Vec<String> {
    let class_estimate = shown.class_estimate();
    let map = class_estimate.image(response);
    let called = || format!("{} trials", format::count(class_estimate.called as f64));
    let mut more: Vec<String> = own_gamma
        .map(|gamma| format!("γ {}", format::gamma(gamma)))
        .into_iter()
        .collect();
    more.extend(match (shows, map, map.and_then(|map| map.reliability)) {
        (MapContent::Means, ..) | (_, None, _) => Some(called()),
        (MapContent::Significance, Some(map), _) => Some(format!("{} pixels", map.significant)),
        (MapContent::Maps, Some(_), Some(r)) => Some(format!("R {}", choice::reliability_text(r))),
        _ => None,
    });
    let room = name_room(across, sheet);
    let fits = |words: &String| sheet.text_width(words) <= room;
    let whole = format!("{name}  {}", more.join(" "));
    if !more.is_empty() && fits(&whole) {
        return vec![whole];
    }
    // The last statistic is the most informative.
    let second = std::iter::once(more.join(" "))
        .chain(more.last().cloned())
        .find(fits);
    std::iter::once(name.to_owned())
        .chain(second.filter(|line| !line.is_empty()))
        .collect()
}

pub(super) fn alternative(
    record: &Record,
    classes: &[ClassMap<'_>],
    (response, shows): (Response, MapContent),
    mixed: bool,
) -> String {
    let count = classes
        .iter()
        .filter(|class_map| class_map.map.is_some())
        .count();
    let subject = match shows {
        MapContent::Maps => format!("{}s", response.image_label()),
        MapContent::Significance => format!("z maps of the {}s", response.image_label()),
        MapContent::Means => "mean stimuli".to_owned(),
    };
    let gamma_note = if mixed {
        ", each class at the signal strength that shows it best"
    } else {
        ""
    };
    let mut words = format!(
        "A sheet of {} {subject} out of {} classes{gamma_note}.",
        count,
        classes.len()
    );
    if shows == MapContent::Means {
        return words;
    }
    let known = classes
        .iter()
        .filter_map(|class_map| Some((class_map.class, class_map.reliability(response)?)));
    let most = known.clone().max_by(|a, b| a.1.total_cmp(&b.1));
    let least = known.min_by(|a, b| a.1.total_cmp(&b.1));
    if let (Some((best, most)), Some((worst, least))) = (most, least) {
        words += &format!(
            " The most reliable is that of {} (R {}), the least that of {} (R {}).",
            wording::class_name(record, best),
            format::reliability(most),
            wording::class_name(record, worst),
            format::reliability(least)
        );
    }
    if shows == MapContent::Significance {
        let significant = classes
            .iter()
            .filter_map(|class_map| class_map.class_estimate().image(response));
        let most = significant.map(|map| map.significant).max().unwrap_or(0);
        words += &format!(" Outlined are significant pixels, up to {most} in a map.");
    }
    words
}
