//! Setting one value of a configuration by its path: the meaning of `--set PATH=VALUE`.
//!
//! The configuration is written out as RON with every field, VALUE replaces the text at PATH, and the
//! result is parsed. So a value is spelled as in a session file, types are checked by the usual parser,
//! and no list of fields is kept here. A path passes through variants: in `network.weights.epochs`,
//! `weights` is `Train((epochs: 15, …))`.

use std::ops::Range;

use serde::de::IgnoredAny;

use self::hints::{data_set, parentheses, pushed_layers, single_parentheses};
use self::scan::Scanner;
use super::config::{Analysis, Config};
use crate::format::parse_trials;

mod hints;
mod scan;
#[cfg(test)]
mod tests;

/// Why a setting failed, in terms of what the user typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--set {assignment}: {problem}")]
pub struct SettingError {
    /// PATH=VALUE as it was typed.
    pub assignment: String,
    /// The problem and what would be right.
    pub problem: Problem,
}

/// The problem with a setting. Places are spelled as in the file, for example `analyses[0]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The assignment has no `=`.
    #[error("there is no `=`; write PATH=VALUE, for example network.kind=Mlp")]
    NoEquals,
    /// The path is malformed.
    #[error(
        "`{0}` is not a path; write names joined by dots and list indices in brackets, for \
         example analyses[0].gammas[1]"
    )]
    NotAPath(String),
    /// The place has no such field.
    #[error("{place} has no field `{field}`; it has {}", known.join(", "))]
    UnknownField {
        /// The place that was searched.
        place: String,
        /// The unknown name.
        field: String,
        /// The existing names.
        known: Vec<String>,
    },
    /// The place has no fields.
    #[error("{place} is {value}, which has no field `{field}`; set {place} itself")]
    NoFields {
        /// The place that was searched.
        place: String,
        /// Its current value.
        value: String,
        /// The unknown name.
        field: String,
    },
    /// An index was given for something that is not a list.
    #[error("{place} is {value} and not a list; leave out the [{index}]")]
    NotAList {
        /// The place that was searched.
        place: String,
        /// Its current value.
        value: String,
        /// The requested index.
        index: usize,
    },
    /// The list is too short.
    #[error("{place} has length {length}, so there is no {place}[{index}]{}", last(*length))]
    OutOfRange {
        /// The list.
        place: String,
        /// Its length.
        length: usize,
        /// The requested index.
        index: usize,
    },
    /// The value is not RON, or has the wrong type.
    #[error("{reason}; {place} is currently {now}")]
    Value {
        /// The parser's message.
        reason: String,
        /// The place to set.
        place: String,
        /// Its current value.
        now: String,
    },
    /// There is no such place, but an experiment has one of that name.
    #[error("{problem}; did you mean {path}?")]
    InExperiment {
        /// What is wrong with the path.
        problem: Box<Problem>,
        /// The path of the place in the experiment.
        path: String,
    },
    /// The configuration cannot be written as text.
    #[error("the plan cannot be written out: {0}")]
    Unwritable(String),
}

fn last(length: usize) -> String {
    match length {
        0 => "; set the list itself".into(),
        _ => format!("; the last is [{}]", length - 1),
    }
}

/// Returns `config` with one value replaced. `assignment` is PATH=VALUE, VALUE one complete RON value.
///
/// Only the type is checked here; [`Config::validate`] checks the ranges, once all settings of a command
/// line have been applied.
///
/// # Errors
/// If the path does not exist, or the value is not RON or has the wrong type.
pub fn set(config: &Config, assignment: &str) -> Result<Config, SettingError> {
    replaced(config, assignment).map_err(|problem| SettingError {
        assignment: assignment.into(),
        problem,
    })
}

fn replaced(config: &Config, assignment: &str) -> Result<Config, Problem> {
    let (path, value) = assignment.split_once('=').ok_or(Problem::NoEquals)?;
    let path = path.trim();
    let steps = steps(path).ok_or_else(|| Problem::NotAPath(path.into()))?;
    let text = ron::to_string(config).map_err(|error| Problem::Unwritable(error.to_string()))?;
    let span = find(&text, &steps).map_err(|problem| {
        match in_experiment(&text, path, config.analyses.len()) {
            Some(path) => Problem::InExperiment {
                problem: Box::new(problem),
                path,
            },
            None => problem,
        }
    })?;
    let invalid_value = |reason: String| Problem::Value {
        reason,
        place: path.into(),
        now: shortened(&text[span.clone()]),
    };
    let is_integer = text[span.clone()].parse::<u64>().is_ok();
    let value = complete(value).map_err(|reason| {
        let digits = || is_integer.then(|| in_digits(value)).flatten();
        invalid_value(bare_text(path, value).or_else(digits).unwrap_or(reason))
    })?;
    let with = |value: &str| -> ron::error::SpannedResult<Config> {
        ron::from_str(&[&text[..span.start], value, &text[span.end..]].concat())
    };
    with(value).map_err(|error| {
        let hint = bare_experiment(path, value)
            .or_else(|| single_parentheses(path, value))
            .or_else(|| bare_text(path, value))
            .or_else(|| pushed_layers(path, value, |other| with(other).is_ok()))
            .or_else(|| data_set(path, value, |other| with(other).is_ok()))
            .or_else(|| parentheses(value, |other| with(other).is_ok()));
        // The parser reads the digits before the point, and misses a comma after them.
        let is_fraction = value.contains('.') && value.parse::<f64>().is_ok();
        invalid_value(match hint {
            Some(hint) => hint,
            None if is_integer && is_fraction => "expected integer".into(),
            None => message(&error.code),
        })
    })
}

/// How to write the first text in a value that lacks its quotation marks, which a shell takes away.
fn bare_text(path: &str, value: &str) -> Option<String> {
    let place = ["Folder(", "File(", "Own("].iter().find_map(|variant| {
        let start = value.find(variant)? + variant.len();
        Some((start, start + value[start..].find(')')?))
    });
    let (start, end) = place?;
    let text = value[start..end].trim();
    if text.is_empty() || text.contains(['"', '(', '[']) {
        return None;
    }
    let quoted = [&value[..start], "\"", text, "\"", &value[end..]].concat();
    Some(format!(
        "a text needs quotation marks, and the shell single quotes around them; write '{path}={quoted}'"
    ))
}

/// How to write a whole number with a unit or separators, such as 20k or 20,000, which only options for trials take.
fn in_digits(value: &str) -> Option<String> {
    let value = value.trim();
    let number = parse_trials(value)?;
    let mut groups = value
        .trim_end_matches(['k', 'K', 'm', 'M'])
        .split([',', ' ']);
    // A comma before other than three digits may be meant as a decimal point.
    let is_clear = groups.next().is_some()
        && groups.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()));
    is_clear.then(|| format!("{value} is not a number here; write {number}"))
}

/// How to write the first experiment in a value for the list of experiments, or for one of them, that lacks its
/// parentheses.
fn bare_experiment(path: &str, value: &str) -> Option<String> {
    if !path.starts_with("analyses") || path.contains('.') {
        return None;
    }
    let mut depth = 0_usize;
    // Outside all parentheses there are names and separators alone.
    let mut outside = String::new();
    for c in value.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 || c == '(' {
            outside.push(c);
        }
    }
    let mut names = outside.split([',', '[', ']']).map(str::trim);
    let name = names.find(|name| ron::from_str::<Analysis>(&format!("{name}(())")).is_ok())?;
    Some(format!(
        "the experiment {name} needs parentheses; write {name}(())"
    ))
}

/// VALUE trimmed, if it is exactly one complete RON value.
fn complete(value: &str) -> Result<&str, String> {
    let mut scanner = Scanner::new(value);
    let span = scanner.value()?;
    scanner.blank();
    if scanner.at < value.len() {
        let rest = shortened(&value[scanner.at..]);
        return Err(format!("the value ends before `{rest}`"));
    }
    ron::from_str::<IgnoredAny>(value).map_err(|error| message(&error.code))?;
    Ok(&value[span])
}

/// A parser's message, with a lower-case first letter for use within a sentence.
fn message(error: &ron::Error) -> String {
    let text = match error {
        ron::Error::InvalidIntegerDigit { .. } => "expected integer".into(),
        ron::Error::ExpectedOption => "expected None or Some(…)".into(),
        ron::Error::InvalidIdentifier(found) | ron::Error::SuggestRawIdentifier(found) => {
            format!("expected a name, not {found}")
        }
        other => other.to_string(),
    };
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => "it cannot be parsed".into(),
    }
}

/// A piece of text, shortened for use in a sentence.
fn shortened(text: &str) -> String {
    const MOST: usize = 48;
    if text.chars().count() <= MOST {
        return text.into();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        steps.push(Step::Field(name));
        while !rest.is_empty() {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            if !index.chars().all(|c| c.is_ascii_digit()) {
                return None;
            }
            steps.push(Step::Index(index.parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

/// The byte range of the value that `steps` lead to.
fn find(text: &str, steps: &[Step<'_>]) -> Result<Range<usize>, Problem> {
    let mut span = 0..text.len();
    let mut place = String::new();
    for step in steps {
        let parts = parts(text, span.clone());
        let value = || shortened(&text[span.clone()]);
        span = match (*step, parts) {
            (Step::Field(field), Parts::Fields(fields)) if !fields.is_empty() => {
                let found = fields.iter().find(|(name, _)| *name == field);
                found
                    .map(|(_, span)| span.clone())
                    .ok_or_else(|| Problem::UnknownField {
                        place: match place.as_str() {
                            "" => "the plan".into(),
                            place => place.into(),
                        },
                        field: field.into(),
                        known: fields.iter().map(|(name, _)| (*name).into()).collect(),
                    })?
            }
            (Step::Field(field), _) => {
                return Err(Problem::NoFields {
                    place,
                    value: value(),
                    field: field.into(),
                });
            }
            (Step::Index(index), Parts::Items(items)) => {
                items
                    .get(index)
                    .cloned()
                    .ok_or_else(|| Problem::OutOfRange {
                        place: place.clone(),
                        length: items.len(),
                        index,
                    })?
            }
            (Step::Index(index), _) => {
                return Err(Problem::NotAList {
                    place,
                    value: value(),
                    index,
                });
            }
        };
        match step {
            Step::Field(field) if place.is_empty() => place.push_str(field),
            Step::Field(field) => place.extend([".", field]),
            Step::Index(index) => place.push_str(&format!("[{index}]")),
        }
    }
    Ok(span)
}

/// The path of the same place in the first experiment that has one.
fn in_experiment(text: &str, path: &str, experiments: usize) -> Option<String> {
    let field = path.strip_prefix("analyses.").unwrap_or(path);
    let mut places = (0..experiments).map(|index| format!("analyses[{index}].{field}"));
    places.find(|place| steps(place).is_some_and(|steps| find(text, &steps).is_ok()))
}

/// The parts of a value.
enum Parts<'a> {
    Fields(Vec<(&'a str, Range<usize>)>),
    Items(Vec<Range<usize>>),
    Nothing,
}

fn parts(text: &str, span: Range<usize>) -> Parts<'_> {
    let mut scanner = Scanner::new(&text[..span.end]);
    scanner.at = span.start;
    scanner.blank();
    if scanner.eat('[') {
        return Parts::Items(scanner.items());
    }
    scanner.word();
    scanner.blank();
    if !scanner.eat('(') {
        return Parts::Nothing;
    }
    let inside = scanner.at;
    if let Some(fields) = scanner.fields() {
        return Parts::Fields(fields);
    }
    scanner.at = inside;
    match scanner.items().as_slice() {
        [held] => parts(text, held.clone()),
        _ => Parts::Nothing,
    }
}
