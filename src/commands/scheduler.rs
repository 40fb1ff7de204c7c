//! What a scheduler says to the jobs that it starts, and what a job asks of it: Slurm, and Kubernetes' indexed jobs.

use std::ffi::OsStr;
use std::process::Command;

use super::Refusal;
use super::say::say;

/// Which shard a job is, from 1, and of how many, by what its scheduler tells it in the environment.
///
/// # Errors
/// Where nothing is told, or no numbers are.
pub fn shard() -> Result<(u32, u32), Refusal> {
    shard_by(&|name| std::env::var(name).ok())
}

fn shard_by(told: &dyn Fn(&str) -> Option<String>) -> Result<(u32, u32), Refusal> {
    let number = |name: &str| -> Result<Option<u32>, Refusal> {
        let Some(text) = told(name) else {
            return Ok(None);
        };
        let wrong = || {
            Refusal::Usage(format!(
                "--shard auto: {name} is `{text}`, where a number belongs"
            ))
        };
        text.trim().parse().map(Some).map_err(|_| wrong())
    };
    if let (Some(id), Some(count)) = (
        number("SLURM_ARRAY_TASK_ID")?,
        number("SLURM_ARRAY_TASK_COUNT")?,
    ) {
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        return Ok((id.saturating_sub(first) / step + 1, count));
    }
    for (own, all) in [
        ("SLURM_PROCID", "SLURM_NTASKS"),
        ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"),
    ] {
        if let (Some(index), Some(count)) = (number(own)?, number(all)?) {
            return Ok((index.saturating_add(1), count));
        }
    }
    Err(Refusal::Usage(
        "--shard auto: no scheduler says which this is; looked for SLURM_ARRAY_TASK_ID with SLURM_ARRAY_TASK_COUNT, SLURM_PROCID with SLURM_NTASKS, and JOB_COMPLETION_INDEX with JOB_COMPLETIONS. Say it: --shard 1/4".into(),
    ))
}

/// This job, as its scheduler calls it: `1234_7` of an array, else `1234`; `None` outside of one.
pub fn job() -> Option<String> {
    job_by(&|name| std::env::var(name).ok())
}

fn job_by(told: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    // The job's own id may be that of the whole array.
    match (told("SLURM_ARRAY_JOB_ID"), told("SLURM_ARRAY_TASK_ID")) {
        (Some(array), Some(task)) => Some(format!("{array}_{task}")),
        _ => told("SLURM_JOB_ID"),
    }
}

/// The cores that the scheduler gave to this task; `None` where it does not say.
pub fn cores() -> Option<usize> {
    let number = |name: &str| std::env::var(name).ok()?.trim().parse::<usize>().ok();
    let alone = number("SLURM_NTASKS").is_none_or(|tasks| tasks == 1);
    let on_node = || number("SLURM_CPUS_ON_NODE").filter(|_| alone);
    let cores = number("SLURM_CPUS_PER_TASK").or_else(on_node);
    cores.filter(|&cores| cores > 0)
}

/// Asks Slurm for this job's place in the queue again: this task alone, never the whole array.
///
/// # Errors
/// Where this is no job, or Slurm refuses.
pub fn requeue() -> Result<(), Refusal> {
    let Some(job) = job() else {
        return Err(Refusal::Failed(
            "--requeue: this is no job of Slurm (SLURM_JOB_ID is not set), so nothing asks for it again; what was done is saved".into(),
        ));
    };
    say(format_args!(
        "saved; {job} asks for its place in the queue again"
    ));
    ask("scontrol", ["requeue", &job])
        .map(drop)
        .map_err(|problem| {
            Refusal::Failed(format!(
                "{problem}. What was done is saved; submit it again to go on"
            ))
        })
}

/// Runs a program of the scheduler, and gives what it says.
///
/// # Errors
/// What it complains of, in a sentence without its end.
pub fn ask(
    program: &str,
    words: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<String, String> {
    let ran = Command::new(program).args(words).output();
    let output = ran.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("there is no {program} here: Slurm's programs are on its login nodes")
        }
        _ => format!("cannot run {program}: {error}"),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().lines().collect::<Vec<_>>().join("; ");
    Err(format!("{program} refused ({}): {said}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<'a>(all: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let found = all.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn a_task_of_an_array_is_one_shard_whatever_the_array_begins_with() {
        let array = |id, min, step| {
            shard_by(&told(&[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", "4"),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_STEP", step),
                ("SLURM_PROCID", "0"),
                ("SLURM_NTASKS", "1"),
            ]))
            .unwrap()
        };
        assert_eq!(array("0", "0", "1"), (1, 4));
        assert_eq!(array("4", "1", "1"), (4, 4));
        assert_eq!(array("30", "0", "10"), (4, 4));
    }

    #[test]
    fn tasks_of_a_step_and_indexed_jobs_are_counted_from_0() {
        let step = [("SLURM_PROCID", "2"), ("SLURM_NTASKS", "3")];
        assert_eq!(shard_by(&told(&step)).unwrap(), (3, 3));
        let indexed = [("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "8")];
        assert_eq!(shard_by(&told(&indexed)).unwrap(), (1, 8));
    }

    #[test]
    fn who_is_told_nothing_or_nonsense_says_what_was_looked_for() {
        let said = |all: &[(&str, &str)]| shard_by(&told(all)).unwrap_err().to_string();
        assert!(said(&[]).contains("SLURM_ARRAY_TASK_ID"));
        let wrong = [("SLURM_PROCID", "x"), ("SLURM_NTASKS", "3")];
        assert!(said(&wrong).contains("SLURM_PROCID is `x`"));
    }

    #[test]
    fn a_task_of_an_array_is_never_called_by_the_whole_arrays_name() {
        let array = [
            ("SLURM_JOB_ID", "12"),
            ("SLURM_ARRAY_JOB_ID", "12"),
            ("SLURM_ARRAY_TASK_ID", "3"),
        ];
        assert_eq!(job_by(&told(&array)).unwrap(), "12_3");
        assert_eq!(job_by(&told(&array[..1])).unwrap(), "12");
        assert_eq!(job_by(&told(&[])), None);
    }
}
