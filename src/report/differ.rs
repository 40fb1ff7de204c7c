//! What is new in a session since it was last looked at. Pure: sessions in, events out.

use std::collections::BTreeSet;
use std::path::Path;

use super::event::{Epoch, Event, Outcome, Progress, Started, What};
use super::{Style, status};
use crate::figure::headline::headline;
use crate::figure::names;
use crate::session::config::Analysis as Plan;
use crate::session::config::Response;
use crate::session::record::{self, Analysis, GammaTrials, State};
use crate::session::run::{Checkpoint, LogLine, Phase, Stage};
use crate::session::store::whole_of;
use crate::session::{Run, Session};

/// Name of the stage that trains the network.
const TRAINING: &str = "training";

/// What is told as a stage while pictures are read.
const READING: &str = "reading images";

/// Remembers what has been told of a run.
///
/// What the session holds when it is first seen counts as told: a resumed run begins with what is
/// new. Results of stages that end, and the last word of the run, are always told.
#[derive(Debug)]
pub struct Differ {
    style: Style,
    path: String,
    /// Whether no engine runs: then all that the session holds is new.
    document: bool,
    /// Whether a session has been seen.
    begun: bool,
    started: bool,
    epochs: usize,
    trained: bool,
    /// Analysis and γ by index, once all trials are done.
    gammas: BTreeSet<(usize, usize)>,
    /// Other analyses by index, once they are done.
    analyses: BTreeSet<usize>,
    /// When progress was last told, and what; one entry a stage.
    progress_s: f64,
    stages: Vec<Option<Stage>>,
    checkpoint: Option<Checkpoint>,
    problem: Option<String>,
    log: Vec<LogLine>,
    /// How many notes have been told.
    notes: usize,
    paused: bool,
    over: bool,
}

impl Differ {
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

    /// For a session that no engine runs: everything in it is new.
    pub fn of_a_document(style: Style, path: &Path) -> Self {
        Self {
            document: true,
            ..Self::new(style, path)
        }
    }

    /// Whether the run's last word has been told.
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
                .map_or(0, |it| it.epochs.len());
            self.trained = session
                .record
                .training
                .as_ref()
                .is_some_and(|it| it.finished);
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
            .map(|what| Event { t: now_s, what })
            .collect()
    }

    /// The last word on a session whose engine has gone, or that never had one.
    pub fn last(&mut self, session: &Session, now_s: f64) -> Vec<Event> {
        let mut events = self.lines(session, now_s);
        if !self.over {
            let mut news = Vec::new();
            self.end(session, &mut news);
            events.extend(news.into_iter().map(|what| Event { t: now_s, what }));
        }
        events
    }

    fn start(&mut self, session: &Session, news: &mut Vec<What>) {
        let ready = match &session.run {
            Some(run) => run.phase != Phase::Starting,
            None => self.document,
        };
        if self.started || !ready {
            return;
        }
        self.started = true;
        news.push(What::Started(Started {
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

    fn warnings(&mut self, run: &Run, news: &mut Vec<What>) {
        let fresh = &run.log[known(&self.log, &run.log)..];
        let warnings = fresh.iter().filter(|line| line.warning);
        let mut messages: Vec<String> = warnings.map(|line| line.text.clone()).collect();
        if self.problem != run.problem {
            self.problem.clone_from(&run.problem);
            let untold = run.problem.iter().filter(|it| !messages.contains(it));
            messages.extend(untold.cloned().collect::<Vec<_>>());
        }
        self.log.clone_from(&run.log);
        news.extend(
            messages
                .into_iter()
                .map(|message| What::Warning { message }),
        );
    }

    /// What is worth knowing of images and network.
    fn notes(&mut self, run: &Run, news: &mut Vec<What>) {
        if self.style == Style::Plain {
            let fresh = run.notes.iter().skip(self.notes).cloned();
            news.extend(fresh.map(|message| What::Note { message }));
        }
        self.notes = run.notes.len();
    }

    fn epochs(&mut self, session: &Session, news: &mut Vec<What>) {
        let Some(training) = &session.record.training else {
            return;
        };
        let stages = session.run.iter().flat_map(|run| &run.stages);
        let stage = stages.into_iter().find(|stage| stage.name == TRAINING);
        for epoch in training.epochs.iter().skip(self.epochs) {
            news.push(What::Epoch(told_epoch(epoch, stage)));
        }
        self.epochs = training.epochs.len();
    }

    fn progress(&mut self, run: &Run, now_s: f64, news: &mut Vec<What>) {
        self.stages.resize(run.stages.len(), None);
        let an_epoch_says_it =
            self.style == Style::Plain && news.iter().any(|what| matches!(what, What::Epoch(_)));
        if an_epoch_says_it {
            self.progress_s = now_s;
        }
        self.reading(run, now_s, news);
        for (i, stage) in run.stages.iter().enumerate() {
            let told = self.stages[i].as_ref();
            let last = stage.finished || run.phase.is_over();
            let due = if last {
                // A stage without a second of this engine was done before.
                stage.seconds > 0.0 && told.is_none_or(|told| told.done != stage.done)
            } else {
                run.phase == Phase::Working(i)
                    && now_s - self.progress_s >= self.style.interval_s()
                    && told != Some(stage)
            };
            if due {
                self.progress_s = now_s;
                self.stages[i] = Some(stage.clone());
                news.push(What::Progress(Progress {
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

    /// How far the pictures are read, before the first stage.
    fn reading(&mut self, run: &Run, now_s: f64, news: &mut Vec<What>) {
        let Some((done, total)) = run.reading else {
            return;
        };
        if now_s - self.progress_s >= self.style.interval_s() {
            self.progress_s = now_s;
            news.push(What::Progress(Progress {
                stage: READING.into(),
                done,
                total,
                per_second: None,
                eta_s: None,
                unit: "pictures".into(),
            }));
        }
    }

    fn results(&mut self, session: &Session, news: &mut Vec<What>) {
        if let Some(training) = session.record.training.as_ref().filter(|it| it.finished)
            && !self.trained
        {
            self.trained = true;
            news.push(What::Result(Outcome::Training {
                test_accuracy: training.test_accuracy,
                at_chance: training.at_chance,
                best_epoch: training.best_epoch,
                parameters: training.parameters,
            }));
        }
        for (place, gamma) in complete(session) {
            if self.gammas.insert(place) {
                news.push(What::Result(outcome(session, gamma)));
            }
        }
        for index in others_done(session) {
            if self.analyses.insert(index) {
                news.push(What::Result(Outcome::Analysis {
                    stage: session.config.analyses[index].label().into(),
                    summary: headline(session, index + 1).parts,
                }));
            }
        }
    }

    fn checkpoint(&mut self, run: &Run, news: &mut Vec<What>) {
        if let Some(checkpoint) = &run.checkpoint
            && self.checkpoint.as_ref() != Some(checkpoint)
        {
            self.checkpoint = Some(checkpoint.clone());
            news.push(What::Checkpoint {
                path: self.path.clone(),
                bytes: checkpoint.bytes,
            });
        }
    }

    fn pauses(&mut self, run: &Run, news: &mut Vec<What>) {
        let paused = matches!(run.phase, Phase::Paused(_));
        if self.style == Style::Plain && paused != self.paused && !run.phase.is_over() {
            news.push(if paused {
                What::Paused
            } else {
                What::Continued
            });
        }
        self.paused = paused;
    }

    fn end(&mut self, session: &Session, news: &mut Vec<What>) {
        let name = &session.name;
        self.over = true;
        news.push(match status::state(session) {
            State::New | State::Stopped => What::Stopped {
                message: match (&session.record.sharding, &session.record.shard) {
                    (Some(sharding), _) => {
                        format!("its {} shards go on with the network", sharding.count)
                    }
                    (None, Some(shard)) => format!(
                        "go on with: noisescope run {} --shard {}/{}",
                        whole_of(name),
                        shard.index,
                        shard.count
                    ),
                    (None, None) => format!("go on with: noisescope run {name}"),
                },
            },
            State::Running => What::Failed {
                message: format!(
                    "the engine ended without a word; go on from the last checkpoint with: \
                     noisescope run {name}"
                ),
            },
            State::Finished => What::Finished {
                message: format!("look at it with: noisescope attach {name}"),
            },
            State::Failed(message) => What::Failed { message },
        });
    }
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// Every γ whose trials are all done, with its place in the plan.
fn complete(session: &Session) -> impl Iterator<Item = ((usize, usize), &GammaTrials)> {
    let pairs = session.config.analyses.iter().zip(&session.record.analyses);
    pairs.enumerate().flat_map(|(i, pair)| {
        let (plan, gammas) = match pair {
            (Plan::ClassificationImages(plan), Analysis::ClassificationImages(images)) => {
                (Some(plan), images.gammas.as_slice())
            }
            _ => (None, [].as_slice()),
        };
        let done = move |gamma: &GammaTrials| {
            let planned = plan.map_or(0, |plan| plan.trials_at(gamma.gamma));
            gamma.reached || gamma.trials >= planned
        };
        let places = gammas.iter().enumerate();
        places.filter_map(move |(g, gamma)| done(gamma).then_some(((i, g), gamma)))
    })
}

/// Every analysis but classification images that is done, by its place in the plan.
fn others_done(session: &Session) -> impl Iterator<Item = usize> {
    let pairs = session.config.analyses.iter().zip(&session.record.analyses);
    let done = pairs.enumerate().filter(|(_, (plan, record))| {
        !matches!(plan, Plan::ClassificationImages(_)) && record.is_finished(plan)
    });
    done.map(|(index, _)| index)
}

fn outcome(session: &Session, gamma: &GammaTrials) -> Outcome {
    let classes = &gamma.estimate().classes;
    let name = |class| names::of_class(&session.record, class);
    let reliability = |response| -> Vec<Option<f64>> {
        let maps = classes.iter().map(|class| class.image(response));
        maps.map(|map| map?.reliability).collect()
    };
    Outcome::ClassificationImages {
        gamma: gamma.gamma,
        trials: gamma.trials,
        predicted: classes.iter().map(|class| class.called).collect(),
        sufficient: classes.iter().map(|it| it.decision.is_some()).collect(),
        reliability: reliability(Response::Decision),
        evidence_reliability: gamma
            .evidence
            .as_ref()
            .map(|_| reliability(Response::Evidence)),
        listed: classes.iter().filter(|class| class.listed).count(),
        names: (0..classes.len()).map(name).collect(),
    }
}

fn told_epoch(epoch: &record::Epoch, stage: Option<&Stage>) -> Epoch {
    Epoch {
        epoch: epoch.epoch,
        train_loss: epoch.train_loss,
        train_accuracy: epoch.train_accuracy,
        valid_loss: epoch.valid_loss,
        valid_accuracy: epoch.valid_accuracy,
        lr: epoch.lr,
        of: stage.map(|stage| stage.total as usize),
        per_second: stage.and_then(|stage| finite(stage.per_second)),
    }
}

/// How many lines of `new` were already in `old`: a log that drops its oldest lines as it grows.
fn known(old: &[LogLine], new: &[LogLine]) -> usize {
    (0..=old.len())
        .map(|dropped| &old[dropped..])
        .find(|kept| new.starts_with(kept))
        .map_or(0, <[LogLine]>::len)
}

#[cfg(test)]
mod tests;
