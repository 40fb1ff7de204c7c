//! Advancing the analyses, one after another, block by block.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Conductor, RunError, on_device};
use crate::analysis::classification_images::launches::MAX_DEVICE_TRIALS;
use crate::analysis::memory::check_record;
use crate::analysis::{self, DynExperiment, Lab};
use crate::engine::active_run::NextStep;
use crate::engine::answer::WorkerAnswer;
use crate::engine::dealer::Dealer;
use crate::engine::device::OpenDevices;
use crate::engine::pace::{Pace, suspended_during};
use crate::engine::workers::Workers;
use crate::format::duration;
use crate::session::SavedState;
use crate::session::config::Config;
use crate::session::run::Phase;

/// Minimum time between two refreshes of results that need the network (images fed back to it).
const REFRESH: Duration = Duration::from_secs(2);
/// They take at most one part in this many of the time, during which no command is obeyed.
const SELDOM: u32 = 20;
/// Maximum time between two.
const LONGEST_REST: Duration = Duration::from_secs(30 * 60);

/// Longest wait for a worker's answer, before commands are looked at.
const ANSWER: Duration = Duration::from_millis(100);

/// How work on an analysis ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnalysisEnd {
    /// It is finished.
    Done,
    /// The plan was extended: the work left must be determined again.
    Replan,
    /// A command said to stop.
    Stop,
}

/// A phase of an analysis to be advanced.
#[derive(Clone, Copy)]
struct Advance<'a> {
    /// The plan by which it was built.
    config: &'a Config,
    /// Its index in the plan.
    index: usize,
    analysis: &'a Arc<dyn DynExperiment>,
    lab: &'a Lab,
}

impl Conductor {
    /// Advances one analysis until it is finished or a command intervenes.
    pub(super) fn analyse(
        &mut self,
        config: &Config,
        index: usize,
        lab: &Lab,
        opened: &mut OpenDevices,
    ) -> Result<AnalysisEnd, RunError> {
        if self
            .active
            .session
            .record
            .is_done(index, &config.analyses[index])
        {
            // An engine that died right after the last block did not refresh the results.
            let analysis: Arc<dyn DynExperiment> = Arc::from(analysis::build(config, index, lab));
            self.refresh(&analysis, index, lab, opened)?;
            return Ok(AnalysisEnd::Done);
        }
        self.active.run.phase = Phase::Working(index + 1);
        self.active.publish();
        let mut pace = Pace::new();
        let (mut phase, mut last) = (0, 0);
        while phase <= last {
            // Built anew for every phase, since a phase may begin with the results of the one before.
            let mut analysis = analysis::build(config, index, lab);
            let parts = analysis.sequences();
            let record = &self.active.session.record;
            let done = analysis.done(&record.analyses[index]);
            let is_shard = record.shard.is_some();
            // Later phases need the sums of all shards.
            last = match is_shard {
                true => 0,
                false => parts.iter().map(|part| part.phase).max().unwrap_or(0),
            };
            let (parts, done) = match is_shard {
                true => self.shard_blocks(index, parts, &done),
                false => (parts, done),
            };
            let record = &self.active.session.record;
            // Sums on a device are exact only up to this many trials.
            let blocks = opened.seats[0].blocks;
            let most = MAX_DEVICE_TRIALS / (blocks * analysis.trials_of_block()) as u64;
            let mut dealer = Dealer::new(parts, phase, done)
                .at_most(opened.seats.len())
                .in_launches(blocks as u64, most);
            // An analysis with nothing to do is an error that says why, not a success.
            let idle = analysis.sequences().iter().all(|part| part.blocks == 0);
            if !dealer.is_done() || idle {
                let whole = record.clone();
                let record = &mut self.active.session.record.analyses[index];
                let began = on_device(&opened.name, || analysis.begin(phase, lab, &whole, record));
                let record = &mut self.active.session.record;
                let began =
                    began.map(|begun| begun.and_then(|()| check_record(record, config, index)));
                if !matches!(began, Ok(Ok(()))) {
                    record.analyses[index] = whole.analyses[index].clone();
                }
                began??;
                self.open_portion(config, index, &*analysis);
                if idle {
                    return Err(analysis::no_test_images_error(config, index).into());
                }
                let analysis: Arc<dyn DynExperiment> = Arc::from(analysis);
                let part = Advance {
                    config,
                    index,
                    analysis: &analysis,
                    lab,
                };
                match self.advance(part, &mut dealer, opened, &mut pace)? {
                    AnalysisEnd::Done => {}
                    other => return Ok(other),
                }
            }
            phase += 1;
        }
        let name = config.analyses[index].label();
        self.active.run.stages[index + 1].finished = true;
        self.active.log(format!("{name}: done"));
        let _ = self.active.checkpoint(SavedState::Running);
        Ok(AnalysisEnd::Done)
    }

    /// Advances one phase of an analysis until it is finished or a command intervenes.
    fn advance(
        &mut self,
        what: Advance<'_>,
        dealer: &mut Dealer,
        opened: &mut OpenDevices,
        pace: &mut Pace,
    ) -> Result<AnalysisEnd, RunError> {
        let Advance {
            config,
            index,
            analysis,
            lab,
        } = what;
        let mut workers = Workers::start(&opened.seats, analysis, lab)?;
        let (mut refreshed, mut rest) = (Instant::now(), REFRESH);
        let mut course = AnalysisEnd::Done;
        // Whether the workers compute what is no longer planned.
        let mut outdated = false;
        for part in 0..analysis.sequences().len() {
            if analysis.is_complete(&self.active.session.record.analyses[index], part) {
                dealer.end(part);
            }
        }
        while !dealer.is_done() {
            if course == AnalysisEnd::Done {
                deal(dealer, &workers, &**analysis);
            }
            let asked = Instant::now();
            let answer = workers.poll(ANSWER);
            if let Some(time) = suspended_during(ANSWER, asked.elapsed()) {
                pace.pause(time);
                self.active.exclude(time);
                let time = duration(time.as_secs_f64());
                self.active.log(format!("suspended for {time}"));
            }
            match answer {
                WorkerAnswer::Done(..) if outdated => {}
                WorkerAnswer::Done(job, sums, took) => {
                    dealer.adapt_job_length(job, took);
                    let (before, _) = self.progress(index);
                    let record = &mut self.active.session.record.analyses[index];
                    dealer.accept(job, sums);
                    while let Some((job, sums)) = dealer.next_merge(job.sequence) {
                        analysis.merge(record, job, sums);
                        if analysis.is_complete(record, job.sequence) {
                            dealer.end(job.sequence);
                        }
                    }
                    pace.count(self.progress(index).0.saturating_sub(before));
                }
                WorkerAnswer::Note(note) => self.active.warn(note),
                WorkerAnswer::FewerBlocks { device, blocks } => {
                    self.active.warn(format!(
                        "device `{device}` has no memory for as many blocks at once: continuing with {blocks}"
                    ));
                    opened.limit_launch(blocks);
                    self.record_device(opened);
                }
                WorkerAnswer::NotYet => {}
                WorkerAnswer::Idle => break,
                WorkerAnswer::Failed(fault) => return Err(fault.into()),
            }
            if course == AnalysisEnd::Done {
                course = match self.active.obey_holding(&|held| workers.hold(held)) {
                    NextStep::Continue(pause) => {
                        pace.pause(pause);
                        AnalysisEnd::Done
                    }
                    NextStep::Replan => AnalysisEnd::Replan,
                    NextStep::Stop => AnalysisEnd::Stop,
                };
                if course != AnalysisEnd::Done {
                    outdated = is_outdated(config, &self.active.session.config, index);
                    workers.recall();
                }
            }
            self.report(index, pace);
            // What was just added to the session is saved first, since they may take long.
            let is_due = refreshed.elapsed() >= rest && !self.active.checkpoint_is_requested();
            if course == AnalysisEnd::Done && is_due {
                let began = Instant::now();
                self.refresh(analysis, index, lab, opened)?;
                (refreshed, rest) = (Instant::now(), rest_after(began.elapsed()));
            }
            if self.active.checkpoint_is_due() {
                let _ = self.active.checkpoint(SavedState::Running);
            }
        }
        drop(workers);
        if course == AnalysisEnd::Stop && rest > REFRESH {
            // Whoever stops it may not wait for slow results: a scheduler kills it after some seconds.
            let _ = self.active.checkpoint(SavedState::Running);
        }
        self.refresh(analysis, index, lab, opened)?;
        self.report(index, pace);
        Ok(course)
    }

    /// Updates the results that need the network.
    fn refresh(
        &mut self,
        analysis: &Arc<dyn DynExperiment>,
        index: usize,
        lab: &Lab,
        opened: &OpenDevices,
    ) -> Result<(), RunError> {
        let record = &mut self.active.session.record;
        // They need the sums of all shards.
        if record.shard.is_none() {
            let record = &mut record.analyses[index];
            on_device(&opened.name, || analysis.refresh(lab, record))?;
        }
        Ok(())
    }

    /// Work done on an analysis, and its total.
    fn progress(&self, index: usize) -> (u64, u64) {
        let session = &self.active.session;
        let plan = &session.config.analyses[index];
        session.record.progress_of(index, plan)
    }

    /// Updates and publishes the progress of an analysis.
    fn report(&mut self, index: usize, pace: &Pace) {
        let (done, total) = self.progress(index);
        let stage = &mut self.active.run.stages[index + 1];
        (stage.done, stage.total) = (done, total);
        stage.per_second = pace.per_second();
        stage.eta_s = pace.eta_s(total.saturating_sub(done));
        stage.seconds = pace.worked().as_secs_f64();
        let rate = stage.per_second;
        self.update_eta(index + 1);
        self.active.note_rate(rate);
        self.active.publish_if_due();
    }
}

/// How long results are not refreshed after a refresh that took this long: a deep network of a thousand classes takes
/// minutes.
fn rest_after(took: Duration) -> Duration {
    took.saturating_mul(SELDOM).clamp(REFRESH, LONGEST_REST)
}

/// Whether an extension of the plan makes this analysis begin again or end elsewhere. Blocks that are being computed by
/// the earlier plan would not match the record any more, so they are computed again.
pub(super) fn is_outdated(before: &Config, now: &Config, index: usize) -> bool {
    let uses_images = now.analyses[index].needs_classification_images();
    now.analyses[index] != before.analyses[index]
        || (uses_images && now.images_of(index) != before.images_of(index))
}

/// Hands out jobs until enough are waiting.
fn deal(dealer: &mut Dealer, workers: &Workers, analysis: &dyn DynExperiment) {
    while let Some(job) = dealer.peek() {
        let job = dealer.extend_job(job, analysis.milestone(job.sequence, job.block));
        if !workers.offer(job) {
            return;
        }
        dealer.deal(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refreshes_take_a_small_part_of_the_time_however_long_one_takes() {
        assert_eq!(rest_after(Duration::from_millis(10)), REFRESH);
        let slow = Duration::from_secs(60);
        assert!(rest_after(slow) >= 10 * slow);
        assert_eq!(rest_after(Duration::MAX), LONGEST_REST);
    }
}
