//! An independent check of evidence images: under white Gaussian noise, the evidence image of a class equals the
//! mean gradient of its response, logit k minus the mean of all logits (Stein, Bussgang).
//!
//! ```sh
//! noisescope run oracle --set 'analyses=[ClassificationImages((noise: Gaussian((sigma: 0.1)), gammas: [0.0], trials: 1000000)),
//!   SpikeTriggered((noise: Gaussian((sigma: 0.1)), layers: ["logits"], trials: 2560, images: 0, gradient_units: 10, gradient_trials: 20000))]'
//! cargo run --release --example evidence_oracle -- SESSION.ron
//! ```
//!
//! Prints the correlation of each class's evidence image with its mean gradient, and the ratio of their norms, which
//! is 1 if the scale is also right.

use std::error::Error;
use std::path::Path;

use noisescope::ids::ClassId;
use noisescope::session::record::{ClassificationImages, SpikeTriggered};
use noisescope::session::store::from_text;
use noisescope::stats::correlation::pearson;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: evidence_oracle SESSION.ron")?;
    let text = std::fs::read_to_string(&path)?;
    let session = from_text(&text, Path::new(&path), "oracle")?;
    let record = &session.record;
    let images = record
        .first::<ClassificationImages>()
        .ok_or("no classification images")?;
    let layers = record
        .first::<SpikeTriggered>()
        .ok_or("no spike-triggered analysis")?;
    let trials = images.gammas.first().ok_or("no trials yet")?;
    let logits = layers
        .layers
        .iter()
        .find(|layer| layer.name == "logits")
        .ok_or("no layer named logits")?;
    let gradients = &logits.gradients;
    let classes = trials.classes();
    if gradients.units.len() != classes {
        return Err(format!(
            "gradients of only {} of {classes} logits; set gradient_units to {classes}",
            gradients.units.len()
        )
        .into());
    }
    // Gradients of all logits; their mean is subtracted below.
    let sums: Vec<f64> = gradients
        .sum
        .values()
        .iter()
        .map(|&sum| sum as f64 / 1048576.0)
        .collect();
    let pixels = sums.len() / classes;
    let fields = gradients.fields as f64;
    let gradient = |class: ClassId, pixel: usize| {
        let row = gradients
            .units
            .iter()
            .position(|&unit| unit == class.0)
            .unwrap_or(0);
        let mean = (0..classes).map(|k| sums[k * pixels + pixel]).sum::<f64>() / classes as f64;
        ((sums[row * pixels + pixel] - mean) / fields) as f32
    };
    let estimate = trials.estimate();
    println!(
        "{} trials, gradients of {} images",
        trials.trials, gradients.fields
    );
    for (class, maps) in ClassId::all(classes).zip(&estimate.classes) {
        let Some(map) = &maps.evidence else {
            println!("{}: no evidence image", record.class_name(class));
            continue;
        };
        let expected: Vec<f32> = (0..pixels).map(|pixel| gradient(class, pixel)).collect();
        let norm = |map: &[f32]| map.iter().map(|v| f64::from(v * v)).sum::<f64>().sqrt();
        println!(
            "{}: r {:.4}, scale {:.3}, R {:.3}",
            record.class_name(class),
            pearson(&map.image, &expected).unwrap_or(f64::NAN),
            norm(&map.image) / norm(&expected),
            map.reliability.unwrap_or(f64::NAN)
        );
    }
    Ok(())
}
