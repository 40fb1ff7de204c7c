//! Range checks for plans: each error names the place and the accepted values.

use super::{ConfigError, MAX_BLOCK, MAX_GAMMAS, MAX_NETWORKS};
use crate::ids::Gamma;

/// An error that names the place and the problem.
pub fn invalid<T>(path: impl Into<String>, problem: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError {
        path: path.into(),
        problem: problem.into(),
    })
}

/// Rejects counts that are zero.
pub fn at_least_one(path: &str, counts: &[(&str, usize)]) -> Result<(), ConfigError> {
    match counts.iter().find(|(_, count)| *count == 0) {
        Some((field, _)) => invalid(format!("{path}.{field}"), "it is 0; it must be at least 1"),
        None => Ok(()),
    }
}

/// Rejects an empty block, and one too large for a worker's memory.
pub fn block_size(path: &str, block: usize) -> Result<(), ConfigError> {
    if (1..=MAX_BLOCK).contains(&block) {
        return Ok(());
    }
    invalid(
        format!("{path}.block"),
        format!("{block} per block; it must be from 1 to {MAX_BLOCK}"),
    )
}

/// Rejects zero trials, and more than `most`, the most for which sums are exact.
pub fn trials(path: &str, field: &str, trials: u64, most: u64) -> Result<(), ConfigError> {
    if (1..=most).contains(&trials) {
        return Ok(());
    }
    invalid(
        format!("{path}.{field}"),
        format!("{trials} trials; it must be from 1 to {most}, so that sums stay exact"),
    )
}

/// Rejects more trained networks of a kind than one session holds.
pub fn networks(path: &str, field: &str, networks: usize) -> Result<(), ConfigError> {
    if networks <= MAX_NETWORKS {
        return Ok(());
    }
    invalid(
        format!("{path}.{field}"),
        format!("{networks} networks; at most {MAX_NETWORKS} of a kind fit in one session"),
    )
}

/// Rejects averages over a single trial, which have no spread.
pub fn enough_to_average(path: &str, min_trials: u64) -> Result<(), ConfigError> {
    if min_trials >= 2 {
        return Ok(());
    }
    invalid(
        format!("{path}.min_trials"),
        format!("{min_trials} is too few to average; it must be at least 2"),
    )
}

/// Rejects a list with duplicates.
pub fn distinct<T: PartialEq>(
    path: &str,
    list: &[T],
    name: impl Fn(&T) -> String,
) -> Result<(), ConfigError> {
    match (0..list.len()).find(|&i| list[..i].contains(&list[i])) {
        Some(i) => invalid(
            format!("{path}[{i}]"),
            format!("{} is in the list twice", name(&list[i])),
        ),
        None => Ok(()),
    }
}

/// Rejects a number outside \[0, 1\].
pub fn unit_interval(place: &str, symbol: &str, value: f64) -> Result<(), ConfigError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    invalid(place, format!("{symbol} = {value} is outside [0, 1]"))
}

/// Rejects a plan's list of γ that is empty, too long, out of range or contains duplicates.
pub fn gammas(path: &str, gammas: &[Gamma]) -> Result<(), ConfigError> {
    let values: Vec<f64> = gammas.iter().map(|gamma| gamma.0).collect();
    unit_interval_list(path, "gammas", "γ", &values)
}

/// Rejects a list of numbers in \[0, 1\] that is empty, too long, out of range or contains duplicates.
pub fn unit_interval_list(
    path: &str,
    field: &str,
    symbol: &str,
    values: &[f64],
) -> Result<(), ConfigError> {
    let list = format!("{path}.{field}");
    if values.is_empty() {
        return invalid(
            list,
            format!("the list is empty; give at least one {symbol} in [0, 1]"),
        );
    }
    if values.len() > MAX_GAMMAS {
        return invalid(
            list,
            format!(
                "{} {symbol} in the list; at most {MAX_GAMMAS} are allowed",
                values.len()
            ),
        );
    }
    for (i, &value) in values.iter().enumerate() {
        unit_interval(&format!("{list}[{i}]"), symbol, value)?;
    }
    distinct(&list, values, |value| format!("{symbol} = {value}"))
}
