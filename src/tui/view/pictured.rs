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

/// The maps of all classes.
pub fn all_maps(state: &State, session: &Session) -> Option<Figure> {
    let own = state.images_in(session)?;
    let trials = own.gammas.get(state.gamma_in(own))?;
    Some(Figure::Maps {
        images: state.images.min(steps::images(session) - 1),
        gamma: Some(trials.gamma),
    })
}

/// The maps of all classes, or the one that fills the view.
pub fn maps(state: &State, session: &Session) -> Option<Figure> {
    match all_maps(state, session)? {
        Figure::Maps { images, gamma } if state.enlarged => Some(Figure::Map {
            images,
            class: state.class,
            gamma,
        }),
        all => Some(all),
    }
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
