//! An extension on its way to an engine, and how the engine's states answer it.

use crate::session::Session;
use crate::session::config::Extension;
use crate::session::run::LogLine;

/// Begins an engine's log line about an extension that it refuses.
pub const NOT_EXTENDED: &str = "not extended: ";

/// An extension that was sent to an engine.
#[derive(Debug, Clone, PartialEq)]
pub struct SentExtension {
    images: usize,
    more: Extension,
    /// The refusals in the engine's log before it was sent.
    refused_before: Vec<LogLine>,
}

impl SentExtension {
    /// An extension of the classification images number `images`, from 0, that is sent to an engine whose newest state is
    /// `newest`.
    pub fn new(images: usize, more: Extension, newest: &Session) -> Self {
        Self {
            images,
            more,
            refused_before: refusals(newest).cloned().collect(),
        }
    }

    /// Whether a session's plan contains it.
    pub fn is_planned(&self, session: &Session) -> bool {
        session.has_extension(self.images, &self.more)
    }

    /// Why the engine refused it, if its log has a refusal since. One of another viewer's extension, sent at the same
    /// moment, is not taken for it: what the engine refused cannot be added to its plan.
    pub fn refusal(&self, session: &Session) -> Option<String> {
        if !self.has_refusal(session) || self.is_planned(session) {
            return None;
        }
        let added = session.clone().extend(self.images, self.more.clone());
        added.err().map(|error| format!("{NOT_EXTENDED}{error}"))
    }

    /// Whether the engine's log has a refusal since it was sent.
    fn has_refusal(&self, session: &Session) -> bool {
        let now: Vec<&LogLine> = refusals(session).collect();
        // A full log drops its oldest lines, refusals among them.
        let is_left = |before: &[LogLine]| {
            before.len() <= now.len() && before.iter().zip(&now).all(|(before, now)| before == *now)
        };
        let before = &self.refused_before;
        let mut left = (0..before.len()).map(|gone| &before[gone..]);
        let known = left.find(|left| is_left(left)).map_or(0, <[LogLine]>::len);
        now.len() > known
    }

    /// Whether the engine has accepted or refused it.
    pub fn is_answered(&self, session: &Session) -> bool {
        self.is_planned(session) || self.refusal(session).is_some()
    }
}

/// The lines about refused extensions in an engine's log, oldest first.
fn refusals(session: &Session) -> impl Iterator<Item = &LogLine> {
    let log = session.run.iter().flat_map(|run| &run.log);
    log.filter(|line| line.warning && line.text.starts_with(NOT_EXTENDED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;
    use crate::session::run::Run;

    fn more(trials: u64) -> Extension {
        Extension {
            gamma: None,
            trials,
            target: None,
            class: None,
        }
    }

    #[test]
    fn an_extension_is_answered_by_the_plan_or_by_a_refusal_since_it_was_sent() {
        let line = |text: &str| LogLine {
            at: 100,
            text: text.into(),
            warning: text.starts_with("not"),
        };
        let mut session = Session::new("mine", Config::default());
        session.run = Some(Run {
            log: vec![line("not extended: too few"), line("checkpoint")],
            ..Run::default()
        });
        let sent = SentExtension::new(0, more(2_000_000), &session);
        assert_eq!(sent.refusal(&session), None);
        assert!(!sent.is_answered(&session));
        let mut refused = session.clone();
        refused.extend(0, more(3_000_000)).unwrap();
        assert!(!sent.is_answered(&refused), "another one");
        let words = "not extended: 2000000 trials are no more than the 3000000 already planned; give a larger number";
        if let Some(run) = &mut refused.run {
            // In the same second.
            run.log.push(line(words));
        }
        assert_eq!(sent.refusal(&refused).as_deref(), Some(words));
        assert!(sent.is_answered(&refused) && !sent.is_planned(&refused));
        session.extend(0, more(1_500_000)).unwrap();
        assert!(!sent.is_answered(&session), "another one");
        session.extend(0, more(2_000_000)).unwrap();
        assert!(sent.is_answered(&session) && sent.is_planned(&session));
    }

    #[test]
    fn a_refusal_of_anothers_extension_is_not_ones_own() {
        let mut session = Session::new("mine", Config::default());
        session.run = Some(Run::default());
        let sent = SentExtension::new(0, more(3_000_000), &session);
        session.extend(0, more(2_000_000)).unwrap();
        if let Some(run) = &mut session.run {
            run.log.push(LogLine {
                at: 100,
                text: format!("{NOT_EXTENDED}1500000 trials are no more"),
                warning: true,
            });
        }
        // This one comes next.
        assert!(!sent.is_answered(&session));
        session.extend(0, more(3_000_000)).unwrap();
        assert_eq!(sent.refusal(&session), None);
        assert!(sent.is_answered(&session));
        // It is refused after a larger one.
        let mut refused = session;
        let late = SentExtension::new(0, more(2_500_000), &Session::new("mine", Config::default()));
        let words = late.refusal(&refused).unwrap();
        assert!(words.contains("2500000 trials"), "{words}");
        refused.run = None;
        assert_eq!(late.refusal(&refused), None);
    }

    #[test]
    fn a_refusal_is_noticed_although_an_earlier_one_has_left_the_full_log() {
        let refusal = |at: i64| LogLine {
            at,
            text: "not extended: too few".into(),
            warning: true,
        };
        let with = |log: &[LogLine]| {
            let mut session = Session::new("mine", Config::default());
            session.extend(0, more(3_000_000)).unwrap();
            session.run = Some(Run {
                log: log.to_vec(),
                ..Run::default()
            });
            session
        };
        let before = with(&[refusal(1), refusal(2)]);
        let sent = SentExtension::new(0, more(2_000_000), &before);
        assert_eq!(sent.refusal(&with(&[refusal(2)])), None);
        assert_eq!(sent.refusal(&with(&[])), None);
        assert!(sent.refusal(&with(&[refusal(2), refusal(3)])).is_some());
        assert!(sent.refusal(&with(&[refusal(3)])).is_some());
    }
}
