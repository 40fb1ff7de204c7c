//! Choosing figures at one γ.

use super::{Figure, FigureError};
use crate::drawing::Sheet;
use crate::ids::Gamma;
use crate::session::Session;

/// Those of some figures that are at this γ, each once; instead of a figure that shows each class at its best γ, the
/// same at this one. A figure that is at no γ, like the confusion matrix, stays.
///
/// # Errors
/// If there are some at a γ, but none at this one: the error says why.
pub fn at_one_gamma(
    session: &Session,
    figures: &[Figure],
    gamma: Gamma,
) -> Result<Vec<Figure>, FigureError> {
    let mut kept: Vec<Figure> = Vec::new();
    let (mut is_any_there, mut left_out) = (false, None);
    for figure in figures {
        let (placed, before) = moved(figure, gamma);
        let exists = match before {
            None => true,
            Some(Some(before)) => before == gamma,
            Some(None) => super::has(session, &placed),
        };
        if !exists {
            left_out.get_or_insert(placed);
            continue;
        }
        is_any_there |= before.is_some();
        if !kept.contains(&placed) {
            kept.push(placed);
        }
    }
    match left_out {
        Some(figure) if !is_any_there => {
            super::draw(session, &figure, Sheet::DOUBLE)?;
            Err(FigureError::OtherGamma { requested: gamma })
        }
        _ => Ok(kept),
    }
}

/// The same figure at a γ, and at which it was: `None` if it is at no γ, `Some(None)` if at the best of each class.
fn moved(figure: &Figure, wanted: Gamma) -> (Figure, Option<Option<Gamma>>) {
    let mut figure = figure.clone();
    let before = match &mut figure {
        Figure::Map { gamma, .. }
        | Figure::Maps { gamma, .. }
        | Figure::Significance { gamma, .. }
        | Figure::Means { gamma, .. }
        | Figure::Pair { gamma, .. } => Some(gamma.replace(wanted)),
        Figure::Filters { .. }
        | Figure::Covariance { .. }
        | Figure::Attack { .. }
        | Figure::Modulation { .. }
        | Figure::Audit { .. }
        | Figure::Backdoor { .. }
        | Figure::Shards
        | Figure::Training
        | Figure::Confusion { .. } => None,
    };
    (figure, before)
}
