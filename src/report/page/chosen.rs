//! Which figures a page has: of each experiment those that tell most, and some that stand behind them.

use crate::drawing::Sheet;
use crate::figure::{self, Figure, choice};
use crate::format::clean;
use crate::session::Session;
use crate::session::config::{self, Response, Split};
use crate::session::record::{ClassificationImages, GammaTrials, LayerResponses, SpikeTriggered};

/// Most numbers in the averages of a layer that is drawn: more take too much room, and are hardly told apart.
const LARGE: usize = 40_000;

/// The figures of a page: the width of two columns of a paper, with letters for a screen.
pub(super) const SHEET: Sheet = Sheet {
    text: 8.5,
    titled: false,
    ..Sheet::DOUBLE
};

/// The figures of one experiment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Chosen {
    /// What stands above them.
    pub title: String,
    /// Those that tell most.
    pub main: Vec<Figure>,
    /// Those that stand behind them.
    pub more: Vec<Figure>,
}

/// Where a figure belongs: the experiments in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Audit,
    Images(usize),
    Attack,
    Modulation,
    Units,
    Backdoor,
    Predictions,
    Training,
}

/// The figures of the session, by experiment.
pub(super) fn chosen(session: &Session) -> Vec<Chosen> {
    let mut all: Vec<(Of, Chosen)> = Vec::new();
    for figure in figure::all(session) {
        let Some((of, tells)) = place(session, &figure) else {
            continue;
        };
        let at = all
            .iter()
            .position(|(own, _)| *own == of)
            .unwrap_or_else(|| {
                let title = title(session, of);
                all.push((
                    of,
                    Chosen {
                        title,
                        ..Chosen::default()
                    },
                ));
                all.len() - 1
            });
        let own = &mut all[at].1;
        match tells {
            true => own.main.push(figure),
            false => own.more.push(figure),
        }
    }
    all.sort_by_key(|(of, _)| *of);
    let mut all: Vec<Chosen> = all.into_iter().map(|(_, own)| own).collect();
    for own in &mut all {
        own.main.sort_by_key(|figure| rank(session, figure));
        own.more.sort_by_key(|figure| rank(session, figure));
        // Something stands in front.
        if own.main.is_empty() {
            own.main
                .extend((!own.more.is_empty()).then(|| own.more.remove(0)));
        }
    }
    all
}

fn title(session: &Session, of: Of) -> String {
    match of {
        Of::Audit => "Is there a backdoor?".into(),
        Of::Images(nth) => {
            let at = session
                .record
                .all::<ClassificationImages>()
                .nth(nth)
                .map(|(at, _)| at);
            match at.and_then(|at| session.config.analyses.get(at)) {
                Some(config::Analysis::ClassificationImages(plan)) => {
                    format!("What speaks for each class, {} noise", plan.noise.label())
                }
                _ => "What speaks for each class".into(),
            }
        }
        Of::Attack => "Attack".into(),
        Of::Modulation => "Modulation".into(),
        Of::Units => "What units respond to".into(),
        Of::Backdoor => "The study of backdoors".into(),
        Of::Predictions => "Predictions".into(),
        Of::Training => "Training".into(),
    }
}

/// Where a figure belongs, and whether it is one of those that tell most; `None` where it has no place on a page.
fn place(session: &Session, figure: &Figure) -> Option<(Of, bool)> {
    Some(match figure {
        // One of each class would be many; the sheet of all classes has them.
        // How far shards are is of the moment, and no finding.
        Figure::Map { .. } | Figure::Shards => return None,
        Figure::Maps {
            response,
            images,
            gamma,
        } => {
            let own = nth(session, *images)?;
            let by = response.unwrap_or_else(|| choice::response(own));
            match leads(own, *gamma) {
                true => (
                    Of::Images(*images),
                    own.gammas.iter().any(|it| has_maps(it, by)),
                ),
                // A sheet without a map says nothing.
                false if !at(own, *gamma).is_some_and(|it| has_maps(it, by)) => return None,
                false => (Of::Images(*images), false),
            }
        }
        Figure::Significance {
            response,
            images,
            gamma,
        } => {
            let own = nth(session, *images)?;
            let most = choice::response(own);
            let tells = leads(own, *gamma) && response.is_none_or(|by| by == most);
            if !tells || !own.gammas.iter().any(|it| has_maps(it, most)) {
                return None;
            }
            (Of::Images(*images), false)
        }
        Figure::Means { images, gamma } => match leads(nth(session, *images)?, *gamma) {
            true => (Of::Images(*images), false),
            false => return None,
        },
        Figure::Pair { images, .. } => (Of::Images(*images), true),
        Figure::Filters { layer } => {
            let drawn = small_layers(session);
            let place = drawn.iter().position(|own| own.name == *layer)?;
            (Of::Units, place == 0 || place + 1 == drawn.len())
        }
        Figure::Covariance { .. } => (Of::Units, true),
        Figure::Attack => (Of::Attack, true),
        Figure::Modulation => (Of::Modulation, true),
        Figure::Audit => (Of::Audit, true),
        Figure::Backdoor => (Of::Backdoor, true),
        Figure::Training => (Of::Training, true),
        Figure::Confusion { split } => (Of::Predictions, *split == Split::Test),
    })
}

/// What of an experiment comes first: the maps that show most, then other maps, then the rest.
fn rank(session: &Session, figure: &Figure) -> usize {
    match figure {
        Figure::Maps {
            response, images, ..
        } => {
            let most = nth(session, *images).map_or(Response::Decision, choice::response);
            usize::from(response.is_some_and(|by| by != most))
        }
        Figure::Significance { .. } => 2,
        Figure::Pair { .. } => 3,
        Figure::Means { .. } => 4,
        _ => 5,
    }
}

fn nth(session: &Session, images: usize) -> Option<&ClassificationImages> {
    session.record.all().nth(images).map(|(_, own)| own)
}

/// Whether a figure at this γ stands for all: at each class's best γ, or at the only one.
fn leads(own: &ClassificationImages, gamma: Option<f64>) -> bool {
    gamma.is_none() || own.gammas.iter().filter(|it| it.trials > 0).count() < 2
}

fn at(own: &ClassificationImages, gamma: Option<f64>) -> Option<&GammaTrials> {
    own.gammas.iter().find(|it| Some(it.gamma) == gamma)
}

/// Whether any class has a map by a response.
fn has_maps(trials: &GammaTrials, by: Response) -> bool {
    trials.trials > 0
        && trials
            .estimate()
            .classes
            .iter()
            .any(|class| class.image(by).is_some())
}

/// The layers that are drawn.
fn small_layers(session: &Session) -> Vec<&LayerResponses> {
    let all = session
        .record
        .first::<SpikeTriggered>()
        .map_or(&[][..], |it| &it.layers);
    let size = |own: &&LayerResponses| own.units * own.field().iter().product::<usize>() <= LARGE;
    all.iter().filter(size).collect()
}

/// The layers that are not drawn since they are large, in words; nothing where all are drawn.
pub(super) fn large_layers(session: &Session) -> Vec<String> {
    let all = session
        .record
        .first::<SpikeTriggered>()
        .map_or(&[][..], |it| &it.layers);
    let small = small_layers(session);
    let drawn = |own: &&LayerResponses| !small.iter().any(|it| it.name == own.name);
    all.iter()
        .filter(drawn)
        .map(|own| clean(&own.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{measured, planned};

    #[test]
    fn maps_of_all_classes_stand_in_front_and_no_class_has_a_figure_of_its_own() {
        assert!(chosen(&planned()).is_empty());
        let session = measured();
        assert!(
            figure::all(&session)
                .iter()
                .any(|it| matches!(it, Figure::Map { .. }))
        );
        let all = chosen(&session);
        let titles: Vec<&str> = all.iter().map(|it| it.title.as_str()).collect();
        assert_eq!(
            titles,
            ["What speaks for each class, uniform noise", "Training"]
        );
        let names: Vec<String> = all[0].main.iter().map(Figure::name).collect();
        assert_eq!(names, ["maps-gamma-0.0"]);
        let names: Vec<String> = all[0].more.iter().map(Figure::name).collect();
        assert_eq!(names, ["z-maps-gamma-0.0", "mean-stimuli-gamma-0.0"]);
    }
}
