//! Classification images and evidence images, with the statistics that describe their quality.

use std::io::{self, Seek, Write};
use std::sync::Arc;

use super::container::{ArrayAxis, Container, or_nan, to_i64};
use super::numbered;
use crate::session::config::{self, Response};
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, FedBack, GammaTrials};
use crate::stats::classification::{ClassEstimate, GammaEstimate, ImageEstimate};

/// Unit of stimuli and mean stimuli.
const PIXEL: &str = "value of a pixel, 0 black to 1 white";

/// Unit of decision images.
const DIFFERENCE: &str = "full ranges of a pixel";

/// Writes decision images under `ci` and evidence images under `ev`.
///
/// # Errors
/// If they cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    plan: Option<&config::ClassificationImages>,
    images: &ClassificationImages,
    out: &mut Container<W>,
) -> io::Result<()> {
    let Some(first) = images.gammas.first() else {
        return Ok(());
    };
    let (g, k) = (images.gammas.len(), first.classes());
    let set = ImageSet {
        estimates: images.gammas.iter().map(GammaTrials::estimate).collect(),
        by_class: [("gamma", g), ("class", k)],
        shape: first.shape(),
        smoothed: first.kind.has_coefficients(),
    };
    let prefix = numbered("ci", nth);
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let gammas = images.gammas.iter().map(|trials| trials.gamma.0);
    let unit = "signal strength, 0 to 1";
    out.array(&name("gamma"), &set.by_class[..1], unit, gammas)?;
    let counts = set.estimates.iter().flat_map(|estimate| &estimate.counts);
    let counts = counts.map(|&count| to_i64(count));
    let axes = [("gamma", g), ("true class", k), ("called", k)];
    out.array(&name("counts"), &axes, "trials", counts)?;
    let means = set.classes().map(|class| class.mean_noise.as_deref());
    out.maps(&name("mean_noise"), &set.by_class, set.shape, PIXEL, means)?;
    let means = set.classes().map(|class| class.mean_stimulus.as_deref());
    out.maps(
        &name("mean_stimulus"),
        &set.by_class,
        set.shape,
        PIXEL,
        means,
    )?;
    set.images(&prefix, Response::Decision, DIFFERENCE, out)?;
    set.fed_back(&prefix, images, |trials| trials.fed_back.as_slice(), out)?;
    if !images.has_evidence() {
        return Ok(());
    }
    let prefix = numbered("ev", nth);
    let unit = plan.map_or_else(String::new, |plan| plan.evidence.image_unit());
    set.images(&prefix, Response::Evidence, &unit, out)?;
    let unit = plan.map_or_else(String::new, |plan| {
        format!("{} squared", plan.evidence.unit())
    });
    set.covariances(&prefix, images, &unit, out)?;
    set.fed_back(
        &prefix,
        images,
        |trials| trials.evidence_fed_back.as_slice(),
        out,
    )
}

/// The estimates at every γ.
struct ImageSet {
    estimates: Vec<Arc<GammaEstimate>>,
    /// The axes of arrays with one entry per γ and class.
    by_class: [ArrayAxis; 2],
    /// The shape of the maps.
    shape: Shape,
    /// Whether there are maps without the noise's smoothing.
    smoothed: bool,
}

impl ImageSet {
    /// The class estimates, γ by γ.
    fn classes(&self) -> impl Iterator<Item = &ClassEstimate> {
        self.estimates.iter().flat_map(|estimate| &estimate.classes)
    }

    /// Their images by a response.
    fn images_by(&self, response: Response) -> impl Iterator<Item = Option<&ImageEstimate>> {
        self.classes().map(move |class| class.image(response))
    }

    /// Writes the images by a response and their statistics.
    fn images<W: Write + Seek>(
        &self,
        prefix: &str,
        response: Response,
        unit: &str,
        out: &mut Container<W>,
    ) -> io::Result<()> {
        let name = |suffix: &str| format!("{prefix}_{suffix}");
        let (axes, shape) = (&self.by_class, self.shape);
        let images = self
            .images_by(response)
            .map(|map| Some(map?.image.as_slice()));
        out.maps(&name("image"), axes, shape, unit, images)?;
        let z = self.images_by(response).map(|map| Some(map?.z.as_slice()));
        out.maps(&name("z"), axes, shape, "standard errors", z)?;
        let errors = self.images_by(response).map(|map| Some(map?.errors()));
        let errors: Vec<Option<Vec<f32>>> = errors.collect();
        let errors = errors.iter().map(Option::as_deref);
        out.maps(&name("se"), axes, shape, unit, errors)?;
        if self.smoothed {
            let without = self.images_by(response);
            let without = without.map(|map| Some(map?.regression.as_ref()?.image.as_slice()));
            out.maps(&name("regression"), axes, shape, unit, without)?;
        }
        for (key, unit, number) in NUMBERS {
            let numbers = self
                .images_by(response)
                .map(|map| or_nan(map.and_then(number)));
            out.array(&name(key), axes, unit, numbers)?;
        }
        let called = self.classes().map(|class| to_i64(class.called));
        out.array(&name("called"), axes, "trials", called)?;
        let thresholds = self.estimates.iter().map(|estimate| estimate.threshold);
        out.array(&name("threshold"), &axes[..1], "|z|", thresholds)
    }

    /// Writes the covariance of the evidence for every two classes that have an image, which gives the error of the
    /// difference of their images; nothing if there are too many classes to keep them.
    fn covariances<W: Write + Seek>(
        &self,
        prefix: &str,
        images: &ClassificationImages,
        unit: &str,
        out: &mut Container<W>,
    ) -> io::Result<()> {
        let mut estimates = self.estimates.iter();
        if estimates.all(|estimate| estimate.spread.is_empty()) {
            return Ok(());
        }
        let [gammas, (_, k)] = self.by_class;
        let mut covariances = vec![f64::NAN; gammas.1 * k * k];
        let estimates = self.estimates.iter().zip(&images.gammas);
        for ((estimate, trials), table) in estimates.zip(covariances.chunks_mut(k * k)) {
            let step = trials.evidence.as_ref().map_or(1.0, |sums| sums.step);
            let classes = estimate.classes.iter().enumerate();
            let listed: Vec<usize> = classes
                .filter(|(_, class)| class.listed)
                .map(|(index, _)| index)
                .collect();
            let has_image = |class: usize| estimate.classes[class].evidence.is_some();
            for (pair, &covariance) in estimate.spread.iter().enumerate() {
                let (class, other) = (listed[pair / listed.len()], listed[pair % listed.len()]);
                if has_image(class) && has_image(other) {
                    table[class * k + other] = f64::from(covariance) * step * step;
                }
            }
        }
        let axes = [gammas, ("class", k), ("other class", k)];
        let name = format!("{prefix}_covariance");
        out.array(&name, &axes, unit, covariances)
    }

    /// Writes the classes that the network called the images fed back to it.
    fn fed_back<W: Write + Seek>(
        &self,
        prefix: &str,
        images: &ClassificationImages,
        fed_back_of: impl Fn(&GammaTrials) -> &[Option<FedBack>],
        out: &mut Container<W>,
    ) -> io::Result<()> {
        let k = self.by_class[1].1;
        let mut fed_back = Vec::new();
        for trials in &images.gammas {
            let by_class = fed_back_of(trials);
            fed_back.extend((0..k).map(|class| by_class.get(class).copied().flatten()));
        }
        let classes = fed_back.iter().map(|fed_back| match fed_back {
            Some(fed_back) => to_i64(fed_back.class.0 as u64),
            None => -1,
        });
        let name = format!("{prefix}_fed_back_class");
        out.array(&name, &self.by_class, "", classes)?;
        let confidences = fed_back
            .iter()
            .map(|fed_back| or_nan(fed_back.map(|fed_back| fed_back.confidence)));
        let name = format!("{prefix}_fed_back_confidence");
        out.array(&name, &self.by_class, "probability", confidences)
    }
}

/// A statistic of an image: its name, its unit if any, and the number.
type Number = (
    &'static str,
    &'static str,
    fn(&ImageEstimate) -> Option<f64>,
);

const NUMBERS: [Number; 5] = [
    ("reliability", "", |image| image.reliability),
    ("reliability_low", "", |image| {
        Some(image.reliability_interval?[0])
    }),
    ("reliability_high", "", |image| {
        Some(image.reliability_interval?[1])
    }),
    ("snr", "", |image| Some(image.snr)),
    ("significant", "pixels", |image| {
        Some(image.significant as f64)
    }),
];
