//! A place in the dashboard, as a command line names it: where a person was, or wants to begin.

use super::shared::Shared;
use super::state::{Overlay, State, ViewId};
use crate::files::quoted;
use crate::format::gamma;
use crate::session::Session;
use crate::session::config::Response;

/// A place in the dashboard; what is `None` is as it is at first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Start {
    /// The view, by its name.
    pub view: Option<String>,
    /// The class, by its number.
    pub class: Option<usize>,
    /// The signal strength.
    pub gamma: Option<f64>,
    /// What trials are taken to say.
    pub response: Option<Response>,
    /// Which of the plan's classification images, from 0.
    pub images: Option<usize>,
    /// The layer.
    pub layer: Option<String>,
    /// The unit of that layer.
    pub unit: Option<usize>,
    /// Whether what is chosen fills the view.
    pub closer: bool,
    /// Whether a number of trials is to be typed at once.
    pub extends: bool,
}

impl Start {
    /// The command line that begins there: `noisescope attach mnist --view maps --class 8`.
    pub fn command(&self, program: &str, session: &str) -> String {
        let mut words = vec![program.to_owned(), "attach".into(), quoted(session)];
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([format!("--{name}"), quoted(&value)]);
            }
        };
        option("view", self.view.as_ref().map(|name| name.to_lowercase()));
        option("class", self.class.map(|class| class.to_string()));
        // Beyond the first: the others are what one sees without it.
        let images = self.images.filter(|images| *images > 0);
        option("images", images.map(|images| (images + 1).to_string()));
        // All its digits: it is looked for.
        option("gamma", self.gamma.map(|gamma| format!("{gamma:?}")));
        option(
            "response",
            self.response.map(|response| response.key().to_owned()),
        );
        option("layer", self.layer.clone());
        option("unit", self.unit.map(|unit| unit.to_string()));
        if self.closer {
            words.push("--closer".into());
        }
        words.join(" ")
    }
}

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
            let there = super::shared::images(session);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_command_line_that_a_shell_takes() {
        let start = Start {
            view: Some("Maps".into()),
            class: Some(8),
            gamma: Some(0.2),
            response: Some(Response::Evidence),
            images: Some(0),
            closer: true,
            ..Start::default()
        };
        assert_eq!(
            start.command("noisescope", "mnist-paper"),
            "noisescope attach mnist-paper --view maps --class 8 --gamma 0.2 --response evidence --closer"
        );
        let start = Start {
            layer: Some("it's/a layer".into()),
            unit: Some(3),
            ..Start::default()
        };
        assert_eq!(
            start.command("noisescope --sessions /x", "a"),
            "noisescope --sessions /x attach a --layer 'it'\\''s/a layer' --unit 3"
        );
    }
}
