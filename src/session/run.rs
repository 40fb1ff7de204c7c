//! How a run goes at this moment: what the engine says beside the record. Never stored.

use serde::{Deserialize, Serialize};

/// The engine's word on the run, made anew a few times a second.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What the engine is doing.
    pub phase: Phase,
    /// The device, as a person would name it, for example `flex · 2 workers`.
    pub device: String,
    /// How its GPUs are doing, for example `71 % 38 GB 64 °C`; `None` without, or where nobody knows.
    pub gpu: Option<String>,
    /// Where the images came from, for example `embedded` or `full set`.
    pub images: String,
    /// What a person should know of images and network, oldest first.
    pub notes: Vec<String>,
    /// Pictures read, and pictures in all, while many are being read.
    pub reading: Option<(u64, u64)>,
    /// Parameters of the network; 0 until it has been built.
    pub parameters: usize,
    /// Bytes of memory that the plan takes, an estimate; 0 until the images have been opened.
    pub memory: u64,
    /// Every stage of the plan, training first, in the order in which they run.
    pub stages: Vec<Stage>,
    /// Trials or images per second over the last seconds, oldest first; at most [`RATES`].
    pub rates: Vec<f32>,
    /// What happened, oldest first; at most [`LOG_LINES`].
    pub log: Vec<LogLine>,
    /// The last checkpoint that this engine wrote.
    pub checkpoint: Option<Checkpoint>,
    /// Something that a person should mend while the run goes on, for example a full disk.
    pub problem: Option<String>,
    /// Seconds since this engine started.
    pub up_s: f64,
    /// Seconds until the whole plan is done; `None` until it is worth believing.
    pub eta_s: Option<f64>,
    /// When this was said, in seconds since the Unix epoch; 0 where nobody said.
    pub at: i64,
    /// Of a session that is divided, watched from the files of its shards: each of them, by number. Else empty.
    pub shards: Vec<ShardState>,
}

/// What is known of a shard from its files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ShardState {
    /// Which, from 1.
    pub index: u32,
    /// How it stands.
    pub standing: ShardStanding,
    /// Trials of its own done and to do.
    pub done: u64,
    /// Those to do.
    pub total: u64,
    /// Of each analysis, in the unit of its plan: what it has done, and what all shards have to do together; 0 where
    /// that is not known yet.
    pub stages: Vec<(u64, u64)>,
    /// Trials a second; `None` until measured, and where it is not at work.
    pub per_second: Option<f64>,
    /// Seconds left; `None` until they are worth believing.
    pub eta_s: Option<f64>,
    /// The machine.
    pub node: String,
    /// What it computes on.
    pub device: String,
    /// The scheduler's job.
    pub job: Option<String>,
    /// Seconds since its last checkpoint, by the clock of the file system.
    pub saved_s: Option<f64>,
    /// What a person should know of it.
    pub note: Option<String>,
}

/// How a shard stands, the most urgent first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ShardStanding {
    /// It could not go on, or its file is none of this session's.
    Failed,
    /// Its engine is gone in the middle of the work.
    Died,
    /// Its engine lives, and has written no checkpoint for long.
    Stalled,
    /// Stopped after a checkpoint.
    Stopped,
    /// At work.
    Working,
    /// Its engine has begun, and waits for the network or reads images.
    Waiting,
    /// Nobody has begun it.
    #[default]
    NotBegun,
    /// All of it is done.
    Done,
}

impl ShardStanding {
    /// Every one, the most urgent first.
    pub const ALL: [Self; 8] = [
        Self::Failed,
        Self::Died,
        Self::Stalled,
        Self::Stopped,
        Self::Working,
        Self::Waiting,
        Self::NotBegun,
        Self::Done,
    ];

    /// In a word or two.
    pub fn label(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Died => "died",
            Self::Stalled => "stalled",
            Self::Stopped => "stopped",
            Self::Working => "at work",
            Self::Waiting => "starting",
            Self::NotBegun => "not begun",
            Self::Done => "done",
        }
    }

    /// Whether an engine is there.
    pub fn is_at_work(self) -> bool {
        matches!(self, Self::Stalled | Self::Working | Self::Waiting)
    }

    /// Whether somebody should look after it.
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Failed | Self::Died | Self::Stalled)
    }
}

/// How many shards stand how, in words: `3 at work, 1 done`.
pub fn shards_in_words(shards: &[ShardState]) -> String {
    let of = |standing: ShardStanding| {
        let own = shards.iter().filter(|it| it.standing == standing).count();
        (own > 0).then(|| format!("{own} {}", standing.label()))
    };
    let words: Vec<String> = ShardStanding::ALL.into_iter().filter_map(of).collect();
    words.join(", ")
}

/// Most values kept in [`Run::rates`].
pub const RATES: usize = 120;
/// Most lines kept in [`Run::log`].
pub const LOG_LINES: usize = 200;

/// What the engine is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Reading images, building the network.
    #[default]
    Starting,
    /// Advancing the stage of this index in [`Run::stages`].
    Working(usize),
    /// Waiting at a person's word, in the stage of this index.
    Paused(usize),
    /// Finishing the block and writing the last checkpoint.
    Stopping,
    /// Ended before the plan was done; the file can go on.
    Stopped,
    /// Everything in the plan is done.
    Finished,
    /// Could not go on: the message.
    Failed(String),
}

impl Phase {
    /// Whether the engine has ended, whatever way.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Stopped | Self::Finished | Self::Failed(_))
    }
}

/// One stage of the plan and how far it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// For example `training` or `classification images`.
    pub name: String,
    /// What is counted: `epochs` or `trials`.
    pub unit: String,
    /// How many are done.
    pub done: u64,
    /// How many there will be at most.
    pub total: u64,
    /// Whether the stage is complete (training may stop early, before `total`).
    pub finished: bool,
    /// Trials (in training: images) per second of this run; `None` until measured.
    pub per_second: Option<f64>,
    /// Seconds left; `None` until it is worth believing.
    pub eta_s: Option<f64>,
    /// Seconds spent on it by this engine.
    pub seconds: f64,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Seconds since the Unix epoch.
    pub at: i64,
    /// What happened.
    pub text: String,
    /// Whether it needs a person.
    pub warning: bool,
}

/// A checkpoint that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Seconds since the Unix epoch.
    pub at: i64,
    /// Size of the file.
    pub bytes: u64,
    /// Milliseconds that encoding and writing took.
    pub millis: f64,
}
