//! The pushes in words: the caption, what is left out, and what a person hears who does not see the curves.

use super::super::names::capital;
use super::curves::signed;
use super::layers::{Layer, has_noise, in_order, pooled, rest};
use super::{MOST, MOST_CLASSES, begun};
use crate::format::{clean, percent, short, thousands};
use crate::session::config::Analysis;
use crate::session::record::Modulation;
use crate::session::{Session, config};
use crate::stats::share::Share;

/// What the figure shows, as a caption.
pub fn caption(session: &Session) -> Option<String> {
    let modulation = begun(session).ok()?;
    let layers = in_order(modulation);
    let shown = &layers[..layers.len().min(MOST)];
    let alphas: Vec<String> = shown
        .iter()
        .map(|it| format!("{} in {}", short(it.own.alpha), clean(&it.own.name)))
        .collect();
    let noise = match has_noise(modulation) {
        true => " Dotted: noise (γ = 0) that is called the class.",
        false => "",
    };
    let mut words = format!(
        "Accuracy on {} test images (γ = 1) with the biases of a layer pushed towards a class c by k·α·ā/max ā, where ā is the layer's mean activation over training images of c{}, against the strength k; below 0 the push is away from the class, dashed upright line: no push. α is {}. Solid: images of the class that is pushed towards, all classes together, with their 95 % interval (Wilson). Dashed: images of the other classes.{noise} Dots: each class that is pushed towards on its own images; dash-dotted: the one that changes most.",
        thousands(images(modulation, shown)),
        per_class(session).map_or_else(String::new, |count| format!(
            " (at most {})",
            thousands(count as u64)
        )),
        alphas.join(", "),
    );
    if shown.len() > 1 {
        words += " The layer of the largest effect comes first: the change of the class pushed towards beyond that of the others.";
    }
    for left in left_out(modulation, &layers) {
        words += &format!(" {}.", capital(&left));
    }
    Some(words)
}

/// Most training images of a class that its mean activation is taken over.
fn per_class(session: &Session) -> Option<usize> {
    let (at, _) = session.record.all::<Modulation>().next()?;
    match session.config.analyses.get(at)? {
        Analysis::Modulation(config::Modulation {
            images_per_class, ..
        }) => Some(*images_per_class),
        _ => None,
    }
}

/// Test images that were shown at one strength of one target.
fn images(modulation: &Modulation, layers: &[Layer<'_>]) -> u64 {
    let image = modulation.gammas.len().saturating_sub(1);
    let first = layers
        .first()
        .and_then(|it| Some((it, it.targets.first()?.class)));
    first.map_or(0, |(layer, class)| {
        let at = |strength| layer.own.share_called(class, strength, image, class).1;
        (0..modulation.strengths.len()).map(at).max().unwrap_or(0)
    })
}

/// What is not in the figure, in words.
pub fn left_out(modulation: &Modulation, layers: &[Layer<'_>]) -> Vec<String> {
    let mut words = Vec::new();
    let (shown, all) = (layers.len().min(MOST), modulation.layers.len());
    if layers.len() > shown {
        words.push(format!(
            "the {shown} of {} layers that a push does most to",
            layers.len()
        ));
    }
    if all > layers.len() {
        words.push(format!(
            "{} of {all} layers have not been pushed yet",
            all - layers.len()
        ));
    }
    let partly = layers[..shown].iter().filter(|it| {
        let shown = it.own.shown.iter().filter(|count| **count > 0).count();
        it.targets.len() < shown
    });
    let partly = partly.map(|it| {
        let name = clean(&it.own.name);
        format!(
            "{name} is pushed towards {} of its classes",
            it.targets.len()
        )
    });
    let partly: Vec<String> = partly.collect();
    if !partly.is_empty() && !modulation.progress.is_finished() {
        words.push(format!("so far {}", partly.join(", ")));
    }
    let most = layers[..shown].iter().map(|it| it.targets.len()).max();
    if let Some(most) = most.filter(|most| *most > MOST_CLASSES) {
        words.push(format!(
            "dots of the {MOST_CLASSES} of {most} classes that change most"
        ));
    }
    words
}

pub fn alternative(modulation: &Modulation, layers: &[Layer<'_>]) -> String {
    let names: Vec<String> = layers.iter().map(|it| clean(&it.own.name)).collect();
    let mut words = format!(
        "Curves of the accuracy on test images against the strength of a push of a layer's biases towards a class, one plot a layer: {}.",
        names.join(", ")
    );
    for layer in layers.iter().take(2) {
        words.extend(told(modulation, layer).map(|told| format!(" {told}")));
    }
    words
}

/// What the strongest effect on a layer is, in a sentence.
fn told(modulation: &Modulation, layer: &Layer<'_>) -> Option<String> {
    let (rest, at) = (rest(modulation)?, layer.strength);
    let pair = |of: &[Share]| -> Option<String> {
        let (pushed, before) = (of.get(at)?.rate()?, of.get(rest)?.rate()?);
        Some(format!("{} ({} without)", percent(pushed), percent(before)))
    };
    let own = pair(&pooled(&layer.targets, |it| &it.own[..]))?;
    let others = pair(&pooled(&layer.targets, |it| &it.others[..]));
    let others = others.map_or_else(String::new, |words| {
        format!(", images of the other classes in {words}")
    });
    let noise = pair(&pooled(&layer.targets, |it| &it.noise[..]));
    let noise = noise.map_or_else(String::new, |words| {
        format!("; noise is called the class in {words}")
    });
    Some(format!(
        "In {} at strength {} images of the class pushed towards are called so in {own}{others}{noise}.",
        clean(&layer.own.name),
        signed(modulation.strengths[at])
    ))
}
