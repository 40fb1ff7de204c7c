//! Going to a place in the dashboard, and telling where one is.

use super::shared::{self, Shared};
use super::start::Start;
use super::state::{Overlay, State, ViewId};
use crate::format::gamma;
use crate::session::Session;

impl State {
    /// Where the viewer is.
    pub fn place(&self, session: &Session) -> Start {
        Start {
            view: Some(self.view().name.to_owned()),
            ..self.in_sight().place(&self.shared, session)
        }
    }

    /// Goes to a place.
    ///
    /// # Errors
    /// Why there is none, and which there are.
    pub fn go_to(&mut self, start: &Start, session: &Session) -> Result<(), String> {
        if let Some(name) = &start.view {
            let named = |own: &str| own.eq_ignore_ascii_case(name);
            let names: Vec<&str> = self.entries().map(|entry| entry.name).collect();
            match names.iter().position(|own| named(own)) {
                Some(at) => self.view = ViewId(at),
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
        let (view, _) = self.in_sight_mut();
        view.go_to(start, session)
    }
}

impl Shared {
    /// What is chosen of the maps that several views show.
    pub fn place(&self, session: &Session) -> Start {
        let own = self.images_in(session);
        let gamma = self.gamma.and_then(|at| own?.gammas.get(at));
        Start {
            class: Some(self.class),
            gamma: gamma.map(|trials| trials.gamma),
            response: self.response.and(own.map(|own| self.response_in(own))),
            images: Some(self.images),
            ..Start::default()
        }
    }

    fn go_to(&mut self, start: &Start, session: &Session) -> Result<(), String> {
        if let Some(images) = start.images {
            let there = shared::images(session);
            if images >= there {
                return Err(format!(
                    "there are no classification images number {}; the plan has {there}",
                    images + 1
                ));
            }
            self.images = images;
        }
        if let Some(class) = start.class {
            self.class = class;
        }
        self.response = start.response.or(self.response);
        if let Some(wanted) = start.gamma {
            let own = self.images_in(session).map(|it| &it.gammas[..]);
            let own = own.unwrap_or_default();
            let close = |own: &f64| (own - wanted).abs() < 1e-9;
            match own.iter().position(|it| close(&it.gamma)) {
                Some(place) => self.gamma = Some(place),
                None => {
                    let all: Vec<String> = own.iter().map(|it| gamma(it.gamma)).collect();
                    return Err(match all.is_empty() {
                        true => "there are no classification images yet; leave out --gamma".into(),
                        false => format!(
                            "there are no classification images at γ {}; there are some at γ {}",
                            gamma(wanted),
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
