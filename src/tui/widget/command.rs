//! A command line broken into rows, which a shell reads as one command when they are pasted.

use ratatui::text::Span;

use crate::files::quoted;

/// Columns below which no row is made narrower.
const LEAST: u16 = 20;

/// A command in rows of at most `width` columns: the program, as a shell calls it, and groups of words that share a row
/// if they can. Words are quoted for a shell. A row that continues on the next ends with a backslash; a word longer than a
/// row is cut into parts, which the shell joins.
pub fn rows(program: &str, groups: &[Vec<String>], width: u16) -> Vec<String> {
    let room = usize::from(width.max(LEAST)) - " \\".len();
    let mut rows = Vec::new();
    let mut row = program.to_owned();
    if columns(program) > room
        && let Some(words) = unquoted(program)
    {
        row.clear();
        for word in &words {
            row = with_word(&mut rows, row, word, room);
        }
    }
    for group in groups {
        let words: Vec<String> = group.iter().map(quoted).collect();
        if !row.is_empty() && columns(&row) + 1 + columns(&words.join(" ")) > room {
            rows.push(format!("{row} \\"));
            row.clear();
        }
        for word in group {
            row = with_word(&mut rows, row, word, room);
        }
    }
    rows.push(row);
    rows
}

/// The words that a shell reads in a text of words that were [`quoted`]; `None` if one has escape sequences, as for bytes
/// that are not UTF-8.
fn unquoted(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, is_quoted) {
            ('\'', _) => is_quoted = !is_quoted,
            ('$', false) => return None,
            ('\\', false) => word.extend(letters.next()),
            (' ', false) => words.push(std::mem::take(&mut word)),
            _ => word.push(letter),
        }
    }
    words.push(word);
    Some(words)
}

/// Adds a word to a row, or finishes that row and those that the word fills; returns the last row.
fn with_word(rows: &mut Vec<String>, row: String, word: &str, room: usize) -> String {
    let whole = quoted(word);
    if row.is_empty() && columns(&whole) <= room {
        return whole;
    }
    if !row.is_empty() {
        if columns(&row) + 1 + columns(&whole) <= room {
            return format!("{row} {whole}");
        }
        rows.push(format!("{row} \\"));
    }
    let mut rest = word;
    while columns(&quoted(rest)) > room {
        let (part, after) = rest.split_at(fitting(rest, room));
        rows.push(format!("{}\\", quoted(part)));
        rest = after;
    }
    quoted(rest)
}

/// Bytes of the longest beginning of a word, of at least one letter, that fits in this many columns once it is quoted.
fn fitting(word: &str, room: usize) -> usize {
    let ends = || {
        let letters = word.char_indices();
        letters.map(|(at, letter)| at + letter.len_utf8())
    };
    let fits = ends().take_while(|&end| columns(&quoted(&word[..end])) <= room);
    fits.last().or_else(|| ends().next()).unwrap_or(0)
}

fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The words that a shell parses from these rows.
    fn parsed(rows: &[String]) -> Vec<String> {
        let script = format!(
            "noisescope() {{ printf '%s\\0' \"$@\"; }}\n{}\n",
            rows.join("\n")
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn pasted_rows_are_the_command_at_every_width() {
        let groups = [
            &["new", "it's-again"][..],
            &[
                "--network",
                "/a very/long path/of a network/and more of it/é縞/model.onnx",
            ],
            &["--set", "analyses=[ClassificationImages(()), Attack(())]"],
            &["--set", "seed=7"],
        ];
        let groups: Vec<Vec<String>> = groups
            .iter()
            .map(|group| group.iter().map(|&word| word.to_owned()).collect())
            .collect();
        for width in [1, 20, 21, 30, 58, 200] {
            let rows = rows("noisescope", &groups, width);
            assert_eq!(parsed(&rows), groups.concat(), "{rows:?}");
            let widest = rows.iter().map(|row| columns(row)).max().unwrap();
            assert!(widest <= usize::from(width.max(LEAST)), "{rows:?}");
        }
    }

    #[test]
    fn a_program_with_a_long_folder_is_broken_into_rows_too() {
        let folder = "/home/me/a folder/of it's sessions, at the end of a long path";
        let program = format!("noisescope --sessions {}", quoted(folder));
        let groups = [["new", "mine"].map(str::to_owned).to_vec()];
        for width in [20, 21, 40, 79] {
            let rows = rows(&program, &groups, width);
            assert_eq!(parsed(&rows), ["--sessions", folder, "new", "mine"]);
            let widest = rows.iter().map(|row| columns(row)).max().unwrap();
            assert!(widest <= usize::from(width), "{rows:?}");
        }
    }

    #[test]
    fn an_option_stays_with_its_value_if_both_fit() {
        let groups = [["new", "mine"], ["--set", "seed=7"]].map(|group| group.map(String::from));
        let groups = groups.map(|group| group.to_vec());
        assert_eq!(
            rows("noisescope", &groups, 30),
            ["noisescope new mine \\", "--set 'seed=7'"]
        );
        assert_eq!(
            rows("noisescope", &groups, 80),
            ["noisescope new mine --set 'seed=7'"]
        );
    }
}
