//! How similar the map of a class is to the mean of its images, and to the mean gradient of its output: what
//! one would see without noise, and what the network itself computes.

use crate::ids::ClassId;
use crate::session::Session;
use crate::session::record::{Attack, Pattern, Predictions, SpikeTriggered};
use crate::stats::correlation::pearson;
use crate::tui::scene::map_set::MapSet;

/// Pearson's r of a map with two other maps, each if there is one of the same shape.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MapSimilarity {
    /// With the mean image, and which images that is of.
    pub mean_image: Option<(f64, &'static str)>,
    /// With the mean gradient of the class's output on noise.
    pub gradient: Option<f64>,
}

/// Computes them for the map of a class, if it is one of the network's response.
pub fn similarity(session: &Session, lens: &MapSet<'_>, class: ClassId) -> MapSimilarity {
    // A comparison of two classes is not like an image of one.
    let alone = lens.kind.is_of_response() && lens.versus.is_none();
    let Some(map) = lens.values(class).filter(|_| alone) else {
        return MapSimilarity::default();
    };
    let with = |other: Option<Vec<f32>>| {
        let other = other.filter(|other| other.len() == map.len())?;
        pearson(map, &other)
    };
    MapSimilarity {
        mean_image: called_so(session, class)
            .map(|image| (image, "of images by decision"))
            .or_else(|| Some((trained_on(session, class)?, "of its own images")))
            .and_then(|(image, kind)| Some((with(Some(image))?, kind))),
        gradient: with(gradient(session, lens, class)),
    }
}

/// The mean of the images called the class, \[C·H·W\].
fn called_so(session: &Session, class: ClassId) -> Option<Vec<f32>> {
    let splits = &session.record.first::<Predictions>()?.splits;
    splits.iter().find_map(|split| split.mean_image(class))
}

/// The mean of the training images of the class, \[C·H·W\], which is a pattern of the attack.
fn trained_on(session: &Session, class: ClassId) -> Option<Vec<f32>> {
    let attack = session.record.first::<Attack>()?;
    let kind = attack
        .kinds
        .iter()
        .position(|pattern| *pattern == Pattern::MeanImage)?;
    let classes = attack.classes();
    let index = kind * classes + class.0;
    let pixels = attack.patterns.values().len() / (attack.kinds.len() * classes).max(1);
    let is_available = attack.measured.get(index).copied().unwrap_or(false);
    let image = attack
        .patterns
        .values()
        .get(index * pixels..(index + 1) * pixels)?;
    is_available.then(|| image.to_vec())
}

/// The mean gradient of the class's output, \[C·H·W\]: that of the last layer, if its units are the classes
/// and their receptive field is the whole image.
fn gradient(session: &Session, lens: &MapSet<'_>, class: ClassId) -> Option<Vec<f32>> {
    let layer = session.record.first::<SpikeTriggered>()?.layers.last()?;
    let is_output = layer.signed && layer.units == lens.classes();
    let whole = layer.receptive_field == lens.size();
    let estimate = layer.estimate();
    let gradient = estimate.gradient.get(class.0)?.as_ref()?;
    (is_output && whole).then(|| gradient.clone())
}
