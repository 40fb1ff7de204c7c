//! Hints on how to write what a setting got almost right.

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
