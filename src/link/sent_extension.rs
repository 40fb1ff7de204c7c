//! An extension on its way to an engine, and how the engine's states answer it.

use crate::session::Session;
use crate::session::config::Extension;
use crate::session::store::now;

/// Begins an engine's log line about an extension that it refuses.
pub const NOT_EXTENDED: &str = "not extended: ";

/// An extension that was sent to an engine.
#[derive(Debug, Clone, PartialEq)]
pub struct SentExtension {
    images: usize,
    more: Extension,
    /// When it was sent, in seconds since the Unix epoch.
    at: i64,
}

impl SentExtension {
    /// An extension of the classification images number `images`, from 0, that is sent now.
    pub fn now(images: usize, more: Extension) -> Self {
        Self {
            images,
            more,
            at: now(),
        }
    }

    /// Whether a session's plan contains it.
    pub fn is_planned(&self, session: &Session) -> bool {
        session.has_extension(self.images, &self.more)
    }

    /// Why the engine refused it, if its log says so: the whole line.
    pub fn refusal<'a>(&self, session: &'a Session) -> Option<&'a str> {
        let log = session.run.as_ref().map_or(&[][..], |run| &run.log);
        let mut since = log.iter().rev().take_while(|line| line.at >= self.at);
        let refusal = since.find(|line| line.warning && line.text.starts_with(NOT_EXTENDED));
        refusal.map(|line| line.text.as_str())
    }

    /// Whether the engine has accepted or refused it.
    pub fn is_answered(&self, session: &Session) -> bool {
        self.is_planned(session) || self.refusal(session).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::run::{LogLine, Run};
    use crate::session::{Config, Session};

    #[test]
    fn an_extension_is_answered_by_the_plan_or_by_a_refusal_since_it_was_sent() {
        let more = |trials| Extension {
            gamma: None,
            trials,
            target: None,
            class: None,
        };
        let sent = SentExtension {
            images: 0,
            more: more(2_000_000),
            at: 100,
        };
        let mut session = Session::new("mine", Config::default());
        assert!(!sent.is_answered(&session));
        let line = |at, text: &str| LogLine {
            at,
            text: text.into(),
            warning: text.starts_with("not"),
        };
        let mut refused = session.clone();
        refused.run = Some(Run {
            log: vec![line(99, "not extended: too few"), line(101, "checkpoint")],
            ..Run::default()
        });
        assert_eq!(sent.refusal(&refused), None);
        if let Some(run) = &mut refused.run {
            run.log.push(line(101, "not extended: no γ"));
        }
        assert_eq!(sent.refusal(&refused), Some("not extended: no γ"));
        assert!(sent.is_answered(&refused) && !sent.is_planned(&refused));
        session.extend(0, more(1_500_000)).unwrap();
        assert!(!sent.is_answered(&session), "another one");
        session.extend(0, more(2_000_000)).unwrap();
        assert!(sent.is_answered(&session) && sent.is_planned(&session));
    }
}
