//! The selection of figures for a page: for each experiment the main figures, and some supporting ones.

use crate::drawing::Sheet;
use crate::figure::{self, Figure, choice};
use crate::format;
use crate::ids::Gamma;
use crate::session::Session;
use crate::session::config::{self, Response, Split};
use crate::session::record::{ClassificationImages, GammaTrials, LayerResponses, SpikeTriggered};

/// Maximum numbers in the averages of a layer that is drawn: larger ones take too much space and are
/// hard to read.
const LARGE: usize = 40_000;

/// The figures of a page: as wide as two columns of a paper, with text sized for a screen.
pub(super) const SHEET: Sheet = Sheet {
    text_points: 8.5,
    titled: false,
    ..Sheet::DOUBLE
};

/// The figures of one experiment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct FigureSelection {
    /// The heading above them.
    pub title: String,
    /// The main figures.
    pub main: Vec<Figure>,
    /// Supporting figures.
    pub more: Vec<Figure>,
}

/// The group that a figure belongs to, in page order, with the index of its experiment among those of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum FigureGroup {
    Audit(usize),
    Images(usize),
    Attack(usize),
    Modulation(usize),
    Units(usize),
    Backdoor(usize),
    Predictions(usize),
    Training,
}

/// The session's figures, grouped by experiment.
pub(super) fn select_figures(session: &Session) -> Vec<FigureSelection> {
    let mut all: Vec<(FigureGroup, FigureSelection)> = Vec::new();
    for figure in figure::list(session) {
        let Some((group, is_main)) = place(session, &figure) else {
            continue;
        };
        let index = all
            .iter()
            .position(|(existing, _)| *existing == group)
            .unwrap_or_else(|| {
                let title = title(session, group);
                all.push((
                    group,
                    FigureSelection {
                        title,
                        ..FigureSelection::default()
                    },
                ));
                all.len() - 1
            });
        let chosen = &mut all[index].1;
        match is_main {
            true => chosen.main.push(figure),
            false => chosen.more.push(figure),
        }
    }
    all.sort_by_key(|(group, _)| *group);
    let mut all: Vec<FigureSelection> = all.into_iter().map(|(_, chosen)| chosen).collect();
    for chosen in &mut all {
        chosen.main.sort_by_key(|figure| rank(session, figure));
        chosen.more.sort_by_key(|figure| rank(session, figure));
        // There is always a main figure.
        if chosen.main.is_empty() {
            chosen
                .main
                .extend((!chosen.more.is_empty()).then(|| chosen.more.remove(0)));
        }
    }
    all
}

fn title(session: &Session, group: FigureGroup) -> String {
    let numbered = |title: &str, nth: usize| match nth {
        0 => title.to_owned(),
        nth => format!("{title}, {}", nth + 1),
    };
    match group {
        FigureGroup::Audit(nth) => numbered("Is there a backdoor?", nth),
        FigureGroup::Images(nth) => {
            let index = session
                .record
                .all::<ClassificationImages>()
                .nth(nth)
                .map(|(index, _)| index);
            match index.and_then(|index| session.config.analyses.get(index)) {
                Some(config::Analysis::ClassificationImages(plan)) => {
                    format!("Maps by class, {} noise", plan.noise.label())
                }
                _ => "Maps by class".into(),
            }
        }
        FigureGroup::Attack(nth) => numbered("Attack", nth),
        FigureGroup::Modulation(nth) => numbered("Modulation", nth),
        FigureGroup::Units(nth) => numbered("Unit responses", nth),
        FigureGroup::Backdoor(nth) => numbered("Backdoor study", nth),
        FigureGroup::Predictions(nth) => numbered("Predictions", nth),
        FigureGroup::Training => "Training".into(),
    }
}

/// The group of a figure, and whether it is a main figure; `None` if it is not shown on a page.
fn place(session: &Session, figure: &Figure) -> Option<(FigureGroup, bool)> {
    Some(match figure {
        // One figure per class would be too many; the sheet of all classes shows them. The progress of
        // shards is momentary, not a finding.
        Figure::Map { .. } | Figure::Shards => return None,
        Figure::Maps {
            response,
            images,
            gamma,
        } => {
            let record = nth_images(session, *images)?;
            let shown = response.unwrap_or_else(|| choice::best_response(record));
            match represents_all(record, *gamma) {
                true => (
                    FigureGroup::Images(*images),
                    record.gammas.iter().any(|trials| has_maps(trials, shown)),
                ),
                // A sheet without maps shows nothing.
                false
                    if !at_gamma(record, *gamma).is_some_and(|trials| has_maps(trials, shown)) =>
                {
                    return None;
                }
                false => (FigureGroup::Images(*images), false),
            }
        }
        Figure::Significance {
            response,
            images,
            gamma,
        } => {
            let record = nth_images(session, *images)?;
            let best = choice::best_response(record);
            let is_relevant =
                represents_all(record, *gamma) && response.is_none_or(|by| by == best);
            if !is_relevant || !record.gammas.iter().any(|trials| has_maps(trials, best)) {
                return None;
            }
            (FigureGroup::Images(*images), false)
        }
        Figure::Means { images, gamma } => {
            let record = nth_images(session, *images)?;
            if !represents_all(record, *gamma) || !has_means(record, *gamma) {
                return None;
            }
            (FigureGroup::Images(*images), false)
        }
        Figure::Pair { images, .. } => (FigureGroup::Images(*images), true),
        Figure::Filters { nth, layer } => {
            let (_, spikes) = session.record.all::<SpikeTriggered>().nth(*nth)?;
            let drawn = small_layers(spikes);
            let place = drawn.iter().position(|small| small.name == *layer)?;
            let is_end = place == 0 || place + 1 == drawn.len();
            (FigureGroup::Units(*nth), is_end)
        }
        Figure::Covariance { .. } => (FigureGroup::Units(0), true),
        Figure::Attack { nth } => (FigureGroup::Attack(*nth), true),
        Figure::Modulation { nth } => (FigureGroup::Modulation(*nth), true),
        Figure::Audit { nth } => (FigureGroup::Audit(*nth), true),
        Figure::Backdoor { nth } => (FigureGroup::Backdoor(*nth), true),
        Figure::Training => (FigureGroup::Training, true),
        Figure::Confusion { nth, split } => (FigureGroup::Predictions(*nth), *split == Split::Test),
    })
}

/// The order of figures within an experiment: the best maps, then other maps, then the rest.
fn rank(session: &Session, figure: &Figure) -> usize {
    match figure {
        Figure::Maps {
            response, images, ..
        } => {
            let best =
                nth_images(session, *images).map_or(Response::Decision, choice::best_response);
            usize::from(response.is_some_and(|by| by != best))
        }
        Figure::Significance { .. } => 2,
        Figure::Pair { .. } => 3,
        Figure::Means { .. } => 4,
        _ => 5,
    }
}

fn nth_images(session: &Session, images: usize) -> Option<&ClassificationImages> {
    session.record.all().nth(images).map(|(_, record)| record)
}

/// Whether a figure at this γ represents all: it is at each class's best γ, or there is only one γ.
fn represents_all(record: &ClassificationImages, gamma: Option<Gamma>) -> bool {
    gamma.is_none()
        || record
            .gammas
            .iter()
            .filter(|trials| trials.trials > 0)
            .count()
            < 2
}

fn at_gamma(record: &ClassificationImages, gamma: Option<Gamma>) -> Option<&GammaTrials> {
    record
        .gammas
        .iter()
        .find(|trials| Some(trials.gamma) == gamma)
}

/// Whether any class has a map for this response.
fn has_maps(trials: &GammaTrials, response: Response) -> bool {
    trials.trials > 0
        && trials
            .estimate()
            .classes
            .iter()
            .any(|class| class.image(response).is_some())
}

/// Whether a sheet of mean stimuli shows that of any class: means of too few trials are not drawn.
fn has_means(record: &ClassificationImages, gamma: Option<Gamma>) -> bool {
    let shown_at = |class| match gamma {
        Some(_) => at_gamma(record, gamma),
        None => {
            let best = choice::best_gamma_index(record, Response::Decision, class, None);
            record.gammas.get(best)
        }
    };
    let listed = record
        .gammas
        .first()
        .map_or(&[][..], |trials| &trials.listed);
    listed.iter().any(|&class| {
        shown_at(class).is_some_and(|trials| {
            trials.trials > 0 && trials.estimate().classes[class].called >= trials.min_trials
        })
    })
}

/// Whether the averages of a layer are drawn.
fn is_small(layer: &LayerResponses) -> bool {
    layer.units * layer.field().iter().product::<usize>() <= LARGE
}

/// The layers that are drawn.
fn small_layers(spikes: &SpikeTriggered) -> Vec<&LayerResponses> {
    let layers = spikes.layers.iter();
    layers.filter(|layer| is_small(layer)).collect()
}

/// The names of the layers that are too large to draw.
pub(super) fn large_layers(session: &Session) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, spikes) in session.record.all::<SpikeTriggered>() {
        for layer in spikes.layers.iter().filter(|layer| !is_small(layer)) {
            let name = format::layer(&layer.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{measured, planned};
    use crate::session::record;

    #[test]
    fn maps_of_all_classes_come_first_and_no_class_has_its_own_figure() {
        assert!(select_figures(&planned()).is_empty());
        let session = measured();
        assert!(
            figure::list(&session)
                .iter()
                .any(|figure| matches!(figure, Figure::Map { .. }))
        );
        let all = select_figures(&session);
        let titles: Vec<&str> = all.iter().map(|chosen| chosen.title.as_str()).collect();
        assert_eq!(titles, ["Maps by class, uniform noise", "Training"]);
        let names: Vec<String> = all[0].main.iter().map(Figure::name).collect();
        assert_eq!(names, ["maps-gamma-0.0"]);
        let names: Vec<String> = all[0].more.iter().map(Figure::name).collect();
        assert_eq!(names, ["z-maps-gamma-0.0", "mean-stimuli-gamma-0.0"]);
    }

    #[test]
    fn a_sheet_of_mean_stimuli_without_one_is_left_out() {
        let mut session = measured();
        let record::Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
            unreachable!()
        };
        images.gammas[0].min_trials = 1_000_000;
        let all = select_figures(&session);
        let mut figures = all
            .iter()
            .flat_map(|chosen| chosen.main.iter().chain(&chosen.more));
        assert!(!figures.any(|figure| matches!(figure, Figure::Means { .. })));
    }
}
