//! Navigation in the dashboard: going to a location, at once or as soon as it exists, and reporting the current one.

use super::action::KeyContext;
use super::experiment::ShownExperiment;
use super::location::{Location, LocationError};
use super::shared::{self, SharedState};
use super::state::{DashboardState, Notice, Overlay, ViewId};
use super::view::View;
use crate::format::gamma;
use crate::ids::Gamma;
use crate::session::Session;

impl DashboardState {
    /// The viewer's location.
    pub fn location(&self, session: &Session) -> Location {
        let view = self.active_view();
        let place = view.experiment().map(|shown| shown.position(session));
        let several = place.filter(|(_, count)| *count > 1);
        Location {
            view: Some(self.view().name.to_owned()),
            experiment: several.map(|(number, _)| number),
            ..view.location(&self.shared, session)
        }
    }

    /// Goes to a location. If the run has not got that far, goes as near as possible, says so, and goes there as soon as
    /// that can be done, unless a key is pressed first.
    ///
    /// # Errors
    /// If it will never exist; the message lists what does.
    pub fn open_at(&mut self, start: Location, session: &Session) -> Result<(), String> {
        match self.go_to(&start, session) {
            Ok(()) => {}
            Err(LocationError::NotYet(missing)) => {
                let words = format!("{missing}; goes there as soon as it can");
                self.notice = Some(Notice::awaited(words));
                self.awaited = Some(start);
            }
            Err(LocationError::Unknown(problem)) => return Err(problem),
        }
        Ok(())
    }

    /// Goes to the awaited location if it exists now.
    pub fn go_to_awaited(&mut self, session: &Session) {
        let Some(start) = self.awaited.take() else {
            return;
        };
        self.notice = None;
        if let Err(problem) = self.open_at(start, session) {
            self.notice = Some(Notice::failed(problem));
        }
    }

    /// Goes to a location, or as near as possible.
    ///
    /// # Errors
    /// If it does not exist, or not yet.
    pub fn go_to(&mut self, start: &Location, session: &Session) -> Result<(), LocationError> {
        if let Some(name) = &start.view {
            let named = |view: &str| view.eq_ignore_ascii_case(name);
            let names: Vec<&str> = self.entries().map(|entry| entry.name).collect();
            match names.iter().position(|view| named(view)) {
                Some(index) => self.activate(ViewId(index)),
                None => {
                    let all = names.join(", ").to_lowercase();
                    return Err(LocationError::Unknown(format!(
                        "there is no view `{name}`; there are {all}"
                    )));
                }
            }
        }
        let shared = self.shared.go_to(start, session);
        if start.extends {
            self.overlay = Overlay::Extend;
        }
        let name = self.view().name.to_lowercase();
        let (view, _) = self.active_view_mut();
        check_options(view, &name, start)?;
        match (start.experiment, view.experiment_mut()) {
            (None, _) => {}
            (Some(number), Some(shown)) => shown.go_to(number, session)?,
            (Some(_), None) => {
                return Err(LocationError::Unknown(format!(
                    "the view {name} is not of one kind of experiment; leave out --experiment"
                )));
            }
        }
        match (shared, view.go_to(start, session)) {
            // What will never exist comes before what does not exist yet.
            (Err(LocationError::NotYet(_)), Err(LocationError::Unknown(problem))) => {
                Err(LocationError::Unknown(problem))
            }
            (shared, viewed) => shared.and(viewed),
        }
    }
}

/// Checks that a view has what the options of a location are about.
///
/// # Errors
/// If it has no layers, no units or nothing to enlarge.
fn check_options(view: &dyn View, name: &str, start: &Location) -> Result<(), LocationError> {
    use KeyContext::{Enlarged, Figure, Layers, Maps, OneFigure, Table, Units};
    let options: [(bool, &str, &str, &[KeyContext]); 3] = [
        (start.layer.is_some(), "layers", "--layer", &[Layers]),
        (start.unit.is_some(), "units", "--unit", &[Units]),
        (
            start.closer,
            "enlarged selection",
            "--closer",
            &[Maps, Table, Enlarged, Figure, OneFigure],
        ),
    ];
    let lacks = |places: &[KeyContext]| !view.contexts().iter().any(|place| places.contains(place));
    let mut options = options.into_iter();
    match options.find(|(given, .., places)| *given && lacks(places)) {
        Some((_, what, option, _)) => Err(LocationError::Unknown(format!(
            "the view {name} has no {what}; leave out {option}"
        ))),
        None => Ok(()),
    }
}

impl SharedState {
    /// The current choices for the maps that several views share.
    pub fn location(&self, session: &Session) -> Location {
        let images = self.current_images(session);
        let trials = self.gamma_index.and_then(|index| images?.gammas.get(index));
        Location {
            class: Some(self.class),
            gamma: trials.map(|trials| trials.gamma),
            response: self
                .response
                .and(images.map(|images| self.current_response(images))),
            images: Some(self.images.number(session)),
            ..Location::default()
        }
    }

    fn go_to(&mut self, start: &Location, session: &Session) -> Result<(), LocationError> {
        if let Some(images) = start.images {
            let count = shared::images(session);
            if images >= count {
                return Err(LocationError::Unknown(format!(
                    "there is no set {} of classification images; the plan has {count}",
                    images + 1
                )));
            }
            self.images = ShownExperiment::chosen(images);
        }
        if let Some(class) = start.class {
            self.class = class;
        }
        self.response = start.response.or(self.response);
        let class = self.go_to_class(start, session);
        let gamma = self.go_to_gamma(start, session);
        self.settle(session);
        match (class, gamma) {
            (Err(LocationError::NotYet(_)), Err(LocationError::Unknown(problem))) => {
                Err(LocationError::Unknown(problem))
            }
            (class, gamma) => class.and(gamma),
        }
    }

    /// Chooses a class that was typed before the classes were known.
    fn go_to_class(&mut self, start: &Location, session: &Session) -> Result<(), LocationError> {
        let Some(typed) = &start.typed_class else {
            return Ok(());
        };
        let Some(form) = &session.record.form else {
            return Err(LocationError::NotYet(format!(
                "class `{typed}` is unknown so far"
            )));
        };
        self.class = form.find(typed).map_err(LocationError::Unknown)?;
        Ok(())
    }

    fn go_to_gamma(&mut self, start: &Location, session: &Session) -> Result<(), LocationError> {
        let Some(wanted) = start.gamma else {
            return Ok(());
        };
        let close = |value: Gamma| (value.0 - wanted.0).abs() < 1e-9;
        let trials = self
            .current_images(session)
            .map(|images| &images.gammas[..]);
        let trials = trials.unwrap_or_default();
        if let Some(index) = trials.iter().position(|trials| close(trials.gamma)) {
            self.gamma_index = Some(index);
            return Ok(());
        }
        let planned = self.images_plan(session).map(|plan| &plan.gammas[..]);
        let planned = planned.unwrap_or_default();
        if trials.is_empty() && planned.iter().any(|&planned| close(planned)) {
            return Err(LocationError::NotYet(format!(
                "there are no maps at γ {} yet",
                gamma(wanted)
            )));
        }
        let all: Vec<String> = planned.iter().map(|&planned| gamma(planned)).collect();
        Err(LocationError::Unknown(match all.is_empty() {
            true => "the plan has no classification images; leave out --gamma".into(),
            false => format!(
                "there are no classification images at γ {}; there are some at γ {}",
                gamma(wanted),
                all.join(", ")
            ),
        }))
    }
}
