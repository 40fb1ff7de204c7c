//! Tests of the options that configure a session.

use std::fs;

use super::*;
use crate::commands::preset::SHIPPED;
use crate::session::config::Analysis;
use crate::stats::grain::GrainForecast;

/// The form offers the grains of noise for every preset, also for one without maps to make of it.
#[test]
fn a_grain_chosen_in_the_form_fits_every_preset_that_the_network_fits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let network = folder.path().join("net.onnx");
    fs::write(&network, "").unwrap();
    for (preset, _) in SHIPPED {
        let asked = SessionRequest {
            preset: preset.to_owned(),
            name: "mine".to_owned(),
            network: Some(network.display().to_string()),
            images: None,
            grain: Some(GrainForecast::sample(2)),
        };
        let config = SessionArgs::from_form(&asked, &store).and_then(|plan| plan.config(&store));
        // It trains networks of its own, which no grain changes.
        if preset == "backdoor" {
            assert!(matches!(config, Err(CommandError::Invalid(_))));
            continue;
        }
        let (config, _) = config.unwrap_or_else(|error| panic!("{preset}: {error}"));
        let cells = config.analyses.iter().filter_map(|plan| match plan {
            Analysis::ClassificationImages(plan) => Some(plan.cell),
            _ => None,
        });
        assert!(cells.take(1).all(|cell| cell == 2), "{preset}");
    }
}

#[test]
fn a_network_file_in_place_of_a_name_is_answered_with_the_whole_command() {
    let store = Store::new("/nonexistent");
    for (name, preset, expected) in [
        (
            "my.pt",
            Some("audit"),
            "noisescope run my --preset audit --network my.pt --set network.kind=KIND",
        ),
        ("my.onnx", None, "noisescope run my --network my.onnx"),
    ] {
        let plan = SessionArgs::named(name, preset.map(str::to_owned));
        let error = plan.resolve(&store, "run", None).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}
