//! [`Location`], a place in the dashboard as a command line names it: where the user was, or wants to begin.

use crate::files::quoted;
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;

/// A place in the dashboard; `None` leaves the default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Location {
    /// The view, by its name.
    pub view: Option<String>,
    /// The class.
    pub class: Option<ClassId>,
    /// The class as a user typed it, if the names of the classes were unknown then.
    pub typed_class: Option<String>,
    /// The signal strength.
    pub gamma: Option<Gamma>,
    /// The response.
    pub response: Option<Response>,
    /// Index among the plan's classification images, from 0.
    pub images: Option<usize>,
    /// The number of the experiment among those of the view's kind, from 0.
    pub experiment: Option<usize>,
    /// The layer.
    pub layer: Option<String>,
    /// The unit of that layer.
    pub unit: Option<usize>,
    /// Whether the selected item fills the view.
    pub closer: bool,
    /// Whether to open the prompt for more trials.
    pub extends: bool,
}

/// Why a location cannot be gone to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// It does not exist; the message lists what does.
    #[error("{0}")]
    Unknown(String),
    /// The run has not got that far: what does not exist yet.
    #[error("{0}")]
    NotYet(String),
}

impl Location {
    /// The command line that opens this place: `noisescope attach mnist --view maps --class 8`.
    pub fn command(&self, program: &str, session: &str) -> String {
        let mut words = vec![program.to_owned(), "attach".into(), quoted(session)];
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([format!("--{name}"), quoted(&value)]);
            }
        };
        option("view", self.view.as_ref().map(|name| name.to_lowercase()));
        option("class", self.class.map(|class| class.to_string()));
        // Only beyond the first, which is the default.
        let images = self.images.filter(|images| *images > 0);
        option("images", images.map(|images| (images + 1).to_string()));
        // With all its digits: it must match exactly.
        option("gamma", self.gamma.map(|gamma| format!("{:?}", gamma.0)));
        option(
            "response",
            self.response.map(|response| response.key().to_owned()),
        );
        let experiment = self.experiment.map(|number| (number + 1).to_string());
        option("experiment", experiment);
        option("layer", self.layer.clone());
        option("unit", self.unit.map(|unit| unit.to_string()));
        if self.closer {
            words.push("--closer".into());
        }
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_command_line_that_a_shell_parses() {
        let start = Location {
            view: Some("Maps".into()),
            class: Some(ClassId(8)),
            gamma: Some(Gamma(0.2)),
            response: Some(Response::Evidence),
            images: Some(0),
            closer: true,
            ..Location::default()
        };
        assert_eq!(
            start.command("noisescope", "mnist-paper"),
            "noisescope attach mnist-paper --view maps --class 8 --gamma 0.2 --response evidence --closer"
        );
        let start = Location {
            layer: Some("it's/a layer".into()),
            unit: Some(3),
            ..Location::default()
        };
        assert_eq!(
            start.command("noisescope --sessions /x", "a"),
            "noisescope --sessions /x attach a --layer 'it'\\''s/a layer' --unit 3"
        );
    }
}
