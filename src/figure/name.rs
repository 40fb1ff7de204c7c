//! What figures are called: in files, and on the command line.

use super::Figure;
use crate::format;
use crate::session::config::Response;

impl Figure {
    /// A plain name for a file, without its ending: `map-8-gamma-0.2`.
    pub fn name(&self) -> String {
        let at = |gamma: &Option<f64>| {
            gamma.map_or_else(String::new, |gamma| format!("-gamma-{}", exact(gamma)))
        };
        match self {
            Self::Map {
                response,
                images,
                class,
                gamma,
            } => format!("{}{}map-{class}{}", of(*images), by(*response), at(gamma)),
            Self::Maps {
                response,
                images,
                gamma,
            } => format!("{}{}maps{}", of(*images), by(*response), at(gamma)),
            Self::Significance {
                response,
                images,
                gamma,
            } => format!("{}{}z-maps{}", of(*images), by(*response), at(gamma)),
            Self::Means { images, gamma } => format!("{}mean-stimuli{}", of(*images), at(gamma)),
            Self::Pair {
                images,
                class,
                versus,
                gamma,
            } => format!("{}pair-{class}-not-{versus}{}", of(*images), at(gamma)),
            Self::Filters { layer } => format!("filters-{}", plain(layer)),
            Self::Covariance { layer } => format!("covariance-{}", plain(layer)),
            Self::Attack => "attack".into(),
            Self::Modulation => "modulation".into(),
            Self::Audit => "audit".into(),
            Self::Backdoor => "backdoor".into(),
            Self::Shards => "shards".into(),
            Self::Training => "training".into(),
            Self::Confusion { split } => format!("confusion-{}", split.label()),
        }
    }

    /// The first word of its name, which all figures of its kind share.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Map { .. } => "map",
            Self::Maps { .. } => "maps",
            Self::Significance { .. } => "z-maps",
            Self::Means { .. } => "mean-stimuli",
            Self::Pair { .. } => "pair",
            Self::Filters { .. } => "filters",
            Self::Covariance { .. } => "covariance",
            Self::Attack => "attack",
            Self::Modulation => "modulation",
            Self::Audit => "audit",
            Self::Backdoor => "backdoor",
            Self::Shards => "shards",
            Self::Training => "training",
            Self::Confusion { .. } => "confusion",
        }
    }

    /// The class it is of; `None` where it is of all or of none.
    pub fn class(&self) -> Option<usize> {
        match self {
            Self::Map { class, .. } | Self::Pair { class, .. } => Some(*class),
            _ => None,
        }
    }
}

/// Every kind of figure, and what is missing where a session has none of it.
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

fn of(images: usize) -> String {
    match images {
        0 => String::new(),
        images => format!("noise{}-", images + 1),
    }
}

fn by(response: Option<Response>) -> &'static str {
    match response {
        Some(Response::Evidence) => "evidence-",
        Some(Response::Decision) | None => "",
    }
}

/// A signal strength as short as it can be written without becoming another one.
fn exact(gamma: f64) -> String {
    let short = format::gamma(gamma);
    match short.parse() == Ok(gamma) {
        true => short,
        false => gamma.to_string(),
    }
}

/// A layer's name comes from a file: it must not lead out of a folder, and two of them must not become one.
fn plain(layer: &str) -> String {
    let mut plain = String::new();
    for letter in layer.chars() {
        match letter {
            '.' | '-' | '_' => plain.push(letter),
            letter if letter.is_alphanumeric() => plain.push(letter),
            letter => plain.push_str(&format!("~{:x}", u32::from(letter))),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_no_two_figures_share_one() {
        let filters = |layer: &str| {
            let layer = layer.into();
            Figure::Filters { layer }.name()
        };
        assert_eq!(filters("conv1"), "filters-conv1");
        let all = ["a.b", "a/b", "a_b", "a#b", "a~2fb", "../a"].map(filters);
        for (at, own) in all.iter().enumerate() {
            assert!(!own.contains(['/', ' ', '#']), "{own}");
            assert!(!all[..at].contains(own), "{own}");
        }
        let at = |gamma| Figure::Means {
            images: 0,
            gamma: Some(gamma),
        };
        assert_eq!(at(0.2).name(), "mean-stimuli-gamma-0.2");
        assert_ne!(at(0.2).name(), at(0.2004).name());
        assert_eq!(at(0.0).name(), "mean-stimuli-gamma-0.0");
    }
}
