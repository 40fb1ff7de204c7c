//! `noisescope submit`: submits a session's shards as Slurm jobs, and another job that merges them. The scripts are kept
//! beside the session.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;

use super::output::print_line;
use super::{CommandError, holder, scheduler, shard};
use crate::engine::device::DeviceChoice;
use crate::engine::inputs::program;
use crate::files::{self, quoted};
use crate::format::counted;
use crate::session::Session;
use crate::session::record::shard::{MAX_SHARDS, is_divided};
use crate::session::store::{Lock, Store, StoreError};

/// Seconds before a job's time limit at which it is sent USR1.
const NOTICE_S: u32 = 120;

/// Which session to submit, and the jobs' resources.
#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// The session
    name: String,
    /// Submit to Slurm, the only scheduler supported
    #[arg(long, required = true)]
    slurm: bool,
    /// Number of shards (default: as it is already divided, else 32)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SHARDS)))]
    shards: Option<u32>,
    /// GPUs per job
    #[arg(long, value_name = "N")]
    gpus: Option<u32>,
    /// Cores per job
    #[arg(long, value_name = "N")]
    cpus: Option<u32>,
    /// Time limit of a job, for example 4:00:00; a job that is not done by then requeues itself
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// The partition
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// What the jobs compute on: auto, cpu, flex, libtorch or cuda:0
    #[arg(long, default_value = "auto")]
    device: String,
    /// Only print the scripts
    #[arg(long)]
    print: bool,
    /// Further options for sbatch, after --
    #[arg(last = true, value_name = "SBATCH OPTIONS")]
    options: Vec<String>,
}

/// Absolute paths that the jobs need.
struct Places {
    program: PathBuf,
    sessions: PathBuf,
    /// `--data`, if given.
    data: Option<PathBuf>,
}

/// Writes the scripts and submits them.
pub fn run(
    store: &Store,
    data: Option<&Path>,
    submit: &SubmitArgs,
) -> Result<ExitCode, CommandError> {
    let name = &submit.name;
    // `--slurm` is required.
    debug_assert!(submit.slurm);
    if let Some(word) = submit.options.first().filter(|word| !word.starts_with('-')) {
        return Err(CommandError::Usage(format!(
            "`{word}` is not an option of sbatch: after --, they begin with a dash, for example: noisescope submit {name} --slurm -- --account=vision"
        )));
    }
    // Whether it exists is known on the node.
    DeviceChoice::from_str(&submit.device)?;
    let mut session = store.load_head(name).or_else(|_| store.load(name))?;
    let divided = session.record.sharding.as_ref();
    let divided = divided.map(|sharding| sharding.count);
    let count = submit.shards.or(divided).unwrap_or(32);
    shard::belongs_to_division(&session, shard::ShardNumber::parse(&format!("1/{count}"))?)?;
    if session.record.sharding.is_none() {
        session
            .divide(count, program())
            .map_err(|error| CommandError::Usage(format!("{name}: {error}")))?;
    }
    let places = places(store, data)?;
    let open = open_shards(store, &session, count)?;
    if open.is_empty() {
        return Err(CommandError::Usage(format!(
            "the shards of {name} are done: noisescope merge {name}"
        )));
    }
    let array = array_script(submit, &places, count, &open);
    let merge = merge_script(submit, &places);
    if submit.print {
        print_line(format_args!("{array}\n{merge}"));
        return Ok(ExitCode::SUCCESS);
    }
    // Without a scheduler, leave the session undivided.
    scheduler::run_program("sbatch", ["--version"]).map_err(|problem| {
        CommandError::Failed(format!("{problem}. To see the scripts: --print"))
    })?;
    let path = |ending: &str| places.sessions.join(format!("{name}{ending}"));
    let (array_path, merge_path) = (path(".sbatch"), path(".merge.sbatch"));
    // Held while the scripts are written: whoever takes it removes what a killed command left of them.
    let mut lock = holder::lock(store, name)?;
    let mut session = lock.load()?;
    for (path, script) in [(&array_path, &array), (&merge_path, &merge)] {
        files::replace(path, script.as_bytes()).map_err(|error| {
            let room = files::room_remedy(&error);
            CommandError::Failed(format!(
                "{} could not be written: {error}{room}",
                path.display()
            ))
        })?;
    }
    let is_new = session.record.sharding.is_none();
    if is_new {
        session
            .divide(count, program())
            .map_err(|error| CommandError::Usage(format!("{name}: {error}")))?;
    }
    // Before any job can start, and also if it was divided before: once there are jobs, it must be possible to record them.
    lock.save(&session)?;
    let submit_job = |words: Vec<std::ffi::OsString>| scheduler::run_program("sbatch", words);
    let number = |output: String| scheduler::job_number(&output).map(str::to_owned);
    let shards = submit_job(vec!["--parsable".into(), array_path.clone().into()]);
    if shards.is_err() && is_new {
        // Nothing runs, so it can still be run as a whole or divided otherwise.
        session.record.sharding = None;
        lock.save(&session)?;
    }
    let shards = shards.and_then(number).map_err(CommandError::Failed)?;
    record_job(&mut lock, &mut session, &shards).map_err(|error| {
        CommandError::Failed(format!(
            "job {shards} runs the shards of {name}, but that could not be recorded, so no job will merge them and \
             `noisescope stop {name}` does not cancel it: {error}. To cancel it: scancel {shards}. To keep it, once the \
             shards are done: noisescope merge {name}"
        ))
    })?;
    let after = format!("--dependency=afterany:{shards}");
    let merging = submit_job(vec![
        "--parsable".into(),
        after.into(),
        merge_path.clone().into(),
    ]);
    let merging = merging.and_then(number).map_err(|problem| {
        CommandError::Failed(format!(
            "job {shards} runs the shards of {name}, but no job will merge them: {problem}. Once they are done: noisescope merge {name}"
        ))
    })?;
    record_job(&mut lock, &mut session, &merging).map_err(|error| {
        CommandError::Failed(format!(
            "job {shards} runs the shards of {name} and job {merging} merges them, but the second one could not be \
             recorded, so `noisescope stop {name}` does not cancel it: {error}. To cancel it: scancel {merging}"
        ))
    })?;
    print_line(format_args!(
        "{name}: job {shards} runs {}, job {merging} merges them and runs the remaining analyses.\nScripts: {} and {}\nView: noisescope attach {name}   Stop: noisescope stop {name}",
        match open.len() {
            all if all == count as usize => counted(all as u64, "shard", "shards"),
            some => format!("the {some} of {count} shards that are not done"),
        },
        array_path.display(),
        merge_path.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Records a submitted job in the session, so that the session can be stopped.
fn record_job(lock: &mut Lock, session: &mut Session, job: &str) -> Result<(), StoreError> {
    if let Some(sharding) = &mut session.record.sharding {
        sharding.jobs.push(job.to_owned());
    }
    lock.save(session).map(drop)
}

fn places(store: &Store, data: Option<&Path>) -> Result<Places, CommandError> {
    let whole = |path: &Path| {
        std::path::absolute(path)
            .map_err(|error| CommandError::Failed(format!("{}: {error}", path.display())))
    };
    Ok(Places {
        program: std::env::current_exe().map_err(CommandError::failed)?,
        sessions: whole(store.folder())?,
        data: data.map(whole).transpose()?,
    })
}

/// The shards that are not done.
fn open_shards(store: &Store, session: &Session, count: u32) -> Result<Vec<u32>, CommandError> {
    let mut open: Vec<u32> = (1..=count).collect();
    for file in store.shards(&session.name, count)? {
        let shard = store.load_head(&file.name)?;
        if session.has_merged(&shard) {
            continue;
        }
        let mut plans = shard.config.analyses.iter().enumerate();
        if plans.all(|(at, plan)| !is_divided(plan) || shard.record.is_done(at, plan)) {
            open.retain(|&index| index != file.index);
        }
    }
    Ok(open)
}

/// Numbers in Slurm's notation: `1-4,7`.
fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let words = runs.map(|run| match run {
        [only] => only.to_string(),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    });
    words.collect::<Vec<_>>().join(",")
}

/// A path quoted for an `#SBATCH` option, with Slurm's `%` patterns escaped.
fn in_option(path: &Path) -> String {
    in_quotes(&path.display().to_string().replace('%', "%%"))
}

/// A word in quotation marks, as Slurm reads it in an `#SBATCH` line.
fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A word of the user's for an `#SBATCH` line, in which Slurm ends words at spaces and lines at `#`.
fn option_word(word: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !"#\"'\\".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => in_quotes(word),
    }
}

/// Whether an option of sbatch, without its value if that is a word of its own, says which tasks an array has.
fn sets_array(option: &str) -> bool {
    let is_short = option.starts_with("-a");
    is_short || option == "--array" || option.starts_with("--array=")
}

impl SubmitArgs {
    /// The options of every job, followed by the user's: of these, `--array` is for the shards alone.
    fn common(&self, is_array: bool) -> String {
        let mut text = String::from("#SBATCH --requeue\n#SBATCH --open-mode=append\n");
        text += &format!("#SBATCH --signal=B:USR1@{NOTICE_S}\n");
        let optional = [
            ("time", self.time.clone()),
            ("partition", self.partition.clone()),
            ("gpus", self.gpus.map(|count| count.to_string())),
            ("cpus-per-task", self.cpus.map(|count| count.to_string())),
        ];
        for (option, value) in optional {
            if let Some(value) = value {
                let word = option_word(&format!("--{option}={value}"));
                text += &format!("#SBATCH {word}\n");
            }
        }
        let mut extra = String::new();
        // An option, and the words that are its value.
        let options = self.options.chunk_by(|_, next| !next.starts_with('-'));
        let is_of_array = |words: &[String]| words.first().is_some_and(|word| sets_array(word));
        for words in options.filter(|words| is_array || !is_of_array(words)) {
            extra += "\n#SBATCH";
            for word in words {
                extra += " ";
                extra += &option_word(word);
            }
        }
        text + extra.trim_start() + if extra.is_empty() { "" } else { "\n" }
    }

    fn program(&self, places: &Places) -> String {
        let data = places.data.as_ref();
        let data = data.map_or_else(String::new, |data| format!(" --data {}", quoted(data)));
        let (program, sessions) = (quoted(&places.program), quoted(&places.sessions));
        format!("{program} --sessions {sessions}{data}")
    }
}

fn array_script(submit: &SubmitArgs, places: &Places, count: u32, open: &[u32]) -> String {
    let name = &submit.name;
    let log = places.sessions.join(format!("{name}.shard"));
    let log = in_option(&log);
    let log = log.trim_matches('"');
    format!(
        "#!/bin/bash
# The {count} shards of {name}, one task each. A task that is not done when its time is up, or whose node fails, is
# requeued automatically. To run one again: sbatch --array=NUMBER {file}
#SBATCH --job-name={name}
#SBATCH --array={array}
#SBATCH --output=\"{log}-%a.out\"
{common}exec {program} run {name} --shard \"$SLURM_ARRAY_TASK_ID/{count}\" --plain --requeue --device {device}
",
        file = quoted(places.sessions.join(format!("{name}.sbatch"))),
        array = ranges(open),
        common = submit.common(true),
        program = submit.program(places),
        device = submit.device,
    )
}

fn merge_script(submit: &SubmitArgs, places: &Places) -> String {
    let name = &submit.name;
    format!(
        "#!/bin/bash
# Merges the shards of {name} and runs the remaining analyses. If a shard is missing, it exits with code 3 and writes
# nothing: run that shard again, then this.
#SBATCH --job-name={name}-merge
#SBATCH --output={log}
{common}trap '' USR1
{program} merge {name} && exec {program} run {name} --plain --requeue --device {device}
",
        log = in_option(&places.sessions.join(format!("{name}.merge.out"))),
        common = submit.common(false),
        program = submit.program(places),
        device = submit.device,
    )
}

#[cfg(test)]
mod tests;
