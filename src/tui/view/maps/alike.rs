//! How much the map of a class is like the mean of its images, and like the mean gradient of its output: what one would see without any noise, and what calculus says of the network itself.

use crate::session::Session;
use crate::session::record::{Attack, Pattern, Predictions, SpikeTriggered};
use crate::stats::correlation::pearson;
use crate::tui::scene::lens::Lens;

/// Pearson's r of a map with two others, each where there is one of the same shape.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Alike {
    /// With the mean of images, and of which.
    pub mean_image: Option<(f64, &'static str)>,
    /// With the mean gradient of the class's output on noise.
    pub gradient: Option<f64>,
}

/// Of the map of a class in sight, where it is one of what the network responds.
pub fn alike(session: &Session, lens: &Lens<'_>, class: usize) -> Alike {
    // What tells two classes apart is not like an image of one.
    let alone = lens.kind.is_of_response() && lens.versus.is_none();
    let Some(map) = lens.values(class).filter(|_| alone) else {
        return Alike::default();
    };
    let with = |other: Option<Vec<f32>>| {
        let other = other.filter(|other| other.len() == map.len())?;
        pearson(map, &other)
    };
    Alike {
        mean_image: called_so(session, class)
            .map(|image| (image, "with images called so"))
            .or_else(|| Some((trained_on(session, class)?, "with images of it")))
            .and_then(|(image, which)| Some((with(Some(image))?, which))),
        gradient: with(gradient(session, lens, class)),
    }
}

/// The mean of the images called so, \[C·H·W\].
fn called_so(session: &Session, class: usize) -> Option<Vec<f32>> {
    let splits = &session.record.first::<Predictions>()?.splits;
    splits.iter().find_map(|split| split.mean_image(class))
}

/// The mean of the training images of the class, \[C·H·W\], as an attack takes it for a pattern.
fn trained_on(session: &Session, class: usize) -> Option<Vec<f32>> {
    let attack = session.record.first::<Attack>()?;
    let kind = attack
        .kinds
        .iter()
        .position(|it| *it == Pattern::MeanImage)?;
    let classes = attack.classes();
    let at = kind * classes + class;
    let pixels = attack.patterns.values().len() / (attack.kinds.len() * classes).max(1);
    let there = attack.there.get(at).copied().unwrap_or(false);
    let own = attack
        .patterns
        .values()
        .get(at * pixels..(at + 1) * pixels)?;
    there.then(|| own.to_vec())
}

/// The mean gradient of the class's output, \[C·H·W\]: that of the last layer, whose units are the classes
/// and see the whole image.
fn gradient(session: &Session, lens: &Lens<'_>, class: usize) -> Option<Vec<f32>> {
    let layer = session.record.first::<SpikeTriggered>()?.layers.last()?;
    let is_output = layer.signed && layer.units == lens.classes();
    let whole = layer.receptive_field == lens.size();
    let estimate = layer.estimate();
    let own = estimate.gradient.get(class)?.as_ref()?;
    (is_output && whole).then(|| own.clone())
}
