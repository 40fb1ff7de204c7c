//! The comparison of two sessions as NPZ.

use std::io::{self, Seek, Write};

use super::container::{ArrayAxis, Container, or_nan, to_i64};
use super::meta;
use crate::comparison::MapComparison;
use crate::export::ExportError;
use crate::export::comparison_export::ComparisonExport;
use crate::ids::ClassId;
use crate::session::config::Response;
use crate::session::form::Shape;
use crate::stats::comparison::MapDifference;

/// Writes the comparison: `meta`, `classes` \[K\], `gamma` \[G\], `a_counts` and `b_counts` \[G,K true,K predicted\];
/// by decisions `ci_a`, `ci_b`, `ci_difference`, `ci_se` and `ci_z` \[G,K,H,W\] and `ci_correlation` \[G,K\]; the same
/// for evidence, `ev_a` and so on; and, if both networks were shown the same trials, `agreement` \[K called by a,K
/// called by b\]. NaN if either session lacks a map.
///
/// # Errors
/// If `out` cannot be written.
pub fn comparison(
    export: &ComparisonExport<'_>,
    out: impl Write + Seek,
) -> Result<(), ExportError> {
    let mut all = Container::new(out);
    compared(export, &mut all)
        .and_then(|()| all.finish(meta::of_pair(export.pair.sessions)))
        .map_err(ExportError::Encode)
}

fn compared<W: Write + Seek>(
    export: &ComparisonExport<'_>,
    out: &mut Container<W>,
) -> io::Result<()> {
    let common: Vec<_> = export
        .places
        .iter()
        .map(|&place| export.pair.gammas[place])
        .collect();
    let Some(first) = common.first() else {
        return Ok(());
    };
    let (g, k) = (common.len(), first.trials[0].classes());
    let names: Vec<String> = ClassId::all(k)
        .map(|class| export.pair.class_name(class))
        .collect();
    out.texts("classes", "class", &names)?;
    let gammas = common.iter().map(|common| common.gamma.0);
    out.array("gamma", &[("gamma", g)], "signal strength, 0 to 1", gammas)?;
    for (side, name) in ["a_counts", "b_counts"].into_iter().enumerate() {
        let estimates: Vec<_> = common
            .iter()
            .map(|common| common.trials[side].estimate())
            .collect();
        let counts = estimates.iter().flat_map(|estimate| &estimate.counts);
        let counts = counts.map(|&count| to_i64(count));
        let axes = [("gamma", g), ("true class", k), ("called", k)];
        out.array(name, &axes, "trials", counts)?;
    }
    let shape = first.trials[0].shape();
    for &response in &export.responses {
        maps(export, response, ([("gamma", g), ("class", k)], shape), out)?;
    }
    if let Some(Ok(shown)) = export.agreement {
        let counts = shown.joint.counts.iter().map(|&count| to_i64(count));
        let axes = [("called by a", k), ("called by b", k)];
        out.array("agreement", &axes, "trials", counts)?;
    }
    Ok(())
}

/// Writes the maps by a response, and their difference.
fn maps<W: Write + Seek>(
    export: &ComparisonExport<'_>,
    response: Response,
    (axes, shape): ([ArrayAxis; 2], Shape),
    out: &mut Container<W>,
) -> io::Result<()> {
    let prefix = match response {
        Response::Decision => "ci",
        Response::Evidence => "ev",
    };
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let unit = export.pair.unit(response);
    let places = export.places.iter();
    let all: Vec<MapComparison> = places
        .map(|&place| MapComparison::new(export.pair, place, response))
        .collect();
    let classes = || {
        let k = axes[1].1;
        all.iter()
            .flat_map(move |compared| ClassId::all(k).map(move |class| (compared, class)))
    };
    for (side, letter) in ["a", "b"].into_iter().enumerate() {
        let images = classes()
            .map(|(compared, class)| compared.map(side, class).map(|map| map.image.as_slice()));
        out.maps(&name(letter), &axes, shape, &unit, images)?;
    }
    let differences: Vec<Option<MapDifference>> = classes()
        .map(|(compared, class)| compared.classes[class].clone())
        .collect();
    let difference_maps = differences.iter();
    let difference_maps = difference_maps.map(|difference| {
        difference
            .as_ref()
            .map(|difference| difference.difference.as_slice())
    });
    out.maps(&name("difference"), &axes, shape, &unit, difference_maps)?;
    let z = differences.iter();
    let z = z.map(|difference| {
        difference
            .as_ref()
            .map(|difference| difference.z.as_slice())
    });
    out.maps(&name("z"), &axes, shape, "standard errors", z)?;
    let errors: Vec<Option<Vec<f32>>> = differences
        .iter()
        .map(|difference| difference.as_ref().map(MapDifference::errors))
        .collect();
    let errors = errors.iter().map(Option::as_deref);
    out.maps(&name("se"), &axes, shape, &unit, errors)?;
    let r = differences.iter().map(|difference| {
        or_nan(
            difference
                .as_ref()
                .and_then(|difference| difference.correlation),
        )
    });
    out.array(&name("correlation"), &axes, "", r)
}
