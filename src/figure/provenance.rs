//! Where the numbers of a figure come from, in words.

use crate::format::{clean, thousands};
use crate::session::Session;

/// The origin of the numbers, as a sentence: session, network, images, seed, program, fingerprints.
pub fn provenance(session: &Session) -> String {
    let config = &session.config;
    let parameters = session.record.training.as_ref();
    let parameters = parameters.map_or_else(String::new, |training| {
        format!(" ({} parameters)", thousands(training.parameters as u64))
    });
    format!(
        "Session {}: {}{parameters} on {}, seed {}{}; noisescope {}.",
        clean(&session.name),
        clean(&config.network.label()),
        clean(config.dataset_label()),
        config.seed,
        fingerprints(session),
        env!("CARGO_PKG_VERSION")
    )
}

/// Fingerprints of the images and the weights: the beginning of their SHA-256.
fn fingerprints(session: &Session) -> String {
    let Some(inputs) = session.record.inputs.last() else {
        return String::new();
    };
    let short = |sha256: &str| sha256.get(..12).unwrap_or(sha256).to_owned();
    let parts = [
        ("training images", Some(&inputs.train.sha256)),
        ("test images", Some(&inputs.test.sha256)),
        ("weights", inputs.weights.as_ref()),
    ];
    let known = parts.into_iter().filter_map(|(name, sha256)| {
        let sha256 = sha256.filter(|sum| !sum.is_empty())?;
        Some(format!("{name} {}", short(sha256)))
    });
    let known: Vec<String> = known.collect();
    match known.is_empty() {
        true => String::new(),
        false => format!("; SHA-256: {}", known.join(", ")),
    }
}
