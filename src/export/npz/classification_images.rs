//! Classification images and evidence images, and what each of them is worth.

use std::io::{self, Seek, Write};
use std::sync::Arc;

use super::container::{Axis, Container, or_nan, whole};
use super::numbered;
use crate::session::config::{self, Response};
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, FedBack, GammaTrials};
use crate::stats::classification::{ClassEstimate, Estimate, ImageEstimate};

/// What pixels of stimuli and of their means are in.
const PIXEL: &str = "value of a pixel, 0 black to 1 white";

/// What images of decisions are in.
const DIFFERENCE: &str = "full ranges of a pixel";

/// Writes those of decisions under `ci` and those of evidence under `ev`.
///
/// # Errors
/// Where they cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    plan: Option<&config::ClassificationImages>,
    it: &ClassificationImages,
    out: &mut Container<W>,
) -> io::Result<()> {
    let Some(first) = it.gammas.first() else {
        return Ok(());
    };
    let (g, k) = (it.gammas.len(), first.classes());
    let own = Own {
        estimates: it.gammas.iter().map(GammaTrials::estimate).collect(),
        by_class: [("gamma", g), ("class", k)],
        shape: first.shape(),
        smoothed: first.kind.has_coefficients(),
    };
    let prefix = numbered("ci", nth);
    let name = |what: &str| format!("{prefix}_{what}");
    let gammas = it.gammas.iter().map(|gamma| gamma.gamma);
    let unit = "signal strength, 0 to 1";
    out.array(&name("gamma"), &own.by_class[..1], unit, gammas)?;
    let counts = own.estimates.iter().flat_map(|it| &it.counts);
    let counts = counts.map(|&count| whole(count));
    let axes = [("gamma", g), ("true class", k), ("called", k)];
    out.array(&name("counts"), &axes, "trials", counts)?;
    let means = own.classes().map(|class| class.mean_noise.as_deref());
    out.maps(&name("mean_noise"), &own.by_class, own.shape, PIXEL, means)?;
    let means = own.classes().map(|class| class.mean_stimulus.as_deref());
    out.maps(
        &name("mean_stimulus"),
        &own.by_class,
        own.shape,
        PIXEL,
        means,
    )?;
    own.images(&prefix, Response::Decision, DIFFERENCE, out)?;
    own.fed_back(&prefix, it, |gamma| gamma.fed_back.as_slice(), out)?;
    if !it.has_evidence() {
        return Ok(());
    }
    let prefix = numbered("ev", nth);
    let unit = plan.map_or_else(String::new, |plan| plan.evidence.image_unit());
    own.images(&prefix, Response::Evidence, &unit, out)?;
    own.fed_back(&prefix, it, |gamma| gamma.evidence_fed_back.as_slice(), out)
}

/// What follows from the trials at every γ.
struct Own {
    estimates: Vec<Arc<Estimate>>,
    /// The axes of what there is for every γ and class.
    by_class: [Axis; 2],
    /// That of the maps.
    shape: Shape,
    /// Whether there are maps without the noise's smoothing.
    smoothed: bool,
}

impl Own {
    /// The classes, γ by γ.
    fn classes(&self) -> impl Iterator<Item = &ClassEstimate> {
        self.estimates.iter().flat_map(|it| &it.classes)
    }

    /// Their images by a response.
    fn of(&self, response: Response) -> impl Iterator<Item = Option<&ImageEstimate>> {
        self.classes().map(move |class| class.image(response))
    }

    /// Writes the images by a response, and what each is worth.
    fn images<W: Write + Seek>(
        &self,
        prefix: &str,
        response: Response,
        unit: &str,
        out: &mut Container<W>,
    ) -> io::Result<()> {
        let name = |what: &str| format!("{prefix}_{what}");
        let (axes, shape) = (&self.by_class, self.shape);
        let images = self.of(response).map(|map| Some(map?.image.as_slice()));
        out.maps(&name("image"), axes, shape, unit, images)?;
        let z = self.of(response).map(|map| Some(map?.z.as_slice()));
        out.maps(&name("z"), axes, shape, "standard errors", z)?;
        let errors = self.of(response).map(|map| Some(map?.errors()));
        let errors: Vec<Option<Vec<f32>>> = errors.collect();
        let errors = errors.iter().map(Option::as_deref);
        out.maps(&name("se"), axes, shape, unit, errors)?;
        if self.smoothed {
            let without = self.of(response);
            let without = without.map(|map| Some(map?.regression.as_ref()?.image.as_slice()));
            out.maps(&name("regression"), axes, shape, unit, without)?;
        }
        for (what, unit, number) in NUMBERS {
            let numbers = self.of(response).map(|map| or_nan(map.and_then(number)));
            out.array(&name(what), axes, unit, numbers)?;
        }
        let called = self.classes().map(|class| whole(class.called));
        out.array(&name("called"), axes, "trials", called)?;
        let thresholds = self.estimates.iter().map(|it| it.threshold);
        out.array(&name("threshold"), &axes[..1], "|z|", thresholds)
    }

    /// Writes what the network called what was fed back to it.
    fn fed_back<W: Write + Seek>(
        &self,
        prefix: &str,
        it: &ClassificationImages,
        of: impl Fn(&GammaTrials) -> &[Option<FedBack>],
        out: &mut Container<W>,
    ) -> io::Result<()> {
        let k = self.by_class[1].1;
        let mut said = Vec::new();
        for gamma in &it.gammas {
            let own = of(gamma);
            said.extend((0..k).map(|class| own.get(class).copied().flatten()));
        }
        let classes = said.iter().map(|said| match said {
            Some(said) => whole(said.class as u64),
            None => -1,
        });
        let name = format!("{prefix}_fed_back_class");
        out.array(&name, &self.by_class, "", classes)?;
        let confidences = said
            .iter()
            .map(|said| or_nan(said.map(|said| said.confidence)));
        let name = format!("{prefix}_fed_back_confidence");
        out.array(&name, &self.by_class, "probability", confidences)
    }
}

/// What an image is worth: a name, a unit where it has one, and the number.
type Number = (
    &'static str,
    &'static str,
    fn(&ImageEstimate) -> Option<f64>,
);

const NUMBERS: [Number; 5] = [
    ("reliability", "", |it| it.reliability),
    ("reliability_low", "", |it| {
        Some(it.reliability_interval?[0])
    }),
    ("reliability_high", "", |it| {
        Some(it.reliability_interval?[1])
    }),
    ("snr", "", |it| Some(it.snr)),
    ("significant", "pixels", |it| Some(it.significant as f64)),
];
