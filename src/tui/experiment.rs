//! [`ShownExperiment`]: which experiment of its kind is shown, if the plan has several.

use std::fmt;
use std::marker::PhantomData;

use ratatui::text::Span;

use super::location::LocationError;
use super::steps;
use super::theme::Theme;
use crate::session::Session;
use crate::session::config::Analysis;
use crate::session::record::ExperimentRecord;

/// An experiment that has a view, and what the view calls it while there is nothing to show.
pub trait ViewedExperiment: ExperimentRecord {
    /// Its name.
    const NAME: &'static str;
    /// Its name in a title, before its number: `attack 2 of 3`.
    const NOUN: &'static str = Self::NAME;
    /// The pronoun for the name: `one` or `them`.
    const PRONOUN: &'static str;
    /// A plan that includes it, as `--set` takes it.
    const EXAMPLE: &'static str;

    /// The name of its stage.
    fn stage(plan: &Analysis) -> &'static str {
        plan.label()
    }
}

/// Which experiment of a kind is shown: the first or, while the run works on one of them, that one, until the
/// viewer chooses one, or something in it.
pub struct ShownExperiment<T> {
    /// Its number among those of its kind, from 0; past the last one, the last one is shown.
    index: usize,
    /// Whether the viewer chose it, or something in it.
    chosen: bool,
    kind: PhantomData<fn() -> T>,
}

/// The columns from which a title names the kind of experiment.
const ROOMY: u16 = 76;

impl<T> ShownExperiment<T> {
    /// The experiment of this number among those of its kind, from 0, as the viewer's choice.
    pub fn chosen(number: usize) -> Self {
        Self {
            index: number,
            chosen: true,
            kind: PhantomData,
        }
    }
}

impl<T: ViewedExperiment> ShownExperiment<T> {
    /// Its number among those of its kind, from 0.
    pub fn number(self, session: &Session) -> usize {
        self.index.min(count::<T>(session).saturating_sub(1))
    }

    /// Its record and its index in the plan; `None` if the plan has none of this kind.
    pub fn in_plan(self, session: &Session) -> Option<(usize, &T)> {
        session.record.all::<T>().nth(self.number(session))
    }

    /// Its record; `None` if the plan has none of this kind.
    pub fn record(self, session: &Session) -> Option<&T> {
        self.in_plan(session).map(|(_, record)| record)
    }

    /// Its record, if it has begun.
    pub fn begun(self, session: &Session) -> Option<&T> {
        let (index, record) = self.in_plan(session)?;
        let plan = session.config.analyses.get(index)?;
        let (_, total) = session.record.analyses.get(index)?.progress(plan);
        (total > 0).then_some(record)
    }

    /// Which of how many it is, `2 of 3`, if there are several.
    pub fn place(self, session: &Session) -> Option<String> {
        let count = count::<T>(session);
        (count > 1).then(|| format!("{} of {count}", self.number(session) + 1))
    }

    /// The same as the beginning of a title that has this many columns: `attack 2 of 3`.
    pub fn title(self, session: &Session, theme: &Theme, width: u16) -> Option<Span<'static>> {
        let place = self.place(session)?;
        let text = match width {
            ROOMY.. => format!("{} {place}   ", T::NOUN),
            _ => format!("{place}  "),
        };
        Some(Span::styled(text, theme.chosen()))
    }
}

/// How many experiments of a kind the plan has.
fn count<T: ViewedExperiment>(session: &Session) -> usize {
    session.record.all::<T>().count()
}

/// What the dashboard does with the experiment shown, whatever its kind.
pub trait ExperimentChoice {
    /// Its number among those of its kind, from 0, and how many there are.
    fn position(&self, session: &Session) -> (usize, usize);

    /// Whether the one shown has begun.
    fn has_begun(&self, session: &Session) -> bool;

    /// Shows the next one; after the last, the first.
    fn step(&mut self, session: &Session);

    /// Shows the one that the run works on, unless the viewer chose another.
    fn follow(&mut self, session: &Session);

    /// Keeps the one shown, whatever the run works on: the viewer chose something in it.
    fn hold(&mut self, session: &Session);

    /// Shows the one of this number, from 0.
    ///
    /// # Errors
    /// If the plan has fewer.
    fn go_to(&mut self, number: usize, session: &Session) -> Result<(), LocationError>;
}

impl<T: ViewedExperiment> ExperimentChoice for ShownExperiment<T> {
    fn position(&self, session: &Session) -> (usize, usize) {
        (self.number(session), count::<T>(session))
    }

    fn has_begun(&self, session: &Session) -> bool {
        self.begun(session).is_some()
    }

    fn step(&mut self, session: &Session) {
        let (number, count) = self.position(session);
        *self = Self::chosen(steps::around(number, 1, count));
    }

    fn follow(&mut self, session: &Session) {
        // The first stage is training.
        let run = session.run.as_ref();
        let stage = run.and_then(|run| run.phase.stage());
        let Some(running) = stage.and_then(|stage| stage.checked_sub(1)) else {
            return;
        };
        let mut all = session.record.all::<T>();
        let number = all.position(|(index, _)| index == running);
        if let (Some(number), false) = (number, self.chosen) {
            self.index = number;
        }
    }

    fn hold(&mut self, session: &Session) {
        *self = Self::chosen(self.number(session));
    }

    fn go_to(&mut self, number: usize, session: &Session) -> Result<(), LocationError> {
        let count = count::<T>(session);
        if number >= count {
            return Err(LocationError::Unknown(format!(
                "there is no {} {}; the plan has {count}",
                T::NOUN,
                number + 1
            )));
        }
        *self = Self::chosen(number);
        Ok(())
    }
}

impl<T> Default for ShownExperiment<T> {
    fn default() -> Self {
        Self {
            chosen: false,
            ..Self::chosen(0)
        }
    }
}

// Not derived, which would demand the same of the record.
impl<T> Clone for ShownExperiment<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ShownExperiment<T> {}

impl<T> fmt::Debug for ShownExperiment<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ShownExperiment");
        shown.field("index", &self.index);
        shown.field("chosen", &self.chosen).finish()
    }
}
