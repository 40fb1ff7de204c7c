//! Hints on how to write what a setting got almost right.

use super::scan::Scanner;
use crate::session::config::Analysis;

/// How to write the first experiment in a value whose settings are in one pair of parentheses, as those of everything
/// else, and not in two.
pub fn single_parentheses(path: &str, value: &str) -> Option<String> {
    if !path.starts_with("analyses") || path.contains('.') {
        return None;
    }
    let mut depth = 0_usize;
    let name = value.char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_single = c == '(' && depth == 1 && !value[at + 1..].trim_start().starts_with('(');
        let before = value[..at].trim_end();
        let name = before.rsplit(|c: char| !c.is_alphanumeric()).next()?;
        let is_experiment = || ron::from_str::<Analysis>(&format!("{name}(())")).is_ok();
        (is_single && is_experiment()).then_some(name)
    })?;
    Some(format!(
        "the settings of an experiment are in double parentheses; write {name}((…))"
    ))
}

/// How to write the layers of a modulation, if only these are wrong: each with its α, `[(layer: "fc1", alpha: 1.0)]` for
/// `["fc1"]`.
pub fn pushed_layers(
    path: &str,
    value: &str,
    is_accepted: impl Fn(&str) -> bool,
) -> Option<String> {
    let place = match path.ends_with(".layers") {
        true => 0..value.len(),
        false => {
            let experiment = value.find("Modulation")?;
            let name = experiment + value[experiment..].find("layers")? + "layers".len();
            let mut scanner = Scanner::new(value);
            scanner.at = name + value[name..].find(':')? + 1;
            scanner.blank();
            scanner.value().ok()?
        }
    };
    let name = value[place.clone()].split('"').nth(1);
    let layers = format!("[(layer: \"{}\", alpha: 1.0)]", name.unwrap_or("conv2"));
    let whole = [&value[..place.start], &layers, &value[place.end..]].concat();
    is_accepted(&whole).then(|| format!("each layer needs its α; write layers: {layers}"))
}

/// How to write a data set that is given by its name or its source alone: `(name: FashionMnist)` for `FashionMnist`.
pub fn data_set(path: &str, value: &str, is_accepted: impl Fn(&str) -> bool) -> Option<String> {
    if path != "dataset" {
        return None;
    }
    let value = value.trim();
    let written = ["name", "source"].map(|field| format!("({field}: {value})"));
    let whole = written.iter().find(|whole| is_accepted(whole))?;
    Some(format!(
        "a data set is written in parentheses; write 'dataset={whole}'"
    ))
}

/// How to write a name with as many parentheses as it takes, if only these are wrong: `Gaussian(())` for `Gaussian`, `Pca`
/// for `Pca(())`.
pub fn parentheses(value: &str, is_accepted: impl Fn(&str) -> bool) -> Option<String> {
    let value = value.trim();
    let (name, settings) = match value.split_once('(') {
        Some((name, rest)) => (name.trim_end(), Some(rest.strip_suffix(')')?.trim())),
        None => (value, None),
    };
    if name.is_empty() || !name.chars().all(char::is_alphanumeric) {
        return None;
    }
    let Some(settings) = settings else {
        let whole = format!("{name}(())");
        return is_accepted(&whole).then(|| format!("{name} needs parentheses; write {whole}"));
    };
    if is_accepted(name) {
        return Some(format!("{name} takes no parentheses; write {name}"));
    }
    let whole = format!("{name}(({settings}))");
    is_accepted(&whole).then(|| format!("{name} needs double parentheses; write {whole}"))
}
