//! The live status of a run, sent by the engine beside the record and never stored.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// The engine's status of the run, updated a few times a second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The current activity.
    pub phase: Phase,
    /// The device as shown to the user, for example `flex · 2 workers`.
    pub device: String,
    /// GPU status, for example `71 % 38 GB 64 °C`; `None` without GPUs, or if it is unknown.
    pub gpu: Option<String>,
    /// Where the images came from, for example `embedded` or `full set`.
    pub images: String,
    /// Remarks for the user about images and network, oldest first.
    pub notes: Vec<String>,
    /// Pictures read and pictures in total, while many are being read.
    pub reading: Option<(u64, u64)>,
    /// Parameters of the network; 0 until it has been built.
    pub parameters: usize,
    /// Estimated memory for the plan, in bytes; 0 until the images have been opened.
    pub memory: u64,
    /// Every stage of the plan, in the order in which they run, training first.
    pub stages: Vec<Stage>,
    /// Trials or images per second over the last seconds, oldest first; at most [`RATES`].
    pub rates: Vec<f32>,
    /// Log lines, oldest first; at most [`LOG_LINES`].
    pub log: Vec<LogLine>,
    /// The last checkpoint that this engine wrote.
    pub checkpoint: Option<Checkpoint>,
    /// A problem that the user should fix while the run continues, for example a full disk.
    pub problem: Option<String>,
    /// Seconds since this engine started.
    pub up_s: f64,
    /// Seconds until the whole plan is done; `None` until the estimate is reliable.
    pub eta_s: Option<f64>,
    /// When this status was sent, in seconds since the Unix epoch; 0 if it was not sent.
    pub at: i64,
    /// For a divided session, observed through its shards' files: every shard, by number. Otherwise
    /// empty.
    pub shards: Vec<ShardState>,
}

/// A shard's status, determined from its files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShardState {
    /// Its number, from 1.
    pub index: u32,
    /// Its state.
    pub standing: ShardStatus,
    /// Trials done in its portion.
    pub done: u64,
    /// Trials in its portion.
    pub total: u64,
    /// For each analysis, in the unit of its plan: the work done by this shard, and the work of all
    /// shards together; 0 until that is known.
    pub stages: Vec<(u64, u64)>,
    /// Trials per second; `None` until measured, and if it is not running.
    pub per_second: Option<f64>,
    /// Seconds left; `None` until the estimate is reliable.
    pub eta_s: Option<f64>,
    /// The machine it runs on.
    pub node: String,
    /// The device it computes on.
    pub device: String,
    /// Its scheduler job.
    pub job: Option<String>,
    /// Seconds since its last checkpoint, by the file system's clock.
    pub saved_s: Option<f64>,
    /// A remark for the user.
    pub note: Option<String>,
}

/// The state of a shard, most urgent first.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename = "ShardStanding")]
pub enum ShardStatus {
    /// It failed, or its file does not belong to this session.
    #[strum(serialize = "failed")]
    Failed,
    /// Its engine died while working.
    #[strum(serialize = "died")]
    Died,
    /// Its engine is alive but has not written a checkpoint for a long time.
    #[strum(serialize = "stalled")]
    Stalled,
    /// Stopped after a checkpoint.
    #[strum(serialize = "stopped")]
    Stopped,
    /// Working.
    #[strum(serialize = "running")]
    Working,
    /// Its engine has started, and waits for the network or reads images.
    #[strum(serialize = "starting")]
    Waiting,
    /// No engine has started it.
    #[default]
    #[strum(serialize = "not started")]
    NotBegun,
    /// Complete.
    #[strum(serialize = "done")]
    Done,
}

impl ShardStatus {
    /// Every state, most urgent first.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// A short label.
    pub fn label(self) -> &'static str {
        self.into()
    }

    /// Whether an engine is running it.
    pub fn is_at_work(self) -> bool {
        matches!(self, Self::Stalled | Self::Working | Self::Waiting)
    }

    /// Whether the user should look at it.
    pub fn needs_attention(self) -> bool {
        matches!(self, Self::Failed | Self::Died | Self::Stalled)
    }
}

/// The number of shards in each state: `3 running, 1 done`.
pub fn shards_in_words(shards: &[ShardState]) -> String {
    let count = |standing: ShardStatus| {
        let shards = shards.iter().filter(|shard| shard.standing == standing);
        let number = shards.count();
        (number > 0).then(|| format!("{number} {}", standing.label()))
    };
    let words: Vec<String> = ShardStatus::ALL.iter().copied().filter_map(count).collect();
    words.join(", ")
}

/// Maximum number of values in [`Run::rates`].
pub const RATES: usize = 120;
/// Maximum number of lines in [`Run::log`].
pub const LOG_LINES: usize = 200;

/// The engine's current activity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Reading images, building the network.
    #[default]
    Starting,
    /// Advancing the stage with this index in [`Run::stages`].
    Working(usize),
    /// Paused by the user, in the stage with this index.
    Paused(usize),
    /// Finishing the block and writing the last checkpoint.
    Stopping,
    /// Ended before the plan was done; the run can be resumed.
    Stopped,
    /// Everything in the plan is done.
    Finished,
    /// Failed: the message.
    Failed(String),
}

impl Phase {
    /// Whether the engine has ended, for whatever reason.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Stopped | Self::Finished | Self::Failed(_))
    }

    /// The index of the stage in progress, or paused.
    pub fn stage(&self) -> Option<usize> {
        match self {
            Self::Working(stage) | Self::Paused(stage) => Some(*stage),
            _ => None,
        }
    }
}

/// One stage of the plan and its progress.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name, for example `training` or `classification images`.
    pub name: String,
    /// The unit counted, for example `epochs` or `trials`.
    pub unit: String,
    /// Number done.
    pub done: u64,
    /// Maximum number.
    pub total: u64,
    /// Whether the stage is complete (training may stop early, before `total`).
    pub finished: bool,
    /// Trials (in training: images) per second in this run; `None` until measured.
    pub per_second: Option<f64>,
    /// Seconds left; `None` until the estimate is reliable.
    pub eta_s: Option<f64>,
    /// Seconds that this engine has spent on it.
    pub seconds: f64,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Seconds since the Unix epoch.
    pub at: i64,
    /// The message.
    pub text: String,
    /// Whether the user should act on it.
    pub warning: bool,
}

/// A checkpoint that has been written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Seconds since the Unix epoch.
    pub at: i64,
    /// Size of the file.
    pub bytes: u64,
    /// Milliseconds spent on encoding and writing.
    pub millis: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_at_work_or_paused_is_in_a_stage() {
        for phase in [Phase::Working(3), Phase::Paused(3)] {
            assert_eq!((phase.stage(), phase.is_over()), (Some(3), false));
        }
        assert_eq!(
            (Phase::Stopping.stage(), Phase::Stopping.is_over()),
            (None, false)
        );
        for phase in [Phase::Stopped, Phase::Finished, Phase::Failed("why".into())] {
            assert_eq!((phase.stage(), phase.is_over()), (None, true));
        }
    }

    #[test]
    fn shards_are_counted_by_status_the_most_urgent_first() {
        let shards = |all: &[ShardStatus]| -> Vec<ShardState> {
            let state = |&standing: &ShardStatus| ShardState {
                standing,
                ..ShardState::default()
            };
            all.iter().map(state).collect()
        };
        let some = shards(&[
            ShardStatus::Done,
            ShardStatus::Working,
            ShardStatus::NotBegun,
            ShardStatus::Done,
            ShardStatus::Failed,
            ShardStatus::Done,
        ]);
        assert_eq!(
            shards_in_words(&some),
            "1 failed, 1 running, 1 not started, 3 done"
        );
        assert_eq!(shards_in_words(&[]), "");
        assert_eq!(ShardStatus::Waiting.label(), "starting");
    }

    #[test]
    fn a_stalled_shard_is_at_work_and_needs_attention() {
        let of = |is: fn(ShardStatus) -> bool| -> Vec<ShardStatus> {
            let all = ShardStatus::ALL.iter().copied();
            all.filter(|&status| is(status)).collect()
        };
        assert_eq!(
            of(ShardStatus::is_at_work),
            [
                ShardStatus::Stalled,
                ShardStatus::Working,
                ShardStatus::Waiting
            ]
        );
        assert_eq!(
            of(ShardStatus::needs_attention),
            [ShardStatus::Failed, ShardStatus::Died, ShardStatus::Stalled]
        );
    }

    #[test]
    fn an_engine_has_ended_once_it_stopped_finished_or_failed() {
        let ended = [
            Phase::Stopped,
            Phase::Finished,
            Phase::Failed("no images".into()),
        ];
        assert!(ended.iter().all(Phase::is_over));
        let others = [
            Phase::Starting,
            Phase::Working(1),
            Phase::Paused(1),
            Phase::Stopping,
        ];
        assert!(!others.iter().any(Phase::is_over));
    }
}
