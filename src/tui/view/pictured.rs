//! Which figure shows what a view shows, at full resolution.

use crate::figure::Figure;
use crate::session::Session;
use crate::session::record::{Attack, Predictions};
use crate::tui::state::State;
use crate::tui::steps;

/// The curves of training.
pub fn training(_: &State, session: &Session) -> Option<Figure> {
    let training = session.record.training.as_ref();
    training.map(|_| Figure::Training)
}

/// The maps of all classes, or the one that fills the view.
pub fn maps(state: &State, session: &Session) -> Option<Figure> {
    let own = state.images_in(session)?;
    let gamma = Some(own.gammas.get(state.gamma_in(own))?.gamma);
    let images = state.images.min(steps::images(session) - 1);
    Some(match state.enlarged {
        true => Figure::Map {
            images,
            class: state.class,
            gamma,
        },
        false => Figure::Maps { images, gamma },
    })
}

/// The curves of the attack.
pub fn attack(_: &State, session: &Session) -> Option<Figure> {
    session.record.first::<Attack>().map(|_| Figure::Attack)
}

/// The confusion matrix of the part in sight.
pub fn predictions(state: &State, session: &Session) -> Option<Figure> {
    let splits = &session.record.first::<Predictions>()?.splits;
    let own = splits.get(state.split.min(splits.len().checked_sub(1)?))?;
    Some(Figure::Confusion { split: own.split })
}
