//! Two sessions compared.

use std::io::{self, Seek, Write};

use super::container::{Axis, Container, or_nan, whole};
use super::meta;
use crate::comparison::Compared;
use crate::export::ExportError;
use crate::export::what::What;
use crate::session::config::Response;
use crate::session::form::Shape;
use crate::stats::comparison::Difference;

/// Writes two sessions compared: `meta`, `classes` \[K\], `gamma` \[G\], `a_counts` and `b_counts` \[G,K true,K
/// predicted\]; by decisions `ci_a`, `ci_b`, `ci_difference`, `ci_se` and `ci_z` \[G,K,H,W\] and
/// `ci_correlation` \[G,K\]; the same of evidence, `ev_a` and so on; and, where both networks were shown
/// the same trials, `agreement` \[K called by a,K called by b\]. NaN where not both have a map.
///
/// # Errors
/// Where `out` cannot be written.
pub fn comparison(what: &What<'_>, out: impl Write + Seek) -> Result<(), ExportError> {
    let mut all = Container::new(out);
    compared(what, &mut all)
        .and_then(|()| all.finish(meta::of_pair(what.pair.sessions)))
        .map_err(ExportError::Encode)
}

fn compared<W: Write + Seek>(what: &What<'_>, out: &mut Container<W>) -> io::Result<()> {
    let own: Vec<_> = what.places.iter().map(|&at| what.pair.gammas[at]).collect();
    let Some(first) = own.first() else {
        return Ok(());
    };
    let (g, k) = (own.len(), first.trials[0].classes());
    let names: Vec<String> = (0..k).map(|class| what.pair.name(class)).collect();
    out.texts("classes", "class", &names)?;
    let gammas = own.iter().map(|it| it.gamma);
    out.array("gamma", &[("gamma", g)], "signal strength, 0 to 1", gammas)?;
    for (at, name) in ["a_counts", "b_counts"].into_iter().enumerate() {
        let estimates: Vec<_> = own.iter().map(|it| it.trials[at].estimate()).collect();
        let counts = estimates.iter().flat_map(|it| &it.counts);
        let counts = counts.map(|&count| whole(count));
        let axes = [("gamma", g), ("true class", k), ("called", k)];
        out.array(name, &axes, "trials", counts)?;
    }
    let shape = first.trials[0].shape();
    for &response in &what.responses {
        maps(what, response, ([("gamma", g), ("class", k)], shape), out)?;
    }
    if let Some(Ok(shown)) = what.alike {
        let counts = shown.joint.counts.iter().map(|&count| whole(count));
        let axes = [("called by a", k), ("called by b", k)];
        out.array("agreement", &axes, "trials", counts)?;
    }
    Ok(())
}

/// The maps by a response, and their difference.
fn maps<W: Write + Seek>(
    what: &What<'_>,
    response: Response,
    (axes, shape): ([Axis; 2], Shape),
    out: &mut Container<W>,
) -> io::Result<()> {
    let prefix = match response {
        Response::Decision => "ci",
        Response::Evidence => "ev",
    };
    let name = |what: &str| format!("{prefix}_{what}");
    let unit = what.pair.unit(response);
    let places = what.places.iter();
    let all: Vec<Compared> = places
        .map(|&place| Compared::new(what.pair, place, response))
        .collect();
    let classes = || {
        let k = axes[1].1;
        all.iter()
            .flat_map(move |it| (0..k).map(move |class| (it, class)))
    };
    for (at, own) in ["a", "b"].into_iter().enumerate() {
        let images = classes().map(|(it, class)| it.map(at, class).map(|map| map.image.as_slice()));
        out.maps(&name(own), &axes, shape, &unit, images)?;
    }
    let differences: Vec<Option<Difference>> = classes()
        .map(|(it, class)| it.classes[class].clone())
        .collect();
    let own = differences.iter();
    let own = own.map(|own| own.as_ref().map(|own| own.difference.as_slice()));
    out.maps(&name("difference"), &axes, shape, &unit, own)?;
    let z = differences.iter();
    let z = z.map(|own| own.as_ref().map(|own| own.z.as_slice()));
    out.maps(&name("z"), &axes, shape, "standard errors", z)?;
    let errors: Vec<Option<Vec<f32>>> = differences
        .iter()
        .map(|own| own.as_ref().map(Difference::errors))
        .collect();
    let errors = errors.iter().map(Option::as_deref);
    out.maps(&name("se"), &axes, shape, &unit, errors)?;
    let r = differences
        .iter()
        .map(|own| or_nan(own.as_ref().and_then(|own| own.correlation)));
    out.array(&name("correlation"), &axes, "", r)
}
