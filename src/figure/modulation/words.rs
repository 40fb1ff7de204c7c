//! The modulation figure in words: its caption, a note on what is left out, and its alternative text.

use super::super::wording::capitalise;
use super::curves::signed;
use super::layers::{LayerEffect, by_effect, has_noise, pooled, zero_strength};
use super::{MOST, MOST_CLASSES, begun};
use crate::format::{self, percent, short, thousands};
use crate::session::config::Analysis;
use crate::session::record::Modulation;
use crate::session::{Session, config};
use crate::stats::share::Share;

/// The caption.
pub fn caption(session: &Session, nth: usize) -> Option<String> {
    let modulation = begun(session, nth).ok()?;
    let layers = by_effect(modulation);
    let shown = &layers[..layers.len().min(MOST)];
    let alphas: Vec<String> = shown
        .iter()
        .map(|layer| {
            format!(
                "{} in {}",
                short(layer.record.alpha),
                format::layer(&layer.record.name)
            )
        })
        .collect();
    let noise = match has_noise(modulation) {
        true => " Dotted: noise (γ = 0) that is called the class.",
        false => "",
    };
    let mut words = format!(
        "Accuracy on {} test images (γ = 1) with the biases of a layer pushed towards a class c by k·α·ā/max ā, where ā is the layer's mean activation over training images of c{}, against the strength k; below 0 the push is away from the class; dashed vertical line: no push. α is {}. Solid: images of the class that is pushed towards, all classes together, with their 95 % interval (Wilson). Dashed: images of the other classes.{noise} Dots: each class that is pushed towards on its own images; dash-dotted: the one that changes most.",
        thousands(images(modulation, shown)),
        per_class(session, nth).map_or_else(String::new, |count| format!(
            " (at most {})",
            thousands(count as u64)
        )),
        alphas.join(", "),
    );
    if shown.len() > 1 {
        words += " The layer of the largest effect comes first: the change of the class pushed towards beyond that of the others.";
    }
    for left in left_out(modulation, &layers) {
        words += &format!(" {}.", capitalise(&left));
    }
    Some(words)
}

/// Maximum number of training images per class over which its mean activation is taken.
fn per_class(session: &Session, nth: usize) -> Option<usize> {
    let (index, _) = super::super::nth::<Modulation>(session, nth)?;
    match session.config.analyses.get(index)? {
        Analysis::Modulation(config::Modulation {
            images_per_class, ..
        }) => Some(*images_per_class),
        _ => None,
    }
}

/// The number of test images shown at one strength of one target.
fn images(modulation: &Modulation, layers: &[LayerEffect<'_>]) -> u64 {
    let image = modulation.gammas.len().saturating_sub(1);
    let first = layers
        .first()
        .and_then(|layer| Some((layer, layer.targets.first()?.class)));
    first.map_or(0, |(layer, class)| {
        let shown_at = |strength| layer.record.share_called(class, strength, image, class).1;
        (0..modulation.strengths.len())
            .map(shown_at)
            .max()
            .unwrap_or(0)
    })
}

/// What is not in the figure, in words.
pub fn left_out(modulation: &Modulation, layers: &[LayerEffect<'_>]) -> Vec<String> {
    let mut words = Vec::new();
    let (shown, all) = (layers.len().min(MOST), modulation.layers.len());
    if layers.len() > shown {
        words.push(format!(
            "the {shown} of {} layers with the largest effects",
            layers.len()
        ));
    }
    if all > layers.len() {
        words.push(format!(
            "{} of {all} layers have not been pushed yet",
            all - layers.len()
        ));
    }
    let partly = layers[..shown].iter().filter(|layer| {
        let shown = layer
            .record
            .shown
            .iter()
            .filter(|count| **count > 0)
            .count();
        layer.targets.len() < shown
    });
    let partly = partly.map(|layer| {
        let name = format::layer(&layer.record.name);
        format!(
            "{name} is pushed towards {} of its classes",
            layer.targets.len()
        )
    });
    let partly: Vec<String> = partly.collect();
    if !partly.is_empty() && !modulation.progress.is_finished() {
        words.push(format!("so far {}", partly.join(", ")));
    }
    let most = layers[..shown]
        .iter()
        .map(|layer| layer.targets.len())
        .max();
    if let Some(most) = most.filter(|most| *most > MOST_CLASSES) {
        words.push(format!(
            "dots of the {MOST_CLASSES} of {most} classes that change most"
        ));
    }
    words
}

pub fn alternative(modulation: &Modulation, layers: &[LayerEffect<'_>]) -> String {
    let names: Vec<String> = layers
        .iter()
        .map(|layer| format::layer(&layer.record.name))
        .collect();
    let mut words = format!(
        "Curves of the accuracy on test images against the strength of a push of a layer's biases towards a class, one plot a layer: {}.",
        names.join(", ")
    );
    for layer in layers.iter().take(2) {
        words.extend(effect_sentence(modulation, layer).map(|sentence| format!(" {sentence}")));
    }
    words
}

/// A sentence on the largest effect on a layer.
fn effect_sentence(modulation: &Modulation, layer: &LayerEffect<'_>) -> Option<String> {
    let (rest, strength) = (zero_strength(modulation)?, layer.strength);
    let pair = |shares: &[Share]| -> Option<String> {
        let (pushed, before) = (shares.get(strength)?.rate()?, shares.get(rest)?.rate()?);
        Some(format!("{} ({} without)", percent(pushed), percent(before)))
    };
    let recognised = pair(&pooled(&layer.targets, |target| &target.class_shares[..]))?;
    let others = pair(&pooled(&layer.targets, |target| &target.others[..]));
    let others = others.map_or_else(String::new, |words| {
        format!(", on images of the other classes {words}")
    });
    let noise = pair(&pooled(&layer.targets, |target| &target.noise[..]));
    let noise = noise.map_or_else(String::new, |words| {
        format!("; noise is called the class in {words}")
    });
    Some(format!(
        "In {} at strength {}, accuracy on images of the class pushed towards is {recognised}{others}{noise}.",
        format::layer(&layer.record.name),
        signed(modulation.strengths[strength])
    ))
}
