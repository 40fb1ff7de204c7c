//! Interface to schedulers: reads what Slurm and Kubernetes' indexed jobs put in the environment, and runs Slurm's
//! programs.

use std::ffi::OsStr;
use std::process::Command;

use super::CommandError;
use super::output::print_line;
use crate::format::clean;

/// The shard's index, from 1, and the number of shards, from the scheduler's environment variables.
///
/// # Errors
/// If the variables are missing or not numbers.
pub fn shard() -> Result<(u32, u32), CommandError> {
    shard_from(&|name| std::env::var(name).ok())
}

fn shard_from(variable: &dyn Fn(&str) -> Option<String>) -> Result<(u32, u32), CommandError> {
    let number = |name: &str| -> Result<Option<u32>, CommandError> {
        let Some(text) = variable(name) else {
            return Ok(None);
        };
        let wrong =
            || CommandError::Usage(format!("--shard auto: {name} is `{text}`, not a number"));
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
    for (index, count) in [
        ("SLURM_PROCID", "SLURM_NTASKS"),
        ("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"),
    ] {
        if let (Some(index), Some(count)) = (number(index)?, number(count)?) {
            return Ok((index.saturating_add(1), count));
        }
    }
    Err(CommandError::Usage(
        "--shard auto: no scheduler says which shard this is; looked for SLURM_ARRAY_TASK_ID with SLURM_ARRAY_TASK_COUNT, SLURM_PROCID with SLURM_NTASKS, and JOB_COMPLETION_INDEX with JOB_COMPLETIONS. Name it instead: --shard 1/4".into(),
    ))
}

/// This job's id in Slurm: `1234_7` for an array task, else `1234`; `None` outside of a job.
pub fn job() -> Option<String> {
    job_from(&|name| std::env::var(name).ok())
}

fn job_from(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    // The job's own id may be that of the whole array.
    match (
        variable("SLURM_ARRAY_JOB_ID"),
        variable("SLURM_ARRAY_TASK_ID"),
    ) {
        (Some(array), Some(task)) => Some(format!("{array}_{task}")),
        _ => variable("SLURM_JOB_ID"),
    }
}

/// The number of cores that the scheduler gave to this task; `None` if it does not say.
pub fn cores() -> Option<usize> {
    let number = |name: &str| std::env::var(name).ok()?.trim().parse::<usize>().ok();
    let alone = number("SLURM_NTASKS").is_none_or(|tasks| tasks == 1);
    let on_node = || number("SLURM_CPUS_ON_NODE").filter(|_| alone);
    let cores = number("SLURM_CPUS_PER_TASK").or_else(on_node);
    cores.filter(|&cores| cores > 0)
}

/// Requeues this job in Slurm: only this task, never the whole array.
///
/// # Errors
/// If this is not a Slurm job, or Slurm refuses.
pub fn requeue() -> Result<(), CommandError> {
    let Some(job) = job() else {
        return Err(CommandError::Failed(
            "--requeue: this is not a Slurm job (SLURM_JOB_ID is not set), so it is not requeued; its work is saved".into(),
        ));
    };
    print_line(format_args!("saved; requeueing job {job}"));
    run_program("scontrol", ["requeue", &job])
        .map(drop)
        .map_err(|problem| {
            CommandError::Failed(format!(
                "{problem}. The work so far is saved; submit the job again to resume"
            ))
        })
}

/// Runs one of the scheduler's programs and returns its output.
///
/// # Errors
/// Its error message, without a final full stop.
pub fn run_program(
    program: &str,
    words: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<String, String> {
    let ran = Command::new(program).args(words).output();
    let output = ran.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("{program} is not installed here: Slurm's programs are on its login nodes")
        }
        _ => format!("cannot run {program}: {error}"),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let errors = errors.trim().lines().collect::<Vec<_>>().join("; ");
    Err(match errors.is_empty() {
        true => format!("{program} refused ({}) without saying why", output.status),
        false => format!("{program} refused ({}): {errors}", output.status),
    })
}

/// The number of the submitted job in what sbatch printed, also if a site's own sbatch prints other lines or ignores
/// `--parsable`.
///
/// # Errors
/// If there is none; a job may have been submitted nevertheless.
pub fn job_number(output: &str) -> Result<&str, String> {
    output.lines().find_map(number_in).ok_or_else(|| {
        let printed = match output.trim() {
            "" => "nothing".to_owned(),
            text => format!("`{}`", clean(text)),
        };
        format!(
            "sbatch named no job, but printed {printed}; `squeue --me` shows whether there is one, and scancel ends it"
        )
    })
}

/// The job's number in a line that sbatch printed. With several clusters, the cluster's name follows.
fn number_in(line: &str) -> Option<&str> {
    let line = line.trim();
    let number = match line.strip_prefix("Submitted batch job ") {
        Some(rest) => rest.split(' ').next(),
        None => line.split(';').next(),
    };
    number.filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables<'a>(all: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |name| {
            let found = all.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn an_array_task_is_one_shard_whatever_the_first_index() {
        let array = |id, min, step| {
            shard_from(&variables(&[
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
        assert_eq!(shard_from(&variables(&step)).unwrap(), (3, 3));
        let indexed = [("JOB_COMPLETION_INDEX", "0"), ("JOB_COMPLETIONS", "8")];
        assert_eq!(shard_from(&variables(&indexed)).unwrap(), (1, 8));
    }

    #[test]
    fn a_jobs_number_is_found_among_other_lines_and_nothing_else_is_taken_for_one() {
        for output in [
            "12\n",
            "12;cluster2\n",
            "sbatch: 3 nodes are down\n12\r\n",
            "Submitted batch job 12\n",
            "Submitted batch job 12 on cluster two\n",
        ] {
            assert_eq!(job_number(output), Ok("12"), "{output}");
        }
        for (output, printed) in [
            ("\n", "printed nothing"),
            ("12 nodes\n;\n", "printed `12 nodes ;`"),
            ("\u{fffd}", "printed `\u{fffd}`"),
        ] {
            let problem = job_number(output).unwrap_err();
            assert!(problem.contains(printed), "{problem}");
        }
    }

    #[test]
    fn missing_or_invalid_variables_are_named_in_the_error() {
        let message = |all: &[(&str, &str)]| shard_from(&variables(all)).unwrap_err().to_string();
        assert!(message(&[]).contains("SLURM_ARRAY_TASK_ID"));
        let wrong = [("SLURM_PROCID", "x"), ("SLURM_NTASKS", "3")];
        assert!(message(&wrong).contains("SLURM_PROCID is `x`"));
    }

    #[test]
    fn an_array_task_is_never_named_by_the_whole_array() {
        let array = [
            ("SLURM_JOB_ID", "12"),
            ("SLURM_ARRAY_JOB_ID", "12"),
            ("SLURM_ARRAY_TASK_ID", "3"),
        ];
        assert_eq!(job_from(&variables(&array)).unwrap(), "12_3");
        assert_eq!(job_from(&variables(&array[..1])).unwrap(), "12");
        assert_eq!(job_from(&variables(&[])), None);
    }
}
