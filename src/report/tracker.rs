//! The events in a session since it was last examined. Pure: sessions in, events out.

mod results;

use std::collections::BTreeSet;
use std::path::Path;

use self::results::{complete, epoch_event, finite, known, others_done, outcome};
use super::event::{Event, EventKind, ProgressEvent, StageResult, StartEvent};
use super::{Style, status};
use crate::figure::headline::headline;
use crate::format::counted;
use crate::session::record::SavedState;
use crate::session::run::{Checkpoint, LogLine, Phase, Stage};
use crate::session::store::session_of_shard;
use crate::session::{Run, Session};

/// Name of the stage that trains the network.
const TRAINING: &str = "training";

/// The stage name reported while pictures are read.
const READING: &str = "reading images";

/// Tracks which events of a run have been reported.
///
/// What the session contains when it is first seen counts as reported, so a resumed run begins with what
/// is new. Results of stages that end, and the end of the run, are always reported.
#[derive(Debug)]
pub struct EventTracker {
    style: Style,
    path: String,
    /// Whether no engine runs, so that everything in the session is new.
    document: bool,
    /// Whether a session has been seen.
    begun: bool,
    started: bool,
    epochs: usize,
    trained: bool,
    /// Indices of analysis and γ whose trials are all done.
    gammas: BTreeSet<(usize, usize)>,
    /// Indices of other analyses that are done.
    analyses: BTreeSet<usize>,
    /// When progress was last reported, and what was reported for each stage.
    progress_s: f64,
    stages: Vec<Option<Stage>>,
    checkpoint: Option<Checkpoint>,
    problem: Option<String>,
    log: Vec<LogLine>,
    /// How many notes have been reported.
    notes: usize,
    paused: bool,
    over: bool,
}

impl EventTracker {
    /// For a live run whose session is in the file `path`.
    pub fn new(style: Style, path: &Path) -> Self {
        Self {
            style,
            path: path.display().to_string(),
            document: false,
            begun: false,
            started: false,
            epochs: 0,
            trained: false,
            gammas: BTreeSet::new(),
            analyses: BTreeSet::new(),
            progress_s: f64::NEG_INFINITY,
            stages: Vec::new(),
            checkpoint: None,
            problem: None,
            log: Vec::new(),
            notes: 0,
            paused: false,
            over: false,
        }
    }

    /// For a session that no engine runs, so that everything in it is new.
    pub fn for_file(style: Style, path: &Path) -> Self {
        Self {
            document: true,
            ..Self::new(style, path)
        }
    }

    /// Whether the end of the run has been reported.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// What is new in `session`, `now_s` seconds after the report began.
    pub fn lines(&mut self, session: &Session, now_s: f64) -> Vec<Event> {
        if self.over {
            return Vec::new();
        }
        if !self.begun && !self.document {
            self.epochs = session
                .record
                .training
                .as_ref()
                .map_or(0, |training| training.epochs.len());
            self.trained = session
                .record
                .training
                .as_ref()
                .is_some_and(|training| training.finished);
            self.gammas = complete(session).map(|(place, _)| place).collect();
            self.analyses = others_done(session).collect();
        }
        self.begun = true;
        let mut news = Vec::new();
        self.start(session, &mut news);
        if let Some(run) = &session.run {
            self.notes(run, &mut news);
            self.warnings(run, &mut news);
        }
        self.epochs(session, &mut news);
        if let Some(run) = &session.run {
            self.progress(run, now_s, &mut news);
        }
        self.results(session, &mut news);
        if let Some(run) = &session.run {
            self.checkpoint(run, &mut news);
            self.pauses(run, &mut news);
            if run.phase.is_over() {
                self.end(session, &mut news);
            }
        }
        news.into_iter()
            .map(|what| Event {
                t: now_s,
                kind: what,
            })
            .collect()
    }

    /// The final events of a session whose engine has ended, or that never had one.
    pub fn final_events(&mut self, session: &Session, now_s: f64) -> Vec<Event> {
        let mut events = self.lines(session, now_s);
        if !self.over {
            let mut news = Vec::new();
            self.end(session, &mut news);
            events.extend(news.into_iter().map(|what| Event {
                t: now_s,
                kind: what,
            }));
        }
        events
    }

    fn start(&mut self, session: &Session, news: &mut Vec<EventKind>) {
        let ready = match &session.run {
            Some(run) => run.phase != Phase::Starting,
            None => self.document,
        };
        if self.started || !ready {
            return;
        }
        self.started = true;
        news.push(EventKind::Started(StartEvent {
            name: session.name.clone(),
            device: status::device(session).map(Into::into),
            network: session.config.network.kind.label(),
            parameters: status::parameters(session),
            dataset: session.config.dataset_label().to_owned(),
            images: status::images(session).map(Into::into),
            form: session.record.form.clone(),
            memory: session
                .run
                .as_ref()
                .map(|run| run.memory)
                .filter(|&bytes| bytes > 0),
            seed: session.config.seed,
        }));
    }

    fn warnings(&mut self, run: &Run, news: &mut Vec<EventKind>) {
        let fresh = &run.log[known(&self.log, &run.log)..];
        let warnings = fresh.iter().filter(|line| line.warning);
        let mut messages: Vec<String> = warnings.map(|line| line.text.clone()).collect();
        if self.problem != run.problem {
            self.problem.clone_from(&run.problem);
            let unreported = run
                .problem
                .iter()
                .filter(|message| !messages.contains(message));
            messages.extend(unreported.cloned().collect::<Vec<_>>());
        }
        self.log.clone_from(&run.log);
        news.extend(
            messages
                .into_iter()
                .map(|message| EventKind::Warning { message }),
        );
    }

    /// Remarks about images and network.
    fn notes(&mut self, run: &Run, news: &mut Vec<EventKind>) {
        if self.style == Style::Plain {
            let fresh = run.notes.iter().skip(self.notes).cloned();
            news.extend(fresh.map(|message| EventKind::Note { message }));
        }
        self.notes = run.notes.len();
    }

    fn epochs(&mut self, session: &Session, news: &mut Vec<EventKind>) {
        let Some(training) = &session.record.training else {
            return;
        };
        let stages = session.run.iter().flat_map(|run| &run.stages);
        let stage = stages.into_iter().find(|stage| stage.name == TRAINING);
        for epoch in training.epochs.iter().skip(self.epochs) {
            news.push(EventKind::Epoch(epoch_event(epoch, stage)));
        }
        self.epochs = training.epochs.len();
    }

    fn progress(&mut self, run: &Run, now_s: f64, news: &mut Vec<EventKind>) {
        self.stages.resize(run.stages.len(), None);
        let epoch_reported = self.style == Style::Plain
            && news.iter().any(|what| matches!(what, EventKind::Epoch(_)));
        if epoch_reported {
            self.progress_s = now_s;
        }
        self.reading(run, now_s, news);
        for (i, stage) in run.stages.iter().enumerate() {
            let reported = self.stages[i].as_ref();
            let last = stage.finished || run.phase.is_over();
            let due = if last {
                // A stage on which this engine spent no time was done before.
                stage.seconds > 0.0 && reported.is_none_or(|reported| reported.done != stage.done)
            } else {
                run.phase == Phase::Working(i)
                    && now_s - self.progress_s >= self.style.interval_s()
                    && reported != Some(stage)
            };
            if due {
                self.progress_s = now_s;
                self.stages[i] = Some(stage.clone());
                news.push(EventKind::Progress(ProgressEvent {
                    stage: stage.name.clone(),
                    done: stage.done,
                    total: stage.total,
                    per_second: finite(stage.per_second),
                    eta_s: finite(stage.eta_s),
                    unit: stage.unit.clone(),
                }));
            }
        }
    }

    /// Progress of reading pictures, before the first stage.
    fn reading(&mut self, run: &Run, now_s: f64, news: &mut Vec<EventKind>) {
        let Some((done, total)) = run.reading else {
            return;
        };
        if now_s - self.progress_s >= self.style.interval_s() {
            self.progress_s = now_s;
            news.push(EventKind::Progress(ProgressEvent {
                stage: READING.into(),
                done,
                total,
                per_second: None,
                eta_s: None,
                unit: "pictures".into(),
            }));
        }
    }

    fn results(&mut self, session: &Session, news: &mut Vec<EventKind>) {
        if let Some(training) = session
            .record
            .training
            .as_ref()
            .filter(|training| training.finished)
            && !self.trained
        {
            self.trained = true;
            news.push(EventKind::Result(StageResult::Training {
                test_accuracy: training.test_accuracy,
                at_chance: training.at_chance,
                best_epoch: training.best_epoch,
                parameters: training.parameters,
            }));
        }
        for (place, trials) in complete(session) {
            if self.gammas.insert(place) {
                news.push(EventKind::Result(outcome(session, trials)));
            }
        }
        for index in others_done(session) {
            if self.analyses.insert(index) {
                news.push(EventKind::Result(StageResult::Analysis {
                    stage: session.config.analyses[index].label().into(),
                    summary: headline(session, index + 1).parts,
                }));
            }
        }
    }

    fn checkpoint(&mut self, run: &Run, news: &mut Vec<EventKind>) {
        if let Some(checkpoint) = &run.checkpoint
            && self.checkpoint.as_ref() != Some(checkpoint)
        {
            self.checkpoint = Some(checkpoint.clone());
            news.push(EventKind::Checkpoint {
                path: self.path.clone(),
                bytes: checkpoint.bytes,
            });
        }
    }

    fn pauses(&mut self, run: &Run, news: &mut Vec<EventKind>) {
        let paused = matches!(run.phase, Phase::Paused(_));
        if self.style == Style::Plain && paused != self.paused && !run.phase.is_over() {
            news.push(if paused {
                EventKind::Paused
            } else {
                EventKind::Continued
            });
        }
        self.paused = paused;
    }

    fn end(&mut self, session: &Session, news: &mut Vec<EventKind>) {
        let name = &session.name;
        self.over = true;
        news.push(match status::state(session) {
            SavedState::New | SavedState::Stopped => EventKind::Stopped {
                message: match (&session.record.sharding, &session.record.shard) {
                    (Some(sharding), _) => {
                        let count = u64::from(sharding.count);
                        let shards = counted(count, "shard continues", "shards continue");
                        format!("its {shards} with the network")
                    }
                    (None, Some(shard)) => format!(
                        "resume: noisescope run {} --shard {}/{}",
                        session_of_shard(name),
                        shard.index,
                        shard.count
                    ),
                    (None, None) => format!("resume: noisescope run {name}"),
                },
            },
            SavedState::Running => EventKind::Failed {
                message: format!(
                    "the engine ended unexpectedly; resume from the last checkpoint: \
                     noisescope run {name}"
                ),
            },
            SavedState::Finished => EventKind::Finished {
                message: format!("view it: noisescope attach {name}"),
            },
            SavedState::Failed(message) => EventKind::Failed { message },
        });
    }
}

#[cfg(test)]
mod tests;
