//! Names of figures, in files and on the command line.

use super::Figure;
use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;

impl Figure {
    /// The name of the figure's file, without extension: `map-8-gamma-0.2`.
    pub fn name(&self) -> String {
        let gamma_suffix = |gamma: &Option<Gamma>| {
            gamma.map_or_else(String::new, |gamma| {
                format!("-gamma-{}", exact_gamma(gamma))
            })
        };
        match self {
            Self::Map {
                response,
                images,
                class,
                gamma,
            } => format!(
                "{}{}map-{class}{}",
                images_prefix(*images),
                response_prefix(*response),
                gamma_suffix(gamma)
            ),
            Self::Maps {
                response,
                images,
                gamma,
            } => format!(
                "{}{}maps{}",
                images_prefix(*images),
                response_prefix(*response),
                gamma_suffix(gamma)
            ),
            Self::Significance {
                response,
                images,
                gamma,
            } => format!(
                "{}{}z-maps{}",
                images_prefix(*images),
                response_prefix(*response),
                gamma_suffix(gamma)
            ),
            Self::Means { images, gamma } => format!(
                "{}mean-stimuli{}",
                images_prefix(*images),
                gamma_suffix(gamma)
            ),
            Self::Pair {
                images,
                class,
                versus,
                gamma,
            } => format!(
                "{}pair-{class}-not-{versus}{}",
                images_prefix(*images),
                gamma_suffix(gamma)
            ),
            Self::Filters { nth, layer } => {
                format!("{}-{}", numbered("filters", *nth), escaped(layer))
            }
            Self::Covariance { layer } => format!("covariance-{}", escaped(layer)),
            Self::Attack { nth } => numbered("attack", *nth),
            Self::Modulation { nth } => numbered("modulation", *nth),
            Self::Audit { nth } => numbered("audit", *nth),
            Self::Backdoor { nth } => numbered("backdoor", *nth),
            Self::Shards => "shards".into(),
            Self::Training => "training".into(),
            Self::Confusion { nth, split } => {
                format!("{}-{}", numbered("confusion", *nth), split.label())
            }
        }
    }

    /// The kind of figure: the beginning of its name, which all figures of the kind share.
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// Every kind of figure.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.into_iter().map(|(kind, _)| kind)
    }

    /// The figure's class; `None` if it is of all classes or of none.
    pub fn class(&self) -> Option<ClassId> {
        match self {
            Self::Map { class, .. } | Self::Pair { class, .. } => Some(*class),
            _ => None,
        }
    }
}

/// Every kind of figure, and what is missing if a session has none of it.
pub(super) const KINDS: [(&str, &str); 14] = [
    ("training", "training"),
    ("maps", "classification images"),
    ("z-maps", "classification images"),
    ("mean-stimuli", "classification images"),
    ("map", "classification images"),
    ("pair", "evidence images"),
    ("attack", "attack"),
    ("modulation", "modulation"),
    ("filters", "spike-triggered averages"),
    ("covariance", "spike-triggered covariances"),
    ("audit", "audit"),
    ("backdoor", "backdoor study"),
    ("confusion", "predictions"),
    ("shards", "shards"),
];

/// `attack`, `attack2`, …
fn numbered(kind: &str, nth: usize) -> String {
    match nth {
        0 => kind.to_owned(),
        nth => format!("{kind}{}", nth + 1),
    }
}

fn images_prefix(images: usize) -> String {
    match images {
        0 => String::new(),
        images => format!("noise{}-", images + 1),
    }
}

fn response_prefix(response: Option<Response>) -> &'static str {
    match response {
        Some(Response::Evidence) => "evidence-",
        Some(Response::Decision) | None => "",
    }
}

/// A signal strength, written as briefly as possible without becoming a different number.
pub(crate) fn exact_gamma(gamma: Gamma) -> String {
    let short = format::gamma(gamma);
    match short.parse() == Ok(gamma) {
        true => short,
        false => gamma.to_string(),
    }
}

/// Escapes a layer's name for a file name. It comes from a file: it must not lead out of a folder, and two names must
/// not become one.
fn escaped(layer: &str) -> String {
    let mut escaped = String::new();
    for letter in layer.chars() {
        match letter {
            '.' | '-' | '_' => escaped.push(letter),
            letter if letter.is_alphanumeric() => escaped.push(letter),
            letter => escaped.push_str(&format!("~{:x}", u32::from(letter))),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_no_two_figures_share_one() {
        let filters = |layer: &str| {
            let layer = layer.into();
            Figure::Filters { nth: 0, layer }.name()
        };
        assert_eq!(filters("conv1"), "filters-conv1");
        // A layer of the second experiment, and one of the first whose name begins with a number.
        let layer = "2-conv1".into();
        let second = Figure::Filters {
            nth: 1,
            layer: "conv1".into(),
        }
        .name();
        assert_eq!(second, "filters2-conv1");
        assert_ne!(second, Figure::Filters { nth: 0, layer }.name());
        assert_eq!(Figure::Attack { nth: 2 }.name(), "attack3");
        let all = ["a.b", "a/b", "a_b", "a#b", "a~2fb", "../a"].map(filters);
        for (index, name) in all.iter().enumerate() {
            assert!(!name.contains(['/', ' ', '#']), "{name}");
            assert!(!all[..index].contains(name), "{name}");
        }
        let means_at = |gamma: f64| Figure::Means {
            images: 0,
            gamma: Some(Gamma(gamma)),
        };
        assert_eq!(means_at(0.2).name(), "mean-stimuli-gamma-0.2");
        assert_ne!(means_at(0.2).name(), means_at(0.2004).name());
        assert_eq!(means_at(0.0).name(), "mean-stimuli-gamma-0.0");
    }
}
