//! The plan as text, and the command that reproduces the session.

use maud::{Markup, html};
use ron::ser::PrettyConfig;

use super::words::list;
use crate::files::quoted;
use crate::format::clean;
use crate::session::config::{Analysis, Config, DatasetSource, WeightSource};
use crate::session::{Session, again};

/// The chapter with the complete plan.
pub(super) fn plan(session: &Session) -> Markup {
    let config = &session.config;
    html! {
        p { "These lines, with the images and weights that they name, determine everything that the session does." }
        details {
            summary { "The plan, in RON" }
            @match ron::ser::to_string_pretty(config, pretty()) {
                Ok(text) => { (code("The plan, in RON", &text)) },
                Err(error) => { p { "It cannot be written: " (error.to_string()) } },
            }
        }
    }
}

fn pretty() -> PrettyConfig {
    PrettyConfig::new()
        .indentor("  ")
        .compact_arrays(true)
        .number_suffixes(false)
}

/// Text to copy, in a scrolling region.
fn code(label: &str, text: &str) -> Markup {
    html! {
        pre.scroll role="region" tabindex="0" aria-label=(label) { code { (text) } }
    }
}

/// The chapter that explains how to reproduce the session.
pub(super) fn chapter(session: &Session) -> Markup {
    let version = env!("CARGO_PKG_VERSION");
    html! {
        p {
            "With noisescope " (version) ", this command creates a session with the same plan and runs it:"
        }
        @match command(session) {
            Ok(command) => { (code("The command, to copy", &command)) },
            Err(error) => { p { "The plan cannot be written: " (error.to_string()) } },
        }
        @for words in needed(session) { p { (words) } }
        p {
            "On the same machine, with the same device and as many blocks per launch, it gives the same counts and sums \
             to the last bit. Elsewhere its noise is the same to the bit; the network's outputs are the same except \
             for the last digits."
        }
    }
}

/// The command for a new session with this plan, field by field.
///
/// # Errors
/// If the plan cannot be serialized.
pub(super) fn command(session: &Session) -> Result<String, ron::Error> {
    let config = &session.config;
    let mut fields = again::fields(config)?.to_vec();
    fields.push(("analyses", ron::to_string(&config.analyses)?));
    if config.checkpoint_s != Config::default().checkpoint_s {
        fields.push(("checkpoint_s", ron::to_string(&config.checkpoint_s)?));
    }
    let mut lines = vec![format!("noisescope run {}", quoted(session.name_again()))];
    lines.extend(
        fields
            .iter()
            .map(|(field, value)| format!("  --set {}", quoted(format!("{field}={value}")))),
    );
    Ok(lines.join(" \\\n"))
}

/// What must be available before the command can run.
fn needed(session: &Session) -> Vec<String> {
    let config = &session.config;
    let mut needed = Vec::new();
    match config.dataset.as_ref().map(|dataset| &dataset.source) {
        Some(DatasetSource::Folder(path) | DatasetSource::File(path)) => needed.push(format!(
            "It needs the images in {}: put them at the same path, or change dataset in the command. Their \
             fingerprints show whether they are the same.",
            clean(&path.to_string_lossy())
        )),
        Some(DatasetSource::Full) => {
            needed.push("It needs the full set of images: noisescope data fetch.".into());
        }
        Some(DatasetSource::Auto) => needed.push(
            "It uses the full set of images if present (noisescope data fetch), otherwise the built-in subset; \
             the fingerprints show which one was used."
                .into(),
        ),
        Some(DatasetSource::Embedded) | None => {}
    }
    if let WeightSource::File(path) = &config.network.weights {
        needed.push(format!(
            "It needs the file {}, which is not on this page; its fingerprint is.",
            clean(&path.to_string_lossy())
        ));
    }
    for analysis in &config.analyses {
        if let Analysis::Audit(plan) = analysis
            && !plan.sessions.is_empty()
        {
            let files = plan.sessions.iter();
            let files: Vec<String> = files.map(|path| clean(&path.to_string_lossy())).collect();
            needed.push(format!(
                "Its audit needs the networks of these sessions, which are not on this page: {}.",
                list(&files)
            ));
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::planned;
    use crate::session::{config, setting};
    use std::path::PathBuf;
    use std::process::Command;

    /// The words that a shell parses from a command line.
    fn words(line: &str) -> Vec<String> {
        let script = format!("noisescope() {{ printf '%s\\0' \"$@\"; }}\n{line}");
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    fn made_again(session: &Session) -> Config {
        let words = words(&command(session).unwrap());
        assert_eq!(words[..2], ["run", "mine-again"]);
        let settings = words[2..].chunks(2);
        settings.fold(Config::default(), |config, pair| {
            assert_eq!(pair[0], "--set");
            setting::set(&config, &pair[1]).unwrap()
        })
    }

    #[test]
    fn the_command_has_the_plan() {
        let mut session = planned();
        session.config.seed = 77;
        session.config.checkpoint_s = 5.0;
        assert_eq!(made_again(&session), session.config);
        session.config.dataset = None;
        session.config.network.weights = WeightSource::File("/it's a \"model\".pt".into());
        assert_eq!(made_again(&session), session.config);
        let text = chapter(&session).into_string();
        assert!(
            text.contains("It needs the file /it's a &quot;model&quot;.pt"),
            "{text}"
        );
    }

    #[test]
    fn the_sessions_with_an_audits_references_are_needed() {
        let mut session = planned();
        let needed_by = |session: &Session| {
            let mut words = needed(session);
            words.retain(|words| words.contains("audit"));
            words
        };
        let audit = |sessions: &[&str]| {
            Analysis::Audit(config::Audit {
                sessions: sessions.iter().map(PathBuf::from).collect(),
                ..config::Audit::default()
            })
        };
        session.config.analyses = vec![audit(&[])];
        assert!(needed_by(&session).is_empty());
        session.config.analyses = vec![audit(&["clean/a.ron", "b.ron"])];
        let words = needed_by(&session);
        assert!(
            words.len() == 1 && words[0].contains("clean/a.ron and b.ron"),
            "{words:?}"
        );
    }

    #[test]
    fn the_plan_can_be_read_back_from_the_page() {
        let session = planned();
        let text = ron::ser::to_string_pretty(&session.config, pretty()).unwrap();
        let read = crate::session::store::config_from_text(&text, std::path::Path::new("plan.ron"));
        assert_eq!(read.unwrap(), session.config);
    }
}
