//! Fits a preset to a network that the user chooses: what cannot study that network is left out of the plan.

use crate::session::Config;
use crate::session::config::{Analysis, NetworkKind};

/// Leaves out what cannot study the network: where it comes from an ONNX file, `Backdoor`, which trains networks of its own;
/// and where it does not have the convolutions of the preset's own network, the covariance of one of those. What differs from the preset stays, since the user asked for it; so
/// does a covariance set by one of these `places`. Returns a sentence about what was left out. A plan of which nothing
/// would remain stays as it is.
pub fn fit_to_network(config: &mut Config, preset: &Config, places: &[&str]) -> Option<String> {
    let (kind, preset_kind) = (config.network.kind, preset.network.kind);
    let is_from_file = kind == NetworkKind::Onnx && preset_kind != NetworkKind::Onnx;
    let lacks_convolutions = preset_kind.is_convolutional() && !kind.is_convolutional();
    if !is_from_file && !lacks_convolutions {
        return None;
    }
    let is_study = |index: usize, analysis: &Analysis| {
        is_from_file
            && matches!(analysis, Analysis::Backdoor(_))
            && preset.analyses.get(index) == Some(analysis)
    };
    let analyses = config.analyses.iter().enumerate();
    let studies = analyses.filter(|(index, analysis)| is_study(*index, analysis));
    let studies = studies.count();
    if studies == config.analyses.len() {
        return None;
    }
    let mut parts = Vec::new();
    if studies > 0 {
        parts.push(
            "Backdoor, which trains networks of its own and cannot study this one (to look for a backdoor in a network as it \
             is: Audit, or --preset audit)"
                .to_owned(),
        );
    }
    let mut kept = Vec::new();
    for (index, mut analysis) in std::mem::take(&mut config.analyses).into_iter().enumerate() {
        if is_study(index, &analysis) {
            continue;
        }
        if lacks_convolutions
            && !is_covariance_set(index, places)
            && let Some(layer) = take_covariance(&mut analysis, preset.analyses.get(index))
        {
            parts.push(format!(
                "the covariance of {layer}, a layer of the preset's own network"
            ));
        }
        kept.push(analysis);
    }
    config.analyses = kept;
    (!parts.is_empty()).then(|| {
        format!(
            "the preset is taken without {}",
            parts.join(", and without ")
        )
    })
}

/// Whether one of these places is the covariance of an analysis, or contains it.
fn is_covariance_set(index: usize, places: &[&str]) -> bool {
    let whole = format!("analyses[{index}]");
    let field = format!("{whole}.covariance");
    let inside = format!("{field}.");
    places.iter().any(|place| {
        [whole.as_str(), field.as_str(), "analyses"].contains(place) || place.starts_with(&inside)
    })
}

/// Removes a covariance that comes from the preset, and returns its layer.
fn take_covariance(analysis: &mut Analysis, planned: Option<&Analysis>) -> Option<String> {
    let (Analysis::SpikeTriggered(plan), Some(Analysis::SpikeTriggered(planned))) =
        (analysis, planned)
    else {
        return None;
    };
    if plan.covariance != planned.covariance {
        return None;
    }
    plan.covariance.take().map(|unit| unit.layer)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::commands::preset;
    use crate::session::config::WeightSource;
    use crate::session::setting;
    use crate::session::store::Store;

    /// A preset as it ships, and the same with the network of an ONNX file.
    fn with_file(name: &str) -> (Config, Config) {
        let shipped = preset::load(name, &Store::new("/nonexistent")).unwrap();
        let mut config = shipped.clone();
        config.network.kind = NetworkKind::Onnx;
        config.network.weights = WeightSource::File(Path::new("net.onnx").to_owned());
        (shipped, config)
    }

    fn names(config: &Config) -> Vec<&'static str> {
        config.analyses.iter().map(Analysis::variant).collect()
    }

    #[test]
    fn a_preset_loses_only_what_cannot_study_the_network() {
        let (shipped, mut config) = with_file("quickstart");
        let words = fit_to_network(&mut config, &shipped, &[]).unwrap();
        assert!(words.contains("without Backdoor"), "{words}");
        assert!(words.contains("--preset audit"), "{words}");
        assert!(words.contains("covariance of conv2"), "{words}");
        assert!(!words.contains('\n'), "{words}");
        let left: Vec<&str> = names(&shipped)
            .into_iter()
            .filter(|name| *name != "Backdoor")
            .collect();
        assert_eq!(names(&config), left);
        assert!(config.validate().is_ok());
        for name in ["mnist-paper", "fashion-paper"] {
            let (shipped, mut config) = with_file(name);
            let words = fit_to_network(&mut config, &shipped, &[]).unwrap();
            assert!(!words.contains("Backdoor"), "{words}");
            assert_eq!(names(&config), names(&shipped));
        }
        let (shipped, mut config) = with_file("audit");
        assert_eq!(fit_to_network(&mut config, &shipped, &[]), None);
        assert_eq!(config.analyses, shipped.analyses);
    }

    #[test]
    fn what_the_user_asked_for_and_a_plan_of_backdoor_alone_stay_and_are_refused() {
        let (shipped, mut config) = with_file("quickstart");
        let asked = [
            "analyses[5].trials=300",
            "analyses[3].covariance=Some((layer: \"conv2\", unit: 0))",
        ];
        for assignment in asked {
            config = setting::set(&config, assignment).unwrap();
        }
        let places = ["analyses[5].trials", "analyses[3].covariance"];
        let before = config.clone();
        assert_eq!(fit_to_network(&mut config, &shipped, &places), None);
        assert_eq!(config, before);
        assert_eq!(config.validate().unwrap_err().path, "analyses[5]");
        let (shipped, mut config) = with_file("backdoor");
        assert_eq!(fit_to_network(&mut config, &shipped, &[]), None);
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains("--preset audit"), "{error}");
    }

    #[test]
    fn a_network_that_is_trained_here_keeps_what_its_layers_allow() {
        let (shipped, _) = with_file("quickstart");
        for kind in NetworkKind::ALL {
            let mut config = shipped.clone();
            config.network.kind = kind;
            let words = fit_to_network(&mut config, &shipped, &[]);
            assert_eq!(names(&config), names(&shipped), "{kind:?}");
            if kind.is_convolutional() {
                assert_eq!(words, None);
                assert_eq!(config.analyses, shipped.analyses);
            } else {
                let words = words.unwrap();
                assert_eq!(
                    words,
                    "the preset is taken without the covariance of conv2, a layer of the preset's own network"
                );
                assert_ne!(config.analyses, shipped.analyses);
            }
        }
    }
}
