//! What plans are checked for: each fault names its place and what would do.

use super::{Invalid, MAX_BLOCK, MAX_GAMMAS};

/// Says that the plan cannot be run: where, and why.
pub fn invalid<T>(path: impl Into<String>, problem: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid {
        path: path.into(),
        problem: problem.into(),
    })
}

/// Refuses a zero among counts of things.
pub fn at_least_one(path: &str, counts: &[(&str, usize)]) -> Result<(), Invalid> {
    match counts.iter().find(|(_, count)| *count == 0) {
        Some((field, _)) => invalid(format!("{path}.{field}"), "it is 0; it must be at least 1"),
        None => Ok(()),
    }
}

/// Refuses a block of nothing, and one that a worker could not hold in memory.
pub fn block_size(path: &str, block: usize) -> Result<(), Invalid> {
    if (1..=MAX_BLOCK).contains(&block) {
        return Ok(());
    }
    invalid(
        format!("{path}.block"),
        format!("{block} a block; it must lie in 1 to {MAX_BLOCK}"),
    )
}

/// Refuses no trials, and more than `most`, which are the most that sums hold exactly.
pub fn trials(path: &str, field: &str, trials: u64, most: u64) -> Result<(), Invalid> {
    if (1..=most).contains(&trials) {
        return Ok(());
    }
    invalid(
        format!("{path}.{field}"),
        format!("{trials} trials; it must lie in 1 to {most}: so many are counted exactly"),
    )
}

/// Refuses averages over a single trial: they have no spread.
pub fn enough_to_average(path: &str, min_trials: u64) -> Result<(), Invalid> {
    if min_trials >= 2 {
        return Ok(());
    }
    invalid(
        format!("{path}.min_trials"),
        format!("{min_trials} is too few to average; it must be at least 2"),
    )
}

/// Refuses a list in which something stands twice.
pub fn distinct<T: PartialEq>(
    path: &str,
    list: &[T],
    name: impl Fn(&T) -> String,
) -> Result<(), Invalid> {
    match (0..list.len()).find(|&i| list[..i].contains(&list[i])) {
        Some(i) => invalid(
            format!("{path}[{i}]"),
            format!("{} stands in the list twice", name(&list[i])),
        ),
        None => Ok(()),
    }
}

/// Refuses a number outside \[0, 1\].
pub fn share(place: &str, symbol: &str, value: f64) -> Result<(), Invalid> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    invalid(place, format!("{symbol} = {value} is outside [0, 1]"))
}

/// Refuses a list of numbers in \[0, 1\] that is empty, too long, out of range or has one twice.
pub fn shares(path: &str, field: &str, symbol: &str, values: &[f64]) -> Result<(), Invalid> {
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
                "{} {symbol} in the list; at most {MAX_GAMMAS} have room",
                values.len()
            ),
        );
    }
    for (i, &value) in values.iter().enumerate() {
        share(&format!("{list}[{i}]"), symbol, value)?;
    }
    distinct(&list, values, |value| format!("{symbol} = {value}"))
}
