//! How the map of a class is painted: its values per pixel, their colours and the scale.

use std::borrow::Cow;

use super::{MapKind, MapSet};
use crate::drawing::scale::{Reach, Scales};
use crate::figure::channels::RGB;
use crate::ids::ClassId;
use crate::tui::component::{ColourComponent, rgb_channels};
use crate::tui::widget::heatmap::Ramp;

/// The map of a class, ready to be painted.
#[derive(Debug, Clone)]
pub struct Painting<'a> {
    /// One value per pixel, \[h·w\].
    pub values: Cow<'a, [f32]>,
    /// Red, green and blue, for an image in colour.
    pub colours: Option<[&'a [f32]; RGB]>,
    /// The colour ramp of the values.
    pub ramp: Ramp,
}

/// Values computed once for all maps: the selected component of several channels, and the scales.
#[derive(Debug, Clone)]
pub(super) struct MapColours {
    /// The selected component of every class's map; empty if there is one channel.
    planes: Vec<Option<Vec<f32>>>,
    /// Each class's own scale.
    own_ramps: Vec<Ramp>,
    /// The classes that do not share the common scale.
    apart: Vec<bool>,
    /// The scale that the others share.
    pub common: Ramp,
}

impl Default for MapColours {
    fn default() -> Self {
        Self {
            planes: Vec::new(),
            own_ramps: Vec::new(),
            apart: Vec::new(),
            common: Ramp::Grey {
                low: 0.0,
                high: 1.0,
            },
        }
    }
}

impl MapColours {
    pub fn of(lens: &MapSet<'_>) -> Self {
        let channels = lens.shape()[0];
        let classes = ClassId::all(lens.classes());
        let plane = |class| Some(lens.component_of(lens.values(class)?).into_owned());
        let planes = match channels {
            0 | 1 => Vec::new(),
            _ => classes.clone().map(plane).collect(),
        };
        let mut paints = Self {
            planes,
            ..Self::default()
        };
        // An image in colour has one scale for all its channels.
        let scaled = |class: ClassId| match lens.is_in_colour(lens.kind) {
            true => lens.values(class),
            false => paints.plane_of(lens, class),
        };
        let (own_ramps, apart, common) = match lens.kind {
            MapKind::MeanStimulus => {
                let ramps = classes.clone().map(|class| grey(scaled(class).into_iter()));
                let common = grey(classes.clone().filter_map(scaled));
                (ramps.collect(), Vec::new(), common)
            }
            kind => {
                let centre = centre(kind, lens.component);
                let reach = |class: ClassId| {
                    Some(Reach::of(scaled(class)?, centre, lens.reliability(class)))
                };
                let scales = Scales::of(classes.clone().map(reach));
                let ramp = |limit: f32| Ramp::Diverging { centre, limit };
                (
                    classes
                        .clone()
                        .map(|class| ramp(scales.own_limit(class.0)))
                        .collect(),
                    classes.map(|class| scales.has_own_scale(class.0)).collect(),
                    ramp(scales.common),
                )
            }
        };
        paints.apart = apart;
        paints.own_ramps = own_ramps;
        paints.common = common;
        paints
    }

    /// A class's own scale.
    pub fn own_ramp(&self, class: ClassId) -> Ramp {
        self.own_ramps.get(class.0).copied().unwrap_or(self.common)
    }

    /// Whether a class does not share the common scale.
    pub fn is_apart(&self, class: ClassId) -> bool {
        self.apart.get(class.0).copied().unwrap_or(false)
    }

    /// The selected component of a class's map.
    fn plane_of<'b>(&'b self, lens: &'b MapSet<'_>, class: ClassId) -> Option<&'b [f32]> {
        match self.planes.is_empty() {
            true => lens.values(class),
            false => self.planes.get(class.0)?.as_deref(),
        }
    }

    /// The selected component of a class's map, \[h·w\].
    pub fn plane<'b>(&'b self, lens: &'b MapSet<'_>, class: ClassId) -> Option<Cow<'b, [f32]>> {
        self.plane_of(lens, class).map(Cow::Borrowed)
    }
}

impl MapSet<'_> {
    /// Whether maps of this kind are images in colour.
    fn is_in_colour(&self, kind: MapKind) -> bool {
        kind == MapKind::MeanStimulus && self.shape()[0] == RGB
    }

    /// The selected component of a map of the lens's kind.
    fn component_of<'b>(&self, map: &'b [f32]) -> Cow<'b, [f32]> {
        match self.is_in_colour(self.kind) {
            true => ColourComponent::Luminance.values(map, self.shape()),
            false => self.component.values(map, self.shape()),
        }
    }

    /// The map of a class, or its substitute, ready to be painted.
    pub fn painting(&self, class: ClassId) -> Option<Painting<'_>> {
        if let Some(map) = self.values(class) {
            let in_colour = self.is_in_colour(self.kind);
            return Some(Painting {
                values: self.colours.plane(self, class)?,
                colours: rgb_channels(map, self.shape()).filter(|_| in_colour),
                ramp: self.ramp(class),
            });
        }
        let stimulus = self.class(class)?.mean_stimulus.as_deref()?;
        if !self.shows_substitute(class) {
            return None;
        }
        let look = match self.component {
            ColourComponent::Channel(_) if self.shape()[0] != RGB => self.component,
            _ => ColourComponent::Luminance,
        };
        let ramp = grey(std::iter::once(stimulus));
        Some(Painting {
            values: look.values(stimulus, self.shape()),
            colours: rgb_channels(stimulus, self.shape()),
            ramp,
        })
    }

    /// z of every pixel of a class, and the threshold of significance; `None` for a regression, whose errors
    /// are not known per pixel.
    pub fn significance(&self, class: ClassId) -> Option<(Cow<'_, [f32]>, f32)> {
        if self.kind == MapKind::Regression {
            return None;
        }
        let z = &self.image(class)?.z;
        let z = self.component.z_values(z, self.shape());
        Some((z, self.by_class[class].1.threshold as f32))
    }
}

/// Whether some value exceeds a scale.
pub(super) fn is_past(ramp: Ramp, values: Option<&[f32]>) -> bool {
    match (ramp, values) {
        (Ramp::Diverging { centre, limit }, Some(values)) => {
            values.iter().any(|v| (v - centre).abs() > limit * 1.001)
        }
        _ => false,
    }
}

/// The value of a map that is painted grey.
fn centre(kind: MapKind, look: ColourComponent) -> f32 {
    match kind {
        // Differences between channels cancel their common value.
        MapKind::MeanNoise if !look.is_opponent() => 0.5,
        _ => 0.0,
    }
}

/// The scale of images: from their darkest to their brightest pixel, rounded outwards to steps of 0.05 so
/// that it is stable.
fn grey<'a>(maps: impl Iterator<Item = &'a [f32]>) -> Ramp {
    let values = maps.flatten().copied().filter(|v| v.is_finite());
    let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if low > high {
        return Ramp::Grey {
            low: 0.0,
            high: 1.0,
        };
    }
    Ramp::Grey {
        low: ((low * 20.0).floor() / 20.0).max(0.0),
        high: ((high * 20.0).ceil() / 20.0).min(1.0),
    }
}
