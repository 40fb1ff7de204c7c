//! Navigation in the dashboard: going to a location, and reporting the current one.

use super::location::Location;
use super::shared::{self, SharedState};
use super::state::{DashboardState, Overlay, ViewId};
use crate::format::gamma;
use crate::ids::Gamma;
use crate::session::Session;

impl DashboardState {
    /// The viewer's location.
    pub fn location(&self, session: &Session) -> Location {
        Location {
            view: Some(self.view().name.to_owned()),
            ..self.active_view().location(&self.shared, session)
        }
    }

    /// Goes to a location.
    ///
    /// # Errors
    /// If it does not exist; the message lists what does.
    pub fn go_to(&mut self, start: &Location, session: &Session) -> Result<(), String> {
        if let Some(name) = &start.view {
            let named = |view: &str| view.eq_ignore_ascii_case(name);
            let names: Vec<&str> = self.entries().map(|entry| entry.name).collect();
            match names.iter().position(|view| named(view)) {
                Some(index) => self.view = ViewId(index),
                None => {
                    let all = names.join(", ").to_lowercase();
                    return Err(format!("there is no view `{name}`; there are {all}"));
                }
            }
        }
        self.shared.go_to(start, session)?;
        if start.extends {
            self.overlay = Overlay::Extend;
        }
        let (view, _) = self.active_view_mut();
        view.go_to(start, session)
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
            images: Some(self.images),
            ..Location::default()
        }
    }

    fn go_to(&mut self, start: &Location, session: &Session) -> Result<(), String> {
        if let Some(images) = start.images {
            let count = shared::images(session);
            if images >= count {
                return Err(format!(
                    "there is no set {} of classification images; the plan has {count}",
                    images + 1
                ));
            }
            self.images = images;
        }
        if let Some(class) = start.class {
            self.class = class;
        }
        self.response = start.response.or(self.response);
        if let Some(gamma_wanted) = start.gamma {
            let trials = self
                .current_images(session)
                .map(|images| &images.gammas[..]);
            let trials = trials.unwrap_or_default();
            let close = |value: Gamma| (value.0 - gamma_wanted.0).abs() < 1e-9;
            match trials.iter().position(|trials| close(trials.gamma)) {
                Some(index) => self.gamma_index = Some(index),
                None => {
                    let all: Vec<String> =
                        trials.iter().map(|trials| gamma(trials.gamma)).collect();
                    return Err(match all.is_empty() {
                        true => "there are no classification images yet; leave out --gamma".into(),
                        false => format!(
                            "there are no classification images at γ {}; there are some at γ {}",
                            gamma(gamma_wanted),
                            all.join(", ")
                        ),
                    });
                }
            }
        }
        self.settle(session);
        Ok(())
    }
}
